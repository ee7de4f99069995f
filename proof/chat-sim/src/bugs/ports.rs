//! The real functions over ports that are wrong.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, DecoratedConnectionStore, DecoratedIdentityVerifier,
    DecoratedMessageStore, IdentityVerifierCall, IdentityVerifierReply, MessageStoreCall, MessageStoreReply,
    Outcome, Port as _, answer,
};
use chat_domain::{
    Append, CONNECTIONS_MAX, Connect, Connection, ConnectionStore, Consistency, Content, IdentityVerifier,
    Member, MessageStore, MessageStoreError, Page, PageLimit, PageQuery, PageRange, PerMember, ReadMark,
    Room, RoomId, Timestamp, UserId, VerifiedIdentity, VerifyError,
};
use futures_util::future::join_all;

use super::base::over;
use crate::environment::Token;
use crate::ids::{Id, TokenId};
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Real, Running, Server};

/// The real functions over a message store with a bug.
pub(super) fn over_messages<F>(shared: &SharedEnvironment, bug: F) -> Box<dyn Server>
where
    F: for<'a> Fn(MessageStoreCall<'a>, &'a Arc<dyn MessageStore>) -> Outcome<'a, dyn MessageStore>,
    F: Send + Sync + 'static,
{
    let mut ports = shared.ports();
    ports.messages = Arc::new(DecoratedMessageStore::new(ports.messages, bug));
    Box::new(over(shared, &ports))
}

/// Every commit that may have happened increments unread, and every read mark sets it to nothing.
pub(super) fn incremented_unread(shared: &SharedEnvironment) -> Box<dyn Server> {
    let environment = shared.clone();
    over_messages(shared, move |call, next| {
        let shared = environment.clone();
        Box::pin(async move {
            match call {
                MessageStoreCall::Commit { append } => {
                    let outcome = next.commit(&append).await;
                    if matches!(outcome, Ok(()) | Err(MessageStoreError::Unavailable { .. })) {
                        let receiver = append.message().sender.peer();
                        let mut environment = shared.environment();
                        environment.bug_state().unread.entry(append.message().room.clone()).or_default()
                            [receiver] += 1;
                    }
                    outcome.map(MessageStoreReply::Commit)
                }
                MessageStoreCall::RoomsOf { member, after } => {
                    let mut page = next.rooms_of(&member, after).await?;
                    page.rooms = page.rooms.iter().map(|room| counted(&shared, room)).collect();
                    Ok(MessageStoreReply::RoomsOf(page))
                }
                MessageStoreCall::AdvanceRead { room, reader, mark } => {
                    let advance = next.advance_read(&room, reader, mark).await?;
                    if let Some(counts) = shared.environment().bug_state().unread.get_mut(&*room) {
                        counts[reader] = 0;
                    }
                    Ok(MessageStoreReply::AdvanceRead(advance))
                }
                call => next.call(call).await,
            }
        })
    })
}

/// A room with the unread messages that were counted.
fn counted(shared: &SharedEnvironment, room: &Room) -> Room {
    let unread = shared.environment().bug_state().unread.get(room.id()).copied();
    let (Some(log), Some(unread)) = (room.log(), unread) else { return room.clone() };
    let mut reads = PerMember { a: room.read_state(Member::A), b: room.read_state(Member::B) };
    for member in [Member::A, Member::B] {
        let count = log.sent[member.peer()].saturating_sub(unread[member]);
        let up_to = reads[member].mark.map_or(log.last_at(), |mark| mark.up_to);
        reads[member].mark = Some(ReadMark { up_to, count });
    }
    Room::restore(room.id().clone(), log.clone(), reads).unwrap_or_else(|_| room.clone())
}

/// Every page is read eventually.
pub(super) fn eventual_sync(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, |call, next| match call {
        MessageStoreCall::Page { room, query, .. } => {
            next.call(MessageStoreCall::Page { room, query, consistency: Consistency::Eventual })
        }
        call => next.call(call),
    })
}

/// A page that is shorter than it may be is taken for the last.
pub(super) fn cut_is_the_end(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, |call, next| match call {
        MessageStoreCall::Page { room, query, consistency } => Box::pin(async move {
            let mut page = next.page(&room, query, consistency).await?;
            page.has_more &= page.messages.len() >= query.limit.get();
            Ok(MessageStoreReply::Page(page))
        }),
        call => next.call(call),
    })
}

/// A page is put together of pages of one row each.
pub(super) fn row_by_row(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_messages(shared, |call, next| match call {
        MessageStoreCall::Page { room, query, consistency } => Box::pin(async move {
            let page = page_of_rows(&**next, &room, query, consistency).await?;
            Ok(MessageStoreReply::Page(page))
        }),
        call => next.call(call),
    })
}

async fn page_of_rows(
    store: &dyn MessageStore,
    room: &RoomId,
    query: PageQuery,
    consistency: Consistency,
) -> Result<Page, MessageStoreError> {
    let mut rows = Page { messages: Vec::new(), has_more: true };
    let mut next = PageQuery { limit: PageLimit::ONE, ..query };
    while rows.has_more && rows.messages.len() < query.limit.get() {
        let page = store.page(room, next, consistency).await?;
        rows.has_more = page.has_more;
        for row in page.messages {
            next.range = match query.range {
                PageRange::Newest | PageRange::Before(_) => PageRange::Before(row.at),
                PageRange::Oldest | PageRange::After(_) => PageRange::After(row.at),
            };
            rows.messages.push(row);
        }
    }
    Ok(rows)
}

/// Whatever is committed is altered before.
pub(super) fn altering(
    shared: &SharedEnvironment,
    alter: impl Fn(&mut Append) + Send + Sync + 'static,
) -> Box<dyn Server> {
    over_messages(shared, move |call, next| match call {
        MessageStoreCall::Commit { append } => {
            let mut append = append.into_owned();
            alter(&mut append);
            next.call(MessageStoreCall::Commit { append: Cow::Owned(append) })
        }
        call => next.call(call),
    })
}

/// The two teams of a proposal are stored in each other's place.
pub(super) fn content_altered(shared: &SharedEnvironment) -> Box<dyn Server> {
    altering(shared, |append| {
        if let Content::MatchProposal(proposal) = &mut append.log.newest.content {
            std::mem::swap(&mut proposal.team_name, &mut proposal.opponent_team_name);
        }
    })
}

/// A list shows what was said before the newest message.
pub(super) fn preview_of_the_one_before(shared: &SharedEnvironment) -> Box<dyn Server> {
    let environment = shared.clone();
    over_messages(shared, move |call, next| {
        let shared = environment.clone();
        Box::pin(async move {
            let MessageStoreCall::RoomsOf { member, after } = call else { return next.call(call).await };
            let mut page = next.rooms_of(&member, after).await?;
            let environment = shared.environment();
            for room in &mut page.rooms {
                let reads = PerMember { a: room.read_state(Member::A), b: room.read_state(Member::B) };
                let Some(mut log) = room.log().cloned() else { continue };
                let query = PageQuery { range: PageRange::Before(log.last_at()), limit: PageLimit::ONE };
                let before = environment.tables().page(room.id(), query, 0).messages.pop();
                let Some(before) = before else { continue };
                log.newest.content = before.content;
                // Where the newest entry tells of a change, that is what the head has to say.
                let Ok(restored) = Room::restore(room.id().clone(), log, reads) else { continue };
                *room = restored.with_consent(room.consents());
            }
            drop(environment);
            Ok(MessageStoreReply::RoomsOf(page))
        })
    })
}

type ConnectionsBug =
    for<'a> fn(ConnectionStoreCall<'a>, &'a Arc<dyn ConnectionStore>) -> Outcome<'a, dyn ConnectionStore>;

fn over_connections(shared: &SharedEnvironment, bug: ConnectionsBug) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.connections = Arc::new(DecoratedConnectionStore::new(ports.connections, bug));
    Box::new(over(shared, &ports))
}

/// A connection's row that cannot be read is taken for none.
pub(super) fn failed_read_is_no_row(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_connections(shared, |call, next| match call {
        ConnectionStoreCall::Get { id } => {
            Box::pin(async move { Ok(ConnectionStoreReply::Get(next.get(&id).await.unwrap_or(None))) })
        }
        call => next.call(call),
    })
}

/// A connection's row is read a second time for nothing.
pub(super) fn row_read_twice(shared: &SharedEnvironment) -> Box<dyn Server> {
    over_connections(shared, |call, next| match call {
        ConnectionStoreCall::Get { id } => Box::pin(async move {
            next.get(&id).await?;
            next.get(&id).await.map(ConnectionStoreReply::Get)
        }),
        call => next.call(call),
    })
}

/// The real functions, but that who connects is counted over a connection store with a bug.
fn connecting_over<F>(shared: &SharedEnvironment, bug: F) -> Box<dyn Server>
where
    F: for<'a> Fn(ConnectionStoreCall<'a>, &'a Arc<dyn ConnectionStore>) -> Outcome<'a, dyn ConnectionStore>,
    F: Send + Sync + 'static,
{
    let ports = shared.ports();
    let connections = Arc::new(DecoratedConnectionStore::new(ports.connections.clone(), bug));
    let connect =
        Connect::new(ports.verifier.clone(), ports.users.clone(), connections, ports.pusher.clone());
    Box::new(over(shared, &ports).connecting_by(connect))
}

/// Passes a call on, and alters the list if it is for one.
fn relisted<'a>(
    call: ConnectionStoreCall<'a>,
    next: &'a Arc<dyn ConnectionStore>,
    alter: fn(&mut Vec<Connection>, Timestamp),
) -> Outcome<'a, dyn ConnectionStore> {
    let ConnectionStoreCall::OfUser { email, now } = call else { return next.call(call) };
    Box::pin(async move {
        let mut listed = next.of_user(&email, now).await?;
        alter(&mut listed, now);
        Ok(ConnectionStoreReply::OfUser(listed))
    })
}

/// A user may have any number of connections.
pub(super) fn no_limit_of_connections(shared: &SharedEnvironment) -> Box<dyn Server> {
    connecting_over(shared, |call, next| relisted(call, next, |listed, _| listed.clear()))
}

/// What connected last seems to be the oldest.
pub(super) fn newest_is_closed(shared: &SharedEnvironment) -> Box<dyn Server> {
    connecting_over(shared, |call, next| {
        relisted(call, next, |listed, now| {
            for connection in listed {
                let age = now.since(connection.connected_at);
                connection.connected_at = Timestamp::UNIX_EPOCH.after(age);
            }
        })
    })
}

/// Connections that came later seem to be as old as the one that asks: the later, the younger they stay.
pub(super) fn later_ones_count(shared: &SharedEnvironment) -> Box<dyn Server> {
    connecting_over(shared, |call, next| {
        relisted(call, next, |listed, now| {
            listed.sort_by_key(|connection| connection.connected_at);
            for connection in listed {
                connection.connected_at = connection.connected_at.min(now);
            }
        })
    })
}

/// Every connection beyond the limit is closed at the same time.
pub(super) fn all_is_closed_at_once(shared: &SharedEnvironment) -> Box<dyn Server> {
    let pusher = shared.ports().pusher;
    connecting_over(shared, move |call, next| {
        let ConnectionStoreCall::OfUser { email, now } = call else { return next.call(call) };
        let pusher = pusher.clone();
        Box::pin(async move {
            let mut listed = next.of_user(&email, now).await?;
            listed.sort_by_key(|connection| connection.connected_at);
            let before = listed.partition_point(|connection| connection.connected_at <= now);
            let beyond = before.saturating_sub(CONNECTIONS_MAX);
            let closed = listed.drain(..beyond);
            join_all(closed.map(async |old| pusher.close(&old.id).await)).await;
            Ok(ConnectionStoreReply::OfUser(listed))
        })
    })
}

/// The real functions over a verifier with a bug.
fn over_verifier<F>(shared: &SharedEnvironment, bug: F) -> Box<dyn Server>
where
    F: for<'a> Fn(
        IdentityVerifierCall<'a>,
        &'a Arc<dyn IdentityVerifier>,
    ) -> Outcome<'a, dyn IdentityVerifier>,
    F: Send + Sync + 'static,
{
    let mut ports = shared.ports();
    ports.verifier = Arc::new(DecoratedIdentityVerifier::new(ports.verifier, bug));
    Box::new(over(shared, &ports))
}

/// A token that cannot be verified is believed what it says of itself.
pub(super) fn fails_open(shared: &SharedEnvironment) -> Box<dyn Server> {
    let environment = shared.clone();
    over_verifier(shared, move |IdentityVerifierCall::Verify { token, now }, next| {
        let shared = environment.clone();
        Box::pin(async move {
            let verified = match next.verify(&token, now).await {
                Err(VerifyError::Unavailable { .. } | VerifyError::Rejected { .. }) => {
                    claimed(&shared, token.expose()).ok_or(VerifyError::Expired)
                }
                verified => verified,
            };
            verified.map(IdentityVerifierReply::Verify)
        })
    })
}

/// A token of another pool is believed what it says of itself.
pub(super) fn any_pool(shared: &SharedEnvironment) -> Box<dyn Server> {
    let environment = shared.clone();
    over_verifier(shared, move |IdentityVerifierCall::Verify { token, now }, next| {
        let shared = environment.clone();
        Box::pin(async move {
            let verified = next.verify(&token, now).await;
            let is_foreign = issued(&shared, token.expose()).is_some_and(|token| token.is_foreign);
            let verified = match claimed(&shared, token.expose()) {
                Some(identity) if is_foreign => Ok(identity),
                _ => verified,
            };
            verified.map(IdentityVerifierReply::Verify)
        })
    })
}

/// The token that is written so, whoever issued it.
fn issued(shared: &SharedEnvironment, token: &str) -> Option<Token> {
    let number = token.rsplit('-').next()?.parse().ok()?;
    shared.environment().identities().token(TokenId::new(number)).cloned()
}

/// What a token says of itself.
fn claimed(shared: &SharedEnvironment, token: &str) -> Option<VerifiedIdentity> {
    let claimed = issued(shared, token)?;
    let environment = shared.environment();
    let email = environment.directory().email(claimed.user).clone();
    let user = UserId::new(format!("sub-{}", claimed.user));
    Some(VerifiedIdentity::vouched(email, user, claimed.expires_at))
}

/// An identity is remembered for ever.
pub(super) fn cached_identity(shared: &SharedEnvironment) -> Box<dyn Server> {
    let cache: Arc<Mutex<HashMap<String, VerifiedIdentity>>> = Arc::default();
    over_verifier(shared, move |IdentityVerifierCall::Verify { token, now }, next| {
        let cached = cache.lock().unwrap_or_else(PoisonError::into_inner).get(token.expose()).cloned();
        if let Some(identity) = cached {
            return answer(Ok(IdentityVerifierReply::Verify(identity)));
        }
        let cache = cache.clone();
        Box::pin(async move {
            let identity = next.verify(&token, now).await?;
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.insert(token.expose().to_owned(), identity.clone());
            Ok(IdentityVerifierReply::Verify(identity))
        })
    })
}

/// A cursor is taken for the caller's own, whoever it was given to.
pub(super) fn cursor_trusted(shared: &SharedEnvironment) -> Box<dyn Server> {
    Box::new(Trusting { real: over(shared, &shared.ports()), shared: shared.clone() })
}

struct Trusting {
    real: Real,
    shared: SharedEnvironment,
}

impl Server for Trusting {
    fn handle(&self, mut event: GatewayEvent) -> Running {
        if let GatewayEvent::Rest(request) = &mut event
            && let Some(cursor) = request.multi_value_query_string_parameters.first("cursor")
            && let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(cursor)
            && let Ok(text) = String::from_utf8(bytes)
        {
            let token =
                request.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let number = token.and_then(|token| token.rsplit('-').next()?.parse().ok()).map(TokenId::new);
            let environment = self.shared.environment();
            let caller =
                number.and_then(|number| environment.identities().token(number)).map(|token| token.user);
            let place = text.rsplit('.').next().and_then(|place| place.parse().ok());
            if let (Some(caller), Some(place)) = (caller, place) {
                let own = chat_wire::cursor::encode(place, environment.directory().email(caller));
                let lists = HashMap::from([("cursor".to_owned(), vec![own])]);
                request.multi_value_query_string_parameters = lists.into();
            }
        }
        self.real.handle(event)
    }
}

/// Connections of other regions are looked for in the process's own.
pub(super) fn pushes_within_region(shared: &SharedEnvironment) -> Box<dyn Server> {
    shared.environment().bug_state().pushes_within_region = true;
    Real::build(shared)
}
