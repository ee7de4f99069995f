//! What the plan has people do, and what others do to them.

use std::time::Duration;

use chat_domain::{
    Content, DailyLimits, Draft, Effect, Emoji, Reactions, Room, SendPolicy, SendRate, Timestamp, Verdict,
};
use chat_wire::table::ClientFrame;
use serde_json::json;

use super::Simulation;
use super::convergence::CROWD_APART_MS;
use crate::checkers::StoredMessage;
use crate::client::send_frame;
use crate::environment::timestamp;
use crate::faults::Fault;
use crate::gateway::{About, Asker, DeviceLife, Request};
use crate::ids::{DeviceId, IntentId, User};
use crate::observations::{Observation, Says, Written};
use crate::plan::{Act, Age, Hammer, Hopeless, MessageOf, WhatChanges};

/// How long a device is down that has lost its storage.
const STORAGE_LOST_DOWN_MS: i64 = 500;
const DAY_MS: i64 = 86_400_000;
/// What people leave on messages.
const EMOJI: [&str; 4] = ["👍", "🎉", "⚽", "😂"];
/// How far ahead of everything that happens here something is said to be.
const FAR_AHEAD: Duration = Duration::from_secs(365 * 86_400);
/// How long before the end of the days away the store deletes what is past its age.
const BEFORE_RETURN_MS: i64 = 1_000;

/// What becomes of a message, which has these words if it is edited.
pub(crate) fn effect_of(what: WhatChanges, words: &str) -> Effect {
    match what {
        WhatChanges::React(bits) => {
            let chosen = EMOJI.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
            let chosen = chosen.map(|(_, emoji)| emoji.parse::<Emoji>().expect("it is an emoji"));
            Effect::React(Reactions::new(chosen.collect()).expect("they are few and differ"))
        }
        WhatChanges::Edit => Effect::Edit(words.parse().expect("they are short")),
        WhatChanges::Delete => Effect::Delete,
    }
}

impl Simulation {
    /// Does what the plan says.
    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Open { device, peer } => self.with(device, |client, line| client.look_at(line, peer)),
            Act::Write { device, peer } => self.write_words(device, peer),
            Act::WriteAndCrash { device, peer, after_ms, down_ms } => {
                self.write_and_crash(device, peer, after_ms, down_ms);
            }
            Act::Read { device, peer } => self.with(device, |client, line| client.mark_read(line, peer)),
            Act::Type { device, peer } => self.with(device, |client, line| client.say_typing(line, peer)),
            Act::Decide { device, peer, change } => {
                self.with(device, |client, line| client.decide(line, peer, change));
            }
            Act::Report { device, peer } => self.with(device, |client, line| client.report(line, peer)),
            Act::WriteOn { device, peer, count } => (0..count).for_each(|_| self.write_words(device, peer)),
            Act::Focus { device } => self.with(device, |client, line| {
                client.ping(line);
                client.sync(line);
            }),
            Act::Ping { device } => self.with(device, |client, line| client.ping(line)),
            Act::Older { device, peer } => self.with(device, |client, line| client.scroll_up(line, peer)),
            Act::Propose { device, peer, by_rest } => {
                let says = Says::Proposal(format!("field {}", self.written()));
                self.with(device, |client, line| client.write(line, peer, says, by_rest));
            }
            Act::Answer { device, peer, verdict } => self.answer_proposal(device, peer, verdict),
            Act::Change { device, peer, of, what } => self.change(device, peer, of, what),
            Act::Reply { device, peer, of } => self.reply(device, peer, of),
            Act::LookAt { device, peer, of } => self.look_at_message(device, peer, of),
            Act::Hopeless { device, peer, how } => self.ask_in_vain(device, peer, how),
            Act::Crash { device, down_ms } => {
                self.with(device, |client, line| client.crash_for(line, down_ms));
            }
            Act::LoseStorage { device } => self.lose_storage(device),
            Act::Cut { device } => {
                if let Some(socket) = self.clients[device].socket() {
                    self.environment().happened(Fault::ConnectionCut);
                    self.gateway.lose(socket);
                }
            }
            Act::Away { days } => self.away(days),
            Act::Revoke { device } => {
                let token = self.clients[device].current_token();
                self.environment().revoke(token);
            }
            Act::LoseRegion { region, for_ms } => self.gateway.lose_region(region, for_ms),
            Act::Order { user, order } => self.order(user, order),
            Act::Flood { user, peer, count } => self.flood(user, peer, count),
            Act::Crowd { device, count } => {
                self.environment().happened(Fault::ManyConnections);
                self.crowd(device, count);
            }
            Act::Hammer { device, peer, with, count } => self.hammer(device, peer, with, count),
            Act::OneMore { device } => {
                let token = self.with(device, |client, line| client.token(line, false));
                let life = self.life(device);
                self.gateway.connect(life, token, true);
            }
            Act::ForeignCursor { device } => self.foreign_cursor(device),
            Act::ForeignToken { device } => self.foreign_token(device),
            Act::Forge { device, peer } => self.forge(device, peer),
            Act::ReuseId { device } => self.reuse_id(device),
            Act::WildMark { device, peer, offset_ms } => self.wild_mark(device, peer, offset_ms),
            Act::Plain { device, peer } => self.plain(device, peer),
        }
    }

    /// How many messages were written so far: it makes the words of each others than those of any other one.
    fn written(&self) -> usize {
        self.environment().record().intents.len()
    }

    pub(crate) fn life(&self, device: DeviceId) -> DeviceLife {
        let client = &self.clients[device];
        DeviceLife { device, user: client.user(), epoch: client.epoch() }
    }

    fn write_words(&mut self, device: DeviceId, peer: User) {
        if self.clients[device].is_running() {
            let says = Says::Text(format!("words {}", self.written()));
            self.with(device, |client, line| client.write(line, peer, says, false));
        }
    }

    fn write_about(&mut self, device: DeviceId, peer: User, says: Says, seen_at: Option<Timestamp>) {
        if self.clients[device].is_running() {
            self.with(device, |client, line| client.write_about(line, peer, says, false, seen_at));
        }
    }

    /// When one of the messages of a conversation was sent. The user may have seen it elsewhere, if the
    /// device does not show it.
    fn message_of(&self, device: DeviceId, peer: User, of: MessageOf) -> Option<Timestamp> {
        let environment = self.environment();
        let (directory, record) = (environment.directory(), environment.record());
        let room = record.room_of(self.clients[device].user(), peer);
        let author = of.author.map(|author| directory.email(author));
        let is_theirs = |row: &&StoredMessage| author.is_none_or(|it| row.message.sender_email() == it);
        let theirs = room.messages().filter(is_theirs);
        let found = match of.age {
            Age::NewestBut(count) => theirs.rev().take(usize::from(count) + 1).last(),
            Age::OldestBut(count) => theirs.take(usize::from(count) + 1).last(),
        };
        found.map(|row| row.message.at)
    }

    /// What becomes of a message. No two edits say the same.
    fn effect(&self, what: WhatChanges) -> Effect {
        effect_of(what, &format!("edited {}", self.written()))
    }

    pub(super) fn change(&mut self, device: DeviceId, peer: User, of: MessageOf, what: WhatChanges) {
        if let Some(target) = self.message_of(device, peer, of) {
            let says = Says::Change(target, self.effect(what));
            self.write_about(device, peer, says, Some(target));
        }
    }

    fn reply(&mut self, device: DeviceId, peer: User, of: MessageOf) {
        if let Some(at) = self.message_of(device, peer, of) {
            let says = Says::Reply(format!("reply {}", self.written()), at);
            self.write_about(device, peer, says, Some(at));
        }
    }

    fn look_at_message(&mut self, device: DeviceId, peer: User, of: MessageOf) {
        if let Some(at) = self.message_of(device, peer, of) {
            self.with(device, |client, line| client.look_before(line, peer, at.next()));
        }
    }

    /// Somebody asks for a change that is refused in any case, or replies to what is no message.
    fn ask_in_vain(&mut self, device: DeviceId, peer: User, how: Hopeless) {
        let newest = |author| MessageOf { author, age: Age::NewestBut(0) };
        let latest_change = || {
            let environment = self.environment();
            let room = environment.record().room_of(self.clients[device].user(), peer);
            room.rows.iter().rev().find(|row| !row.is_message()).map(|row| row.message.at)
        };
        let any = self.message_of(device, peer, newest(None));
        // Just before a message there is hardly ever another one.
        let nothing = any.map(Timestamp::previous).filter(|at| self.is_free(device, peer, *at));
        let (target, seen_at) = match how {
            Hopeless::EditAnothers | Hopeless::DeleteAnothers => {
                let theirs = self.message_of(device, peer, newest(Some(peer)));
                (theirs, theirs)
            }
            Hopeless::ChangeNothing | Hopeless::ReplyToNothing => (nothing, any),
            Hopeless::ChangeTheFuture => (any.map(|at| at.after(FAR_AHEAD)), None),
            Hopeless::ChangeAChange | Hopeless::ReplyToAChange => {
                let change = latest_change();
                (change, change)
            }
        };
        let Some(target) = target.filter(|_| self.clients[device].is_running()) else { return };
        self.environment().happened(Fault::HopelessChange);
        let says = match how {
            Hopeless::ReplyToNothing | Hopeless::ReplyToAChange => {
                Says::Reply(format!("reply {}", self.written()), target)
            }
            Hopeless::EditAnothers => Says::Change(target, self.effect(WhatChanges::Edit)),
            Hopeless::DeleteAnothers => Says::Change(target, Effect::Delete),
            Hopeless::ChangeNothing | Hopeless::ChangeTheFuture | Hopeless::ChangeAChange => {
                Says::Change(target, self.effect(WhatChanges::React(1)))
            }
        };
        self.write_about(device, peer, says, seen_at);
    }

    /// Whether a conversation has nothing at a time.
    fn is_free(&self, device: DeviceId, peer: User, at: Timestamp) -> bool {
        let environment = self.environment();
        environment.record().room_of(self.clients[device].user(), peer).row(at).is_none()
    }

    fn write_and_crash(&mut self, device: DeviceId, peer: User, after_ms: i64, down_ms: i64) {
        self.write_words(device, peer);
        if after_ms == 0 {
            self.environment().happened(Fault::CrashBeforeSend);
            self.with(device, |client, line| client.crash_for(line, down_ms));
        } else {
            self.environment().happened(Fault::CrashAfterSend);
            self.act_later(after_ms, Act::Crash { device, down_ms });
        }
    }

    /// Answers the latest proposal that the device sees. One user may give the same answer from two devices:
    /// both mean it, and one of them is refused.
    fn answer_proposal(&mut self, device: DeviceId, peer: User, verdict: Verdict) {
        let mine = verdict == Verdict::Withdrawn;
        if let Some(proposal) = self.clients[device].latest_proposal(peer, mine) {
            let says = Says::Answer(proposal, verdict);
            self.with(device, |client, line| client.write(line, peer, says, false));
        }
    }

    fn lose_storage(&mut self, device: DeviceId) {
        let lost: Vec<IntentId> = self.clients[device].outbox().iter().map(|entry| entry.intent).collect();
        let mut environment = self.environment();
        environment.happened(Fault::StorageLost);
        for intent in lost {
            environment.observe(&Observation::Forgotten(intent));
        }
        drop(environment);
        self.with(device, |client, line| {
            client.crash_for(line, STORAGE_LOST_DOWN_MS);
            client.lose_storage();
        });
    }

    /// Everybody writes, leaves, and comes back days later.
    fn away(&mut self, days: u8) {
        let away_ms = i64::from(days) * DAY_MS;
        for device in self.clients.ids() {
            let peer = self.plan.user_after(self.clients[device].user(), 1);
            self.write_words(device, peer);
            if self.clients[device].outbox().iter().any(|entry| !entry.failed) {
                self.environment().happened(Fault::AwayForDays);
            }
            self.with(device, |client, line| client.crash_for(line, away_ms));
        }
        self.leave_crowd();
        let expire = self.environment().hit(Fault::RowsExpire);
        self.run_for(away_ms - BEFORE_RETURN_MS);
        if expire {
            self.environment().expire_rows();
        }
    }

    /// A device opens many connections, one soon after the other.
    pub(super) fn crowd(&mut self, device: DeviceId, count: u8) {
        let mut delay = 0;
        for _ in 0..count {
            delay += self.environment().random_ms(0..CROWD_APART_MS);
            self.act_later(delay, Act::OneMore { device });
        }
    }

    /// Far more requests at once than one may make.
    fn hammer(&mut self, device: DeviceId, peer: User, with: Hammer, count: u16) {
        if !self.gateway.counts_requests() {
            return;
        }
        if let Hammer::List = with {
            self.hammers();
            let (user, directory) = (self.clients[device].user(), self.environment().directory().clone());
            let token = self.with(device, |client, line| client.token(line, false));
            for _ in 0..count {
                let http = Request::List(None).to_http(&directory, None);
                self.gateway.rest(user, http, token, Asker::Nobody);
            }
            return;
        }
        let Some(socket) = self.clients[device].open_socket() else { return };
        self.hammers();
        let up_to = timestamp(self.environment().now_ms());
        for _ in 0..count {
            self.with(device, |client, line| match with {
                Hammer::Typing => client.say_typing(line, peer),
                Hammer::Mark => client.say_mark(line, peer, up_to),
                Hammer::Ping => client.say_ping(line),
                Hammer::Noise | Hammer::List => {}
            });
            if let Hammer::Noise = with {
                let asker = Asker::Frame(socket, About::Other);
                self.gateway.frame(socket, "{".to_owned(), None, asker);
            }
        }
    }

    /// That somebody is held up for the rest of an hour is counted where it is written.
    fn hammers(&self) {
        if self.plan.per_hour.is_none() {
            self.environment().happened(Fault::Hammering);
        }
    }

    /// Many messages at once, straight into the store, as a fast client would have sent them.
    pub(crate) fn flood(&mut self, user: User, peer: User, count: u8) {
        let mut environment = self.environment();
        environment.happened(Fault::Flood);
        let rate = SendRate { burst: std::num::NonZeroU32::MAX, per_second: std::num::NonZeroU32::MAX };
        let first_contact = environment.settings().first_contact;
        let policy = SendPolicy { rate, first_contact, daily: DailyLimits::UNLIMITED };
        for _ in 0..count {
            let words = format!("flood {}", environment.record().intents.len());
            let id = environment.next_message_id();
            environment.write(&Written {
                user,
                peer,
                device: None,
                id: Some(id),
                says: Says::Text(words.clone()),
                unattended: true,
                without_after: false,
            });
            let room = environment.directory().room_of(user, peer).clone();
            let head = environment.room(&room);
            let head = head.map_or_else(|| Room::empty(room), |head| Room::clone(&head));
            let sender = environment.directory().member(user, peer);
            let draft = Draft {
                id,
                sender,
                content: Content::Text(words.parse().expect("it is short")),
                reply_to: None,
            };
            let now = timestamp(environment.now_ms());
            let Ok(append) = head.append(&draft, now, policy) else { return };
            drop(environment);
            self.gateway.store_at_once(append);
            environment = self.environment();
        }
    }

    /// The cursor of another user, as that user's list would show it.
    fn foreign_cursor(&mut self, device: DeviceId) {
        let user = self.clients[device].user();
        let other = self.plan.user_after(user, 1);
        let environment = self.environment();
        let directory = environment.directory().clone();
        let place = environment.any_activity();
        drop(environment);
        let Some(place) = place else { return };
        self.environment().happened(Fault::ForeignCursor);
        let cursor = chat_wire::cursor::encode(place, directory.email(other));
        let token = self.with(device, |client, line| client.token(line, false));
        let http = Request::List(Some(cursor)).to_http(&directory, None);
        self.gateway.rest(user, http, token, Asker::Refusal("somebody else's cursor"));
    }

    /// A token that another pool issued for the user's address.
    fn foreign_token(&mut self, device: DeviceId) {
        let life = self.life(device);
        let mut environment = self.environment();
        environment.happened(Fault::ForeignToken);
        let token = environment.issue_elsewhere(life.user);
        let directory = environment.directory().clone();
        drop(environment);
        self.gateway.connect(life, token, true);
        let http = Request::List(None).to_http(&directory, None);
        self.gateway.rest(life.user, http, token, Asker::Refusal("a token of another pool"));
    }

    /// Somebody names the peer as the sender.
    fn forge(&mut self, device: DeviceId, peer: User) {
        let Some(socket) = self.clients[device].open_socket() else { return };
        let mut environment = self.environment();
        environment.happened(Fault::ForgedSender);
        let user = environment.socket(socket).user;
        let words = format!("forged words {}", environment.record().intents.len());
        let id = environment.next_message_id();
        let intent = environment.write(&Written {
            user,
            peer,
            device: Some(device),
            id: Some(id),
            says: Says::Text(words.clone()),
            unattended: true,
            without_after: true,
        });
        let peer_email = environment.directory().email(peer).to_string();
        let room = environment.directory().name_of(user, peer).to_owned();
        drop(environment);
        let frame = json!({
            "action": "sendMessage", "receiverEmail": peer_email, "message": words,
            "clientMessageId": id.to_string(), "senderEmail": peer_email, "roomId": room,
            "timestamp": "2020-01-01T00:00:00.000Z", "read": true, "seq": 1,
        });
        let asker = Asker::Frame(socket, About::Intent(intent));
        self.gateway.frame(socket, frame.to_string(), None, asker);
    }

    /// The id of something acknowledged, for other words.
    fn reuse_id(&mut self, device: DeviceId) {
        let Some(socket) = self.clients[device].open_socket() else { return };
        let user = self.clients[device].user();
        let environment = self.environment();
        let mut intents = environment.record().intents.iter().rev();
        let acked = intents.find(|intent| intent.user == user && intent.acked.is_some());
        let is_change = acked.is_some_and(|intent| intent.says.change().is_some());
        let acked = acked.and_then(|intent| Some((intent.id?, intent.peer, intent.acked?.0)));
        let directory = environment.directory().clone();
        drop(environment);
        let Some((id, peer, at)) = acked else { return };
        self.environment().happened(Fault::IdReused);
        // What a message said is forgotten when it changes. Then its id alone counts, and only a change is
        // certain to be something else.
        let says = match is_change {
            false if self.plan.changes_messages() => Says::Change(at.previous(), Effect::Delete),
            _ => Says::Text("other words".to_owned()),
        };
        let frame: ClientFrame = send_frame(&directory, peer, id, Some(Timestamp::previous(at)), &says);
        let text = serde_json::to_string(&frame).expect("strings always serialise");
        let asker = Asker::Refusal("an id that was used for something else");
        self.gateway.frame(socket, text, None, asker);
    }

    /// Marks as read what does not exist.
    fn wild_mark(&mut self, device: DeviceId, peer: User, offset_ms: i64) {
        self.environment().happened(Fault::WildReadMark);
        // What was read long ago is marked again when the offset is negative.
        let oldest = self.clients[device].oldest_loaded(peer).filter(|_| offset_ms < -1);
        let now_ms = self.environment().now_ms();
        let up_to = oldest.unwrap_or_else(|| timestamp(now_ms + offset_ms));
        self.with(device, |client, line| client.say_mark(line, peer, up_to));
    }

    /// Sends a message in a frame without an id.
    fn plain(&mut self, device: DeviceId, peer: User) {
        let Some(socket) = self.clients[device].open_socket() else { return };
        let mut environment = self.environment();
        environment.happened(Fault::PlainFrame);
        let words = format!("plain words {}", environment.record().intents.len());
        let user = environment.socket(socket).user;
        let intent = environment.write(&Written {
            user,
            peer,
            device: Some(device),
            id: None,
            says: Says::Text(words.clone()),
            unattended: true,
            without_after: true,
        });
        let receiver = environment.directory().email(peer).to_string();
        drop(environment);
        let frame = json!({ "action": "sendMessage", "receiverEmail": receiver, "message": words });
        let asker = Asker::Frame(socket, About::Intent(intent));
        self.gateway.frame(socket, frame.to_string(), None, asker);
    }
}
