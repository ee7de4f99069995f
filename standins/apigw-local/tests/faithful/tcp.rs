//! What only a real socket shows.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::*;

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>:
/// the close frame is not lost in the reset that unread bytes cause.
#[tokio::test]
async fn the_close_frame_of_a_far_too_large_message_arrives() {
    let (connect, mut connects) = recording();
    let (disconnect, mut disconnects) = recording();
    let rig = rig(prod().connect(connect).disconnect(disconnect));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = rig.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let wire = TcpStream::connect(address).await.unwrap();
    let (client, _) = client_async(format!("ws://{address}/prod"), wire).await.unwrap();
    let (mut sink, mut stream) = client.split();

    let sending = tokio::spawn(async move {
        // Fails or not, depending on how much of it the socket took.
        let _ = sink.send(Message::text("x".repeat(10 * 1024 * 1024))).await;
        sink
    });

    let Some(Ok(Message::Close(Some(frame)))) = soon(stream.next()).await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1009);
    drop((stream, soon(sending).await));
    let connected = connects.recv().await.unwrap();
    assert_eq!(connected.headers["x-forwarded-port"], address.port().to_string().as_str());
    assert_eq!(connected.request_context.identity.source_ip.as_deref(), Some("127.0.0.1"));
    let ended = soon(disconnects.recv()).await.unwrap();
    assert_eq!(ended.request_context.disconnect_status_code, Some(1009));
    server.abort();
}
