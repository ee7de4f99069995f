//! A user of a folder that chat-local keeps, exported and erased.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_local::DynamoDb;
use chat_admin::{AdminError, Config, Stores, run, run_with};
use chat_domain::{
    Admit, Attachment, AttachmentEraser as _, AttachmentKey, AttachmentStore, ClientMessageId, Connection,
    ConnectionId, ConnectionStore, ConsentWrite, Consistency, Content, Draft, Email, ImageFacts, ImageType,
    Member, MessageStore, Pause, ReadMark, Report, ReportStore as _, Room, RoomId, SendRate, Timestamp, User,
    UserId, UserStore as _, VerifiedIdentity,
};
use clap::Parser as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

/// Nothing is on its way here.
struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, _: Duration) {}
}

fn config(folder: &Path, command: &[&str]) -> Config {
    let data = ["chat-admin", "--data", folder.to_str().unwrap()];
    Config::parse_from(data.iter().chain(command))
}

async fn report(folder: &Path, command: &[&str]) -> Value {
    let said = run_with(&config(folder, command), Arc::new(NoPause)).await.unwrap();
    serde_json::from_str(&said).unwrap()
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(since_1970.as_millis().try_into().unwrap()).unwrap()
}

/// A `PUT` as a browser sends it.
async fn put(url: &str, headers: &[(String, String)], body: &str) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "PUT /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A folder in which Minji and Junho each wrote twice, she showed an image and left another unshown, and both
/// are connected.
async fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::File::create(folder.path().join("lock")).unwrap();
    let stores = Stores::open(&config(folder.path(), &["erase", "--email", MINJI])).await.unwrap();
    let id = RoomId::new(&email(MINJI), &email(JUNHO)).unwrap();
    let mut keys = Vec::new();
    for (uploader, random) in [(Member::B, 1), (Member::B, 2), (Member::A, 3)] {
        let facts = ImageFacts::new(ImageType::Gif, 6, 1, 1).unwrap();
        let key = AttachmentKey::mint(&id, uploader, facts, random);
        let url = stores.attachments.upload_url(&key, facts, now()).await.unwrap();
        put(&url.url, &url.headers, "GIF89a").await;
        keys.push(Attachment { key, facts, alt: None });
    }
    let words = |text: &str| Content::Text(text.parse().unwrap());
    let image = Content::Image { attachment: keys[0].clone(), caption: None };
    let mut room = Room::empty(id);
    for (sender, content) in [
        (Member::A, words("안녕")),
        (Member::B, image),
        (Member::A, words("멋지다")),
        (Member::B, words("고마워")),
    ] {
        let id = ClientMessageId::from_u128(u128::from(room.seq()) + 1);
        let append =
            room.append(&Draft { id, sender, content, reply_to: None }, now(), SendRate::default()).unwrap();
        stores.messages.commit(&append).await.unwrap();
        stores.messages.settle(append.message()).await.unwrap();
        room.apply(&append);
    }
    for user in [MINJI, JUNHO] {
        let expires_at = now().after(Duration::from_secs(3_600));
        let identity = VerifiedIdentity::vouched(email(user), UserId::new(user), expires_at);
        let connection = Connection { id: ConnectionId::new(user), identity, connected_at: now() };
        stores.connections.put(&connection).await.unwrap();
    }
    folder
}

/// Counts as a receipt has them; nothing here has begun a room.
fn counts([messages, heads, rooms, connections, uploads]: [u64; 5]) -> Value {
    json!({
        "messages": messages, "heads": heads, "rooms": rooms,
        "connections": connections, "uploads": uploads, "usage": 0,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_erased_once_that_is_confirmed_and_a_receipt_says_so() {
    let folder = folder().await;
    let found = counts([2, 1, 0, 1, 2]);
    let nothing = counts([0, 0, 0, 0, 0]);
    for _ in 0..2 {
        let dry_run = report(folder.path(), &["erase", "--email", " Minji@Example.com"]).await;
        assert_eq!(dry_run, json!({ "email": MINJI, "dryRun": true, "found": found }));
    }
    let receipt = report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    let expected =
        json!({ "email": MINJI, "dryRun": false, "found": found, "removed": found, "remaining": nothing });
    assert_eq!(receipt, expected);
    let again = report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    assert_eq!((&again["found"], &again["removed"]), (&nothing, &nothing));

    let of_junho = report(folder.path(), &["export", "--email", JUNHO]).await;
    let messages = of_junho["conversations"][0]["messages"].as_array().unwrap();
    let seen: Vec<_> =
        messages.iter().map(|row| (&row["seq"], row["kind"].as_str().unwrap(), &row["message"])).collect();
    assert_eq!(
        seen,
        [
            (&json!(1), "text", &json!("안녕")),
            (&json!(2), "erased", &json!("")),
            (&json!(3), "text", &json!("멋지다")),
            (&json!(4), "erased", &json!("")),
        ]
    );
    assert!(messages.iter().all(|row| row.get("attachment").is_none()));
    assert_eq!(of_junho["uploads"].as_array().unwrap().len(), 1, "his own");
    assert_eq!(of_junho["connections"][0]["connectionId"], JUNHO);
}

/// How many items there are in a table.
async fn items(folder: &Path, table: &str) -> Value {
    let tables = DynamoDb::in_file(&folder.join("dynamodb.sqlite")).unwrap();
    let (status, found) = tables.call("Scan", json!({ "TableName": table }).to_string().into()).await;
    assert_eq!(status, 200, "{found}");
    serde_json::from_str::<Value>(&found).unwrap()["Count"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_second_of_two_users_nothing_is_left() {
    let folder = folder().await;
    let erase = async |user| report(folder.path(), &["erase", "--email", user, "--confirm"]).await;
    assert_eq!(erase(MINJI).await["removed"]["rooms"], 0);
    let receipt = erase(JUNHO).await;
    let removed = counts([2, 1, 1, 1, 1]);
    let nothing = counts([0, 0, 0, 0, 0]);
    assert_eq!((&receipt["removed"], &receipt["remaining"]), (&removed, &nothing));
    assert_eq!(erase(MINJI).await["found"], nothing);
    for table in ["playground-connections", "playground-messages", "playground-rooms"] {
        assert_eq!(items(folder.path(), table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_holds_what_was_written_and_received() {
    let folder = folder().await;
    let data = report(folder.path(), &["export", "--email", MINJI]).await;
    assert_eq!((&data["email"], &data["conversations"][0]["peerEmail"]), (&json!(MINJI), &json!(JUNHO)));
    let messages = data["conversations"][0]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 4);
    assert_eq!((&messages[0]["message"], &messages[1]["kind"]), (&json!("안녕"), &json!("image")));
    assert!(messages.iter().all(|row| row["timestamp"].is_string()));
    let shown = &messages[1]["attachment"]["key"];
    assert!(
        data["uploads"]
            .as_array()
            .unwrap()
            .iter()
            .any(|upload| upload["key"] == *shown && upload["size"] == 6)
    );
    let stores = Stores::open(&config(folder.path(), &["export", "--email", MINJI])).await.unwrap();
    let id = RoomId::new(&email(MINJI), &email(JUNHO)).unwrap();
    let room = stores.messages.room(&id, Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(room.log().unwrap().last_message().preview, "고마워", "nothing was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_saves_the_images_that_it_names() {
    let folder = folder().await;
    let objects = tempfile::tempdir().unwrap();
    let into = objects.path().join("of").join("minji");
    let command = ["export", "--email", MINJI, "--objects", into.to_str().unwrap()];
    for _ in 0..2 {
        let data = report(folder.path(), &command).await;
        assert_eq!(data["objects"], json!({ "saved": 2, "missing": [] }));
        for upload in data["uploads"].as_array().unwrap() {
            assert_eq!(std::fs::read(into.join(upload["key"].as_str().unwrap())).unwrap(), b"GIF89a");
        }
        assert_eq!(std::fs::read_dir(&into).unwrap().count(), 2);
    }

    // What was shown to him is gone from the bucket, and his own upload is there.
    let stores = Stores::open(&config(folder.path(), &command)).await.unwrap();
    let uploads = stores.attachments.list(None).await.unwrap().uploads;
    for upload in uploads.iter().filter(|upload| upload.key.is_uploaded_by(&email(MINJI))) {
        stores.attachments.delete(&upload.key).await.unwrap();
    }
    drop(stores);
    let into = objects.path().join("junho");
    let command = ["export", "--email", JUNHO, "--objects", into.to_str().unwrap()];
    let data = report(folder.path(), &command).await;
    let shown = &data["conversations"][0]["messages"][1]["attachment"]["key"];
    assert_eq!(data["objects"], json!({ "saved": 1, "missing": [shown] }));

    let no_folder = objects.path().join("junho").join(data["uploads"][0]["key"].as_str().unwrap());
    let command = ["export", "--email", JUNHO, "--objects", no_folder.to_str().unwrap()];
    let refused = run(&config(folder.path(), &command)).await;
    assert!(matches!(refused, Err(AdminError::Objects { .. })), "{refused:?}");
}

/// The row of Minji's as it is stored.
async fn minjis_row(folder: &Path) -> User {
    let stores = Stores::open(&config(folder, &["resume", "--email", MINJI])).await.unwrap();
    stores.users.get(&email(MINJI)).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_suspended_and_admitted_again_and_receipts_say_so() {
    let folder = folder().await;
    let suspended = report(folder.path(), &["suspend", "--email", MINJI]).await;
    let since = minjis_row(folder.path()).await.suspended_since.unwrap();
    // No process has sockets of a folder.
    let cut = json!({ "found": 1, "closed": 0, "gone": 1, "failed": 0 });
    let user = json!({ "suspendedSince": since.to_string() });
    let expected = json!({ "action": "suspend", "email": MINJI, "user": user, "connections": cut });
    assert_eq!(suspended, expected);
    assert_eq!(report(folder.path(), &["export", "--email", MINJI]).await["user"], user);
    assert_eq!(report(folder.path(), &["export", "--email", JUNHO]).await.get("user"), None);

    let again = report(folder.path(), &["suspend", "--email", MINJI]).await;
    assert_eq!((&again["user"], &again["connections"]["found"]), (&user, &json!(0)));
    let resumed = report(folder.path(), &["resume", "--email", MINJI]).await;
    assert_eq!(resumed, json!({ "action": "resume", "email": MINJI, "user": {} }));
    assert_eq!(minjis_row(folder.path()).await.suspended_since, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_released_to_whom_is_named_and_its_connections_end() {
    let folder = folder().await;
    let released = report(folder.path(), &["release", "--email", JUNHO, "--to", "another"]).await;
    assert_eq!(released["user"], json!({ "userId": "another" }));
    assert_eq!(released["connections"]["found"], 1);
    let free = report(folder.path(), &["release", "--email", JUNHO]).await;
    assert_eq!((&free["user"], &free["connections"]["found"]), (&json!({}), &json!(0)));
    let cut = report(folder.path(), &["disconnect", "--email", MINJI]).await;
    assert_eq!((&cut["action"], &cut["connections"]["gone"]), (&json!("disconnect"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_is_listed_until_it_is_removed_whatever_is_erased() {
    let folder = folder().await;
    let report_id = {
        let stores = Stores::open(&config(folder.path(), &["reports"])).await.unwrap();
        let room = RoomId::new(&email(MINJI), &email(JUNHO)).unwrap();
        let head = stores.messages.room(&room, Consistency::Strong).await.unwrap().unwrap();
        let messages = vec![head.log().unwrap().newest.clone()];
        let reason = Some("사기".parse().unwrap());
        let filed = Report { room, reporter: Member::A, reason, messages, at: now() };
        stores.reports.file(&filed).await.unwrap();
        filed.id().to_string()
    };
    report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    let listed = report(folder.path(), &["reports"]).await;
    let kept = &listed[0];
    assert_eq!((&kept["id"], &kept["reason"]), (&json!(report_id), &json!("사기")));
    assert_eq!((&kept["reporterEmail"], &kept["reportedEmail"]), (&json!(JUNHO), &json!(MINJI)));
    assert_eq!(kept["messages"][0]["message"], "고마워", "it is what she wrote");
    assert_eq!(report(folder.path(), &["export", "--email", JUNHO]).await["reports"], listed);
    assert_eq!(report(folder.path(), &["export", "--email", MINJI]).await["reports"], json!([]));
    assert_eq!(report(folder.path(), &["reports", "--remove", &report_id]).await, json!([]));
    assert_eq!(report(folder.path(), &["reports"]).await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_says_whom_one_has_accepted_and_blocks_and_erasing_forgets_it() {
    let folder = folder().await;
    let decided = async |user| {
        let data = report(folder.path(), &["export", "--email", user]).await;
        (data["conversations"][0]["accepted"].clone(), data["conversations"][0]["blockedSince"].clone())
    };
    let at = now();
    {
        let stores = Stores::open(&config(folder.path(), &["settle"])).await.unwrap();
        let room = RoomId::new(&email(MINJI), &email(JUNHO)).unwrap();
        for write in [ConsentWrite::Accept, ConsentWrite::Block { at, freezes_reads: true }] {
            stores.messages.write_consent(&room, Member::B, write).await.unwrap();
        }
    }
    assert_eq!(decided(MINJI).await, (json!(true), json!(at.to_string())));
    assert_eq!(decided(JUNHO).await, (json!(false), Value::Null), "he does not learn of it");
    report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    assert_eq!(decided(MINJI).await, (json!(false), Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settling_makes_the_rows_say_what_was_read() {
    let folder = folder().await;
    {
        let stores = Stores::open(&config(folder.path(), &["settle"])).await.unwrap();
        let id = RoomId::new(&email(MINJI), &email(JUNHO)).unwrap();
        let room = stores.messages.room(&id, Consistency::Strong).await.unwrap().unwrap();
        let mark = ReadMark::at(&room.log().unwrap().newest, Member::A);
        stores.messages.advance_read(&id, Member::A, mark).await.unwrap();
    }
    let before = backup(folder.path()).await;
    let is_read =
        |items: &[(&str, Value)]| items.iter().filter(|(_, item)| item["read"]["BOOL"] == true).count();
    assert_eq!(is_read(&before), 0);
    let settled = report(folder.path(), &["settle"]).await;
    assert_eq!(settled, json!({ "action": "settle", "rooms": 1, "rowsPut": 0, "rowsMarked": 2 }));
    assert_eq!(is_read(&backup(folder.path()).await), 2);
    assert_eq!(report(folder.path(), &["settle"]).await["rowsMarked"], 0);
}

/// The items of the tables that are restored together.
async fn backup(folder: &Path) -> Vec<(&'static str, Value)> {
    let tables = DynamoDb::in_file(&folder.join("dynamodb.sqlite")).unwrap();
    let mut items = Vec::new();
    for table in ["playground-messages", "playground-rooms"] {
        let (status, found) = tables.call("Scan", json!({ "TableName": table }).to_string().into()).await;
        assert_eq!(status, 200, "{found}");
        let found: Value = serde_json::from_str(&found).unwrap();
        items.extend(found["Items"].as_array().unwrap().iter().map(|item| (table, item.clone())));
    }
    items
}

async fn restore(folder: &Path, backup: &[(&str, Value)]) {
    let tables = DynamoDb::in_file(&folder.join("dynamodb.sqlite")).unwrap();
    for (table, item) in backup {
        let put = json!({ "TableName": table, "Item": item });
        let (status, answer) = tables.call("PutItem", put.to_string().into()).await;
        assert_eq!(status, 200, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_restored_backup_brings_back_is_erased_again() {
    let folder = folder().await;
    let backup = backup(folder.path()).await;
    report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    let noted = minjis_row(folder.path()).await.erasure.unwrap();
    let nothing = json!({ "erased": [], "usedAgain": [] });
    assert_eq!(report(folder.path(), &["replay-erasures"]).await, nothing);

    restore(folder.path(), &backup).await;
    let replayed = report(folder.path(), &["replay-erasures"]).await;
    // Her connection and her images were not in it.
    let removed = counts([2, 1, 0, 0, 0]);
    let erased = &replayed["erased"][0];
    assert_eq!((&erased["email"], &erased["removed"]), (&json!(MINJI), &removed));
    assert_eq!(replayed["usedAgain"], json!([]));
    assert_eq!(minjis_row(folder.path()).await.erasure, Some(noted), "it was erased when it was");
    assert_eq!(report(folder.path(), &["replay-erasures"]).await, nothing);
    let of_junho = report(folder.path(), &["export", "--email", JUNHO]).await;
    assert_eq!(of_junho["conversations"][0]["messages"][1]["kind"], "erased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_come_back_is_named_and_left_alone() {
    let folder = folder().await;
    let backup = backup(folder.path()).await;
    report(folder.path(), &["erase", "--email", MINJI, "--confirm"]).await;
    let stores = Stores::open(&config(folder.path(), &["replay-erasures"])).await.unwrap();
    let who = VerifiedIdentity::vouched(email(MINJI), UserId::new("1"), Timestamp::MAX);
    Admit::new(stores.users.clone()).execute(&who, now()).await.unwrap();
    drop(stores);
    restore(folder.path(), &backup).await;
    let replayed = report(folder.path(), &["replay-erasures"]).await;
    assert_eq!(replayed["erased"], json!([]));
    let named = &replayed["usedAgain"][0];
    assert_eq!((&named["email"], &named["userId"]), (&json!(MINJI), &json!("1")));
    let data = report(folder.path(), &["export", "--email", MINJI]).await;
    assert_eq!(data["conversations"][0]["messages"][1]["kind"], "image", "decided by hand");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_use_or_of_nobody_is_left_alone() {
    let folder = folder().await;
    let command = ["erase", "--email", MINJI, "--confirm"];
    let in_use = Stores::open(&config(folder.path(), &command)).await.unwrap();
    let refused = run(&config(folder.path(), &command)).await;
    assert!(
        matches!(&refused, Err(AdminError::Stores(error)) if error.to_string().contains("another process")),
        "{refused:?}"
    );
    drop(in_use);

    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(run(&config(empty.path(), &command)).await, Err(AdminError::Stores(_))));
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn whose_data_it_is_about_has_to_be_said() {
    for arguments in [&["erase"][..], &["export", "--email", "minji"], &["erase", "--email", "", "--confirm"]]
    {
        assert!(Config::try_parse_from(["chat-admin"].iter().chain(arguments)).is_err(), "{arguments:?}");
    }
}
