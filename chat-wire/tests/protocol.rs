//! The numbers in `docs/protocol.md` are those that the server goes by.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use chat_domain::{
    CONNECTIONS_MAX, DOWNLOAD_URL_LIFETIME, DailyLimits, IMAGE_PIXELS_FREE, IMAGE_PIXELS_PER_BYTE,
    MESSAGE_TEXT_MAX_BYTES, OPEN_PROPOSALS_MAX, PAGE_MAX, PUSHES_MAX, RECENT_MAX, REPORT_MESSAGES_MAX,
    REPORT_REASON_MAX_BYTES, REQUEST_MESSAGES_MAX, ROOMS_PAGE_MAX, RequestRate, SendRate, UPLOAD_KEPT_FOR,
    UPLOAD_SHOWN_WITHIN, UPLOAD_URL_LIFETIME,
};

/// The page on one line, so that a sentence is found wherever its lines break.
fn protocol() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    std::fs::read_to_string(path).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number as the page writes it: 8,192.
fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

const fn hours(time: Duration) -> u64 {
    time.as_secs() / 3_600
}

fn of_connections_and_requests() -> Vec<String> {
    let RequestRate { burst, per_second, per_hour } = RequestRate::default();
    assert_eq!(per_second, NonZeroU32::MIN, "the page says: one more each second");
    vec![
        format!("A user may have {CONNECTIONS_MAX} connections."),
        format!("closes the oldest ones beyond {CONNECTIONS_MAX}: "),
        format!("more than {CONNECTIONS_MAX} may stay open for a while"),
        format!("beyond the {CONNECTIONS_MAX} newest, at most {CONNECTIONS_MAX} of a user."),
        format!("pushed to {PUSHES_MAX} connections in all"),
        format!("with {} connections or fewer on each side", PUSHES_MAX / 2),
        format!("a user may send {burst} at once on all connections together, and one more each second"),
        format!("until {burst} more were refused"),
        format!("more than {} requests of all kinds in an hour", thousands(per_hour.get() as usize)),
        format!("or has made more than {burst} requests of any kind at once, or one each second"),
    ]
}

fn of_messages_and_pages() -> Vec<String> {
    let SendRate { burst, per_second } = SendRate::default();
    assert_eq!(per_second, NonZeroU32::MIN, "the page says: one each second");
    let DailyLimits { rooms, reports, .. } = DailyLimits::default();
    vec![
        format!("A user may begin {rooms} conversations in a day"),
        format!("more than {burst} messages at once, or one each second, in this room"),
        format!("has more than {} bytes", thousands(MESSAGE_TEXT_MAX_BYTES)),
        format!("the head's last {RECENT_MAX} ids"),
        format!("the newest messages first, {PAGE_MAX} on a page"),
        format!("returns at most {ROOMS_PAGE_MAX} conversations"),
        format!("may send at most {REQUEST_MESSAGES_MAX} messages"),
        format!("reports 1 to {REPORT_MESSAGES_MAX} messages"),
        format!("at most {REPORT_REASON_MAX_BYTES} bytes and may be absent"),
        format!("A user may file {reports} a day"),
        format!("has at most {OPEN_PROPOSALS_MAX} open proposals"),
        format!("before one of the {OPEN_PROPOSALS_MAX} begins"),
    ]
}

fn of_images() -> Vec<String> {
    let DailyLimits { rooms, upload_bytes, .. } = DailyLimits::default();
    let megabytes = upload_bytes.get() / 1_000_000;
    assert_eq!(UPLOAD_KEPT_FOR, Duration::from_secs(24 * 3_600), "the page says: after a day");
    assert_eq!(UPLOAD_URL_LIFETIME, DOWNLOAD_URL_LIFETIME, "the page says how long only of the first");
    vec![
        format!("a URL, valid for {} minutes", UPLOAD_URL_LIFETIME.as_secs() / 60),
        format!("announce {megabytes} MB in a day"),
        format!("has begun {rooms} conversations or announced {megabytes} MB today"),
        format!("within {} hours", hours(UPLOAD_SHOWN_WITHIN)),
        format!(
            "more than {} Mi pixels and {IMAGE_PIXELS_PER_BYTE} more for each of its bytes",
            IMAGE_PIXELS_FREE >> 20
        ),
    ]
}

#[rstest::rstest]
#[case::connections_and_requests(of_connections_and_requests())]
#[case::messages_and_pages(of_messages_and_pages())]
#[case::images(of_images())]
fn the_page_states_the_limits_as_they_are(#[case] sentences: Vec<String>) {
    let page = protocol();
    for sentence in sentences {
        assert!(page.contains(&sentence), "docs/protocol.md does not say: {sentence}");
    }
}
