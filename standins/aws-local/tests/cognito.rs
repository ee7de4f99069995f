//! `GetUser` as
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html> has it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_local::{Cognito, UserPool};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Builder, Region};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use serde_json::json;

const NOON: i64 = 1_000_000;

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000)
}

fn cognito() -> (Cognito, UserPool, Client) {
    let cognito = Cognito::new(noon);
    let pool = cognito.create_pool("https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_One");
    pool.sign_up("minji", &[("email", "minji@example.com"), ("email_verified", "true")]);
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .http_client(cognito.http_client());
    let client = Client::from_conf(config.build());
    (cognito, pool, client)
}

async fn refusal(client: &Client, token: &str) -> String {
    let error = client.get_user().access_token(token).send().await.unwrap_err();
    format!("{}: {}", error.code().unwrap(), error.message().unwrap())
}

#[tokio::test]
async fn a_token_speaks_for_its_user_until_it_expires() {
    let (_, pool, client) = cognito();
    let user =
        client.get_user().access_token(pool.access_token("minji", "any", NOON + 1)).send().await.unwrap();
    assert_eq!(user.username(), "minji");
    let attributes: Vec<_> =
        user.user_attributes().iter().map(|one| (one.name(), one.value().unwrap())).collect();
    assert_eq!(attributes, [("sub", "minji"), ("email", "minji@example.com"), ("email_verified", "true")]);
    let expired = refusal(&client, &pool.access_token("minji", "any", NOON)).await;
    assert_eq!(expired, "NotAuthorizedException: Access Token has expired");
}

#[tokio::test]
async fn it_answers_for_a_token_of_any_of_its_pools() {
    let (cognito, _, client) = cognito();
    let other = cognito.create_pool("https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Two");
    other.sign_up("junho", &[]);
    let user = client.get_user().access_token(other.access_token("junho", "any", NOON + 1)).send().await;
    assert_eq!(user.unwrap().username(), "junho");
}

#[tokio::test]
async fn what_no_pool_has_signed_is_refused() {
    const REFUSED: &str = "NotAuthorizedException: Invalid Access Token";
    let (_, pool, client) = cognito();
    let stranger =
        Cognito::new(noon).create_pool("https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_One");
    assert_eq!(refusal(&client, &stranger.access_token("minji", "any", NOON + 1)).await, REFUSED);

    let good = pool.access_token("minji", "any", NOON + 1);
    let other = pool.access_token("minji", "any", NOON + 2);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(refusal(&client, &format!("{signed}.{signature}")).await, REFUSED);
    assert_eq!(refusal(&client, "nonsense").await, REFUSED);
}

#[tokio::test]
async fn other_tokens_of_a_pool_are_refused() {
    let (_, pool, client) = cognito();
    let identity = pool.sign(&json!({ "sub": "minji", "token_use": "id", "exp": NOON + 1 }));
    assert_eq!(refusal(&client, &identity).await, "NotAuthorizedException: Invalid Access Token");
    let other_scope =
        pool.sign(&json!({ "sub": "minji", "token_use": "access", "scope": "openid", "exp": NOON + 1 }));
    let refused = refusal(&client, &other_scope).await;
    assert_eq!(refused, "NotAuthorizedException: Access Token does not have required scopes");
}

#[tokio::test]
async fn a_revoked_token_and_a_deleted_user_are_refused() {
    let (_, pool, client) = cognito();
    let token = pool.access_token("minji", "any", NOON + 1);
    pool.revoke(&token);
    assert_eq!(refusal(&client, &token).await, "NotAuthorizedException: Access Token has been revoked");
    pool.delete("minji");
    let refused = refusal(&client, &pool.access_token("minji", "any", NOON + 2)).await;
    assert_eq!(refused, "UserNotFoundException: User does not exist.");
}
