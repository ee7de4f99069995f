//! G11: a frame, a row or a mark of a room is its two members' alone.

use chat_domain::{ConnectionId, Event};

use super::{Checker, Finding, Record};
use crate::environment::socket_number;
use crate::observations::{Answer, Observation};
use crate::ports::Call;

#[derive(Default)]
pub(super) struct Isolation;

impl Checker for Isolation {
    const GUARANTEE: &'static str = "G11";
    const SEES_CALLS: bool = true;

    fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::Called { task, call } => match call {
                Call::AdvanceRead(room, reader, _) | Call::ForceMark(room, reader, _) => {
                    let Some(running) = before.tasks.get(*task) else { return Ok(()) };
                    let (user, reader) = (running.user, room.email(*reader));
                    if reader == before.directory.email(user) {
                        return Ok(());
                    }
                    Err(format!("task {task} of user {user} marks for {reader}"))
                }
                Call::Push(id, event) => pushed(id, event, before),
                _ => Ok(()),
            },
            Observation::Answered { task, answer: Answer::History { asked, body } } => {
                let user = before.tasks[*task].user;
                if body.room_id == before.directory.name_of(user, asked.peer) {
                    return Ok(());
                }
                let room = before.directory.room_of(user, asked.peer);
                Err(format!("user {user} asked for {room} and got {}", body.room_id))
            }
            Observation::Answered { answer: Answer::NotRefused { what, body }, .. } => {
                Err(format!("{what} is accepted: {body}"))
            }
            Observation::Shown { user, device, message } => {
                // A room that there is not is none of anybody's; that nothing is stored in it, another
                // checker says.
                let is_known = before.directory.members_of(&message.room_id).is_some();
                if is_known && before.directory.peer_in(*user, &message.room_id).is_none() {
                    return Err(format!("device {device} hears {message:?}"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn pushed(id: &ConnectionId, event: &Event, before: &Record) -> Finding {
    let Some(to) = socket_number(id).and_then(|socket| before.sockets.get(socket)) else { return Ok(()) };
    let room = match event {
        Event::Message(message) => &message.room,
        Event::Read { room, .. } | Event::Typing { room, .. } => room,
        Event::UnknownConnection(_) => return Ok(()),
    };
    if room.member(before.directory.email(to.user)).is_some() {
        return Ok(());
    }
    Err(format!("user {} is told of {room}: {event:?}", to.user))
}
