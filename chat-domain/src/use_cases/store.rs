use std::sync::Arc;

use super::backoff::{Backoff, longest_wait};
use crate::{
    Append, AttachmentStore, ChatError, Consistency, Content, Draft, Message, MessageStore,
    MessageStoreError, PageLimit, PageQuery, PageRange, Recall, Room, RoomId, SendRate, Timestamp,
};

/// How often storing is tried again before the client has to. Two people rarely write within the same few
/// milliseconds. Nine retries also suffice for ten devices that write at once, since one of them succeeds
/// each time.
const RETRIES_MAX: u32 = 9;

/// What came of storing a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The message is stored now.
    New {
        /// The message as it is stored.
        message: Message,
        /// How often storing was tried again, because others were first or an outcome was unknown.
        retries: u32,
    },
    /// An earlier attempt had stored the message: this one changed nothing.
    Duplicate(Message),
}

/// Stores a message exactly once, and tells nobody.
///
/// This is the core of sending. It needs no connection and no gateway, since its caller already knows who
/// sends. Use it alone for messages that nobody has to be told of, such as those of an import.
/// [`SendMessage`](crate::SendMessage) also pushes them.
///
/// # Example: a retry finds the message stored
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
///
/// let (attachments, backoff) = (Arc::new(NoAttachments), Arc::new(NoBackoff));
/// let store = StoreMessage::new(chat.messages, attachments, backoff, SendRate::default());
///
/// let room = RoomId::new(&minji, &junho)?;
/// let sender = room.member(&minji).expect("the room is hers too");
/// let draft = Draft { id: ClientMessageId::from_u128(1), sender, content: Content::Text("안녕하세요".parse()?) };
/// let stored = store.execute(&room, &draft, None, now).await?;
/// let Stored::New { message, .. } = stored else { panic!("nobody stored it before") };
/// assert_eq!(message.seq, 1);
/// assert_eq!(store.execute(&room, &draft, None, now).await?, Stored::Duplicate(message));
/// # Ok(())
/// # }
/// ```
pub struct StoreMessage {
    messages: Arc<dyn MessageStore>,
    attachments: Arc<dyn AttachmentStore>,
    backoff: Arc<dyn Backoff>,
    rate: SendRate,
}

impl StoreMessage {
    /// Composes the use case of its ports. A chat without images passes
    /// [`NoAttachments`](crate::NoAttachments).
    #[must_use]
    pub fn new(
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentStore>,
        backoff: Arc<dyn Backoff>,
        rate: SendRate,
    ) -> Self {
        Self { messages, attachments, backoff, rate }
    }

    /// Stores `draft` in `room`, unless an earlier attempt has. `after` is as in
    /// [`SendCommand`](crate::SendCommand).
    ///
    /// # Errors
    /// Definitive, the message is not stored and will not be: [`IdReused`](ChatError::IdReused),
    /// [`AfterAheadOfRoom`](ChatError::AfterAheadOfRoom),
    /// [`AttachmentRejected`](ChatError::AttachmentRejected),
    /// [`AttachmentMissing`](ChatError::AttachmentMissing), [`ProposalState`](ChatError::ProposalState).
    /// After all others: try again with the same id.
    pub async fn execute(
        &self,
        room: &RoomId,
        draft: &Draft,
        after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Stored, ChatError> {
        let head = self.head(room).await?;
        self.store(head, draft, after, now).await
    }

    /// Reads the head that [`store`](Self::store) begins with. It may be stale.
    pub(crate) async fn head(&self, room: &RoomId) -> Result<Room, ChatError> {
        self.read(room, Consistency::Eventual).await
    }

    pub(crate) async fn store(
        &self,
        head: Room,
        draft: &Draft,
        after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Stored, ChatError> {
        let begun = Attempt {
            store: self,
            draft,
            after,
            now,
            head,
            consistency: Consistency::Eventual,
            attachment: AttachmentState::Unchecked,
            retries: 0,
        };
        begun.run().await
    }

    async fn read(&self, room: &RoomId, consistency: Consistency) -> Result<Room, ChatError> {
        let stored = self.messages.room(room, consistency).await?;
        Ok(stored.unwrap_or_else(|| Room::empty(room.clone())))
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

    /// Checks the object that the message is to show, and makes it stay. This comes before the commit: a
    /// message must never be stored whose object may be deleted, while an object without a message does no
    /// harm.
    async fn keep_attachment(&self, room: &RoomId, draft: &Draft, now: Timestamp) -> Result<(), ChatError> {
        let Content::Image { attachment, .. } = &draft.content else { return Ok(()) };
        attachment.check_owner(room, draft.sender)?;
        let object = self.attachments.inspect(&attachment.key).await?.ok_or(ChatError::AttachmentMissing)?;
        attachment.check_object(&object, now)?;
        let is_there = self.attachments.keep(&attachment.key).await?;
        if is_there { Ok(()) } else { Err(ChatError::AttachmentMissing) }
    }
}

/// One draft on its way into the store: what is to be stored, and all that was learnt so far. It reads a
/// head, decides, commits, and begins again at a newer head until the message is stored, found or refused.
struct Attempt<'a> {
    store: &'a StoreMessage,
    draft: &'a Draft,
    after: Option<Timestamp>,
    now: Timestamp,
    /// The room as it was last read.
    head: Room,
    /// How the head was read.
    consistency: Consistency,
    attachment: AttachmentState,
    /// How many commits were tried again.
    retries: u32,
}

/// What is known of the object that the message shows. A message that shows none takes the same steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AttachmentState {
    /// Nobody has looked at the object yet.
    Unchecked,
    /// The object is as announced, and stays. Once is enough.
    Kept,
    /// The store says that a message shows the object already: this one, by an earlier attempt, or another.
    Taken,
}

/// What a head says about a draft.
enum Decision {
    Append(Box<Append>),
    AlreadyStored(Message),
}

impl Attempt<'_> {
    async fn run(mut self) -> Result<Stored, ChatError> {
        loop {
            match self.decide().await {
                Ok(Decision::AlreadyStored(message)) => return Ok(Stored::Duplicate(message)),
                Ok(Decision::Append(append)) => {
                    if self.commit(&append).await? {
                        return Ok(Stored::New { message: append.message, retries: self.retries });
                    }
                }
                // A stale head may admit a message, since the commit would notice; it must not refuse one.
                Err(_) if self.consistency == Consistency::Eventual => {}
                Err(error) => return Err(error),
            }
            self.consistency = Consistency::Strong;
            self.head = self.store.read(self.head.id(), self.consistency).await?;
        }
    }

    /// What to do, given the head. The search for an earlier attempt comes *after* the head was read: a
    /// message that is stored between the two is found, and one that is stored later moves the head on, so
    /// that the commit fails.
    async fn decide(&mut self) -> Result<Decision, ChatError> {
        let Self { store, draft, head, .. } = self;
        let earlier = match head.recall(draft.sender, draft.id, self.after) {
            Recall::Absent => None,
            Recall::AheadOfRoom => return Err(ChatError::AfterAheadOfRoom),
            Recall::SentAt(at) => Some(store.message_at(head.id(), at).await?),
            Recall::Search(after) => store.search(head.id(), draft, after).await?,
        };
        match earlier {
            Some(message) if message.content == draft.content => Ok(Decision::AlreadyStored(message)),
            Some(_) => Err(ChatError::IdReused),
            None => {
                let append = head.append(draft, self.now, store.rate)?;
                match self.attachment {
                    AttachmentState::Unchecked => {
                        store.keep_attachment(head.id(), draft, self.now).await?;
                        self.attachment = AttachmentState::Kept;
                    }
                    AttachmentState::Kept => {}
                    // It is not this message that has it: whoever claimed it was stored before the head was
                    // read again.
                    AttachmentState::Taken => return Err(MessageStoreError::AttachmentTaken.into()),
                }
                Ok(Decision::Append(Box::new(append)))
            }
        }
    }

    /// Whether the message is stored now. If not, the next head tells what happened.
    async fn commit(&mut self, append: &Append) -> Result<bool, ChatError> {
        match self.store.messages.commit(append).await {
            Ok(()) => Ok(true),
            Err(error @ MessageStoreError::Corrupt { .. }) => Err(error.into()),
            Err(MessageStoreError::AttachmentTaken) => {
                self.attachment = AttachmentState::Taken;
                Ok(false)
            }
            Err(error) if self.retries == RETRIES_MAX => Err(error.into()),
            Err(_) => {
                // Somebody else was first, or nobody knows what happened.
                self.retries += 1;
                self.store.backoff.wait(longest_wait(self.retries)).await;
                Ok(false)
            }
        }
    }
}
