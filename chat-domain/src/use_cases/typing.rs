use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{FrameOrigin, Identify};
use crate::{
    ChatError, ConnectionStore, Consistency, Email, Event, FirstContact, MessageStore, Pusher, RoomId,
};

/// Tells a peer that somebody is typing. Nothing is stored.
///
/// # Example: a peer whose socket is gone
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
/// chat.say(&minji, &junho, "반가워요".parse()?, now).await?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
/// chat.connect(&junho, "junho-phone", now).await?;
///
/// let MemoryChat { identify, connections, messages, pusher, .. } = chat;
/// let typing = Typing::new(identify, connections, messages, pusher, FirstContact::default());
/// let told = typing.execute(&phone, &junho).await?;
/// assert_eq!((told.taken, told.gone), (0, 1));
/// # Ok(())
/// # }
/// ```
pub struct Typing {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
    first_contact: FirstContact,
}

impl Typing {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        pusher: Arc<dyn Pusher>,
        first_contact: FirstContact,
    ) -> Self {
        Self { identify, messages, delivery: Delivery::new(connections, pusher), first_contact }
    }

    /// Tells the receiver, if the two are [in touch](crate::Room::are_in_touch). So a stranger learns
    /// nothing by typing, and neither does anybody who is blocked.
    ///
    /// The read is strong: an eventual one might not see a block that was acknowledged a moment ago.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &FrameOrigin, receiver: &Email) -> Result<Deliveries, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let sender = connection.identity.email();
        let room = RoomId::new(sender, receiver)?;
        let head = self.messages.room(&room, Consistency::Strong).await?;
        if !head.is_some_and(|head| head.are_in_touch(self.first_contact)) {
            return Ok(Deliveries::default());
        }
        let receivers = self.delivery.audience_of([receiver], origin.now).await;
        let event = Event::Typing { room, sender: sender.clone() };
        Ok(self.delivery.push(&receivers, event, origin.now).await)
    }
}
