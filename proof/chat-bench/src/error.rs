//! What can stop a run before it has a result.

use std::io;

/// A run could not be set up or read back. What a *finished* run found wrong is a
/// [`Findings`](crate::verify::Findings), not an error.
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
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// An HTTP exchange broke.
    #[error("HTTP {what}")]
    Http {
        /// The method and the path.
        what: String,
        /// What the HTTP client says.
        #[source]
        source: hyper::Error,
    },
    /// An HTTP answer was not what the protocol says.
    #[error("HTTP {what} answered {answer}")]
    BadAnswer {
        /// The method and the path.
        what: String,
        /// Status, or the start of the body.
        answer: String,
    },
    /// A WebSocket could not be opened.
    #[error("WebSocket of {email}")]
    Socket {
        /// The user whose socket it is.
        email: String,
        /// What the WebSocket client says.
        #[source]
        source: Box<tokio_tungstenite::tungstenite::Error>,
    },
    /// A function did not do what it was measured for.
    #[cfg(feature = "lambda")]
    #[error("the function of {program}: {what}")]
    Function {
        /// The program of the function.
        program: String,
        /// What happened instead of an answer.
        what: String,
    },
    /// An invocation of a function failed.
    #[cfg(feature = "lambda")]
    #[error("the function of {program}")]
    Invocation {
        /// The program of the function.
        program: String,
        /// Why the invocation failed.
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
