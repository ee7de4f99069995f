//! The ports that the handlers are given: each call waits for its turn, and the environment decides what
//! comes of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    AccessToken, Activity, Advance, Append, Backoff, Connection, ConnectionId, ConnectionStore,
    ConnectionStoreError, Consistency, Email, Event, IdentityVerifier, Member, Message, MessageStore,
    MessageStoreError, NoAttachments, Page, PageQuery, Push, PushError, Pusher, ReadMark, Room, RoomId,
    RoomsPage, Timestamp, VerifiedIdentity, VerifyError,
};
use chat_wire::Ports;

use crate::environment::Environment;
use crate::ids::TicketId;

/// A call of a port.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Room(RoomId, Consistency),
    Page(RoomId, PageQuery, Consistency),
    RoomsOf(Email, Option<Activity>),
    Commit(Box<Append>),
    AdvanceRead(RoomId, Member, ReadMark),
    MarkRows(RoomId, Member, Vec<Timestamp>, Timestamp),
    Get(ConnectionId),
    OfUser(Email, Timestamp),
    Put(Box<Connection>),
    SetExpiry(ConnectionId, Timestamp),
    Delete(ConnectionId),
    DeleteIfBefore(ConnectionId, Timestamp),
    Push(ConnectionId, Box<Event>),
    Close(ConnectionId),
    Verify(String, Timestamp),
    Wait(Duration),
    /// What no port allows, for the bug bank: an unconditional put of a row.
    PutRow(Box<Message>),
    /// What no port allows, for the bug bank: a mark set wherever one likes.
    ForceMark(RoomId, Member, ReadMark),
}

impl Call {
    pub(crate) fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Commit(_)
                | Self::AdvanceRead(..)
                | Self::MarkRows(..)
                | Self::Put(_)
                | Self::SetExpiry(..)
                | Self::Delete(_)
                | Self::DeleteIfBefore(..)
                | Self::PutRow(_)
                | Self::ForceMark(..)
        )
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    Conflict,
    /// The attachment is shown already.
    Taken,
    Throttled,
    Unavailable,
    Corrupt,
    Gone,
    Expired,
    Rejected,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Done,
    Was(bool),
    Room(Option<Arc<Room>>),
    Page(Page),
    Rooms(RoomsPage),
    Advance(Box<Advance>),
    Connection(Option<Connection>),
    Connections(Vec<Connection>),
    Identity(VerifiedIdentity),
    Failed(Failure),
}

/// The environment, shared by the ports and whoever runs them.
#[derive(Clone)]
pub(crate) struct SharedEnvironment(Arc<Mutex<Environment>>);

impl SharedEnvironment {
    pub(crate) fn new(environment: Environment) -> Self {
        Self(Arc::new(Mutex::new(environment)))
    }

    /// One thread has it, and never twice at once: waiting for it would be for ever.
    pub(crate) fn environment(&self) -> MutexGuard<'_, Environment> {
        if cfg!(test) {
            // The ports' suites have several threads.
            return self.0.lock().expect("no test panics while it has the environment");
        }
        self.0.try_lock().expect("nobody asks for the environment who has it")
    }

    pub(crate) fn call(&self, call: Call) -> Turn<'_> {
        Turn { shared: self, call: Some(call), ticket: None }
    }

    /// All ports over this environment.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            verifier: Arc::new(self.clone()),
            connections: Arc::new(self.clone()),
            messages: Arc::new(self.clone()),
            pusher: Arc::new(self.clone()),
            // Nobody uploads anything here.
            attachments: Arc::new(NoAttachments),
            backoff: Arc::new(self.clone()),
        }
    }
}

/// A call that waits for its turn, from when it is polled.
pub(crate) struct Turn<'a> {
    shared: &'a SharedEnvironment,
    call: Option<Call>,
    ticket: Option<TicketId>,
}

impl Future for Turn<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let mut environment = self.shared.environment();
        if let Some(call) = self.call.take() {
            self.ticket = Some(environment.register(call));
        }
        let ticket = self.ticket.expect("a call that was made has one");
        environment.take_reply(ticket, context.waker()).map_or(Poll::Pending, Poll::Ready)
    }
}

const LOST: &str = "the simulator says so";

fn message_error(failure: Failure, operation: &'static str) -> MessageStoreError {
    match failure {
        Failure::Conflict => MessageStoreError::Conflict,
        Failure::Taken => MessageStoreError::AttachmentTaken,
        Failure::Throttled => MessageStoreError::Throttled { operation },
        Failure::Corrupt => MessageStoreError::Corrupt { key: String::new(), source: LOST.into() },
        _ => MessageStoreError::Unavailable { operation, source: LOST.into() },
    }
}

fn connection_error(failure: Failure, operation: &'static str) -> ConnectionStoreError {
    match failure {
        Failure::Throttled => ConnectionStoreError::Throttled { operation },
        _ => ConnectionStoreError::Unavailable { operation, source: LOST.into() },
    }
}

/// Takes one kind of reply apart; any other is a fault of the simulator.
macro_rules! expect {
    ($reply:expr, $error:expr, $($pattern:pat => $value:expr),+) => {
        match $reply {
            $($pattern => Ok($value),)+
            Reply::Failed(failure) => Err($error(failure)),
            other => unreachable!("the environment answers as it is asked, not {other:?}"),
        }
    };
}

#[async_trait]
impl MessageStore for SharedEnvironment {
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError> {
        let reply = self.call(Call::Room(id.clone(), consistency)).await;
        let error = |failure| message_error(failure, "room");
        expect!(reply, error, Reply::Room(room) => room.map(Arc::unwrap_or_clone))
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let reply = self.call(Call::Commit(Box::new(append.clone()))).await;
        expect!(reply, |failure| message_error(failure, "commit"), Reply::Done => ())
    }

    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        let reply = self.call(Call::Page(room.clone(), query, consistency)).await;
        expect!(reply, |failure| message_error(failure, "page"), Reply::Page(page) => page)
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let reply = self.call(Call::RoomsOf(member.clone(), after)).await;
        expect!(reply, |failure| message_error(failure, "rooms_of"), Reply::Rooms(rooms) => rooms)
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let reply = self.call(Call::AdvanceRead(room.clone(), reader, mark)).await;
        expect!(reply, |failure| message_error(failure, "advance_read"), Reply::Advance(advance) => *advance)
    }

    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        let reply = self.call(Call::MarkRows(room.clone(), reader, rows.to_vec(), through)).await;
        expect!(reply, |failure| message_error(failure, "mark_rows_read"), Reply::Done => ())
    }
}

#[async_trait]
impl ConnectionStore for SharedEnvironment {
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError> {
        let reply = self.call(Call::Put(Box::new(connection.clone()))).await;
        expect!(reply, |failure| connection_error(failure, "put"), Reply::Done => ())
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        let reply = self.call(Call::Get(id.clone())).await;
        expect!(reply, |failure| connection_error(failure, "get"), Reply::Connection(found) => found)
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let reply = self.call(Call::OfUser(email.clone(), now)).await;
        expect!(reply, |failure| connection_error(failure, "of_user"), Reply::Connections(found) => found)
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let reply = self.call(Call::SetExpiry(id.clone(), expires_at)).await;
        expect!(reply, |failure| connection_error(failure, "set_identity_expiry"), Reply::Was(was) => was)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        let reply = self.call(Call::Delete(id.clone())).await;
        expect!(reply, |failure| connection_error(failure, "delete"), Reply::Done => ())
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        let reply = self.call(Call::DeleteIfBefore(id.clone(), instant)).await;
        let error = |failure| connection_error(failure, "delete_if_connected_before");
        expect!(reply, error, Reply::Was(was) => was)
    }
}

fn push_error(failure: Failure, operation: &'static str) -> PushError {
    match failure {
        Failure::Gone => PushError::Gone,
        Failure::Throttled => PushError::Throttled,
        _ => PushError::Unavailable { operation, source: LOST.into() },
    }
}

#[async_trait]
impl Pusher for SharedEnvironment {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        let reply = self.call(Call::Push(to.clone(), Box::new(push.event().clone()))).await;
        expect!(reply, |failure| push_error(failure, "push"), Reply::Done => ())
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        let reply = self.call(Call::Close(id.clone())).await;
        expect!(reply, |failure| push_error(failure, "close"), Reply::Done => ())
    }
}

#[async_trait]
impl IdentityVerifier for SharedEnvironment {
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError> {
        let reply = self.call(Call::Verify(token.expose().to_owned(), now)).await;
        let error = |failure| match failure {
            Failure::Expired => VerifyError::Expired,
            Failure::Rejected => VerifyError::Rejected { reason: "unknown or revoked" },
            _ => VerifyError::Unavailable { source: LOST.into() },
        };
        expect!(reply, error, Reply::Identity(identity) => identity)
    }
}

#[async_trait]
impl Backoff for SharedEnvironment {
    async fn wait(&self, at_most: Duration) {
        self.call(Call::Wait(at_most)).await;
    }
}
