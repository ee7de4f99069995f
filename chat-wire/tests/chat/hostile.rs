//! What somebody tries who is blocked, who asks too much of a stranger, whose room it is not: by every action
//! and every route of the table, so that a new one is tried as well. The other one sees and hears nothing of
//! it.

use std::sync::Arc;

use chat_adapters_memory::{MemoryMessageStore, NoBackoff};
use chat_domain::{AttachmentKey, EraseUser, ImageFacts, ImageType, Member, RoomId};
use chat_wire::Settings;
use chat_wire::table::{ACTIONS, ROUTES, Route};
use http::header::AUTHORIZATION;
use rstest::rstest;
use serde_json::{Value, json};

use crate::proposals::proposal;
use crate::support::*;

const MINA: &str = "mina@example.com";
const LONG_AFTER: &str = "9999-12-31T23:59:59.999Z";

/// A frame with every field that any action reads.
pub(crate) fn every_field(action: &str, peer: &str, at: &Value, own_at: &Value, token: &str) -> Value {
    json!({
        "action": action, "receiverEmail": peer, "peerEmail": peer, "message": "나 아직 있어",
        "clientMessageId": OTHER_ID, "upTo": LONG_AFTER, "timestamps": [at], "reason": "그냥", "token": token,
        "target": own_at, "emoji": ["👍"],
    })
}

/// Calls a route with every parameter that any route reads.
async fn call(chat: &Chat, email: &str, route: &Route, peer: &str, key: &str) -> Answer {
    let mut call = chat.rest_call(route.method.clone(), route.resource);
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", chat.token(email)));
    call.path_parameters = [("key".to_owned(), key.to_owned())].into();
    if route.method == http::Method::GET {
        call.query = query(&[("with", peer), ("q", "안녕")]);
    } else {
        let body = picture(json!({
            "with": peer, "receiverEmail": peer, "clientMessageId": OTHER_ID, "proposal": proposal(json!({})),
        }));
        call.body = Some(body.to_string());
    }
    chat.rest(call).await
}

/// All that somebody is shown of their conversations.
async fn shown_to(chat: &Chat, viewer: &str, peer: &str) -> Value {
    let list = chat.get(viewer, "/chat/conversations", &[]).await.body;
    let page = chat.get(viewer, "/chat/history", &[("with", peer)]).await.body;
    let blocked = chat.get(viewer, "/chat/blocked", &[]).await.body;
    json!([list, page, blocked])
}

/// How the two stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// Both have written, so nothing between them is a request.
    Friends,
    /// Junho has blocked Minji, with whom he had talked.
    Blocked,
    /// Minji has sent Junho as many messages as a request takes.
    FullRequest,
}

struct Stage<'a> {
    minji: Socket<'a>,
    junho: Socket<'a>,
    /// When a message of Junho's was stored, or of Minji's where there is none.
    at: Value,
    /// When a message of Minji's was stored.
    own_at: Value,
    /// When Junho proposed a match.
    proposed_at: Value,
    /// A picture that Minji may have uploaded.
    image: Value,
}

async fn stage(chat: &Chat, between: Between) -> Stage<'_> {
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let own_at = minji.send(JUNHO, "안녕하세요").await["timestamp"].clone();
    let mut at = own_at.clone();
    let room = RoomId::new(&MINJI.parse().unwrap(), &JUNHO.parse().unwrap()).unwrap();
    let facts = ImageFacts::new(ImageType::Png, 1_000, 16, 9).unwrap();
    let made_up = AttachmentKey::mint(&room, Member::B, facts, 7).to_string();
    let mut image = picture(json!({ "key": made_up }));
    let mut proposed_at = json!(START);
    if between == Between::FullRequest {
        for _ in 1..10 {
            minji.send(JUNHO, "저기요").await;
        }
    } else {
        at = junho.send(MINJI, "네").await["timestamp"].clone();
        image = chat.upload(MINJI, JUNHO).await;
        let asked = json!({ "receiverEmail": MINJI, "clientMessageId": ID, "proposal": proposal(json!({})) });
        proposed_at = chat.post(JUNHO, "/chat/proposals", &asked).await.body["timestamp"].clone();
    }
    if between == Between::Blocked {
        let block = json!({ "action": "block", "peerEmail": MINJI });
        assert_eq!(junho.say(&block).await.unwrap()["type"], "block");
    }
    let mut stage = Stage { minji, junho, at, own_at, proposed_at, image };
    stage.minji.heard();
    stage.junho.heard();
    stage
}

#[tokio::test]
async fn every_action_and_route_makes_sense_of_what_is_tried() {
    for action in ACTIONS {
        let chat = Chat::of_strangers();
        let stage = stage(&chat, Between::Friends).await;
        let frame = every_field(action.name, JUNHO, &stage.at, &stage.own_at, &chat.token(MINJI));
        let answer = stage.minji.say(&frame).await.unwrap_or_default();
        assert_ne!(answer["type"], "error", "{}: {answer}", action.name);
    }
    for route in ROUTES {
        let chat = Chat::of_strangers();
        let stage = stage(&chat, Between::Friends).await;
        let shown = frame(json!({ "message": null, "attachment": stage.image }));
        assert_eq!(stage.minji.say(&shown).await.unwrap()["type"], "sent");
        let answer = call(&chat, MINJI, &route, JUNHO, stage.image["key"].as_str().unwrap()).await;
        assert_eq!(answer.status, 200, "{}: {}", route.resource, answer.body);
    }
}

#[rstest]
#[case::blocked(Between::Blocked)]
#[case::beyond_what_a_request_allows(Between::FullRequest)]
#[tokio::test]
async fn nothing_that_is_not_accepted_is_seen_or_heard_whatever_the_action(#[case] between: Between) {
    for action in ACTIONS {
        let chat = Chat::of_strangers();
        let mut stage = stage(&chat, between).await;
        let before = shown_to(&chat, JUNHO, MINJI).await;
        let frame = every_field(action.name, JUNHO, &stage.at, &stage.own_at, &chat.token(MINJI));
        let answer = stage.minji.say(&frame).await.unwrap_or_default();
        if action.name == "delete" && between == Between::FullRequest {
            // What one has asked of a stranger one may take back.
            assert_eq!(answer["type"], "sent", "{answer}");
            continue;
        }
        if ["sendMessage", "react", "edit", "delete"].contains(&action.name) {
            assert_error(&answer, "notAccepted", answer["requestId"].as_str().unwrap(), Some(OTHER_ID));
        } else {
            assert_ne!(answer["code"], "badRequest", "{}: {answer}", action.name);
        }
        assert_eq!(stage.junho.heard(), [] as [Value; 0], "{}", action.name);
        assert_eq!(shown_to(&chat, JUNHO, MINJI).await, before, "{}", action.name);
    }
}

#[rstest]
#[case::blocked(Between::Blocked)]
#[case::beyond_what_a_request_allows(Between::FullRequest)]
#[tokio::test]
async fn nothing_that_is_not_accepted_is_seen_or_heard_whatever_the_content(#[case] between: Between) {
    let chat = Chat::of_strangers();
    let mut stage = stage(&chat, between).await;
    let before = shown_to(&chat, JUNHO, MINJI).await;
    let contents = [
        json!({}),
        json!({ "message": null, "attachment": stage.image }),
        json!({ "message": null, "proposal": proposal(json!({})) }),
        json!({ "message": null, "proposalAnswer": { "proposal": stage.proposed_at, "answer": "accepted" } }),
    ];
    // One for each kind but those that nobody sends: a change, a deleted message and an erased one.
    assert_eq!(contents.len() + 3, chat_domain::Kind::KNOWN.len());
    for content in contents {
        let frame = frame(merged(json!({ "clientMessageId": OTHER_ID }), content.clone())).to_string();
        stage.minji.refused(&frame, "notAccepted", Some(OTHER_ID)).await;
        assert_eq!(stage.junho.heard(), [] as [Value; 0], "{content}");
        assert_eq!(shown_to(&chat, JUNHO, MINJI).await, before, "{content}");
    }
}

#[rstest]
#[case::blocked(Between::Blocked)]
#[case::beyond_what_a_request_allows(Between::FullRequest)]
#[tokio::test]
async fn nothing_that_is_not_accepted_is_seen_or_heard_whatever_the_route(#[case] between: Between) {
    for route in ROUTES {
        let chat = Chat::of_strangers();
        let mut stage = stage(&chat, between).await;
        let before = shown_to(&chat, JUNHO, MINJI).await;
        let answer = call(&chat, MINJI, &route, JUNHO, stage.image["key"].as_str().unwrap()).await;
        if route.method == http::Method::GET {
            assert_ne!(answer.status, 400, "{}: {}", route.resource, answer.body);
        } else {
            answer.assert_refused(403, "notAccepted");
        }
        assert_eq!(stage.junho.heard(), [] as [Value; 0], "{}", route.resource);
        assert_eq!(shown_to(&chat, JUNHO, MINJI).await, before, "{}", route.resource);
    }
}

/// A room is named by the caller's own address and the peer's, so a request can only be about a room of the
/// caller's. What is Minji's and Junho's stays as it is.
#[tokio::test]
async fn nobody_does_anything_to_a_room_that_they_are_not_in() {
    for action in ACTIONS {
        let chat = Chat::of_strangers();
        let mut stage = stage(&chat, Between::Friends).await;
        let mina = chat.connect(MINA).await;
        let page = chat.history(JUNHO, MINJI).await;
        let frame = every_field(action.name, JUNHO, &stage.at, &stage.own_at, &chat.token(MINA));
        let answer = mina.say(&frame).await.unwrap_or_default();
        if ["accept", "block", "unblock", "clear", "report"].contains(&action.name) {
            assert_error(&answer, "notFound", answer["requestId"].as_str().unwrap(), Some(OTHER_ID));
        }
        assert_eq!(stage.minji.heard(), [] as [Value; 0], "{}", action.name);
        let heard = stage.junho.heard();
        assert!(heard.iter().all(|told| told["senderEmail"] == MINA && told["roomId"] != ROOM), "{heard:?}");
        assert_eq!(chat.history(JUNHO, MINJI).await, page, "{}", action.name);
        assert_eq!(chat.ports.reports.list(None).await.unwrap().reports, [], "{}", action.name);
    }
    let chat = Chat::of_strangers();
    let stage = stage(&chat, Between::Friends).await;
    let shown = frame(json!({ "message": null, "attachment": stage.image }));
    assert_eq!(stage.minji.say(&shown).await.unwrap()["type"], "sent");
    for route in ROUTES {
        let answer = call(&chat, MINA, &route, JUNHO, stage.image["key"].as_str().unwrap()).await;
        assert!(!answer.body.to_string().contains(MINJI), "{}: {}", route.resource, answer.body);
    }
}

/// Whatever names a peer, by the lack of which it makes no sense.
#[tokio::test]
async fn nobody_does_anything_to_themselves() {
    let chat = Chat::of_strangers();
    let minji = chat.connect(MINJI).await;
    for action in ACTIONS {
        let alone = every_field(action.name, MINJI, &json!(START), &json!(START), &chat.token(MINJI));
        let mut about_nobody = alone.clone();
        for field in ["peerEmail", "receiverEmail"] {
            about_nobody.as_object_mut().unwrap().remove(field);
        }
        let names_a_peer = minji.say(&about_nobody).await.unwrap_or_default()["code"] == "badRequest";
        assert_eq!(names_a_peer, !["ping", "reauth"].contains(&action.name), "{}", action.name);
        if names_a_peer {
            minji.refused(&alone.to_string(), "selfChat", Some(OTHER_ID)).await;
        }
    }
    for route in ROUTES {
        let answer = call(&chat, MINJI, &route, MINJI, "none").await;
        let about_nobody = ["/chat/conversations", "/chat/blocked", "/chat/attachments/{key}"];
        let is_refused = answer.body["code"] == "selfChat";
        assert_eq!(is_refused, !about_nobody.contains(&route.resource), "{}", answer.body);
    }
    assert_eq!(chat.get(MINJI, "/chat/conversations", &[]).await.body["conversations"], json!([]));
    assert_eq!(chat.ports.reports.list(None).await.unwrap().reports, []);
}

#[tokio::test]
async fn a_message_that_is_gone_is_not_reported() {
    let messages = Arc::new(MemoryMessageStore::new());
    let chat = Chat::composed(|ports| ports.messages = messages.clone(), Settings::default());
    let stage = stage(&chat, Between::Friends).await;
    let report =
        |at: &Value| json!({ "action": "report", "peerEmail": JUNHO, "timestamps": [at] }).to_string();
    // One that its sender has deleted, and the entry that says so.
    let insult = stage.junho.send(MINJI, "바보").await["timestamp"].clone();
    let delete = json!({
        "action": "delete", "peerEmail": MINJI, "target": insult, "after": insult,
        "clientMessageId": OTHER_ID,
    });
    let deleted = stage.junho.say(&delete).await.unwrap();
    assert_eq!(deleted["type"], "sent", "{deleted}");
    for gone in [&insult, &deleted["timestamp"]] {
        stage.minji.refused(&report(gone), "notFound", None).await;
    }
    let ports = chat.ports.clone();
    let attachments = Arc::new(chat.attachments.clone());
    let pause = Arc::new(NoBackoff);
    let erase =
        EraseUser::new(ports.users, ports.connections, messages.clone(), messages, attachments, pause);
    erase.execute(&JUNHO.parse().unwrap(), chat.now()).await.unwrap();

    stage.minji.refused(&report(&stage.at), "notFound", None).await;
    assert_eq!(chat.ports.reports.list(None).await.unwrap().reports, []);
}
