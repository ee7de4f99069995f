use apigw_local::{Limits, RestApi};
use futures_util::StreamExt as _;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::*;

// All from
// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>,
// unless a test names another page.

async fn connected(limits: Limits) -> (Rig, Client, String) {
    let (connect, mut connects) = recording();
    let rig = rig_of(connections(limits), prod().connect(connect), RestApi::new());
    let (client, _) = rig.try_connect("/prod", &[("user-agent", "tests")]).await.unwrap();
    let id = id(&connects.recv().await.unwrap());
    (rig, client, id)
}

/// "You'll need to URL-encode the command": `/prod/%40connections/R0oXAdfD0kwCH6w%3D`.
#[tokio::test(start_paused = true)]
async fn a_post_reaches_its_client_however_the_path_is_encoded() {
    let (rig, mut client, id) = connected(Limits::default()).await;
    let encoded = id.replace('=', "%3D");

    for path in [
        format!("/prod/@connections/{id}"),
        format!("/prod/%40connections/{encoded}"),
        format!("/prod/@connections/{encoded}"),
        format!("/prod/%40connections/{id}"),
    ] {
        let (status, _, body) = rig.http(Method::POST, &path, path.clone()).await;

        assert_eq!((status.as_u16(), &body[..]), (200, &b""[..]));
        assert_eq!(text(&mut client).await, path);
    }
}

/// The exceptions and their statuses are those of
/// <https://docs.aws.amazon.com/apigatewaymanagementapi/latest/APIReference/API_PostToConnection.html>.
#[tokio::test(start_paused = true)]
async fn sdks_find_the_exception_in_a_header() {
    let mut limits = Limits::default();
    limits.outbound_queue_bytes = 1;
    let (rig, _client, id) = connected(limits).await;
    let path = format!("/prod/@connections/{id}");
    let too_large = "x".repeat(Limits::MESSAGE_BYTES + 1);

    rig.connections.post(&id, "the one place in the queue").unwrap();
    for (method, path, body, status, exception) in [
        (Method::POST, path.as_str(), "one too many", 429, "LimitExceededException"),
        (Method::POST, &path, &too_large, 413, "PayloadTooLargeException"),
        (Method::POST, "/prod/@connections/L0SM9cOFvHcCIhw=", "hi", 410, "GoneException"),
        (Method::GET, "/prod/@connections/L0SM9cOFvHcCIhw=", "", 410, "GoneException"),
        (Method::DELETE, "/prod/%40connections/L0SM9cOFvHcCIhw%3D", "", 410, "GoneException"),
        (Method::PUT, &path, "", 403, "ForbiddenException"),
        (Method::POST, "/prod/connections/x", "", 403, "ForbiddenException"),
        (Method::POST, "/prod/@connections/", "", 403, "ForbiddenException"),
        // The endpoint without its stage: aws/aws-sdk-php#1955.
        (Method::POST, "/%40connections/L0SM9cOFvHcCIhw%3D", "", 403, "ForbiddenException"),
    ] {
        let (answered, headers, answer) = rig.http(method.clone(), path, body.to_owned()).await;

        assert_eq!(answered, status, "{method} {path}");
        assert_eq!(headers["x-amzn-errortype"], exception);
        assert!(serde_json::from_slice::<Value>(&answer).unwrap()["message"].is_string());
    }
}

/// "To get the latest connection status of the client"; the shape is that of
/// <https://docs.aws.amazon.com/apigatewaymanagementapi/latest/APIReference/API_GetConnection.html>.
#[tokio::test(start_paused = true)]
async fn get_describes_the_connection() {
    let (rig, mut client, id) = connected(Limits::default()).await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    rig.connections.post(&id, "activity").unwrap();
    text(&mut client).await;

    let (status, _, body) = rig.http(Method::GET, &format!("/prod/@connections/{id}"), "").await;

    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({
            "connectedAt": "2022-02-22T19:07:37.902Z",
            "identity": { "sourceIp": "127.0.0.1", "userAgent": "tests" },
            "lastActiveAt": "2022-02-22T19:08:37.902Z",
        })
    );
}

/// "To disconnect the client".
#[tokio::test(start_paused = true)]
async fn delete_closes_the_connection_after_what_was_posted() {
    let (rig, mut client, id) = connected(Limits::default()).await;
    let path = format!("/prod/@connections/{id}");

    rig.connections.post(&id, "last words").unwrap();
    assert_eq!(rig.http(Method::DELETE, &path, "").await.0, 204);

    assert_eq!(rig.http(Method::POST, &path, "too late").await.0, 410);
    assert_eq!(rig.http(Method::DELETE, &path, "").await.0, 410);
    assert_eq!(text(&mut client).await, "last words");
    assert_eq!(closed(&mut client).await, (1000, "Connection Closed Normally".to_owned()));
    assert!(soon(client.next()).await.is_none());
}

/// On AWS these requests are signed, "These requests use IAM authorization"; here nobody but this machine
/// may make them.
#[tokio::test(start_paused = true)]
async fn only_this_machine_may_call_it() {
    for (peer, status) in
        [("127.0.0.1:1", 410), ("[::1]:1", 410), ("[::ffff:127.0.0.1]:1", 410), ("192.0.2.7:1", 403)]
    {
        let rig = rig(prod()).from(peer);

        assert_eq!(rig.http(Method::POST, "/prod/@connections/x", "hi").await.0, status, "{peer}");
    }
}

/// For the same reason no web page may, whatever machine shows it.
#[tokio::test(start_paused = true)]
async fn no_web_page_may_call_it() {
    let (rig, _client, id) = connected(Limits::default()).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = Request::builder().method(method).uri(format!("/prod/@connections/{id}"));
        let request = request.header("origin", "https://evil.example.com").body("hi".into()).unwrap();
        assert_eq!(rig.request(request).await.0, 403);
    }
}
