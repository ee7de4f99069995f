//! WebP (RFC 9649): chunks in a RIFF container, whose length says where the file ends.

use super::reader::Reader;
use super::{Seen, check_remark, check_words, exif};
use crate::AttachmentRefused;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(b"RIFF")?;
    if rest.length_le()? != rest.0.len() {
        return Err(AttachmentRefused::Broken);
    }
    rest.expect(b"WEBP")?;
    let mut canvas: Option<Seen> = None;
    let (mut turned, mut has_pixels) = (false, false);
    while !rest.is_empty() {
        let kind: [u8; 4] = rest.array()?;
        let length = rest.length_le()?;
        let chunk = rest.take(length)?;
        if length % 2 == 1 {
            rest.byte()?;
        }
        let picture = match (&kind, canvas) {
            (b"VP8X", None) => {
                canvas = Some(extended(chunk)?);
                continue;
            }
            (b"VP8 ", _) => lossy(chunk)?,
            (b"VP8L", _) => lossless(chunk)?,
            (b"ANMF", Some(canvas)) => {
                has_pixels = true;
                frame(chunk, canvas)?;
                continue;
            }
            (_, None) => return Err(AttachmentRefused::Broken),
            (b"EXIF", _) => {
                check_remark(chunk)?;
                turned |= exif::examine(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk))?;
                continue;
            }
            (b"XMP ", _) => {
                check_words(chunk)?;
                continue;
            }
            (b"ALPH" | b"ICCP", _) => continue,
            _ => {
                check_remark(chunk)?;
                continue;
            }
        };
        has_pixels = true;
        if *canvas.get_or_insert(picture) != picture {
            return Err(AttachmentRefused::Broken);
        }
    }
    canvas.filter(|_| has_pixels).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

/// Flags and a reserve of four bytes, then width and height, both less one.
fn extended(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.take(4)?;
    Ok(Seen::new(chunk.u24_le()? + 1, chunk.u24_le()? + 1))
}

/// A key frame of VP8 (RFC 6386, 9.1). The two highest bits of a side are about scaling.
fn lossy(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.take(3)?;
    chunk.expect(&[0x9D, 0x01, 0x2A])?;
    Ok(Seen::new(chunk.u16_le()? & 0x3FFF, chunk.u16_le()? & 0x3FFF))
}

/// Width and height, both less one, in 14 bits each.
fn lossless(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.expect(&[0x2F])?;
    let bits = chunk.array().map(u32::from_le_bytes)?;
    Ok(Seen::new((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
}

/// A frame of an animation lies within its canvas. Its place is given in steps of two pixels.
fn frame(chunk: &[u8], canvas: Seen) -> Result<(), AttachmentRefused> {
    let mut chunk = Reader(chunk);
    let (x, y) = (2 * chunk.u24_le()?, 2 * chunk.u24_le()?);
    let (width, height) = (chunk.u24_le()? + 1, chunk.u24_le()? + 1);
    let inside = x + width <= canvas.width && y + height <= canvas.height;
    if inside { Ok(()) } else { Err(AttachmentRefused::Broken) }
}
