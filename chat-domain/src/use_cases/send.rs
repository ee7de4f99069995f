use std::sync::Arc;

use futures_util::future::join;

use super::deliver::{Audience, Deliveries, Delivery};
use super::identify::{FrameOrigin, Identify, Known};
use super::store::{Entry, Seen, StoreMessage, Stored};
use crate::{
    ChangeDraft, ChatError, ClientMessageId, ConnectionStore, Content, Draft, Effect, Email, Event, Member,
    Message, Pusher, RoomId, Timestamp, VerifiedIdentity,
};

/// A message to be sent, for [`SendFromConnection`] and [`SendMessage`].
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
    /// The message of the room that it replies to, if it does.
    pub reply_to: Option<Timestamp>,
}

/// A change of a message, for [`SendFromConnection::change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeCommand {
    /// With whom the user has the conversation.
    pub peer: Email,
    /// The client's name for the change, the same for every retry.
    pub id: ClientMessageId,
    /// As in [`SendCommand`]. The target is no later than this.
    pub after: Option<Timestamp>,
    /// The place of the message that is changed.
    pub target: Timestamp,
    /// What becomes of the message.
    pub effect: Effect,
}

/// A message that is stored, and what came of telling others: the material of an acknowledgement.
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
/// let MemoryChat { users, connections, messages, attachments, pusher, .. } = chat;
/// let store = StoreMessage::new(messages, attachments, users, Arc::new(NoBackoff), SendRate::default());
/// let send = SendMessage::new(store, connections, pusher);
///
/// let minji = VerifiedIdentity::vouched("minji@example.com".parse()?, UserId::new("1"), Timestamp::MAX);
/// let (receiver, id) = ("junho@example.com".parse()?, ClientMessageId::from_u128(1));
/// let content = Content::Text("안녕하세요".parse()?);
/// let command = SendCommand { receiver, id, after: None, content, reply_to: None };
/// let command = command;
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
        let SendCommand { id, after, content, reply_to, .. } = command;
        let draft = Draft { id, sender, content, reply_to };
        let entry = Entry::Message(&draft);
        let (seen, audience) = self.look(&room, entry, now).await;
        self.send(seen?, entry, after, &audience, now).await
    }

    /// Reads what storing begins with and lists the connections of both members, at the same time.
    async fn look(
        &self,
        room: &RoomId,
        entry: Entry<'_>,
        now: Timestamp,
    ) -> (Result<Seen, ChatError>, Audience) {
        let members = [entry.sender(), entry.sender().peer()].map(|member| room.email(member));
        join(self.store.look(room, entry), self.delivery.audience_of(members, now)).await
    }

    async fn send(
        &self,
        seen: Seen,
        entry: Entry<'_>,
        after: Option<Timestamp>,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        let (message, changed, retries) = match self.store.store(seen, entry, after, now).await? {
            Stored::Duplicate(message) => return Ok(Sent::new(&message, SendOutcome::Duplicate)),
            Stored::New { message, changed, retries } => (message, changed, retries),
        };
        let event = match (entry, changed) {
            (Entry::Message(_), _) => Some(Event::Message(message.clone())),
            (Entry::Change(_), Some(target)) => {
                Some(Event::Changed { entry: message.clone(), target: target.into() })
            }
            // Nobody knows what the message is by now. Whoever reads it next is shown it, and has the effect.
            (Entry::Change(_), None) => None,
        };
        let Some(event) = event else {
            let deliveries = Deliveries::default();
            return Ok(Sent::new(&message, SendOutcome::Stored { retries, deliveries }));
        };
        let pushes = self.delivery.push(audience, event, now);
        let (deliveries, ()) = join(pushes, self.store.settle(&message)).await;
        Ok(Sent::new(&message, SendOutcome::Stored { retries, deliveries }))
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
/// let MemoryChat { identify, users, connections, messages, attachments, pusher, .. } = chat;
/// let store = StoreMessage::new(messages, attachments, users, Arc::new(NoBackoff), SendRate::default());
/// let send = SendFromConnection::new(identify, SendMessage::new(store, connections, pusher));
///
/// let (id, content) = (ClientMessageId::from_u128(1), Content::Text("안녕하세요".parse()?));
/// let command = SendCommand { receiver: junho, id, after: None, content, reply_to: None };
/// let sent = send.execute(&phone, command).await?;
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
    pub async fn execute(&self, origin: &FrameOrigin, command: SendCommand) -> Result<Sent, ChatError> {
        let SendCommand { receiver, id, after, content, reply_to } = command;
        let begun = self.begin(origin, &receiver).await?;
        let draft = Draft { id, sender: begun.sender, content, reply_to };
        self.enter(origin, begun, Entry::Message(&draft), after).await
    }

    /// Changes a message of the user's conversation with `command.peer`, as [`execute`](Self::execute) sends
    /// one.
    ///
    /// # Errors
    /// Those of [`execute`](Self::execute); [`NotFound`](ChatError::NotFound),
    /// [`NotYours`](ChatError::NotYours) and [`ChangeRefused`](ChatError::ChangeRefused) are definitive.
    pub async fn change(&self, origin: &FrameOrigin, command: ChangeCommand) -> Result<Sent, ChatError> {
        let ChangeCommand { peer, id, after, target, effect } = command;
        let begun = self.begin(origin, &peer).await?;
        let draft = ChangeDraft { id, sender: begun.sender, target, effect };
        self.enter(origin, begun, Entry::Change(&draft), after).await
    }

    async fn begin(&self, origin: &FrameOrigin, peer: &Email) -> Result<Begun, ChatError> {
        let (connection, known) = self.identify.remembered(origin).await?;
        let (room, sender) = RoomId::between(connection.identity.email(), peer)?;
        Ok(Begun { room, sender, known })
    }

    async fn enter(
        &self,
        origin: &FrameOrigin,
        begun: Begun,
        entry: Entry<'_>,
        after: Option<Timestamp>,
    ) -> Result<Sent, ChatError> {
        let (seen, mut audience) = self.send.look(&begun.room, entry, origin.now).await;
        let lists_origin = audience.take_out(&origin.connection);
        if begun.known == Known::FromMemory && !lists_origin {
            // Either the list lags, or the row is gone, and the client does not know that nobody pushes to
            // it.
            self.identify.strongly(origin).await?;
        }
        self.send.send(seen?, entry, after, &audience, origin.now).await
    }
}

/// Who says something to whom on a connection.
struct Begun {
    room: RoomId,
    sender: Member,
    known: Known,
}
