//! A table: each item in every version that it ever had.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use chat_adapters_aws::items::{Item, Value};
use chat_adapters_aws::{IndexSchema, KeySchema, TableSchema};

use crate::Invalid;
use crate::value::item_bytes;

/// The longest item that DynamoDB takes.
const ITEM_BYTES_MAX: usize = 400 * 1_024;
/// The longest key of a partition.
const PARTITION_KEY_BYTES_MAX: usize = 2_048;
/// The longest key that sorts.
const SORT_KEY_BYTES_MAX: usize = 1_024;

/// The values of an item's key: the partition's, and the one that sorts, which is empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// An item from a version of its partition on.
#[derive(Debug)]
struct State {
    since: usize,
    /// From when the indexes show it.
    indexed_at_ms: i64,
    item: Option<Arc<Item>>,
}

/// The items with one partition key. What is read of them eventually is what they were at one time.
#[derive(Debug, Default)]
struct Partition {
    versions: usize,
    items: BTreeMap<String, Vec<State>>,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: TableSchema,
    partitions: BTreeMap<String, Partition>,
    /// For each index, which items it has ever shown under which of its partition keys.
    shown: Vec<BTreeMap<String, BTreeSet<Key>>>,
}

impl Table {
    pub(crate) fn new(schema: TableSchema) -> Self {
        let shown = schema.indexes.iter().map(|_| BTreeMap::new()).collect();
        Self { schema, partitions: BTreeMap::new(), shown }
    }

    /// The key that is all of `key`.
    pub(crate) fn key(&self, key: &Item) -> Result<Key, Invalid> {
        let length = 1 + usize::from(self.schema.key.sort.is_some());
        if key.len() != length {
            return Err(Invalid::new("a key has other attributes than the table's"));
        }
        self.key_of(key)
    }

    /// The key that an item has.
    pub(crate) fn key_of(&self, item: &Item) -> Result<Key, Invalid> {
        key_by(&self.schema.key, item)?.ok_or_else(|| Invalid::new("an attribute of the key is missing"))
    }

    /// The attributes of a key.
    pub(crate) fn key_item(&self, key: &Key) -> Item {
        key_item(&self.schema.key, key)
    }

    /// How often something was written to a partition.
    pub(crate) fn versions(&self, partition: &str) -> usize {
        self.partitions.get(partition).map_or(0, |partition| partition.versions)
    }

    /// An item as its partition had it so many versions ago.
    pub(crate) fn item(&self, key: &Key, back: usize) -> Option<&Arc<Item>> {
        let partition = self.partitions.get(&key.partition)?;
        at_version(partition.items.get(&key.sort)?, partition.versions.saturating_sub(back))
    }

    /// The items of a partition in their order, as they were so many versions ago, behind a key.
    pub(crate) fn items<'a>(
        &'a self,
        partition: &str,
        back: usize,
        after: Option<&str>,
        descending: bool,
    ) -> Box<dyn Iterator<Item = (&'a str, &'a Arc<Item>)> + 'a> {
        let Some(partition) = self.partitions.get(partition) else { return Box::new([].into_iter()) };
        let version = partition.versions.saturating_sub(back);
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let bounds = if descending { (Bound::Unbounded, after) } else { (after, Bound::Unbounded) };
        let items = partition.items.range::<str, _>(bounds);
        let shown = move |(sort, states): (&'a String, &'a Vec<State>)| {
            Some((sort.as_str(), at_version(states, version)?))
        };
        if descending { Box::new(items.rev().filter_map(shown)) } else { Box::new(items.filter_map(shown)) }
    }

    /// All items as they are, in the order of their keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Key, &Arc<Item>)> {
        self.partitions.iter().flat_map(|(partition, items)| {
            items.items.iter().filter_map(|(sort, states)| {
                let key = Key { partition: partition.clone(), sort: sort.clone() };
                Some((key, at_version(states, items.versions)?))
            })
        })
    }

    pub(crate) fn index(&self, name: &str) -> Result<usize, Invalid> {
        let place = self.schema.indexes.iter().position(|index| index.name == name);
        place.ok_or_else(|| Invalid::new(format!("there is no index {name}")))
    }

    /// What an index showed of one of its partitions at an instant, in its order: the keys of the index and
    /// of the table, and what it has of the item.
    pub(crate) fn listed(&self, index: usize, partition: &str, at_ms: i64) -> Vec<(Key, Key, Item)> {
        let schema = &self.schema.indexes[index];
        let Some(keys) = self.shown[index].get(partition) else { return Vec::new() };
        let entry = |key: &Key| {
            let states = self.partitions.get(&key.partition)?.items.get(&key.sort)?;
            let item = states.iter().rev().find(|state| state.indexed_at_ms <= at_ms)?.item.as_ref()?;
            let place = key_by(&schema.key, item).ok()?.filter(|place| place.partition == partition)?;
            Some((place, key.clone(), self.projected(schema, item)))
        };
        let mut listed: Vec<_> = keys.iter().filter_map(entry).collect();
        listed.sort_by(|(place, key, _), (other_place, other_key, _)| {
            (place, key).cmp(&(other_place, other_key))
        });
        listed
    }

    fn projected(&self, index: &IndexSchema, item: &Item) -> Item {
        if index.has_all {
            return item.clone();
        }
        let keys = [&self.schema.key, &index.key];
        let names: BTreeSet<_> =
            keys.iter().flat_map(|key| [Some(key.partition), key.sort]).flatten().collect();
        item.iter()
            .filter(|(name, _)| names.contains(name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Whether an item may be stored.
    pub(crate) fn accepts(&self, item: &Item) -> Result<(), Invalid> {
        let key = self.key_of(item)?;
        if key.partition.len() > PARTITION_KEY_BYTES_MAX || key.sort.len() > SORT_KEY_BYTES_MAX {
            return Err(Invalid::new("a key is too long"));
        }
        if item_bytes(item) > ITEM_BYTES_MAX {
            return Err(Invalid::new("the item is too long"));
        }
        self.schema.indexes.iter().try_for_each(|index| key_by(&index.key, item).map(drop))
    }

    /// Writes an item, or its absence. The indexes show it from an instant on, in the order of the writes.
    pub(crate) fn write(&mut self, key: &Key, item: Option<Item>, indexed_at_ms: i64) {
        for (index, shown) in self.schema.indexes.iter().zip(&mut self.shown) {
            if let Some(place) = item.as_ref().and_then(|item| key_by(&index.key, item).ok().flatten()) {
                shown.entry(place.partition).or_default().insert(key.clone());
            }
        }
        let partition = self.partitions.entry(key.partition.clone()).or_default();
        partition.versions += 1;
        let states = partition.items.entry(key.sort.clone()).or_default();
        let latest = states.last().map_or(i64::MIN, |state| state.indexed_at_ms);
        let (since, indexed_at_ms) = (partition.versions, indexed_at_ms.max(latest));
        states.push(State { since, indexed_at_ms, item: item.map(Arc::new) });
    }
}

fn at_version(states: &[State], version: usize) -> Option<&Arc<Item>> {
    states.iter().rev().find(|state| state.since <= version)?.item.as_ref()
}

/// The key that an item has by a schema; `None` if it has not all of it, and so no place in an index.
fn key_by(schema: &KeySchema, item: &Item) -> Result<Option<Key>, Invalid> {
    let text = |name: &str| match item.get(name) {
        None => Ok(None),
        Some(Value::S(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(Invalid::new(format!("the key {name} is another type, or empty"))),
    };
    let partition = text(schema.partition)?;
    let sort = schema.sort.map_or(Ok(Some(String::new())), text)?;
    Ok(partition.zip(sort).map(|(partition, sort)| Key { partition, sort }))
}

pub(crate) fn key_item(schema: &KeySchema, key: &Key) -> Item {
    let mut item = Item::from([(schema.partition.to_owned(), Value::S(key.partition.clone()))]);
    item.extend(schema.sort.map(|name| (name.to_owned(), Value::S(key.sort.clone()))));
    item
}

/// The key by a schema that is part of where a page ended.
pub(crate) fn key_in(schema: &KeySchema, start: &Item) -> Result<Key, Invalid> {
    key_by(schema, start)?.ok_or_else(|| Invalid::new("the page before did not end there"))
}
