//! What a person reads at the end, as markdown.

use std::fmt::Write;

use crate::run::RunOutcome;
use crate::stats::{Latencies, millis, thousands};

/// The percentiles of every table.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// A run in full.
pub fn outcome(outcome: &RunOutcome) -> String {
    let load = &outcome.load;
    let mut text = format!(
        "{} pairs, {} messages/s offered for {} s, {} bytes a message\n\n",
        thousands(load.pairs as u64),
        thousands(load.rate),
        load.seconds,
        load.bytes
    );
    text.push_str(
        "| ms since the intended send time |     count |    p50 |    p90 |    p99 |  p99.9 |    max |\n",
    );
    text.push_str(
        "|---------------------------------|----------:|-------:|-------:|-------:|-------:|-------:|\n",
    );
    let rows = [
        ("acknowledged", &outcome.acks),
        ("delivered to the peer", &outcome.deliveries),
        ("of it the driver's own delay", &outcome.lateness),
    ];
    for (name, latencies) in rows {
        let _infallible = write!(text, "| {name:<31} | {:>9} |", thousands(latencies.count()));
        for value in
            PERCENTILES.map(|percentile| latencies.at(percentile)).into_iter().chain([latencies.max()])
        {
            let _infallible = write!(text, " {:>6} |", millis(value));
        }
        text.push('\n');
    }
    let cores = |cores: Option<f64>| cores.map_or("unknown".to_owned(), |cores| format!("{cores:.2}"));
    let _infallible = write!(
        text,
        "\nachieved {} messages/s; repeated {}; delivered out of order {}; \
         processor cores: driver {}, server {}\n{}",
        thousands(outcome.achieved.round() as u64),
        repeated(outcome),
        thousands(outcome.findings.reordered),
        cores(outcome.driver_cores),
        cores(outcome.server_cores),
        findings(outcome),
    );
    text
}

fn repeated(outcome: &RunOutcome) -> String {
    if outcome.retries.is_empty() {
        return "none".to_owned();
    }
    let codes = outcome.retries.iter().map(|(code, count)| format!("{} after {code}", thousands(*count)));
    codes.collect::<Vec<_>>().join(", ")
}

fn findings(outcome: &RunOutcome) -> String {
    if outcome.findings.is_clean() {
        format!(
            "verified: {} acknowledged, each delivered once and unchanged, {} read back in the same order\n",
            thousands(outcome.acks.count()),
            thousands(outcome.findings.rows_read),
        )
    } else {
        outcome.findings.to_string()
    }
}

/// One step of a search, on one line.
pub fn step(outcome: &RunOutcome, held: bool) -> String {
    format!(
        "{:>9} msg/s offered  {:>9} achieved  p99 {:>8} ms delivered  {}",
        thousands(outcome.load.rate),
        thousands(outcome.achieved.round() as u64),
        millis(outcome.deliveries.at(99.0)),
        if held { "held" } else { "did not hold" },
    )
}

/// Head and one row for a document: the highest rate that held, and latency at half of it.
pub fn sustained(best: &RunOutcome, half: &RunOutcome) -> String {
    let p = |latencies: &Latencies, percentile: f64| millis(latencies.at(percentile));
    format!(
        "| pairs | bytes | highest sustained msg/s | p99 there, ms | at half, msg/s | ack p50 / p99, ms | \
         delivery p50 / p99 / p99.9 / max, ms |\n\
         |------:|------:|------------------------:|--------------:|---------------:|------------------:|\
         -------------------------------------:|\n\
         | {} | {} | {} | {} | {} | {} / {} | {} / {} / {} / {} |\n",
        best.load.pairs,
        best.load.bytes,
        thousands(best.load.rate),
        p(&best.deliveries, 99.0),
        thousands(half.load.rate),
        p(&half.acks, 50.0),
        p(&half.acks, 99.0),
        p(&half.deliveries, 50.0),
        p(&half.deliveries, 99.0),
        p(&half.deliveries, 99.9),
        millis(half.deliveries.max()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome_of;
    use crate::verify::Violation;

    #[test]
    fn a_clean_run_says_what_was_verified() {
        let text = outcome(&outcome_of(1..=1_000));
        assert!(
            text.contains("| delivered to the peer           |     1,000 |   0.60 |   1.00 |   1.09 |"),
            "{text}"
        );
        assert!(text.contains("verified: 1,000 acknowledged"), "{text}");
        assert!(text.contains("repeated none"), "{text}");
    }

    #[test]
    fn a_broken_promise_takes_the_place_of_verified() {
        let mut broken = outcome_of(1..=10);
        broken.findings.note(Violation::Lost, || "junho@example.com: message 7".to_owned());
        broken.retries.insert("rateLimited".to_owned(), 1_234);
        let text = outcome(&broken);
        assert!(text.contains("VIOLATION  acknowledged but not delivered: 1"), "{text}");
        assert!(text.contains("repeated 1,234 after rateLimited"), "{text}");
        assert!(!text.contains("verified"), "{text}");
    }

    #[test]
    fn a_search_ends_in_one_row_for_a_document() {
        let run = outcome_of(1..=1_000);
        let row = sustained(&run, &run).lines().last().map(str::to_owned).unwrap();
        assert_eq!(row, "| 50 | 200 | 1,000 | 1.09 | 1,000 | 0.50 / 0.99 | 0.60 / 1.09 / 1.10 / 1.10 |");
    }
}
