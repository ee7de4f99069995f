//! A case on one of its ways.

use std::hash::{DefaultHasher, Hash, Hasher};

use chat_domain::testing::{ConnectionStoreCall, MessageStoreCall};
use chat_domain::{
    ClientMessageId, Consistency, Content, Draft, FirstContact, PageRange, Room, SendRate, Timestamp,
};
use chat_wire::frames::{MarkReadFrame, ReauthFrame};
use chat_wire::table::ClientFrame;

use super::case::{Case, Operation};
use crate::call::{Call, Failure};
use crate::checkers::Violation;
use crate::client::send_frame;
use crate::environment::tables::Table;
use crate::environment::{CallOutcome, Environment, START_MS, hash_room, timestamp};
use crate::faults::FaultRates;
use crate::gateway::{About, Asker, Request};
use crate::ids::{DeviceId, Id, IdVec, IntentId, OperationId, SocketId, TaskId, TicketId, TokenId, User};
use crate::observations::{Observation, Says, Written, proposal};
use crate::plan::Plan;
use crate::server::Build;
use crate::simulation::{Simulation, effect_of};
use crate::stores::StoreKind;

/// When everything is asked for, after the beginning: at the same time.
const NOW_MS: i64 = 10_000;
/// How far the one clock is behind.
const LATE_CLOCK_MS: i64 = 300_000;
/// How far ahead of the beginning somebody marks who has read everything.
const ALL_READ_MS: i64 = 1_000_000;
/// How long the sockets have been open.
const OPEN_FOR_MS: i64 = 60_000;
/// The id of the proposal that is there, and of the message of the first words.
const PROPOSAL_ID: u128 = 0x4000;
const FIRST_MESSAGE_ID: u128 = 0x7000;
/// The device that the first words are said to be from, which is none that there is.
const FIRST_WRITER: usize = 100;
/// How many times whoever has no answer tries again at the end.
const LAST_TRIES: usize = 3;

/// The two users, of whom the first has the even devices and the other one the odd ones.
fn owner_of(device: DeviceId) -> User {
    User::new(device.index() % 2)
}

fn peer_of(device: DeviceId) -> User {
    User::new(1 - device.index() % 2)
}

fn users() -> (User, User) {
    (User::new(0), User::new(1))
}

/// The one socket that a device has from the beginning.
fn socket_of(device: DeviceId) -> SocketId {
    SocketId::new(device.index())
}

/// One step of an interleaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An operation begins; perhaps twice, perhaps by a clock that is behind.
    Start { operation: OperationId, doubled: bool, late_clock: bool },
    /// A call gets its turn.
    Turn(TicketId, CallOutcome),
    /// A write that was given up arrives.
    Late(TicketId),
    /// Whoever sent has no answer, or lost it, and tries again.
    Retry { operation: OperationId },
}

/// Where the way forks, and which way was taken.
pub(super) struct Fork {
    pub(super) steps: Vec<Step>,
    pub(super) taken: usize,
    /// What was answered until then.
    pub(super) answered: IdVec<TaskId, u64>,
}

/// The steps that led to a violation.
pub(super) type Broken = (Vec<Step>, Violation);

/// A case on one of its ways.
pub(super) struct Run<'a> {
    case: &'a Case,
    pub(super) sim: Simulation,
    /// The tasks of each operation.
    begun: IdVec<OperationId, Vec<TaskId>>,
    /// What each task was answered, in a hash.
    pub(super) answered: IdVec<TaskId, u64>,
    /// How many rows there were when each task began.
    rows_then: IdVec<TaskId, usize>,
    /// The intents of the operations that write.
    intents: IdVec<OperationId, Option<IntentId>>,
    after: Timestamp,
    fault_used: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(case: &'a Case, build: Build, verbose: bool) -> Self {
        let devices = case.operations.iter().map(|operation| operation.device().index() + 1).max();
        let devices = (0..devices.unwrap_or(0).max(2)).map(|device| owner_of(DeviceId::new(device)));
        let plan = Plan {
            run_seed: 0,
            users: 2,
            devices: devices.collect(),
            processes: 1,
            first_contact: FirstContact::Open,
            per_hour: None,
            rates: FaultRates::NONE,
            stores: StoreKind::Simulated,
            acts: Vec::new(),
        };
        let mut sim = Simulation::new(&plan, build, None, verbose);
        for device in plan.devices.ids() {
            open_socket(&mut sim.environment(), device);
        }
        let (one, other) = users();
        if case.prior > 0 {
            sim.flood(other, one, case.prior);
        }
        if case.proposal {
            propose(&mut sim.environment());
        }
        // In a room with a history, the client was away: it knows the first message only.
        let first = sim.environment().record().room_of(one, other).rows.first().map(|row| row.message.at);
        let after = first.filter(|_| case.prior > 0).unwrap_or(Timestamp::UNIX_EPOCH);
        sim.environment().explore();
        Self {
            case,
            sim,
            begun: case.operations.iter().map(|_| Vec::new()).collect(),
            answered: IdVec::default(),
            rows_then: IdVec::default(),
            intents: case.operations.iter().map(|_| None).collect(),
            after,
            fault_used: false,
        }
    }

    pub(super) fn checked(&self, forks: &[Fork]) -> Result<(), Broken> {
        match self.sim.environment().violation().cloned() {
            None => Ok(()),
            Some(violation) => Err((forks.iter().map(|fork| fork.steps[fork.taken]).collect(), violation)),
        }
    }

    /// All that can happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = self.beginnings();
        let environment = self.sim.environment();
        let late = environment.waiting().any(|(_, task, _)| task.is_none());
        for (number, task, call) in environment.waiting() {
            let Some(task) = task else {
                steps.push(Step::Late(number));
                continue;
            };
            if self.sim.gateway.is_running(task) {
                let normal = std::iter::once(CallOutcome::Normal);
                let faults = if self.fault_used { Vec::new() } else { self.faults_of(&environment, call) };
                let turns = normal.chain(faults).map(|outcome| Step::Turn(number, outcome));
                if self.is_nobody_elses(call, late) {
                    // Whatever else can happen does not change what comes of it, nor the other way round: it
                    // may as well happen first.
                    return turns.collect();
                }
                steps.extend(turns);
            }
        }
        steps
    }

    /// The operations that can begin next, or be tried again.
    fn beginnings(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (operation, begun) in self.begun.enumerated() {
            if begun.is_empty() {
                steps.push(Step::Start { operation, doubled: false, late_clock: false });
                if !self.fault_used && !self.case.is_repeated(operation) {
                    steps.push(Step::Start { operation, doubled: true, late_clock: false });
                }
                if !self.fault_used && self.case.operation(operation).is_stamped() {
                    steps.push(Step::Start { operation, doubled: false, late_clock: true });
                }
            }
        }
        for (operation, begun) in self.begun.enumerated() {
            if self.may_retry(operation, begun) {
                steps.push(Step::Retry { operation });
            }
        }
        steps
    }

    /// Whether nothing else in this case can touch what a call touches.
    fn is_nobody_elses(&self, call: &Call, late: bool) -> bool {
        match call {
            Call::Verifier(_) | Call::Wait(_) => true,
            Call::Connections(_) | Call::Pusher(_) => !self.case.touches_connections(),
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

    /// Whether a client tries again: the handler died or does not know, or, as the one fault, its answer is
    /// lost.
    fn may_retry(&self, operation: OperationId, begun: &[TaskId]) -> bool {
        let (Some(intent), [task]) = (self.intents[operation], begun) else { return false };
        if self.sim.gateway.is_running(*task) || self.case.is_repeated(operation) {
            return false;
        }
        let environment = self.sim.environment();
        let intent = &environment.record().intents[intent];
        !intent.refused && (intent.acked.is_none() || !self.fault_used)
    }

    /// What can go wrong with a call, where it makes a difference.
    fn faults_of(&self, environment: &Environment, call: &Call) -> Vec<CallOutcome> {
        let mut faults = vec![CallOutcome::Killed];
        match call {
            Call::Wait(_) => {}
            // "Gone" deletes a row, and then the row is not the caller's alone.
            Call::Pusher(_) if self.case.touches_connections() => {
                faults.extend([CallOutcome::Refused(Failure::Gone), CallOutcome::BlackHoled]);
            }
            Call::Pusher(_) => {
                faults.extend([CallOutcome::Refused(Failure::Throttled), CallOutcome::BlackHoled]);
            }
            Call::Connections(ConnectionStoreCall::OfUser { email, now }) => {
                faults.push(CallOutcome::Refused(Failure::Unavailable));
                // The index as it was before anything, and before the latest change.
                let shown = environment.tables().listed(email, environment.now_ms(), *now);
                let before = [Some(START_MS), environment.tables().listed_last_ms(email)];
                let mut earlier: Vec<_> = before.into_iter().flatten().map(|ms| ms - 1).collect();
                earlier.dedup();
                earlier.retain(|ms| environment.tables().listed(email, *ms, *now) != shown);
                // The step itself takes a millisecond.
                faults.extend(
                    earlier.into_iter().map(|ms| CallOutcome::IndexAt(environment.now_ms() + 1 - ms)),
                );
            }
            Call::Verifier(_) | Call::Connections(ConnectionStoreCall::Get { .. }) => {
                faults.push(CallOutcome::Refused(Failure::Unavailable));
            }
            Call::Messages(
                MessageStoreCall::Room { id, consistency: Consistency::Eventual }
                | MessageStoreCall::Page { room: id, consistency: Consistency::Eventual, .. },
            ) => {
                faults.push(CallOutcome::Refused(Failure::Unavailable));
                let versions = environment.tables().table(id).map_or(0, Table::newest);
                faults.extend((1..=versions.min(2)).map(CallOutcome::Stale));
            }
            Call::Messages(MessageStoreCall::RoomsOf { .. }) => {
                faults.extend([
                    CallOutcome::Refused(Failure::Unavailable),
                    CallOutcome::Stale(1),
                    CallOutcome::Stale(2),
                ]);
            }
            Call::Messages(MessageStoreCall::Page { room: id, query, .. }) => {
                faults.push(CallOutcome::Refused(Failure::Unavailable));
                let rows = environment.tables().page(id, *query, 0).messages.len();
                if rows > 1 && matches!(query.range, PageRange::After(_) | PageRange::Oldest) {
                    faults.push(CallOutcome::Cut(1));
                }
            }
            Call::Messages(MessageStoreCall::Room { .. } | MessageStoreCall::MessagesAt { .. }) => {
                faults.push(CallOutcome::Refused(Failure::Unavailable));
            }
            call => {
                if let Call::Messages(MessageStoreCall::Commit { .. }) = call {
                    faults.push(CallOutcome::Refused(Failure::Conflict));
                }
                faults.extend([
                    CallOutcome::Refused(Failure::Unavailable),
                    CallOutcome::AppliedThenError,
                    CallOutcome::Late,
                    CallOutcome::Repeated,
                    CallOutcome::KilledWriting,
                ]);
            }
        }
        faults
    }

    pub(super) fn take(&mut self, step: Step) {
        self.sim.environment().pass_ms(1);
        match step {
            Step::Start { operation, doubled, late_clock } => {
                self.fault_used |= doubled || late_clock;
                let skew_ms = if late_clock { -LATE_CLOCK_MS } else { 0 };
                for _ in 0..=usize::from(doubled) {
                    self.start(operation, skew_ms);
                }
            }
            Step::Turn(ticket, outcome) => {
                self.fault_used |= outcome != CallOutcome::Normal;
                let Some(task) = self.sim.environment().task_of(ticket) else { return };
                self.sim.turn_with(ticket, outcome);
                let reply = self.sim.environment().last_reply();
                // A handler that makes several calls at once does not care in which order they are answered.
                self.answered[task] = self.answered[task].wrapping_add(reply);
            }
            Step::Late(ticket) => self.sim.environment().arrive_late(ticket),
            Step::Retry { operation } => {
                let environment = self.sim.environment();
                let intent = self.intents[operation].map(|intent| &environment.record().intents[intent]);
                self.fault_used |= intent.is_some_and(|intent| intent.acked.is_some());
                drop(environment);
                self.start(operation, 0);
            }
        }
    }

    fn start(&mut self, operation: OperationId, skew_ms: i64) {
        let task = self.invoke(operation, skew_ms);
        self.begun[operation].push(task);
        let rows = self.sim.environment().record().room_of(users().0, users().1).rows.len();
        while self.answered.get(task).is_none() {
            self.answered.push(0);
            self.rows_then.push(rows);
        }
        self.sim.begin(task);
    }

    /// Makes the event of an operation.
    fn invoke(&mut self, operation: OperationId, skew_ms: i64) -> TaskId {
        let clock_ms = START_MS + NOW_MS + skew_ms - self.sim.environment().now_ms();
        self.sim.gateway.set_clocks(clock_ms);
        let device = self.case.operation(operation).device();
        let (user, peer) = (owner_of(device), peer_of(device));
        match self.case.operation(operation) {
            Operation::Send { words, .. } => {
                let says = Says::Text(format!("words {words}"));
                self.invoke_send(operation, device, words, says)
            }
            Operation::Answer { words, verdict, .. } => {
                let proposal = self.sim.environment().record().room_of(user, peer).rows[0].message.at;
                self.invoke_send(operation, device, words, Says::Answer(proposal, verdict))
            }
            Operation::Change { words, what, .. } => {
                let first = self.sim.environment().record().room_of(user, peer).rows[0].message.at;
                let says = Says::Change(first, effect_of(what, &format!("edited {words}")));
                self.invoke_send(operation, device, words, says)
            }
            Operation::Mark { .. } => {
                let up_to = timestamp(START_MS + ALL_READ_MS);
                let mut environment = self.sim.environment();
                environment.observe(&Observation::MarkWanted { user, peer, up_to });
                let peer_email = environment.directory().email(peer).to_string();
                drop(environment);
                let frame = ClientFrame::MarkRead(MarkReadFrame { peer_email, up_to: up_to.to_string() });
                self.frame(device, &frame, About::Mark(peer, up_to), None)
            }
            Operation::Sync { .. } => self.rest(device, Request::After(peer, self.after, 0)),
            Operation::List { .. } => self.rest(device, Request::List(None)),
            Operation::Connect { .. } => {
                let token = self.sim.client(device).current_token();
                let life = self.sim.life(device);
                self.sim.gateway.connect(life, token, false).1
            }
            Operation::Disconnect { .. } => {
                let socket = socket_of(device);
                self.sim.environment().close_at_gateway(socket);
                self.sim.gateway.disconnect(socket, 0)
            }
            Operation::Reauth { .. } => {
                let token = self.sim.client(device).current_token();
                let frame = ClientFrame::Reauth(ReauthFrame { token: format!("token-{token}") });
                self.frame(device, &frame, About::Other, Some(token))
            }
        }
    }

    fn invoke_send(&mut self, operation: OperationId, device: DeviceId, words: u8, says: Says) -> TaskId {
        let id = ClientMessageId::from_u128(FIRST_MESSAGE_ID + u128::from(words));
        let peer = peer_of(device);
        let mut environment = self.sim.environment();
        let known = environment.record().intents.enumerated().find(|(_, intent)| intent.id == Some(id));
        let known = known.map(|(intent, _)| intent);
        let intent = known.unwrap_or_else(|| {
            environment.write(&Written {
                user: owner_of(device),
                peer,
                // Each is from a device of its own, which waits for nobody.
                device: Some(DeviceId::new(FIRST_WRITER + usize::from(words))),
                id: Some(id),
                says: says.clone(),
                unattended: false,
                without_after: false,
            })
        });
        let frame = send_frame(environment.directory(), peer, id, Some(self.after), &says);
        drop(environment);
        self.intents[operation] = Some(intent);
        self.frame(device, &frame, About::Intent(intent), None)
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
        let task = self.sim.gateway.frame(socket, text, token, Asker::Frame(socket, about));
        // A frame on a closed socket reaches no handler. The operation then counts as begun with the newest
        // one.
        task.unwrap_or_else(|| self.sim.gateway.newest_task())
    }

    fn rest(&mut self, device: DeviceId, request: Request) -> TaskId {
        let (life, token) = (self.sim.life(device), self.sim.client(device).current_token());
        let http = request.to_http(self.sim.environment().directory(), None);
        let asker = Asker::Rest { device, epoch: life.epoch, request, retried: false };
        self.sim.gateway.rest(life.user, http, token, asker)
    }

    /// A hash of where everything stands.
    pub(super) fn state(&self) -> u64 {
        let environment = self.sim.environment();
        let mut hasher = DefaultHasher::new();
        self.fault_used.hash(&mut hasher);
        for (operation, tasks) in self.begun.enumerated() {
            tasks.len().hash(&mut hasher);
            for task in tasks {
                self.answered[*task].hash(&mut hasher);
                self.rows_then[*task].hash(&mut hasher);
                self.sim.gateway.is_running(*task).hash(&mut hasher);
                environment.record().tasks[*task].now.unix_ms().cmp(&START_MS).hash(&mut hasher);
            }
            if let Some(intent) = self.intents[operation] {
                let intent = &environment.record().intents[intent];
                (intent.row, intent.acked, intent.refused).hash(&mut hasher);
            }
        }
        for table in &environment.tables().rooms {
            if let Some(head) = table.head() {
                hash_room(head, &mut hasher);
            }
            for row in &table.rows {
                (row.message.at, row.message.id, row.now().changed.by).hash(&mut hasher);
            }
        }
        if self.case.touches_connections() {
            for row in &environment.tables().connections {
                format!("{:?}", row.row).hash(&mut hasher);
            }
            for (_, number, is_there) in environment.tables().listings() {
                (number, is_there).hash(&mut hasher);
            }
        }
        for socket in environment.sockets() {
            (socket.at_gateway as u8).hash(&mut hasher);
        }
        for call in environment.given_up() {
            format!("{call:?}").hash(&mut hasher);
        }
        hasher.finish()
    }

    /// All handlers are done. Whoever has no answer tries again, one after the other and with nothing in the
    /// way; then what is still on its way arrives, and after that everything has to be as promised.
    pub(super) fn end(&mut self) {
        self.fault_used = true;
        self.sim.environment().sockets_reopen();
        for operation in self.begun.ids() {
            let Some(intent) = self.intents[operation] else { continue };
            for _ in 0..LAST_TRIES {
                let meant = self.sim.environment().record().intents[intent].clone();
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
        self.sim.environment().observe(&Observation::Ended);
        // Whatever was not pushed, or was lost, a sync shows: to both.
        for device in [0, 1].map(DeviceId::new) {
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
        self.steps().into_iter().find(|step| matches!(step, Step::Turn(_, CallOutcome::Normal)))
    }
}

/// A device has a socket of its number, open for a while.
fn open_socket(environment: &mut Environment, device: DeviceId) {
    let connected_at = timestamp(environment.now_ms() - OPEN_FOR_MS);
    environment.make_socket((owner_of(device), device, 0), connected_at, false);
    environment.sockets_reopen();
}

/// The first user has proposed a match.
fn propose(environment: &mut Environment) {
    let id = ClientMessageId::from_u128(PROPOSAL_ID);
    let (user, peer) = users();
    environment.write(&Written {
        user,
        peer,
        device: None,
        id: Some(id),
        says: Says::Proposal("field".to_owned()),
        unattended: true,
        without_after: false,
    });
    let room = environment.directory().room_of(user, peer).clone();
    let sender = environment.directory().member(user, peer);
    let content = Content::MatchProposal(proposal("field").try_into().expect("it is well-formed"));
    let draft = Draft { id, sender, content, reply_to: None };
    let now = timestamp(environment.now_ms());
    let append = Room::empty(room).append(&draft, now, SendRate::default()).expect("it is the first");
    environment.late(&Call::commit(append));
}
