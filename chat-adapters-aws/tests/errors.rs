//! What each answer of DynamoDB means, from the wire to the port's error, and how often a call was tried.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_smithy_http_client::test_util::{NeverClient, infallible_client_fn};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chat_adapters_aws::{DynamoClient, DynamoConnectionStore, DynamoMessageStore, TableNames};
use chat_domain::{
    Advance, Append, Attachment, AttachmentKey, ClientMessageId, Connection, ConnectionId, ConnectionStore,
    ConnectionStoreError, Consistency, Content, Draft, Email, FirstContact, ImageFacts, ImageType, Member,
    MessageEraser, MessageStore, MessageStoreError, Page, PageLimit, PageQuery, PageRange, ReadMark, Room,
    RoomId, SendPolicy, Timestamp, UserId, VerifiedIdentity,
};
use rstest::rstest;
use serde_json::{Value, json};

type Item = HashMap<String, AttributeValue>;

const MINJI: Member = Member::B;
const JUNHO: Member = Member::A;

fn respond(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), body.to_string().into())
}

fn refusal(code: &str) -> HttpResponse {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    respond(400, &json!({ "__type": kind, "message": "no" }))
}

fn internal_error() -> HttpResponse {
    respond(
        500,
        &json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "oh" }),
    )
}

fn cancelled(codes: &[&str]) -> HttpResponse {
    let reasons: Vec<_> = codes.iter().map(|code| json!({ "Code": code, "Message": "because" })).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    respond(400, &json!({ "__type": kind, "Message": "cancelled", "CancellationReasons": reasons }))
}

fn client(rules: &[&Rule]) -> DynamoClient {
    DynamoClient::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules).config().to_builder())
}

fn messages(rules: &[&Rule]) -> DynamoMessageStore {
    DynamoMessageStore::new(&client(rules), &TableNames::default())
}

fn connections(rules: &[&Rule]) -> DynamoConnectionStore {
    DynamoConnectionStore::new(&client(rules), &TableNames::default())
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn their_room() -> RoomId {
    RoomId::new(&email("minji@example.com"), &email("junho@example.com")).unwrap()
}

fn nine() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().unwrap()
}

fn append(content: Content) -> Append {
    let draft = Draft { id: ClientMessageId::from_u128(1), sender: MINJI, content, reply_to: None };
    let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
    Room::empty(their_room()).append(&draft, nine(), policy).unwrap()
}

fn first_append() -> Append {
    append(Content::Text("안녕하세요".parse().unwrap()))
}

fn image() -> Content {
    let facts = ImageFacts::new(ImageType::Png, 1_000, 16, 9).unwrap();
    let key = AttachmentKey::mint(&their_room(), MINJI, facts, 7);
    Content::Image { attachment: Attachment { key, facts, alt: None }, caption: None }
}

fn mark() -> ReadMark {
    ReadMark::at(first_append().message(), JUNHO)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The row of Minji's message of this number, and the head of a room of one message of hers.
fn row(number: u64) -> Item {
    let at = Timestamp::from_unix_ms(nine().unix_ms() + i64::try_from(number).unwrap()).unwrap();
    [
        ("roomId", s(&their_room().to_string())),
        ("timestamp", s(&at.to_string())),
        ("senderEmail", s("minji@example.com")),
        ("receiverEmail", s("junho@example.com")),
        ("message", s("말")),
        ("read", AttributeValue::Bool(false)),
        ("seq", n(number)),
        ("senderSeq", n(number)),
        ("clientMessageId", s("018f2d4e-7b1a-7c3d-9e5f-001122334455")),
        ("kind", s("text")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn head_of(room: &RoomId) -> Item {
    let mut recent = vec![b'B'];
    recent.extend(7_u128.to_be_bytes());
    recent.extend(nine().unix_ms().to_be_bytes());
    [
        ("roomId", s(&room.to_string())),
        ("memberA", s(room.email(Member::A).as_str())),
        ("memberB", s(room.email(Member::B).as_str())),
        ("activity", s(&place_in_list(room))),
        ("seq", n(1)),
        ("sentA", n(0)),
        ("sentB", n(1)),
        ("kind", s("text")),
        ("message", s("말")),
        ("recent", AttributeValue::B(Blob::new(recent))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn place_in_list(room: &RoomId) -> String {
    format!("2026-11-23#{}", room.tag())
}

fn head() -> Item {
    head_of(&their_room())
}

const PASSING: [&str; 3] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

macro_rules! assert_matches {
    ($value:expr, $pattern:pat $(if $guard:expr)?) => {{
        let value = $value;
        assert!(matches!(value, $pattern $(if $guard)?), "{value:?}");
    }};
}

mod eraser {
    use super::*;

    /// What each method of the eraser says, by its name, to a store that answers like this.
    async fn outcomes(response: fn() -> HttpResponse) -> [(&'static str, Result<(), MessageStoreError>); 4] {
        let rules = [
            mock!(Client::get_item).then_http_response(response),
            mock!(Client::transact_write_items).then_http_response(response),
        ];
        let store = messages(&rules.each_ref());
        let append = first_append();
        let mut room = Room::empty(their_room());
        room.apply(&append);
        let rows = [append.message().at];
        [
            ("erase_message", store.erase_message(append.message()).await),
            ("rewrite_head", store.rewrite_head(&room).await),
            ("remove_oldest", store.remove_oldest(&room, &rows).await),
            ("remove_room", store.remove_room(&room, &rows).await),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn every_failure_names_the_method() {
        for (method, outcome) in outcomes(|| refusal(PASSING[0])).await {
            let named =
                matches!(outcome, Err(MessageStoreError::Throttled { operation }) if operation == method);
            assert!(named, "{method}: {outcome:?}");
        }
        for (method, outcome) in outcomes(internal_error).await {
            let named = matches!(
                outcome,
                Err(MessageStoreError::Unavailable { operation, .. }) if operation == method
            );
            assert!(named, "{method}: {outcome:?}");
        }
    }
}

mod regions {
    use super::*;

    /// Nothing happened, and the next attempt meets the item as the other region left it.
    #[tokio::test(start_paused = true)]
    async fn a_write_that_met_one_of_another_region_may_be_repeated() {
        let rule =
            mock!(Client::update_item).then_http_response(|| refusal("ReplicatedWriteConflictException"));
        let committed = messages(&[&rule]).commit(&first_append()).await;
        assert_matches!(committed, Err(MessageStoreError::Throttled { operation: "commit" }));
    }
}

mod transactions {
    use super::*;

    async fn answered(response: fn() -> HttpResponse) -> (Result<(), MessageStoreError>, usize) {
        let rule = mock!(Client::transact_write_items).then_http_response(response);
        let append = first_append();
        let mut room = Room::empty(their_room());
        room.apply(&append);
        let removed = messages(&[&rule]).remove_oldest(&room, &[append.message().at]).await;
        (removed, rule.num_calls())
    }

    #[rstest]
    #[case::the_head_moved(|| cancelled(&["ConditionalCheckFailed", "None"]))]
    #[case::whatever_else_happened(|| cancelled(&["ConditionalCheckFailed", "TransactionConflict"]))]
    #[tokio::test(start_paused = true)]
    async fn a_failed_condition_is_a_conflict(#[case] response: fn() -> HttpResponse) {
        let (removed, attempts) = answered(response).await;
        assert_matches!(removed, Err(MessageStoreError::Conflict));
        assert_eq!(attempts, 1);
    }

    #[rstest]
    #[case::another_transaction(|| cancelled(&["None", "TransactionConflict"]))]
    #[case::both_items(|| cancelled(&["TransactionConflict", "TransactionConflict"]))]
    #[case::capacity(|| cancelled(&["ProvisionedThroughputExceeded", "None"]))]
    #[case::rate(|| cancelled(&["None", "ThrottlingError"]))]
    #[tokio::test(start_paused = true)]
    async fn a_cancellation_that_passes_is_throttled(#[case] response: fn() -> HttpResponse) {
        let (removed, attempts) = answered(response).await;
        assert_matches!(removed, Err(MessageStoreError::Throttled { operation: "remove_oldest" }));
        assert_eq!(attempts, 1, "the domain decides anew");
    }

    #[rstest]
    #[case::reasons_of_other_kinds(|| cancelled(&["None", "ValidationError"]))]
    #[case::a_mixture(|| cancelled(&["ThrottlingError", "ItemCollectionSizeLimitExceeded"]))]
    #[case::no_reasons(|| cancelled(&[]))]
    #[case::no_reason(|| cancelled(&["None", "None"]))]
    #[case::another_use_of_the_token(|| refusal("IdempotentParameterMismatchException"))]
    #[case::still_in_progress(|| refusal("TransactionInProgressException"))]
    #[tokio::test(start_paused = true)]
    async fn other_refusals_are_unavailable(#[case] response: fn() -> HttpResponse) {
        let (removed, _) = answered(response).await;
        assert_matches!(removed, Err(MessageStoreError::Unavailable { operation: "remove_oldest", .. }));
    }

    /// DynamoDB answers a token it has seen within ten minutes as it did the first time: right for the
    /// attempts of one call, and wrong for two calls, of which the second has to be told that the head has
    /// moved.
    #[tokio::test(start_paused = true)]
    async fn attempts_share_a_token_and_calls_do_not() {
        let tokens = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&tokens);
        let wire = infallible_client_fn(move |request| {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let mut seen = seen.lock().unwrap();
            seen.push(body["ClientRequestToken"].as_str().unwrap().to_owned());
            let response =
                if seen.len() == 1 { refusal("ThrottlingException") } else { respond(200, &json!({})) };
            response.try_into_http1x().unwrap()
        });
        let client = DynamoClient::new(config().http_client(wire));
        let store = DynamoMessageStore::new(&client, &TableNames::default());
        let mut room = Room::empty(their_room());
        room.apply(&first_append());
        for _ in 0..2 {
            store.remove_oldest(&room, &[nine()]).await.unwrap();
        }
        let tokens = tokens.lock().unwrap();
        let [first, again, other] = tokens.as_slice() else { panic!("{tokens:?}") };
        assert_eq!(first, again);
        assert_ne!(first, other);
    }
}

mod commit {
    use super::*;

    async fn answered(response: fn() -> HttpResponse) -> (Result<(), MessageStoreError>, usize) {
        let rule = mock!(Client::update_item).then_http_response(response);
        let committed = messages(&[&rule]).commit(&first_append()).await;
        (committed, rule.num_calls())
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_condition_is_a_conflict() {
        let (committed, attempts) = answered(|| refusal("ConditionalCheckFailedException")).await;
        assert_matches!(committed, Err(MessageStoreError::Conflict));
        assert_eq!(attempts, 1);
    }

    /// The claim comes before the head, and nothing after a claim that failed.
    #[rstest]
    #[case::is_refused(|| refusal("ConditionalCheckFailedException"))]
    #[case::is_throttled(|| refusal(PASSING[0]))]
    #[case::is_unknown(internal_error)]
    #[tokio::test(start_paused = true)]
    async fn the_head_is_left_alone_when_the_claim_of_an_image(#[case] response: fn() -> HttpResponse) {
        let is_of_head =
            |key: &HashMap<String, AttributeValue>| key["roomId"] == s(&their_room().to_string());
        let claim = mock!(Client::update_item)
            .match_requests(move |update| !is_of_head(update.key().unwrap()))
            .then_http_response(response);
        let head = mock!(Client::update_item)
            .match_requests(move |update| is_of_head(update.key().unwrap()))
            .then_output(|| UpdateItemOutput::builder().build());
        let committed = messages(&[&claim, &head]).commit(&append(image())).await;
        assert!(committed.is_err(), "{committed:?}");
        assert_eq!(head.num_calls(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attachment_that_another_message_shows_is_taken() {
        let rule =
            mock!(Client::update_item).then_http_response(|| refusal("ConditionalCheckFailedException"));
        let committed = messages(&[&rule]).commit(&append(image())).await;
        assert!(matches!(committed, Err(MessageStoreError::AttachmentTaken)), "{committed:?}");
        assert_eq!(rule.num_calls(), 1);
    }

    #[rstest]
    #[case::no_permission(|| refusal("AccessDeniedException"))]
    #[case::no_table(|| refusal("ResourceNotFoundException"))]
    #[tokio::test(start_paused = true)]
    async fn other_refusals_are_unavailable(#[case] response: fn() -> HttpResponse) {
        let (committed, attempts) = answered(response).await;
        assert_matches!(committed, Err(MessageStoreError::Unavailable { operation: "commit", .. }));
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_waited_out_twice_and_then_told() {
        for code in PASSING {
            let rule = mock!(Client::update_item).then_http_response(move || refusal(code));
            let committed = messages(&[&rule]).commit(&first_append()).await;
            assert_matches!(committed, Err(MessageStoreError::Throttled { operation: "commit" }));
            assert_eq!(rule.num_calls(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_that_passes_goes_unnoticed() {
        let rule = mock!(Client::update_item)
            .sequence()
            .http_response(|| refusal("ThrottlingException"))
            .times(2)
            .output(|| UpdateItemOutput::builder().build())
            .build();
        assert_matches!(messages(&[&rule]).commit(&first_append()).await, Ok(()));
        assert_eq!(rule.num_calls(), 3);
    }

    #[rstest]
    #[case::internal(internal_error)]
    #[case::overloaded(|| respond(503, &json!({ "message": "busy" })))]
    #[case::a_broken_answer(|| HttpResponse::new(200.try_into().unwrap(), "{\"broken".into()))]
    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_is_told_at_once(#[case] response: fn() -> HttpResponse) {
        let (committed, attempts) = answered(response).await;
        assert_matches!(committed, Err(MessageStoreError::Unavailable { operation: "commit", .. }));
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_after_throttling_is_unknown() {
        let rule = mock!(Client::update_item)
            .sequence()
            .http_response(|| refusal("ThrottlingException"))
            .http_response(internal_error)
            .build();
        let committed = messages(&[&rule]).commit(&first_append()).await;
        assert_matches!(committed, Err(MessageStoreError::Unavailable { .. }));
        assert_eq!(rule.num_calls(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_unknown_after_one_attempt() {
        let never = NeverClient::new();
        let client = DynamoClient::new(Builder::new().with_test_defaults_v2().http_client(never.clone()));
        let began = tokio::time::Instant::now();
        let committed =
            DynamoMessageStore::new(&client, &TableNames::default()).commit(&first_append()).await;
        assert_matches!(committed, Err(MessageStoreError::Unavailable { .. }));
        assert_eq!(never.num_calls(), 1);
        assert_eq!(began.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_listening_is_unknown() {
        let committed =
            DynamoMessageStore::new(&nobody().await, &TableNames::default()).commit(&first_append()).await;
        assert_matches!(committed, Err(MessageStoreError::Unavailable { .. }));
    }
}

/// As production has it, without the tests' defaults.
fn config() -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::for_tests())
}

/// A client of an address where nobody listens.
async fn nobody() -> DynamoClient {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    DynamoClient::new(config().endpoint_url(format!("http://{address}")))
}

mod room {
    use super::*;

    async fn read(store: &DynamoMessageStore) -> Result<Option<Room>, MessageStoreError> {
        store.room(&their_room(), Consistency::Strong).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_tried_again() {
        let rule = mock!(Client::get_item)
            .sequence()
            .http_response(internal_error)
            .http_response(|| refusal("ThrottlingException"))
            .output(|| GetItemOutput::builder().set_item(Some(head())).build())
            .build();
        assert_eq!(read(&messages(&[&rule])).await.unwrap().unwrap().seq(), 1);
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_that_stays_is_told() {
        let rule = mock!(Client::get_item).then_http_response(|| refusal("ThrottlingException"));
        assert_matches!(
            read(&messages(&[&rule])).await,
            Err(MessageStoreError::Throttled { operation: "room" })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_stays_is_unavailable() {
        let rule = mock!(Client::get_item).then_http_response(internal_error);
        assert_matches!(
            read(&messages(&[&rule])).await,
            Err(MessageStoreError::Unavailable { operation: "room", .. })
        );
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_unavailable_after_seven_seconds() {
        let client =
            DynamoClient::new(Builder::new().with_test_defaults_v2().http_client(NeverClient::new()));
        let began = tokio::time::Instant::now();
        let answer = read(&DynamoMessageStore::new(&client, &TableNames::default())).await;
        assert_matches!(answer, Err(MessageStoreError::Unavailable { operation: "room", .. }));
        assert!(began.elapsed() <= Duration::from_millis(7_001), "{:?}", began.elapsed());
    }

    #[rstest]
    #[case::no_number("seq", None)]
    #[case::a_number_that_is_text("seq", Some(s("1")))]
    #[case::a_number_too_large("seq", Some(AttributeValue::N("1e40".to_owned())))]
    #[case::counts_that_do_not_add_up("sentA", Some(n(1)))]
    #[case::a_list_cut_in_the_middle("recent", Some(AttributeValue::B(Blob::new([b'B'; 24]))))]
    #[case::an_absent_list("recent", None)]
    #[case::a_list_that_is_text("openProposals", Some(s("none")))]
    #[case::a_member_that_is_none("recent", Some(AttributeValue::B(Blob::new([0; 25]))))]
    #[case::a_kind_that_is_none("kind", Some(s("a poem")))]
    #[case::a_mark_without_a_count("readUpToA", Some(n(1)))]
    #[case::an_instant_that_is_none("shownToA", Some(AttributeValue::N("1e18".to_owned())))]
    #[case::a_clearing_that_is_none("clearedToB", Some(AttributeValue::N("1e18".to_owned())))]
    #[tokio::test]
    async fn a_head_that_cannot_be_understood_is_corrupt(
        #[case] name: &'static str,
        #[case] value: Option<AttributeValue>,
    ) {
        let rule = mock!(Client::get_item).then_output(move || {
            let mut head = head();
            head.remove(name);
            head.extend(value.clone().map(|value| (name.to_owned(), value)));
            GetItemOutput::builder().set_item(Some(head)).build()
        });
        let error = read(&messages(&[&rule])).await.unwrap_err();
        assert_matches!(&error, MessageStoreError::Corrupt { .. });
        let source = std::error::Error::source(&error).unwrap();
        assert!(!format!("{error} {source}").contains("example.com"), "addresses stay out of logs");
    }
}

mod page {
    use super::*;

    async fn read(rule: &Rule, limit: usize) -> Result<Page, MessageStoreError> {
        let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::new(limit).unwrap() };
        let no_head = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        messages(&[rule, &no_head]).page(&their_room(), query, Consistency::Strong).await
    }

    /// A query over rows 1 to `rows` that ends each page after `cut_after` of them, with an empty page now
    /// and then.
    fn table_of(rows: u64, cut_after: usize) -> Rule {
        mock!(Client::query).then_compute_output(move |query| {
            let seen =
                query.exclusive_start_key().map_or(0, |key| key["seen"].as_n().unwrap().parse().unwrap());
            // Every other page is empty.
            let is_empty =
                query.exclusive_start_key().is_some_and(|key| key["empty"] == AttributeValue::Bool(true));
            let limit = usize::try_from(query.limit().unwrap()).unwrap();
            let length = if is_empty { 0 } else { limit.min(cut_after) };
            let items: Vec<_> = (seen + 1..=rows).take(length).map(row).collect();
            let seen = seen + u64::try_from(items.len()).unwrap();
            // DynamoDB says so too when the limit was reached with the very last row.
            let is_cut = seen < rows || items.len() == limit;
            let key = [("seen".to_owned(), n(seen)), ("empty".to_owned(), AttributeValue::Bool(!is_empty))];
            QueryOutput::builder()
                .set_items(Some(items))
                .set_last_evaluated_key(is_cut.then(|| key.into()))
                .build()
        })
    }

    #[rstest]
    #[case::whole_pages(100)]
    #[case::cut_pages(2)]
    #[tokio::test]
    async fn pages_that_are_cut_short_are_put_together(#[case] cut_after: usize) {
        for (rows, limit) in [(0, 3), (2, 3), (3, 3), (4, 3), (9, 3), (5, 5), (6, 5)] {
            let page = read(&table_of(rows, cut_after), limit).await.unwrap();
            let expected: Vec<_> = (1..=rows).take(limit).collect();
            assert!(
                page.messages.iter().map(|message| message.seq).eq(expected),
                "{limit} of {rows}: {page:?}"
            );
            assert_eq!(page.has_more, rows > limit as u64, "{limit} of {rows}");
        }
    }

    #[tokio::test]
    async fn a_page_that_was_cut_is_continued_consistently() {
        let rule = mock!(Client::query).then_compute_output(|query| {
            let goes_on = query.exclusive_start_key().is_some();
            assert_eq!(query.consistent_read(), Some(goes_on));
            let found = QueryOutput::builder().items(row(if goes_on { 1 } else { 2 }));
            found.set_last_evaluated_key((!goes_on).then(|| row(2))).build()
        });
        let query = PageQuery { range: PageRange::Newest, limit: PageLimit::new(3).unwrap() };
        let no_head = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        let store = messages(&[&rule, &no_head]);
        let page = store.page(&their_room(), query, Consistency::Eventual).await.unwrap();
        assert_eq!(page.messages.len(), 2);
        assert_eq!(rule.num_calls(), 2);
    }

    #[tokio::test]
    async fn a_page_that_is_cut_for_ever_is_unavailable() {
        let rule = mock!(Client::query)
            .then_output(|| QueryOutput::builder().last_evaluated_key("roomId", s("somewhere")).build());
        assert_matches!(read(&rule, 3).await, Err(MessageStoreError::Unavailable { operation: "page", .. }));
        assert_eq!(rule.num_calls(), 10);
    }

    #[rstest]
    #[case::no_text("message", None)]
    #[case::forbidden_text("message", Some(s("a\u{202e}b")))]
    #[case::an_outsider("senderEmail", Some(s("seoyeon@example.com")))]
    #[case::a_time_that_is_none("timestamp", Some(s("yesterday")))]
    #[case::no_such_kind("kind", Some(s("a poem")))]
    #[case::an_image_without_one("kind", Some(s("image")))]
    #[case::a_number_beyond_the_rooms("senderSeq", Some(n(2)))]
    #[case::the_number_zero("senderSeq", Some(n(0)))]
    #[tokio::test]
    async fn a_row_that_cannot_be_understood_is_corrupt(
        #[case] name: &'static str,
        #[case] value: Option<AttributeValue>,
    ) {
        let rule = mock!(Client::query).then_output(move || {
            let mut row = row(1);
            row.remove(name);
            row.extend(value.clone().map(|value| (name.to_owned(), value)));
            QueryOutput::builder().items(row).build()
        });
        assert_matches!(read(&rule, 1).await, Err(MessageStoreError::Corrupt { .. }));
    }
}

mod rooms_of {
    use super::*;

    fn peers(count: usize) -> Vec<RoomId> {
        let with =
            |n| RoomId::new(&email("minji@example.com"), &email(&format!("a{n:03}@example.com"))).unwrap();
        let mut rooms: Vec<_> = (0..count).map(with).collect();
        rooms.sort_by_key(place_in_list);
        rooms.reverse();
        rooms
    }

    fn index_item(room: &RoomId, activity: &str) -> Item {
        [("roomId".to_owned(), s(&room.to_string())), ("activity".to_owned(), s(activity))].into()
    }

    /// Minji is member B of all of them.
    fn listed(items: Vec<Item>) -> Rule {
        mock!(Client::query).then_compute_output(move |query| {
            let all = if query.index_name() == Some("memberB-index") { items.as_slice() } else { &[] };
            let limit = usize::try_from(query.limit().unwrap()).unwrap();
            let page = all.iter().take(limit).cloned().collect::<Vec<_>>();
            let is_cut = page.len() == limit;
            let key = is_cut.then(|| [("roomId".to_owned(), s("the last"))].into());
            QueryOutput::builder().set_items(Some(page)).set_last_evaluated_key(key).build()
        })
    }

    fn listed_rooms(rooms: &[RoomId]) -> Rule {
        listed(rooms.iter().map(|room| index_item(room, &place_in_list(room))).collect())
    }

    type Keys = HashMap<String, KeysAndAttributes>;

    /// Answers with the heads of the first `at_most` keys, and leaves the rest.
    fn some_heads(asked: &Keys, at_most: usize) -> BatchGetItemOutput {
        let (table, asked) = asked.iter().next().unwrap();
        let (now, later) = asked.keys().split_at(at_most.min(asked.keys().len()));
        let heads = now.iter().map(|key| head_of(&key["roomId"].as_s().unwrap().parse().unwrap())).collect();
        let output = BatchGetItemOutput::builder().responses(table, heads);
        if later.is_empty() {
            return output.build();
        }
        let later = KeysAndAttributes::builder().set_keys(Some(later.to_vec())).build().unwrap();
        output.unprocessed_keys(table, later).build()
    }

    fn heads(at_most: usize) -> Rule {
        mock!(Client::batch_get_item)
            .then_compute_output(move |batch| some_heads(batch.request_items().unwrap(), at_most))
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_batch_leaves_is_asked_for_again() {
        let rooms = peers(10);
        let (query, batch) = (listed_rooms(&rooms), heads(3));
        let page = messages(&[&query, &batch]).rooms_of(&email("minji@example.com"), None).await.unwrap();
        assert!(page.rooms.iter().map(Room::id).eq(&rooms));
        assert_eq!(page.next, None);
        assert_eq!(batch.num_calls(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_leaves_something_each_time_is_throttled() {
        let (query, batch) = (listed_rooms(&peers(10)), heads(2));
        let page = messages(&[&query, &batch]).rooms_of(&email("minji@example.com"), None).await;
        assert_matches!(page, Err(MessageStoreError::Throttled { operation: "rooms_of" }));
        assert_eq!(batch.num_calls(), 4);
    }

    #[tokio::test]
    async fn a_page_ends_where_the_hundredth_room_stands() {
        for (count, has_next) in [(99, false), (100, false), (101, true), (150, true)] {
            let rooms = peers(count);
            let (query, batch) = (listed_rooms(&rooms), heads(100));
            let page = messages(&[&query, &batch]).rooms_of(&email("minji@example.com"), None).await.unwrap();
            assert_eq!(page.rooms.len(), count.min(100));
            let next = has_next.then(|| place_in_list(&rooms[99]));
            assert_eq!(page.next.map(|next| next.to_string()), next);
        }
    }

    /// An index drops the old place of a room some time after it shows the new one, and a batch refuses a key
    /// that it is given twice.
    #[tokio::test]
    async fn a_room_that_an_index_shows_twice_is_listed_once() {
        let rooms = peers(2);
        let mut items: Vec<_> = rooms.iter().map(|room| index_item(room, &place_in_list(room))).collect();
        items.push(index_item(&rooms[1], &format!("2026-11-20#{}", rooms[1].tag())));
        let (query, batch) = (listed(items), heads(100));
        let page = messages(&[&query, &batch]).rooms_of(&email("minji@example.com"), None).await.unwrap();
        assert!(page.rooms.iter().map(Room::id).eq(&rooms));
    }

    #[tokio::test]
    async fn a_room_whose_head_is_gone_is_left_out() {
        let query = listed_rooms(&peers(2));
        let batch = mock!(Client::batch_get_item).then_output(|| BatchGetItemOutput::builder().build());
        let page = messages(&[&query, &batch]).rooms_of(&email("minji@example.com"), None).await.unwrap();
        assert_eq!(page.rooms, []);
    }

    #[tokio::test]
    async fn an_index_item_that_cannot_be_understood_is_corrupt() {
        let query = listed(vec![index_item(&their_room(), "yesterday")]);
        let page = messages(&[&query]).rooms_of(&email("minji@example.com"), None).await;
        assert_matches!(page, Err(MessageStoreError::Corrupt { .. }));
    }
}

mod advance_read {
    use super::*;

    async fn advance(rule: &Rule) -> Result<Advance, MessageStoreError> {
        messages(&[rule]).advance_read(&their_room(), JUNHO, mark()).await
    }

    fn wire_head() -> Value {
        json!({
            "roomId": { "S": their_room().to_string() },
            "seq": { "N": "1" }, "sentA": { "N": "0" }, "sentB": { "N": "1" },
            "kind": { "S": "text" }, "message": { "S": "말" },
            "recent": { "B": "QgAAAAAAAAAAAAAAAAAAAAcAAAGiB6IygA==" },
        })
    }

    fn condition_failed(item: &Value) -> HttpResponse {
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        respond(400, &json!({ "__type": kind, "message": "The conditional request failed", "Item": item }))
    }

    #[tokio::test]
    async fn a_failed_condition_shows_the_room_as_it_is() {
        let rule = mock!(Client::update_item).then_http_response(|| condition_failed(&wire_head()));
        let Advance::Unchanged(room) = advance(&rule).await.unwrap() else { panic!("the condition failed") };
        assert_eq!(room.seq(), 1);
        assert_eq!(rule.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_failed_condition_that_shows_no_item_is_looked_into() {
        for stored in [None, Some(head())] {
            let update =
                mock!(Client::update_item).then_http_response(|| refusal("ConditionalCheckFailedException"));
            let expected = if stored.is_some() { "Unchanged" } else { "NoRoom" };
            let get = mock!(Client::get_item)
                .match_requests(|get| get.consistent_read() == Some(true))
                .then_output(move || GetItemOutput::builder().set_item(stored.clone()).build());
            let advance =
                messages(&[&update, &get]).advance_read(&their_room(), JUNHO, mark()).await.unwrap();
            assert!(format!("{advance:?}").starts_with(expected), "{advance:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_is_in_the_way_is_waited_for() {
        let rule = mock!(Client::update_item)
            .sequence()
            .http_response(|| refusal("TransactionConflictException"))
            .times(2)
            .output(|| UpdateItemOutput::builder().set_attributes(Some(head())).build())
            .build();
        assert_matches!(advance(&rule).await, Ok(Advance::Moved(_)));
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn commits_that_stay_in_the_way_are_throttling() {
        let rule = mock!(Client::update_item).then_http_response(|| refusal("TransactionConflictException"));
        assert_matches!(
            advance(&rule).await,
            Err(MessageStoreError::Throttled { operation: "advance_read" })
        );
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_is_told_at_once() {
        let rule = mock!(Client::update_item).then_http_response(internal_error);
        assert_matches!(
            advance(&rule).await,
            Err(MessageStoreError::Unavailable { operation: "advance_read", .. })
        );
        assert_eq!(rule.num_calls(), 1);
    }
}

mod connection_store {
    use super::*;

    fn id() -> ConnectionId {
        ConnectionId::new("L0SM9cOFvHcCIhw=")
    }

    fn connection() -> Connection {
        let identity = VerifiedIdentity::vouched(email("minji@example.com"), UserId::new("minji"), nine());
        Connection { id: id(), identity, connected_at: nine() }
    }

    /// What each method answers when DynamoDB answers everything with this, and the most attempts that took.
    async fn all(
        response: fn() -> HttpResponse,
    ) -> [(&'static str, Result<(), ConnectionStoreError>, usize); 6] {
        let put = mock!(Client::put_item).then_http_response(response);
        let get = mock!(Client::get_item).then_http_response(response);
        let query = mock!(Client::query).then_http_response(response);
        let update = mock!(Client::update_item).then_http_response(response);
        let delete = mock!(Client::delete_item).then_http_response(response);
        let delete_old = mock!(Client::delete_item).then_http_response(response);
        let store = connections(&[&put, &get, &query, &update, &delete]);
        let other_store = connections(&[&delete_old]);
        [
            ("put", store.put(&connection()).await, put.num_calls()),
            ("get", store.get(&id()).await.map(drop), get.num_calls()),
            (
                "of_user",
                store.of_user(&email("minji@example.com"), nine()).await.map(drop),
                query.num_calls(),
            ),
            (
                "set_identity_expiry",
                store.set_identity_expiry(&id(), nine()).await.map(drop),
                update.num_calls(),
            ),
            ("delete", store.delete(&id()).await, delete.num_calls()),
            (
                "delete_if_connected_before",
                other_store.delete_if_connected_before(&id(), nine()).await.map(drop),
                delete_old.num_calls(),
            ),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_waited_out_twice_and_then_told() {
        for (method, outcome, attempts) in all(|| refusal("ProvisionedThroughputExceededException")).await {
            let throttled =
                matches!(outcome, Err(ConnectionStoreError::Throttled { operation }) if operation == method);
            assert!(throttled, "{method}: {outcome:?}");
            assert_eq!(attempts, 3, "{method}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_internal_error_is_unavailable_and_only_reads_are_tried_again() {
        for (method, outcome, attempts) in all(internal_error).await {
            let unavailable = matches!(
                outcome,
                Err(ConnectionStoreError::Unavailable { operation, .. }) if operation == method
            );
            assert!(unavailable, "{method}: {outcome:?}");
            assert_eq!(attempts, if matches!(method, "get" | "of_user") { 3 } else { 1 }, "{method}");
        }
    }

    #[tokio::test]
    async fn a_failed_condition_is_an_answer() {
        let update =
            mock!(Client::update_item).then_http_response(|| refusal("ConditionalCheckFailedException"));
        let delete =
            mock!(Client::delete_item).then_http_response(|| refusal("ConditionalCheckFailedException"));
        let store = connections(&[&update, &delete]);
        assert!(!store.set_identity_expiry(&id(), nine()).await.unwrap());
        assert!(!store.delete_if_connected_before(&id(), nine()).await.unwrap());
    }

    fn row(name: &str, connected_at: Timestamp) -> Item {
        [
            ("connectionId", s(name)),
            ("email", s("minji@example.com")),
            ("userId", s("minji")),
            ("connectedAt", s(&connected_at.to_string())),
            ("authExpiresAt", s(&nine().to_string())),
            ("ttl", n(1)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    #[tokio::test]
    async fn a_list_that_is_cut_short_goes_on_and_leaves_out_what_is_stale() {
        let yesterday = nine().before(Duration::from_secs(24 * 60 * 60));
        let next = || s("and so on");
        let rule = mock!(Client::query)
            .sequence()
            .output(move || {
                let page = QueryOutput::builder().items(row("a", nine())).items(row("old", yesterday));
                page.last_evaluated_key("connectionId", next()).build()
            })
            .output(move || QueryOutput::builder().last_evaluated_key("connectionId", next()).build())
            .output(|| QueryOutput::builder().items(row("b", nine())).build())
            .build();
        let listed = connections(&[&rule]).of_user(&email("minji@example.com"), nine()).await.unwrap();
        assert!(listed.iter().map(|connection| connection.id.as_str()).eq(["a", "b"]), "{listed:?}");
        assert_eq!(rule.num_calls(), 3);
    }

    #[rstest]
    #[case("email")]
    #[case("userId")]
    #[case("connectedAt")]
    #[case("authExpiresAt")]
    #[tokio::test]
    async fn a_row_without_an_attribute_is_corrupt(#[case] name: &'static str) {
        let rule = mock!(Client::get_item).then_output(move || {
            let mut row = row("a", nine());
            row.remove(name);
            GetItemOutput::builder().set_item(Some(row)).build()
        });
        let error = connections(&[&rule]).get(&id()).await.unwrap_err();
        assert_matches!(&error, ConnectionStoreError::Corrupt { key, .. } if key == "a");
    }
}
