//! What can stop a run before it has a result.

use std::io;

/// A run could not be set up or read back. What a *finished* run found wrong is a
/// [`Verdict`](crate::verify::Verdict), not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A URL is not of the form `ws://host:port/path` or `http://host:port`.
    #[error("`{url}` is not a {scheme}:// URL with a host")]
    BadUrl {
        /// The text that was given.
        url: String,
        /// The scheme that was expected.
        scheme: &'static str,
    },
    /// A load generator pointed at somebody else's machine is an attack.
    #[error(
        "`{host}` is not this machine: this is a load generator; `--allow-remote` if the machine is yours"
    )]
    NotLoopback {
        /// The host that was given.
        host: String,
    },
    /// A system call failed.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// An HTTP exchange broke.
    #[error("HTTP {what}")]
    Http {
        /// Method and path.
        what: String,
        /// The client's error.
        #[source]
        source: hyper::Error,
    },
    /// An HTTP answer was not what the protocol says.
    #[error("HTTP {what} answered {answer}")]
    BadAnswer {
        /// Method and path.
        what: String,
        /// Status, or the start of the body.
        answer: String,
    },
    /// A WebSocket could not be opened.
    #[error("WebSocket of {email}")]
    Socket {
        /// Whose socket.
        email: String,
        /// The client's error.
        #[source]
        source: Box<tokio_tungstenite::tungstenite::Error>,
    },
    /// A function did not do what it was measured for.
    #[cfg(feature = "lambda")]
    #[error("the function of {program}: {what}")]
    Function {
        /// Its program.
        program: String,
        /// What happened instead.
        what: String,
    },
    /// An invocation failed.
    #[cfg(feature = "lambda")]
    #[error("the function of {program}")]
    Invocation {
        /// The function's program.
        program: String,
        /// Why.
        #[source]
        source: lambda_local::InvokeError,
    },
}

impl BenchError {
    /// Wraps an I/O error with what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }
}
