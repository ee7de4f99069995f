//! What the chat needs from outside, one trait for each port, and two more for administration. Each has its
//! errors and, behind the feature `conformance`, the suite that proves an implementation.
//!
//! All of them are object-safe and shared as `Arc<dyn Port>`. Whoever drops one of their futures may leave
//! the outcome unknown, and treats that as `Unavailable`.

pub(crate) mod attachment_eraser;
pub(crate) mod attachment_store;
pub(crate) mod connection_store;
pub(crate) mod identity_verifier;
pub(crate) mod message_eraser;
pub(crate) mod message_store;
pub(crate) mod pusher;
pub(crate) mod report_store;
pub(crate) mod user_store;

/// The vendor's own error, kept for logs. Its text never reaches a client.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
