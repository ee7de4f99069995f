use std::num::NonZeroU32;
use std::sync::Arc;

use super::users::change_user;
use crate::{AttachmentKey, AttachmentStore, ChatError, Email, RequestRate, SignedUrl, Timestamp, UserStore};

/// Lets a member see an attachment.
///
/// What is downloaded costs the operator more than the call does, so a URL counts for
/// [as many requests](AttachmentKey::requests_to_open) of the user's hour as the image is large. For a photo
/// as the page makes them that is the one which [`LimitCalls`](crate::LimitCalls) counts. For a larger image
/// it is counted in the user's row, before there is a URL: processes count in hundreds, and a volley of large
/// images would be through before the first hundred.
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
/// let photo = ImageFacts::new(ImageType::Jpeg, 120_000, 1_280, 960)?;
/// let key = AttachmentKey::mint(&RoomId::new(&minji, &junho)?, Member::A, photo, 7);
/// let open = OpenAttachment::new(chat.attachments, chat.users, RequestRate::default());
/// assert!(open.execute(&minji, &key, now).await.is_ok());
/// let outsider = "sora@example.com".parse()?;
/// assert!(matches!(open.execute(&outsider, &key, now).await, Err(ChatError::AttachmentMissing)));
/// # Ok(())
/// # }
/// ```
pub struct OpenAttachment {
    attachments: Arc<dyn AttachmentStore>,
    users: Arc<dyn UserStore>,
    per_hour: NonZeroU32,
}

impl OpenAttachment {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(attachments: Arc<dyn AttachmentStore>, users: Arc<dyn UserStore>, rate: RequestRate) -> Self {
        Self { attachments, users, per_hour: rate.per_hour }
    }

    /// Gives a URL to download the attachment from.
    ///
    /// # Errors
    /// [`AttachmentMissing`](ChatError::AttachmentMissing) for everybody who is not a member of its room, as
    /// if it did not exist; [`RateLimited`](ChatError::RateLimited) when the image is more than the user may
    /// still open in this hour; [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, ChatError> {
        if !key.is_visible_to(caller) {
            return Err(ChatError::AttachmentMissing);
        }
        // The call itself is counted like every other.
        let more = key.requests_to_open() - 1;
        if more > 0 {
            change_user(&*self.users, caller, |user| {
                let counted = user.count_ahead(more, self.per_hour, now);
                counted.map(Some).map_err(|retry_after| ChatError::RateLimited { retry_after })
            })
            .await?;
        }
        Ok(self.attachments.download_url(key, now).await?)
    }
}
