use std::sync::Arc;

use chat_adapters_memory::MemoryUserStore;
use chat_domain::{
    AccessToken, CONNECTIONS_MAX, ChatError, Connect, ConnectCommand, Connection, ConnectionId,
    ConnectionStore, ConnectionStoreError, MockConnectionStore, MockIdentityVerifier, MockPusher,
    MockUserStore, SendRate, UserStore, VerifyError,
};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn the_connection_is_stored_before_it_is_admitted() {
    let chat = Chat::without_devices(SendRate::default());
    let expected = identity(&minji(), expiry());
    let token = chat.verifier.issue(expected.clone(), 1);

    let identity = chat.connect(MINJI_PHONE, &token, at(0)).await.unwrap();

    assert_eq!(identity, expected);
    let row = Connection { id: ConnectionId::new(MINJI_PHONE), identity, connected_at: at(0) };
    assert_eq!(chat.row(MINJI_PHONE).await, Some(row));
}

#[tokio::test]
async fn a_bad_token_stores_nothing() {
    let chat = Chat::without_devices(SendRate::default());
    let forged = AccessToken::new("forged");
    assert_refused!(chat.connect(MINJI_PHONE, &forged, at(0)).await, ChatError::Unauthorized { .. });
    assert_eq!(chat.row(MINJI_PHONE).await, None);
}

#[tokio::test]
async fn an_expired_token_stores_nothing() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), at(0)), 1);
    assert_refused!(chat.connect(MINJI_PHONE, &token, at(0)).await, ChatError::AuthExpired);
    assert_eq!(chat.row(MINJI_PHONE).await, None);
}

/// Opens as many tabs as a user may have, a second apart, oldest first.
async fn open_all_tabs(chat: &Chat, token: &AccessToken) -> Vec<String> {
    let mut tabs = Vec::new();
    for n in 0..CONNECTIONS_MAX {
        let tab = format!("tab-{n}");
        chat.connect(&tab, token, at(1_000 * n as i64)).await.unwrap();
        chat.open_socket(&tab);
        tabs.push(tab);
    }
    tabs
}

#[tokio::test]
async fn one_connection_too_many_closes_the_oldest() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    let tabs = open_all_tabs(&chat, &token).await;
    assert!(tabs.iter().all(|tab| chat.is_open(tab)), "twenty are not too many");

    chat.connect("one-more", &token, at(60_000)).await.unwrap();

    let open: Vec<_> = tabs.iter().map(|tab| chat.is_open(tab)).collect();
    assert!(!open[0] && open[1..].iter().all(|open| *open), "{open:?}");
    assert!(chat.row(&tabs[0]).await.is_some(), "its own disconnect deletes the row");
    assert!(chat.row("one-more").await.is_some());
}

#[tokio::test]
async fn the_row_of_the_oldest_goes_when_its_socket_is_gone_already() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    let tabs = open_all_tabs(&chat, &token).await;
    chat.vanish(&tabs[0]);
    chat.connect("one-more", &token, at(60_000)).await.unwrap();
    assert_eq!(chat.row(&tabs[0]).await, None);
    assert!(tabs[1..].iter().all(|tab| chat.is_open(tab)));
}

#[tokio::test]
async fn what_a_wrong_clock_has_dated_ahead_takes_no_places() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    // Their sockets never open.
    for n in 0..CONNECTIONS_MAX {
        chat.connect(&format!("ahead-{n}"), &token, at(120_000 + n as i64)).await.unwrap();
    }

    for (second, device) in [MINJI_PHONE, MINJI_LAPTOP].into_iter().enumerate() {
        chat.connect(device, &token, at(1_000 * second as i64)).await.unwrap();
        chat.open_socket(device);
    }
    assert!(chat.is_open(MINJI_PHONE) && chat.is_open(MINJI_LAPTOP));
}

#[tokio::test]
async fn of_two_that_connect_in_one_millisecond_both_count() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    let tabs = open_all_tabs(&chat, &token).await;
    chat.connect("z", &token, at(60_000)).await.unwrap();
    chat.connect("a", &token, at(60_000)).await.unwrap();
    let open: Vec<_> = tabs.iter().map(|tab| chat.is_open(tab)).collect();
    assert!(!open[0] && !open[1] && open[2..].iter().all(|open| *open), "{open:?}");
}

#[tokio::test]
async fn of_many_that_are_too_many_each_connect_closes_four() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    let tabs = open_all_tabs(&chat, &token).await;
    // None of these sees the others: each came before them.
    for n in 0..10 {
        chat.connect(&format!("early-{n}"), &token, at(-1_000 * (n + 1))).await.unwrap();
    }
    let rows = async || chat.connections.stored.of_user(&minji(), at(0)).await.unwrap().len();
    assert_eq!(rows().await, CONNECTIONS_MAX + 10);
    chat.connect("one-more", &token, at(60_000)).await.unwrap();
    assert_eq!(rows().await, CONNECTIONS_MAX + 10 + 1 - 4);
    assert!(tabs.iter().all(|tab| chat.is_open(tab)), "the early ones were older");
}

#[tokio::test]
async fn another_users_connections_do_not_count() {
    let chat = Chat::without_devices(SendRate::default());
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    let tabs = open_all_tabs(&chat, &token).await;
    let junhos = chat.verifier.issue(identity(&junho(), expiry()), 2);
    chat.connect(JUNHO_PHONE, &junhos, at(60_000)).await.unwrap();
    assert!(tabs.iter().all(|tab| chat.is_open(tab)));
}

fn command() -> ConnectCommand {
    let connection = ConnectionId::new(MINJI_PHONE);
    ConnectCommand { connection, token: AccessToken::new("token"), connected_at: at(0), now: at(0) }
}

fn over(
    verifier: MockIdentityVerifier,
    users: impl UserStore + 'static,
    connections: MockConnectionStore,
) -> Connect {
    let (users, connections) = (Arc::new(users), Arc::new(connections));
    Connect::new(Arc::new(verifier), users, connections, Arc::new(MockPusher::new()))
}

fn anybody() -> MockIdentityVerifier {
    let mut verifier = MockIdentityVerifier::new();
    verifier.expect_verify().returning(|_, _| Ok(identity(&minji(), expiry())));
    verifier
}

#[tokio::test]
async fn a_verifier_that_does_not_answer_admits_nobody() {
    let mut verifier = MockIdentityVerifier::new();
    verifier.expect_verify().returning(|_, _| Err(VerifyError::Unavailable { source: "timed out".into() }));
    let untouched = MockConnectionStore::new();
    let connect = over(verifier, MockUserStore::new(), untouched);
    assert_refused!(connect.execute(command()).await, ChatError::Unavailable { .. });
}

#[tokio::test]
async fn a_connection_that_cannot_be_stored_is_not_admitted() {
    let mut connections = MockConnectionStore::new();
    connections.expect_put().returning(|_| Err(ConnectionStoreError::Throttled { operation: "put" }));
    let connect = over(anybody(), MemoryUserStore::new(), connections);
    assert_refused!(connect.execute(command()).await, ChatError::Unavailable { .. });
}

#[tokio::test]
async fn a_list_that_cannot_be_had_does_not_refuse() {
    let mut connections = MockConnectionStore::new();
    connections.expect_put().times(1).returning(|_| Ok(()));
    connections
        .expect_of_user()
        .times(1)
        .returning(|_, _| Err(ConnectionStoreError::Throttled { operation: "of_user" }));
    let connect = over(anybody(), MemoryUserStore::new(), connections);
    assert_eq!(connect.execute(command()).await.unwrap(), identity(&minji(), expiry()));
}
