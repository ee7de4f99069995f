use std::mem;
use std::ops::Range;

use chat_domain::{Message, Timestamp};

/// How many messages stand together. A room that grows copies at most one such block at a time, some 60 kB,
/// and the list of blocks of a room of a million messages is as small.
const BLOCK: usize = 256;

/// The messages of one room: their timestamps strictly rise.
///
/// One `Vec` would be simpler, but each time it outgrew itself one unlucky send would wait for all of the
/// room to be copied, a quarter of a gigabyte at a million messages. A `BTreeMap` that only ever grows at its
/// end leaves its nodes half empty.
#[derive(Default)]
pub(super) struct Messages {
    /// All full but the last; none empty.
    blocks: Vec<Vec<Message>>,
}

impl Messages {
    pub(super) fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    pub(super) fn push(&mut self, message: Message) {
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => last.push(message),
            _ => self.blocks.push(vec![message]),
        }
    }

    pub(super) fn range(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = &Message> {
        range.map(|index| &self.blocks[index / BLOCK][index % BLOCK])
    }

    /// How many messages are earlier than `at`.
    pub(super) fn count_before(&self, at: Timestamp) -> usize {
        self.count_while(|message| message.at < at)
    }

    /// How many messages are at `at` or earlier.
    pub(super) fn count_up_to(&self, at: Timestamp) -> usize {
        self.count_while(|message| message.at <= at)
    }

    pub(super) fn find(&self, at: Timestamp) -> Option<&Message> {
        let index = self.count_before(at);
        let message = self.blocks.get(index / BLOCK)?.get(index % BLOCK)?;
        (message.at == at).then_some(message)
    }

    pub(super) fn find_mut(&mut self, at: Timestamp) -> Option<&mut Message> {
        let index = self.count_before(at);
        let message = self.blocks.get_mut(index / BLOCK)?.get_mut(index % BLOCK)?;
        (message.at == at).then_some(message)
    }

    /// Copies all that stay: for administration.
    pub(super) fn remove(&mut self, rows: &[Timestamp]) {
        for message in mem::take(&mut self.blocks).into_iter().flatten() {
            if !rows.contains(&message.at) {
                self.push(message);
            }
        }
    }

    fn count_while(&self, holds: impl Fn(&Message) -> bool) -> usize {
        let whole = self.blocks.partition_point(|block| block.last().is_some_and(&holds));
        match self.blocks.get(whole) {
            Some(block) => whole * BLOCK + block.partition_point(&holds),
            None => self.len(),
        }
    }
}
