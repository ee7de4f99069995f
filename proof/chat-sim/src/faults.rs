//! Everything that goes wrong, each with a switch, a probability and a counter of its own.

use std::fmt;

use crate::stores::StoreKind;

/// How far the index lags at the most. A client syncs a second time five seconds after it has connected; what
/// an index had missed that lagged for longer, the client would only learn from the next message.
pub(crate) const INDEX_LAG_MAX_MS: i64 = 2_000;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Something that can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault { $($(#[doc = $doc])+ $name,)+ }

        impl Fault {
            /// All faults, in the order of their declaration.
            pub(crate) const ALL: &[Fault] = &[$(Fault::$name,)+];

            /// The fault in words, for people.
            pub(crate) const fn about(self) -> &'static str {
                match self { $(Fault::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}

faults! {
    /// a write is refused with an error, and did not happen
    WriteRefused,
    /// a write is throttled
    WriteThrottled,
    /// a transaction meets another one and is cancelled
    TransactionConflict,
    /// a write happens and is answered with an error
    AppliedThenError,
    /// a write is answered with an error and happens later, perhaps after its retry
    AppliedLate,
    /// a write happens, its answer is lost on the way, and the store's own client sends it again
    WriteRepeated,
    /// a read fails with an error
    ReadFails,
    /// a read is throttled
    ReadThrottled,
    /// an eventually consistent read shows an earlier state, though none before what was read last
    StaleRead,
    /// an eventually consistent read shows a state before what was read last
    BackwardsRead,
    /// a page ends early and says that there is more
    CutPage,
    /// the index does not show a new connection yet
    IndexLag,
    /// the index still shows a deleted connection
    IndexStaleDelete,
    /// the index shows what it showed earlier
    IndexBackwards,
    /// the store deletes rows past their age, at last
    RowsExpire,
    /// a push to an open connection is answered with "gone"
    PushGone,
    /// a push meets a connection that is just being opened
    GoneDuringConnect,
    /// a push is taken and never arrives
    PushBlackHoled,
    /// a push is delayed, and those behind it too
    PushDelayed,
    /// a push is overtaken by one that was made later
    PushReordered,
    /// a push arrives twice
    PushDoubled,
    /// a push is throttled
    PushThrottled,
    /// a push is answered with an error and arrives
    PushUnknown,
    /// a handler is killed between two calls
    HandlerKilled,
    /// a handler is killed while a write of its is on the way
    KilledWriting,
    /// a handler is frozen for seconds or minutes, and resumed
    HandlerFrozen,
    /// an event is handled twice
    InvocationDoubled,
    /// an event is handled late, after others that came later
    InvocationDelayed,
    /// a process ends, and with it what it remembers
    ProcessRecycled,
    /// an answer never arrives
    AckLost,
    /// the $disconnect of a connection never comes
    DisconnectLost,
    /// the $disconnect of a connection comes late
    DisconnectLate,
    /// the $disconnect of a connection comes twice
    DisconnectDoubled,
    /// $disconnect comes before $connect has stored its row
    DisconnectBeforeConnect,
    /// $connect worked, and the socket does not open all the same
    UpgradeFails,
    /// the gateway cuts a connection, as it does after two hours
    ConnectionCut,
    /// a client goes without a word, and its connection looks open
    HalfOpen,
    /// a process has a clock that is minutes off
    ClockSkew,
    /// a clock jumps back
    ClockJumpsBack,
    /// a client crashes before what was written has left
    CrashBeforeSend,
    /// a client crashes after what was written has left
    CrashAfterSend,
    /// a client loses all it had stored
    StorageLost,
    /// everybody is away for days, and what waits is tried again then
    AwayForDays,
    /// a user is on two devices at once
    TwoDevices,
    /// a user opens more connections than one may have
    ManyConnections,
    /// the identity provider does not answer
    VerifierDown,
    /// the token of a user expires
    TokenExpires,
    /// a token is revoked
    TokenRevoked,
    /// somebody presents the cursor of somebody else
    ForeignCursor,
    /// somebody names somebody else as the sender
    ForgedSender,
    /// somebody uses an id again for something else
    IdReused,
    /// somebody marks as read what does not exist
    WildReadMark,
    /// somebody sends frames without id
    PlainFrame,
    /// somebody sends far more requests than one may
    Hammering,
    /// so much is written at once that a retry cannot be searched for in one page
    Flood,
    /// somebody makes more requests in an hour than one may
    HeldUp,
    /// whoever runs the chat suspends a user, who goes on, and admits them again
    Suspended,
    /// a push is refused because the frame is too large
    PushTooLarge,
    /// a push is forbidden, as it is where a process lacks the permission
    PushForbidden,
    /// somebody comes with a token of another pool
    ForeignToken,
    /// a region goes, with its processes and connections
    RegionLost,
    /// somebody changes what does not change so, or replies to what is not there
    HopelessChange,
}

impl Fault {
    /// Those that came later. They are drawn apart from the others, so that schedules in which none of them
    /// happens stay what they were.
    pub(crate) const DRAWN_APART: [Self; 7] = [
        Self::HeldUp,
        Self::Suspended,
        Self::PushTooLarge,
        Self::PushForbidden,
        Self::ForeignToken,
        Self::RegionLost,
        Self::HopelessChange,
    ];

    /// Those of them that are drawn less often: where pushes fail or tokens are refused, there is less of
    /// what other faults need.
    pub(crate) const RARE: [Self; 3] = [Self::PushTooLarge, Self::PushForbidden, Self::ForeignToken];

    /// Whether it can happen where the handlers have these stores.
    pub(crate) const fn may_happen(self, stores: StoreKind) -> bool {
        match (self, stores) {
            // The stores of AWS send a write again only if nothing happened, and no handler has transactions.
            (
                Self::WriteRepeated | Self::TransactionConflict,
                StoreKind::Dynamodb | StoreKind::ThreeRegions,
            ) => false,
            (Self::RegionLost, StoreKind::Simulated | StoreKind::Dynamodb) => false,
            _ => true,
        }
    }
}

const COUNT: usize = Fault::ALL.len();

/// How often each fault has happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Counters([u64; COUNT]);

impl Default for Counters {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl Counters {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (sum, n) in self.0.iter_mut().zip(other.0) {
            *sum += n;
        }
    }

    pub(crate) fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// The faults that never happened.
    pub(crate) fn missing(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|fault| self.of(*fault) == 0).collect()
    }
}

/// How probable each fault is, in so many [`FaultRates::OF`]ths; zero is off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FaultRates([u16; COUNT]);

impl FaultRates {
    /// A fault of this rate would happen always.
    pub(crate) const OF: u16 = 1_024;

    /// The rates with which nothing goes wrong.
    pub(crate) const NONE: Self = Self([0; COUNT]);

    /// Switches each fault on or off, and makes it rare or frequent, at random: a fault that happens
    /// everywhere hides all others.
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut rates = Self::NONE;
        // In some schedules few faults are on, in others many.
        let on_of_8 = rng.u8(1..=4);
        for fault in Fault::ALL.iter().filter(|fault| !Fault::DRAWN_APART.contains(fault)) {
            if rng.u8(0..8) < on_of_8 {
                rates.0[*fault as usize] = [8, 32, 128, 400][rng.usize(0..4)];
            }
        }
        rates
    }

    pub(crate) fn of(&self, fault: Fault) -> u16 {
        self.0[fault as usize]
    }

    pub(crate) fn is_on(&self, fault: Fault) -> bool {
        self.of(fault) > 0
    }

    pub(crate) fn set(&mut self, fault: Fault, rate: u16) {
        self.0[fault as usize] = rate;
    }
}

impl fmt::Debug for FaultRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Fault::ALL.iter().filter(|fault| self.is_on(**fault));
        f.debug_map().entries(on.map(|fault| (fault, self.of(*fault)))).finish()
    }
}
