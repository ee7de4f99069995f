//! The commands: run, print, say whether all was well.

use std::fs;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

#[cfg(feature = "lambda")]
use crate::cli::LambdaArgs;
use crate::cli::{Cli, Command, IdleArgs, LoadArgs, Server};
use crate::error::BenchError;
use crate::idle::{files_needed, idle};
#[cfg(feature = "lambda")]
use crate::lambda::{self, Plan, Transport};
use crate::process::raise_file_limit;
use crate::run::{Load, RunOutcome, run};
use crate::search::{Search, holds};
use crate::target::Target;
use crate::{idle as crowd, report, svg};

/// A rate fails only if it fails this often in a row: whatever else the machine does can only make a step
/// worse.
const ATTEMPTS: u32 = 2;

/// Runs a command; answers whether every promise was kept.
///
/// # Errors
///
/// [`BenchError`] if there is no result at all.
pub fn execute(cli: &Cli) -> Result<bool, BenchError> {
    match &cli.command {
        Command::Load(args) if args.find_max => on_runtime(&args.server, find_max(args)),
        Command::Load(args) => on_runtime(&args.server, load(args)),
        Command::Idle(args) => on_runtime(&args.server, hold(args)),
        #[cfg(feature = "lambda")]
        Command::Lambda(args) => on_threads(1, compare(args)),
    }
}

fn on_runtime(
    server: &Server,
    command: impl Future<Output = Result<bool, BenchError>>,
) -> Result<bool, BenchError> {
    on_threads(server.threads, command)
}

fn on_threads(
    threads: u16,
    command: impl Future<Output = Result<bool, BenchError>>,
) -> Result<bool, BenchError> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads.into()).enable_all().build();
    runtime.map_err(BenchError::io("start the runtime"))?.block_on(command)
}

async fn load(args: &LoadArgs) -> Result<bool, BenchError> {
    let target = args.server.target()?;
    let outcome = measured(&target, args.load(), &args.server).await?;
    print!("{}", report::outcome(&outcome));
    write_curve(args.svg.as_deref(), &outcome)?;
    Ok(outcome.findings.is_clean())
}

async fn find_max(args: &LoadArgs) -> Result<bool, BenchError> {
    let target = args.server.target()?;
    let mut search = Search::starting_at(args.load().rate);
    let mut best = None;
    while let Some(rate) = search.next() {
        let mut held = false;
        for _attempt in 0..ATTEMPTS {
            let outcome = measured(&target, args.step(rate), &args.server).await?;
            held = holds(rate, outcome.achieved, outcome.deliveries.at(99.0), args.bound());
            println!("{}", report::step(&outcome, held));
            if !outcome.findings.is_clean() {
                print!("\n{}", report::outcome(&outcome));
                return Ok(false);
            }
            if held {
                best = Some(outcome);
                break;
            }
        }
        search.tried(held);
    }
    let Some(best) = best else {
        println!("no rate held");
        return Ok(false);
    };
    let half = Load { rate: (best.load.rate / 2).max(1), ..args.load() };
    let half = measured(&target, half, &args.server).await?;
    print!("\n{}\n{}", report::outcome(&half), report::sustained(&best, &half));
    write_curve(args.svg.as_deref(), &half)?;
    Ok(half.findings.is_clean())
}

async fn hold(args: &IdleArgs) -> Result<bool, BenchError> {
    let (target, people) = (args.server.target()?, args.crowd());
    let (needed, allowed) = (files_needed(people.connections), raise_file_limit());
    if needed > allowed {
        let source = std::io::Error::other(format!("the hard limit is {allowed} (ulimit -Hn)"));
        return Err(BenchError::io(format!("open {needed} files"))(source));
    }
    let (memory, outcome) = idle(&target, people, args.server.process().as_ref(), &progress_bar()).await?;
    print!("{}\n{}", crowd::report(people, memory), report::outcome(&outcome));
    Ok(outcome.findings.is_clean())
}

#[cfg(feature = "lambda")]
async fn compare(args: &LambdaArgs) -> Result<bool, BenchError> {
    let transport = if args.tls { Transport::Tls } else { Transport::Plain };
    let plan = Plan { starts: args.starts, warm: args.warm, transport };
    let program = |name: &str| args.lambda_dir.join(name).join("bootstrap");
    let (ours, peer) = (program("send"), program("node-send"));
    let comparison = lambda::compare(&ours, &peer, plan, &progress_bar()).await?;
    print!("{comparison}");
    Ok(comparison.holds())
}

async fn measured(target: &Target, load: Load, server: &Server) -> Result<RunOutcome, BenchError> {
    raise_file_limit();
    run(target, load, server.process().as_ref(), &progress_bar()).await
}

fn write_curve(file: Option<&Path>, outcome: &RunOutcome) -> Result<(), BenchError> {
    let Some(file) = file else { return Ok(()) };
    fs::write(file, svg::latency_curve(outcome)).map_err(BenchError::io(format!("write {}", file.display())))
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} {wide_bar} {human_pos}/{human_len} {per_sec}");
    ProgressBar::no_length().with_style(style.expect("the template names known fields only"))
}
