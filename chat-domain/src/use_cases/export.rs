use std::collections::HashSet;
use std::sync::Arc;

use super::walk;
use crate::{
    AttachmentEraser, AttachmentKey, ChatError, Connection, ConnectionStore, Content, Email, ListedUpload,
    Message, MessageStore, Room,
};

/// Everything there is of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    /// Rows of their connections, open or not.
    pub connections: Vec<Connection>,
    /// Their rooms, latest activity first.
    pub rooms: Vec<ExportedRoom>,
    /// What they uploaded, shown or not.
    pub uploads: Vec<ListedUpload>,
}

impl UserData {
    /// The images that it names, each once: what the user uploaded, and what was shown to them.
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

/// A room with all that was said in it, by either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRoom {
    /// Its head.
    pub room: Room,
    /// Oldest first, with [`read`](Message::read) as their receiver's mark says.
    pub messages: Vec<Message>,
}

/// Collects everything there is of a user: what they wrote and what was written to them, their connections and uploads.
///
/// # Example: to whom it may concern
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { connections, messages, attachments, minji, .. }| {
/// let data = ExportUser::new(connections, messages, attachments).execute(&minji).await?;
/// assert_eq!(data.rooms[0].messages[0].content.text(), "안녕하세요");
/// assert_eq!((data.connections.len(), data.uploads.len()), (1, 0));
/// # Ok(()) }) }
/// ```
pub struct ExportUser {
    connections: Arc<dyn ConnectionStore>,
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentEraser>,
}

impl ExportUser {
    /// Composes it.
    #[must_use]
    pub fn new(
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentEraser>,
    ) -> Self {
        Self { connections, messages, attachments }
    }

    /// Collects it; nothing is changed.
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
