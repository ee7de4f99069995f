use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_domain::{
    DailyUsage, Email, Erasure, HourlyRequests, USERS_PAGE_MAX, User, UserId, UserStore, UserStoreError,
    UsersPage,
};

use crate::attributes::{Fields, Malformed, item, number, text};
use crate::items::{Failure, Get, Item, Items, Scan, Value, Write};
use crate::tables::TableNames;
use crate::tables::users::{
    BYTES_UPLOADED, EMAIL, ERASED_AT, HELD_UNTIL, REPORTS_FILED, REQUESTS, REQUESTS_SINCE, ROOMS_BEGUN,
    SUSPENDED_SINCE, USAGE_DAY, USED_AGAIN_AT, USER_ID, VERSION,
};

/// Rows of users in DynamoDB. Reading one takes a read unit, and writing one a write unit.
///
/// - A write leaves attributes alone that this version of the chat does not know.
/// - Timeouts and retries are those of [`DynamoMessageStore`](crate::DynamoMessageStore).
#[derive(Clone)]
pub struct DynamoUserStore {
    items: Arc<dyn Items>,
    table: String,
}

impl DynamoUserStore {
    /// A store over the table of this name.
    #[must_use]
    pub fn new(items: &(impl Items + Clone + 'static), tables: &TableNames) -> Self {
        Self { items: Arc::new(items.clone()), table: tables.users.clone() }
    }
}

fn key(email: &Email) -> Item {
    item([(EMAIL, text(email))])
}

/// What is written of a user beside the key and the version. An attribute without a value is removed.
fn attributes(user: &User) -> [(&'static str, Option<Value>); 11] {
    let User { email: _, version: _, owner, suspended_since, usage, requests, held_until, erasure } = user;
    [
        (USER_ID, owner.as_ref().map(|owner| text(owner.as_str()))),
        (SUSPENDED_SINCE, suspended_since.map(text)),
        (USAGE_DAY, usage.map(|usage| text(usage.day))),
        (ROOMS_BEGUN, usage.map(|usage| number(usage.rooms))),
        (BYTES_UPLOADED, usage.map(|usage| number(usage.upload_bytes))),
        (REPORTS_FILED, usage.map(|usage| number(usage.reports))),
        (REQUESTS_SINCE, requests.map(|hour| text(hour.since))),
        (REQUESTS, requests.map(|hour| number(hour.count))),
        (HELD_UNTIL, held_until.map(text)),
        (ERASED_AT, erasure.map(|erasure| text(erasure.at))),
        (USED_AGAIN_AT, erasure.and_then(|erasure| erasure.used_again_at).map(text)),
    ]
}

/// The expression that writes a user: `SET version = :next, userId = :userId REMOVE erasedAt` and so on. No
/// name is one of DynamoDB's reserved words.
fn update_expression(user: &User) -> String {
    let (set, removed): (Vec<_>, Vec<_>) =
        attributes(user).into_iter().partition(|(_, value)| value.is_some());
    let set: String = set.iter().map(|(name, _)| format!(", {name} = :{name}")).collect();
    let removed: Vec<_> = removed.iter().map(|(name, _)| *name).collect();
    let remove = if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
    format!("SET version = :next{set}{remove}")
}

fn from_item(row: &Item) -> Result<User, Malformed> {
    let fields = Fields(row);
    let usage = if fields.has(USAGE_DAY) {
        Some(DailyUsage {
            day: fields.parsed(USAGE_DAY)?,
            rooms: fields.number(ROOMS_BEGUN)?,
            upload_bytes: fields.number(BYTES_UPLOADED)?,
            reports: fields.maybe_number(REPORTS_FILED)?.unwrap_or_default(),
        })
    } else {
        None
    };
    let requests = if fields.has(REQUESTS_SINCE) {
        Some(HourlyRequests { since: fields.parsed(REQUESTS_SINCE)?, count: fields.number(REQUESTS)? })
    } else {
        None
    };
    let used_again_at = fields.maybe_parsed(USED_AGAIN_AT)?;
    Ok(User {
        email: fields.parsed(EMAIL)?,
        version: fields.number(VERSION)?,
        owner: fields.has(USER_ID).then(|| fields.text(USER_ID)).transpose()?.map(UserId::new),
        suspended_since: fields.maybe_parsed(SUSPENDED_SINCE)?,
        usage,
        requests,
        held_until: fields.maybe_parsed(HELD_UNTIL)?,
        erasure: fields.maybe_parsed(ERASED_AT)?.map(|at| Erasure { at, used_again_at }),
    })
}

fn restore(row: &Item) -> Result<User, UserStoreError> {
    from_item(row).map_err(|malformed| UserStoreError::Corrupt { source: malformed.into() })
}

fn failed(operation: &'static str) -> impl FnOnce(Failure) -> UserStoreError {
    move |failure| match failure {
        Failure::Throttled => UserStoreError::Throttled { operation },
        Failure::Unavailable(source) => UserStoreError::Unavailable { operation, source },
    }
}

#[async_trait]
impl UserStore for DynamoUserStore {
    async fn get(&self, email: &Email) -> Result<Option<User>, UserStoreError> {
        let get = Get { table: self.table.clone(), key: key(email), consistent: true };
        self.items.get(get).await.map_err(failed("get"))?.as_ref().map(restore).transpose()
    }

    async fn put(&self, user: &User) -> Result<(), UserStoreError> {
        let mut update = Write::update(&self.table, key(&user.email), update_expression(user))
            .value(":next", number(user.version + 1));
        for (name, value) in attributes(user) {
            if let Some(value) = value {
                update = update.value(&format!(":{name}"), value);
            }
        }
        update = match user.version {
            0 => update.only_if("attribute_not_exists(version)"),
            version => update.only_if("version = :version").value(":version", number(version)),
        };
        let written = self.items.write(update).await.map_err(failed("put"))?;
        if written.held() { Ok(()) } else { Err(UserStoreError::Conflict) }
    }

    async fn list(&self, after: Option<Email>) -> Result<UsersPage, UserStoreError> {
        let start = after.as_ref().map(key);
        let scan = Scan { table: self.table.clone(), limit: USERS_PAGE_MAX, start };
        let page = self.items.scan(scan).await.map_err(failed("list"))?;
        let users = page.items.iter().map(restore).collect::<Result<Vec<_>, _>>()?;
        let next = page.next.map(|key| Fields(&key).parsed(EMAIL)).transpose();
        let next = next.map_err(|malformed| UserStoreError::Corrupt { source: malformed.into() })?;
        Ok(UsersPage { users, next })
    }
}

impl fmt::Debug for DynamoUserStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoUserStore").field("table", &self.table).finish_non_exhaustive()
    }
}
