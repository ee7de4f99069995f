use chat_domain::{ChatError, Deliveries, Event};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn only_the_receiver_is_told() {
    let chat = Chat::new().await;
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    let told = chat.here.typing.execute(&origin(MINJI_PHONE, at(1)), &junho()).await.unwrap();
    assert_eq!(told, Deliveries { taken: 2, gone: 0, failed: 0 });
    let event = Event::Typing { room: their_room(), sender: minji() };
    for device in [JUNHO_PHONE, JUNHO_LAPTOP] {
        assert_eq!(chat.received(device), std::slice::from_ref(&event), "{device}");
    }
    for device in [MINJI_PHONE, MINJI_LAPTOP] {
        assert_eq!(chat.received(device), [], "{device}");
    }
    assert_eq!(chat.rows().await.len(), 1, "nothing is stored");
}

#[tokio::test]
async fn a_stranger_tells_nobody_and_learns_nothing() {
    let chat = Chat::new().await;
    let told = chat.here.typing.execute(&origin(MINJI_PHONE, at(1)), &junho()).await.unwrap();
    assert_eq!(told, Deliveries::default());
    assert_eq!(chat.received(JUNHO_PHONE), []);
    assert_eq!(chat.room().await.log(), None, "no room is begun");
}

#[tokio::test]
async fn who_may_not_send_may_not_type() {
    let chat = Chat::new().await;
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    let alone = chat.here.typing.execute(&origin(MINJI_PHONE, at(1)), &minji()).await;
    assert_refused!(alone, ChatError::SelfChat);
    let late = chat.here.typing.execute(&origin(MINJI_PHONE, expiry()), &junho()).await;
    assert_refused!(late, ChatError::AuthExpired);
    chat.delete_row(MINJI_PHONE).await;
    let unknown = chat.here.typing.execute(&origin(MINJI_PHONE, at(1)), &junho()).await;
    assert_refused!(unknown, ChatError::UnknownConnection);
    assert_eq!(chat.received(JUNHO_PHONE), []);
}
