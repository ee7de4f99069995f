#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;
mod none;

use async_trait::async_trait;

pub use self::error::AttachmentStoreError;
pub use self::none::NoAttachments;
use crate::{AttachmentKey, ImageFacts, SignedUrl, StoredObject, Timestamp};

/// Keeps uploaded objects, which clients reach by URLs that carry their own permission.
///
/// # Contract
///
/// - **Uploads are fixed.** The URL of [`upload_url`](Self::upload_url) takes one `PUT` of exactly the
///   announced type and length, before it expires, under a key that holds nothing yet; any other request is
///   refused and stores nothing.
/// - **Objects do not change** once they are stored.
/// - **Uploads are temporary.** The store may delete an upload at any time after
///   [`UPLOAD_KEPT_FOR`](crate::UPLOAD_KEPT_FOR), unless [`keep`](Self::keep) was called for it. Then the
///   upload stays until [`release`](Self::release) is called.
/// - **Consistency.** [`inspect`](Self::inspect) sees every upload that was acknowledged before it began.
/// - **Downloads show what is kept.** The URL of [`download_url`](Self::download_url) shows an object from
///   when [`keep`](Self::keep) was called for it, until [`release`](Self::release) is, so that nobody is
///   served what no message shows.
/// - **Downloads expire.** The URL works until it expires, for whoever has it. The store gives one whether or
///   not there is such an object.
/// - **Errors.** Every call may be retried.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AttachmentStore: Send + Sync {
    /// Gives a URL to upload an object to, valid for [`UPLOAD_URL_LIFETIME`](crate::UPLOAD_URL_LIFETIME) from
    /// `now`.
    async fn upload_url(
        &self,
        key: &AttachmentKey,
        facts: ImageFacts,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError>;

    /// Reads the object that is stored under a key, if there is one.
    async fn inspect(&self, key: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError>;

    /// Makes an upload stay for good, and says whether there is one. The call may be repeated.
    async fn keep(&self, key: &AttachmentKey) -> Result<bool, AttachmentStoreError>;

    /// Takes back that an upload stays, since nothing shows it any more: what is in the store is temporary
    /// again, and a URL of [`download_url`](Self::download_url) does not show it. The call may be repeated,
    /// also for an object that is not there.
    async fn release(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError>;

    /// Gives a URL to download an object from, with the type that its key names. Whoever visits the URL saves
    /// the object instead of opening it. The URL is valid for
    /// [`DOWNLOAD_URL_LIFETIME`](crate::DOWNLOAD_URL_LIFETIME) from `now`.
    async fn download_url(
        &self,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError>;
}
