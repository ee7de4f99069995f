use std::sync::Arc;

use chat_domain::{ChatError, ConnectionId, ConnectionStoreError, Disconnect, MockConnectionStore};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn only_its_own_row_goes() {
    let chat = Chat::new().await;
    chat.here.disconnect.execute(&ConnectionId::new(MINJI_PHONE)).await.unwrap();
    assert_eq!(chat.row(MINJI_PHONE).await, None);
    for device in [MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
        assert!(chat.row(device).await.is_some(), "{device}");
    }
}

#[tokio::test]
async fn twice_is_as_good_as_once() {
    let chat = Chat::new().await;
    for _ in 0..2 {
        chat.here.disconnect.execute(&ConnectionId::new(MINJI_PHONE)).await.unwrap();
    }
}

#[tokio::test]
async fn a_frame_that_comes_late_is_from_an_unknown_connection() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.here.disconnect.execute(&ConnectionId::new(MINJI_PHONE)).await.unwrap();
    assert_refused!(chat.send(MINJI_PHONE, to_junho(2, "늦었다"), at(1)).await, ChatError::UnknownConnection);
}

#[tokio::test]
async fn a_frame_that_comes_late_is_unknown_although_the_index_still_lists_its_connection() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.connections.list_as_it_was(chat.row(MINJI_PHONE).await.unwrap());
    chat.here.disconnect.execute(&ConnectionId::new(MINJI_PHONE)).await.unwrap();
    assert_refused!(chat.send(MINJI_PHONE, to_junho(2, "늦었다"), at(1)).await, ChatError::UnknownConnection);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut connections = MockConnectionStore::new();
    connections.expect_delete().returning(|_| Err(ConnectionStoreError::Throttled { operation: "delete" }));
    let disconnect = Disconnect::new(Arc::new(connections));
    assert_refused!(disconnect.execute(&ConnectionId::new(MINJI_PHONE)).await, ChatError::Unavailable { .. });
}
