//! The production adapters over stand-ins in this process, or over an endpoint that the environment names.

use std::net::SocketAddr;
use std::sync::Arc;

use apigw_local::Connections;
use aws_local::DynamoDb;
use axum::Router;
use chat_adapters_aws::{
    AwsAccess, DynamoClient, DynamoConnectionStore, DynamoMessageStore, DynamoReportStore, DynamoUserStore,
    Endpoints, MissingVariable, S3AttachmentStore, TableNames, create_tables,
};
use chat_adapters_memory::MemoryIdentityVerifier;
use chat_data_folder::{BUCKET, DataFolder, local_access};
use chat_domain::BoxError;
use chat_wire::{JitteredBackoff, Ports, Settings};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use tower_http::set_header::SetResponseHeaderLayer;

use super::lambda::Lambda;
use super::parts::{Composition, Resources};
use crate::chaos::FaultInjector;
use crate::config::{Config, Store};
use crate::integrations::Integrations;
use crate::login::IssueToken;
use crate::pusher::LocalPusher;

/// Where functions find the embedded DynamoDB, below the server's address.
const DYNAMODB_PATH: &str = "/dev/dynamodb";

pub(super) async fn compose(
    config: &Config,
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    injector: Option<&Arc<FaultInjector>>,
) -> Result<Composition, BoxError> {
    let data = match &config.data {
        Some(folder) => DataFolder::create(folder).map_err(|error| format!("--data {error}"))?,
        None => DataFolder::temporary()?,
    };
    let (client, access, mut router, kept) = match config.store {
        Store::Memory => embedded(config, address, &data)?,
        Store::Dynamodb => endpoint(config, address)?,
    };
    let tables = TableNames::with_prefix(&config.table_prefix);
    create_tables(&client, &tables).await?;
    router = router.merge(harmless(data.bucket(&access)?.router()));

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
                users: Arc::new(DynamoUserStore::new(&client, &tables)),
                connections: Arc::new(DynamoConnectionStore::new(&client, &tables)),
                messages: Arc::new(DynamoMessageStore::new(&client, &tables)),
                pusher: Arc::new(LocalPusher::new(connections)),
                attachments: Arc::new(S3AttachmentStore::new(access.s3(), BUCKET)),
                reports: Arc::new(DynamoReportStore::new(&client, &tables)),
                backoff: Arc::new(JitteredBackoff::new(tokio::time::sleep)),
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

type Database = (DynamoClient, AwsAccess, Router, String);

/// The embedded engine, in the folder or in memory.
fn embedded(config: &Config, address: SocketAddr, data: &DataFolder) -> Result<Database, BoxError> {
    let (dynamodb, kept) = match &config.data {
        Some(folder) => (data.dynamodb()?, format!("in {}", folder.display())),
        None => (DynamoDb::in_memory()?, "in memory, until this stops".to_owned()),
    };
    let endpoints = Endpoints {
        dynamodb: Some(format!("http://{address}{DYNAMODB_PATH}")),
        s3: Some(format!("http://{address}")),
        cognito: None,
    };
    // The bucket checks who signed, and the functions sign with the same key.
    let access = local_access(format!("{:032x}", rand::random::<u128>()), endpoints);
    let client = DynamoClient::new(access.dynamodb().http_client(dynamodb.http_client()));
    // Only functions in processes of their own need it over HTTP.
    let router = match config.lambda {
        Some(_) => Router::new().nest_service(DYNAMODB_PATH, dynamodb.router()),
        None => Router::new(),
    };
    Ok((client, access, router, kept))
}

/// The endpoint that the environment names. Images stay in a folder of this machine all the same.
fn endpoint(config: &Config, address: SocketAddr) -> Result<Database, BoxError> {
    let named = |name: &str| std::env::var(name).ok();
    let missing = |missing: MissingVariable| format!("--store dynamodb: {missing}");
    let mut access = AwsAccess::read(named).map_err(missing)?;
    let at = named("AWS_ENDPOINT_URL_DYNAMODB").filter(|url| !url.is_empty());
    let at = at.ok_or_else(|| missing(MissingVariable("AWS_ENDPOINT_URL_DYNAMODB")))?;
    access.endpoints.s3 = Some(format!("http://{address}"));
    let client = DynamoClient::new(access.dynamodb());
    let kept = format!("in tables {}* at {at}", config.table_prefix);
    Ok((client, access, Router::new(), kept))
}
