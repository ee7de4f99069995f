//! Handlers' answers: what they say is observed, and they reach whoever asked.

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_domain::{ClientMessageId, ConsentChange, PAGE_MAX, PageRange};
use chat_wire::error::ErrorCode;
use chat_wire::frames::ServerFrame;

use super::Simulation;
use crate::environment::{End, Happening};
use crate::faults::Fault;
use crate::gateway::{About, Asker, HandlerAnswer, Request, Response};
use crate::ids::{IntentId, TaskId, User};
use crate::observations::{Answer, AskedPage, Observation};

/// How long the gateway lets `$connect` take.
const CONNECT_MAX_MS: i64 = 29_000;

/// A response's body, if it has one.
pub(super) fn text(response: &ApiGatewayProxyResponse) -> &str {
    match &response.body {
        Some(Body::Text(text)) => text,
        _ => "",
    }
}

impl Simulation {
    /// If a handler's answer opens a socket, it is open now, or the gateway takes its time, though not longer
    /// than it gives
    /// `$connect`; or it fails all the same. Says whether the answer waits for that.
    pub(super) fn opens_later(&self, task: TaskId, is_accepted: bool) -> bool {
        let Asker::Connect(socket) = *self.gateway.asker(task) else { return false };
        let mut environment = self.environment();
        if !is_accepted || environment.socket(socket).at_gateway != End::Opening {
            return false;
        }
        if environment.hit(Fault::UpgradeFails) {
            environment.close_at_gateway(socket);
        } else if !environment.is_explored() && environment.is_drawn(Fault::GoneDuringConnect) {
            let asked_ms = environment.record().tasks[task].asked_ms;
            let left_ms = (asked_ms + CONNECT_MAX_MS - environment.now_ms()).max(1);
            let delay = environment.random_ms(0..left_ms);
            environment.after(delay, Happening::Open(task, socket));
            return true;
        } else {
            environment.open_at_gateway(socket);
        }
        false
    }

    fn observe_answer(&self, task: TaskId, answer: Answer<'_>) {
        self.environment().observe(&Observation::Answered { task, answer });
    }

    /// Takes an answer apart, and observes what it says at the moment it is given.
    pub(super) fn take_apart(&self, task: TaskId, status: i64, body: &str) -> HandlerAnswer {
        match self.gateway.asker(task) {
            Asker::Nobody => HandlerAnswer::Other,
            Asker::Connect(_) => {
                if status == 200 {
                    self.observe_answer(task, Answer::Connected);
                }
                HandlerAnswer::Other
            }
            Asker::Frame(..) if body.is_empty() => HandlerAnswer::Frame(None),
            Asker::Frame(_, about) => {
                let Ok(frame) = serde_json::from_str(body) else { return self.unreadable(task, body) };
                self.frame_answered(task, *about, &frame);
                HandlerAnswer::Frame(Some(Box::new(frame)))
            }
            Asker::Operator(..) => HandlerAnswer::Receipt(status == 200),
            Asker::Refusal(what) => {
                let is_error = |frame| matches!(frame, ServerFrame::Error(_));
                let is_refused =
                    status >= 400 || body.is_empty() || serde_json::from_str(body).is_ok_and(is_error);
                if !is_refused {
                    self.observe_answer(task, Answer::NotRefused { what, body });
                }
                HandlerAnswer::Other
            }
            Asker::Rest { request, .. } => {
                let parsed = match (request, status) {
                    (Request::List(_), 200) => serde_json::from_str(body).map(Response::List),
                    (Request::Propose(..), 200) => serde_json::from_str(body).map(Response::Sent),
                    (_, 200) => serde_json::from_str(body).map(Response::History),
                    _ => serde_json::from_str(body).map(Response::Refused),
                };
                let Ok(response) = parsed else { return self.unreadable(task, body) };
                self.rest_answered(task, request, &response);
                HandlerAnswer::Rest(response)
            }
        }
    }

    fn unreadable(&self, task: TaskId, body: &str) -> HandlerAnswer {
        self.observe_answer(task, Answer::Unreadable { body });
        HandlerAnswer::Other
    }

    fn frame_answered(&self, task: TaskId, about: About, frame: &ServerFrame) {
        let answer = match (frame, about) {
            (ServerFrame::Sent(sent), About::Intent(intent)) => Answer::Sent { intent, sent },
            (ServerFrame::Error(error), About::Intent(intent)) => Answer::Refused { intent, error },
            (ServerFrame::Read(told), About::Mark(peer, asked)) => Answer::Marked { peer, asked, told },
            (ServerFrame::Accept(told), About::Consent(peer, change @ ConsentChange::Accept))
            | (ServerFrame::Block(told), About::Consent(peer, change @ ConsentChange::Block))
            | (ServerFrame::Unblock(told), About::Consent(peer, change @ ConsentChange::Unblock)) => {
                Answer::Decided { peer, change, told }
            }
            (ServerFrame::Reported(told), About::Report(peer, _)) => Answer::Reported { peer, told },
            (ServerFrame::Pong(_), About::Other) => Answer::Pong,
            (ServerFrame::Reauth(_), About::Other) => Answer::Reauthenticated,
            (ServerFrame::Error(error), _) if error.code == ErrorCode::RateLimited => Answer::TooFast,
            (ServerFrame::Error(_), _) => return,
            _ => Answer::Unexpected { frame },
        };
        self.observe_answer(task, answer);
    }

    fn rest_answered(&self, task: TaskId, request: &Request, response: &Response) {
        let page = |peer: &User, range, limit| Some(AskedPage { peer: *peer, range, limit });
        let asked = match request {
            Request::List(_) | Request::Propose(..) => None,
            Request::Newest(peer) => page(peer, PageRange::Newest, PAGE_MAX),
            Request::One(peer) => page(peer, PageRange::Newest, 1),
            Request::After(peer, after, _) | Request::Resync(peer, _, after) => {
                page(peer, PageRange::After(*after), PAGE_MAX)
            }
            Request::Older(peer, before) => page(peer, PageRange::Before(*before), PAGE_MAX),
        };
        let intent = if let Request::Propose(_, id) = request { self.intent_of(*id) } else { None };
        let answer = match (response, asked, intent) {
            (Response::History(body), Some(asked), _) => Answer::History { asked, body },
            (Response::List(body), ..) => {
                Answer::Conversations { first_page: *request == Request::List(None), body }
            }
            (Response::Sent(sent), _, Some(intent)) => Answer::Sent { intent, sent },
            (Response::Refused(error), _, Some(intent))
                if !matches!(error.code, ErrorCode::Unauthorized | ErrorCode::Suspended) =>
            {
                Answer::Refused { intent, error }
            }
            _ => return,
        };
        self.observe_answer(task, answer);
    }

    /// What the message of an id means, if it still waits in an outbox.
    fn intent_of(&self, id: ClientMessageId) -> Option<IntentId> {
        let mut entries = self.clients.iter().flat_map(|client| client.outbox());
        entries.find(|entry| entry.id == id).map(|entry| entry.intent)
    }

    /// The gateway tells whoever waits that nobody will answer.
    pub(super) fn give_up(&mut self, task: TaskId) {
        let Some((asker, answer)) = self.gateway.take_answer(task) else { return };
        match asker {
            Asker::Nobody | Asker::Refusal(_) => {}
            Asker::Operator(user, order) => self.operated(user, order, false),
            Asker::Connect(socket) => {
                let mut environment = self.environment();
                if environment.socket(socket).at_gateway == End::Opening {
                    environment.close_at_gateway(socket);
                }
                drop(environment);
                self.connect_answered(socket);
            }
            Asker::Frame(socket, _) => {
                // The gateway tells the client when a handler has failed, and says nothing when an answer is
                // lost.
                if let (None, Some(device)) = (answer, self.listener(socket)) {
                    self.with(device, |client, line| client.gateway_failed(line));
                }
            }
            Asker::Rest { device, epoch, request, retried } => {
                if self.clients[device].epoch() == epoch {
                    self.with(device, |client, line| client.answered(line, request, Response::Lost, retried));
                }
            }
        }
    }

    /// An answer reaches whoever waits for it.
    pub(super) fn answer(&mut self, task: TaskId) {
        let Some((asker, Some(answered))) = self.gateway.take_answer(task) else { return };
        match (asker, answered) {
            (Asker::Connect(socket), _) => self.connect_answered(socket),
            (Asker::Operator(user, order), HandlerAnswer::Receipt(is_done)) => {
                self.operated(user, order, is_done);
            }
            (Asker::Frame(socket, _), HandlerAnswer::Frame(Some(frame))) => {
                if let Some(device) = self.listener(socket) {
                    self.hear(device, &frame, false);
                }
            }
            (Asker::Rest { device, epoch, request, retried }, answered)
                if self.clients[device].epoch() == epoch =>
            {
                let response =
                    if let HandlerAnswer::Rest(response) = answered { response } else { Response::Lost };
                self.with(device, |client, line| client.answered(line, request, response, retried));
            }
            _ => {}
        }
    }
}
