//! Messages of an application's own kinds: whoever composes the chat says which ones there are.

use chat_domain::{OWN_BODY_MAX_BYTES, OWN_PREVIEW_MAX_BYTES};
use chat_wire::{OwnKinds, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::*;

fn settings() -> Settings {
    let kinds = OwnKinds::default().admit("x-order", |body| match body["items"].as_array() {
        Some(items) if !items.is_empty() => Ok(()),
        _ => Err("items: at least one".to_owned()),
    });
    let kinds = kinds.unwrap().admit("x-note", |_| Ok(())).unwrap();
    Settings { own_kinds: kinds, ..open_settings() }
}

fn shop() -> Chat {
    Chat::composed(|_| {}, settings())
}

fn order() -> Value {
    let body = json!({ "items": [{ "name": "축구공", "count": 2 }], "won": 58_000 });
    json!({ "message": null, "kind": "x-order", "preview": "주문: 축구공 2개", "body": body })
}

#[tokio::test]
async fn they_are_stored_pushed_listed_and_counted_like_any_message() {
    let chat = shop();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let sent = minji.say(&frame(order())).await.unwrap();
    assert_eq!((&sent["type"], &sent["seq"]), (&json!("sent"), &json!(1)));
    let again = minji.say(&frame(order())).await.unwrap();
    assert_eq!((&again["seq"], &again["duplicate"]), (&json!(1), &json!(true)));

    let pushed = junho.heard();
    assert_eq!(pushed.len(), 1);
    for shown in [&pushed[0], &chat.history(JUNHO, MINJI).await[0]] {
        let said = ["kind", "preview", "body"].map(|name| shown[name].clone());
        assert_eq!(said, ["kind", "preview", "body"].map(|name| order()[name].clone()));
        assert_eq!(shown["message"], "주문: 축구공 2개");
    }
    let list = chat.get(JUNHO, "/chat/conversations", &[]).await.body["conversations"][0].clone();
    let listed = [&list["lastKind"], &list["preview"], &list["unread"]];
    assert_eq!(listed, [&json!("x-order"), &json!("주문: 축구공 2개"), &json!(1)]);
}

#[tokio::test]
async fn they_are_replied_to_reacted_to_and_deleted_and_their_words_are_not_edited() {
    let chat = shop();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = minji.say(&frame(order())).await.unwrap()["timestamp"].clone();
    let reply =
        json!({ "receiverEmail": MINJI, "message": "받았어요", "replyTo": at, "clientMessageId": null });
    assert_eq!(junho.say(&frame(reply)).await.unwrap()["type"], "sent");
    let react = json!({ "action": "react", "peerEmail": MINJI, "target": at, "emoji": ["👍"] });
    assert_eq!(junho.say(&react).await.unwrap()["type"], "sent");
    let edit = json!({ "action": "edit", "peerEmail": JUNHO, "target": at, "message": "주문 취소" });
    minji.refused(&edit.to_string(), "badRequest", None).await;

    let history = chat.history(JUNHO, MINJI).await;
    assert_eq!(history[1]["quoted"]["kind"], "x-order");
    assert_eq!(history[2]["reactions"], json!({ JUNHO: ["👍"] }));
    let delete = json!({ "action": "delete", "peerEmail": JUNHO, "target": at });
    assert_eq!(minji.say(&delete).await.unwrap()["type"], "sent");
    let history = chat.history(JUNHO, MINJI).await;
    assert_eq!(history.last().unwrap()["kind"], "deleted");
    assert!(!json!(history).to_string().contains("축구공"));
}

#[tokio::test]
async fn a_kind_with_neither_preview_nor_body_is_possible_if_its_validator_takes_that() {
    let chat = shop();
    let minji = chat.connect(MINJI).await;
    let bare = json!({ "message": null, "kind": "x-note" });
    assert_eq!(minji.say(&frame(bare)).await.unwrap()["type"], "sent");
    let shown = &chat.history(JUNHO, MINJI).await[0];
    assert_eq!((&shown["kind"], &shown["message"], shown.get("body")), (&json!("x-note"), &json!(""), None));
}

#[rstest]
#[case::not_admitted(json!({ "kind": "x-parcel" }), "kind: ")]
#[case::without_x(json!({ "kind": "order" }), "kind: ")]
#[case::of_the_chat(json!({ "kind": "text" }), "kind: ")]
#[case::nothing_after_x(json!({ "kind": "x-" }), "kind: ")]
#[case::with_a_space(json!({ "kind": "x-my order" }), "kind: ")]
#[case::too_long(json!({ "kind": format!("x-{}", "o".repeat(63)) }), "kind: ")]
#[case::a_number(json!({ "kind": 7 }), "not the JSON expected")]
#[case::refused_by_its_validator(json!({ "body": { "items": [] } }), "body: items: at least one")]
#[case::without_a_body_that_its_validator_wants(json!({ "body": null }), "body: items: at least one")]
#[case::long_body(json!({ "kind": "x-note", "body": "b".repeat(OWN_BODY_MAX_BYTES - 1) }), "body: ")]
#[case::long_preview(json!({ "preview": "가".repeat(OWN_PREVIEW_MAX_BYTES / 3 + 1) }), "preview: ")]
#[case::preview_that_reads_as_another(json!({ "preview": "a\u{202E}b" }), "preview: ")]
#[case::with_words(json!({ "message": "안녕" }), "a message is one of")]
#[case::no_kind(json!({ "kind": null }), "kind: missing")]
#[tokio::test]
async fn what_makes_no_sense_is_refused_and_not_stored(#[case] fields: Value, #[case] hint: &str) {
    let chat = shop();
    let minji = chat.connect(MINJI).await;
    let text = frame(merged(order(), fields)).to_string();
    let error = minji.refused(&text, "badRequest", Some(ID)).await;
    assert!(error["message"].as_str().unwrap().starts_with(hint), "{error}");
    assert_eq!(chat.history(JUNHO, MINJI).await, [] as [Value; 0]);
}

/// The limit counts the JSON without the white space that a client may have put in.
#[tokio::test]
async fn the_longest_body_and_preview_are_taken() {
    let chat = shop();
    let minji = chat.connect(MINJI).await;
    let body = "b".repeat(OWN_BODY_MAX_BYTES - 2);
    let longest = json!({
        "message": null, "kind": "x-note", "body": body, "preview": "p".repeat(OWN_PREVIEW_MAX_BYTES),
    });
    let text = frame(longest).to_string().replace("\"body\":", "\"body\":          ");
    assert_eq!(minji.say_text(&text).await.unwrap()["type"], "sent");
    assert_eq!(chat.history(JUNHO, MINJI).await[0]["body"], body);
}

/// serde_json means something of its own by such a key where any crate of the same build turns that on.
#[rstest]
#[case::alone(json!({ "$serde_json::private::RawValue": "[1]" }))]
#[case::within(json!({ "x": [{ "$serde_json::private::RawValue": "{\"a\":1,\"a\":2}" }] }))]
#[case::a_number(json!({ "$serde_json::private::Number": "1" }))]
#[case::every_kind_of_value(json!([null, true, -1, 1.5, u64::MAX, "문자", { "a": {} }]))]
#[tokio::test]
async fn a_body_is_nothing_but_json(#[case] body: Value) {
    let chat = shop();
    let minji = chat.connect(MINJI).await;
    let said = json!({ "message": null, "kind": "x-note", "body": body });
    assert_eq!(minji.say(&frame(said)).await.unwrap()["type"], "sent");
    let mut shown = chat.rest_call(http::Method::GET, "/chat/history");
    set(&mut shown.headers, http::header::AUTHORIZATION, &format!("Bearer {}", chat.token(JUNHO)));
    shown.query = query(&[("with", MINJI)]);
    let text = chat.rest_response(&shown).await.into_body();
    assert!(text.contains(&format!("\"body\":{body}")), "{text}");
}

#[tokio::test]
async fn a_key_of_a_body_comes_once() {
    let chat = shop();
    let minji = chat.connect(MINJI).await;
    let said = frame(json!({ "message": null, "kind": "x-note", "body": "MARK" })).to_string();
    minji.refused(&said.replace("\"MARK\"", r#"{"a":{"b":1,"b":2}}"#), "badRequest", Some(ID)).await;
}

/// In a request only words and proposals are taken.
#[tokio::test]
async fn a_request_takes_none() {
    let chat = Chat::composed(|_| {}, Settings { own_kinds: settings().own_kinds, ..Settings::default() });
    let minji = chat.connect(MINJI).await;
    minji.refused(&frame(order()).to_string(), "notAccepted", Some(ID)).await;
}

#[test]
fn the_names_of_kinds_are_read_and_written() {
    let kinds: OwnKinds = " x-order, x-note,".parse().unwrap();
    assert_eq!(kinds.to_string(), "x-note,x-order");
    assert_eq!("".parse::<OwnKinds>().unwrap().to_string(), "");
    assert!("x-order,ticket".parse::<OwnKinds>().is_err());
}
