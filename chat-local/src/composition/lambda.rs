//! The functions as processes of their own, as Lambda runs them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apigw_local::{IntegrationError, RestIntegration, WebSocketIntegration, web_socket_event_json};
use async_trait::async_trait;
use aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use aws_local::Cognito;
use axum::Router;
use chat_adapters_aws::{AwsAccess, TableNames};
use chat_data_folder::{BUCKET, REGION};
use chat_domain::{AccessToken, BoxError};
use lambda_local::{Function, FunctionConfig, InvokeError};

use crate::address::{STAGE, origins};
use crate::config::Config;
use crate::integrations::Integrations;
use crate::login::IssueToken;

/// Where functions find Cognito, below the server's address.
const COGNITO_PATH: &str = "/dev/cognito";
const CLIENT_ID: &str = "chat-local";
/// As in the template.
const TIMEOUT: Duration = Duration::from_secs(29);
/// More processes than that take turns on one machine's few cores.
const INSTANCES_MAX: usize = 32;

/// The chat's four functions, each run from the program that was built for Lambda.
pub(crate) struct Lambda {
    connect: Arc<Function>,
    disconnect: Arc<Function>,
    send: Arc<Function>,
    history: Arc<Function>,
}

impl Lambda {
    /// Functions from `folder/<name>/bootstrap`; what makes tokens that they accept; and the Cognito that
    /// they ask.
    pub(super) fn start(
        folder: &Path,
        address: SocketAddr,
        config: &Config,
        access: &AwsAccess,
        tables: &TableNames,
    ) -> Result<(Self, IssueToken, Router), BoxError> {
        let cognito = Cognito::new(SystemTime::now);
        let issuer = format!("https://cognito-idp.{REGION}.amazonaws.com/{REGION}_Local");
        let pool = cognito.create_pool(&issuer);
        let environment = environment(address, config, access, tables, issuer);
        let function = |name: &str| {
            let program = folder.join(name).join("bootstrap");
            let mut function = FunctionConfig::new(format!("playground-chat-{name}"), program);
            function.environment = environment.clone();
            function.region = access.region.to_string();
            function.timeout = TIMEOUT;
            function.instances_max = INSTANCES_MAX;
            Function::new(function).map(Arc::new).map_err(|error| format!("--lambda: {error}"))
        };
        let lambda = Self {
            connect: function("connect")?,
            disconnect: function("disconnect")?,
            send: function("send")?,
            history: function("history")?,
        };
        let issue_token: IssueToken = Box::new(move |identity| {
            let sub = identity.user_id().as_str();
            pool.sign_up(sub, &[("email", identity.email().as_str()), ("email_verified", "true")]);
            AccessToken::new(pool.access_token(sub, CLIENT_ID, identity.expires_at().unix_ms() / 1_000))
        });
        Ok((lambda, issue_token, Router::new().nest_service(COGNITO_PATH, cognito.router())))
    }

    pub(super) fn integrations(&self) -> Integrations {
        Integrations {
            connect: Arc::new(Invoke(self.connect.clone())),
            disconnect: Arc::new(Invoke(self.disconnect.clone())),
            send: Arc::new(Invoke(self.send.clone())),
            history: Arc::new(Invoke(self.history.clone())),
        }
    }

    /// Ends all their processes.
    pub(super) async fn shutdown(&self) {
        for function in [&self.connect, &self.disconnect, &self.send, &self.history] {
            function.shutdown().await;
        }
    }
}

/// What the template tells the functions, and where the stand-ins are.
fn environment(
    address: SocketAddr,
    config: &Config,
    access: &AwsAccess,
    tables: &TableNames,
    issuer: String,
) -> Vec<(String, String)> {
    let AwsAccess { credentials, endpoints, .. } = access;
    let endpoint = |of: &Option<String>| of.clone().unwrap_or_default();
    let variables = [
        ("ALLOWED_ORIGINS", origins(address).collect::<Vec<_>>().join(",")),
        ("ATTACHMENTS_BUCKET", BUCKET.to_owned()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key().to_owned()),
        ("AWS_SESSION_TOKEN", credentials.session_token().unwrap_or_default().to_owned()),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", format!("http://{address}{COGNITO_PATH}")),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint(&endpoints.dynamodb)),
        ("AWS_ENDPOINT_URL_S3", endpoint(&endpoints.s3)),
        ("COGNITO_CLIENT_IDS", CLIENT_ID.to_owned()),
        ("COGNITO_ISSUER", issuer),
        ("CONNECTIONS_TABLE", tables.connections.clone()),
        ("FIRST_CONTACT", config.first_contact.as_str().to_owned()),
        ("MESSAGES_TABLE", tables.messages.clone()),
        ("OWN_KINDS", config.own_kinds.to_string()),
        ("ROOMS_TABLE", tables.rooms.clone()),
        ("REQUESTS_PER_SECOND", config.requests_per_second.to_string()),
        ("REPORTS_PER_DAY", config.reports_per_day.to_string()),
        ("REQUESTS_PER_HOUR", config.requests_per_hour.to_string()),
        ("REQUEST_BURST", config.request_burst.to_string()),
        ("ROOMS_PER_DAY", config.rooms_per_day.to_string()),
        ("SEND_BURST", config.send_burst.to_string()),
        ("SEND_PER_SECOND", config.send_per_second.to_string()),
        ("UPLOAD_BYTES_PER_DAY", config.upload_bytes_per_day.to_string()),
        ("USERS_TABLE", tables.users.clone()),
        ("WEBSOCKET_CALLBACK_URL", format!("http://{address}/{STAGE}")),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A function that the gateway invokes.
struct Invoke(Arc<Function>);

impl Invoke {
    async fn invoke(&self, payload: Vec<u8>) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        match self.0.invoke(payload.into()).await {
            Ok(invocation) => serde_json::from_slice(&invocation.payload).map_err(IntegrationError::crashed),
            Err(InvokeError::TimedOut { .. }) => Err(IntegrationError::TimedOut),
            Err(error) => Err(IntegrationError::crashed(error)),
        }
    }
}

#[async_trait]
impl WebSocketIntegration for Invoke {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        self.invoke(web_socket_event_json(&event)).await
    }
}

#[async_trait]
impl RestIntegration for Invoke {
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        self.invoke(serde_json::to_vec(&event).map_err(IntegrationError::crashed)?).await
    }
}
