use std::sync::Arc;

use crate::conformance::{AttachmentStoreHarness, JUNHO, MINJI, november, suite, their_room};
use crate::{AttachmentEraser, AttachmentKey, ImageFacts, ImageType, ListedUpload, Member};

suite! {
    /// Expands to one test for each behaviour of an [`AttachmentEraser`](crate::AttachmentEraser), each on an
    /// [`AttachmentEraserHarness`](crate::conformance::AttachmentEraserHarness) that the given `async` function returns, with
    /// nothing in the store. See [`conformance`](crate::conformance).
    attachment_eraser_conformance in attachment_eraser on crate::conformance::AttachmentEraserHarness {
        where_nothing_was_uploaded_nothing_is_listed,
        uploads_are_listed_by_their_keys_kept_or_not,
        what_is_deleted_is_gone_whether_or_not_it_was_there,
        a_list_goes_on_after_a_key_that_is_gone,
    }
}

/// A store whose objects can be listed and deleted, and the browser that uploads them.
pub trait AttachmentEraserHarness: AttachmentStoreHarness {
    /// The port under test, over the same objects as the store.
    fn eraser(&self) -> &dyn AttachmentEraser;
}

type Harness = Arc<dyn AttachmentEraserHarness>;

const STORED: &str = "the store works";

async fn upload(harness: &Harness, uploader: Member, random: u128) -> AttachmentKey {
    let key = AttachmentKey::mint(&their_room(), uploader, ImageType::Png, random);
    let facts = ImageFacts::new(ImageType::Png, 4, 1, 1).expect("the facts are within bounds");
    let url = harness.store().upload_url(&key, facts, november(23)).await.expect(STORED);
    assert!(harness.put(&url, "image/png", b"1234", november(23)).await);
    key
}

/// All of them, page by page.
async fn listed(harness: &Harness) -> Vec<ListedUpload> {
    let (mut uploads, mut after) = (Vec::new(), None);
    loop {
        let page = harness.eraser().list(after).await.expect(STORED);
        uploads.extend(page.uploads);
        after = page.next;
        if after.is_none() {
            return uploads;
        }
    }
}

fn seen(key: &AttachmentKey) -> ListedUpload {
    ListedUpload { key: key.clone(), size_bytes: 4, uploaded_at: november(23) }
}

async fn where_nothing_was_uploaded_nothing_is_listed(harness: Harness) {
    assert_eq!(listed(&harness).await, []);
}

async fn uploads_are_listed_by_their_keys_kept_or_not(harness: Harness) {
    let junhos = upload(&harness, JUNHO, 2).await;
    let (second, first) = (upload(&harness, MINJI, 2).await, upload(&harness, MINJI, 1).await);
    assert!(harness.store().keep(&second).await.expect(STORED));
    assert_eq!(listed(&harness).await, [seen(&junhos), seen(&first), seen(&second)]);
}

async fn what_is_deleted_is_gone_whether_or_not_it_was_there(harness: Harness) {
    let (gone, stays) = (upload(&harness, MINJI, 1).await, upload(&harness, MINJI, 2).await);
    assert!(harness.store().keep(&gone).await.expect(STORED));
    for _ in 0..2 {
        harness.eraser().delete(&gone).await.expect(STORED);
    }
    assert_eq!(listed(&harness).await, [seen(&stays)]);
    assert_eq!(harness.store().inspect(&gone).await.expect(STORED), None);
    assert!(harness.store().inspect(&stays).await.expect(STORED).is_some());
}

async fn a_list_goes_on_after_a_key_that_is_gone(harness: Harness) {
    let keys = [
        upload(&harness, MINJI, 1).await,
        upload(&harness, MINJI, 2).await,
        upload(&harness, MINJI, 3).await,
    ];
    harness.eraser().delete(&keys[1]).await.expect(STORED);
    let page = harness.eraser().list(Some(keys[1].clone())).await.expect(STORED);
    assert_eq!((page.uploads, page.next), (vec![seen(&keys[2])], None));
}
