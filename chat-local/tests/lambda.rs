//! Functions in processes of their own, whatever they are written in. Ours have the whole story told to them
//! in `e2e`.

#![cfg(all(unix, feature = "aws"))]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use support::{Chat, functions};

#[tokio::test]
async fn functions_in_any_language_reach_the_sockets_and_the_services() {
    let folder = functions();
    let chat = Chat::start(&["--lambda", folder.path().to_str().expect("text")]).await;
    let token = chat.login("minji@example.com").await;
    assert!(chat.try_connect("?token=made-up", None).await.is_err(), "Cognito did not issue it");

    let mut socket = chat.try_connect(&format!("?token={token}"), None).await.expect("it may connect");
    assert_eq!(
        socket.ask(json!({ "action": "sendMessage" })).await,
        "pushed",
        "before the function has answered"
    );
    assert_eq!(socket.receive().await, json!({ "echo": { "action": "sendMessage" } }));

    let tables = chat.get(&token, "/chat/history").await.json();
    assert_eq!(
        tables,
        json!(["playground-connections", "playground-messages", "playground-rooms", "playground-users"])
    );
    drop(socket);
    chat.stop().await;
}

#[tokio::test]
async fn a_function_that_cannot_be_run_is_named() {
    let folder = functions();
    let program = folder.path().join("send").join("bootstrap");
    let start = async || {
        let refused = Chat::try_start(&["--lambda", folder.path().to_str().expect("text")]).await;
        refused.err().expect("it cannot start").to_string()
    };
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).expect("its owner may");
    let refused = start().await;
    assert!(refused.contains("send/bootstrap") && refused.contains("Permission denied"), "{refused}");
    fs::remove_file(&program).expect("it was there");
    let refused = start().await;
    assert!(refused.contains("send/bootstrap") && refused.contains("No such file"), "{refused}");
}
