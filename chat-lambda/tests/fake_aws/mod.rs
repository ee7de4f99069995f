//! An AWS that fails on demand: the production adapters call stand-ins in this process, which throttle, hang
//! and lose answers when a test tells them to. There are no sockets, so time can stand still: a call that
//! hangs takes no time of the test's.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock};
use std::time::{Duration, SystemTime};

use aws_local::{DynamoDb, UserPool};
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::body::SdkBody;
use chat_adapters_aws::{
    ApiGatewayPusher, AwsAccess, CognitoVerifier, DynamoClient, DynamoConnectionStore, DynamoMessageStore,
    DynamoReportStore, DynamoUserStore, Endpoints, PoolKeys, RememberingVerifier, S3AttachmentStore,
    TableNames, create_tables,
};
use chat_domain::{Connection, ConnectionId};
use chat_lambda::aws::{WatchedPusher, logs};
use chat_wire::frames::encode;
use chat_wire::{JitteredBackoff, Ports};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, Uri};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use crate::captured::Captured;
use crate::support::{Answer, Chat, Socket, query};

const ISSUER: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Example";
const CLIENT_ID: &str = "3n4b5urk1ft4fl3mg5e62d9ado";

/// The chat on production adapters, and what they call.
pub(crate) struct FakeAws {
    pub(crate) chat: Chat,
    pub(crate) dynamodb: Dynamo,
    pub(crate) gateway: Gateway,
    pub(crate) cognito: Cognito,
    pub(crate) bucket: Bucket,
    latency: Latency,
}

impl FakeAws {
    /// Everything on AWS but who people are, which the tests' own tokens say.
    pub(crate) async fn new() -> Self {
        Self::composed(false).await
    }

    /// Everything on AWS; tokens are those of [`Self::token`].
    pub(crate) async fn with_cognito() -> Self {
        Self::composed(true).await
    }

    async fn composed(with_cognito: bool) -> Self {
        write_down_logs();
        let (dynamodb, gateway) = (Dynamo::default(), Gateway::default());
        let (cognito, bucket) = (Cognito::default(), Bucket::default());
        let latency = Latency::default();
        let access = AwsAccess {
            region: Region::from_static("ap-northeast-2"),
            credentials: Credentials::new("test", "test", None, None, "test"),
            endpoints: Endpoints::default(),
        };
        let client = DynamoClient::new(access.dynamodb().http_client(dynamodb.wire(&latency)));
        let tables = TableNames::default();
        create_tables(&client, &tables).await.unwrap();
        let gateway_config = access.api_gateway("https://gateway/prod").http_client(gateway.wire(&latency));
        let pusher = ApiGatewayPusher::new(gateway_config, encode);
        let cognito_config = access.cognito().http_client(cognito.wire(&latency));
        let keys = PoolKeys::new(cognito.wire(&latency), ISSUER);
        let verifier = CognitoVerifier::new(cognito_config, keys, [CLIENT_ID]);
        let s3_config = access.s3().http_client(bucket.wire(&latency)).force_path_style(true);
        let chat = Chat::with_ports(|ports| {
            *ports = Ports {
                verifier: ports.verifier.clone(),
                connections: Arc::new(DynamoConnectionStore::new(&client, &tables)),
                messages: Arc::new(DynamoMessageStore::new(&client, &tables)),
                pusher: Arc::new(WatchedPusher::new(pusher)),
                attachments: Arc::new(S3AttachmentStore::new(s3_config, "playground-attachments")),
                reports: Arc::new(DynamoReportStore::new(&client, &tables)),
                users: Arc::new(DynamoUserStore::new(&client, &tables)),
                backoff: Arc::new(JitteredBackoff::new(tokio::time::sleep)),
            };
            if with_cognito {
                ports.verifier = Arc::new(RememberingVerifier::new(verifier));
            }
        });
        Self { chat, dynamodb, gateway, cognito, bucket, latency }
    }

    /// From now on every call takes so long.
    pub(crate) fn set_latency(&self, span: Duration) {
        *self.latency.0.lock().unwrap() = span;
    }

    /// Asks to open a socket with a token: the connection's id, and the answer.
    pub(crate) async fn connect(&self, token: &str) -> (String, Answer) {
        let mut handshake = self.chat.handshake();
        handshake.query = query(&[("token", token)]);
        let answer = self.chat.shake_hands(&handshake).await;
        (handshake.connection, answer)
    }

    /// Opens a socket with a token of the pool's.
    pub(crate) async fn connected<'a>(&'a self, token: &str) -> Socket<'a> {
        let (id, answer) = self.connect(token).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        self.chat.open(&id)
    }

    /// A token of the pool's that is good for an hour.
    pub(crate) fn token(&self, email: &str) -> String {
        self.token_for(email, Duration::from_secs(3_600))
    }

    pub(crate) fn token_for(&self, email: &str, lifetime: Duration) -> String {
        let (pool, sub) = (self.cognito.pool(), format!("sub-of-{email}"));
        pool.sign_up(&sub, &[("email", email), ("email_verified", "true")]);
        pool.access_token(&sub, CLIENT_ID, self.chat.now().after(lifetime).unix_ms() / 1_000)
    }

    /// The row of a connection.
    pub(crate) async fn row(&self, id: &str) -> Option<Connection> {
        self.chat.ports.connections.get(&ConnectionId::new(id)).await.unwrap()
    }
}

/// Status, headers and body.
type Reply = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// What every call takes.
#[derive(Clone, Default)]
struct Latency(Arc<Mutex<Duration>>);

/// What an SDK calls instead of the network.
#[derive(Clone)]
struct Wire(Arc<dyn Fn(Request<Vec<u8>>) -> BoxFuture<'static, Reply> + Send + Sync>);

fn wire<F: Future<Output = Reply> + Send + 'static>(
    latency: &Latency,
    answer: impl Fn(Request<Vec<u8>>) -> F + Clone + Send + Sync + 'static,
) -> SharedHttpClient {
    let latency = latency.clone();
    let answer_in_time = move |request| -> BoxFuture<'static, Reply> {
        let (span, answer) = (*latency.0.lock().unwrap(), answer.clone());
        Box::pin(async move {
            tokio::time::sleep(span).await;
            answer(request).await
        })
    };
    Wire(Arc::new(answer_in_time)).into_shared()
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let answer = (self.0)(request.map(|body| body.bytes().unwrap_or_default().to_vec()));
        HttpConnectorFuture::new(async move {
            let (status, headers, body) = answer.await;
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(HttpResponse::try_from(response.body(SdkBody::from(body)).unwrap()).unwrap())
        })
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

fn target(request: &Request<Vec<u8>>) -> String {
    request.headers()["x-amz-target"].to_str().unwrap().rsplit_once('.').unwrap().1.to_owned()
}

/// What happens to a call of DynamoDB.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is refused, for want of capacity.
    Throttled,
    /// It is refused, since another transaction is in the way.
    TransactionConflict,
    /// It never arrives, and is never answered.
    LostBefore,
    /// It is done, and never answered.
    LostAfter,
    /// It is done, and answered with an internal error.
    FailedAfter,
}

/// DynamoDB: an engine in memory, and the faults to come.
#[derive(Clone)]
pub(crate) struct Dynamo(Arc<DynamoEngine>);

struct DynamoEngine {
    database: DynamoDb,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    calls: Mutex<Vec<String>>,
    meter: Mutex<Meter>,
}

/// What calls have used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Meter {
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

impl Default for Dynamo {
    fn default() -> Self {
        Self(Arc::new(DynamoEngine {
            database: DynamoDb::in_memory().unwrap(),
            faults: Mutex::default(),
            calls: Mutex::default(),
            meter: Mutex::default(),
        }))
    }
}

impl Dynamo {
    /// The next calls of this operation meet these faults, one each. `UpdateItem rooms` is an operation on
    /// one table alone.
    pub(crate) fn inject(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.0.faults.lock().unwrap().extend(faults.into_iter().map(|fault| (operation, fault)));
    }

    /// There are no more faults from now on.
    pub(crate) fn clear_faults(&self) {
        self.0.faults.lock().unwrap().clear();
    }

    /// How many faults are still to come: a test whose faults have not come has shown nothing.
    pub(crate) fn faults_left(&self) -> usize {
        self.0.faults.lock().unwrap().len()
    }

    /// How often an operation was called since the last time.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let mut calls = self.0.calls.lock().unwrap();
        let before = calls.len();
        calls.retain(|call| call != operation && call.split(' ').next() != Some(operation));
        before - calls.len()
    }

    /// What was used since the last time.
    pub(crate) fn used(&self) -> Meter {
        std::mem::take(&mut self.0.meter.lock().unwrap())
    }

    fn wire(&self, latency: &Latency) -> SharedHttpClient {
        let engine = self.0.clone();
        wire(latency, move |request| {
            let engine = engine.clone();
            async move {
                let (status, body) = engine.answer(&target(&request), request.body()).await;
                (status, vec![("content-type", "application/x-amz-json-1.0".to_owned())], body.into_bytes())
            }
        })
    }
}

impl DynamoEngine {
    async fn answer(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let table = request["TableName"].as_str().and_then(|name| name.rsplit('-').next());
        let on_table = table.map(|table| format!("{operation} {table}"));
        let is_meant = |name: &str| name == operation || Some(name) == on_table.as_deref();
        self.calls.lock().unwrap().push(on_table.clone().unwrap_or_else(|| operation.to_owned()));
        let fault = {
            let mut faults = self.faults.lock().unwrap();
            let place = faults.iter().position(|(planned, _)| is_meant(planned));
            place.and_then(|place| faults.remove(place)).map(|(_, fault)| fault)
        };
        match fault {
            None => self.execute(operation, body).await,
            Some(Fault::Throttled) => refusal("ThrottlingException", json!({})),
            Some(Fault::TransactionConflict) if operation == "TransactWriteItems" => {
                let reasons = json!([{ "Code": "None" }, { "Code": "TransactionConflict" }]);
                refusal("TransactionCanceledException", json!({ "CancellationReasons": reasons }))
            }
            Some(Fault::TransactionConflict) => refusal("TransactionConflictException", json!({})),
            Some(Fault::LostBefore) => pending().await,
            Some(Fault::LostAfter) => {
                self.execute(operation, body).await;
                pending().await
            }
            Some(Fault::FailedAfter) => {
                self.execute(operation, body).await;
                (500, json!({ "__type": "InternalServerError", "message": "not now" }).to_string())
            }
        }
    }

    async fn execute(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let is_about_items = !operation.contains("Table") && !operation.contains("TimeToLive");
        if is_about_items {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        let (status, answer) = self.database.call(operation, request.to_string().into()).await;
        if is_about_items && status == 200 {
            self.count(operation, &serde_json::from_str(&answer).unwrap());
        }
        (status, answer)
    }

    fn count(&self, operation: &str, answer: &Value) {
        let consumed = match &answer["ConsumedCapacity"] {
            Value::Array(of_tables) => of_tables.clone(),
            of_table => vec![of_table.clone()],
        };
        let units: f64 = consumed.iter().map(|of_table| of_table["CapacityUnits"].as_f64().unwrap()).sum();
        let mut meter = self.meter.lock().unwrap();
        match operation {
            "GetItem" | "Query" | "BatchGetItem" => meter.read_units += units,
            _ => meter.write_units += units,
        }
    }
}

fn refusal(code: &str, more: Value) -> (u16, String) {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    let mut body = json!({ "__type": kind, "message": "no" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (400, body.to_string())
}

/// What happens to a post to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Post {
    /// It is refused with a status and an error type.
    Refused(u16, &'static str),
    /// It is never answered.
    Hangs,
}

pub(crate) const GONE: Post = Post::Refused(410, "GoneException");

/// The gateway's `@connections`, and the answers to come.
#[derive(Clone, Default)]
pub(crate) struct Gateway(Arc<Mutex<Posts>>);

#[derive(Default)]
struct Posts {
    taken: Vec<(String, Value)>,
    closed: HashSet<String>,
    to_come: HashMap<String, VecDeque<Post>>,
    attempts: usize,
}

impl Gateway {
    fn posts(&self) -> MutexGuard<'_, Posts> {
        self.0.lock().unwrap()
    }

    /// The next posts to a connection meet these answers; later ones are taken.
    pub(crate) fn inject(&self, id: &str, answers: impl IntoIterator<Item = Post>) {
        self.posts().to_come.insert(id.to_owned(), answers.into_iter().collect());
    }

    /// What a connection has heard since the last time.
    pub(crate) fn heard(&self, id: &str) -> Vec<Value> {
        let mut posts = self.posts();
        let (heard, others) = posts.taken.drain(..).partition(|(to, _)| to == id);
        posts.taken = others;
        heard.into_iter().map(|(_, frame)| frame).collect()
    }

    pub(crate) fn has_closed(&self, id: &str) -> bool {
        self.posts().closed.contains(id)
    }

    /// How often anything was posted since the last time.
    pub(crate) fn attempts(&self) -> usize {
        std::mem::take(&mut self.posts().attempts)
    }

    fn wire(&self, latency: &Latency) -> SharedHttpClient {
        let gateway = self.clone();
        wire(latency, move |request| {
            let gateway = gateway.clone();
            async move {
                let path = request.uri().path().replace("%40", "@").replace("%3D", "=");
                let id = path.strip_prefix("/prod/@connections/").unwrap().to_owned();
                let answer = {
                    let mut posts = gateway.posts();
                    posts.attempts += 1;
                    posts.to_come.get_mut(&id).and_then(VecDeque::pop_front)
                };
                match answer {
                    Some(Post::Refused(status, code)) => {
                        (status, vec![("x-amzn-errortype", code.to_owned())], b"{}".to_vec())
                    }
                    Some(Post::Hangs) => pending().await,
                    None if request.method() == http::Method::DELETE => {
                        gateway.posts().closed.insert(id);
                        (204, Vec::new(), Vec::new())
                    }
                    None => {
                        let frame = serde_json::from_slice(request.body()).unwrap();
                        gateway.posts().taken.push((id, frame));
                        (200, Vec::new(), Vec::new())
                    }
                }
            }
        })
    }
}

/// Whether Cognito answers, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Availability {
    #[default]
    Up,
    /// It refuses for want of capacity, so many times.
    Throttling(usize),
    Down,
    Silent,
}

/// Cognito with one pool, which may be away.
#[derive(Clone)]
pub(crate) struct Cognito(Arc<CognitoEngine>);

struct CognitoEngine {
    /// How often `GetUser` was called.
    asked: AtomicUsize,
    availability: Mutex<Availability>,
    service: aws_local::Cognito,
    /// Its key takes a while to make.
    pool: OnceLock<UserPool>,
}

impl Default for Cognito {
    fn default() -> Self {
        // The tests' clock is not the machine's, and the adapter has to see by itself when a token has
        // expired.
        let service = aws_local::Cognito::new(|| SystemTime::UNIX_EPOCH);
        let (asked, availability) = (AtomicUsize::default(), Mutex::default());
        Self(Arc::new(CognitoEngine { asked, availability, service, pool: OnceLock::new() }))
    }
}

impl Cognito {
    pub(crate) fn set(&self, availability: Availability) {
        *self.0.availability.lock().unwrap() = availability;
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.pool().revoke(token);
    }

    /// How often it was asked whose a token is since the last time.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.swap(0, Ordering::Relaxed)
    }

    /// A token with claims of one's choice below a header of one's choice, signed with the pool's key.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        self.pool().sign_as(header, claims)
    }

    /// What a genuine token of a user's says in its header and in its claims.
    pub(crate) fn genuine(&self, email: &str, expires_at_s: i64) -> (Value, Value) {
        let header = json!({ "kid": self.pool().key_id(), "alg": "RS256" });
        let claims = json!({
            "sub": format!("sub-of-{email}"), "iss": ISSUER, "client_id": CLIENT_ID, "token_use": "access",
            "scope": "aws.cognito.signin.user.admin", "iat": 0, "exp": expires_at_s,
        });
        (header, claims)
    }

    /// A pool of somebody else's, which gives itself out as this one.
    pub(crate) fn impostor() -> UserPool {
        aws_local::Cognito::new(|| SystemTime::UNIX_EPOCH).create_pool(ISSUER)
    }

    fn pool(&self) -> &UserPool {
        self.0.pool.get_or_init(|| self.0.service.create_pool(ISSUER))
    }

    fn wire(&self, latency: &Latency) -> SharedHttpClient {
        let engine = self.0.clone();
        wire(latency, move |request| {
            let engine = engine.clone();
            async move {
                let (status, answer) = match *request.method() {
                    Method::GET => engine.keys(request.uri().path()).await,
                    _ => engine.answer(&target(&request), request.into_body()).await,
                };
                (status, Vec::new(), answer.into_bytes())
            }
        })
    }
}

impl CognitoEngine {
    async fn keys(&self, path: &str) -> (u16, String) {
        let availability = *self.availability.lock().unwrap();
        match availability {
            Availability::Down => (500, String::new()),
            Availability::Silent => pending().await,
            // A document has no quota.
            Availability::Up | Availability::Throttling(_) => (200, self.service.keys(path).unwrap()),
        }
    }

    async fn answer(&self, operation: &str, body: Vec<u8>) -> (u16, String) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let availability = {
            let mut availability = self.availability.lock().unwrap();
            let now = *availability;
            if let Availability::Throttling(times) = now {
                *availability =
                    times.checked_sub(2).map_or(Availability::Up, |left| Availability::Throttling(left + 1));
            }
            now
        };
        let refused = |code: &str, message: &str| json!({ "__type": code, "message": message }).to_string();
        match availability {
            Availability::Throttling(_) => (400, refused("TooManyRequestsException", "Rate exceeded")),
            Availability::Down => (500, refused("InternalErrorException", "not now")),
            Availability::Silent => pending().await,
            Availability::Up => self.service.call(operation, body.into()).await,
        }
    }
}

/// An S3 bucket, which refuses on demand.
#[derive(Clone, Default)]
pub(crate) struct Bucket(Arc<Mutex<Objects>>);

#[derive(Default)]
struct Objects {
    stored: HashMap<String, (String, Vec<u8>)>,
    refusals: usize,
    requests: Requests,
}

/// What a bucket is asked for, by price: all that is no PUT costs what a GET does, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Requests {
    pub(crate) puts: usize,
    pub(crate) gets: usize,
}

impl Bucket {
    /// Stores an object, as somebody's upload does.
    pub(crate) fn put(&self, key: &str, content_type: &str, bytes: &[u8]) {
        let object = (content_type.to_owned(), bytes.to_vec());
        let mut objects = self.0.lock().unwrap();
        objects.stored.insert(key.to_owned(), object);
        objects.requests.puts += 1;
    }

    /// Somebody downloads what a URL leads to.
    pub(crate) fn download(&self, url: &str) -> u16 {
        self.get(&url.parse::<Uri>().unwrap()).0
    }

    /// How often it was asked since the last time.
    pub(crate) fn requests(&self) -> Requests {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }

    /// So many requests are refused, for want of capacity.
    pub(crate) fn refuses(&self, times: usize) {
        self.0.lock().unwrap().refusals = times;
    }

    fn wire(&self, latency: &Latency) -> SharedHttpClient {
        let bucket = self.clone();
        wire(latency, move |request| {
            let bucket = bucket.clone();
            async move {
                match request.method().as_str() {
                    "GET" => bucket.get(request.uri()),
                    // The tag is taken off. Whether there was one, this bucket does not know.
                    "DELETE" => match bucket.asked(request.uri()) {
                        Ok(_) => (204, Vec::new(), Vec::new()),
                        Err(reply) => reply,
                    },
                    "PUT" => match bucket.asked(request.uri()) {
                        Ok(_) => {
                            bucket.0.lock().unwrap().requests.puts += 1;
                            (200, Vec::new(), Vec::new())
                        }
                        Err(reply) => reply,
                    },
                    method => panic!("a {method} of the bucket"),
                }
            }
        })
    }

    fn get(&self, uri: &Uri) -> Reply {
        match self.asked(uri) {
            Err(reply) => reply,
            Ok((content_type, bytes)) => {
                let headers = vec![
                    ("content-type", content_type),
                    ("content-range", format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len())),
                    ("last-modified", "Mon, 23 Nov 2026 09:00:00 GMT".to_owned()),
                ];
                (206, headers, bytes)
            }
        }
    }

    /// What a request is about, or the answer if it comes to nothing.
    fn asked(&self, uri: &Uri) -> Result<(String, Vec<u8>), Reply> {
        let mut objects = self.0.lock().unwrap();
        objects.requests.gets += 1;
        let error = |status, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
            Err((status, Vec::new(), body.into_bytes()))
        };
        if let Some(left) = objects.refusals.checked_sub(1) {
            objects.refusals = left;
            return error(503, "SlowDown");
        }
        let key = uri.path().strip_prefix("/playground-attachments/").unwrap();
        objects.stored.get(key).cloned().map_or_else(|| error(404, "NoSuchKey"), Ok)
    }
}

/// Has what is logged in this process written down as a deployed function writes it at its most talkative,
/// for each thread, and so for each test, apart. Every test begins with it: what is logged for the first time
/// while nobody listens may be left out later, too.
fn write_down_logs() {
    static WRITTEN_DOWN: Once = Once::new();
    WRITTEN_DOWN.call_once(|| {
        let subscriber = logs::subscriber(LevelFilter::TRACE, || LOGGED.with(Captured::clone));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

thread_local! {
    static LOGGED: Captured = Captured::default();
}

/// What this test has logged.
pub(crate) fn logged() -> String {
    LOGGED.with(Captured::text)
}
