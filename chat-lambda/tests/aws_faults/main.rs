//! What every fault of AWS comes to, through the production adapters and the functions, one test each.
//! Nothing that was acknowledged is lost, nothing is stored twice, no connection stays deaf, and whoever
//! asked is told what to do.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../chat-wire/tests/captured/mod.rs"]
mod captured;
mod cognito;
mod dynamodb;
#[expect(dead_code, reason = "the budget needs more of it")]
#[path = "../fake_aws/mod.rs"]
mod fake_aws;
mod gateway;
mod images;
mod invocation;
#[path = "../functions/support.rs"]
mod support;
