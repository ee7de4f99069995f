//! Whose an address is, who is suspended, and how much one may begin in a day.

#![expect(clippy::unwrap_used, reason = "what panics in a test fails it")]

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use chat_domain::{
    AccessChange, DailyLimits, DailyUsage, Erasure, HourlyRequests, NotAdmitted, Timestamp, User, UserId,
    VerifiedIdentity,
};

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn noon() -> Timestamp {
    at("23T12:00:00.000")
}

fn minji() -> User {
    User::unknown("minji@example.com".parse().unwrap())
}

fn owned(owner: &str) -> User {
    User { version: 1, owner: Some(UserId::new(owner)), ..minji() }
}

fn account(id: &str) -> VerifiedIdentity {
    VerifiedIdentity::vouched(minji().email, UserId::new(id), Timestamp::MAX)
}

#[test]
fn the_first_account_that_comes_with_an_address_owns_it() {
    let claimed = minji().admit(&account("the first"), noon()).unwrap().unwrap();
    assert_eq!(claimed, User { version: 0, ..owned("the first") });
    assert_eq!(claimed.admit(&account("the first"), noon()), Ok(None), "nothing is left to write");
    assert_eq!(claimed.admit(&account("another"), noon()), Err(NotAdmitted::NotTheOwner));
}

#[test]
fn a_released_address_belongs_to_the_next_or_to_the_one_that_is_named() {
    let free = owned("the first").change(&AccessChange::Release { to: None }, noon()).unwrap();
    assert_eq!(free.owner, None);
    let next = free.admit(&account("another"), noon()).unwrap().unwrap();
    assert_eq!(next.admit(&account("the first"), noon()), Err(NotAdmitted::NotTheOwner));

    let to = Some(UserId::new("another"));
    let given = owned("the first").change(&AccessChange::Release { to }, noon()).unwrap();
    assert_eq!(given.admit(&account("another"), noon()), Ok(None));
    assert_eq!(given.admit(&account("the first"), noon()), Err(NotAdmitted::NotTheOwner));
}

#[test]
fn who_is_suspended_is_refused_until_that_ends() {
    let suspended = owned("1").change(&AccessChange::Suspend, noon()).unwrap();
    assert_eq!(suspended.suspended_since, Some(noon()));
    assert_eq!(suspended.admit(&account("1"), noon()), Err(NotAdmitted::Suspended));
    assert_eq!(suspended.change(&AccessChange::Suspend, at("24T00:00:00.000")), None, "it is already");
    let resumed = suspended.change(&AccessChange::Resume, noon()).unwrap();
    assert_eq!((resumed.admit(&account("1"), noon()), &resumed), (Ok(None), &owned("1")));
    assert_eq!(resumed.change(&AccessChange::Resume, noon()), None);
}

#[test]
fn an_address_can_be_suspended_before_anybody_has_come() {
    let suspended = minji().change(&AccessChange::Suspend, noon()).unwrap();
    assert_eq!(suspended.admit(&account("1"), noon()), Err(NotAdmitted::Suspended));
}

#[test]
fn a_stranger_does_not_learn_that_the_owner_is_suspended() {
    let suspended = owned("1").change(&AccessChange::Suspend, noon()).unwrap();
    assert_eq!(suspended.admit(&account("2"), noon()), Err(NotAdmitted::NotTheOwner));
}

#[test]
fn what_is_released_stays_suspended() {
    let suspended = owned("1").change(&AccessChange::Suspend, noon()).unwrap();
    let released = suspended.change(&AccessChange::Release { to: None }, noon()).unwrap();
    assert_eq!(released.admit(&account("2"), noon()), Err(NotAdmitted::Suspended));
}

fn limits(rooms: u32, upload_bytes: u64) -> DailyLimits {
    DailyLimits {
        rooms: NonZeroU32::new(rooms).unwrap(),
        upload_bytes: NonZeroU64::new(upload_bytes).unwrap(),
        ..DailyLimits::default()
    }
}

#[test]
fn a_hundred_rooms_can_be_begun_in_a_day_200_megabytes_announced_and_fifty_reports_filed() {
    let limits = DailyLimits::default();
    let mut user = owned("1");
    for _ in 0..100 {
        user = user.begin_room(limits, noon()).unwrap();
    }
    assert_eq!(user.begin_room(limits, noon()), Err(Duration::from_secs(12 * 3_600)));
    for _ in 0..20 {
        user = user.upload(10_000_000, limits, noon()).unwrap();
    }
    assert_eq!(user.upload(1, limits, noon()), Err(Duration::from_secs(12 * 3_600)));
    for _ in 0..50 {
        user = user.file_report(limits, noon()).unwrap();
    }
    assert_eq!(user.file_report(limits, noon()), Err(Duration::from_secs(12 * 3_600)));
    let usage = DailyUsage { day: noon().day(), rooms: 100, upload_bytes: 200_000_000, reports: 50 };
    assert_eq!(user, User { usage: Some(usage), ..owned("1") }, "the three count apart");
}

#[test]
fn whoever_waits_as_long_as_they_were_told_begins_a_new_day() {
    let limits = limits(1, 1);
    for begun_at in [at("23T00:00:00.000"), noon(), at("23T23:59:59.999")] {
        let user = minji().begin_room(limits, begun_at).unwrap();
        let wait = user.begin_room(limits, begun_at).unwrap_err();
        let then = begun_at.after(wait);
        assert_eq!(then, at("24T00:00:00.000"));
        assert!(user.begin_room(limits, then.previous()).is_err());
        let usage = DailyUsage { day: then.day(), rooms: 1, upload_bytes: 0, reports: 0 };
        assert_eq!(user.begin_room(limits, then).unwrap().usage, Some(usage));
    }
}

#[test]
fn a_clock_that_ran_ahead_locks_nobody_out() {
    let limits = limits(1, 1);
    let ahead = minji().begin_room(limits, at("30T12:00:00.000")).unwrap();
    assert_eq!(ahead.begin_room(limits, noon()).unwrap().usage.unwrap().day, noon().day());
}

#[test]
fn what_is_announced_never_adds_up_to_little() {
    let limits = limits(1, u64::MAX - 1);
    let user = minji().upload(u64::MAX - 1, limits, noon()).unwrap();
    assert!(user.upload(u64::MAX, limits, noon()).is_err());
}

#[test]
fn a_limit_that_was_lowered_below_what_one_has_begun_does_not_stop_uploads() {
    let user = minji().begin_room(limits(2, 10), noon()).unwrap().begin_room(limits(2, 10), noon()).unwrap();
    assert!(user.begin_room(limits(1, 10), noon()).is_err());
    assert!(user.upload(10, limits(1, 10), noon()).is_ok());
}

#[test]
fn erasing_leaves_a_note_whose_the_address_is_and_that_it_is_suspended() {
    let suspended = owned("1").change(&AccessChange::Suspend, noon()).unwrap();
    let erased = suspended.begin_room(DailyLimits::default(), noon()).unwrap().erased(noon());
    let note = Erasure { at: noon(), used_again_at: None };
    assert_eq!(erased, User { erasure: Some(note), ..suspended });
}

#[test]
fn whoever_uses_the_address_of_an_erased_user_is_noted_once() {
    let erased = owned("1").erased(noon());
    let next = at("24T12:00:00.000");
    let again = erased.admit(&account("1"), next).unwrap().unwrap();
    assert_eq!(again.erasure, Some(Erasure { at: noon(), used_again_at: Some(next) }));
    assert_eq!(again.admit(&account("1"), at("25T12:00:00.000")), Ok(None));
    assert_eq!(again.erased(next).erasure, Some(Erasure { at: next, used_again_at: None }));
}

fn two_hundred_an_hour() -> NonZeroU32 {
    NonZeroU32::new(200).unwrap()
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn whoever_asks_too_much_in_an_hour_is_held_up_until_it_is_over() {
    let per_hour = two_hundred_an_hour();
    let begun = owned("1").count_requests(100, per_hour, noon());
    let half_past = noon().after(HOUR / 2);
    let full = begun.count_requests(100, per_hour, half_past);
    assert_eq!(full.requests, Some(HourlyRequests { since: noon(), count: 200 }));
    assert_eq!((full.held_for(half_past), full.admit(&account("1"), half_past)), (None, Ok(None)));

    let held = full.count_requests(1, per_hour, half_past);
    let retry_after = HOUR / 2;
    assert_eq!(held.held_for(half_past), Some(retry_after));
    assert_eq!(held.admit(&account("1"), half_past), Err(NotAdmitted::HeldUp { retry_after }));
    let one_ms_early = noon().after(HOUR).previous();
    assert_eq!(held.held_for(one_ms_early), Some(Duration::from_millis(1)));
    let over = noon().after(HOUR);
    assert_eq!(held.admit(&account("1"), over), Ok(None));
    let next = held.count_requests(100, per_hour, over);
    assert_eq!(next.requests, Some(HourlyRequests { since: over, count: 100 }));
    assert_eq!(next.held_until, None);
    assert_eq!(held.count_requests(u32::MAX, per_hour, half_past).requests.unwrap().count, u32::MAX);
}

#[test]
fn a_url_that_is_refused_counts_nothing_and_holds_nobody_up() {
    let per_hour = two_hundred_an_hour();
    let full = owned("1").count_ahead(200, per_hour, noon()).unwrap();
    assert_eq!(full, owned("1").count_requests(200, per_hour, noon()));
    let half_past = noon().after(HOUR / 2);
    assert_eq!(full.count_ahead(1, per_hour, half_past), Err(HOUR / 2));
    assert_eq!(full.admit(&account("1"), half_past), Ok(None));
    let held = full.count_requests(1, per_hour, half_past);
    assert_eq!(held.count_ahead(1, per_hour, half_past), Err(HOUR / 2), "nor is who is held up let go by it");
    assert!(held.count_ahead(1, per_hour, noon().after(HOUR)).is_ok());
}

#[test]
fn a_clock_that_ran_ahead_holds_nobody_up() {
    let per_hour = two_hundred_an_hour();
    let ahead = owned("1").count_requests(201, per_hour, noon().after(2 * HOUR));
    assert_eq!((ahead.held_for(noon()), ahead.admit(&account("1"), noon())), (None, Ok(None)));
    let counted = ahead.count_requests(100, per_hour, noon());
    assert_eq!(counted.requests, Some(HourlyRequests { since: noon(), count: 100 }));
}

#[test]
fn whoever_runs_the_chat_lets_go_who_is_held_up_and_so_does_erasing() {
    let held = owned("1").count_requests(201, two_hundred_an_hour(), noon());
    assert_eq!(held.change(&AccessChange::Resume, noon()), Some(owned("1")));
    assert_eq!(held.erased(noon()), owned("1").erased(noon()));
}
