//! The gateway does not take what is pushed.

use std::time::Duration;

use chat_lambda::aws::PUSH_WITHIN;
use chat_wire::Counted;
use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use crate::fake_aws::{FakeAws, GONE, Post, logged};
use crate::support::{JUNHO, MINJI, frame};

/// Past this age of a connection "gone" means gone, and not "not open yet".
const SETTLED: Duration = Duration::from_secs(31);

#[tokio::test(start_paused = true)]
async fn gone_during_connect_keeps_the_row_and_the_connection_hears_the_next_message() {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.gateway.inject(&junho.id, [GONE]);
    minji.send(JUNHO, "too early").await;
    assert!(aws.row(&junho.id).await.is_some());
    minji.send(JUNHO, "in time").await;
    let heard = aws.gateway.heard(&junho.id);
    assert_eq!((heard.len(), &heard[0]["seq"]), (1, &json!(2)), "the hole in seq has it sync");
}

#[tokio::test(start_paused = true)]
async fn gone_later_deletes_that_row_alone_and_a_client_that_is_there_after_all_is_told() {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    let laptop = aws.chat.connect(JUNHO).await;
    aws.chat.pass(SETTLED);
    aws.gateway.inject(&junho.id, [GONE]);
    minji.send(JUNHO, "are you there?").await;
    assert!(aws.row(&junho.id).await.is_none());
    assert!(aws.row(&laptop.id).await.is_some() && aws.row(&minji.id).await.is_some());
    assert_eq!(aws.gateway.heard(&laptop.id).len(), 1);

    assert_eq!(junho.say(&json!({ "action": "ping" })).await, None);
    let told = aws.gateway.heard(&junho.id);
    assert_eq!(told[0]["code"], "unknownConnection");
    assert!(aws.gateway.has_closed(&junho.id), "its client connects anew");
}

/// Whatever else the gateway answers: the message is acknowledged, the row stays, and the next push is tried.
#[rstest]
#[case::too_large(Post::Refused(413, "PayloadTooLargeException"), 1)]
#[case::throttled(Post::Refused(429, "LimitExceededException"), 3)]
#[case::forbidden(Post::Refused(403, "ForbiddenException"), 1)]
#[case::failing(Post::Refused(500, "InternalServerException"), 1)]
#[tokio::test(start_paused = true)]
async fn a_push_that_is_refused_costs_neither_message_nor_connection(
    #[case] answer: Post,
    #[case] attempts: usize,
) {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.chat.pass(SETTLED);
    aws.chat.server.frames.counts().take();
    aws.gateway.inject(&junho.id, [answer; 3]);
    minji.send(JUNHO, "can you hear me?").await;
    assert_eq!(aws.gateway.attempts(), attempts);
    let counted = aws.chat.server.frames.counts().take();
    assert_eq!(counted, Counted { sends: 1, push_failures: 1, ..Counted::default() });

    aws.gateway.inject(&junho.id, []);
    assert!(aws.row(&junho.id).await.is_some());
    minji.send(JUNHO, "and now?").await;
    assert_eq!(aws.gateway.heard(&junho.id).len(), 1);
    assert_eq!(aws.chat.history(JUNHO, MINJI).await.len(), 2);
}

/// It does not pass by itself, so somebody is to look at it.
#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_logged_as_an_error_and_no_row_is_deleted_for_it() {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.chat.pass(SETTLED);
    aws.gateway.inject(&junho.id, [Post::Refused(403, "ForbiddenException")]);
    minji.send(JUNHO, "can you hear me?").await;
    assert!(aws.row(&junho.id).await.is_some());
    let log = logged();
    let line = log.lines().find(|line| line.contains("not pushed")).unwrap();
    assert!(line.contains(r#""level":"ERROR""#) && line.contains("ForbiddenException"), "{line}");
    assert!(line.contains(&junho.id) && !log.contains("can you hear me?"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_push_is_made_again_and_arrives_once() {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    aws.gateway.inject(&junho.id, [Post::Refused(429, "LimitExceededException")]);
    minji.send(JUNHO, "one moment").await;
    assert_eq!(aws.gateway.heard(&junho.id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_hangs_holds_up_the_acknowledgement_for_so_long_and_nobody_else() {
    let aws = FakeAws::new().await;
    let (minji, junho) = (aws.chat.connect(MINJI).await, aws.chat.connect(JUNHO).await);
    let laptop = aws.chat.connect(JUNHO).await;
    aws.gateway.inject(&junho.id, [Post::Hangs]);
    let began = Instant::now();
    let sent = minji.say(&frame(json!({}))).await.unwrap();
    assert_eq!(sent["type"], "sent", "{sent}");
    assert_eq!(began.elapsed().as_millis(), PUSH_WITHIN.as_millis());
    assert_eq!(aws.gateway.heard(&laptop.id).len(), 1);
    assert!(aws.row(&junho.id).await.is_some());
}
