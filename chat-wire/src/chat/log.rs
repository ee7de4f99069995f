use chat_domain::{Correlation, Deliveries, SendOutcome, Sent};

use super::Refused;
use crate::error::{ErrorCode, WireError, chain};

impl Refused {
    /// Logs the error, and returns it as the client is told it. Operators look at failures; refusals are of
    /// interest when there are many.
    pub(super) fn logged(self, correlation: &Correlation, user: Option<&str>) -> WireError {
        let request_id = correlation.request_id.as_str();
        let error = match self {
            Self::Malformed(wire) => {
                tracing::info!(request_id, user, code = ?wire.code, "refused");
                return wire;
            }
            Self::ByUseCase(error) => error,
        };
        let wire = WireError::from(&error);
        match wire.code {
            ErrorCode::Internal => {
                tracing::error!(request_id, user, code = ?wire.code, cause = %chain(&error), "failed");
            }
            ErrorCode::Unavailable if wire.failed => {
                tracing::warn!(request_id, user, code = ?wire.code, cause = %chain(&error), "failed");
            }
            ErrorCode::Unauthorized => {
                tracing::info!(request_id, user, code = ?wire.code, cause = ?error, "refused");
            }
            _ => tracing::info!(request_id, user, code = ?wire.code, "refused"),
        }
        wire
    }
}

/// What may be logged of a sent message: who it is between stands in the room's tag, for those who know both
/// addresses. A line at the level of `info` would cost as much as a tenth of the message.
pub(super) fn sent(sent: &Sent, correlation: &Correlation, user: Option<&str>) {
    let request_id = correlation.request_id.as_str();
    let seq = sent.seq;
    match sent.outcome {
        SendOutcome::Stored { retries, deliveries } => {
            let Deliveries { taken, gone, failed } = deliveries;
            let outcome = "stored";
            // The macro computes the tag, so it is hashed only when somebody listens.
            tracing::debug!(
                request_id, user, room = %sent.room.tag(), seq, outcome, retries, taken, gone, failed, "sent"
            );
        }
        SendOutcome::Duplicate => {
            tracing::debug!(request_id, user, room = %sent.room.tag(), seq, outcome = "duplicate", "sent");
        }
    }
}
