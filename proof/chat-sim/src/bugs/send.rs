//! A handler that sends, and is wrong in many ways; with [`SendBug::None`] it is right.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_domain::{
    Append, AppendRefused, CONNECTION_SETTLED_AFTER, CONNECTIONS_MAX, Changed, ClientMessageId, Connection,
    ConnectionId, Consistency, Content, Correlation, Draft, Email, Event, Member, Message, MessageStoreError,
    PUSHES_MAX, PageLimit, PageQuery, PageRange, PerMember, PushError, Recall, Room, RoomId, SendPolicy,
    Timestamp,
};
use chat_wire::Ports;
use chat_wire::error::ErrorCode;
use chat_wire::frames::{ErrorBody, SendMessageFrame, SentFrame, ServerFrame};
use chat_wire::table::ClientFrame;
use futures_util::future::{join_all, join3};
use serde_json::Value;

use super::base::real;
use crate::call::Call;
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Running, Server};

/// What the planted handler of messages does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendBug {
    None,
    Naive,
    NoIdSearch,
    SearchBeforeHead,
    RingNeverFallsBack,
    OwnClock,
    SenderFromBody,
    PushBeforeStore,
    AckBeforeCommit,
    UnknownIsRefused,
    RefusedOnStaleHead,
    OldHeadRetried,
    AckOfNow,
    ContentNotCompared,
    DeleteOnAny410,
    DeleteSenderOn410,
    OwnDevicesForgotten,
    ExpiryUnchecked,
    RememberedForEver,
    AnsweredTwice,
    PushedToAll,
    RetriedOnAndOn,
    PushedToEverySocket,
    PushesCountedPerMember,
}

/// The real functions, but that `sendMessage` is handled here.
pub(super) struct SendServer {
    real: Box<dyn Server>,
    send: Arc<Send>,
}

impl SendServer {
    pub(super) fn build(shared: &SharedEnvironment, bug: SendBug) -> Box<dyn Server> {
        let send = Send { shared: shared.clone(), ports: shared.ports(), memory: Mutex::default(), bug };
        Box::new(Self { real: real(shared), send: Arc::new(send) })
    }
}

impl Server for SendServer {
    fn counts_requests(&self) -> bool {
        false
    }

    fn handle(&self, event: GatewayEvent) -> Running {
        if let GatewayEvent::Frame(frame) = &event {
            let body = frame.body.clone().unwrap_or_default();
            if let Ok(ClientFrame::SendMessage(parsed)) = serde_json::from_str::<ClientFrame>(&body) {
                let context = &frame.request_context;
                let connection = ConnectionId::new(context.connection_id.clone().unwrap_or_default());
                let request_id = context.request_id.clone().unwrap_or_default();
                let message_id = context.message_id.clone().unwrap_or_default();
                let now =
                    Timestamp::from_unix_ms(context.request_time_epoch).unwrap_or(Timestamp::UNIX_EPOCH);
                let send = Arc::clone(&self.send);
                return Box::pin(async move {
                    let asked = Asked { connection, request_id, message_id, now, body };
                    send.answer(&asked, parsed).await
                });
            }
        }
        self.real.handle(event)
    }
}

/// What was asked, and how.
struct Asked {
    connection: ConnectionId,
    request_id: String,
    message_id: String,
    now: Timestamp,
    body: String,
}

struct Send {
    shared: SharedEnvironment,
    ports: Ports,
    memory: Mutex<HashMap<ConnectionId, Connection>>,
    bug: SendBug,
}

enum Refused {
    With(ErrorCode),
    /// The connection is unknown, and has been told so.
    Unknown,
}

impl From<MessageStoreError> for Refused {
    fn from(_: MessageStoreError) -> Self {
        Self::With(ErrorCode::Unavailable)
    }
}

/// Where a message is, and whether it was there before.
type Place = (Timestamp, u64, bool);

const RETRIES_MAX: u32 = 9;
/// How long is waited before a message is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// A message on its way into its room.
struct Sending<'a> {
    asked: &'a Asked,
    origin: &'a Connection,
    draft: Draft,
    after: Option<Timestamp>,
    /// What was found before the head was read, by the bug that looks then.
    early: Option<Message>,
    audience: Vec<Connection>,
}

/// What is to be done with a message.
enum Decided {
    /// It is there already.
    There(Place),
    New(Box<Append>),
}

impl Send {
    async fn answer(&self, asked: &Asked, frame: SendMessageFrame) -> ApiGatewayProxyResponse {
        let named = frame.client_message_id.as_ref().and_then(|id| id.parse::<ClientMessageId>().ok());
        let mut response = ApiGatewayProxyResponse::default();
        response.status_code = 200;
        let frame = match self.send(asked, frame, named).await {
            Ok((sent, id, room)) => {
                let (at, seq, duplicate) = sent;
                ServerFrame::Sent(SentFrame {
                    client_message_id: id.to_string(),
                    room_id: room.to_string(),
                    timestamp: at.to_string(),
                    seq,
                    duplicate,
                })
            }
            Err(Refused::Unknown) => return response,
            Err(Refused::With(code)) => {
                let hasty = self.bug == SendBug::UnknownIsRefused && code == ErrorCode::Unavailable;
                ServerFrame::Error(ErrorBody {
                    code,
                    message: String::new(),
                    retryable: code.retryable() && !hasty,
                    request_id: asked.request_id.clone(),
                    client_message_id: named.map(|id| id.to_string()),
                })
            }
        };
        response.body = Some(Body::Text(frame.to_json()));
        response
    }

    async fn send(
        &self,
        asked: &Asked,
        frame: SendMessageFrame,
        named: Option<ClientMessageId>,
    ) -> Result<(Place, ClientMessageId, RoomId), Refused> {
        let connection = self.identify(asked).await?;
        let receiver: Email =
            frame.receiver_email.parse().map_err(|_| Refused::With(ErrorCode::InvalidEmail))?;
        let mut sender = connection.identity.email().clone();
        if self.bug == SendBug::SenderFromBody {
            let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
            let claimed =
                body.get("senderEmail").and_then(Value::as_str).and_then(|email| email.parse().ok());
            sender = claimed.unwrap_or(sender);
            if sender == receiver {
                let me = connection.identity.email();
                return self.store(asked, &sender, me, frame, named, &connection).await;
            }
        }
        self.store(asked, &sender, &receiver, frame, named, &connection).await
    }

    async fn identify(&self, asked: &Asked) -> Result<Connection, Refused> {
        let remembered = {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.get(&asked.connection).cloned()
        };
        let forever = self.bug == SendBug::RememberedForEver;
        let connection = match remembered.filter(|known| forever && !known.identity.is_expired(asked.now)) {
            Some(connection) => connection,
            None => {
                let stored = self.ports.connections.get(&asked.connection).await;
                let stored = stored.map_err(|_| Refused::With(ErrorCode::Unavailable))?;
                let Some(connection) = stored.filter(|connection| connection.may_be_open(asked.now)) else {
                    let correlation = Correlation { request_id: asked.request_id.clone(), message: None };
                    let push = Event::UnknownConnection(correlation).into();
                    let _ = self.ports.pusher.push(&asked.connection, &push).await;
                    let _ = self.ports.pusher.close(&asked.connection).await;
                    return Err(Refused::Unknown);
                };
                let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.insert(asked.connection.clone(), connection.clone());
                connection
            }
        };
        if connection.identity.is_expired(asked.now) && self.bug != SendBug::ExpiryUnchecked {
            return Err(Refused::With(ErrorCode::AuthExpired));
        }
        Ok(connection)
    }

    async fn store(
        &self,
        asked: &Asked,
        sender: &Email,
        receiver: &Email,
        frame: SendMessageFrame,
        named: Option<ClientMessageId>,
        connection: &Connection,
    ) -> Result<(Place, ClientMessageId, RoomId), Refused> {
        let id = named.unwrap_or_else(|| plain_id(&asked.message_id));
        let room = RoomId::new(sender, receiver).map_err(|_| Refused::With(ErrorCode::SelfChat))?;
        let member = room.member(sender).ok_or(Refused::With(ErrorCode::SelfChat))?;
        let after = frame.after.as_ref().and_then(|after| after.parse().ok());
        let reply_to = frame.reply_to.as_ref().and_then(|at| at.parse().ok());
        let content = content(frame)?;
        let draft = Draft { id, sender: member, content, reply_to };
        if self.bug == SendBug::Naive {
            let message = self.naive(&room, &draft, asked.now).await?;
            return Ok(((message.at, message.seq, false), id, room));
        }
        let early = if self.bug == SendBug::SearchBeforeHead {
            self.search(&room, &draft, after).await?
        } else {
            None
        };
        let (head, audience) = self.head_and_audience(asked, sender, receiver, &room).await?;
        let sending = Sending { asked, origin: connection, draft, after, early, audience };
        let place = self.until_stored(&sending, head.unwrap_or_else(|| Room::empty(room.clone()))).await?;
        Ok((place, id, room))
    }

    async fn head_and_audience(
        &self,
        asked: &Asked,
        sender: &Email,
        receiver: &Email,
        room: &RoomId,
    ) -> Result<(Option<Room>, Vec<Connection>), Refused> {
        let connections = &self.ports.connections;
        let (head, own, theirs) = join3(
            self.ports.messages.room(room, Consistency::Eventual),
            connections.of_user(sender, asked.now),
            connections.of_user(receiver, asked.now),
        )
        .await;
        let head = head?;
        let placed = |listed: Vec<Connection>| {
            if self.bug == SendBug::PushedToEverySocket { listed } else { with_a_place(listed, asked.now) }
        };
        let mut own = placed(own.unwrap_or_default());
        own.retain(|other| self.bug != SendBug::OwnDevicesForgotten && other.id != asked.connection);
        let mut audience = newest_of_each(placed(theirs.unwrap_or_default()), own);
        if ![SendBug::PushedToEverySocket, SendBug::PushesCountedPerMember].contains(&self.bug) {
            audience.truncate(PUSHES_MAX);
        }
        if self.bug == SendBug::PushedToAll {
            let environment = self.shared.environment();
            for email in environment.directory().everybody().map(|user| environment.directory().email(user)) {
                audience.extend(environment.tables().listed(email, environment.now_ms(), asked.now));
            }
        }
        audience.retain(|other| other.id != asked.connection && !other.identity.is_expired(asked.now));
        Ok((head, audience))
    }

    /// Tries to store a message until it is stored, was stored before, or is refused.
    async fn until_stored(&self, sending: &Sending<'_>, mut head: Room) -> Result<Place, Refused> {
        let (mut is_first, mut retries) = (true, 0);
        loop {
            match self.decide(sending, &head, is_first).await {
                Ok(Decided::There(place)) => return Ok(place),
                Ok(Decided::New(append)) => {
                    if self.bug == SendBug::PushBeforeStore {
                        self.push(sending, append.message()).await;
                    }
                    if self.is_stored(&append, retries).await? {
                        if self.bug != SendBug::PushBeforeStore {
                            self.push(sending, append.message()).await;
                        }
                        return Ok((append.message().at, append.message().seq, false));
                    }
                    retries += 1;
                    self.ports.backoff.wait(RETRY_AFTER).await;
                }
                Err(refused) if !is_first || self.bug == SendBug::RefusedOnStaleHead => return Err(refused),
                Err(_) => {}
            }
            is_first = false;
            let room = head.id().clone();
            let read = self.ports.messages.room(&room, Consistency::Strong).await?;
            head = read.unwrap_or_else(|| Room::empty(room));
        }
    }

    /// What a head says of a message: that it is there already, or what is to be stored.
    async fn decide(&self, sending: &Sending<'_>, head: &Room, is_first: bool) -> Result<Decided, Refused> {
        let Sending { asked, draft, after, early, .. } = sending;
        let earlier = match early {
            Some(message) => Some(message.clone()),
            None if self.bug == SendBug::SearchBeforeHead => None,
            None if self.bug == SendBug::OldHeadRetried && !is_first => None,
            None => self.earlier(head, draft, *after).await?,
        };
        let Some(message) = earlier else {
            self.check_reply(head, draft).await?;
            return self.append(head, draft, asked.now).map(Box::new).map(Decided::New);
        };
        // What a message said is not known any more once that has changed.
        let has_changed = message.content == Content::Deleted || message.changed.edited_at.is_some();
        let is_same = has_changed || message.content == draft.content;
        if !is_same && self.bug != SendBug::ContentNotCompared {
            return Err(Refused::With(ErrorCode::IdReused));
        }
        let newest = head.log().map_or(message.at, |log| log.last_at());
        let at = if self.bug == SendBug::AckOfNow { newest } else { message.at };
        Ok(Decided::There((at, message.seq, true)))
    }

    /// What a message replies to is there, and is a message.
    async fn check_reply(&self, head: &Room, draft: &Draft) -> Result<(), Refused> {
        let Some(at) = draft.reply_to else { return Ok(()) };
        let found = self.ports.messages.messages_at(head.id(), &[at], Consistency::Strong).await?;
        let is_message = |message: &Message| !matches!(message.content, Content::Change(_));
        if found.first().is_some_and(is_message) { Ok(()) } else { Err(Refused::With(ErrorCode::NotFound)) }
    }

    /// Whether a message is stored now. If not, it is tried again, unless it has been tried often enough.
    async fn is_stored(&self, append: &Append, retries: u32) -> Result<bool, Refused> {
        match self.commit(append).await {
            Ok(()) => Ok(true),
            Err(MessageStoreError::Unavailable { .. }) if self.bug == SendBug::AckBeforeCommit => Ok(true),
            Err(error)
                if (retries == RETRIES_MAX && self.bug != SendBug::RetriedOnAndOn)
                    || self.bug == SendBug::UnknownIsRefused =>
            {
                Err(error.into())
            }
            Err(_) => Ok(false),
        }
    }

    /// A message that was stored before, if there is one.
    async fn earlier(
        &self,
        head: &Room,
        draft: &Draft,
        after: Option<Timestamp>,
    ) -> Result<Option<Message>, Refused> {
        if self.bug == SendBug::NoIdSearch {
            return Ok(None);
        }
        match head.recall(draft.sender, draft.id, after) {
            Recall::Absent => Ok(None),
            Recall::AheadOfRoom => Err(Refused::With(ErrorCode::BadRequest)),
            Recall::SentAt(at) => {
                let query = PageQuery { range: PageRange::After(at.previous()), limit: PageLimit::ONE };
                let page = self.ports.messages.page(head.id(), query, Consistency::Strong).await?;
                Ok(page.messages.into_iter().next())
            }
            Recall::Search(_) if self.bug == SendBug::RingNeverFallsBack => Ok(None),
            Recall::Search(after) => self.search(head.id(), draft, after).await,
        }
    }

    async fn search(
        &self,
        room: &RoomId,
        draft: &Draft,
        after: Option<Timestamp>,
    ) -> Result<Option<Message>, Refused> {
        let range = after.map_or(PageRange::Newest, PageRange::After);
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = self.ports.messages.page(room, query, Consistency::Strong).await?;
        let has_more = page.has_more && after.is_some();
        let found = page.messages.into_iter().find(|row| row.id == draft.id && row.sender == draft.sender);
        if found.is_none() && has_more {
            return Err(Refused::With(ErrorCode::ResyncNeeded));
        }
        Ok(found)
    }

    fn append(&self, head: &Room, draft: &Draft, now: Timestamp) -> Result<Append, Refused> {
        let first_contact = self.shared.environment().settings().first_contact;
        let policy = SendPolicy { first_contact, ..SendPolicy::default() };
        let answers = matches!(draft.content, Content::MatchProposalAnswer(_));
        if self.bug == SendBug::AnsweredTwice && answers {
            let words = Content::Text("?".parse().expect("it is short"));
            let mut append = head
                .append(&Draft { content: words, ..draft.clone() }, now, policy)
                .map_err(|_| Refused::With(ErrorCode::RateLimited))?;
            append.log.newest.content = draft.content.clone();
            return Ok(append);
        }
        head.append(draft, now, policy).map(|append| self.at_own_clock(head, append, now)).map_err(
            |refused| match refused {
                AppendRefused::RateLimited { .. } => Refused::With(ErrorCode::RateLimited),
                AppendRefused::NotAccepted => Refused::With(ErrorCode::NotAccepted),
                _ => Refused::With(ErrorCode::ProposalState),
            },
        )
    }

    fn at_own_clock(&self, head: &Room, mut append: Append, now: Timestamp) -> Append {
        if self.bug != SendBug::OwnClock {
            return append;
        }
        append.log.newest.at = now;
        let mut log = append.log.clone();
        if let Some(last) = log.recent.last_mut() {
            last.at = now;
        }
        let reads = PerMember { a: head.read_state(Member::A), b: head.read_state(Member::B) };
        if Room::restore(head.id().clone(), log.clone(), reads).is_ok() {
            append.log = log;
        }
        append
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let in_order = append.log.recent.last().is_some_and(|recent| recent.at == append.log.last_at());
        if !in_order {
            let _ = self.shared.call(Call::PutRow(Box::new(append.message().clone()))).await;
            return Ok(());
        }
        self.ports.messages.commit(append).await
    }

    /// A put at the handler's time, and nothing else.
    async fn naive(&self, room: &RoomId, draft: &Draft, now: Timestamp) -> Result<Message, Refused> {
        let query = PageQuery { range: PageRange::Newest, limit: PageLimit::MAX };
        let page = self.ports.messages.page(room, query, Consistency::Strong).await?;
        let newest = page.messages.first();
        let message = Message {
            room: room.clone(),
            at: now,
            seq: newest.map_or(0, |newest| newest.seq) + 1,
            sender: draft.sender,
            sender_seq: newest.map_or(0, |newest| newest.sent_by(draft.sender)) + 1,
            changes: newest.map_or(0, |newest| newest.changes),
            id: draft.id,
            content: draft.content.clone(),
            reply_to: draft.reply_to,
            changed: Changed::default(),
        };
        let _ = self.shared.call(Call::PutRow(Box::new(message.clone()))).await;
        Ok(message)
    }

    async fn push(&self, sending: &Sending<'_>, message: &Message) {
        let Sending { asked, origin, audience, .. } = sending;
        let push = Event::Message(message.clone()).into();
        let settled_before = asked.now.before(CONNECTION_SETTLED_AFTER);
        join_all(audience.iter().map(async |connection| {
            let outcome = self.ports.pusher.push(&connection.id, &push).await;
            if !matches!(outcome, Err(PushError::Gone)) {
                return;
            }
            let connections = &self.ports.connections;
            let _ = match self.bug {
                SendBug::DeleteOnAny410 => {
                    connections.delete_if_connected_before(&connection.id, Timestamp::MAX).await
                }
                SendBug::DeleteSenderOn410 => {
                    connections.delete_if_connected_before(&origin.id, settled_before).await
                }
                _ if connection.is_settled(asked.now) => {
                    connections.delete_if_connected_before(&connection.id, settled_before).await
                }
                _ => return,
            };
        }))
        .await;
    }
}

/// The newest connections of a user, as many as have a place. What is dated ahead comes last.
fn with_a_place(mut listed: Vec<Connection>, now: Timestamp) -> Vec<Connection> {
    listed.sort_by_key(|one| (one.connected_at > now, Reverse(one.connected_at)));
    listed.truncate(CONNECTIONS_MAX);
    listed
}

/// The newest of each, the second newest of each, and so on.
fn newest_of_each(theirs: Vec<Connection>, own: Vec<Connection>) -> Vec<Connection> {
    let (mut theirs, mut own) = (theirs.into_iter(), own.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(theirs.next().into_iter().chain(own.next()));
        if all.len() == before {
            return all;
        }
    }
}

fn content(frame: SendMessageFrame) -> Result<Content, Refused> {
    let bad = || Refused::With(ErrorCode::BadRequest);
    match (frame.message, frame.proposal, frame.proposal_answer) {
        (Some(text), ..) => Ok(Content::Text(text.parse().map_err(|_| bad())?)),
        (_, Some(proposal), _) => Ok(Content::MatchProposal(proposal.try_into().map_err(|_| bad())?)),
        (.., Some(answer)) => Ok(Content::MatchProposalAnswer(answer.try_into().map_err(|_| bad())?)),
        _ => Err(bad()),
    }
}

/// The name of a message that has none: the same for the same frame.
fn plain_id(message_id: &str) -> ClientMessageId {
    let number = message_id.rsplit('-').next().and_then(|number| number.parse::<u64>().ok());
    ClientMessageId::from_u128(0x9_0000_0000 + u128::from(number.unwrap_or_default()))
}
