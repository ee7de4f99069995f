//! The bug bank: handlers, ports and clients that are wrong in ways in which real ones have been. The checker has to catch
//! each of them, or it proves nothing.

mod ports;
mod read;
mod send;

use crate::client::ClientBug;
use crate::ports::Shared;
use crate::server::{Build, Real, Server};

use self::ports::PortBug;
use self::read::ReadBug;
use self::send::SendBug;

/// Something that is wrong.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    pub(crate) client: Option<ClientBug>,
}

/// How many seeds the checker has to catch a bug.
pub(crate) const SEEDS_TO_CATCH: u64 = 3_000;

const fn server(name: &'static str, build: Build) -> Bug {
    Bug { name, build, client: None }
}

const fn client(name: &'static str, bug: ClientBug) -> Bug {
    Bug { name, build: Real::build, client: Some(bug) }
}

macro_rules! send {
    ($bug:ident) => {
        |shared| send::SendServer::build(shared, SendBug::$bug)
    };
}

macro_rules! read {
    ($bug:ident) => {
        |shared| read::ReadServer::build(shared, ReadBug::$bug)
    };
}

macro_rules! port {
    ($bug:ident) => {
        |shared| ports::build(shared, PortBug::$bug)
    };
}

/// What takes the place of the real send, without anything wrong: the checker must find nothing in it.
pub(crate) const CONTROL: Build = send!(None);

/// All of them.
pub(crate) const BUGS: &[Bug] = &[
    server("the seed's handler: an unconditional put at the handler's time", send!(Naive)),
    server("no id search", send!(NoIdSearch)),
    server("the search comes before the head", send!(SearchBeforeHead)),
    server("the ring never falls back to a search", send!(RingNeverFallsBack)),
    server("the timestamp is the handler's clock alone", send!(OwnClock)),
    server("the sender comes from the body", send!(SenderFromBody)),
    server("pushed before it is stored", send!(PushBeforeStore)),
    server("acknowledged before it is known to be stored", send!(AckBeforeCommit)),
    server("an unknown outcome is told as a refusal", send!(UnknownIsRefused)),
    server("refused on a head that may be stale", send!(RefusedOnStaleHead)),
    server("a conflict is retried with what was found for the old head", send!(OldHeadRetried)),
    server("a retry is acknowledged at the newest place", send!(AckOfNow)),
    server("an id is never compared with its content", send!(ContentNotCompared)),
    server("a row is deleted on any 410", send!(DeleteOnAny410)),
    server("the sender's row is deleted on a 410", send!(DeleteSenderOn410)),
    server("the sender's other devices are not pushed to", send!(OwnDevicesForgotten)),
    server("the login's expiry is not checked", send!(ExpiryUnchecked)),
    server("a remembered connection is not looked for again", send!(RememberedForEver)),
    server("an answer does not look whether the proposal is open", send!(AnsweredTwice)),
    server("a push reaches whoever is connected", send!(PushedToAll)),
    server("a read mark is an upsert", read!(Upsert)),
    server("a read mark passes the head", read!(PastHead)),
    server("a read mark moves back", read!(Backwards)),
    server("a read mark is made for the peer", read!(ForThePeer)),
    server("unread is incremented", port!(IncrementedUnread)),
    server("a sync reads eventually", port!(EventualSync)),
    server("a page that was cut is taken for the end", port!(CutIsTheEnd)),
    server("an identity is cached past its expiry", port!(CachedIdentity)),
    server("a cursor is trusted", port!(CursorTrusted)),
    server("an error of the verifier lets in", port!(FailsOpen)),
    client("client: no second sync, so that the index's lag is ignored", ClientBug::NoSecondSync),
    client("client: a new id for every retry", ClientBug::NewIdForEveryRetry),
    client("client: the outbox is in memory only", ClientBug::OutboxInMemoryOnly),
    client("client: everything is sent at once", ClientBug::TwoAtOnce),
    client("client: resynced without looking for its message", ClientBug::ResyncWithoutLooking),
    client("client: holes are ignored", ClientBug::HolesIgnored),
    client("client: a sync begins at the newest it has, past a hole", ClientBug::CursorPastAHole),
    client("client: a retry says `after` what is newest now", ClientBug::AfterOfNow),
];

/// The real functions over other ports.
fn over(ports: &chat_lambda::functions::Ports) -> Real {
    Real::over(ports)
}

/// A server for everything that a wrong one does not handle itself.
fn real(shared: &Shared) -> Box<dyn Server> {
    Real::build(shared)
}
