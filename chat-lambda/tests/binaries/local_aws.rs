//! All that the binaries call: Lambda's runtime API, DynamoDB, Cognito, and the gateway's `@connections`.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_local::{Cognito, DynamoDb, UserPool};
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chat_adapters_aws::{DynamoClient, TableNames, create_tables};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const ISSUER: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Example";
const CLIENT_ID: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
pub(crate) const ORIGIN: &str = "https://chat.example.com";

/// Whatever is waited for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that has to come.
pub(crate) async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    timeout(PATIENCE, coming).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    address.to_string()
}

/// An AWS of this test's own.
pub(crate) struct LocalAws {
    dynamodb: String,
    stand_in: String,
    pool: UserPool,
    pushed: Pushed,
}

/// Each frame that was pushed, behind its connection's id.
type Pushed = Arc<Mutex<Vec<(String, Value)>>>;

impl LocalAws {
    pub(crate) async fn new() -> Self {
        let dynamodb = format!("http://{}", serve(DynamoDb::in_memory().unwrap().router()).await);
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&dynamodb)
            .region(Region::from_static("ap-northeast-2"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"));
        create_tables(&DynamoClient::new(config), &TableNames::default()).await.unwrap();

        let cognito = Cognito::new(SystemTime::now);
        let pool = cognito.create_pool(ISSUER);
        let pushed = Pushed::default();
        let connections = Router::new().fallback(answer).with_state(pushed.clone());
        let stand_in = serve(connections.merge(cognito.router())).await;
        Self { dynamodb, stand_in: format!("http://{stand_in}"), pool, pushed }
    }

    /// A token of the pool's that is good for an hour.
    pub(crate) fn token(&self, email: &str) -> String {
        let sub = format!("sub-of-{email}");
        self.pool.sign_up(&sub, &[("email", email), ("email_verified", "true")]);
        self.pool.access_token(&sub, CLIENT_ID, now_ms() / 1_000 + 3_600)
    }

    /// All variables that any of the functions reads.
    pub(crate) fn environment(&self) -> HashMap<&'static str, String> {
        let tables = TableNames::default();
        [
            ("CONNECTIONS_TABLE", tables.connections),
            ("MESSAGES_TABLE", tables.messages),
            ("ROOMS_TABLE", tables.rooms),
            ("USERS_TABLE", tables.users),
            ("ATTACHMENTS_BUCKET", "playground-attachments".to_owned()),
            ("WEBSOCKET_CALLBACK_URL", format!("{}/prod", self.stand_in)),
            ("COGNITO_ISSUER", ISSUER.to_owned()),
            ("COGNITO_CLIENT_IDS", CLIENT_ID.to_owned()),
            ("ALLOWED_ORIGINS", ORIGIN.to_owned()),
            ("AWS_REGION", "ap-northeast-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret-access-key".to_owned()),
            ("AWS_SESSION_TOKEN", "session-token".to_owned()),
            ("AWS_ENDPOINT_URL", self.stand_in.clone()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.clone()),
        ]
        .into()
    }

    /// What was pushed to a connection since the last time.
    pub(crate) fn heard(&self, connection: &str) -> Vec<Value> {
        let mut pushed = self.pushed.lock().unwrap();
        let (heard, others) = pushed.drain(..).partition(|(to, _)| to == connection);
        *pushed = others;
        heard.into_iter().map(|(_, frame)| frame).collect()
    }
}

/// Answers what the functions ask of `@connections`.
async fn answer(State(pushed): State<Pushed>, method: Method, uri: Uri, body: Bytes) -> Response {
    let Some(id) = uri.path().strip_prefix("/prod/@connections/") else {
        return (StatusCode::NOT_IMPLEMENTED, format!("{method} {uri}")).into_response();
    };
    if !id.starts_with("connection") {
        let gone = [("x-amzn-errortype", "GoneException")];
        return (StatusCode::GONE, gone, "{}").into_response();
    }
    let frame = serde_json::from_slice(&body).unwrap_or(Value::Null);
    pushed.lock().unwrap().push((id.to_owned(), frame));
    StatusCode::OK.into_response()
}

/// A binary that runs.
pub(crate) struct Function {
    events: mpsc::UnboundedSender<(String, Value)>,
    answers: Answers,
    log: Arc<Mutex<Vec<String>>>,
    outputs: [JoinHandle<()>; 2],
    invocations: AtomicU64,
    process: Child,
}

type Answers = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

#[derive(Clone)]
struct RuntimeApi {
    events: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, Value)>>>,
    answers: Answers,
}

impl Function {
    /// Starts a binary with these variables, and those that Lambda sets for itself.
    pub(crate) async fn start(binary: &str, environment: &HashMap<&'static str, String>) -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let api = RuntimeApi { events: Arc::new(tokio::sync::Mutex::new(queue)), answers: answers.clone() };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(done))
            .with_state(api);
        let address = serve(router).await;
        let mut process = Command::new(binary)
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "chat-function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let outputs = [
            collect(process.stdout.take().unwrap(), log.clone()),
            collect(process.stderr.take().unwrap(), log.clone()),
        ];
        Self { events, answers, log, outputs, invocations: AtomicU64::default(), process }
    }

    /// Its answer to an event.
    pub(crate) async fn invoke(&self, event: &Value) -> Value {
        let id = format!("invocation-{}", self.invocations.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        self.answers.lock().unwrap().insert(id.clone(), answer);
        self.events.send((id, event.clone())).unwrap();
        soon("an answer", answered).await.unwrap()
    }

    /// What it has logged up to now, and whatever else it said.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line of the log.
    pub(crate) async fn logs(&self, part: &str) {
        let logged = async {
            while !self.log().iter().any(|line| line.contains(part)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(part, logged).await;
    }

    /// Its exit code, which it must come to by itself, and all it said.
    pub(crate) async fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let status = soon("the end", self.process.wait()).await.unwrap();
        for output in &mut self.outputs {
            output.await.unwrap();
        }
        (status.code(), self.log())
    }
}

fn collect(output: impl AsyncRead + Unpin + Send + 'static, log: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            log.lock().unwrap().push(line);
        }
    })
}

async fn next(State(api): State<RuntimeApi>) -> Response {
    let Some((id, event)) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", (now_ms() + 29_000).to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:ap-northeast-2:1:function:chat".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn done(
    State(api): State<RuntimeApi>,
    Path((id, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let answer = if outcome == "response" { answer } else { json!({ "error": answer }) };
    let _ = api.answers.lock().unwrap().remove(&id).unwrap().send(answer);
    StatusCode::ACCEPTED
}
