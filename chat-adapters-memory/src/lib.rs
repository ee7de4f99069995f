#![doc = include_str!("../README.md")]

mod attachment_store;
mod backoff;
mod chat;
mod connection_store;
mod identity_verifier;
mod message_store;
mod pusher;
mod report_store;
mod user_store;

pub use attachment_store::{
    Download, DownloadRefused, MemoryAttachmentStore, OBJECTS_MAX_BYTES, UploadRefused,
};
pub use backoff::NoBackoff;
pub use chat::MemoryChat;
pub use connection_store::{CONNECTIONS_LISTED_MAX, MemoryConnectionStore};
pub use identity_verifier::{MemoryIdentityVerifier, TOKENS_MAX};
pub use message_store::MemoryMessageStore;
pub use pusher::{INBOX_MAX, MemoryPusher};
pub use report_store::MemoryReportStore;
pub use user_store::MemoryUserStore;

/// The project's README: its example is run as a test here, where both crates it needs are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;
