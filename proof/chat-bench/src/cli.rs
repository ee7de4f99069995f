//! The flags of the program.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, value_parser};

use crate::idle::{Crowd, PATIENCE};
use crate::payload::{MAX_BYTES, MIN_BYTES};
use crate::process::Process;
use crate::run::Load;
use crate::target::{Remote, Target};

/// Load driver and benchmarks for the 1:1 chat.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// Which measurement to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The measurements that there are.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Send on a fixed schedule, measure from the intended send time, verify everything
    Load(LoadArgs),
    /// Hold many silent connections, and let a few pairs talk among them
    Idle(IdleArgs),
    /// Compare two Lambda functions that send: start, first request, warm requests, memory, size
    #[cfg(feature = "lambda")]
    Lambda(LambdaArgs),
}

/// Where the server is.
#[derive(Debug, Args)]
pub struct Server {
    /// WebSocket URL of the chat
    #[arg(long, value_name = "WS_URL", default_value = "ws://127.0.0.1:8080/prod")]
    url: String,
    /// Base URL of REST; by default the WebSocket's host and port
    #[arg(long, value_name = "HTTP_URL")]
    rest: Option<String>,
    /// Accept a URL that is not this machine. This is a load generator: only for machines that are yours
    #[arg(long)]
    allow_remote: bool,
    /// Process id of the server on this machine, to measure its memory and processor time
    #[arg(long)]
    pid: Option<u32>,
    /// Threads of the driver. One is cheapest; more help only where cores are idle
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    pub threads: u16,
}

impl Server {
    /// The server's addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Target::parse`].
    pub fn target(&self) -> Result<Target, crate::error::BenchError> {
        let remote = if self.allow_remote { Remote::Allowed } else { Remote::Refused };
        Target::parse(&self.url, self.rest.as_deref(), remote)
    }

    /// The server's process, if it was named.
    pub fn process(&self) -> Option<Process> {
        self.pid.map(Process::with_id)
    }
}

/// What is said to whom, and how often.
#[derive(Debug, Clone, Args)]
pub struct Talk {
    /// Messages per second, in total
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// Length of the run
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Size of a text in UTF-8 bytes
    #[arg(
        long,
        default_value_t = 200,
        value_parser = value_parser!(u64).range(MIN_BYTES as u64..=MAX_BYTES as u64)
    )]
    bytes: u64,
    /// After the schedule: how long to wait while nothing happens
    #[arg(long, default_value_t = PATIENCE.as_secs())]
    patience_seconds: u64,
}

impl Talk {
    fn load(&self, pairs: u16) -> Load {
        Load {
            pairs: pairs.into(),
            rate: self.rate,
            seconds: self.seconds,
            bytes: usize::try_from(self.bytes).unwrap_or(MAX_BYTES),
            patience: Duration::from_secs(self.patience_seconds),
        }
    }
}

/// The flags of `load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Where the chat is.
    #[command(flatten)]
    pub server: Server,
    /// What is said there.
    #[command(flatten)]
    talk: Talk,
    /// Pairs of users; both members send
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u16).range(1..=9_000))]
    pairs: u16,
    /// Write the latency curve to this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Look for the highest rate that holds, from --rate upwards, then run --seconds at half of it
    #[arg(long)]
    pub find_max: bool,
    /// With --find-max: length of a step
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u64).range(1..=600))]
    step_seconds: u64,
    /// With --find-max: a rate holds only if the 99th percentile of delivery stays within this
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u64).range(1..=60_000))]
    p99_bound_ms: u64,
}

impl LoadArgs {
    /// The load of a plain run.
    pub fn load(&self) -> Load {
        self.talk.load(self.pairs)
    }

    /// The load of a search's step.
    pub fn step(&self, rate: u64) -> Load {
        Load { rate, seconds: self.step_seconds, ..self.load() }
    }

    /// What a step's 99th percentile must not exceed.
    pub fn bound(&self) -> Duration {
        Duration::from_millis(self.p99_bound_ms)
    }
}

/// The flags of `idle`.
#[derive(Debug, Args)]
pub struct IdleArgs {
    /// Where the chat is.
    #[command(flatten)]
    pub server: Server,
    /// What is said there.
    #[command(flatten)]
    talk: Talk,
    /// Connections to hold, each of its own user
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(2..=1_000_000))]
    connections: u32,
    /// Random pairs that talk
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(1..=9_000))]
    pairs: u16,
}

impl IdleArgs {
    /// Who comes and what is said; no more pairs than the connections make.
    pub fn crowd(&self) -> Crowd {
        let connections = usize::try_from(self.connections).unwrap_or(usize::MAX);
        let mut load = self.talk.load(self.pairs);
        load.pairs = load.pairs.min(connections / 2);
        Crowd { connections, load }
    }
}

/// The flags of `lambda`.
#[cfg(feature = "lambda")]
#[derive(Debug, Args)]
pub struct LambdaArgs {
    /// Where `send/bootstrap` and `node-send/bootstrap` are
    #[arg(long, value_name = "FOLDER", default_value = "target/lambda")]
    pub lambda_dir: PathBuf,
    /// Cold starts of each
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u32).range(1..=10_000))]
    pub starts: u32,
    /// Warm requests after each start
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub warm: u32,
    /// AWS behind TLS, by a certificate authority made for the run
    #[arg(long)]
    pub tls: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_but_a_command_is_needed() {
        let cli = Cli::try_parse_from(["chat-bench", "load"]).unwrap();
        let Command::Load(args) = cli.command else { panic!("not load") };
        assert_eq!((args.load().pairs, args.load().rate, args.load().bytes), (50, 1_000, 200));
        assert!(args.server.target().is_ok());
    }

    #[test]
    fn another_machine_needs_a_flag() {
        let parse = |flags: &[&str]| {
            let all = ["chat-bench", "load", "--url", "ws://192.0.2.1/prod"].iter().chain(flags);
            let Command::Load(args) = Cli::try_parse_from(all).unwrap().command else { panic!("not load") };
            args.server.target()
        };
        assert!(parse(&[]).is_err());
        assert!(parse(&["--allow-remote"]).is_ok());
    }

    #[test]
    fn a_small_crowd_has_no_more_pairs_than_people() {
        let cli = Cli::try_parse_from(["chat-bench", "idle", "--connections", "10"]).unwrap();
        let Command::Idle(args) = cli.command else { panic!("not idle") };
        assert_eq!(args.crowd().load.pairs, 5);
    }
}
