use chat_domain::{
    ChangeCommand, ChatError, Cleared, Effect, Email, Event, PageLimit, PageRange, Room, SendCommand,
    Timestamp,
};

use crate::assert_refused;
use crate::chat::*;

impl Chat {
    /// Minji clears the conversation up to a place, on her phone.
    async fn minji_clears(&self, up_to: Timestamp) -> Result<Cleared, ChatError> {
        self.here.clear.execute(&origin(MINJI_PHONE, at(60_000)), &junho(), up_to).await
    }

    async fn minji_sees(&self, range: PageRange) -> (Vec<u64>, bool) {
        let page =
            self.history().execute(&minji(), &junho(), range, PageLimit::new(2).unwrap()).await.unwrap();
        (page.messages.iter().map(|message| message.seq).collect(), page.has_more)
    }
}

#[tokio::test]
async fn what_is_cleared_is_in_no_page_of_ones_own_and_in_every_one_of_the_peer() {
    let chat = Chat::new().await;
    chat.junho_writes(5, at(0)).await;
    assert_eq!(chat.minji_clears(at(2_000)).await.unwrap().up_to, at(2_000));

    for (range, seqs) in [
        (PageRange::Newest, vec![5, 4]),
        (PageRange::Before(at(4_000)), vec![4]),
        (PageRange::Before(at(3_000)), vec![]),
        (PageRange::Before(at(1_000)), vec![]),
        (PageRange::Oldest, vec![4, 5]),
        (PageRange::After(at(0)), vec![4, 5]),
        (PageRange::After(at(2_000)), vec![4, 5]),
        (PageRange::After(at(3_000)), vec![5]),
    ] {
        let (seen, has_more) = chat.minji_sees(range).await;
        assert_eq!(seen, seqs, "{range:?}");
        // Only a page that ends at the border cannot know that nothing is beyond it.
        assert!(!has_more || range == PageRange::Newest, "{range:?}");
    }
    let around = chat.history().around(&minji(), &junho(), at(1_000)).await.unwrap();
    let seqs: Vec<_> = around.messages.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, around.has_more, around.cleared_to), (vec![5, 4], false, Some(at(2_000))));

    assert!(!around.has_newer);
    chat.junho_writes(40, at(10_000)).await;
    let around = chat.history().around(&minji(), &junho(), at(1_000)).await.unwrap();
    let seqs: Vec<_> = around.messages.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, around.has_newer), ((4..29).rev().collect(), true), "the oldest that are left");

    let his = chat.history().execute(&junho(), &minji(), PageRange::Oldest, PageLimit::MAX).await.unwrap();
    assert_eq!((his.messages.len(), his.cleared_to), (45, None));
}

#[tokio::test]
async fn a_cleared_conversation_is_listed_again_with_something_new() {
    let chat = Chat::new().await;
    chat.junho_writes(2, at(0)).await;
    chat.minji_clears(at(5_000)).await.unwrap();
    let listed = async |user: Email| chat.conversations().execute(&user, None).await.unwrap();
    assert_eq!(listed(minji()).await.conversations, []);
    assert_eq!(listed(junho()).await.conversations.len(), 1);

    // A reaction to what is cleared is nothing new.
    let id = id(7);
    let effect = Effect::React(chat_domain::Reactions::new(vec!["👍".parse().unwrap()]).unwrap());
    let react = ChangeCommand { peer: minji(), id, after: None, target: at(0), effect };
    chat.here.send_from_connection.change(&origin(JUNHO_PHONE, at(6_000)), react).await.unwrap();
    assert_eq!(listed(minji()).await.conversations, []);
    let page = chat.history().execute(&minji(), &junho(), PageRange::Newest, PageLimit::MAX).await.unwrap();
    assert_eq!(
        (page.messages.len(), page.referred),
        (1, vec![]),
        "the change alone, without what it is about"
    );

    chat.send(JUNHO_PHONE, to_minji(8, "다시 안녕"), at(7_000)).await.unwrap();
    let again = listed(minji()).await.conversations;
    assert_eq!((again.len(), again[0].unread, again[0].cleared_to), (1, 3, Some(at(1_000))));
    assert_eq!(chat.minji_sees(PageRange::Oldest).await.0, [3, 4]);
}

/// What it quotes is cleared, and the reply is not.
#[tokio::test]
async fn a_quote_does_not_bring_back_what_is_cleared() {
    let chat = Chat::new().await;
    chat.junho_writes(1, at(0)).await;
    chat.minji_clears(at(0)).await.unwrap();
    let reply = SendCommand { reply_to: Some(at(0)), ..to_minji(2, "들었어?") };
    chat.send(JUNHO_PHONE, reply, at(1)).await.unwrap();
    let page = chat.history().execute(&minji(), &junho(), PageRange::Newest, PageLimit::MAX).await.unwrap();
    assert_eq!(page.messages[0].reply_to, Some(at(0)));
    assert_eq!(page.quoted(&page.messages[0]), None);
}

#[tokio::test]
async fn ones_other_devices_are_told_and_nobody_else() {
    let chat = Chat::new().await;
    chat.junho_writes(1, at(0)).await;
    // What is not there yet is not cleared.
    let cleared = chat.minji_clears(at(90_000)).await.unwrap();
    assert_eq!((cleared.room, cleared.up_to, cleared.deliveries.taken), (their_room(), at(0), 1));
    let event = Event::Cleared { room: their_room(), peer: junho(), up_to: at(0) };
    assert_eq!(chat.received(MINJI_LAPTOP), [event]);
    for silent in [MINJI_PHONE, JUNHO_PHONE, JUNHO_LAPTOP] {
        assert_eq!(chat.received(silent), [], "{silent}");
    }
}

#[tokio::test]
async fn nothing_comes_back_by_an_earlier_clear() {
    let chat = Chat::new().await;
    chat.junho_writes(3, at(0)).await;
    chat.minji_clears(at(1_000)).await.unwrap();
    assert_eq!(chat.minji_clears(at(0)).await.unwrap().up_to, at(1_000));
    assert_eq!(chat.minji_sees(PageRange::Oldest).await.0, [3]);
}

#[tokio::test]
async fn what_is_not_there_is_not_cleared() {
    let chat = Chat::new().await;
    assert_refused!(chat.minji_clears(at(0)).await, ChatError::NotFound);
    let origin = origin(MINJI_PHONE, at(0));
    assert_refused!(chat.here.clear.execute(&origin, &minji(), at(0)).await, ChatError::SelfChat);
    chat.junho_writes(1, at(0)).await;
    chat.delete_row(MINJI_PHONE).await;
    assert_refused!(chat.minji_clears(at(0)).await, ChatError::UnknownConnection);
    assert!(!Room::is_cleared_for(&chat.room().await, MINJI));
}
