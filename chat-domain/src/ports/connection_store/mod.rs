#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::ConnectionStoreError;
use crate::{Connection, ConnectionId, Email, Timestamp};

/// Keeps which connections are open, and whose they are.
///
/// # Contract
///
/// - **Rows are independent.** Each method but [`of_user`](Self::of_user) touches the row of one connection,
///   atomically.
/// - **Consistency.** [`get`](Self::get) sees every write that was acknowledged before it began.
///   [`of_user`](Self::of_user) may lag behind: it may miss a connection of a moment ago and show one that is
///   gone.
/// - **Idempotency.** Every write may be repeated. The second time it changes nothing and succeeds.
/// - **Errors.** After [`Throttled`](ConnectionStoreError::Throttled) nothing happened. After
///   [`Unavailable`](ConnectionStoreError::Unavailable) a write may have happened, or may still. Either may
///   be retried.
/// - **Age.** A row past [`Connection::stale_at`] may be deleted by the store at any later time, or never.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// Stores a connection. A row of the same id gives way.
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError>;

    /// Reads the connection of this id, stale or not; strongly consistent.
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError>;

    /// Lists the connections of a user in no particular order, without those that
    /// [can no longer be open](Connection::may_be_open) at `now`; eventually consistent. At most one page of
    /// the store: 100 or more.
    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError>;

    /// Sets when the identity on a connection expires, and says whether there is such a connection. It
    /// creates none.
    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError>;

    /// Deletes a connection, whether or not there is one.
    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError>;

    /// Deletes a connection if it connected before the given instant, and says whether it did. No write comes
    /// between the comparison and the deletion.
    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError>;
}
