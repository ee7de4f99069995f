//! `GET /chat/search`, and `GET /chat/history?around=`.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::*;

async fn search(chat: &Chat, more: &[(&str, &str)]) -> Answer {
    chat.get(MINJI, "/chat/search", &[&[("with", JUNHO)], more].concat()).await
}

#[tokio::test]
async fn hits_are_messages_as_the_history_has_them() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let at = junho.send(MINJI, "잠실 경기장에서 봐요").await["timestamp"].clone();
    minji.send(JUNHO, "몇 시에?").await;
    let edit = json!({ "action": "edit", "peerEmail": MINJI, "target": at, "message": "잠실 경기장 앞에서" });
    junho.say(&edit).await.unwrap();
    let mark = json!({ "action": "markRead", "peerEmail": JUNHO, "upTo": at });
    minji.say(&mark).await.unwrap();

    let found = search(&chat, &[("q", "잠실경기")]).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let history = chat.history(MINJI, JUNHO).await;
    assert_eq!(found.body, json!({ "hits": [history[2]], "searchedTo": at, "more": false }));
    assert_eq!(found.body["hits"][0]["read"], true);
    let gone = search(&chat, &[("q", "에서 봐요")]).await.body;
    assert_eq!(gone["hits"], json!([]), "it was edited away");
    let earlier = search(&chat, &[("q", "잠실"), ("before", at.as_str().unwrap())]).await.body;
    assert_eq!(earlier, json!({ "hits": [], "searchedTo": at, "more": false }));
}

#[tokio::test]
async fn with_nobody_there_is_nothing_to_look_at() {
    let nothing = json!({ "hits": [], "searchedTo": null, "more": false });
    assert_eq!(search(&Chat::new(), &[("q", "a")]).await.body, nothing);
}

#[rstest]
#[case::no_query(&[], "badRequest", "q: missing")]
#[case::blank(&[("q", " \u{3000}")], "badRequest", "q: the query is empty")]
#[case::twice(&[("q", "a"), ("q", "b")], "badRequest", "q: comes twice")]
#[case::no_place(&[("q", "a"), ("before", "yesterday")], "badRequest", "before: ")]
#[tokio::test]
async fn searches_that_make_no_sense_are_refused(
    #[case] more: &[(&str, &str)],
    #[case] code: &str,
    #[case] hint: &str,
) {
    let refused = search(&Chat::new(), more).await;
    refused.assert_refused(400, code);
    assert!(refused.body["message"].as_str().unwrap().starts_with(hint), "{}", refused.body);
}

#[tokio::test]
async fn a_query_has_no_thousand_characters() {
    let refused = search(&Chat::new(), &[("q", &"가".repeat(1_000))]).await;
    refused.assert_refused(400, "badRequest");
    assert_eq!(refused.body["message"], "q: the query has 1000 characters; at most 100 are allowed");
}

#[tokio::test]
async fn a_search_is_about_somebody_else() {
    let chat = Chat::new();
    let search = async |with: &[(&str, &str)]| chat.get(MINJI, "/chat/search", with).await;
    search(&[("q", "a")]).await.assert_refused(400, "badRequest");
    search(&[("q", "a"), ("with", "junho")]).await.assert_refused(400, "invalidEmail");
    search(&[("q", "a"), ("with", MINJI)]).await.assert_refused(400, "selfChat");
}

/// A search that needs more than one page counts for as many requests as it may read pages.
#[tokio::test]
async fn whoever_searches_on_and_on_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for _ in 0..51 {
        minji.send(JUNHO, "또").await;
        chat.pass(Duration::from_secs(1));
    }
    let mut searches = 0;
    loop {
        let answer = search(&chat, &[("q", "없는 말")]).await;
        if answer.status != 200 {
            answer.assert_refused(429, "rateLimited");
            break;
        }
        searches += 1;
        chat.pass(Duration::from_secs(1));
    }
    // Beside what searches count ahead, each hundredth request is counted.
    assert!((190..=4_000 / 19).contains(&searches), "{searches}");
    assert_eq!(
        chat.get(MINJI, "/chat/history", &[("with", JUNHO)]).await.status,
        200,
        "nobody is held up for it"
    );
}

#[tokio::test]
async fn a_page_around_a_place_leads_both_ways() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for number in 0..80 {
        minji.send(JUNHO, &format!("말 {number}")).await;
        chat.pass(Duration::from_secs(1));
    }
    let all =
        chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("after", "1970-01-01T00:00:00.000Z")]).await;
    let place = &all.body["messages"][39]["timestamp"];
    let around =
        chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("around", place.as_str().unwrap())]).await;
    let messages = around.body["messages"].as_array().unwrap();
    let seqs: Vec<_> = messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (16..=65).rev().collect::<Vec<_>>());
    assert_eq!(around.body["nextBefore"], messages[49]["timestamp"]);
    assert_eq!(
        (&around.body["nextAfter"], &around.body["hasMore"]),
        (&messages[0]["timestamp"], &json!(true))
    );

    let newest = chat.history(MINJI, JUNHO).await[0]["timestamp"].clone();
    let last =
        chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("around", newest.as_str().unwrap())]).await;
    assert_eq!(last.body.get("nextAfter"), None, "nothing is newer");
    // An ordinary page says nothing of what is newer.
    assert_eq!(chat.get(MINJI, "/chat/history", &[("with", JUNHO)]).await.body.get("nextAfter"), None);
}

#[rstest]
#[case::in_the_future(&[("around", "2036-01-01T00:00:00.000Z")], "around: that is in the future")]
#[case::no_place(&[("around", "then")], "around: ")]
#[case::beside_before(&[("around", START), ("before", START)], "around and before exclude each other")]
#[case::beside_after(&[("around", START), ("after", START)], "around and after exclude each other")]
#[case::beside_limit(&[("around", START), ("limit", "10")], "around and limit exclude each other")]
#[tokio::test]
async fn places_that_make_no_sense_are_refused(#[case] more: &[(&str, &str)], #[case] hint: &str) {
    let chat = Chat::new();
    chat.connect(MINJI).await.send(JUNHO, "안녕").await;
    let refused = chat.get(MINJI, "/chat/history", &[&[("with", JUNHO)], more].concat()).await;
    refused.assert_refused(400, "badRequest");
    assert!(refused.body["message"].as_str().unwrap().starts_with(hint), "{}", refused.body);
}

/// The newest message may be dated by a clock that is ahead.
#[tokio::test]
async fn around_the_newest_message_is_never_the_future() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for _ in 0..3 {
        minji.send(JUNHO, "같은 순간에").await;
    }
    let newest = chat.history(MINJI, JUNHO).await[0]["timestamp"].clone();
    assert!(newest.as_str().unwrap() > START);
    let around =
        chat.get(MINJI, "/chat/history", &[("with", JUNHO), ("around", newest.as_str().unwrap())]).await;
    assert_eq!(around.status, 200);
    assert_eq!(around.body["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(around.body["messages"].get(0).map(|newest| newest["timestamp"].clone()), Some(newest));
}
