//! All stores keep the contracts of their ports.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Stops a process before a request: nothing is sent any more.
#[derive(Debug)]
struct Stop {
    requests_left: AtomicUsize,
}

impl Intercept for Stop {
    fn name(&self) -> &'static str {
        "Stop"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let left = |left: usize| left.checked_sub(1);
        let sent = self.requests_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        sent.map(drop).map_err(|_| "the process was stopped".into())
    }
}

mod message_store {
    use std::sync::atomic::AtomicUsize;

    use chat_adapters_aws::{DynamoClient, DynamoMessageStore};
    use chat_domain::conformance::Handles;

    use crate::Stop;
    use crate::support::Tables;

    async fn fresh() -> Handles<DynamoMessageStore> {
        let tables = Tables::fresh().await;
        let open = || DynamoMessageStore::new(&tables.client(), &tables.names);
        Handles::two(open(), open()).stopped_after(move |requests| {
            let config =
                tables.config.clone().interceptor(Stop { requests_left: AtomicUsize::new(requests) });
            DynamoMessageStore::new(&DynamoClient::new(config), &tables.names)
        })
    }

    chat_domain::message_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::message_eraser_conformance!(fresh);
    }
}

mod connection_store {
    use chat_adapters_aws::DynamoConnectionStore;
    use chat_domain::conformance::Handles;

    use crate::support::Tables;

    async fn fresh() -> Handles<DynamoConnectionStore> {
        let tables = Tables::fresh().await;
        let open = || DynamoConnectionStore::new(&tables.client(), &tables.names);
        Handles::two(open(), open())
    }

    chat_domain::connection_store_conformance!(fresh);
}

mod user_store {
    use chat_adapters_aws::DynamoUserStore;
    use chat_domain::conformance::Handles;

    use crate::support::Tables;

    async fn fresh() -> Handles<DynamoUserStore> {
        let tables = Tables::fresh().await;
        let open = || DynamoUserStore::new(&tables.client(), &tables.names);
        Handles::two(open(), open())
    }

    chat_domain::user_store_conformance!(fresh);
}

mod report_store {
    use chat_adapters_aws::DynamoReportStore;
    use chat_domain::conformance::Handles;

    use crate::support::Tables;

    async fn fresh() -> Handles<DynamoReportStore> {
        let tables = Tables::fresh().await;
        let open = || DynamoReportStore::new(&tables.client(), &tables.names);
        Handles::two(open(), open())
    }

    chat_domain::report_store_conformance!(fresh);
}
