use std::sync::Arc;

use chat_domain::{
    ChatError, Consistency, FirstContact, History, HistoryPage, MessageStoreError, MockMessageStore, Page,
    PageLimit, PageRange,
};

use crate::assert_refused;
use crate::chat::*;

fn limit(limit: usize) -> PageLimit {
    PageLimit::new(limit).unwrap()
}

async fn minjis(chat: &Chat, range: PageRange, limit: PageLimit) -> HistoryPage {
    chat.history().execute(&minji(), &junho(), range, limit).await.unwrap()
}

fn numbers(page: &HistoryPage) -> (Vec<u64>, bool) {
    (page.messages.iter().map(|message| message.seq).collect(), page.has_more)
}

#[tokio::test]
async fn the_newest_come_first_and_older_ones_behind_them() {
    let chat = Chat::new().await;
    chat.junho_writes(5, at(0)).await;
    let newest = minjis(&chat, PageRange::Newest, limit(2)).await;
    assert_eq!(numbers(&newest), (vec![5, 4], true));
    assert_eq!(
        numbers(&minjis(&chat, PageRange::Before(newest.messages[1].at), limit(3)).await).0,
        [3, 2, 1]
    );
    assert!(!minjis(&chat, PageRange::Before(newest.messages[1].at), limit(3)).await.has_more);
}

#[tokio::test]
async fn a_client_that_catches_up_goes_forwards() {
    let chat = Chat::new().await;
    chat.junho_writes(5, at(0)).await;
    let oldest = minjis(&chat, PageRange::Oldest, limit(2)).await;
    assert_eq!(numbers(&oldest), (vec![1, 2], true));
    let next = minjis(&chat, PageRange::After(oldest.messages[1].at), PageLimit::MAX).await;
    assert_eq!(numbers(&next), (vec![3, 4, 5], false));
    assert_eq!(numbers(&minjis(&chat, PageRange::After(at(4_000)), limit(1)).await), (vec![], false));
}

#[tokio::test]
async fn both_members_see_the_same_and_their_own_marks() {
    let chat = Chat::new().await;
    chat.write(JUNHO, 1, "안녕", at(0)).await;
    chat.write(MINJI, 2, "응", at(1)).await;
    chat.minji_reads(at(0), at(10)).await.unwrap();
    chat.here.mark_read.execute(&origin(JUNHO_PHONE, at(11)), &minji(), at(1)).await.unwrap();

    let hers = minjis(&chat, PageRange::Newest, PageLimit::MAX).await;
    assert_eq!((hers.my_read_up_to, hers.peer_read_up_to), (Some(at(0)), Some(at(1))));
    let his = chat.history().execute(&junho(), &minji(), PageRange::Newest, PageLimit::MAX).await.unwrap();
    assert_eq!((his.my_read_up_to, his.peer_read_up_to), (Some(at(1)), Some(at(0))));
    assert_eq!((his.room, his.messages), (hers.room, hers.messages));
}

#[tokio::test]
async fn what_the_mark_covers_is_read() {
    let chat = Chat::new().await;
    chat.junho_writes(2, at(0)).await;
    chat.write(MINJI, 1, "응", at(1_500)).await;
    chat.minji_reads(at(0), at(9_000)).await.unwrap();

    let page = minjis(&chat, PageRange::Oldest, PageLimit::MAX).await;
    let read: Vec<_> = page.messages.iter().map(|message| page.is_read(message)).collect();
    assert_eq!(read, [true, false, false], "neither what is above the mark nor her own");
    let his = chat.history().execute(&junho(), &minji(), PageRange::Oldest, PageLimit::MAX).await.unwrap();
    assert!(his.messages.iter().zip(read).all(|(message, read)| his.is_read(message) == read));
}

#[tokio::test]
async fn two_who_never_wrote_have_an_empty_history() {
    let chat = Chat::new().await;
    for range in [PageRange::Newest, PageRange::Oldest, PageRange::After(at(0)), PageRange::Before(at(0))] {
        let page = minjis(&chat, range, PageLimit::MAX).await;
        let empty = HistoryPage {
            room: their_room(),
            me: MINJI,
            messages: Vec::new(),
            has_more: false,
            has_newer: false,
            referred: Vec::new(),
            peer_read_up_to: None,
            my_read_up_to: None,
            request: None,
            blocked: false,
            cleared_to: None,
        };
        assert_eq!(page, empty);
    }
    assert_refused!(
        chat.history().execute(&minji(), &minji(), PageRange::Newest, PageLimit::MAX).await,
        ChatError::SelfChat
    );
}

#[rstest::rstest]
#[case::newest(PageRange::Newest, Consistency::Eventual)]
#[case::before(PageRange::Before(at(0)), Consistency::Eventual)]
#[case::oldest(PageRange::Oldest, Consistency::Strong)]
#[case::after(PageRange::After(at(0)), Consistency::Strong)]
#[tokio::test]
async fn catching_up_reads_strongly(#[case] range: PageRange, #[case] expected: Consistency) {
    let mut messages = MockMessageStore::new();
    messages
        .expect_page()
        .withf(move |_, query, consistency| query.range == range && *consistency == expected)
        .times(1)
        .returning(|_, _, _| Ok(Page { messages: Vec::new(), has_more: false }));
    messages
        .expect_room()
        .withf(move |_, consistency| *consistency == expected)
        .times(1)
        .returning(|_, _| Ok(None));
    let history = History::new(Arc::new(messages), FirstContact::default());
    history.execute(&minji(), &junho(), range, PageLimit::MAX).await.unwrap();
}

#[tokio::test]
async fn around_a_place_there_are_older_and_newer_messages() {
    let chat = Chat::new().await;
    let written = chat.junho_writes(120, at(0)).await;
    let around = |seq: usize| {
        let (chat, place) = (&chat, written[seq - 1].at);
        async move {
            let page = chat.history().around(&minji(), &junho(), place).await.unwrap();
            let seqs: Vec<_> = page.messages.iter().map(|message| message.seq).collect();
            assert!(seqs.windows(2).all(|pair| pair[0] == pair[1] + 1), "there is no hole: {seqs:?}");
            (seqs[0], seqs[seqs.len() - 1], page.has_newer, page.has_more)
        }
    };
    assert_eq!(around(60).await, (85, 36, true, true));
    assert_eq!(around(1).await, (26, 1, true, false));
    assert_eq!(around(25).await, (50, 1, true, false));
    assert_eq!(around(26).await, (51, 2, true, true));
    assert_eq!(around(95).await, (120, 71, false, true));
    assert_eq!(around(94).await, (119, 70, true, true));
    assert_eq!(around(120).await, (120, 96, false, true));
}

#[tokio::test]
async fn around_a_place_without_a_message_is_what_was_said_about_then() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    for (place, seqs) in [(at(500), [3, 2, 1]), (at(-500), [3, 2, 1]), (at(9_000), [3, 2, 1])] {
        let page = chat.history().around(&minji(), &junho(), place).await.unwrap();
        assert_eq!(numbers(&page), (seqs.to_vec(), false));
    }
    let nobody = chat.history().around(&minji(), &email("sora@example.com"), at(0)).await.unwrap();
    assert_eq!((numbers(&nobody), nobody.has_newer), ((vec![], false), false));
    assert_refused!(chat.history().around(&minji(), &minji(), at(0)).await, ChatError::SelfChat);
}

#[tokio::test]
async fn a_page_without_its_room_is_no_answer() {
    let mut messages = MockMessageStore::new();
    messages.expect_page().returning(|_, _, _| Ok(Page { messages: Vec::new(), has_more: false }));
    messages.expect_room().returning(|_, _| Err(MessageStoreError::Throttled { operation: "room" }));
    let history = History::new(Arc::new(messages), FirstContact::default());
    let refused = history.execute(&minji(), &junho(), PageRange::Newest, PageLimit::MAX).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
}
