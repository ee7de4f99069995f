use chat_domain::{ChatError, Event};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn a_connection_with_a_row_is_alive() {
    let chat = Chat::new().await;
    chat.here.keep_alive.execute(&origin(MINJI_PHONE, at(0))).await.unwrap();
    assert_eq!(chat.received(MINJI_PHONE), []);
}

#[tokio::test]
async fn a_connection_without_one_is_told_and_closed_although_it_is_remembered() {
    let chat = Chat::new().await;
    chat.here.keep_alive.execute(&origin(MINJI_PHONE, at(0))).await.unwrap();
    chat.delete_row(MINJI_PHONE).await;
    let origin = origin(MINJI_PHONE, at(1));
    assert_refused!(chat.here.keep_alive.execute(&origin).await, ChatError::UnknownConnection);
    assert_eq!(chat.received(MINJI_PHONE), [Event::UnknownConnection(origin.correlation)]);
    assert!(!chat.is_open(MINJI_PHONE));
}

#[tokio::test]
async fn an_expired_authentication_is_said_so() {
    let chat = Chat::new().await;
    let refused = chat.here.keep_alive.execute(&origin(MINJI_PHONE, expiry())).await;
    assert_refused!(refused, ChatError::AuthExpired);
    assert!(chat.is_open(MINJI_PHONE));
}
