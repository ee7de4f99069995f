//! What holds for any input: each function takes bytes and panics when a promise is broken.

use std::sync::Arc;

use chat_adapters_memory::{
    MemoryAttachmentStore, MemoryConnectionStore, MemoryIdentityVerifier, MemoryMessageStore, MemoryPusher,
    MemoryReportStore, MemoryUserStore, NoBackoff,
};
use chat_domain::{
    Activity, Append, Attachment, AttachmentKey, ClientMessageId, Connection, ConnectionId, Content, Day,
    Draft, Email, ImageFacts, ImageType, Member, Room, RoomId, RoomIdError, SendRate, StoredObject,
    Timestamp, UserId, VerifiedIdentity,
};
use chat_wire::frames::ServerFrame;
use chat_wire::table::ClientFrame;
use chat_wire::{Chat, FrameRequest, Ports, Settings, cursor};

/// The largest frame of API Gateway.
const FRAME_MAX_BYTES: usize = 32 * 1024;

/// A WebSocket frame: whatever it is, the client gets a frame back or nothing; what is accepted means the
/// same when it is written anew.
///
/// # Panics
/// When that does not hold.
pub fn frame(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let answer = answer(text);
    if let Some(answer) = &answer {
        assert!(answer.len() <= FRAME_MAX_BYTES, "an answer of {} bytes", answer.len());
        let frame: ServerFrame = serde_json::from_str(answer).expect("an answer is a frame");
        assert_eq!(frame.to_json(), *answer, "an answer has one spelling");
        if matches!(frame, ServerFrame::Error(_)) {
            return;
        }
    }
    // It was accepted. What serde's own reader refuses is deeper than it reads, below a key that nobody asked
    // for.
    if let Ok(frame) = serde_json::from_str::<ClientFrame>(text) {
        let anew = serde_json::to_string(&frame).expect("a frame is written as it was read");
        assert_eq!(serde_json::from_str::<ClientFrame>(&anew).ok(), Some(frame), "writing changed it");
        assert_eq!(self::answer(&anew), answer, "{anew}");
    }
}

/// The first message of Minji to Junho.
fn said(minji: &Email) -> Append {
    let junho = "junho@example.com".parse().expect("an address");
    let room = RoomId::new(minji, &junho).expect("two people");
    let sender = room.member(minji).expect("she is one of them");
    let content = Content::Text("안녕하세요".parse().expect("a text"));
    let draft = Draft { id: ClientMessageId::from_u128(1), sender, content, reply_to: None };
    let at = "2026-11-23T08:59:00.000Z".parse().expect("a timestamp");
    Room::empty(room).append(&draft, at, SendRate::default()).expect("it is the first")
}

/// What Minji is answered, who has said one thing to Junho.
fn answer(text: &str) -> Option<String> {
    let now = Timestamp::from_unix_ms(1_795_424_400_000).expect("a time in 2026");
    let id = ConnectionId::new("connection");
    let minji: Email = "minji@example.com".parse().expect("an address");
    let said = said(&minji);
    let connection = Connection {
        id: id.clone(),
        identity: VerifiedIdentity::vouched(minji, UserId::new("minji"), Timestamp::MAX),
        connected_at: now,
    };
    let ports = Ports {
        verifier: Arc::new(MemoryIdentityVerifier::new()),
        connections: Arc::new(MemoryConnectionStore::new()),
        messages: Arc::new(MemoryMessageStore::new()),
        pusher: Arc::new(MemoryPusher::new()),
        attachments: Arc::new(MemoryAttachmentStore::new("http://localhost", [7; 32])),
        reports: Arc::new(MemoryReportStore::new()),
        users: Arc::new(MemoryUserStore::new()),
        backoff: Arc::new(NoBackoff),
    };
    let frame = FrameRequest {
        text,
        connection: id.as_str(),
        request_id: "request",
        delivery_id: "message",
        now_ms: now.unix_ms(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        ports.connections.put(&connection).await.expect("memory takes everything");
        ports.messages.commit(&said).await.expect("memory takes everything");
        Chat::new(&ports, &Settings::default()).frames.answer(&frame).await
    })
}

/// Up to four addresses, one a line: each has one canonical form, and pairs of them name rooms as the seed's
/// JavaScript does, no two pairs the same.
///
/// # Panics
/// When that does not hold.
pub fn email_room(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let emails: Vec<Email> = text.lines().take(4).filter_map(|line| line.parse().ok()).collect();
    for email in &emails {
        assert_eq!(email.as_str().parse().as_ref(), Ok(email), "parsing twice changed it");
        assert_eq!(email.as_str().to_ascii_uppercase().parse().as_ref(), Ok(email), "case matters");
        assert_eq!(RoomId::new(email, email), Err(RoomIdError::SelfChat));
    }
    let mut rooms = Vec::new();
    for (place, one) in emails.iter().enumerate() {
        for other in &emails[place + 1..] {
            let Ok(room) = RoomId::new(one, other) else {
                assert_eq!(one, other, "only one's own address makes no room");
                continue;
            };
            assert_eq!(RoomId::new(other, one).as_ref(), Ok(&room), "the order matters");
            assert_eq!(room.to_string().parse().as_ref(), Ok(&room), "the text does not lead back");
            let mut pair = [one.as_str(), other.as_str()];
            pair.sort_by(|x, y| x.encode_utf16().cmp(y.encode_utf16()));
            assert_eq!(room.to_string(), pair.join("#"));
            rooms.push(room);
        }
    }
    for one in &rooms {
        for other in &rooms {
            assert_eq!(one == other, one.to_string() == other.to_string(), "{one} and {other}");
        }
    }
    if let Ok(room) = text.parse::<RoomId>() {
        assert_eq!(room.to_string(), text, "a room has one spelling");
    }
}

/// A timestamp as text, and any eight bytes as a number of milliseconds.
///
/// # Panics
/// When text and instant are not two views of one thing.
pub fn timestamp(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(at) = text.parse::<Timestamp>() {
            assert_eq!(at.to_string(), text, "a timestamp has one spelling");
        }
        if let Ok(day) = text.parse::<Day>() {
            assert_eq!(day.to_string(), text, "a day has one spelling");
        }
    }
    let instants = data.chunks_exact(8).take(4).filter_map(|chunk| {
        let ms = i64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        Timestamp::from_unix_ms(ms).ok()
    });
    let instants: Vec<_> = instants.collect();
    for at in &instants {
        assert_eq!(at.to_string().parse(), Ok(*at), "the text does not lead back");
        assert_eq!(at.to_string()[..10], at.day().to_string());
        for other in instants.iter().copied().chain([at.next(), at.previous()]) {
            assert_eq!(at.cmp(&other), at.to_string().cmp(&other.to_string()), "{at} and {other}");
        }
    }
}

/// An address, a line break, and a cursor or the place that one leads to.
///
/// # Panics
/// When a cursor leads anybody else anywhere, or has two spellings.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((owner, rest)) = text.split_once('\n') else { return };
    let Ok(owner) = owner.parse::<Email>() else { return };
    let stranger: Email =
        format!("x{owner}").parse().unwrap_or_else(|_| "x@example.com".parse().expect("an address"));
    if let Ok(place) = cursor::decode(rest, &owner) {
        assert_eq!(cursor::encode(place, &owner), rest, "a cursor has one spelling");
        assert!(cursor::decode(rest, &stranger).is_err(), "it is good for somebody else");
    }
    if let Ok(place) = rest.parse::<Activity>() {
        let made = cursor::encode(place, &owner);
        assert_eq!(cursor::decode(&made, &owner), Ok(place), "it does not lead back");
        assert!(cursor::decode(&made, &stranger).is_err(), "it is good for somebody else");
        assert!(!made.contains(owner.as_str()), "it shows an address");
    }
}

/// A file that was announced as an image of 16 by 9 pixels.
///
/// # Panics
/// When it is shown although a byte is missing at its end, or one stands behind it.
pub fn image(data: &[u8]) {
    if !is_shown(data) {
        return;
    }
    assert!(!is_shown(&data[..data.len() - 1]), "it was whole without its last byte");
    for behind in [0, b'<', 0xFF] {
        assert!(!is_shown(&[data, &[behind]].concat()), "something may stand behind it");
    }
}

fn is_shown(file: &[u8]) -> bool {
    let Some(kind) = ImageType::from_signature(file) else { return false };
    let Ok(facts) = ImageFacts::new(kind, file.len() as u64, 16, 9) else { return false };
    let room: RoomId = "junho@example.com#minji@example.com".parse().expect("a room");
    let stored = StoredObject {
        content_type: kind.as_str().to_owned(),
        size_bytes: file.len() as u64,
        uploaded_at: Timestamp::UNIX_EPOCH,
        bytes: file.to_vec(),
    };
    let key = AttachmentKey::mint(&room, Member::A, facts, 1);
    Attachment { key, facts, alt: None }.check_object(&stored, Timestamp::UNIX_EPOCH).is_ok()
}
