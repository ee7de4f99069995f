//! The engine behind its two doors. What it does with requests has tests of its own, and the conformance suites of the stores.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use aws_local::DynamoDb;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    TransactWriteItem,
};

fn config() -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
}

fn in_process(dynamodb: &DynamoDb) -> Client {
    Client::from_conf(config().http_client(dynamodb.http_client()).build())
}

async fn create_table(client: &Client) {
    client
        .create_table()
        .table_name("things")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name("id")
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap(),
        )
        .key_schema(KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap())
        .send()
        .await
        .unwrap();
}

fn put(id: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("things")
        .item("id", AttributeValue::S(id.to_owned()))
        .condition_expression("attribute_not_exists(id)");
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

async fn count(client: &Client) -> i32 {
    client.scan().table_name("things").send().await.unwrap().count()
}

#[tokio::test]
async fn a_transaction_that_fails_says_why_for_each_item_and_writes_none() {
    let client = in_process(&DynamoDb::in_memory().unwrap());
    create_table(&client).await;
    client.transact_write_items().transact_items(put("a")).send().await.unwrap();
    let outcome =
        client.transact_write_items().transact_items(put("b")).transact_items(put("a")).send().await;
    let error = outcome.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { panic!("{error:?}") };
    let codes: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn what_was_answered_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    {
        let client = in_process(&DynamoDb::in_file(&file).unwrap());
        create_table(&client).await;
        client.transact_write_items().transact_items(put("a")).send().await.unwrap();
    }
    assert_eq!(count(&in_process(&DynamoDb::in_file(&file).unwrap())).await, 1);
}

/// Each of the ids is written twice, with others that are written once: of each pair exactly one succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_are_written_together_succeed_and_fail_each_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    let client = in_process(&DynamoDb::in_file(&file).unwrap());
    create_table(&client).await;
    let ids = (0..200)
        .map(|number| format!("id {}", number % 100))
        .chain((0..100).map(|one| format!("alone {one}")));
    let written: Vec<_> = ids
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move {
                let written = client.transact_write_items().transact_items(put(&id)).send().await;
                written.map(drop).map_err(|error| error.into_service_error())
            })
        })
        .collect();
    let (mut succeeded, mut failed) = (0, 0);
    for one in written {
        match one.await.unwrap() {
            Ok(()) => succeeded += 1,
            Err(TransactWriteItemsError::TransactionCanceledException(_)) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((succeeded, failed), (200, 100));
    drop(client);
    assert_eq!(count(&in_process(&DynamoDb::in_file(&file).unwrap())).await, 200);
}

#[tokio::test]
async fn a_file_that_is_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "this is no database, and long enough to have a header of a hundred bytes, as every database has one",
    )
    .unwrap();
    let error = DynamoDb::in_file(&file).unwrap_err();
    assert!(error.to_string().starts_with("the database does not open"), "{error}");
}

#[tokio::test]
async fn other_processes_reach_it_over_http() {
    let dynamodb = DynamoDb::in_memory().unwrap();
    let address = support::serve(dynamodb.router()).await;
    let client = Client::from_conf(config().endpoint_url(format!("http://{address}")).build());
    create_table(&client).await;
    assert_eq!(in_process(&dynamodb).list_tables().send().await.unwrap().table_names(), ["things"]);
}

const LIST_TABLES: (&str, &str) = ("x-amz-target", "DynamoDB_20120810.ListTables");

#[tokio::test]
async fn web_pages_are_refused() {
    let address = support::serve(DynamoDb::in_memory().unwrap().router()).await;
    assert_eq!(support::post(address, &[LIST_TABLES], "{}").await, 200);
    let of_a_page = [("origin", "https://example.com"), LIST_TABLES];
    assert_eq!(support::post(address, &of_a_page, "{}").await, 403);
}

#[tokio::test]
async fn what_it_does_not_serve_it_says() {
    let address = support::serve(DynamoDb::in_memory().unwrap().router()).await;
    for target in ["DynamoDB_20120810.CreateBackup", "Elsewhere.GetItem"] {
        assert_eq!(support::post(address, &[("x-amz-target", target)], "{}").await, 400, "{target}");
    }
}
