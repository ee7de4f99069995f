use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chat_domain::{REPORTS_PAGE_MAX, Report, ReportId, ReportStore, ReportStoreError, ReportsPage};

/// Reports in memory, for tests and for a chat on one machine. It keeps all of them, and never throttles.
#[derive(Clone, Debug, Default)]
pub struct MemoryReportStore {
    reports: Arc<Mutex<BTreeMap<ReportId, Report>>>,
}

impl MemoryReportStore {
    /// A store without reports.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReportId, Report>> {
        self.reports.lock().expect("nothing panics while it holds the lock of the report store")
    }
}

#[async_trait]
impl ReportStore for MemoryReportStore {
    async fn file(&self, report: &Report) -> Result<bool, ReportStoreError> {
        match self.lock().entry(report.id()) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(vacant) => {
                vacant.insert(report.clone());
                Ok(true)
            }
        }
    }

    async fn list(&self, after: Option<ReportId>) -> Result<ReportsPage, ReportStoreError> {
        let reports = self.lock();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = reports.range((start, Bound::Unbounded));
        let page: Vec<_> = rest.by_ref().take(REPORTS_PAGE_MAX).collect();
        let next = page.last().map(|(id, _)| **id).filter(|_| rest.next().is_some());
        Ok(ReportsPage { reports: page.into_iter().map(|(_, report)| report.clone()).collect(), next })
    }

    async fn remove(&self, id: &ReportId) -> Result<(), ReportStoreError> {
        self.lock().remove(id);
        Ok(())
    }
}
