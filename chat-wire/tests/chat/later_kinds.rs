//! Messages of a kind that this version does not know: a later one stored them, or an application of its own.

use chat_domain::{
    ClientMessageId, Consistency, Content, Draft, FirstContact, OtherContent, Room, RoomId, SendPolicy,
    SendRate,
};
use serde_json::{Value, json};

use crate::support::{Chat, JUNHO, MINJI, merged};

const BODY: &str = r#"{"places":["잠실","마포"],"votes":[0,1.5]}"#;

/// Minji says something of the kind `poll`, as a later version would store it.
pub(crate) async fn poll(chat: &Chat, id: u128, preview: Option<&str>, body: Option<&str>) -> Room {
    let room = RoomId::new(&MINJI.parse().unwrap(), &JUNHO.parse().unwrap()).unwrap();
    let store = &chat.ports.messages;
    let stored = store.room(&room, Consistency::Strong).await.unwrap();
    let mut stored = stored.unwrap_or_else(|| Room::empty(room.clone()));
    let content = Content::Other(OtherContent {
        kind: "poll".parse().unwrap(),
        preview: preview.map(|words| words.parse().unwrap()),
        body: body.map(Into::into),
    });
    let sender = room.member(&MINJI.parse().unwrap()).unwrap();
    let policy = SendPolicy { first_contact: FirstContact::Open, ..SendRate::default().into() };
    let draft = Draft { id: ClientMessageId::from_u128(id), sender, content, reply_to: None };
    let append = stored.append(&draft, chat.now(), policy).unwrap();
    store.commit(&append).await.unwrap();
    stored.apply(&append);
    stored
}

#[tokio::test]
async fn they_are_shown_by_what_they_bring() {
    let chat = Chat::new();
    poll(&chat, 1, Some("투표: 어디서 할까요?"), Some(BODY)).await;
    poll(&chat, 2, None, None).await;
    // What is no JSON is not handed on.
    poll(&chat, 3, None, Some("{")).await;
    let shown = chat.history(JUNHO, MINJI).await;
    let of = |message: &Value| {
        ["kind", "message", "preview", "body"].map(|name| message.get(name).cloned().unwrap_or_default())
    };
    let body: Value = serde_json::from_str(BODY).unwrap();
    assert_eq!(
        of(&shown[2]),
        [json!("poll"), json!("투표: 어디서 할까요?"), json!("투표: 어디서 할까요?"), body]
    );
    for nothing_known in &shown[..2] {
        assert_eq!(of(nothing_known), [json!("poll"), json!(""), Value::Null, Value::Null]);
    }
}

#[tokio::test]
async fn lists_syncs_and_marks_go_over_them() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "하나").await;
    let room = poll(&chat, 1, Some("투표: 어디서\n할까요?"), Some(BODY)).await;

    let list = chat.get(JUNHO, "/chat/conversations", &[]).await.body;
    let listed = &list["conversations"][0];
    assert_eq!((&listed["lastKind"], &listed["preview"]), (&json!("poll"), &json!("투표: 어디서 할까요?")));
    assert_eq!((&listed["lastSeq"], &listed["unread"]), (&json!(2), &json!(2)));

    let first = &chat.history(JUNHO, MINJI).await[1]["timestamp"];
    let synced =
        chat.get(JUNHO, "/chat/history", &[("with", MINJI), ("after", first.as_str().unwrap())]).await;
    assert_eq!(synced.body["messages"][0]["kind"], "poll");

    let up_to = room.log().unwrap().last_at().to_string();
    junho.say(&json!({ "action": "markRead", "peerEmail": MINJI, "upTo": up_to })).await;
    let list = chat.get(JUNHO, "/chat/conversations", &[]).await.body;
    assert_eq!(list["conversations"][0]["unread"], 0);

    minji.send(JUNHO, "셋").await;
    let seqs: Vec<_> =
        chat.history(JUNHO, MINJI).await.iter().map(|message| message["seq"].clone()).collect();
    assert_eq!(seqs, [3, 2, 1]);
}

#[tokio::test]
async fn nobody_sends_them() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let poll = json!({ "kind": "poll", "preview": "투표", "body": { "places": [] } });
    let send = json!({ "action": "sendMessage", "receiverEmail": JUNHO });
    minji.refused(&merged(send.clone(), poll.clone()).to_string(), "badRequest", None).await;
    // Fields that are not known are left alone, as ever: beside words they change nothing.
    minji.say(&merged(merged(send, poll), json!({ "message": "투표할까요?" }))).await;
    assert_eq!(chat.history(JUNHO, MINJI).await[0]["kind"], "text");
}
