//! The Lambda function behind every WebSocket route but `$connect` and `$disconnect`.

use std::process::ExitCode;
use std::sync::Arc;

use chat_domain::Identify;
use chat_lambda::aws::{Clients, FromEnvironment as _, SendConfig, run, start, warm};
use chat_wire::FrameHandler;
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
        let frames = FrameHandler::new(&ports, identify, config.rates, config.first_contact);
        run(frames.with_user_tags(config.user_tags)).await
    })
    .await
}
