//! What an image's file says of itself: whether it is one, how large, and whether it tells where it was taken.
//!
//! Every format is walked from its first byte to its last, so that nothing hides behind an image, and so that no block of
//! metadata is missed, wherever it stands. Pixels are not decoded.

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
    match kind {
        ImageType::Jpeg => jpeg::examine(file),
        ImageType::Png => png::examine(file),
        ImageType::Webp => webp::examine(file),
        ImageType::Gif => gif::examine(file),
    }
}

/// How a web page begins, and what runs in one. No image needs them in its remarks.
const MARKUP: [&[u8]; 6] = [b"<!doctype", b"<html", b"<body", b"<script", b"<iframe", b"<svg"];

fn holds(block: &[u8], needle: &[u8]) -> bool {
    block.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// Checks a block that is not pixels: whoever opens the file as something else must find nothing there.
fn check_remark(block: &[u8]) -> Result<(), AttachmentRefused> {
    let markup = MARKUP.iter().any(|needle| holds(block, needle));
    if markup { Err(AttachmentRefused::Broken) } else { Ok(()) }
}

/// Checks readable metadata, such as XMP, whose names for a place all begin like this: `exif:GPSLatitude`.
fn check_words(block: &[u8]) -> Result<(), AttachmentRefused> {
    check_remark(block)?;
    if holds(block, b"GPS") { Err(AttachmentRefused::Location) } else { Ok(()) }
}
