//! What a client asks for by REST.

use chat_domain::{ClientMessageId, Timestamp};
use chat_wire::frames::{ErrorBody, SentFrame};
use chat_wire::rest::{ConversationsBody, HistoryBody, ProposalRequestBody};
use chat_wire::table::{Operation, Route};
use http::Method;

use crate::directory::Directory;
use crate::ids::User;
use crate::observations::proposal;

/// A request by REST, and why it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A page of the conversations.
    List(Option<String>),
    /// The newest page, which a sync begins with.
    Newest(User),
    /// A page of a sync, and how many came before it.
    After(User, Timestamp, u32),
    /// The newest message, for the `after` of one that was written blindly.
    One(User),
    /// A page of the search for a message of ours.
    Resync(User, ClientMessageId, Timestamp),
    /// A match proposal, sent over REST.
    Propose(User, ClientMessageId),
    /// The page of messages before the oldest that is shown.
    Older(User, Timestamp),
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    History(Box<HistoryBody>),
    List(Box<ConversationsBody>),
    Sent(Box<SentFrame>),
    Refused(Box<ErrorBody>),
    /// No answer came, so nobody knows what happened.
    Lost,
}

/// A request as it goes over the wire.
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) resource: &'static str,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

impl Request {
    /// The request as it goes over the wire. What is proposed, and after what, is `proposed`.
    pub(crate) fn to_http(
        &self,
        directory: &Directory,
        proposed: Option<(&str, Option<Timestamp>)>,
    ) -> HttpRequest {
        let with = |peer: User| ("with", directory.email(peer).to_string());
        let ask = |operation: Operation, query, body| {
            let Route { method, resource, .. } = operation.route();
            HttpRequest { method, resource, query, body }
        };
        let history = |query| ask(Operation::History, query, None);
        match self {
            Self::List(cursor) => {
                let query = cursor.iter().map(|cursor| ("cursor", cursor.clone())).collect();
                ask(Operation::Conversations, query, None)
            }
            Self::Newest(peer) => history(vec![with(*peer)]),
            Self::One(peer) => history(vec![with(*peer), ("limit", "1".to_owned())]),
            Self::After(peer, after, _) | Self::Resync(peer, _, after) => {
                history(vec![with(*peer), ("after", after.to_string())])
            }
            Self::Older(peer, before) => history(vec![with(*peer), ("before", before.to_string())]),
            Self::Propose(peer, id) => {
                let (place, after) = proposed.unwrap_or_default();
                let body = ProposalRequestBody {
                    receiver_email: directory.email(*peer).to_string(),
                    client_message_id: id.to_string(),
                    after: after.map(|after| after.to_string()),
                    proposal: proposal(place),
                };
                ask(Operation::ProposeMatch, Vec::new(), serde_json::to_string(&body).ok())
            }
        }
    }
}
