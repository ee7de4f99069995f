//! Starts the whole chat in one process.

use std::io::Write as _;
use std::process::ExitCode;

use chat_local::{Config, Server, ServerError};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// What one thread allocates for a frame another one frees; the system's allocator locks for that, and a
/// fifth of the server's time went there (`docs/performance.md`).
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads()).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => {
            eprintln!("no threads to run in: {error}");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread for every two cores. Most of a message's time is the kernel's, and work that wanders between
/// threads costs more than it gains: on two cores, one thread takes a seventh less processor time for a
/// message than two do, and its highest rate is a seventh higher (`docs/performance.md`).
fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

async fn run() -> Result<(), ServerError> {
    let config = Config::parse();
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // Below `info` these libraries log what goes over the wire: what people write, and tokens. `s3s` logs
    // what a client of the bucket did wrong, which the client is told anyway.
    for quiet in [
        "hyper=info",
        "tokio_tungstenite=info",
        "tungstenite=info",
        "aws_smithy_runtime=info",
        "aws_smithy_runtime_api=info",
        "aws_sdk_dynamodb=info",
        "aws_sdk_s3=info",
        "s3s=off",
    ] {
        filter = filter.add_directive(quiet.parse().expect("a target and a level"));
    }
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Every connection is a file: the soft limit, often 1,024, would be reached early.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }

    let server = Server::bind(&config).await?;
    // Whoever started it may not want to read.
    let _ = writeln!(std::io::stdout(), "{}", server.greeting());
    server.run_until(stop_signal()).await
}

/// Ends when somebody asks the process to stop. Who asks again does not want to wait.
async fn stop_signal() {
    next_signal().await;
    tokio::spawn(async {
        next_signal().await;
        std::process::exit(130);
    });
}

/// Ends with the next SIGTERM or Ctrl-C.
async fn next_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .expect("a process may always ask to be told of SIGTERM");
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
