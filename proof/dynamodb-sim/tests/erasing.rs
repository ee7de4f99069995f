//! Users whose data is erased while others go on, by the shipped use case and the shipped store, over a
//! DynamoDB in which everything goes wrong that may. Two people with two devices each write, show images,
//! also the same one twice, react, edit and delete. Then one of them is kept from writing and erased, and
//! in half of the schedules the other one as well: by an operator whose command is stopped and repeated,
//! and again a quarter of an hour later, when whatever was under way is over, until nothing is found, as
//! `docs/operations.md` says.
//!
//! In the end every item is looked at. Nothing may be left of what the erased said and showed, all that
//! others said has to be there, and a room whose members are both erased is gone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod schedule;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{Item, Value, Write, WriteKind};
use chat_domain::{
    Attachment, AttachmentEraser, AttachmentKey, AttachmentRefused, AttachmentStore, AttachmentStoreError,
    ChangeCommand, ChatError, ClientMessageId, Content, Effect, EraseUser, Found, ImageFacts, ImageType,
    ListedUpload, Message, Pause, SendCommand, SignedUrl, StoredObject, Timestamp, UploadsPage,
};

use crate::schedule::{Ask, Asked, Counted, JUNHO, MINJI, People, email, now, room, yield_once};

/// How many things the devices do in one schedule.
const ACTS: usize = 24;
/// How many things go on at once.
const TASKS_MAX: usize = 5;
const PNG: &[u8] = include_bytes!("../../../chat-domain/tests/images/plain.png");

/// What is done to requests on their way, as an adapter with a fault would make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// The head is rewritten although somebody has written since.
    RewrittenAnyway,
    /// The head goes on telling what its newest message said.
    HeadTellsOn,
    /// A room is removed while something may still be on its way into it.
    NotWaited,
    /// An image is claimed for a second message.
    ClaimedTwice,
}

impl Bug {
    const ALL: [Self; 4] = [Self::RewrittenAnyway, Self::HeadTellsOn, Self::NotWaited, Self::ClaimedTwice];

    /// The write with the bug; `None` if it is not done at all.
    fn in_write(self, mut write: Write) -> Option<Write> {
        let condition = write.condition.clone().unwrap_or_default();
        match (self, &mut write.kind) {
            (Self::RewrittenAnyway, WriteKind::Update(_, update))
                if condition == "seq = :expected" && update.contains("erased") =>
            {
                write.condition = None;
                write.values.remove(":expected").unwrap();
            }
            (Self::HeadTellsOn, WriteKind::Update(_, update)) if condition == "seq = :expected" => {
                *update = update.replace(" message,", "");
            }
            (Self::ClaimedTwice, _) if condition.contains("claimedBy") => write.condition = None,
            _ => {}
        }
        Some(write)
    }
}

/// The objects that were uploaded, and whether each is shown.
#[derive(Default)]
struct Objects(Mutex<BTreeMap<String, (AttachmentKey, bool)>>);

impl Objects {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (AttachmentKey, bool)>> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl AttachmentStore for Objects {
    async fn upload_url(
        &self,
        _: &AttachmentKey,
        _: ImageFacts,
        _: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        unreachable!("objects are put here at once")
    }

    async fn inspect(&self, key: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError> {
        yield_once().await;
        let stored = StoredObject {
            content_type: "image/png".to_owned(),
            size_bytes: PNG.len() as u64,
            uploaded_at: now(0),
            bytes: PNG.to_vec(),
        };
        Ok(self.all().contains_key(key.as_str()).then_some(stored))
    }

    async fn keep(&self, key: &AttachmentKey) -> Result<bool, AttachmentStoreError> {
        yield_once().await;
        Ok(self.all().get_mut(key.as_str()).map(|(_, kept)| *kept = true).is_some())
    }

    async fn release(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        yield_once().await;
        if let Some((_, kept)) = self.all().get_mut(key.as_str()) {
            *kept = false;
        }
        Ok(())
    }

    async fn download_url(&self, _: &AttachmentKey, _: Timestamp) -> Result<SignedUrl, AttachmentStoreError> {
        unreachable!("nobody opens one here")
    }
}

#[async_trait]
impl AttachmentEraser for Objects {
    async fn list(&self, _: Option<AttachmentKey>) -> Result<UploadsPage, AttachmentStoreError> {
        yield_once().await;
        let listed = |(key, _): &(AttachmentKey, bool)| ListedUpload {
            key: key.clone(),
            size_bytes: PNG.len() as u64,
            uploaded_at: now(0),
        };
        Ok(UploadsPage { uploads: self.all().values().map(listed).collect(), next: None })
    }

    async fn delete(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        yield_once().await;
        self.all().remove(key.as_str());
        Ok(())
    }
}

/// A pause that lasts until whatever was in doubt is over.
#[derive(Default)]
struct UntilOver {
    is_waited_for: AtomicBool,
    /// It does not last at all.
    is_skipped: bool,
}

#[async_trait]
impl Pause for UntilOver {
    async fn pause(&self, _: Duration) {
        self.is_waited_for.store(!self.is_skipped, Ordering::Relaxed);
        while self.is_waited_for.load(Ordering::Relaxed) {
            yield_once().await;
        }
    }
}

/// An operator who erases somebody's data.
struct Operator {
    user: &'static str,
    /// Whether it is done for the second time.
    again: bool,
    command: Pin<Box<dyn Future<Output = Result<Found, ChatError>>>>,
}

struct Schedule {
    people: People,
    objects: Arc<Objects>,
    pause: Arc<UntilOver>,
    tasks: Vec<Pin<Box<dyn Future<Output = Asked>>>>,
    authors: BTreeMap<ClientMessageId, &'static str>,
    /// Who is erased still, one after the other.
    orders: Vec<&'static str>,
    operator: Option<Operator>,
    /// Who is kept from writing.
    silenced: Vec<&'static str>,
    /// Whether there was a room when the first of them was erased.
    met: bool,
    /// An answer that nobody should get.
    wrong: Option<String>,
}

impl Schedule {
    fn new(seed: u64, bug: Bug) -> Self {
        let mut people = People::new(seed, Box::new(move |write| bug.in_write(write)));
        let objects = Arc::new(Objects::default());
        people.attachments = objects.clone();
        let mut orders = vec![JUNHO, MINJI];
        if people.below(2) == 0 {
            orders.reverse();
        }
        orders.truncate(1 + people.below(2));
        let (tasks, authors, silenced) = (Vec::new(), BTreeMap::new(), Vec::new());
        let is_skipped = bug == Bug::NotWaited;
        let pause = Arc::new(UntilOver { is_skipped, ..UntilOver::default() });
        let (operator, wrong) = (None, None);
        Self { people, objects, pause, tasks, authors, orders, operator, silenced, met: false, wrong }
    }

    /// An image of a user's: a new one, or one that was shown or is about to be.
    fn image(&mut self, user: &str) -> Attachment {
        let member = room().member(&email(user)).unwrap();
        let facts = ImageFacts::new(ImageType::Png, PNG.len() as u64, 16, 9).unwrap();
        let known: Vec<_> = self.objects.all().values().map(|(key, _)| key.clone()).collect();
        let own: Vec<_> = known.into_iter().filter(|key| key.is_by(&room(), member)).collect();
        let key = if !own.is_empty() && self.people.below(3) > 0 {
            own[self.people.below(own.len())].clone()
        } else {
            let random = self.people.asks.len() as u128 + 1;
            AttachmentKey::mint(&room(), member, facts, random)
        };
        self.objects.all().entry(key.to_string()).or_insert_with(|| (key.clone(), false));
        Attachment { key, facts, alt: None }
    }

    fn next_ask(&mut self, device: usize) -> Ask {
        let (peer, id, after) = (self.people.peer(device), self.people.next_id(), self.people.latest());
        match (self.people.below(10), self.people.some_message()) {
            (6.., Some(target)) => {
                let effect = self.people.some_effect();
                Ask::Change(ChangeCommand { peer, id, after, target, effect })
            }
            (what, _) => {
                let words = self.people.words().parse().unwrap();
                let content = if what < 3 {
                    let attachment = self.image(self.people.devices[device].user);
                    Content::Image { attachment, caption: Some(words) }
                } else {
                    Content::Text(words)
                };
                Ask::Send(SendCommand { receiver: peer, id, after, content, reply_to: None })
            }
        }
    }

    fn ask(&mut self, step: usize) {
        let device = self.people.below(self.people.devices.len());
        let user = self.people.devices[device].user;
        if self.silenced.contains(&user) {
            return;
        }
        if self.people.devices[device].asking.is_none() {
            if self.people.asks.len() >= ACTS {
                return;
            }
            let ask = self.next_ask(device);
            self.authors.insert(ask.id(), user);
            self.people.begins(device, ask);
        }
        self.tasks.push(self.people.ask(device, step));
    }

    fn done(&mut self, asked: Asked) {
        let (device, ask, outcome) = &asked;
        let (device, ask) = (*device, ask.clone());
        if self.silenced.contains(&self.people.devices[device].user) {
            // What was sent before is stored, or it is not.
            self.people.acked.extend(outcome.as_ref().ok().cloned());
            return;
        }
        match self.people.answered(asked) {
            Ok(()) => {}
            Err(ChatError::AttachmentRejected(AttachmentRefused::Taken)) => {
                self.people.refused.push(ask.id());
                self.people.has_its_answer(device, &ask);
            }
            Err(error) => {
                self.wrong = Some(format!("{ask:?}: {error:?}"));
                self.people.has_its_answer(device, &ask);
            }
        }
    }

    /// The next user is kept from writing, and the operator begins.
    fn order(&mut self, step: usize) {
        let user = self.orders.remove(0);
        self.silenced.push(user);
        // What an image is shown by is erased with it, so a handler that is late may show it after all.
        self.people.refused.retain(|id| self.authors[id] != user);
        for device in &mut self.people.devices {
            device.asking.take_if(|_| device.user == user);
        }
        self.operator = Some(self.command(user, false, step));
    }

    fn command(&self, user: &'static str, again: bool, step: usize) -> Operator {
        let (chat, store) = (&self.people.chat, self.people.store());
        let erase = EraseUser::new(
            chat.users.clone(),
            chat.connections.clone(),
            store.clone(),
            store,
            self.objects.clone(),
            self.pause.clone(),
        );
        let command = Box::pin(async move { erase.execute(&email(user), now(step)).await });
        Operator { user, again, command }
    }

    /// The operator's command goes on, or is stopped and begun anew.
    fn operate(&mut self, step: usize) {
        let Some(mut operator) = self.operator.take() else { return };
        if self.people.below(200) == 0 {
            self.people.faulty.world().count("a command stops");
            self.operator = Some(self.command(operator.user, operator.again, step));
            return;
        }
        let polled = operator.command.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.operator = match polled {
            Poll::Pending => Some(operator),
            Poll::Ready(Err(ChatError::Unavailable { .. })) => {
                Some(self.command(operator.user, operator.again, step))
            }
            Poll::Ready(Err(error)) => panic!("{}: {error:?}", operator.user),
            Poll::Ready(Ok(found)) if operator.again && found.is_nothing() => {
                let world = self.people.faulty.world();
                let mut heads = world.database.items(&self.people.tables.rooms).unwrap();
                self.met |= self.silenced.len() == 1 && heads.any(|item| item.contains_key("seq"));
                None
            }
            Poll::Ready(Ok(_)) => {
                // A quarter of an hour later no read misses what was there then.
                self.over();
                self.people.faulty.world().settle_reads();
                Some(self.command(operator.user, true, step))
            }
        };
    }

    /// Whatever is under way stops, or lands.
    fn over(&mut self) {
        self.tasks.clear();
        self.people.faulty.land_all();
        self.pause.is_waited_for.store(false, Ordering::Relaxed);
    }

    fn is_done(&self) -> bool {
        let asks = self.people.devices.iter().any(|device| device.asking.is_some());
        let all_silent = self.silenced.len() == 2;
        self.operator.is_none()
            && self.orders.is_empty()
            && !asks
            && (all_silent || self.people.asks.len() >= ACTS)
    }

    fn run(&mut self) {
        let ordered_at: Vec<_> = self.orders.iter().map(|_| 4 + self.people.below(ACTS - 4)).collect();
        let mut ordered = 0;
        let mut step = 0;
        while !self.is_done() {
            step += 1;
            assert!(step < 400_000, "it does not come to an end: {} tasks", self.tasks.len());
            if self.operator.is_none()
                && !self.orders.is_empty()
                && (self.people.asks.len() >= ordered_at[ordered] || !self.silenced.is_empty())
            {
                ordered += 1;
                self.order(step);
            }
            if self.pause.is_waited_for.load(Ordering::Relaxed) {
                self.over();
            }
            match self.people.below(24) {
                0 | 1 if self.tasks.len() < TASKS_MAX => self.ask(step),
                2 => self.people.faulty.land_one(),
                3 if !self.tasks.is_empty() && self.people.below(6) == 0 => {
                    let place = self.people.below(self.tasks.len());
                    drop(self.tasks.swap_remove(place));
                    self.people.faulty.world().count("a handler stops");
                }
                4..=12 => self.operate(step),
                _ if !self.tasks.is_empty() => {
                    let place = self.people.below(self.tasks.len());
                    let polled = self.tasks[place].as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    if let Poll::Ready(asked) = polled {
                        drop(self.tasks.swap_remove(place));
                        self.done(asked);
                    }
                }
                _ => {}
            }
        }
        self.people.faulty.world().faults = false;
        self.over();
        self.forgive();
    }

    /// A change of a message that is being erased may be refused and stored all the same: it does nothing.
    fn forgive(&mut self) {
        let erased = |at: Timestamp| {
            let target = self.people.acked.iter().find(|sent| sent.at == at);
            target.is_some_and(|sent| self.silenced.contains(&self.authors[&sent.id]))
        };
        let is_harmless = |id: &ClientMessageId| match &self.people.asks[id] {
            Ask::Change(command) => erased(command.target),
            Ask::Send(_) => false,
        };
        let refused = self.people.refused.iter().filter(|id| !is_harmless(id)).copied().collect();
        self.people.refused = refused;
    }

    /// Whether both are erased and the room with them. It stays if the first was gone before it began.
    fn is_deserted(&self) -> bool {
        self.silenced.len() == 2 && self.met
    }

    /// What is wrong, once everything is over.
    fn check(&self) -> Result<(), String> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let log = self.people.log();
        if self.is_deserted() && !log.is_empty() {
            return Err(format!("the room is still there: {log:?}"));
        }
        if !self.is_deserted() {
            self.people.check_log(&log)?;
            for entry in &log {
                self.check_entry(entry, &log)?;
            }
            Self::check_shown_once(&log)?;
        }
        self.check_leftovers()
    }

    /// An entry of somebody erased says nothing; another one says what its sender made of it, and has no
    /// reaction of anybody erased.
    fn check_entry(&self, entry: &Message, log: &[Message]) -> Result<(), String> {
        let author = self.authors[&entry.id];
        for user in &self.silenced {
            let member = room().member(&email(user)).unwrap();
            if !entry.changed.reactions[member].is_empty() {
                return Err(format!("a reaction is left: {entry:?}"));
            }
        }
        if self.silenced.contains(&author) {
            let is_nothing = entry.says_nothing() && entry.content.text().is_empty();
            return if is_nothing { Ok(()) } else { Err(format!("it still says something: {entry:?}")) };
        }
        let Ask::Send(command) = &self.people.asks[&entry.id] else { return Ok(()) };
        let mut wanted = Message { content: command.content.clone(), ..entry.clone() };
        wanted.changed = chat_domain::Changed::default();
        for change in log.iter().filter(|change| !self.silenced.contains(&self.authors[&change.id])) {
            if let Ask::Change(command) = &self.people.asks[&change.id]
                && command.target == entry.at
            {
                wanted = wanted.changed_by(change, &command.effect);
            }
        }
        let own = room().member(&email(author)).unwrap();
        let is_as_wanted =
            entry.content == wanted.content && entry.changed.reactions[own] == wanted.changed.reactions[own];
        if is_as_wanted { Ok(()) } else { Err(format!("{entry:?} should be {wanted:?}")) }
    }

    /// No image is shown by two messages.
    fn check_shown_once(log: &[Message]) -> Result<(), String> {
        let mut shown = BTreeMap::new();
        for entry in log {
            if let Some(attachment) = entry.content.attachment()
                && let Some(other) = shown.insert(attachment.key.to_string(), entry)
            {
                return Err(format!("{entry:?} and {other:?} show the same image"));
            }
        }
        Ok(())
    }

    /// No item and no object has anything of somebody erased, but for claims that expire by themselves, and
    /// the random names of images that they had deleted.
    fn check_leftovers(&self) -> Result<(), String> {
        let world = self.people.faulty.world();
        let tables = [&self.people.tables.messages, &self.people.tables.rooms];
        let items = tables.into_iter().flat_map(|table| world.database.items(table).unwrap());
        let items: Vec<_> = items.filter(|item| !item.contains_key("ttl")).collect();
        for (id, user) in self.authors.iter().filter(|(_, user)| self.silenced.contains(user)) {
            for told in told(&self.people.asks[id]) {
                let tells = |item: &&&Item| format!("{:?}", without_deleted(item)).contains(&told);
                if let Some(item) = items.iter().find(tells) {
                    return Err(format!("{told} of {user} is left in {item:?}"));
                }
            }
        }
        if self.is_deserted() && !items.is_empty() {
            return Err(format!("there is no room, and there is {items:?}"));
        }
        let left = self.objects.all();
        let left =
            left.values().find(|(key, _)| self.silenced.iter().any(|it| key.is_uploaded_by(&email(it))));
        left.map_or(Ok(()), |left| Err(format!("{left:?} is left")))
    }
}

/// An item without the name of the image that a change has deleted.
fn without_deleted(item: &Item) -> Item {
    let mut item = item.clone();
    if let Some(Value::M(change)) = item.get_mut("change") {
        change.remove("attachment");
    }
    item
}

/// What could be found of somebody in an item, because they asked for this.
fn told(ask: &Ask) -> Vec<String> {
    match ask {
        Ask::Send(SendCommand { content, .. }) => {
            let key = content.attachment().map(|attachment| attachment.key.to_string());
            key.into_iter().chain([content.text().to_owned()]).collect()
        }
        Ask::Change(ChangeCommand { effect: Effect::Edit(text), .. }) => vec![text.to_string()],
        Ask::Change(_) => Vec::new(),
    }
}

/// What is wrong in the schedule of a seed.
fn fault(seed: u64, bug: Bug, counted: &mut Counted) -> Option<String> {
    let mut schedule = Schedule::new(seed, bug);
    schedule.run();
    counted.add(&schedule.people);
    schedule.check().err()
}

#[test]
fn whatever_goes_wrong_nothing_is_left_of_the_erased_and_all_of_the_others() {
    let mut counted = Counted::default();
    for seed in 0..150 {
        assert_eq!(fault(seed, Bug::None, &mut counted), None, "seed {seed}");
    }
    counted.check();
}

#[test]
fn each_of_these_bugs_is_noticed() {
    for bug in Bug::ALL {
        let noticed = (0..600).find(|seed| fault(*seed, bug, &mut Counted::default()).is_some());
        println!("{bug:?}: {noticed:?}");
        assert!(noticed.is_some(), "{bug:?} is not noticed");
    }
}
