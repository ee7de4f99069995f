//! The real functions, but that some of them are wrong about who is suspended, and who has asked too much in
//! an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chat_adapters_memory::MemoryUserStore;
use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, DecoratedConnectionStore, DecoratedPusher, DecoratedUserStore,
    Outcome, Port as _, PusherCall, PusherReply, UserStoreCall, UserStoreReply, answer,
};
use chat_domain::{ConnectionId, Email, User, UserStore, UserStoreError};

use super::base::{over, real};
use super::consent::{Route, routed};
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Order, Running, Server, receipt};

const LIST: Route = Route::Rest("/chat/conversations");

/// Some events are handled over a user store with a bug.
fn over_users<F>(shared: &SharedEnvironment, to_wrong: Route, bug: F) -> Box<dyn Server>
where
    F: for<'a> Fn(UserStoreCall<'a>, &'a Arc<dyn UserStore>) -> Outcome<'a, dyn UserStore>,
    F: Send + Sync + 'static,
{
    let mut ports = shared.ports();
    ports.users = Arc::new(DecoratedUserStore::new(ports.users, bug));
    routed(shared, to_wrong, over(shared, &ports))
}

/// Some events are handled as if the rows of users said something else.
fn misread(shared: &SharedEnvironment, to_wrong: Route, misread: fn(&mut User)) -> Box<dyn Server> {
    over_users(shared, to_wrong, move |call, next| {
        Box::pin(async move {
            let mut reply = next.call(call).await?;
            if let UserStoreReply::Get(Some(user)) = &mut reply {
                misread(user);
            }
            Ok(reply)
        })
    })
}

/// Whoever connects is not asked whether they are suspended.
pub(super) fn suspended_connects(shared: &SharedEnvironment) -> Box<dyn Server> {
    misread(shared, Route::Connects, |user| user.suspended_since = None)
}

/// Whoever connects is not asked whether they are held up.
pub(super) fn held_up_connects(shared: &SharedEnvironment) -> Box<dyn Server> {
    misread(shared, Route::Connects, |user| user.held_until = None)
}

/// Whoever connects and cannot be found out about loses the row of the connection, although the same event
/// may have opened the socket before.
pub(super) fn row_taken_back(shared: &SharedEnvironment) -> Box<dyn Server> {
    let mut ports = shared.ports();
    let connections = ports.connections.clone();
    let connecting: Arc<Mutex<HashMap<Email, ConnectionId>>> = Arc::default();
    let stored = Arc::clone(&connecting);
    ports.connections = Arc::new(DecoratedConnectionStore::new(ports.connections, move |call, next| {
        if let ConnectionStoreCall::Put { connection } = &call {
            let email = connection.identity.email().clone();
            stored.lock().unwrap_or_else(PoisonError::into_inner).insert(email, connection.id.clone());
        }
        next.call(call)
    }));
    ports.users = Arc::new(DecoratedUserStore::new(ports.users, move |call, next| {
        let email = match &call {
            UserStoreCall::Get { email } => (**email).clone(),
            UserStoreCall::Put { user } => user.email.clone(),
            _ => return next.call(call),
        };
        let id = connecting.lock().unwrap_or_else(PoisonError::into_inner).get(&email).cloned();
        let connections = connections.clone();
        Box::pin(async move {
            let reply = next.call(call).await;
            if let (Err(error), Some(id)) = (&reply, id)
                && !matches!(error, UserStoreError::Conflict)
            {
                let _ = connections.delete(&id).await;
            }
            reply
        })
    }));
    routed(shared, Route::Connects, over(shared, &ports))
}

/// What a process has read of a user once, it believes as long as it lives.
pub(super) fn admitted_for_ever(shared: &SharedEnvironment) -> Box<dyn Server> {
    let believed: Arc<Mutex<HashMap<Email, User>>> = Arc::default();
    over_users(shared, LIST, move |call, next| {
        let believed = believed.clone();
        Box::pin(async move {
            let UserStoreCall::Get { email } = call else { return next.call(call).await };
            let known = believed.lock().unwrap_or_else(PoisonError::into_inner).get(&*email).cloned();
            if let Some(user) = known {
                return Ok(UserStoreReply::Get(Some(user)));
            }
            let user = next.get(&email).await?;
            if let Some(user) = user.clone() {
                believed.lock().unwrap_or_else(PoisonError::into_inner).insert(email.into_owned(), user);
            }
            Ok(UserStoreReply::Get(user))
        })
    })
}

/// Whoever suspends somebody finds no connections of theirs.
pub(super) fn sockets_stay(shared: &SharedEnvironment) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.connections = Arc::new(DecoratedConnectionStore::new(ports.connections, |call, next| match call {
        ConnectionStoreCall::OfUser { .. } => answer(Ok(ConnectionStoreReply::OfUser(Vec::new()))),
        call => next.call(call),
    }));
    routed(shared, Route::Orders, over(shared, &ports))
}

/// Whoever suspends somebody does not look for connections again that were not listed yet.
struct LooksOnce(Box<dyn Server>);

impl Server for LooksOnce {
    fn handle(&self, event: GatewayEvent) -> Running {
        if let GatewayEvent::Operate(Order::Disconnect, ..) = event {
            return Box::pin(async { receipt(true) });
        }
        self.0.handle(event)
    }
}

pub(super) fn looks_once(shared: &SharedEnvironment) -> Box<dyn Server> {
    Box::new(LooksOnce(real(shared)))
}

/// Each process has a store of its own.
pub(super) fn counted_by_each(shared: &SharedEnvironment) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.users = Arc::new(MemoryUserStore::new());
    routed(shared, Route::AnyFrame, over(shared, &ports))
}

/// What would count requests is answered, and not written.
pub(super) fn not_counted(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_users(shared, LIST, |call, next| {
        let UserStoreCall::Put { user } = call else { return next.call(call) };
        Box::pin(async move {
            let is = next.get(&user.email).await?;
            if is.and_then(|is| is.requests) == user.requests {
                next.put(&user).await?;
            }
            Ok(UserStoreReply::Put(()))
        })
    })
}

/// The connections of whoever is held up are told to end, and do not.
pub(super) fn held_up_stays(shared: &SharedEnvironment) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.connections = Arc::new(DecoratedConnectionStore::new(ports.connections, |call, next| match call {
        ConnectionStoreCall::Delete { .. } => answer(Ok(ConnectionStoreReply::Delete(()))),
        call => next.call(call),
    }));
    ports.pusher = Arc::new(DecoratedPusher::new(ports.pusher, |call, next| match call {
        PusherCall::Close { .. } => answer(Ok(PusherReply::Close(()))),
        call => next.call(call),
    }));
    routed(shared, Route::AnyFrame, over(shared, &ports))
}
