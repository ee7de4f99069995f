//! Checks the file of an image: whether it is one, how large the image is, and whether the file tells where
//! it was taken.
//!
//! Each format is read from its first byte to its last, so that nothing is hidden behind an image and no
//! metadata is missed. Pixels are not decoded; those of a PNG are inflated, to see that they are no more than
//! they should be.
//!
//! The checks look for a GPS directory in Exif, for names that begin with `GPS` in XMP and other words, and
//! for metadata that may contain either and cannot be read here. They do not look for places under other
//! names (`photoshop:City`, IPTC), nor for what a camera's maker writes in a form of its own. They cannot
//! tell a web page that was compressed, or that pixels were made to spell, from an image.

mod exif;
mod gif;
mod jpeg;
mod png;
mod reader;
mod seen;
mod webp;
mod words;

use self::seen::Seen;
use self::words::{LONG_TAGS, has_tag, holds};
use super::attachment_refused::{AttachmentRefused, image_pixels_max};
use super::image_type::ImageType;

/// Looks through a whole file.
///
/// # Errors
/// [`AttachmentRefused::Broken`], [`AttachmentRefused::Location`].
pub(super) fn examine(kind: ImageType, file: &[u8]) -> Result<Seen, AttachmentRefused> {
    if has_tag(file, &LONG_TAGS) || holds(file, b"onerror=") {
        return Err(AttachmentRefused::Broken);
    }
    let seen = match kind {
        ImageType::Jpeg => jpeg::examine(file),
        ImageType::Png => png::examine(file),
        ImageType::Webp => webp::examine(file),
        ImageType::Gif => gif::examine(file),
    }?;
    let size_bytes = u64::try_from(file.len()).unwrap_or(u64::MAX);
    if seen.frames_pixels <= image_pixels_max(size_bytes) { Ok(seen) } else { Err(AttachmentRefused::Broken) }
}
