use super::talk::{STORED, Store, Talk, is_absent, patiently, stored_room, words};
use crate::conformance::{JUNHO, MINJI, race};
use crate::{Advance, ReadMark};

pub(super) async fn a_mark_moves_forward_and_tells_the_room(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    assert_eq!(talk.room.unread(JUNHO), 3);
    for (place, unread) in [(0, 2), (3, 1), (4, 0)] {
        let Advance::Moved(room) = talk.read(JUNHO, place).await else { panic!("the mark moves") };
        assert_eq!(room.read_up_to(JUNHO), Some(talk.messages[place].at));
        assert_eq!(room.unread(JUNHO), unread);
        assert_eq!(room.log(), talk.room.log());
        talk.is_stored().await;
    }
}

pub(super) async fn a_mark_that_is_there_already_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    talk.read(JUNHO, 1).await;
    assert_eq!(talk.read(JUNHO, 1).await, Advance::Unchanged(talk.room.clone()));
    talk.is_stored().await;
}

pub(super) async fn an_earlier_mark_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    for place in [3, 0] {
        assert_eq!(talk.read(JUNHO, place).await, Advance::Unchanged(talk.room.clone()));
    }
    talk.is_stored().await;
}

pub(super) async fn the_members_marks_are_independent(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    talk.read(MINJI, 1).await;
    assert_eq!(talk.room.read_up_to(JUNHO), Some(talk.messages[4].at));
    assert_eq!(talk.room.read_up_to(MINJI), Some(talk.messages[1].at));
    talk.is_stored().await;
}

pub(super) async fn a_mark_in_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    let message = talk.draft(MINJI, words("이건 저장되지 않는다")).log.newest;
    assert_eq!(talk.advance(JUNHO, ReadMark::at(&message, JUNHO)).await, Advance::NoRoom);
    is_absent(&store, talk.room.id()).await;
}

pub(super) async fn of_racing_marks_the_furthest_stays(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(16).await;
    // The furthest mark starts first. A store that compares first and writes later lets a nearer one replace
    // it.
    race((0..8).rev().map(|n| {
        let (store, id) = (store.for_racer(n), talk.room.id().clone());
        let mark = ReadMark::at(&talk.messages[2 * n as usize], JUNHO);
        async move {
            let advanced = patiently(|| store.advance_read(&id, JUNHO, mark)).await;
            let (Advance::Moved(room) | Advance::Unchanged(room)) = advanced.expect(STORED) else {
                panic!("there is a room");
            };
            assert!(room.read_up_to(JUNHO) >= Some(mark.up_to), "it is there or further afterwards");
        }
    }))
    .await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).mark, Some(ReadMark::at(&talk.messages[14], JUNHO)));
}

/// Such a mark is of a room that was removed since.
pub(super) async fn a_mark_that_counts_more_than_was_sent_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(5).await;
    for (reader, place) in [(JUNHO, 2), (MINJI, 3), (JUNHO, 4)] {
        let mark = ReadMark::at(&talk.messages[place], reader);
        let sent = talk.room.log().expect("something was said").sent[reader.peer()];
        for count in [sent + 1, sent + 100] {
            let advance = talk.advance(reader, ReadMark { count, ..mark }).await;
            assert_eq!(advance, Advance::Unchanged(talk.room.clone()));
        }
        talk.is_stored().await;
        assert!(matches!(talk.read(reader, place).await, Advance::Moved(_)), "what was sent may be read");
    }
    talk.is_stored().await;
}
