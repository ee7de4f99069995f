//! What a run must have left behind: every acknowledged message delivered once and unchanged, one order per
//! room without holes, and the same rows on reading back. Pure comparison of logs.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::frames::{Incoming, Stamp};
use crate::payload;
use crate::people::RunId;
use crate::schedule::Schedule;
use crate::talker::{Ack, Log};

/// Examples kept per kind of violation; the count goes on.
const EXAMPLES: usize = 3;

/// One way to break a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Violation {
    /// Acknowledged, but never delivered to the connected peer.
    Lost,
    /// Delivered more than once.
    Doubled,
    /// Delivered with other content, room, sender or receiver.
    Altered,
    /// Delivered with another position or time than acknowledged.
    AckDiffers,
    /// The positions of a room are not 1, 2, 3...
    Hole,
    /// A later position has no later time.
    TimeGoesBack,
    /// Refused for good under a load that should be accepted.
    Refused,
    /// No outcome until the run gave up.
    Unresolved,
    /// A connection ended during the run, so messages were never sent.
    ConnectionLost,
    /// A frame that has no place in the protocol or in the conversation.
    Strange,
    /// An acknowledged message is not among the stored rows at its place.
    NotStored,
    /// A stored row differs from what was acknowledged.
    StoredOtherwise,
    /// A stored row that nobody was promised.
    StoredExtra,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "acknowledged but not delivered",
            Self::Doubled => "delivered more than once",
            Self::Altered => "delivered altered",
            Self::AckDiffers => "delivery and acknowledgement disagree",
            Self::Hole => "hole in a room's sequence",
            Self::TimeGoesBack => "timestamps do not rise",
            Self::Refused => "refused",
            Self::Unresolved => "no outcome",
            Self::ConnectionLost => "connection lost",
            Self::Strange => "unexpected frame",
            Self::NotStored => "acknowledged but not stored",
            Self::StoredOtherwise => "stored otherwise than acknowledged",
            Self::StoredExtra => "stored but not acknowledged",
        })
    }
}

/// Everything a run found wrong, and what it counted on the way.
#[derive(Debug, Default)]
pub struct Findings {
    violations: BTreeMap<Violation, (u64, Vec<String>)>,
    /// Deliveries that came after a later one of the same sender: allowed, since a push is a hint.
    pub reordered: u64,
    /// Rows read back and compared.
    pub rows_read: u64,
}

impl Findings {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// How often a promise was broken.
    pub fn count(&self, violation: Violation) -> u64 {
        self.violations.get(&violation).map_or(0, |(count, _)| *count)
    }

    /// Counts one violation of its kind.
    pub fn note(&mut self, violation: Violation, example: impl FnOnce() -> String) {
        let (count, examples) = self.violations.entry(violation).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(example());
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (violation, (count, examples)) in &self.violations {
            writeln!(f, "VIOLATION  {violation}: {count}")?;
            for example in examples {
                writeln!(f, "           {example}")?;
            }
        }
        Ok(())
    }
}

/// A row as read back from the server.
#[derive(Debug, Clone)]
pub struct Row {
    /// Message number, if the id is one of this run.
    pub k: Option<u64>,
    /// Position in the room.
    pub seq: u64,
    /// When the message was stored.
    pub stamp: Option<Stamp>,
    /// Whether text, sender, receiver and room are as sent.
    pub intact: bool,
}

/// One room after a run: the logs of its two members.
#[derive(Debug)]
pub struct RoomLogs<'a> {
    /// The run that wrote the room.
    pub run: RunId,
    /// When and by whom each message was meant to be sent.
    pub schedule: &'a Schedule,
    /// Size of the texts.
    pub bytes: usize,
    /// The id of the room.
    pub id: &'a str,
    /// Addresses and logs, the even user first.
    pub members: [(&'a str, &'a Log); 2],
}

impl RoomLogs<'_> {
    /// Compares what the two members saw.
    pub fn check(&self, findings: &mut Findings) {
        let order = self.order();
        for (place, (_, ack)) in order.iter().enumerate() {
            let expected = place as u64 + 1;
            if ack.seq != expected {
                findings.note(Violation::Hole, || format!("{}: {} instead of {expected}", self.id, ack.seq));
                break;
            }
        }
        for pair in order.windows(2) {
            let (before, after) = (pair[0].1, pair[1].1);
            if before.stamp >= after.stamp {
                let (at, seq) = (after.stamp, after.seq);
                let example = || format!("{}: {seq} at {at}, not after {}", self.id, before.stamp);
                findings.note(Violation::TimeGoesBack, example);
            }
        }
        for side in [0, 1] {
            self.check_member(side, findings);
        }
    }

    fn check_member(&self, side: usize, findings: &mut Findings) {
        let ((email, log), (_, peer_log)) = (self.members[side], self.members[1 - side]);
        for (k, code) in &log.refused {
            findings.note(Violation::Refused, || format!("{email}: message {k}: {code}"));
        }
        for k in &log.unresolved {
            findings.note(Violation::Unresolved, || format!("{email}: message {k}"));
        }
        for frame in &log.strange {
            findings.note(Violation::Strange, || format!("{email}: {frame}"));
        }
        if let Some(reason) = &log.closed {
            let example = || format!("{email}: {reason}; {} never sent", log.unsent);
            findings.note(Violation::ConnectionLost, example);
        }

        let mut newest = 0;
        let mut seen: HashMap<u64, (u64, Stamp)> = HashMap::with_capacity(log.deliveries.len());
        for delivery in &log.deliveries {
            let what = || format!("{email}: message {} at {}", delivery.k, delivery.seq);
            findings.reordered += u64::from(delivery.seq < newest);
            newest = newest.max(delivery.seq);
            if seen.insert(delivery.k, (delivery.seq, delivery.stamp)).is_some() {
                findings.note(Violation::Doubled, what);
            }
            if !delivery.intact {
                findings.note(Violation::Altered, what);
            }
        }
        for ack in &peer_log.acks {
            let what = || format!("{email}: message {} at {}", ack.k, ack.seq);
            match seen.get(&ack.k) {
                None => findings.note(Violation::Lost, what),
                Some(&place) if place != (ack.seq, ack.stamp) => findings.note(Violation::AckDiffers, what),
                Some(_) => {}
            }
        }
    }

    /// Compares the stored rows, oldest first, with what was acknowledged.
    pub fn check_history(&self, rows: &[Row], findings: &mut Findings) {
        findings.rows_read += rows.len() as u64;
        let mut stored: HashMap<u64, &Row> = HashMap::with_capacity(rows.len());
        for row in rows {
            match row.k.map(|k| stored.entry(k)) {
                Some(Entry::Vacant(place)) => {
                    place.insert(row);
                }
                _ => findings.note(Violation::StoredExtra, || format!("{}: row {}", self.id, row.seq)),
            }
        }
        let rising = rows.windows(2).all(|two| two[0].seq < two[1].seq && two[0].stamp < two[1].stamp);
        if !rising {
            findings.note(Violation::StoredOtherwise, || format!("{}: rows out of order", self.id));
        }
        let mut promised = 0;
        for (email, ack) in self.order() {
            let what = || format!("{}: message {} of {email} at {}", self.id, ack.k, ack.seq);
            match stored.get(&ack.k) {
                None => findings.note(Violation::NotStored, what),
                Some(row) => {
                    promised += 1;
                    if !row.intact || row.seq != ack.seq || row.stamp != Some(ack.stamp) {
                        findings.note(Violation::StoredOtherwise, what);
                    }
                }
            }
        }
        // An unknown outcome may have happened; a refusal may not.
        let unknown = self.members.iter().flat_map(|(_, log)| &log.unresolved);
        let excused = unknown.filter(|k| stored.contains_key(k)).count();
        for _ in promised + excused..stored.len() {
            findings.note(Violation::StoredExtra, || format!("{}: a refused or unsent message", self.id));
        }
    }

    /// Reads one row of this room's history.
    pub fn row(&self, incoming: &Incoming<'_>) -> Row {
        let k = incoming.client_message_id.and_then(|id| payload::message_number(self.run, id));
        let intact = k.is_some_and(|k| {
            let side = self.schedule.sender(k) % 2;
            incoming.sender_email == self.members[side].0
                && incoming.receiver_email == self.members[1 - side].0
                && incoming.room_id == self.id
                && incoming.message == payload::text(k, self.bytes)
        });
        Row { k, seq: incoming.seq, stamp: Stamp::parse(incoming.timestamp), intact }
    }

    fn order(&self) -> Vec<(&str, Ack)> {
        let acks =
            self.members.iter().flat_map(|&(email, log)| log.acks.iter().map(move |ack| (email, *ack)));
        let mut order: Vec<_> = acks.collect();
        order.sort_by_key(|(_, ack)| ack.seq);
        order
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::talker::Delivery;

    const RUN: RunId = RunId::from_number(1);

    fn stamp(milli: u64) -> Stamp {
        Stamp::parse(&format!("2025-01-01T00:00:00.{milli:03}Z")).unwrap()
    }

    fn ack(k: u64, seq: u64) -> Ack {
        Ack { k, seq, stamp: stamp(seq), latency: Duration::ZERO }
    }

    fn delivery(k: u64, seq: u64) -> Delivery {
        Delivery { k, seq, stamp: stamp(seq), latency: Duration::ZERO, intact: true }
    }

    fn row(k: u64, seq: u64) -> Row {
        Row { k: Some(k), seq, stamp: Some(stamp(seq)), intact: true }
    }

    /// Messages 0 and 2 of the first member, 1 and 3 of the second, stored in this order.
    fn good() -> [Log; 2] {
        let log = |own: [u64; 2], other: [u64; 2]| Log {
            acks: own.iter().map(|&k| ack(k, k + 1)).collect(),
            deliveries: other.iter().map(|&k| delivery(k, k + 1)).collect(),
            ..Log::default()
        };
        [log([0, 2], [1, 3]), log([1, 3], [0, 2])]
    }

    fn rows() -> Vec<Row> {
        (0..4).map(|k| row(k, k + 1)).collect()
    }

    fn judge(logs: &[Log; 2], rows: &[Row]) -> Findings {
        let schedule = Schedule::new(1, 4, 1);
        let members = [("minji@example.com", &logs[0]), ("junho@example.com", &logs[1])];
        let room = RoomLogs { run: RUN, schedule: &schedule, bytes: 64, id: "room", members };
        let mut findings = Findings::default();
        room.check(&mut findings);
        room.check_history(rows, &mut findings);
        findings
    }

    #[track_caller]
    fn only(findings: &Findings, violation: Violation) {
        assert_eq!(findings.violations.keys().collect::<Vec<_>>(), [&violation], "{findings}");
    }

    #[test]
    fn a_faultless_room_is_clean() {
        let findings = judge(&good(), &rows());
        assert!(findings.is_clean(), "{findings}");
        assert_eq!((findings.reordered, findings.rows_read), (0, 4));
    }

    #[test]
    fn a_lost_message_is_found() {
        let mut logs = good();
        logs[1].deliveries.pop();
        only(&judge(&logs, &rows()), Violation::Lost);
    }

    #[test]
    fn a_doubled_message_is_found() {
        let mut logs = good();
        logs[1].deliveries.push(delivery(2, 3));
        only(&judge(&logs, &rows()), Violation::Doubled);
    }

    #[test]
    fn an_altered_message_is_found() {
        let mut logs = good();
        logs[0].deliveries[0].intact = false;
        only(&judge(&logs, &rows()), Violation::Altered);
    }

    #[test]
    fn pushes_in_another_order_are_counted_but_allowed() {
        let mut logs = good();
        logs[0].deliveries.reverse();
        let findings = judge(&logs, &rows());
        assert!(findings.is_clean(), "{findings}");
        assert_eq!(findings.reordered, 1);
    }

    #[test]
    fn a_delivery_that_contradicts_its_ack_is_found() {
        let mut logs = good();
        logs[1].deliveries[0].stamp = stamp(9);
        only(&judge(&logs, &rows()), Violation::AckDiffers);
    }

    #[test]
    fn a_hole_and_a_position_used_twice_are_found() {
        for seq in [7, 3] {
            let mut logs = good();
            logs[1].acks[1] = Ack { stamp: stamp(7), ..ack(3, seq) };
            logs[0].deliveries[1] = Delivery { stamp: stamp(7), ..delivery(3, seq) };
            let mut rows = rows();
            rows[3].seq = seq;
            rows[3].stamp = Some(stamp(7));
            assert_eq!(judge(&logs, &rows).count(Violation::Hole), 1);
        }
    }

    #[test]
    fn time_that_stands_still_is_found() {
        let mut logs = good();
        logs[1].acks[1].stamp = stamp(3);
        logs[0].deliveries[1].stamp = stamp(3);
        let mut rows = rows();
        rows[3].stamp = Some(stamp(3));
        assert_eq!(judge(&logs, &rows).count(Violation::TimeGoesBack), 1);
    }

    #[test]
    fn a_missing_row_is_found() {
        let mut rows = rows();
        rows.remove(1);
        only(&judge(&good(), &rows), Violation::NotStored);
    }

    #[test]
    fn a_row_with_other_content_place_or_time_is_found() {
        let changes: [fn(&mut Row); 3] =
            [|row| row.intact = false, |row| row.seq = 9, |row| row.stamp = Some(stamp(9))];
        for change in changes {
            let mut rows = rows();
            change(&mut rows[3]);
            only(&judge(&good(), &rows), Violation::StoredOtherwise);
        }
    }

    #[test]
    fn rows_in_another_order_are_found() {
        let mut rows = rows();
        rows.swap(1, 2);
        only(&judge(&good(), &rows), Violation::StoredOtherwise);
    }

    #[test]
    fn a_foreign_or_doubled_row_is_found() {
        for k in [None, Some(3)] {
            let mut rows = rows();
            rows.push(Row { k, ..row(9, 9) });
            only(&judge(&good(), &rows), Violation::StoredExtra);
        }
    }

    #[test]
    fn a_refused_message_must_not_be_stored_but_an_unknown_one_may() {
        let mut refused = good();
        refused[1].acks.pop();
        refused[1].refused.push((3, "rateLimited".to_owned()));
        assert_eq!(judge(&refused, &rows()).count(Violation::StoredExtra), 1);

        let mut unknown = good();
        unknown[1].acks.pop();
        unknown[1].unresolved.push(3);
        only(&judge(&unknown, &rows()), Violation::Unresolved);
    }

    #[test]
    fn strange_frames_and_lost_connections_are_reported() {
        let mut logs = good();
        logs[0].strange.push("?".to_owned());
        logs[1].closed = Some("1006".to_owned());
        let findings = judge(&logs, &rows());
        assert_eq!((findings.count(Violation::Strange), findings.count(Violation::ConnectionLost)), (1, 1));
    }

    #[test]
    fn a_report_counts_all_and_shows_a_few() {
        let mut findings = Findings::default();
        for k in 0..10 {
            findings.note(Violation::Lost, || format!("message {k}"));
        }
        assert_eq!(findings.to_string().lines().count(), 1 + EXAMPLES);
        assert!(findings.to_string().contains("acknowledged but not delivered: 10"));
    }
}
