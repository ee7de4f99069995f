use chat_domain::{ConnectionId, Correlation, Disconnect};
use http::StatusCode;

use super::{Counts, Refused};
use crate::error::{ErrorCode, WireError};

/// A connection has closed: what the server tells the chat of it, at most once.
#[derive(Clone, Copy, Debug)]
pub struct DisconnectRequest<'a> {
    /// The name that the connection had.
    pub connection: &'a str,
    /// The server's name for the request, for the log.
    pub request_id: &'a str,
}

/// Forgets a connection that has closed. If a server never tells, the next push, or the row's age, does it.
pub struct DisconnectHandler {
    disconnect: Disconnect,
    counts: Counts,
}

impl DisconnectHandler {
    /// Composes the handler of its use case.
    #[must_use]
    pub fn new(disconnect: Disconnect) -> Self {
        Self { disconnect, counts: Counts::default() }
    }

    /// Forgets the connection. No client hears the answer: it says whether somebody might want to try again.
    pub async fn answer(&self, request: &DisconnectRequest<'_>) -> StatusCode {
        let DisconnectRequest { connection, request_id } = *request;
        match self.disconnect.execute(&ConnectionId::new(connection)).await {
            Ok(()) => {
                tracing::debug!(request_id, connection, "disconnected");
                StatusCode::OK
            }
            Err(error) => {
                let correlation = Correlation { request_id: request_id.to_owned(), message: None };
                self.refuse(&Refused::from(error).logged(&correlation, None))
            }
        }
    }

    /// What to answer when answering was given up: it panicked, or took too long.
    #[must_use]
    pub fn given_up(&self, code: ErrorCode) -> StatusCode {
        self.refuse(&WireError::fault(code))
    }

    /// What the handler has counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    fn refuse(&self, error: &WireError) -> StatusCode {
        self.counts.answered(error);
        error.code.status()
    }
}
