use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::{Region, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use chat_adapters_aws::{
    ApiGatewayPusher, AwsAccess, CognitoVerifier, DynamoClient, DynamoConnectionStore, DynamoMessageStore,
    DynamoReportStore, DynamoUserStore, PoolKeys, RememberingVerifier, S3AttachmentStore,
};

use super::config::{CognitoConfig, SendConfig, region_of_pool};
use super::pusher::WatchedPusher;
use chat_wire::frames::encode;
use chat_wire::{JitteredBackoff, Ports};

/// How long a connection may lie idle and still be used. DynamoDB closes one after a minute, S3 after twenty
/// seconds; a process that is frozen by then does not notice, and the next write would go nowhere: a push, or
/// the row of somebody who connects.
const IDLE_MAX: Duration = Duration::from_secs(45);
const IDLE_MAX_S3: Duration = Duration::from_secs(15);

/// The adapters of one process. They share one HTTP client, and so its pool of connections and the
/// certificates it trusts, which take a while to read.
pub struct Clients<'a> {
    access: &'a AwsAccess,
    http: SharedHttpClient,
}

fn http(idle_max: Duration) -> SharedHttpClient {
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    Builder::new().tls_provider(tls).pool_idle_timeout(idle_max).build_https()
}

impl<'a> Clients<'a> {
    /// Makes what they share.
    #[must_use]
    pub fn new(access: &'a AwsAccess) -> Self {
        Self { access, http: http(IDLE_MAX) }
    }

    /// A client of DynamoDB, which all stores of a function share.
    #[must_use]
    pub fn dynamodb(&self) -> DynamoClient {
        DynamoClient::new(self.access.dynamodb().http_client(self.http.clone()))
    }

    /// A pusher to the stage at this URL.
    #[must_use]
    pub fn pusher(&self, callback_url: &str) -> WatchedPusher<ApiGatewayPusher> {
        let config = self.access.api_gateway(callback_url).http_client(self.http.clone());
        WatchedPusher::new(ApiGatewayPusher::new(config, encode))
    }

    /// A verifier of tokens of this pool and these clients.
    #[must_use]
    pub fn verifier(&self, cognito: &CognitoConfig) -> RememberingVerifier<CognitoVerifier> {
        let CognitoConfig { issuer, client_ids } = cognito;
        // The pool may be in another region than the function.
        let region = region_of_pool(issuer).map(|region| Region::new(region.to_owned()));
        let region = region.unwrap_or_else(|| self.access.region.clone());
        let config = self.access.cognito().region(region).http_client(self.http.clone());
        let keys = match &self.access.endpoints.cognito {
            None => PoolKeys::new(self.http.clone(), issuer),
            Some(endpoint) => PoolKeys::at_endpoint(self.http.clone(), issuer, endpoint),
        };
        RememberingVerifier::new(CognitoVerifier::new(config, keys, client_ids))
    }

    /// Every port, for the functions behind the frames and behind REST.
    #[must_use]
    pub fn ports(&self, config: &SendConfig) -> Ports {
        let dynamodb = self.dynamodb();
        Ports {
            verifier: Arc::new(self.verifier(&config.cognito)),
            users: Arc::new(DynamoUserStore::new(&dynamodb, &config.tables)),
            connections: Arc::new(DynamoConnectionStore::new(&dynamodb, &config.tables)),
            messages: Arc::new(DynamoMessageStore::new(&dynamodb, &config.tables)),
            pusher: Arc::new(self.pusher(&config.callback_url)),
            attachments: Arc::new(self.attachments(&config.attachments_bucket)),
            reports: Arc::new(
                DynamoReportStore::new(&dynamodb, &config.tables).kept_for(config.reports_kept_for),
            ),
            backoff: Arc::new(JitteredBackoff::new(tokio::time::sleep)),
        }
    }

    /// The images in this bucket.
    #[must_use]
    pub fn attachments(&self, bucket: &str) -> S3AttachmentStore {
        S3AttachmentStore::new(self.access.s3().http_client(http(IDLE_MAX_S3)), bucket)
    }
}
