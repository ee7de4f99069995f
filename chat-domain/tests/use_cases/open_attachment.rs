use std::num::NonZeroU32;
use std::sync::Arc;

use chat_domain::{
    AttachmentKey, AttachmentStore, AttachmentStoreError, BYTES_OF_A_REQUEST, ChatError,
    DOWNLOAD_URL_LIFETIME, IMAGE_MAX_BYTES, ImageFacts, ImageType, MockAttachmentStore, MockUserStore,
    OpenAttachment, RequestRate, UserStore, UserStoreError,
};

use crate::assert_refused;
use crate::chat::*;

fn of_bytes(size_bytes: u64) -> AttachmentKey {
    let facts = ImageFacts::new(ImageType::Png, size_bytes, 20, 10).unwrap();
    AttachmentKey::mint(&their_room(), MINJI, facts, 7)
}

/// A photo as the page makes them.
fn key() -> AttachmentKey {
    of_bytes(BYTES_OF_A_REQUEST)
}

fn over(attachments: impl AttachmentStore + 'static, users: Arc<dyn UserStore>) -> OpenAttachment {
    let rate = RequestRate { per_hour: NonZeroU32::new(100).unwrap(), ..RequestRate::default() };
    OpenAttachment::new(Arc::new(attachments), users, rate)
}

#[tokio::test]
async fn both_members_may_see_it() {
    let chat = Chat::new().await;
    let open = over(chat.attachments.clone(), chat.users.clone());
    for member in [minji(), junho()] {
        let url = open.execute(&member, &key(), at(0)).await.unwrap();
        assert_eq!(url.expires_at, at(0).after(DOWNLOAD_URL_LIFETIME));
        assert!(url.url.contains(key().as_str()));
    }
}

/// A mock fails the test when it is asked.
#[tokio::test]
async fn a_photo_of_the_page_neither_reads_nor_writes_the_users_row() {
    let chat = Chat::new().await;
    let open = over(chat.attachments.clone(), Arc::new(MockUserStore::new()));
    for _ in 0..200 {
        open.execute(&minji(), &key(), at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn for_anybody_else_it_does_not_exist_and_no_store_is_asked() {
    let open = over(MockAttachmentStore::new(), Arc::new(MockUserStore::new()));
    let refused = open.execute(&email("sora@example.com"), &of_bytes(IMAGE_MAX_BYTES), at(0)).await;
    assert_refused!(refused, ChatError::AttachmentMissing);
}

/// Each of the largest counts for 19 requests beside its call, and five of them for 95.
#[tokio::test]
async fn large_images_are_counted_before_they_are_opened_until_the_hour_is_over() {
    let chat = Chat::new().await;
    let open = over(chat.attachments.clone(), chat.users.clone());
    for _ in 0..5 {
        open.execute(&minji(), &of_bytes(IMAGE_MAX_BYTES), at(0)).await.unwrap();
    }
    for _ in 0..10 {
        let refused = open.execute(&minji(), &of_bytes(IMAGE_MAX_BYTES), at(60)).await;
        assert_refused!(refused, ChatError::RateLimited { .. });
    }
    open.execute(&minji(), &of_bytes(6 * BYTES_OF_A_REQUEST), at(60)).await.unwrap();
    let refused = open.execute(&minji(), &of_bytes(BYTES_OF_A_REQUEST + 1), at(60)).await;
    let Err(ChatError::RateLimited { retry_after }) = refused else { panic!("{refused:?}") };
    let row = chat.users.get(&minji()).await.unwrap().unwrap();
    assert_eq!((row.requests.unwrap().count, row.held_until), (100, None), "a refusal holds nobody up");

    open.execute(&junho(), &of_bytes(IMAGE_MAX_BYTES), at(60)).await.unwrap();
    open.execute(&minji(), &key(), at(60)).await.unwrap();
    open.execute(&minji(), &of_bytes(IMAGE_MAX_BYTES), at(60).after(retry_after)).await.unwrap();
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut attachments = MockAttachmentStore::new();
    attachments
        .expect_download_url()
        .returning(|_, _| Err(AttachmentStoreError::Throttled { operation: "download_url" }));
    let open = over(attachments, Arc::new(MockUserStore::new()));
    assert_refused!(open.execute(&minji(), &key(), at(0)).await, ChatError::Unavailable { .. });
}

#[tokio::test]
async fn a_large_image_that_cannot_be_counted_is_not_opened() {
    let mut users = MockUserStore::new();
    users.expect_get().returning(|_| Err(UserStoreError::Throttled { operation: "get" }));
    let open = over(MockAttachmentStore::new(), Arc::new(users));
    let refused = open.execute(&minji(), &of_bytes(IMAGE_MAX_BYTES), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}
