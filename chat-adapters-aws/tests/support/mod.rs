//! Tables of a test's own: in an engine of its own in this process, or at the endpoint in
//! `CHAT_TEST_DYNAMODB_ENDPOINT`.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_local::DynamoDb;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use chat_adapters_aws::{DynamoClient, TableNames, create_tables};

/// The variable that names another engine.
pub(crate) const ENDPOINT: &str = "CHAT_TEST_DYNAMODB_ENDPOINT";

/// Tables, and how to reach them.
pub(crate) struct Tables {
    pub(crate) config: Builder,
    pub(crate) names: TableNames,
}

impl Tables {
    /// Empty tables. They are gone when the runtime of the test ends.
    pub(crate) async fn fresh() -> Self {
        let (config, names) = match std::env::var(ENDPOINT) {
            Ok(endpoint) => {
                let names = unique_names();
                remove_at_the_end(endpoint.clone(), names.clone());
                (config().endpoint_url(endpoint), names)
            }
            Err(_) => {
                let engine = DynamoDb::in_memory().expect("an engine in memory");
                (config().http_client(engine.http_client()), TableNames::default())
            }
        };
        let tables = Self { config, names };
        create_tables(&tables.client(), &tables.names).await.expect("the engine creates tables");
        tables
    }

    /// A client of its own, as a process of its own has it.
    pub(crate) fn client(&self) -> DynamoClient {
        DynamoClient::new(self.config.clone())
    }
}

fn config() -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(Credentials::for_tests())
}

fn unique_names() -> TableNames {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("1970 is over");
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    TableNames::with_prefix(&format!("test-{}-{}-{number}-", now.as_micros(), std::process::id()))
}

/// Hands the tables to a task that never ends, and so is dropped with the runtime, whether the test passed or
/// not.
fn remove_at_the_end(endpoint: String, tables: TableNames) {
    struct Remove(String, TableNames);

    impl Drop for Remove {
        fn drop(&mut self) {
            let Self(endpoint, tables) = self;
            let remove = async {
                // A client of its own: the test's may hold connections of the runtime that is ending.
                let client = Client::from_conf(config().endpoint_url(endpoint.as_str()).build());
                for table in tables.schemas().map(|schema| schema.name) {
                    if let Err(error) = client.delete_table().table_name(&table).send().await {
                        eprintln!("the table {table} is left over: {error:?}");
                    }
                }
            };
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(remove);
                });
            });
        }
    }

    let remove = Remove(endpoint, tables);
    tokio::spawn(async move {
        pending::<()>().await;
        drop(remove);
    });
}
