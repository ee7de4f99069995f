//! Checks the file of an image: whether it is one, how large the image is, and whether the file tells where
//! it was taken.
//!
//! Each format is read from its first byte to its last, so that nothing is hidden behind an image and no
//! metadata is missed. Pixels are not decoded.
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
mod webp;

use super::attachment_refused::AttachmentRefused;
use super::image_type::ImageType;

/// What was found in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The width in pixels.
    width: u32,
    /// The height in pixels.
    height: u32,
    /// Whether the image is shown lying on its side, so that width and height change places.
    turned: bool,
}

impl Seen {
    fn new(width: impl Into<u32>, height: impl Into<u32>) -> Self {
        Self { width: width.into(), height: height.into(), turned: false }
    }

    fn turned(self, turned: bool) -> Self {
        Self { turned: self.turned || turned, ..self }
    }

    /// Whether the image has this width and height, as it is stored or as it is shown.
    pub(super) fn is(self, width: u32, height: u32) -> bool {
        (self.width, self.height) == (width, height)
            || self.turned && (self.height, self.width) == (width, height)
    }
}

/// Looks through a whole file.
///
/// # Errors
/// [`AttachmentRefused::Broken`], [`AttachmentRefused::Location`].
pub(super) fn examine(kind: ImageType, file: &[u8]) -> Result<Seen, AttachmentRefused> {
    if has_tag(file, &LONG_TAGS) || holds(file, b"onerror=") {
        return Err(AttachmentRefused::Broken);
    }
    match kind {
        ImageType::Jpeg => jpeg::examine(file),
        ImageType::Png => png::examine(file),
        ImageType::Webp => webp::examine(file),
        ImageType::Gif => gif::examine(file),
    }
}

/// The tags that a web page is made of. No image needs them in its remarks.
const TAGS: [&[u8]; 7] = [b"!doctype", b"html", b"body", b"script", b"iframe", b"svg", b"img"];

/// The tags that may not appear among pixels either. Of random bytes, one place in 2^41 reads `<html` with an
/// end behind it, which is one file of 10 MiB in 240,000; the other tags appear far less often. `<svg` would
/// appear in one file of 1,900.
const LONG_TAGS: [&[u8]; 4] = [b"!doctype", b"html", b"script", b"iframe"];

/// How names of a place begin in XML, such as `exif:GPSLatitude`. The three letters alone appear by chance
/// where there is no text.
const NAMES: [&[u8]; 2] = [b":GPS", b"<GPS"];

/// How a whole Exif begins, in a JPEG and among Photoshop's image resources. The JPEG of a thumbnail may not
/// have one (CIPA DC-008). So nothing reads it here: either somebody hid a place in it, or a program does as
/// it likes.
const EXIF: [&[u8]; 3] = [b"Exif\0", b"8BIM\x04\x22", b"8BIM\x04\x23"];

fn holds(block: &[u8], needle: &[u8]) -> bool {
    block.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// Whether one of these tags begins in `block`, with a name that ends as in HTML.
fn has_tag(block: &[u8], tags: &[&[u8]]) -> bool {
    let is_end = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x0C | b'\r' | b' ' | b'/' | b'>');
    let is_tag = |behind: &[u8], tag: &&[u8]| {
        behind
            .split_at_checked(tag.len())
            .is_some_and(|(name, rest)| name.eq_ignore_ascii_case(tag) && rest.first().is_none_or(is_end))
    };
    let mut behind = block;
    while let Some(at) = behind.iter().position(|byte| *byte == b'<') {
        behind = &behind[at + 1..];
        if tags.iter().any(|tag| is_tag(behind, tag)) {
            return true;
        }
    }
    false
}

/// The block without the zeros between ASCII letters in UTF-16 and UTF-32, in either byte order.
fn letters(block: &[u8]) -> Vec<u8> {
    block.iter().copied().filter(|byte| *byte != 0).collect()
}

/// Checks a block that is not pixels: whoever opens the file as something else must find nothing there.
fn check_remark(block: &[u8]) -> Result<(), AttachmentRefused> {
    if has_tag(block, &TAGS) { Err(AttachmentRefused::Broken) } else { Ok(()) }
}

/// Checks readable metadata, such as XMP.
fn check_words(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    if holds(&letters(block), b"GPS") { Err(AttachmentRefused::Location) } else { Ok(()) }
}

/// Checks metadata in a form that cannot be read here, and that may contain readable metadata.
fn check_opaque(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    let letters = letters(block);
    let tells = NAMES.iter().any(|name| holds(&letters, name)) || EXIF.iter().any(|exif| holds(block, exif));
    if tells { Err(AttachmentRefused::Location) } else { Ok(()) }
}
