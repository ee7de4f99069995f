//! The real functions, but that some events go to others which are wrong about what people have decided about
//! each other.

use std::sync::Arc;

use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, DecoratedConnectionStore, DecoratedMessageStore,
    DecoratedReportStore, MessageStoreCall, MessageStoreReply, Outcome, Port as _, ReportStoreCall,
    ReportStoreReply,
};
use chat_domain::{
    Advance, ConsentWrite, Consistency, FirstContact, Member, MessageStore, PerMember, Report, Room, RoomId,
    Timestamp,
};
use chat_wire::{Ports, Settings};
use serde_json::Value;

use super::base::{over, real};
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Real, Running, Server};

/// The real functions for all events but those that the wrong ones are meant to get.
struct Routed {
    real: Box<dyn Server>,
    wrong: Real,
    to_wrong: Route,
}

/// Which events go to the wrong functions.
#[derive(Clone, Copy)]
pub(super) enum Route {
    /// The frames of an action.
    Frames(&'static str),
    /// The frames of every action.
    AnyFrame,
    /// The requests of a route.
    Rest(&'static str),
    /// What opens a socket.
    Connects,
    /// The orders of whoever runs the chat.
    Orders,
}

impl Route {
    fn is_for(self, event: &GatewayEvent) -> bool {
        match (self, event) {
            (Self::Frames(action), GatewayEvent::Frame(frame)) => {
                let body: Value =
                    serde_json::from_str(frame.body.as_deref().unwrap_or_default()).unwrap_or_default();
                body.get("action").and_then(Value::as_str) == Some(action)
            }
            (Self::AnyFrame, GatewayEvent::Frame(_))
            | (Self::Connects, GatewayEvent::Connect(_))
            | (Self::Orders, GatewayEvent::Operate(..)) => true,
            (Self::Rest(resource), GatewayEvent::Rest(request)) => {
                request.resource.as_deref() == Some(resource)
            }
            _ => false,
        }
    }
}

impl Server for Routed {
    fn handle(&self, event: GatewayEvent) -> Running {
        if self.to_wrong.is_for(&event) { self.wrong.handle(event) } else { self.real.handle(event) }
    }
}

pub(super) fn routed(shared: &SharedEnvironment, to_wrong: Route, wrong: Real) -> Box<dyn Server> {
    Box::new(Routed { real: real(shared), wrong, to_wrong })
}

/// Some events are handled as if no conversation were a request.
pub(super) fn as_if_open(shared: &SharedEnvironment, to_wrong: Route) -> Box<dyn Server> {
    let settings = Settings { first_contact: FirstContact::Open, ..shared.environment().settings() };
    routed(shared, to_wrong, Real::over(&shared.ports(), &settings))
}

/// Some events are handled over a message store with a bug.
pub(super) fn over_messages<F>(shared: &SharedEnvironment, to_wrong: Route, bug: F) -> Box<dyn Server>
where
    F: for<'a> Fn(MessageStoreCall<'a>, &'a Arc<dyn MessageStore>) -> Outcome<'a, dyn MessageStore>,
    F: Send + Sync + 'static,
{
    let mut ports = shared.ports();
    ports.messages = Arc::new(DecoratedMessageStore::new(ports.messages, bug));
    routed(shared, to_wrong, over(shared, &ports))
}

/// A room in which nobody blocks anybody.
fn without_blocks(room: Room) -> Room {
    let consents = room.consents();
    let open = |member: Member| chat_domain::Consent { blocked: None, ..consents[member] };
    let open = PerMember { a: open(Member::A), b: open(Member::B) };
    room.with_consent(open)
}

/// Some events are handled as if nobody blocked anybody.
pub(super) fn as_if_unblocked(shared: &SharedEnvironment, to_wrong: Route) -> Box<dyn Server> {
    over_messages(shared, to_wrong, |call, next| {
        Box::pin(async move {
            let reply = next.call(call).await?;
            Ok(match reply {
                MessageStoreReply::Room(room) => MessageStoreReply::Room(room.map(without_blocks)),
                MessageStoreReply::AdvanceRead(Advance::Moved(room)) => {
                    MessageStoreReply::AdvanceRead(Advance::Moved(without_blocks(room)))
                }
                MessageStoreReply::AdvanceRead(Advance::Unchanged(room)) => {
                    MessageStoreReply::AdvanceRead(Advance::Unchanged(without_blocks(room)))
                }
                MessageStoreReply::RoomsOf(mut page) => {
                    page.rooms = page.rooms.into_iter().map(without_blocks).collect();
                    MessageStoreReply::RoomsOf(page)
                }
                reply => reply,
            })
        })
    })
}

/// Some events are decided on heads that may be stale.
pub(super) fn on_stale_heads(shared: &SharedEnvironment, to_wrong: Route) -> Box<dyn Server> {
    over_messages(shared, to_wrong, |call, next| match call {
        MessageStoreCall::Room { id, .. } => {
            next.call(MessageStoreCall::Room { id, consistency: Consistency::Eventual })
        }
        call => next.call(call),
    })
}

/// A read mark is told by a head that was read before it moved, and may be stale.
pub(super) fn mark_told_by_an_earlier_head(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, Route::Frames("markRead"), |call, next| match call {
        MessageStoreCall::AdvanceRead { room, reader, mark } => Box::pin(async move {
            let earlier = next.room(&room, Consistency::Eventual).await?;
            let consents = earlier.map(|room| room.consents()).unwrap_or_default();
            let advance = next.advance_read(&room, reader, mark).await?;
            Ok(MessageStoreReply::AdvanceRead(match advance {
                Advance::Moved(room) => Advance::Moved(room.with_consent(consents)),
                advance => advance,
            }))
        }),
        call => next.call(call),
    })
}

/// A block freezes how far each has read, although somebody blocks already.
pub(super) fn frozen_whoever_blocks(shared: &SharedEnvironment) -> Box<dyn Server> {
    shared.environment().bug_state().freezes_whoever_blocks = true;
    real(shared)
}

/// A commit has no condition on whom the receiver blocks, so a head that is stale admits anybody.
pub(super) fn commit_without_condition(shared: &SharedEnvironment) -> Box<dyn Server> {
    shared.environment().bug_state().ignores_blocks = true;
    real(shared)
}

/// How a decision is written that is wrong.
type Rewrite = fn(&Room, Member, ConsentWrite) -> Vec<(Member, ConsentWrite)>;

/// Decisions are written in another way than they are made.
pub(super) fn written_as(shared: &SharedEnvironment, rewrite: Rewrite) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.messages = Arc::new(DecoratedMessageStore::new(ports.messages, move |call, next| {
        let MessageStoreCall::WriteConsent { room, member, write } = call else { return next.call(call) };
        Box::pin(async move {
            let head = next.room(&room, Consistency::Strong).await?;
            let Some(head) = head else { return Ok(MessageStoreReply::WriteConsent(false)) };
            for (member, write) in rewrite(&head, member, write) {
                next.write_consent(&room, member, write).await?;
            }
            Ok(MessageStoreReply::WriteConsent(true))
        })
    }));
    Box::new(over(shared, &ports))
}

/// A decision is acknowledged, and not written.
pub(super) fn not_written(_: &Room, _: Member, _: ConsentWrite) -> Vec<(Member, ConsentWrite)> {
    Vec::new()
}

/// A decision is written for the other member.
pub(super) fn for_the_peer(_: &Room, member: Member, write: ConsentWrite) -> Vec<(Member, ConsentWrite)> {
    vec![(member.peer(), write)]
}

/// Who lifts a block lifts the other member's too.
pub(super) fn forgets_the_others(
    room: &Room,
    by: Member,
    write: ConsentWrite,
) -> Vec<(Member, ConsentWrite)> {
    let others = room.consent(by.peer()).blocked.map(|of| (by.peer(), ConsentWrite::Unblock { of }));
    let lifts = matches!(write, ConsentWrite::Unblock { .. });
    [(by, write)].into_iter().chain(others.filter(|_| lifts)).collect()
}

/// Who lifts a block lifts whatever block there is by then.
pub(super) fn lifts_any(room: &Room, by: Member, write: ConsentWrite) -> Vec<(Member, ConsentWrite)> {
    match (write, room.consent(by).blocked) {
        (ConsentWrite::Unblock { .. }, Some(of)) => vec![(by, ConsentWrite::Unblock { of })],
        (write, _) => vec![(by, write)],
    }
}

/// Who accepts a request lifts their own block with it.
pub(super) fn accept_lifts(room: &Room, by: Member, write: ConsentWrite) -> Vec<(Member, ConsentWrite)> {
    let block = room.consent(by).blocked.filter(|_| write == ConsentWrite::Accept);
    let lift = block.map(|of: Timestamp| (by, ConsentWrite::Unblock { of }));
    [(by, write)].into_iter().chain(lift).collect()
}

/// Decisions are told to the peer's devices as well.
pub(super) fn told_to_the_peer(shared: &SharedEnvironment, action: &'static str) -> Box<dyn Server> {
    let mut ports: Ports = shared.ports();
    let directory = shared.environment().directory().clone();
    ports.connections = Arc::new(DecoratedConnectionStore::new(ports.connections, move |call, next| {
        let ConnectionStoreCall::OfUser { email, now } = call else { return next.call(call) };
        let directory = directory.clone();
        Box::pin(async move {
            let mut listed = next.of_user(&email, now).await?;
            let is_room = |id: &RoomId| id.member(&email).is_some();
            for named in directory.rooms().iter().filter(|named| is_room(&named.room)) {
                let member = named.room.member(&email).expect("it is their room");
                listed.extend(next.of_user(named.room.email(member.peer()), now).await?);
            }
            Ok(ConnectionStoreReply::OfUser(listed))
        })
    }));
    routed(shared, Route::Frames(action), over(shared, &ports))
}

/// Reports are kept in another way than they are made, or not at all.
fn over_reports(shared: &SharedEnvironment, alter: fn(&mut Report) -> bool) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.reports = Arc::new(DecoratedReportStore::new(ports.reports, move |call, next| match call {
        ReportStoreCall::File { report } => Box::pin(async move {
            let mut report = report.into_owned();
            let is_new = !alter(&mut report) || next.file(&report).await?;
            Ok(ReportStoreReply::File(is_new))
        }),
        call => next.call(call),
    }));
    Box::new(over(shared, &ports))
}

/// A report keeps its messages as their receiver's.
pub(super) fn report_altered(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_reports(shared, |report| {
        report.messages.iter_mut().for_each(|message| message.sender = message.sender.peer());
        true
    })
}

/// A report is acknowledged, and not kept.
pub(super) fn report_lost(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_reports(shared, |_| false)
}
