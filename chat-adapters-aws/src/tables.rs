use chat_domain::Member;

/// What the four tables are called. A deployed chat gets the names from its template.
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
    /// Messages, by `roomId` and `timestamp`; and reports, under a name that no room has.
    pub messages: String,
    /// Heads of rooms, by `roomId`; and which attachments messages show, by their keys.
    pub rooms: String,
    /// What is kept of each user beside that, by `email`.
    pub users: String,
}

impl TableNames {
    /// `<prefix>connections`, `<prefix>messages`, `<prefix>rooms` and `<prefix>users`.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |table: &str| format!("{prefix}{table}");
        Self {
            connections: name("connections"),
            messages: name("messages"),
            rooms: name("rooms"),
            users: name("users"),
        }
    }
}

/// The attributes that an item is found by. Each is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySchema {
    /// What items of one partition have in common.
    pub partition: &'static str,
    /// What they are sorted by, if there may be several.
    pub sort: Option<&'static str>,
}

/// An index of a table, which lists its items by other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// What it is called.
    pub name: &'static str,
    /// What it lists by: an item without it is left out.
    pub key: KeySchema,
    /// Whether it has all attributes of an item, or else only those of the two keys.
    pub has_all: bool,
}

/// A table as the stores use it. Whoever creates tables, or plays DynamoDB, goes by this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// What it is called.
    pub name: String,
    /// What its items are found by.
    pub key: KeySchema,
    /// By what else they are listed.
    pub indexes: Vec<IndexSchema>,
}

impl TableNames {
    /// The keys and indexes of the four tables, to create them or to compare them with those of a template.
    #[must_use]
    pub fn schemas(&self) -> [TableSchema; 4] {
        const fn key(partition: &'static str, sort: Option<&'static str>) -> KeySchema {
            KeySchema { partition, sort }
        }
        let table = |name: &String, key, indexes| TableSchema { name: name.clone(), key, indexes };
        let by_email =
            IndexSchema { name: connections::EMAIL_INDEX, key: key(connections::EMAIL, None), has_all: true };
        let by_member = [Member::A, Member::B].map(|member| IndexSchema {
            name: rooms::index(member),
            key: key(rooms::MEMBER[member], Some(rooms::ACTIVITY)),
            has_all: false,
        });
        [
            table(&self.connections, key(connections::ID, None), vec![by_email]),
            table(&self.messages, key(messages::ROOM_ID, Some(messages::TIMESTAMP)), Vec::new()),
            table(&self.rooms, key(rooms::ROOM_ID, None), by_member.into()),
            table(&self.users, key(users::EMAIL, None), Vec::new()),
        ]
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
    use chat_domain::PerMember;

    pub(crate) const ROOM_ID: &str = "roomId";
    pub(crate) const TIMESTAMP: &str = "timestamp";
    pub(crate) const SENDER_EMAIL: &str = "senderEmail";
    pub(crate) const RECEIVER_EMAIL: &str = "receiverEmail";
    pub(crate) const MESSAGE: &str = "message";
    pub(crate) const READ: &str = "read";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const SENDER_SEQ: &str = "senderSeq";
    /// How many changes the room had by then; absent while there were none.
    pub(crate) const CHANGES: &str = "changes";
    pub(crate) const CLIENT_MESSAGE_ID: &str = "clientMessageId";
    /// The timestamp of the message that this one replies to; absent if it is no reply.
    pub(crate) const REPLY_TO: &str = "replyTo";
    /// The number of the last change that the row has; absent while it has none.
    pub(crate) const CHANGED_BY: &str = "changedBy";
    pub(crate) const EDITED_AT: &str = "editedAt";
    /// The emoji that each member has left on the message.
    pub(crate) const REACTIONS: PerMember<&str> = PerMember { a: "reactionsA", b: "reactionsB" };
    pub(crate) const KIND: &str = "kind";
    /// What is shown of a kind that is not known.
    pub(crate) const PREVIEW: &str = "preview";
    /// What a message of such a kind says, as JSON text.
    pub(crate) const BODY: &str = "body";
}

/// Reports, which stand in the table of messages.
pub(crate) mod reports {
    /// What stands in the place of a room's name.
    pub(crate) const PARTITION: &str = "reports";
    pub(crate) const ROOM: &str = "room";
    pub(crate) const REPORTER: &str = "reporterEmail";
    pub(crate) const REASON: &str = "reason";
    pub(crate) const REPORTED_AT: &str = "reportedAt";
    pub(crate) const MESSAGES: &str = "messages";
    /// After which second since 1970 DynamoDB deletes the report.
    pub(crate) const TTL: &str = "ttl";
}

pub(crate) mod users {
    pub(crate) const EMAIL: &str = "email";
    pub(crate) const VERSION: &str = "version";
    /// Whose the address is; absent if it is free.
    pub(crate) const USER_ID: &str = "userId";
    /// There if the user is suspended.
    pub(crate) const SUSPENDED_SINCE: &str = "suspendedSince";
    /// The day that the next three are about.
    pub(crate) const USAGE_DAY: &str = "usageDay";
    pub(crate) const ROOMS_BEGUN: &str = "roomsBegun";
    pub(crate) const BYTES_UPLOADED: &str = "bytesUploaded";
    /// Absent from what a version before 0.2 wrote.
    pub(crate) const REPORTS_FILED: &str = "reportsFiled";
    /// When the hour began that the count is about.
    pub(crate) const REQUESTS_SINCE: &str = "requestsSince";
    pub(crate) const REQUESTS: &str = "requests";
    /// There if the user made too many of them.
    pub(crate) const HELD_UNTIL: &str = "heldUntil";
    /// There if the user's data was erased.
    pub(crate) const ERASED_AT: &str = "erasedAt";
    pub(crate) const USED_AGAIN_AT: &str = "usedAgainAt";
}

pub(crate) mod rooms {
    use chat_domain::{Member, PerMember};

    pub(crate) const ROOM_ID: &str = "roomId";
    pub(crate) const MEMBER: PerMember<&str> = PerMember { a: "memberA", b: "memberB" };
    pub(crate) const ACTIVITY: &str = "activity";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const SENT: PerMember<&str> = PerMember { a: "sentA", b: "sentB" };
    /// The newest message's kind, where a version before 0.2 wrote the head. The beginning of its words is in
    /// `preview` then.
    pub(crate) const LAST_KIND: &str = "lastKind";
    /// How many changes there were; absent while there were none.
    pub(crate) const CHANGES: &str = "changes";
    /// What the newest entry, a change, does to the message that it changes.
    pub(crate) const EFFECT: &str = "effect";
    /// What lists show while the newest entry is a change.
    pub(crate) const SHOWN: &str = "shown";
    /// There if this member has reacted to a message of the other.
    pub(crate) const REACTED: PerMember<&str> = PerMember { a: "reactedA", b: "reactedB" };
    pub(crate) const RECENT: &str = "recent";
    pub(crate) const BUCKETS: &str = "buckets";
    pub(crate) const OPEN_PROPOSALS: &str = "openProposals";
    pub(crate) const READ_UP_TO: PerMember<&str> = PerMember { a: "readUpToA", b: "readUpToB" };
    pub(crate) const READ_COUNT: PerMember<&str> = PerMember { a: "readCountA", b: "readCountB" };
    /// There if this member was erased and has not written since.
    pub(crate) const ERASED: PerMember<&str> = PerMember { a: "erasedA", b: "erasedB" };
    /// There if this member has accepted the other's request.
    pub(crate) const ACCEPTED: PerMember<&str> = PerMember { a: "acceptedA", b: "acceptedB" };
    /// There if this member blocks the other: since when.
    pub(crate) const BLOCKED: PerMember<&str> = PerMember { a: "blockedA", b: "blockedB" };
    /// Of an attachment, whose item has its key for a `roomId`: which message shows it, or tries to. Versions
    /// before 0.2 wrote another attribute, with the message itself.
    pub(crate) const CLAIMED_BY: &str = "claimedBy";
    /// Of an attachment: from when on DynamoDB may delete its item, in Unix seconds. A head has none.
    pub(crate) const TTL: &str = "ttl";
    /// How far the peer of this member goes on seeing that the member has read, while the two are not in
    /// touch.
    pub(crate) const SHOWN_TO: PerMember<&str> = PerMember { a: "shownToA", b: "shownToB" };
    /// How far each member has cleared the conversation for themselves; absent before the first time.
    pub(crate) const CLEARED_TO: PerMember<&str> = PerMember { a: "clearedToA", b: "clearedToB" };
    /// How far the rows of this member's peer say that they were read. Nobody but
    /// [`settle_all`](crate::DynamoMessageStore::settle_all), and versions before 0.2, writes that.
    pub(crate) const ROWS_MARKED_TO: PerMember<&str> = PerMember { a: "rowsMarkedToA", b: "rowsMarkedToB" };

    /// The index that lists the rooms of which somebody is this member.
    pub(crate) fn index(member: Member) -> &'static str {
        match member {
            Member::A => "memberA-index",
            Member::B => "memberB-index",
        }
    }
}
