use std::future::pending;
use std::sync::Arc;

use apigw_local::{Limits, PostError, RestApi, RouteResponse};
use http::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;

use crate::harness::*;

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>:
/// "Until execution of the integration you associated with the $connect route is completed, the upgrade
/// request is pending and the actual connection will not be established."
#[tokio::test(start_paused = true)]
async fn connect_runs_before_the_upgrade_finishes() {
    let gate = Arc::new(Notify::new());
    let waiting = Arc::clone(&gate);
    let connect = handler(move |_| {
        let gate = Arc::clone(&waiting);
        async move {
            gate.notified().await;
            Ok(answer(200, ""))
        }
    });
    let rig = rig(prod().connect(connect));

    let mut handshake = Box::pin(rig.connect());
    assert!(futures_util::poll!(&mut handshake).is_pending());
    tokio::task::yield_now().await;
    assert!(rig.connections.is_empty());

    gate.notify_one();
    soon(handshake).await;
    assert_eq!(rig.connections.len(), 1);
}

/// The same page: "If the $connect request fails (due to AuthN/AuthZ failure or an integration failure),
/// the connection will not be made." Its statuses are not documented; these are what clients report.
#[tokio::test(start_paused = true)]
async fn an_answer_of_connect_other_than_2xx_refuses_the_upgrade() {
    for (answered, refused) in [(401, 401), (403, 403), (400, 400), (500, 500), (302, 502), (99, 502)] {
        let rig = rig(prod().connect(answering(answered, "not for the client")));

        let (status, body) = rig.try_connect("/prod", &[]).await.unwrap_err();

        assert_eq!(status.as_u16(), refused);
        assert!(body["message"].is_string() && body["connectionId"].is_string(), "{body}");
        assert!(rig.connections.is_empty());
    }
}

/// The same page, for integration failures.
#[tokio::test(start_paused = true)]
async fn a_crash_or_a_timeout_of_connect_refuses_the_upgrade() {
    let crashing = rig(prod().connect(handler(|_| async { crash() })));
    let panicking = rig(prod().connect(handler(|_| async { panic!("on purpose") })));
    let hanging = rig(prod().connect(handler(|_| pending())));

    assert_eq!(crashing.try_connect("/prod", &[]).await.unwrap_err().0, 502);
    assert_eq!(panicking.try_connect("/prod", &[]).await.unwrap_err().0, 502);
    assert_eq!(hanging.try_connect("/prod", &[]).await.unwrap_err().0, 504);
}

/// The same page: `$connect` is optional.
#[tokio::test(start_paused = true)]
async fn an_api_without_a_connect_route_lets_everyone_in() {
    let rig = rig(prod());

    rig.connect().await;

    assert_eq!(rig.connections.len(), 1);
}

/// <https://repost.aws/knowledge-center/410-gone-api-gateway>: "A message was posted to the WebSocket API
/// before the connection was established."
#[tokio::test(start_paused = true)]
async fn a_post_during_connect_is_gone() {
    let connections = connections(Limits::default());
    let pusher = connections.clone();
    let connect = handler(move |event| {
        let outcome = pusher.post(&id(&event), "too early");
        async move {
            assert_eq!(outcome, Err(PostError::Gone));
            Ok(answer(200, ""))
        }
    });
    let rig = rig_of(connections, prod().connect(connect), RestApi::new());

    rig.connect().await;
}

/// The other side of the same rule: once the client holds its 101, posts reach it.
#[tokio::test(start_paused = true)]
async fn a_post_after_the_handshake_arrives() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect));
    let mut client = rig.connect().await;

    rig.connections.post(&id(&connects.recv().await.unwrap()), "hello").unwrap();

    assert_eq!(text(&mut client).await, "hello");
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html>:
/// the integration names the chosen subprotocol in its `Sec-WebSocket-Protocol` header.
#[tokio::test(start_paused = true)]
async fn the_subprotocol_that_connect_chose_is_echoed() {
    let connect = handler(|event| async move {
        let offered = event.headers.get("sec-websocket-protocol").unwrap().to_str().unwrap();
        assert_eq!(offered, "first, second");
        let mut answer = answer(200, "");
        answer.headers.insert("sec-websocket-protocol", "second".parse().unwrap());
        Ok(answer)
    });
    let rig = rig(prod().connect(connect));

    let (_client, headers) =
        rig.try_connect("/prod", &[("sec-websocket-protocol", "first, second")]).await.unwrap();

    assert_eq!(headers["sec-websocket-protocol"], "second");
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
/// names the fields of `$context`.
#[tokio::test(start_paused = true)]
async fn connect_events_carry_the_request() {
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect)).from("192.0.2.7:5000");

    rig.try_connect(
        "/prod?ticket=a%20b&ticket=c",
        &[("user-agent", "tests"), ("x-twice", "1"), ("x-twice", "2")],
    )
    .await
    .unwrap();

    let event = connects.recv().await.unwrap();
    assert_eq!(event.headers["x-twice"], "2");
    assert_eq!(event.multi_value_headers.get_all("x-twice").iter().count(), 2);
    assert_eq!(event.headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(event.headers["host"], "local.test:8080");
    assert!(event.headers.contains_key("sec-websocket-key") && !event.headers.contains_key("upgrade"));
    assert_eq!(event.query_string_parameters.all("ticket").unwrap(), ["c"]);
    assert_eq!(event.multi_value_query_string_parameters.all("ticket").unwrap(), ["a b", "c"]);
    assert_eq!(event.body, None);
    let context = event.request_context;
    assert_eq!(context.event_type.as_deref(), Some("CONNECT"));
    assert_eq!(context.route_key.as_deref(), Some("$connect"));
    assert_eq!(context.message_direction.as_deref(), Some("IN"));
    assert_eq!(context.message_id, None);
    assert_eq!(context.stage.as_deref(), Some("prod"));
    assert_eq!(context.domain_name.as_deref(), Some("local.test:8080"));
    assert_eq!((context.connected_at, context.request_time_epoch), (NOON, NOON));
    assert_eq!(context.request_time.as_deref(), Some("22/Feb/2022:19:07:37 +0000"));
    assert_eq!(context.identity.source_ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(context.identity.user_agent.as_deref(), Some("tests"));
    assert!(context.connection_id.unwrap().ends_with('='));
    assert!(context.request_id.is_some() && context.extended_request_id.is_some());
}

/// A Lambda function is not stopped when its caller goes, so its side of the bargain is kept:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_during_connect_is_disconnected() {
    let gate = Arc::new(Notify::new());
    let (started, waiting) = (Arc::new(Notify::new()), Arc::clone(&gate));
    let starting = Arc::clone(&started);
    let connect = handler(move |_| {
        starting.notify_one();
        let gate = Arc::clone(&waiting);
        async move {
            gate.notified().await;
            Ok(answer(200, ""))
        }
    });
    let (disconnect, mut disconnects) = recording();
    let rig = rig(prod().connect(connect).disconnect(disconnect));

    tokio::select! {
        _ = rig.connect() => panic!("the gate is shut"),
        () = started.notified() => {}
    }
    // The handshake future is dropped, and with it the wire.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    gate.notify_one();

    let event = soon(disconnects.recv()).await.unwrap();
    assert_eq!(event.request_context.disconnect_status_code, Some(1006));
    assert!(rig.connections.is_empty());
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>:
/// length of the WebSocket URL.
#[tokio::test(start_paused = true)]
async fn a_url_longer_than_4096_is_refused() {
    let rig = rig(prod());
    let path = |length: usize| format!("/prod?{}", "q".repeat(length - "/prod?".len()));

    assert!(rig.try_connect(&path(4096), &[]).await.is_ok());
    assert_eq!(rig.try_connect(&path(4097), &[]).await.unwrap_err().0, 414);
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html>:
/// the stage's URL serves WebSockets only.
#[tokio::test(start_paused = true)]
async fn a_plain_request_to_the_stage_is_forbidden() {
    let (status, _, body) = rig(prod()).http(Method::GET, "/prod", "").await;

    assert_eq!(status, 403);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), json!({"message": "Forbidden"}));
}

/// <https://www.rfc-editor.org/rfc/rfc6455#section-4.1> makes clients wait for the 101, and still bytes may
/// come early: none is lost.
#[tokio::test(start_paused = true)]
async fn a_message_in_the_packet_of_the_handshake_is_handled() {
    let (route, mut messages) = recording();
    let rig = rig(prod().default_route(route, RouteResponse::Absent));
    let mut wire = rig.wire();
    let request = "GET /prod HTTP/1.1\r\nhost: local.test\r\nconnection: keep-alive, Upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let hello = [&[0x81, 0x80 | 5, 0, 0, 0, 0], b"hello".as_slice()].concat();

    wire.write_all(&[request.as_bytes(), &hello].concat()).await.unwrap();

    assert_eq!(soon(messages.recv()).await.unwrap().body.as_deref(), Some("hello"));
}
