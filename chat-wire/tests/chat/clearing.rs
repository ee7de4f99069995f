//! `clear`: what one member does not want to see any more.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::*;

fn clear(peer: &str, up_to: &Value) -> Value {
    json!({ "action": "clear", "peerEmail": peer, "upTo": up_to })
}

#[tokio::test]
async fn it_is_answered_told_to_ones_other_devices_and_seen_by_nobody_else() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let mut tablet = chat.connect(MINJI).await;
    let at = junho.send(MINJI, "하나").await["timestamp"].clone();
    junho.send(MINJI, "둘").await;
    tablet.heard();

    let cleared = json!({ "type": "cleared", "roomId": ROOM, "peerEmail": JUNHO, "upTo": at });
    assert_eq!(minji.say(&clear(JUNHO, &at)).await, Some(cleared.clone()));
    assert_eq!(tablet.heard(), std::slice::from_ref(&cleared));
    assert_eq!(junho.heard(), [] as [Value; 0]);
    // A repetition says the same.
    assert_eq!(minji.say(&clear(JUNHO, &at)).await, Some(cleared));

    let hers = chat.get(MINJI, "/chat/history", &[("with", JUNHO)]).await.body;
    assert_eq!((hers["messages"].as_array().unwrap().len(), &hers["clearedTo"]), (1, &at));
    let list = chat.get(MINJI, "/chat/conversations", &[]).await.body["conversations"][0].clone();
    assert_eq!((&list["clearedTo"], &list["unread"]), (&at, &json!(2)), "it was not read");
    let his = chat.get(JUNHO, "/chat/history", &[("with", MINJI)]).await.body;
    assert_eq!((his["messages"].as_array().unwrap().len(), his.get("clearedTo")), (2, None));
}

#[tokio::test]
async fn what_is_cleared_whole_is_in_no_list_until_something_new_comes() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let newest = junho.send(MINJI, "하나").await["timestamp"].clone();
    let answer = minji.say(&clear(JUNHO, &json!("9999-12-31T23:59:59.999Z"))).await.unwrap();
    assert_eq!(answer["upTo"], newest, "nothing is cleared that is not there yet");
    let listed = async || chat.get(MINJI, "/chat/conversations", &[]).await.body;
    assert_eq!(listed().await["conversations"], json!([]));
    assert_eq!(chat.history(MINJI, JUNHO).await, [] as [Value; 0]);
    junho.send(MINJI, "둘").await;
    assert_eq!(listed().await["conversations"][0]["preview"], "둘");
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
}

#[rstest]
#[case::a_conversation_that_is_not_there(clear(JUNHO, &json!(START)), "notFound")]
#[case::with_oneself(clear(MINJI, &json!(START)), "selfChat")]
#[case::with_nobody(clear("junho", &json!(START)), "invalidEmail")]
#[case::up_to_nowhere(clear(JUNHO, &json!("now")), "badRequest")]
#[case::without_a_place(json!({ "action": "clear", "peerEmail": JUNHO }), "badRequest")]
#[case::without_a_peer(json!({ "action": "clear", "upTo": START }), "badRequest")]
#[tokio::test]
async fn what_makes_no_sense_is_refused(#[case] frame: Value, #[case] code: &str) {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.refused(&frame.to_string(), code, None).await;
    assert_eq!(chat.get(MINJI, "/chat/conversations", &[]).await.body["conversations"], json!([]));
}
