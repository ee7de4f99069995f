//! DynamoDB throttles, answers late or not at all, or has another transaction in the way.

use std::time::Duration;

use futures_util::future::join;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::fake_aws::{FakeAws, Fault};
use crate::support::{ID, JUNHO, MINJI, frame, query};

/// What stores a message: the update of its room's head.
const COMMIT: &str = "UpdateItem rooms";

fn message() -> Value {
    frame(json!({ "message": "안녕하세요", "after": "1970-01-01T00:00:00.000Z" }))
}

/// Whatever happens to a commit, or to several: one row, and an acknowledgement that says where it is.
#[rstest]
#[case::throttle(&[Fault::Throttled])]
#[case::throttle_beyond_the_sdks_patience(&[Fault::Throttled; 4])]
#[case::timeout_before_effect(&[Fault::LostBefore])]
#[case::timeout_after_effect(&[Fault::LostAfter])]
#[case::error_after_effect(&[Fault::FailedAfter])]
#[case::transaction_conflict(&[Fault::TransactionConflict])]
#[case::one_after_the_other(&[
    Fault::TransactionConflict, Fault::LostBefore, Fault::Throttled, Fault::LostAfter,
])]
#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_made_once_and_acknowledged(#[case] faults: &[Fault]) {
    let aws = FakeAws::new().await;
    let (minji, _junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.dynamodb.inject(COMMIT, faults.iter().copied());
    let sent = minji.say(&message()).await.unwrap();
    assert_eq!(aws.dynamodb.faults_left(), 0);
    assert_eq!((&sent["type"], &sent["seq"]), (&json!("sent"), &json!(1)), "{sent}");

    let rows = aws.chat.history(JUNHO, MINJI).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["timestamp"], &rows[0]["clientMessageId"]), (&sent["timestamp"], &json!(ID)));
}

/// The function gives up in time and says that nobody knows. The client's retry gets the answer that the
/// first attempt could not.
#[rstest]
#[case::throttle(Fault::Throttled)]
#[case::timeout_before_effect(Fault::LostBefore)]
#[case::transaction_conflict(Fault::TransactionConflict)]
#[tokio::test(start_paused = true)]
async fn a_commit_that_goes_on_failing_is_told_and_the_retry_is_stored_once(#[case] fault: Fault) {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    aws.dynamodb.inject(COMMIT, [fault; 100]);
    minji.refused(&message().to_string(), "unavailable", Some(ID)).await;
    aws.dynamodb.clear_faults();
    assert!(aws.chat.history(MINJI, JUNHO).await.is_empty());
    let sent = minji.say(&message()).await.unwrap();
    assert_eq!((&sent["type"], &sent["seq"]), (&json!("sent"), &json!(1)), "{sent}");
    assert_eq!(aws.chat.history(MINJI, JUNHO).await.len(), 1);
}

/// The commit is done, its answer is lost, and then nothing can be read: the client is told that nobody
/// knows, and its retry learns all.
#[tokio::test(start_paused = true)]
async fn what_was_stored_before_everything_failed_is_acknowledged_to_the_retry() {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    aws.dynamodb.inject(COMMIT, [Fault::LostAfter]);
    let everything_fails = async {
        while aws.dynamodb.calls(COMMIT) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        aws.dynamodb.inject("GetItem", [Fault::LostBefore; 3]);
    };
    let frame = message().to_string();
    join(minji.refused(&frame, "unavailable", Some(ID)), everything_fails).await;
    assert_eq!(aws.dynamodb.faults_left(), 0);

    let sent = minji.say(&message()).await.unwrap();
    assert_eq!((&sent["seq"], &sent["duplicate"]), (&json!(1), &json!(true)), "{sent}");
    assert_eq!(aws.chat.history(MINJI, JUNHO).await.len(), 1);
}

/// Who is to be told cannot be listed: the message is stored all the same, and its receiver syncs.
#[rstest]
#[case::throttle(Fault::Throttled)]
#[case::timeout(Fault::LostBefore)]
#[tokio::test(start_paused = true)]
async fn receivers_that_cannot_be_listed_do_not_refuse_a_message(#[case] fault: Fault) {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.dynamodb.inject("Query", [fault; 12]);
    assert_eq!(minji.say(&message()).await.unwrap()["type"], "sent");
    aws.dynamodb.clear_faults();
    assert!(aws.gateway.heard(&junho.id).is_empty());
    assert_eq!(aws.chat.history(JUNHO, MINJI).await.len(), 1);
}

/// A connection is admitted only when its row is known to be there. If the row was stored and nobody heard
/// so, the socket is refused, and the row does no harm.
#[rstest]
#[case::throttle(Fault::Throttled)]
#[case::timeout_before_effect(Fault::LostBefore)]
#[case::timeout_after_effect(Fault::LostAfter)]
#[tokio::test(start_paused = true)]
async fn a_connection_without_a_row_is_not_opened(#[case] fault: Fault) {
    let aws = FakeAws::new().await;
    aws.dynamodb.inject("PutItem", [fault; 3]);
    let mut handshake = aws.chat.handshake();
    handshake.query = query(&[("token", &aws.chat.token(MINJI))]);
    let answer = aws.chat.shake_hands(&handshake).await;
    answer.assert_refused(503, "unavailable");
    aws.dynamodb.clear_faults();

    let again = aws.chat.connect(MINJI).await;
    assert!(aws.row(&again.id).await.is_some());
    assert_eq!(again.say(&message()).await.unwrap()["type"], "sent");
}

/// Whether a row is there cannot be read: the frame is answered, and the connection is not closed for it.
#[rstest]
#[case::throttle(Fault::Throttled)]
#[case::timeout(Fault::LostBefore)]
#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_looked_up_is_not_taken_for_unknown(#[case] fault: Fault) {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    aws.dynamodb.inject("GetItem", [fault; 3]);
    minji.refused(&message().to_string(), "unavailable", Some(ID)).await;
    aws.dynamodb.clear_faults();
    assert!(!aws.gateway.has_closed(&minji.id));
    assert_eq!(minji.say(&message()).await.unwrap()["type"], "sent");
}

/// A read mark whose answer was lost is made again by the same frame, and moves nothing twice.
#[rstest]
#[case::throttle(Fault::Throttled)]
#[case::timeout_before_effect(Fault::LostBefore)]
#[case::timeout_after_effect(Fault::LostAfter)]
#[case::commit_in_the_way(Fault::TransactionConflict)]
#[tokio::test(start_paused = true)]
async fn a_read_mark_that_fails_is_told_and_made_by_the_retry(#[case] fault: Fault) {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    let sent = minji.say(&message()).await.unwrap();
    let read = json!({ "action": "markRead", "peerEmail": MINJI, "upTo": sent["timestamp"] });
    aws.dynamodb.inject("UpdateItem", [fault; 3]);
    junho.refused(&read.to_string(), "unavailable", None).await;
    aws.dynamodb.clear_faults();
    assert_eq!(junho.say(&read).await.unwrap()["upTo"], sent["timestamp"]);
    assert_eq!(aws.chat.history(MINJI, JUNHO).await[0]["read"], true);
    let list = aws.chat.get(JUNHO, "/chat/conversations", &[]).await;
    assert_eq!(list.body["totalUnread"], 0);
}

/// Reads are tried again; one that fails for good is an error with a code, for the page as for the list.
#[tokio::test(start_paused = true)]
async fn history_that_cannot_be_read_is_unavailable_and_then_there_again() {
    let aws = FakeAws::new().await;
    let minji = aws.chat.connect(MINJI).await;
    minji.say(&message()).await.unwrap();
    aws.dynamodb.inject("Query", [Fault::Throttled, Fault::LostBefore]);
    assert_eq!(aws.chat.history(MINJI, JUNHO).await.len(), 1, "the third attempt");
    for (resource, parameters) in
        [("/chat/history", vec![("with", JUNHO)]), ("/chat/conversations", Vec::new())]
    {
        aws.dynamodb.inject("Query", [Fault::Throttled; 6]);
        let answer = aws.chat.get(MINJI, resource, &parameters).await;
        answer.assert_refused(503, "unavailable");
        aws.dynamodb.clear_faults();
    }
}
