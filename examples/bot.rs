//! A bot that answers what people write to it, each message once: `bot 127.0.0.1:8080 junho@example.com`.
//! With a token as the third argument it need not sign in, which only `chat-local` lets anybody do.
//!
//! It keeps nothing. What it has not answered is what it has not read, so it may be stopped at any moment: it
//! looks for unread messages whenever it connects, and an answer that it sends again has the same id, and so
//! stays one message.

use std::collections::VecDeque;
use std::error::Error;
use std::time::Duration;

use chat_wire::frames::{MarkReadFrame, PingFrame, SendMessageFrame, ServerFrame};
use chat_wire::message::{KindName, MessageBody};
use chat_wire::rest::{ConversationsBody, HistoryBody};
use chat_wire::table::ClientFrame;
use chat_wire::table::SUBPROTOCOL;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

type BoxError = Box<dyn Error + Send + Sync>;

/// How long it waits before it connects anew.
const PAUSE: Duration = Duration::from_secs(1);
/// API Gateway closes a connection that says nothing for ten minutes.
const PING_EVERY: Duration = Duration::from_secs(5 * 60);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (host, email, token) = match &arguments[..] {
        [host, email] => (host, email, None),
        [host, email, token] => (host, email, Some(token.as_str())),
        _ => return Err("usage: bot HOST:PORT EMAIL [TOKEN]".into()),
    };
    loop {
        if let Err(error) = answer_until_cut_off(host, email, token).await {
            eprintln!("{error}; connecting anew");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Signs in, connects, and answers until the connection ends or something has to be tried again.
async fn answer_until_cut_off(host: &str, email: &str, token: Option<&str>) -> Result<(), BoxError> {
    let token = match token {
        Some(token) => token.to_owned(),
        None => sign_in(host, email).await?,
    };

    let mut request = format!("ws://{host}/prod").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", format!("{SUBPROTOCOL}, {token}").parse()?);
    let (socket, _) = tokio_tungstenite::connect_async(request).await?;
    let mut bot = Bot { email, socket, queue: VecDeque::new() };

    // The bot looks for unread messages after it has connected, so that it misses none between the two. What
    // comes both ways is answered once all the same.
    bot.enqueue(unread(host, &token).await?).await?;
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        tokio::select! {
            _ = ping.tick() => bot.send(&ClientFrame::Ping(PingFrame { quiet: true })).await?,
            frame = bot.socket.next() => match frame.ok_or("the connection ended")?? {
                Message::Text(text) => bot.hear(serde_json::from_str(&text)?).await?,
                Message::Close(_) => return Ok(()),
                _ => {}
            },
        }
    }
}

async fn sign_in(host: &str, email: &str) -> Result<String, BoxError> {
    let login = http(host, "POST", "/dev/login", None, json!({ "email": email }).to_string()).await?;
    Ok(login["accessToken"].as_str().ok_or("the login has no token")?.to_owned())
}

struct Bot<'a> {
    email: &'a str,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What is to be answered, one after the other. The answer to the first of them is on its way.
    ///
    /// To read a message is to have read all before it. So none is marked before those that came earlier are
    /// answered.
    queue: VecDeque<MessageBody>,
}

impl Bot<'_> {
    async fn send(&mut self, frame: &ClientFrame) -> Result<(), BoxError> {
        Ok(self.socket.send(Message::text(serde_json::to_string(frame)?)).await?)
    }

    async fn hear(&mut self, frame: ServerFrame) -> Result<(), BoxError> {
        match frame {
            ServerFrame::Message(message) => self.enqueue([message]).await,
            ServerFrame::Sent(_) => self.answered().await,
            // What was refused for good is done with; anything else is tried again on a new connection.
            ServerFrame::Error(error) if error.retryable => Err(error.message.into()),
            ServerFrame::Error(error) => {
                eprintln!("refused: {}", error.message);
                self.answered().await
            }
            _ => Ok(()),
        }
    }

    async fn enqueue(&mut self, messages: impl IntoIterator<Item = MessageBody>) -> Result<(), BoxError> {
        let idle = self.queue.is_empty();
        // Its own messages come back from other devices of the same user.
        let asks =
            |message: &MessageBody| message.sender_email != self.email && message.kind == KindName::Text;
        self.queue.extend(messages.into_iter().filter(asks));
        if idle { self.answer_first().await } else { Ok(()) }
    }

    async fn answer_first(&mut self) -> Result<(), BoxError> {
        let Some(message) = self.queue.front() else { return Ok(()) };
        // The same id for the same message, whenever and wherever it is answered.
        let asked: Uuid = message.client_message_id.parse()?;
        let answer = SendMessageFrame {
            receiver_email: message.sender_email.clone(),
            message: Some(format!("You wrote {} characters.", message.message.chars().count())),
            client_message_id: Some(Uuid::new_v5(&asked, b"answer").to_string()),
            // No answer is older than what it answers: the server looks for an earlier attempt only behind
            // that.
            after: Some(message.timestamp.clone()),
            ..SendMessageFrame::default()
        };
        self.send(&ClientFrame::SendMessage(answer)).await
    }

    /// The answer is stored, so what it answers counts as read.
    async fn answered(&mut self) -> Result<(), BoxError> {
        let Some(message) = self.queue.pop_front() else { return Ok(()) };
        let mark = MarkReadFrame { peer_email: message.sender_email, up_to: message.timestamp };
        self.send(&ClientFrame::MarkRead(mark)).await?;
        self.answer_first().await
    }
}

/// What the bot has not read, room by room, oldest first.
async fn unread(host: &str, token: &str) -> Result<Vec<MessageBody>, BoxError> {
    let mut found = Vec::new();
    let mut page = Some("/chat/conversations".to_owned());
    while let Some(path) = page {
        let list: ConversationsBody = get(host, &path, token).await?;
        for conversation in list.conversations.iter().filter(|conversation| conversation.unread > 0) {
            let peer = utf8_percent_encode(&conversation.peer_email, NON_ALPHANUMERIC);
            let path = format!("/chat/history?with={peer}");
            let newest: HistoryBody = get(host, &path, token).await?;
            let mut after = newest.my_read_up_to.unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned());
            loop {
                let history: HistoryBody = get(host, &format!("{path}&after={after}"), token).await?;
                found.extend(history.messages);
                after = history.next_after.unwrap_or(after);
                if !history.has_more {
                    break;
                }
            }
        }
        page = list.next_cursor.map(|cursor| format!("/chat/conversations?cursor={cursor}"));
    }
    Ok(found)
}

async fn get<T: DeserializeOwned>(host: &str, path: &str, token: &str) -> Result<T, BoxError> {
    Ok(serde_json::from_value(http(host, "GET", path, Some(token), String::new()).await?)?)
}

async fn http(
    host: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: String,
) -> Result<Value, BoxError> {
    let stream = TokioIo::new(TcpStream::connect(host).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(method).uri(path).header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = sender.send_request(request.body(Full::<Bytes>::from(body))?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
}
