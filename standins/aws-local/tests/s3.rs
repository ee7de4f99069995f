//! A URL that is signed for one upload takes that upload:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html>.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_local::{ExpirationRule, S3};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use rstest::rstest;

struct Bucket {
    client: Client,
    folder: tempfile::TempDir,
}

async fn bucket() -> Bucket {
    bucket_with(None).await
}

async fn bucket_with(rule: Option<ExpirationRule>) -> Bucket {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::in_folder(folder.path(), "images", "key", "secret", rule).unwrap();
    let address = support::serve(s3.router()).await;
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true);
    Bucket { client: Client::from_conf(config.build()), folder }
}

impl Bucket {
    /// A URL for five bytes of `image/png`, once.
    async fn upload(&self, signed_at: SystemTime) -> PresignedRequest {
        let signing =
            PresigningConfig::builder().start_time(signed_at).expires_in(Duration::from_secs(300)).build();
        let put = self.client.put_object().bucket("images").key("one").content_type("image/png");
        put.content_length(5).if_none_match("*").presigned(signing.unwrap()).await.unwrap()
    }
}

async fn put(url: &PresignedRequest, content_type: &str, body: &str) -> u16 {
    support::put(url.uri(), &[("content-type", content_type), ("if-none-match", "*")], body).await
}

#[tokio::test]
async fn an_upload_as_it_was_signed_is_taken_once() {
    let bucket = bucket().await;
    let url = bucket.upload(SystemTime::now()).await;
    assert_eq!(put(&url, "image/png", "12345").await, 200);
    assert_eq!(put(&url, "image/png", "54321").await, 412);
    let stored =
        bucket.client.get_object().bucket("images").key("one").range("bytes=0-2").send().await.unwrap();
    assert_eq!((stored.content_type(), stored.content_range()), (Some("image/png"), Some("bytes 0-2/5")));
    assert_eq!(stored.body.collect().await.unwrap().to_vec(), b"123");
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[tokio::test]
async fn of_two_uploads_at_once_the_first_to_arrive_whole_stays() {
    let bucket = bucket().await;
    let url = bucket.upload(SystemTime::now()).await;
    let headers = [("content-type", "image/png"), ("if-none-match", "*")];
    let slow = support::begin_put(url.uri(), &headers, 5).await;
    assert_eq!(put(&url, "image/png", "12345").await, 200);
    assert_eq!(slow.go_on("54321").await, 412);
    let stored = bucket.client.get_object().bucket("images").key("one").send().await.unwrap();
    assert_eq!(stored.body.collect().await.unwrap().to_vec(), b"12345");
}

#[rstest]
#[case::another_type("image/gif", "12345")]
#[case::too_long("image/png", "123456")]
#[case::too_short("image/png", "1234")]
#[tokio::test]
async fn an_upload_that_differs_is_refused(#[case] content_type: &str, #[case] body: &str) {
    let bucket = bucket().await;
    let url = bucket.upload(SystemTime::now()).await;
    assert_eq!(put(&url, content_type, body).await, 403);
    let missing = bucket.client.get_object().bucket("images").key("one").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn a_url_expires() {
    let url = bucket().await.upload(SystemTime::now() - Duration::from_secs(301)).await;
    assert_eq!(put(&url, "image/png", "12345").await, 403);
}

/// Uploads of one tag expire at once, others never.
async fn forgetful_bucket() -> Bucket {
    let rule = ExpirationRule { tagging: "state=new".to_owned(), after: Duration::ZERO };
    bucket_with(Some(rule)).await
}

impl Bucket {
    async fn put_tagged(&self, key: &str, tagging: Option<&str>) {
        let put = self.client.put_object().bucket("images").key(key).body(b"12345".to_vec().into());
        put.set_tagging(tagging.map(str::to_owned)).send().await.unwrap();
    }

    async fn keys(&self) -> Vec<String> {
        let list = self.client.list_objects_v2().bucket("images").send().await.unwrap();
        list.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html#tagging-and-lifecycle>
#[tokio::test]
async fn what_bears_the_tag_of_a_rule_expires() {
    let bucket = forgetful_bucket().await;
    for (key, tagging) in [("a b/c", Some("state=new")), ("named", Some("state=old")), ("plain", None)] {
        bucket.put_tagged(key, tagging).await;
    }
    assert_eq!(bucket.keys().await, ["named", "plain"]);
    bucket.put_tagged("another", Some("state=new")).await;
    assert_eq!(bucket.keys().await, ["another", "named", "plain"]);
    bucket.put_tagged("last", None).await;
    assert_eq!(bucket.keys().await, ["last", "named", "plain"]);
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html>
#[tokio::test]
async fn a_url_shows_nothing_that_bears_the_tag_of_a_rule() {
    let later = Duration::from_secs(3_600);
    let bucket = bucket_with(Some(ExpirationRule { tagging: "state=new".to_owned(), after: later })).await;
    bucket.put_tagged("one", Some("state=new")).await;
    bucket.put_tagged("two", Some("state=old")).await;
    let get = async |key: &str| {
        let presigning = PresigningConfig::expires_in(later).unwrap();
        let request = bucket.client.get_object().bucket("images").key(key);
        support::get_status(request.presigned(presigning).await.unwrap().uri()).await
    };
    assert_eq!((get("one").await, get("two").await), (403, 200));
    let own = bucket.client.get_object().bucket("images").key("one").send().await;
    assert!(own.is_ok(), "whoever has the key may read it");
    bucket.client.delete_object_tagging().bucket("images").key("one").send().await.unwrap();
    assert_eq!(get("one").await, 200);
}

#[tokio::test]
async fn what_the_tag_was_taken_off_stays() {
    let bucket = forgetful_bucket().await;
    bucket.put_tagged("one", Some("state=new")).await;
    let untag =
        async |key: &str| bucket.client.delete_object_tagging().bucket("images").key(key).send().await;
    for _ in 0..2 {
        untag("one").await.unwrap();
    }
    bucket.put_tagged("two", None).await;
    assert_eq!(bucket.keys().await, ["one", "two"]);
    let missing = untag("three").await.unwrap_err();
    assert_eq!(missing.into_service_error().meta().code(), Some("NoSuchKey"));
}

/// A second upload that is refused leaves the tags of the first as they are.
#[tokio::test]
async fn a_refused_upload_tags_nothing() {
    let bucket = forgetful_bucket().await;
    bucket.put_tagged("one", None).await;
    let put = bucket.client.put_object().bucket("images").key("one").if_none_match("*");
    put.tagging("state=new").body(b"54321".to_vec().into()).send().await.unwrap_err();
    bucket.put_tagged("two", None).await;
    assert_eq!(bucket.keys().await, ["one", "two"]);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[rstest]
#[case("one")]
#[case("a b/c")]
#[tokio::test]
async fn what_is_deleted_is_gone_and_what_was_noted_of_it(#[case] key: &str) {
    let bucket = bucket().await;
    bucket.put_tagged(key, Some("state=new")).await;
    let before = files(bucket.folder.path());
    assert!(before.len() > 1, "its type, its checksums and its tags: {before:?}");
    for _ in 0..2 {
        bucket.client.delete_object().bucket("images").key(key).send().await.unwrap();
    }
    assert_eq!(bucket.keys().await, Vec::<String>::new());
    assert_eq!(files(bucket.folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_is_noted_of_an_object_stays_when_another_is_deleted() {
    let bucket = bucket().await;
    for key in ["one", "two"] {
        let put = bucket.client.put_object().bucket("images").key(key).content_type("image/png");
        put.body(b"12345".to_vec().into()).send().await.unwrap();
    }
    bucket.client.delete_object().bucket("images").key("one").send().await.unwrap();
    let two = bucket.client.head_object().bucket("images").key("two").send().await.unwrap();
    assert_eq!(two.content_type(), Some("image/png"));
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
#[tokio::test]
async fn an_upload_says_its_length() {
    let bucket = bucket().await;
    let url = bucket.upload(SystemTime::now()).await;
    let chunked =
        support::put_chunked(url.uri(), &[("content-type", "image/png"), ("if-none-match", "*")], "12345")
            .await;
    assert!(
        chunked.starts_with("HTTP/1.1 411 ") && chunked.contains("<Code>MissingContentLength</Code>"),
        "{chunked}"
    );
    assert_eq!(put(&url, "image/png", "12345").await, 200, "nothing was stored");
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestParameters>
#[tokio::test]
async fn a_download_has_the_headers_that_its_url_asks_for() {
    let bucket = bucket().await;
    bucket.put_tagged("one", None).await;
    let signing = PresigningConfig::expires_in(Duration::from_secs(300)).unwrap();
    let get = bucket.client.get_object().bucket("images").key("one");
    let get = get.response_content_type("image/png").response_content_disposition("attachment");
    let url = get.presigned(signing).await.unwrap();
    let headers = support::get(url.uri()).await;
    assert_eq!(
        (headers["content-type"].as_str(), headers["content-disposition"].as_str()),
        ("image/png", "attachment")
    );
}
