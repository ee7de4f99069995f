use std::path::PathBuf;

use chat_domain::Email;
use clap::{Parser, Subcommand};

/// Exports and erases what the chat holds of a user.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// A folder that `chat-local --data` keeps, while it is not running; without it, AWS.
    #[arg(long, env = "CHAT_DATA", global = true)]
    pub data: Option<PathBuf>,
    /// The table of connections.
    #[arg(long, env = "CONNECTIONS_TABLE", default_value = "playground-connections", global = true)]
    pub connections_table: String,
    /// The table of messages.
    #[arg(long, env = "MESSAGES_TABLE", default_value = "playground-messages", global = true)]
    pub messages_table: String,
    /// The table of rooms.
    #[arg(long, env = "ROOMS_TABLE", default_value = "playground-rooms", global = true)]
    pub rooms_table: String,
    /// The bucket of images; needed without `--data`.
    #[arg(long, env = "ATTACHMENTS_BUCKET", global = true)]
    pub attachments_bucket: Option<String>,
    /// What to do with the user's data.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with a user's data.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Writes everything there is of a user to the standard output, as JSON.
    Export {
        /// The address of the user.
        #[arg(long)]
        email: Email,
        /// A folder to save the images in that it names, each in a file named by its key.
        #[arg(long)]
        objects: Option<PathBuf>,
    },
    /// Says what there is of a user; with `--confirm`, erases it, looks again, and writes a receipt.
    Erase {
        /// The address of the user.
        #[arg(long)]
        email: Email,
        /// Erases; without it nothing is changed.
        #[arg(long)]
        confirm: bool,
    },
}
