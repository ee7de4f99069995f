use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};
use chat_domain::BoxError;

use crate::tables::{connections, reports, rooms};
use crate::{DynamoClient, IndexSchema, KeySchema, TableNames, TableSchema};

/// How long a table may take until it can be used. DynamoDB takes some ten seconds, an engine on this machine
/// none.
const USABLE_WITHIN: Duration = Duration::from_secs(120);

/// A table could not be made, or not be told to expire its rows.
#[derive(Debug, thiserror::Error)]
#[error("the table {table} cannot be set up")]
pub struct CreateTablesError {
    table: String,
    #[source]
    source: BoxError,
}

/// Creates the four tables with their indexes, and waits until they can be used. Tables that exist are left
/// as they are.
///
/// For tests and for stores on one's own machine: a deployed chat's tables come from its template, which also
/// keeps backups of them. Rows of connections and reports stay until [`expire_rows`] is called.
///
/// # Errors
/// [`CreateTablesError`].
///
/// ```no_run
/// use chat_adapters_aws::{
///     CreateTablesError, DynamoClient, TableNames, create_tables, expire_rows,
/// };
///
/// async fn prepare(client: &DynamoClient) -> Result<(), CreateTablesError> {
///     let tables = TableNames::default();
///     create_tables(client, &tables).await?;
///     expire_rows(client, &tables).await
/// }
/// ```
pub async fn create_tables(client: &DynamoClient, tables: &TableNames) -> Result<(), CreateTablesError> {
    let client = client.sdk();
    let schemas = tables.schemas();
    for schema in &schemas {
        create(request(client, schema)).await.map_err(of(&schema.name))?;
    }
    for TableSchema { name, .. } in &schemas {
        let exists = client.wait_until_table_exists().table_name(name).wait(USABLE_WITHIN).await;
        exists.map_err(|error| of(name)(error.into()))?;
    }
    Ok(())
}

/// Has DynamoDB delete rows of connections, claims of images and reports some time after they are stale,
/// as a deployed chat's does.
///
/// By the machine's clock: a test whose days are over keeps away from it.
///
/// # Errors
/// [`CreateTablesError`].
pub async fn expire_rows(client: &DynamoClient, tables: &TableNames) -> Result<(), CreateTablesError> {
    turn_ttl_on(client.sdk(), &tables.connections, connections::TTL)
        .await
        .map_err(of(&tables.connections))?;
    turn_ttl_on(client.sdk(), &tables.rooms, rooms::TTL).await.map_err(of(&tables.rooms))?;
    turn_ttl_on(client.sdk(), &tables.messages, reports::TTL).await.map_err(of(&tables.messages))
}

fn of(table: &str) -> impl FnOnce(BoxError) -> CreateTablesError {
    let table = table.to_owned();
    |source| CreateTablesError { table, source }
}

async fn create(table: CreateTableFluentBuilder) -> Result<(), BoxError> {
    match table.billing_mode(BillingMode::PayPerRequest).send().await {
        Err(error)
            if !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) =>
        {
            Err(error.into())
        }
        _ => Ok(()),
    }
}

fn request(client: &Client, schema: &TableSchema) -> CreateTableFluentBuilder {
    let mut table = client.create_table().table_name(&schema.name).set_key_schema(Some(key(schema.key)));
    let keys = schema.indexes.iter().map(|index| index.key).chain([schema.key]);
    let names: BTreeSet<_> = keys.flat_map(|key| [Some(key.partition), key.sort]).flatten().collect();
    for name in names {
        table = table.attribute_definitions(text(name));
    }
    schema.indexes.iter().fold(table, |table, schema| table.global_secondary_indexes(index(schema)))
}

/// DynamoDB refuses to turn on what is on.
async fn turn_ttl_on(client: &Client, table: &str, attribute: &str) -> Result<(), BoxError> {
    let described = client.describe_time_to_live().table_name(table).send().await?;
    let status = described.time_to_live_description.and_then(|description| description.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute);
    let ttl = ttl.build()?;
    client.update_time_to_live().table_name(table).time_to_live_specification(ttl).send().await?;
    Ok(())
}

fn text(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    definition.attribute_type(ScalarAttributeType::S).build().expect("it has a name and a type")
}

fn key(schema: KeySchema) -> Vec<KeySchemaElement> {
    let keys = [(Some(schema.partition), KeyType::Hash), (schema.sort, KeyType::Range)];
    let element = |(name, key_type): (Option<&str>, KeyType)| {
        let element = KeySchemaElement::builder().attribute_name(name?).key_type(key_type);
        Some(element.build().expect("it has a name and a type"))
    };
    keys.into_iter().filter_map(element).collect()
}

fn index(schema: &IndexSchema) -> GlobalSecondaryIndex {
    let projected = if schema.has_all { ProjectionType::All } else { ProjectionType::KeysOnly };
    GlobalSecondaryIndex::builder()
        .index_name(schema.name)
        .projection(Projection::builder().projection_type(projected).build())
        .set_key_schema(Some(key(schema.key)))
        .build()
        .expect("it has a name, keys and a projection")
}
