use std::sync::Arc;

use crate::{AttachmentKey, AttachmentStore, ChatError, Email, SignedUrl, Timestamp};

/// Lets a member see an attachment.
///
/// # Example: a photo
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { attachments, minji, junho, now, .. }| {
/// let room = RoomId::new(&minji, &junho)?;
/// let key = AttachmentKey::mint(&room, Member::A, ImageType::Jpeg, 7);
/// let open = OpenAttachment::new(attachments);
/// assert!(open.execute(&minji, &key, now).await.is_ok());
/// let outsider = "sora@example.com".parse()?;
/// assert!(matches!(open.execute(&outsider, &key, now).await, Err(ChatError::AttachmentMissing)));
/// # Ok(()) }) }
/// ```
pub struct OpenAttachment {
    attachments: Arc<dyn AttachmentStore>,
}

impl OpenAttachment {
    /// Composes it.
    #[must_use]
    pub fn new(attachments: Arc<dyn AttachmentStore>) -> Self {
        Self { attachments }
    }

    /// A URL to download the attachment from.
    ///
    /// # Errors
    /// [`AttachmentMissing`](ChatError::AttachmentMissing) for whoever is not a member of its room, as if it did not exist;
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, ChatError> {
        if !key.is_visible_to(caller) {
            return Err(ChatError::AttachmentMissing);
        }
        Ok(self.attachments.download_url(key, now).await?)
    }
}
