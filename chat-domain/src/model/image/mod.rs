//! What an image's file says of itself: whether it is one, how large, and whether it tells where it was taken.
//!
//! Every format is walked from its first byte to its last, so that nothing stands behind an image, and its metadata is found
//! wherever it stands. Pixels are not decoded.
//!
//! What is looked for: a GPS directory in Exif, names that begin with `GPS` in XMP or other words, and what may hold either and
//! is not read. Not looked for: places under other names (`photoshop:City`, IPTC), and what a camera's maker writes in a form of
//! its own. A web page that was compressed, or that is spelled by pixels made for it, cannot be told from an image.

mod exif;
mod gif;
mod jpeg;
mod png;
mod reader;
mod webp;

use super::attachment::{AttachmentRefused, ImageType};

/// What was found in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// In pixels.
    width: u32,
    /// In pixels.
    height: u32,
    /// Whether it is shown lying on its side, so that width and height change places.
    turned: bool,
}

impl Seen {
    fn new(width: impl Into<u32>, height: impl Into<u32>) -> Self {
        Self { width: width.into(), height: height.into(), turned: false }
    }

    fn turned(self, turned: bool) -> Self {
        Self { turned: self.turned || turned, ..self }
    }

    /// Whether these are its width and height, as stored or as shown.
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

/// What a web page is made of. No image needs them in its remarks.
const TAGS: [&[u8]; 7] = [b"!doctype", b"html", b"body", b"script", b"iframe", b"svg", b"img"];

/// Those that may not stand in pixels either. In a file of random bytes `<html` and what ends it comes up once in 2^41: in one of
/// 240,000 files of 10 MiB, and the others far less often. `<svg` would in one of 1,900.
const LONG_TAGS: [&[u8]; 4] = [b"!doctype", b"html", b"script", b"iframe"];

/// Names for a place where they are written in XML: `exif:GPSLatitude`. Three letters alone come up by chance in what is no text.
const NAMES: [&[u8]; 2] = [b":GPS", b"<GPS"];

/// What a whole Exif begins with: in a JPEG, and among Photoshop's image resources. A thumbnail is a JPEG that may not have one
/// (CIPA DC-008), so this is not read: it is a place that somebody put there, or a program that does as it likes.
const EXIF: [&[u8]; 3] = [b"Exif\0", b"8BIM\x04\x22", b"8BIM\x04\x23"];

fn holds(block: &[u8], needle: &[u8]) -> bool {
    block.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// Whether one of these tags begins in it, and its name ends as HTML has it.
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

/// Without the zeros that stand between ASCII letters in UTF-16 and UTF-32, in either byte order.
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

/// Checks metadata in a form that is not read here, which may hold readable metadata.
fn check_opaque(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    let letters = letters(block);
    let tells = NAMES.iter().any(|name| holds(&letters, name)) || EXIF.iter().any(|exif| holds(block, exif));
    if tells { Err(AttachmentRefused::Location) } else { Ok(()) }
}
