//! The four functions: what of an event reaches the chat, and what of the answer reaches the gateway.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod aws_events;
mod events;
mod support;
