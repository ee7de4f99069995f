//! The benchmark of the Lambda functions, over functions that are small. Nothing here depends on how long
//! anything takes.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};

use chat_bench::error::BenchError;
use chat_bench::lambda::{Comparison, Plan, Transport, compare};
use indicatif::ProgressBar;

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda").join(name)
}

async fn compared(ours: &str, peer: &str, transport: Transport) -> Result<Comparison, BenchError> {
    let plan = Plan { starts: 2, warm: 3, transport };
    compare(&program(ours), &program(peer), plan, &ProgressBar::hidden()).await
}

#[tokio::test]
async fn two_functions_are_measured_by_turns() {
    for transport in [Transport::Plain, Transport::Tls] {
        let comparison = compared("sends.py", "sends.py", transport).await.unwrap();

        assert!(comparison.same_calls(), "{comparison}");
        assert_eq!(comparison.pairs.len(), 2);
        for start in comparison.pairs.iter().flat_map(|(ours, peer)| [ours, peer]) {
            let cold = [
                ("GetItem connections", 1),
                ("GetItem rooms", 1),
                ("POST @connections", 1),
                ("PutItem messages", 1),
                ("Query connections by email-index", 2),
                ("Query messages", 1),
                ("UpdateItem rooms", 1),
            ];
            assert_eq!(start.cold_calls, cold.map(|(call, count)| (call.to_owned(), count)).into());
            let warm = cold[1..].iter().map(|(call, count)| ((*call).to_owned(), 3 * count)).collect();
            assert_eq!(start.warm_calls, warm, "the connection is known by then");
            assert_eq!(start.warm.count(), 3);
            assert!(!start.init.is_zero() && !start.first.is_zero() && start.memory_peak_bytes > 1024 * 1024);
        }
        let report = comparison.to_string();
        for row in
            ["| INIT, ms |", "| peak memory, MiB |", "Calls of 3 warm requests: 3 GetItem rooms, 3 POST"]
        {
            assert!(report.contains(row), "{report}");
        }
        assert!(!comparison.holds(), "nothing is eight times as fast as itself");
    }
}

#[tokio::test]
async fn functions_that_ask_for_other_things_are_no_comparison() {
    let comparison = compared("sends.py", "twice.sh", Transport::Plain).await.unwrap();

    assert!(!comparison.same_calls() && !comparison.holds());
    let report = comparison.to_string();
    assert!(report.contains("They do not make the same calls"), "{report}");
    assert!(report.contains("2 POST @connections"), "{report}");
}

#[tokio::test]
async fn a_function_that_does_not_send_is_not_measured() {
    let error = compared("lies.sh", "sends.py", Transport::Plain).await.unwrap_err();
    assert!(error.to_string().contains("lies.sh: it answered {"), "{error}");

    let error = compared("sends.py", "missing", Transport::Plain).await.unwrap_err();
    assert!(error.to_string().contains("missing` is no program"), "{error}");
}
