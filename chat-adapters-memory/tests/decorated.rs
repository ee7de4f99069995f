//! A port keeps its contract when it is decorated by a closure that changes nothing.

mod message_store {
    use std::sync::Arc;

    use chat_adapters_memory::MemoryMessageStore;
    use chat_domain::conformance::Handles;
    use chat_domain::testing::{DecoratedMessageStore, Port as _};

    async fn fresh() -> Handles<DecoratedMessageStore> {
        let store = Arc::new(MemoryMessageStore::new());
        let handle = || DecoratedMessageStore::new(store.clone(), |call, next| next.call(call.into_owned()));
        Handles::two(handle(), handle())
    }

    chat_domain::message_store_conformance!(fresh, without MessageEraser);
}

mod connection_store {
    use std::sync::Arc;

    use chat_adapters_memory::MemoryConnectionStore;
    use chat_domain::conformance::Handles;
    use chat_domain::testing::{DecoratedConnectionStore, Port as _};

    async fn fresh() -> Handles<DecoratedConnectionStore> {
        let store = Arc::new(MemoryConnectionStore::new());
        let handle = || DecoratedConnectionStore::new(store.clone(), |call, next| next.call(call));
        Handles::two(handle(), handle())
    }

    chat_domain::connection_store_conformance!(fresh);
}
