#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::UserStoreError;
use crate::{Email, User};

/// The most users a page has. Whoever walks through all users reads them page by page.
pub const USERS_PAGE_MAX: usize = 100;

/// Stores one row for each address: whose account owns it, whether the user is suspended, and what they have
/// used today.
///
/// # Contract
///
/// - **Rows are whole.** A row reads back as it was last written, and writing one touches no other.
/// - **Versions.** Of all writes of one [version](User::version) of a row at most one succeeds, and only the
///   one that comes next: [`put`](Self::put) keeps a `user` of version `n` as version `n + 1`, if the stored
///   row has version `n`, or `n` is 0 and there is none. All others are a
///   [`Conflict`](UserStoreError::Conflict), and change nothing.
/// - **Consistency.** [`get`](Self::get) sees every write that was acknowledged before it began.
///   [`list`](Self::list) may lag behind.
/// - **Errors.** After [`Throttled`](UserStoreError::Throttled) nothing happened. After
///   [`Unavailable`](UserStoreError::Unavailable) a write may have happened, or may still. Either may be
///   retried, after reading the row again.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Reads the row of an address; strongly consistent.
    async fn get(&self, email: &Email) -> Result<Option<User>, UserStoreError>;

    /// Writes a row over the version that `user` was made from.
    async fn put(&self, user: &User) -> Result<(), UserStoreError>;

    /// Lists all rows in an order of the store's own, beginning after the row of `after`. At most
    /// [`USERS_PAGE_MAX`]. For administration: it reads everything.
    async fn list(&self, after: Option<Email>) -> Result<UsersPage, UserStoreError>;
}

/// A page of users in no order that means anything, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersPage {
    /// The rows, in the store's own order.
    pub users: Vec<User>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Email>,
}
