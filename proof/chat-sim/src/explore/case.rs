//! The small cases that are explored.

use chat_domain::Verdict;

use crate::ids::{DeviceId, Id};

/// Something that a case consists of. The first user has the even devices, the second the odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// The device's user writes to the other one; the same words are a retry.
    Send { device: usize, words: u8 },
    /// An answer to the proposal that is there.
    Answer { device: usize, words: u8, verdict: Verdict },
    /// The device's user has read everything.
    Mark { device: usize },
    /// The device's user reads what came after the beginning.
    Sync { device: usize },
    /// The device's user lists conversations.
    List { device: usize },
    /// The device opens one more socket.
    Connect { device: usize },
    /// The device's socket has closed.
    Disconnect { device: usize },
    /// The device extends its login.
    Reauth { device: usize },
}

/// A case: what is there, and what is done at once.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// How many messages there are already.
    pub(super) prior: u8,
    /// Whether the first user has proposed something.
    pub(super) proposal: bool,
    pub(super) operations: &'static [Operation],
}

impl Operation {
    /// Whether it writes rows of connections; those that do not write or read messages.
    pub(super) fn touches_connections(self) -> bool {
        matches!(self, Connect { .. } | Disconnect { .. } | Reauth { .. })
    }

    /// The device that does it.
    pub(super) fn device(self) -> DeviceId {
        let device = match self {
            Send { device, .. }
            | Answer { device, .. }
            | Mark { device }
            | Sync { device }
            | List { device }
            | Connect { device }
            | Disconnect { device }
            | Reauth { device } => device,
        };
        DeviceId::new(device)
    }

    /// Whether something is stored with the time of the event.
    pub(super) fn is_stamped(self) -> bool {
        matches!(self, Send { .. } | Answer { .. } | Connect { .. })
    }
}

impl Case {
    /// Whether the same is done twice anyway.
    pub(super) fn is_repeated(&self, operation: usize) -> bool {
        self.operations.iter().filter(|other| **other == self.operations[operation]).count() > 1
    }

    pub(super) fn touches_connections(&self) -> bool {
        self.operations.iter().any(|operation| operation.touches_connections())
    }
}

use Operation::{Answer, Connect, Disconnect, List, Mark, Reauth, Send, Sync};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "two write at once, to a room that is not there yet",
        prior: 0,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Send { device: 1, words: 1 }],
    },
    Case {
        name: "a retry overtakes its message, and the other one writes",
        prior: 0,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 0, words: 0 },
            Send { device: 1, words: 1 },
        ],
    },
    Case {
        name: "a retry from afar, behind more than the head remembers",
        prior: 12,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 0, words: 0 },
            Send { device: 1, words: 1 },
        ],
    },
    Case {
        name: "one user writes from two devices at once, and the other one writes",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: 0, words: 0 },
            Send { device: 2, words: 1 },
            Send { device: 1, words: 2 },
        ],
    },
    Case {
        name: "one writes while the other one reads and lists",
        prior: 2,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Mark { device: 1 }, List { device: 1 }],
    },
    Case {
        name: "both read while one writes",
        prior: 2,
        proposal: false,
        operations: &[Mark { device: 0 }, Mark { device: 1 }, Send { device: 0, words: 0 }],
    },
    Case {
        name: "both write while one syncs",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Send { device: 1, words: 1 }, Sync { device: 1 }],
    },
    Case {
        name: "one is written to while connecting and disconnecting",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Connect { device: 1 }, Disconnect { device: 1 }],
    },
    Case {
        name: "one writes while its own connection closes and its login is extended",
        prior: 1,
        proposal: false,
        operations: &[Send { device: 0, words: 0 }, Disconnect { device: 0 }, Reauth { device: 0 }],
    },
    Case {
        name: "a proposal is accepted, declined and withdrawn at once",
        prior: 0,
        proposal: true,
        operations: &[
            Answer { device: 1, words: 0, verdict: Verdict::Accepted },
            Answer { device: 1, words: 1, verdict: Verdict::Declined },
            Answer { device: 0, words: 2, verdict: Verdict::Withdrawn },
        ],
    },
];
