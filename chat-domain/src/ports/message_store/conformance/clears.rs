use super::talk::{STORED, Store, Talk, is_absent, patiently, stored_room, words};
use crate::conformance::{JUNHO, MINJI, race};
use crate::{Room, Timestamp};

async fn clear(talk: &Talk, place: usize) -> Option<Timestamp> {
    let up_to = talk.messages[place].at;
    patiently(|| talk.store.clear(talk.room.id(), JUNHO, up_to)).await.expect(STORED)
}

async fn stored(talk: &Talk) -> Room {
    stored_room(&talk.store, talk.room.id()).await.expect("something was said")
}

pub(super) async fn clearing_changes_nothing_else(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 2).await;
    let up_to = talk.messages[4].at;
    assert_eq!(clear(&talk, 4).await, Some(up_to));
    let cleared = stored(&talk).await;
    assert_eq!(cleared.read_state(JUNHO), talk.room.read_state(JUNHO).cleared(up_to));
    assert_eq!(cleared.read_state(MINJI), talk.room.read_state(MINJI));
    assert_eq!(cleared.log(), talk.room.log());
    assert_eq!(cleared.unread(JUNHO), talk.room.unread(JUNHO), "nothing was read");
}

pub(super) async fn reading_and_sending_leave_what_is_cleared_alone(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    let append = talk.draft(MINJI, words("안 보여?"));
    clear(&talk, 3).await;
    talk.read(JUNHO, 0).await;
    super::talk::commit(&store, &append).await.expect(STORED);
    assert_eq!(stored(&talk).await.read_state(JUNHO).cleared_to, Some(talk.messages[3].at));
}

pub(super) async fn an_earlier_clear_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    let up_to = talk.messages[2].at;
    for place in [2, 0, 2] {
        assert_eq!(clear(&talk, place).await, Some(up_to), "it says how far it is");
        assert_eq!(stored(&talk).await.read_state(JUNHO).cleared_to, Some(up_to));
    }
}

pub(super) async fn a_clear_in_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    let cleared = patiently(|| store.clear(talk.room.id(), JUNHO, talk.now)).await.expect(STORED);
    assert_eq!(cleared, None);
    is_absent(&store, talk.room.id()).await;
}

pub(super) async fn of_racing_clears_the_furthest_stays(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(8).await;
    race((0..8).rev().map(|n| {
        let (store, id, up_to) = (store.for_racer(n), talk.room.id().clone(), talk.messages[n as usize].at);
        async move {
            let cleared = patiently(|| store.clear(&id, JUNHO, up_to)).await.expect(STORED);
            assert!(cleared >= Some(up_to), "it is there or further afterwards");
        }
    }))
    .await;
    assert_eq!(stored(&talk).await.read_state(JUNHO).cleared_to, Some(talk.messages[7].at));
}
