use super::talk::{STORED, Store, Talk, UNLIMITED, patiently, photo, words};
use crate::conformance::{JUNHO, MINJI};
use crate::{
    Append, Change, ChangeAction, ChangeDraft, Changed, ClientMessageId, Consistency, Content, Effect, Emoji,
    Member, Message, MessageText, PageRange, Reactions, Timestamp,
};

fn text(words: &str) -> MessageText {
    words.parse().expect("the suite says nothing forbidden")
}

fn reactions(emoji: &[&str]) -> Effect {
    let emoji = emoji.iter().map(|one| one.parse::<Emoji>().expect("an emoji"));
    Effect::React(Reactions::new(emoji.collect()).expect("a few different ones"))
}

impl Talk {
    /// A change of the message at this place of the conversation, not yet stored.
    fn change(&self, sender: Member, place: usize, effect: Effect) -> Append {
        let id = ClientMessageId::from_u128(u128::from(self.room.seq()) + 1);
        let target = &self.messages[place];
        let draft = ChangeDraft { id, sender, target: target.at, effect };
        self.room.change(&draft, Some(target), self.now, UNLIMITED).expect("the suite breaks no rule")
    }

    /// Stores a change, and has its effect if it is `applied`, and settles it then.
    async fn changes(&mut self, sender: Member, place: usize, effect: Effect, applied: bool) {
        let append = self.change(sender, place, effect);
        super::talk::commit(&self.store, &append).await.expect(STORED);
        let before = self.messages[place].clone();
        self.holds_change(place, &append);
        if applied {
            let changed = patiently(|| self.store.apply_change(&append)).await.expect(STORED);
            assert_eq!(changed.as_ref(), Some(&self.messages[place]), "it was {before:?}");
            patiently(|| self.store.settle(append.message())).await.expect(STORED);
        }
    }

    fn holds_change(&mut self, place: usize, append: &Append) {
        let (_, effect) = append.change().expect("it is a change");
        self.messages[place] = self.messages[place].changed_by(append.message(), effect);
        self.now = self.now.after(super::talk::THINKING);
        self.holds(append.clone());
    }

    /// Every strong read shows the messages as they are now.
    async fn shows_all(&self) {
        self.is_stored().await;
        for message in &self.messages {
            let range = PageRange::After(message.at.previous());
            self.has_the_page(range, 1).await;
            self.has_the_page(PageRange::Before(message.at.next()), 1).await;
            assert_eq!(
                found(&self.store, self, &[message.at]).await.as_slice(),
                std::slice::from_ref(message)
            );
        }
    }
}

async fn found(store: &Store, talk: &Talk, places: &[Timestamp]) -> Vec<Message> {
    let found = store.other().messages_at(talk.room.id(), places, Consistency::Strong).await;
    let mut found = found.expect(STORED);
    found.sort_by_key(|message| message.at);
    found
}

pub(super) async fn a_change_is_shown_whether_or_not_it_was_applied(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    talk.say(MINJI, photo(1)).await;
    let effects = [
        (JUNHO, 0, reactions(&["👍", "❤️"])),
        (MINJI, 0, reactions(&["😂"])),
        (MINJI, 0, Effect::Edit(text("고친 말"))),
        (JUNHO, 0, reactions(&[])),
        (MINJI, 2, Effect::Edit(text("다른 설명"))),
        (JUNHO, 1, Effect::Delete),
        (MINJI, 2, Effect::Delete),
    ];
    for (turn, (sender, place, effect)) in effects.into_iter().enumerate() {
        talk.store = store.for_racer(u32::try_from(turn).expect("a few"));
        talk.changes(sender, place, effect, turn % 2 == 0).await;
        talk.shows_all().await;
    }
    talk.go_on(1).await;
    talk.shows_all().await;
}

pub(super) async fn changes_come_in_the_order_of_the_log_however_late(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(1).await;
    let mut appends = Vec::new();
    for words in ["첫째", "둘째", "셋째"] {
        let append = talk.change(MINJI, 0, Effect::Edit(text(words)));
        super::talk::commit(&store, &append).await.expect(STORED);
        talk.holds_change(0, &append);
        appends.push(append);
    }
    talk.go_on(1).await;
    // Whoever was to have the effects comes to it now, the last one first, and twice.
    for append in appends.iter().rev().chain(&appends) {
        let changed = patiently(|| store.apply_change(append)).await.expect(STORED);
        assert_eq!(changed.as_ref(), Some(&talk.messages[0]));
        patiently(|| store.settle(append.message())).await.expect(STORED);
    }
    talk.shows_all().await;
}

pub(super) async fn what_is_deleted_stays_so(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(1).await;
    let said = talk.messages[0].clone();
    talk.changes(MINJI, 0, Effect::Delete, false).await;
    for effect in [Effect::Edit(text("다시")), reactions(&["👍"])] {
        // Its sender has read the message before it was deleted.
        let id = ClientMessageId::from_u128(u128::from(talk.room.seq()) + 1);
        let draft = ChangeDraft { id, sender: MINJI, target: said.at, effect };
        let append = talk.room.change(&draft, Some(&said), talk.now, UNLIMITED).expect("it was there");
        super::talk::commit(&store, &append).await.expect(STORED);
        talk.holds_change(0, &append);
        let changed = patiently(|| store.apply_change(&append)).await.expect(STORED);
        assert_eq!(changed.map(|message| message.content), Some(Content::Deleted));
        patiently(|| store.settle(append.message())).await.expect(STORED);
        talk.shows_all().await;
    }
}

pub(super) async fn a_target_that_is_not_there_stays_absent(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    let nowhere = talk.messages[0].at.next();
    let mut append = talk.change(MINJI, 0, Effect::Edit(text("없는 말")));
    append.log.newest.content = Content::Change(Change { target: nowhere, action: ChangeAction::Edit });
    super::talk::commit(&store, &append).await.expect(STORED);
    talk.holds(append.clone());
    assert_eq!(patiently(|| store.apply_change(&append)).await.expect(STORED), None);
    patiently(|| store.settle(append.message())).await.expect(STORED);
    talk.shows_all().await;
    assert_eq!(found(&store, &talk, &[nowhere]).await, []);
}

pub(super) async fn a_message_has_nothing_to_apply(store: Store) {
    let mut talk = Talk::new(&store);
    let append = talk.draft(MINJI, words("말"));
    super::talk::commit(&store, &append).await.expect(STORED);
    assert_eq!(patiently(|| store.apply_change(&append)).await.expect(STORED), None);
    talk.holds(append);
    talk.shows_all().await;
}

pub(super) async fn messages_are_read_by_their_places(store: Store) {
    let mut talk = Talk::new(&store);
    let never = talk.now;
    assert_eq!(found(&store, &talk, &[never]).await, []);
    talk.go_on(4).await;
    for places in [vec![], vec![0], vec![3], vec![3, 1], vec![0, 1, 2, 3]] {
        let mut times = talk.times(places.iter().copied());
        let mut expected: Vec<_> = places.iter().map(|place| talk.messages[*place].clone()).collect();
        expected.sort_by_key(|message| message.at);
        assert_eq!(found(&store, &talk, &times).await, expected);
        times.push(talk.now);
        assert_eq!(found(&store, &talk, &times).await, expected, "nothing is at the last place");
    }
    assert!(talk.messages.iter().all(|message| message.changed == Changed::default()));
}

pub(super) async fn a_message_is_read_as_it_is_in_its_room(store: Store) {
    let mut talk = Talk::new(&store);
    let read = async |talk: &Talk, place, consistency| {
        store.other().room_for_change(talk.room.id(), place, consistency).await.expect(STORED)
    };
    assert_eq!(read(&talk, talk.now, Consistency::Strong).await, (None, None));
    talk.go_on(2).await;
    for (place, effect) in [(1, Effect::Edit(text("고친 말"))), (0, reactions(&["👍"])), (1, Effect::Delete)]
    {
        let sender = if place == 0 { MINJI } else { JUNHO };
        talk.changes(sender, place, effect, false).await;
        for message in &talk.messages {
            let expected = (Some(talk.room.clone()), Some(message.clone()));
            assert_eq!(read(&talk, message.at, Consistency::Strong).await, expected);
        }
    }
    assert_eq!(read(&talk, talk.now, Consistency::Strong).await, (Some(talk.room.clone()), None));
}
