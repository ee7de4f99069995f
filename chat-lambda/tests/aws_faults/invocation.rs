//! A handler panics or takes too long; what is counted, and how.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chat_domain::MessageStore;
use chat_domain::testing::{DecoratedMessageStore, MessageStoreCall, Outcome};
use chat_lambda::aws::metrics::Metrics;
use chat_lambda::aws::{ANSWER_WITHIN, invoke};
use chat_wire::Counted;
use chat_wire::error::ErrorCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, ORIGIN};
use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{
    self, Answer, Chat, ID, JUNHO, MINJI, assert_error, connect_event, frame, message_event, rest_event, set,
};

/// What a message store does, whatever it is asked.
type Always = for<'a> fn(MessageStoreCall<'a>, &'a Arc<dyn MessageStore>) -> Outcome<'a, dyn MessageStore>;

fn panics<'a>(_: MessageStoreCall<'a>, _: &'a Arc<dyn MessageStore>) -> Outcome<'a, dyn MessageStore> {
    panic!("a fault")
}

fn hangs<'a>(_: MessageStoreCall<'a>, _: &'a Arc<dyn MessageStore>) -> Outcome<'a, dyn MessageStore> {
    Box::pin(pending())
}

#[rstest]
#[case::panics(panics, "internal", 500)]
#[case::hangs(hangs, "unavailable", 503)]
#[tokio::test(start_paused = true)]
async fn who_asked_is_answered_whatever_becomes_of_the_handler(
    #[case] always: Always,
    #[case] code: &str,
    #[case] status: u16,
) {
    let chat = Chat::with_ports(|ports| {
        ports.messages = Arc::new(DecoratedMessageStore::new(ports.messages.clone(), always));
    });
    let minji = chat.connect(MINJI).await;
    let began = Instant::now();
    let call = chat.frame_on(&minji.id, &frame(json!({})).to_string());
    let answer = Answer::from(invoke(&chat.server.frames, message_event(&call), ANSWER_WITHIN).await);
    assert_eq!((answer.status, &answer.body["type"]), (200, &json!("error")), "{}", answer.body);
    assert_error(&answer.body, code, &call.request_id, Some(ID));
    assert!(began.elapsed() <= ANSWER_WITHIN);
    assert_eq!(chat.server.frames.counts().take().failures, 1);

    let mut call = chat.rest_call(http::Method::GET, "/chat/conversations");
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", chat.token(MINJI)));
    set(&mut call.headers, ORIGIN, support::ORIGIN);
    let response = invoke(&chat.server.rest, rest_event(&call), ANSWER_WITHIN).await;
    assert_eq!(response.headers[ACCESS_CONTROL_ALLOW_ORIGIN], support::ORIGIN, "else the page sees nothing");
    Answer::from(response).assert_refused(status, code);

    // The process goes on.
    assert_eq!(minji.say(&json!({ "action": "ping" })).await.unwrap()["type"], "pong");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_cannot_be_admitted_in_time_is_refused() {
    let mut verifier = chat_domain::MockIdentityVerifier::new();
    verifier.expect_verify().returning(|_, _| panic!("a fault"));
    let chat = Chat::with_ports(|ports| ports.verifier = Arc::new(verifier));
    let mut handshake = chat.handshake();
    handshake.query = support::query(&[("token", "a-token")]);
    let answer = Answer::from(invoke(&chat.server.connect, connect_event(&handshake), ANSWER_WITHIN).await);
    answer.assert_refused(500, "internal");
    let call = chat.frame_on("connection", "");
    let answer = invoke(&chat.server.disconnect, message_event(&call), Duration::ZERO).await;
    assert!([200, 503].contains(&answer.status_code));
}

const SEND: &str = "playground-send";

/// What one invocation makes of a process's metrics, `after` so long.
fn add(metrics: &mut Metrics, counted: Counted, after: Duration) -> Option<String> {
    let now_ms = 1_795_510_800_000 + u64::try_from(after.as_millis()).unwrap();
    metrics.add(SEND, counted, Duration::from_micros(12_345), now_ms)
}

#[test]
fn what_is_counted_is_one_line_of_the_embedded_metric_format() {
    let counted = Counted { sends: 1, conflicts: 2, pushes: 3, ..Counted::default() };
    let line = add(&mut Metrics::default(), counted, Duration::ZERO).expect("the first invocation is told");
    assert!(!line.contains('\n'));
    insta::assert_snapshot!(line);
}

#[test]
fn everything_that_is_counted_has_a_name() {
    let refusals = [(ErrorCode::RateLimited, 8), (ErrorCode::BadRequest, 9)].into();
    let counted = Counted {
        failures: 1,
        sends: 2,
        duplicates: 3,
        conflicts: 4,
        pushes: 5,
        gone: 6,
        push_failures: 7,
        reports: 1,
        connects: 10,
        closes: 11,
        refusals,
    };
    insta::assert_snapshot!(add(&mut Metrics::default(), counted, Duration::ZERO).expect("it is the first"));
}

#[test]
fn one_line_tells_of_all_invocations_of_a_minute() {
    let mut metrics = Metrics::default();
    let refusals = [(ErrorCode::RateLimited, 1)].into();
    let counted = Counted { sends: 1, pushes: 2, refusals, ..Counted::default() };
    assert!(add(&mut metrics, counted.clone(), Duration::ZERO).is_some(), "the first");
    for second in 1..60 {
        assert_eq!(add(&mut metrics, counted.clone(), Duration::from_secs(second)), None, "{second} s");
    }
    let line = add(&mut metrics, counted, Duration::from_secs(60)).expect("a minute is over");
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&told["Sends"], &told["Pushes"], &told["Refusals.rateLimited"]),
        (&json!(60), &json!(120), &json!(60))
    );
    assert_eq!(told["Latency"], json!(vec![12.3; 60]), "one number for each");
}

#[test]
fn no_line_has_more_numbers_than_cloudwatch_takes() {
    let mut metrics = Metrics::default();
    let lines: Vec<_> = (0..301)
        .filter_map(|ms| add(&mut metrics, Counted::default(), Duration::from_millis(ms)))
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(&line).unwrap()["Latency"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(lines, [1, 100, 100, 100]);
}

#[rstest]
#[case::failure(Counted { failures: 1, ..Counted::default() })]
#[case::report(Counted { reports: 1, ..Counted::default() })]
fn what_rings_an_alarm_by_itself_is_told_at_once(#[case] counted: Counted) {
    let mut metrics = Metrics::default();
    let sent = || Counted { sends: 1, ..Counted::default() };
    add(&mut metrics, sent(), Duration::ZERO).unwrap();
    assert_eq!(add(&mut metrics, sent(), Duration::from_secs(1)), None);
    let line = add(&mut metrics, counted, Duration::from_secs(2)).expect("it does not wait");
    assert!(line.contains("\"Sends\":1"), "what waited goes with it: {line}");
    assert_eq!(add(&mut metrics, sent(), Duration::from_secs(61)), None, "a minute from the last line");
    assert!(add(&mut metrics, sent(), Duration::from_secs(62)).is_some());
}

#[tokio::test]
async fn sends_duplicates_and_pushes_are_counted_whichever_way_they_came() {
    let chat = Chat::new();
    let (minji, _junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    chat.server.frames.counts().take();
    for _ in 0..2 {
        minji.say(&frame(json!({}))).await;
    }
    minji.say(&json!({ "action": "typing", "receiverEmail": JUNHO })).await;
    let counted = chat.server.frames.counts().take();
    assert_eq!(counted, Counted { sends: 1, duplicates: 1, pushes: 2, ..Counted::default() });
    assert_eq!(chat.server.frames.counts().take(), Counted::default(), "each once");
}

#[tokio::test]
async fn refusals_are_counted_by_their_code() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    chat.server.frames.counts().take();
    let to_herself = frame(json!({ "receiverEmail": MINJI })).to_string();
    for _ in 0..2 {
        minji.refused(&to_herself, "selfChat", Some(ID)).await;
    }
    minji.refused("{}", "badRequest", None).await;
    let refusals = [(ErrorCode::SelfChat, 2), (ErrorCode::BadRequest, 1)].into();
    assert_eq!(chat.server.frames.counts().take(), Counted { refusals, ..Counted::default() });
}
