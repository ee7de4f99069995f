//! What runs behind the gateway, and where it keeps things.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod lambda;
mod memory;
mod parts;

use std::net::SocketAddr;
use std::sync::Arc;

use apigw_local::Connections;
use chat_domain::BoxError;
use chat_wire::Settings;

pub(crate) use self::parts::{Composition, Resources};
use crate::chaos::FaultInjector;
use crate::config::{Config, Store};

/// Composes what the configuration asks for. `address` is this server's.
pub(crate) async fn compose(
    config: &Config,
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    injector: Option<Arc<FaultInjector>>,
) -> Result<Composition, BoxError> {
    if config.store == Store::Memory && config.data.is_none() && config.lambda.is_none() {
        return Ok(memory::compose(address, connections, settings, injector.as_ref()));
    }
    #[cfg(feature = "aws")]
    return aws::compose(config, address, connections, settings, injector.as_ref()).await;
    #[cfg(not(feature = "aws"))]
    Err("--data, --lambda and --store dynamodb need the feature `aws` of chat-local: \
         `make run DATA=... LAMBDA=... STORE=dynamodb`"
        .into())
}
