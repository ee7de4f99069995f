//! The Lambda function behind `$connect`.

use std::process::ExitCode;
use std::sync::Arc;

use chat_adapters_aws::{DynamoConnectionStore, DynamoUserStore};
use chat_domain::{Connect, ConnectionStore as _, Pusher as _};
use chat_lambda::aws::{Clients, ConnectConfig, FromEnvironment as _, run, start, warm};
use chat_wire::ConnectHandler;
use futures_util::future::join;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(async {
        let config = ConnectConfig::from_env()?;
        let clients = Clients::new(&config.aws);
        let dynamodb = clients.dynamodb();
        let users = DynamoUserStore::new(&dynamodb, &config.tables);
        let connections = DynamoConnectionStore::new(&dynamodb, &config.tables);
        let pusher = clients.pusher(&config.callback_url);

        let nobody = warm::nobody();
        let dynamodb = warm::host("DynamoDB", connections.delete(&nobody));
        join(dynamodb, warm::host("callback", pusher.close(&nobody))).await;

        let verifier = clients.verifier(&config.cognito);
        let connect =
            Connect::new(Arc::new(verifier), Arc::new(users), Arc::new(connections), Arc::new(pusher));
        run(ConnectHandler::new(connect, config.allowed_origins).with_user_tags(config.user_tags)).await
    })
    .await
}
