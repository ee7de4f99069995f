//! One run from login to findings.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use indicatif::ProgressBar;

use crate::drive::{ConnectedUser, drive};
use crate::error::BenchError;
use crate::people::{RunId, email, room_id};
use crate::process::Process;
use crate::rest::{Login, RestClient};
use crate::schedule::Schedule;
use crate::socket::{Dialer, Socket};
use crate::stats::Latencies;
use crate::talker::{Log, Talker};
use crate::target::Target;
use crate::verify::{Findings, RoomLogs};

/// Setting up and reading back use this many connections side by side: enough to keep a server busy, few
/// enough not to overflow its accept queue (Linux: 4,096 at most, often 128).
const WORKERS: usize = 16;

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Pairs of users; both members send.
    pub pairs: usize,
    /// Messages per second, in total.
    pub rate: u64,
    /// Length of the schedule.
    pub seconds: u64,
    /// Size of a text in UTF-8 bytes.
    pub bytes: usize,
    /// How long to wait, after the schedule, while nothing happens at all.
    pub patience: Duration,
}

/// What a run measured and found.
#[derive(Debug)]
pub struct RunOutcome {
    /// What was asked for.
    pub load: Load,
    /// Intended send time to acknowledgement.
    pub acks: Latencies,
    /// Intended send time to the peer's socket.
    pub deliveries: Latencies,
    /// How late the driver itself was with messages that waited for nothing else.
    pub lateness: Latencies,
    /// Deliveries per second until the last one.
    pub achieved: f64,
    /// Repetitions, by the code of the retryable error before them.
    pub retries: BTreeMap<String, u64>,
    /// Processor cores the driver used while messages ran.
    pub driver_cores: Option<f64>,
    /// Processor cores the server used meanwhile.
    pub server_cores: Option<f64>,
    /// What was wrong with the run, if anything.
    pub findings: Findings,
}

/// Logs `2 * pairs` new users in, connects them and lets them talk.
///
/// # Errors
///
/// [`BenchError`] if the run cannot be set up or read back.
pub async fn run(
    target: &Target,
    load: Load,
    server: Option<&Process>,
    bar: &ProgressBar,
) -> Result<RunOutcome, BenchError> {
    let run = RunId::now();
    let logins = log_in(target, (0..2 * load.pairs).map(|user| email(run, user)).collect(), bar).await?;
    let sockets = connect(target, &logins, bar).await?;
    let people = logins.into_iter().zip(sockets).collect();
    Ok(talk(target, run, people, load, server, bar).await?.0)
}

/// Logs all users in; the answers are in the order of the addresses.
///
/// # Errors
///
/// The first [`BenchError`].
pub async fn log_in(
    target: &Target,
    emails: Vec<String>,
    bar: &ProgressBar,
) -> Result<Vec<Login>, BenchError> {
    begin(bar, "logging in", emails.len() as u64);
    let workers = shares(&emails).map(async |share| {
        let mut rest = RestClient::open(target).await?;
        let mut logins = Vec::with_capacity(share.len());
        for email in share {
            logins.push(rest.login(email.clone()).await?);
            bar.inc(1);
        }
        Ok::<_, BenchError>(logins)
    });
    Ok(try_join_all(workers).await?.into_iter().flatten().collect())
}

/// Opens a socket for each user, in the order of the logins.
///
/// # Errors
///
/// The first [`BenchError`].
pub async fn connect(
    target: &Target,
    logins: &[Login],
    bar: &ProgressBar,
) -> Result<Vec<Socket>, BenchError> {
    begin(bar, "connecting", logins.len() as u64);
    let dialer = Dialer::default();
    let workers = shares(logins).map(async |share| {
        let mut sockets = Vec::with_capacity(share.len());
        for login in share {
            sockets.push(dialer.open(target, login).await?);
            bar.inc(1);
        }
        Ok::<_, BenchError>(sockets)
    });
    Ok(try_join_all(workers).await?.into_iter().flatten().collect())
}

/// Lets connected people talk (the first with the second, and so on), then checks what they saw and what is
/// stored. Their sockets come back open.
///
/// # Errors
///
/// [`BenchError`] if a room cannot be read back.
pub async fn talk(
    target: &Target,
    run: RunId,
    people: Vec<(Login, Socket)>,
    load: Load,
    server: Option<&Process>,
    bar: &ProgressBar,
) -> Result<(RunOutcome, Vec<Socket>), BenchError> {
    let schedule = Schedule::new(load.pairs, load.rate, load.seconds);
    let (logins, sockets): (Vec<Login>, Vec<Socket>) = people.into_iter().unzip();
    let connected = sockets.into_iter().enumerate().map(|(user, socket)| {
        let (me, peer) = (logins[user].email.clone(), logins[user ^ 1].email.clone());
        ConnectedUser { talker: Talker::new(run, schedule, user, me, peer, load.bytes), socket }
    });

    begin(bar, "talking", schedule.total());
    let driver = Process::this();
    let before = (driver.cpu(), server.and_then(Process::cpu));
    let connected = drive(connected.collect(), schedule, load.patience, bar).await;
    let after = (driver.cpu(), server.and_then(Process::cpu));

    let (logs, sockets): (Vec<Log>, Vec<Socket>) =
        connected.into_iter().map(|connected| (connected.talker.into_parts().1, connected.socket)).unzip();
    let findings = verify(target, run, &schedule, load, &logins, &logs, bar).await?;

    let last = logs.iter().flat_map(|log| &log.deliveries).map(|d| schedule.due(d.k) + d.latency).max();
    let took = last.unwrap_or_default().max(schedule.length());
    let cores = |before: Option<Duration>, after: Option<Duration>| {
        Some((after? - before?).as_secs_f64() / took.as_secs_f64())
    };
    let mut retries = BTreeMap::new();
    for (code, count) in logs.iter().flat_map(|log| &log.retries) {
        *retries.entry(code.clone()).or_default() += count;
    }
    let deliveries = Latencies::of(logs.iter().flat_map(|log| &log.deliveries).map(|d| d.latency));
    let outcome = RunOutcome {
        load,
        acks: Latencies::of(logs.iter().flat_map(|log| &log.acks).map(|ack| ack.latency)),
        lateness: Latencies::of(logs.iter().flat_map(|log| log.lateness.iter().copied())),
        achieved: deliveries.count() as f64 / took.as_secs_f64(),
        deliveries,
        retries,
        driver_cores: cores(before.0, after.0),
        server_cores: cores(before.1, after.1),
        findings,
    };
    Ok((outcome, sockets))
}

async fn verify(
    target: &Target,
    run: RunId,
    schedule: &Schedule,
    load: Load,
    logins: &[Login],
    logs: &[Log],
    bar: &ProgressBar,
) -> Result<Findings, BenchError> {
    begin(bar, "reading back", load.pairs as u64);
    let ids: Vec<_> = logins.chunks(2).map(|pair| room_id(&pair[0].email, &pair[1].email)).collect();
    let rooms: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(pair, id)| {
            let member = |user: usize| (logins[user].email.as_str(), &logs[user]);
            RoomLogs {
                run,
                schedule,
                bytes: load.bytes,
                id,
                members: [member(2 * pair), member(2 * pair + 1)],
            }
        })
        .collect();

    let numbers: Vec<_> = (0..rooms.len()).collect();
    let workers = shares(&numbers).map(async |share| {
        let mut rest = RestClient::open(target).await?;
        let mut histories = Vec::with_capacity(share.len());
        for &pair in share {
            // Either member reads, so that both sides' access is seen to work.
            let reader = 2 * pair + pair % 2;
            let (token, peer) = (&logins[reader].token, &logins[reader ^ 1].email);
            histories.push(rest.history(token, peer, &rooms[pair]).await?);
            bar.inc(1);
        }
        Ok::<_, BenchError>(histories)
    });
    let histories = try_join_all(workers).await?.into_iter().flatten();

    let mut findings = Findings::default();
    for (room, rows) in rooms.iter().zip(histories) {
        room.check(&mut findings);
        room.check_history(&rows, &mut findings);
    }
    bar.finish_and_clear();
    Ok(findings)
}

/// Contiguous shares, one per worker.
fn shares<T>(all: &[T]) -> std::slice::Chunks<'_, T> {
    all.chunks(all.len().div_ceil(WORKERS).max(1))
}

fn begin(bar: &ProgressBar, what: &'static str, length: u64) {
    bar.reset();
    bar.set_length(length);
    bar.set_message(what);
}

/// The outcome of a faultless run with these acknowledgements, each delivered 100 microseconds later.
#[cfg(test)]
pub(crate) fn outcome_of(micros: impl Iterator<Item = u64> + Clone) -> RunOutcome {
    let latencies = |shift| Latencies::of(micros.clone().map(move |m| Duration::from_micros(m + shift)));
    RunOutcome {
        load: Load { pairs: 50, rate: 1_000, seconds: 1, bytes: 200, patience: Duration::ZERO },
        acks: latencies(0),
        deliveries: latencies(100),
        lateness: latencies(0),
        achieved: 1_000.0,
        retries: BTreeMap::new(),
        driver_cores: None,
        server_cores: None,
        findings: Findings::default(),
    }
}
