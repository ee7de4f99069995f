//! Requests and answers as values: whoever lets something go wrong decides about them.

use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{
    Batch, BatchGet, Failure, Get, Item, Items, Query, QueryPage, Scan, Transacted, Write, Written,
};

/// A call of [`Items`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseRequest {
    /// A `GetItem` of one key.
    Get(Get),
    /// A `BatchGetItem` of one table.
    BatchGet(BatchGet),
    /// A `Query` for one page.
    Query(Query),
    /// A `Scan` for one page.
    Scan(Scan),
    /// `PutItem`, `UpdateItem` or `DeleteItem`
    Write(Write),
    /// A `TransactWriteItems` with these parts.
    Transact(Vec<Write>),
}

impl DatabaseRequest {
    /// Whether it may change something.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        matches!(self, Self::Write(_) | Self::Transact(_))
    }

    /// What it writes, which is nothing for a read.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        match self {
            Self::Write(write) => std::slice::from_ref(write),
            Self::Transact(writes) => writes,
            _ => &[],
        }
    }
}

/// What came of a [`DatabaseRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseAnswer {
    /// What a `GetItem` has found.
    Item(Option<Item>),
    /// What a `BatchGetItem` has found.
    Batch(Batch),
    /// What a `Query` or a `Scan` has found.
    Page(QueryPage),
    /// Of a write by itself.
    Written(Written),
    /// Of a transaction: if it was cancelled, the code of each part that was the reason.
    Transacted(Result<(), Vec<Option<String>>>),
}

/// Whoever answers requests: a [`Database`](crate::Database) by itself, or what lets things go wrong in front
/// of one.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Answers a request, with the variant of [`DatabaseAnswer`] that belongs to it.
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failure>;

    /// Waits before something is asked for again.
    async fn pause(&self, duration: Duration);
}

/// [`Items`], over whoever answers requests.
#[derive(Clone, Debug)]
pub struct Answered<A>(pub A);

#[derive(Debug, thiserror::Error)]
#[error("the transaction was cancelled: {0:?}")]
struct Cancelled(Vec<Option<String>>);

/// Takes the answer of one kind apart; any other is a fault of whoever answered.
macro_rules! answered {
    ($answer:expr, $pattern:pat => $value:expr) => {
        match $answer {
            $pattern => Ok($value),
            other => unreachable!("a request is answered as it asks, not by {other:?}"),
        }
    };
}

#[async_trait]
impl<A: Answers> Items for Answered<A> {
    async fn get(&self, get: Get) -> Result<Option<Item>, Failure> {
        answered!(self.0.answer(DatabaseRequest::Get(get)).await?, DatabaseAnswer::Item(item) => item)
    }

    async fn batch_get(&self, batch: BatchGet) -> Result<Batch, Failure> {
        let answer = self.0.answer(DatabaseRequest::BatchGet(batch)).await?;
        answered!(answer, DatabaseAnswer::Batch(batch) => batch)
    }

    async fn query(&self, query: Query) -> Result<QueryPage, Failure> {
        answered!(self.0.answer(DatabaseRequest::Query(query)).await?, DatabaseAnswer::Page(page) => page)
    }

    async fn scan(&self, scan: Scan) -> Result<QueryPage, Failure> {
        answered!(self.0.answer(DatabaseRequest::Scan(scan)).await?, DatabaseAnswer::Page(page) => page)
    }

    async fn write(&self, write: Write) -> Result<Written, Failure> {
        let answer = self.0.answer(DatabaseRequest::Write(write)).await?;
        answered!(answer, DatabaseAnswer::Written(written) => written)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, Failure> {
        let answer = self.0.answer(DatabaseRequest::Transact(writes)).await?;
        answered!(answer, DatabaseAnswer::Transacted(transacted) => match transacted {
            Ok(()) => Transacted::Done,
            Err(codes) => Transacted::Cancelled { codes: codes.clone(), source: Cancelled(codes).into() },
        })
    }

    async fn pause(&self, duration: Duration) {
        self.0.pause(duration).await;
    }
}
