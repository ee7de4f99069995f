//! The real functions with limits that are wrong.

use std::num::NonZeroU32;
use std::sync::Arc;

use chat_domain::RequestRate;
use chat_domain::testing::{DecoratedPusher, Port as _, PusherCall, PusherReply, answer};

use super::base::over;
use super::consent::{Route, routed};
use crate::ports::SharedEnvironment;
use crate::server::{Real, Server};

fn at(shared: &SharedEnvironment, requests: RequestRate) -> Real {
    let mut settings = shared.environment().settings();
    settings.rates.requests = RequestRate { per_hour: settings.rates.requests.per_hour, ..requests };
    Real::over(&shared.ports(), &settings)
}

fn without_end() -> RequestRate {
    RequestRate { burst: NonZeroU32::MAX, per_second: NonZeroU32::MAX, ..RequestRate::default() }
}

/// Any number of frames is admitted.
pub(super) fn frames_without_end(shared: &SharedEnvironment) -> Box<dyn Server> {
    routed(shared, Route::AnyFrame, at(shared, without_end()))
}

/// Any number of lists is admitted.
pub(super) fn calls_without_end(shared: &SharedEnvironment) -> Box<dyn Server> {
    routed(shared, Route::Rest("/chat/conversations"), at(shared, without_end()))
}

/// People are refused who do what people do.
pub(super) fn empty_too_soon(shared: &SharedEnvironment) -> Box<dyn Server> {
    let burst = NonZeroU32::new(3).expect("not zero");
    Box::new(at(shared, RequestRate { burst, ..RequestRate::default() }))
}

/// Whoever goes on although their frames are refused is not closed.
pub(super) fn stays_connected(shared: &SharedEnvironment) -> Box<dyn Server> {
    let mut ports = shared.ports();
    ports.pusher = Arc::new(DecoratedPusher::new(ports.pusher, |call, next| match call {
        PusherCall::Close { .. } => answer(Ok(PusherReply::Close(()))),
        call => next.call(call),
    }));
    routed(shared, Route::AnyFrame, over(shared, &ports))
}
