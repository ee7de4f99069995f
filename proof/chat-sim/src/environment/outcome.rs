//! Draws what a call meets.

use chat_domain::{Consistency, PageRange, RoomId};

use super::{End, Environment, INDEX_LAG_MAX_MS, socket_number};
use crate::faults::Fault;
use crate::ids::TicketId;
use crate::ports::{Call, Failure};

/// How many versions an eventually consistent read lags behind at the most.
const STALE_MAX: usize = 4;
/// How many rows a page is cut to, at most, less one.
const CUT_MAX: usize = 6;

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
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
    pub(crate) fn draw(&mut self, ticket: TicketId) -> Outcome {
        if !self.faults_on {
            return Outcome::Normal;
        }
        if self.hit_one_in(Fault::HandlerKilled, 8) {
            return Outcome::Killed;
        }
        let Some(call) = self.tickets[ticket].call.take() else { return Outcome::Normal };
        let outcome = self.draw_for(&call);
        self.tickets[ticket].call = Some(call);
        outcome
    }

    fn draw_for(&mut self, call: &Call) -> Outcome {
        if call.is_write() {
            return self.draw_write(call);
        }
        match call {
            Call::Wait(_) => return Outcome::Normal,
            Call::Verify(..) => {
                let down = self.hit(Fault::VerifierDown);
                return if down { Outcome::Refused(Failure::Unavailable) } else { Outcome::Normal };
            }
            Call::Push(..) | Call::Close(_) => return self.draw_push(call),
            _ => {}
        }
        if self.hit(Fault::ReadFails) {
            return Outcome::Refused(Failure::Unavailable);
        }
        if self.hit(Fault::ReadThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        match call {
            Call::Room(id, Consistency::Eventual) => {
                self.draw_stale(id).map_or(Outcome::Normal, Outcome::Stale)
            }
            Call::Page(id, query, consistency) => {
                let eventual = *consistency == Consistency::Eventual;
                let stale = if eventual { self.draw_stale(id) } else { None };
                // The newest fifty are looked through for an earlier attempt, and a page of so many is never
                // cut.
                let may_be_cut = eventual || matches!(query.range, PageRange::After(_) | PageRange::Oldest);
                if let Some(back) = stale {
                    return Outcome::Stale(back);
                }
                if !may_be_cut || !self.rates.is_on(Fault::CutPage) {
                    return Outcome::Normal;
                }
                let rows = self.tables.page_len(id, *query);
                if rows > 1 && self.hit(Fault::CutPage) {
                    return Outcome::Cut(self.rng.usize(1..rows.min(CUT_MAX)));
                }
                Outcome::Normal
            }
            Call::RoomsOf(member, after) => {
                if self.hit(Fault::BackwardsRead) {
                    return Outcome::Stale(self.rng.usize(1..=STALE_MAX));
                }
                let may_be_cut = self.rates.is_on(Fault::CutPage)
                    && self.tables.rooms_of(member, *after, 0).rooms.len() > 1;
                if may_be_cut && self.hit(Fault::CutPage) { Outcome::Cut(1) } else { Outcome::Normal }
            }
            Call::OfUser(email, now) if self.is_drawn(Fault::IndexBackwards) => {
                let ago_ms = self.rng.i64(1..INDEX_LAG_MAX_MS);
                let listed = |at_ms| self.tables.listed(email, at_ms, *now);
                if listed(self.now_ms() - ago_ms) == listed(self.now_ms()) {
                    return Outcome::Normal;
                }
                self.fired.add(Fault::IndexBackwards);
                Outcome::IndexAt(ago_ms)
            }
            _ => Outcome::Normal,
        }
    }

    /// Draws how many versions ago an eventually consistent read sees a room, if it does not see it as it is.
    fn draw_stale(&mut self, id: &RoomId) -> Option<usize> {
        let table = self.tables.table(id)?;
        let (newest, shown) = (table.newest(), table.shown);
        let oldest = newest.saturating_sub(STALE_MAX);
        let seen = if shown > oldest && self.hit(Fault::BackwardsRead) {
            self.rng.usize(oldest..shown)
        } else if shown.max(oldest) < newest && self.hit(Fault::StaleRead) {
            self.rng.usize(shown.max(oldest)..newest)
        } else {
            newest
        };
        let table = self.tables.table_mut(id);
        table.shown = shown.max(seen);
        (seen < newest).then_some(newest - seen)
    }

    fn draw_write(&mut self, call: &Call) -> Outcome {
        if self.hit_one_in(Fault::KilledWriting, 2) {
            return Outcome::KilledWriting;
        }
        if self.hit(Fault::WriteThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        if self.hit(Fault::WriteRefused) {
            return Outcome::Refused(Failure::Unavailable);
        }
        if matches!(call, Call::Commit(_)) && self.hit(Fault::TransactionConflict) {
            return Outcome::Refused(Failure::Conflict);
        }
        if self.hit(Fault::AppliedThenError) {
            return Outcome::AppliedThenError;
        }
        if self.hit(Fault::AppliedLate) {
            return Outcome::Late;
        }
        if self.hit(Fault::WriteRepeated) {
            return Outcome::Repeated;
        }
        Outcome::Normal
    }

    fn draw_push(&mut self, call: &Call) -> Outcome {
        if self.hit(Fault::PushThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        let to = match call {
            Call::Push(id, _) => socket_number(id).and_then(|socket| self.sockets.get(socket)),
            _ => None,
        };
        if to.is_none_or(|to| to.at_gateway != End::Open) {
            return Outcome::Normal;
        }
        for (fault, outcome) in [
            (Fault::PushGone, Outcome::Refused(Failure::Gone)),
            (Fault::PushBlackHoled, Outcome::BlackHoled),
            (Fault::PushDelayed, Outcome::Delayed),
            (Fault::PushReordered, Outcome::Reordered),
            (Fault::PushDoubled, Outcome::Doubled),
            (Fault::PushUnknown, Outcome::ErrorAndArrives),
        ] {
            // That one is overtaken shows only when another one comes.
            let hit = if fault == Fault::PushReordered { self.is_drawn(fault) } else { self.hit(fault) };
            if hit {
                return outcome;
            }
        }
        Outcome::Normal
    }
}
