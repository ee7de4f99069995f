use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use super::email::{Email, EmailError};
use super::tag::Tag;
use super::timestamp::Day;

/// The name of the one room that two users share: their addresses, sorted and joined with `#`, as the seed
/// has it (`[emailA, emailB].sort().join('#')`).
///
/// - The two addresses differ.
/// - Both users get the same id, and no other pair does: a domain has no `#`, so it ends at the first one.
///
/// ```
/// use chat_domain::{Email, RoomId};
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let room = RoomId::new(&minji, &junho)?;
/// assert_eq!(room.to_string(), "junho@example.com#minji@example.com");
/// assert_eq!(room, RoomId::new(&junho, &minji)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(PerMember<Email>);

/// Why two addresses or a text name no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoomIdError {
    /// Both addresses are the same.
    #[error("a room has two different members")]
    SelfChat,
    /// The text is not two addresses joined with `#`.
    #[error("a room id is two addresses joined with #")]
    Shape,
    /// One of the two is no address.
    #[error("a room id holds a malformed address")]
    Email(#[source] EmailError),
    /// The addresses are not in their canonical form, or not sorted.
    #[error("a room id is in canonical form")]
    NotCanonical,
}

/// One of the two members of a room, by place in the sorted pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The member whose address sorts first.
    A,
    /// The member whose address sorts last.
    B,
}

impl Member {
    /// The other member of the room.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One value for each member of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerMember<T> {
    /// The value of [`Member::A`].
    pub a: T,
    /// The value of [`Member::B`].
    pub b: T,
}

impl<T> Index<Member> for PerMember<T> {
    type Output = T;

    fn index(&self, member: Member) -> &T {
        match member {
            Member::A => &self.a,
            Member::B => &self.b,
        }
    }
}

impl<T> IndexMut<Member> for PerMember<T> {
    fn index_mut(&mut self, member: Member) -> &mut T {
        match member {
            Member::A => &mut self.a,
            Member::B => &mut self.b,
        }
    }
}

impl RoomId {
    /// The room of two users, in whichever order they are given.
    ///
    /// # Errors
    /// [`RoomIdError::SelfChat`] when they are the same user.
    pub fn new(one: &Email, other: &Email) -> Result<Self, RoomIdError> {
        let (a, b) = match one.cmp(other) {
            std::cmp::Ordering::Less => (one, other),
            std::cmp::Ordering::Equal => return Err(RoomIdError::SelfChat),
            std::cmp::Ordering::Greater => (other, one),
        };
        Ok(Self(PerMember { a: a.clone(), b: b.clone() }))
    }

    /// The address of a member.
    #[must_use]
    pub fn email(&self, member: Member) -> &Email {
        &self.0[member]
    }

    /// The room of `caller` and `peer`, and which of its members the caller is.
    pub(crate) fn between(caller: &Email, peer: &Email) -> Result<(Self, Member), RoomIdError> {
        let room = Self::new(caller, peer)?;
        let member = room.member(caller).expect("the room was made of the caller's address");
        Ok((room, member))
    }

    /// Which member this address is; `None` for an outsider, who may see nothing of the room.
    #[must_use]
    pub fn member(&self, email: &Email) -> Option<Member> {
        [Member::A, Member::B].into_iter().find(|member| self.email(*member) == email)
    }

    /// A short fixed-width stand-in for the id, where the addresses in it must not be seen or would take too
    /// much room: in logs and keys of indexes.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(&self.to_string())
    }
}

impl FromStr for RoomId {
    type Err = RoomIdError;

    fn from_str(text: &str) -> Result<Self, RoomIdError> {
        let at = text.find('@').ok_or(RoomIdError::Shape)?;
        let end_of_first = at + text[at..].find('#').ok_or(RoomIdError::Shape)?;
        let first: Email = text[..end_of_first].parse().map_err(RoomIdError::Email)?;
        let second: Email = text[end_of_first + 1..].parse().map_err(RoomIdError::Email)?;
        let room = Self::new(&first, &second)?;
        if room.to_string() == text { Ok(room) } else { Err(RoomIdError::NotCanonical) }
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.a.as_str())?;
        f.write_str("#")?;
        f.write_str(self.0.b.as_str())
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a room stands in the lists of its members: by the day of its newest message, then by its tag, so
/// that no two rooms share a place.
///
/// A room moves at most once a day, so most messages cost no write to an index. The text, `YYYY-MM-DD#<tag>`,
/// sorts as the value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Activity {
    /// The day of the room's newest message.
    pub day: Day,
    /// The [`tag`](RoomId::tag) of the room.
    pub room: Tag,
}

/// The text is not `YYYY-MM-DD#<32 hexadecimal digits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an activity has the form YYYY-MM-DD#<32 hexadecimal digits>")]
pub struct ActivityError;

impl FromStr for Activity {
    type Err = ActivityError;

    fn from_str(text: &str) -> Result<Self, ActivityError> {
        let (day, room) = text.split_once('#').ok_or(ActivityError)?;
        Ok(Self {
            day: day.parse().map_err(|_| ActivityError)?,
            room: Tag::from_hex(room).ok_or(ActivityError)?,
        })
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.day, self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::super::email::strategies::email;
    use super::*;
    use proptest::prelude::*;

    #[rstest::rstest]
    #[case::one_address("a@b.c", RoomIdError::Shape)]
    #[case::nothing("", RoomIdError::Shape)]
    #[case::same("a@b.c#a@b.c", RoomIdError::SelfChat)]
    #[case::unsorted("b@b.c#a@b.c", RoomIdError::NotCanonical)]
    #[case::upper_case("A@b.c#b@b.c", RoomIdError::NotCanonical)]
    #[case::malformed("a@b#b@b.c", RoomIdError::Email(EmailError::DomainNotDotted))]
    fn malformed_text_is_refused(#[case] text: &str, #[case] error: RoomIdError) {
        assert_eq!(text.parse::<RoomId>(), Err(error));
    }

    #[test]
    fn an_outsider_is_no_member() {
        let room: RoomId = "a@b.c#b@b.c".parse().unwrap();
        assert_eq!(room.member(&"a@b.c".parse().unwrap()), Some(Member::A));
        assert_eq!(room.member(&"b@b.c".parse().unwrap()), Some(Member::B));
        assert_eq!(room.member(&"c@b.c".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn both_users_get_the_same_room_and_nobody_is_alone(one in email(), other in email()) {
            prop_assert_eq!(RoomId::new(&one, &other), RoomId::new(&other, &one));
            prop_assert_eq!(RoomId::new(&one, &one), Err(RoomIdError::SelfChat));
        }

        #[test]
        fn no_other_pair_gets_the_same_text(w in email(), x in email(), y in email(), z in email()) {
            if let (Ok(one), Ok(other)) = (RoomId::new(&w, &x), RoomId::new(&y, &z)) {
                prop_assert_eq!(one == other, one.to_string() == other.to_string());
            }
        }

        #[test]
        fn text_round_trips(one in email(), other in email()) {
            if let Ok(room) = RoomId::new(&one, &other) {
                prop_assert_eq!(room.to_string().parse(), Ok(room));
            }
        }

        /// JavaScript's default sort compares UTF-16 code units.
        #[test]
        fn the_text_is_what_the_seeds_javascript_makes(one in email(), other in email()) {
            if let Ok(room) = RoomId::new(&one, &other) {
                let mut pair = [one.as_str(), other.as_str()];
                pair.sort_by(|x, y| x.encode_utf16().cmp(y.encode_utf16()));
                prop_assert_eq!(room.to_string(), pair.join("#"));
            }
        }

        #[test]
        fn activity_text_round_trips_and_sorts_as_it_does(
            (x, y, z) in (email(), email(), email()),
            days in 0_i64..40_000,
            more in 0_i64..2,
        ) {
            let activity = |one: &Email, other: &Email, days: i64| {
                let day = crate::Timestamp::from_unix_ms(days * 86_400_000).unwrap().day();
                RoomId::new(one, other).ok().map(|room| Activity { day, room: room.tag() })
            };
            if let (Some(one), Some(other)) = (activity(&x, &y, days), activity(&y, &z, days + more)) {
                prop_assert_eq!(one.to_string().parse(), Ok(one));
                prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
            }
        }

        #[test]
        fn no_text_panics(text in "[a@#.é ]{0,16}") {
            let _ = text.parse::<RoomId>();
            let _ = text.parse::<Activity>();
        }
    }
}
