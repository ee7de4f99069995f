//! The ports that the handlers are given: each call waits for its turn, and the environment decides what
//! comes of it.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{self, Items};
use chat_adapters_aws::{
    DynamoConnectionStore, DynamoMessageStore, DynamoReportStore, DynamoUserStore, TableNames,
};
use chat_domain::testing::{
    DecoratedConnectionStore, DecoratedIdentityVerifier, DecoratedMessageStore, DecoratedPusher,
    DecoratedReportStore, DecoratedUserStore, MessageStoreCall, MessageStoreReply, Port as _, answer,
};
use chat_domain::{
    Append, Backoff, ConnectionStoreError, Consistency, Message, MessageStore as _, MessageStoreError,
    NoAttachments, PushError, ReportStoreError, Room, RoomId, Timestamp, UserStoreError, VerifyError,
};
use chat_wire::Ports;
use dynamodb_sim::{Answered, Answers, DatabaseAnswer, DatabaseRequest};
use futures_util::FutureExt as _;

use crate::call::{Call, Failure, Reply};
use crate::environment::{Environment, Made, StoreFailure};
use crate::ids::TicketId;

/// A port whose calls the environment answers, each when it has its turn.
macro_rules! port {
    ($shared:expr, $decorated:ident, $variant:ident, $error:expr) => {{
        let shared = $shared.clone();
        $decorated::from_fn(move |call| {
            let (shared, operation) = (shared.clone(), call.method());
            let call = Call::$variant(call.into_owned());
            Box::pin(async move {
                match shared.call(call).await {
                    Ok(Reply::$variant(reply)) => Ok(reply),
                    Ok(other) => unreachable!("the environment answers as it is asked, not {other:?}"),
                    Err(failure) => Err($error(failure, operation)),
                }
            })
        })
    }};
}

/// A store of which each call is observed, and what comes of it.
macro_rules! observed {
    ($shared:expr, $decorated:ident, $variant:ident, $reply:expr, $error:ident, $store:expr) => {{
        let shared = $shared.clone();
        $decorated::new(Arc::new($store), move |call, next| {
            let shared = shared.clone();
            Box::pin(async move {
                let observed = Call::$variant(call.clone().into_owned());
                let task = shared.environment().begin_call(&observed);
                let reply = next.call(call).await;
                let told = match &reply {
                    Ok(reply) => Ok($reply(reply.clone())),
                    Err(error @ $error::Corrupt { .. }) => Err(StoreFailure::Corrupt(format!("{error:?}"))),
                    Err(error) => Err(StoreFailure::Other(format!("{error:?}"))),
                };
                shared.environment().end_call(task, &observed, told);
                reply
            })
        })
    }};
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
        Turn { shared: self, call: Some(Box::new(call)), ticket: None }
    }

    /// Stores a message at once, past all handlers, if it can be.
    pub(crate) fn store_at_once(&self, append: Append) {
        let tables = self.environment().dynamodb_tables();
        let Some(tables) = tables else { return self.environment().late(&Call::commit(append)) };
        let store = DynamoMessageStore::new(&Answered(AtOnce(self.clone())), &tables);
        let stored =
            async { store.commit(&append).await.is_ok() && store.settle(append.message()).await.is_ok() };
        stored.now_or_never();
    }

    /// What the stores of AWS ask: each request waits for its turn.
    pub(crate) fn items(&self) -> Answered<Self> {
        Answered(self.clone())
    }

    /// All ports, with the stores of AWS over these items. A call is observed when it is made, and its
    /// requests have their turns.
    pub(crate) fn ports_over(&self, items: &(impl Items + Clone + 'static), tables: &TableNames) -> Ports {
        Ports {
            connections: Arc::new(observed!(
                self,
                DecoratedConnectionStore,
                Connections,
                Reply::Connections,
                ConnectionStoreError,
                DynamoConnectionStore::new(items, tables)
            )),
            messages: Arc::new(observed!(
                self,
                DecoratedMessageStore,
                Messages,
                Reply::messages,
                MessageStoreError,
                DynamoMessageStore::new(items, tables)
            )),
            reports: Arc::new(observed!(
                self,
                DecoratedReportStore,
                Reports,
                Reply::Reports,
                ReportStoreError,
                DynamoReportStore::new(items, tables)
            )),
            users: if self.environment().keeps_out() {
                Arc::new(observed!(
                    self,
                    DecoratedUserStore,
                    Users,
                    Reply::Users,
                    UserStoreError,
                    DynamoUserStore::new(items, tables)
                ))
            } else {
                Arc::new(self.users())
            },
            ..self.ports_over_tables()
        }
    }

    pub(crate) fn messages(&self) -> DecoratedMessageStore {
        let shared = self.clone();
        DecoratedMessageStore::from_fn(move |call| {
            // The tables leave nothing for later.
            if let MessageStoreCall::Settle { .. } = call {
                return answer(Ok(MessageStoreReply::Settle(())));
            }
            let (shared, operation, call) = (shared.clone(), call.method(), call.into_owned());
            Box::pin(async move {
                let reply = match call {
                    MessageStoreCall::ApplyChange { append } => match append.change() {
                        Some((target, _)) => shared.message_at(&append.message().room, target).await,
                        None => Ok(None),
                    }
                    .map(MessageStoreReply::ApplyChange),
                    MessageStoreCall::RoomForChange { id, place, consistency } => async {
                        let room = shared.room(&id, consistency).await?;
                        Ok((room, shared.message_at(&id, place).await?))
                    }
                    .await
                    .map(MessageStoreReply::RoomForChange),
                    MessageStoreCall::RoomForCommit { id, consistency } => {
                        shared.room(&id, consistency).await.map(MessageStoreReply::RoomForCommit)
                    }
                    call => shared.ask(call).await,
                };
                reply.map_err(|failure| message_error(failure, operation))
            })
        })
    }

    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, Failure> {
        match self.ask(MessageStoreCall::Room { id: Cow::Owned(id.clone()), consistency }).await? {
            MessageStoreReply::Room(room) => Ok(room),
            other => unreachable!("the environment answers as it is asked, not {other:?}"),
        }
    }

    /// The message of a time, as a strong read shows it.
    async fn message_at(&self, room: &RoomId, at: Timestamp) -> Result<Option<Message>, Failure> {
        let (room, places) = (Cow::Owned(room.clone()), Cow::Owned(vec![at]));
        let call = MessageStoreCall::MessagesAt { room, places, consistency: Consistency::Strong };
        match self.ask(call).await? {
            MessageStoreReply::MessagesAt(mut found) => Ok(found.pop()),
            other => unreachable!("the environment answers as it is asked, not {other:?}"),
        }
    }

    async fn ask(&self, call: MessageStoreCall<'static>) -> Result<MessageStoreReply, Failure> {
        match self.call(Call::Messages(call)).await? {
            Reply::Messages(reply) => Ok(*reply),
            other => unreachable!("the environment answers as it is asked, not {other:?}"),
        }
    }
    pub(crate) fn connections(&self) -> DecoratedConnectionStore {
        port!(self, DecoratedConnectionStore, Connections, connection_error)
    }

    pub(crate) fn users(&self) -> DecoratedUserStore {
        port!(self, DecoratedUserStore, Users, user_error)
    }

    /// All ports over this environment, with the stores that the plan has.
    pub(crate) fn ports(&self) -> Ports {
        let tables = self.environment().dynamodb_tables();
        match tables {
            None => self.ports_over_tables(),
            Some(tables) => self.ports_over(&self.items(), &tables),
        }
    }

    fn ports_over_tables(&self) -> Ports {
        Ports {
            verifier: Arc::new(port!(self, DecoratedIdentityVerifier, Verifier, verify_error)),
            connections: Arc::new(self.connections()),
            messages: Arc::new(self.messages()),
            pusher: Arc::new(port!(self, DecoratedPusher, Pusher, push_error)),
            // Nobody uploads anything here.
            attachments: Arc::new(NoAttachments),
            reports: Arc::new(port!(self, DecoratedReportStore, Reports, report_error)),
            users: Arc::new(self.users()),
            backoff: Arc::new(self.clone()),
        }
    }
}

/// A call that waits for its turn, from when it is polled.
pub(crate) struct Turn<'a> {
    shared: &'a SharedEnvironment,
    call: Option<Box<Call>>,
    ticket: Option<TicketId>,
}

impl Future for Turn<'_> {
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut environment = self.shared.environment();
        if let Some(call) = self.call.take() {
            match environment.make(call) {
                Made::Answered(reply) => return Poll::Ready(reply),
                Made::Waits(ticket) => self.ticket = Some(ticket),
            }
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

fn report_error(failure: Failure, operation: &'static str) -> ReportStoreError {
    match failure {
        Failure::Throttled => ReportStoreError::Throttled { operation },
        _ => ReportStoreError::Unavailable { operation, source: LOST.into() },
    }
}

fn user_error(failure: Failure, operation: &'static str) -> UserStoreError {
    match failure {
        Failure::Conflict => UserStoreError::Conflict,
        Failure::Throttled => UserStoreError::Throttled { operation },
        _ => UserStoreError::Unavailable { operation, source: LOST.into() },
    }
}

fn connection_error(failure: Failure, operation: &'static str) -> ConnectionStoreError {
    match failure {
        Failure::Throttled => ConnectionStoreError::Throttled { operation },
        _ => ConnectionStoreError::Unavailable { operation, source: LOST.into() },
    }
}

fn push_error(failure: Failure, operation: &'static str) -> PushError {
    match failure {
        Failure::Gone => PushError::Gone,
        Failure::TooLarge => PushError::TooLarge,
        Failure::Forbidden => PushError::Forbidden { operation, source: LOST.into() },
        Failure::Throttled => PushError::Throttled,
        _ => PushError::Unavailable { operation, source: LOST.into() },
    }
}

fn verify_error(failure: Failure, _: &'static str) -> VerifyError {
    match failure {
        Failure::Expired => VerifyError::Expired,
        Failure::Rejected => VerifyError::Rejected { reason: "unknown or revoked" },
        _ => VerifyError::Unavailable { source: LOST.into() },
    }
}

#[async_trait]
impl Answers for SharedEnvironment {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, items::Failure> {
        match self.call(Call::Items(Box::new(request))).await {
            Ok(Reply::Items(answer)) => Ok(answer),
            Ok(other) => unreachable!("the environment answers as it is asked, not {other:?}"),
            Err(Failure::Throttled) => Err(items::Failure::Throttled),
            Err(_) => Err(items::Failure::Unavailable(LOST.into())),
        }
    }

    async fn pause(&self, duration: Duration) {
        let _ = self.call(Call::Pause(duration)).await;
    }
}

/// Answers requests without a turn, and without a fault.
#[derive(Clone)]
struct AtOnce(SharedEnvironment);

#[async_trait]
impl Answers for AtOnce {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, items::Failure> {
        let answer = self.0.environment().answer_at_once(&request);
        answer.map_err(|_| items::Failure::Unavailable(LOST.into()))
    }

    async fn pause(&self, _: Duration) {}
}

#[async_trait]
impl Backoff for SharedEnvironment {
    async fn wait(&self, at_most: Duration) {
        let _ = self.call(Call::Wait(at_most)).await;
    }
}
