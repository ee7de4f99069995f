//! The four functions, through the events that API Gateway sends them, over the memory adapters.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod attachments;
mod aws_events;
mod bad_frames;
mod connections;
mod faults;
mod proposals;
mod reading;
mod rest;
mod sending;
mod shapes;
mod sizes;
mod support;
