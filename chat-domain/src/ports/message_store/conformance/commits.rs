use super::talk::{
    Store, THINKING, Talk, append, commit, conflicts, is_absent, stored_messages, stored_room, words,
};
use crate::conformance::{JUNHO, MINJI, november, race, their_room};
use crate::{ClientMessageId, MessageStoreError, Room};

pub(super) async fn a_first_commit_conflicts_with_an_existing_room(store: Store) {
    let mut talk = Talk::new(&store);
    let other_first = talk.draft(JUNHO, words("나도 안녕"));
    talk.go_on(1).await;
    conflicts(&store, &other_first).await;
    talk.is_stored().await;
}

pub(super) async fn a_stale_version_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    // The stale message has the latest time, so only the version keeps it out.
    talk.now = november(24);
    let stale = talk.draft(JUNHO, words("늦었다"));
    talk.now = november(23).after(THINKING * 2);
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    talk.is_stored().await;
}

pub(super) async fn a_future_version_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(1).await;
    let unstored = talk.draft(JUNHO, words("이건 저장되지 않는다"));
    let mut ahead = talk.room.clone();
    ahead.apply(&unstored);
    let future = append(&ahead, ClientMessageId::from_u128(3), MINJI, words("너무 이르다"), november(24));
    conflicts(&store, &future).await;
    talk.is_stored().await;
}

pub(super) async fn a_version_of_an_absent_room_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.room.apply(&talk.draft(MINJI, words("이건 저장되지 않는다")));
    let second = append(&talk.room, ClientMessageId::from_u128(2), JUNHO, words("너무 이르다"), november(24));
    conflicts(&store, &second).await;
    is_absent(&store, talk.room.id()).await;
}

pub(super) async fn a_repeated_commit_conflicts(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..3 {
        let append = talk.draft(MINJI, words("한 번만"));
        talk.say(MINJI, words("한 번만")).await;
        conflicts(&store, &append).await;
        talk.is_stored().await;
    }
}

/// Eight devices append to the same room at once.
async fn one_of_eight_is_stored(store: Store, mut talk: Talk) {
    let appends: Vec<_> = (0..8_u32)
        .map(|n| {
            let sender = if n % 2 == 0 { MINJI } else { JUNHO };
            let id = ClientMessageId::from_u128(u128::from(n) + 100);
            append(&talk.room, id, sender, words(&format!("나 {n}")), talk.now.after(THINKING * n))
        })
        .collect();
    let committed = race((0..).zip(&appends).map(|(n, append)| {
        let (store, append) = (store.for_racer(n), append.clone());
        async move { commit(&store, &append).await }
    }))
    .await;

    let mut winners = Vec::new();
    for (append, committed) in appends.into_iter().zip(committed) {
        match committed {
            Ok(()) => winners.push(append),
            Err(error) => assert!(matches!(error, MessageStoreError::Conflict), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    for winner in winners {
        talk.holds(winner);
    }
    talk.is_stored().await;
}

pub(super) async fn of_eight_racing_commits_exactly_one_is_stored(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(10).await;
    one_of_eight_is_stored(store, talk).await;
}

pub(super) async fn of_eight_racing_first_commits_exactly_one_is_stored(store: Store) {
    let talk = Talk::new(&store);
    one_of_eight_is_stored(store, talk).await;
}

pub(super) async fn writers_that_race_and_retry_lose_nothing(store: Store) {
    let writers = (0..4_u32).map(|writer| {
        let store = store.for_racer(writer);
        async move {
            let sender = if writer % 2 == 0 { MINJI } else { JUNHO };
            for n in 0..10 {
                let id = ClientMessageId::from_u128(u128::from(writer) << 64 | n);
                loop {
                    let head = stored_room(&store, &their_room()).await;
                    let head = head.unwrap_or_else(|| Room::empty(their_room()));
                    // One device's clock is ahead of the others'.
                    let now = november(23).after(THINKING * writer);
                    match commit(&store, &append(&head, id, sender, words("말"), now)).await {
                        Ok(()) => break,
                        Err(error) => assert!(matches!(error, MessageStoreError::Conflict), "{error:?}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    race(writers).await;

    let messages = stored_messages(&store, &their_room()).await;
    assert!(messages.iter().map(|message| message.seq).eq(1..=40), "every number once, without a hole");
    assert!(messages.is_sorted_by(|one, next| one.at < next.at));
    let mut ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(stored_room(&store, &their_room()).await.map(|room| room.seq()), Some(40));
}
