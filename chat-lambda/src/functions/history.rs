use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chat_domain::{
    AccessToken, AttachmentKey, ChatError, ClientMessageId, Conversations, Correlation, History, Identify,
    IdentityVerifier, ImageFacts, OpenAttachment, PageLimit, PageRange, RequestUpload, SendMessage,
    Timestamp, VerifiedIdentity,
};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;

use super::{AllowedOrigins, Counts, Handler, Ports, Settings, log_sent, response, time};
use chat_wire::cursor;
use chat_wire::error::{ErrorCode, WireError};
use chat_wire::frames::{SendMessageFrame, SentFrame, email};
use chat_wire::json;
use chat_wire::rest::{
    AttachmentUrlBody, ConversationBody, ConversationsBody, HistoryBody, ProposalRequestBody, UploadBody,
    UploadRequestBody,
};

/// The function behind every REST route.
pub struct HistoryFunction {
    verifier: Arc<dyn IdentityVerifier>,
    history: History,
    conversations: Conversations,
    request_upload: RequestUpload,
    open_attachment: OpenAttachment,
    send: SendMessage,
    allowed_origins: AllowedOrigins,
    counts: Counts,
}

/// A request whose caller is known.
struct Call<'a> {
    event: &'a ApiGatewayProxyRequest,
    caller: VerifiedIdentity,
    correlation: &'a Correlation,
    now: Timestamp,
}

impl HistoryFunction {
    /// Composes it.
    #[must_use]
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        let Ports { verifier, connections, messages, pusher, attachments, backoff } = ports.clone();
        let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
        Self {
            verifier,
            history: History::new(messages.clone()),
            conversations: Conversations::new(messages.clone()),
            request_upload: RequestUpload::new(attachments.clone()),
            open_attachment: OpenAttachment::new(attachments.clone()),
            send: SendMessage::new(
                identify,
                connections,
                messages,
                attachments,
                pusher,
                backoff,
                settings.rate,
            ),
            allowed_origins: settings.allowed_origins.clone(),
            counts: Counts::default(),
        }
    }

    /// Handles a REST request.
    pub async fn handle(&self, event: &ApiGatewayProxyRequest) -> ApiGatewayProxyResponse {
        let correlation = correlation(event);
        let response = if event.http_method == Method::OPTIONS {
            preflight()
        } else {
            match self.answer(event, &correlation).await {
                Ok(body) => {
                    let resource = event.resource.as_deref().unwrap_or_default();
                    tracing::info!(request_id = correlation.request_id, resource, outcome = "ok", "answered");
                    response::json(StatusCode::OK, body)
                }
                Err(error) => self.refuse(error, &correlation),
            }
        };
        self.with_headers(response, event)
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> ApiGatewayProxyResponse {
        self.counts.answered(&error);
        response::error(error.code.status(), error, correlation)
    }

    fn with_headers(
        &self,
        mut response: ApiGatewayProxyResponse,
        event: &ApiGatewayProxyRequest,
    ) -> ApiGatewayProxyResponse {
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers.insert(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed_origins.allowed(&event.headers) {
            let origin = HeaderValue::from_str(origin).expect("it was read from a header");
            response.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        response
    }

    async fn answer(
        &self,
        event: &ApiGatewayProxyRequest,
        correlation: &Correlation,
    ) -> Result<String, WireError> {
        let now = time(event.request_context.request_time_epoch)?;
        let token = bearer(&event.headers)?;
        let caller = self.verifier.verify(&token, now).await.map_err(ChatError::from);
        let caller = caller.map_err(|error| response::refuse(error, correlation))?;
        let call = Call { event, caller, correlation, now };
        let resource = event.resource.as_deref().unwrap_or_default();
        match (&event.http_method, resource) {
            (&Method::GET, "/chat/history") => Ok(to_json(&self.history(&call).await?)),
            (&Method::GET, "/chat/conversations") => Ok(to_json(&self.conversations(&call).await?)),
            (&Method::POST, "/chat/uploads") => Ok(to_json(&self.upload(&call).await?)),
            (&Method::GET, "/chat/attachments/{key}") => Ok(to_json(&self.attachment(&call).await?)),
            (&Method::POST, "/chat/proposals") => Ok(to_json(&self.propose(&call).await?)),
            _ => Err(WireError::bad_request("there is no such route")),
        }
    }

    async fn history(&self, call: &Call<'_>) -> Result<HistoryBody, WireError> {
        let with = call.query("with")?.ok_or_else(|| WireError::bad_request("with: missing"))?;
        let peer = email("with", with)?;
        let limit = match call.query("limit")? {
            None => PageLimit::MAX,
            Some(text) => Some(text)
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|text| text.parse().ok())
                .and_then(|limit| PageLimit::new(limit).ok())
                .ok_or_else(|| WireError::bad_request("limit: a whole number from 1 to 50"))?,
        };
        let range = match (call.timestamp("before")?, call.timestamp("after")?) {
            (None, None) => PageRange::Newest,
            (Some(before), None) => PageRange::Before(before),
            (None, Some(after)) => PageRange::After(after),
            (Some(_), Some(_)) => return Err(WireError::bad_request("before and after exclude each other")),
        };
        let page = self.history.execute(call.caller.email(), &peer, range, limit).await;
        page.map(|page| HistoryBody::new(&page, range)).map_err(|error| call.refuse(error))
    }

    async fn conversations(&self, call: &Call<'_>) -> Result<ConversationsBody, WireError> {
        let caller = call.caller.email();
        let after = call.query("cursor")?.map(|text| cursor::decode(text, caller)).transpose()?;
        let page = self.conversations.execute(caller, after).await.map_err(|error| call.refuse(error))?;
        Ok(ConversationsBody {
            conversations: page.conversations.iter().map(ConversationBody::from).collect(),
            total_unread: page.total_unread,
            next_cursor: page.next.map(|place| cursor::encode(place, caller)),
        })
    }

    async fn upload(&self, call: &Call<'_>) -> Result<UploadBody, WireError> {
        let request: UploadRequestBody = json::object(&body(call.event)?)?;
        let peer = email("with", &request.with)?;
        let facts =
            ImageFacts::new(request.content_type.parse()?, request.size, request.width, request.height)?;
        let caller = call.caller.email();
        let upload = self.request_upload.execute(caller, &peer, facts, rand::random(), call.now).await;
        upload.map(UploadBody::from).map_err(|error| call.refuse(error))
    }

    async fn attachment(&self, call: &Call<'_>) -> Result<AttachmentUrlBody, WireError> {
        let key: AttachmentKey = call
            .event
            .path_parameters
            .get("key")
            .and_then(|key| key.parse().ok())
            .ok_or_else(|| call.refuse(ChatError::AttachmentMissing))?;
        let url = self.open_attachment.execute(call.caller.email(), &key, call.now).await;
        url.map(AttachmentUrlBody::from).map_err(|error| call.refuse(error))
    }

    async fn propose(&self, call: &Call<'_>) -> Result<SentFrame, WireError> {
        let request: ProposalRequestBody = json::object(&body(call.event)?)?;
        let id: ClientMessageId = request.client_message_id.parse()?;
        let frame = SendMessageFrame {
            receiver_email: request.receiver_email,
            after: request.after,
            proposal: Some(request.proposal),
            ..SendMessageFrame::default()
        };
        let command = frame.into_command(|| id)?;
        let sent = self.send.from_identity(&call.caller, command, call.now).await;
        let sent = sent.map_err(|error| call.refuse(error))?;
        self.counts.sent(sent.outcome);
        log_sent(&sent, call.correlation);
        Ok(SentFrame::from(&sent))
    }
}

#[async_trait]
impl Handler for HistoryFunction {
    type Event = ApiGatewayProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        self.handle(event).await
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        let response = self.refuse(WireError::fault(code), &correlation(event));
        self.with_headers(response, event)
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Call<'_> {
    /// A query parameter that comes at most once.
    fn query(&self, name: &str) -> Result<Option<&str>, WireError> {
        let single = &self.event.query_string_parameters;
        let multi = &self.event.multi_value_query_string_parameters;
        let mut values = multi.all(name).or_else(|| single.all(name)).unwrap_or_default().into_iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(WireError::bad_request("comes twice").in_field(name)),
        }
    }

    fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, WireError> {
        let at = self.query(name)?.map(str::parse).transpose();
        at.map_err(|error| WireError::from(error).in_field(name))
    }

    fn refuse(&self, error: ChatError) -> WireError {
        response::refuse(error, self.correlation)
    }
}

fn correlation(event: &ApiGatewayProxyRequest) -> Correlation {
    let request_id = event.request_context.request_id.clone().unwrap_or_default();
    Correlation { request_id, message: named_message(event) }
}

fn body(event: &ApiGatewayProxyRequest) -> Result<String, WireError> {
    let body = event.body.clone().unwrap_or_default();
    if !event.is_base64_encoded {
        return Ok(body);
    }
    let bytes = BASE64_STANDARD.decode(body).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| WireError::bad_request("the body is not text"))
}

/// The message that a request is about, if it names one: an error's answer names it too.
fn named_message(event: &ApiGatewayProxyRequest) -> Option<ClientMessageId> {
    event.body.as_ref()?;
    let [id] = json::pick(&body(event).ok()?, ["clientMessageId"]).ok()?;
    id?.as_str()?.parse().ok()
}

fn to_json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("strings, numbers and booleans always serialise")
}

fn bearer(headers: &HeaderMap) -> Result<AccessToken, WireError> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(AccessToken::new(token.trim()))
        }
        _ => Err(WireError::new(ErrorCode::Unauthorized, "Authorization: Bearer <token> is needed")),
    }
}

/// The answer to a browser that asks whether a page may call. Whether it may, the allowed origin says.
fn preflight() -> ApiGatewayProxyResponse {
    let mut response = response::status(StatusCode::NO_CONTENT);
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in headers {
        response.headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
