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
            "USERS_TABLE",
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
            "USERS_TABLE",
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
            "USERS_TABLE",
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

const SECRET: &str = "the-words-of-a-message";
const MADE_UP_TOKEN: &str = "a-made-up-token";

/// A message from Minji to Junho.
fn send_frame(id: &str) -> Value {
    json!({ "action": "sendMessage", "receiverEmail": JUNHO, "message": SECRET, "clientMessageId": id,
        "after": "1970-01-01T00:00:00.000Z" })
}

/// The four functions, on an AWS where Minji chats on `connection-m` and Junho on `connection-j`.
struct Deployed {
    aws: LocalAws,
    connect: Function,
    send: Function,
    history: Function,
    disconnect: Function,
    minji_token: String,
    junho_token: String,
}

impl Deployed {
    async fn start() -> Self {
        let aws = LocalAws::new().await;
        let environment = aws.environment();
        Self {
            connect: Function::start(CONNECT, &environment).await,
            send: Function::start(SEND, &environment).await,
            history: Function::start(HISTORY, &environment).await,
            disconnect: Function::start(DISCONNECT, &environment).await,
            minji_token: aws.token(MINJI),
            junho_token: aws.token(JUNHO),
            aws,
        }
    }

    async fn minji_says(&self, number: u32, frame: &Value) -> Value {
        say(&self.send, "connection-m", number, frame).await
    }

    async fn junho_says(&self, number: u32, frame: &Value) -> Value {
        say(&self.send, "connection-j", number, frame).await
    }

    async fn rest(&self, event: ApiGatewayProxyRequest) -> Value {
        body(&self.history.invoke(&serde_json::to_value(event).unwrap()).await)
    }

    async fn both_connect_and_a_made_up_token_does_not(&self) {
        for (connection, token) in [("connection-m", &self.minji_token), ("connection-j", &self.junho_token)]
        {
            let answer = self.connect.invoke(&connect_event(connection, token)).await;
            assert_eq!(answer["statusCode"], 200, "{answer}");
            assert_eq!(answer["headers"]["sec-websocket-protocol"], "chat.v1");
        }
        let refused = self.connect.invoke(&connect_event("connection-x", MADE_UP_TOKEN)).await;
        assert_eq!(refused["statusCode"], 401);
    }

    /// Returns what the sender was told.
    async fn a_message_sent_twice_is_heard_once(&self) -> Value {
        let frame = send_frame("018f2d4e-7b1a-7c3d-9e5f-001122334455");
        let sent = self.minji_says(1, &frame).await;
        assert_eq!(
            (&sent["type"], &sent["seq"], &sent["duplicate"]),
            (&json!("sent"), &json!(1), &json!(false))
        );
        let again = self.minji_says(2, &frame).await;
        assert_eq!((&again["timestamp"], &again["duplicate"]), (&sent["timestamp"], &json!(true)));
        let heard = self.aws.heard("connection-j");
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!((&heard[0]["type"], &heard[0]["message"]), (&json!("message"), &json!(SECRET)));
        sent
    }

    async fn every_other_frame_is_answered(&self, sent: &Value) {
        let read = json!({ "action": "markRead", "peerEmail": MINJI, "upTo": sent["timestamp"] });
        let accept = json!({ "action": "accept", "peerEmail": MINJI });
        assert_eq!(self.junho_says(8, &accept).await["type"], "accept");
        assert_eq!(self.junho_says(3, &read).await["type"], "read");
        assert_eq!(self.aws.heard("connection-m")[0]["type"], "read");
        assert_eq!(self.minji_says(4, &json!({ "action": "ping" })).await["type"], "pong");
        let reauth = json!({ "action": "reauth", "token": self.minji_token });
        assert_eq!(self.minji_says(5, &reauth).await["type"], "reauth");
        let foreign = json!({ "action": "reauth", "token": self.junho_token });
        assert_eq!(self.minji_says(6, &foreign).await["code"], "unauthorized");
        let malformed = json!({ "action": "sendMessage", "receiverEmail": JUNHO, "message": [SECRET] });
        assert_eq!(self.minji_says(7, &malformed).await["code"], "badRequest");
    }

    async fn the_message_is_in_the_history_and_in_the_list(&self) {
        let mut page = rest_event(Method::GET, "/chat/history", &self.minji_token);
        page.query_string_parameters = HashMap::from([("with".to_owned(), JUNHO.to_owned())]).into();
        let page = self.rest(page).await;
        assert_eq!(page["messages"][0]["message"], SECRET);
        assert_eq!(page["messages"][0]["read"], true);
        let list = self.rest(rest_event(Method::GET, "/chat/conversations", &self.junho_token)).await;
        assert_eq!(list["conversations"][0]["preview"], SECRET);
    }

    /// Returns the URL that was signed for the upload.
    async fn an_upload_is_granted(&self) -> String {
        let mut upload = rest_event(Method::POST, "/chat/uploads", &self.minji_token);
        let picture =
            json!({ "with": JUNHO, "contentType": "image/png", "size": 1000, "width": 640, "height": 480 });
        upload.body = Some(picture.to_string());
        let upload = self.rest(upload).await;
        let url = upload["url"].as_str().unwrap();
        let bucket = format!("{}/playground-attachments/", self.aws.environment()["AWS_ENDPOINT_URL"]);
        assert!(url.starts_with(&bucket), "{url}");
        url.to_owned()
    }

    async fn who_has_gone_hears_nothing(&self) {
        let gone = serde_json::to_value(web_socket_event("connection-j", 8)).unwrap();
        assert_eq!(self.disconnect.invoke(&gone).await["statusCode"], 200);
        let after = send_frame("018f2d4e-7b1a-7c3d-9e5f-00112233ffff");
        assert_eq!(self.minji_says(9, &after).await["seq"], 2);
        assert!(self.aws.heard("connection-j").is_empty());
    }

    async fn everything_is_logged_and_counted(&self) {
        for (function, expected) in [
            (&self.connect, "\"connected\""),
            (&self.send, "\"duplicate\""),
            (&self.history, "\"answered\""),
            (&self.disconnect, "\"disconnected\""),
        ] {
            function.logs(expected).await;
        }
        self.send.logs("\"Sends\":1").await;
    }

    fn no_log_holds_a_secret(&self, url: &str) {
        let functions = [&self.connect, &self.send, &self.history, &self.disconnect];
        let lines: Vec<_> = functions.iter().flat_map(|function| function.log()).collect();
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            let is_metrics = line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Chat";
            assert!(is_metrics || line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        }
        let log = lines.join("\n");
        let signature = url.rsplit_once("X-Amz-Signature=").unwrap().1;
        let (payload, secret_key) = (self.minji_token.split('.').nth(1).unwrap(), "secret-access-key");
        for forbidden in [
            SECRET,
            MADE_UP_TOKEN,
            payload,
            &self.junho_token,
            "example.com",
            signature,
            secret_key,
            "session-token",
        ] {
            assert!(!log.contains(forbidden), "{forbidden} in {log}");
        }
        assert!(log.contains("\"request_id\":\"request-1\"") && log.contains("\"room\":"), "{log}");
    }
}

/// The seed's story, over the four binaries: what they say, what they log, what they count.
#[tokio::test]
async fn two_people_chat_and_no_log_holds_what_they_say() {
    let chat = Deployed::start().await;
    chat.both_connect_and_a_made_up_token_does_not().await;
    let sent = chat.a_message_sent_twice_is_heard_once().await;
    chat.every_other_frame_is_answered(&sent).await;
    chat.the_message_is_in_the_history_and_in_the_list().await;
    let url = chat.an_upload_is_granted().await;
    chat.who_has_gone_hears_nothing().await;
    chat.everything_is_logged_and_counted().await;
    chat.no_log_holds_a_secret(&url);
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
#[case("REQUEST_BURST", "-1")]
#[case("REQUESTS_PER_SECOND", "1.5")]
#[case("FIRST_CONTACT", "maybe")]
#[case("OWN_KINDS", "x-order,ticket")]
#[tokio::test]
async fn what_is_malformed_is_named(#[case] variable: &'static str, #[case] value: &str) {
    let mut environment = LocalAws::new().await.environment();
    environment.insert(variable, value.to_owned());
    let (code, lines) = Function::start(HISTORY, &environment).await.ended().await;
    assert_eq!(code, Some(1));
    assert!(lines[0].contains(&format!("{variable} has to be ")), "{lines:?}");
    assert!(!lines[0].contains("missing"), "{lines:?}");
}

#[rstest]
#[case::no_key(
    &[("IMAGES_DOMAIN", "images.example.com")],
    &["IMAGES_KEY_ID is missing", "IMAGES_PRIVATE_KEY is missing"]
)]
#[case::no_domain(
    &[("IMAGES_KEY_ID", "K1")],
    &["IMAGES_DOMAIN is missing", "IMAGES_PRIVATE_KEY is missing"]
)]
#[case::no_key_at_all(
    &[("IMAGES_DOMAIN", "images.example.com"), ("IMAGES_KEY_ID", "K1"), ("IMAGES_PRIVATE_KEY", "bm8=")],
    &["IMAGES_PRIVATE_KEY has to be a private P-256 key"]
)]
#[tokio::test]
async fn images_are_opened_through_cloudfront_with_all_of_its_settings_or_none(
    #[case] told: &[(&'static str, &str)],
    #[case] said: &[&str],
) {
    let mut environment = LocalAws::new().await.environment();
    environment.extend(told.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let (code, lines) = Function::start(HISTORY, &environment).await.ended().await;
    assert_eq!(code, Some(1));
    assert!(said.iter().all(|problem| lines[0].contains(problem)), "{lines:?}");
    assert_eq!(lines[0].matches("IMAGES_").count(), said.len(), "{lines:?}");
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
