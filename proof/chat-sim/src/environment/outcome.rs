//! Draws what a call meets.

use chat_domain::testing::{ConnectionStoreCall, MessageStoreCall, PusherCall};
use chat_domain::{Consistency, PageRange, RoomId};

use super::{End, Environment};
use crate::call::{Call, Failure};
use crate::faults::{Fault, INDEX_LAG_MAX_MS};
use crate::ids::{TicketId, socket_number};

/// How many versions an eventually consistent read lags behind at the most.
pub(super) const STALE_MAX: usize = 4;
/// How many rows a page is cut to, at most, less one.
pub(super) const CUT_MAX: usize = 6;

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CallOutcome {
    Normal,
    Refused(Failure),
    AppliedThenError,
    Late,
    Repeated,
    /// The call reads what was there so many versions ago.
    Stale(usize),
    /// The page ends after so many rows.
    Cut(usize),
    /// The call reads what the index showed so many milliseconds ago.
    IndexAt(i64),
    BlackHoled,
    Delayed,
    Reordered,
    Doubled,
    ErrorAndArrives,
    Killed,
    KilledWriting,
}

impl Environment {
    /// Draws what a call meets.
    pub(crate) fn draw(&mut self, ticket: TicketId) -> CallOutcome {
        if !self.faults_on {
            return CallOutcome::Normal;
        }
        if self.hit_one_in(Fault::HandlerKilled, 8) {
            return CallOutcome::Killed;
        }
        let Some(call) = self.tickets[ticket].call.take() else { return CallOutcome::Normal };
        self.current = self.task_of(ticket).unwrap_or(self.current);
        let outcome = self.draw_for(&call);
        self.tickets[ticket].call = Some(call);
        outcome
    }

    fn draw_for(&mut self, call: &Call) -> CallOutcome {
        if let Call::Items(request) = call {
            return self.draw_request(request);
        }
        if call.is_write() {
            return self.draw_write(call);
        }
        match call {
            Call::Pause(_) | Call::Wait(_) => return CallOutcome::Normal,
            Call::Verifier(_) => {
                let down = self.hit(Fault::VerifierDown);
                return if down { CallOutcome::Refused(Failure::Unavailable) } else { CallOutcome::Normal };
            }
            Call::Pusher(call) => return self.draw_push(call),
            _ => {}
        }
        if self.hit(Fault::ReadFails) {
            return CallOutcome::Refused(Failure::Unavailable);
        }
        if self.hit(Fault::ReadThrottled) {
            return CallOutcome::Refused(Failure::Throttled);
        }
        match call {
            Call::Messages(call) => self.draw_read(call),
            Call::Connections(ConnectionStoreCall::OfUser { email, now })
                if self.is_drawn(Fault::IndexBackwards) =>
            {
                let ago_ms = self.rng.i64(1..INDEX_LAG_MAX_MS);
                let listed = |at_ms| self.tables.listed(email, at_ms, *now);
                if listed(self.now_ms() - ago_ms) == listed(self.now_ms()) {
                    return CallOutcome::Normal;
                }
                self.fired.add(Fault::IndexBackwards);
                CallOutcome::IndexAt(ago_ms)
            }
            _ => CallOutcome::Normal,
        }
    }

    fn draw_read(&mut self, call: &MessageStoreCall<'_>) -> CallOutcome {
        match call {
            MessageStoreCall::Room { id, consistency: Consistency::Eventual }
            | MessageStoreCall::MessagesAt { room: id, consistency: Consistency::Eventual, .. } => {
                self.draw_stale(id).map_or(CallOutcome::Normal, CallOutcome::Stale)
            }
            MessageStoreCall::Page { room: id, query, consistency } => {
                let eventual = *consistency == Consistency::Eventual;
                let stale = if eventual { self.draw_stale(id) } else { None };
                // The newest fifty are looked through for an earlier attempt, and a page of so many is never
                // cut.
                let may_be_cut = eventual || matches!(query.range, PageRange::After(_) | PageRange::Oldest);
                if let Some(back) = stale {
                    return CallOutcome::Stale(back);
                }
                if !may_be_cut || !self.rates.is_on(Fault::CutPage) {
                    return CallOutcome::Normal;
                }
                let rows = self.tables.page_len(id, *query);
                if rows > 1 && self.hit(Fault::CutPage) {
                    return CallOutcome::Cut(self.rng.usize(1..rows.min(CUT_MAX)));
                }
                CallOutcome::Normal
            }
            MessageStoreCall::RoomsOf { member, after } => {
                if self.hit(Fault::BackwardsRead) {
                    return CallOutcome::Stale(self.rng.usize(1..=STALE_MAX));
                }
                let may_be_cut = self.rates.is_on(Fault::CutPage)
                    && self.tables.rooms_of(member, *after, 0).rooms.len() > 1;
                if may_be_cut && self.hit(Fault::CutPage) { CallOutcome::Cut(1) } else { CallOutcome::Normal }
            }
            _ => CallOutcome::Normal,
        }
    }

    /// Draws which version an eventually consistent read sees, after one saw `shown`.
    pub(super) fn draw_seen(&mut self, newest: usize, shown: usize) -> usize {
        let oldest = newest.saturating_sub(STALE_MAX);
        if shown > oldest && self.hit(Fault::BackwardsRead) {
            self.rng.usize(oldest..shown)
        } else if shown.max(oldest) < newest && self.hit(Fault::StaleRead) {
            self.rng.usize(shown.max(oldest)..newest)
        } else {
            newest
        }
    }

    /// Draws how many versions ago an eventually consistent read sees a room, if it does not see it as it is.
    fn draw_stale(&mut self, id: &RoomId) -> Option<usize> {
        let table = self.tables.table(id)?;
        let (newest, shown) = (table.newest(), table.shown);
        let seen = self.draw_seen(newest, shown);
        let table = self.tables.table_mut(id);
        table.shown = shown.max(seen);
        (seen < newest).then_some(newest - seen)
    }

    fn draw_write(&mut self, call: &Call) -> CallOutcome {
        if self.hit_one_in(Fault::KilledWriting, 2) {
            return CallOutcome::KilledWriting;
        }
        if self.hit(Fault::WriteThrottled) {
            return CallOutcome::Refused(Failure::Throttled);
        }
        if self.hit(Fault::WriteRefused) {
            return CallOutcome::Refused(Failure::Unavailable);
        }
        if matches!(call, Call::Messages(MessageStoreCall::Commit { .. }))
            && self.hit(Fault::TransactionConflict)
        {
            return CallOutcome::Refused(Failure::Conflict);
        }
        if self.hit(Fault::AppliedThenError) {
            return CallOutcome::AppliedThenError;
        }
        if self.hit(Fault::AppliedLate) {
            return CallOutcome::Late;
        }
        if self.hit(Fault::WriteRepeated) {
            return CallOutcome::Repeated;
        }
        CallOutcome::Normal
    }

    fn draw_push(&mut self, call: &PusherCall<'_>) -> CallOutcome {
        if self.hit(Fault::PushThrottled) {
            return CallOutcome::Refused(Failure::Throttled);
        }
        let to = match call {
            PusherCall::Push { to, .. } => socket_number(to).and_then(|socket| self.sockets.get(socket)),
            PusherCall::Close { .. } => None,
        };
        if to.is_none_or(|to| to.at_gateway != End::Open) {
            return CallOutcome::Normal;
        }
        for (fault, outcome) in [
            (Fault::PushGone, CallOutcome::Refused(Failure::Gone)),
            (Fault::PushBlackHoled, CallOutcome::BlackHoled),
            (Fault::PushDelayed, CallOutcome::Delayed),
            (Fault::PushReordered, CallOutcome::Reordered),
            (Fault::PushDoubled, CallOutcome::Doubled),
            (Fault::PushUnknown, CallOutcome::ErrorAndArrives),
            (Fault::PushTooLarge, CallOutcome::Refused(Failure::TooLarge)),
            (Fault::PushForbidden, CallOutcome::Refused(Failure::Forbidden)),
        ] {
            // That one is overtaken shows only when another one comes.
            let hit = if fault == Fault::PushReordered { self.is_drawn(fault) } else { self.hit(fault) };
            if hit {
                return outcome;
            }
        }
        CallOutcome::Normal
    }
}
