use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::attachment_refused::{AttachmentRefused, IMAGE_MAX_BYTES, IMAGE_MAX_SIDE, image_pixels_max};
use super::download::requests_of_bytes;
use super::image;
use super::image_type::ImageType;
use super::proposal::IN_DOUBT_FOR;
use super::room_id::{Member, RoomId};
use super::tag::{Tag, parse_hex};
use super::text::BoundedText;
use super::{email::Email, timestamp::Timestamp};

/// How long an upload URL is valid.
pub const UPLOAD_URL_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long a download URL is valid.
pub const DOWNLOAD_URL_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long an upload that no message shows is kept at least. S3 deletes by full days.
pub const UPLOAD_KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// How long after its upload an image may be shown for the first time. An hour less than it is kept: by then
/// nothing can be about to delete it.
pub const UPLOAD_SHOWN_WITHIN: Duration = Duration::from_secs(23 * 3_600);
/// The longest description of an image, in bytes. A client checks it before it announces the image.
pub const ALT_TEXT_MAX_BYTES: usize = 1_000;

/// A description of an image for those who do not see it.
pub type AltText = BoundedText<ALT_TEXT_MAX_BYTES>;

/// The name of an uploaded object.
///
/// - The server mints it for one room, one uploader and so many bytes, with 128 random bits:
///   `<tag>-<tag>-<a|b>-<random>-<bytes>.<extension>`, where the tags are those of the members' addresses.
/// - The key alone tells whose object it is and how large, so a download is answered, refused and counted
///   without a lookup. Whoever makes up another number names another object, which is not there.
/// - Keys of earlier versions have no number of bytes, and are read as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentKey {
    text: String,
    members: (Tag, Tag),
    uploader: Member,
    size_bytes: Option<u64>,
    kind: ImageType,
}

impl AttachmentKey {
    /// A new key for an upload of this image by `uploader` to `room`; `random` is 128 fresh random bits.
    #[must_use]
    pub fn mint(room: &RoomId, uploader: Member, facts: ImageFacts, random: u128) -> Self {
        let members = (room.email(Member::A).tag(), room.email(Member::B).tag());
        let place = match uploader {
            Member::A => 'a',
            Member::B => 'b',
        };
        let ImageFacts { kind, size_bytes, .. } = facts;
        let extension = kind.extension();
        let text = format!("{}-{}-{place}-{random:032x}-{size_bytes}.{extension}", members.0, members.1);
        Self { text, members, uploader, size_bytes: Some(size_bytes), kind }
    }

    /// The key as text, which is also the object's name in the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The type of image that the key was minted for.
    #[must_use]
    pub fn kind(&self) -> ImageType {
        self.kind
    }

    /// For how many requests a URL to open the image counts. An image of which nobody
    /// knows how large it is counts as the largest.
    #[must_use]
    pub fn requests_to_open(&self) -> u32 {
        requests_of_bytes(self.size_bytes.unwrap_or(IMAGE_MAX_BYTES))
    }

    /// Whether the key was minted for an upload by `uploader` to `room`.
    #[must_use]
    pub fn is_by(&self, room: &RoomId, uploader: Member) -> bool {
        self.members == (room.email(Member::A).tag(), room.email(Member::B).tag())
            && self.uploader == uploader
    }

    /// Whether the key was minted for an upload by this user, to whichever room.
    #[must_use]
    pub fn is_uploaded_by(&self, email: &Email) -> bool {
        let uploader = match self.uploader {
            Member::A => self.members.0,
            Member::B => self.members.1,
        };
        uploader == email.tag()
    }

    /// Whether `email` is one of the two members of the key's room. Whoever hands out a URL asks this first.
    #[must_use]
    pub fn is_visible_to(&self, email: &Email) -> bool {
        let tag = email.tag();
        self.members.0 == tag || self.members.1 == tag
    }
}

impl FromStr for AttachmentKey {
    type Err = AttachmentRefused;

    fn from_str(text: &str) -> Result<Self, AttachmentRefused> {
        let parse = || {
            let (name, extension) = text.split_once('.')?;
            let mut parts = name.split('-');
            let members = (Tag::from_hex(parts.next()?)?, Tag::from_hex(parts.next()?)?);
            let uploader = match parts.next()? {
                "a" => Member::A,
                "b" => Member::B,
                _ => return None,
            };
            parse_hex(parts.next()?)?;
            let size_bytes = match parts.next() {
                None => None,
                Some(size) => Some(parse_size(size)?),
            };
            let kind = ImageType::ALL.into_iter().find(|kind| kind.extension() == extension)?;
            let complete = parts.next().is_none();
            complete.then(|| Self { text: text.to_owned(), members, uploader, size_bytes, kind })
        };
        parse().ok_or(AttachmentRefused::Key)
    }
}

/// Reads the number of bytes in a key, each of which has one text.
fn parse_size(text: &str) -> Option<u64> {
    let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let size = text.parse().ok().filter(|_| canonical)?;
    (1..=IMAGE_MAX_BYTES).contains(&size).then_some(size)
}

impl fmt::Display for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a client announces of an image before it uploads it. The upload URL takes nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    kind: ImageType,
    size_bytes: u64,
    width_px: u32,
    height_px: u32,
}

impl ImageFacts {
    /// Checks what a client announces.
    ///
    /// # Errors
    /// [`AttachmentRefused::Size`] or [`AttachmentRefused::Sides`].
    pub fn new(
        kind: ImageType,
        size_bytes: u64,
        width_px: u32,
        height_px: u32,
    ) -> Result<Self, AttachmentRefused> {
        if !(1..=IMAGE_MAX_BYTES).contains(&size_bytes) {
            return Err(AttachmentRefused::Size);
        }
        let pixels = u64::from(width_px) * u64::from(height_px);
        let sides = [width_px, height_px].into_iter().all(|side| (1..=IMAGE_MAX_SIDE).contains(&side));
        if !sides || pixels > image_pixels_max(size_bytes) {
            return Err(AttachmentRefused::Sides);
        }
        Ok(Self { kind, size_bytes, width_px, height_px })
    }

    /// The type of the image.
    #[must_use]
    pub fn kind(&self) -> ImageType {
        self.kind
    }

    /// The exact length in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The width in pixels.
    #[must_use]
    pub fn width_px(&self) -> u32 {
        self.width_px
    }

    /// The height in pixels.
    #[must_use]
    pub fn height_px(&self) -> u32 {
        self.height_px
    }
}

/// An uploaded image that a message shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The name of the object with the bytes.
    pub key: AttachmentKey,
    /// Type, length and sides of the image.
    pub facts: ImageFacts,
    /// What the image shows, in words.
    pub alt: Option<AltText>,
}

impl Attachment {
    /// Checks, by the key alone, that `uploader` may show this attachment in `room` and that its type is the
    /// one in the key.
    ///
    /// # Errors
    /// [`AttachmentRefused::Key`].
    pub fn check_owner(&self, room: &RoomId, uploader: Member) -> Result<(), AttachmentRefused> {
        let fits = self.key.is_by(room, uploader) && self.key.kind() == self.facts.kind();
        if fits { Ok(()) } else { Err(AttachmentRefused::Key) }
    }

    /// Checks at `now`, from its first byte to its last, that the uploaded object is the announced one.
    ///
    /// # Errors
    /// [`AttachmentRefused::Differs`], [`AttachmentRefused::Broken`], [`AttachmentRefused::Location`],
    /// [`AttachmentRefused::Lapsed`], [`AttachmentRefused::InDoubt`].
    pub fn check_object(&self, stored: &StoredObject, now: Timestamp) -> Result<(), AttachmentRefused> {
        let ImageFacts { kind, size_bytes, width_px, height_px } = self.facts;
        let same = stored.size_bytes == size_bytes
            && stored.content_type == kind.as_str()
            && ImageType::from_signature(&stored.bytes) == Some(kind);
        if !same {
            return Err(AttachmentRefused::Differs);
        }
        if !image::examine(kind, &stored.bytes)?.is(width_px, height_px) {
            return Err(AttachmentRefused::Differs);
        }
        let lapses_at = stored.uploaded_at.after(UPLOAD_SHOWN_WITHIN);
        if now < lapses_at {
            Ok(())
        } else if now < lapses_at.after(IN_DOUBT_FOR) {
            Err(AttachmentRefused::InDoubt)
        } else {
            Err(AttachmentRefused::Lapsed)
        }
    }
}

/// What a store knows of an uploaded object: what it is checked by before a message may show it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The content type it was uploaded with.
    pub content_type: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// When it was uploaded, by the store's clock, which may know full seconds only.
    pub uploaded_at: Timestamp,
    /// The whole object, or its first [`IMAGE_MAX_BYTES`] when it is longer.
    pub bytes: Vec<u8>,
}

/// Shows everything but the bytes.
impl fmt::Debug for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredObject")
            .field("content_type", &self.content_type)
            .field("size_bytes", &self.size_bytes)
            .field("uploaded_at", &self.uploaded_at)
            .finish_non_exhaustive()
    }
}

/// A URL that carries its own permission, for a while. Hand it to the client that asked, and to nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedUrl {
    /// The URL with its signature.
    pub url: String,
    /// The headers a request to it must carry, as name and value.
    pub headers: Vec<(String, String)>,
    /// The first instant at which it works no more.
    pub expires_at: Timestamp,
}
