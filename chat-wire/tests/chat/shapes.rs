//! A snapshot of every shape that goes out. `documents.rs` validates them against the generated schemas.

use std::collections::BTreeMap;

use chat_wire::error::ErrorCode;
use serde_json::{Value, json};

use crate::later_kinds;
use crate::proposals::proposal;
use crate::support::{Answer, Chat, JUNHO, MINJI, OTHER_ID, START, frame, later_id, merged};

/// Zeros for what is random or signed: runs of 32 or more hexadecimal digits.
fn settled(mut value: Value) -> Value {
    match &mut value {
        Value::String(text) => {
            let mut settled = String::new();
            let mut run = String::new();
            for c in text.chars().chain(['\0']) {
                if c.is_ascii_digit() || ('a'..='f').contains(&c) {
                    run.push(c);
                    continue;
                }
                settled += &if run.len() < 32 { run.clone() } else { "0".repeat(run.len()) };
                run.clear();
                settled.push(c);
            }
            settled.pop();
            *text = settled;
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = settled(value.take())),
        // Sorted: what order an object keeps depends on features that any other crate of the same build may
        // turn on.
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = std::mem::take(fields).into_iter().collect();
            fields.extend(sorted.into_iter().map(|(key, value)| (key, settled(value))));
        }
        _ => {}
    }
    value
}

macro_rules! assert_shape {
    ($name:literal, $value:expr) => {
        insta::assert_json_snapshot!($name, settled($value))
    };
}

fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn frames() {
    let chat = Chat::new();
    let (mut minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);

    assert_shape!("frame_sent", minji.say(&frame(json!({}))).await.unwrap());
    assert_shape!("frame_sent_duplicate", minji.say(&frame(json!({}))).await.unwrap());
    assert_shape!("frame_message_text", junho.heard().remove(0));

    let image = merged(chat.upload(MINJI, JUNHO).await, json!({ "alt": "운동장" }));
    let shown = json!({ "message": "여기예요", "attachment": image, "clientMessageId": OTHER_ID });
    minji.say(&frame(shown)).await;
    assert_shape!("frame_message_image", junho.heard().remove(0));

    let id = "018f2d4e-7b1a-7c3d-9e5f-0011223344aa";
    let proposed = frame(json!({ "message": null, "proposal": proposal(json!({})), "clientMessageId": id }));
    let at = minji.say(&proposed).await.unwrap()["timestamp"].clone();
    assert_shape!("frame_message_match_proposal", junho.heard().remove(0));

    let accepted = json!({ "proposal": at, "answer": "accepted" });
    junho.say(&frame(json!({ "receiverEmail": MINJI, "message": null, "proposalAnswer": accepted }))).await;
    assert_shape!("frame_message_match_proposal_answer", minji.heard().remove(0));

    let replied = json!({ "receiverEmail": MINJI, "replyTo": at });
    junho.say(&frame(merged(replied, json!({ "clientMessageId": later_id(1) })))).await;
    assert_shape!("frame_message_reply", minji.heard().remove(0));
    let reacts = json!({ "action": "react", "peerEmail": MINJI, "target": at, "emoji": ["👍", "⚽"] });
    junho.say(&merged(reacts, json!({ "clientMessageId": later_id(2) }))).await;
    assert_shape!("frame_changed_reactions", minji.heard().remove(0));

    let read = json!({ "action": "markRead", "peerEmail": MINJI, "upTo": at });
    assert_shape!("frame_read", junho.say(&read).await.unwrap());
    junho.say(&json!({ "action": "typing", "receiverEmail": MINJI })).await;
    assert_shape!("frame_typing", minji.heard().remove(1));
    let blocks = json!({ "action": "block", "peerEmail": MINJI });
    assert_shape!("frame_block", junho.say(&blocks).await.unwrap());
    let unblocks = json!({ "action": "unblock", "peerEmail": MINJI });
    assert_shape!("frame_unblock", junho.say(&unblocks).await.unwrap());
    let accepts = json!({ "action": "accept", "peerEmail": MINJI });
    assert_shape!("frame_accept", junho.say(&accepts).await.unwrap());
    let clears = json!({ "action": "clear", "peerEmail": MINJI, "upTo": START });
    assert_shape!("frame_cleared", junho.say(&clears).await.unwrap());
    let reports = json!({ "action": "report", "peerEmail": MINJI, "timestamps": [at] });
    assert_shape!("frame_reported", junho.say(&reports).await.unwrap());
    assert_shape!("frame_pong", minji.say(&json!({ "action": "ping" })).await.unwrap());
    let reauth = json!({ "action": "reauth", "token": chat.token(MINJI) });
    assert_shape!("frame_reauth", minji.say(&reauth).await.unwrap());
    assert_shape!("frame_error", minji.say(&frame(json!({ "receiverEmail": MINJI }))).await.unwrap());
    assert_shape!("frame_error_without_message", minji.say(&json!({ "action": "shout" })).await.unwrap());
}

#[tokio::test]
async fn a_kind_that_is_not_known() {
    let chat = Chat::new();
    later_kinds::poll(&chat, 1, Some("투표: 어디서 할까요?"), Some(r#"{"places":["잠실"]}"#)).await;
    let history = ok(chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await);
    assert_shape!("rest_history_later_kind", history);
    let conversations = ok(chat.get(JUNHO, "/chat/conversations", &[]).await);
    assert_shape!("rest_conversations_later_kind", conversations);
}

#[tokio::test]
async fn rest_bodies() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let history = async |parameters: &[(&str, &str)]| {
        ok(chat.get(MINJI, "/chat/history", &[&[("with", JUNHO)], parameters].concat()).await)
    };
    assert_shape!("rest_history_empty", history(&[]).await);
    assert_shape!("rest_conversations_empty", ok(chat.get(MINJI, "/chat/conversations", &[]).await));

    minji.say(&frame(json!({}))).await;
    let image = chat.upload(JUNHO, MINJI).await;
    let shown = json!({ "receiverEmail": MINJI, "message": null, "attachment": image });
    junho.say(&frame(shown)).await;
    junho.say(&json!({ "action": "markRead", "peerEmail": MINJI, "upTo": START })).await;
    let request =
        json!({ "receiverEmail": JUNHO, "clientMessageId": OTHER_ID, "proposal": proposal(json!({})) });
    let proposed = ok(chat.post(MINJI, "/chat/proposals", &request).await);
    let declined = json!({ "proposal": proposed["timestamp"], "answer": "declined" });
    let id = "018f2d4e-7b1a-7c3d-9e5f-0011223344bb";
    let answered =
        json!({ "receiverEmail": MINJI, "message": null, "proposalAnswer": declined, "clientMessageId": id });
    junho.say(&frame(answered)).await;

    assert_shape!("rest_proposals", proposed);
    assert_shape!("rest_history", history(&[]).await);
    assert_shape!("rest_history_before", history(&[("limit", "1")]).await);
    assert_shape!("rest_history_after", history(&[("after", START), ("limit", "1")]).await);
    assert_shape!(
        "rest_search",
        ok(chat.get(MINJI, "/chat/search", &[("with", JUNHO), ("q", "안녕")]).await)
    );
    assert_shape!("rest_history_around", history(&[("around", START)]).await);
    assert_shape!("rest_conversations", ok(chat.get(MINJI, "/chat/conversations", &[]).await));

    minji.say(&json!({ "action": "block", "peerEmail": JUNHO })).await;
    assert_shape!("rest_blocked", ok(chat.get(MINJI, "/chat/blocked", &[]).await));
    minji.say(&json!({ "action": "unblock", "peerEmail": JUNHO })).await;
    let strangers = Chat::of_strangers();
    strangers.connect(JUNHO).await.send(MINJI, "안녕하세요").await;
    let request = ok(strangers.get(MINJI, "/chat/conversations", &[]).await);
    assert_shape!("rest_conversations_request", request);

    let grant = crate::support::picture(json!({ "with": JUNHO }));
    assert_shape!("rest_uploads", ok(chat.post(MINJI, "/chat/uploads", &grant).await));
    let mut call = chat.rest_call(http::Method::GET, "/chat/attachments/{key}");
    let authorization = format!("Bearer {}", chat.token(MINJI));
    crate::support::set(&mut call.headers, http::header::AUTHORIZATION, &authorization);
    call.path_parameters.insert("key".to_owned(), image["key"].as_str().unwrap().to_owned());
    assert_shape!("rest_attachments", ok(chat.rest(call).await));

    let error = chat.get(MINJI, "/chat/history", &[("with", MINJI)]).await;
    assert_shape!("rest_error", error.body);
}

/// One of each code, as the domain's errors and the parsers word them, with the status of its REST answer.
#[tokio::test]
async fn error_codes() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.say(&frame(json!({}))).await;
    for count in 0..29 {
        minji.send("busy@example.com", &count.to_string()).await;
    }
    minji.send("busy@example.com", "full").await;
    let mut stranger = chat.open("no such connection");
    stranger.say(&json!({ "action": "ping" })).await;
    let unknown_connection = stranger.heard().remove(0);
    let missing = chat.announce(MINJI, JUNHO).await["attachment"].clone();
    let answer = json!({ "proposal": START, "answer": "accepted" });

    let mut errors = vec![unknown_connection];
    for frame in [
        json!({ "action": "shout" }),
        frame(json!({ "receiverEmail": "junho@exam#ple.com" })),
        frame(json!({ "receiverEmail": MINJI })),
        frame(json!({ "message": "x".repeat(8_193) })),
        frame(json!({ "message": " " })),
        frame(json!({ "message": "other words" })),
        json!({ "action": "reauth", "token": "made-up" }),
        frame(json!({ "receiverEmail": "busy@example.com", "clientMessageId": OTHER_ID })),
        frame(json!({ "message": null, "attachment": missing, "clientMessageId": OTHER_ID })),
        frame(json!({ "message": null, "attachment": merged(missing, json!({ "size": 0 })) })),
        frame(json!({ "message": null, "proposalAnswer": answer, "clientMessageId": OTHER_ID })),
    ] {
        errors.push(minji.say(&frame).await.unwrap());
    }
    chat.pass(std::time::Duration::from_secs(3_600));
    errors.push(minji.say(&frame(json!({}))).await.unwrap());
    for error in [
        chat_domain::ChatError::ResyncNeeded,
        chat_domain::ChatError::NotAccepted,
        chat_domain::ChatError::NotFound,
        chat_domain::ChatError::Unavailable { source: "unseen".into() },
        chat_domain::ChatError::Internal { source: "unseen".into() },
    ] {
        let error = chat_wire::error::WireError::from(&error);
        errors.push(
            json!({ "code": error.code, "message": error.message, "retryable": error.code.retryable() }),
        );
    }

    let mut listed: Vec<_> = errors
        .into_iter()
        .map(|error| {
            let code: ErrorCode = serde_json::from_value(error["code"].clone()).unwrap();
            json!({
                "code": code, "status": code.status().as_u16(), "retryable": error["retryable"],
                "message": error["message"],
            })
        })
        .collect();
    listed.sort_by_key(|error| error["code"].as_str().unwrap().to_owned());
    assert_eq!(listed.len(), 18, "every code once");
    assert_shape!("error_codes", Value::Array(listed));
}

#[test]
fn no_snapshot_is_left_over() {
    let tests = include_str!("shapes.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chat/snapshots");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let name = file.strip_prefix("chat__shapes__").and_then(|rest| rest.strip_suffix(".snap"));
        let asserted = name.is_some_and(|name| tests.contains(&format!("\"{name}\"")));
        assert!(asserted, "{file} is no test's");
    }
}
