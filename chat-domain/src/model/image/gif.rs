//! GIF (version 89a): a screen, then images and extensions up to a trailer.

use super::reader::Reader;
use super::seen::Seen;
use super::words::check_words;
use crate::AttachmentRefused;

const IMAGE: u8 = 0x2C;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3B;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    let version: [u8; 6] = rest.array()?;
    if !matches!(&version, b"GIF87a" | b"GIF89a") {
        return Err(AttachmentRefused::Broken);
    }
    let (width, height) = (rest.u16_le()?, rest.u16_le()?);
    let [flags, _background, _aspect] = rest.array()?;
    skip_colours(&mut rest, flags)?;
    let mut seen = Seen::new(width, height);
    let mut has_pixels = false;
    loop {
        match rest.byte()? {
            IMAGE => {
                let [x, y, w, h] =
                    [rest.u16_le()?, rest.u16_le()?, rest.u16_le()?, rest.u16_le()?].map(u32::from);
                if x + w > width.into() || y + h > height.into() {
                    return Err(AttachmentRefused::Broken);
                }
                let flags = rest.byte()?;
                skip_colours(&mut rest, flags)?;
                let code_size = rest.byte()?;
                if !(2..=8).contains(&code_size) || blocks(&mut rest)?.is_empty() {
                    return Err(AttachmentRefused::Broken);
                }
                seen = seen.with_frame(u64::from(w) * u64::from(h));
                has_pixels = true;
            }
            EXTENSION => {
                let _label = rest.byte()?;
                let whole = rest.0;
                let words = blocks(&mut rest)?;
                // XMP is there as it is, and only looks like blocks.
                check_words(&whole[..whole.len() - rest.0.len()])?;
                check_words(&words)?;
            }
            TRAILER => break,
            _ => return Err(AttachmentRefused::Broken),
        }
    }
    rest.end()?;
    if has_pixels { Ok(seen) } else { Err(AttachmentRefused::Broken) }
}

/// Reads a table of colours, if the flags announce one.
fn skip_colours(rest: &mut Reader<'_>, flags: u8) -> Result<(), AttachmentRefused> {
    let has_table = flags & 0x80 != 0;
    if has_table {
        rest.take(3 << ((flags & 0x07) + 1))?;
    }
    Ok(())
}

/// Joins blocks of up to 255 bytes, each after its length, up to an empty one.
fn blocks(rest: &mut Reader<'_>) -> Result<Vec<u8>, AttachmentRefused> {
    let mut joined = Vec::new();
    loop {
        match rest.byte()? {
            0 => return Ok(joined),
            length => joined.extend_from_slice(rest.take(length.into())?),
        }
    }
}
