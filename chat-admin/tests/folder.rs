//! A user of a folder that chat-local keeps, exported and erased.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_local::DynamoDb;
use chat_admin::{AdminError, Config, Stores, run};
use chat_domain::{
    Attachment, AttachmentEraser as _, AttachmentKey, AttachmentStore, ClientMessageId, Connection,
    ConnectionId, ConnectionStore, Consistency, Content, Draft, Email, ImageFacts, ImageType, Member,
    MessageStore, Room, RoomId, SendRate, Timestamp, UserId, VerifiedIdentity,
};
use clap::Parser as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MINJI: &str = "minji@example.com";
const JUNHO: &str = "junho@example.com";

fn config(folder: &Path, command: &[&str]) -> Config {
    let data = ["chat-admin", "--data", folder.to_str().unwrap()];
    Config::parse_from(data.iter().chain(command))
}

async fn report(folder: &Path, command: &[&str]) -> Value {
    serde_json::from_str(&run(&config(folder, command)).await.unwrap()).unwrap()
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
        let key = AttachmentKey::mint(&id, uploader, ImageType::Gif, random);
        let facts = ImageFacts::new(ImageType::Gif, 6, 1, 1).unwrap();
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
        let append = room.append(&Draft { id, sender, content }, now(), SendRate::default()).unwrap();
        stores.messages.commit(&append).await.unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_erased_once_that_is_confirmed_and_a_receipt_says_so() {
    let folder = folder().await;
    let found = json!({ "messages": 2, "heads": 1, "rooms": 0, "connections": 1, "uploads": 2 });
    let nothing = json!({ "messages": 0, "heads": 0, "rooms": 0, "connections": 0, "uploads": 0 });
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
    let removed = json!({ "messages": 2, "heads": 1, "rooms": 1, "connections": 1, "uploads": 1 });
    let nothing = json!({ "messages": 0, "heads": 0, "rooms": 0, "connections": 0, "uploads": 0 });
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
    assert_eq!(room.log().unwrap().preview(), "고마워", "nothing was changed");
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
