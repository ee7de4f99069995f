use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use chat_adapters_aws::{
    ApiGatewayPusher, CognitoVerifier, DynamoClient, DynamoConnectionStore, DynamoMessageStore,
    RememberingVerifier, S3AttachmentStore,
};

use super::config::{AwsConfig, CognitoConfig, SendConfig, region_of_pool};
use super::pusher::WatchedPusher;
use crate::JitteredBackoff;
use chat_wire::Ports;
use chat_wire::frames::encode;

/// How long a connection may lie idle and still be used. DynamoDB closes one after a minute, S3 after twenty seconds; a process
/// that is frozen by then does not notice, and the next write would go nowhere: a push, or the row of somebody who connects.
const IDLE_MAX: Duration = Duration::from_secs(45);
const IDLE_MAX_S3: Duration = Duration::from_secs(15);

/// The adapters of one process. They share one HTTP client, and so its pool of connections and the certificates it trusts, which
/// take a while to read.
pub struct Clients<'a> {
    config: &'a AwsConfig,
    http: SharedHttpClient,
}

fn http(idle_max: Duration) -> SharedHttpClient {
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    Builder::new().tls_provider(tls).pool_idle_timeout(idle_max).build_https()
}

/// The configuration that all SDKs have in common; each has a type of its own for it.
macro_rules! sdk_config {
    ($sdk:ident, $clients:expr, $region:expr, $endpoint:expr) => {{
        let mut config = $sdk::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client($clients.http.clone())
            .credentials_provider($clients.config.credentials.clone())
            .region($region);
        config.set_endpoint_url($endpoint);
        config
    }};
}

impl<'a> Clients<'a> {
    /// Makes what they share.
    #[must_use]
    pub fn new(config: &'a AwsConfig) -> Self {
        Self { config, http: http(IDLE_MAX) }
    }

    /// A client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> DynamoClient {
        let AwsConfig { region, dynamodb_endpoint, .. } = self.config;
        DynamoClient::new(sdk_config!(aws_sdk_dynamodb, self, region.clone(), dynamodb_endpoint.clone()))
    }

    /// A pusher to the stage at this URL.
    #[must_use]
    pub fn pusher(&self, callback_url: &str) -> WatchedPusher<ApiGatewayPusher> {
        let (region, endpoint) = (self.config.region.clone(), Some(callback_url.to_owned()));
        let config = sdk_config!(aws_sdk_apigatewaymanagement, self, region, endpoint);
        WatchedPusher::new(ApiGatewayPusher::new(config, encode))
    }

    /// A verifier of tokens of this pool and these clients.
    #[must_use]
    pub fn verifier(&self, cognito: &CognitoConfig) -> RememberingVerifier<CognitoVerifier> {
        let CognitoConfig { issuer, client_ids } = cognito;
        // The pool may be in another region than the function.
        let region = region_of_pool(issuer)
            .map_or_else(|| self.config.region.clone(), |region| Region::new(region.to_owned()));
        let endpoint = self.config.cognito_endpoint.clone();
        let config = sdk_config!(aws_sdk_cognitoidentityprovider, self, region, endpoint);
        RememberingVerifier::new(CognitoVerifier::new(config, issuer, client_ids))
    }

    /// Every port, for a function that needs them all.
    #[must_use]
    pub fn ports(&self, config: &SendConfig) -> Ports {
        let dynamodb = self.dynamodb();
        Ports {
            verifier: Arc::new(self.verifier(&config.cognito)),
            connections: Arc::new(DynamoConnectionStore::new(&dynamodb, &config.tables)),
            messages: Arc::new(DynamoMessageStore::new(&dynamodb, &config.tables)),
            pusher: Arc::new(self.pusher(&config.callback_url)),
            attachments: Arc::new(self.attachments(&config.attachments_bucket)),
            backoff: Arc::new(JitteredBackoff),
        }
    }

    /// The images in this bucket.
    #[must_use]
    pub fn attachments(&self, bucket: &str) -> S3AttachmentStore {
        let AwsConfig { region, s3_endpoint, .. } = self.config;
        let config = sdk_config!(aws_sdk_s3, self, region.clone(), s3_endpoint.clone())
            .http_client(http(IDLE_MAX_S3))
            // A stand-in has no host name for each bucket.
            .force_path_style(s3_endpoint.is_some());
        S3AttachmentStore::new(config, bucket)
    }
}
