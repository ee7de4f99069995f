#![doc = include_str!("../README.md")]

mod config;
mod objects;
mod report;
mod stores;

use std::path::PathBuf;

use chat_domain::{BoxError, ChatError, EraseUser, ExportUser};

pub use config::{Command, Config};
pub use stores::Stores;

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The stores cannot be reached.
    #[error("{0}")]
    Stores(BoxError),
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
    Chat(ChatError),
    /// Something was left, or came back while it was erased.
    #[error("not everything is erased; run it again. {0}")]
    Remains(String),
}

/// An error and what is behind it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Does what the command says, and reports in JSON.
///
/// # Errors
/// [`AdminError`].
pub async fn run(config: &Config) -> Result<String, AdminError> {
    let stores = Stores::open(config).await.map_err(AdminError::Stores)?;
    let Stores { connections, messages, attachments, .. } = &stores;
    match &config.command {
        Command::Export { email, objects } => {
            let export = ExportUser::new(connections.clone(), messages.clone(), attachments.clone());
            let data = export.execute(email).await.map_err(AdminError::Chat)?;
            let saved = match objects {
                Some(folder) => Some(objects::save(&data, &**attachments, folder).await?),
                None => None,
            };
            Ok(report::export(email, &data, saved))
        }
        Command::Erase { email, confirm } => {
            let erase =
                EraseUser::new(connections.clone(), messages.clone(), messages.clone(), attachments.clone());
            let found = erase.find(email).await.map_err(AdminError::Chat)?;
            if !confirm {
                return Ok(report::dry_run(email, found));
            }
            let removed = erase.execute(email).await.map_err(AdminError::Chat)?;
            let remaining = erase.find(email).await.map_err(AdminError::Chat)?;
            let receipt = report::receipt(email, found, removed, remaining);
            if remaining.is_nothing() { Ok(receipt) } else { Err(AdminError::Remains(receipt)) }
        }
    }
}
