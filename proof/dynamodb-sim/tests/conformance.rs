//! The shipped stores keep the contracts of their ports over the simulated DynamoDB.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chat_adapters_aws::TableNames;
use chat_adapters_aws::items::Failure;
use dynamodb_sim::{Answered, Answers, Database, DatabaseAnswer, DatabaseRequest, Faultless};

fn database() -> (Faultless, TableNames) {
    let tables = TableNames::default();
    (Faultless::new(Database::new(tables.schemas())), tables)
}

/// Stops a process before a request: nothing is asked any more.
#[derive(Clone, Debug)]
struct Stopped {
    database: Faultless,
    requests_left: Arc<AtomicUsize>,
}

#[async_trait]
impl Answers for Stopped {
    async fn answer(&self, request: DatabaseRequest) -> Result<DatabaseAnswer, Failure> {
        let left = |left: usize| left.checked_sub(1);
        match self.requests_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => self.database.answer(request).await,
            Err(_) => Err(Failure::Unavailable("the process was stopped".into())),
        }
    }

    async fn pause(&self, _: Duration) {}
}

mod message_store {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use chat_adapters_aws::DynamoMessageStore;
    use chat_domain::conformance::Handles;
    use dynamodb_sim::Answered;

    use crate::{Stopped, database};

    async fn fresh() -> Handles<DynamoMessageStore> {
        let (database, tables) = database();
        let open = || DynamoMessageStore::new(&Answered(database.clone()), &tables);
        Handles::two(open(), open()).stopped_after(move |requests| {
            let requests_left = Arc::new(AtomicUsize::new(requests));
            let stopped = Stopped { database: database.clone(), requests_left };
            DynamoMessageStore::new(&Answered(stopped), &tables)
        })
    }

    chat_domain::message_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::message_eraser_conformance!(fresh);
    }
}

macro_rules! suite_over_the_simulated_dynamodb {
    ($module:ident, $store:ident, $suite:ident) => {
        mod $module {
            use chat_adapters_aws::$store;
            use chat_domain::conformance::Handles;

            async fn fresh() -> Handles<$store> {
                let (database, tables) = crate::database();
                let open = || $store::new(&crate::Answered(database.clone()), &tables);
                Handles::two(open(), open())
            }

            chat_domain::$suite!(fresh);
        }
    };
}

suite_over_the_simulated_dynamodb!(connection_store, DynamoConnectionStore, connection_store_conformance);
suite_over_the_simulated_dynamodb!(user_store, DynamoUserStore, user_store_conformance);
suite_over_the_simulated_dynamodb!(report_store, DynamoReportStore, report_store_conformance);
