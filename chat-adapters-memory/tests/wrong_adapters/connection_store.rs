use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chat_adapters_memory::MemoryConnectionStore;
use chat_domain::conformance::{Handles, connection_store};
use chat_domain::testing::{
    ConnectionStoreCall as Call, ConnectionStoreReply as Reply, DecoratedConnectionStore, Outcome, Port as _,
    answer,
};
use chat_domain::{
    Connection, ConnectionId, ConnectionStore, ConnectionStoreError, Timestamp, VerifiedIdentity,
};
use tokio::task::yield_now;

type Next = Arc<dyn ConnectionStore>;
type Wrong = Handles<DecoratedConnectionStore>;
type Answer<'a> = Outcome<'a, dyn ConnectionStore>;
/// What both handles of a wrong store see.
type SharedState<T> = Arc<Mutex<T>>;

crate::caught! {
    connection_store::checks();

    ids_are_in_small_letters => connections_whose_ids_differ_in_case_are_two;
    an_expiry_is_set_on_all_of_a_users_connections => setting_the_expiry_changes_nothing_else;
    deleting_deletes_all_of_a_users_connections => deleting_leaves_other_connections_alone;
    deleting_by_age_deletes_all_of_a_users_connections =>
        a_connection_made_before_the_instant_is_deleted_alone;
    setting_an_expiry_writes_the_whole_row => an_expiry_that_races_a_deletion_brings_nothing_back;
    the_age_is_judged_before_the_deletion => a_connection_that_races_the_deletion_of_its_forerunner_stays;
    who_judged_the_age_deleted => of_racing_deletions_by_age_one_deletes;

    a_handle_keeps_what_it_read => what_one_handle_wrote_the_other_sees_at_once;

    a_row_is_put_only_once => putting_twice_changes_nothing;
    an_expiry_that_is_set_already_is_not_found => setting_the_expiry_twice_succeeds_twice;
    only_the_first_deletion_succeeds => deleting_is_final_and_may_be_repeated;

    milliseconds_are_lost => a_connection_reads_back_whole;
    putting_leaves_a_row_as_it_is => putting_over_a_row_replaces_all_of_it;

    unknown_connections_are_there => an_unknown_connection_is_absent;

    a_former_user_keeps_the_connection => a_row_that_changes_hands_leaves_the_former_users_list;
    longer_addresses_are_the_same => a_users_list_holds_all_their_devices_and_nobody_elses;
    everybody_without_a_connection_has_junhos => a_user_without_connections_has_an_empty_list;
    fifty_connections_are_listed => a_hundred_connections_are_listed;
    stale_connections_are_listed => a_list_ends_with_the_last_instant_of_a_row;
    expired_identities_are_not_listed => an_expired_identity_is_listed_all_the_same;

    an_expiry_moves_only_forward => an_expiry_may_be_set_earlier_too;
    setting_an_expiry_makes_the_connection => setting_the_expiry_of_an_unknown_connection_creates_nothing;

    what_never_was_cannot_be_deleted => deleting_what_never_was_succeeds;

    the_instant_itself_is_before_it => a_connection_made_at_the_instant_is_not_before_it;
    deleting_nothing_by_age_deletes => deleting_an_unknown_connection_by_age_deletes_nothing;
}

/// Two handles of a store whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Next) -> Answer<'a> + Clone + Send + Sync + 'static,
) -> Wrong {
    let store = Arc::new(MemoryConnectionStore::new());
    Handles::two(
        DecoratedConnectionStore::new(store.clone(), decorate.clone()),
        DecoratedConnectionStore::new(store, decorate),
    )
}

fn refused() -> ConnectionStoreError {
    ConnectionStoreError::Unavailable { operation: "a wrong one", source: "it is wrong".into() }
}

async fn stored(next: &Next, id: &ConnectionId) -> Option<Connection> {
    next.get(id).await.expect("it is in memory")
}

async fn of_same_user(next: &Next, id: &ConnectionId) -> Vec<Connection> {
    let Some(Connection { identity, .. }) = stored(next, id).await else { return Vec::new() };
    next.of_user(identity.email(), Timestamp::MIN).await.expect("it is in memory")
}

fn until(connection: Connection, expires_at: Timestamp) -> Connection {
    let Connection { identity, .. } = &connection;
    let identity =
        VerifiedIdentity::vouched(identity.email().clone(), identity.user_id().clone(), expires_at);
    Connection { identity, ..connection }
}

/// The connection's id is changed on its way into the store.
fn ids_are_in_small_letters() -> Wrong {
    fn small(id: &ConnectionId) -> ConnectionId {
        ConnectionId::new(id.as_str().to_lowercase())
    }
    wrong(|call, next| {
        Box::pin(async move {
            match call {
                Call::Put { connection } => {
                    let id = small(&connection.id);
                    next.put(&Connection { id, ..connection.into_owned() }).await.map(Reply::Put)
                }
                Call::Get { id } => {
                    let found = stored(next, &small(&id)).await;
                    Ok(Reply::Get(found.map(|found| Connection { id: id.into_owned(), ..found })))
                }
                Call::Delete { id } => next.delete(&small(&id)).await.map(Reply::Delete),
                call => next.call(call).await,
            }
        })
    })
}

fn an_expiry_is_set_on_all_of_a_users_connections() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::SetIdentityExpiry { id, expires_at } = &call {
                for connection in of_same_user(next, id).await {
                    next.set_identity_expiry(&connection.id, *expires_at).await?;
                }
            }
            next.call(call).await
        })
    })
}

fn deleting_deletes_all_of_a_users_connections() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Delete { id } = &call {
                for connection in of_same_user(next, id).await {
                    next.delete(&connection.id).await?;
                }
            }
            next.call(call).await
        })
    })
}

fn deleting_by_age_deletes_all_of_a_users_connections() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::DeleteIfConnectedBefore { id, .. } = &call {
                for connection in of_same_user(next, id).await {
                    if connection.id != **id {
                        next.delete(&connection.id).await?;
                    }
                }
            }
            next.call(call).await
        })
    })
}

fn setting_an_expiry_writes_the_whole_row() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::SetIdentityExpiry { id, expires_at } = call else { return next.call(call).await };
            let Some(connection) = stored(next, &id).await else {
                return Ok(Reply::SetIdentityExpiry(false));
            };
            yield_now().await;
            next.put(&until(connection, expires_at)).await?;
            Ok(Reply::SetIdentityExpiry(true))
        })
    })
}

fn the_age_is_judged_before_the_deletion() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::DeleteIfConnectedBefore { id, instant } = call else { return next.call(call).await };
            let is_before = stored(next, &id).await.is_some_and(|found| found.connected_at < instant);
            yield_now().await;
            if is_before {
                next.delete(&id).await?;
            }
            Ok(Reply::DeleteIfConnectedBefore(is_before))
        })
    })
}

fn who_judged_the_age_deleted() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::DeleteIfConnectedBefore { id, instant } = call else { return next.call(call).await };
            let is_before = stored(next, &id).await.is_some_and(|found| found.connected_at < instant);
            yield_now().await;
            next.delete_if_connected_before(&id, instant).await?;
            Ok(Reply::DeleteIfConnectedBefore(is_before))
        })
    })
}

fn a_handle_keeps_what_it_read() -> Wrong {
    let store = Arc::new(MemoryConnectionStore::new());
    let handle = || {
        let kept = SharedState::<HashMap<ConnectionId, Option<Connection>>>::default();
        DecoratedConnectionStore::new(store.clone(), move |call, next| {
            let kept = kept.clone();
            Box::pin(async move {
                let Call::Get { id } = call else {
                    kept.lock().unwrap().clear();
                    return next.call(call).await;
                };
                if let Some(connection) = kept.lock().unwrap().get(&*id) {
                    return Ok(Reply::Get(connection.clone()));
                }
                let found = next.get(&id).await?;
                kept.lock().unwrap().insert(id.into_owned(), found.clone());
                Ok(Reply::Get(found))
            })
        })
    };
    Handles::two(handle(), handle())
}

fn a_row_is_put_only_once() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            match &call {
                Call::Put { connection } if stored(next, &connection.id).await.is_some() => Err(refused()),
                _ => next.call(call).await,
            }
        })
    })
}

fn an_expiry_that_is_set_already_is_not_found() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::SetIdentityExpiry { id, expires_at } = &call
                && stored(next, id).await.is_some_and(|found| found.identity.expires_at() == *expires_at)
            {
                return Ok(Reply::SetIdentityExpiry(false));
            }
            next.call(call).await
        })
    })
}

fn only_the_first_deletion_succeeds() -> Wrong {
    let deleted = SharedState::<Vec<ConnectionId>>::default();
    wrong(move |call, next| {
        if let Call::Delete { id } = &call {
            let mut deleted = deleted.lock().unwrap();
            if deleted.contains(id) {
                return answer(Err(refused()));
            }
            deleted.push(id.clone().into_owned());
        }
        next.call(call)
    })
}

fn milliseconds_are_lost() -> Wrong {
    wrong(|call, next| match call {
        Call::Put { connection } => {
            let second = connection.connected_at.unix_ms() / 1_000 * 1_000;
            let connected_at = Timestamp::from_unix_ms(second).expect("it is earlier");
            let connection = Connection { connected_at, ..connection.into_owned() };
            next.call(Call::Put { connection: Cow::Owned(connection) })
        }
        call => next.call(call),
    })
}

fn putting_leaves_a_row_as_it_is() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            match &call {
                Call::Put { connection } if stored(next, &connection.id).await.is_some() => {
                    Ok(Reply::Put(()))
                }
                _ => next.call(call).await,
            }
        })
    })
}

fn unknown_connections_are_there() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Get { id } = call else { return next.call(call).await };
            let email = "minji@example.com".parse().expect("an address");
            let identity =
                VerifiedIdentity::vouched(email, chat_domain::UserId::new("minji"), Timestamp::MAX);
            let made_up = Connection { id: id.clone().into_owned(), identity, connected_at: Timestamp::MIN };
            Ok(Reply::Get(Some(stored(next, &id).await.unwrap_or(made_up))))
        })
    })
}

fn a_former_user_keeps_the_connection() -> Wrong {
    let former = SharedState::<Vec<Connection>>::default();
    wrong(move |call, next| {
        let former = former.clone();
        Box::pin(async move {
            match call {
                Call::Put { connection } => {
                    let before = stored(next, &connection.id).await;
                    former.lock().unwrap().extend(before);
                    next.put(&connection).await.map(Reply::Put)
                }
                Call::OfUser { email, now } => {
                    let mut found = next.of_user(&email, now).await?;
                    let former = former.lock().unwrap();
                    found.extend(former.iter().filter(|former| former.identity.email() == &*email).cloned());
                    Ok(Reply::OfUser(found))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn longer_addresses_are_the_same() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::OfUser { email, now } = call else { return next.call(call).await };
            let longer = format!("{email}.kr").parse().expect("an address");
            let mut found = next.of_user(&email, now).await?;
            found.extend(next.of_user(&longer, now).await?);
            Ok(Reply::OfUser(found))
        })
    })
}

fn everybody_without_a_connection_has_junhos() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::OfUser { email, now } = call else { return next.call(call).await };
            let mut found = next.of_user(&email, now).await?;
            if found.is_empty() {
                found = next.of_user(&"junho@example.com".parse().expect("an address"), now).await?;
            }
            Ok(Reply::OfUser(found))
        })
    })
}

/// A list is changed, by what is asked.
fn listing(change: impl Fn(&mut Vec<Connection>, Timestamp) + Copy + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| {
        Box::pin(async move {
            let Call::OfUser { email, now } = call else { return next.call(call).await };
            let mut found = next.of_user(&email, now).await?;
            change(&mut found, now);
            Ok(Reply::OfUser(found))
        })
    })
}

fn fifty_connections_are_listed() -> Wrong {
    listing(|found, _| found.truncate(50))
}

fn expired_identities_are_not_listed() -> Wrong {
    listing(|found, now| found.retain(|connection| !connection.identity.is_expired(now)))
}

fn stale_connections_are_listed() -> Wrong {
    wrong(|call, next| match call {
        Call::OfUser { email, .. } => next.call(Call::OfUser { email, now: Timestamp::MIN }),
        call => next.call(call),
    })
}

fn an_expiry_moves_only_forward() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::SetIdentityExpiry { id, expires_at } = &call
                && stored(next, id).await.is_some_and(|found| found.identity.expires_at() > *expires_at)
            {
                return Ok(Reply::SetIdentityExpiry(true));
            }
            next.call(call).await
        })
    })
}

fn setting_an_expiry_makes_the_connection() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::SetIdentityExpiry { id, expires_at } = &call else { return next.call(call).await };
            if stored(next, id).await.is_none() {
                let email = "minji@example.com".parse().expect("an address");
                let identity =
                    VerifiedIdentity::vouched(email, chat_domain::UserId::new("minji"), *expires_at);
                let id = id.clone().into_owned();
                next.put(&Connection { id, identity, connected_at: Timestamp::MIN }).await?;
                return Ok(Reply::SetIdentityExpiry(false));
            }
            next.call(call).await
        })
    })
}

fn what_never_was_cannot_be_deleted() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            match &call {
                Call::Delete { id } if stored(next, id).await.is_none() => Err(refused()),
                _ => next.call(call).await,
            }
        })
    })
}

fn the_instant_itself_is_before_it() -> Wrong {
    wrong(|call, next| match call {
        Call::DeleteIfConnectedBefore { id, instant } => {
            next.call(Call::DeleteIfConnectedBefore { id, instant: instant.next() })
        }
        call => next.call(call),
    })
}

fn deleting_nothing_by_age_deletes() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            match next.call(call).await? {
                Reply::DeleteIfConnectedBefore(_) => Ok(Reply::DeleteIfConnectedBefore(true)),
                reply => Ok(reply),
            }
        })
    })
}
