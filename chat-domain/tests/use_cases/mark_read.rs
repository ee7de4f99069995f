use chat_domain::{ChatError, Deliveries, Event, Marked, SendOutcome, Timestamp};

use crate::assert_refused;
use crate::chat::*;

fn read_up_to(at: Timestamp) -> Event {
    Event::Read { room: their_room(), reader: minji(), up_to: at }
}

fn none_told(up_to: Timestamp) -> Option<Marked> {
    Some(Marked { room: their_room(), reader: minji(), up_to, deliveries: Deliveries::default() })
}

#[tokio::test]
async fn the_peer_and_the_readers_other_device_are_told_once() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    let marked = chat.minji_reads(at(2_000), at(5_000)).await.unwrap().unwrap();
    let deliveries = Deliveries { taken: 3, gone: 0, failed: 0 };
    assert_eq!(marked, Marked { room: their_room(), reader: minji(), up_to: at(2_000), deliveries });
    for device in [MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
        assert_eq!(chat.received(device), [read_up_to(at(2_000))], "{device}");
    }
    assert_eq!(chat.received(MINJI_PHONE), []);

    assert_eq!(chat.minji_reads(at(2_000), at(6_000)).await.unwrap(), none_told(at(2_000)));
    assert_eq!(chat.received(JUNHO_PHONE), []);
}

#[tokio::test]
async fn what_is_unread_is_counted_exactly() {
    let chat = Chat::new().await;
    for n in 0..10 {
        let sender = if n % 3 == 0 { MINJI } else { JUNHO };
        chat.write(sender, n, "말", at(n as i64)).await;
    }
    assert_eq!((chat.room().await.unread(MINJI), chat.room().await.unread(JUNHO)), (6, 4));
    for (up_to, unread) in [(0, 6), (1, 5), (2, 4), (3, 4), (7, 1), (9, 0)] {
        chat.minji_reads(at(up_to), at(100)).await.unwrap();
        assert_eq!(chat.room().await.unread(MINJI), unread, "up to {up_to}");
    }
    assert_eq!(chat.room().await.unread(JUNHO), 4, "nobody reads for somebody else");
}

#[tokio::test]
async fn nothing_that_early_moves_nothing() {
    let chat = Chat::new().await;
    assert_eq!(chat.minji_reads(at(0), at(0)).await.unwrap(), None);
    assert_eq!(chat.rows().await, [], "and begins no room");
    assert_eq!(chat.room().await.log(), None);

    chat.junho_writes(1, at(1_000)).await;
    assert_eq!(chat.minji_reads(at(999), at(5_000)).await.unwrap(), None);
    assert_eq!(chat.room().await.read_up_to(MINJI), None);
    assert_eq!(chat.received(JUNHO_PHONE), []);
}

#[tokio::test]
async fn a_time_between_messages_means_the_one_before() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    assert_eq!(chat.minji_reads(at(1_500), at(5_000)).await.unwrap().unwrap().up_to, at(1_000));
}

#[rstest::rstest]
#[case::tomorrow(at(86_400_000))]
#[case::the_end_of_time(Timestamp::MAX)]
#[tokio::test]
async fn the_future_means_the_newest_message(#[case] up_to: Timestamp) {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    assert_eq!(chat.minji_reads(up_to, at(5_000)).await.unwrap().unwrap().up_to, at(2_000));
    chat.write(JUNHO, 1, "하나 더", at(9_000)).await;
    assert_eq!(chat.room().await.unread(MINJI), 1, "what came later is not read");
}

#[tokio::test]
async fn a_mark_never_moves_back_and_nobody_is_told() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    chat.minji_reads(at(2_000), at(5_000)).await.unwrap();
    chat.received(JUNHO_PHONE);
    assert_eq!(chat.minji_reads(at(0), at(6_000)).await.unwrap(), none_told(at(2_000)));
    assert_eq!(chat.room().await.unread(MINJI), 0);
    assert_eq!(chat.received(JUNHO_PHONE), []);
}

#[tokio::test]
async fn a_mark_and_a_message_at_the_same_time_both_count() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    // The head that Junho's send decides by is from before Minji reads.
    chat.messages.freeze().await;
    chat.minji_reads(at(2_000), at(5_000)).await.unwrap();
    let sent = chat.send(JUNHO_PHONE, to_minji(1, "하나 더"), at(5_000)).await.unwrap();
    assert!(matches!(sent.outcome, SendOutcome::Stored { retries: 0, .. }), "{sent:?}");
    let room = chat.room().await;
    assert_eq!((room.read_up_to(MINJI), room.unread(MINJI)), (Some(at(2_000)), 1));
}

#[tokio::test]
async fn a_mark_counts_although_nobody_can_be_told() {
    let chat = Chat::new().await;
    chat.junho_writes(1, at(0)).await;
    chat.connections.fail_to_list();
    assert_eq!(chat.minji_reads(at(0), at(1)).await.unwrap(), none_told(at(0)));
    assert_eq!(chat.room().await.unread(MINJI), 0);
}

#[tokio::test]
async fn who_may_not_send_may_not_read() {
    let chat = Chat::new().await;
    chat.junho_writes(1, at(0)).await;
    assert_refused!(chat.minji_reads(at(0), expiry()).await, ChatError::AuthExpired);
    let alone = chat.here.mark_read.execute(&origin(MINJI_PHONE, at(1)), &minji(), at(0)).await;
    assert_refused!(alone, ChatError::SelfChat);
    chat.delete_row(MINJI_PHONE).await;
    assert_refused!(chat.minji_reads(at(0), at(1)).await, ChatError::UnknownConnection);
    assert_eq!(chat.room().await.unread(MINJI), 1);
}
