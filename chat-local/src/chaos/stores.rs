use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, DecoratedConnectionStore, DecoratedMessageStore,
    DecoratedPusher, DecoratedUserStore, MessageStoreCall, Outcome, Port, PusherCall, UserStoreCall,
};
use chat_domain::{
    ConnectionId, ConnectionStore, ConnectionStoreError, MessageStore, MessageStoreError, Pusher, UserStore,
    UserStoreError,
};
use chat_wire::Ports;
use tokio::time::{Instant, sleep};

use super::counts::lock;
use super::injector::{Draw, FaultInjector, LATE_MS};
use super::invocation::wait;

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

/// The error of a store that stands for a fault.
trait StoreError {
    fn of(fault: Fault, operation: &'static str) -> Self;
}

const SOURCE: &str = "the chaos mode says so";

impl StoreError for MessageStoreError {
    fn of(fault: Fault, operation: &'static str) -> Self {
        match fault {
            Fault::Throttled => Self::Throttled { operation },
            Fault::Conflict => Self::Conflict,
            _ => Self::Unavailable { operation, source: SOURCE.into() },
        }
    }
}

impl StoreError for UserStoreError {
    fn of(fault: Fault, operation: &'static str) -> Self {
        match fault {
            Fault::Throttled => Self::Throttled { operation },
            Fault::Conflict => Self::Conflict,
            _ => Self::Unavailable { operation, source: SOURCE.into() },
        }
    }
}

impl StoreError for ConnectionStoreError {
    fn of(fault: Fault, operation: &'static str) -> Self {
        match fault {
            Fault::Throttled => Self::Throttled { operation },
            _ => Self::Unavailable { operation, source: SOURCE.into() },
        }
    }
}

/// What can become of a kind of call.
type PossibleFault = fn(&Draw<'_>) -> Option<Fault>;

fn of_read(draw: &Draw<'_>) -> Option<Fault> {
    draw.choose(draw.rates().store, &[("throttled", Fault::Throttled), ("unavailable", Fault::NotDone)])
}

fn of_write(draw: &Draw<'_>) -> Option<Fault> {
    let faults = [
        ("throttled", Fault::Throttled),
        ("unavailable, not done", Fault::NotDone),
        ("unavailable, done", Fault::Done),
        ("unavailable, done late", Fault::DoneLate(draw.delay())),
    ];
    draw.choose(draw.rates().store, &faults)
}

fn of_commit(draw: &Draw<'_>) -> Option<Fault> {
    let faults = [
        ("throttled", Fault::Throttled),
        ("conflict", Fault::Conflict),
        ("unavailable, not done", Fault::NotDone),
        ("unavailable, done", Fault::Done),
        ("unavailable, done late", Fault::DoneLate(draw.delay())),
    ];
    draw.choose(draw.rates().store, &faults)
}

/// Calls a store, and waits before and after, so that a function can be killed there.
fn call<P: Port + ?Sized>(
    store: &Arc<P>,
    operation: &'static str,
    call: P::Call<'static>,
    fault: Option<Fault>,
) -> Outcome<'static, P>
where
    P::Error: StoreError,
{
    let store = store.clone();
    Box::pin(async move {
        wait().await;
        let error = |fault| Err(P::Error::of(fault, operation));
        let outcome = match fault {
            None => store.call(call).await,
            Some(fault @ (Fault::Throttled | Fault::Conflict | Fault::NotDone)) => error(fault),
            Some(fault @ Fault::Done) => store.call(call).await.and(error(fault)),
            Some(fault @ Fault::DoneLate(delay)) => {
                tokio::spawn(async move {
                    sleep(delay).await;
                    // Nobody waits for it any more.
                    let _ = store.call(call).await;
                });
                error(fault)
            }
        };
        wait().await;
        outcome
    })
}

impl FaultInjector {
    /// These ports, with all that can go wrong behind them.
    pub(crate) fn over(self: &Arc<Self>, ports: Ports) -> Ports {
        self.in_process.store(true, Ordering::Relaxed);
        Ports {
            users: self.users(ports.users),
            connections: self.connections(ports.connections),
            messages: self.messages(ports.messages),
            pusher: pausing(ports.pusher),
            ..ports
        }
    }

    /// Messages in a store that throttles, conflicts, and leaves open what happened.
    fn messages(self: &Arc<Self>, store: Arc<dyn MessageStore>) -> Arc<dyn MessageStore> {
        let injector = self.clone();
        Arc::new(DecoratedMessageStore::new(store, move |made, next| {
            let (event, fault): (_, PossibleFault) = match &made {
                MessageStoreCall::Room { .. }
                | MessageStoreCall::RoomForCommit { .. }
                | MessageStoreCall::RoomForChange { .. } => ("room", of_read),
                MessageStoreCall::Commit { .. } => ("commit", of_commit),
                MessageStoreCall::ApplyChange { .. } => ("apply change", of_write),
                MessageStoreCall::Settle { .. } => ("settle", of_write),
                MessageStoreCall::Page { .. } => ("page", of_read),
                MessageStoreCall::MessagesAt { .. } => ("messages at", of_read),
                MessageStoreCall::RoomsOf { .. } => ("rooms of", of_read),
                MessageStoreCall::AdvanceRead { .. } => ("advance read", of_write),
                MessageStoreCall::Clear { .. } => ("clear", of_write),
                MessageStoreCall::WriteConsent { .. } => ("write consent", of_write),
            };
            let fault = fault(&injector.draw_within(event));
            call(next, made.method(), made.into_owned(), fault)
        }))
    }

    /// Rows of users in such a store.
    fn users(self: &Arc<Self>, store: Arc<dyn UserStore>) -> Arc<dyn UserStore> {
        let injector = self.clone();
        Arc::new(DecoratedUserStore::new(store, move |made, next| {
            let (event, fault): (_, PossibleFault) = match &made {
                UserStoreCall::Get { .. } => ("get user", of_read),
                UserStoreCall::Put { .. } => ("put user", of_commit),
                UserStoreCall::List { .. } => ("list users", of_read),
            };
            let fault = fault(&injector.draw_within(event));
            call(next, made.method(), made.into_owned(), fault)
        }))
    }

    /// Connections in such a store, whose list by user also lags.
    fn connections(self: &Arc<Self>, store: Arc<dyn ConnectionStore>) -> Arc<dyn ConnectionStore> {
        let (injector, index) = (self.clone(), Arc::new(LaggingIndex::default()));
        Arc::new(DecoratedConnectionStore::new(store, move |made, next| {
            let (event, fault): (_, PossibleFault) = match &made {
                ConnectionStoreCall::Put { connection } => {
                    index.put(&connection.id, &injector.draw_within("list connection"));
                    ("put connection", of_write)
                }
                ConnectionStoreCall::Get { .. } => ("get connection", of_read),
                ConnectionStoreCall::OfUser { .. } => ("connections of", of_read),
                ConnectionStoreCall::SetIdentityExpiry { .. } => ("set expiry", of_write),
                ConnectionStoreCall::Delete { id } => {
                    index.delete(id);
                    ("delete connection", of_write)
                }
                ConnectionStoreCall::DeleteIfConnectedBefore { .. } => ("delete old connection", of_write),
            };
            let fault = fault(&injector.draw_within(event));
            let called = call(next, made.method(), made.into_owned(), fault);
            let index = index.clone();
            Box::pin(async move {
                let mut reply = called.await?;
                if let ConnectionStoreReply::OfUser(listed) = &mut reply {
                    listed.retain(|connection| index.lists(&connection.id));
                }
                Ok(reply)
            })
        }))
    }
}

/// Which connections the list by user does not have yet.
#[derive(Default)]
struct LaggingIndex(Mutex<HashMap<ConnectionId, Unlisted>>);

/// How long a connection that was stored stays out of the list.
struct Unlisted {
    /// How many looks it is missing from, and until when at the latest.
    unlisted: u64,
    listed_at: Instant,
}

impl LaggingIndex {
    fn put(&self, id: &ConnectionId, draw: &Draw<'_>) {
        let late = [("late", 1 + draw.number(LOOKS_MAX))];
        let unlisted = draw.choose(draw.rates().connections, &late).unwrap_or(0);
        let listed_at = Instant::now() + Duration::from_millis(LATE_MS.end);
        lock(&self.0).insert(id.clone(), Unlisted { unlisted, listed_at });
    }

    fn delete(&self, id: &ConnectionId) {
        lock(&self.0).remove(id);
    }

    /// Whether a look into the list finds the connection.
    fn lists(&self, id: &ConnectionId) -> bool {
        let mut rows = lock(&self.0);
        let Some(row) = rows.get_mut(id) else { return true };
        let is_listed = row.unlisted == 0 || row.listed_at <= Instant::now();
        row.unlisted = row.unlisted.saturating_sub(1);
        is_listed
    }
}

/// Pushes as another does, and waits around that, so that a function can be killed there.
fn pausing(pusher: Arc<dyn Pusher>) -> Arc<dyn Pusher> {
    Arc::new(DecoratedPusher::new(pusher, |made, next| {
        Box::pin(async move {
            let is_push = matches!(made, PusherCall::Push { .. });
            wait().await;
            let outcome = next.call(made).await;
            if is_push {
                wait().await;
            }
            outcome
        })
    }))
}
