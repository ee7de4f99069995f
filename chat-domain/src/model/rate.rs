use std::num::NonZeroU32;
use std::time::Duration;

use super::consent::FirstContact;
use super::timestamp::Timestamp;
use super::user::DailyLimits;

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

/// What an operator decides about sending. A [`SendRate`] alone stands for one with the defaults of the
/// rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendPolicy {
    /// How fast one may send.
    pub rate: SendRate,
    /// How a conversation begins.
    pub first_contact: FirstContact,
    /// How much one may begin and upload in a day.
    pub daily: DailyLimits,
}

impl From<SendRate> for SendPolicy {
    fn from(rate: SendRate) -> Self {
        Self { rate, ..Self::default() }
    }
}

/// How much of a [`SendRate`] a member has left. A room's head keeps one for each member who has sent
/// something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What is left, in thousandths of a message, so that a rate per second is a whole number per
    /// millisecond.
    pub milli_messages: u64,
    /// When so much was left, by the clock of the handler that wrote it.
    pub at: Timestamp,
}

const ONE_MESSAGE: u64 = 1_000;

/// How much has come back since then, in thousandths. A clock that is behind the one before refills nothing.
fn refilled(since: Timestamp, per_second: NonZeroU32, now: Timestamp) -> u64 {
    let elapsed_ms = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
    elapsed_ms.saturating_mul(per_second.get().into())
}

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
            let refill = refilled(bucket.at, rate.per_second, now);
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

/// How many requests of any kind one user may make: frames on all connections together, and calls of REST. It
/// bounds what a user can make the operator pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRate {
    /// How many requests may come at once, of one process.
    pub burst: NonZeroU32,
    /// How many more may come each second, of one process.
    pub per_second: NonZeroU32,
    /// How many requests may come in an hour, of all processes together, refused ones among them. They are
    /// counted in hundreds, so that it may be a few hundred more or fewer.
    pub per_hour: NonZeroU32,
}

impl Default for RequestRate {
    /// Two hundred at once and one more each second. A page that comes back after a day syncs twenty rooms,
    /// marks them as read and sends what waited with less than a hundred frames. People who type, read and
    /// write make less than one a second, except for a few minutes, which the two hundred are for. What the
    /// dearest requests of an hour cost stands in docs/abuse.md. Four thousand in an hour are somewhat more
    /// than one process takes of one user, so only somebody whom several processes serve can reach them.
    fn default() -> Self {
        const BURST: NonZeroU32 = NonZeroU32::new(200).expect("not zero");
        const PER_HOUR: NonZeroU32 = NonZeroU32::new(4_000).expect("not zero");
        Self { burst: BURST, per_second: NonZeroU32::MIN, per_hour: PER_HOUR }
    }
}

/// How much of a [`RequestRate`] somebody has left, or owes: a refused request counts as well, so that
/// whoever goes on without waiting owes more and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    milli_requests: i64,
    at: Timestamp,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The request is within the rate.
    Admitted,
    /// The request is refused; the next one is possible after this time.
    Refused(Duration),
    /// The request is refused, and so many were refused before it that its connection is to be closed.
    Closed(Duration),
}

impl Allowance {
    const ONE_REQUEST: i64 = 1_000;

    /// The allowance after one more request at `now`, and what to do with the request. As with [`Bucket`], a
    /// clock that is behind the one before refills nothing.
    pub(crate) fn take(before: Option<Self>, rate: RequestRate, now: Timestamp) -> (Self, Admission) {
        let full = i64::from(rate.burst.get()) * Self::ONE_REQUEST;
        let left = Self::available(before, rate, now) - Self::ONE_REQUEST;
        let admission = if left >= 0 {
            Admission::Admitted
        } else {
            let missing = u64::try_from(Self::ONE_REQUEST - left.max(-full)).unwrap_or_default();
            let wait = Duration::from_millis(missing.div_ceil(rate.per_second.get().into()));
            if left >= -full { Admission::Refused(wait) } else { Admission::Closed(wait) }
        };
        (Self { milli_requests: left.max(-full), at: now }, admission)
    }

    /// Whether everything has been refilled by `now`, so that nothing has to be remembered.
    pub(crate) fn is_full(self, rate: RequestRate, now: Timestamp) -> bool {
        Self::available(Some(self), rate, now) == i64::from(rate.burst.get()) * Self::ONE_REQUEST
    }

    fn available(before: Option<Self>, rate: RequestRate, now: Timestamp) -> i64 {
        let full = i64::from(rate.burst.get()) * Self::ONE_REQUEST;
        before.map_or(full, |before| {
            let refill = refilled(before.at, rate.per_second, now);
            before.milli_requests.saturating_add_unsigned(refill).min(full)
        })
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

    fn five_a_second() -> RequestRate {
        RequestRate {
            burst: NonZeroU32::new(10).unwrap(),
            per_second: NonZeroU32::new(5).unwrap(),
            ..RequestRate::default()
        }
    }

    fn ask(allowance: &mut Option<Allowance>, times: usize, now: Timestamp) -> Vec<Admission> {
        let one = |_| {
            let (next, admission) = Allowance::take(*allowance, five_a_second(), now);
            *allowance = Some(next);
            admission
        };
        (0..times).map(one).collect()
    }

    #[test]
    fn requests_beyond_the_burst_are_refused_and_whoever_goes_on_is_closed() {
        let mut allowance = None;
        assert_eq!(ask(&mut allowance, 10, at(0)), [Admission::Admitted; 10]);
        let refused = ask(&mut allowance, 10, at(0));
        assert_eq!(refused[0], Admission::Refused(Duration::from_millis(400)));
        assert_eq!(refused[9], Admission::Refused(Duration::from_millis(2_200)));
        let closed = ask(&mut allowance, 1_000, at(0));
        assert_eq!(closed, vec![Admission::Closed(Duration::from_millis(2_200)); 1_000]);
    }

    #[test]
    fn whoever_waits_as_long_as_they_were_told_is_admitted() {
        let mut allowance = None;
        for _ in 0..3 {
            let Admission::Refused(wait) = ask(&mut allowance, 15, at(0))[14] else { panic!("no limit") };
            let then = at(i64::try_from(wait.as_millis()).unwrap());
            assert_eq!(ask(&mut allowance.clone(), 1, then), [Admission::Admitted]);
            let one_ms_early = at(then.unix_ms() - 1);
            assert!(matches!(ask(&mut allowance, 1, one_ms_early)[0], Admission::Refused(_)));
            allowance = None;
        }
    }

    #[test]
    fn an_allowance_is_full_again_when_nothing_is_owed() {
        let mut allowance = None;
        ask(&mut allowance, 2, at(0));
        let allowance = allowance.unwrap();
        assert!(!allowance.is_full(five_a_second(), at(399)));
        assert!(allowance.is_full(five_a_second(), at(400)));
        assert!(!allowance.is_full(five_a_second(), at(-1_000)), "a clock that runs behind refills nothing");
    }
}
