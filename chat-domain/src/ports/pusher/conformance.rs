use std::sync::Arc;

use async_trait::async_trait;

use crate::conformance::{MINJI, eventually, in_time, minji, november, race, suite, their_room};
use crate::{
    ClientMessageId, ConnectionId, Content, Correlation, Draft, Event, PushError, Pusher, Room, SendRate,
};

suite! {
    /// Expands to one test for each behaviour of a [`Pusher`](crate::Pusher), each on a
    /// [`PusherHarness`](crate::conformance::PusherHarness) that the given `async` function returns. See
    /// [`conformance`](crate::conformance).
    pusher_conformance in pusher on one crate::conformance::PusherHarness {
        "A push is a hint" {
            every_kind_of_event_arrives,
            every_push_of_many_at_once_arrives,
        }
        "Bounded" {
            a_client_that_takes_nothing_holds_no_call_up,
        }
        "Errors" {
            a_push_to_a_connection_that_never_was_finds_it_gone,
            a_push_to_a_connection_that_hung_up_finds_it_gone,
        }
        "push" {
            a_push_reaches_its_connection_alone,
        }
        "close" {
            a_closed_connection_sees_that_and_is_gone,
            closing_leaves_other_connections_open,
            closing_a_connection_that_never_was_finds_it_gone,
            closing_a_connection_that_hung_up_finds_it_gone,
        }
    }
}

/// The clients at the other end of a [`Pusher`].
#[async_trait]
pub trait PusherHarness: Send + Sync {
    /// The pusher under test.
    fn pusher(&self) -> &dyn Pusher;

    /// Opens a connection, and returns when pushes can reach it.
    async fn open(&self) -> ConnectionId;

    /// The name of a connection that never was, but well-formed.
    fn unknown(&self) -> ConnectionId;

    /// How many frames a connection has received since it was opened. It may lag behind the pushes.
    async fn received(&self, id: &ConnectionId) -> usize;

    /// Whether the client still sees its connection open. It may lag behind a close.
    async fn is_open(&self, id: &ConnectionId) -> bool;

    /// Closes a connection from the client's side, and returns when the gateway has noticed.
    async fn hang_up(&self, id: &ConnectionId);
}

type Harness = Arc<dyn PusherHarness>;

const TAKEN: &str = "the gateway takes it";

fn typing() -> Event {
    Event::Typing { room: their_room(), sender: minji() }
}

fn every_kind() -> [Event; 4] {
    let text = "안녕하세요".parse().expect("the text is short");
    let draft = Draft {
        id: ClientMessageId::from_u128(1),
        sender: MINJI,
        content: Content::Text(text),
        reply_to: None,
    };
    let append = Room::empty(their_room()).append(&draft, november(23), SendRate::default());
    [
        Event::Message(append.expect("the first message of a room").log.newest),
        Event::Read { room: their_room(), reader: minji(), up_to: november(23) },
        typing(),
        Event::UnknownConnection(Correlation::default()),
    ]
}

async fn push(harness: &Harness, to: &ConnectionId, event: Event) -> Result<(), PushError> {
    in_time(harness.pusher().push(to, &event.into())).await
}

async fn close(harness: &Harness, id: &ConnectionId) -> Result<(), PushError> {
    in_time(harness.pusher().close(id)).await
}

async fn every_kind_of_event_arrives(harness: Harness) {
    let id = harness.open().await;
    for event in every_kind() {
        push(&harness, &id, event).await.expect(TAKEN);
    }
    eventually(4, async || harness.received(&id).await).await;
}

async fn a_push_reaches_its_connection_alone(harness: Harness) {
    let (one, other) = (harness.open().await, harness.open().await);
    push(&harness, &one, typing()).await.expect(TAKEN);
    push(&harness, &one, typing()).await.expect(TAKEN);
    eventually(2, async || harness.received(&one).await).await;
    assert_eq!(harness.received(&other).await, 0);
}

async fn every_push_of_many_at_once_arrives(harness: Harness) {
    let id = harness.open().await;
    race((0..20).map(|_| {
        let (harness, id) = (Arc::clone(&harness), id.clone());
        async move { push(&harness, &id, typing()).await.expect(TAKEN) }
    }))
    .await;
    eventually(20, async || harness.received(&id).await).await;
}

async fn a_client_that_takes_nothing_holds_no_call_up(harness: Harness) {
    let (idle, other) = (harness.open().await, harness.open().await);
    for _ in 0..500 {
        // Whether it is taken is the gateway's to say.
        drop(push(&harness, &idle, typing()).await);
    }
    push(&harness, &other, typing()).await.expect(TAKEN);
    eventually(1, async || harness.received(&other).await).await;
    drop(close(&harness, &idle).await);
}

async fn push_finds_it_gone(harness: &Harness, id: &ConnectionId) {
    let pushed = push(harness, id, typing()).await;
    assert!(matches!(pushed, Err(PushError::Gone)), "{pushed:?}");
}

async fn close_finds_it_gone(harness: &Harness, id: &ConnectionId) {
    let closed = close(harness, id).await;
    assert!(matches!(closed, Err(PushError::Gone)), "{closed:?}");
}

async fn a_push_to_a_connection_that_never_was_finds_it_gone(harness: Harness) {
    push_finds_it_gone(&harness, &harness.unknown()).await;
}

async fn a_push_to_a_connection_that_hung_up_finds_it_gone(harness: Harness) {
    let id = harness.open().await;
    harness.hang_up(&id).await;
    push_finds_it_gone(&harness, &id).await;
}

async fn a_closed_connection_sees_that_and_is_gone(harness: Harness) {
    let id = harness.open().await;
    close(&harness, &id).await.expect(TAKEN);
    eventually(false, async || harness.is_open(&id).await).await;
    push_finds_it_gone(&harness, &id).await;
    close_finds_it_gone(&harness, &id).await;
}

async fn closing_leaves_other_connections_open(harness: Harness) {
    let (one, other) = (harness.open().await, harness.open().await);
    close(&harness, &one).await.expect(TAKEN);
    eventually(false, async || harness.is_open(&one).await).await;
    assert!(harness.is_open(&other).await);
    push(&harness, &other, typing()).await.expect(TAKEN);
    eventually(1, async || harness.received(&other).await).await;
}

async fn closing_a_connection_that_never_was_finds_it_gone(harness: Harness) {
    close_finds_it_gone(&harness, &harness.unknown()).await;
}

async fn closing_a_connection_that_hung_up_finds_it_gone(harness: Harness) {
    let id = harness.open().await;
    harness.hang_up(&id).await;
    close_finds_it_gone(&harness, &id).await;
}
