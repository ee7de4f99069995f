//! PNG (ISO/IEC 15948, with the extensions of 2025): chunks from `IHDR` to `IEND`.

use super::reader::Reader;
use super::{Seen, check_opaque, check_remark, check_words, exif, holds};
use crate::AttachmentRefused;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(b"\x89PNG\r\n\x1A\n")?;
    let mut seen = None;
    let (mut turned, mut has_pixels, mut intact) = (false, false, true);
    loop {
        let length = rest.length_be()?;
        let kind: [u8; 4] = rest.array()?;
        let chunk = rest.take(length)?;
        intact &= rest.array().map(u32::from_be_bytes)? == checksum(kind, chunk);
        match (&kind, seen) {
            (b"IHDR", None) => seen = Some(header(chunk)?),
            (b"IHDR", Some(_)) | (_, None) => return Err(AttachmentRefused::Broken),
            (b"IEND", _) => break,
            (b"IDAT", _) => {
                if !has_pixels {
                    pixels(chunk)?;
                }
                has_pixels = true;
            }
            (b"fdAT", _) => {}
            (b"iCCP" | b"PLTE", _) => check_remark(chunk)?,
            (b"eXIf", _) => turned |= exif::examine(chunk)?,
            (b"tEXt" | b"iTXt" | b"zTXt", _) => text(&kind, chunk)?,
            // These are compressed Exif, and Exif under a name that is spelled otherwise.
            (b"zxIf", _) => return Err(AttachmentRefused::Location),
            _ if kind.eq_ignore_ascii_case(b"exif") => return Err(AttachmentRefused::Location),
            _ => check_opaque(chunk)?,
        }
    }
    rest.end()?;
    seen.filter(|_| has_pixels && intact).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

fn header(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    let [width, height] = [chunk.array()?, chunk.array()?].map(u32::from_be_bytes);
    let _depth_colour_compression_filter_interlace: [u8; 5] = chunk.array()?;
    chunk.end()?;
    Ok(Seen::new(width, height))
}

/// Checks compressed pixels, which begin with a header of zlib (RFC 1950).
fn pixels(chunk: &[u8]) -> Result<(), AttachmentRefused> {
    let header = Reader(chunk).array().map(u16::from_be_bytes)?;
    let [method, flags] = header.to_be_bytes();
    let is_sound = method & 0x0F == 8 && method >> 4 <= 7 && flags & 0x20 == 0 && header % 31 == 0;
    if is_sound { Ok(()) } else { Err(AttachmentRefused::Broken) }
}

/// The CRC-32 of a chunk, over its kind and its bytes.
fn checksum(kind: [u8; 4], chunk: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| CRC[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
    !kind.iter().chain(chunk).fold(!0, step)
}

/// The CRC-32 of each byte.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// Checks a keyword and its words. Words that are compressed, or written in hexadecimal digits, may be Exif
/// or XMP, and nothing here can tell.
fn text(kind: &[u8; 4], chunk: &[u8]) -> Result<(), AttachmentRefused> {
    let (keyword, words) = chunk
        .iter()
        .position(|byte| *byte == 0)
        .map(|end| chunk.split_at(end))
        .ok_or(AttachmentRefused::Broken)?;
    let compressed = kind == b"zTXt" || kind == b"iTXt" && words.get(1) != Some(&0);
    if compressed || holds(keyword, b"raw profile") {
        return Err(AttachmentRefused::Location);
    }
    check_words(chunk)
}
