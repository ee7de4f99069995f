//! Images: granted, uploaded, sent, opened, and every way to get at one that is not one's own.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, PNG, frame, merged, picture};

const EVE: &str = "eve@example.com";

fn image(attachment: &Value) -> Value {
    frame(json!({ "message": null, "attachment": attachment }))
}

#[tokio::test]
async fn an_uploaded_image_is_sent_with_and_without_words_and_opened_by_both() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let attachment = chat.upload(MINJI, JUNHO).await;
    let described = merged(attachment.clone(), json!({ "alt": "the field in the rain" }));
    let sent = minji.say(&merged(image(&described), json!({ "message": "look" }))).await.unwrap();
    assert_eq!(sent["type"], "sent", "{sent}");
    let pushed = &junho.heard()[0];
    assert_eq!((&pushed["kind"], &pushed["message"]), (&json!("image"), &json!("look")));
    assert_eq!(pushed["attachment"], described);

    for blank in [json!({ "clientMessageId": null }), json!({ "clientMessageId": null, "message": "  " })] {
        let plain = frame(merged(json!({ "message": null, "attachment": attachment }), blank));
        assert_eq!(minji.say(&plain).await.unwrap()["type"], "sent");
        assert_eq!(junho.heard()[0]["message"], "");
    }
    for email in [MINJI, JUNHO] {
        assert_eq!(open(&chat, email, &attachment["key"]).await.status, 200);
    }
    open(&chat, EVE, &attachment["key"]).await.assert_refused(404, "attachmentMissing");
}

async fn open(chat: &Chat, email: &str, key: &Value) -> crate::support::Answer {
    let mut event = chat.rest_event(http::Method::GET, "/chat/attachments/{key}");
    let authorization = format!("Bearer {}", chat.token(email));
    crate::support::set(&mut event.headers, http::header::AUTHORIZATION, &authorization);
    event.path_parameters.insert("key".to_owned(), key.as_str().unwrap().to_owned());
    chat.rest(event).await
}

#[rstest]
#[case::garbage("nothing")]
#[case::empty("")]
#[case::a_path("../../etc/passwd")]
#[case::another_type(
    "00112233445566778899aabbccddeeff-00112233445566778899aabbccddeeff-a-00112233445566778899aabbccddeeff.svg"
)]
#[case::made_up(
    "00112233445566778899aabbccddeeff-00112233445566778899aabbccddeeff-a-00112233445566778899aabbccddeeff.png"
)]
#[tokio::test]
async fn a_key_that_was_not_given_opens_nothing(#[case] key: &str) {
    open(&Chat::new(), MINJI, &json!(key)).await.assert_refused(404, "attachmentMissing");
}

#[rstest]
#[case::svg(json!({ "contentType": "image/svg+xml" }))]
#[case::html(json!({ "contentType": "text/html" }))]
#[case::parameters(json!({ "contentType": "image/png; charset=utf-8" }))]
#[case::capitals(json!({ "contentType": "IMAGE/PNG" }))]
#[case::no_bytes(json!({ "size": 0 }))]
#[case::one_byte_too_many(json!({ "size": 10 * 1024 * 1024 + 1 }))]
#[case::endless(json!({ "size": u64::MAX }))]
#[case::no_width(json!({ "width": 0 }))]
#[case::no_height(json!({ "height": 0 }))]
#[case::too_wide(json!({ "width": 16_385 }))]
#[case::too_high(json!({ "height": u32::MAX }))]
#[tokio::test]
async fn an_image_that_may_not_be_sent_is_refused_before_and_after_the_upload(#[case] facts: Value) {
    let chat = Chat::new();
    let request = merged(picture(json!({ "with": JUNHO })), facts.clone());
    chat.post(MINJI, "/chat/uploads", &request).await.assert_refused(422, "attachmentRejected");

    let minji = chat.connect(MINJI).await;
    let attachment = merged(chat.upload(MINJI, JUNHO).await, facts);
    minji.refused(&image(&attachment).to_string(), "attachmentRejected", Some(ID)).await;
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[rstest]
#[case::largest(json!({ "size": 10 * 1024 * 1024 }))]
#[case::widest(json!({ "width": 16_384, "height": 16_384 }))]
#[case::gif(json!({ "contentType": "image/gif" }))]
#[tokio::test]
async fn what_is_just_allowed_is_granted(#[case] facts: Value) {
    let request = merged(picture(json!({ "with": JUNHO })), facts);
    let answer = Chat::new().post(MINJI, "/chat/uploads", &request).await;
    assert_eq!((answer.status, &answer.body["expiresAt"]), (200, &json!("2026-11-23T09:05:00.000Z")));
}

#[rstest]
#[case::oneself(MINJI, "selfChat")]
#[case::nobody("junho", "invalidEmail")]
#[tokio::test]
async fn an_upload_is_for_a_conversation(#[case] with: &str, #[case] code: &str) {
    let answer = Chat::new().post(MINJI, "/chat/uploads", &picture(json!({ "with": with }))).await;
    answer.assert_refused(400, code);
}

#[tokio::test]
async fn an_image_of_another_room_or_uploader_or_of_nobody_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let key = "00112233445566778899aabbccddeeff";
    for (attachment, code) in [
        (chat.upload(MINJI, EVE).await, "attachmentRejected"),
        (chat.upload(JUNHO, MINJI).await, "attachmentRejected"),
        (chat.upload(JUNHO, EVE).await, "attachmentRejected"),
        (picture(json!({ "key": "nothing" })), "attachmentRejected"),
        (picture(json!({ "key": format!("{key}-{key}-a-{key}.png") })), "attachmentRejected"),
        (chat.announce(MINJI, JUNHO).await["attachment"].clone(), "attachmentMissing"),
    ] {
        minji.refused(&image(&attachment).to_string(), code, Some(ID)).await;
    }
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[tokio::test]
async fn bytes_that_are_not_what_was_announced_are_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let disguised = chat.announce(MINJI, JUNHO).await;
    chat.put(&disguised, b"<svg onload=x />");
    assert_eq!(PNG.len(), b"<svg onload=x />".len(), "the length alone would not tell");
    let uploaded = chat.upload(MINJI, JUNHO).await;
    for attachment in [
        disguised["attachment"].clone(),
        merged(uploaded.clone(), json!({ "size": 17 })),
        merged(uploaded, json!({ "contentType": "image/gif" })),
    ] {
        minji.refused(&image(&attachment).to_string(), "attachmentRejected", Some(ID)).await;
    }
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[rstest]
#[case::empty_alt(json!({ "alt": "" }))]
#[case::long_alt(json!({ "alt": "x".repeat(1_001) }))]
#[case::control_in_alt(json!({ "alt": "a\u{7}" }))]
#[tokio::test]
async fn a_description_that_is_none_is_a_bad_request(#[case] fields: Value) {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let attachment = merged(chat.upload(MINJI, JUNHO).await, fields);
    minji.refused(&image(&attachment).to_string(), "badRequest", Some(ID)).await;
}
