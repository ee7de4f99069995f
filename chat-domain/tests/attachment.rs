//! Images: what they may be, whose they are, and what their bytes reveal.

use std::time::Duration;

use chat_domain::{
    Attachment, AttachmentKey, AttachmentRefused, Email, IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE,
    IMAGE_PIXELS_FREE, IN_DOUBT_FOR, ImageFacts, ImageType, Member, RoomId, SIGNATURE_BYTES, StoredObject,
    Timestamp, UPLOAD_SHOWN_WITHIN,
};
use proptest::prelude::*;
use rstest::rstest;

const TYPES: [ImageType; 4] = [ImageType::Jpeg, ImageType::Png, ImageType::Webp, ImageType::Gif];

fn email(text: &str) -> Email {
    text.parse().expect("a well-formed address")
}

fn room(one: &str, other: &str) -> RoomId {
    RoomId::new(&email(one), &email(other)).expect("two people")
}

fn their_room() -> RoomId {
    room("minji@example.com", "junho@example.com")
}

fn kind() -> impl Strategy<Value = ImageType> {
    proptest::sample::select(&TYPES[..])
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![Just(Member::A), Just(Member::B)]
}

#[rstest]
#[case::jpeg_jfif(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01", ImageType::Jpeg)]
#[case::jpeg_exif(b"\xFF\xD8\xFF\xE1", ImageType::Jpeg)]
#[case::png(b"\x89PNG\r\n\x1A\n\0\0\0\x0D", ImageType::Png)]
#[case::gif_87(b"GIF87a\x01\0\x01\0\0\0", ImageType::Gif)]
#[case::gif_89(b"GIF89a", ImageType::Gif)]
#[case::webp(b"RIFF\x24\0\0\0WEBP", ImageType::Webp)]
fn the_first_bytes_reveal_the_type(#[case] bytes: &[u8], #[case] kind: ImageType) {
    assert!(bytes.len() <= SIGNATURE_BYTES);
    assert_eq!(ImageType::from_signature(bytes), Some(kind));
}

#[rstest]
#[case::nothing(b"")]
#[case::half_a_jpeg(b"\xFF\xD8")]
#[case::png_after_text_mode(b"\x89PNG\n\x1A\n\0\0\0\x0D\0")]
#[case::gif_of_no_version(b"GIF88a")]
#[case::sound(b"RIFF\x24\0\0\0WAVE")]
#[case::webp_cut_short(b"RIFF\x24\0\0\0WEB")]
#[case::page(b"<!DOCTYPE html>")]
#[case::drawing(b"<svg xmlns=")]
#[case::something_before_it(b" \x89PNG\r\n\x1A\n")]
#[case::bitmap(b"BM\x36\0\0\0")]
fn nothing_else_is_an_image(#[case] bytes: &[u8]) {
    assert_eq!(ImageType::from_signature(bytes), None);
}

#[rstest]
#[case("image/jpeg", Ok(ImageType::Jpeg))]
#[case("image/png", Ok(ImageType::Png))]
#[case("image/webp", Ok(ImageType::Webp))]
#[case("image/gif", Ok(ImageType::Gif))]
#[case::scripts("image/svg+xml", Err(AttachmentRefused::Type))]
#[case::alias("image/jpg", Err(AttachmentRefused::Type))]
#[case::case_matters("image/PNG", Err(AttachmentRefused::Type))]
#[case::parameters("image/png; charset=utf-8", Err(AttachmentRefused::Type))]
#[case::empty("", Err(AttachmentRefused::Type))]
fn four_types_are_taken(#[case] text: &str, #[case] kind: Result<ImageType, AttachmentRefused>) {
    assert_eq!(text.parse(), kind);
}

#[rstest]
#[case::smallest(1, 1, 1, Ok(()))]
#[case::largest(IMAGE_MAX_BYTES, 8_192, 8_192, Ok(()))]
#[case::longest(IMAGE_MAX_BYTES, IMAGE_MAX_SIDE, 4_096, Ok(()))]
#[case::bomb(1, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE, Err(AttachmentRefused::Sides))]
#[case::a_row_too_many(1, 8_192, 8_193, Err(AttachmentRefused::Sides))]
#[case::empty(0, 1, 1, Err(AttachmentRefused::Size))]
#[case::too_large(IMAGE_MAX_BYTES + 1, 1, 1, Err(AttachmentRefused::Size))]
#[case::no_width(1, 0, 1, Err(AttachmentRefused::Sides))]
#[case::no_height(1, 1, 0, Err(AttachmentRefused::Sides))]
#[case::too_wide(1, IMAGE_MAX_SIDE + 1, 1, Err(AttachmentRefused::Sides))]
#[case::too_high(1, 1, IMAGE_MAX_SIDE + 1, Err(AttachmentRefused::Sides))]
#[case::endless(1, u32::MAX, u32::MAX, Err(AttachmentRefused::Sides))]
fn facts_have_bounds(
    #[case] size_bytes: u64,
    #[case] width_px: u32,
    #[case] height_px: u32,
    #[case] checked: Result<(), AttachmentRefused>,
) {
    assert_eq!(ImageFacts::new(ImageType::Png, size_bytes, width_px, height_px).map(drop), checked);
    assert_eq!(8_192 * 8_192, IMAGE_MAX_PIXELS);
}

#[rstest]
#[case::few_bytes(1, 4_096, 4_096, true)]
#[case::a_row_more(1, 4_096, 4_097, false)]
#[case::a_byte_for_each_32(4_096 * 4 / 32, 4_096, 4_100, true)]
#[case::a_byte_fewer(4_096 * 4 / 32 - 1, 4_096, 4_100, false)]
#[case::what_decodes_to_256_mib(261_000, 8_192, 8_192, false)]
#[case::a_large_photo(2_000_000, 8_192, 8_192, true)]
fn an_image_has_no_more_pixels_than_its_bytes_can_be(
    #[case] size_bytes: u64,
    #[case] width_px: u32,
    #[case] height_px: u32,
    #[case] fits: bool,
) {
    let checked = if fits { Ok(()) } else { Err(AttachmentRefused::Sides) };
    assert_eq!(ImageFacts::new(ImageType::Png, size_bytes, width_px, height_px).map(drop), checked);
    assert_eq!(4_096 * 4_096, IMAGE_PIXELS_FREE);
}

#[rstest]
#[case::empty("")]
#[case::no_extension(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000"
)]
#[case::unknown_extension(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.svg"
)]
#[case::two_extensions(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.png.png"
)]
#[case::third_member(
    "00000000000000000000000000000000-00000000000000000000000000000000-c-00000000000000000000000000000000.png"
)]
#[case::upper_case(
    "A0000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.png"
)]
#[case::short(
    "0000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.png"
)]
#[case::without_a_byte(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-0.png"
)]
#[case::without_a_number(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-.png"
)]
#[case::two_texts_of_a_number(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-07.png"
)]
#[case::a_sign(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-+7.png"
)]
#[case::larger_than_any_image(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-10485761.png"
)]
#[case::one_part_more(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-7-7.png"
)]
#[case::path(
    "../00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.png"
)]
#[case::wide(
    "٠0000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000.png"
)]
fn a_malformed_key_is_refused(#[case] text: &str) {
    assert_eq!(text.parse::<AttachmentKey>(), Err(AttachmentRefused::Key));
}

fn facts(kind: ImageType, size_bytes: u64) -> ImageFacts {
    ImageFacts::new(kind, size_bytes, 1, 1).expect("within bounds")
}

#[rstest]
#[case::a_byte(1, 1)]
#[case::a_photo_of_the_page(512 * 1024, 1)]
#[case::a_byte_more(512 * 1024 + 1, 2)]
#[case::the_largest(IMAGE_MAX_BYTES, 20)]
fn a_url_counts_for_each_half_of_a_megabyte(#[case] size_bytes: u64, #[case] requests: u32) {
    let key = AttachmentKey::mint(&their_room(), Member::A, facts(ImageType::Gif, size_bytes), 7);
    assert_eq!(key.requests_to_open(), requests);
    assert_eq!(key.as_str().parse::<AttachmentKey>().unwrap().requests_to_open(), requests);
}

#[test]
fn a_key_of_an_earlier_version_is_read_and_counts_as_the_largest() {
    let minted = AttachmentKey::mint(&their_room(), Member::A, facts(ImageType::Gif, 20), 7);
    let earlier: AttachmentKey = minted.as_str().replace("-20.gif", ".gif").parse().unwrap();
    assert!(earlier.is_by(&their_room(), Member::A));
    assert_eq!((earlier.kind(), earlier.requests_to_open()), (ImageType::Gif, 20));
}

#[test]
fn a_key_is_its_uploaders_in_its_room_alone() {
    let key = AttachmentKey::mint(&their_room(), Member::A, facts(ImageType::Png, 20), 7);
    assert!(key.is_by(&their_room(), Member::A));
    assert!(!key.is_by(&their_room(), Member::B), "the peer may see it but not send it as their own");
    assert!(!key.is_by(&room("junho@example.com", "seoyeon@example.com"), Member::A));
    assert!(!key.is_by(&room("hyun@example.com", "junho@example.com"), Member::A));
}

#[test]
fn an_attachment_of_another_owner_is_refused() {
    let facts = facts(ImageType::Png, 20);
    let key = AttachmentKey::mint(&their_room(), Member::A, facts, 7);
    let attachment = Attachment { key, facts, alt: None };
    assert_eq!(attachment.check_owner(&their_room(), Member::A), Ok(()));
    assert_eq!(attachment.check_owner(&their_room(), Member::B), Err(AttachmentRefused::Key));
    let facts = ImageFacts::new(ImageType::Gif, 20, 1, 1).unwrap();
    let renamed = Attachment { facts, ..attachment };
    assert_eq!(renamed.check_owner(&their_room(), Member::A), Err(AttachmentRefused::Key), "it is a png");
}

fn uploaded_at() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().expect("a timestamp")
}

/// What comes of a file that is announced as it is.
fn shown(kind: ImageType, file: &[u8], width: u32, height: u32) -> Result<(), AttachmentRefused> {
    let size_bytes = file.len() as u64;
    let facts = ImageFacts::new(kind, size_bytes, width, height).expect("within bounds");
    let key = AttachmentKey::mint(&their_room(), Member::A, facts, 7);
    let content_type = kind.as_str().to_owned();
    let stored = StoredObject { content_type, size_bytes, uploaded_at: uploaded_at(), bytes: file.to_vec() };
    Attachment { key, facts, alt: None }.check_object(&stored, uploaded_at())
}

/// A file of 16 by 9 pixels that some program made.
macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("images/", $name)).as_slice()
    };
}

const JPEG: &[u8] = sample!("baseline.jpg");
const PNG: &[u8] = sample!("plain.png");
const WEBP: &[u8] = sample!("lossy.webp");
const GIF: &[u8] = sample!("plain.gif");
const OF_EACH: [(ImageType, &[u8]); 4] =
    [(ImageType::Jpeg, JPEG), (ImageType::Png, PNG), (ImageType::Webp, WEBP), (ImageType::Gif, GIF)];

#[rstest]
#[case(ImageType::Jpeg, JPEG)]
#[case(ImageType::Jpeg, sample!("progressive.jpg"))]
#[case(ImageType::Jpeg, sample!("exif.jpg"))]
#[case(ImageType::Jpeg, sample!("xmp.jpg"))]
#[case(ImageType::Png, PNG)]
#[case(ImageType::Png, sample!("exif.png"))]
#[case(ImageType::Png, sample!("title.png"))]
#[case(ImageType::Png, sample!("animated.png"))]
#[case(ImageType::Webp, WEBP)]
#[case(ImageType::Webp, sample!("lossless.webp"))]
#[case(ImageType::Webp, sample!("alpha.webp"))]
#[case(ImageType::Webp, sample!("exif.webp"))]
#[case(ImageType::Webp, sample!("animated.webp"))]
#[case(ImageType::Gif, GIF)]
#[case(ImageType::Gif, sample!("animated.gif"))]
fn what_programs_make_is_shown_in_its_own_size_alone(#[case] kind: ImageType, #[case] file: &[u8]) {
    assert_eq!(shown(kind, file, 16, 9), Ok(()));
    for (width, height) in [(9, 16), (16, 10), (15, 9), (1, 1)] {
        assert_eq!(shown(kind, file, width, height), Err(AttachmentRefused::Differs), "{width} x {height}");
    }
}

/// Exif that says, once in each of so many entries, that the image lies on its side.
fn turned(times: usize) -> Vec<u8> {
    exif(false, &vec![(0x0112, 3, 1, 6); times], 0)
}

/// Cameras say it of the image and again of its thumbnail: twice turned is turned.
#[rstest]
#[case::a_photo(ImageType::Jpeg, sample!("turned.jpg").to_vec())]
#[case::said_twice(ImageType::Jpeg, with_segment(0xE1, &turned(2)))]
#[case::png(ImageType::Png, with_png_chunk(b"eXIf", &turned(1)[6..]))]
#[case::webp(ImageType::Webp, webp(&[webp_canvas(), webp_picture(), webp_chunk(b"EXIF", &turned(1))]))]
#[case::a_frame(ImageType::Webp, webp_frame(&[webp_picture(), webp_chunk(b"EXIF", &turned(1))]))]
fn an_image_that_lies_on_its_side_may_be_announced_as_it_is_shown(
    #[case] kind: ImageType,
    #[case] file: Vec<u8>,
) {
    for (width, height) in [(16, 9), (9, 16)] {
        assert_eq!(shown(kind, &file, width, height), Ok(()), "{width} x {height}");
    }
    assert_eq!(shown(kind, &file, 9, 9), Err(AttachmentRefused::Differs));
}

#[rstest]
#[case::exif_in_jpeg(ImageType::Jpeg, sample!("gps.jpg"))]
#[case::xmp_in_jpeg(ImageType::Jpeg, sample!("xmp-gps.jpg"))]
#[case::exif_in_png(ImageType::Png, sample!("gps.png"))]
#[case::xmp_in_png(ImageType::Png, sample!("xmp-gps.png"))]
#[case::compressed_xmp_in_png(ImageType::Png, sample!("xmp-compressed.png"))]
#[case::exif_as_words_in_png(ImageType::Png, sample!("raw-profile.png"))]
#[case::exif_in_webp(ImageType::Webp, sample!("gps.webp"))]
#[case::xmp_in_webp(ImageType::Webp, sample!("xmp-gps.webp"))]
#[case::xmp_in_gif(ImageType::Gif, sample!("xmp-gps.gif"))]
fn an_image_that_tells_where_it_was_taken_is_refused(#[case] kind: ImageType, #[case] file: &[u8]) {
    assert_eq!(shown(kind, file, 16, 9), Err(AttachmentRefused::Location));
}

/// A JPEG with these segments behind its start, each with its marker.
fn with_segments(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut file = JPEG[..2].to_vec();
    for (marker, segment) in segments {
        file.extend([0xFF, *marker]);
        file.extend(u16::try_from(segment.len() + 2).expect("a segment is short").to_be_bytes());
        file.extend(*segment);
    }
    file.extend(&JPEG[2..]);
    file
}

fn with_segment(marker: u8, segment: &[u8]) -> Vec<u8> {
    with_segments(&[(marker, segment)])
}

/// A part of an XMP packet that is too long for a segment, and where in the packet it belongs.
fn xmp_part(at: u8, words: &[u8]) -> Vec<u8> {
    [b"http://ns.adobe.com/xmp/extension/\0".as_slice(), &[b'0'; 39], &[at], words].concat()
}

#[test]
fn xmp_in_parts_is_read_whole() {
    let parts = [xmp_part(0, b"<exif:G"), xmp_part(7, b"PSLatitude/>")];
    let file = with_segments(&[(0xE1, &parts[0]), (0xE1, &parts[1])]);
    assert_eq!(shown(ImageType::Jpeg, &file, 16, 9), Err(AttachmentRefused::Location));
}

/// Exif in either byte order, with one directory of these entries: tag, type, count, value.
fn exif(big_endian: bool, entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let two = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let four = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut tiff = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    tiff.extend(two(42));
    tiff.extend(four(8));
    tiff.extend(two(entries.len() as u16));
    for (tag, kind, count, value) in entries {
        tiff.extend(two(*tag));
        tiff.extend(two(*kind));
        tiff.extend(four(*count));
        tiff.extend(four(*value));
    }
    tiff.extend(four(next));
    [b"Exif\0\0".as_slice(), &tiff].concat()
}

#[rstest]
fn a_place_is_found_in_either_byte_order(#[values(true, false)] big_endian: bool) {
    let of = |entries: &[_]| with_segment(0xE1, &exif(big_endian, entries, 0));
    assert_eq!(shown(ImageType::Jpeg, &of(&[(0x8825, 4, 1, 8)]), 16, 9), Err(AttachmentRefused::Location));
    assert_eq!(shown(ImageType::Jpeg, &of(&[(0x0131, 2, 1, 0)]), 16, 9), Ok(()));
}

#[rstest]
#[case::no_byte_order(b"Exif\0\0XX\0\x2A\0\0\0\x08\0\0".to_vec())]
#[case::cut_short(b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x88\x25".to_vec())]
#[case::a_directory_outside(exif(true, &[(0x8769, 4, 1, 4_000)], 0))]
#[case::a_directory_that_leads_to_itself(exif(true, &[(0x8769, 4, 1, 8)], 0))]
#[case::a_chain_without_end(exif(false, &[], 8))]
// The first of the two would be the empty one at 22, which nothing is wrong with.
#[case::more_directories_than_one_sees(exif(false, &[(0x014A, 4, 2, 22)], 0))]
fn exif_that_cannot_be_read_is_refused(#[case] exif: Vec<u8>) {
    assert_eq!(shown(ImageType::Jpeg, &with_segment(0xE1, &exif), 16, 9), Err(AttachmentRefused::Broken));
}

#[test]
fn exif_has_sixteen_directories_at_most() {
    let directories = |count: u32| {
        let empty =
            |n: u32| [[0; 2].as_slice(), &if n == count { 0 } else { 8 + 6 * n }.to_be_bytes()].concat();
        let chain: Vec<u8> = (1..=count).flat_map(empty).collect();
        with_segment(0xE1, &[b"Exif\0\0MM\0\x2A\0\0\0\x08".as_slice(), &chain].concat())
    };
    assert_eq!(shown(ImageType::Jpeg, &directories(16), 16, 9), Ok(()));
    assert_eq!(shown(ImageType::Jpeg, &directories(17), 16, 9), Err(AttachmentRefused::Broken));
}

#[test]
fn nothing_stands_behind_an_image() {
    for (kind, file) in OF_EACH {
        for behind in [&b"<html><script>alert(1)</script></html>"[..], b"\0", JPEG, b"PK\x03\x04"] {
            let polyglot = [file, behind].concat();
            assert_eq!(shown(kind, &polyglot, 16, 9), Err(AttachmentRefused::Broken), "{kind:?}");
        }
    }
    // Also not where a container says that it goes on.
    let mut longer = [WEBP, b"junk\x04\0\0\0<svg"].concat();
    let length = u32::try_from(longer.len() - 8).unwrap();
    longer[4..8].copy_from_slice(&length.to_le_bytes());
    assert_eq!(shown(ImageType::Webp, &longer, 16, 9), Err(AttachmentRefused::Broken));
}

#[test]
fn no_image_is_half_there() {
    for (kind, file) in OF_EACH {
        for length in SIGNATURE_BYTES..file.len() {
            assert_eq!(
                shown(kind, &file[..length], 16, 9),
                Err(AttachmentRefused::Broken),
                "{kind:?} {length}"
            );
        }
    }
}

#[rstest]
#[case::behind_a_header(
    ImageType::Jpeg,
    b"\xFF\xD8\xFF\xE0<!DOCTYPE html><script>alert(1)</script>".to_vec(),
)]
#[case::in_a_comment(ImageType::Jpeg, with_segment(0xFE, b"*/<HTML><body>"))]
#[case::in_an_application_s_segment(ImageType::Jpeg, with_segment(0xE5, b"<script src=x>"))]
#[case::in_exif(
    ImageType::Jpeg,
    with_segment(0xE1, &[exif(true, &[], 0), b"<svg onload=x>".to_vec()].concat()),
)]
#[case::a_script_that_begins_as_a_gif(ImageType::Gif, b"GIF89a/*\0\0\0\0\0*/=1;alert(1)//;".to_vec())]
#[case::a_web_page_that_begins_as_a_png(ImageType::Png, b"\x89PNG\r\n\x1A\n<html></html>".to_vec())]
#[case::a_web_page_that_begins_as_a_webp(ImageType::Webp, b"RIFF\x12\0\0\0WEBP<html></html>".to_vec())]
fn a_web_page_that_looks_like_an_image_is_refused(#[case] kind: ImageType, #[case] file: Vec<u8>) {
    assert_eq!(shown(kind, &file, 16, 9), Err(AttachmentRefused::Broken));
}

/// A chunk of a PNG, with its checksum.
fn png_chunk(kind: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    let crc = kind.iter().chain(bytes).fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(*byte), step));
    let length = u32::try_from(bytes.len()).expect("a chunk is short").to_be_bytes();
    [&length, kind.as_slice(), bytes, &(!crc).to_be_bytes()].concat()
}

/// A PNG with a chunk behind its header.
fn with_png_chunk(kind: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    [&PNG[..33], &png_chunk(kind, bytes), &PNG[33..]].concat()
}

/// A PNG with these chunks of pixels.
fn png_of(pixels: &[&[u8]]) -> Vec<u8> {
    let chunks: Vec<u8> = pixels.iter().flat_map(|bytes| png_chunk(b"IDAT", bytes)).collect();
    [&PNG[..33], &chunks, &PNG[PNG.len() - 12..]].concat()
}

/// A chunk of a WebP.
fn webp_chunk(kind: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a chunk is short").to_le_bytes();
    [kind.as_slice(), &length, bytes, &[0][..bytes.len() % 2]].concat()
}

/// A WebP of these chunks.
fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    webp_chunk(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

/// What comes first in a WebP that is more than a picture. The size is 16 by 9.
fn webp_canvas() -> Vec<u8> {
    webp_chunk(b"VP8X", &[2, 0, 0, 0, 15, 0, 0, 8, 0, 0])
}

/// A frame of an animation at a place given in steps of two pixels, of a size that is given less one.
fn webp_frame_at([x, y, w, h]: [u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = [x, 0, 0, y, 0, 0, w, 0, 0, h, 0, 0, 1, 0, 0, 0];
    webp_chunk(b"ANMF", &[&head, chunks.concat().as_slice()].concat())
}

/// A WebP of one frame of an animation, which has these chunks.
fn webp_frame(chunks: &[Vec<u8>]) -> Vec<u8> {
    webp(&[webp_canvas(), webp_frame_at([0, 0, 15, 8], chunks)])
}

/// A picture without loss, of sides up to 256.
fn webp_lossless(width: u8, height: u8) -> Vec<u8> {
    let bits = (u32::from(width) - 1) | ((u32::from(height) - 1) << 14);
    webp_chunk(b"VP8L", &[&[0x2F], bits.to_le_bytes().as_slice()].concat())
}

/// The picture of a WebP that has nothing else.
fn webp_picture() -> Vec<u8> {
    assert_eq!(&WEBP[12..16], b"VP8 ");
    WEBP[12..].to_vec()
}

/// A JPEG whose first such segment, with what follows it up to the next marker, is another.
fn with_other_segment(marker: u8, segment: &[u8], pixels: &[u8]) -> Vec<u8> {
    let at = JPEG.windows(2).position(|w| w == [0xFF, marker]).expect("the file has it");
    let length = usize::from(u16::from_be_bytes([JPEG[at + 2], JPEG[at + 3]]));
    let rest = if marker == 0xDA { &b"\xFF\xD9"[..] } else { &JPEG[at + 2 + length..] };
    let length = u16::try_from(segment.len() + 2).expect("a segment is short").to_be_bytes();
    [&JPEG[..at], &[0xFF, marker], &length, segment, pixels, rest].concat()
}

/// Where the photo was taken, in Exif without its header.
fn place() -> Vec<u8> {
    exif(true, &[(0x8825, 4, 1, 8)], 0).split_off(6)
}

/// Exif with a thumbnail.
fn with_thumbnail(thumbnail: &[u8]) -> Vec<u8> {
    let length = u32::try_from(thumbnail.len()).expect("a thumbnail is short");
    [exif(false, &[(0x0201, 4, 1, 38), (0x0202, 4, 1, length)], 0).as_slice(), thumbnail].concat()
}

/// A photo that tells where it was taken, in Exif under this name.
fn photo(name: &[u8]) -> Vec<u8> {
    with_segment(0xE1, &[name, &place()].concat())
}

/// One of Photoshop's image resources, in a segment of their own.
fn resource(id: u16, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a resource is short").to_be_bytes();
    [b"Photoshop 3.0\08BIM".as_slice(), &id.to_be_bytes(), &[0, 0], &length, bytes].concat()
}

const XMP: &str = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><r exif:GPSLatitude='37,34N'/></x:xmpmeta>";

fn utf_16(big_endian: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    XMP.encode_utf16().flat_map(bytes).collect()
}

fn xmp_segment(words: &[u8]) -> Vec<u8> {
    with_segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", words].concat())
}

#[rstest]
#[case::photoshop_s_exif(ImageType::Jpeg, with_segment(0xED, &resource(0x0422, &place())))]
#[case::photoshop_s_xmp(ImageType::Jpeg, with_segment(0xED, &resource(0x0424, XMP.as_bytes())))]
#[case::xmp_in_another_segment(ImageType::Jpeg, with_segment(0xE5, XMP.as_bytes()))]
#[case::xmp_in_exif(
    ImageType::Jpeg,
    with_segment(0xE1, &[exif(true, &[(0x02BC, 1, XMP.len() as u32, 26)], 0), XMP.into()].concat()),
)]
#[case::almost_exif(ImageType::Jpeg, with_segment(0xE1, &[b"Exif\0\x01".as_slice(), &place()].concat()))]
#[case::exif_in_capitals(ImageType::Jpeg, with_segment(0xE1, &[b"EXIF\0\0".as_slice(), &place()].concat()))]
#[case::exif_in_another_segment(
    ImageType::Jpeg,
    with_segment(0xE3, &[b"Meta\0\0".as_slice(), &place()].concat()),
)]
#[case::exif_of_a_thumbnail(ImageType::Jpeg, with_segment(0xE1, &with_thumbnail(&photo(b"Exif\0\0"))))]
#[case::almost_exif_of_a_thumbnail(
    ImageType::Jpeg,
    with_segment(0xE1, &with_thumbnail(&photo(b"EXIF\0\x01"))),
)]
#[case::exif_of_photoshop_s_thumbnail(
    ImageType::Jpeg,
    with_segment(0xED, &resource(0x040C, &photo(b"Exif\0\0"))),
)]
#[case::exif_of_a_thumbnail_in_png(
    ImageType::Png,
    with_png_chunk(b"eXIf", &with_thumbnail(&photo(b"Exif\0\0"))[6..]),
)]
#[case::exif_of_a_thumbnail_in_webp(
    ImageType::Webp,
    webp(&[webp_canvas(), webp_picture(), webp_chunk(b"EXIF", &with_thumbnail(&photo(b"Exif\0\0")))]),
)]
#[case::a_thermal_camera_s_own(ImageType::Jpeg, with_segment(0xE1, b"FLIR\0\x01\0\0"))]
#[case::photoshop_s_in_two_segments(
    ImageType::Jpeg,
    with_segments(&[
        (0xED, &resource(0x0424, b"<r exif:G")),
        (0xED, b"Photoshop 3.0\0PSLatitude='37,34N'/>"),
    ]),
)]
#[case::wide_letters(ImageType::Jpeg, xmp_segment(&utf_16(false)))]
#[case::wide_letters_in_the_other_order(ImageType::Jpeg, xmp_segment(&utf_16(true)))]
#[case::wide_letters_in_exif(
    ImageType::Jpeg,
    with_segment(0xE1, &[exif(true, &[], 0), utf_16(false)].concat()),
)]
#[case::compressed_exif(ImageType::Png, with_png_chunk(b"zxIf", b"\0\0\0\0\x1Ax\x9C"))]
#[case::exif_spelled_otherwise(ImageType::Png, with_png_chunk(b"exIf", &place()))]
#[case::xmp_in_a_chunk_of_ones_own(ImageType::Png, with_png_chunk(b"teSt", XMP.as_bytes()))]
#[case::compressed_words(ImageType::Png, with_png_chunk(b"zTXt", b"Title\0\0x\x9C\x03\0\0\0\0\x01"))]
#[case::compressed_words_of_any_language(
    ImageType::Png,
    with_png_chunk(b"iTXt", b"Title\0\x01\0\0\0x\x9C\x03\0\0\0\0\x01")
)]
#[case::exif_as_plain_words(
    ImageType::Png,
    with_png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  8\n4d4d002a")
)]
#[case::exif_spelled_otherwise_in_webp(
    ImageType::Webp,
    webp(&[webp_canvas(), webp_picture(), webp_chunk(b"exif", &place())]),
)]
#[case::xmp_without_a_prefix(
    ImageType::Webp,
    webp(&[webp_canvas(), webp_picture(), webp_chunk(b"XMP ", b"<r GPSLatitude='37,34N'/>")]),
)]
#[case::where_a_jpeg_s_colours_could_be(ImageType::Jpeg, with_segment(0xE2, b"FPXR\0 :GPS"))]
#[case::over_the_length_of_a_gif_s_block(
    ImageType::Gif,
    gif(&[&[0x21, 0xFF, 20], &[b'1'; 20], b"GPS", &[b'1'; 69], &[0]], [0, 0, 16, 9]),
)]
#[case::between_the_blocks_of_a_gif(
    ImageType::Gif,
    gif(&[&[0x21, 0xFF, 1, b':', b'G', b'P', b'S'], &[b'1'; 69], &[0]], [0, 0, 16, 9]),
)]
#[case::exif_of_a_frame(ImageType::Webp, webp_frame(&[webp_picture(), webp_chunk(b"EXIF", &place())]))]
#[case::xmp_of_a_frame(ImageType::Webp, webp_frame(&[webp_picture(), webp_chunk(b"XMP ", XMP.as_bytes())]))]
fn a_place_is_found_wherever_it_stands(#[case] kind: ImageType, #[case] file: Vec<u8>) {
    assert_eq!(shown(kind, &file, 16, 9), Err(AttachmentRefused::Location));
}

#[test]
fn parts_of_xmp_are_read_where_they_belong() {
    let parts = [xmp_part(7, b"PSLatitude/>"), xmp_part(0, b"<exif:G")];
    let file = with_segments(&[(0xE1, &parts[0]), (0xE1, &parts[1])]);
    assert_eq!(shown(ImageType::Jpeg, &file, 16, 9), Err(AttachmentRefused::Location));
}

/// What cameras and programs write besides, none of which tells a place.
#[rstest]
#[case::a_maker_s_note(
    ImageType::Jpeg,
    with_segment(0xE1, &[exif(true, &[(0x927C, 7, 12, 26)], 0), b"Apple iOS\0\0\x01".to_vec()].concat()),
)]
#[case::a_thumbnail(ImageType::Jpeg, with_segment(0xE1, &with_thumbnail(JPEG)))]
#[case::a_thumbnail_in_webp(
    ImageType::Webp,
    webp(&[webp_canvas(), webp_picture(), webp_chunk(b"EXIF", &with_thumbnail(JPEG))]),
)]
#[case::photoshop_s_thumbnail(ImageType::Jpeg, with_segment(0xED, &resource(0x040C, JPEG)))]
#[case::photoshop_s_title(ImageType::Jpeg, with_segment(0xED, &resource(0x0404, b"\x1C\x02\x05\0\x02Hi")))]
#[case::several_pictures(ImageType::Jpeg, with_segment(0xE2, b"MPF\0MM\0\x2A\0\0\0\x08\0\0\0\0\0\0"))]
#[case::colours(ImageType::Jpeg, with_segment(0xE2, b"ICC_PROFILE\0\x01\x01RGB XYZ :GPS"))]
#[case::another_program_s_photoshop(ImageType::Jpeg, with_segment(0xED, b"Adobe_CM\0\x01"))]
#[case::a_marker_that_is_filled_up(ImageType::Jpeg, [&JPEG[..2], b"\xFF\xFF\xFF", &JPEG[2..]].concat())]
#[case::conditions_of_arithmetic_coding(ImageType::Jpeg, with_segment(0xCC, &[0, 0x10, 0x10, 5]))]
#[case::a_quantization_table_of_words(
    ImageType::Jpeg,
    with_segment(0xDB, &[&[0x10], &[1; 128][..]].concat()),
)]
#[case::a_program_s_mark(ImageType::Jpeg, with_segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"))]
#[case::a_remark(ImageType::Jpeg, with_segment(0xFE, b"2 < 3, <imagine> & <svgs>"))]
#[case::restarts(ImageType::Jpeg, with_segment(0xDD, &[0, 4]))]
#[case::xmp_in_wide_letters(ImageType::Jpeg, xmp_segment(b"<\0x\0/\0>\0"))]
#[case::colours_of_a_png(ImageType::Png, with_png_chunk(b"iCCP", b"sRGB\0\0x\x9C\x03:GPS\0\0\0\0\x01"))]
#[case::words_of_a_png(ImageType::Png, with_png_chunk(b"iTXt", b"Title\0\0\0ko\0\0\xEB\xB0\x94\xEB\x8B\xA4"))]
#[case::a_frame_s_pixels_in_png(ImageType::Png, with_png_chunk(b"fdAT", b"\0\0\0\x01:GPS"))]
#[case::pixels_in_two_chunks(ImageType::Png, png_of(&[&PNG[41..50], &PNG[50..PNG.len() - 16]]))]
#[case::transparency(ImageType::Webp, webp(&[webp_canvas(), webp_chunk(b"ALPH", b"\0:GPS"), webp_picture()]))]
#[case::colours_of_a_webp(
    ImageType::Webp,
    webp(&[webp_canvas(), webp_chunk(b"ICCP", b":GPS"), webp_picture()]),
)]
#[case::a_frame(ImageType::Webp, webp_frame(&[webp_picture(), webp_chunk(b"EXIF", &exif(true, &[], 0))]))]
#[case::the_smallest_png(ImageType::Png, png_of(&[b"x\x9C\x03\0\0\0\0\x01"]))]
fn what_tells_no_place_is_shown(#[case] kind: ImageType, #[case] file: Vec<u8>) {
    assert_eq!(shown(kind, &file, 16, 9), Ok(()));
}

const PAGE: &[u8] = b"<html\n><img src=x onerror=alert(1)>";
const IMG: &[u8] = b"<img src=x>";

#[rstest]
#[case::in_a_scan_s_header(ImageType::Jpeg, with_other_segment(0xDA, PAGE, b""))]
#[case::no_pixels(ImageType::Jpeg, with_other_segment(0xDA, &[1, 1, 0, 0, 63, 0], b""))]
#[case::a_scan_s_header_too_long(ImageType::Jpeg, with_other_segment(0xDA, &[1, 1, 0, 0, 63, 0, 0], b"1"))]
#[case::a_frame_s_header_too_long(
    ImageType::Jpeg,
    with_other_segment(0xC0, &[8, 0, 9, 0, 16, 1, 1, 0x11, 0, b'<'], b""),
)]
#[case::in_a_scan(ImageType::Jpeg, with_other_segment(0xDA, &[1, 1, 0, 0, 63, 0], b"\x12<SCRIPT src=x>"))]
#[case::an_event_in_a_scan(
    ImageType::Jpeg,
    with_other_segment(0xDA, &[1, 1, 0, 0, 63, 0], b"<img src=x OnError=x>"),
)]
#[case::in_a_quantization_table(
    ImageType::Jpeg,
    with_segment(0xDB, &[b"\0".as_slice(), IMG, &[1; 53]].concat()),
)]
#[case::a_quantization_table_too_long(ImageType::Jpeg, with_segment(0xDB, &[1; 66]))]
#[case::in_a_table_of_codes(ImageType::Jpeg, with_segment(0xC4, &[&[0; 16], &[11][..], IMG].concat()))]
#[case::a_table_of_codes_too_short(
    ImageType::Jpeg,
    with_segment(0xC4, &[&[0; 16], &[11][..], b"1"].concat()),
)]
#[case::arithmetic_coding_too_long(ImageType::Jpeg, with_segment(0xCC, &[0; 3]))]
#[case::restarts_too_long(ImageType::Jpeg, with_segment(0xDD, &[0; 4]))]
#[case::in_colours(ImageType::Jpeg, with_segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", IMG].concat()))]
#[case::in_a_comment(ImageType::Jpeg, with_segment(0xFE, IMG))]
#[case::instead_of_a_png_s_pixels(ImageType::Png, png_of(&[IMG]))]
#[case::in_a_png_s_pixels(ImageType::Png, png_of(&[&[b"x\x9C", PAGE].concat()]))]
#[case::a_png_of_two_headers(ImageType::Png, with_png_chunk(b"IHDR", &PNG[16..29]))]
#[case::a_png_of_no_pixels(ImageType::Png, png_of(&[b""]))]
#[case::in_a_png_s_colours(ImageType::Png, with_png_chunk(b"iCCP", &[b"a\0\0", IMG].concat()))]
#[case::in_a_png_s_palette(ImageType::Png, with_png_chunk(b"PLTE", b"<img src=x >"))]
#[case::a_remark_before_a_picture(
    ImageType::Webp,
    webp(&[webp_chunk(b"EXIF", &exif(true, &[], 0)), webp_picture()]),
)]
#[case::a_canvas_in_a_canvas(ImageType::Webp, webp(&[webp_canvas(), webp_canvas(), webp_picture()]))]
#[case::a_frame_in_a_frame(
    ImageType::Webp,
    webp_frame(&[webp_frame_at([0, 0, 15, 8], &[webp_picture()]), webp_picture()]),
)]
#[case::instead_of_a_frame(ImageType::Webp, webp_frame(&[IMG.to_vec()]))]
#[case::in_a_frame_of_no_pixels(ImageType::Webp, webp_frame(&[webp_chunk(b"junk", b"1")]))]
#[case::in_a_frame_s_remark(ImageType::Webp, webp_frame(&[webp_picture(), webp_chunk(b"junk", IMG)]))]
#[case::in_a_frame_s_transparency(ImageType::Webp, webp_frame(&[webp_chunk(b"ALPH", PAGE), webp_picture()]))]
#[case::in_a_gif_s_pixels(
    ImageType::Gif,
    [b"GIF89a\x10\0\x09\0\0\0\0\x2C\0\0\0\0\x10\0\x09\0\0\x08\x23".as_slice(), PAGE, b"\0;"].concat(),
)]
#[case::a_gif_of_no_pixels(
    ImageType::Gif,
    b"GIF89a\x10\0\x09\0\0\0\0\x2C\0\0\0\0\x10\0\x09\0\0\x08\0;".to_vec(),
)]
#[case::a_gif_of_codes_too_long(
    ImageType::Gif,
    b"GIF89a\x10\0\x09\0\0\0\0\x2C\0\0\0\0\x10\0\x09\0\0\x3C\x01a\0;".to_vec(),
)]
fn a_web_page_does_not_take_the_place_of_an_image(#[case] kind: ImageType, #[case] file: Vec<u8>) {
    assert_eq!(shown(kind, &file, 16, 9), Err(AttachmentRefused::Broken));
}

/// What compresses as RFC 1950 has it: method 8, a window of up to 2^15 bytes, no dictionary, and a sum that
/// 31 divides.
#[rstest]
#[case::the_smallest_window(b"\x08\x1D", true)]
#[case::fast(b"\x78\x01", true)]
#[case::small(b"\x78\xDA", true)]
#[case::another_method(b"\x77\x09", false)]
#[case::too_large_a_window(b"\x88\x1C", false)]
#[case::a_dictionary(b"\x78\x20", false)]
#[case::another_sum(b"\x78\x02", false)]
fn pixels_of_a_png_begin_as_compressed_ones_do(#[case] header: &[u8], #[case] sound: bool) {
    let checked = if sound { Ok(()) } else { Err(AttachmentRefused::Broken) };
    assert_eq!(shown(ImageType::Png, &png_of(&[header]), 16, 9), checked);
}

/// A PNG whose header says this, and whose pixels are so many zeros.
fn png_inflating_to(header: [u32; 2], kind: [u8; 3], bytes: usize) -> Vec<u8> {
    let [depth, colour, interlace] = kind;
    let mut facts = header.map(u32::to_be_bytes).concat();
    facts.extend([depth, colour, 0, 0, interlace]);
    let pixels = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; bytes], 6);
    // The pixels may be cut anywhere.
    let parts = pixels.chunks(700).map(|part| png_chunk(b"IDAT", part)).collect::<Vec<_>>().concat();
    [&PNG[..8], &png_chunk(b"IHDR", &facts), &parts, &png_chunk(b"IEND", b"")].concat()
}

#[rstest]
#[case::grey([1, 1], [8, 0, 0], 2)]
#[case::a_bit_for_each_pixel([9, 3], [1, 3, 0], 3 * 3)]
#[case::colours([16, 9], [8, 2, 0], 9 * 49)]
#[case::grey_and_alpha([16, 9], [16, 4, 0], 9 * 65)]
#[case::all_there_is([16, 9], [16, 6, 0], 9 * 129)]
#[case::interlaced([16, 9], [8, 6, 1], 16 * 9 * 4 + 19)]
#[case::one_pixel_interlaced([1, 1], [8, 0, 1], 2)]
fn pixels_of_a_png_inflate_to_what_its_header_says_and_no_more(
    #[case] sides: [u32; 2],
    #[case] kind: [u8; 3],
    #[case] bytes: usize,
) {
    let [width, height] = sides;
    let check = |bytes| shown(ImageType::Png, &png_inflating_to(sides, kind, bytes), width, height);
    assert_eq!(check(bytes), Ok(()));
    for more in [bytes + 1, bytes + 20_000, 4 * 1024 * 1024] {
        assert_eq!(check(more), Err(AttachmentRefused::Broken), "{more}");
    }
}

#[rstest]
#[case::no_colour_there_is([8, 1, 0])]
#[case::no_depth_there_is([3, 0, 0])]
#[case::no_order_there_is([8, 0, 2])]
fn a_png_of_another_kind_is_refused(#[case] kind: [u8; 3]) {
    let png = png_inflating_to([16, 9], kind, 1);
    assert_eq!(shown(ImageType::Png, &png, 16, 9), Err(AttachmentRefused::Broken));
}

/// Each picture of an animation is as large as the whole, and all of them together more than anybody decodes.
#[test]
fn an_animation_has_no_more_pixels_than_its_bytes_can_be() {
    let image = [0x2C, 0, 0, 0, 0, 0, 0x10, 0, 0x10, 0, 8, 1, b'1', 0];
    let animation = |images: usize| {
        let head = b"GIF89a\0\x10\0\x10\0\0\0".as_slice();
        [head, &image.repeat(images), b";"].concat()
    };
    assert_eq!(shown(ImageType::Gif, &animation(1), 4_096, 4_096), Ok(()));
    assert_eq!(shown(ImageType::Gif, &animation(2), 4_096, 4_096), Err(AttachmentRefused::Broken));
}

#[test]
fn a_picture_of_an_animated_png_inflates_to_no_more_than_the_whole() {
    let png = |inflated: usize| {
        let control = [[0; 4], 16_u32.to_be_bytes(), 9_u32.to_be_bytes(), [0; 4], [0; 4], [0; 4]].concat();
        let pixels = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; inflated], 6);
        let frame = [
            png_chunk(b"fcTL", &[control.as_slice(), &[0; 2]].concat()),
            png_chunk(b"fdAT", &[&[0; 4], pixels.as_slice()].concat()),
        ];
        let (before_the_end, end) = PNG.split_at(PNG.len() - 12);
        [before_the_end, &frame.concat(), end].concat()
    };
    assert_eq!(shown(ImageType::Png, &png(16), 16, 9), Ok(()));
    assert_eq!(shown(ImageType::Png, &png(1_000_000), 16, 9), Err(AttachmentRefused::Broken));
}

#[test]
fn a_png_whose_chunks_have_other_checksums_is_refused() {
    for place in [29, 60, PNG.len() - 1] {
        let mut png = PNG.to_vec();
        png[place] ^= 1;
        assert_eq!(shown(ImageType::Png, &png, 16, 9), Err(AttachmentRefused::Broken), "{place}");
    }
}

/// The places where each format writes its size, enlarged without a pixel more.
#[test]
fn a_bomb_is_not_what_was_announced() {
    let at = |file: &[u8], needle: &[u8]| {
        file.windows(needle.len()).position(|window| window == needle).expect("the file has it")
    };
    let mut png = PNG.to_vec();
    png[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    let header = png_chunk(b"IHDR", &png[16..29]);
    png[8..33].copy_from_slice(&header);
    let mut jpeg = JPEG.to_vec();
    let frame = at(&jpeg, b"\xFF\xC0") + 5;
    jpeg[frame..frame + 4].copy_from_slice(&[0xFF; 4]);
    let mut gif = GIF.to_vec();
    gif[6..10].copy_from_slice(&[0xFF; 4]);
    let mut webp = WEBP.to_vec();
    let size = at(&webp, b"\x9D\x01\x2A") + 3;
    webp[size..size + 4].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    for (kind, bomb) in
        [(ImageType::Png, png), (ImageType::Jpeg, jpeg), (ImageType::Gif, gif), (ImageType::Webp, webp)]
    {
        assert_eq!(shown(kind, &bomb, 16, 9), Err(AttachmentRefused::Differs), "{kind:?}");
    }
}

/// A GIF of 16 by 9 pixels: what comes first, then an image that begins at a place and has a size.
fn gif(first: &[&[u8]], [x, y, w, h]: [u8; 4]) -> Vec<u8> {
    let image = [0x2C, x, 0, y, 0, w, 0, h, 0, 0, 8, 1, b'1', 0, b';'];
    [b"GIF89a\x10\0\x09\0\0\0\0".as_slice(), &first.concat(), &image].concat()
}

#[test]
fn a_frame_lies_within_its_canvas_wherever_it_begins() {
    for x in [0, 2, 8, 14] {
        for y in [0, 2, 4, 8] {
            for w in [1, 2, 8, 14, 16, 17] {
                for h in [1, 5, 7, 9, 10] {
                    let webp_frame = webp_frame_at([x / 2, y / 2, w - 1, h - 1], &[webp_lossless(w, h)]);
                    let inside = x + w <= 16 && y + h <= 9;
                    let checked = if inside { Ok(()) } else { Err(AttachmentRefused::Broken) };
                    let place = format!("{w} x {h} at {x}, {y}");
                    assert_eq!(shown(ImageType::Gif, &gif(&[], [x, y, w, h]), 16, 9), checked, "{place}");
                    let webp = webp(&[webp_canvas(), webp_frame]);
                    assert_eq!(shown(ImageType::Webp, &webp, 16, 9), checked, "{place}");
                }
            }
        }
    }
}

#[rstest]
#[case::as_announced("image/png", 0, PNG, Ok(()))]
#[case::another_size("image/png", 1, PNG, Err(AttachmentRefused::Differs))]
#[case::another_header("image/gif", 0, PNG, Err(AttachmentRefused::Differs))]
#[case::another_content("image/png", 0, GIF, Err(AttachmentRefused::Differs))]
#[case::no_image("image/png", 0, b"<script>alert", Err(AttachmentRefused::Differs))]
#[case::no_bytes("image/png", 0, b"", Err(AttachmentRefused::Differs))]
fn what_was_uploaded_must_be_what_was_announced(
    #[case] content_type: &str,
    #[case] more: u64,
    #[case] bytes: &[u8],
    #[case] checked: Result<(), AttachmentRefused>,
) {
    let size_bytes = bytes.len() as u64;
    let facts = ImageFacts::new(ImageType::Png, size_bytes.max(1), 16, 9).unwrap();
    let key = AttachmentKey::mint(&their_room(), Member::A, facts, 7);
    let stored = StoredObject {
        content_type: content_type.to_owned(),
        size_bytes: size_bytes + more,
        uploaded_at: uploaded_at(),
        bytes: bytes.to_vec(),
    };
    assert_eq!(Attachment { key, facts, alt: None }.check_object(&stored, uploaded_at()), checked);
    let shown = format!("{stored:?}");
    assert!(shown.len() < 200, "a log holds no images: {shown}");
}

#[rstest]
#[case::at_once(Duration::ZERO, Ok(()))]
#[case::in_time(UPLOAD_SHOWN_WITHIN - Duration::from_millis(1), Ok(()))]
#[case::just_too_late(UPLOAD_SHOWN_WITHIN, Err(AttachmentRefused::InDoubt))]
#[case::not_settled(
    UPLOAD_SHOWN_WITHIN + IN_DOUBT_FOR - Duration::from_millis(1),
    Err(AttachmentRefused::InDoubt),
)]
#[case::too_late(UPLOAD_SHOWN_WITHIN + IN_DOUBT_FOR, Err(AttachmentRefused::Lapsed))]
fn an_upload_is_shown_within_a_day(#[case] age: Duration, #[case] checked: Result<(), AttachmentRefused>) {
    let size_bytes = PNG.len() as u64;
    let facts = ImageFacts::new(ImageType::Png, size_bytes, 16, 9).unwrap();
    let key = AttachmentKey::mint(&their_room(), Member::A, facts, 7);
    let content_type = "image/png".to_owned();
    let stored = StoredObject { content_type, size_bytes, uploaded_at: uploaded_at(), bytes: PNG.to_vec() };
    let attachment = Attachment { key, facts, alt: None };
    assert_eq!(attachment.check_object(&stored, uploaded_at().after(age)), checked);
}

proptest! {
    #[test]
    fn a_minted_key_reads_back_and_is_visible_to_the_two_members_alone(
        one in "[a-c#]{1,3}@[a-c]\\.co",
        other in "[a-c#]{1,3}@[a-c]\\.co",
        outsider in "[a-c#]{1,3}@[a-c]\\.co",
        uploader in member(),
        kind in kind(),
        size_bytes in 1..=IMAGE_MAX_BYTES,
        random in any::<u128>(),
    ) {
        prop_assume!(one != other);
        let room = room(&one, &other);
        let key = AttachmentKey::mint(&room, uploader, facts(kind, size_bytes), random);
        let read: AttachmentKey = key.as_str().parse()?;
        prop_assert_eq!(&read, &key);
        prop_assert_eq!(read.to_string(), key.as_str());
        prop_assert!(read.is_by(&room, uploader) && !read.is_by(&room, uploader.peer()));
        prop_assert!(read.is_visible_to(&email(&one)) && read.is_visible_to(&email(&other)));
        prop_assert_eq!(read.is_visible_to(&email(&outsider)), outsider == one || outsider == other);
        for person in [&one, &other, &outsider] {
            let person = email(person);
            prop_assert_eq!(read.is_uploaded_by(&person), person == *room.email(uploader));
        }
    }

    #[test]
    fn keys_differ_when_anything_differs(
        one in (member(), kind(), 1_u64..3, 0_u128..3),
        other in (member(), kind(), 1_u64..3, 0_u128..3),
    ) {
        let mint = |(uploader, kind, size, random)| {
            AttachmentKey::mint(&their_room(), uploader, facts(kind, size), random)
        };
        prop_assert_eq!(mint(one) == mint(other), one == other);
        prop_assert_eq!(mint(one).as_str() == mint(other).as_str(), one == other);
    }

    #[test]
    fn no_text_and_no_bytes_panic(text in "[0-9a-f.é-]{0,120}", bytes in any::<Vec<u8>>()) {
        let _ = text.parse::<AttachmentKey>();
        let _ = ImageType::from_signature(&bytes);
    }

    /// A byte here or there, or a piece taken out: it never panics, and a place that was found before does
    /// not hide.
    #[test]
    fn no_damage_to_a_file_panics(
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in 0..64_usize,
        more in proptest::collection::vec(any::<u8>(), 0..16),
    ) {
        let located = [
            (ImageType::Jpeg, sample!("gps.jpg")), (ImageType::Png, sample!("gps.png")),
            (ImageType::Webp, sample!("gps.webp")), (ImageType::Gif, sample!("xmp-gps.gif")),
        ];
        for (kind, file) in located.into_iter().chain(OF_EACH) {
            let place = place.index(file.len());
            let mut damaged = file.to_vec();
            damaged[place] = byte;
            let _ = shown(kind, &damaged, 16, 9);
            let rest = (place + cut).min(file.len());
            let _ = shown(kind, &[&file[..place], &more, &file[rest..]].concat(), 16, 9);
        }
    }

    #[test]
    fn no_bytes_behind_a_signature_panic(rest in any::<Vec<u8>>()) {
        for (kind, file) in OF_EACH {
            prop_assert!(shown(kind, &[&file[..SIGNATURE_BYTES], &rest].concat(), 16, 9).is_err());
        }
    }

    #[test]
    fn a_signature_needs_no_more_than_its_first_bytes(kind in kind(), rest in any::<Vec<u8>>()) {
        let start: &[u8] = match kind {
            ImageType::Jpeg => b"\xFF\xD8\xFF",
            ImageType::Png => b"\x89PNG\r\n\x1A\n",
            ImageType::Webp => b"RIFF\0\0\0\0WEBP",
            ImageType::Gif => b"GIF89a",
        };
        let file = [start, &rest].concat();
        prop_assert_eq!(ImageType::from_signature(&file), Some(kind));
        prop_assert_eq!(ImageType::from_signature(&file[..file.len().min(SIGNATURE_BYTES)]), Some(kind));
    }
}
