//! The use cases over the memory adapters, and over what goes wrong.

#![expect(clippy::unwrap_used, reason = "what panics in a test fails it")]

mod chat;
mod faults;

mod clear;
mod connect;
mod consent;
mod conversations;
mod deliver;
mod disconnect;
mod erase;
mod file_report;
mod history;
mod keep_alive;
mod mark_read;
mod open_attachment;
mod random;
mod reauthenticate;
mod request_upload;
mod search;
mod send;
mod typing;
mod users;

/// Asserts that a use case refused, and why.
macro_rules! assert_refused {
    ($result:expr, $why:pat) => {{
        let result = $result;
        assert!(matches!(result, Err($why)), "{result:?}");
    }};
}
pub(crate) use assert_refused;
