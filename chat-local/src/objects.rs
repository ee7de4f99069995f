use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chat_adapters_memory::{DownloadRefused, MemoryAttachmentStore, UploadRefused};
use chat_domain::{IMAGE_MAX_BYTES, Timestamp};

/// Where uploaded objects are, below the server's address.
pub(crate) const OBJECTS_PATH: &str = "/dev/objects";

/// Serves the URLs that the attachment store signs, as S3 does.
#[derive(Clone)]
pub(crate) struct Objects {
    pub(crate) store: MemoryAttachmentStore,
    pub(crate) clock: fn() -> Timestamp,
}

impl Objects {
    pub(crate) fn router(self) -> Router {
        let limit = usize::try_from(IMAGE_MAX_BYTES).expect("10 MiB fit every address space");
        Router::new()
            .route(&format!("{OBJECTS_PATH}/{{key}}"), get(download).put(upload))
            .layer(DefaultBodyLimit::max(limit))
            .layer(from_fn(only_with_length))
            .with_state(self)
    }
}

async fn only_with_length(request: Request, next: Next) -> Response {
    if request.method() == Method::PUT && !request.headers().contains_key(header::CONTENT_LENGTH) {
        return (StatusCode::LENGTH_REQUIRED, "an upload says its length: Content-Length").into_response();
    }
    next.run(request).await
}

async fn upload(
    State(objects): State<Objects>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let query = query.unwrap_or_default();
    let outcome = objects.store.accept_upload(&key, &query, content_type, bytes, (objects.clock)());
    match outcome {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refused) => {
            let status = match refused {
                UploadRefused::Exists => StatusCode::PRECONDITION_FAILED,
                UploadRefused::Full => StatusCode::INSUFFICIENT_STORAGE,
                _ => StatusCode::FORBIDDEN,
            };
            (status, refused.to_string()).into_response()
        }
    }
}

async fn download(
    State(objects): State<Objects>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    match objects.store.serve_download(&key, &query.unwrap_or_default(), (objects.clock)()) {
        Ok(object) => {
            let headers = [
                (header::CONTENT_TYPE, object.content_type.as_str()),
                (header::CONTENT_DISPOSITION, "attachment"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
                (header::CACHE_CONTROL, "private, max-age=300"),
            ];
            (headers, object.bytes).into_response()
        }
        Err(DownloadRefused::Missing) => StatusCode::NOT_FOUND.into_response(),
        Err(refused) => (StatusCode::FORBIDDEN, refused.to_string()).into_response(),
    }
}
