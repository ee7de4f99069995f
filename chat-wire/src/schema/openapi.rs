use std::collections::BTreeMap;
use std::time::Duration;

use chat_domain::{
    DOWNLOAD_URL_LIFETIME, PAGE_MAX, ROOMS_PAGE_MAX, SEARCH_HITS_MAX, SEARCH_PAGES_MAX,
    SEARCH_QUERY_MAX_CHARS, UPLOAD_URL_LIFETIME,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Schemas, formats, yaml};
use crate::error::ErrorCode;
use crate::frames::{ErrorBody, SentFrame};
use crate::rest::{
    AttachmentUrlBody, BlockedBody, ConversationsBody, HistoryBody, ProposalRequestBody, SearchBody,
    UploadBody, UploadRequestBody,
};
use crate::table::{Operation, ROUTES};

const DESCRIPTION: &str = "\
The REST half of the chat; `asyncapi.yaml` describes the WebSocket. Every answer, also a refusal, carries \
`Cache-Control: no-store`; web pages of the allowed origins may call. Unknown keys in a request are ignored, \
and answers may gain keys: ignore those you do not know.";

/// The whole file. The fields stand in the order people look for them.
#[derive(Serialize)]
struct OpenApi {
    openapi: &'static str,
    info: Value,
    servers: Value,
    security: Value,
    paths: BTreeMap<&'static str, BTreeMap<String, Value>>,
    components: Value,
}

pub(super) fn document() -> String {
    let mut schemas = Schemas::new();
    let mut paths = BTreeMap::<_, BTreeMap<_, _>>::new();
    for route in ROUTES {
        let mut description = description(route.operation, &mut schemas);
        description["operationId"] = json!(route.operation);
        paths.entry(route.resource).or_default().insert(route.method.as_str().to_lowercase(), description);
    }
    let document = OpenApi {
        openapi: "3.1.0",
        info: json!({
            "title": "Chat, REST",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        }),
        servers: json!([
            {
                "description": "Deployed",
                "url": "https://{apiId}.execute-api.{region}.amazonaws.com/prod",
                "variables": { "apiId": { "default": "example" }, "region": { "default": "us-east-1" } },
            },
            { "description": "The local gateway", "url": "http://127.0.0.1:8080" },
        ]),
        security: json!([{ "accessToken": [] }]),
        paths,
        components: json!({
            "schemas": schemas.components(),
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of the user pool; its e-mail address must be verified.",
                },
            },
            "headers": {
                "NoStore": {
                    "description": "No cache may keep the answer.",
                    "required": true,
                    "schema": { "const": "no-store" },
                },
            },
        }),
    };
    yaml(&document)
}

/// The codes that any route may answer with.
const ANYWHERE: [ErrorCode; 5] = [
    ErrorCode::BadRequest,
    ErrorCode::Unauthorized,
    ErrorCode::AuthExpired,
    ErrorCode::Unavailable,
    ErrorCode::Internal,
];

fn description(operation: Operation, schemas: &mut Schemas) -> Value {
    match operation {
        Operation::History => history(schemas),
        Operation::Search => search(schemas),
        Operation::Conversations => conversations(schemas),
        Operation::Blocked => blocked(schemas),
        Operation::RequestUpload => request_upload(schemas),
        Operation::OpenAttachment => open_attachment(schemas),
        Operation::ProposeMatch => propose_match(schemas),
    }
}

fn history(schemas: &mut Schemas) -> Value {
    json!({
        "summary": "A page of a conversation",
        "description": "Newest first, for people who scroll back. With `after` oldest first and strongly \
            consistent: the sync. Follow `nextAfter` until `hasMore` is false, and nothing that was \
            acknowledged before is missing.",
        "parameters": [
            query("with", "The other member.", true, schemas.reference::<formats::EmailAddress>()),
            query("before", "Only what is older.", false, schemas.reference::<formats::Timestamp>()),
            query(
                "after",
                "Only what is newer; excludes `before`.",
                false,
                schemas.reference::<formats::Timestamp>(),
            ),
            query(
                "around",
                "About half a page up to there, and half a page after it; excludes the others.",
                false,
                schemas.reference::<formats::Timestamp>(),
            ),
            query(
                "limit",
                "How many messages at the most.",
                false,
                json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_MAX }),
            ),
        ],
        "responses": responses::<HistoryBody>(
            "The page.",
            &[ErrorCode::InvalidEmail, ErrorCode::SelfChat],
            schemas,
        ),
    })
}

fn search(schemas: &mut Schemas) -> Value {
    json!({
        "summary": "The messages of a conversation that have some words",
        "description": format!(
            "From the newest backwards, in any case, without regard to white space, and with an unfinished \
             last syllable. One call reads at most {SEARCH_PAGES_MAX} pages of {PAGE_MAX}, and finds at most \
             {SEARCH_HITS_MAX} messages; one that needs a second page counts for {SEARCH_PAGES_MAX} \
             requests. While `more` is true, it goes on with `searchedTo` as `before`."
        ),
        "parameters": [
            query("with", "The other member.", true, schemas.reference::<formats::EmailAddress>()),
            query(
                "q",
                "What is looked for.",
                true,
                json!({ "type": "string", "minLength": 1, "maxLength": SEARCH_QUERY_MAX_CHARS }),
            ),
            query("before", "Only what is older.", false, schemas.reference::<formats::Timestamp>()),
        ],
        "responses": responses::<SearchBody>(
            "What was found, and how far it has looked.",
            &[ErrorCode::InvalidEmail, ErrorCode::SelfChat, ErrorCode::RateLimited],
            schemas,
        ),
    })
}

fn conversations(schemas: &mut Schemas) -> Value {
    json!({
        "summary": format!("The caller's conversations, newest first, {ROOMS_PAGE_MAX} a page"),
        "parameters": [cursor()],
        "responses": responses::<ConversationsBody>("The page.", &[], schemas),
    })
}

fn blocked(schemas: &mut Schemas) -> Value {
    json!({
        "summary": "The people whom the caller blocks, by the pages of the caller's conversations",
        "parameters": [cursor()],
        "responses": responses::<BlockedBody>("The page.", &[], schemas),
    })
}

fn cursor() -> Value {
    let description = "The `nextCursor` of the page before. It is bound to the caller.";
    query("cursor", description, false, json!({ "type": "string" }))
}

const fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs() / 60
}

fn request_upload(schemas: &mut Schemas) -> Value {
    json!({
        "summary": format!("A URL to upload an image to, for {} minutes", minutes(UPLOAD_URL_LIFETIME)),
        "requestBody": body::<UploadRequestBody>(schemas),
        "responses": responses::<UploadBody>(
            "Where to `PUT` exactly the announced bytes, once.",
            &[
                ErrorCode::InvalidEmail,
                ErrorCode::SelfChat,
                ErrorCode::NotAccepted,
                ErrorCode::AttachmentRejected,
            ],
            schemas,
        ),
    })
}

fn open_attachment(schemas: &mut Schemas) -> Value {
    json!({
        "summary": format!("A URL to download an image from, for {} minutes", minutes(DOWNLOAD_URL_LIFETIME)),
        "parameters": [{
            "name": "key",
            "in": "path",
            "description": "The `key` of a message's `attachment`.",
            "required": true,
            "schema": schemas.reference::<formats::AttachmentKey>(),
        }],
        "responses": responses::<AttachmentUrlBody>("The URL.", &[ErrorCode::AttachmentMissing], schemas),
    })
}

fn propose_match(schemas: &mut Schemas) -> Value {
    json!({
        "summary": "Proposes a match",
        "description": "Stored, pushed and listed like any message. A retry with the same id gets the \
            original answer, with `duplicate`.",
        "requestBody": body::<ProposalRequestBody>(schemas),
        "responses": responses::<SentFrame>(
            "The proposal is stored, for good.",
            &[
                ErrorCode::InvalidEmail,
                ErrorCode::SelfChat,
                ErrorCode::IdReused,
                ErrorCode::ResyncNeeded,
                ErrorCode::NotAccepted,
                ErrorCode::ProposalState,
                ErrorCode::RateLimited,
            ],
            schemas,
        ),
    })
}

fn query(name: &str, description: &str, required: bool, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "required": required, "schema": schema })
}

fn body<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": schemas.reference::<T>() } } })
}

fn responses<T: JsonSchema>(success: &str, codes: &[ErrorCode], schemas: &mut Schemas) -> Value {
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for code in ANYWHERE.iter().chain(codes) {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    let errors = by_status.into_iter().map(|(status, codes)| {
        let codes: Vec<_> = codes.into_iter().map(described).collect();
        (status.to_string(), response(&codes.join(", "), schemas.reference::<ErrorBody>()))
    });
    let errors: Vec<_> = errors.collect();
    let success = ("200".to_owned(), response(success, schemas.reference::<T>()));
    Value::Object(errors.into_iter().chain([success]).collect())
}

/// The code, and whether the same request is worth another try.
fn described(code: ErrorCode) -> String {
    let name = json!(code);
    let name = name.as_str().expect("a code is written as a string");
    let retry = if code.retryable() { " (retryable)" } else { "" };
    format!("`{name}`{retry}")
}

fn response(description: &str, schema: Value) -> Value {
    json!({
        "description": description,
        "headers": { "Cache-Control": { "$ref": "#/components/headers/NoStore" } },
        "content": { "application/json": { "schema": schema } },
    })
}
