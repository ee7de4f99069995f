//! How many instructions an operation takes in a room of 100, of 10,000 and of 1,000,000 messages: counted by
//! callgrind, so a busy machine changes nothing.
//!
//! `cargo bench -p chat-bench --bench domain` prints a table and fails when a longer room costs more than
//! [`RATIO_MAX`] times a short one. It needs valgrind (Debian: `apt-get install valgrind`) and about a
//! minute, nearly all of it for filling the longest room.
//!
//! The process runs itself under callgrind. Collection is on only inside the functions named `counted_*`, and
//! each of them ends with a dump. (The benchmark frameworks round callgrind want a runner of their own
//! installed, of the very same version; this wants valgrind only.)

mod chat;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use chat::{Chat, at_once};
use chat_bench::stats::thousands;
use chat_domain::{FrameOrigin, PAGE_MAX, PageLimit, PageRange, SendCommand, SendOutcome, Timestamp};

/// Room lengths, the shortest first.
const LENGTHS: [u64; 3] = [100, 10_000, 1_000_000];
/// Repetitions within one count: enough that the occasional growth of a list is spread, few enough that the
/// shortest room stays about as short.
const REPETITIONS: u64 = 32;
/// What the longest room may cost, compared with the shortest. A search doubles its steps twice over; a scan
/// would be a factor of thousands.
const RATIO_MAX: f64 = 1.3;
/// The operations, in the order in which they are counted. Sending is last, since it makes the room longer.
const OPERATIONS: [&str; 3] = ["history page of 50", "mark read", "send"];
/// What `cargo bench` passes. `cargo test --all-targets` starts this too, but unoptimised: that would count
/// other code, for a quarter of an hour.
const BENCH: &str = "--bench";
/// Argument of the process inside.
const INSIDE: &str = "--inside-callgrind";

fn main() -> ExitCode {
    if env::args().any(|argument| argument == INSIDE) {
        LENGTHS.into_iter().for_each(count);
        return ExitCode::SUCCESS;
    }
    if !env::args().any(|argument| argument == BENCH) {
        eprintln!("not counted: `cargo bench` counts");
        return ExitCode::SUCCESS;
    }
    match counts() {
        Ok(counts) => report(&counts),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Fills one room and counts the operations in it.
fn count(length: u64) {
    let chat = Chat::with_room_of(length, REPETITIONS);
    assert_eq!(chat.length_and_unread(), (length, REPETITIONS / 2));
    counted_pages(&chat, chat.pages(REPETITIONS));
    counted_readings(&chat, chat.readings(REPETITIONS));
    assert_eq!(chat.length_and_unread(), (length, 0));
    counted_messages(&chat, chat.next_messages(REPETITIONS));
    assert_eq!(chat.length_and_unread(), (length + REPETITIONS, REPETITIONS / 2));
}

// No closures in these: callgrind finds functions by name, and a closure's has its function's in it.

#[inline(never)]
fn counted_pages(chat: &Chat, pages: Vec<(PageRange, PageLimit)>) {
    for (range, limit) in pages {
        let page = at_once(chat.history.execute(&chat.minji, &chat.junho, range, limit));
        assert_eq!(page.expect("memory answers").messages.len(), PAGE_MAX);
    }
}

#[inline(never)]
fn counted_readings(chat: &Chat, readings: Vec<(FrameOrigin, Timestamp)>) {
    for (origin, up_to) in readings {
        let marked = at_once(chat.mark_read.execute(&origin, &chat.junho, up_to));
        assert!(marked.expect("memory answers").is_some());
    }
}

#[inline(never)]
fn counted_messages(chat: &Chat, messages: Vec<(FrameOrigin, SendCommand)>) {
    for (origin, command) in messages {
        let sent = at_once(chat.send.execute(&origin, command)).expect("memory answers");
        assert!(matches!(sent.outcome, SendOutcome::Stored { retries: 0, .. }));
    }
}

/// Runs this program under callgrind; instructions per operation, by operation and length.
fn counts() -> io::Result<[[u64; LENGTHS.len()]; OPERATIONS.len()]> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("domain");
    // Left from an earlier run, dumps would be taken for new ones.
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&folder)?,
    }
    let dumps = folder.join("callgrind");
    eprintln!("filling rooms under callgrind, about a minute");
    let output = Command::new("valgrind")
        // Two patterns for the same functions, since callgrind keeps one action for each.
        .args(["--tool=callgrind", "--toggle-collect=*domain::counted_*", "--dump-after=*counted_*"])
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(env::current_exe()?)
        .arg(INSIDE)
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("valgrind is needed: {error}")))?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }

    let mut counts = [[0; LENGTHS.len()]; OPERATIONS.len()];
    for length in 0..LENGTHS.len() {
        for (operation, counts) in counts.iter_mut().enumerate() {
            // callgrind numbers its dumps from 1.
            let dump = dumps.with_extension((length * OPERATIONS.len() + operation + 1).to_string());
            counts[length] = total(&fs::read_to_string(&dump)?)
                .ok_or_else(|| io::Error::other(format!("{} has no total", dump.display())))?
                / REPETITIONS;
        }
    }
    Ok(counts)
}

/// The sum of a callgrind dump.
fn total(dump: &str) -> Option<u64> {
    dump.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

fn report(counts: &[[u64; LENGTHS.len()]; OPERATIONS.len()]) -> ExitCode {
    let [shortest, middle, longest] = LENGTHS.map(thousands);
    println!("| instructions in a room of | {shortest} | {middle} | {longest} | longest / shortest |");
    println!("|---------------------------|----:|-------:|----------:|-------------------:|");
    let mut within = true;
    for (operation, counts) in OPERATIONS.iter().zip(counts) {
        let [few, some, many] = counts.map(thousands);
        let ratio = counts[LENGTHS.len() - 1] as f64 / counts[0] as f64;
        within &= ratio <= RATIO_MAX;
        println!("| {operation} | {few} | {some} | {many} | {ratio:.3} |");
    }
    if within {
        ExitCode::SUCCESS
    } else {
        eprintln!("a long room costs more than {RATIO_MAX} times a short one");
        ExitCode::FAILURE
    }
}
