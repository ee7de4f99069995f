//! The one table of what a client can ask for: the actions of the WebSocket and the routes of REST. Dispatch,
//! the generated documents, the gateway of `chat-local` and the test of the deployed template all read it.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::frames::{MarkReadFrame, PingFrame, ReauthFrame, SendMessageFrame, TypingFrame};
use crate::json::Object;

/// An action of the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What a frame says in `action`.
    pub name: &'static str,
    /// The types of the frames that answer it. One that only has `error` is not answered when all is well.
    pub answers: &'static [&'static str],
}

/// Makes [`ClientFrame`] and [`ACTIONS`] of the rows of the table.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident($frame:ident) = $name:tt, answered by $answers:expr;)*) => {
        /// What a client says. The `action` chooses the route.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "action")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
        #[expect(clippy::large_enum_variant, reason = "one frame is handled at a time, whatever its size")]
        pub enum ClientFrame {
            $($(#[$doc])* #[serde(rename = $name)] $variant($frame),)*
        }

        /// All actions, in the order in which clients are told them.
        pub const ACTIONS: &[Action] = &[$(Action { name: $name, answers: $answers }),*];

        impl ClientFrame {
            /// Reads a frame as one with this action.
            pub(crate) fn typed<const N: usize>(
                action: &str,
                frame: &Object<'_, N>,
            ) -> Result<Self, WireError> {
                match action {
                    $($name => frame.read().map(Self::$variant),)*
                    _ => {
                        let names: Vec<_> = ACTIONS.iter().map(|action| action.name).collect();
                        Err(WireError::bad_request(format!("action: one of {}", names.join(", "))))
                    }
                }
            }
        }
    };
}

actions! {
    /// Sends a message; answered with `sent` or `error`.
    SendMessage(SendMessageFrame) = "sendMessage", answered by &["sent", "error"];
    /// Says how far a conversation was read; answered with `read` or `error`, or with nothing when there is
    /// nothing to read.
    MarkRead(MarkReadFrame) = "markRead", answered by &["read", "error"];
    /// Says that the user is typing. Not answered, unless with `error`.
    Typing(TypingFrame) = "typing", answered by &["error"];
    /// Asks whether the connection still works; answered with `pong`. Any frame keeps the 10-minute idle
    /// timer away.
    Ping(PingFrame) = "ping", answered by &["pong", "error"];
    /// Extends the connection's authentication by a newer token of the same user; answered with `reauth` or
    /// `error`.
    Reauth(ReauthFrame) = "reauth", answered by &["reauth", "error"];
}

/// The types of the frames that a client is sent without having asked. `error` comes unasked to a connection
/// that the server does not know.
pub const PUSHES: &[&str] = &["message", "read", "typing", "error"];

/// The WebSocket subprotocol: a client offers it, followed by its token, and the server selects it.
pub const SUBPROTOCOL: &str = "chat.v1";

/// A route of REST. All of them want `Authorization: Bearer <token>`, and answer `OPTIONS` without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method of its requests.
    pub method: Method,
    /// The path, with a parameter's name in braces: what API Gateway calls a resource.
    pub resource: &'static str,
    /// What a request does.
    pub operation: Operation,
}

/// What a route of REST does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A page of a conversation.
    History,
    /// A page of the caller's conversations.
    Conversations,
    /// A URL to upload an image to.
    RequestUpload,
    /// A URL to download an image from.
    OpenAttachment,
    /// Sends a match proposal.
    ProposeMatch,
}

/// All routes of REST.
pub const ROUTES: [Route; 5] = [
    Route { method: Method::GET, resource: "/chat/history", operation: Operation::History },
    Route { method: Method::GET, resource: "/chat/conversations", operation: Operation::Conversations },
    Route { method: Method::POST, resource: "/chat/uploads", operation: Operation::RequestUpload },
    Route { method: Method::GET, resource: "/chat/attachments/{key}", operation: Operation::OpenAttachment },
    Route { method: Method::POST, resource: "/chat/proposals", operation: Operation::ProposeMatch },
];

impl Operation {
    /// What a request with this method asks of a resource; `None` when there is no such route.
    #[must_use]
    pub fn of(method: &Method, resource: &str) -> Option<Self> {
        let mut routes = ROUTES.into_iter();
        let route = routes.find(|route| route.method == *method && route.resource == resource)?;
        Some(route.operation)
    }
}
