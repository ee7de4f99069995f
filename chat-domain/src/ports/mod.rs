//! What the chat needs of the world: five traits, and two more for whoever administers it, each with its errors and, behind the feature `conformance`, the suite
//! that proves an implementation.
//!
//! All of them are object-safe and shared as `Arc<dyn Port>`. Dropping a future of theirs may leave the outcome unknown:
//! callers treat that as they treat `Unavailable`.

pub(crate) mod attachment_eraser;
pub(crate) mod attachment_store;
pub(crate) mod connection_store;
pub(crate) mod identity_verifier;
pub(crate) mod message_eraser;
pub(crate) mod message_store;
pub(crate) mod pusher;

/// The vendor's own error, kept for logs. Its text never reaches a client.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
