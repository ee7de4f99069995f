use std::fmt;

use super::measure::Start;
use super::{Calls, Plan, Transport};
use crate::stats::thousands;

/// What both functions took.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// What was asked for.
    pub plan: Plan,
    /// The measured function's start and the other one's, in turn.
    pub pairs: Vec<(Start, Start)>,
    /// Sizes of the deployment packages: `send.zip` beside `send/bootstrap`.
    pub zip_bytes: (Option<u64>, Option<u64>),
}

/// A function's archive stays below 6 MB.
const ZIP_BYTES_MAX: u64 = 6 * 1024 * 1024;

/// A row of the table: what it shows, of which number, in which unit, and how many times more the other one
/// has to take.
type Row = (&'static str, fn(&Start) -> f64, f64, Option<f64>);

const MILLIS: f64 = 1e3;
const MEBIBYTES: f64 = 1.0 / (1024.0 * 1024.0);

const ROWS: [Row; 7] = [
    ("INIT, ms", |start| start.init.as_secs_f64(), MILLIS, Some(8.0)),
    ("first request, ms", |start| start.first.as_secs_f64(), MILLIS, None),
    ("processor time of both, ms", |start| start.cold_cpu.as_secs_f64(), MILLIS, None),
    ("warm request, p50, ms", |start| start.warm.at(50.0).as_secs_f64(), MILLIS, None),
    ("warm request, p99, ms", |start| start.warm.at(99.0).as_secs_f64(), MILLIS, None),
    ("processor time of a warm request, ms", |start| start.warm_cpu.as_secs_f64(), MILLIS, Some(4.0)),
    ("peak memory, MiB", |start| start.memory_peak_bytes as f64, MEBIBYTES, Some(3.0)),
];

impl Comparison {
    /// Whether both asked AWS for the same, and every target is met.
    pub fn holds(&self) -> bool {
        self.same_calls()
            && self.zip_bytes.0.is_some_and(|bytes| bytes <= ZIP_BYTES_MAX)
            && ROWS
                .iter()
                .all(|(_, of, _, target)| target.is_none_or(|target| self.ratio(*of).median >= target))
    }

    /// Whether all starts of both functions made the same calls.
    pub fn same_calls(&self) -> bool {
        let mut starts = self.pairs.iter().flat_map(|(ours, peer)| [ours, peer]);
        let Some(first) = starts.next() else { return false };
        starts.all(|start| start.cold_calls == first.cold_calls && start.warm_calls == first.warm_calls)
    }

    /// How many times more the other one took, in each pair.
    fn ratio(&self, of: fn(&Start) -> f64) -> Quartiles {
        Quartiles::of(self.pairs.iter().map(|(ours, peer)| of(peer) / of(ours)))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { starts, warm, transport } = self.plan;
        let transport = match transport {
            Transport::Plain => "AWS over HTTP",
            Transport::Tls => "AWS over HTTPS",
        };
        writeln!(
            f,
            "{starts} cold starts of each, {warm} warm requests after each, {transport}; \
             medians (quartiles)\n"
        )?;
        writeln!(f, "| | ours | peer | peer / ours | target |\n|---|---:|---:|---:|---:|")?;
        for (name, of, unit, target) in ROWS {
            let ours = Quartiles::of(self.pairs.iter().map(|(ours, _)| of(ours) * unit));
            let peer = Quartiles::of(self.pairs.iter().map(|(_, peer)| of(peer) * unit));
            let target = target.map(|target| format!("{target}")).unwrap_or_default();
            writeln!(f, "| {name} | {ours} | {peer} | {} | {target} |", self.ratio(of))?;
        }
        let zip = |bytes: Option<u64>| bytes.map_or_else(|| "not there".to_owned(), thousands);
        let (ours, peer) = self.zip_bytes;
        writeln!(f, "| zip, bytes | {} | {} | | {} |", zip(ours), zip(peer), thousands(ZIP_BYTES_MAX))?;

        let Some((ours, peer)) = self.pairs.first() else { return Ok(()) };
        if !self.same_calls() {
            writeln!(f, "\nThey do not make the same calls:")?;
            for (name, start) in [("ours", ours), ("peer", peer)] {
                writeln!(f, "{name}: {}; then {}", listed(&start.cold_calls), listed(&start.warm_calls))?;
            }
            return Ok(());
        }
        writeln!(f, "\nCalls of every start and first request of both: {}", listed(&ours.cold_calls))?;
        writeln!(f, "Calls of {warm} warm requests: {}", listed(&ours.warm_calls))
    }
}

fn listed(calls: &Calls) -> String {
    let calls: Vec<_> = calls.iter().map(|(call, count)| format!("{count} {call}")).collect();
    calls.join(", ")
}

/// The middle of some numbers, and what a quarter of them lies below and above.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quartiles {
    low: f64,
    median: f64,
    high: f64,
}

impl Quartiles {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let at = |quarter: f64| {
            // Between two numbers, in proportion.
            let place = quarter / 4.0 * (numbers.len().saturating_sub(1)) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            let (Some(below), Some(above)) = (numbers.get(below), numbers.get(above)) else {
                return f64::NAN;
            };
            below + (above - below) * place.fract()
        };
        Self { low: at(1.0), median: at(2.0), high: at(3.0) }
    }
}

impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        let places = if *median < 10.0 { 2 } else { 1 };
        write!(f, "{median:.places$} ({low:.places$}–{high:.places$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_numbers() {
        let of = |numbers: &[f64]| Quartiles::of(numbers.iter().copied());
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0, 5.0]), Quartiles { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(of(&[1.0, 2.0]), Quartiles { low: 1.25, median: 1.5, high: 1.75 });
        assert!(of(&[]).median.is_nan());
    }
}
