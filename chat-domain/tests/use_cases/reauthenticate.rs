use chat_domain::{AccessToken, ChatError, UserId, VerifiedIdentity};

use crate::assert_refused;
use crate::chat::*;

#[tokio::test]
async fn a_newer_token_of_the_same_user_extends_the_connection() {
    let chat = Chat::new().await;
    let token = chat.verifier.issue(identity(&minji(), at(7_200_000)), 1);
    let until = chat.here.reauthenticate.execute(&origin(MINJI_PHONE, at(0)), &token).await.unwrap();
    assert_eq!(until, at(7_200_000));
    assert_eq!(chat.row(MINJI_PHONE).await.unwrap().identity, identity(&minji(), at(7_200_000)));
    chat.send(MINJI_PHONE, to_junho(1, "여전히 나야"), expiry()).await.unwrap();
    assert_eq!(chat.connections.gets(), 1, "the new time is remembered");
}

#[tokio::test]
async fn an_expired_connection_may_authenticate_anew() {
    let chat = Chat::new().await;
    let late = at(4_000_000);
    assert_refused!(chat.send(MINJI_PHONE, to_junho(1, "늦었다"), late).await, ChatError::AuthExpired);
    let token = chat.verifier.issue(identity(&minji(), at(7_200_000)), 1);
    chat.here.reauthenticate.execute(&origin(MINJI_PHONE, late), &token).await.unwrap();
    chat.send(MINJI_PHONE, to_junho(1, "늦었다"), late).await.unwrap();
}

#[tokio::test]
async fn another_users_token_is_refused() {
    let chat = Chat::new().await;
    let same_address = VerifiedIdentity::vouched(minji(), UserId::new("user-who-came-later"), at(7_200_000));
    for (number, other) in [identity(&junho(), at(7_200_000)), same_address].into_iter().enumerate() {
        let token = chat.verifier.issue(other, number as u128);
        let refused = chat.here.reauthenticate.execute(&origin(MINJI_PHONE, at(0)), &token).await;
        assert_refused!(refused, ChatError::Unauthorized { .. });
    }
    assert_eq!(chat.row(MINJI_PHONE).await.unwrap().identity, identity(&minji(), expiry()));
}

#[tokio::test]
async fn a_bad_or_an_expired_token_changes_nothing() {
    let chat = Chat::new().await;
    let origin = origin(MINJI_PHONE, at(10));
    let forged = chat.here.reauthenticate.execute(&origin, &AccessToken::new("forged")).await;
    assert_refused!(forged, ChatError::Unauthorized { .. });
    let expired = chat.verifier.issue(identity(&minji(), at(10)), 1);
    let expired = chat.here.reauthenticate.execute(&origin, &expired).await;
    assert_refused!(expired, ChatError::AuthExpired);
    assert_eq!(chat.row(MINJI_PHONE).await.unwrap().identity, identity(&minji(), expiry()));
}

#[tokio::test]
async fn an_unknown_connection_is_told_and_closed_and_gets_no_row() {
    let chat = Chat::new().await;
    chat.delete_row(MINJI_PHONE).await;
    let token = chat.verifier.issue(identity(&minji(), at(7_200_000)), 1);
    let refused = chat.here.reauthenticate.execute(&origin(MINJI_PHONE, at(0)), &token).await;
    assert_refused!(refused, ChatError::UnknownConnection);
    assert!(!chat.is_open(MINJI_PHONE));
    assert_eq!(chat.row(MINJI_PHONE).await, None);
}
