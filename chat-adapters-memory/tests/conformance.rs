//! Every adapter keeps the contract of its port.

mod message_store {
    use chat_adapters_memory::MemoryMessageStore;

    async fn fresh() -> MemoryMessageStore {
        MemoryMessageStore::new()
    }

    chat_domain::message_store_conformance!(fresh);

    mod eraser {
        use super::fresh;

        chat_domain::message_eraser_conformance!(fresh);
    }
}

mod connection_store {
    use chat_adapters_memory::MemoryConnectionStore;

    async fn fresh() -> MemoryConnectionStore {
        MemoryConnectionStore::new()
    }

    chat_domain::connection_store_conformance!(fresh);
}

mod identity_verifier {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use chat_adapters_memory::MemoryIdentityVerifier;
    use chat_domain::conformance::IdentityVerifierHarness;
    use chat_domain::{AccessToken, IdentityVerifier, VerifiedIdentity};

    #[derive(Default)]
    struct Issuer {
        verifier: MemoryIdentityVerifier,
        issued: AtomicU64,
    }

    #[async_trait]
    impl IdentityVerifierHarness for Issuer {
        fn verifier(&self) -> &dyn IdentityVerifier {
            &self.verifier
        }

        async fn issue(&self, identity: &VerifiedIdentity) -> AccessToken {
            let number = self.issued.fetch_add(1, Ordering::Relaxed);
            self.verifier.issue(identity.clone(), u128::MAX / 3 + u128::from(number))
        }
    }

    async fn fresh() -> Issuer {
        Issuer::default()
    }

    chat_domain::identity_verifier_conformance!(fresh);
}

mod pusher {
    use std::collections::HashMap;
    use std::sync::{Mutex, MutexGuard};

    use async_trait::async_trait;
    use chat_adapters_memory::MemoryPusher;
    use chat_domain::conformance::PusherHarness;
    use chat_domain::{ConnectionId, Event, Pusher};
    use tokio::sync::mpsc::Receiver;
    use tokio::sync::mpsc::error::TryRecvError;

    #[derive(Default)]
    struct Clients {
        pusher: MemoryPusher,
        open: Mutex<HashMap<ConnectionId, Client>>,
    }

    struct Client {
        receiver: Receiver<Event>,
        received: usize,
        sees_it_open: bool,
    }

    impl Client {
        fn take_all(&mut self) {
            loop {
                match self.receiver.try_recv() {
                    Ok(_) => self.received += 1,
                    Err(TryRecvError::Empty) => return,
                    Err(TryRecvError::Disconnected) => {
                        self.sees_it_open = false;
                        return;
                    }
                }
            }
        }
    }

    impl Clients {
        fn open(&self) -> MutexGuard<'_, HashMap<ConnectionId, Client>> {
            self.open.lock().expect("no test has failed in here")
        }

        fn look<T>(&self, id: &ConnectionId, at: impl FnOnce(&Client) -> T) -> T {
            let mut open = self.open();
            let client = open.get_mut(id).expect("the suite opened it");
            client.take_all();
            at(client)
        }
    }

    #[async_trait]
    impl PusherHarness for Clients {
        fn pusher(&self) -> &dyn Pusher {
            &self.pusher
        }

        async fn open(&self) -> ConnectionId {
            let mut open = self.open();
            let id = ConnectionId::new(format!("connection-{}", open.len()));
            let receiver = self.pusher.open(id.clone());
            open.insert(id.clone(), Client { receiver, received: 0, sees_it_open: true });
            id
        }

        fn unknown(&self) -> ConnectionId {
            ConnectionId::new("connection-unknown")
        }

        async fn received(&self, id: &ConnectionId) -> usize {
            self.look(id, |client| client.received)
        }

        async fn is_open(&self, id: &ConnectionId) -> bool {
            self.look(id, |client| client.sees_it_open)
        }

        async fn hang_up(&self, id: &ConnectionId) {
            self.open().remove(id);
        }
    }

    async fn fresh() -> Clients {
        Clients::default()
    }

    chat_domain::pusher_conformance!(fresh);
}

mod attachment_store {
    use async_trait::async_trait;
    use bytes::Bytes;
    use chat_adapters_memory::MemoryAttachmentStore;
    use chat_domain::conformance::{AttachmentEraserHarness, AttachmentStoreHarness};
    use chat_domain::{
        AttachmentEraser, AttachmentKey, AttachmentStore, ImageFacts, ImageType, SignedUrl, Timestamp,
    };

    const BASE: &str = "http://localhost/attachments";
    const OTHER: &str = "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.gif";

    struct Browser(MemoryAttachmentStore);

    /// The key and the query of a URL, as the server finds them in a request.
    fn parts(url: &SignedUrl) -> (&str, &str) {
        let path_and_query = url.url.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
        path_and_query.and_then(|rest| rest.split_once('?')).expect("the store made the URL")
    }

    #[async_trait]
    impl AttachmentStoreHarness for Browser {
        fn store(&self) -> &dyn AttachmentStore {
            &self.0
        }

        async fn put(&self, url: &SignedUrl, content_type: &str, bytes: &[u8], now: Timestamp) -> bool {
            let (key, query) = parts(url);
            self.0.accept_upload(key, query, content_type, Bytes::copy_from_slice(bytes), now).is_ok()
        }

        /// With the next upload.
        async fn expire(&self, now: Timestamp) {
            let key: AttachmentKey = OTHER.parse().expect("a key");
            let facts = ImageFacts::new(ImageType::Gif, 1, 1, 1).expect("within bounds");
            let url = self.0.upload_url(&key, facts, now).await.expect("it is in memory");
            self.put(&url, "image/gif", b"G", now).await;
        }

        async fn get(&self, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
            let (key, query) = parts(url);
            self.0.serve_download(key, query, now).ok().map(|download| download.bytes.to_vec())
        }
    }

    async fn fresh() -> Browser {
        Browser(MemoryAttachmentStore::new(BASE, [7; 32]))
    }

    chat_domain::attachment_store_conformance!(fresh);

    impl AttachmentEraserHarness for Browser {
        fn eraser(&self) -> &dyn AttachmentEraser {
            &self.0
        }
    }

    mod eraser {
        use super::fresh;

        chat_domain::attachment_eraser_conformance!(fresh);
    }
}
