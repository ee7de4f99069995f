use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Email, Timestamp, UserId,
    VerifiedIdentity,
};

use crate::attributes::{Fields, Item, Malformed, item, number, text};
use crate::calls::{DynamoClient, Failure, as_write, condition_held};
use crate::query;
use crate::tables::TableNames;
use crate::tables::connections::{AUTH_EXPIRES_AT, CONNECTED_AT, EMAIL, EMAIL_INDEX, ID, TTL, USER_ID};

/// How many rows of a user [`of_user`](ConnectionStore::of_user) looks at: their open connections, and those
/// whose end was never told and which DynamoDB has not yet deleted. It takes up to two days for that.
pub const OF_USER_MAX: usize = 1_000;

/// Open connections in DynamoDB.
///
/// - Rows are deleted by DynamoDB some time after they are [stale](Connection::stale_at); lists leave them
///   out at once.
/// - Timeouts and retries are those of [`DynamoMessageStore`](crate::DynamoMessageStore).
#[derive(Clone)]
pub struct DynamoConnectionStore {
    client: DynamoClient,
    table: String,
}

impl DynamoConnectionStore {
    /// A store over the table of this name.
    #[must_use]
    pub fn new(client: &DynamoClient, tables: &TableNames) -> Self {
        Self { client: client.clone(), table: tables.connections.clone() }
    }
}

fn key(id: &ConnectionId) -> Item {
    item([(ID, text(id))])
}

fn to_item(connection: &Connection) -> Item {
    let Connection { id, identity, connected_at } = connection;
    item([
        (ID, text(id)),
        (EMAIL, text(identity.email())),
        (USER_ID, text(identity.user_id().as_str())),
        (CONNECTED_AT, text(connected_at)),
        (AUTH_EXPIRES_AT, text(identity.expires_at())),
        (TTL, number(ttl(connection))),
    ])
}

/// The first full second since 1970 at which the row is stale: DynamoDB must not delete it earlier.
fn ttl(connection: &Connection) -> i64 {
    const SECOND_MS: i64 = 1_000;
    let last_live = connection.stale_at().before(Duration::from_millis(1));
    last_live.unix_ms().div_euclid(SECOND_MS) + 1
}

fn from_item(row: &Item) -> Result<Connection, Malformed> {
    let row = Fields(row);
    let user_id = UserId::new(row.text(USER_ID)?);
    Ok(Connection {
        id: ConnectionId::new(row.text(ID)?),
        identity: VerifiedIdentity::vouched(row.parsed(EMAIL)?, user_id, row.parsed(AUTH_EXPIRES_AT)?),
        connected_at: row.parsed(CONNECTED_AT)?,
    })
}

fn failed(operation: &'static str) -> impl FnOnce(Failure) -> ConnectionStoreError {
    move |failure| match failure {
        Failure::Throttled => ConnectionStoreError::Throttled { operation },
        Failure::Unavailable(source) => ConnectionStoreError::Unavailable { operation, source },
    }
}

fn restore(row: &Item) -> Result<Connection, ConnectionStoreError> {
    from_item(row).map_err(|malformed| ConnectionStoreError::Corrupt {
        key: Fields(row).text(ID).unwrap_or("without a name").to_owned(),
        source: malformed.into(),
    })
}

#[async_trait]
impl ConnectionStore for DynamoConnectionStore {
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError> {
        let put = self.client.sdk().put_item().table_name(&self.table).set_item(Some(to_item(connection)));
        put.customize()
            .config_override(as_write())
            .send()
            .await
            .map(drop)
            .map_err(|error| failed("put")(error.into()))
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        let get =
            self.client.sdk().get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true);
        let got = get.send().await.map_err(|error| failed("get")(error.into()))?;
        got.item.as_ref().map(restore).transpose()
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let query = self
            .client
            .sdk()
            .query()
            .table_name(&self.table)
            .index_name(EMAIL_INDEX)
            .key_condition_expression("email = :email")
            .expression_attribute_values(":email", text(email));
        let rows = query::first(OF_USER_MAX, query).await.map_err(failed("of_user"))?;
        let mut open = rows.items.iter().map(restore).collect::<Result<Vec<_>, _>>()?;
        open.retain(|connection| connection.may_be_open(now));
        Ok(open)
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let updated = self
            .client
            .sdk()
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .condition_expression("attribute_exists(connectionId)")
            .update_expression("SET authExpiresAt = :at")
            .expression_attribute_values(":at", text(expires_at))
            .customize()
            .config_override(as_write())
            .send()
            .await;
        condition_held(updated).map_err(failed("set_identity_expiry"))
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        let delete = self.client.sdk().delete_item().table_name(&self.table).set_key(Some(key(id)));
        delete
            .customize()
            .config_override(as_write())
            .send()
            .await
            .map(drop)
            .map_err(|error| failed("delete")(error.into()))
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let deleted = self
            .client
            .sdk()
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .condition_expression("connectedAt < :instant")
            .expression_attribute_values(":instant", text(instant))
            .customize()
            .config_override(as_write())
            .send()
            .await;
        condition_held(deleted).map_err(failed("delete_if_connected_before"))
    }
}

impl fmt::Debug for DynamoConnectionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoConnectionStore").field("table", &self.table).finish_non_exhaustive()
    }
}
