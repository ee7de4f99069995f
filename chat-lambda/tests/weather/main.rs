//! Bad weather, one test each: what every fault of AWS comes to, through the production adapters and the functions. Nothing
//! that was acknowledged is lost, nothing is stored twice, no connection stays deaf, and who asked is told what to do.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../captured/mod.rs"]
mod captured;
mod cognito;
mod dynamodb;
mod gateway;
mod images;
mod metering;
mod shell;
mod sky;
#[expect(dead_code, reason = "fair weather needs more of it")]
#[path = "../functions/support.rs"]
mod support;
