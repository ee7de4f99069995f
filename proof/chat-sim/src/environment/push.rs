//! Pushes, and what becomes of them on their way to a client.

use chat_domain::{ConnectionId, Event};
use chat_wire::frames::ServerFrame;

use super::{CallOutcome, End, Environment, Happening, Socket};
use crate::call::Failure;
use crate::faults::Fault;
use crate::ids::socket_number;

impl Environment {
    pub(super) fn push(
        &mut self,
        id: &ConnectionId,
        event: &Event,
        outcome: CallOutcome,
    ) -> Result<(), Failure> {
        let Some(socket) = socket_number(id).filter(|socket| self.sockets.get(*socket).is_some()) else {
            return Err(Failure::Gone);
        };
        if !self.is_there(self.sockets[socket].region) {
            return Err(Failure::Unavailable);
        }
        if self.bug_state.pushes_within_region && self.sockets[socket].region != self.region_of_current() {
            return Err(Failure::Gone);
        }
        // Without the fault, what is posted while a connection is being opened waits for it.
        let refuses_early = self.explored || self.rates.is_on(Fault::GoneDuringConnect);
        let gone = match self.sockets[socket].at_gateway {
            End::Opening if refuses_early => {
                self.fired.add(Fault::GoneDuringConnect);
                true
            }
            End::Opening | End::Open => false,
            End::Closed => true,
        };
        if gone || outcome == CallOutcome::Refused(Failure::Gone) {
            return Err(Failure::Gone);
        }
        let (near, far) = (self.now_ms() + self.rng.i64(1..=20), self.now_ms() + self.rng.i64(50..30_000));
        let to = &mut self.sockets[socket];
        let in_order = |to: &mut Socket, at_ms: i64| {
            to.arrives_ms = to.arrives_ms.max(at_ms);
            to.arrives_ms
        };
        let arrivals = match outcome {
            CallOutcome::Refused(failure) => return Err(failure),
            CallOutcome::BlackHoled => return Ok(()),
            CallOutcome::Delayed => [Some(in_order(to, far)), None],
            CallOutcome::Reordered => {
                to.held_until_ms = far;
                [Some(far), None]
            }
            CallOutcome::Doubled => [Some(in_order(to, near)), Some(far)],
            _ => [Some(in_order(to, near)), None],
        };
        let overtakes = arrivals[0].is_some_and(|at_ms| at_ms < to.held_until_ms);
        if overtakes {
            to.held_until_ms = 0;
            self.fired.add(Fault::PushReordered);
        }
        for at_ms in arrivals.into_iter().flatten() {
            let mut frame = Box::new(ServerFrame::from(event));
            if let Some(alter) = self.bug_state.alters_push {
                alter(&mut frame);
            }
            self.after(at_ms - self.now_ms(), Happening::Arrive(socket, frame));
        }
        let unknown = outcome == CallOutcome::ErrorAndArrives;
        if unknown { Err(Failure::Unavailable) } else { Ok(()) }
    }

    pub(super) fn close(&mut self, id: &ConnectionId) -> Result<(), Failure> {
        match socket_number(id).filter(|socket| self.sockets.get(*socket).is_some()) {
            Some(socket) if self.sockets[socket].at_gateway == End::Open => {
                self.after(0, Happening::GatewayLoses(socket));
                Ok(())
            }
            _ => Err(Failure::Gone),
        }
    }
}
