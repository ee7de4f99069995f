use std::collections::HashMap;
use std::sync::Arc;

use chat_domain::{
    AccessToken, Activity, Admit, AttachmentKey, Blocked, ChatError, ClientMessageId, Content, Conversations,
    Correlation, Email, History, IdentityVerifier, ImageFacts, LimitCalls, OpenAttachment, PAGE_MAX,
    PageLimit, PageRange, RequestUpload, Search, SearchQueryError, SendCommand, SendMessage, StoreMessage,
    Timestamp, VerifiedIdentity,
};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::response::{self, to_json};
use super::{AllowedOrigins, Counts, Ports, Refused, Settings, UserTags, instant, log};
use crate::cursor;
use crate::error::{ErrorCode, WireError};
use crate::frames::{SentFrame, email};
use crate::json::Object;
use crate::rest::{
    AttachmentUrlBody, BlockedBody, BlockedPeerBody, ConversationBody, ConversationsBody, HistoryBody,
    ProposalRequestBody, SearchBody, UploadBody, UploadRequestBody,
};
use crate::table::{Operation, ROUTES};

/// A request to one of the routes of REST, as a server has it once the route is matched.
#[derive(Clone, Copy, Debug)]
pub struct RestRequest<'a> {
    /// The method of the request.
    pub method: &'a Method,
    /// The route's path as [`ROUTES`] has it, such as `/chat/attachments/{key}`.
    pub resource: &'a str,
    /// What stands in the path in the places of the resource's parameters, decoded.
    pub path_parameters: &'a HashMap<String, String>,
    /// The parameters of the query string in their order, decoded.
    pub query: &'a [(String, String)],
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The body: empty when there is none, `None` when it is not text.
    pub body: Option<&'a str>,
    /// The server's name for the request, which an error tells the client.
    pub request_id: &'a str,
    /// When the request was received, in milliseconds since 1970.
    pub now_ms: i64,
}

type Body<'a> = Result<Object<'a, 1>, WireError>;

impl<'a> RestRequest<'a> {
    fn body(&self) -> Body<'a> {
        let text = self.body.ok_or_else(|| WireError::bad_request("the body is not text"))?;
        Object::look(text, ["clientMessageId"])
    }

    /// What an answer is matched by. An error names the message that the request is about, if the body names
    /// one.
    fn correlation(&self, body: &Body<'_>) -> Correlation {
        let id = body.as_ref().ok().and_then(|body| body.picked[0].as_ref()).and_then(Value::as_str);
        let message = id.and_then(|id| id.parse().ok());
        Correlation { request_id: self.request_id.to_owned(), message }
    }
}

/// A request whose caller is known.
struct Call<'a> {
    request: &'a RestRequest<'a>,
    body: Body<'a>,
    caller: VerifiedIdentity,
    correlation: &'a Correlation,
    now: Timestamp,
}

/// Answers the requests to all routes of REST, with a status, headers and a body that go out as they are.
pub struct RestHandler {
    verifier: Arc<dyn IdentityVerifier>,
    admit: Admit,
    limit: LimitCalls,
    history: History,
    search: Search,
    conversations: Conversations,
    blocked: Blocked,
    request_upload: RequestUpload,
    open_attachment: OpenAttachment,
    send: SendMessage,
    allowed_origins: AllowedOrigins,
    user_tags: UserTags,
    counts: Counts,
}

impl RestHandler {
    /// Composes the handler of its use cases.
    #[must_use]
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        let Ports { verifier, users, connections, messages, pusher, attachments, backoff, .. } =
            ports.clone();
        let policy = settings.policy();
        Self {
            verifier,
            admit: Admit::new(users.clone()),
            limit: LimitCalls::new(settings.rates.requests, users.clone()),
            history: History::new(messages.clone(), settings.first_contact),
            search: Search::new(
                messages.clone(),
                users.clone(),
                settings.first_contact,
                settings.rates.requests,
            ),
            conversations: Conversations::new(messages.clone(), settings.first_contact),
            blocked: Blocked::new(messages.clone()),
            request_upload: RequestUpload::new(messages.clone(), attachments.clone(), users.clone(), policy),
            open_attachment: OpenAttachment::new(attachments.clone(), users.clone(), settings.rates.requests),
            send: SendMessage::new(
                StoreMessage::new(messages, attachments, users, backoff, policy),
                connections,
                pusher,
            ),
            allowed_origins: settings.allowed_origins.clone(),
            user_tags: settings.user_tags.clone(),
            counts: Counts::default(),
        }
    }

    /// Answers a request, with all headers that browsers and caches need. `OPTIONS` is answered on every
    /// resource.
    pub async fn answer(&self, request: &RestRequest<'_>) -> Response<String> {
        let response = if request.method == Method::OPTIONS {
            preflight()
        } else {
            let body = request.body();
            let correlation = request.correlation(&body);
            let (user, answered) = match self.caller(request).await {
                Ok((caller, now)) => {
                    let user = self.user_tags.of(caller.email());
                    let call = Call { request, body, caller, correlation: &correlation, now };
                    (user, self.execute(&call).await)
                }
                Err(refused) => (None, Err(refused)),
            };
            match answered {
                Ok(body) => {
                    let (request_id, resource) = (request.request_id, request.resource);
                    tracing::debug!(request_id, user, resource, outcome = "ok", "answered");
                    response::with_body(StatusCode::OK, body)
                }
                Err(refused) => self.refuse(refused.logged(&correlation, user.as_deref()), &correlation),
            }
        };
        self.with_headers(response, request)
    }

    /// What to answer when answering was given up: it panicked, or took too long. Nobody knows what it has
    /// done by then, so the code is one that says so.
    #[must_use]
    pub fn given_up(&self, request: &RestRequest<'_>, code: ErrorCode) -> Response<String> {
        let correlation = request.correlation(&request.body());
        self.with_headers(self.refuse(WireError::fault(code), &correlation), request)
    }

    /// What the handler has counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> Response<String> {
        self.counts.answered(&error);
        response::error(error.code.status(), error, correlation)
    }

    fn with_headers(&self, mut response: Response<String>, request: &RestRequest<'_>) -> Response<String> {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed_origins.allowed(request.headers) {
            let origin = HeaderValue::from_str(origin).expect("it was read from a header");
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        response
    }

    async fn caller(&self, request: &RestRequest<'_>) -> Result<(VerifiedIdentity, Timestamp), Refused> {
        let now = instant(request.now_ms)?;
        let token = bearer(request.headers)?;
        Ok((self.verifier.verify(&token, now).await.map_err(ChatError::from)?, now))
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refused> {
        let Call { request, caller, now, .. } = call;
        self.limit.execute(caller.email(), request.request_id, *now).await?;
        self.admit.execute(caller, *now).await?;
        let operation = Operation::of(request.method, request.resource)
            .ok_or_else(|| WireError::bad_request("there is no such route"))?;
        let body = match operation {
            Operation::History => to_json(&self.history(call).await?),
            Operation::Search => to_json(&self.search(call).await?),
            Operation::Conversations => to_json(&self.conversations(call).await?),
            Operation::Blocked => to_json(&self.blocked(call).await?),
            Operation::RequestUpload => to_json(&self.request_upload(call).await?),
            Operation::OpenAttachment => to_json(&self.open_attachment(call).await?),
            Operation::ProposeMatch => to_json(&self.propose_match(call).await?),
        };
        self.limit.charge(caller.email(), request.request_id, body.len(), *now).await;
        Ok(body)
    }

    async fn history(&self, call: &Call<'_>) -> Result<HistoryBody, Refused> {
        let peer = call.peer()?;
        if let Some(at) = call.timestamp("around")? {
            return self.around(call, &peer, at).await;
        }
        let limit = match call.query("limit")? {
            None => PageLimit::MAX,
            Some(text) => Some(text)
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|text| text.parse().ok())
                .and_then(|limit| PageLimit::new(limit).ok())
                .ok_or_else(|| {
                    WireError::bad_request(format!("limit: a whole number from 1 to {PAGE_MAX}"))
                })?,
        };
        let range = match (call.timestamp("before")?, call.timestamp("after")?) {
            (None, None) => PageRange::Newest,
            (Some(before), None) => PageRange::Before(before),
            (None, Some(after)) => PageRange::After(after),
            (Some(_), Some(_)) => {
                return Err(WireError::bad_request("before and after exclude each other").into());
            }
        };
        let page = self.history.execute(call.caller.email(), &peer, range, limit).await?;
        Ok(HistoryBody::new(&page, range))
    }

    async fn around(&self, call: &Call<'_>, peer: &Email, at: Timestamp) -> Result<HistoryBody, Refused> {
        for excluded in ["before", "after", "limit"] {
            if call.query(excluded)?.is_some() {
                return Err(
                    WireError::bad_request(format!("around and {excluded} exclude each other")).into()
                );
            }
        }
        let page = self.history.around(call.caller.email(), peer, at).await?;
        // A clock may be behind the one that the newest message was dated by.
        let newest = page.messages.first().map(|newest| newest.at);
        if at > call.now && Some(at) > newest {
            return Err(WireError::bad_request("that is in the future").in_field("around").into());
        }
        Ok(HistoryBody::new(&page, PageRange::Newest))
    }

    async fn search(&self, call: &Call<'_>) -> Result<SearchBody, Refused> {
        let peer = call.peer()?;
        let query = call.query("q")?.ok_or_else(|| WireError::bad_request("q: missing"))?;
        let query =
            query.parse().map_err(|error: SearchQueryError| WireError::bad_request(error.to_string()));
        let query = query.map_err(|error| error.in_field("q"))?;
        let before = call.timestamp("before")?;
        let found = self.search.execute(call.caller.email(), &peer, &query, before, call.now).await?;
        Ok(SearchBody::from(&found))
    }

    async fn conversations(&self, call: &Call<'_>) -> Result<ConversationsBody, Refused> {
        let caller = call.caller.email();
        let page = self.conversations.execute(caller, call.cursor()?).await?;
        Ok(ConversationsBody {
            conversations: page.conversations.iter().map(ConversationBody::from).collect(),
            total_unread: page.total_unread,
            next_cursor: page.next.map(|place| cursor::encode(place, caller)),
        })
    }

    async fn blocked(&self, call: &Call<'_>) -> Result<BlockedBody, Refused> {
        let caller = call.caller.email();
        let page = self.blocked.execute(caller, call.cursor()?).await?;
        Ok(BlockedBody {
            blocked: page.blocked.iter().map(BlockedPeerBody::from).collect(),
            next_cursor: page.next.map(|place| cursor::encode(place, caller)),
        })
    }

    async fn request_upload(&self, call: &Call<'_>) -> Result<UploadBody, Refused> {
        let body: UploadRequestBody = call.body()?;
        let peer = email("with", &body.with)?;
        let kind = body.content_type.parse().map_err(WireError::from)?;
        let facts = ImageFacts::new(kind, body.size, body.width, body.height).map_err(WireError::from)?;
        let caller = call.caller.email();
        let upload = self.request_upload.execute(caller, &peer, facts, rand::random(), call.now).await?;
        self.log_image_url(call, "for an upload");
        Ok(upload.into())
    }

    async fn open_attachment(&self, call: &Call<'_>) -> Result<AttachmentUrlBody, Refused> {
        let key = call.request.path_parameters.get("key");
        let key: AttachmentKey = key.and_then(|key| key.parse().ok()).ok_or(ChatError::AttachmentMissing)?;
        let url = self.open_attachment.execute(call.caller.email(), &key, call.now).await?;
        self.log_image_url(call, "to open");
        Ok(url.into())
    }

    /// Whoever has such a URL needs no token, so who was given one is on record.
    fn log_image_url(&self, call: &Call<'_>, purpose: &str) {
        let (request_id, user) = (call.request.request_id, self.user_tags.of(call.caller.email()));
        tracing::info!(request_id, user, purpose, "image URL");
    }

    async fn propose_match(&self, call: &Call<'_>) -> Result<SentFrame, Refused> {
        let command = call.body::<ProposalRequestBody>()?.into_command()?;
        let sent = self.send.execute(&call.caller, command, call.now).await?;
        self.counts.sent(sent.outcome);
        log::sent(&sent, call.correlation, self.user_tags.of(call.caller.email()).as_deref());
        Ok(SentFrame::from(&sent))
    }
}

impl Call<'_> {
    /// A parameter of the query string that comes at most once.
    fn query(&self, name: &str) -> Result<Option<&str>, WireError> {
        let mut values = self.request.query.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
            (_, Some(_)) => Err(WireError::bad_request("comes twice").in_field(name)),
        }
    }

    /// The other member of the conversation that is asked for.
    fn peer(&self) -> Result<Email, WireError> {
        let with = self.query("with")?.ok_or_else(|| WireError::bad_request("with: missing"))?;
        email("with", with)
    }

    /// The place that the page begins after.
    fn cursor(&self) -> Result<Option<Activity>, WireError> {
        self.query("cursor")?.map(|text| cursor::decode(text, self.caller.email())).transpose()
    }

    fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, WireError> {
        let at = self.query(name)?.map(str::parse).transpose();
        at.map_err(|error| WireError::from(error).in_field(name))
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        self.body.as_ref().map_err(Clone::clone)?.read()
    }
}

impl ProposalRequestBody {
    /// The command that the body stands for.
    fn into_command(self) -> Result<SendCommand, WireError> {
        let id: ClientMessageId = self.client_message_id.parse()?;
        let receiver = email("receiverEmail", &self.receiver_email)?;
        let after = self.after.as_deref().map(str::parse).transpose();
        let after = after.map_err(|error| WireError::from(error).in_field("after"))?;
        Ok(SendCommand {
            receiver,
            id,
            after,
            content: Content::MatchProposal(self.proposal.try_into()?),
            reply_to: None,
        })
    }
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

/// The answer to a browser that asks whether a page may call. The allowed origin, a header of every answer,
/// says whether it may.
fn preflight() -> Response<String> {
    let mut methods = Vec::new();
    for method in ROUTES.iter().map(|route| &route.method).chain([&Method::OPTIONS]) {
        if !methods.contains(&method.as_str()) {
            methods.push(method.as_str());
        }
    }
    let methods = HeaderValue::from_str(&methods.join(", ")).expect("methods are ASCII");
    let mut response = response::status(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
