//! Exif: a TIFF file without a picture (CIPA DC-008).

use super::reader::Reader;
use super::words::check_opaque;
use crate::AttachmentRefused;

/// How many directories are read: more than any camera writes. The limit ends directories that lead back to
/// themselves.
const DIRECTORIES_MAX: usize = 16;

const ORIENTATION: u16 = 0x0112;
const SUB_DIRECTORY: u16 = 0x014A;
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;

/// Where a directory is. After a directory within another one, many programs leave out the note that no other
/// follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Chain,
    Within,
}

/// A TIFF file in either byte order.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn at(&self, offset: u32) -> Result<Reader<'a>, AttachmentRefused> {
        let offset = usize::try_from(offset).map_err(|_| AttachmentRefused::Broken)?;
        self.bytes.get(offset..).map(Reader).ok_or(AttachmentRefused::Broken)
    }

    fn u16(&self, reader: &mut Reader<'_>) -> Result<u16, AttachmentRefused> {
        if self.big_endian { reader.u16_be() } else { reader.u16_le() }
    }

    fn u32(&self, reader: &mut Reader<'_>) -> Result<u32, AttachmentRefused> {
        let bytes = reader.array()?;
        Ok(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

/// Whether the image is shown lying on its side. An image with a GPS directory is refused, whatever the
/// directory says. Other entries may contain XMP.
pub(super) fn examine(bytes: &[u8]) -> Result<bool, AttachmentRefused> {
    check_opaque(bytes)?;
    let mut header = Reader(bytes);
    let big_endian = match &header.array()? {
        b"MM" => true,
        b"II" => false,
        _ => return Err(AttachmentRefused::Broken),
    };
    let tiff = Tiff { bytes, big_endian };
    if tiff.u16(&mut header)? != 42 {
        return Err(AttachmentRefused::Broken);
    }
    let mut ahead = vec![(tiff.u32(&mut header)?, Place::Chain)];
    let mut turned = false;
    let mut seen = 0;
    while let Some((offset, place)) = ahead.pop() {
        seen += 1;
        if seen > DIRECTORIES_MAX {
            return Err(AttachmentRefused::Broken);
        }
        let mut directory = tiff.at(offset)?;
        for _ in 0..tiff.u16(&mut directory)? {
            let tag = tiff.u16(&mut directory)?;
            let _type = tiff.u16(&mut directory)?;
            let count = tiff.u32(&mut directory)?;
            let mut value = Reader(directory.take(4)?);
            match tag {
                GPS_DIRECTORY => return Err(AttachmentRefused::Location),
                ORIENTATION => turned |= (5..=8).contains(&tiff.u16(&mut value)?),
                // Several directories would be in a list of their own, and none of the four formats has such
                // a list.
                EXIF_DIRECTORY | SUB_DIRECTORY if count == 1 => {
                    ahead.push((tiff.u32(&mut value)?, Place::Within));
                }
                EXIF_DIRECTORY | SUB_DIRECTORY => return Err(AttachmentRefused::Broken),
                _ => {}
            }
        }
        if place == Place::Chain
            && let next @ 1.. = tiff.u32(&mut directory)?
        {
            ahead.push((next, Place::Chain));
        }
    }
    Ok(turned)
}
