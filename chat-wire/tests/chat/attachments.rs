//! Images: granted, uploaded, sent, opened, and every way to get at one that is not one's own.

use std::time::Duration;

use chat_adapters_memory::UploadRefused;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, OTHER_ID, PNG, frame, merged, picture};

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
        let another = chat.upload(MINJI, JUNHO).await;
        let plain = frame(merged(json!({ "message": null, "attachment": another }), blank));
        assert_eq!(minji.say(&plain).await.unwrap()["type"], "sent");
        assert_eq!(junho.heard()[0]["message"], "");
    }
    for email in [MINJI, JUNHO] {
        assert_eq!(open(&chat, email, &attachment["key"]).await.status, 200);
    }
    open(&chat, EVE, &attachment["key"]).await.assert_refused(404, "attachmentMissing");
}

async fn open(chat: &Chat, email: &str, key: &Value) -> crate::support::Answer {
    let mut call = chat.rest_call(http::Method::GET, "/chat/attachments/{key}");
    let authorization = format!("Bearer {}", chat.token(email));
    crate::support::set(&mut call.headers, http::header::AUTHORIZATION, &authorization);
    call.path_parameters.insert("key".to_owned(), key.as_str().unwrap().to_owned());
    chat.rest(call).await
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
#[case::a_bomb(json!({ "width": 16_384, "height": 16_384 }))]
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
#[case::widest(json!({ "width": 16_384, "height": 4_096, "size": 10 * 1024 * 1024 }))]
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

/// What tells in Exif where it was taken, in Exif's shortest form.
const PLACE: &[u8] = b"MM\0\x2A\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0";

/// [`PNG`] with a chunk before its end.
fn with_chunk(kind: &[u8; 4], chunk: &[u8], checksum: u32) -> Vec<u8> {
    let (image, end) = PNG.split_at(PNG.len() - 12);
    [image, &u32::try_from(chunk.len()).unwrap().to_be_bytes(), kind, chunk, &checksum.to_be_bytes(), end]
        .concat()
}

#[rstest]
#[case::a_drawing(json!({}), b"<svg onload=x />".repeat(5)[..PNG.len()].to_vec())]
#[case::another_image(json!({}), [b"GIF89a".as_slice(), &PNG[6..]].concat())]
#[case::half_an_image(json!({}), [&PNG[..PNG.len() - 12], &[0; 12]].concat())]
#[case::a_web_page_behind_a_header(
    json!({ "contentType": "image/jpeg" }),
    [b"\xFF\xD8\xFF\xE0<!doctype html><script>x()</script>".as_slice(), &[b' '; 12]].concat()
)]
#[case::a_web_page_behind_an_image(
    json!({}),
    [&PNG, b"<html><script>x()</script></html>".as_slice()].concat()
)]
#[case::a_web_page_in_a_remark(json!({}), with_chunk(b"tEXt", b"Comment\0<script>x()</script>", 0x296B_4CA4))]
#[case::where_it_was_taken(json!({}), with_chunk(b"eXIf", PLACE, 0x2E94_7E2B))]
#[case::where_it_was_taken_in_words(
    json!({}),
    with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x exif:GPSLatitude='37,34N'/>", 0xE715_54F8)
)]
#[case::a_bomb(
    json!({}),
    [&PNG[..16], b"\0\0\xFF\xFF\0\0\xFF\xFF\x08\x02\0\0\0\x39\x67\x4E\x07", &PNG[33..]].concat()
)]
#[case::not_as_wide(json!({ "width": 639 }), PNG.to_vec())]
#[tokio::test]
async fn bytes_that_are_not_what_was_announced_are_refused(#[case] facts: Value, #[case] bytes: Vec<u8>) {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let disguised = chat.announce_as(MINJI, JUNHO, merged(json!({ "size": bytes.len() }), facts)).await;
    chat.put(&disguised, &bytes);
    minji.refused(&image(&disguised["attachment"]).to_string(), "attachmentRejected", Some(ID)).await;
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
    assert!(junho.heard().is_empty());
}

#[rstest]
#[case::another_size(json!({ "size": PNG.len() + 1 }))]
#[case::another_type(json!({ "contentType": "image/gif" }))]
#[case::another_width(json!({ "width": 480 }))]
#[case::turned(json!({ "width": 480, "height": 640 }))]
#[tokio::test]
async fn a_message_cannot_claim_other_facts_than_the_upload_has(#[case] facts: Value) {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let attachment = merged(chat.upload(MINJI, JUNHO).await, facts);
    minji.refused(&image(&attachment).to_string(), "attachmentRejected", Some(ID)).await;
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[tokio::test]
async fn the_same_upload_in_two_messages_is_refused_the_second_time() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let attachment = chat.upload(MINJI, JUNHO).await;
    let sent = minji.say(&image(&attachment)).await.unwrap();
    junho.heard();
    let second = merged(image(&attachment), json!({ "clientMessageId": OTHER_ID }));
    minji.refused(&second.to_string(), "attachmentRejected", Some(OTHER_ID)).await;
    assert!(junho.heard().is_empty());
    let retry = minji.say(&image(&attachment)).await.unwrap();
    assert_eq!(retry, merged(sent, json!({ "duplicate": true })));
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
}

#[tokio::test]
async fn an_upload_url_takes_what_was_announced_once_and_in_time() {
    let chat = Chat::new();
    let announced = chat.announce(MINJI, JUNHO).await;
    for bytes in [&PNG[..PNG.len() - 1], &[], &[0; 10 * 1024 * 1024 + 1]] {
        assert_eq!(chat.try_put(&announced, bytes), Err(UploadRefused::Signature));
    }
    chat.pass(Duration::from_secs(300));
    assert_eq!(chat.try_put(&announced, &PNG), Err(UploadRefused::Expired));
    let minji = chat.connect(MINJI).await;
    minji.refused(&image(&announced["attachment"]).to_string(), "attachmentMissing", Some(ID)).await;

    let announced = chat.announce(MINJI, JUNHO).await;
    chat.put(&announced, &PNG);
    assert_eq!(chat.try_put(&announced, &PNG), Err(UploadRefused::Exists));
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[tokio::test]
async fn an_upload_of_the_day_before_is_missing() {
    let chat = Chat::new();
    let attachment = chat.upload(MINJI, JUNHO).await;
    chat.pass(Duration::from_secs(23 * 3_600));
    let minji = chat.connect(MINJI).await;
    minji.refused(&image(&attachment).to_string(), "unavailable", Some(ID)).await;
    chat.pass(Duration::from_secs(60));
    minji.refused(&image(&attachment).to_string(), "attachmentMissing", Some(ID)).await;
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
