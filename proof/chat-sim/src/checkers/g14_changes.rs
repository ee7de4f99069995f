//! G14: a change is applied exactly once, to the message it names only, by who may; every reader ends with
//! the same state, and whatever was edited away or deleted is not shown, pushed or kept any more.

use std::collections::{HashMap, HashSet};

use chat_domain::{Content, Effect, Event, Message, PageRange, RoomId, Timestamp};
use chat_wire::frames::ChangedFrame;
use chat_wire::message::{KindName, MessageBody, QuotedBody};
use chat_wire::rest::HistoryBody;

use super::page::differs;
use super::record::{Intent, RoomRecord, StoredMessage};
use super::{Checker, Finding, Record};
use crate::ids::{SocketId, TaskId};
use crate::observations::{Answer, AskedPage, ClientView, ConversationView, Observation, Stored};

#[derive(Default)]
pub(super) struct Changes {
    /// Where rows are written by themselves: the last change that each of them has had.
    rows: HashMap<(RoomId, Timestamp), u64>,
}

impl Checker for Changes {
    const GUARANTEE: &'static str = "G14";

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        match (before.carried_out(), before.room(&stored.message.room)) {
            (Some(meant), Some(room)) => admitted(meant, stored, room),
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, _: SocketId, event: &Event, before: &Record) -> Finding {
        match event {
            Event::Changed { entry, target } => pushed(task, entry, target, before),
            Event::Message(message) => is_new(task, message, before),
            _ => Ok(()),
        }
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::History { asked, body } => Shown::of(task, *asked, body, before).checked(),
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::ChangeShown { frame } => frame_shown(frame, before),
            Observation::Row { room, at, row: Some(row) } => self.row_written(room, *at, row, before),
            Observation::Settled { when, clients } => {
                clients.iter().try_for_each(|client| ends_with_what_is_stored(client, when, before))
            }
            Observation::Left { texts } => self.nothing_is_left(texts, before),
            _ => Ok(()),
        }
    }
}

impl Changes {
    /// The row of a message never goes back behind a change, and the row of a change comes after its effect.
    fn row_written(&mut self, id: &RoomId, at: Timestamp, row: &Message, before: &Record) -> Finding {
        let had = self.rows.insert((id.clone(), at), row.changed.by).unwrap_or(0);
        if had > row.changed.by {
            return Err(format!("the row of {at} goes back from change {had} to {row:?}"));
        }
        let Content::Change(change) = &row.content else { return Ok(()) };
        let has = self.rows.get(&(id.clone(), change.target)).copied();
        let target = before.room(id).and_then(|room| room.row(change.target));
        let target = target.zip(has).and_then(|(target, has)| target.changed_by(Some(has)));
        match target {
            Some(target) if target.has_change(row) => Ok(()),
            target => Err(format!("{row:?} has a row before its effect, on {target:?}")),
        }
    }

    /// What no message says any more is in no item. The newest change may wait for its row, and until then
    /// its target is left as it was.
    fn nothing_is_left(&self, texts: &HashSet<&str>, before: &Record) -> Finding {
        for room in before.rooms() {
            let newest = room.rows.last();
            let waiting = newest
                .filter(|newest| !self.rows.contains_key(&(room.id.clone(), newest.message.at)))
                .and_then(StoredMessage::target);
            for row in room.messages().filter(|row| Some(row.message.at) != waiting) {
                let said = row.past().map(|state| state.content.text());
                let mut gone = said.filter(|text| !text.is_empty() && row.now().content.text() != *text);
                if let Some(left) = gone.find(|text| texts.contains(*text)) {
                    return Err(format!("{left:?} is left, and the message is {:?} now", row.now()));
                }
            }
        }
        Ok(())
    }
}

/// What is stored is about a message that is there and changes so, by who may; and it has its effect from
/// then on, and no other.
fn admitted(meant: &Intent, stored: Stored<'_>, room: &RoomRecord) -> Finding {
    let entry = stored.message;
    if entry.reply_to != meant.says.reply_to() {
        return Err(format!("{entry:?} replies to another message than {meant:?}"));
    }
    let replies_to = entry.reply_to.map(|at| room.row(at));
    if replies_to.is_some_and(|row| row.is_none_or(|row| !row.is_message())) {
        return Err(format!("{entry:?} replies to what is not there"));
    }
    let Some((target, effect)) = meant.says.change() else { return Ok(()) };
    let Some(row) = room.row(target) else {
        return Err(format!("{entry:?} changes what is not there"));
    };
    let is = row.now();
    if is.is_final() {
        return Err(format!("{entry:?} changes {is:?}, which does not change any more"));
    }
    if !matches!(effect, Effect::React(_)) && is.sender != entry.sender {
        return Err(format!("{entry:?} changes {is:?}, which is another's"));
    }
    let is_fixed = match effect {
        Effect::React(_) => false,
        Effect::Edit(_) => !matches!(is.content, Content::Text(_)),
        Effect::Delete => matches!(is.content, Content::MatchProposalAnswer(_)),
    };
    if is_fixed {
        return Err(format!("{entry:?} changes {is:?}, which does not change so"));
    }
    let becomes = is.changed_by(entry, effect);
    if stored.head.is_some() && stored.target != Some(&becomes) {
        return Err(format!("{entry:?} makes {:?} of {is:?}, and not {becomes:?}", stored.target));
    }
    Ok(())
}

/// A change is pushed with the message as it was at some time since: with this change, and with all that were
/// there when it was asked for.
fn pushed(task: TaskId, entry: &Message, target: &Message, before: &Record) -> Finding {
    let Some(room) = before.room(&entry.room) else { return Ok(()) };
    let is_stored =
        room.row(entry.at).is_some_and(|row| row.message == *entry && row.target() == Some(target.at));
    if !is_stored {
        return Err(format!("{entry:?} of {target:?} is pushed, and is not stored"));
    }
    let row = room.row(target.at);
    let state = row.and_then(|row| row.changed_by(Some(target.changed.by)));
    if state != Some(target) || !target.has_change(entry) {
        return Err(format!("{target:?} is pushed for {entry:?}; it is {row:?}"));
    }
    let asked_ms = before.tasks.get(task).map_or(i64::MIN, |running| running.asked_ms);
    match row.map(|row| row.before(asked_ms)) {
        Some(was) if was.changed.by > target.changed.by => {
            Err(format!("{target:?} is pushed, and was {was:?} when that was asked for"))
        }
        _ => Ok(()),
    }
}

/// A message is pushed as it was stored, unless it had changed before anybody asked for that.
fn is_new(task: TaskId, message: &Message, before: &Record) -> Finding {
    let room = before.room(&message.room).filter(|room| room.has_references);
    let row = room.and_then(|room| room.row(message.at));
    let (Some(row), Some(running)) = (row, before.tasks.get(task)) else { return Ok(()) };
    let was = row.before(running.asked_ms);
    if was.content == message.content {
        return Ok(());
    }
    Err(format!("{message:?} is pushed, and was {was:?} by then"))
}

/// A device is told of a change: of the one that is stored, with the message as it was at some time since.
fn frame_shown(frame: &ChangedFrame, before: &Record) -> Finding {
    let room = before.room_called(&frame.room_id);
    let entry = room.and_then(|room| room.row_numbered(frame.seq));
    let is_entry = entry.is_some_and(|row| {
        let entry = &row.message;
        frame.timestamp.parse() == Ok(entry.at)
            && frame.sender_email == entry.sender_email().as_str()
            && frame.client_message_id.parse() == Ok(entry.id)
            && row.target().is_some_and(|target| frame.target.parse() == Ok(target))
    });
    let target = room.zip(entry).and_then(|(room, entry)| room.row(entry.target()?));
    let state = target.and_then(|target| target.changed_by(frame.message.changed_by));
    let is_state = entry.zip(state).is_some_and(|(entry, state)| {
        state.has_change(&entry.message) && differs(&frame.message, state).is_none()
    });
    if is_entry && is_state {
        return Ok(());
    }
    Err(format!("{frame:?} is shown; the message is {target:?}"))
}

/// A page that is shown.
struct Shown<'a> {
    room: &'a RoomRecord,
    body: &'a HistoryBody,
    /// It shows everything that was there when it was asked for.
    is_strong: bool,
    asked_ms: i64,
}

impl<'a> Shown<'a> {
    fn of(task: TaskId, asked: AskedPage, body: &'a HistoryBody, before: &'a Record) -> Self {
        let running = &before.tasks[task];
        Self {
            room: before.room_of(running.user, asked.peer),
            body,
            is_strong: matches!(asked.range, PageRange::After(_) | PageRange::Oldest),
            asked_ms: running.asked_ms,
        }
    }

    fn checked(&self) -> Finding {
        if !self.room.has_references {
            return if self.body.changed.is_empty() {
                Ok(())
            } else {
                Err(self.wrong("nothing has changed"))
            };
        }
        for seen in &self.body.messages {
            // That each of them is stored, another checker has seen.
            let Some(row) = self.room.row_numbered(seen.seq) else { continue };
            if self.is_strong && self.is_outdated(row, seen) {
                return Err(self.wrong(&format!("{seen:?} was {:?} before", row.before(self.asked_ms))));
            }
            self.has_target(row)?;
            self.has_quote(row, seen)?;
        }
        self.body.changed.iter().try_for_each(|seen| self.is_changed(seen))
    }

    fn wrong(&self, what: &str) -> String {
        format!("a page of {} is not what it is: {what}; {:?}", self.room.id, self.body)
    }

    /// Whether a message had had a later change when the page was asked for.
    fn is_outdated(&self, row: &StoredMessage, seen: &MessageBody) -> bool {
        row.before(self.asked_ms).changed.by > seen.changed_by.unwrap_or(0)
    }

    /// The message of a time, as it is on the page or beside it.
    fn shown(&self, at: Timestamp) -> Option<&MessageBody> {
        let is_it = |seen: &&MessageBody| seen.timestamp.parse() == Ok(at);
        self.body.messages.iter().chain(&self.body.changed).find(is_it)
    }

    /// The message that an entry of the page changes is there too, and has that change.
    fn has_target(&self, entry: &StoredMessage) -> Finding {
        let Some(target) = entry.target() else { return Ok(()) };
        let seen = self.shown(target);
        let state = seen.and_then(|seen| self.room.row(target)?.changed_by(seen.changed_by));
        if state.is_some_and(|state| state.has_change(&entry.message)) {
            return Ok(());
        }
        Err(self.wrong(&format!("{:?} is shown with {seen:?}", entry.message)))
    }

    /// What a reply quotes is as it is on the page, or as it was since that was asked for.
    fn has_quote(&self, row: &StoredMessage, seen: &MessageBody) -> Finding {
        let reply_to = row.changed_by(seen.changed_by).and_then(|state| state.reply_to);
        let quoted = reply_to.and_then(|at| self.room.row(at));
        let is_right = match (quoted, &seen.quoted) {
            (Some(quoted), Some(told)) => {
                let on_page =
                    self.body.messages.iter().find(|it| it.timestamp.parse() == Ok(quoted.message.at));
                let since = match on_page {
                    Some(on_page) => on_page.changed_by.unwrap_or(0),
                    None => quoted.before(self.asked_ms).changed.by,
                };
                let states = quoted.past().chain([quoted.now()]).filter(|state| state.changed.by >= since);
                let mut states = states.take(if on_page.is_some() { 1 } else { usize::MAX });
                states.any(|state| QuotedBody::from(state) == *told)
            }
            (quoted, told) => quoted.is_none() && told.is_none(),
        };
        if is_right { Ok(()) } else { Err(self.wrong(&format!("{seen:?} quotes {quoted:?}"))) }
    }

    /// What stands beside the page is what an entry on it changes, as it was since that was asked for.
    fn is_changed(&self, seen: &MessageBody) -> Finding {
        let row = seen.timestamp.parse().ok().and_then(|at| self.room.row(at));
        let state = row.and_then(|row| row.changed_by(seen.changed_by));
        let is_named =
            |it: &MessageBody| it.kind == KindName::Change && it.target.as_ref() == Some(&seen.timestamp);
        let is_right = state.is_some_and(|state| differs(seen, state).is_none())
            && row.is_some_and(|row| !self.is_outdated(row, seen))
            && self.body.messages.iter().any(is_named)
            && self.body.messages.iter().all(|it| it.timestamp != seen.timestamp);
        if is_right { Ok(()) } else { Err(self.wrong(&format!("{seen:?} is {row:?}"))) }
    }
}

/// Every message that a client has loaded is to it what it is in the store.
fn ends_with_what_is_stored(client: &ClientView<'_>, when: &str, before: &Record) -> Finding {
    for conversation in client.conversations.iter().filter(|it| it.is_loaded && it.peer != client.user) {
        let room = before.room_of(client.user, conversation.peer);
        if !room.has_references && conversation.changed.is_empty() {
            continue;
        }
        let me = before.directory.email(client.user).as_str();
        for row in conversation.messages.keys().filter_map(|seq| room.row_numbered(*seq)) {
            if let Some(seen) = seen_otherwise(row, conversation, me) {
                let device = client.device;
                return Err(format!("{when}, device {device} takes {:?} for {seen:?}", row.now()));
            }
        }
    }
    Ok(())
}

/// What a client takes a message for, if that is not what it is. Of what it was not told to have changed it
/// has what was stored first, which other checkers have seen.
fn seen_otherwise(row: &StoredMessage, known: &ConversationView<'_>, me: &str) -> Option<MessageBody> {
    let known = known.changed.get(&row.message.at);
    if known.is_none() && row.now().changed.by == 0 {
        return None;
    }
    let first = MessageBody::from(&row.message);
    let seen = known.map_or(first.clone(), |known| known.shown(first, me));
    differs(&seen, row.now()).map(|_| seen)
}
