//! What DynamoDB does with a request.

use std::collections::{BTreeMap, BTreeSet};

use chat_adapters_aws::TableSchema;
use chat_adapters_aws::items::{
    Batch, BatchGet, Get, Item, Query, QueryPage, Scan, Write, WriteKind, Written,
};

use crate::Invalid;
use crate::expression::Placeholders;
use crate::expression::condition::Condition;
use crate::expression::key_condition::KeyCondition;
use crate::expression::update::Update;
use crate::requests::{DatabaseAnswer, DatabaseRequest};
use crate::table::{Key, Table, key_in, key_item};
use crate::value::{item_bytes, stored_item};

/// Where DynamoDB cuts a page.
const PAGE_BYTES_MAX: usize = 1_024 * 1_024;
/// How many keys a batch has at most, and how many parts a transaction.
const BATCH_MAX: usize = 100;

/// What a read sees that does not see everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// How many writes to the same partition key an eventually consistent read does not see yet.
    pub back: usize,
    /// What an index shows is what it showed at this instant.
    pub index_at_ms: i64,
    /// A page ends after so many items, whatever its limit, and a batch leaves the others unprocessed; at
    /// least one.
    pub items_max: usize,
}

impl Seen {
    /// Everything that there is.
    pub const ALL: Self = Self { back: 0, index_at_ms: i64::MAX, items_max: usize::MAX };
}

/// Tables and their items, each in every version that it ever had.
#[derive(Debug)]
pub struct Database {
    tables: BTreeMap<String, Table>,
}

impl Database {
    /// Empty tables with these keys and indexes.
    #[must_use]
    pub fn new(schemas: impl IntoIterator<Item = TableSchema>) -> Self {
        let tables = schemas.into_iter().map(|schema| (schema.name.clone(), Table::new(schema)));
        Self { tables: tables.collect() }
    }

    /// Answers a request. A read sees what `seen` leaves it, unless it is consistent; the indexes show what a
    /// write has written from `indexed_at_ms` on.
    ///
    /// # Errors
    /// [`Invalid`] is what DynamoDB calls a `ValidationException`: nothing was done, and never will be.
    pub fn answer(
        &mut self,
        request: &DatabaseRequest,
        seen: Seen,
        indexed_at_ms: i64,
    ) -> Result<DatabaseAnswer, Invalid> {
        match request {
            DatabaseRequest::Get(get) => self.get(get, seen).map(DatabaseAnswer::Item),
            DatabaseRequest::BatchGet(batch) => self.batch_get(batch, seen).map(DatabaseAnswer::Batch),
            DatabaseRequest::Query(query) => self.query(query, seen).map(DatabaseAnswer::Page),
            DatabaseRequest::Scan(scan) => self.scan(scan, seen).map(DatabaseAnswer::Page),
            DatabaseRequest::Write(write) => self.write(write, indexed_at_ms).map(DatabaseAnswer::Written),
            DatabaseRequest::Transact(writes) => {
                self.transact(writes, indexed_at_ms).map(DatabaseAnswer::Transacted)
            }
        }
    }

    /// An item as it is.
    ///
    /// # Errors
    /// [`Invalid`] if the table has no such key.
    pub fn item(&self, table: &str, key: &Item) -> Result<Option<&Item>, Invalid> {
        let table = self.table(table)?;
        Ok(table.item(&table.key(key)?, 0).map(AsRef::as_ref))
    }

    /// All items of a table as they are, in the order of their keys.
    ///
    /// # Errors
    /// [`Invalid`] if there is no such table.
    pub fn items(&self, table: &str) -> Result<impl Iterator<Item = &Item>, Invalid> {
        Ok(self.table(table)?.all().map(|(_, item)| item.as_ref()))
    }

    /// How often something was written under a partition key: so many versions a read may be
    /// [back](Seen::back).
    ///
    /// # Errors
    /// [`Invalid`] if there is no such table.
    pub fn versions(&self, table: &str, partition: &str) -> Result<usize, Invalid> {
        Ok(self.table(table)?.versions(partition))
    }

    fn table(&self, name: &str) -> Result<&Table, Invalid> {
        self.tables.get(name).ok_or_else(|| Invalid::new(format!("there is no table {name}")))
    }

    fn get(&self, get: &Get, seen: Seen) -> Result<Option<Item>, Invalid> {
        let table = self.table(&get.table)?;
        let back = if get.consistent { 0 } else { seen.back };
        Ok(table.item(&table.key(&get.key)?, back).map(|item| Item::clone(item)))
    }

    fn batch_get(&self, batch: &BatchGet, seen: Seen) -> Result<Batch, Invalid> {
        let table = self.table(&batch.table)?;
        let keys = batch.keys.iter().map(|key| table.key(key)).collect::<Result<Vec<_>, _>>()?;
        let each_once: BTreeSet<_> = keys.iter().collect();
        if keys.is_empty() || keys.len() > BATCH_MAX || each_once.len() < keys.len() {
            return Err(Invalid::new("a batch is of 1 to 100 keys, each once"));
        }
        let (read, left) = keys.split_at(seen.items_max.max(1).min(keys.len()));
        let items = read.iter().filter_map(|key| table.item(key, seen.back));
        Ok(Batch {
            items: items.map(|item| Item::clone(item)).collect(),
            unprocessed: left.iter().map(|key| table.key_item(key)).collect(),
        })
    }

    fn query(&self, query: &Query, seen: Seen) -> Result<QueryPage, Invalid> {
        let table = self.table(&query.table)?;
        let placeholders = Placeholders::new(&query.names, &query.values);
        let page = Page::new(query.limit, seen)?;
        let Some(index) = &query.index else {
            let keys = (table.schema.key.partition, table.schema.key.sort);
            let condition = KeyCondition::parse(&query.key_condition, &placeholders, keys)?;
            placeholders.are_all_used()?;
            let start = query.start.as_ref().map(|start| table.key(start)).transpose()?;
            if start.as_ref().is_some_and(|start| start.partition != condition.partition) {
                return Err(Invalid::new("the page before did not end there"));
            }
            let after = start.as_ref().map(|start| start.sort.as_str());
            let back = if query.consistent { 0 } else { seen.back };
            let items = table.items(condition.partition, back, after, query.descending);
            let selected = items.filter(|(sort, _)| condition.selects(sort));
            return Ok(page.of(selected.map(|(_, item)| Item::clone(item)), |item| {
                table.key_of(item).map(|key| table.key_item(&key))
            }));
        };
        if query.consistent {
            return Err(Invalid::new("an index is never read consistently"));
        }
        let index = table.index(index)?;
        let schema = &table.schema.indexes[index];
        let keys = (schema.key.partition, schema.key.sort);
        let condition = KeyCondition::parse(&query.key_condition, &placeholders, keys)?;
        placeholders.are_all_used()?;
        let start = query
            .start
            .as_ref()
            .map(|start| Ok::<_, Invalid>((key_in(&schema.key, start)?, key_in(&table.schema.key, start)?)));
        let start = start.transpose()?;
        let mut listed = table.listed(index, condition.partition, seen.index_at_ms);
        if query.descending {
            listed.reverse();
        }
        let behind = |place: &Key, key: &Key| {
            start.as_ref().is_none_or(|(start, start_key)| {
                let order = (place, key).cmp(&(start, start_key));
                if query.descending { order.is_lt() } else { order.is_gt() }
            })
        };
        let selected = listed.into_iter();
        let selected =
            selected.filter(|(place, key, _)| condition.selects(&place.sort) && behind(place, key));
        Ok(page.of(selected.map(|(_, _, item)| item), |item| {
            let mut end = key_item(&schema.key, &key_in(&schema.key, item)?);
            end.extend(table.key_item(&table.key_of(item)?));
            Ok(end)
        }))
    }

    fn scan(&self, scan: &Scan, seen: Seen) -> Result<QueryPage, Invalid> {
        let table = self.table(&scan.table)?;
        let page = Page::new(scan.limit, seen)?;
        let start = scan.start.as_ref().map(|start| table.key(start)).transpose()?;
        let behind = |key: &Key| start.as_ref().is_none_or(|start| key > start);
        let selected = table.all().filter(|(key, _)| behind(key));
        let seen_now = selected.filter_map(|(key, _)| table.item(&key, seen.back));
        Ok(page.of(seen_now.map(|item| Item::clone(item)), |item| {
            table.key_of(item).map(|key| table.key_item(&key))
        }))
    }

    fn write(&mut self, write: &Write, indexed_at_ms: i64) -> Result<Written, Invalid> {
        if matches!(write.kind, WriteKind::Check(_)) {
            return Err(Invalid::new("a check is no request by itself"));
        }
        let shows_item = write.shows_item && matches!(write.kind, WriteKind::Update(..));
        match self.outcome(write)? {
            Outcome::Refused => {
                let item = self.item(&write.table, &self.key_item(write)?)?;
                Ok(Written::ConditionFailed(item.filter(|_| shows_item).cloned()))
            }
            Outcome::Writes(key, item) => {
                let shown = item.clone().filter(|_| shows_item);
                self.store(&write.table, &key, item, indexed_at_ms)?;
                Ok(Written::Done(shown))
            }
            Outcome::Checked => Ok(Written::Done(None)),
            Outcome::Fails(invalid) => Err(invalid),
        }
    }

    fn transact(
        &mut self,
        writes: &[Write],
        indexed_at_ms: i64,
    ) -> Result<Result<(), Vec<Option<String>>>, Invalid> {
        let keys = writes.iter().map(|write| Ok((write.table.as_str(), self.key_of(write)?)));
        let keys = keys.collect::<Result<BTreeSet<_>, Invalid>>()?;
        if writes.is_empty() || writes.len() > BATCH_MAX || keys.len() < writes.len() {
            return Err(Invalid::new("a transaction is of 1 to 100 items, each once"));
        }
        let outcomes = writes.iter().map(|write| self.outcome(write)).collect::<Result<Vec<_>, _>>()?;
        let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code().map(str::to_owned)).collect();
        if codes.iter().any(Option::is_some) {
            return Ok(Err(codes));
        }
        for (write, outcome) in writes.iter().zip(outcomes) {
            if let Outcome::Writes(key, item) = outcome {
                self.store(&write.table, &key, item, indexed_at_ms)?;
            }
        }
        Ok(Ok(()))
    }

    fn store(
        &mut self,
        table: &str,
        key: &Key,
        item: Option<Item>,
        indexed_at_ms: i64,
    ) -> Result<(), Invalid> {
        let table = self.tables.get_mut(table).ok_or_else(|| Invalid::new("there is no such table"))?;
        table.write(key, item, indexed_at_ms);
        Ok(())
    }

    fn key_of(&self, write: &Write) -> Result<Key, Invalid> {
        let table = self.table(&write.table)?;
        match &write.kind {
            WriteKind::Put(item) => table.key_of(item),
            WriteKind::Update(key, _) | WriteKind::Delete(key) | WriteKind::Check(key) => table.key(key),
        }
    }

    fn key_item(&self, write: &Write) -> Result<Item, Invalid> {
        Ok(self.table(&write.table)?.key_item(&self.key_of(write)?))
    }

    /// What comes of a write, which is not done yet.
    fn outcome(&self, write: &Write) -> Result<Outcome, Invalid> {
        let table = self.table(&write.table)?;
        let key = self.key_of(write)?;
        let item = table.item(&key, 0).map(AsRef::as_ref);
        let placeholders = Placeholders::new(&write.names, &write.values);
        let condition = write.condition.as_deref();
        let condition = condition.map(|text| Condition::parse(text, &placeholders)).transpose()?;
        let update = match &write.kind {
            WriteKind::Update(_, update) => Some(Update::parse(update, &placeholders)?),
            _ => None,
        };
        placeholders.are_all_used()?;
        let is_key = |name: &str| name == table.schema.key.partition || Some(name) == table.schema.key.sort;
        if update.as_ref().is_some_and(|update| update.names().any(is_key)) {
            return Err(Invalid::new("an update changes the key"));
        }
        if let WriteKind::Put(item) = &write.kind {
            table.accepts(item)?;
            stored_item(item.clone())?;
        }
        if condition.is_some_and(|condition| !condition.holds(item)) {
            return Ok(Outcome::Refused);
        }
        match (&write.kind, update) {
            (WriteKind::Check(_), _) => Ok(Outcome::Checked),
            (WriteKind::Delete(_), _) => Ok(Outcome::Writes(key, None)),
            (WriteKind::Put(item), _) => Ok(Outcome::Writes(key, Some(stored_item(item.clone())?))),
            (WriteKind::Update(..), None) => Err(Invalid::new("an update has no expression")),
            (WriteKind::Update(..), Some(update)) => {
                let before = item.cloned().unwrap_or_else(|| table.key_item(&key));
                let updated = update.of(&before).and_then(stored_item);
                match updated.and_then(|item| table.accepts(&item).map(|()| item)) {
                    Ok(item) => Ok(Outcome::Writes(key, Some(item))),
                    Err(invalid) => Ok(Outcome::Fails(invalid)),
                }
            }
        }
    }
}

/// What comes of a write, or of a part of a transaction.
enum Outcome {
    /// Its condition does not hold.
    Refused,
    /// Its condition holds, and it writes nothing.
    Checked,
    /// It leaves this item under the key, or none.
    Writes(Key, Option<Item>),
    /// What the item is does not allow the update.
    Fails(Invalid),
}

impl Outcome {
    /// Why a transaction with it is cancelled, if it is.
    const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused => Some("ConditionalCheckFailed"),
            Self::Fails(_) => Some("ValidationError"),
            Self::Checked | Self::Writes(..) => None,
        }
    }
}

/// A page that is filled until it is cut.
struct Page {
    limit: usize,
}

impl Page {
    fn new(limit: usize, seen: Seen) -> Result<Self, Invalid> {
        if limit == 0 {
            return Err(Invalid::new("a page has a limit of one at least"));
        }
        Ok(Self { limit: limit.min(seen.items_max.max(1)) })
    }

    /// The first items, and where the page ends if it is full: whether others follow is not looked at.
    fn of(
        &self,
        items: impl Iterator<Item = Item>,
        end: impl Fn(&Item) -> Result<Item, Invalid>,
    ) -> QueryPage {
        let mut page = QueryPage::default();
        let mut bytes = 0;
        for item in items {
            bytes += item_bytes(&item);
            page.items.push(item);
            if page.items.len() == self.limit || bytes > PAGE_BYTES_MAX {
                page.next = page.items.last().and_then(|item| end(item).ok());
                break;
            }
        }
        page
    }
}
