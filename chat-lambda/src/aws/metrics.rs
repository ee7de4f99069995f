//! Metrics as lines of the log, in CloudWatch's embedded metric format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::functions::Counted;

const NAMESPACE: &str = "Chat";
const DIMENSION: &str = "FunctionName";

/// What happened in one invocation, without a line's end. What did not happen is left out: it costs as much as what did.
#[must_use]
pub fn line(function: &str, unix_ms: u64, counted: &Counted, latency: Duration) -> String {
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
    let latency_ms = latency.as_secs_f64() * 1_000.0;
    let metrics: Vec<(&str, &str, Value)> = happened
        .map(|(name, count)| (name, "Count", json!(count)))
        .chain([("Latency", "Milliseconds", json!((latency_ms * 1_000.0).round() / 1_000.0))])
        .collect();
    let named: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": named });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": unix_ms, "CloudWatchMetrics": [directive] }));
    line.insert(DIMENSION.to_owned(), json!(function));
    line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    Value::Object(line).to_string()
}
