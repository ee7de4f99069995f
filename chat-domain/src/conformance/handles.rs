use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Two handles of one store, such as two processes have: each with a connection, and a cache if it has any,
/// of its own.
///
/// The suite writes through one and looks through the other, and lets both race.
///
/// ```text
/// async fn fresh() -> Handles<MyMessageStore> {
///     let database = /* nothing is in it yet */;
///     Handles::two(MyMessageStore::open(&database), MyMessageStore::open(&database))
/// }
/// ```
pub struct Handles<Store: ?Sized> {
    one: Arc<Store>,
    other: Arc<Store>,
    stopped_after: Option<Stopped<Store>>,
}

type Stopped<Store> = Arc<dyn Fn(usize) -> Arc<Store> + Send + Sync>;

impl<Store> Handles<Store> {
    /// Two handles that were opened apart.
    pub fn two(one: Store, other: Store) -> Self {
        Self { one: Arc::new(one), other: Arc::new(other), stopped_after: None }
    }

    /// The only handle that this store can have. What two processes may see differently stays untested.
    pub fn only(store: Store) -> Self {
        let store = Arc::new(store);
        Self { one: Arc::clone(&store), other: store, stopped_after: None }
    }

    /// Lets the suite stop a process in the middle of a call. `handle` makes one more handle of the store,
    /// which takes the given number of steps (requests, statements: whatever the store does as a whole), and
    /// with the next one fails, as do all after it.
    ///
    /// The suite drops calls at each point at which they wait, whether or not there is such a handle. An
    /// adapter needs this if its calls take several steps without waiting, or go on when they are dropped:
    /// with a blocking driver, for example.
    #[must_use]
    pub fn stopped_after(self, handle: impl Fn(usize) -> Store + Send + Sync + 'static) -> Self {
        Self { stopped_after: Some(Arc::new(move |steps| Arc::new(handle(steps)))), ..self }
    }
}

impl<Store: ?Sized + 'static> Handles<Store> {
    /// The same handles as those of a trait.
    pub(crate) fn map<As: ?Sized + 'static>(
        self,
        cast: impl Fn(Arc<Store>) -> Arc<As> + Send + Sync + 'static,
    ) -> Handles<As> {
        Handles {
            one: cast(self.one),
            other: cast(self.other),
            stopped_after: self
                .stopped_after
                .map(|handle| -> Stopped<As> { Arc::new(move |steps| cast(handle(steps))) }),
        }
    }

    /// The second handle. The suite never writes through it, so whatever it reads came from the store.
    pub(crate) fn other(&self) -> &Store {
        &self.other
    }

    /// The handles as the `n`th of several racers has them: by turns it writes through one or the other.
    pub(crate) fn for_racer(&self, n: u32) -> Self {
        let mut handles = self.clone();
        if !n.is_multiple_of(2) {
            std::mem::swap(&mut handles.one, &mut handles.other);
        }
        handles
    }

    /// Plays a scene again and again, and interrupts a call in it: each time a little later, until the call
    /// ends first. It does so by dropping the call, and then once more by stopping the store, if that is
    /// possible.
    ///
    /// A scene gets its number and the [`Interruption`], and says whether the call ended well.
    pub(crate) async fn interrupt(&self, mut scene: impl AsyncFnMut(usize, Interruption<Store>) -> bool) {
        let mut scenes = 0..SCENES_MAX;
        let mut number = || scenes.next().expect("a call ends at some time");
        for polls in 0.. {
            if scene(number(), Interruption { store: Arc::clone(&self.one), polls }).await {
                break;
            }
        }
        let Some(stopped_after) = &self.stopped_after else { return };
        for steps in 0.. {
            if scene(number(), Interruption { store: stopped_after(steps), polls: usize::MAX }).await {
                break;
            }
        }
    }
}

/// How often a scene is played at the most. A call of a store waits a few dozen times.
const SCENES_MAX: usize = 2_000;

/// A handle whose call is interrupted, as if its process were killed.
pub(crate) struct Interruption<Store: ?Sized> {
    store: Arc<Store>,
    /// How often a call is polled before it is dropped.
    polls: usize,
}

impl<Store: ?Sized> Interruption<Store> {
    /// What a call answers, unless it is dropped before.
    pub(crate) async fn of<T>(&self, call: impl AsyncFnOnce(&Store) -> T) -> Option<T> {
        let mut call = pin!(call(&self.store));
        let mut left = self.polls;
        std::future::poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match call.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl<Store: ?Sized> Clone for Handles<Store> {
    fn clone(&self) -> Self {
        Self {
            one: Arc::clone(&self.one),
            other: Arc::clone(&self.other),
            stopped_after: self.stopped_after.clone(),
        }
    }
}

/// The handle that is written through.
impl<Store: ?Sized> Deref for Handles<Store> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.one
    }
}
