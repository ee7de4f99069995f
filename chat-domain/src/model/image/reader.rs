use crate::AttachmentRefused;

/// Reads bytes from front to back. A file that ends too early is [`Broken`](AttachmentRefused::Broken).
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], AttachmentRefused> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(AttachmentRefused::Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], AttachmentRefused> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(AttachmentRefused::Broken)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn expect(&mut self, wanted: &[u8]) -> Result<(), AttachmentRefused> {
        if self.take(wanted.len())? == wanted { Ok(()) } else { Err(AttachmentRefused::Broken) }
    }

    pub(super) fn byte(&mut self) -> Result<u8, AttachmentRefused> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16_be(&mut self) -> Result<u16, AttachmentRefused> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u16_le(&mut self) -> Result<u16, AttachmentRefused> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u24_le(&mut self) -> Result<u32, AttachmentRefused> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Reads a length, the highest byte first.
    pub(super) fn length_be(&mut self) -> Result<usize, AttachmentRefused> {
        let length = self.array().map(u32::from_be_bytes)?;
        usize::try_from(length).map_err(|_| AttachmentRefused::Broken)
    }

    /// Reads a length, the lowest byte first.
    pub(super) fn length_le(&mut self) -> Result<usize, AttachmentRefused> {
        let length = self.array().map(u32::from_le_bytes)?;
        usize::try_from(length).map_err(|_| AttachmentRefused::Broken)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that nothing is left.
    pub(super) fn end(&self) -> Result<(), AttachmentRefused> {
        if self.is_empty() { Ok(()) } else { Err(AttachmentRefused::Broken) }
    }
}
