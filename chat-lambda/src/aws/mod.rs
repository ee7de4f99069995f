//! What the four binaries are composed of: each reads its configuration, makes the adapters it needs, warms
//! what they call, and runs.

mod clients;
mod config;
pub mod logs;
pub mod metrics;
mod pusher;
mod run;
pub mod warm;

pub use clients::Clients;
pub use config::{
    CognitoConfig, ConnectConfig, DisconnectConfig, EnvironmentError, FromEnvironment, HistoryConfig,
    SendConfig,
};
pub use pusher::{PUSH_WITHIN, WatchedPusher};
pub use run::{ANSWER_WITHIN, StartError, invoke, run, start};
