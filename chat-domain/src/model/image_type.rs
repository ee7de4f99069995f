use std::str::FromStr;

use super::attachment_refused::AttachmentRefused;

/// How many of an object's first bytes tell its type: a RIFF header with the `WEBP` mark is the longest
/// signature.
pub const SIGNATURE_BYTES: usize = 12;

/// The kinds of images that may be sent. SVG and HTML are absent on purpose: they can carry scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// A photo, usually: `image/jpeg`.
    Jpeg,
    /// Lossless, such as a screenshot: `image/png`.
    Png,
    /// A still or moving image: `image/webp`.
    Webp,
    /// A still or moving image: `image/gif`.
    Gif,
}

impl ImageType {
    pub(super) const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Gif];

    /// The MIME type, such as `image/png`, for frames and for the headers of an upload.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    /// The type that the first [`SIGNATURE_BYTES`] of a file reveal, whatever its name or header claims.
    #[must_use]
    pub fn from_signature(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }
}

impl FromStr for ImageType {
    type Err = AttachmentRefused;

    fn from_str(text: &str) -> Result<Self, AttachmentRefused> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(AttachmentRefused::Type)
    }
}
