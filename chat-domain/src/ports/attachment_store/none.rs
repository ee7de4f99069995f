use async_trait::async_trait;

use crate::{
    AttachmentKey, AttachmentStore, AttachmentStoreError, ImageFacts, SignedUrl, StoredObject, Timestamp,
};

/// The [`AttachmentStore`] of a chat without images. It has no objects, so an image that somebody sends is
/// refused as missing. It gives no URLs either: such a chat offers no upload.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAttachments;

fn no_url(operation: &'static str) -> AttachmentStoreError {
    AttachmentStoreError::Unavailable { operation, source: "this chat has no attachments".into() }
}

#[async_trait]
impl AttachmentStore for NoAttachments {
    async fn upload_url(
        &self,
        _: &AttachmentKey,
        _: ImageFacts,
        _: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        Err(no_url("upload_url"))
    }

    async fn inspect(&self, _: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError> {
        Ok(None)
    }

    async fn keep(&self, _: &AttachmentKey) -> Result<bool, AttachmentStoreError> {
        Ok(false)
    }

    async fn release(&self, _: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        Ok(())
    }

    async fn download_url(&self, _: &AttachmentKey, _: Timestamp) -> Result<SignedUrl, AttachmentStoreError> {
        Err(no_url("download_url"))
    }
}
