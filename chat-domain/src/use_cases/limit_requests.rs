use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use super::identify::{FrameOrigin, Identify};
use super::users::change_user;
use crate::model::download::requests_of_bytes;
use crate::model::rate::{Admission, Allowance};
use crate::{
    CONNECTIONS_MAX, ChatError, ConnectionId, ConnectionStore, Email, Pusher, RequestRate, Timestamp,
    UserStore,
};

/// How many allowances one process remembers: more than the users that it meets at once, in about 3 MB.
const REMEMBERED_MAX: usize = 16_384;

/// In what steps a process adds the requests of a user to what all processes have counted: it costs one read
/// and one write of a row for so many.
const COUNTED_AT_ONCE: u32 = 100;

/// How many connections are closed at once of somebody who is held up: all that they may have, and as many
/// more.
const CUT_MAX: usize = 2 * CONNECTIONS_MAX;

/// Whose allowance it is. All connections of a user share one. A connection of which the process does not
/// know yet whose it is has its own, for finding that out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    User(Email),
    Connection(ConnectionId),
}

/// What a process remembers of somebody's requests.
#[derive(Clone, Copy)]
struct Requests {
    allowance: Option<Allowance>,
    /// After how many more of them [`COUNTED_AT_ONCE`] are added to the user's row.
    until_counted: u32,
}

impl Requests {
    /// The first step of a process is shorter by a random part, which comes from the id of the request, and
    /// nobody can choose that. So requests that are spread over many processes are counted as well, on the
    /// average.
    fn begun_by(request_id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        request_id.hash(&mut hasher);
        let skipped = u32::try_from(hasher.finish() % u64::from(COUNTED_AT_ONCE)).unwrap_or_default();
        Self { allowance: None, until_counted: COUNTED_AT_ONCE - skipped }
    }
}

/// What becomes of a request, and whether it is time to count.
struct Taken {
    admission: Admission,
    is_to_be_counted: bool,
}

/// How many requests each user has left whom this process served lately.
struct Allowances {
    rate: RequestRate,
    users: Arc<dyn UserStore>,
    remembered: Mutex<HashMap<Who, Requests>>,
}

impl Allowances {
    fn new(rate: RequestRate, users: Arc<dyn UserStore>) -> Self {
        Self { rate, users, remembered: Mutex::default() }
    }

    fn take(&self, who: Who, request_id: &str, now: Timestamp) -> Taken {
        // Nothing can panic half-way while it has the lock, so what a poisoned lock guards is whole.
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX && !remembered.contains_key(&who) {
            remembered.retain(|_, requests| {
                requests.allowance.is_some_and(|allowance| !allowance.is_full(self.rate, now))
            });
            if remembered.len() >= REMEMBERED_MAX {
                // More users are busy at once than this process can remember, so everybody begins anew.
                remembered.clear();
            }
        }
        let requests = remembered.entry(who).or_insert_with(|| Requests::begun_by(request_id));
        let (after, admission) = Allowance::take(requests.allowance, self.rate, now);
        requests.allowance = Some(after);
        requests.until_counted -= 1;
        let is_to_be_counted = requests.until_counted == 0;
        if is_to_be_counted {
            requests.until_counted = COUNTED_AT_ONCE;
        }
        Taken { admission, is_to_be_counted }
    }

    /// Adds the count of this process to the user's row, and says for how long the user is held up, if they
    /// have made too many requests in this hour. If the row cannot be written, nobody is held up.
    async fn count(&self, user: &Email, now: Timestamp) -> Option<Duration> {
        let counted = change_user(&*self.users, user, |row| {
            Ok(Some(row.count_requests(COUNTED_AT_ONCE, self.rate.per_hour, now)))
        });
        counted.await.ok()?.held_for(now)
    }
}

/// Refuses frames of whoever sends too many of them, of any kind, before anything is read or written.
///
/// What comes at once, each process counts for itself, in memory, so that it costs nothing. What comes in an
/// hour is counted for all processes together, in the user's row, in hundreds. Whoever goes beyond that is
/// held up for the rest of the hour: their connections are closed and forgotten, and
/// [`Connect`](crate::Connect) and [`Admit`](crate::Admit) refuse them.
///
/// # Example: a phone that does not stop
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let minji: Email = "minji@example.com".parse()?;
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let rate = RequestRate::default();
/// let limit = LimitFrames::new(rate, chat.identify, chat.users, chat.connections, chat.pusher);
/// for _ in 0..rate.burst.get() {
///     limit.execute(&phone).await?;
/// }
/// assert!(matches!(limit.execute(&phone).await, Err(ChatError::RateLimited { .. })));
/// # Ok(())
/// # }
/// ```
pub struct LimitFrames {
    allowances: Allowances,
    identify: Arc<Identify>,
    connections: Arc<dyn ConnectionStore>,
    pusher: Arc<dyn Pusher>,
}

impl LimitFrames {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        rate: RequestRate,
        identify: Arc<Identify>,
        users: Arc<dyn UserStore>,
        connections: Arc<dyn ConnectionStore>,
        pusher: Arc<dyn Pusher>,
    ) -> Self {
        Self { allowances: Allowances::new(rate, users), identify, connections, pusher }
    }

    /// Admits a frame, whether or not it makes sense. If its sender goes on although their frames are
    /// refused, closes the connection.
    ///
    /// A process that does not remember whose the connection is reads that first. Otherwise whoever connects
    /// anew would begin anew.
    ///
    /// # Errors
    /// [`RateLimited`](ChatError::RateLimited), [`Closed`](ChatError::Closed),
    /// [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &FrameOrigin) -> Result<(), ChatError> {
        let user = match self.identify.remembered_user(&origin.connection) {
            Some(user) => user,
            None => {
                self.admit(Who::Connection(origin.connection.clone()), origin).await?;
                self.identify.user_ahead(origin).await?
            }
        };
        self.admit(Who::User(user), origin).await
    }

    /// Charges further requests for a frame that is as much work as several.
    ///
    /// # Errors
    /// [`RateLimited`](ChatError::RateLimited), [`Closed`](ChatError::Closed).
    pub async fn charge(&self, origin: &FrameOrigin, requests: usize) -> Result<(), ChatError> {
        let Some(user) = self.identify.remembered_user(&origin.connection) else { return Ok(()) };
        for _ in 0..requests {
            self.admit(Who::User(user.clone()), origin).await?;
        }
        Ok(())
    }

    async fn admit(&self, who: Who, origin: &FrameOrigin) -> Result<(), ChatError> {
        let taken = self.allowances.take(who.clone(), &origin.correlation.request_id, origin.now);
        if let (Who::User(user), true) = (&who, taken.is_to_be_counted)
            && let Some(retry_after) = self.allowances.count(user, origin.now).await
        {
            self.cut(user, origin.now).await;
            return Err(ChatError::Closed { retry_after });
        }
        match taken.admission {
            Admission::Admitted => Ok(()),
            Admission::Refused(retry_after) => Err(ChatError::RateLimited { retry_after }),
            Admission::Closed(retry_after) => {
                // If the call fails, the connection is gone, or its next frame comes here again.
                let _ = self.pusher.close(&origin.connection).await;
                Err(ChatError::Closed { retry_after })
            }
        }
    }

    /// Ends the connections of somebody who is held up: the rows first, so that no process takes a frame on
    /// them any more. What fails here, the next hundred frames come to again.
    async fn cut(&self, user: &Email, now: Timestamp) {
        let listed = self.connections.of_user(user, now).await.unwrap_or_default();
        join_all(listed.iter().take(CUT_MAX).map(async |connection| {
            let _ = self.connections.delete(&connection.id).await;
            self.identify.forget(&connection.id);
            let _ = self.pusher.close(&connection.id).await;
        }))
        .await;
    }
}

/// Refuses calls of REST by whoever makes too many of them, at once or in an hour, as [`LimitFrames`] does.
///
/// ```
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = chat_adapters_memory::MemoryChat::new();
/// let minji: Email = "minji@example.com".parse()?;
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
///
/// let rate = RequestRate::default();
/// let limit = LimitCalls::new(rate, chat.users);
/// for number in 0..rate.burst.get() {
///     limit.execute(&minji, &format!("request {number}"), now).await?;
/// }
/// let refused = limit.execute(&minji, "one more", now).await;
/// assert!(matches!(refused, Err(ChatError::RateLimited { .. })));
/// # Ok(())
/// # }
/// ```
pub struct LimitCalls {
    allowances: Allowances,
}

impl LimitCalls {
    /// Composes the use case. Nobody has made a call yet.
    #[must_use]
    pub fn new(rate: RequestRate, users: Arc<dyn UserStore>) -> Self {
        Self { allowances: Allowances::new(rate, users) }
    }

    /// Admits a call of REST by a user who is verified. `request_id` is the server's name for the request.
    ///
    /// # Errors
    /// [`RateLimited`](ChatError::RateLimited).
    pub async fn execute(&self, user: &Email, request_id: &str, now: Timestamp) -> Result<(), ChatError> {
        let taken = self.allowances.take(Who::User(user.clone()), request_id, now);
        if taken.is_to_be_counted
            && let Some(retry_after) = self.allowances.count(user, now).await
        {
            return Err(ChatError::RateLimited { retry_after });
        }
        match taken.admission {
            Admission::Admitted => Ok(()),
            Admission::Refused(retry_after) | Admission::Closed(retry_after) => {
                Err(ChatError::RateLimited { retry_after })
            }
        }
    }

    /// Charges further requests for an answer of so many bytes, which the user gets in any case.
    pub async fn charge(&self, user: &Email, request_id: &str, bytes: usize, now: Timestamp) {
        for _ in 1..requests_of_bytes(bytes.try_into().unwrap_or(u64::MAX)) {
            let taken = self.allowances.take(Who::User(user.clone()), request_id, now);
            if taken.is_to_be_counted {
                self.allowances.count(user, now).await;
            }
        }
    }
}
