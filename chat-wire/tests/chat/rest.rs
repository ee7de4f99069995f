//! The REST routes: parameters, bodies, who may call, and what browsers are told.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_wire::table::ROUTES;
use http::Method;
use http::header::{AUTHORIZATION, ORIGIN as ORIGIN_HEADER};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Chat, ID, JUNHO, MINJI, ORIGIN, ROOM, START, set};

const OLD: &str = "2001-01-01T00:00:00.000Z";

async fn history(chat: &Chat, parameters: &[(&str, &str)]) -> Answer {
    chat.get(MINJI, "/chat/history", parameters).await
}

#[tokio::test]
async fn the_seeds_history_is_the_newest_first() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for text in ["one", "two", "three"] {
        minji.send(JUNHO, text).await;
    }
    let answer = chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await;
    assert_eq!((answer.status, &answer.body["roomId"]), (200, &json!(ROOM)));
    let texts: Vec<_> = answer.body["messages"].as_array().unwrap().iter().map(|m| &m["message"]).collect();
    assert_eq!(texts, ["three", "two", "one"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn pages_follow_one_another_backwards_and_forwards() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for count in 1..=5 {
        minji.send(JUNHO, &count.to_string()).await;
    }
    let seqs = |answer: &Answer| -> Vec<u64> {
        answer.body["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_u64().unwrap()).collect()
    };
    let newest = history(&chat, &[("with", JUNHO), ("limit", "2")]).await;
    assert_eq!((seqs(&newest), &newest.body["hasMore"]), (vec![5, 4], &json!(true)));
    let before = newest.body["nextBefore"].as_str().unwrap();
    let older = history(&chat, &[("with", JUNHO), ("limit", "50"), ("before", before)]).await;
    assert_eq!((seqs(&older), &older.body["hasMore"]), (vec![3, 2, 1], &json!(false)));
    assert_eq!(older.body.get("nextBefore"), None);

    let synced = history(&chat, &[("with", JUNHO), ("limit", "3"), ("after", OLD)]).await;
    assert_eq!((seqs(&synced), &synced.body["hasMore"]), (vec![1, 2, 3], &json!(true)));
    let after = synced.body["nextAfter"].as_str().unwrap();
    let rest = history(&chat, &[("with", JUNHO), ("after", after)]).await;
    assert_eq!((seqs(&rest), &rest.body["hasMore"]), (vec![4, 5], &json!(false)));
    let end = rest.body["nextAfter"].as_str().unwrap();
    let nothing_new = history(&chat, &[("with", JUNHO), ("after", end)]).await;
    assert_eq!((seqs(&nothing_new).len(), &nothing_new.body["nextAfter"]), (0, &json!(end)));
}

#[rstest]
#[case::no_with(&[], "badRequest")]
#[case::own_address(&[("with", MINJI)], "selfChat")]
#[case::own_address_in_capitals(&[("with", "MINJI@example.com")], "selfChat")]
#[case::no_address(&[("with", "junho")], "invalidEmail")]
#[case::empty_address(&[("with", "")], "invalidEmail")]
#[case::a_room(&[("with", ROOM)], "invalidEmail")]
#[case::with_twice(&[("with", JUNHO), ("with", JUNHO)], "badRequest")]
#[case::no_messages(&[("with", JUNHO), ("limit", "0")], "badRequest")]
#[case::too_many(&[("with", JUNHO), ("limit", "51")], "badRequest")]
#[case::negative(&[("with", JUNHO), ("limit", "-1")], "badRequest")]
#[case::not_a_number(&[("with", JUNHO), ("limit", "abc")], "badRequest")]
#[case::no_number(&[("with", JUNHO), ("limit", "")], "badRequest")]
#[case::fraction(&[("with", JUNHO), ("limit", "1.5")], "badRequest")]
#[case::endless(&[("with", JUNHO), ("limit", "99999999999999999999999")], "badRequest")]
#[case::limit_twice(&[("with", JUNHO), ("limit", "1"), ("limit", "2")], "badRequest")]
#[case::malformed_before(&[("with", JUNHO), ("before", "now")], "badRequest")]
#[case::malformed_after(&[("with", JUNHO), ("after", "2026-11-23")], "badRequest")]
#[case::empty_after(&[("with", JUNHO), ("after", "")], "badRequest")]
#[case::both(&[("with", JUNHO), ("before", START), ("after", OLD)], "badRequest")]
#[tokio::test]
async fn a_history_that_makes_no_sense_is_refused(#[case] parameters: &[(&str, &str)], #[case] code: &str) {
    let answer = history(&Chat::new(), parameters).await;
    answer.assert_refused(400, code);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "a refusal is not cached either");
}

#[rstest]
#[case::one("1")]
#[case::fifty("50")]
#[tokio::test]
async fn a_page_has_one_to_fifty_messages(#[case] limit: &str) {
    assert_eq!(history(&Chat::new(), &[("with", JUNHO), ("limit", limit)]).await.status, 200);
}

#[rstest]
#[case::none(None)]
#[case::empty(Some(""))]
#[case::another_scheme(Some("Basic bWluamk6c2VjcmV0"))]
#[case::no_token(Some("Bearer"))]
#[case::blank_token(Some("Bearer   "))]
#[case::token_alone(Some("TOKEN"))]
#[case::made_up(Some("Bearer let-me-in"))]
#[tokio::test]
async fn without_a_good_token_no_route_answers(#[case] authorization: Option<&str>) {
    let chat = Chat::new();
    for route in ROUTES {
        let mut call = chat.rest_call(route.method, route.resource);
        if let Some(value) = authorization {
            set(&mut call.headers, AUTHORIZATION, &value.replace("TOKEN", &chat.token(MINJI)));
        }
        chat.rest(call).await.assert_refused(401, "unauthorized");
    }
}

#[rstest]
#[case::upper("BEARER TOKEN")]
#[case::lower("bearer  TOKEN ")]
#[tokio::test]
async fn the_scheme_is_read_in_any_case(#[case] authorization: &str) {
    let chat = Chat::new();
    let mut call = chat.rest_call(Method::GET, "/chat/conversations");
    set(&mut call.headers, AUTHORIZATION, &authorization.replace("TOKEN", &chat.token(MINJI)));
    assert_eq!(chat.rest(call).await.status, 200);
}

#[tokio::test]
async fn an_expired_token_says_so() {
    let chat = Chat::new();
    let token = chat.token_for(MINJI, Duration::from_secs(60));
    chat.pass(Duration::from_secs(60));
    let mut call = chat.rest_call(Method::GET, "/chat/conversations");
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {token}"));
    chat.rest(call).await.assert_refused(401, "authExpired");
}

#[rstest]
#[case::unknown(Method::GET, "/chat/everything")]
#[case::another_method(Method::DELETE, "/chat/history")]
#[case::nothing(Method::GET, "")]
#[tokio::test]
async fn an_unknown_route_is_refused(#[case] method: Method, #[case] resource: &str) {
    let chat = Chat::new();
    let mut call = chat.rest_call(method, resource);
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", chat.token(MINJI)));
    chat.rest(call).await.assert_refused(400, "badRequest");
}

#[rstest]
#[case::our_page(Some(ORIGIN), Some(ORIGIN))]
#[case::another_page(Some("https://evil.example.com"), None)]
#[case::no_page(None, None)]
#[tokio::test]
async fn only_pages_of_the_allowed_origins_may_read_an_answer(
    #[case] origin: Option<&str>,
    #[case] allowed: Option<&str>,
) {
    let chat = Chat::new();
    for (method, status) in [(Method::OPTIONS, 204), (Method::GET, 401)] {
        let mut call = chat.rest_call(method, "/chat/history");
        if let Some(origin) = origin {
            set(&mut call.headers, ORIGIN_HEADER, origin);
        }
        let answer = chat.rest(call).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_says_what_may_be_sent() {
    let chat = Chat::new();
    let mut call = chat.rest_call(Method::OPTIONS, "/chat/proposals");
    set(&mut call.headers, ORIGIN_HEADER, ORIGIN);
    let answer = chat.rest(call).await;
    assert_eq!((answer.status, answer.has_body), (204, false));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, OPTIONS"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, content-type"));
}

#[rstest]
#[case::nothing("")]
#[case::not_json("with=junho")]
#[case::array("[]")]
#[case::no_fields("{}")]
#[case::doubled(r#"{"with":"junho@example.com","with":"junho@example.com","contentType":"image/png","size":1,"width":1,"height":1}"#)]
#[case::text_as_size(
    r#"{"with":"junho@example.com","contentType":"image/png","size":"1","width":1,"height":1}"#
)]
#[case::negative_size(
    r#"{"with":"junho@example.com","contentType":"image/png","size":-1,"width":1,"height":1}"#
)]
#[case::trailing(r#"{"with":"junho@example.com","contentType":"image/png","size":1,"width":1,"height":1}x"#)]
#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused(#[case] body: &str) {
    Chat::new().post_text(MINJI, "/chat/uploads", body).await.assert_refused(400, "badRequest");
}

#[tokio::test]
async fn a_body_that_is_not_text_is_refused() {
    let chat = Chat::new();
    let mut call = chat.rest_call(Method::POST, "/chat/uploads");
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {}", chat.token(MINJI)));
    call.body = None;
    chat.rest(call).await.assert_refused(400, "badRequest");
}

/// 101 conversations, one more than a page has.
async fn with_101_conversations() -> Chat {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for count in 0..101 {
        minji.send(&format!("peer{count}@example.com"), "hello").await;
        chat.pass(Duration::from_secs(1));
    }
    chat
}

#[tokio::test]
async fn conversations_come_newest_first_a_hundred_a_page() {
    let chat = with_101_conversations().await;
    let first = chat.get(MINJI, "/chat/conversations", &[]).await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let second = chat.get(MINJI, "/chat/conversations", &[("cursor", cursor)]).await;
    let (first, second) = (&first.body["conversations"], &second.body);
    assert_eq!(first.as_array().unwrap().len(), 100);
    assert_eq!(second["conversations"].as_array().unwrap().len(), 1);
    assert_eq!(second["nextCursor"], Value::Null);
    assert_eq!(second.get("totalUnread"), None, "it counts the first page");
    let times: Vec<_> =
        first.as_array().unwrap().iter().map(|c| c["lastTimestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
}

#[tokio::test]
async fn a_cursor_is_good_for_its_owner_only() {
    let chat = with_101_conversations().await;
    let page = chat.get(MINJI, "/chat/conversations", &[]).await;
    let cursor = page.body["nextCursor"].as_str().unwrap();
    chat.get(JUNHO, "/chat/conversations", &[("cursor", cursor)]).await.assert_refused(400, "badRequest");
}

#[rstest]
#[case::empty("")]
#[case::garbage("!!!")]
#[case::no_text(&BASE64_URL_SAFE_NO_PAD.encode([0xff, 0xfe]))]
#[case::another_version(&BASE64_URL_SAFE_NO_PAD.encode("v2.00112233445566778899aabbccddeeff.2026-11-23#00112233445566778899aabbccddeeff"))]
#[case::no_owner(&BASE64_URL_SAFE_NO_PAD.encode("v1.2026-11-23#00112233445566778899aabbccddeeff"))]
#[case::a_timestamp(START)]
#[tokio::test]
async fn a_cursor_that_was_not_given_is_refused(#[case] cursor: &str) {
    let answer = Chat::new().get(MINJI, "/chat/conversations", &[("cursor", cursor)]).await;
    answer.assert_refused(400, "badRequest");
}

#[tokio::test]
async fn nobody_sees_a_conversation_of_others() {
    let chat = Chat::new();
    chat.connect(MINJI).await.send(JUNHO, "between us").await;
    for peer in [MINJI, JUNHO] {
        assert!(chat.history("eve@example.com", peer).await.is_empty());
    }
    let list = chat.get("eve@example.com", "/chat/conversations", &[]).await;
    assert_eq!(list.body, json!({ "conversations": [], "totalUnread": 0, "nextCursor": null }));
}

#[tokio::test]
async fn an_error_names_the_message_that_the_request_was_about() {
    let chat = Chat::new();
    let body = json!({ "receiverEmail": "junho", "clientMessageId": ID, "proposal": {} });
    let answer = chat.post(MINJI, "/chat/proposals", &body).await;
    answer.assert_refused(400, "badRequest");
    assert_eq!(answer.body["clientMessageId"], ID);
}
