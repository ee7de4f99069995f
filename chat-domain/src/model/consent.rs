use super::read_state::ReadState;
use super::room_id::{Member, PerMember};
use super::timestamp::Timestamp;

/// How many messages a request has at most: enough to say who one is and to propose a match, and few enough
/// to leave unread.
pub const REQUEST_MESSAGES_MAX: u64 = 10;

/// How a conversation begins between two people who have not written to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstContact {
    /// Everybody may write to everybody, as among colleagues.
    Open,
    /// The first messages are a request. Until its receiver has answered or accepted it, there are at most
    /// [`REQUEST_MESSAGES_MAX`] of them, without images, and neither learns whether the other types or reads.
    #[default]
    Request,
}

/// The text names no [`FirstContact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("first contact is open or request")]
pub struct FirstContactError;

impl FirstContact {
    /// The name used in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Request => "request",
        }
    }
}

impl std::str::FromStr for FirstContact {
    type Err = FirstContactError;

    fn from_str(text: &str) -> Result<Self, FirstContactError> {
        let named = [Self::Open, Self::Request].into_iter().find(|one| one.as_str() == text);
        named.ok_or(FirstContactError)
    }
}

/// What one member of a room has decided about the other. Neither sending nor reading writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Whether the member has accepted the other's request.
    pub accepted: bool,
    /// Since when the member blocks the other; `None` when they do not.
    pub blocked: Option<Timestamp>,
}

/// A decision of one member about the other, as somebody asks for it. [`Room`](crate::Room) says what is to
/// be written of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentChange {
    /// The member accepts the other's request.
    Accept,
    /// The member blocks the other.
    Block,
    /// The member does not block the other any more.
    Unblock,
}

/// What a store writes of a [`ConsentChange`]: it changes one member's [`Consent`] and touches nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentWrite {
    /// The member has accepted.
    Accept,
    /// The member blocks the other since then, whether or not they did before.
    Block {
        /// When the member asked for it.
        at: Timestamp,
        /// Whether the read states of both members are [frozen](ReadState::frozen) with it, since the two are
        /// in touch. If either blocks the other already, they are not, and nothing is written.
        freezes_reads: bool,
    },
    /// The block that was made then is lifted, and no other. So an attempt to unblock that is late does not
    /// lift a block that the member has made since.
    Unblock {
        /// The [`blocked`](Consent::blocked) that the member has seen.
        of: Timestamp,
    },
}

impl ConsentWrite {
    /// What both members have decided, and how far they have read, once the decision of `member` is stored.
    /// `None` when it must not be, because the room is not as it was when the member decided.
    #[must_use]
    pub fn applied(
        self,
        member: Member,
        mut consent: PerMember<Consent>,
        mut reads: PerMember<ReadState>,
    ) -> Option<(PerMember<Consent>, PerMember<ReadState>)> {
        match self {
            Self::Accept => consent[member].accepted = true,
            Self::Block { at, freezes_reads } => {
                if freezes_reads {
                    if consent.a.blocked.or(consent.b.blocked).is_some() {
                        return None;
                    }
                    reads = PerMember { a: reads.a.frozen(), b: reads.b.frozen() };
                }
                consent[member].blocked = Some(at);
            }
            Self::Unblock { of } => {
                if consent[member].blocked.is_some_and(|at| at != of) {
                    return None;
                }
                consent[member].blocked = None;
            }
        }
        Some((consent, reads))
    }
}
