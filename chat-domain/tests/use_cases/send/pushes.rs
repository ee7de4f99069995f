//! A push is a hint: what becomes of it never changes what becomes of the message.

use chat_domain::{Deliveries, PushError, SendOutcome, Sent};

use crate::chat::*;

fn deliveries(sent: &Sent) -> Deliveries {
    match sent.outcome {
        SendOutcome::Stored { deliveries, .. } => deliveries,
        SendOutcome::Duplicate => panic!("it was there already"),
    }
}

#[tokio::test]
async fn a_settled_connection_that_is_gone_loses_its_row_and_no_other_does() {
    let chat = Chat::new().await;
    chat.vanish(JUNHO_PHONE);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!(deliveries(&sent), Deliveries { taken: 2, gone: 1, failed: 0 });
    assert_eq!(chat.row(JUNHO_PHONE).await, None);
    for device in [MINJI_PHONE, MINJI_LAPTOP, JUNHO_LAPTOP] {
        assert!(chat.row(device).await.is_some(), "{device}");
    }
    let sent = chat.send(MINJI_PHONE, to_junho(2, "또 안녕"), at(1)).await.unwrap();
    assert_eq!(deliveries(&sent), Deliveries { taken: 2, gone: 0, failed: 0 });
}

#[rstest::rstest]
#[case::just_now(0, true)]
#[case::half_a_minute_ago(30_000, true)]
#[case::more_than_half_a_minute_ago(30_001, false)]
#[tokio::test]
async fn a_connection_that_may_still_be_opening_keeps_its_row(#[case] age_ms: i64, #[case] keeps: bool) {
    let chat = Chat::new().await;
    chat.open("junho-tablet", &junho(), at(-age_ms)).await;
    chat.vanish("junho-tablet");
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!(deliveries(&sent), Deliveries { taken: 3, gone: 1, failed: 0 });
    assert_eq!(chat.row("junho-tablet").await.is_some(), keeps);
}

#[tokio::test]
async fn what_an_outdated_list_says_of_its_age_deletes_no_row() {
    let chat = Chat::new().await;
    let was = chat.row(JUNHO_PHONE).await.unwrap();
    chat.open(JUNHO_PHONE, &junho(), at(-1_000)).await;
    chat.connections.list_as_it_was(was);
    chat.vanish(JUNHO_PHONE);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!(deliveries(&sent).gone, 1);
    assert!(chat.row(JUNHO_PHONE).await.is_some());
}

#[rstest::rstest]
#[case::throttled(|| PushError::Throttled)]
#[case::unavailable(|| PushError::Unavailable { operation: "push", source: "timed out".into() })]
#[case::too_large(|| PushError::TooLarge)]
#[case::forbidden(|| PushError::Forbidden { operation: "push", source: "no permission".into() })]
#[tokio::test]
async fn any_other_failure_keeps_the_row_and_the_ack(#[case] error: fn() -> PushError) {
    let chat = Chat::new().await;
    chat.pushes.fail(JUNHO_PHONE, error);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!(deliveries(&sent), Deliveries { taken: 2, gone: 0, failed: 1 });
    assert!(chat.row(JUNHO_PHONE).await.is_some());
    assert_eq!(chat.received(JUNHO_LAPTOP).len(), 1);
}

#[tokio::test]
async fn a_message_is_stored_and_acknowledged_when_nobody_can_be_listed() {
    let chat = Chat::new().await;
    chat.connections.fail_to_list();
    for n in 1..=2 {
        let sent = chat.send(MINJI_PHONE, to_junho(n.into(), "안녕"), at(0)).await.unwrap();
        assert_eq!((sent.seq, deliveries(&sent)), (n, Deliveries::default()));
    }
    assert_eq!(chat.rows().await.len(), 2);
}

#[tokio::test]
async fn a_message_to_nobody_who_is_connected_is_stored() {
    let chat = Chat::new().await;
    for device in [JUNHO_PHONE, JUNHO_LAPTOP] {
        chat.delete_row(device).await;
    }
    let sent = chat.send(MINJI_PHONE, to_junho(1, "나중에 봐"), at(0)).await.unwrap();
    assert_eq!(deliveries(&sent).taken, 1, "the sender's other device");
    assert_eq!(chat.room().await.unread(JUNHO), 1);
}
