use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use chat_domain::{ConnectionId, Event, Push, PushError, Pusher};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

/// How many events a connection may leave untaken before further ones are refused: more than any test sends
/// to one, and of the longest messages about 10 MB.
pub const INBOX_MAX: usize = 1_024;

const NOT_POISONED: &str = "nothing panics while it holds the lock of the inboxes";

/// Delivers events to whoever opened a connection in this process, in order.
///
/// Where a real gateway would lose a frame for a slow client, a full inbox answers [`PushError::Throttled`].
#[derive(Clone, Default)]
pub struct MemoryPusher {
    inboxes: Arc<RwLock<HashMap<ConnectionId, Sender<Event>>>>,
}

impl MemoryPusher {
    /// A pusher without open connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a connection. What is pushed to it comes out of the receiver, which ends when the connection is
    /// closed; dropping the receiver closes the connection. An earlier connection of the same id is closed.
    #[must_use = "dropping the receiver closes the connection"]
    pub fn open(&self, id: ConnectionId) -> Receiver<Event> {
        let (sender, receiver) = mpsc::channel(INBOX_MAX);
        self.inboxes.write().expect(NOT_POISONED).insert(id, sender);
        receiver
    }

    /// Removes a connection if nobody listens to it any more. It may have been opened anew since that was
    /// noticed.
    fn forget_if_dropped(&self, id: &ConnectionId) {
        let mut inboxes = self.inboxes.write().expect(NOT_POISONED);
        if inboxes.get(id).is_some_and(Sender::is_closed) {
            inboxes.remove(id);
        }
    }
}

#[async_trait]
impl Pusher for MemoryPusher {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        let inbox = self.inboxes.read().expect(NOT_POISONED).get(to).cloned();
        match inbox.ok_or(PushError::Gone)?.try_send(push.event().clone()) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(PushError::Throttled),
            Err(TrySendError::Closed(_)) => {
                self.forget_if_dropped(to);
                Err(PushError::Gone)
            }
        }
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        let removed = self.inboxes.write().expect(NOT_POISONED).remove(id);
        match removed {
            Some(inbox) if !inbox.is_closed() => Ok(()),
            _ => Err(PushError::Gone),
        }
    }
}

impl fmt::Debug for MemoryPusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.inboxes.read().expect(NOT_POISONED).len();
        f.debug_struct("MemoryPusher").field("open", &open).finish_non_exhaustive()
    }
}
