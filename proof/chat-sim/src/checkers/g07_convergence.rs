//! G7: a connected client can be reached, keeps its connection, and knows what is stored.

use chat_domain::testing::{ConnectionStoreCall, PusherCall};
use chat_domain::{CONNECTION_SETTLED_AFTER, CONNECTIONS_MAX, Event, RequestRate};

use super::record::SocketRecord;
use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::faults::INDEX_LAG_MAX_MS;
use crate::ids::{Id, IdVec, IntentId, SocketId, TaskId, User, socket_number};
use crate::observations::{Answer, ClientView, ConversationView, EventKind, Observation, OpenSocket, Told};

/// How long the row of a connection may be missing before a frame has to notice that reads the row: not at
/// all.
const UNNOTICED_BY_ROW_MS: i64 = 0;
/// The same for a frame that may take the list of connections for the row: as long as the index may lag,
/// twice, since it may also go back.
const UNNOTICED_BY_LIST_MS: i64 = 2 * INDEX_LAG_MAX_MS;

#[derive(Default)]
pub(super) struct Convergence {
    /// The sockets that answered "gone" to each handler.
    gone: IdVec<TaskId, Vec<SocketId>>,
}

impl Checker for Convergence {
    const GUARANTEE: &'static str = "G7";

    fn invoked(&mut self) -> Finding {
        self.gone.push(Vec::new());
        Ok(())
    }

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        self.has_reason(task, call, before)
    }

    fn pushed(&mut self, task: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
        if let Event::UnknownConnection(_) = event { turned_away(task, to, before) } else { Ok(()) }
    }

    fn told(&mut self, task: TaskId, what: Told, _: &Record) -> Finding {
        if let (Told::Gone(socket), Some(gone)) = (what, self.gone.get_mut(task)) {
            gone.push(socket);
        }
        Ok(())
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Sent { .. } => reachable(task, UNNOTICED_BY_LIST_MS, before),
            Answer::Marked { .. } | Answer::Pong | Answer::Reauthenticated => {
                reachable(task, UNNOTICED_BY_ROW_MS, before)
            }
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::Settled { when, clients } => {
                clients.iter().try_for_each(|client| knows_what_is_stored(client, when, before))
            }
            Observation::FinalMessagesSettled { since, clients } => told_of_all(*since, clients, before),
            Observation::ConnectionsSettled { open } => all_have_rows(open, before),
            _ => Ok(()),
        }
    }
}

impl Convergence {
    /// A row is deleted, and a connection closed, only for a reason.
    fn has_reason(&self, task: TaskId, call: &Call, before: &Record) -> Finding {
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        if is_of_somebody_kept_out(task, call, before) {
            return Ok(());
        }
        match call {
            Call::Connections(ConnectionStoreCall::Delete { id }) => {
                if running.kind == EventKind::Disconnect && running.socket == socket_number(id) {
                    return Ok(());
                }
                Err(format!("task {task} deletes the row of {id}, which has not closed"))
            }
            Call::Connections(ConnectionStoreCall::DeleteIfConnectedBefore { id, instant }) => {
                let was_gone = socket_number(id).is_some_and(|socket| self.gone[task].contains(&socket));
                if !was_gone {
                    return Err(format!("task {task} deletes the row of {id}, which answered"));
                }
                if *instant > running.now.before(CONNECTION_SETTLED_AFTER) {
                    return Err(format!(
                        "task {task} deletes the row of {id}, which may only just be opening"
                    ));
                }
                Ok(())
            }
            Call::Pusher(PusherCall::Close { id }) => match (running.kind, socket_number(id)) {
                (EventKind::Connect, Some(socket)) => one_too_many(task, socket, before),
                (EventKind::Frame, Some(socket)) => turned_away(task, socket, before)
                    .or_else(|_| goes_on(task, socket, before))
                    .or_else(|_| without_place(task, socket, before)),
                (EventKind::Rest, Some(socket)) => without_place(task, socket, before),
                _ => Err(format!("task {task} closes {id}")),
            },
            _ => Ok(()),
        }
    }
}

/// Whether a call ends a connection of the user whose request it is, and that user is suspended or held up.
fn is_of_somebody_kept_out(task: TaskId, call: &Call, before: &Record) -> bool {
    let (Call::Connections(ConnectionStoreCall::Delete { id }) | Call::Pusher(PusherCall::Close { id })) =
        call
    else {
        return false;
    };
    let running = &before.tasks[task];
    let closed = socket_number(id).and_then(|socket| before.sockets.get(socket));
    closed.is_some_and(|closed| closed.user == running.user)
        && before.users[running.user].was_kept_out_since(running.asked_ms)
}

/// Whoever connects closes only what is too much: of the connections that the same user had before, those
/// that are the oldest.
fn one_too_many(task: TaskId, socket: SocketId, before: &Record) -> Finding {
    let Some(closed) = before.sockets.get(socket) else { return Ok(()) };
    let (user, own) = (before.tasks[task].user, before.tasks[task].socket);
    let until = own.map(|own| before.sockets[own].connected_at);
    let newer = before.sockets.enumerated().filter(|(number, other)| {
        other.user == user
            && Some(*number) != own
            && (other.connected_at, &other.id) > (closed.connected_at, &closed.id)
            && Some(other.connected_at) <= until
    });
    let newer = newer.count();
    let is_theirs = closed.user == user && own != Some(socket);
    if is_theirs && newer + 1 >= CONNECTIONS_MAX {
        return Ok(());
    }
    Err(format!("task {task} closes socket {socket}; between it and its own are only {newer}"))
}

/// Whoever is told that its connection is unknown has sent a frame on it, and its row was missing at some
/// time since.
fn turned_away(task: TaskId, socket: SocketId, before: &Record) -> Finding {
    let (Some(running), Some(to)) = (before.tasks.get(task), before.sockets.get(socket)) else {
        return Ok(());
    };
    let row_is_there =
        to.row.as_ref().is_some_and(|row| row.may_be_open(running.now)) && to.row_since_ms < running.asked_ms;
    if running.socket == Some(socket) && !row_is_there {
        return Ok(());
    }
    Err(format!("task {task} turns socket {socket} away, which is known"))
}

/// A handler may close the connection that its frame came on, if the frame's sender has been refused as many
/// frames as a burst has, after a whole burst was admitted.
fn goes_on(task: TaskId, socket: SocketId, before: &Record) -> Finding {
    let running = &before.tasks[task];
    let asked = before.asked(running.hearer()).charged;
    if running.socket == Some(socket) && asked > 2 * RequestRate::default().burst.get() {
        return Ok(());
    }
    Err(format!("task {task} closes socket {socket}, on which {asked} frames came"))
}

/// Whoever pushes closes only what has no place: of the connections of the same user, as many are newer as
/// one may have, or it is dated ahead of the pushing handler's clock.
fn without_place(task: TaskId, socket: SocketId, before: &Record) -> Finding {
    let (Some(running), Some(closed)) = (before.tasks.get(task), before.sockets.get(socket)) else {
        return Ok(());
    };
    let place = |of: &SocketRecord| (of.connected_at <= running.now, of.connected_at, of.id.clone());
    let own = place(closed);
    let theirs = before.sockets.iter().filter(|other| other.user == closed.user);
    let newer = theirs.filter(|other| place(other) > own).count();
    if newer >= CONNECTIONS_MAX {
        return Ok(());
    }
    Err(format!("task {task} closes socket {socket}, and only {newer} of its user come before it"))
}

/// A frame was accepted: its client can be reached, or could be a moment ago.
fn reachable(task: TaskId, unnoticed_ms: i64, before: &Record) -> Finding {
    let running = &before.tasks[task];
    let Some(socket) = running.socket.filter(|_| running.kind == EventKind::Frame) else { return Ok(()) };
    let to = &before.sockets[socket];
    let absent_since_ms = if to.row.is_some() { i64::MAX } else { to.row_since_ms };
    if absent_since_ms.saturating_add(unnoticed_ms) >= running.asked_ms {
        return Ok(());
    }
    Err(format!(
        "socket {socket} has no row since {absent_since_ms}, and task {task} did not notice at {}",
        running.asked_ms
    ))
}

/// What a client knows of every conversation it has loaded is what is stored.
fn knows_what_is_stored(client: &ClientView<'_>, when: &str, before: &Record) -> Finding {
    for conversation in &client.conversations {
        if conversation.is_loaded && conversation.peer != client.user {
            knows_conversation(client, conversation, when, before)?;
        }
    }
    Ok(())
}

fn knows_conversation(
    client: &ClientView<'_>,
    conversation: &ConversationView<'_>,
    when: &str,
    before: &Record,
) -> Finding {
    let (device, user, peer) = (client.device, client.user, conversation.peer);
    let room = before.room_of(user, peer);
    let read = room.read_up_to(before.directory.member(user, peer));
    if conversation.is_active && conversation.my_read != read {
        let knows = conversation.my_read;
        return Err(format!(
            "{when}, device {device} has read user {peer} up to {knows:?}; stored is {read:?}"
        ));
    }
    let mistaken = conversation.messages.iter().find(|(seq, seen)| {
        room.numbered(**seq).is_none_or(|stored| {
            let is_mine = stored.sender_email() == before.directory.email(user);
            (stored.at, stored.id, is_mine) != (seen.at, seen.id, seen.mine)
        })
    });
    if let Some((seq, seen)) = mistaken {
        return Err(format!("{when}, device {device} takes {seq} of user {peer} for {seen:?}"));
    }
    let (known, rows) = (conversation.known_seq, room.rows.len() as u64);
    if known == Some(rows) {
        return Ok(());
    }
    let seqs: Vec<u64> = conversation.messages.keys().copied().collect();
    Err(format!("{when}, device {device} knows {seqs:?} of user {peer}, up to {known:?}; {rows} are stored"))
}

/// Every device of both members was told of every message that was written last, by a push or by the
/// acknowledgement.
fn told_of_all(since: IntentId, clients: &[ClientView<'_>], before: &Record) -> Finding {
    for intent in before.intents.iter().skip(since.index()) {
        let Some((_, seq)) = intent.row else { continue };
        let other_of = |user: User| if user == intent.user { intent.peer } else { intent.user };
        let members = clients.iter().filter(|client| [intent.user, intent.peer].contains(&client.user));
        for client in members.filter(|client| Some(client.device) != intent.device) {
            let conversation = client.conversation(other_of(client.user));
            if !conversation.is_some_and(|conversation| conversation.pushed.contains(&seq)) {
                return Err(format!("device {} was not told of {intent:?}", client.device));
            }
        }
    }
    Ok(())
}

/// Nothing goes wrong any more: whatever is open at both ends has its row.
fn all_have_rows(open: &[OpenSocket], before: &Record) -> Finding {
    match open.iter().find(|open| open.has_client && !before.has_row(open.socket)) {
        None => Ok(()),
        Some(deaf) => Err(format!("socket {} is open, and has no row", deaf.socket)),
    }
}
