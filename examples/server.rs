//! A chat server of one file on axum, without Lambda and AWS: `server [ADDRESS]`, or else 127.0.0.1:8080.
//! For a real one, put stores of your own in place of those in memory, and a verifier of your users' tokens.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{MatchedPath, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chat_adapters_memory::*;
use chat_domain::*;
use chat_wire::frames::encode;
use chat_wire::table::{ROUTES, SUBPROTOCOL};
use chat_wire::*;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};
use uuid::Uuid;

/// How many frames may wait for a client that does not read.
const QUEUE_FRAMES: usize = 64;

/// What waits for each open socket. A queue that is dropped closes its socket.
#[derive(Default)]
struct Sockets(Mutex<HashMap<ConnectionId, Sender<String>>>);

#[async_trait::async_trait]
impl Pusher for Sockets {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        let queue = self.0.lock().expect("no panic under it").get(to).cloned().ok_or(PushError::Gone)?;
        queue.try_send(push.text(encode).to_owned()).map_err(|_full| PushError::Throttled)
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        self.0.lock().expect("no panic under it").remove(id).map(drop).ok_or(PushError::Gone)
    }
}

type Server = State<(Arc<Chat>, Arc<Sockets>)>;
type Pairs = Query<Vec<(String, String)>>;

async fn connect(server: Server, headers: HeaderMap, query: Pairs, upgrade: WebSocketUpgrade) -> Response {
    let (id, [connected_at_ms, now_ms]) = (Uuid::new_v4().to_string(), [now_ms(); 2]);
    let (connection, request_id, headers, query, source) = (&*id, &*id, &headers, &*query, "");
    let request = ConnectRequest { connection, request_id, headers, source, query, connected_at_ms, now_ms };
    let answer = server.0.0.connect.answer(&request).await;
    match answer.status() {
        StatusCode::OK => upgrade.protocols([SUBPROTOCOL]).on_upgrade(|socket| talk(server, id, socket)),
        _ => answer.into_response(),
    }
}

/// Reads, answers and pushes, until the client leaves or the chat closes the connection.
async fn talk(State((chat, sockets)): Server, connection: String, mut socket: WebSocket) {
    let (id, (queue, mut pushes)) = (ConnectionId::new(&*connection), channel(QUEUE_FRAMES));
    sockets.0.lock().expect("no panic under it").insert(id.clone(), queue);
    loop {
        let frame = tokio::select! {
            push = pushes.recv() => Some(if let Some(push) = push { push } else { break }),
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    let (name, connection, now_ms) = (Uuid::new_v4().to_string(), &*connection, now_ms());
                    let (request_id, delivery_id) = (&*name, &*name);
                    let request = FrameRequest { text: &text, connection, request_id, delivery_id, now_ms };
                    chat.frames.answer(&request).await
                }
                None | Some(Err(_) | Ok(Message::Close(_))) => break,
                _ => None,
            },
        };
        let Some(frame) = frame else { continue };
        if socket.send(Message::text(frame)).await.is_err() {
            break;
        }
    }
    sockets.0.lock().expect("no panic under it").remove(&id);
    chat.disconnect.answer(&DisconnectRequest { connection: &connection, request_id: &connection }).await;
}

async fn rest(
    State((chat, _)): Server,
    (method, headers, resource, Query(query)): (Method, HeaderMap, MatchedPath, Pairs),
    Path(parameters): Path<HashMap<String, String>>,
    body: String,
) -> Response {
    let (name, now_ms) = (Uuid::new_v4().to_string(), now_ms());
    let (resource, request_id, body) = (resource.as_str(), &*name, Some(&*body));
    let (method, path_parameters, query, headers) = (&method, &parameters, &*query, &headers);
    let request = RestRequest { method, resource, path_parameters, query, headers, body, request_id, now_ms };
    chat.rest.answer(&request).await.into_response()
}

fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("The chat runs at http://{}", listener.local_addr()?);
    let (sockets, verifier) = (Arc::new(Sockets::default()), Arc::new(MemoryIdentityVerifier::new()));
    for email in ["minji@example.com", "junho@example.com"] {
        let identity = VerifiedIdentity::vouched(email.parse()?, UserId::new(email), Timestamp::MAX);
        println!("{email} {}", verifier.issue(identity, Uuid::new_v4().as_u128()).expose());
    }
    let ports = Ports {
        verifier,
        connections: Arc::new(MemoryConnectionStore::new()),
        messages: Arc::new(MemoryMessageStore::new()),
        pusher: sockets.clone(),
        attachments: Arc::new(NoAttachments),
        reports: Arc::new(MemoryReportStore::new()),
        users: Arc::new(MemoryUserStore::new()),
        backoff: Arc::new(JitteredBackoff::new(tokio::time::sleep)),
    };
    let state = (Arc::new(Chat::new(&ports, &Settings::default())), sockets);
    let routes = axum::Router::new().route("/prod", any(connect));
    let routes = ROUTES.iter().fold(routes, |routes, route| routes.route(route.resource, any(rest)));
    Ok(axum::serve(listener, routes.with_state(state)).await?)
}
