use std::sync::Arc;

use apigw_local::RouteResponse::Present;
use apigw_local::{Limits, RestApi};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::*;

/// An integration that says when it has begun and answers when told to.
fn gated(begun: &Arc<Notify>, gate: &Arc<Notify>) -> Arc<dyn apigw_local::WebSocketIntegration> {
    let (begun, gate) = (Arc::clone(begun), Arc::clone(gate));
    handler(move |_| {
        begun.notify_one();
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(answer(200, "done"))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn running_invocations_finish_and_answer_before_sockets_close() {
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (disconnect, mut disconnects) = recording();
    let rest = RestApi::new().method(Method::GET, "/things", rest_handler(|_| async { Ok(answer(200, "")) }));
    let api = prod().disconnect(disconnect).default_route(gated(&begun, &gate), Present);
    let rig = rig_of(connections(Limits::default()), api, rest);
    let mut client = rig.connect().await;
    client.send(Message::text("work")).await.unwrap();
    begun.notified().await;

    let gateway = rig.gateway.clone();
    let shutdown = tokio::spawn(async move { gateway.shutdown().await });
    tokio::task::yield_now().await;

    assert_eq!(rig.try_connect("/prod", &[]).await.unwrap_err().0, 503);
    assert_eq!(rig.http(Method::GET, "/things", "").await.0, 503);
    client.send(Message::text("not read any more")).await.unwrap();
    assert!(!shutdown.is_finished() && disconnects.try_recv().is_err());
    gate.notify_one();
    assert_eq!(text(&mut client).await, "done");
    assert_eq!(closed(&mut client).await, (1001, "Going away".to_owned()));
    assert!(soon(client.next()).await.is_none());
    soon(shutdown).await.unwrap();
    assert_eq!(disconnects.recv().await.unwrap().request_context.disconnect_status_code, Some(1001));
    assert!(rig.connections.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_under_way_is_refused_and_disconnected() {
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (disconnect, mut disconnects) = recording();
    let rig = Arc::new(rig(prod().connect(gated(&begun, &gate)).disconnect(disconnect)));
    let connecting = Arc::clone(&rig);
    let handshake = tokio::spawn(async move { connecting.try_connect("/prod", &[]).await.err() });
    begun.notified().await;

    let gateway = rig.gateway.clone();
    let shutdown = tokio::spawn(async move { gateway.shutdown().await });
    tokio::task::yield_now().await;
    gate.notify_one();

    assert_eq!(handshake.await.unwrap().unwrap().0, 503);
    soon(shutdown).await.unwrap();
    assert!(disconnects.try_recv().is_ok(), "shutdown returned before $disconnect");
}

#[tokio::test(start_paused = true)]
async fn neither_hanging_handlers_nor_deaf_clients_hold_it_up_for_long() {
    let (begun, never) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (connect, mut connects) = recording();
    let rig = rig(prod().connect(connect).default_route(gated(&begun, &never), Present));
    let mut deaf = rig.connect().await;
    let id = id(&connects.recv().await.unwrap());
    deaf.send(Message::text("hang")).await.unwrap();
    begun.notified().await;
    for _ in 0..100 {
        rig.connections.post(&id, "x".repeat(1024)).unwrap();
    }
    let began = Instant::now();

    soon(rig.gateway.shutdown()).await;

    let most = Limits::INTEGRATION_TIMEOUT + 2 * Limits::CLOSE_GRACE;
    assert!(began.elapsed() <= most, "{:?}", began.elapsed());
    assert!(rig.connections.is_empty());
}
