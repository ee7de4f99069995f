//! How a service that speaks AWS's JSON protocol is reached: over HTTP, or by an SDK in the same process.

use std::sync::Arc;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

/// DynamoDB takes 16 MB, and no other service more.
const BODY_MAX_BYTES: usize = 16 * 1024 * 1024;

/// What a service answers: a status and JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) json: String,
}

impl Answer {
    /// A refusal of the client's request.
    pub(crate) fn refusal(error_type: &str, message: &str) -> Self {
        let json = json!({ "__type": error_type, "message": message }).to_string();
        Self { status: StatusCode::BAD_REQUEST, json }
    }
}

/// A service of AWS's JSON protocol.
#[async_trait]
pub(crate) trait JsonService: Send + Sync + 'static {
    /// `target` is `Prefix.Operation`, as `X-Amz-Target` has it.
    async fn answer(&self, target: &str, body: Bytes) -> Answer;

    /// The JSON document at a path, for services that publish some.
    fn document(&self, path: &str) -> Option<String>;
}

/// The service for SDKs in this process: no socket, no serialised HTTP.
pub(crate) fn http_client(service: Arc<dyn JsonService>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(InProcess(service));
    http_client_fn(move |_, _| connector.clone())
}

struct InProcess(Arc<dyn JsonService>);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            if request.method() == "GET" {
                let path = request.uri().parse().map(|uri: http::Uri| uri.path().to_owned());
                let document = path.ok().and_then(|path| service.document(&path));
                let status = if document.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
                let status = status.as_u16().try_into().expect("it was a status before");
                return Ok(HttpResponse::new(status, SdkBody::from(document.unwrap_or_default())));
            }
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            let body = request.into_body();
            let body = body
                .bytes()
                .map(Bytes::copy_from_slice)
                .ok_or_else(|| ConnectorError::user("a JSON request is not streamed".into()))?;
            let answer = service.answer(&target, body).await;
            let status = answer.status.as_u16().try_into().expect("it was a status before");
            Ok(HttpResponse::new(status, SdkBody::from(answer.json)))
        })
    }
}

/// The service at `/`. Requests of web pages are refused: no page has business here, and any page may try.
pub(crate) fn router(service: Arc<dyn JsonService>) -> Router {
    Router::new().route("/", post(serve)).layer(DefaultBodyLimit::max(BODY_MAX_BYTES)).with_state(service)
}

async fn serve(State(service): State<Arc<dyn JsonService>>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let Answer { status, json } = service.answer(target, body).await;
    let content_type = HeaderValue::from_static("application/x-amz-json-1.0");
    (status, [(header::CONTENT_TYPE, content_type)], json).into_response()
}
