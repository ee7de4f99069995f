use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::message::Message;
use super::room_id::{Member, RoomId};
use super::tag::Tag;
use super::text::BoundedText;
use super::timestamp::Timestamp;

/// How many messages a report names at most: what is on a screen or two. Twenty of the longest texts stay
/// below half of DynamoDB's 400 KB an item.
pub const REPORT_MESSAGES_MAX: usize = 20;
/// The longest reason of a report, in bytes of UTF-8: a few sentences.
pub const REPORT_REASON_MAX_BYTES: usize = 500;

/// Why somebody reports messages, in their words, which only the operator reads.
pub type ReportReason = BoundedText<REPORT_REASON_MAX_BYTES>;

/// Which messages of a room are reported, by their timestamps: 1 to [`REPORT_MESSAGES_MAX`], each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedTimes(BTreeSet<Timestamp>);

/// A report names no message, or more than [`REPORT_MESSAGES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a report names 1 to {REPORT_MESSAGES_MAX} messages")]
pub struct ReportedTimesError;

impl ReportedTimes {
    /// Checks how many messages are named.
    ///
    /// # Errors
    /// [`ReportedTimesError`].
    pub fn new(times: impl IntoIterator<Item = Timestamp>) -> Result<Self, ReportedTimesError> {
        let times: BTreeSet<_> = times.into_iter().collect();
        if (1..=REPORT_MESSAGES_MAX).contains(&times.len()) {
            Ok(Self(times))
        } else {
            Err(ReportedTimesError)
        }
    }

    /// The timestamps, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.0.iter().copied()
    }
}

/// Messages that a member of a room has reported to whoever runs the chat, as they were then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The room that the messages are in.
    pub room: RoomId,
    /// Which member reports them.
    pub reporter: Member,
    /// Why, if they say so.
    pub reason: Option<ReportReason>,
    /// The reported messages, the oldest first. There is at least one.
    pub messages: Vec<Message>,
    /// When they were reported.
    pub at: Timestamp,
}

impl Report {
    /// The report's name: the same for every report by this member of these messages.
    #[must_use]
    pub fn id(&self) -> ReportId {
        let times: Vec<_> = self.messages.iter().map(|message| message.at.to_string()).collect();
        let reporter = self.room.email(self.reporter);
        let newest = self.messages.iter().map(|message| message.at).max().unwrap_or(self.at);
        ReportId { newest, tag: Tag::of(&format!("{}\n{reporter}\n{}", self.room, times.join("\n"))) }
    }
}

/// The name of a [`Report`], by which reports are sorted: the timestamp of its newest message, then a tag of
/// who reports what. The text, `<timestamp>#<tag>`, sorts as the value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportId {
    /// The timestamp of the newest message that is reported.
    pub newest: Timestamp,
    /// A tag of the room, the reporter and the messages.
    pub tag: Tag,
}

/// The text is not `<timestamp>#<32 hexadecimal digits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a report's id has the form <timestamp>#<32 hexadecimal digits>")]
pub struct ReportIdError;

impl FromStr for ReportId {
    type Err = ReportIdError;

    fn from_str(text: &str) -> Result<Self, ReportIdError> {
        let (newest, tag) = text.split_once('#').ok_or(ReportIdError)?;
        Ok(Self {
            newest: newest.parse().map_err(|_| ReportIdError)?,
            tag: Tag::from_hex(tag).ok_or(ReportIdError)?,
        })
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.newest, self.tag)
    }
}
