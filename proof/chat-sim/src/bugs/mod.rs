//! The bug bank: handlers, ports and clients that are wrong in ways in which real ones have been. The
//! checkers have to catch each of them, or they prove nothing.

mod answers;
mod ports;
mod read;
mod send;

use chat_wire::frames::ServerFrame;
use chat_wire::message::{KindName, MessageBody};
use serde_json::{Value, json};

use crate::client::ClientBug;
use crate::ports::SharedEnvironment;
use crate::server::{Build, Real, Server};

use self::answers::{Altered, Hasty, messages};
use self::read::ReadBug;
use self::send::SendBug;

/// A handler, a port or a client that is wrong.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    pub(crate) client: Option<ClientBug>,
}

/// Within how many seeds the checkers have to catch a bug.
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

macro_rules! answers {
    ($change:expr) => {
        |shared| Altered::build(shared, $change)
    };
}

macro_rules! pushes {
    ($change:expr) => {
        |shared| {
            answers::pushing(shared, |frame| {
                if let ServerFrame::Message(message) = frame {
                    let change: fn(&mut MessageBody) = $change;
                    change(message);
                }
            })
        }
    };
}

/// The replacements of real handlers without a bug: the checkers must find nothing in them.
pub(crate) const CONTROLS: &[Build] = &[send!(None), read!(None)];

/// All bugs of the bank.
pub(crate) const BUGS: &[Bug] = &[
    server("the first handler: an unconditional put at the handler's time", send!(Naive)),
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
    server("a send is tried as often as it takes", send!(RetriedOnAndOn)),
    server("a read mark is an upsert", read!(Upsert)),
    server("a read mark passes the head", read!(PastHead)),
    server("a read mark moves back", read!(Backwards)),
    server("a read mark is made for the peer", read!(ForThePeer)),
    server("unread is incremented", ports::incremented_unread),
    server("a sync reads eventually", ports::eventual_sync),
    server("a page that was cut is taken for the end", ports::cut_is_the_end),
    server("an identity is cached past its expiry", ports::cached_identity),
    server("a cursor is trusted", ports::cursor_trusted),
    server("an error of the verifier lets in", ports::fails_open),
    server("a read mark is answered and not stored", read!(OnlyAnswered)),
    server("a proposal is stored with its teams in each other's place", ports::content_altered),
    server("a room's preview is that of the message before", ports::preview_of_the_one_before),
    server("a page is read row by row", ports::row_by_row),
    server("a connection whose row cannot be read is turned away", ports::failed_read_is_no_row),
    server("a connection's row is read twice", ports::row_read_twice),
    server("a ping is answered without a look at the row", Hasty::build),
    server("a user has any number of connections", ports::no_limit_of_connections),
    server("beyond the limit the newest connection is closed", ports::newest_is_closed),
    server("beyond the limit connections count that came later", ports::later_ones_count),
    server("all connections beyond the limit are closed at once", ports::all_is_closed_at_once),
    server(
        "pushed into another room",
        pushes!(|body| "a@example.com#b@example.com".clone_into(&mut body.room_id)),
    ),
    server("pushed with another number", pushes!(|body| body.seq += 1)),
    server("pushed with another timestamp", pushes!(|body| body.timestamp.replace_range(20..23, "999"))),
    server("pushed with another id", pushes!(|body| body.client_message_id.replace_range(..1, "f"))),
    server("pushed with other words", pushes!(|body| body.message.push('!'))),
    server(
        "pushed as the receiver's own",
        pushes!(|body| body.sender_email.clone_from(&body.receiver_email)),
    ),
    server(
        "pushed with the sender as the receiver",
        pushes!(|body| body.receiver_email.clone_from(&body.sender_email)),
    ),
    server("pushed as read", pushes!(|body| body.read = true)),
    server("pushed as of another kind", pushes!(|body| body.kind = KindName::MatchProposal)),
    server("pushed without its proposal", pushes!(|body| body.proposal = None)),
    server("pushed without the answer to a proposal", pushes!(|body| body.proposal_answer = None)),
    server(
        "pushed with another opponent",
        pushes!(|body| body
            .proposal
            .iter_mut()
            .for_each(|it| it.opponent_team_name.clone_from(&it.team_name))),
    ),
    server("a retry is told as the first", answers!(|answer| replace(answer, "duplicate", json!(false)))),
    server("the first is told as a retry", answers!(|answer| replace(answer, "duplicate", json!(true)))),
    server(
        "acknowledged with another number",
        answers!(|answer| {
            if answer.get("duplicate").is_some() {
                answer["seq"] = json!(answer["seq"].as_u64().unwrap_or_default() + 1);
            }
        }),
    ),
    server(
        "acknowledged in another room",
        answers!(|answer| {
            if answer.get("duplicate").is_some() {
                answer["roomId"] = json!("a@example.com#b@example.com");
            }
        }),
    ),
    server("a page is in the other order", answers!(|answer| messages(answer).reverse())),
    server(
        "a page loses its kinds",
        answers!(|answer| {
            messages(answer).iter_mut().for_each(|row| replace(row, "kind", json!("text")));
        }),
    ),
    server(
        "a page loses its proposals",
        answers!(|answer| {
            messages(answer).iter_mut().for_each(|row| replace(row, "proposal", Value::Null));
        }),
    ),
    server(
        "a page has its receivers as senders",
        answers!(|answer| {
            messages(answer).iter_mut().for_each(|row| row["senderEmail"] = row["receiverEmail"].clone());
        }),
    ),
    server(
        "a page is unread whatever was read",
        answers!(|answer| {
            messages(answer).iter_mut().for_each(|row| replace(row, "read", json!(false)));
        }),
    ),
    server(
        "a page is read whatever was not",
        answers!(|answer| {
            messages(answer).iter_mut().for_each(|row| replace(row, "read", json!(true)));
        }),
    ),
    server(
        "the next page leaves a row out",
        answers!(|answer| {
            if let Some(Value::String(next)) = answer.get_mut("nextAfter") {
                *next = next.replace("Z", "").parse::<String>().unwrap_or_default();
                next.truncate(19);
                next.push_str(".999Z");
            }
        }),
    ),
    server(
        "a page always says that there is more",
        answers!(|answer| replace(answer, "hasMore", json!(true))),
    ),
    server(
        "a list says what the last one sent of the other one",
        answers!(|answer| {
            let listed = answer.get_mut("conversations").and_then(Value::as_array_mut);
            for found in listed.into_iter().flatten() {
                found["lastSenderEmail"] = found["peerEmail"].clone();
            }
        }),
    ),
    client("client: no second sync, so that the index's lag is ignored", ClientBug::NoSecondSync),
    client("client: a new id for every retry", ClientBug::NewIdForEveryRetry),
    client("client: the outbox is in memory only", ClientBug::OutboxInMemoryOnly),
    client("client: everything is sent at once", ClientBug::TwoAtOnce),
    client("client: resynced without looking for its message", ClientBug::ResyncWithoutLooking),
    client("client: holes are ignored", ClientBug::HolesIgnored),
    client("client: a sync begins at the newest it has, past a hole", ClientBug::CursorPastAHole),
    client("client: a retry says `after` what is newest now", ClientBug::AfterOfNow),
];

/// Replaces a field that is there.
fn replace(object: &mut Value, field: &str, value: Value) {
    if let Some(there) = object.get_mut(field) {
        *there = value;
    }
}

/// The real functions over other ports.
fn over(ports: &chat_wire::Ports) -> Real {
    Real::over(ports)
}

/// A server for everything that a wrong one does not handle itself.
fn real(shared: &SharedEnvironment) -> Box<dyn Server> {
    Real::build(shared)
}
