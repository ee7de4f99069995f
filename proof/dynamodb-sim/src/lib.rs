#![doc = include_str!("../README.md")]

mod database;
mod expression;
mod faultless;
mod requests;
mod table;
mod value;

pub use database::{Database, Seen};
pub use faultless::Faultless;
pub use requests::{Answered, Answers, DatabaseAnswer, DatabaseRequest};

/// DynamoDB would answer a `ValidationException`, or this crate does not know what it would answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is invalid: {0}")]
pub struct Invalid(String);

impl Invalid {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
