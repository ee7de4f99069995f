//! What goes wrong on AWS now and then, on demand.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayProxyResponse;

use crate::IntegrationError;

/// Decides, one event at a time, what goes wrong.
/// [`Connections::with_faults`](crate::Connections::with_faults) takes it.
///
/// # Contract
///
/// * `connection` counts handshakes from 1, in the order in which they arrive.
/// * Each method is called once for each event, before it takes effect: one that answers by `connection` and
///   by how often it was asked about that repeats itself when clients do.
pub trait Faults: Send + Sync + 'static {
    /// An integration is about to be invoked for a connection, with an event of this request id.
    fn invocation(&self, connection: u64, route: InvokedRoute, request_id: &str) -> InvocationFault;

    /// A connection has opened: after how many messages of its client's it is cut, with the 1001 of one that
    /// is too old.
    fn cut_after(&self, connection: u64) -> Option<u64>;

    /// A message is posted to an open connection.
    fn post(&self, connection: u64) -> PostFault;
}

/// Which kind of route an integration is invoked for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum InvokedRoute {
    /// The route `$connect` of a handshake.
    Connect,
    /// Any route of a message.
    Message,
    /// The route `$disconnect`, after the end.
    Disconnect,
}

/// What becomes of an invocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvocationFault {
    /// It is as it should be.
    None,
    /// It never happens, and nobody is told. AWS delivers `$disconnect` at best.
    Lost,
    /// It begins so much later: later events overtake it.
    Late(Duration),
    /// It happens twice at the same time; the first answer counts.
    Twice,
    /// It is stopped when it waits for the nth time, counted from 0, and has crashed. One that waits less
    /// often ends well.
    Killed {
        /// How often it may wait.
        waits: u32,
    },
    /// It happens, and its answer reaches nobody.
    AnswerLost,
}

/// What becomes of a posted message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PostFault {
    /// It is as it should be.
    None,
    /// The connection has just broken: 410, and its client finds out.
    Gone,
    /// The post is answered with 429.
    LimitExceeded,
    /// 200, and it never arrives.
    Lost,
    /// 200, and it arrives so much later: later messages overtake it.
    Late(Duration),
    /// 200, and it arrives twice.
    Twice,
}

/// Runs an invocation until `stop` is ready, if it has not ended by then. For an integration that knows
/// better than the gateway when it is to be killed.
///
/// # Errors
/// Those of the invocation; that it has crashed, when it was stopped.
pub async fn killed_when(
    stop: impl Future<Output = ()>,
    invocation: impl Future<Output = Result<ApiGatewayProxyResponse, IntegrationError>>,
) -> Result<ApiGatewayProxyResponse, IntegrationError> {
    tokio::select! {
        biased;
        outcome = invocation => outcome,
        () = stop => Err(IntegrationError::crashed("killed on demand")),
    }
}

/// Runs an invocation, unless it waits too often.
pub(crate) async fn killed_after(
    waits: u32,
    invocation: impl Future<Output = Result<ApiGatewayProxyResponse, IntegrationError>>,
) -> Result<ApiGatewayProxyResponse, IntegrationError> {
    let mut left = waits;
    // This future is polled each time after the invocation was polled and waits.
    let too_often = poll_fn(|_| match left.checked_sub(1) {
        None => Poll::Ready(()),
        Some(fewer) => {
            left = fewer;
            Poll::Pending
        }
    });
    killed_when(too_often, invocation).await
}

/// The answer that stands for no answer: a status, and no body.
pub(crate) fn silence() -> ApiGatewayProxyResponse {
    let mut nothing = ApiGatewayProxyResponse::default();
    nothing.status_code = 200;
    nothing
}
