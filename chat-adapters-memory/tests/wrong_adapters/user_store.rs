use std::sync::{Arc, Mutex};

use chat_adapters_memory::MemoryUserStore;
use chat_domain::conformance::{Handles, user_store};
use chat_domain::testing::{
    DecoratedUserStore, Outcome, Port as _, UserStoreCall as Call, UserStoreReply as Reply,
};
use chat_domain::{Erasure, User, UserStore, UserStoreError, UsersPage};

type Next = Arc<dyn UserStore>;
type Answer<'a> = Outcome<'a, dyn UserStore>;
type Wrong = Handles<DecoratedUserStore>;

crate::caught! {
    user_store::checks();

    that_somebody_came_back_is_lost => a_row_reads_back_as_it_was_written;
    what_is_absent_is_kept => what_a_later_version_has_not_is_gone;
    everybody_has_one_row => a_write_touches_no_other_row;
    the_version_is_the_writers => each_write_makes_the_next_version;
    a_write_is_two_calls => of_those_who_write_the_same_version_one_succeeds;
    an_earlier_version_is_written_over => what_was_made_from_an_earlier_version_is_refused,
        a_refused_write_changes_nothing;
    a_row_begins_with_any_version => a_version_that_nobody_wrote_is_not_written_over;
    a_handle_reads_what_it_has_read => what_one_handle_writes_the_other_reads_at_once;
    everybody_has_a_row => there_is_no_row_before_the_first_write;
    a_refused_write_is_kept => a_refused_write_changes_nothing;
    a_list_has_one_page => every_row_is_listed_once;
}

/// Two handles of a store whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Next) -> Answer<'a> + Clone + Send + Sync + 'static,
) -> Wrong {
    let store = Arc::new(MemoryUserStore::new());
    Handles::two(
        DecoratedUserStore::new(store.clone(), decorate.clone()),
        DecoratedUserStore::new(store, decorate),
    )
}

/// What is read or listed is changed.
fn reading(change: impl Fn(User) -> User + Clone + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| {
        let change = change.clone();
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::Get(user) => Reply::Get(user.map(change)),
                reply => reply,
            })
        })
    })
}

/// What is written is changed by what was stored before.
fn writing(change: impl Fn(User, Option<User>) -> User + Clone + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| {
        let change = change.clone();
        Box::pin(async move {
            let Call::Put { user } = call else { return next.call(call).await };
            let before = next.get(&user.email).await?;
            next.put(&change(user.into_owned(), before)).await.map(Reply::Put)
        })
    })
}

fn that_somebody_came_back_is_lost() -> Wrong {
    reading(|user| User {
        erasure: user.erasure.map(|erasure| Erasure { used_again_at: None, ..erasure }),
        ..user
    })
}

fn what_is_absent_is_kept() -> Wrong {
    writing(|user, before| User {
        suspended_since: user.suspended_since.or(before.and_then(|before| before.suspended_since)),
        ..user
    })
}

fn everybody_has_one_row() -> Wrong {
    let last = Arc::new(Mutex::new(None::<User>));
    wrong(move |call, next| {
        let last = last.clone();
        Box::pin(async move {
            let put = match &call {
                Call::Put { user } => Some(user.clone().into_owned()),
                _ => None,
            };
            let reply = next.call(call).await?;
            if put.is_some() {
                *last.lock().unwrap() = put;
            }
            Ok(match reply {
                Reply::Get(Some(read)) => {
                    let last = last.lock().unwrap().clone();
                    Reply::Get(last.map(|last| User { email: read.email, version: read.version, ..last }))
                }
                reply => reply,
            })
        })
    })
}

fn the_version_is_the_writers() -> Wrong {
    reading(|user| User { version: user.version - 1, ..user })
}

/// It looks at the version, and then writes over whatever is there.
fn a_write_is_two_calls() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Put { user } = call else { return next.call(call).await };
            let version = async || -> Result<u64, UserStoreError> {
                Ok(next.get(&user.email).await?.map_or(0, |stored| stored.version))
            };
            if version().await? != user.version {
                return Err(UserStoreError::Conflict);
            }
            tokio::task::yield_now().await;
            let version = version().await?;
            next.put(&User { version, ..user.into_owned() }).await.map(Reply::Put)
        })
    })
}

fn an_earlier_version_is_written_over() -> Wrong {
    writing(|user, before| {
        let version = before.map_or(user.version, |before| before.version.max(user.version));
        User { version, ..user }
    })
}

fn a_row_begins_with_any_version() -> Wrong {
    writing(|user, before| User { version: before.map_or(0, |_| user.version), ..user })
}

fn a_handle_reads_what_it_has_read() -> Wrong {
    let store = Arc::new(MemoryUserStore::new());
    let handle = || {
        let read = Arc::new(Mutex::new(Vec::<User>::new()));
        DecoratedUserStore::new(store.clone(), move |call, next: &Next| {
            let read = read.clone();
            Box::pin(async move {
                let Call::Get { email } = &call else { return next.call(call).await };
                let known = read.lock().unwrap().iter().find(|user| user.email == **email).cloned();
                if known.is_some() {
                    return Ok(Reply::Get(known));
                }
                let found = next.get(email).await?;
                read.lock().unwrap().extend(found.clone());
                Ok(Reply::Get(found))
            })
        })
    };
    Handles::two(handle(), handle())
}

fn everybody_has_a_row() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Get { email } = &call else { return next.call(call).await };
            let found = next.get(email).await?;
            Ok(Reply::Get(Some(found.unwrap_or_else(|| User::unknown(email.clone().into_owned())))))
        })
    })
}

fn a_refused_write_is_kept() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Put { user } = call else { return next.call(call).await };
            let outcome = next.put(&user).await;
            if matches!(outcome, Err(UserStoreError::Conflict))
                && let Some(stored) = next.get(&user.email).await?
            {
                next.put(&User { version: stored.version, ..user.into_owned() }).await?;
            }
            outcome.map(Reply::Put)
        })
    })
}

fn a_list_has_one_page() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::List(page) => Reply::List(UsersPage { next: None, ..page }),
                reply => reply,
            })
        })
    })
}
