//! Minji and Junho, two devices each, and a chat in memory between them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_memory::{MemoryAttachmentStore, MemoryIdentityVerifier, MemoryPusher, MemoryUserStore};
use chat_domain::{
    AccessToken, AttachmentStore, Backoff, ChangeConsent, ChatError, Clear, ClientMessageId, Connect,
    ConnectCommand, Connection, ConnectionId, ConnectionStore, Consistency, Content, Conversations,
    Correlation, DailyLimits, Disconnect, Draft, Email, Event, FirstContact, FrameOrigin, History, Identify,
    KeepAlive, MarkRead, Marked, Member, Message, MessageStore, PageLimit, PageQuery, PageRange, Pusher,
    Reauthenticate, Room, RoomId, SendCommand, SendFromConnection, SendMessage, SendOutcome, SendPolicy,
    SendRate, Sent, StoreMessage, Timestamp, Typing, UserId, UserStore, VerifiedIdentity,
};
use tokio::sync::mpsc::Receiver;

use crate::faults::{Connections, Journal, Messages, Pushes};

pub(crate) const MINJI_PHONE: &str = "minji-phone";
pub(crate) const MINJI_LAPTOP: &str = "minji-laptop";
pub(crate) const JUNHO_PHONE: &str = "junho-phone";
pub(crate) const JUNHO_LAPTOP: &str = "junho-laptop";

/// Junho's address sorts first.
pub(crate) const JUNHO: Member = Member::A;
pub(crate) const MINJI: Member = Member::B;

pub(crate) fn email(text: &str) -> Email {
    text.parse().unwrap()
}

pub(crate) fn minji() -> Email {
    email("minji@example.com")
}

pub(crate) fn junho() -> Email {
    email("junho@example.com")
}

pub(crate) fn their_room() -> RoomId {
    RoomId::new(&minji(), &junho()).unwrap()
}

/// So many milliseconds after nine in the morning.
pub(crate) fn at(ms: i64) -> Timestamp {
    let nine: Timestamp = "2026-11-23T09:00:00.000Z".parse().unwrap();
    Timestamp::from_unix_ms(nine.unix_ms() + ms).unwrap()
}

/// When everybody's authentication expires, unless a test says otherwise: in an hour.
pub(crate) fn expiry() -> Timestamp {
    at(3_600_000)
}

pub(crate) fn id(number: u128) -> ClientMessageId {
    ClientMessageId::from_u128(number)
}

pub(crate) fn words(text: &str) -> Content {
    Content::Text(text.parse().unwrap())
}

pub(crate) fn to_junho(number: u128, text: &str) -> SendCommand {
    SendCommand { receiver: junho(), id: id(number), after: None, content: words(text), reply_to: None }
}

pub(crate) fn to_minji(number: u128, text: &str) -> SendCommand {
    SendCommand { receiver: minji(), ..to_junho(number, text) }
}

pub(crate) fn after(at: Timestamp, command: SendCommand) -> SendCommand {
    SendCommand { after: Some(at), ..command }
}

pub(crate) fn origin(device: &str, now: Timestamp) -> FrameOrigin {
    let correlation = Correlation { request_id: format!("request-of-{device}"), message: None };
    FrameOrigin { connection: ConnectionId::new(device), correlation, now }
}

pub(crate) fn identity(email: &Email, expires_at: Timestamp) -> VerifiedIdentity {
    let user_id = UserId::new(format!("user-{}", email.tag()));
    VerifiedIdentity::vouched(email.clone(), user_id, expires_at)
}

/// Whether an ack says that the message was there already, at the same place.
pub(crate) fn repeats(retry: &Sent, first: &Sent) -> bool {
    *retry == Sent { outcome: SendOutcome::Duplicate, ..first.clone() }
}

/// Waits that are recorded instead of waited.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Duration>>);

impl Waits {
    pub(crate) fn all(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Backoff for Waits {
    async fn wait(&self, at_most: Duration) {
        self.0.lock().unwrap().push(at_most);
    }
}

/// The stores that all processes share, what the devices received, and one process.
pub(crate) struct Chat {
    pub(crate) policy: SendPolicy,
    pub(crate) verifier: MemoryIdentityVerifier,
    pub(crate) users: Arc<MemoryUserStore>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) messages: Arc<Messages>,
    pub(crate) attachments: MemoryAttachmentStore,
    pub(crate) pushes: Arc<Pushes>,
    pub(crate) waits: Arc<Waits>,
    pub(crate) journal: Journal,
    pub(crate) here: Process,
    inboxes: Mutex<HashMap<String, Receiver<Event>>>,
}

/// What runs in one process: the use cases, and whom it remembers.
pub(crate) struct Process {
    pub(crate) connect: Connect,
    pub(crate) disconnect: Disconnect,
    pub(crate) reauthenticate: Reauthenticate,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) send: SendMessage,
    pub(crate) send_from_connection: SendFromConnection,
    pub(crate) mark_read: MarkRead,
    pub(crate) typing: Typing,
    pub(crate) change_consent: ChangeConsent,
    pub(crate) clear: Clear,
}

/// What only the tests of the rate and of consent meet.
pub(crate) fn no_limit() -> SendPolicy {
    let rate = SendRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX };
    SendPolicy { rate, first_contact: FirstContact::Open, daily: DailyLimits::UNLIMITED }
}

impl Chat {
    /// A chat to which all four devices connected a minute ago.
    pub(crate) async fn new() -> Self {
        Self::with_policy(no_limit()).await
    }

    /// One in which everybody may write to everybody, but not so fast.
    pub(crate) async fn with_rate(rate: SendRate) -> Self {
        Self::with_policy(SendPolicy { rate, ..no_limit() }).await
    }

    pub(crate) async fn with_policy(policy: impl Into<SendPolicy>) -> Self {
        let chat = Self::without_devices(policy);
        for (device, user) in
            [(MINJI_PHONE, minji()), (MINJI_LAPTOP, minji()), (JUNHO_PHONE, junho()), (JUNHO_LAPTOP, junho())]
        {
            chat.open(device, &user, at(-60_000)).await;
        }
        chat
    }

    pub(crate) fn without_devices(policy: impl Into<SendPolicy>) -> Self {
        let policy = policy.into();
        let journal = Journal::default();
        let verifier = MemoryIdentityVerifier::new();
        let users = Arc::new(MemoryUserStore::new());
        let connections = Arc::new(Connections::default());
        let messages = Arc::new(Messages::new(journal.clone()));
        let attachments = MemoryAttachmentStore::new("http://localhost/attachments", [7; 32]);
        let pushes = Arc::new(Pushes::new(MemoryPusher::new(), journal.clone()));
        let waits = Arc::new(Waits::default());
        let objects = Arc::new(attachments.clone());
        let ports = (connections.port(), messages.port(), pushes.port());
        let here =
            Process::new(&verifier, (users.clone(), ports.0), ports.1, objects, ports.2, &waits, policy);
        let inboxes = Mutex::default();
        Self {
            policy,
            verifier,
            users,
            connections,
            messages,
            attachments,
            pushes,
            waits,
            journal,
            here,
            inboxes,
        }
    }

    /// Another process over the same stores, which remembers nobody.
    pub(crate) fn process(&self) -> Process {
        self.process_over(self.messages.port())
    }

    pub(crate) fn process_over(&self, messages: Arc<dyn MessageStore>) -> Process {
        self.process_of(messages, Arc::new(self.attachments.clone()))
    }

    pub(crate) fn process_with(&self, attachments: impl AttachmentStore + 'static) -> Process {
        self.process_of(self.messages.port(), Arc::new(attachments))
    }

    /// A process that counts rooms in another store of users.
    pub(crate) fn process_counting(&self, users: Arc<dyn UserStore>) -> Process {
        let Self { policy, verifier, connections, messages, attachments, pushes, waits, .. } = self;
        let (connections, pushes) = (connections.port(), pushes.port());
        let attachments = Arc::new(attachments.clone());
        Process::new(verifier, (users, connections), messages.port(), attachments, pushes, waits, *policy)
    }

    fn process_of(&self, messages: Arc<dyn MessageStore>, attachments: Arc<dyn AttachmentStore>) -> Process {
        let Self { policy, verifier, users, connections, pushes, waits, .. } = self;
        let (connections, pushes) = (connections.port(), pushes.port());
        Process::new(verifier, (users.clone(), connections), messages, attachments, pushes, waits, *policy)
    }

    pub(crate) fn history(&self) -> History {
        History::new(self.messages.port(), self.policy.first_contact)
    }

    pub(crate) fn conversations(&self) -> Conversations {
        Conversations::new(self.messages.port(), self.policy.first_contact)
    }

    /// Opens a socket with a row behind it.
    pub(crate) async fn open(&self, device: &str, user: &Email, connected_at: Timestamp) {
        let connection =
            Connection { id: ConnectionId::new(device), identity: identity(user, expiry()), connected_at };
        self.connections.stored.put(&connection).await.unwrap();
        self.open_socket(device);
    }

    pub(crate) fn open_socket(&self, device: &str) {
        let inbox = self.pushes.pusher.open(ConnectionId::new(device));
        self.inboxes.lock().unwrap().insert(device.to_owned(), inbox);
    }

    /// Closes a socket and tells nobody.
    pub(crate) fn vanish(&self, device: &str) {
        self.inboxes.lock().unwrap().remove(device);
    }

    pub(crate) fn is_open(&self, device: &str) -> bool {
        self.inboxes.lock().unwrap().get(device).is_some_and(|inbox| !inbox.is_closed())
    }

    /// What a device received since it was last asked.
    pub(crate) fn received(&self, device: &str) -> Vec<Event> {
        let mut inboxes = self.inboxes.lock().unwrap();
        let inbox = inboxes.get_mut(device).unwrap();
        std::iter::from_fn(|| inbox.try_recv().ok()).collect()
    }

    pub(crate) async fn row(&self, device: &str) -> Option<Connection> {
        self.connections.stored.get(&ConnectionId::new(device)).await.unwrap()
    }

    /// Deletes a device's row behind every process' back.
    pub(crate) async fn delete_row(&self, device: &str) {
        self.connections.stored.delete(&ConnectionId::new(device)).await.unwrap();
    }

    pub(crate) async fn connect(
        &self,
        device: &str,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<VerifiedIdentity, ChatError> {
        let connection = ConnectionId::new(device);
        let command = ConnectCommand { connection, token: token.clone(), connected_at: now, now };
        self.here.connect.execute(command).await
    }

    pub(crate) async fn send(
        &self,
        device: &str,
        command: SendCommand,
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        self.here.send(device, command, now).await
    }

    /// Minji's phone marks what Junho wrote.
    pub(crate) async fn minji_reads(
        &self,
        up_to: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Marked>, ChatError> {
        self.here.mark_read.execute(&origin(MINJI_PHONE, now), &junho(), up_to).await
    }

    /// Puts a message into their room past every use case.
    pub(crate) async fn write(&self, sender: Member, number: u128, text: &str, now: Timestamp) -> Message {
        self.messages
            .write(&Draft { id: id(number), sender, content: words(text), reply_to: None }, now)
            .await
    }

    /// Puts many messages of Junho's there, a second apart; their ids are 1,000 and up.
    pub(crate) async fn junho_writes(&self, how_many: u32, from: Timestamp) -> Vec<Message> {
        let mut written = Vec::new();
        for n in 0..how_many {
            let now = from.after(Duration::from_secs(n.into()));
            written.push(self.write(JUNHO, 1_000 + u128::from(n), &format!("{n}"), now).await);
        }
        written
    }

    /// All rows of their room, oldest first.
    pub(crate) async fn rows(&self) -> Vec<Message> {
        let mut rows: Vec<Message> = Vec::new();
        loop {
            let range = rows.last().map_or(PageRange::Oldest, |last| PageRange::After(last.at));
            let query = PageQuery { range, limit: PageLimit::MAX };
            let page = self.messages.stored.page(&their_room(), query, Consistency::Strong).await;
            let page = page.unwrap();
            rows.extend(page.messages);
            if !page.has_more {
                return rows;
            }
        }
    }

    /// Their room as it is.
    pub(crate) async fn room(&self) -> Room {
        let stored = self.messages.stored.room(&their_room(), Consistency::Strong).await;
        stored.unwrap().unwrap_or_else(|| Room::empty(their_room()))
    }
}

impl Process {
    fn new(
        verifier: &MemoryIdentityVerifier,
        (users, connections): (Arc<dyn UserStore>, Arc<dyn ConnectionStore>),
        messages: Arc<dyn MessageStore>,
        attachments: Arc<dyn AttachmentStore>,
        pushes: Arc<dyn Pusher>,
        waits: &Arc<Waits>,
        policy: SendPolicy,
    ) -> Self {
        let first_contact = policy.first_contact;
        let verifier = Arc::new(verifier.clone());
        let identify = Arc::new(Identify::new(connections.clone(), pushes.clone()));
        let send = |attachments| {
            let store =
                StoreMessage::new(messages.clone(), attachments, users.clone(), waits.clone(), policy);
            SendMessage::new(store, connections.clone(), pushes.clone())
        };
        Self {
            connect: Connect::new(verifier.clone(), users.clone(), connections.clone(), pushes.clone()),
            disconnect: Disconnect::new(connections.clone()).beside(identify.clone()),
            reauthenticate: Reauthenticate::new(
                verifier,
                users.clone(),
                connections.clone(),
                identify.clone(),
            ),
            keep_alive: KeepAlive::new(identify.clone()),
            send: send(attachments.clone()),
            send_from_connection: SendFromConnection::new(identify.clone(), send(attachments)),
            mark_read: MarkRead::new(
                identify.clone(),
                connections.clone(),
                messages.clone(),
                pushes.clone(),
                first_contact,
            ),
            change_consent: ChangeConsent::new(
                identify.clone(),
                connections.clone(),
                messages.clone(),
                pushes.clone(),
                first_contact,
            ),
            clear: Clear::new(identify.clone(), connections.clone(), messages.clone(), pushes.clone()),
            typing: Typing::new(identify, connections, messages, pushes.clone(), first_contact),
        }
    }

    pub(crate) async fn send(
        &self,
        device: &str,
        command: SendCommand,
        now: Timestamp,
    ) -> Result<Sent, ChatError> {
        self.send_from_connection.execute(&origin(device, now), command).await
    }
}
