//! Reads everything that is stored of a user, page by page. Only administration does this, and it may take
//! its time.

use crate::{
    AttachmentEraser, ChatError, Connection, ConnectionStore, Consistency, Email, ListedUpload, Message,
    MessageStore, PageLimit, PageQuery, PageRange, Room, RoomId, Timestamp,
};

/// The rows of the user's connections, also those that cannot be open any more.
pub(crate) async fn connections(
    store: &dyn ConnectionStore,
    user: &Email,
) -> Result<Vec<Connection>, ChatError> {
    // No connection was too old at the beginning of time, so all rows are listed.
    Ok(store.of_user(user, Timestamp::UNIX_EPOCH).await?)
}

pub(crate) async fn rooms(store: &dyn MessageStore, user: &Email) -> Result<Vec<Room>, ChatError> {
    let (mut rooms, mut after) = (Vec::new(), None);
    loop {
        let page = store.rooms_of(user, after).await?;
        rooms.extend(page.rooms);
        after = page.next;
        if after.is_none() {
            return Ok(rooms);
        }
    }
}

/// The objects that a user has uploaded, in the order of their keys.
pub(crate) async fn uploads(
    store: &dyn AttachmentEraser,
    user: &Email,
) -> Result<Vec<ListedUpload>, ChatError> {
    let (mut uploads, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(after).await?;
        uploads.extend(page.uploads.into_iter().filter(|upload| upload.key.is_uploaded_by(user)));
        after = page.next;
        if after.is_none() {
            return Ok(uploads);
        }
    }
}

/// The messages of a room, oldest first.
pub(crate) struct Pages<'a> {
    room: &'a RoomId,
    range: Option<PageRange>,
}

impl<'a> Pages<'a> {
    pub(crate) fn of(room: &'a RoomId) -> Self {
        Self { room, range: Some(PageRange::Oldest) }
    }

    pub(crate) async fn next(&mut self, store: &dyn MessageStore) -> Result<Option<Vec<Message>>, ChatError> {
        let Some(range) = self.range else { return Ok(None) };
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = store.page(self.room, query, Consistency::Strong).await?;
        let last = page.messages.last().filter(|_| page.has_more);
        self.range = last.map(|last| PageRange::After(last.at));
        Ok(Some(page.messages))
    }
}
