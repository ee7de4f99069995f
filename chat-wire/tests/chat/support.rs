//! The chat over the memory adapters, with nothing around it: requests go in, answers come out, and time
//! stands still until it is moved.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chat_adapters_memory::{
    MemoryAttachmentStore, MemoryConnectionStore, MemoryIdentityVerifier, MemoryMessageStore, MemoryPusher,
    MemoryReportStore, MemoryUserStore, NoBackoff, UploadRefused,
};
use chat_domain::{ConnectionId, DailyLimits, Event, FirstContact, Timestamp, UserId, VerifiedIdentity};
use chat_wire::frames::encode;
use chat_wire::{
    AllowedOrigins, ConnectRequest, DisconnectRequest, FrameRequest, Ports, Rates, RestRequest, Settings,
    UserTags,
};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

pub(crate) const MINJI: &str = "minji@example.com";
pub(crate) const JUNHO: &str = "junho@example.com";
pub(crate) const ROOM: &str = "junho@example.com#minji@example.com";
pub(crate) const ID: &str = "018f2d4e-7b1a-7c3d-9e5f-001122334455";
pub(crate) const OTHER_ID: &str = "018f2d4e-7b1a-7c3d-9e5f-00112233ffff";
pub(crate) const ORIGIN: &str = "https://chat.example.com";

/// The network address that everybody connects from.
pub(crate) const ADDRESS: &str = "203.0.113.9";
pub(crate) const LOG_TAG_KEY: &str = "a key of the tests";

/// When every test begins.
pub(crate) const START: &str = "2026-11-23T09:00:00.000Z";

/// The codes after which the same request may succeed, as `docs/protocol.md` lists them.
const RETRYABLE: [&str; 6] =
    ["authExpired", "unknownConnection", "rateLimited", "resyncNeeded", "unavailable", "internal"];

/// A [`ConnectRequest`] that owns what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    pub(crate) connection: String,
    pub(crate) request_id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) connected_at_ms: i64,
    pub(crate) now_ms: i64,
}

/// A [`FrameRequest`] that owns what it holds.
#[derive(Clone, Debug)]
pub(crate) struct FrameCall {
    pub(crate) text: String,
    pub(crate) connection: String,
    pub(crate) request_id: String,
    pub(crate) delivery_id: String,
    pub(crate) now_ms: i64,
}

impl FrameCall {
    pub(crate) fn request(&self) -> FrameRequest<'_> {
        let Self { text, connection, request_id, delivery_id, now_ms } = self;
        FrameRequest { text, connection, request_id, delivery_id, now_ms: *now_ms }
    }
}

/// A [`RestRequest`] that owns what it holds.
#[derive(Clone, Debug)]
pub(crate) struct RestCall {
    pub(crate) method: Method,
    pub(crate) resource: String,
    pub(crate) path_parameters: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
    pub(crate) request_id: String,
    pub(crate) now_ms: i64,
}

/// The chat, and who plays the server around it.
pub(crate) struct Chat {
    pub(crate) server: chat_wire::Chat,
    pub(crate) ports: Ports,
    pub(crate) verifier: MemoryIdentityVerifier,
    pub(crate) attachments: MemoryAttachmentStore,
    pusher: MemoryPusher,
    now_ms: AtomicI64,
    requests: AtomicU64,
}

impl Chat {
    /// One in which everybody may write to everybody.
    pub(crate) fn new() -> Self {
        Self::composed(|_| {}, open_settings())
    }

    /// One in which a first contact is a request.
    pub(crate) fn of_strangers() -> Self {
        Self::composed(|_| {}, Settings::default())
    }

    /// With some ports replaced, by mocks for example.
    pub(crate) fn with_ports(replace: impl FnOnce(&mut Ports)) -> Self {
        Self::composed(replace, open_settings())
    }

    pub(crate) fn composed(replace: impl FnOnce(&mut Ports), settings: Settings) -> Self {
        let verifier = MemoryIdentityVerifier::new();
        let attachments = MemoryAttachmentStore::new("http://127.0.0.1:8080/dev/objects", [7; 32]);
        let pusher = MemoryPusher::new();
        let mut ports = Ports {
            verifier: Arc::new(verifier.clone()),
            connections: Arc::new(MemoryConnectionStore::new()),
            messages: Arc::new(MemoryMessageStore::new()),
            pusher: Arc::new(pusher.clone()),
            attachments: Arc::new(attachments.clone()),
            reports: Arc::new(MemoryReportStore::new()),
            users: Arc::new(MemoryUserStore::new()),
            backoff: Arc::new(NoBackoff),
        };
        replace(&mut ports);
        let start: Timestamp = START.parse().unwrap();
        Self {
            server: chat_wire::Chat::new(&ports, &settings),
            ports,
            verifier,
            attachments,
            pusher,
            now_ms: AtomicI64::new(start.unix_ms()),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms.load(Ordering::Relaxed)).unwrap()
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.now_ms.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// A token of this user that is good for an hour.
    pub(crate) fn token(&self, email: &str) -> String {
        self.token_for(email, Duration::from_secs(3_600))
    }

    pub(crate) fn token_for(&self, email: &str, lifetime: Duration) -> String {
        let user = UserId::new(format!("sub-of-{email}"));
        let identity = VerifiedIdentity::vouched(email.parse().unwrap(), user, self.now().after(lifetime));
        let random = 0xfeed_0000 + u128::from(self.requests.fetch_add(1, Ordering::Relaxed));
        self.verifier.issue(identity, random).expose().to_owned()
    }

    /// A handshake without a token.
    pub(crate) fn handshake(&self) -> Handshake {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        Handshake {
            connection: format!("connection-{count}="),
            request_id: format!("request-{count}"),
            headers: HeaderMap::new(),
            query: Vec::new(),
            connected_at_ms: self.now().unix_ms(),
            now_ms: self.now().unix_ms(),
        }
    }

    pub(crate) async fn shake_hands(&self, handshake: &Handshake) -> Answer {
        let Handshake { connection, request_id, headers, query, connected_at_ms, now_ms } = handshake;
        let (connected_at_ms, now_ms) = (*connected_at_ms, *now_ms);
        let source = ADDRESS;
        let request =
            ConnectRequest { connection, request_id, headers, source, query, connected_at_ms, now_ms };
        self.server.connect.answer(&request).await.into()
    }

    /// Opens a socket as the seed does, with `?token=`.
    pub(crate) async fn connect(&self, email: &str) -> Socket<'_> {
        self.connect_for(email, Duration::from_secs(3_600)).await
    }

    pub(crate) async fn connect_for(&self, email: &str, lifetime: Duration) -> Socket<'_> {
        let mut handshake = self.handshake();
        handshake.query = query(&[("token", &self.token_for(email, lifetime))]);
        let answer = self.shake_hands(&handshake).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        self.open(&handshake.connection)
    }

    /// A socket that the gateway has open, whatever the store knows of it.
    pub(crate) fn open(&self, id: &str) -> Socket<'_> {
        let inbox = self.pusher.open(ConnectionId::new(id));
        Socket { chat: self, id: id.to_owned(), inbox }
    }

    /// A frame on this connection.
    pub(crate) fn frame_on(&self, connection: &str, text: &str) -> FrameCall {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        FrameCall {
            text: text.to_owned(),
            connection: connection.to_owned(),
            request_id: format!("request-{count}"),
            delivery_id: format!("message-{count}="),
            now_ms: self.now().unix_ms(),
        }
    }

    /// A REST request without a token.
    pub(crate) fn rest_call(&self, method: Method, resource: &str) -> RestCall {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        RestCall {
            method,
            resource: resource.to_owned(),
            path_parameters: HashMap::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Some(String::new()),
            request_id: format!("request-{count}"),
            now_ms: self.now().unix_ms(),
        }
    }

    pub(crate) async fn rest(&self, call: RestCall) -> Answer {
        self.rest_response(&call).await.into()
    }

    pub(crate) async fn rest_response(&self, call: &RestCall) -> Response<String> {
        answered_by(&self.server, call).await
    }

    /// The status that another process of the same functions answers this user with.
    pub(crate) async fn status_of(
        &self,
        process: &chat_wire::Chat,
        email: &str,
        mut call: RestCall,
    ) -> StatusCode {
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", self.token(email)));
        answered_by(process, &call).await.status()
    }

    pub(crate) async fn get(&self, email: &str, resource: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut call = self.rest_call(Method::GET, resource);
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", self.token(email)));
        call.query = query(parameters);
        self.rest(call).await
    }

    pub(crate) async fn post(&self, email: &str, resource: &str, body: &Value) -> Answer {
        self.post_text(email, resource, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, email: &str, resource: &str, body: &str) -> Answer {
        let mut call = self.rest_call(Method::POST, resource);
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", self.token(email)));
        call.body = Some(body.to_owned());
        self.rest(call).await
    }

    /// The conversation of `email` and `peer`, newest first.
    pub(crate) async fn history(&self, email: &str, peer: &str) -> Vec<Value> {
        let answer = self.get(email, "/chat/history", &[("with", peer)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["messages"].as_array().unwrap().clone()
    }

    /// Announces and uploads a picture of `email` for the conversation with `peer`: what a message shows it
    /// by.
    pub(crate) async fn upload(&self, email: &str, peer: &str) -> Value {
        let attachment = self.announce(email, peer).await;
        self.put(&attachment, &PNG);
        attachment["attachment"].clone()
    }

    /// Announces a picture without uploading it: `attachment`, and the `url` to upload it to.
    pub(crate) async fn announce(&self, email: &str, peer: &str) -> Value {
        self.announce_as(email, peer, json!({})).await
    }

    /// The same, with other facts than those of [`PNG`].
    pub(crate) async fn announce_as(&self, email: &str, peer: &str, facts: Value) -> Value {
        let request = merged(picture(json!({ "with": peer })), facts.clone());
        let answer = self.post(email, "/chat/uploads", &request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let attachment = merged(picture(facts), json!({ "key": answer.body["key"] }));
        json!({ "attachment": attachment, "url": answer.body["url"] })
    }

    /// Whether a member can download an attachment.
    pub(crate) async fn downloads(&self, email: &str, key: &str) -> bool {
        let mut call = self.rest_call(Method::GET, "/chat/attachments/{key}");
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", self.token(email)));
        call.path_parameters = [("key".to_owned(), key.to_owned())].into();
        let answer = self.rest(call).await;
        let url = answer.body["url"].as_str().expect("a URL is given whether or not there is an object");
        let query = url.split_once('?').expect("the URL is signed").1.to_owned();
        self.attachments.serve_download(key, &query, self.now()).is_ok()
    }

    /// Sends bytes to an announced picture's URL; they must be taken.
    pub(crate) fn put(&self, announced: &Value, bytes: &[u8]) {
        self.try_put(announced, bytes).unwrap();
    }

    /// Sends bytes to an announced picture's URL.
    pub(crate) fn try_put(&self, announced: &Value, bytes: &[u8]) -> Result<(), UploadRefused> {
        let url = announced["url"].as_str().unwrap();
        let (place, query) = url.split_once('?').unwrap();
        let key = place.rsplit('/').next().unwrap();
        let content_type = announced["attachment"]["contentType"].as_str().unwrap();
        self.attachments.accept_upload(key, query, content_type, bytes.to_vec().into(), self.now())
    }
}

/// The smallest thing that looks like a PNG of 640 by 480 pixels: a header, nothing compressed, an end.
pub(crate) const PNG: [u8; 65] =
    *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0\xba\xb3K\xb3\
    \0\0\0\x08IDATx\x9c\x03\0\0\0\0\x01H\x06\x89\xd2\0\0\0\0IEND\xaeB`\x82";

/// The facts of [`PNG`], and more fields.
pub(crate) fn picture(fields: Value) -> Value {
    merged(json!({ "contentType": "image/png", "size": PNG.len(), "width": 640, "height": 480 }), fields)
}

async fn answered_by(process: &chat_wire::Chat, call: &RestCall) -> Response<String> {
    let RestCall { method, resource, path_parameters, query, headers, body, request_id, now_ms } = call;
    let (body, now_ms) = (body.as_deref(), *now_ms);
    let request = RestRequest { method, resource, path_parameters, query, headers, body, request_id, now_ms };
    process.rest.answer(&request).await
}

/// A client's end of a connection.
pub(crate) struct Socket<'a> {
    pub(crate) chat: &'a Chat,
    pub(crate) id: String,
    inbox: Receiver<Event>,
}

impl Socket<'_> {
    pub(crate) fn is_open(&self) -> bool {
        !self.inbox.is_closed()
    }

    /// Sends a frame: the frame that answers it, if one does.
    pub(crate) async fn say(&self, frame: &Value) -> Option<Value> {
        self.say_text(&frame.to_string()).await
    }

    pub(crate) async fn say_text(&self, frame: &str) -> Option<Value> {
        self.deliver(&self.chat.frame_on(&self.id, frame)).await
    }

    pub(crate) async fn deliver(&self, call: &FrameCall) -> Option<Value> {
        let answer = self.chat.server.frames.answer(&call.request()).await?;
        Some(serde_json::from_str(&answer).expect("a frame is JSON"))
    }

    /// Sends a message that must be acknowledged, and returns the acknowledgement.
    pub(crate) async fn send(&self, receiver: &str, text: &str) -> Value {
        let frame = json!({ "action": "sendMessage", "receiverEmail": receiver, "message": text });
        let answer = self.say(&frame).await.expect("a message is answered");
        assert_eq!(answer["type"], "sent", "{answer}");
        answer
    }

    /// Sends a frame that must be refused with this code; checks all that an error frame has to say.
    pub(crate) async fn refused(&self, frame: &str, code: &str, echoed: Option<&str>) -> Value {
        let call = self.chat.frame_on(&self.id, frame);
        let answer = self.deliver(&call).await.expect("an error is answered");
        assert_eq!(answer["type"], "error", "{answer}");
        assert_error(&answer, code, &call.request_id, echoed);
        answer
    }

    /// What was pushed since the last time.
    pub(crate) fn heard(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        while let Ok(event) = self.inbox.try_recv() {
            frames.push(serde_json::from_str(&encode(&event)).unwrap());
        }
        frames
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    pub(crate) async fn disconnect(&self) {
        let request = DisconnectRequest { connection: &self.id, request_id: "request" };
        assert_eq!(self.chat.server.disconnect.answer(&request).await, StatusCode::OK);
    }
}

/// All that an error says, whether in a frame or in a REST answer.
pub(crate) fn assert_error(error: &Value, code: &str, request: &str, echoed: Option<&str>) {
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(error["retryable"], RETRYABLE.contains(&code), "{error}");
    assert_eq!(error["requestId"], request, "{error}");
    assert_eq!(error.get("clientMessageId").and_then(Value::as_str), echoed, "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(!message.is_empty() && message.len() < 1_000, "{error}");
}

/// A response, taken apart for tests.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) has_body: bool,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks a refusal: the code, its HTTP status, and all that an error says.
    pub(crate) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        let request = self.body["requestId"].as_str().unwrap_or_default().to_owned();
        assert!(request.starts_with("request-"), "{}", self.body);
        let echoed = self.body.get("clientMessageId").and_then(Value::as_str);
        assert_error(&self.body, code, &request, echoed);
    }
}

impl From<Response<String>> for Answer {
    fn from(response: Response<String>) -> Self {
        let (head, text) = response.into_parts();
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).expect("a body is JSON"),
        };
        Self { status: head.status.as_u16(), headers: head.headers, has_body: !text.is_empty(), body }
    }
}

/// Only the tests of a day's limits meet them.
pub(crate) fn open_settings() -> Settings {
    let rates = Rates { daily: DailyLimits::UNLIMITED, ..Rates::default() };
    let user_tags = UserTags::keyed(LOG_TAG_KEY);
    let (first_contact, allowed_origins) = (FirstContact::Open, allowed_origins());
    Settings { rates, first_contact, allowed_origins, user_tags, ..Settings::default() }
}

pub(crate) fn allowed_origins() -> AllowedOrigins {
    AllowedOrigins::new([ORIGIN.to_owned()])
}

pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).unwrap());
}

pub(crate) fn query(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A proper `sendMessage` frame to Junho, with some fields replaced or added; `null` takes a field away.
pub(crate) fn frame(fields: Value) -> Value {
    let base = json!({
        "action": "sendMessage", "receiverEmail": JUNHO, "message": "안녕하세요", "clientMessageId": ID,
    });
    let mut frame = merged(base, fields);
    frame.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    frame
}

/// An id that no other test has: one for each number.
pub(crate) fn later_id(number: usize) -> String {
    format!("018f2d4e-7b1a-7c3d-9e5f-0011223355{number:02x}")
}

pub(crate) fn merged(mut base: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}
