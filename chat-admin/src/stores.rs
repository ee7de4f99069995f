use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::{
    ApiGatewayPusher, AwsAccess, DynamoClient, DynamoConnectionStore, DynamoMessageStore, DynamoReportStore,
    DynamoUserStore, Endpoints, S3AttachmentStore, TableNames, create_tables,
};
use chat_data_folder::{BUCKET, DataFolder, local_access};
use chat_domain::{BoxError, ConnectionId, Push, PushError, Pusher};
use chat_wire::frames::encode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Config;

/// How long to wait until the list of connections shows what was stored before. DynamoDB's indexes take less
/// than a second.
const INDEX_LAG: Duration = Duration::from_secs(5);

/// The stores of the chat that the configuration names.
pub struct Stores {
    /// Where rows of users are kept.
    pub users: Arc<DynamoUserStore>,
    /// Where open connections are kept.
    pub connections: Arc<DynamoConnectionStore>,
    /// Where rooms and messages are kept.
    pub messages: Arc<DynamoMessageStore>,
    /// Where reports are kept.
    pub reports: Arc<DynamoReportStore>,
    /// Where uploaded objects are kept.
    pub attachments: Arc<S3AttachmentStore>,
    /// What closes sockets, if the configuration says where they are.
    pub pusher: Option<Arc<dyn Pusher>>,
    /// How far the list of connections may lag behind.
    pub index_lag: Duration,
    _folder: Option<OpenFolder>,
}

/// The sockets of a folder that no process uses: there are none.
struct NoSockets;

#[async_trait]
impl Pusher for NoSockets {
    async fn push(&self, _: &ConnectionId, _: &Push) -> Result<(), PushError> {
        Err(PushError::Gone)
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PushError> {
        Err(PushError::Gone)
    }
}

/// A folder that nobody else uses meanwhile, and the server of its bucket.
struct OpenFolder {
    _folder: DataFolder,
    bucket: JoinHandle<()>,
}

impl Drop for OpenFolder {
    fn drop(&mut self) {
        self.bucket.abort();
    }
}

impl Stores {
    /// Opens the stores: in a folder, or on AWS as the environment says.
    ///
    /// # Errors
    /// What is missing, or why a folder cannot be used.
    pub async fn open(config: &Config) -> Result<Self, BoxError> {
        let tables = TableNames {
            connections: config.connections_table.clone(),
            messages: config.messages_table.clone(),
            rooms: config.rooms_table.clone(),
            users: config.users_table.clone(),
        };
        if let Some(folder) = &config.data {
            return Self::in_folder(folder, &tables).await;
        }
        let bucket = config.attachments_bucket.as_deref();
        let bucket = bucket.ok_or("ATTACHMENTS_BUCKET is not set, and --data neither")?;
        let access = AwsAccess::read(|name| std::env::var(name).ok())?;
        let client = DynamoClient::new(access.dynamodb());
        let pusher = config.callback_url.as_deref().map(|url| -> Arc<dyn Pusher> {
            Arc::new(ApiGatewayPusher::new(access.api_gateway(url), encode))
        });
        let attachments = S3AttachmentStore::new(access.s3(), bucket);
        Ok(Self { pusher, ..Self::over(&client, &tables, attachments, None) })
    }

    async fn in_folder(folder: &Path, tables: &TableNames) -> Result<Self, BoxError> {
        let folder = DataFolder::open(folder).map_err(|error| format!("--data {error}"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let s3 = Some(format!("http://{}", listener.local_addr()?));
        let access = local_access("local".to_owned(), Endpoints { s3, ..Endpoints::default() });
        let objects = folder.bucket_without_expiration(&access)?.router();
        let bucket = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, objects).await;
        });
        let client = DynamoClient::new(access.dynamodb().http_client(folder.dynamodb()?.http_client()));
        create_tables(&client, tables).await?;
        let attachments = S3AttachmentStore::new(access.s3(), BUCKET);
        let folder = Some(OpenFolder { _folder: folder, bucket });
        let stores = Self::over(&client, tables, attachments, folder);
        Ok(Self { pusher: Some(Arc::new(NoSockets)), index_lag: Duration::ZERO, ..stores })
    }

    fn over(
        client: &DynamoClient,
        tables: &TableNames,
        attachments: S3AttachmentStore,
        folder: Option<OpenFolder>,
    ) -> Self {
        Self {
            users: Arc::new(DynamoUserStore::new(client, tables)),
            connections: Arc::new(DynamoConnectionStore::new(client, tables)),
            messages: Arc::new(DynamoMessageStore::new(client, tables)),
            reports: Arc::new(DynamoReportStore::new(client, tables)),
            attachments: Arc::new(attachments),
            pusher: None,
            index_lag: INDEX_LAG,
            _folder: folder,
        }
    }
}
