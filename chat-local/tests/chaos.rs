//! A gateway and a store that misbehave, and a client that keeps to the protocol all the same.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, hint, thread};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Chat, Socket};
use tokio::time::{sleep, timeout};

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

/// Longer than anything is late, on a busy machine too. Only what is lost is waited for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it takes until what was late has arrived.
const UNTIL_LATE: Duration = Duration::from_millis(2_500);
/// How long it takes until the server has noticed that a socket was closed.
const UNTIL_CLOSED: Duration = Duration::from_millis(100);

/// How a story goes on from message to message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Hurried,
    /// What is late arrives before the next one.
    Settled,
}

/// Waits for what the log has said since it was read so far.
async fn settle(log: &Path, read: &mut usize) {
    let text = fs::read_to_string(log).expect("it is written");
    let is_late = text[*read..].contains("late");
    *read = text.len();
    sleep(if is_late { UNTIL_LATE } else { UNTIL_CLOSED }).await;
}

/// Threads that do nothing, as fast as they can, until this is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn with(threads: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        Self(stop)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does what `docs/protocol.md` asks of a client that sends: the same id and `after` until it is answered.
struct Device<'a> {
    chat: &'a Chat,
    token: String,
    socket: Option<Socket>,
}

impl<'a> Device<'a> {
    async fn of(chat: &'a Chat, email: &str) -> Self {
        Self { chat, token: chat.login(email).await, socket: None }
    }

    async fn socket(&mut self) -> &mut Socket {
        while self.socket.is_none() {
            self.socket = self.chat.try_connect("", Some(&self.token)).await.ok();
        }
        self.socket.as_mut().expect("it was just opened")
    }

    /// What was answered to this message in one attempt.
    async fn attempt(&mut self, frame: &Value) -> Option<Value> {
        let socket = self.socket().await;
        socket.try_send(frame).await?;
        let answered = async {
            loop {
                let heard = socket.try_receive().await?;
                if heard["message"] == "Internal server error" {
                    return None;
                }
                if heard["clientMessageId"] == frame["clientMessageId"] && heard["type"] != "message" {
                    return Some(heard);
                }
            }
        };
        timeout(PATIENCE, answered).await.ok().flatten()
    }

    async fn send(&mut self, to: &str, number: u64) -> Value {
        let frame = json!({
            "action": "sendMessage", "receiverEmail": to, "message": number.to_string(),
            "clientMessageId": uuid::Uuid::from_u64_pair(7, number).to_string(),
            "after": "1970-01-01T00:00:00.000Z",
        });
        loop {
            match self.attempt(&frame).await {
                Some(answer) if answer["type"] == "sent" => return answer,
                Some(answer) => assert_eq!(answer["retryable"], true, "{answer}"),
                None => self.socket = None,
            }
        }
    }

    /// All there is, oldest first.
    async fn history(&self, with: &str) -> Vec<Value> {
        let (mut rows, mut after) = (Vec::new(), "1970-01-01T00:00:00.000Z".to_owned());
        loop {
            let answer =
                self.chat.get(&self.token, &format!("/chat/history?with={with}&after={after}")).await;
            if answer.status == 503 {
                continue;
            }
            let page = answer.json();
            rows.extend(page["messages"].as_array().expect("a page").clone());
            match page["nextAfter"].as_str() {
                Some(next) if page["hasMore"] == true => next.clone_into(&mut after),
                _ => return rows,
            }
        }
    }
}

/// Minji and Junho write `count` messages by turns under this chaos: what was written down meanwhile.
async fn story(chaos: String, count: u64, pace: Pace) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("chaos.log");
    let flags = ["--chaos", &chaos, "--chaos-log", log.to_str().expect("text")];
    let chat = Chat::start(&flags).await;
    let (mut minji, mut junho) = (Device::of(&chat, MINJI).await, Device::of(&chat, JUNHO).await);
    let (mut acks, mut read) = (Vec::new(), 0);
    for number in 0..count {
        let (device, to) = if number % 2 == 0 { (&mut minji, JUNHO) } else { (&mut junho, MINJI) };
        acks.push(device.send(to, number).await);
        if number % 5 == 4 {
            device.socket = None;
        }
        if pace == Pace::Settled {
            settle(&log, &mut read).await;
        }
    }
    let rows = minji.history(JUNHO).await;
    let numbers: Vec<_> = rows.iter().map(|row| row["message"].as_str().expect("text").to_owned()).collect();
    assert_eq!(numbers, (0..count).map(|number| number.to_string()).collect::<Vec<_>>(), "{chaos}");
    for (row, ack) in rows.iter().zip(&acks) {
        assert_eq!((&row["seq"], &row["timestamp"]), (&ack["seq"], &ack["timestamp"]), "{chaos}");
    }
    drop((minji, junho));
    chat.stop().await;
    fs::read_to_string(log).expect("it was written").lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_and_the_same_script_have_the_same_log_on_a_busy_machine() {
    let _busy = Busy::with(2);
    let mut logs = join_all(["7", "7", "8"].map(|chaos| story(chaos.to_owned(), 30, Pace::Settled))).await;
    for log in &mut logs {
        // When a process adds a user's requests to the user's row depends on the ids of requests, which no
        // seed decides. Whether that fails changes nothing else.
        log.retain(|line| !(line.contains("message #") && line.contains(" user #")));
        // What happens at the same time is written down in any order.
        log.sort();
    }
    assert!(logs[0].len() > 10, "{:?}", logs[0]);
    assert_eq!(logs[0], logs[1]);
    assert_ne!(logs[0], logs[2]);
}

#[tokio::test]
async fn every_fault_happens_and_nothing_is_lost_doubled_or_reordered() {
    // Seeds of which it is known that, together, they have every fault.
    let chaos = [
        "1:storm",
        "2:storm",
        "3:storm",
        "3:pushes",
        "7:pushes",
        "7:connections",
        "34:connections",
        "1:functions",
        "2:functions",
        "1:store",
        "2:store",
    ];
    let logs = join_all(chaos.map(|chaos| story(chaos.to_owned(), 24, Pace::Hurried))).await;
    let happened: BTreeSet<_> = logs.iter().flatten().map(|line| kind(line)).collect();
    let expected = [
        "$connect: killed",
        "$connect: late",
        "$disconnect: late",
        "$disconnect: lost",
        "$disconnect: twice",
        "commit: conflict",
        "commit: throttled",
        "commit: unavailable, done late",
        "commit: unavailable, done",
        "commit: unavailable, not done",
        "life: cut early",
        "list connection: late",
        "message: answer lost",
        "message: killed",
        "message: late",
        "message: twice",
        "push: gone",
        "push: late",
        "push: lost",
        "push: refused",
        "push: twice",
        "room: throttled",
        "room: unavailable",
    ];
    let missing: Vec<_> = expected.iter().filter(|kind| !happened.contains(**kind)).collect();
    assert!(missing.is_empty(), "{missing:?} did not happen: {happened:#?}");
}

/// `connection 1: message #2: commit #1: conflict` is a `commit: conflict`.
fn kind(line: &str) -> String {
    let (event, fault) = line.rsplit_once(": ").expect("an event, and what became of it");
    let event = event.rsplit(": ").next().expect("a name");
    format!("{}: {fault}", event.split(" #").next().expect("a name"))
}

#[tokio::test]
async fn without_a_seed_nothing_goes_wrong_and_a_log_alone_is_refused() {
    use clap::Parser;
    let refused = chat_local::Config::try_parse_from(["chat-local", "--chaos-log", "file"]);
    assert!(refused.unwrap_err().to_string().contains("--chaos"));
    let refused = chat_local::Config::try_parse_from(["chat-local", "--chaos", "7:rain"]);
    assert!(refused.unwrap_err().to_string().contains("profiles: calm, default, storm"));
}
