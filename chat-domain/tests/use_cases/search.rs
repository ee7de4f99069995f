use std::sync::Arc;

use chat_domain::testing::{DecoratedMessageStore, MessageStoreCall, MessageStoreReply, Port as _, answer};
use chat_domain::{
    Attachment, AttachmentKey, ChangeCommand, ChatError, Consistency, Content, Effect, ImageFacts, ImageType,
    MessageStore, OtherContent, PAGE_MAX, PageLimit, PageQuery, PageRange, RequestRate, SEARCH_HITS_MAX,
    SEARCH_PAGES_MAX, Search, SearchPage, Timestamp, UserStore,
};

use crate::assert_refused;
use crate::chat::*;
use crate::send::proposal;

const NEWEST: PageQuery = PageQuery { range: PageRange::Newest, limit: PageLimit::MAX };

async fn found(chat: &Chat, query: &str, before: Option<Timestamp>) -> SearchPage {
    search(chat).execute(&minji(), &junho(), &query.parse().unwrap(), before, at(60_000)).await.unwrap()
}

fn search(chat: &Chat) -> Search {
    search_in(chat, chat.messages.port())
}

fn search_in(chat: &Chat, messages: Arc<dyn MessageStore>) -> Search {
    Search::new(messages, chat.users.clone(), chat.policy.first_contact, RequestRate::default())
}

fn seqs(found: &SearchPage) -> Vec<u64> {
    found.hits.iter().map(|hit| hit.message.seq).collect()
}

#[tokio::test]
async fn the_newest_hit_comes_first() {
    let chat = Chat::new().await;
    for (number, (sender, text)) in
        [(JUNHO, "잠실 경기장에서"), (MINJI, "몇 시?"), (MINJI, "잠실경기장 앞이지?"), (JUNHO, "응")]
            .into_iter()
            .enumerate()
    {
        let number = u32::try_from(number).unwrap();
        chat.write(sender, number.into(), text, at(number.into())).await;
    }
    chat.minji_reads(at(0), at(9)).await.unwrap();
    let page = found(&chat, "잠실 경기장", None).await;
    assert_eq!((seqs(&page), page.searched_to, page.has_more), (vec![3, 1], Some(at(0)), false));
    let read: Vec<_> = page.hits.iter().map(|hit| hit.is_read).collect();
    assert_eq!(read, [false, true]);
    assert_eq!(seqs(&found(&chat, "잠실", Some(at(2))).await), [1]);
    assert_eq!(seqs(&found(&chat, "부산", None).await), [] as [u64; 0]);
}

#[tokio::test]
async fn one_search_reads_so_many_pages_and_the_next_goes_on() {
    let chat = Chat::new().await;
    let entries = u32::try_from(SEARCH_PAGES_MAX * PAGE_MAX).unwrap() + 1;
    chat.write(MINJI, 1, "바늘", at(-1)).await;
    chat.junho_writes(entries - 1, at(0)).await;
    let first = found(&chat, "바늘", None).await;
    assert_eq!((seqs(&first), first.searched_to, first.has_more), (vec![], Some(at(0)), true));
    let next = found(&chat, "바늘", first.searched_to).await;
    assert_eq!((seqs(&next), next.searched_to, next.has_more), (vec![1], Some(at(-1)), false));
}

#[tokio::test]
async fn one_search_finds_so_many_messages_and_the_next_goes_on() {
    let chat = Chat::new().await;
    let hits = u32::try_from(SEARCH_HITS_MAX).unwrap();
    for number in 0..hits + 1 {
        chat.write(JUNHO, number.into(), "바늘", at(number.into())).await;
    }
    let first = found(&chat, "바늘", None).await;
    assert_eq!((first.hits.len(), first.searched_to, first.has_more), (SEARCH_HITS_MAX, Some(at(1)), true));
    let next = found(&chat, "바늘", first.searched_to).await;
    assert_eq!((seqs(&next), next.has_more), (vec![1], false));

    // The last hit of many may be the oldest message of all.
    let exactly = found(&chat, "바늘", Some(at(hits.into()))).await;
    assert_eq!((exactly.hits.len(), exactly.has_more), (SEARCH_HITS_MAX, false));
}

#[tokio::test]
async fn what_is_cleared_is_not_found() {
    let chat = Chat::new().await;
    for number in 0..3_u32 {
        chat.write(JUNHO, number.into(), "바늘", at(number.into())).await;
    }
    chat.here.clear.execute(&origin(MINJI_PHONE, at(9)), &junho(), at(1)).await.unwrap();
    let page = found(&chat, "바늘", None).await;
    assert_eq!((seqs(&page), page.searched_to, page.has_more), (vec![3], Some(at(2)), false));
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is() {
    let chat = Chat::new().await;
    let page = found(&chat, "바늘", None).await;
    assert_eq!((seqs(&page), page.searched_to, page.has_more), (vec![], None, false));
    let with_oneself = search(&chat).execute(&minji(), &minji(), &"바늘".parse().unwrap(), None, at(0)).await;
    assert_refused!(with_oneself, ChatError::SelfChat);
}

/// A page may be of a moment ago, when the words were still there.
#[tokio::test]
async fn what_was_edited_away_is_not_found() {
    let chat = Chat::new().await;
    let edited = chat.write(JUNHO, 1, "옛날 바늘", at(0)).await;
    chat.write(JUNHO, 2, "바늘", at(1)).await;
    let before = chat.messages.stored.page(&their_room(), NEWEST, Consistency::Strong).await.unwrap();
    let edit = ChangeCommand {
        peer: minji(),
        id: id(3),
        after: None,
        target: edited.at,
        effect: Effect::Edit("실".parse().unwrap()),
    };
    chat.here.send_from_connection.change(&origin(JUNHO_PHONE, at(2)), edit).await.unwrap();
    let stale = DecoratedMessageStore::new(chat.messages.port(), move |call, next| match call {
        MessageStoreCall::Page { consistency: Consistency::Eventual, .. } => {
            answer(Ok(MessageStoreReply::Page(before.clone())))
        }
        call => next.call(call),
    });
    let stale = search_in(&chat, Arc::new(stale));
    let found = stale.execute(&minji(), &junho(), &"바늘".parse().unwrap(), None, at(9)).await.unwrap();
    assert_eq!(seqs(&found), [2]);
}

/// A search of one page counts as the one request that it is.
#[tokio::test]
async fn a_longer_search_is_counted_before_it_reads_on() {
    let chat = Chat::new().await;
    chat.junho_writes(u32::try_from(PAGE_MAX).unwrap(), at(0)).await;
    found(&chat, "바늘", None).await;
    assert_eq!(chat.users.get(&minji()).await.unwrap(), None);
    chat.write(JUNHO, 1, "하나 더", at(100_000)).await;
    let searches = RequestRate::default().per_hour.get() / u32::try_from(SEARCH_PAGES_MAX - 1).unwrap();
    for _ in 0..searches {
        found(&chat, "바늘", None).await;
    }
    let again = search(&chat).execute(&minji(), &junho(), &"바늘".parse().unwrap(), None, at(60_000)).await;
    assert_refused!(again, ChatError::RateLimited { .. });
    let later =
        search(&chat).execute(&minji(), &junho(), &"바늘".parse().unwrap(), None, at(3_660_000)).await;
    assert!(later.is_ok());
}

/// Whatever a kind shows of words is found, and nothing of what is gone.
#[test]
fn every_kind_is_found_by_its_words() {
    let Content::MatchProposal(mut proposal) = proposal() else { panic!("it is one") };
    proposal.note = Some("지는 쪽이 한턱".parse().unwrap());
    let is_found = |content: &Content, query: &str| content.is_found_by(&query.parse().unwrap());
    let facts = ImageFacts::new(ImageType::Jpeg, 1_000, 16, 9).unwrap();
    let key = AttachmentKey::mint(&their_room(), MINJI, facts, 1);
    let attachment = Attachment { key, facts, alt: Some("열한 명".parse().unwrap()) };
    let image = Content::Image { attachment, caption: Some("우리 팀".parse().unwrap()) };
    let other = Content::Other(OtherContent {
        kind: "x-order".parse().unwrap(),
        preview: Some("주문: 축구공".parse().unwrap()),
        body: Some("\"비밀\"".into()),
    });
    for (content, words) in [
        (words("안녕하세요"), vec!["안녕"]),
        (image, vec!["우리팀", "열한명"]),
        (Content::MatchProposal(proposal), vec!["한강", "남산", "여의도", "한턱"]),
        (other, vec!["축구공"]),
    ] {
        for word in words {
            assert!(is_found(&content, word), "{word}");
        }
        assert!(!is_found(&content, "비밀"));
    }
    for nothing in [Content::Deleted, Content::Erased] {
        assert!(!is_found(&nothing, "a"));
    }
}
