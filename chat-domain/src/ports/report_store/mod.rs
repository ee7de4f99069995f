#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::ReportStoreError;
use crate::{Report, ReportId};

/// The most reports a page has: twenty of the largest are 3.5 MB.
pub const REPORTS_PAGE_MAX: usize = 20;

/// Keeps what people report, for whoever runs the chat.
///
/// # Contract
///
/// - **Evidence.** A report is kept as it was filed, whatever becomes of its messages and its people,
///   until it is removed. A store may also be told after how long it removes reports itself.
/// - **Consistency.** [`list`](Self::list) sees every report whose filing was acknowledged before it began.
/// - **Idempotency.** Every write may be repeated. Of reports with the same [`id`](Report::id) the first is
///   kept.
/// - **Errors.** After [`Throttled`](ReportStoreError::Throttled) nothing happened. After
///   [`Unavailable`](ReportStoreError::Unavailable) a write may have happened, or may still. Either may be
///   retried.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Keeps a report, and says whether it is new.
    async fn file(&self, report: &Report) -> Result<bool, ReportStoreError>;

    /// Lists reports in the order of their ids, beginning after `after`. At most [`REPORTS_PAGE_MAX`].
    async fn list(&self, after: Option<ReportId>) -> Result<ReportsPage, ReportStoreError>;

    /// Removes a report, whether or not there is one.
    async fn remove(&self, id: &ReportId) -> Result<(), ReportStoreError>;
}

/// A page of reports, the oldest first, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportsPage {
    /// The reports in the order of their ids.
    pub reports: Vec<Report>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ReportId>,
}
