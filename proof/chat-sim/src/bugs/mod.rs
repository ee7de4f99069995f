//! The bug bank: handlers, ports and clients that are wrong in ways in which real ones have been. The
//! checkers have to catch each of them, or they prove nothing.

mod answers;
mod base;
mod changes;
mod consent;
mod dynamodb;
mod limits;
mod ports;
mod read;
mod send;
mod users;

use chat_wire::frames::ServerFrame;
use chat_wire::message::{KindName, MessageBody};
use serde_json::{Value, json};

use crate::client::ClientBug;
use crate::server::{Build, Real};
use crate::stores::StoreKind;

use self::answers::{Altered, Hasty, messages};
use self::consent::Route;
use self::read::ReadBug;
use self::send::SendBug;

/// A handler, a port or a client that is wrong.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    pub(crate) client: Option<ClientBug>,
    /// Over which stores it is one.
    pub(crate) stores: StoreKind,
}

/// Within how many seeds the checkers have to catch a bug.
pub(crate) const SEEDS_TO_CATCH: u64 = 6_000;

const fn server(name: &'static str, build: Build) -> Bug {
    Bug { name, build, client: None, stores: StoreKind::Simulated }
}

const fn client(name: &'static str, bug: ClientBug) -> Bug {
    Bug { name, build: Real::build, client: Some(bug), stores: StoreKind::Simulated }
}

/// A bug of a chat that is in several regions.
const fn of_regions(name: &'static str, build: Build) -> Bug {
    Bug { name, build, client: None, stores: StoreKind::ThreeRegions }
}

/// A bug of the stores of AWS, or of how they are called.
const fn of_dynamodb(name: &'static str, build: Build) -> Bug {
    Bug { name, build, client: None, stores: StoreKind::Dynamodb }
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
    server("a token of any pool lets in", ports::any_pool),
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
    server("a commit does not look whom its receiver blocks", consent::commit_without_condition),
    server("typing is told to who blocks", |shared| {
        consent::as_if_unblocked(shared, Route::Frames("typing"))
    }),
    server("typing is decided on a head that may be stale", |shared| {
        consent::on_stale_heads(shared, Route::Frames("typing"))
    }),
    server("a read mark is told to who blocks", |shared| {
        consent::as_if_unblocked(shared, Route::Frames("markRead"))
    }),
    server("a read mark is told by the head before it", consent::mark_told_by_an_earlier_head),
    server("a page shows what was read since a block", |shared| {
        consent::as_if_unblocked(shared, Route::Rest("/chat/history"))
    }),
    server("a list shows what was read since a block", |shared| {
        consent::as_if_unblocked(shared, Route::Rest("/chat/conversations"))
    }),
    server("a request has an eleventh message", |shared| {
        consent::as_if_open(shared, Route::Frames("sendMessage"))
    }),
    server("a request tells who types", |shared| consent::as_if_open(shared, Route::Frames("typing"))),
    server("a request tells what was read", |shared| consent::as_if_open(shared, Route::Frames("markRead"))),
    server("a block freezes what was read, whoever blocks already", consent::frozen_whoever_blocks),
    server("a page shows who reads a request", |shared| {
        consent::as_if_open(shared, Route::Rest("/chat/history"))
    }),
    server("a list shows who reads a request", |shared| {
        consent::as_if_open(shared, Route::Rest("/chat/conversations"))
    }),
    server("a decision is answered and not stored", |shared| {
        consent::written_as(shared, consent::not_written)
    }),
    server("a decision is written for the peer", |shared| consent::written_as(shared, consent::for_the_peer)),
    server("lifting a block lifts the other one's too", |shared| {
        consent::written_as(shared, consent::forgets_the_others)
    }),
    server("lifting a block lifts a later one too", |shared| consent::written_as(shared, consent::lifts_any)),
    server("accepting lifts a block", |shared| consent::written_as(shared, consent::accept_lifts)),
    server("a block is told to who is blocked", |shared| consent::told_to_the_peer(shared, "block")),
    server("who accepts tells the other one", |shared| consent::told_to_the_peer(shared, "accept")),
    server("the bucket of frames never runs out", limits::frames_without_end),
    server("the bucket of calls never runs out", limits::calls_without_end),
    server("a bucket is empty too soon", limits::empty_too_soon),
    server("whoever goes on stays connected", limits::stays_connected),
    server("whoever is suspended connects", users::suspended_connects),
    server("a connect that cannot find out who comes takes its row back", users::row_taken_back),
    server("a process believes for ever whom it has admitted", users::admitted_for_ever),
    server("the sockets of whoever is suspended stay open", users::sockets_stay),
    server("whoever suspends somebody does not look for their sockets again", users::looks_once),
    server("each process counts the requests of an hour for itself", users::counted_by_each),
    server("the requests of an hour are not counted", users::not_counted),
    server("whoever is held up connects", users::held_up_connects),
    server("whoever is held up keeps their sockets", users::held_up_stays),
    server("a push goes to every socket there is", send!(PushedToEverySocket)),
    server("pushes are counted for each member", send!(PushesCountedPerMember)),
    server("a report keeps its messages as somebody else's", consent::report_altered),
    server("a report is answered and not kept", consent::report_lost),
    server("a reaction is added to those before", changes::reactions_added),
    server("of two edits the one with the later clock counts", changes::later_clock_counts),
    server("a change is stored without its effect", changes::effect_lost),
    server("a change is counted as unread", changes::counted_as_unread),
    server("a list shows what was edited away or deleted", changes::listed_as_it_was),
    server("what is deleted is edited", changes::deleted_is_changed),
    server("an edit of another's message is admitted", changes::anothers_is_changed),
    server("a reply to what is not there is admitted", changes::reply_to_anything),
    server("a reply copies what it replies to", changes::reply_copies),
    server("a page joins an older state of what has changed", changes::joined_as_it_was),
    server("a change is pushed with the text before it", changes::pushed_as_it_was),
    server("a reaction accepts no request", changes::reaction_accepts_nothing),
    server("a request has a reaction of its sender", |shared| {
        consent::as_if_open(shared, Route::Frames("react"))
    }),
    of_regions("a push goes to the gateway of the process's own region", ports::pushes_within_region),
    of_dynamodb("a head is replaced whose message has no row", dynamodb::never_settled),
    of_dynamodb("an earlier row is taken for the newest message's", dynamodb::settled_by_an_earlier_row),
    of_dynamodb("the row of a message is put before its head", dynamodb::row_before_head),
    of_dynamodb("a page leaves out the message that only the head has", dynamodb::page_of_rows),
    of_dynamodb("a page has the head's message behind a hole", dynamodb::page_with_a_hole),
    of_dynamodb("a message is acknowledged before its head is written", dynamodb::acknowledged_before_head),
    of_dynamodb("a head is replaced whatever its version", dynamodb::head_put_over),
    of_dynamodb("a page that DynamoDB cuts is taken for all", dynamodb::cut_is_all),
    of_dynamodb("a head is replaced whomever its receiver blocks", dynamodb::head_ignores_a_block),
    of_dynamodb("a read mark is set where there is a further one", dynamodb::mark_moves_back),
    of_dynamodb("a block freezes marks in an item that has a block", dynamodb::block_freezes_whoever_blocks),
    of_dynamodb("the row of a change is put before its effect", changes::effect_after_row),
    of_dynamodb("the row of an edit keeps the text", changes::words_kept),
    of_dynamodb("a deleted message keeps its text", changes::deleted_keeps_words),
    client("client: no second sync, so that the index's lag is ignored", ClientBug::NoSecondSync),
    client("client: a new id for every retry", ClientBug::NewIdForEveryRetry),
    client("client: the outbox is in memory only", ClientBug::OutboxInMemoryOnly),
    client("client: everything is sent at once", ClientBug::TwoAtOnce),
    client("client: resynced without looking for its message", ClientBug::ResyncWithoutLooking),
    client("client: holes are ignored", ClientBug::HolesIgnored),
    client("client: a sync begins at the newest it has, past a hole", ClientBug::CursorPastAHole),
    client("client: a retry says `after` what is newest now", ClientBug::AfterOfNow),
    client("client: of two states the one that comes later counts", ClientBug::LatestStateToCome),
    client(
        "client: what has become of a message is forgotten until it is loaded",
        ClientBug::StatesOfLoadedAlone,
    ),
    client("client: an acknowledged change waits for somebody to tell of it", ClientBug::OwnChangesNotShown),
];

/// Replaces a field that is there.
fn replace(object: &mut Value, field: &str, value: Value) {
    if let Some(there) = object.get_mut(field) {
        *there = value;
    }
}
