use std::sync::Arc;

use crate::{AttachmentKey, AttachmentStore, ChatError, Email, ImageFacts, RoomId, SignedUrl, Timestamp};

/// Where a client uploads an image, and under which name it sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The name to send the image under.
    pub key: AttachmentKey,
    /// Where the client uploads the bytes.
    pub url: SignedUrl,
}

/// Grants the upload of an image.
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
/// let facts = ImageFacts::new(ImageType::Jpeg, 120_000, 1_280, 960)?;
/// let random = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
/// let upload = RequestUpload::new(chat.attachments).execute(&minji, &junho, facts, random, now).await?;
/// assert_eq!(upload.url.expires_at, now.after(UPLOAD_URL_LIFETIME));
/// # Ok(())
/// # }
/// ```
pub struct RequestUpload {
    attachments: Arc<dyn AttachmentStore>,
}

impl RequestUpload {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(attachments: Arc<dyn AttachmentStore>) -> Self {
        Self { attachments }
    }

    /// Grants `caller` one upload for the conversation with `peer`; `random` is 128 fresh random bits.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        peer: &Email,
        facts: ImageFacts,
        random: u128,
        now: Timestamp,
    ) -> Result<Upload, ChatError> {
        let (room, uploader) = RoomId::between(caller, peer)?;
        let key = AttachmentKey::mint(&room, uploader, facts.kind(), random);
        let url = self.attachments.upload_url(&key, facts, now).await?;
        Ok(Upload { key, url })
    }
}
