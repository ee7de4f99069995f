//! One schedule: the executor, the gateway, and what is done when.

use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use chat_domain::{
    Append, CONNECTIONS_MAX, ClientMessageId, Content, Draft, PAGE_MAX, PageRange, Room, SendRate, Timestamp,
};
use chat_wire::error::ErrorCode;
use chat_wire::frames::ServerFrame;
use chat_wire::rest::ProposalRequestBody;
use chat_wire::table::SUBPROTOCOL;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method};
use serde_json::json;

use crate::checkers::Violation;
use crate::client::{Answer, ClientBug, Device, Request, Timer};
use crate::environment::{
    CLOCK_JUMP_MAX_MS, CLOCK_SKEW_MAX_MS, End, Happening, INDEX_LAG_MAX_MS, Outcome, Socket, World, note,
    timestamp,
};
use crate::faults::{Counters, Fault};
use crate::ids::{DeviceId, Id, IdVec, IntentId, ProcessId, SocketId, TaskId, TicketId, TokenId, User};
use crate::observations::{
    Answer as Given, AskedPage, ClientView, EventKind as Kind, Observation, Says, TaskFacts, Written,
    proposal,
};
use crate::plan::{Act, Plan};
use crate::ports::{Call, Shared};
use crate::server::{Build, GatewayEvent, Running, Server};

/// How long nothing may change before a schedule counts as not converging, once nothing goes wrong: longer than any handler was
/// frozen, and any wait of a client.
const CONVERGED_WITHIN_MS: i64 = 1_200_000;
/// How long the gateway lets `$connect` take.
const CONNECT_MAX_MS: i64 = 29_000;
/// How many handlers most schedules run.
const JOBS_USUAL: usize = 256;
/// How many connections are too many.
const CROWD: u8 = 22;
/// How many times somebody has to connect anew, until what is too much of so many is closed.
const RENEWALS_MAX: usize = 8;
/// How many things may happen in one schedule: several times more than ever do.
const STEPS_MAX: u64 = 200_000;

/// Who waits for a handler's answer.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Nobody,
    /// A socket being opened.
    Connect(SocketId),
    /// A frame on a socket, and what it is about.
    Frame(SocketId, About),
    /// A request of a device in a life of it; whether it is the second attempt.
    Rest(DeviceId, u32, Request, bool),
    /// The answer has to refuse: a foreign cursor, a reused id.
    Refusal(&'static str),
}

/// What a frame is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    /// It sends what somebody meant to say.
    Intent(IntentId),
    /// It says how far the conversation with a user was read.
    Mark(User, Timestamp),
    Other,
}

/// A handler, before, while and after it runs.
struct Job {
    event: Option<GatewayEvent>,
    process: ProcessId,
    running: Option<Running>,
    answer: Option<Answered>,
    asker: Asker,
    answered: bool,
}

/// A handler's answer, taken apart.
enum Answered {
    /// A frame, or none.
    Frame(Option<Box<ServerFrame>>),
    Rest(Answer),
    /// Nobody looks into it.
    Other,
}

/// What came of a schedule.
pub(crate) struct Report {
    pub(crate) violation: Option<Violation>,
    pub(crate) fired: Counters,
    pub(crate) history: Vec<String>,
    /// The same for the same schedule.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
}

/// A schedule that is run.
pub(crate) struct Sim {
    shared: Shared,
    build: Build,
    servers: IdVec<ProcessId, Box<dyn Server>>,
    /// How far off the clock of each process is.
    skews_ms: IdVec<ProcessId, i64>,
    jobs: IdVec<TaskId, Job>,
    pub(crate) devices: IdVec<DeviceId, Device>,
    pub(crate) client_bug: Option<ClientBug>,
    pub(crate) plan: Plan,
    /// Requests that are on their way.
    pending_requests: usize,
    /// Handlers that run, or will.
    busy: usize,
    steps: u64,
}

impl Sim {
    pub(crate) fn new(plan: &Plan, build: Build, client_bug: Option<ClientBug>, verbose: bool) -> Self {
        let mut world = World::new(plan.users, plan.run_seed, plan.rates);
        world.history = verbose.then(Vec::new);
        let mut skews_ms: IdVec<ProcessId, i64> = (0..plan.processes).map(|_| 0).collect();
        for skew in &mut skews_ms {
            if plan.rates.is_on(Fault::ClockSkew) {
                *skew = world.rng.i64(-CLOCK_SKEW_MAX_MS..CLOCK_SKEW_MAX_MS);
            }
        }
        let mut devices = IdVec::default();
        for user in &plan.devices {
            let short = world.is_drawn(Fault::TokenExpires);
            let lifetime_ms = if short { world.rng.i64(1_000..60_000) } else { 3_600_000 };
            let token = world.issue_token(*user, lifetime_ms);
            devices.push(Device { user: *user, outbox: Vec::new(), epoch: 0, session: None, token });
        }
        let shared = Shared::new(world);
        let servers = skews_ms.iter().map(|_| build(&shared)).collect();
        Self {
            shared,
            build,
            servers,
            skews_ms,
            jobs: IdVec::with_capacity(JOBS_USUAL),
            devices,
            client_bug,
            plan: plan.clone(),
            pending_requests: 0,
            busy: 0,
            steps: 0,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Runs the schedule: first with everything that goes wrong, then without, until all is well.
    pub(crate) fn run(mut self) -> Report {
        for device in self.devices.ids() {
            let delay = self.world().rng.i64(0..300);
            self.timer(device, delay, Timer::Start);
        }
        let acts: Vec<i64> = self.plan.acts.iter().map(|(at, _)| *at).collect();
        for (place, at) in acts.iter().enumerate() {
            self.world().after(*at, Happening::Op(place));
        }
        let last = acts.last().copied().unwrap_or(0);
        let until = self.world().now_ms + last + 3_000;
        self.run_until(until);
        self.converge();
        if self.world().violation().is_none() {
            self.world().observe(&Observation::Ended);
        }
        let mut world = self.world();
        let drawn = world.rng.u64(..);
        Report {
            violation: world.violation().cloned(),
            fired: world.fired,
            history: world.history.take().unwrap_or_default(),
            trace: world.trace ^ drawn,
            steps: self.steps,
        }
    }

    /// Goes on until an instant; says whether all is well so far.
    fn run_until(&mut self, until_ms: i64) -> bool {
        loop {
            let mut world = self.world();
            if world.violation().is_some() {
                return false;
            }
            let Some(happening) = world.next(until_ms) else {
                world.now_ms = world.now_ms.max(until_ms);
                return true;
            };
            drop(world);
            self.steps += 1;
            if self.steps > STEPS_MAX {
                self.world().observe(&Observation::Endless { steps: STEPS_MAX });
                return false;
            }
            self.happen(happening);
        }
    }

    /// Nothing goes wrong any more. Everything has to come to rest, in stages.
    fn converge(&mut self) {
        note!(self.world(), "---- nothing goes wrong any more ----");
        self.world().faults_on = false;
        self.skews_ms.iter_mut().for_each(|skew| *skew = 0);
        for device in self.devices.ids() {
            self.start(device);
        }
        // What was frozen or on its way is let go first: its pushes go to whom it knew.
        if !self.settle() {
            return;
        }
        // Clocks were wrong when these came, and the oldest may not be the oldest.
        self.leave_crowd();
        // Everybody connects anew, while everybody writes: the index lags, and nobody may miss anything.
        note!(self.world(), "---- everybody reconnects ----");
        for device in self.devices.ids() {
            let renew = self.world().rng.i64(0..1_500);
            let write = self.world().rng.i64(0..4_000);
            // Nobody's login runs out while it is looked whether pushes arrive: after that there are none.
            self.token(device, true);
            self.timer(device, renew, Timer::Renew);
            let user = self.devices[device].user;
            let peer = self.plan.user_after(user, 1);
            self.plan.acts.push((0, Act::Open { device, peer }));
            self.plan.acts.push((0, Act::Write { device, peer }));
            let ops = self.plan.acts.len();
            self.world().after(0, Happening::Op(ops - 2));
            self.world().after(write, Happening::Op(ops - 1));
        }
        if !self.rest(12_000) || !self.settle() {
            return;
        }
        self.observe_views(|clients| Observation::Settled { when: "after reconnecting", clients });
        self.observe_connections();
        // A last word of everybody, which nobody syncs for: every device is told.
        note!(self.world(), "---- everybody writes once more ----");
        for device in self.devices.ids() {
            if let Some(session) = &mut self.devices[device].session {
                session.rooms.iter_mut().for_each(|room| room.pushed.clear());
            }
        }
        let before = self.world().record().intents.next_id();
        for device in self.devices.ids() {
            let peer = self.plan.user_after(self.devices[device].user, 1);
            let text = format!("last words of device {device}");
            self.write(device, peer, Says::Text(text), false);
            if !self.rest(2_000) {
                return;
            }
        }
        if !self.settle() {
            return;
        }
        self.observe_views(|clients| Observation::LastWordsSettled { since: before, clients });
        // And everything that can be listed is so.
        for device in self.devices.ids() {
            self.sync(device);
        }
        if !self.rest(2_000) || !self.settle() {
            return;
        }
        self.observe_views(|clients| Observation::Settled { when: "at the end", clients });
        self.observe_views(|clients| Observation::ListsSettled { clients });
        let crowds: Vec<DeviceId> = self
            .plan
            .acts
            .iter()
            .filter_map(|(_, act)| if let Act::Crowd { device, .. } = act { Some(*device) } else { None })
            .collect();
        // Until then rows may be dated ahead, by clocks that were wrong, and what has left them is not believed to be gone.
        if !crowds.is_empty() && !self.rest(CLOCK_SKEW_MAX_MS + 60_000) {
            return;
        }
        for device in crowds {
            note!(self.world(), "---- device {device} opens too many connections ----");
            self.crowd(device, CROWD);
            if !self.rest(i64::from(CROWD) * 400) || !self.settle() || !self.rest(2 * INDEX_LAG_MAX_MS) {
                return;
            }
            // By now the index shows all of them to whoever comes next, which closes a few. Whoever is closed comes back while the
            // index lags, and may be one too many again: the next one sees to it.
            for _ in 0..RENEWALS_MAX {
                if self.world().connections_of(self.devices[device].user) <= CONNECTIONS_MAX {
                    break;
                }
                self.renew(device);
                if !self.settle() || !self.rest(2 * INDEX_LAG_MAX_MS) {
                    return;
                }
            }
        }
        self.observe_connections();
    }

    fn rest(&mut self, span_ms: i64) -> bool {
        let until = self.world().now_ms + span_ms;
        self.run_until(until)
    }

    /// Runs on until nothing is on its way; says whether that came to pass.
    fn settle(&mut self) -> bool {
        let deadline = self.world().now_ms + CONVERGED_WITHIN_MS;
        while self.world().now_ms < deadline {
            if !self.rest(1_000) {
                return false;
            }
            if self.is_settled() {
                return true;
            }
        }
        let waiting: Vec<_> = self.devices.iter().flat_map(|device| device.outbox.iter()).cloned().collect();
        self.world().observe(&Observation::NotSettled { waiting: &format!("{waiting:?}") });
        false
    }

    fn is_settled(&self) -> bool {
        let world = self.world();
        self.busy == 0
            && self.pending_requests == 0
            && !world.is_late_waiting()
            && self.devices.iter().all(|device| {
                let calm = device.session.as_ref().is_some_and(|session| {
                    session.open && session.rooms.iter().all(|room| !room.syncing && !room.hole_timer)
                });
                calm && device.outbox.iter().all(|entry| entry.failed)
            })
    }

    /// Observes what every client knows.
    fn observe_views(&self, seen: impl for<'a> FnOnce(&'a [ClientView<'a>]) -> Observation<'a>) {
        let views: Vec<_> = self.devices.enumerated().map(|(device, it)| it.view(device)).collect();
        self.world().observe(&seen(&views));
    }

    fn observe_connections(&self) {
        let open = self.world().open_sockets();
        self.world().observe(&Observation::ConnectionsSettled { open: &open });
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Turn(ticket) => self.turn(ticket),
            Happening::Late(call) => {
                let mut world = self.world();
                world.late(&call);
            }
            Happening::Start(task) => self.begin(task),
            Happening::Open(task, socket) => {
                let end = self.world().sockets[socket].at_gateway;
                if end == End::Opening {
                    self.world().sockets[socket].at_gateway = End::Open;
                }
                self.send_answer(task);
            }
            Happening::GiveUp(task) => self.give_up(task),
            Happening::Answer(task) => self.answer(task),
            Happening::Arrive(socket, frame) => {
                let to = self.world().sockets[socket].clone();
                if !to.at_client || to.at_gateway != End::Open {
                    return;
                }
                if to.silent {
                    if let ServerFrame::Message(message) = *frame {
                        let (user, device) = (to.user, to.device);
                        self.world().observe(&Observation::Shown { user, device, message: &message });
                    }
                } else if self.devices[to.device].epoch == to.epoch {
                    note!(self.world(), "device {} hears {frame:?}", to.device);
                    self.heard(to.device, *frame, true);
                }
            }
            Happening::ClientLoses(socket) => self.client_loses(socket),
            Happening::GatewayLoses(socket) => self.gateway_loses(socket),
            Happening::Timer(device, epoch, timer) => {
                if self.devices[device].epoch == epoch {
                    self.fired(device, timer);
                }
            }
            Happening::Op(place) => {
                let act = self.plan.acts[place].1.clone();
                note!(self.world(), "{act:?}");
                self.act(act);
            }
        }
    }

    fn turn(&mut self, ticket: TicketId) {
        let mut world = self.shared.world();
        let Some(task) = world.tickets[ticket].task else { return };
        if self.jobs[task].running.is_none() {
            return;
        }
        let outcome = world.draw(ticket);
        let lives = world.turn(ticket, outcome);
        drop(world);
        self.had_turn(task, outcome, lives);
    }

    /// Gives a call its turn, with what it meets.
    pub(crate) fn turn_with(&mut self, ticket: TicketId, outcome: Outcome) {
        let mut world = self.world();
        let Some(task) = world.tickets[ticket].task else { return };
        let lives = world.turn(ticket, outcome);
        drop(world);
        self.had_turn(task, outcome, lives);
    }

    fn had_turn(&mut self, task: TaskId, outcome: Outcome, lives: bool) {
        if lives {
            self.poll(task);
        } else {
            note!(self.world(), "task {task} is killed ({outcome:?})");
            self.busy -= usize::from(self.jobs[task].running.take().is_some());
            self.world().after(5, Happening::GiveUp(task));
        }
    }

    fn poll(&mut self, task: TaskId) {
        self.world().current = task;
        let Some(running) = &mut self.jobs[task].running else { return };
        let Poll::Ready(response) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            return;
        };
        self.jobs[task].running = None;
        self.busy -= 1;
        self.completed(task, &response);
    }

    pub(crate) fn begin(&mut self, task: TaskId) {
        let Some(event) = self.jobs[task].event.take() else { return };
        note!(self.world(), "task {task} begins: {:?}", self.world().record().tasks[task]);
        let running = self.servers[self.jobs[task].process].handle(event);
        self.jobs[task].running = Some(running);
        self.poll(task);
    }

    /// A handler has answered.
    fn completed(&mut self, task: TaskId, response: &ApiGatewayProxyResponse) {
        note!(self.world(), "task {task} answers {} {}", response.status_code, text(response));
        let answered = self.take_apart(task, response);
        self.jobs[task].answer = Some(answered);
        if let Asker::Connect(socket) = self.jobs[task].asker {
            let mut world = self.world();
            let opens = response.status_code == 200 && world.sockets[socket].at_gateway == End::Opening;
            if opens && world.hit(Fault::UpgradeFails) {
                world.sockets[socket].at_gateway = End::Closed;
            } else if opens && !world.explored && world.is_drawn(Fault::GoneDuringConnect) {
                // The gateway takes its time, though not longer than it gives `$connect`.
                let left_ms = (world.record().tasks[task].asked_ms + CONNECT_MAX_MS - world.now_ms).max(1);
                let delay = world.rng.i64(0..left_ms);
                world.after(delay, Happening::Open(task, socket));
                return;
            } else if opens {
                world.sockets[socket].at_gateway = End::Open;
            }
        }
        self.send_answer(task);
    }

    /// An answer is on its way to whoever waits for it.
    fn send_answer(&mut self, task: TaskId) {
        let mut world = self.world();
        if world.hit(Fault::AckLost) {
            world.after(20_000, Happening::GiveUp(task));
        } else {
            let delay = world.rng.i64(1..=20);
            world.after(delay, Happening::Answer(task));
        }
    }

    /// Takes an answer apart, and holds it against what is stored at the moment it is given.
    fn take_apart(&mut self, task: TaskId, response: &ApiGatewayProxyResponse) -> Answered {
        let body = text(response);
        match self.jobs[task].asker.clone() {
            Asker::Nobody => Answered::Other,
            Asker::Connect(_) => {
                if response.status_code == 200 {
                    self.answered_with(task, Given::Connected);
                }
                Answered::Other
            }
            Asker::Frame(_, about) => {
                if body.is_empty() {
                    return Answered::Frame(None);
                }
                let Ok(frame) = serde_json::from_str(body) else {
                    self.answered_with(task, Given::Unreadable { body });
                    return Answered::Other;
                };
                self.check_frame(task, about, &frame);
                Answered::Frame(Some(Box::new(frame)))
            }
            Asker::Refusal(what) => {
                let refused = response.status_code >= 400
                    || serde_json::from_str::<ServerFrame>(body)
                        .is_ok_and(|frame| matches!(frame, ServerFrame::Error(_)))
                    || body.is_empty();
                if !refused {
                    self.answered_with(task, Given::NotRefused { what, body });
                }
                Answered::Other
            }
            Asker::Rest(_, _, request, _) => {
                let parsed = match (&request, response.status_code) {
                    (Request::List(_), 200) => serde_json::from_str(body).map(Answer::List),
                    (Request::Propose(..), 200) => serde_json::from_str(body).map(Answer::Sent),
                    (_, 200) => serde_json::from_str(body).map(Answer::History),
                    _ => serde_json::from_str(body).map(Answer::Refused),
                };
                let Ok(answer) = parsed else {
                    self.answered_with(task, Given::Unreadable { body });
                    return Answered::Other;
                };
                self.check_rest(task, &request, &answer);
                Answered::Rest(answer)
            }
        }
    }

    fn answered_with(&self, task: TaskId, answer: Given<'_>) {
        self.world().observe(&Observation::Answered { task, answer });
    }

    fn check_frame(&self, task: TaskId, about: About, frame: &ServerFrame) {
        let answer = match (frame, about) {
            (ServerFrame::Sent(sent), About::Intent(intent)) => Given::Sent { intent, sent },
            (ServerFrame::Error(error), About::Intent(intent)) => Given::Refused { intent, error },
            (ServerFrame::Read(told), About::Mark(peer, asked)) => Given::Marked { peer, asked, told },
            (ServerFrame::Pong(_), About::Other) => Given::Pong,
            (ServerFrame::Reauth(_), About::Other) => Given::Reauthenticated,
            (ServerFrame::Error(_), _) => return,
            _ => Given::Unexpected { frame },
        };
        self.answered_with(task, answer);
    }

    fn check_rest(&self, task: TaskId, request: &Request, answer: &Answer) {
        let page = |peer: &User, range: PageRange, limit| Some(AskedPage { peer: *peer, range, limit });
        let asked = match request {
            Request::List(_) | Request::Propose(..) => None,
            Request::Newest(peer) => page(peer, PageRange::Newest, PAGE_MAX),
            Request::One(peer) => page(peer, PageRange::Newest, 1),
            Request::After(peer, after, _) | Request::Resync(peer, _, after) => {
                page(peer, PageRange::After(*after), PAGE_MAX)
            }
            Request::Older(peer, before) => page(peer, PageRange::Before(*before), PAGE_MAX),
        };
        let intent = match request {
            Request::Propose(_, id) => self.intent_of(*id),
            _ => None,
        };
        let answer = match (answer, asked, intent) {
            (Answer::History(body), Some(asked), _) => Given::History { asked, body },
            (Answer::List(body), ..) => {
                Given::Conversations { first_page: *request == Request::List(None), body }
            }
            (Answer::Sent(sent), _, Some(intent)) => Given::Sent { intent, sent },
            (Answer::Refused(error), _, Some(intent)) if error.code != ErrorCode::Unauthorized => {
                Given::Refused { intent, error }
            }
            _ => return,
        };
        self.answered_with(task, answer);
    }

    fn intent_of(&self, id: ClientMessageId) -> Option<IntentId> {
        let entries = self.devices.iter().flat_map(|device| &device.outbox);
        entries.into_iter().find(|entry| entry.id == id).map(|entry| entry.intent)
    }

    /// The gateway tells whoever waits that nobody will answer.
    fn give_up(&mut self, task: TaskId) {
        if std::mem::replace(&mut self.jobs[task].answered, true) {
            return;
        }
        match self.jobs[task].asker.clone() {
            Asker::Nobody | Asker::Refusal(_) => {}
            Asker::Connect(socket) => {
                if self.world().sockets[socket].at_gateway == End::Opening {
                    self.world().sockets[socket].at_gateway = End::Closed;
                }
                self.connect_answered(socket);
            }
            Asker::Frame(socket, _) => {
                let to = self.world().sockets[socket].clone();
                // A lost answer is not told of; a handler that failed is.
                let failed = self.jobs[task].answer.is_none();
                if failed && to.at_client && self.devices[to.device].epoch == to.epoch {
                    self.gateway_failed(to.device);
                }
            }
            Asker::Rest(device, epoch, request, retried) => {
                self.pending_requests -= 1;
                if self.devices[device].epoch == epoch {
                    self.answered(device, request, Answer::Lost, retried);
                }
            }
        }
    }

    /// An answer reaches whoever waits for it.
    fn answer(&mut self, task: TaskId) {
        if std::mem::replace(&mut self.jobs[task].answered, true) {
            return;
        }
        let Some(answered) = self.jobs[task].answer.take() else { return };
        match (self.jobs[task].asker.clone(), answered) {
            (Asker::Connect(socket), _) => self.connect_answered(socket),
            (Asker::Frame(socket, _), Answered::Frame(Some(frame))) => {
                let to = self.world().sockets[socket].clone();
                if to.at_client && self.devices[to.device].epoch == to.epoch {
                    self.heard(to.device, *frame, false);
                }
            }
            (Asker::Rest(device, epoch, request, retried), answered) => {
                self.pending_requests -= 1;
                if self.devices[device].epoch != epoch {
                    return;
                }
                let answer = if let Answered::Rest(answer) = answered { answer } else { Answer::Lost };
                self.answered(device, request, answer, retried);
            }
            _ => {}
        }
    }

    /// `$connect` was answered: the socket is open, or it is not.
    fn connect_answered(&mut self, socket: SocketId) {
        let to = self.world().sockets[socket].clone();
        let current = self.devices[to.device].epoch == to.epoch
            && self.devices[to.device].session.as_ref().is_some_and(|session| session.socket == Some(socket));
        if to.at_gateway == End::Open {
            if to.silent && to.at_client {
                return;
            }
            if to.at_client && current {
                return self.opened(to.device, socket);
            }
            return self.gateway_loses(socket);
        }
        self.world().sockets[socket].at_client = false;
        if current {
            self.closed(to.device, false);
        }
    }

    fn client_loses(&mut self, socket: SocketId) {
        let mut world = self.world();
        let to = world.sockets[socket].clone();
        world.sockets[socket].at_client = false;
        drop(world);
        let current = self.devices[to.device].epoch == to.epoch
            && self.devices[to.device].session.as_ref().is_some_and(|session| session.socket == Some(socket));
        if to.at_client && current {
            self.closed(to.device, true);
        }
    }

    fn gateway_loses(&mut self, socket: SocketId) {
        let mut world = self.world();
        if world.sockets[socket].at_gateway == End::Closed {
            return;
        }
        world.sockets[socket].at_gateway = End::Closed;
        note!(world, "the gateway closes socket {socket}");
        if world.sockets[socket].at_client {
            let delay = world.rng.i64(1..200);
            world.after(delay, Happening::ClientLoses(socket));
        }
        if world.hit(Fault::DisconnectLost) {
            return;
        }
        let late = world.hit(Fault::DisconnectLate);
        let delay = if late { world.rng.i64(1_000..600_000) } else { world.rng.i64(1..50) };
        let doubled = world.hit(Fault::DisconnectDoubled);
        drop(world);
        for _ in 0..=usize::from(doubled) {
            self.invoke_disconnect(socket, delay);
        }
    }

    /// Hands an event to a process, sooner or later, once or twice.
    fn invoke(
        &mut self,
        mut event: GatewayEvent,
        kind: Kind,
        facts: Facts,
        asker: Asker,
        delay_ms: i64,
    ) -> TaskId {
        let mut world = self.world();
        let process = ProcessId::new(world.rng.usize(0..self.servers.len()));
        let recycled = world.hit(Fault::ProcessRecycled);
        let back = if world.hit(Fault::ClockJumpsBack) { world.rng.i64(0..CLOCK_JUMP_MAX_MS) } else { 0 };
        let late = world.hit(Fault::InvocationDelayed);
        let delay = delay_ms + if late { world.rng.i64(50..10_000) } else { world.rng.i64(1..=10) };
        let doubled = kind != Kind::Rest && world.hit(Fault::InvocationDoubled);
        let second = world.rng.i64(1..3_000);
        drop(world);
        if recycled {
            self.servers[process] = (self.build)(&self.shared);
        }
        let skew_ms = self.skews_ms[process];
        let now = timestamp(self.world().now_ms + skew_ms - back);
        if skew_ms != 0 && self.world().rates.is_on(Fault::ClockSkew) {
            self.world().fired.add(Fault::ClockSkew);
        }
        let number = self.jobs.next_id();
        match &mut event {
            GatewayEvent::Connect(event) | GatewayEvent::Disconnect(event) | GatewayEvent::Frame(event) => {
                let context = &mut event.request_context;
                context.connection_id =
                    facts.socket.map(|socket| self.world().sockets[socket].id.as_str().to_owned());
                context.request_id = Some(format!("request-{number}"));
                context.message_id = Some(format!("message-{number}"));
                context.request_time_epoch = now.unix_ms();
            }
            GatewayEvent::Rest(event) => {
                event.request_context.request_id = Some(format!("request-{number}"));
                event.request_context.request_time_epoch = now.unix_ms();
            }
        }
        if kind == Kind::Connect
            && let (GatewayEvent::Connect(event), Some(socket)) = (&mut event, facts.socket)
        {
            event.request_context.connected_at = now.unix_ms();
            self.world().sockets[socket].connected_at = now;
        }
        self.count_expired(kind, facts, now);
        if let (Kind::Connect | Kind::Frame, Some(socket), Some(token)) = (kind, facts.socket, facts.token) {
            // From now on the login may count, or count for longer.
            let mut world = self.world();
            let asked_ms = world.now_ms;
            if world.is_good(token, facts.user, now, asked_ms) {
                let expires_at = world.tokens[token].expires_at;
                world.extend_login(socket, expires_at);
            }
        }
        if doubled {
            let again = match &asker {
                Asker::Frame(..) => asker.clone(),
                _ => Asker::Nobody,
            };
            self.job(event.clone(), kind, facts, again, process, now, delay + second);
        }
        self.job(event, kind, facts, asker, process, now, delay)
    }

    /// Whether an event's login has run out; of those that last for an hour some do too, which counts for nothing.
    fn count_expired(&mut self, kind: Kind, facts: Facts, now: Timestamp) {
        let mut world = self.world();
        let expires_at = match (kind, facts.socket, facts.token) {
            (Kind::Frame, Some(socket), _) => Some(world.sockets[socket].fresh_until),
            (_, _, token) => token.map(|token| world.tokens[token].expires_at),
        };
        if world.rates.is_on(Fault::TokenExpires) && expires_at.is_some_and(|expires_at| expires_at <= now) {
            world.fired.add(Fault::TokenExpires);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "it is called in one place, twice")]
    fn job(
        &mut self,
        event: GatewayEvent,
        kind: Kind,
        facts: Facts,
        asker: Asker,
        process: ProcessId,
        now: Timestamp,
        delay_ms: i64,
    ) -> TaskId {
        let Facts { socket, user, token } = facts;
        let task = self.jobs.next_id();
        let mut world = self.world();
        let asked_ms = world.now_ms;
        let token_counts = token.is_some_and(|token| world.is_good(token, user, now, asked_ms));
        world.observe(&Observation::Invoked(TaskFacts {
            kind,
            socket,
            user,
            token,
            token_counts,
            now,
            asked_ms,
        }));
        world.after(delay_ms, Happening::Start(task));
        drop(world);
        let event = Some(event);
        self.jobs.push(Job { event, process, running: None, answer: None, asker, answered: false });
        self.busy += 1;
        task
    }

    /// A device opens a socket; one that is silent has no client but listens.
    pub(crate) fn invoke_connect(&mut self, device: DeviceId, token: TokenId, silent: bool) -> SocketId {
        let (user, epoch) = (self.devices[device].user, self.devices[device].epoch);
        let mut world = self.world();
        let socket = world.sockets.next_id();
        let connected_at = timestamp(world.now_ms);
        world.make_socket(Socket { silent, ..Socket::opening(socket, user, device, epoch, connected_at) });
        let aborts = world.is_drawn(Fault::DisconnectBeforeConnect);
        drop(world);
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        let offered = format!("{SUBPROTOCOL}, token-{token}");
        event.headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(&offered).expect("it is ASCII"));
        let facts = Facts { socket: Some(socket), user, token: Some(token) };
        self.invoke(GatewayEvent::Connect(Box::new(event)), Kind::Connect, facts, Asker::Connect(socket), 0);
        if aborts {
            note!(self.world(), "device {device} gives up socket {socket} while it is being opened");
            self.world().sockets[socket].aborted = true;
            self.world().sockets[socket].at_gateway = End::Closed;
            self.world().after(1, Happening::ClientLoses(socket));
            self.invoke_disconnect(socket, 0);
        }
        socket
    }

    fn invoke_disconnect(&mut self, socket: SocketId, delay_ms: i64) {
        let user = self.world().sockets[socket].user;
        let event = GatewayEvent::Disconnect(Box::default());
        let facts = Facts { socket: Some(socket), user, token: None };
        self.invoke(event, Kind::Disconnect, facts, Asker::Nobody, delay_ms);
    }

    /// A frame leaves on a socket.
    pub(crate) fn invoke_frame(
        &mut self,
        socket: SocketId,
        frame: String,
        about: About,
        token: Option<TokenId>,
    ) {
        self.frame_asked_by(socket, frame, token, Asker::Frame(socket, about));
    }

    pub(crate) fn frame_asked_by(
        &mut self,
        socket: SocketId,
        frame: String,
        token: Option<TokenId>,
        asker: Asker,
    ) {
        note!(self.world(), "socket {socket} says {frame}");
        if self.world().sockets[socket].at_gateway != End::Open {
            return;
        }
        let user = self.world().sockets[socket].user;
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.body = Some(frame);
        let facts = Facts { socket: Some(socket), user, token };
        self.invoke(GatewayEvent::Frame(Box::new(event)), Kind::Frame, facts, asker, 0);
    }

    /// A request by REST.
    pub(crate) fn invoke_rest(&mut self, device: DeviceId, request: Request, token: TokenId, retried: bool) {
        let event = self.rest_event(device, &request, token);
        let (user, epoch) = (self.devices[device].user, self.devices[device].epoch);
        let facts = Facts { socket: None, user, token: Some(token) };
        self.pending_requests += 1;
        let asker = Asker::Rest(device, epoch, request, retried);
        self.invoke(GatewayEvent::Rest(Box::new(event)), Kind::Rest, facts, asker, 0);
    }

    fn rest_event(&self, device: DeviceId, request: &Request, token: TokenId) -> ApiGatewayProxyRequest {
        let address = |peer: User| self.world().directory.email(peer).to_string();
        let mut query: Vec<(&str, String)> = Vec::new();
        let mut event = ApiGatewayProxyRequest::default();
        event.http_method = Method::GET;
        let mut resource = "/chat/history";
        match request {
            Request::List(cursor) => {
                resource = "/chat/conversations";
                query.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
            }
            Request::Newest(peer) => query.push(("with", address(*peer))),
            Request::One(peer) => {
                query.push(("with", address(*peer)));
                query.push(("limit", "1".to_owned()));
            }
            Request::After(peer, after, _) | Request::Resync(peer, _, after) => {
                query.push(("with", address(*peer)));
                query.push(("after", after.to_string()));
            }
            Request::Older(peer, before) => {
                query.push(("with", address(*peer)));
                query.push(("before", before.to_string()));
            }
            Request::Propose(peer, id) => {
                event.http_method = Method::POST;
                resource = "/chat/proposals";
                let entry = self.devices[device].outbox.iter().find(|entry| entry.id == *id);
                let place = entry.and_then(|entry| match &entry.says {
                    Says::Proposal(place) => Some(place.clone()),
                    _ => None,
                });
                let after = entry.and_then(|entry| entry.after).map(|after| after.to_string());
                let body = ProposalRequestBody {
                    receiver_email: address(*peer),
                    client_message_id: id.to_string(),
                    after,
                    proposal: proposal(&place.unwrap_or_default()),
                };
                event.body = serde_json::to_string(&body).ok();
            }
        }
        event.resource = Some(resource.to_owned());
        let bearer = HeaderValue::from_str(&format!("Bearer token-{token}")).expect("it is ASCII");
        event.headers.insert(AUTHORIZATION, bearer);
        let lists: std::collections::HashMap<String, Vec<String>> =
            query.into_iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
        event.multi_value_query_string_parameters = lists.into();
        event
    }

    /// Does what the plan says.
    fn act(&mut self, act: Act) {
        match act {
            Act::Open { device, peer } => self.look_at(device, peer),
            Act::Write { device, peer } => self.write_words(device, peer),
            Act::WriteAndCrash { device, peer, after_ms, down_ms } => {
                self.write_words(device, peer);
                if after_ms == 0 {
                    self.world().fired.add(Fault::CrashBeforeSend);
                    self.crash_for(device, down_ms);
                } else {
                    self.world().fired.add(Fault::CrashAfterSend);
                    self.plan.acts.push((0, Act::Crash { device, down_ms }));
                    let place = self.plan.acts.len() - 1;
                    self.world().after(after_ms, Happening::Op(place));
                }
            }
            Act::Read { device, peer } => self.mark_read(device, peer),
            Act::Type { device, peer } => self.say_typing(device, peer),
            Act::Focus { device } => {
                self.ping(device);
                self.sync(device);
            }
            Act::Ping { device } => self.ping(device),
            Act::Older { device, peer } => {
                let oldest = self.devices[device].session.as_ref().and_then(|session| {
                    session.rooms[peer].messages.first_key_value().map(|(_, seen)| seen.at)
                });
                if let Some(before) = oldest {
                    let token = self.token(device, false);
                    self.invoke_rest(device, Request::Older(peer, before), token, false);
                }
            }
            Act::Propose { device, peer, by_rest } => {
                let number = self.world().record().intents.len();
                self.write(device, peer, Says::Proposal(format!("field {number}")), by_rest);
            }
            Act::Answer { device, peer, verdict } => {
                let withdraws = verdict == chat_domain::Verdict::Withdrawn;
                let proposal = self.devices[device].session.as_ref().and_then(|session| {
                    let seen = session.rooms[peer].messages.values();
                    seen.rev().find(|seen| seen.proposal && seen.mine == withdraws).map(|seen| seen.at)
                });
                if let Some(proposal) = proposal {
                    self.answer_proposal(device, peer, Says::Answer(proposal, verdict));
                }
            }
            Act::Crash { device, down_ms } => self.crash_for(device, down_ms),
            Act::LoseStorage { device } => {
                let lost: Vec<IntentId> =
                    self.devices[device].outbox.iter().map(|entry| entry.intent).collect();
                let mut world = self.world();
                world.fired.add(Fault::StorageLost);
                for intent in lost {
                    world.observe(&Observation::Forgotten(intent));
                }
                drop(world);
                self.crash_for(device, 500);
                self.devices[device].outbox.clear();
            }
            Act::Cut { device } => {
                let socket = self.devices[device].session.as_ref().and_then(|session| session.socket);
                if let Some(socket) = socket {
                    self.world().fired.add(Fault::ConnectionCut);
                    self.gateway_loses(socket);
                }
            }
            Act::Away { days } => {
                let away_ms = i64::from(days) * 86_400_000;
                for device in self.devices.ids() {
                    let peer = self.plan.user_after(self.devices[device].user, 1);
                    self.write_words(device, peer);
                    if self.devices[device].outbox.iter().any(|entry| !entry.failed) {
                        self.world().fired.add(Fault::AwayForDays);
                    }
                    self.crash_for(device, away_ms);
                }
                self.leave_crowd();
                let expire = self.world().hit(Fault::RowsExpire);
                self.rest(away_ms - 1_000);
                if expire {
                    self.world().expire_rows();
                }
            }
            Act::Revoke { device } => {
                let token = self.devices[device].token;
                let mut world = self.world();
                let now_ms = world.now_ms;
                world.tokens[token].revoked_at_ms.get_or_insert(now_ms);
            }
            Act::Flood { user, peer, count } => self.flood(user, peer, count),
            Act::Crowd { device, count } => {
                self.world().fired.add(Fault::ManyConnections);
                self.crowd(device, count);
            }
            Act::OneMore { device } => {
                let token = self.token(device, false);
                self.invoke_connect(device, token, true);
            }
            Act::ForeignCursor { device } => self.foreign_cursor(device),
            Act::Forge { device, peer } => self.forge(device, peer),
            Act::ReuseId { device } => self.reuse_id(device),
            Act::WildMark { device, peer, offset_ms } => {
                self.world().fired.add(Fault::WildReadMark);
                // What was read long ago is marked again when the offset is negative.
                let oldest = self.devices[device].session.as_ref().and_then(|session| {
                    session.rooms[peer].messages.first_key_value().map(|(_, seen)| seen.at)
                });
                let now_ms = self.world().now_ms;
                let up_to =
                    oldest.filter(|_| offset_ms < -1).unwrap_or_else(|| timestamp(now_ms + offset_ms));
                self.say_mark(device, peer, up_to);
            }
            Act::Plain { device, peer } => {
                let Some(socket) = self.open_socket(device) else { return };
                let mut world = self.world();
                world.fired.add(Fault::PlainFrame);
                let words = format!("plain words {}", world.record().intents.len());
                let user = world.sockets[socket].user;
                let says = Says::Text(words.clone());
                let device = Some(device);
                let intent = world.write(&Written {
                    user,
                    peer,
                    device,
                    id: None,
                    says,
                    unattended: true,
                    without_after: true,
                });
                let receiver = world.directory.email(peer).to_string();
                drop(world);
                let frame = json!({ "action": "sendMessage", "receiverEmail": receiver, "message": words });
                self.invoke_frame(socket, frame.to_string(), About::Intent(intent), None);
            }
        }
    }

    fn open_socket(&self, device: DeviceId) -> Option<SocketId> {
        let session = self.devices[device].session.as_ref()?;
        session.socket.filter(|_| session.open)
    }

    fn write_words(&mut self, device: DeviceId, peer: User) {
        if self.devices[device].session.is_none() {
            return;
        }
        let number = self.world().record().intents.len();
        self.write(device, peer, Says::Text(format!("words {number}")), false);
    }

    /// One user may give the same answer from two devices: both mean it, and one of them is refused.
    fn answer_proposal(&mut self, device: DeviceId, peer: User, says: Says) {
        self.write(device, peer, says, false);
    }

    fn crash_for(&mut self, device: DeviceId, down_ms: i64) {
        self.crash(device);
        self.timer(device, down_ms, Timer::Start);
    }

    /// A device opens many connections, one soon after the other.
    fn crowd(&mut self, device: DeviceId, count: u8) {
        let mut delay = 0;
        for _ in 0..count {
            self.plan.acts.push((0, Act::OneMore { device }));
            let place = self.plan.acts.len() - 1;
            let mut world = self.world();
            delay += world.rng.i64(0..400);
            world.after(delay, Happening::Op(place));
        }
    }

    /// All connections that only listen are left.
    fn leave_crowd(&mut self) {
        let sockets = self.world().sockets.ids();
        for socket in sockets {
            if self.world().sockets[socket].silent {
                self.drop_socket(socket);
            }
        }
    }

    /// Many messages at once, straight into the store, as a fast client would have sent them.
    pub(crate) fn flood(&mut self, user: User, peer: User, count: u8) {
        let mut world = self.world();
        world.fired.add(Fault::Flood);
        let rate = SendRate { burst: std::num::NonZeroU32::MAX, per_second: std::num::NonZeroU32::MAX };
        for _ in 0..count {
            let id = world.directory.room_of(user, peer).clone();
            let words = format!("flood {}", world.record().intents.len());
            let name = world.next_message_id();
            world.write(&Written {
                user,
                peer,
                device: None,
                id: Some(name),
                says: Says::Text(words.clone()),
                unattended: true,
                without_after: false,
            });
            let head =
                world.store.room(&id, 0).map_or_else(|| Room::empty(id.clone()), |room| Room::clone(&room));
            let sender = world.directory.member(user, peer);
            let draft =
                Draft { id: name, sender, content: Content::Text(words.parse().expect("it is short")) };
            let now = timestamp(world.now_ms);
            let Ok(append) = head.append(&draft, now, rate) else { return };
            let append: Append = append;
            world.late(&Call::Commit(Box::new(append)));
        }
    }

    /// The cursor of another user, as that user's list would show it.
    fn foreign_cursor(&mut self, device: DeviceId) {
        let user = self.devices[device].user;
        let world = self.world();
        let other = self.plan.user_after(user, 1);
        let place = world.store.tables.iter().find_map(|table| table.head().and_then(|room| room.activity()));
        let cursor = place.map(|place| chat_wire::cursor::encode(place, world.directory.email(other)));
        drop(world);
        let Some(cursor) = cursor else { return };
        self.world().fired.add(Fault::ForeignCursor);
        let token = self.token(device, false);
        let event = self.rest_event(device, &Request::List(Some(cursor)), token);
        let facts = Facts { socket: None, user, token: Some(token) };
        let asker = Asker::Refusal("somebody else's cursor");
        self.invoke(GatewayEvent::Rest(Box::new(event)), Kind::Rest, facts, asker, 0);
    }

    /// Somebody names the peer as the sender.
    fn forge(&mut self, device: DeviceId, peer: User) {
        let Some(socket) = self.open_socket(device) else { return };
        let mut world = self.world();
        world.fired.add(Fault::ForgedSender);
        let user = world.sockets[socket].user;
        let words = format!("forged words {}", world.record().intents.len());
        let id = world.next_message_id();
        let intent = world.write(&Written {
            user,
            peer,
            device: Some(device),
            id: Some(id),
            says: Says::Text(words.clone()),
            unattended: true,
            without_after: true,
        });
        let peer_email = world.directory.email(peer).to_string();
        let room = world.directory.name_of(user, peer).to_owned();
        drop(world);
        let frame = json!({
            "action": "sendMessage", "receiverEmail": peer_email, "message": words, "clientMessageId": id.to_string(),
            "senderEmail": peer_email, "roomId": room, "timestamp": "2020-01-01T00:00:00.000Z", "read": true, "seq": 1,
        });
        self.invoke_frame(socket, frame.to_string(), About::Intent(intent), None);
    }

    /// The id of something acknowledged, for other words.
    fn reuse_id(&mut self, device: DeviceId) {
        let Some(socket) = self.open_socket(device) else { return };
        let user = self.devices[device].user;
        let world = self.world();
        let acked =
            world.record().intents.iter().rev().find(|intent| intent.user == user && intent.acked.is_some());
        let Some((id, peer, at)) =
            acked.and_then(|intent| Some((intent.id?, intent.peer, intent.acked.map(|(at, _)| at)?)))
        else {
            return;
        };
        drop(world);
        self.world().fired.add(Fault::IdReused);
        let says = Says::Text("other words".to_owned());
        let frame = self.send_frame(peer, id, Some(at.previous()), &says);
        let frame = chat_wire::frames::ClientFrame::SendMessage(frame);
        let text = serde_json::to_string(&frame).expect("strings always serialise");
        self.frame_asked_by(socket, text, None, Asker::Refusal("an id that was used for something else"));
    }
}

/// What only exploring needs: a beginning without a history.
impl Sim {
    pub(crate) fn is_running(&self, task: TaskId) -> bool {
        self.jobs[task].running.is_some()
    }

    pub(crate) fn newest_task(&self) -> TaskId {
        TaskId::new(self.jobs.len() - 1)
    }

    /// From now on the only process has this time, whatever the true one is.
    pub(crate) fn set_clock(&mut self, ms: i64) {
        let skew_ms = ms - self.world().now_ms;
        self.skews_ms.iter_mut().for_each(|skew| *skew = skew_ms);
    }

    /// A device has a socket of its number, open for a while.
    pub(crate) fn open_for_exploring(&mut self, device: DeviceId) {
        let user = self.devices[device].user;
        let mut world = self.world();
        let connected_at = timestamp(world.now_ms - 60_000);
        let socket = world.sockets.next_id();
        world.make_socket(Socket::opening(socket, user, device, 0, connected_at));
        world.sockets_reopen();
    }

    /// The gateway says that a device's socket has closed.
    pub(crate) fn close_for_exploring(&mut self, device: DeviceId) {
        let socket = SocketId::new(device.index());
        self.world().sockets[socket].at_gateway = End::Closed;
        self.invoke_disconnect(socket, 0);
    }

    /// The first user has proposed a match.
    pub(crate) fn propose_for_exploring(&mut self) {
        let mut world = self.world();
        let id = ClientMessageId::from_u128(0x4000);
        let (one, other) = (User::new(0), User::new(1));
        world.write(&Written {
            user: one,
            peer: other,
            device: None,
            id: Some(id),
            says: Says::Proposal("field".to_owned()),
            unattended: true,
            without_after: false,
        });
        let room = world.directory.room_of(one, other).clone();
        let sender = world.directory.member(one, other);
        let content = Content::MatchProposal(proposal("field").try_into().expect("it is well-formed"));
        let draft = Draft { id, sender, content };
        let now = timestamp(world.now_ms);
        let append = Room::empty(room).append(&draft, now, SendRate::default()).expect("it is the first");
        world.late(&Call::Commit(Box::new(append)));
    }
}

/// Of whom an event is.
#[derive(Clone, Copy)]
struct Facts {
    socket: Option<SocketId>,
    user: User,
    token: Option<TokenId>,
}

/// A response's body, if it has one.
fn text(response: &ApiGatewayProxyResponse) -> &str {
    match &response.body {
        Some(Body::Text(text)) => text,
        _ => "",
    }
}

/// Runs a plan.
pub(crate) fn run(plan: &Plan, build: Build, client_bug: Option<ClientBug>, verbose: bool) -> Report {
    Sim::new(plan, build, client_bug, verbose).run()
}
