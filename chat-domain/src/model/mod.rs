//! The model: values that are checked once and right from then on, and the aggregate [`Room`](room::Room)
//! with the rules. What is exported here is part of the crate's interface.

pub(crate) mod attachment;
pub(crate) mod attachment_refused;
pub(crate) mod change;
pub(crate) mod client_message_id;
pub(crate) mod consent;
pub(crate) mod correlation;
pub(crate) mod download;
pub(crate) mod email;
pub(crate) mod identity;
mod image;
pub(crate) mod image_type;
pub(crate) mod message;
pub(crate) mod other;
pub(crate) mod proposal;
pub(crate) mod rate;
pub(crate) mod read_state;
pub(crate) mod report;
pub(crate) mod room;
pub(crate) mod room_id;
pub(crate) mod search;
pub(crate) mod tag;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod user;

pub use self::attachment::{
    ALT_TEXT_MAX_BYTES, AltText, Attachment, AttachmentKey, DOWNLOAD_URL_LIFETIME, ImageFacts, SignedUrl,
    StoredObject, UPLOAD_KEPT_FOR, UPLOAD_SHOWN_WITHIN, UPLOAD_URL_LIFETIME,
};
pub use self::attachment_refused::{
    AttachmentRefused, IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE, IMAGE_PIXELS_FREE,
    IMAGE_PIXELS_PER_BYTE,
};
pub use self::change::{
    Change, ChangeAction, ChangeDraft, ChangeRefused, Changed, EMOJI_MAX_BYTES, Effect, Emoji, EmojiError,
    REACTIONS_MAX, Reactions, ReactionsError,
};
pub use self::client_message_id::{ClientMessageId, ClientMessageIdError};
pub use self::consent::{
    Consent, ConsentChange, ConsentWrite, FirstContact, FirstContactError, REQUEST_MESSAGES_MAX,
};
pub use self::correlation::Correlation;
pub use self::download::BYTES_OF_A_REQUEST;
pub use self::email::{EMAIL_MAX_BYTES, Email, EmailError};
pub use self::identity::{
    AccessToken, CONNECTION_LIFETIME, CONNECTION_SETTLED_AFTER, Connection, ConnectionId, UserId,
    VerifiedIdentity,
};
pub use self::image_type::{ImageType, SIGNATURE_BYTES};
pub use self::message::{Content, Draft, Kind, Message, PREVIEW_MAX_CHARS};
pub use self::other::{
    KIND_LABEL_MAX_BYTES, KindError, KindLabel, OWN_BODY_MAX_BYTES, OWN_KIND_PREFIX, OWN_PREVIEW_MAX_BYTES,
    OtherContent, OwnKindError,
};
pub use self::proposal::{
    IN_DOUBT_FOR, NOTE_MAX_BYTES, Note, OPEN_PROPOSALS_MAX, OpenProposal, Proposal, ProposalAnswer,
    ProposalRefused, TEAM_NAME_MAX_BYTES, TeamName, VENUE_MAX_BYTES, Venue, Verdict, VerdictError,
};
pub use self::rate::{Bucket, RequestRate, SendPolicy, SendRate};
pub use self::read_state::{ReadMark, ReadState};
pub use self::report::{
    REPORT_MESSAGES_MAX, REPORT_REASON_MAX_BYTES, Report, ReportId, ReportIdError, ReportReason,
    ReportedTimes, ReportedTimesError,
};
pub use self::room::{
    Append, AppendRefused, CorruptRoom, LastMessage, RECENT_MAX, Recall, Recent, Room, RoomLog,
    UnblockInDoubt,
};
pub use self::room_id::{Activity, ActivityError, Member, PerMember, RoomId, RoomIdError};
pub use self::search::{SEARCH_QUERY_MAX_CHARS, SearchQuery, SearchQueryError};
pub use self::tag::Tag;
pub use self::text::{BoundedText, MESSAGE_TEXT_MAX_BYTES, MessageText, TextError};
pub use self::timestamp::{Day, Timestamp, TimestampError};
pub use self::user::{AccessChange, DailyLimits, DailyUsage, Erasure, HourlyRequests, NotAdmitted, User};
