//! Small cases, in every interleaving of their calls, with at most one fault in every place.
//!
//! A case is explored depth first. Handlers are deterministic, so where a handler stands is told by what it
//! was answered; two ways to the same tables with all handlers standing at the same places go on in the same
//! ways, and only one is followed.

mod case;
mod run;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use self::case::{CASES, Case};
use self::run::{Broken, Fork, Run, Step};
use crate::server::{Build, Real};

/// How much of a small case was explored.
#[derive(Clone, Copy, Debug, Default)]
struct Explored {
    states: u64,
    steps: u64,
    endings: u64,
}

/// Explores all cases; says whether every promise held.
pub(crate) fn explore() -> bool {
    let begun = Instant::now();
    let mut sum = Explored::default();
    for (case, outcome) in CASES.iter().zip(explore_all()) {
        match outcome {
            Ok(explored) => {
                println!("{:>9} states  {:>8} endings  {}", explored.states, explored.endings, case.name);
                sum.states += explored.states;
                sum.steps += explored.steps;
                sum.endings += explored.endings;
            }
            Err((path, violation)) => {
                println!("{}: {} is broken: {}", case.name, violation.rule, violation.what);
                tell(case, Real::build, &path);
                return false;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Explored { states, steps, endings } = sum;
    println!(
        "{states} states, {steps} steps and {endings} endings explored, {seconds:.1} s: every promise held"
    );
    true
}

/// Every case, each on the next thread that is free.
fn explore_all() -> Vec<Result<Explored, Broken>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(CASES.len());
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Result<Explored, Broken>>>> =
        CASES.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = CASES.get(place) else { break };
                    let outcome = explore_case(case, Real::build);
                    *outcomes[place].lock().expect("each case is one thread's") = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_iter();
    outcomes.filter_map(|outcome| outcome.into_inner().expect("each case is one thread's")).collect()
}

fn explore_case(case: &Case, build: Build) -> Result<Explored, Broken> {
    let mut seen = HashSet::new();
    let mut explored = Explored::default();
    let mut forks: Vec<Fork> = Vec::new();
    loop {
        let mut run = Run::new(case, build, false);
        if let Some((last, before)) = forks.split_last() {
            for fork in before {
                run.take(fork.steps[fork.taken]);
            }
            // Hashing all answers again would take most of the time.
            run.answered.clone_from(&last.answered);
            run.sim.environment().hash_replies();
            run.take(last.steps[last.taken]);
        }
        run.sim.environment().hash_replies();
        loop {
            explored.steps += 1;
            run.checked(&forks)?;
            if !seen.insert(run.state()) {
                break;
            }
            explored.states += 1;
            let steps = run.steps();
            let Some(first) = steps.first().copied() else {
                explored.endings += 1;
                run.end();
                run.checked(&forks)?;
                break;
            };
            forks.push(Fork { steps, taken: 0, answered: run.answered.clone() });
            run.take(first);
        }
        while let Some(fork) = forks.last_mut() {
            fork.taken += 1;
            if fork.taken < fork.steps.len() {
                break;
            }
            forks.pop();
        }
        if forks.is_empty() {
            return Ok(explored);
        }
    }
}

/// Goes one way again and prints it.
fn tell(case: &Case, build: Build, path: &[Step]) {
    let mut run = Run::new(case, build, true);
    for step in path {
        run.take(*step);
    }
    if run.sim.environment().violation().is_none() {
        run.end();
    }
    for line in run.sim.environment().take_history() {
        println!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs::BUGS;

    fn case(name: &str) -> usize {
        CASES.iter().position(|case| case.name == name).expect("it is a case")
    }

    fn caught(case: usize, bug: &str) -> bool {
        let bug = BUGS.iter().find(|known| known.name == bug).expect("the bank has it");
        explore_case(&CASES[case], bug.build).is_err()
    }

    #[test]
    fn a_retry_that_is_not_searched_for_is_stored_twice() {
        assert!(caught(1, "no id search"));
    }

    #[test]
    fn a_search_before_the_head_misses_what_comes_between() {
        assert!(caught(1, "the search comes before the head"));
    }

    #[test]
    fn an_answer_that_does_not_look_is_one_too_many() {
        assert!(caught(
            case("a proposal is accepted, declined and withdrawn at once"),
            "an answer does not look whether the proposal is open"
        ));
    }

    #[test]
    fn what_is_lost_and_tried_again_is_looked_for() {
        assert!(caught(0, "no id search"));
        assert!(caught(0, "the first is told as a retry"));
    }

    #[test]
    fn a_page_that_ends_early_is_not_the_end() {
        assert!(caught(case("both write while one syncs"), "a page that was cut is taken for the end"));
    }

    #[test]
    fn a_connection_that_is_just_being_opened_keeps_its_row() {
        let connecting = case("one is written to while connecting and disconnecting");
        assert!(caught(connecting, "a row is deleted on any 410"));
    }

    #[test]
    fn two_who_write_at_once_break_nothing() {
        let explored =
            explore_case(&CASES[0], Real::build).map_err(|(path, violation)| (path, violation.what));
        assert!(explored.unwrap().endings > 100);
    }
}
