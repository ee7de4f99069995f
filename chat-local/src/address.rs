//! What this server is called, and what is where below its address.

use std::net::SocketAddr;

/// The WebSocket API's stage, as the seed's URL has it.
pub(crate) const STAGE: &str = "prod";

/// The names this server goes by in a browser on the same machine.
pub(crate) fn host_names(address: SocketAddr) -> impl Iterator<Item = String> {
    [address.to_string(), format!("localhost:{}", address.port())].into_iter()
}

/// The origins of the page that this server shows.
pub(crate) fn origins(address: SocketAddr) -> impl Iterator<Item = String> {
    host_names(address).map(|host| format!("http://{host}"))
}
