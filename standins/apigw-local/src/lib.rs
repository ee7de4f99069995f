#![doc = include_str!("../README.md")]

mod api;
mod clock;
mod connections;
mod events;
mod faults;
mod gateway;
mod ids;
mod limits;
mod management;
mod response;
mod rest;
mod state;
mod websocket;

pub use api::{
    IntegrationError, RestApi, RestIntegration, RouteResponse, WebSocketApi, WebSocketIntegration,
};
pub use clock::{Clock, SystemClock};
pub use connections::{ConnectionInfo, Connections, PostError};
pub use events::web_socket_event_json;
pub use faults::{Faults, InvocationFault, InvokedRoute, PostFault, killed_when};
pub use gateway::Gateway;
pub use limits::Limits;
