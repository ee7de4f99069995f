use std::sync::Arc;

use futures_util::future::try_join;

use super::backoff::{Backoff, longest_wait};
use super::users::change_user;
use crate::{
    Append, AppendRefused, Attachment, AttachmentStore, ChangeAction, ChangeDraft, ChangeRefused, ChatError,
    ClientMessageId, Consistency, Content, Draft, Email, Member, Message, MessageStore, MessageStoreError,
    PageLimit, PageQuery, PageRange, Recall, Room, RoomId, SendPolicy, Timestamp, UserStore,
};

/// How often storing is tried again before the client has to. Two people rarely write within the same few
/// milliseconds. Nine retries also suffice for ten devices that write at once, since one of them succeeds
/// each time.
const RETRIES_MAX: u32 = 9;

/// What came of storing a message or a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each request, and mostly it is the large one"
)]
pub enum Stored {
    /// It is stored now.
    New {
        /// The message, or the entry of the change, as it is stored.
        message: Message,
        /// What the changed message is by now; `None` for a message, and for a change whose effect on it is
        /// left for later.
        changed: Option<Message>,
        /// How often storing was tried again, because others were first or an outcome was unknown.
        retries: u32,
    },
    /// An earlier attempt had stored it: this one changed nothing.
    Duplicate(Message),
}

/// What goes into the log of a room.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    Message(&'a Draft),
    Change(&'a ChangeDraft),
}

impl Entry<'_> {
    const fn id(&self) -> ClientMessageId {
        match self {
            Self::Message(draft) => draft.id,
            Self::Change(draft) => draft.id,
        }
    }

    pub(crate) const fn sender(&self) -> Member {
        match self {
            Self::Message(draft) => draft.sender,
            Self::Change(draft) => draft.sender,
        }
    }

    const fn attachment(&self) -> Option<&Attachment> {
        match self {
            Self::Message(draft) => draft.content.attachment(),
            Self::Change(_) => None,
        }
    }

    /// Whether a stored message is this, by an earlier attempt. What a message says may have changed since:
    /// then the id is all that it is recognised by.
    fn is(&self, stored: &Message) -> bool {
        match (self, &stored.content) {
            (Self::Change(draft), Content::Change(change)) => change.is(draft.target, &draft.effect),
            (Self::Change(_), _) | (Self::Message(_), Content::Change(_)) => false,
            (Self::Message(_), Content::Deleted) => true,
            (Self::Message(_), _) if stored.changed.edited_at.is_some() => true,
            (Self::Message(draft), content) => draft.content == *content && draft.reply_to == stored.reply_to,
        }
    }

    fn append(
        &self,
        head: &Room,
        referred: Option<&Message>,
        now: Timestamp,
        policy: SendPolicy,
    ) -> Result<Append, AppendRefused> {
        match self {
            Self::Message(draft) => {
                let is_answerable = |message: &Message| !matches!(message.content, Content::Change(_));
                if draft.reply_to.is_some() && !referred.is_some_and(is_answerable) {
                    return Err(ChangeRefused::NoTarget.into());
                }
                head.append(draft, now, policy)
            }
            Self::Change(draft) => head.change(draft, referred, now, policy),
        }
    }
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
/// let store = StoreMessage::new(chat.messages, attachments, chat.users, backoff, SendRate::default());
///
/// let room = RoomId::new(&minji, &junho)?;
/// let sender = room.member(&minji).expect("the room is hers too");
/// let content = Content::Text("안녕하세요".parse()?);
/// let draft = Draft { id: ClientMessageId::from_u128(1), sender, content, reply_to: None };
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
    users: Arc<dyn UserStore>,
    backoff: Arc<dyn Backoff>,
    policy: SendPolicy,
}

impl StoreMessage {
    /// Composes the use case of its ports. A chat without images passes
    /// [`NoAttachments`](crate::NoAttachments).
    #[must_use]
    pub fn new(
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentStore>,
        users: Arc<dyn UserStore>,
        backoff: Arc<dyn Backoff>,
        policy: impl Into<SendPolicy>,
    ) -> Self {
        Self { messages, attachments, users, backoff, policy: policy.into() }
    }

    /// Stores `draft` in `room`, unless an earlier attempt has. `after` is as in
    /// [`SendCommand`](crate::SendCommand).
    ///
    /// # Errors
    /// Definitive, the message is not stored and will not be: [`IdReused`](ChatError::IdReused),
    /// [`AfterAheadOfRoom`](ChatError::AfterAheadOfRoom),
    /// [`AttachmentRejected`](ChatError::AttachmentRejected),
    /// [`AttachmentMissing`](ChatError::AttachmentMissing), [`ProposalState`](ChatError::ProposalState),
    /// [`NotAccepted`](ChatError::NotAccepted).
    /// After all others: try again with the same id.
    pub async fn execute(
        &self,
        room: &RoomId,
        draft: &Draft,
        after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Stored, ChatError> {
        let entry = Entry::Message(draft);
        let seen = self.look(room, entry).await?;
        let stored = self.store(seen, entry, after, now).await?;
        if let Stored::New { message, .. } = &stored {
            self.settle(message).await;
        }
        Ok(stored)
    }

    /// Reads what [`store`](Self::store) begins with. It may be stale.
    pub(crate) async fn look(&self, room: &RoomId, entry: Entry<'_>) -> Result<Seen, ChatError> {
        self.read(room, entry, Consistency::Eventual).await
    }

    /// Finishes what storing has left for later. Nothing depends on it: what fails here, the next writer
    /// makes good. Of a change, its effect comes first.
    pub(crate) async fn settle(&self, message: &Message) {
        let _ = self.messages.settle(message).await;
    }

    pub(crate) async fn store(
        &self,
        seen: Seen,
        entry: Entry<'_>,
        after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Stored, ChatError> {
        if let Entry::Change(ChangeDraft { target, .. }) = entry
            && after.is_some_and(|after| *target > after)
        {
            return Err(AppendRefused::Change(ChangeRefused::TargetAfterAfter).into());
        }
        let begun = Attempt {
            store: self,
            entry,
            after,
            now,
            seen,
            consistency: Consistency::Eventual,
            attachment: AttachmentState::Unchecked,
            is_counted: false,
            retries: 0,
        };
        begun.run().await
    }

    /// Reads the head, and the message that the entry refers to.
    async fn read(
        &self,
        room: &RoomId,
        entry: Entry<'_>,
        consistency: Consistency,
    ) -> Result<Seen, ChatError> {
        let (head, referred) = match entry {
            Entry::Message(Draft { reply_to: None, .. }) => {
                (self.messages.room_for_commit(room, consistency).await?, None)
            }
            // What a message replies to does not change by what it says, so it may be older than the head.
            Entry::Message(Draft { reply_to: Some(at), .. }) => {
                let places = [*at];
                let head = self.messages.room_for_commit(room, consistency);
                let referred = self.messages.messages_at(room, &places, consistency);
                let (head, referred) = try_join(head, referred).await?;
                (head, referred.into_iter().next())
            }
            Entry::Change(draft) => self.messages.room_for_change(room, draft.target, consistency).await?,
        };
        Ok(Seen { head: head.unwrap_or_else(|| Room::empty(room.clone())), referred })
    }

    /// Has the effect of a change that is stored, and says what became of the message. `None` when that is
    /// left for later.
    async fn apply(&self, append: &Append) -> Result<Option<Message>, ChatError> {
        if append.change().is_none() {
            return Ok(None);
        }
        let changed = self.messages.apply_change(append).await.ok().flatten();
        if changed.is_some() {
            self.release(append.message()).await?;
        }
        Ok(changed)
    }

    /// Lets the object go that a deleted message has shown. A client sends the deletion again until this was
    /// done.
    async fn release(&self, entry: &Message) -> Result<(), ChatError> {
        let Content::Change(change) = &entry.content else { return Ok(()) };
        if let ChangeAction::Delete { attachment: Some(key) } = &change.action {
            self.attachments.release(key).await?;
        }
        Ok(())
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
        entry: Entry<'_>,
        after: Option<Timestamp>,
    ) -> Result<Option<Message>, ChatError> {
        let range = after.map_or(PageRange::Newest, PageRange::After);
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = self.messages.page(room, query, Consistency::Strong).await?;
        let found = page
            .messages
            .into_iter()
            .find(|message| message.id == entry.id() && message.sender == entry.sender());
        if found.is_none() && after.is_some() && page.has_more {
            return Err(ChatError::ResyncNeeded);
        }
        Ok(found)
    }

    /// Checks the object that the message is to show, and makes it stay. This comes before the commit: a
    /// message must never be stored whose object may be deleted, while an object without a message does no
    /// harm.
    async fn keep_attachment(
        &self,
        room: &RoomId,
        entry: Entry<'_>,
        now: Timestamp,
    ) -> Result<(), ChatError> {
        let Some(attachment) = entry.attachment() else { return Ok(()) };
        attachment.check_owner(room, entry.sender())?;
        let object = self.attachments.inspect(&attachment.key).await?.ok_or(ChatError::AttachmentMissing)?;
        attachment.check_object(&object, now)?;
        let is_there = self.attachments.keep(&attachment.key).await?;
        if is_there { Ok(()) } else { Err(ChatError::AttachmentMissing) }
    }

    /// Counts that the sender begins a room. This comes before the commit: a room must never be begun that
    /// was not counted, while a room that was counted and not begun takes one of many places until tomorrow.
    async fn count_room(&self, sender: &Email, now: Timestamp) -> Result<(), ChatError> {
        change_user(&*self.users, sender, |user| {
            let counted = user.begin_room(self.policy.daily, now);
            counted.map(Some).map_err(|retry_after| ChatError::RateLimited { retry_after })
        })
        .await
        .map(drop)
    }
}

/// What is decided by.
pub(crate) struct Seen {
    /// The room as it was last read.
    head: Room,
    /// The message that the entry refers to, as it was read then, if there is one.
    referred: Option<Message>,
}

/// One entry on its way into the store: what is to be stored, and all that was learnt so far. It reads a
/// head, decides, commits, and begins again at a newer head until the entry is stored, found or refused.
struct Attempt<'a> {
    store: &'a StoreMessage,
    entry: Entry<'a>,
    after: Option<Timestamp>,
    now: Timestamp,
    seen: Seen,
    /// How that was read.
    consistency: Consistency,
    attachment: AttachmentState,
    /// Whether it is counted that the sender begins the room. Once is enough.
    is_counted: bool,
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
    AlreadyStored(Box<Message>),
    /// The message that is to be changed has had changes that the head does not know of.
    ReadAgain,
}

impl Attempt<'_> {
    async fn run(mut self) -> Result<Stored, ChatError> {
        loop {
            match self.decide().await {
                Ok(Decision::AlreadyStored(message)) => {
                    self.store.release(&message).await?;
                    return Ok(Stored::Duplicate(*message));
                }
                // Nobody is refused by a message that is newer than the head: what has changed it may be this
                // very entry, by an earlier attempt.
                Ok(Decision::ReadAgain) if self.retries == RETRIES_MAX => {
                    return Err(MessageStoreError::Conflict.into());
                }
                Ok(Decision::ReadAgain) => self.retries += 1,
                Ok(Decision::Append(append)) => {
                    if self.commit(&append).await? {
                        let changed = self.store.apply(&append).await?;
                        let retries = self.retries;
                        return Ok(Stored::New { message: append.log.newest, changed, retries });
                    }
                }
                // A stale head may admit a message, since the commit would notice; it must not refuse one.
                Err(_) if self.consistency == Consistency::Eventual => {}
                Err(error) => return Err(error),
            }
            self.consistency = Consistency::Strong;
            self.seen = self.store.read(self.seen.head.id(), self.entry, self.consistency).await?;
        }
    }

    /// What to do, given the head. The search for an earlier attempt comes *after* the head was read: a
    /// message that is stored between the two is found, and one that is stored later moves the head on, so
    /// that the commit fails.
    async fn decide(&mut self) -> Result<Decision, ChatError> {
        let Self { store, entry, seen: Seen { head, referred }, .. } = self;
        let earlier = match head.recall(entry.sender(), entry.id(), self.after) {
            Recall::Absent => None,
            Recall::AheadOfRoom => return Err(ChatError::AfterAheadOfRoom),
            Recall::SentAt(at) => Some(store.message_at(head.id(), at).await?),
            Recall::Search(after) => store.search(head.id(), *entry, after).await?,
        };
        match earlier {
            Some(message) if entry.is(&message) => Ok(Decision::AlreadyStored(Box::new(message))),
            Some(_) => Err(ChatError::IdReused),
            None if referred.as_ref().is_some_and(|message| message.changed.by > head.seq()) => {
                Ok(Decision::ReadAgain)
            }
            None => {
                let append = entry.append(head, referred.as_ref(), self.now, store.policy)?;
                // Before the image is kept: what is refused here leaves none that can be opened.
                if head.log().is_none() && !self.is_counted {
                    store.count_room(head.id().email(entry.sender()), self.now).await?;
                    self.is_counted = true;
                }
                match self.attachment {
                    AttachmentState::Unchecked => {
                        store.keep_attachment(head.id(), *entry, self.now).await?;
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
