//! The production adapters over stand-ins in this process, or over an endpoint that the environment names.

use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apigw_local::Connections;
use aws_local::{DynamoDb, S3};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use chat_adapters_aws::{
    DynamoClient, DynamoConnectionStore, DynamoMessageStore, S3AttachmentStore, TableNames, create_tables,
};
use chat_adapters_memory::MemoryIdentityVerifier;
use chat_domain::BoxError;
use chat_lambda::JitteredBackoff;
use chat_lambda::functions::{Ports, Settings};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use tower_http::set_header::SetResponseHeaderLayer;

use super::lambda::Lambda;
use super::{Composition, Integrations, Rest};
use crate::chaos::Misfortune;
use crate::config::{Config, Store};
use crate::pusher::LocalPusher;

/// Any region will do: nobody outside this machine hears of it.
pub(super) const REGION: &str = "ap-northeast-2";
/// Where functions find the embedded DynamoDB, below the server's address.
const DYNAMODB_PATH: &str = "/dev/dynamodb";
pub(super) const BUCKET: &str = "playground-attachments";

/// The folder of all that is kept, locked; a temporary one where nothing is to be kept.
pub(crate) struct Data {
    folder: PathBuf,
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl Data {
    fn open(folder: Option<&Path>) -> Result<Self, BoxError> {
        let temporary = if folder.is_none() { Some(tempfile::tempdir()?) } else { None };
        let folder = folder.or(temporary.as_ref().map(tempfile::TempDir::path)).expect("one of the two");
        let failed = |error: std::io::Error| format!("--data {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
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

/// How DynamoDB and S3 are reached, by this process and by functions of their own.
pub(super) struct Access {
    pub(super) region: String,
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    pub(super) dynamodb_endpoint: String,
    pub(super) s3_endpoint: String,
    pub(super) tables: TableNames,
}

impl Access {
    fn credentials(&self) -> Credentials {
        let Self { access_key, secret_key, session_token, .. } = self;
        Credentials::new(access_key, secret_key, session_token.clone(), None, "chat-local")
    }
}

pub(super) async fn compose(
    config: &Config,
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    misfortune: Option<&Arc<Misfortune>>,
) -> Result<Composition, BoxError> {
    let data = Data::open(config.data.as_deref())?;
    let (client, access, mut router, kept) = match config.store {
        Store::Memory => embedded(config, address, &data)?,
        Store::Dynamodb => endpoint(config, address)?,
    };
    create_tables(&client, &access.tables).await?;
    let objects =
        S3::in_folder(&data.folder.join("objects"), BUCKET, &access.access_key, &access.secret_key)?;
    router = router.merge(harmless(objects.router()));

    let mut rest = Rest { data: Some(data), lambda: None };
    let (integrations, issue_token) = match &config.lambda {
        Some(folder) => {
            let (lambda, issue_token, cognito) = Lambda::start(folder, address, config, &access)?;
            router = router.merge(cognito);
            let integrations = lambda.integrations();
            rest.lambda = Some(lambda);
            (integrations, issue_token)
        }
        None => in_process(&client, &access, connections, settings, misfortune),
    };
    Ok(Composition { integrations, issue_token, router, kept, rest })
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
    let access = Access {
        region: REGION.to_owned(),
        access_key: "local".to_owned(),
        secret_key: format!("{:032x}", rand::random::<u128>()),
        session_token: None,
        dynamodb_endpoint: format!("http://{address}{DYNAMODB_PATH}"),
        s3_endpoint: format!("http://{address}"),
        tables: TableNames::with_prefix(&config.table_prefix),
    };
    let sdk = aws_sdk_dynamodb::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(access.region.clone()))
        .credentials_provider(access.credentials())
        .http_client(dynamodb.http_client());
    // Only functions in processes of their own need it over HTTP.
    let router = match config.lambda {
        Some(_) => Router::new().nest_service(DYNAMODB_PATH, dynamodb.router()),
        None => Router::new(),
    };
    Ok((DynamoClient::new(sdk), access, router, kept))
}

/// The endpoint that the environment names.
fn endpoint(config: &Config, address: SocketAddr) -> Result<Database, BoxError> {
    let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let required = |name: &str| optional(name).ok_or_else(|| format!("--store dynamodb: {name} is not set"));
    let access = Access {
        region: required("AWS_REGION")?,
        access_key: required("AWS_ACCESS_KEY_ID")?,
        secret_key: required("AWS_SECRET_ACCESS_KEY")?,
        session_token: optional("AWS_SESSION_TOKEN"),
        dynamodb_endpoint: required("AWS_ENDPOINT_URL_DYNAMODB")?,
        s3_endpoint: format!("http://{address}"),
        tables: TableNames::with_prefix(&config.table_prefix),
    };
    let sdk = aws_sdk_dynamodb::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(access.region.clone()))
        .credentials_provider(access.credentials())
        .endpoint_url(&access.dynamodb_endpoint);
    let kept = format!("in tables {}* at {}", config.table_prefix, access.dynamodb_endpoint);
    Ok((DynamoClient::new(sdk), access, Router::new(), kept))
}

/// The functions' code in this process, over the production stores.
fn in_process(
    client: &DynamoClient,
    access: &Access,
    connections: Connections,
    settings: &Settings,
    misfortune: Option<&Arc<Misfortune>>,
) -> (Integrations, super::IssueToken) {
    let verifier = MemoryIdentityVerifier::new();
    let s3 = aws_sdk_s3::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(access.region.clone()))
        .credentials_provider(access.credentials())
        .endpoint_url(&access.s3_endpoint)
        .force_path_style(true);
    let ports = Ports {
        verifier: Arc::new(verifier.clone()),
        connections: Arc::new(DynamoConnectionStore::new(client, &access.tables)),
        messages: Arc::new(DynamoMessageStore::new(client, &access.tables)),
        pusher: Arc::new(LocalPusher::new(connections)),
        attachments: Arc::new(S3AttachmentStore::new(s3, BUCKET)),
        backoff: Arc::new(JitteredBackoff),
    };
    let issue_token = move |identity| verifier.issue(identity, rand::random());
    (Integrations::in_process(ports, settings, misfortune), Box::new(issue_token))
}
