//! The wire format: every JSON shape that goes in or out, and nothing else knows them.
//!
//! These types are the one source of the generated documents (feature `schema`): change them, run `make generate`.

pub mod cursor;
pub mod error;
pub mod frames;
pub mod json;
pub mod message;
pub mod rest;
