//! The one table of what a client can ask for: the actions of the WebSocket and the routes of REST. Dispatch,
//! the generated documents, the gateway of `chat-local` and the test of the deployed template all read it.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::frames::{
    ClearFrame, ConsentFrame, DeleteFrame, EditFrame, MarkReadFrame, PingFrame, ReactFrame, ReauthFrame,
    ReportFrame, SendMessageFrame, TypingFrame,
};
use crate::json::Object;

/// An action of the WebSocket: what a gateway needs to route frames, and a document to describe them.
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

        /// All actions, in the order in which clients are told them. Register these with a gateway that
        /// routes by action.
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
    /// Replaces the user's reactions to a message; answered with `sent` or `error`.
    React(ReactFrame) = "react", answered by &["sent", "error"];
    /// Replaces the words of a message of the user; answered with `sent` or `error`.
    Edit(EditFrame) = "edit", answered by &["sent", "error"];
    /// Deletes a message of the user for both; answered with `sent` or `error`.
    Delete(DeleteFrame) = "delete", answered by &["sent", "error"];
    /// Says how far a conversation was read; answered with `read` or `error`, or with nothing when there is
    /// nothing to read.
    MarkRead(MarkReadFrame) = "markRead", answered by &["read", "error"];
    /// Says that the user is typing. Not answered, unless with `error`.
    Typing(TypingFrame) = "typing", answered by &["error"];
    /// Accepts the peer's request; answered with `accept` or `error`.
    Accept(ConsentFrame) = "accept", answered by &["accept", "error"];
    /// Blocks the peer; answered with `block` or `error`.
    Block(ConsentFrame) = "block", answered by &["block", "error"];
    /// Blocks the peer no longer; answered with `unblock` or `error`.
    Unblock(ConsentFrame) = "unblock", answered by &["unblock", "error"];
    /// Clears a conversation for the user alone; answered with `cleared` or `error`.
    Clear(ClearFrame) = "clear", answered by &["cleared", "error"];
    /// Reports messages to whoever runs the chat; answered with `reported` or `error`.
    Report(ReportFrame) = "report", answered by &["reported", "error"];
    /// Asks whether the connection still works; answered with `pong`. Any frame keeps the 10-minute idle
    /// timer away.
    Ping(PingFrame) = "ping", answered by &["pong", "error"];
    /// Extends the connection's authentication by a newer token of the same user; answered with `reauth` or
    /// `error`.
    Reauth(ReauthFrame) = "reauth", answered by &["reauth", "error"];
}

/// The types of the frames that a client is sent without having asked. `error` comes unasked to a connection
/// that the server does not know.
pub const PUSHES: &[&str] =
    &["message", "changed", "read", "typing", "accept", "block", "unblock", "cleared", "error"];

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

/// Makes [`Operation`] and [`ROUTES`] of the rows of the table.
macro_rules! routes {
    ($($(#[$doc:meta])* $operation:ident = $method:ident $resource:literal;)*) => {
        /// What a route of REST does. It serialises as the name that the generated documents have for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Operation {
            $($(#[$doc])* $operation,)*
        }

        /// All routes of REST, in the order of the table. A server registers these, and needs to name none.
        pub const ROUTES: [Route; [$($resource),*].len()] = [$(
            Route { method: Method::$method, resource: $resource, operation: Operation::$operation }
        ),*];

        impl Operation {
            /// The route that leads to it: what whoever asks for it, or serves it, has to know.
            #[must_use]
            pub const fn route(self) -> Route {
                match self {
                    $(Self::$operation => {
                        Route { method: Method::$method, resource: $resource, operation: self }
                    })*
                }
            }
        }
    };
}

routes! {
    /// A page of a conversation.
    History = GET "/chat/history";
    /// The messages of a conversation that have some words.
    Search = GET "/chat/search";
    /// A page of the caller's conversations.
    Conversations = GET "/chat/conversations";
    /// A page of the people whom the caller blocks.
    Blocked = GET "/chat/blocked";
    /// A URL to upload an image to.
    RequestUpload = POST "/chat/uploads";
    /// A URL to download an image from.
    OpenAttachment = GET "/chat/attachments/{key}";
    /// Sends a match proposal.
    ProposeMatch = POST "/chat/proposals";
}

impl Operation {
    /// What a request with this method asks of a resource; `None` when there is no such route.
    #[must_use]
    pub fn of(method: &Method, resource: &str) -> Option<Self> {
        let mut routes = ROUTES.into_iter();
        let route = routes.find(|route| route.method == *method && route.resource == resource)?;
        Some(route.operation)
    }
}
