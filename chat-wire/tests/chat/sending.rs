//! `sendMessage`, when it is accepted, and the refusals that depend on what is stored.

use std::num::NonZeroU32;
use std::time::Duration;

use chat_domain::{FirstContact, SendRate};
use chat_wire::{Rates, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Chat, ID, JUNHO, MINJI, OTHER_ID, ROOM, START, frame};

#[tokio::test]
async fn the_seeds_own_frame_works_unchanged() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let text = r#"{"action":"sendMessage","receiverEmail":"junho@example.com","message":"안녕하세요"}"#;
    let sent = minji.say_text(text).await.unwrap();
    assert_eq!((&sent["type"], &sent["roomId"]), (&json!("sent"), &json!(ROOM)));
    let pushed = junho.heard();
    assert_eq!(pushed.len(), 1);
    for (name, value) in [
        ("roomId", ROOM),
        ("timestamp", START),
        ("senderEmail", MINJI),
        ("receiverEmail", JUNHO),
        ("message", "안녕하세요"),
    ] {
        assert_eq!(pushed[0][name], value);
    }
    assert_eq!(pushed[0]["read"], false);
}

#[tokio::test]
async fn the_senders_other_devices_hear_it_too_but_not_the_one_it_came_from() {
    let chat = Chat::new();
    let mut phone = chat.connect(MINJI).await;
    let mut laptop = chat.connect(MINJI).await;
    phone.send(JUNHO, "from the phone").await;
    assert_eq!((phone.heard().len(), laptop.heard().len()), (0, 1));
}

#[rstest]
#[case::longest("x".repeat(8_192))]
#[case::longest_in_hangul(format!("{}ab", "가".repeat(2_730)))]
#[case::newlines_and_tabs("one\n\ttwo".to_owned())]
#[case::emoji("👩‍👩‍👧‍👦 👍🏽".to_owned())]
#[case::right_to_left("שלום \u{200f}".to_owned())]
#[case::markup("<script>alert('x')</script>".to_owned())]
#[case::quotes("\"\\\"".to_owned())]
#[case::composed_and_not("한 \u{1112}\u{1161}\u{11ab}".to_owned())]
#[tokio::test]
async fn a_text_arrives_as_it_was_written(#[case] text: String) {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.send(JUNHO, &text).await;
    assert_eq!(junho.heard()[0]["message"], text);
    assert_eq!(chat.history(JUNHO, MINJI).await[0]["message"], text);
}

#[tokio::test]
async fn an_address_in_any_case_leads_to_one_room() {
    let chat = Chat::new();
    let minji = chat.connect("Minji@Example.com").await;
    for receiver in ["JUNHO@EXAMPLE.COM", " Junho@example.com ", JUNHO] {
        assert_eq!(minji.send(receiver, "hi").await["roomId"], ROOM);
    }
    assert_eq!(chat.history("JUNHO@example.com", "MINJI@EXAMPLE.COM").await.len(), 3);
}

#[tokio::test]
async fn a_hash_before_the_at_is_part_of_the_address() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let sent = minji.send("jun#ho@example.com", "hi").await;
    assert_eq!(sent["roomId"], "jun#ho@example.com#minji@example.com");
}

#[tokio::test]
async fn what_a_client_says_about_the_server_is_ignored() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let forged = json!({
        "senderEmail": JUNHO, "roomId": "a@example.com#b@example.com",
        "timestamp": "2001-01-01T00:00:00.000Z",
        "read": true, "type": "message", "seq": 99, "kind": "image", "duplicate": true, "userId": "root",
    });
    let sent = minji.say(&frame(forged)).await.unwrap();
    let expected = json!({
        "type": "sent", "clientMessageId": ID, "roomId": ROOM, "timestamp": START, "seq": 1,
        "duplicate": false,
    });
    assert_eq!(sent, expected);
    let stored = &chat.history(JUNHO, MINJI).await[0];
    assert_eq!(
        (&stored["senderEmail"], &stored["read"], &stored["kind"]),
        (&json!(MINJI), &json!(false), &json!("text"))
    );
}

#[tokio::test]
async fn a_retry_gets_the_original_ack() {
    let chat = Chat::new();
    let (minji, mut junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let first = minji.say(&frame(json!({}))).await.unwrap();
    minji.send(JUNHO, "in between").await;
    chat.pass(Duration::from_secs(60));
    let again = minji.say(&frame(json!({ "message": "  안녕하세요 " }))).await.unwrap();
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    for name in ["timestamp", "seq", "roomId", "clientMessageId"] {
        assert_eq!(first[name], again[name]);
    }
    assert_eq!(junho.heard().len(), 2, "a duplicate is not pushed again");
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 2);
}

#[tokio::test]
async fn a_retry_from_another_device_in_another_spelling_gets_the_original_ack() {
    let chat = Chat::new();
    let (phone, laptop) = (chat.connect(MINJI).await, chat.connect(MINJI).await);
    let first = phone.say(&frame(json!({ "after": null }))).await.unwrap();
    let again = laptop.say(&frame(json!({ "clientMessageId": ID.to_uppercase() }))).await.unwrap();
    assert_eq!((&again["duplicate"], &again["timestamp"]), (&json!(true), &first["timestamp"]));
    assert_eq!(again["clientMessageId"], ID);
}

#[tokio::test]
async fn the_same_id_for_another_text_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.say(&frame(json!({}))).await;
    let other = frame(json!({ "message": "something else" })).to_string();
    minji.refused(&other, "idReused", Some(ID)).await;
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 1);
}

#[tokio::test]
async fn two_senders_may_choose_the_same_id() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    minji.say(&frame(json!({}))).await;
    let sent = junho.say(&frame(json!({ "receiverEmail": MINJI, "message": "me too" }))).await.unwrap();
    assert_eq!((&sent["type"], &sent["duplicate"]), (&json!("sent"), &json!(false)));
}

#[tokio::test]
async fn a_frame_that_is_delivered_twice_is_stored_once_even_without_an_id() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let call = chat.frame_on(&minji.id, &frame(json!({ "clientMessageId": null })).to_string());
    let first = minji.deliver(&call).await.unwrap();
    let again = minji.deliver(&call).await.unwrap();
    assert_eq!((&again["duplicate"], &again["timestamp"]), (&json!(true), &first["timestamp"]));
    // The same words, said again.
    minji.send(JUNHO, "안녕하세요").await;
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 2);
}

#[rstest]
#[case::null(Value::Null)]
#[case::the_newest(json!("2026-11-23T09:00:00.000Z"))]
#[case::long_before(json!("2001-01-01T00:00:00.000Z"))]
#[tokio::test]
async fn after_may_be_null_or_anything_up_to_the_newest(#[case] after: Value) {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    minji.send(JUNHO, "first").await;
    let mut named = frame(json!({ "message": "second" }));
    named["after"] = after;
    assert_eq!(minji.say(&named).await.unwrap()["type"], "sent");
}

#[tokio::test]
async fn the_beginning_of_time_says_that_the_room_was_known_to_be_empty() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let named = frame(json!({ "after": "1970-01-01T00:00:00.000Z" }));
    for duplicate in [false, true] {
        let sent = minji.say(&named).await.unwrap();
        assert_eq!((&sent["type"], &sent["duplicate"]), (&json!("sent"), &json!(duplicate)));
    }
}

#[tokio::test]
async fn after_in_an_empty_room_is_refused() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    let named = frame(json!({ "after": START })).to_string();
    minji.refused(&named, "badRequest", Some(ID)).await;
    assert!(chat.history(MINJI, JUNHO).await.is_empty());
}

fn unlimited() -> Settings {
    const FAST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
    let rates = Rates { messages: SendRate { burst: FAST, per_second: FAST }, ..Rates::default() };
    Settings { rates, first_contact: FirstContact::Open, ..Settings::default() }
}

#[tokio::test]
async fn too_much_since_after_asks_for_a_sync_and_then_accepts_the_same_id() {
    let chat = Chat::composed(|_| {}, unlimited());
    let minji = chat.connect(MINJI).await;
    let first = minji.send(JUNHO, "0").await;
    let mut newest = Value::Null;
    for count in 1..=52 {
        newest = minji.send(JUNHO, &count.to_string()).await["timestamp"].clone();
    }
    let late = frame(json!({ "after": first["timestamp"] })).to_string();
    minji.refused(&late, "resyncNeeded", Some(ID)).await;
    assert_eq!(chat.history(MINJI, JUNHO).await[0]["message"], "52");

    let synced = minji.say(&frame(json!({ "after": newest }))).await.unwrap();
    assert_eq!((&synced["type"], &synced["seq"]), (&json!("sent"), &json!(54)));
}

#[tokio::test]
async fn a_retry_long_after_is_found_among_the_rows() {
    let chat = Chat::composed(|_| {}, unlimited());
    let minji = chat.connect(MINJI).await;
    let first = minji.send(JUNHO, "0").await;
    let lost = minji.say(&frame(json!({ "after": first["timestamp"] }))).await.unwrap();
    for count in 0..40 {
        minji.send(JUNHO, &count.to_string()).await;
    }
    let again = minji.say(&frame(json!({ "after": first["timestamp"] }))).await.unwrap();
    assert_eq!((&again["duplicate"], &again["seq"]), (&json!(true), &lost["seq"]));
}

#[tokio::test]
async fn a_burst_is_limited_and_a_second_later_the_same_frame_goes_through() {
    let chat = Chat::new();
    let minji = chat.connect(MINJI).await;
    for count in 0..30 {
        minji.send(JUNHO, &count.to_string()).await;
    }
    minji.refused(&frame(json!({})).to_string(), "rateLimited", Some(ID)).await;
    assert_eq!(chat.history(MINJI, JUNHO).await.len(), 30);
    chat.pass(Duration::from_secs(1));
    assert_eq!(minji.say(&frame(json!({}))).await.unwrap()["seq"], 31);
    let next = frame(json!({ "clientMessageId": OTHER_ID })).to_string();
    minji.refused(&next, "rateLimited", Some(OTHER_ID)).await;
}

#[tokio::test]
async fn timestamps_rise_although_time_stands_still() {
    let chat = Chat::new();
    let (minji, junho) = (chat.connect(MINJI).await, chat.connect(JUNHO).await);
    let first = minji.send(JUNHO, "tick").await;
    let second = junho.send(MINJI, "tock").await;
    assert_eq!(first["timestamp"], START);
    assert_eq!(second["timestamp"], "2026-11-23T09:00:00.001Z");
    assert_eq!(second["seq"], 2);
}
