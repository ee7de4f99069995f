//! Who chats with whom. Every run has its own people, so a run never meets an older run's rooms.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells one run's people and messages from another's: the start in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(u64);

impl RunId {
    /// Milliseconds fit 48 bits until the year 10889.
    const MASK: u64 = (1 << 48) - 1;

    /// A run that starts now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_number(u64::try_from(since.as_millis()).unwrap_or_default())
    }

    /// A run with a chosen number; only the low 48 bits count.
    pub const fn from_number(number: u64) -> Self {
        Self(number & Self::MASK)
    }

    /// The number of this person.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Address of the run's user number `index`. Users `2p` and `2p + 1` are pair `p`.
pub fn email(run: RunId, index: usize) -> String {
    format!("u{index}.{run}@bench.example.com")
}

/// The protocol's room id: both addresses, sorted, joined with `#`.
pub fn room_id(a: &str, b: &str) -> String {
    if a < b { format!("{a}#{b}") } else { format!("{b}#{a}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_one_id_from_both_sides() {
        let (minji, junho) = ("minji@example.com", "junho@example.com");
        assert_eq!(room_id(minji, junho), room_id(junho, minji));
        assert_eq!(room_id(minji, junho), "junho@example.com#minji@example.com");
    }

    #[test]
    fn two_runs_share_no_address() {
        assert_ne!(email(RunId::from_number(1), 17), email(RunId::from_number(2), 17));
    }
}
