//! A running chat, and people who use it as anybody would: over HTTP and WebSocket.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use chat_local::{Config, Server, ServerError};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(10);

/// A chat of this test's own.
pub(crate) struct Chat {
    pub(crate) address: SocketAddr,
    running: Option<Running>,
}

/// A chat in this process.
struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServerError>>,
}

impl Chat {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::try_start(flags).await.expect("it starts on a free port")
    }

    pub(crate) async fn try_start(flags: &[&str]) -> Result<Self, ServerError> {
        let arguments = ["chat-local", "--listen", "127.0.0.1:0"].iter().chain(flags);
        let server = Server::bind(&Config::parse_from(arguments)).await?;
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run_until(async { stopped.await.unwrap_or(()) }));
        Ok(Self { address, running: Some(Running { stop, ended }) })
    }

    /// A chat in another process.
    pub(crate) fn elsewhere(address: SocketAddr) -> Self {
        Self { address, running: None }
    }

    /// Stops it as SIGTERM does, and returns when it has ended.
    pub(crate) async fn stop(self) {
        let Running { stop, ended } = self.running.expect("it runs in this process");
        stop.send(()).expect("it runs");
        within(ended).await.expect("it does not panic").expect("it ends well");
    }

    pub(crate) async fn login(&self, email: &str) -> String {
        let body = json!({ "email": email }).to_string();
        let answer = self.request("POST", "/dev/login", &[], body.as_bytes()).await;
        answer.json()["accessToken"].as_str().expect("a token").to_owned()
    }

    /// A socket that gives its token in the subprotocol.
    pub(crate) async fn connect(&self, token: &str) -> Socket {
        self.try_connect("", Some(token)).await.expect("it may connect")
    }

    pub(crate) async fn try_connect(
        &self,
        query: &str,
        subprotocol_token: Option<&str>,
    ) -> Result<Socket, Error> {
        let mut request = format!("ws://{}/prod{query}", self.address).into_client_request()?;
        if let Some(token) = subprotocol_token {
            let offer = format!("chat.v1, {token}").parse().expect("a header value");
            request.headers_mut().insert("sec-websocket-protocol", offer);
        }
        let (stream, response) = within(tokio_tungstenite::connect_async(request)).await?;
        let chosen = response.headers().get("sec-websocket-protocol").cloned();
        assert_eq!(chosen.is_some_and(|chosen| chosen == "chat.v1"), subprotocol_token.is_some());
        Ok(Socket(stream))
    }

    /// Signs in and connects.
    pub(crate) async fn join(&self, email: &str) -> Socket {
        self.connect(&self.login(email).await).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.request("GET", path, &[("authorization", &format!("Bearer {token}"))], b"").await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        let headers = [("authorization", format!("Bearer {token}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.request("POST", path, &headers, body.to_string().as_bytes()).await
    }

    /// Uploads a PNG to show to `with`, and returns how a message names it.
    pub(crate) async fn upload_png(&self, token: &str, with: &str) -> Value {
        let png = include_bytes!("../../../chat-domain/tests/images/plain.png").as_slice();
        let mut facts = json!({ "contentType": "image/png", "size": png.len(), "width": 16, "height": 9 });
        let mut announced = facts.clone();
        announced["with"] = json!(with);
        let upload = self.post(token, "/chat/uploads", &announced).await.json();
        let headers: Vec<_> = upload["headers"].as_array().expect("headers").clone();
        let headers: Vec<_> = headers
            .iter()
            .map(|header| (header["name"].as_str().expect("text"), header["value"].as_str().expect("text")))
            .collect();
        let path = self.path_of(upload["url"].as_str().expect("a URL"));
        assert_eq!(self.request("PUT", path, &headers, png).await.status, 200);
        facts["key"] = upload["key"].clone();
        facts
    }

    /// What is at a URL of this server's.
    pub(crate) async fn fetch(&self, url: &str) -> Answer {
        self.request("GET", self.path_of(url), &[], b"").await
    }

    fn path_of<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&format!("http://{}", self.address)).expect("a URL of this server's")
    }

    /// One HTTP request over a connection of its own.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let (host, length) = (self.address.to_string(), body.len().to_string());
        let says = |name| headers.iter().any(|(header, _)| *header == name);
        let mut own = Vec::new();
        if !says("host") {
            own.push(("host", host.as_str()));
        }
        if !says("transfer-encoding") {
            own.push(("content-length", &length));
        }
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers.iter().chain(&own) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it reads the head");
        stream.write_all(body).await.expect("it reads the body");
        let mut answer = Vec::new();
        within(stream.read_to_end(&mut answer)).await.expect("it answers");
        Answer::parse(&answer)
    }
}

/// The program itself, killed when the test ends.
pub(crate) struct Program {
    child: Child,
    pub(crate) chat: Chat,
    /// Nobody writes to a pipe that nobody can read.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) async fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_logging(flags, environment, Stdio::inherit()).await
    }

    pub(crate) async fn start_logging(
        flags: &[&str],
        environment: &[(&str, &str)],
        logs: impl Into<Stdio>,
    ) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat-local"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(logs)
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let greeting = within(lines.next_line()).await.expect("its output").expect("a greeting");
        let address: SocketAddr =
            greeting.rsplit('/').next().and_then(|address| address.parse().ok()).expect("an address");
        Self { child, chat: Chat::elsewhere(address), _output: lines }
    }

    /// Ends the process as `kill -9` does, and waits until it has ended.
    pub(crate) async fn kill(mut self) {
        within(self.child.kill()).await.expect("it can be killed");
    }
}

/// An HTTP answer, whose body is whole: no longer in chunks.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of ASCII").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut body = bytes[end + 4..].to_vec();
        if head.contains("transfer-encoding: chunked") {
            body = unchunk(&body);
        }
        Self { status, head, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(line) = body.windows(2).position(|window| window == b"\r\n") {
        let digits = std::str::from_utf8(&body[..line]).expect("a length");
        let length = usize::from_str_radix(digits, 16).expect("a length");
        whole.extend_from_slice(&body[line + 2..line + 2 + length]);
        body = &body[line + 4 + length..];
    }
    whole
}

/// The same program four times: it acts as the function whose name it is told.
#[cfg(unix)]
pub(crate) fn functions() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["connect", "disconnect", "send", "history"] {
        let program = folder.path().join(name).join("bootstrap");
        std::fs::create_dir(program.parent().expect("its folder")).expect("a new folder");
        std::fs::write(&program, include_str!("bootstrap.py")).expect("a new file");
        std::fs::set_permissions(
            &program,
            <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755),
        )
        .expect("its owner may");
    }
    folder
}

/// One end of a WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.0.send(message).await.expect("the socket is open");
    }

    /// The next frame. The test fails if none comes in time, or if the socket closes first.
    pub(crate) async fn receive(&mut self) -> Value {
        match within(self.0.next()).await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("frames are JSON"),
            other => panic!("no frame but {other:?}"),
        }
    }

    /// Sends a frame and returns the next one, unless the server has gone.
    pub(crate) async fn try_ask(&mut self, frame: Value) -> Option<Value> {
        self.try_send(&frame).await?;
        within(self.try_receive()).await
    }

    /// Sends a frame, unless the server has gone.
    pub(crate) async fn try_send(&mut self, frame: &Value) -> Option<()> {
        self.0.send(Message::text(frame.to_string())).await.ok()
    }

    /// The next frame, unless the server has gone; for as long as that takes.
    pub(crate) async fn try_receive(&mut self) -> Option<Value> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).expect("frames are JSON")),
            _ => None,
        }
    }

    /// Sends a frame and returns the next one.
    pub(crate) async fn ask(&mut self, frame: Value) -> Value {
        self.send(frame).await;
        self.receive().await
    }

    /// Reads on until the server has closed, and returns with what. Reading past the close frame is what
    /// answers it.
    pub(crate) async fn closed(&mut self) -> Option<CloseFrame> {
        let mut closed = None;
        while let Some(Ok(message)) = within(self.0.next()).await {
            if let Message::Close(frame) = message {
                closed = frame;
            }
        }
        closed
    }
}

pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it happens within the deadline")
}

pub(crate) fn message(receiver: &str, text: &str) -> Value {
    json!({ "action": "sendMessage", "receiverEmail": receiver, "message": text })
}
