use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::conformance::{JUNHO, MINJI, november, race, suite, their_room};
use crate::{
    AttachmentKey, AttachmentStore, DOWNLOAD_URL_LIFETIME, ImageFacts, ImageType, SignedUrl, StoredObject,
    Timestamp, UPLOAD_KEPT_FOR, UPLOAD_URL_LIFETIME,
};

suite! {
    /// Expands to one test for each behaviour of an [`AttachmentStore`](crate::AttachmentStore), each on an
    /// [`AttachmentStoreHarness`](crate::conformance::AttachmentStoreHarness) that the given `async` function
    /// returns, with nothing in the store. See [`conformance`](crate::conformance).
    attachment_store_conformance in attachment_store on one crate::conformance::AttachmentStoreHarness {
        "Uploads are fixed" {
            an_announced_upload_is_taken_and_seen,
            every_type_of_image_is_taken,
            a_larger_or_smaller_upload_is_refused,
            an_upload_of_another_type_is_refused,
            an_upload_url_works_until_it_expires,
            a_download_url_does_not_upload,
            a_url_does_not_work_for_another_key,
        }
        "Objects do not change" {
            a_second_upload_is_refused,
            a_second_url_for_the_same_key_does_not_replace_the_object,
            of_racing_uploads_of_a_key_one_is_taken,
            keeping_changes_nothing_of_an_object,
        }
        "Uploads are temporary" {
            what_nobody_kept_is_gone_after_a_day_and_not_before,
            what_was_kept_stays,
            a_refused_second_upload_leaves_what_was_kept,
            what_is_uploaded_anew_has_a_day_of_its_own,
        }
        "Consistency" {
            nothing_is_there_before_an_upload,
            an_upload_is_seen_at_once_by_who_saw_nothing_before,
        }
        "Downloads show what is kept" {
            what_nobody_kept_does_not_come_down,
            what_was_released_does_not_come_down_any_more,
        }
        "Downloads expire" {
            what_was_kept_comes_down_again,
            a_download_url_works_again_and_again_until_it_expires,
            a_download_url_of_nothing_is_given_and_finds_nothing,
            a_download_url_may_be_given_before_the_upload,
            an_upload_url_does_not_download,
            a_url_with_a_changed_signature_does_not_work,
        }
        // The suite has no way to make a store fail: the tests of each adapter do that.
        "Errors" {}
        "upload_url" {
            an_upload_url_says_when_it_expires_and_what_to_send,
        }
        "inspect" {
            an_object_is_shown_whole_however_short_or_long,
            an_object_shows_when_it_was_uploaded,
        }
        "keep" {
            only_what_is_there_can_be_kept,
        }
        "release" {
            what_is_not_there_can_be_released,
        }
        "download_url" {
            a_download_url_says_when_it_expires,
        }
    }
}

/// The browser that uses the URLs of an [`AttachmentStore`].
#[async_trait]
pub trait AttachmentStoreHarness: Send + Sync {
    /// The store under test.
    fn store(&self) -> &dyn AttachmentStore;

    /// A `PUT` of `bytes` to the URL at `now`: with the URL's headers, but with this content type, and with
    /// the length of `bytes`. Whether it was taken.
    async fn put(&self, url: &SignedUrl, content_type: &str, bytes: &[u8], now: Timestamp) -> bool;

    /// Deletes what the store may delete at `now`, as it does at some time or other.
    async fn expire(&self, now: Timestamp);

    /// A `GET` of the URL at `now`, with the URL's headers: what came back, if it was a success.
    async fn get(&self, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>>;
}

type Harness = Arc<dyn AttachmentStoreHarness>;

const STORED: &str = "the store works";
const PNG: &str = "image/png";

fn key(random: u128) -> AttachmentKey {
    AttachmentKey::mint(&their_room(), MINJI, facts(ImageType::Png, &picture()), random)
}

fn facts(kind: ImageType, bytes: &[u8]) -> ImageFacts {
    let size_bytes = u64::try_from(bytes.len()).expect("a length fits 64 bits");
    ImageFacts::new(kind, size_bytes, 640, 480).expect("the facts are within bounds")
}

/// A thousand bytes that begin as a PNG file does; no two of them are next to their like.
fn picture() -> Vec<u8> {
    let signature = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];
    signature.into_iter().chain((0..=250).cycle()).take(1_000).collect()
}

async fn upload_url(harness: &Harness, key: &AttachmentKey, bytes: &[u8]) -> SignedUrl {
    harness.store().upload_url(key, facts(ImageType::Png, bytes), november(23)).await.expect(STORED)
}

async fn download_url(harness: &Harness, key: &AttachmentKey) -> SignedUrl {
    harness.store().download_url(key, november(23)).await.expect(STORED)
}

/// Uploads what the URL was asked for.
async fn upload(harness: &Harness, key: &AttachmentKey, bytes: &[u8]) {
    let url = upload_url(harness, key, bytes).await;
    assert!(harness.put(&url, PNG, bytes, november(23)).await);
}

async fn inspect(harness: &Harness, key: &AttachmentKey) -> Option<StoredObject> {
    harness.store().inspect(key).await.expect(STORED)
}

/// What is seen of something that was uploaded as announced.
fn seen(content_type: &str, bytes: &[u8]) -> Option<StoredObject> {
    Some(StoredObject {
        content_type: content_type.to_owned(),
        size_bytes: u64::try_from(bytes.len()).expect("a length fits 64 bits"),
        uploaded_at: november(23),
        bytes: bytes.to_vec(),
    })
}

async fn nothing_is_there_before_an_upload(harness: Harness) {
    assert_eq!(inspect(&harness, &key(1)).await, None);
    upload_url(&harness, &key(1), &picture()).await;
    assert_eq!(inspect(&harness, &key(1)).await, None, "a URL is no upload");
}

async fn an_upload_is_seen_at_once_by_who_saw_nothing_before(harness: Harness) {
    for random in 1..=3 {
        assert_eq!(inspect(&harness, &key(random)).await, None);
        upload(&harness, &key(random), &picture()).await;
        assert_eq!(inspect(&harness, &key(random)).await, seen(PNG, &picture()));
    }
}

async fn an_announced_upload_is_taken_and_seen(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
    assert_eq!(inspect(&harness, &key(2)).await, None);
}

async fn every_type_of_image_is_taken(harness: Harness) {
    for kind in [ImageType::Jpeg, ImageType::Png, ImageType::Webp, ImageType::Gif] {
        let key = AttachmentKey::mint(&their_room(), JUNHO, facts(kind, &picture()), 1);
        let facts = facts(kind, &picture());
        let url = harness.store().upload_url(&key, facts, november(23)).await.expect(STORED);
        assert!(harness.put(&url, kind.as_str(), &picture(), november(23)).await);
        assert_eq!(inspect(&harness, &key).await, seen(kind.as_str(), &picture()));
    }
}

async fn an_object_is_shown_whole_however_short_or_long(harness: Harness) {
    let long = picture().repeat(2_000);
    for bytes in [&long[..1], &long[..12], &long[..65_536], &long] {
        let key = key(u128::try_from(bytes.len()).expect("a length fits 128 bits"));
        upload(&harness, &key, bytes).await;
        assert!(inspect(&harness, &key).await == seen(PNG, bytes), "{} bytes", bytes.len());
    }
}

async fn an_object_shows_when_it_was_uploaded(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    let a_minute_later = november(23).after(Duration::from_secs(60));
    assert!(harness.put(&url, PNG, &picture(), a_minute_later).await);
    let object = inspect(&harness, &key(1)).await.expect("it was uploaded");
    assert_eq!(object.uploaded_at, a_minute_later);
}

async fn keep(harness: &Harness, key: &AttachmentKey) -> bool {
    harness.store().keep(key).await.expect(STORED)
}

async fn what_nobody_kept_is_gone_after_a_day_and_not_before(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    let a_day_later = november(23).after(UPLOAD_KEPT_FOR);
    harness.expire(a_day_later.previous()).await;
    assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
    harness.expire(a_day_later).await;
    assert_eq!(inspect(&harness, &key(1)).await, None);
    assert!(!keep(&harness, &key(1)).await, "it is too late");
}

async fn what_was_kept_stays(harness: Harness) {
    for random in 1..=3 {
        upload(&harness, &key(random), &picture()).await;
    }
    for random in [1, 3, 3] {
        assert!(keep(&harness, &key(random)).await);
    }
    harness.expire(november(23).after(UPLOAD_KEPT_FOR * 2)).await;
    for (random, stays) in [(1, true), (2, false), (3, true)] {
        assert_eq!(inspect(&harness, &key(random)).await.is_some(), stays, "{random}");
    }
}

async fn what_is_uploaded_anew_has_a_day_of_its_own(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    let a_day_later = november(23).after(UPLOAD_KEPT_FOR);
    harness.expire(a_day_later).await;
    let url = harness.store().upload_url(&key(1), facts(ImageType::Png, &picture()), a_day_later).await;
    assert!(harness.put(&url.expect(STORED), PNG, &picture(), a_day_later).await);
    let two_days_later = a_day_later.after(UPLOAD_KEPT_FOR);
    harness.expire(two_days_later.previous()).await;
    assert!(inspect(&harness, &key(1)).await.is_some());
    harness.expire(two_days_later).await;
    assert_eq!(inspect(&harness, &key(1)).await, None);
}

async fn keeping_changes_nothing_of_an_object(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    for _ in 0..2 {
        assert!(keep(&harness, &key(1)).await);
        assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
    }
    let url = download_url(&harness, &key(1)).await;
    assert_eq!(harness.get(&url, november(23)).await, Some(picture()));
}

async fn only_what_is_there_can_be_kept(harness: Harness) {
    assert!(!keep(&harness, &key(1)).await);
    upload(&harness, &key(1), &picture()).await;
    assert!(!keep(&harness, &key(2)).await);
    harness.expire(november(23).after(UPLOAD_KEPT_FOR)).await;
    assert_eq!(inspect(&harness, &key(1)).await, None, "keeping nothing keeps nothing");
}

async fn a_refused_second_upload_leaves_what_was_kept(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    assert!(harness.put(&url, PNG, &picture(), november(23)).await);
    assert!(keep(&harness, &key(1)).await);
    assert!(!harness.put(&url, PNG, &picture(), november(23)).await);
    harness.expire(november(23).after(UPLOAD_KEPT_FOR * 2)).await;
    assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
}

async fn a_larger_or_smaller_upload_is_refused(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    let mut larger = picture();
    larger.push(0);
    let smaller = &picture()[..picture().len() - 1];
    for bytes in [&larger, smaller, &[]] {
        assert!(!harness.put(&url, PNG, bytes, november(23)).await);
        assert_eq!(inspect(&harness, &key(1)).await, None);
    }
    assert!(harness.put(&url, PNG, &picture(), november(23)).await, "a refusal uses nothing up");
}

async fn an_upload_of_another_type_is_refused(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    for content_type in ["image/jpeg", "text/html", "image/svg+xml"] {
        assert!(!harness.put(&url, content_type, &picture(), november(23)).await);
        assert_eq!(inspect(&harness, &key(1)).await, None);
    }
}

async fn a_second_upload_is_refused(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    assert!(harness.put(&url, PNG, &picture(), november(23)).await);
    let mut other = picture();
    other.reverse();
    assert!(!harness.put(&url, PNG, &other, november(23)).await);
    assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
}

async fn of_racing_uploads_of_a_key_one_is_taken(harness: Harness) {
    for random in 1..=10 {
        let key = key(random);
        let url = upload_url(&harness, &key, &picture()).await;
        let mut pictures = vec![picture(); 4];
        for (n, picture) in (0..).zip(&mut pictures) {
            picture[999] = n;
        }
        let taken = race(pictures.iter().map(|picture| {
            let (harness, url, picture) = (Arc::clone(&harness), url.clone(), picture.clone());
            async move { harness.put(&url, PNG, &picture, november(23)).await }
        }))
        .await;
        let mut winners = pictures.iter().zip(taken).filter_map(|(picture, taken)| taken.then_some(picture));
        let (winner, nobody) = (winners.next().expect("one is taken"), winners.next());
        assert_eq!(nobody, None, "one is taken, and no other");
        assert_eq!(inspect(&harness, &key).await, seen(PNG, winner));
    }
}

async fn a_second_url_for_the_same_key_does_not_replace_the_object(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    let other = &picture()[..10];
    let url = upload_url(&harness, &key(1), other).await;
    assert!(!harness.put(&url, PNG, other, november(23)).await);
    assert_eq!(inspect(&harness, &key(1)).await, seen(PNG, &picture()));
}

async fn an_upload_url_works_until_it_expires(harness: Harness) {
    let expires_at = november(23).after(UPLOAD_URL_LIFETIME);
    let url = upload_url(&harness, &key(1), &picture()).await;
    assert!(!harness.put(&url, PNG, &picture(), expires_at).await);
    assert_eq!(inspect(&harness, &key(1)).await, None);
    assert!(harness.put(&url, PNG, &picture(), expires_at.previous()).await);
}

async fn an_upload_url_says_when_it_expires_and_what_to_send(harness: Harness) {
    let url = upload_url(&harness, &key(1), &picture()).await;
    assert_eq!(url.expires_at, november(23).after(UPLOAD_URL_LIFETIME));
    let content_types: Vec<_> =
        url.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).collect();
    assert!(matches!(content_types[..], [(_, value)] if value == PNG), "{:?}", url.headers);
}

async fn what_nobody_kept_does_not_come_down(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    upload(&harness, &key(2), &picture()).await;
    let url = download_url(&harness, &key(1)).await;
    assert_eq!(harness.get(&url, november(23)).await, None);
    assert!(keep(&harness, &key(2)).await);
    assert_eq!(harness.get(&url, november(23)).await, None, "another one was kept");
    assert!(keep(&harness, &key(1)).await);
    assert_eq!(harness.get(&url, november(23)).await, Some(picture()), "the same URL shows it now");
}

async fn what_was_released_does_not_come_down_any_more(harness: Harness) {
    for random in [1, 2] {
        upload(&harness, &key(random), &picture()).await;
        assert!(keep(&harness, &key(random)).await);
    }
    let urls = [download_url(&harness, &key(1)).await, download_url(&harness, &key(2)).await];
    for _ in 0..2 {
        harness.store().release(&key(1)).await.expect(STORED);
        assert_eq!(harness.get(&urls[0], november(23)).await, None);
    }
    assert_eq!(harness.get(&urls[1], november(23)).await, Some(picture()), "another one was released");
    harness.expire(november(25)).await;
    assert_eq!(inspect(&harness, &key(1)).await, None);
    assert!(inspect(&harness, &key(2)).await.is_some());
}

async fn what_is_not_there_can_be_released(harness: Harness) {
    harness.store().release(&key(1)).await.expect(STORED);
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await, "what comes later is not released");
}

async fn what_was_kept_comes_down_again(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    upload(&harness, &key(2), &picture()[..10]).await;
    assert!(keep(&harness, &key(1)).await);
    let url = download_url(&harness, &key(1)).await;
    assert_eq!(harness.get(&url, november(23)).await, Some(picture()));
}

async fn a_download_url_works_again_and_again_until_it_expires(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await);
    let url = download_url(&harness, &key(1)).await;
    let expires_at = november(23).after(DOWNLOAD_URL_LIFETIME);
    for now in [november(23), expires_at.previous()] {
        assert_eq!(harness.get(&url, now).await, Some(picture()));
    }
    assert_eq!(harness.get(&url, expires_at).await, None);
}

async fn a_download_url_says_when_it_expires(harness: Harness) {
    let url = download_url(&harness, &key(1)).await;
    assert_eq!(url.expires_at, november(23).after(DOWNLOAD_URL_LIFETIME));
}

async fn a_download_url_of_nothing_is_given_and_finds_nothing(harness: Harness) {
    let url = download_url(&harness, &key(1)).await;
    assert_eq!(harness.get(&url, november(23)).await, None);
}

async fn a_download_url_may_be_given_before_the_upload(harness: Harness) {
    let url = download_url(&harness, &key(1)).await;
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await);
    assert_eq!(harness.get(&url, november(23)).await, Some(picture()));
}

async fn a_download_url_does_not_upload(harness: Harness) {
    let url = download_url(&harness, &key(1)).await;
    assert!(!harness.put(&url, PNG, &picture(), november(23)).await);
    assert_eq!(inspect(&harness, &key(1)).await, None);
}

async fn an_upload_url_does_not_download(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await);
    let url = upload_url(&harness, &key(1), &picture()).await;
    assert_eq!(harness.get(&url, november(23)).await, None);
}

fn with_text_replaced(url: &SignedUrl, from: &str, to: &str) -> SignedUrl {
    let changed = url.url.replace(from, to);
    assert_ne!(changed, url.url, "the URL holds what is to be replaced");
    SignedUrl { url: changed, ..url.clone() }
}

async fn a_url_does_not_work_for_another_key(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await);
    let downloads_other = download_url(&harness, &key(2)).await;
    let forged = with_text_replaced(&downloads_other, key(2).as_str(), key(1).as_str());
    assert_eq!(harness.get(&forged, november(23)).await, None);

    let uploads_other = upload_url(&harness, &key(2), &picture()).await;
    let forged = with_text_replaced(&uploads_other, key(2).as_str(), key(3).as_str());
    assert!(!harness.put(&forged, PNG, &picture(), november(23)).await);
    assert_eq!(inspect(&harness, &key(3)).await, None);
}

async fn a_url_with_a_changed_signature_does_not_work(harness: Harness) {
    upload(&harness, &key(1), &picture()).await;
    assert!(keep(&harness, &key(1)).await);
    let mut url = download_url(&harness, &key(1)).await;
    let last = url.url.pop().expect("a URL is not empty");
    url.url.push(if last == '0' { '1' } else { '0' });
    assert_eq!(harness.get(&url, november(23)).await, None);
    url.url.pop();
    assert_eq!(harness.get(&url, november(23)).await, None);
}
