//! A message is stored once, however often and from wherever it is sent.

use chat_domain::{ChatError, Consistency, PageRange, SendOutcome, Timestamp};

use crate::assert_refused;
use crate::chat::*;
use crate::faults::Step;

#[rstest::rstest]
#[case::at_once(0)]
#[case::as_the_last_that_the_head_recalls(7)]
#[case::as_the_first_that_it_does_not(8)]
#[case::after_twenty(20)]
#[case::after_a_page(49)]
#[case::after_more_than_a_page(50)]
#[case::after_two_pages(120)]
#[tokio::test]
async fn a_retry_gets_the_original_ack(#[case] further: u32) {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    let command = after(known.at, to_junho(2, "한 번만"));
    let first = chat.send(MINJI_PHONE, command.clone(), at(1_000)).await.unwrap();
    chat.junho_writes(further, at(2_000)).await;
    chat.received(JUNHO_PHONE);

    let retry = chat.process().send(MINJI_LAPTOP, command, at(900_000)).await.unwrap();

    assert!(repeats(&retry, &first), "{retry:?}");
    assert_eq!(chat.rows().await.len(), 2 + further as usize);
    assert_eq!(chat.received(JUNHO_PHONE), [], "it is not pushed again");
    assert_eq!(chat.received(MINJI_PHONE), [], "nor to whom it came from");
}

#[tokio::test]
async fn the_search_comes_after_the_head_and_is_strong() {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    chat.junho_writes(20, at(1_000)).await;
    chat.send(MINJI_PHONE, after(known.at, to_junho(2, "새것")), at(60_000)).await.unwrap();

    let steps = chat.journal.take();
    let [Step::Head(_), Step::Page(query, Consistency::Strong), Step::Commit, ..] = steps[..] else {
        panic!("{steps:?}")
    };
    assert_eq!(query.range, PageRange::After(known.at));
}

#[tokio::test]
async fn one_full_page_after_what_the_client_knew_is_still_searched_exactly() {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    chat.junho_writes(50, at(1_000)).await;
    let sent = chat.send(MINJI_PHONE, after(known.at, to_junho(2, "새것")), at(60_000)).await.unwrap();
    assert!(matches!(sent.outcome, SendOutcome::Stored { .. }));
    assert_eq!(sent.seq, 52);
}

#[tokio::test]
async fn more_than_a_page_asks_for_a_sync_and_then_the_message_is_stored_once() {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    let written = chat.junho_writes(51, at(1_000)).await;
    let command = to_junho(2, "오래 걸렸다");

    let refused = chat.send(MINJI_PHONE, after(known.at, command.clone()), at(60_000)).await;
    assert_refused!(refused, ChatError::ResyncNeeded);
    assert_eq!(chat.rows().await.len(), 52, "nothing was stored");

    let synced = after(written.last().unwrap().at, command);
    let first = chat.send(MINJI_PHONE, synced.clone(), at(61_000)).await.unwrap();
    let retry = chat.send(MINJI_LAPTOP, synced, at(62_000)).await.unwrap();
    assert!(repeats(&retry, &first));
    assert_eq!(chat.rows().await.len(), 53);
}

#[tokio::test]
async fn a_message_beyond_the_searched_page_is_not_stored_again() {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    chat.junho_writes(50, at(1_000)).await;
    let command = after(known.at, to_junho(2, "한 번만"));
    chat.send(MINJI_PHONE, command.clone(), at(60_000)).await.unwrap();
    for n in 0..8 {
        chat.write(JUNHO, 2_000 + n, "그리고", at(61_000)).await;
    }
    assert_refused!(chat.send(MINJI_PHONE, command, at(70_000)).await, ChatError::ResyncNeeded);
    assert_eq!(chat.rows().await.iter().filter(|message| message.id == id(2)).count(), 1);
}

#[rstest::rstest]
#[case::at_once(0)]
#[case::after_a_few(8)]
#[case::as_the_oldest_of_the_newest_fifty(49)]
#[tokio::test]
async fn without_after_the_newest_fifty_are_searched(#[case] further: u32) {
    let chat = Chat::new().await;
    let first = chat.send(MINJI_PHONE, to_junho(1, "한 번만"), at(0)).await.unwrap();
    chat.junho_writes(further, at(1_000)).await;
    let retry = chat.send(MINJI_PHONE, to_junho(1, "한 번만"), at(900_000)).await.unwrap();
    assert!(repeats(&retry, &first), "{retry:?}");
}

/// The search begins where the client's knowledge ended, so the length of the room does not matter.
#[tokio::test]
async fn the_first_message_of_a_room_is_recognised_behind_any_number() {
    let chat = Chat::new().await;
    let command = after(Timestamp::UNIX_EPOCH, to_junho(1, "첫마디"));
    let first = chat.send(MINJI_PHONE, command.clone(), at(0)).await.unwrap();
    chat.junho_writes(120, at(1_000)).await;
    let retry = chat.send(MINJI_LAPTOP, command, at(900_000)).await.unwrap();
    assert!(repeats(&retry, &first), "{retry:?}");
}

#[tokio::test]
async fn without_after_nothing_older_is_searched_and_no_sync_is_asked_for() {
    let chat = Chat::new().await;
    chat.junho_writes(60, at(0)).await;
    let sent = chat.send(MINJI_PHONE, to_junho(1, "씨앗의 프레임"), at(60_000)).await.unwrap();
    assert_eq!(sent.seq, 61);
}

#[rstest::rstest]
#[case::still_in_the_head(0)]
#[case::found_by_the_search(20)]
#[tokio::test]
async fn the_same_id_with_other_content_is_refused(#[case] further: u32) {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    let command = |text| after(known.at, to_junho(2, text));
    chat.send(MINJI_PHONE, command("이것"), at(1_000)).await.unwrap();
    chat.junho_writes(further, at(2_000)).await;

    let refused = chat.send(MINJI_PHONE, command("저것"), at(60_000)).await;
    assert_refused!(refused, ChatError::IdReused);
    assert!(chat.rows().await.iter().all(|message| message.content != words("저것")));
}

#[rstest::rstest]
#[case::still_in_the_head(0)]
#[case::found_by_the_search(20)]
#[tokio::test]
async fn the_same_id_of_the_other_member_is_another_message(#[case] further: u32) {
    let chat = Chat::new().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    chat.send(MINJI_PHONE, after(known.at, to_junho(2, "같은 말")), at(1_000)).await.unwrap();
    chat.junho_writes(further, at(2_000)).await;

    let other = chat.send(JUNHO_PHONE, after(known.at, to_minji(2, "같은 말")), at(60_000)).await.unwrap();
    assert!(matches!(other.outcome, SendOutcome::Stored { .. }));
    assert_eq!(chat.rows().await.iter().filter(|message| message.id == id(2)).count(), 2);
}

#[rstest::rstest]
#[case::of_an_empty_room(false)]
#[case::of_a_room(true)]
#[tokio::test]
async fn after_ahead_of_the_room_is_refused_once_a_strong_read_agrees(#[case] begun: bool) {
    let chat = Chat::new().await;
    if begun {
        chat.write(JUNHO, 1, "먼저", at(0)).await;
    }
    let refused = chat.send(MINJI_PHONE, after(at(1), to_junho(2, "미래에서")), at(60_000)).await;
    assert_refused!(refused, ChatError::AfterAheadOfRoom);
    let heads = [Step::Head(Consistency::Eventual), Step::Head(Consistency::Strong)];
    assert_eq!(chat.journal.take(), heads);
}

#[tokio::test]
async fn after_ahead_of_a_stale_head_is_no_reason_to_refuse() {
    let chat = Chat::new().await;
    chat.messages.freeze().await;
    let known = chat.write(JUNHO, 1, "먼저", at(0)).await;
    let sent = chat.send(MINJI_PHONE, after(known.at, to_junho(2, "벌써 봤어")), at(1_000)).await.unwrap();
    assert_eq!((sent.seq, sent.at), (2, at(1_000)));
    assert!(chat.waits.all().is_empty(), "reading again is no failure to wait for");
}

#[tokio::test]
async fn a_recalled_retry_is_answered_without_a_commit() {
    let chat = Chat::new().await;
    let first = chat.send(MINJI_PHONE, to_junho(1, "한 번만"), at(0)).await.unwrap();
    chat.journal.take();
    let later = at(3_000_000);
    let retry = chat.send(MINJI_PHONE, to_junho(1, "한 번만"), later).await.unwrap();
    assert!(repeats(&retry, &first));
    assert!(!chat.journal.take().contains(&Step::Commit));
}
