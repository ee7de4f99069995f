//! What a page shows, of a head and of rows that were read at different moments.

use chat_domain::{Message, Page, PageQuery, PageRange, RECENT_MAX, RoomLog};

/// What is known of a room's messages. The newest one may have no row yet; every other one has.
pub(super) struct Read<'a> {
    /// What the head says, if there is a room.
    pub(super) log: Option<&'a RoomLog>,
    /// The rows that the query selects, in its order: one more than its limit, if there are so many.
    pub(super) rows: Vec<Message>,
    /// When the rows were read.
    pub(super) order: Order,
}

/// When rows were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// At any time, before the head or after it; the page may show any earlier state.
    Anyhow,
    /// Strongly, before the head or after it.
    Strongly,
    /// Strongly, and after the head: every message before the head's newest has its row.
    AfterTheHead,
}

/// The rows do not belong to the head: messages are missing between them, or that cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row is missing")]
pub(super) struct RowMissing;

impl Read<'_> {
    /// The page, in which no message is missing between two that it shows, nor one that the head tells of.
    pub(super) fn page(mut self, query: PageQuery) -> Result<Page, RowMissing> {
        let limit = query.limit.get();
        let descending = matches!(query.range, PageRange::Newest | PageRange::Before(_));
        let is_full = self.rows.len() > limit;
        if let Some(log) = self.log
            && (!is_full || descending)
            && self.ends_before(log, query.range)?
        {
            let newest = log.newest.clone();
            if descending { self.rows.insert(0, newest) } else { self.rows.push(newest) }
        }
        let step = |pair: &[Message]| pair[0].seq.abs_diff(pair[1].seq) == 1;
        if !self.rows.windows(2).all(step) {
            return Err(RowMissing);
        }
        let has_more = self.rows.len() > limit;
        self.rows.truncate(limit);
        Ok(Page { messages: self.rows, has_more })
    }

    /// Whether the newest message belongs to the page and is not among its rows, which reach as far as they
    /// should.
    fn ends_before(&self, log: &RoomLog, range: PageRange) -> Result<bool, RowMissing> {
        let selected = |at| match range {
            PageRange::Newest | PageRange::Oldest => true,
            PageRange::Before(bound) => at < bound,
            PageRange::After(bound) => at > bound,
        };
        let last = self.rows.iter().map(|row| row.at).max();
        let newest = log.last_at();
        if last >= Some(newest) {
            return Ok(false);
        }
        let before = log.recent.iter().rev().skip(1).map(|recent| recent.at);
        // The last row that there has to be; `None` if the head does not reach back to it.
        let expected = before.clone().find(|at| selected(*at));
        let reaches_back = expected.is_some()
            || log.recent.len() < RECENT_MAX
            || log.seq() == RECENT_MAX as u64
            || matches!(range, PageRange::After(_));
        let complete = match self.order {
            Order::AfterTheHead => true,
            _ if last < expected => false,
            Order::Strongly => reaches_back,
            Order::Anyhow => true,
        };
        if complete { Ok(selected(newest)) } else { Err(RowMissing) }
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::{
        ClientMessageId, Content, Draft, FirstContact, Member, PageLimit, Room, SendPolicy, Timestamp,
    };

    use super::*;

    /// A conversation of as many messages: the log, and what its rows would be.
    fn conversation(length: u64) -> (Room, Vec<Message>) {
        let id = "junho@example.com#minji@example.com".parse().expect("a well-formed room id");
        let (mut room, mut messages) = (Room::empty(id), Vec::new());
        let mut now: Timestamp = "2026-11-23T09:00:00.000Z".parse().expect("a well-formed timestamp");
        let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
        for number in 1..=length {
            let id = ClientMessageId::from_u128(number.into());
            let content = Content::Text("말".parse().expect("a short text"));
            let append = room.append(&Draft { id, sender: Member::A, content, reply_to: None }, now, policy);
            let append = append.expect("nobody is fast");
            room.apply(&append);
            messages.push(append.log.newest);
            now = now.after(std::time::Duration::from_secs(10));
        }
        (room, messages)
    }

    fn ranges(messages: &[Message]) -> Vec<PageRange> {
        let bounds = messages.iter().flat_map(|it| [it.at.previous(), it.at, it.at.next()]);
        let bounded = bounds.flat_map(|at| [PageRange::Before(at), PageRange::After(at)]);
        [PageRange::Newest, PageRange::Oldest].into_iter().chain(bounded).collect()
    }

    /// What a query selects of these rows, and one more than its limit.
    fn select(rows: &[Message], query: PageQuery, extra: usize) -> Vec<Message> {
        let selected = rows.iter().filter(|row| match query.range {
            PageRange::Newest | PageRange::Oldest => true,
            PageRange::Before(at) => row.at < at,
            PageRange::After(at) => row.at > at,
        });
        let wanted = query.limit.get() + extra;
        match query.range {
            PageRange::Newest | PageRange::Before(_) => selected.rev().take(wanted).cloned().collect(),
            PageRange::Oldest | PageRange::After(_) => selected.take(wanted).cloned().collect(),
        }
    }

    /// Whatever was written between the reads of head and rows, a page that is shown is one of a moment
    /// between them, and the second read always shows one.
    #[test]
    fn a_page_is_right_whenever_its_head_and_its_rows_were_read() {
        for length in [1, 2, 3, 9, 12] {
            let (now, all) = conversation(length);
            let log = now.log().expect("something was said");
            for limit in [1, 2, 50] {
                for range in ranges(&all) {
                    let query = PageQuery { range, limit: PageLimit::new(limit).expect("1 to 50") };
                    let whole = |seq: usize| select(&all[..seq], query, 0);
                    // The rows were read when there were this many, of which the newest may have had none.
                    for rows in 0..=all.len() {
                        let read =
                            |order| Read { log: Some(log), rows: select(&all[..rows], query, 1), order };
                        let is_settled = rows + 1 >= all.len();
                        if let Ok(page) = read(Order::Strongly).page(query) {
                            // At the time of the rows one more message may have been stored.
                            let earlier = (rows + 1).min(all.len());
                            let expected = [earlier, all.len()].map(whole);
                            assert!(expected.contains(&page.messages), "{query:?} of {rows}: {page:?}");
                        } else {
                            assert!(!is_settled || matches!(range, PageRange::Before(_)), "{query:?}");
                        }
                        if is_settled {
                            let page = read(Order::AfterTheHead).page(query).expect("all rows are there");
                            assert_eq!(page.messages, whole(all.len()), "{query:?} of {rows}");
                            assert_eq!(page.has_more, select(&all, query, 1).len() > limit);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_page_with_a_hole_is_not_shown() {
        let (now, all) = conversation(4);
        let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
        for order in [Order::Anyhow, Order::Strongly, Order::AfterTheHead] {
            let rows = vec![all[0].clone(), all[2].clone(), all[3].clone()];
            assert_eq!(Read { log: now.log(), rows, order }.page(query), Err(RowMissing));
            let rows = vec![all[0].clone(), all[1].clone()];
            assert_eq!(Read { log: now.log(), rows, order }.page(query), Err(RowMissing));
        }
    }
}
