//! Transactions that wait for the disk together.
//!
//! The file is synchronised once for each transaction of the engine's, which takes longer than everything
//! else about it. So transactions that come while one is being written become one transaction, the next.
//! Where the condition of one of them does not hold, that one is answered, and the others are written without
//! it.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use dynoxide::actions::transact_write_items::{
    TransactWriteItem, TransactWriteItemsRequest, TransactWriteItemsResponse,
};
use dynoxide::errors::CancellationReason;
use dynoxide::{Database, DynoxideError, Item};
use tokio::sync::oneshot;

/// DynamoDB's own limit of a transaction.
const ITEMS_MAX: usize = 100;

type Outcome = Result<TransactWriteItemsResponse, DynoxideError>;

/// The way to the thread that writes. It ends when the last clone of this is gone.
#[derive(Clone)]
pub(crate) struct GroupCommit(Sender<Waiting>);

struct Waiting {
    request: TransactWriteItemsRequest,
    answer: oneshot::Sender<Outcome>,
}

impl GroupCommit {
    pub(crate) fn start(database: Database) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || write(&database, &receiver));
        Self(sender)
    }

    /// The request's token is left out: the engine looks through all tokens of ten minutes with every
    /// transaction.
    pub(crate) async fn commit(&self, request: TransactWriteItemsRequest) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let ended = || DynoxideError::InternalServerError("the thread that writes has ended".to_owned());
        let request = TransactWriteItemsRequest { client_request_token: None, ..request };
        self.0.send(Waiting { request, answer }).map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }
}

fn write(database: &Database, waiting: &Receiver<Waiting>) {
    let mut queue = VecDeque::new();
    loop {
        if queue.is_empty() {
            let Ok(first) = waiting.recv() else { return };
            queue.push_back(first);
        }
        queue.extend(waiting.try_iter());
        let (mut group, mut alone) = (Vec::new(), Vec::new());
        let mut room = ITEMS_MAX;
        while let Some(next) = queue.pop_front() {
            if !next.may_join() || group.iter().any(|member| next.touches(member)) {
                alone.push(next);
            } else if next.items().len() > room {
                queue.push_front(next);
                break;
            } else {
                room -= next.items().len();
                group.push(next);
            }
        }
        write_together(database, group);
        for one in alone {
            one.write(database);
        }
    }
}

fn write_together(database: &Database, mut group: Vec<Waiting>) {
    while group.len() > 1 {
        let items = group.iter().flat_map(Waiting::items).cloned().collect();
        let together = TransactWriteItemsRequest { transact_items: items, ..Default::default() };
        match database.transact_write_items(together) {
            Ok(response) => {
                for member in group {
                    member.answer(Ok(response.clone()));
                }
                return;
            }
            // No two touch the same item, so what was found out about each is also true without the others.
            Err(DynoxideError::TransactionCanceledException(_, reasons)) => {
                let mut reasons = reasons.into_iter();
                let of_each = group.into_iter().map(|member| {
                    let own: Vec<_> = reasons.by_ref().take(member.items().len()).collect();
                    (member, own)
                });
                let (holding, failed): (Vec<_>, Vec<_>) =
                    of_each.partition(|(_, own)| own.iter().all(|reason| reason.code == "None"));
                let nobodys = failed.is_empty();
                for (member, own) in failed {
                    member.answer(Err(cancelled(own)));
                }
                group = holding.into_iter().map(|(member, _)| member).collect();
                if nobodys {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    for member in group {
        member.write(database);
    }
}

fn cancelled(reasons: Vec<CancellationReason>) -> DynoxideError {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    let codes = codes.join(", ");
    DynoxideError::TransactionCanceledException(
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"),
        reasons,
    )
}

impl Waiting {
    fn items(&self) -> &[TransactWriteItem] {
        &self.request.transact_items
    }

    /// Whether it wants no more than to be written, and is no error by itself.
    fn may_join(&self) -> bool {
        (1..=ITEMS_MAX).contains(&self.items().len())
            && self.request.return_consumed_capacity.is_none()
            && self.request.return_item_collection_metrics.is_none()
    }

    /// Whether both name the same item. Of an item that is put, nothing tells the key; the engine notices.
    fn touches(&self, other: &Self) -> bool {
        self.items()
            .iter()
            .filter_map(key)
            .any(|ours| other.items().iter().filter_map(key).any(|its| ours == its))
    }

    fn write(self, database: &Database) {
        let outcome = database.transact_write_items(self.request);
        // Whoever does not wait any more does not want to know.
        let _ = self.answer.send(outcome);
    }

    fn answer(self, outcome: Outcome) {
        let _ = self.answer.send(outcome);
    }
}

fn key(item: &TransactWriteItem) -> Option<(&str, &Item)> {
    let update = item.update.as_ref().map(|update| (update.table_name.as_str(), &update.key));
    let delete = || item.delete.as_ref().map(|delete| (delete.table_name.as_str(), &delete.key));
    let check = || item.condition_check.as_ref().map(|check| (check.table_name.as_str(), &check.key));
    update.or_else(delete).or_else(check)
}
