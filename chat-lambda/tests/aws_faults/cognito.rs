//! Cognito is away, or slow, or takes a token back.

use std::time::Duration;

use http::header::AUTHORIZATION;
use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use crate::fake_aws::{Availability, FakeAws};
use crate::support::{Answer, JUNHO, MINJI, set};

async fn list(aws: &FakeAws, token: &str) -> Answer {
    let mut call = aws.chat.rest_call(http::Method::GET, "/chat/conversations");
    set(&mut call.headers, AUTHORIZATION, &format!("Bearer {token}"));
    aws.chat.rest(call).await
}

/// Nobody is let in, nobody is told that their token is bad, and who is in stays in.
#[rstest]
#[case::down(Availability::Down)]
#[case::throttling(Availability::Throttling(100))]
#[case::silent(Availability::Silent)]
#[tokio::test(start_paused = true)]
async fn while_cognito_is_away_nobody_new_comes_in_and_nobody_is_thrown_out(
    #[case] availability: Availability,
) {
    let aws = FakeAws::with_cognito().await;
    let minji = aws.connected(&aws.token(MINJI)).await;
    let before = aws.row(&minji.id).await.unwrap();
    aws.chat.pass(Duration::from_secs(120));
    aws.cognito.set(availability);

    let began = Instant::now();
    let (id, answer) = aws.connect(&aws.token(JUNHO)).await;
    answer.assert_refused(503, "unavailable");
    assert!(aws.row(&id).await.is_none());
    list(&aws, &aws.token(JUNHO)).await.assert_refused(503, "unavailable");
    assert!(began.elapsed() < Duration::from_secs(2 * 8), "two calls, each given up in time");

    let reauth = json!({ "action": "reauth", "token": aws.token(MINJI) }).to_string();
    minji.refused(&reauth, "unavailable", None).await;
    assert_eq!(aws.row(&minji.id).await.unwrap(), before);
    assert_eq!(minji.send(JUNHO, "still here").await["type"], "sent");

    aws.cognito.set(Availability::Up);
    assert_eq!(aws.connect(&aws.token(JUNHO)).await.1.status, 200);
    assert_eq!(minji.say(&serde_json::from_str(&reauth).unwrap()).await.unwrap()["type"], "reauth");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_question_is_asked_again() {
    let aws = FakeAws::with_cognito().await;
    aws.cognito.set(Availability::Throttling(2));
    aws.connected(&aws.token(MINJI)).await;
}

/// It is believed for a minute after it was last confirmed, and then it opens nothing.
#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused_within_a_minute() {
    let aws = FakeAws::with_cognito().await;
    let token = aws.token(MINJI);
    assert_eq!(list(&aws, &token).await.status, 200);
    aws.cognito.revoke(&token);
    aws.chat.pass(Duration::from_secs(60));
    list(&aws, &token).await.assert_refused(401, "unauthorized");
    let (id, answer) = aws.connect(&token).await;
    answer.assert_refused(401, "unauthorized");
    assert!(aws.row(&id).await.is_none());

    let minji = aws.connected(&aws.token(JUNHO)).await;
    let revoked = aws.token_for(JUNHO, Duration::from_secs(1_800));
    aws.cognito.revoke(&revoked);
    let reauth = json!({ "action": "reauth", "token": revoked }).to_string();
    minji.refused(&reauth, "unauthorized", None).await;
}
