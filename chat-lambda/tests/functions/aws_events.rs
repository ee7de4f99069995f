//! Events as API Gateway writes them, with its nulls and its fields that nobody asked for. After the examples
//! in
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
//! and <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.

use chat_lambda::GatewayFunction as _;
use serde_json::{Value, json};

use crate::support::{Answer, Chat, JUNHO, MINJI, merged};

const CONNECTION: &str = "L0SM9cOFvHcCIhw=";

fn web_socket_context(chat: &Chat, fields: Value) -> Value {
    let now_ms = chat.now().unix_ms();
    let context = json!({
        "requestId": "JKJaXmPLvHcESHA=", "extendedRequestId": "JKJaXmPLvHcESHA=", "apiId": "1234567890",
        "requestTime": "23/Nov/2026:09:00:00 +0000", "requestTimeEpoch": now_ms, "connectedAt": now_ms,
        "connectionId": CONNECTION, "stage": "prod", "messageDirection": "IN",
        "domainName": "1234567890.execute-api.us-east-1.amazonaws.com",
        "identity": { "userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.1" },
    });
    merged(context, fields)
}

fn connect(chat: &Chat) -> Value {
    json!({
        "headers": { "Host": "1234567890.execute-api.us-east-1.amazonaws.com", "Sec-WebSocket-Version": "13",
                     "Sec-WebSocket-Protocol": format!("chat.v1, {}", chat.token(MINJI)) },
        "multiValueHeaders": { "Host": ["1234567890.execute-api.us-east-1.amazonaws.com"],
                     "Sec-WebSocket-Protocol": [format!("chat.v1, {}", chat.token(MINJI))] },
        "requestContext": web_socket_context(chat, json!({ "routeKey": "$connect", "eventType": "CONNECT" })),
        "isBase64Encoded": false,
    })
}

fn message(chat: &Chat, body: &Value) -> Value {
    let route = json!({ "routeKey": "sendMessage", "eventType": "MESSAGE", "messageId": "JKJaXcBXvHcCIhw=" });
    json!({
        "requestContext": web_socket_context(chat, route), "body": body.to_string(), "isBase64Encoded": false,
    })
}

fn disconnect(chat: &Chat) -> Value {
    let route = json!({
        "routeKey": "$disconnect", "eventType": "DISCONNECT", "disconnectStatusCode": 1001,
        "disconnectReason": "Going away",
    });
    json!({
        "headers": { "Host": "1234567890.execute-api.us-east-1.amazonaws.com", "x-api-key": "" },
        "requestContext": web_socket_context(chat, route), "isBase64Encoded": false,
    })
}

fn history(chat: &Chat) -> Value {
    json!({
        "resource": "/chat/history", "path": "/chat/history", "httpMethod": "GET",
        "headers": {
            "authorization": format!("Bearer {}", chat.token(JUNHO)), "origin": "https://chat.example.com",
        },
        "multiValueHeaders": { "authorization": [format!("Bearer {}", chat.token(JUNHO))] },
        "queryStringParameters": { "with": MINJI }, "multiValueQueryStringParameters": { "with": [MINJI] },
        "pathParameters": null, "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012", "apiId": "1234567890", "resourceId": "abc123", "stage": "prod",
            "resourcePath": "/chat/history", "httpMethod": "GET", "path": "/prod/chat/history",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "requestTime": "23/Nov/2026:09:00:00 +0000",
            "requestTimeEpoch": chat.now().unix_ms(),
            "identity": {
                "sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0",
                "accountId": null, "cognitoIdentityId": null,
            },
        },
        "body": null, "isBase64Encoded": false,
    })
}

#[tokio::test]
async fn the_seeds_story_in_the_gateways_own_words() {
    let chat = Chat::new();
    let event = serde_json::from_value(connect(&chat)).unwrap();
    let answer = Answer::from(chat.server.connect.handle(&event).await);
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (200, Some("chat.v1")));

    let frame = json!({ "action": "sendMessage", "receiverEmail": JUNHO, "message": "안녕하세요" });
    let event = serde_json::from_value(message(&chat, &frame)).unwrap();
    let answer = Answer::from(chat.server.frames.handle(&event).await);
    assert_eq!((answer.status, &answer.body["type"]), (200, &json!("sent")));

    let event = serde_json::from_value(history(&chat)).unwrap();
    let answer = Answer::from(chat.server.rest.handle(&event).await);
    assert_eq!((answer.status, &answer.body["messages"][0]["message"]), (200, &json!("안녕하세요")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://chat.example.com"));

    let event = serde_json::from_value(disconnect(&chat)).unwrap();
    assert_eq!(chat.server.disconnect.handle(&event).await.status_code, 200);
    let row = chat.ports.connections.get(&chat_domain::ConnectionId::new(CONNECTION)).await.unwrap();
    assert_eq!(row, None);
}
