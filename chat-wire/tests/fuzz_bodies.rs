//! The bodies of the fuzz targets, over the seeds and bounded random changes of them: what a nightly compiler
//! fuzzes for hours runs everywhere for a second.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

#[path = "../../proof/fuzz/src/lib.rs"]
pub mod bodies;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proof/fuzz/seeds").join(target);
    let files = std::fs::read_dir(folder).expect("every target has seeds");
    files.map(|file| std::fs::read(file.expect("a seed").path()).expect("a seed is readable")).collect()
}

/// What the formats are made of.
const PIECES: &[&str] = &[
    "", "\"", "\\", "{", "}", "[", ",", ":", "@", "#", ".", "-", "\n", "0", "Z", "null", "true", "가",
    "\\u0000",
];

/// What a change puts in.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>().prop_map(|bytes| bytes.into_iter().take(4).collect()),
        prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
    ]
}

/// A seed in which up to four stretches are replaced.
fn near_a_seed(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let edits = prop::collection::vec((any::<Index>(), 0_usize..4, piece()), 0..5);
    (prop::sample::select(seeds(target)), edits).prop_map(|(mut bytes, edits)| {
        for (place, length, piece) in edits {
            let start = place.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, piece);
        }
        bytes
    })
}

#[rstest::rstest]
#[case::frame("frame", bodies::frame)]
#[case::email_room("email_room", bodies::email_room)]
#[case::timestamp("timestamp", bodies::timestamp)]
#[case::cursor("cursor", bodies::cursor)]
#[case::image("image", bodies::image)]
fn every_seed_holds(#[case] target: &str, #[case] body: fn(&[u8])) {
    seeds(target).iter().for_each(|seed| body(seed));
}

#[test]
fn every_kind_of_frame_has_a_seed() {
    let seeds = seeds("frame").into_iter().filter_map(|seed| String::from_utf8(seed).ok());
    let seeds: Vec<String> = seeds.collect();
    for action in chat_wire::table::ACTIONS {
        let key = format!("\"action\":\"{}\"", action.name);
        assert!(seeds.iter().any(|seed| seed.contains(&key)), "no seed has {key}");
    }
}

proptest! {
    #[test]
    fn a_frame_is_answered_and_means_one_thing(data in near_a_seed("frame")) {
        bodies::frame(&data);
    }

    #[test]
    fn addresses_have_one_form_and_pairs_one_room(data in near_a_seed("email_room")) {
        bodies::email_room(&data);
    }

    #[test]
    fn a_timestamp_and_its_text_are_one(data in near_a_seed("timestamp")) {
        bodies::timestamp(&data);
    }

    #[test]
    fn a_cursor_is_its_owners(data in near_a_seed("cursor")) {
        bodies::cursor(&data);
    }

    #[test]
    fn an_image_is_all_there_is(data in near_a_seed("image")) {
        bodies::image(&data);
    }

    #[test]
    fn no_bytes_break_anything(data in any::<Vec<u8>>()) {
        for body in [bodies::frame, bodies::email_room, bodies::timestamp, bodies::cursor, bodies::image] {
            body(&data);
        }
    }
}
