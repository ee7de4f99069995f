#![doc = include_str!("../README.md")]

mod bugs;
mod call;
mod checkers;
mod client;
mod directory;
mod environment;
mod explore;
mod faults;
mod gateway;
mod ids;
mod observations;
mod plan;
mod ports;
mod prove;
mod server;
mod shrink;
mod simulation;
mod stores;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::plan::Plan;
use crate::server::Real;
use crate::stores::StoreKind;

/// Most of a schedule is small things that come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the chat against everything that goes wrong, and checks what it promises.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs schedules, each from a seed: the promises have to hold in all of them, and every fault has to
    /// happen.
    Run {
        /// How many schedules to run.
        #[arg(long, default_value_t = 20_000)]
        seeds: u64,
        /// The seed of the first schedule; the others follow it.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many threads run them.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Which stores the handlers have.
        #[arg(long, value_enum, default_value_t = StoreKind::Simulated)]
        stores: StoreKind,
    },
    /// Runs one schedule again and prints all that happens in it.
    Replay {
        /// The seed that `run` has printed.
        seed: u64,
        /// With this bug of the bank.
        #[arg(long)]
        bug: Option<String>,
        /// What can be left out of it is left out first.
        #[arg(long)]
        shrink: bool,
        /// Which stores the handlers have; a bug of the bank says so itself.
        #[arg(long, value_enum, default_value_t = StoreKind::Simulated)]
        stores: StoreKind,
    },
    /// Lets the checker catch every bug of the bank.
    Bugs,
    /// Goes through small cases in every interleaving, with at most one fault in every place.
    Explore,
}

fn main() -> ExitCode {
    prove::panics_name_their_seed();
    let holds = match Arguments::parse().command {
        Command::Run { seeds, from, threads, stores } => prove::run(from, seeds, threads, stores),
        Command::Bugs => prove::bugs(),
        Command::Explore => explore::explore(),
        Command::Replay { seed, bug, shrink, stores } => replay(seed, bug.as_deref(), shrink, stores),
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(seed: u64, bug: Option<&str>, shrink: bool, stores: StoreKind) -> bool {
    let bug = bug.map(|name| bugs::BUGS.iter().find(|bug| bug.name.contains(name)));
    let (build, client, stores) = match bug {
        None => (Real::build as server::Build, None, stores),
        Some(Some(bug)) => (bug.build, bug.client, bug.stores),
        Some(None) => {
            eprintln!("the bug bank has no such bug; `chat-sim bugs` lists them");
            return false;
        }
    };
    let mut plan = Plan::of(seed).over(stores);
    if shrink {
        plan = shrink::shrink(plan, build, client);
    }
    prove::tell(&plan, &simulation::run(&plan, build, client, true))
}
