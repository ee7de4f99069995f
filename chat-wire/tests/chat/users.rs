//! Whoever runs the chat suspends a user, and an address belongs to the account that used it first.

use std::time::Duration;

use chat_domain::{
    ADMITTED_FOR, AccessChange, ChangeAccess, CutConnections, FirstContact, UserId, VerifiedIdentity,
};
use chat_wire::Settings;
use chat_wire::table::{ACTIONS, ROUTES};
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::hostile::every_field;
use crate::support::*;

async fn suspend(chat: &Chat) {
    let change = ChangeAccess::new(chat.ports.users.clone());
    change.execute(&MINJI.parse().unwrap(), &AccessChange::Suspend, chat.now()).await.unwrap();
}

/// What `chat-admin suspend` does.
async fn suspend_and_cut(chat: &Chat) {
    suspend(chat).await;
    let cut = CutConnections::new(chat.ports.connections.clone(), chat.ports.pusher.clone());
    cut.execute(&MINJI.parse().unwrap()).await.unwrap();
}

/// Asks for every route with this token, and checks that each refuses it.
async fn is_refused_everywhere(chat: &Chat, token: &str, code: &str) {
    for route in ROUTES {
        let mut call = chat.rest_call(route.method, route.resource);
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {token}"));
        chat.rest(call).await.assert_refused(403, code);
    }
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", token)]);
    let connection = chat_domain::ConnectionId::new(handshake.connection.as_str());
    chat.shake_hands(&handshake).await.assert_refused(403, code);
    assert_eq!(chat.ports.connections.get(&connection).await.unwrap(), None, "nothing is left");
}

#[tokio::test]
async fn a_suspended_user_is_refused_on_every_route() {
    let chat = Chat::new();
    let token = chat.token(MINJI);
    suspend(&chat).await;
    is_refused_everywhere(&chat, &token, "suspended").await;
    chat.history(JUNHO, MINJI).await;
}

#[tokio::test]
async fn what_a_process_remembers_of_a_user_ends_within_a_minute() {
    let chat = Chat::new();
    chat.history(MINJI, JUNHO).await;
    suspend_and_cut(&chat).await;
    chat.history(MINJI, JUNHO).await;
    chat.pass(ADMITTED_FOR.min(Duration::from_secs(59)));
    is_refused_everywhere(&chat, &chat.token(MINJI), "suspended").await;
}

#[tokio::test]
async fn no_frame_of_a_suspended_user_with_a_live_socket_is_taken() {
    for action in ACTIONS {
        let chat = Chat::new();
        let (mut minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
        junho.send(MINJI, "안녕").await;
        // A process that remembers who speaks there.
        minji.send(JUNHO, "응").await;
        junho.heard();
        minji.heard();
        suspend_and_cut(&chat).await;
        assert!(!minji.is_open());

        // The socket is open all the same, as far as the gateway knows.
        minji = chat.open(&minji.id);
        let frame = every_field(action.name, JUNHO, &json!(START), &json!(START), &chat.token(MINJI));
        assert_eq!(minji.say(&frame).await, None, "{}", action.name);
        let heard = minji.heard();
        assert_eq!(heard[0]["code"], "unknownConnection", "{}: {heard:?}", action.name);
        assert!(!minji.is_open(), "{}", action.name);
        assert_eq!(junho.heard(), Vec::<serde_json::Value>::new(), "{}", action.name);
        assert_eq!(chat.history(JUNHO, MINJI).await.len(), 2, "{}", action.name);
    }
}

#[tokio::test]
async fn another_account_does_not_get_the_conversations_of_an_address() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.send(JUNHO, "비밀").await;
    let other = UserId::new("who got the mailbox later");
    let identity = VerifiedIdentity::vouched(MINJI.parse().unwrap(), other, chat_domain::Timestamp::MAX);
    let token = chat.verifier.issue(identity, 7).expose().to_owned();
    is_refused_everywhere(&chat, &token, "notYours").await;
    let reauth = json!({ "action": "reauth", "token": token }).to_string();
    minji.refused(&reauth, "unauthorized", None).await;
    assert!(minji.is_open(), "nothing happens to whom it belongs");
}

/// One with the limits that it has by itself, in which everybody may write to everybody.
fn limited() -> Chat {
    let settings = Settings { first_contact: FirstContact::Open, ..Settings::default() };
    Chat::composed(|_| {}, settings)
}

#[tokio::test]
async fn the_hundred_and_first_room_of_a_day_is_refused() {
    let chat = limited();
    let minji = chat.connect(MINJI).await;
    for n in 0..100 {
        minji.send(&format!("junho+{n}@example.com"), "안녕하세요").await;
    }
    chat.pass(Duration::from_secs(60));
    let one_more = frame(json!({ "receiverEmail": JUNHO })).to_string();
    minji.refused(&one_more, "rateLimited", Some(ID)).await;
    assert_eq!(chat.history(JUNHO, MINJI).await.len(), 0);
    minji.send("junho+0@example.com", "또 저예요").await;
}

#[tokio::test]
async fn no_more_is_announced_in_a_day_than_may_be() {
    let chat = limited();
    let largest = json!({ "with": JUNHO, "size": 10 * 1024 * 1024 });
    for _ in 0..19 {
        assert_eq!(chat.post(MINJI, "/chat/uploads", &picture(largest.clone())).await.status, 200);
    }
    let refused = chat.post(MINJI, "/chat/uploads", &picture(largest.clone())).await;
    refused.assert_refused(429, "rateLimited");
    assert_eq!(chat.post(JUNHO, "/chat/uploads", &picture(json!({ "with": MINJI }))).await.status, 200);
}

#[tokio::test]
async fn the_fifty_first_report_of_a_day_is_refused() {
    let chat = limited();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = junho.send(MINJI, "사기꾼").await["timestamp"].clone();
    let report = json!({ "action": "report", "peerEmail": JUNHO, "timestamps": [at] });
    for _ in 0..50 {
        assert_eq!(minji.say(&report).await.unwrap()["type"], "reported");
    }
    minji.refused(&report.to_string(), "rateLimited", None).await;
    assert_eq!(chat.ports.reports.list(None).await.unwrap().reports.len(), 1);
}
