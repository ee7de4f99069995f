//! The words that a file may hold outside its pixels.

use crate::AttachmentRefused;

/// The tags that a web page is made of. No image needs them in its remarks.
const TAGS: [&[u8]; 7] = [b"!doctype", b"html", b"body", b"script", b"iframe", b"svg", b"img"];

/// The tags that may not appear among pixels either. Of random bytes, one place in 2^41 reads `<html` with an
/// end behind it, which is one file of 10 MiB in 240,000; the other tags appear far less often. `<svg` would
/// appear in one file of 1,900.
pub(super) const LONG_TAGS: [&[u8]; 4] = [b"!doctype", b"html", b"script", b"iframe"];

/// How names of a place begin in XML, such as `exif:GPSLatitude`. The three letters alone appear by chance
/// where there is no text.
const NAMES: [&[u8]; 2] = [b":GPS", b"<GPS"];

/// How a whole Exif begins, in a JPEG and among Photoshop's image resources. The JPEG of a thumbnail may not
/// have one (CIPA DC-008). So nothing reads it here: either somebody hid a place in it, or a program does as
/// it likes.
const EXIF: [&[u8]; 3] = [b"Exif\0", b"8BIM\x04\x22", b"8BIM\x04\x23"];

pub(super) fn holds(block: &[u8], needle: &[u8]) -> bool {
    block.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// Whether one of these tags begins in `block`, with a name that ends as in HTML.
pub(super) fn has_tag(block: &[u8], tags: &[&[u8]]) -> bool {
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
pub(super) fn check_remark(block: &[u8]) -> Result<(), AttachmentRefused> {
    if has_tag(block, &TAGS) { Err(AttachmentRefused::Broken) } else { Ok(()) }
}

/// Checks readable metadata, such as XMP.
pub(super) fn check_words(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    if holds(&letters(block), b"GPS") { Err(AttachmentRefused::Location) } else { Ok(()) }
}

/// Checks metadata in a form that cannot be read here, and that may contain readable metadata.
pub(super) fn check_opaque(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    let letters = letters(block);
    let tells = NAMES.iter().any(|name| holds(&letters, name)) || EXIF.iter().any(|exif| holds(block, exif));
    if tells { Err(AttachmentRefused::Location) } else { Ok(()) }
}
