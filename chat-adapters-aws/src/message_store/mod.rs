mod head;
mod row;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use chat_domain::{
    Activity, Advance, Append, BoxError, Consistency, Content, Email, Kind, Member, Message, MessageEraser,
    MessageStore, MessageStoreError, Page, PageQuery, PageRange, ROOMS_PAGE_MAX, ReadMark, Room, RoomId,
    RoomsPage, Timestamp,
};
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::attributes::{Fields, Item, Malformed, item, number, text};
use crate::calls::{DynamoClient, Failure, as_write, condition_held};
use crate::query::{self, Rows};
use crate::tables::{TableNames, messages, rooms};

/// How many rows are marked at the same time: each takes a connection of its own, with a handshake when it is
/// new.
const MARKED_AT_ONCE: usize = 10;

/// How often what a batch left unread is asked for again.
const BATCH_RETRIES_MAX: u32 = 3;
/// How long a batch is left alone before the first time; it doubles with every further one.
const FIRST_BATCH_WAIT: Duration = Duration::from_millis(50);

/// Rooms and their messages in DynamoDB.
///
/// - A commit is one transaction of two items, the message and the head of its room: 4 write units while each
///   is below 1 KB. The first message of a room, and the first of each day, also move the head in two
///   indexes. An image has a third item, in the table of heads, whose key is that of its object: 2 write
///   units more, and no second message can have it.
/// - It is never repeated after an unknown outcome. Every call has a request token of its own, which the SDK
///   makes and keeps through its retries: a caller who commits the same again is told
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
    client: DynamoClient,
    messages: String,
    rooms: String,
}

impl DynamoMessageStore {
    /// A store over the tables of these names.
    #[must_use]
    pub fn new(client: &DynamoClient, tables: &TableNames) -> Self {
        Self { client: client.clone(), messages: tables.messages.clone(), rooms: tables.rooms.clone() }
    }

    fn message_put(&self, append: &Append) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.messages)
            .set_item(Some(row::to_item(&append.message)))
            .condition_expression("attribute_not_exists(roomId)")
            .build()
            .expect("a put has a table and an item");
        TransactWriteItem::builder().put(put).build()
    }

    fn head_update(&self, append: &Append) -> TransactWriteItem {
        let update = self.head_set(&append.message.room, head::log_attributes(append));
        let update = match append.expected_seq {
            0 => update.condition_expression("attribute_not_exists(roomId)"),
            seq => update
                .condition_expression("seq = :expected")
                .expression_attribute_values(":expected", number(seq)),
        };
        in_transaction(update)
    }

    /// Sets attributes of a head, and removes those without a value.
    fn head_set(
        &self,
        room: &RoomId,
        attributes: impl IntoIterator<Item = (&'static str, Option<AttributeValue>)>,
    ) -> UpdateBuilder {
        let mut update = Update::builder().table_name(&self.rooms).set_key(Some(head::key(room)));
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (name, value) in attributes {
            match value {
                Some(value) => {
                    set.push(format!("{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), value);
                }
                None => removed.push(name),
            }
        }
        let remove = if removed.is_empty() { "" } else { " REMOVE " };
        update.update_expression(format!("SET {}{remove}{}", set.join(", "), removed.join(", ")))
    }

    /// Writes all items or none. `claim` is the place among them of the claim on an attachment, where there
    /// is one.
    async fn write(
        &self,
        operation: &'static str,
        items: Vec<TransactWriteItem>,
        claim: Option<usize>,
    ) -> Result<(), MessageStoreError> {
        let write = self.client.sdk().transact_write_items().set_transact_items(Some(items));
        let written = write.customize().config_override(as_write()).send().await;
        written.map(drop).map_err(|error| not_written(operation, claim, error))
    }

    /// Removes rows together with what is done about the head: all of it, or nothing.
    async fn remove(
        &self,
        operation: &'static str,
        head: TransactWriteItem,
        room: &Room,
        rows: &[Timestamp],
    ) -> Result<(), MessageStoreError> {
        let rows = rows.iter().map(|at| deleted(delete(&self.messages, row::key(room.id(), *at))));
        self.write(operation, [head].into_iter().chain(rows).collect(), None).await
    }

    /// Notes that a message shows an attachment, unless one does already. An update, since a head is updated
    /// too: one permission.
    fn attachment_claim(&self, message: &Message) -> Option<TransactWriteItem> {
        let claim = Update::builder()
            .table_name(&self.rooms)
            .set_key(Some(claim_key(message)?))
            .condition_expression("attribute_not_exists(roomId)")
            .update_expression(format!("SET {} = :at", rooms::SHOWN_AT))
            .expression_attribute_values(":at", text(message.at));
        Some(in_transaction(claim))
    }

    async fn mark_row_read(&self, room: &RoomId, at: Timestamp) -> Result<(), MessageStoreError> {
        let marked = self
            .client
            .sdk()
            .update_item()
            .table_name(&self.messages)
            .set_key(Some(row::key(room, at)))
            .condition_expression("attribute_exists(roomId)")
            .update_expression("SET #read = :true")
            .expression_attribute_names("#read", messages::READ)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .customize()
            .config_override(as_write())
            .send()
            .await;
        condition_held(marked).map(drop).map_err(failed("mark_rows_read"))
    }

    async fn note_rows_marked(
        &self,
        room: &RoomId,
        reader: Member,
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        let (name, read) = (rooms::ROWS_MARKED_TO[reader], rooms::READ_UP_TO[reader]);
        let noted = self
            .client
            .sdk()
            .update_item()
            .table_name(&self.rooms)
            .set_key(Some(head::key(room)))
            .condition_expression(format!("{} AND {read} >= :to", exists_and_is_before(name)))
            .update_expression(format!("SET {name} = :to"))
            .expression_attribute_values(":to", head::instant(through))
            .customize()
            .config_override(as_write())
            .send()
            .await;
        condition_held(noted).map(drop).map_err(failed("mark_rows_read"))
    }

    /// The places of the rooms in which somebody is this member, latest first: one page and one more.
    async fn places(
        &self,
        user: &Email,
        member: Member,
        after: Option<Activity>,
    ) -> Result<Rows, MessageStoreError> {
        let name = rooms::MEMBER[member];
        let mut query = self
            .client
            .sdk()
            .query()
            .table_name(&self.rooms)
            .index_name(rooms::index(member))
            .scan_index_forward(false)
            .expression_attribute_values(":user", text(user));
        query = match after {
            None => query.key_condition_expression(format!("{name} = :user")),
            Some(after) => query
                .key_condition_expression(format!("{name} = :user AND activity < :after"))
                .expression_attribute_values(":after", text(after)),
        };
        query::first(ROOMS_PAGE_MAX + 1, query).await.map_err(failed("rooms_of"))
    }

    /// The heads of these rooms, in no particular order; at most [`ROOMS_PAGE_MAX`], each once.
    async fn heads(&self, ids: &[RoomId]) -> Result<Vec<Item>, MessageStoreError> {
        let keys = ids.iter().map(head::key).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().expect("it has keys");
        let mut asked = Some([(self.rooms.clone(), keys)].into());
        let mut found = Vec::new();
        let mut wait = FIRST_BATCH_WAIT;
        for retries_left in (0..=BATCH_RETRIES_MAX).rev() {
            let batch = self.client.sdk().batch_get_item().set_request_items(asked).send().await;
            let batch = batch.map_err(|error| failed("rooms_of")(error.into()))?;
            found.extend(batch.responses.unwrap_or_default().into_values().flatten());
            asked = batch.unprocessed_keys.filter(|unprocessed| !unprocessed.is_empty());
            if asked.is_none() {
                return Ok(found);
            }
            if retries_left > 0 {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        Err(MessageStoreError::Throttled { operation: "rooms_of" })
    }
}

/// The key of the item that says that an attachment is shown, in the table of heads.
fn claim_key(message: &Message) -> Option<Item> {
    match &message.content {
        Content::Image { attachment, .. } => Some(item([(rooms::ROOM_ID, text(&attachment.key))])),
        _ => None,
    }
}

fn delete(table: &str, key: Item) -> DeleteBuilder {
    Delete::builder().table_name(table).set_key(Some(key))
}

fn deleted(delete: DeleteBuilder) -> TransactWriteItem {
    let delete = delete.build().expect("a delete has a table and a key");
    TransactWriteItem::builder().delete(delete).build()
}

fn in_transaction(update: UpdateBuilder) -> TransactWriteItem {
    let update = update.build().expect("an update has a table, a key and an expression");
    TransactWriteItem::builder().update(update).build()
}

/// The condition under which a head, and what belongs to it, may go: nobody has written since, and nobody is
/// left.
const IS_DESERTED: &str = "seq = :expected AND attribute_exists(erasedA) AND attribute_exists(erasedB)";

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

fn corrupt(room: &RoomId) -> impl FnOnce(Malformed) -> MessageStoreError {
    let key = room.tag().to_string();
    move |malformed| MessageStoreError::Corrupt { key, source: malformed.into() }
}

/// What it means that a transaction failed. One that was cancelled has a reason for each of its items, in
/// their order.
fn not_written(
    operation: &'static str,
    claim: Option<usize>,
    error: SdkError<TransactWriteItemsError>,
) -> MessageStoreError {
    const FAILED: &str = "ConditionalCheckFailed";
    const NONE: &str = "None";
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return failed(operation)(error.into());
    };
    let codes = || cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or(NONE));
    let passing = |code| {
        matches!(code, NONE | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    };
    // While a transaction is in the way of another item, it may be an earlier attempt at this very message
    // that has the claim.
    let only_the_claim = |claim| codes().enumerate().filter(|(_, code)| *code != NONE).eq([(claim, FAILED)]);
    if claim.is_some_and(only_the_claim) {
        MessageStoreError::AttachmentTaken
    } else if codes().any(|code| code == FAILED) {
        MessageStoreError::Conflict
    } else if codes().any(|code| code != NONE) && codes().all(passing) {
        MessageStoreError::Throttled { operation }
    } else {
        MessageStoreError::Unavailable { operation, source: error.into() }
    }
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
        let got = self
            .client
            .sdk()
            .get_item()
            .table_name(&self.rooms)
            .set_key(Some(head::key(id)))
            .consistent_read(consistency == Consistency::Strong)
            .send()
            .await
            .map_err(|error| failed("room")(error.into()))?;
        got.item.as_ref().map(head::from_item).transpose().map_err(corrupt(id))
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let mut items = vec![self.message_put(append), self.head_update(append)];
        let claim = self.attachment_claim(&append.message).map(|claim| {
            items.push(claim);
            items.len() - 1
        });
        self.write("commit", items, claim).await
    }

    async fn page(
        &self,
        room: &RoomId,
        query: PageQuery,
        consistency: Consistency,
    ) -> Result<Page, MessageStoreError> {
        let (comparison, bound, forward) = match query.range {
            PageRange::Newest => ("", None, false),
            PageRange::Before(at) => (" AND #timestamp < :bound", Some(at), false),
            PageRange::Oldest => ("", None, true),
            PageRange::After(at) => (" AND #timestamp > :bound", Some(at), true),
        };
        let mut request = self
            .client
            .sdk()
            .query()
            .table_name(&self.messages)
            .key_condition_expression(format!("roomId = :room{comparison}"))
            .expression_attribute_values(":room", text(room))
            .scan_index_forward(forward)
            .consistent_read(consistency == Consistency::Strong);
        if let Some(bound) = bound {
            request = request
                .expression_attribute_names("#timestamp", messages::TIMESTAMP)
                .expression_attribute_values(":bound", text(bound));
        }
        // One more than asked for: DynamoDB's own mark that a page was cut is also set when nothing follows.
        let limit = query.limit.get();
        let rows = query::first(limit + 1, request).await.map_err(failed("page"))?;
        let has_more = rows.items.len() > limit;
        let listed = rows.items.iter().take(limit).map(|item| row::from_item(room, item));
        let messages = listed.collect::<Result<_, _>>().map_err(corrupt(room))?;
        Ok(Page { messages, has_more })
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let indexes =
            try_join(self.places(member, Member::A, after), self.places(member, Member::B, after)).await?;
        let corrupt_list = |source: Malformed| MessageStoreError::Corrupt {
            key: member.tag().to_string(),
            source: source.into(),
        };
        let (places, more) = merge(indexes.into()).map_err(corrupt_list)?;
        let next = places.last().map(|(place, _)| *place).filter(|_| more);
        if places.is_empty() {
            return Ok(RoomsPage { rooms: Vec::new(), next });
        }
        let ids: Vec<_> = places.into_iter().map(|(_, id)| id).collect();
        let heads = self.heads(&ids).await?;
        let mut rooms =
            heads.iter().map(head::from_item).collect::<Result<Vec<_>, _>>().map_err(corrupt_list)?;
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
        let updated = self
            .client
            .sdk()
            .update_item()
            .table_name(&self.rooms)
            .set_key(Some(head::key(room)))
            .condition_expression(format!("{} AND {sent} >= :count", exists_and_is_before(up_to)))
            .update_expression(format!("SET {up_to} = :to, {count} = :count"))
            .expression_attribute_values(":to", head::instant(mark.up_to))
            .expression_attribute_values(":count", number(mark.count))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(as_write())
            .send()
            .await;
        let restore = |item: &Item| head::from_item(item).map_err(corrupt(room));
        match updated {
            Ok(updated) => restore(&updated.attributes.unwrap_or_default()).map(Advance::Moved),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                    Some(item) if !item.is_empty() => restore(item).map(Advance::Unchanged),
                    // There is no room, or this is DynamoDB Local of before 2023, which does not show the
                    // item.
                    _ => {
                        let room = self.room(room, Consistency::Strong).await?;
                        Ok(room.map_or(Advance::NoRoom, Advance::Unchanged))
                    }
                },
                _ => Err(failed("advance_read")(error.into())),
            },
        }
    }

    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        let marked = async {
            stream::iter(rows.iter().copied())
                .map(|at| self.mark_row_read(room, at))
                .buffer_unordered(MARKED_AT_ONCE)
                .try_collect::<()>()
                .await?;
            self.note_rows_marked(room, reader, through).await
        };
        marked.await.map_err(|error| match error {
            // Other rows may be marked already.
            MessageStoreError::Throttled { operation } if !rows.is_empty() => {
                MessageStoreError::Unavailable { operation, source: BoxError::from(error) }
            }
            error => error,
        })
    }
}

#[async_trait]
impl MessageEraser for DynamoMessageStore {
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError> {
        let row = Update::builder()
            .table_name(&self.messages)
            .set_key(Some(row::key(&message.room, message.at)))
            .condition_expression("attribute_exists(roomId)")
            .update_expression("SET kind = :erased REMOVE message, attachment, proposal, proposalAnswer")
            .expression_attribute_values(":erased", text(Kind::Erased.as_str()));
        let claim = claim_key(message).map(|key| deleted(delete(&self.rooms, key)));
        let items = [in_transaction(row)].into_iter().chain(claim).collect();
        match self.write("erase_message", items, None).await {
            // There is no such row.
            Err(MessageStoreError::Conflict) => Ok(()),
            outcome => outcome,
        }
    }

    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError> {
        let log = room.log().ok_or(MessageStoreError::Conflict)?;
        let attributes = head::told_attributes(log).into_iter().chain(head::erased_attributes(room));
        let update = self.head_set(room.id(), attributes);
        let update = update
            .condition_expression("seq = :expected")
            .expression_attribute_values(":expected", number(log.seq()));
        self.write("rewrite_head", vec![in_transaction(update)], None).await
    }

    async fn remove_oldest(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.rooms)
            .set_key(Some(head::key(room.id())))
            .condition_expression(IS_DESERTED)
            .expression_attribute_values(":expected", number(room.seq()))
            .build()
            .expect("a check has a table, a key and a condition");
        let check = TransactWriteItem::builder().condition_check(check).build();
        self.remove("remove_oldest", check, room, rows).await
    }

    async fn remove_room(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        let head = delete(&self.rooms, head::key(room.id()))
            .condition_expression(IS_DESERTED)
            .expression_attribute_values(":expected", number(room.seq()));
        self.remove("remove_room", deleted(head), room, rows).await
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
