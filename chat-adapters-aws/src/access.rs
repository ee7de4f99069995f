use std::fmt;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

/// How AWS is reached: in which region, as whom, and at which endpoints if not at AWS's own.
///
/// It makes the configuration of each SDK, to be given to [`DynamoClient`](crate::DynamoClient) and the other
/// adapters.
///
/// ```
/// use chat_adapters_aws::{AwsAccess, DynamoClient};
///
/// // In a program: `AwsAccess::read(|name| std::env::var(name).ok())`.
/// let access = AwsAccess::read(|name| match name {
///     "AWS_REGION" => Some("ap-northeast-2".to_owned()),
///     "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("example".to_owned()),
///     "AWS_ENDPOINT_URL_DYNAMODB" => Some("http://127.0.0.1:8000".to_owned()),
///     _ => None,
/// })?;
/// assert_eq!(access.endpoints.s3, None);
/// let client = DynamoClient::new(access.dynamodb());
/// # Ok::<(), chat_adapters_aws::MissingVariable>(())
/// ```
#[derive(Clone)]
pub struct AwsAccess {
    /// The region of the tables, the bucket and the API.
    pub region: Region,
    /// The key that calls are signed with.
    pub credentials: Credentials,
    /// The endpoints of stand-ins.
    pub endpoints: Endpoints,
}

/// Where services are that are not at AWS: `None` is AWS's own endpoint in the region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The endpoint of DynamoDB, from `AWS_ENDPOINT_URL_DYNAMODB`.
    pub dynamodb: Option<String>,
    /// The endpoint of S3, from `AWS_ENDPOINT_URL_S3`.
    pub s3: Option<String>,
    /// The endpoint of Cognito, from `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
    pub cognito: Option<String>,
}

/// A variable that says how AWS is reached is not set, or is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not set")]
pub struct MissingVariable(
    /// The name of the variable.
    pub &'static str,
);

/// The part of a configuration that all SDKs have in common; each has a type of its own for it.
macro_rules! sdk_config {
    ($sdk:ident, $access:expr, $endpoint:expr) => {{
        let mut config = $sdk::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider($access.credentials.clone())
            .region($access.region.clone());
        config.set_endpoint_url($endpoint.clone());
        config
    }};
}

impl AwsAccess {
    /// Reads the variables that the AWS tools read, given how a variable is looked up: `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and the endpoints as
    /// [`Endpoints::read`] does. An empty one is not set.
    ///
    /// # Errors
    /// [`MissingVariable`] names the first one that is needed and not set.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariable> {
        let optional = |name: &str| get(name).filter(|value| !value.is_empty());
        let required = |name| optional(name).ok_or(MissingVariable(name));
        let region = Region::new(required("AWS_REGION")?);
        let (id, secret) = (required("AWS_ACCESS_KEY_ID")?, required("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(id, secret, optional("AWS_SESSION_TOKEN"), None, "environment");
        Ok(Self { region, credentials, endpoints: Endpoints::read(get) })
    }

    /// The configuration of DynamoDB's SDK, for [`DynamoClient::new`](crate::DynamoClient::new).
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        sdk_config!(aws_sdk_dynamodb, self, &self.endpoints.dynamodb)
    }

    /// The configuration of S3's SDK, for [`S3AttachmentStore::new`](crate::S3AttachmentStore::new).
    #[cfg(feature = "s3")]
    #[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::config::Builder {
        // A stand-in has no host name for each bucket.
        sdk_config!(aws_sdk_s3, self, &self.endpoints.s3).force_path_style(self.endpoints.s3.is_some())
    }

    /// The configuration of Cognito's SDK. A pool may be in another region.
    #[cfg(feature = "cognito")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cognito")))]
    #[must_use]
    pub fn cognito(&self) -> aws_sdk_cognitoidentityprovider::config::Builder {
        sdk_config!(aws_sdk_cognitoidentityprovider, self, &self.endpoints.cognito)
    }

    /// The configuration of the SDK that pushes through the WebSocket stage at `callback_url`.
    #[cfg(feature = "api-gateway")]
    #[cfg_attr(docsrs, doc(cfg(feature = "api-gateway")))]
    #[must_use]
    pub fn api_gateway(&self, callback_url: &str) -> aws_sdk_apigatewaymanagement::config::Builder {
        sdk_config!(aws_sdk_apigatewaymanagement, self, &Some(callback_url.to_owned()))
    }
}

impl Endpoints {
    /// Reads `AWS_ENDPOINT_URL_<SERVICE>`, or `AWS_ENDPOINT_URL` for a service without one of its own. An
    /// empty one is not set.
    #[must_use]
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let optional = |name: &str| get(name).filter(|value| !value.is_empty());
        let endpoint = |name: &str| optional(name).or_else(|| optional("AWS_ENDPOINT_URL"));
        Self {
            dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            s3: endpoint("AWS_ENDPOINT_URL_S3"),
            cognito: endpoint("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"),
        }
    }
}

/// Leaves the credentials out, since it ends in logs.
impl fmt::Debug for AwsAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, endpoints, .. } = self;
        f.debug_struct("AwsAccess")
            .field("region", region)
            .field("endpoints", endpoints)
            .finish_non_exhaustive()
    }
}
