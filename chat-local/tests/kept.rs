//! What is kept outlives the process, however it ends.

#![cfg(all(unix, feature = "aws"))]

mod support;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_local::DynamoDb;
use serde_json::{Value, json};
use support::{Chat, Program, message, within};
use tempfile::TempDir;
use tokio::process::Command;

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text").to_owned();
    (folder, path)
}

/// Every message between somebody and Junho, by its timestamp.
async fn history(chat: &Chat, of: &str) -> HashMap<String, Value> {
    let token = chat.login(of).await;
    let mut found = HashMap::new();
    let mut after = "1970-01-01T00:00:00.000Z".to_owned();
    loop {
        let page = chat.get(&token, &format!("/chat/history?with={JUNHO}&after={after}")).await.json();
        for row in page["messages"].as_array().expect("messages") {
            found.insert(row["timestamp"].as_str().expect("a timestamp").to_owned(), row.clone());
        }
        if page["hasMore"] != true {
            return found;
        }
        after = page["nextAfter"].as_str().expect("a cursor").to_owned();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_in_the_middle_of_sending() {
    const ROOMS: usize = 4;
    let (_folder, path) = folder();
    // Nobody answers.
    let rates = "--first-contact open --send-burst 100000 --send-per-second 100000 --request-burst 100000";
    let flags: Vec<_> = ["--data", &path].into_iter().chain(rates.split(' ')).collect();
    let program = Program::start(&flags, &[]).await;
    let sender = |room: usize| format!("minji+{room}@example.com");

    let (acks, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    for room in 0..ROOMS {
        let (mut socket, acks) = (program.chat.join(&sender(room)).await, acks.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let text = format!("{room}: {number}");
                let Some(answer) = socket.try_ask(message(JUNHO, &text)).await else { return };
                assert_eq!(answer["type"], "sent", "{answer}");
                acks.send((room, text, answer)).expect("the test listens");
            }
        });
    }
    drop(acks);
    let mut acked = Vec::new();
    while acked.len() < 60 {
        acked.push(within(acknowledged.recv()).await.expect("it goes on sending"));
    }
    program.kill().await;
    // Acknowledged before the end, read after it.
    while let Some(ack) = within(acknowledged.recv()).await {
        acked.push(ack);
    }

    let program = Program::start(&flags, &[]).await;
    for room in 0..ROOMS {
        let rows = history(&program.chat, &sender(room)).await;
        for (_, text, ack) in acked.iter().filter(|(of, ..)| *of == room) {
            let row = &rows[ack["timestamp"].as_str().expect("a timestamp")];
            assert_eq!((&row["message"], &row["seq"]), (&json!(text), &ack["seq"]));
        }
        let mut numbers: Vec<_> = rows.values().map(|row| row["seq"].as_u64().expect("a number")).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(1..=rows.len() as u64), "no hole, nothing doubled: {numbers:?}");
    }
    program.kill().await;
}

#[tokio::test]
async fn messages_marks_and_images_are_there_after_a_restart() {
    let (_folder, path) = folder();
    let chat = Chat::start(&["--data", &path]).await;
    let (mut minji, mut junho) = (chat.join(MINJI).await, chat.join(JUNHO).await);
    let sent = minji.ask(message(JUNHO, "안녕하세요")).await;
    assert_eq!(junho.receive().await["type"], "message");
    let accept = json!({ "action": "accept", "peerEmail": MINJI });
    assert_eq!(junho.ask(accept).await["type"], "accept");
    let read = json!({ "action": "markRead", "peerEmail": MINJI, "upTo": sent["timestamp"] });
    assert_eq!(junho.ask(read).await["type"], "read");
    assert_eq!(minji.receive().await["type"], "read");
    let mut shown = message(JUNHO, "");
    shown["attachment"] = chat.upload_png(&chat.login(MINJI).await, JUNHO).await;
    assert_eq!(minji.ask(shown.clone()).await["type"], "sent");
    let image = shown["attachment"]["key"].as_str().expect("a key");
    drop((minji, junho));
    chat.stop().await;

    let chat = Chat::start(&["--data", &path]).await;
    let rows = history(&chat, MINJI).await;
    let row = &rows[sent["timestamp"].as_str().expect("a timestamp")];
    assert_eq!((&row["message"], &row["read"]), (&json!("안녕하세요"), &json!(true)));
    let token = chat.login(JUNHO).await;
    let url = chat.get(&token, &format!("/chat/attachments/{image}")).await.json();
    let download = chat.fetch(url["url"].as_str().expect("a URL")).await;
    assert_eq!(download.status, 200);
    assert!(download.head.contains("content-type: image/png"), "{}", download.head);
    assert!(download.head.contains("x-content-type-options: nosniff"), "{}", download.head);
    assert!(download.head.contains("content-disposition: attachment"), "{}", download.head);
    chat.stop().await;
}

#[tokio::test]
async fn a_folder_belongs_to_one_process_at_a_time() {
    let (_folder, path) = folder();
    let chat = Chat::start(&["--data", &path]).await;
    let refused = Chat::try_start(&["--data", &path]).await.err().expect("it is taken");
    assert!(refused.to_string().contains("another process uses it"), "{refused}");
    chat.stop().await;
    Chat::start(&["--data", &path]).await.stop().await;
}

/// A DynamoDB of this test's own, and what tells the program of it.
async fn endpoint() -> [(&'static str, String); 4] {
    let dynamodb = DynamoDb::in_memory().expect("memory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, dynamodb.router()).into_future());
    [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        ("AWS_REGION", "ap-northeast-2".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]
}

#[tokio::test]
async fn messages_are_kept_by_the_endpoint_that_the_environment_names() {
    let environment = endpoint().await;
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let flags = ["--store", "dynamodb", "--table-prefix", "test-"];

    let program = Program::start(&flags, &environment).await;
    let sent = program.chat.join(MINJI).await.ask(message(JUNHO, "hi")).await;
    assert_eq!(sent["type"], "sent", "{sent}");
    program.kill().await;

    let program = Program::start(&flags, &environment).await;
    assert_eq!(history(&program.chat, MINJI).await.len(), 1);
    program.kill().await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_named_is_asked_for() {
    let output = Command::new(env!("CARGO_BIN_EXE_chat-local"))
        .args(["--listen", "127.0.0.1:0", "--store", "dynamodb"])
        .env_clear()
        .output();
    let output =
        tokio::time::timeout(Duration::from_secs(10), output).await.expect("it ends").expect("it starts");
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains("AWS_REGION is not set"), "{text}");
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_by_the_next() {
    let environment = endpoint().await;
    let (temporary, path) = folder();
    let mut environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push(("TMPDIR", &path));
    let start = async || Program::start(&["--store", "dynamodb"], &environment).await;
    let folders = || -> Vec<_> {
        let entries = std::fs::read_dir(temporary.path()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    // As if it had been there for a while: a new one may not have its lock yet.
    let grow_old = |folder: &Path| {
        let lock = std::fs::File::options().append(true).open(folder.join("lock")).expect("a lock");
        lock.set_modified(SystemTime::now() - Duration::from_secs(600)).expect("its owner may");
    };

    let killed = start().await;
    let [left_behind] = folders().try_into().expect("one folder");
    killed.kill().await;
    grow_old(&left_behind);
    let alive = start().await;
    let [in_use] = folders().try_into().expect("the other one is gone");
    assert_ne!(in_use, left_behind);

    grow_old(&in_use);
    let another = start().await;
    assert!(in_use.exists() && folders().len() == 2);
    alive.kill().await;
    another.kill().await;
}
