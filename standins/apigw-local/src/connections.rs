use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::{Clock, Faults, Limits, PostFault};

/// The open connections of a gateway: what `@connections` does, without HTTP.
///
/// A cheap handle to clone. Make it first and give clones to integrations that push, then give it to
/// [`Gateway::new`](crate::Gateway::new).
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    clock: Arc<dyn Clock>,
    faults: Option<Arc<dyn Faults>>,
    table: RwLock<Table>,
}

struct Table {
    open: HashMap<String, Arc<Connection>>,
    accepting: bool,
}

/// Why [`Connections`] could not do it. The names are those of the [management API][aws].
///
/// [aws]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PostError {
    /// There is no such connection: it ended, or its `$connect` has not finished. (410)
    #[error("the connection is gone")]
    Gone,
    /// The message is larger than [`Limits::message_bytes`]. (413)
    #[error("the payload is too large")]
    PayloadTooLarge,
    /// The client reads too slowly and its queue, [`Limits::outbound_queue_bytes`], is full. (429)
    #[error("the client's buffer is full")]
    LimitExceeded,
}

/// What `GET @connections/{id}` tells.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// When the handshake began, in milliseconds since the Unix epoch.
    pub connected_at: i64,
    /// When the last message went in or out, in milliseconds since the Unix epoch.
    pub last_active_at: i64,
    /// The address that the client connected from.
    pub source_ip: IpAddr,
    /// The client's `User-Agent`; empty when it sent none.
    pub user_agent: String,
}

impl Connections {
    /// An empty set of connections.
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self::composed(limits, clock, None)
    }

    /// An empty set of connections of a gateway that misbehaves.
    pub fn with_faults(limits: Limits, clock: Arc<dyn Clock>, faults: Arc<dyn Faults>) -> Self {
        Self::composed(limits, clock, Some(faults))
    }

    fn composed(limits: Limits, clock: Arc<dyn Clock>, faults: Option<Arc<dyn Faults>>) -> Self {
        let table = RwLock::new(Table { open: HashMap::new(), accepting: true });
        Self { inner: Arc::new(Inner { limits, clock, faults, table }) }
    }

    /// Queues a message for a connection. UTF-8 becomes a text frame, anything else a binary frame.
    ///
    /// `Ok` means queued, as AWS's 200 does: the client may still vanish before it reads it.
    ///
    /// # Errors
    ///
    /// [`PostError::Gone`], [`PostError::PayloadTooLarge`] or [`PostError::LimitExceeded`].
    pub fn post(&self, connection_id: &str, data: impl Into<Bytes>) -> Result<(), PostError> {
        let data = data.into();
        let connection = self.find(connection_id)?;
        if data.len() > self.limits().message_bytes {
            return Err(PostError::PayloadTooLarge);
        }
        let message = message(data);
        let limit = QueueLimit::AtMost(self.limits().outbound_queue_bytes);
        match self.faults().map_or(PostFault::None, |faults| faults.post(connection.number)) {
            PostFault::None => connection.deliver(message, limit),
            PostFault::Gone => {
                connection.close(Close::GOING_AWAY);
                Err(PostError::Gone)
            }
            PostFault::LimitExceeded => Err(PostError::LimitExceeded),
            PostFault::Lost => Ok(()),
            PostFault::Late(delay) => {
                deliver_later(connection, message, limit, delay);
                Ok(())
            }
            PostFault::Twice => {
                connection.deliver(message.clone(), limit)?;
                connection.deliver(message, limit)
            }
        }
    }

    /// Looks a connection up.
    ///
    /// # Errors
    ///
    /// [`PostError::Gone`].
    pub fn info(&self, connection_id: &str) -> Result<ConnectionInfo, PostError> {
        let connection = self.find(connection_id)?;
        Ok(ConnectionInfo {
            connected_at: connection.connected_at,
            last_active_at: connection.last_active_at.load(Ordering::Relaxed),
            source_ip: connection.source_ip,
            user_agent: connection.user_agent.to_string(),
        })
    }

    /// Closes a connection with 1000 after what is queued has been sent.
    ///
    /// # Errors
    ///
    /// [`PostError::Gone`].
    pub fn close(&self, connection_id: &str) -> Result<(), PostError> {
        let connection = self.find(connection_id)?;
        if connection.close(Close::NORMAL) { Ok(()) } else { Err(PostError::Gone) }
    }

    /// How many connections are open.
    pub fn len(&self) -> usize {
        self.read().open.len()
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn faults(&self) -> Option<&dyn Faults> {
        self.inner.faults.as_deref()
    }

    pub(crate) fn now_millis(&self) -> i64 {
        self.inner.clock.now_millis()
    }

    pub(crate) fn accepting(&self) -> bool {
        self.read().accepting
    }

    /// Makes a connection reachable; `false` when the gateway is shutting down.
    pub(crate) fn open(&self, connection: &Arc<Connection>) -> bool {
        let mut table = self.write();
        if table.accepting {
            table.open.insert(connection.id.clone(), Arc::clone(connection));
        }
        table.accepting
    }

    pub(crate) fn remove(&self, connection: &Connection) {
        connection.close(Close::NORMAL);
        self.write().open.remove(&connection.id);
    }

    /// No new connections from here on, and no new messages from the open ones.
    pub(crate) fn stop_accepting(&self) {
        let mut table = self.write();
        table.accepting = false;
        table.open.values().for_each(|connection| connection.pause());
    }

    pub(crate) fn close_all(&self, close: Close) {
        for connection in self.read().open.values() {
            connection.close(close);
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Connection>, PostError> {
        self.read().open.get(id).cloned().ok_or(PostError::Gone)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.inner.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Table> {
        self.inner.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn deliver_later(connection: Arc<Connection>, message: Message, limit: QueueLimit, delay: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        // Whoever posted it was told that all is well.
        let _ = connection.deliver(message, limit);
    });
}

/// A close status with its reason, as sent in a close frame and told to `$disconnect`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Close {
    /// `DELETE @connections`; code and reason seen in AWS logs (boto/boto3#3789).
    pub(crate) const NORMAL: Self = Self { code: 1000, reason: "Connection Closed Normally" };
    /// Idle, too old, or the gateway shuts down.
    pub(crate) const GOING_AWAY: Self = Self { code: 1001, reason: "Going away" };
    pub(crate) const PROTOCOL_ERROR: Self = Self { code: 1002, reason: "Protocol error" };
    /// The client sent a binary frame.
    pub(crate) const UNSUPPORTED: Self = Self { code: 1003, reason: "Binary frames are not supported" };
    pub(crate) const NOT_UTF8: Self = Self { code: 1007, reason: "Text frame is not UTF-8" };
    /// A frame or message above its limit.
    pub(crate) const TOO_BIG: Self = Self { code: 1009, reason: "Message too long" };
}

/// One open connection: what others need of it. Its socket belongs to its task.
pub(crate) struct Connection {
    /// Handshakes are counted from 1.
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) connected_at: i64,
    pub(crate) domain_name: Box<str>,
    pub(crate) source_ip: IpAddr,
    pub(crate) user_agent: Box<str>,
    last_active_at: AtomicI64,
    in_flight: AtomicUsize,
    outbox: Mutex<Outbox>,
    wake: Notify,
}

#[derive(Default)]
struct Outbox {
    frames: VecDeque<Message>,
    bytes: usize,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Phase {
    #[default]
    Open,
    /// Still writes, reads no more.
    Paused,
    Closing(Close),
}

/// How much may wait for the client.
#[derive(Clone, Copy)]
pub(crate) enum QueueLimit {
    AtMost(usize),
    /// For answers to the client's own frames: the in-flight limit already bounds those.
    None,
}

/// What one queued frame costs besides its payload, so that empty frames cannot pile up for free.
const FRAME_OVERHEAD_BYTES: usize = 64;

impl Connection {
    pub(crate) fn new(
        number: u64,
        id: String,
        connected_at: i64,
        domain_name: &str,
        source_ip: IpAddr,
        user_agent: &str,
    ) -> Self {
        Self {
            number,
            id,
            connected_at,
            domain_name: domain_name.into(),
            source_ip,
            user_agent: user_agent.into(),
            last_active_at: AtomicI64::new(connected_at),
            in_flight: AtomicUsize::new(0),
            outbox: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// The one place where a message is handed to a connection.
    pub(crate) fn deliver(&self, message: Message, limit: QueueLimit) -> Result<(), PostError> {
        let cost = message.len() + FRAME_OVERHEAD_BYTES;
        let mut outbox = self.outbox();
        if matches!(outbox.phase, Phase::Closing(_)) {
            return Err(PostError::Gone);
        }
        if let QueueLimit::AtMost(bytes) = limit
            && outbox.bytes + cost > bytes
            && !outbox.frames.is_empty()
        {
            return Err(PostError::LimitExceeded);
        }
        outbox.bytes += cost;
        outbox.frames.push_back(message);
        drop(outbox);
        self.wake.notify_one();
        Ok(())
    }

    /// Everything queued so far, and what to do after it is written.
    pub(crate) fn take_outbox(&self) -> (VecDeque<Message>, Phase) {
        let mut outbox = self.outbox();
        outbox.bytes = 0;
        (std::mem::take(&mut outbox.frames), outbox.phase)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.outbox().phase
    }

    /// Returns when there may be news: something queued, a new phase, or room for another invocation.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Asks the task to close the socket; `false` when it is closing already.
    pub(crate) fn close(&self, close: Close) -> bool {
        let mut outbox = self.outbox();
        let first = !matches!(outbox.phase, Phase::Closing(_));
        if first {
            outbox.phase = Phase::Closing(close);
        }
        drop(outbox);
        self.wake.notify_one();
        first
    }

    fn pause(&self) {
        let mut outbox = self.outbox();
        if outbox.phase == Phase::Open {
            outbox.phase = Phase::Paused;
        }
        drop(outbox);
        self.wake.notify_one();
    }

    pub(crate) fn touch(&self, now_millis: i64) {
        self.last_active_at.store(now_millis, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counts an invocation until the guard is dropped.
    pub(crate) fn begin_invocation(self: &Arc<Self>, limit: usize) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight { connection: Arc::clone(self), limit }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct InFlight {
    connection: Arc<Connection>,
    limit: usize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.connection.in_flight.fetch_sub(1, Ordering::AcqRel) == self.limit {
            self.connection.wake.notify_one();
        }
    }
}

pub(crate) fn message(data: Bytes) -> Message {
    match Utf8Bytes::try_from(data.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(data),
    }
}
