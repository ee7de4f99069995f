//! DynamoDB and `@connections`, as far as a send needs them: they answer at once, and count.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::{Listener, ListenerExt as _};
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use super::tables::{CONNECTIONS, FixedTables, MESSAGES, ROOMS};
use crate::error::BenchError;

/// Where a system keeps the authorities it trusts: a function reads all of them when it starts.
const SYSTEM_AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// How AWS is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Transport {
    /// Speaks HTTP without TLS.
    Plain,
    /// HTTPS, by a certificate authority of its own.
    Tls,
}

/// How often each call was made.
pub type Calls = BTreeMap<String, u64>;

/// A stand-in for AWS on a port of this machine. Ends when dropped.
pub(super) struct Aws {
    pub(super) tables: Arc<FixedTables>,
    url: String,
    authorities: Authorities,
    calls: Arc<Mutex<Calls>>,
    server: AbortHandle,
}

impl Aws {
    pub(super) async fn start(transport: Transport) -> Result<Self, BenchError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(BenchError::io("listen"))?;
        let address = listener.local_addr().map_err(BenchError::io("listen"))?;
        let (acceptor, certificate) = match transport {
            Transport::Plain => (None, None),
            Transport::Tls => {
                let (acceptor, certificate) = certified();
                (Some(acceptor), Some(certificate))
            }
        };
        let (tables, calls) = (Arc::new(FixedTables::new()), Arc::new(Mutex::new(Calls::new())));
        let state = (Arc::clone(&tables), Arc::clone(&calls));
        let router = Router::new().fallback(answer).with_state(state);
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let server = match acceptor {
            Some(acceptor) => {
                let listener = TlsListener { listener, acceptor };
                tokio::spawn(async move { axum::serve(listener, router).await })
            }
            None => {
                let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
                tokio::spawn(async move { axum::serve(listener, router).await })
            }
        };
        Ok(Self {
            tables,
            url: format!("{scheme}://{address}"),
            authorities: Authorities::write(certificate.as_deref())?,
            calls,
            server: server.abort_handle(),
        })
    }

    /// What a function has to be told to come here.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let path = |path: &Path| path.display().to_string();
        [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.url.clone()),
            ("WEBSOCKET_CALLBACK_URL", format!("{}/prod", self.url)),
            ("CONNECTIONS_TABLE", CONNECTIONS.to_owned()),
            ("MESSAGES_TABLE", MESSAGES.to_owned()),
            ("ROOMS_TABLE", ROOMS.to_owned()),
            // Nothing is read from it on the way of a message to a known room.
            ("USERS_TABLE", "users".to_owned()),
            ("ATTACHMENTS_BUCKET", "attachments".to_owned()),
            ("COGNITO_ISSUER", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example".to_owned()),
            ("COGNITO_CLIENT_IDS", "web".to_owned()),
            ("ALLOWED_ORIGINS", "https://chat.example.com".to_owned()),
            // What decides about a refusal is the same work whatever the rate.
            ("SEND_BURST", "30".to_owned()),
            ("SEND_PER_SECOND", "1".to_owned()),
            // One writes to another, who never answers.
            ("FIRST_CONTACT", "open".to_owned()),
            ("SSL_CERT_FILE", path(&self.authorities.all)),
            ("NODE_EXTRA_CA_CERTS", path(&self.authorities.own)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// What was asked since the last time.
    pub(super) fn take_calls(&self) -> Calls {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Files of certificates. They go when this is dropped.
struct Authorities {
    folder: PathBuf,
    /// The system's and our own: a runtime that reads a file reads as much as it does on Lambda.
    all: PathBuf,
    /// Our own, for a runtime that has the others built in.
    own: PathBuf,
}

impl Authorities {
    fn write(own: Option<&str>) -> Result<Self, BenchError> {
        let folder = std::env::temp_dir().join(format!("chat-bench-{}", Uuid::new_v4().simple()));
        let written = Self { all: folder.join("all.pem"), own: folder.join("own.pem"), folder };
        let own = own.unwrap_or_default();
        let system = SYSTEM_AUTHORITIES.into_iter().find_map(|file| fs::read_to_string(file).ok());
        let all = format!("{}\n{own}", system.unwrap_or_default());
        let write = || {
            fs::create_dir(&written.folder)?;
            fs::write(&written.all, all)?;
            fs::write(&written.own, own)
        };
        write().map_err(BenchError::io("write certificates"))?;
        Ok(written)
    }
}

impl Drop for Authorities {
    fn drop(&mut self) {
        // What is left lies in the system's folder for what may be lost.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A certificate for this machine, and the authority that vouches for it.
fn certified() -> (TlsAcceptor, String) {
    const SOUND: &str = "the names and keys are made here";
    let key = || KeyPair::generate().expect(SOUND);
    let mut authority = CertificateParams::default();
    // Issuer and subject of the other certificate must differ, or it seems to vouch for itself.
    authority.distinguished_name.push(DnType::CommonName, "chat-bench");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).expect(SOUND);
    let mut server = CertificateParams::default();
    server.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
    let server_key = key();
    let server = server.signed_by(&server_key, &authority).expect(SOUND);
    let private = PrivateKeyDer::try_from(server_key.serialize_der()).expect(SOUND);
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], private)
        .expect(SOUND);
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (connection, address) = Listener::accept(&mut self.listener).await;
            let _ = connection.set_nodelay(true);
            // A client that does not trust us is the client's to report.
            if let Ok(connection) = self.acceptor.accept(connection).await {
                return (connection, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

type Answering = State<(Arc<FixedTables>, Arc<Mutex<Calls>>)>;

async fn answer(
    State((tables, calls)): Answering,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (call, response) = match operation(&headers) {
        Some(operation) => dynamodb(&tables, operation, &serde_json::from_slice(&body).unwrap_or_default()),
        None => management(&method, uri.path()),
    };
    *calls.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
    response
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>
fn operation(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix("DynamoDB_20120810.")
}

fn dynamodb(tables: &FixedTables, operation: &str, request: &Value) -> (String, Response) {
    let table = request["TableName"].as_str().unwrap_or_default();
    let value = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let got = |item: Option<Value>| item.map_or(json!({}), |item| json!({ "Item": item }));
    let (about, answer) = match (operation, table) {
        ("GetItem", CONNECTIONS) => (table.to_owned(), got(tables.connection(value("/Key/connectionId/S")))),
        ("GetItem", ROOMS) => (table.to_owned(), got(tables.head(value("/Key/roomId/S")))),
        ("Query", CONNECTIONS) => {
            let names = request["ExpressionAttributeValues"].as_object();
            let email = names.and_then(|names| names.values().next()?["S"].as_str()).unwrap_or_default();
            let rows = tables.connections_of(email);
            let answer = json!({ "Items": rows, "Count": rows.len(), "ScannedCount": rows.len() });
            (format!("{table} by {}", value("/IndexName")), answer)
        }
        ("Query", MESSAGES) => {
            (table.to_owned(), json!({ "Items": [tables.newest_row()], "Count": 1, "ScannedCount": 1 }))
        }
        ("UpdateItem", ROOMS) | ("PutItem", MESSAGES) => {
            let condition = if request["ConditionExpression"].is_string() { "" } else { " unconditionally" };
            (format!("{table}{condition}"), json!({}))
        }
        _ => return (format!("unexpected {operation} {table}"), StatusCode::BAD_REQUEST.into_response()),
    };
    let json = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (format!("{operation} {about}"), (json, answer.to_string()).into_response())
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>
fn management(method: &Method, path: &str) -> (String, Response) {
    let ours = path
        .strip_prefix("/prod/")
        .is_some_and(|rest| rest.starts_with("@connections/") || rest.starts_with("%40connections/"));
    match (ours, method) {
        (true, &Method::POST) => ("POST @connections".to_owned(), StatusCode::OK.into_response()),
        (true, &Method::DELETE) => {
            let gone = [("x-amzn-errortype", "GoneException")];
            ("DELETE @connections".to_owned(), (StatusCode::GONE, gone, "{}").into_response())
        }
        _ => (format!("unexpected {method} {path}"), StatusCode::NOT_FOUND.into_response()),
    }
}
