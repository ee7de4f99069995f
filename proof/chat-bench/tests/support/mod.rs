//! A chat server of one file that keeps no promise it is told to break.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chat_bench::people::room_id;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// What the server does wrong, once, with message number [`ALTERED_MESSAGE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerBug {
    None,
    LosePush,
    DoublePush,
    DelayPush,
    AlterPush,
    MoveAck,
    SkipSeq,
    StopTime,
    LoseRow,
    DoubleRow,
    AlterRow,
    SwapRows,
    Refuse,
    RefuseButStore,
    AskAgain,
    NeverAnswer,
    HangUp,
    Chatter,
    Broadcast,
}

/// The number of the message with which the server does something wrong.
const ALTERED_MESSAGE: u64 = 7;

/// A row of a room, as JSON.
type Row = Value;

#[derive(Default)]
struct State {
    count: u64,
    rooms: HashMap<String, Vec<Row>>,
    sockets: HashMap<String, UnboundedSender<Message>>,
    delayed: Option<(String, String)>,
}

struct Server {
    bug: ServerBug,
    state: Mutex<State>,
}

/// Starts a server on a free port of this machine; it lives as long as the runtime.
pub(crate) async fn start(bug: ServerBug) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::new(Server { bug, state: Mutex::default() });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&server)));
        }
    });
    address
}

async fn serve(stream: TcpStream, server: Arc<Server>) {
    stream.set_nodelay(true).unwrap();
    let mut start = [0; 4];
    while stream.peek(&mut start).await.unwrap() < start.len() {}
    let mut head = [0; 1024];
    let length = stream.peek(&mut head).await.unwrap();
    if String::from_utf8_lossy(&head[..length]).contains("/prod?") {
        serve_socket(stream, server).await;
    } else {
        serve_rest(stream, server).await;
    }
}

async fn serve_rest(stream: TcpStream, server: Arc<Server>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length, mut token) = (String::new(), 0, String::new());
        if stream.read_line(&mut first).await.unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            match line.trim().split_once(": ").map(|(name, value)| (name.to_lowercase(), value)) {
                Some((name, value)) if name == "content-length" => length = value.parse().unwrap(),
                Some((name, value)) if name == "authorization" => {
                    token = value.strip_prefix("Bearer ").unwrap().to_owned();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let path = first.split(' ').nth(1).unwrap();
        let answer = match path.split_once('?') {
            None => {
                let email = serde_json::from_slice::<Value>(&body).unwrap()["email"].take();
                json!({ "accessToken": email, "email": email, "expiresAt": "2999-01-01T00:00:00.000Z" })
            }
            Some((_, query)) => server.history(&token, query),
        };
        let answer = answer.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
async fn serve_socket(stream: TcpStream, server: Arc<Server>) {
    let mut email = String::new();
    let read_token = |request: &Request, response: Response| {
        email = decode(request.uri().query().unwrap().strip_prefix("token=").unwrap());
        Ok(response)
    };
    let (mut sink, mut frames) = accept_hdr_async(stream, read_token).await.unwrap().split();
    let (sender, mut outbox) = unbounded_channel();
    server.state.lock().unwrap().sockets.insert(email.clone(), sender);
    tokio::spawn(async move {
        while let Some(message) = outbox.recv().await {
            let last = message.is_close();
            if sink.send(message).await.is_err() || last {
                return;
            }
        }
    });
    while let Some(Ok(message)) = frames.next().await {
        if let Message::Text(frame) = message {
            server.handle(&email, &serde_json::from_str(&frame).unwrap());
        }
    }
}

/// Keeps the row, or what the bug makes of it.
fn store(rows: &mut Vec<Row>, row: &Row, bug: ServerBug) {
    let absent = matches!(bug, ServerBug::Refuse | ServerBug::AskAgain | ServerBug::LoseRow);
    if !absent {
        rows.push(row.clone());
    }
    match bug {
        ServerBug::DoubleRow => rows.push(row.clone()),
        ServerBug::AlterRow => rows.last_mut().unwrap()["message"] = json!("altered"),
        ServerBug::SwapRows if rows.len() > 1 => rows.reverse(),
        _ => {}
    }
}

impl Server {
    fn handle(&self, sender: &str, frame: &Value) {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        if frame["action"] == "ping" {
            if let Some((receiver, push)) = state.delayed.take() {
                state.send(&receiver, push);
            }
            return state.send(sender, json!({ "type": "pong", "serverTime": "" }).to_string());
        }
        state.count += 1;
        let bug = if state.count == ALTERED_MESSAGE { self.bug } else { ServerBug::None };

        let (receiver, id) = (frame["receiverEmail"].as_str().unwrap(), &frame["clientMessageId"]);
        let room_id = room_id(sender, receiver);
        let rows = state.rooms.entry(room_id.clone()).or_default();
        let seq = rows.last().map_or(0, |row| row["seq"].as_u64().unwrap()) + 1;
        let seq = seq + u64::from(bug == ServerBug::SkipSeq);
        let stamp =
            |seq: u64| format!("2025-01-01T00:{:02}:{:02}.{:03}Z", seq / 60_000, seq / 1000 % 60, seq % 1000);
        let timestamp = stamp(if bug == ServerBug::StopTime { seq - 1 } else { seq });
        let row = json!({
            "roomId": room_id, "timestamp": timestamp, "seq": seq, "senderEmail": sender,
            "receiverEmail": receiver, "message": frame["message"], "read": false, "kind": "text",
            "clientMessageId": id,
        });

        store(rows, &row, bug);
        let refused = matches!(bug, ServerBug::Refuse | ServerBug::RefuseButStore);
        if refused || bug == ServerBug::AskAgain {
            let error = json!({
                "type": "error", "code": "unavailable", "message": "no", "requestId": "r",
                "retryable": !refused, "clientMessageId": id,
            });
            return state.send(sender, error.to_string());
        }

        state.push(sender, receiver, row, bug);
        match bug {
            ServerBug::NeverAnswer => return,
            ServerBug::HangUp => state.sockets[sender].send(Message::Close(None)).unwrap(),
            ServerBug::Chatter => state.send(sender, json!({ "type": "unheardOf" }).to_string()),
            _ => {}
        }
        let seq = if bug == ServerBug::MoveAck { seq + 100 } else { seq };
        let ack = json!({
            "type": "sent", "clientMessageId": id, "roomId": room_id, "timestamp": timestamp, "seq": seq,
            "duplicate": false,
        });
        state.send(sender, ack.to_string());
    }

    fn history(&self, me: &str, query: &str) -> Value {
        let get = |name: &str| {
            let value = query.split('&').find_map(|part| part.strip_prefix(name)).unwrap();
            decode(value)
        };
        let (peer, after, limit) = (get("with="), get("after="), get("limit=").parse().unwrap());
        let room_id = room_id(me, &peer);
        let state = self.state.lock().unwrap();
        let rows = state.rooms.get(&room_id).into_iter().flatten();
        let mut rest: Vec<_> =
            rows.filter(|row| row["timestamp"].as_str().unwrap() > after.as_str()).collect();
        let has_more = rest.len() > limit;
        rest.truncate(limit);
        let next_after = rest.last().filter(|_| has_more).map(|row| row["timestamp"].clone());
        json!({ "roomId": room_id, "messages": rest, "hasMore": has_more, "nextAfter": next_after })
    }
}

impl State {
    fn send(&self, email: &str, frame: String) {
        // Who has left needs nothing.
        let _gone = self.sockets[email].send(Message::text(frame));
    }

    /// Pushes the row to its receiver, or does what the bug makes of that.
    fn push(&mut self, sender: &str, receiver: &str, row: Row, bug: ServerBug) {
        let mut push = row;
        push["type"] = json!("message");
        if bug == ServerBug::AlterPush {
            push["message"] = json!("altered");
        }
        let push = push.to_string();
        match bug {
            ServerBug::LosePush => return,
            ServerBug::DelayPush => {
                self.delayed = Some((receiver.to_owned(), push));
                return;
            }
            ServerBug::DoublePush => self.send(receiver, push.clone()),
            ServerBug::Broadcast => {
                for email in self.sockets.keys().filter(|email| ![sender, receiver].contains(&email.as_str()))
                {
                    self.send(email, push.clone());
                }
            }
            _ => {}
        }
        self.send(receiver, push);
    }
}

fn decode(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        decoded.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        decoded.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(decoded).unwrap()
}
