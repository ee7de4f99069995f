//! Stores that refuse, answer late, answer nothing, or show the past.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chat_domain::{
    ChatError, Consistency, Deliveries, Draft, MessageStoreError, MockMessageStore, ProposalRefused,
    SendCommand, SendOutcome, SendRate, Verdict,
};

use super::{answer, proposal};
use crate::assert_refused;
use crate::chat::*;
use crate::faults::{Commit, Step};

fn junhos(number: u128) -> Draft {
    Draft { id: id(number), sender: JUNHO, content: words("내가 먼저"), reply_to: None }
}

fn stored_after(retries: u32) -> SendOutcome {
    SendOutcome::Stored { retries, deliveries: Deliveries { taken: 3, gone: 0, failed: 0 } }
}

#[tokio::test]
async fn who_is_beaten_by_another_writer_tries_again_behind_them() {
    let chat = Chat::new().await;
    chat.messages.next_commits([Commit::BeatenBy(junhos(100)), Commit::BeatenBy(junhos(101))]);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "나도"), at(0)).await.unwrap();
    assert_eq!((sent.at, sent.seq, sent.outcome), (at(2), 3, stored_after(2)));
    let order: Vec<_> = chat.rows().await.iter().map(|message| message.id).collect();
    assert_eq!(order, [id(100), id(101), id(1)]);
}

#[tokio::test]
async fn every_retry_reads_the_head_strongly_before_it_commits() {
    let chat = Chat::new().await;
    chat.messages.next_commits([Commit::Throttled, Commit::Throttled]);
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let steps = chat.journal.take();
    let (eventual, strong) = (Step::Head(Consistency::Eventual), Step::Head(Consistency::Strong));
    assert_eq!(steps[..6], [eventual, Step::Commit, strong, Step::Commit, strong, Step::Commit]);
}

#[tokio::test]
async fn ten_attempts_with_growing_waits_then_the_client_is_asked_to_try_again() {
    let chat = Chat::new().await;
    chat.messages.next_commits((100..110).map(|n| Commit::BeatenBy(junhos(n))));
    let refused = chat.send(MINJI_PHONE, to_junho(1, "나도"), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
    assert_eq!(chat.rows().await.len(), 10, "all of them Junho's");
    let commits = chat.journal.take().into_iter().filter(|step| *step == Step::Commit).count();
    assert_eq!(commits, 10);
    assert_eq!(
        chat.waits.all(),
        [10, 20, 40, 80, 160, 200, 200, 200, 200].map(Duration::from_millis),
        "nobody waits after the last attempt"
    );
}

#[tokio::test]
async fn the_tenth_attempt_still_counts() {
    let chat = Chat::new().await;
    chat.messages.next_commits(vec![Commit::Throttled; 9]);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "드디어"), at(0)).await.unwrap();
    assert_eq!((sent.seq, sent.outcome), (1, stored_after(9)));
}

#[tokio::test]
async fn a_lost_commit_is_made_again() {
    let chat = Chat::new().await;
    chat.messages.next_commits([Commit::Lost]);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!((sent.seq, sent.outcome), (1, stored_after(1)));
    assert_eq!(chat.rows().await.len(), 1);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_recognised() {
    let chat = Chat::new().await;
    chat.messages.next_commits([Commit::AnswerLost]);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!((sent.at, sent.seq, sent.outcome), (at(0), 1, SendOutcome::Duplicate));
    assert_eq!(chat.rows().await.len(), 1);
}

#[rstest::rstest]
#[case::before_the_retry(Commit::AfterLanding, SendOutcome::Duplicate)]
#[case::after_the_retry(Commit::BeforeLanding, stored_after(1))]
#[tokio::test]
async fn a_commit_that_happens_late_leaves_one_row(#[case] retried: Commit, #[case] outcome: SendOutcome) {
    let chat = Chat::new().await;
    chat.write(JUNHO, 100, "먼저", at(-1)).await;
    chat.messages.next_commits([Commit::Held, retried]);
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!((sent.at, sent.seq, sent.outcome), (at(0), 2, outcome));
    assert_eq!(chat.rows().await.len(), 2);
}

#[tokio::test]
async fn a_commit_that_happens_after_the_handler_gave_up_is_acknowledged_to_the_retry() {
    let chat = Chat::new().await;
    chat.messages.next_commits([Commit::Held].into_iter().chain(vec![Commit::Lost; 9]));
    let refused = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
    chat.messages.land().await;

    let retry = chat.send(MINJI_LAPTOP, to_junho(1, "안녕"), at(30_000)).await.unwrap();
    assert_eq!((retry.at, retry.seq, retry.outcome), (at(0), 1, SendOutcome::Duplicate));
    assert_eq!(chat.rows().await.len(), 1);
}

#[rstest::rstest]
#[case::where_the_head_reaches(0)]
#[case::where_only_the_search_does(20)]
#[tokio::test]
async fn a_commit_that_happens_once_the_head_was_read_is_found(#[case] further: u32) {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    let command = after(known.at, to_junho(2, "한 번만"));
    chat.junho_writes(further, at(1_000)).await;
    chat.messages.next_commits([Commit::Held].into_iter().chain(vec![Commit::Lost; 9]));
    let refused = chat.send(MINJI_PHONE, command.clone(), at(60_000)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });

    chat.messages.land_after_head();
    let retry = chat.send(MINJI_PHONE, command, at(70_000)).await.unwrap();
    assert_eq!((retry.at, retry.outcome), (at(60_000), SendOutcome::Duplicate));
    assert_eq!(chat.rows().await.len(), 2 + further as usize);
}

#[tokio::test]
async fn two_devices_that_retry_at_once_store_one_row() {
    let chat = Chat::new().await;
    let minjis = Draft { id: id(1), sender: MINJI, content: words("안녕"), reply_to: None };
    chat.messages.next_commits([Commit::BeatenBy(minjis)]);
    let sent = chat.send(MINJI_LAPTOP, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_eq!((sent.seq, sent.outcome), (1, SendOutcome::Duplicate));
    assert_eq!(chat.rows().await.len(), 1);
}

#[rstest::rstest]
#[case::that_the_head_recalls(0)]
#[case::that_has_to_be_searched(20)]
#[tokio::test]
async fn a_retry_by_a_stale_head_finds_the_message(#[case] further: u32) {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    chat.messages.freeze().await;
    let command = after(known.at, to_junho(2, "한 번만"));
    let first = chat.send(MINJI_PHONE, command.clone(), at(1_000)).await.unwrap();
    chat.junho_writes(further, at(2_000)).await;
    let retry = chat.send(MINJI_LAPTOP, command, at(60_000)).await.unwrap();
    assert!(repeats(&retry, &first), "{retry:?}");
    assert_eq!(chat.rows().await.len(), 2 + further as usize);
}

#[tokio::test]
async fn nobody_is_too_fast_by_an_eventual_read_alone() {
    let one = NonZeroU32::MIN;
    let chat = Chat::with_rate(SendRate { burst: one, per_second: one }).await;
    chat.send(MINJI_PHONE, to_junho(1, "하나"), at(0)).await.unwrap();
    chat.journal.take();
    let refused = chat.send(MINJI_PHONE, to_junho(2, "둘"), at(0)).await;
    assert_refused!(refused, ChatError::RateLimited { .. });
    let heads = [Step::Head(Consistency::Eventual), Step::Head(Consistency::Strong)];
    assert_eq!(chat.journal.take(), heads);
}

#[tokio::test]
async fn a_stale_head_never_decides_about_a_proposal() {
    let chat = Chat::new().await;
    chat.messages.freeze().await;
    chat.send(MINJI_PHONE, SendCommand { content: proposal(), ..to_junho(1, "-") }, at(0)).await.unwrap();
    let accepted = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(1)).await;
    assert!(accepted.is_ok(), "the frozen head knows of no proposal: {accepted:?}");
}

#[tokio::test]
async fn a_stale_head_never_admits_what_the_room_refuses() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, SendCommand { content: proposal(), ..to_junho(1, "-") }, at(0)).await.unwrap();
    chat.messages.freeze().await;
    chat.send(JUNHO_PHONE, answer(2, Verdict::Declined), at(1)).await.unwrap();
    let refused = chat.send(JUNHO_LAPTOP, answer(3, Verdict::Accepted), at(2)).await;
    assert_refused!(refused, ChatError::ProposalState(ProposalRefused::NotOpen));
    assert_eq!(chat.rows().await.len(), 2);
}

/// The match begins at 600,000 ms. An acceptance in time is still on its way when the retry comes too late:
/// were that refused, what was refused would appear.
#[tokio::test]
async fn an_acceptance_that_may_still_land_is_not_refused() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, SendCommand { content: proposal(), ..to_junho(1, "-") }, at(0)).await.unwrap();
    let every_attempt = std::iter::repeat_n(Commit::Lost, 9).chain([Commit::Held]);
    chat.messages.next_commits(every_attempt);
    let in_time = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(599_000)).await;
    assert_refused!(in_time, ChatError::Unavailable { .. });

    let retry = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(600_000)).await;
    assert_refused!(retry, ChatError::InDoubt(_));
    chat.messages.land().await;
    let retry = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(700_000)).await.unwrap();
    assert_eq!((retry.outcome, retry.at), (SendOutcome::Duplicate, at(599_000)));
}

#[tokio::test]
async fn an_acceptance_that_never_landed_is_refused_in_the_end() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, SendCommand { content: proposal(), ..to_junho(1, "-") }, at(0)).await.unwrap();
    let late = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(660_000)).await;
    assert_refused!(late, ChatError::ProposalState(ProposalRefused::TooLate));
}

fn corrupt() -> MessageStoreError {
    MessageStoreError::Corrupt { key: their_room().tag().to_string(), source: "not a number".into() }
}

#[tokio::test]
async fn a_corrupt_room_is_a_fault_that_no_retry_mends() {
    let chat = Chat::new().await;
    let mut messages = MockMessageStore::new();
    messages.expect_room_for_commit().times(1).returning(|_, _| Err(corrupt()));
    let process = chat.process_over(Arc::new(messages));
    let refused = process.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Internal { .. });

    let mut messages = MockMessageStore::new();
    messages.expect_room_for_commit().times(1).returning(|_, _| Ok(None));
    messages.expect_commit().times(1).returning(|_| Err(corrupt()));
    let process = chat.process_over(Arc::new(messages));
    let refused = process.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Internal { .. });
}

#[tokio::test]
async fn a_head_that_cannot_be_read_leaves_the_outcome_open() {
    let chat = Chat::new().await;
    let mut messages = MockMessageStore::new();
    messages
        .expect_room_for_commit()
        .returning(|_, _| Err(MessageStoreError::Throttled { operation: "room" }));
    let process = chat.process_over(Arc::new(messages));
    let refused = process.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}
