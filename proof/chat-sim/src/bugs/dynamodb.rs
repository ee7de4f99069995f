//! The real functions over the stores of AWS, which are wrong about how a message is written ahead. Some are
//! wrong in what they ask of DynamoDB, or believe of its answers; others call the right store wrongly.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{Failure, Item, QueryPage, Value, Write, WriteKind, Written};
use chat_domain::testing::{MessageStoreCall, MessageStoreReply, Port as _};
use chat_domain::{Consistency, Page, PageRange};
use dynamodb_sim::{Answered, Answers, DatabaseAnswer, DatabaseRequest};
use futures_util::future::BoxFuture;

use super::ports::over_messages;
use crate::call::Call;
use crate::ports::SharedEnvironment;
use crate::server::Server;

/// What is wrong about a request, or about its answer.
type RequestBug =
    for<'a> fn(DatabaseRequest, &'a SharedEnvironment) -> BoxFuture<'a, Result<DatabaseAnswer, Failure>>;

/// Answers requests with a bug.
#[derive(Clone)]
struct Wrong {
    shared: SharedEnvironment,
    bug: RequestBug,
}

#[async_trait]
impl Answers for Wrong {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failure> {
        (self.bug)(request, &self.shared).await
    }

    async fn pause(&self, duration: Duration) {
        self.shared.pause(duration).await;
    }
}

/// The real functions over a message store whose calls of some kinds make wrong requests.
pub(super) fn over_requests(
    shared: &SharedEnvironment,
    is_wrong: fn(&MessageStoreCall<'_>) -> bool,
    bug: RequestBug,
) -> Box<dyn Server> {
    let tables = shared.environment().dynamodb_tables().expect("these are bugs of the stores of AWS");
    let wrong = shared.ports_over(&Answered(Wrong { shared: shared.clone(), bug }), &tables).messages;
    over_messages(shared, move |call, next| {
        let store = Arc::clone(if is_wrong(&call) { &wrong } else { next });
        Box::pin(async move { store.call(call).await })
    })
}

fn commits(call: &MessageStoreCall<'_>) -> bool {
    matches!(call, MessageStoreCall::RoomForCommit { .. } | MessageStoreCall::Commit { .. })
}

fn pages(call: &MessageStoreCall<'_>) -> bool {
    matches!(call, MessageStoreCall::Page { .. })
}

/// Whether a write puts the row of a message.
fn puts_row(write: &Write) -> bool {
    matches!(&write.kind, WriteKind::Put(item) if item.contains_key("clientMessageId"))
}

/// Whether a write replaces a head by one with another message.
fn replaces_head(write: &Write) -> bool {
    write.values.contains_key(":recent")
}

/// A head is replaced whether or not its message has a row.
pub(super) fn never_settled(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, commits, |request, shared| match request {
        DatabaseRequest::Write(write) if puts_row(&write) => {
            Box::pin(async { Ok(DatabaseAnswer::Written(Written::Done(None))) })
        }
        request => shared.answer(request),
    })
}

/// The newest row that is seen is taken for the newest message's.
pub(super) fn settled_by_an_earlier_row(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, commits, |request, shared| {
        Box::pin(async move {
            let mut answer = shared.answer(request).await?;
            if let DatabaseAnswer::Page(QueryPage { items, .. }) = &mut answer
                && let Some(newest) = items.first_mut()
            {
                raise(newest, "seq");
            }
            Ok(answer)
        })
    })
}

fn raise(item: &mut Item, name: &str) {
    if let Some(Value::N(digits)) = item.get_mut(name) {
        *digits = (digits.parse::<u64>().unwrap_or_default() + 1).to_string();
    }
}

/// The row of a message is put before its head is written.
pub(super) fn row_before_head(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, |call, next| match call {
        MessageStoreCall::Commit { append } => Box::pin(async move {
            next.settle(append.message()).await?;
            next.call(MessageStoreCall::Commit { append }).await
        }),
        call => next.call(call),
    })
}

/// What a store asks is answered as if there were no head.
fn without_head(
    request: DatabaseRequest,
    shared: &SharedEnvironment,
) -> BoxFuture<'_, Result<DatabaseAnswer, Failure>> {
    match request {
        DatabaseRequest::Get(_) => Box::pin(async { Ok(DatabaseAnswer::Item(None)) }),
        request => shared.answer(request),
    }
}

/// A page is made of rows alone.
pub(super) fn page_of_rows(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, pages, without_head)
}

/// A page has the head's message behind its rows, whatever is missing between them.
pub(super) fn page_with_a_hole(shared: &SharedEnvironment) -> Box<dyn Server> {
    let tables = shared.environment().dynamodb_tables().expect("this is a bug of the stores of AWS");
    let rows = shared.ports_over(&Answered(Wrong { shared: shared.clone(), bug: without_head }), &tables);
    over_messages(shared, move |call, next| {
        let rows = Arc::clone(&rows.messages);
        Box::pin(async move {
            let MessageStoreCall::Page { room, query, consistency } = call else {
                return next.call(call).await;
            };
            let mut page = rows.page(&room, query, consistency).await?;
            let head = next.room(&room, Consistency::Eventual).await?;
            if let (Some(log), PageRange::Newest) = (head.as_ref().and_then(|head| head.log()), query.range)
                && page.messages.first().is_none_or(|first| first.at < log.last_at())
            {
                page.messages.insert(0, log.newest.clone());
                let has_more = page.has_more || page.messages.len() > query.limit.get();
                page.messages.truncate(query.limit.get());
                page = Page { has_more, ..page };
            }
            Ok(MessageStoreReply::Page(page))
        })
    })
}

/// A message is acknowledged while its head is on its way.
pub(super) fn acknowledged_before_head(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, commits, |request, shared| match request {
        DatabaseRequest::Write(write) if replaces_head(&write) => {
            let request = Box::new(DatabaseRequest::Write(write));
            shared.environment().give_up(Box::new(Call::Items(request)));
            Box::pin(async { Ok(DatabaseAnswer::Written(Written::Done(None))) })
        }
        request => shared.answer(request),
    })
}

/// A head is replaced whatever there is.
pub(super) fn head_put_over(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, commits, |request, shared| match request {
        DatabaseRequest::Write(mut write) if replaces_head(&write) => {
            write.condition = None;
            write.values.remove(":expected");
            shared.answer(DatabaseRequest::Write(write))
        }
        request => shared.answer(request),
    })
}

/// A page that DynamoDB has cut is taken for all there is.
pub(super) fn cut_is_all(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, pages, |request, shared| {
        Box::pin(async move {
            let mut answer = shared.answer(request).await?;
            if let DatabaseAnswer::Page(page) = &mut answer {
                page.next = None;
            }
            Ok(answer)
        })
    })
}

/// The same write under another condition.
fn under(write: Write, change: impl FnOnce(String) -> String) -> DatabaseRequest {
    let condition = write.condition.map(change);
    DatabaseRequest::Write(Write { condition, ..write })
}

/// A head is replaced whomever its receiver blocks.
pub(super) fn head_ignores_a_block(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_requests(shared, commits, |request, shared| match request {
        DatabaseRequest::Write(write) if replaces_head(&write) => shared.answer(under(write, |condition| {
            let (version, _) =
                condition.split_once(" AND attribute_not_exists(blocked").unwrap_or((&condition, ""));
            version.to_owned()
        })),
        request => shared.answer(request),
    })
}

/// A read mark is set where there is a further one.
pub(super) fn mark_moves_back(shared: &SharedEnvironment) -> Box<dyn Server> {
    let marks = |call: &MessageStoreCall<'_>| matches!(call, MessageStoreCall::AdvanceRead { .. });
    over_requests(shared, marks, |request, shared| match request {
        DatabaseRequest::Write(write) => {
            shared.answer(under(write, |_| "attribute_exists(roomId)".to_owned()))
        }
        request => shared.answer(request),
    })
}

/// A block freezes what was read, whoever blocks already.
pub(super) fn block_freezes_whoever_blocks(shared: &SharedEnvironment) -> Box<dyn Server> {
    let decisions = |call: &MessageStoreCall<'_>| matches!(call, MessageStoreCall::WriteConsent { .. });
    over_requests(shared, decisions, |request, shared| match request {
        DatabaseRequest::Write(write) if write.values.contains_key(":never") => {
            shared.answer(under(write, |_| "attribute_exists(roomId)".to_owned()))
        }
        request => shared.answer(request),
    })
}
