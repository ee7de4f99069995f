//! Cognito is away, or slow, or takes a token back.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_wire::table::ROUTES;
use http::header::AUTHORIZATION;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fake_aws::{Availability, Cognito, FakeAws};
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

/// A claim that is another one.
fn but(claims: &Value, name: &str, value: i64) -> Value {
    let mut claims = claims.clone();
    claims[name] = json!(value);
    claims
}

/// Tries a token on every way in: on all of them it gets one answer, leaves no row, and is asked of nobody.
async fn gets_nowhere(aws: &FakeAws, what: &str, token: &str, code: &str) {
    let minji = aws.connected(&aws.token(MINJI)).await;
    let before = aws.row(&minji.id).await.unwrap();
    aws.cognito.asked();

    let (id, answer) = aws.connect(token).await;
    assert_eq!((answer.status, &answer.body["code"]), (401, &json!(code)), "{what}");
    assert!(aws.row(&id).await.is_none(), "{what}");
    let reauth = json!({ "action": "reauth", "token": token }).to_string();
    minji.refused(&reauth, code, None).await;
    assert_eq!(aws.row(&minji.id).await.unwrap(), before, "{what}");
    for route in ROUTES {
        let mut call = aws.chat.rest_call(route.method, route.resource);
        set(&mut call.headers, AUTHORIZATION, &format!("Bearer {token}"));
        let answer = aws.chat.rest(call).await;
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!(code)), "{what}: {}", route.resource);
    }
    assert_eq!(aws.cognito.asked(), 0, "{what}");
}

#[tokio::test(start_paused = true)]
async fn a_forged_or_untimely_token_gets_nowhere_and_cognito_is_not_asked() {
    let aws = FakeAws::with_cognito().await;
    let now_s = aws.chat.now().unix_ms() / 1_000;
    let (header, claims) = aws.cognito.genuine(MINJI, now_s + 3_600);
    let genuine = aws.cognito.signed(&header, &claims);
    let (signed, _) = genuine.rsplit_once('.').unwrap();
    let encoded = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let none = json!({ "kid": header["kid"], "alg": "none" });
    let impostor = Cognito::impostor();
    assert_eq!(impostor.key_id(), header["kid"], "it says our key's name");
    let another = json!({ "kid": "another", "alg": "RS256" });

    for (what, token, code) in [
        ("another key", impostor.sign_as(&another, &claims), "unauthorized"),
        ("our key's name and another key", impostor.sign_as(&header, &claims), "unauthorized"),
        ("alg none", format!("{}.{}.", encoded(&none), encoded(&claims)), "unauthorized"),
        ("no signature", format!("{signed}."), "unauthorized"),
        ("expired by a second", aws.cognito.signed(&header, &but(&claims, "exp", now_s - 1)), "authExpired"),
        ("expires now", aws.cognito.signed(&header, &but(&claims, "exp", now_s)), "authExpired"),
        ("of the future", aws.cognito.signed(&header, &but(&claims, "iat", now_s + 120)), "unauthorized"),
    ] {
        gets_nowhere(&aws, what, &token, code).await;
    }
    assert_eq!(list(&aws, &genuine).await.status, 200, "what was altered was good");
    assert_eq!(aws.cognito.asked(), 1);
}
