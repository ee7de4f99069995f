//! Reports as items of `playground-messages`, in a partition of their own: none has the name of a room.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    Message, REPORTS_PAGE_MAX, Report, ReportId, ReportStore, ReportStoreError, ReportsPage, RoomId,
};

use crate::attributes::{Fields, Malformed, item, number, text};
use crate::items::{Failure, Item, Items, Query, Value, Write};
use crate::message_store::row;
use crate::query;
use crate::tables::messages::{ROOM_ID, TIMESTAMP};
use crate::tables::{TableNames, reports};

/// How long a report is kept unless its store is told otherwise: half a year.
pub const REPORT_KEPT_FOR: Duration = Duration::from_secs(180 * 86_400);

/// Reports in DynamoDB, in the table of messages, and so in its backups. A report is one item of as many
/// write units as it has kilobytes.
///
/// ```no_run
/// use std::sync::Arc;
/// use chat_adapters_aws::{DynamoClient, DynamoReportStore, TableNames};
/// use chat_domain::ReportStore;
///
/// fn compose(client: &DynamoClient) -> Arc<dyn ReportStore> {
///     Arc::new(DynamoReportStore::new(client, &TableNames::default()))
/// }
/// ```
#[derive(Clone)]
pub struct DynamoReportStore {
    items: Arc<dyn Items>,
    table: String,
    kept_for: Duration,
}

impl DynamoReportStore {
    /// A store over the table of messages.
    #[must_use]
    pub fn new(items: &(impl Items + Clone + 'static), tables: &TableNames) -> Self {
        Self { items: Arc::new(items.clone()), table: tables.messages.clone(), kept_for: REPORT_KEPT_FOR }
    }

    /// The same store, whose reports DynamoDB deletes after this time, within two days.
    #[must_use]
    pub fn kept_for(self, kept_for: Duration) -> Self {
        Self { kept_for, ..self }
    }
}

fn key(id: &ReportId) -> Item {
    item([(ROOM_ID, text(reports::PARTITION)), (TIMESTAMP, text(id))])
}

fn to_item(report: &Report, kept_for: Duration) -> Item {
    let mut row = key(&report.id());
    let messages = report.messages.iter().map(|message| Value::M(row::to_item(message)));
    row.extend(item([
        (reports::ROOM, text(&report.room)),
        (reports::REPORTER, text(report.room.email(report.reporter))),
        (reports::REPORTED_AT, text(report.at)),
        (reports::MESSAGES, Value::L(messages.collect())),
        (reports::TTL, number(report.at.after(kept_for).unix_ms() / 1_000)),
    ]));
    row.extend(report.reason.as_ref().map(|reason| (reports::REASON.to_owned(), text(reason))));
    row
}

fn from_item(row: &Item) -> Result<Report, Malformed> {
    let fields = Fields(row);
    let room: RoomId = fields.parsed(reports::ROOM)?;
    let reporter = room.member(&fields.parsed(reports::REPORTER)?);
    let reporter = reporter.ok_or(Malformed::Contradiction(reports::REPORTER))?;
    let messages = row.get(reports::MESSAGES).and_then(Value::as_l);
    let messages = messages.ok_or(Malformed::Absent(reports::MESSAGES))?;
    let message = |value: &Value| -> Result<Message, Malformed> {
        row::from_item(&room, value.as_m().ok_or(Malformed::Absent(reports::MESSAGES))?)
    };
    let reason = fields.maybe_parsed(reports::REASON)?;
    let messages = messages.iter().map(message).collect::<Result<_, _>>()?;
    Ok(Report { reporter, reason, messages, at: fields.parsed(reports::REPORTED_AT)?, room })
}

fn failed(operation: &'static str) -> impl FnOnce(Failure) -> ReportStoreError {
    move |failure| match failure {
        Failure::Throttled => ReportStoreError::Throttled { operation },
        Failure::Unavailable(source) => ReportStoreError::Unavailable { operation, source },
    }
}

#[async_trait]
impl ReportStore for DynamoReportStore {
    async fn file(&self, report: &Report) -> Result<bool, ReportStoreError> {
        let put =
            Write::put(&self.table, to_item(report, self.kept_for)).only_if("attribute_not_exists(roomId)");
        self.items.write(put).await.map(|put| put.held()).map_err(failed("file"))
    }

    async fn list(&self, after: Option<ReportId>) -> Result<ReportsPage, ReportStoreError> {
        let query = match after {
            None => Query::new(&self.table, "roomId = :reports"),
            Some(after) => Query::new(&self.table, "roomId = :reports AND #timestamp > :after")
                .name("#timestamp", TIMESTAMP)
                .value(":after", text(after)),
        };
        let query = Query { consistent: true, ..query.value(":reports", text(reports::PARTITION)) };
        let rows = query::first(&*self.items, REPORTS_PAGE_MAX + 1, query).await.map_err(failed("list"))?;
        let listed = rows.items.iter().take(REPORTS_PAGE_MAX).map(from_item).collect::<Result<Vec<_>, _>>();
        let reports = listed.map_err(|malformed| ReportStoreError::Corrupt { source: malformed.into() })?;
        let has_more = rows.items.len() > REPORTS_PAGE_MAX;
        let next = reports.last().map(Report::id).filter(|_| has_more);
        Ok(ReportsPage { reports, next })
    }

    async fn remove(&self, id: &ReportId) -> Result<(), ReportStoreError> {
        self.items.write(Write::delete(&self.table, key(id))).await.map(drop).map_err(failed("remove"))
    }
}

impl fmt::Debug for DynamoReportStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoReportStore").field("table", &self.table).finish_non_exhaustive()
    }
}
