//! The memory adapters, with what can go wrong in a real store or gateway, on demand.

use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chat_adapters_memory::{MemoryConnectionStore, MemoryMessageStore, MemoryPusher};
use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, DecoratedConnectionStore, DecoratedMessageStore,
    DecoratedPusher, MessageStoreCall, MessageStoreReply, Port as _, PusherCall, answer,
};
use chat_domain::{
    Append, Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Consistency, DailyLimits, Draft,
    FirstContact, Message, MessageStore, MessageStoreError, PageQuery, PushError, Pusher, Room, SendPolicy,
    SendRate, Timestamp,
};

use crate::chat::their_room;

/// What was asked of the stores and the gateway, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Head(Consistency),
    Page(PageQuery, Consistency),
    Commit,
    Push,
}

#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Step>>>);

impl Journal {
    fn note(&self, step: Step) {
        self.0.lock().unwrap().push(step);
    }

    /// The steps since it was last asked.
    pub(crate) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What becomes of a commit.
#[derive(Clone, Debug)]
pub(crate) enum Commit {
    /// It is refused: nothing happens.
    Throttled,
    /// Nobody answers, and nothing happens.
    Lost,
    /// It happens, and nobody answers.
    AnswerLost,
    /// Nobody answers, and it happens later: see [`Messages::land`].
    Held,
    /// What was held happens first, then this one is tried.
    AfterLanding,
    /// It is tried, then what was held happens.
    BeforeLanding,
    /// Somebody else is faster by this draft, then this one is tried.
    BeatenBy(Draft),
}

/// A message store in memory, and what is to go wrong with it.
pub(crate) struct Messages {
    pub(crate) stored: MemoryMessageStore,
    commits: Mutex<VecDeque<Commit>>,
    held: Mutex<Vec<Append>>,
    /// What eventually consistent reads of the head see instead.
    stale: Mutex<Option<Option<Room>>>,
    lands_after_head: AtomicBool,
    journal: Journal,
}

fn unavailable(operation: &'static str) -> MessageStoreError {
    MessageStoreError::Unavailable { operation, source: "the answer was lost".into() }
}

impl Messages {
    pub(crate) fn new(journal: Journal) -> Self {
        Self {
            stored: MemoryMessageStore::new(),
            commits: Mutex::default(),
            held: Mutex::default(),
            stale: Mutex::default(),
            lands_after_head: AtomicBool::new(false),
            journal,
        }
    }

    /// What becomes of the next commits; those after them are stored.
    pub(crate) fn next_commits(&self, commits: impl IntoIterator<Item = Commit>) {
        *self.commits.lock().unwrap() = commits.into_iter().collect();
    }

    /// Eventually consistent reads see their room as it is now, until it is thawed.
    pub(crate) async fn freeze(&self) {
        let room = self.stored.room(&their_room(), Consistency::Strong).await;
        *self.stale.lock().unwrap() = Some(room.unwrap());
    }

    pub(crate) fn thaw(&self) {
        *self.stale.lock().unwrap() = None;
    }

    /// What was held happens now, if it still can.
    pub(crate) async fn land(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        for append in held {
            // It may be too late.
            let _ = self.stored.commit(&append).await;
        }
    }

    /// What was held happens when the head has been read the next time.
    pub(crate) fn land_after_head(&self) {
        self.lands_after_head.store(true, Ordering::Relaxed);
    }

    /// Puts a message into their room, past every fault.
    pub(crate) async fn write(&self, draft: &Draft, now: Timestamp) -> Message {
        let room = self.stored.room(&their_room(), Consistency::Strong).await;
        let room = room.unwrap().unwrap_or_else(|| Room::empty(their_room()));
        let rate = SendRate { burst: NonZeroU32::MAX, ..SendRate::default() };
        let policy = SendPolicy { rate, first_contact: FirstContact::Open, daily: DailyLimits::UNLIMITED };
        let append = room.append(draft, now, policy).unwrap();
        self.stored.commit(&append).await.unwrap();
        append.log.newest
    }
}

impl Messages {
    /// The store as use cases see it.
    pub(crate) fn port(self: &Arc<Self>) -> Arc<dyn MessageStore> {
        let messages = self.clone();
        Arc::new(DecoratedMessageStore::new(Arc::new(self.stored.clone()), move |call, next| {
            let messages = messages.clone();
            Box::pin(async move { messages.meet(call, next).await })
        }))
    }

    async fn meet(
        &self,
        call: MessageStoreCall<'_>,
        next: &Arc<dyn MessageStore>,
    ) -> Result<MessageStoreReply, MessageStoreError> {
        match call {
            MessageStoreCall::RoomForCommit { ref id, consistency } => {
                self.journal.note(Step::Head(consistency));
                let stale = self.stale.lock().unwrap().clone();
                let seen = match stale {
                    Some(room) if consistency == Consistency::Eventual && **id == their_room() => {
                        Ok(MessageStoreReply::RoomForCommit(room))
                    }
                    _ => next.call(call).await,
                };
                if self.lands_after_head.swap(false, Ordering::Relaxed) {
                    self.land().await;
                }
                seen
            }
            MessageStoreCall::Commit { append } => {
                self.journal.note(Step::Commit);
                self.commit(&append).await.map(MessageStoreReply::Commit)
            }
            MessageStoreCall::Page { query, consistency, .. } => {
                self.journal.note(Step::Page(query, consistency));
                next.call(call).await
            }
            call => next.call(call).await,
        }
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let fault = self.commits.lock().unwrap().pop_front();
        match fault {
            None => self.stored.commit(append).await,
            Some(Commit::Throttled) => Err(MessageStoreError::Throttled { operation: "commit" }),
            Some(Commit::Lost) => Err(unavailable("commit")),
            Some(Commit::AnswerLost) => {
                self.stored.commit(append).await?;
                Err(unavailable("commit"))
            }
            Some(Commit::Held) => {
                self.held.lock().unwrap().push(append.clone());
                Err(unavailable("commit"))
            }
            Some(Commit::AfterLanding) => {
                self.land().await;
                self.stored.commit(append).await
            }
            Some(Commit::BeforeLanding) => {
                let outcome = self.stored.commit(append).await;
                self.land().await;
                outcome
            }
            Some(Commit::BeatenBy(draft)) => {
                self.write(&draft, append.message().at).await;
                self.stored.commit(append).await
            }
        }
    }
}

/// A connection store in memory, and what is to go wrong with it.
#[derive(Default)]
pub(crate) struct Connections {
    pub(crate) stored: MemoryConnectionStore,
    gets: AtomicUsize,
    unlisted: Mutex<HashSet<ConnectionId>>,
    outdated: Mutex<Vec<Connection>>,
    listing_fails: AtomicBool,
}

impl Connections {
    /// How often a row was read by its id.
    pub(crate) fn gets(&self) -> usize {
        self.gets.load(Ordering::Relaxed)
    }

    /// The index does not know the device yet.
    pub(crate) fn hide(&self, device: &str) {
        self.unlisted.lock().unwrap().insert(ConnectionId::new(device));
    }

    /// The index lists a row as it was, whatever has become of it.
    pub(crate) fn list_as_it_was(&self, row: Connection) {
        self.outdated.lock().unwrap().push(row);
    }

    pub(crate) fn fail_to_list(&self) {
        self.listing_fails.store(true, Ordering::Relaxed);
    }
}

impl Connections {
    /// The store as use cases see it.
    pub(crate) fn port(self: &Arc<Self>) -> Arc<dyn ConnectionStore> {
        let connections = self.clone();
        Arc::new(DecoratedConnectionStore::new(Arc::new(self.stored.clone()), move |call, next| {
            let connections = connections.clone();
            Box::pin(async move { connections.meet(call, next).await })
        }))
    }

    async fn meet(
        &self,
        call: ConnectionStoreCall<'_>,
        next: &Arc<dyn ConnectionStore>,
    ) -> Result<ConnectionStoreReply, ConnectionStoreError> {
        match call {
            ConnectionStoreCall::Get { .. } => {
                self.gets.fetch_add(1, Ordering::Relaxed);
                next.call(call).await
            }
            ConnectionStoreCall::OfUser { .. } if self.listing_fails.load(Ordering::Relaxed) => {
                Err(ConnectionStoreError::Throttled { operation: call.method() })
            }
            ConnectionStoreCall::OfUser { email, now } => {
                let mut listed = next.of_user(&email, now).await?;
                let unlisted = self.unlisted.lock().unwrap();
                listed.retain(|connection| !unlisted.contains(&connection.id));
                for was in self.outdated.lock().unwrap().iter().filter(|was| was.identity.email() == &*email)
                {
                    listed.retain(|is| is.id != was.id);
                    listed.push(was.clone());
                }
                Ok(ConnectionStoreReply::OfUser(listed))
            }
            call => next.call(call).await,
        }
    }
}

/// A gateway in memory, and which pushes are to fail.
pub(crate) struct Pushes {
    pub(crate) pusher: MemoryPusher,
    failing: Mutex<HashMap<ConnectionId, fn() -> PushError>>,
    journal: Journal,
}

impl Pushes {
    pub(crate) fn new(pusher: MemoryPusher, journal: Journal) -> Self {
        Self { pusher, failing: Mutex::default(), journal }
    }

    /// Every push to the device fails so.
    pub(crate) fn fail(&self, device: &str, error: fn() -> PushError) {
        self.failing().insert(ConnectionId::new(device), error);
    }

    fn failing(&self) -> MutexGuard<'_, HashMap<ConnectionId, fn() -> PushError>> {
        self.failing.lock().unwrap()
    }
}

impl Pushes {
    /// The gateway as use cases see it.
    pub(crate) fn port(self: &Arc<Self>) -> Arc<dyn Pusher> {
        let pushes = self.clone();
        Arc::new(DecoratedPusher::new(Arc::new(self.pusher.clone()), move |call, next| {
            let PusherCall::Push { to, .. } = &call else { return next.call(call) };
            pushes.journal.note(Step::Push);
            let error = pushes.failing().get(&**to).copied();
            error.map_or_else(|| next.call(call), |error| answer(Err(error())))
        }))
    }
}
