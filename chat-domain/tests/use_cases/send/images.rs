//! An image is sent by whoever uploaded it, once it is there.

use chat_adapters_memory::MemoryAttachmentStore;
use std::num::NonZeroU32;
use std::time::Duration;

use chat_domain::{
    Attachment, AttachmentKey, AttachmentRefused, AttachmentStore, AttachmentStoreError, ChatError, Content,
    DailyLimits, Draft, IN_DOUBT_FOR, ImageFacts, ImageType, Member, MockAttachmentStore, NoAttachments,
    RoomId, SendCommand, SendPolicy, SendRate, StoredObject, UPLOAD_KEPT_FOR, UPLOAD_SHOWN_WITHIN,
};

use crate::assert_refused;
use crate::chat::*;
use crate::faults::{Commit, Step};

/// 16 by 9 pixels.
pub(crate) const PNG: &[u8] = include_bytes!("../../images/plain.png");
/// Likewise, and where it was taken.
const LOCATED: &[u8] = include_bytes!("../../images/gps.png");

pub(crate) fn image(room: &RoomId, uploader: Member) -> Attachment {
    let facts = ImageFacts::new(ImageType::Png, PNG.len() as u64, 16, 9).unwrap();
    Attachment { key: AttachmentKey::mint(room, uploader, facts, 7), facts, alt: None }
}

pub(crate) fn of(attachment: &Attachment) -> SendCommand {
    let content = Content::Image { attachment: attachment.clone(), caption: None };
    SendCommand { content, ..to_junho(1, "-") }
}

pub(crate) async fn upload(chat: &Chat, attachment: &Attachment, bytes: &[u8]) {
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
async fn a_chat_without_images_refuses_one_as_missing() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let refused = chat.process_with(NoAttachments).send(MINJI_PHONE, of(&attachment), at(1)).await;
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
    upload(&chat, &attachment, &b"<html></html>".repeat(20)[..PNG.len()]).await;
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

#[tokio::test]
async fn an_image_that_tells_where_it_was_taken_is_refused_and_not_kept() {
    let chat = Chat::new().await;
    let facts = ImageFacts::new(ImageType::Png, LOCATED.len() as u64, 16, 9).unwrap();
    let attachment = Attachment { facts, ..image(&their_room(), MINJI) };
    upload(&chat, &attachment, LOCATED).await;
    let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
    assert_refused!(refused, ChatError::AttachmentRejected(AttachmentRefused::Location));
    assert_eq!(chat.rows().await, []);
    assert!(!stays(&chat, &attachment).await);
}

/// Whether an object is there when a day has passed.
async fn stays(chat: &Chat, attachment: &Attachment) -> bool {
    let later = at(0).after(UPLOAD_KEPT_FOR);
    let key = AttachmentKey::mint(&their_room(), JUNHO, attachment.facts, 99);
    let signed = chat.attachments.upload_url(&key, attachment.facts, later).await.unwrap();
    let (_, query) = signed.url.split_once('?').unwrap();
    let bytes = vec![0; usize::try_from(attachment.facts.size_bytes()).unwrap()];
    chat.attachments.accept_upload(key.as_str(), query, "image/png", bytes.into(), later).unwrap();
    chat.attachments.inspect(&attachment.key).await.unwrap().is_some()
}

#[tokio::test]
async fn an_image_that_a_message_shows_stays_and_one_that_none_shows_does_not() {
    let chat = Chat::new().await;
    let shown = image(&their_room(), MINJI);
    let other =
        Attachment { key: AttachmentKey::mint(&their_room(), MINJI, shown.facts, 8), ..shown.clone() };
    for attachment in [&shown, &other] {
        upload(&chat, attachment, PNG).await;
    }
    chat.send(MINJI_PHONE, of(&shown), at(1)).await.unwrap();
    assert!(stays(&chat, &shown).await);
    assert_eq!(chat.attachments.inspect(&other.key).await.unwrap(), None);
}

#[tokio::test]
async fn two_messages_do_not_show_the_same_upload() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let first = chat.send(MINJI_PHONE, of(&attachment), at(1)).await.unwrap();
    for device in [MINJI_PHONE, MINJI_LAPTOP] {
        let second = SendCommand { id: id(2), ..of(&attachment) };
        let refused = chat.send(device, second, at(2)).await;
        assert_refused!(refused, ChatError::AttachmentRejected(AttachmentRefused::Taken));
    }
    let retry = chat.send(MINJI_LAPTOP, of(&attachment), at(3)).await.unwrap();
    assert!(repeats(&retry, &first), "it is the same message");
    assert_eq!(chat.rows().await.len(), 1);
}

#[tokio::test]
async fn of_two_messages_that_race_for_an_upload_one_is_refused() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let faster = Draft { id: id(2), sender: MINJI, content: of(&attachment).content, reply_to: None };
    chat.messages.next_commits([Commit::BeatenBy(faster)]);
    let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
    assert_refused!(refused, ChatError::AttachmentRejected(AttachmentRefused::Taken));
    assert_eq!(chat.rows().await.len(), 1);
}

#[tokio::test]
async fn an_earlier_attempt_that_lands_late_is_not_taken_for_another_message() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    chat.messages.next_commits([Commit::Held, Commit::AfterLanding]);
    let sent = chat.send(MINJI_PHONE, of(&attachment), at(1)).await.unwrap();
    assert_eq!((sent.seq, chat.rows().await.len()), (1, 1));
}

#[tokio::test]
async fn an_upload_is_shown_within_a_day_or_never() {
    let chat = Chat::new().await;
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let identity = identity(&minji(), at(0).after(Duration::from_secs(48 * 3_600)));
    let lapses = at(0).after(UPLOAD_SHOWN_WITHIN);
    let late = chat.here.send.execute(&identity, of(&attachment), lapses).await;
    assert_refused!(late, ChatError::InDoubt(_));
    let later = chat.here.send.execute(&identity, of(&attachment), lapses.after(IN_DOUBT_FOR)).await;
    assert_refused!(later, ChatError::AttachmentMissing);
    chat.here.send.execute(&identity, of(&attachment), lapses.previous()).await.unwrap();
    let retry = chat.here.send.execute(&identity, of(&attachment), lapses.after(IN_DOUBT_FOR)).await;
    assert_eq!(retry.unwrap().seq, 1, "what is sent is sent");
}

fn uploaded() -> StoredObject {
    StoredObject {
        content_type: "image/png".to_owned(),
        size_bytes: PNG.len() as u64,
        uploaded_at: at(0),
        bytes: PNG.to_vec(),
    }
}

#[tokio::test]
async fn an_upload_is_looked_at_and_kept_once_however_often_the_commit_is_tried() {
    let chat = Chat::new().await;
    let mut attachments = MockAttachmentStore::new();
    attachments.expect_inspect().times(1).returning(|_| Ok(Some(uploaded())));
    attachments.expect_keep().times(1).returning(|_| Ok(true));
    chat.messages.next_commits([Commit::Throttled, Commit::Lost, Commit::Throttled]);
    let process = chat.process_with(attachments);
    process.send(MINJI_PHONE, of(&image(&their_room(), MINJI)), at(1)).await.unwrap();
}

#[tokio::test]
async fn nothing_is_stored_before_the_upload_is_known_to_stay() {
    let chat = Chat::new().await;
    let send = async |keep: fn() -> Result<bool, AttachmentStoreError>| {
        let mut attachments = MockAttachmentStore::new();
        attachments.expect_inspect().returning(|_| Ok(Some(uploaded())));
        attachments.expect_keep().returning(move |_| keep());
        chat.process_with(attachments).send(MINJI_PHONE, of(&image(&their_room(), MINJI)), at(1)).await
    };
    let unknown =
        send(|| Err(AttachmentStoreError::Unavailable { operation: "keep", source: "lost".into() })).await;
    assert_refused!(unknown, ChatError::Unavailable { .. });
    assert_refused!(send(|| Ok(false)).await, ChatError::AttachmentMissing);
    assert!(!chat.journal.take().contains(&Step::Commit));
}

#[tokio::test]
async fn who_begins_too_many_rooms_keeps_nothing() {
    let daily = DailyLimits { rooms: NonZeroU32::MIN, ..DailyLimits::default() };
    let chat = Chat::with_policy(SendPolicy { daily, ..no_limit() }).await;
    let to_sora = SendCommand { receiver: email("sora@example.com"), ..to_junho(2, "하나") };
    chat.send(MINJI_PHONE, to_sora, at(0)).await.unwrap();
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
    assert_refused!(refused, ChatError::RateLimited { .. });
    assert!(!stays(&chat, &attachment).await);
}

#[tokio::test]
async fn who_sends_too_fast_keeps_nothing() {
    let slow = SendRate { burst: NonZeroU32::MIN, per_second: NonZeroU32::MIN };
    let chat = Chat::with_rate(slow).await;
    chat.send(MINJI_PHONE, to_junho(2, "하나"), at(0)).await.unwrap();
    let attachment = image(&their_room(), MINJI);
    upload(&chat, &attachment, PNG).await;
    let refused = chat.send(MINJI_PHONE, of(&attachment), at(1)).await;
    assert_refused!(refused, ChatError::RateLimited { .. });
    assert!(!stays(&chat, &attachment).await);
}
