use std::sync::Arc;

use crate::{AttachmentKey, AttachmentStore, ChatError, Email, SignedUrl, Timestamp};

/// Lets a member see an attachment.
///
/// # Example: a photo
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
///
/// let key = AttachmentKey::mint(&RoomId::new(&minji, &junho)?, Member::A, ImageType::Jpeg, 7);
/// let open = OpenAttachment::new(chat.attachments);
/// assert!(open.execute(&minji, &key, now).await.is_ok());
/// let outsider = "sora@example.com".parse()?;
/// assert!(matches!(open.execute(&outsider, &key, now).await, Err(ChatError::AttachmentMissing)));
/// # Ok(())
/// # }
/// ```
pub struct OpenAttachment {
    attachments: Arc<dyn AttachmentStore>,
}

impl OpenAttachment {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(attachments: Arc<dyn AttachmentStore>) -> Self {
        Self { attachments }
    }

    /// Gives a URL to download the attachment from.
    ///
    /// # Errors
    /// [`AttachmentMissing`](ChatError::AttachmentMissing) for everybody who is not a member of its room, as
    /// if it did not exist; [`Unavailable`](ChatError::Unavailable).
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
