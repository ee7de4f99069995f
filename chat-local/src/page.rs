use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use chat_domain::{IMAGE_MAX_BYTES, MESSAGE_TEXT_MAX_BYTES};
use serde_json::json;
use tower_http::services::ServeDir;

/// The two users to chat as. Anybody else can sign in too.
pub(crate) const READY_USERS: [&str; 2] = ["minji@example.com", "junho@example.com"];

/// What is at `/`: the web page, or an explanation of how to chat without one; and `/config.json`, which tells the page where
/// everything is.
pub(crate) fn router(address: SocketAddr, web: Option<&Path>) -> Router {
    let config = config(address).to_string();
    let config = get(move || async move {
        ([("content-type", "application/json"), ("cache-control", "no-store")], config)
    });
    let router = Router::new().route("/config.json", config);
    match web {
        Some(folder) => router.fallback_service(ServeDir::new(folder)),
        None => {
            let text = include_str!("index.html").replace("{HOST}", &address.to_string());
            router.route("/", get(move || async move { Html(text) }))
        }
    }
}

fn config(address: SocketAddr) -> serde_json::Value {
    json!({
        "wsUrl": format!("ws://{address}/prod"),
        "restUrl": format!("http://{address}"),
        "auth": { "mode": "dev", "loginUrl": format!("http://{address}/dev/login"), "users": READY_USERS },
        "limits": { "messageBytes": MESSAGE_TEXT_MAX_BYTES, "imageBytes": IMAGE_MAX_BYTES },
    })
}
