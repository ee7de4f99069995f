//! Transactions that wait for the disk together.
//!
//! The file is synchronised once for each transaction of the engine's, which takes longer than everything else about it. So
//! transactions that come while one is being written are put into the next one, all of them; if any of them fails, or two touch
//! the same item, nothing of it was written, and each is done by itself.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use axum::body::Bytes;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// DynamoDB's own limit of a transaction.
const ITEMS_MAX: usize = 100;

type Outcome = Result<String, DynoxideError>;

/// The way to the thread that writes. It ends when the last clone of this is gone.
#[derive(Clone)]
pub(crate) struct GroupCommit(Sender<Waiting>);

struct Waiting {
    body: Bytes,
    answer: oneshot::Sender<Outcome>,
}

impl GroupCommit {
    /// `alone` executes the body of one `TransactWriteItems`.
    pub(crate) fn start(database: Database, alone: fn(&Database, &[u8]) -> Outcome) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || write(&database, &receiver, alone));
        Self(sender)
    }

    pub(crate) async fn commit(&self, body: Bytes) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let ended = || DynoxideError::InternalServerError("the thread that writes has ended".to_owned());
        self.0.send(Waiting { body, answer }).map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }
}

fn write(database: &Database, waiting: &Receiver<Waiting>, alone: fn(&Database, &[u8]) -> Outcome) {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let mut items = 0;
        let mut members = Vec::new();
        for one in group {
            match plain_items(&one.body) {
                Some(own) if items + own.len() <= ITEMS_MAX => {
                    items += own.len();
                    members.push((one, own));
                }
                _ => {
                    let outcome = alone(database, &one.body);
                    one.answer(outcome);
                }
            }
        }
        let together = members.iter().flat_map(|(_, own)| own).cloned().collect();
        if members.len() > 1 && alone(database, &transaction(together)).is_ok() {
            for (one, _) in members {
                one.answer(Ok("{}".to_owned()));
            }
        } else {
            for (one, own) in members {
                let outcome = alone(database, &transaction(own));
                one.answer(outcome);
            }
        }
    }
}

impl Waiting {
    /// Whoever does not wait any more does not want to know.
    fn answer(self, outcome: Outcome) {
        let _ = self.answer.send(outcome);
    }
}

/// The items of a transaction that wants no more than to be written.
fn plain_items(body: &[u8]) -> Option<Vec<Value>> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let fields = request.as_object_mut()?;
    let Some(Value::Array(items)) = fields.remove("TransactItems") else { return None };
    fields.keys().all(|name| name == "ClientRequestToken").then_some(items)
}

/// Without the request's token: the engine looks through all tokens of ten minutes with every transaction.
fn transaction(items: Vec<Value>) -> Vec<u8> {
    json!({ "TransactItems": items }).to_string().into_bytes()
}
