/// What was found in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::model) struct Seen {
    /// The width in pixels.
    pub(super) width: u32,
    /// The height in pixels.
    pub(super) height: u32,
    /// Whether the image is shown lying on its side, so that width and height change places.
    turned: bool,
    /// How many pixels the pictures of an animation have together.
    pub(super) frames_pixels: u64,
}

impl Seen {
    pub(super) fn new(width: impl Into<u32>, height: impl Into<u32>) -> Self {
        Self { width: width.into(), height: height.into(), turned: false, frames_pixels: 0 }
    }

    pub(super) fn turned(self, turned: bool) -> Self {
        Self { turned: self.turned || turned, ..self }
    }

    /// The image with one more picture of its animation, of so many pixels.
    pub(super) fn with_frame(self, pixels: u64) -> Self {
        Self { frames_pixels: self.frames_pixels.saturating_add(pixels), ..self }
    }

    /// Whether the image has this width and height, as it is stored or as it is shown.
    pub(in crate::model) fn is(self, width: u32, height: u32) -> bool {
        (self.width, self.height) == (width, height)
            || self.turned && (self.height, self.width) == (width, height)
    }
}
