//! Who is admitted, and what whoever runs the chat decides about it.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chat_domain::testing::{
    ConnectionStoreCall, DecoratedConnectionStore, DecoratedUserStore, Port as _, UserStoreCall, answer,
};
use chat_domain::{
    ADMITTED_FOR, AccessChange, Admit, ChangeAccess, ChatError, Connect, ConnectCommand, ConnectionId, Cut,
    CutConnections, DailyLimits, DailyUsage, Event, SendOutcome, SendPolicy, Timestamp, User, UserId,
    UserStore, UserStoreError, VerifiedIdentity,
};

use crate::assert_refused;
use crate::chat::*;

fn minji_as(account: &str) -> VerifiedIdentity {
    VerifiedIdentity::vouched(minji(), UserId::new(account), expiry())
}

async fn change(chat: &Chat, change: AccessChange, now: Timestamp) -> User {
    ChangeAccess::new(chat.users.clone()).execute(&minji(), &change, now).await.unwrap()
}

async fn cut(chat: &Chat) -> Cut {
    let cut = CutConnections::new(chat.connections.port(), chat.pushes.port());
    cut.execute(&minji()).await.unwrap()
}

/// The row of Minji's as it is.
async fn row(chat: &Chat) -> User {
    chat.users.get(&minji()).await.unwrap().unwrap()
}

/// A store that counts how often it is asked, and answers `fault` in place of the first writes.
fn store(
    chat: &Chat,
    faults: usize,
    fault: fn() -> UserStoreError,
) -> (Arc<DecoratedUserStore>, Arc<AtomicUsize>) {
    let (asked, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(faults)));
    let counted = asked.clone();
    let decorated = DecoratedUserStore::new(chat.users.clone(), move |call, next| {
        counted.fetch_add(1, Ordering::Relaxed);
        let one_less = |left: usize| left.checked_sub(1);
        let is_put = matches!(call, UserStoreCall::Put { .. });
        if is_put && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            return answer(Err(fault()));
        }
        next.call(call)
    });
    (Arc::new(decorated), asked)
}

#[tokio::test]
async fn whoever_connects_first_owns_the_address() {
    let chat = Chat::without_devices(no_limit());
    let first = chat.verifier.issue(minji_as("the first"), 1);
    chat.connect(MINJI_PHONE, &first, at(0)).await.unwrap();
    let later = chat.verifier.issue(minji_as("who came later"), 2);
    assert_refused!(chat.connect(MINJI_LAPTOP, &later, at(1)).await, ChatError::NotYours);
    assert_eq!(chat.row(MINJI_LAPTOP).await, None, "its row is gone");
    assert!(chat.row(MINJI_PHONE).await.is_some());

    change(&chat, AccessChange::Release { to: None }, at(2)).await;
    chat.connect(MINJI_LAPTOP, &later, at(3)).await.unwrap();
    assert_refused!(chat.connect("a tablet", &first, at(4)).await, ChatError::NotYours);
}

#[tokio::test]
async fn whoever_is_refused_closes_nobodys_connection() {
    let chat = Chat::without_devices(no_limit());
    let token = chat.verifier.issue(minji_as("the first"), 1);
    for n in 0..20 {
        let tab = format!("tab-{n}");
        chat.connect(&tab, &token, at(n)).await.unwrap();
        chat.open_socket(&tab);
    }
    let later = chat.verifier.issue(minji_as("who came later"), 2);
    assert_refused!(chat.connect("one-more", &later, at(60_000)).await, ChatError::NotYours);
    assert!((0..20).all(|n| chat.is_open(&format!("tab-{n}"))));
}

#[tokio::test]
async fn a_suspended_user_is_refused_and_their_sockets_are_closed() {
    let chat = Chat::new().await;
    // A process that knows who speaks there.
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    change(&chat, AccessChange::Suspend, at(1)).await;
    assert_eq!(cut(&chat).await, Cut { found: 2, closed: 2, gone: 0, failed: 0 });

    assert!(!chat.is_open(MINJI_PHONE) && !chat.is_open(MINJI_LAPTOP));
    for device in [MINJI_PHONE, MINJI_LAPTOP] {
        let refused = chat.send(device, to_junho(2, "나 아직 있어"), at(2)).await;
        assert_refused!(refused, ChatError::UnknownConnection);
    }
    let token = chat.verifier.issue(identity(&minji(), expiry()), 1);
    assert_refused!(chat.connect(MINJI_PHONE, &token, at(3)).await, ChatError::Suspended);
    assert_eq!(chat.row(MINJI_PHONE).await, None);
    assert!(chat.is_open(JUNHO_PHONE), "nobody else's");

    change(&chat, AccessChange::Resume, at(4)).await;
    chat.connect(MINJI_PHONE, &token, at(5)).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_was_not_closed_is_not_extended() {
    let chat = Chat::new().await;
    change(&chat, AccessChange::Suspend, at(1)).await;
    let token = chat.verifier.issue(identity(&minji(), at(7_200_000)), 1);
    let refused = chat.here.reauthenticate.execute(&origin(MINJI_PHONE, at(2)), &token).await;
    assert_refused!(refused, ChatError::Suspended);
    assert_eq!(chat.row(MINJI_PHONE).await.unwrap().identity.expires_at(), expiry());
}

/// The user's row is read after the connection was stored: whoever suspends writes the row first, and then
/// lists connections.
#[tokio::test]
async fn a_user_who_is_suspended_while_they_connect_is_refused_or_their_connection_is_found() {
    let chat = Chat::without_devices(no_limit());
    let users = chat.users.clone();
    let connections = DecoratedConnectionStore::new(chat.connections.port(), move |call, next| {
        let users = users.clone();
        Box::pin(async move {
            let is_put = matches!(call, ConnectionStoreCall::Put { .. });
            let reply = next.call(call).await?;
            if is_put {
                // Suspended at the last moment at which the list does not show what was stored just now.
                let change = ChangeAccess::new(users);
                change.execute(&minji(), &AccessChange::Suspend, at(0)).await.unwrap();
            }
            Ok(reply)
        })
    });
    let verifier = Arc::new(chat.verifier.clone());
    let connect = Connect::new(verifier, chat.users.clone(), Arc::new(connections), chat.pushes.port());
    let command = ConnectCommand {
        connection: ConnectionId::new(MINJI_PHONE),
        token: chat.verifier.issue(identity(&minji(), expiry()), 1),
        connected_at: at(0),
        now: at(0),
    };
    assert_refused!(connect.execute(command).await, ChatError::Suspended);
    assert_eq!(chat.row(MINJI_PHONE).await, None);
}

#[tokio::test]
async fn a_user_who_was_admitted_is_believed_for_half_a_minute() {
    let chat = Chat::without_devices(no_limit());
    let (users, asked) = store(&chat, 0, || UserStoreError::Conflict);
    let admit = Admit::new(users);
    let who = minji_as("1");
    admit.execute(&who, at(0)).await.unwrap();
    let read = asked.load(Ordering::Relaxed);
    change(&chat, AccessChange::Suspend, at(0)).await;
    let end = at(0).after(ADMITTED_FOR);
    admit.execute(&who, end.previous()).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), read, "nothing was read");
    assert_refused!(admit.execute(&who, end).await, ChatError::Suspended);
    assert_refused!(admit.execute(&who, end.next()).await, ChatError::Suspended);
    assert!(ADMITTED_FOR < Duration::from_secs(60));
}

#[tokio::test]
async fn what_is_believed_is_of_one_account_and_of_no_clock_that_went_back() {
    let chat = Chat::without_devices(no_limit());
    let admit = Admit::new(chat.users.clone());
    admit.execute(&minji_as("1"), at(0)).await.unwrap();
    assert_refused!(admit.execute(&minji_as("2"), at(1)).await, ChatError::NotYours);
    change(&chat, AccessChange::Suspend, at(0)).await;
    assert_refused!(admit.execute(&minji_as("1"), at(-1)).await, ChatError::Suspended);
}

#[tokio::test]
async fn a_row_that_others_write_meanwhile_is_read_again() {
    let chat = Chat::without_devices(no_limit());
    let (users, _) = store(&chat, 9, || UserStoreError::Conflict);
    Admit::new(users).execute(&minji_as("1"), at(0)).await.unwrap();
    assert_eq!(row(&chat).await.owner, Some(UserId::new("1")));

    let (users, _) = store(&chat, usize::MAX, || UserStoreError::Conflict);
    let changed = ChangeAccess::new(users).execute(&minji(), &AccessChange::Suspend, at(0)).await;
    assert_refused!(changed, ChatError::Unavailable { .. });
}

#[tokio::test]
async fn a_store_that_does_not_answer_admits_nobody() {
    let chat = Chat::without_devices(no_limit());
    let (users, _) = store(&chat, 1, || UserStoreError::Throttled { operation: "put" });
    let admit = Admit::new(users);
    assert_refused!(admit.execute(&minji_as("1"), at(0)).await, ChatError::Unavailable { .. });
    admit.execute(&minji_as("1"), at(0)).await.unwrap();
    let corrupt = UserStoreError::Corrupt { source: "no version".into() };
    assert!(matches!(ChatError::from(corrupt), ChatError::Internal { .. }));
}

/// One room, and ten bytes, a day.
fn little() -> SendPolicy {
    let daily = DailyLimits {
        rooms: NonZeroU32::MIN,
        upload_bytes: NonZeroU64::new(10).expect("not zero"),
        ..DailyLimits::default()
    };
    SendPolicy { daily, ..no_limit() }
}

#[tokio::test]
async fn one_room_more_than_a_day_has_is_refused_and_nothing_of_it_is_stored() {
    let chat = Chat::with_policy(little()).await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let other = email("junho+1@example.com");
    let to_other =
        |number| chat_domain::SendCommand { receiver: other.clone(), ..to_junho(number, "안녕") };
    let refused = chat.send(MINJI_PHONE, to_other(2), at(1)).await;
    // It is nine in the morning.
    let Err(ChatError::RateLimited { retry_after }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after, Duration::from_millis(15 * 3_600_000 - 1));
    assert!(chat.conversations().execute(&other, None).await.unwrap().conversations.is_empty());

    chat.send(MINJI_PHONE, to_junho(3, "잘 지내?"), at(2)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(4, "응"), at(3)).await.unwrap();
    assert_eq!(chat.users.get(&junho()).await.unwrap(), None, "who answers begins nothing");
    let tomorrow = at(1).after(retry_after);
    let who = identity(&minji(), Timestamp::MAX);
    let sent = chat.here.send.execute(&who, to_other(2), tomorrow).await.unwrap();
    assert!(matches!(sent.outcome, SendOutcome::Stored { .. }));
}

#[tokio::test]
async fn a_message_to_a_known_room_neither_reads_nor_writes_the_users_row() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let before = row(&chat).await;
    chat.send(MINJI_PHONE, to_junho(2, "또"), at(1)).await.unwrap();
    assert_eq!(row(&chat).await, before);
    let usage = DailyUsage { day: at(0).day(), rooms: 1, upload_bytes: 0, reports: 0 };
    assert_eq!((before.usage, before.version), (Some(usage), 1));
}

#[tokio::test]
async fn a_refused_first_message_counts_nothing() {
    let chat = Chat::with_policy(SendPolicy { first_contact: Default::default(), ..little() }).await;
    let facts = chat_domain::ImageFacts::new(chat_domain::ImageType::Png, 1_000, 20, 10).unwrap();
    let key = chat_domain::AttachmentKey::mint(&their_room(), MINJI, facts, 1);
    let attachment = chat_domain::Attachment { key, facts, alt: None };
    let content = chat_domain::Content::Image { attachment, caption: None };
    let image = chat_domain::SendCommand { content, ..to_junho(1, "사진") };
    assert_refused!(chat.send(MINJI_PHONE, image, at(0)).await, ChatError::NotAccepted);
    assert_eq!(chat.users.get(&minji()).await.unwrap(), None);
}

#[tokio::test]
async fn a_row_of_the_user_that_cannot_be_written_begins_no_room() {
    let chat = Chat::new().await;
    let (users, _) = store(&chat, 2, || UserStoreError::Throttled { operation: "put" });
    // On a head that may be stale it tries once more.
    let process = chat.process_counting(users);
    let refused = process.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
    assert_eq!(chat.rows().await, []);
    process.send(MINJI_PHONE, to_junho(1, "안녕"), at(1)).await.unwrap();
    let heard = chat.received(JUNHO_PHONE);
    assert!(matches!(&heard[..], [Event::Message(_)]), "{heard:?}");
}
