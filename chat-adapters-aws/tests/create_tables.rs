//! The tables that are made for tests and for one's own machine are those of the design.

mod support;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeySchemaElement, TimeToLiveStatus};
use chat_adapters_aws::{DynamoClient, TableNames, create_tables, expire_rows};

use crate::support::Tables;

/// Empty tables, a client that reaches them, and the SDK's own for looking into them.
async fn fresh_tables() -> (DynamoClient, TableNames, Client) {
    let tables = Tables::fresh().await;
    (tables.client(), tables.names, Client::from_conf(tables.config.build()))
}

fn keys(schema: &[KeySchemaElement]) -> String {
    let keys = schema.iter().map(|key| format!("{} {}", key.attribute_name(), key.key_type()));
    keys.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn the_tables_have_the_keys_and_indexes_of_the_design() {
    let (_, tables, client) = fresh_tables().await;
    let mut lines = Vec::new();
    for (name, table) in [
        ("connections", &tables.connections),
        ("messages", &tables.messages),
        ("rooms", &tables.rooms),
        ("users", &tables.users),
    ] {
        let table = client.describe_table().table_name(table).send().await.unwrap().table.unwrap();
        lines.push(format!("{name}: {}", keys(table.key_schema())));
        let mut indexes = Vec::from(table.global_secondary_indexes());
        indexes.sort_by_key(|index| index.index_name.clone());
        for index in indexes {
            let projected = index.projection().and_then(|projection| projection.projection_type()).unwrap();
            let name = index.index_name().unwrap();
            lines.push(format!("  {name}: {} ({projected})", keys(index.key_schema())));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn tables_that_exist_are_left_as_they_are() {
    let (dynamo, tables, client) = fresh_tables().await;
    let id = AttributeValue::S("L0SM9cOFvHcCIhw=".to_owned());
    client.put_item().table_name(&tables.connections).item("connectionId", id).send().await.unwrap();
    create_tables(&dynamo, &tables).await.unwrap();
    let scan = client.scan().table_name(&tables.connections).send().await.unwrap();
    assert_eq!(scan.count(), 1);
}

#[tokio::test]
async fn connections_claims_and_reports_expire_by_their_ttl() {
    let (dynamo, tables, client) = fresh_tables().await;
    for _ in 0..2 {
        expire_rows(&dynamo, &tables).await.unwrap();
        for table in [&tables.connections, &tables.rooms, &tables.messages] {
            let described = client.describe_time_to_live().table_name(table).send().await.unwrap();
            let ttl = described.time_to_live_description.unwrap();
            assert_eq!(ttl.attribute_name(), Some("ttl"));
            assert_eq!(ttl.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
        }
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_created_is_named() {
    let (dynamo, mut tables, _) = fresh_tables().await;
    tables.messages = "no spaces".to_owned();
    let error = create_tables(&dynamo, &tables).await.unwrap_err();
    assert_eq!(error.to_string(), "the table no spaces cannot be set up");
}
