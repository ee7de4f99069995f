use std::sync::Arc;

use futures_util::future::join;

use super::deliver::{Deliveries, Delivery};
use super::identify::{Identify, Known, Origin};
use super::store::{StoreMessage, Stored};
use crate::{
    ChatError, ClientMessageId, Connection, ConnectionStore, Content, Draft, Email, Event, Member, Message,
    Pusher, Room, RoomId, Timestamp, VerifiedIdentity,
};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendCommand {
    /// Who is to get the message.
    pub receiver: Email,
    /// The client's name for the message, the same for every retry.
    pub id: ClientMessageId,
    /// The newest timestamp of the room that the client knew when it *made* the message, or
    /// [`Timestamp::UNIX_EPOCH`] when it knew the room to be empty. It is the same for every retry, or a
    /// later one after a sync that did not show the message. `None` when the client knows nothing: then only
    /// the newest messages are searched for an earlier attempt.
    pub after: Option<Timestamp>,
    /// What the message says.
    pub content: Content,
}

/// A message that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The room that has the message.
    pub room: RoomId,
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// The message's place in the room.
    pub at: Timestamp,
    /// The message's number in the room.
    pub seq: u64,
    /// Whether this attempt stored it, or an earlier one had.
    pub outcome: SendOutcome,
}

/// What an attempt to send did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The attempt stored the message and pushed it.
    Stored {
        /// How often storing was tried again, because others were first or an outcome was unknown.
        retries: u32,
        /// What came of pushing the message.
        deliveries: Deliveries,
    },
    /// The message was there already; it was not pushed again.
    Duplicate,
}

impl Sent {
    fn new(message: &Message, outcome: SendOutcome) -> Self {
        Self { room: message.room.clone(), id: message.id, at: message.at, seq: message.seq, outcome }
    }
}

/// Sends a message whose sender is known: stores it exactly once, then pushes it, then acknowledges it. Use
/// it where a request brings its own token, such as in REST. For messages that come on a connection there is
/// [`SendFromConnection`].
///
/// `docs/protocol.md` explains why each step stands where it does.
///
/// # Example: a retry
///
/// ```
/// use std::sync::Arc;
/// use chat_adapters_memory::{MemoryChat, NoBackoff};
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
///
/// let MemoryChat { connections, messages, attachments, pusher, .. } = chat;
/// let store = StoreMessage::new(messages, attachments, Arc::new(NoBackoff), SendRate::default());
/// let send = SendMessage::new(store, connections, pusher);
///
/// let minji = VerifiedIdentity::vouched("minji@example.com".parse()?, UserId::new("1"), Timestamp::MAX);
/// let (receiver, id) = ("junho@example.com".parse()?, ClientMessageId::from_u128(1));
/// let command = SendCommand { receiver, id, after: None, content: Content::Text("안녕하세요".parse()?) };
/// let sent = send.execute(&minji, command.clone(), now).await?;
/// let retry = send.execute(&minji, command, now).await?;
/// assert_eq!(retry, Sent { outcome: SendOutcome::Duplicate, ..sent });
/// # Ok(())
/// # }
/// ```
pub struct SendMessage {
    store: StoreMessage,
    delivery: Delivery,
}

impl SendMessage {
    /// Composes the use case of the one that stores, and of the ports that pushes need.
    #[must_use]
    pub fn new(store: StoreMessage, connections: Arc<dyn ConnectionStore>, pusher: Arc<dyn Pusher>) -> Self {
        Self { store, delivery: Delivery::new(connections, pusher) }
    }

    /// Sends a message of the user who is identified.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), and those of [`StoreMessage::execute`].
    pub async fn execute(
        &self,
        sender: &VerifiedIdentity,
        command: SendCommand,
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        let (room, sender) = RoomId::between(sender.email(), &command.receiver)?;
        let (head, audience) = self.look(&room, sender, now).await;
        self.send(head?, sender, command, &audience, now).await
    }

    /// Reads the head of the room and lists the connections of both members, at the same time.
    async fn look(
        &self,
        room: &RoomId,
        sender: Member,
        now: Timestamp,
    ) -> (Result<Room, ChatError>, Vec<Connection>) {
        let members = [sender, sender.peer()].map(|member| room.email(member));
        join(self.store.head(room), self.delivery.connections_of(members, now)).await
    }

    async fn send(
        &self,
        head: Room,
        sender: Member,
        command: SendCommand,
        audience: &[Connection],
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        let SendCommand { id, after, content, .. } = command;
        let draft = Draft { id, sender, content };
        match self.store.store(head, &draft, after, now).await? {
            Stored::Duplicate(message) => Ok(Sent::new(&message, SendOutcome::Duplicate)),
            Stored::New { message, retries } => {
                let event = Event::Message(message.clone());
                let deliveries = self.delivery.push(audience.iter(), event, now).await;
                Ok(Sent::new(&message, SendOutcome::Stored { retries, deliveries }))
            }
        }
    }
}

/// Sends a message that came on a connection. Its sender is the user who authenticated there.
///
/// # Example: a frame from a phone
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
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let MemoryChat { identify, connections, messages, attachments, pusher, .. } = chat;
/// let store = StoreMessage::new(messages, attachments, Arc::new(NoBackoff), SendRate::default());
/// let send = SendFromConnection::new(identify, SendMessage::new(store, connections, pusher));
///
/// let (id, content) = (ClientMessageId::from_u128(1), Content::Text("안녕하세요".parse()?));
/// let sent = send.execute(&phone, SendCommand { receiver: junho, id, after: None, content }).await?;
/// assert_eq!((sent.seq, sent.at), (1, now));
/// # Ok(())
/// # }
/// ```
pub struct SendFromConnection {
    identify: Arc<Identify>,
    send: SendMessage,
}

impl SendFromConnection {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(identify: Arc<Identify>, send: SendMessage) -> Self {
        Self { identify, send }
    }

    /// Sends a message of the user who is on the connection. The connection itself is not pushed to: its
    /// client gets the answer.
    ///
    /// # Errors
    /// Those of [`SendMessage::execute`]; [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired): connect anew, and send again with the same id.
    pub async fn execute(&self, origin: &Origin, command: SendCommand) -> Result<Sent, ChatError> {
        let (connection, known) = self.identify.remembered(origin).await?;
        let (room, sender) = RoomId::between(connection.identity.email(), &command.receiver)?;
        let (head, mut audience) = self.send.look(&room, sender, origin.now).await;

        let listed = audience.len();
        audience.retain(|connection| connection.id != origin.connection);
        let lists_origin = audience.len() < listed;
        if known == Known::FromMemory && !lists_origin {
            // Either the list lags, or the row is gone, and the client does not know that nobody pushes to
            // it.
            self.identify.strongly(origin).await?;
        }
        self.send.send(head?, sender, command, &audience, origin.now).await
    }
}
