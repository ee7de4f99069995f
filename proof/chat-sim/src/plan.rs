//! What a seed stands for: who is there, what they do and when, and what may go wrong.

use std::num::NonZeroU32;

use chat_domain::{ADMITTED_FOR, ConsentChange, FirstContact, RequestRate, Verdict};

use crate::faults::{Fault, FaultRates};
use crate::ids::{DeviceId, Id, IdVec, RegionId, User};
use crate::server::Order;
use crate::stores::StoreKind;

/// How many bursts each process hears of somebody who sends far too much: what it admits at once, what it
/// refuses before it closes the connection, and half of one more.
const HAMMERED_BURSTS: f64 = 3.5;
/// When they go on with it.
const NEXT_VOLLEY_MS: i64 = 1_500;

/// How many requests each process hears at once of somebody who is held up in the end, less than one admits.
const VOLLEY: u16 = 90;
/// How many times they do so, and after how long again: by then what one process has counted allows as much.
const VOLLEYS: i64 = 10;
const VOLLEY_EVERY_MS: i64 = 90_000;
/// How many requests in an hour they may make, for each process that there is: more than everybody needs to
/// come to rest in the end.
const PER_HOUR: u32 = 400;
/// How long after they were suspended people still try.
const SUSPENDED_FOR_MS: i64 = 100_000;

/// Within which time after a block most heads that were read before it are gone.
const BLOCK_SETTLES_MS: i64 = 800;

/// Within which time somebody blocks anew whom they have just stopped to block, while that is under way.
const MIND_CHANGED_MS: i64 = 60;

/// How many times somebody changes something, of how many changes each, and within which time.
const EPISODES_MAX: usize = 2;
const CHANGES_MAX: usize = 3;
const AT_ONCE_MS: i64 = 300;

/// For how long a region is gone.
const LOST_MS: std::ops::Range<i64> = 1_000..180_000;

/// Something that the plan has somebody do, or has happen to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The device looks at a conversation.
    Open { device: DeviceId, peer: User },
    /// Its user writes words.
    Write { device: DeviceId, peer: User },
    /// Its user writes words, and the device crashes at once, or a moment later.
    WriteAndCrash { device: DeviceId, peer: User, after_ms: i64, down_ms: i64 },
    /// Its user has read everything.
    Read { device: DeviceId, peer: User },
    /// Its user types, which the peer may see.
    Type { device: DeviceId, peer: User },
    /// Its user accepts the peer's request, blocks the peer, or does so no longer.
    Decide { device: DeviceId, peer: User, change: ConsentChange },
    /// Its user reports the newest messages that the device shows.
    Report { device: DeviceId, peer: User },
    /// Its user writes more than a request may have.
    WriteOn { device: DeviceId, peer: User, count: u8 },
    /// Its user comes back to the page.
    Focus { device: DeviceId },
    /// The device asks whether its connection still works.
    Ping { device: DeviceId },
    /// Its user scrolls up.
    Older { device: DeviceId, peer: User },
    /// Its user proposes a match.
    Propose { device: DeviceId, peer: User, by_rest: bool },
    /// Its user answers the latest proposal that the device shows.
    Answer { device: DeviceId, peer: User, verdict: Verdict },
    /// Its user changes a message.
    Change { device: DeviceId, peer: User, of: MessageOf, what: WhatChanges },
    /// Its user replies to a message.
    Reply { device: DeviceId, peer: User, of: MessageOf },
    /// Its user looks at a message, and at those before it.
    LookAt { device: DeviceId, peer: User, of: MessageOf },
    /// Its user changes what does not change so, or replies to what is not there.
    Hopeless { device: DeviceId, peer: User, how: Hopeless },
    /// The device crashes, and begins again after a while.
    Crash { device: DeviceId, down_ms: i64 },
    /// The device loses its storage, and begins again.
    LoseStorage { device: DeviceId },
    /// The network goes, and nobody says so.
    Cut { device: DeviceId },
    /// Everybody leaves, and comes back days later.
    Away { days: u8 },
    /// The device's token is revoked.
    Revoke { device: DeviceId },
    /// The device opens many connections.
    Crowd { device: DeviceId, count: u8 },
    /// The device sends far more than one may, all at once.
    Hammer { device: DeviceId, peer: User, with: Hammer, count: u16 },
    /// The device opens one of them.
    OneMore { device: DeviceId },
    /// A region goes, and comes back after a while.
    LoseRegion { region: RegionId, for_ms: i64 },
    /// Whoever runs the chat gives an order about a user.
    Order { user: User, order: Order },
    /// A user writes so many messages at once, on a device that is not simulated.
    Flood { user: User, peer: User, count: u8 },
    /// Its user presents a cursor of somebody else's.
    ForeignCursor { device: DeviceId },
    /// Its user comes with a token of another pool.
    ForeignToken { device: DeviceId },
    /// Its user sends a message with somebody else's address in the body.
    Forge { device: DeviceId, peer: User },
    /// Its user sends something else by the id of a message that was acknowledged.
    ReuseId { device: DeviceId },
    /// Its user marks as read what does not exist: in the future, in the past, or anywhere.
    WildMark { device: DeviceId, peer: User, offset_ms: i64 },
    /// Its user sends a message in a frame without an id.
    Plain { device: DeviceId, peer: User },
}

/// One of the messages of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageOf {
    /// Who has sent it; anybody if nobody is named.
    pub(crate) author: Option<User>,
    pub(crate) age: Age,
}

/// How old a message is, among those of its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It has so many after it, or is the first.
    NewestBut(u8),
    /// It has so many before it, or is the newest.
    OldestBut(u8),
}

/// What is done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhatChanges {
    /// These of a few reactions are left on it, a bit for each.
    React(u8),
    Edit,
    Delete,
}

/// What is refused, whoever asks for it and whenever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hopeless {
    EditAnothers,
    DeleteAnothers,
    ChangeNothing,
    ChangeTheFuture,
    ChangeAChange,
    ReplyToNothing,
    ReplyToAChange,
}

impl Hopeless {
    const ALL: [Self; 7] = [
        Self::EditAnothers,
        Self::DeleteAnothers,
        Self::ChangeNothing,
        Self::ChangeTheFuture,
        Self::ChangeAChange,
        Self::ReplyToNothing,
        Self::ReplyToAChange,
    ];
}

/// What somebody sends far too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hammer {
    Ping,
    Typing,
    /// The answers are as long as the room.
    Mark,
    /// It is no frame that there is.
    Noise,
    /// Requests by REST, each for a list.
    List,
}

/// A schedule before it is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seed from which the run itself draws: the schedule's, or another one when a schedule is made
    /// smaller.
    pub(crate) run_seed: u64,
    pub(crate) users: usize,
    /// The user whose each device is.
    pub(crate) devices: IdVec<DeviceId, User>,
    pub(crate) processes: usize,
    /// How a conversation begins.
    pub(crate) first_contact: FirstContact,
    /// How many requests a user may make in an hour, if it is not what it is by default.
    pub(crate) per_hour: Option<NonZeroU32>,
    pub(crate) rates: FaultRates,
    /// Which stores the handlers have.
    pub(crate) stores: StoreKind,
    /// When each thing is done, in milliseconds since the beginning.
    pub(crate) acts: Vec<(i64, Act)>,
}

/// What draws the [faults that came later](Fault::DRAWN_APART), and nothing else.
fn rng_apart(seed: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed ^ 0x5851_f42d_4c95_7f2d)
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x9e37_79b9_7f4a_7c15);
        let mut rates = FaultRates::draw(&mut rng);
        // Two devices have much to agree on, however little else goes wrong.
        rates.set(Fault::TwoDevices, [0, 512, 768][rng.usize(0..3)]);
        let mut apart = rng_apart(seed);
        for fault in Fault::DRAWN_APART.into_iter().filter(|fault| *fault != Fault::RegionLost) {
            let is_on = if Fault::RARE.contains(&fault) { apart.u8(0..16) == 0 } else { apart.bool() };
            rates.set(fault, if is_on { 128 } else { 0 });
        }
        Self::with(seed, rng, rates)
    }

    /// The same with other stores. With several regions there are processes in each, and in half of the
    /// schedules some regions go.
    pub(crate) fn over(self, stores: StoreKind) -> Self {
        let mut plan = Self { stores, ..self };
        let regions = stores.regions();
        if regions > 1 {
            let mut rng = rng_apart(plan.run_seed.rotate_left(32));
            plan.processes = regions * rng.usize(1..=2);
            let losses = if rng.bool() { rng.usize(1..=3) } else { 0 };
            let last_ms = plan.acts.last().map_or(0, |(at, _)| *at);
            for _ in 0..losses {
                let region = RegionId::new(rng.usize(0..regions));
                let lost = Act::LoseRegion { region, for_ms: rng.i64(LOST_MS) };
                plan.acts.push((rng.i64(0..=last_ms), lost));
            }
            plan.acts.sort_by_key(|(at, _)| *at);
        }
        plan
    }

    /// Draws the rest of a seed's plan, when it is known how much goes wrong.
    fn with(seed: u64, mut rng: fastrand::Rng, rates: FaultRates) -> Self {
        let users = if rng.u8(0..4) == 0 { 3 } else { 2 };
        let mut devices: IdVec<DeviceId, User> = (0..users).map(User::new).collect();
        for user in (0..users).map(User::new) {
            if rng.u16(0..FaultRates::OF) < rates.of(Fault::TwoDevices) && devices.len() < 4 {
                devices.push(user);
            }
        }
        let mut plan = Self {
            run_seed: seed,
            users,
            processes: rng.usize(1..=3),
            first_contact: if rng.bool() { FirstContact::Open } else { FirstContact::Request },
            per_hour: None,
            devices,
            rates,
            stores: StoreKind::Simulated,
            acts: Vec::new(),
        };
        // In some schedules it all happens within seconds, in others over minutes.
        let span_ms = [2_000, 20_000, 90_000][rng.usize(0..3)];
        for _ in 0..rng.usize(4..=14) {
            let at = rng.i64(0..span_ms);
            let act = plan.act(&mut rng);
            plan.acts.push((at, act));
        }
        plan.add_strangers(&mut rng, span_ms);
        for fault in [
            Fault::CrashBeforeSend,
            Fault::CrashAfterSend,
            Fault::StorageLost,
            Fault::ConnectionCut,
            Fault::TokenRevoked,
            Fault::ForeignCursor,
            Fault::ForgedSender,
            Fault::IdReused,
            Fault::WildReadMark,
            Fault::PlainFrame,
            Fault::ForeignToken,
        ] {
            if rates.is_on(fault) && rng.bool() {
                let at = rng.i64(0..span_ms);
                let act = plan.wrong(&mut rng, fault);
                plan.acts.push((at, act));
            }
        }
        plan.add_excess(&mut rng, span_ms);
        plan.keep_somebody_out(&mut rng_apart(!seed), span_ms);
        plan.add_changes(&mut rng_apart(seed.rotate_left(16)), span_ms);
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    /// In some schedules somebody does far too much of something, or everybody leaves.
    fn add_excess(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        if self.rates.is_on(Fault::Flood) && rng.u8(0..8) == 0 {
            let (device, peer) = self.pair(rng);
            let user = self.devices[device];
            let count = if rng.bool() { rng.u8(9..20) } else { rng.u8(50..60) };
            // So much is said among friends.
            self.first_contact = FirstContact::Open;
            self.acts.push((rng.i64(0..span_ms), Act::Flood { user, peer, count }));
        }
        if self.rates.is_on(Fault::ManyConnections) && rng.u8(0..16) == 0 {
            let device = self.device(rng);
            self.acts.push((rng.i64(0..span_ms), Act::Crowd { device, count: rng.u8(21..26) }));
        }
        if self.rates.is_on(Fault::Hammering) && rng.u8(0..64) == 0 {
            self.add_hammering(rng, span_ms);
        }
        if self.rates.is_on(Fault::AwayForDays) && rng.u8(0..8) == 0 {
            self.acts.push((rng.i64(0..span_ms), Act::Away { days: rng.u8(1..4) }));
        }
    }

    /// In few schedules somebody is kept out.
    fn keep_somebody_out(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        if self.rates.is_on(Fault::HeldUp) && rng.u16(0..320) == 0 {
            self.add_steady_hammering(rng, span_ms);
        }
        if self.rates.is_on(Fault::Suspended) && rng.u8(0..20) == 0 {
            self.add_suspension(rng, span_ms);
        }
        if self.keeps_out() {
            // They would try for all those days.
            self.acts.retain(|(_, act)| !matches!(act, Act::Away { .. }));
        }
    }

    /// Whether somebody is suspended, or makes more requests in an hour than they may.
    pub(crate) fn keeps_out(&self) -> bool {
        self.per_hour.is_some() || self.acts.iter().any(|(_, act)| matches!(act, Act::Order { .. }))
    }

    /// In half of the schedules people change messages and reply to them: several of them the same ones, at
    /// the same time.
    fn add_changes(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        if rng.bool() {
            for _ in 0..rng.usize(1..=EPISODES_MAX) {
                self.add_episode(rng, span_ms);
            }
        }
        if self.rates.is_on(Fault::HopelessChange) {
            let (device, peer) = self.pair(rng);
            let how = Hopeless::ALL[rng.usize(0..Hopeless::ALL.len())];
            self.acts.push((rng.i64(span_ms / 4..span_ms), Act::Hopeless { device, peer, how }));
        }
    }

    /// One message is changed, or a few that are as old.
    fn add_episode(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        let (device, peer) = self.pair(rng);
        let members = [self.devices[device], peer];
        let author = members[rng.usize(0..2)];
        let age = match rng.u8(0..8) {
            0..4 => Age::NewestBut(0),
            4..6 => Age::NewestBut(rng.u8(1..9)),
            _ => Age::OldestBut(rng.u8(0..3)),
        };
        let of = MessageOf { author: Some(author), age };
        // At first there is nothing that could change.
        let at = rng.i64(span_ms / 4..span_ms);
        let devices: Vec<DeviceId> = self.devices.ids().collect();
        let devices: Vec<DeviceId> =
            devices.into_iter().filter(|device| members.contains(&self.devices[*device])).collect();
        for _ in 0..rng.usize(1..=CHANGES_MAX) {
            let device = devices[rng.usize(0..devices.len())];
            let user = self.devices[device];
            let peer = if user == members[0] { members[1] } else { members[0] };
            let what = match rng.u8(0..10) {
                0..4 if user == author => Some(WhatChanges::Edit),
                4..6 if user == author => Some(WhatChanges::Delete),
                0..8 => Some(WhatChanges::React(rng.u8(0..16))),
                _ => None,
            };
            let act = match what {
                Some(what) => Act::Change { device, peer, of, what },
                None => Act::Reply { device, peer, of },
            };
            self.acts.push((at + rng.i64(0..AT_ONCE_MS), act));
        }
        let look = match rng.u8(0..4) {
            0 => Act::Older { device, peer },
            1 => Act::LookAt { device, peer, of },
            _ => return,
        };
        self.acts.push((at + rng.i64(0..2 * AT_ONCE_MS), look));
    }

    /// Whether anybody changes messages, or replies to them.
    pub(crate) fn changes_messages(&self) -> bool {
        let is_change =
            |act: &Act| matches!(act, Act::Change { .. } | Act::Reply { .. } | Act::Hopeless { .. });
        self.acts.iter().any(|(_, act)| is_change(act))
    }

    /// A device, and a user that it can write to.
    fn pair(&self, rng: &mut fastrand::Rng) -> (DeviceId, User) {
        let device = self.device(rng);
        let others = rng.usize(1..self.users);
        (device, self.user_after(self.devices[device], others))
    }

    fn device(&self, rng: &mut fastrand::Rng) -> DeviceId {
        DeviceId::new(rng.usize(0..self.devices.len()))
    }

    /// The user that comes so many after another one, all in a circle.
    pub(crate) fn user_after(&self, user: User, count: usize) -> User {
        User::new((user.index() + count) % self.users)
    }

    fn act(&self, rng: &mut fastrand::Rng) -> Act {
        let (device, peer) = self.pair(rng);
        match rng.u8(0..32) {
            0..14 => Act::Write { device, peer },
            14..19 => Act::Open { device, peer },
            19..23 => Act::Read { device, peer },
            23 => Act::Type { device, peer },
            24 => Act::Focus { device },
            25 => Act::Ping { device },
            26 => Act::Older { device, peer },
            27 | 28 => Act::Propose { device, peer, by_rest: rng.bool() },
            29 | 30 => {
                let verdict = [Verdict::Accepted, Verdict::Declined, Verdict::Withdrawn][rng.usize(0..3)];
                Act::Answer { device, peer, verdict }
            }
            _ => Act::Crash { device, down_ms: rng.i64(1..20_000) },
        }
    }

    /// Somebody sends so much that each process hears more of it than it answers and refuses. What a process
    /// has counted can be told only while it lasts, and its clock goes on.
    fn add_hammering(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        for fault in [
            Fault::ClockJumpsBack,
            Fault::ClockSkew,
            Fault::InvocationDelayed,
            Fault::InvocationDoubled,
            Fault::ProcessRecycled,
        ] {
            self.rates.set(fault, 0);
        }
        let (device, peer) = self.pair(rng);
        let kinds = [Hammer::Ping, Hammer::Typing, Hammer::Mark, Hammer::Noise, Hammer::List];
        let with = kinds[rng.usize(0..kinds.len())];
        let at = rng.i64(0..span_ms);
        for volley in 0..2_i64 {
            let count = f64::from(RequestRate::default().burst.get()) * HAMMERED_BURSTS / 2.0;
            let count = count as u16 * u16::try_from(self.processes).expect("there are a few");
            self.acts.push((at + volley * NEXT_VOLLEY_MS, Act::Hammer { device, peer, with, count }));
        }
    }

    /// Somebody sends again and again what one process admits, until all of it is too much for an hour. What
    /// was counted can be told only if no handler is lost that counts.
    fn add_steady_hammering(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        for fault in [
            Fault::ClockJumpsBack,
            Fault::ClockSkew,
            Fault::InvocationDelayed,
            Fault::InvocationDoubled,
            Fault::HandlerKilled,
            Fault::KilledWriting,
            Fault::HandlerFrozen,
        ] {
            self.rates.set(fault, 0);
        }
        self.processes = self.processes.min(2);
        let processes = u16::try_from(self.processes).expect("there are a few");
        self.per_hour = NonZeroU32::new(PER_HOUR * u32::from(processes));
        let (device, peer) = self.pair(rng);
        let kinds = [Hammer::Ping, Hammer::Typing, Hammer::List];
        let with = kinds[rng.usize(0..kinds.len())];
        let at = rng.i64(0..span_ms);
        for volley in 0..VOLLEYS {
            let act = Act::Hammer { device, peer, with, count: VOLLEY * processes };
            self.acts.push((at + volley * VOLLEY_EVERY_MS, act));
        }
    }

    /// Somebody is suspended, and they and others go on as if they were not. For how long a process believes
    /// what it has read goes by the clock, and that goes on.
    fn add_suspension(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        self.rates.set(Fault::ClockJumpsBack, 0);
        self.rates.set(Fault::ClockSkew, 0);
        let (device, peer) = self.pair(rng);
        let user = self.devices[device];
        let at = rng.i64(0..span_ms);
        self.acts.push((at, Act::Order { user, order: Order::Suspend }));
        let believed_ms = i64::try_from(ADMITTED_FOR.as_millis()).expect("it is short");
        for _ in 0..rng.usize(3..=8) {
            let after = if rng.bool() { 0..believed_ms } else { believed_ms..SUSPENDED_FOR_MS };
            let act = match rng.u8(0..8) {
                0 | 1 => Act::Write { device, peer },
                2 => Act::Type { device, peer },
                3 => Act::Ping { device },
                4 => Act::Focus { device },
                5 => Act::Open { device, peer },
                6 => Act::Propose { device, peer, by_rest: true },
                _ => self.goes_on(rng, peer, user),
            };
            self.acts.push((at + rng.i64(after), act));
        }
    }

    /// In some schedules people decide about each other.
    fn add_strangers(&mut self, rng: &mut fastrand::Rng, span_ms: i64) {
        // Whoever refuses each other has little else to say, so most schedules have friends.
        if rng.u8(0..4) == 0 {
            for _ in 0..rng.usize(2..=7) {
                let at = rng.i64(0..span_ms);
                let act = self.among_strangers(rng);
                self.add_what_follows(rng, at, &act);
                self.acts.push((at, act));
            }
        }
    }

    /// A block comes before its lifting, and what follows it meets heads that are stale.
    fn add_what_follows(&mut self, rng: &mut fastrand::Rng, at: i64, act: &Act) {
        let Act::Decide { device, peer, change } = *act else { return };
        let block = Act::Decide { device, peer, change: ConsentChange::Block };
        match change {
            ConsentChange::Accept => {}
            ConsentChange::Block => {
                let blocked = self.goes_on(rng, peer, self.devices[device]);
                self.acts.push((at + rng.i64(50..BLOCK_SETTLES_MS), blocked));
            }
            ConsentChange::Unblock => {
                self.acts.push(((at - rng.i64(100..BLOCK_SETTLES_MS)).max(0), block.clone()));
                if rng.bool() {
                    self.acts.push((at + rng.i64(1..MIND_CHANGED_MS), block));
                }
            }
        }
    }

    /// What somebody does who does not know that they are blocked.
    fn goes_on(&self, rng: &mut fastrand::Rng, user: User, peer: User) -> Act {
        let theirs = self.devices.enumerated().find(|(_, owner)| **owner == user);
        let device = theirs.map_or_else(|| self.device(rng), |(device, _)| device);
        match rng.u8(0..4) {
            0 | 1 => Act::Write { device, peer },
            2 => Act::Type { device, peer },
            _ => Act::Read { device, peer },
        }
    }

    fn among_strangers(&self, rng: &mut fastrand::Rng) -> Act {
        let (device, peer) = self.pair(rng);
        let change = |change| Act::Decide { device, peer, change };
        match rng.u8(0..16) {
            0..5 => change(ConsentChange::Block),
            5..8 => change(ConsentChange::Unblock),
            8 | 9 => change(ConsentChange::Accept),
            10 => Act::Report { device, peer },
            11 | 12 => Act::Type { device, peer },
            13 | 14 => Act::Read { device, peer },
            _ => Act::WriteOn { device, peer, count: rng.u8(9..13) },
        }
    }

    fn wrong(&self, rng: &mut fastrand::Rng, fault: Fault) -> Act {
        let (device, peer) = self.pair(rng);
        match fault {
            Fault::CrashBeforeSend => {
                Act::WriteAndCrash { device, peer, after_ms: 0, down_ms: rng.i64(1..20_000) }
            }
            Fault::CrashAfterSend => {
                Act::WriteAndCrash { device, peer, after_ms: rng.i64(5..80), down_ms: rng.i64(1..20_000) }
            }
            Fault::StorageLost => Act::LoseStorage { device },
            Fault::ConnectionCut => Act::Cut { device },
            Fault::TokenRevoked => Act::Revoke { device },
            Fault::ForeignCursor => Act::ForeignCursor { device },
            Fault::ForeignToken => Act::ForeignToken { device },
            Fault::ForgedSender => Act::Forge { device, peer },
            Fault::IdReused => Act::ReuseId { device },
            Fault::WildReadMark => {
                let offset_ms = [-60_000, -1, 1, 60_000, 86_400_000][rng.usize(0..5)];
                Act::WildMark { device, peer, offset_ms }
            }
            _ => Act::Plain { device, peer },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Counters;
    use crate::server::Real;
    use crate::simulation;

    /// What goes wrong in the schedule of a seed when only this may.
    fn fired(seed: u64, faults: &[Fault]) -> Counters {
        let mut rates = FaultRates::NONE;
        for fault in faults {
            rates.set(*fault, 400);
        }
        let plan = Plan::with(seed, fastrand::Rng::with_seed(seed), rates);
        let report = simulation::run(&plan, Real::build, None, false);
        assert_eq!(report.violation, None, "seed {seed} under {faults:?}");
        report.fired
    }

    fn others(fired: &Counters, faults: &[Fault]) -> Vec<Fault> {
        let mut others = Fault::ALL.to_vec();
        others.retain(|fault| fired.of(*fault) > 0 && !faults.contains(fault));
        others
    }

    #[test]
    fn what_no_process_gets_is_not_counted() {
        let mut plan = Plan::with(0, fastrand::Rng::with_seed(0), FaultRates::NONE);
        plan.acts.clear();
        let mut plan = plan.over(StoreKind::ThreeRegions);
        let gone = (0..3).map(|region| Act::LoseRegion { region: RegionId::new(region), for_ms: 60_000 });
        plan.acts = gone.map(|lost| (1_000, lost)).collect();
        let (device, peer) = (DeviceId::new(0), User::new(1));
        plan.acts.push((2_000, Act::Hammer { device, peer, with: Hammer::List, count: 1_050 }));
        assert_eq!(simulation::run(&plan, Real::build, None, false).violation, None);
    }

    #[test]
    fn a_report_counts_for_its_messages_too() {
        let mut plan = Plan::with(0, fastrand::Rng::with_seed(0), FaultRates::NONE);
        plan.processes = 1;
        let (device, peer) = (DeviceId::new(0), User::new(1));
        let ping = Act::Hammer { device, peer, with: Hammer::Ping, count: 185 };
        plan.acts = vec![(1_000, Act::Write { device, peer }), (3_000, ping)];
        plan.acts.extend((0..10).map(|place| (2_000 + place, Act::Report { device, peer })));
        plan.acts.sort_by_key(|(at, _)| *at);
        assert_eq!(simulation::run(&plan, Real::build, None, false).violation, None);
    }

    #[test]
    fn nothing_goes_wrong_without_its_switch() {
        for seed in 0..20 {
            assert_eq!(others(&fired(seed, &[]), &[]), []);
        }
    }

    #[test]
    fn each_switch_lets_its_own_go_wrong_and_nothing_else() {
        for fault in Fault::ALL {
            // Rows get as old as that only when everybody is away.
            let with: &[Fault] =
                if *fault == Fault::RowsExpire { &[*fault, Fault::AwayForDays] } else { &[*fault] };
            if !fault.may_happen(StoreKind::Simulated) {
                continue;
            }
            let happened = (0..400).any(|seed| {
                let fired = fired(seed, with);
                assert_eq!(others(&fired, with), [], "with {with:?}");
                fired.of(*fault) > 0
            });
            assert!(happened, "{fault:?} never happened");
        }
    }
}
