//! A change of a message: the entry stands in the log, and its effect in the row of the message. The head
//! keeps the effect until the row has it, and the entry gets its row after that.

use chat_domain::{Consistency, Effect, Kind, Message, MessageStoreError, RoomId, Timestamp};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::change_values::reactions_value;
use super::settle::Head;
use super::{DynamoMessageStore, EXISTS, READ_AT_ONCE, corrupt, failed, row};
use crate::attributes::{number, text};
use crate::items::{Item, Write, Written};
use crate::tables::messages::{CHANGED_BY, EDITED_AT, KIND, MESSAGE, REACTIONS, REPLY_TO};

/// Every attribute of a row that tells of changes, and of a reply: what goes when the message is deleted or
/// erased. [`CHANGED_BY`] stays.
const GOES: [&str; 4] = [EDITED_AT, REACTIONS.a, REACTIONS.b, REPLY_TO];

/// An update that takes from a row what was said, what changes have left and what it replied to, and leaves
/// it as one of this kind.
pub(super) fn blanking(table: &str, key: Item, kind: &Kind) -> Write {
    let said = row::content_attributes().into_iter().chain(GOES);
    let said: Vec<_> = said.collect();
    let removed: Vec<_> = said.iter().map(|name| format!("#{name}")).collect();
    let update = format!("SET {KIND} = :kind REMOVE {}", removed.join(", "));
    let blank = Write::update(table, key, update).value(":kind", text(kind.as_str()));
    said.iter().fold(blank, |blank, name| blank.name(&format!("#{name}"), name))
}

impl DynamoMessageStore {
    /// The update that has the effect of the change `entry`, unless the row has it or can have none.
    fn effect_update(&self, entry: &Message, target: Timestamp, effect: &Effect) -> Write {
        let key = row::key(&entry.room, target);
        let update = |expression: String| Write::update(&self.messages, key.clone(), expression);
        let write = match effect {
            Effect::React(reactions) => {
                let name = REACTIONS[entry.sender];
                if reactions.is_empty() {
                    update(format!("SET {CHANGED_BY} = :seq REMOVE {name}"))
                } else {
                    update(format!("SET {CHANGED_BY} = :seq, {name} = :reactions"))
                        .value(":reactions", reactions_value(reactions))
                }
            }
            Effect::Edit(words) => {
                update(format!("SET {CHANGED_BY} = :seq, {MESSAGE} = :words, {EDITED_AT} = :at"))
                    .value(":words", text(words))
                    .value(":at", text(entry.at))
            }
            Effect::Delete => {
                blanking(&self.messages, key.clone(), &Kind::Deleted).setting(&format!("{CHANGED_BY} = :seq"))
            }
        };
        write
            .only_if(format!(
                "{EXISTS} AND {KIND} <> :deleted AND {KIND} <> :erased \
                 AND (attribute_not_exists({CHANGED_BY}) OR {CHANGED_BY} < :seq)"
            ))
            .value(":seq", number(entry.seq))
            .value(":deleted", text(Kind::Deleted.as_str()))
            .value(":erased", text(Kind::Erased.as_str()))
            .showing_item()
    }

    /// Makes the row of a message what the change `entry` made of it, if it is not that already, and gives
    /// the message as it is by now; `None` if there is no such row.
    pub(super) async fn apply(
        &self,
        operation: &'static str,
        entry: &Message,
        target: Timestamp,
        effect: &Effect,
    ) -> Result<Option<Message>, MessageStoreError> {
        let update = self.effect_update(entry, target, effect);
        let item = match self.items.write(update).await.map_err(failed(operation))? {
            Written::Done(item) | Written::ConditionFailed(item) => item,
        };
        match item {
            Some(item) => row::from_item(&entry.room, &item).map(Some).map_err(corrupt(&entry.room)),
            // There is no row, or this is DynamoDB Local of before 2023, which does not show the item.
            None => self.row_at(operation, &entry.room, target, Consistency::Strong).await,
        }
    }

    async fn row_at(
        &self,
        operation: &'static str,
        room: &RoomId,
        at: Timestamp,
        consistency: Consistency,
    ) -> Result<Option<Message>, MessageStoreError> {
        let got = self.get(&self.messages, row::key(room, at), consistency).await;
        let found = got.map_err(failed(operation))?;
        found.map(|item| row::from_item(room, &item)).transpose().map_err(corrupt(room))
    }

    /// The message at a place, which has had every change that this head knows of: those before the newest
    /// entry stand in its row, and what that one does stands in the head.
    pub(super) async fn at_place_after(
        &self,
        head: &Head,
        room: &RoomId,
        place: Timestamp,
    ) -> Result<Option<Message>, MessageStoreError> {
        let row = self.row_at("room_for_change", room, place, Consistency::Strong).await?;
        let newest = head.room.log().map(|log| &log.newest).filter(|newest| newest.at == place);
        let mut found: Vec<_> = row.or_else(|| newest.cloned()).into_iter().collect();
        head.show_in(&mut found);
        Ok(found.pop())
    }

    /// The messages at these places. When they are read strongly the head is read before: whatever changed
    /// one of them before the newest entry stands in its row, and what the newest does stands in the head.
    pub(super) async fn at_places(
        &self,
        room: &RoomId,
        places: &[Timestamp],
        consistency: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError> {
        const AT: &str = "messages_at";
        let head = match consistency {
            Consistency::Eventual => None,
            Consistency::Strong => self.head(AT, room, consistency).await?,
        };
        let rows = stream::iter(places.to_vec()).map(|at| self.row_at(AT, room, at, consistency));
        let rows: Vec<_> = rows.buffer_unordered(READ_AT_ONCE).try_collect().await?;
        let mut found: Vec<Message> = rows.into_iter().flatten().collect();
        if let Some(head) = head {
            let newest = head.room.log().map(|log| &log.newest);
            let missing = newest.filter(|newest| {
                places.contains(&newest.at) && found.iter().all(|message| message.at != newest.at)
            });
            found.extend(missing.cloned());
            head.show_in(&mut found);
        }
        Ok(found)
    }
}
