//! Lambda's rules, each checked against the page of Amazon's documentation its test names, with real
//! processes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod events;
mod freezing;
mod harness;
mod init;
mod instances;
mod outcomes;
mod process;
