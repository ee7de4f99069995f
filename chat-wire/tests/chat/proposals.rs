//! Match proposals: made over REST or in a frame, answered in a frame.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Chat, ID, JUNHO, MINJI, OTHER_ID, Socket, frame, merged};

const KICKOFF: &str = "2026-11-24T10:00:00.000Z";

pub(crate) fn proposal(fields: Value) -> Value {
    let base = json!({
        "teamName": "FC 한강", "opponentTeamName": "남산 유나이티드", "matchAt": KICKOFF, "place": "여의도 3구장",
        "note": "유니폼은 흰색",
    });
    merged(base, fields)
}

async fn propose(chat: &Chat, fields: Value) -> Answer {
    let base = json!({ "receiverEmail": JUNHO, "clientMessageId": ID, "proposal": proposal(json!({})) });
    chat.post(MINJI, "/chat/proposals", &merged(base, fields)).await
}

fn answer(receiver: &str, at: &Value, answer: &str, id: &str) -> Value {
    frame(json!({
        "receiverEmail": receiver, "message": null, "clientMessageId": id,
        "proposalAnswer": { "proposal": at, "answer": answer },
    }))
}

async fn refuses_answer(socket: &Socket<'_>, frame: &Value) {
    let before = socket.chat.history(MINJI, JUNHO).await;
    socket.refused(&frame.to_string(), "proposalState", frame["clientMessageId"].as_str()).await;
    assert_eq!(socket.chat.history(MINJI, JUNHO).await, before);
}

#[tokio::test]
async fn a_proposal_is_stored_pushed_and_listed_like_any_message() {
    let chat = Chat::new();
    let (mut minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let sent = propose(&chat, json!({})).await;
    assert_eq!((sent.status, &sent.body["clientMessageId"], &sent.body["seq"]), (200, &json!(ID), &json!(1)));
    assert_eq!(sent.body.get("type"), None, "a REST answer is no frame");
    for pushed in [minji.heard(), junho.heard()] {
        assert_eq!(
            (&pushed[0]["kind"], &pushed[0]["proposal"]),
            (&json!("matchProposal"), &proposal(json!({})))
        );
    }
    assert_eq!(chat.history(JUNHO, MINJI).await[0]["kind"], "matchProposal");

    let again = propose(&chat, json!({})).await;
    assert_eq!((&again.body["duplicate"], &again.body["timestamp"]), (&json!(true), &sent.body["timestamp"]));
    assert!(junho.heard().is_empty());
}

#[rstest]
#[case::to_oneself(json!({ "receiverEmail": MINJI }), 400, "selfChat")]
#[case::to_nobody(json!({ "receiverEmail": "junho" }), 400, "invalidEmail")]
#[case::in_the_past(
    json!({ "proposal": proposal(json!({ "matchAt": "2026-11-22T09:00:00.000Z" })) }),
    409,
    "proposalState"
)]
#[case::malformed_time(json!({ "proposal": proposal(json!({ "matchAt": "tomorrow" })) }), 400, "badRequest")]
#[case::no_team(json!({ "proposal": proposal(json!({ "teamName": " " })) }), 400, "badRequest")]
#[case::endless_place(
    json!({ "proposal": proposal(json!({ "place": "x".repeat(401) })) }),
    400,
    "badRequest"
)]
#[case::endless_note(
    json!({ "proposal": proposal(json!({ "note": "x".repeat(1_001) })) }),
    400,
    "badRequest"
)]
#[case::no_proposal(json!({ "proposal": null }), 400, "badRequest")]
#[case::after_in_the_future(json!({ "after": KICKOFF }), 400, "badRequest")]
#[tokio::test]
async fn a_proposal_that_makes_no_sense_is_refused_by_its_id(
    #[case] fields: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let chat = Chat::new();
    let answer = propose(&chat, fields).await;
    answer.assert_refused(status, code);
    assert_eq!(answer.body["clientMessageId"], ID);
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

#[rstest]
#[case::missing(Value::Null)]
#[case::malformed(json!("not-a-uuid"))]
#[tokio::test]
async fn a_proposal_needs_an_id(#[case] id: Value) {
    let answer = propose(&Chat::new(), json!({ "clientMessageId": id })).await;
    answer.assert_refused(400, "badRequest");
    assert_eq!(answer.body.get("clientMessageId"), None);
}

#[tokio::test]
async fn the_same_id_for_another_proposal_is_refused() {
    let chat = Chat::new();
    propose(&chat, json!({})).await;
    let other = propose(&chat, json!({ "proposal": proposal(json!({ "place": "elsewhere" })) })).await;
    other.assert_refused(409, "idReused");
    assert_eq!(other.body["clientMessageId"], ID);
}

#[rstest]
#[case::accepted("accepted")]
#[case::declined("declined")]
#[tokio::test]
async fn the_receiver_answers_once_and_the_first_answer_counts(#[case] first: &str) {
    let chat = Chat::new();
    let (mut minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = propose(&chat, json!({})).await.body["timestamp"].clone();
    minji.heard();
    assert_eq!(junho.say(&answer(MINJI, &at, first, ID)).await.unwrap()["type"], "sent");
    let told = &minji.heard()[0];
    assert_eq!(
        (&told["kind"], &told["proposalAnswer"]),
        (&json!("matchProposalAnswer"), &json!({ "proposal": at, "answer": first }))
    );
    for second in ["accepted", "declined"] {
        refuses_answer(&junho, &answer(MINJI, &at, second, OTHER_ID)).await;
    }
    refuses_answer(&minji, &answer(JUNHO, &at, "withdrawn", OTHER_ID)).await;
}

#[tokio::test]
async fn nobody_answers_for_the_other() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = propose(&chat, json!({})).await.body["timestamp"].clone();
    for verdict in ["accepted", "declined"] {
        refuses_answer(&minji, &answer(JUNHO, &at, verdict, OTHER_ID)).await;
    }
    refuses_answer(&junho, &answer(MINJI, &at, "withdrawn", OTHER_ID)).await;
}

#[tokio::test]
async fn a_withdrawn_proposal_cannot_be_accepted() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = propose(&chat, json!({})).await.body["timestamp"].clone();
    assert_eq!(minji.say(&answer(JUNHO, &at, "withdrawn", OTHER_ID)).await.unwrap()["type"], "sent");
    refuses_answer(&junho, &answer(MINJI, &at, "accepted", OTHER_ID)).await;
}

#[tokio::test]
async fn once_the_match_has_begun_it_can_be_declined_but_not_accepted() {
    let chat = Chat::new();
    let soon = json!({ "proposal": proposal(json!({ "matchAt": "2026-11-23T09:10:00.000Z" })) });
    let at = propose(&chat, soon).await.body["timestamp"].clone();
    chat.pass(Duration::from_secs(600 + 60));
    let junho = chat.connect(JUNHO).await;
    refuses_answer(&junho, &answer(MINJI, &at, "accepted", OTHER_ID)).await;
    assert_eq!(junho.say(&answer(MINJI, &at, "declined", OTHER_ID)).await.unwrap()["type"], "sent");
}

/// An earlier attempt, made in time, may still be on its way into the store.
#[tokio::test]
async fn in_the_minute_after_the_match_has_begun_nothing_is_settled() {
    let chat = Chat::new();
    let soon = json!({ "proposal": proposal(json!({ "matchAt": "2026-11-23T09:10:00.000Z" })) });
    let at = propose(&chat, soon.clone()).await.body["timestamp"].clone();
    chat.pass(Duration::from_secs(600));
    let junho = chat.connect(JUNHO).await;
    let accepted = answer(MINJI, &at, "accepted", OTHER_ID).to_string();
    junho.refused(&accepted, "unavailable", Some(OTHER_ID)).await;
    let late = merged(soon, json!({ "clientMessageId": OTHER_ID }));
    propose(&chat, late).await.assert_refused(503, "unavailable");
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
    let counts = [chat.server.frames.counts().take(), chat.server.rest.counts().take()];
    assert_eq!(counts.map(|counted| counted.failures), [0, 0], "users ring no alarm");
}

#[tokio::test]
async fn what_was_never_proposed_cannot_be_answered() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let message = minji.send(JUNHO, "hello").await["timestamp"].clone();
    for at in [message, json!(KICKOFF)] {
        refuses_answer(&junho, &answer(MINJI, &at, "accepted", OTHER_ID)).await;
    }
}

#[tokio::test]
async fn a_proposal_may_also_come_in_a_frame_but_not_beside_words() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let alone = frame(json!({ "message": null, "proposal": proposal(json!({ "note": " " })) }));
    let beside = frame(json!({ "proposal": proposal(json!({})), "clientMessageId": OTHER_ID }));
    assert_eq!(minji.say(&alone).await.unwrap()["type"], "sent");
    assert_eq!(chat.history(MINJI, JUNHO).await[0]["proposal"].get("note"), None, "a blank remark is none");
    minji.refused(&beside.to_string(), "badRequest", Some(OTHER_ID)).await;
}
