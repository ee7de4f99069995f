//! The engine behind its two doors. What it does with requests has tests of its own, and the conformance
//! suites of the stores.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use aws_local::DynamoDb;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    TransactWriteItem, Update,
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
    let (_folder, file) = file();
    {
        let client = in_process(&DynamoDb::in_file(&file).unwrap());
        create_table(&client).await;
        client.transact_write_items().transact_items(put("a")).send().await.unwrap();
    }
    assert_eq!(count(&in_process(&DynamoDb::in_file(&file).unwrap())).await, 1);
}

/// All at once; whether each was written, and for one that was not, the codes of its items.
async fn all_at_once(
    client: &Client,
    transactions: impl IntoIterator<Item = Vec<TransactWriteItem>>,
) -> Vec<Result<(), Vec<String>>> {
    let sent = transactions.into_iter().map(|items| {
        let written = client.transact_write_items().set_transact_items(Some(items)).send();
        tokio::spawn(async move {
            match written.await.map_err(|error| error.into_service_error()) {
                Ok(_) => Ok(()),
                Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons().iter();
                    Err(reasons.map(|reason| reason.code().unwrap().to_owned()).collect())
                }
                Err(other) => panic!("{other:?}"),
            }
        })
    });
    let mut outcomes = Vec::new();
    for one in sent.collect::<Vec<_>>() {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    (folder, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_transactions_that_are_written_together_those_that_cannot_be_say_why_and_the_others_are_written() {
    let (_folder, file) = file();
    let client = in_process(&DynamoDb::in_file(&file).unwrap());
    create_table(&client).await;
    let old: Vec<_> = (0..100).map(|number| format!("old {number}")).collect();
    assert!(all_at_once(&client, old.iter().map(|id| vec![put(id)])).await.iter().all(Result::is_ok));

    // Every third one cannot be written, now for its first item and now for its second.
    let transactions = (0..100).map(|number| {
        let ids = [format!("new {number}"), format!("also new {number}")];
        match number % 6 {
            0 => vec![put(&old[number]), put(&ids[1])],
            3 => vec![put(&ids[0]), put(&old[number])],
            _ => vec![put(&ids[0]), put(&ids[1])],
        }
    });
    for (number, outcome) in all_at_once(&client, transactions).await.into_iter().enumerate() {
        match number % 6 {
            0 => assert_eq!(outcome.unwrap_err(), ["ConditionalCheckFailed", "None"], "{number}"),
            3 => assert_eq!(outcome.unwrap_err(), ["None", "ConditionalCheckFailed"], "{number}"),
            _ => assert_eq!(outcome, Ok(()), "{number}"),
        }
    }
    drop(client);
    assert_eq!(count(&in_process(&DynamoDb::in_file(&file).unwrap())).await, 100 + 2 * 66);
}

/// Each id is written twice: of each pair exactly one succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_put_the_same_item_succeed_and_fail_each_by_itself() {
    let (_folder, file) = file();
    let client = in_process(&DynamoDb::in_file(&file).unwrap());
    create_table(&client).await;
    let ids: Vec<_> = (0..200).map(|number| format!("id {}", number % 100)).collect();
    let outcomes = all_at_once(&client, ids.iter().map(|id| vec![put(id)])).await;
    for (first, second) in outcomes[..100].iter().zip(&outcomes[100..]) {
        assert!(first.is_ok() != second.is_ok(), "{first:?}, {second:?}");
    }
    assert_eq!(count(&client).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_update_the_same_item_are_written_one_after_the_other() {
    let (_folder, file) = file();
    let client = in_process(&DynamoDb::in_file(&file).unwrap());
    create_table(&client).await;
    let update = Update::builder()
        .table_name("things")
        .key("id", AttributeValue::S("counter".to_owned()))
        .update_expression("ADD n :one")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .build()
        .unwrap();
    let update = TransactWriteItem::builder().update(update).build();
    let transactions = (0..100).map(|number| vec![update.clone(), put(&format!("id {number}"))]);
    assert!(all_at_once(&client, transactions).await.iter().all(Result::is_ok));
    let counter = client.get_item().table_name("things").key("id", AttributeValue::S("counter".to_owned()));
    let counter = counter.send().await.unwrap().item.unwrap();
    assert_eq!(counter["n"], AttributeValue::N("100".to_owned()));
}

/// Reads have connections of their own, which know a table from before.
#[tokio::test]
async fn a_table_that_was_made_anew_is_read_as_it_is() {
    let (_folder, file) = file();
    let client = in_process(&DynamoDb::in_file(&file).unwrap());
    for _ in 0..2 {
        create_table(&client).await;
        assert_eq!(count(&client).await, 0);
        client.transact_write_items().transact_items(put("a")).send().await.unwrap();
        assert_eq!(count(&client).await, 1);
        client.delete_table().table_name("things").send().await.unwrap();
        let gone = client.scan().table_name("things").send().await.unwrap_err().into_service_error();
        assert!(gone.is_resource_not_found_exception(), "{gone:?}");
    }
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
