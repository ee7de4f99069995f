//! Each function, through events made by hand: nothing is lost on the way to the chat, nor on the way back.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chat_lambda::GatewayFunction as _;
use chat_wire::error::ErrorCode;
use http::Method;
use http::header::{AUTHORIZATION, ORIGIN as ORIGIN_HEADER, SEC_WEBSOCKET_PROTOCOL};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    Answer, Chat, ID, JUNHO, MINJI, ORIGIN, PNG, RestCall, assert_error, connect_event, frame, message_event,
    picture, query, query_map, rest_event, set,
};

async fn rest(chat: &Chat, call: &RestCall) -> Answer {
    chat.server.rest.handle(&rest_event(call)).await.into()
}

/// A call of Minji's.
fn call(chat: &Chat, method: Method, resource: &str) -> RestCall {
    let mut call = chat.rest_call(method, resource);
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", chat.token(MINJI)));
    call
}

#[tokio::test]
async fn a_socket_opens_by_the_query_or_by_the_subprotocol() {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    let answer = Answer::from(chat.server.connect.handle(&connect_event(&handshake)).await);
    assert_eq!((answer.status, answer.has_body), (200, false));
    assert_eq!(answer.header("sec-websocket-protocol"), None);

    let mut handshake = chat.handshake();
    set(&mut handshake.headers, SEC_WEBSOCKET_PROTOCOL, &format!("chat.v1, {}", chat.token(JUNHO)));
    let answer = Answer::from(chat.server.connect.handle(&connect_event(&handshake)).await);
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (200, Some("chat.v1")));
    let id = chat_domain::ConnectionId::new(handshake.connection.as_str());
    let row = chat.ports.connections.get(&id).await.unwrap().unwrap();
    assert_eq!((row.identity.email().as_str(), row.connected_at), (JUNHO, chat.now()));
}

#[tokio::test]
async fn a_refused_socket_says_why() {
    let chat = Chat::new();
    let handshake = chat.handshake();
    let answer = Answer::from(chat.server.connect.handle(&connect_event(&handshake)).await);
    assert_eq!(answer.status, 401);
    assert_error(&answer.body, "unauthorized", &handshake.request_id, None);
}

#[tokio::test]
async fn an_event_without_a_connection_opens_no_socket_and_no_frame_is_answered() {
    let chat = Chat::new();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    let mut event = connect_event(&handshake);
    event.request_context.connection_id = None;
    Answer::from(chat.server.connect.handle(&event).await).assert_refused(400, "badRequest");

    let mut event = message_event(&chat.frame_on("", r#"{"action":"ping"}"#));
    event.request_context.connection_id = None;
    let response = chat.server.frames.handle(&event).await;
    assert_eq!((response.status_code, response.body), (200, None));
}

#[tokio::test]
async fn a_frame_is_answered_in_the_routes_response_whether_or_not_it_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let event = message_event(&chat.frame_on(&minji.id, &frame(json!({})).to_string()));
    let answer = Answer::from(chat.server.frames.handle(&event).await);
    assert_eq!((answer.status, &answer.body["type"]), (200, &json!("sent")));

    let call = chat.frame_on(&minji.id, &frame(json!({ "receiverEmail": MINJI })).to_string());
    let answer = Answer::from(chat.server.frames.handle(&message_event(&call)).await);
    assert_eq!((answer.status, &answer.body["type"]), (200, &json!("error")));
    assert_error(&answer.body, "selfChat", &call.request_id, Some(ID));
}

/// Some emulators leave out the gateway's message id.
#[tokio::test]
async fn frames_without_any_id_are_not_taken_for_each_other() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for text in ["one", "two", "two"] {
        let plain = frame(json!({ "clientMessageId": null, "message": text })).to_string();
        let mut event = message_event(&chat.frame_on(&minji.id, &plain));
        event.request_context.message_id = None;
        let answer = Answer::from(chat.server.frames.handle(&event).await);
        assert_eq!(answer.body["type"], "sent");
    }
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 3);
}

#[tokio::test]
async fn a_frame_that_the_gateway_delivers_twice_is_stored_once() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let plain = frame(json!({ "clientMessageId": null })).to_string();
    let mut event = message_event(&chat.frame_on(&minji.id, &plain));
    for duplicate in [false, true] {
        event.request_context.request_id = Some(format!("another-request-{duplicate}"));
        let answer = Answer::from(chat.server.frames.handle(&event).await);
        assert_eq!(answer.body["duplicate"], duplicate);
    }
}

#[tokio::test]
async fn a_closed_connection_is_forgotten() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let event = message_event(&chat.frame_on(&minji.id, ""));
    assert_eq!(chat.server.disconnect.handle(&event).await.status_code, 200);
    let id = chat_domain::ConnectionId::new(minji.id.as_str());
    assert_eq!(chat.ports.connections.get(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_body_in_base64_is_read_and_one_that_is_not_text_is_refused() {
    let chat = Chat::new();
    let body = picture(json!({ "with": JUNHO, "size": PNG.len() })).to_string();
    let (whole, not_text) = (BASE64_STANDARD.encode(body), BASE64_STANDARD.encode([0xff, 0xfe]));
    for (body, status) in [(whole, 200), (not_text, 400), ("%%%".to_owned(), 400)] {
        let mut event = rest_event(&call(&chat, Method::POST, "/chat/uploads"));
        event.body = Some(body);
        event.is_base64_encoded = true;
        let answer = Answer::from(chat.server.rest.handle(&event).await);
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

/// The gateway gives parameters in two shapes; an emulator may leave either out.
#[rstest]
#[case::one_value_each(true, false)]
#[case::all_values(false, true)]
#[case::both(true, true)]
#[tokio::test]
async fn parameters_are_read_from_either_shape(#[case] single: bool, #[case] all: bool) {
    let chat = Chat::new();
    let mut event = rest_event(&call(&chat, Method::GET, "/chat/history"));
    let with = query_map(&query(&[("with", JUNHO)]));
    if single {
        event.query_string_parameters = with.clone();
    }
    if all {
        event.multi_value_query_string_parameters = with;
    }
    assert_eq!(chat.server.rest.handle(&event).await.status_code, 200);
}

/// The shape with one value each has the last one only.
#[tokio::test]
async fn a_parameter_that_comes_twice_is_noticed() {
    let chat = Chat::new();
    let mut event = rest_event(&call(&chat, Method::GET, "/chat/history"));
    event.query_string_parameters = query_map(&query(&[("with", JUNHO)]));
    event.multi_value_query_string_parameters = query_map(&query(&[("with", JUNHO), ("with", JUNHO)]));
    Answer::from(chat.server.rest.handle(&event).await).assert_refused(400, "badRequest");
}

#[tokio::test]
async fn a_parameter_of_the_path_and_the_headers_of_an_answer_go_through() {
    let chat = Chat::new();
    let image = chat.upload(MINJI, JUNHO).await;
    let mut call = call(&chat, Method::GET, "/chat/attachments/{key}");
    call.path_parameters.insert("key".to_owned(), image["key"].as_str().unwrap().to_owned());
    set(&mut call.headers, ORIGIN_HEADER, ORIGIN);
    let answer = rest(&chat, &call).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    call.method = Method::OPTIONS;
    let answer = rest(&chat, &call).await;
    assert_eq!((answer.status, answer.has_body), (204, false));
}

#[tokio::test]
async fn what_was_given_up_is_answered_in_the_shape_of_its_route() {
    let chat = Chat::new();
    let event = connect_event(&chat.handshake());
    let answer = Answer::from(chat_lambda::GatewayFunction::given_up(
        &chat.server.connect,
        &event,
        ErrorCode::Internal,
    ));
    answer.assert_refused(500, "internal");

    let event = message_event(&chat.frame_on("connection", &frame(json!({})).to_string()));
    let given_up =
        chat_lambda::GatewayFunction::given_up(&chat.server.frames, &event, ErrorCode::Unavailable);
    let answer = Answer::from(given_up);
    assert_eq!((answer.status, &answer.body["clientMessageId"]), (200, &json!(ID)));

    let mut call = call(&chat, Method::POST, "/chat/proposals");
    call.body = Some(json!({ "clientMessageId": ID }).to_string());
    let given_up =
        chat_lambda::GatewayFunction::given_up(&chat.server.rest, &rest_event(&call), ErrorCode::Unavailable);
    let answer = Answer::from(given_up);
    answer.assert_refused(503, "unavailable");
    assert_eq!(answer.body["clientMessageId"], ID);

    let given_up =
        chat_lambda::GatewayFunction::given_up(&chat.server.disconnect, &event, ErrorCode::Unavailable);
    assert_eq!(given_up.status_code, 503);
}
