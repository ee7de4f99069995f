//! An image is sent by whoever uploaded it, once it is there.

use chat_adapters_memory::MemoryAttachmentStore;
use chat_domain::{
    Attachment, AttachmentKey, AttachmentRefused, AttachmentStore, ChatError, Content, ImageFacts, ImageType,
    Member, RoomId, SendCommand,
};

use crate::assert_refused;
use crate::chat::*;

const PNG: &[u8; 12] = b"\x89PNG\r\n\x1a\n....";

fn image(room: &RoomId, uploader: Member) -> Attachment {
    let facts = ImageFacts::new(ImageType::Png, PNG.len() as u64, 2, 2).unwrap();
    Attachment { key: AttachmentKey::mint(room, uploader, ImageType::Png, 7), facts, alt: None }
}

fn of(attachment: &Attachment) -> SendCommand {
    let content = Content::Image { attachment: attachment.clone(), caption: None };
    SendCommand { content, ..to_junho(1, "-") }
}

async fn upload(chat: &Chat, attachment: &Attachment, bytes: &[u8]) {
    let signed = chat.attachments.upload_url(&attachment.key, attachment.facts, at(0)).await.unwrap();
    let (_, query) = signed.url.split_once('?').unwrap();
    let (key, bytes) = (attachment.key.as_str(), bytes.to_vec().into());
    chat.attachments.accept_upload(key, query, "image/png", bytes, at(0)).unwrap();
}

#[tokio::test]
async fn an_uploaded_image_is_sent() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    chat.send(MINJI_PHONE, of(&attachment), at(1)).await.unwrap();
    assert_eq!(chat.rows().await[0].content, of(&attachment).content);
}

#[tokio::test]
async fn an_image_that_was_not_uploaded_is_missing() {
    let chat = Chat::new().await;
    let refused = chat.send(MINJI_PHONE, of(&image(&their_room(), MINJI)), at(1)).await;
    assert_refused!(refused, ChatError::AttachmentMissing);
    assert_eq!(chat.rows().await, []);
}

#[tokio::test]
async fn an_image_of_another_uploader_or_another_room_is_refused() {
    let chat = Chat::new().await;
    let elsewhere = RoomId::new(&minji(), &email("sora@example.com")).unwrap();
    let minji_there = elsewhere.member(&minji()).unwrap();
    for attachment in [image(&their_room(), JUNHO), image(&elsewhere, minji_there)] {
        upload(&chat, &attachment, PNG).await;
        let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
        assert_refused!(refused, ChatError::AttachmentRejected(AttachmentRefused::Key));
    }
    assert_eq!(chat.rows().await, []);
}

#[tokio::test]
async fn an_object_that_is_not_what_was_announced_is_refused() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, b"<html></html>".split_at(PNG.len()).0).await;
    let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
    assert_refused!(refused, ChatError::AttachmentRejected(AttachmentRefused::Differs));
    assert_eq!(chat.rows().await, []);
}

#[tokio::test]
async fn a_retry_gets_its_ack_although_the_object_is_gone() {
    let mut chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let first = chat.send(MINJI_PHONE, of(&attachment), at(1)).await.unwrap();
    chat.attachments = MemoryAttachmentStore::new("http://localhost/attachments", [8; 32]);
    let retry = chat.process().send(MINJI_PHONE, of(&attachment), at(2)).await.unwrap();
    assert!(repeats(&retry, &first));
}
