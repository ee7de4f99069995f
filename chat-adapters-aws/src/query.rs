use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::attributes::Item;
use crate::calls::Failure;

/// How often a query is continued. DynamoDB cuts a page at 1 MB, which no query here reaches, and may cut one
/// earlier.
const CALLS_MAX: usize = 10;

/// What a query found.
pub(crate) struct Rows {
    pub(crate) items: Vec<Item>,
    /// Whether there may be more beyond them.
    pub(crate) cut: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the query was cut short {CALLS_MAX} times")]
struct CutTooOften;

/// The first `wanted` rows of a query, however short its pages are cut.
pub(crate) async fn first(wanted: usize, query: QueryFluentBuilder) -> Result<Rows, Failure> {
    let mut items = Vec::new();
    let mut start = None;
    for _ in 0..CALLS_MAX {
        let missing = i32::try_from(wanted - items.len()).unwrap_or(i32::MAX);
        let page = query.clone().limit(missing).set_exclusive_start_key(start).send().await?;
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() || items.len() >= wanted {
            items.truncate(wanted);
            return Ok(Rows { items, cut: start.is_some() });
        }
    }
    Err(Failure::Unavailable(CutTooOften.into()))
}
