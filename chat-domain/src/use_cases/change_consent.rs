use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{FrameOrigin, Identify};
use crate::{
    ChatError, ConnectionStore, ConsentChange, Consistency, Email, Event, FirstContact, Member, MessageStore,
    MessageStoreError, Pusher, RoomId, Timestamp,
};

/// How often a change is decided anew because another one came between. People do not decide faster than
/// it is read.
const CHANGES_MAX: u32 = 5;

/// A change that is stored, and what came of telling the user's other devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentChanged {
    /// The room of the two.
    pub room: RoomId,
    /// What came of telling the member's other devices.
    pub deliveries: Deliveries,
}

/// Notes that a member accepts the other's request, blocks the other, or does so no longer.
///
/// # Example: blocking
///
/// ```
/// use std::sync::Arc;
/// use chat_adapters_memory::{MemoryChat, NoBackoff};
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let MemoryChat { identify, users, connections, messages, pusher, attachments, .. } = chat;
/// let change = ChangeConsent::new(identify, connections, messages.clone(), pusher, FirstContact::default());
/// change.execute(&phone, &junho, ConsentChange::Block).await?;
///
/// let room = RoomId::new(&minji, &junho)?;
/// let sender = room.member(&junho).expect("the room is his too");
/// let content = Content::Text("왜?".parse()?);
/// let draft = Draft { id: ClientMessageId::from_u128(2), sender, content, reply_to: None };
/// let store = StoreMessage::new(messages, attachments, users, Arc::new(NoBackoff), SendPolicy::default());
/// assert!(matches!(store.execute(&room, &draft, None, now).await, Err(ChatError::NotAccepted)));
/// # Ok(())
/// # }
/// ```
pub struct ChangeConsent {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
    first_contact: FirstContact,
}

impl ChangeConsent {
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

    /// Stores what the user who is on the connection has decided about `peer`, and tells the user's other
    /// devices. The peer is not told.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat); [`NotFound`](ChatError::NotFound) when the two have no
    /// conversation; [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable),
    /// [`InDoubt`](ChatError::InDoubt). All may be repeated.
    pub async fn execute(
        &self,
        origin: &FrameOrigin,
        peer: &Email,
        change: ConsentChange,
    ) -> Result<ConsentChanged, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let me = connection.identity.email();
        let (room, member) = RoomId::between(me, peer)?;
        self.store(&room, member, change, origin.now).await?;
        let event = Event::Consent { room: room.clone(), peer: peer.clone(), change };
        let mut others = self.delivery.audience_of([me], origin.now).await;
        others.take_out(&origin.connection);
        let deliveries = self.delivery.push(&others, event, origin.now).await;
        Ok(ConsentChanged { room, deliveries })
    }

    async fn store(
        &self,
        room: &RoomId,
        member: Member,
        change: ConsentChange,
        now: Timestamp,
    ) -> Result<(), ChatError> {
        for _ in 0..CHANGES_MAX {
            let head = self.messages.room(room, Consistency::Strong).await?.ok_or(ChatError::NotFound)?;
            let Some(write) = head.change_of_consent(member, change, now, self.first_contact)? else {
                return Ok(());
            };
            match self.messages.write_consent(room, member, write).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(ChatError::NotFound),
                // Somebody has decided since the room was read.
                Err(MessageStoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(MessageStoreError::Conflict.into())
    }
}
