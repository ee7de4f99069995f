//! Suspends users, and exports and erases what the chat holds of them.

use std::io::Write as _;
use std::process::ExitCode;

use chat_admin::Config;
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match chat_admin::run(&Config::parse()).await {
        Ok(report) => {
            // Whoever started it may not want to read.
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
