//! Requests, and who blocks whom.

use serde_json::{Value, json};

use crate::proposals::proposal;
use crate::support::{Chat, JUNHO, MINJI, OTHER_ID, ROOM, START, Socket, frame, merged, picture};

fn about(action: &str, peer: &str) -> Value {
    json!({ "action": action, "peerEmail": peer })
}

/// Says what must be answered with a frame of the same name.
async fn decides(socket: &Socket<'_>, action: &str, peer: &str) {
    let changed = json!({ "type": action, "roomId": ROOM, "peerEmail": peer });
    assert_eq!(socket.say(&about(action, peer)).await, Some(changed));
}

async fn listed(chat: &Chat, email: &str) -> Value {
    chat.get(email, "/chat/conversations", &[]).await.body["conversations"][0].clone()
}

#[tokio::test]
async fn a_request_is_listed_by_both_until_it_is_accepted() {
    let chat = Chat::of_strangers();
    let (minji, junho, mut other) =
        (chat.connect(MINJI).await, chat.connect(JUNHO).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "안녕하세요").await;
    assert_eq!(listed(&chat, MINJI).await["request"], "outgoing");
    let incoming = listed(&chat, JUNHO).await;
    assert_eq!((&incoming["request"], &incoming["unread"]), (&json!("incoming"), &json!(1)));
    let history = chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await.body;
    assert_eq!((&history["request"], &history["blocked"]), (&json!("incoming"), &json!(false)));
    other.heard();
    decides(&junho, "accept", MINJI).await;
    assert_eq!(other.heard(), [json!({ "type": "accept", "roomId": ROOM, "peerEmail": MINJI })]);
    for email in [MINJI, JUNHO] {
        assert_eq!(listed(&chat, email).await.get("request"), None);
    }
}

#[tokio::test]
async fn a_request_takes_ten_messages_and_no_image() {
    let chat = Chat::of_strangers();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let upload = picture(json!({ "with": JUNHO }));
    chat.post(MINJI, "/chat/uploads", &upload).await.assert_refused(403, "notAccepted");
    for number in 0..10 {
        minji.send(JUNHO, &number.to_string()).await;
    }
    let eleventh = frame(json!({ "clientMessageId": OTHER_ID })).to_string();
    minji.refused(&eleventh, "notAccepted", Some(OTHER_ID)).await;
    chat.post(MINJI, "/chat/uploads", &upload).await.assert_refused(403, "notAccepted");
    let proposes =
        json!({ "receiverEmail": JUNHO, "clientMessageId": OTHER_ID, "proposal": proposal(json!({})) });
    chat.post(MINJI, "/chat/proposals", &proposes).await.assert_refused(403, "notAccepted");
    // An image that was uploaded where it was allowed to be.
    junho.send(MINJI, "네").await;
    let image = chat.upload(MINJI, JUNHO).await;
    let shown = frame(json!({ "message": null, "attachment": image, "clientMessageId": OTHER_ID }));
    assert_eq!(minji.say(&shown).await.unwrap()["type"], "sent");
    assert_eq!(junho.heard().len(), 11);
}

#[tokio::test]
async fn nothing_of_a_blocked_person_is_pushed_or_stored() {
    let chat = Chat::of_strangers();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let first = minji.send(JUNHO, "안녕하세요").await;
    junho.send(MINJI, "누구세요?").await;
    let image = chat.upload(MINJI, JUNHO).await;
    decides(&junho, "block", MINJI).await;
    junho.heard();

    for fields in [
        json!({}),
        json!({ "message": null, "attachment": image }),
        json!({ "message": null, "proposal": proposal(json!({})) }),
    ] {
        let refused = frame(merged(json!({ "clientMessageId": OTHER_ID }), fields)).to_string();
        minji.refused(&refused, "notAccepted", Some(OTHER_ID)).await;
    }
    let upload = picture(json!({ "with": JUNHO }));
    chat.post(MINJI, "/chat/uploads", &upload).await.assert_refused(403, "notAccepted");
    let proposes =
        json!({ "receiverEmail": JUNHO, "clientMessageId": OTHER_ID, "proposal": proposal(json!({})) });
    let proposed = chat.post(MINJI, "/chat/proposals", &proposes).await;
    proposed.assert_refused(403, "notAccepted");
    assert_eq!(proposed.body["clientMessageId"], OTHER_ID);
    assert_eq!(minji.say(&json!({ "action": "typing", "receiverEmail": JUNHO })).await, None);
    let mark = json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": "9999-12-31T23:59:59.999Z" });
    assert_eq!(minji.say(&mark).await.unwrap()["type"], "read");
    assert_eq!(junho.heard(), [] as [Value; 0]);
    assert_eq!(chat.history(JUNHO, MINJI).await.len(), 2);
    let list = listed(&chat, JUNHO).await;
    assert_eq!((&list["blocked"], &list["peerReadUpTo"]), (&json!(true), &Value::Null));
    assert_eq!(listed(&chat, MINJI).await["blocked"], false);

    let blocked = chat.get(JUNHO, "/chat/blocked", &[]).await.body;
    assert_eq!(blocked, json!({ "blocked": [{ "peerEmail": MINJI, "since": START }], "nextCursor": null }));
    assert_eq!(chat.get(MINJI, "/chat/blocked", &[]).await.body["blocked"], json!([]));

    decides(&junho, "unblock", MINJI).await;
    assert_eq!(chat.get(JUNHO, "/chat/blocked", &[]).await.body["blocked"], json!([]));
    minji.send(JUNHO, "다시").await;
    assert_eq!(junho.heard().len(), 1);
    assert_eq!(first["seq"], 1);
}

#[tokio::test]
async fn what_was_stored_before_the_block_is_still_acknowledged() {
    let chat = Chat::of_strangers();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let sent = minji.say(&frame(json!({}))).await.unwrap();
    decides(&junho, "block", MINJI).await;
    let again = minji.say(&frame(json!({}))).await.unwrap();
    assert_eq!(again, merged(sent, json!({ "duplicate": true })));
}

#[tokio::test]
async fn nobody_decides_about_themselves_or_a_stranger() {
    let chat = Chat::of_strangers();
    let junho = chat.connect(JUNHO).await;
    for action in ["accept", "block", "unblock"] {
        junho.refused(&about(action, JUNHO).to_string(), "selfChat", None).await;
        junho.refused(&about(action, MINJI).to_string(), "notFound", None).await;
        junho.refused(&about(action, "nobody").to_string(), "invalidEmail", None).await;
        junho.refused(&json!({ "action": action }).to_string(), "badRequest", None).await;
    }
    assert_eq!(listed(&chat, JUNHO).await, Value::Null, "no conversation is begun");
}

#[tokio::test]
async fn a_report_is_answered_and_kept_once() {
    let chat = Chat::of_strangers();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "돈 보내").await["timestamp"].clone();
    junho.heard();
    let report = json!({ "action": "report", "peerEmail": MINJI, "timestamps": [at], "reason": " " });
    for _ in 0..2 {
        let reported = json!({ "type": "reported", "roomId": ROOM, "peerEmail": MINJI });
        assert_eq!(junho.say(&report).await, Some(reported));
    }
    let kept = chat.ports.reports.list(None).await.unwrap().reports;
    assert_eq!((kept.len(), kept[0].messages[0].content.text()), (1, "돈 보내"));
    assert_eq!(kept[0].reason, None);
    assert_eq!(chat.server.frames.counts().take().reports, 1);
}

#[tokio::test]
async fn a_report_that_makes_no_sense_is_refused() {
    let chat = Chat::of_strangers();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "안녕").await["timestamp"].clone();
    let report = |fields: Value| {
        merged(json!({ "action": "report", "peerEmail": MINJI, "timestamps": [at] }), fields).to_string()
    };
    let too_many: Vec<_> = (0..21).map(|n| format!("2026-11-23T09:00:00.0{n:02}Z")).collect();
    for (fields, code) in [
        (json!({ "timestamps": [] }), "badRequest"),
        (json!({ "timestamps": "yesterday" }), "badRequest"),
        (json!({ "timestamps": ["yesterday"] }), "badRequest"),
        (json!({ "timestamps": too_many }), "badRequest"),
        (json!({ "reason": "x".repeat(501) }), "badRequest"),
        (json!({ "timestamps": ["2001-01-01T00:00:00.000Z"] }), "notFound"),
        (json!({ "peerEmail": "mina@example.com" }), "notFound"),
        (json!({ "peerEmail": JUNHO }), "selfChat"),
        (json!({ "peerEmail": "minji" }), "invalidEmail"),
    ] {
        junho.refused(&report(fields), code, None).await;
    }
    assert_eq!(chat.ports.reports.list(None).await.unwrap().reports, []);
}
