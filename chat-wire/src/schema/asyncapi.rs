use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Schemas, yaml};
use crate::frames::ServerFrame;
use crate::table::{ACTIONS, ClientFrame, PUSHES, SUBPROTOCOL};

const DESCRIPTION: &str = "\
The WebSocket half of the chat, as the server sees it: it receives what a client says and sends what a \
client is told. `openapi.yaml` describes the REST half. Pushes are hints: the truth is in the history, \
which a client reads when it opens, when `seq` shows a hole and when it comes back. Unknown keys are \
ignored in both directions. A frame has at most 32 KB.";

/// The whole file. The fields stand in the order people look for them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AsyncApi {
    asyncapi: &'static str,
    info: Value,
    default_content_type: &'static str,
    servers: Value,
    channels: Value,
    operations: Value,
    components: Value,
}

pub(super) fn document() -> String {
    let mut schemas = Schemas::new();
    schemas.reference::<ClientFrame>();
    schemas.reference::<ServerFrame>();
    let schemas = schemas.components();
    let said = messages(&schemas, "ClientFrame", "action", "client");
    let told = messages(&schemas, "ServerFrame", "type", "server");
    let messages: Map<_, _> = said.into_iter().chain(told).collect();
    let document = AsyncApi {
        asyncapi: "3.0.0",
        info: json!({
            "title": "Chat, WebSocket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        }),
        default_content_type: "application/json",
        servers: servers(),
        channels: json!({ "chat": channel(&messages) }),
        operations: operations(),
        components: json!({
            "schemas": schemas,
            "messages": messages,
            "securitySchemes": security_schemes(),
        }),
    };
    yaml(&document)
}

fn servers() -> Value {
    json!({
        "deployed": {
            "host": "{apiId}.execute-api.{region}.amazonaws.com",
            "pathname": "/prod",
            "protocol": "wss",
            "variables": { "apiId": { "default": "example" }, "region": { "default": "us-east-1" } },
            "security": security(),
        },
        "local": {
            "host": "127.0.0.1:8080",
            "pathname": "/prod",
            "protocol": "ws",
            "description": "The local gateway",
            "security": security(),
        },
    })
}

/// The one channel there is, which all messages go over.
fn channel(messages: &Map<String, Value>) -> Value {
    let references = messages.keys().map(|name| (name.clone(), reference(&["components", "messages", name])));
    json!({
        "address": "/",
        "description": "A connection of one signed-in user. It is refused with 401 without a good token, \
            with 403 for a web page of another origin, and lives for two hours at the most.",
        "messages": references.collect::<Map<_, _>>(),
        "bindings": { "ws": {
            "method": "GET",
            "query": {
                "type": "object",
                "properties": { "token": {
                    "type": "string",
                    "description": "The access token, when it is not in `Sec-WebSocket-Protocol`.",
                } },
            },
            "headers": {
                "type": "object",
                "properties": { "Sec-WebSocket-Protocol": {
                    "type": "string",
                    "pattern": format!("^{}, .+$", SUBPROTOCOL.replace('.', r"\.")),
                    "description": format!(
                        "`{SUBPROTOCOL}, <access token>`, which keeps the token out of URLs. The server \
                         selects `{SUBPROTOCOL}`."
                    ),
                } },
            },
        } },
    })
}

fn security_schemes() -> Value {
    json!({
        "queryToken": {
            "type": "httpApiKey",
            "in": "query",
            "name": "token",
            "description": "The access token of the user pool; its e-mail address must be verified.",
        },
        "subprotocolToken": {
            "type": "httpApiKey",
            "in": "header",
            "name": "Sec-WebSocket-Protocol",
            "description": format!(
                "The same, as `{SUBPROTOCOL}, <access token>`: preferred, since URLs get logged."
            ),
        },
    })
}

/// One message for each variant of a frame enumeration, named after its tag.
fn messages(schemas: &Value, frame: &str, tag: &str, speaker: &str) -> Vec<(String, Value)> {
    let variants = schemas[frame]["oneOf"].as_array().expect("a tagged enumeration is a list of variants");
    let message = |(place, variant): (usize, &Value)| {
        let name = variant["properties"][tag]["const"].as_str().expect("a variant's tag is constant");
        let place = place.to_string();
        let message = json!({
            "name": name,
            "summary": variant["description"],
            "payload": reference(&["components", "schemas", frame, "oneOf", &place]),
        });
        (format!("{speaker}.{name}"), message)
    };
    variants.iter().enumerate().map(message).collect()
}

fn operations() -> Value {
    let channel = reference(&["channels", "chat"]);
    let message = |speaker: &str, name: &str| {
        reference(&["channels", "chat", "messages", &format!("{speaker}.{name}")])
    };
    let answered = ACTIONS.iter().map(|action| {
        let answers: Vec<_> = action.answers.iter().map(|answer| message("server", answer)).collect();
        let operation = json!({
            "action": "receive",
            "channel": channel,
            "messages": [message("client", action.name)],
            "reply": { "channel": channel, "messages": answers },
        });
        (action.name.to_owned(), operation)
    });
    let pushed = PUSHES.iter().map(|event| {
        let operation =
            json!({ "action": "send", "channel": channel, "messages": [message("server", event)] });
        (format!("push.{event}"), operation)
    });
    Value::Object(answered.chain(pushed).collect())
}

fn security() -> Value {
    json!([
        reference(&["components", "securitySchemes", "subprotocolToken"]),
        reference(&["components", "securitySchemes", "queryToken"]),
    ])
}

fn reference(path: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", path.join("/")) })
}
