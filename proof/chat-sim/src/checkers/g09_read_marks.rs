//! G9: a mark never moves back and never passes the newest message; `read` is never true above it; reading
//! creates no row.

use chat_domain::{Event, Member, Message, PageRange, ReadMark, RoomId, Timestamp};
use chat_wire::frames::ReadFrame;
use chat_wire::message::MessageBody;
use chat_wire::rest::HistoryBody;

use super::record::RoomRecord;
use super::{Checker, Finding, Record};
use crate::ids::{DeviceId, SocketId, TaskId, User};
use crate::observations::{Answer, AskedPage, Observation};

#[derive(Default)]
pub(super) struct ReadMarks;

impl Checker for ReadMarks {
    const GUARANTEE: &'static str = "G9";

    fn pushed(&mut self, _: TaskId, _: SocketId, event: &Event, before: &Record) -> Finding {
        pushed(event, before)
    }

    fn shown(&mut self, _: User, _: DeviceId, message: &MessageBody, before: &Record) -> Finding {
        shown(message, before)
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Marked { peer, asked, told } => marked(task, *peer, *asked, told, before),
            Answer::History { asked, body } => page(task, *asked, body, before),
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::MarkSet { room, reader, mark, .. } => moved(room, *reader, *mark, before),
            Observation::Corrupt { error } => Err(format!("what is stored contradicts itself: {error}")),
            _ => Ok(()),
        }
    }
}

/// A mark rises, is at a message, and is no further than anybody asked for.
fn moved(id: &RoomId, reader: Member, mark: ReadMark, before: &Record) -> Finding {
    let Some(room) = before.room(id) else { return Ok(()) };
    let ReadMark { up_to, .. } = mark;
    if room.read_before(reader, i64::MAX) > Some(up_to) {
        return Err(format!("the mark of {reader:?} in {id} went back to {up_to}"));
    }
    if room.find(up_to).is_none() {
        return Err(format!("the mark of {reader:?} in {id} is at {up_to}, where nothing is"));
    }
    if Some(up_to) > room.wanted[reader] {
        return Err(format!("the mark of {reader:?} in {id} is at {up_to}, further than asked"));
    }
    Ok(())
}

fn pushed(event: &Event, before: &Record) -> Finding {
    match event {
        Event::Read { room, reader, up_to } => {
            let member = room.member(reader);
            let mark = member.zip(before.room(room)).and_then(|(member, room)| room.read_up_to(member));
            if mark.is_none_or(|mark| mark < *up_to) {
                return Err(format!("{event:?} is told, and is not so"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn shown(seen: &MessageBody, before: &Record) -> Finding {
    if !seen.read {
        return Ok(());
    }
    let Some(room) = before.room_called(&seen.room_id) else { return Ok(()) };
    match before.named_at().and_then(|at| room.find(at)) {
        Some(stored) => as_read(room, stored, seen.read, "shown"),
        None => Ok(()),
    }
}

/// Nobody is told that something was read which was not.
fn as_read(room: &RoomRecord, message: &Message, read: bool, how: &str) -> Finding {
    if read && !room.is_read(message) {
        return Err(format!("{message:?} is {how} as read, and was not"));
    }
    Ok(())
}

/// The answer to a read mark: it is so, and reaches as far as was asked for.
fn marked(task: TaskId, peer: User, asked: Timestamp, told: &ReadFrame, before: &Record) -> Finding {
    let running = &before.tasks[task];
    let (user, directory) = (running.user, &before.directory);
    let room = before.room_of(user, peer);
    if room.rows.is_empty() {
        return Err(format!("{told:?} is answered, and there is no {}", room.id));
    }
    let up_to = told.up_to.parse::<Timestamp>().ok();
    let is = room.read_up_to(directory.member(user, peer));
    let there = &room.rows[..room.rows_before(running.asked_ms)];
    let asked_for = there[..there.partition_point(|row| row.message.at <= asked)].last();
    let asked_for = asked_for.map(|row| row.message.at);
    let right_names =
        told.room_id == directory.name_of(user, peer) && told.reader_email == directory.email(user).as_str();
    if right_names && up_to <= is && up_to >= asked_for {
        return Ok(());
    }
    Err(format!(
        "{told:?} is answered to {asked}, asked of {}; it is {is:?}, and has to be {asked_for:?} at least",
        room.id
    ))
}

/// A page shows no mark and no message as read that is further than what is stored. If the page is read
/// strongly, it shows at least the marks that were stored when it was asked for.
fn page(task: TaskId, asked: AskedPage, body: &HistoryBody, before: &Record) -> Finding {
    let running = &before.tasks[task];
    let room = before.room_of(running.user, asked.peer);
    let me = before.directory.member(running.user, asked.peer);
    let is_strong = matches!(asked.range, PageRange::After(_) | PageRange::Oldest);
    for (reader, told) in [(me, &body.my_read_up_to), (me.peer(), &body.peer_read_up_to)] {
        let told = told.as_ref().and_then(|told| told.parse::<Timestamp>().ok());
        let (is, was) = (room.read_up_to(reader), room.read_before(reader, running.asked_ms));
        // Who is not in touch does not see how far the other one reads.
        let sees = reader == me || before.were_in_touch_since(room, running.asked_ms);
        if told > is || (is_strong && sees && told < was) {
            return Err(format!(
                "{reader:?} is said to have read {} up to {told:?}, was at {was:?}, is at {is:?}",
                room.id
            ));
        }
        let sender = room.id.email(reader.peer()).as_str();
        let told = told.map(|told| told.to_string());
        let is_covered = |message: &MessageBody| told.as_ref().is_some_and(|told| message.timestamp <= *told);
        let sent = body.messages.iter().filter(|message| message.sender_email == sender);
        if let Some(message) = sent.into_iter().find(|message| is_covered(message) && !message.read) {
            return Err(format!("{message:?} is not read, and {told:?} is"));
        }
    }
    for message in body.messages.iter().filter(|message| message.read) {
        if let Some(stored) = message.timestamp.parse().ok().and_then(|at| room.find(at)) {
            as_read(room, stored, true, "answered")?;
        }
    }
    Ok(())
}
