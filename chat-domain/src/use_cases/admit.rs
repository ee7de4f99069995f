use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::users::change_user;
use crate::{ChatError, Email, Timestamp, UserId, UserStore, VerifiedIdentity};

/// How long [`Admit`] uses a user's row without reading it again, so that most calls of REST read nothing. A
/// suspended user's calls may be answered for that long.
pub const ADMITTED_FOR: Duration = Duration::from_secs(30);

/// How many calls of REST [`Admit`] answers by one reading at most, so that every process soon refuses a user
/// who is held up. One read for three calls costs a hundredth of what the calls do.
const ADMITTED_CALLS: u32 = 3;

/// How many users one process remembers. A Lambda function serves a few in half a minute.
const REMEMBERED_MAX: usize = 16_384;

/// Admits whom an identity provider has verified: the account that the address belongs to, unless it is
/// suspended. The first account that comes with an address owns it from then on.
///
/// # Example: a mailbox changes hands
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// let account = |id: &str| -> Result<VerifiedIdentity, EmailError> {
///     Ok(VerifiedIdentity::vouched("minji@example.com".parse()?, UserId::new(id), Timestamp::MAX))
/// };
///
/// let admit = Admit::new(chat.users);
/// admit.execute(&account("the first")?, now).await?;
/// let refused = admit.execute(&account("who came later")?, now).await;
/// assert!(matches!(refused, Err(ChatError::NotYours)));
/// # Ok(())
/// # }
/// ```
pub struct Admit {
    users: Arc<dyn UserStore>,
    admitted: Mutex<HashMap<Email, Admitted>>,
}

/// Who was admitted with an address, and when.
struct Admitted {
    who: UserId,
    at: Timestamp,
    /// For how many more calls it is believed.
    calls: u32,
}

impl Admitted {
    /// A clock that has gone back since remembers nothing.
    fn holds(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.at.after(ADMITTED_FOR)
    }
}

impl Admit {
    /// Composes the use case. It remembers nobody yet.
    #[must_use]
    pub fn new(users: Arc<dyn UserStore>) -> Self {
        Self { users, admitted: Mutex::default() }
    }

    /// Admits a user as they were read a few calls before, within the last [`ADMITTED_FOR`], or as they are
    /// now.
    ///
    /// # Errors
    /// [`Suspended`](ChatError::Suspended); [`NotYours`](ChatError::NotYours) when the address belongs to
    /// another account; [`RateLimited`](ChatError::RateLimited) when the user has made too many requests in
    /// this hour; [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal).
    pub async fn execute(&self, who: &VerifiedIdentity, now: Timestamp) -> Result<(), ChatError> {
        if self.remembers(who, now) {
            return Ok(());
        }
        self.afresh(who, now).await?;
        self.remember(who, now);
        Ok(())
    }

    /// Admits a user as the store has them at this moment.
    pub(crate) async fn afresh(&self, who: &VerifiedIdentity, now: Timestamp) -> Result<(), ChatError> {
        change_user(&*self.users, who.email(), |user| Ok(user.admit(who, now)?)).await.map(drop)
    }

    fn remembers(&self, who: &VerifiedIdentity, now: Timestamp) -> bool {
        let mut memory = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(admitted) = memory.get_mut(who.email()) else { return false };
        if admitted.calls == 0 || admitted.who != *who.user_id() || !admitted.holds(now) {
            return false;
        }
        admitted.calls -= 1;
        true
    }

    fn remember(&self, who: &VerifiedIdentity, now: Timestamp) {
        let mut memory = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= REMEMBERED_MAX {
            // This is simpler than to choose what to drop, and each that is dropped costs one read.
            memory.clear();
        }
        // The call that read the row is the first.
        let admitted = Admitted { who: who.user_id().clone(), at: now, calls: ADMITTED_CALLS - 1 };
        memory.insert(who.email().clone(), admitted);
    }
}
