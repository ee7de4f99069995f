//! Messages that change: who hears of it, what everybody is shown from then on, and what is refused.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::*;

const BEFORE: &str = "2026-01-01T00:00:00.000Z";
const LATER: &str = "2036-01-01T00:00:00.000Z";

/// A frame that changes the message at `target`, with an id of its own.
fn changing(action: &str, peer: &str, target: &Value, more: Value) -> Value {
    let frame = json!({ "action": action, "peerEmail": peer, "target": target, "clientMessageId": OTHER_ID });
    merged(frame, more)
}

fn page(history: &Value) -> Vec<(&str, &str)> {
    let messages = history["messages"].as_array().unwrap().iter();
    messages.map(|it| (it["kind"].as_str().unwrap(), it["message"].as_str().unwrap())).collect()
}

async fn history(chat: &Chat, viewer: &str, peer: &str) -> Value {
    chat.get(viewer, "/chat/history", &[("with", peer)]).await.body
}

async fn listed(chat: &Chat, viewer: &str) -> Value {
    chat.get(viewer, "/chat/conversations", &[]).await.body["conversations"][0].clone()
}

#[tokio::test]
async fn an_edit_is_heard_and_shown_everywhere_and_the_old_text_nowhere() {
    let chat = Chat::new();
    let (mut minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let mut tablet = chat.connect(MINJI).await;
    let at = minji.send(JUNHO, "여섯 시에 봐요").await["timestamp"].clone();
    for socket in [&mut minji, &mut junho, &mut tablet] {
        socket.heard();
    }

    let edit = changing("edit", JUNHO, &at, json!({ "message": "일곱 시에 봐요" }));
    let sent = minji.say(&edit).await.unwrap();
    assert_eq!((&sent["type"], &sent["seq"], &sent["duplicate"]), (&json!("sent"), &json!(2), &json!(false)));
    assert_eq!(minji.heard(), [] as [Value; 0], "her client has the answer");
    for heard in [junho.heard(), tablet.heard()] {
        assert_eq!(heard.len(), 1);
        let changed = &heard[0];
        assert_eq!(
            (&changed["type"], &changed["target"], &changed["seq"]),
            (&json!("changed"), &at, &json!(2))
        );
        assert_eq!(changed["message"]["message"], "일곱 시에 봐요");
        assert_eq!((&changed["message"]["seq"], &changed["message"]["changedBy"]), (&json!(1), &json!(2)));
        assert_eq!(changed["message"]["editedAt"], sent["timestamp"]);
    }
    for (viewer, peer) in [(MINJI, JUNHO), (JUNHO, MINJI)] {
        let shown = history(&chat, viewer, peer).await;
        assert_eq!(page(&shown), [("change", ""), ("text", "일곱 시에 봐요")]);
        assert_eq!(shown["messages"][0]["target"], at);
        assert!(!shown.to_string().contains("여섯"));
        let list = listed(&chat, viewer).await;
        assert_eq!((&list["preview"], &list["lastKind"]), (&json!("일곱 시에 봐요"), &json!("text")));
    }
    assert_eq!(listed(&chat, JUNHO).await["unread"], 1, "a change is not counted");

    let again = minji.say(&edit).await.unwrap();
    assert_eq!((&again["seq"], &again["duplicate"]), (&json!(2), &json!(true)));
    assert_eq!(junho.heard(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_reaction_replaces_the_whole_set_of_its_member() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "이겼다!").await["timestamp"].clone();
    let sets = [
        (&junho, MINJI, json!(["👍", "🎉"]), json!({ JUNHO: ["👍", "🎉"] })),
        (&minji, JUNHO, json!(["⚽"]), json!({ JUNHO: ["👍", "🎉"], MINJI: ["⚽"] })),
        (&junho, MINJI, json!(["❤"]), json!({ JUNHO: ["❤️"], MINJI: ["⚽"] })),
        (&minji, JUNHO, json!([]), json!({ JUNHO: ["❤️"] })),
        (&junho, MINJI, json!([]), Value::Null),
    ];
    for (turn, (socket, peer, emoji, left)) in sets.into_iter().enumerate() {
        let id = json!({ "emoji": emoji, "clientMessageId": later_id(turn) });
        assert_eq!(socket.say(&changing("react", peer, &at, id)).await.unwrap()["type"], "sent");
        let shown = history(&chat, JUNHO, MINJI).await;
        let target = shown["messages"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(target["reactions"], left, "{emoji}");
        assert_eq!(target["message"], "이겼다!");
    }
}

#[tokio::test]
async fn a_deleted_message_is_gone_for_both_with_its_image_and_stays_so() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    junho.send(MINJI, "보여 줘").await;
    let image = chat.upload(MINJI, JUNHO).await;
    let shown = frame(json!({ "message": "우리 팀", "attachment": image }));
    let at = minji.say(&shown).await.unwrap()["timestamp"].clone();
    junho.heard();
    let key = image["key"].as_str().unwrap();
    assert!(chat.downloads(JUNHO, key).await);

    let delete = changing("delete", JUNHO, &at, json!({}));
    assert_eq!(minji.say(&delete).await.unwrap()["type"], "sent");
    let changed = junho.heard().remove(0);
    assert_eq!(
        (&changed["message"]["kind"], &changed["message"]["message"]),
        (&json!("deleted"), &json!(""))
    );
    let now = history(&chat, JUNHO, MINJI).await;
    assert_eq!(page(&now), [("change", ""), ("deleted", ""), ("text", "보여 줘")]);
    assert!(!now.to_string().contains(key) && !now.to_string().contains("우리 팀"));
    assert_eq!(listed(&chat, JUNHO).await["lastKind"], "deleted");
    assert!(!chat.downloads(JUNHO, key).await, "nothing shows the image any more");
    assert_eq!(minji.say(&delete).await.unwrap()["duplicate"], true);

    for (action, more) in
        [("edit", json!({ "message": "다시" })), ("react", json!({ "emoji": ["👍"] })), ("delete", json!({}))]
    {
        let late = changing(action, JUNHO, &at, merged(more, json!({ "clientMessageId": later_id(9) })));
        minji.refused(&late.to_string(), "notFound", Some(&later_id(9))).await;
    }
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_as_that_is_by_now() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "어디서 볼까요?").await["timestamp"].clone();
    let reply = frame(json!({ "receiverEmail": MINJI, "message": "잠실", "replyTo": at }));
    assert_eq!(junho.say(&reply).await.unwrap()["type"], "sent");
    let quoted = |shown: &Value| shown["messages"][0]["quoted"].clone();
    for limit in ["50", "1"] {
        let shown = chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("limit", limit)]).await.body;
        let expected = json!({ "senderEmail": MINJI, "kind": "text", "preview": "어디서 볼까요?" });
        assert_eq!((quoted(&shown), &shown["messages"][0]["replyTo"]), (expected, &at));
    }
    minji.say(&changing("delete", JUNHO, &at, json!({}))).await;
    let shown = chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("limit", "2")]).await.body;
    let expected = json!({ "senderEmail": MINJI, "kind": "deleted", "preview": "" });
    assert_eq!(shown["messages"][1]["quoted"], expected);
    assert_eq!(shown["changed"][0]["kind"], "deleted", "the target is beyond the page");
}

#[tokio::test]
async fn a_reaction_accepts_a_request_and_nothing_else_of_it_is_heard() {
    let chat = Chat::of_strangers();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "안녕하세요").await["timestamp"].clone();
    let edit = changing("edit", JUNHO, &at, json!({ "message": "안녕" }));
    minji.refused(&edit.to_string(), "notAccepted", Some(OTHER_ID)).await;
    assert_eq!(listed(&chat, JUNHO).await["request"], "incoming");
    let react = changing("react", MINJI, &at, json!({ "emoji": ["👋"] }));
    assert_eq!(junho.say(&react).await.unwrap()["type"], "sent");
    assert_eq!(listed(&chat, JUNHO).await["request"], Value::Null);
    assert_eq!(minji.say(&edit).await.unwrap()["type"], "sent");
}

#[rstest]
#[case::not_there("react", json!({ "target": "2026-11-23T08:00:00.000Z", "emoji": ["👍"] }), "notFound")]
#[case::of_the_other_member("edit", json!({ "message": "바꿈" }), "notYours")]
#[case::deleting_the_other_member_s("delete", json!({}), "notYours")]
#[case::newer_than_after("react", json!({ "emoji": ["👍"], "after": BEFORE }), "badRequest")]
#[case::after_ahead_of_the_room("react", json!({ "emoji": ["👍"], "after": LATER }), "badRequest")]
#[case::five_emoji("react", json!({ "emoji": ["👍", "👎", "😂", "😮", "😢"] }), "badRequest")]
#[case::one_emoji_twice("react", json!({ "emoji": ["👍", "👍"] }), "badRequest")]
#[case::text_as_emoji("react", json!({ "emoji": ["ok"] }), "badRequest")]
#[case::a_digit("react", json!({ "emoji": ["7"] }), "badRequest")]
#[case::a_lone_variation_selector("react", json!({ "emoji": ["\u{FE0F}"] }), "badRequest")]
#[case::no_emoji("react", json!({ "emoji": [""] }), "badRequest")]
#[case::a_kiss_of_35_bytes("react", json!({ "emoji": ["👩🏽‍❤️‍💋‍👨🏿"] }), "badRequest")]
#[case::emoji_missing("react", json!({}), "badRequest")]
#[case::blank("edit", json!({ "message": " " }), "messageEmpty")]
#[case::too_long("edit", json!({ "message": "a".repeat(8_193) }), "messageTooLong")]
#[case::target_missing("delete", json!({ "target": null }), "badRequest")]
#[case::target_no_time("delete", json!({ "target": "yesterday" }), "badRequest")]
#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing(
    #[case] action: &str,
    #[case] more: Value,
    #[case] code: &str,
) {
    let chat = Chat::new();
    let (mut minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.send(JUNHO, "말").await["timestamp"].clone();
    minji.heard();
    let before = history(&chat, JUNHO, MINJI).await;
    junho.refused(&changing(action, MINJI, &at, more).to_string(), code, Some(OTHER_ID)).await;
    assert_eq!(history(&chat, JUNHO, MINJI).await, before);
    assert_eq!(minji.heard(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_change_and_a_proposal_do_not_change_so_and_one_id_is_one_change() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let at = minji.send(JUNHO, "말").await["timestamp"].clone();
    let edit = changing("edit", JUNHO, &at, json!({ "message": "다른 말" }));
    let changed_at = minji.say(&edit).await.unwrap()["timestamp"].clone();
    for (action, more) in
        [("edit", json!({ "message": "셋째" })), ("react", json!({ "emoji": ["👍"] })), ("delete", json!({}))]
    {
        let of_change =
            changing(action, JUNHO, &changed_at, merged(more, json!({ "clientMessageId": later_id(1) })));
        minji.refused(&of_change.to_string(), "notFound", Some(&later_id(1))).await;
    }
    let reply = frame(json!({ "replyTo": changed_at, "clientMessageId": later_id(2) }));
    minji.refused(&reply.to_string(), "notFound", Some(&later_id(2))).await;

    let second = minji.send(JUNHO, "둘째").await["timestamp"].clone();
    let reused = changing("edit", JUNHO, &second, json!({ "message": "다른 말" }));
    minji.refused(&reused.to_string(), "idReused", Some(OTHER_ID)).await;
    let reused = changing("delete", JUNHO, &at, json!({}));
    minji.refused(&reused.to_string(), "idReused", Some(OTHER_ID)).await;

    let proposal = crate::proposals::proposal(json!({}));
    let proposed = frame(json!({ "message": null, "proposal": proposal, "clientMessageId": later_id(3) }));
    let at = minji.say(&proposed).await.unwrap()["timestamp"].clone();
    let edit = changing("edit", JUNHO, &at, json!({ "message": "말", "clientMessageId": later_id(4) }));
    minji.refused(&edit.to_string(), "badRequest", Some(&later_id(4))).await;
}
