//! The Lambda function behind `$disconnect`. It pushes nothing, and so knows no way to.

use std::process::ExitCode;
use std::sync::Arc;

use chat_adapters_aws::DynamoConnectionStore;
use chat_domain::{ConnectionStore as _, Disconnect};
use chat_lambda::aws::{Clients, DisconnectConfig, FromEnvironment as _, run, start, warm};
use chat_wire::DisconnectHandler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(async {
        let config = DisconnectConfig::from_env()?;
        let clients = Clients::new(&config.aws);
        let connections = DynamoConnectionStore::new(&clients.dynamodb(), &config.tables);

        warm::host("DynamoDB", connections.delete(&warm::nobody())).await;

        run(DisconnectHandler::new(Disconnect::new(Arc::new(connections)))).await
    })
    .await
}
