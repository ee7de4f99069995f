//! The message store against a model that is nothing but lists.

use std::cmp::Reverse;
use std::num::NonZeroU32;
use std::time::Duration;

use chat_adapters_memory::MemoryMessageStore;
use chat_domain::{
    Activity, Advance, Append, ClientMessageId, ConsentWrite, Consistency, Content, DailyLimits, Draft,
    Email, FirstContact, Member, Message, MessageStore, MessageStoreError, Page, PageLimit, PageQuery,
    PageRange, PerMember, ROOMS_PAGE_MAX, ReadMark, ReadState, Room, RoomId, SendPolicy, SendRate, Timestamp,
};
use proptest::prelude::*;

const UNLIMITED: SendPolicy = SendPolicy {
    rate: SendRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX },
    first_contact: FirstContact::Open,
    daily: DailyLimits::UNLIMITED,
};

/// Three people, so three rooms; each is member A of one and member B of another, or in the middle.
const PEOPLE: [&str; 3] = ["junho@example.com", "minji@example.com", "seoyeon@example.com"];

/// What is done to the store. Places are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Some messages in a row.
    Send { room: usize, sender: Member, count: usize, thinking_ms: u64 },
    /// A commit of an append that was made `behind` messages ago, or of one that is `ahead` of the room.
    SendAtWrongVersion { room: usize, sender: Member, behind: usize, ahead: bool },
    /// A mark at some message.
    Advance { room: usize, reader: Member, place: usize },
    /// Somebody blocks the other for a moment.
    Block { room: usize, blocker: Member },
    /// A page from, or next to, some message.
    Page { room: usize, place: usize, beside: i8, kind: usize, limit: usize },
    /// Somebody's rooms, after some place.
    Rooms { person: usize, after: Option<usize> },
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![Just(Member::A), Just(Member::B)]
}

fn step() -> impl Strategy<Value = Step> {
    // Long enough to fill several blocks of the store's, and to go on for days.
    let count = prop_oneof![8 => 1_usize..4, 1 => 200_usize..300];
    let thinking_ms = prop_oneof![
        4 => Just(0_u64),
        4 => 1_u64..50,
        1 => Just(Duration::from_secs(86_400).as_millis() as u64),
    ];
    let room = 0_usize..3;
    prop_oneof![
        4 => (room.clone(), member(), count, thinking_ms)
            .prop_map(|(room, sender, count, thinking_ms)| Step::Send { room, sender, count, thinking_ms }),
        1 => (room.clone(), member(), 1_usize..4, any::<bool>())
            .prop_map(|(room, sender, behind, ahead)| {
                Step::SendAtWrongVersion { room, sender, behind, ahead }
            }),
        2 => (room.clone(), member(), any::<usize>())
            .prop_map(|(room, reader, place)| Step::Advance { room, reader, place }),
        1 => (room.clone(), member()).prop_map(|(room, blocker)| Step::Block { room, blocker }),
        6 => (room, any::<usize>(), -1_i8..=1, 0_usize..4, 1_usize..=50)
            .prop_map(|(room, place, beside, kind, limit)| Step::Page { room, place, beside, kind, limit }),
        1 => (0_usize..3, proptest::option::of(0_usize..3))
            .prop_map(|(person, after)| Step::Rooms { person, after }),
    ]
}

fn email(text: &str) -> Email {
    text.parse().expect("a well-formed address")
}

/// A room as lists.
struct ModelRoom {
    id: RoomId,
    /// The room after each message, as the aggregate made it.
    after: Vec<Room>,
    messages: Vec<Message>,
    reads: PerMember<ReadState>,
}

impl ModelRoom {
    fn room(&self) -> Option<Room> {
        let log = self.after.last()?.log().cloned()?;
        Some(Room::restore(self.id.clone(), log, self.reads).expect("the model keeps the rules"))
    }

    /// The room when it had `seq` messages.
    fn at_version(&self, seq: usize) -> Room {
        if seq == 0 { Room::empty(self.id.clone()) } else { self.after[seq - 1].clone() }
    }

    fn page(&self, query: PageQuery) -> Page {
        let mut fitting: Vec<_> = self
            .messages
            .iter()
            .filter(|message| match query.range {
                PageRange::Newest | PageRange::Oldest => true,
                PageRange::Before(at) => message.at < at,
                PageRange::After(at) => message.at > at,
            })
            .cloned()
            .collect();
        if matches!(query.range, PageRange::Newest | PageRange::Before(_)) {
            fitting.reverse();
        }
        let has_more = fitting.len() > query.limit.get();
        fitting.truncate(query.limit.get());
        Page { messages: fitting, has_more }
    }
}

/// The room once it holds what was appended.
fn with(room: &Room, append: &Append) -> Room {
    let mut room = room.clone();
    room.apply(append);
    room
}

struct Test {
    store: MemoryMessageStore,
    rooms: Vec<ModelRoom>,
    now: Timestamp,
    ids: u128,
}

impl Test {
    fn new() -> Self {
        let pairs = [(0, 1), (0, 2), (1, 2)];
        let rooms = pairs.map(|(one, other)| ModelRoom {
            id: RoomId::new(&email(PEOPLE[one]), &email(PEOPLE[other])).expect("two people"),
            after: Vec::new(),
            messages: Vec::new(),
            reads: PerMember::default(),
        });
        let now = "2026-11-23T09:00:00.000Z".parse().expect("a well-formed timestamp");
        Self { store: MemoryMessageStore::new(), rooms: rooms.into(), now, ids: 0 }
    }

    fn append(&mut self, room: &Room, sender: Member) -> Append {
        self.ids += 1;
        let content = Content::Text(format!("말 {}", self.ids).parse().expect("a short text"));
        let draft = Draft { id: ClientMessageId::from_u128(self.ids), sender, content, reply_to: None };
        room.append(&draft, self.now, UNLIMITED).expect("nobody is too fast")
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send { room, sender, count, thinking_ms } => {
                for _ in 0..count {
                    self.now = self.now.after(Duration::from_millis(thinking_ms));
                    let current = self.rooms[room].at_version(self.rooms[room].messages.len());
                    let append = self.append(&current, sender);
                    prop_assert!(self.store.commit(&append).await.is_ok());
                    self.rooms[room].after.push(with(&current, &append));
                    self.rooms[room].messages.push(append.log.newest);
                }
            }
            Step::SendAtWrongVersion { room, sender, behind, ahead } => {
                let messages = self.rooms[room].messages.len();
                let base = if ahead {
                    let current = self.rooms[room].at_version(messages);
                    with(&current, &self.append(&current, sender.peer()))
                } else if messages == 0 {
                    return Ok(());
                } else {
                    self.rooms[room].at_version(messages - behind.min(messages))
                };
                let append = self.append(&base, sender);
                let committed = self.store.commit(&append).await;
                prop_assert!(matches!(committed, Err(MessageStoreError::Conflict)));
            }
            Step::Advance { room, reader, place } => self.advance(room, reader, place).await?,
            Step::Block { room, blocker } => self.block(room, blocker).await?,
            Step::Page { room, place, beside, kind, limit } => {
                let room = &self.rooms[room];
                let at = match room.messages.len() {
                    0 => self.now,
                    count => room.messages[place % count].at,
                };
                let at = match beside {
                    -1 => at.previous(),
                    1 => at.next(),
                    _ => at,
                };
                let range =
                    [PageRange::Newest, PageRange::Oldest, PageRange::Before(at), PageRange::After(at)][kind];
                let query = PageQuery { range, limit: PageLimit::new(limit).expect("1 to 50") };
                let page =
                    self.store.page(&room.id, query, Consistency::Strong).await.expect("it is in memory");
                prop_assert_eq!(page, room.page(query));
            }
            Step::Rooms { person, after } => self.lists(person, after).await?,
        }
        Ok(())
    }

    async fn advance(&mut self, room: usize, reader: Member, place: usize) -> Result<(), TestCaseError> {
        let room = &mut self.rooms[room];
        let Some(last) = room.messages.len().checked_sub(1) else {
            let mark = ReadMark { up_to: self.now, count: 1 };
            let advance = self.store.advance_read(&room.id, reader, mark).await.expect("it is in memory");
            prop_assert_eq!(advance, Advance::NoRoom);
            return Ok(());
        };
        let mark = ReadMark::at(&room.messages[place % (last + 1)], reader);
        let current = &mut room.reads[reader].mark;
        let moves = current.is_none_or(|current| mark.up_to > current.up_to);
        if moves {
            *current = Some(mark);
        }
        let advance = self.store.advance_read(&room.id, reader, mark).await.expect("it is in memory");
        let now = room.room().expect("it has messages");
        prop_assert_eq!(advance, if moves { Advance::Moved(now) } else { Advance::Unchanged(now) });
        Ok(())
    }

    async fn block(&mut self, room: usize, blocker: Member) -> Result<(), TestCaseError> {
        let room = &mut self.rooms[room];
        let block = ConsentWrite::Block { at: self.now, freezes_reads: true };
        for write in [block, ConsentWrite::Unblock { of: self.now }] {
            let written = self.store.write_consent(&room.id, blocker, write).await;
            prop_assert_eq!(written.expect("nobody else blocks"), !room.messages.is_empty());
        }
        if !room.messages.is_empty() {
            room.reads = PerMember { a: room.reads.a.frozen(), b: room.reads.b.frozen() };
        }
        Ok(())
    }

    async fn lists(&self, person: usize, after: Option<usize>) -> Result<(), TestCaseError> {
        let person = email(PEOPLE[person]);
        let after: Option<Activity> = after.and_then(|room| self.rooms[room].room()?.activity());
        let rooms = self.rooms.iter().filter(|room| room.id.member(&person).is_some());
        let mut expected: Vec<_> = rooms.filter_map(ModelRoom::room).collect();
        expected.retain(|room| after.is_none_or(|after| room.activity() < Some(after)));
        expected.sort_by_key(|room| Reverse(room.activity()));
        let page = self.store.rooms_of(&person, after).await.expect("it is in memory");
        prop_assert_eq!(page.next, None);
        prop_assert!(page.rooms.len() <= ROOMS_PAGE_MAX);
        prop_assert_eq!(page.rooms, expected);
        Ok(())
    }

    async fn everything_is_the_same(&self) -> Result<(), TestCaseError> {
        for room in &self.rooms {
            let stored = self.store.room(&room.id, Consistency::Strong).await.expect("it is in memory");
            prop_assert_eq!(stored, room.room());
            for message in &room.messages {
                let query =
                    PageQuery { range: PageRange::After(message.at.previous()), limit: PageLimit::ONE };
                let page =
                    self.store.page(&room.id, query, Consistency::Strong).await.expect("it is in memory");
                prop_assert_eq!(page.messages.first(), Some(message));
            }
        }
        for person in 0..PEOPLE.len() {
            self.lists(person, None).await?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_store_does_what_lists_do(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut test = Test::new();
            for step in steps {
                test.step(step).await?;
            }
            test.everything_is_the_same().await
        })?;
    }
}
