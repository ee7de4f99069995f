//! A latency curve as a small SVG document that follows the reader's light or dark setting.

use std::f64::consts::LOG10_2;
use std::fmt::Write;
use std::time::Duration;

use crate::run::RunOutcome;
use crate::stats::{Latencies, millis, thousands};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 54.0;
/// Points of a curve: one every six pixels or so.
const POINTS: u32 = 120;

/// Plain classes instead of variables, since not every viewer of SVG knows `var()`.
const STYLE: &str = "\
text{font:12px sans-serif;fill:#6b7280}.title{font-size:16px;font-weight:600}\
.title,.key{fill:#1f2937}.paper{fill:#fff}.grid{stroke:#e5e7eb}\
.curve{fill:none;stroke-width:2;stroke-linejoin:round}.ack{stroke:#2563eb}\
.delivery{stroke:#c2410c;stroke-dasharray:7 3}\
@media(prefers-color-scheme:dark){text{fill:#9ca3af}.title,.key{fill:#f3f4f6}.paper{fill:#111827}\
.grid{stroke:#374151}.ack{stroke:#60a5fa}.delivery{stroke:#fb923c}}";

/// Draws the latencies of a run: percentiles to the right, each nine as wide as the one before; milliseconds
/// upwards, in decades.
pub fn latency_curve(outcome: &RunOutcome) -> String {
    let curves =
        [("ack", "acknowledged", &outcome.acks), ("delivery", "delivered to the peer", &outcome.deliveries)];
    let frame = Frame::around(curves.map(|(_, _, latencies)| latencies));
    let load = &outcome.load;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>Latency by percentile</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"28\">Latency from the intended send time</text>\n\
         <text x=\"{LEFT}\" y=\"47\">{} messages/s for {} s, {} pairs, {} bytes a message</text>\n",
        thousands(load.rate),
        load.seconds,
        thousands(load.pairs as u64),
        load.bytes,
    );
    frame.draw(&mut svg);
    for (row, (class, name, latencies)) in curves.into_iter().enumerate() {
        let (x, y) = (LEFT + 250.0 * row as f64, 68.0);
        let _infallible = writeln!(
            svg,
            "<path class=\"curve {class}\" d=\"M{x} {}h26\"/><text class=\"key\" x=\"{}\" y=\"{y}\">\
             {name}, p99 {} ms</text>\n<polyline class=\"curve {class}\" points=\"{}\"/>",
            y - 4.0,
            x + 34.0,
            millis(latencies.at(99.0)),
            frame.points(latencies),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The drawing area's scales.
struct Frame {
    /// How many nines fit: with 1,000 latencies three.
    nines: f64,
    /// Lowest and highest latency, in milliseconds, at round numbers.
    low: f64,
    high: f64,
}

impl Frame {
    fn around(curves: [&Latencies; 2]) -> Self {
        let most = curves.map(Latencies::count).into_iter().max().unwrap_or_default().max(10);
        let lowest = curves.map(|curve| curve.at(0.0)).into_iter().min().unwrap_or_default();
        let highest = curves.map(Latencies::max).into_iter().max().unwrap_or_default();
        let low = round_steps().take_while(|&step| step <= in_millis(lowest)).last().unwrap_or(0.01);
        let high = round_steps().find(|&step| step >= in_millis(highest) && step > low).unwrap_or(1e6);
        Self { nines: (most as f64).log10(), low, high }
    }

    /// Where a percentile is: 90 at one, 99 at two, 99.9 at three nines.
    fn x(&self, nines: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * nines / self.nines
    }

    fn y(&self, millis: f64) -> f64 {
        let part = (millis.clamp(self.low, self.high) / self.low).log10() / (self.high / self.low).log10();
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part
    }

    fn points(&self, latencies: &Latencies) -> String {
        let point = |step: u32| {
            let nines = self.nines * f64::from(step) / f64::from(POINTS);
            let latency = latencies.at(100.0 * (1.0 - 10f64.powf(-nines)));
            format!("{:.1},{:.1}", self.x(nines), self.y(in_millis(latency)))
        };
        (0..=POINTS).map(point).collect::<Vec<_>>().join(" ")
    }

    fn draw(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for step in round_steps().filter(|&step| step >= self.low && step <= self.high) {
            let y = self.y(step);
            let _infallible = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{step} ms</text>",
                LEFT - 8.0,
                y + 4.0,
            );
        }
        let names = [(0.0, "min"), (LOG10_2, "50 %"), (1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %")];
        let further = [(4.0, "99.99 %"), (5.0, "99.999 %"), (6.0, "99.9999 %")];
        for (nines, name) in names.into_iter().chain(further).filter(|(nines, _)| *nines <= self.nines) {
            let x = self.x(nines);
            let _infallible = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
                bottom + 18.0,
            );
        }
        let _infallible = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">percentile of messages</text>",
            (LEFT + right) / 2.0,
            bottom + 40.0,
        );
    }
}

fn in_millis(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1000.0
}

/// 0.01, 0.02, 0.05, 0.1 ... milliseconds, up to a quarter of an hour.
fn round_steps() -> impl Iterator<Item = f64> {
    let decades = ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"].map(|text| text.parse().unwrap_or(f64::NAN));
    decades.into_iter().chain((0..6).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome_of;

    #[test]
    fn every_point_lies_inside_the_frame() {
        for micros in [vec![], vec![0], vec![400; 1_000], (1..1_000_000).step_by(7).collect()] {
            let svg = latency_curve(&outcome_of(micros.into_iter()));
            let curves: Vec<_> =
                svg.split("points=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert_eq!(curves.len(), 2);
            for point in curves.iter().flat_map(|curve| curve.split(' ')) {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((LEFT..=WIDTH - RIGHT).contains(&x), "{point}");
                assert!((TOP..=HEIGHT - BOTTOM).contains(&y), "{point}");
            }
        }
    }

    #[test]
    fn a_higher_percentile_is_never_drawn_lower() {
        let svg = latency_curve(&outcome_of((1..5_000).map(|n| n * n % 9_973)));
        let curve = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let heights: Vec<f64> =
            curve.split(' ').map(|point| point.split_once(',').unwrap().1.parse().unwrap()).collect();
        assert!(heights.is_sorted_by(|before, after| before >= after));
    }

    #[test]
    fn the_axis_names_no_percentile_the_run_cannot_show() {
        let svg = latency_curve(&outcome_of(1..1_000));
        assert!(svg.contains(">99 %<") && !svg.contains("99.9 %<"));
    }
}
