//! PNG (ISO/IEC 15948, with the extensions of 2025): chunks from `IHDR` to `IEND`.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::exif;
use super::reader::Reader;
use super::seen::Seen;
use super::words::{check_opaque, check_remark, check_words, holds};
use crate::AttachmentRefused;

pub(super) fn examine(file: &[u8]) -> Result<Seen, AttachmentRefused> {
    let mut rest = Reader(file);
    rest.expect(b"\x89PNG\r\n\x1A\n")?;
    let mut seen: Option<Seen> = None;
    let mut picture = Inflating::to_at_most(0);
    let mut raw_bytes = 0;
    let (mut turned, mut has_pixels, mut intact) = (false, false, true);
    loop {
        let length = rest.length_be()?;
        let kind: [u8; 4] = rest.array()?;
        let chunk = rest.take(length)?;
        intact &= rest.array().map(u32::from_be_bytes)? == checksum(kind, chunk);
        match (&kind, seen) {
            (b"IHDR", None) => {
                let header = Header::read(chunk)?;
                raw_bytes = header.raw_bytes();
                picture = Inflating::to_at_most(raw_bytes);
                seen = Some(Seen::new(header.width, header.height));
            }
            (b"IHDR", Some(_)) | (_, None) => return Err(AttachmentRefused::Broken),
            (b"IEND", _) => break,
            (b"IDAT", _) => {
                if !has_pixels {
                    pixels(chunk)?;
                }
                has_pixels = true;
                picture.feed(chunk)?;
            }
            // The next picture of an animation, which lies within the first.
            (b"fcTL", Some(image)) => {
                picture = Inflating::to_at_most(raw_bytes);
                seen = Some(image.with_frame(frame(chunk)?));
            }
            (b"fdAT", _) => picture.feed(chunk.get(SEQUENCE_NUMBER_BYTES..).unwrap_or_default())?,
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

/// The number that each part of an animation begins with.
const SEQUENCE_NUMBER_BYTES: usize = 4;

/// What the chunk `IHDR` says of the image.
struct Header {
    width: u32,
    height: u32,
    bits_per_pixel: u64,
    is_interlaced: bool,
}

impl Header {
    fn read(chunk: &[u8]) -> Result<Self, AttachmentRefused> {
        let mut chunk = Reader(chunk);
        let [width, height] = [chunk.array()?, chunk.array()?].map(u32::from_be_bytes);
        let [depth, colour, _compression, _filter, interlace] = chunk.array()?;
        chunk.end()?;
        let channels = match colour {
            0 | 3 => 1,
            4 => 2,
            2 => 3,
            6 => 4,
            _ => return Err(AttachmentRefused::Broken),
        };
        if !matches!(depth, 1 | 2 | 4 | 8 | 16) || interlace > 1 {
            return Err(AttachmentRefused::Broken);
        }
        let bits_per_pixel = u64::from(channels * depth);
        Ok(Self { width, height, bits_per_pixel, is_interlaced: interlace == 1 })
    }

    /// How many bytes the pixels are before they are compressed: each row is a byte for its filter, and then
    /// its pixels. An image that is interlaced is seven smaller ones.
    fn raw_bytes(&self) -> u64 {
        /// Where each of the seven begins, and in which steps it goes on, both across and down.
        const PASSES: [[u32; 4]; 7] = [
            [0, 0, 8, 8],
            [4, 0, 8, 8],
            [0, 4, 4, 8],
            [2, 0, 4, 4],
            [0, 2, 2, 4],
            [1, 0, 2, 2],
            [0, 1, 1, 2],
        ];
        let rows = |width: u32, height: u32| {
            let row = 1 + (u64::from(width) * self.bits_per_pixel).div_ceil(8);
            if width == 0 { 0 } else { u64::from(height).saturating_mul(row) }
        };
        if !self.is_interlaced {
            return rows(self.width, self.height);
        }
        let pass = |[x, y, across, down]: [u32; 4]| {
            let steps = |side: u32, from, step| side.saturating_sub(from).div_ceil(step);
            rows(steps(self.width, x, across), steps(self.height, y, down))
        };
        PASSES.into_iter().map(pass).sum()
    }
}

/// Reads how many pixels a picture of an animation has.
fn frame(chunk: &[u8]) -> Result<u64, AttachmentRefused> {
    let mut chunk = Reader(chunk);
    let [_sequence, width, height] = [chunk.array()?, chunk.array()?, chunk.array()?].map(u32::from_be_bytes);
    Ok(u64::from(width) * u64::from(height))
}

/// Follows compressed pixels, to see that they are no more than they should be: a kilobyte of them can stand
/// for a megabyte. What it inflates it forgets.
struct Inflating {
    state: Box<InflateState>,
    left: u64,
    has_ended: bool,
}

impl Inflating {
    fn to_at_most(bytes: u64) -> Self {
        Self { state: InflateState::new_boxed(DataFormat::Zlib), left: bytes, has_ended: false }
    }

    /// # Errors
    /// [`AttachmentRefused::Broken`] when there is more than there should be. What is cut short or malformed
    /// ends there, as it does for whoever shows it.
    fn feed(&mut self, mut compressed: &[u8]) -> Result<(), AttachmentRefused> {
        let mut inflated = [0; 16 * 1024];
        while !self.has_ended {
            let step = inflate(&mut self.state, compressed, &mut inflated, MZFlush::None);
            compressed = compressed.get(step.bytes_consumed..).unwrap_or_default();
            let written = u64::try_from(step.bytes_written).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(written).ok_or(AttachmentRefused::Broken)?;
            match step.status {
                Ok(MZStatus::Ok) if step.bytes_consumed + step.bytes_written > 0 => {}
                Ok(MZStatus::Ok) | Err(MZError::Buf) => return Ok(()),
                Ok(_) | Err(_) => self.has_ended = true,
            }
        }
        Ok(())
    }
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
