//! Adapters that are wrong in one thing each, and the check of their port's suite that catches them.
//!
//! Each is the adapter in memory behind a closure, and is named for what is wrong with it. A suite is worth
//! what it catches: whoever adds a promise to a port adds an adapter that breaks it here.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../harness/mod.rs"]
mod harness;

mod attachment_eraser;
mod attachment_store;
mod connection_store;
mod identity_verifier;
mod message_eraser;
mod message_store;
mod pusher;
mod report_store;
mod user_store;

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once};
use std::thread::ThreadId;

use chat_domain::conformance::Check;
use futures_util::FutureExt as _;

/// Makes a test of each line, `wrong_adapter => the checks that catch it`, and one that says whether each
/// check of the suite catches somebody.
macro_rules! caught {
    ($checks:expr; $($wrong:ident => $($check:ident),+;)+) => {
        mod caught {
            use super::*;

            $(#[tokio::test(start_paused = true)]
            async fn $wrong() {
                $(crate::is_caught($checks, stringify!($check), super::$wrong()).await;)+
            })+
        }

        #[test]
        fn every_check_catches_somebody() {
            let wrong_adapters = [$($wrong as fn() -> _),+];
            crate::every_check_is_needed(wrong_adapters, &$checks, &[$($(stringify!($check)),+),+]);
        }
    };
}
use caught;

/// The check fails, in an assertion of its own.
async fn is_caught<Subject>(checks: Vec<Check<Subject>>, name: &str, wrong: Subject) {
    let check = checks.into_iter().find(|check| check.name == name).expect("the suite has this check");
    note_panics();
    let outcome = AssertUnwindSafe((check.run)(wrong)).catch_unwind().await;
    assert!(outcome.is_err(), "`{name}` lets it pass");
    let place = first_panic().expect("it was noted");
    assert!(place.contains("conformance"), "{place} panicked, and no check did");
}

fn every_check_is_needed<Subject, const WRONG: usize>(
    _: [fn() -> Subject; WRONG],
    checks: &[Check<Subject>],
    by: &[&str],
) {
    for check in checks {
        assert!(
            by.contains(&check.name),
            "no adapter here breaks \"{}\" as `{}` notices",
            check.promise,
            check.name
        );
    }
}

/// Where threads panicked, in order.
static PANICS: Mutex<Vec<(ThreadId, String)>> = Mutex::new(Vec::new());

/// From now on. The runtime of a test has this thread alone, and so do the tasks that a check spawns.
fn note_panics() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            PANICS.lock().expect("no panic in here").push((std::thread::current().id(), place));
            shown(panic);
        }));
    });
    PANICS.lock().expect("no panic in here").retain(|(thread, _)| *thread != std::thread::current().id());
}

fn first_panic() -> Option<String> {
    let panics = PANICS.lock().expect("no panic in here");
    panics.iter().find(|(thread, _)| *thread == std::thread::current().id()).map(|(_, place)| place.clone())
}
