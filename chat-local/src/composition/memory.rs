use std::net::SocketAddr;
use std::sync::Arc;

use apigw_local::Connections;
use chat_adapters_memory::{
    MemoryAttachmentStore, MemoryConnectionStore, MemoryIdentityVerifier, MemoryMessageStore,
    MemoryReportStore, MemoryUserStore,
};
use chat_wire::{JitteredBackoff, Ports, Settings};

use super::parts::{Composition, Resources};
use crate::chaos::FaultInjector;
use crate::clock::now;
use crate::integrations::Integrations;
use crate::objects::{OBJECTS_PATH, Objects};
use crate::pusher::LocalPusher;

/// Everything in this process, until it ends.
pub(super) fn compose(
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    injector: Option<&Arc<FaultInjector>>,
) -> Composition {
    let verifier = MemoryIdentityVerifier::new();
    let attachments = MemoryAttachmentStore::new(format!("http://{address}{OBJECTS_PATH}"), rand::random());
    let ports = Ports {
        verifier: Arc::new(verifier.clone()),
        users: Arc::new(MemoryUserStore::new()),
        connections: Arc::new(MemoryConnectionStore::new()),
        messages: Arc::new(MemoryMessageStore::new()),
        pusher: Arc::new(LocalPusher::new(connections)),
        attachments: Arc::new(attachments.clone()),
        reports: Arc::new(MemoryReportStore::new()),
        backoff: Arc::new(JitteredBackoff::new(tokio::time::sleep)),
    };
    Composition {
        integrations: Integrations::in_process(ports, settings, injector),
        issue_token: Box::new(move |identity| verifier.issue(identity, rand::random())),
        router: Objects { store: attachments, clock: now }.router(),
        kept: "in memory, until this stops".to_owned(),
        resources: Resources::default(),
    }
}
