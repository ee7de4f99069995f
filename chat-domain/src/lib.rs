#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod error;
mod model;
mod ports;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod use_cases;

pub use error::{ChatError, InDoubt};

pub use model::attachment::{
    ALT_TEXT_MAX_BYTES, AltText, Attachment, AttachmentKey, DOWNLOAD_URL_LIFETIME, ImageFacts, SignedUrl,
    StoredObject, UPLOAD_KEPT_FOR, UPLOAD_SHOWN_WITHIN, UPLOAD_URL_LIFETIME,
};
pub use model::attachment_refused::{AttachmentRefused, IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE};
pub use model::client_message_id::{ClientMessageId, ClientMessageIdError};
pub use model::correlation::Correlation;
pub use model::email::{EMAIL_MAX_BYTES, Email, EmailError};
pub use model::identity::{
    AccessToken, CONNECTION_LIFETIME, CONNECTION_SETTLED_AFTER, Connection, ConnectionId, UserId,
    VerifiedIdentity,
};
pub use model::image_type::{ImageType, SIGNATURE_BYTES};
pub use model::message::{Content, Draft, Kind, KindError, Message, PREVIEW_MAX_CHARS};
pub use model::proposal::{
    IN_DOUBT_FOR, NOTE_MAX_BYTES, Note, OPEN_PROPOSALS_MAX, OpenProposal, PLACE_MAX_BYTES, Place, Proposal,
    ProposalAnswer, ProposalRefused, TEAM_NAME_MAX_BYTES, TeamName, Verdict, VerdictError,
};
pub use model::rate::{Bucket, SendRate};
pub use model::room::{
    Append, AppendRefused, CorruptRoom, NewestMessage, RECENT_MAX, ReadMark, ReadState, Recall, Recent, Room,
    RoomLog,
};
pub use model::room_id::{Activity, ActivityError, Member, PerMember, RoomId, RoomIdError};
pub use model::tag::Tag;
pub use model::text::{BoundedText, MESSAGE_TEXT_MAX_BYTES, MessageText, TextError};
pub use model::timestamp::{Day, Timestamp, TimestampError};
pub use ports::BoxError;
pub use ports::attachment_eraser::{AttachmentEraser, ListedUpload, UploadsPage};
pub use ports::attachment_store::{AttachmentStore, AttachmentStoreError, NoAttachments};
pub use ports::connection_store::{ConnectionStore, ConnectionStoreError};
pub use ports::identity_verifier::{IdentityVerifier, VerifyError};
pub use ports::message_eraser::MessageEraser;
pub use ports::message_store::{
    Advance, Consistency, MessageStore, MessageStoreError, PAGE_MAX, Page, PageLimit, PageLimitError,
    PageQuery, PageRange, ROOMS_PAGE_MAX, RoomsPage,
};
pub use ports::pusher::{Event, Push, PushError, Pusher};
pub use use_cases::backoff::Backoff;
pub use use_cases::connect::{CONNECTIONS_MAX, Connect, ConnectCommand};
pub use use_cases::conversations::{Conversation, Conversations, ConversationsPage};
pub use use_cases::deliver::Deliveries;
pub use use_cases::disconnect::Disconnect;
pub use use_cases::erase::{EraseUser, Found};
pub use use_cases::export::{ExportUser, ExportedRoom, UserData};
pub use use_cases::history::{History, HistoryPage};
pub use use_cases::identify::{Identify, Origin};
pub use use_cases::keep_alive::KeepAlive;
pub use use_cases::mark_read::{MarkRead, Marked};
pub use use_cases::open_attachment::OpenAttachment;
pub use use_cases::reauthenticate::Reauthenticate;
pub use use_cases::request_upload::{RequestUpload, Upload};
pub use use_cases::send::{SendCommand, SendFromConnection, SendMessage, SendOutcome, Sent};
pub use use_cases::store::{StoreMessage, Stored};
pub use use_cases::typing::Typing;

#[cfg(any(test, feature = "mock"))]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub use ports::{
    attachment_eraser::MockAttachmentEraser, attachment_store::MockAttachmentStore,
    connection_store::MockConnectionStore, identity_verifier::MockIdentityVerifier,
    message_eraser::MockMessageEraser, message_store::MockMessageStore, pusher::MockPusher,
};
