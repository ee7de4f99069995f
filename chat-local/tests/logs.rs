//! What the program logs when it is told to log everything.

#![cfg(all(unix, feature = "aws"))]

mod support;

use std::fs::{self, File};

use rstest::rstest;
use support::{Program, functions, message};

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";
const TEXT: &str = "a word that nobody else is to read";

#[rstest]
#[case::in_memory(&[], "INFO")]
#[case::on_disk(&["--data"], "TRACE")]
#[case::with_functions(&["--lambda"], "TRACE")]
#[tokio::test]
async fn no_token_and_no_text_is_logged_at_any_level(#[case] mode: &[&str], #[case] level: &str) {
    let (kept, functions) = (tempfile::tempdir().expect("a folder"), functions());
    let folder = if mode == ["--lambda"] { functions.path() } else { kept.path() };
    let folder = folder.to_str().expect("text");
    let flags: Vec<_> = mode.iter().flat_map(|&flag| [flag, folder]).collect();
    let log = kept.path().join("log");
    let environment = [("RUST_LOG", "trace"), ("PATH", &std::env::var("PATH").expect("a path"))];
    let program = Program::start_logging(&flags, &environment, File::create(&log).expect("a new file")).await;

    let chat = &program.chat;
    let (minji, junho) = (chat.login(MINJI).await, chat.login(JUNHO).await);
    let mut socket = chat.try_connect(&format!("?token={minji}"), None).await.expect("she may connect");
    let _other = if mode == ["--lambda"] { None } else { Some(chat.connect(&junho).await) };
    socket.ask(message(JUNHO, TEXT)).await;
    chat.get(&junho, &format!("/chat/history?with={MINJI}")).await;
    program.kill().await;

    let logged = fs::read(&log).expect("a log");
    let logged = String::from_utf8_lossy(&logged);
    assert!(logged.contains(level), "so much there is to log");
    for secret in [minji.as_str(), &junho, TEXT] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
