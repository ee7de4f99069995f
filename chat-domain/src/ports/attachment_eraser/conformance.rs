use std::sync::Arc;

use crate::conformance::{AttachmentStoreHarness, JUNHO, MINJI, november, suite, their_room};
use crate::{
    AttachmentEraser, AttachmentKey, ImageFacts, ImageType, ListedUpload, Member, Timestamp, UPLOAD_KEPT_FOR,
};

suite! {
    /// Expands to one test for each behaviour of an [`AttachmentEraser`](crate::AttachmentEraser), each on an
    /// [`AttachmentEraserHarness`](crate::conformance::AttachmentEraserHarness) that the given `async`
    /// function returns, with nothing in the store. See [`conformance`](crate::conformance).
    attachment_eraser_conformance in attachment_eraser on one crate::conformance::AttachmentEraserHarness {
        "Consistency" {
            where_nothing_was_uploaded_nothing_is_listed,
            a_list_sees_every_upload_and_deletion_before_it,
        }
        "Idempotency" {
            what_is_deleted_is_gone_whether_or_not_it_was_there,
        }
        // The suite has no way to make a store fail: the tests of each adapter do that.
        "Errors" {}
        "list" {
            uploads_are_listed_by_their_keys_kept_or_not,
            a_list_goes_on_after_a_key,
            a_list_goes_on_after_a_key_that_is_gone,
            more_uploads_than_a_page_holds_are_listed_once_each,
        }
        "delete" {
            what_is_uploaded_again_after_a_deletion_is_not_kept,
            what_is_uploaded_again_after_a_deletion_has_a_day_of_its_own,
        }
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
    let key = AttachmentKey::mint(&their_room(), uploader, facts(), random);
    upload_at(harness, &key, november(23)).await;
    key
}

fn facts() -> ImageFacts {
    ImageFacts::new(ImageType::Png, 4, 1, 1).expect("the facts are within bounds")
}

async fn upload_at(harness: &Harness, key: &AttachmentKey, now: Timestamp) {
    let url = harness.store().upload_url(key, facts(), now).await.expect(STORED);
    assert!(harness.put(&url, "image/png", b"1234", now).await);
}

/// All of them, page by page.
async fn listed(harness: &Harness) -> Vec<ListedUpload> {
    let (mut uploads, mut after) = (Vec::new(), None);
    loop {
        let page = harness.eraser().list(after).await.expect(STORED);
        assert!(page.uploads.len() <= 1_000, "a page has at most a thousand");
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

async fn a_list_sees_every_upload_and_deletion_before_it(harness: Harness) {
    let mut seen_so_far = Vec::new();
    for random in 1..=3 {
        seen_so_far.push(seen(&upload(&harness, MINJI, random).await));
        assert_eq!(listed(&harness).await, seen_so_far);
    }
    while let Some(last) = seen_so_far.pop() {
        harness.eraser().delete(&last.key).await.expect(STORED);
        assert_eq!(listed(&harness).await, seen_so_far);
    }
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

async fn a_list_goes_on_after_a_key(harness: Harness) {
    let keys = [upload(&harness, MINJI, 1).await, upload(&harness, MINJI, 2).await];
    for (after, rest) in [(None, &keys[..]), (Some(&keys[0]), &keys[1..]), (Some(&keys[1]), &[])] {
        let page = harness.eraser().list(after.cloned()).await.expect(STORED);
        assert_eq!((page.uploads, page.next), (rest.iter().map(seen).collect(), None));
    }
}

async fn more_uploads_than_a_page_holds_are_listed_once_each(harness: Harness) {
    let mut keys = Vec::new();
    for random in 0..1_001 {
        keys.push(upload(&harness, MINJI, random).await);
    }
    keys.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    assert!(listed(&harness).await == keys.iter().map(seen).collect::<Vec<_>>(), "each once, in order");
}

async fn what_is_uploaded_again_after_a_deletion_is_not_kept(harness: Harness) {
    let key = upload(&harness, MINJI, 1).await;
    assert!(harness.store().keep(&key).await.expect(STORED));
    harness.eraser().delete(&key).await.expect(STORED);
    assert_eq!(upload(&harness, MINJI, 1).await, key);
    harness.expire(november(23).after(UPLOAD_KEPT_FOR)).await;
    assert_eq!(harness.store().inspect(&key).await.expect(STORED), None);
}

async fn what_is_uploaded_again_after_a_deletion_has_a_day_of_its_own(harness: Harness) {
    let key = upload(&harness, MINJI, 1).await;
    harness.eraser().delete(&key).await.expect(STORED);
    upload_at(&harness, &key, november(24).previous()).await;
    harness.expire(november(23).after(UPLOAD_KEPT_FOR)).await;
    assert!(harness.store().inspect(&key).await.expect(STORED).is_some());
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
