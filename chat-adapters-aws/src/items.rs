//! DynamoDB as the stores see it: items, expressions, and what became of a request.
//!
//! Everything the stores decide is above [`Items`]; what is below it sends a request as it stands. So a
//! stand-in that evaluates the expressions sees the same requests as AWS does.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::BoxError;

/// The attributes of an item, or those of its key, or the values that an expression names.
pub type Item = BTreeMap<String, Value>;

/// The attribute names that an expression writes as `#name`, by that placeholder.
pub type Names = BTreeMap<String, String>;

/// The value of an attribute. The stores write and read these; only `DynamoClient` knows what the SDK calls
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text of any length.
    S(String),
    /// A number, in decimal.
    N(String),
    /// Bytes of any number.
    B(Vec<u8>),
    /// Either true or false.
    Bool(bool),
    /// The absence of a value.
    Null,
    /// A list of values.
    L(Vec<Value>),
    /// A map of values by their names.
    M(Item),
    /// A set of texts.
    Ss(Vec<String>),
    /// A set of numbers.
    Ns(Vec<String>),
    /// A set of bytes.
    Bs(Vec<Vec<u8>>),
}

/// Reads one item by its key: a head, or the row of a connection or a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Get {
    /// The table that is read.
    pub table: String,
    /// The key of the item.
    pub key: Item,
    /// Whether every write that was answered has to be seen.
    pub consistent: bool,
}

/// Reads several items of one table by their keys, eventually consistently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchGet {
    /// The table that is read.
    pub table: String,
    /// The keys of the items, at most a hundred, each once.
    pub keys: Vec<Item>,
}

/// What a [`BatchGet`] found, and what it left to be asked for again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The items, in no particular order. An item that does not exist is left out.
    pub items: Vec<Item>,
    /// The keys that were not looked up, to be asked for again.
    pub unprocessed: Vec<Item>,
}

/// Reads items of one partition in the order of their sort keys: messages of a room, or places in an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The table that is read.
    pub table: String,
    /// The index, or else the table itself.
    pub index: Option<String>,
    /// The `KeyConditionExpression`: which items are asked for.
    pub key_condition: String,
    /// The names in the expression.
    pub names: Names,
    /// The values in the expression.
    pub values: Item,
    /// Whether the highest sort key comes first.
    pub descending: bool,
    /// Whether every write that was answered has to be seen. An index cannot be read so.
    pub consistent: bool,
    /// How many items to read at most.
    pub limit: usize,
    /// Where the page before ended.
    pub start: Option<Item>,
}

impl Query {
    /// Ascending from the first item, eventually consistently, in the table itself; its limit is yet to be
    /// set.
    #[must_use]
    pub fn new(table: &str, key_condition: impl Into<String>) -> Self {
        Self { table: table.to_owned(), key_condition: key_condition.into(), ..Self::default() }
    }

    /// The same with a name for the expression, such as `#timestamp`.
    #[must_use]
    pub fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.insert(placeholder.to_owned(), name.to_owned());
        self
    }

    /// The same with a value for the expression, such as `:room`.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: Value) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }
}

/// Reads all items of a table in an order of its own, eventually consistently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The table that is read.
    pub table: String,
    /// How many items to read at most.
    pub limit: usize,
    /// Where the page before ended.
    pub start: Option<Item>,
}

/// What a [`Query`] or a [`Scan`] found, and where the next one goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryPage {
    /// The items in their order.
    pub items: Vec<Item>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Item>,
}

/// Writes one item, by itself or as a part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The table that the item is in.
    pub table: String,
    /// What is done to the item.
    pub kind: WriteKind,
    /// The `ConditionExpression`: nothing is done unless it holds.
    pub condition: Option<String>,
    /// The names in all expressions.
    pub names: Names,
    /// The values in all expressions.
    pub values: Item,
    /// Whether the answer shows the item: as an update left it, or as it is where the condition failed. Only
    /// for an update by itself.
    pub shows_item: bool,
}

/// What a [`Write`] does to its item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// Replaces the item by this one, or makes it.
    Put(Item),
    /// Changes attributes of the item with this key by an `UpdateExpression`, or makes the item.
    Update(Item, String),
    /// Deletes the item with this key, if there is one.
    Delete(Item),
    /// Leaves the item with this key as it is, for the sake of the condition. Only in a transaction.
    Check(Item),
}

impl Write {
    fn new(table: &str, kind: WriteKind) -> Self {
        let (names, values) = (Names::new(), Item::new());
        Self { table: table.to_owned(), kind, condition: None, names, values, shows_item: false }
    }

    /// Puts the whole item. Whatever has its key gives way, unless [`only_if`](Self::only_if) forbids it.
    #[must_use]
    pub fn put(table: &str, item: Item) -> Self {
        Self::new(table, WriteKind::Put(item))
    }

    /// Updates the item with this key, and leaves attributes alone that the expression does not name. An
    /// absent item is made, unless [`only_if`](Self::only_if) forbids it.
    #[must_use]
    pub fn update(table: &str, key: Item, update: impl Into<String>) -> Self {
        Self::new(table, WriteKind::Update(key, update.into()))
    }

    /// Deletes the item with this key. One that is absent is no error.
    #[must_use]
    pub fn delete(table: &str, key: Item) -> Self {
        Self::new(table, WriteKind::Delete(key))
    }

    /// Checks the item with this key in a transaction: the other writes are done only if its condition holds.
    #[must_use]
    pub fn check(table: &str, key: Item) -> Self {
        Self::new(table, WriteKind::Check(key))
    }

    /// The same under a condition; without one a write is done whatever is there.
    #[must_use]
    pub fn only_if(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    /// The same with a name for an expression, such as `#read`.
    #[must_use]
    pub fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.insert(placeholder.to_owned(), name.to_owned());
        self
    }

    /// The same with a value for an expression, such as `:at`.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: Value) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// The same update with one more attribute to set, first.
    pub(crate) fn setting(mut self, attribute: &str) -> Self {
        if let WriteKind::Update(_, update) = &mut self.kind
            && let Some(rest) = update.strip_prefix("SET ")
        {
            *update = format!("SET {attribute}, {rest}");
        }
        self
    }

    /// The same with an answer that shows the item, for a caller who would read it next.
    #[must_use]
    pub fn showing_item(self) -> Self {
        Self { shows_item: true, ..self }
    }
}

/// What became of a conditional write that DynamoDB answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was done. The item as it is now, if the request asks for it.
    Done(Option<Item>),
    /// The condition did not hold, and nothing was done. The item as it is, if the request asks for it and
    /// there is one.
    ConditionFailed(Option<Item>),
}

/// What became of a transaction that DynamoDB answered.
#[derive(Debug)]
pub enum Transacted {
    /// All of it was done.
    Done,
    /// None of it was done.
    Cancelled {
        /// Why, for each part in their order: a code such as `ConditionalCheckFailed`, or `None` where the
        /// part was not the reason.
        codes: Vec<Option<String>>,
        /// The error as AWS tells it.
        source: BoxError,
    },
}

/// A request that was not answered with a result: what the stores make their ports' errors of.
#[derive(Debug)]
pub enum Failure {
    /// Nothing happened, and may the next time.
    Throttled,
    /// A write may have happened, or may still.
    Unavailable(BoxError),
}

/// DynamoDB, or what stands for it.
///
/// # Contract
/// - A request is sent as it stands: nothing is added to its expressions, and its answer is not interpreted
///   beyond the types of this module.
/// - A read may be sent again after any failure. A write is sent again only when its answer says that nothing
///   happened; whatever became of it otherwise is [`Failure::Unavailable`].
#[async_trait]
pub trait Items: Send + Sync {
    /// `GetItem`: `None` if there is no such item.
    async fn get(&self, get: Get) -> Result<Option<Item>, Failure>;

    /// `BatchGetItem`, once: what is left unprocessed is the caller's to ask for again.
    async fn batch_get(&self, batch: BatchGet) -> Result<Batch, Failure>;

    /// `Query`, once: a page that was cut is the caller's to continue.
    async fn query(&self, query: Query) -> Result<QueryPage, Failure>;

    /// `Scan`, once: a page that was cut is the caller's to continue.
    async fn scan(&self, scan: Scan) -> Result<QueryPage, Failure>;

    /// `PutItem`, `UpdateItem` or `DeleteItem`.
    async fn write(&self, write: Write) -> Result<Written, Failure>;

    /// `TransactWriteItems`, with a request token of its own for each call.
    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, Failure>;

    /// Waits before something is asked for again.
    async fn pause(&self, duration: Duration);
}

impl Written {
    /// Whether the condition held, and so the write was done.
    #[must_use]
    pub const fn held(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_s(&self) -> Option<&str> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    /// The digits of the number, if it is one.
    #[must_use]
    pub fn as_n(&self) -> Option<&str> {
        if let Self::N(digits) = self { Some(digits) } else { None }
    }

    /// The bytes, if it is bytes.
    #[must_use]
    pub fn as_b(&self) -> Option<&[u8]> {
        if let Self::B(bytes) = self { Some(bytes) } else { None }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The entries, if it is a list.
    #[must_use]
    pub fn as_l(&self) -> Option<&[Value]> {
        if let Self::L(entries) = self { Some(entries) } else { None }
    }

    /// The attributes, if it is a map.
    #[must_use]
    pub const fn as_m(&self) -> Option<&Item> {
        if let Self::M(map) = self { Some(map) } else { None }
    }
}
