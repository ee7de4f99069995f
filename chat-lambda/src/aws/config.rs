use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_dynamodb::config::{Credentials, Region};
use chat_adapters_aws::{AwsAccess, CloudFrontSigner, Endpoints, REPORT_KEPT_FOR, TableNames};
use chat_domain::{DailyLimits, FirstContact, RequestRate, SendRate};
use http::Uri;

use chat_wire::{AllowedOrigins, OwnKinds, Rates, UserTags};

/// What is wrong with the environment: all of it, on one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete: {}", problems.join("; "))]
pub struct EnvironmentError {
    /// One for each variable.
    pub problems: Vec<String>,
}

/// Whose tokens are good: the user pool, and the clients of it that may sign people in for this chat.
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
    /// `CONNECTIONS_TABLE` and `USERS_TABLE` name the tables that this function uses.
    pub tables: TableNames,
    /// `WEBSOCKET_CALLBACK_URL` is the URL of the stage through which clients are pushed to.
    pub callback_url: String,
    /// `COGNITO_ISSUER` and `COGNITO_CLIENT_IDS` say whose tokens are good.
    pub cognito: CognitoConfig,
    /// `ALLOWED_ORIGINS` lists the origins whose pages may use the chat; an empty list lets no page.
    pub allowed_origins: AllowedOrigins,
    /// `LOG_TAG_KEY` is the key of the tags that users are called by in logs; without it, no user is named.
    pub user_tags: UserTags,
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
    /// `CONNECTIONS_TABLE`, `MESSAGES_TABLE`, `ROOMS_TABLE` and `USERS_TABLE` name the four tables.
    pub tables: TableNames,
    /// `ATTACHMENTS_BUCKET` names the S3 bucket that images are uploaded to.
    pub attachments_bucket: String,
    /// `WEBSOCKET_CALLBACK_URL` is the URL of the stage through which clients are pushed to.
    pub callback_url: String,
    /// `COGNITO_ISSUER` and `COGNITO_CLIENT_IDS` say whose tokens are good.
    pub cognito: CognitoConfig,
    /// `SEND_BURST` and `SEND_PER_SECOND` are numbers of messages, `REQUEST_BURST`, `REQUESTS_PER_SECOND` and
    /// `REQUESTS_PER_HOUR` of requests, `ROOMS_PER_DAY`, `UPLOAD_BYTES_PER_DAY` and `REPORTS_PER_DAY` what
    /// they say; without them, the rates are the default ones.
    pub rates: Rates,
    /// `REPORT_DAYS` says for how many days reports are kept; without it, for [`REPORT_KEPT_FOR`].
    pub reports_kept_for: Duration,
    /// `FIRST_CONTACT` is `open` or `request`; without it, it is `request`.
    pub first_contact: FirstContact,
    /// `LOG_TAG_KEY` is the key of the tags that users are called by in logs; without it, no user is named.
    pub user_tags: UserTags,
    /// `OWN_KINDS` lists the application's own kinds of messages, such as `x-order,x-ticket`; without it,
    /// there are none.
    pub own_kinds: OwnKinds,
}

/// What the function behind every REST route is told.
#[derive(Clone, Debug)]
pub struct HistoryConfig {
    /// What it shares with the function that sends: a proposal is sent.
    pub send: SendConfig,
    /// `IMAGES_DOMAIN`, `IMAGES_KEY_ID` and `IMAGES_PRIVATE_KEY` say through which CloudFront distribution
    /// images are opened, and with which key its URLs are signed; without all three, images are opened in
    /// the bucket.
    pub downloads: Option<CloudFrontSigner>,
    /// `ALLOWED_ORIGINS` lists the origins whose pages may use the chat; an empty list lets no page.
    pub allowed_origins: AllowedOrigins,
}

/// A configuration that is read from the environment. `main` reads its own, once, and nothing else reads the
/// environment.
pub trait FromEnvironment: Sized {
    /// Reads it, given how a variable is looked up.
    ///
    /// # Errors
    /// [`EnvironmentError`] names every variable that is missing or malformed.
    fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let mut variables = Variables { get, problems: Vec::new() };
        let config = Self::from_variables(&mut variables);
        match variables.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(EnvironmentError { problems }),
        }
    }

    /// Reads it from the environment of this process.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn from_env() -> Result<Self, EnvironmentError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    #[doc(hidden)]
    fn from_variables(variables: &mut Variables<'_>) -> Self;
}

impl FromEnvironment for ConnectConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self {
            aws: variables.aws(),
            tables: variables.tables_of_connections_and_users(),
            callback_url: variables.callback_url(),
            cognito: variables.cognito(),
            allowed_origins: variables.allowed_origins(),
            user_tags: variables.user_tags(),
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
                ..variables.tables_of_connections_and_users()
            },
            attachments_bucket: variables.required("ATTACHMENTS_BUCKET"),
            callback_url: variables.callback_url(),
            cognito: variables.cognito(),
            rates: variables.rates(),
            reports_kept_for: variables.reports_kept_for(),
            first_contact: variables.first_contact(),
            user_tags: variables.user_tags(),
            own_kinds: variables.own_kinds(),
        }
    }
}

impl FromEnvironment for HistoryConfig {
    fn from_variables(variables: &mut Variables<'_>) -> Self {
        Self {
            send: SendConfig::from_variables(variables),
            downloads: variables.downloads(),
            allowed_origins: variables.allowed_origins(),
        }
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
        // These credentials are good for as long as Lambda keeps this process: without SnapStart, new ones
        // come with a new process.
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

    fn tables_of_connections_and_users(&mut self) -> TableNames {
        TableNames { users: self.required("USERS_TABLE"), ..self.connections_table() }
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

    /// The variable has to be set. If it is empty, no page may use the chat.
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

    fn downloads(&mut self) -> Option<CloudFrontSigner> {
        const KEY: &str = "IMAGES_PRIVATE_KEY";
        if ["IMAGES_DOMAIN", "IMAGES_KEY_ID", KEY].iter().all(|name| self.optional(name).is_none()) {
            return None;
        }
        let (domain, key_id) = (self.required("IMAGES_DOMAIN"), self.required("IMAGES_KEY_ID"));
        let key = self.required(KEY);
        let signer = CloudFrontSigner::new(domain, key_id, &key).ok();
        if signer.is_none() && !key.is_empty() {
            self.problems.push(format!("{KEY} has to be a private P-256 key in PKCS #8, DER in base64"));
        }
        signer
    }

    fn user_tags(&self) -> UserTags {
        UserTags::keyed(&self.optional("LOG_TAG_KEY").unwrap_or_default())
    }

    fn own_kinds(&mut self) -> OwnKinds {
        self.parsed_or("OWN_KINDS", OwnKinds::default(), "names that begin with x-, separated by commas")
    }

    fn first_contact(&mut self) -> FirstContact {
        self.parsed_or("FIRST_CONTACT", FirstContact::default(), "open or request")
    }

    fn reports_kept_for(&mut self) -> Duration {
        const NAME: &str = "REPORT_DAYS";
        const DAY: Duration = Duration::from_secs(86_400);
        match self.optional(NAME) {
            None => REPORT_KEPT_FOR,
            Some(_) => DAY * self.parsed_or(NAME, NonZeroU32::MIN, NUMBER).get(),
        }
    }

    fn rates(&mut self) -> Rates {
        let Rates { messages, requests, daily } = Rates::default();
        let upload_bytes = self.parsed_or("UPLOAD_BYTES_PER_DAY", daily.upload_bytes, NUMBER);
        let mut number = |name, default| self.parsed_or::<NonZeroU32>(name, default, NUMBER);
        Rates {
            messages: SendRate {
                burst: number("SEND_BURST", messages.burst),
                per_second: number("SEND_PER_SECOND", messages.per_second),
            },
            requests: RequestRate {
                burst: number("REQUEST_BURST", requests.burst),
                per_second: number("REQUESTS_PER_SECOND", requests.per_second),
                per_hour: number("REQUESTS_PER_HOUR", requests.per_hour),
            },
            daily: DailyLimits {
                rooms: number("ROOMS_PER_DAY", daily.rooms),
                upload_bytes,
                reports: number("REPORTS_PER_DAY", daily.reports),
            },
        }
    }
}

const NUMBER: &str = "a whole number, and not zero";
const HTTP_URL: &str = "a URL that begins with https:// or http://";

fn is_http_url(text: &str) -> bool {
    let uri: Option<Uri> = text.parse().ok();
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some())
}

/// Whether this is an origin as a browser writes it: a scheme and a host, and nothing behind them.
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
