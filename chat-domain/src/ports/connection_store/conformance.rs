use std::time::Duration;

use crate::conformance::{Handles, email, eventually, identity, junho, minji, november, race, suite, time};
use crate::{CONNECTION_LIFETIME, Connection, ConnectionId, ConnectionStore, Email, Timestamp};

suite! {
    /// Expands to one test for each behaviour of a [`ConnectionStore`](crate::ConnectionStore), each on the
    /// [`Handles`](crate::conformance::Handles) of a store that the given `async` function returns, with
    /// nothing in it. See [`conformance`](crate::conformance).
    connection_store_conformance in connection_store on handles of crate::ConnectionStore {
        "Rows are independent" {
            connections_whose_ids_differ_in_case_are_two,
            setting_the_expiry_changes_nothing_else,
            deleting_leaves_other_connections_alone,
            a_connection_made_before_the_instant_is_deleted_alone,
            an_expiry_that_races_a_deletion_brings_nothing_back,
            a_connection_that_races_the_deletion_of_its_forerunner_stays,
            of_racing_deletions_by_age_one_deletes,
        }
        "Consistency" {
            what_one_handle_wrote_the_other_sees_at_once,
        }
        "Idempotency" {
            putting_twice_changes_nothing,
            setting_the_expiry_twice_succeeds_twice,
            deleting_is_final_and_may_be_repeated,
        }
        // The suite has no way to make a store fail: the tests of each adapter do that.
        "Errors" {}
        // The suite has no way to move the store's clock either.
        "Age" {}
        "put" {
            a_connection_reads_back_whole,
            putting_over_a_row_replaces_all_of_it,
        }
        "get" {
            an_unknown_connection_is_absent,
        }
        "of_user" {
            a_row_that_changes_hands_leaves_the_former_users_list,
            a_users_list_holds_all_their_devices_and_nobody_elses,
            a_user_without_connections_has_an_empty_list,
            a_hundred_connections_are_listed,
            a_list_ends_with_the_last_instant_of_a_row,
            an_expired_identity_is_listed_all_the_same,
        }
        "set_identity_expiry" {
            an_expiry_may_be_set_earlier_too,
            setting_the_expiry_of_an_unknown_connection_creates_nothing,
        }
        "delete" {
            deleting_what_never_was_succeeds,
        }
        "delete_if_connected_before" {
            a_connection_made_at_the_instant_is_not_before_it,
            deleting_an_unknown_connection_by_age_deletes_nothing,
        }
    }
}

type Store = Handles<dyn ConnectionStore>;

const STORED: &str = "the store works";

/// The shape of API Gateway's ids, with the characters that have to be escaped in a URL.
fn id(name: &str) -> ConnectionId {
    ConnectionId::new(format!("L0SM9+{name}/Ac4="))
}

fn connection(name: &str, user: &Email, connected_at: Timestamp) -> Connection {
    let expires_at = connected_at.after(Duration::from_secs(60 * 60));
    Connection { id: id(name), identity: identity(user, expires_at), connected_at }
}

async fn put_all(store: &Store, connections: &[Connection]) {
    for connection in connections {
        store.put(connection).await.expect(STORED);
    }
}

async fn stored(store: &Store, id: &ConnectionId) -> Option<Connection> {
    store.other().get(id).await.expect(STORED)
}

/// Waits until the user's list holds exactly these.
async fn lists(store: &Store, user: &Email, now: Timestamp, connections: &[Connection]) {
    let sorted = |mut connections: Vec<Connection>| {
        connections.sort_by(|one, other| one.id.cmp(&other.id));
        connections
    };
    eventually(sorted(connections.to_vec()), async || {
        sorted(store.other().of_user(user, now).await.expect(STORED))
    })
    .await;
}

async fn an_unknown_connection_is_absent(store: Store) {
    assert_eq!(stored(&store, &id("a")).await, None);
}

async fn a_connection_reads_back_whole(store: Store) {
    let awkward = email("o'hara#1+tag@sub.example.com");
    let connection = connection("a", &awkward, time("2026-11-23T09:00:00.123Z"));
    put_all(&store, std::slice::from_ref(&connection)).await;
    assert_eq!(stored(&store, &connection.id).await, Some(connection));
}

/// The gateway's ids are in base 64.
async fn connections_whose_ids_differ_in_case_are_two(store: Store) {
    let [small, capital] = ["a", "A"].map(|name| connection(name, &minji(), november(23)));
    put_all(&store, &[small.clone(), capital.clone()]).await;
    store.delete(&small.id).await.expect(STORED);
    assert_eq!(stored(&store, &small.id).await, None);
    assert_eq!(stored(&store, &capital.id).await, Some(capital));
}

async fn what_one_handle_wrote_the_other_sees_at_once(store: Store) {
    let mut connection = connection("a", &minji(), november(23));
    for _ in 0..2 {
        assert_eq!(stored(&store, &connection.id).await, None);
        store.put(&connection).await.expect(STORED);
        assert_eq!(stored(&store, &connection.id).await, Some(connection.clone()));
        let later = connection.identity.expires_at().next();
        store.set_identity_expiry(&connection.id, later).await.expect(STORED);
        connection.identity = identity(&minji(), later);
        assert_eq!(stored(&store, &connection.id).await, Some(connection.clone()));
        store.delete(&connection.id).await.expect(STORED);
    }
    assert_eq!(stored(&store, &connection.id).await, None);
}

async fn putting_twice_changes_nothing(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, &[connection.clone(), connection.clone()]).await;
    assert_eq!(stored(&store, &connection.id).await, Some(connection.clone()));
    lists(&store, &minji(), november(23), &[connection]).await;
}

async fn putting_over_a_row_replaces_all_of_it(store: Store) {
    let old = connection("a", &minji(), november(23));
    let new = connection("a", &minji(), november(24));
    put_all(&store, &[old, new.clone()]).await;
    assert_eq!(stored(&store, &new.id).await, Some(new.clone()));
    lists(&store, &minji(), november(24), &[new]).await;
}

async fn a_row_that_changes_hands_leaves_the_former_users_list(store: Store) {
    let minjis = connection("a", &minji(), november(23));
    let junhos = connection("a", &junho(), november(23));
    put_all(&store, &[minjis, junhos.clone()]).await;
    lists(&store, &minji(), november(23), &[]).await;
    lists(&store, &junho(), november(23), &[junhos]).await;
}

async fn a_users_list_holds_all_their_devices_and_nobody_elses(store: Store) {
    let now = november(23);
    let minjis = ["phone", "tablet", "laptop"].map(|name| connection(name, &minji(), now));
    let junhos = [connection("phone-2", &junho(), now)];
    // An address that begins as hers does.
    let others = [connection("phone-3", &email("minji@example.com.kr"), now)];
    put_all(&store, &minjis).await;
    put_all(&store, &junhos).await;
    put_all(&store, &others).await;
    lists(&store, &minji(), now, &minjis).await;
    lists(&store, &junho(), now, &junhos).await;
}

async fn a_user_without_connections_has_an_empty_list(store: Store) {
    put_all(&store, &[connection("a", &junho(), november(23))]).await;
    lists(&store, &minji(), november(23), &[]).await;
}

async fn a_hundred_connections_are_listed(store: Store) {
    let now = november(23);
    let connections: Vec<_> = (0..100).map(|n| connection(&n.to_string(), &minji(), now)).collect();
    put_all(&store, &connections).await;
    lists(&store, &minji(), now, &connections).await;
}

async fn a_list_ends_with_the_last_instant_of_a_row(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    let stale_at = november(23).after(CONNECTION_LIFETIME);
    lists(&store, &minji(), stale_at.previous(), &[connection]).await;
    lists(&store, &minji(), stale_at, &[]).await;
}

/// Whether the identity still counts is the use cases' to judge: `reauth` may be on its way.
async fn an_expired_identity_is_listed_all_the_same(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    let expired = connection.identity.expires_at();
    lists(&store, &minji(), expired, &[connection]).await;
}

async fn setting_the_expiry_changes_nothing_else(store: Store) {
    let old = connection("a", &minji(), november(23));
    let other = connection("b", &minji(), november(23));
    put_all(&store, &[old.clone(), other.clone()]).await;
    let later = november(23).after(Duration::from_secs(2 * 60 * 60));
    assert!(store.set_identity_expiry(&old.id, later).await.expect(STORED));

    let new = Connection { identity: identity(&minji(), later), ..old };
    assert_eq!(stored(&store, &new.id).await, Some(new.clone()));
    assert_eq!(stored(&store, &other.id).await, Some(other.clone()));
    lists(&store, &minji(), november(23), &[new, other]).await;
}

async fn setting_the_expiry_twice_succeeds_twice(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    for _ in 0..2 {
        assert!(store.set_identity_expiry(&connection.id, november(24)).await.expect(STORED));
    }
}

async fn an_expiry_may_be_set_earlier_too(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    let earlier = connection.identity.expires_at().previous();
    assert!(store.set_identity_expiry(&connection.id, earlier).await.expect(STORED));
    let new = Connection { identity: identity(&minji(), earlier), ..connection };
    assert_eq!(stored(&store, &new.id).await, Some(new));
}

async fn setting_the_expiry_of_an_unknown_connection_creates_nothing(store: Store) {
    assert!(!store.set_identity_expiry(&id("a"), november(24)).await.expect(STORED));
    assert_eq!(stored(&store, &id("a")).await, None);
    // A row without an owner would be seen by a later `put` at the latest.
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    assert_eq!(stored(&store, &id("a")).await, Some(connection));
}

async fn deleting_is_final_and_may_be_repeated(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    for _ in 0..2 {
        store.delete(&connection.id).await.expect(STORED);
        assert_eq!(stored(&store, &connection.id).await, None);
    }
    lists(&store, &minji(), november(23), &[]).await;
}

async fn deleting_what_never_was_succeeds(store: Store) {
    store.delete(&id("a")).await.expect(STORED);
    assert_eq!(stored(&store, &id("a")).await, None);
}

async fn deleting_leaves_other_connections_alone(store: Store) {
    let [phone, laptop] = ["phone", "laptop"].map(|name| connection(name, &minji(), november(23)));
    put_all(&store, &[phone.clone(), laptop.clone()]).await;
    store.delete(&phone.id).await.expect(STORED);
    assert_eq!(stored(&store, &laptop.id).await, Some(laptop.clone()));
    lists(&store, &minji(), november(23), &[laptop]).await;
}

async fn a_connection_made_at_the_instant_is_not_before_it(store: Store) {
    let connection = connection("a", &minji(), november(23));
    put_all(&store, std::slice::from_ref(&connection)).await;
    for instant in [november(23), november(23).previous(), november(22)] {
        assert!(!store.delete_if_connected_before(&connection.id, instant).await.expect(STORED));
    }
    assert_eq!(stored(&store, &connection.id).await, Some(connection));
}

async fn a_connection_made_before_the_instant_is_deleted_alone(store: Store) {
    let [phone, laptop] = ["phone", "laptop"].map(|name| connection(name, &minji(), november(23)));
    put_all(&store, &[phone.clone(), laptop.clone()]).await;
    assert!(store.delete_if_connected_before(&phone.id, november(23).next()).await.expect(STORED));
    assert_eq!(stored(&store, &phone.id).await, None);
    assert_eq!(stored(&store, &laptop.id).await, Some(laptop.clone()));
    lists(&store, &minji(), november(23), &[laptop]).await;
}

async fn deleting_an_unknown_connection_by_age_deletes_nothing(store: Store) {
    assert!(!store.delete_if_connected_before(&id("a"), Timestamp::MAX).await.expect(STORED));
}

/// How often a race is run that has two outcomes.
const ROUNDS: u32 = 20;

async fn an_expiry_that_races_a_deletion_brings_nothing_back(store: Store) {
    let connection = connection("a", &minji(), november(23));
    for round in 0..ROUNDS {
        store.put(&connection).await.expect(STORED);
        race((0..2).map(|racer| {
            let (store, id) = (store.for_racer(racer), connection.id.clone());
            async move {
                if racer == round % 2 {
                    store.delete(&id).await.expect(STORED);
                } else {
                    store.set_identity_expiry(&id, november(24)).await.expect(STORED);
                }
            }
        }))
        .await;
        assert_eq!(stored(&store, &connection.id).await, None);
    }
}

async fn a_connection_that_races_the_deletion_of_its_forerunner_stays(store: Store) {
    let old = connection("a", &minji(), november(23));
    let new = connection("a", &junho(), november(24));
    for round in 0..ROUNDS {
        store.put(&old).await.expect(STORED);
        race((0..2).map(|racer| {
            let (store, new) = (store.for_racer(racer), new.clone());
            async move {
                if racer == round % 2 {
                    store.delete_if_connected_before(&new.id, november(24)).await.map(drop)
                } else {
                    store.put(&new).await
                }
                .expect(STORED);
            }
        }))
        .await;
        assert_eq!(stored(&store, &new.id).await.as_ref(), Some(&new));
    }
}

async fn of_racing_deletions_by_age_one_deletes(store: Store) {
    let connection = connection("a", &minji(), november(23));
    for _ in 0..ROUNDS {
        store.put(&connection).await.expect(STORED);
        let deleted = race((0..8).map(|racer| {
            let (store, id) = (store.for_racer(racer), connection.id.clone());
            async move { store.delete_if_connected_before(&id, november(24)).await.expect(STORED) }
        }));
        assert_eq!(deleted.await.into_iter().filter(|deleted| *deleted).count(), 1);
    }
}
