use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chat_domain::{Email, USERS_PAGE_MAX, User, UserStore, UserStoreError, UsersPage};

/// Rows of users in memory, for tests and for a chat on one machine. It keeps all of them, and never
/// throttles.
#[derive(Clone, Debug, Default)]
pub struct MemoryUserStore {
    users: Arc<Mutex<BTreeMap<Email, User>>>,
}

impl MemoryUserStore {
    /// A store without users.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Email, User>> {
        self.users.lock().expect("nothing panics while it holds the lock of the user store")
    }
}

#[async_trait]
impl UserStore for MemoryUserStore {
    async fn get(&self, email: &Email) -> Result<Option<User>, UserStoreError> {
        Ok(self.lock().get(email).cloned())
    }

    async fn put(&self, user: &User) -> Result<(), UserStoreError> {
        let mut users = self.lock();
        let stored = users.get(&user.email).map_or(0, |stored| stored.version);
        if stored != user.version {
            return Err(UserStoreError::Conflict);
        }
        users.insert(user.email.clone(), User { version: stored + 1, ..user.clone() });
        Ok(())
    }

    async fn list(&self, after: Option<Email>) -> Result<UsersPage, UserStoreError> {
        let users = self.lock();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = users.range((start, Bound::Unbounded));
        let page: Vec<_> = rest.by_ref().take(USERS_PAGE_MAX).map(|(_, user)| user.clone()).collect();
        let next = page.last().map(|user| user.email.clone()).filter(|_| rest.next().is_some());
        Ok(UsersPage { users: page, next })
    }
}
