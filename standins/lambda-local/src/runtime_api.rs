//! The HTTP side: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::InvokeError;

/// 6 MB, in each direction: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>. The
/// 100 bytes on top are those of AWS's own emulator.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

const ERROR_TYPE: &str = "Lambda-Runtime-Function-Error-Type";
/// A trailer: base64 of the report about a stream that broke off.
const ERROR_BODY: &str = "Lambda-Runtime-Function-Error-Body";

/// What a process asks of its instance.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) reply: Reply,
}

pub(crate) enum Request {
    Next,
    /// How the invocation of this id went.
    Outcome(String, Result<Bytes, InvokeError>),
    InitError(InvokeError),
}

/// The open end of a request.
pub(crate) struct Reply(oneshot::Sender<Response>);

impl Call {
    /// Not now, or not this invocation.
    pub(crate) fn refuse(self) {
        self.reply.give(match self.request {
            Request::Outcome(..) => {
                refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
            }
            Request::Next | Request::InitError(_) => {
                refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
            }
        });
    }
}

impl Reply {
    pub(crate) fn accept(self) {
        self.give(answer(StatusCode::ACCEPTED, &json!({ "status": "OK" })));
    }

    pub(crate) fn too_large(self) {
        let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_BYTES_MAX} bytes).");
        self.give(refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message));
    }

    /// The event comes back if nobody waits for it any more.
    pub(crate) fn event(self, event: Response) -> Option<Response> {
        self.0.send(event).err()
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }

    fn give(self, response: Response) {
        // An error means that the other side has hung up.
        let _ = self.0.send(response);
    }
}

/// The endpoint of one process. Ends when dropped.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    server: AbortHandle,
}

impl RuntimeApi {
    /// The endpoint, and what is asked of it.
    pub(crate) async fn listen() -> std::io::Result<(Self, mpsc::Receiver<Call>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|connection| {
            // Without it small answers wait for the other side's delayed acknowledgement.
            let _ = connection.set_nodelay(true);
        });
        let (calls, received) = mpsc::channel(1);
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(calls);
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok((Self { address, server }, received))
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Calls = State<mpsc::Sender<Call>>;

async fn next(State(calls): Calls) -> Response {
    ask(&calls, Request::Next).await
}

async fn response(State(calls): Calls, Path(id): Path<String>, body: Body) -> Response {
    let outcome = match read(body).await {
        Ok((payload, trailers)) if trailers.contains_key(ERROR_TYPE) => {
            let report = trailers.get(ERROR_BODY).and_then(|report| STANDARD.decode(report).ok());
            Err(function_error(&trailers, report.map_or(payload, Bytes::from)))
        }
        Ok((payload, _)) => Ok(payload),
        Err(Unread::TooLarge(bytes)) => Err(InvokeError::ResponseTooLarge { bytes }),
        Err(Unread::Broken) => return truncated(),
    };
    ask(&calls, Request::Outcome(id, outcome)).await
}

async fn error(State(calls): Calls, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let error = match read(body).await {
        Ok((report, _)) => function_error(&headers, report),
        Err(Unread::TooLarge(bytes)) => InvokeError::ResponseTooLarge { bytes },
        Err(Unread::Broken) => return truncated(),
    };
    ask(&calls, Request::Outcome(id, Err(error))).await
}

async fn init_error(State(calls): Calls, headers: HeaderMap, body: Body) -> Response {
    let report = read(body).await.map(|(report, _)| report).unwrap_or_default();
    let (error_type, message) = type_and_message(&headers, &report);
    ask(&calls, Request::InitError(InvokeError::InitFailed { error_type, message })).await
}

async fn ask(calls: &mpsc::Sender<Call>, request: Request) -> Response {
    let (reply, answered) = oneshot::channel();
    let _ = calls.send(Call { request, reply: Reply(reply) }).await;
    let gone =
        |_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "The instance is ending");
    answered.await.unwrap_or_else(gone)
}

enum Unread {
    TooLarge(usize),
    Broken,
}

/// Reads a body to its end, even if it is too large, because many clients lose an answer that comes in the
/// middle of their request.
async fn read(mut body: Body) -> Result<(Bytes, HeaderMap), Unread> {
    let (mut kept, mut bytes, mut trailers) = (BytesMut::new(), 0, HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| Unread::Broken)?.into_data() {
            Ok(data) => {
                bytes += data.len();
                if bytes <= PAYLOAD_BYTES_MAX {
                    kept.extend_from_slice(&data);
                }
            }
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    if bytes > PAYLOAD_BYTES_MAX { Err(Unread::TooLarge(bytes)) } else { Ok((kept.freeze(), trailers)) }
}

fn function_error(headers: &HeaderMap, payload: Bytes) -> InvokeError {
    let (error_type, message) = type_and_message(headers, &payload);
    InvokeError::Function { error_type, message, payload }
}

/// The type and the message of a report. If the report is not JSON, the header names the type.
fn type_and_message(headers: &HeaderMap, report: &[u8]) -> (String, String) {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Report {
        error_type: Option<String>,
        error_message: Option<String>,
    }
    let parsed: Report = serde_json::from_slice(report).unwrap_or_default();
    let named = || headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let error_type = parsed.error_type.or_else(named).unwrap_or_else(|| "Runtime.Unknown".to_owned());
    (error_type, parsed.error_message.unwrap_or_else(|| String::from_utf8_lossy(report).into_owned()))
}

/// The answer to `next`.
pub(crate) fn event(payload: Bytes, headers: [(&'static str, String); 4]) -> Response {
    let mut response = Response::new(Body::from(payload));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    for (name, value) in headers {
        let value = HeaderValue::try_from(value).expect("names and regions are checked by `Function::new`");
        response.headers_mut().insert(name, value);
    }
    response
}

fn truncated() -> Response {
    refusal(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response {
    answer(status, &json!({ "errorType": error_type, "errorMessage": message }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, Json(body)).into_response()
}
