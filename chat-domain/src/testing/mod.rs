//! One decorator for every port, to see, change, delay, refuse, count or answer its calls.
//!
//! Tests of a composition need stores that throttle, lose answers, lag, or say what they were asked. Instead
//! of a fake that implements a whole port by hand, write a closure over a real adapter. A [`Decorated`] port
//! hands each call to the closure, together with the port that it decorates. The call is a value: an enum
//! such as [`MessageStoreCall`], which names the method and carries its arguments. The closure
//!
//! - **passes the call on** with [`next.call(call)`](Port::call), as it is or changed, as often as it likes;
//! - **looks at the reply**, an enum such as [`MessageStoreReply`], and may change it;
//! - **answers in the port's place** with [`answer`].
//!
//! A port that has no other one behind it is made of a closure too, with [`Decorated::from_fn`].
//!
//! # Example: the second commit fails
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use chat_adapters_memory::MemoryMessageStore;
//! use chat_domain::testing::{DecoratedMessageStore, MessageStoreCall, Port as _, answer};
//! use chat_domain::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let commits = AtomicU32::new(0);
//! let store = DecoratedMessageStore::new(Arc::new(MemoryMessageStore::new()), move |call, next| match call {
//!     MessageStoreCall::Commit { .. } if commits.fetch_add(1, Ordering::Relaxed) == 1 => {
//!         answer(Err(MessageStoreError::Throttled { operation: "commit" }))
//!     }
//!     call => next.call(call),
//! });
//!
//! // Wherever a composition takes a message store, it takes this one.
//! let store: Arc<dyn MessageStore> = Arc::new(store);
//! let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
//! let mut room = Room::empty(RoomId::new(&minji, &junho)?);
//! let mut commits = Vec::new();
//! for number in 1..=3 {
//!     let content = Content::Text("안녕하세요".parse()?);
//!     let id = ClientMessageId::from_u128(number);
//!     let draft = Draft { id, sender: Member::A, content, reply_to: None };
//!     let append = room.append(&draft, "2026-11-23T09:00:00.000Z".parse()?, SendRate::default())?;
//!     commits.push(store.commit(&append).await);
//!     room = store.room(room.id(), Consistency::Strong).await?.expect("it holds a message");
//! }
//! assert!(matches!(commits[..], [Ok(()), Err(MessageStoreError::Throttled { .. }), Ok(())]));
//! assert_eq!(room.seq(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Example: the answer is lost
//!
//! Whatever happens after the call needs a boxed future, which passes the call on and waits for the reply.
//!
//! ```
//! use std::sync::Arc;
//! use chat_adapters_memory::MemoryConnectionStore;
//! use chat_domain::testing::{ConnectionStoreCall, DecoratedConnectionStore, Port as _};
//! use chat_domain::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = DecoratedConnectionStore::new(Arc::new(MemoryConnectionStore::new()), |call, next| {
//!     Box::pin(async move {
//!         let loses_its_answer = matches!(call, ConnectionStoreCall::Delete { .. });
//!         let operation = call.method();
//!         let reply = next.call(call).await?;
//!         if loses_its_answer {
//!             return Err(ConnectionStoreError::Unavailable { operation, source: "lost".into() });
//!         }
//!         Ok(reply)
//!     })
//! });
//! assert!(store.delete(&ConnectionId::new("a phone")).await.is_err());
//! assert_eq!(store.get(&ConnectionId::new("a phone")).await.unwrap(), None);
//! # }
//! ```
//!
//! # Example: everything is recorded
//!
//! A call borrows what the caller gave. [`into_owned`](MessageStoreCall::into_owned) makes one that lives on.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use chat_adapters_memory::MemoryPusher;
//! use chat_domain::testing::{DecoratedPusher, Port as _, PusherCall};
//! use chat_domain::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let calls: Arc<Mutex<Vec<PusherCall<'static>>>> = Arc::default();
//! let pusher = DecoratedPusher::new(Arc::new(MemoryPusher::new()), {
//!     let calls = calls.clone();
//!     move |call, next| {
//!         calls.lock().unwrap().push(call.clone().into_owned());
//!         next.call(call)
//!     }
//! });
//! let phone = ConnectionId::new("a phone");
//! assert!(matches!(pusher.close(&phone).await, Err(PushError::Gone)));
//! assert!(matches!(&calls.lock().unwrap()[..], [PusherCall::Close { id }] if **id == phone));
//! # }
//! ```

//! # Example: nothing is behind the port
//!
//! ```
//! use chat_domain::testing::{DecoratedUserStore, UserStoreCall, UserStoreReply, answer};
//! use chat_domain::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let nobody = DecoratedUserStore::from_fn(|call| {
//!     answer(match call {
//!         UserStoreCall::Get { .. } => Ok(UserStoreReply::Get(None)),
//!         call => Err(UserStoreError::Throttled { operation: call.method() }),
//!     })
//! });
//! assert_eq!(nobody.get(&"minji@example.com".parse()?).await?, None);
//! # Ok(())
//! # }
//! ```

mod calls;
mod decorator;

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

pub use self::calls::*;

/// A port whose calls are values: implemented for `dyn MessageStore` and every other port.
pub trait Port: Send + Sync + 'static {
    /// A call of one of its methods, with the arguments.
    type Call<'a>: Send;
    /// What a method returns when it succeeds: the variant of the same name.
    type Reply: Send;
    /// What a method returns when it fails.
    type Error: Send;

    /// Calls the method that `call` names.
    fn call<'a, 'b: 'a>(&'a self, call: Self::Call<'b>) -> Outcome<'a, Self>;
}

/// What comes of a call of the port `P`, once it is there.
pub type Outcome<'a, P> =
    Pin<Box<dyn Future<Output = Result<<P as Port>::Reply, <P as Port>::Error>> + Send + 'a>>;

type Decorate<P> = dyn for<'a> Fn(<P as Port>::Call<'a>, &'a Arc<P>) -> Outcome<'a, P> + Send + Sync;
type Answer<P> = dyn for<'a> Fn(<P as Port>::Call<'a>) -> Outcome<'static, P> + Send + Sync;

enum Closure<P: Port + ?Sized> {
    Over { next: Arc<P>, decorate: Box<Decorate<P>> },
    Alone(Box<Answer<P>>),
}

/// A port whose calls go through a closure. The [module](self) shows how.
///
/// A decorated port can be decorated again. The closure runs when the method's future is polled for the first
/// time.
///
/// # Panics
///
/// Where the closure gives a reply to another method than the one that was called.
pub struct Decorated<P: Port + ?Sized>(Closure<P>);

impl<P: Port + ?Sized> Decorated<P> {
    /// Hands each call of `next` to `decorate`, together with `next`.
    pub fn new(
        next: Arc<P>,
        decorate: impl for<'a> Fn(P::Call<'a>, &'a Arc<P>) -> Outcome<'a, P> + Send + Sync + 'static,
    ) -> Self {
        Self(Closure::Over { next, decorate: Box::new(decorate) })
    }

    /// Hands each call to `answer`, which has no other port behind it. The outcome borrows nothing, so a
    /// closure that waits makes the call its own with `into_owned`.
    pub fn from_fn(
        answer: impl for<'a> Fn(P::Call<'a>) -> Outcome<'static, P> + Send + Sync + 'static,
    ) -> Self {
        Self(Closure::Alone(Box::new(answer)))
    }

    fn decorated<'a>(&'a self, call: P::Call<'a>) -> Outcome<'a, P> {
        match &self.0 {
            Closure::Over { next, decorate } => decorate(call, next),
            Closure::Alone(answer) => answer(call),
        }
    }
}

/// The outcome of a call that the closure of a [`Decorated`] port answers itself, at once.
pub fn answer<'a, T: Send + 'a>(outcome: T) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(ready(outcome))
}
