use std::cmp::Reverse;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use crate::conformance::{
    JUNHO, MINJI, email, eventually, junho, minji, november, room, suite, their_room, time,
};
use crate::{
    Activity, Advance, Append, Attachment, AttachmentKey, ClientMessageId, Consistency, Content, Draft,
    Email, ImageFacts, ImageType, MESSAGE_TEXT_MAX_BYTES, Member, Message, MessageStore, MessageStoreError,
    OPEN_PROPOSALS_MAX, PAGE_MAX, Page, PageLimit, PageQuery, PageRange, Proposal, ProposalAnswer,
    ROOMS_PAGE_MAX, ReadMark, Room, RoomId, RoomsPage, SendRate, Timestamp, Verdict,
};

suite! {
    /// Expands to one test for each behaviour of a [`MessageStore`](crate::MessageStore), each on a store that the given
    /// `async` function returns, with nothing in it. See [`conformance`](crate::conformance).
    ///
    /// A writer that meets another one inside the store may be told
    /// [`Throttled`](crate::MessageStoreError::Throttled): the suite then repeats the call, as the contract allows. It never
    /// takes that for a [`Conflict`](crate::MessageStoreError::Conflict).
    message_store_conformance in message_store on crate::MessageStore {
        a_room_nobody_wrote_to_is_absent,
        words_read_back_whole,
        the_longest_words_read_back_whole,
        images_read_back_whole,
        proposals_and_answers_read_back_whole,
        the_room_reads_back_whole_after_every_message,
        a_room_with_everything_in_it_reads_back_whole,
        eventual_reads_become_right,
        timestamps_of_any_year_read_back_in_order,
        a_first_commit_conflicts_with_an_existing_room,
        a_stale_version_conflicts_and_stores_nothing,
        a_future_version_conflicts_and_stores_nothing,
        a_version_of_an_absent_room_conflicts_and_stores_nothing,
        a_repeated_commit_conflicts,
        of_eight_racing_commits_exactly_one_is_stored,
        of_eight_racing_first_commits_exactly_one_is_stored,
        writers_that_race_and_retry_lose_nothing,
        an_attachment_is_shown_once,
        of_eight_racing_messages_one_shows_the_attachment,
        what_was_refused_its_attachment_leaves_no_trace,
        a_commit_leaves_read_states_alone,
        rooms_are_isolated,
        an_empty_room_has_empty_pages,
        pages_have_the_right_messages_whatever_their_bounds_and_limits,
        a_timestamp_between_two_messages_bounds_a_page_too,
        nothing_is_before_the_first_or_after_the_last,
        a_page_of_exactly_all_messages_has_no_more,
        one_message_beyond_a_full_page_is_more,
        paging_either_way_visits_each_of_120_messages_once,
        a_page_of_the_longest_words_is_a_full_page,
        a_mark_moves_forward_and_tells_the_room,
        a_mark_that_is_there_already_changes_nothing,
        an_earlier_mark_changes_nothing,
        the_members_marks_are_independent,
        a_mark_in_an_absent_room_creates_nothing,
        of_racing_marks_the_furthest_stays,
        marks_and_commits_that_race_all_happen,
        marking_rows_sets_exactly_those,
        a_full_page_of_rows_is_marked_at_once,
        marking_rows_that_do_not_exist_creates_none,
        marking_no_rows_still_notes_how_far_it_came,
        marking_rows_of_an_absent_room_creates_nothing,
        how_far_rows_are_marked_never_moves_back,
        marking_rows_twice_changes_nothing_more,
        marking_rows_does_not_make_a_commit_conflict,
        a_stranger_has_no_rooms,
        both_members_list_the_room_as_it_is,
        every_room_of_three_pages_is_listed_once_latest_activity_first,
        a_room_moves_up_when_a_message_comes_on_a_later_day,
        a_message_on_the_same_day_moves_no_room,
        a_list_goes_on_after_a_place_that_is_gone,
    }
}

type Store = Arc<dyn MessageStore>;

const STORED: &str = "the store works";

/// No suite is about the rate.
const UNLIMITED: SendRate = SendRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX };

/// How long people here think between two messages. More than a millisecond, so that there are instants between them.
const THINKING: Duration = Duration::from_millis(10);

/// A conversation that is stored while it goes on, and what must be stored of it.
struct Talk {
    store: Store,
    room: Room,
    messages: Vec<Message>,
    now: Timestamp,
}

impl Talk {
    fn in_room(store: &Store, id: RoomId, now: Timestamp) -> Self {
        Self { store: Arc::clone(store), room: Room::empty(id), messages: Vec::new(), now }
    }

    /// Minji's and Junho's, on 23 November.
    fn new(store: &Store) -> Self {
        Self::in_room(store, their_room(), november(23))
    }

    /// The next message, not yet stored.
    fn draft(&self, sender: Member, content: Content) -> Append {
        let id = ClientMessageId::from_u128(u128::from(self.room.seq()) + 1);
        append(&self.room, id, sender, content, self.now)
    }

    async fn say(&mut self, sender: Member, content: Content) {
        let append = self.draft(sender, content);
        commit(&self.store, &append).await.expect(STORED);
        self.now = self.now.after(THINKING);
        self.room.apply(&append);
        self.messages.push(append.message);
    }

    /// Minji and Junho say something by turns, `count` messages in all.
    async fn go_on(&mut self, count: usize) {
        for _ in 0..count {
            let sender = if self.room.seq().is_multiple_of(2) { MINJI } else { JUNHO };
            self.say(sender, words(&format!("말 {}", self.room.seq() + 1))).await;
        }
    }

    /// Moves a reader's mark to a message, given by its place in the conversation.
    async fn read(&mut self, reader: Member, place: usize) -> Advance {
        let mark = ReadMark::at(&self.messages[place], reader);
        let advance = self.advance(reader, mark).await;
        if let Advance::Moved(room) = &advance {
            self.room = room.clone();
        }
        advance
    }

    async fn advance(&self, reader: Member, mark: ReadMark) -> Advance {
        patiently(|| self.store.advance_read(self.room.id(), reader, mark)).await.expect(STORED)
    }

    async fn mark_rows(&self, reader: Member, rows: &[Timestamp], through: Timestamp) {
        let marked = patiently(|| self.store.mark_rows_read(self.room.id(), reader, rows, through));
        marked.await.expect(STORED);
    }

    fn times(&self, places: impl IntoIterator<Item = usize>) -> Vec<Timestamp> {
        places.into_iter().map(|place| self.messages[place].at).collect()
    }

    /// What is stored is this conversation, no more and no less.
    async fn is_stored(&self) {
        assert_eq!(stored_room(&self.store, self.room.id()).await.as_ref(), Some(&self.room));
        assert_eq!(stored_messages(&self.store, self.room.id()).await, self.messages);
    }

    /// The page that a query must have.
    fn page(&self, query: PageQuery) -> Page {
        let limit = query.limit.get();
        let newest_first = |end: usize| {
            let all = self.messages[..end].iter().rev();
            Page { has_more: end > limit, messages: all.take(limit).cloned().collect() }
        };
        let oldest_first = |start: usize| {
            let all = &self.messages[start..];
            Page { has_more: all.len() > limit, messages: all.iter().take(limit).cloned().collect() }
        };
        match query.range {
            PageRange::Newest => newest_first(self.messages.len()),
            PageRange::Before(at) => {
                newest_first(self.messages.iter().filter(|message| message.at < at).count())
            }
            PageRange::Oldest => oldest_first(0),
            PageRange::After(at) => {
                oldest_first(self.messages.iter().filter(|message| message.at <= at).count())
            }
        }
    }

    async fn has_the_page(&self, range: PageRange, limit: usize) {
        let query = PageQuery { range, limit: PageLimit::new(limit).expect("the suite asks for 1 to 50") };
        let page = self.store.page(self.room.id(), query, Consistency::Strong).await.expect(STORED);
        assert_eq!(page, self.page(query), "{query:?}");
    }
}

fn words(text: &str) -> Content {
    Content::Text(text.parse().expect("the suite says nothing forbidden"))
}

fn append(room: &Room, id: ClientMessageId, sender: Member, content: Content, now: Timestamp) -> Append {
    room.append(&Draft { id, sender, content }, now, UNLIMITED).expect("the suite breaks no rule of the room")
}

/// Repeats what the store had no time for: nothing happened then.
async fn patiently<T, Call>(mut call: impl FnMut() -> Call) -> Result<T, MessageStoreError>
where
    Call: Future<Output = Result<T, MessageStoreError>>,
{
    loop {
        match call().await {
            Err(MessageStoreError::Throttled { .. }) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

async fn commit(store: &Store, append: &Append) -> Result<(), MessageStoreError> {
    patiently(|| store.commit(append)).await
}

async fn conflicts(store: &Store, append: &Append) {
    let committed = commit(store, append).await;
    assert!(matches!(committed, Err(MessageStoreError::Conflict)), "{committed:?}");
}

async fn stored_room(store: &Store, id: &RoomId) -> Option<Room> {
    store.room(id, Consistency::Strong).await.expect(STORED)
}

/// All messages of a room, oldest first.
async fn stored_messages(store: &Store, id: &RoomId) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut range = PageRange::Oldest;
    loop {
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = store.page(id, query, Consistency::Strong).await.expect(STORED);
        messages.extend(page.messages);
        match messages.last() {
            Some(last) if page.has_more => range = PageRange::After(last.at),
            _ => return messages,
        }
    }
}

async fn is_absent(store: &Store, id: &RoomId) {
    assert_eq!(stored_room(store, id).await, None);
    assert_eq!(stored_messages(store, id).await, []);
    for member in [Member::A, Member::B] {
        assert_eq!(listed(store, id.email(member)).await, []);
    }
}

/// All rooms of a user, page by page.
async fn listed(store: &Store, user: &Email) -> Vec<Room> {
    let mut rooms = Vec::new();
    let mut after = None;
    loop {
        let page = store.rooms_of(user, after).await.expect(STORED);
        assert!(page.rooms.len() <= ROOMS_PAGE_MAX);
        rooms.extend(page.rooms);
        match page.next {
            Some(next) => {
                assert!(after.is_none_or(|after| next < after), "pages go forward");
                after = Some(next);
            }
            None => return rooms,
        }
    }
}

/// Minji's list goes on after a place with exactly this page.
async fn goes_on_with(store: &Store, place: Activity, page: RoomsPage) {
    eventually(page, async || store.rooms_of(&minji(), Some(place)).await.expect(STORED)).await;
}

fn place_of(room: &Room) -> Activity {
    room.activity().expect("a stored room has messages")
}

/// Runs them at the same time, and begins none before all are ready.
async fn race<T: Send + 'static>(
    racers: impl IntoIterator<Item: Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let racers: Vec<_> = racers.into_iter().collect();
    let start = Arc::new(Barrier::new(racers.len()));
    let tasks = racers.into_iter().map(|racer| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            racer.await
        })
    });
    let mut results = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        results.push(task.await.expect("no racer panics"));
    }
    results
}

async fn a_room_nobody_wrote_to_is_absent(store: Store) {
    is_absent(&store, &their_room()).await;
    Talk::in_room(&store, room(&minji(), &email("seoyeon@example.com")), november(23)).go_on(1).await;
    assert_eq!(stored_room(&store, &their_room()).await, None);
    assert_eq!(stored_messages(&store, &their_room()).await, []);
}

async fn words_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for text in [
        "a",
        "안녕하세요, 준호님!",
        "one\n\n\ttwo",
        "👩‍👩‍👧‍👦 e\u{301} שלום",
        "\"quoted\" \\n {json} #$%&",
        "null",
        "0",
    ] {
        talk.say(MINJI, words(text)).await;
        talk.say(JUNHO, words(text)).await;
    }
    talk.is_stored().await;
}

fn longest_words() -> Content {
    words(&("가".repeat(MESSAGE_TEXT_MAX_BYTES / 3) + "ab"))
}

async fn the_longest_words_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    talk.say(MINJI, longest_words()).await;
    talk.say(JUNHO, words(&"\\".repeat(MESSAGE_TEXT_MAX_BYTES))).await;
    talk.is_stored().await;
}

fn image(sender: Member, kind: ImageType, random: u128, alt: Option<&str>, caption: Option<&str>) -> Content {
    let key = AttachmentKey::mint(&their_room(), sender, kind, random);
    let facts = ImageFacts::new(kind, 10 * 1024 * 1024, 16_384, 1).expect("the facts are within bounds");
    let alt = alt.map(|alt| alt.parse().expect("a short text"));
    let caption = caption.map(|caption| caption.parse().expect("a short text"));
    Content::Image { attachment: Attachment { key, facts, alt }, caption }
}

async fn images_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for kind in [ImageType::Jpeg, ImageType::Png, ImageType::Webp, ImageType::Gif] {
        let words =
            [(None, None), (Some("골대"), None), (None, Some("우리 팀")), (Some("골대"), Some("우리 팀"))];
        for ((alt, caption), random) in words.into_iter().zip(u128::MAX / 7..) {
            talk.say(MINJI, image(MINJI, kind, random, alt, caption)).await;
            talk.say(JUNHO, image(JUNHO, kind, random, alt, caption)).await;
        }
    }
    talk.is_stored().await;
}

fn proposal(match_at: Timestamp, note: Option<&str>) -> Content {
    let text = "a short text";
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().expect(text),
        opponent_team_name: "준호 유나이티드".parse().expect(text),
        match_at,
        place: "서울특별시 중구 세종대로 110\n운동장".parse().expect(text),
        note: note.map(|note| note.parse().expect(text)),
    })
}

async fn proposals_and_answers_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for (verdict, answerer) in
        [(Verdict::Accepted, JUNHO), (Verdict::Declined, JUNHO), (Verdict::Withdrawn, MINJI)]
    {
        for note in [None, Some("비가 오면 다음 주에")] {
            talk.say(MINJI, proposal(november(30), note)).await;
            let proposal = talk.room.log().expect("something was said").last_at();
            talk.is_stored().await;
            talk.say(answerer, Content::MatchProposalAnswer(ProposalAnswer { proposal, verdict })).await;
        }
    }
    talk.is_stored().await;
}

async fn the_room_reads_back_whole_after_every_message(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..12 {
        talk.go_on(1).await;
        assert_eq!(stored_room(&store, talk.room.id()).await.as_ref(), Some(&talk.room));
    }
}

/// The head at its largest: the longest addresses and preview, every list full, every optional part there.
async fn a_room_with_everything_in_it_reads_back_whole(store: Store) {
    let long = |first: &str| email(&format!("{}@example.com", first.repeat(242)));
    let mut talk = Talk::in_room(&store, room(&long("a"), &long("b")), november(23));
    for open in 0..OPEN_PROPOSALS_MAX {
        let proposer = if open % 2 == 0 { Member::A } else { Member::B };
        talk.say(proposer, proposal(november(30), None)).await;
    }
    talk.say(Member::A, longest_words()).await;
    for reader in [Member::A, Member::B] {
        talk.read(reader, 8).await;
        talk.mark_rows(reader, &[], talk.messages[8].at).await;
    }
    talk.room = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(talk.room.read_state(Member::B).rows_marked_to, Some(talk.messages[8].at));
    talk.say(Member::B, longest_words()).await;
    talk.is_stored().await;
}

async fn eventual_reads_become_right(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    let id = talk.room.id();
    let room = Some(talk.room.clone());
    eventually(room, async || store.room(id, Consistency::Eventual).await.expect(STORED)).await;
    let query = PageQuery { range: PageRange::Newest, limit: PageLimit::MAX };
    let page = async || store.page(id, query, Consistency::Eventual).await.expect(STORED);
    eventually(talk.page(query), page).await;
}

async fn timestamps_of_any_year_read_back_in_order(store: Store) {
    let mut talk = Talk::new(&store);
    for text in ["0000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"] {
        talk.now = time(text);
        talk.go_on(1).await;
    }
    // Clocks that stand still, and one that runs far ahead.
    for text in ["2026-11-23T09:00:00.000Z", "2026-11-23T09:00:00.000Z", "9999-12-31T23:59:59.998Z"] {
        talk.now = time(text);
        talk.go_on(1).await;
    }
    talk.is_stored().await;
    talk.has_the_page(PageRange::Newest, 6).await;
}

async fn a_first_commit_conflicts_with_an_existing_room(store: Store) {
    let mut talk = Talk::new(&store);
    let other_first = talk.draft(JUNHO, words("나도 안녕"));
    talk.go_on(1).await;
    conflicts(&store, &other_first).await;
    talk.is_stored().await;
}

async fn a_stale_version_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    // Later than everything: only the version keeps it out.
    talk.now = november(24);
    let stale = talk.draft(JUNHO, words("늦었다"));
    talk.now = november(23).after(THINKING * 2);
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    talk.is_stored().await;
}

async fn a_future_version_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(1).await;
    let unstored = talk.draft(JUNHO, words("이건 저장되지 않는다"));
    let mut ahead = talk.room.clone();
    ahead.apply(&unstored);
    let future = append(&ahead, ClientMessageId::from_u128(3), MINJI, words("너무 이르다"), november(24));
    conflicts(&store, &future).await;
    talk.is_stored().await;
}

async fn a_version_of_an_absent_room_conflicts_and_stores_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.room.apply(&talk.draft(MINJI, words("이건 저장되지 않는다")));
    let second = append(&talk.room, ClientMessageId::from_u128(2), JUNHO, words("너무 이르다"), november(24));
    conflicts(&store, &second).await;
    is_absent(&store, talk.room.id()).await;
}

async fn a_repeated_commit_conflicts(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..3 {
        let append = talk.draft(MINJI, words("한 번만"));
        talk.say(MINJI, words("한 번만")).await;
        conflicts(&store, &append).await;
        talk.is_stored().await;
    }
}

/// Eight devices append to the same room at once.
async fn one_of_eight_is_stored(store: Store, mut talk: Talk) {
    let appends: Vec<_> = (0..8_u32)
        .map(|n| {
            let sender = if n % 2 == 0 { MINJI } else { JUNHO };
            let id = ClientMessageId::from_u128(u128::from(n) + 100);
            append(&talk.room, id, sender, words(&format!("나 {n}")), talk.now.after(THINKING * n))
        })
        .collect();
    let committed = race(appends.iter().map(|append| {
        let (store, append) = (Arc::clone(&store), append.clone());
        async move { commit(&store, &append).await }
    }))
    .await;

    let mut winners = Vec::new();
    for (append, committed) in appends.into_iter().zip(committed) {
        match committed {
            Ok(()) => winners.push(append),
            Err(error) => assert!(matches!(error, MessageStoreError::Conflict), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    for winner in winners {
        talk.room.apply(&winner);
        talk.messages.push(winner.message);
    }
    talk.is_stored().await;
}

async fn of_eight_racing_commits_exactly_one_is_stored(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(10).await;
    one_of_eight_is_stored(store, talk).await;
}

async fn of_eight_racing_first_commits_exactly_one_is_stored(store: Store) {
    let talk = Talk::new(&store);
    one_of_eight_is_stored(store, talk).await;
}

async fn writers_that_race_and_retry_lose_nothing(store: Store) {
    let writers = (0..4_u32).map(|writer| {
        let store = Arc::clone(&store);
        async move {
            let sender = if writer % 2 == 0 { MINJI } else { JUNHO };
            for n in 0..10 {
                let id = ClientMessageId::from_u128(u128::from(writer) << 64 | n);
                loop {
                    let head = stored_room(&store, &their_room()).await;
                    let head = head.unwrap_or_else(|| Room::empty(their_room()));
                    // One device's clock is ahead of the others'.
                    let now = november(23).after(THINKING * writer);
                    match commit(&store, &append(&head, id, sender, words("말"), now)).await {
                        Ok(()) => break,
                        Err(error) => assert!(matches!(error, MessageStoreError::Conflict), "{error:?}"),
                    }
                }
            }
        }
    });
    race(writers).await;

    let messages = stored_messages(&store, &their_room()).await;
    assert!(messages.iter().map(|message| message.seq).eq(1..=40), "every number once, without a hole");
    assert!(messages.is_sorted_by(|one, next| one.at < next.at));
    let mut ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(stored_room(&store, &their_room()).await.map(|room| room.seq()), Some(40));
}

fn photo(random: u128) -> Content {
    image(MINJI, ImageType::Jpeg, random, None, None)
}

async fn is_taken(store: &Store, append: &Append) {
    let committed = commit(store, append).await;
    assert!(matches!(committed, Err(MessageStoreError::AttachmentTaken)), "{committed:?}");
}

async fn an_attachment_is_shown_once(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    talk.say(MINJI, photo(1)).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    talk.go_on(10).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    talk.say(MINJI, photo(2)).await;
    talk.is_stored().await;
}

async fn of_eight_racing_messages_one_shows_the_attachment(store: Store) {
    let racers = (0..8_u32).map(|n| {
        let store = Arc::clone(&store);
        async move {
            let id = ClientMessageId::from_u128(u128::from(n) + 100);
            loop {
                let head = stored_room(&store, &their_room()).await;
                let head = head.unwrap_or_else(|| Room::empty(their_room()));
                let append = append(&head, id, MINJI, photo(1), november(23).after(THINKING * n));
                match commit(&store, &append).await {
                    Err(MessageStoreError::Conflict) => {}
                    outcome => break outcome.is_ok(),
                }
            }
        }
    });
    let shown = race(racers).await.into_iter().filter(|shown| *shown).count();
    assert_eq!((shown, stored_messages(&store, &their_room()).await.len()), (1, 1));
}

async fn what_was_refused_its_attachment_leaves_no_trace(store: Store) {
    let mut talk = Talk::new(&store);
    talk.say(MINJI, photo(1)).await;
    is_taken(&store, &talk.draft(MINJI, photo(1))).await;
    // A commit that conflicts claims no attachment.
    let stale = talk.draft(MINJI, photo(2));
    talk.go_on(1).await;
    conflicts(&store, &stale).await;
    talk.say(MINJI, photo(2)).await;
    talk.is_stored().await;
}

async fn a_commit_leaves_read_states_alone(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    // Made from a room that nobody had read.
    let append = talk.draft(MINJI, words("읽었어?"));
    let unread = talk.room.read_state(JUNHO);
    talk.read(JUNHO, 2).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    let read = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_ne!(read.read_state(JUNHO), unread);

    commit(&store, &append).await.expect(STORED);
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), Some(&append.log));
    assert_eq!(stored.read_state(JUNHO), read.read_state(JUNHO));
    assert_eq!(stored.read_state(MINJI), read.read_state(MINJI));
}

/// Pairs whose ids are alike: one the beginning of another, and local parts that hold the separator.
async fn rooms_are_isolated(store: Store) {
    let pairs = [
        ("a@x.co", "b@x.co"),
        ("a@x.co", "b@x.com"),
        ("a@x.co", "b@x.co.kr"),
        ("a#b@x.co", "b@x.co"),
        ("a@x.co", "a#b@x.co"),
        ("a@x.co", "#b@x.co"),
        ("#a@x.co", "b@x.co"),
    ];
    let mut talks = Vec::new();
    for (one, other) in pairs {
        // All at the same instants.
        let mut talk = Talk::in_room(&store, room(&email(one), &email(other)), november(23));
        talk.say(Member::A, words(one)).await;
        talk.say(Member::B, words(other)).await;
        talk.read(Member::B, 0).await;
        talks.push(talk);
    }
    for talk in &talks {
        talk.is_stored().await;
        for range in [PageRange::Newest, PageRange::After(Timestamp::MIN), PageRange::Before(Timestamp::MAX)]
        {
            talk.has_the_page(range, 50).await;
        }
    }
}

async fn an_empty_room_has_empty_pages(store: Store) {
    let talk = Talk::new(&store);
    let at = november(23);
    for range in [PageRange::Newest, PageRange::Oldest, PageRange::Before(at), PageRange::After(at)] {
        talk.has_the_page(range, 1).await;
        talk.has_the_page(range, PAGE_MAX).await;
    }
}

async fn pages_have_the_right_messages_whatever_their_bounds_and_limits(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    for limit in 1..=7 {
        talk.has_the_page(PageRange::Newest, limit).await;
        talk.has_the_page(PageRange::Oldest, limit).await;
        for at in talk.times(0..6) {
            talk.has_the_page(PageRange::Before(at), limit).await;
            talk.has_the_page(PageRange::After(at), limit).await;
        }
    }
}

async fn a_timestamp_between_two_messages_bounds_a_page_too(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(5).await;
    for at in talk.times(0..5).into_iter().flat_map(|at| [at.previous(), at.next()]) {
        for limit in [1, 2, 50] {
            talk.has_the_page(PageRange::Before(at), limit).await;
            talk.has_the_page(PageRange::After(at), limit).await;
        }
    }
}

async fn nothing_is_before_the_first_or_after_the_last(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(5).await;
    for at in [Timestamp::MIN, talk.messages[0].at] {
        talk.has_the_page(PageRange::Before(at), 50).await;
    }
    for at in [Timestamp::MAX, talk.messages[4].at] {
        talk.has_the_page(PageRange::After(at), 50).await;
    }
}

/// Pages of the largest size that hold the whole conversation, or all but one message of it.
async fn has_full_pages(talk: &Talk) {
    let everything = [PageRange::Newest, PageRange::Oldest];
    let bounded = [PageRange::Before(Timestamp::MAX), PageRange::After(Timestamp::MIN)];
    for range in everything.into_iter().chain(bounded) {
        talk.has_the_page(range, PAGE_MAX).await;
        talk.has_the_page(range, PAGE_MAX - 1).await;
    }
}

async fn a_page_of_exactly_all_messages_has_no_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(PAGE_MAX).await;
    has_full_pages(&talk).await;
}

async fn one_message_beyond_a_full_page_is_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(PAGE_MAX + 1).await;
    has_full_pages(&talk).await;
    talk.has_the_page(PageRange::Before(talk.messages[PAGE_MAX].at), PAGE_MAX).await;
    talk.has_the_page(PageRange::After(talk.messages[0].at), PAGE_MAX).await;
}

async fn paging_either_way_visits_each_of_120_messages_once(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(120).await;
    let id = talk.room.id();
    for limit in [7, 40, PAGE_MAX] {
        let limit = PageLimit::new(limit).expect("between 1 and 50");
        for forward in [true, false] {
            let mut range = if forward { PageRange::Oldest } else { PageRange::Newest };
            let mut visited = Vec::new();
            loop {
                let query = PageQuery { range, limit };
                let page = store.page(id, query, Consistency::Strong).await.expect(STORED);
                visited.extend(page.messages);
                let last = visited.last().expect("the first page is not empty").at;
                if !page.has_more {
                    break;
                }
                range = if forward { PageRange::After(last) } else { PageRange::Before(last) };
            }
            if !forward {
                visited.reverse();
            }
            assert_eq!(visited, talk.messages);
        }
    }
}

/// DynamoDB ends a page at 1 MB, whatever its limit.
async fn a_page_of_the_longest_words_is_a_full_page(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..=PAGE_MAX {
        talk.say(MINJI, longest_words()).await;
    }
    has_full_pages(&talk).await;
}

async fn a_mark_moves_forward_and_tells_the_room(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    assert_eq!(talk.room.unread(JUNHO), 3);
    for (place, unread) in [(0, 2), (3, 1), (4, 0)] {
        let Advance::Moved(room) = talk.read(JUNHO, place).await else { panic!("the mark moves") };
        assert_eq!(room.read_up_to(JUNHO), Some(talk.messages[place].at));
        assert_eq!(room.unread(JUNHO), unread);
        assert_eq!(room.log(), talk.room.log());
        talk.is_stored().await;
    }
}

async fn a_mark_that_is_there_already_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    talk.read(JUNHO, 1).await;
    assert_eq!(talk.read(JUNHO, 1).await, Advance::Unchanged(talk.room.clone()));
    talk.is_stored().await;
}

async fn an_earlier_mark_changes_nothing(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    for place in [3, 0] {
        assert_eq!(talk.read(JUNHO, place).await, Advance::Unchanged(talk.room.clone()));
    }
    talk.is_stored().await;
}

async fn the_members_marks_are_independent(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    talk.read(MINJI, 1).await;
    assert_eq!(talk.room.read_up_to(JUNHO), Some(talk.messages[4].at));
    assert_eq!(talk.room.read_up_to(MINJI), Some(talk.messages[1].at));
    talk.mark_rows(MINJI, &talk.times([1]), talk.messages[1].at).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, None);
    assert_eq!(stored.read_state(MINJI).rows_marked_to, Some(talk.messages[1].at));
}

async fn a_mark_in_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    let message = talk.draft(MINJI, words("이건 저장되지 않는다")).message;
    assert_eq!(talk.advance(JUNHO, ReadMark::at(&message, JUNHO)).await, Advance::NoRoom);
    is_absent(&store, talk.room.id()).await;
}

async fn of_racing_marks_the_furthest_stays(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(16).await;
    race((0..8).map(|n| {
        let (store, id) = (Arc::clone(&store), talk.room.id().clone());
        let mark = ReadMark::at(&talk.messages[2 * n], JUNHO);
        async move {
            let advanced = patiently(|| store.advance_read(&id, JUNHO, mark)).await;
            let (Advance::Moved(room) | Advance::Unchanged(room)) = advanced.expect(STORED) else {
                panic!("there is a room");
            };
            assert!(room.read_up_to(JUNHO) >= Some(mark.up_to), "it is there or further afterwards");
        }
    }))
    .await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).mark, Some(ReadMark::at(&talk.messages[14], JUNHO)));
}

async fn marks_and_commits_that_race_all_happen(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(20).await;
    let marks: Vec<_> = talk.messages.iter().map(|message| ReadMark::at(message, JUNHO)).collect();
    let furthest = marks.last().copied();
    let id = talk.room.id().clone();
    let writer_store = Arc::clone(&store);
    let reader_store = Arc::clone(&store);
    let start = Arc::new(Barrier::new(2));
    let reader_start = Arc::clone(&start);
    let writer = tokio::spawn(async move {
        talk.store = writer_store;
        start.wait().await;
        // The only writer: a conflict could only come from the marks.
        talk.go_on(20).await;
        talk
    });
    let reader = tokio::spawn(async move {
        reader_start.wait().await;
        for mark in marks {
            let moved = patiently(|| reader_store.advance_read(&id, JUNHO, mark)).await.expect(STORED);
            assert!(matches!(moved, Advance::Moved(_)), "the only reader moves on each time");
            let rows = patiently(|| reader_store.mark_rows_read(&id, JUNHO, &[], mark.up_to));
            rows.await.expect(STORED);
        }
    });
    let talk = writer.await.expect("no commit conflicts with a mark");
    reader.await.expect("no mark fails because of a commit");

    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), talk.room.log());
    assert_eq!(stored.read_state(JUNHO).mark, furthest);
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, furthest.map(|mark| mark.up_to));
    assert_eq!(stored_messages(&store, talk.room.id()).await, talk.messages);
}

/// Which messages are marked as read in their rows, by their places.
async fn marked(talk: &Talk) -> Vec<usize> {
    let messages = stored_messages(&talk.store, talk.room.id()).await;
    let unmarked: Vec<_> =
        messages.iter().cloned().map(|message| Message { read: false, ..message }).collect();
    assert_eq!(unmarked, talk.messages, "nothing but `read` ever changes");
    (0..messages.len()).filter(|place| messages[*place].read).collect()
}

async fn marking_rows_sets_exactly_those(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(8).await;
    talk.read(JUNHO, 4).await;
    talk.mark_rows(JUNHO, &talk.times([0, 4]), talk.messages[4].at).await;
    assert_eq!(marked(&talk).await, [0, 4]);
    talk.read(MINJI, 5).await;
    talk.mark_rows(MINJI, &talk.times([1, 3, 5]), talk.messages[5].at).await;
    assert_eq!(marked(&talk).await, [0, 1, 3, 4, 5]);
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.log(), talk.room.log());
}

async fn a_full_page_of_rows_is_marked_at_once(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..=PAGE_MAX {
        talk.say(MINJI, words("말")).await;
    }
    talk.read(JUNHO, PAGE_MAX).await;
    talk.mark_rows(JUNHO, &talk.times(0..PAGE_MAX), talk.messages[PAGE_MAX - 1].at).await;
    assert_eq!(marked(&talk).await, Vec::from_iter(0..PAGE_MAX));
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    let last = (Some(talk.messages[PAGE_MAX - 1].at), talk.messages[PAGE_MAX].at);
    assert_eq!(stored.read_state(JUNHO).rows_to_mark(), Some(last));
}

async fn marking_rows_that_do_not_exist_creates_none(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 2).await;
    let mut rows = talk.times([0, 2]);
    rows.extend([Timestamp::MIN, rows[0].next(), rows[1].previous(), Timestamp::MAX]);
    talk.mark_rows(JUNHO, &rows, talk.messages[2].at).await;
    assert_eq!(marked(&talk).await, [0, 2], "and those that exist are marked all the same");
}

async fn marking_no_rows_still_notes_how_far_it_came(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 3).await;
    talk.mark_rows(JUNHO, &[], talk.messages[1].at).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, Some(talk.messages[1].at));
    assert_eq!(stored.read_state(JUNHO).mark, talk.room.read_state(JUNHO).mark);
    assert_eq!(marked(&talk).await, []);
}

async fn marking_rows_of_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    talk.mark_rows(JUNHO, &[november(23)], november(23)).await;
    talk.mark_rows(JUNHO, &[], november(23)).await;
    is_absent(&store, talk.room.id()).await;
}

async fn how_far_rows_are_marked_never_moves_back(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    talk.read(JUNHO, 4).await;
    talk.mark_rows(JUNHO, &[], talk.messages[4].at).await;
    // An earlier call that comes late still marks its rows.
    talk.mark_rows(JUNHO, &talk.times([0]), talk.messages[1].at).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.read_state(JUNHO).rows_marked_to, Some(talk.messages[4].at));
    assert_eq!(marked(&talk).await, [0]);
}

async fn marking_rows_twice_changes_nothing_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 2).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    let once = stored_room(&store, talk.room.id()).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    assert_eq!(stored_room(&store, talk.room.id()).await, once);
    assert_eq!(marked(&talk).await, [0, 2]);
}

async fn marking_rows_does_not_make_a_commit_conflict(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    let append = talk.draft(MINJI, words("읽었어?"));
    talk.read(JUNHO, 2).await;
    talk.mark_rows(JUNHO, &talk.times([0, 2]), talk.messages[2].at).await;
    commit(&store, &append).await.expect(STORED);
}

async fn a_stranger_has_no_rooms(store: Store) {
    Talk::new(&store).go_on(2).await;
    // The last two are the end of one member's address and the beginning of the other's.
    for stranger in ["seoyeon@example.com", "minji@example.com.kr", "inji@example.com", "junho@example.co"] {
        let stranger = email(stranger);
        assert_eq!(
            store.rooms_of(&stranger, None).await.expect(STORED),
            RoomsPage { rooms: vec![], next: None }
        );
    }
}

async fn both_members_list_the_room_as_it_is(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    talk.read(JUNHO, 2).await;
    for user in [minji(), junho()] {
        eventually(vec![talk.room.clone()], async || listed(&store, &user).await).await;
    }
}

/// Peers whose addresses sort before and after Minji's: she is member A of some rooms and member B of others.
fn peer(n: usize) -> Email {
    let first = if n.is_multiple_of(2) { 'a' } else { 'z' };
    email(&format!("{first}{n:03}@example.com"))
}

/// One room of Minji's for each day given, latest activity first.
async fn rooms_on(store: &Store, days: impl IntoIterator<Item = u8>) -> Vec<Talk> {
    let mut talks = Vec::new();
    for (n, day) in days.into_iter().enumerate() {
        let mut talk = Talk::in_room(store, room(&minji(), &peer(n)), november(day));
        talk.go_on(1).await;
        talks.push(talk);
    }
    talks.sort_by_key(|talk| Reverse(place_of(&talk.room)));
    talks
}

fn rooms_of(talks: &[Talk]) -> Vec<Room> {
    talks.iter().map(|talk| talk.room.clone()).collect()
}

async fn every_room_of_three_pages_is_listed_once_latest_activity_first(store: Store) {
    let talks = rooms_on(&store, (0..250_u8).map(|n| 20 + n % 5)).await;
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
}

async fn a_room_moves_up_when_a_message_comes_on_a_later_day(store: Store) {
    let mut talks = rooms_on(&store, [20, 21, 22]).await;
    let mut oldest = talks.pop().expect("there are three");
    oldest.now = november(23);
    oldest.go_on(1).await;
    let peer_lists = vec![oldest.room.clone()];
    let peer = oldest.room.id().member(&minji()).expect("she is a member").peer();
    let peer = oldest.room.id().email(peer).clone();
    talks.insert(0, oldest);
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
    // A page may be sorted after it was read; a place tells where the room really stands.
    for (place, talk) in talks.iter().enumerate() {
        let rest = RoomsPage { rooms: rooms_of(&talks[place + 1..]), next: None };
        goes_on_with(&store, place_of(&talk.room), rest).await;
    }
    eventually(peer_lists, async || listed(&store, &peer).await).await;
}

async fn a_message_on_the_same_day_moves_no_room(store: Store) {
    let mut talks = rooms_on(&store, [20, 20, 20]).await;
    for place in [2, 0, 1] {
        talks[place].go_on(1).await;
        eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;
    }
}

async fn a_list_goes_on_after_a_place_that_is_gone(store: Store) {
    let mut talks = rooms_on(&store, [20, 20, 21, 22]).await;
    let gone = place_of(&talks[1].room);
    talks[1].now = november(23);
    talks[1].go_on(1).await;
    let moved = talks.remove(1);
    talks.insert(0, moved);
    eventually(rooms_of(&talks), async || listed(&store, &minji()).await).await;

    let rest = RoomsPage { rooms: rooms_of(&talks[2..]), next: None };
    goes_on_with(&store, gone, rest).await;
    let nowhere = RoomsPage { rooms: vec![], next: None };
    let last = place_of(&talks[3].room);
    goes_on_with(&store, last, nowhere).await;
}
