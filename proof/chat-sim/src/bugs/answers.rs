//! The real functions, whose answers and pushes are altered on their way out.

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_wire::frames::{PongFrame, ServerFrame};
use chat_wire::table::ClientFrame;
use serde_json::Value;

use super::base::real;
use crate::ports::SharedEnvironment;
use crate::server::{GatewayEvent, Running, Server};

/// How a planted bug alters what the functions answer.
pub(super) type Change = fn(&mut Value);

/// The real functions but for their answers.
pub(super) struct Altered {
    real: Box<dyn Server>,
    change: Change,
}

impl Altered {
    pub(super) fn build(shared: &SharedEnvironment, change: Change) -> Box<dyn Server> {
        Box::new(Self { real: real(shared), change })
    }
}

impl Server for Altered {
    fn handle(&self, event: GatewayEvent) -> Running {
        let (running, change) = (self.real.handle(event), self.change);
        Box::pin(async move {
            let mut response: ApiGatewayProxyResponse = running.await;
            if let Some(Body::Text(text)) = &mut response.body
                && let Ok(mut answer) = serde_json::from_str::<Value>(text)
            {
                change(&mut answer);
                *text = answer.to_string();
            }
            response
        })
    }
}

/// The messages of a page of history; none of any other answer.
pub(super) fn messages(answer: &mut Value) -> &mut [Value] {
    answer.get_mut("messages").and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

/// The real functions, and pushes that are altered.
pub(super) fn pushing(shared: &SharedEnvironment, change: fn(&mut ServerFrame)) -> Box<dyn Server> {
    shared.environment().bug_state().alters_push = Some(change);
    real(shared)
}

/// The real functions, but that a ping is answered without a look at the connection.
pub(super) struct Hasty(Box<dyn Server>);

impl Hasty {
    pub(super) fn build(shared: &SharedEnvironment) -> Box<dyn Server> {
        Box::new(Self(real(shared)))
    }
}

impl Server for Hasty {
    fn handle(&self, event: GatewayEvent) -> Running {
        if let GatewayEvent::Frame(frame) = &event
            && let Ok(ClientFrame::Ping(_)) = serde_json::from_str(frame.body.as_deref().unwrap_or_default())
        {
            let pong = ServerFrame::Pong(PongFrame { server_time: "2026-11-23T09:00:00.000Z".to_owned() });
            let mut response = ApiGatewayProxyResponse::default();
            response.status_code = 200;
            response.body = Some(Body::Text(pong.to_json()));
            return Box::pin(async move { response });
        }
        self.0.handle(event)
    }
}
