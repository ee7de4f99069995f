use std::time::Duration;

use apigw_local::RouteResponse::{Absent, Present};
use apigw_local::{Limits, PostError, RestApi};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::*;

// All from
// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>,
// unless a test names another page.

const KB: usize = 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// Answers with the length of what came in.
fn measuring() -> apigw_local::WebSocketApi {
    let route =
        handler(|event| async move { Ok(answer(200, &event.body.unwrap_or_default().len().to_string())) });
    prod().default_route(route, Present)
}

/// "WebSocket frame size: 32 KB".
#[tokio::test(start_paused = true)]
async fn a_frame_above_32_kb_closes_with_1009() {
    let (disconnect, mut disconnects) = recording();
    let mut client = rig(measuring().disconnect(disconnect)).connect().await;

    client.send(Message::text("x".repeat(32 * KB))).await.unwrap();
    assert_eq!(text(&mut client).await, "32768");
    // The gateway reads no more of it than the header, and still its close frame arrives.
    client.feed(Message::text("x".repeat(32 * KB + 1))).await.unwrap();
    let (mut sink, mut stream) = client.split();
    let flushed = tokio::spawn(async move { sink.flush().await });

    let Some(Ok(Message::Close(Some(frame)))) = soon(stream.next()).await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1009);
    let _ = soon(flushed).await;
    drop(stream);
    let event = soon(disconnects.recv()).await.unwrap();
    assert_eq!(event.request_context.disconnect_status_code, Some(1009));
}

/// "Message payload size: 128 KB": larger messages than a frame come in fragments.
#[tokio::test(start_paused = true)]
async fn a_fragmented_message_above_128_kb_closes_with_1009() {
    let mut client = rig(measuring()).connect().await;
    let fragment = |index: usize, last: bool| {
        let opcode = if index == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message("x".repeat(32 * KB), OpCode::Data(opcode), last))
    };

    for index in 0..4 {
        client.send(fragment(index, index == 3)).await.unwrap();
    }
    assert_eq!(text(&mut client).await, "131072");

    for index in 0..5 {
        client.send(fragment(index, index == 4)).await.unwrap();
    }
    assert_eq!(closed(&mut client).await.0, 1009);
}

/// "Idle Connection Timeout: 10 minutes".
#[tokio::test(start_paused = true)]
async fn ten_idle_minutes_close_the_connection() {
    let (disconnect, mut disconnects) = recording();
    let rig = rig(prod().disconnect(disconnect));
    let mut client = rig.connect().await;
    let began = Instant::now();

    assert_eq!(closed(&mut client).await, (1001, "Going away".to_owned()));

    assert_eq!(began.elapsed().as_secs(), 600);
    drop(client);
    let context = soon(disconnects.recv()).await.unwrap().request_context;
    assert_eq!(context.disconnect_status_code, Some(1001));
    assert_eq!(context.disconnect_reason.as_deref(), Some("Going away"));
}

/// A message in either direction is activity. Control frames are none: the page does not say, and a client
/// that lives through the stricter reading lives through the other.
#[tokio::test(start_paused = true)]
async fn messages_keep_a_connection_alive_and_pings_do_not() {
    let (connect, mut connects) = recording();
    let (route, _messages) = recording();
    let rig = rig(prod().connect(connect).default_route(route, Absent));
    let mut client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());

    sleep(9 * MINUTE).await;
    client.send(Message::text("still here")).await.unwrap();
    sleep(9 * MINUTE).await;
    rig.connections.post(&id, "so am I").unwrap();
    assert_eq!(text(&mut client).await, "so am I");
    let active = Instant::now();
    sleep(9 * MINUTE).await;
    client.send(Message::Ping("alive?".into())).await.unwrap();

    assert_eq!(closed(&mut client).await.0, 1001);
    assert_eq!(active.elapsed().as_secs(), 600);
}

/// "Connection duration for WebSocket API: 2 hours".
#[tokio::test(start_paused = true)]
async fn two_hours_close_the_busiest_connection() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect));
    let mut client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());
    let began = Instant::now();

    let end = loop {
        tokio::select! {
            () = sleep(MINUTE) => rig.connections.post(&id, "busy").unwrap(),
            frame = client.next() => if let Some(Ok(Message::Close(end))) = frame {
                break end;
            }
        }
    };

    assert_eq!(u16::from(end.unwrap().code), 1001);
    assert_eq!(began.elapsed().as_secs(), 7200);
}

/// The size of a post is limited too.
#[tokio::test(start_paused = true)]
async fn a_post_above_128_kb_is_refused() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect));
    let mut client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());

    assert_eq!(rig.connections.post(&id, "x".repeat(128 * KB + 1)), Err(PostError::PayloadTooLarge));
    rig.connections.post(&id, "x".repeat(128 * KB)).unwrap();

    assert_eq!(text(&mut client).await.len(), 128 * KB);
}

/// <https://docs.aws.amazon.com/AWSJavaSDK/latest/javadoc/com/amazonaws/services/apigatewaymanagementapi/model/LimitExceededException.html>:
/// "... or the WebSocket client side buffer is full."
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_exceeds_its_limit_and_loses_nothing_that_was_accepted() {
    let mut limits = Limits::default();
    limits.outbound_queue_bytes = 64 * KB;
    let (connect, mut connects) = recording();
    let rig = rig_of(connections(limits), prod().connect(connect), RestApi::new());
    let mut client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());

    let mut accepted = 0;
    loop {
        match rig.connections.post(&id, format!("{accepted:8}{}", "x".repeat(KB))) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error, PostError::LimitExceeded);
                break;
            }
        }
        tokio::task::yield_now().await;
        assert!(accepted < 1000, "no limit");
    }
    for n in 0..accepted {
        assert_eq!(text(&mut client).await[..8].trim(), n.to_string());
    }
    rig.connections.post(&id, "welcome back").unwrap();
    assert_eq!(text(&mut client).await, "welcome back");
}

/// A client that never reads again is idle too.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_closed_after_ten_minutes() {
    let (connect, mut connects) = recording();
    let (disconnect, mut disconnects) = recording();
    let rig = rig(prod().connect(connect).disconnect(disconnect));
    let _deaf = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());
    let began = Instant::now();

    for _ in 0..100 {
        rig.connections.post(&id, "x".repeat(KB)).unwrap();
    }

    let event = soon(disconnects.recv()).await.unwrap();
    assert_eq!(event.request_context.disconnect_status_code, Some(1001));
    assert_eq!(began.elapsed(), Limits::IDLE + Limits::CLOSE_GRACE);
}

/// A client that reads late, but reads, has the whole idle time from its last message on.
#[tokio::test(start_paused = true)]
async fn a_write_that_waits_for_the_client_does_not_shorten_the_idle_time() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect));
    let mut client = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());

    sleep(9 * MINUTE).await;
    for _ in 0..100 {
        rig.connections.post(&id, "x".repeat(KB)).unwrap();
    }
    sleep(9 * MINUTE).await;

    for _ in 0..100 {
        assert_eq!(text(&mut client).await.len(), KB);
    }
}
