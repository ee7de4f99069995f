//! What the items in the tables look like. Everything that was ever stored looks like this: a change here
//! needs a plan for what is there already.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chat_adapters_aws::{DynamoClient, DynamoConnectionStore, DynamoMessageStore, TableNames};
use chat_domain::{
    Append, Attachment, AttachmentKey, ClientMessageId, Connection, ConnectionId, ConnectionStore, Content,
    Draft, Email, ImageFacts, ImageType, Member, MessageEraser as _, MessageStore, Proposal, ProposalAnswer,
    ReadMark, Room, RoomId, SendRate, Timestamp, UserId, Verdict, VerifiedIdentity,
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
        let id = ClientMessageId::from_u128(
            0x018f_2d4e_7b1a_7c3d_9e5f_0011_2233_4400 + u128::from(self.room.seq()),
        );
        let draft = Draft { id, sender, content };
        let append = self.room.append(&draft, self.now, SendRate::default()).unwrap();
        self.store.commit(&append).await.unwrap();
        self.room.apply(&append);
        self.now = self.now.next();
        self.last = Some(append);
    }

    async fn everything_is_read(&self) {
        let message = &self.last.as_ref().expect("something was said").message;
        for reader in [JUNHO, MINJI] {
            self.store.advance_read(self.room.id(), reader, ReadMark::at(message, reader)).await.unwrap();
            self.store.mark_rows_read(self.room.id(), reader, &[message.at], message.at).await.unwrap();
        }
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
    let key = AttachmentKey::mint(room.id(), MINJI, ImageType::Webp, random);
    let facts = ImageFacts::new(ImageType::Webp, 48_211, 1_280, 960).unwrap();
    let alt = alt.map(|alt| alt.parse().unwrap());
    let caption = caption.map(|caption| caption.parse().unwrap());
    Content::Image { attachment: Attachment { key, facts, alt }, caption }
}

fn proposal(note: Option<&str>) -> Content {
    Content::MatchProposal(Proposal {
        team_name: "FC 민지".parse().unwrap(),
        opponent_team_name: "준호 유나이티드".parse().unwrap(),
        match_at: "2026-11-30T10:00:00.000Z".parse().unwrap(),
        place: "서울특별시 중구 세종대로 110".parse().unwrap(),
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

#[tokio::test]
async fn an_image_is_claimed_by_an_item_beside_the_heads() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, image(&talk.room, 7, None, None)).await;
    let all = items(&talk.client, &talk.tables.rooms).await;
    let claims: Vec<_> = all.iter().filter(|item| !item.contains_key("seq")).map(lines).collect();
    insta::assert_snapshot!(claims.join("\n\n"));
}

#[tokio::test]
async fn a_row_that_was_read_says_so() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("읽었어?")).await;
    talk.everything_is_read().await;
    assert!(talk.rows().await.contains("read: {\"BOOL\":true}"));
}

#[tokio::test]
async fn a_head_has_a_sending_half_and_a_reading_half() {
    let mut talk = Talk::new().await;
    talk.say(MINJI, words("안녕하세요")).await;
    insta::assert_snapshot!("head_after_the_first_message", lines(&talk.head().await));
    talk.say(JUNHO, proposal(None)).await;
    talk.everything_is_read().await;
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

/// A write unit is 1 KB, and each message writes the head in a transaction, which counts it twice.
const WRITE_UNIT_BYTES: usize = 1_024;

#[tokio::test]
async fn a_full_head_of_common_addresses_takes_one_write_unit() {
    let mut talk =
        Talk::between("minji.kim.playground@example.com", "junho.park.playground@example.com").await;
    for sender in [JUNHO, MINJI] {
        talk.say(sender, proposal(None)).await;
        talk.say(sender, proposal(None)).await;
    }
    for sender in [JUNHO, MINJI, JUNHO, MINJI, JUNHO] {
        talk.say(sender, words(&"가".repeat(200))).await;
    }
    talk.everything_is_read().await;
    let head = talk.head().await;
    assert_eq!(head["recent"].as_b().unwrap().as_ref().len(), 8 * 25);
    assert_eq!(head["preview"].as_s().unwrap().len(), 300, "a hundred syllables");
    let size = size_bytes(&head);
    assert!(size <= WRITE_UNIT_BYTES, "{size} bytes: {head:?}");
    insta::assert_snapshot!(format!("{size} bytes with 4 open proposals"));
}
