use std::sync::{Arc, Mutex};

use chat_adapters_memory::MemoryReportStore;
use chat_domain::conformance::{Handles, report_store};
use chat_domain::testing::{
    DecoratedReportStore, Outcome, Port as _, ReportStoreCall as Call, ReportStoreReply as Reply, answer,
};
use chat_domain::{MESSAGE_TEXT_MAX_BYTES, Report, ReportStore, ReportStoreError, ReportsPage};

type Next = Arc<dyn ReportStore>;
type Answer<'a> = Outcome<'a, dyn ReportStore>;
type Wrong = Handles<DecoratedReportStore>;

crate::caught! {
    report_store::checks();

    reasons_are_lost => a_report_reads_back_whole;
    long_messages_are_lost => the_largest_report_reads_back_whole;
    a_handle_lists_what_it_filed => what_one_handle_files_the_other_lists_at_once;
    the_last_report_is_kept => of_reports_with_one_id_the_first_is_kept;
    only_what_is_there_can_be_removed => what_is_removed_is_gone_whether_or_not_it_was_there;
    whoever_reports_is_the_same => what_others_report_is_another_report;
    a_list_has_one_page => reports_are_listed_in_pages_in_the_order_of_their_ids;
    a_report_is_filed_once_for_ever => a_removed_report_can_be_filed_again;
}

/// Two handles of a store whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Next) -> Answer<'a> + Clone + Send + Sync + 'static,
) -> Wrong {
    let store = Arc::new(MemoryReportStore::new());
    Handles::two(
        DecoratedReportStore::new(store.clone(), decorate.clone()),
        DecoratedReportStore::new(store, decorate),
    )
}

/// What is listed is changed.
fn listing(change: impl Fn(ReportsPage) -> ReportsPage + Clone + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| {
        let change = change.clone();
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::List(page) => Reply::List(change(page)),
                reply => reply,
            })
        })
    })
}

fn reasons_are_lost() -> Wrong {
    listing(|page| {
        let reports = page.reports.into_iter().map(|report| Report { reason: None, ..report });
        ReportsPage { reports: reports.collect(), ..page }
    })
}

fn long_messages_are_lost() -> Wrong {
    listing(|mut page| {
        for report in &mut page.reports {
            report.messages.retain(|message| message.content.text().len() < MESSAGE_TEXT_MAX_BYTES - 8);
        }
        page
    })
}

fn a_handle_lists_what_it_filed() -> Wrong {
    let own = || {
        let mine = MemoryReportStore::new();
        DecoratedReportStore::new(Arc::new(mine), |call, next: &Next| next.call(call))
    };
    Handles::two(own(), own())
}

fn the_last_report_is_kept() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::File { report } = &call {
                next.remove(&report.id()).await?;
            }
            next.call(call).await
        })
    })
}

fn only_what_is_there_can_be_removed() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Remove { id } = &call
                && next.list(None).await?.reports.iter().all(|report| report.id() != **id)
            {
                return Err(ReportStoreError::Throttled { operation: "remove" });
            }
            next.call(call).await
        })
    })
}

fn whoever_reports_is_the_same() -> Wrong {
    wrong(|call, next| {
        let Call::File { report } = call else { return next.call(call) };
        let report = Report { reporter: chat_domain::Member::B, ..report.into_owned() };
        Box::pin(async move { next.file(&report).await.map(Reply::File) })
    })
}

fn a_list_has_one_page() -> Wrong {
    listing(|page| ReportsPage { next: None, ..page })
}

fn a_report_is_filed_once_for_ever() -> Wrong {
    let filed = Arc::new(Mutex::new(Vec::new()));
    wrong(move |call, next| {
        if let Call::File { report } = &call {
            let mut filed = filed.lock().unwrap();
            if filed.contains(&report.id()) {
                return answer(Ok(Reply::File(false)));
            }
            filed.push(report.id());
        }
        next.call(call)
    })
}
