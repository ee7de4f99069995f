//! PNG (ISO/IEC 15948, with the extensions of 2025): chunks from `IHDR` to `IEND`.

use super::reader::Reader;
use super::{Seen, check_remark, check_words, exif, holds};
use crate::AttachmentRefused;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(b"\x89PNG\r\n\x1A\n")?;
    let mut seen = None;
    let (mut turned, mut has_pixels) = (false, false);
    loop {
        let length = rest.length_be()?;
        let kind: [u8; 4] = rest.array()?;
        let chunk = rest.take(length)?;
        let _checksum: [u8; 4] = rest.array()?;
        match (&kind, seen) {
            (b"IHDR", None) => seen = Some(header(chunk)?),
            (b"IHDR", Some(_)) | (_, None) => return Err(AttachmentRefused::Broken),
            (b"IEND", _) => break,
            (b"IDAT", _) => has_pixels = true,
            (b"fdAT" | b"iCCP" | b"PLTE", _) => {}
            (b"eXIf", _) => {
                check_remark(chunk)?;
                turned |= exif::examine(chunk)?;
            }
            (b"tEXt" | b"iTXt" | b"zTXt", _) => text(&kind, chunk)?,
            _ => check_remark(chunk)?,
        }
    }
    rest.end()?;
    seen.filter(|_| has_pixels).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

fn header(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    let [width, height] = [chunk.array()?, chunk.array()?].map(u32::from_be_bytes);
    let _depth_colour_compression_filter_interlace: [u8; 5] = chunk.array()?;
    chunk.end()?;
    Ok(Seen::new(width, height))
}

/// A keyword, and words. What is compressed, or hidden in hexadecimal digits, may be Exif or XMP: there is no telling.
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
