#![allow(dead_code, reason = "not every test binary needs all of it")]

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Serves as long as the runtime of the test lives.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

/// The status of the answer to a POST to `/`.
pub(crate) async fn post(address: SocketAddr, headers: &[(&str, &str)], body: &str) -> u16 {
    send("POST", &address.to_string(), "/", headers, body).await
}

/// The status of the answer to a PUT.
pub(crate) async fn put(url: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    send("PUT", host, &format!("/{path}"), headers, body).await
}

/// The answer to a PUT whose length nobody is told.
pub(crate) async fn put_chunked(url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    request("PUT", host, &format!("/{path}"), "transfer-encoding: chunked", headers, &chunks).await
}

/// A PUT whose body is awaited.
pub(crate) struct BegunPut(TcpStream);

/// Begins a PUT, up to where the server asks for its body.
pub(crate) async fn begin_put(url: &str, headers: &[(&str, &str)], length: usize) -> BegunPut {
    const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let waiting = format!("content-length: {length}\r\nexpect: 100-continue");
    let mut stream = ask("PUT", host, &format!("/{path}"), &waiting, headers, "").await;
    let mut answer = [0; GO_ON.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, GO_ON);
    BegunPut(stream)
}

impl BegunPut {
    /// The status of the answer, once there is a body.
    pub(crate) async fn go_on(mut self, body: &str) -> u16 {
        self.0.write_all(body.as_bytes()).await.unwrap();
        status(&read(self.0).await)
    }
}

/// The headers of the answer to a GET, by their names in lower case.
pub(crate) async fn get(url: &str) -> HashMap<String, String> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let answer = exchange("GET", host, &format!("/{path}"), &[], "").await;
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

/// The status of the answer to a GET.
pub(crate) async fn get_status(url: &str) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    send("GET", host, &format!("/{path}"), &[], "").await
}

async fn send(method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    status(&exchange(method, host, path, headers, body).await)
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

async fn exchange(method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let length = format!("content-length: {}", body.len());
    request(method, host, path, &length, headers, body).await
}

async fn request(
    method: &str,
    host: &str,
    path: &str,
    length: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    read(ask(method, host, path, length, headers, body).await).await
}

async fn ask(
    method: &str,
    host: &str,
    path: &str,
    length: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TcpStream {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{length}\r\n{headers}\r\n{body}"
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
