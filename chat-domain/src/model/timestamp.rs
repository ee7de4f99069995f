use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// An instant in UTC to the millisecond, written exactly as JavaScript's `Date.prototype.toISOString()` does:
/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, 24 characters.
///
/// - The width is fixed, so the order of the text is the order of time, and a store may sort by the text.
/// - Years run from 0000 to 9999.
///
/// ```
/// use chat_domain::Timestamp;
/// let t: Timestamp = "2026-01-31T09:30:00.005Z".parse()?;
/// assert_eq!(t.to_string(), "2026-01-31T09:30:00.005Z");
/// assert_eq!(t.next().to_string(), "2026-01-31T09:30:00.006Z");
/// # Ok::<(), chat_domain::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// The milliseconds since 1970-01-01T00:00:00.000Z.
    unix_ms: i64,
}

/// Why a text or a number is not a [`Timestamp`].
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text does not have the shape `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[error("a timestamp has the form YYYY-MM-DDTHH:MM:SS.mmmZ")]
    Shape,
    /// The shape is right, but there is no such day or time of day.
    #[error("there is no such date or time of day")]
    NoSuchTime,
    /// The instant lies outside the years 0000 to 9999.
    #[error("the year is not between 0000 and 9999")]
    OutOfRange,
}

/// The shape of the text: `d` stands for a digit, everything else for itself.
const SHAPE: &[u8; 24] = b"dddd-dd-ddTdd:dd:dd.dddZ";

const MS_PER_DAY: i64 = 86_400_000;

/// The day that is counted from.
const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

impl Timestamp {
    /// The first instant that can be written: 0000-01-01T00:00:00.000Z.
    pub const MIN: Self = Self { unix_ms: -62_167_219_200_000 };
    /// The last instant that can be written: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self { unix_ms: 253_402_300_799_999 };

    /// 1970-01-01T00:00:00.000Z, which is earlier than any message. A client that knows a conversation to be
    /// empty knows it up to here.
    pub const UNIX_EPOCH: Self = Self { unix_ms: 0 };

    /// The instant that is so many milliseconds after 1970-01-01T00:00:00.000Z.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] outside the years 0000 to 9999.
    pub fn from_unix_ms(unix_ms: i64) -> Result<Self, TimestampError> {
        let at = Self { unix_ms };
        if (Self::MIN..=Self::MAX).contains(&at) { Ok(at) } else { Err(TimestampError::OutOfRange) }
    }

    /// The milliseconds since 1970-01-01T00:00:00.000Z.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// The next millisecond; [`Timestamp::MAX`] stays where it is.
    #[must_use]
    pub fn next(self) -> Self {
        self.after(Duration::from_millis(1))
    }

    /// The previous millisecond; [`Timestamp::MIN`] stays where it is.
    #[must_use]
    pub fn previous(self) -> Self {
        self.before(Duration::from_millis(1))
    }

    /// This instant plus `span` in whole milliseconds, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self { unix_ms: self.unix_ms.saturating_add(ms) }.min(Self::MAX)
    }

    /// This instant minus `span` in whole milliseconds, at least [`Timestamp::MIN`].
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self { unix_ms: self.unix_ms.saturating_sub(ms) }.max(Self::MIN)
    }

    /// How much later this instant is than `earlier`; zero when it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.unix_ms - earlier.unix_ms).unwrap_or(0))
    }

    /// The day this instant lies in (UTC), as `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> Day {
        Day { days: self.unix_ms.div_euclid(MS_PER_DAY) }
    }

    /// How long until the next day (UTC) begins.
    pub(crate) fn until_next_day(self) -> Duration {
        let into_day = self.unix_ms.rem_euclid(MS_PER_DAY);
        Duration::from_millis(u64::try_from(MS_PER_DAY - into_day).expect("a day is longer than its part"))
    }

    fn text(self) -> [u8; 24] {
        let mut text = *SHAPE;
        text[..10].copy_from_slice(&self.day().text());
        let ms = self.unix_ms.rem_euclid(MS_PER_DAY);
        write_digits(&mut text[11..13], ms / 3_600_000);
        write_digits(&mut text[14..16], ms / 60_000 % 60);
        write_digits(&mut text[17..19], ms / 1_000 % 60);
        write_digits(&mut text[20..23], ms);
        text
    }
}

/// Writes the last digits of `value` in decimal, as many as `field` holds.
fn write_digits(field: &mut [u8], mut value: i64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).expect("a remainder by ten is a digit");
        value /= 10;
    }
}

fn read_digits(field: &[u8]) -> i16 {
    field.iter().fold(0, |value, digit| value * 10 + i16::from(digit - b'0'))
}

fn as_ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("digits and ASCII punctuation")
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let bytes: &[u8; 24] = text.as_bytes().try_into().map_err(|_| TimestampError::Shape)?;
        let fits =
            |(byte, shape): (&u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
        if !bytes.iter().zip(SHAPE).all(fits) {
            return Err(TimestampError::Shape);
        }
        let small = |range: std::ops::Range<usize>| {
            i8::try_from(read_digits(&bytes[range])).expect("two digits fit eight bits")
        };
        let civil = jiff::civil::DateTime::new(
            read_digits(&bytes[0..4]),
            small(5..7),
            small(8..10),
            small(11..13),
            small(14..16),
            small(17..19),
            i32::from(read_digits(&bytes[20..23])) * 1_000_000,
        )
        .map_err(|_| TimestampError::NoSuchTime)?;
        let since_epoch = civil.duration_since(EPOCH.to_datetime(jiff::civil::Time::midnight()));
        let unix_ms = i64::try_from(since_epoch.as_millis()).map_err(|_| TimestampError::OutOfRange)?;
        Self::from_unix_ms(unix_ms)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_ascii(&self.text()))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A day in UTC, written `YYYY-MM-DD`. Lists of rooms are sorted by it, and daily limits count by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// The number of days since 1970-01-01.
    days: i64,
}

impl Day {
    fn text(self) -> [u8; 10] {
        let date = EPOCH
            .checked_add(jiff::Span::new().days(self.days))
            .expect("a Timestamp lies in the years 0000 to 9999, which jiff covers");
        let mut text = *b"dddd-dd-dd";
        write_digits(&mut text[0..4], i64::from(date.year()));
        write_digits(&mut text[5..7], i64::from(date.month()));
        write_digits(&mut text[8..10], i64::from(date.day()));
        text
    }
}

impl FromStr for Day {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Ok(format!("{text}T00:00:00.000Z").parse::<Timestamp>()?.day())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_ascii(&self.text()))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bounds_are_the_first_and_last_millisecond_that_can_be_written() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        for bound in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(bound.to_string().parse(), Ok(bound));
        }
        assert_eq!(Timestamp::MAX.next(), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.previous(), Timestamp::MIN);
        assert_eq!(Timestamp::from_unix_ms(i64::MAX), Err(TimestampError::OutOfRange));
    }

    #[rstest::rstest]
    #[case::no_milliseconds("2026-11-23T10:00:00Z", TimestampError::Shape)]
    #[case::microseconds("2026-11-23T10:00:00.000000Z", TimestampError::Shape)]
    #[case::offset("2026-11-23T10:00:00.000+", TimestampError::Shape)]
    #[case::lower_case("2026-11-23t10:00:00.000z", TimestampError::Shape)]
    #[case::signed("+026-11-23T10:00:00.000Z", TimestampError::Shape)]
    #[case::empty("", TimestampError::Shape)]
    #[case::wide_digits("２026-11-23T10:00:00.0Z", TimestampError::Shape)]
    #[case::no_such_day("2026-02-30T10:00:00.000Z", TimestampError::NoSuchTime)]
    #[case::hour_24("2026-02-03T24:00:00.000Z", TimestampError::NoSuchTime)]
    #[case::leap_second("2016-12-31T23:59:60.000Z", TimestampError::NoSuchTime)]
    fn malformed_text_is_refused(#[case] text: &str, #[case] error: TimestampError) {
        assert_eq!(text.parse::<Timestamp>(), Err(error));
    }

    proptest! {
        #[test]
        fn text_round_trips(ms in Timestamp::MIN.unix_ms..=Timestamp::MAX.unix_ms) {
            let at = Timestamp { unix_ms: ms };
            prop_assert_eq!(at.to_string().parse(), Ok(at));
            prop_assert_eq!(at.day().to_string().parse(), Ok(at.day()));
        }

        #[test]
        fn text_order_is_time_order(
            a in Timestamp::MIN.unix_ms..=Timestamp::MAX.unix_ms,
            gap in -5_000_i64..5_000,
        ) {
            let (a, b) = (Timestamp { unix_ms: a }, Timestamp { unix_ms: a + gap });
            prop_assume!(b >= Timestamp::MIN && b <= Timestamp::MAX);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn what_parses_prints_as_it_was(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z",
        ) {
            if let Ok(at) = text.parse::<Timestamp>() {
                prop_assert_eq!(at.to_string(), text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Timestamp>();
            let _ = text.parse::<Day>();
        }
    }
}
