//! JPEG (ITU-T T.81): segments that begin with a marker, and coded pixels between them.

use super::exif;
use super::reader::Reader;
use super::seen::Seen;
use super::words::{check_opaque, check_remark, check_words};
use crate::AttachmentRefused;

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP13: u8 = 0xED;
const QUANTIZATION: u8 = 0xDB;
const HUFFMAN: u8 = 0xC4;
const ARITHMETIC: u8 = 0xCC;
const RESTART: u8 = 0xDD;
const COMMENT: u8 = 0xFE;

/// What comes before an XMP packet.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// What comes before a part of an XMP packet that was too long for one segment. Next come which packet it is,
/// how long the packet is, and where the part belongs.
const EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PART_HEADER_BYTES: usize = 32 + 4 + 4;
/// What comes before Photoshop's image resources, which go on from segment to segment.
const RESOURCES: &[u8] = b"Photoshop 3.0\0";

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(&[0xFF, START])?;
    let (mut seen, mut turned, mut has_pixels) = (None, false, false);
    let (mut parts, mut resources) = (Vec::new(), Vec::new());
    loop {
        let marker = marker(&mut rest)?;
        if marker == END {
            break;
        }
        let length = usize::from(rest.u16_be()?).checked_sub(2).ok_or(AttachmentRefused::Broken)?;
        let segment = rest.take(length)?;
        match marker {
            // Every way of coding has a marker of its own. The markers between them are for tables (C4, CC)
            // and reserved (C8).
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let frame = frame(segment)?;
                if seen.replace(frame).is_some() {
                    return Err(AttachmentRefused::Broken);
                }
            }
            SCAN => {
                scan(segment)?;
                skip_pixels(&mut rest)?;
                has_pixels = true;
            }
            APP1 => {
                if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
                    turned |= exif::examine(tiff)?;
                } else if let Some(part) = segment.strip_prefix(EXTENSION) {
                    parts.push(part.split_at_checked(PART_HEADER_BYTES).ok_or(AttachmentRefused::Broken)?);
                } else if segment.starts_with(XMP) {
                    check_words(segment)?;
                } else {
                    // Some programs read more as Exif, and some cameras write other things here, such as
                    // places.
                    return Err(AttachmentRefused::Location);
                }
            }
            APP2 if segment.starts_with(b"ICC_PROFILE\0") => check_remark(segment)?,
            APP13 if segment.starts_with(RESOURCES) => {
                resources.extend_from_slice(&segment[RESOURCES.len()..])
            }
            0xE0..=0xEF => {
                let name = segment.get(..4).unwrap_or_default().to_ascii_lowercase();
                // Kodak put Exif here, under a name of its own.
                if matches!(&name[..], b"exif" | b"meta") {
                    return Err(AttachmentRefused::Location);
                }
                check_opaque(segment)?;
            }
            COMMENT => check_words(segment)?,
            QUANTIZATION | HUFFMAN | ARITHMETIC | RESTART => {
                check_remark(segment)?;
                tables(marker, segment)?;
            }
            _ => return Err(AttachmentRefused::Broken),
        }
    }
    parts.sort_by_key(|(header, _)| *header);
    check_words(&parts.into_iter().flat_map(|(_, words)| words).copied().collect::<Vec<_>>())?;
    check_opaque(&resources)?;
    rest.end()?;
    seen.filter(|_| has_pixels).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

/// Reads a marker, which any number of `FF` may precede.
fn marker(rest: &mut Reader<'_>) -> Result<u8, AttachmentRefused> {
    rest.expect(&[0xFF])?;
    loop {
        match rest.byte()? {
            0xFF => {}
            marker => return Ok(marker),
        }
    }
}

/// Reads height and width after the precision, then three bytes for each component. A height of 0 would mean
/// that it comes later, and nobody writes that.
fn frame(segment: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut segment = Reader(segment);
    segment.byte()?;
    let (height, width) = (segment.u16_be()?, segment.u16_be()?);
    let components = segment.byte()?;
    segment.take(3 * usize::from(components))?;
    segment.end()?;
    Ok(Seen::new(width, height))
}

/// Checks two bytes for each component, then three for the scan.
fn scan(segment: &[u8]) -> Result<(), AttachmentRefused> {
    let mut segment = Reader(segment);
    let components = segment.byte()?;
    segment.take(2 * usize::from(components) + 3)?;
    segment.end()
}

/// Checks tables of the lengths that they announce, one after the other, or how often to restart.
fn tables(marker: u8, segment: &[u8]) -> Result<(), AttachmentRefused> {
    let mut segment = Reader(segment);
    while !segment.is_empty() {
        match marker {
            QUANTIZATION => {
                let bytes_each = if segment.byte()? >> 4 == 0 { 1 } else { 2 };
                segment.take(64 * bytes_each)?;
            }
            HUFFMAN => {
                segment.byte()?;
                let codes = segment.take(16)?.iter().copied().map(usize::from).sum();
                segment.take(codes)?;
            }
            ARITHMETIC => segment.take(2).map(drop)?,
            _ => {
                segment.take(2)?;
                segment.end()?;
            }
        }
    }
    Ok(())
}

/// Reads up to the next marker. In coded pixels `FF` is followed by `00`, or by a restart (`D0` to `D7`).
fn skip_pixels(rest: &mut Reader<'_>) -> Result<(), AttachmentRefused> {
    let is_marker = |pair: &[u8]| matches!(pair, [0xFF, next] if !matches!(next, 0x00 | 0xD0..=0xD7));
    let end = rest.0.windows(2).position(is_marker).unwrap_or(rest.0.len());
    if rest.take(end)?.is_empty() { Err(AttachmentRefused::Broken) } else { Ok(()) }
}
