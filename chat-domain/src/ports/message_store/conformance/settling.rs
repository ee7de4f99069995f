use super::talk::{STORED, Store, Talk};
use crate::{Consistency, PageRange, Timestamp};

pub(super) async fn what_was_committed_is_in_every_page_settled_or_not(store: Store) {
    let mut talk = Talk::new(&store);
    for turn in 0..6 {
        talk.store = store.for_racer(turn);
        talk.go_on(1).await;
        if turn % 3 == 1 {
            talk.store.settle(&talk.messages[turn as usize]).await.expect(STORED);
        }
        for range in [PageRange::Newest, PageRange::Oldest, PageRange::After(Timestamp::MIN)] {
            talk.has_the_page(range, 50).await;
            talk.has_the_page(range, 2).await;
        }
        talk.has_the_page(PageRange::Before(talk.messages[turn as usize].at), 50).await;
    }
}

pub(super) async fn who_is_about_to_commit_reads_the_same_room(store: Store) {
    let mut talk = Talk::new(&store);
    for turn in 0..4 {
        talk.store = store.for_racer(turn);
        let stored = talk.store.room_for_commit(talk.room.id(), Consistency::Strong).await.expect(STORED);
        let expected = (talk.room.seq() > 0).then(|| talk.room.clone());
        assert_eq!(stored, expected);
        talk.go_on(1).await;
    }
}

pub(super) async fn settling_changes_nothing_that_is_read(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    talk.read(crate::conformance::JUNHO, 0).await;
    // The messages as they were when they were sent, in another order, and twice.
    for place in [2, 0, 1, 0, 2] {
        store.settle(&talk.messages[place]).await.expect(STORED);
        talk.is_stored().await;
    }
}
