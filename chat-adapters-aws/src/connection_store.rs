use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Email, Timestamp, UserId,
    VerifiedIdentity,
};

use crate::attributes::{Fields, Malformed, item, number, text};
use crate::items::{Failure, Get, Item, Items, Query, Write};
use crate::query;
use crate::tables::TableNames;
use crate::tables::connections::{AUTH_EXPIRES_AT, CONNECTED_AT, EMAIL, EMAIL_INDEX, ID, TTL, USER_ID};

/// How many rows of a user [`of_user`](ConnectionStore::of_user) looks at. Besides the open connections there
/// are rows of connections whose end the gateway never reported, until DynamoDB deletes them; that takes up
/// to two days.
pub const CONNECTION_ROWS_MAX: usize = 1_000;

/// Open connections in DynamoDB.
///
/// - Rows are deleted by DynamoDB some time after they are [stale](Connection::stale_at); lists leave them
///   out at once.
/// - Timeouts and retries are those of [`DynamoMessageStore`](crate::DynamoMessageStore).
#[derive(Clone)]
pub struct DynamoConnectionStore {
    items: Arc<dyn Items>,
    table: String,
}

impl DynamoConnectionStore {
    /// A store over the table of this name.
    #[must_use]
    pub fn new(items: &(impl Items + Clone + 'static), tables: &TableNames) -> Self {
        Self { items: Arc::new(items.clone()), table: tables.connections.clone() }
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
        self.items.write(Write::put(&self.table, to_item(connection))).await.map(drop).map_err(failed("put"))
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        let get = Get { table: self.table.clone(), key: key(id), consistent: true };
        let got = self.items.get(get).await.map_err(failed("get"))?;
        got.as_ref().map(restore).transpose()
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let query = Query::new(&self.table, "email = :email").value(":email", text(email));
        let query = Query { index: Some(EMAIL_INDEX.to_owned()), ..query };
        let rows = query::first(&*self.items, CONNECTION_ROWS_MAX, query).await.map_err(failed("of_user"))?;
        let mut open = rows.items.iter().map(restore).collect::<Result<Vec<_>, _>>()?;
        open.retain(|connection| connection.may_be_open(now));
        Ok(open)
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let update = Write::update(&self.table, key(id), "SET authExpiresAt = :at")
            .only_if("attribute_exists(connectionId)")
            .value(":at", text(expires_at));
        let updated = self.items.write(update).await.map_err(failed("set_identity_expiry"))?;
        Ok(updated.held())
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        self.items.write(Write::delete(&self.table, key(id))).await.map(drop).map_err(failed("delete"))
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let delete = Write::delete(&self.table, key(id))
            .only_if("connectedAt < :instant")
            .value(":instant", text(instant));
        let deleted = self.items.write(delete).await.map_err(failed("delete_if_connected_before"))?;
        Ok(deleted.held())
    }
}

impl fmt::Debug for DynamoConnectionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoConnectionStore").field("table", &self.table).finish_non_exhaustive()
    }
}
