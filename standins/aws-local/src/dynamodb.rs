use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::available_parallelism;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use axum::body::Bytes;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::group_commit::GroupCommit;
use crate::wire::{self, Answer, JsonService};

const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// DynamoDB, in memory or in a file. Cheap to clone.
///
/// A write that was answered is in the file, and survives the end of the process and of the machine's power:
/// the file is synchronised before every answer, once for all transactions that wait for it.
#[derive(Clone)]
pub struct DynamoDb {
    database: Database,
    file: Option<File>,
}

/// What a database in a file needs besides: its readers, and commits that share one wait for the disk.
#[derive(Clone)]
struct File {
    path: Arc<str>,
    group_commit: GroupCommit,
    readers: Arc<Readers>,
}

/// Connections of their own to the same file: they do not wait while the engine's waits for the disk, and see
/// what it has committed.
struct Readers {
    connections: RwLock<Vec<Database>>,
    turn: AtomicUsize,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the database does not open: {0}")]
pub struct DynamoDbError(#[source] DynoxideError);

impl DynamoDb {
    /// A database in memory, without tables. It is gone with the last clone.
    ///
    /// # Errors
    /// [`DynamoDbError`] when there is no memory.
    pub fn in_memory() -> Result<Self, DynamoDbError> {
        Database::memory().map(|database| Self { database, file: None }).map_err(DynamoDbError)
    }

    /// The database in this file, with its tables. The file is made if there is none.
    ///
    /// # Errors
    /// [`DynamoDbError`] when the file cannot be opened, or is something else.
    pub fn in_file(path: &Path) -> Result<Self, DynamoDbError> {
        let path = path.to_str().ok_or_else(|| {
            DynamoDbError(DynoxideError::ValidationException("the path is no text".to_owned()))
        })?;
        let database = Database::new(path).map_err(DynamoDbError)?;
        let file = File {
            group_commit: GroupCommit::start(database.clone()),
            readers: Arc::new(Readers::open(path).map_err(DynamoDbError)?),
            path: path.into(),
        };
        Ok(Self { database, file: Some(file) })
    }

    /// For the `http_client` of an SDK in this process.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        wire::http_client(Arc::new(self.clone()))
    }

    /// For everybody else: answers `POST /`. Requests are not authenticated: serve it on a loopback address.
    pub fn router(&self) -> Router {
        wire::router(Arc::new(self.clone()))
    }

    /// The answer to a request, as status and JSON: for tests that put something between an SDK and this.
    pub async fn call(&self, operation: &str, body: Bytes) -> (u16, String) {
        let Answer { status, json } = self.answer(&format!("{TARGET_PREFIX}{operation}"), body).await;
        (status.as_u16(), json)
    }

    fn execute(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let database = &self.database;
        let executed = match operation {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "DeleteTable" => run(body, |request| database.delete_table(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "ListTables" => run(body, |request| database.list_tables(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "UpdateTable" => run(body, |request| database.update_table(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
            _ => Err(DynoxideError::ValidationException(format!("{operation} is not served here"))),
        };
        if let Some(file) = &self.file
            && matches!(operation, "DeleteTable" | "UpdateTable" | "UpdateTimeToLive")
        {
            file.readers.reopen(&file.path)?;
        }
        executed
    }
}

impl Readers {
    fn open(path: &str) -> Result<Self, DynoxideError> {
        Ok(Self { connections: RwLock::new(connections(path)?), turn: AtomicUsize::new(0) })
    }

    /// They remember what a table looks like.
    fn reopen(&self, path: &str) -> Result<(), DynoxideError> {
        *self.connections.write().unwrap_or_else(PoisonError::into_inner) = connections(path)?;
        Ok(())
    }

    fn read(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        let database = &connections[self.turn.fetch_add(1, Ordering::Relaxed) % connections.len()];
        match operation {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "Query" => run(body, |request| database.query(request)),
            _ => run(body, |request| database.scan(request)),
        }
    }
}

fn connections(path: &str) -> Result<Vec<Database>, DynoxideError> {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    (0..threads).map(|_| Database::new(path)).collect()
}

fn run<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError> {
    to_json(&operation(parse(body)?)?)
}

fn parse<Request: DeserializeOwned>(body: &[u8]) -> Result<Request, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn to_json(response: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

#[async_trait]
impl JsonService for DynamoDb {
    fn document(&self, _path: &str) -> Option<String> {
        None
    }

    async fn answer(&self, target: &str, body: Bytes) -> Answer {
        let Some(operation) = target.strip_prefix(TARGET_PREFIX).map(str::to_owned) else {
            return Answer::refusal("com.amazon.coral.service#UnknownOperationException", "");
        };
        let executed = match &self.file {
            Some(file) if operation == "TransactWriteItems" => match parse(&body) {
                Ok(request) => {
                    file.group_commit.commit(request).await.and_then(|response| to_json(&response))
                }
                Err(error) => Err(error),
            },
            // A page at most, and as a rule from memory: another thread would take longer to wake.
            Some(file) if matches!(operation.as_str(), "BatchGetItem" | "GetItem" | "Query" | "Scan") => {
                file.readers.read(&operation, &body)
            }
            _ => {
                let database = self.clone();
                // The engine waits for its lock and for the disk, in the thread that calls it.
                let executed = tokio::task::spawn_blocking(move || database.execute(&operation, &body)).await;
                executed.unwrap_or_else(|panicked| {
                    Err(DynoxideError::InternalServerError(format!("the engine failed: {panicked}")))
                })
            }
        };
        match executed {
            Ok(json) => Answer { status: StatusCode::OK, json },
            Err(error) => Answer {
                status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
                json: error.to_json(),
            },
        }
    }
}

impl std::fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoDb").finish_non_exhaustive()
    }
}
