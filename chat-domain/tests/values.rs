//! Values of the model, one by one: their limits, what they are called, what they show.

use std::time::Duration;

use chat_domain::{
    AccessToken, CONNECTION_LIFETIME, CONNECTION_SETTLED_AFTER, ClientMessageId, Connection, ConnectionId,
    DOWNLOAD_URL_LIFETIME, Email, IMAGE_MAX_BYTES, ImageFacts, ImageType, KIND_LABEL_MAX_BYTES, Kind,
    KindError, MessageText, RoomId, StoredObject, Timestamp, UPLOAD_KEPT_FOR, UPLOAD_SHOWN_WITHIN,
    UPLOAD_URL_LIFETIME, UserId, Verdict, VerifiedIdentity,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const MILLISECOND: Duration = Duration::from_millis(1);

fn minji() -> Email {
    "minji@example.com".parse().expect("an address")
}

#[test]
fn limits_are_what_the_documentation_says() {
    assert_eq!(IMAGE_MAX_BYTES, 10_485_760);
    assert_eq!((UPLOAD_URL_LIFETIME, DOWNLOAD_URL_LIFETIME), (5 * MINUTE, 5 * MINUTE));
    assert_eq!((UPLOAD_KEPT_FOR, UPLOAD_SHOWN_WITHIN), (24 * HOUR, 23 * HOUR));
    assert_eq!(CONNECTION_LIFETIME, 130 * MINUTE);
}

#[test]
fn kinds_are_called_what_stores_and_frames_call_them() {
    let names: Vec<_> = Kind::KNOWN.iter().map(Kind::as_str).collect();
    assert_eq!(
        names,
        ["text", "image", "matchProposal", "matchProposalAnswer", "change", "deleted", "erased"]
    );
    for kind in Kind::KNOWN {
        assert_eq!(kind.as_str().parse(), Ok(kind.clone()));
    }
}

#[test]
fn every_name_that_a_kind_can_have_is_one() {
    for name in ["poll", "Text", "x-order", "a", "x_1-B", &"k".repeat(KIND_LABEL_MAX_BYTES)] {
        let kind: Kind = name.parse().expect(name);
        assert_eq!((kind.as_str(), matches!(kind, Kind::Other(_))), (name, true));
    }
    for name in
        ["", "1st", "-x", "_x", "two words", "종류", "a#b", "a\n", &"k".repeat(KIND_LABEL_MAX_BYTES + 1)]
    {
        assert_eq!(name.parse::<Kind>(), Err(KindError), "{name}");
    }
}

#[test]
fn verdicts_are_called_what_stores_and_frames_call_them() {
    let names =
        [(Verdict::Accepted, "accepted"), (Verdict::Declined, "declined"), (Verdict::Withdrawn, "withdrawn")];
    for (verdict, name) in names {
        assert_eq!((verdict.as_str(), name.parse()), (name, Ok(verdict)));
    }
    assert!("refused".parse::<Verdict>().is_err());
}

#[test]
fn what_was_given_is_given_back() {
    let facts = ImageFacts::new(ImageType::Jpeg, 120_000, 1_280, 960).expect("a photo");
    assert_eq!((facts.width_px(), facts.height_px()), (1_280, 960));
    assert_eq!(ClientMessageId::from_u128(7 << 64).as_u128(), 7 << 64);
    assert_eq!(UserId::new("sub-of-minji").as_str(), "sub-of-minji");
    let connection = ConnectionId::new("L0SM9cOFvHcCIhw=");
    assert_eq!(
        (connection.as_str(), connection.to_string().as_str()),
        ("L0SM9cOFvHcCIhw=", "L0SM9cOFvHcCIhw=")
    );
}

#[test]
fn a_log_shows_names_and_neither_tokens_nor_texts() {
    assert_eq!(format!("{:?}", AccessToken::new("eyJhbGciOi")), "AccessToken(..)");
    assert_eq!(format!("{:?}", minji()), "minji@example.com");
    let room: RoomId = "junho@example.com#minji@example.com".parse().expect("a room");
    assert_eq!(format!("{room:?}"), "junho@example.com#minji@example.com");
    assert_eq!(format!("{:?}", room.tag()), room.tag().to_string());
    let words: MessageText = "안녕하세요".parse().expect("a short text");
    assert_eq!(format!("{words} {words:?}"), "안녕하세요 BoundedText(15 bytes)");
    let noon: Timestamp = "2026-11-23T12:00:00.000Z".parse().expect("a timestamp");
    assert_eq!(format!("{noon:?} {:?}", noon.day()), "2026-11-23T12:00:00.000Z 2026-11-23");
    let object = StoredObject {
        content_type: "image/png".to_owned(),
        size_bytes: 3,
        uploaded_at: noon,
        bytes: b"png".to_vec(),
    };
    let shown = concat!(
        r#"StoredObject { content_type: "image/png", size_bytes: 3, "#,
        "uploaded_at: 2026-11-23T12:00:00.000Z, .. }"
    );
    assert_eq!(format!("{object:?}"), shown);
    let id = "018f2d4e-7b1a-7c3d-9e5f-001122334455";
    assert_eq!(format!("{:?}", id.parse::<ClientMessageId>().expect("a UUID")), id);
}

/// A post finds a connection gone while `$connect` is still running: that proves nothing.
#[test]
fn gone_is_believed_of_a_connection_that_is_older_than_half_a_minute() {
    let connected_at: Timestamp = "2026-11-23T09:00:00.000Z".parse().expect("a timestamp");
    let identity = VerifiedIdentity::vouched(minji(), UserId::new("sub-of-minji"), Timestamp::MAX);
    let connection = Connection { id: ConnectionId::new("a-phone"), identity, connected_at };
    let settled = connected_at.after(CONNECTION_SETTLED_AFTER);
    assert!(!connection.is_settled(connected_at));
    assert!(!connection.is_settled(settled));
    assert!(connection.is_settled(settled.after(MILLISECOND)));
}
