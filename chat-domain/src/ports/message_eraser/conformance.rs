use std::sync::Arc;

use crate::conformance::{JUNHO, MINJI, november, suite, their_room, time};
use crate::{
    Advance, Append, Attachment, AttachmentKey, ClientMessageId, Consistency, Content, Draft, ImageFacts,
    ImageType, Kind, Member, Message, MessageEraser, MessageStore, MessageStoreError, PageLimit, PageQuery,
    PageRange, PerMember, Proposal, ReadMark, Room, SendRate,
};

suite! {
    /// Expands to one test for each behaviour of a [`MessageEraser`](crate::MessageEraser), each on a store that is one as well,
    /// and that the given `async` function returns, with nothing in it. See [`conformance`](crate::conformance).
    message_eraser_conformance in message_eraser on crate::conformance::ErasableStore {
        an_erased_message_keeps_its_place_and_nothing_else,
        every_kind_of_message_can_be_erased,
        erasing_twice_changes_nothing_more,
        what_is_not_there_stays_absent,
        an_attachment_is_forgotten_with_its_message,
        a_rewritten_head_reads_back_whole,
        a_head_that_moved_is_not_rewritten,
        a_head_that_was_rewritten_takes_the_next_message,
        rewriting_leaves_read_states_alone,
        a_room_that_does_not_exist_is_not_made,
        who_was_erased_is_noted_until_they_write,
        two_who_are_erased_at_the_same_time_are_both_noted,
        a_deserted_room_goes_from_its_oldest_message_on,
        a_room_that_somebody_is_left_in_is_not_removed,
        a_room_that_was_written_to_meanwhile_is_not_removed,
        a_room_that_is_gone_can_be_begun_anew,
        a_mark_of_a_room_that_is_gone_is_not_the_next_one_s,
    }
}

/// A [`MessageStore`] and the [`MessageEraser`] over the same rows.
pub trait ErasableStore: MessageStore + MessageEraser {}

impl<Store: MessageStore + MessageEraser> ErasableStore for Store {}

type Store = Arc<dyn ErasableStore>;

const STORED: &str = "the store works";

fn words(text: &str) -> Content {
    Content::Text(text.parse().expect("a short text"))
}

fn photo() -> Content {
    let key = AttachmentKey::mint(&their_room(), MINJI, ImageType::Jpeg, 1);
    let facts = ImageFacts::new(ImageType::Jpeg, 1_000, 16, 9).expect("the facts are within bounds");
    let (alt, caption) = ("골대".parse().expect("short"), "우리 팀".parse().expect("short"));
    Content::Image { attachment: Attachment { key, facts, alt: Some(alt) }, caption: Some(caption) }
}

fn proposal() -> Content {
    let text = "a short text";
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().expect(text),
        opponent_team_name: "준호 유나이티드".parse().expect(text),
        match_at: time("2026-12-01T10:00:00.000Z"),
        place: "여의도".parse().expect(text),
        note: Some("유니폼은 흰색".parse().expect(text)),
    })
}

async fn room(store: &Store) -> Room {
    let stored = store.room(&their_room(), Consistency::Strong).await.expect(STORED);
    stored.unwrap_or_else(|| Room::empty(their_room()))
}

async fn messages(store: &Store) -> Vec<Message> {
    let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
    store.page(&their_room(), query, Consistency::Strong).await.expect(STORED).messages
}

fn append(room: &Room, sender: Member, content: Content) -> Append {
    let id = ClientMessageId::from_u128(u128::from(room.seq()) + 1);
    let draft = Draft { id, sender, content };
    room.append(&draft, november(23), SendRate::default()).expect("the suite breaks no rule")
}

async fn say(store: &Store, sender: Member, content: Content) -> Message {
    let append = append(&room(store).await, sender, content);
    store.commit(&append).await.expect(STORED);
    append.message
}

fn erased(message: Message) -> Message {
    Message { content: Content::Erased, ..message }
}

async fn an_erased_message_keeps_its_place_and_nothing_else(store: Store) {
    let first = say(&store, MINJI, words("지울 말")).await;
    let second = say(&store, JUNHO, words("남을 말")).await;
    let third = say(&store, MINJI, words("남을 말")).await;
    store.erase_message(&first).await.expect(STORED);
    assert_eq!(messages(&store).await, [erased(first), second, third]);
    assert_eq!(room(&store).await.seq(), 3);
}

async fn every_kind_of_message_can_be_erased(store: Store) {
    let mut said = Vec::new();
    for content in [words("말"), photo(), proposal()] {
        said.push(say(&store, MINJI, content).await);
    }
    for message in &said {
        store.erase_message(message).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, said.into_iter().map(erased).collect::<Vec<_>>());
}

async fn erasing_twice_changes_nothing_more(store: Store) {
    let said = [say(&store, MINJI, photo()).await, say(&store, MINJI, words("말")).await];
    for message in &said {
        for _ in 0..2 {
            store.erase_message(message).await.expect(STORED);
        }
        store.erase_message(&erased(message.clone())).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, said.map(erased));
}

async fn what_is_not_there_stays_absent(store: Store) {
    let said = say(&store, MINJI, words("말")).await;
    for content in [words("없던 말"), photo()] {
        let never = Message { at: said.at.next(), content, ..said.clone() };
        store.erase_message(&never).await.expect(STORED);
    }
    assert_eq!(messages(&store).await, [said]);
}

async fn an_attachment_is_forgotten_with_its_message(store: Store) {
    let said = say(&store, MINJI, photo()).await;
    store.erase_message(&said).await.expect(STORED);
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
        store.rewrite_head(&rewritten).await.expect(STORED);
        assert_eq!(room(&store).await, rewritten);
    }
    let log = rewritten.log().expect("there are messages");
    assert_eq!((log.preview().as_str(), log.last_kind(), log.open_proposals.len()), ("", Kind::Erased, 1));
    let page = store.rooms_of(their_room().email(JUNHO), None).await.expect(STORED);
    assert!(page.rooms.iter().all(|listed| *listed == rewritten));
}

async fn a_head_that_moved_is_not_rewritten(store: Store) {
    say(&store, MINJI, words("지울 말")).await;
    let stale = without_minji(&store).await;
    say(&store, JUNHO, words("그 사이")).await;
    let now = room(&store).await;
    let outcome = store.rewrite_head(&stale).await;
    assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    assert_eq!(room(&store).await, now);
}

async fn a_head_that_was_rewritten_takes_the_next_message(store: Store) {
    let first = say(&store, MINJI, words("지울 말")).await;
    let before = room(&store).await;
    store.rewrite_head(&without_minji(&store).await).await.expect(STORED);
    // By a head that was read before.
    let draft = Draft { id: ClientMessageId::from_u128(9), sender: JUNHO, content: words("그래도") };
    let append = before.append(&draft, november(23), SendRate::default()).expect("the suite breaks no rule");
    store.commit(&append).await.expect(STORED);
    assert_eq!(messages(&store).await, [first, append.message]);
}

async fn rewriting_leaves_read_states_alone(store: Store) {
    let said = say(&store, MINJI, words("지울 말")).await;
    let rewritten = without_minji(&store).await;
    store.advance_read(&their_room(), JUNHO, ReadMark::at(&said, JUNHO)).await.expect(STORED);
    store.rewrite_head(&rewritten).await.expect(STORED);
    assert_eq!(room(&store).await.read_up_to(JUNHO), Some(said.at));
}

async fn a_room_that_does_not_exist_is_not_made(store: Store) {
    let draft = Draft { id: ClientMessageId::from_u128(1), sender: MINJI, content: words("말") };
    let mut room = Room::empty(their_room());
    room.apply(&room.append(&draft, november(23), SendRate::default()).expect("the suite breaks no rule"));
    let never = room.without(MINJI).expect("she wrote something");
    let outcome = store.rewrite_head(&never).await;
    assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    assert_eq!(store.room(&their_room(), Consistency::Strong).await.expect(STORED), None);
}

async fn note_erased(store: &Store, member: Member) {
    let without = room(store).await.without(member).expect("the member was not erased yet");
    store.rewrite_head(&without).await.expect(STORED);
}

async fn who_was_erased_is_noted_until_they_write(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    let before = room(&store).await;
    assert_eq!(before.erased(), PerMember { a: false, b: false });
    note_erased(&store, MINJI).await;
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: true });
    // By a head that was read before.
    store.commit(&append(&before, JUNHO, words("그래도"))).await.expect(STORED);
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: true });
    say(&store, MINJI, words("돌아왔어")).await;
    assert_eq!(room(&store).await.erased(), PerMember { a: false, b: false });
}

async fn two_who_are_erased_at_the_same_time_are_both_noted(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    let before = room(&store).await;
    for member in [MINJI, JUNHO] {
        store.rewrite_head(&before.without(member).expect("nobody is erased")).await.expect(STORED);
    }
    assert!(room(&store).await.is_deserted());
}

/// What was said in a room that nobody is left in.
async fn deserted(store: &Store) -> [Message; 3] {
    let said = [
        say(store, JUNHO, words("안녕")).await,
        say(store, MINJI, photo()).await,
        say(store, JUNHO, words("멋지다")).await,
    ];
    for message in &said {
        store.erase_message(message).await.expect(STORED);
    }
    note_erased(store, MINJI).await;
    note_erased(store, JUNHO).await;
    said.map(erased)
}

async fn a_deserted_room_goes_from_its_oldest_message_on(store: Store) {
    let [first, second, third] = deserted(&store).await;
    let head = room(&store).await;
    for _ in 0..2 {
        store.remove_oldest(&head, &[first.at, second.at]).await.expect(STORED);
        assert_eq!(messages(&store).await, std::slice::from_ref(&third));
        assert_eq!(room(&store).await, head);
    }
    store.remove_room(&head, &[third.at]).await.expect(STORED);
    assert_eq!(messages(&store).await, []);
    assert_eq!(store.room(&their_room(), Consistency::Strong).await.expect(STORED), None);
    for member in [MINJI, JUNHO] {
        let page = store.rooms_of(their_room().email(member), None).await.expect(STORED);
        assert_eq!((page.rooms, page.next), (Vec::new(), None));
    }
}

/// That a room, which is not to be removed, is not.
async fn stays(store: &Store, asked_for: &Room) {
    let (head, rows) = (room(store).await, messages(store).await);
    let at: Vec<_> = rows.iter().map(|message| message.at).collect();
    for outcome in [store.remove_oldest(asked_for, &at[..1]).await, store.remove_room(asked_for, &at).await] {
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
    let head = room(&store).await;
    store.remove_room(&head, &said.each_ref().map(|message| message.at)).await.expect(STORED);
    let late = append(&head, JUNHO, words("늦은 말"));
    for outcome in [
        store.commit(&late).await,
        store.rewrite_head(&head).await,
        store.remove_oldest(&head, &[said[0].at]).await,
        store.remove_room(&head, &[said[0].at]).await,
    ] {
        assert!(matches!(outcome, Err(MessageStoreError::Conflict)), "{outcome:?}");
    }
    let advance = store.advance_read(&their_room(), JUNHO, ReadMark::at(&said[1], JUNHO)).await;
    assert_eq!(advance.expect(STORED), Advance::NoRoom);
    store.mark_rows_read(&their_room(), JUNHO, &[said[1].at], said[1].at).await.expect(STORED);
    store.erase_message(&said[0]).await.expect(STORED);
    assert_eq!((messages(&store).await, room(&store).await), (Vec::new(), Room::empty(their_room())));

    // The attachment is not one that was shown.
    let first = say(&store, MINJI, photo()).await;
    assert_eq!((first.seq, first.sender_seq), (1, 1));
    assert_eq!(messages(&store).await, [first]);
    assert_eq!(room(&store).await.erased(), PerMember::default());
}

async fn a_mark_of_a_room_that_is_gone_is_not_the_next_one_s(store: Store) {
    let [_, photo, _] = deserted(&store).await;
    let late = ReadMark { up_to: photo.at, count: 2 };
    let head = room(&store).await;
    store
        .remove_room(&head, &messages(&store).await.iter().map(|message| message.at).collect::<Vec<_>>())
        .await
        .expect(STORED);
    let first = say(&store, MINJI, words("다시")).await;
    let anew = room(&store).await;
    let advance = store.advance_read(&their_room(), JUNHO, late).await.expect(STORED);
    assert_eq!(advance, Advance::Unchanged(anew.clone()));
    store.mark_rows_read(&their_room(), JUNHO, &[], late.up_to).await.expect(STORED);
    assert_eq!(room(&store).await, anew);
    let advance = store.advance_read(&their_room(), JUNHO, ReadMark::at(&first, JUNHO)).await.expect(STORED);
    assert!(matches!(advance, Advance::Moved(_)), "{advance:?}");
}
