use std::sync::Arc;

use futures_util::future::try_join_all;

use super::identify::{FrameOrigin, Identify};
use super::users::change_user;
use crate::{
    ChatError, Consistency, DailyLimits, Email, Message, MessageStore, PageLimit, PageQuery, PageRange,
    Report, ReportReason, ReportStore, ReportedTimes, RoomId, Timestamp, UserStore,
};

/// What a member reports, for [`FileReport::execute`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportCommand {
    /// The other member of the conversation.
    pub peer: Email,
    /// Which messages are reported.
    pub times: ReportedTimes,
    /// Why, if the member says so.
    pub reason: Option<ReportReason>,
}

/// A report that is kept: the material of the answer to who filed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The room of the reported messages.
    pub room: RoomId,
    /// Whether it was not kept before.
    pub is_new: bool,
}

/// Reports messages to whoever runs the chat. The messages are kept with the report as they are now, whatever
/// becomes of them and of the two members.
///
/// # Example: a message
///
/// ```
/// use std::sync::Arc;
/// use chat_adapters_memory::{MemoryChat, MemoryReportStore};
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// chat.say(&junho, &minji, "사기꾼".parse()?, now).await?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let reports = Arc::new(MemoryReportStore::new());
/// let limits = DailyLimits::default();
/// let file = FileReport::new(chat.identify, chat.messages, reports.clone(), chat.users, limits);
/// let times = ReportedTimes::new([now])?;
/// file.execute(&phone, ReportCommand { peer: junho, times, reason: None }).await?;
/// assert_eq!(reports.list(None).await?.reports[0].messages[0].content.text(), "사기꾼");
/// # Ok(())
/// # }
/// ```
pub struct FileReport {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    reports: Arc<dyn ReportStore>,
    users: Arc<dyn UserStore>,
    limits: DailyLimits,
}

impl FileReport {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        messages: Arc<dyn MessageStore>,
        reports: Arc<dyn ReportStore>,
        users: Arc<dyn UserStore>,
        limits: DailyLimits,
    ) -> Self {
        Self { identify, messages, reports, users, limits }
    }

    /// Keeps a report of the user who is on the connection.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat); [`NotFound`](ChatError::NotFound) when one of the messages is not
    /// there, or says nothing any more: then nothing is kept.
    /// [`RateLimited`](ChatError::RateLimited) when the user has filed enough today.
    /// [`UnknownConnection`](ChatError::UnknownConnection), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Unavailable`](ChatError::Unavailable). All may be repeated.
    pub async fn execute(&self, origin: &FrameOrigin, command: ReportCommand) -> Result<Reported, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let user = connection.identity.email();
        let (room, reporter) = RoomId::between(user, &command.peer)?;
        let messages = try_join_all(command.times.iter().map(|at| self.message(&room, at))).await?;
        // It counts before it is kept, as a room does. A report that is filed again counts again.
        change_user(&*self.users, user, |row| {
            let counted = row.file_report(self.limits, origin.now);
            counted.map(Some).map_err(|retry_after| ChatError::RateLimited { retry_after })
        })
        .await?;
        let report =
            Report { room: room.clone(), reporter, reason: command.reason, messages, at: origin.now };
        let is_new = self.reports.file(&report).await?;
        Ok(Reported { room, is_new })
    }

    async fn message(&self, room: &RoomId, at: Timestamp) -> Result<Message, ChatError> {
        let query = PageQuery { range: PageRange::Before(at.next()), limit: PageLimit::ONE };
        let page = self.messages.page(room, query, Consistency::Strong).await?;
        let found = page.messages.into_iter().find(|message| message.at == at);
        found.filter(|message| !message.is_final()).ok_or(ChatError::NotFound)
    }
}
