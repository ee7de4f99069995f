//! The suites that prove an implementation of a port, one for each port.
//!
//! A suite is one line in a test of the crate that implements the port. It expands to one test for each
//! behaviour that the port's contract promises. Each test calls the function that the line names, and so has
//! a store (or a harness) of its own:
//!
//! ```text
//! // tests/conformance.rs
//! mod message_store {
//!     async fn fresh() -> Handles<MyMessageStore> {
//!         let database = /* nothing is in it yet */;
//!         Handles::two(MyMessageStore::open(&database), MyMessageStore::open(&database))
//!     }
//!     chat_domain::message_store_conformance!(fresh);
//! }
//! ```
//!
//! - One module for each suite: the tests are functions of that module, named for the behaviour. A test that
//!   fails says which promise of the contract is broken.
//! - A test gets two [`Handles`] of its store, as two processes would have. An adapter that can open only one
//!   [says so](Handles::only).
//! - The suite drops calls wherever they wait, and sees that each of them did everything or nothing. An
//!   adapter whose calls go on when they are dropped gives the suite a [way to stop
//!   them](Handles::stopped_after).
//! - The crate needs tokio with `macros`, `rt-multi-thread` and `time` among its development dependencies.
//! - Time is an input: the suites use days of November 2026, whatever the day is.
//! - Where a contract allows a read to lag, the suite asks again until the answer is right, for at most
//!   [`EVENTUALLY`].
//! - The effects of some ports are seen only from outside. The test of such a port implements a harness that
//!   plays the outside: [`PusherHarness`], [`IdentityVerifierHarness`], [`AttachmentStoreHarness`].

mod handles;
mod suite;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

pub use self::handles::Handles;
pub use self::suite::Check;
pub(crate) use self::suite::{Promise, suite};
use crate::{Email, Member, RoomId, Timestamp, UserId, VerifiedIdentity};

pub use crate::ports::attachment_eraser::conformance::AttachmentEraserHarness;
#[doc(hidden)]
pub use crate::ports::attachment_eraser::conformance::suite as attachment_eraser;
pub use crate::ports::attachment_store::conformance::AttachmentStoreHarness;
#[doc(hidden)]
pub use crate::ports::attachment_store::conformance::suite as attachment_store;
#[doc(hidden)]
pub use crate::ports::connection_store::conformance::suite as connection_store;
pub use crate::ports::identity_verifier::conformance::IdentityVerifierHarness;
#[doc(hidden)]
pub use crate::ports::identity_verifier::conformance::suite as identity_verifier;
pub use crate::ports::message_eraser::conformance::ErasableStore;
#[doc(hidden)]
pub use crate::ports::message_eraser::conformance::suite as message_eraser;
#[doc(hidden)]
pub use crate::ports::message_store::conformance::suite as message_store;
pub use crate::ports::pusher::conformance::PusherHarness;
#[doc(hidden)]
pub use crate::ports::pusher::conformance::suite as pusher;
#[doc(hidden)]
pub use crate::ports::report_store::conformance::suite as report_store;
#[doc(hidden)]
pub use crate::ports::user_store::conformance::suite as user_store;

/// How long a read that may lag has to become right: DynamoDB's indexes take less than a second, a busy test
/// machine a few.
pub const EVENTUALLY: Duration = Duration::from_secs(10);

/// How long a test may take: a wrong store can keep those who race in it from ever coming to an end.
const TEST_MAX: Duration = Duration::from_secs(5 * 60);

/// How long to leave a store alone before it is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Asks until the answer is `expected`.
///
/// # Panics
/// After [`EVENTUALLY`], showing the last answer.
pub(crate) async fn eventually<T: Debug + PartialEq>(expected: T, mut ask: impl AsyncFnMut() -> T) {
    let deadline = tokio::time::Instant::now() + EVENTUALLY;
    loop {
        let answer = ask().await;
        if answer == expected {
            return;
        }
        if tokio::time::Instant::now() >= deadline {
            assert_eq!(answer, expected, "still after {EVENTUALLY:?}");
        }
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
    }
}

/// Runs a test, which ends some time.
///
/// # Panics
/// When it has not ended after [`TEST_MAX`].
pub(crate) async fn to_its_end(test: impl Future<Output = ()>) {
    let end = tokio::time::timeout(TEST_MAX, test).await;
    end.expect("a test ends: somebody tries again and again, and is always told that nothing happened");
}

/// The answer of a call that is to return within a few seconds, whatever happens.
///
/// # Panics
/// When it has not returned after [`EVENTUALLY`].
pub(crate) async fn in_time<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(EVENTUALLY, call).await.expect("a call returns within a few seconds")
}

/// Runs them at the same time, and begins none before all are ready.
pub(crate) async fn race<T: Send + 'static>(
    racers: impl IntoIterator<Item: Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let racers: Vec<_> = racers.into_iter().collect();
    let start = Arc::new(Barrier::new(racers.len()));
    let tasks = racers.into_iter().map(|racer| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            racer.await
        })
    });
    let mut results = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        results.push(task.await.expect("no racer panics"));
    }
    results
}

pub(crate) fn email(text: &str) -> Email {
    text.parse().expect("the suites use well-formed addresses")
}

pub(crate) fn minji() -> Email {
    email("minji@example.com")
}

pub(crate) fn junho() -> Email {
    email("junho@example.com")
}

/// Minji's and Junho's room. Junho is its member A, Minji its member B.
pub(crate) fn their_room() -> RoomId {
    room(&minji(), &junho())
}

pub(crate) fn room(one: &Email, other: &Email) -> RoomId {
    RoomId::new(one, other).expect("the suites use different people")
}

pub(crate) const JUNHO: Member = Member::A;
pub(crate) const MINJI: Member = Member::B;

/// Nine in the morning (UTC) of a day in November 2026.
pub(crate) fn november(day: u8) -> Timestamp {
    time(&format!("2026-11-{day:02}T09:00:00.000Z"))
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("the suites use well-formed timestamps")
}

pub(crate) fn identity(email: &Email, expires_at: Timestamp) -> VerifiedIdentity {
    let user_id = UserId::new(format!("user-{}", email.tag()));
    VerifiedIdentity::vouched(email.clone(), user_id, expires_at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The bullets of a port's contract, and its methods.
    fn promised(source: &str) -> BTreeSet<&str> {
        let port = source.split("pub trait ").nth(1).expect("a port is a trait");
        let (methods, _) = port.split_once("\n}\n").expect("it ends");
        let methods = methods.lines().filter_map(|line| line.trim_start().strip_prefix("async fn "));
        let methods = methods.filter_map(|line| line.split_once('(')).map(|(name, _)| name);
        let bullets = source.lines().filter_map(|line| line.strip_prefix("/// - **"));
        let bullets =
            bullets.filter_map(|line| line.split_once("**")).map(|(bullet, _)| bullet.trim_end_matches('.'));
        bullets.chain(methods).collect()
    }

    /// A suite lists tests, or says why it cannot have one, for each bullet and each method, and for nothing
    /// else.
    macro_rules! tests_each_promise {
        ($($port:ident)+) => {
            $(#[test]
            fn $port() {
                let source = include_str!(concat!("../ports/", stringify!($port), "/mod.rs"));
                let listed = super::$port::PROMISES.iter().copied().collect();
                assert_eq!(promised(source), listed);
            })+
        };
    }

    tests_each_promise! {
        message_store message_eraser connection_store pusher identity_verifier attachment_store
        attachment_eraser report_store user_store
    }
}
