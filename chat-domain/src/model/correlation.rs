use super::client_message_id::ClientMessageId;

/// What a client matches an answer to its request by. Take it from the frame before anything can fail, so
/// that an error can be matched too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correlation {
    /// The gateway's name for the request.
    pub request_id: String,
    /// The client's name for the message, when the frame had one.
    pub message: Option<ClientMessageId>,
}
