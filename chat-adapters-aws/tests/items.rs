//! What the items in the tables look like. Everything that was ever stored looks like this: a change here
//! needs a plan for what is there already.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chat_adapters_aws::{
    DynamoClient, DynamoConnectionStore, DynamoMessageStore, DynamoUserStore, Settled, TableNames,
};
use chat_domain::{
    Advance, Append, Attachment, AttachmentKey, ClientMessageId, Connection, ConnectionId, ConnectionStore,
    ConsentWrite, Consistency, Content, DailyUsage, Draft, Email, Erasure, FirstContact, HourlyRequests,
    IN_DOUBT_FOR, ImageFacts, ImageType, Kind, Member, MessageEraser as _, MessageStore, MessageStoreError,
    OtherContent, PageLimit, PageQuery, PageRange, Proposal, ProposalAnswer, ReadMark, Room, RoomId,
    SendPolicy, Timestamp, UPLOAD_SHOWN_WITHIN, User, UserId, UserStore as _, Verdict, VerifiedIdentity,
};
use serde_json::{Value, json};

use crate::support::Tables;

/// Empty tables, a client that reaches them, and the SDK's own for looking into them.
async fn fresh_tables() -> (DynamoClient, TableNames, Client) {
    let tables = Tables::fresh().await;
    (tables.client(), tables.names, Client::from_conf(tables.config.build()))
}

type Item = HashMap<String, AttributeValue>;

const JUNHO: Member = Member::A;
const MINJI: Member = Member::B;

/// DynamoDB's own JSON, with binary values in hexadecimal digits.
fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::B(blob) => {
            let digits: String = blob.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "B": digits })
        }
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, json_of(value))).collect();
            json!({ "M": sorted })
        }
        other => panic!("no item holds {other:?}"),
    }
}

/// One attribute a line, in the order of their names.
fn lines(item: &Item) -> String {
    let sorted: BTreeMap<_, _> = item.iter().collect();
    sorted.iter().map(|(name, value)| format!("{name}: {}\n", json_of(value))).collect()
}

/// All items of a table, in the order of their sort keys.
async fn items(client: &Client, table: &str) -> Vec<Item> {
    let scan = client.scan().table_name(table).consistent_read(true).send().await.unwrap();
    let mut items = scan.items.unwrap_or_default();
    items.sort_by_key(|item| item.get("timestamp").and_then(|at| at.as_s().ok()).cloned());
    items
}

async fn text_of(client: &Client, table: &str) -> String {
    items(client, table).await.iter().map(lines).collect::<Vec<_>>().join("\n")
}

/// The length of an item by which DynamoDB counts write units: names and values, a number two digits to a
/// byte and one more.
fn size_bytes(item: &Item) -> usize {
    let value_bytes = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        other => panic!("no head holds {other:?}"),
    };
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

struct Talk {
    client: Client,
    tables: TableNames,
    store: DynamoMessageStore,
    room: Room,
    now: Timestamp,
    last: Option<Append>,
}

impl Talk {
    async fn between(one: &str, other: &str) -> Self {
        let (dynamo, tables, client) = fresh_tables().await;
        let store = DynamoMessageStore::new(&dynamo, &tables);
        let (one, other): (Email, Email) = (one.parse().unwrap(), other.parse().unwrap());
        let room = Room::empty(RoomId::new(&one, &other).unwrap());
        let now = "2026-11-23T09:00:00.000Z".parse().unwrap();
        Self { client, tables, store, room, now, last: None }
    }

    async fn new() -> Self {
        Self::between("minji@example.com", "junho@example.com").await
    }

    async fn say(&mut self, sender: Member, content: Content) {
        self.say_and_stop(sender, content).await;
        self.settle().await;
    }

    /// Puts the row of what was said last, as whoever committed it does, perhaps late.
    async fn settle(&self) {
        self.store.settle(self.last.as_ref().expect("something was said").message()).await.unwrap();
    }

    /// The process stops between the head and the row.
    async fn say_and_stop(&mut self, sender: Member, content: Content) {
        let id = ClientMessageId::from_u128(
            0x018f_2d4e_7b1a_7c3d_9e5f_0011_2233_4400 + u128::from(self.room.seq()),
        );
        let draft = Draft { id, sender, content, reply_to: None };
        let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
        let append = self.room.append(&draft, self.now, policy).unwrap();
        self.store.commit(&append).await.unwrap();
        self.room.apply(&append);
        self.now = self.now.next();
        self.last = Some(append);
    }

    async fn everything_is_read(&self) {
        let message = &self.last.as_ref().expect("something was said").message();
        for reader in [JUNHO, MINJI] {
            self.store.advance_read(self.room.id(), reader, ReadMark::at(message, reader)).await.unwrap();
        }
    }

    /// What another process reads.
    async fn read(&self) -> Vec<(u64, String)> {
        let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
        let page = self.store.page(self.room.id(), query, Consistency::Strong).await.unwrap();
        page.messages.iter().map(|it| (it.seq, it.content.text().to_owned())).collect()
    }

    async fn row_count(&self) -> usize {
        items(&self.client, &self.tables.messages).await.len()
    }

    async fn rows(&self) -> String {
        text_of(&self.client, &self.tables.messages).await
    }

    async fn head(&self) -> Item {
        items(&self.client, &self.tables.rooms).await.remove(0)
    }
}

fn words(text: &str) -> Content {
    Content::Text(text.parse().unwrap())
}

fn image(room: &Room, random: u128, alt: Option<&str>, caption: Option<&str>) -> Content {
    let facts = ImageFacts::new(ImageType::Webp, 48_211, 1_280, 960).unwrap();
    let key = AttachmentKey::mint(room.id(), MINJI, facts, random);
    let alt = alt.map(|alt| alt.parse().unwrap());
    let caption = caption.map(|caption| caption.parse().unwrap());
    Content::Image { attachment: Attachment { key, facts, alt }, caption }
}

fn proposal(note: Option<&str>) -> Content {
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().unwrap(),
        opponent_team_name: "준호 유나이티드".parse().unwrap(),
        match_at: "2026-11-30T10:00:00.000Z".parse().unwrap(),
        venue: "서울특별시 중구 세종대로 110".parse().unwrap(),
        note: note.map(|note| note.parse().unwrap()),
    })
}

#[tokio::test]
async fn a_connection_is_the_seeds_row_and_three_attributes_more() {
    let (dynamo, tables, client) = fresh_tables().await;
    let identity = VerifiedIdentity::vouched(
        "minji@example.com".parse().unwrap(),
        UserId::new("6c0e5b1e-0b5d-4c43-9e52-9b1f3e0f6a11"),
        "2026-11-23T10:00:00.000Z".parse().unwrap(),
    );
    let connected_at = "2026-11-23T09:00:00.001Z".parse().unwrap();
    let connection = Connection { id: ConnectionId::new("L0SM9cOFvHcCIhw="), identity, connected_at };
    DynamoConnectionStore::new(&dynamo, &tables).put(&connection).await.unwrap();
    insta::assert_snapshot!(text_of(&client, &tables.connections).await);
}

#[tokio::test]
async fn a_user_is_one_row_and_what_a_later_version_keeps_there_stays() {
    let (dynamo, tables, client) = fresh_tables().await;
    let store = DynamoUserStore::new(&dynamo, &tables);
    let at: Timestamp = "2026-11-23T09:00:00.001Z".parse().unwrap();
    let user = User {
        owner: Some(UserId::new("6c0e5b1e-0b5d-4c43-9e52-9b1f3e0f6a11")),
        suspended_since: Some(at),
        usage: Some(DailyUsage { day: at.day(), rooms: 3, upload_bytes: 10_485_760, reports: 1 }),
        requests: Some(HourlyRequests { since: at, count: 200 }),
        held_until: None,
        erasure: Some(Erasure { at, used_again_at: Some(at) }),
        ..User::unknown("minji@example.com".parse().unwrap())
    };
    store.put(&user).await.unwrap();
    let key = AttributeValue::S(user.email.to_string());
    let later = client.update_item().table_name(&tables.users).key("email", key);
    let later = later.update_expression("SET profileName = :name");
    later.expression_attribute_values(":name", AttributeValue::S("민지".into())).send().await.unwrap();
    let written = text_of(&client, &tables.users).await;
    store.put(&User { version: 1, ..User::unknown(user.email) }).await.unwrap();
    let rewritten = text_of(&client, &tables.users).await;
    insta::assert_snapshot!(format!("{written}\n\nand with nothing but a name:\n\n{rewritten}"));
}

#[tokio::test]
async fn messages_are_the_seeds_rows_with_numbers_and_kinds() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("안녕하세요")).await;
    talk.say(MINJI, image(&talk.room, 7, None, None)).await;
    talk.say(MINJI, image(&talk.room, 8, Some("골대"), Some("우리 팀"))).await;
    talk.say(MINJI, proposal(Some("비가 오면 다음 주에"))).await;
    let answered = talk.room.log().unwrap().last_at();
    let answer = ProposalAnswer { proposal: answered, verdict: Verdict::Accepted };
    talk.say(JUNHO, Content::MatchProposalAnswer(answer)).await;
    talk.say(MINJI, proposal(None)).await;
    insta::assert_snapshot!(talk.rows().await);
}

/// Something of this kind that Minji may say next; `None` if nobody sends the kind.
fn content_of(kind: &Kind, room: &Room) -> Option<Content> {
    Some(match kind {
        Kind::Text => words("지울 말"),
        Kind::Image => image(room, 7, Some("골대"), Some("우리 팀")),
        Kind::MatchProposal => proposal(Some("비가 오면 다음 주에")),
        Kind::MatchProposalAnswer => {
            let proposal = room.log().unwrap().last_at();
            Content::MatchProposalAnswer(ProposalAnswer { proposal, verdict: Verdict::Withdrawn })
        }
        Kind::Change | Kind::Deleted | Kind::Erased => return None,
        Kind::Other(kind) => {
            let (kind, preview) = (kind.clone(), Some("지울 말".parse().unwrap()));
            Content::Other(OtherContent { kind, preview, body: Some(r#"{"places":["잠실"]}"#.into()) })
        }
    })
}

/// A kind that a later version might have.
fn later_kind() -> Kind {
    "poll".parse().unwrap()
}

/// What is left of a message says who wrote to whom, when, and in which order.
#[tokio::test]
async fn an_erased_row_keeps_nothing_of_what_was_said_of_any_kind() {
    const LEFT: [&str; 9] = [
        "clientMessageId",
        "kind",
        "read",
        "receiverEmail",
        "roomId",
        "senderEmail",
        "senderSeq",
        "seq",
        "timestamp",
    ];
    let mut talk = Talk::new().await;
    for kind in Kind::KNOWN.iter().cloned().chain([later_kind()]) {
        let Some(content) = content_of(&kind, &talk.room) else { continue };
        talk.say(MINJI, content).await;
        talk.store.erase_message(talk.last.as_ref().unwrap().message()).await.unwrap();
        let row = items(&talk.client, &talk.tables.messages).await.pop().unwrap();
        let mut left: Vec<_> = row.keys().map(String::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, LEFT, "of the kind {}", kind.as_str());
        assert_eq!(row["kind"].as_s().unwrap(), Kind::Erased.as_str());
    }
}

#[tokio::test]
async fn an_image_is_claimed_by_an_item_beside_the_heads() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, image(&talk.room, 7, None, None)).await;
    let all = items(&talk.client, &talk.tables.rooms).await;
    let claims: Vec<_> = all.iter().filter(|item| !item.contains_key("seq")).map(lines).collect();
    insta::assert_snapshot!(claims.join("\n\n"));

    // It is there for as long as another message might show the image.
    let ttl = all.iter().find_map(|item| item.get("ttl")).and_then(|ttl| ttl.as_n().ok());
    let expires_at_ms = ttl.unwrap().parse::<i64>().unwrap() * 1_000;
    assert!(expires_at_ms > talk.now.after(UPLOAD_SHOWN_WITHIN + IN_DOUBT_FOR).unix_ms());
}

#[tokio::test]
async fn a_head_has_a_sending_half_and_a_reading_half() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("안녕하세요")).await;
    insta::assert_snapshot!("head_after_the_first_message", lines(&talk.head().await));
    talk.say(JUNHO, proposal(None)).await;
    talk.everything_is_read().await;
    let block = ConsentWrite::Block { at: talk.now, freezes_reads: true };
    assert!(talk.store.write_consent(talk.room.id(), JUNHO, block).await.unwrap());
    insta::assert_snapshot!("head_with_everything", lines(&talk.head().await));
}

#[tokio::test]
async fn who_was_erased_is_noted_in_the_head() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("지울 말")).await;
    talk.store.rewrite_head(&talk.room.without(MINJI).unwrap()).await.unwrap();
    let head = lines(&talk.head().await);
    assert!(head.contains("erasedB: {\"BOOL\":true}\n") && !head.contains("erasedA"), "{head}");
}

#[tokio::test]
async fn the_place_in_the_lists_is_written_on_the_first_message_of_a_day_only() {
    let mut talk = Talk::new().await;
    let place = async |talk: &Talk| talk.head().await["activity"].as_s().unwrap()[..10].to_owned();
    talk.say(MINJI, words("월요일")).await;
    assert_eq!(place(&talk).await, "2026-11-23");

    // Whoever moved the room by hand sees that the second message of the day leaves it there.
    let moved = talk.client.update_item().table_name(&talk.tables.rooms);
    let moved = moved.key("roomId", AttributeValue::S(talk.room.id().to_string()));
    let moved = moved.update_expression("SET activity = :by_hand");
    let by_hand = AttributeValue::S("1999-12-31#moved-by-hand".to_owned());
    moved.expression_attribute_values(":by_hand", by_hand).send().await.unwrap();
    talk.say(JUNHO, words("아직 월요일")).await;
    assert_eq!(place(&talk).await, "1999-12-31");

    talk.now = "2026-11-24T00:00:00.000Z".parse().unwrap();
    talk.say(MINJI, words("화요일")).await;
    assert_eq!(place(&talk).await, "2026-11-24");
}

/// What versions before 0.2 kept in a head of the newest message: its kind, and its beginning.
async fn as_written_before(talk: &Talk) {
    let log = talk.room.log().unwrap();
    let head = talk.client.update_item().table_name(&talk.tables.rooms);
    let head = head.key("roomId", AttributeValue::S(talk.room.id().to_string()));
    let head =
        head.expression_attribute_values(":kind", AttributeValue::S(log.last_message().kind.as_str().into()));
    let said = "kind, message, attachment, proposal, proposalAnswer, body";
    let head = match log.last_message().preview {
        words if words.is_empty() => {
            head.update_expression(format!("SET lastKind = :kind REMOVE {said}, preview"))
        }
        words => head
            .update_expression(format!("SET lastKind = :kind, preview = :words REMOVE {said}"))
            .expression_attribute_values(":words", AttributeValue::S(words)),
    };
    head.send().await.unwrap();
}

#[tokio::test]
async fn what_earlier_versions_stored_is_read_and_gone_on_with() {
    let mut talk = Talk::new().await;
    for kind in Kind::KNOWN {
        let Some(content) = content_of(kind, &talk.room) else { continue };
        talk.say(MINJI, content).await;
        as_written_before(&talk).await;
        let (id, room) = (talk.room.id(), talk.room.clone());
        for consistency in [Consistency::Eventual, Consistency::Strong] {
            assert_eq!(talk.store.room(id, consistency).await.unwrap(), Some(room.clone()));
        }
        let minji = id.email(MINJI);
        assert_eq!(talk.store.rooms_of(minji, None).await.unwrap().rooms, std::slice::from_ref(&room));
        let mark = ReadMark::at(&room.log().unwrap().newest, JUNHO);
        let Advance::Moved(marked) = talk.store.advance_read(id, JUNHO, mark).await.unwrap() else {
            panic!("the mark is ahead of the one before")
        };
        assert_eq!(marked.log(), room.log());
        let again = talk.store.advance_read(id, JUNHO, mark).await.unwrap();
        assert_eq!(again, Advance::Unchanged(marked.clone()));
        talk.room = marked;
    }
    talk.say(JUNHO, words("새로 쓴 말")).await;
    let head = lines(&talk.head().await);
    assert!(!head.contains("lastKind") && !head.contains("preview"), "{head}");
    assert_eq!(talk.store.room(talk.room.id(), Consistency::Strong).await.unwrap(), Some(talk.room));
}

/// What an earlier version writes over a head leaves what it does not know: that is of an older message.
#[tokio::test]
async fn a_head_that_an_earlier_version_wrote_is_of_the_message_that_its_row_has() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("앞")).await;
    let older = talk.head().await;
    talk.say(MINJI, image(&talk.room, 7, None, None)).await;
    let mut head = talk.head().await;
    let said = ["kind", "message"].map(|name| (name.to_owned(), older[name].clone()));
    head.remove("attachment");
    head.extend(said);
    head.insert("lastKind".to_owned(), AttributeValue::S("image".to_owned()));
    let put = talk.client.put_item().table_name(&talk.tables.rooms).set_item(Some(head));
    put.send().await.unwrap();
    assert_eq!(talk.store.room(talk.room.id(), Consistency::Strong).await.unwrap(), Some(talk.room));
}

fn said(words: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(words).map(|(seq, words)| (seq, (*words).to_owned())).collect()
}

#[tokio::test]
async fn a_message_is_stored_with_the_head_and_has_its_row_by_the_next_commit() {
    let mut talk = Talk::new().await;
    for (count, words_now) in ["하나", "둘", "셋"].into_iter().enumerate() {
        talk.say_and_stop(MINJI, words(words_now)).await;
        assert_eq!(talk.row_count().await, count, "the row of each message but the newest");
        assert_eq!(talk.read().await, said(&["하나", "둘", "셋"][..=count]));
    }
    talk.settle().await;
    assert_eq!(talk.row_count().await, 3);
    assert_eq!(talk.read().await, said(&["하나", "둘", "셋"]));
}

#[tokio::test]
async fn reading_a_room_for_a_commit_puts_the_row_that_is_missing() {
    let mut talk = Talk::new().await;
    talk.say_and_stop(MINJI, words("안녕")).await;
    talk.store.room(talk.room.id(), Consistency::Strong).await.unwrap();
    assert_eq!(talk.row_count().await, 0, "looking changes nothing");
    let room = talk.store.room_for_commit(talk.room.id(), Consistency::Eventual).await.unwrap();
    assert_eq!((room.as_ref(), talk.row_count().await), (Some(&talk.room), 1));
}

#[tokio::test]
async fn a_late_row_does_not_bring_back_what_was_erased() {
    let mut talk = Talk::new().await;
    talk.say_and_stop(MINJI, words("지울 말")).await;
    talk.store.erase_message(talk.last.as_ref().unwrap().message()).await.unwrap();
    assert_eq!(talk.row_count().await, 1, "erasing puts the row");
    talk.settle().await;
    assert_eq!(talk.read().await, said(&[""]));
    talk.store.rewrite_head(&talk.room.without(MINJI).unwrap()).await.unwrap();
    let all = talk.rows().await + &lines(&talk.head().await);
    assert!(!all.contains("지울 말"), "{all}");
}

/// Whether each row says that it was read, the oldest first.
async fn rows_read(talk: &Talk) -> Vec<bool> {
    let mut rows = items(&talk.client, &talk.tables.messages).await;
    rows.sort_by_key(|row| row["timestamp"].as_s().unwrap().clone());
    rows.iter().map(|row| *row["read"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn settling_all_makes_the_rows_say_what_the_heads_know() {
    let mut talk = Talk::new().await;
    assert_eq!(talk.store.settle_all().await.unwrap(), Settled::default());
    for sender in [MINJI, JUNHO, MINJI] {
        talk.say(sender, words("말")).await;
    }
    talk.everything_is_read().await;
    assert_eq!(rows_read(&talk).await, [false; 3], "a mark writes no row");
    talk.say(MINJI, image(&talk.room, 7, None, None)).await;
    talk.say_and_stop(JUNHO, words("새로 온 말")).await;
    assert_eq!(talk.row_count().await, 4);

    let settled = talk.store.settle_all().await.unwrap();
    assert_eq!(settled, Settled { rooms: 1, rows_put: 1, rows_marked: 3 }, "what is claimed is no room");
    assert_eq!(rows_read(&talk).await, [true, true, true, false, false]);
    let again = Settled { rooms: 1, ..Settled::default() };
    assert_eq!(talk.store.settle_all().await.unwrap(), again, "each row once");
    talk.everything_is_read().await;
    assert_eq!(talk.store.settle_all().await.unwrap(), Settled { rows_marked: 2, ..again });
    assert_eq!(rows_read(&talk).await, [true; 5]);
}

#[tokio::test]
async fn settling_all_goes_through_many_rooms_and_long_ones() {
    let mut settled = Settled { rooms: 120, rows_put: 120, rows_marked: 0 };
    let mut talk = Talk::new().await;
    for number in 1..settled.rooms {
        let peer = format!("peer-{number}@example.com").parse().unwrap();
        talk.room = Room::empty(RoomId::new(&"minji@example.com".parse().unwrap(), &peer).unwrap());
        talk.say_and_stop(MINJI, words("안녕")).await;
    }
    let long = RoomId::new(&"minji@example.com".parse().unwrap(), &"junho@example.com".parse().unwrap());
    talk.room = Room::empty(long.unwrap());
    for _ in 0..130 {
        talk.now = talk.now.after(Duration::from_secs(1));
        talk.say_and_stop(MINJI, words("말")).await;
    }
    talk.everything_is_read().await;
    settled.rows_marked = 130;
    assert_eq!(talk.store.settle_all().await.unwrap(), settled);
    assert_eq!(rows_read(&talk).await.iter().filter(|read| **read).count(), 130);
}

#[tokio::test]
async fn a_head_that_is_rewritten_before_its_message_is_erased_has_its_row() {
    let mut talk = Talk::new().await;
    talk.say_and_stop(MINJI, words("지울 말")).await;
    talk.store.rewrite_head(&talk.room.without(MINJI).unwrap()).await.unwrap();
    talk.settle().await;
    let all = talk.rows().await + &lines(&talk.head().await);
    assert!(!all.contains("지울 말"), "{all}");
}

#[tokio::test]
async fn an_image_stays_claimed_for_the_message_that_tried_first() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("안녕")).await;
    let stale = talk.room.clone();
    talk.say(MINJI, words("사진 보낼게")).await;
    let draft = |id| Draft {
        id: ClientMessageId::from_u128(id),
        sender: MINJI,
        content: image(&stale, 7, None, None),
        reply_to: None,
    };
    let policy = SendPolicy { first_contact: FirstContact::Open, ..SendPolicy::default() };
    let late = stale.append(&draft(1), talk.now, policy).unwrap();
    assert!(matches!(talk.store.commit(&late).await, Err(MessageStoreError::Conflict)));
    let other = talk.room.append(&draft(2), talk.now, policy).unwrap();
    assert!(matches!(talk.store.commit(&other).await, Err(MessageStoreError::AttachmentTaken)));
    let again = talk.room.append(&draft(1), talk.now, policy).unwrap();
    talk.store.commit(&again).await.unwrap();
}

/// A write unit is 1 KB, and each message writes the head.
const WRITE_UNIT_BYTES: usize = 1_024;
/// A syllable has three bytes: a text of 450.
const LONG_TEXT_CHARS: usize = 150;

#[tokio::test]
async fn a_full_head_of_common_addresses_takes_one_write_unit() {
    let mut talk = Talk::between("minji.kim.2001@example.com", "junho.park.1999@example.com").await;
    for sender in [JUNHO, MINJI, JUNHO, MINJI, JUNHO, MINJI, JUNHO, MINJI] {
        talk.say(sender, words(&"가".repeat(LONG_TEXT_CHARS))).await;
        talk.everything_is_read().await;
    }
    let head = talk.head().await;
    assert_eq!(head["recent"].as_b().unwrap().as_ref().len(), 8 * 25);
    let size = size_bytes(&head);
    assert!(size <= WRITE_UNIT_BYTES, "{size} bytes: {head:?}");
    insta::assert_snapshot!(format!("{size} bytes with {} bytes of text", 3 * LONG_TEXT_CHARS));
}
