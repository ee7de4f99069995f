#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod chat;
pub mod cursor;
pub mod error;
pub mod frames;
pub mod json;
pub mod message;
pub mod rest;
#[cfg(feature = "schema")]
#[cfg_attr(docsrs, doc(cfg(feature = "schema")))]
pub mod schema;
pub mod table;

pub use backoff::JitteredBackoff;
pub use chat::{
    AllowedOrigins, Chat, ConnectHandler, ConnectRequest, Counted, Counts, DisconnectHandler,
    DisconnectRequest, FrameHandler, FrameRequest, OwnKinds, Ports, Rates, RestHandler, RestRequest,
    Settings, UserTags,
};
