#[cfg(feature = "conformance")]
pub(crate) mod conformance;

use async_trait::async_trait;

use crate::{Member, Message, MessageStoreError, Room, RoomId, Timestamp};

/// Erases from rooms what a user wrote, and removes rooms that nobody is left in. Only administration has
/// this port; nothing that serves people does.
///
/// It works beside a [`MessageStore`](crate::MessageStore) over the same rows, while others go on sending.
///
/// # Contract
///
/// - **Nothing is counted anew.** Rows stay where they are, with their numbers, timestamps, members and ids,
///   and the room keeps its [`seq`](Room::seq). The eraser leaves alone what reading wrote.
/// - **Only deserted rooms go.** Rows are removed only while the stored room is
///   [deserted](Room::is_deserted), and each step happens as a whole or not at all. The caller has waited
///   [`IN_DOUBT_FOR`](crate::IN_DOUBT_FOR) since then: what began before may still write a row. Somebody who
///   writes between two steps finds a room whose numbers begin later.
/// - **Idempotency.** Every call may be repeated.
/// - **Errors.** After every error but [`Corrupt`](MessageStoreError::Corrupt) the call may be retried; after
///   a [`Conflict`](MessageStoreError::Conflict) with the room as it is now.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MessageEraser: Send + Sync {
    /// Erases what a stored message says, as [`Message::erased`] does: it is not a change. In
    /// the same step it forgets that the attachment of `message` was shown. A message that does not exist
    /// stays absent.
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError>;

    /// Erases the reactions of a member from a stored message of the other. A message that does not exist
    /// stays absent.
    async fn erase_reactions(&self, message: &Message, member: Member) -> Result<(), MessageStoreError>;

    /// Replaces what the stored head tells of its messages by what `room` tells, which is [`Room::without`]
    /// the user, whose messages are erased by then, and notes the members that are [erased](Room::erased) in
    /// `room`. The stored room must have the same [`seq`](Room::seq); otherwise
    /// [`Conflict`](MessageStoreError::Conflict).
    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError>;

    /// Forgets what a member has decided about the other: their [`Consent`](crate::Consent) is the
    /// default one from then on. A room that does not exist stays absent.
    async fn forget_consent(&self, room: &RoomId, member: Member) -> Result<(), MessageStoreError>;

    /// Removes the entries at `rows` (at most [`PAGE_MAX`](crate::PAGE_MAX)), which are the oldest and [say
    /// nothing](Message::says_nothing). The stored room must be [deserted](Room::is_deserted) and have the
    /// [`seq`](Room::seq) of `room`; otherwise [`Conflict`](MessageStoreError::Conflict).
    async fn remove_oldest(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError>;

    /// Removes the room with the messages at `rows`, which are its last, under the condition of
    /// [`remove_oldest`](Self::remove_oldest). Afterwards the store is as if nothing was ever sent to the
    /// room.
    async fn remove_room(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError>;
}
