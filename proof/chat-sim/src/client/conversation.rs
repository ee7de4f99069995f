//! A conversation, as far as a client knows it.

use std::collections::BTreeMap;

use chat_domain::{ClientMessageId, Timestamp};
use chat_wire::frames::ChangedFrame;
use chat_wire::message::{KindName, MessageBody};
use chat_wire::rest::HistoryBody;

use super::ClientBug;
use crate::observations::{ChangedMessage, Seen};

/// What a conversation's next message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The message was sent, and its answer has not come.
    ForAnswer(ClientMessageId),
    /// A page has to come first, or time has to pass.
    Otherwise,
}

#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// The messages that are known, by their numbers.
    pub(super) messages: BTreeMap<u64, Seen>,
    /// What is known of messages that have changed, loaded or not.
    pub(super) changed: BTreeMap<Timestamp, ChangedMessage>,
    /// The number from which on the messages are meant to have no hole. `None` if no page was loaded.
    pub(super) anchor: Option<u64>,
    /// The newest message that is known of, loaded or not.
    pub(super) last: Option<(u64, Timestamp)>,
    pub(super) my_read: Option<Timestamp>,
    /// A read mark that is not known to be stored.
    pub(super) mark: Option<Timestamp>,
    pub(super) syncing: bool,
    /// Another sync was asked for while one runs.
    pub(super) sync_again: bool,
    /// The client waits for what is missing before it syncs.
    pub(super) hole_timer: bool,
    pub(super) waiting: Option<Waiting>,
    /// How many tries have failed in a row.
    pub(super) tries: u32,
    /// How many tries in a row had no answer.
    pub(super) unanswered: usize,
    /// Counts on whenever what it waits for changes, so that earlier timers count for nothing.
    pub(super) attempt: u32,
    /// The numbers of what came by push.
    pub(super) pushed: Vec<u64>,
}

impl Conversation {
    /// The number up to which everything is known, counted from what was loaded.
    pub(super) fn known_seq(&self) -> Option<u64> {
        let anchor = self.anchor?;
        let mut loaded = self.messages.range(anchor..).map(|(seq, _)| *seq);
        let Some(first) = loaded.next() else { return Some(anchor) };
        if anchor == 0 && first != 1 {
            return Some(0);
        }
        let mut known = first;
        for seq in loaded {
            if seq != known + 1 {
                break;
            }
            known = seq;
        }
        Some(known)
    }

    pub(super) fn has_hole(&self) -> bool {
        let newest = self.messages.last_key_value().map_or(0, |(seq, _)| *seq);
        let newest = newest.max(self.last.map_or(0, |(seq, _)| seq));
        self.known_seq().is_some_and(|known| newest > known)
    }

    /// The `after` of the next sync.
    pub(super) fn sync_cursor(&self) -> Option<Timestamp> {
        let known = self.known_seq()?;
        let at = self.messages.get(&known).map(|seen| seen.at);
        Some(at.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The `after` of a message that is written now.
    pub(super) fn newest_known(&self) -> Option<Timestamp> {
        let empty = (self.anchor == Some(0)).then_some(Timestamp::UNIX_EPOCH);
        self.last.map(|(_, at)| at).or(empty)
    }

    /// The oldest message that is loaded.
    pub(super) fn oldest_loaded(&self) -> Option<Timestamp> {
        self.messages.first_key_value().map(|(_, seen)| seen.at)
    }

    /// Takes a message in, and forgets what lies below a hole.
    pub(super) fn learn(&mut self, seq: u64, seen: Seen) {
        self.merge(seq, seen);
        self.forget_below_hole();
    }

    /// Takes a page in, which may be the newest one.
    pub(super) fn learn_page(
        &mut self,
        body: &HistoryBody,
        me: &str,
        is_newest: bool,
        bug: Option<ClientBug>,
    ) {
        let messages = &body.messages;
        let seqs = messages.iter().map(|message| message.seq);
        let (top, bottom) = (seqs.clone().max().unwrap_or(0), seqs.min().unwrap_or(0));
        let known = self.known_seq();
        if is_newest && known.is_none_or(|known| bottom > known + 1) {
            self.anchor = Some(top);
        }
        for message in messages {
            if let Some(seen) = seen(message, me) {
                self.merge(message.seq, seen);
            }
        }
        self.learn_states(messages.iter().chain(&body.changed), bug);
        self.forget_below_hole();
    }

    /// Learns how far its user has read.
    pub(super) fn read_up_to(&mut self, up_to: Option<&String>) {
        self.my_read = self.my_read.max(up_to.and_then(|up_to| up_to.parse().ok()));
    }

    /// Waits for something else, or for nothing.
    pub(super) fn wait_for(&mut self, waiting: Option<Waiting>) {
        self.waiting = waiting;
        self.attempt += 1;
    }

    pub(super) fn waits_for_answer(&self) -> bool {
        matches!(self.waiting, Some(Waiting::ForAnswer(_)))
    }

    fn merge(&mut self, seq: u64, seen: Seen) {
        self.messages.insert(seq, seen);
        self.last = self.last.max(Some((seq, seen.at)));
    }

    fn forget_below_hole(&mut self) {
        let Some(anchor) = self.anchor.filter(|anchor| *anchor > 0) else { return };
        let mut lowest = anchor;
        for seq in self.messages.range(..anchor).rev().map(|(seq, _)| *seq) {
            if seq + 1 != lowest {
                break;
            }
            lowest = seq;
        }
        self.messages = self.messages.split_off(&lowest);
    }
}

/// What a client keeps of a message.
pub(super) fn seen(message: &MessageBody, me: &str) -> Option<Seen> {
    Some(Seen {
        at: message.timestamp.parse().ok()?,
        id: message.client_message_id.parse().ok()?,
        mine: message.sender_email == me,
        proposal: message.proposal.is_some(),
        is_change: message.kind == KindName::Change,
    })
}

/// What a client keeps of an entry that it is told of.
pub(super) fn seen_entry(frame: &ChangedFrame, me: &str) -> Option<Seen> {
    Some(Seen {
        at: frame.timestamp.parse().ok()?,
        id: frame.client_message_id.parse().ok()?,
        mine: frame.sender_email == me,
        proposal: false,
        is_change: true,
    })
}
