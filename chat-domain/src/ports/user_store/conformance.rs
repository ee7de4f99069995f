use std::collections::BTreeSet;

use super::USERS_PAGE_MAX;
use crate::conformance::{Handles, email, junho, minji, november, race, suite};
use crate::{DailyUsage, Erasure, HourlyRequests, User, UserId, UserStore, UserStoreError};

suite! {
    /// Expands to one test for each behaviour of a [`UserStore`](crate::UserStore), each on the
    /// [`Handles`](crate::conformance::Handles) of a store that the given `async` function returns, with
    /// nothing in it. See [`conformance`](crate::conformance).
    user_store_conformance in user_store on handles of crate::UserStore {
        "Rows are whole" {
            a_row_reads_back_as_it_was_written,
            what_a_later_version_has_not_is_gone,
            a_write_touches_no_other_row,
        }
        "Versions" {
            each_write_makes_the_next_version,
            of_those_who_write_the_same_version_one_succeeds,
            what_was_made_from_an_earlier_version_is_refused,
            a_version_that_nobody_wrote_is_not_written_over,
        }
        "Consistency" {
            what_one_handle_writes_the_other_reads_at_once,
        }
        // The suite has no way to make a store fail: the tests of each adapter do that.
        "Errors" {}
        "get" {
            there_is_no_row_before_the_first_write,
        }
        "put" {
            a_refused_write_changes_nothing,
        }
        "list" {
            every_row_is_listed_once,
        }
    }
}

type Store = Handles<dyn UserStore>;

const STORED: &str = "the store works";

/// How many write one version at the same time.
const RACERS: u32 = 8;

fn nothing_of_minji() -> User {
    User::unknown(minji())
}

/// Somebody of whom everything is kept that there is.
fn everything_of(user: User) -> User {
    User {
        owner: Some(UserId::new("f2a7b1de-0c61-4e52-9a43-7e0c58d12b9e")),
        suspended_since: Some(november(23)),
        usage: Some(DailyUsage {
            day: november(22).day(),
            rooms: 7,
            upload_bytes: 8_000_000_000,
            reports: 9,
        }),
        requests: Some(HourlyRequests { since: november(23), count: 4_100 }),
        held_until: Some(november(24)),
        erasure: Some(Erasure { at: november(20), used_again_at: Some(november(21)) }),
        ..user
    }
}

fn next(user: User) -> User {
    User { version: user.version + 1, ..user }
}

async fn read(store: &dyn UserStore, user: &User) -> Option<User> {
    store.get(&user.email).await.expect(STORED)
}

/// Writes a row, and gives it as it is stored then.
async fn written(store: &Store, user: User) -> User {
    store.put(&user).await.expect(STORED);
    next(user)
}

async fn a_row_reads_back_as_it_was_written(store: Store) {
    for user in [nothing_of_minji(), everything_of(User::unknown(junho()))] {
        let stored = written(&store, user).await;
        assert_eq!(read(&*store, &stored).await, Some(stored));
    }
    let erased = Erasure { at: november(20), used_again_at: None };
    let user = User { erasure: Some(erased), ..User::unknown(email("minji+1@example.com")) };
    let stored = written(&store, user).await;
    assert_eq!(read(&*store, &stored).await, Some(stored));
}

async fn what_a_later_version_has_not_is_gone(store: Store) {
    let first = written(&store, everything_of(nothing_of_minji())).await;
    let second = written(&store, User { version: first.version, ..nothing_of_minji() }).await;
    assert_eq!(read(&*store, &second).await, Some(second));
}

async fn a_write_touches_no_other_row(store: Store) {
    let of_junho = written(&store, everything_of(User::unknown(junho()))).await;
    written(&store, nothing_of_minji()).await;
    assert_eq!(read(&*store, &of_junho).await, Some(of_junho));
}

async fn each_write_makes_the_next_version(store: Store) {
    let mut user = nothing_of_minji();
    for version in 1..4 {
        user = written(&store, user).await;
        let stored = read(&*store, &user).await;
        assert_eq!(stored.map(|stored| stored.version), Some(version));
    }
}

/// Several write at once, each something of its own, and each time one succeeds.
async fn of_those_who_write_the_same_version_one_succeeds(store: Store) {
    let mut stored = nothing_of_minji();
    for _ in 0..3 {
        let versions = (0..RACERS).map(|racer| {
            let usage =
                DailyUsage { day: november(23).day(), rooms: 0, upload_bytes: racer.into(), reports: 0 };
            User { usage: Some(usage), ..stored.clone() }
        });
        let racers: Vec<_> = versions.collect();
        let outcomes = race((0..RACERS).zip(racers.clone()).map(|(racer, user)| {
            let store = store.for_racer(racer);
            async move { store.put(&user).await }
        }))
        .await;
        let winners: Vec<_> = outcomes.iter().zip(racers).filter(|(outcome, _)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let answered = |outcome: &Result<(), _>| matches!(outcome, Ok(()) | Err(UserStoreError::Conflict));
        assert!(outcomes.iter().all(answered), "{outcomes:?}");
        stored = next(winners[0].1.clone());
        assert_eq!(read(&*store, &stored).await, Some(stored.clone()));
    }
}

async fn refused(store: &Store, user: &User) {
    let outcome = store.put(user).await;
    assert!(matches!(outcome, Err(UserStoreError::Conflict)), "{outcome:?}");
}

async fn what_was_made_from_an_earlier_version_is_refused(store: Store) {
    let first = written(&store, nothing_of_minji()).await;
    written(&store, first.clone()).await;
    for earlier in [nothing_of_minji(), first] {
        refused(&store, &earlier).await;
    }
}

async fn a_version_that_nobody_wrote_is_not_written_over(store: Store) {
    refused(&store, &next(nothing_of_minji())).await;
    assert_eq!(read(&*store, &nothing_of_minji()).await, None);
    let first = written(&store, nothing_of_minji()).await;
    refused(&store, &next(first)).await;
}

async fn what_one_handle_writes_the_other_reads_at_once(store: Store) {
    let mut user = nothing_of_minji();
    for _ in 0..3 {
        user = written(&store, user).await;
        assert_eq!(read(store.other(), &user).await, Some(user.clone()));
    }
    store.other().put(&everything_of(user.clone())).await.expect(STORED);
    assert_eq!(read(&*store, &user).await, Some(next(everything_of(user))));
}

async fn there_is_no_row_before_the_first_write(store: Store) {
    written(&store, User::unknown(junho())).await;
    assert_eq!(read(&*store, &nothing_of_minji()).await, None);
}

async fn a_refused_write_changes_nothing(store: Store) {
    let stored = written(&store, everything_of(nothing_of_minji())).await;
    refused(&store, &nothing_of_minji()).await;
    assert_eq!(read(&*store, &stored).await, Some(stored));
}

async fn every_row_is_listed_once(store: Store) {
    assert_eq!(listed(&store).await, []);
    let count = 2 * USERS_PAGE_MAX + 1;
    let mut expected = Vec::new();
    for number in 0..count {
        let user = everything_of(User::unknown(email(&format!("minji+{number}@example.com"))));
        expected.push(written(&store, user).await);
    }
    expected.sort_by_key(|user| user.email.to_string());
    crate::conformance::eventually(expected, async || listed(&store).await).await;
}

/// All rows, sorted by their addresses.
async fn listed(store: &Store) -> Vec<User> {
    let (mut users, mut after, mut places) = (Vec::new(), None, BTreeSet::new());
    loop {
        let page = store.other().list(after).await.expect(STORED);
        assert!(page.users.len() <= USERS_PAGE_MAX, "a page has at most {USERS_PAGE_MAX}");
        users.extend(page.users);
        after = page.next;
        match &after {
            Some(place) => assert!(places.insert(place.to_string()), "the list goes round in a circle"),
            None => break,
        }
    }
    users.sort_by_key(|user| user.email.to_string());
    users
}
