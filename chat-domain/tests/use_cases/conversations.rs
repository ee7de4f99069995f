use std::collections::HashSet;
use std::sync::Arc;

use chat_domain::{
    ChatError, Conversation, Conversations, FirstContact, Kind, MessageStoreError, MockMessageStore,
    ROOMS_PAGE_MAX, SendCommand,
};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn each_member_sees_the_other_as_the_peer() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕\n준호"), at(0)).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(2, "뭐해"), at(1)).await.unwrap();
    chat.here.mark_read.execute(&origin(JUNHO_PHONE, at(2)), &minji(), at(0)).await.unwrap();

    let hers = Conversation {
        peer: junho(),
        preview: "뭐해".into(),
        last_at: at(1),
        last_seq: 2,
        last_sender: minji(),
        last_kind: Kind::Text,
        unread: 0,
        peer_read_up_to: Some(at(0)),
        request: None,
        blocked: false,
        cleared_to: None,
    };
    let his = Conversation { peer: minji(), unread: 1, peer_read_up_to: None, ..hers.clone() };
    let list = chat.conversations();
    assert_eq!(list.execute(&minji(), None).await.unwrap().conversations, [hers]);
    let page = list.execute(&junho(), None).await.unwrap();
    assert_eq!((page.conversations, page.total_unread, page.next), (vec![his], Some(1), None));
}

#[tokio::test]
async fn who_never_wrote_has_no_conversations() {
    let chat = Chat::new().await;
    let page = chat.conversations().execute(&minji(), None).await.unwrap();
    assert_eq!((page.conversations, page.total_unread, page.next), (vec![], Some(0), None));
}

/// Friend number `n` writes `n` messages to Minji, all on one day, in no order of their names.
async fn many_friends_write(chat: &Chat, friends: u64) {
    let mut number = 0;
    for n in 0..friends {
        let friend = identity(&email(&format!("friend-{n}@example.com")), expiry());
        for k in 0..=n % 3 {
            number += 1;
            let now = at(i64::try_from(n * 7_919 % 1_000 * 10 + k).unwrap());
            let command = SendCommand { receiver: minji(), ..to_junho(number, "안녕") };
            chat.here.send.execute(&friend, command, now).await.unwrap();
        }
    }
}

#[tokio::test]
async fn within_a_page_the_newest_is_first() {
    let chat = Chat::new().await;
    many_friends_write(&chat, 30).await;
    let page = chat.conversations().execute(&minji(), None).await.unwrap();
    assert_eq!(page.conversations.len(), 30);
    assert!(page.conversations.is_sorted_by(|x, y| x.last_at > y.last_at));
    assert_eq!(page.total_unread, Some(60), "ten each of one, two and three");
}

#[tokio::test]
async fn pages_follow_one_another_and_the_total_comes_with_the_first() {
    let chat = Chat::new().await;
    many_friends_write(&chat, 120).await;
    let list = chat.conversations();
    let first = list.execute(&minji(), None).await.unwrap();
    assert_eq!(first.conversations.len(), ROOMS_PAGE_MAX);
    let unread = first.conversations.iter().map(|conversation| conversation.unread).sum();
    assert_eq!(first.total_unread, Some(unread));

    let second = list.execute(&minji(), first.next).await.unwrap();
    assert_eq!((second.conversations.len(), second.total_unread, second.next), (20, None, None));
    let all = first.conversations.iter().chain(&second.conversations);
    assert_eq!(all.map(|conversation| &conversation.peer).collect::<HashSet<_>>().len(), 120);
}

#[tokio::test]
async fn later_days_come_on_earlier_pages() {
    let chat = Chat::new().await;
    many_friends_write(&chat, 120).await;
    let tomorrow = at(86_400_000);
    let friend = identity(&email("friend-7@example.com"), at(100_000_000));
    let command = SendCommand { receiver: minji(), ..to_junho(9_000, "내일") };
    chat.here.send.execute(&friend, command, tomorrow).await.unwrap();
    let page = chat.conversations().execute(&minji(), None).await.unwrap();
    assert_eq!(page.conversations[0].last_at, tomorrow);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_so() {
    let mut messages = MockMessageStore::new();
    messages.expect_rooms_of().returning(|_, _| Err(MessageStoreError::Throttled { operation: "rooms_of" }));
    let list = Conversations::new(Arc::new(messages), FirstContact::default());
    assert_refused!(list.execute(&minji(), None).await, ChatError::Unavailable { .. });
}
