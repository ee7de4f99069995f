//! A URL that is signed for one upload takes that upload:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html>.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, SystemTime};

use aws_local::S3;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use rstest::rstest;

struct Bucket {
    client: Client,
    _folder: tempfile::TempDir,
}

async fn bucket() -> Bucket {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::in_folder(folder.path(), "images", "key", "secret").unwrap();
    let address = support::serve(s3.router()).await;
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true);
    Bucket { client: Client::from_conf(config.build()), _folder: folder }
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
