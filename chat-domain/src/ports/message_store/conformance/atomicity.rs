use futures_util::FutureExt;
use tokio::sync::watch;

use super::talk::{STORED, Store, Talk, commit, listed, photo, photo_in, room_of_scene, stored_room, words};
use crate::conformance::{MINJI, eventually, november, race};
use crate::{Consistency, Member, MessageStoreError, PageLimit, PageQuery, PageRange, RoomId};

/// What is to be seen at any time while others write to a room: no head that tells of a message without its
/// row, and no row that the head does not tell of.
pub(crate) async fn nothing_half_is_seen(store: &Store, id: &RoomId) {
    let query = PageQuery { range: PageRange::Newest, limit: PageLimit::ONE };
    let before = stored_room(store, id).await;
    let page = store.other().page(id, query, Consistency::Strong).await.expect(STORED);
    let after = stored_room(store, id).await;

    let row = page.messages.first();
    let row_seq = row.map_or(0, |row| row.seq);
    let [before, after] = [before, after].map(|room| room.and_then(|room| room.log().cloned()));
    let [head_seq_before, head_seq_after] =
        [&before, &after].map(|log| log.as_ref().map_or(0, |log| log.seq()));
    assert!(
        head_seq_before <= row_seq,
        "the head told of message {head_seq_before}: the newest row is {row_seq}"
    );
    assert!(row_seq <= head_seq_after, "there was the row {row_seq}: the head tells of {head_seq_after}");
    if let (Some(row), Some(log)) = (row, after)
        && row.seq == log.seq()
    {
        assert_eq!(
            (log.last_at(), log.newest.sender),
            (row.at, row.sender),
            "the head is of another message"
        );
        assert_eq!(log.recent.last().map(|recent| recent.id), Some(row.id), "the head is of another message");
    }
}

/// While somebody writes, two look on, each through a handle of its own.
pub(super) async fn no_reader_ever_sees_half_a_commit(store: Store) {
    let mut talk = Talk::new(&store);
    let id = talk.room.id().clone();
    let (writes, written) = watch::channel(());
    let writer = async move {
        for n in 0..60 {
            talk.say(MINJI, if n % 3 == 0 { photo(n) } else { words("말") }).await;
            tokio::task::yield_now().await;
        }
        drop(writes);
    };
    let readers = [0, 1].map(|n| {
        let (store, id, written) = (store.for_racer(n), id.clone(), written.clone());
        async move {
            while written.has_changed().is_ok() {
                nothing_half_is_seen(&store, &id).await;
                tokio::task::yield_now().await;
            }
        }
    });
    let [one, other] = readers.map(FutureExt::boxed);
    race([one, other, writer.boxed()]).await;
    nothing_half_is_seen(&store, &id).await;
}

/// The message, the head, the attachment that is shown, and the place in both lists.
pub(super) async fn an_interrupted_commit_is_stored_whole_or_not_at_all(store: Store) {
    for (kind, before) in [0, 3].into_iter().enumerate() {
        store
            .interrupt(async |scene, interruption| {
                let mut talk = Talk::in_room(&store, room_of_scene(2 * scene + kind), november(23));
                talk.go_on(before).await;
                talk.now = november(24);
                let append = talk.draft(MINJI, photo_in(talk.room.id(), 1));
                let answer = interruption.of(async |store| store.commit(&append).await).await;
                nothing_half_is_seen(&store, talk.room.id()).await;
                let is_done = matches!(answer, Some(Ok(())));
                // What was stored is there, and what was not leaves nothing in the way.
                match commit(&store, &append).await {
                    Ok(()) => assert!(!is_done, "it was stored twice"),
                    Err(MessageStoreError::Conflict | MessageStoreError::AttachmentTaken) => {}
                    Err(error) => panic!("{error:?}"),
                }
                talk.holds(append);
                talk.is_stored().await;
                for member in [Member::A, Member::B] {
                    let email = talk.room.id().email(member);
                    eventually(vec![talk.room.clone()], async || listed(&store, email).await).await;
                }
                is_done
            })
            .await;
    }
}
