use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use lambda_local::{Function, FunctionConfig, Invocation, InvokeError, Stream};

use super::aws::{Aws, Calls};
use super::tables::FixedTables;
use crate::error::BenchError;
use crate::stats::Latencies;

/// Longer than anything that is measured.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One cold start and the requests after it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Start {
    /// From the start of the process to its first request for an event.
    pub init: Duration,
    /// How long the first request took.
    pub first: Duration,
    /// Processor time of initialisation and first request.
    pub cold_cpu: Duration,
    /// The requests after it.
    pub warm: Latencies,
    /// Processor time of each of these, in the mean.
    pub warm_cpu: Duration,
    /// The most memory that the process ever had.
    pub memory_peak_bytes: u64,
    /// What AWS was asked up to the end of the first request.
    pub cold_calls: Calls,
    /// What it was asked by the other ones.
    pub warm_calls: Calls,
}

/// Starts a function, has it send once and then `warm` times more.
pub(super) async fn start(program: &Path, aws: &Aws, warm: u32) -> Result<Start, BenchError> {
    let mut config = FunctionConfig::new("send", program);
    config.environment = aws.environment();
    // What a function gets one whole processor with.
    config.memory_mb = 1_769;
    (config.timeout, config.init_timeout, config.instances_max) = (TIMEOUT, TIMEOUT, 1);
    let said = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&said);
    config.logs = Arc::new(move |stream, line| {
        if stream == Stream::Stderr {
            let mut said = sink.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend([line, "\n"]);
        }
    });
    let function = Function::new(config).map_err(|error| BenchError::Function {
        program: program.display().to_string(),
        what: error.to_string(),
    })?;
    let outcome = requests(program, &function, aws, warm).await;
    function.shutdown().await;
    if outcome.is_err() {
        eprint!("{}", said.lock().unwrap_or_else(PoisonError::into_inner));
    }
    outcome
}

async fn requests(program: &Path, function: &Function, aws: &Aws, warm: u32) -> Result<Start, BenchError> {
    let failed =
        |what: &str| BenchError::Function { program: program.display().to_string(), what: what.to_owned() };
    let send = async || {
        let event = Bytes::from(aws.tables.event().to_string());
        let outcome = loop {
            match function.invoke(event.clone()).await {
                // On a busy machine it may take a while until the process has come back for the next event.
                Err(InvokeError::Throttled) => tokio::task::yield_now().await,
                outcome => break outcome,
            }
        };
        let invocation = outcome
            .map_err(|source| BenchError::Invocation { program: program.display().to_string(), source })?;
        match FixedTables::fault(&invocation.payload) {
            Some(fault) => Err(failed(&fault)),
            None => Ok::<Invocation, BenchError>(invocation),
        }
    };
    aws.take_calls();
    let first = send().await?.report;
    let cold_calls = aws.take_calls();
    let mut durations = Vec::new();
    let mut last = first.clone();
    for _ in 0..warm {
        last = send().await?.report;
        durations.push(last.duration);
    }
    let unknown = || failed("its processor time and memory are not known here");
    let cold_cpu = first.cpu_total.ok_or_else(unknown)?;
    let warm_cpu = last.cpu_total.ok_or_else(unknown)?.saturating_sub(cold_cpu);
    Ok(Start {
        init: first.init_duration.ok_or_else(|| failed("it did not start at the first attempt"))?,
        first: first.duration,
        cold_cpu,
        warm: Latencies::of(durations),
        warm_cpu: warm_cpu / warm.max(1),
        memory_peak_bytes: last.memory_peak_bytes.ok_or_else(unknown)?,
        cold_calls,
        warm_calls: aws.take_calls(),
    })
}
