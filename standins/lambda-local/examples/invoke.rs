//! Runs a function on each line of standard input:
//! `echo '{}' | cargo run -p lambda-local --example invoke -- PROGRAM`.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use lambda_local::{Function, FunctionConfig};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let program = std::env::args().nth(1).ok_or("which program?")?;
    let mut config = FunctionConfig::new("example", program);
    config.logs = Arc::new(|_, line| eprintln!("{line}"));
    let function = Function::new(config)?;
    let mut events = BufReader::new(tokio::io::stdin()).lines();
    while let Some(event) = events.next_line().await? {
        match function.invoke(Bytes::from(event)).await {
            Ok(invocation) => {
                println!("{}", String::from_utf8_lossy(&invocation.payload));
                eprintln!("{:?}", invocation.report);
            }
            Err(error) => eprintln!("{error}"),
        }
    }
    function.shutdown().await;
    Ok(())
}
