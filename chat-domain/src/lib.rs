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

pub use model::*;
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
pub use ports::report_store::{REPORTS_PAGE_MAX, ReportStore, ReportStoreError, ReportsPage};
pub use ports::user_store::{USERS_PAGE_MAX, UserStore, UserStoreError, UsersPage};
pub use use_cases::admit::{ADMITTED_FOR, Admit};
pub use use_cases::backoff::{Backoff, Pause};
pub use use_cases::blocked::{Blocked, BlockedPage, BlockedPeer};
pub use use_cases::change_access::ChangeAccess;
pub use use_cases::change_consent::{ChangeConsent, ConsentChanged};
pub use use_cases::clear::{Clear, Cleared};
pub use use_cases::connect::{Connect, ConnectCommand};
pub use use_cases::conversations::{Conversation, Conversations, ConversationsPage, RequestSide};
pub use use_cases::cut_connections::{Cut, CutConnections};
pub use use_cases::deliver::{CONNECTIONS_MAX, Deliveries, PUSHES_MAX};
pub use use_cases::disconnect::Disconnect;
pub use use_cases::erase::{EraseUser, Found};
pub use use_cases::export::{ExportUser, ExportedRoom, UserData};
pub use use_cases::file_report::{FileReport, ReportCommand, Reported};
pub use use_cases::history::{History, HistoryPage};
pub use use_cases::identify::{FrameOrigin, Identify};
pub use use_cases::keep_alive::KeepAlive;
pub use use_cases::limit_requests::{LimitCalls, LimitFrames};
pub use use_cases::mark_read::{MarkRead, Marked};
pub use use_cases::open_attachment::OpenAttachment;
pub use use_cases::reauthenticate::Reauthenticate;
pub use use_cases::request_upload::{RequestUpload, Upload};
pub use use_cases::search::{Hit, SEARCH_HITS_MAX, SEARCH_PAGES_MAX, Search, SearchPage};
pub use use_cases::send::{ChangeCommand, SendCommand, SendFromConnection, SendMessage, SendOutcome, Sent};
pub use use_cases::store::{StoreMessage, Stored};
pub use use_cases::typing::Typing;

#[cfg(any(test, feature = "mock"))]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub use ports::{
    attachment_eraser::MockAttachmentEraser, attachment_store::MockAttachmentStore,
    connection_store::MockConnectionStore, identity_verifier::MockIdentityVerifier,
    message_eraser::MockMessageEraser, message_store::MockMessageStore, pusher::MockPusher,
    report_store::MockReportStore, user_store::MockUserStore,
};
