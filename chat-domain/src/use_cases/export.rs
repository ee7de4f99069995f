use std::collections::HashSet;
use std::sync::Arc;

use super::walk;
use crate::{
    AttachmentEraser, AttachmentKey, ChatError, Connection, ConnectionStore, Email, FirstContact,
    ListedUpload, Message, MessageStore, PerMember, Room, Timestamp, User, UserStore,
};

/// Everything that is stored of a user, for whoever asks for a copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    /// The user's row, if there is one.
    pub user: Option<User>,
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
        let shown = messages.filter_map(|message| message.content.attachment()).map(|shown| &shown.key);
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
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// How far each member has read, as the user [sees](Room::peer_read_up_to) it.
    pub read_up_to: PerMember<Option<Timestamp>>,
}

impl ExportedRoom {
    /// Whether the user sees a message of this room as read by its receiver.
    #[must_use]
    pub fn is_read(&self, message: &Message) -> bool {
        self.read_up_to[message.sender.peer()] >= Some(message.at)
    }
}

/// Collects everything that is stored of a user: their row, what they wrote, what others wrote to them, their
/// connections and their uploads.
///
/// # Example: one message and its sender
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
/// let first_contact = FirstContact::default();
/// let MemoryChat { users, connections, messages, attachments, .. } = chat;
/// let export = ExportUser::new(users, connections, messages, attachments, first_contact);
/// let data = export.execute(&minji).await?;
/// assert_eq!(data.rooms[0].messages[0].content.text(), "안녕하세요");
/// assert_eq!((data.connections.len(), data.uploads.len()), (1, 0));
/// # Ok(())
/// # }
/// ```
pub struct ExportUser {
    users: Arc<dyn UserStore>,
    connections: Arc<dyn ConnectionStore>,
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentEraser>,
    first_contact: FirstContact,
}

impl ExportUser {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(
        users: Arc<dyn UserStore>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentEraser>,
        first_contact: FirstContact,
    ) -> Self {
        Self { users, connections, messages, attachments, first_contact }
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
            let member = room.id().member(user).expect("a user's rooms are those they are a member of");
            let mut read_up_to = PerMember::default();
            read_up_to[member] = room.read_up_to(member);
            read_up_to[member.peer()] = room.peer_read_up_to(member, self.first_contact);
            rooms.push(ExportedRoom { room, messages, read_up_to });
        }
        Ok(UserData {
            user: self.users.get(user).await?,
            connections: walk::connections(&*self.connections, user).await?,
            rooms,
            uploads: walk::uploads(&*self.attachments, user).await?,
        })
    }
}
