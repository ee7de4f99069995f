//! The gateway's rules, each checked against the page of Amazon's documentation its test names.
//!
//! All but `tcp` runs in memory on paused time: the 2 hours of a connection pass in milliseconds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod faults;
mod handshake;
mod harness;
mod limits;
mod management;
mod messages;
mod rest;
mod shutdown;
mod tcp;
