//! Virtual time, and what is going to happen in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chat_wire::frames::ServerFrame;

use crate::call::Call;
use crate::ids::{DeviceId, SocketId, TaskId, TicketId, User};

/// 2026-11-23T09:00:00.000Z, when every schedule begins.
pub(crate) const START_MS: i64 = 1_795_424_400_000;

/// What is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A call gets its turn.
    Turn(TicketId),
    /// A write that was given up arrives at the store.
    Late(Box<Call>),
    /// A handler begins to work on its event.
    Start(TaskId),
    /// The gateway opens a socket whose `$connect` was answered.
    Open(TaskId, SocketId),
    /// Nobody waits for a handler's answer any more.
    GiveUp(TaskId),
    /// An answer reaches whoever asked.
    Answer(TaskId),
    /// A frame reaches a client.
    Arrive(SocketId, Box<ServerFrame>),
    /// A client notices that its socket is closed.
    ClientLoses(SocketId),
    /// The gateway notices that a socket is closed, or closes it.
    GatewayLoses(SocketId),
    /// A client's timer fires, if it still runs.
    Timer(DeviceId, u32, Timer),
    /// The next thing of the plan.
    Act(usize),
}

/// A timer of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The page is opened.
    Start,
    Connect,
    /// Syncs a second time, on the socket that has just opened.
    Again(SocketId),
    /// What was missing may have come by now.
    Hole(User),
    /// The answer to an attempt should have come by now.
    Answer(User, u32),
    /// An attempt that failed is made again.
    Backoff(User, u32),
    Ping(SocketId),
    /// The answer to a ping should have come by now.
    Pong(SocketId),
    /// The answer to a reauthentication should have come by now.
    Reauth(u32),
    /// The user signs in.
    SignIn,
    /// The client closes its connection, if it has one, and opens another.
    Renew,
}

/// Everything that is going to happen, in the order in which it will.
pub(super) struct Schedule {
    pub(super) now_ms: i64,
    /// When each thing happens, of what happens at once what was scheduled first, and its place below: small,
    /// since these move a lot.
    next: BinaryHeap<Reverse<(i64, u64, usize)>>,
    happenings: Vec<Option<Happening>>,
    free: Vec<usize>,
    /// How many things were scheduled.
    scheduled: u64,
    /// How many writes are on their way that were given up.
    late_waiting: usize,
    /// A hash of when everything happened, and in which order.
    trace: u64,
}

/// The prime of the FNV hash.
const FNV_PRIME: u64 = 0x0100_0000_01b3;

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            now_ms: START_MS,
            next: BinaryHeap::new(),
            happenings: Vec::new(),
            free: Vec::new(),
            scheduled: 0,
            late_waiting: 0,
            trace: 0,
        }
    }

    pub(super) fn after(&mut self, delay_ms: i64, happening: Happening) {
        self.scheduled += 1;
        self.late_waiting += usize::from(matches!(happening, Happening::Late(_)));
        let place = self.free.pop().unwrap_or_else(|| {
            self.happenings.push(None);
            self.happenings.len() - 1
        });
        self.happenings[place] = Some(happening);
        self.next.push(Reverse((self.now_ms + delay_ms, self.scheduled, place)));
    }

    /// The next thing that happens before an instant; time moves on to it.
    pub(super) fn next(&mut self, until_ms: i64) -> Option<Happening> {
        let Reverse((at_ms, order, place)) = *self.next.peek()?;
        if at_ms > until_ms {
            return None;
        }
        self.next.pop();
        self.free.push(place);
        self.now_ms = self.now_ms.max(at_ms);
        self.trace = (self.trace ^ at_ms.cast_unsigned()).wrapping_mul(FNV_PRIME) ^ order;
        let happening = self.happenings[place].take()?;
        self.late_waiting -= usize::from(matches!(happening, Happening::Late(_)));
        Some(happening)
    }

    /// Whether a write that was given up is still on its way.
    pub(super) fn is_late_waiting(&self) -> bool {
        self.late_waiting > 0
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace
    }
}
