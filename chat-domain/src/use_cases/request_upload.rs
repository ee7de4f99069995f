use std::sync::Arc;

use super::users::change_user;
use crate::{
    AttachmentKey, AttachmentStore, ChatError, Consistency, Email, ImageFacts, MessageStore, Room, RoomId,
    SendPolicy, SignedUrl, Timestamp, UserStore,
};

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
/// // Nobody gets an image from a stranger: Junho has to have written to Minji.
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
///
/// let facts = ImageFacts::new(ImageType::Jpeg, 120_000, 1_280, 960)?;
/// let random = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
/// let request = RequestUpload::new(chat.messages, chat.attachments, chat.users, SendPolicy::default());
/// let upload = request.execute(&minji, &junho, facts, random, now).await?;
/// assert_eq!(upload.url.expires_at, now.after(UPLOAD_URL_LIFETIME));
/// # Ok(())
/// # }
/// ```
pub struct RequestUpload {
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentStore>,
    users: Arc<dyn UserStore>,
    policy: SendPolicy,
}

impl RequestUpload {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentStore>,
        users: Arc<dyn UserStore>,
        policy: SendPolicy,
    ) -> Self {
        Self { messages, attachments, users, policy }
    }

    /// Grants `caller` one upload for the conversation with `peer`; `random` is 128 fresh random bits.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable);
    /// [`NotAccepted`](ChatError::NotAccepted) if the peer blocks the caller, or has neither answered nor
    /// accepted their request; [`RateLimited`](ChatError::RateLimited) if the caller has announced too much
    /// today.
    pub async fn execute(
        &self,
        caller: &Email,
        peer: &Email,
        facts: ImageFacts,
        random: u128,
        now: Timestamp,
    ) -> Result<Upload, ChatError> {
        let (room, uploader) = RoomId::between(caller, peer)?;
        let head = self.messages.room(&room, Consistency::Strong).await?;
        let head = head.unwrap_or_else(|| Room::empty(room.clone()));
        if !head.admits_images(uploader, self.policy.first_contact) {
            return Err(ChatError::NotAccepted);
        }
        // It counts whether or not anything is uploaded: nobody tells the chat of that.
        change_user(&*self.users, caller, |user| {
            let counted = user.upload(facts.size_bytes(), self.policy.daily, now);
            counted.map(Some).map_err(|retry_after| ChatError::RateLimited { retry_after })
        })
        .await?;
        let key = AttachmentKey::mint(&room, uploader, facts, random);
        let url = self.attachments.upload_url(&key, facts, now).await?;
        Ok(Upload { key, url })
    }
}
