use std::sync::Arc;

use crate::{Activity, ChatError, Email, MessageStore, Room, Timestamp};

/// Somebody whom a user blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPeer {
    /// The address of who is blocked.
    pub peer: Email,
    /// When the user last blocked them.
    pub since: Timestamp,
}

/// A page of the people whom a user blocks. It may be empty and have a next one, since it is one of
/// conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPage {
    /// The blocked people among those of one page of conversations; possibly nobody.
    pub blocked: Vec<BlockedPeer>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Activity>,
}

/// Lists whom a user blocks, by the pages of the user's conversations.
///
/// # Example: one of two
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
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let MemoryChat { identify, connections, messages, pusher, .. } = chat;
/// let change = ChangeConsent::new(identify, connections, messages.clone(), pusher, FirstContact::default());
/// change.execute(&phone, &junho, ConsentChange::Block).await?;
/// let page = Blocked::new(messages).execute(&minji, None).await?;
/// assert_eq!(page.blocked, [BlockedPeer { peer: junho, since: now }]);
/// # Ok(())
/// # }
/// ```
pub struct Blocked {
    messages: Arc<dyn MessageStore>,
}

impl Blocked {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>) -> Self {
        Self { messages }
    }

    /// Reads the page after the place `after`.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, caller: &Email, after: Option<Activity>) -> Result<BlockedPage, ChatError> {
        let page = self.messages.rooms_of(caller, after).await?;
        let blocked = |room: &Room| {
            let me = room.id().member(caller)?;
            let since = room.consent(me).blocked?;
            Some(BlockedPeer { peer: room.id().email(me.peer()).clone(), since })
        };
        Ok(BlockedPage { blocked: page.rooms.iter().filter_map(blocked).collect(), next: page.next })
    }
}
