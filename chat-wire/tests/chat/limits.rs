//! What one user may do of everything together.

use std::sync::Arc;
use std::time::Duration;

use chat_domain::testing::{
    ConnectionStoreCall, DecoratedConnectionStore, DecoratedUserStore, Port as _, UserStoreCall,
};
use chat_domain::{
    BYTES_OF_A_REQUEST, CONNECTIONS_MAX, ConnectionStore, IMAGE_MAX_BYTES, MockUserStore, PUSHES_MAX,
    RequestRate, UserStore, UserStoreError,
};
use chat_wire::{Ports, Settings};
use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use tokio::task::yield_now;

use crate::support::*;

fn burst() -> u32 {
    RequestRate::default().burst.get()
}

#[tokio::test]
async fn frames_of_every_kind_count_and_none_is_read_beyond_the_burst() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let kinds = [
        json!({ "action": "ping" }).to_string(),
        json!({ "action": "typing", "receiverEmail": JUNHO }).to_string(),
        json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": START }).to_string(),
        json!({ "action": "reauth", "token": "forged" }).to_string(),
        json!({ "action": "sendMessage", "receiverEmail": "nobody", "message": "안녕" }).to_string(),
        json!({ "action": "dance" }).to_string(),
    ];
    for n in 0..burst() as usize {
        minji.say_text(&kinds[n % kinds.len()]).await;
    }
    for kind in &kinds {
        minji.refused(kind, "rateLimited", None).await;
    }
    minji.refused(&frame(json!({})).to_string(), "rateLimited", Some(ID)).await;
    chat.pass(Duration::from_secs(10));
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 0);
    assert_eq!(minji.say_text(&kinds[0]).await.unwrap()["type"], "pong");
}

#[tokio::test]
async fn text_without_sense_counts() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for _ in 0..burst() {
        minji.refused("{", "badRequest", None).await;
    }
    minji.refused("{", "rateLimited", None).await;
}

#[tokio::test]
async fn all_connections_of_a_user_share_and_nobody_else_is_held_up() {
    let chat = Chat::new();
    let (phone, laptop) = (chat.connect(MINJI).await, chat.connect(MINJI).await);
    let ping = json!({ "action": "ping" }).to_string();
    for device in [&phone, &laptop] {
        device.say_text(&ping).await;
    }
    for _ in 0..burst() {
        phone.say_text(&ping).await;
    }
    laptop.refused(&ping, "rateLimited", None).await;
    let junho = chat.connect(JUNHO).await;
    assert_eq!(junho.say_text(&ping).await.unwrap()["type"], "pong");
}

#[tokio::test]
async fn whoever_connects_anew_does_not_begin_anew() {
    let chat = Chat::new();
    let ping = json!({ "action": "ping" }).to_string();
    let phone = chat.connect(MINJI).await;
    for _ in 0..burst() {
        phone.say_text(&ping).await;
    }
    for _ in 0..5 {
        let another = chat.connect(MINJI).await;
        another.refused(&ping, "rateLimited", None).await;
        another.refused(&frame(json!({})).to_string(), "rateLimited", Some(ID)).await;
    }
}

#[tokio::test]
async fn a_report_counts_for_each_of_its_messages() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let report = |seconds: std::ops::Range<u32>| {
        let timestamps: Vec<_> = seconds.map(|at| format!("2026-11-23T09:00:{at:02}.000Z")).collect();
        json!({ "action": "report", "peerEmail": JUNHO, "timestamps": timestamps }).to_string()
    };
    for _ in 0..burst() / 21 {
        minji.refused(&report(0..20), "notFound", None).await;
    }
    let left = burst() % 21;
    minji.refused(&report(0..left), "rateLimited", None).await;
}

#[tokio::test]
async fn a_connection_that_goes_on_is_closed() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "안녕").await;
    junho.heard();
    let typing = json!({ "action": "typing", "receiverEmail": JUNHO }).to_string();
    for _ in 1..2 * burst() {
        minji.say_text(&typing).await;
    }
    assert!(minji.is_open(), "refusals alone close nothing");
    let mut unanswered = 0;
    for _ in 0..10_000 {
        // Once it is too much for the hour, the connection is forgotten. Then nobody knows any more whose it
        // is, and a burst of its own is looked up in vain before it is refused.
        match minji.say_text(&typing).await {
            Some(answer) => assert_eq!(answer["code"], "rateLimited"),
            None => unanswered += 1,
        }
    }
    assert!(!minji.is_open() && (1..=burst()).contains(&unanswered), "{unanswered}");
    let counted = chat.server.frames.counts().take();
    assert_eq!((chat.server.connect.counts().take().connects, counted.closes > 9_000), (2, true));
    assert_eq!(junho.heard().len() as u32, burst() - 1, "beyond the burst nobody hears anything of it");
}

#[tokio::test]
async fn calls_of_rest_are_counted_too() {
    let chat = Chat::new();
    for _ in 0..burst() {
        chat.history(MINJI, JUNHO).await;
    }
    let answer = chat.get(MINJI, "/chat/conversations", &[]).await;
    assert_eq!((answer.status, &answer.body["code"]), (429, &json!("rateLimited")));
    let announced = chat.post(MINJI, "/chat/uploads", &picture(json!({ "with": JUNHO }))).await;
    assert_eq!(announced.status, 429);
    assert_eq!(
        chat.history(JUNHO, MINJI).await,
        Vec::<serde_json::Value>::new(),
        "another user is not held up"
    );
    let anonymous = chat.rest(chat.rest_call(Method::GET, "/chat/history")).await;
    assert_eq!(anonymous.status, 401, "who is not verified is counted by nobody");
}

/// Fifty messages that JSON doubles are some 850 KB, and their page counts for two.
#[tokio::test]
async fn an_answer_of_more_than_half_a_megabyte_counts_for_each_half() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for _ in 0..50 {
        minji.send(JUNHO, &"\"".repeat(8_192)).await;
        chat.pass(Duration::from_secs(1));
    }
    let page = chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await;
    assert!((1..2).contains(&(page.body.to_string().len() / BYTES_OF_A_REQUEST as usize)));
    for _ in 1..burst() / 2 {
        assert_eq!(chat.history(JUNHO, MINJI).await.len(), 50);
    }
    let refused = chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await;
    refused.assert_refused(429, "rateLimited");
}

/// Other processes of the same functions.
fn processes(chat: &Chat, count: usize) -> Vec<chat_wire::Chat> {
    (0..count).map(|_| chat_wire::Chat::new(&chat.ports, &Settings::default())).collect()
}

/// Counting in hundreds misses some, and counts some twice as often.
const OUT_BY: u32 = 1_000;

#[tokio::test]
async fn an_hour_is_counted_for_all_processes_together() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let processes = processes(&chat, 50);
    let ping = json!({ "action": "ping" }).to_string();
    let mut answered = 0;
    while minji.is_open() {
        for process in &processes {
            let answer = process.frames.answer(&chat.frame_on(&minji.id, &ping).request()).await;
            answered += u32::from(answer.is_some_and(|answer| answer.contains("pong")));
        }
        assert!(answered < 2 * RequestRate::default().per_hour.get(), "nothing bounds it");
    }
    let per_hour = RequestRate::default().per_hour.get();
    assert!(answered.abs_diff(per_hour) < OUT_BY, "{answered}");

    // Nobody takes anything of hers until the hour is over.
    for process in &processes {
        let answer = process.frames.answer(&chat.frame_on(&minji.id, &ping).request()).await;
        assert_eq!(answer, None);
    }
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    chat.shake_hands(&handshake).await.assert_refused(429, "rateLimited");
    let listed = chat.get(MINJI, "/chat/conversations", &[]).await;
    listed.assert_refused(429, "rateLimited");
    chat.connect(JUNHO).await.send(MINJI, "안녕").await;

    chat.pass(Duration::from_secs(3_600));
    chat.connect(MINJI).await.send(JUNHO, "안녕").await;
}

#[tokio::test]
async fn calls_of_rest_in_an_hour_are_counted_for_all_processes_together() {
    let chat = Chat::new();
    let processes = processes(&chat, 50);
    let list = async |process: &chat_wire::Chat| {
        let status = chat.status_of(process, MINJI, chat.rest_call(Method::GET, "/chat/blocked")).await;
        status.as_u16()
    };
    let (mut answered, mut refused) = (0_u32, 0_u32);
    while refused < 100 {
        for process in &processes {
            match list(process).await {
                200 => answered += 1,
                429 => refused += 1,
                status => panic!("{status}"),
            }
        }
    }
    let per_hour = RequestRate::default().per_hour.get();
    assert!(answered.abs_diff(per_hour) < OUT_BY, "{answered}");
    for process in &processes {
        for _ in 0..3 {
            list(process).await;
        }
        assert_eq!(list(process).await, 429, "no process admits her for more than three calls");
    }
}

#[tokio::test]
async fn nobody_is_refused_because_they_cannot_be_counted() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let mut ports = chat.ports.clone();
    let mut away = MockUserStore::new();
    away.expect_get().returning(|_| Err(UserStoreError::Throttled { operation: "get" }));
    ports.users = Arc::new(away);
    let process = chat_wire::Chat::new(&ports, &Settings::default());
    let ping = json!({ "action": "ping" }).to_string();
    for _ in 0..burst() {
        let answer = process.frames.answer(&chat.frame_on(&minji.id, &ping).request()).await;
        assert!(answer.is_some_and(|answer| answer.contains("pong")));
    }
}

/// A store in which everybody reads a row before anybody writes it.
fn reading_first(store: Arc<dyn UserStore>) -> DecoratedUserStore {
    DecoratedUserStore::new(store, |call, next| {
        let is_get = matches!(call, UserStoreCall::Get { .. });
        let reply = next.call(call);
        Box::pin(async move {
            let reply = reply.await;
            if is_get {
                yield_now().await;
            }
            reply
        })
    })
}

/// Volleys to as many processes as the gateway starts, for the largest images: what they are worth is counted
/// before there is a URL, whoever else counts at the same moment.
#[tokio::test]
async fn no_more_images_are_opened_in_an_hour_than_its_requests_are_worth() {
    let chat = Chat::with_ports(|ports| ports.users = Arc::new(reading_first(ports.users.clone())));
    let largest = chat.announce_as(MINJI, JUNHO, json!({ "size": IMAGE_MAX_BYTES })).await;
    let photo = chat.announce_as(MINJI, JUNHO, json!({ "size": 400_000 })).await;
    let processes = processes(&chat, 500);
    let open = async |process: &chat_wire::Chat, announced: &serde_json::Value| {
        let key = announced["attachment"]["key"].as_str().unwrap();
        let mut call = chat.rest_call(Method::GET, "/chat/attachments/{key}");
        call.path_parameters.insert("key".to_owned(), key.to_owned());
        chat.status_of(process, MINJI, call).await.as_u16()
    };
    let mut opened = 0;
    for _ in 0..100 {
        let volley = join_all(processes.iter().map(|process| open(process, &largest))).await;
        opened += volley.iter().filter(|status| **status == 200).count();
        assert!(volley.iter().all(|status| [200, 429, 503].contains(status)), "{volley:?}");
        if volley.iter().all(|status| *status == 429) {
            break;
        }
    }
    let per_hour = RequestRate::default().per_hour.get() as usize;
    assert!(opened > 0 && opened * 19 <= per_hour, "{opened}");
    assert_eq!(open(&processes[0], &photo).await, 200, "who is refused a large one goes on");
    chat.pass(Duration::from_secs(3_600));
    assert_eq!(open(&processes[0], &largest).await, 200);
}

/// A store in which whoever connects waits, once stored, until all others are stored as well.
fn in_step(store: Arc<dyn ConnectionStore>) -> DecoratedConnectionStore {
    DecoratedConnectionStore::new(store, |call, next| {
        let is_put = matches!(call, ConnectionStoreCall::Put { .. });
        let reply = next.call(call);
        Box::pin(async move {
            let reply = reply.await;
            if is_put {
                yield_now().await;
            }
            reply
        })
    })
}

/// Each of the six hundred reads a list that has all the others, so none can tell which came last.
#[tokio::test]
async fn of_six_hundred_connects_at_once_no_event_reaches_more_than_twenty_and_twenty_are_left() {
    let replace = |ports: &mut Ports| ports.connections = Arc::new(in_step(ports.connections.clone()));
    let chat = Chat::with_ports(replace);
    let minji = chat.connect(MINJI).await;
    let mut junho = join_all((0..600).map(|_| chat.connect(JUNHO))).await;

    // One `$connect` closes four at most, and every one the same four. Then each message closes twenty.
    let messages = (600 - CONNECTIONS_MAX).div_ceil(CONNECTIONS_MAX);
    for number in 0..=messages {
        for closed in junho.iter().filter(|socket| socket.is_closed()) {
            closed.disconnect().await;
        }
        junho.retain(Socket::is_open);
        let open = junho.len();
        minji.send(JUNHO, &number.to_string()).await;
        let heard: usize = junho.iter_mut().map(|socket| socket.heard().len()).sum();
        assert!((1..=PUSHES_MAX).contains(&heard), "message {number} reaches {heard}");
        let closed = junho.iter().filter(|socket| socket.is_closed()).count();
        assert_eq!(closed, (open - CONNECTIONS_MAX).min(CONNECTIONS_MAX), "message {number}");
        chat.pass(Duration::from_secs(1));
    }
    assert_eq!(junho.len(), CONNECTIONS_MAX);
}
