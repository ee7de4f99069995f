//! One user's side of a conversation, without any input or output: frames and times in, frames out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::frames::{Incoming, Stamp, send_message};
use crate::payload;
use crate::people::{RunId, room_id};
use crate::schedule::Schedule;

/// A user may answer a retryable error this often before the message counts as unresolved.
const ATTEMPTS: u32 = 5;
/// Pause before the first repetition; each further one waits longer by the same step.
const RETRY_STEP: Duration = Duration::from_millis(100);

/// An acknowledgement, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    /// The number of the message.
    pub k: u64,
    /// Position in the room.
    pub seq: u64,
    /// When the message was stored.
    pub stamp: Stamp,
    /// From the intended send time to the acknowledgement.
    pub latency: Duration,
}

/// A message of the peer, as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// The number of the message.
    pub k: u64,
    /// Position in the room.
    pub seq: u64,
    /// When the message was stored.
    pub stamp: Stamp,
    /// From the intended send time to the peer's socket.
    pub latency: Duration,
    /// Whether text, room, sender and receiver were as sent.
    pub intact: bool,
}

/// What one user saw during a run.
#[derive(Debug, Default)]
pub struct Log {
    /// Acknowledgements in the order of their arrival.
    pub acks: Vec<Ack>,
    /// The peer's messages in the order of their arrival.
    pub deliveries: Vec<Delivery>,
    /// Messages the server refused for good, with the error code.
    pub refused: Vec<(u64, String)>,
    /// Messages whose outcome stayed unknown.
    pub unresolved: Vec<u64>,
    /// Scheduled messages that never left, because the connection ended.
    pub unsent: u64,
    /// Repetitions, by the code of the retryable error before them.
    pub retries: BTreeMap<String, u64>,
    /// Frames that have no place in the protocol or in this conversation.
    pub strange: Vec<String>,
    /// Why the connection ended before the conversation did.
    pub closed: Option<String>,
    /// How late the driver itself handed over messages that waited for nothing else.
    pub lateness: Vec<Duration>,
}

#[derive(Debug)]
struct InFlight {
    k: u64,
    after: Option<Stamp>,
    attempt: u32,
    retry_at: Option<Duration>,
}

/// One user of one pair.
///
/// * At most one message is in flight: the next one waits for the acknowledgement, and its waiting counts,
///   because latency is measured from the intended time.
/// * `after` is the newest timestamp known when a message is first sent; repetitions carry the same one.
#[derive(Debug)]
pub struct Talker {
    run: RunId,
    schedule: Schedule,
    user: usize,
    email: String,
    peer: String,
    room: String,
    bytes: usize,
    ordinal: u64,
    own_next: Option<u64>,
    in_flight: Option<InFlight>,
    idle_since: Duration,
    newest: Option<Stamp>,
    seen: Vec<bool>,
    unseen: u64,
    pongs: u64,
    log: Log,
}

impl Talker {
    /// User number `user` of the schedule, who writes texts of `bytes` bytes to `peer`.
    pub fn new(
        run: RunId,
        schedule: Schedule,
        user: usize,
        email: String,
        peer: String,
        bytes: usize,
    ) -> Self {
        let unseen = schedule.count(user ^ 1);
        let room = room_id(&email, &peer);
        let log = Log {
            acks: Vec::with_capacity(usize::try_from(schedule.count(user)).unwrap_or_default()),
            deliveries: Vec::with_capacity(usize::try_from(unseen).unwrap_or_default()),
            ..Log::default()
        };
        Self {
            run,
            schedule,
            user,
            email,
            peer,
            room,
            bytes,
            ordinal: 0,
            own_next: schedule.message(user, 0),
            in_flight: None,
            idle_since: Duration::ZERO,
            newest: None,
            seen: vec![false; usize::try_from(unseen).unwrap_or_default()],
            unseen,
            pongs: 0,
            log,
        }
    }

    /// The frame to send now, if one is due and nothing is in flight.
    pub fn speak(&mut self, now: Duration) -> Option<String> {
        if let Some(flight) = &mut self.in_flight {
            if flight.retry_at.is_none_or(|at| now < at) {
                return None;
            }
            flight.retry_at = None;
            flight.attempt += 1;
        } else {
            let k = self.own_next.filter(|&k| self.schedule.due(k) <= now)?;
            self.log.lateness.push(now - self.schedule.due(k).max(self.idle_since));
            self.ordinal += 1;
            self.own_next = self.schedule.message(self.user, self.ordinal);
            self.in_flight = Some(InFlight { k, after: self.newest, attempt: 1, retry_at: None });
        }
        let flight = self.in_flight.as_ref()?;
        let (id, text) = (payload::message_id(self.run, flight.k), payload::text(flight.k, self.bytes));
        Some(send_message(&self.peer, &text, id, flight.after))
    }

    /// Takes one text frame from the server.
    pub fn hear(&mut self, frame: &str, now: Duration) {
        let taken = match serde_json::from_str::<Incoming<'_>>(frame) {
            Ok(incoming) => match incoming.label {
                "sent" => self.hear_ack(&incoming, now),
                "message" => self.hear_message(&incoming, now),
                "error" => self.hear_error(&incoming, now),
                "pong" => {
                    self.pongs += 1;
                    true
                }
                _ => false,
            },
            Err(_) => false,
        };
        if !taken {
            self.log.strange.push(frame.chars().take(300).collect());
        }
    }

    fn hear_ack(&mut self, ack: &Incoming<'_>, now: Duration) -> bool {
        let Some(k) = self.number(ack) else { return false };
        let Some(stamp) = Stamp::parse(ack.timestamp) else { return false };
        // A duplicate is what a repetition may be told, and nothing else.
        let fits = self.in_flight.as_ref().is_some_and(|f| f.k == k && (!ack.duplicate || f.attempt > 1));
        if !fits || ack.room_id != self.room {
            return false;
        }
        let latency = now.saturating_sub(self.schedule.due(k));
        self.log.acks.push(Ack { k, seq: ack.seq, stamp, latency });
        self.newest = self.newest.max(Some(stamp));
        self.land(now);
        true
    }

    fn hear_message(&mut self, message: &Incoming<'_>, now: Duration) -> bool {
        let Some(k) = self.number(message).filter(|&k| self.schedule.sender(k) == self.user ^ 1) else {
            return false;
        };
        let Some(stamp) = Stamp::parse(message.timestamp) else { return false };
        let intact = message.room_id == self.room
            && message.sender_email == self.peer
            && message.receiver_email == self.email
            && message.message == payload::text(k, self.bytes);
        let latency = now.saturating_sub(self.schedule.due(k));
        self.log.deliveries.push(Delivery { k, seq: message.seq, stamp, latency, intact });
        self.newest = self.newest.max(Some(stamp));
        let ordinal = usize::try_from(self.schedule.ordinal(k)).unwrap_or(usize::MAX);
        if let Some(seen) = self.seen.get_mut(ordinal)
            && !std::mem::replace(seen, true)
        {
            self.unseen -= 1;
        }
        true
    }

    fn hear_error(&mut self, error: &Incoming<'_>, now: Duration) -> bool {
        let Some(k) = self.number(error) else { return false };
        let Some(flight) = self.in_flight.as_mut().filter(|flight| flight.k == k) else { return false };
        if !error.retryable {
            self.log.refused.push((k, error.code.to_owned()));
            self.land(now);
        } else if flight.attempt < ATTEMPTS {
            flight.retry_at = Some(now + RETRY_STEP * flight.attempt);
            *self.log.retries.entry(error.code.to_owned()).or_default() += 1;
        } else {
            self.log.unresolved.push(k);
            self.land(now);
        }
        true
    }

    fn number(&self, incoming: &Incoming<'_>) -> Option<u64> {
        incoming.client_message_id.and_then(|id| payload::message_number(self.run, id))
    }

    fn land(&mut self, now: Duration) {
        self.in_flight = None;
        self.idle_since = now;
    }

    /// Whether everything of this user is decided and all but `excused` messages of the peer have come.
    pub fn finished(&self, excused: u64) -> bool {
        self.own_next.is_none() && self.in_flight.is_none() && self.unseen <= excused
    }

    /// Own messages that the peer need not wait for: refused, unresolved, never sent.
    pub fn dropped(&self) -> u64 {
        (self.log.refused.len() + self.log.unresolved.len()) as u64 + self.log.unsent
    }

    /// How many `pong` frames have come.
    pub fn pongs(&self) -> u64 {
        self.pongs
    }

    /// What has been seen so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ends the conversation: what is in flight stays unresolved, what is left stays unsent.
    pub fn give_up(&mut self, closed: Option<String>) {
        if let Some(flight) = self.in_flight.take() {
            self.log.unresolved.push(flight.k);
        }
        if self.own_next.take().is_some() {
            self.log.unsent += self.schedule.count(self.user) - self.ordinal;
        }
        self.log.closed = self.log.closed.take().or(closed);
    }

    /// The user's address and what they saw.
    pub fn into_parts(self) -> (String, Log) {
        (self.email, self.log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunId = RunId::from_number(7);
    const T1: &str = "2025-01-01T00:00:00.001Z";
    const T2: &str = "2025-01-01T00:00:00.002Z";

    /// Two users, ten messages a second for one second: Minji has 0, 2, 4, 6, 8 and Junho 1, 3, 5, 7, 9.
    fn minji() -> Talker {
        let (me, peer) = ("minji@example.com".to_owned(), "junho@example.com".to_owned());
        Talker::new(RUN, Schedule::new(1, 10, 1), 0, me, peer, 64)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn sent(k: u64, seq: u64, timestamp: &str) -> String {
        let id = payload::message_id(RUN, k);
        format!(
            r#"{{"type":"sent","clientMessageId":"{id}","roomId":"junho@example.com#minji@example.com","timestamp":"{timestamp}","seq":{seq},"duplicate":false}}"#
        )
    }

    fn error(k: u64, retryable: bool) -> String {
        let id = payload::message_id(RUN, k);
        format!(
            r#"{{"type":"error","code":"unavailable","message":"later","retryable":{retryable},"requestId":"r","clientMessageId":"{id}"}}"#
        )
    }

    fn message(k: u64, seq: u64, timestamp: &str, text: &str) -> String {
        let text = serde_json::to_string(text).unwrap();
        let id = payload::message_id(RUN, k);
        format!(
            r#"{{"type":"message","roomId":"junho@example.com#minji@example.com","timestamp":"{timestamp}","seq":{seq},"senderEmail":"junho@example.com","receiverEmail":"minji@example.com","message":{text},"read":false,"kind":"text","clientMessageId":"{id}"}}"#
        )
    }

    fn after(frame: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(frame).unwrap();
        value.get("after").and_then(|after| after.as_str()).map(str::to_owned)
    }

    #[test]
    fn nothing_is_said_before_its_time() {
        let mut talker = minji();
        assert!(talker.speak(ms(0)).is_some());
        talker.hear(&sent(0, 1, T1), ms(1));
        assert!(talker.speak(ms(199)).is_none());
        assert!(talker.speak(ms(200)).is_some());
    }

    #[test]
    fn a_message_waits_for_the_ack_before_it_and_the_wait_counts() {
        let mut talker = minji();
        talker.speak(ms(0)).unwrap();
        assert!(talker.speak(ms(450)).is_none());
        talker.hear(&sent(0, 1, T1), ms(450));
        talker.speak(ms(450)).unwrap();
        talker.hear(&sent(2, 2, T2), ms(451));
        let latencies: Vec<_> = talker.log().acks.iter().map(|ack| ack.latency.as_millis()).collect();
        assert_eq!(latencies, [450, 251]);
        assert!(talker.log().lateness.iter().all(|late| late.is_zero()));
    }

    #[test]
    fn after_is_the_newest_timestamp_known() {
        let mut talker = minji();
        assert_eq!(after(&talker.speak(ms(0)).unwrap()), None);
        talker.hear(&message(1, 2, T2, &payload::text(1, 64)), ms(100));
        talker.hear(&sent(0, 1, T1), ms(101));
        assert_eq!(after(&talker.speak(ms(200)).unwrap()).as_deref(), Some(T2));
    }

    #[test]
    fn a_retryable_error_repeats_the_same_frame_later() {
        let mut talker = minji();
        let first = talker.speak(ms(0)).unwrap();
        talker.hear(&error(0, true), ms(1));
        assert!(talker.speak(ms(100)).is_none());
        assert_eq!(talker.speak(ms(101)).unwrap(), first);
        assert_eq!(talker.log().retries["unavailable"], 1);
    }

    #[test]
    fn endless_retryable_errors_leave_the_message_unresolved() {
        let mut talker = minji();
        for attempt in 0..ATTEMPTS {
            assert!(talker.speak(ms(u64::from(attempt) * 1000)).is_some());
            talker.hear(&error(0, true), ms(u64::from(attempt) * 1000));
        }
        assert_eq!(talker.log().unresolved, [0]);
        assert_eq!(talker.dropped(), 1);
    }

    #[test]
    fn a_refusal_is_final() {
        let mut talker = minji();
        talker.speak(ms(0)).unwrap();
        talker.hear(&error(0, false), ms(1));
        assert_eq!(talker.log().refused, [(0, "unavailable".to_owned())]);
        assert!(talker.speak(ms(200)).unwrap().contains(&payload::message_id(RUN, 2).to_string()));
    }

    #[test]
    fn an_altered_text_is_not_intact() {
        let mut talker = minji();
        talker.hear(&message(1, 1, T1, &payload::text(1, 64)), ms(100));
        talker.hear(&message(3, 2, T2, &payload::text(4, 64)), ms(100));
        let intact: Vec<_> = talker.log().deliveries.iter().map(|delivery| delivery.intact).collect();
        assert_eq!(intact, [true, false]);
    }

    #[test]
    fn frames_that_do_not_belong_here_are_kept_as_strange() {
        let mut talker = minji();
        talker.hear("no json", ms(0));
        talker.hear(r#"{"type":"surprise"}"#, ms(0));
        talker.hear(&sent(0, 1, T1), ms(0));
        talker.hear(&message(0, 1, T1, &payload::text(0, 64)), ms(0));
        assert_eq!(talker.log().strange.len(), 4);
    }

    #[test]
    fn a_second_ack_of_one_message_is_strange() {
        let mut talker = minji();
        talker.speak(ms(0)).unwrap();
        talker.hear(&sent(0, 1, T1), ms(1));
        talker.hear(&sent(0, 1, T1), ms(2));
        assert_eq!((talker.log().acks.len(), talker.log().strange.len()), (1, 1));
    }

    #[test]
    fn a_conversation_is_finished_when_all_is_said_and_heard() {
        let mut talker = minji();
        for k in [0, 2, 4, 6, 8] {
            talker.speak(ms(1000)).unwrap();
            talker.hear(&sent(k, k + 1, T1), ms(1000));
        }
        for k in [1, 3, 5, 7] {
            talker.hear(&message(k, k + 1, T1, ""), ms(1000));
            talker.hear(&message(k, k + 1, T1, ""), ms(1000));
        }
        assert!(!talker.finished(0));
        assert!(talker.finished(1));
        talker.hear(&message(9, 10, T1, ""), ms(1000));
        assert!(talker.finished(0));
    }

    #[test]
    fn giving_up_accounts_for_every_message() {
        let mut talker = minji();
        talker.speak(ms(0)).unwrap();
        talker.give_up(Some("gone".to_owned()));
        assert_eq!(talker.log().unresolved, [0]);
        assert_eq!(talker.log().unsent, 4);
        assert!(talker.finished(5));
    }
}
