use super::talk::{Store, Talk, is_absent, room_of_scene, stored_messages, stored_room, words};
use crate::conformance::{JUNHO, MINJI, november};
use crate::{Member, Message, PAGE_MAX, Timestamp};

/// Which messages are marked as read in their rows, by their places.
async fn marked(talk: &Talk) -> Vec<usize> {
    let messages = stored_messages(&talk.store, talk.room.id()).await;
    let unmarked: Vec<_> =
        messages.iter().cloned().map(|message| Message { read: false, ..message }).collect();
    assert_eq!(unmarked, talk.messages, "nothing but `read` ever changes");
    (0..messages.len()).filter(|place| messages[*place].read).collect()
}

async fn noted(talk: &Talk, reader: Member) -> Option<Timestamp> {
    let stored = stored_room(&talk.store, talk.room.id()).await.expect("something was said");
    stored.read_state(reader).rows_marked_to
}

pub(super) async fn marking_rows_sets_exactly_those(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(8).await;
    talk.read(JUNHO, 4).await;
    talk.mark_rows(JUNHO, &talk.times([0, 4]), talk.messages[4].at).await;
    assert_eq!(marked(&talk).await, [0, 4]);
    talk.read(MINJI, 5).await;
    talk.mark_rows(MINJI, &talk.times([1, 3, 5]), talk.messages[5].at).await;
    assert_eq!(marked(&talk).await, [0, 1, 3, 4, 5]);
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), talk.room.log());
}

pub(super) async fn a_full_page_of_rows_is_marked_at_once(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..=PAGE_MAX {
        talk.say(MINJI, words("말")).await;
    }
    talk.read(JUNHO, PAGE_MAX).await;
    talk.mark_rows(JUNHO, &talk.times(0..PAGE_MAX), talk.messages[PAGE_MAX - 1].at).await;
    assert_eq!(marked(&talk).await, Vec::from_iter(0..PAGE_MAX));
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    let last = (Some(talk.messages[PAGE_MAX - 1].at), talk.messages[PAGE_MAX].at);
    assert_eq!(stored.read_state(JUNHO).rows_to_mark(), Some(last));
}

pub(super) async fn marking_rows_that_do_not_exist_creates_none(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 2).await;
    let mut rows = talk.times([0, 2]);
    rows.extend([Timestamp::MIN, rows[0].next(), rows[1].previous(), Timestamp::MAX]);
    talk.mark_rows(JUNHO, &rows, talk.messages[2].at).await;
    assert_eq!(marked(&talk).await, [0, 2], "and those that exist are marked all the same");
}

pub(super) async fn marking_no_rows_still_notes_how_far_it_came(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 3).await;
    talk.mark_rows(JUNHO, &[], talk.messages[1].at).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, Some(talk.messages[1].at));
    assert_eq!(stored.read_state(JUNHO).mark, talk.room.read_state(JUNHO).mark);
    assert_eq!(marked(&talk).await, []);
}

pub(super) async fn marking_rows_of_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    talk.mark_rows(JUNHO, &[november(23)], november(23)).await;
    talk.mark_rows(JUNHO, &[], november(23)).await;
    is_absent(&store, talk.room.id()).await;
}

pub(super) async fn how_far_rows_are_marked_never_moves_back(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    talk.mark_rows(JUNHO, &[], talk.messages[4].at).await;
    // An earlier call that comes late still marks its rows.
    talk.mark_rows(JUNHO, &talk.times([0]), talk.messages[1].at).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, Some(talk.messages[4].at));
    assert_eq!(marked(&talk).await, [0]);
}

pub(super) async fn marking_rows_twice_changes_nothing_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 2).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    let once = stored_room(&store, talk.room.id()).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    assert_eq!(stored_room(&store, talk.room.id()).await, once);
    assert_eq!(marked(&talk).await, [0, 2]);
}

/// Each row is marked that was asked for, but of those past the reader's mark more may come: nothing may be
/// noted.
pub(super) async fn how_far_rows_are_marked_never_passes_the_readers_mark(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.mark_rows(JUNHO, &talk.times([0]), talk.messages[0].at).await;
    assert_eq!(noted(&talk, JUNHO).await, None, "the reader has no mark yet");
    talk.read(JUNHO, 2).await;
    talk.read(MINJI, 5).await;
    for through in [talk.messages[2].at.next(), talk.messages[5].at] {
        talk.mark_rows(JUNHO, &[], through).await;
        assert_eq!(noted(&talk, JUNHO).await, None, "the other's mark does not count");
    }
    talk.mark_rows(JUNHO, &talk.times([2]), talk.messages[2].at).await;
    assert_eq!(noted(&talk, JUNHO).await, Some(talk.messages[2].at));
    assert_eq!(marked(&talk).await, [0, 2]);
}

/// Who reads how far it came does not look at those rows again.
pub(super) async fn an_interrupted_marking_notes_no_row_that_it_did_not_mark(store: Store) {
    store
        .interrupt(async |scene, interruption| {
            let mut talk = Talk::in_room(&store, room_of_scene(scene), november(23));
            talk.go_on(6).await;
            talk.read(JUNHO, 4).await;
            let (rows, through) = (talk.times([0, 2, 4]), talk.messages[4].at);
            let id = talk.room.id();
            let answer =
                interruption.of(async |store| store.mark_rows_read(id, JUNHO, &rows, through).await).await;
            if noted(&talk, JUNHO).await.is_some() {
                assert_eq!(marked(&talk).await, [0, 2, 4], "it was noted that they are marked");
            }
            talk.mark_rows(JUNHO, &rows, through).await;
            assert_eq!(marked(&talk).await, [0, 2, 4]);
            assert_eq!(noted(&talk, JUNHO).await, Some(through));
            matches!(answer, Some(Ok(())))
        })
        .await;
}
