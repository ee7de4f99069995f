use std::num::NonZeroU32;
use std::str::FromStr;

use aws_sdk_dynamodb::config::{Credentials, Region};
use chat_adapters_aws::{AwsAccess, Endpoints, TableNames};
use chat_domain::SendRate;
use http::Uri;

use chat_wire::AllowedOrigins;

/// What is wrong with the environment: all of it, on one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete: {}", problems.join("; "))]
pub struct ConfigError {
    /// One for each variable.
    pub problems: Vec<String>,
}

/// Whose tokens are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CognitoConfig {
    pub(super) issuer: String,
    pub(super) client_ids: Vec<String>,
}

/// What the function behind `$connect` is told.
#[derive(Clone, Debug)]
pub struct ConnectConfig {
    /// How AWS is reached. Lambda sets all of it but the endpoints, which are for stand-ins.
    pub aws: AwsAccess,
    /// `CONNECTIONS_TABLE` names the table of connections, the only one that this function uses.
    pub tables: TableNames,
    /// `WEBSOCKET_CALLBACK_URL` is the URL of the stage through which clients are pushed to.
    pub callback_url: String,
    /// `COGNITO_ISSUER` and `COGNITO_CLIENT_IDS` say whose tokens are good.
    pub cognito: CognitoConfig,
    /// `ALLOWED_ORIGINS` lists the origins whose pages may use the chat; an empty list lets no page.
    pub allowed_origins: AllowedOrigins,
}

/// What the function behind `$disconnect` is told.
#[derive(Clone, Debug)]
pub struct DisconnectConfig {
    /// How AWS is reached.
    pub aws: AwsAccess,
    /// `CONNECTIONS_TABLE` names the table of connections, the only one that this function uses.
    pub tables: TableNames,
}

/// What the function behind every other WebSocket route is told.
#[derive(Clone, Debug)]
pub struct SendConfig {
    /// How AWS is reached.
    pub aws: AwsAccess,
    /// `CONNECTIONS_TABLE`, `MESSAGES_TABLE` and `ROOMS_TABLE` name the three tables.
    pub tables: TableNames,
    /// `ATTACHMENTS_BUCKET` names the S3 bucket that images are uploaded to.
    pub attachments_bucket: String,
    /// `WEBSOCKET_CALLBACK_URL` is the URL of the stage through which clients are pushed to.
    pub callback_url: String,
    /// `COGNITO_ISSUER` and `COGNITO_CLIENT_IDS` say whose tokens are good.
    pub cognito: CognitoConfig,
    /// `SEND_BURST` and `SEND_PER_SECOND` are numbers of messages; without them, the rate is the default one.
    pub rate: SendRate,
}

/// What the function behind every REST route is told.
#[derive(Clone, Debug)]
pub struct HistoryConfig {
    /// What it shares with the function that sends: a proposal is sent.
    pub send: SendConfig,
    /// `ALLOWED_ORIGINS` lists the origins whose pages may use the chat; an empty list lets no page.
    pub allowed_origins: AllowedOrigins,
}

/// A configuration that is read from the environment.
pub trait FromEnvironment: Sized {
    /// Reads it, given how a variable is looked up.
    ///
    /// # Errors
    /// [`ConfigError`] names every variable that is missing or malformed.
    fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables { get, problems: Vec::new() };
        let config = Self::from_variables(&mut variables);
        match variables.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError { problems }),
        }
    }

    /// Reads it from the environment of this process.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    #[doc(hidden)]
    fn from_variables(variables: &mut Variables<'_>) -> Self;
}

impl FromEnvironment for ConnectConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self {
            aws: variables.aws(),
            tables: variables.connections_table(),
            callback_url: variables.callback_url(),
            cognito: variables.cognito(),
            allowed_origins: variables.allowed_origins(),
        }
    }
}

impl FromEnvironment for DisconnectConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self { aws: variables.aws(), tables: variables.connections_table() }
    }
}

impl FromEnvironment for SendConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self {
            aws: variables.aws(),
            tables: TableNames {
                messages: variables.required("MESSAGES_TABLE"),
                rooms: variables.required("ROOMS_TABLE"),
                ..variables.connections_table()
            },
            attachments_bucket: variables.required("ATTACHMENTS_BUCKET"),
            callback_url: variables.callback_url(),
            cognito: variables.cognito(),
            rate: variables.rate(),
        }
    }
}

impl FromEnvironment for HistoryConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self { send: SendConfig::from_variables(variables), allowed_origins: variables.allowed_origins() }
    }
}

/// The environment while it is read. What is wrong is collected, and what takes its place never gets out.
#[doc(hidden)]
pub struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Variables<'_> {
    /// A variable that may be missing; an empty one is.
    fn optional(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        let value = self.optional(name);
        value.unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// A required variable that has to be `what`.
    fn checked(&mut self, name: &str, what: &str, holds: impl FnOnce(&str) -> bool) -> String {
        let value = self.required(name);
        if !value.is_empty() && !holds(&value) {
            self.problems.push(format!("{name} has to be {what}"));
        }
        value
    }

    fn parsed_or<T: FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        match self.optional(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problems.push(format!("{name} has to be {what}"));
                default
            }
        }
    }

    fn aws(&mut self) -> AwsAccess {
        // The runtime's client cannot do without these, and says so by panicking.
        for name in [
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        ] {
            self.required(name);
        }
        let region = Region::new(self.required("AWS_REGION"));
        let (id, secret) = (self.required("AWS_ACCESS_KEY_ID"), self.required("AWS_SECRET_ACCESS_KEY"));
        // Good for as long as Lambda keeps this process: a function without SnapStart gets new ones with a
        // new process.
        let credentials = Credentials::new(id, secret, self.optional("AWS_SESSION_TOKEN"), None, "Lambda");
        let mut endpoint = |service: &str| {
            let name = ["AWS_ENDPOINT_URL_", service].concat();
            let name = if self.optional(&name).is_some() { name } else { "AWS_ENDPOINT_URL".to_owned() };
            self.optional(&name)?;
            Some(self.checked(&name, HTTP_URL, is_http_url))
        };
        let endpoints = Endpoints {
            dynamodb: endpoint("DYNAMODB"),
            s3: endpoint("S3"),
            cognito: endpoint("COGNITO_IDENTITY_PROVIDER"),
        };
        AwsAccess { region, credentials, endpoints }
    }

    fn connections_table(&mut self) -> TableNames {
        TableNames { connections: self.required("CONNECTIONS_TABLE"), ..TableNames::default() }
    }

    fn callback_url(&mut self) -> String {
        self.checked("WEBSOCKET_CALLBACK_URL", HTTP_URL, is_http_url)
    }

    fn cognito(&mut self) -> CognitoConfig {
        let what = "https://cognito-idp.<region>.amazonaws.com/<pool>, and a pool <region>_<id>";
        let issuer = self.checked("COGNITO_ISSUER", what, |issuer| {
            is_http_url(issuer) && region_of_pool(issuer).is_some()
        });
        let client_ids =
            self.checked("COGNITO_CLIENT_IDS", "a list of app clients", |ids| listed(ids).count() > 0);
        CognitoConfig { issuer, client_ids: listed(&client_ids).collect() }
    }

    /// Set, but possibly to nothing: then no page may use the chat.
    fn allowed_origins(&mut self) -> AllowedOrigins {
        const NAME: &str = "ALLOWED_ORIGINS";
        let origins = (self.get)(NAME);
        if origins.is_none() {
            self.problems.push(format!("{NAME} is missing"));
        }
        let origins: Vec<_> = listed(&origins.unwrap_or_default()).collect();
        if !origins.iter().all(|origin| is_origin(origin)) {
            self.problems
                .push(format!("{NAME} has to be a list of origins, such as https://chat.example.com"));
        }
        AllowedOrigins::new(origins)
    }

    fn rate(&mut self) -> SendRate {
        const WHAT: &str = "a whole number, and not zero";
        let SendRate { burst, per_second } = SendRate::default();
        SendRate {
            burst: self.parsed_or::<NonZeroU32>("SEND_BURST", burst, WHAT),
            per_second: self.parsed_or::<NonZeroU32>("SEND_PER_SECOND", per_second, WHAT),
        }
    }
}

const HTTP_URL: &str = "a URL that begins with https:// or http://";

fn is_http_url(text: &str) -> bool {
    let uri: Option<Uri> = text.parse().ok();
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some())
}

/// As a browser writes it: a scheme and a host, and nothing behind them.
fn is_origin(text: &str) -> bool {
    is_http_url(text) && !text.ends_with('/') && text.matches('/').count() == 2
}

/// A pool's name begins with its region: `ap-northeast-2_Example`.
pub(super) fn region_of_pool(issuer: &str) -> Option<&str> {
    let (region, id) = issuer.rsplit_once('/')?.1.split_once('_')?;
    (!region.is_empty() && !id.is_empty()).then_some(region)
}

fn listed(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned)
}
