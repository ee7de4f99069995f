//! Images: what they may be, whose they are, and what their first bytes reveal.

use chat_domain::{
    Attachment, AttachmentKey, AttachmentRefused, Email, IMAGE_MAX_BYTES, IMAGE_MAX_SIDE, ImageFacts,
    ImageType, Member, RoomId, SIGNATURE_BYTES, StoredObject,
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
#[case::largest(IMAGE_MAX_BYTES, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE, Ok(()))]
#[case::empty(0, 1, 1, Err(AttachmentRefused::Size))]
#[case::too_large(IMAGE_MAX_BYTES + 1, 1, 1, Err(AttachmentRefused::Size))]
#[case::no_width(1, 0, 1, Err(AttachmentRefused::Sides))]
#[case::no_height(1, 1, 0, Err(AttachmentRefused::Sides))]
#[case::too_wide(1, IMAGE_MAX_SIDE + 1, 1, Err(AttachmentRefused::Sides))]
#[case::too_high(1, 1, IMAGE_MAX_SIDE + 1, Err(AttachmentRefused::Sides))]
fn facts_have_bounds(
    #[case] size_bytes: u64,
    #[case] width_px: u32,
    #[case] height_px: u32,
    #[case] checked: Result<(), AttachmentRefused>,
) {
    assert_eq!(ImageFacts::new(ImageType::Png, size_bytes, width_px, height_px).map(drop), checked);
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
#[case::one_part_more(
    "00000000000000000000000000000000-00000000000000000000000000000000-a-00000000000000000000000000000000-0.png"
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

#[test]
fn a_key_is_its_uploaders_in_its_room_alone() {
    let key = AttachmentKey::mint(&their_room(), Member::A, ImageType::Png, 7);
    assert!(key.is_by(&their_room(), Member::A));
    assert!(!key.is_by(&their_room(), Member::B), "the peer may see it but not send it as their own");
    assert!(!key.is_by(&room("junho@example.com", "seoyeon@example.com"), Member::A));
    assert!(!key.is_by(&room("hyun@example.com", "junho@example.com"), Member::A));
}

#[test]
fn an_attachment_of_another_owner_is_refused() {
    let key = AttachmentKey::mint(&their_room(), Member::A, ImageType::Png, 7);
    let facts = ImageFacts::new(ImageType::Png, 20, 1, 1).unwrap();
    let attachment = Attachment { key, facts, alt: None };
    assert_eq!(attachment.check_owner(&their_room(), Member::A), Ok(()));
    assert_eq!(attachment.check_owner(&their_room(), Member::B), Err(AttachmentRefused::Key));
}

#[rstest]
#[case::as_announced("image/png", 20, b"\x89PNG\r\n\x1A\n\0\0\0\x0D", Ok(()))]
#[case::another_size("image/png", 21, b"\x89PNG\r\n\x1A\n\0\0\0\x0D", Err(AttachmentRefused::Differs))]
#[case::another_header("image/gif", 20, b"\x89PNG\r\n\x1A\n\0\0\0\x0D", Err(AttachmentRefused::Differs))]
#[case::another_content("image/png", 20, b"GIF89a\0\0\0\0\0\0", Err(AttachmentRefused::Differs))]
#[case::no_image("image/png", 20, b"<script>alert", Err(AttachmentRefused::Differs))]
fn what_was_uploaded_must_be_what_was_announced(
    #[case] content_type: &str,
    #[case] size_bytes: u64,
    #[case] first_bytes: &[u8],
    #[case] checked: Result<(), AttachmentRefused>,
) {
    let key = AttachmentKey::mint(&their_room(), Member::A, ImageType::Png, 7);
    let facts = ImageFacts::new(ImageType::Png, 20, 1, 1).unwrap();
    let stored =
        StoredObject { content_type: content_type.to_owned(), size_bytes, first_bytes: first_bytes.to_vec() };
    assert_eq!(Attachment { key, facts, alt: None }.check_object(&stored), checked);
}

proptest! {
    #[test]
    fn a_minted_key_reads_back_and_is_visible_to_the_two_members_alone(
        one in "[a-c#]{1,3}@[a-c]\\.co",
        other in "[a-c#]{1,3}@[a-c]\\.co",
        outsider in "[a-c#]{1,3}@[a-c]\\.co",
        uploader in member(),
        kind in kind(),
        random in any::<u128>(),
    ) {
        prop_assume!(one != other);
        let room = room(&one, &other);
        let key = AttachmentKey::mint(&room, uploader, kind, random);
        let read: AttachmentKey = key.as_str().parse()?;
        prop_assert_eq!(&read, &key);
        prop_assert_eq!(read.to_string(), key.as_str());
        prop_assert!(read.is_by(&room, uploader) && !read.is_by(&room, uploader.peer()));
        prop_assert!(read.is_visible_to(&email(&one)) && read.is_visible_to(&email(&other)));
        prop_assert_eq!(read.is_visible_to(&email(&outsider)), outsider == one || outsider == other);
    }

    #[test]
    fn keys_differ_when_anything_differs(
        one in (member(), kind(), 0_u128..3),
        other in (member(), kind(), 0_u128..3),
    ) {
        let mint = |(uploader, kind, random)| AttachmentKey::mint(&their_room(), uploader, kind, random);
        prop_assert_eq!(mint(one) == mint(other), one == other);
        prop_assert_eq!(mint(one).as_str() == mint(other).as_str(), one == other);
    }

    #[test]
    fn no_text_and_no_bytes_panic(text in "[0-9a-f.é-]{0,120}", bytes in any::<Vec<u8>>()) {
        let _ = text.parse::<AttachmentKey>();
        let _ = ImageType::from_signature(&bytes);
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
