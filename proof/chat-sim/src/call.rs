//! The calls that handlers make of their ports, and what can come of them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, IdentityVerifierCall, IdentityVerifierReply, MessageStoreCall,
    MessageStoreReply, PusherCall, PusherReply, ReportStoreCall, ReportStoreReply, UserStoreCall,
    UserStoreReply,
};
use chat_domain::{Append, Member, Message, ReadMark, RoomId};
use dynamodb_sim::{DatabaseAnswer, DatabaseRequest};

/// A call of a port, or what no port has.
#[derive(Clone)]
pub(crate) enum Call {
    Messages(MessageStoreCall<'static>),
    Connections(ConnectionStoreCall<'static>),
    Reports(ReportStoreCall<'static>),
    Users(UserStoreCall<'static>),
    Pusher(PusherCall<'static>),
    Verifier(IdentityVerifierCall<'static>),
    /// What a store asks of DynamoDB.
    Items(Box<DatabaseRequest>),
    /// A store waits before it asks again.
    Pause(Duration),
    /// A handler waits before it tries again.
    Wait(Duration),
    /// What no port allows, for the bug bank: an unconditional put of a row.
    PutRow(Box<Message>),
    /// What no port allows, for the bug bank: a mark set wherever one likes.
    ForceMark(RoomId, Member, ReadMark),
}

impl Call {
    pub(crate) fn commit(append: Append) -> Self {
        Self::Messages(MessageStoreCall::Commit { append: Cow::Owned(append) })
    }

    pub(crate) fn is_write(&self) -> bool {
        match self {
            Self::Messages(call) => matches!(
                call,
                MessageStoreCall::Commit { .. }
                    | MessageStoreCall::AdvanceRead { .. }
                    | MessageStoreCall::WriteConsent { .. }
            ),
            Self::Connections(call) => {
                !matches!(call, ConnectionStoreCall::Get { .. } | ConnectionStoreCall::OfUser { .. })
            }
            Self::Users(call) => matches!(call, UserStoreCall::Put { .. }),
            Self::Reports(_) | Self::PutRow(_) | Self::ForceMark(..) => true,
            Self::Items(request) => request.is_write(),
            Self::Pusher(_) | Self::Verifier(_) | Self::Pause(_) | Self::Wait(_) => false,
        }
    }
}

/// A call as the history shows it: without the name of its port, and with the token that `AccessToken` hides.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(call) => call.fmt(f),
            Self::Connections(call) => call.fmt(f),
            Self::Reports(call) => call.fmt(f),
            Self::Users(call) => call.fmt(f),
            Self::Pusher(call) => call.fmt(f),
            Self::Verifier(IdentityVerifierCall::Verify { token, now }) => {
                f.debug_struct("Verify").field("token", &token.expose()).field("now", now).finish()
            }
            Self::Items(request) => request.fmt(f),
            Self::Pause(duration) => f.debug_tuple("Pause").field(duration).finish(),
            Self::Wait(at_most) => f.debug_tuple("Wait").field(at_most).finish(),
            Self::PutRow(message) => f.debug_tuple("PutRow").field(message).finish(),
            Self::ForceMark(room, reader, mark) => {
                f.debug_tuple("ForceMark").field(room).field(reader).field(mark).finish()
            }
        }
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    Conflict,
    /// The attachment is shown already.
    Taken,
    Throttled,
    Unavailable,
    Corrupt,
    Gone,
    TooLarge,
    Forbidden,
    Expired,
    Rejected,
}

/// What a call replies that has not failed.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Boxed, since it holds rooms and goes through many hands.
    Messages(Box<MessageStoreReply>),
    Connections(ConnectionStoreReply),
    Reports(ReportStoreReply),
    Users(UserStoreReply),
    Pusher(PusherReply),
    Verifier(IdentityVerifierReply),
    Items(DatabaseAnswer),
    /// What no port has is done.
    Done,
}

impl Reply {
    pub(crate) fn messages(reply: MessageStoreReply) -> Self {
        Self::Messages(Box::new(reply))
    }
}
