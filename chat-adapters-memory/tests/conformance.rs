//! Every adapter keeps the contract of its port.

mod harness;

mod message_store {
    use chat_adapters_memory::MemoryMessageStore;
    use chat_domain::conformance::Handles;

    async fn fresh() -> Handles<MemoryMessageStore> {
        let store = MemoryMessageStore::new();
        Handles::two(store.clone(), store)
    }

    chat_domain::message_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::message_eraser_conformance!(fresh);
    }
}

mod connection_store {
    use chat_adapters_memory::MemoryConnectionStore;
    use chat_domain::conformance::Handles;

    async fn fresh() -> Handles<MemoryConnectionStore> {
        let store = MemoryConnectionStore::new();
        Handles::two(store.clone(), store)
    }

    chat_domain::connection_store_conformance!(fresh);
}

mod identity_verifier {
    use crate::harness::Issuer;

    async fn fresh() -> Issuer {
        Issuer::default()
    }

    chat_domain::identity_verifier_conformance!(fresh);
}

mod pusher {
    use crate::harness::Clients;

    async fn fresh() -> Clients {
        Clients::default()
    }

    chat_domain::pusher_conformance!(fresh);
}

mod attachment_store {
    use crate::harness::Browser;

    async fn fresh() -> Browser {
        Browser::default()
    }

    chat_domain::attachment_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::attachment_eraser_conformance!(fresh);
    }
}

mod user_store {
    use chat_adapters_memory::MemoryUserStore;
    use chat_domain::conformance::Handles;

    async fn fresh() -> Handles<MemoryUserStore> {
        let store = MemoryUserStore::new();
        Handles::two(store.clone(), store)
    }

    chat_domain::user_store_conformance!(fresh);
}

mod report_store {
    use chat_adapters_memory::MemoryReportStore;
    use chat_domain::conformance::Handles;

    async fn fresh() -> Handles<MemoryReportStore> {
        let store = MemoryReportStore::new();
        Handles::two(store.clone(), store)
    }

    chat_domain::report_store_conformance!(fresh);
}
