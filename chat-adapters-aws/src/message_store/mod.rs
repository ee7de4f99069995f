mod change;
mod change_values;
mod erase;
mod head;
mod page;
pub(crate) mod row;
mod settle;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{
    Activity, Advance, Append, ConsentWrite, Consistency, Email, Member, Message, MessageStore,
    MessageStoreError, Page, PageLimit, PageQuery, PageRange, ROOMS_PAGE_MAX, ReadMark, Room, RoomId,
    RoomLog, RoomsPage, Timestamp, UPLOAD_SHOWN_WITHIN,
};
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use self::page::{Order, Read};
use self::settle::SeenRows;
pub use self::settle::Settled;
use crate::attributes::{Fields, Malformed, item, number, text};
use crate::items::{BatchGet, Failure, Get, Item, Items, Query, Value, Write, Written};
use crate::query::{self, Rows};
use crate::tables::{TableNames, messages, rooms};

/// How many rows are read at the same time for heads that an earlier version wrote.
const READ_AT_ONCE: usize = 10;

/// How often what a batch left unread is asked for again.
const BATCH_RETRIES_MAX: u32 = 3;
/// How long a batch is left alone before the first time; it doubles with every further one.
const FIRST_BATCH_WAIT: Duration = Duration::from_millis(50);

/// How long a claim of an image is kept: by then the upload has lapsed, and no message may show it anew.
const CLAIM_KEPT_FOR: Duration = UPLOAD_SHOWN_WITHIN.saturating_mul(2);

/// Rooms and their messages in DynamoDB.
///
/// - A commit is one conditional write, of the head: the new head holds the whole message, and nothing else
///   is needed for the message to be stored. Settling then puts the row, if there is none. Both together take
///   2 write units while each is below 1 KB. The first message of a room, and the first of each day, also
///   move the head in two indexes.
/// - Before a head is replaced, its message is known to have a row: reading a room for a commit looks for the
///   row, and puts it if a process stopped between the two writes. So at most the newest message of a room
///   has no row, and pages take it from the head.
/// - An image is claimed before the commit by an item in the table of heads, whose key is that of its object,
///   for the message alone that shows it. The item expires when no other message could show the image any
///   more.
/// - A commit is never repeated after an unknown outcome: a caller who commits the same again is told
///   [`Conflict`](MessageStoreError::Conflict), not that it succeeded.
/// - Within a call, only what DynamoDB has refused is tried again, up to three times; then it is
///   [`Throttled`](MessageStoreError::Throttled). A call takes at most 7 seconds.
///
/// ```no_run
/// use std::sync::Arc;
/// use chat_adapters_aws::{DynamoClient, DynamoMessageStore, TableNames};
/// use chat_domain::MessageStore;
///
/// fn compose(client: &DynamoClient) -> Arc<dyn MessageStore> {
///     Arc::new(DynamoMessageStore::new(client, &TableNames::default()))
/// }
/// ```
#[derive(Clone)]
pub struct DynamoMessageStore {
    items: Arc<dyn Items>,
    seen: Arc<SeenRows>,
    messages: String,
    rooms: String,
}

impl DynamoMessageStore {
    /// A store over the tables of these names.
    #[must_use]
    pub fn new(items: &(impl Items + Clone + 'static), tables: &TableNames) -> Self {
        Self {
            items: Arc::new(items.clone()),
            seen: Arc::default(),
            messages: tables.messages.clone(),
            rooms: tables.rooms.clone(),
        }
    }

    fn head_update(&self, append: &Append) -> Write {
        let update = self.head_set(&append.message().room, head::log_attributes(append));
        let blocked = rooms::BLOCKED[append.message().sender.peer()];
        match append.expected_seq {
            0 => update.only_if(IS_NEW),
            seq => update
                .only_if(format!("seq = :expected AND attribute_not_exists({blocked})"))
                .value(":expected", number(seq)),
        }
    }

    fn update_head(&self, room: &RoomId, update: impl Into<String>) -> Write {
        Write::update(&self.rooms, head::key(room), update)
    }

    /// Sets attributes of a head, and removes those without a value.
    fn head_set(
        &self,
        room: &RoomId,
        attributes: impl IntoIterator<Item = (&'static str, Option<Value>)>,
    ) -> Write {
        let mut values = Item::new();
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (name, value) in attributes {
            match value {
                Some(value) => {
                    set.push(format!("{name} = :{name}"));
                    values.insert(format!(":{name}"), value);
                }
                None => removed.push(name),
            }
        }
        let remove = if removed.is_empty() { "" } else { " REMOVE " };
        let update = format!("SET {}{remove}{}", set.join(", "), removed.join(", "));
        Write { values, ..self.update_head(room, update) }
    }

    /// Whether the condition held, and so the update was done.
    async fn update(&self, operation: &'static str, update: Write) -> Result<bool, MessageStoreError> {
        self.items.write(update).await.map(|written| written.held()).map_err(failed(operation))
    }

    /// Claims the attachment that a message shows, unless another message has. The same one may do so again.
    async fn claim_attachment(&self, message: &Message) -> Result<(), MessageStoreError> {
        let Some(key) = claim_key(message) else { return Ok(()) };
        let update = format!("SET {} = :message, #ttl = :ttl", rooms::CLAIMED_BY);
        let claim = Write::update(&self.rooms, key, update)
            .only_if(format!("{IS_NEW} OR {} = :message", rooms::CLAIMED_BY))
            .name("#ttl", rooms::TTL)
            .value(":message", text(format_args!("{}#{}", message.sender_email().tag(), message.id)))
            .value(":ttl", number(message.at.after(CLAIM_KEPT_FOR).unix_ms() / 1_000));
        let claimed = self.update("commit", claim).await?;
        if claimed { Ok(()) } else { Err(MessageStoreError::AttachmentTaken) }
    }

    /// The rows that a query selects, and one more if there are more.
    async fn rows(
        &self,
        operation: &'static str,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError> {
        let (comparison, bound, descending) = match query.range {
            PageRange::Newest => ("", None, true),
            PageRange::Before(at) => (" AND #timestamp < :bound", Some(at), true),
            PageRange::Oldest => ("", None, false),
            PageRange::After(at) => (" AND #timestamp > :bound", Some(at), false),
        };
        let mut request = Query::new(&self.messages, format!("roomId = :room{comparison}"));
        if let Some(bound) = bound {
            request = request.name("#timestamp", messages::TIMESTAMP).value(":bound", text(bound));
        }
        let consistent = consistency == Consistency::Strong;
        let request = Query { descending, consistent, ..request.value(":room", text(room)) };
        // One row more than asked for tells whether more follow. DynamoDB's own mark is also set when none
        // do.
        let wanted = query.limit.get() + 1;
        let rows = query::first(&*self.items, wanted, request).await.map_err(failed(operation))?;
        let listed = rows.items.iter().map(|item| row::from_item(room, item));
        listed.collect::<Result<_, _>>().map_err(corrupt(room))
    }

    /// The places of the rooms in which somebody is this member, latest first: one page and one more.
    async fn places(
        &self,
        user: &Email,
        member: Member,
        after: Option<Activity>,
    ) -> Result<Rows, MessageStoreError> {
        let name = rooms::MEMBER[member];
        let query = match after {
            None => Query::new(&self.rooms, format!("{name} = :user")),
            Some(after) => Query::new(&self.rooms, format!("{name} = :user AND activity < :after"))
                .value(":after", text(after)),
        };
        let index = Some(rooms::index(member).to_owned());
        let query = Query { index, descending: true, ..query.value(":user", text(user)) };
        query::first(&*self.items, ROOMS_PAGE_MAX + 1, query).await.map_err(failed("rooms_of"))
    }

    async fn get(&self, table: &str, key: Item, consistency: Consistency) -> Result<Option<Item>, Failure> {
        let consistent = consistency == Consistency::Strong;
        self.items.get(Get { table: table.to_owned(), key, consistent }).await
    }

    /// The room of which an item is the head.
    async fn room_of(&self, id: &RoomId, head: &Item) -> Result<Room, MessageStoreError> {
        let row = match head::newest_elsewhere(head).map_err(corrupt(id))? {
            None => None,
            Some(at) => {
                let query = PageQuery { range: PageRange::After(at.previous()), limit: PageLimit::ONE };
                let rows = self.rows("room", id, query, Consistency::Strong).await?;
                rows.into_iter().find(|row| row.at == at)
            }
        };
        head::from_item(head, row).map_err(corrupt(id))
    }

    /// The same for a list of `member`'s rooms.
    async fn listed(&self, member: &Email, head: Item) -> Result<Room, MessageStoreError> {
        let id = Fields(&head).parsed(rooms::ROOM_ID).map_err(corrupt_list(member))?;
        self.room_of(&id, &head).await
    }

    /// The heads of these rooms, in no particular order; at most [`ROOMS_PAGE_MAX`], each once.
    async fn heads(&self, ids: &[RoomId]) -> Result<Vec<Item>, MessageStoreError> {
        let mut keys = ids.iter().map(head::key).collect();
        let mut found = Vec::new();
        let mut wait = FIRST_BATCH_WAIT;
        for retries_left in (0..=BATCH_RETRIES_MAX).rev() {
            let batch = self.items.batch_get(BatchGet { table: self.rooms.clone(), keys }).await;
            let batch = batch.map_err(failed("rooms_of"))?;
            found.extend(batch.items);
            keys = batch.unprocessed;
            if keys.is_empty() {
                return Ok(found);
            }
            if retries_left > 0 {
                self.items.pause(wait).await;
                wait *= 2;
            }
        }
        Err(MessageStoreError::Throttled { operation: "rooms_of" })
    }
}

/// The key of the item that says that an attachment is shown, in the table of heads.
fn claim_key(message: &Message) -> Option<Item> {
    message.content.attachment().map(|attachment| item([(rooms::ROOM_ID, text(&attachment.key))]))
}

/// The conditions under which an item of either table is made, and is changed: each has this key.
const IS_NEW: &str = "attribute_not_exists(roomId)";
const EXISTS: &str = "attribute_exists(roomId)";

/// The condition under which an instant in the head moves: the room exists, and the instant is absent or
/// earlier.
fn exists_and_is_before(name: &str) -> String {
    format!("attribute_exists(roomId) AND (attribute_not_exists({name}) OR {name} < :to)")
}

fn failed(operation: &'static str) -> impl FnOnce(Failure) -> MessageStoreError {
    move |failure| match failure {
        Failure::Throttled => MessageStoreError::Throttled { operation },
        Failure::Unavailable(source) => MessageStoreError::Unavailable { operation, source },
    }
}

fn corrupt_list(member: &Email) -> impl FnOnce(Malformed) -> MessageStoreError {
    let key = member.tag().to_string();
    move |malformed| MessageStoreError::Corrupt { key, source: malformed.into() }
}

fn corrupt(room: &RoomId) -> impl FnOnce(Malformed) -> MessageStoreError {
    let key = room.tag().to_string();
    move |malformed| MessageStoreError::Corrupt { key, source: malformed.into() }
}

/// A room's place in a user's list, as an item of an index has it.
fn place(item: &Item) -> Result<(Activity, RoomId), Malformed> {
    let item = Fields(item);
    Ok((item.parsed(rooms::ACTIVITY)?, item.parsed(rooms::ROOM_ID)?))
}

/// A page of the rooms in which a user is either member, latest first, and whether there may be more.
///
/// Beyond the last place of an index that was cut short nothing is known. An index may show a room twice
/// while it moves.
fn merge(indexes: [Rows; 2]) -> Result<(Vec<(Activity, RoomId)>, bool), Malformed> {
    let mut known_to = None;
    let mut places = Vec::new();
    for rows in indexes {
        let listed = rows.items.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        if rows.cut {
            known_to = known_to.max(listed.last().map(|(place, _)| *place));
        }
        places.extend(listed);
    }
    places.retain(|(place, _)| Some(*place) >= known_to);
    places.sort_by_key(|(place, _)| Reverse(*place));
    let mut seen = HashSet::new();
    places.retain(|(place, _)| seen.insert(place.room));
    let more = known_to.is_some() || places.len() > ROOMS_PAGE_MAX;
    places.truncate(ROOMS_PAGE_MAX);
    Ok((places, more))
}

#[async_trait]
impl MessageStore for DynamoMessageStore {
    async fn room(&self, id: &RoomId, consistency: Consistency) -> Result<Option<Room>, MessageStoreError> {
        let got = self.get(&self.rooms, head::key(id), consistency).await.map_err(failed("room"))?;
        match got {
            None => Ok(None),
            Some(head) => self.room_of(id, &head).await.map(Some),
        }
    }

    async fn room_for_commit(
        &self,
        id: &RoomId,
        consistency: Consistency,
    ) -> Result<Option<Room>, MessageStoreError> {
        Ok(self.head_with_row(id, consistency).await?.map(|head| head.room))
    }

    async fn room_for_change(
        &self,
        id: &RoomId,
        place: Timestamp,
        consistency: Consistency,
    ) -> Result<(Option<Room>, Option<Message>), MessageStoreError> {
        let Some(head) = self.head_with_row(id, consistency).await? else { return Ok((None, None)) };
        let found = self.at_place_after(&head, id, place).await?;
        Ok((Some(head.room), found))
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        self.claim_attachment(append.message()).await?;
        self.settle_before(append).await?;
        let is_stored = self.update("commit", self.head_update(append)).await?;
        if is_stored { Ok(()) } else { Err(MessageStoreError::Conflict) }
    }

    async fn apply_change(&self, append: &Append) -> Result<Option<Message>, MessageStoreError> {
        match append.change() {
            None => Ok(None),
            Some((target, effect)) => self.apply("apply_change", append.message(), target, effect).await,
        }
    }

    async fn settle(&self, message: &Message) -> Result<(), MessageStoreError> {
        self.put_row("settle", message).await.map(drop)
    }

    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        const PAGE: &str = "page";
        let rows = self.rows(PAGE, room, query, consistency);
        let (head, rows) = try_join(self.head(PAGE, room, consistency), rows).await?;
        let log = head.as_ref().and_then(|head| head.room.log());
        let order = match consistency {
            Consistency::Eventual => Order::Anyhow,
            Consistency::Strong => Order::Strongly,
        };
        // Changes before the newest are in the rows for certain only if those reach up to them, or were read
        // after the head.
        let newest_row = rows.iter().map(|row| row.seq).max();
        let lacks = |log: &RoomLog| log.changes > 0 && newest_row.unwrap_or(0) + 1 < log.seq();
        let may_lag = log.is_some_and(lacks);
        let is_read_again = may_lag && consistency == Consistency::Strong;
        if !is_read_again && let Ok(mut page) = (Read { log, rows, order }).page(query) {
            // Without those before it, the newest change would make a message what it never was. The message
            // as it was before them may still be shown.
            head.iter().filter(|_| !may_lag).for_each(|head| head.show_in(&mut page.messages));
            return Ok(page);
        }
        let rows = self.rows(PAGE, room, query, Consistency::Strong).await?;
        let read = Read { log, rows, order: Order::AfterTheHead };
        let page = read.page(query);
        let mut page = page.map_err(|missing| corrupt(room)(Malformed::value(messages::SEQ, missing)))?;
        head.iter().for_each(|head| head.show_in(&mut page.messages));
        Ok(page)
    }

    async fn messages_at(
        &self,
        room: &RoomId,
        places: &[Timestamp],
        consistency: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError> {
        self.at_places(room, places, consistency).await
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let indexes =
            try_join(self.places(member, Member::A, after), self.places(member, Member::B, after)).await?;
        let (places, more) = merge(indexes.into()).map_err(corrupt_list(member))?;
        let next = places.last().map(|(place, _)| *place).filter(|_| more);
        if places.is_empty() {
            return Ok(RoomsPage { rooms: Vec::new(), next });
        }
        let ids: Vec<_> = places.into_iter().map(|(_, id)| id).collect();
        let heads = self.heads(&ids).await?;
        // No head of this version waits for anything here.
        let rooms = stream::iter(heads).map(|head| self.listed(member, head));
        let mut rooms: Vec<_> = rooms.buffered(READ_AT_ONCE).try_collect().await?;
        // A room may have moved up since the indexes were read.
        rooms.sort_by_key(|room| Reverse(room.activity()));
        Ok(RoomsPage { rooms, next })
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let (up_to, count) = (rooms::READ_UP_TO[reader], rooms::READ_COUNT[reader]);
        let sent = rooms::SENT[reader.peer()];
        let update = self
            .update_head(room, format!("SET {up_to} = :to, {count} = :count"))
            .only_if(format!("{} AND {sent} >= :count", exists_and_is_before(up_to)))
            .value(":to", head::instant(mark.up_to))
            .value(":count", number(mark.count))
            .showing_item();
        match self.items.write(update).await.map_err(failed("advance_read"))? {
            Written::Done(item) => self.room_of(room, &item.unwrap_or_default()).await.map(Advance::Moved),
            Written::ConditionFailed(Some(item)) => self.room_of(room, &item).await.map(Advance::Unchanged),
            // There is no room, or this is DynamoDB Local of before 2023, which does not show the item.
            Written::ConditionFailed(None) => {
                let room = self.room(room, Consistency::Strong).await?;
                Ok(room.map_or(Advance::NoRoom, Advance::Unchanged))
            }
        }
    }

    async fn clear(
        &self,
        room: &RoomId,
        reader: Member,
        up_to: Timestamp,
    ) -> Result<Option<Timestamp>, MessageStoreError> {
        let cleared_to = rooms::CLEARED_TO[reader];
        let update = self
            .update_head(room, format!("SET {cleared_to} = :to"))
            .only_if(exists_and_is_before(cleared_to))
            .value(":to", head::instant(up_to))
            .showing_item();
        match self.items.write(update).await.map_err(failed("clear"))? {
            Written::Done(_) => Ok(Some(up_to)),
            Written::ConditionFailed(Some(item)) => head::cleared_by(&item, reader).map_err(corrupt(room)),
            // There is no room, or this is DynamoDB Local of before 2023, which does not show the item.
            Written::ConditionFailed(None) => {
                let room = self.room(room, Consistency::Strong).await?;
                Ok(room.and_then(|room| room.read_state(reader).cleared_to))
            }
        }
    }

    async fn write_consent(
        &self,
        room: &RoomId,
        member: Member,
        write: ConsentWrite,
    ) -> Result<bool, MessageStoreError> {
        let (accepted, blocked) = (rooms::ACCEPTED[member], rooms::BLOCKED[member]);
        let update = match write {
            ConsentWrite::Accept => self
                .update_head(room, format!("SET {accepted} = :true"))
                .only_if(EXISTS)
                .value(":true", Value::Bool(true)),
            ConsentWrite::Block { at, freezes_reads: false } => self
                .update_head(room, format!("SET {blocked} = :at"))
                .only_if(EXISTS)
                .value(":at", head::instant(at)),
            ConsentWrite::Block { at, freezes_reads: true } => {
                let frozen = [Member::A, Member::B].map(|member| {
                    let (shown_to, read) = (rooms::SHOWN_TO[member], rooms::READ_UP_TO[member]);
                    format!("{shown_to} = if_not_exists({read}, :never)")
                });
                let by_nobody = [Member::A, Member::B]
                    .map(|member| format!("attribute_not_exists({})", rooms::BLOCKED[member]));
                self.update_head(room, format!("SET {blocked} = :at, {}", frozen.join(", ")))
                    .only_if(format!("{EXISTS} AND {}", by_nobody.join(" AND ")))
                    .value(":at", head::instant(at))
                    .value(":never", number(head::NEVER_MS))
            }
            ConsentWrite::Unblock { of } => self
                .update_head(room, format!("REMOVE {blocked}"))
                .only_if(format!("{blocked} = :of"))
                .value(":of", head::instant(of)),
        };
        if self.update("write_consent", update).await? {
            return Ok(true);
        }
        match (write, self.room(room, Consistency::Strong).await?) {
            (_, None) => Ok(false),
            (ConsentWrite::Unblock { .. }, Some(head)) if head.consent(member).blocked.is_none() => Ok(true),
            _ => Err(MessageStoreError::Conflict),
        }
    }
}

impl fmt::Debug for DynamoMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoMessageStore")
            .field("messages", &self.messages)
            .field("rooms", &self.rooms)
            .finish_non_exhaustive()
    }
}
