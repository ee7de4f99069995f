use std::num::NonZeroU64;
use std::sync::Arc;

use chat_domain::{
    AttachmentStore, AttachmentStoreError, ChatError, DailyLimits, FirstContact, ImageFacts, ImageType,
    MockAttachmentStore, RequestUpload, SendPolicy, UPLOAD_URL_LIFETIME, UserStore as _,
};

use crate::assert_refused;
use crate::chat::*;

fn over(chat: &Chat, attachments: impl AttachmentStore + 'static) -> RequestUpload {
    RequestUpload::new(chat.messages.port(), Arc::new(attachments), chat.users.clone(), chat.policy)
}

fn facts() -> ImageFacts {
    ImageFacts::new(ImageType::Png, 1_000, 20, 10).unwrap()
}

#[tokio::test]
async fn the_key_belongs_to_the_uploader_and_the_room() {
    let chat = Chat::new().await;
    let request = over(&chat, chat.attachments.clone());
    let upload = request.execute(&minji(), &junho(), facts(), 7, at(0)).await.unwrap();
    assert!(upload.key.is_by(&their_room(), MINJI));
    assert!(!upload.key.is_by(&their_room(), JUNHO));
    assert_eq!(upload.url.expires_at, at(0).after(UPLOAD_URL_LIFETIME));
    assert!(upload.url.url.contains(upload.key.as_str()));
}

#[tokio::test]
async fn what_is_announced_counts_until_the_next_day() {
    let daily = DailyLimits { upload_bytes: NonZeroU64::new(2_500).unwrap(), ..DailyLimits::default() };
    let chat = Chat::with_policy(SendPolicy { daily, ..no_limit() }).await;
    let request = over(&chat, chat.attachments.clone());
    for n in 0..2 {
        request.execute(&minji(), &junho(), facts(), n, at(0)).await.unwrap();
    }
    let refused = request.execute(&minji(), &junho(), facts(), 2, at(0)).await;
    let Err(ChatError::RateLimited { retry_after }) = refused else { panic!("{refused:?}") };
    request.execute(&junho(), &minji(), facts(), 3, at(0)).await.unwrap();
    request.execute(&minji(), &junho(), facts(), 4, at(0).after(retry_after)).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_refused_counts_nothing() {
    let chat = Chat::with_policy(SendPolicy { first_contact: FirstContact::Request, ..no_limit() }).await;
    let request = over(&chat, chat.attachments.clone());
    let refused = request.execute(&minji(), &junho(), facts(), 7, at(0)).await;
    assert_refused!(refused, ChatError::NotAccepted);
    assert_eq!(chat.users.get(&minji()).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_uploads_for_themselves() {
    let chat = Chat::new().await;
    let request = over(&chat, chat.attachments.clone());
    assert_refused!(request.execute(&minji(), &minji(), facts(), 7, at(0)).await, ChatError::SelfChat);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut attachments = MockAttachmentStore::new();
    attachments
        .expect_upload_url()
        .returning(|_, _, _| Err(AttachmentStoreError::Throttled { operation: "upload_url" }));
    let chat = Chat::new().await;
    let request = over(&chat, attachments);
    let refused = request.execute(&minji(), &junho(), facts(), 7, at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}
