use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use chat_domain::{IMAGE_MAX_BYTES, MESSAGE_TEXT_MAX_BYTES};
use serde_json::json;
use tower_http::services::{ServeDir, ServeFile};

use crate::address::STAGE;

/// The two users to chat as. Anybody else can sign in too.
pub(crate) const READY_USERS: [&str; 2] = ["minji@example.com", "junho@example.com"];

/// What is at `/`: the web page, or an explanation of how to chat without one; and `/config.json`, which
/// tells the page where everything is.
pub(crate) fn router(address: SocketAddr, web: Option<&Path>) -> Router {
    let config = config(address).to_string();
    let config = get(move || async move {
        ([("content-type", "application/json"), ("cache-control", "no-store")], config)
    });
    let router = Router::new().route("/config.json", config);
    match web.filter(|folder| folder.join("index.html").is_file()) {
        Some(folder) => router.merge(pages(address, folder)),
        None => {
            let text = include_str!("index.html").replace("{HOST}", &address.to_string());
            let missing =
                web.map(|folder| format!("There is no page in {}: make web builds it.", folder.display()));
            let text = text.replace("{MISSING}", &missing.unwrap_or_default());
            router.route("/", get(move || async move { Html(text) }))
        }
    }
}

/// Leads whoever types `/chat` to the page. That address is also the API's, which would answer in JSON.
pub(crate) async fn lead_people(request: Request, next: Next) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let person =
        request.method() == Method::GET && accepts.is_some_and(|accept| accept.contains("text/html"));
    if person && matches!(request.uri().path(), "/chat" | "/chat/") {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::temporary(&format!("/{query}")).into_response();
    }
    next.run(request).await
}

/// The web page's files, under the strictest policy that it works with: the README of `web` says why it needs
/// no more.
fn pages(address: SocketAddr, folder: &Path) -> Router {
    let not_found = ServeFile::new(folder.join("404.html"));
    let files = ServeDir::new(folder).precompressed_br().precompressed_gzip().not_found_service(not_found);
    let policy = content_security_policy(address);
    let guard = move |request: Request, next: Next| {
        let policy = policy.clone();
        async move {
            if let Some(path) = within_this_host(request.uri()) {
                return Redirect::temporary(&path).into_response();
            }
            // What is under this path has a hash in its name.
            let hashed = request.uri().path().starts_with("/_next/static/");
            let response = next.run(request).await;
            let forever = hashed && response.status() != StatusCode::NOT_FOUND;
            let caching = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
            with_headers(response, policy, caching)
        }
    };
    Router::new().fallback_service(files).layer(from_fn(guard))
}

/// Where `//host/path` is led to. [`ServeDir`] would repeat it when it adds a slash, and to a browser it is
/// another host's page.
fn within_this_host(uri: &Uri) -> Option<String> {
    let path = uri.path_and_query()?.as_str().strip_prefix("//")?;
    // A browser takes a backslash for a slash.
    Some(format!("/{}", path.trim_start_matches(['/', '\\'])))
}

fn with_headers(mut response: Response, policy: HeaderValue, caching: &'static str) -> Response {
    let fixed: [(HeaderName, &'static str); 4] = [
        (CACHE_CONTROL, caching),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Nothing inline, nothing evaluated, nothing from elsewhere; connections to this server by both of its
/// names.
fn content_security_policy(address: SocketAddr) -> HeaderValue {
    let port = address.port();
    let servers = format!("http://{address} ws://{address} http://localhost:{port} ws://localhost:{port}");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {servers}; \
         font-src 'self'; manifest-src 'self'; connect-src 'self' {servers}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("an address is made of visible ASCII")
}

fn config(address: SocketAddr) -> serde_json::Value {
    json!({
        "wsUrl": format!("ws://{address}/{STAGE}"),
        "restUrl": format!("http://{address}"),
        "auth": { "mode": "dev", "loginUrl": format!("http://{address}/dev/login"), "users": READY_USERS },
        "limits": { "messageBytes": MESSAGE_TEXT_MAX_BYTES, "imageBytes": IMAGE_MAX_BYTES },
    })
}
