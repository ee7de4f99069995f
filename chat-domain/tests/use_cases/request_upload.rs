use std::sync::Arc;

use chat_domain::{
    AttachmentStoreError, ChatError, ImageFacts, ImageType, MockAttachmentStore, RequestUpload,
    UPLOAD_URL_LIFETIME,
};

use crate::assert_refused;
use crate::chat::*;

fn facts() -> ImageFacts {
    ImageFacts::new(ImageType::Png, 1_000, 20, 10).unwrap()
}

#[tokio::test]
async fn the_key_belongs_to_the_uploader_and_the_room() {
    let chat = Chat::new().await;
    let request = RequestUpload::new(Arc::new(chat.attachments.clone()));
    let upload = request.execute(&minji(), &junho(), facts(), 7, at(0)).await.unwrap();
    assert!(upload.key.is_by(&their_room(), MINJI));
    assert!(!upload.key.is_by(&their_room(), JUNHO));
    assert_eq!(upload.url.expires_at, at(0).after(UPLOAD_URL_LIFETIME));
    assert!(upload.url.url.contains(upload.key.as_str()));
}

#[tokio::test]
async fn nobody_uploads_for_themselves() {
    let chat = Chat::new().await;
    let request = RequestUpload::new(Arc::new(chat.attachments.clone()));
    assert_refused!(request.execute(&minji(), &minji(), facts(), 7, at(0)).await, ChatError::SelfChat);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut attachments = MockAttachmentStore::new();
    attachments
        .expect_upload_url()
        .returning(|_, _, _| Err(AttachmentStoreError::Throttled { operation: "upload_url" }));
    let request = RequestUpload::new(Arc::new(attachments));
    let refused = request.execute(&minji(), &junho(), facts(), 7, at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}
