use std::sync::Arc;

use chat_domain::{
    AttachmentKey, AttachmentStoreError, ChatError, DOWNLOAD_URL_LIFETIME, ImageType, MockAttachmentStore,
    OpenAttachment,
};

use crate::assert_refused;
use crate::chat::*;

fn key() -> AttachmentKey {
    AttachmentKey::mint(&their_room(), MINJI, ImageType::Png, 7)
}

#[tokio::test]
async fn both_members_may_see_it() {
    let chat = Chat::new().await;
    let open = OpenAttachment::new(Arc::new(chat.attachments.clone()));
    for member in [minji(), junho()] {
        let url = open.execute(&member, &key(), at(0)).await.unwrap();
        assert_eq!(url.expires_at, at(0).after(DOWNLOAD_URL_LIFETIME));
        assert!(url.url.contains(key().as_str()));
    }
}

#[tokio::test]
async fn for_anybody_else_it_does_not_exist_and_the_store_is_not_asked() {
    let open = OpenAttachment::new(Arc::new(MockAttachmentStore::new()));
    let refused = open.execute(&email("sora@example.com"), &key(), at(0)).await;
    assert_refused!(refused, ChatError::AttachmentMissing);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut attachments = MockAttachmentStore::new();
    attachments
        .expect_download_url()
        .returning(|_, _| Err(AttachmentStoreError::Throttled { operation: "download_url" }));
    let open = OpenAttachment::new(Arc::new(attachments));
    assert_refused!(open.execute(&minji(), &key(), at(0)).await, ChatError::Unavailable { .. });
}
