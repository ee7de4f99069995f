//! Metrics as lines of the log, in CloudWatch's embedded metric format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use chat_wire::Counted;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Metadata,
    function_name: &'a str,
    #[serde(flatten)]
    values: BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Count(u64),
    Milliseconds(f64),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: u64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

/// What happened in one invocation, without a line's end. What did not happen is left out: it costs as much
/// as what did.
#[must_use]
pub fn line(function: &str, unix_ms: u64, counted: &Counted, latency: Duration) -> String {
    const LATENCY: &str = "Latency";
    let Counted { failures, sends, duplicates, conflicts, pushes, gone, push_failures } = *counted;
    let counts = [
        ("Failures", failures),
        ("Sends", sends),
        ("Duplicates", duplicates),
        ("Conflicts", conflicts),
        ("Pushes", pushes),
        ("Gone", gone),
        ("PushFailures", push_failures),
    ];
    let happened = counts.into_iter().filter(|(_, count)| *count > 0);
    let mut values: BTreeMap<_, _> = happened.map(|(name, count)| (name, Value::Count(count))).collect();
    let mut metrics: Vec<_> = values.keys().map(|name| Definition { name, unit: "Count" }).collect();
    values.insert(LATENCY, Value::Milliseconds(latency.as_micros() as f64 / 1_000.0));
    metrics.push(Definition { name: LATENCY, unit: "Milliseconds" });
    let directive = Directive { namespace: "Chat", dimensions: [["FunctionName"]], metrics };
    let aws = Metadata { timestamp: unix_ms, cloud_watch_metrics: [directive] };
    let line = Line { aws, function_name: function, values };
    serde_json::to_string(&line).expect("text and finite numbers always serialise")
}
