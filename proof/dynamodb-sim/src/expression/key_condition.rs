//! `KeyConditionExpression`: which items of a partition are asked for.

use std::cmp::Ordering;

use chat_adapters_aws::items::Value;

use super::condition::Comparison;
use super::{Placeholders, Words};
use crate::Invalid;

/// A partition, and what is asked for in it.
#[derive(Debug)]
pub(crate) struct KeyCondition<'a> {
    pub(crate) partition: &'a str,
    range: Range<'a>,
}

#[derive(Debug)]
enum Range<'a> {
    All,
    Compares(Comparison, &'a str),
    Between(&'a str, &'a str),
    BeginsWith(&'a str),
}

impl<'a> KeyCondition<'a> {
    /// The condition on the keys of these names: the partition's, and the one that sorts its items.
    pub(crate) fn parse(
        text: &'a str,
        placeholders: &Placeholders<'a>,
        (partition_key, sort_key): (&str, Option<&str>),
    ) -> Result<Self, Invalid> {
        let mut words = Words::of(text, placeholders)?;
        if words.attribute()? != partition_key {
            return Err(Invalid::new("the key of the partition does not come first"));
        }
        words.expect("=")?;
        let partition = key_value(words.value()?)?;
        let range = if words.take("AND") { range(&mut words, sort_key)? } else { Range::All };
        words.is_at_end()?;
        Ok(Self { partition, range })
    }

    /// Whether an item with this sort key is asked for.
    pub(crate) fn selects(&self, sort_key: &str) -> bool {
        match &self.range {
            Range::All => true,
            Range::Compares(comparison, bound) => comparison.allows(sort_key.cmp(*bound)),
            Range::Between(low, high) => (*low..=*high).contains(&sort_key),
            Range::BeginsWith(prefix) => sort_key.starts_with(prefix),
        }
    }
}

fn range<'a>(words: &mut Words<'a, '_>, sort_key: Option<&str>) -> Result<Range<'a>, Invalid> {
    let is_sort_key = |name| if Some(name) == sort_key { Ok(()) } else { Err(Invalid::new("no such key")) };
    if words.peek() == Some("begins_with") {
        words.next()?;
        words.expect("(")?;
        is_sort_key(words.attribute()?)?;
        words.expect(",")?;
        let prefix = key_value(words.value()?)?;
        words.expect(")")?;
        return Ok(Range::BeginsWith(prefix));
    }
    is_sort_key(words.attribute()?)?;
    if words.take("BETWEEN") {
        let low = key_value(words.value()?)?;
        words.expect("AND")?;
        let high = key_value(words.value()?)?;
        if low.cmp(high) == Ordering::Greater {
            return Err(Invalid::new("the bounds are in the wrong order"));
        }
        return Ok(Range::Between(low, high));
    }
    let word = words.next()?;
    match Comparison::of(word) {
        Some(comparison) if comparison != Comparison::Unequal => {
            Ok(Range::Compares(comparison, key_value(words.value()?)?))
        }
        _ => Err(Invalid::new(format!("{word} compares no keys"))),
    }
}

/// Every key of these tables is a text.
fn key_value(value: &Value) -> Result<&str, Invalid> {
    let text = value.as_s().filter(|text| !text.is_empty());
    text.ok_or_else(|| Invalid::new("a key is another type, or empty"))
}
