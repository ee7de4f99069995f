use std::sync::Arc;

use chat_domain::{ChatError, Event, Identify, KeepAlive, LimitFrames, RequestRate};

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

/// A process that has not heard of the chat's connections yet.
fn new_process(chat: &Chat) -> (LimitFrames, KeepAlive) {
    let identify = Arc::new(Identify::new(chat.connections.port(), chat.pushes.port()));
    let limit = LimitFrames::new(
        RequestRate::default(),
        identify.clone(),
        chat.users.clone(),
        chat.connections.port(),
        chat.pushes.port(),
    );
    (limit, KeepAlive::new(identify))
}

/// Whose a frame is has to be known before it is admitted. Whoever handles it takes what was read for that.
#[tokio::test]
async fn a_frame_reads_its_connection_once_and_each_later_one_anew() {
    let chat = Chat::new().await;
    let (limit, keep_alive) = new_process(&chat);
    let before = chat.connections.gets();
    for (frame, reads) in [(at(0), 1), (at(1), 2), (at(1), 3)] {
        let origin = origin(MINJI_PHONE, frame);
        limit.execute(&origin).await.unwrap();
        keep_alive.execute(&origin).await.unwrap();
        assert_eq!(chat.connections.gets() - before, reads);
    }
}

#[tokio::test]
async fn what_was_read_for_one_frame_says_nothing_of_a_later_one() {
    let chat = Chat::new().await;
    let (limit, keep_alive) = new_process(&chat);
    let first = origin(MINJI_PHONE, at(0));
    limit.execute(&first).await.unwrap();
    chat.delete_row(MINJI_PHONE).await;
    let mut second = first;
    second.correlation.request_id = "another request".to_owned();
    assert_refused!(keep_alive.execute(&second).await, ChatError::UnknownConnection);
}
