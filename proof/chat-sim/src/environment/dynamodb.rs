//! DynamoDB, where the stores are those of AWS: each of their requests waits for its turn, meets what was
//! drawn for it, and what it changes is observed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::{Failure as Failed, Item, QueryPage, Value, Write, WriteKind, Written};
use chat_adapters_aws::{
    DynamoConnectionStore, DynamoMessageStore, DynamoReportStore, DynamoUserStore, TableNames,
};
use chat_domain::{
    Activity, ConnectionId, ConnectionStore as _, Consistency, Content, Member, Message, MessageStore as _,
    PageLimit, PageQuery, PageRange, ReportStore as _, Room, RoomId, Timestamp, UserStore as _,
};
use dynamodb_sim::{Answered, Answers, Database, DatabaseAnswer, DatabaseRequest, Faultless, Seen};
use futures_util::FutureExt as _;

use super::outcome::{CUT_MAX, STALE_MAX};
use super::regions::Regions;
use super::{CallOutcome, Environment, note};
use crate::call::{Call, Failure};
use crate::faults::{Fault, INDEX_LAG_MAX_MS};
use crate::ids::{RegionId, socket_number};
use crate::observations::{Observation, Stored};
use crate::stores::StoreKind;

/// A database, and the shipped stores to look into it.
pub(super) struct Dynamodb {
    database: Faultless,
    tables: TableNames,
    heads: DynamoMessageStore,
    rows: DynamoMessageStore,
    connections: DynamoConnectionStore,
    reports: DynamoReportStore,
    users: DynamoUserStore,
    /// The rooms as they are.
    rooms: BTreeMap<RoomId, Arc<Room>>,
    /// The newest version that an eventually consistent read has shown, of each table and partition in each
    /// region.
    shown: HashMap<(String, String, RegionId), usize>,
}

/// Shows a store its rows, one at a time, and no head: it tells what a row says.
#[derive(Clone)]
struct SingleRows(Faultless);

#[async_trait]
impl Answers for SingleRows {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failed> {
        if let DatabaseRequest::Get(_) = request {
            return Ok(DatabaseAnswer::Item(None));
        }
        let answer = self.0.answer(request).await?;
        let DatabaseAnswer::Page(QueryPage { mut items, .. }) = answer else { return Ok(answer) };
        items.truncate(1);
        Ok(DatabaseAnswer::Page(QueryPage { items, next: None }))
    }

    async fn pause(&self, _: Duration) {}
}

impl Dynamodb {
    fn new() -> Self {
        let tables = TableNames::default();
        let database = Faultless::new(Database::new(tables.schemas()));
        let items = Answered(database.clone());
        Self {
            heads: DynamoMessageStore::new(&items, &tables),
            rows: DynamoMessageStore::new(&Answered(SingleRows(database.clone())), &tables),
            connections: DynamoConnectionStore::new(&items, &tables),
            reports: DynamoReportStore::new(&items, &tables),
            users: DynamoUserStore::new(&items, &tables),
            database,
            tables,
            rooms: BTreeMap::new(),
            shown: HashMap::new(),
        }
    }

    /// The row at a time, as it is.
    fn row(&self, room: &RoomId, at: Timestamp) -> Result<Option<Message>, String> {
        let query = PageQuery { range: PageRange::After(at.previous()), limit: PageLimit::ONE };
        let page = self.rows.page(room, query, Consistency::Strong).now_or_never();
        let page = page.expect(AT_ONCE).map_err(|error| format!("{error:?}"))?;
        Ok(page.messages.into_iter().find(|row| row.at == at))
    }
}

const AT_ONCE: &str = "nothing is waited for without faults";

/// Adds every text that a value has.
fn gather_texts<'a>(value: &'a Value, texts: &mut HashSet<&'a str>) {
    match value {
        Value::S(text) => {
            texts.insert(text);
        }
        Value::L(values) => values.iter().for_each(|value| gather_texts(value, texts)),
        Value::M(values) => values.values().for_each(|value| gather_texts(value, texts)),
        _ => {}
    }
}

/// An item before and after it was written.
struct Change {
    table: String,
    key: Item,
    before: Option<Item>,
    after: Option<Item>,
}

impl Environment {
    /// From now on the handlers have these stores.
    pub(crate) fn store_in(&mut self, stores: StoreKind) {
        self.dynamodb = match stores {
            StoreKind::Simulated => None,
            StoreKind::Dynamodb | StoreKind::ThreeRegions => Some(Dynamodb::new()),
        };
        self.regions = Regions::of(stores.regions());
        self.observer.written_ahead(self.dynamodb.is_some());
    }

    /// The names of the tables, if the stores are those of AWS.
    pub(crate) fn dynamodb_tables(&self) -> Option<TableNames> {
        self.dynamodb.as_ref().map(|dynamodb| dynamodb.tables.clone())
    }

    /// A room as it is.
    pub(crate) fn room(&self, id: &RoomId) -> Option<Arc<Room>> {
        match &self.dynamodb {
            None => self.tables.room(id, 0),
            Some(dynamodb) => dynamodb.rooms.get(id).cloned(),
        }
    }

    /// Where some room is listed, if there is any.
    pub(crate) fn any_activity(&self) -> Option<Activity> {
        match &self.dynamodb {
            None => self.tables.any_activity(),
            Some(dynamodb) => dynamodb.rooms.values().find_map(|room| room.activity()),
        }
    }

    /// Draws what a request meets.
    pub(super) fn draw_request(&mut self, request: &DatabaseRequest) -> CallOutcome {
        if request.is_write() {
            return self.draw_written(request);
        }
        if self.hit(Fault::ReadFails) {
            return CallOutcome::Refused(Failure::Unavailable);
        }
        if self.hit(Fault::ReadThrottled) {
            return CallOutcome::Refused(Failure::Throttled);
        }
        match request {
            DatabaseRequest::Get(get) if !get.consistent => {
                let partition = get.key.values().find_map(Value::as_s).unwrap_or_default();
                self.draw_back(&get.table, partition)
            }
            DatabaseRequest::BatchGet(batch) => {
                if self.hit(Fault::BackwardsRead) {
                    CallOutcome::Stale(self.rng.usize(1..=STALE_MAX))
                } else {
                    self.draw_cut(batch.keys.len())
                }
            }
            DatabaseRequest::Query(query) if query.index.is_some() => {
                if self.hit(Fault::IndexBackwards) {
                    CallOutcome::IndexAt(self.rng.i64(1..INDEX_LAG_MAX_MS))
                } else {
                    self.draw_cut(query.limit)
                }
            }
            DatabaseRequest::Query(query) => {
                let partition = query.values.get(":room").and_then(Value::as_s);
                match partition.filter(|_| !query.consistent) {
                    Some(partition) => match self.draw_back(&query.table, partition) {
                        CallOutcome::Normal => self.draw_cut(query.limit),
                        stale => stale,
                    },
                    None => self.draw_cut(query.limit),
                }
            }
            _ => CallOutcome::Normal,
        }
    }

    /// What a write meets. Its answer is never lost in such a way that it is sent again: the client does that
    /// only if nothing happened.
    fn draw_written(&mut self, request: &DatabaseRequest) -> CallOutcome {
        if self.hit_one_in(Fault::KilledWriting, 2) {
            return CallOutcome::KilledWriting;
        }
        for (fault, outcome) in [
            (Fault::WriteThrottled, CallOutcome::Refused(Failure::Throttled)),
            (Fault::WriteRefused, CallOutcome::Refused(Failure::Unavailable)),
            (Fault::TransactionConflict, CallOutcome::Refused(Failure::Conflict)),
            (Fault::AppliedThenError, CallOutcome::AppliedThenError),
            (Fault::AppliedLate, CallOutcome::Late),
        ] {
            let may_happen =
                fault != Fault::TransactionConflict || matches!(request, DatabaseRequest::Transact(_));
            if may_happen && self.hit(fault) {
                return outcome;
            }
        }
        CallOutcome::Normal
    }

    /// Draws how many versions ago an eventually consistent read sees a partition.
    fn draw_back(&mut self, table: &str, partition: &str) -> CallOutcome {
        let Some(dynamodb) = &self.dynamodb else { return CallOutcome::Normal };
        let newest = dynamodb.database.with(|database| database.versions(table, partition)).unwrap_or(0);
        let key = (table.to_owned(), partition.to_owned(), self.region_of_current());
        let shown = dynamodb.shown.get(&key).copied().unwrap_or(0);
        let seen = self.draw_seen(newest, shown);
        if let Some(dynamodb) = &mut self.dynamodb {
            dynamodb.shown.insert(key, shown.max(seen));
        }
        if seen < newest { CallOutcome::Stale(newest - seen) } else { CallOutcome::Normal }
    }

    /// Draws whether a page of so many items ends early, or a batch leaves keys for later.
    fn draw_cut(&mut self, items: usize) -> CallOutcome {
        if items > 1 && self.hit(Fault::CutPage) {
            return CallOutcome::Cut(self.rng.usize(1..items.min(CUT_MAX)));
        }
        CallOutcome::Normal
    }

    /// Does what a request asks for, as far as what it meets lets it.
    pub(super) fn execute_request(
        &mut self,
        request: &DatabaseRequest,
        outcome: CallOutcome,
    ) -> Result<DatabaseAnswer, Failure> {
        let all = Seen { index_at_ms: self.now_ms(), ..Seen::ALL };
        match outcome {
            CallOutcome::Refused(Failure::Conflict) => {
                let conflict = Some("TransactionConflict".to_owned());
                Ok(DatabaseAnswer::Transacted(Err(vec![conflict; request.writes().len()])))
            }
            CallOutcome::Refused(failure) => Err(failure),
            CallOutcome::AppliedThenError => {
                let _ = self.apply_request(request, all);
                Err(Failure::Unavailable)
            }
            CallOutcome::Late => {
                self.give_up(Box::new(Call::Items(Box::new(request.clone()))));
                Err(Failure::Unavailable)
            }
            CallOutcome::Stale(back) => self.apply_request(request, Seen { back, ..all }),
            CallOutcome::Cut(items_max) => self.apply_request(request, Seen { items_max, ..all }),
            CallOutcome::IndexAt(ago_ms) => {
                self.apply_request(request, Seen { index_at_ms: self.now_ms() - ago_ms, ..all })
            }
            _ => self.apply_request(request, all),
        }
    }

    /// Does what a request asks for, and observes what it changes.
    pub(super) fn apply_request(
        &mut self,
        request: &DatabaseRequest,
        seen: Seen,
    ) -> Result<DatabaseAnswer, Failure> {
        let Some(dynamodb) = &self.dynamodb else { unreachable!("only stores of AWS have requests") };
        let database = dynamodb.database.clone();
        let mut changes: Vec<_> = request.writes().iter().map(|write| self.change_of(write)).collect();
        let indexed_at_ms = self.now_ms() + self.draw_lag_of(request);
        match database.with(|database| database.answer(request, seen, indexed_at_ms)) {
            Ok(answer) => {
                for change in &mut changes {
                    change.after = database.with(|it| it.item(&change.table, &change.key).ok()?.cloned());
                }
                for change in changes.iter().filter(|change| change.before != change.after) {
                    self.observe_change(change);
                }
                if let DatabaseAnswer::Written(Written::Done(_)) = answer
                    && let [Change { table, key, before: None, after: None }] = &changes[..]
                {
                    self.observe_connection_row(table, key);
                }
                Ok(answer)
            }
            Err(invalid) => {
                self.observe(&Observation::Corrupt { error: &format!("{invalid}: {request:?}") });
                Err(Failure::Unavailable)
            }
        }
    }

    /// Answers a request without a turn, and without a fault.
    pub(crate) fn answer_at_once(&mut self, request: &DatabaseRequest) -> Result<DatabaseAnswer, Failure> {
        self.apply_request(request, Seen::ALL)
    }

    /// A row of a connection goes, as DynamoDB deletes it by its age.
    pub(super) fn expire_connections(&mut self, now: Timestamp) {
        let Some(tables) = self.dynamodb_tables() else { return };
        let rows = self.record().sockets.iter().filter_map(|socket| socket.row.as_ref());
        let past: Vec<_> = rows.filter(|row| !row.may_be_open(now)).map(|row| row.id.clone()).collect();
        for id in past {
            let key = Item::from([("connectionId".to_owned(), Value::S(id.as_str().to_owned()))]);
            let _ = self
                .apply_request(&DatabaseRequest::Write(Write::delete(&tables.connections, key)), Seen::ALL);
        }
    }

    fn change_of(&self, write: &Write) -> Change {
        let Some(dynamodb) = &self.dynamodb else { unreachable!("only stores of AWS have requests") };
        let schemas = dynamodb.tables.schemas();
        let key = match &write.kind {
            WriteKind::Put(item) => {
                let schema = schemas.iter().find(|schema| schema.name == write.table);
                let names = schema.map(|schema| [Some(schema.key.partition), schema.key.sort]);
                let names = names.into_iter().flatten().flatten();
                names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect()
            }
            WriteKind::Update(key, _) | WriteKind::Delete(key) | WriteKind::Check(key) => key.clone(),
        };
        let before = dynamodb.database.with(|database| database.item(&write.table, &key).ok()?.cloned());
        Change { table: write.table.clone(), key, before, after: None }
    }

    /// How long it takes until an index shows a write.
    fn draw_lag_of(&mut self, request: &DatabaseRequest) -> i64 {
        let Some(tables) = self.dynamodb_tables() else { return 0 };
        match request.writes() {
            [write, ..] if write.table == tables.connections => {
                self.draw_index_lag_ms(!matches!(write.kind, WriteKind::Delete(_)))
            }
            // Nobody is told anew of a conversation that a list has left out.
            [write, ..] if write.table == tables.rooms && self.faults_on => self.draw_index_lag_ms(true),
            _ => 0,
        }
    }

    fn observe_change(&mut self, change: &Change) {
        let Some(dynamodb) = &self.dynamodb else { return };
        let text = |name: &str| change.key.get(name).and_then(Value::as_s).unwrap_or_default().to_owned();
        if change.table == dynamodb.tables.connections {
            let was_deleted = change.before.is_none() && {
                let partition = text("connectionId");
                let versions = dynamodb.database.with(|it| it.versions(&change.table, &partition));
                versions.is_ok_and(|versions| versions > 1)
            };
            let socket = socket_number(&ConnectionId::new(text("connectionId")));
            let is_aborted = socket.and_then(|it| self.sockets.get(it)).is_some_and(|it| it.aborted);
            if was_deleted && is_aborted {
                self.happened(Fault::DisconnectBeforeConnect);
            }
            self.observe_connection_row(&change.table, &change.key);
        } else if change.table == dynamodb.tables.users {
            self.observe_user(&text("email"));
        } else if change.table == dynamodb.tables.messages {
            if text("roomId") == "reports" {
                self.observe_reports(&text("timestamp"))
            } else {
                let at = text("timestamp").parse();
                if let (Ok(room), Ok(at)) = (text("roomId").parse(), at) {
                    self.observe_row(&room, at);
                }
            }
        } else if let Ok(room) = text("roomId").parse() {
            self.observe_head(&room);
        }
    }

    fn observe_connection_row(&mut self, table: &str, key: &Item) {
        let Some(dynamodb) = &self.dynamodb else { return };
        let id =
            key.get("connectionId").and_then(Value::as_s).filter(|_| table == dynamodb.tables.connections);
        let Some(id) = id.map(ConnectionId::new) else { return };
        let row = dynamodb.connections.get(&id).now_or_never().expect(AT_ONCE);
        let row = row.ok().flatten().map(Arc::new);
        if let Some(socket) = socket_number(&id) {
            self.observe(&Observation::ConnectionRow { socket, row: row.as_ref() });
        }
    }

    fn observe_reports(&mut self, id: &str) {
        let Some(dynamodb) = &self.dynamodb else { return };
        let listed = dynamodb.reports.list(None).now_or_never().expect(AT_ONCE);
        let Ok(listed) = listed else { return };
        if let Some(report) = listed.reports.iter().find(|report| report.id().to_string() == id) {
            self.observe(&Observation::Reported(report));
        }
    }

    fn observe_user(&mut self, email: &str) {
        let (Some(dynamodb), Ok(email)) = (&self.dynamodb, email.parse()) else { return };
        let row = dynamodb.users.get(&email).now_or_never().expect(AT_ONCE);
        match row {
            Ok(Some(row)) => self.user_was_written(&row),
            Ok(None) => {}
            Err(error) => self.observe(&Observation::Corrupt { error: &format!("{error:?}") }),
        }
    }

    fn observe_row(&mut self, room: &RoomId, at: Timestamp) {
        let Some(dynamodb) = &self.dynamodb else { return };
        match dynamodb.row(room, at) {
            Ok(row) => self.observe(&Observation::Row { room, at, row: row.as_ref() }),
            Err(error) => self.observe(&Observation::Corrupt { error: &error }),
        }
    }

    /// What a strong read shows of the message that an entry changes, if it does.
    fn target_of(&self, entry: &Message) -> Option<Message> {
        let (Some(dynamodb), Content::Change(change)) = (&self.dynamodb, &entry.content) else { return None };
        let places = [change.target];
        let read = dynamodb.heads.messages_at(&entry.room, &places, Consistency::Strong);
        read.now_or_never().expect(AT_ONCE).ok()?.pop()
    }

    /// What the items of rooms and messages say is observed, now that nobody writes any more.
    pub(crate) fn observe_what_is_left(&mut self) {
        let Some(dynamodb) = &self.dynamodb else { return };
        let database = dynamodb.database.clone();
        let tables = [dynamodb.tables.rooms.clone(), dynamodb.tables.messages.clone()];
        database.with(|database| {
            let database = &*database;
            let items = tables.iter().flat_map(|table| database.items(table).into_iter().flatten());
            // A report keeps what was said, whatever becomes of it.
            let said = items.filter(|item| item.get("roomId").and_then(Value::as_s) != Some("reports"));
            let mut texts = HashSet::new();
            said.flat_map(|item| item.values()).for_each(|value| gather_texts(value, &mut texts));
            self.observe(&Observation::Left { texts: &texts });
        });
    }

    /// A head was written: what it says since is observed.
    fn observe_head(&mut self, id: &RoomId) {
        let Some(dynamodb) = &mut self.dynamodb else { return };
        let read = dynamodb.heads.room(id, Consistency::Strong).now_or_never().expect(AT_ONCE);
        let head = match read {
            Ok(Some(head)) => Arc::new(head),
            Ok(None) => {
                dynamodb.rooms.remove(id);
                return;
            }
            Err(error) => {
                let error = format!("{error:?}");
                return self.observe(&Observation::Corrupt { error: &error });
            }
        };
        let before = dynamodb.rooms.insert(id.clone(), Arc::clone(&head));
        note!(self, "the head of {id} is at {}", head.seq());
        if before.as_ref().map_or(0, |before| before.seq()) != head.seq()
            && let Some(log) = head.log()
        {
            let target = self.target_of(&log.newest);
            let stored = Stored { message: &log.newest, head: Some(&head), target: target.as_ref() };
            self.observe(&Observation::Stored(stored));
        }
        for member in [Member::A, Member::B] {
            let (is, was) = (head.read_state(member), before.as_ref().map(|it| it.read_state(member)));
            let was = was.unwrap_or_default();
            if let Some(mark) = is.mark.filter(|mark| Some(*mark) != was.mark) {
                let head = Some(&head);
                self.observe(&Observation::MarkSet { room: id, reader: member, mark, head });
            }
            if before.as_ref().map(|it| it.consent(member)).unwrap_or_default() != head.consent(member) {
                self.observe(&Observation::ConsentSet { room: id, member, head: &head });
            }
        }
    }
}
