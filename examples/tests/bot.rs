//! The bot answers each message once: while it is connected, after it was away, and after it was killed.

use std::process::Stdio;
use std::time::Duration;

use chat_local::{Config, Server};
use chat_wire::frames::ServerFrame;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const DEADLINE: Duration = Duration::from_secs(20);
const BOT: &str = "junho@example.com";

fn bot(host: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bot"));
    command.args([host, BOT]).stderr(Stdio::inherit()).kill_on_drop(true);
    command.spawn().expect("the bot starts")
}

struct Minji {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    host: String,
    token: String,
}

impl Minji {
    async fn joins(host: &str) -> Self {
        let body = json!({ "email": "minji@example.com" }).to_string();
        let login = http(host, "POST", "/dev/login", "", body).await;
        let token = login["accessToken"].as_str().expect("a token").to_owned();
        let mut request = format!("ws://{host}/prod").into_client_request().expect("a URL");
        let offer = format!("chat.v1, {token}").parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", offer);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("she may connect");
        Self { socket, host: host.to_owned(), token }
    }

    async fn says(&mut self, text: &str) {
        let frame = json!({ "action": "sendMessage", "receiverEmail": BOT, "message": text });
        self.socket.send(Message::text(frame.to_string())).await.expect("the socket is open");
    }

    /// The next message that is pushed to her.
    async fn hears(&mut self) -> String {
        loop {
            let frame = timeout(DEADLINE, self.socket.next()).await.expect("an answer comes in time");
            let Message::Text(text) = frame.expect("the socket is open").expect("a frame") else { continue };
            match serde_json::from_str(&text).expect("a frame of the server") {
                ServerFrame::Message(message) => return message.message,
                ServerFrame::Error(error) => panic!("{error:?}"),
                _ => {}
            }
        }
    }

    /// What stands in the conversation, oldest first, once the bot has read all of it.
    async fn reads_back(&self) -> Vec<String> {
        let read = async {
            loop {
                let path = format!("/chat/history?with={BOT}");
                let page = http(&self.host, "GET", &path, &self.token, String::new()).await;
                let messages = page["messages"].as_array().expect("messages").clone();
                let hers = |message: &&Value| message["senderEmail"] == "minji@example.com";
                if messages.iter().filter(hers).all(|message| message["read"] == true) {
                    return messages;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let messages = timeout(DEADLINE, read).await.expect("the bot reads what it answers");
        messages.iter().rev().map(|message| message["message"].as_str().expect("a text").to_owned()).collect()
    }
}

async fn http(host: &str, method: &str, path: &str, token: &str, body: String) -> Value {
    let stream = TokioIo::new(TcpStream::connect(host).await.expect("the chat listens"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    let request = hyper::Request::builder().method(method).uri(path).header("host", host);
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.body(Full::<Bytes>::from(body)).expect("a request");
    let body = sender.send_request(request).await.expect("an answer").into_body();
    serde_json::from_slice(&body.collect().await.expect("a body").to_bytes()).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_answers_each_message_once_whenever_it_runs() {
    let config = Config::parse_from(["chat-local", "--listen", "127.0.0.1:0"]);
    let server = Server::bind(&config).await.expect("a free port");
    let host = server.address().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run_until(async { stopped.await.unwrap_or(()) }));
    let mut minji = Minji::joins(&host).await;

    // Before the bot is there.
    minji.says("one").await;
    minji.says("three").await;
    let mut first = bot(&host);
    assert_eq!(minji.hears().await, "You wrote 3 characters.");
    assert_eq!(minji.hears().await, "You wrote 5 characters.");
    // While it is.
    minji.says("fifteen").await;
    assert_eq!(minji.hears().await, "You wrote 7 characters.");
    // It is killed, perhaps before it has marked that as read, and another one takes over.
    first.kill().await.expect("it runs");
    minji.says("four").await;
    let mut second = bot(&host);
    assert_eq!(minji.hears().await, "You wrote 4 characters.");

    let expected = ["one", "three", "You wrote 3 characters.", "You wrote 5 characters.", "fifteen"];
    let then = ["You wrote 7 characters.", "four", "You wrote 4 characters."];
    assert_eq!(minji.reads_back().await, [&expected[..], &then[..]].concat());

    second.kill().await.expect("it runs");
    // A socket that nobody reads would hold the server up.
    drop(minji);
    stop.send(()).expect("it runs");
    running.await.expect("it does not panic").expect("it ends well");
}
