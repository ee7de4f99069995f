//! The binaries themselves, run as Lambda runs them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod local_aws;

use std::collections::HashMap;

use aws_lambda_events::event::apigw::{ApiGatewayProxyRequest, ApiGatewayWebsocketProxyRequest};
use http::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::local_aws::{Function, LocalAws, ORIGIN, now_ms, soon};

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

const CONNECT: &str = env!("CARGO_BIN_EXE_connect");
const DISCONNECT: &str = env!("CARGO_BIN_EXE_disconnect");
const SEND: &str = env!("CARGO_BIN_EXE_send");
const HISTORY: &str = env!("CARGO_BIN_EXE_history");

/// What each function needs to be told, and nothing else.
const VARIABLES: [(&str, &[&str]); 4] = [
    (
        CONNECT,
        &[
            "CONNECTIONS_TABLE",
            "WEBSOCKET_CALLBACK_URL",
            "COGNITO_ISSUER",
            "COGNITO_CLIENT_IDS",
            "ALLOWED_ORIGINS",
        ],
    ),
    (DISCONNECT, &["CONNECTIONS_TABLE"]),
    (
        SEND,
        &[
            "CONNECTIONS_TABLE",
            "MESSAGES_TABLE",
            "ROOMS_TABLE",
            "ATTACHMENTS_BUCKET",
            "WEBSOCKET_CALLBACK_URL",
            "COGNITO_ISSUER",
            "COGNITO_CLIENT_IDS",
        ],
    ),
    (
        HISTORY,
        &[
            "CONNECTIONS_TABLE",
            "MESSAGES_TABLE",
            "ROOMS_TABLE",
            "ATTACHMENTS_BUCKET",
            "WEBSOCKET_CALLBACK_URL",
            "COGNITO_ISSUER",
            "COGNITO_CLIENT_IDS",
            "ALLOWED_ORIGINS",
        ],
    ),
];

/// What Lambda sets for every function.
const FROM_LAMBDA: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn web_socket_event(connection: &str, number: u32) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    event.request_context.connection_id = Some(connection.to_owned());
    event.request_context.request_id = Some(format!("request-{number}"));
    event.request_context.message_id = Some(format!("message-{number}"));
    event.request_context.connected_at = now_ms();
    event.request_context.request_time_epoch = now_ms();
    event
}

fn connect_event(connection: &str, token: &str) -> Value {
    let mut event = web_socket_event(connection, 0);
    event.headers.insert("sec-websocket-protocol", format!("chat.v1, {token}").parse().unwrap());
    event.headers.insert("origin", ORIGIN.parse().unwrap());
    serde_json::to_value(event).unwrap()
}

fn rest_event(method: Method, resource: &str, token: &str) -> ApiGatewayProxyRequest {
    let mut event = ApiGatewayProxyRequest::default();
    event.http_method = method;
    event.resource = Some(resource.to_owned());
    event.request_context.request_id = Some("request-of-rest".to_owned());
    event.request_context.request_time_epoch = now_ms();
    event.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    event
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap_or_else(|| panic!("no body in {answer}"))).unwrap()
}

/// The frame that a route's response carries back.
async fn say(send: &Function, connection: &str, number: u32, frame: &Value) -> Value {
    let mut event = web_socket_event(connection, number);
    event.body = Some(frame.to_string());
    let answer = send.invoke(&serde_json::to_value(event).unwrap()).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    body(&answer)
}

/// The seed's story, over the four binaries: what they say, what they log, what they count.
#[tokio::test]
async fn two_people_chat_and_no_log_holds_what_they_say() {
    const SECRET: &str = "the-words-of-a-message";
    let aws = LocalAws::new().await;
    let environment = aws.environment();
    let connect = Function::start(CONNECT, &environment).await;
    let send = Function::start(SEND, &environment).await;
    let history = Function::start(HISTORY, &environment).await;
    let disconnect = Function::start(DISCONNECT, &environment).await;

    let (minji_token, junho_token) = (aws.token(MINJI), aws.token(JUNHO));
    for (connection, token) in [("connection-m", &minji_token), ("connection-j", &junho_token)] {
        let answer = connect.invoke(&connect_event(connection, token)).await;
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(answer["headers"]["sec-websocket-protocol"], "chat.v1");
    }
    let refused = connect.invoke(&connect_event("connection-x", "a-made-up-token")).await;
    assert_eq!(refused["statusCode"], 401);

    let frame = json!({ "action": "sendMessage", "receiverEmail": JUNHO, "message": SECRET,
        "clientMessageId": "018f2d4e-7b1a-7c3d-9e5f-001122334455", "after": "1970-01-01T00:00:00.000Z" });
    let sent = say(&send, "connection-m", 1, &frame).await;
    assert_eq!((&sent["type"], &sent["seq"], &sent["duplicate"]), (&json!("sent"), &json!(1), &json!(false)));
    let again = say(&send, "connection-m", 2, &frame).await;
    assert_eq!((&again["timestamp"], &again["duplicate"]), (&sent["timestamp"], &json!(true)));
    let heard = aws.heard("connection-j");
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!((&heard[0]["type"], &heard[0]["message"]), (&json!("message"), &json!(SECRET)));

    let read = json!({ "action": "markRead", "peerEmail": MINJI, "upTo": sent["timestamp"] });
    assert_eq!(say(&send, "connection-j", 3, &read).await["type"], "read");
    assert_eq!(aws.heard("connection-m")[0]["type"], "read");
    assert_eq!(say(&send, "connection-m", 4, &json!({ "action": "ping" })).await["type"], "pong");
    let reauth = json!({ "action": "reauth", "token": minji_token });
    assert_eq!(say(&send, "connection-m", 5, &reauth).await["type"], "reauth");
    let foreign = json!({ "action": "reauth", "token": junho_token });
    assert_eq!(say(&send, "connection-m", 6, &foreign).await["code"], "unauthorized");
    let empty = json!({ "action": "sendMessage", "receiverEmail": JUNHO, "message": [SECRET] });
    assert_eq!(say(&send, "connection-m", 7, &empty).await["code"], "badRequest");

    let mut page = rest_event(Method::GET, "/chat/history", &minji_token);
    page.query_string_parameters = HashMap::from([("with".to_owned(), JUNHO.to_owned())]).into();
    let page = body(&history.invoke(&serde_json::to_value(page).unwrap()).await);
    assert_eq!(page["messages"][0]["message"], SECRET);
    assert_eq!(page["messages"][0]["read"], true);
    let list = rest_event(Method::GET, "/chat/conversations", &junho_token);
    let list = body(&history.invoke(&serde_json::to_value(list).unwrap()).await);
    assert_eq!(list["conversations"][0]["preview"], SECRET);
    let mut upload = rest_event(Method::POST, "/chat/uploads", &minji_token);
    let picture =
        json!({ "with": JUNHO, "contentType": "image/png", "size": 1000, "width": 640, "height": 480 });
    upload.body = Some(picture.to_string());
    let upload = body(&history.invoke(&serde_json::to_value(upload).unwrap()).await);
    let url = upload["url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{}/playground-attachments/", environment["AWS_ENDPOINT_URL"])),
        "{url}"
    );

    let gone = serde_json::to_value(web_socket_event("connection-j", 8)).unwrap();
    assert_eq!(disconnect.invoke(&gone).await["statusCode"], 200);
    let mut after = frame.clone();
    after["clientMessageId"] = json!("018f2d4e-7b1a-7c3d-9e5f-00112233ffff");
    assert_eq!(say(&send, "connection-m", 9, &after).await["seq"], 2);
    assert!(aws.heard("connection-j").is_empty());

    for (function, expected) in [
        (&connect, "\"connected\""),
        (&send, "\"duplicate\""),
        (&history, "\"answered\""),
        (&disconnect, "\"disconnected\""),
    ] {
        function.logs(expected).await;
    }
    send.logs("\"Sends\":1").await;
    send.logs("\"Duplicates\":1").await;
    let functions = [connect, send, history, disconnect];
    let lines: Vec<_> = functions.iter().flat_map(Function::log).collect();
    for line in &lines {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let is_metrics = line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Chat";
        assert!(is_metrics || line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    let log = lines.join("\n");
    let signature = upload["url"].as_str().unwrap().rsplit_once("X-Amz-Signature=").unwrap().1;
    let (payload, secret_key) = (minji_token.split('.').nth(1).unwrap(), "secret-access-key");
    for forbidden in [
        SECRET,
        "a-made-up-token",
        payload,
        &junho_token,
        "example.com",
        signature,
        secret_key,
        "session-token",
    ] {
        assert!(!log.contains(forbidden), "{forbidden} in {log}");
    }
    assert!(log.contains("\"request_id\":\"request-1\"") && log.contains("\"room\":"), "{log}");
}

#[tokio::test]
async fn whatever_is_missing_is_named_at_once_and_the_function_does_not_run() {
    for (binary, variables) in VARIABLES {
        let (code, lines) = Function::start(binary, &HashMap::new()).await.ended().await;
        assert_eq!(code, Some(1), "{binary}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        for variable in variables.iter().chain(&FROM_LAMBDA) {
            assert!(lines[0].contains(&format!("{variable} is missing")), "{variable}: {lines:?}");
        }
        let named = lines[0].matches(" is missing").count();
        assert_eq!(named, variables.len() + FROM_LAMBDA.len(), "{lines:?}");
    }
}

#[rstest]
#[case("WEBSOCKET_CALLBACK_URL", "wss://abc123.execute-api.ap-northeast-2.amazonaws.com/prod")]
#[case("COGNITO_ISSUER", "https://cognito-idp.ap-northeast-2.amazonaws.com/pool")]
#[case("COGNITO_CLIENT_IDS", ",")]
#[case("AWS_ENDPOINT_URL", "127.0.0.1:4566")]
#[case("ALLOWED_ORIGINS", "https://chat.example.com/")]
#[case("SEND_BURST", "0")]
#[case("SEND_PER_SECOND", "many")]
#[tokio::test]
async fn what_is_malformed_is_named(#[case] variable: &'static str, #[case] value: &str) {
    let mut environment = LocalAws::new().await.environment();
    environment.insert(variable, value.to_owned());
    let (code, lines) = Function::start(HISTORY, &environment).await.ended().await;
    assert_eq!(code, Some(1));
    assert!(lines[0].contains(&format!("{variable} has to be ")), "{lines:?}");
    assert!(!lines[0].contains("missing"), "{lines:?}");
}

#[tokio::test]
async fn each_function_runs_on_what_it_needs() {
    let aws = LocalAws::new().await;
    for (binary, variables) in VARIABLES {
        let mut environment = aws.environment();
        environment.retain(|name, _| name.starts_with("AWS_") || variables.contains(name));
        let function = Function::start(binary, &environment).await;
        let event = if binary == HISTORY {
            serde_json::to_value(rest_event(Method::OPTIONS, "/chat/history", "no-token")).unwrap()
        } else {
            serde_json::to_value(web_socket_event("connection-m", 1)).unwrap()
        };
        let answer = function.invoke(&event).await;
        assert!(answer["statusCode"].is_number(), "{answer}");
        function.logs("\"Latency\"").await;
    }
}

/// Nobody answers, or nobody is there: the function runs all the same, and says so.
#[tokio::test]
async fn a_host_that_cannot_be_warmed_is_logged_and_nothing_else() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut environment = LocalAws::new().await.environment();
    environment.insert("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", silent.local_addr().unwrap()));
    environment.insert("WEBSOCKET_CALLBACK_URL", "http://127.0.0.1:1/prod".to_owned());
    let function = Function::start(CONNECT, &environment).await;
    let answer = soon("an answer", function.invoke(&connect_event("connection-m", "no-token"))).await;
    assert_eq!(answer["statusCode"], 401);
    function.logs("not warmed in time").await;
    function.logs("warm, or not").await;
}
