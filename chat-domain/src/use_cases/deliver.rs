use std::sync::Arc;

use futures_util::future::join_all;

use crate::{
    CONNECTION_SETTLED_AFTER, Connection, ConnectionStore, Email, Event, Push, PushError, Pusher, Timestamp,
};

/// What came of pushing one event to some connections. It is for metrics only, since a push is a hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// How many pushes the gateway took.
    pub taken: usize,
    /// How many connections were gone.
    pub gone: usize,
    /// How many pushes failed otherwise.
    pub failed: usize,
}

/// Finds connections, pushes to them, and forgets those that turn out to be gone.
pub(crate) struct Delivery {
    connections: Arc<dyn ConnectionStore>,
    pusher: Arc<dyn Pusher>,
}

impl Delivery {
    pub(crate) fn new(connections: Arc<dyn ConnectionStore>, pusher: Arc<dyn Pusher>) -> Self {
        Self { connections, pusher }
    }

    /// Lists the open connections of these users whose authentication has not expired. A connection that is
    /// left out, or that cannot be listed, gets no push, and its client syncs later: nothing is refused
    /// because a push is not possible.
    pub(crate) async fn connections_of<const N: usize>(
        &self,
        users: [&Email; N],
        now: Timestamp,
    ) -> Vec<Connection> {
        let lists = join_all(users.map(|user| self.connections.of_user(user, now))).await;
        let listed = lists.into_iter().flatten().flatten();
        listed.filter(|connection| !connection.identity.is_expired(now)).collect()
    }

    /// Pushes to all of them at once, and returns when every push has been answered.
    pub(crate) async fn push<'a>(
        &self,
        to: impl Iterator<Item = &'a Connection>,
        event: Event,
        now: Timestamp,
    ) -> Deliveries {
        let push = Push::from(event);
        let outcomes = join_all(to.map(async |connection| {
            let outcome = self.pusher.push(&connection.id, &push).await;
            self.forget_if_gone(connection, &outcome, now).await;
            outcome
        }))
        .await;
        outcomes.into_iter().fold(Deliveries::default(), |mut tally, outcome| {
            match outcome {
                Ok(()) => tally.taken += 1,
                Err(PushError::Gone) => tally.gone += 1,
                Err(_) => tally.failed += 1,
            }
            tally
        })
    }

    /// Closes a connection, whose `$disconnect` then deletes the row. If the connection is gone already,
    /// deletes the row here.
    pub(crate) async fn close(&self, connection: &Connection, now: Timestamp) {
        let outcome = self.pusher.close(&connection.id).await;
        self.forget_if_gone(connection, &outcome, now).await;
    }

    /// A connection that is just being opened answers "gone" too, and without its row nobody would ever push
    /// to it. So the row goes only once that cannot be the reason.
    async fn forget_if_gone(&self, connection: &Connection, outcome: &Result<(), PushError>, now: Timestamp) {
        if matches!(outcome, Err(PushError::Gone)) && connection.is_settled(now) {
            let settled_before = now.before(CONNECTION_SETTLED_AFTER);
            // A row that stays costs one vain push the next time, and its age ends it.
            let _ = self.connections.delete_if_connected_before(&connection.id, settled_before).await;
        }
    }
}
