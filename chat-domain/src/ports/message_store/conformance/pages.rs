use super::talk::{STORED, Store, Talk, longest_words, words};
use crate::conformance::{MINJI, email, november, room};
use crate::{Consistency, Member, PAGE_MAX, PageLimit, PageQuery, PageRange, Timestamp};

/// Pairs whose ids are alike: one the beginning of another, and local parts that hold the separator.
pub(super) async fn rooms_are_isolated(store: Store) {
    let pairs = [
        ("a@x.co", "b@x.co"),
        ("a@x.co", "b@x.com"),
        ("a@x.co", "b@x.co.kr"),
        ("a#b@x.co", "b@x.co"),
        ("a@x.co", "a#b@x.co"),
        ("a@x.co", "#b@x.co"),
        ("#a@x.co", "b@x.co"),
    ];
    let mut talks = Vec::new();
    for (one, other) in pairs {
        // All at the same instants.
        let mut talk = Talk::in_room(&store, room(&email(one), &email(other)), november(23));
        talk.say(Member::A, words(one)).await;
        talk.say(Member::B, words(other)).await;
        talk.read(Member::B, 0).await;
        talks.push(talk);
    }
    for talk in &talks {
        talk.is_stored().await;
        for range in [PageRange::Newest, PageRange::After(Timestamp::MIN), PageRange::Before(Timestamp::MAX)]
        {
            talk.has_the_page(range, 50).await;
        }
    }
}

pub(super) async fn an_empty_room_has_empty_pages(store: Store) {
    let talk = Talk::new(&store);
    let at = november(23);
    for range in [PageRange::Newest, PageRange::Oldest, PageRange::Before(at), PageRange::After(at)] {
        talk.has_the_page(range, 1).await;
        talk.has_the_page(range, PAGE_MAX).await;
    }
}

pub(super) async fn pages_have_the_right_messages_whatever_their_bounds_and_limits(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(6).await;
    for limit in 1..=7 {
        talk.has_the_page(PageRange::Newest, limit).await;
        talk.has_the_page(PageRange::Oldest, limit).await;
        for at in talk.times(0..6) {
            talk.has_the_page(PageRange::Before(at), limit).await;
            talk.has_the_page(PageRange::After(at), limit).await;
        }
    }
}

pub(super) async fn a_timestamp_between_two_messages_bounds_a_page_too(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(5).await;
    for at in talk.times(0..5).into_iter().flat_map(|at| [at.previous(), at.next()]) {
        for limit in [1, 2, 50] {
            talk.has_the_page(PageRange::Before(at), limit).await;
            talk.has_the_page(PageRange::After(at), limit).await;
        }
    }
}

pub(super) async fn nothing_is_before_the_first_or_after_the_last(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(5).await;
    for at in [Timestamp::MIN, talk.messages[0].at] {
        talk.has_the_page(PageRange::Before(at), 50).await;
    }
    for at in [Timestamp::MAX, talk.messages[4].at] {
        talk.has_the_page(PageRange::After(at), 50).await;
    }
}

/// Pages of the largest size that hold the whole conversation, or all but one message of it.
async fn has_full_pages(talk: &Talk) {
    let everything = [PageRange::Newest, PageRange::Oldest];
    let bounded = [PageRange::Before(Timestamp::MAX), PageRange::After(Timestamp::MIN)];
    for range in everything.into_iter().chain(bounded) {
        talk.has_the_page(range, PAGE_MAX).await;
        talk.has_the_page(range, PAGE_MAX - 1).await;
    }
}

pub(super) async fn a_page_of_exactly_all_messages_has_no_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(PAGE_MAX).await;
    has_full_pages(&talk).await;
}

pub(super) async fn one_message_beyond_a_full_page_is_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(PAGE_MAX + 1).await;
    has_full_pages(&talk).await;
    talk.has_the_page(PageRange::Before(talk.messages[PAGE_MAX].at), PAGE_MAX).await;
    talk.has_the_page(PageRange::After(talk.messages[0].at), PAGE_MAX).await;
}

pub(super) async fn paging_either_way_visits_each_of_120_messages_once(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(120).await;
    let id = talk.room.id();
    for limit in [7, 40, PAGE_MAX] {
        let limit = PageLimit::new(limit).expect("between 1 and 50");
        for forward in [true, false] {
            let mut range = if forward { PageRange::Oldest } else { PageRange::Newest };
            let mut visited = Vec::new();
            loop {
                let query = PageQuery { range, limit };
                let page = store.page(id, query, Consistency::Strong).await.expect(STORED);
                visited.extend(page.messages);
                let last = visited.last().expect("the first page is not empty").at;
                if !page.has_more {
                    break;
                }
                range = if forward { PageRange::After(last) } else { PageRange::Before(last) };
            }
            if !forward {
                visited.reverse();
            }
            assert_eq!(visited, talk.messages);
        }
    }
}

/// DynamoDB ends a page at 1 MB, whatever its limit.
pub(super) async fn a_page_of_the_longest_words_is_a_full_page(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..=PAGE_MAX {
        talk.say(MINJI, longest_words()).await;
    }
    has_full_pages(&talk).await;
}
