//! Runs many schedules, and says what came of them.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bugs::{BUGS, Bug, CONTROLS, SEEDS_TO_CATCH};
use crate::client::ClientBug;
use crate::faults::{Counters, Fault};
use crate::plan::Plan;
use crate::server::{Build, Real};
use crate::shrink::shrink;
use crate::simulation::{self, ScheduleResult};
use crate::stores::StoreKind;

/// From how many seeds on every fault must have happened, over each of the stores.
const fn every_fault_from(stores: StoreKind) -> u64 {
    match stores {
        StoreKind::Simulated => 5_000,
        StoreKind::Dynamodb | StoreKind::ThreeRegions => 2_000,
    }
}

/// How many seeds are run twice, to see that a seed is all it takes.
const RUN_TWICE: u64 = 200;

thread_local! {
    /// The seed of the schedule that runs.
    static RUNNING: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs the schedule of a seed.
fn run_seed(seed: u64, build: Build, client: Option<ClientBug>, stores: StoreKind) -> ScheduleResult {
    RUNNING.set(Some(seed));
    let result = simulation::run(&Plan::of(seed).over(stores), build, client, false);
    RUNNING.set(None);
    result
}

/// From now on a panic also says in which schedule it was: it leaves no report that could.
pub(crate) fn panics_name_their_seed() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        usual(panic);
        if let Some(seed) = RUNNING.get() {
            eprintln!("it panicked in the schedule of seed {seed}, at commit {}", commit());
        }
    }));
}

/// Runs schedules, and says whether every promise held.
pub(crate) fn run(from: u64, seeds: u64, threads: usize, stores: StoreKind) -> bool {
    println!("{seeds} schedules from seed {from} at commit {}", commit());
    for seed in from..from + seeds.min(RUN_TWICE) {
        let [once, again] = [(); 2].map(|()| run_seed(seed, Real::build, None, stores).trace);
        if once != again {
            eprintln!("seed {seed} does not do the same twice");
            return false;
        }
    }
    let bar = progress(seeds);
    let (next, failed) = (AtomicU64::new(from), AtomicBool::new(false));
    let sum: Mutex<Sum> = Mutex::default();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut own = Sum::default();
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    let result = run_seed(seed, Real::build, None, stores);
                    own.add(seed, &result);
                    bar.inc(1);
                    if result.violation.is_some() {
                        failed.store(true, Ordering::Relaxed);
                    }
                }
                sum.lock().expect("no thread panics while it adds up").merge(&own);
            });
        }
    });
    bar.finish_and_clear();
    let Sum { fired, steps, failing, digest } = sum.into_inner().expect("no thread panicked");
    if let Some(seed) = failing {
        println!("seed {seed} breaks a promise; what can be left out of it is left out:");
        let plan = shrink(Plan::of(seed).over(stores), Real::build, None);
        tell(&plan, &simulation::run(&plan, Real::build, None, true));
        println!("all of it again: chat-sim replay {seed}, at commit {}", commit());
        return false;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for fault in Fault::ALL {
        println!("{:>12}  {}", fired.of(*fault), fault.about().trim());
    }
    let rate = seeds as f64 / seconds;
    println!(
        "{seeds} schedules, {steps} steps, {seconds:.1} s, {rate:.0} schedules a second: every promise held"
    );
    println!("digest {digest:016x}");
    let missing: Vec<_> = fired.missing().into_iter().filter(|fault| fault.may_happen(stores)).collect();
    if seeds >= every_fault_from(stores) && !missing.is_empty() {
        eprintln!("these never went wrong: {missing:?}");
        return false;
    }
    true
}

/// What came of many schedules.
#[derive(Default)]
struct Sum {
    fired: Counters,
    steps: u64,
    /// A seed that breaks a promise.
    failing: Option<u64>,
    /// A hash of all that happened in all of them, in whatever order they ran: two programs that print the
    /// same digest ran the same schedules.
    digest: u64,
}

impl Sum {
    fn add(&mut self, seed: u64, result: &ScheduleResult) {
        self.fired.merge(&result.fired);
        self.steps += result.steps;
        if result.violation.is_some() {
            self.failing = self.failing.or(Some(seed));
        }
        let mut hasher = DefaultHasher::new();
        (seed, result.trace, result.steps, &result.fired).hash(&mut hasher);
        result.violation.as_ref().map(|violation| violation.rule).hash(&mut hasher);
        self.digest = self.digest.wrapping_add(hasher.finish());
    }

    fn merge(&mut self, other: &Self) {
        self.fired.merge(&other.fired);
        self.steps += other.steps;
        self.failing = self.failing.or(other.failing);
        self.digest = self.digest.wrapping_add(other.digest);
    }
}

/// Lets the checkers catch every bug of the bank, and says whether they did.
pub(crate) fn bugs() -> bool {
    for (control, seed) in
        CONTROLS.iter().flat_map(|control| (0..SEEDS_TO_CATCH).map(move |seed| (control, seed)))
    {
        if let Some(violation) = run_seed(seed, *control, None, StoreKind::Simulated).violation {
            eprintln!("seed {seed} finds something in what has no bug: {violation:?}");
            return false;
        }
    }
    println!("seeds to catch, of {SEEDS_TO_CATCH} at most:");
    let missed: Vec<_> = BUGS.iter().filter(|bug| !is_caught(bug)).collect();
    for bug in &missed {
        eprintln!("not caught: {}", bug.name);
    }
    println!("{} bugs of {} are caught", BUGS.len() - missed.len(), BUGS.len());
    missed.is_empty()
}

fn is_caught(bug: &Bug) -> bool {
    let caught = (0..SEEDS_TO_CATCH).find_map(|seed| {
        let result = run_seed(seed, bug.build, bug.client, bug.stores);
        result.violation.map(|violation| (seed, violation.rule))
    });
    if let Some((seed, rule)) = caught {
        println!("{:>6}  {rule:<4}  {}", seed + 1, bug.name);
    }
    caught.is_some()
}

/// Prints what happened in a schedule, and says whether every promise held.
pub(crate) fn tell(plan: &Plan, result: &ScheduleResult) -> bool {
    println!("{plan:#?}");
    for line in &result.history {
        println!("{line}");
    }
    match &result.violation {
        None => println!("every promise held"),
        Some(violation) => println!("{} is broken: {}", violation.rule, violation.what),
    }
    result.violation.is_none()
}

pub(crate) fn progress(length: u64) -> ProgressBar {
    const TEMPLATE: &str = "{bar:40} {pos}/{len}  {per_sec}  {eta} left";
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// The commit that is checked out: with it and a seed, anybody can see the same.
fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let name = output.ok().filter(|output| output.status.success());
    name.map_or("unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{GatewayEvent, Running, Server};

    struct Panicking;

    impl Server for Panicking {
        fn handle(&self, _: GatewayEvent) -> Running {
            panic!("on purpose");
        }
    }

    #[test]
    fn who_panics_is_known_by_its_seed() {
        run_seed(6, Real::build, None, StoreKind::Simulated);
        assert_eq!(RUNNING.get(), None);
        let panicked =
            panic::catch_unwind(|| run_seed(7, |_| Box::new(Panicking), None, StoreKind::Simulated));
        assert!(panicked.is_err());
        assert_eq!(RUNNING.get(), Some(7));
    }

    #[test]
    fn the_example_of_how_a_bug_is_caught_catches_it() {
        let mut lines = include_str!("../README.md").lines();
        let example = lines.find(|line| line.contains("--bug")).unwrap();
        let (seed, rest) = example.rsplit_once(" --bug '").unwrap();
        let seed = seed.rsplit(' ').next().unwrap().parse().unwrap();
        let (name, _) = rest.split_once('\'').unwrap();
        let bug = BUGS.iter().find(|bug| bug.name.contains(name)).unwrap();
        assert!(run_seed(seed, bug.build, bug.client, bug.stores).violation.is_some());
    }
}
