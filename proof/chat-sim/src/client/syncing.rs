//! How a client finds out what it does not know.

use chat_domain::Timestamp;
use chat_wire::error::ErrorCode;
use chat_wire::frames::{MarkReadFrame, TypingFrame};
use chat_wire::rest::{ConversationsBody, HistoryBody};
use chat_wire::table::ClientFrame;

use super::timing::{HOLE_PATIENCE_MS, SYNC_PAGES_MAX};
use super::{Client, ClientBug};
use crate::environment::Timer;
use crate::gateway::{About, HttpRequest, Line, Request, Response};
use crate::ids::User;
use crate::observations::{Listed, Says};

/// How long somebody who was signed out takes to sign in.
const SIGN_IN_MS: std::ops::Range<i64> = 1_000..10_000;

impl Client {
    /// Brings everything up to date.
    pub(crate) fn sync(&mut self, line: &mut Line<'_>) {
        self.refresh_list(line);
        if let Some(active) = self.session.as_ref().and_then(|session| session.active) {
            self.sync_conversation(line, active);
        }
    }

    pub(super) fn refresh_list(&mut self, line: &mut Line<'_>) {
        if self.session.is_some() {
            self.ask(line, Request::List(None));
        }
    }

    /// Makes a conversation the one that is looked at.
    pub(crate) fn look_at(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(session) = self.session.as_mut() else { return };
        session.active = Some(peer);
        self.sync_conversation(line, peer);
    }

    fn sync_conversation(&mut self, line: &mut Line<'_>, peer: User) {
        let past_holes = self.has(ClientBug::CursorPastAHole);
        let Some(conversation) = self.conversation(peer) else { return };
        if conversation.syncing {
            conversation.sync_again = true;
            return;
        }
        conversation.syncing = true;
        let newest = conversation.messages.last_key_value().map(|(_, seen)| seen.at);
        let cursor = newest.filter(|_| past_holes).or(conversation.sync_cursor());
        let request = match cursor {
            Some(after) => Request::After(peer, after, 0),
            None => Request::Newest(peer),
        };
        self.ask(line, request);
    }

    /// Asks for the page before what is loaded, if anything is.
    pub(crate) fn scroll_up(&mut self, line: &mut Line<'_>, peer: User) {
        if let Some(before) = self.oldest_loaded(peer) {
            self.look_before(line, peer, before);
        }
    }

    /// Asks for the page before a place.
    pub(crate) fn look_before(&mut self, line: &mut Line<'_>, peer: User, before: Timestamp) {
        if self.session.is_some() {
            self.ask(line, Request::Older(peer, before));
        }
    }

    pub(super) fn ask(&mut self, line: &mut Line<'_>, request: Request) {
        self.ask_again(line, request, false);
    }

    /// Asks with a new token if the request is made a second time, because the old one was refused.
    fn ask_again(&mut self, line: &mut Line<'_>, request: Request, retried: bool) {
        let token = self.token(line, retried);
        let http = self.to_http(line, &request);
        line.request(self.epoch, request, http, token, retried);
    }

    fn to_http(&self, line: &Line<'_>, request: &Request) -> HttpRequest {
        let entry = match request {
            Request::Propose(_, id) => self.outbox.iter().find(|entry| entry.id == *id),
            _ => None,
        };
        let proposed = entry.map(|entry| match &entry.says {
            Says::Proposal(place) => (place.as_str(), entry.after),
            _ => ("", entry.after),
        });
        request.to_http(line.directory(), proposed)
    }

    /// The answer to a request.
    pub(crate) fn answered(
        &mut self,
        line: &mut Line<'_>,
        request: Request,
        response: Response,
        retried: bool,
    ) {
        if self.session.is_none() {
            return;
        }
        if let Response::Refused(error) = &response
            && matches!(error.code, ErrorCode::Unauthorized | ErrorCode::AuthExpired)
        {
            return self.signed_out(line, request, retried);
        }
        match (request, response) {
            (Request::List(_), Response::List(body)) => self.listed(line, &body),
            (Request::Newest(peer), Response::History(body)) => {
                self.learn_page(line, peer, &body, true);
                self.ask(line, Request::After(peer, newest_of(&body), 1));
            }
            (Request::After(peer, after, pages), Response::History(body)) => {
                self.synced_page(line, peer, after, pages, &body);
            }
            (Request::Newest(peer) | Request::After(peer, ..), _) => {
                if let Some(conversation) = self.conversation(peer) {
                    conversation.syncing = false;
                    conversation.sync_again = false;
                }
            }
            (Request::One(peer), Response::History(body)) => {
                self.written_after(line, peer, newest_of(&body));
            }
            (Request::Resync(peer, id, after), Response::History(body)) => {
                self.resynced(line, peer, id, after, &body);
            }
            (Request::Propose(peer, id), Response::Sent(sent)) => self.acknowledged(line, peer, id, &sent),
            // Whoever is suspended goes on here, as somebody would who does not take no for an answer.
            (Request::Propose(peer, _), Response::Refused(error)) if error.code == ErrorCode::Suspended => {
                self.wait(line, peer);
            }
            (Request::Propose(_, id), Response::Refused(error)) => self.refused(line, id, &error),
            (Request::One(peer) | Request::Resync(peer, ..) | Request::Propose(peer, _), _) => {
                self.wait(line, peer);
            }
            (Request::Older(peer, _), Response::History(body)) => self.learn_page(line, peer, &body, false),
            (Request::List(_) | Request::Older(..), _) => {}
        }
    }

    /// A request was refused for its token: it is made again with a new one, and after that the user has to
    /// sign in.
    fn signed_out(&mut self, line: &mut Line<'_>, request: Request, retried: bool) {
        if !retried {
            return self.ask_again(line, request, true);
        }
        line.note(format_args!("device {} is signed out", line.device()));
        self.crash(line);
        let delay = line.random_ms(SIGN_IN_MS);
        self.timer(line, delay, Timer::SignIn);
    }

    fn listed(&mut self, line: &mut Line<'_>, body: &ConversationsBody) {
        let Some(session) = self.session.as_mut() else { return };
        for found in &body.conversations {
            let Some(peer) = line.directory().user_called(&found.peer_email) else { continue };
            let listed = Listed {
                last_seq: found.last_seq,
                unread: found.unread,
                request: found.request,
                blocked: found.blocked,
            };
            session.list.insert(peer, listed);
            let at = found.last_timestamp.parse().ok();
            let conversation = &mut session.conversations[peer];
            conversation.last = conversation.last.max(at.map(|at| (found.last_seq, at)));
        }
        if let Some(cursor) = body.next_cursor.clone() {
            return self.ask(line, Request::List(Some(cursor)));
        }
        if self.has(ClientBug::HolesIgnored) {
            return;
        }
        let Some(session) = &self.session else { return };
        let behind: Vec<User> = session
            .conversations
            .enumerated()
            .filter(|(_, conversation)| conversation.anchor.is_some() && conversation.has_hole())
            .map(|(peer, _)| peer)
            .collect();
        for peer in behind {
            self.sync_conversation(line, peer);
        }
    }

    fn learn_page(&mut self, line: &Line<'_>, peer: User, body: &HistoryBody, is_newest: bool) {
        let bug = self.bug;
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.learn_page(body, line.me(), is_newest, bug);
        conversation.read_up_to(body.my_read_up_to.as_ref());
    }

    fn synced_page(
        &mut self,
        line: &mut Line<'_>,
        peer: User,
        after: Timestamp,
        pages: u32,
        body: &HistoryBody,
    ) {
        self.learn_page(line, peer, body, false);
        if !body.has_more {
            self.synced(line, peer);
        } else if pages + 1 >= SYNC_PAGES_MAX {
            self.ask(line, Request::Newest(peer));
        } else {
            self.ask(line, Request::After(peer, next_after(body, after), pages + 1));
        }
    }

    fn synced(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.syncing = false;
        if std::mem::take(&mut conversation.sync_again) {
            self.sync_conversation(line, peer);
        }
    }

    /// Waits a moment for what is missing, if anything is.
    pub(super) fn look_for_holes(&mut self, line: &mut Line<'_>, peer: User) {
        if self.has(ClientBug::HolesIgnored) {
            return;
        }
        let Some(conversation) = self.conversation(peer) else { return };
        if conversation.anchor.is_some() && conversation.has_hole() && !conversation.hole_timer {
            conversation.hole_timer = true;
            self.timer(line, HOLE_PATIENCE_MS, Timer::Hole(peer));
        }
    }

    /// What was missing should have come by now.
    pub(super) fn look_again(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(conversation) = self.conversation(peer) else { return };
        conversation.hole_timer = false;
        if conversation.anchor.is_some() && conversation.has_hole() {
            self.sync_conversation(line, peer);
        }
    }

    /// Says that everything loaded was read.
    pub(crate) fn mark_read(&mut self, line: &mut Line<'_>, peer: User) {
        let Some(conversation) = self.conversation(peer).filter(|it| it.anchor.is_some()) else { return };
        let theirs = conversation.messages.values().rev().find(|seen| !seen.mine).map(|seen| seen.at);
        if theirs <= conversation.my_read {
            return;
        }
        conversation.mark = theirs;
        self.send_mark(line, peer);
    }

    pub(super) fn send_mark(&mut self, line: &mut Line<'_>, peer: User) {
        if let Some(up_to) = self.conversation(peer).and_then(|conversation| conversation.mark) {
            self.say_mark(line, peer, up_to);
        }
    }

    pub(crate) fn say_mark(&self, line: &mut Line<'_>, peer: User, up_to: Timestamp) {
        line.wants_mark(peer, up_to);
        let peer_email = line.directory().email(peer).to_string();
        let frame = ClientFrame::MarkRead(MarkReadFrame { peer_email, up_to: up_to.to_string() });
        self.say(line, &frame, About::Mark(peer, up_to));
    }

    pub(crate) fn say_typing(&self, line: &mut Line<'_>, peer: User) {
        let receiver_email = line.directory().email(peer).to_string();
        self.say(line, &ClientFrame::Typing(TypingFrame { receiver_email }), About::Other);
    }
}

/// The `after` of what follows the newest page.
fn newest_of(body: &HistoryBody) -> Timestamp {
    let newest = body.messages.first().and_then(|message| message.timestamp.parse().ok());
    newest.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The `after` of what follows a page that was asked for after a place.
pub(super) fn next_after(body: &HistoryBody, after: Timestamp) -> Timestamp {
    body.next_after.as_ref().and_then(|next| next.parse().ok()).unwrap_or(after)
}
