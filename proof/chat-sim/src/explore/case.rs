//! The small cases that are explored.

use chat_domain::Verdict;

use crate::ids::{DeviceId, Id, OperationId};
use crate::plan::WhatChanges;

/// Something that a case consists of. The first user has the even devices, the second the odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// The device's user writes to the other one; the same words are a retry.
    Send { device: DeviceId, words: u8 },
    /// An answer to the proposal that is there.
    Answer { device: DeviceId, words: u8, verdict: Verdict },
    /// The device's user changes the first message.
    Change { device: DeviceId, words: u8, what: WhatChanges },
    /// The device's user has read everything.
    Mark { device: DeviceId },
    /// The device's user reads what came after the beginning.
    Sync { device: DeviceId },
    /// The device's user lists conversations.
    List { device: DeviceId },
    /// The device opens one more socket.
    Connect { device: DeviceId },
    /// The device's socket has closed.
    Disconnect { device: DeviceId },
    /// The device extends its login.
    Reauth { device: DeviceId },
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
        match self {
            Send { device, .. }
            | Answer { device, .. }
            | Change { device, .. }
            | Mark { device }
            | Sync { device }
            | List { device }
            | Connect { device }
            | Disconnect { device }
            | Reauth { device } => device,
        }
    }

    /// Whether something is stored with the time of the event.
    pub(super) fn is_stamped(self) -> bool {
        matches!(self, Send { .. } | Answer { .. } | Change { .. } | Connect { .. })
    }
}

impl Case {
    /// Whether the same is done twice anyway.
    pub(super) fn is_repeated(&self, operation: OperationId) -> bool {
        self.operations.iter().filter(|other| **other == self.operation(operation)).count() > 1
    }

    pub(super) fn operation(&self, operation: OperationId) -> Operation {
        self.operations[operation.index()]
    }

    pub(super) fn touches_connections(&self) -> bool {
        self.operations.iter().any(|operation| operation.touches_connections())
    }
}

use Operation::{Answer, Change, Connect, Disconnect, List, Mark, Reauth, Send, Sync};

const FIRST: DeviceId = DeviceId::constant(0);
const SECOND: DeviceId = DeviceId::constant(1);
/// One more device of the first user.
const FIRST_AGAIN: DeviceId = DeviceId::constant(2);
/// One more device of the second user, who has sent what is there already.
const SECOND_AGAIN: DeviceId = DeviceId::constant(3);

pub(super) const CASES: &[Case] = &[
    Case {
        name: "two write at once, to a room that is not there yet",
        prior: 0,
        proposal: false,
        operations: &[Send { device: FIRST, words: 0 }, Send { device: SECOND, words: 1 }],
    },
    Case {
        name: "a retry overtakes its message, and the other one writes",
        prior: 0,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Send { device: FIRST, words: 0 },
            Send { device: SECOND, words: 1 },
        ],
    },
    Case {
        name: "a retry from afar, behind more than the head remembers",
        prior: 12,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Send { device: FIRST, words: 0 },
            Send { device: SECOND, words: 1 },
        ],
    },
    Case {
        name: "one user writes from two devices at once, and the other one writes",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Send { device: FIRST_AGAIN, words: 1 },
            Send { device: SECOND, words: 2 },
        ],
    },
    Case {
        name: "one writes while the other one reads and lists",
        prior: 2,
        proposal: false,
        operations: &[Send { device: FIRST, words: 0 }, Mark { device: SECOND }, List { device: SECOND }],
    },
    Case {
        name: "both read while one writes",
        prior: 2,
        proposal: false,
        operations: &[Mark { device: FIRST }, Mark { device: SECOND }, Send { device: FIRST, words: 0 }],
    },
    Case {
        name: "both write while one syncs",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Send { device: SECOND, words: 1 },
            Sync { device: SECOND },
        ],
    },
    Case {
        name: "one is written to while connecting and disconnecting",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Connect { device: SECOND },
            Disconnect { device: SECOND },
        ],
    },
    Case {
        name: "one writes while its own connection closes and its login is extended",
        prior: 1,
        proposal: false,
        operations: &[
            Send { device: FIRST, words: 0 },
            Disconnect { device: FIRST },
            Reauth { device: FIRST },
        ],
    },
    Case {
        name: "a proposal is accepted, declined and withdrawn at once",
        prior: 0,
        proposal: true,
        operations: &[
            Answer { device: SECOND, words: 0, verdict: Verdict::Accepted },
            Answer { device: SECOND, words: 1, verdict: Verdict::Declined },
            Answer { device: FIRST, words: 2, verdict: Verdict::Withdrawn },
        ],
    },
    Case {
        name: "one edits and deletes a message from two devices at once",
        prior: 1,
        proposal: false,
        operations: &[
            Change { device: SECOND, words: 0, what: WhatChanges::Edit },
            Change { device: SECOND_AGAIN, words: 1, what: WhatChanges::Delete },
        ],
    },
    Case {
        name: "one edits a message while the other one reacts to it",
        prior: 1,
        proposal: false,
        operations: &[
            Change { device: SECOND, words: 0, what: WhatChanges::Edit },
            Change { device: FIRST, words: 1, what: WhatChanges::React(1) },
        ],
    },
    Case {
        name: "one deletes a message while the other one syncs",
        prior: 1,
        proposal: false,
        operations: &[Change { device: SECOND, words: 0, what: WhatChanges::Delete }, Sync { device: FIRST }],
    },
];
