use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apigw_local::{Faults, InvocationFault, InvokedRoute, PostFault};
use chat_domain::BoxError;
use sha2::{Digest, Sha256};

use super::counts::{Counts, lock};
use super::invocation::{INVOCATION, Invocation};
use super::log::Log;
use super::profile::{Chaos, FaultRates};

/// How late things are: too late for a function that waits between its attempts, and not as late as the
/// 5 seconds after which a client that has just connected looks again.
pub(super) const LATE_MS: Range<u64> = 500..2_000;
/// How often a killed function has waited at the most. A send waits about a dozen times.
const WAITS_MAX: u64 = 12;
/// After how many messages a connection is cut at the latest.
const CUT_AFTER_MAX: u64 = 12;

/// Decides what goes wrong, and writes it down.
pub(crate) struct FaultInjector {
    chaos: Chaos,
    pub(super) counts: Counts,
    /// Invocations that are to begin, by request id.
    pub(super) begun: Mutex<HashMap<String, VecDeque<Arc<Invocation>>>>,
    /// Whether functions run in this process, and can be killed where they wait.
    pub(super) in_process: AtomicBool,
    log: Log,
}

/// What the seed says of one event.
pub(crate) struct Draw<'a> {
    injector: &'a FaultInjector,
    event: String,
    /// Between 0 and 1.
    chance: f64,
    numbers: [u64; 2],
}

impl FaultInjector {
    pub(crate) fn new(chaos: Chaos, log: Option<&Path>) -> Result<Self, BoxError> {
        let in_process = AtomicBool::new(false);
        Ok(Self {
            chaos,
            counts: Counts::default(),
            begun: Mutex::default(),
            in_process,
            log: Log::open(log)?,
        })
    }

    /// An invocation that begins now.
    pub(super) fn begins(&self, request_id: &str) -> Option<Arc<Invocation>> {
        let mut begun = lock(&self.begun);
        let invocations = begun.get_mut(request_id)?;
        let invocation = invocations.pop_front();
        if invocations.is_empty() {
            begun.remove(request_id);
        }
        invocation
    }

    /// What the seed says of the next event of this name.
    fn draw(&self, name: impl fmt::Display) -> Draw<'_> {
        self.draw_for(self.counts.next(name.to_string()))
    }

    /// The same within the invocation that asks.
    pub(super) fn draw_within(&self, name: &str) -> Draw<'_> {
        let event = INVOCATION.try_with(|invocation| invocation.next(name));
        self.draw_for(event.unwrap_or_else(|_elsewhere| self.counts.next(name.to_owned())))
    }

    fn draw_for(&self, event: String) -> Draw<'_> {
        // A hash that is the same in every version, so that a seed stays what it is.
        let mut hash = Sha256::new();
        hash.update(self.chaos.seed.to_be_bytes());
        hash.update(&event);
        let hash = hash.finalize();
        let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| hash[8 * at + byte]));
        // 53 bits are what an f64 holds.
        #[expect(clippy::cast_precision_loss, reason = "2^53 is exact")]
        let chance = (number(0) >> 11) as f64 / (1_u64 << 53) as f64;
        Draw { injector: self, event, chance, numbers: [number(1), number(2)] }
    }
}

impl Draw<'_> {
    pub(super) fn rates(&self) -> FaultRates {
        self.injector.chaos.profile.rates()
    }

    /// One of these faults, at this rate. What is chosen is written down.
    pub(super) fn choose<T>(&self, rate: f64, faults: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        if self.chance >= rate {
            return None;
        }
        let place = usize::try_from(self.numbers[0] % faults.len() as u64).expect("it is less than a length");
        let (word, fault) = faults[place];
        self.injector.log.write(&format!("{}: {word}", self.event));
        Some(fault)
    }

    pub(super) fn number(&self, below: u64) -> u64 {
        self.numbers[1] % below
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(LATE_MS.start + self.number(LATE_MS.end - LATE_MS.start))
    }
}

impl Faults for FaultInjector {
    fn invocation(&self, connection: u64, route: InvokedRoute, request_id: &str) -> InvocationFault {
        let event = match route {
            InvokedRoute::Connect => "$connect",
            InvokedRoute::Disconnect => "$disconnect",
            _ => "message",
        };
        let draw = self.draw(format_args!("connection {connection}: {event}"));
        let rates = draw.rates();
        let late = ("late", InvocationFault::Late(draw.delay()));
        let twice = ("twice", InvocationFault::Twice);
        let waits = u32::try_from(draw.number(WAITS_MAX)).expect("it is small");
        let killed = ("killed", InvocationFault::Killed { waits });
        let fault = match route {
            InvokedRoute::Connect => draw.choose(rates.functions, &[late, killed]),
            InvokedRoute::Disconnect => {
                draw.choose(rates.connections, &[("lost", InvocationFault::Lost), late, twice])
            }
            _ => {
                let answer_lost = ("answer lost", InvocationFault::AnswerLost);
                draw.choose(rates.functions, &[late, twice, killed, answer_lost])
            }
        };
        if !self.in_process.load(Ordering::Relaxed) {
            return fault.unwrap_or(InvocationFault::None);
        }
        let (invocations, fault) = match fault {
            Some(InvocationFault::Lost) => return InvocationFault::Lost,
            Some(InvocationFault::Killed { waits }) => {
                (vec![Invocation::killed_after(draw.event, waits.into())], InvocationFault::None)
            }
            Some(InvocationFault::Twice) => {
                let again = Invocation::new(format!("{} again", draw.event));
                (vec![Invocation::new(draw.event), again], InvocationFault::Twice)
            }
            fault => (vec![Invocation::new(draw.event)], fault.unwrap_or(InvocationFault::None)),
        };
        lock(&self.begun).insert(request_id.to_owned(), invocations.into_iter().map(Arc::new).collect());
        fault
    }

    fn cut_after(&self, connection: u64) -> Option<u64> {
        let draw = self.draw(format_args!("connection {connection}: life"));
        draw.choose(draw.rates().connections, &[("cut early", 1 + draw.number(CUT_AFTER_MAX))])
    }

    fn post(&self, connection: u64) -> PostFault {
        let draw = self.draw(format_args!("connection {connection}: push"));
        let faults = [
            ("gone", PostFault::Gone),
            ("refused", PostFault::LimitExceeded),
            ("lost", PostFault::Lost),
            ("late", PostFault::Late(draw.delay())),
            ("twice", PostFault::Twice),
        ];
        draw.choose(draw.rates().pushes, &faults).unwrap_or(PostFault::None)
    }
}
