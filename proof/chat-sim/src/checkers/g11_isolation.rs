//! G11: a frame, a row or a mark of a room is its two members' alone.

use chat_domain::Event;
use chat_domain::testing::MessageStoreCall;
use chat_wire::message::MessageBody;

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{DeviceId, SocketId, TaskId, User};
use crate::observations::Answer;

#[derive(Default)]
pub(super) struct Isolation;

impl Checker for Isolation {
    const GUARANTEE: &'static str = "G11";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        let (room, reader) = match call {
            Call::Messages(MessageStoreCall::AdvanceRead { room, reader, .. }) => (&**room, reader),
            Call::ForceMark(room, reader, _) => (room, reader),
            _ => return Ok(()),
        };
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        let (user, reader) = (running.user, room.email(*reader));
        if reader == before.directory.email(user) {
            return Ok(());
        }
        Err(format!("task {task} of user {user} marks for {reader}"))
    }

    fn pushed(&mut self, _: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
        let user = before.sockets[to].user;
        let room = match event {
            Event::Message(message) => &message.room,
            Event::Changed { entry, .. } => &entry.room,
            Event::Read { room, .. }
            | Event::Typing { room, .. }
            | Event::Consent { room, .. }
            | Event::Cleared { room, .. } => room,
            Event::UnknownConnection(_) => return Ok(()),
        };
        if room.member(before.directory.email(user)).is_some() {
            return Ok(());
        }
        Err(format!("user {user} is told of {room}: {event:?}"))
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::History { asked, body } => {
                let user = before.tasks[task].user;
                if body.room_id == before.directory.name_of(user, asked.peer) {
                    return Ok(());
                }
                let room = before.directory.room_of(user, asked.peer);
                Err(format!("user {user} asked for {room} and got {}", body.room_id))
            }
            Answer::NotRefused { what, body } => Err(format!("{what} is accepted: {body}")),
            _ => Ok(()),
        }
    }

    fn shown(&mut self, user: User, device: DeviceId, message: &MessageBody, before: &Record) -> Finding {
        match before.directory.members_of(&message.room_id) {
            Some((one, other)) if ![one, other].contains(&user) => {
                Err(format!("device {device} hears {message:?}"))
            }
            // A room that there is not is nobody's; that nothing is stored in it, another checker says.
            _ => Ok(()),
        }
    }
}
