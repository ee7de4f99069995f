//! What is reported, in JSON. Messages look as they do in the REST API.

use chat_domain::{Email, Found, ListedUpload, UserData};
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
}

impl From<Found> for Counts {
    fn from(found: Found) -> Self {
        let Found { messages, heads, rooms, connections, uploads } = found;
        Self { messages, heads, rooms, connections, uploads }
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
    connections: Vec<ConnectionRow>,
    conversations: Vec<Conversation>,
    uploads: Vec<Upload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Saved>,
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

pub(crate) fn export(email: &Email, data: &UserData, objects: Option<Objects>) -> String {
    let connections = data.connections.iter().map(|connection| ConnectionRow {
        connection_id: connection.id.to_string(),
        connected_at: connection.connected_at.to_string(),
        user_id: connection.identity.user_id().as_str().to_owned(),
        auth_expires_at: connection.identity.expires_at().to_string(),
    });
    let conversations = data.rooms.iter().map(|exported| {
        let id = exported.room.id();
        let member = id.member(email).expect("a user's rooms are those they are a member of");
        Conversation {
            peer_email: id.email(member.peer()).to_string(),
            read_up_to: exported.room.read_up_to(member).map(|at| at.to_string()),
            messages: exported.messages.iter().map(MessageBody::from).collect(),
        }
    });
    json(&Export {
        email: email.as_str(),
        connections: connections.collect(),
        conversations: conversations.collect(),
        uploads: data.uploads.iter().map(Upload::from).collect(),
        objects: objects.map(|Objects { saved, missing }| Saved {
            saved,
            missing: missing.iter().map(ToString::to_string).collect(),
        }),
    })
}
