//! What people and programs do with the chat: one file for each verb. Time and new ids are inputs.

pub(crate) mod admit;
pub(crate) mod backoff;
pub(crate) mod blocked;
pub(crate) mod change_access;
pub(crate) mod change_consent;
pub(crate) mod connect;
pub(crate) mod conversations;
pub(crate) mod cut_connections;
pub(crate) mod deliver;
pub(crate) mod disconnect;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod file_report;
pub(crate) mod history;
pub(crate) mod identify;
pub(crate) mod keep_alive;
pub(crate) mod limit_requests;
pub(crate) mod mark_read;
pub(crate) mod open_attachment;
pub(crate) mod reauthenticate;
pub(crate) mod request_upload;
pub(crate) mod send;
pub(crate) mod store;
pub(crate) mod typing;
mod users;
mod walk;
