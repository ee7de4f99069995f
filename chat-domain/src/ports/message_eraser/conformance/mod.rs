mod races;

use std::sync::Arc;

use self::races::*;
use crate::conformance::{Handles, JUNHO, MINJI, eventually, november, suite, their_room, time};
use crate::ports::message_store::conformance::talk::{self, STORED, words};
use crate::{
    Advance, Append, Attachment, AttachmentKey, ChangeDraft, ClientMessageId, Consent, ConsentWrite,
    Consistency, Content, Draft, Effect, ImageFacts, ImageType, Kind, Member, Message, MessageEraser,
    MessageStore, MessageStoreError, PageLimit, PageQuery, PageRange, PerMember, Proposal, Reactions,
    ReadMark, ReadState, Room, RoomsPage, SendRate,
};

suite! {
    /// Expands to one test for each behaviour of a [`MessageEraser`](crate::MessageEraser), each on the
    /// [`Handles`](crate::conformance::Handles) of a store that is one as well, and that the given `async`
    /// function returns, with nothing in it. See [`conformance`](crate::conformance).
    message_eraser_conformance in message_eraser on handles of crate::conformance::ErasableStore {
        "Nothing is counted anew" {
            an_erased_message_keeps_its_place_and_nothing_else,
            erasing_leaves_alone_that_a_message_was_read,
            rewriting_leaves_read_states_alone,
            marks_and_erasures_that_race_all_happen,
            rewritings_and_commits_that_race_all_happen,
        }
        "Only deserted rooms go" {
            a_room_that_somebody_is_left_in_is_not_removed,
            a_room_that_was_written_to_meanwhile_is_not_removed,
            an_interrupted_removal_is_done_or_not_done,
            of_a_removal_and_a_commit_that_race_one_happens,
            a_removal_that_races_reading_leaves_nothing,
        }
        "Idempotency" {
            erasing_twice_changes_nothing_more,
            what_was_erased_stays_so_when_it_is_settled_late,
        }
        "Errors" {
            a_head_that_moved_is_not_rewritten,
        }
        "erase_message" {
            every_kind_of_message_can_be_erased,
            what_is_not_there_stays_absent,
            an_attachment_is_forgotten_with_its_message,
            an_interrupted_erasure_forgets_message_and_attachment_or_neither,
        }
        "erase_reactions" {
            the_reactions_of_one_member_are_erased_and_nothing_else,
            a_change_that_comes_late_brings_nothing_back,
        }
        "rewrite_head" {
            a_rewritten_head_reads_back_whole,
            a_head_that_was_rewritten_takes_the_next_message,
            a_room_that_does_not_exist_is_not_made,
            who_was_erased_is_noted_until_they_write,
            whoever_is_erased_first_both_are_noted,
            two_who_are_erased_at_the_same_time_are_both_noted,
        }
        "forget_consent" {
            what_a_member_decided_is_forgotten_and_nothing_else,
            nothing_is_forgotten_where_nothing_is,
        }
        "remove_oldest" {
            a_deserted_room_goes_from_its_oldest_message_on,
        }
        "remove_room" {
            a_room_that_is_gone_can_be_begun_anew,
            a_mark_of_a_room_that_is_gone_is_not_the_next_one_s,
        }
    }
}

/// A [`MessageStore`] and the [`MessageEraser`] over the same rows: one type that is both, or a pair.
pub trait ErasableStore: Send + Sync {
    /// The store whose rows are erased.
    fn store(&self) -> &dyn MessageStore;

    /// The same, to be shared.
    fn into_store(self: Arc<Self>) -> Arc<dyn MessageStore>;

    /// The eraser of the store's rows.
    fn eraser(&self) -> &dyn MessageEraser;
}

impl<Store: MessageStore + MessageEraser + 'static> ErasableStore for Store {
    fn store(&self) -> &dyn MessageStore {
        self
    }

    fn into_store(self: Arc<Self>) -> Arc<dyn MessageStore> {
        self
    }

    fn eraser(&self) -> &dyn MessageEraser {
        self
    }
}

impl ErasableStore for (Arc<dyn MessageStore>, Arc<dyn MessageEraser>) {
    fn store(&self) -> &dyn MessageStore {
        &*self.0
    }

    fn into_store(self: Arc<Self>) -> Arc<dyn MessageStore> {
        Arc::clone(&self.0)
    }

    fn eraser(&self) -> &dyn MessageEraser {
        &*self.1
    }
}

type Store = Handles<dyn ErasableStore>;

fn photo() -> Content {
    let facts = ImageFacts::new(ImageType::Jpeg, 1_000, 16, 9).expect("the facts are within bounds");
    let key = AttachmentKey::mint(&their_room(), MINJI, facts, 1);
    let (alt, caption) = ("골대".parse().expect("short"), "우리 팀".parse().expect("short"));
    Content::Image { attachment: Attachment { key, facts, alt: Some(alt) }, caption: Some(caption) }
}

fn proposal() -> Content {
    let text = "a short text";
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().expect(text),
        opponent_team_name: "준호 유나이티드".parse().expect(text),
        match_at: time("2026-12-01T10:00:00.000Z"),
        venue: "여의도".parse().expect(text),
        note: Some("유니폼은 흰색".parse().expect(text)),
    })
}

async fn room(store: &Store) -> Room {
    let stored = store.other().store().room(&their_room(), Consistency::Strong).await.expect(STORED);
    stored.unwrap_or_else(|| Room::empty(their_room()))
}

async fn messages(store: &Store) -> Vec<Message> {
    let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
    store.other().store().page(&their_room(), query, Consistency::Strong).await.expect(STORED).messages
}

/// Waits until both list exactly these.
async fn lists(store: &Store, rooms: &[Room]) {
    for member in [MINJI, JUNHO] {
        let page = RoomsPage { rooms: rooms.to_vec(), next: None };
        let list =
            async || store.other().store().rooms_of(their_room().email(member), None).await.expect(STORED);
        eventually(page, list).await;
    }
}

fn append(room: &Room, sender: Member, content: Content) -> Append {
    let id = ClientMessageId::from_u128(u128::from(room.seq()) + 1);
    talk::append(room, id, sender, content, november(23))
}

async fn say(store: &Store, sender: Member, content: Content) -> Message {
    let append = append(&room(store).await, sender, content);
    store.store().commit(&append).await.expect(STORED);
    append.log.newest
}

fn erased(message: Message) -> Message {
    Message { content: Content::Erased, ..message }
}

async fn an_erased_message_keeps_its_place_and_nothing_else(store: Store) {
    let first = say(&store, MINJI, words("지울 말")).await;
    let second = say(&store, JUNHO, words("남을 말")).await;
    let third = say(&store, MINJI, words("남을 말")).await;
    store.eraser().erase_message(&first).await.expect(STORED);
    assert_eq!(messages(&store).await, [erased(first), second, third]);
    assert_eq!(room(&store).await.seq(), 3);
}

async fn every_kind_of_message_can_be_erased(store: Store) {
    let mut said = Vec::new();
    for kind in talk::every_kind() {
        if let Some(content) = talk::content_of(&kind, &room(&store).await) {
            said.push(say(&store, MINJI, content).await);
        }
    }
    for message in &said {
        store.eraser().erase_message(message).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, said.into_iter().map(erased).collect::<Vec<_>>());
}

async fn erasing_twice_changes_nothing_more(store: Store) {
    let said = [say(&store, MINJI, photo()).await, say(&store, MINJI, words("말")).await];
    for message in &said {
        for _ in 0..2 {
            store.eraser().erase_message(message).await.expect(STORED);
        }
        store.eraser().erase_message(&erased(message.clone())).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, said.map(erased));
}

async fn what_is_not_there_stays_absent(store: Store) {
    let said = say(&store, MINJI, photo()).await;
    for content in [words("없던 말"), photo()] {
        let never = Message { at: said.at.next(), content, ..said.clone() };
        store.eraser().erase_message(&never).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, [said]);
    // Neither was the attachment forgotten.
    let again = store.store().commit(&append(&room(&store).await, MINJI, photo())).await;
    assert!(matches!(again, Err(MessageStoreError::AttachmentTaken)), "{again:?}");
}

async fn what_was_erased_stays_so_when_it_is_settled_late(store: Store) {
    let said = say(&store, MINJI, words("지울 말")).await;
    store.eraser().erase_message(&said).await.expect(STORED);
    store.store().settle(&said).await.expect(STORED);
    assert_eq!(messages(&store).await, [erased(said)]);
}

/// Stores a change of a message, and has its effect if it is `applied`.
async fn change(store: &Store, sender: Member, target: &Message, effect: Effect, applied: bool) -> Append {
    let room = room(store).await;
    let id = ClientMessageId::from_u128(u128::from(room.seq()) + 1);
    let draft = ChangeDraft { id, sender, target: target.at, effect };
    let append = room.change(&draft, Some(target), november(23), talk::UNLIMITED).expect("it breaks no rule");
    store.store().commit(&append).await.expect(STORED);
    if applied {
        store.store().apply_change(&append).await.expect(STORED);
        store.store().settle(append.message()).await.expect(STORED);
    }
    append
}

fn thumb() -> Effect {
    Effect::React(Reactions::new(vec!["👍".parse().expect("an emoji")]).expect("it is one"))
}

async fn the_reactions_of_one_member_are_erased_and_nothing_else(store: Store) {
    let said = say(&store, MINJI, words("말")).await;
    for member in [MINJI, JUNHO] {
        change(&store, member, &said, thumb(), true).await;
    }
    let before = messages(&store).await;
    for _ in 0..2 {
        store.eraser().erase_reactions(&before[0], JUNHO).await.expect(STORED);
        let left = before[0].without_reactions_of(JUNHO);
        assert_ne!(left, before[0]);
        assert_eq!(messages(&store).await, [left, before[1].clone(), before[2].clone()]);
    }
    let never = Message { at: said.at.previous(), ..said };
    store.eraser().erase_reactions(&never, JUNHO).await.expect(STORED);
    assert_eq!(messages(&store).await.len(), 3);
}

async fn a_change_that_comes_late_brings_nothing_back(store: Store) {
    let said = say(&store, MINJI, words("말")).await;
    let reacted = change(&store, JUNHO, &said, thumb(), true).await;
    let edited = change(&store, MINJI, &said, Effect::Edit("고친 말".parse().expect("short")), true).await;
    store.eraser().erase_reactions(&said, JUNHO).await.expect(STORED);
    store.store().apply_change(&reacted).await.expect(STORED);
    assert!(messages(&store).await[0].changed.reactions[JUNHO].is_empty());
    store.eraser().erase_message(&said).await.expect(STORED);
    for append in [&reacted, &edited] {
        store.store().apply_change(append).await.expect(STORED);
        store.store().settle(append.message()).await.expect(STORED);
    }
    let left = messages(&store).await;
    assert_eq!((left.len(), &left[0].content, left[0].changed.edited_at), (3, &Content::Erased, None));
    assert!(left[0].changed.reactions[JUNHO].is_empty());
}

async fn erasing_leaves_alone_that_a_message_was_read(store: Store) {
    let said = say(&store, MINJI, words("지울 말")).await;
    let mark = ReadMark::at(&said, JUNHO);
    store.store().advance_read(&their_room(), JUNHO, mark).await.expect(STORED);
    let head = room(&store).await;
    store.eraser().erase_message(&said).await.expect(STORED);
    assert_eq!(messages(&store).await, [erased(said)]);
    assert_eq!(room(&store).await, head);
}

async fn an_attachment_is_forgotten_with_its_message(store: Store) {
    let said = say(&store, MINJI, photo()).await;
    store.eraser().erase_message(&said).await.expect(STORED);
    say(&store, MINJI, photo()).await;
    assert_eq!(messages(&store).await.len(), 2);
}

/// The room as it is when what Minji wrote is taken out.
async fn without_minji(store: &Store) -> Room {
    room(store).await.without(MINJI).expect("she wrote something")
}

async fn a_rewritten_head_reads_back_whole(store: Store) {
    say(&store, JUNHO, proposal()).await;
    say(&store, MINJI, proposal()).await;
    say(&store, MINJI, words("지울 말")).await;
    let rewritten = without_minji(&store).await;
    for _ in 0..2 {
        store.eraser().rewrite_head(&rewritten).await.expect(STORED);
        assert_eq!(room(&store).await, rewritten);
    }
    let log = rewritten.log().expect("there are messages");
    let last = log.last_message();
    assert_eq!((last.preview.as_str(), last.kind, log.open_proposals.len()), ("", Kind::Erased, 1));
    lists(&store, &[rewritten]).await;
}

async fn a_head_that_moved_is_not_rewritten(store: Store) {
    say(&store, MINJI, words("지울 말")).await;
    let stale = without_minji(&store).await;
    say(&store, JUNHO, words("그 사이")).await;
    let now = room(&store).await;
    let outcome = store.eraser().rewrite_head(&stale).await;
    assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    assert_eq!(room(&store).await, now);
}

async fn a_head_that_was_rewritten_takes_the_next_message(store: Store) {
    let first = say(&store, MINJI, words("지울 말")).await;
    let before = room(&store).await;
    store.eraser().erase_message(&first).await.expect(STORED);
    store.eraser().rewrite_head(&without_minji(&store).await).await.expect(STORED);
    // The writer's head was read before the erasure.
    let draft =
        Draft {
            id: ClientMessageId::from_u128(9), sender: JUNHO, content: words("그래도"), reply_to: None
        };
    let append = before.append(&draft, november(23), SendRate::default()).expect("the suite breaks no rule");
    store.store().commit(&append).await.expect(STORED);
    assert_eq!(messages(&store).await, [erased(first), append.log.newest]);
}

async fn rewriting_leaves_read_states_alone(store: Store) {
    let said = say(&store, MINJI, words("지울 말")).await;
    let rewritten = without_minji(&store).await;
    store.store().advance_read(&their_room(), JUNHO, ReadMark::at(&said, JUNHO)).await.expect(STORED);
    store.eraser().rewrite_head(&rewritten).await.expect(STORED);
    assert_eq!(room(&store).await.read_up_to(JUNHO), Some(said.at));
}

async fn what_a_member_decided_is_forgotten_and_nothing_else(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    for member in [JUNHO, MINJI] {
        for write in [ConsentWrite::Accept, ConsentWrite::Block { at: november(24), freezes_reads: false }] {
            assert!(store.store().write_consent(&their_room(), member, write).await.expect(STORED));
        }
    }
    let before = room(&store).await;
    let mut consents = before.consents();
    consents[MINJI] = Consent::default();
    for _ in 0..2 {
        store.eraser().forget_consent(&their_room(), MINJI).await.expect(STORED);
        assert_eq!(room(&store).await, before.clone().with_consent(consents));
    }
}

async fn nothing_is_forgotten_where_nothing_is(store: Store) {
    store.eraser().forget_consent(&their_room(), MINJI).await.expect(STORED);
    assert_eq!(store.other().store().room(&their_room(), Consistency::Strong).await.expect(STORED), None);
}

async fn a_room_that_does_not_exist_is_not_made(store: Store) {
    let draft =
        Draft { id: ClientMessageId::from_u128(1), sender: MINJI, content: words("말"), reply_to: None };
    let mut room = Room::empty(their_room());
    room.apply(&room.append(&draft, november(23), SendRate::default()).expect("the suite breaks no rule"));
    let never = room.without(MINJI).expect("she wrote something");
    let outcome = store.eraser().rewrite_head(&never).await;
    assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    assert_eq!(store.other().store().room(&their_room(), Consistency::Strong).await.expect(STORED), None);
}

async fn note_erased(store: &Store, member: Member) {
    let without = room(store).await.without(member).expect("the member was not erased yet");
    store.eraser().rewrite_head(&without).await.expect(STORED);
}

async fn who_was_erased_is_noted_until_they_write(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    let before = room(&store).await;
    assert_eq!(before.erased(), PerMember { a: false, b: false });
    note_erased(&store, MINJI).await;
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: true });
    // The writer's head was read before the erasure.
    store.store().commit(&append(&before, JUNHO, words("그래도"))).await.expect(STORED);
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: true });
    say(&store, MINJI, words("돌아왔어")).await;
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: false });
}

/// Each erasure is made from a head that was read before the other one.
async fn whoever_is_erased_first_both_are_noted(store: Store) {
    for order in [[MINJI, JUNHO], [JUNHO, MINJI]] {
        say(&store, JUNHO, words("안녕")).await;
        say(&store, MINJI, words("안녕")).await;
        let before = room(&store).await;
        assert_eq!(before.erased(), PerMember { a: false, b: false });
        for member in order {
            store
                .eraser()
                .rewrite_head(&before.without(member).expect("nobody is erased"))
                .await
                .expect(STORED);
        }
        assert!(room(&store).await.is_deserted(), "{order:?} were erased");
    }
}

/// What was said in a room that nobody is left in.
async fn deserted(store: &Store) -> [Message; 3] {
    let said = [
        say(store, JUNHO, words("안녕")).await,
        say(store, MINJI, photo()).await,
        say(store, JUNHO, words("멋지다")).await,
    ];
    for message in &said {
        store.eraser().erase_message(message).await.expect(STORED);
    }
    note_erased(store, MINJI).await;
    note_erased(store, JUNHO).await;
    said.map(erased)
}

async fn a_deserted_room_goes_from_its_oldest_message_on(store: Store) {
    let [first, second, third] = deserted(&store).await;
    let head = room(&store).await;
    for _ in 0..2 {
        store.eraser().remove_oldest(&head, &[first.at, second.at]).await.expect(STORED);
        assert_eq!(messages(&store).await, std::slice::from_ref(&third));
        assert_eq!(room(&store).await, head);
    }
    store.eraser().remove_room(&head, &[third.at]).await.expect(STORED);
    assert_eq!(messages(&store).await, []);
    assert_eq!(store.other().store().room(&their_room(), Consistency::Strong).await.expect(STORED), None);
    lists(&store, &[]).await;
}

/// A room that is not to be removed is not removed.
async fn stays(store: &Store, asked_for: &Room) {
    let (head, rows) = (room(store).await, messages(store).await);
    let at: Vec<_> = rows.iter().map(|message| message.at).collect();
    for outcome in [
        store.eraser().remove_oldest(asked_for, &at[..1]).await,
        store.eraser().remove_room(asked_for, &at).await,
    ] {
        assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    }
    assert_eq!((room(store).await, messages(store).await), (head, rows));
}

async fn a_room_that_somebody_is_left_in_is_not_removed(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    say(&store, MINJI, words("안녕")).await;
    stays(&store, &room(&store).await).await;
    note_erased(&store, MINJI).await;
    stays(&store, &room(&store).await).await;
    note_erased(&store, JUNHO).await;
    say(&store, MINJI, words("돌아왔어")).await;
    stays(&store, &room(&store).await).await;
}

async fn a_room_that_was_written_to_meanwhile_is_not_removed(store: Store) {
    deserted(&store).await;
    let before = room(&store).await;
    say(&store, MINJI, words("돌아왔어")).await;
    stays(&store, &before).await;
    note_erased(&store, MINJI).await;
    stays(&store, &before).await;
}

async fn a_room_that_is_gone_can_be_begun_anew(store: Store) {
    let said = deserted(&store).await;
    let mark = ReadMark::at(&said[1], JUNHO);
    store.store().advance_read(&their_room(), JUNHO, mark).await.expect(STORED);
    let head = room(&store).await;
    store.eraser().remove_room(&head, &said.each_ref().map(|message| message.at)).await.expect(STORED);
    let late = append(&head, JUNHO, words("늦은 말"));
    for outcome in [
        store.store().commit(&late).await,
        store.eraser().rewrite_head(&head).await,
        store.eraser().remove_oldest(&head, &[said[0].at]).await,
        store.eraser().remove_room(&head, &[said[0].at]).await,
    ] {
        assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    }
    let advance = store.store().advance_read(&their_room(), JUNHO, ReadMark::at(&said[1], JUNHO)).await;
    assert_eq!(advance.expect(STORED), Advance::NoRoom);
    store.eraser().erase_message(&said[0]).await.expect(STORED);
    assert_eq!((messages(&store).await, room(&store).await), (Vec::new(), Room::empty(their_room())));

    // The attachment is not one that was shown.
    let first = say(&store, MINJI, photo()).await;
    assert_eq!((first.seq, first.sender_seq), (1, 1));
    assert_eq!(messages(&store).await, [first]);
    let anew = room(&store).await;
    assert_eq!(anew.erased(), PerMember::default());
    for reader in [JUNHO, MINJI] {
        assert_eq!(anew.read_state(reader), ReadState::default());
    }
}

async fn a_mark_of_a_room_that_is_gone_is_not_the_next_one_s(store: Store) {
    let [_, photo, _] = deserted(&store).await;
    let late = ReadMark { up_to: photo.at, count: 2 };
    let head = room(&store).await;
    store
        .eraser()
        .remove_room(&head, &messages(&store).await.iter().map(|message| message.at).collect::<Vec<_>>())
        .await
        .expect(STORED);
    let first = say(&store, MINJI, words("다시")).await;
    let anew = room(&store).await;
    let advance = store.store().advance_read(&their_room(), JUNHO, late).await.expect(STORED);
    assert_eq!(advance, Advance::Unchanged(anew.clone()));
    assert_eq!(room(&store).await, anew);
    let advance =
        store.store().advance_read(&their_room(), JUNHO, ReadMark::at(&first, JUNHO)).await.expect(STORED);
    assert!(matches!(advance, Advance::Moved(_)), "{advance:?}");
}
