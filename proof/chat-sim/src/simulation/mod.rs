//! One schedule: what happens when, to whom. In the first half of it anything goes wrong; in the second
//! nothing does, and everything has to come to rest.

mod acts;
mod answers;
mod convergence;
mod operator;

use std::sync::MutexGuard;

use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_wire::frames::ServerFrame;

use crate::checkers::Violation;
use crate::client::{Client, ClientBug};
use crate::environment::{CallOutcome, End, Environment, Happening, Timer, note};
use crate::faults::{Counters, Fault};
use crate::gateway::{Gateway, Line};
use crate::ids::{DeviceId, IdVec, SocketId, TaskId, TicketId, User};
use crate::observations::Observation;
use crate::plan::{Act, Plan};
use crate::server::Build;

pub(crate) use self::acts::effect_of;

/// How many things may happen in one schedule: several times more than ever do.
const STEPS_MAX: u64 = 200_000;
/// Within which time every device is started.
const STARTED_WITHIN_MS: i64 = 300;
/// How long the first half goes on after the last thing of the plan.
const AFTERMATH_MS: i64 = 3_000;

/// What came of a schedule.
pub(crate) struct ScheduleResult {
    pub(crate) violation: Option<Violation>,
    pub(crate) fired: Counters,
    pub(crate) history: Vec<String>,
    /// The same for the same schedule.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
}

/// A schedule that is run.
pub(crate) struct Simulation {
    pub(crate) gateway: Gateway,
    clients: IdVec<DeviceId, Client>,
    plan: Plan,
    steps: u64,
    /// How many orders of whoever runs the chat are under way, or will be.
    orders: usize,
    /// Nothing goes wrong any more.
    converges: bool,
}

/// Runs a plan, and reports what was broken.
pub(crate) fn run(plan: &Plan, build: Build, client_bug: Option<ClientBug>, verbose: bool) -> ScheduleResult {
    Simulation::new(plan, build, client_bug, verbose).run()
}

impl Simulation {
    pub(crate) fn new(plan: &Plan, build: Build, client_bug: Option<ClientBug>, verbose: bool) -> Self {
        let mut environment = Environment::new(plan.users, plan.run_seed, plan.rates);
        environment.begin_with(plan.first_contact);
        if plan.keeps_out() {
            environment.keep_out();
        }
        if let Some(per_hour) = plan.per_hour {
            environment.allow_per_hour(per_hour);
        }
        environment.store_in(plan.stores);
        if verbose {
            environment.keep_history();
        }
        let skews_ms = Gateway::draw_skews_ms(&mut environment, plan);
        let clients =
            plan.devices.iter().map(|user| Client::new(*user, environment.first_token(*user), client_bug));
        Self {
            clients: clients.collect(),
            gateway: Gateway::new(environment, skews_ms, build),
            plan: plan.clone(),
            steps: 0,
            orders: 0,
            converges: false,
        }
    }

    pub(crate) fn environment(&self) -> MutexGuard<'_, Environment> {
        self.gateway.environment()
    }

    pub(crate) fn client(&self, device: DeviceId) -> &Client {
        &self.clients[device]
    }

    /// Lets a client do something on its line.
    fn with<R>(&mut self, device: DeviceId, act: impl FnOnce(&mut Client, &mut Line<'_>) -> R) -> R {
        let client = &mut self.clients[device];
        let mut line = Line::of(&mut self.gateway, device, client.user());
        act(client, &mut line)
    }

    /// Runs the schedule: first with everything that goes wrong, then without, until all is well.
    fn run(mut self) -> ScheduleResult {
        for device in self.clients.ids() {
            let delay = self.environment().random_ms(0..STARTED_WITHIN_MS);
            self.set_timer(device, delay, Timer::Start);
        }
        for (place, (at, _)) in self.plan.acts.iter().enumerate() {
            self.environment().after(*at, Happening::Act(place));
        }
        let last = self.plan.acts.last().map_or(0, |(at, _)| *at);
        self.run_for(last + AFTERMATH_MS);
        self.converge();
        let mut environment = self.environment();
        if environment.violation().is_none() {
            if self.plan.changes_messages() {
                environment.observe_what_is_left();
            }
            environment.observe(&Observation::Ended);
        }
        ScheduleResult {
            violation: environment.violation().cloned(),
            fired: environment.fired(),
            history: environment.take_history(),
            trace: environment.trace(),
            steps: self.steps,
        }
    }

    fn set_timer(&mut self, device: DeviceId, delay_ms: i64, timer: Timer) {
        let epoch = self.clients[device].epoch();
        self.environment().after(delay_ms, Happening::Timer(device, epoch, timer));
    }

    /// Does something later that the plan does not have.
    fn act_later(&mut self, delay_ms: i64, act: Act) {
        let place = self.plan.acts.len();
        self.plan.acts.push((0, act));
        self.environment().after(delay_ms, Happening::Act(place));
    }

    /// Goes on for a while; says whether all is well so far.
    fn run_for(&mut self, span_ms: i64) -> bool {
        let until_ms = self.environment().now_ms() + span_ms;
        loop {
            let mut environment = self.environment();
            if environment.violation().is_some() {
                return false;
            }
            let Some(happening) = environment.next(until_ms) else {
                environment.wait_until(until_ms);
                return true;
            };
            drop(environment);
            self.steps += 1;
            if self.steps > STEPS_MAX {
                self.environment().observe(&Observation::Endless { steps: STEPS_MAX });
                return false;
            }
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Turn(ticket) => {
                if let Some((task, response)) = self.gateway.turn(ticket) {
                    self.completed(task, &response);
                }
            }
            Happening::Late(call) => self.environment().late(&call),
            Happening::Start(task) => self.begin(task),
            Happening::Open(task, socket) => {
                self.environment().open_at_gateway(socket);
                self.gateway.send_answer(task);
            }
            Happening::GiveUp(task) => self.give_up(task),
            Happening::Answer(task) => self.answer(task),
            Happening::Arrive(socket, frame) => self.arrive(socket, &frame),
            Happening::ClientLoses(socket) => self.client_loses(socket),
            Happening::GatewayLoses(socket) => self.gateway.lose(socket),
            Happening::Timer(device, epoch, timer) => {
                if self.clients[device].epoch() == epoch {
                    self.with(device, |client, line| client.fired(line, timer));
                }
            }
            Happening::Act(place) => {
                let act = self.plan.acts[place].1.clone();
                note!(self.environment(), "{act:?}");
                self.act(act);
            }
        }
    }

    pub(crate) fn begin(&mut self, task: TaskId) {
        if let Some(response) = self.gateway.begin(task) {
            self.completed(task, &response);
        }
    }

    /// Gives a call its turn, with what it is to meet.
    pub(crate) fn turn_with(&mut self, ticket: TicketId, outcome: CallOutcome) {
        if let Some((task, response)) = self.gateway.turn_with(ticket, outcome) {
            self.completed(task, &response);
        }
    }

    /// The device of a socket whose client is still in the life in which it was opened.
    fn listener(&self, socket: SocketId) -> Option<DeviceId> {
        let environment = self.environment();
        let to = environment.socket(socket);
        (to.at_client && self.clients[to.device].epoch() == to.epoch).then_some(to.device)
    }

    /// A frame that was pushed reaches the client's end of a socket.
    fn arrive(&mut self, socket: SocketId, frame: &ServerFrame) {
        let environment = self.environment();
        let to = environment.socket(socket);
        let is_open = to.at_client && to.at_gateway == End::Open;
        let (silent, device, user) = (to.silent, to.device, to.user);
        drop(environment);
        if !is_open {
            return;
        }
        if silent {
            self.show(device, user, frame);
        } else if self.listener(socket).is_some() {
            note!(self.environment(), "device {device} hears {frame:?}");
            self.hear(device, frame, true);
        }
    }

    /// A client hears a frame.
    fn hear(&mut self, device: DeviceId, frame: &ServerFrame, pushed: bool) {
        let client = &self.clients[device];
        if client.is_running() {
            self.show(device, client.user(), frame);
            self.with(device, |client, line| client.heard(line, frame, pushed));
        }
    }

    fn show(&self, device: DeviceId, user: User, frame: &ServerFrame) {
        match frame {
            ServerFrame::Message(message) => {
                self.environment().observe(&Observation::Shown { user, device, message });
            }
            ServerFrame::Changed(frame) => {
                self.environment().observe(&Observation::ChangeShown { frame });
            }
            _ => {}
        }
    }

    /// Whether a socket is the one that its device's client uses.
    fn is_current(&self, socket: SocketId) -> bool {
        let environment = self.environment();
        let to = environment.socket(socket);
        let client = &self.clients[to.device];
        client.epoch() == to.epoch && client.socket() == Some(socket)
    }

    /// A client notices that its socket is closed.
    fn client_loses(&mut self, socket: SocketId) {
        let mut environment = self.environment();
        let (was_open, device) = (environment.close_at_client(socket), environment.socket(socket).device);
        drop(environment);
        if was_open && self.is_current(socket) {
            self.with(device, |client, line| client.closed(line, true));
        }
    }

    /// `$connect` was answered: the socket is open, or it is not.
    fn connect_answered(&mut self, socket: SocketId) {
        let is_current = self.is_current(socket);
        let mut environment = self.environment();
        let to = environment.socket(socket);
        let (device, at_client, silent) = (to.device, to.at_client, to.silent);
        if to.at_gateway != End::Open {
            environment.close_at_client(socket);
            drop(environment);
            if is_current {
                self.with(device, |client, line| client.closed(line, false));
            }
            return;
        }
        drop(environment);
        if silent && at_client {
            return;
        }
        if at_client && is_current {
            return self.opened(device, socket);
        }
        self.gateway.lose(socket);
    }

    fn opened(&mut self, device: DeviceId, socket: SocketId) {
        let user = self.clients[device].user();
        let is_elsewhere = self.clients.enumerated().any(|(other, client)| {
            other != device && client.user() == user && client.open_socket().is_some()
        });
        if is_elsewhere {
            self.environment().happened(Fault::TwoDevices);
        }
        self.with(device, |client, line| client.opened(line, socket));
    }

    fn completed(&mut self, task: TaskId, response: &ApiGatewayProxyResponse) {
        let body = answers::text(response);
        note!(self.environment(), "task {task} answers {} {body}", response.status_code);
        let answer = self.take_apart(task, response.status_code, body);
        self.gateway.keep_answer(task, answer);
        if !self.opens_later(task, response.status_code == 200) {
            self.gateway.send_answer(task);
        }
    }
}
