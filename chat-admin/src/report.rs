//! What is reported, in JSON. Messages look as they do in the REST API.

use chat_adapters_aws::Settled;
use chat_domain::{Consent, Cut, Email, Found, ListedUpload, Report, User, UserData};
use chat_wire::message::MessageBody;
use serde::Serialize;

use crate::objects::Objects;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    messages: u64,
    heads: u64,
    rooms: u64,
    connections: u64,
    uploads: u64,
    usage: u64,
}

impl From<Found> for Counts {
    fn from(found: Found) -> Self {
        let Found { messages, heads, rooms, connections, uploads, usage } = found;
        Self { messages, heads, rooms, connections, uploads, usage }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt<'a> {
    email: &'a str,
    dry_run: bool,
    found: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Counts>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserRow>,
    connections: Vec<ConnectionRow>,
    conversations: Vec<Conversation>,
    uploads: Vec<Upload>,
    reports: Vec<Reported>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Saved>,
}

/// The user's own row. A field is left out when there is nothing to say: nobody owns the address, the user is
/// not suspended, nothing was counted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Requests>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_again_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    day: String,
    rooms_begun: u32,
    bytes_uploaded: u64,
    reports_filed: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Requests {
    since: String,
    count: u32,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        let User { email: _, version: _, owner, suspended_since, usage, requests, held_until, erasure } =
            user;
        Self {
            user_id: owner.as_ref().map(|owner| owner.as_str().to_owned()),
            suspended_since: suspended_since.map(|at| at.to_string()),
            usage: usage.map(|usage| Usage {
                day: usage.day.to_string(),
                rooms_begun: usage.rooms,
                bytes_uploaded: usage.upload_bytes,
                reports_filed: usage.reports,
            }),
            requests: requests.map(|hour| Requests { since: hour.since.to_string(), count: hour.count }),
            held_until: held_until.map(|until| until.to_string()),
            erased_at: erasure.map(|erasure| erasure.at.to_string()),
            used_again_at: erasure.and_then(|erasure| erasure.used_again_at).map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfUser<'a> {
    action: &'a str,
    email: &'a str,
    user: UserRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<Connections>,
}

/// What became of connections: `failed` ones are closed by their next frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connections {
    found: usize,
    closed: usize,
    gone: usize,
    failed: usize,
}

impl From<Cut> for Connections {
    fn from(Cut { found, closed, gone, failed }: Cut) -> Self {
        Self { found, closed, gone, failed }
    }
}

/// The receipt of a decision about a user.
pub(crate) fn of_user(action: &str, user: &User, cut: Option<Cut>) -> String {
    let connections = cut.map(Connections::from);
    json(&OfUser { action, email: user.email.as_str(), user: user.into(), connections })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettledRows {
    action: &'static str,
    rooms: u64,
    rows_put: u64,
    rows_marked: u64,
}

/// What was written into the rows of messages.
pub(crate) fn settled(settled: Settled) -> String {
    let Settled { rooms, rows_put, rows_marked } = settled;
    json(&SettledRows { action: "settle", rooms, rows_put, rows_marked })
}

/// What was erased once more of somebody who had been erased.
pub(crate) struct ErasedAgain {
    pub(crate) email: Email,
    pub(crate) removed: Found,
    pub(crate) remaining: Found,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed<'a> {
    erased: Vec<ReplayedErasure<'a>>,
    used_again: Vec<UsedAgain<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplayedErasure<'a> {
    email: &'a str,
    removed: Counts,
    remaining: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsedAgain<'a> {
    email: &'a str,
    #[serde(flatten)]
    user: UserRow,
}

pub(crate) fn replayed(erased: &[ErasedAgain], used_again: &[User]) -> String {
    let erased = erased.iter().map(|ErasedAgain { email, removed, remaining }| ReplayedErasure {
        email: email.as_str(),
        removed: (*removed).into(),
        remaining: (*remaining).into(),
    });
    let used_again =
        used_again.iter().map(|user| UsedAgain { email: user.email.as_str(), user: user.into() });
    json(&Replayed { erased: erased.collect(), used_again: used_again.collect() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    saved: usize,
    missing: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionRow {
    connection_id: String,
    connected_at: String,
    user_id: String,
    auth_expires_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conversation {
    peer_email: String,
    read_up_to: Option<String>,
    cleared_to: Option<String>,
    accepted: bool,
    blocked_since: Option<String>,
    messages: Vec<MessageBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Upload {
    key: String,
    size: u64,
    uploaded_at: String,
}

impl From<&ListedUpload> for Upload {
    fn from(upload: &ListedUpload) -> Self {
        let ListedUpload { key, size_bytes, uploaded_at } = upload;
        Self { key: key.to_string(), size: *size_bytes, uploaded_at: uploaded_at.to_string() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    id: String,
    reporter_email: String,
    reported_email: String,
    reported_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    messages: Vec<MessageBody>,
}

impl From<&Report> for Reported {
    fn from(report: &Report) -> Self {
        let Report { room, reporter, reason, messages, at } = report;
        Self {
            id: report.id().to_string(),
            reporter_email: room.email(*reporter).to_string(),
            reported_email: room.email(reporter.peer()).to_string(),
            reported_at: at.to_string(),
            reason: reason.as_ref().map(ToString::to_string),
            messages: messages.iter().map(MessageBody::from).collect(),
        }
    }
}

pub(crate) fn reports(reports: &[Report]) -> String {
    json(&reports.iter().map(Reported::from).collect::<Vec<_>>())
}

fn json(report: &impl Serialize) -> String {
    serde_json::to_string_pretty(report).expect("strings, numbers and booleans always serialise")
}

pub(crate) fn dry_run(email: &Email, found: Found) -> String {
    json(&Receipt {
        email: email.as_str(),
        dry_run: true,
        found: found.into(),
        removed: None,
        remaining: None,
    })
}

pub(crate) fn receipt(email: &Email, found: Found, removed: Found, remaining: Found) -> String {
    let (removed, remaining) = (Some(removed.into()), Some(remaining.into()));
    json(&Receipt { email: email.as_str(), dry_run: false, found: found.into(), removed, remaining })
}

pub(crate) fn export(email: &Email, data: &UserData, reports: &[Report], objects: Option<Objects>) -> String {
    let connections = data.connections.iter().map(|connection| ConnectionRow {
        connection_id: connection.id.to_string(),
        connected_at: connection.connected_at.to_string(),
        user_id: connection.identity.user_id().as_str().to_owned(),
        auth_expires_at: connection.identity.expires_at().to_string(),
    });
    let conversations = data.rooms.iter().map(|exported| {
        let id = exported.room.id();
        let member = id.member(email).expect("a user's rooms are those they are a member of");
        let Consent { accepted, blocked } = exported.room.consent(member);
        Conversation {
            accepted,
            blocked_since: blocked.map(|at| at.to_string()),
            peer_email: id.email(member.peer()).to_string(),
            read_up_to: exported.room.read_up_to(member).map(|at| at.to_string()),
            cleared_to: exported.room.read_state(member).cleared_to.map(|at| at.to_string()),
            messages: exported
                .messages
                .iter()
                .map(|message| MessageBody { read: exported.is_read(message), ..MessageBody::from(message) })
                .collect(),
        }
    });
    json(&Export {
        email: email.as_str(),
        user: data.user.as_ref().map(UserRow::from),
        connections: connections.collect(),
        conversations: conversations.collect(),
        uploads: data.uploads.iter().map(Upload::from).collect(),
        reports: reports.iter().map(Reported::from).collect(),
        objects: objects.map(|Objects { saved, missing }| Saved {
            saved,
            missing: missing.iter().map(ToString::to_string).collect(),
        }),
    })
}
