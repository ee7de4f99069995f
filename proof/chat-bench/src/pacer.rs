//! A clock that wakes on time: the async runtime's own timer rounds up to whole milliseconds, which is longer
//! than a message takes on one machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::schedule::Schedule;

/// Closest two ticks; messages due in between go out together. At 20,000 messages a second that is two of
/// them, and a tenth of a millisecond is well below what a person, or a percentile here, notices.
pub const GRAIN: Duration = Duration::from_micros(100);

/// A thread that ticks whenever a message of a schedule has become due; it ends with the schedule or when
/// dropped.
#[derive(Debug)]
pub struct Pacer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pacer {
    /// Starts ticking. `tick` gets the number of messages that are due by then.
    pub fn start(schedule: Schedule, start: Instant, tick: impl Fn(u64) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut due = 0;
            while due < schedule.total() && !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                let next = start + schedule.due(due);
                if now < next {
                    thread::park_timeout((next - now).max(GRAIN));
                    continue;
                }
                let elapsed = now - start;
                while due < schedule.total() && schedule.due(due) <= elapsed {
                    due += 1;
                }
                tick(due);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread has been printed, and has nothing more to say.
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn every_message_becomes_due_and_none_early() {
        let (schedule, start) = (Schedule::new(1, 2_000, 1), Instant::now());
        let (ticks, due) = mpsc::channel();
        let pacer = Pacer::start(schedule, start, move |due| ticks.send((due, start.elapsed())).unwrap());
        let mut last = 0;
        for (count, at) in due {
            assert!(count > last);
            assert!(schedule.due(count - 1) <= at);
            last = count;
        }
        assert_eq!(last, schedule.total());
        drop(pacer);
    }

    #[test]
    fn a_dropped_pacer_ends_at_once() {
        let start = Instant::now() + Duration::from_secs(3600);
        drop(Pacer::start(Schedule::new(1, 1, 1), start, |_| {}));
    }
}
