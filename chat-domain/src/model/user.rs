use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::email::Email;
use super::identity::{UserId, VerifiedIdentity};
use super::timestamp::{Day, Timestamp};

/// How much one user may begin and upload in one day (UTC). It bounds what an account can make the operator
/// store, and how many strangers it can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyLimits {
    /// How many rooms the user may send the first message of.
    pub rooms: NonZeroU32,
    /// How many bytes of images the user may announce.
    pub upload_bytes: NonZeroU64,
    /// How many reports the user may file.
    pub reports: NonZeroU32,
}

impl DailyLimits {
    /// Nobody meets these. For a chat among people who trust each other.
    pub const UNLIMITED: Self =
        Self { rooms: NonZeroU32::MAX, upload_bytes: NonZeroU64::MAX, reports: NonZeroU32::MAX };
}

impl Default for DailyLimits {
    /// A hundred rooms, 200 MB, and fifty reports. Whoever invites the teams of a whole league writes to some
    /// dozens of people; the page shrinks a photo to less than half a megabyte, so that 200 MB are 400 photos
    /// and more; and nobody who has a thousand messages to report reports them one by one.
    fn default() -> Self {
        const ROOMS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
        const UPLOAD_BYTES: NonZeroU64 = NonZeroU64::new(200_000_000).expect("not zero");
        const REPORTS: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
        Self { rooms: ROOMS, upload_bytes: UPLOAD_BYTES, reports: REPORTS }
    }
}

/// What is kept of the user of an address: whose the address is, whether they are suspended, and what they
/// have done today. All fields are as the write left them that made [`version`](Self::version).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The address, which names the row.
    pub email: Email,
    /// How often the row was written. A store writes it only over the version before.
    pub version: u64,
    /// The account that used the address first, which the address belongs to from then on; `None` when it is
    /// free. A mailbox can change hands, and conversations must not change hands with it.
    pub owner: Option<UserId>,
    /// Since when whoever runs the chat has suspended the user.
    pub suspended_since: Option<Timestamp>,
    /// What the user has done on the last day on which they did any of it.
    pub usage: Option<DailyUsage>,
    /// How many requests of theirs were counted in the last hour in which any were.
    pub requests: Option<HourlyRequests>,
    /// Until when the user is held up, who made more requests in an hour than they may.
    pub held_until: Option<Timestamp>,
    /// That the user's data was erased.
    pub erasure: Option<Erasure>,
}

/// What counts against [`DailyLimits`], on one day. It begins anew with the first that is counted on a later
/// day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyUsage {
    /// The day that the two counts are about.
    pub day: Day,
    /// How often the user began to send the first message of a room. Attempts that failed count as well.
    pub rooms: u32,
    /// How many bytes of images the user announced, uploaded or not.
    pub upload_bytes: u64,
    /// How often the user filed a report, which may have been filed before.
    pub reports: u32,
}

/// What counts against [`RequestRate::per_hour`](crate::RequestRate::per_hour). Each process adds to it what
/// it has counted itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyRequests {
    /// When the hour began: with the first request that was counted in it.
    pub since: Timestamp,
    /// How many requests were counted since.
    pub count: u32,
}

const HOUR: Duration = Duration::from_secs(3_600);

/// A note that a user's data was erased. A backup that is restored brings the data back, and the note says
/// what to erase again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// When it was erased.
    pub at: Timestamp,
    /// When somebody first used the address again. From then on there is data that nobody asked to erase.
    pub used_again_at: Option<Timestamp>,
}

/// Why somebody is not admitted, whatever they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The address belongs to another account.
    #[error("the address belongs to another account")]
    NotTheOwner,
    /// Whoever runs the chat has suspended the user.
    #[error("the user is suspended")]
    Suspended,
    /// The user has made more requests in an hour than they may.
    #[error("the user is held up for {} ms", retry_after.as_millis())]
    HeldUp {
        /// How long until the hour is over.
        retry_after: Duration,
    },
}

/// A decision about a user by whoever runs the chat, which [`ChangeAccess`](crate::ChangeAccess) carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// The user is refused from now on.
    Suspend,
    /// The user is admitted again, and is held up no longer either.
    Resume,
    /// The address belongs to its owner no longer, but to this account, or to whichever uses it next.
    Release {
        /// The account that it belongs to now.
        to: Option<UserId>,
    },
}

impl User {
    /// The user of an address of which nothing is kept yet. Begin with it where the store has no row.
    #[must_use]
    pub fn unknown(email: Email) -> Self {
        Self {
            email,
            version: 0,
            owner: None,
            suspended_since: None,
            usage: None,
            requests: None,
            held_until: None,
            erasure: None,
        }
    }

    /// Whether somebody may use the address. `Some` is the row to write before they do.
    ///
    /// # Errors
    /// [`NotAdmitted`]. Whoever does not own the address is not told whether its owner is suspended.
    pub fn admit(&self, who: &VerifiedIdentity, now: Timestamp) -> Result<Option<Self>, NotAdmitted> {
        if self.owner.as_ref().is_some_and(|owner| owner != who.user_id()) {
            return Err(NotAdmitted::NotTheOwner);
        }
        if self.suspended_since.is_some() {
            return Err(NotAdmitted::Suspended);
        }
        if let Some(retry_after) = self.held_for(now) {
            return Err(NotAdmitted::HeldUp { retry_after });
        }
        let used = Self {
            owner: Some(who.user_id().clone()),
            erasure: self
                .erasure
                .map(|erasure| Erasure { used_again_at: erasure.used_again_at.or(Some(now)), ..erasure }),
            ..self.clone()
        };
        Ok((used != *self).then_some(used))
    }

    /// The row once the user has begun one more room, or how long until they may.
    ///
    /// # Errors
    /// How long to wait: until the next day.
    pub fn begin_room(&self, limits: DailyLimits, now: Timestamp) -> Result<Self, Duration> {
        let mut usage = self.usage_of(now);
        usage.rooms = usage.rooms.saturating_add(1);
        self.using(usage, usage.rooms <= limits.rooms.get(), now)
    }

    /// The row once the user has announced an upload of so many bytes, or how long until they may.
    ///
    /// # Errors
    /// How long to wait: until the next day.
    pub fn upload(&self, bytes: u64, limits: DailyLimits, now: Timestamp) -> Result<Self, Duration> {
        let mut usage = self.usage_of(now);
        usage.upload_bytes = usage.upload_bytes.saturating_add(bytes);
        self.using(usage, usage.upload_bytes <= limits.upload_bytes.get(), now)
    }

    /// The row once the user has filed one more report, or how long until they may.
    ///
    /// # Errors
    /// How long to wait: until the next day.
    pub fn file_report(&self, limits: DailyLimits, now: Timestamp) -> Result<Self, Duration> {
        let mut usage = self.usage_of(now);
        usage.reports = usage.reports.saturating_add(1);
        self.using(usage, usage.reports <= limits.reports.get(), now)
    }

    /// The row once so many more requests of the user were counted, who is held up for the rest of the hour
    /// if these are more than `per_hour`.
    #[must_use]
    pub fn count_requests(&self, count: u32, per_hour: NonZeroU32, now: Timestamp) -> Self {
        // If the stored hour begins in the future, a clock that runs ahead wrote it.
        let current = self.requests.filter(|hour| hour.since <= now && now < hour.since.after(HOUR));
        let mut hour = current.unwrap_or(HourlyRequests { since: now, count: 0 });
        hour.count = hour.count.saturating_add(count);
        let held_until = (hour.count > per_hour.get()).then(|| hour.since.after(HOUR));
        Self { requests: Some(hour), held_until, ..self.clone() }
    }

    /// The row once something is done that counts for so many more requests, such as handing out the URL
    /// of a large image, or how long until the user may have it. What is refused counts nothing, so nobody
    /// is held up for it.
    ///
    /// # Errors
    /// How long to wait: until the hour is over.
    pub fn count_ahead(&self, requests: u32, per_hour: NonZeroU32, now: Timestamp) -> Result<Self, Duration> {
        let counted = self.count_requests(requests, per_hour, now);
        counted.held_for(now).map_or(Ok(counted), Err)
    }

    /// How much longer the user is held up. Nobody is for more than an hour, whatever clock has said so.
    #[must_use]
    pub fn held_for(&self, now: Timestamp) -> Option<Duration> {
        let until = self.held_until.filter(|until| now < *until && *until <= now.after(HOUR))?;
        Some(until.since(now))
    }

    /// The row after a decision of whoever runs the chat; `None` when it says so already.
    #[must_use]
    pub fn change(&self, change: &AccessChange, now: Timestamp) -> Option<Self> {
        let mut changed = self.clone();
        match change {
            AccessChange::Suspend => changed.suspended_since = changed.suspended_since.or(Some(now)),
            AccessChange::Resume => {
                (changed.suspended_since, changed.requests, changed.held_until) = (None, None, None);
            }
            AccessChange::Release { to } => changed.owner.clone_from(to),
        }
        (changed != *self).then_some(changed)
    }

    /// The row once the user's data is erased: without what they have done today, and with a note. Whose the
    /// address is stays, and whether they are suspended: nobody else is to inherit the conversations that the
    /// others keep.
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Self {
        let erasure = Some(Erasure { at: now, used_again_at: None });
        Self { usage: None, requests: None, held_until: None, erasure, ..self.clone() }
    }

    /// What was done on the day of `now`. Any other day, also a later one, is over: a clock that runs ahead
    /// would otherwise keep the user out until that day.
    fn usage_of(&self, now: Timestamp) -> DailyUsage {
        let today = DailyUsage { day: now.day(), rooms: 0, upload_bytes: 0, reports: 0 };
        self.usage.filter(|usage| usage.day == today.day).unwrap_or(today)
    }

    fn using(&self, usage: DailyUsage, is_within: bool, now: Timestamp) -> Result<Self, Duration> {
        if is_within { Ok(Self { usage: Some(usage), ..self.clone() }) } else { Err(now.until_next_day()) }
    }
}
