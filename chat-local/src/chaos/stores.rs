use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    Activity, Advance, Append, Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Consistency,
    Email, Member, MessageStore, MessageStoreError, Page, PageQuery, Push, PushError, Pusher, ReadMark, Room,
    RoomId, RoomsPage, Timestamp,
};
use tokio::time::{Instant, sleep};

use super::functions::wait;
use super::{LATE_MS, Lot, Misfortune, lock};

/// How many looks into the list a new connection is missing from at the most.
const LOOKS_MAX: u64 = 3;

/// What becomes of a call of a store.
#[derive(Clone, Copy)]
enum Fault {
    Throttled,
    Conflict,
    NotDone,
    Done,
    DoneLate(Duration),
}

/// An error that a store can always give.
trait StoreError {
    fn throttled(operation: &'static str) -> Self;
    fn unavailable(operation: &'static str) -> Self;
}

impl StoreError for MessageStoreError {
    fn throttled(operation: &'static str) -> Self {
        Self::Throttled { operation }
    }

    fn unavailable(operation: &'static str) -> Self {
        Self::Unavailable { operation, source: "bad luck".into() }
    }
}

impl StoreError for ConnectionStoreError {
    fn throttled(operation: &'static str) -> Self {
        Self::Throttled { operation }
    }

    fn unavailable(operation: &'static str) -> Self {
        Self::Unavailable { operation, source: "bad luck".into() }
    }
}

impl Lot<'_> {
    fn of_read(&self) -> Option<Fault> {
        let rate = self.misfortune.chaos.profile.rates().store;
        self.choose(rate, &[("throttled", Fault::Throttled), ("unavailable", Fault::NotDone)])
    }

    fn of_write(&self) -> Option<Fault> {
        let faults = [
            ("throttled", Fault::Throttled),
            ("unavailable, not done", Fault::NotDone),
            ("unavailable, done", Fault::Done),
            ("unavailable, done late", Fault::DoneLate(self.delay())),
        ];
        self.choose(self.misfortune.chaos.profile.rates().store, &faults)
    }

    fn of_commit(&self) -> Option<Fault> {
        let faults = [
            ("throttled", Fault::Throttled),
            ("conflict", Fault::Conflict),
            ("unavailable, not done", Fault::NotDone),
            ("unavailable, done", Fault::Done),
            ("unavailable, done late", Fault::DoneLate(self.delay())),
        ];
        self.choose(self.misfortune.chaos.profile.rates().store, &faults)
    }
}

/// Calls a store, and waits before and after, so that a function can be killed there.
async fn call<T: Send + 'static, E: StoreError + Send + 'static>(
    operation: &'static str,
    fault: Option<Fault>,
    conflict: Option<E>,
    performed: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    wait().await;
    let outcome = match (fault, conflict) {
        (None, _) => performed.await,
        (Some(Fault::Conflict), Some(conflict)) => Err(conflict),
        (Some(Fault::Throttled | Fault::Conflict), _) => Err(E::throttled(operation)),
        (Some(Fault::NotDone), _) => Err(E::unavailable(operation)),
        (Some(Fault::Done), _) => performed.await.and(Err(E::unavailable(operation))),
        (Some(Fault::DoneLate(delay)), _) => {
            tokio::spawn(async move {
                sleep(delay).await;
                // Nobody waits for it any more.
                let _ = performed.await;
            });
            Err(E::unavailable(operation))
        }
    };
    wait().await;
    outcome
}

/// Messages in a store that throttles, conflicts, and leaves open what happened.
pub(super) struct UnreliableMessages {
    store: Arc<dyn MessageStore>,
    misfortune: Arc<Misfortune>,
}

impl UnreliableMessages {
    pub(super) fn new(store: Arc<dyn MessageStore>, misfortune: Arc<Misfortune>) -> Self {
        Self { store, misfortune }
    }
}

#[async_trait]
impl MessageStore for UnreliableMessages {
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError> {
        let fault = self.misfortune.draw_within("room").of_read();
        let (store, id) = (self.store.clone(), id.clone());
        call("room", fault, None, async move { store.room(&id, consistency).await }).await
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let fault = self.misfortune.draw_within("commit").of_commit();
        let (store, append) = (self.store.clone(), append.clone());
        let conflict = Some(MessageStoreError::Conflict);
        call("commit", fault, conflict, async move { store.commit(&append).await }).await
    }

    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        let fault = self.misfortune.draw_within("page").of_read();
        let (store, room) = (self.store.clone(), room.clone());
        call("page", fault, None, async move { store.page(&room, query, consistency).await }).await
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let fault = self.misfortune.draw_within("rooms of").of_read();
        let (store, member) = (self.store.clone(), member.clone());
        call("rooms_of", fault, None, async move { store.rooms_of(&member, after).await }).await
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let fault = self.misfortune.draw_within("advance read").of_write();
        let (store, room) = (self.store.clone(), room.clone());
        call("advance_read", fault, None, async move { store.advance_read(&room, reader, mark).await }).await
    }

    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        let fault = self.misfortune.draw_within("mark rows read").of_write();
        let (store, room, rows) = (self.store.clone(), room.clone(), rows.to_vec());
        let performed = async move { store.mark_rows_read(&room, reader, &rows, through).await };
        call("mark_rows_read", fault, None, performed).await
    }
}

/// Connections in such a store, whose list by user also lags.
pub(super) struct UnreliableConnections {
    store: Arc<dyn ConnectionStore>,
    misfortune: Arc<Misfortune>,
    rows: Mutex<HashMap<ConnectionId, Row>>,
}

/// What is known of a connection that was stored.
struct Row {
    /// How many looks it is missing from, and until when at the latest.
    unlisted: u64,
    listed_at: Instant,
}

impl UnreliableConnections {
    pub(super) fn new(store: Arc<dyn ConnectionStore>, misfortune: Arc<Misfortune>) -> Self {
        Self { store, misfortune, rows: Mutex::default() }
    }

    fn is_listed(&self, id: &ConnectionId) -> bool {
        let mut rows = lock(&self.rows);
        let Some(row) = rows.get_mut(id) else { return true };
        let is_listed = row.unlisted == 0 || row.listed_at <= Instant::now();
        row.unlisted = row.unlisted.saturating_sub(1);
        is_listed
    }
}

#[async_trait]
impl ConnectionStore for UnreliableConnections {
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError> {
        let lot = self.misfortune.draw_within("list connection");
        let rate = self.misfortune.chaos.profile.rates().connections;
        let unlisted = lot.choose(rate, &[("late", 1 + lot.number(LOOKS_MAX))]).unwrap_or(0);
        let listed_at = Instant::now() + Duration::from_millis(LATE_MS.end);
        lock(&self.rows).insert(connection.id.clone(), Row { unlisted, listed_at });

        let fault = self.misfortune.draw_within("put connection").of_write();
        let (store, connection) = (self.store.clone(), connection.clone());
        call("put", fault, None, async move { store.put(&connection).await }).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        let fault = self.misfortune.draw_within("get connection").of_read();
        let (store, id) = (self.store.clone(), id.clone());
        call("get", fault, None, async move { store.get(&id).await }).await
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let lot = self.misfortune.draw_within("connections of");
        let (store, email) = (self.store.clone(), email.clone());
        let mut listed =
            call("of_user", lot.of_read(), None, async move { store.of_user(&email, now).await }).await?;
        listed.retain(|connection| self.is_listed(&connection.id));
        Ok(listed)
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let fault = self.misfortune.draw_within("set expiry").of_write();
        let (store, id) = (self.store.clone(), id.clone());
        let performed = async move { store.set_identity_expiry(&id, expires_at).await };
        call("set_identity_expiry", fault, None, performed).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        let fault = self.misfortune.draw_within("delete connection").of_write();
        lock(&self.rows).remove(id);
        let (store, id) = (self.store.clone(), id.clone());
        call("delete", fault, None, async move { store.delete(&id).await }).await
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let fault = self.misfortune.draw_within("delete old connection").of_write();
        let (store, id) = (self.store.clone(), id.clone());
        let performed = async move { store.delete_if_connected_before(&id, instant).await };
        call("delete_if_connected_before", fault, None, performed).await
    }
}

/// Pushes as another does, and waits around that, so that a function can be killed there.
pub(super) struct PausingPusher(pub(super) Arc<dyn Pusher>);

#[async_trait]
impl Pusher for PausingPusher {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        wait().await;
        let outcome = self.0.push(to, push).await;
        wait().await;
        outcome
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        wait().await;
        self.0.close(id).await
    }
}
