//! The bodies of the REST API.

use chat_domain::{
    BlockedPeer, Conversation, HistoryPage, Hit, Message, PageRange, RequestSide, SearchPage, SignedUrl,
    Upload,
};
use serde::{Deserialize, Serialize};

use super::message::{KindName, MessageBody, ProposalBody, QuotedBody};
#[cfg(feature = "schema")]
use crate::schema::formats;

/// The answer of `GET /chat/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct HistoryBody {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// Newest first; with `after`, oldest first.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::PAGE_MAX)))]
    pub messages: Vec<MessageBody>,
    /// The messages that are not among `messages` and that a `change` among them is about, as they are by
    /// now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<MessageBody>>"))]
    pub changed: Vec<MessageBody>,
    /// Whether there is more beyond the last of them.
    pub has_more: bool,
    /// Without `after`: the `before` of the next older page; absent at the beginning of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub next_before: Option<String>,
    /// With `after`: the `after` of the next newer page, or of the next sync. With `around`: the `after` of
    /// what is newer than the page; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub next_after: Option<String>,
    /// How far the peer has read.
    #[cfg_attr(feature = "schema", schemars(with = "Option<formats::Timestamp>"))]
    pub peer_read_up_to: Option<String>,
    /// How far the caller has read.
    #[cfg_attr(feature = "schema", schemars(with = "Option<formats::Timestamp>"))]
    pub my_read_up_to: Option<String>,
    /// Whose request the conversation is; absent when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "RequestName"))]
    pub request: Option<RequestName>,
    /// Whether the caller blocks the peer.
    pub blocked: bool,
    /// How far the caller has cleared the conversation: nothing up to there is in any page. Absent when
    /// nothing was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub cleared_to: Option<String>,
}

impl HistoryBody {
    /// The answer to a request for `range` that found `page`. A page around a place is one of the newest
    /// messages that there may be newer ones than.
    #[must_use]
    pub fn new(page: &HistoryPage, range: PageRange) -> Self {
        let last = page.messages.last().map(|message| message.at);
        let (next_before, next_after) = match range {
            PageRange::Newest | PageRange::Before(_) => {
                let first = page.messages.first().map(|message| message.at);
                (last.filter(|_| page.has_more), first.filter(|_| page.has_newer))
            }
            PageRange::Oldest => (None, last),
            PageRange::After(after) => (None, last.or(Some(after))),
        };
        let body = |message: &Message| MessageBody {
            read: page.is_read(message),
            quoted: page.quoted(message).map(QuotedBody::from),
            ..MessageBody::from(message)
        };
        Self {
            room_id: page.room.to_string(),
            messages: page.messages.iter().map(body).collect(),
            changed: page.changed().map(body).collect(),
            has_more: page.has_more,
            next_before: next_before.map(|at| at.to_string()),
            next_after: next_after.map(|at| at.to_string()),
            peer_read_up_to: page.peer_read_up_to.map(|at| at.to_string()),
            my_read_up_to: page.my_read_up_to.map(|at| at.to_string()),
            request: page.request.map(RequestName::from),
            blocked: page.blocked,
            cleared_to: page.cleared_to.map(|at| at.to_string()),
        }
    }
}

/// The answer of `GET /chat/search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct SearchBody {
    /// The messages that were found, the newest first.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::SEARCH_HITS_MAX)))]
    pub hits: Vec<MessageBody>,
    /// How far the search has looked: the `before` with which it goes on. `null` if there was nothing to look
    /// at.
    #[cfg_attr(feature = "schema", schemars(with = "Option<formats::Timestamp>"))]
    pub searched_to: Option<String>,
    /// Whether there is more before that.
    pub more: bool,
}

impl From<&SearchPage> for SearchBody {
    fn from(page: &SearchPage) -> Self {
        let body = |hit: &Hit| MessageBody { read: hit.is_read, ..MessageBody::from(&hit.message) };
        Self {
            hits: page.hits.iter().map(body).collect(),
            searched_to: page.searched_to.map(|at| at.to_string()),
            more: page.has_more,
        }
    }
}

/// The answer of `GET /chat/conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ConversationsBody {
    /// The conversations, the one with the newest message first.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::ROOMS_PAGE_MAX)))]
    pub conversations: Vec<ConversationBody>,
    /// What is unread in the conversations of this page together; on the first page only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number"), schemars(with = "u64"))]
    pub total_unread: Option<u64>,
    /// The `cursor` of the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ConversationBody {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The beginning of the newest message: its first `PREVIEW_MAX_CHARS` characters.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::PREVIEW_MAX_CHARS)))]
    pub preview: String,
    /// The timestamp of the newest message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub last_timestamp: String,
    /// The number of the newest message.
    #[cfg_attr(feature = "schema", ts(type = "number"), schemars(range(min = 1)))]
    pub last_seq: u64,
    /// Who sent the newest message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub last_sender_email: String,
    /// What kind the newest message is.
    pub last_kind: KindName,
    /// How many of the peer's messages the caller has not read.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub unread: u64,
    /// How far the peer has read.
    #[cfg_attr(feature = "schema", schemars(with = "Option<formats::Timestamp>"))]
    pub peer_read_up_to: Option<String>,
    /// Whose request the conversation is; absent when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "RequestName"))]
    pub request: Option<RequestName>,
    /// Whether the caller blocks the peer.
    pub blocked: bool,
    /// How far the caller has cleared the conversation. Absent when nothing was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub cleared_to: Option<String>,
}

/// Whose request a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub enum RequestName {
    /// The peer's: the caller has neither answered nor accepted it.
    Incoming,
    /// The caller's: the peer has neither answered nor accepted it.
    Outgoing,
}

impl From<RequestSide> for RequestName {
    fn from(side: RequestSide) -> Self {
        match side {
            RequestSide::Incoming => Self::Incoming,
            RequestSide::Outgoing => Self::Outgoing,
        }
    }
}

/// The answer of `GET /chat/blocked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct BlockedBody {
    /// The blocked people of one page of the caller's conversations: possibly nobody, though more pages
    /// follow.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::ROOMS_PAGE_MAX)))]
    pub blocked: Vec<BlockedPeerBody>,
    /// The `cursor` of the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// Somebody whom the caller blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct BlockedPeerBody {
    /// The address of who is blocked.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// When the caller last blocked them.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub since: String,
}

impl From<&BlockedPeer> for BlockedPeerBody {
    fn from(blocked: &BlockedPeer) -> Self {
        Self { peer_email: blocked.peer.to_string(), since: blocked.since.to_string() }
    }
}

impl From<&Conversation> for ConversationBody {
    fn from(conversation: &Conversation) -> Self {
        Self {
            peer_email: conversation.peer.to_string(),
            preview: conversation.preview.clone(),
            last_timestamp: conversation.last_at.to_string(),
            last_seq: conversation.last_seq,
            last_sender_email: conversation.last_sender.to_string(),
            last_kind: conversation.last_kind.clone().into(),
            unread: conversation.unread,
            peer_read_up_to: conversation.peer_read_up_to.map(|at| at.to_string()),
            request: conversation.request.map(RequestName::from),
            blocked: conversation.blocked,
            cleared_to: conversation.cleared_to.map(|at| at.to_string()),
        }
    }
}

/// The request of `POST /chat/uploads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct UploadRequestBody {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub with: String,
    /// `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
    #[cfg_attr(feature = "schema", ts(as = "formats::ContentType"), schemars(with = "formats::ContentType"))]
    pub content_type: String,
    /// The exact length in bytes, at most `IMAGE_MAX_BYTES`.
    #[cfg_attr(
        feature = "schema",
        ts(type = "number"),
        schemars(range(min = 1, max = chat_domain::IMAGE_MAX_BYTES))
    )]
    pub size: u64,
    /// The width in pixels, as the file has it. Times the height it is at most `IMAGE_MAX_PIXELS`, and in a
    /// small file less.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = chat_domain::IMAGE_MAX_SIDE)))]
    pub width: u32,
    /// The height in pixels, as the file has it.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = chat_domain::IMAGE_MAX_SIDE)))]
    pub height: u32,
}

/// The answer of `POST /chat/uploads`: `PUT` the bytes to `url` with exactly these headers, then show them in
/// one message within 23 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct UploadBody {
    /// The name to send the image by.
    #[cfg_attr(feature = "schema", schemars(with = "formats::AttachmentKey"))]
    pub key: String,
    /// Where to `PUT` the bytes.
    pub url: String,
    /// The headers the `PUT` must carry.
    pub headers: Vec<HeaderBody>,
    /// When the URL stops working.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub expires_at: String,
}

/// A header of an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct HeaderBody {
    /// The name of the header.
    pub name: String,
    /// The value of the header.
    pub value: String,
}

impl From<Upload> for UploadBody {
    fn from(upload: Upload) -> Self {
        let headers = upload.url.headers.into_iter().map(|(name, value)| HeaderBody { name, value });
        Self {
            key: upload.key.to_string(),
            url: upload.url.url,
            headers: headers.collect(),
            expires_at: upload.url.expires_at.to_string(),
        }
    }
}

/// The answer of `GET /chat/attachments/{key}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct AttachmentUrlBody {
    /// Where to `GET` the bytes.
    pub url: String,
    /// When the URL stops working.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub expires_at: String,
}

impl From<SignedUrl> for AttachmentUrlBody {
    fn from(url: SignedUrl) -> Self {
        Self { url: url.url, expires_at: url.expires_at.to_string() }
    }
}

/// The request of `POST /chat/proposals`. It is answered as a `sendMessage` frame is: with the fields of
/// `sent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ProposalRequestBody {
    /// Who is to get it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub receiver_email: String,
    /// A UUID made before the first attempt, the same for every retry.
    #[cfg_attr(feature = "schema", schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: String,
    /// The newest timestamp of the conversation that the client knew when it made the proposal;
    /// `1970-01-01T00:00:00.000Z` when it knew the conversation to be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub after: Option<String>,
    /// The proposal that is sent.
    pub proposal: ProposalBody,
}
