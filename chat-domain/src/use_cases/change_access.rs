use std::sync::Arc;

use super::users::change_user;
use crate::{AccessChange, ChatError, Email, Timestamp, User, UserStore};

/// Suspends a user, admits one again, or gives an address to another account. For whoever runs the chat.
///
/// Nobody who [connects](crate::Connect) from then on, or whose token is looked at after
/// [`ADMITTED_FOR`](crate::ADMITTED_FOR), gets past it. Connections that are open stay open:
/// [`CutConnections`](crate::CutConnections) ends them, and comes after.
///
/// # Example: a user is suspended
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
///
/// let user = ChangeAccess::new(chat.users.clone()).execute(&minji, &AccessChange::Suspend, now).await?;
/// assert_eq!(user.suspended_since, Some(now));
/// let who = VerifiedIdentity::vouched(minji, UserId::new("1"), Timestamp::MAX);
/// assert!(matches!(Admit::new(chat.users).execute(&who, now).await, Err(ChatError::Suspended)));
/// # Ok(())
/// # }
/// ```
pub struct ChangeAccess {
    users: Arc<dyn UserStore>,
}

impl ChangeAccess {
    /// Composes the use case of its port.
    #[must_use]
    pub fn new(users: Arc<dyn UserStore>) -> Self {
        Self { users }
    }

    /// Makes the change, which may be repeated, and gives the user as they are then.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal).
    pub async fn execute(
        &self,
        email: &Email,
        change: &AccessChange,
        now: Timestamp,
    ) -> Result<User, ChatError> {
        change_user(&*self.users, email, |user| Ok(user.change(change, now))).await
    }
}
