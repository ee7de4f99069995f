//! Many connections that say nothing: what one costs, and whether the few that talk notice the rest.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::task::unconstrained;
use tokio_tungstenite::tungstenite::Message;

use crate::error::BenchError;
use crate::people::{RunId, email};
use crate::process::Process;
use crate::run::{Load, RunOutcome, connect, log_in, talk};
use crate::stats::thousands;
use crate::target::Target;
use crate::verify::Violation;

/// How many connect, and what a few of them say.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Open connections, each of its own user.
    pub connections: usize,
    /// The talk of `load.pairs` random pairs among them.
    pub load: Load,
}

/// Resident memory of the server, where it could be read.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// The memory before anybody had connected.
    pub before: Option<u64>,
    /// When all had logged in.
    pub logged_in: Option<u64>,
    /// When all were connected.
    pub connected: Option<u64>,
}

/// Connects a crowd, and lets some of it talk.
///
/// # Errors
///
/// [`BenchError`] if the crowd cannot connect or a room cannot be read back.
pub async fn idle(
    target: &Target,
    crowd: Crowd,
    server: Option<&Process>,
    bar: &ProgressBar,
) -> Result<(Memory, RunOutcome), BenchError> {
    let resident = || server.and_then(Process::resident_bytes);
    let run = RunId::now();
    let before = resident();
    let emails = (0..crowd.connections).map(|user| email(run, user)).collect();
    let logins = log_in(target, emails, bar).await?;
    let logged_in = resident();
    let sockets = connect(target, &logins, bar).await?;
    let memory = Memory { before, logged_in, connected: resident() };

    let mut people: Vec<_> = logins.into_iter().zip(sockets).collect();
    people.shuffle(&mut StdRng::seed_from_u64(run.number()));
    let mut silent = people.split_off(people.len().min(2 * crowd.load.pairs));
    let (mut outcome, _sockets) = talk(target, run, people, crowd.load, server, bar).await?;

    for (login, socket) in &mut silent {
        // The runtime's fairness budget would let the first hundred be looked at and call the rest not ready.
        while let Some(heard) = unconstrained(socket.next()).now_or_never() {
            let (email, findings) = (&login.email, &mut outcome.findings);
            match heard {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(frame)) => {
                    findings.note(Violation::Strange, || format!("{email}, who talks to nobody: {frame}"));
                }
                ended => {
                    findings.note(Violation::ConnectionLost, || format!("{email}, idle: {ended:?}"));
                    break;
                }
            }
        }
    }
    Ok((memory, outcome))
}

/// The crowd's cost, as text.
pub fn report(crowd: Crowd, memory: Memory) -> String {
    let (Some(before), Some(logged_in), Some(connected)) =
        (memory.before, memory.logged_in, memory.connected)
    else {
        return format!(
            "{} idle connections; memory unknown (give --pid)\n",
            thousands(crowd.connections as u64)
        );
    };
    let each = connected.saturating_sub(logged_in) / crowd.connections.max(1) as u64;
    format!(
        "| idle connections | server before, KiB | logged in, KiB | connected, KiB | bytes per connection |\n\
         |-----------------:|-------------------:|---------------:|---------------:|---------------------:|\n\
         | {} | {} | {} | {} | {} |\n",
        thousands(crowd.connections as u64),
        thousands(before / 1024),
        thousands(logged_in / 1024),
        thousands(connected / 1024),
        thousands(each),
    )
}

/// Files a crowd needs: its sockets, the workers', and the process's own.
pub fn files_needed(connections: usize) -> u64 {
    connections as u64 + 64
}

/// Patience for a crowd's talk, and for any other.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_per_connection_without_the_logins() {
        let load = Load { pairs: 1, rate: 1, seconds: 1, bytes: 64, patience: PATIENCE };
        let crowd = Crowd { connections: 1_000, load };
        let memory = Memory { before: Some(1 << 20), logged_in: Some(2 << 20), connected: Some(12 << 20) };
        assert!(report(crowd, memory).ends_with("| 1,000 | 1,024 | 2,048 | 12,288 | 10,485 |\n"));
        assert!(report(crowd, Memory { before: None, ..memory }).contains("--pid"));
    }
}
