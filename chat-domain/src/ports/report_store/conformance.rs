use super::REPORTS_PAGE_MAX;
use crate::conformance::{Handles, JUNHO, MINJI, november, suite, their_room};
use crate::ports::message_store::conformance::talk::{longest_words, photo, proposal, words};
use crate::{
    Changed, ClientMessageId, Content, Member, Message, REPORT_MESSAGES_MAX, Report, ReportId, ReportStore,
};

suite! {
    /// Expands to one test for each behaviour of a [`ReportStore`](crate::ReportStore), each on the
    /// [`Handles`](crate::conformance::Handles) of a store that the given `async` function returns, with
    /// nothing in it. See [`conformance`](crate::conformance).
    report_store_conformance in report_store on handles of crate::ReportStore {
        "Evidence" {
            a_report_reads_back_whole,
            the_largest_report_reads_back_whole,
        }
        "Consistency" {
            what_one_handle_files_the_other_lists_at_once,
        }
        "Idempotency" {
            of_reports_with_one_id_the_first_is_kept,
            what_is_removed_is_gone_whether_or_not_it_was_there,
        }
        // The suite has no way to make a store fail: the tests of each adapter do that.
        "Errors" {}
        "file" {
            what_others_report_is_another_report,
        }
        "list" {
            reports_are_listed_in_pages_in_the_order_of_their_ids,
        }
        "remove" {
            a_removed_report_can_be_filed_again,
        }
    }
}

type Store = Handles<dyn ReportStore>;

const STORED: &str = "the store works";

fn message(number: u64, sender: Member, content: Content) -> Message {
    Message {
        room: their_room(),
        at: november(23).after(std::time::Duration::from_secs(number)),
        seq: number,
        sender,
        sender_seq: number,
        changes: 0,
        id: ClientMessageId::from_u128(number.into()),
        content,
        reply_to: None,
        changed: Changed::default(),
    }
}

fn report(reporter: Member, messages: Vec<Message>) -> Report {
    Report { room: their_room(), reporter, reason: None, messages, at: november(24) }
}

/// Minji's report of one message of Junho's.
fn of_one(number: u64) -> Report {
    report(MINJI, vec![message(number, JUNHO, words("사기꾼"))])
}

async fn listed(store: &Store) -> Vec<Report> {
    let (mut reports, mut after) = (Vec::new(), None);
    loop {
        let page = store.other().list(after).await.expect(STORED);
        assert!(page.reports.len() <= REPORTS_PAGE_MAX, "a page has at most {REPORTS_PAGE_MAX}");
        reports.extend(page.reports);
        after = page.next;
        if after.is_none() {
            return reports;
        }
    }
}

async fn a_report_reads_back_whole(store: Store) {
    let contents = [words("사기꾼"), photo(7), proposal(november(25), Some("비 오면 취소")), Content::Erased];
    let messages = contents.into_iter().zip(1..).map(|(content, number)| message(number, MINJI, content));
    let messages = messages.collect();
    let reason = Some("욕설".parse().expect("short"));
    let filed = Report { reason, ..report(JUNHO, messages) };
    assert!(store.file(&filed).await.expect(STORED));
    assert_eq!(listed(&store).await, [filed]);
}

async fn the_largest_report_reads_back_whole(store: Store) {
    let longest = |number| message(number, JUNHO, longest_words());
    let filed = report(MINJI, (1..=REPORT_MESSAGES_MAX as u64).map(longest).collect());
    assert!(store.file(&filed).await.expect(STORED));
    assert_eq!(listed(&store).await, [filed]);
}

async fn what_one_handle_files_the_other_lists_at_once(store: Store) {
    assert_eq!(listed(&store).await, []);
    for number in 1..4 {
        store.file(&of_one(number)).await.expect(STORED);
        assert_eq!(listed(&store).await.len() as u64, number);
    }
    store.remove(&of_one(2).id()).await.expect(STORED);
    assert_eq!(listed(&store).await, [of_one(1), of_one(3)]);
}

async fn of_reports_with_one_id_the_first_is_kept(store: Store) {
    let first = of_one(1);
    assert!(store.file(&first).await.expect(STORED));
    let again = Report { at: november(25), messages: vec![message(1, JUNHO, Content::Erased)], ..of_one(1) };
    assert_eq!(again.id(), first.id());
    for _ in 0..2 {
        assert!(!store.file(&again).await.expect(STORED), "it is not new");
    }
    assert_eq!(listed(&store).await, [first]);
}

async fn what_is_removed_is_gone_whether_or_not_it_was_there(store: Store) {
    store.file(&of_one(1)).await.expect(STORED);
    for _ in 0..2 {
        store.remove(&of_one(1).id()).await.expect(STORED);
        assert_eq!(listed(&store).await, []);
    }
}

async fn what_others_report_is_another_report(store: Store) {
    let reports = [
        of_one(1),
        report(JUNHO, of_one(1).messages),
        report(MINJI, vec![message(1, JUNHO, words("사기꾼")), message(2, JUNHO, words("사기꾼"))]),
    ];
    for report in &reports {
        assert!(store.file(report).await.expect(STORED), "{report:?} is new");
    }
    let mut sorted = reports.to_vec();
    sorted.sort_by_key(Report::id);
    assert_eq!(listed(&store).await, sorted);
}

async fn reports_are_listed_in_pages_in_the_order_of_their_ids(store: Store) {
    let count = 2 * REPORTS_PAGE_MAX as u64 + 1;
    for number in (1..=count).rev() {
        store.file(&of_one(number)).await.expect(STORED);
    }
    assert_eq!(listed(&store).await, (1..=count).map(of_one).collect::<Vec<_>>());
    let after: ReportId = of_one(count - 2).id();
    let page = store.other().list(Some(after)).await.expect(STORED);
    assert_eq!(page.reports, [of_one(count - 1), of_one(count)]);
}

async fn a_removed_report_can_be_filed_again(store: Store) {
    for _ in 0..2 {
        assert!(store.file(&of_one(1)).await.expect(STORED));
        store.remove(&of_one(1).id()).await.expect(STORED);
    }
}
