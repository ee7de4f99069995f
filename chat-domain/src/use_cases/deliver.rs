use std::cmp::Reverse;
use std::sync::Arc;

use futures_util::future::{join, join_all};

use crate::{
    CONNECTION_SETTLED_AFTER, Connection, ConnectionId, ConnectionStore, Email, Event, Push, PushError,
    Pusher, Timestamp,
};

/// How many connections a user may have open: several tabs on several devices, and still few enough that a
/// message to the user is pushed in one go.
pub const CONNECTIONS_MAX: usize = 20;

/// How many connections one event is pushed to, of everybody who is told together. Pushes are most of what a
/// message costs, so they bound what one request can make the operator pay.
pub const PUSHES_MAX: usize = 20;

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

/// Who is told of an event: the connections of its members that have a place.
///
/// A user has [`CONNECTIONS_MAX`] places, and the newest connections take them. So however many are listed,
/// because many connected at the same moment, one event finds a bounded number. Of those it is pushed to
/// [`PUSHES_MAX`]: to the newest of each member, then to the second newest of each, and so on. So what one
/// member has open never keeps an event from the ten newest connections of the other, and a member alone
/// gets all.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// The connections of each member, in the order in which they are told if not all can be.
    members: Vec<Vec<Connection>>,
    /// Those without a place. Whoever pushes closes them.
    beyond: Vec<Connection>,
}

impl Audience {
    /// Gives the places of one user to the connections that are listed.
    ///
    /// What is dated after `now` comes last. A wrong clock may have dated it, perhaps for a socket that never
    /// opened, and it must not take the place of a connection that lives.
    fn place(&mut self, mut listed: Vec<Connection>, now: Timestamp) {
        // An event has two members at most, so with fewer than that everybody is told, in whatever order.
        if listed.len() > PUSHES_MAX / 2 {
            listed.sort_by_key(|one| (one.connected_at > now, Reverse((one.connected_at, one.id.clone()))));
        }
        if listed.len() > CONNECTIONS_MAX {
            self.beyond.extend(listed.split_off(CONNECTIONS_MAX).into_iter().take(CONNECTIONS_MAX));
        }
        self.members.push(listed);
    }

    /// Takes out the connection that an event came from, and says whether it was listed.
    pub(crate) fn take_out(&mut self, origin: &ConnectionId) -> bool {
        for connections in &mut self.members {
            if let Some(place) = connections.iter().position(|connection| connection.id == *origin) {
                connections.remove(place);
                return true;
            }
        }
        self.beyond.iter().any(|connection| connection.id == *origin)
    }

    fn told(&self) -> impl Iterator<Item = &Connection> {
        let ranks = (0..CONNECTIONS_MAX)
            .flat_map(|rank| self.members.iter().filter_map(move |connections| connections.get(rank)));
        ranks.take(PUSHES_MAX)
    }
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

    /// Lists the open connections of a user whose authentication has not expired. A connection that is left
    /// out, or that cannot be listed, gets no push, and its client syncs later: nothing is refused because a
    /// push is not possible.
    pub(crate) async fn connections_of(&self, user: &Email, now: Timestamp) -> Vec<Connection> {
        let mut listed = self.connections.of_user(user, now).await.unwrap_or_default();
        listed.retain(|connection| !connection.identity.is_expired(now));
        listed
    }

    /// Finds those who are told of an event of these users.
    pub(crate) async fn audience_of(
        &self,
        users: impl IntoIterator<Item = &Email>,
        now: Timestamp,
    ) -> Audience {
        let mut audience = Audience::default();
        for listed in join_all(users.into_iter().map(|user| self.connections_of(user, now))).await {
            audience.place(listed, now);
        }
        audience
    }

    /// Pushes to all who are told at the same time, closes the connections without a place, and returns when
    /// all of that has been answered.
    pub(crate) async fn push(&self, audience: &Audience, event: Event, now: Timestamp) -> Deliveries {
        let closing = join_all(audience.beyond.iter().map(|connection| self.close(connection, now)));
        join(self.tell(audience.told(), event, now), closing).await.0
    }

    async fn tell(&self, to: impl Iterator<Item = &Connection>, event: Event, now: Timestamp) -> Deliveries {
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
            // A row that stays costs one useless push the next time, and goes when it is old enough.
            let _ = self.connections.delete_if_connected_before(&connection.id, settled_before).await;
        }
    }
}
