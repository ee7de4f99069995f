use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{Identify, Origin};
use crate::{ChatError, ConnectionStore, Consistency, Email, Event, MessageStore, Pusher, RoomId};

/// Tells a peer that somebody is typing. Nothing is stored.
///
/// # Example: a peer whose socket is gone
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { identify, connections, messages, pusher, origin, junho, .. }| {
/// let typing = Typing::new(identify, connections, messages, pusher);
/// let told = typing.execute(&origin, &junho).await?;
/// assert_eq!((told.taken, told.gone), (0, 1));
/// # Ok(()) }) }
/// ```
pub struct Typing {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
}

impl Typing {
    /// Composes it.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        pusher: Arc<dyn Pusher>,
    ) -> Self {
        Self { identify, messages, delivery: Delivery::new(connections, pusher) }
    }

    /// Tells the receiver, if the two have written to each other before: a stranger learns nothing from typing at somebody.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &Origin, receiver: &Email) -> Result<Deliveries, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let sender = connection.identity.email();
        let room = RoomId::new(sender, receiver)?;
        if self.messages.room(&room, Consistency::Eventual).await?.is_none() {
            return Ok(Deliveries::default());
        }
        let receivers = self.delivery.connections_of([receiver], origin.now).await;
        let event = Event::Typing { room, sender: sender.clone() };
        Ok(self.delivery.push(receivers.iter(), event, origin.now).await)
    }
}
