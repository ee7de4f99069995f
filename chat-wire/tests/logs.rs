//! What the logs must not hold: tokens, and what people write. In a process of its own: what is logged while
//! other tests run without a subscriber may be left out here, too.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod captured;
#[expect(dead_code, reason = "other tests need more of it")]
#[path = "chat/support.rs"]
mod support;

use serde_json::json;

use captured::Captured;
use chat_domain::{AccessChange, ChangeAccess};
use chat_wire::UserTags;
use support::{ADDRESS, Chat, JUNHO, LOG_TAG_KEY, MINJI, PNG, frame, picture, query};

#[tokio::test]
async fn no_token_no_text_and_no_address_reaches_the_logs() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer({
            let captured = captured.clone();
            move || captured.clone()
        })
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    const SECRET: &str = "the-words-of-a-message";
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let junho = chat.connect(JUNHO).await;
    minji.send(JUNHO, SECRET).await;
    minji.say(&frame(json!({ "message": SECRET }))).await;
    minji.say(&frame(json!({ "message": SECRET }))).await;
    minji.say(&frame(json!({ "message": format!("{SECRET} other") }))).await;
    minji.say(&frame(json!({ "message": format!("{SECRET}\0") }))).await;
    minji.say(&frame(json!({ "message": [SECRET] }))).await;
    minji.say_text(&format!("{SECRET} is no JSON")).await;
    minji.say(&json!({ "action": "reauth", "token": chat.token(MINJI) })).await;
    minji.say(&json!({ "action": "reauth", "token": chat.token(JUNHO) })).await;
    minji.say(&json!({ "action": "reauth", "token": "a-made-up-token" })).await;
    junho.say(&json!({ "action": "markRead", "peerEmail": MINJI, "upTo": "9999-12-31T23:59:59.999Z" })).await;
    junho.say(&json!({ "action": "typing", "receiverEmail": MINJI })).await;
    let image = chat.upload(MINJI, JUNHO).await;
    minji.say(&frame(json!({ "message": SECRET, "attachment": image, "clientMessageId": null }))).await;
    chat.post(MINJI, "/chat/uploads", &picture(json!({ "with": JUNHO, "size": PNG.len(), "note": SECRET })))
        .await;
    chat.history(MINJI, JUNHO).await;
    chat.get(MINJI, "/chat/conversations", &[("cursor", SECRET)]).await;
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", "a-made-up-token")]);
    chat.shake_hands(&handshake).await;
    junho.disconnect().await;
    let change = ChangeAccess::new(chat.ports.users.clone());
    change.execute(&JUNHO.parse().unwrap(), &AccessChange::Suspend, chat.now()).await.unwrap();
    let mut handshake = chat.handshake();
    handshake.query = query(&[("token", &chat.token(JUNHO))]);
    chat.shake_hands(&handshake).await;

    let log = captured.text();
    assert!(log.contains("sent") && log.contains("refused"), "nothing was captured: {log}");
    let tag = |user: &str| UserTags::keyed(LOG_TAG_KEY).of(&user.parse().unwrap()).unwrap();
    for (what, user) in [
        ("connected", MINJI),
        ("sent", MINJI),
        ("refused", MINJI),
        ("read mark", JUNHO),
        ("answered", MINJI),
        ("Suspended", JUNHO),
    ] {
        let tag = tag(user);
        let names_them = |line: &str| line.contains(what) && line.contains(&tag);
        assert!(log.lines().any(names_them), "no line says {what} of {tag}: {log}");
    }
    let by_address: Vec<_> = log.lines().filter(|line| line.contains(ADDRESS)).collect();
    assert_eq!(by_address.iter().filter(|line| line.contains("connected")).count(), 2, "{by_address:?}");
    assert_eq!(by_address.iter().filter(|line| line.contains("refused")).count(), 2, "{by_address:?}");
    assert_eq!(by_address.len(), 4, "only connecting is logged by address: {by_address:?}");
    assert_ne!(tag(MINJI), tag(JUNHO));
    assert_ne!(UserTags::keyed("another").of(&MINJI.parse().unwrap()), Some(tag(MINJI)));
    for forbidden in [SECRET, LOG_TAG_KEY, "a-made-up-token", "feed00", "example.com", "signature"] {
        assert!(!log.contains(forbidden), "{forbidden} in {log}");
    }
}
