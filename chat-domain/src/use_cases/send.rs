use std::sync::Arc;

use futures_util::future::join;

use super::backoff::{Backoff, longest_wait};
use super::deliver::{Deliveries, Delivery};
use super::identify::{Identify, Known, Origin};
use crate::{
    Append, AttachmentStore, ChatError, ClientMessageId, Connection, ConnectionStore, Consistency, Content,
    Draft, Email, Event, Message, MessageStore, MessageStoreError, PageLimit, PageQuery, PageRange, Pusher,
    Recall, Room, RoomId, SendRate, Timestamp, VerifiedIdentity,
};

/// How often storing is tried again before the client is asked to. Two people rarely write within the same few milliseconds;
/// nine retries also outlast ten devices that all do, since one of them succeeds each time.
const RETRIES_MAX: u32 = 9;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendCommand {
    /// Who is to get it.
    pub receiver: Email,
    /// The client's name for it, the same for every retry.
    pub id: ClientMessageId,
    /// The newest timestamp of the room that the client knew when it *made* the message, or [`Timestamp::UNIX_EPOCH`] when it knew
    /// the room to be empty; the same for every retry, or later after a sync that did not show the message. `None` when the
    /// client knows nothing: then only the newest messages are searched for an earlier attempt.
    pub after: Option<Timestamp>,
    /// What it says.
    pub content: Content,
}

/// A message that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The room.
    pub room: RoomId,
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// Its place in the room.
    pub at: Timestamp,
    /// Its number in the room.
    pub seq: u64,
    /// Whether this attempt stored it, or an earlier one had.
    pub outcome: SendOutcome,
}

/// What an attempt to send did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// It stored the message and pushed it.
    Stored {
        /// How often storing was tried again, because others were first or an outcome was unknown.
        retries: u32,
        /// What came of pushing it.
        deliveries: Deliveries,
    },
    /// The message was there already; it was not pushed again.
    Duplicate,
}

/// Sends a message: stores it exactly once, then pushes it, then acknowledges it.
///
/// `docs/protocol.md` explains why each step stands where it does.
///
/// # Example: a retry
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { identify, connections, messages, attachments, pusher, backoff, origin, junho, .. }| {
/// let rate = SendRate::default();
/// let send = SendMessage::new(identify, connections, messages, attachments, pusher, backoff, rate);
/// let (id, content) = (ClientMessageId::from_u128(2), Content::Text("반가워요".parse()?));
/// let command = SendCommand { receiver: junho, id, after: None, content };
/// let sent = send.from_connection(&origin, command.clone()).await?;
/// let retry = send.from_connection(&origin, command).await?;
/// assert_eq!(retry, Sent { outcome: SendOutcome::Duplicate, ..sent });
/// # Ok(()) }) }
/// ```
pub struct SendMessage {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentStore>,
    delivery: Delivery,
    backoff: Arc<dyn Backoff>,
    rate: SendRate,
}

/// What to do with a draft.
enum Decision {
    Append(Box<Append>),
    AlreadySent(Message),
}

impl Sent {
    fn new(message: &Message, outcome: SendOutcome) -> Self {
        Self { room: message.room.clone(), id: message.id, at: message.at, seq: message.seq, outcome }
    }
}

impl SendMessage {
    /// Composes it.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentStore>,
        pusher: Arc<dyn Pusher>,
        backoff: Arc<dyn Backoff>,
        rate: SendRate,
    ) -> Self {
        let delivery = Delivery::new(connections, pusher);
        Self { identify, messages, attachments, delivery, backoff, rate }
    }

    /// Sends a message that came on a connection: its sender is who authenticated there.
    ///
    /// # Errors
    /// Definitive, the message is not stored and will not be: [`SelfChat`](ChatError::SelfChat),
    /// [`IdReused`](ChatError::IdReused), [`AfterAheadOfRoom`](ChatError::AfterAheadOfRoom),
    /// [`AttachmentRejected`](ChatError::AttachmentRejected), [`AttachmentMissing`](ChatError::AttachmentMissing),
    /// [`ProposalState`](ChatError::ProposalState). After all others: try again with the same id.
    pub async fn from_connection(&self, origin: &Origin, command: SendCommand) -> Result<Sent, ChatError> {
        let (connection, known) = self.identify.remembered(origin).await?;
        let sender = connection.identity.email();
        let room = RoomId::new(sender, &command.receiver)?;
        let (head, mut audience) = join(
            self.head(&room, Consistency::Eventual),
            self.delivery.connections_of([sender, &command.receiver], origin.now),
        )
        .await;

        let listed = audience.len();
        audience.retain(|connection| connection.id != origin.connection);
        let lists_origin = audience.len() < listed;
        if known == Known::FromMemory && !lists_origin {
            // Either the list lags, or the row is gone and the client is deaf without knowing.
            self.identify.strongly(origin).await?;
        }
        self.send(head?, sender, command, &audience, origin.now).await
    }

    /// Sends a message that came with a token instead of on a connection.
    ///
    /// # Errors
    /// As [`from_connection`](Self::from_connection), without those about connections.
    pub async fn from_identity(
        &self,
        identity: &VerifiedIdentity,
        command: SendCommand,
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        let sender = identity.email();
        let room = RoomId::new(sender, &command.receiver)?;
        let (head, audience) = join(
            self.head(&room, Consistency::Eventual),
            self.delivery.connections_of([sender, &command.receiver], now),
        )
        .await;
        self.send(head?, sender, command, &audience, now).await
    }

    async fn send(
        &self,
        mut head: Room,
        sender: &Email,
        command: SendCommand,
        audience: &[Connection],
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        let room = head.id().clone();
        let sender = room.member(sender).expect("the room was made of the sender's address");
        let SendCommand { id, after, content, .. } = command;
        let draft = Draft { id, sender, content };

        let mut consistency = Consistency::Eventual;
        let mut retries = 0;
        let mut kept = false;
        let mut taken = false;
        let append = loop {
            match self.decide(&head, &draft, after, now, &mut kept).await {
                Ok(Decision::AlreadySent(message)) => return Ok(Sent::new(&message, SendOutcome::Duplicate)),
                // It is not this message that has it: whoever claimed it was stored before the head was read again.
                Ok(Decision::Append(_)) if taken => return Err(MessageStoreError::AttachmentTaken.into()),
                Ok(Decision::Append(append)) => match self.messages.commit(&append).await {
                    Ok(()) => break append,
                    Err(error @ MessageStoreError::Corrupt { .. }) => return Err(error.into()),
                    Err(MessageStoreError::AttachmentTaken) => taken = true,
                    Err(error) if retries == RETRIES_MAX => return Err(error.into()),
                    Err(_) => {
                        // Somebody else was first, or nobody knows what happened. The next head tells.
                        retries += 1;
                        self.backoff.wait(longest_wait(retries)).await;
                    }
                },
                // A head that may be stale can admit a message, because the commit would notice; refuse one it cannot.
                Err(_) if consistency == Consistency::Eventual => {}
                Err(error) => return Err(error),
            }
            consistency = Consistency::Strong;
            head = self.head(&room, consistency).await?;
        };

        let message = append.message;
        let event = Event::Message(message.clone());
        let deliveries = self.delivery.push(audience.iter(), event, now).await;
        Ok(Sent::new(&message, SendOutcome::Stored { retries, deliveries }))
    }

    /// What to do with a draft, given a head. The search for an earlier attempt comes *after* the head was read: a message
    /// that is stored between the two is found, and one that is stored later moves the head on, so that the commit fails.
    ///
    /// `kept` is whether the attachment, if there is one, was looked at and kept: once is enough.
    async fn decide(
        &self,
        head: &Room,
        draft: &Draft,
        after: Option<Timestamp>,
        now: Timestamp,
        kept: &mut bool,
    ) -> Result<Decision, ChatError> {
        let earlier = match head.recall(draft.sender, draft.id, after) {
            Recall::Absent => None,
            Recall::AheadOfRoom => return Err(ChatError::AfterAheadOfRoom),
            Recall::SentAt(at) => Some(self.message_at(head.id(), at).await?),
            Recall::Search(after) => self.search(head.id(), draft, after).await?,
        };
        match earlier {
            Some(message) if message.content == draft.content => Ok(Decision::AlreadySent(message)),
            Some(_) => Err(ChatError::IdReused),
            None => {
                let append = head.append(draft, now, self.rate)?;
                if !*kept {
                    self.keep_attachment(head.id(), draft, now).await?;
                    *kept = true;
                }
                Ok(Decision::Append(Box::new(append)))
            }
        }
    }

    async fn message_at(&self, room: &RoomId, at: Timestamp) -> Result<Message, ChatError> {
        let query = PageQuery { range: PageRange::After(at.previous()), limit: PageLimit::ONE };
        let page = self.messages.page(room, query, Consistency::Strong).await?;
        page.messages.into_iter().find(|message| message.at == at).ok_or_else(|| ChatError::Internal {
            source: "the room names a message that is not there".into(),
        })
    }

    /// Looks for an earlier attempt among the rows after `after`, or among the newest: one page, never more.
    async fn search(
        &self,
        room: &RoomId,
        draft: &Draft,
        after: Option<Timestamp>,
    ) -> Result<Option<Message>, ChatError> {
        let range = after.map_or(PageRange::Newest, PageRange::After);
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = self.messages.page(room, query, Consistency::Strong).await?;
        let found = page
            .messages
            .into_iter()
            .find(|message| message.id == draft.id && message.sender == draft.sender);
        if found.is_none() && after.is_some() && page.has_more {
            return Err(ChatError::ResyncNeeded);
        }
        Ok(found)
    }

    /// Looks at what is to be shown, and makes it stay. Before the commit: a message whose object may be deleted must never be,
    /// while an object without a message does no harm.
    async fn keep_attachment(&self, room: &RoomId, draft: &Draft, now: Timestamp) -> Result<(), ChatError> {
        let Content::Image { attachment, .. } = &draft.content else { return Ok(()) };
        attachment.check_owner(room, draft.sender)?;
        let object = self.attachments.inspect(&attachment.key).await?.ok_or(ChatError::AttachmentMissing)?;
        attachment.check_object(&object, now)?;
        let is_there = self.attachments.keep(&attachment.key).await?;
        if is_there { Ok(()) } else { Err(ChatError::AttachmentMissing) }
    }

    async fn head(&self, room: &RoomId, consistency: Consistency) -> Result<Room, ChatError> {
        let stored = self.messages.room(room, consistency).await?;
        Ok(stored.unwrap_or_else(|| Room::empty(room.clone())))
    }
}
