//! Messages that change, by the shipped use cases and the shipped store, over a DynamoDB in which everything
//! goes wrong that may: stale reads, refusals, lost answers, writes that land late, and handlers that stop
//! between two requests. Two people with two devices each send, reply, react, edit and delete; each device
//! sends the same again until it is answered, as a client does.
//!
//! Every schedule follows from its seed. What somebody was shown or pushed is compared, once the log is
//! known, with what the log says: each message as the changes up to one of them made it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod schedule;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use chat_adapters_aws::items::{Write, WriteKind};
use chat_domain::{
    ChangeCommand, ChatError, Consistency, Content, Effect, Event, FirstContact, History, HistoryPage,
    Message, MessageStore as _, PageLimit, PageRange, SendCommand, Timestamp,
};

use crate::schedule::{Ask, Asked, Counted, JUNHO, MINJI, People, email, room, run_to_end, said};

/// How many things the devices do in one schedule.
const ACTS: usize = 24;
/// How many things go on at once.
const TASKS_MAX: usize = 5;

/// What is done to requests on their way, as an adapter with a fault would make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// An effect does not ask whether a later one was there before.
    InAnyOrder,
    /// The row of a change is put although the message was not changed.
    RowBeforeEffect,
    /// A row is put over the one that is there.
    PutOverwrites,
    /// The head does not keep what the change does.
    EffectNotKept,
    /// A member's reactions are written over those of the other.
    OneSetForBoth,
}

impl Bug {
    const ALL: [Self; 5] = [
        Self::InAnyOrder,
        Self::RowBeforeEffect,
        Self::PutOverwrites,
        Self::EffectNotKept,
        Self::OneSetForBoth,
    ];

    /// The write with the bug; `None` if it is not done at all.
    fn in_write(self, mut write: Write) -> Option<Write> {
        let is_effect = write.condition.as_ref().is_some_and(|condition| condition.contains("changedBy"));
        match (self, &mut write.kind) {
            (Self::InAnyOrder, _) if is_effect => {
                let condition = write.condition.unwrap();
                let (kept, order) = condition.split_once(" AND (attribute_not_exists(changedBy)").unwrap();
                assert!(order.contains("changedBy < :seq"));
                write.condition = Some(kept.to_owned());
            }
            (Self::RowBeforeEffect, _) if is_effect => return None,
            (Self::PutOverwrites, WriteKind::Put(_)) => write.condition = None,
            (Self::EffectNotKept, WriteKind::Update(_, update)) if write.values.contains_key(":effect") => {
                *update = update.replace("effect = :effect, ", "");
                write.values.remove(":effect").unwrap();
            }
            (Self::OneSetForBoth, WriteKind::Update(_, update))
                if is_effect && !write.values.contains_key(":kind") =>
            {
                *update = update.replace("reactionsB", "reactionsA");
            }
            _ => {}
        }
        Some(write)
    }
}

/// What a task came to.
enum Done {
    Asked(Asked),
    Read { acked: u64, strongly: bool, page: Result<HistoryPage, ChatError> },
}

type Task = Pin<Box<dyn Future<Output = Done>>>;

/// A page that somebody was shown.
struct Shown {
    /// The highest number that was acknowledged before it was asked for.
    acked: u64,
    strongly: bool,
    page: HistoryPage,
}

struct Schedule {
    people: People,
    tasks: Vec<Task>,
    shown: Vec<Shown>,
}

/// Whether an entry of the log changes the message at this place.
fn changes(entry: &Message, at: Timestamp) -> bool {
    match &entry.content {
        Content::Change(change) => change.target == at,
        _ => false,
    }
}

impl Schedule {
    fn new(seed: u64, bug: Bug) -> Self {
        let people = People::new(seed, Box::new(move |write| bug.in_write(write)));
        Self { people, tasks: Vec::new(), shown: Vec::new() }
    }

    /// Something new for a device to ask for.
    fn next_ask(&mut self, device: usize) -> Ask {
        let people = &mut self.people;
        let (peer, id, after) = (people.peer(device), people.next_id(), people.latest());
        match (people.below(10), people.some_message()) {
            (4.., Some(target)) => {
                Ask::Change(ChangeCommand { peer, id, after, target, effect: people.some_effect() })
            }
            (what, target) => {
                let content = Content::Text(people.words().parse().unwrap());
                let reply_to = target.filter(|_| what == 0);
                Ask::Send(SendCommand { receiver: peer, id, after, content, reply_to })
            }
        }
    }

    fn ask(&mut self, step: usize) {
        let device = self.people.below(self.people.devices.len());
        if self.people.devices[device].asking.is_none() {
            if self.people.asks.len() >= ACTS {
                return;
            }
            let ask = self.next_ask(device);
            self.people.begins(device, ask);
        }
        let asked = self.people.ask(device, step);
        self.tasks.push(Box::pin(async { Done::Asked(asked.await) }));
    }

    fn read(&mut self) {
        let (strongly, limit) = (self.people.below(2) == 0, 1 + self.people.below(6));
        let before = self.people.latest().filter(|_| self.people.below(2) == 0);
        let range = match before {
            _ if strongly => PageRange::Oldest,
            Some(at) => PageRange::Before(at),
            None => PageRange::Newest,
        };
        let history = History::new(self.people.store(), FirstContact::Open);
        let acked = self.people.acked.iter().map(|sent| sent.seq).max().unwrap_or(0);
        self.tasks.push(Box::pin(async move {
            let limit = PageLimit::new(limit).unwrap();
            let page = history.execute(&email(MINJI), &email(JUNHO), range, limit).await;
            Done::Read { acked, strongly, page }
        }));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Asked(asked) => self.people.answered(asked).expect("nothing else is refused"),
            Done::Read { acked, strongly, page: Ok(page) } => {
                self.shown.push(Shown { acked, strongly, page })
            }
            Done::Read { page: Err(ChatError::Unavailable { .. }), .. } => {}
            Done::Read { page: Err(error), .. } => panic!("a page: {error:?}"),
        }
    }

    fn run(&mut self) {
        let mut step = 0;
        while self.people.asks.len() < ACTS
            || self.people.devices.iter().any(|device| device.asking.is_some())
        {
            step += 1;
            let asking: Vec<_> = self.people.devices.iter().map(|device| &device.asking).collect();
            assert!(step < 200_000, "it does not come to an end: {asking:?}, {} tasks", self.tasks.len());
            match self.people.below(24) {
                0 | 1 if self.tasks.len() < TASKS_MAX => self.ask(step),
                2 if self.tasks.len() < TASKS_MAX => self.read(),
                3 => self.people.faulty.land_one(),
                4 if !self.tasks.is_empty() && self.people.below(6) == 0 => {
                    let place = self.people.below(self.tasks.len());
                    drop(self.tasks.swap_remove(place));
                    self.people.faulty.world().count("a handler stops");
                }
                _ if !self.tasks.is_empty() => {
                    let place = self.people.below(self.tasks.len());
                    let polled = self.tasks[place].as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    if let Poll::Ready(done) = polled {
                        drop(self.tasks.swap_remove(place));
                        self.done(done);
                    }
                }
                _ => {}
            }
        }
        // What is under way stops, or lands, and somebody says one thing more, which settles the last.
        self.tasks.clear();
        self.people.faulty.world().faults = false;
        self.people.faulty.land_all();
    }

    /// What is wrong, once everything is over.
    fn check(&mut self) -> Result<(), String> {
        let log = self.people.log();
        self.people.check_log(&log)?;
        let states = self.states(&log)?;
        for entry in &log {
            let last = states[&entry.at].values().next_back().unwrap();
            if last != entry {
                return Err(format!("{entry:?} is shown at the end, and is {last:?}"));
            }
        }
        self.check_shown(&log, &states)?;
        self.check_pushed(&states)?;
        self.check_leftovers(&states)
    }

    /// Every message by its place, and by the number of each change up to which it was so.
    fn states(&self, log: &[Message]) -> Result<BTreeMap<Timestamp, BTreeMap<u64, Message>>, String> {
        let mut states: BTreeMap<Timestamp, BTreeMap<u64, Message>> = BTreeMap::new();
        for entry in log {
            let mut new = entry.clone();
            new.changed = chat_domain::Changed::default();
            match &self.people.asks[&entry.id] {
                Ask::Send(command) => {
                    new.content = command.content.clone();
                    new.reply_to = command.reply_to;
                }
                Ask::Change(command) => {
                    let is_named = changes(entry, command.target);
                    let target = states.get_mut(&command.target).filter(|_| is_named);
                    let target = target.ok_or_else(|| format!("{entry:?} changes what is not there"))?;
                    let last = target.values().next_back().unwrap();
                    let is_allowed =
                        matches!(command.effect, Effect::React(_)) || last.sender == entry.sender;
                    if !is_allowed {
                        return Err(format!("{entry:?} changes what is another's"));
                    }
                    let changed = last.changed_by(entry, &command.effect);
                    target.insert(changed.changed.by.max(last.changed.by), changed);
                }
            }
            states.insert(entry.at, BTreeMap::from([(0, new)]));
        }
        Ok(states)
    }

    fn check_shown(
        &self,
        log: &[Message],
        states: &BTreeMap<Timestamp, BTreeMap<u64, Message>>,
    ) -> Result<(), String> {
        for Shown { acked, strongly, page } in &self.shown {
            let all = || page.messages.iter().chain(&page.referred);
            for message in all() {
                let by = message.changed.by;
                let state = states.get(&message.at).and_then(|states| states.get(&by));
                if state != Some(message) {
                    return Err(format!("{message:?} is shown, and never was so: {state:?}"));
                }
                // Changes that were acknowledged before a strong read, or that are on the page themselves.
                let has_had = |entry: &&Message| {
                    let on_page = page.messages.iter().any(|shown| shown.seq == entry.seq);
                    on_page || (*strongly && entry.seq <= *acked)
                };
                let targets = |entry: &&Message| changes(entry, message.at);
                if let Some(missing) =
                    log.iter().filter(targets).filter(has_had).find(|entry| !message.has_change(entry))
                {
                    return Err(format!("{message:?} is shown without {missing:?}"));
                }
            }
        }
        Ok(())
    }

    fn check_pushed(&mut self, states: &BTreeMap<Timestamp, BTreeMap<u64, Message>>) -> Result<(), String> {
        for device in &mut self.people.devices {
            while let Ok(event) = device.heard.try_recv() {
                if let Event::Changed { entry, target } = event {
                    let state = states.get(&target.at).and_then(|states| states.get(&target.changed.by));
                    if state != Some(&*target) || !target.has_change(&entry) {
                        return Err(format!("{target:?} is pushed for {entry:?}, and it is {state:?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// No item has a text that was edited away or deleted, once the newest entry is settled.
    fn check_leftovers(&self, states: &BTreeMap<Timestamp, BTreeMap<u64, Message>>) -> Result<(), String> {
        let head = run_to_end(self.people.store().room_for_commit(&room(), Consistency::Strong)).unwrap();
        let now: Vec<_> = states.values().map(|states| states.values().next_back().unwrap()).collect();
        let is_shown = |text: &str| now.iter().any(|message| message.content.text() == text);
        let world = self.people.faulty.world();
        let rows: Vec<_> = world.database.items(&self.people.tables.messages).unwrap().collect();
        for number in 1..=self.people.texts {
            let text = said(number);
            let row = rows.iter().find(|row| format!("{row:?}").contains(&text));
            if let Some(row) = row.filter(|_| !is_shown(&text)) {
                return Err(format!("{text} is left in {row:?} of {head:?}"));
            }
        }
        Ok(())
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
fn whatever_goes_wrong_every_message_is_what_its_changes_made_it() {
    let mut counted = Counted::default();
    for seed in 0..150 {
        assert_eq!(fault(seed, Bug::None, &mut counted), None, "seed {seed}");
    }
    counted.check();
}

#[test]
fn each_of_these_bugs_is_noticed() {
    for bug in Bug::ALL {
        let noticed = (0..150).find_map(|seed| fault(seed, bug, &mut Counted::default()));
        println!("{bug:?}: {}", noticed.is_some());
        assert!(noticed.is_some(), "{bug:?} is not noticed");
    }
}
