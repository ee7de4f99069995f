//! One line puts a store to the contract of its port: it becomes a test for each promise.

use own_store::OwnStore;

async fn fresh() -> OwnStore {
    OwnStore::default()
}

chat_domain::message_store_conformance!(fresh);
