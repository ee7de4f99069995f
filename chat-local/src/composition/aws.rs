//! The production adapters over stand-ins in this process, or over an endpoint that the environment names.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apigw_local::Connections;
use aws_local::{DynamoDb, ExpirationRule, S3};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use chat_adapters_aws::{
    DynamoClient, DynamoConnectionStore, DynamoMessageStore, S3AttachmentStore, TableNames, create_tables,
};
use chat_adapters_memory::MemoryIdentityVerifier;
use chat_domain::{BoxError, UPLOAD_KEPT_FOR};
use chat_lambda::JitteredBackoff;
use chat_wire::{Ports, Settings};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use tempfile::TempDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::lambda::Lambda;
use super::{Composition, Integrations, IssueToken, Resources};
use crate::chaos::FaultInjector;
use crate::config::{Config, Store};
use crate::pusher::LocalPusher;

/// Any region will do: nobody outside this machine hears of it.
pub(super) const REGION: &str = "ap-northeast-2";
/// Where functions find the embedded DynamoDB, below the server's address.
const DYNAMODB_PATH: &str = "/dev/dynamodb";
/// The file that says whether a folder is in use.
const LOCK: &str = "lock";
pub(super) const BUCKET: &str = "playground-attachments";

/// What the names of temporary folders begin with.
const TEMPORARY: &str = "chat-local-";
/// How old the lock of a temporary folder has to be before it counts as left behind: a younger one is perhaps not taken yet.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(60);

/// The folder of all that is kept, locked; a temporary one where nothing is to be kept.
pub(crate) struct Data {
    folder: PathBuf,
    _lock: File,
    _temporary: Option<TempDir>,
}

impl Data {
    fn open(folder: Option<&Path>) -> Result<Self, BoxError> {
        let temporary = match folder {
            Some(_) => None,
            None => {
                remove_left_behind();
                Some(tempfile::Builder::new().prefix(TEMPORARY).tempdir()?)
            }
        };
        let folder = folder.or(temporary.as_ref().map(TempDir::path)).expect("one of the two");
        let failed = |error: io::Error| format!("--data {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("--data {}: another process uses it", folder.display()).into());
            }
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock, _temporary: temporary })
    }
}

/// Removes the temporary folders of processes that were killed: nobody holds their locks. What cannot be removed stays.
fn remove_left_behind() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && left_behind(&entry.path()).unwrap_or(false)
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn left_behind(folder: &Path) -> io::Result<bool> {
    let lock = File::open(folder.join(LOCK))?;
    let old = lock.metadata()?.modified()?.elapsed().is_ok_and(|age| age > LEFT_BEHIND_AFTER);
    Ok(old && lock.try_lock().is_ok())
}

/// How DynamoDB and S3 are reached, by this process and by functions of their own.
pub(super) struct Access {
    pub(super) region: String,
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    pub(super) dynamodb_endpoint: String,
}

impl Access {
    /// What the embedded engine does not look at, and the bucket does.
    fn embedded(address: SocketAddr) -> Self {
        Self {
            region: REGION.to_owned(),
            access_key: "local".to_owned(),
            secret_key: format!("{:032x}", rand::random::<u128>()),
            session_token: None,
            dynamodb_endpoint: format!("http://{address}{DYNAMODB_PATH}"),
        }
    }

    fn from_environment() -> Result<Self, BoxError> {
        let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let required =
            |name: &str| optional(name).ok_or_else(|| format!("--store dynamodb: {name} is not set"));
        Ok(Self {
            region: required("AWS_REGION")?,
            access_key: required("AWS_ACCESS_KEY_ID")?,
            secret_key: required("AWS_SECRET_ACCESS_KEY")?,
            session_token: optional("AWS_SESSION_TOKEN"),
            dynamodb_endpoint: required("AWS_ENDPOINT_URL_DYNAMODB")?,
        })
    }

    fn credentials(&self) -> Credentials {
        let Self { access_key, secret_key, session_token, .. } = self;
        Credentials::new(access_key, secret_key, session_token.clone(), None, "chat-local")
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials())
    }

    fn s3(&self, address: SocketAddr) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials())
            .endpoint_url(s3_endpoint(address))
            .force_path_style(true)
    }
}

pub(super) fn s3_endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}

pub(super) async fn compose(
    config: &Config,
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    injector: Option<&Arc<FaultInjector>>,
) -> Result<Composition, BoxError> {
    let data = Data::open(config.data.as_deref())?;
    let (client, access, mut router, kept) = match config.store {
        Store::Memory => embedded(config, address, &data)?,
        Store::Dynamodb => endpoint(config)?,
    };
    let tables = TableNames::with_prefix(&config.table_prefix);
    create_tables(&client, &tables).await?;
    let Access { access_key, secret_key, .. } = &access;
    // As in the template.
    let rule = ExpirationRule { tagging: "chat-upload=pending".to_owned(), after: UPLOAD_KEPT_FOR };
    let objects = S3::in_folder(&data.folder.join("objects"), BUCKET, access_key, secret_key, Some(rule))?;
    router = router.merge(harmless(objects.router()));

    let mut resources = Resources { data: Some(data), lambda: None };
    let (integrations, issue_token) = match &config.lambda {
        Some(folder) => {
            let (lambda, issue_token, cognito) = Lambda::start(folder, address, config, &access, &tables)?;
            router = router.merge(cognito);
            let integrations = lambda.integrations();
            resources.lambda = Some(lambda);
            (integrations, issue_token)
        }
        None => {
            let verifier = MemoryIdentityVerifier::new();
            let ports = Ports {
                verifier: Arc::new(verifier.clone()),
                connections: Arc::new(DynamoConnectionStore::new(&client, &tables)),
                messages: Arc::new(DynamoMessageStore::new(&client, &tables)),
                pusher: Arc::new(LocalPusher::new(connections)),
                attachments: Arc::new(S3AttachmentStore::new(access.s3(address), BUCKET)),
                backoff: Arc::new(JitteredBackoff),
            };
            let issue_token: IssueToken = Box::new(move |identity| verifier.issue(identity, rand::random()));
            (Integrations::in_process(ports, settings, injector), issue_token)
        }
    };
    Ok(Composition { integrations, issue_token, router, kept, resources })
}

/// What people upload is shown, never run.
fn harmless(objects: Router) -> Router {
    let header = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    objects
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
}

type Database = (DynamoClient, Access, Router, String);

/// The embedded engine, in the folder or in memory.
fn embedded(config: &Config, address: SocketAddr, data: &Data) -> Result<Database, BoxError> {
    let (dynamodb, kept) = match &config.data {
        Some(folder) => {
            (DynamoDb::in_file(&data.folder.join("dynamodb.sqlite"))?, format!("in {}", folder.display()))
        }
        None => (DynamoDb::in_memory()?, "in memory, until this stops".to_owned()),
    };
    let access = Access::embedded(address);
    let client = DynamoClient::new(access.dynamodb().http_client(dynamodb.http_client()));
    // Only functions in processes of their own need it over HTTP.
    let router = match config.lambda {
        Some(_) => Router::new().nest_service(DYNAMODB_PATH, dynamodb.router()),
        None => Router::new(),
    };
    Ok((client, access, router, kept))
}

/// The endpoint that the environment names.
fn endpoint(config: &Config) -> Result<Database, BoxError> {
    let access = Access::from_environment()?;
    let client = DynamoClient::new(access.dynamodb().endpoint_url(&access.dynamodb_endpoint));
    let kept = format!("in tables {}* at {}", config.table_prefix, access.dynamodb_endpoint);
    Ok((client, access, Router::new(), kept))
}
