//! A conversation to store, and what must be stored of it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::conformance::{Handles, JUNHO, MINJI, email, eventually, november, room, their_room};
use crate::{
    Advance, Append, Attachment, AttachmentKey, ClientMessageId, ConsentWrite, Consistency, Content,
    DailyLimits, Draft, Email, FirstContact, ImageFacts, ImageType, Kind, MESSAGE_TEXT_MAX_BYTES, Member,
    Message, MessageStore, MessageStoreError, OtherContent, Page, PageLimit, PageQuery, PageRange, PerMember,
    Proposal, ProposalAnswer, ROOMS_PAGE_MAX, ReadMark, Room, RoomId, SendPolicy, SendRate, Timestamp,
    Verdict,
};

pub(crate) type Store = Handles<dyn MessageStore>;

pub(crate) const STORED: &str = "the store works";

/// No suite is about what an operator decides.
pub(crate) const UNLIMITED: SendPolicy = SendPolicy {
    rate: SendRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX },
    first_contact: FirstContact::Open,
    daily: DailyLimits::UNLIMITED,
};

/// How long people here think between two messages. More than a millisecond, so that there are instants
/// between them.
pub(crate) const THINKING: Duration = Duration::from_millis(10);

/// A conversation that is stored while it goes on, and what must be stored of it.
pub(crate) struct Talk {
    pub(crate) store: Store,
    pub(crate) room: Room,
    pub(crate) messages: Vec<Message>,
    pub(crate) now: Timestamp,
}

impl Talk {
    pub(crate) fn in_room(store: &Store, id: RoomId, now: Timestamp) -> Self {
        Self { store: store.clone(), room: Room::empty(id), messages: Vec::new(), now }
    }

    /// Minji's and Junho's, on 23 November.
    pub(crate) fn new(store: &Store) -> Self {
        Self::in_room(store, their_room(), november(23))
    }

    /// The next message, not yet stored.
    pub(crate) fn draft(&self, sender: Member, content: Content) -> Append {
        let id = ClientMessageId::from_u128(u128::from(self.room.seq()) + 1);
        append(&self.room, id, sender, content, self.now)
    }

    pub(crate) async fn say(&mut self, sender: Member, content: Content) {
        let append = self.draft(sender, content);
        commit(&self.store, &append).await.expect(STORED);
        self.now = self.now.after(THINKING);
        self.holds(append);
    }

    /// From now on it holds this message.
    pub(crate) fn holds(&mut self, append: Append) {
        self.room.apply(&append);
        self.messages.push(append.log.newest);
    }

    /// Minji and Junho say something by turns, `count` messages in all.
    pub(crate) async fn go_on(&mut self, count: usize) {
        for _ in 0..count {
            let sender = if self.room.seq().is_multiple_of(2) { MINJI } else { JUNHO };
            self.say(sender, words(&format!("말 {}", self.room.seq() + 1))).await;
        }
    }

    /// Moves a reader's mark to a message, given by its place in the conversation.
    pub(crate) async fn read(&mut self, reader: Member, place: usize) -> Advance {
        let mark = ReadMark::at(&self.messages[place], reader);
        let advance = self.advance(reader, mark).await;
        if let Advance::Moved(room) = &advance {
            self.room = room.clone();
        }
        advance
    }

    pub(crate) async fn advance(&self, reader: Member, mark: ReadMark) -> Advance {
        patiently(|| self.store.advance_read(self.room.id(), reader, mark)).await.expect(STORED)
    }

    /// Stores a decision about the other, and notes it.
    pub(crate) async fn decide(&mut self, member: Member, decision: ConsentWrite) {
        let written = patiently(|| self.store.write_consent(self.room.id(), member, decision)).await;
        assert!(written.expect(STORED), "there is a room");
        let log = self.room.log().expect("something was said").clone();
        let reads = PerMember { a: self.room.read_state(Member::A), b: self.room.read_state(Member::B) };
        let applied = decision.applied(member, self.room.consents(), reads);
        let (consent, reads) = applied.expect("the store has written it");
        let room = Room::restore(self.room.id().clone(), log, reads).expect("the suite keeps the rules");
        self.room = room.with_consent(consent).with_erased(self.room.erased());
    }

    pub(crate) fn times(&self, places: impl IntoIterator<Item = usize>) -> Vec<Timestamp> {
        places.into_iter().map(|place| self.messages[place].at).collect()
    }

    /// What is stored is this conversation, no more and no less.
    pub(crate) async fn is_stored(&self) {
        assert_eq!(stored_room(&self.store, self.room.id()).await.as_ref(), Some(&self.room));
        assert_eq!(stored_messages(&self.store, self.room.id()).await, self.messages);
    }

    /// The page that a query must have.
    pub(crate) fn page(&self, query: PageQuery) -> Page {
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

    pub(crate) async fn has_the_page(&self, range: PageRange, limit: usize) {
        let query = PageQuery { range, limit: PageLimit::new(limit).expect("the suite asks for 1 to 50") };
        let page = self.store.other().page(self.room.id(), query, Consistency::Strong).await.expect(STORED);
        assert_eq!(page, self.page(query), "{query:?}");
    }
}

/// A room of two people's own for each of many scenes.
pub(crate) fn room_of_scene(scene: usize) -> RoomId {
    room(&email(&format!("a{scene}@example.com")), &email(&format!("b{scene}@example.com")))
}

pub(crate) fn words(text: &str) -> Content {
    Content::Text(text.parse().expect("the suite says nothing forbidden"))
}

pub(crate) fn append(
    room: &Room,
    id: ClientMessageId,
    sender: Member,
    content: Content,
    now: Timestamp,
) -> Append {
    room.append(&Draft { id, sender, content, reply_to: None }, now, UNLIMITED)
        .expect("the suite breaks no rule of the room")
}

/// Repeats what the store had no time for: nothing happened then.
pub(crate) async fn patiently<T, Call>(mut call: impl FnMut() -> Call) -> Result<T, MessageStoreError>
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

pub(crate) async fn commit(store: &Store, append: &Append) -> Result<(), MessageStoreError> {
    patiently(|| store.commit(append)).await
}

pub(crate) async fn conflicts(store: &Store, append: &Append) {
    let committed = commit(store, append).await;
    assert!(matches!(committed, Err(MessageStoreError::Conflict)), "{committed:?}");
}

pub(crate) async fn stored_room(store: &Store, id: &RoomId) -> Option<Room> {
    store.other().room(id, Consistency::Strong).await.expect(STORED)
}

/// All messages of a room, oldest first.
pub(crate) async fn stored_messages(store: &Store, id: &RoomId) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut range = PageRange::Oldest;
    loop {
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = store.other().page(id, query, Consistency::Strong).await.expect(STORED);
        messages.extend(page.messages);
        match messages.last() {
            Some(last) if page.has_more => range = PageRange::After(last.at),
            _ => return messages,
        }
    }
}

pub(crate) async fn is_absent(store: &Store, id: &RoomId) {
    assert_eq!(stored_room(store, id).await, None);
    assert_eq!(stored_messages(store, id).await, []);
    for member in [Member::A, Member::B] {
        eventually(vec![], async || listed(store, id.email(member)).await).await;
    }
}

/// All rooms of a user, page by page.
pub(crate) async fn listed(store: &Store, user: &Email) -> Vec<Room> {
    let mut rooms = Vec::new();
    let mut after = None;
    loop {
        let page = store.other().rooms_of(user, after).await.expect(STORED);
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

pub(crate) fn longest_words() -> Content {
    words(&("가".repeat(MESSAGE_TEXT_MAX_BYTES / 3) + "ab"))
}

pub(crate) fn image(
    sender: Member,
    kind: ImageType,
    random: u128,
    alt: Option<&str>,
    caption: Option<&str>,
) -> Content {
    let facts = ImageFacts::new(kind, 10 * 1024 * 1024, 16_384, 1).expect("the facts are within bounds");
    let key = AttachmentKey::mint(&their_room(), sender, facts, random);
    let alt = alt.map(|alt| alt.parse().expect("a short text"));
    let caption = caption.map(|caption| caption.parse().expect("a short text"));
    Content::Image { attachment: Attachment { key, facts, alt }, caption }
}

/// An image that Minji sends to Junho.
pub(crate) fn photo(random: u128) -> Content {
    photo_in(&their_room(), random)
}

/// An image that member B of a room sends.
pub(crate) fn photo_in(room: &RoomId, random: u128) -> Content {
    let facts = ImageFacts::new(ImageType::Jpeg, 1_000, 16, 9).expect("the facts are within bounds");
    let key = AttachmentKey::mint(room, Member::B, facts, random);
    Content::Image { attachment: Attachment { key, facts, alt: None }, caption: None }
}

pub(crate) fn proposal(match_at: Timestamp, note: Option<&str>) -> Content {
    let text = "a short text";
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().expect(text),
        opponent_team_name: "준호 유나이티드".parse().expect(text),
        match_at,
        venue: "서울특별시 중구 세종대로 110\n운동장".parse().expect(text),
        note: note.map(|note| note.parse().expect(text)),
    })
}

/// What Minji may say of this kind in the room of both, with all that can be in it; `None` if nobody sends
/// the kind. An answer is to her newest open proposal.
pub(crate) fn content_of(kind: &Kind, room: &Room) -> Option<Content> {
    Some(match kind {
        Kind::Text => words("말"),
        Kind::Image => image(MINJI, ImageType::Jpeg, 1, Some("골대"), Some("우리 팀")),
        Kind::MatchProposal => proposal(november(30), Some("유니폼은 흰색")),
        Kind::MatchProposalAnswer => {
            let mut open = room.log()?.open_proposals.iter().rev();
            let open = open.find(|open| open.proposer == MINJI).expect("she proposed before");
            let answer = ProposalAnswer { proposal: open.at, verdict: Verdict::Withdrawn };
            Content::MatchProposalAnswer(answer)
        }
        Kind::Change | Kind::Deleted | Kind::Erased => return None,
        Kind::Other(label) => Content::Other(OtherContent {
            kind: label.clone(),
            preview: Some("투표: 어디서 할까요?".parse().expect("a short text")),
            body: Some(r#"{"places":["잠실","마포"],"votes":[0,1.50]}"#.into()),
        }),
    })
}

/// Every kind that there is, and one that a later version might have.
pub(crate) fn every_kind() -> impl Iterator<Item = Kind> {
    let later = "poll".parse().expect("it can be the name of a kind");
    Kind::KNOWN.iter().cloned().chain([later])
}
