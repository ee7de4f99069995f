//! The outbox: one message at a time for each conversation, until it is acknowledged or refused.

use chat_domain::{ClientMessageId, Effect, Timestamp, Verdict};
use chat_wire::error::ErrorCode;
use chat_wire::frames::{DeleteFrame, EditFrame, ErrorBody, ReactFrame, SendMessageFrame, SentFrame};
use chat_wire::message::{MessageBody, ProposalAnswerBody};
use chat_wire::rest::HistoryBody;
use chat_wire::table::ClientFrame;

use super::conversation::{Waiting, seen};
use super::syncing::next_after;
use super::timing::{answer_within_ms, longest_retry_ms};
use super::{Client, ClientBug};
use crate::directory::Directory;
use crate::environment::Timer;
use crate::gateway::{About, Line, Request};
use crate::ids::{IntentId, User};
use crate::observations::{Says, Seen, proposal};

/// Where the bug that gives every retry an id of its own puts the number of the attempt, above all ids that
/// are given out.
const ATTEMPT_SHIFT: u32 = 32;

/// What waits in the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ClientMessageId,
    pub(crate) peer: User,
    pub(crate) says: Says,
    /// By REST rather than on the socket.
    pub(crate) by_rest: bool,
    pub(crate) after: Option<Timestamp>,
    pub(crate) failed: bool,
    pub(crate) intent: IntentId,
}

impl Client {
    /// Puts something into the outbox.
    pub(crate) fn write(&mut self, line: &mut Line<'_>, peer: User, says: Says, by_rest: bool) {
        self.write_about(line, peer, says, by_rest, None);
    }

    /// Puts something into the outbox that is about a message, which its user may have seen elsewhere.
    pub(crate) fn write_about(
        &mut self,
        line: &mut Line<'_>,
        peer: User,
        says: Says,
        by_rest: bool,
        seen_at: Option<Timestamp>,
    ) {
        let known = self.conversation(peer).and_then(|conversation| conversation.newest_known());
        let after = known.max(seen_at);
        let (intent, id) = line.write(peer, says.clone());
        let device = line.device();
        line.note(format_args!("device {device} writes {says:?} to user {peer} as {id}, after {after:?}"));
        self.outbox.push(Entry { id, peer, says, by_rest, after, failed: false, intent });
        self.drain(line);
    }

    /// Sends whatever is to be sent.
    pub(super) fn drain(&mut self, line: &mut Line<'_>) {
        for peer in line.directory().everybody() {
            self.send_next(line, peer);
        }
    }

    fn entry(&self, id: ClientMessageId) -> Option<&Entry> {
        self.outbox.iter().find(|entry| entry.id == id)
    }

    fn next_entry(&mut self, peer: User) -> Option<&mut Entry> {
        self.outbox.iter_mut().find(|entry| entry.peer == peer && !entry.failed)
    }

    fn send_next(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(session) = self.session.as_ref().filter(|session| session.open) else { return };
        if session.conversations[peer].waiting.is_some() {
            return;
        }
        if self.has(ClientBug::TwoAtOnce) {
            return self.send_all(line, peer);
        }
        if let Some(entry) = self.next_entry(peer).cloned() {
            self.attempt(line, peer, &entry);
        }
    }

    fn send_all(&mut self, line: &mut Line<'_>, peer: User) {
        let entries = self.outbox.iter().filter(|entry| entry.peer == peer && !entry.failed);
        let entries: Vec<_> = entries.cloned().collect();
        for entry in entries.iter().rev() {
            self.attempt(line, peer, entry);
        }
    }

    fn attempt(&mut self, line: &mut Line<'_>, peer: User, entry: &Entry) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.attempt += 1;
        let (attempt, newest) = (conversation.attempt, conversation.newest_known());
        let answer_within_ms = answer_within_ms(conversation.unanswered);
        let Some(mut after) = entry.after else {
            conversation.waiting = Some(Waiting::Otherwise);
            return self.ask(line, Request::One(peer));
        };
        conversation.waiting = Some(Waiting::ForAnswer(entry.id));
        if self.has(ClientBug::AfterOfNow) {
            after = newest.unwrap_or(after);
        }
        let id = if self.has(ClientBug::NewIdForEveryRetry) {
            ClientMessageId::from_u128(entry.id.as_u128() + (u128::from(attempt) << ATTEMPT_SHIFT))
        } else {
            entry.id
        };
        if entry.by_rest {
            return self.ask(line, Request::Propose(peer, id));
        }
        let frame = send_frame(line.directory(), peer, id, Some(after), &entry.says);
        if self.say(line, &frame, About::Intent(entry.intent)) {
            self.timer(line, answer_within_ms, Timer::Answer(peer, attempt));
        }
    }

    /// The answer to an attempt should have come by now.
    pub(super) fn unanswered(&mut self, line: &mut Line<'_>, peer: User, attempt: u32) {
        let Some(conversation) = self.conversation(peer) else { return };
        if conversation.attempt == attempt && conversation.waits_for_answer() {
            conversation.waiting = None;
            conversation.tries += 1;
            conversation.unanswered += 1;
            self.ping(line);
            self.send_next(line, peer);
        }
    }

    /// An attempt that failed is made again.
    pub(super) fn waited(&mut self, line: &mut Line<'_>, peer: User, attempt: u32) {
        let Some(conversation) = self.conversation(peer) else { return };
        if conversation.attempt == attempt {
            conversation.waiting = None;
            self.send_next(line, peer);
        }
    }

    /// Gives the next message its `after`, if its author wrote it before anything of the room was known.
    pub(super) fn written_after(&mut self, line: &mut Line<'_>, peer: User, after: Timestamp) {
        if let Some(entry) = self.next_entry(peer) {
            entry.after.get_or_insert(after);
        }
        self.go_on(line, peer);
    }

    /// A message is acknowledged.
    pub(super) fn acknowledged(
        &mut self,
        line: &mut Line<'_>,
        peer: User,
        id: ClientMessageId,
        sent: &SentFrame,
    ) {
        let mask = (1 << ATTEMPT_SHIFT) - 1;
        let id = ClientMessageId::from_u128(id.as_u128() & mask);
        let (entry, at) = (self.entry(id).cloned(), sent.timestamp.parse::<Timestamp>());
        let any = self.has(ClientBug::TwoAtOnce);
        let hides_own = self.has(ClientBug::OwnChangesNotShown);
        let Some(conversation) = self.conversation(peer) else { return };
        let is_expected = conversation.waiting == Some(Waiting::ForAnswer(id));
        let (Some(entry), Ok(at)) = (entry, at) else { return };
        if !is_expected && !any {
            return;
        }
        conversation.wait_for(None);
        conversation.tries = 0;
        conversation.unanswered = 0;
        let proposal = matches!(entry.says, Says::Proposal(_));
        let is_change = entry.says.change().is_some();
        conversation.learn(sent.seq, Seen { at, id, mine: true, proposal, is_change });
        if let Some((target, effect)) = entry.says.change().filter(|_| !hides_own) {
            conversation.learn_own_change(target, sent.seq, at, effect.clone());
        }
        self.outbox.retain(|entry| entry.id != id);
        self.look_for_holes(line, peer);
        self.send_next(line, peer);
    }

    /// A message is refused, for now or for good.
    pub(super) fn refused(&mut self, line: &mut Line<'_>, id: ClientMessageId, error: &ErrorBody) {
        let Some(Entry { peer, after, .. }) = self.entry(id).cloned() else { return };
        let Some(conversation) = self.conversation(peer) else { return };
        if conversation.waiting != Some(Waiting::ForAnswer(id)) {
            return;
        }
        conversation.unanswered = 0;
        if !error.retryable {
            conversation.wait_for(None);
            conversation.tries = 0;
            for entry in self.outbox.iter_mut().filter(|entry| entry.id == id) {
                entry.failed = true;
            }
            return self.send_next(line, peer);
        }
        match error.code {
            ErrorCode::ResyncNeeded => self.resync(line, peer, id, after),
            ErrorCode::UnknownConnection => {
                conversation.waiting = None;
                self.renew(line);
            }
            ErrorCode::AuthExpired => {
                conversation.wait_for(None);
                self.extend(line);
                if self.session.as_ref().is_none_or(|session| !session.reauthing) {
                    self.wait(line, peer);
                }
            }
            _ => self.wait(line, peer),
        }
    }

    /// So much was written since that the server cannot tell whether a message is stored: the client looks
    /// for it.
    fn resync(&mut self, line: &mut Line<'_>, peer: User, id: ClientMessageId, after: Option<Timestamp>) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.wait_for(Some(Waiting::Otherwise));
        let newest = conversation.newest_known();
        if self.has(ClientBug::ResyncWithoutLooking) {
            if let Some(entry) = self.next_entry(peer) {
                entry.after = newest.or(after);
            }
            return self.wait(line, peer);
        }
        self.ask(line, Request::Resync(peer, id, after.unwrap_or(Timestamp::UNIX_EPOCH)));
    }

    /// Looks for a message in a page of all that was written since.
    pub(super) fn resynced(
        &mut self,
        line: &mut Line<'_>,
        peer: User,
        id: ClientMessageId,
        after: Timestamp,
        body: &HistoryBody,
    ) {
        let (text, bug) = (id.to_string(), self.bug);
        let is_it = |it: &&MessageBody| it.client_message_id == text && it.sender_email == line.me();
        let found = body.messages.iter().find(is_it);
        if let Some(message) = found {
            let entry = self.entry(id).cloned();
            self.outbox.retain(|entry| entry.id != id);
            if let (Some(entry), Ok(at)) = (entry, message.timestamp.parse()) {
                line.found(entry.intent, at, message.seq);
            }
            let (Some(seen), Some(conversation)) = (seen(message, line.me()), self.conversation(peer)) else {
                return;
            };
            conversation.learn(message.seq, seen);
            conversation.learn_states(body.messages.iter().chain(&body.changed), bug);
            self.look_for_holes(line, peer);
            return self.go_on(line, peer);
        }
        let next = next_after(body, after);
        if body.has_more {
            return self.ask(line, Request::Resync(peer, id, next));
        }
        if let Some(entry) = self.outbox.iter_mut().find(|entry| entry.id == id) {
            entry.after = Some(next);
        }
        self.go_on(line, peer);
    }

    fn go_on(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.wait_for(None);
        self.send_next(line, peer);
    }

    /// Waits, longer each time.
    pub(super) fn wait(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.wait_for(Some(Waiting::Otherwise));
        let longest = longest_retry_ms(conversation.tries);
        conversation.tries += 1;
        let attempt = conversation.attempt;
        let delay = line.random_ms(longest / 2..longest);
        self.timer(line, delay, Timer::Backoff(peer, attempt));
    }
}

/// The frame that changes the message of a time.
fn change_frame(
    peer_email: String,
    id: ClientMessageId,
    after: Option<Timestamp>,
    (target, effect): (Timestamp, &Effect),
) -> ClientFrame {
    let (client_message_id, after) = (Some(id.to_string()), after.map(|after| after.to_string()));
    let target = target.to_string();
    match effect {
        Effect::React(reactions) => {
            let emoji = reactions.iter().map(ToString::to_string).collect();
            ClientFrame::React(ReactFrame { peer_email, target, emoji, client_message_id, after })
        }
        Effect::Edit(text) => {
            let message = text.as_str().to_owned();
            ClientFrame::Edit(EditFrame { peer_email, target, message, client_message_id, after })
        }
        Effect::Delete => ClientFrame::Delete(DeleteFrame { peer_email, target, client_message_id, after }),
    }
}

/// The frame that sends something.
pub(crate) fn send_frame(
    directory: &Directory,
    peer: User,
    id: ClientMessageId,
    after: Option<Timestamp>,
    says: &Says,
) -> ClientFrame {
    if let Some(change) = says.change() {
        return change_frame(directory.email(peer).to_string(), id, after, change);
    }
    let mut frame = SendMessageFrame {
        reply_to: says.reply_to().map(|at| at.to_string()),
        receiver_email: directory.email(peer).to_string(),
        client_message_id: Some(id.to_string()),
        after: after.map(|after| after.to_string()),
        ..SendMessageFrame::default()
    };
    match says {
        Says::Text(text) | Says::Reply(text, _) => frame.message = Some(text.clone()),
        Says::Proposal(place) => frame.proposal = Some(proposal(place)),
        Says::Answer(proposal, verdict) => {
            frame.proposal_answer = Some(ProposalAnswerBody {
                proposal: proposal.to_string(),
                answer: Verdict::as_str(*verdict).to_owned(),
            });
        }
        Says::Change(..) => {}
    }
    ClientFrame::SendMessage(frame)
}
