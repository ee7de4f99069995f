use crate::BoxError;

/// What can go wrong with a [`ReportStore`](crate::ReportStore). The variants differ in what a caller can do
/// about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportStoreError {
    /// The store has too much to do. Nothing happened; try again later.
    #[error("the report store throttles {operation}")]
    Throttled {
        /// Which method of the port failed.
        operation: &'static str,
    },
    /// The store did not answer, or could not. A write may have happened, or may still.
    #[error("the report store is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
    /// A stored report cannot be understood. Retrying does not help.
    #[error("a report is corrupt")]
    Corrupt {
        /// What is wrong with the report.
        #[source]
        source: BoxError,
    },
}
