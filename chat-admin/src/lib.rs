#![doc = include_str!("../README.md")]

mod config;
mod objects;
mod operate;
mod report;
mod stores;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chat_domain::{
    AccessChange, BoxError, ChatError, Email, EraseUser, ExportUser, Pause, Report, ReportStore, Timestamp,
};

pub use config::{Command, Config};
pub use stores::Stores;

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The stores cannot be reached.
    #[error("{0}")]
    Stores(BoxError),
    /// Nobody has said where the sockets are.
    #[error("WEBSOCKET_CALLBACK_URL is not set, and --data neither; nothing was changed")]
    NoCallbackUrl,
    /// The clock of this machine shows no date that can be written.
    #[error("this machine's clock is wrong")]
    Clock,
    /// An image cannot be saved.
    #[error("--objects {}: {source}", folder.display())]
    Objects {
        /// The folder that `--objects` names.
        folder: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A store failed midway. Repeating goes on with what is left.
    #[error("{}; some of it may be done: run it again", chain(.0))]
    Chat(#[from] ChatError),
    /// Something was left, or came back while it was erased.
    #[error("not everything is erased; run it again. {0}")]
    Remains(String),
}

/// An error and what is behind it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

async fn all_reports(store: &dyn ReportStore) -> Result<Vec<Report>, ChatError> {
    let (mut reports, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(after).await?;
        reports.extend(page.reports);
        after = page.next;
        if after.is_none() {
            return Ok(reports);
        }
    }
}

fn now() -> Result<Timestamp, AdminError> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let unix_ms = since_1970.and_then(|since| i64::try_from(since.as_millis()).ok());
    unix_ms.and_then(|unix_ms| Timestamp::from_unix_ms(unix_ms).ok()).ok_or(AdminError::Clock)
}

/// Does what the command says, and reports in JSON.
///
/// # Errors
/// [`AdminError`].
pub async fn run(config: &Config) -> Result<String, AdminError> {
    run_with(config, Arc::new(Sleep)).await
}

/// The same with another way to wait: for tests, in which nothing else goes on.
///
/// # Errors
/// [`AdminError`].
pub async fn run_with(config: &Config, pause: Arc<dyn Pause>) -> Result<String, AdminError> {
    let stores = Stores::open(config).await.map_err(AdminError::Stores)?;
    match &config.command {
        Command::Export { email, objects } => export(&stores, config, email, objects.as_ref()).await,
        Command::Reports { remove } => {
            if let Some(id) = remove {
                stores.reports.remove(id).await.map_err(ChatError::from)?;
            }
            Ok(report::reports(&all_reports(&*stores.reports).await?))
        }
        Command::Suspend { email } => {
            operate::change_and_cut(&stores, "suspend", email, &AccessChange::Suspend).await
        }
        Command::Resume { email } => operate::resume(&stores, email).await,
        Command::Disconnect { email } => operate::disconnect(&stores, email).await,
        Command::Release { email, to } => {
            let change = AccessChange::Release { to: to.clone() };
            operate::change_and_cut(&stores, "release", email, &change).await
        }
        Command::ReplayErasures => operate::replay_erasures(&stores, pause).await,
        Command::Settle => {
            let settled = stores.messages.settle_all().await.map_err(ChatError::from)?;
            Ok(report::settled(settled))
        }
        Command::Erase { email, confirm } => {
            let erase = eraser(&stores, pause);
            let found = erase.find(email).await?;
            if !confirm {
                return Ok(report::dry_run(email, found));
            }
            let removed = erase.execute(email, now()?).await?;
            let remaining = erase.find(email).await?;
            let receipt = report::receipt(email, found, removed, remaining);
            if remaining.is_nothing() { Ok(receipt) } else { Err(AdminError::Remains(receipt)) }
        }
    }
}

fn eraser(stores: &Stores, pause: Arc<dyn Pause>) -> EraseUser {
    let Stores { users, connections, messages, attachments, .. } = stores;
    let (users, connections) = (users.clone(), connections.clone());
    EraseUser::new(users, connections, messages.clone(), messages.clone(), attachments.clone(), pause)
}

async fn export(
    stores: &Stores,
    config: &Config,
    email: &Email,
    objects: Option<&PathBuf>,
) -> Result<String, AdminError> {
    let Stores { users, connections, messages, attachments, reports, .. } = stores;
    let (users, connections, messages) = (users.clone(), connections.clone(), messages.clone());
    let export = ExportUser::new(users, connections, messages, attachments.clone(), config.first_contact);
    let data = export.execute(email).await?;
    let saved = match objects {
        Some(folder) => Some(objects::save(&data, &**attachments, folder).await?),
        None => None,
    };
    let mut reports = all_reports(&**reports).await?;
    reports.retain(|report| report.room.email(report.reporter) == email);
    Ok(report::export(email, &data, &reports, saved))
}

/// Waits on tokio's clock.
struct Sleep;

#[async_trait]
impl Pause for Sleep {
    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
