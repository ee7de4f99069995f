//! A message on its way: stored, then pushed, then acknowledged.

mod faults;
mod identity;
pub(crate) mod images;
mod pushes;
mod retries;

use std::sync::Arc;
use std::time::Duration;

use chat_domain::{
    ChatError, Consistency, Content, Deliveries, Event, Message, ProposalAnswer, ProposalRefused,
    SendCommand, SendOutcome, SendRate, Sent, Verdict,
};

use crate::assert_refused;
use crate::chat::*;
use crate::faults::{Commit, Step};

#[tokio::test]
async fn a_message_reaches_every_device_but_the_one_it_came_from() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();

    let [message]: [Message; 1] = chat.rows().await.try_into().unwrap();
    assert_eq!((message.sender_email(), message.receiver_email()), (&minji(), &junho()));
    assert_eq!((message.id, &message.content), (id(1), &words("안녕")));
    for device in [MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
        assert_eq!(chat.received(device), [Event::Message(message.clone())], "{device}");
    }
    assert_eq!(chat.received(MINJI_PHONE), []);
}

#[tokio::test]
async fn the_ack_names_the_place_and_what_became_of_the_pushes() {
    let chat = Chat::new().await;
    let sent = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let deliveries = Deliveries { taken: 3, gone: 0, failed: 0 };
    let outcome = SendOutcome::Stored { retries: 0, deliveries };
    assert_eq!(sent, Sent { room: their_room(), id: id(1), at: at(0), seq: 1, outcome });

    let sent = chat.send(JUNHO_PHONE, to_minji(2, "응"), at(700)).await.unwrap();
    assert_eq!((sent.at, sent.seq), (at(700), 2));
}

#[tokio::test]
async fn the_head_is_read_then_the_message_stored_then_pushed() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await.unwrap();
    let push = Step::Push;
    assert_eq!(
        chat.journal.take(),
        [Step::Head(Consistency::Eventual), Step::Commit, push, push, push],
        "nothing is read twice when nothing is in the way"
    );
}

#[tokio::test]
async fn what_is_not_stored_is_not_pushed() {
    let chat = Chat::new().await;
    chat.messages.next_commits(vec![Commit::Throttled; 10]);
    let refused = chat.send(MINJI_PHONE, to_junho(1, "안녕"), at(0)).await;
    assert_refused!(refused, ChatError::Unavailable { .. });
    assert!(!chat.journal.take().contains(&Step::Push));
    assert_eq!(chat.rows().await, []);
}

#[tokio::test]
async fn nobody_chats_with_themselves() {
    let chat = Chat::new().await;
    assert_refused!(chat.send(MINJI_PHONE, to_minji(1, "나"), at(0)).await, ChatError::SelfChat);
    let alone = chat.here.send.execute(&identity(&minji(), expiry()), to_minji(1, "나"), at(0)).await;
    assert_refused!(alone, ChatError::SelfChat);
    assert_eq!(chat.journal.take(), [], "nothing is asked for it");
}

#[tokio::test]
async fn a_clock_that_is_behind_still_gives_a_later_timestamp() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, to_junho(1, "질문"), at(5_000)).await.unwrap();
    let answer = chat.send(JUNHO_PHONE, to_minji(2, "대답"), at(0)).await.unwrap();
    assert_eq!((answer.at, answer.seq), (at(5_001), 2));
}

#[tokio::test]
async fn without_a_connection_every_device_is_told() {
    let chat = Chat::new().await;
    let proposer = identity(&minji(), expiry());
    let sent = chat.here.send.execute(&proposer, to_junho(1, "팀 페이지에서"), at(0)).await.unwrap();
    assert_eq!((sent.at, sent.seq), (at(0), 1));
    for device in [MINJI_PHONE, MINJI_LAPTOP, JUNHO_PHONE, JUNHO_LAPTOP] {
        assert_eq!(chat.received(device).len(), 1, "{device}");
    }

    let retry = chat.here.send.execute(&proposer, to_junho(1, "팀 페이지에서"), at(900)).await.unwrap();
    assert!(repeats(&retry, &sent));
    assert_eq!(chat.received(JUNHO_PHONE), []);
    assert_eq!(chat.connections.gets(), 0, "there is no connection to look up");
}

#[tokio::test]
async fn a_burst_is_followed_by_one_message_a_second_each() {
    let chat = Chat::with_rate(SendRate::default()).await;
    for n in 0..30 {
        chat.send(MINJI_PHONE, to_junho(n, "하나 더"), at(0)).await.unwrap();
    }
    match chat.send(MINJI_PHONE, to_junho(30, "너무 빨라"), at(400)).await {
        Err(ChatError::RateLimited { retry_after }) => assert_eq!(retry_after, Duration::from_millis(600)),
        other => panic!("{other:?}"),
    }
    chat.send(JUNHO_PHONE, to_minji(31, "나는 아직"), at(400)).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(30, "너무 빨라"), at(1_000)).await.unwrap();
}

#[tokio::test]
async fn a_retry_of_what_is_stored_is_never_too_fast() {
    let chat = Chat::with_rate(SendRate::default()).await;
    let mut last = None;
    for n in 0..30 {
        last = Some(chat.send(MINJI_PHONE, to_junho(n, "하나 더"), at(0)).await.unwrap());
    }
    let retry = chat.send(MINJI_PHONE, to_junho(29, "하나 더"), at(0)).await.unwrap();
    assert!(repeats(&retry, &last.unwrap()));
}

/// An answer to the proposal that Minji made at 0.
fn answer(number: u128, verdict: Verdict) -> SendCommand {
    let answer = ProposalAnswer { proposal: at(0), verdict };
    SendCommand { content: Content::MatchProposalAnswer(answer), ..to_minji(number, "-") }
}

/// A match that begins an hour later.
pub(crate) fn proposal() -> Content {
    Content::MatchProposal(chat_domain::Proposal {
        team_name: "한강 FC".parse().unwrap(),
        opponent_team_name: "남산 FC".parse().unwrap(),
        match_at: at(600_000),
        venue: "여의도".parse().unwrap(),
        note: None,
    })
}

/// Both members on all their devices, at the same time, each with another verdict.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_answers_that_race_the_first_in_the_room_stands_and_all_others_are_refused() {
    let chat = Arc::new(Chat::new().await);
    for round in 0..20_u32 {
        let proposed_at = at(i64::from(round) * 1_000);
        let proposed = SendCommand { content: proposal(), ..to_junho(u128::from(round) << 8, "-") };
        let proposed = chat.send(MINJI_PHONE, proposed, proposed_at).await.unwrap();
        let answers = (1..=8_u32).map(|n| {
            let (device, to, verdict) = match n % 4 {
                0 => (MINJI_PHONE, junho(), Verdict::Withdrawn),
                1 => (MINJI_LAPTOP, junho(), Verdict::Withdrawn),
                2 => (JUNHO_PHONE, minji(), Verdict::Accepted),
                _ => (JUNHO_LAPTOP, minji(), Verdict::Declined),
            };
            let content = Content::MatchProposalAnswer(ProposalAnswer { proposal: proposed.at, verdict });
            let id = id(u128::from(round) << 8 | u128::from(n));
            let command = SendCommand { receiver: to, id, after: None, content, reply_to: None };
            let chat = chat.clone();
            tokio::spawn(async move { chat.send(device, command, proposed_at.next()).await })
        });
        let mut stored = Vec::new();
        for answer in answers.collect::<Vec<_>>() {
            match answer.await.unwrap() {
                Ok(sent) => stored.push(sent.at),
                Err(ChatError::ProposalState(ProposalRefused::NotOpen)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let rows = chat.rows().await;
        let names = |row: &Message| match &row.content {
            Content::MatchProposalAnswer(answer) => answer.proposal == proposed.at,
            _ => false,
        };
        let in_room: Vec<_> = rows.iter().filter(|row| names(row)).map(|row| row.at).collect();
        assert_eq!((stored.len(), &in_room), (1, &stored), "round {round}");
    }
}

#[tokio::test]
async fn the_first_answer_to_a_proposal_stands_and_the_second_is_refused() {
    let chat = Chat::new().await;
    chat.send(MINJI_PHONE, SendCommand { content: proposal(), ..to_junho(1, "-") }, at(0)).await.unwrap();
    let first = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(1)).await.unwrap();
    let second = chat.send(JUNHO_LAPTOP, answer(3, Verdict::Declined), at(2)).await;
    assert_refused!(second, ChatError::ProposalState(ProposalRefused::NotOpen));
    assert_eq!(chat.rows().await.len(), 2);

    let retry = chat.send(JUNHO_PHONE, answer(2, Verdict::Accepted), at(3)).await.unwrap();
    assert!(repeats(&retry, &first), "what is stored is acknowledged, although it would be refused now");
}
