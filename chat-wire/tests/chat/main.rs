//! The chat over the memory adapters: text goes in, text comes out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod attachments;
mod bad_frames;
mod changes;
mod clearing;
mod connections;
mod consent;
mod faults;
mod hostile;
mod later_kinds;
mod limits;
mod own_kinds;
mod proposals;
mod reading;
mod rest;
mod searching;
mod sending;
mod shapes;
mod sizes;
mod support;
mod users;
