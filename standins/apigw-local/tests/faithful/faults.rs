use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apigw_local::RouteResponse::Present;
use apigw_local::{
    Connections, Faults, InvocationFault, InvokedRoute, Limits, PostError, PostFault, RestApi, SystemClock,
    WebSocketApi,
};
use futures_util::SinkExt as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::*;

const LATE: Duration = Duration::from_secs(3);

/// Faults that were written down before.
#[derive(Default)]
struct Script {
    invocations: Mutex<VecDeque<(InvokedRoute, InvocationFault)>>,
    posts: Mutex<VecDeque<PostFault>>,
    cut_after: Option<u64>,
}

impl Faults for Script {
    fn invocation(&self, connection: u64, route: InvokedRoute, request_id: &str) -> InvocationFault {
        assert_eq!((connection, request_id.len()), (1, 16));
        let mut planned = self.invocations.lock().unwrap();
        let is_next = planned.front().is_some_and(|(planned, _)| *planned == route);
        if is_next { planned.pop_front().unwrap().1 } else { InvocationFault::None }
    }

    fn cut_after(&self, _: u64) -> Option<u64> {
        self.cut_after
    }

    fn post(&self, connection: u64) -> PostFault {
        assert_eq!(connection, 1);
        self.posts.lock().unwrap().pop_front().unwrap_or(PostFault::None)
    }
}

fn misbehaving(script: Script, api: WebSocketApi) -> Rig {
    let connections = Connections::with_faults(Limits::default(), Arc::new(SystemClock), Arc::new(script));
    rig_of(connections, api, RestApi::new())
}

/// An API that echoes; what it was invoked with, and a script of one fault.
fn echoing(route: InvokedRoute, fault: InvocationFault) -> (Rig, UnboundedReceiver<Event>) {
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    let echo = handler(move |event: Event| {
        let sender = sender.clone();
        async move {
            let body = event.body.clone().unwrap_or_default();
            tokio::task::yield_now().await;
            sender.send(event).unwrap();
            tokio::task::yield_now().await;
            Ok(answer(200, &body))
        }
    });
    let api = prod().connect(echo.clone()).disconnect(echo.clone()).default_route(echo, Present);
    let script = Script { invocations: Mutex::new([(route, fault)].into()), ..Script::default() };
    (misbehaving(script, api), events)
}

fn bodies(events: &mut UnboundedReceiver<Event>) -> Vec<String> {
    std::iter::from_fn(|| events.try_recv().ok()).filter_map(|event| event.body).collect()
}

async fn says(fault: InvocationFault, next: &str) -> (Vec<String>, Vec<String>) {
    let (rig, mut events) = echoing(InvokedRoute::Message, fault);
    let mut client = rig.connect().await;
    client.send(Message::text("first")).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    client.send(Message::text(next)).await.unwrap();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != next) {
        heard.push(text(&mut client).await);
    }
    sleep(2 * LATE).await;
    (heard, bodies(&mut events))
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_is_handled_by_nobody() {
    let (heard, handled) = says(InvocationFault::Lost, "second").await;
    assert_eq!((heard, handled), (vec!["second".to_owned()], vec!["second".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_late_message_is_overtaken() {
    let (heard, handled) = says(InvocationFault::Late(LATE), "second").await;
    assert_eq!(heard, ["second"]);
    assert_eq!(handled, ["second", "first"]);
}

#[tokio::test(start_paused = true)]
async fn a_doubled_message_is_handled_twice_and_answered_once() {
    let (heard, handled) = says(InvocationFault::Twice, "second").await;
    assert_eq!(heard, ["first", "second"]);
    assert_eq!(handled, ["first", "first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_undo_what_was_handled() {
    let (heard, handled) = says(InvocationFault::AnswerLost, "second").await;
    assert_eq!(heard, ["second"]);
    assert_eq!(handled, ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_function_has_done_what_came_before() {
    for (waits, done) in [(0, vec!["second"]), (1, vec!["first", "second"])] {
        let (heard, handled) = says(InvocationFault::Killed { waits }, "second").await;
        assert!(heard[0].contains("Internal server error"), "{heard:?}");
        assert_eq!(handled, done);
    }
    let (heard, _) = says(InvocationFault::Killed { waits: 2 }, "second").await;
    assert_eq!(heard, ["first", "second"], "it waits twice");
}

#[tokio::test(start_paused = true)]
async fn a_killed_connect_refuses_the_client() {
    let (rig, _events) = echoing(InvokedRoute::Connect, InvocationFault::Killed { waits: 0 });
    assert_eq!(rig.try_connect("/prod", &[]).await.err().unwrap().0, 502);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_is_told_never_late_or_twice() {
    for (fault, at_once, in_the_end) in [
        (InvocationFault::None, 1, 1),
        (InvocationFault::Lost, 0, 0),
        (InvocationFault::Late(LATE), 0, 1),
        (InvocationFault::Twice, 2, 2),
    ] {
        let (rig, mut events) = echoing(InvokedRoute::Disconnect, fault);
        let mut client = rig.connect().await;
        events.recv().await.unwrap();
        client.close(None).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut told = 0;
        let mut count = || {
            while events.try_recv().is_ok() {
                told += 1;
            }
            told
        };
        assert_eq!(count(), at_once, "{fault:?}");
        sleep(LATE).await;
        assert_eq!(count(), in_the_end, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_cut_after_its_nth_message_as_one_that_is_too_old() {
    let (disconnect, mut disconnects) = recording();
    let (messages, mut handled) = recording();
    let api = prod().disconnect(disconnect).default_route(messages, Present);
    let rig = misbehaving(Script { cut_after: Some(2), ..Script::default() }, api);
    let mut client = rig.connect().await;
    for text in ["first", "second"] {
        client.send(Message::text(text)).await.unwrap();
    }
    assert_eq!(closed(&mut client).await, (1001, "Going away".to_owned()));
    disconnects.recv().await.unwrap();
    assert_eq!(bodies(&mut handled), ["first", "second"]);
}

async fn posts(fault: PostFault) -> (Result<(), PostError>, Rig, Client, String) {
    let (connect, mut connects) = recording();
    let script = Script { posts: Mutex::new([fault].into()), ..Script::default() };
    let rig = misbehaving(script, prod().connect(connect));
    let client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());
    (rig.connections.post(&id, "first"), rig, client, id)
}

#[tokio::test(start_paused = true)]
async fn a_post_is_lost_late_or_doubled_and_taken_all_the_same() {
    for (fault, heard) in [
        (PostFault::None, vec!["first", "second"]),
        (PostFault::Lost, vec!["second"]),
        (PostFault::Late(LATE), vec!["second", "first"]),
        (PostFault::Twice, vec!["first", "first", "second"]),
    ] {
        let (posted, rig, mut client, id) = posts(fault).await;
        assert_eq!(posted, Ok(()));
        rig.connections.post(&id, "second").unwrap();
        let began = Instant::now();
        for expected in heard {
            assert_eq!(text(&mut client).await, expected, "{fault:?}");
        }
        assert_eq!(began.elapsed() >= LATE, fault == PostFault::Late(LATE));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_post_leaves_the_connection_open_and_a_gone_one_is_closed() {
    let (posted, rig, mut client, id) = posts(PostFault::LimitExceeded).await;
    assert_eq!(posted, Err(PostError::LimitExceeded));
    rig.connections.post(&id, "second").unwrap();
    assert_eq!(text(&mut client).await, "second");

    let (posted, rig, mut client, id) = posts(PostFault::Gone).await;
    assert_eq!(posted, Err(PostError::Gone));
    assert_eq!(closed(&mut client).await.0, 1001);
    assert_eq!(rig.connections.post(&id, "second"), Err(PostError::Gone));
}
