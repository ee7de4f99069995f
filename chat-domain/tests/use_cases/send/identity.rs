//! Who sends: whoever authenticated on the connection, as long as its row exists and its authentication
//! lasts.

use chat_domain::{ChatError, Connection, ConnectionId, ConnectionStore, Correlation, Event, FrameOrigin};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn whose_a_connection_is_is_read_once() {
    let chat = Chat::new().await;
    for n in 1..=3 {
        chat.send(MINJI_PHONE, to_junho(n, "안녕"), at(0)).await.unwrap();
    }
    assert_eq!(chat.connections.gets(), 1);
    assert!(chat.rows().await.iter().all(|message| message.sender == MINJI));
}

#[tokio::test]
async fn a_connection_without_a_row_is_told_and_closed() {
    let chat = Chat::new().await;
    chat.delete_row(MINJI_PHONE).await;
    let correlation = Correlation { request_id: "request-1".into(), message: Some(id(1)) };
    let origin = FrameOrigin {
        connection: ConnectionId::new(MINJI_PHONE),
        correlation: correlation.clone(),
        now: at(0),
    };

    let refused = chat.here.send_from_connection.execute(&origin, to_junho(1, "안녕")).await;

    assert_refused!(refused, ChatError::UnknownConnection);
    assert_eq!(chat.received(MINJI_PHONE), [Event::UnknownConnection(correlation)]);
    assert!(!chat.is_open(MINJI_PHONE));
    assert_eq!(chat.rows().await, []);
}

#[tokio::test]
async fn a_remembered_connection_whose_row_is_gone_is_told_and_closed() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.delete_row(MINJI_PHONE).await;

    assert_refused!(chat.send(MINJI_PHONE, to_junho(2, "듣니"), at(1)).await, ChatError::UnknownConnection);
    assert!(!chat.is_open(MINJI_PHONE));
    assert_eq!(chat.rows().await.len(), 1, "what is refused is not stored");
    assert_refused!(chat.send(MINJI_PHONE, to_junho(2, "듣니"), at(2)).await, ChatError::UnknownConnection);
}

#[tokio::test]
async fn a_process_remembers_all_who_speak_to_it() {
    let chat = Chat::new().await;
    for turn in 0..2 {
        let now = at(i64::try_from(turn).unwrap());
        chat.send(MINJI_PHONE, to_junho(2 * turn, "안녕"), now).await.unwrap();
        chat.send(JUNHO_PHONE, to_minji(2 * turn + 1, "안녕"), now).await.unwrap();
    }
    assert_eq!(chat.connections.gets(), 2, "once for each of them");
}

#[tokio::test]
async fn a_connection_that_the_index_does_not_list_yet_still_sends() {
    let chat = Chat::new().await;
    chat.connections.hide(MINJI_PHONE);
    chat.send(MINJI_PHONE, to_junho(1, "방금 왔어"), at(0)).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(2, "또 나야"), at(1)).await.unwrap();
    assert_eq!(chat.connections.gets(), 2, "each time the row itself is asked");
    assert_eq!(chat.received(JUNHO_PHONE).len(), 2);
    assert_eq!(chat.received(MINJI_PHONE), []);
}

#[tokio::test]
async fn a_connection_past_its_greatest_age_is_unknown() {
    let chat = Chat::new().await;
    chat.connections
        .stored
        .set_identity_expiry(&ConnectionId::new(MINJI_PHONE), at(100_000_000))
        .await
        .unwrap();
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let two_hours_and_ten_minutes = at(-60_000 + 7_800_000);
    let refused = chat.send(MINJI_PHONE, to_junho(2, "아직 있니"), two_hours_and_ten_minutes).await;
    assert_refused!(refused, ChatError::UnknownConnection);
}

#[tokio::test]
async fn nothing_is_accepted_once_the_authentication_has_expired() {
    let chat = Chat::new().await;
    let last = expiry().previous();
    chat.send(MINJI_PHONE, to_junho(1, "아직"), last).await.unwrap();
    assert_refused!(chat.send(MINJI_PHONE, to_junho(2, "늦었다"), expiry()).await, ChatError::AuthExpired);
    assert_refused!(
        chat.process().send(MINJI_PHONE, to_junho(2, "늦었다"), expiry()).await,
        ChatError::AuthExpired
    );
    assert_eq!(chat.rows().await.len(), 1);
    assert!(chat.is_open(MINJI_PHONE), "it may authenticate anew");
}

#[tokio::test]
async fn an_authentication_extended_by_another_process_is_noticed() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let elsewhere = chat.process().reauthenticate;
    let token = chat.verifier.issue(identity(&minji(), at(7_200_000)), 1);
    elsewhere.execute(&origin(MINJI_PHONE, at(1_000)), &token).await.unwrap();

    chat.send(MINJI_PHONE, to_junho(2, "여전히"), expiry()).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(3, "나야"), expiry()).await.unwrap();
    assert_eq!(chat.connections.gets(), 3, "once for each process, once when the remembered time was up");
}

#[tokio::test]
async fn a_connection_is_only_ever_its_own_users() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let minjis = chat.row(MINJI_PHONE).await.unwrap();
    assert_eq!(minjis.identity.email(), &minji());
    // The gateway never gives an id twice; a stored row would win over what is remembered elsewhere all the
    // same.
    let reused = Connection { identity: identity(&junho(), expiry()), ..minjis };
    chat.connections.stored.put(&reused).await.unwrap();
    let sent = chat.process().send(MINJI_PHONE, to_minji(2, "누구"), at(1)).await.unwrap();
    assert_eq!(sent.seq, 2);
    assert_eq!(chat.rows().await[1].sender, JUNHO);
}
