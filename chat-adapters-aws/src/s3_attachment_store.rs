use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use chat_domain::{
    AttachmentKey, AttachmentStore, AttachmentStoreError, BoxError, DOWNLOAD_URL_LIFETIME, ImageFacts,
    SIGNATURE_BYTES, SignedUrl, StoredObject, Timestamp, UPLOAD_URL_LIFETIME,
};

use crate::calls;

/// Uploaded images in an S3 bucket.
///
/// - An upload URL signs the type, the length and `If-None-Match: *`: S3 takes that one object, once. A URL counts from the full
///   second before `now`.
/// - [`inspect`](AttachmentStore::inspect) is one request for the first bytes; S3 says the length with them.
/// - The function's role needs `s3:GetObject` and `s3:PutObject` on the objects, and `s3:ListBucket` on the bucket: without
///   that S3 answers 403 for what is not there.
///
/// ```no_run
/// use chat_adapters_aws::S3AttachmentStore;
///
/// fn compose(sdk: aws_sdk_s3::config::Builder) -> S3AttachmentStore {
///     S3AttachmentStore::new(sdk, "playground-attachments")
/// }
/// ```
#[derive(Clone)]
pub struct S3AttachmentStore {
    client: Client,
    bucket: String,
}

impl S3AttachmentStore {
    /// A store in the bucket of this name. The configuration brings region and credentials; timeouts and retries are set here.
    #[must_use]
    pub fn new(config: Builder, bucket: impl Into<String>) -> Self {
        // By default the SDK signs a checksum of the body along, which here is the browser's; and a range has none.
        let config = config
            .retry_config(calls::retries())
            .timeout_config(calls::timeouts())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        Self { client: Client::from_conf(config.build()), bucket: bucket.into() }
    }
}

fn unavailable(operation: &'static str, source: impl Into<BoxError>) -> AttachmentStoreError {
    AttachmentStoreError::Unavailable { operation, source: source.into() }
}

fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> AttachmentStoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| match error.code() {
        Some("SlowDown" | "ThrottlingException" | "RequestLimitExceeded") => {
            AttachmentStoreError::Throttled { operation }
        }
        _ => unavailable(operation, error),
    }
}

/// How a URL is signed at `now`, and when it expires: signatures know full seconds only.
fn signing(
    operation: &'static str,
    now: Timestamp,
    lifetime: Duration,
) -> Result<(PresigningConfig, Timestamp), AttachmentStoreError> {
    let seconds =
        u64::try_from(now.unix_ms().div_euclid(1_000)).map_err(|error| unavailable(operation, error))?;
    let since_1970 = Duration::from_secs(seconds);
    let config = PresigningConfig::builder().start_time(UNIX_EPOCH + since_1970).expires_in(lifetime).build();
    let config = config.map_err(|error| unavailable(operation, error))?;
    let full_second = Timestamp::from_unix_ms(now.unix_ms().div_euclid(1_000) * 1_000);
    let full_second = full_second.map_err(|error| unavailable(operation, error))?;
    Ok((config, full_second.after(lifetime)))
}

/// Without the headers that every client sends of itself, and no browser lets a page set.
fn signed(request: &PresignedRequest, expires_at: Timestamp) -> SignedUrl {
    let headers = request.headers().filter(|(name, _)| !matches!(*name, "content-length" | "host"));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    SignedUrl { url: request.uri().to_owned(), headers, expires_at }
}

/// The length in `bytes 0-11/1000`.
fn length(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

#[async_trait]
impl AttachmentStore for S3AttachmentStore {
    async fn upload_url(
        &self,
        key: &AttachmentKey,
        facts: ImageFacts,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        const OPERATION: &str = "upload_url";
        let (signing, expires_at) = signing(OPERATION, now, UPLOAD_URL_LIFETIME)?;
        let length = i64::try_from(facts.size_bytes()).map_err(|error| unavailable(OPERATION, error))?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .content_type(facts.kind().as_str())
            .content_length(length)
            .if_none_match("*");
        let request = put.presigned(signing).await.map_err(failed(OPERATION))?;
        Ok(signed(&request, expires_at))
    }

    async fn inspect(&self, key: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError> {
        const OPERATION: &str = "inspect";
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let first_bytes = get.range(format!("bytes=0-{}", SIGNATURE_BYTES - 1)).send().await;
        let object = match first_bytes {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(OPERATION)(error)),
        };
        let size_bytes = object.content_range().and_then(length);
        let size_bytes = size_bytes.ok_or_else(|| unavailable(OPERATION, "S3 did not say the length"))?;
        let content_type = object.content_type().unwrap_or_default().to_owned();
        let body = object.body.collect().await.map_err(|error| unavailable(OPERATION, error))?;
        Ok(Some(StoredObject { content_type, size_bytes, first_bytes: body.to_vec() }))
    }

    async fn download_url(
        &self,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        const OPERATION: &str = "download_url";
        let (signing, expires_at) = signing(OPERATION, now, DOWNLOAD_URL_LIFETIME)?;
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let request = get.presigned(signing).await.map_err(failed(OPERATION))?;
        Ok(signed(&request, expires_at))
    }
}

impl fmt::Debug for S3AttachmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3AttachmentStore").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
