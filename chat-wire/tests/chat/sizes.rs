//! The largest that can come out, against the limits of the gateway and of Lambda.

use std::num::NonZeroU32;

use chat_domain::{FirstContact, MESSAGE_TEXT_MAX_BYTES, PAGE_MAX, SendRate};
use chat_wire::{Rates, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::proposals::proposal;
use crate::support::{Chat, frame, merged, query, set};

/// A WebSocket frame of API Gateway.
const FRAME_MAX_BYTES: usize = 32 * 1024;
/// The answer of a Lambda function, in which the body is a JSON string: escaped once more.
const LAMBDA_ANSWER_MAX_BYTES: usize = 6 * 1024 * 1024;
/// The body of a REST answer of API Gateway.
const REST_BODY_MAX_BYTES: usize = 10 * 1024 * 1024;
/// What the largest push frame has at the most: serde_json writes no allowed character in more than two bytes
/// for each of its own, so 16 KB of words, 2 KB of description, and below 3 KB of addresses, key and facts.
const PUSH_MAX_BYTES: usize = 21 * 1024;

/// Addresses of 254 bytes, of characters that JSON doubles.
fn longest_address(first: char) -> String {
    format!("{first}{}@example.com", "\\".repeat(254 - 13))
}

fn longest_text(filling: &str) -> String {
    let text = format!("\"{}\"", filling.repeat((MESSAGE_TEXT_MAX_BYTES - 2) / filling.len()));
    assert!(text.len() > MESSAGE_TEXT_MAX_BYTES - 4 && text.len() <= MESSAGE_TEXT_MAX_BYTES);
    text
}

fn unlimited() -> Settings {
    const FAST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
    let rates = Rates { messages: SendRate { burst: FAST, per_second: FAST }, ..Rates::default() };
    Settings { rates, first_contact: FirstContact::Open, ..Settings::default() }
}

/// An image with the longest words and the longest description: no message is larger.
async fn largest_image(chat: &Chat, from: &str, to: &str, filling: &str) -> Value {
    let alt = format!("\"{}\"", "\n".repeat(998));
    let attachment = merged(chat.upload(from, to).await, json!({ "alt": alt }));
    frame(json!({
        "receiverEmail": to, "message": longest_text(filling), "attachment": attachment,
        "clientMessageId": null,
    }))
}

#[rstest]
#[case::newlines("\n")]
#[case::tabs("\t")]
#[case::quotes("\"")]
#[case::backslashes("\\")]
#[case::delete("\u{7f}")]
#[case::next_line("\u{85}")]
#[case::line_separator("\u{2028}")]
#[case::hangul("가")]
#[case::emoji("😀")]
#[tokio::test]
async fn the_frame_of_every_message_fits_the_gateway(#[case] filling: &str) {
    let chat = Chat::new();
    let (from, to) = (longest_address('a'), longest_address('b'));
    let (sender, mut receiver) = (chat.connect(&from).await, chat.connect(&to).await);
    let sent = sender.say(&largest_image(&chat, &from, &to, filling).await).await.unwrap();
    assert_eq!(sent["type"], "sent", "{sent}");
    assert!(sent.to_string().len() < FRAME_MAX_BYTES);
    let pushed = receiver.heard()[0].to_string().len();
    assert!(pushed <= PUSH_MAX_BYTES, "{pushed} bytes");
    const { assert!(PUSH_MAX_BYTES < FRAME_MAX_BYTES) };
}

#[tokio::test]
async fn the_frame_of_the_largest_proposal_fits_the_gateway() {
    let chat = Chat::new();
    let (from, to) = (longest_address('a'), longest_address('b'));
    let (sender, mut receiver) = (chat.connect(&from).await, chat.connect(&to).await);
    let quotes = |count| "\"".repeat(count);
    let largest = proposal(json!({
        "teamName": quotes(200), "opponentTeamName": quotes(200), "place": quotes(400), "note": quotes(1_000),
    }));
    let sent = sender.say(&frame(json!({ "receiverEmail": to, "message": null, "proposal": largest }))).await;
    assert_eq!(sent.unwrap()["type"], "sent");
    // The note is there twice: in the proposal, and as the words that a client of the seed shows.
    assert!(receiver.heard()[0].to_string().len() < FRAME_MAX_BYTES / 2);
}

#[tokio::test]
async fn the_largest_page_fits_lambda_and_the_gateway() {
    let chat = Chat::composed(|_| {}, unlimited());
    let (from, to) = (longest_address('a'), longest_address('b'));
    let sender = chat.connect(&from).await;
    for _ in 0..PAGE_MAX {
        let sent = sender.say(&largest_image(&chat, &from, &to, "\"").await).await.unwrap();
        assert_eq!(sent["type"], "sent", "{sent}");
    }
    let mut call = chat.rest_call(http::Method::GET, "/chat/history");
    set(&mut call.headers, http::header::AUTHORIZATION, &format!("Bearer {}", chat.token(&to)));
    call.query = query(&[("with", &from)]);
    let body = chat.rest_response(&call).await.into_body();

    let rows = serde_json::from_str::<Value>(&body).unwrap()["messages"].as_array().unwrap().len();
    assert_eq!(rows, PAGE_MAX);
    assert!(
        body.len() <= PAGE_MAX * PUSH_MAX_BYTES && body.len() < REST_BODY_MAX_BYTES,
        "{} bytes",
        body.len()
    );
    let answer = Value::String(body).to_string().len();
    assert!(answer < LAMBDA_ANSWER_MAX_BYTES / 2, "{answer} bytes");
}
