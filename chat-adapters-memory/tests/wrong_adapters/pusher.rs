use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chat_domain::conformance::pusher;
use chat_domain::testing::{
    DecoratedPusher, Outcome, Port as _, PusherCall as Call, PusherReply as Reply, answer,
};
use chat_domain::{ConnectionId, Event, PushError, Pusher};
use tokio::task::yield_now;

use crate::harness::Clients;

type Next = Arc<dyn Pusher>;

crate::caught! {
    pusher::checks();

    typing_is_not_pushed => every_kind_of_event_arrives;
    one_push_is_under_way_at_a_time => every_push_of_many_at_once_arrives;
    a_push_waits_for_its_client => a_client_that_takes_nothing_holds_no_call_up;
    a_push_to_nobody_is_taken =>
        a_push_to_a_connection_that_never_was_finds_it_gone,
        a_push_to_a_connection_that_hung_up_finds_it_gone;
    a_push_reaches_everybody => a_push_reaches_its_connection_alone;
    closing_closes_nothing => a_closed_connection_sees_that_and_is_gone;
    closing_closes_everything => closing_leaves_other_connections_open;
    closing_what_is_not_open_succeeds =>
        closing_a_connection_that_never_was_finds_it_gone, closing_a_connection_that_hung_up_finds_it_gone;
}

/// Clients of a pusher whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Next) -> Outcome<'a, dyn Pusher> + Send + Sync + 'static,
) -> Clients {
    Clients::over(|next| Arc::new(DecoratedPusher::new(next, decorate)))
}

fn typing_is_not_pushed() -> Clients {
    wrong(|call, next| match &call {
        Call::Push { push, .. } if matches!(push.event(), Event::Typing { .. }) => {
            answer(Ok(Reply::Push(())))
        }
        _ => next.call(call),
    })
}

/// What comes meanwhile is dropped.
fn one_push_is_under_way_at_a_time() -> Clients {
    let is_busy = Arc::new(AtomicBool::new(false));
    wrong(move |call, next| {
        let is_busy = is_busy.clone();
        Box::pin(async move {
            if is_busy.swap(true, Ordering::Relaxed) {
                return Ok(Reply::Push(()));
            }
            yield_now().await;
            let outcome = next.call(call).await;
            is_busy.store(false, Ordering::Relaxed);
            outcome
        })
    })
}

fn a_push_waits_for_its_client() -> Clients {
    let pushes = Arc::new(AtomicU32::new(0));
    wrong(move |call, next| {
        let pushes = pushes.clone();
        Box::pin(async move {
            if pushes.fetch_add(1, Ordering::Relaxed) >= 100 {
                tokio::time::sleep(Duration::from_secs(60 * 60)).await;
            }
            next.call(call).await
        })
    })
}

fn a_push_to_nobody_is_taken() -> Clients {
    wrong(|call, next| {
        Box::pin(async move {
            match (matches!(call, Call::Push { .. }), next.call(call).await) {
                (true, Err(PushError::Gone)) => Ok(Reply::Push(())),
                (_, outcome) => outcome,
            }
        })
    })
}

/// The call goes to both connections that the suite opens.
fn reaching_everybody(is_meant: fn(&Call<'_>) -> bool) -> Clients {
    wrong(move |call, next| {
        Box::pin(async move {
            for id in (0..2).map(|n| ConnectionId::new(format!("connection-{n}"))) {
                let other = match call.clone() {
                    Call::Push { to, push } if *to != id => Call::Push { to: Cow::Owned(id), push },
                    Call::Close { id: asked } if *asked != id => Call::Close { id: Cow::Owned(id) },
                    _ => continue,
                };
                if is_meant(&other) {
                    drop(next.call(other.into_owned()).await);
                }
            }
            next.call(call).await
        })
    })
}

fn a_push_reaches_everybody() -> Clients {
    reaching_everybody(|call| matches!(call, Call::Push { .. }))
}

fn closing_closes_everything() -> Clients {
    reaching_everybody(|call| matches!(call, Call::Close { .. }))
}

fn closing_closes_nothing() -> Clients {
    wrong(|call, next| match &call {
        Call::Close { .. } => answer(Ok(Reply::Close(()))),
        Call::Push { .. } => next.call(call),
    })
}

fn closing_what_is_not_open_succeeds() -> Clients {
    wrong(|call, next| {
        Box::pin(async move {
            match (matches!(call, Call::Close { .. }), next.call(call).await) {
                (true, Err(PushError::Gone)) => Ok(Reply::Close(())),
                (_, outcome) => outcome,
            }
        })
    })
}
