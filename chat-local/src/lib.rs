#![doc = include_str!("../README.md")]

mod chaos;
mod composition;
mod config;
mod functions;
mod login;
mod objects;
mod page;
mod pusher;
mod server;

pub use chaos::{Chaos, ChaosError, Profile};
pub use config::{Config, Store};
pub use server::{Server, ServerError};
