use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chat_domain::{
    ChatError, ClientMessageId, Connection, ConnectionId, ConnectionStore, Consistency, Content, Correlation,
    Draft, Email, FrameOrigin, Identify, Message, MessageStore, MessageText, Room, RoomId, SendRate,
    Timestamp, UserId, VerifiedIdentity,
};

use crate::{
    MemoryAttachmentStore, MemoryConnectionStore, MemoryIdentityVerifier, MemoryMessageStore, MemoryPusher,
    MemoryUserStore,
};

/// For how long whoever [connects](MemoryChat::connect) is identified.
const IDENTIFIED_FOR: Duration = Duration::from_secs(3_600);

/// Every port in memory, ready to compose use cases of, and the two steps that most tests and examples begin
/// with.
///
/// # Example: a message reaches the phone of its receiver
///
/// ```
/// use std::sync::Arc;
/// use chat_adapters_memory::{MemoryChat, NoBackoff};
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// let minji_phone = chat.connect(&minji, "minji-phone", now).await?;
/// chat.connect(&junho, "junho-phone", now).await?;
/// let mut junho_hears = chat.pusher.open(ConnectionId::new("junho-phone"));
///
/// let (messages, images, users) = (chat.messages.clone(), chat.attachments.clone(), chat.users.clone());
/// let store = StoreMessage::new(messages, images, users, Arc::new(NoBackoff), SendRate::default());
/// let send = SendMessage::new(store, chat.connections.clone(), chat.pusher.clone());
/// let send = SendFromConnection::new(chat.identify.clone(), send);
/// let (id, content) = (ClientMessageId::from_u128(1), Content::Text("안녕하세요".parse()?));
/// let command = SendCommand { receiver: junho, id, after: None, content, reply_to: None };
/// send.execute(&minji_phone, command).await?;
/// assert!(matches!(junho_hears.try_recv()?, Event::Message(message) if message.seq == 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryChat {
    /// It issues tokens, and knows whose they are.
    pub verifier: Arc<MemoryIdentityVerifier>,
    /// The rows of the users.
    pub users: Arc<MemoryUserStore>,
    /// The rows of the connections.
    pub connections: Arc<MemoryConnectionStore>,
    /// The rooms and their messages.
    pub messages: Arc<MemoryMessageStore>,
    /// The images. Their URLs begin with `http://localhost/attachments`, where nobody serves them.
    pub attachments: Arc<MemoryAttachmentStore>,
    /// The sockets that are open in this process.
    pub pusher: Arc<MemoryPusher>,
    /// What this process remembers of connections.
    pub identify: Arc<Identify>,
}

impl Default for MemoryChat {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryChat {
    /// A chat without people and messages.
    #[must_use]
    pub fn new() -> Self {
        let connections = Arc::new(MemoryConnectionStore::new());
        let pusher = Arc::new(MemoryPusher::new());
        Self {
            verifier: Arc::new(MemoryIdentityVerifier::new()),
            users: Arc::new(MemoryUserStore::new()),
            identify: Arc::new(Identify::new(connections.clone(), pusher.clone())),
            messages: Arc::new(MemoryMessageStore::new()),
            attachments: Arc::new(MemoryAttachmentStore::new("http://localhost/attachments", [7; 32])),
            connections,
            pusher,
        }
    }

    /// Stores a connection of `user`, who is identified on it for an hour. Gives where the frames on it come
    /// from.
    ///
    /// # Errors
    /// None: memory is always there.
    pub async fn connect(
        &self,
        user: &Email,
        connection: &str,
        now: Timestamp,
    ) -> Result<FrameOrigin, ChatError> {
        let id = ConnectionId::new(connection);
        let identity =
            VerifiedIdentity::vouched(user.clone(), UserId::new(user.as_str()), now.after(IDENTIFIED_FOR));
        self.connections.put(&Connection { id: id.clone(), identity, connected_at: now }).await?;
        let correlation = Correlation { request_id: format!("a frame on {connection}"), message: None };
        Ok(FrameOrigin { connection: id, correlation, now })
    }

    /// Stores a text of `sender` for `receiver`, under an id of its own. Nobody is told.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), and [`RateLimited`](ChatError::RateLimited) beyond the usual
    /// [`SendRate`].
    pub async fn say(
        &self,
        sender: &Email,
        receiver: &Email,
        text: MessageText,
        now: Timestamp,
    ) -> Result<Message, ChatError> {
        let id = RoomId::new(sender, receiver)?;
        let sender = id.member(sender).expect("the room was made of the sender's address");
        let stored = self.messages.room(&id, Consistency::Strong).await?;
        let room = stored.unwrap_or_else(|| Room::empty(id));
        let id = ClientMessageId::from_u128(u128::from(room.seq()) + 1);
        let append = room.append(
            &Draft { id, sender, content: Content::Text(text), reply_to: None },
            now,
            SendRate::default(),
        )?;
        self.messages.commit(&append).await?;
        Ok(append.log.newest)
    }
}

impl fmt::Debug for MemoryChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, messages, .. } = self;
        f.debug_struct("MemoryChat")
            .field("connections", connections)
            .field("messages", messages)
            .finish_non_exhaustive()
    }
}
