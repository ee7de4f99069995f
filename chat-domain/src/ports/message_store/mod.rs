#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::MessageStoreError;
use crate::{Activity, Append, ConsentWrite, Email, Member, Message, ReadMark, Room, RoomId, Timestamp};

/// The most rows a page of messages has. Fifty of the longest texts stay below DynamoDB's 1 MB a query.
pub const PAGE_MAX: usize = 50;
/// The most rooms a page of them has: DynamoDB reads 100 items in one batch.
pub const ROOMS_PAGE_MAX: usize = 100;

/// Keeps rooms and their messages.
///
/// # Contract
///
/// - **Atomicity.** [`commit`](Self::commit) stores the message and the room's log, or neither; it succeeds
///   at most once for each [`Append::expected_seq`] of a room. So timestamps and sequence numbers become
///   visible in their order, and nothing is ever committed at or before a timestamp that was visible.
/// - **Changes.** Once [`commit`](Self::commit) has stored a [change](Append::change), every strong read
///   shows
///   its target as [`Message::changed_by`] says, whether or not [`apply_change`](Self::apply_change) was
///   called for it; and so does every page that has the change, if it has the target. The effects of changes
///   come in the order of the log. A target that is not there stays absent.
/// - **One message for each attachment.** If another message shows or has shown the attachment, or tried to,
///   [`commit`](Self::commit) stores nothing and says
///   [`AttachmentTaken`](MessageStoreError::AttachmentTaken). It may say so of a message that an earlier
///   attempt has stored: read the room again. A message is the same by its sender and its
///   [`ClientMessageId`](crate::ClientMessageId). The store may forget what was shown a day after it, when
///   nobody may [show it for the first time](crate::UPLOAD_SHOWN_WITHIN) any more, which the caller checks.
/// - **A block holds.** While the stored receiver of a message [blocks](crate::Consent::blocked) its
///   sender, [`commit`](Self::commit) stores nothing and says [`Conflict`](MessageStoreError::Conflict),
///   whatever head the message was made from.
/// - **Separate halves.** [`commit`](Self::commit) never changes what reading wrote, and
///   [`advance_read`](Self::advance_read) and [`clear`](Self::clear) never change what sending wrote, nor one
///   what the other wrote; none makes another fail. Nor do they change a member's
///   [`Consent`](crate::Consent), which only [`write_consent`](Self::write_consent) writes, and which
///   changes nothing else but [`ReadState::shown_to`](crate::ReadState::shown_to). Reading and deciding
///   never create a row.
/// - **No hole.** A page has every message between two that it has. What [`commit`](Self::commit) has stored
///   is in every strong page that it belongs to, whether or not [`settle`](Self::settle) was called.
/// - **Consistency.** A [`Strong`](Consistency::Strong) read sees every write that was acknowledged before it
///   began. An [`Eventual`](Consistency::Eventual) one may see any earlier state, and two of them may go back
///   in time.
/// - **Idempotency.** [`advance_read`](Self::advance_read), [`clear`](Self::clear) and
///   [`write_consent`](Self::write_consent) may be repeated; a repeated block that freezes is a
///   [`Conflict`](MessageStoreError::Conflict). So is a repeated [`commit`](Self::commit), also when the
///   first attempt succeeded and its answer was lost: read the room again.
/// - **Errors.** After [`Throttled`](MessageStoreError::Throttled), [`Conflict`](MessageStoreError::Conflict)
///   and [`AttachmentTaken`](MessageStoreError::AttachmentTaken) nothing happened. After
///   [`Unavailable`](MessageStoreError::Unavailable) a write may have happened, *or may still*.
/// - **Bounds.** Every method touches a bounded number of rows, however long the room is.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Reads the room, if anything was ever sent to it.
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError>;

    /// Reads the same as [`room`](Self::room), for a caller who is about to [`commit`](Self::commit) to the
    /// room. A store that has to know more by then looks after it here, at the same time; most have not.
    async fn room_for_commit(
        &self,
        id: &RoomId,
        consistency: Consistency,
    ) -> Result<Option<Room>, MessageStoreError> {
        self.room(id, consistency).await
    }

    /// Reads the same as [`room_for_commit`](Self::room_for_commit), and the message at `place`, if there is
    /// one, for a caller who is about to change it. The message has had every change that the room has had.
    /// So nobody is told that they changed what was deleted before.
    async fn room_for_change(
        &self,
        id: &RoomId,
        place: Timestamp,
        consistency: Consistency,
    ) -> Result<(Option<Room>, Option<Message>), MessageStoreError> {
        let room = self.room_for_commit(id, consistency).await?;
        let found = self.messages_at(id, &[place], Consistency::Strong).await?;
        Ok((room, found.into_iter().next()))
    }

    /// Stores the message and the room's new [`log`](Append::log), if the stored room's [`seq`](Room::seq)
    /// still is [`expected_seq`](Append::expected_seq); otherwise [`Conflict`](MessageStoreError::Conflict),
    /// or [`AttachmentTaken`](MessageStoreError::AttachmentTaken). The sender is no longer
    /// [erased](Room::erased); whether the receiver is stays as it is stored.
    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError>;

    /// The message that a committed [change](Append::change) has changed, as it is by now. A store that left
    /// the effect of the change for later has it now; call it before [`settle`](Self::settle), and not for a
    /// message.
    async fn apply_change(&self, append: &Append) -> Result<Option<Message>, MessageStoreError> {
        let Some((target, _)) = append.change() else { return Ok(None) };
        let found = self.messages_at(&append.message().room, &[target], Consistency::Strong).await?;
        Ok(found.into_iter().next())
    }

    /// Finishes what the [`commit`](Self::commit) of this message has left for later, if the store leaves
    /// anything; most leave nothing. The message is stored already: a caller does this while it tells others
    /// of the message, and need not mind if it fails.
    async fn settle(&self, _message: &Message) -> Result<(), MessageStoreError> {
        Ok(())
    }

    /// Reads a page of a room's messages.
    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError>;

    /// Reads the messages at these places, as they are by now, in no particular order; at most [`PAGE_MAX`].
    /// Those that are not there are left out.
    async fn messages_at(
        &self,
        room: &RoomId,
        places: &[Timestamp],
        consistency: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError>;

    /// Lists the rooms of a user, latest [`Activity`] first, beginning after the place `after`; eventually
    /// consistent. At most [`ROOMS_PAGE_MAX`].
    async fn rooms_of(&self, member: &Email, after: Option<Activity>)
    -> Result<RoomsPage, MessageStoreError>;

    /// Moves a reader's mark forward to `mark`, if it is not there or further already and the room's log
    /// [allows](crate::RoomLog::allows) it. Gives the room as it is afterwards.
    ///
    /// The caller has made the mark by [`ReadMark::at`] of a message of the room. The store does not check
    /// that.
    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError>;

    /// Moves forward how far a reader has [cleared](crate::ReadState::cleared_to) the conversation, to
    /// `up_to` if it is not there or further already. Says how far that is afterwards; `None` when there
    /// is no such room.
    async fn clear(
        &self,
        room: &RoomId,
        reader: Member,
        up_to: Timestamp,
    ) -> Result<Option<Timestamp>, MessageStoreError>;

    /// Writes what a member has decided about the other, as [`ConsentWrite::applied`] says, and says whether
    /// there is such a room. What it must not write is a [`Conflict`](MessageStoreError::Conflict).
    async fn write_consent(
        &self,
        room: &RoomId,
        member: Member,
        write: ConsentWrite,
    ) -> Result<bool, MessageStoreError>;
}

/// What a read may see. Ask for [`Strong`](Self::Strong) where nothing catches a state of a moment ago:
/// before a refusal, and in a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// The read may see any earlier state, and is cheaper.
    Eventual,
    /// The read sees everything that was acknowledged before it began.
    Strong,
}

/// Which messages of a room a page has. A range says where, a limit how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageQuery {
    /// Where the page begins and which way it goes.
    pub range: PageRange,
    /// How many messages the page has at most.
    pub limit: PageLimit,
}

/// Where a page begins and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageRange {
    /// The newest messages, the newest first.
    Newest,
    /// The messages before the timestamp, the newest first.
    Before(Timestamp),
    /// All messages, the oldest first.
    Oldest,
    /// The messages after the timestamp, the oldest first.
    After(Timestamp),
}

/// How many messages a page has at most: 1 to [`PAGE_MAX`], so that no request touches more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageLimit(usize);

/// The limit is not between 1 and [`PAGE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page has 1 to {PAGE_MAX} messages")]
pub struct PageLimitError;

impl PageLimit {
    /// A page of one message.
    pub const ONE: Self = Self(1);
    /// A page of [`PAGE_MAX`] messages.
    pub const MAX: Self = Self(PAGE_MAX);
    /// Half of such a page.
    pub const HALF: Self = Self(PAGE_MAX / 2);

    /// Checks the number of messages.
    ///
    /// # Errors
    /// [`PageLimitError`] when it is not between 1 and [`PAGE_MAX`].
    pub fn new(limit: usize) -> Result<Self, PageLimitError> {
        if (1..=PAGE_MAX).contains(&limit) { Ok(Self(limit)) } else { Err(PageLimitError) }
    }

    /// The number of messages.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }
}

/// A page of messages, in the order that its query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The messages in the order that was asked for.
    pub messages: Vec<Message>,
    /// Whether there is at least one more message beyond the last.
    pub has_more: bool,
}

/// A page of rooms, and where the next one begins: what a list of conversations is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomsPage {
    /// The rooms, latest [`Activity`] first.
    pub rooms: Vec<Room>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Activity>,
}

/// What came of moving a read mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The mark moved. This is the room afterwards.
    Moved(Room),
    /// The mark was there or further already, or it counts more than the room has. This is the room.
    Unchanged(Room),
    /// There is no such room.
    NoRoom,
}
