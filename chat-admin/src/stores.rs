use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use aws_local::{DynamoDb, S3};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use chat_adapters_aws::{
    DynamoClient, DynamoConnectionStore, DynamoMessageStore, S3AttachmentStore, TableNames, create_tables,
};
use chat_domain::BoxError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Config;

/// As chat-local names them in its folder.
const LOCK: &str = "lock";
const DATABASE: &str = "dynamodb.sqlite";
const OBJECTS: &str = "objects";
const BUCKET: &str = "playground-attachments";

/// Where everything is.
pub struct Stores {
    /// Open connections.
    pub connections: Arc<DynamoConnectionStore>,
    /// Rooms and messages.
    pub messages: Arc<DynamoMessageStore>,
    /// Uploaded objects.
    pub attachments: Arc<S3AttachmentStore>,
    _folder: Option<Folder>,
}

/// A folder that nobody else uses meanwhile, and its bucket.
struct Folder {
    _lock: File,
    bucket: JoinHandle<()>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.bucket.abort();
    }
}

/// How AWS is reached.
struct Access {
    region: Region,
    credentials: Credentials,
}

impl Access {
    fn from_environment() -> Result<Self, BoxError> {
        let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name: &str| optional(name).ok_or_else(|| format!("{name} is not set"));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "chat-admin",
        );
        Ok(Self { region: Region::new(required("AWS_REGION")?), credentials })
    }

    fn local() -> Self {
        let credentials = Credentials::new("local", "local", None, None, "chat-admin");
        Self { region: Region::from_static("ap-northeast-2"), credentials }
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
    }

    fn s3(&self) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
    }
}

/// The endpoint of a service that the environment names, as the AWS tools read it.
fn endpoint(service: &str) -> Option<String> {
    let variable = |name: String| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable(format!("AWS_ENDPOINT_URL_{service}")).or_else(|| variable("AWS_ENDPOINT_URL".to_owned()))
}

impl Stores {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// What is missing, or why a folder cannot be used.
    pub async fn open(config: &Config) -> Result<Self, BoxError> {
        let tables = TableNames {
            connections: config.connections_table.clone(),
            messages: config.messages_table.clone(),
            rooms: config.rooms_table.clone(),
        };
        if let Some(folder) = &config.data {
            return Self::in_folder(folder, &tables).await;
        }
        let bucket = config.attachments_bucket.as_deref();
        let bucket = bucket.ok_or("ATTACHMENTS_BUCKET is not set, and --data neither")?;
        let access = Access::from_environment()?;
        let (mut dynamodb, mut s3) = (access.dynamodb(), access.s3());
        if let Some(url) = endpoint("DYNAMODB") {
            dynamodb = dynamodb.endpoint_url(url);
        }
        if let Some(url) = endpoint("S3") {
            s3 = s3.endpoint_url(url).force_path_style(true);
        }
        Ok(Self::over(dynamodb, s3, &tables, bucket, None))
    }

    async fn in_folder(folder: &Path, tables: &TableNames) -> Result<Self, BoxError> {
        let failed = |error: std::io::Error| format!("--data {}: {error}", folder.display());
        let lock = File::options().write(true).open(folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("--data {}: another process uses it", folder.display()).into());
            }
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        let access = Access::local();
        let dynamodb = DynamoDb::in_file(&folder.join(DATABASE))?;
        let dynamodb = access.dynamodb().http_client(dynamodb.http_client());
        let objects = S3::in_folder(&folder.join(OBJECTS), BUCKET, "local", "local", None)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let s3 =
            access.s3().endpoint_url(format!("http://{}", listener.local_addr()?)).force_path_style(true);
        let bucket = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, objects.router()).await;
        });
        let stores = Self::over(dynamodb.clone(), s3, tables, BUCKET, Some(Folder { _lock: lock, bucket }));
        create_tables(&DynamoClient::new(dynamodb), tables).await?;
        Ok(stores)
    }

    fn over(
        dynamodb: aws_sdk_dynamodb::config::Builder,
        s3: aws_sdk_s3::config::Builder,
        tables: &TableNames,
        bucket: &str,
        folder: Option<Folder>,
    ) -> Self {
        let client = DynamoClient::new(dynamodb);
        Self {
            connections: Arc::new(DynamoConnectionStore::new(&client, tables)),
            messages: Arc::new(DynamoMessageStore::new(&client, tables)),
            attachments: Arc::new(S3AttachmentStore::new(s3, bucket)),
            _folder: folder,
        }
    }
}
