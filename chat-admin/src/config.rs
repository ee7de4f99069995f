use std::path::PathBuf;

use chat_domain::{Email, FirstContact, ReportId, UserId};
use clap::{Parser, Subcommand};

/// Suspends users, and exports and erases what the chat holds of them.
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
    /// The table of users.
    #[arg(long, env = "USERS_TABLE", default_value = "playground-users", global = true)]
    pub users_table: String,
    /// The bucket of images; needed without `--data`.
    #[arg(long, env = "ATTACHMENTS_BUCKET", global = true)]
    pub attachments_bucket: Option<String>,
    /// The `https` URL of the WebSocket API's stage, through which sockets are closed; needed for that
    /// without `--data`.
    #[arg(long, env = "WEBSOCKET_CALLBACK_URL", global = true)]
    pub callback_url: Option<String>,
    /// How a conversation begins, as the functions are told: an export shows what the user was shown.
    #[arg(long, env = "FIRST_CONTACT", default_value = "request", global = true)]
    pub first_contact: FirstContact,
    /// What to do with users, their data or their reports.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with users, their data or their reports.
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
    /// Lists what people have reported, as JSON; with `--remove`, removes a report first.
    Reports {
        /// The id of a report that is dealt with.
        #[arg(long)]
        remove: Option<ReportId>,
    },
    /// Refuses a user from now on, and ends their connections.
    Suspend {
        /// The address of the user.
        #[arg(long)]
        email: Email,
    },
    /// Admits a suspended user again.
    Resume {
        /// The address of the user.
        #[arg(long)]
        email: Email,
    },
    /// Ends a user's connections. Who still has a good token may connect again.
    Disconnect {
        /// The address of the user.
        #[arg(long)]
        email: Email,
    },
    /// Takes an address from the account that it belongs to, and ends its connections. It belongs to the next
    /// account that comes with it, or to the one that `--to` names.
    Release {
        /// The address that is released.
        #[arg(long)]
        email: Email,
        /// The account that it belongs to from now on: its `sub` in the user pool.
        #[arg(long, value_parser = |sub: &str| Ok::<_, std::convert::Infallible>(UserId::new(sub)))]
        to: Option<UserId>,
    },
    /// Erases again what a restored backup has brought back: the data of everybody who was erased and has not
    /// used their address since.
    ReplayErasures,
    /// Makes the rows of messages say all that the heads of their rooms know, for programs that look at the
    /// newest rows, or at `read`, in the table. The chat may go on meanwhile.
    Settle,
    /// Says what the chat keeps of a user; with `--confirm`, erases it, looks again, and writes a receipt.
    Erase {
        /// The address of the user.
        #[arg(long)]
        email: Email,
        /// Erases; without it nothing is changed.
        #[arg(long)]
        confirm: bool,
    },
}
