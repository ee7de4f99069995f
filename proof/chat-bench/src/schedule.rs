//! When each message is meant to be sent, and by whom: arithmetic only, fixed before the run starts.

use std::time::Duration;

/// An open-loop schedule: message `k` is due `k / rate` seconds after the start, whatever the server does.
///
/// * Each cycle of `2 * pairs` messages has every user once, so the load is even.
/// * Within a cycle one half of the pairs goes first, and the other half is rotated by the cycle's number:
///   the distance between two members' messages sweeps over all values, so a room sees calm moments and
///   collisions in the same, repeatable proportion in every run.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pairs: u64,
    per_second: u64,
    total: u64,
}

impl Schedule {
    /// `per_second` messages in total, for `seconds`, among `pairs` pairs. Zeroes count as one.
    pub fn new(pairs: usize, per_second: u64, seconds: u64) -> Self {
        let per_second = per_second.max(1);
        Self { pairs: (pairs as u64).max(1), per_second, total: per_second.saturating_mul(seconds.max(1)) }
    }

    /// How many messages the run has.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        usize::try_from(2 * self.pairs).unwrap_or(usize::MAX)
    }

    /// Messages per second, in total.
    pub fn per_second(&self) -> u64 {
        self.per_second
    }

    /// How long the schedule runs.
    pub fn length(&self) -> Duration {
        self.due(self.total)
    }

    /// When message `k` is meant to be sent, counted from the start.
    pub fn due(&self, k: u64) -> Duration {
        let nanos = u128::from(k) * 1_000_000_000 / u128::from(self.per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Who sends message `k`.
    pub fn sender(&self, k: u64) -> usize {
        let (cycle, slot) = (k / (2 * self.pairs), k % (2 * self.pairs));
        let user =
            if slot < self.pairs { 2 * slot } else { 2 * ((slot - self.pairs + cycle) % self.pairs) + 1 };
        usize::try_from(user).unwrap_or(usize::MAX)
    }

    /// How many messages the same sender sends before message `k`.
    pub fn ordinal(&self, k: u64) -> u64 {
        k / (2 * self.pairs)
    }

    /// The number of `user`'s message number `ordinal`, if the run is that long.
    pub fn message(&self, user: usize, ordinal: u64) -> Option<u64> {
        let (pair, odd) = (user as u64 / 2, user % 2 == 1);
        let slot =
            if odd { self.pairs + (pair + self.pairs - ordinal % self.pairs) % self.pairs } else { pair };
        let k = ordinal.checked_mul(2 * self.pairs)?.checked_add(slot)?;
        (k < self.total).then_some(k)
    }

    /// How many messages `user` sends in the whole run.
    pub fn count(&self, user: usize) -> u64 {
        let whole = self.total / (2 * self.pairs);
        whole + u64::from(self.message(user, whole).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_evenly_spaced_and_end_with_the_run() {
        let schedule = Schedule::new(3, 4, 2);
        let due: Vec<_> = (0..schedule.total()).map(|k| schedule.due(k).as_millis()).collect();
        assert_eq!(due, [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
        assert_eq!(schedule.length(), Duration::from_secs(2));
    }

    #[test]
    fn two_members_meet_at_every_distance() {
        let schedule = Schedule::new(5, 100, 1);
        let distances: BTreeSet<_> = (0..5)
            .map(|cycle| schedule.message(1, cycle).unwrap() - schedule.message(0, cycle).unwrap())
            .collect();
        // 9 of a cycle's 10 slots after the one is 1 slot before the next.
        assert_eq!(distances, (5..=9).collect());
    }

    proptest! {
        #[test]
        fn every_message_has_one_sender_and_one_ordinal(
            pairs in 1usize..40, rate in 1u64..500, seconds in 1u64..4,
        ) {
            let schedule = Schedule::new(pairs, rate, seconds);
            let mut counts = vec![0; schedule.users()];
            for k in 0..schedule.total() {
                let sender = schedule.sender(k);
                prop_assert_eq!(schedule.ordinal(k), counts[sender]);
                prop_assert_eq!(schedule.message(sender, counts[sender]), Some(k));
                counts[sender] += 1;
            }
            for (user, count) in counts.into_iter().enumerate() {
                prop_assert_eq!(schedule.count(user), count);
                prop_assert_eq!(schedule.message(user, count), None);
            }
        }

        #[test]
        fn due_times_never_go_back(rate in 1u64..1_000_000, k in 0u64..u64::from(u32::MAX)) {
            let schedule = Schedule::new(1, rate, 1);
            prop_assert!(schedule.due(k) <= schedule.due(k + 1));
        }
    }
}
