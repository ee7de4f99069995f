//! The use cases over memory adapters, and a room as long as wanted.

use std::sync::Arc;
use std::time::Duration;

use chat_adapters_memory::{
    MemoryAttachmentStore, MemoryConnectionStore, MemoryMessageStore, MemoryPusher, MemoryUserStore,
    NoBackoff,
};
use chat_domain::{
    ClientMessageId, Connection, ConnectionId, ConnectionStore, Content, Correlation, Draft, Email, Event,
    FirstContact, FrameOrigin, History, Identify, MarkRead, Member, MessageStore, MessageText, PageLimit,
    PageRange, ReadMark, Room, RoomId, SendCommand, SendFromConnection, SendMessage, SendRate, StoreMessage,
    Timestamp, UserId, VerifiedIdentity,
};
use futures_util::FutureExt;
use tokio::sync::mpsc::Receiver;

/// The room begins at 2025-01-01T00:00:00.000Z.
const BEGINNING_UNIX_MS: i64 = 1_735_689_600_000;
/// Between two messages of a room: slow enough for the rate limit, and no measured message is a day's first.
const GAP: Duration = Duration::from_secs(1);
/// Bytes of a message.
const TEXT_BYTES: usize = 200;

/// A room of two people who are both connected. Minji and Junho write in turns; Minji begins.
pub(crate) struct Chat {
    pub(crate) send: SendFromConnection,
    pub(crate) history: History,
    pub(crate) mark_read: MarkRead,
    pub(crate) minji: Email,
    pub(crate) junho: Email,
    messages: MemoryMessageStore,
    room: RoomId,
    length: u64,
    text: MessageText,
    /// Kept, since dropping one closes its connection.
    _inboxes: [Receiver<Event>; 2],
}

/// The result of a future that never waits, as all of memory's do not.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory adapters never wait")
}

impl Chat {
    /// A room of `length` messages, stored through the port. Minji has read all but the last `unread`.
    pub(crate) fn with_room_of(length: u64, unread: u64) -> Self {
        let email = |text: &str| text.parse::<Email>().expect("an address");
        let (minji, junho) = (email("minji@example.com"), email("junho@example.com"));
        let room = RoomId::new(&minji, &junho).expect("two people");
        let text: MessageText = "a".repeat(TEXT_BYTES).parse().expect("a text within its limits");

        let messages = MemoryMessageStore::new();
        let mut head = Room::empty(room.clone());
        for number in 0..length {
            let sender = room.member(if number % 2 == 0 { &minji } else { &junho }).expect("a member");
            let draft =
                Draft { id: id_of(number), sender, content: Content::Text(text.clone()), reply_to: None };
            let append = head.append(&draft, time_of(number), SendRate::default()).expect("within the rate");
            at_once(messages.commit(&append)).expect("nobody else writes");
            if number + 1 == length - unread {
                let reader = room.member(&minji).expect("a member");
                read_up_to(&messages, &room, reader, append.message());
            }
            head.apply(&append);
        }

        let (connections, pusher) = (Arc::new(MemoryConnectionStore::new()), Arc::new(MemoryPusher::new()));
        let inboxes = [&minji, &junho].map(|email| {
            let user = UserId::new(email.as_str());
            let identity = VerifiedIdentity::vouched(email.clone(), user, time_of(length + 3_600));
            let id = connection_of(email);
            let row = Connection { id: id.clone(), identity, connected_at: time_of(length) };
            at_once(connections.put(&row)).expect("memory stores");
            pusher.open(id)
        });

        let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
        let store: Arc<dyn MessageStore> = Arc::new(messages.clone());
        let users = Arc::new(MemoryUserStore::new());
        let attachments = Arc::new(MemoryAttachmentStore::new("http://127.0.0.1", [0; 32]));
        Self {
            send: SendFromConnection::new(
                identify.clone(),
                SendMessage::new(
                    StoreMessage::new(
                        store.clone(),
                        attachments,
                        users,
                        Arc::new(NoBackoff),
                        SendRate::default(),
                    ),
                    connections.clone(),
                    pusher.clone(),
                ),
            ),
            history: History::new(store.clone(), FirstContact::default()),
            mark_read: MarkRead::new(identify, connections, store, pusher, FirstContact::default()),
            minji,
            junho,
            messages,
            room,
            length,
            text,
            _inboxes: inboxes,
        }
    }

    /// The next `count` messages, in turns.
    pub(crate) fn next_messages(&self, count: u64) -> Vec<(FrameOrigin, SendCommand)> {
        let message = |number: u64| {
            let (sender, receiver) = if number.is_multiple_of(2) {
                (&self.minji, &self.junho)
            } else {
                (&self.junho, &self.minji)
            };
            let command = SendCommand {
                receiver: receiver.clone(),
                id: id_of(number),
                after: number.checked_sub(1).map(time_of),
                content: Content::Text(self.text.clone()),
                reply_to: None,
            };
            (origin(sender, time_of(number)), command)
        };
        (self.length..self.length + count).map(message).collect()
    }

    /// `count` full pages from the later half of the room.
    pub(crate) fn pages(&self, count: u64) -> Vec<(PageRange, PageLimit)> {
        let before = |page: u64| PageRange::Before(time_of(self.length - 1 - page));
        (0..count).map(|page| (before(page), PageLimit::MAX)).collect()
    }

    /// The last `count` messages, one by one, as Minji reads them.
    pub(crate) fn readings(&self, count: u64) -> Vec<(FrameOrigin, Timestamp)> {
        let now = time_of(self.length);
        (self.length - count..self.length).map(|number| (origin(&self.minji, now), time_of(number))).collect()
    }

    /// The room as it is now: how long it is, and what Minji has not read.
    pub(crate) fn length_and_unread(&self) -> (u64, u64) {
        let room = at_once(self.messages.room(&self.room, chat_domain::Consistency::Strong));
        let room = room.expect("memory answers").expect("the room was filled");
        let minji = self.room.member(&self.minji).expect("a member");
        (room.seq(), room.unread(minji))
    }
}

fn read_up_to(messages: &MemoryMessageStore, room: &RoomId, reader: Member, last: &chat_domain::Message) {
    at_once(messages.advance_read(room, reader, ReadMark::at(last, reader))).expect("memory stores");
    // What the rows say is not measured; that they need no marking is.
}

fn id_of(number: u64) -> ClientMessageId {
    ClientMessageId::from_u128(u128::from(number))
}

fn time_of(number: u64) -> Timestamp {
    let beginning = Timestamp::from_unix_ms(BEGINNING_UNIX_MS).expect("a year within range");
    beginning.after(GAP * u32::try_from(number).expect("rooms here have some million messages"))
}

fn connection_of(email: &Email) -> ConnectionId {
    ConnectionId::new(email.as_str())
}

fn origin(email: &Email, now: Timestamp) -> FrameOrigin {
    FrameOrigin { connection: connection_of(email), correlation: Correlation::default(), now }
}
