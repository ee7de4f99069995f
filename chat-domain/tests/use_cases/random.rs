//! Two users with two devices each do anything in any order while stores fail in every way, and nothing is
//! lost, doubled or out of order; and every message is what its changes have made of it.

use std::collections::HashSet;

use chat_domain::{
    ChangeCommand, ChatError, ClientMessageId, Content, Draft, Effect, Event, Member, Message, PAGE_MAX,
    PageLimit, PageRange, PerMember, Reactions, SendCommand, SendOutcome, Sent, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::chat::*;
use crate::faults::Commit;

/// Enough to meet every pair of faults, and still a few seconds.
const CASES: u32 = 200;

const DEVICES: [(&str, Member); 4] =
    [(MINJI_PHONE, MINJI), (MINJI_LAPTOP, MINJI), (JUNHO_PHONE, JUNHO), (JUNHO_LAPTOP, JUNHO)];

#[derive(Clone, Debug)]
enum Step {
    /// A device sends something new; it knows the room up to its last sync.
    Send {
        device: usize,
    },
    /// One of the user's devices sends again what one of them sent before.
    Retry {
        which: Index,
        other_device: bool,
    },
    /// A device changes a message, which may be the other user's, a change itself, or deleted.
    Change {
        device: usize,
        target: Index,
        what: What,
    },
    /// A confused device sends something else by an id that was used.
    Reuse {
        which: Index,
    },
    Read {
        device: usize,
        row: Index,
    },
    Sync {
        device: usize,
    },
    /// Somebody whose client never fails writes much.
    Burst {
        by: Member,
        messages: u32,
    },
    Faults(Vec<Fault>),
    Land,
    LandAfterHead,
    Freeze,
    Thaw,
    /// The process forgets whom it knew.
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum What {
    React,
    Edit,
    Delete,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Throttled,
    Lost,
    AnswerLost,
    Held,
    AfterLanding,
    BeforeLanding,
    BeatenByJunho,
    BeatenByMinji,
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![Just(MINJI), Just(JUNHO)]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::Throttled),
        1 => Just(Fault::Lost),
        3 => Just(Fault::AnswerLost),
        4 => Just(Fault::Held),
        2 => Just(Fault::AfterLanding),
        2 => Just(Fault::BeforeLanding),
        1 => Just(Fault::BeatenByJunho),
        1 => Just(Fault::BeatenByMinji),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES.len();
    prop_oneof![
        8 => device.clone().prop_map(|device| Step::Send { device }),
        8 => (any::<Index>(), any::<bool>())
            .prop_map(|(which, other_device)| Step::Retry { which, other_device }),
        1 => any::<Index>().prop_map(|which| Step::Reuse { which }),
        6 => (device.clone(), any::<Index>(), what())
            .prop_map(|(device, target, what)| Step::Change { device, target, what }),
        3 => (device.clone(), any::<Index>()).prop_map(|(device, row)| Step::Read { device, row }),
        3 => device.prop_map(|device| Step::Sync { device }),
        1 => (member(), 1..80_u32).prop_map(|(by, messages)| Step::Burst { by, messages }),
        6 => prop::collection::vec(fault(), 1..12).prop_map(Step::Faults),
        1 => Just(Step::Land),
        2 => Just(Step::LandAfterHead),
        2 => Just(Step::Freeze),
        1 => Just(Step::Thaw),
        1 => Just(Step::Restart),
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![3 => Just(What::React), 3 => Just(What::Edit), 1 => Just(What::Delete)]
}

/// A message, or a change, in a client's outbox.
struct Outgoing {
    device: usize,
    said: Said,
    ack: Option<Sent>,
    refused: bool,
}

#[derive(Clone, Debug)]
enum Said {
    Message(SendCommand),
    Change(ChangeCommand),
}

impl Said {
    fn id(&self) -> ClientMessageId {
        match self {
            Self::Message(command) => command.id,
            Self::Change(command) => command.id,
        }
    }

    fn after(&mut self) -> &mut Option<Timestamp> {
        match self {
            Self::Message(command) => &mut command.after,
            Self::Change(command) => &mut command.after,
        }
    }

    /// Whether a stored row is this. Once a message has changed, its id is all that it is recognised by.
    fn is(&self, row: &Message) -> bool {
        match (self, &row.content) {
            (Self::Change(command), Content::Change(change)) => change.is(command.target, &command.effect),
            (Self::Change(_), _) | (Self::Message(_), Content::Change(_)) => false,
            (Self::Message(command), content) => row.changed.by > 0 || command.content == *content,
        }
    }
}

/// What a message is, by a list of changes and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    content: Content,
    edited_at: Option<Timestamp>,
    reactions: PerMember<Reactions>,
}

impl Shown {
    fn of(message: &Message) -> Self {
        let (content, changed) = (message.content.clone(), message.changed.clone());
        Self { content, edited_at: changed.edited_at, reactions: changed.reactions }
    }

    fn new(content: Content) -> Self {
        Self { content, edited_at: None, reactions: PerMember::default() }
    }

    fn change(&mut self, by: &Message, effect: &Effect) {
        match effect {
            _ if self.content == Content::Deleted => {}
            Effect::Delete => *self = Self::new(Content::Deleted),
            Effect::React(reactions) => self.reactions[by.sender] = reactions.clone(),
            Effect::Edit(text) => {
                self.content = Content::Text(text.clone());
                self.edited_at = Some(by.at);
            }
        }
    }
}

struct RandomRun {
    chat: Chat,
    process: Process,
    /// How far each device has synced.
    known: [Option<Timestamp>; 4],
    outbox: Vec<Outgoing>,
    next_id: u128,
    now: Timestamp,
    /// How far Junho and Minji have read.
    read: [Option<Timestamp>; 2],
}

impl RandomRun {
    async fn new() -> Self {
        let chat = Chat::new().await;
        let process = chat.process();
        Self { chat, process, known: [None; 4], outbox: Vec::new(), next_id: 1, now: at(0), read: [None; 2] }
    }

    fn fresh_id(&mut self) -> u128 {
        self.next_id += 1;
        self.next_id
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Send { device } => {
                let number = self.fresh_id();
                let command = self.command(*device, number, &format!("message {number}"));
                self.say(*device, Said::Message(command)).await;
            }
            Step::Change { device, target, what } => {
                let rows = self.chat.rows().await;
                if !rows.is_empty() {
                    let command = self.change(*device, rows[target.index(rows.len())].at, *what);
                    self.say(*device, Said::Change(command)).await;
                }
            }
            Step::Retry { which, other_device } if !self.outbox.is_empty() => {
                let which = which.index(self.outbox.len());
                let device = self.outbox[which].device;
                // The two devices of a user stand side by side.
                self.attempt(which, if *other_device { device ^ 1 } else { device }).await;
            }
            Step::Reuse { which } if !self.outbox.is_empty() => {
                let Outgoing { device, said, .. } = &self.outbox[which.index(self.outbox.len())];
                let (device, mut said) = (*device, said.clone());
                let (id, after) = (said.id(), *said.after());
                let command = self.command(device, 0, &format!("something else {}", self.next_id));
                self.say(device, Said::Message(SendCommand { id, after, ..command })).await;
            }
            Step::Retry { .. } | Step::Reuse { .. } => {}
            Step::Read { device, row } => self.mark_read(*device, row).await,
            Step::Sync { device } => {
                let rows = self.sync(*device).await;
                self.known[*device] = rows.last().map(|message| message.at);
            }
            Step::Burst { by, messages } => {
                for _ in 0..*messages {
                    let number = self.fresh_id();
                    self.chat.write(*by, number, "burst", self.now).await;
                }
            }
            Step::Faults(faults) => {
                let commits: Vec<_> = faults.iter().map(|fault| self.commit(*fault)).collect();
                self.chat.messages.next_commits(commits);
            }
            Step::Land => self.chat.messages.land().await,
            Step::LandAfterHead => self.chat.messages.land_after_head(),
            Step::Freeze => self.chat.messages.freeze().await,
            Step::Thaw => self.chat.messages.thaw(),
            Step::Restart => self.process = self.chat.process(),
        }
    }

    fn commit(&mut self, fault: Fault) -> Commit {
        let rival =
            |number, sender| Draft { id: id(number), sender, content: words("rival"), reply_to: None };
        match fault {
            Fault::Throttled => Commit::Throttled,
            Fault::Lost => Commit::Lost,
            Fault::AnswerLost => Commit::AnswerLost,
            Fault::Held => Commit::Held,
            Fault::AfterLanding => Commit::AfterLanding,
            Fault::BeforeLanding => Commit::BeforeLanding,
            Fault::BeatenByJunho => Commit::BeatenBy(rival(self.fresh_id(), JUNHO)),
            Fault::BeatenByMinji => Commit::BeatenBy(rival(self.fresh_id(), MINJI)),
        }
    }

    fn command(&self, device: usize, number: u128, text: &str) -> SendCommand {
        let command =
            if DEVICES[device].1 == MINJI { to_junho(number, text) } else { to_minji(number, text) };
        SendCommand { after: self.known[device], ..command }
    }

    fn change(&mut self, device: usize, target: Timestamp, what: What) -> ChangeCommand {
        let number = self.fresh_id();
        let effect = match what {
            What::React => {
                let emoji = ["👍", "🎉", "⚽"].iter().take(usize::try_from(number % 4).unwrap());
                Effect::React(Reactions::new(emoji.map(|one| one.parse().unwrap()).collect()).unwrap())
            }
            What::Edit => Effect::Edit(format!("edited {number}").parse().unwrap()),
            What::Delete => Effect::Delete,
        };
        let peer = if DEVICES[device].1 == MINJI { junho() } else { minji() };
        ChangeCommand { peer, id: id(number), after: self.known[device], target, effect }
    }

    async fn say(&mut self, device: usize, said: Said) {
        self.outbox.push(Outgoing { device, said, ack: None, refused: false });
        self.attempt(self.outbox.len() - 1, device).await;
    }

    /// All rows, as the client of a device gets them.
    async fn sync(&self, device: usize) -> Vec<Message> {
        let (me, peer) = if DEVICES[device].1 == MINJI { (minji(), junho()) } else { (junho(), minji()) };
        let mut rows: Vec<Message> = Vec::new();
        loop {
            let range = rows.last().map_or(PageRange::Oldest, |last| PageRange::After(last.at));
            let page = self.chat.history().execute(&me, &peer, range, PageLimit::MAX).await;
            let page = page.unwrap();
            rows.extend(page.messages);
            if !page.has_more {
                return rows;
            }
        }
    }

    async fn attempt(&mut self, which: usize, device: usize) {
        // The others may send more while this one is on its way.
        let long_room = self.chat.room().await.seq() + 2 * DEVICES.len() as u64 > PAGE_MAX as u64;
        if self.outbox[which].said.after().is_none() && long_room {
            // Without `after` only the newest page is searched: a client syncs before it sends such a thing
            // again.
            self.resync(which, device).await;
            if self.outbox[which].said.after().is_none() {
                return;
            }
        }
        let origin = origin(DEVICES[device].0, self.now);
        let result = match self.outbox[which].said.clone() {
            Said::Message(command) => self.process.send_from_connection.execute(&origin, command).await,
            Said::Change(command) => self.process.send_from_connection.change(&origin, command).await,
        };
        // What was something else by the same id is no more once the message has changed.
        let has_changed = match &result {
            Ok(sent) => self.chat.rows().await.iter().any(|row| row.at == sent.at && row.changed.by > 0),
            Err(_) => false,
        };
        let outgoing = &mut self.outbox[which];
        match result {
            Ok(sent) => {
                assert!(!outgoing.refused || has_changed, "refused, and then {sent:?}");
                outgoing.refused = false;
                if let Some(first) = &outgoing.ack {
                    assert!(repeats(&sent, first), "first {first:?}, then {sent:?}");
                }
                outgoing.ack.get_or_insert(sent);
            }
            Err(ChatError::Unavailable { .. } | ChatError::InDoubt(_)) => {}
            Err(ChatError::ResyncNeeded) => self.resync(which, device).await,
            Err(
                ChatError::IdReused | ChatError::NotFound | ChatError::NotYours | ChatError::ChangeRefused(_),
            ) => {
                assert!(outgoing.ack.is_none(), "acknowledged, and then refused: {:?}", outgoing.ack);
                outgoing.refused = true;
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// What a client does when it is told to sync: it finds its message among the rows, or knows more from
    /// now on.
    async fn resync(&mut self, which: usize, device: usize) {
        let rows = self.sync(device).await;
        let Outgoing { said, ack, refused, .. } = &mut self.outbox[which];
        let sender = DEVICES[device].1;
        match rows.iter().find(|message| message.id == said.id() && message.sender == sender) {
            None => *said.after() = rows.last().map(|message| message.at),
            Some(message) if said.is(message) => {
                let (room, id) = (their_room(), said.id());
                let (at, seq, outcome) = (message.at, message.seq, SendOutcome::Duplicate);
                ack.get_or_insert(Sent { room, id, at, seq, outcome });
                *refused = false;
            }
            Some(_) => *refused = true,
        }
    }

    async fn mark_read(&mut self, device: usize, row: &Index) {
        let rows = self.chat.rows().await;
        if rows.is_empty() {
            return;
        }
        let up_to = rows[row.index(rows.len())].at;
        let (device, reader) = DEVICES[device];
        let peer = if reader == MINJI { junho() } else { minji() };
        let marked = self.process.mark_read.execute(&origin(device, self.now), &peer, up_to).await;
        let place = &mut self.read[usize::from(reader == MINJI)];
        *place = (*place).max(Some(up_to));
        assert_eq!(marked.unwrap().map(|marked| marked.up_to), *place);
    }

    /// Nothing fails any more: everything that was not refused gets its ack.
    async fn heal(&mut self) {
        self.chat.messages.next_commits([]);
        self.chat.messages.land().await;
        for which in 0..self.outbox.len() {
            let device = self.outbox[which].device;
            for _ in 0..3 {
                let Outgoing { ack, refused, .. } = &self.outbox[which];
                if ack.is_none() && !refused {
                    self.attempt(which, device).await;
                }
            }
        }
    }

    async fn check(&self) {
        let rows = self.chat.rows().await;
        for (place, message) in rows.iter().enumerate() {
            assert_eq!(message.seq, place as u64 + 1);
        }
        assert!(rows.is_sorted_by(|x, y| x.at < y.at), "timestamps rise strictly");
        let names: HashSet<_> = rows.iter().map(|message| (message.sender, message.id)).collect();
        assert_eq!(names.len(), rows.len(), "one row for each id of each sender");

        for Outgoing { device, said, ack, refused } in &self.outbox {
            let sender = DEVICES[*device].1;
            let same_name = |row: &&Message| row.id == said.id() && row.sender == sender;
            let row = rows.iter().find(same_name).filter(|row| said.is(row));
            // Something else by the id of a message was refused before that message changed.
            let is_told_apart_no_more = *refused && row.is_some_and(|row| row.changed.by > 0);
            assert!(
                is_told_apart_no_more
                    || row.map(|row| (row.at, row.seq)) == ack.as_ref().map(|ack| (ack.at, ack.seq)),
                "what is acknowledged is there, and what is refused is not: {said:?}, {ack:?}, {row:?}"
            );
            assert!(ack.is_some() != *refused, "in the end everything is one or the other: {said:?}");
        }
        self.messages_are_what_changes_made_of_them(&rows);

        let room = self.chat.room().await;
        for (reader, read) in [(JUNHO, self.read[0]), (MINJI, self.read[1])] {
            assert_eq!(room.read_up_to(reader), read);
            let is_message = |row: &&Message| !matches!(row.content, Content::Change(_));
            let peers = rows.iter().filter(is_message).filter(|row| row.sender == reader.peer());
            let unread = peers.filter(|row| Some(row.at) > read).count();
            assert_eq!(room.unread(reader), unread as u64);
        }

        for (device, _) in DEVICES {
            let mut pushed = HashSet::new();
            for event in self.chat.received(device) {
                let pushed_row = match event {
                    Event::Message(message) => {
                        let row = &rows[usize::try_from(message.seq).unwrap() - 1];
                        let is_same = message == *row || row.changed.by > message.seq;
                        assert!(is_same, "pushed and stored are the same: {message:?}, {row:?}");
                        row
                    }
                    Event::Changed { entry, target } => {
                        assert!(target.has_change(&entry), "what is told of a change has it: {target:?}");
                        &rows[usize::try_from(entry.seq).unwrap() - 1]
                    }
                    _ => continue,
                };
                assert!(pushed.insert(pushed_row.seq), "pushed twice: {pushed_row:?}");
            }
        }
    }

    /// By the order of the room, whatever came from which device when.
    fn messages_are_what_changes_made_of_them(&self, rows: &[Message]) {
        let said = |row: &Message| {
            let by_them = self.outbox.iter().filter(|outgoing| DEVICES[outgoing.device].1 == row.sender);
            let mut found = by_them.filter(|outgoing| outgoing.said.id() == row.id && outgoing.ack.is_some());
            found.next().map(|outgoing| &outgoing.said)
        };
        let mut expected: Vec<Shown> = rows
            .iter()
            .map(|row| match said(row) {
                Some(Said::Message(command)) => Shown::new(command.content.clone()),
                // What was written past the outbox says what it is.
                _ => Shown::new(if row.changed.by > 0 { words("rival") } else { row.content.clone() }),
            })
            .collect();
        let mut changed_by = vec![0; rows.len()];
        for entry in rows {
            let Content::Change(change) = &entry.content else { continue };
            let Some(Said::Change(command)) = said(entry) else { panic!("nobody asked for {entry:?}") };
            let place = rows.iter().position(|row| row.at == change.target).unwrap();
            assert!(place < usize::try_from(entry.seq).unwrap() - 1, "it changes what was there before");
            if expected[place].content != Content::Deleted {
                changed_by[place] = entry.seq;
            }
            expected[place].change(entry, &command.effect);
            let is_own = rows[place].sender == entry.sender;
            assert!(is_own || matches!(command.effect, Effect::React(_)), "another's: {command:?}");
        }
        for ((row, expected), changed_by) in rows.iter().zip(&expected).zip(changed_by) {
            // A burst or a rival that was reacted to still says what it said.
            if row.changed.edited_at.is_some() || row.content == Content::Deleted || said(row).is_some() {
                assert_eq!(Shown::of(row), *expected, "row {}", row.seq);
            } else {
                assert_eq!(Shown::of(row).reactions, expected.reactions, "row {}", row.seq);
            }
            assert_eq!(row.changed.by, changed_by, "row {}", row.seq);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn whatever_happens_every_message_is_stored_once_in_one_order_and_changed_as_it_was_asked(
        steps in prop::collection::vec((step(), -5_000..5_000_i64), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut run = RandomRun::new().await;
            for (place, (step, skew_ms)) in steps.iter().enumerate() {
                run.now = at(1_000 * i64::try_from(place).unwrap() + skew_ms);
                run.take(step).await;
            }
            run.heal().await;
            run.check().await;
        });
    }
}
