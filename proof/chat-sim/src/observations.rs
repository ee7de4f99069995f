//! What is observed of a schedule while it runs. The checkers know nothing else: whatever stands behind the
//! ports, it reports what it has stored, and whoever stands in front of the handlers reports what was asked
//! and what was answered.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chat_domain::{
    Change, ChangeAction, ClientMessageId, Connection, ConnectionId, ConsentChange, Content, Effect, Event,
    Member, Message, PageRange, ProposalAnswer, ReadMark, Report, Room, RoomId, Timestamp, User as UserRow,
    Verdict,
};
use chat_wire::frames::{
    ChangedFrame, ConsentChangedFrame, ErrorBody, ReadFrame, ReportedFrame, SentFrame, ServerFrame,
};
use chat_wire::message::{MessageBody, ProposalBody};
use chat_wire::rest::{ConversationsBody, HistoryBody, RequestName};

use crate::call::Call;
use crate::ids::{DeviceId, IntentId, ProcessId, SocketId, TaskId, TokenId, User};

/// Something that was observed.
#[derive(Debug)]
pub(crate) enum Observation<'a> {
    /// Somebody wrote something that is to be sent.
    Written(&'a Written),
    /// Whoever wrote it has lost it.
    Forgotten(IntentId),
    /// A client found what it wrote among the messages of its room, which is as good as an acknowledgement.
    Found { intent: IntentId, at: Timestamp, seq: u64 },
    /// Somebody asked to mark a room as read.
    MarkWanted { user: User, peer: User, up_to: Timestamp },
    /// A device opens a socket.
    SocketMade { user: User, id: &'a ConnectionId, connected_at: Timestamp },
    /// A token that counts was presented on a socket, whose login counts until then at least.
    LoginCounts { socket: SocketId, until: Timestamp },
    /// An event is on its way to a process.
    Invoked(TaskFacts),
    /// The event has reached the process, which had so many others in its place before, and is handled.
    Begun { task: TaskId, life: u32 },
    /// A handler calls a port, and the call has its turn.
    Called { task: TaskId, call: &'a Call },
    /// A handler pushes something to a socket that there is.
    Pushed { task: TaskId, to: SocketId, event: &'a Event },
    /// A handler is told what came of a call.
    Told { task: TaskId, what: Told },
    /// A message was stored.
    Stored(Stored<'a>),
    /// A read mark moved, or was set.
    MarkSet { room: &'a RoomId, reader: Member, mark: ReadMark, head: Option<&'a Arc<Room>> },
    /// The row of a message was written, or deleted, by itself.
    Row { room: &'a RoomId, at: Timestamp, row: Option<&'a Message> },
    /// What a member has decided about the other one was stored.
    ConsentSet { room: &'a RoomId, member: Member, head: &'a Arc<Room> },
    /// A report was stored.
    Reported(&'a Report),
    /// The row of a user was written.
    UserRow { user: User, row: &'a UserRow },
    /// Whoever suspended a user has the receipt for it.
    Suspended { user: User },
    /// A handler was killed.
    Killed { task: TaskId },
    /// The row of a socket's connection was stored, or deleted.
    ConnectionRow { socket: SocketId, row: Option<&'a Arc<Connection>> },
    /// What is stored cannot be read.
    Corrupt { error: &'a str },
    /// A handler has answered.
    Answered { task: TaskId, answer: Answer<'a> },
    /// A message that was pushed reaches a device.
    Shown { user: User, device: DeviceId, message: &'a MessageBody },
    /// A change that was pushed reaches a device.
    ChangeShown { frame: &'a ChangedFrame },
    /// Everything that is said in the items of the tables, reports apart, once nobody writes any more.
    Left { texts: &'a HashSet<&'a str> },
    /// Everything has come to rest, and this is what the clients know.
    Settled { when: &'a str, clients: &'a [ClientView<'a>] },
    /// Everything has come to rest after everybody wrote once more; `since` is the first of what they wrote.
    FinalMessagesSettled { since: IntentId, clients: &'a [ClientView<'a>] },
    /// Everything has come to rest after every client has listed its conversations.
    ListsSettled { clients: &'a [ClientView<'a>] },
    /// Everything has come to rest, and these sockets are open at the gateway.
    ConnectionsSettled { open: &'a [OpenSocket] },
    /// The schedule has ended.
    Ended,
    /// The schedule does not come to rest.
    NotSettled { waiting: &'a str },
    /// The schedule goes on and on.
    Endless { steps: u64 },
}

/// What a handler is told of its calls, as far as it matters later.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// What it stored at a time is stored.
    Stored(Timestamp),
    /// So many connections are listed.
    Connections(usize),
    /// A socket is gone.
    Gone(SocketId),
    /// Another one has written the row of a user since it was read.
    Conflict,
    /// The row of a user could not be read or written, or nobody knows whether it was.
    UserRowFailed,
    /// Another call failed: what it was for may have happened, or not.
    Failed,
}

/// A message that was stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) message: &'a Message,
    /// The head of its room, which was stored with it. `None` if it was stored alone, which only a wrong
    /// handler does.
    pub(crate) head: Option<&'a Arc<Room>>,
    /// What a strong read shows now of the message that is changed, if this is a change.
    pub(crate) target: Option<&'a Message>,
}

/// What a handler's answer says.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    Connected,
    /// A message is acknowledged.
    Sent {
        intent: IntentId,
        sent: &'a SentFrame,
    },
    /// A message is refused, for now or for good.
    Refused {
        intent: IntentId,
        error: &'a ErrorBody,
    },
    /// A room of the user and the peer is marked as read, which was asked for up to a place.
    Marked {
        peer: User,
        asked: Timestamp,
        told: &'a ReadFrame,
    },
    /// What a user has decided about another one is stored.
    Decided {
        peer: User,
        change: ConsentChange,
        /// Whose room the answer names, and whom.
        told: &'a ConsentChangedFrame,
    },
    /// Messages of the conversation with a user are reported.
    Reported {
        peer: User,
        told: &'a ReportedFrame,
    },
    /// A request is refused because its user makes too many.
    TooFast,
    Pong,
    Reauthenticated,
    History {
        asked: AskedPage,
        body: &'a HistoryBody,
    },
    Conversations {
        first_page: bool,
        body: &'a ConversationsBody,
    },
    /// What has to be refused is accepted.
    NotRefused {
        what: &'a str,
        body: &'a str,
    },
    /// The answer is none that there is.
    Unreadable {
        body: &'a str,
    },
    /// The answer is one to something else.
    Unexpected {
        frame: &'a ServerFrame,
    },
}

/// What somebody wrote, and what they knew by then.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) user: User,
    pub(crate) peer: User,
    /// `None` if it was written on no device that is simulated.
    pub(crate) device: Option<DeviceId>,
    /// `None` for a frame without an id, which the server then makes.
    pub(crate) id: Option<ClientMessageId>,
    pub(crate) says: Says,
    /// Nobody waits for its acknowledgement.
    pub(crate) unattended: bool,
    /// It is sent without `after`: then it is recognised among the newest messages, and no further is
    /// promised.
    pub(crate) without_after: bool,
}

/// What is said, in the form in which no two messages say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Text(String),
    /// Words that reply to the message of a time.
    Reply(String, Timestamp),
    /// A match is proposed at a place.
    Proposal(String),
    /// The proposal of a time is answered.
    Answer(Timestamp, Verdict),
    /// The message of a time is changed.
    Change(Timestamp, Effect),
}

impl Says {
    /// The whole of it, as it has to be stored.
    pub(crate) fn content(&self) -> Content {
        match self {
            Self::Text(words) | Self::Reply(words, _) => Content::Text(words.parse().expect("it is short")),
            Self::Proposal(place) => {
                Content::MatchProposal(proposal(place).try_into().expect("it is well-formed"))
            }
            Self::Answer(proposal, verdict) => {
                Content::MatchProposalAnswer(ProposalAnswer { proposal: *proposal, verdict: *verdict })
            }
            Self::Change(target, effect) => {
                let action = match effect {
                    Effect::React(_) => ChangeAction::React,
                    Effect::Edit(_) => ChangeAction::Edit,
                    // Nobody sends an image here.
                    Effect::Delete => ChangeAction::Delete { attachment: None },
                };
                Content::Change(Change { target: *target, action })
            }
        }
    }

    /// The time of the message that it replies to.
    pub(crate) fn reply_to(&self) -> Option<Timestamp> {
        if let Self::Reply(_, at) = self { Some(*at) } else { None }
    }

    /// The time of the message that it changes, and what becomes of that.
    pub(crate) fn change(&self) -> Option<(Timestamp, &Effect)> {
        if let Self::Change(target, effect) = self { Some((*target, effect)) } else { None }
    }
}

/// A proposal that differs from others by its place alone.
pub(crate) fn proposal(place: &str) -> ProposalBody {
    ProposalBody {
        team_name: "Seoul".to_owned(),
        opponent_team_name: "Busan".to_owned(),
        match_at: "2027-11-23T09:00:00.000Z".to_owned(),
        place: place.to_owned(),
        note: Some(format!("we meet at {place}")),
    }
}

/// What kind of event a handler handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Connect,
    Disconnect,
    Frame,
    Rest,
    /// It comes from whoever runs the chat.
    Operator,
}

/// What is known of an event when it is handed to a handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskFacts {
    pub(crate) kind: EventKind,
    /// The socket that the event came on.
    pub(crate) socket: Option<SocketId>,
    /// Whose event it is.
    pub(crate) user: User,
    /// The process that it is handed to, and how many there were in its place before: as far as that is
    /// known while the event is on its way.
    pub(crate) process: (ProcessId, u32),
    /// The token that came with it.
    pub(crate) token: Option<TokenId>,
    /// Whether that token counts: it is the user's own, it had not expired by the event's clock, and it was
    /// not revoked.
    pub(crate) token_counts: bool,
    /// What it says that its user has decided about another one.
    pub(crate) decides: Option<(User, ConsentChange)>,
    /// How many requests it counts for, once its user is known to be admitted.
    pub(crate) charged: u32,
    /// The time that the event carries.
    pub(crate) now: Timestamp,
    /// When the gateway received it, in true time.
    pub(crate) asked_ms: i64,
}

impl TaskFacts {
    /// Who counts how much its user asks.
    pub(crate) fn hearer(&self) -> Hearer {
        Hearer { process: self.process, is_rest: self.kind == EventKind::Rest, user: self.user }
    }
}

/// A process that counts how many frames, or requests by REST, it gets of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hearer {
    process: (ProcessId, u32),
    is_rest: bool,
    user: User,
}

impl Hearer {
    pub(crate) fn user(self) -> User {
        self.user
    }

    pub(crate) fn is_rest(self) -> bool {
        self.is_rest
    }
}

/// A page of history, as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskedPage {
    pub(crate) peer: User,
    pub(crate) range: PageRange,
    pub(crate) limit: usize,
}

/// A message that a client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    pub(crate) id: ClientMessageId,
    pub(crate) mine: bool,
    pub(crate) proposal: bool,
    /// It tells of a change, and is no message.
    pub(crate) is_change: bool,
}

/// What a client knows of a message that has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangedMessage {
    /// The latest state that it was told of.
    pub(crate) state: Option<MessageBody>,
    /// The changes of its own that were acknowledged, and that it may not have been told of: the number and
    /// the timestamp of each, and what it does.
    pub(crate) own: Vec<(u64, Timestamp, Effect)>,
}

/// What a client knows. It has no conversations while it does not run.
#[derive(Debug)]
pub(crate) struct ClientView<'a> {
    pub(crate) device: DeviceId,
    pub(crate) user: User,
    pub(crate) conversations: Vec<ConversationView<'a>>,
}

impl ClientView<'_> {
    pub(crate) fn conversation(&self, peer: User) -> Option<&ConversationView<'_>> {
        self.conversations.iter().find(|conversation| conversation.peer == peer)
    }
}

/// What a client knows of a conversation.
#[derive(Debug)]
pub(crate) struct ConversationView<'a> {
    pub(crate) peer: User,
    /// Whether any page of it was loaded.
    pub(crate) is_loaded: bool,
    /// Whether it is the one that is looked at.
    pub(crate) is_active: bool,
    pub(crate) my_read: Option<Timestamp>,
    /// The number up to which everything is known.
    pub(crate) known_seq: Option<u64>,
    pub(crate) messages: &'a BTreeMap<u64, Seen>,
    /// The messages that have changed, loaded or not.
    pub(crate) changed: &'a BTreeMap<Timestamp, ChangedMessage>,
    /// The numbers of what came by push.
    pub(crate) pushed: &'a [u64],
    pub(crate) listed: Option<Listed>,
}

/// What a list says of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The number of its newest message.
    pub(crate) last_seq: u64,
    pub(crate) unread: u64,
    pub(crate) request: Option<RequestName>,
    pub(crate) blocked: bool,
}

/// A socket that is open at the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSocket {
    pub(crate) socket: SocketId,
    /// Whether a client listens on it that is open too.
    pub(crate) has_client: bool,
}
