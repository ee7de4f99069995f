use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chat_domain::{BoxError, DailyLimits, FirstContact, RequestRate, SendRate};
use chat_wire::{OwnKinds, Rates};
use clap::{Parser, ValueEnum};

use crate::chaos::{Chaos, FaultInjector};

/// The whole chat in one process: API Gateway's stand-in, the Lambda functions' code, and a store. For
/// development.
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-local", version)]
pub struct Config {
    /// Where to listen. A loopback address: whoever reaches the server can sign in as anybody.
    #[arg(long, env = "CHAT_LISTEN", default_value = "127.0.0.1:8080", value_parser = loopback)]
    pub listen: SocketAddr,

    /// Where messages are kept.
    #[arg(long, env = "CHAT_STORE", value_enum, default_value_t = Store::Memory)]
    pub store: Store,

    /// A folder that keeps messages and images across restarts.
    #[arg(long, value_name = "DIR", env = "CHAT_DATA")]
    pub data: Option<PathBuf>,

    /// A folder with the Lambda functions `connect/bootstrap`, `disconnect/bootstrap`, `send/bootstrap` and
    /// `history/bootstrap` to run in processes of their own. Anything that speaks the Lambda Runtime API will
    /// do.
    #[arg(long, value_name = "DIR", env = "CHAT_LAMBDA")]
    pub lambda: Option<PathBuf>,

    /// What the names of DynamoDB's tables begin with.
    #[arg(long, env = "CHAT_TABLE_PREFIX", default_value = "playground-")]
    pub table_prefix: String,

    /// A folder with a web page to serve at `/`, instead of the built-in explanation.
    #[arg(long, env = "CHAT_WEB")]
    pub web: Option<PathBuf>,

    /// How many messages one may send to one room at once.
    #[arg(long, env = "SEND_BURST", default_value_t = SendRate::default().burst)]
    pub send_burst: NonZeroU32,

    /// How many more each second.
    #[arg(long, env = "SEND_PER_SECOND", default_value_t = SendRate::default().per_second)]
    pub send_per_second: NonZeroU32,

    /// How many requests of any kind one may make at once: frames on all connections together, and likewise
    /// calls of REST.
    #[arg(long, env = "REQUEST_BURST", default_value_t = RequestRate::default().burst)]
    pub request_burst: NonZeroU32,

    /// How many more each second.
    #[arg(long, env = "REQUESTS_PER_SECOND", default_value_t = RequestRate::default().per_second)]
    pub requests_per_second: NonZeroU32,

    /// How many in an hour, of all kinds together. They are counted in hundreds.
    #[arg(long, env = "REQUESTS_PER_HOUR", default_value_t = RequestRate::default().per_hour)]
    pub requests_per_hour: NonZeroU32,

    /// How many conversations one may begin in a day (UTC).
    #[arg(long, env = "ROOMS_PER_DAY", default_value_t = DailyLimits::default().rooms)]
    pub rooms_per_day: NonZeroU32,

    /// How many bytes of images one may announce in a day (UTC).
    #[arg(long, env = "UPLOAD_BYTES_PER_DAY", default_value_t = DailyLimits::default().upload_bytes)]
    pub upload_bytes_per_day: NonZeroU64,

    /// How many reports one may file in a day (UTC).
    #[arg(long, env = "REPORTS_PER_DAY", default_value_t = DailyLimits::default().reports)]
    pub reports_per_day: NonZeroU32,

    /// How a conversation begins: `request`, until its receiver answers or accepts, or `open`.
    #[arg(long, value_name = "open|request", env = "FIRST_CONTACT", default_value = "request")]
    pub first_contact: FirstContact,

    /// The application's own kinds of messages, which clients may send with any body.
    #[arg(long, value_name = "x-NAME,...", env = "OWN_KINDS", default_value = "")]
    pub own_kinds: OwnKinds,

    /// How many seconds a development login is good for. Cognito's access tokens last an hour.
    #[arg(long, env = "CHAT_LOGIN_SECONDS", default_value_t = 3_600)]
    pub login_seconds: u64,

    /// Misbehaves as AWS does now and then, drawn from this seed: pushes lost, late and doubled, functions
    /// killed, connections cut, a store that throttles. The same seed and the same frames, the same faults.
    /// PROFILE says how often: `calm`, `default` or `storm`, or one kind of fault alone and often: `pushes`,
    /// `connections`, `functions` or `store`.
    #[arg(long, value_name = "SEED[:PROFILE]", env = "CHAT_CHAOS")]
    pub chaos: Option<Chaos>,

    /// A file to write down what went wrong, instead of the terminal.
    #[arg(long, value_name = "FILE", env = "CHAT_CHAOS_LOG", requires = "chaos")]
    pub chaos_log: Option<PathBuf>,
}

/// Where messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// In this process, until it ends; with `--data`, in that folder.
    Memory,
    /// In the DynamoDB that `AWS_ENDPOINT_URL_DYNAMODB` names, with `AWS_REGION`, `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`. Tables that are missing are made.
    Dynamodb,
}

impl Config {
    /// What `--chaos` asks for.
    pub(crate) fn fault_injector(&self) -> Result<Option<Arc<FaultInjector>>, BoxError> {
        let chaos = self.chaos.map(|chaos| FaultInjector::new(chaos, self.chaos_log.as_deref()));
        Ok(chaos.transpose()?.map(Arc::new))
    }

    pub(crate) fn rates(&self) -> Rates {
        Rates {
            messages: SendRate { burst: self.send_burst, per_second: self.send_per_second },
            requests: RequestRate {
                burst: self.request_burst,
                per_second: self.requests_per_second,
                per_hour: self.requests_per_hour,
            },
            daily: DailyLimits {
                rooms: self.rooms_per_day,
                upload_bytes: self.upload_bytes_per_day,
                reports: self.reports_per_day,
            },
        }
    }

    pub(crate) fn login_lifetime(&self) -> Duration {
        Duration::from_secs(self.login_seconds)
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "an address and a port, such as 127.0.0.1:8080".to_owned())?;
    if is_loopback(address.ip()) {
        Ok(address)
    } else {
        Err("not a loopback address: anybody who reaches this server can sign in as anybody".to_owned())
    }
}

pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
