//! The Lambda function behind every REST route.

use std::process::ExitCode;

use chat_domain::{Correlation, Event};
use chat_lambda::aws::{Clients, FromEnvironment as _, HistoryConfig, run, start, warm};
use chat_wire::{RestHandler, Settings};
use futures_util::future::join;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(async {
        let HistoryConfig { send: config, allowed_origins } = HistoryConfig::from_env()?;
        let ports = Clients::new(&config.aws).ports(&config);

        let nobody = warm::nobody();
        let dynamodb = warm::host("DynamoDB", ports.connections.delete(&nobody));
        let push = Event::UnknownConnection(Correlation::default()).into();
        join(dynamodb, warm::host("callback", ports.pusher.push(&nobody, &push))).await;

        run(RestHandler::new(&ports, &Settings { rate: config.rate, allowed_origins })).await
    })
    .await
}
