use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{Tag, Tagging};
use chat_domain::{
    AttachmentEraser, AttachmentKey, AttachmentStore, AttachmentStoreError, BoxError, DOWNLOAD_URL_LIFETIME,
    IMAGE_MAX_BYTES, ImageFacts, ListedUpload, SignedUrl, StoredObject, Timestamp, UPLOAD_URL_LIFETIME,
    UploadsPage,
};

use crate::calls;
use crate::cloudfront_signer::CloudFrontSigner;

/// The tag that an upload bears until a message shows it: a rule of the bucket deletes what bears it after a
/// day.
const PENDING: &str = "chat-upload=pending";

/// Uploaded images in an S3 bucket.
///
/// - An upload URL signs the type, the length, `If-None-Match: *` and the tag `chat-upload=pending`: S3 takes
///   that one object, once, and the bucket's lifecycle deletes what bears the tag.
///   [`keep`](AttachmentStore::keep) takes it off, and [`release`](AttachmentStore::release) puts it back. A
///   URL counts from the full second before `now`.
/// - [`inspect`](AttachmentStore::inspect) is one request; S3 says length, type and age with the bytes.
/// - Who signs upload URLs needs `s3:PutObject` and `s3:PutObjectTagging` on the objects, and who signs
///   download URLs `s3:GetObject`, unless they are [CloudFront's](Self::with_downloads_from). To send needs
///   `s3:GetObject`, `s3:DeleteObjectTagging` and `s3:PutObjectTagging`, and `s3:ListBucket` on the bucket:
///   without that S3 answers 403 for what is not there.
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
    downloads: Option<CloudFrontSigner>,
}

impl S3AttachmentStore {
    /// A store in the bucket of this name. The configuration brings region and credentials; timeouts and
    /// retries are set here.
    #[must_use]
    pub fn new(config: Builder, bucket: impl Into<String>) -> Self {
        // By default the SDK signs a checksum of the body along, which here is the browser's; and a range has
        // none.
        let config = config
            .retry_config(calls::retries())
            .timeout_config(calls::timeouts())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        Self { client: Client::from_conf(config.build()), bucket: bucket.into(), downloads: None }
    }

    /// The same store, whose images are opened through a CloudFront distribution in front of the bucket. The
    /// distribution says of what it serves that it is to be saved, as a presigned URL does.
    #[must_use]
    pub fn with_downloads_from(self, signer: CloudFrontSigner) -> Self {
        Self { downloads: Some(signer), ..self }
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

/// How a URL is signed at `now`, and when it expires. A signature has no milliseconds, so both count from the
/// full second.
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

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_unix_ms(at.to_millis().ok()?).ok()
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
            .if_none_match("*")
            .tagging(PENDING);
        let request = put.presigned(signing).await.map_err(failed(OPERATION))?;
        Ok(signed(&request, expires_at))
    }

    async fn inspect(&self, key: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError> {
        const OPERATION: &str = "inspect";
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        let object = match get.range(format!("bytes=0-{}", IMAGE_MAX_BYTES - 1)).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(OPERATION)(error)),
        };
        let size_bytes = object.content_range().and_then(length);
        let size_bytes = size_bytes.ok_or_else(|| unavailable(OPERATION, "S3 did not say the length"))?;
        let uploaded_at = object.last_modified().and_then(timestamp);
        let uploaded_at =
            uploaded_at.ok_or_else(|| unavailable(OPERATION, "S3 did not say since when it has it"))?;
        let content_type = object.content_type().unwrap_or_default().to_owned();
        let body = object.body.collect().await.map_err(|error| unavailable(OPERATION, error))?;
        Ok(Some(StoredObject { content_type, size_bytes, uploaded_at, bytes: body.to_vec() }))
    }

    async fn keep(&self, key: &AttachmentKey) -> Result<bool, AttachmentStoreError> {
        let untag = self.client.delete_object_tagging().bucket(&self.bucket).key(key.as_str());
        match untag.send().await {
            Ok(_) => Ok(true),
            // The SDK models no error of this call.
            Err(error) if error.code() == Some("NoSuchKey") => Ok(false),
            Err(error) => Err(failed("keep")(error)),
        }
    }

    async fn release(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        let (name, value) = PENDING.split_once('=').expect("it is a name and a value");
        let tag = Tag::builder().key(name).value(value).build().expect("it has both");
        let tagging = Tagging::builder().tag_set(tag).build().expect("it has a tag");
        let tagged = self.client.put_object_tagging().bucket(&self.bucket).key(key.as_str()).tagging(tagging);
        match tagged.send().await {
            Ok(_) => Ok(()),
            // The SDK models no error of this call.
            Err(error) if error.code() == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(failed("release")(error)),
        }
    }

    async fn download_url(
        &self,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        const OPERATION: &str = "download_url";
        let (signing, expires_at) = signing(OPERATION, now, DOWNLOAD_URL_LIFETIME)?;
        if let Some(signer) = &self.downloads {
            let url = signer.url(key.as_str(), expires_at).map_err(|error| unavailable(OPERATION, error))?;
            return Ok(SignedUrl { url, headers: Vec::new(), expires_at });
        }
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        // An <img> shows it all the same; whoever visits the URL gets a file.
        let get = get.response_content_type(key.kind().as_str()).response_content_disposition("attachment");
        let request = get.presigned(signing).await.map_err(failed(OPERATION))?;
        Ok(signed(&request, expires_at))
    }
}

/// Needs `s3:ListBucket` on the bucket and `s3:DeleteObject` on the objects, which no function has.
#[async_trait]
impl AttachmentEraser for S3AttachmentStore {
    async fn list(&self, after: Option<AttachmentKey>) -> Result<UploadsPage, AttachmentStoreError> {
        const OPERATION: &str = "list";
        let list = self.client.list_objects_v2().bucket(&self.bucket);
        let after = after.map(|key| key.to_string());
        let page = list.set_start_after(after).send().await.map_err(failed(OPERATION))?;
        let listed = page.contents().iter().filter_map(|object| {
            let key: AttachmentKey = object.key()?.parse().ok()?;
            Some((key, object.size(), object.last_modified().and_then(timestamp)))
        });
        let uploads = listed.map(|(key, size, at)| {
            let size_bytes = size.and_then(|size| u64::try_from(size).ok());
            let said =
                size_bytes.zip(at).ok_or_else(|| unavailable(OPERATION, "S3 did not say size and age"));
            said.map(|(size_bytes, uploaded_at)| ListedUpload { key, size_bytes, uploaded_at })
        });
        let uploads = uploads.collect::<Result<Vec<_>, _>>()?;
        let is_cut = page.is_truncated() == Some(true);
        let next = uploads.last().map(|last| last.key.clone()).filter(|_| is_cut);
        if is_cut && next.is_none() {
            return Err(unavailable(OPERATION, "a thousand objects in a row are no attachments"));
        }
        Ok(UploadsPage { uploads, next })
    }

    async fn delete(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        delete.send().await.map(drop).map_err(failed("delete"))
    }
}

impl fmt::Debug for S3AttachmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3AttachmentStore").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
