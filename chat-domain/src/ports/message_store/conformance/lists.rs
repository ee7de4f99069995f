use std::cmp::Reverse;

use super::talk::{STORED, Store, Talk, listed};
use crate::conformance::{JUNHO, email, eventually, junho, minji, november, room};
use crate::{Activity, Email, Room, RoomsPage};

/// Minji's list goes on after a place with exactly this page.
async fn goes_on_with(store: &Store, place: Activity, page: RoomsPage) {
    eventually(page, async || store.rooms_of(&minji(), Some(place)).await.expect(STORED)).await;
}

fn place_of(room: &Room) -> Activity {
    room.activity().expect("a stored room has messages")
}

pub(super) async fn a_stranger_has_no_rooms(store: Store) {
    Talk::new(&store).go_on(2).await;
    // The last two are the end of one member's address and the beginning of the other's.
    for stranger in ["seoyeon@example.com", "minji@example.com.kr", "inji@example.com", "junho@example.co"] {
        let stranger = email(stranger);
        assert_eq!(
            store.rooms_of(&stranger, None).await.expect(STORED),
            RoomsPage { rooms: vec![], next: None }
        );
    }
}

pub(super) async fn both_members_list_the_room_as_it_is(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    talk.read(JUNHO, 2).await;
    for user in [minji(), junho()] {
        eventually(vec![talk.room.clone()], async || listed(&store, &user).await).await;
    }
}

/// Peers whose addresses sort before and after Minji's: she is member A of some rooms and member B of others.
fn peer(n: usize) -> Email {
    let first = if n.is_multiple_of(2) { 'a' } else { 'z' };
    email(&format!("{first}{n:03}@example.com"))
}

/// One room of Minji's for each day given, latest activity first.
async fn rooms_on(store: &Store, days: impl IntoIterator<Item = u8>) -> Vec<Talk> {
    let mut talks = Vec::new();
    for (n, day) in days.into_iter().enumerate() {
        let mut talk = Talk::in_room(store, room(&minji(), &peer(n)), november(day));
        talk.go_on(1).await;
        talks.push(talk);
    }
    talks.sort_by_key(|talk| Reverse(place_of(&talk.room)));
    talks
}

fn rooms_of(talks: &[Talk]) -> Vec<Room> {
    talks.iter().map(|talk| talk.room.clone()).collect()
}

pub(super) async fn every_room_of_three_pages_is_listed_once_latest_activity_first(store: Store) {
    let talks = rooms_on(&store, (0..250_u8).map(|n| 20 + n % 5)).await;
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
}

pub(super) async fn a_room_moves_up_when_a_message_comes_on_a_later_day(store: Store) {
    let mut talks = rooms_on(&store, [20, 21, 22]).await;
    let mut oldest = talks.pop().expect("there are three");
    oldest.now = november(23);
    oldest.go_on(1).await;
    let peer_lists = vec![oldest.room.clone()];
    let peer = oldest.room.id().member(&minji()).expect("she is a member").peer();
    let peer = oldest.room.id().email(peer).clone();
    talks.insert(0, oldest);
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
    // A page may be sorted after it was read; a place tells where the room really stands.
    for (place, talk) in talks.iter().enumerate() {
        let rest = RoomsPage { rooms: rooms_of(&talks[place + 1..]), next: None };
        goes_on_with(&store, place_of(&talk.room), rest).await;
    }
    eventually(peer_lists, async || listed(&store, &peer).await).await;
}

pub(super) async fn a_message_on_the_same_day_moves_no_room(store: Store) {
    let mut talks = rooms_on(&store, [20, 20, 20]).await;
    for place in [2, 0, 1] {
        talks[place].go_on(1).await;
        eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
    }
}

pub(super) async fn a_list_goes_on_after_a_place_that_is_gone(store: Store) {
    let mut talks = rooms_on(&store, [20, 20, 21, 22]).await;
    let gone = place_of(&talks[1].room);
    talks[1].now = november(23);
    talks[1].go_on(1).await;
    let moved = talks.remove(1);
    talks.insert(0, moved);
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;

    let rest = RoomsPage { rooms: rooms_of(&talks[2..]), next: None };
    goes_on_with(&store, gone, rest).await;
    let nowhere = RoomsPage { rooms: vec![], next: None };
    let last = place_of(&talks[3].room);
    goes_on_with(&store, last, nowhere).await;
}
