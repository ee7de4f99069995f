use std::num::NonZeroU32;
use std::time::Duration;

use super::timestamp::Timestamp;

/// How fast one member may send to one room: a bucket of `burst` messages that refills by `per_second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRate {
    /// How many messages may come at once.
    pub burst: NonZeroU32,
    /// How many more may come each second.
    pub per_second: NonZeroU32,
}

impl Default for SendRate {
    /// Thirty at once and one more each second. A person who types fast stays below that, and a room's head,
    /// which is one DynamoDB item and takes about 500 transactions a second, stays far from its limit.
    fn default() -> Self {
        const BURST: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
        Self { burst: BURST, per_second: NonZeroU32::MIN }
    }
}

/// How much of a [`SendRate`] a member has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What is left, in thousandths of a message, so that a rate per second is a whole number per
    /// millisecond.
    pub milli_messages: u64,
    /// When so much was left, by the clock of the handler that wrote it.
    pub at: Timestamp,
}

const ONE_MESSAGE: u64 = 1_000;

impl Bucket {
    fn full(rate: SendRate, now: Timestamp) -> Self {
        Self { milli_messages: u64::from(rate.burst.get()) * ONE_MESSAGE, at: now }
    }

    /// The bucket after one more message at `now`, or how long until there is room for one.
    ///
    /// A clock that is behind the one that wrote the bucket refills nothing, and counts from then on. If the
    /// later time were kept, one clock that runs a day ahead would lock the member out for a day.
    pub(crate) fn take(bucket: Option<Self>, rate: SendRate, now: Timestamp) -> Result<Self, Duration> {
        let full = Self::full(rate, now);
        let available = bucket.map_or(full.milli_messages, |bucket| {
            let elapsed_ms = u64::try_from(now.since(bucket.at).as_millis()).unwrap_or(u64::MAX);
            let refill = elapsed_ms.saturating_mul(u64::from(rate.per_second.get()));
            bucket.milli_messages.saturating_add(refill).min(full.milli_messages)
        });
        match available.checked_sub(ONE_MESSAGE) {
            Some(milli_messages) => Ok(Self { milli_messages, at: now }),
            None => {
                let missing = ONE_MESSAGE - available;
                Err(Duration::from_millis(missing.div_ceil(u64::from(rate.per_second.get()))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn drain(mut bucket: Option<Bucket>, now: Timestamp) -> (Option<Bucket>, usize, Duration) {
        for taken in 0.. {
            match Bucket::take(bucket, SendRate::default(), now) {
                Ok(next) => bucket = Some(next),
                Err(wait) => return (bucket, taken, wait),
            }
        }
        unreachable!("a bucket is finite")
    }

    #[test]
    fn a_burst_of_thirty_then_one_each_second() {
        let (bucket, taken, wait) = drain(None, at(0));
        assert_eq!((taken, wait), (30, Duration::from_secs(1)));
        let (bucket, taken, wait) = drain(bucket, at(2_500));
        assert_eq!((taken, wait), (2, Duration::from_millis(500)));
        let (_, taken, _) = drain(bucket, at(10_000_000));
        assert_eq!(taken, 30, "it never holds more than the burst");
    }

    #[test]
    fn a_clock_that_ran_ahead_locks_nobody_out() {
        let (bucket, ..) = drain(None, at(86_400_000));
        // The first attempt by the right clock is refused; it refills from there.
        assert!(Bucket::take(bucket, SendRate::default(), at(0)).is_err());
        let one_message = Some(Bucket { milli_messages: ONE_MESSAGE, at: at(86_400_000) });
        let next = Bucket::take(one_message, SendRate::default(), at(0)).unwrap();
        assert_eq!(next.at, at(0));
        assert!(Bucket::take(Some(next), SendRate::default(), at(1_000)).is_ok());
    }
}
