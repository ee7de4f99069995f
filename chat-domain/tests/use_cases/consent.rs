use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_domain::testing::{DecoratedMessageStore, MessageStoreCall, MessageStoreReply, Port as _, answer};
use chat_domain::{
    Blocked, BlockedPeer, ChatError, Consent, ConsentChange, ConsentWrite, Consistency, Deliveries, Email,
    Event, ImageFacts, ImageType, InDoubt, MessageStoreError, PageLimit, PageRange, REQUEST_MESSAGES_MAX,
    RequestSide, RequestUpload, SendOutcome, SendPolicy,
};

use crate::assert_refused;
use crate::chat::*;

/// A chat in which a first contact is a request.
async fn chat() -> Chat {
    Chat::with_policy(SendPolicy::default()).await
}

impl Chat {
    /// One of them decides about the other, from their phone.
    async fn decide(&self, device: &str, change: ConsentChange, ms: i64) -> Result<Deliveries, ChatError> {
        let peer = if device.starts_with("minji") { junho() } else { minji() };
        let changed = self.here.change_consent.execute(&origin(device, at(ms)), &peer, change).await?;
        assert_eq!(changed.room, their_room());
        Ok(changed.deliveries)
    }

    async fn request(&self, user: &Email) -> Option<RequestSide> {
        self.conversations().execute(user, None).await.unwrap().conversations[0].request
    }

    /// Nobody is told anything.
    fn is_silent(&self) {
        for device in [MINJI_PHONE, MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
            assert_eq!(self.received(device), [], "{device}");
        }
    }

    fn hears(&self, device: &str, events: &[Event]) {
        assert_eq!(self.received(device), events, "{device}");
    }
}

#[tokio::test]
async fn a_request_ends_when_it_is_accepted() {
    let chat = chat().await;
    for number in 1..=REQUEST_MESSAGES_MAX {
        chat.send(MINJI_PHONE, to_junho(number.into(), "안녕"), at(0)).await.unwrap();
    }
    assert_eq!(chat.request(&minji()).await, Some(RequestSide::Outgoing));
    assert_eq!(chat.request(&junho()).await, Some(RequestSide::Incoming));
    assert_refused!(chat.send(MINJI_PHONE, to_junho(11, "안녕"), at(1)).await, ChatError::NotAccepted);
    assert_eq!(chat.rows().await.len(), 10);
    let unread = chat.conversations().execute(&junho(), None).await.unwrap();
    assert_eq!(unread.total_unread, Some(10));

    for device in [JUNHO_PHONE, JUNHO_LAPTOP, MINJI_LAPTOP] {
        chat.received(device);
    }
    chat.decide(JUNHO_PHONE, ConsentChange::Accept, 2).await.unwrap();
    let accepted = Event::Consent { room: their_room(), peer: minji(), change: ConsentChange::Accept };
    chat.hears(JUNHO_LAPTOP, &[accepted]);
    chat.is_silent();
    assert_eq!((chat.request(&minji()).await, chat.request(&junho()).await), (None, None));
    chat.send(MINJI_PHONE, to_junho(11, "안녕"), at(3)).await.unwrap();
}

#[tokio::test]
async fn a_request_ends_when_it_is_answered() {
    let chat = chat().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(2, "응"), at(1)).await.unwrap();
    assert_eq!((chat.request(&minji()).await, chat.request(&junho()).await), (None, None));
}

#[tokio::test]
async fn in_a_request_nobody_learns_that_the_other_types_or_reads() {
    let chat = chat().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    for device in [JUNHO_PHONE, JUNHO_LAPTOP, MINJI_LAPTOP] {
        chat.received(device);
    }
    for (device, peer) in [(MINJI_PHONE, junho()), (JUNHO_PHONE, minji())] {
        let told = chat.here.typing.execute(&origin(device, at(1)), &peer).await.unwrap();
        assert_eq!(told, Deliveries::default());
    }
    chat.is_silent();
    let marked = chat.here.mark_read.execute(&origin(JUNHO_PHONE, at(2)), &minji(), at(0)).await.unwrap();
    assert_eq!(marked.unwrap().up_to, at(0));
    let read = Event::Read { room: their_room(), reader: junho(), up_to: at(0) };
    chat.hears(JUNHO_LAPTOP, &[read]);
    chat.is_silent();

    let list = chat.conversations().execute(&minji(), None).await.unwrap();
    assert_eq!(list.conversations[0].peer_read_up_to, None);
    let his = chat.conversations().execute(&junho(), None).await.unwrap();
    assert_eq!(his.conversations[0].unread, 0);
    let page = |caller: Email, peer: Email| {
        let history = chat.history();
        async move { history.execute(&caller, &peer, PageRange::Oldest, PageLimit::MAX).await.unwrap() }
    };
    let hers = page(minji(), junho()).await;
    assert_eq!((hers.peer_read_up_to, hers.is_read(&hers.messages[0])), (None, false));
    let his = page(junho(), minji()).await;
    assert_eq!((his.my_read_up_to, his.is_read(&his.messages[0])), (Some(at(0)), true));

    chat.decide(JUNHO_PHONE, ConsentChange::Accept, 3).await.unwrap();
    let hers = page(minji(), junho()).await;
    assert_eq!((hers.peer_read_up_to, hers.is_read(&hers.messages[0])), (Some(at(0)), true));
}

#[tokio::test]
async fn who_is_blocked_reaches_nobody() {
    let chat = chat().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(2, "응"), at(1)).await.unwrap();
    chat.decide(JUNHO_PHONE, ConsentChange::Block, 2).await.unwrap();
    for device in [MINJI_PHONE, MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
        chat.received(device);
    }
    assert_refused!(chat.send(MINJI_PHONE, to_junho(3, "왜?"), at(3)).await, ChatError::NotAccepted);
    let facts = ImageFacts::new(ImageType::Png, 1_000, 20, 10).unwrap();
    let uploads = Arc::new(chat.attachments.clone());
    let upload = RequestUpload::new(chat.messages.port(), uploads, chat.users.clone(), chat.policy);
    assert_refused!(upload.execute(&minji(), &junho(), facts, 7, at(3)).await, ChatError::NotAccepted);
    upload.execute(&junho(), &minji(), facts, 7, at(3)).await.unwrap();
    chat.here.typing.execute(&origin(MINJI_PHONE, at(3)), &junho()).await.unwrap();
    chat.is_silent();
    chat.minji_reads(at(1), at(4)).await.unwrap();
    chat.hears(MINJI_LAPTOP, &[Event::Read { room: their_room(), reader: minji(), up_to: at(1) }]);
    chat.is_silent();
    let list = chat.conversations().execute(&junho(), None).await.unwrap();
    assert!(list.conversations[0].blocked);
    assert_eq!(list.conversations[0].peer_read_up_to, None);
    assert!(!chat.conversations().execute(&minji(), None).await.unwrap().conversations[0].blocked);
    assert_eq!(chat.rows().await.len(), 2);

    let retry = chat.send(MINJI_LAPTOP, to_junho(1, "안녕"), at(5)).await.unwrap();
    assert_eq!((retry.at, retry.outcome), (at(0), SendOutcome::Duplicate), "it was stored before");
}

#[tokio::test]
async fn a_head_from_before_the_block_admits_nothing() {
    let chat = chat().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(2, "응"), at(1)).await.unwrap();
    let stale = chat.room().await;
    chat.decide(JUNHO_PHONE, ConsentChange::Block, 2).await.unwrap();
    let stores = DecoratedMessageStore::new(chat.messages.port(), move |call, next| {
        let stale = stale.clone();
        match call {
            MessageStoreCall::RoomForCommit { consistency: Consistency::Eventual, .. } => {
                answer(Ok(MessageStoreReply::RoomForCommit(Some(stale))))
            }
            call => next.call(call),
        }
    });
    let process = chat.process_over(Arc::new(stores));
    assert_refused!(process.send(MINJI_PHONE, to_junho(3, "왜?"), at(3)).await, ChatError::NotAccepted);
    process.typing.execute(&origin(MINJI_PHONE, at(3)), &junho()).await.unwrap();
    assert_eq!(chat.rows().await.len(), 2);
    assert!(chat.received(JUNHO_PHONE).iter().all(|event| !matches!(event, Event::Typing { .. })));
}

#[tokio::test]
async fn unblocking_lets_everything_through_again() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    let blocked = Blocked::new(chat.messages.port());
    for (change, ms) in [(ConsentChange::Block, 1), (ConsentChange::Block, 2)] {
        chat.decide(MINJI_PHONE, change, ms).await.unwrap();
        let page = blocked.execute(&minji(), None).await.unwrap();
        assert_eq!(page.blocked, [BlockedPeer { peer: junho(), since: at(ms) }]);
    }
    assert_eq!(blocked.execute(&junho(), None).await.unwrap().blocked, []);
    for ms in [3, 4] {
        chat.decide(MINJI_PHONE, ConsentChange::Unblock, ms).await.unwrap();
        assert_eq!(blocked.execute(&minji(), None).await.unwrap().blocked, []);
    }
    chat.send(JUNHO_PHONE, to_minji(2, "응"), at(5)).await.unwrap();
    assert_eq!(chat.request(&minji()).await, Some(RequestSide::Incoming), "it is a request again");
}

#[tokio::test]
async fn who_is_blocked_goes_on_seeing_what_was_read_before_and_no_more() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(2, "안녕"), at(1)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(3, "뭐해"), at(2)).await.unwrap();
    let his_view = async || {
        let page =
            chat.history().execute(&junho(), &minji(), PageRange::Oldest, PageLimit::MAX).await.unwrap();
        let read: Vec<_> = page.messages.iter().map(|message| page.is_read(message)).collect();
        (page.peer_read_up_to, read)
    };
    let reads = async |ms, up_to| {
        chat.here.mark_read.execute(&origin(MINJI_PHONE, at(ms)), &junho(), at(up_to)).await.unwrap();
    };
    reads(3, 0).await;
    assert_eq!(his_view().await, (Some(at(0)), vec![true, false, false]));
    chat.decide(MINJI_PHONE, ConsentChange::Block, 4).await.unwrap();
    reads(5, 2).await;
    assert_eq!(his_view().await, (Some(at(0)), vec![true, false, false]));
    // That he blocks her as well, or she him once more, shows him nothing.
    chat.decide(JUNHO_PHONE, ConsentChange::Block, 6).await.unwrap();
    chat.decide(MINJI_LAPTOP, ConsentChange::Block, 7).await.unwrap();
    assert_eq!(his_view().await, (Some(at(0)), vec![true, false, false]));
    chat.decide(JUNHO_PHONE, ConsentChange::Unblock, 8).await.unwrap();
    assert_eq!(his_view().await, (Some(at(0)), vec![true, false, false]));
    chat.decide(MINJI_PHONE, ConsentChange::Unblock, 9).await.unwrap();
    assert_eq!(his_view().await, (Some(at(2)), vec![true, false, true]));
}

/// Between reading the room and blocking, the other one blocks as well.
#[tokio::test]
async fn a_block_that_meets_the_others_shows_nothing_that_was_read_since() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(2, "안녕"), at(1)).await.unwrap();
    let meets = AtomicBool::new(true);
    let reads = Arc::new(chat.process_over(chat.messages.port()));
    let stores = DecoratedMessageStore::new(chat.messages.port(), move |call, next| {
        let meets =
            matches!(call, MessageStoreCall::WriteConsent { .. }) && meets.swap(false, Ordering::Relaxed);
        let reads = reads.clone();
        Box::pin(async move {
            if meets {
                let hers = origin(MINJI_PHONE, at(2));
                reads.change_consent.execute(&hers, &junho(), ConsentChange::Block).await.unwrap();
                reads.mark_read.execute(&hers, &junho(), at(0)).await.unwrap();
            }
            next.call(call).await
        })
    });
    let process = chat.process_over(Arc::new(stores));
    let his = origin(JUNHO_PHONE, at(3));
    process.change_consent.execute(&his, &minji(), ConsentChange::Block).await.unwrap();
    let room = chat.room().await;
    assert!(room.consent(JUNHO).blocked.is_some() && room.consent(MINJI).blocked.is_some());
    assert_eq!(
        (room.read_up_to(MINJI), room.peer_read_up_to(JUNHO, Default::default())),
        (Some(at(0)), None)
    );
}

#[tokio::test]
async fn a_block_that_came_later_is_not_lifted() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    chat.decide(MINJI_PHONE, ConsentChange::Block, 10).await.unwrap();
    let early = chat.decide(MINJI_LAPTOP, ConsentChange::Unblock, 9).await;
    assert_refused!(early, ChatError::InDoubt(InDoubt::Unblock));
    assert_eq!(chat.room().await.consent(MINJI), Consent { accepted: false, blocked: Some(at(10)) });
}

/// Between reading the room and lifting the block, another device blocks anew.
#[tokio::test]
async fn an_unblocking_that_meets_a_new_block_decides_anew() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    chat.decide(MINJI_PHONE, ConsentChange::Block, 1).await.unwrap();
    let meets = AtomicBool::new(true);
    let stores = DecoratedMessageStore::new(chat.messages.port(), move |call, next| {
        let anew = ConsentWrite::Block { at: at(5), freezes_reads: false };
        let meets =
            matches!(call, MessageStoreCall::WriteConsent { .. }) && meets.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            if meets {
                next.write_consent(&their_room(), MINJI, anew).await?;
            }
            next.call(call).await
        })
    });
    let process = chat.process_over(Arc::new(stores));
    let unblock = async |ms| {
        process.change_consent.execute(&origin(MINJI_LAPTOP, at(ms)), &junho(), ConsentChange::Unblock).await
    };
    assert_refused!(unblock(4).await, ChatError::InDoubt(InDoubt::Unblock));
    assert_eq!(chat.room().await.consent(MINJI).blocked, Some(at(5)));
    unblock(6).await.unwrap();
    assert_eq!(chat.room().await.consent(MINJI).blocked, None);
}

#[tokio::test]
async fn nobody_decides_about_strangers_or_themselves() {
    let chat = chat().await;
    for change in [ConsentChange::Accept, ConsentChange::Block, ConsentChange::Unblock] {
        assert_refused!(chat.decide(MINJI_PHONE, change, 0).await, ChatError::NotFound);
        let alone = chat.here.change_consent.execute(&origin(MINJI_PHONE, at(0)), &minji(), change).await;
        assert_refused!(alone, ChatError::SelfChat);
        let late = chat.here.change_consent.execute(&origin(MINJI_PHONE, expiry()), &junho(), change).await;
        assert_refused!(late, ChatError::AuthExpired);
    }
    assert_eq!(chat.room().await.log(), None, "no room is begun");
}

#[tokio::test]
async fn what_the_store_does_not_answer_is_unavailable() {
    let chat = chat().await;
    chat.send(JUNHO_PHONE, to_minji(1, "응"), at(0)).await.unwrap();
    let stores = DecoratedMessageStore::new(chat.messages.port(), |call, next| match call {
        MessageStoreCall::WriteConsent { .. } => {
            answer(Err(MessageStoreError::Throttled { operation: "write_consent" }))
        }
        call => next.call(call),
    });
    let process = chat.process_over(Arc::new(stores));
    let block =
        process.change_consent.execute(&origin(MINJI_PHONE, at(1)), &junho(), ConsentChange::Block).await;
    assert_refused!(block, ChatError::Unavailable { .. });
    assert_eq!(chat.received(MINJI_LAPTOP).len(), 1, "the message, and nothing else");
}
