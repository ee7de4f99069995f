//! `$connect`: who is let in.

use std::time::Duration;

use chat_wire::Settings;
use http::header::{ORIGIN as ORIGIN_HEADER, SEC_WEBSOCKET_PROTOCOL};
use rstest::rstest;

use crate::support::{Chat, JUNHO, MINJI, ORIGIN, assert_error, query, set};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_seeds_query_token_opens_a_socket() {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    let answer = chat.shake_hands(&handshake).await;
    assert_eq!((answer.status, answer.has_body), (200, false));
    assert_eq!(answer.header("sec-websocket-protocol"), None, "nothing was offered");
}

#[rstest]
#[case::after_ours("chat.v1, TOKEN")]
#[case::without_spaces("chat.v1,TOKEN")]
#[case::among_others("graphql-ws, chat.v1, TOKEN")]
#[tokio::test]
async fn a_token_behind_the_subprotocol_opens_a_socket_and_selects_it(#[case] offer: &str) {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    set(&mut handshake.headers, SEC_WEBSOCKET_PROTOCOL, &offer.replace("TOKEN", &chat.token(MINJI)));
    let answer = chat.shake_hands(&handshake).await;
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (200, Some("chat.v1")));
}

#[rstest]
#[case::ours_alone("chat.v1", Some("chat.v1"))]
#[case::another("graphql-ws", None)]
#[tokio::test]
async fn the_subprotocol_is_selected_only_when_it_was_offered(
    #[case] offer: &str,
    #[case] selected: Option<&str>,
) {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    set(&mut handshake.headers, SEC_WEBSOCKET_PROTOCOL, offer);
    let answer = chat.shake_hands(&handshake).await;
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (200, selected));
}

#[rstest]
#[case::missing(None, 401, "unauthorized")]
#[case::empty(Some(""), 401, "unauthorized")]
#[case::made_up(Some("let-me-in"), 401, "unauthorized")]
#[case::not_ascii(Some("토큰"), 401, "unauthorized")]
#[tokio::test]
async fn without_a_good_token_there_is_no_socket(
    #[case] token: Option<&str>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    if let Some(token) = token {
        handshake.query = query(&[("token", token)]);
    }
    let id = handshake.connection.clone();
    let answer = chat.shake_hands(&handshake).await;
    answer.assert_refused(status, code);
    let connections = chat.ports.connections.get(&chat_domain::ConnectionId::new(id)).await.unwrap();
    assert_eq!(connections, None, "nothing was stored");
}

#[tokio::test]
async fn an_expired_token_says_that_it_has_expired() {
    let chat = Chat::new();
    let token = chat.token_for(MINJI, HOUR);
    chat.pass(HOUR);
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &token)]);
    let request = handshake.request_id.clone();
    let answer = chat.shake_hands(&handshake).await;
    assert_eq!(answer.status, 401);
    assert_error(&answer.body, "authExpired", &request, None);
}

#[rstest]
#[case::no_page(None, 200)]
#[case::our_page(Some(ORIGIN), 200)]
#[case::another_page(Some("https://evil.example.com"), 403)]
#[case::ours_by_http(Some("http://chat.example.com"), 403)]
#[case::a_longer_name(Some("https://chat.example.com.evil.org"), 403)]
#[case::opaque(Some("null"), 403)]
#[tokio::test]
async fn a_page_of_another_origin_gets_no_socket(#[case] origin: Option<&str>, #[case] status: u16) {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    if let Some(origin) = origin {
        set(&mut handshake.headers, ORIGIN_HEADER, origin);
    }
    let answer = chat.shake_hands(&handshake).await;
    assert_eq!(answer.status, status);
    if status == 403 {
        answer.assert_refused(403, "unauthorized");
    }
}

#[tokio::test]
async fn the_twenty_first_connection_closes_the_oldest() {
    let chat = Chat::new();
    let mut sockets = Vec::new();
    for _ in 0..21 {
        sockets.push(chat.connect(MINJI).await);
        chat.pass(Duration::from_secs(1));
    }
    let closed: Vec<_> = sockets.iter().map(super::support::Socket::is_closed).collect();
    assert!(closed[0] && closed[1..].iter().all(|closed| !closed), "{closed:?}");
}

#[tokio::test]
async fn a_disconnected_socket_hears_nothing_more() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    junho.disconnect().await;
    junho.disconnect().await;
    minji.send(JUNHO, "anybody?").await;
    assert!(junho.heard().is_empty());
}

#[tokio::test]
async fn an_event_without_a_usable_time_is_refused() {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    handshake.connected_at_ms = i64::MAX;
    chat.shake_hands(&handshake).await.assert_refused(400, "badRequest");
}

#[tokio::test]
async fn no_origin_is_allowed_unless_it_is_named() {
    let chat = Chat::composed(|_| {}, Settings::default());
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    set(&mut handshake.headers, ORIGIN_HEADER, ORIGIN);
    chat.shake_hands(&handshake).await.assert_refused(403, "unauthorized");
}
