use std::future::pending;
use std::sync::Arc;

use apigw_local::{Limits, RestApi, RestIntegration};
use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::harness::*;

// All from
// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>,
// unless a test names another page.

fn serving(rest: RestApi) -> Rig {
    rig_of(connections(Limits::default()), prod(), rest)
}

fn recording_rest() -> (Arc<dyn RestIntegration>, UnboundedReceiver<ApiGatewayProxyRequest>) {
    let (sender, receiver) = unbounded_channel();
    let integration = rest_handler(move |event| {
        sender.send(event).unwrap();
        async { Ok(answer(200, "{}")) }
    });
    (integration, receiver)
}

/// "Input format of a Lambda function for proxy integration".
#[tokio::test(start_paused = true)]
async fn events_carry_the_request() {
    let (integration, mut events) = recording_rest();
    let rig = serving(RestApi::new().method(Method::POST, "/files/{folder}/{key}", integration))
        .from("127.0.0.1:9");
    let request = Request::post("/files/2022/a%2Fb%20c?part=1&part=2&name=%EA%B0%80")
        .header("host", "local.test:8080")
        .header("user-agent", "tests")
        .body(Body::from(r#"{"a":1}"#))
        .unwrap();

    let (status, headers, body) = rig.request(request).await;

    assert_eq!((status.as_u16(), &body[..]), (200, &b"{}"[..]));
    let event = events.recv().await.unwrap();
    assert_eq!(event.resource.as_deref(), Some("/files/{folder}/{key}"));
    assert_eq!(event.path.as_deref(), Some("/files/2022/a%2Fb%20c"));
    assert_eq!(event.http_method, Method::POST);
    // Still encoded, as AWS leaves them: aws/aws-sam-cli#771 and #3524.
    assert_eq!(event.path_parameters["key"], "a%2Fb%20c");
    assert_eq!(event.path_parameters["folder"], "2022");
    assert_eq!(event.query_string_parameters.all("part").unwrap(), ["2"]);
    assert_eq!(event.multi_value_query_string_parameters.all("part").unwrap(), ["1", "2"]);
    assert_eq!(event.query_string_parameters.first("name"), Some("가"));
    assert_eq!(event.headers["user-agent"], "tests");
    assert_eq!(event.multi_value_headers["x-forwarded-proto"], "http");
    assert_eq!(event.body.as_deref(), Some(r#"{"a":1}"#));
    assert!(!event.is_base64_encoded);
    let context = event.request_context;
    assert_eq!(context.resource_path.as_deref(), Some("/files/{folder}/{key}"));
    assert_eq!(context.stage.as_deref(), Some("prod"));
    assert_eq!(context.request_time_epoch, NOON);
    assert_eq!(context.request_time.as_deref(), Some("22/Feb/2022:19:07:37 +0000"));
    assert_eq!(context.identity.source_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(headers["x-amzn-requestid"], *context.request_id.unwrap());
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html>.
#[tokio::test(start_paused = true)]
async fn bodies_that_are_not_text_travel_in_base64() {
    let (integration, mut events) = recording_rest();
    let rig = serving(RestApi::new().method(Method::PUT, "/files", integration));

    rig.http(Method::PUT, "/files", vec![0xff, 0xd8]).await;
    rig.http(Method::PUT, "/files", "").await;

    let event = events.recv().await.unwrap();
    assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("/9g="), true));
    assert_eq!(events.recv().await.unwrap().body, None);
}

/// "Output format of a Lambda function for proxy integration": `headers` and `multiValueHeaders` are merged
/// into a single list.
#[tokio::test(start_paused = true)]
async fn answers_become_responses() {
    let integration = rest_handler(|_| async {
        let mut answer = answer(201, "SGk=");
        answer.is_base64_encoded = true;
        answer.headers.insert("x-one", "1".parse().unwrap());
        answer.headers.insert("content-type", "text/plain".parse().unwrap());
        answer.multi_value_headers.append("x-one", "1".parse().unwrap());
        answer.multi_value_headers.append("x-one", "2".parse().unwrap());
        Ok(answer)
    });
    let rig = serving(RestApi::new().method(Method::GET, "/things", integration).method(
        Method::DELETE,
        "/things",
        rest_handler(|_| async { Ok(answer(204, "")) }),
    ));

    let (status, headers, body) = rig.http(Method::GET, "/things", "").await;

    assert_eq!((status.as_u16(), &body[..]), (201, &b"Hi"[..]));
    assert_eq!(headers.get_all("x-one").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(headers["content-type"], "text/plain");
    let (status, headers, _) = rig.http(Method::DELETE, "/things", "").await;
    assert_eq!((status.as_u16(), &headers["content-type"]), (204, &"application/json".parse().unwrap()));
}

/// The same page: a malformed answer or a failed function is a 502 "Internal server error";
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html> has
/// INTEGRATION_TIMEOUT (504) and REQUEST_TOO_LARGE (413).
#[tokio::test(start_paused = true)]
async fn failures_have_the_statuses_of_the_gateway() {
    let mut limits = Limits::default();
    limits.rest_body_bytes = 10;
    let rest = RestApi::new()
        .method(Method::POST, "/crash", rest_handler(|_| async { crash() }))
        .method(Method::POST, "/panic", rest_handler(|_| async { panic!("on purpose") }))
        .method(Method::POST, "/malformed", rest_handler(|_| async { Ok(answer(7, "")) }))
        .method(Method::POST, "/hang", rest_handler(|_| pending()));
    let rig = rig_of(connections(limits), prod(), rest);

    for (path, body, status, message) in [
        ("/crash", "", 502, "Internal server error"),
        ("/panic", "", 502, "Internal server error"),
        ("/malformed", "", 502, "Internal server error"),
        ("/hang", "", 504, "Endpoint request timed out"),
        ("/crash", "eleven byte", 413, "Request Too Long"),
    ] {
        let (answered, _, answer) = rig.http(Method::POST, path, body).await;

        assert_eq!(answered, status, "{path}");
        assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap(), json!({ "message": message }));
    }
}

/// <https://repost.aws/knowledge-center/api-gateway-authentication-token-errors>: "an API request is made to
/// a method or resource that doesn't exist".
#[tokio::test(start_paused = true)]
async fn what_does_not_exist_misses_an_authentication_token() {
    let (integration, _events) = recording_rest();
    let rig = serving(RestApi::new().method(Method::GET, "/files/{key}", integration));

    for (method, path) in [
        (Method::POST, "/files/a"),
        (Method::GET, "/files"),
        (Method::GET, "/files/"),
        (Method::GET, "/files/a/b"),
        (Method::OPTIONS, "/files/a"),
    ] {
        let (status, _, body) = rig.http(method.clone(), path, "").await;

        assert_eq!(status, 403, "{method} {path}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, json!({ "message": "Missing Authentication Token" }));
    }
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html>:
/// plain resources come before path variables, and those before greedy ones.
#[tokio::test(start_paused = true)]
async fn the_most_specific_resource_answers() {
    let naming = || {
        rest_handler(|event| async move {
            let parameter = event.path_parameters.values().next().cloned().unwrap_or_default();
            Ok(answer(200, &format!("{} {parameter}", event.resource.unwrap())))
        })
    };
    let resources = ["/a/{all+}", "/a/{one}", "/a/plain", "/a/{one}/tail"];
    let rest =
        resources.iter().fold(RestApi::new(), |rest, resource| rest.method(Method::GET, resource, naming()));
    let rig = serving(rest);

    for (path, expected) in [
        ("/a/plain", "/a/plain "),
        ("/a/b", "/a/{one} b"),
        ("/a/b/tail", "/a/{one}/tail b"),
        ("/a/b/c/d", "/a/{all+} b/c/d"),
    ] {
        assert_eq!(rig.http(Method::GET, path, "").await.2, expected, "{path}");
    }
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html>:
/// "API Gateway compresses the response payload when the payload size is greater than or equal to the
/// `minimumCompressionSize` value" and the request accepts it.
#[tokio::test(start_paused = true)]
async fn answers_that_are_long_enough_are_compressed_for_whoever_accepts_that() {
    let echoing = || rest_handler(|event| async move { Ok(answer(200, &event.body.unwrap_or_default())) });
    let rest = || RestApi::new().method(Method::POST, "/echo", echoing());
    let compressing = serving(rest().minimum_compression_size(100));
    let plain = serving(rest());

    for (rig, length, accepted, encoding) in [
        (&compressing, 100, "gzip, deflate, br", Some("gzip")),
        (&compressing, 100, "deflate", Some("deflate")),
        (&compressing, 99, "gzip", None),
        (&compressing, 100, "identity", None),
        (&plain, 100, "gzip", None),
    ] {
        let request = Request::post("/echo").header("accept-encoding", accepted);
        let (status, headers, body) = rig.request(request.body("a".repeat(length).into()).unwrap()).await;

        assert_eq!(status, 200);
        let found = headers.get("content-encoding").map(|name| name.to_str().unwrap());
        assert_eq!(found, encoding, "{length} bytes, {accepted}");
        assert_eq!(body.len() < length, encoding.is_some(), "{length} bytes, {accepted}");
    }
}
