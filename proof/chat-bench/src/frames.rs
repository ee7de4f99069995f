//! The part of the wire format that a load driver needs: written by hand, read into borrowed fields.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use uuid::Uuid;

/// A protocol timestamp, `YYYY-MM-DDTHH:MM:SS.mmmZ`: byte order is time order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp([u8; Self::LENGTH]);

impl Stamp {
    /// `toISOString()` of any year up to 9999.
    pub const LENGTH: usize = 24;

    /// Takes a timestamp of exactly the protocol's shape.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        let shape = b"dddd-dd-ddTdd:dd:dd.dddZ";
        let fits =
            |(byte, want): (&u8, &u8)| if *want == b'd' { byte.is_ascii_digit() } else { byte == want };
        bytes.iter().zip(shape).all(fits).then_some(Self(bytes))
    }

    /// The text as it was sent.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Any frame from the server, and any row of a history page: the fields of all kinds side by side, so that
/// nothing is buffered to find the kind first.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incoming<'a> {
    /// `sent`, `message`, `pong`, `error`; absent in a history row.
    #[serde(rename = "type", default)]
    pub label: &'a str,
    /// The sender's id of the message.
    pub client_message_id: Option<&'a str>,
    /// The room of the message.
    #[serde(default)]
    pub room_id: &'a str,
    /// When the message was stored.
    #[serde(default)]
    pub timestamp: &'a str,
    /// Position in the room, from 1.
    #[serde(default)]
    pub seq: u64,
    /// The address of the sender.
    #[serde(default)]
    pub sender_email: &'a str,
    /// The address of the receiver.
    #[serde(default)]
    pub receiver_email: &'a str,
    /// Content, or the explanation of an error.
    #[serde(borrow, default)]
    pub message: Cow<'a, str>,
    /// The code of an error.
    #[serde(default)]
    pub code: &'a str,
    /// Whether sending the same again may help.
    #[serde(default)]
    pub retryable: bool,
    /// Whether the id had been stored before.
    #[serde(default)]
    pub duplicate: bool,
}

/// One page of `GET /chat/history`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage<'a> {
    /// The rows of the page, oldest first.
    #[serde(borrow)]
    pub messages: Vec<Incoming<'a>>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Where the next page starts.
    #[serde(default)]
    pub next_after: Option<&'a str>,
}

/// The frame that keeps a connection alive; here it marks the end of a conversation.
pub const PING: &str = r#"{"action":"ping"}"#;

/// Writes a `sendMessage` frame.
pub fn send_message(receiver: &str, text: &str, id: Uuid, after: Option<Stamp>) -> String {
    let mut frame = Vec::with_capacity(text.len() + receiver.len() + 160);
    frame.extend_from_slice(br#"{"action":"sendMessage","receiverEmail":""#);
    frame.extend_from_slice(receiver.as_bytes());
    frame.extend_from_slice(br#"","clientMessageId":""#);
    frame.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    if let Some(after) = after {
        frame.extend_from_slice(br#"","after":""#);
        frame.extend_from_slice(&after.0);
    }
    frame.extend_from_slice(br#"","message":"#);
    serde_json::to_writer(&mut frame, text).expect("a string always serialises into a Vec");
    frame.push(b'}');
    String::from_utf8(frame).expect("made of UTF-8 pieces only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_frame_is_what_the_protocol_says() {
        let stamp = Stamp::parse("2025-01-02T03:04:05.006Z");
        let frame = send_message("junho@example.com", "안녕 \"\n", Uuid::nil(), stamp);
        let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "action": "sendMessage",
                "receiverEmail": "junho@example.com",
                "clientMessageId": "00000000-0000-0000-0000-000000000000",
                "after": "2025-01-02T03:04:05.006Z",
                "message": "안녕 \"\n",
            })
        );
    }

    #[test]
    fn the_first_message_of_a_room_has_no_after() {
        let frame = send_message("junho@example.com", "hi", Uuid::nil(), None);
        let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert!(value.get("after").is_none());
    }

    #[test]
    fn a_message_frame_is_read_with_escapes_resolved() {
        let frame =
            r#"{"type":"message","roomId":"a#b","seq":3,"message":"x\n\"\uC548","kind":"text","read":false}"#;
        let incoming: Incoming<'_> = serde_json::from_str(frame).unwrap();
        assert_eq!((incoming.label, incoming.room_id, incoming.seq), ("message", "a#b", 3));
        assert_eq!(incoming.message, "x\n\"안");
        assert_eq!(incoming.client_message_id, None);
    }

    #[test]
    fn only_the_protocols_timestamp_is_taken() {
        assert!(Stamp::parse("2025-01-02T03:04:05.006Z").is_some());
        for text in ["2025-01-02T03:04:05Z", "2025-01-02 03:04:05.006Z", "2025-01-02T03:04:05.006+", ""] {
            assert!(Stamp::parse(text).is_none(), "{text}");
        }
    }
}
