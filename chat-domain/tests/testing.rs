//! The decorators of the ports hand calls on as they were made, and let a closure do otherwise.

#![expect(clippy::unwrap_used, reason = "what panics in a test fails it")]

use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use chat_adapters_memory::{MemoryConnectionStore, MemoryMessageStore};
use chat_domain::testing::*;
use chat_domain::*;
use mockall::predicate::eq;

fn now() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().unwrap()
}

fn their_room() -> RoomId {
    RoomId::new(&"minji@example.com".parse().unwrap(), &"junho@example.com".parse().unwrap()).unwrap()
}

fn phone() -> ConnectionId {
    ConnectionId::new("a phone")
}

fn connection() -> Connection {
    let identity = VerifiedIdentity::vouched("minji@example.com".parse().unwrap(), UserId::new("1"), now());
    Connection { id: phone(), identity, connected_at: now() }
}

fn append_to(room: &Room) -> Append {
    let content = Content::Text("안녕하세요".parse().unwrap());
    let draft = Draft { id: ClientMessageId::from_u128(1), sender: Member::A, content, reply_to: None };
    room.append(&draft, now(), SendRate::default()).unwrap()
}

/// Decorates a port by a closure that notes the method and hands on the call with arguments of its own.
macro_rules! noting {
    ($decorated:ident, $mock:expr) => {{
        let noted: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = noted.clone();
        let port = $decorated::new(Arc::new($mock), move |call, next| {
            notes.lock().unwrap().push(call.method().to_owned());
            next.call(call.into_owned())
        });
        (port, noted)
    }};
}

#[tokio::test]
async fn every_call_of_an_identity_verifier_arrives_with_its_arguments() {
    let mut mock = MockIdentityVerifier::new();
    mock.expect_verify()
        .withf(|token, at| token.expose() == "a token" && *at == now())
        .returning(|_, _| Err(VerifyError::Expired));
    let (verifier, noted) = noting!(DecoratedIdentityVerifier, mock);
    let verified = verifier.verify(&AccessToken::new("a token"), now()).await;
    assert!(matches!(verified, Err(VerifyError::Expired)));
    assert_eq!(*noted.lock().unwrap(), ["verify"]);
}

#[tokio::test]
async fn every_call_of_a_user_store_arrives_with_its_arguments() {
    let email: Email = "minji@example.com".parse().unwrap();
    let user = User::unknown(email.clone());
    let page = UsersPage { users: vec![user.clone()], next: Some(email.clone()) };
    let mut mock = MockUserStore::new();
    let (stored, listed) = (user.clone(), page.clone());
    mock.expect_get().with(eq(email.clone())).returning(move |_| Ok(Some(stored.clone())));
    mock.expect_put().with(eq(user.clone())).returning(|_| Ok(()));
    mock.expect_list().with(eq(Some(email.clone()))).returning(move |_| Ok(listed.clone()));
    let (store, noted) = noting!(DecoratedUserStore, mock);
    assert_eq!(store.get(&email).await.unwrap(), Some(user.clone()));
    store.put(&user).await.unwrap();
    assert_eq!(store.list(Some(email)).await.unwrap(), page);
    assert_eq!(*noted.lock().unwrap(), ["get", "put", "list"]);
}

#[tokio::test]
async fn every_call_of_a_connection_store_arrives_with_its_arguments() {
    let email: Email = "minji@example.com".parse().unwrap();
    let mut mock = MockConnectionStore::new();
    mock.expect_put().with(eq(connection())).returning(|_| Ok(()));
    mock.expect_get().with(eq(phone())).returning(|_| Ok(Some(connection())));
    mock.expect_of_user().with(eq(email.clone()), eq(now())).returning(|_, _| Ok(vec![connection()]));
    mock.expect_set_identity_expiry().with(eq(phone()), eq(now())).returning(|_, _| Ok(true));
    mock.expect_delete().with(eq(phone())).returning(|_| Ok(()));
    mock.expect_delete_if_connected_before().with(eq(phone()), eq(now())).returning(|_, _| Ok(true));
    let (store, noted) = noting!(DecoratedConnectionStore, mock);
    store.put(&connection()).await.unwrap();
    assert_eq!(store.get(&phone()).await.unwrap(), Some(connection()));
    assert_eq!(store.of_user(&email, now()).await.unwrap(), [connection()]);
    assert!(store.set_identity_expiry(&phone(), now()).await.unwrap());
    store.delete(&phone()).await.unwrap();
    assert!(store.delete_if_connected_before(&phone(), now()).await.unwrap());
    let all = ["put", "get", "of_user", "set_identity_expiry", "delete", "delete_if_connected_before"];
    assert_eq!(*noted.lock().unwrap(), all);
}

#[tokio::test]
async fn every_call_of_a_message_store_arrives_with_its_arguments() {
    let (room, query) =
        (Room::empty(their_room()), PageQuery { range: PageRange::Before(now()), limit: PageLimit::ONE });
    let (append, mark) = (append_to(&room), ReadMark { up_to: now(), count: 1 });
    let activity = Some(Activity { day: now().day(), room: their_room().tag() });
    let page = Page { messages: vec![append.message().clone()], has_more: true };
    let rooms = RoomsPage { rooms: vec![room.clone()], next: activity };

    let mut mock = MockMessageStore::new();
    mock.expect_room().with(eq(their_room()), eq(Consistency::Strong)).returning(|_, _| Ok(None));
    mock.expect_commit().with(eq(append.clone())).returning(|_| Err(MessageStoreError::Conflict));
    let found = page.clone();
    mock.expect_page()
        .with(eq(their_room()), eq(query), eq(Consistency::Eventual))
        .returning(move |_, _, _| Ok(found.clone()));
    let listed = rooms.clone();
    mock.expect_rooms_of()
        .with(eq(their_room().email(Member::B).clone()), eq(activity))
        .returning(move |_, _| Ok(listed.clone()));
    mock.expect_advance_read()
        .with(eq(their_room()), eq(Member::B), eq(mark))
        .returning(|_, _, _| Ok(Advance::NoRoom));
    let block = ConsentWrite::Block { at: now(), freezes_reads: true };
    mock.expect_write_consent()
        .with(eq(their_room()), eq(Member::B), eq(block))
        .returning(|_, _, _| Ok(true));

    let (store, noted) = noting!(DecoratedMessageStore, mock);
    assert_eq!(store.room(&their_room(), Consistency::Strong).await.unwrap(), None);
    assert!(matches!(store.commit(&append).await, Err(MessageStoreError::Conflict)));
    assert_eq!(store.page(&their_room(), query, Consistency::Eventual).await.unwrap(), page);
    assert_eq!(store.rooms_of(their_room().email(Member::B), activity).await.unwrap(), rooms);
    let advance = store.advance_read(&their_room(), Member::B, mark).await.unwrap();
    assert_eq!(advance, Advance::NoRoom);
    assert!(store.write_consent(&their_room(), Member::B, block).await.unwrap());
    let all = ["room", "commit", "page", "rooms_of", "advance_read", "write_consent"];
    assert_eq!(*noted.lock().unwrap(), all);
}

#[tokio::test]
async fn every_call_of_a_message_eraser_arrives_with_its_arguments() {
    let room = Room::empty(their_room());
    let message = append_to(&room).log.newest;
    let mut mock = MockMessageEraser::new();
    mock.expect_erase_message().with(eq(message.clone())).returning(|_| Ok(()));
    mock.expect_rewrite_head().with(eq(room.clone())).returning(|_| Err(MessageStoreError::Conflict));
    let (first, second) = (room.clone(), room.clone());
    mock.expect_remove_oldest()
        .withf(move |room, rows| *room == first && rows == [now()])
        .returning(|_, _| Ok(()));
    mock.expect_remove_room()
        .withf(move |room, rows| *room == second && rows.is_empty())
        .returning(|_, _| Ok(()));
    let (eraser, noted) = noting!(DecoratedMessageEraser, mock);
    eraser.erase_message(&message).await.unwrap();
    assert!(matches!(eraser.rewrite_head(&room).await, Err(MessageStoreError::Conflict)));
    eraser.remove_oldest(&room, &[now()]).await.unwrap();
    eraser.remove_room(&room, &[]).await.unwrap();
    let all = ["erase_message", "rewrite_head", "remove_oldest", "remove_room"];
    assert_eq!(*noted.lock().unwrap(), all);
}

#[tokio::test]
async fn every_call_of_a_pusher_arrives_with_its_arguments() {
    let push = Push::from(Event::UnknownConnection(Correlation::default()));
    let mut mock = MockPusher::new();
    mock.expect_push().with(eq(phone()), eq(push.clone())).returning(|_, _| Ok(()));
    mock.expect_close().with(eq(phone())).returning(|_| Err(PushError::Gone));
    let (pusher, noted) = noting!(DecoratedPusher, mock);
    pusher.push(&phone(), &push).await.unwrap();
    assert!(matches!(pusher.close(&phone()).await, Err(PushError::Gone)));
    assert_eq!(*noted.lock().unwrap(), ["push", "close"]);
}

fn key() -> AttachmentKey {
    AttachmentKey::mint(&their_room(), Member::A, facts(), 7)
}

fn facts() -> ImageFacts {
    ImageFacts::new(ImageType::Png, 67, 1, 1).unwrap()
}

fn signed(url: &str) -> SignedUrl {
    SignedUrl { url: url.to_owned(), headers: Vec::new(), expires_at: now() }
}

#[tokio::test]
async fn every_call_of_an_attachment_store_arrives_with_its_arguments() {
    let facts = facts();
    let mut mock = MockAttachmentStore::new();
    mock.expect_upload_url()
        .with(eq(key()), eq(facts), eq(now()))
        .returning(|_, _, _| Ok(signed("http://localhost/up")));
    mock.expect_inspect().with(eq(key())).returning(|_| Ok(None));
    mock.expect_keep().with(eq(key())).returning(|_| Ok(true));
    mock.expect_download_url()
        .with(eq(key()), eq(now()))
        .returning(|_, _| Ok(signed("http://localhost/down")));
    let (store, noted) = noting!(DecoratedAttachmentStore, mock);
    assert_eq!(store.upload_url(&key(), facts, now()).await.unwrap(), signed("http://localhost/up"));
    assert_eq!(store.inspect(&key()).await.unwrap(), None);
    assert!(store.keep(&key()).await.unwrap());
    assert_eq!(store.download_url(&key(), now()).await.unwrap(), signed("http://localhost/down"));
    assert_eq!(*noted.lock().unwrap(), ["upload_url", "inspect", "keep", "download_url"]);
}

#[tokio::test]
async fn every_call_of_an_attachment_eraser_arrives_with_its_arguments() {
    let uploads = UploadsPage { uploads: Vec::new(), next: Some(key()) };
    let mut mock = MockAttachmentEraser::new();
    let listed = uploads.clone();
    mock.expect_list().with(eq(Some(key()))).returning(move |_| Ok(listed.clone()));
    mock.expect_delete().with(eq(key())).returning(|_| Ok(()));
    let (eraser, noted) = noting!(DecoratedAttachmentEraser, mock);
    assert_eq!(eraser.list(Some(key())).await.unwrap(), uploads);
    eraser.delete(&key()).await.unwrap();
    assert_eq!(*noted.lock().unwrap(), ["list", "delete"]);
}

#[tokio::test]
async fn a_closure_may_call_something_else_and_change_the_reply() {
    let stored = Arc::new(MemoryConnectionStore::new());
    let store = DecoratedConnectionStore::new(stored.clone(), |call, next| {
        Box::pin(async move {
            // Whatever is stored is another's, and whatever is deleted is said not to have been there.
            let call = match call {
                ConnectionStoreCall::Put { connection } => {
                    let other = Connection { id: ConnectionId::new("another"), ..connection.into_owned() };
                    ConnectionStoreCall::Put { connection: Cow::Owned(other) }
                }
                call => call,
            };
            Ok(match next.call(call).await? {
                ConnectionStoreReply::DeleteIfConnectedBefore(_) => {
                    ConnectionStoreReply::DeleteIfConnectedBefore(false)
                }
                reply => reply,
            })
        })
    });
    store.put(&connection()).await.unwrap();
    assert_eq!(store.get(&phone()).await.unwrap(), None);
    let another = ConnectionId::new("another");
    assert!(stored.get(&another).await.unwrap().is_some());
    assert!(!store.delete_if_connected_before(&another, Timestamp::MAX).await.unwrap());
    assert_eq!(stored.get(&another).await.unwrap(), None, "it was there");
}

#[tokio::test]
async fn a_call_may_be_made_twice_or_by_other_methods_or_not_at_all() {
    let stored = Arc::new(MemoryMessageStore::new());
    let store = DecoratedMessageStore::new(stored.clone(), |call, next| match call {
        MessageStoreCall::Commit { .. } => Box::pin(async move {
            next.call(call.clone()).await?;
            next.call(call).await
        }),
        MessageStoreCall::Room { id, .. } => Box::pin(async move {
            next.room(&id, Consistency::Eventual).await?;
            Ok(MessageStoreReply::Room(None))
        }),
        _ => answer(Err(MessageStoreError::Throttled { operation: call.method() })),
    });
    let twice = store.commit(&append_to(&Room::empty(their_room()))).await;
    assert!(matches!(twice, Err(MessageStoreError::Conflict)), "{twice:?}");
    assert_eq!(store.room(&their_room(), Consistency::Strong).await.unwrap(), None);
    assert!(stored.room(&their_room(), Consistency::Strong).await.unwrap().is_some());
    let listed = store.rooms_of(their_room().email(Member::A), None).await;
    assert!(matches!(listed, Err(MessageStoreError::Throttled { operation: "rooms_of" })), "{listed:?}");
}

/// A store that takes its time goes on when nobody waits for it any more.
#[tokio::test]
async fn a_call_can_outlive_its_caller() {
    let stored = Arc::new(MemoryConnectionStore::new());
    let (done, is_done) = tokio::sync::oneshot::channel();
    let done = Mutex::new(Some(done));
    let store = DecoratedConnectionStore::new(stored.clone(), move |call, next| {
        let (call, next, done) = (call.into_owned(), next.clone(), done.lock().unwrap().take());
        tokio::spawn(async move { done.unwrap().send(next.call(call).await.is_ok()) });
        answer(Err(ConnectionStoreError::Unavailable { operation: "put", source: "nobody answers".into() }))
    });
    store.put(&connection()).await.unwrap_err();
    assert!(is_done.await.unwrap());
    assert_eq!(stored.get(&phone()).await.unwrap(), Some(connection()));
}

#[tokio::test]
async fn what_is_decorated_can_be_decorated_again() {
    let counting = |next: Arc<dyn ConnectionStore>, count: &Arc<AtomicU32>| {
        let count = count.clone();
        Arc::new(DecoratedConnectionStore::new(next, move |call, next| {
            count.fetch_add(1, Ordering::Relaxed);
            next.call(call)
        }))
    };
    let (inner, outer) = (Arc::default(), Arc::default());
    let store = counting(counting(Arc::new(MemoryConnectionStore::new()), &inner), &outer);
    store.put(&connection()).await.unwrap();
    store.delete(&phone()).await.unwrap();
    assert_eq!((inner.load(Ordering::Relaxed), outer.load(Ordering::Relaxed)), (2, 2));
}

/// As with every port: a future that nobody polls does nothing.
#[tokio::test]
async fn nothing_happens_before_a_call_is_waited_for() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let store = DecoratedConnectionStore::new(Arc::new(MemoryConnectionStore::new()), move |call, next| {
        counted.fetch_add(1, Ordering::Relaxed);
        next.call(call)
    });
    let id = phone();
    let call = store.get(&id);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    call.await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
#[should_panic(expected = "`get` cannot reply Put(())")]
async fn a_reply_to_another_method_is_a_mistake_of_the_closure() {
    let store = DecoratedConnectionStore::new(Arc::new(MemoryConnectionStore::new()), |_, _| {
        answer(Ok(ConnectionStoreReply::Put(())))
    });
    let _ = store.get(&phone()).await;
}

#[test]
fn futures_of_a_decorated_port_can_be_spawned() {
    fn is_send(_: impl Future + Send) {}
    let store =
        DecoratedConnectionStore::new(Arc::new(MemoryConnectionStore::new()), |call, next| next.call(call));
    is_send(store.delete(&phone()));
}

#[test]
fn a_call_that_is_printed_shows_no_token() {
    let call = IdentityVerifierCall::Verify { token: Cow::Owned(AccessToken::new("secret")), now: now() };
    assert!(!format!("{call:?}").contains("secret"));
}
