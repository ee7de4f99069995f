#[cfg(feature = "conformance")]
pub(crate) mod conformance;

use async_trait::async_trait;

use crate::{Message, MessageStoreError, Room, Timestamp};

/// Takes out of rooms what a user wrote, and removes those that nobody is left in. For administration: nothing that serves people has it.
///
/// It works beside a [`MessageStore`](crate::MessageStore) over the same rows, while others go on sending.
///
/// # Contract
///
/// - **Nothing is counted anew.** Rows stay where they are, with their numbers, timestamps, members and ids; so does the room's
///   [`seq`](Room::seq). What reading wrote is left alone.
/// - **Nobody's room goes.** Rows are removed only while the stored room is [deserted](Room::is_deserted), in steps that are done
///   or not done. Who writes between two of them finds a room whose numbers begin later.
/// - **Idempotency.** Everything may be repeated.
/// - **Errors.** Those of [`MessageStoreError`]. All but [`Corrupt`](MessageStoreError::Corrupt) may be retried, after a
///   [`Conflict`](MessageStoreError::Conflict) with the room as it is now.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MessageEraser: Send + Sync {
    /// Takes the content out of a stored message: from then on it is [`Erased`](crate::Content::Erased). Forgets, in the same
    /// step, that the attachment was shown which `message` shows. A message that does not exist stays absent.
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError>;

    /// Replaces what the head of `room` tells of its messages, such as [`Room::without`] gives it, and notes that those of its
    /// members are [erased](Room::erased) who are so in `room`, if the stored room's [`seq`](Room::seq) is the same; otherwise
    /// [`Conflict`](MessageStoreError::Conflict).
    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError>;

    /// Removes the messages at `rows` (at most [`PAGE_MAX`](crate::PAGE_MAX)), which are the oldest and
    /// [`Erased`](crate::Content::Erased), if the stored room is [deserted](Room::is_deserted) and its [`seq`](Room::seq) is that
    /// of `room`; otherwise [`Conflict`](MessageStoreError::Conflict).
    async fn remove_oldest(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError>;

    /// Removes the room with the messages at `rows`, which are the last of it, under the same condition and as
    /// [`remove_oldest`](Self::remove_oldest) does. Afterwards it is as if nothing was ever sent to it.
    async fn remove_room(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError>;
}
