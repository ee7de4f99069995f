use std::sync::Arc;

use crate::{AttachmentKey, AttachmentStore, ChatError, Email, ImageFacts, RoomId, SignedUrl, Timestamp};

/// Where to upload an image, and under which name to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The name.
    pub key: AttachmentKey,
    /// Where the bytes go.
    pub url: SignedUrl,
}

/// Grants an upload.
///
/// # Example: a photo
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { attachments, minji, junho, now, .. }| {
/// let facts = ImageFacts::new(ImageType::Jpeg, 120_000, 1_280, 960)?;
/// let random = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
/// let upload = RequestUpload::new(attachments).execute(&minji, &junho, facts, random, now).await?;
/// assert_eq!(upload.url.expires_at, now.after(UPLOAD_URL_LIFETIME));
/// # Ok(()) }) }
/// ```
pub struct RequestUpload {
    attachments: Arc<dyn AttachmentStore>,
}

impl RequestUpload {
    /// Composes it.
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
