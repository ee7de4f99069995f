//! Ports that fail: what clients are told, and what they are not.

use std::sync::Arc;

use chat_domain::{
    AttachmentStoreError, ConnectionStoreError, MessageStoreError, MockAttachmentStore, MockConnectionStore,
    MockIdentityVerifier, MockMessageStore, MockPusher, PushError, VerifyError,
};
use chat_wire::DisconnectRequest;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, frame, picture, query};

/// What must not get out: a vendor's words.
const INTERNAL: &str = "ddb-internal-7f3a: table playground-rooms, request 4KQNSO5AEMVJF66Q9ASUAAJG";

fn assert_nothing_internal(answer: &Value) {
    let text = answer.to_string();
    for leak in ["ddb", "internal-", "playground", "4KQNSO", "store", "room"] {
        assert!(!text.contains(leak), "{leak} in {text}");
    }
}

fn unavailable() -> MessageStoreError {
    MessageStoreError::Unavailable { operation: "room", source: INTERNAL.into() }
}

fn corrupt() -> MessageStoreError {
    MessageStoreError::Corrupt { key: "00ff".to_owned(), source: INTERNAL.into() }
}

fn throttled() -> MessageStoreError {
    MessageStoreError::Throttled { operation: "room" }
}

fn messages(error: fn() -> MessageStoreError) -> MockMessageStore {
    let mut store = MockMessageStore::new();
    store.expect_room().returning(move |_, _| Err(error()));
    store.expect_room_for_commit().returning(move |_, _| Err(error()));
    store.expect_page().returning(move |_, _, _| Err(error()));
    store.expect_rooms_of().returning(move |_, _| Err(error()));
    store.expect_commit().never();
    store
}

#[rstest]
#[case::unavailable(unavailable, "unavailable", 503)]
#[case::throttled(throttled, "unavailable", 503)]
#[case::corrupt(corrupt, "internal", 500)]
#[tokio::test]
async fn a_failing_message_store_is_told_without_a_word_of_it(
    #[case] error: fn() -> MessageStoreError,
    #[case] code: &str,
    #[case] status: u16,
) {
    let chat = Chat::with_ports(|ports| ports.messages = Arc::new(messages(error)));
    let minji = chat.connect(MINJI).await;
    for (frame, echoed) in [
        (frame(json!({})), Some(ID)),
        (json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": "2026-11-23T09:00:00.000Z" }), None),
        (json!({ "action": "typing", "receiverEmail": JUNHO }), None),
    ] {
        assert_nothing_internal(&minji.refused(&frame.to_string(), code, echoed).await["message"]);
    }
    let history = chat.get(MINJI, "/chat/history", &[("with", JUNHO)]).await;
    let list = chat.get(MINJI, "/chat/conversations", &[]).await;
    for answer in [history, list] {
        answer.assert_refused(status, code);
        assert_nothing_internal(&answer.body["message"]);
    }
}

/// The commit that nobody can tell the outcome of: tried again, then left to the client, which has the id.
#[rstest]
#[case::unavailable(unavailable, 10)]
#[case::always_too_late(|| MessageStoreError::Conflict, 10)]
#[case::corrupt(corrupt, 1)]
#[tokio::test]
async fn a_commit_is_tried_a_bounded_number_of_times(
    #[case] error: fn() -> MessageStoreError,
    #[case] attempts: usize,
) {
    let mut store = MockMessageStore::new();
    store.expect_room_for_commit().returning(|_, _| Ok(None));
    store.expect_commit().times(attempts).returning(move |_| Err(error()));
    let chat = Chat::with_ports(|ports| ports.messages = Arc::new(store));
    let minji = chat.connect(MINJI).await;
    let code = if attempts == 1 { "internal" } else { "unavailable" };
    assert_nothing_internal(&minji.refused(&frame(json!({})).to_string(), code, Some(ID)).await["message"]);
}

#[rstest]
#[case::unavailable(
    || ConnectionStoreError::Unavailable { operation: "get", source: INTERNAL.into() },
    "unavailable",
    503
)]
#[case::throttled(|| ConnectionStoreError::Throttled { operation: "get" }, "unavailable", 503)]
#[case::corrupt(
    || ConnectionStoreError::Corrupt { key: "c".to_owned(), source: INTERNAL.into() },
    "internal",
    500
)]
#[tokio::test]
async fn a_failing_connection_store_lets_nobody_in_and_accepts_no_frame(
    #[case] error: fn() -> ConnectionStoreError,
    #[case] code: &str,
    #[case] status: u16,
) {
    let mut store = MockConnectionStore::new();
    store.expect_get().returning(move |_| Err(error()));
    store.expect_put().returning(move |_| Err(error()));
    store.expect_delete().returning(move |_| Err(error()));
    let chat = Chat::with_ports(|ports| ports.connections = Arc::new(store));

    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(MINJI))]);
    let answer = chat.shake_hands(&handshake).await;
    answer.assert_refused(status, code);
    assert_nothing_internal(&answer.body["message"]);

    let socket = chat.open("connection");
    let told = socket.refused(&frame(json!({})).to_string(), code, Some(ID)).await;
    assert_nothing_internal(&told["message"]);
    let closed = DisconnectRequest { connection: "connection", request_id: "request" };
    assert_eq!(chat.server.disconnect.answer(&closed).await.as_u16(), status);
}

#[tokio::test]
async fn an_identity_provider_that_does_not_answer_lets_nobody_in() {
    let mut verifier = MockIdentityVerifier::new();
    verifier.expect_verify().returning(|_, _| Err(VerifyError::Unavailable { source: INTERNAL.into() }));
    let chat = Chat::with_ports(|ports| ports.verifier = Arc::new(verifier));
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", "some-token")]);
    let answers = [chat.shake_hands(&handshake).await, chat.get(MINJI, "/chat/conversations", &[]).await];
    for answer in answers {
        answer.assert_refused(503, "unavailable");
        assert_nothing_internal(&answer.body["message"]);
    }
}

#[tokio::test]
async fn why_a_token_is_rejected_stays_in_the_log() {
    let mut verifier = MockIdentityVerifier::new();
    verifier
        .expect_verify()
        .returning(|_, _| Err(VerifyError::Rejected { reason: "issued by another pool" }));
    let chat = Chat::with_ports(|ports| ports.verifier = Arc::new(verifier));
    let answer = chat.get(MINJI, "/chat/conversations", &[]).await;
    answer.assert_refused(401, "unauthorized");
    assert!(!answer.body.to_string().contains("pool"), "{}", answer.body);
}

#[tokio::test]
async fn a_failing_attachment_store_is_told_without_a_word_of_it() {
    let error = || AttachmentStoreError::Unavailable { operation: "inspect", source: INTERNAL.into() };
    let mut store = MockAttachmentStore::new();
    store.expect_upload_url().returning(move |_, _, _| Err(error()));
    let chat = Chat::with_ports(|ports| ports.attachments = Arc::new(store));
    let answer = chat.post(MINJI, "/chat/uploads", &picture(json!({ "with": JUNHO }))).await;
    answer.assert_refused(503, "unavailable");
    assert_nothing_internal(&answer.body["message"]);
}

/// Store, then push: what cannot be pushed is stored all the same, and the receiver syncs.
#[rstest]
#[case::throttled(|| PushError::Throttled)]
#[case::gone(|| PushError::Gone)]
#[tokio::test]
async fn a_push_that_fails_does_not_refuse_the_message(#[case] error: fn() -> PushError) {
    let mut pusher = MockPusher::new();
    pusher.expect_push().returning(move |_, _| Err(error()));
    let chat = Chat::with_ports(|ports| ports.pusher = Arc::new(pusher));
    let (minji, _junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, "hello?").await;
    assert_eq!(chat.history(JUNHO, MINJI).await.len(), 1);
}
