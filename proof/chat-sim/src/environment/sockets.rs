//! WebSockets, of which the gateway has one end and a client the other.

use chat_domain::{ConnectionId, Timestamp};

use crate::ids::{DeviceId, Id as _, RegionId, SocketId, User, numbered};

/// A WebSocket, as the gateway and the client see it.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) id: ConnectionId,
    pub(crate) user: User,
    pub(crate) device: DeviceId,
    /// In which region it ends.
    pub(crate) region: RegionId,
    /// Which life of the device opened it.
    pub(crate) epoch: u32,
    pub(crate) at_gateway: End,
    pub(crate) at_client: bool,
    pub(crate) connected_at: Timestamp,
    /// The latest expiry of any good token that was presented on it.
    pub(crate) fresh_until: Timestamp,
    /// Its client gave it up while it was being opened.
    pub(crate) aborted: bool,
    /// It is one of many that only listen.
    pub(crate) silent: bool,
    /// When the latest push arrives, which later ones do not overtake.
    pub(crate) arrives_ms: i64,
    /// When a push arrives that others are to overtake.
    pub(crate) held_until_ms: i64,
}

impl Socket {
    /// A socket that is being opened.
    pub(crate) fn opening(
        number: SocketId,
        user: User,
        device: DeviceId,
        epoch: u32,
        connected_at: Timestamp,
    ) -> Self {
        Self {
            id: ConnectionId::new(numbered("socket-", number)),
            user,
            device,
            region: RegionId::new(0),
            epoch,
            at_gateway: End::Opening,
            at_client: true,
            connected_at,
            fresh_until: Timestamp::MIN,
            aborted: false,
            silent: false,
            arrives_ms: 0,
            held_until_ms: 0,
        }
    }
}

/// The gateway's end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Opening,
    Open,
    Closed,
}
