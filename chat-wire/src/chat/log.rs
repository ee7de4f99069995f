use chat_domain::{Correlation, Deliveries, SendOutcome, Sent};

use super::Refused;
use crate::error::{ErrorCode, WireError, chain};

impl Refused {
    /// The error to answer with. It gets the log line that it deserves: what a client did wrong is its own
    /// affair, what failed here is somebody's work.
    pub(super) fn logged(self, correlation: &Correlation) -> WireError {
        let error = match self {
            Self::Malformed(error) => return error,
            Self::ByUseCase(error) => error,
        };
        let wire = WireError::from(&error);
        let request_id = correlation.request_id.as_str();
        match wire.code {
            ErrorCode::Internal => {
                tracing::error!(request_id, code = ?wire.code, cause = %chain(&error), "failed");
            }
            ErrorCode::Unavailable if wire.failed => {
                tracing::warn!(request_id, code = ?wire.code, cause = %chain(&error), "failed");
            }
            ErrorCode::Unauthorized => {
                tracing::info!(request_id, code = ?wire.code, cause = ?error, "refused");
            }
            _ => tracing::debug!(request_id, code = ?wire.code, "refused"),
        }
        wire
    }
}

/// What may be logged of a sent message: who it is between stands in the room's tag, for those who know both
/// addresses.
pub(super) fn sent(sent: &Sent, correlation: &Correlation) {
    let request_id = correlation.request_id.as_str();
    let seq = sent.seq;
    match sent.outcome {
        SendOutcome::Stored { retries, deliveries } => {
            let Deliveries { taken, gone, failed } = deliveries;
            let outcome = "stored";
            // Within the macro, so that the tag is hashed only when somebody listens.
            tracing::info!(
                request_id, room = %sent.room.tag(), seq, outcome, retries, taken, gone, failed, "sent"
            );
        }
        SendOutcome::Duplicate => {
            tracing::info!(request_id, room = %sent.room.tag(), seq, outcome = "duplicate", "sent");
        }
    }
}
