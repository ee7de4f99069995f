#[cfg(feature = "conformance")]
pub(crate) mod conformance;

use async_trait::async_trait;

use crate::{AttachmentKey, AttachmentStoreError, Timestamp};

/// Lists and deletes uploaded objects. Only administration has this port; nothing that serves people does.
///
/// # Contract
///
/// - **Consistency.** A list sees every upload and every deletion that was acknowledged before it began.
/// - **Idempotency.** Deleting an object that is not there succeeds.
/// - **Errors.** Every call may be retried.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AttachmentEraser: Send + Sync {
    /// Lists objects in the order of their keys, beginning after `after`; at most a thousand. An object whose
    /// name is no attachment's is left out.
    async fn list(&self, after: Option<AttachmentKey>) -> Result<UploadsPage, AttachmentStoreError>;

    /// Deletes an object, kept or not.
    async fn delete(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError>;
}

/// An object in a list, shown by a message or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpload {
    /// The name of the object.
    pub key: AttachmentKey,
    /// The length of the object in bytes.
    pub size_bytes: u64,
    /// When the object was uploaded, by the store's clock, which may know full seconds only.
    pub uploaded_at: Timestamp,
}

/// A page of objects, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadsPage {
    /// In the order of their keys.
    pub uploads: Vec<ListedUpload>,
    /// After which key the next page begins; `None` at the end.
    pub next: Option<AttachmentKey>,
}
