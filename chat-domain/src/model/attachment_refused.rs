/// The largest image, in bytes: 10 MiB, about what a phone's camera makes at full size.
pub const IMAGE_MAX_BYTES: u64 = 10 * 1024 * 1024;
/// The longest side of an image, in pixels: what browsers and graphics processors draw at most.
pub const IMAGE_MAX_SIDE: u32 = 16_384;
/// How many pixels an image has at most. A few bytes can claim any number; this many decode to 256 MiB, and
/// no phone's camera makes more than 50 million unless somebody asks it to.
pub const IMAGE_MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// How many pixels an image may have, however few its bytes are. The page sends no more than 16 million, be
/// they all white, and they decode to 64 MiB.
pub const IMAGE_PIXELS_FREE: u64 = 16 * 1024 * 1024;
/// How many pixels more each byte of the file allows. A photo has fewer than eight for each byte. Whatever
/// has many more was made to take up memory.
pub const IMAGE_PIXELS_PER_BYTE: u64 = 32;

/// How many pixels an image of so many bytes has at most, with those of all pictures of an animation.
pub(super) const fn image_pixels_max(size_bytes: u64) -> u64 {
    let pixels = IMAGE_PIXELS_FREE + size_bytes.saturating_mul(IMAGE_PIXELS_PER_BYTE);
    if pixels < IMAGE_MAX_PIXELS { pixels } else { IMAGE_MAX_PIXELS }
}

/// Why an announced or an uploaded image is refused. Nothing was stored.
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentRefused {
    /// The content type is not one of [`ImageType`](crate::ImageType).
    #[error("an image is jpeg, png, webp or gif")]
    Type,
    /// The image has no bytes, or more than [`IMAGE_MAX_BYTES`].
    #[error("an image has 1 to {IMAGE_MAX_BYTES} bytes")]
    Size,
    /// A side has no pixels or more than [`IMAGE_MAX_SIDE`], or the image has more than [`IMAGE_MAX_PIXELS`],
    /// or far more than its bytes can be.
    #[error(
        "an image has sides of 1 to {IMAGE_MAX_SIDE} pixels, and at most {IMAGE_MAX_PIXELS} pixels in all, \
         {IMAGE_PIXELS_FREE} of them for few bytes"
    )]
    Sides,
    /// The key is malformed, or the server made it for another room or another uploader.
    #[error("the attachment does not belong to this sender and receiver")]
    Key,
    /// The uploaded object is not the announced one.
    #[error("the uploaded object differs from what was announced")]
    Differs,
    /// The file is cut short, breaks the rules of its format, has something behind the image, or contains
    /// parts of a web page.
    #[error("the file is not one image from its first byte to its last")]
    Broken,
    /// The file tells where the image was taken, in Exif or in words, or it contains metadata that may tell
    /// and cannot be read here.
    #[error("the image tells where it was taken, or may do so; encode it anew without its metadata")]
    Location,
    /// Another message shows the object.
    #[error("another message shows this attachment already")]
    Taken,
    /// The object was uploaded longer than [`UPLOAD_SHOWN_WITHIN`](crate::UPLOAD_SHOWN_WITHIN) ago, and the
    /// store may delete it at any moment.
    #[error("the upload is too old; upload it anew")]
    Lapsed,
    /// The upload lapsed less than [`IN_DOUBT_FOR`](crate::IN_DOUBT_FOR) ago, and an earlier attempt to show
    /// it may still be on its way. The client asks again when that time has passed.
    #[error("the upload has just become too old; what was in time is not settled yet")]
    InDoubt,
}
