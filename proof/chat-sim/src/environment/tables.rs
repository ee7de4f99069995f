//! The tables as they are, and as they were in every earlier state, so that reads may lag.

use std::sync::Arc;

use chat_domain::{
    Activity, Advance, Append, AttachmentKey, Connection, ConnectionId, Consent, ConsentWrite, Email, Member,
    Message, MessageStoreError, Page, PageQuery, PageRange, PerMember, ROOMS_PAGE_MAX, ReadMark, ReadState,
    Room, RoomId, RoomLog, RoomsPage, Tag, Timestamp, User,
};

/// A row of the messages table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The message as it was stored.
    pub(crate) message: Message,
    /// The first version of the room that has the row.
    pub(crate) since: usize,
    /// What changes have made of the message, and the first version of the room that has each.
    changed: Vec<(usize, Message)>,
}

impl Row {
    fn new(message: Message, since: usize) -> Self {
        Self { message, since, changed: Vec::new() }
    }

    /// The message as it is.
    pub(crate) fn now(&self) -> &Message {
        self.changed.last().map_or(&self.message, |(_, state)| state)
    }

    /// The message as it was in a version that has it.
    pub(crate) fn in_version(&self, version: usize) -> &Message {
        let state = self.changed.iter().rev().find(|(since, _)| *since <= version);
        state.map_or(&self.message, |(_, state)| state)
    }
}

/// A room and its rows, in every version there was.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) id: RoomId,
    /// The tag of the id, which is kept because it takes hashing.
    tag: Tag,
    /// The rows in the order of their timestamps.
    pub(crate) rows: Vec<Row>,
    log: Option<RoomLog>,
    reads: PerMember<ReadState>,
    consent: PerMember<Consent>,
    /// The head in every version; the first is that of no room.
    pub(crate) versions: Vec<Option<Arc<Room>>>,
    /// The newest version that an eventually consistent read has shown.
    pub(crate) shown: usize,
}

impl Table {
    fn new(id: RoomId) -> Self {
        let (tag, reads, consent) = (id.tag(), PerMember::default(), PerMember::default());
        Self { id, tag, rows: Vec::new(), log: None, reads, consent, versions: vec![None], shown: 0 }
    }

    pub(crate) fn newest(&self) -> usize {
        self.versions.len() - 1
    }

    pub(crate) fn head(&self) -> Option<&Arc<Room>> {
        self.versions.last().and_then(Option::as_ref)
    }

    pub(crate) fn reads(&self) -> PerMember<ReadState> {
        self.reads
    }

    pub(crate) fn find(&self, at: Timestamp) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&at, |row| row.message.at)
    }

    fn push_version(&mut self) -> Result<(), MessageStoreError> {
        let room = match &self.log {
            None => None,
            Some(log) => {
                let room = Room::restore(self.id.clone(), log.clone(), self.reads).map_err(|corrupt| {
                    MessageStoreError::Corrupt { key: self.id.to_string(), source: corrupt.into() }
                })?;
                Some(Arc::new(room.with_consent(self.consent)))
            }
        };
        self.versions.push(room);
        Ok(())
    }

    /// The head of a version, and where it is listed.
    fn listed(&self, version: usize) -> Option<(Activity, &Arc<Room>)> {
        let head = self.versions[version].as_ref()?;
        Some((Activity { day: head.log()?.last_at().day(), room: self.tag }, head))
    }

    /// The rows a query selects in a version, and whether there are more.
    fn page(&self, query: PageQuery, version: usize) -> Page {
        let (rows, has_more) = self.select(query, version);
        Page { messages: rows.into_iter().map(|row| row.in_version(version).clone()).collect(), has_more }
    }

    fn select<'a>(&'a self, query: PageQuery, version: usize) -> (Vec<&'a Row>, bool) {
        let limit = query.limit.get();
        let seen = |row: &&'a Row| row.since <= version;
        let take = |rows: &mut dyn Iterator<Item = &'a Row>| {
            let taken: Vec<_> = rows.take(limit).collect();
            (taken, rows.next().is_some())
        };
        match query.range {
            PageRange::Newest => take(&mut self.rows.iter().rev().filter(seen)),
            PageRange::Before(at) => {
                let end = self.rows.partition_point(|row| row.message.at < at);
                take(&mut self.rows[..end].iter().rev().filter(seen))
            }
            PageRange::Oldest => take(&mut self.rows.iter().filter(seen)),
            PageRange::After(at) => {
                let start = self.rows.partition_point(|row| row.message.at <= at);
                take(&mut self.rows[start..].iter().filter(seen))
            }
        }
    }
}

fn shown_by(message: &Message) -> Option<&AttachmentKey> {
    message.content.attachment().map(|attachment| &attachment.key)
}

/// What the index shows of a connection from an instant on.
#[derive(Clone, Debug)]
struct Listing {
    from_ms: i64,
    connection: Option<Arc<Connection>>,
}

/// A connection's row, and what the index shows of it.
#[derive(Debug)]
pub(crate) struct ConnectionRow {
    pub(crate) id: ConnectionId,
    pub(crate) row: Option<Arc<Connection>>,
    listings: Vec<Listing>,
}

/// The tables of messages, heads, connections and users.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) rooms: Vec<Table>,
    pub(crate) connections: Vec<ConnectionRow>,
    users: Vec<User>,
}

impl Tables {
    pub(crate) fn table(&self, id: &RoomId) -> Option<&Table> {
        self.rooms.iter().find(|table| table.id == *id)
    }

    pub(crate) fn table_mut(&mut self, id: &RoomId) -> &mut Table {
        match self.rooms.iter().position(|table| table.id == *id) {
            Some(place) => &mut self.rooms[place],
            None => {
                self.rooms.push(Table::new(id.clone()));
                self.rooms.last_mut().expect("it was pushed just now")
            }
        }
    }

    /// Where some room is listed, if there is any.
    pub(crate) fn any_activity(&self) -> Option<Activity> {
        self.rooms.iter().find_map(|table| table.head().and_then(|room| room.activity()))
    }

    /// The head, `back` versions ago.
    pub(crate) fn room(&self, id: &RoomId, back: usize) -> Option<Arc<Room>> {
        let table = self.table(id)?;
        table.versions[table.newest().saturating_sub(back)].clone()
    }

    pub(crate) fn page(&self, id: &RoomId, query: PageQuery, back: usize) -> Page {
        match self.table(id) {
            None => Page { messages: Vec::new(), has_more: false },
            Some(table) => table.page(query, table.newest().saturating_sub(back)),
        }
    }

    /// How many rows a page has.
    pub(crate) fn page_len(&self, id: &RoomId, query: PageQuery) -> usize {
        self.table(id).map_or(0, |table| table.select(query, table.newest()).0.len())
    }

    /// The messages at these places, `back` versions ago.
    pub(crate) fn messages_at(&self, id: &RoomId, places: &[Timestamp], back: usize) -> Vec<Message> {
        let Some(table) = self.table(id) else { return Vec::new() };
        let version = table.newest().saturating_sub(back);
        let found = places.iter().filter_map(|at| table.find(*at).ok()).map(|place| &table.rows[place]);
        found.filter(|row| row.since <= version).map(|row| row.in_version(version).clone()).collect()
    }

    /// Stores a message with the head of its room, which is returned.
    pub(crate) fn commit(
        &mut self,
        append: &Append,
        ignores_blocks: bool,
    ) -> Result<Arc<Room>, MessageStoreError> {
        let table = self.table_mut(&append.message().room);
        if table.log.as_ref().map_or(0, RoomLog::seq) != append.expected_seq {
            return Err(MessageStoreError::Conflict);
        }
        if table.consent[append.message().sender.peer()].blocked.is_some() && !ignores_blocks {
            return Err(MessageStoreError::Conflict);
        }
        if let Some(key) = shown_by(append.message())
            && table.rows.iter().any(|row| shown_by(&row.message) == Some(key))
        {
            return Err(MessageStoreError::AttachmentTaken);
        }
        let since = table.versions.len();
        if let Some((target, effect)) = append.change()
            && let Ok(place) = table.find(target)
        {
            let state = table.rows[place].now().changed_by(append.message(), effect);
            table.rows[place].changed.push((since, state));
        }
        table.log = Some(append.log.clone());
        let place = table.find(append.message().at).unwrap_or_else(|place| place);
        table.rows.insert(place, Row::new(append.message().clone(), since));
        table.push_version()?;
        Ok(Arc::clone(table.head().expect("a room whose log was stored has a head")))
    }

    pub(crate) fn rooms_of(&self, member: &Email, after: Option<Activity>, back: usize) -> RoomsPage {
        let mine = self.rooms.iter().filter(|table| table.id.member(member).is_some());
        let mut rooms: Vec<(Activity, &Arc<Room>)> =
            mine.filter_map(|table| table.listed(table.newest().saturating_sub(back))).collect();
        rooms.retain(|(activity, _)| after.is_none_or(|after| *activity < after));
        rooms.sort_by_key(|(activity, _)| std::cmp::Reverse(*activity));
        let has_more = rooms.len() > ROOMS_PAGE_MAX;
        rooms.truncate(ROOMS_PAGE_MAX);
        let next = rooms.last().map(|(activity, _)| *activity).filter(|_| has_more);
        RoomsPage { rooms: rooms.into_iter().map(|(_, room)| Room::clone(room)).collect(), next }
    }

    pub(crate) fn advance_read(
        &mut self,
        id: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let Some(head) = self.table(id).and_then(Table::head).cloned() else { return Ok(Advance::NoRoom) };
        let allows = head.log().is_some_and(|log| log.allows(reader, mark));
        let table = self.table_mut(id);
        match table.reads[reader].advanced(mark).filter(|_| allows) {
            None => Ok(Advance::Unchanged(Room::clone(&head))),
            Some(advanced) => {
                table.reads[reader] = advanced;
                table.push_version()?;
                Ok(Advance::Moved(table.head().map_or_else(|| Room::clone(&head), |room| Room::clone(room))))
            }
        }
    }

    /// Clears a conversation for one of its members, and says how far that is afterwards.
    pub(crate) fn clear(
        &mut self,
        id: &RoomId,
        reader: Member,
        up_to: Timestamp,
    ) -> Result<Option<Timestamp>, MessageStoreError> {
        if self.table(id).and_then(Table::head).is_none() {
            return Ok(None);
        }
        let table = self.table_mut(id);
        table.reads[reader] = table.reads[reader].cleared(up_to);
        let cleared_to = table.reads[reader].cleared_to;
        table.push_version()?;
        Ok(cleared_to)
    }

    /// Stores a decision, and says whether there is such a room.
    pub(crate) fn write_consent(
        &mut self,
        id: &RoomId,
        member: Member,
        write: ConsentWrite,
        freezes_whoever_blocks: bool,
    ) -> Result<bool, MessageStoreError> {
        if self.table(id).and_then(Table::head).is_none() {
            return Ok(false);
        }
        let table = self.table_mut(id);
        let applied = write.applied(member, table.consent, table.reads);
        (table.consent, table.reads) = applied.ok_or(MessageStoreError::Conflict)?;
        if freezes_whoever_blocks && matches!(write, ConsentWrite::Block { .. }) {
            table.reads = PerMember { a: table.reads.a.frozen(), b: table.reads.b.frozen() };
        }
        table.push_version()?;
        Ok(true)
    }

    /// Puts a message in its place, whatever is there. Only a wrong handler does that.
    pub(crate) fn put_row(&mut self, message: Message) {
        let table = self.table_mut(&message.room.clone());
        let row = Row::new(message, table.versions.len());
        match table.find(row.message.at) {
            Ok(place) => table.rows[place] = row,
            Err(place) => table.rows.insert(place, row),
        }
        let head = table.head().cloned();
        table.versions.push(head);
    }

    /// Sets a mark wherever it is told to. Only a wrong handler does that.
    pub(crate) fn force_mark(
        &mut self,
        id: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<(), MessageStoreError> {
        let table = self.table_mut(id);
        table.reads[reader].mark = Some(mark);
        table.push_version()
    }

    /// The row of a user, if there is one.
    pub(crate) fn user(&self, email: &Email) -> Option<&User> {
        self.users.iter().find(|user| user.email == *email)
    }

    /// Writes a user's row over the version before, and gives it as it is then; `None` if that is not there.
    pub(crate) fn put_user(&mut self, user: &User) -> Option<User> {
        let place = self.users.iter().position(|row| row.email == user.email);
        if place.map_or(0, |place| self.users[place].version) != user.version {
            return None;
        }
        let written = User { version: user.version + 1, ..user.clone() };
        match place {
            Some(place) => self.users[place] = written.clone(),
            None => self.users.push(written.clone()),
        }
        Some(written)
    }

    fn connection_row(&mut self, id: &ConnectionId) -> &mut ConnectionRow {
        // The search begins at the end, since mostly one of the newest is asked for.
        match self.connections.iter().rposition(|row| row.id == *id) {
            Some(place) => &mut self.connections[place],
            None => {
                self.connections.push(ConnectionRow { id: id.clone(), row: None, listings: Vec::new() });
                self.connections.last_mut().expect("it was pushed just now")
            }
        }
    }

    pub(crate) fn connection(&self, id: &ConnectionId) -> Option<&ConnectionRow> {
        self.connections.iter().rfind(|row| row.id == *id)
    }

    /// Writes a connection's row; the index shows it from `listed_at_ms` on.
    pub(crate) fn write_connection(
        &mut self,
        id: &ConnectionId,
        connection: Option<Arc<Connection>>,
        listed_at_ms: i64,
    ) {
        let row = self.connection_row(id);
        row.row.clone_from(&connection);
        let latest = row.listings.last().map_or(i64::MIN, |listing| listing.from_ms);
        row.listings.push(Listing { from_ms: listed_at_ms.max(latest), connection });
    }

    /// When the index last changed what it shows of a user.
    pub(crate) fn listed_last_ms(&self, email: &Email) -> Option<i64> {
        let theirs = self.connections.iter().flat_map(|row| &row.listings).filter(|listing| {
            listing.connection.as_ref().is_none_or(|connection| connection.identity.email() == email)
        });
        theirs.map(|listing| listing.from_ms).max()
    }

    /// The changes of the index in their order: when, of which connection, and whether it shows it since.
    pub(crate) fn listings(&self) -> Vec<(i64, usize, bool)> {
        let rows = self.connections.iter().enumerate();
        let mut listings: Vec<_> = rows
            .flat_map(|(number, row)| {
                row.listings.iter().map(move |it| (it.from_ms, number, it.connection.is_some()))
            })
            .collect();
        listings.sort_unstable();
        listings
    }

    /// What the index showed of a user at an instant.
    pub(crate) fn listed(&self, email: &Email, at_ms: i64, now: Timestamp) -> Vec<Connection> {
        let shown = self.connections.iter().filter_map(|row| {
            row.listings.iter().rev().find(|listing| listing.from_ms <= at_ms)?.connection.as_ref()
        });
        let theirs = shown.filter(|shown| shown.identity.email() == email && shown.may_be_open(now));
        theirs.map(|shown| Connection::clone(shown)).collect()
    }
}

/// Without faults, the simulated stores keep the ports' contracts like any other.
#[cfg(test)]
mod tests {
    use chat_domain::conformance::Handles;
    use chat_domain::testing::{DecoratedConnectionStore, DecoratedMessageStore};

    use crate::environment::Environment;
    use crate::ports::SharedEnvironment;

    fn environment() -> SharedEnvironment {
        SharedEnvironment::new(Environment::immediate())
    }

    mod messages {
        use super::*;

        async fn fresh() -> Handles<DecoratedMessageStore> {
            let shared = environment();
            Handles::two(shared.messages(), shared.messages())
        }
        chat_domain::message_store_conformance!(fresh, without MessageEraser);
    }

    mod connections {
        use super::*;

        async fn fresh() -> Handles<DecoratedConnectionStore> {
            let shared = environment();
            Handles::two(shared.connections(), shared.connections())
        }
        chat_domain::connection_store_conformance!(fresh);
    }
}
