//! Everything that the chat keeps of a user is found, exported and erased, while the other one goes on
//! writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chat_adapters_memory::NoBackoff;
use chat_domain::testing::{DecoratedMessageEraser, MessageEraserCall, Outcome, Port as _, answer};
use chat_domain::{
    AttachmentEraser as _, ChatError, ConsentChange, Content, Draft, Email, EraseUser, ExportUser, Found,
    Kind, Member, Message, MessageEraser, MessageStore as _, MessageStoreError, ProposalAnswer,
    ProposalRefused, Room, SendCommand, Verdict,
};

use crate::assert_refused;
use crate::chat::*;
use crate::send::{images, proposal};

pub(crate) fn erase(chat: &Chat) -> EraseUser {
    erase_by(chat, Arc::new(chat.messages.stored.clone()))
}

fn export(chat: &Chat) -> ExportUser {
    ExportUser::new(
        chat.users.clone(),
        chat.connections.port(),
        chat.messages.port(),
        Arc::new(chat.attachments.clone()),
        chat.policy.first_contact,
    )
}

fn said_by<'a>(rows: &'a [Message], user: &Email) -> Vec<&'a Content> {
    rows.iter().filter(|row| row.sender_email() == user).map(|row| &row.content).collect()
}

/// More than two pages, by turns.
async fn long_talk(chat: &Chat) {
    for n in 0..60 {
        chat.send(MINJI_PHONE, to_junho(n, &format!("민지 {n}")), at(2 * n as i64)).await.unwrap();
        chat.send(JUNHO_PHONE, to_minji(n, &format!("준호 {n}")), at(2 * n as i64 + 1)).await.unwrap();
    }
}

#[tokio::test]
async fn what_one_wrote_is_erased_and_what_the_other_wrote_stays_where_it_was() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    let before = all_rows(&chat).await;
    let erase = erase(&chat);
    let found = Found { messages: 60, heads: 1, rooms: 0, connections: 2, uploads: 0, usage: 1 };
    assert_eq!(erase.find(&minji()).await.unwrap(), found);
    assert_eq!(all_rows(&chat).await, before, "who looks changes nothing");
    assert_eq!(erase.execute(&minji(), at(0)).await.unwrap(), found);
    assert!(erase.find(&minji()).await.unwrap().is_nothing());

    let after = all_rows(&chat).await;
    assert!(said_by(&after, &minji()).into_iter().all(|content| *content == Content::Erased));
    assert_eq!(said_by(&after, &junho()), said_by(&before, &junho()));
    let place = |row: &Message| (row.at, row.seq, row.sender, row.sender_seq, row.id);
    assert_eq!(after.iter().map(place).collect::<Vec<_>>(), before.iter().map(place).collect::<Vec<_>>());
    let others = Found { messages: 60, heads: 1, rooms: 1, connections: 2, uploads: 0, usage: 0 };
    assert_eq!(erase.find(&junho()).await.unwrap(), others, "nothing of his was touched");
}

async fn all_rows(chat: &Chat) -> Vec<Message> {
    export(chat).execute(&junho()).await.unwrap().rooms.remove(0).messages
}

#[tokio::test]
async fn the_list_tells_nothing_of_it_any_more() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "비밀"), at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let page = chat.conversations().execute(&junho(), None).await.unwrap();
    let [listed] = &page.conversations[..] else { panic!("{page:?}") };
    assert_eq!((listed.preview.as_str(), &listed.last_kind, listed.unread), ("", &Kind::Erased, 1));
}

#[tokio::test]
async fn a_proposal_that_is_erased_can_no_longer_be_answered() {
    let chat = Chat::new().await;
    let proposed = SendCommand { content: proposal(), ..to_junho(1, "-") };
    let sent = chat.send(MINJI_PHONE, proposed, at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let answer = ProposalAnswer { proposal: sent.at, verdict: Verdict::Accepted };
    let answer = SendCommand { content: Content::MatchProposalAnswer(answer), ..to_minji(2, "-") };
    let refused = chat.send(JUNHO_PHONE, answer, at(1)).await;
    assert_refused!(refused, ChatError::ProposalState(ProposalRefused::NotOpen));
}

#[tokio::test]
async fn a_retry_of_what_was_erased_brings_nothing_back() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "비밀"), at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let retry = chat.here.send.execute(&identity(&minji(), expiry()), to_junho(1, "비밀"), at(1)).await;
    assert_refused!(retry, ChatError::IdReused);
    assert_eq!(chat.rows().await[0].content, Content::Erased);
}

#[tokio::test]
async fn what_was_cut_short_is_finished_by_the_next_attempt() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    let left = AtomicU32::new(25);
    let eraser = eraser(&chat, move |call, next| match call {
        MessageEraserCall::EraseMessage { .. } if !takes_one(&left) => {
            answer(Err(MessageStoreError::Throttled { operation: call.method() }))
        }
        call => next.call(call),
    });
    assert_refused!(erase_by(&chat, eraser).execute(&minji(), at(0)).await, ChatError::Unavailable { .. });

    let rest = Found { messages: 35, heads: 1, rooms: 0, connections: 0, uploads: 0, usage: 0 };
    assert_eq!(erase(&chat).execute(&minji(), at(0)).await.unwrap(), rest);
    assert!(erase(&chat).find(&minji()).await.unwrap().is_nothing());
}

/// Erases Minji while one of the two writes before a head is rewritten, so many times.
async fn erase_overtaken(chat: &Chat, by: Member, times: u32) -> Result<Found, ChatError> {
    let (messages, left) = (chat.messages.clone(), AtomicU32::new(times));
    let eraser = eraser(chat, move |call, next| {
        let is_overtaken = matches!(call, MessageEraserCall::RewriteHead { .. }) && takes_one(&left);
        let (messages, number) = (messages.clone(), 1_000 + u128::from(left.load(Ordering::Relaxed)));
        Box::pin(async move {
            if is_overtaken {
                let draft = Draft { id: id(number), sender: by, content: words("또"), reply_to: None };
                messages.write(&draft, at(1_000)).await;
            }
            next.call(call).await
        })
    });
    erase_by(chat, eraser).execute(&minji(), at(0)).await
}

/// The eraser of the chat's messages, with a closure around its calls.
fn eraser<F>(chat: &Chat, decorate: F) -> Arc<dyn MessageEraser>
where
    F: for<'a> Fn(MessageEraserCall<'a>, &'a Arc<dyn MessageEraser>) -> Outcome<'a, dyn MessageEraser>
        + Send
        + Sync
        + 'static,
{
    Arc::new(DecoratedMessageEraser::new(Arc::new(chat.messages.stored.clone()), decorate))
}

/// Whether one was left to take.
fn takes_one(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn erase_by(chat: &Chat, eraser: Arc<dyn MessageEraser>) -> EraseUser {
    let attachments = Arc::new(chat.attachments.clone());
    let (connections, messages) = (chat.connections.port(), chat.messages.port());
    EraseUser::new(chat.users.clone(), connections, messages, eraser, attachments, Arc::new(NoBackoff))
}

#[tokio::test]
async fn a_head_that_somebody_wrote_to_meanwhile_is_rewritten_as_it_is_by_then() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    let found = Found { messages: 60, heads: 1, rooms: 0, connections: 2, uploads: 0, usage: 1 };
    assert_eq!(erase_overtaken(&chat, JUNHO, 3).await.unwrap(), found);
    assert!(erase(&chat).find(&minji()).await.unwrap().is_nothing());
    let log = chat.room().await.log().cloned().unwrap();
    assert_eq!(
        (log.seq(), log.last_message().preview.as_str()),
        (123, "또"),
        "his newest message is told of"
    );
}

#[tokio::test]
async fn whoever_writes_faster_than_heads_are_rewritten_is_not_waited_for() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    assert_refused!(erase_overtaken(&chat, JUNHO, u32::MAX).await, ChatError::Unavailable { .. });
}

#[tokio::test]
async fn what_the_user_writes_meanwhile_is_erased_too() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let found = Found { messages: 3, heads: 1, rooms: 0, connections: 2, uploads: 0, usage: 1 };
    assert_eq!(erase_overtaken(&chat, MINJI, 2).await.unwrap(), found);
    assert!(erase(&chat).find(&minji()).await.unwrap().is_nothing());
}

#[tokio::test]
async fn what_one_uploaded_is_erased_shown_or_not_and_what_the_other_uploaded_stays() {
    let chat = Chat::new().await;
    let hers = images::image(&their_room(), MINJI);
    let his = images::image(&their_room(), JUNHO);
    for image in [&hers, &his] {
        images::upload(&chat, image, images::PNG).await;
    }
    let left = async || {
        let uploads = chat.attachments.list(None).await.unwrap().uploads;
        uploads.into_iter().map(|upload| upload.key).collect::<Vec<_>>()
    };
    let data = export(&chat).execute(&minji()).await.unwrap();
    assert_eq!(data.uploads.iter().map(|upload| &upload.key).collect::<Vec<_>>(), [&hers.key]);

    let found = Found { messages: 0, heads: 0, rooms: 0, connections: 2, uploads: 1, usage: 0 };
    assert_eq!(erase(&chat).find(&minji()).await.unwrap(), found);
    assert_eq!(left().await.len(), 2, "who looks changes nothing");
    assert_eq!(erase(&chat).execute(&minji(), at(0)).await.unwrap(), found);
    assert_eq!(left().await, std::slice::from_ref(&his.key));

    chat.send(JUNHO_PHONE, SendCommand { receiver: minji(), ..images::of(&his) }, at(1)).await.unwrap();
    let found = Found { messages: 1, heads: 1, rooms: 0, connections: 2, uploads: 1, usage: 1 };
    assert_eq!(erase(&chat).execute(&junho(), at(0)).await.unwrap(), found);
    assert_eq!(left().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_one_loses_nothing_by_writing_meanwhile() {
    let chat = Arc::new(Chat::new().await);
    long_talk(&chat).await;
    let writer = {
        let chat = chat.clone();
        tokio::spawn(async move {
            for n in 100..400 {
                chat.send(JUNHO_PHONE, to_minji(n, &format!("준호 {n}")), at(1_000 + n as i64))
                    .await
                    .unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let erase = erase(&chat);
    // An old head in a writer's hand may bring back how fast she wrote; then the next attempt finds it.
    let _ = erase.execute(&minji(), at(0)).await;
    writer.await.unwrap();
    erase.execute(&minji(), at(0)).await.unwrap();
    assert!(erase.find(&minji()).await.unwrap().is_nothing());

    let rows = all_rows(&chat).await;
    assert!(rows.iter().map(|row| row.seq).eq(1..=420));
    assert!(said_by(&rows, &minji()).into_iter().all(|content| *content == Content::Erased));
    let his = said_by(&rows, &junho());
    assert!(his.len() == 360 && his.into_iter().all(|content| content.text().starts_with("준호")));
}

#[tokio::test]
async fn an_export_names_each_image_that_was_uploaded_or_shown_once() {
    let chat = Chat::new().await;
    let (hers, his) = (images::image(&their_room(), MINJI), images::image(&their_room(), JUNHO));
    for image in [&hers, &his] {
        images::upload(&chat, image, images::PNG).await;
    }
    let named = async || export(&chat).execute(&minji()).await.unwrap().images();
    assert_eq!(named().await, std::slice::from_ref(&hers.key), "his was not shown to her");
    chat.send(MINJI_PHONE, images::of(&hers), at(0)).await.unwrap();
    chat.send(JUNHO_PHONE, SendCommand { receiver: minji(), ..images::of(&his) }, at(1)).await.unwrap();
    assert_eq!(named().await, [hers.key, his.key]);
}

#[tokio::test]
async fn nobody_who_never_was_here_is_found() {
    let chat = Chat::new().await;
    let stranger = email("sora@example.com");
    assert!(erase(&chat).find(&stranger).await.unwrap().is_nothing());
    assert!(erase(&chat).execute(&stranger, at(0)).await.unwrap().is_nothing());
    let data = export(&chat).execute(&stranger).await.unwrap();
    assert!(data.rooms.is_empty() && data.connections.is_empty() && data.uploads.is_empty());
}

#[tokio::test]
async fn an_export_holds_both_sides_of_a_conversation_and_the_connections() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    chat.minji_reads(at(200), at(200)).await.unwrap();
    let data = export(&chat).execute(&minji()).await.unwrap();
    assert_eq!(data.rooms[0].messages.len(), 120);
    assert!(data.rooms[0].messages.iter().all(|it| data.rooms[0].is_read(it) == (it.sender == JUNHO)));
    assert_eq!(data.rooms[0].room.id(), &their_room());
    let devices: Vec<_> = data.connections.iter().map(|connection| connection.id.as_str()).collect();
    assert!(devices.len() == 2 && devices.contains(&MINJI_PHONE) && devices.contains(&MINJI_LAPTOP));
}

/// Whether nothing is left of their room.
async fn is_gone(chat: &Chat) -> bool {
    let lists = [
        chat.messages.stored.rooms_of(&minji(), None).await.unwrap(),
        chat.messages.stored.rooms_of(&junho(), None).await.unwrap(),
    ];
    let unlisted = lists.iter().all(|list| list.rooms.is_empty());
    unlisted && chat.room().await == Room::empty(their_room()) && chat.rows().await.is_empty()
}

#[tokio::test]
async fn a_room_goes_with_the_second_of_its_members() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    let erase = erase(&chat);
    let found = Found { messages: 60, heads: 1, rooms: 0, connections: 2, uploads: 0, usage: 1 };
    assert_eq!(erase.execute(&minji(), at(0)).await.unwrap(), found);
    assert_eq!(erase.execute(&minji(), at(0)).await.unwrap(), Found::default(), "he is left");

    let found = Found { rooms: 1, usage: 0, ..found };
    assert_eq!(erase.find(&junho()).await.unwrap(), found);
    assert_eq!(chat.rows().await.len(), 120, "who looks changes nothing");
    assert_eq!(erase.execute(&junho(), at(0)).await.unwrap(), found);
    assert!(is_gone(&chat).await);
    for user in [minji(), junho()] {
        assert!(erase.find(&user).await.unwrap().is_nothing());
    }
}

#[tokio::test]
async fn a_room_goes_whoever_wrote_in_it() {
    for [first, second] in [[minji(), junho()], [junho(), minji()]] {
        let chat = Chat::new().await;
        chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
        assert_eq!(erase(&chat).execute(&first, at(0)).await.unwrap().rooms, 0);
        assert!(!is_gone(&chat).await);
        assert_eq!(erase(&chat).execute(&second, at(0)).await.unwrap().rooms, 1);
        assert!(is_gone(&chat).await);
    }
}

#[tokio::test]
async fn who_wrote_again_after_being_erased_keeps_the_conversation() {
    let chat = Chat::new().await;
    chat.send(JUNHO_PHONE, to_minji(1, "안녕"), at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    chat.send(JUNHO_PHONE, to_minji(2, "어디 갔어"), at(1)).await.unwrap();
    let back = chat.write(MINJI, 3, "돌아왔어", at(2)).await;
    assert_eq!(erase(&chat).execute(&junho(), at(0)).await.unwrap().rooms, 0);
    let rows = chat.rows().await;
    assert_eq!(said_by(&rows, &junho()), [&Content::Erased; 2]);
    assert_eq!(rows.last(), Some(&back));
    assert_eq!(erase(&chat).execute(&minji(), at(0)).await.unwrap().rooms, 1);
    assert!(is_gone(&chat).await);
}

#[tokio::test]
async fn a_room_that_is_half_removed_goes_with_the_next_attempt() {
    let chat = Chat::new().await;
    long_talk(&chat).await;
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let mut before = chat.rows().await;
    assert_refused!(
        erase_by(&chat, removing(&chat, 1, None)).execute(&junho(), at(0)).await,
        ChatError::Unavailable { .. }
    );

    let left = chat.rows().await;
    before.drain(..50);
    assert!(left.iter().all(|row| row.content == Content::Erased));
    assert!(left.iter().map(|row| row.seq).eq(before.iter().map(|row| row.seq)), "the newest are left");
    let rest = Found { rooms: 1, ..Found::default() };
    for user in [minji(), junho()] {
        assert_eq!(erase(&chat).find(&user).await.unwrap(), rest, "{user}");
    }
    assert_eq!(erase(&chat).execute(&minji(), at(0)).await.unwrap(), rest);
    assert!(is_gone(&chat).await);
}

/// Removes so many times; then, once, one of the two writes first, or else it fails.
fn removing(chat: &Chat, times: u32, then_writes: Option<Member>) -> Arc<dyn MessageEraser> {
    let (messages, left) = (chat.messages.clone(), AtomicU32::new(times));
    eraser(chat, move |call, next| {
        let removes =
            matches!(call, MessageEraserCall::RemoveOldest { .. } | MessageEraserCall::RemoveRoom { .. });
        if !removes || left.fetch_sub(1, Ordering::Relaxed) != 0 {
            return next.call(call);
        }
        let Some(sender) = then_writes else {
            return answer(Err(MessageStoreError::Throttled { operation: call.method() }));
        };
        let messages = messages.clone();
        Box::pin(async move {
            let draft = Draft { id: id(1_000), sender, content: words("잠깐"), reply_to: None };
            messages.write(&draft, at(1_000)).await;
            next.call(call).await
        })
    })
}

#[tokio::test]
async fn who_writes_while_a_room_is_removed_keeps_what_is_left_of_it() {
    // Before either page of the oldest, and before the last one with the head.
    for steps in 0..3 {
        let chat = Chat::new().await;
        long_talk(&chat).await;
        erase(&chat).execute(&minji(), at(0)).await.unwrap();
        let removing = removing(&chat, steps, Some(MINJI));
        let found = Found { messages: 60, heads: 1, rooms: 0, connections: 2, uploads: 0, usage: 0 };
        assert_eq!(erase_by(&chat, removing).execute(&junho(), at(0)).await.unwrap(), found);

        let rows = chat.rows().await;
        assert!(rows.iter().map(|row| row.seq).eq(50 * u64::from(steps) + 1..=121));
        assert_eq!(rows.last().unwrap().content, words("잠깐"));
        assert!(erase(&chat).find(&junho()).await.unwrap().is_nothing());
    }
}

#[tokio::test]
async fn what_the_user_writes_while_their_room_is_removed_is_erased_before() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let removing = removing(&chat, 0, Some(JUNHO));
    let found = Found { messages: 1, heads: 2, rooms: 1, connections: 2, uploads: 0, usage: 0 };
    assert_eq!(erase_by(&chat, removing).execute(&junho(), at(0)).await.unwrap(), found);
    assert!(is_gone(&chat).await);
}

#[tokio::test]
async fn what_is_removed_was_erased_before() {
    let chat = Chat::new().await;
    chat.send(JUNHO_PHONE, to_minji(1, "안녕"), at(0)).await.unwrap();
    erase(&chat).execute(&junho(), at(0)).await.unwrap();
    // She writes after her messages were looked for, and before the head is rewritten.
    let found = Found { messages: 1, heads: 1, rooms: 1, connections: 2, uploads: 0, usage: 0 };
    assert_eq!(erase_overtaken(&chat, MINJI, 1).await.unwrap(), found);
    assert!(is_gone(&chat).await);
}

#[tokio::test]
async fn what_a_user_decided_is_erased_and_what_the_other_did_stays() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let decide = &chat.here.change_consent;
    for (device, peer) in [(MINJI_PHONE, junho()), (JUNHO_PHONE, minji())] {
        chat.open(device, &if device == MINJI_PHONE { minji() } else { junho() }, at(0)).await;
        decide.execute(&origin(device, at(1)), &peer, ConsentChange::Block).await.unwrap();
    }
    let found = erase(&chat).find(&minji()).await.unwrap();
    assert_eq!((found.heads, found.messages), (1, 0), "the head tells what she decided since");
    erase(&chat).execute(&minji(), at(0)).await.unwrap();
    let room = chat.room().await;
    assert_eq!((room.consent(MINJI).blocked, room.consent(JUNHO).blocked), (None, Some(at(1))));
}
