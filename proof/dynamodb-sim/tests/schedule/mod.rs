//! What randomised schedules share: two people with two devices each, who ask the shipped use cases over the
//! shipped store, and a DynamoDB in front of which everything goes wrong that may: stale reads, refusals,
//! lost answers, writes that land late. Everything follows from one seed.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{Failure, Value, Write, WriteKind, Written};
use chat_adapters_aws::{DynamoMessageStore, TableNames};
use chat_adapters_memory::{MemoryChat, NoBackoff};
use chat_domain::{
    AttachmentStore, ChangeCommand, ChatError, ClientMessageId, ConnectionId, Consistency, Effect, Email,
    Event, FirstContact, FrameOrigin, Message, MessageStore, PageLimit, PageQuery, PageRange, Reactions,
    RoomId, SendCommand, SendFromConnection, SendMessage, SendPolicy, SendRate, Sent, StoreMessage,
    Timestamp,
};
use dynamodb_sim::{Answered, Answers, Database, DatabaseAnswer, DatabaseRequest, Seen};

pub(crate) const MINJI: &str = "minji@example.com";
pub(crate) const JUNHO: &str = "junho@example.com";

/// Numbers that follow from a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// What a bug of an adapter does to a write on its way; `None` if it is not done at all.
pub(crate) type InWrite = Box<dyn Fn(Write) -> Option<Write> + Send>;

/// The database and what goes wrong in front of it.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) random: Random,
    pub(crate) faults: bool,
    /// How often each room's items were written since everybody sees what was there before: no read is as
    /// stale as that any more. `None` if reads may be.
    since: Option<BTreeMap<(String, String), usize>>,
    /// How often each of them happened.
    pub(crate) happened: BTreeMap<&'static str, u32>,
    in_write: InWrite,
    late: Vec<DatabaseRequest>,
}

impl World {
    /// From now on everybody sees what is there now.
    pub(crate) fn settle_reads(&mut self) {
        self.since = Some(BTreeMap::new());
    }

    /// How many versions ago a read may see.
    fn draw_back(&mut self, request: &DatabaseRequest) -> usize {
        let drawn = if self.faults { self.random.below(3) } else { 0 };
        let Some(since) = &self.since else { return drawn };
        let written = partitions(request).into_iter().map(|it| since.get(&it).copied().unwrap_or(0));
        drawn.min(written.min().unwrap_or(0))
    }

    fn do_it(&mut self, request: &DatabaseRequest, seen: Seen) -> Result<DatabaseAnswer, Failure> {
        let answer = self.database.answer(request, seen, i64::MIN).unwrap();
        let is_done =
            matches!(answer, DatabaseAnswer::Written(Written::Done(_)) | DatabaseAnswer::Transacted(Ok(())));
        if let Some(since) = self.since.as_mut().filter(|_| is_done) {
            for partition in partitions(request) {
                *since.entry(partition).or_default() += 1;
            }
        }
        Ok(answer)
    }

    pub(crate) fn count(&mut self, fault: &'static str) {
        *self.happened.entry(fault).or_default() += 1;
    }
}

#[derive(Clone)]
pub(crate) struct Faulty(Arc<Mutex<World>>);

impl Faulty {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// A write lands whose outcome nobody waits for any more, if there is one.
    pub(crate) fn land_one(&self) {
        let mut world = self.world();
        let count = world.late.len();
        if count > 0 {
            world.count("a write lands late");
            let place = world.random.below(count);
            let request = world.late.swap_remove(place);
            world.do_it(&request, Seen::ALL).unwrap();
        }
    }

    pub(crate) fn land_all(&self) {
        while !self.world().late.is_empty() {
            self.land_one();
        }
    }
}

/// Lets others go first, once.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[async_trait]
impl Answers for Faulty {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failure> {
        yield_once().await;
        let answer = {
            let mut world = self.world();
            let in_write = &world.in_write;
            let request = match request {
                DatabaseRequest::Write(write) => match in_write(write) {
                    Some(write) => DatabaseRequest::Write(write),
                    None => return Ok(DatabaseAnswer::Written(Written::Done(None))),
                },
                DatabaseRequest::Transact(writes) => {
                    DatabaseRequest::Transact(writes.into_iter().filter_map(in_write).collect())
                }
                request => request,
            };
            let unknown = || Failure::Unavailable("nobody knows what happened".into());
            let back = world.draw_back(&request);
            let seen = Seen { back, ..Seen::ALL };
            let end = if world.faults { 40 } else { 1 };
            let (fault, answer) = match world.random.below(end) {
                1 | 2 => ("a request is throttled", Err(Failure::Throttled)),
                3 | 4 if request.is_write() => {
                    let _ = world.do_it(&request, seen);
                    ("an answer is lost", Err(unknown()))
                }
                5 | 6 if request.is_write() => {
                    world.late.push(request);
                    ("a write is on its way still", Err(unknown()))
                }
                7 => ("a request fails", Err(unknown())),
                _ if back > 0 && !request.is_write() => ("a read may be stale", world.do_it(&request, seen)),
                _ => ("nothing", world.do_it(&request, seen)),
            };
            world.count(fault);
            answer
        };
        yield_once().await;
        answer
    }

    async fn pause(&self, _: Duration) {
        yield_once().await;
    }
}

/// Something that a device asks for.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Send(SendCommand),
    Change(ChangeCommand),
}

impl Ask {
    pub(crate) fn id(&self) -> ClientMessageId {
        match self {
            Self::Send(command) => command.id,
            Self::Change(command) => command.id,
        }
    }
}

/// A device, what it asked for, and what came of it.
pub(crate) type Asked = (usize, Ask, Result<Sent, ChatError>);

pub(crate) struct Device {
    pub(crate) user: &'static str,
    pub(crate) origin: FrameOrigin,
    pub(crate) heard: tokio::sync::mpsc::Receiver<Event>,
    /// What it asks for until that is answered.
    pub(crate) asking: Option<Ask>,
}

pub(crate) fn said(number: usize) -> String {
    format!("말-{number}-끝")
}

pub(crate) fn email(text: &str) -> Email {
    text.parse().unwrap()
}

pub(crate) fn room() -> RoomId {
    RoomId::new(&email(MINJI), &email(JUNHO)).unwrap()
}

pub(crate) fn now(step: usize) -> Timestamp {
    let start: Timestamp = "2026-11-23T09:00:00.000Z".parse().unwrap();
    start.after(Duration::from_millis(step as u64))
}

pub(crate) fn run_to_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// The room whose items a request reads or writes, with the table; nothing for a list of an index.
fn partitions(request: &DatabaseRequest) -> Vec<(String, String)> {
    let of = |table: &str, key: Option<&Value>| match key {
        Some(Value::S(room)) => Some((table.to_owned(), room.clone())),
        _ => None,
    };
    match request {
        DatabaseRequest::Get(get) => of(&get.table, get.key.get("roomId")).into_iter().collect(),
        DatabaseRequest::BatchGet(batch) => {
            batch.keys.iter().filter_map(|key| of(&batch.table, key.get("roomId"))).collect()
        }
        DatabaseRequest::Query(query) => of(&query.table, query.values.get(":room")).into_iter().collect(),
        DatabaseRequest::Scan(_) => Vec::new(),
        request => {
            let key = |write: &Write| match &write.kind {
                WriteKind::Put(key)
                | WriteKind::Update(key, _)
                | WriteKind::Delete(key)
                | WriteKind::Check(key) => of(&write.table, key.get("roomId")),
            };
            request.writes().iter().filter_map(key).collect()
        }
    }
}

/// How often each fault has to happen in all schedules together.
const OFTEN: u32 = 100;

/// Adds up what happened in schedules.
#[derive(Default)]
pub(crate) struct Counted(BTreeMap<&'static str, u32>);

impl Counted {
    pub(crate) fn add(&mut self, people: &People) {
        for (fault, times) in &people.faulty.world().happened {
            *self.0.entry(*fault).or_default() += times;
        }
    }

    /// Panics if something went wrong too rarely for its absence to say anything.
    pub(crate) fn check(&self) {
        println!("{:?}", self.0);
        for fault in [
            "a request is throttled",
            "a request fails",
            "an answer is lost",
            "a write is on its way still",
            "a write lands late",
            "a read may be stale",
            "a handler stops",
        ] {
            assert!(self.0.get(fault).is_some_and(|times| *times >= OFTEN), "{fault}: {:?}", self.0);
        }
    }
}

/// The two people and what they have come to.
pub(crate) struct People {
    pub(crate) faulty: Faulty,
    pub(crate) tables: TableNames,
    pub(crate) chat: MemoryChat,
    pub(crate) attachments: Arc<dyn AttachmentStore>,
    pub(crate) devices: Vec<Device>,
    pub(crate) asks: BTreeMap<ClientMessageId, Ask>,
    pub(crate) acked: Vec<Sent>,
    pub(crate) refused: Vec<ClientMessageId>,
    /// How many texts were written.
    pub(crate) texts: usize,
}

impl People {
    pub(crate) fn new(seed: u64, in_write: InWrite) -> Self {
        let tables = TableNames::default();
        let database = Database::new(tables.schemas());
        let world = World {
            database,
            random: Random(seed),
            faults: true,
            since: None,
            happened: BTreeMap::new(),
            in_write,
            late: Vec::new(),
        };
        let chat = MemoryChat::new();
        let devices = [MINJI, MINJI, JUNHO, JUNHO].into_iter().enumerate().map(|(number, user)| {
            let name = format!("device-{number}");
            let origin = run_to_end(chat.connect(&email(user), &name, now(0))).unwrap();
            let heard = chat.pusher.open(ConnectionId::new(name));
            Device { user, origin, heard, asking: None }
        });
        let (devices, faulty) = (devices.collect(), Faulty(Arc::new(Mutex::new(world))));
        let attachments = chat.attachments.clone();
        let (asks, acked, refused) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { faulty, tables, chat, attachments, devices, asks, acked, refused, texts: 0 }
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        self.faulty.world().random.below(end)
    }

    /// A store of a process of its own.
    pub(crate) fn store(&self) -> Arc<DynamoMessageStore> {
        Arc::new(DynamoMessageStore::new(&Answered(self.faulty.clone()), &self.tables))
    }

    pub(crate) fn peer(&self, device: usize) -> Email {
        email(if self.devices[device].user == MINJI { JUNHO } else { MINJI })
    }

    pub(crate) fn next_id(&self) -> ClientMessageId {
        ClientMessageId::from_u128(self.asks.len() as u128 + 1)
    }

    /// The newest instant that anybody was told of.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.acked.iter().map(|sent| sent.at).max()
    }

    /// A message that was acknowledged, one of the first few, so that several ask for the same.
    pub(crate) fn some_message(&self) -> Option<Timestamp> {
        let is_message = |sent: &&Sent| matches!(self.asks[&sent.id], Ask::Send(_));
        let messages: Vec<_> = self.acked.iter().filter(is_message).map(|sent| sent.at).collect();
        (!messages.is_empty()).then(|| messages[self.below(messages.len().min(4))])
    }

    /// Words that nobody has said before: [`said`] of their number.
    pub(crate) fn words(&mut self) -> String {
        self.texts += 1;
        said(self.texts)
    }

    /// What a change does: a reaction more often than an edit, and that more often than a deletion.
    pub(crate) fn some_effect(&mut self) -> Effect {
        match self.below(6) {
            0..=2 => {
                let all = ["👍", "🎉", "⚽", "😂"];
                let chosen = all[..self.below(4)].iter().map(|one| one.parse().unwrap());
                Effect::React(Reactions::new(chosen.collect()).unwrap())
            }
            3 | 4 => Effect::Edit(self.words().parse().unwrap()),
            _ => Effect::Delete,
        }
    }

    /// A device asks for something from now on, until it is answered.
    pub(crate) fn begins(&mut self, device: usize, ask: Ask) {
        self.asks.insert(ask.id(), ask.clone());
        self.devices[device].asking = Some(ask);
    }

    /// Asks a process for what a device asks for.
    pub(crate) fn ask(&self, device: usize, step: usize) -> Pin<Box<dyn Future<Output = Asked>>> {
        let ask = self.devices[device].asking.clone().unwrap();
        let origin = FrameOrigin { now: now(step), ..self.devices[device].origin.clone() };
        let MemoryChat { identify, users, connections, pusher, .. } = self.chat.clone();
        let rate = SendRate { burst: u32::MAX.try_into().unwrap(), per_second: u32::MAX.try_into().unwrap() };
        let policy = SendPolicy { first_contact: FirstContact::Open, ..rate.into() };
        let attachments = Arc::clone(&self.attachments);
        let store = StoreMessage::new(self.store(), attachments, users, Arc::new(NoBackoff), policy);
        let send = SendFromConnection::new(identify, SendMessage::new(store, connections, pusher));
        Box::pin(async move {
            let sent = match ask.clone() {
                Ask::Send(command) => send.execute(&origin, command).await,
                Ask::Change(command) => send.change(&origin, command).await,
            };
            (device, ask, sent)
        })
    }

    /// A device is told what came of what it asked for. Unless that is unknown, it asks no more; the error is
    /// handed back unless it is one of those that a change may meet.
    pub(crate) fn answered(&mut self, (device, ask, outcome): Asked) -> Result<(), ChatError> {
        match outcome {
            Ok(sent) => self.acked.push(sent),
            Err(ChatError::Unavailable { .. }) => return Ok(()),
            Err(ChatError::NotFound | ChatError::NotYours) => self.refused.push(ask.id()),
            Err(error) => return Err(error),
        }
        self.has_its_answer(device, &ask);
        Ok(())
    }

    pub(crate) fn has_its_answer(&mut self, device: usize, ask: &Ask) {
        if self.devices[device].asking.as_ref().is_some_and(|it| it.id() == ask.id()) {
            self.devices[device].asking = None;
        }
    }

    /// Everything that is stored, oldest first.
    pub(crate) fn log(&self) -> Vec<Message> {
        let (mut log, mut range) = (Vec::new(), PageRange::Oldest);
        loop {
            let query = PageQuery { range, limit: PageLimit::MAX };
            let page = run_to_end(self.store().page(&room(), query, Consistency::Strong)).unwrap();
            log.extend(page.messages);
            match log.last() {
                Some(last) if page.has_more => range = PageRange::After(last.at),
                _ => return log,
            }
        }
    }

    /// Whether all of the log is there once, with what was acknowledged in its place, and nothing that was
    /// refused.
    pub(crate) fn check_log(&self, log: &[Message]) -> Result<(), String> {
        let wrong = |what: &str, of: &dyn Debug| Err(format!("{what}: {of:?}"));
        for (place, entry) in log.iter().enumerate() {
            if entry.seq != place as u64 + 1 {
                return wrong("a hole, or an entry twice", entry);
            }
        }
        for sent in &self.acked {
            if !log.iter().any(|entry| (entry.id, entry.at, entry.seq) == (sent.id, sent.at, sent.seq)) {
                return wrong("acknowledged, and not there", sent);
            }
        }
        let mut ids: Vec<_> = log.iter().map(|entry| entry.id.as_u128()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != log.len() {
            return wrong("stored twice", &ids);
        }
        match self.refused.iter().find(|refused| log.iter().any(|entry| entry.id == **refused)) {
            Some(refused) => wrong("refused and stored", &self.asks[refused]),
            None => Ok(()),
        }
    }
}
