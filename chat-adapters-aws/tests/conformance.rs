//! Both stores keep the contracts of their ports.

mod support;

mod message_store {
    use chat_adapters_aws::DynamoMessageStore;

    use crate::support::fresh_tables;

    async fn fresh() -> DynamoMessageStore {
        let (client, tables, _) = fresh_tables().await;
        DynamoMessageStore::new(&client, &tables)
    }

    chat_domain::message_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::message_eraser_conformance!(fresh);
    }
}

mod connection_store {
    use chat_adapters_aws::DynamoConnectionStore;

    use crate::support::fresh_tables;

    async fn fresh() -> DynamoConnectionStore {
        let (client, tables, _) = fresh_tables().await;
        DynamoConnectionStore::new(&client, &tables)
    }

    chat_domain::connection_store_conformance!(fresh);
}
