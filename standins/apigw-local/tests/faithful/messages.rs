use std::future::pending;
use std::sync::Arc;

use apigw_local::RouteResponse::{Absent, Present};
use apigw_local::{Limits, PostError, RestApi};
use aws_lambda_events::encodings::Body as EventBody;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::harness::*;

async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.unwrap();
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html>:
/// "You use the $default route to handle non-JSON inputs, or if no route matches."
#[tokio::test(start_paused = true)]
async fn messages_go_by_their_action_and_all_others_to_default() {
    let routed =
        handler(|event| async move { Ok(answer(200, &event.request_context.route_key.unwrap_or_default())) });
    let api = prod()
        .route("sendMessage", Arc::clone(&routed), Present)
        .route("문자", Arc::clone(&routed), Present)
        .default_route(routed, Present);
    let mut client = rig(api).connect().await;

    for (frame, route) in [
        (r#"{"action":"sendMessage"}"#, "sendMessage"),
        (r#" { "x": {"action": "y"}, "action": "\u0073endMessage" } "#, "sendMessage"),
        (r#"{"action":"sendMessage","text":"\ud800"}"#, "sendMessage"),
        (r#"{"action":"문자"}"#, "문자"),
        (r#"{"action":"sendmessage"}"#, "$default"),
        (r#"{"action":"$connect"}"#, "$default"),
        (r#"{"action":"\ud800"}"#, "$default"),
        (r#"{"action":7}"#, "$default"),
        (r#"{"action":null}"#, "$default"),
        (r#"{"text":"no action"}"#, "$default"),
        (r#"["sendMessage"]"#, "$default"),
        (r#""sendMessage""#, "$default"),
        (r#"{"action":"sendMessage""#, "$default"),
        ("not json", "$default"),
        ("", "$default"),
    ] {
        say(&mut client, frame).await;
        assert_eq!(text(&mut client).await, route, "{frame}");
    }

    let deep = format!(r#"{{"x":{}{},"action":"sendMessage"}}"#, "[".repeat(10_000), "]".repeat(10_000));
    say(&mut client, &deep).await;
    assert_eq!(text(&mut client).await, "sendMessage");
}

/// The same page, for an API that has no `$default` route.
#[tokio::test(start_paused = true)]
async fn a_message_without_a_route_is_forbidden() {
    let (connect, mut connects) = recording();
    let mut client = rig(prod().connect(connect)).connect().await;

    say(&mut client, r#"{"action":"nothing"}"#).await;

    let frame = text(&mut client).await;
    let id = id(&connects.recv().await.unwrap());
    let expected = format!(r#"{{"message":"Forbidden","connectionId":"{id}","requestId":""#);
    assert!(frame.starts_with(&expected) && frame.ends_with(r#"="}"#), "{frame}");
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
/// bounds the integration at 29 seconds; what clients see of failures is the "Internal server error" frame.
#[tokio::test(start_paused = true)]
async fn a_failed_invocation_is_reported_and_the_connection_stays() {
    let api = prod()
        .route("crash", handler(|_| async { crash() }), Absent)
        .route("panic", handler(|_| async { panic!("on purpose") }), Absent)
        .route("hang", handler(|_| pending()), Absent)
        .route(
            "base64",
            handler(|_| async {
                let mut answer = answer(200, "this is no base64!");
                answer.is_base64_encoded = true;
                Ok(answer)
            }),
            Present,
        );
    let mut client = rig(api).connect().await;

    for action in ["crash", "panic", "hang", "base64"] {
        say(&mut client, &json!({ "action": action }).to_string()).await;

        let frame = json(&mut client).await;
        assert_eq!(frame["message"], "Internal server error", "{action}");
        assert!(frame["connectionId"].is_string() && frame["requestId"].is_string());
    }
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html>:
/// routes are one-way unless a route response is configured.
#[tokio::test(start_paused = true)]
async fn a_body_goes_back_only_where_the_route_has_a_route_response() {
    let api = prod()
        .route("one-way", answering(200, "dropped"), Absent)
        .route("two-way", answering(200, "returned"), Present)
        .route("empty", answering(200, ""), Present)
        .route(
            "blank",
            handler(|_| async {
                let mut answer = answer(200, "");
                answer.body = Some(EventBody::Text(String::new()));
                Ok(answer)
            }),
            Present,
        );
    let mut client = rig(api).connect().await;

    for action in ["one-way", "empty", "blank", "two-way"] {
        say(&mut client, &json!({ "action": action }).to_string()).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    assert_eq!(text(&mut client).await, "returned");
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
/// names the fields of `$context`.
#[tokio::test(start_paused = true)]
async fn message_events_carry_the_connection_and_a_message_id() {
    let (connect, mut connects) = recording();
    let (route, mut messages) = recording();
    let rig = rig(prod().connect(connect).default_route(route, Absent));
    let mut client = rig.connect().await;
    let connected = connects.recv().await.unwrap();

    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    say(&mut client, "hello").await;

    let event = soon(messages.recv()).await.unwrap();
    assert_eq!(event.body.as_deref(), Some("hello"));
    assert!(!event.is_base64_encoded);
    assert!(event.headers.is_empty() && event.query_string_parameters.is_empty());
    let context = event.request_context;
    assert_eq!(context.event_type.as_deref(), Some("MESSAGE"));
    assert_eq!(context.route_key.as_deref(), Some("$default"));
    assert_eq!(context.connection_id, connected.request_context.connection_id);
    assert_ne!(context.request_id, connected.request_context.request_id);
    assert_eq!(context.connected_at, NOON);
    assert_eq!(context.request_time_epoch, NOON + 60_000);
    assert_eq!(context.request_time.as_deref(), Some("22/Feb/2022:19:08:37 +0000"));
    assert_eq!(context.message_direction.as_deref(), Some("IN"));
    assert_eq!(context.domain_name.as_deref(), Some("local.test:8080"));
    assert!(context.message_id.is_some());
    assert_eq!(context.disconnect_status_code, None);
}

/// AWS keeps no order between messages of one connection; its own pattern adds a FIFO queue for that:
/// <https://serverlessland.com/patterns/apigw-websocket-sqs-lambda>.
#[tokio::test(start_paused = true)]
async fn messages_of_one_connection_are_handled_concurrently_up_to_a_limit() {
    let mut limits = Limits::default();
    limits.in_flight_per_connection = 3;
    let (started, mut starts) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let waiting = Arc::clone(&gate);
    let route = handler(move |event| {
        started.send(event.body.unwrap()).unwrap();
        let gate = Arc::clone(&waiting);
        async move {
            gate.notified().await;
            Ok(answer(200, "done"))
        }
    });
    let rig = rig_of(connections(limits), prod().default_route(route, Present), RestApi::new());
    let mut client = rig.connect().await;

    for n in 0..5 {
        say(&mut client, &n.to_string()).await;
    }
    for _ in 0..3 {
        soon(starts.recv()).await.unwrap();
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(starts.try_recv().is_err(), "a fourth invocation started");

    gate.notify_one();
    assert_eq!(text(&mut client).await, "done");
    soon(starts.recv()).await.unwrap();
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html>:
/// "If a client app sends a binary frame, API Gateway rejects it and disconnects the client with code 1003."
#[tokio::test(start_paused = true)]
async fn a_binary_frame_closes_the_connection() {
    let (disconnect, mut disconnects) = recording();
    let mut client = rig(prod().disconnect(disconnect)).connect().await;

    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();

    assert_eq!(closed(&mut client).await.0, 1003);
    let event = soon(disconnects.recv()).await.unwrap();
    assert_eq!(event.request_context.disconnect_status_code, Some(1003));
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>:
/// `$disconnect` is invoked after the connection is closed; the status of a client without one is that of the
/// example event in `aws_lambda_events`.
#[tokio::test(start_paused = true)]
async fn disconnect_runs_once_and_tells_how_the_client_closed() {
    let frame =
        |code: u16, reason: &'static str| Some(CloseFrame { code: code.into(), reason: reason.into() });
    for (frame, code, reason) in [
        (frame(1000, ""), 1000, "Connection Closed Normally"),
        (frame(4001, "switching rooms"), 4001, "switching rooms"),
        (frame(1001, ""), 1001, "Going away"),
        (None, 1005, "Client-side close frame status not set"),
    ] {
        let (connect, mut connects) = recording();
        let (disconnect, mut disconnects) = recording();
        let rig = rig(prod().connect(connect).disconnect(disconnect));
        let mut client = rig.connect().await;
        let id = id(&connects.recv().await.unwrap());

        client.close(frame).await.unwrap();
        while soon(client.next()).await.is_some() {}

        let event = soon(disconnects.recv()).await.unwrap();
        assert_eq!(event.headers["host"], "local.test:8080");
        assert_eq!(event.headers["x-restapi"], "");
        let context = event.request_context;
        assert_eq!(context.event_type.as_deref(), Some("DISCONNECT"));
        assert_eq!(context.route_key.as_deref(), Some("$disconnect"));
        assert_eq!(context.disconnect_status_code, Some(code));
        assert_eq!(context.disconnect_reason.as_deref(), Some(reason));
        assert_eq!(context.connected_at, NOON);
        assert_eq!(context.connection_id.as_deref(), Some(&*id));
        assert_eq!(rig.connections.post(&id, "too late"), Err(PostError::Gone));

        rig.gateway.shutdown().await;
        assert!(disconnects.try_recv().is_err(), "a second $disconnect");
    }
}

/// The same page: a connection that breaks is closed too.
#[tokio::test(start_paused = true)]
async fn disconnect_runs_when_the_wire_breaks() {
    let (disconnect, mut disconnects) = recording();
    let rig = rig(prod().disconnect(disconnect));
    let client = rig.connect().await;

    drop(client);

    let event = soon(disconnects.recv()).await.unwrap();
    assert_eq!(event.request_context.disconnect_status_code, Some(1006));
    assert!(rig.connections.is_empty());
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>:
/// posts go to one connection, in the order in which they were made.
#[tokio::test(start_paused = true)]
async fn posts_arrive_in_order_and_to_their_connection_only() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect));
    let mut minji = rig.connect().await;
    let mut junho = rig.connect().await;
    let (minji_id, junho_id) = (id(&connects.recv().await.unwrap()), id(&connects.recv().await.unwrap()));

    for n in 0..100 {
        rig.connections.post(&minji_id, n.to_string()).unwrap();
    }
    rig.connections.post(&junho_id, "안녕").unwrap();

    for n in 0..100 {
        assert_eq!(text(&mut minji).await, n.to_string());
    }
    assert_eq!(text(&mut junho).await, "안녕");
}
