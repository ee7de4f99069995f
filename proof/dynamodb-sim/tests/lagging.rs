//! What the shipped store shows while rows lag behind the head, as eventually consistent reads of two tables
//! do: earlier states of messages, and none that never was.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::items::Failure;
use chat_adapters_aws::{DynamoMessageStore, TableNames};
use chat_domain::{
    Append, ChangeDraft, ClientMessageId, Consistency, Content, Draft, Effect, FirstContact, Member, Message,
    MessageStore as _, PageLimit, PageQuery, PageRange, Reactions, Room, SendPolicy, Timestamp,
};
use dynamodb_sim::{Answered, Answers, Database, DatabaseAnswer, DatabaseRequest, Faultless, Seen};

/// Shows rows as they were so many writes ago, unless they are read strongly, and heads as they are.
#[derive(Clone)]
struct LaggingRows {
    database: Faultless,
    back: Arc<AtomicUsize>,
}

#[async_trait]
impl Answers for LaggingRows {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failure> {
        let back = match &request {
            DatabaseRequest::Query(query) if !query.consistent => self.back.load(Ordering::Relaxed),
            _ => 0,
        };
        let seen = Seen { back, ..Seen::ALL };
        let answer = self.database.with(|database| database.answer(&request, seen, i64::MIN));
        answer.map_err(|invalid| Failure::Unavailable(invalid.into()))
    }

    async fn pause(&self, _: Duration) {}
}

fn instant(second: u32) -> Timestamp {
    format!("2026-11-23T09:00:{second:02}.000Z").parse().unwrap()
}

/// Stores an entry in a room, and has its effect and its row as well, unless the handler stops before.
async fn store(store: &DynamoMessageStore, room: &mut Room, append: &Append, stops: bool) {
    store.commit(append).await.unwrap();
    room.apply(append);
    if !stops {
        store.apply_change(append).await.unwrap();
        store.settle(append.message()).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_shown_in_no_state_that_it_never_had() {
    let tables = TableNames::default();
    let database = Faultless::new(Database::new(tables.schemas()));
    let back = Arc::new(AtomicUsize::new(0));
    let rows = LaggingRows { database, back: Arc::clone(&back) };
    let messages = DynamoMessageStore::new(&Answered(rows), &tables);

    let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
    let mut room = Room::empty("junho@example.com#minji@example.com".parse().unwrap());
    let (id, content) = (ClientMessageId::from_u128(1), Content::Text("여섯 시에 봐요".parse().unwrap()));
    let draft = Draft { id, sender: Member::B, content, reply_to: None };
    let append = room.append(&draft, instant(1), policy).unwrap();
    store(&messages, &mut room, &append, false).await;

    let reactions = Reactions::new(vec!["👍".parse().unwrap()]).unwrap();
    let effects = [Effect::Edit("일곱 시에 봐요".parse().unwrap()), Effect::React(reactions)];
    let target = instant(1);
    let mut states: Vec<Message> = vec![append.message().clone()];
    for (number, (sender, effect)) in (2..).zip([Member::B, Member::A].into_iter().zip(effects)) {
        let draft = ChangeDraft { id: ClientMessageId::from_u128(number.into()), sender, target, effect };
        let append = room.change(&draft, states.last(), instant(number), policy).unwrap();
        let (_, effect) = append.change().unwrap();
        states.push(states.last().unwrap().changed_by(append.message(), effect));
        store(&messages, &mut room, &append, number == 3).await;
    }

    for lag in 0..8 {
        back.store(lag, Ordering::Relaxed);
        for range in [PageRange::Newest, PageRange::Before(instant(2)), PageRange::Before(target.next())] {
            let query = PageQuery { range, limit: PageLimit::MAX };
            let page = messages.page(room.id(), query, Consistency::Eventual).await.unwrap();
            for shown in page.messages.iter().filter(|message| message.at == target) {
                assert!(states.contains(shown), "{range:?}, {lag} writes back: {shown:?}");
            }
        }
    }
}

#[tokio::test]
async fn settling_all_leaves_no_change_without_its_effect() {
    let tables = TableNames::default();
    let database = Faultless::new(Database::new(tables.schemas()));
    let new_store = || DynamoMessageStore::new(&Answered(database.clone()), &tables);
    let messages = new_store();

    let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
    let mut room = Room::empty("junho@example.com#minji@example.com".parse().unwrap());
    let (id, content) = (ClientMessageId::from_u128(1), Content::Text("여섯 시에 봐요".parse().unwrap()));
    let draft = Draft { id, sender: Member::B, content, reply_to: None };
    let said = room.append(&draft, instant(1), policy).unwrap();
    store(&messages, &mut room, &said, false).await;
    let effect = Effect::Edit("일곱 시에 봐요".parse().unwrap());
    let (id, target) = (ClientMessageId::from_u128(2), instant(1));
    let draft = ChangeDraft { id, sender: Member::B, target, effect };
    let edited = room.change(&draft, Some(said.message()), instant(2), policy).unwrap();
    store(&messages, &mut room, &edited, true).await;

    let settled = new_store().settle_all().await.unwrap();
    assert_eq!((settled.rooms, settled.rows_put), (1, 1));
    let (id, content) = (ClientMessageId::from_u128(3), Content::Text("네".parse().unwrap()));
    let draft = Draft { id, sender: Member::A, content, reply_to: None };
    let answered = room.append(&draft, instant(3), policy).unwrap();
    let messages = new_store();
    assert_eq!(messages.room_for_commit(room.id(), Consistency::Strong).await.unwrap(), Some(room.clone()));
    store(&messages, &mut room, &answered, false).await;
    let found = new_store().messages_at(room.id(), &[target], Consistency::Strong).await.unwrap();
    let (_, effect) = edited.change().unwrap();
    assert_eq!(found, [said.message().changed_by(edited.message(), effect)]);
}
