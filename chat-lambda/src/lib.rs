#![doc = include_str!("../README.md")]

mod backoff;
pub mod functions;
pub mod wire;

pub use backoff::JitteredBackoff;
