//! What a seed stands for: who is there, what they do and when, and what may go wrong.

use chat_domain::Verdict;

use crate::faults::{Fault, Rates};
use crate::ids::{DeviceId, Id, IdVec, User};

/// Something that the plan has somebody do, or has happen to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The device looks at a conversation.
    Open { device: DeviceId, peer: User },
    /// Its user writes words.
    Write { device: DeviceId, peer: User },
    /// Its user writes words, and the device crashes at once, or a moment later.
    WriteAndCrash { device: DeviceId, peer: User, after_ms: i64, down_ms: i64 },
    /// Its user has read everything.
    Read { device: DeviceId, peer: User },
    /// Its user types, which the peer may see.
    Type { device: DeviceId, peer: User },
    /// Its user comes back to the page.
    Focus { device: DeviceId },
    /// The device asks whether its connection still works.
    Ping { device: DeviceId },
    /// Its user scrolls up.
    Older { device: DeviceId, peer: User },
    /// Its user proposes a match.
    Propose { device: DeviceId, peer: User, by_rest: bool },
    /// Its user answers the latest proposal that the device shows.
    Answer { device: DeviceId, peer: User, verdict: Verdict },
    /// The device crashes, and begins again after a while.
    Crash { device: DeviceId, down_ms: i64 },
    /// The device loses its storage, and begins again.
    LoseStorage { device: DeviceId },
    /// The network goes, and nobody says so.
    Cut { device: DeviceId },
    /// Everybody leaves, and comes back days later.
    Away { days: u8 },
    /// The device's token is revoked.
    Revoke { device: DeviceId },
    /// The device opens many connections.
    Crowd { device: DeviceId, count: u8 },
    /// The device opens one of them.
    OneMore { device: DeviceId },
    /// A user writes so many messages at once, on a device that is not simulated.
    Flood { user: User, peer: User, count: u8 },
    /// Its user presents a cursor of somebody else's.
    ForeignCursor { device: DeviceId },
    /// Its user sends a message with somebody else's address in the body.
    Forge { device: DeviceId, peer: User },
    /// Its user sends something else by the id of a message that was acknowledged.
    ReuseId { device: DeviceId },
    /// Its user marks as read what does not exist: in the future, in the past, or anywhere.
    WildMark { device: DeviceId, peer: User, offset_ms: i64 },
    /// Its user sends a message in a frame without an id.
    Plain { device: DeviceId, peer: User },
}

/// A schedule before it is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seed from which the run itself draws: the schedule's, or another one when a schedule is made
    /// smaller.
    pub(crate) run_seed: u64,
    pub(crate) users: usize,
    /// The user whose each device is.
    pub(crate) devices: IdVec<DeviceId, User>,
    pub(crate) processes: usize,
    pub(crate) rates: Rates,
    /// When each thing is done, in milliseconds since the beginning.
    pub(crate) acts: Vec<(i64, Act)>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x9e37_79b9_7f4a_7c15);
        let mut rates = Rates::draw(&mut rng);
        // Two devices have much to agree on, however little else goes wrong.
        rates.set(Fault::TwoDevices, [0, 512, 768][rng.usize(0..3)]);
        Self::with(seed, rng, rates)
    }

    /// Draws the rest of a seed's plan, when it is known how much goes wrong.
    fn with(seed: u64, mut rng: fastrand::Rng, rates: Rates) -> Self {
        let users = if rng.u8(0..4) == 0 { 3 } else { 2 };
        let mut devices: IdVec<DeviceId, User> = (0..users).map(User::new).collect();
        for user in (0..users).map(User::new) {
            if rng.u16(0..Rates::OF) < rates.of(Fault::TwoDevices) && devices.len() < 4 {
                devices.push(user);
            }
        }
        let mut plan =
            Self { run_seed: seed, users, processes: rng.usize(1..=3), devices, rates, acts: Vec::new() };
        // In some schedules it all happens within seconds, in others over minutes.
        let span_ms = [2_000, 20_000, 90_000][rng.usize(0..3)];
        for _ in 0..rng.usize(4..=14) {
            let at = rng.i64(0..span_ms);
            let act = plan.act(&mut rng);
            plan.acts.push((at, act));
        }
        for fault in [
            Fault::CrashBeforeSend,
            Fault::CrashAfterSend,
            Fault::StorageLost,
            Fault::ConnectionCut,
            Fault::TokenRevoked,
            Fault::ForeignCursor,
            Fault::ForgedSender,
            Fault::IdReused,
            Fault::WildReadMark,
            Fault::PlainFrame,
        ] {
            if rates.is_on(fault) && rng.bool() {
                let at = rng.i64(0..span_ms);
                let act = plan.wrong(&mut rng, fault);
                plan.acts.push((at, act));
            }
        }
        if rates.is_on(Fault::Flood) && rng.u8(0..8) == 0 {
            let (device, peer) = plan.pair(&mut rng);
            let user = plan.devices[device];
            let count = if rng.bool() { rng.u8(9..20) } else { rng.u8(50..60) };
            plan.acts.push((rng.i64(0..span_ms), Act::Flood { user, peer, count }));
        }
        if rates.is_on(Fault::ManyConnections) && rng.u8(0..16) == 0 {
            let device = plan.device(&mut rng);
            plan.acts.push((rng.i64(0..span_ms), Act::Crowd { device, count: rng.u8(21..26) }));
        }
        if rates.is_on(Fault::AwayForDays) && rng.u8(0..8) == 0 {
            plan.acts.push((rng.i64(0..span_ms), Act::Away { days: rng.u8(1..4) }));
        }
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    /// A device, and a user that it can write to.
    fn pair(&self, rng: &mut fastrand::Rng) -> (DeviceId, User) {
        let device = self.device(rng);
        let others = rng.usize(1..self.users);
        (device, self.user_after(self.devices[device], others))
    }

    fn device(&self, rng: &mut fastrand::Rng) -> DeviceId {
        DeviceId::new(rng.usize(0..self.devices.len()))
    }

    /// The user that comes so many after another one, all in a circle.
    pub(crate) fn user_after(&self, user: User, count: usize) -> User {
        User::new((user.index() + count) % self.users)
    }

    fn act(&self, rng: &mut fastrand::Rng) -> Act {
        let (device, peer) = self.pair(rng);
        match rng.u8(0..32) {
            0..14 => Act::Write { device, peer },
            14..19 => Act::Open { device, peer },
            19..23 => Act::Read { device, peer },
            23 => Act::Type { device, peer },
            24 => Act::Focus { device },
            25 => Act::Ping { device },
            26 => Act::Older { device, peer },
            27 | 28 => Act::Propose { device, peer, by_rest: rng.bool() },
            29 | 30 => {
                let verdict = [Verdict::Accepted, Verdict::Declined, Verdict::Withdrawn][rng.usize(0..3)];
                Act::Answer { device, peer, verdict }
            }
            _ => Act::Crash { device, down_ms: rng.i64(1..20_000) },
        }
    }

    fn wrong(&self, rng: &mut fastrand::Rng, fault: Fault) -> Act {
        let (device, peer) = self.pair(rng);
        match fault {
            Fault::CrashBeforeSend => {
                Act::WriteAndCrash { device, peer, after_ms: 0, down_ms: rng.i64(1..20_000) }
            }
            Fault::CrashAfterSend => {
                Act::WriteAndCrash { device, peer, after_ms: rng.i64(5..80), down_ms: rng.i64(1..20_000) }
            }
            Fault::StorageLost => Act::LoseStorage { device },
            Fault::ConnectionCut => Act::Cut { device },
            Fault::TokenRevoked => Act::Revoke { device },
            Fault::ForeignCursor => Act::ForeignCursor { device },
            Fault::ForgedSender => Act::Forge { device, peer },
            Fault::IdReused => Act::ReuseId { device },
            Fault::WildReadMark => {
                let offset_ms = [-60_000, -1, 1, 60_000, 86_400_000][rng.usize(0..5)];
                Act::WildMark { device, peer, offset_ms }
            }
            _ => Act::Plain { device, peer },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Counters;
    use crate::server::Real;
    use crate::simulation;

    /// What goes wrong in the schedule of a seed when only this may.
    fn fired(seed: u64, faults: &[Fault]) -> Counters {
        let mut rates = Rates::NONE;
        for fault in faults {
            rates.set(*fault, 400);
        }
        let plan = Plan::with(seed, fastrand::Rng::with_seed(seed), rates);
        let report = simulation::run(&plan, Real::build, None, false);
        assert_eq!(report.violation, None, "seed {seed} under {faults:?}");
        report.fired
    }

    fn others(fired: &Counters, faults: &[Fault]) -> Vec<Fault> {
        let mut others = Fault::ALL.to_vec();
        others.retain(|fault| fired.of(*fault) > 0 && !faults.contains(fault));
        others
    }

    #[test]
    fn nothing_goes_wrong_without_its_switch() {
        for seed in 0..20 {
            assert_eq!(others(&fired(seed, &[]), &[]), []);
        }
    }

    #[test]
    fn each_switch_lets_its_own_go_wrong_and_nothing_else() {
        for fault in Fault::ALL {
            // Rows get as old as that only when everybody is away.
            let with: &[Fault] =
                if *fault == Fault::RowsExpire { &[*fault, Fault::AwayForDays] } else { &[*fault] };
            let happened = (0..400).any(|seed| {
                let fired = fired(seed, with);
                assert_eq!(others(&fired, with), [], "with {with:?}");
                fired.of(*fault) > 0
            });
            assert!(happened, "{fault:?} never happened");
        }
    }
}
