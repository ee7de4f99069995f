#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::MessageStoreError;
use crate::{Activity, Append, Email, Member, Message, ReadMark, Room, RoomId, Timestamp};

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
/// - **One message for each attachment.** If another message shows or has shown the attachment,
///   [`commit`](Self::commit) stores nothing and says
///   [`AttachmentTaken`](MessageStoreError::AttachmentTaken). That message may be the same one, which an
///   earlier attempt has stored: read the room again.
/// - **Separate halves.** [`commit`](Self::commit) never changes what reading wrote, and
///   [`advance_read`](Self::advance_read) and [`mark_rows_read`](Self::mark_rows_read) never change what
///   sending wrote; neither makes the other fail. Reading never creates a row.
/// - **Consistency.** A [`Strong`](Consistency::Strong) read sees every write that was acknowledged before it
///   began. An [`Eventual`](Consistency::Eventual) one may see any earlier state, and two of them may go back
///   in time.
/// - **Idempotency.** [`advance_read`](Self::advance_read) and [`mark_rows_read`](Self::mark_rows_read) may
///   be repeated. A repeated [`commit`](Self::commit) is a [`Conflict`](MessageStoreError::Conflict), also
///   when the first attempt succeeded and its answer was lost: read the room again.
/// - **Errors.** After [`Throttled`](MessageStoreError::Throttled), [`Conflict`](MessageStoreError::Conflict)
///   and [`AttachmentTaken`](MessageStoreError::AttachmentTaken) nothing happened. After
///   [`Unavailable`](MessageStoreError::Unavailable) a write may have happened, *or may still*.
/// - **Bounds.** Every method touches a bounded number of rows, however long the room is.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Reads the room, if anything was ever sent to it.
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError>;

    /// Stores the message and the room's new [`log`](Append::log), if the stored room's [`seq`](Room::seq)
    /// still is [`expected_seq`](Append::expected_seq); otherwise [`Conflict`](MessageStoreError::Conflict),
    /// or [`AttachmentTaken`](MessageStoreError::AttachmentTaken). The sender is no longer
    /// [erased](Room::erased); whether the receiver is stays as it is stored.
    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError>;

    /// Reads a page of a room's messages, with [`read`](Message::read) as the rows say.
    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError>;

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

    /// Sets `read` on the messages at `rows` (at most [`PAGE_MAX`]), each only if it exists, then notes that
    /// the peer's rows up to `through` are marked, unless a later instant is noted already or the reader's
    /// mark is before it. A room that does not exist stays absent.
    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError>;
}

/// What a read may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// The read may see any earlier state, and is cheaper.
    Eventual,
    /// The read sees everything that was acknowledged before it began.
    Strong,
}

/// Which messages of a room a page has.
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

/// How many messages a page has at most: 1 to [`PAGE_MAX`].
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

/// A page of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The messages in the order that was asked for.
    pub messages: Vec<Message>,
    /// Whether there is at least one more message beyond the last.
    pub has_more: bool,
}

/// A page of rooms.
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
