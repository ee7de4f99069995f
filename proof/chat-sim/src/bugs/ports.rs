//! The real functions over ports that are wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_domain::{
    AccessToken, Activity, Advance, Append, CONNECTIONS_MAX, Connect, Connection, ConnectionId,
    ConnectionStore, ConnectionStoreError, Consistency, Content, Email, IdentityVerifier, Member,
    MessageStore, MessageStoreError, Page, PageLimit, PageQuery, PageRange, PerMember, Pusher, ReadMark,
    Room, RoomId, RoomsPage, Timestamp, UserId, VerifiedIdentity, VerifyError,
};
use futures_util::future::join_all;

use crate::ports::Shared;
use crate::server::{GatewayEvent, Real, Running, Server};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortBug {
    IncrementedUnread,
    EventualSync,
    CutIsTheEnd,
    CachedIdentity,
    CursorTrusted,
    FailsOpen,
    ContentAltered,
    PreviewOfTheOneBefore,
    RowByRow,
    FailedReadIsNoRow,
    NoLimitOfConnections,
    NewestIsClosed,
    LaterOnesCount,
    AllIsClosedAtOnce,
    RowReadTwice,
}

/// The real functions over ports with a bug.
pub(super) fn build(shared: &Shared, bug: PortBug) -> Box<dyn Server> {
    let mut ports = shared.ports();
    match bug {
        PortBug::IncrementedUnread
        | PortBug::EventualSync
        | PortBug::CutIsTheEnd
        | PortBug::ContentAltered
        | PortBug::PreviewOfTheOneBefore
        | PortBug::RowByRow => {
            ports.messages = Arc::new(Messages { inner: ports.messages, bug, shared: shared.clone() });
        }
        PortBug::CachedIdentity | PortBug::FailsOpen => {
            let shared = shared.clone();
            ports.verifier =
                Arc::new(Verifier { inner: ports.verifier, bug, shared, cache: Mutex::default() });
        }
        PortBug::FailedReadIsNoRow | PortBug::RowReadTwice => {
            let (inner, pusher) = (ports.connections, ports.pusher.clone());
            ports.connections = Arc::new(Connections { inner, pusher, bug });
        }
        PortBug::NoLimitOfConnections
        | PortBug::NewestIsClosed
        | PortBug::LaterOnesCount
        | PortBug::AllIsClosedAtOnce => {
            let (inner, pusher) = (ports.connections.clone(), ports.pusher.clone());
            let connections = Arc::new(Connections { inner, pusher, bug });
            let connect = Connect::new(ports.verifier.clone(), connections, ports.pusher.clone());
            return Box::new(super::over(&ports).connecting_by(connect));
        }
        PortBug::CursorTrusted => {
            return Box::new(Trusting { real: super::over(&ports), shared: shared.clone() });
        }
    }
    Box::new(super::over(&ports))
}

struct Messages {
    inner: Arc<dyn MessageStore>,
    bug: PortBug,
    shared: Shared,
}

impl Messages {
    fn counted(&self, room: &Room) -> Room {
        let unread = self.shared.world().counted.get(room.id()).copied();
        let (Some(log), Some(unread)) = (room.log(), unread) else { return room.clone() };
        let mut reads = PerMember { a: room.read_state(Member::A), b: room.read_state(Member::B) };
        for member in [Member::A, Member::B] {
            let count = log.sent[member.peer()].saturating_sub(unread[member]);
            let up_to = reads[member].mark.map_or(log.last_at, |mark| mark.up_to);
            reads[member].mark = Some(ReadMark { up_to, count });
        }
        Room::restore(room.id().clone(), log.clone(), reads).unwrap_or_else(|_| room.clone())
    }
}

impl Messages {
    async fn row_by_row(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        let mut rows = Page { messages: Vec::new(), has_more: true };
        let mut next = PageQuery { limit: PageLimit::ONE, ..query };
        while rows.has_more && rows.messages.len() < query.limit.get() {
            let page = self.inner.page(room, next, consistency).await?;
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

    fn altered(&self, append: &Append) -> Append {
        let mut append = append.clone();
        match (self.bug, &mut append.message.content) {
            (PortBug::ContentAltered, Content::MatchProposal(proposal)) => {
                std::mem::swap(&mut proposal.team_name, &mut proposal.opponent_team_name);
            }
            (PortBug::PreviewOfTheOneBefore, _) => {
                let before = self.shared.world().store.room(&append.message.room, 0);
                if let Some(log) = before.as_ref().and_then(|room| room.log()) {
                    append.log.preview = log.preview.clone();
                }
            }
            _ => {}
        }
        append
    }
}

#[async_trait]
impl MessageStore for Messages {
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError> {
        self.inner.room(id, consistency).await
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let outcome = self.inner.commit(&self.altered(append)).await;
        if self.bug == PortBug::IncrementedUnread
            && matches!(outcome, Ok(()) | Err(MessageStoreError::Unavailable { .. }))
        {
            let mut world = self.shared.world();
            let receiver = append.message.sender.peer();
            world.counted.entry(append.message.room.clone()).or_default()[receiver] += 1;
        }
        outcome
    }

    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        let consistency = if self.bug == PortBug::EventualSync { Consistency::Eventual } else { consistency };
        if self.bug == PortBug::RowByRow {
            return self.row_by_row(room, query, consistency).await;
        }
        let mut page = self.inner.page(room, query, consistency).await?;
        if self.bug == PortBug::CutIsTheEnd && page.messages.len() < query.limit.get() {
            page.has_more = false;
        }
        Ok(page)
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let mut page = self.inner.rooms_of(member, after).await?;
        if self.bug == PortBug::IncrementedUnread {
            page.rooms = page.rooms.iter().map(|room| self.counted(room)).collect();
        }
        Ok(page)
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let advance = self.inner.advance_read(room, reader, mark).await?;
        if let Some(counts) = self.shared.world().counted.get_mut(room) {
            counts[reader] = 0;
        }
        Ok(advance)
    }

    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        self.inner.mark_rows_read(room, reader, rows, through).await
    }
}

struct Connections {
    inner: Arc<dyn ConnectionStore>,
    pusher: Arc<dyn Pusher>,
    bug: PortBug,
}

#[async_trait]
impl ConnectionStore for Connections {
    async fn put(&self, connection: &Connection) -> Result<(), ConnectionStoreError> {
        self.inner.put(connection).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, ConnectionStoreError> {
        if self.bug == PortBug::RowReadTwice {
            self.inner.get(id).await?;
        }
        match self.inner.get(id).await {
            Err(_) if self.bug == PortBug::FailedReadIsNoRow => Ok(None),
            found => found,
        }
    }

    async fn of_user(&self, email: &Email, now: Timestamp) -> Result<Vec<Connection>, ConnectionStoreError> {
        let mut listed = self.inner.of_user(email, now).await?;
        match self.bug {
            PortBug::NoLimitOfConnections => listed.clear(),
            PortBug::NewestIsClosed => {
                for connection in &mut listed {
                    // What connected last seems to be the oldest.
                    let age = now.since(connection.connected_at);
                    connection.connected_at = Timestamp::UNIX_EPOCH.after(age);
                }
            }
            PortBug::LaterOnesCount => {
                // The later they are, the younger they stay.
                listed.sort_by_key(|connection| connection.connected_at);
                for connection in &mut listed {
                    connection.connected_at = connection.connected_at.min(now);
                }
            }
            PortBug::AllIsClosedAtOnce => {
                listed.sort_by_key(|connection| connection.connected_at);
                let before = listed.partition_point(|connection| connection.connected_at <= now);
                let beyond = before.saturating_sub(CONNECTIONS_MAX);
                let closed = listed.drain(..beyond);
                join_all(closed.map(async |old| self.pusher.close(&old.id).await)).await;
            }
            _ => {}
        }
        Ok(listed)
    }

    async fn set_identity_expiry(
        &self,
        id: &ConnectionId,
        expires_at: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        self.inner.set_identity_expiry(id, expires_at).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), ConnectionStoreError> {
        self.inner.delete(id).await
    }

    async fn delete_if_connected_before(
        &self,
        id: &ConnectionId,
        instant: Timestamp,
    ) -> Result<bool, ConnectionStoreError> {
        self.inner.delete_if_connected_before(id, instant).await
    }
}

struct Verifier {
    inner: Arc<dyn IdentityVerifier>,
    bug: PortBug,
    shared: Shared,
    cache: Mutex<HashMap<String, VerifiedIdentity>>,
}

#[async_trait]
impl IdentityVerifier for Verifier {
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError> {
        if self.bug == PortBug::FailsOpen {
            return match self.inner.verify(token, now).await {
                Err(VerifyError::Unavailable { .. } | VerifyError::Rejected { .. }) => {
                    // It believes what the token says of itself.
                    let number = token.expose().rsplit('-').next().and_then(|number| number.parse().ok());
                    let world = self.shared.world();
                    let claimed = number.and_then(|number: usize| world.tokens.get(number));
                    claimed.map_or(Err(VerifyError::Expired), |claimed| {
                        let email = world.users[claimed.user].clone();
                        let user = UserId::new(format!("sub-{}", claimed.user));
                        Ok(VerifiedIdentity::vouched(email, user, claimed.expires_at))
                    })
                }
                verified => verified,
            };
        }
        let cached = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(token.expose()).cloned();
        if let Some(identity) = cached {
            return Ok(identity);
        }
        let identity = self.inner.verify(token, now).await?;
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(token.expose().to_owned(), identity.clone());
        Ok(identity)
    }
}

/// Takes any cursor for the caller's own.
struct Trusting {
    real: Real,
    shared: Shared,
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
            let number = token.and_then(|token| token.rsplit('-').next()?.parse::<usize>().ok());
            let world = self.shared.world();
            let caller = number.and_then(|number| world.tokens.get(number)).map(|token| token.user);
            let place = text.rsplit('.').next().and_then(|place| place.parse().ok());
            if let (Some(caller), Some(place)) = (caller, place) {
                let own = chat_wire::cursor::encode(place, &world.users[caller]);
                let lists = HashMap::from([("cursor".to_owned(), vec![own])]);
                request.multi_value_query_string_parameters = lists.into();
            }
        }
        self.real.handle(event)
    }
}
