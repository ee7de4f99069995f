mod tagged;

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, header};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;

use self::tagged::Tagged;

/// A bucket of S3 in a folder. Cheap to clone.
///
/// - Signatures are checked as S3 does, those in a URL among them: a request that differs from what was
///   signed is refused.
/// - It takes, shows, lists and deletes objects, takes the tags off them and puts others on; it has no other
///   operation.
/// - An upload that does not say its length is refused with 411.
/// - What an [`ExpirationRule`] names is not shown to presigned URLs, and deleted with the first upload after
///   its time. S3 does that once a day.
#[derive(Clone)]
pub struct S3 {
    bucket: String,
    service: S3Service,
}

/// Deletes objects that bear a tag, and shows them to nobody who has a URL with a signature: S3 does so by a
/// policy of whoever has signed the URL, with a condition on `s3:ExistingObjectTag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpirationRule {
    /// The tags of an upload, as its header `x-amz-tagging` has them.
    pub tagging: String,
    /// How long after its upload an object is deleted.
    pub after: Duration,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the objects' folder {folder} cannot be used: {reason}")]
pub struct S3Error {
    folder: PathBuf,
    reason: String,
}

impl S3 {
    /// A bucket of this name, whose objects lie in `folder/<bucket>`: it is made if there is none. Requests
    /// are signed with this key. Without a rule nothing expires.
    ///
    /// # Errors
    /// [`S3Error`] when the folder cannot be made or read.
    pub fn in_folder(
        folder: &Path,
        bucket: &str,
        access_key: &str,
        secret_key: &str,
        rule: Option<ExpirationRule>,
    ) -> Result<Self, S3Error> {
        let failed = |reason: String| S3Error { folder: folder.to_owned(), reason };
        std::fs::create_dir_all(folder.join(bucket)).map_err(|error| failed(error.to_string()))?;
        let files = FileSystem::new(folder).map_err(|error| failed(format!("{error:?}")))?;
        let tagged = Tagged::new(files, folder, rule).map_err(|error| failed(error.to_string()))?;
        let mut builder = S3ServiceBuilder::new(tagged);
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
        Ok(Self { bucket: bucket.to_owned(), service: builder.build() })
    }

    /// Answers for `/<bucket>/...`, as a client with path-style URLs asks.
    pub fn router(&self) -> Router {
        let service = HandleError::new(self.service.clone(), async |error| {
            tracing::warn!(?error, "an object's request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        });
        Router::new()
            .route_service(&format!("/{}/", self.bucket), service.clone())
            .route_service(&format!("/{}/{{*key}}", self.bucket), service)
            .layer(from_fn(only_with_length))
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
async fn only_with_length(request: Request, next: Next) -> Response {
    if request.method() == Method::PUT && !request.headers().contains_key(header::CONTENT_LENGTH) {
        let error = "<Error><Code>MissingContentLength</Code>\
            <Message>You must provide the Content-Length HTTP header.</Message></Error>";
        let headers = [(header::CONTENT_TYPE, "application/xml")];
        return (StatusCode::LENGTH_REQUIRED, headers, error).into_response();
    }
    next.run(request).await
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
