#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!("functions are frozen by SIGSTOP: this needs a Unix");

mod config;
mod error;
mod function;
mod instance;
mod instances;
mod invocation;
mod process;
mod runtime_api;
mod supervisor;

pub use config::{FunctionConfig, LogSink, Stream};
pub use error::{FunctionConfigError, InvokeError};
pub use function::Function;
pub use invocation::{Invocation, InvocationReport};
