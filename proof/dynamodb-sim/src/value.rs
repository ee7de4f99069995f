//! Values: how they compare, and how long they are.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use chat_adapters_aws::items::{Item, Value};

use crate::Invalid;

/// What a list or a map takes beside what is in it.
const COLLECTION_BYTES: usize = 3;

/// The number with these digits. DynamoDB has fractions too; no store here does.
pub(crate) fn number(digits: &str) -> Result<i128, Invalid> {
    let too_long = digits.trim_start_matches(['+', '-', '0']).len() > 38;
    let parsed = digits.parse().ok().filter(|_| !too_long);
    parsed.ok_or_else(|| Invalid::new(format!("no whole number of at most 38 digits: {digits}")))
}

/// How two values of the same type are ordered; `None` if their types differ or have no order.
pub(crate) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::S(one), Value::S(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::B(one), Value::B(other)) => Some(one.cmp(other)),
        (Value::N(one), Value::N(other)) => Some(number(one).ok()?.cmp(&number(other).ok()?)),
        _ => None,
    }
}

/// Whether two values are the same: numbers by what they count, sets in any order.
pub(crate) fn equal(one: &Value, other: &Value) -> bool {
    fn same<T: Ord>(one: &[T], other: &[T]) -> bool {
        one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
    }
    match (one, other) {
        (Value::N(one), Value::N(other)) => number(one).ok() == number(other).ok(),
        (Value::L(one), Value::L(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::M(one), Value::M(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other)))
        }
        (Value::Ss(one), Value::Ss(other)) => same(one, other),
        (Value::Bs(one), Value::Bs(other)) => same(one, other),
        (Value::Ns(one), Value::Ns(other)) => {
            let numbers = |all: &[String]| all.iter().filter_map(|it| number(it).ok()).collect::<Vec<_>>();
            same(&numbers(one), &numbers(other))
        }
        _ => one == other,
    }
}

/// The name of a value's type on the wire.
pub(crate) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::S(_) => "S",
        Value::N(_) => "N",
        Value::B(_) => "B",
        Value::Bool(_) => "BOOL",
        Value::Null => "NULL",
        Value::L(_) => "L",
        Value::M(_) => "M",
        Value::Ss(_) => "SS",
        Value::Ns(_) => "NS",
        Value::Bs(_) => "BS",
    }
}

/// What DynamoDB stores of a value: numbers without what does not count.
pub(crate) fn stored(value: Value) -> Result<Value, Invalid> {
    fn set<T: Ord>(entries: Vec<T>) -> Result<Vec<T>, Invalid> {
        let length = entries.len();
        let sorted: BTreeSet<_> = entries.into_iter().collect();
        if length == 0 || sorted.len() < length {
            return Err(Invalid::new("a set is empty, or has an entry twice"));
        }
        Ok(sorted.into_iter().collect())
    }
    let canonical = |digits: &str| Ok(number(digits)?.to_string());
    Ok(match value {
        Value::N(digits) => Value::N(canonical(&digits)?),
        Value::L(entries) => Value::L(entries.into_iter().map(stored).collect::<Result<_, _>>()?),
        Value::M(map) => Value::M(stored_item(map)?),
        Value::Ss(entries) => Value::Ss(set(entries)?),
        Value::Bs(entries) => Value::Bs(set(entries)?),
        Value::Ns(entries) => {
            let entries = entries.iter().map(|digits| canonical(digits)).collect::<Result<_, _>>()?;
            Value::Ns(set(entries)?)
        }
        other => other,
    })
}

pub(crate) fn stored_item(item: Item) -> Result<Item, Invalid> {
    item.into_iter().map(|(name, value)| Ok((name, stored(value)?))).collect()
}

/// The length by which DynamoDB bounds items and pages.
pub(crate) fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    let number_bytes = |digits: &String| digits.len().div_ceil(2) + 1;
    match value {
        Value::S(text) => text.len(),
        Value::N(digits) => number_bytes(digits),
        Value::B(bytes) => bytes.len(),
        Value::Bool(_) | Value::Null => 1,
        Value::L(entries) => {
            COLLECTION_BYTES + entries.iter().map(|entry| value_bytes(entry) + 1).sum::<usize>()
        }
        Value::M(map) => COLLECTION_BYTES + item_bytes(map) + map.len(),
        Value::Ss(entries) => entries.iter().map(String::len).sum(),
        Value::Ns(entries) => entries.iter().map(number_bytes).sum(),
        Value::Bs(entries) => entries.iter().map(Vec::len).sum(),
    }
}
