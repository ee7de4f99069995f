//! Random requests, made of the expressions that the stores write, are answered by the simulated DynamoDB as
//! by the engine: the embedded one, or the one at the endpoint in `CHAT_TEST_DYNAMODB_ENDPOINT`.

#[path = "../../../chat-adapters-aws/tests/support/mod.rs"]
mod support;

use chat_adapters_aws::TableNames;
use chat_adapters_aws::items::{
    Batch, BatchGet, Failure, Get, Item, Items, Names, Query, QueryPage, Scan, Transacted, Value, Write,
    Written,
};
use dynamodb_sim::{Answered, Database, DatabaseAnswer, DatabaseRequest, Faultless};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;

use crate::support::{ENDPOINT, Tables};

/// How many requests are made of one store.
const REQUESTS: std::ops::Range<usize> = 20..60;
const CASES: u32 = 60;
/// More than there are items.
const EVERYTHING: usize = 100;

fn s(text: impl ToString) -> Value {
    Value::S(text.to_string())
}

fn n(number: impl ToString) -> Value {
    Value::N(number.to_string())
}

fn item<const N: usize>(attributes: [(&str, Value); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether the engine may be DynamoDB Local of January 2020. It refuses empty texts and bytes, which
/// DynamoDB allows since May of that year; it sees that a page has come to its bound; and it says
/// otherwise why a transaction was not done.
fn may_be_older() -> bool {
    std::env::var_os(ENDPOINT).is_some()
}

/// A value of any type, of few of each, so that two are the same now and then.
fn value() -> impl Strategy<Value = Value> {
    let bytes = select(vec![vec![], vec![0], vec![0, 255]]).prop_map(Value::B);
    let allowed = |value: &Value| !may_be_older() || *value != s("") && *value != Value::B(vec![]);
    prop_oneof![
        4 => (-1..12_i64).prop_map(n),
        3 => select(vec!["", "a", "ab", "b", "말"]).prop_map(s).prop_filter("it is empty", allowed),
        1 => bytes.prop_filter("it is empty", allowed),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => vec((0..3_i64).prop_map(n), 0..3).prop_map(Value::L),
        1 => (0..3_i64).prop_map(|number| Value::M(item([("key", n(number))]))),
        1 => subsequence(vec!["a".to_owned(), "b".to_owned()], 1..=2).prop_map(Value::Ss),
    ]
}

/// A value that has an order. DynamoDB refuses to order others, which the embedded engine does not always
/// notice.
fn ordered() -> impl Strategy<Value = Value> {
    value().prop_filter("it has no order", |value| matches!(value, Value::N(_) | Value::S(_) | Value::B(_)))
}

/// A part of an expression, with what it needs. Placeholders are numbered when all is put together.
#[derive(Clone, Debug)]
enum Part {
    Text(&'static str),
    Name(&'static str),
    /// The same, written as `#name`.
    Hidden(&'static str),
    Value(Value),
}

use Part::{Hidden, Name, Text};

/// The expressions of a request, their names and values.
#[derive(Default)]
struct Expressions {
    names: Names,
    values: Item,
}

impl Expressions {
    fn expression(&mut self, parts: &[Part]) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(word) | Part::Name(word) => text.push_str(word),
                Part::Hidden(name) => {
                    self.names.insert(format!("#{name}"), (*name).to_owned());
                    text.push_str(&format!("#{name}"));
                }
                Part::Value(value) => {
                    let placeholder = format!(":v{}", self.values.len());
                    self.values.insert(placeholder.clone(), value.clone());
                    text.push_str(&placeholder);
                }
            }
            text.push(' ');
        }
        text
    }
}

/// The attributes that heads, rows and connections are written with here.
fn attribute() -> impl Strategy<Value = Part> {
    let plain = ["seq", "sentB", "readUpToA", "blockedA", "claimedBy", "kind"];
    let hidden = select(vec!["read", "message"]).prop_map(Hidden);
    prop_oneof![4 => select(plain.to_vec()).prop_map(Name), 1 => hidden]
}

fn exists() -> impl Strategy<Value = Vec<Part>> {
    let function = select(vec!["attribute_exists(", "attribute_not_exists("]);
    let name = prop_oneof![attribute(), Just(Name("roomId"))];
    (function, name).prop_map(|(function, name)| vec![Text(function), name, Text(")")])
}

fn comparison() -> impl Strategy<Value = Vec<Part>> {
    let equals = (attribute(), select(vec!["=", "<>"]), value())
        .prop_map(|(name, operator, value)| vec![name, Text(operator), Part::Value(value)]);
    let compares = (attribute(), select(vec!["<", "<=", ">", ">="]), ordered())
        .prop_map(|(name, operator, value)| vec![name, Text(operator), Part::Value(value)]);
    let empty = if may_be_older() { s("b") } else { s("") };
    let prefix = select(vec![empty, s("a"), Value::B(vec![0])]);
    let begins = (attribute(), prefix).prop_map(|(name, prefix)| {
        vec![Text("begins_with("), name, Text(","), Part::Value(prefix), Text(")")]
    });
    let between = (attribute(), 0..4_i64, 4..9_i64).prop_map(|(name, low, high)| {
        vec![name, Text("BETWEEN"), Part::Value(n(low)), Text("AND"), Part::Value(n(high))]
    });
    prop_oneof![3 => equals, 3 => compares, 1 => begins, 1 => between]
}

fn condition() -> impl Strategy<Value = Vec<Part>> {
    let one = prop_oneof![exists(), comparison()];
    one.prop_recursive(3, 6, 2, |inner| {
        let both = (inner.clone(), select(vec!["AND", "OR"]), inner.clone())
            .prop_map(|(one, word, other)| [one, vec![Text(word)], other].concat());
        let in_brackets = inner.clone().prop_map(|it| [vec![Text("(")], it, vec![Text(")")]].concat());
        let negated = inner.prop_map(|it| [vec![Text("NOT (")], it, vec![Text(")")]].concat());
        prop_oneof![3 => both, 2 => in_brackets, 1 => negated]
    })
}

fn term() -> impl Strategy<Value = Vec<Part>> {
    let given = value().prop_map(|value| vec![Part::Value(value)]);
    let kept = (attribute(), value()).prop_map(|(name, value)| {
        vec![Text("if_not_exists("), name, Text(","), Part::Value(value), Text(")")]
    });
    let sum = (attribute(), select(vec!["+", "-"]), 0..3_i64)
        .prop_map(|(name, sign, number)| vec![name, Text(sign), Part::Value(n(number))]);
    let appended = (attribute(), vec((0..3_i64).prop_map(n), 0..3)).prop_map(|(name, entries)| {
        vec![Text("list_append("), name, Text(","), Part::Value(Value::L(entries)), Text(")")]
    });
    prop_oneof![6 => given, 2 => kept, 1 => sum, 1 => appended]
}

/// `SET a = ..., b = ... REMOVE c, d`; now and then an attribute twice, which is refused.
fn update() -> impl Strategy<Value = Vec<Part>> {
    let set = vec((attribute(), term()), 0..4);
    let removed = vec(attribute(), 0..3);
    (set, removed).prop_map(|(set, removed)| {
        let mut parts = Vec::new();
        for (place, (name, term)) in set.into_iter().enumerate() {
            parts.extend([Text(if place == 0 { "SET" } else { "," }), name, Text("=")]);
            parts.extend(term);
        }
        for (place, name) in removed.into_iter().enumerate() {
            parts.extend([Text(if place == 0 { "REMOVE" } else { "," }), name]);
        }
        parts
    })
}

fn room() -> impl Strategy<Value = &'static str> {
    select(vec!["r1", "r2", "r3"])
}

fn user() -> impl Strategy<Value = &'static str> {
    select(vec!["junho@example.com", "minji@example.com"])
}

fn instant() -> impl Strategy<Value = &'static str> {
    select(vec!["t1", "t2", "t3", "t4", "t5"])
}

/// Each room moves within its own places, so that no two rooms have the same.
fn activity(day: u8, room: &str) -> Value {
    s(format!("day{day}#{room}"))
}

fn written(write: Write, condition: Option<&[Part]>, update: Option<&[Part]>) -> Write {
    let mut expressions = Expressions::default();
    let condition = condition.map(|parts| expressions.expression(parts));
    let mut write = write;
    if let (Some(parts), chat_adapters_aws::items::WriteKind::Update(_, text)) = (update, &mut write.kind) {
        *text = expressions.expression(parts);
    }
    let Expressions { names, values } = expressions;
    Write { condition, names, values, ..write }
}

fn write(tables: &TableNames) -> impl Strategy<Value = Write> + use<> {
    let condition = || proptest::option::weighted(0.8, condition());
    let (rooms, messages, users) = (tables.rooms.clone(), tables.messages.clone(), tables.users.clone());
    let head = (room(), condition(), update(), any::<bool>()).prop_map({
        let rooms = rooms.clone();
        move |(room, condition, update, shows)| {
            let write = Write::update(&rooms, item([("roomId", s(room))]), "");
            Write { shows_item: shows, ..written(write, condition.as_deref(), Some(&update)) }
        }
    });
    let moves = (room(), user(), 0..3_u8).prop_map({
        let rooms = rooms.clone();
        move |(room, user, day)| {
            Write::update(&rooms, item([("roomId", s(room))]), "SET memberA = :memberA, activity = :activity")
                .value(":memberA", s(user))
                .value(":activity", activity(day, room))
        }
    });
    let row = (room(), instant(), condition(), attribute(), value()).prop_map({
        let messages = messages.clone();
        move |(room, at, condition, name, value)| {
            let (Name(name) | Hidden(name)) = name else { unreachable!("an attribute has a name") };
            let put = Write::put(&messages, item([("roomId", s(room)), ("timestamp", s(at)), (name, value)]));
            written(put, condition.as_deref(), None)
        }
    });
    let change = (room(), instant(), condition(), update()).prop_map({
        let messages = messages.clone();
        move |(room, at, condition, update)| {
            let write = Write::update(&messages, item([("roomId", s(room)), ("timestamp", s(at))]), "");
            written(write, condition.as_deref(), Some(&update))
        }
    });
    let delete = (room(), instant(), condition()).prop_map(move |(room, at, condition)| {
        let delete = Write::delete(&messages, item([("roomId", s(room)), ("timestamp", s(at))]));
        written(delete, condition.as_deref(), None)
    });
    let gone = (room(), condition()).prop_map(move |(room, condition)| {
        written(Write::delete(&rooms, item([("roomId", s(room))])), condition.as_deref(), None)
    });
    let of_user = (user(), condition(), update()).prop_map(move |(user, condition, update)| {
        let write = Write::update(&users, item([("email", s(user))]), "");
        written(write, condition.as_deref(), Some(&update))
    });
    prop_oneof![
        4 => head, 2 => moves, 4 => row, 2 => change, 1 => delete, 1 => gone, 1 => of_user,
        2 => connection(&tables.connections),
    ]
}

fn connection(table: &str) -> impl Strategy<Value = Write> + use<> {
    let table = table.to_owned();
    (select(vec!["c1", "c2", "c3"]), user(), instant(), 0..3_u8).prop_map(move |(id, user, at, what)| {
        let key = item([("connectionId", s(id))]);
        match what {
            0 => {
                let more = item([("email", s(user)), ("connectedAt", s(at)), ("ttl", n(5))]);
                Write::put(&table, key.into_iter().chain(more).collect())
            }
            1 => Write::delete(&table, key).only_if("connectedAt < :instant").value(":instant", s(at)),
            _ => Write::update(&table, key, "SET authExpiresAt = :at")
                .only_if("attribute_exists(connectionId)")
                .value(":at", s(at)),
        }
    })
}

fn query(tables: &TableNames) -> impl Strategy<Value = Query> + use<> {
    let TableNames { connections, messages, rooms, .. } = tables.clone();
    let compared = [" AND #timestamp < :bound", " AND #timestamp > :bound", " AND #timestamp >= :bound"];
    let other = [" AND begins_with(#timestamp, :bound)", " AND #timestamp BETWEEN :bound AND :bound"];
    let bound = prop_oneof![
        2 => Just(""),
        1 => select(compared.to_vec()),
        1 => select(other.to_vec()),
    ];
    let start = proptest::option::weighted(0.3, instant());
    let rows = (room(), bound, instant(), any::<(bool, bool)>(), 1..6_usize, start).prop_map(
        move |(room, bound, at, (descending, consistent), limit, start)| {
            let mut query = Query::new(&messages, format!("roomId = :room{bound}")).value(":room", s(room));
            if !bound.is_empty() {
                query = query.name("#timestamp", "timestamp").value(":bound", s(at));
            }
            let start = start.map(|at| item([("roomId", s(room)), ("timestamp", s(at))]));
            // A page goes on within what it asks for.
            Query { descending, consistent, limit, start: start.filter(|_| bound.is_empty()), ..query }
        },
    );
    let places = (user(), any::<bool>(), 0..3_u8, room(), 1..4_usize, 0..3_u8).prop_map(
        move |(user, consistent, day, room, limit, what)| {
            let query = match what {
                0 => Query::new(&rooms, "memberA = :user AND activity < :after")
                    .value(":after", activity(day, room)),
                _ => Query::new(&rooms, "memberA = :user"),
            };
            let start = [("memberA", s(user)), ("activity", activity(day, room)), ("roomId", s(room))];
            let start = (what == 1).then(|| item(start));
            let index = Some("memberA-index".to_owned());
            let query = query.value(":user", s(user));
            Query { index, descending: true, consistent: consistent && day == 0, limit, start, ..query }
        },
    );
    let of_user = user().prop_map(move |user| {
        let query = Query::new(&connections, "email = :email").value(":email", s(user));
        Query { index: Some("email-index".to_owned()), limit: EVERYTHING, ..query }
    });
    prop_oneof![4 => rows, 2 => places, 1 => of_user]
}

fn request(tables: &TableNames) -> impl Strategy<Value = DatabaseRequest> + use<> {
    let (rooms, messages, users) = (tables.rooms.clone(), tables.messages.clone(), tables.users.clone());
    let get = (room(), instant(), any::<bool>()).prop_map(move |(room, at, consistent)| {
        let key = item([("roomId", s(room)), ("timestamp", s(at))]);
        DatabaseRequest::Get(Get { table: messages.clone(), key, consistent })
    });
    let batch = vec(room(), 0..4).prop_map(move |all| {
        let keys = all.into_iter().map(|room| item([("roomId", s(room))])).collect();
        DatabaseRequest::BatchGet(BatchGet { table: rooms.clone(), keys })
    });
    let scan = Scan { table: users, limit: EVERYTHING, start: None };
    prop_oneof![
        8 => write(tables).prop_map(DatabaseRequest::Write),
        2 => vec(write(tables), 1..4).prop_map(DatabaseRequest::Transact),
        4 => query(tables).prop_map(DatabaseRequest::Query),
        2 => get,
        1 => batch,
        1 => Just(DatabaseRequest::Scan(scan)),
    ]
}

/// Whether an older engine may say either way that a page goes on after its last item.
fn may_end(request: &DatabaseRequest) -> bool {
    matches!(request, DatabaseRequest::Query(query) if query.values.contains_key(":bound")) && may_be_older()
}

/// What an engine answers, in a form in which two answers can be compared; nothing, if it refuses.
async fn ask(items: &dyn Items, request: DatabaseRequest) -> Option<DatabaseAnswer> {
    let may_end = may_end(&request);
    let answer = match request {
        DatabaseRequest::Get(get) => items.get(get).await.map(DatabaseAnswer::Item),
        DatabaseRequest::BatchGet(batch) => items.batch_get(batch).await.map(DatabaseAnswer::Batch),
        DatabaseRequest::Query(query) => items.query(query).await.map(DatabaseAnswer::Page),
        DatabaseRequest::Scan(scan) => items.scan(scan).await.map(DatabaseAnswer::Page),
        DatabaseRequest::Write(write) => items.write(write).await.map(DatabaseAnswer::Written),
        DatabaseRequest::Transact(writes) => items.transact(writes).await.map(|transacted| {
            DatabaseAnswer::Transacted(match transacted {
                Transacted::Done => Ok(()),
                Transacted::Cancelled { codes, .. } => Err(codes),
            })
        }),
    };
    match answer {
        Ok(DatabaseAnswer::Page(QueryPage { items, .. })) if may_end => {
            Some(DatabaseAnswer::Page(QueryPage { items, next: None }))
        }
        Ok(DatabaseAnswer::Transacted(Err(_))) if may_be_older() => None,
        Ok(answer) => Some(comparable(answer)),
        Err(Failure::Unavailable(_)) => None,
        Err(Failure::Throttled) => panic!("nobody is throttled here"),
    }
}

fn comparable(answer: DatabaseAnswer) -> DatabaseAnswer {
    match answer {
        DatabaseAnswer::Batch(Batch { mut items, unprocessed }) => {
            items.sort_by_key(|item| format!("{item:?}"));
            DatabaseAnswer::Batch(Batch { items, unprocessed })
        }
        DatabaseAnswer::Page(QueryPage { mut items, next })
            if items.iter().any(|item| item.contains_key("email")) =>
        {
            // Neither a scan nor the index of connections has an order.
            items.sort_by_key(|item| format!("{item:?}"));
            DatabaseAnswer::Page(QueryPage { items, next })
        }
        // DynamoDB Local of before 2023 does not show the item.
        DatabaseAnswer::Written(Written::ConditionFailed(_)) => {
            DatabaseAnswer::Written(Written::ConditionFailed(None))
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(16),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_answer_the_same(requests in vec(request(&TableNames::default()), REQUESTS)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let tables = Tables::fresh().await;
            let engine = tables.client();
            let simulated = Answered(Faultless::new(Database::new(TableNames::default().schemas())));
            for request in requests {
                let expected = ask(&engine, named(request.clone(), &tables.names)).await;
                let answer = ask(&simulated, request.clone()).await;
                prop_assert_eq!(answer, expected, "{:#?}", request);
            }
            Ok(())
        })?;
    }
}

/// The same request of tables with other names.
fn named(request: DatabaseRequest, names: &TableNames) -> DatabaseRequest {
    let plain = TableNames::default();
    let pairs = [
        (plain.connections, &names.connections),
        (plain.messages, &names.messages),
        (plain.rooms, &names.rooms),
        (plain.users, &names.users),
    ];
    let named = |table: String| {
        pairs.iter().find(|(plain, _)| *plain == table).map_or(table, |(_, name)| (*name).clone())
    };
    match request {
        DatabaseRequest::Get(it) => DatabaseRequest::Get(Get { table: named(it.table), ..it }),
        DatabaseRequest::BatchGet(it) => DatabaseRequest::BatchGet(BatchGet { table: named(it.table), ..it }),
        DatabaseRequest::Query(it) => DatabaseRequest::Query(Query { table: named(it.table), ..it }),
        DatabaseRequest::Scan(it) => DatabaseRequest::Scan(Scan { table: named(it.table), ..it }),
        DatabaseRequest::Write(it) => DatabaseRequest::Write(Write { table: named(it.table), ..it }),
        DatabaseRequest::Transact(all) => DatabaseRequest::Transact(
            all.into_iter().map(|it| Write { table: named(it.table), ..it }).collect(),
        ),
    }
}
