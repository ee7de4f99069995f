use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use apigw_local::{Connections, Gateway, Limits, SystemClock};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header, uri::Authority};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::serve::ListenerExt;
use chat_domain::BoxError;
use chat_wire::{AllowedOrigins, Settings, UserTags};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::address::{host_names, origins};
use crate::chaos::Chaos;
use crate::clock::now;
use crate::composition::{self, Composition, Resources};
use crate::config::Config;
use crate::gateway;
use crate::login::DevLogin;
use crate::page::{self, READY_USERS};

/// The whole chat, bound to an address and ready to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    gateway: Gateway,
    router: Router,
    kept: String,
    chaos: Option<Chaos>,
    resources: Resources,
}

/// How long requests other than the gateway's may take to end once the gateway has; a client that has sent
/// half of one would otherwise keep the process for ever.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}; --listen takes another address")]
    Listen {
        /// The address that the configuration asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// What runs behind the gateway, or where it keeps things, cannot be had.
    #[error("the chat cannot start: {}", chain(.0.as_ref()))]
    Compose(BoxError),
    /// The listener failed while it ran.
    #[error("the server failed: {0}")]
    Serve(#[source] std::io::Error),
}

impl Server {
    /// Composes everything and binds the address; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServerError::Listen`]; [`ServerError::Compose`].
    pub async fn bind(config: &Config) -> Result<Self, ServerError> {
        let refused = |source| ServerError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;

        let injector = config.fault_injector().map_err(ServerError::Compose)?;
        let connections = match injector.clone() {
            Some(faults) => Connections::with_faults(Limits::default(), Arc::new(SystemClock), faults),
            None => Connections::new(Limits::default(), Arc::new(SystemClock)),
        };
        let settings = Settings {
            rates: config.rates(),
            first_contact: config.first_contact,
            allowed_origins: AllowedOrigins::new(origins(address)),
            // Whoever reads its log knows everybody.
            user_tags: UserTags::default(),
            own_kinds: config.own_kinds.clone(),
        };
        let composed = composition::compose(config, address, connections.clone(), &settings, injector).await;
        let Composition { integrations, issue_token, router: own, kept, resources } =
            composed.map_err(ServerError::Compose)?;
        let gateway = gateway::gateway(connections, integrations);
        let lifetime = config.login_lifetime();
        let login = DevLogin { issue_token, lifetime, clock: now, origins: origins(address).collect() };
        let router = gateway
            .router()
            .merge(login.router())
            .merge(own)
            .merge(page::router(address, config.web.as_deref()))
            .layer(from_fn(page::lead_people))
            .layer(from_fn_with_state(address, only_for_this_host));
        Ok(Self { listener, address, gateway, router, kept, chaos: config.chaos, resources })
    }

    /// The address that the server listens on, with the port that it got if it asked for any.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to tell whoever started it.
    #[must_use]
    pub fn greeting(&self) -> String {
        let Self { address, kept, .. } = self;
        let [minji, junho] = READY_USERS;
        let misbehaves = self
            .chaos
            .map_or_else(String::new, |chaos| format!("  it misbehaves:         --chaos {chaos}\n"));
        format!(
            "The chat runs at http://{address}\n\
             \x20 two users to chat as:  {minji}  and  {junho}\n\
             \x20 WebSocket:             ws://{address}/prod\n\
             \x20 messages are kept:     {kept}\n\
             {misbehaves}\
             Open http://{address} in two windows to chat; stop with Ctrl-C."
        )
    }

    /// Serves until `stop` completes; then lets running handlers finish, closes every socket with 1001, and
    /// returns.
    ///
    /// # Errors
    /// [`ServerError::Serve`].
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServerError> {
        let Self { listener, gateway, router, resources, .. } = self;
        // A frame is to leave at once, not when the next one fills the packet.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "the socket keeps Nagle's algorithm");
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let (drained, is_drained) = oneshot::channel();
        let stopped = async move {
            stop.await;
            gateway.shutdown().await;
            resources.shutdown().await;
            let _ = drained.send(());
        };
        let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
        tokio::select! {
            served = serving.into_future() => served.map_err(ServerError::Serve),
            () = async { let _ = is_drained.await; sleep(LAST_REQUESTS).await } => Ok(()),
        }
    }
}

/// An error and what is behind it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Refuses requests for other hosts: a page elsewhere could otherwise have its own name lead here, and sign
/// in.
async fn only_for_this_host(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let is_ours =
        |authority: &Authority| host_names(address).any(|name| name.eq_ignore_ascii_case(authority.as_str()));
    // The target may name a host as well: `GET http://host/path`.
    let ours = host.and_then(|host| host.parse().ok()).is_some_and(|host| is_ours(&host))
        && request.uri().authority().is_none_or(is_ours);
    let headers = request.headers();
    let wants_page =
        headers.get(header::ACCEPT).is_some_and(|types| types.as_bytes().starts_with(b"text/html"));
    if ours && wants_page && host != Some(address.to_string().as_str()) {
        // A page has one origin, and its configuration names that.
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Redirect::temporary(&format!("http://{address}{path}")).into_response()
    } else if ours {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this server answers for its own loopback address only")
            .into_response()
    }
}
