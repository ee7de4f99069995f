//! Frames that make no sense: each is refused with its own code, and nothing of it is stored or pushed.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, ROOM, START, frame, merged};

/// A frame with something in its text replaced that JSON values cannot hold.
fn with_text(fields: Value, from: &str, to: &str) -> String {
    let text = frame(fields).to_string();
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

async fn refuses(text: &str, code: &str, echoed: Option<&str>) -> Value {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "before").await;
    junho.heard();
    let before = chat.history(MINJI, JUNHO).await;

    let error = minji.refused(text, code, echoed).await;
    assert_eq!(chat.history(MINJI, JUNHO).await, before, "something was stored");
    assert_eq!(junho.heard(), [] as [Value; 0], "something was pushed");
    error
}

#[rstest]
#[case::nothing("")]
#[case::not_json("hello")]
#[case::half(r#"{"action":"ping""#)]
#[case::trailing_garbage(r#"{"action":"ping"} x"#)]
#[case::two_values(r#"{"action":"ping"}{"action":"ping"}"#)]
#[case::byte_order_mark("\u{feff}{\"action\":\"ping\"}")]
#[case::array(r#"["sendMessage"]"#)]
#[case::array_of_fields(r#"["sendMessage","junho@example.com","hi"]"#)]
#[case::string(r#""ping""#)]
#[case::number("7")]
#[case::null("null")]
#[case::no_action("{}")]
#[case::null_action(r#"{"action":null}"#)]
#[case::unknown_action(r#"{"action":"shout"}"#)]
#[case::empty_action(r#"{"action":""}"#)]
#[case::cased_action(r#"{"action":"Ping"}"#)]
#[case::server_action(r#"{"action":"message"}"#)]
#[case::number_action(r#"{"action":7}"#)]
#[case::object_action(r#"{"action":{"ping":1}}"#)]
#[case::doubled_action(r#"{"action":"ping","action":"ping"}"#)]
#[case::differing_actions(r#"{"action":"ping","action":"reauth"}"#)]
#[case::escaped_double(r#"{"action":"ping","\u0061ction":"reauth"}"#)]
#[case::doubled_unknown_key(r#"{"action":"ping","x":1,"x":2}"#)]
#[case::single_quotes("{'action':'ping'}")]
#[case::comment(r#"{"action":"ping" /* */}"#)]
#[case::not_a_number(r#"{"action":"ping","x":NaN}"#)]
#[case::lone_surrogate_in_key(r#"{"action":"ping","\ud800":1}"#)]
#[case::control_character("{\"action\":\"pi\nng\"}")]
#[tokio::test]
async fn what_is_no_frame_is_a_bad_request(#[case] text: &str) {
    refuses(text, "badRequest", None).await;
}

#[rstest]
#[case::doubled_message(with_text(json!({}), "\"message\":", "\"message\":\"other\",\"message\":"))]
#[case::doubled_id(with_text(json!({}), "\"message\":", "\"clientMessageId\":\"\",\"message\":"))]
#[case::action_200_levels_deep(with_text(json!({}), "\"sendMessage\"", &nested(200)))]
#[case::action_10_000_levels_deep(with_text(json!({}), "\"sendMessage\"", &nested(10_000)))]
#[case::id_10_000_levels_deep(with_text(json!({}), &format!("\"{ID}\""), &nested(10_000)))]
#[case::objects_10_000_levels_deep("{\"action\":".repeat(10_000))]
#[tokio::test]
async fn what_cannot_be_looked_through_names_no_message(#[case] text: String) {
    refuses(&text, "badRequest", None).await;
}

#[rstest]
#[case::no_receiver(frame(json!({ "receiverEmail": null })), "badRequest")]
#[case::number_as_receiver(frame(json!({ "receiverEmail": 7 })), "badRequest")]
#[case::list_of_receivers(frame(json!({ "receiverEmail": [JUNHO] })), "badRequest")]
#[case::no_message(frame(json!({ "message": null })), "badRequest")]
#[case::number_as_message(frame(json!({ "message": 7 })), "badRequest")]
#[case::list_as_message(frame(json!({ "message": ["hi"] })), "badRequest")]
#[case::empty(frame(json!({ "message": "" })), "messageEmpty")]
#[case::blank(frame(json!({ "message": " \n\t\u{3000} " })), "messageEmpty")]
#[case::one_byte_too_long(frame(json!({ "message": "x".repeat(8_193) })), "messageTooLong")]
#[case::too_long_in_bytes_alone(frame(json!({ "message": "가".repeat(2_731) })), "messageTooLong")]
#[case::a_whole_frame(frame(json!({ "message": "x".repeat(120_000) })), "messageTooLong")]
#[case::nul(frame(json!({ "message": "a\0b" })), "badRequest")]
#[case::bell(frame(json!({ "message": "a\u{7}b" })), "badRequest")]
#[case::escape(frame(json!({ "message": "\u{1b}[31mred" })), "badRequest")]
#[case::carriage_return(frame(json!({ "message": "a\rb" })), "badRequest")]
#[case::right_to_left_override(frame(json!({ "message": "a\u{202e}b" })), "badRequest")]
#[case::embedding(frame(json!({ "message": "a\u{202a}b" })), "badRequest")]
#[case::isolate(frame(json!({ "message": "a\u{2066}b\u{2069}" })), "badRequest")]
#[case::self_chat(frame(json!({ "receiverEmail": MINJI })), "selfChat")]
#[case::self_chat_in_capitals(frame(json!({ "receiverEmail": " Minji@Example.COM " })), "selfChat")]
#[case::empty_address(frame(json!({ "receiverEmail": "" })), "invalidEmail")]
#[case::no_at(frame(json!({ "receiverEmail": "junho" })), "invalidEmail")]
#[case::two_ats(frame(json!({ "receiverEmail": "ju@nho@example.com" })), "invalidEmail")]
#[case::hash_in_domain(frame(json!({ "receiverEmail": "junho@exam#ple.com" })), "invalidEmail")]
#[case::room_as_address(frame(json!({ "receiverEmail": ROOM })), "invalidEmail")]
#[case::quoted(frame(json!({ "receiverEmail": "\"jun ho\"@example.com" })), "invalidEmail")]
#[case::not_ascii(frame(json!({ "receiverEmail": "준호@example.com" })), "invalidEmail")]
#[case::kelvin_sign(frame(json!({ "receiverEmail": "\u{212a}im@example.com" })), "invalidEmail")]
#[case::control_in_address(frame(json!({ "receiverEmail": "jun\u{0}ho@example.com" })), "invalidEmail")]
#[case::undotted_domain(frame(json!({ "receiverEmail": "junho@localhost" })), "invalidEmail")]
#[case::endless_address(
    frame(json!({ "receiverEmail": format!("{}@example.com", "j".repeat(250)) })),
    "invalidEmail"
)]
#[case::malformed_after(frame(json!({ "after": "yesterday" })), "badRequest")]
#[case::after_without_milliseconds(frame(json!({ "after": "2026-11-23T09:00:00Z" })), "badRequest")]
#[case::number_as_after(frame(json!({ "after": 1_763_888_400 })), "badRequest")]
#[case::after_in_the_future(frame(json!({ "after": "2026-11-23T10:00:00.000Z" })), "badRequest")]
#[case::number_as_attachment(frame(json!({ "attachment": 7 })), "badRequest")]
#[case::message_and_proposal(
    frame(json!({ "proposalAnswer": { "proposal": START, "answer": "accepted" } })),
    "badRequest"
)]
#[case::unknown_answer(
    frame(json!({ "message": null, "proposalAnswer": { "proposal": START, "answer": "perhaps" } })),
    "badRequest"
)]
#[tokio::test]
async fn a_message_that_makes_no_sense_is_refused_by_its_id(#[case] frame: Value, #[case] code: &str) {
    refuses(&frame.to_string(), code, Some(ID)).await;
}

#[rstest]
#[case::leading(r"\ud800")]
#[case::trailing(r"\udc00")]
#[case::swapped(r"\udc00\ud800")]
#[tokio::test]
async fn a_lone_surrogate_is_refused_by_its_id(#[case] escape: &str) {
    let text = with_text(json!({ "message": "MARK" }), "MARK", escape);
    refuses(&text, "badRequest", Some(ID)).await;
}

#[rstest]
#[case::text("not-a-uuid")]
#[case::empty("")]
#[case::braced("{018f2d4e-7b1a-7c3d-9e5f-001122334455}")]
#[case::unhyphenated("018f2d4e7b1a7c3d9e5f001122334455")]
#[tokio::test]
async fn an_id_that_is_none_is_refused_and_not_echoed(#[case] id: &str) {
    refuses(&frame(json!({ "clientMessageId": id })).to_string(), "badRequest", None).await;
}

#[rstest]
#[case::mark_read_without_peer(json!({ "action": "markRead", "upTo": START }), "badRequest")]
#[case::mark_read_without_place(json!({ "action": "markRead", "peerEmail": JUNHO }), "badRequest")]
#[case::mark_read_malformed(json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": "now" }), "badRequest")]
#[case::mark_read_of_oneself(json!({ "action": "markRead", "peerEmail": MINJI, "upTo": START }), "selfChat")]
#[case::mark_read_of_nobody(
    json!({ "action": "markRead", "peerEmail": "junho", "upTo": START }),
    "invalidEmail"
)]
#[case::typing_to_nobody(json!({ "action": "typing" }), "badRequest")]
#[case::typing_to_oneself(json!({ "action": "typing", "receiverEmail": MINJI }), "selfChat")]
#[case::ping_that_is_quiet_in_words(json!({ "action": "ping", "quiet": "yes" }), "badRequest")]
#[case::reauth_without_token(json!({ "action": "reauth" }), "badRequest")]
#[case::reauth_with_a_number(json!({ "action": "reauth", "token": 7 }), "badRequest")]
#[case::reauth_with_nothing(json!({ "action": "reauth", "token": "" }), "unauthorized")]
#[case::reauth_with_a_made_up_token(json!({ "action": "reauth", "token": "let-me-stay" }), "unauthorized")]
#[tokio::test]
async fn other_frames_that_make_no_sense_are_refused(#[case] frame: Value, #[case] code: &str) {
    refuses(&frame.to_string(), code, None).await;
    // An id is echoed whatever the frame: the client that sent it knows what for.
    let named = merged(frame, json!({ "clientMessageId": ID }));
    refuses(&named.to_string(), code, Some(ID)).await;
}

#[rstest]
#[case::a_little_deep(&nested(30))]
#[case::brackets_in_a_string(r#""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[""#)]
#[case::a_whole_surrogate_pair(r#""\ud83d\ude00""#)]
#[tokio::test]
async fn what_is_ignored_may_be_anything_that_is_sound(#[case] value: &str) {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let text = with_text(json!({ "extra": "MARK" }), "\"MARK\"", value);
    assert_eq!(minji.say_text(&text).await.unwrap()["type"], "sent");
}

#[rstest]
#[case::deep_100_levels(&nested(100))]
#[case::deep_10_000_levels(&nested(10_000))]
#[case::half_a_surrogate_pair(r#""\ud800""#)]
#[case::half_a_surrogate_pair_in_capitals(r#"{"a":["\uDFFF"]}"#)]
#[tokio::test]
async fn what_is_ignored_has_to_be_sound(#[case] value: &str) {
    let text = with_text(json!({ "extra": "MARK" }), "\"MARK\"", value);
    refuses(&text, "badRequest", Some(ID)).await;
    refuses(&format!(r#"{{"action":"ping","extra":{value}}}"#), "badRequest", None).await;
}

#[rstest]
#[case::message(json!({ "message": "MARK" }))]
#[case::attachment(json!({ "attachment": "MARK" }))]
#[case::proposal(json!({ "proposal": { "teamName": "MARK" } }))]
#[tokio::test]
async fn depth_where_something_else_belongs_is_refused(#[case] fields: Value) {
    for levels in [100, 10_000] {
        refuses(&with_text(fields.clone(), "\"MARK\"", &nested(levels)), "badRequest", Some(ID)).await;
    }
}

/// What was wrong is quoted, but an answer has to fit into a frame.
#[tokio::test]
async fn an_endless_wrong_value_gets_a_short_answer() {
    let wrong =
        json!({ "attachment": { "key": "k", "contentType": "image/png", "size": "\n".repeat(100_000) } });
    let error = refuses(&frame(wrong).to_string(), "badRequest", Some(ID)).await;
    assert!(error.to_string().len() < 1_000, "{} bytes", error.to_string().len());
    let key = "k".repeat(100_000);
    let error = refuses(&format!(r#"{{"{key}":1,"{key}":2}}"#), "badRequest", None).await;
    assert!(error.to_string().len() < 1_000, "{} bytes", error.to_string().len());
}
