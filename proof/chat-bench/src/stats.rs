//! Turns latencies into percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Enough for any printed latency.
const SIGNIFICANT_DIGITS: u8 = 3;
/// One hour: longer than any run waits.
const HIGHEST_MICROS: u64 = 3_600_000_000;

/// A distribution of latencies, kept in microseconds with three significant digits.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// Collects latencies, in any order.
    pub fn of(latencies: impl IntoIterator<Item = Duration>) -> Self {
        let mut histogram = Histogram::new_with_max(HIGHEST_MICROS, SIGNIFICANT_DIGITS)
            .expect("bounds and digits are the library's allowed ones");
        for latency in latencies {
            histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
        Self(histogram)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that `percentile` per cent do not exceed.
    pub fn at(&self, percentile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_percentile(percentile))
    }

    /// The longest of the latencies.
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }
}

/// A latency in milliseconds, as in every table here.
pub fn millis(latency: Duration) -> String {
    format!("{:.2}", latency.as_secs_f64() * 1000.0)
}

/// A whole number with thousands separated.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_values() {
        let latencies = Latencies::of((1..=1000).map(Duration::from_micros));
        assert_eq!(latencies.count(), 1000);
        assert_eq!(latencies.at(50.0), Duration::from_micros(500));
        assert_eq!(latencies.at(99.0), Duration::from_micros(990));
        assert_eq!(latencies.at(99.9), Duration::from_micros(1000));
        assert_eq!(latencies.max(), Duration::from_micros(1000));
    }

    #[test]
    fn one_slow_message_in_a_thousand_shows_at_the_top_only() {
        let slow = std::iter::once(Duration::from_secs(2));
        let latencies = Latencies::of((0..999).map(|_| Duration::from_millis(1)).chain(slow));
        assert!(latencies.at(99.0) < Duration::from_millis(2));
        assert!(latencies.max() >= Duration::from_secs(2));
    }

    #[test]
    fn no_latency_is_zero_everywhere() {
        let latencies = Latencies::of([]);
        assert_eq!((latencies.at(99.0), latencies.max()), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn numbers_are_printed_for_people() {
        assert_eq!(millis(Duration::from_micros(1_234)), "1.23");
        assert_eq!(
            ["7", "1,234", "12,345,678"],
            [7, 1_234, 12_345_678].map(thousands).each_ref().map(String::as_str)
        );
    }
}
