//! Small cases, in every interleaving of their calls, with at most one fault in every place.
//!
//! A case is explored depth first. Handlers are deterministic, so where a handler stands is told by what it was answered; two
//! ways to the same tables with all handlers standing at the same places go on in the same ways, and only one is followed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chat_domain::{ClientMessageId, Consistency, PageRange, Timestamp, Verdict};
use chat_wire::frames::{ClientFrame, MarkReadFrame, ReauthFrame};

use crate::checkers::Violation;
use crate::client::Request;
use crate::environment::tables::Table;
use crate::environment::{Outcome, START_MS, World, hash_room, timestamp};
use crate::faults::Rates;
use crate::ids::{DeviceId, Id, IdVec, IntentId, SocketId, TaskId, TicketId, TokenId, User};
use crate::observations::{Observation, Says, Written};
use crate::plan::Plan;
use crate::ports::{Call, Failure};
use crate::server::{Build, Real};
use crate::sim::{About, Asker, Sim};

/// Something that a case consists of. The first user has the even devices, the second the odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// The device's user writes to the other one; the same words are a retry.
    Send { device: usize, words: u8 },
    /// An answer to the proposal that is there.
    Answer { device: usize, words: u8, verdict: Verdict },
    /// The device's user has read everything.
    Mark { device: usize },
    /// The device's user reads what came after the beginning.
    Sync { device: usize },
    /// The device's user lists conversations.
    List { device: usize },
    /// The device opens one more socket.
    Connect { device: usize },
    /// The device's socket has closed.
    Disconnect { device: usize },
    /// The device extends its login.
    Reauth { device: usize },
}

/// A case.
struct Case {
    name: &'static str,
    /// How many messages there are already.
    prior: u8,
    /// Whether the first user has proposed something.
    proposal: bool,
    operations: &'static [Operation],
}

impl Operation {
    /// Whether it writes rows of connections; those that do not write or read messages.
    fn touches_connections(self) -> bool {
        matches!(self, Connect { .. } | Disconnect { .. } | Reauth { .. })
    }

    /// Whose it is.
    fn device(self) -> DeviceId {
        let device = match self {
            Send { device, .. }
            | Answer { device, .. }
            | Mark { device }
            | Sync { device }
            | List { device }
            | Connect { device }
            | Disconnect { device }
            | Reauth { device } => device,
        };
        DeviceId::new(device)
    }

    /// Whether something is stored with the time of the event.
    fn is_stamped(self) -> bool {
        matches!(self, Send { .. } | Answer { .. } | Connect { .. })
    }
}

impl Case {
    /// Whether the same is done twice anyway.
    fn is_repeated(&self, operation: usize) -> bool {
        self.operations.iter().filter(|other| **other == self.operations[operation]).count() > 1
    }

    fn touches_connections(&self) -> bool {
        self.operations.iter().any(|operation| operation.touches_connections())
    }
}

use Operation::{Answer, Connect, Disconnect, List, Mark, Reauth, Send, Sync};

const CASES: &[Case] = &[
    Case {
        name: "two write at once, to a room that is not there yet",
        prior: 0,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Send { device: 1, words: 1 }],
    },
    Case {
        name: "a retry overtakes its message, and the other one writes",
        prior: 0,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 0, words: 0 },
            Send { device: 1, words: 1 },
        ],
    },
    Case {
        name: "a retry from afar, behind more than the head remembers",
        prior: 12,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 0, words: 0 },
            Send { device: 1, words: 1 },
        ],
    },
    Case {
        name: "one user writes from two devices at once, and the other one writes",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 2, words: 1 },
            Send { device: 1, words: 2 },
        ],
    },
    Case {
        name: "one writes while the other one reads and lists",
        prior: 2,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Mark { device: 1 }, List { device: 1 }],
    },
    Case {
        name: "both read while one writes",
        prior: 2,
        proposal: false,
        operations: &[Mark { device: 0 }, Mark { device: 1 }, Send { device: 0, words: 0 }],
    },
    Case {
        name: "both write while one syncs",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Send { device: 1, words: 1 }, Sync { device: 1 }],
    },
    Case {
        name: "one is written to while connecting and disconnecting",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Connect { device: 1 }, Disconnect { device: 1 }],
    },
    Case {
        name: "one writes while its own connection closes and its login is extended",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Disconnect { device: 0 }, Reauth { device: 0 }],
    },
    Case {
        name: "a proposal is accepted, declined and withdrawn at once",
        prior: 0,
        proposal: true,
        operations: &[
            Answer { device: 1, words: 0, verdict: Verdict::Accepted },
            Answer { device: 1, words: 1, verdict: Verdict::Declined },
            Answer { device: 0, words: 2, verdict: Verdict::Withdrawn },
        ],
    },
];

/// The id of the message of the first words.
const FIRST_MESSAGE_ID: u128 = 0x7000;
/// The device that the first words are said to be from, which is none that there is.
const FIRST_WRITER: usize = 100;
/// The two users.
const ONE: usize = 0;
const OTHER: usize = 1;

fn owner_of(device: DeviceId) -> User {
    User::new(device.index() % 2)
}

/// The user that a device writes to.
fn peer_of(device: DeviceId) -> User {
    User::new(1 - device.index() % 2)
}

/// The one socket that a device has from the beginning.
fn socket_of(device: DeviceId) -> SocketId {
    SocketId::new(device.index())
}

/// One step of an interleaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// An operation begins; perhaps twice, perhaps by a clock that is behind.
    Start { operation: usize, doubled: bool, late_clock: bool },
    /// A call gets its turn.
    Turn(TicketId, Outcome),
    /// A write that was given up arrives.
    Late(TicketId),
    /// Whoever sent has no answer, or lost it, and tries again.
    Retry { operation: usize },
}

/// What was explored.
#[derive(Clone, Copy, Debug, Default)]
struct Explored {
    states: u64,
    steps: u64,
    endings: u64,
}

/// When everything is asked for, after the beginning: at the same time.
const NOW_MS: i64 = 10_000;
/// How far the one clock is behind.
const LATE_CLOCK_MS: i64 = 300_000;

/// Explores all cases; says whether every promise held.
pub(crate) fn explore() -> bool {
    let begun = Instant::now();
    let mut sum = Explored::default();
    for (case, outcome) in CASES.iter().zip(explore_all()) {
        match outcome {
            Ok(explored) => {
                println!("{:>9} states  {:>8} endings  {}", explored.states, explored.endings, case.name);
                sum.states += explored.states;
                sum.steps += explored.steps;
                sum.endings += explored.endings;
            }
            Err((path, violation)) => {
                println!("{}: {} is broken: {}", case.name, violation.rule, violation.what);
                tell(case, Real::build, &path);
                return false;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Explored { states, steps, endings } = sum;
    println!(
        "{states} states, {steps} steps and {endings} endings explored, {seconds:.1} s: every promise held"
    );
    true
}

/// Every case, each on the next thread that is free.
fn explore_all() -> Vec<Result<Explored, Broken>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(CASES.len());
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Result<Explored, Broken>>>> =
        CASES.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = CASES.get(place) else { break };
                    let outcome = explore_case(case, Real::build);
                    *outcomes[place].lock().expect("each case is one thread's") = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_iter();
    outcomes.filter_map(|outcome| outcome.into_inner().expect("each case is one thread's")).collect()
}

type Broken = (Vec<Step>, Violation);

/// Where the way forks, and which way was taken.
struct Fork {
    steps: Vec<Step>,
    taken: usize,
    /// What was answered until then.
    answered: IdVec<TaskId, u64>,
}

fn explore_case(case: &Case, build: Build) -> Result<Explored, Broken> {
    let mut seen = HashSet::new();
    let mut explored = Explored::default();
    let mut forks: Vec<Fork> = Vec::new();
    loop {
        let mut run = Run::new(case, build, false);
        if let Some((last, before)) = forks.split_last() {
            for fork in before {
                run.take(fork.steps[fork.taken]);
            }
            // Hashing all answers again would take most of the time.
            run.answered.clone_from(&last.answered);
            run.sim.world().hashes_replies = true;
            run.take(last.steps[last.taken]);
        }
        run.sim.world().hashes_replies = true;
        loop {
            explored.steps += 1;
            run.checked(&forks)?;
            if !seen.insert(run.state()) {
                break;
            }
            explored.states += 1;
            let steps = run.steps();
            let Some(first) = steps.first().copied() else {
                explored.endings += 1;
                run.end();
                run.checked(&forks)?;
                break;
            };
            forks.push(Fork { steps, taken: 0, answered: run.answered.clone() });
            run.take(first);
        }
        while let Some(fork) = forks.last_mut() {
            fork.taken += 1;
            if fork.taken < fork.steps.len() {
                break;
            }
            forks.pop();
        }
        if forks.is_empty() {
            return Ok(explored);
        }
    }
}

/// Goes one way again and prints it.
fn tell(case: &Case, build: Build, path: &[Step]) {
    let mut run = Run::new(case, build, true);
    for step in path {
        run.take(*step);
    }
    if run.sim.world().violation().is_none() {
        run.end();
    }
    for line in run.sim.world().history.iter().flatten() {
        println!("{line}");
    }
}

/// A case on one of its ways.
struct Run<'a> {
    case: &'a Case,
    sim: Sim,
    /// The tasks of each operation.
    begun: Vec<Vec<TaskId>>,
    /// What each task was answered, in a hash.
    answered: IdVec<TaskId, u64>,
    /// How many rows there were when each task began.
    rows_then: IdVec<TaskId, usize>,
    /// The intents of the operations that write.
    intents: Vec<Option<IntentId>>,
    after: Timestamp,
    fault_used: bool,
}

impl<'a> Run<'a> {
    fn new(case: &'a Case, build: Build, verbose: bool) -> Self {
        let devices =
            case.operations.iter().map(|operation| operation.device().index() + 1).max().unwrap_or(0).max(2);
        let plan = Plan {
            run_seed: 0,
            users: 2,
            devices: (0..devices).map(|device| owner_of(DeviceId::new(device))).collect(),
            processes: 1,
            rates: Rates::NONE,
            acts: Vec::new(),
        };
        let mut sim = Sim::new(&plan, build, None, verbose);
        for device in plan.devices.ids() {
            sim.open_for_exploring(device);
        }
        if case.prior > 0 {
            sim.flood(User::new(OTHER), User::new(ONE), case.prior);
        }
        if case.proposal {
            sim.propose_for_exploring();
        }
        let after = if case.prior > 0 {
            // The beginning of the room: a client that was away.
            let world = sim.world();
            world.record().room_of(User::new(ONE), User::new(OTHER)).rows[0].message.at
        } else {
            Timestamp::UNIX_EPOCH
        };
        sim.world().explored = true;
        let operations = case.operations.len();
        Self {
            case,
            sim,
            begun: vec![Vec::new(); operations],
            answered: IdVec::default(),
            rows_then: IdVec::default(),
            intents: vec![None; operations],
            after,
            fault_used: false,
        }
    }

    fn checked(&self, forks: &[Fork]) -> Result<(), Broken> {
        match self.sim.world().violation().cloned() {
            None => Ok(()),
            Some(violation) => Err((forks.iter().map(|fork| fork.steps[fork.taken]).collect(), violation)),
        }
    }

    /// All that can happen next.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (operation, begun) in self.begun.iter().enumerate() {
            if begun.is_empty() {
                steps.push(Step::Start { operation, doubled: false, late_clock: false });
                if !self.fault_used && !self.case.is_repeated(operation) {
                    steps.push(Step::Start { operation, doubled: true, late_clock: false });
                }
                if !self.fault_used && self.case.operations[operation].is_stamped() {
                    steps.push(Step::Start { operation, doubled: false, late_clock: true });
                }
            }
        }
        for (operation, begun) in self.begun.iter().enumerate() {
            if self.may_retry(operation, begun) {
                steps.push(Step::Retry { operation });
            }
        }
        let world = self.sim.world();
        let late = world.tickets.iter().any(|ticket| ticket.task.is_none() && ticket.call.is_some());
        for (number, ticket) in world.tickets.enumerated() {
            let Some(call) = &ticket.call else { continue };
            let Some(task) = ticket.task else {
                steps.push(Step::Late(number));
                continue;
            };
            if self.sim.is_running(task) {
                let normal = std::iter::once(Outcome::Normal);
                let faults = if self.fault_used { Vec::new() } else { self.faults_of(&world, call) };
                let turns = normal.chain(faults).map(|outcome| Step::Turn(number, outcome));
                if self.is_nobody_elses(call, late) {
                    // Whatever else can happen does not change what comes of it, nor the other way round: it may as well
                    // happen first.
                    return turns.collect();
                }
                steps.extend(turns);
            }
        }
        steps
    }

    /// Whether nothing else in this case can touch what a call touches.
    fn is_nobody_elses(&self, call: &Call, late: bool) -> bool {
        match call {
            Call::Verify(..) | Call::Wait(_) => true,
            Call::Get(_)
            | Call::OfUser(..)
            | Call::Put(_)
            | Call::SetExpiry(..)
            | Call::Delete(_)
            | Call::DeleteIfBefore(..)
            | Call::Push(..)
            | Call::Close(_) => !self.case.touches_connections(),
            _ => {
                let tasks: usize = self
                    .case
                    .operations
                    .iter()
                    .zip(&self.begun)
                    .filter(|(operation, _)| !operation.touches_connections())
                    .map(|(_, begun)| begun.len().max(1))
                    .sum();
                tasks <= 1 && !late
            }
        }
    }

    /// Whether a client tries again: the handler died or does not know, or, as the one fault, its answer is lost.
    fn may_retry(&self, operation: usize, begun: &[TaskId]) -> bool {
        let (Some(intent), [task]) = (self.intents[operation], begun) else { return false };
        if self.sim.is_running(*task) || self.case.is_repeated(operation) {
            return false;
        }
        let world = self.sim.world();
        let intent = &world.record().intents[intent];
        !intent.refused && (intent.acked.is_none() || !self.fault_used)
    }

    /// What can go wrong with a call, where it makes a difference.
    fn faults_of(&self, world: &World, call: &Call) -> Vec<Outcome> {
        let mut faults = vec![Outcome::Killed];
        match call {
            Call::Wait(_) => {}
            // "Gone" deletes a row, and then the row is not the caller's alone.
            Call::Push(..) | Call::Close(_) if self.case.touches_connections() => {
                faults.extend([Outcome::Refused(Failure::Gone), Outcome::BlackHoled]);
            }
            Call::Push(..) | Call::Close(_) => {
                faults.extend([Outcome::Refused(Failure::Throttled), Outcome::BlackHoled]);
            }
            Call::OfUser(email, now) => {
                faults.push(Outcome::Refused(Failure::Unavailable));
                // The index as it was before anything, and before the latest change.
                let shown = world.store.listed(email, world.now_ms, *now);
                let before = [Some(START_MS), world.store.listed_last_ms(email)];
                let mut earlier: Vec<_> = before.into_iter().flatten().map(|ms| ms - 1).collect();
                earlier.dedup();
                earlier.retain(|ms| world.store.listed(email, *ms, *now) != shown);
                // The step itself takes a millisecond.
                faults.extend(earlier.into_iter().map(|ms| Outcome::IndexAt(world.now_ms + 1 - ms)));
            }
            Call::Verify(..) | Call::Get(_) => faults.push(Outcome::Refused(Failure::Unavailable)),
            Call::Room(id, Consistency::Eventual) | Call::Page(id, _, Consistency::Eventual) => {
                faults.push(Outcome::Refused(Failure::Unavailable));
                let versions = world.store.table(id).map_or(0, Table::newest);
                faults.extend((1..=versions.min(2)).map(Outcome::Stale));
            }
            Call::RoomsOf(..) => {
                faults.extend([Outcome::Refused(Failure::Unavailable), Outcome::Stale(1), Outcome::Stale(2)]);
            }
            Call::Page(id, query, _) => {
                faults.push(Outcome::Refused(Failure::Unavailable));
                let rows = world.store.page(id, *query, 0).messages.len();
                if rows > 1 && matches!(query.range, PageRange::After(_) | PageRange::Oldest) {
                    faults.push(Outcome::Cut(1));
                }
            }
            Call::Room(..) => faults.push(Outcome::Refused(Failure::Unavailable)),
            call => {
                if let Call::Commit(_) = call {
                    faults.push(Outcome::Refused(Failure::Conflict));
                }
                faults.extend([
                    Outcome::Refused(Failure::Unavailable),
                    Outcome::AppliedThenError,
                    Outcome::Late,
                    Outcome::Repeated,
                    Outcome::KilledWriting,
                ]);
            }
        }
        faults
    }

    fn take(&mut self, step: Step) {
        self.sim.world().now_ms += 1;
        match step {
            Step::Start { operation, doubled, late_clock } => {
                self.fault_used |= doubled || late_clock;
                let skew_ms = if late_clock { -LATE_CLOCK_MS } else { 0 };
                for _ in 0..=usize::from(doubled) {
                    self.start(operation, skew_ms);
                }
            }
            Step::Turn(ticket, outcome) => {
                self.fault_used |= outcome != Outcome::Normal;
                let Some(task) = self.sim.world().tickets[ticket].task else { return };
                self.sim.turn_with(ticket, outcome);
                let reply = self.sim.world().last_reply;
                // Calls that a handler makes at once are answered in any order, which makes no difference to it.
                self.answered[task] = self.answered[task].wrapping_add(reply);
            }
            Step::Late(ticket) => {
                let mut world = self.sim.world();
                if let Some(call) = world.tickets[ticket].call.take() {
                    world.late(&call);
                }
            }
            Step::Retry { operation } => {
                let world = self.sim.world();
                let intent = self.intents[operation].map(|intent| &world.record().intents[intent]);
                self.fault_used |= intent.is_some_and(|intent| intent.acked.is_some());
                drop(world);
                self.start(operation, 0);
            }
        }
    }

    fn start(&mut self, operation: usize, skew_ms: i64) {
        let task = self.invoke(operation, skew_ms);
        self.begun[operation].push(task);
        let rows = self.sim.world().record().room_of(User::new(ONE), User::new(OTHER)).rows.len();
        while self.answered.get(task).is_none() {
            self.answered.push(0);
            self.rows_then.push(rows);
        }
        self.sim.begin(task);
    }

    /// Makes the event of an operation.
    fn invoke(&mut self, operation: usize, skew_ms: i64) -> TaskId {
        self.sim.set_clock(START_MS + NOW_MS + skew_ms);
        let after = self.after;
        let directory = self.sim.world().directory.clone();
        let device = self.case.operations[operation].device();
        match self.case.operations[operation] {
            Send { words, .. } => {
                let says = Says::Text(format!("words {words}"));
                self.invoke_send(operation, device, words, says)
            }
            Answer { words, verdict, .. } => {
                let room = (User::new(ONE), User::new(OTHER));
                let proposal = self.sim.world().record().room_of(room.0, room.1).rows[0].message.at;
                let says = Says::Answer(proposal, verdict);
                self.invoke_send(operation, device, words, says)
            }
            Mark { .. } => {
                let peer = peer_of(device);
                let up_to = timestamp(START_MS + 1_000_000);
                let user = owner_of(device);
                self.sim.world().observe(&Observation::MarkWanted { user, peer, up_to });
                let frame =
                    MarkReadFrame { peer_email: directory.email(peer).to_string(), up_to: up_to.to_string() };
                self.frame(device, &ClientFrame::MarkRead(frame), About::Mark(peer, up_to), None)
            }
            Sync { .. } => self.rest(device, Request::After(peer_of(device), after, 0)),
            List { .. } => self.rest(device, Request::List(None)),
            Connect { .. } => {
                let token = self.sim.devices[device].token;
                self.sim.invoke_connect(device, token, false);
                self.sim.newest_task()
            }
            Disconnect { .. } => {
                self.sim.close_for_exploring(device);
                self.sim.newest_task()
            }
            Reauth { .. } => {
                let token = self.sim.devices[device].token;
                let frame = ClientFrame::Reauth(ReauthFrame { token: format!("token-{token}") });
                self.frame(device, &frame, About::Other, Some(token))
            }
        }
    }

    fn invoke_send(&mut self, operation: usize, device: DeviceId, words: u8, says: Says) -> TaskId {
        let id = ClientMessageId::from_u128(FIRST_MESSAGE_ID + u128::from(words));
        let peer = peer_of(device);
        let mut world = self.sim.world();
        let known = world
            .record()
            .intents
            .enumerated()
            .find(|(_, intent)| intent.id == Some(id))
            .map(|(place, _)| place);
        let intent = known.unwrap_or_else(|| {
            // Each is from a device of its own, which waits for nobody.
            world.write(&Written {
                user: owner_of(device),
                peer,
                device: Some(DeviceId::new(FIRST_WRITER + usize::from(words))),
                id: Some(id),
                says: says.clone(),
                unattended: false,
                without_after: false,
            })
        });
        drop(world);
        self.intents[operation] = Some(intent);
        let frame = self.sim.send_frame(peer, id, Some(self.after), &says);
        self.frame(device, &ClientFrame::SendMessage(frame), About::Intent(intent), None)
    }

    fn frame(
        &mut self,
        device: DeviceId,
        frame: &ClientFrame,
        about: About,
        token: Option<TokenId>,
    ) -> TaskId {
        let text = serde_json::to_string(frame).expect("strings always serialise");
        let socket = socket_of(device);
        self.sim.frame_asked_by(socket, text, token, Asker::Frame(socket, about));
        self.sim.newest_task()
    }

    fn rest(&mut self, device: DeviceId, request: Request) -> TaskId {
        let token = self.sim.devices[device].token;
        self.sim.invoke_rest(device, request, token, false);
        self.sim.newest_task()
    }

    /// A hash of where everything stands.
    fn state(&self) -> u64 {
        let world = self.sim.world();
        let mut hasher = DefaultHasher::new();
        self.fault_used.hash(&mut hasher);
        for (operation, tasks) in self.begun.iter().enumerate() {
            tasks.len().hash(&mut hasher);
            for task in tasks {
                self.answered[*task].hash(&mut hasher);
                self.rows_then[*task].hash(&mut hasher);
                self.sim.is_running(*task).hash(&mut hasher);
                world.record().tasks[*task].now.unix_ms().cmp(&START_MS).hash(&mut hasher);
            }
            if let Some(intent) = self.intents[operation] {
                let intent = &world.record().intents[intent];
                (intent.row, intent.acked, intent.refused).hash(&mut hasher);
            }
        }
        for table in &world.store.tables {
            if let Some(head) = table.head() {
                hash_room(head, &mut hasher);
            }
            for row in &table.rows {
                (row.message.at, row.message.id, row.read_since.is_some()).hash(&mut hasher);
            }
        }
        if self.case.touches_connections() {
            for row in &world.store.connections {
                format!("{:?}", row.row).hash(&mut hasher);
            }
            for (_, number, is_there) in world.store.listings() {
                (number, is_there).hash(&mut hasher);
            }
        }
        for socket in &world.sockets {
            (socket.at_gateway as u8).hash(&mut hasher);
        }
        for ticket in world.tickets.iter().filter(|ticket| ticket.task.is_none()) {
            format!("{:?}", ticket.call).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// All handlers are done. Whoever has no answer tries again, one after the other and with nothing in the way; then what is
    /// still on its way arrives, and after that everything has to be as promised.
    fn end(&mut self) {
        self.fault_used = true;
        self.sim.world().sockets_reopen();
        for operation in 0..self.case.operations.len() {
            let Some(intent) = self.intents[operation] else { continue };
            for _ in 0..3 {
                let meant = self.sim.world().record().intents[intent].clone();
                if meant.acked.is_some() || meant.refused {
                    break;
                }
                self.start(operation, 0);
                while let Some(step) = self.next_turn() {
                    self.take(step);
                }
            }
        }
        let late: Vec<Step> = self.steps().into_iter().filter(|step| matches!(step, Step::Late(_))).collect();
        for step in late {
            self.take(step);
        }
        self.sim.world().observe(&Observation::Ended);
        // Whatever was not pushed, or was lost, a sync shows: to both.
        for device in [ONE, OTHER].map(DeviceId::new) {
            let task = self.rest(device, Request::After(peer_of(device), Timestamp::UNIX_EPOCH, 0));
            while self.answered.get(task).is_none() {
                self.answered.push(0);
                self.rows_then.push(0);
            }
            self.sim.begin(task);
            while let Some(step) = self.next_turn() {
                self.take(step);
            }
        }
    }

    fn next_turn(&self) -> Option<Step> {
        self.steps().into_iter().find(|step| matches!(step, Step::Turn(_, Outcome::Normal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs::BUGS;

    fn case(name: &str) -> usize {
        CASES.iter().position(|case| case.name == name).expect("it is a case")
    }

    fn caught(case: usize, bug: &str) -> bool {
        let bug = BUGS.iter().find(|known| known.name == bug).expect("the bank has it");
        explore_case(&CASES[case], bug.build).is_err()
    }

    #[test]
    fn a_retry_that_is_not_searched_for_is_stored_twice() {
        assert!(caught(1, "no id search"));
    }

    #[test]
    fn a_search_before_the_head_misses_what_comes_between() {
        assert!(caught(1, "the search comes before the head"));
    }

    #[test]
    fn an_answer_that_does_not_look_is_one_too_many() {
        assert!(caught(
            case("a proposal is accepted, declined and withdrawn at once"),
            "an answer does not look whether the proposal is open"
        ));
    }

    #[test]
    fn what_is_lost_and_tried_again_is_looked_for() {
        assert!(caught(0, "no id search"));
        assert!(caught(0, "the first is told as a retry"));
    }

    #[test]
    fn a_page_that_ends_early_is_not_the_end() {
        assert!(caught(case("both write while one syncs"), "a page that was cut is taken for the end"));
    }

    #[test]
    fn a_connection_that_is_just_being_opened_keeps_its_row() {
        let connecting = case("one is written to while connecting and disconnecting");
        assert!(caught(connecting, "a row is deleted on any 410"));
    }

    #[test]
    fn two_who_write_at_once_break_nothing() {
        let explored =
            explore_case(&CASES[0], Real::build).map_err(|(path, violation)| (path, violation.what));
        assert!(explored.unwrap().endings > 100);
    }
}
