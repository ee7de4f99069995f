#[cfg(feature = "conformance")]
pub(crate) mod conformance;

use async_trait::async_trait;

use crate::{Message, MessageStoreError, Room};

/// Takes out of rooms what a user wrote. For administration: nothing that serves people has it.
///
/// It works beside a [`MessageStore`](crate::MessageStore) over the same rows, while others go on sending.
///
/// # Contract
///
/// - **Nothing is counted anew.** Rows stay where they are, with their numbers, timestamps, members and ids; so does the room's
///   [`seq`](Room::seq). What reading wrote is left alone.
/// - **Idempotency.** Everything may be repeated.
/// - **Errors.** Those of [`MessageStoreError`]. All but [`Corrupt`](MessageStoreError::Corrupt) may be retried, after a
///   [`Conflict`](MessageStoreError::Conflict) with the room as it is now.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait MessageEraser: Send + Sync {
    /// Takes the content out of a stored message: from then on it is [`Erased`](crate::Content::Erased). Forgets, in the same
    /// step, that the attachment was shown which `message` shows. A message that does not exist stays absent.
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError>;

    /// Replaces what the head of `room` tells of its messages, such as [`Room::without`] gives it, if the stored room's
    /// [`seq`](Room::seq) is the same; otherwise [`Conflict`](MessageStoreError::Conflict).
    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError>;
}
