//! The driver against a server that misbehaves on demand: a faultless one passes, and every fault is named.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::time::Duration;

use chat_bench::idle::{Crowd, idle};
use chat_bench::process::Process;
use chat_bench::run::{Load, RunOutcome, run};
use chat_bench::target::{Remote, Target};
use chat_bench::verify::Violation;
use indicatif::ProgressBar;
use support::{ServerBug, start};

const LOAD: Load = Load { pairs: 2, rate: 200, seconds: 1, bytes: 64, patience: Duration::from_millis(300) };

async fn target(bug: ServerBug) -> Target {
    Target::parse(&format!("ws://{}/prod", start(bug).await), None, Remote::Refused).unwrap()
}

async fn run_with(bug: ServerBug) -> RunOutcome {
    run(&target(bug).await, LOAD, None, &ProgressBar::hidden()).await.unwrap()
}

#[track_caller]
fn found(outcome: &RunOutcome, violation: Violation) {
    assert_eq!(outcome.findings.count(violation), 1, "{}", outcome.findings);
}

#[tokio::test]
async fn a_faultless_server_passes() {
    let outcome = run_with(ServerBug::None).await;
    assert!(outcome.findings.is_clean(), "{}", outcome.findings);
    assert_eq!((outcome.acks.count(), outcome.deliveries.count()), (200, 200));
    assert_eq!((outcome.findings.rows_read, outcome.findings.reordered), (200, 0));
    assert!(outcome.acks.at(0.0) > Duration::ZERO, "a message was sent before its time");
}

#[tokio::test]
async fn many_pairs_at_a_high_rate_pass() {
    let load = Load { pairs: 50, rate: 2_000, ..LOAD };
    let target = target(ServerBug::None).await;
    let outcome = run(&target, load, Some(&Process::this()), &ProgressBar::hidden()).await.unwrap();
    assert!(outcome.findings.is_clean(), "{}", outcome.findings);
    assert_eq!(outcome.deliveries.count(), 2_000);
}

#[tokio::test]
async fn a_lost_message_is_found() {
    let outcome = run_with(ServerBug::LosePush).await;
    found(&outcome, Violation::Lost);
    assert_eq!(outcome.deliveries.count(), 199);
}

#[tokio::test]
async fn a_doubled_message_is_found() {
    found(&run_with(ServerBug::DoublePush).await, Violation::Doubled);
}

#[tokio::test]
async fn an_altered_message_is_found() {
    found(&run_with(ServerBug::AlterPush).await, Violation::Altered);
}

#[tokio::test]
async fn a_push_after_all_others_counts_as_late_and_out_of_order_but_not_as_lost() {
    let outcome = run_with(ServerBug::DelayPush).await;
    assert!(outcome.findings.is_clean(), "{}", outcome.findings);
    assert_eq!(outcome.findings.reordered, 1);
    assert!(outcome.deliveries.max() > LOAD.patience);
}

#[tokio::test]
async fn a_delivery_that_contradicts_its_ack_is_found() {
    found(&run_with(ServerBug::MoveAck).await, Violation::AckDiffers);
}

#[tokio::test]
async fn a_hole_in_the_sequence_is_found() {
    found(&run_with(ServerBug::SkipSeq).await, Violation::Hole);
}

#[tokio::test]
async fn a_timestamp_that_does_not_rise_is_found() {
    found(&run_with(ServerBug::StopTime).await, Violation::TimeGoesBack);
}

#[tokio::test]
async fn a_message_that_was_not_stored_is_found() {
    found(&run_with(ServerBug::LoseRow).await, Violation::NotStored);
}

#[tokio::test]
async fn a_message_stored_twice_is_found() {
    found(&run_with(ServerBug::DoubleRow).await, Violation::StoredExtra);
}

#[tokio::test]
async fn a_message_stored_altered_is_found() {
    found(&run_with(ServerBug::AlterRow).await, Violation::StoredOtherwise);
}

#[tokio::test]
async fn a_history_in_another_order_is_found() {
    found(&run_with(ServerBug::SwapRows).await, Violation::StoredOtherwise);
}

#[tokio::test]
async fn a_refusal_is_reported_and_the_rest_goes_on() {
    let outcome = run_with(ServerBug::Refuse).await;
    found(&outcome, Violation::Refused);
    assert_eq!(outcome.findings.count(Violation::StoredExtra), 0);
    assert_eq!(outcome.acks.count(), 199);
}

#[tokio::test]
async fn a_refused_message_that_was_stored_is_found() {
    found(&run_with(ServerBug::RefuseButStore).await, Violation::StoredExtra);
}

#[tokio::test]
async fn a_retryable_error_is_answered_by_sending_again() {
    let outcome = run_with(ServerBug::AskAgain).await;
    assert!(outcome.findings.is_clean(), "{}", outcome.findings);
    assert_eq!((outcome.retries["unavailable"], outcome.acks.count()), (1, 200));
}

#[tokio::test]
async fn a_message_without_an_answer_ends_the_run_by_itself() {
    found(&run_with(ServerBug::NeverAnswer).await, Violation::Unresolved);
}

#[tokio::test]
async fn a_connection_that_ends_is_reported() {
    found(&run_with(ServerBug::HangUp).await, Violation::ConnectionLost);
}

#[tokio::test]
async fn a_frame_that_nobody_asked_for_is_reported() {
    found(&run_with(ServerBug::Chatter).await, Violation::Strange);
}

#[tokio::test]
async fn a_crowd_stays_silent_while_a_few_talk() {
    let target = target(ServerBug::None).await;
    let crowd = Crowd { connections: 60, load: Load { pairs: 10, ..LOAD } };
    let (memory, outcome) =
        idle(&target, crowd, Some(&Process::this()), &ProgressBar::hidden()).await.unwrap();
    assert!(outcome.findings.is_clean(), "{}", outcome.findings);
    assert_eq!(outcome.deliveries.count(), 200);
    assert!(memory.connected >= memory.before);
}

#[tokio::test]
async fn whatever_a_silent_connection_hears_is_found() {
    let target = target(ServerBug::Broadcast).await;
    let crowd = Crowd { connections: 400, load: Load { pairs: 2, ..LOAD } };
    let (_, outcome) = idle(&target, crowd, None, &ProgressBar::hidden()).await.unwrap();
    assert_eq!(outcome.findings.count(Violation::Strange), 400 - 2, "{}", outcome.findings);
}
