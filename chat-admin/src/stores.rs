use std::path::Path;
use std::sync::Arc;

use chat_adapters_aws::{
    AwsAccess, DynamoClient, DynamoConnectionStore, DynamoMessageStore, Endpoints, S3AttachmentStore,
    TableNames, create_tables,
};
use chat_data_folder::{BUCKET, DataFolder, local_access};
use chat_domain::BoxError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Config;

/// The stores of the chat that the configuration names.
pub struct Stores {
    /// Where open connections are kept.
    pub connections: Arc<DynamoConnectionStore>,
    /// Where rooms and messages are kept.
    pub messages: Arc<DynamoMessageStore>,
    /// Where uploaded objects are kept.
    pub attachments: Arc<S3AttachmentStore>,
    _folder: Option<OpenFolder>,
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
        };
        if let Some(folder) = &config.data {
            return Self::in_folder(folder, &tables).await;
        }
        let bucket = config.attachments_bucket.as_deref();
        let bucket = bucket.ok_or("ATTACHMENTS_BUCKET is not set, and --data neither")?;
        let access = AwsAccess::read(|name| std::env::var(name).ok())?;
        let client = DynamoClient::new(access.dynamodb());
        Ok(Self::over(&client, &tables, S3AttachmentStore::new(access.s3(), bucket), None))
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
        Ok(Self::over(&client, tables, attachments, Some(OpenFolder { _folder: folder, bucket })))
    }

    fn over(
        client: &DynamoClient,
        tables: &TableNames,
        attachments: S3AttachmentStore,
        folder: Option<OpenFolder>,
    ) -> Self {
        Self {
            connections: Arc::new(DynamoConnectionStore::new(client, tables)),
            messages: Arc::new(DynamoMessageStore::new(client, tables)),
            attachments: Arc::new(attachments),
            _folder: folder,
        }
    }
}
