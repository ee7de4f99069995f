//! The Lambda function behind every REST route.

use std::process::ExitCode;
use std::sync::Arc;

use chat_domain::{Correlation, Event};
use chat_lambda::aws::{Clients, FromEnvironment as _, HistoryConfig, SendConfig, run, start, warm};
use chat_wire::{RestHandler, Settings};
use futures_util::future::join;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(async {
        let HistoryConfig { send: config, downloads, allowed_origins } = HistoryConfig::from_env()?;
        let clients = Clients::new(&config.aws);
        let mut ports = clients.ports(&config);
        if let Some(signer) = downloads {
            let bucket = clients.attachments(&config.attachments_bucket);
            ports.attachments = Arc::new(bucket.with_downloads_from(signer));
        }

        let nobody = warm::nobody();
        let dynamodb = warm::host("DynamoDB", ports.connections.delete(&nobody));
        let push = Event::UnknownConnection(Correlation::default()).into();
        join(dynamodb, warm::host("callback", ports.pusher.push(&nobody, &push))).await;

        let SendConfig { rates, first_contact, user_tags, .. } = config;
        let settings = Settings { rates, first_contact, allowed_origins, user_tags, ..Settings::default() };
        run(RestHandler::new(&ports, &settings)).await
    })
    .await
}
