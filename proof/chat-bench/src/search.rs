//! Which rate to try next when looking for the highest one that holds.

/// Growth while every step holds.
const GROWTH: f64 = 1.3;
/// The search ends when the lowest failing rate is at most this much above the highest good one.
const PRECISION: f64 = 1.05;
/// A step holds if at least this part of the offered rate was achieved.
const ACHIEVED: f64 = 0.98;

/// Whether a step held: it kept up, and its 99th percentile stayed within the bound.
pub fn holds(offered: u64, achieved: f64, p99: std::time::Duration, bound: std::time::Duration) -> bool {
    achieved >= ACHIEVED * offered as f64 && p99 <= bound
}

/// Grows geometrically up to the first failure, then narrows the gap.
#[derive(Debug)]
pub struct Search {
    next: u64,
    best: Option<u64>,
    worst: Option<u64>,
}

impl Search {
    /// Starts at a rate.
    pub fn starting_at(rate: u64) -> Self {
        Self { next: rate.max(1), best: None, worst: None }
    }

    /// The rate to try, or `None` when the answer is close enough.
    pub fn next(&self) -> Option<u64> {
        match (self.best, self.worst) {
            (Some(best), Some(worst)) => {
                (worst as f64 > best as f64 * PRECISION && worst > best + 1).then_some(self.next)
            }
            (None, Some(1)) => None,
            _ => Some(self.next),
        }
    }

    /// Takes the result of the rate that [`Search::next`] gave.
    pub fn tried(&mut self, held: bool) {
        let end = if held { &mut self.best } else { &mut self.worst };
        *end = Some(self.next);
        self.next = match (self.best, self.worst) {
            (Some(best), None) => ((best as f64 * GROWTH) as u64).max(best + 1),
            (Some(best), Some(worst)) => ((best as f64 * worst as f64).sqrt() as u64).max(best + 1),
            (None, _) => (self.next / 2).max(1),
        };
    }

    /// The highest rate that held.
    pub fn best(&self) -> Option<u64> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn search(start: u64, limit: u64) -> (Option<u64>, usize) {
        let mut search = Search::starting_at(start);
        let mut steps = 0;
        while let Some(rate) = search.next() {
            search.tried(rate <= limit);
            steps += 1;
            assert!(steps < 200, "does not end");
        }
        (search.best(), steps)
    }

    proptest! {
        #[test]
        fn the_answer_is_within_the_precision(start in 1u64..100_000, limit in 1u64..1_000_000) {
            let (best, _) = search(start, limit);
            let best = best.unwrap();
            prop_assert!(best <= limit);
            prop_assert!(limit as f64 <= best as f64 * PRECISION + 1.0, "{best} of {limit}");
        }
    }

    #[test]
    fn a_server_that_cannot_do_one_message_has_no_rate() {
        assert_eq!(search(1_000, 0).0, None);
    }

    #[test]
    fn a_gap_between_low_rates_is_narrowed_too() {
        assert_eq!(search(80, 12).0, Some(12));
    }

    #[test]
    fn a_usual_search_takes_few_steps() {
        assert!(search(1_000, 30_000).1 < 20);
    }

    #[test]
    fn a_step_holds_only_if_it_keeps_up_and_answers_in_time() {
        let (fast, slow, bound) =
            (Duration::from_millis(5), Duration::from_millis(60), Duration::from_millis(50));
        assert!(holds(1_000, 985.0, fast, bound));
        assert!(!holds(1_000, 975.0, fast, bound));
        assert!(!holds(1_000, 1_000.0, slow, bound));
    }
}
