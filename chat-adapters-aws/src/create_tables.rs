use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};
use chat_domain::{BoxError, Member};

use crate::tables::{connections, messages, rooms};
use crate::{DynamoClient, TableNames};

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

/// Creates the three tables with their indexes, and waits until they can be used. Tables that exist are left
/// as they are.
///
/// For tests and for stores on one's own machine: a deployed chat's tables come from its template, which also
/// keeps backups of them. Rows of connections stay until [`expire_connections`] is called.
///
/// # Errors
/// [`CreateTablesError`].
///
/// ```no_run
/// # use chat_adapters_aws::{CreateTablesError, DynamoClient};
/// # async fn example(client: DynamoClient) -> Result<(), CreateTablesError> {
/// use chat_adapters_aws::{TableNames, create_tables, expire_connections};
/// create_tables(&client, &TableNames::default()).await?;
/// expire_connections(&client, &TableNames::default()).await?;
/// # Ok(())
/// # }
/// ```
pub async fn create_tables(client: &DynamoClient, tables: &TableNames) -> Result<(), CreateTablesError> {
    let client = client.sdk();
    create(connections_table(client, &tables.connections)).await.map_err(of(&tables.connections))?;
    create(messages_table(client, &tables.messages)).await.map_err(of(&tables.messages))?;
    create(rooms_table(client, &tables.rooms)).await.map_err(of(&tables.rooms))?;
    for table in [&tables.connections, &tables.messages, &tables.rooms] {
        let exists = client.wait_until_table_exists().table_name(table).wait(USABLE_WITHIN).await;
        exists.map_err(|error| of(table)(error.into()))?;
    }
    Ok(())
}

/// Has DynamoDB delete rows of connections some time after they are stale, as a deployed chat's does.
///
/// By the machine's clock: a test whose days are over keeps away from it.
///
/// # Errors
/// [`CreateTablesError`].
pub async fn expire_connections(client: &DynamoClient, tables: &TableNames) -> Result<(), CreateTablesError> {
    turn_ttl_on(client.sdk(), &tables.connections).await.map_err(of(&tables.connections))
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

fn connections_table(client: &Client, name: &str) -> CreateTableFluentBuilder {
    let index =
        index(connections::EMAIL_INDEX, ProjectionType::All, [key(connections::EMAIL, KeyType::Hash)]);
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(text(connections::ID))
        .attribute_definitions(text(connections::EMAIL))
        .key_schema(key(connections::ID, KeyType::Hash))
        .global_secondary_indexes(index)
}

fn messages_table(client: &Client, name: &str) -> CreateTableFluentBuilder {
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(text(messages::ROOM_ID))
        .attribute_definitions(text(messages::TIMESTAMP))
        .key_schema(key(messages::ROOM_ID, KeyType::Hash))
        .key_schema(key(messages::TIMESTAMP, KeyType::Range))
}

fn rooms_table(client: &Client, name: &str) -> CreateTableFluentBuilder {
    let mut table = client
        .create_table()
        .table_name(name)
        .attribute_definitions(text(rooms::ROOM_ID))
        .attribute_definitions(text(rooms::ACTIVITY))
        .key_schema(key(rooms::ROOM_ID, KeyType::Hash));
    for member in [Member::A, Member::B] {
        let keys = [key(rooms::MEMBER[member], KeyType::Hash), key(rooms::ACTIVITY, KeyType::Range)];
        table = table.attribute_definitions(text(rooms::MEMBER[member])).global_secondary_indexes(index(
            rooms::index(member),
            ProjectionType::KeysOnly,
            keys,
        ));
    }
    table
}

/// DynamoDB refuses to turn on what is on.
async fn turn_ttl_on(client: &Client, table: &str) -> Result<(), BoxError> {
    let described = client.describe_time_to_live().table_name(table).send().await?;
    let status = described.time_to_live_description.and_then(|description| description.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(connections::TTL);
    let ttl = ttl.build()?;
    client.update_time_to_live().table_name(table).time_to_live_specification(ttl).send().await?;
    Ok(())
}

fn text(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    definition.attribute_type(ScalarAttributeType::S).build().expect("it has a name and a type")
}

fn key(name: &str, key_type: KeyType) -> KeySchemaElement {
    let element = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
    element.build().expect("it has a name and a type")
}

fn index<const N: usize>(
    name: &str,
    projected: ProjectionType,
    keys: [KeySchemaElement; N],
) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .projection(Projection::builder().projection_type(projected).build())
        .set_key_schema(Some(keys.into()))
        .build()
        .expect("it has a name, keys and a projection")
}
