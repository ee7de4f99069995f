//! The server of one file holds a conversation: pushes, history, and a bot that answers.

use std::process::Stdio;
use std::time::Duration;

use chat_wire::frames::ServerFrame;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const DEADLINE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(host: &str, token: &str) -> Result<Socket, Error> {
    let mut request = format!("ws://{host}/prod").into_client_request()?;
    let offer = format!("chat.v1, {token}").parse().expect("a header");
    request.headers_mut().insert("sec-websocket-protocol", offer);
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
}

async fn next_frame(socket: &mut Socket) -> ServerFrame {
    loop {
        let frame = timeout(DEADLINE, socket.next()).await.expect("a frame comes in time");
        if let Message::Text(text) = frame.expect("the socket is open").expect("a frame") {
            return serde_json::from_str(&text).expect("a frame of the server");
        }
    }
}

/// What the server answers, head and body.
async fn get(host: &str, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_through_the_server_of_one_file() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_server"));
    server.arg("127.0.0.1:0").stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = server.spawn().expect("it starts");
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let mut line = async || timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().expect("a line");
    let first = line().await;
    let host = first.strip_prefix("The chat runs at http://").expect("an address").to_owned();
    let tokens = [line().await, line().await];
    let [minji, junho] = tokens.each_ref().map(|line| line.split_once(' ').expect("a token").1);

    let refused = connect(&host, "not a token").await.expect_err("nobody knows this token");
    assert!(matches!(&refused, Error::Http(answer) if answer.status() == 401), "{refused}");
    let mut phone = connect(&host, minji).await.expect("she may connect");
    let mut laptop = connect(&host, minji).await.expect("twice");
    let mut bot = Command::new(env!("CARGO_BIN_EXE_bot"));
    let mut bot =
        bot.args([&*host, "junho@example.com", junho]).kill_on_drop(true).spawn().expect("it starts");

    let hello = json!({ "action": "sendMessage", "receiverEmail": "junho@example.com", "message": "hello" });
    phone.send(Message::text(hello.to_string())).await.expect("it is open");
    let mut heard = Vec::new();
    while heard.len() < 3 {
        heard.push(match next_frame(&mut phone).await {
            ServerFrame::Sent(sent) => format!("sent {}", sent.seq),
            ServerFrame::Message(message) => message.message,
            ServerFrame::Read(read) => format!("read by {}", read.reader_email),
            frame => panic!("{frame:?}"),
        });
    }
    heard.sort();
    assert_eq!(heard, ["You wrote 5 characters.", "read by junho@example.com", "sent 1"]);
    let ServerFrame::Message(hello) = next_frame(&mut laptop).await else {
        panic!("her other device is told")
    };
    assert_eq!((hello.message.as_str(), hello.seq), ("hello", 1));

    let history = get(&host, "/chat/history?with=junho@example.com", minji).await;
    assert!(history.contains("You wrote 5 characters.") && history.contains("hello"), "{history}");
    assert!(get(&host, "/chat/conversations", "not a token").await.starts_with("HTTP/1.1 401"));

    bot.kill().await.expect("it runs");
    server.kill().await.expect("it runs");
}

#[test]
fn the_server_is_as_short_as_the_readme_says() {
    let lines = include_str!("../server.rs").lines().count();
    assert!(lines <= 120, "it has {lines} lines");
}
