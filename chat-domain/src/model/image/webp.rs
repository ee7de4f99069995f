//! WebP (RFC 9649): chunks in a RIFF container, whose length says where the file ends.

use super::exif;
use super::reader::Reader;
use super::seen::Seen;
use super::words::{check_opaque, check_remark, check_words};
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
        let (kind, chunk) = next(&mut rest)?;
        match (&kind, canvas) {
            (b"VP8X", None) => canvas = Some(extended(chunk)?),
            (b"ANMF", Some(around)) => {
                let (frame_turned, pixels) = frame(chunk, around)?;
                turned |= frame_turned;
                canvas = Some(around.with_frame(pixels));
                has_pixels = true;
            }
            (b"VP8 " | b"VP8L", _) => {
                let picture = picture(kind, chunk)?;
                if *canvas.get_or_insert(picture) != picture {
                    return Err(AttachmentRefused::Broken);
                }
                has_pixels = true;
            }
            (_, None) => return Err(AttachmentRefused::Broken),
            _ => turned |= remark(kind, chunk)?,
        }
    }
    canvas.filter(|_| has_pixels).map(|seen| seen.turned(turned)).ok_or(AttachmentRefused::Broken)
}

/// Reads the kind and the bytes of a chunk. A chunk of odd length is followed by one byte more.
fn next<'a>(rest: &mut Reader<'a>) -> Result<([u8; 4], &'a [u8]), AttachmentRefused> {
    let kind = rest.array()?;
    let length = rest.length_le()?;
    let chunk = rest.take(length)?;
    if length % 2 == 1 {
        rest.byte()?;
    }
    Ok((kind, chunk))
}

fn picture(kind: [u8; 4], chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    if &kind == b"VP8L" { lossless(chunk) } else { lossy(chunk) }
}

/// Checks a chunk that is no picture, and says whether it turns the image.
fn remark(kind: [u8; 4], chunk: &[u8]) -> Result<bool, AttachmentRefused> {
    match &kind {
        b"EXIF" => return exif::examine(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk)),
        b"XMP " => check_words(chunk)?,
        // These are pixels.
        b"ALPH" => {}
        b"ICCP" => check_remark(chunk)?,
        // None of them appears twice, or within another.
        b"VP8X" | b"ANMF" => return Err(AttachmentRefused::Broken),
        _ if kind.eq_ignore_ascii_case(b"exif") => return Err(AttachmentRefused::Location),
        _ => check_opaque(chunk)?,
    }
    Ok(false)
}

/// Reads four bytes of flags and reserve, then width and height, both less one.
fn extended(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.take(4)?;
    Ok(Seen::new(chunk.u24_le()? + 1, chunk.u24_le()? + 1))
}

/// Reads a key frame of VP8 (RFC 6386, 9.1). The two highest bits of a side are about scaling.
fn lossy(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.take(3)?;
    chunk.expect(&[0x9D, 0x01, 0x2A])?;
    Ok(Seen::new(chunk.u16_le()? & 0x3FFF, chunk.u16_le()? & 0x3FFF))
}

/// Reads width and height, both less one, in 14 bits each.
fn lossless(chunk: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    chunk.expect(&[0x2F])?;
    let bits = chunk.array().map(u32::from_le_bytes)?;
    Ok(Seen::new((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
}

/// Checks a frame of an animation, which lies within the canvas. Its place is given in steps of two pixels.
/// After 16 bytes it has chunks of its own, one of which is a picture of the frame's size. Says whether the
/// frame turns the image, and how many pixels it has.
fn frame(chunk: &[u8], canvas: Seen) -> Result<(bool, u64), AttachmentRefused> {
    let mut rest = Reader(chunk);
    let (x, y) = (2 * rest.u24_le()?, 2 * rest.u24_le()?);
    let (width, height) = (rest.u24_le()? + 1, rest.u24_le()? + 1);
    let _duration_flags: [u8; 4] = rest.array()?;
    let (mut turned, mut has_pixels) = (false, false);
    while !rest.is_empty() {
        let (kind, chunk) = next(&mut rest)?;
        if matches!(&kind, b"VP8 " | b"VP8L") {
            if picture(kind, chunk)? != Seen::new(width, height) {
                return Err(AttachmentRefused::Broken);
            }
            has_pixels = true;
        } else {
            turned |= remark(kind, chunk)?;
        }
    }
    let inside = x + width <= canvas.width && y + height <= canvas.height;
    let pixels = u64::from(width) * u64::from(height);
    if inside && has_pixels { Ok((turned, pixels)) } else { Err(AttachmentRefused::Broken) }
}
