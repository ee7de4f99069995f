//! Who chats with whom: the users of a schedule, their addresses, and the room of each two of them.

use chat_domain::{Email, Member, RoomId};

use crate::ids::{Id, IdVec, User};

/// The addresses of the users of a schedule, of whom it has the first two or all.
const ADDRESSES: [&str; 3] = ["minji@example.com", "junho@example.com", "team@example.com"];

/// The room of two users.
#[derive(Debug)]
pub(crate) struct NamedRoom {
    /// The lower number comes first.
    members: (User, User),
    pub(crate) room: RoomId,
    /// What the room is called on the wire.
    pub(crate) name: String,
}

/// Everybody, and every room that there can be.
#[derive(Debug)]
pub(crate) struct Directory {
    emails: IdVec<User, Email>,
    rooms: Vec<NamedRoom>,
}

impl Directory {
    /// The directory of so many users.
    pub(crate) fn of(users: usize) -> Self {
        let emails: IdVec<User, Email> =
            ADDRESSES[..users].iter().map(|user| user.parse().expect("they are addresses")).collect();
        let pairs = emails.ids().flat_map(|other| (0..other.index()).map(move |one| (User::new(one), other)));
        let rooms = pairs.map(|(one, other)| {
            let room = RoomId::new(&emails[one], &emails[other]).expect("they are different users");
            NamedRoom { members: (one, other), name: room.to_string(), room }
        });
        Self { rooms: rooms.collect(), emails }
    }

    pub(crate) fn everybody(&self) -> impl DoubleEndedIterator<Item = User> + use<> {
        self.emails.ids()
    }

    pub(crate) fn email(&self, user: User) -> &Email {
        &self.emails[user]
    }

    pub(crate) fn user(&self, email: &Email) -> Option<User> {
        self.user_called(email.as_str())
    }

    pub(crate) fn user_called(&self, email: &str) -> Option<User> {
        self.emails.enumerated().find_map(|(user, known)| (known.as_str() == email).then_some(user))
    }

    pub(crate) fn rooms(&self) -> &[NamedRoom] {
        &self.rooms
    }

    /// Where the room of two users stands among the [`rooms`](Self::rooms).
    pub(crate) fn index_of(&self, one: User, other: User) -> usize {
        let members = (one.min(other), one.max(other));
        let index = self.rooms.iter().position(|named| named.members == members);
        index.expect("they are different users")
    }

    fn named_room(&self, one: User, other: User) -> &NamedRoom {
        &self.rooms[self.index_of(one, other)]
    }

    pub(crate) fn room_of(&self, one: User, other: User) -> &RoomId {
        &self.named_room(one, other).room
    }

    /// What the room of two users is called on the wire.
    pub(crate) fn name_of(&self, one: User, other: User) -> &str {
        &self.named_room(one, other).name
    }

    /// Which member of the room that they share the first one is.
    pub(crate) fn member(&self, one: User, other: User) -> Member {
        self.room_of(one, other).member(&self.emails[one]).expect("it is their room")
    }

    /// Who share the room that is called so.
    pub(crate) fn members_of(&self, name: &str) -> Option<(User, User)> {
        self.rooms.iter().find(|named| named.name == name).map(|named| named.members)
    }

    /// With whom a user shares the room that is called so.
    pub(crate) fn peer_in(&self, user: User, name: &str) -> Option<User> {
        match self.members_of(name)? {
            (one, other) if one == user => Some(other),
            (one, other) if other == user => Some(one),
            _ => None,
        }
    }
}
