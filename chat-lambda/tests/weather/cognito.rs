//! Cognito is away, or slow, or takes a token back.

use std::time::Duration;

use http::header::AUTHORIZATION;
use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use crate::sky::{Mood, Sky};
use crate::support::{Answer, JUNHO, MINJI, set};

async fn list(sky: &Sky, token: &str) -> Answer {
    let mut event = sky.chat.rest_event(http::Method::GET, "/chat/conversations");
    set(&mut event.headers, AUTHORIZATION, &format!("Bearer {token}"));
    sky.chat.rest(event).await
}

/// Nobody is let in, nobody is told that their token is bad, and who is in stays in.
#[rstest]
#[case::down(Mood::Down)]
#[case::throttling(Mood::Throttling(100))]
#[case::silent(Mood::Silent)]
#[tokio::test(start_paused = true)]
async fn while_cognito_is_away_nobody_new_comes_in_and_nobody_is_thrown_out(#[case] mood: Mood) {
    let sky = Sky::with_cognito().await;
    let minji = sky.connected(&sky.token(MINJI)).await;
    let before = sky.row(&minji.id).await.unwrap();
    sky.chat.pass(Duration::from_secs(120));
    sky.cognito.is(mood);

    let began = Instant::now();
    let (id, answer) = sky.connect(&sky.token(JUNHO)).await;
    answer.assert_refused(503, "unavailable");
    assert!(sky.row(&id).await.is_none());
    list(&sky, &sky.token(JUNHO)).await.assert_refused(503, "unavailable");
    assert!(began.elapsed() < Duration::from_secs(2 * 8), "two calls, each given up in time");

    let reauth = json!({ "action": "reauth", "token": sky.token(MINJI) }).to_string();
    minji.refused(&reauth, "unavailable", None).await;
    assert_eq!(sky.row(&minji.id).await.unwrap(), before);
    assert_eq!(minji.send(JUNHO, "still here").await["type"], "sent");

    sky.cognito.is(Mood::Well);
    assert_eq!(sky.connect(&sky.token(JUNHO)).await.1.status, 200);
    assert_eq!(minji.say(&serde_json::from_str(&reauth).unwrap()).await.unwrap()["type"], "reauth");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_question_is_asked_again() {
    let sky = Sky::with_cognito().await;
    sky.cognito.is(Mood::Throttling(2));
    sky.connected(&sky.token(MINJI)).await;
}

/// It is believed for a minute after it was last confirmed, and then it opens nothing.
#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused_within_a_minute() {
    let sky = Sky::with_cognito().await;
    let token = sky.token(MINJI);
    assert_eq!(list(&sky, &token).await.status, 200);
    sky.cognito.revoke(&token);
    sky.chat.pass(Duration::from_secs(60));
    list(&sky, &token).await.assert_refused(401, "unauthorized");
    let (id, answer) = sky.connect(&token).await;
    answer.assert_refused(401, "unauthorized");
    assert!(sky.row(&id).await.is_none());

    let minji = sky.connected(&sky.token(JUNHO)).await;
    let revoked = sky.token_for(JUNHO, Duration::from_secs(1_800));
    sky.cognito.revoke(&revoked);
    let reauth = json!({ "action": "reauth", "token": revoked }).to_string();
    minji.refused(&reauth, "unauthorized", None).await;
}
