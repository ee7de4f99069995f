//! What administration removes. It is the only part that writes several items at once, and the path of no
//! message.

use async_trait::async_trait;
use chat_domain::{
    BoxError, Kind, Member, Message, MessageEraser, MessageStoreError, Room, RoomId, Timestamp,
};

use super::{DynamoMessageStore, EXISTS, IS_NEW, change, claim_key, failed, head, row};
use crate::attributes::number;
use crate::items::{Transacted, Write};
use crate::tables::messages::REACTIONS;
use crate::tables::rooms;

/// The condition under which a head, and what belongs to it, may go: nobody has written since, and nobody is
/// left.
const IS_DESERTED: &str = "seq = :expected AND attribute_exists(erasedA) AND attribute_exists(erasedB)";

impl DynamoMessageStore {
    /// Writes all items or none.
    async fn transact(&self, operation: &'static str, writes: Vec<Write>) -> Result<(), MessageStoreError> {
        match self.items.transact(writes).await.map_err(failed(operation))? {
            Transacted::Done => Ok(()),
            Transacted::Cancelled { codes, source } => Err(not_written(operation, &codes, source)),
        }
    }

    /// Removes rows together with what is done about the head of a deserted room: all of it, or nothing.
    async fn remove(
        &self,
        operation: &'static str,
        head: Write,
        room: &Room,
        rows: &[Timestamp],
    ) -> Result<(), MessageStoreError> {
        let rows = rows.iter().map(|at| Write::delete(&self.messages, row::key(room.id(), *at)));
        let head = head.only_if(IS_DESERTED).value(":expected", number(room.seq()));
        self.transact(operation, [head].into_iter().chain(rows).collect()).await
    }

    /// Writes the row of an erased message, and with it that nothing shows the attachment. Says whether the
    /// condition of `row` held.
    async fn erase_row(&self, row: Write, message: &Message) -> Result<bool, MessageStoreError> {
        let claim = claim_key(message).map(|key| Write::delete(&self.rooms, key));
        match self.transact("erase_message", [row].into_iter().chain(claim).collect()).await {
            Ok(()) => Ok(true),
            Err(MessageStoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes out of a row what was said, if there is the row.
    fn blanked(&self, message: &Message) -> Write {
        let key = row::key(&message.room, message.at);
        change::blanking(&self.messages, key, &Kind::Erased).only_if(EXISTS)
    }
}

#[async_trait]
impl MessageEraser for DynamoMessageStore {
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError> {
        if self.erase_row(self.blanked(message), message).await? {
            return Ok(());
        }
        if let Some(newest) = self.newest_without_row("erase_message", &message.room, message.at).await? {
            // From now on a late put of the row finds it there.
            let put = Write::put(&self.messages, row::to_item(&newest.erased())).only_if(IS_NEW);
            if self.erase_row(put, message).await? {
                return Ok(());
            }
        }
        // By now it has a row, or it never was.
        self.erase_row(self.blanked(message), message).await.map(drop)
    }

    async fn erase_reactions(&self, message: &Message, member: Member) -> Result<(), MessageStoreError> {
        let update = format!("REMOVE {}", REACTIONS[member]);
        let update = Write::update(&self.messages, row::key(&message.room, message.at), update);
        self.update("erase_reactions", update.only_if(EXISTS)).await.map(drop)
    }

    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError> {
        let log = room.log().ok_or(MessageStoreError::Conflict)?;
        self.settle_as("rewrite_head", room).await?;
        let attributes = head::told_attributes(log).into_iter().chain(head::erased_attributes(room));
        // The row of the changed message has it by now.
        let attributes = attributes.chain([(rooms::EFFECT, None)]);
        let update = self.head_set(room.id(), attributes);
        let update = update.only_if("seq = :expected").value(":expected", number(log.seq()));
        let is_written = self.update("rewrite_head", update).await?;
        if is_written { Ok(()) } else { Err(MessageStoreError::Conflict) }
    }

    async fn forget_consent(&self, room: &RoomId, member: Member) -> Result<(), MessageStoreError> {
        let (accepted, blocked) = (rooms::ACCEPTED[member], rooms::BLOCKED[member]);
        let update = self.update_head(room, format!("REMOVE {accepted}, {blocked}"));
        self.update("forget_consent", update.only_if(EXISTS)).await.map(drop)
    }

    async fn remove_oldest(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        let head = Write::check(&self.rooms, head::key(room.id()));
        self.remove("remove_oldest", head, room, rows).await
    }

    async fn remove_room(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        let head = Write::delete(&self.rooms, head::key(room.id()));
        self.remove("remove_room", head, room, rows).await
    }
}

/// What it means that a transaction was cancelled, for the reasons of its items.
fn not_written(operation: &'static str, codes: &[Option<String>], source: BoxError) -> MessageStoreError {
    let codes = || codes.iter().filter_map(Option::as_deref);
    let passing =
        |code| matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded");
    if codes().any(|code| code == "ConditionalCheckFailed") {
        MessageStoreError::Conflict
    } else if codes().next().is_some() && codes().all(passing) {
        MessageStoreError::Throttled { operation }
    } else {
        MessageStoreError::Unavailable { operation, source }
    }
}
