//! The Lambda function behind every WebSocket route but `$connect` and `$disconnect`.

use std::process::ExitCode;
use std::sync::Arc;

use chat_domain::Identify;
use chat_lambda::aws::{Clients, FromEnvironment as _, SendConfig, run, start, warm};
use chat_wire::{FrameHandler, Settings};
use futures_util::future::join;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(async {
        let config = SendConfig::from_env()?;
        let ports = Clients::new(&config.aws).ports(&config);

        let nobody = warm::nobody();
        let dynamodb = warm::host("DynamoDB", ports.connections.get(&nobody));
        join(dynamodb, warm::host("callback", ports.pusher.close(&nobody))).await;

        let identify = Arc::new(Identify::new(ports.connections.clone(), ports.pusher.clone()));
        let SendConfig { rates, first_contact, user_tags, own_kinds, .. } = config;
        let settings = Settings { rates, first_contact, user_tags, own_kinds, ..Settings::default() };
        run(FrameHandler::new(&ports, identify, &settings)).await
    })
    .await
}
