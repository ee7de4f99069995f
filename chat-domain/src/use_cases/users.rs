//! How a row of a user is changed.

use crate::{ChatError, Email, User, UserStore, UserStoreError};

/// How often a change is decided anew because another one came between. A user who begins ten rooms at the
/// same moment gets through: one of them succeeds each time.
const CHANGES_MAX: u32 = 10;

/// Reads a user's row and writes what `decide` makes of it. If somebody else has changed the row meanwhile,
/// it reads and decides again. `None` changes nothing. Returns the row as it is then.
pub(crate) async fn change_user(
    users: &dyn UserStore,
    email: &Email,
    decide: impl Fn(&User) -> Result<Option<User>, ChatError> + Send,
) -> Result<User, ChatError> {
    for _ in 0..CHANGES_MAX {
        let user = users.get(email).await?.unwrap_or_else(|| User::unknown(email.clone()));
        let Some(changed) = decide(&user)? else { return Ok(user) };
        match users.put(&changed).await {
            Ok(()) => return Ok(User { version: changed.version + 1, ..changed }),
            Err(UserStoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(UserStoreError::Conflict.into())
}
