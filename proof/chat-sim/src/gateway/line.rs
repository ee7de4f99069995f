//! What a client has of the world: on its line it sends and asks, sets timers, and signs in.

use std::fmt;
use std::ops::Range;

use chat_domain::{ClientMessageId, Timestamp};
use chat_wire::table::ClientFrame;

use super::{About, Asker, DeviceLife, Gateway, HttpRequest, Request};
use crate::directory::Directory;
use crate::environment::{Happening, Timer};
use crate::ids::{DeviceId, IntentId, SocketId, TokenId, User};
use crate::observations::{Observation, Says, Written};

/// The line of a device to the gateway.
pub(crate) struct Line<'a> {
    gateway: &'a mut Gateway,
    device: DeviceId,
    user: User,
}

impl<'a> Line<'a> {
    pub(crate) fn of(gateway: &'a mut Gateway, device: DeviceId, user: User) -> Self {
        Self { gateway, device, user }
    }

    pub(crate) fn device(&self) -> DeviceId {
        self.device
    }

    pub(crate) fn directory(&self) -> &Directory {
        self.gateway.directory()
    }

    /// The user's own address.
    pub(crate) fn me(&self) -> &str {
        self.directory().email(self.user).as_str()
    }

    /// With whom the user shares a room.
    pub(crate) fn peer_in(&self, room: &str) -> Option<User> {
        self.directory().peer_in(self.user, room)
    }

    pub(crate) fn note(&self, line: fmt::Arguments<'_>) {
        self.gateway.environment().note(line);
    }

    pub(crate) fn random_ms(&mut self, range: Range<i64>) -> i64 {
        self.gateway.environment().random_ms(range)
    }

    /// Sets a timer, which fires in this life of the client's only.
    pub(crate) fn set_timer(&mut self, epoch: u32, delay_ms: i64, timer: Timer) {
        self.gateway.environment().after(delay_ms, Happening::Timer(self.device, epoch, timer));
    }

    pub(crate) fn has_expired(&self, token: TokenId) -> bool {
        self.gateway.environment().has_expired(token)
    }

    pub(crate) fn sign_in(&mut self) -> TokenId {
        self.gateway.environment().sign_in(self.user)
    }

    pub(crate) fn connect(&mut self, epoch: u32, token: TokenId) -> SocketId {
        let life = DeviceLife { device: self.device, user: self.user, epoch };
        self.gateway.connect(life, token, false).0
    }

    pub(crate) fn drop_socket(&mut self, socket: SocketId) {
        self.gateway.drop_socket(socket);
    }

    /// Sends a frame to the gateway, which may lose it.
    pub(crate) fn send(
        &mut self,
        socket: SocketId,
        frame: &ClientFrame,
        about: About,
        token: Option<TokenId>,
    ) {
        let text = serde_json::to_string(frame).expect("strings always serialise");
        self.gateway.frame(socket, text, token, Asker::Frame(socket, about));
    }

    /// Makes a request by REST.
    pub(crate) fn request(
        &mut self,
        epoch: u32,
        request: Request,
        http: HttpRequest,
        token: TokenId,
        retried: bool,
    ) {
        let asker = Asker::Rest { device: self.device, epoch, request, retried };
        self.gateway.rest(self.user, http, token, asker);
    }

    /// The user writes something, which gets an id.
    pub(crate) fn write(&mut self, peer: User, says: Says) -> (IntentId, ClientMessageId) {
        let mut environment = self.gateway.environment();
        let id = environment.next_message_id();
        let intent = environment.write(&Written {
            user: self.user,
            peer,
            device: Some(self.device),
            id: Some(id),
            says,
            unattended: false,
            without_after: false,
        });
        (intent, id)
    }

    /// The client has found what it wrote among the messages of its room.
    pub(crate) fn found(&mut self, intent: IntentId, at: Timestamp, seq: u64) {
        self.gateway.environment().observe(&Observation::Found { intent, at, seq });
    }

    /// The user wants to mark a room as read.
    pub(crate) fn wants_mark(&mut self, peer: User, up_to: Timestamp) {
        let user = self.user;
        self.gateway.environment().observe(&Observation::MarkWanted { user, peer, up_to });
    }
}
