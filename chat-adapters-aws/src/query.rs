use crate::items::{Failure, Item, Items, Query};

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
///
/// A table is read on consistently: another eventually consistent read may see an earlier state, in which
/// rows are not there yet that belong behind those of the page before, and then the end would come too early.
pub(crate) async fn first(store: &dyn Items, wanted: usize, mut query: Query) -> Result<Rows, Failure> {
    let mut items = Vec::new();
    let mut start = None;
    for _ in 0..CALLS_MAX {
        let limit = wanted - items.len();
        let page = store.query(Query { limit, start, ..query.clone() }).await?;
        items.extend(page.items);
        start = page.next;
        query.consistent = query.index.is_none();
        if start.is_none() || items.len() >= wanted {
            items.truncate(wanted);
            return Ok(Rows { items, cut: start.is_some() });
        }
    }
    Err(Failure::Unavailable(CutTooOften.into()))
}
