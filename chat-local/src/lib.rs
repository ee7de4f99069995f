#![doc = include_str!("../README.md")]

mod address;
mod chaos;
mod clock;
mod composition;
mod config;
mod gateway;
mod integrations;
mod login;
mod objects;
mod page;
mod pusher;
mod server;

pub use chaos::{Chaos, ChaosError, Profile};
pub use config::{Config, Store};
pub use server::{Server, ServerError};
