use std::str::FromStr;
use std::time::Duration;

use super::room_id::Member;
use super::text::BoundedText;
use super::timestamp::Timestamp;

/// How many proposals of one room may be open at once. They are kept in the room's head, which has to stay
/// small.
pub const OPEN_PROPOSALS_MAX: usize = 8;

/// The longest name of a team, in bytes: about 65 Hangul syllables.
pub const TEAM_NAME_MAX_BYTES: usize = 200;
/// The longest venue of a match, in bytes: a full postal address in Hangul.
pub const VENUE_MAX_BYTES: usize = 400;
/// The longest remark on a proposal, in bytes.
pub const NOTE_MAX_BYTES: usize = 1_000;

/// The name of a team.
pub type TeamName = BoundedText<TEAM_NAME_MAX_BYTES>;
/// Where a match takes place.
pub type Venue = BoundedText<VENUE_MAX_BYTES>;
/// A free remark on a proposal.
pub type Note = BoundedText<NOTE_MAX_BYTES>;

/// A proposal to play a match, which one team makes to another. It stays open until somebody gives a
/// [`ProposalAnswer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The team of the proposer.
    pub team_name: TeamName,
    /// The team of the receiver.
    pub opponent_team_name: TeamName,
    /// When the match begins.
    pub match_at: Timestamp,
    /// Where it takes place.
    pub venue: Venue,
    /// A free remark, if the proposer makes one.
    pub note: Option<Note>,
}

/// An answer to a proposal. The first one in the order of the room counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalAnswer {
    /// The timestamp of the message that proposed, in the same room.
    pub proposal: Timestamp,
    /// What the answer says.
    pub verdict: Verdict,
}

/// What an answer to a proposal may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver takes part. They must say so before the match begins.
    Accepted,
    /// The receiver does not take part.
    Declined,
    /// The proposer takes the proposal back.
    Withdrawn,
}

/// The text names no [`Verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer is accepted, declined or withdrawn")]
pub struct VerdictError;

impl Verdict {
    /// The name used in stores and frames.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromStr for Verdict {
    type Err = VerdictError;

    fn from_str(text: &str) -> Result<Self, VerdictError> {
        [Self::Accepted, Self::Declined, Self::Withdrawn]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or(VerdictError)
    }
}

/// What the room's head remembers of a proposal until somebody answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenProposal {
    /// The timestamp of the message that proposed.
    pub at: Timestamp,
    /// Who made the proposal.
    pub proposer: Member,
    /// When the match begins.
    pub match_at: Timestamp,
}

/// Why a proposal or an answer does not fit the room's state. Nothing was stored.
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalRefused {
    /// A match can only be proposed for the future.
    #[error("the match would begin in the past")]
    InThePast,
    /// [`OPEN_PROPOSALS_MAX`] proposals of the room wait for an answer.
    #[error("too many proposals wait for an answer")]
    TooManyOpen,
    /// There is no such proposal, or somebody answered it before.
    #[error("there is no such open proposal")]
    NotOpen,
    /// Only the receiver accepts or declines, only the proposer withdraws.
    #[error("this answer is the other member's to give")]
    NotYours,
    /// The match has begun; it can no longer be accepted.
    #[error("the match has already begun")]
    TooLate,
    /// The match began less than [`IN_DOUBT_FOR`] ago, or a match that is about to begin still takes the
    /// place of this one. The client asks again when that time has passed.
    #[error("a match has just begun or is about to; what was in time is not settled yet")]
    InDoubt,
}

/// For how long nothing is refused because of the time alone. An earlier attempt that was in time may have
/// timed out and may still be on its way into the store: a client that was told "too late" would then see it
/// appear. The gateway gives a handler 29 seconds, and this is twice that.
pub const IN_DOUBT_FOR: Duration = Duration::from_secs(60);

/// Checks that a match has not begun. Gives `refused` once it is certain that it has.
fn check_ahead(match_at: Timestamp, at: Timestamp, refused: ProposalRefused) -> Result<(), ProposalRefused> {
    if at < match_at {
        Ok(())
    } else if at < match_at.after(IN_DOUBT_FOR) {
        Err(ProposalRefused::InDoubt)
    } else {
        Err(refused)
    }
}

/// The proposals of a room that wait for an answer, oldest first, at most [`OPEN_PROPOSALS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenProposals(pub(crate) Vec<OpenProposal>);

impl OpenProposals {
    /// Opens a proposal, and drops those whose match has begun, since nobody can accept them any more.
    pub(crate) fn open(&mut self, new: OpenProposal) -> Result<(), ProposalRefused> {
        check_ahead(new.match_at, new.at, ProposalRefused::InThePast)?;
        self.0.retain(|open| open.match_at > new.at);
        if self.0.len() >= OPEN_PROPOSALS_MAX {
            // A handler whose clock is a little ahead may have found room already.
            let soon = new.at.after(IN_DOUBT_FOR);
            let in_doubt = self.0.iter().any(|open| open.match_at <= soon);
            return Err(if in_doubt { ProposalRefused::InDoubt } else { ProposalRefused::TooManyOpen });
        }
        self.0.push(new);
        Ok(())
    }

    /// Closes a proposal by the answer that `by` gives at `at`.
    pub(crate) fn close(
        &mut self,
        answer: ProposalAnswer,
        by: Member,
        at: Timestamp,
    ) -> Result<(), ProposalRefused> {
        let place =
            self.0.iter().position(|open| open.at == answer.proposal).ok_or(ProposalRefused::NotOpen)?;
        let open = self.0[place];
        let entitled = match answer.verdict {
            Verdict::Accepted | Verdict::Declined => open.proposer.peer(),
            Verdict::Withdrawn => open.proposer,
        };
        if by != entitled {
            return Err(ProposalRefused::NotYours);
        }
        if answer.verdict == Verdict::Accepted {
            check_ahead(open.match_at, at, ProposalRefused::TooLate)?;
        }
        self.0.remove(place);
        Ok(())
    }
}
