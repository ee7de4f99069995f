//! What the ports say nothing of: where memory ends, what a clone shares, and what can be seen of it all in a
//! log.

use std::time::Duration;

use bytes::Bytes;
use chat_adapters_memory::{
    CONNECTIONS_LISTED_MAX, DownloadRefused, INBOX_MAX, MemoryAttachmentStore, MemoryConnectionStore,
    MemoryIdentityVerifier, MemoryMessageStore, MemoryPusher, OBJECTS_MAX_BYTES, TOKENS_MAX, UploadRefused,
};
use chat_domain::{
    AttachmentKey, AttachmentStore, CONNECTION_LIFETIME, ClientMessageId, Connection, ConnectionId,
    ConnectionStore, Consistency, Content, Draft, Email, Event, IMAGE_MAX_BYTES, IdentityVerifier,
    ImageFacts, ImageType, Member, MessageStore, PushError, Pusher, Room, RoomId, SendRate, SignedUrl,
    Timestamp, UserId, VerifiedIdentity, VerifyError,
};

fn now() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().expect("a well-formed timestamp")
}

fn minji() -> Email {
    "minji@example.com".parse().expect("a well-formed address")
}

fn room() -> RoomId {
    RoomId::new(&minji(), &"junho@example.com".parse().expect("a well-formed address")).expect("two people")
}

fn identity(expires_at: Timestamp) -> VerifiedIdentity {
    VerifiedIdentity::vouched(minji(), UserId::new("user-minji"), expires_at)
}

fn connection(name: &str, connected_at: Timestamp) -> Connection {
    let identity = identity(connected_at.after(Duration::from_secs(3_600)));
    Connection { id: ConnectionId::new(name), identity, connected_at }
}

fn typing() -> Event {
    Event::Typing { room: room(), sender: minji() }
}

#[tokio::test]
async fn stale_connections_make_room_for_new_ones() {
    let store = MemoryConnectionStore::new();
    for n in 0..100 {
        store.put(&connection(&format!("old-{n}"), now())).await.unwrap();
    }
    let later = now().after(CONNECTION_LIFETIME);
    for n in 0..50 {
        store.put(&connection(&format!("new-{n}"), later)).await.unwrap();
    }
    assert_eq!(format!("{store:?}"), "MemoryConnectionStore { connections: 50, .. }");
    assert_eq!(store.of_user(&minji(), later).await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_connection_that_may_still_be_open_is_never_evicted() {
    let store = MemoryConnectionStore::new();
    let old = connection("old", now());
    store.put(&old).await.unwrap();
    store.put(&connection("new", old.stale_at().previous())).await.unwrap();
    assert_eq!(store.get(&old.id).await.unwrap(), Some(old));
}

#[tokio::test]
async fn a_users_list_ends_at_its_limit() {
    let store = MemoryConnectionStore::new();
    for n in 0..=CONNECTIONS_LISTED_MAX {
        store.put(&connection(&n.to_string(), now())).await.unwrap();
    }
    assert_eq!(store.of_user(&minji(), now()).await.unwrap().len(), CONNECTIONS_LISTED_MAX);
}

#[tokio::test]
async fn beyond_the_limit_the_token_that_expires_first_is_forgotten() {
    let verifier = MemoryIdentityVerifier::new();
    let later = now().after(Duration::from_secs(3_600));
    let kept = verifier.issue(identity(later), 0);
    let first = verifier.issue(identity(now().next()), 1);
    for random in 2..=TOKENS_MAX as u128 {
        verifier.issue(identity(later), random);
    }
    assert!(matches!(verifier.verify(&first, now()).await, Err(VerifyError::Rejected { .. })));
    assert!(verifier.verify(&kept, now()).await.is_ok());
}

#[tokio::test]
async fn a_revoked_token_is_rejected() {
    let verifier = MemoryIdentityVerifier::new();
    let token = verifier.issue(identity(now().next()), 1);
    verifier.clone().revoke(&token);
    assert!(matches!(verifier.verify(&token, now()).await, Err(VerifyError::Rejected { .. })));
}

#[tokio::test]
async fn a_full_inbox_throttles_until_something_is_taken() {
    let pusher = MemoryPusher::new();
    let id = ConnectionId::new("phone");
    let mut inbox = pusher.open(id.clone());
    for _ in 0..INBOX_MAX {
        pusher.push(&id, &typing().into()).await.unwrap();
    }
    assert!(matches!(pusher.push(&id, &typing().into()).await, Err(PushError::Throttled)));
    assert_eq!(inbox.recv().await, Some(typing()));
    assert!(pusher.push(&id, &typing().into()).await.is_ok());
}

#[tokio::test]
async fn opening_a_connection_again_closes_the_earlier_one() {
    let pusher = MemoryPusher::new();
    let id = ConnectionId::new("phone");
    let mut earlier = pusher.open(id.clone());
    let mut later = pusher.open(id.clone());
    pusher.push(&id, &typing().into()).await.unwrap();
    assert_eq!(earlier.recv().await, None);
    assert_eq!(later.recv().await, Some(typing()));
}

#[tokio::test]
async fn what_was_pushed_before_a_close_still_comes_out() {
    let pusher = MemoryPusher::new();
    let id = ConnectionId::new("phone");
    let mut inbox = pusher.open(id.clone());
    pusher.push(&id, &typing().into()).await.unwrap();
    pusher.close(&id).await.unwrap();
    assert_eq!(inbox.recv().await, Some(typing()));
    assert_eq!(inbox.recv().await, None);
}

#[tokio::test]
async fn a_dropped_inbox_leaves_nothing_behind() {
    let pusher = MemoryPusher::new();
    let id = ConnectionId::new("phone");
    drop(pusher.open(id.clone()));
    assert!(matches!(pusher.push(&id, &typing().into()).await, Err(PushError::Gone)));
    assert_eq!(format!("{pusher:?}"), "MemoryPusher { open: 0, .. }");
}

const BASE: &str = "http://localhost/objects";

fn key(random: u128) -> AttachmentKey {
    let facts = ImageFacts::new(ImageType::Png, 1_000, 1, 1).expect("within bounds");
    AttachmentKey::mint(&room(), Member::A, facts, random)
}

fn query(url: &SignedUrl) -> &str {
    url.url.split_once('?').expect("a signed URL has a query").1
}

async fn upload(
    store: &MemoryAttachmentStore,
    key: &AttachmentKey,
    bytes: Bytes,
) -> Result<(), UploadRefused> {
    let facts = ImageFacts::new(ImageType::Png, bytes.len() as u64, 1, 1).expect("within bounds");
    let url = store.upload_url(key, facts, now()).await.expect("it is in memory");
    store.accept_upload(key.as_str(), query(&url), "image/png", bytes, now())
}

#[tokio::test]
async fn a_full_attachment_store_refuses_and_keeps_what_it_has() {
    let store = MemoryAttachmentStore::new(BASE, [7; 32]);
    let largest = Bytes::from(vec![0; IMAGE_MAX_BYTES as usize]);
    let fitting = u128::from(OBJECTS_MAX_BYTES / IMAGE_MAX_BYTES);
    for random in 0..fitting {
        assert_eq!(upload(&store, &key(random), largest.clone()).await, Ok(()));
    }
    assert_eq!(upload(&store, &key(fitting), largest.clone()).await, Err(UploadRefused::Full));
    assert_eq!(store.inspect(&key(fitting)).await.unwrap(), None);
    let rest = largest.slice(..(OBJECTS_MAX_BYTES % IMAGE_MAX_BYTES) as usize);
    assert_eq!(upload(&store, &key(fitting), rest).await, Ok(()));
    assert_eq!(upload(&store, &key(fitting + 1), largest.slice(..1)).await, Err(UploadRefused::Full));
    assert_eq!(upload(&store, &key(0), largest.slice(..1)).await, Err(UploadRefused::Exists));
}

#[tokio::test]
async fn each_refusal_of_a_url_has_its_reason() {
    let store = MemoryAttachmentStore::new(BASE, [7; 32]);
    let url = store.download_url(&key(1), now()).await.unwrap();
    let get = |query: &str, now| store.serve_download(key(1).as_str(), query, now).map(|object| object.bytes);
    assert_eq!(get(query(&url), now()), Err(DownloadRefused::Missing));
    assert_eq!(get(query(&url), url.expires_at), Err(DownloadRefused::Expired));

    let prolonged = query(&url).replace(&url.expires_at.to_string(), &url.expires_at.next().to_string());
    let upper_case = query(&url).replace("expires", "EXPIRES");
    let short = query(&url).strip_suffix(|_: char| true).expect("a query is not empty");
    let more = format!("{}&x=1", query(&url));
    for forged in [&prolonged, &upper_case, short, &more, "", "expires=&signature=", "signature=é"] {
        assert_eq!(get(forged, now()), Err(DownloadRefused::Signature), "{forged}");
    }

    let other_secret = MemoryAttachmentStore::new(BASE, [8; 32]);
    let elsewhere = other_secret.serve_download(key(1).as_str(), query(&url), now());
    assert_eq!(elsewhere, Err(DownloadRefused::Signature));
}

#[tokio::test]
async fn a_line_break_in_a_request_cannot_move_the_signed_parts() {
    let store = MemoryAttachmentStore::new(BASE, [7; 32]);
    let facts = ImageFacts::new(ImageType::Png, 1, 1, 1).unwrap();
    let url = store.upload_url(&key(1), facts, now()).await.unwrap();
    let forged = format!("{}\nimage/png", key(1));
    let bytes = Bytes::from_static(b"x");
    for content_type in ["", "\n", "image/png"] {
        let accepted = store.accept_upload(&forged, query(&url), content_type, bytes.clone(), now());
        assert_eq!(accepted, Err(UploadRefused::Signature));
    }
}

#[tokio::test]
async fn a_clone_shares_and_a_log_shows_no_content() {
    let messages = MemoryMessageStore::new();
    let content = Content::Text("비밀".parse().unwrap());
    let draft = Draft { id: ClientMessageId::from_u128(1), sender: Member::A, content, reply_to: None };
    let append = Room::empty(room()).append(&draft, now(), SendRate::default()).unwrap();
    messages.clone().commit(&append).await.unwrap();
    assert!(messages.room(&room(), Consistency::Strong).await.unwrap().is_some());
    assert_eq!(format!("{messages:?}"), "MemoryMessageStore { rooms: 1, .. }");

    let connections = MemoryConnectionStore::new();
    connections.clone().put(&connection("phone", now())).await.unwrap();
    assert_eq!(format!("{connections:?}"), "MemoryConnectionStore { connections: 1, .. }");

    let verifier = MemoryIdentityVerifier::new();
    let token = verifier.clone().issue(identity(now().next()), 1);
    assert!(verifier.verify(&token, now()).await.is_ok());
    assert_eq!(format!("{verifier:?}"), "MemoryIdentityVerifier { tokens: 1, .. }");

    let pusher = MemoryPusher::new();
    let _inbox = pusher.clone().open(ConnectionId::new("phone"));
    assert_eq!(format!("{pusher:?}"), "MemoryPusher { open: 1, .. }");

    let attachments = MemoryAttachmentStore::new(BASE, [7; 32]);
    upload(&attachments.clone(), &key(1), Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(format!("{attachments:?}"), "MemoryAttachmentStore { objects: 1, total_bytes: 1, .. }");
    assert!(attachments.keep(&key(1)).await.unwrap());
    let url = attachments.download_url(&key(1), now()).await.unwrap();
    let download = attachments.serve_download(key(1).as_str(), query(&url), now()).unwrap();
    assert_eq!(format!("{download:?}"), "Download { bytes: 1, .. }");
}
