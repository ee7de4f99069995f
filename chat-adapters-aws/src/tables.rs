/// What the three tables are called. A deployed chat gets the names from its template.
///
/// ```
/// use chat_adapters_aws::TableNames;
/// assert_eq!(TableNames::default().messages, "playground-messages");
/// assert_eq!(TableNames::with_prefix("staging-").rooms, "staging-rooms");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// Open connections, by `connectionId`.
    pub connections: String,
    /// Messages, by `roomId` and `timestamp`.
    pub messages: String,
    /// Heads of rooms, by `roomId`; and which attachments messages show, by their keys.
    pub rooms: String,
}

impl TableNames {
    /// `<prefix>connections`, `<prefix>messages` and `<prefix>rooms`.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |table: &str| format!("{prefix}{table}");
        Self { connections: name("connections"), messages: name("messages"), rooms: name("rooms") }
    }
}

/// With the prefix `playground-`.
impl Default for TableNames {
    fn default() -> Self {
        Self::with_prefix("playground-")
    }
}

pub(crate) mod connections {
    pub(crate) const ID: &str = "connectionId";
    pub(crate) const EMAIL: &str = "email";
    pub(crate) const USER_ID: &str = "userId";
    pub(crate) const CONNECTED_AT: &str = "connectedAt";
    pub(crate) const AUTH_EXPIRES_AT: &str = "authExpiresAt";
    pub(crate) const TTL: &str = "ttl";
    pub(crate) const EMAIL_INDEX: &str = "email-index";
}

pub(crate) mod messages {
    pub(crate) const ROOM_ID: &str = "roomId";
    pub(crate) const TIMESTAMP: &str = "timestamp";
    pub(crate) const SENDER_EMAIL: &str = "senderEmail";
    pub(crate) const RECEIVER_EMAIL: &str = "receiverEmail";
    pub(crate) const MESSAGE: &str = "message";
    pub(crate) const READ: &str = "read";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const SENDER_SEQ: &str = "senderSeq";
    pub(crate) const CLIENT_MESSAGE_ID: &str = "clientMessageId";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const ATTACHMENT: &str = "attachment";
    pub(crate) const PROPOSAL: &str = "proposal";
    pub(crate) const PROPOSAL_ANSWER: &str = "proposalAnswer";
}

pub(crate) mod rooms {
    use chat_domain::{Member, PerMember};

    pub(crate) const ROOM_ID: &str = "roomId";
    pub(crate) const MEMBER: PerMember<&str> = PerMember { a: "memberA", b: "memberB" };
    pub(crate) const ACTIVITY: &str = "activity";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const SENT: PerMember<&str> = PerMember { a: "sentA", b: "sentB" };
    pub(crate) const LAST_KIND: &str = "lastKind";
    pub(crate) const PREVIEW: &str = "preview";
    pub(crate) const RECENT: &str = "recent";
    pub(crate) const BUCKETS: &str = "buckets";
    pub(crate) const OPEN_PROPOSALS: &str = "openProposals";
    pub(crate) const READ_UP_TO: PerMember<&str> = PerMember { a: "readUpToA", b: "readUpToB" };
    pub(crate) const READ_COUNT: PerMember<&str> = PerMember { a: "readCountA", b: "readCountB" };
    /// There if this member was erased and has not written since.
    pub(crate) const ERASED: PerMember<&str> = PerMember { a: "erasedA", b: "erasedB" };
    /// Of an attachment, whose item has its key for a `roomId`: the timestamp of the message that shows it.
    pub(crate) const SHOWN_AT: &str = "shownAt";
    pub(crate) const ROWS_MARKED_TO: PerMember<&str> = PerMember { a: "rowsMarkedToA", b: "rowsMarkedToB" };

    /// The index that lists the rooms of which somebody is this member.
    pub(crate) fn index(member: Member) -> &'static str {
        match member {
            Member::A => "memberA-index",
            Member::B => "memberB-index",
        }
    }
}
