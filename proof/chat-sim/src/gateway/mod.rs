//! The gateway: it makes events of what clients do, hands them to processes, sooner or later, once or twice,
//! and knows who waits for the answer.

mod line;
mod request;

use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};

use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use chat_domain::{Append, ConsentChange, Timestamp};
use chat_wire::frames::ServerFrame;
use chat_wire::table::SUBPROTOCOL;
use http::HeaderValue;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};

pub(crate) use self::line::Line;
pub(crate) use self::request::{HttpRequest, Request, Response};
use crate::directory::Directory;
use crate::environment::{
    CLOCK_JUMP_MAX_MS, CLOCK_SKEW_MAX_MS, CallOutcome, End, Environment, Happening, Socket, note, timestamp,
};
use crate::faults::Fault;
use crate::ids::{
    DeviceId, Id, IdVec, IntentId, ProcessId, RegionId, SocketId, TaskId, TicketId, TokenId, User, numbered,
};
use crate::observations::{EventKind, Observation, TaskFacts};
use crate::plan::Plan;
use crate::ports::SharedEnvironment;
use crate::server::{Build, GatewayEvent, Order, Running, Server};

/// How many handlers most schedules run.
const TASKS_USUAL: usize = 256;
/// How long the gateway waits for a handler that is gone.
pub(crate) const GIVEN_UP_AFTER_MS: i64 = 20_000;
/// How long it takes the gateway to notice that a handler was killed.
const KILLED_NOTICED_AFTER_MS: i64 = 5;

/// Who waits for a handler's answer.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Nobody,
    /// A socket is being opened.
    Connect(SocketId),
    /// A frame came on a socket, and is about something.
    Frame(SocketId, About),
    /// A device has made a request, in a life of its client's.
    Rest {
        device: DeviceId,
        epoch: u32,
        request: Request,
        retried: bool,
    },
    /// The answer has to refuse: a foreign cursor, a reused id.
    Refusal(&'static str),
    /// Whoever runs the chat has given an order about a user.
    Operator(User, Order),
}

/// What a frame is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    /// It sends what somebody meant to say.
    Intent(IntentId),
    /// It says how far the conversation with a user was read.
    Mark(User, Timestamp),
    /// It says what its user has decided about another one.
    Consent(User, ConsentChange),
    /// It reports so many messages of the conversation with a user.
    Report(User, u32),
    Other,
}

/// The device that something comes from, in a life of its client's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceLife {
    pub(crate) device: DeviceId,
    pub(crate) user: User,
    pub(crate) epoch: u32,
}

/// A handler's answer, taken apart.
pub(crate) enum HandlerAnswer {
    /// A frame, or none.
    Frame(Option<Box<ServerFrame>>),
    Rest(Response),
    /// Whether an order was carried out.
    Receipt(bool),
    /// Nobody looks into it.
    Other,
}

/// A handler, before, while and after it runs.
struct Task {
    event: Option<GatewayEvent>,
    process: ProcessId,
    running: Option<Running>,
    answer: Option<HandlerAnswer>,
    asker: Asker,
    /// The answer has reached whoever asked, or nobody waits for it any more.
    answered: bool,
}

/// A process that stays warm between events.
struct Process {
    server: Box<dyn Server>,
    /// How many there were in its place before.
    life: u32,
    /// How far off its clock is.
    skew_ms: i64,
}

/// Of whom an event is.
#[derive(Clone, Copy)]
struct Facts {
    kind: EventKind,
    socket: Option<SocketId>,
    user: User,
    token: Option<TokenId>,
}

/// An event that is about to be handed to a process.
struct Delivery {
    event: GatewayEvent,
    facts: Facts,
    asker: Asker,
    process: ProcessId,
    /// The time that the event carries.
    now: Timestamp,
    delay_ms: i64,
}

pub(crate) struct Gateway {
    directory: Arc<Directory>,
    shared: SharedEnvironment,
    build: Build,
    processes: IdVec<ProcessId, Process>,
    /// How many regions there are.
    regions: usize,
    tasks: IdVec<TaskId, Task>,
    /// How many requests by REST are on their way.
    pending_requests: usize,
    /// How many handlers run, or will.
    busy: usize,
}

impl Gateway {
    pub(crate) fn new(environment: Environment, skews_ms: Vec<i64>, build: Build) -> Self {
        let directory = Arc::clone(environment.directory());
        let regions = environment.region_count();
        let shared = SharedEnvironment::new(environment);
        let processes =
            skews_ms.into_iter().map(|skew_ms| Process { server: build(&shared), life: 0, skew_ms });
        Self {
            processes: processes.collect(),
            regions,
            directory,
            shared,
            build,
            tasks: IdVec::with_capacity(TASKS_USUAL),
            pending_requests: 0,
            busy: 0,
        }
    }

    /// How far off each process's clock is.
    pub(crate) fn draw_skews_ms(environment: &mut Environment, plan: &Plan) -> Vec<i64> {
        let is_on = plan.rates.is_on(Fault::ClockSkew);
        let mut skew =
            || if is_on { environment.random_ms(-CLOCK_SKEW_MAX_MS..CLOCK_SKEW_MAX_MS) } else { 0 };
        (0..plan.processes).map(|_| skew()).collect()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn environment(&self) -> MutexGuard<'_, Environment> {
        self.shared.environment()
    }

    /// From now on every process has a clock that is so far off.
    pub(crate) fn set_clocks(&mut self, skew_ms: i64) {
        for process in &mut self.processes {
            process.skew_ms = skew_ms;
        }
    }

    /// Whether no handler runs, and no request is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy == 0 && self.pending_requests == 0
    }

    pub(crate) fn is_running(&self, task: TaskId) -> bool {
        self.tasks[task].running.is_some()
    }

    /// Whether the processes count all that a user asks.
    pub(crate) fn counts_requests(&self) -> bool {
        self.processes.iter().all(|process| process.server.counts_requests())
    }

    /// The handler that an event was handed to last.
    pub(crate) fn newest_task(&self) -> TaskId {
        TaskId::new(self.tasks.len() - 1)
    }

    pub(crate) fn asker(&self, task: TaskId) -> &Asker {
        &self.tasks[task].asker
    }

    /// A device opens a socket; one that is silent has no client but listens.
    pub(crate) fn connect(&mut self, life: DeviceLife, token: TokenId, silent: bool) -> (SocketId, TaskId) {
        let DeviceLife { device, user, epoch } = life;
        let mut environment = self.environment();
        let connected_at = timestamp(environment.now_ms());
        let socket = environment.make_socket((user, device, epoch), connected_at, silent);
        let aborts = environment.is_drawn(Fault::DisconnectBeforeConnect);
        drop(environment);
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        let offered = format!("{SUBPROTOCOL}, {}", numbered("token-", token));
        event.headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::try_from(offered).expect("it is ASCII"));
        let facts = Facts { kind: EventKind::Connect, socket: Some(socket), user, token: Some(token) };
        let task = self.invoke(GatewayEvent::Connect(Box::new(event)), facts, Asker::Connect(socket), 0);
        if aborts {
            let mut environment = self.environment();
            note!(environment, "device {device} gives up socket {socket} while it is being opened");
            environment.abort(socket);
            environment.after(1, Happening::ClientLoses(socket));
            drop(environment);
            self.disconnect(socket, 0);
        }
        (socket, task)
    }

    /// The gateway tells of a socket that has closed.
    pub(crate) fn disconnect(&mut self, socket: SocketId, delay_ms: i64) -> TaskId {
        let user = self.environment().socket(socket).user;
        let event = GatewayEvent::Disconnect(Box::default());
        let facts = Facts { kind: EventKind::Disconnect, socket: Some(socket), user, token: None };
        self.invoke(event, facts, Asker::Nobody, delay_ms)
    }

    /// A frame leaves on a socket, if it is open.
    pub(crate) fn frame(
        &mut self,
        socket: SocketId,
        frame: String,
        token: Option<TokenId>,
        asker: Asker,
    ) -> Option<TaskId> {
        let environment = self.environment();
        let (end, user) = (environment.socket(socket).at_gateway, environment.socket(socket).user);
        drop(environment);
        note!(self.environment(), "socket {socket} says {frame}");
        if end != End::Open {
            return None;
        }
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.body = Some(frame);
        let facts = Facts { kind: EventKind::Frame, socket: Some(socket), user, token };
        Some(self.invoke(GatewayEvent::Frame(Box::new(event)), facts, asker, 0))
    }

    /// A user makes a request by REST.
    pub(crate) fn rest(&mut self, user: User, http: HttpRequest, token: TokenId, asker: Asker) -> TaskId {
        if let Asker::Rest { .. } = asker {
            self.pending_requests += 1;
        }
        let mut event = ApiGatewayProxyRequest::default();
        event.http_method = http.method;
        event.resource = Some(http.resource.to_owned());
        event.body = http.body;
        let bearer = HeaderValue::try_from(numbered("Bearer token-", token)).expect("it is ASCII");
        event.headers.insert(AUTHORIZATION, bearer);
        let query = http.query.into_iter().map(|(name, value)| (name.to_owned(), vec![value]));
        let query: std::collections::HashMap<String, Vec<String>> = query.collect();
        event.multi_value_query_string_parameters = query.into();
        let facts = Facts { kind: EventKind::Rest, socket: None, user, token: Some(token) };
        self.invoke(GatewayEvent::Rest(Box::new(event)), facts, asker, 0)
    }

    /// Whoever runs the chat gives an order about a user.
    pub(crate) fn operate(&mut self, user: User, order: Order) -> TaskId {
        let email = self.directory.email(user).clone();
        let event = GatewayEvent::Operate(order, email, Timestamp::UNIX_EPOCH);
        let facts = Facts { kind: EventKind::Operator, socket: None, user, token: None };
        self.invoke(event, facts, Asker::Operator(user, order), 0)
    }

    /// Hands an event to a process, sooner or later, once or twice.
    fn invoke(&mut self, mut event: GatewayEvent, facts: Facts, asker: Asker, delay_ms: i64) -> TaskId {
        let mut environment = self.environment();
        let process = self.process_for(&mut environment, facts);
        let recycled = environment.hit(Fault::ProcessRecycled);
        let jumps = environment.hit(Fault::ClockJumpsBack);
        let back_ms = if jumps { environment.random_ms(0..CLOCK_JUMP_MAX_MS) } else { 0 };
        let late = environment.hit(Fault::InvocationDelayed);
        let delay = if late { environment.random_ms(50..10_000) } else { environment.random_ms(1..=10) };
        let may_be_doubled = !matches!(facts.kind, EventKind::Rest | EventKind::Operator);
        let doubled = may_be_doubled && environment.hit(Fault::InvocationDoubled);
        let second_ms = environment.random_ms(1..3_000);
        drop(environment);
        if recycled {
            self.processes[process].server = (self.build)(&self.shared);
            self.processes[process].life += 1;
        }
        let skew_ms = self.processes[process].skew_ms;
        let mut environment = self.environment();
        let now = timestamp(environment.now_ms() + skew_ms - back_ms);
        if skew_ms != 0 && environment.is_on(Fault::ClockSkew) {
            environment.happened(Fault::ClockSkew);
        }
        stamp(&mut event, self.tasks.next_id(), facts.socket.map(|socket| environment.socket(socket)), now);
        if let (EventKind::Connect, Some(socket)) = (facts.kind, facts.socket) {
            environment.connected_at(socket, now);
        }
        presented(&mut environment, facts, now);
        drop(environment);
        let delay_ms = delay_ms + delay;
        if doubled {
            let asker = if let Asker::Frame(..) = &asker { asker.clone() } else { Asker::Nobody };
            let event = event.clone();
            self.deliver(Delivery { event, facts, asker, process, now, delay_ms: delay_ms + second_ms });
        }
        self.deliver(Delivery { event, facts, asker, process, now, delay_ms })
    }

    /// A process of the region in which the event arises.
    fn process_for(&self, environment: &mut Environment, facts: Facts) -> ProcessId {
        if !environment.spans_regions() {
            return environment.random_one(self.processes.len());
        }
        let region = facts.socket.map(|socket| environment.socket(socket).region);
        let region = region.unwrap_or_else(|| environment.region_for(None));
        let count = environment.region_count();
        let of_region = (self.processes.len() - region.index()).div_ceil(count);
        let place: ProcessId = environment.random_one(of_region);
        ProcessId::new(region.index() + place.index() * count)
    }

    /// The region of a process: they take turns.
    fn region_of(&self, process: ProcessId) -> RegionId {
        RegionId::new(process.index() % self.regions)
    }

    /// A region goes: its handlers stop where they are, and its processes are other ones afterwards.
    pub(crate) fn lose_region(&mut self, region: RegionId, for_ms: i64) {
        self.environment().lose_region(region, for_ms);
        for process in self.processes.ids().filter(|it| self.region_of(*it) == region).collect::<Vec<_>>() {
            self.processes[process].server = (self.build)(&self.shared);
            self.processes[process].life += 1;
        }
        let running = self.tasks.enumerated().filter(|(_, task)| task.running.is_some());
        let lost = running.filter(|(_, task)| self.region_of(task.process) == region).map(|(task, _)| task);
        for task in lost.collect::<Vec<_>>() {
            self.environment().leave_writes(task);
            self.stop(task);
        }
    }

    /// A handler does nothing any more. Whoever asked is told that there is no answer.
    fn stop(&mut self, task: TaskId) {
        self.environment().observe(&Observation::Killed { task });
        self.busy -= usize::from(self.tasks[task].running.take().is_some());
        self.environment().after(KILLED_NOTICED_AFTER_MS, Happening::GiveUp(task));
    }

    fn deliver(&mut self, delivery: Delivery) -> TaskId {
        let Delivery { event, facts, asker, process, now, delay_ms } = delivery;
        let Facts { kind, socket, user, token } = facts;
        let mut environment = self.environment();
        let asked_ms = environment.now_ms();
        let token_counts =
            token.is_some_and(|token| environment.identities().is_good(token, user, now, asked_ms));
        let decides = match asker {
            Asker::Frame(_, About::Consent(peer, change)) => Some((peer, change)),
            _ => None,
        };
        let charged = match asker {
            // A report is as much work as its messages.
            Asker::Frame(_, About::Report(_, messages)) => 1 + messages,
            _ => 1,
        };
        let life = self.processes[process].life;
        let facts = TaskFacts {
            kind,
            socket,
            user,
            process: (process, life),
            token,
            token_counts,
            decides,
            charged,
            now,
            asked_ms,
        };
        environment.observe(&Observation::Invoked(facts));
        environment.after(delay_ms, Happening::Start(self.tasks.next_id()));
        drop(environment);
        self.busy += 1;
        let event = Some(event);
        self.tasks.push(Task { event, process, running: None, answer: None, asker, answered: false })
    }

    /// A handler begins. Returns its answer if it has one at once.
    pub(crate) fn begin(&mut self, task: TaskId) -> Option<ApiGatewayProxyResponse> {
        let event = self.tasks[task].event.take()?;
        let process = &self.processes[self.tasks[task].process];
        let mut environment = self.shared.environment();
        if !environment.is_there(self.region_of(self.tasks[task].process)) {
            environment.after(GIVEN_UP_AFTER_MS, Happening::GiveUp(task));
            drop(environment);
            self.busy -= 1;
            return None;
        }
        environment.observe(&Observation::Begun { task, life: process.life });
        let facts = environment.record().tasks[task];
        note!(environment, "task {task} begins: {facts:?}");
        environment.run_as(task);
        drop(environment);
        let running = process.server.handle(event);
        self.tasks[task].running = Some(running);
        self.poll(task)
    }

    /// A call gets its turn, and meets what is drawn for it. Returns its handler's answer, if that has one
    /// now.
    pub(crate) fn turn(&mut self, ticket: TicketId) -> Option<(TaskId, ApiGatewayProxyResponse)> {
        let mut environment = self.shared.environment();
        let task = environment.task_of(ticket)?;
        self.tasks[task].running.as_ref()?;
        let outcome = environment.draw(ticket);
        let lives = environment.turn(ticket, outcome);
        environment.run_as(task);
        drop(environment);
        Some((task, self.had_turn(task, outcome, lives)?))
    }

    /// The same with what it is to meet.
    pub(crate) fn turn_with(
        &mut self,
        ticket: TicketId,
        outcome: CallOutcome,
    ) -> Option<(TaskId, ApiGatewayProxyResponse)> {
        let mut environment = self.environment();
        let task = environment.task_of(ticket)?;
        let lives = environment.turn(ticket, outcome);
        environment.run_as(task);
        drop(environment);
        Some((task, self.had_turn(task, outcome, lives)?))
    }

    fn had_turn(
        &mut self,
        task: TaskId,
        outcome: CallOutcome,
        lives: bool,
    ) -> Option<ApiGatewayProxyResponse> {
        if lives {
            return self.poll(task);
        }
        note!(self.environment(), "task {task} is killed ({outcome:?})");
        self.stop(task);
        None
    }

    /// The environment knows that it is this handler that runs.
    fn poll(&mut self, task: TaskId) -> Option<ApiGatewayProxyResponse> {
        let running = self.tasks[task].running.as_mut()?;
        let Poll::Ready(response) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            return None;
        };
        self.tasks[task].running = None;
        self.busy -= 1;
        Some(response)
    }

    /// A handler's answer is on its way to whoever waits for it.
    pub(crate) fn send_answer(&mut self, task: TaskId) {
        let mut environment = self.environment();
        if environment.hit(Fault::AckLost) {
            environment.after(GIVEN_UP_AFTER_MS, Happening::GiveUp(task));
        } else {
            let delay = environment.random_ms(1..=20);
            environment.after(delay, Happening::Answer(task));
        }
    }

    pub(crate) fn keep_answer(&mut self, task: TaskId, answer: HandlerAnswer) {
        self.tasks[task].answer = Some(answer);
    }

    /// Whoever waits is told now: by an answer, or that there is none. `None` if that was so before.
    pub(crate) fn take_answer(&mut self, task: TaskId) -> Option<(Asker, Option<HandlerAnswer>)> {
        let told = &mut self.tasks[task];
        if std::mem::replace(&mut told.answered, true) {
            return None;
        }
        let (asker, answer) = (told.asker.clone(), told.answer.take());
        if let Asker::Rest { .. } = asker {
            self.pending_requests -= 1;
        }
        Some((asker, answer))
    }

    /// Stores a message, past all handlers.
    pub(crate) fn store_at_once(&self, append: Append) {
        self.shared.store_at_once(append);
    }

    /// The client's end of a socket closes.
    pub(crate) fn drop_socket(&mut self, socket: SocketId) {
        let mut environment = self.environment();
        if !environment.close_at_client(socket) {
            return;
        }
        let half_open = environment.hit(Fault::HalfOpen);
        let noticed = if half_open { 30_000..600_000 } else { 1..200 };
        let noticed_ms = environment.random_ms(noticed);
        environment.after(noticed_ms, Happening::GatewayLoses(socket));
    }

    /// The gateway's end of a socket closes.
    pub(crate) fn lose(&mut self, socket: SocketId) {
        let mut environment = self.environment();
        if environment.socket(socket).at_gateway == End::Closed {
            return;
        }
        environment.close_at_gateway(socket);
        note!(environment, "the gateway closes socket {socket}");
        if environment.socket(socket).at_client {
            let delay = environment.random_ms(1..200);
            environment.after(delay, Happening::ClientLoses(socket));
        }
        if environment.hit(Fault::DisconnectLost) {
            return;
        }
        let late = environment.hit(Fault::DisconnectLate);
        let delay = if late { environment.random_ms(1_000..600_000) } else { environment.random_ms(1..50) };
        let doubled = environment.hit(Fault::DisconnectDoubled);
        drop(environment);
        for _ in 0..=usize::from(doubled) {
            self.disconnect(socket, delay);
        }
    }
}

/// Writes into an event what the gateway knows of it.
fn stamp(event: &mut GatewayEvent, task: TaskId, socket: Option<&Socket>, now: Timestamp) {
    match event {
        GatewayEvent::Connect(event) | GatewayEvent::Disconnect(event) | GatewayEvent::Frame(event) => {
            let context = &mut event.request_context;
            context.connection_id = socket.map(|socket| socket.id.as_str().to_owned());
            context.request_id = Some(numbered("request-", task));
            context.message_id = Some(numbered("message-", task));
            context.request_time_epoch = now.unix_ms();
        }
        GatewayEvent::Rest(event) => {
            event.request_context.request_id = Some(numbered("request-", task));
            event.request_context.request_time_epoch = now.unix_ms();
        }
        GatewayEvent::Operate(_, _, at) => *at = now,
    }
    if let GatewayEvent::Connect(event) = event {
        event.request_context.connected_at = now.unix_ms();
    }
}

/// A token was presented on a socket: from now on its login may count, or count for longer. A token that has
/// expired is counted as a fault, if that fault is on: tokens of a whole hour sometimes expire without it.
fn presented(environment: &mut Environment, facts: Facts, now: Timestamp) {
    let expires_at = match (facts.kind, facts.socket, facts.token) {
        (EventKind::Frame, Some(socket), _) => Some(environment.socket(socket).fresh_until),
        (_, _, token) => token.map(|token| environment.identities().expires_at(token)),
    };
    let has_expired = expires_at.is_some_and(|expires_at| expires_at <= now);
    if environment.is_on(Fault::TokenExpires) && has_expired {
        environment.happened(Fault::TokenExpires);
    }
    let (EventKind::Connect | EventKind::Frame, Some(socket), Some(token)) =
        (facts.kind, facts.socket, facts.token)
    else {
        return;
    };
    let asked_ms = environment.now_ms();
    if environment.identities().is_good(token, facts.user, now, asked_ms) {
        let expires_at = environment.identities().expires_at(token);
        environment.extend_login(socket, expires_at);
    }
}
