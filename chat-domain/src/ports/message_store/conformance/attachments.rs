use super::talk::{
    STORED, Store, THINKING, Talk, append, commit, conflicts, photo, stored_messages, stored_room,
};
use crate::conformance::{MINJI, november, race, their_room};
use crate::{Append, ClientMessageId, MessageStoreError, Room};

async fn is_taken(store: &Store, append: &Append) {
    let committed = commit(store, append).await;
    assert!(matches!(committed, Err(MessageStoreError::AttachmentTaken)), "{committed:?}");
}

pub(super) async fn an_attachment_is_shown_once(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    talk.say(MINJI, photo(1)).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    talk.go_on(10).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    talk.say(MINJI, photo(2)).await;
    talk.is_stored().await;
}

pub(super) async fn of_eight_racing_messages_one_shows_the_attachment(store: Store) {
    let racers = (0..8).map(|n| {
        let store = store.for_racer(n);
        async move {
            let id = ClientMessageId::from_u128(u128::from(n) + 100);
            loop {
                let head = stored_room(&store, &their_room()).await;
                let head = head.unwrap_or_else(|| Room::empty(their_room()));
                let append = append(&head, id, MINJI, photo(1), november(23).after(THINKING * n));
                match commit(&store, &append).await {
                    Err(MessageStoreError::Conflict) => tokio::task::yield_now().await,
                    outcome => break outcome.is_ok(),
                }
            }
        }
    });
    let shown = race(racers).await.into_iter().filter(|shown| *shown).count();
    assert_eq!((shown, stored_messages(&store, &their_room()).await.len()), (1, 1));
}

pub(super) async fn what_was_refused_its_attachment_leaves_no_trace(store: Store) {
    let mut talk = Talk::new(&store);
    talk.say(MINJI, photo(1)).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    // A commit that conflicts claims an attachment for no other message.
    let stale = talk.draft(MINJI, photo(2));
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    let again = append(&talk.room, stale.message().id, MINJI, photo(2), talk.now);
    commit(&store, &again).await.expect(STORED);
    talk.holds(again);
    talk.is_stored().await;
}
