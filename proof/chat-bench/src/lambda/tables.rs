//! The one conversation: minji sends, junho has one connection.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const CONNECTIONS: &str = "connections";
pub(super) const MESSAGES: &str = "messages";
pub(super) const ROOMS: &str = "rooms";
const SENDER: (&str, &str) = ("minji@example.com", "TWluamlTZW5kcz0=");
const RECEIVER: (&str, &str) = ("junho@example.com", "SnVuaG9SZWFkcz0=");
const ROOM: &str = "junho@example.com#minji@example.com";
/// Messages that the room holds: as many as its head names.
const SEQ: u64 = 8;
const MINUTE_MS: i64 = 60_000;

/// What the tables hold. Nothing that is sent changes it, so every request meets the same.
pub(super) struct FixedTables {
    started_ms: i64,
}

impl FixedTables {
    pub(super) fn new() -> Self {
        Self { started_ms: now_ms() }
    }

    /// When the newest message of the room was sent.
    fn newest_ms(&self) -> i64 {
        self.started_ms - 10 * MINUTE_MS
    }

    /// The row of a connection.
    pub(super) fn connection(&self, id: &str) -> Option<Value> {
        let (email, id) = [SENDER, RECEIVER].into_iter().find(|(_, known)| *known == id)?;
        Some(self.row(email, id))
    }

    /// The rows of a user's connections.
    pub(super) fn connections_of(&self, email: &str) -> Vec<Value> {
        let theirs = [SENDER, RECEIVER].into_iter().filter(|(known, _)| *known == email);
        theirs.map(|(email, id)| self.row(email, id)).collect()
    }

    fn row(&self, email: &str, id: &str) -> Value {
        json!({
            "connectionId": { "S": id },
            "email": { "S": email },
            "userId": { "S": "6c0e5b1e-0b5d-4c43-9e52-9b1f3e0f6a11" },
            "connectedAt": { "S": iso(self.started_ms - MINUTE_MS) },
            "authExpiresAt": { "S": iso(self.started_ms + 24 * 60 * MINUTE_MS) },
            "ttl": { "N": ((self.started_ms + 130 * MINUTE_MS) / 1000).to_string() },
        })
    }

    /// The head of the room, as `chat-adapters-aws` keeps it.
    pub(super) fn head(&self, room: &str) -> Option<Value> {
        let recent: Vec<u8> = (1..=SEQ)
            .flat_map(|seq| {
                let mut entry = [0; 25];
                entry[0] = if seq % 2 == 0 { b'A' } else { b'B' };
                entry[16] = u8::try_from(seq).unwrap_or(u8::MAX);
                let at = self.newest_ms() - (SEQ - seq).cast_signed();
                entry[17..].copy_from_slice(&at.to_be_bytes());
                entry
            })
            .collect();
        let head = json!({
            "roomId": { "S": ROOM },
            "memberA": { "S": RECEIVER.0 },
            "memberB": { "S": SENDER.0 },
            "seq": { "N": SEQ.to_string() },
            "sentA": { "N": (SEQ / 2).to_string() },
            "sentB": { "N": (SEQ / 2).to_string() },
            "kind": { "S": "text" },
            "message": { "S": "안녕하세요" },
            "recent": { "B": STANDARD.encode(recent) },
        });
        (room == ROOM).then_some(head)
    }

    /// The row of the room's newest message.
    pub(super) fn newest_row(&self) -> Value {
        json!({
            "roomId": { "S": ROOM },
            "timestamp": { "S": iso(self.newest_ms()) },
            "senderEmail": { "S": RECEIVER.0 },
            "receiverEmail": { "S": SENDER.0 },
            "read": { "BOOL": false },
            "seq": { "N": SEQ.to_string() },
            "senderSeq": { "N": (SEQ / 2).to_string() },
            "clientMessageId": { "S": Uuid::from_u128(u128::from(SEQ)).to_string() },
            "kind": { "S": "text" },
            "message": { "S": "안녕하세요" },
        })
    }

    /// What API Gateway hands to the function when minji sends.
    pub(super) fn event(&self) -> Value {
        let frame = json!({
            "action": "sendMessage",
            "receiverEmail": RECEIVER.0,
            "message": "안녕하세요, 토요일 저녁에 한 경기 어떠세요? 장소는 저희가 잡을게요.",
            "clientMessageId": Uuid::new_v4().to_string(),
            "after": iso(self.newest_ms()),
        });
        let id = || Uuid::new_v4().simple().to_string()[..16].to_owned();
        json!({
            "requestContext": {
                "routeKey": "sendMessage",
                "eventType": "MESSAGE",
                "messageDirection": "IN",
                "messageId": id(),
                "requestId": id(),
                "extendedRequestId": id(),
                "requestTime": "24/Nov/2026:09:00:00 +0000",
                "requestTimeEpoch": now_ms(),
                "connectedAt": self.started_ms - MINUTE_MS,
                "connectionId": SENDER.1,
                "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
                "apiId": "abc123",
                "stage": "prod",
                "identity": { "sourceIp": "192.0.2.1" },
            },
            "body": frame.to_string(),
            "isBase64Encoded": false,
        })
    }

    /// What is wrong with an answer, if anything is: the message has to have been stored behind the newest.
    pub(super) fn fault(answer: &[u8]) -> Option<String> {
        let sent = |answer: &[u8]| {
            let answer: Value = serde_json::from_slice(answer).ok()?;
            let frame: Value = serde_json::from_str(answer["body"].as_str()?).ok()?;
            (answer["statusCode"] == 200 && frame["type"] == "sent" && frame["seq"] == SEQ + 1).then_some(())
        };
        sent(answer).is_none().then(|| format!("it answered {}", String::from_utf8_lossy(answer)))
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn iso(unix_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default();
    format!("{at:.3}")
}
