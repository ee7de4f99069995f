//! JPEG (ITU-T T.81): segments that begin with a marker, and coded pixels between them.

use super::reader::Reader;
use super::{Seen, check_remark, check_words, exif};
use crate::AttachmentRefused;

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const COMMENT: u8 = 0xFE;

/// Before a part of an XMP packet that was too long for one segment: its name, which packet, how long, and where.
const EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const EXTENSION_HEADER_BYTES: usize = EXTENSION.len() + 32 + 4 + 4;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(&[0xFF, START])?;
    let (mut seen, mut turned, mut has_pixels) = (None, false, false);
    let mut extended = Vec::new();
    loop {
        let marker = marker(&mut rest)?;
        if marker == END {
            break;
        }
        let length = usize::from(rest.u16_be()?).checked_sub(2).ok_or(AttachmentRefused::Broken)?;
        let segment = rest.take(length)?;
        match marker {
            // Every way of coding has a start of frame of its own; between them stand tables (C4, CC) and a reserve (C8).
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let frame = frame(segment)?;
                if seen.replace(frame).is_some() {
                    return Err(AttachmentRefused::Broken);
                }
            }
            SCAN => {
                has_pixels = true;
                skip_pixels(&mut rest);
            }
            APP1 => {
                if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
                    check_remark(tiff)?;
                    turned |= exif::examine(tiff)?;
                } else if segment.starts_with(EXTENSION) {
                    extended.extend_from_slice(segment.get(EXTENSION_HEADER_BYTES..).unwrap_or_default());
                } else {
                    check_words(segment)?;
                }
            }
            APP2 if segment.starts_with(b"ICC_PROFILE\0") => {}
            0xE0..=0xEF => check_remark(segment)?,
            COMMENT => check_words(segment)?,
            // Tables, and how often to restart.
            0xC4 | 0xCC | 0xDB | 0xDD => {}
            _ => return Err(AttachmentRefused::Broken),
        }
    }
    check_words(&extended)?;
    rest.end()?;
    seen.filter(|_| has_pixels).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

/// A marker, which any number of `FF` may precede.
fn marker(rest: &mut Reader<'_>) -> Result<u8, AttachmentRefused> {
    rest.expect(&[0xFF])?;
    loop {
        match rest.byte()? {
            0xFF => {}
            marker => return Ok(marker),
        }
    }
}

/// Height and width behind the precision. A height that comes later, of 0, nobody writes.
fn frame(segment: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut segment = Reader(segment);
    segment.byte()?;
    let (height, width) = (segment.u16_be()?, segment.u16_be()?);
    Ok(Seen::new(width, height))
}

/// Up to the next marker. In coded pixels `FF` is followed by `00`, or restarts them (`D0` to `D7`).
fn skip_pixels(rest: &mut Reader<'_>) {
    let is_marker = |pair: &[u8]| matches!(pair, [0xFF, next] if !matches!(next, 0x00 | 0xD0..=0xD7));
    let end = rest.0.windows(2).position(is_marker).unwrap_or(rest.0.len());
    rest.0 = &rest.0[end..];
}
