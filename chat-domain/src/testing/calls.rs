//! The methods of every port, as the decorators are made of them.

use std::borrow::Cow;

use async_trait::async_trait;

use super::decorator::decorator;
use super::{Decorated, Outcome, Port};
use crate::{
    AccessToken, Activity, Advance, Append, AttachmentEraser, AttachmentKey, AttachmentStore,
    AttachmentStoreError, Connection, ConnectionId, ConnectionStore, ConnectionStoreError, ConsentWrite,
    Consistency, Email, IdentityVerifier, ImageFacts, Member, Message, MessageEraser, MessageStore,
    MessageStoreError, Page, PageQuery, Push, PushError, Pusher, ReadMark, Report, ReportId, ReportStore,
    ReportStoreError, ReportsPage, Room, RoomId, RoomsPage, SignedUrl, StoredObject, Timestamp, UploadsPage,
    User, UserStore, UserStoreError, UsersPage, VerifiedIdentity, VerifyError,
};

decorator! {
    IdentityVerifier, IdentityVerifierCall, IdentityVerifierReply, VerifyError, DecoratedIdentityVerifier:
    Verify = verify(&'_ token: AccessToken, now: Timestamp) -> VerifiedIdentity;
}

decorator! {
    ConnectionStore, ConnectionStoreCall, ConnectionStoreReply, ConnectionStoreError,
    DecoratedConnectionStore:
    Put = put(&'_ connection: Connection) -> ();
    Get = get(&'_ id: ConnectionId) -> Option<Connection>;
    OfUser = of_user(&'_ email: Email, now: Timestamp) -> Vec<Connection>;
    SetIdentityExpiry = set_identity_expiry(&'_ id: ConnectionId, expires_at: Timestamp) -> bool;
    Delete = delete(&'_ id: ConnectionId) -> ();
    DeleteIfConnectedBefore = delete_if_connected_before(&'_ id: ConnectionId, instant: Timestamp) -> bool;
}

decorator! {
    MessageStore, MessageStoreCall, MessageStoreReply, MessageStoreError, DecoratedMessageStore:
    Room = room(&'_ id: RoomId, consistency: Consistency) -> Option<Room>;
    RoomForCommit = room_for_commit(&'_ id: RoomId, consistency: Consistency) -> Option<Room>;
    RoomForChange = room_for_change(
        &'_ id: RoomId,
        place: Timestamp,
        consistency: Consistency
    ) -> (Option<Room>, Option<Message>);
    Commit = commit(&'_ append: Append) -> ();
    ApplyChange = apply_change(&'_ append: Append) -> Option<Message>;
    Settle = settle(&'_ message: Message) -> ();
    Page = page(&'_ room: RoomId, query: PageQuery, consistency: Consistency) -> Page;
    MessagesAt =
        messages_at(&'_ room: RoomId, &'_ places: [Timestamp], consistency: Consistency) -> Vec<Message>;
    RoomsOf = rooms_of(&'_ member: Email, after: Option<Activity>) -> RoomsPage;
    AdvanceRead = advance_read(&'_ room: RoomId, reader: Member, mark: ReadMark) -> Advance;
    Clear = clear(&'_ room: RoomId, reader: Member, up_to: Timestamp) -> Option<Timestamp>;
    WriteConsent = write_consent(&'_ room: RoomId, member: Member, write: ConsentWrite) -> bool;
}

decorator! {
    MessageEraser, MessageEraserCall, MessageEraserReply, MessageStoreError, DecoratedMessageEraser:
    EraseMessage = erase_message(&'_ message: Message) -> ();
    EraseReactions = erase_reactions(&'_ message: Message, member: Member) -> ();
    RewriteHead = rewrite_head(&'_ room: Room) -> ();
    ForgetConsent = forget_consent(&'_ room: RoomId, member: Member) -> ();
    RemoveOldest = remove_oldest(&'_ room: Room, &'_ rows: [Timestamp]) -> ();
    RemoveRoom = remove_room(&'_ room: Room, &'_ rows: [Timestamp]) -> ();
}

decorator! {
    Pusher, PusherCall, PusherReply, PushError, DecoratedPusher:
    Push = push(&'_ to: ConnectionId, &'_ push: Push) -> ();
    Close = close(&'_ id: ConnectionId) -> ();
}

decorator! {
    AttachmentStore, AttachmentStoreCall, AttachmentStoreReply, AttachmentStoreError,
    DecoratedAttachmentStore:
    UploadUrl = upload_url(&'_ key: AttachmentKey, facts: ImageFacts, now: Timestamp) -> SignedUrl;
    Inspect = inspect(&'_ key: AttachmentKey) -> Option<StoredObject>;
    Keep = keep(&'_ key: AttachmentKey) -> bool;
    Release = release(&'_ key: AttachmentKey) -> ();
    DownloadUrl = download_url(&'_ key: AttachmentKey, now: Timestamp) -> SignedUrl;
}

decorator! {
    AttachmentEraser, AttachmentEraserCall, AttachmentEraserReply, AttachmentStoreError,
    DecoratedAttachmentEraser:
    List = list(after: Option<AttachmentKey>) -> UploadsPage;
    Delete = delete(&'_ key: AttachmentKey) -> ();
}

decorator! {
    ReportStore, ReportStoreCall, ReportStoreReply, ReportStoreError, DecoratedReportStore:
    File = file(&'_ report: Report) -> bool;
    List = list(after: Option<ReportId>) -> ReportsPage;
    Remove = remove(&'_ id: ReportId) -> ();
}

decorator! {
    UserStore, UserStoreCall, UserStoreReply, UserStoreError, DecoratedUserStore:
    Get = get(&'_ email: Email) -> Option<User>;
    Put = put(&'_ user: User) -> ();
    List = list(after: Option<Email>) -> UsersPage;
}
