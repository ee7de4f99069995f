//! However many connections a user has, an event becomes a bounded number of pushes.

use chat_domain::{CONNECTIONS_MAX, Deliveries, Email, PUSHES_MAX, SendOutcome};

use crate::chat::*;

/// Opens so many connections of Junho's, a millisecond apart, oldest first, as many handlers at once would.
async fn open_at_once(chat: &Chat, count: usize, from_ms: i64) -> Vec<String> {
    open_of(chat, &junho(), count, from_ms).await
}

async fn open_of(chat: &Chat, user: &Email, count: usize, from_ms: i64) -> Vec<String> {
    let mut opened = Vec::new();
    for n in 0..count {
        let device = format!("tab-of-{}-{from_ms}-{n}", user.tag());
        chat.open(&device, user, at(from_ms + n as i64)).await;
        opened.push(device);
    }
    opened
}

async fn minji_sends(chat: &Chat, number: u128, now_ms: i64) -> Deliveries {
    match chat.send(MINJI_PHONE, to_junho(number, "안녕"), at(now_ms)).await.unwrap().outcome {
        SendOutcome::Stored { deliveries, .. } => deliveries,
        SendOutcome::Duplicate => panic!("message {number} is new"),
    }
}

#[tokio::test]
async fn a_message_is_pushed_to_the_twenty_newest_connections_and_closes_the_next_twenty() {
    let chat = Chat::without_devices(no_limit());
    chat.open(MINJI_PHONE, &minji(), at(0)).await;
    let tabs = open_at_once(&chat, 3 * CONNECTIONS_MAX, 0).await;

    let told = minji_sends(&chat, 1, 1_000).await;

    assert_eq!(told, Deliveries { taken: CONNECTIONS_MAX, gone: 0, failed: 0 });
    let (oldest, newer) = tabs.split_at(CONNECTIONS_MAX);
    let (beyond, newest) = newer.split_at(CONNECTIONS_MAX);
    for tab in newest {
        assert_eq!(chat.received(tab).len(), 1, "{tab}");
    }
    assert!(beyond.iter().all(|tab| !chat.is_open(tab)), "those without a place are closed");
    assert!(oldest.iter().all(|tab| chat.is_open(tab)), "one event closes a bounded number");
    for tab in oldest {
        assert_eq!(chat.received(tab), [], "{tab}");
    }
}

#[tokio::test]
async fn every_kind_of_event_has_twenty_places() {
    let chat = Chat::without_devices(no_limit());
    chat.open(MINJI_PHONE, &minji(), at(0)).await;
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    open_at_once(&chat, 2 * CONNECTIONS_MAX, 0).await;
    let typing = chat.here.typing.execute(&origin(MINJI_PHONE, at(1_000)), &junho()).await.unwrap();
    assert_eq!(typing.taken, CONNECTIONS_MAX);

    open_at_once(&chat, 2 * CONNECTIONS_MAX, 2_000).await;
    let marked = chat.minji_reads(at(0), at(3_000)).await.unwrap().unwrap();
    assert_eq!(marked.deliveries.taken, CONNECTIONS_MAX);
}

/// Which of these were pushed to, by their places.
fn told(chat: &Chat, devices: &[String]) -> Vec<usize> {
    let heard = devices.iter().enumerate().filter(|(_, device)| !chat.received(device).is_empty());
    heard.map(|(place, _)| place).collect()
}

#[rstest::rstest]
#[case::both_as_many_as_they_may_have(19, 20, 10, 10)]
#[case::a_receiver_with_as_many_as_they_may_have(1, 20, 1, 19)]
#[case::a_sender_with_as_many_as_they_may_have(19, 3, 17, 3)]
#[case::ten_each(10, 10, 10, 10)]
#[case::one_more_than_there_are_places(11, 10, 10, 10)]
#[tokio::test]
async fn a_message_is_pushed_to_twenty_in_all_and_the_newest_of_each_come_first(
    #[case] own: usize,
    #[case] theirs: usize,
    #[case] own_told: usize,
    #[case] theirs_told: usize,
) {
    let chat = Chat::without_devices(no_limit());
    let others = open_of(&chat, &minji(), own, 0).await;
    let of_junho = open_at_once(&chat, theirs, 500).await;
    // The connection that a message comes from is not pushed to, and takes nobody's place.
    chat.open(MINJI_PHONE, &minji(), at(900)).await;

    let deliveries = minji_sends(&chat, 1, 1_000).await;

    assert_eq!(deliveries, Deliveries { taken: own_told + theirs_told, gone: 0, failed: 0 });
    assert!(deliveries.taken <= PUSHES_MAX);
    assert_eq!(told(&chat, &others), (own - own_told..own).collect::<Vec<_>>());
    assert_eq!(told(&chat, &of_junho), (theirs - theirs_told..theirs).collect::<Vec<_>>());
    let all = || others.iter().chain(&of_junho);
    assert!(all().all(|device| chat.is_open(device)), "nobody loses a connection for want of a push");
}

#[tokio::test]
async fn a_read_mark_is_pushed_to_twenty_in_all_too() {
    let chat = Chat::without_devices(no_limit());
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    open_of(&chat, &minji(), CONNECTIONS_MAX - 1, 0).await;
    open_at_once(&chat, CONNECTIONS_MAX, 500).await;
    chat.open(MINJI_PHONE, &minji(), at(900)).await;
    let marked = chat.minji_reads(at(0), at(1_000)).await.unwrap().unwrap();
    assert_eq!(marked.deliveries.taken, PUSHES_MAX);
}

#[tokio::test]
async fn what_a_wrong_clock_has_dated_ahead_takes_no_place() {
    let chat = Chat::without_devices(no_limit());
    chat.open(MINJI_PHONE, &minji(), at(0)).await;
    let ahead = open_at_once(&chat, CONNECTIONS_MAX, 120_000).await;
    chat.open(JUNHO_PHONE, &junho(), at(0)).await;

    let told = minji_sends(&chat, 1, 1_000).await;

    assert_eq!(told.taken, CONNECTIONS_MAX);
    assert_eq!(chat.received(JUNHO_PHONE).len(), 1);
    let (beyond, told) = ahead.split_first().unwrap();
    assert!(!chat.is_open(beyond) && told.iter().all(|device| chat.is_open(device)));
}

#[tokio::test]
async fn a_connection_without_a_place_may_still_send() {
    let chat = Chat::without_devices(no_limit());
    let tabs = open_at_once(&chat, CONNECTIONS_MAX + 1, 0).await;
    let sent = chat.send(&tabs[0], to_minji(1, "안녕"), at(1_000)).await.unwrap();
    assert_eq!(sent.seq, 1);
    assert_eq!(chat.row(&tabs[0]).await.unwrap().identity.email(), &junho());
}
