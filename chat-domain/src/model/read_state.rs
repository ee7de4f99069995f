use super::message::Message;
use super::room_id::Member;
use super::timestamp::Timestamp;

/// How far a member has read: every message at or before `up_to`.
///
/// It carries the *count* of the peer's messages that it covers, so that the number of unread ones is one
/// subtraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// The timestamp of the newest message read.
    pub up_to: Timestamp,
    /// How many messages the peer had sent by then.
    pub count: u64,
}

impl ReadMark {
    /// The mark of a `reader` who has read everything up to `message`.
    #[must_use]
    pub fn at(message: &Message, reader: Member) -> Self {
        Self { up_to: message.at, count: message.sent_by(reader.peer()) }
    }
}

/// How far one member of a room has read, and what they still see of it. Every part only ever moves forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadState {
    /// How far the member has read; `None` before the first time.
    pub mark: Option<ReadMark>,
    /// How far the member had read when the two were last [in touch](crate::Room::are_in_touch), which the
    /// peer goes on seeing. Only a [block](crate::ConsentWrite::Block) writes this.
    pub shown_to: Option<Timestamp>,
    /// How far the member has cleared the conversation for themselves: what is up to there is in no page,
    /// list or search of theirs any more. The peer sees it as before, and what is unread is counted as
    /// before.
    pub cleared_to: Option<Timestamp>,
}

impl ReadState {
    /// The state with `mark`, if that is further than the member has read. A mark never moves back.
    #[must_use]
    pub fn advanced(self, mark: ReadMark) -> Option<Self> {
        let further = self.mark.is_none_or(|current| current.up_to < mark.up_to);
        further.then_some(Self { mark: Some(mark), ..self })
    }

    /// The state once the member has cleared everything up to `up_to`. What was cleared stays so.
    #[must_use]
    pub fn cleared(self, up_to: Timestamp) -> Self {
        Self { cleared_to: self.cleared_to.max(Some(up_to)), ..self }
    }

    /// The state once somebody blocks somebody while the two are in touch: the peer goes on seeing how far
    /// the member has read by now.
    #[must_use]
    pub fn frozen(self) -> Self {
        Self { shown_to: self.mark.map(|mark| mark.up_to), ..self }
    }
}
