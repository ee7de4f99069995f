//! A handler panics or takes too long; what is counted, and how.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chat_domain::MessageStore;
use chat_domain::testing::{DecoratedMessageStore, MessageStoreCall, Outcome};
use chat_lambda::aws::{ANSWER_WITHIN, invoke, metrics};
use chat_wire::Counted;
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

#[test]
fn what_is_counted_is_one_line_of_the_embedded_metric_format() {
    let counted = Counted { sends: 1, conflicts: 2, pushes: 3, ..Counted::default() };
    let line = metrics::line("playground-send", 1_795_510_800_000, &counted, Duration::from_micros(12_345));
    assert!(!line.contains('\n'));
    insta::assert_snapshot!(line);
}

#[test]
fn everything_that_is_counted_has_a_name() {
    let counted =
        Counted { failures: 1, sends: 2, duplicates: 3, conflicts: 4, pushes: 5, gone: 6, push_failures: 7 };
    let line = metrics::line("playground-send", 0, &counted, Duration::ZERO);
    insta::assert_snapshot!(line);
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
