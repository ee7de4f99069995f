use std::collections::HashSet;
use std::sync::Arc;

use super::walk;
use crate::{
    AttachmentEraser, AttachmentKey, ChatError, Connection, ConnectionStore, Content, Email, ListedUpload,
    Message, MessageStore, Room,
};

/// Everything that is stored of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    /// Rows of the user's connections, open or not.
    pub connections: Vec<Connection>,
    /// The user's rooms, latest activity first.
    pub rooms: Vec<ExportedRoom>,
    /// Objects that the user uploaded, shown or not.
    pub uploads: Vec<ListedUpload>,
}

impl UserData {
    /// The images of the user's data, each once: those that they uploaded, and those that were shown to them.
    #[must_use]
    pub fn images(&self) -> Vec<AttachmentKey> {
        let messages = self.rooms.iter().flat_map(|exported| &exported.messages);
        let shown = messages.filter_map(|message| match &message.content {
            Content::Image { attachment, .. } => Some(&attachment.key),
            _ => None,
        });
        let mut seen = HashSet::new();
        let named = self.uploads.iter().map(|upload| &upload.key).chain(shown);
        named.filter(|key| seen.insert(*key)).cloned().collect()
    }
}

/// A room with everything that both members said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRoom {
    /// The head of the room.
    pub room: Room,
    /// The messages, the oldest first, with [`read`](Message::read) as the receiver's mark says.
    pub messages: Vec<Message>,
}

/// Collects everything that is stored of a user: what they wrote, what others wrote to them, their
/// connections and their uploads.
///
/// # Example: to whom it may concern
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
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let export = ExportUser::new(chat.connections, chat.messages, chat.attachments);
/// let data = export.execute(&minji).await?;
/// assert_eq!(data.rooms[0].messages[0].content.text(), "안녕하세요");
/// assert_eq!((data.connections.len(), data.uploads.len()), (1, 0));
/// # Ok(())
/// # }
/// ```
pub struct ExportUser {
    connections: Arc<dyn ConnectionStore>,
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentEraser>,
}

impl ExportUser {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentEraser>,
    ) -> Self {
        Self { connections, messages, attachments }
    }

    /// Collects the user's data, and changes nothing.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal).
    pub async fn execute(&self, user: &Email) -> Result<UserData, ChatError> {
        let mut rooms = Vec::new();
        for room in walk::rooms(&*self.messages, user).await? {
            let mut messages = Vec::new();
            let mut pages = walk::Pages::of(room.id());
            while let Some(page) = pages.next(&*self.messages).await? {
                messages.extend(page);
            }
            for message in &mut messages {
                message.read = room.is_read(message);
            }
            rooms.push(ExportedRoom { room, messages });
        }
        Ok(UserData {
            connections: walk::connections(&*self.connections, user).await?,
            rooms,
            uploads: walk::uploads(&*self.attachments, user).await?,
        })
    }
}
