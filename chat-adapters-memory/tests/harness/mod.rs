//! The outside of three ports, as their suites need it: an identity provider, clients, a browser. Each is put
//! before an adapter in memory; `over` lets something stand between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use chat_adapters_memory::{MemoryAttachmentStore, MemoryIdentityVerifier, MemoryPusher};
use chat_domain::conformance::{
    AttachmentEraserHarness, AttachmentStoreHarness, IdentityVerifierHarness, PusherHarness,
};
use chat_domain::{
    AccessToken, AttachmentEraser, AttachmentKey, AttachmentStore, ConnectionId, Event, IdentityVerifier,
    ImageFacts, ImageType, Pusher, SignedUrl, Timestamp, VerifiedIdentity,
};
use futures_util::FutureExt as _;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

/// The identity provider that issues tokens to a suite.
pub(crate) struct Issuer {
    memory: Arc<MemoryIdentityVerifier>,
    verifier: Arc<dyn IdentityVerifier>,
    issued: AtomicU64,
}

impl Issuer {
    pub(crate) fn over(between: impl FnOnce(Arc<dyn IdentityVerifier>) -> Arc<dyn IdentityVerifier>) -> Self {
        let memory = Arc::new(MemoryIdentityVerifier::new());
        Self { verifier: between(memory.clone()), memory, issued: AtomicU64::new(0) }
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::over(|verifier| verifier)
    }
}

#[async_trait]
impl IdentityVerifierHarness for Issuer {
    fn verifier(&self) -> &dyn IdentityVerifier {
        &*self.verifier
    }

    async fn issue(&self, identity: &VerifiedIdentity) -> AccessToken {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        self.memory.issue(identity.clone(), u128::MAX / 3 + u128::from(number))
    }
}

/// Clients that take what they are sent when they are looked at.
pub(crate) struct Clients {
    memory: Arc<MemoryPusher>,
    pusher: Arc<dyn Pusher>,
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
    pub(crate) fn over(between: impl FnOnce(Arc<dyn Pusher>) -> Arc<dyn Pusher>) -> Self {
        let memory = Arc::new(MemoryPusher::new());
        Self { pusher: between(memory.clone()), memory, open: Mutex::default() }
    }

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

impl Default for Clients {
    fn default() -> Self {
        Self::over(|pusher| pusher)
    }
}

#[async_trait]
impl PusherHarness for Clients {
    fn pusher(&self) -> &dyn Pusher {
        &*self.pusher
    }

    async fn open(&self) -> ConnectionId {
        let mut open = self.open();
        let id = ConnectionId::new(format!("connection-{}", open.len()));
        let receiver = self.memory.open(id.clone());
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

const BASE: &str = "http://localhost/attachments";
const OTHER: &str = "00000000000000000000000000000000-00000000000000000000000000000000-a-\
                     00000000000000000000000000000000.gif";

/// The browser that uploads to a store's URLs and downloads from them.
pub(crate) struct Browser {
    memory: Arc<MemoryAttachmentStore>,
    store: Arc<dyn AttachmentStore>,
    eraser: Arc<dyn AttachmentEraser>,
    server: Box<dyn Server>,
}

/// What is at the other end of the URLs.
pub(crate) trait Server: Send + Sync {
    fn put(
        &self,
        store: &MemoryAttachmentStore,
        url: &SignedUrl,
        content_type: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> bool {
        accepts(store, url, content_type, bytes, now)
    }

    fn get(&self, store: &MemoryAttachmentStore, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
        let (key, query) = parts(url);
        store.serve_download(key, query, now).ok().map(|download| download.bytes.to_vec())
    }

    /// With the next upload.
    fn expire(&self, store: &MemoryAttachmentStore, now: Timestamp) {
        let key: AttachmentKey = OTHER.parse().expect("a key");
        let facts = ImageFacts::new(ImageType::Gif, 1, 1, 1).expect("within bounds");
        let url = at_once(store.upload_url(&key, facts, now)).expect("it is in memory");
        self.put(store, &url, "image/gif", b"G", now);
    }
}

/// The server of `chat-local`.
pub(crate) struct RightServer;

impl Server for RightServer {}

/// What a store in memory answers, which never waits.
pub(crate) fn at_once<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("a store in memory never waits")
}

impl Browser {
    pub(crate) fn of(
        store: impl FnOnce(Arc<dyn AttachmentStore>) -> Arc<dyn AttachmentStore>,
        eraser: impl FnOnce(Arc<dyn AttachmentEraser>) -> Arc<dyn AttachmentEraser>,
        server: impl Server + 'static,
    ) -> Self {
        let memory = Arc::new(MemoryAttachmentStore::new(BASE, [7; 32]));
        let (store, eraser) = (store(memory.clone()), eraser(memory.clone()));
        Self { memory, store, eraser, server: Box::new(server) }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::of(|store| store, |eraser| eraser, RightServer)
    }
}

/// Whether the store takes an upload to this URL.
pub(crate) fn accepts(
    store: &MemoryAttachmentStore,
    url: &SignedUrl,
    content_type: &str,
    bytes: &[u8],
    now: Timestamp,
) -> bool {
    let (key, query) = parts(url);
    store.accept_upload(key, query, content_type, Bytes::copy_from_slice(bytes), now).is_ok()
}

/// The key and the query of a URL, as the server finds them in a request.
pub(crate) fn parts(url: &SignedUrl) -> (&str, &str) {
    let path_and_query = url.url.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
    path_and_query.and_then(|rest| rest.split_once('?')).expect("the store made the URL")
}

#[async_trait]
impl AttachmentStoreHarness for Browser {
    fn store(&self) -> &dyn AttachmentStore {
        &*self.store
    }

    async fn put(&self, url: &SignedUrl, content_type: &str, bytes: &[u8], now: Timestamp) -> bool {
        self.server.put(&self.memory, url, content_type, bytes, now)
    }

    async fn expire(&self, now: Timestamp) {
        self.server.expire(&self.memory, now);
    }

    async fn get(&self, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
        self.server.get(&self.memory, url, now)
    }
}

impl AttachmentEraserHarness for Browser {
    fn eraser(&self) -> &dyn AttachmentEraser {
        &*self.eraser
    }
}
