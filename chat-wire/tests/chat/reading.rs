//! `markRead`, and what it makes others see.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Chat, JUNHO, MINJI, ROOM, START};

const NEVER: &str = "9999-12-31T23:59:59.999Z";

fn mark(peer: &str, up_to: &str) -> Value {
    json!({ "action": "markRead", "peerEmail": peer, "upTo": up_to })
}

async fn unread(chat: &Chat, email: &str) -> Value {
    chat.get(email, "/chat/conversations", &[]).await.body["totalUnread"].clone()
}

#[tokio::test]
async fn reading_is_answered_told_to_the_peer_and_seen_in_the_history() {
    let chat = Chat::new();
    let (mut minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let first = minji.send(JUNHO, "one").await;
    minji.send(JUNHO, "two").await;
    assert_eq!(unread(&chat, JUNHO).await, 2);

    let up_to = first["timestamp"].as_str().unwrap();
    let expected = json!({ "type": "read", "roomId": ROOM, "readerEmail": JUNHO, "upTo": up_to });
    assert_eq!(junho.say(&mark(MINJI, up_to)).await, Some(expected.clone()));
    assert_eq!(minji.heard(), [expected]);
    assert_eq!(unread(&chat, JUNHO).await, 1);
    let read: Vec<_> =
        chat.history(MINJI, JUNHO).await.iter().map(|message| message["read"].clone()).collect();
    assert_eq!(read, [false, true]);
}

#[tokio::test]
async fn a_mark_in_the_future_stops_at_the_newest_message() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "one").await;
    assert_eq!(junho.say(&mark(MINJI, NEVER)).await.unwrap()["upTo"], START);
    minji.send(JUNHO, "two").await;
    assert_eq!(unread(&chat, JUNHO).await, 1, "what came later is not read");
}

#[tokio::test]
async fn a_mark_never_moves_back() {
    let chat = Chat::new();
    let (mut minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "one").await;
    chat.pass(Duration::from_secs(5));
    let newest = minji.send(JUNHO, "two").await["timestamp"].clone();
    junho.say(&mark(MINJI, newest.as_str().unwrap())).await;
    minji.heard();
    assert_eq!(junho.say(&mark(MINJI, START)).await.unwrap()["upTo"], newest, "the answer says how it is");
    assert_eq!(minji.heard(), [] as [Value; 0], "nobody is told that nothing changed");
    assert_eq!(unread(&chat, JUNHO).await, 0);
}

#[tokio::test]
async fn nothing_to_read_is_not_answered_and_makes_no_room() {
    let chat = Chat::new();
    let junho = chat.connect(JUNHO).await;
    assert_eq!(junho.say(&mark(MINJI, NEVER)).await, None, "no such room");
    let minji = chat.connect(MINJI).await;
    minji.send(JUNHO, "one").await;
    assert_eq!(junho.say(&mark(MINJI, "2001-01-01T00:00:00.000Z")).await, None, "nothing that early");
    assert_eq!(unread(&chat, JUNHO).await, 1);
    let strangers = chat.get(JUNHO, "/chat/conversations", &[]).await;
    assert_eq!(strangers.body["conversations"].as_array().unwrap().len(), 1);
}
