//! What a frame's connection decides: whether it is known, and until when it is authenticated.

use std::sync::Arc;
use std::time::Duration;

use chat_domain::ConnectionId;
use chat_wire::{FrameHandler, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, START, assert_error, frame};

const HOUR: Duration = Duration::from_secs(3_600);

fn frames() -> [(Value, Option<&'static str>); 4] {
    [
        (frame(json!({})), Some(ID)),
        (json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": START }), None),
        (json!({ "action": "typing", "receiverEmail": JUNHO }), None),
        (json!({ "action": "ping" }), None),
    ]
}

#[tokio::test]
async fn ping_says_what_time_it_is() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    assert_eq!(
        minji.say(&json!({ "action": "ping" })).await,
        Some(json!({ "type": "pong", "serverTime": START }))
    );
}

#[tokio::test]
async fn a_quiet_ping_is_answered_only_if_something_is_wrong() {
    let chat = Chat::new();
    let mut minji = chat.connect(MINJI).await;
    let quiet = json!({ "action": "ping", "quiet": true });
    assert_eq!(minji.say(&quiet).await, None);
    assert_eq!(minji.say(&json!({ "action": "ping", "quiet": false })).await.unwrap()["type"], "pong");
    chat.ports.connections.delete(&ConnectionId::new(minji.id.as_str())).await.unwrap();
    assert_eq!(minji.say(&quiet).await, None, "it was told already");
    assert_eq!(minji.heard()[0]["code"], "unknownConnection");
    assert!(minji.is_closed());
}

#[tokio::test]
async fn after_the_token_has_expired_no_frame_is_accepted_until_reauth() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.send(JUNHO, "while it lasts").await;
    chat.pass(HOUR);
    for (frame, echoed) in frames() {
        minji.refused(&frame.to_string(), "authExpired", echoed).await;
    }
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
    assert!(!minji.is_closed(), "the connection stays open for reauth");

    let token = chat.token(MINJI);
    let answer = minji.say(&json!({ "action": "reauth", "token": token })).await.unwrap();
    assert_eq!(answer, json!({ "type": "reauth", "expiresAt": "2026-11-23T11:00:00.000Z" }));
    assert_eq!(minji.say(&frame(json!({}))).await.unwrap()["type"], "sent");
}

#[tokio::test]
async fn reauth_with_another_users_token_changes_nothing() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let junhos = json!({ "action": "reauth", "token": chat.token_for(JUNHO, 5 * HOUR) }).to_string();
    minji.refused(&junhos, "unauthorized", None).await;
    assert_eq!(minji.send(JUNHO, "still me").await["type"], "sent");
    chat.pass(HOUR);
    minji.refused(&frame(json!({})).to_string(), "authExpired", Some(ID)).await;
}

#[tokio::test]
async fn reauth_with_an_expired_token_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let token = chat.token_for(MINJI, HOUR);
    chat.pass(HOUR);
    let stale = json!({ "action": "reauth", "token": token }).to_string();
    minji.refused(&stale, "authExpired", None).await;
}

#[tokio::test]
async fn an_expiry_that_another_process_has_moved_is_read_again_before_it_refuses() {
    let chat = Chat::new();
    let other_process = chat_wire::Chat::new(&chat.ports, &Settings::default());
    let minji = chat.connect(MINJI).await;
    minji.send(JUNHO, "now it is remembered").await;
    chat.pass(HOUR);
    let reauth = json!({ "action": "reauth", "token": chat.token(MINJI) }).to_string();
    let call = chat.frame_on(&minji.id, &reauth);
    let answer = other_process.frames.answer(&call.request()).await;
    assert!(answer.is_some_and(|answer| answer.contains(r#""type":"reauth""#)));
    assert_eq!(minji.send(JUNHO, "and goes on").await["seq"], 2);
}

#[rstest]
#[case::never_seen(false)]
#[case::seen_before(true)]
#[tokio::test]
async fn an_unknown_connection_is_told_and_closed_and_gets_no_answer(#[case] remembered: bool) {
    for (frame, echoed) in frames() {
        let chat = Chat::new();
        let mut minji = chat.connect(MINJI).await;
        if remembered {
            minji.send(JUNHO, "now it is remembered").await;
        }
        // As TTL or another process does.
        chat.ports.connections.delete(&ConnectionId::new(minji.id.as_str())).await.unwrap();
        let stored = chat.history(MINJI, JUNHO).await.len();

        let call = chat.frame_on(&minji.id, &frame.to_string());
        assert_eq!(minji.deliver(&call).await, None, "it was told already");
        let told = minji.heard();
        assert_eq!(told.len(), 1, "{frame}");
        assert_eq!(told[0]["type"], "error");
        assert_error(&told[0], "unknownConnection", &call.request_id, echoed);
        assert!(minji.is_closed());
        assert_eq!(chat.history(MINJI, JUNHO).await.len(), stored, "nothing was stored");
    }
}

#[tokio::test]
async fn a_connection_that_is_too_old_to_exist_is_unknown() {
    let chat = Chat::new();
    let mut minji = chat.connect_for(MINJI, 5 * HOUR).await;
    chat.pass(Duration::from_secs(2 * 3_600 + 10 * 60));
    assert_eq!(minji.say(&json!({ "action": "ping" })).await, None);
    assert_eq!(minji.heard()[0]["code"], "unknownConnection");
    assert!(minji.is_closed());
}

#[tokio::test]
async fn a_frame_without_a_connection_is_not_answered() {
    let chat = Chat::new();
    let call = chat.frame_on("", r#"{"action":"ping"}"#);
    assert_eq!(chat.server.frames.answer(&call.request()).await, None);
}

#[tokio::test]
async fn typing_reaches_the_peer_of_a_conversation_and_is_not_answered() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let typing = json!({ "action": "typing", "receiverEmail": JUNHO });
    assert_eq!(minji.say(&typing).await, None);
    assert_eq!(junho.heard(), [] as [Value; 0], "a stranger learns nothing");
    assert!(chat.history(MINJI, JUNHO).await.is_empty());

    minji.send(JUNHO, "hello").await;
    junho.heard();
    assert_eq!(minji.say(&typing).await, None);
    let expected =
        json!({ "type": "typing", "roomId": "junho@example.com#minji@example.com", "senderEmail": MINJI });
    assert_eq!(junho.heard(), [expected]);
}

/// The four handlers are deployed apart: the one that answers frames has not seen the connection come.
#[tokio::test]
async fn a_handler_of_its_own_needs_nothing_but_the_ports() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let identify =
        Arc::new(chat_domain::Identify::new(chat.ports.connections.clone(), chat.ports.pusher.clone()));
    let send = FrameHandler::new(&chat.ports, identify, &Settings::default());
    let call = chat.frame_on(&minji.id, &frame(json!({})).to_string());
    assert!(send.answer(&call.request()).await.is_some());
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
}
