use std::sync::Arc;

use tokio::sync::Barrier;

use super::talk::{STORED, Store, Talk, commit, patiently, stored_messages, stored_room, words};
use crate::conformance::{JUNHO, MINJI};
use crate::{Advance, ReadMark};

pub(super) async fn a_commit_leaves_read_states_alone(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    // The message is made from a room that nobody had read.
    let append = talk.draft(MINJI, words("읽었어?"));
    let unread = talk.room.read_state(JUNHO);
    talk.read(JUNHO, 2).await;
    let read = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_ne!(read.read_state(JUNHO), unread);

    commit(&store, &append).await.expect(STORED);
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), Some(&append.log));
    assert_eq!(stored.read_state(JUNHO), read.read_state(JUNHO));
    assert_eq!(stored.read_state(MINJI), read.read_state(MINJI));
}

pub(super) async fn marks_and_commits_that_race_all_happen(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(20).await;
    let marks: Vec<_> = talk.messages.iter().map(|message| ReadMark::at(message, JUNHO)).collect();
    let furthest = marks.last().copied();
    let id = talk.room.id().clone();
    let writer_store = store.for_racer(0);
    let reader_store = store.for_racer(1);
    let start = Arc::new(Barrier::new(2));
    let reader_start = Arc::clone(&start);
    let writer = tokio::spawn(async move {
        talk.store = writer_store;
        start.wait().await;
        // Nobody else writes, so a conflict could only come from the marks.
        talk.go_on(20).await;
        talk
    });
    let reader = tokio::spawn(async move {
        reader_start.wait().await;
        for mark in marks {
            let moved = patiently(|| reader_store.advance_read(&id, JUNHO, mark)).await.expect(STORED);
            assert!(matches!(moved, Advance::Moved(_)), "the only reader moves on each time");
        }
    });
    let talk = writer.await.expect("no commit conflicts with a mark");
    reader.await.expect("no mark fails because of a commit");

    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), talk.room.log());
    assert_eq!(stored.read_state(JUNHO).mark, furthest);
    assert_eq!(stored_messages(&store, talk.room.id()).await, talk.messages);
}
