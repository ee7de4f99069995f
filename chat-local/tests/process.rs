//! The program, as an operating system meets it.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio_tungstenite::tungstenite::{self, Message};

struct Program(Child);

/// A test that fails must not leave a server behind.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn chat_local(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-local"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn it_says_where_it_is_and_ends_well_when_asked_to() {
    let mut program = Program(chat_local(&["--listen", "127.0.0.1:0"]).spawn().expect("it starts"));
    let lines = BufReader::new(program.0.stdout.take().expect("its output")).lines();
    let greeting: Vec<String> = lines.take(5).map(|line| line.expect("a line")).collect();
    let url = greeting[0].rsplit(' ').next().expect("a URL").to_owned();
    let text = greeting.join("\n");
    assert!(text.contains("minji@example.com") && text.contains("junho@example.com"), "{text}");

    // Without a token: the refusal shows that somebody is there.
    let refused = tungstenite::connect(format!("{}/prod", url.replace("http", "ws")));
    assert!(matches!(refused, Err(tungstenite::Error::Http(response)) if response.status() == 401));

    let mut socket =
        tungstenite::connect(format!("{}/prod?token={}", url.replace("http", "ws"), token(&url)))
            .expect("it may connect")
            .0;
    terminate(&program.0);
    let closed = loop {
        if let Message::Close(frame) = socket.read().expect("it closes in an orderly way") {
            break frame;
        }
    };
    assert_eq!(closed.map(|frame| u16::from(frame.code)), Some(1001));
    // The close is answered by reading on.
    while socket.read().is_ok() {}
    let status = program.0.wait().expect("it ends");
    assert!(status.success(), "{status}");
}

#[rstest::rstest]
#[case::not_loopback(&["--listen", "0.0.0.0:8080"], "not a loopback address")]
#[case::no_address(&["--listen", "here"], "an address and a port")]
#[case::no_burst(&["--send-burst", "0"], "--send-burst")]
#[case::unknown_store(&["--store", "paper"], "memory")]
fn a_bad_flag_is_named(#[case] arguments: &[&str], #[case] hint: &str) {
    let output = chat_local(arguments).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains(hint), "{text}");
}

#[test]
fn help_names_every_flag_and_its_variable() {
    let output = chat_local(&["--help"]).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    for (flag, variable) in [
        ("listen", "CHAT_LISTEN"),
        ("store", "CHAT_STORE"),
        ("web", "CHAT_WEB"),
        ("send-burst", "SEND_BURST"),
        ("send-per-second", "SEND_PER_SECOND"),
        ("request-burst", "REQUEST_BURST"),
        ("requests-per-second", "REQUESTS_PER_SECOND"),
        ("first-contact", "FIRST_CONTACT"),
        ("own-kinds", "OWN_KINDS"),
        ("login-seconds", "CHAT_LOGIN_SECONDS"),
    ] {
        assert!(
            text.contains(&format!("--{flag}")) && text.contains(&format!("[env: {variable}")),
            "{flag}: {text}"
        );
    }
}

#[test]
fn a_taken_port_is_said_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = chat_local(&["--listen", &address]).output().expect("it starts");
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains(&address), "{text}");
}

fn token(url: &str) -> String {
    use std::io::{Read, Write};
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout is fine");
    let body = r#"{"email":"minji@example.com"}"#;
    write!(
        stream,
        "POST /dev/login HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let json = answer.split("\r\n\r\n").nth(1).expect("a body");
    let answer: serde_json::Value = serde_json::from_str(json).expect("JSON");
    answer["accessToken"].as_str().expect("a token").to_owned()
}

fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(status.expect("kill is there").success());
}
