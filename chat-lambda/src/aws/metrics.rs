//! Metrics as lines of the log, in CloudWatch's embedded metric format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! A line costs as much as four calls of DynamoDB, so one line tells of many invocations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use chat_wire::Counted;
use chat_wire::error::ErrorCode;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Metadata<'a>,
    function_name: &'a str,
    #[serde(flatten)]
    values: BTreeMap<String, Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Count(u64),
    /// One number for each invocation.
    Milliseconds(Vec<f64>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: u64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'static str,
}

/// How long a busy process keeps its counts to itself. CloudWatch's finest period is as long.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// How many numbers a metric may have in one line.
const VALUES_MAX: usize = 100;

/// What the invocations of a process have counted and no line tells yet.
///
/// Between invocations Lambda stops a process and may end it without notice, so counts that wait for a line
/// may never be told. Only those wait whose rate matters and not the single case: failures and reports, which
/// ring alarms one by one, are told at once.
#[derive(Debug, Default)]
pub struct Metrics {
    counted: Counted,
    milliseconds: Vec<f64>,
    told_at_ms: Option<u64>,
}

impl Metrics {
    /// Adds what happened in one invocation, which ended at `now_ms` of Unix time. Returns a line for the
    /// log, without its end, when one is due: for the first invocation, a minute after the last line, and for
    /// what must not wait.
    #[must_use]
    pub fn add(
        &mut self,
        function: &str,
        counted: Counted,
        latency: Duration,
        now_ms: u64,
    ) -> Option<String> {
        self.counted += counted;
        // A tenth of a millisecond is fine enough.
        self.milliseconds.push((latency.as_secs_f64() * 10_000.0).round() / 10.0);
        let waited = self.told_at_ms.map(|told_at| Duration::from_millis(now_ms.saturating_sub(told_at)));
        let is_due =
            waited.is_none_or(|waited| waited >= LINE_EVERY) || self.milliseconds.len() == VALUES_MAX;
        let cannot_wait = self.counted.failures + self.counted.reports > 0;
        (is_due || cannot_wait).then(|| {
            let told = std::mem::replace(self, Self { told_at_ms: Some(now_ms), ..Self::default() });
            line(function, now_ms, &told.counted, told.milliseconds)
        })
    }
}

/// What did not happen is left out: it costs as much as what did.
fn line(function: &str, unix_ms: u64, counted: &Counted, milliseconds: Vec<f64>) -> String {
    const LATENCY: &str = "Latency";
    let Counted {
        failures,
        sends,
        duplicates,
        conflicts,
        pushes,
        gone,
        push_failures,
        reports,
        connects,
        closes,
        ref refusals,
    } = *counted;
    let counts = [
        ("Failures", failures),
        ("Sends", sends),
        ("Duplicates", duplicates),
        ("Conflicts", conflicts),
        ("Pushes", pushes),
        ("Gone", gone),
        ("PushFailures", push_failures),
        ("Reports", reports),
        ("Connects", connects),
        ("Closes", closes),
        ("Refusals", refusals.values().sum()),
    ];
    let by_code = refusals.iter().map(|(code, count)| (format!("Refusals.{}", name_of(*code)), *count));
    let happened = counts.map(|(name, count)| (name.to_owned(), count)).into_iter().chain(by_code);
    let mut values: BTreeMap<_, _> =
        happened.filter(|(_, count)| *count > 0).map(|(name, count)| (name, Value::Count(count))).collect();
    let names: Vec<_> = values.keys().cloned().collect();
    let mut metrics: Vec<_> = names.iter().map(|name| Definition { name, unit: "Count" }).collect();
    values.insert(LATENCY.to_owned(), Value::Milliseconds(milliseconds));
    metrics.push(Definition { name: LATENCY, unit: "Milliseconds" });
    let directive = Directive { namespace: "Chat", dimensions: [["FunctionName"]], metrics };
    let aws = Metadata { timestamp: unix_ms, cloud_watch_metrics: [directive] };
    let line = Line { aws, function_name: function, values };
    serde_json::to_string(&line).expect("text and finite numbers always serialise")
}

/// The code as clients read it.
fn name_of(code: ErrorCode) -> String {
    let name = serde_json::to_value(code).expect("a code without fields always serialises");
    name.as_str().unwrap_or_default().to_owned()
}
