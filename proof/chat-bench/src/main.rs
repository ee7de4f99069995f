//! Load driver and benchmarks for the 1:1 chat.

use std::error::Error;
use std::process::ExitCode;

use chat_bench::cli::Cli;
use chat_bench::commands::execute;
use clap::Parser;

fn main() -> ExitCode {
    match execute(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("not every promise was kept, see above");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::from(2)
        }
    }
}
