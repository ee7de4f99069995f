//! A port keeps its contract when it is decorated by a closure that changes nothing.

mod message_store {
    use std::sync::Arc;

    use chat_adapters_memory::MemoryMessageStore;
    use chat_domain::testing::{DecoratedMessageStore, Port as _};

    async fn fresh() -> DecoratedMessageStore {
        let store = Arc::new(MemoryMessageStore::new());
        DecoratedMessageStore::new(store, |call, next| next.call(call.into_owned()))
    }

    chat_domain::message_store_conformance!(fresh);
}

mod connection_store {
    use std::sync::Arc;

    use chat_adapters_memory::MemoryConnectionStore;
    use chat_domain::testing::{DecoratedConnectionStore, Port as _};

    async fn fresh() -> DecoratedConnectionStore {
        let store = Arc::new(MemoryConnectionStore::new());
        DecoratedConnectionStore::new(store, |call, next| next.call(call))
    }

    chat_domain::connection_store_conformance!(fresh);
}
