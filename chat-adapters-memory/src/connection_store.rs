use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use chat_domain::{
    Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Email, Timestamp, VerifiedIdentity,
};

/// The most connections [`of_user`](ConnectionStore::of_user) lists: far more than a user may have open, and
/// few enough to push to in one go.
pub const CONNECTIONS_LISTED_MAX: usize = 1_000;

/// How many stale rows a new one may push out. Two, so that rows go faster than they come and yet no `put` is
/// slow.
const EVICTED_PER_PUT: usize = 2;

const NOT_POISONED: &str = "nothing panics while it holds the lock of the connection store";

/// Open connections in memory.
///
/// - Each [`put`](ConnectionStore::put) deletes up to two rows that are [stale](Connection::stale_at) by the
///   time the new connection was made, whoever's they are: so there are no more rows than were put within
///   [`CONNECTION_LIFETIME`](chat_domain::CONNECTION_LIFETIME), or than were ever there at once.
/// - [`of_user`](ConnectionStore::of_user) sees every write that was acknowledged before, and lists at most
///   [`CONNECTIONS_LISTED_MAX`].
/// - It never throttles.
#[derive(Clone, Default)]
pub struct MemoryConnectionStore {
    rows: Arc<RwLock<Rows>>,
}

#[derive(Default)]
struct Rows {
    by_id: HashMap<ConnectionId, Connection>,
    by_user: HashMap<Email, BTreeSet<ConnectionId>>,
    by_age: BTreeSet<(Timestamp, ConnectionId)>,
}

impl Rows {
    fn insert(&mut self, connection: Connection) {
        let Connection { id, identity, connected_at } = connection.clone();
        self.remove(&id);
        self.by_user.entry(identity.email().clone()).or_default().insert(id.clone());
        self.by_age.insert((connected_at, id.clone()));
        self.by_id.insert(id, connection);
    }

    fn remove(&mut self, id: &ConnectionId) {
        let Some(connection) = self.by_id.remove(id) else { return };
        let email = connection.identity.email();
        if let Some(ids) = self.by_user.get_mut(email) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_user.remove(email);
            }
        }
        self.by_age.remove(&(connection.connected_at, connection.id));
    }

    fn evict_one(&mut self, now: Timestamp) {
        let oldest = self.by_age.first().and_then(|(_, id)| self.by_id.get(id));
        if let Some(stale) = oldest.filter(|oldest| !oldest.may_be_open(now)) {
            let id = stale.id.clone();
            self.remove(&id);
        }
    }
}

impl MemoryConnectionStore {
    /// A store without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().expect(NOT_POISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().expect(NOT_POISONED)
    }
}

#[async_trait]
impl ConnectionStore for MemoryConnectionStore {
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError> {
        let mut rows = self.write();
        for _ in 0..EVICTED_PER_PUT {
            rows.evict_one(connection.connected_at);
        }
        rows.insert(connection.clone());
        Ok(())
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        Ok(self.read().by_id.get(id).cloned())
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let rows = self.read();
        let ids = rows.by_user.get(email).into_iter().flatten();
        let open = ids.filter_map(|id| rows.by_id.get(id)).filter(|connection| connection.may_be_open(now));
        Ok(open.take(CONNECTIONS_LISTED_MAX).cloned().collect())
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let mut rows = self.write();
        let Some(connection) = rows.by_id.get_mut(id) else { return Ok(false) };
        let (email, user_id) = (connection.identity.email().clone(), connection.identity.user_id().clone());
        connection.identity = VerifiedIdentity::vouched(email, user_id, expires_at);
        Ok(true)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        self.write().remove(id);
        Ok(())
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let mut rows = self.write();
        let earlier = rows.by_id.get(id).is_some_and(|connection| connection.connected_at < instant);
        if earlier {
            rows.remove(id);
        }
        Ok(earlier)
    }
}

impl fmt::Debug for MemoryConnectionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConnectionStore")
            .field("connections", &self.read().by_id.len())
            .finish_non_exhaustive()
    }
}
