use super::talk::{
    Store, Talk, content_of, every_kind, image, is_absent, longest_words, proposal, stored_messages,
    stored_room, words,
};
use crate::conformance::{JUNHO, MINJI, email, minji, november, room, their_room, time};
use crate::{
    ConsentWrite, Content, ImageType, MESSAGE_TEXT_MAX_BYTES, Member, OPEN_PROPOSALS_MAX, PageRange,
    ProposalAnswer, Verdict,
};

pub(super) async fn a_room_nobody_wrote_to_is_absent(store: Store) {
    is_absent(&store, &their_room()).await;
    Talk::in_room(&store, room(&minji(), &email("seoyeon@example.com")), november(23)).go_on(1).await;
    assert_eq!(stored_room(&store, &their_room()).await, None);
    assert_eq!(stored_messages(&store, &their_room()).await, []);
}

pub(super) async fn every_kind_of_message_reads_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for kind in every_kind() {
        if let Some(content) = content_of(&kind, &talk.room) {
            talk.say(MINJI, content).await;
            talk.is_stored().await;
        }
    }
}

pub(super) async fn words_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for text in [
        "a",
        "안녕하세요, 준호님!",
        "one\n\n\ttwo",
        "👩‍👩‍👧‍👦 e\u{301} שלום",
        "\"quoted\" \\n {json} #$%&",
        "null",
        "0",
    ] {
        talk.say(MINJI, words(text)).await;
        talk.say(JUNHO, words(text)).await;
    }
    talk.is_stored().await;
}

pub(super) async fn the_longest_words_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    talk.say(MINJI, longest_words()).await;
    talk.say(JUNHO, words(&"\\".repeat(MESSAGE_TEXT_MAX_BYTES))).await;
    talk.is_stored().await;
}

pub(super) async fn images_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for kind in [ImageType::Jpeg, ImageType::Png, ImageType::Webp, ImageType::Gif] {
        let words =
            [(None, None), (Some("골대"), None), (None, Some("우리 팀")), (Some("골대"), Some("우리 팀"))];
        for ((alt, caption), random) in words.into_iter().zip(u128::MAX / 7..) {
            talk.say(MINJI, image(MINJI, kind, random, alt, caption)).await;
            talk.say(JUNHO, image(JUNHO, kind, random, alt, caption)).await;
        }
    }
    talk.is_stored().await;
}

pub(super) async fn proposals_and_answers_read_back_whole(store: Store) {
    let mut talk = Talk::new(&store);
    for (verdict, answerer) in
        [(Verdict::Accepted, JUNHO), (Verdict::Declined, JUNHO), (Verdict::Withdrawn, MINJI)]
    {
        for note in [None, Some("비가 오면 다음 주에")] {
            talk.say(MINJI, proposal(november(30), note)).await;
            let proposal = talk.room.log().expect("something was said").last_at();
            talk.is_stored().await;
            talk.say(answerer, Content::MatchProposalAnswer(ProposalAnswer { proposal, verdict })).await;
        }
    }
    talk.is_stored().await;
}

pub(super) async fn the_room_reads_back_whole_after_every_message(store: Store) {
    let mut talk = Talk::new(&store);
    for _ in 0..12 {
        talk.go_on(1).await;
        assert_eq!(stored_room(&store, talk.room.id()).await.as_ref(), Some(&talk.room));
    }
}

/// The head at its largest: the longest addresses and preview, every list full, every optional part there.
pub(super) async fn a_room_with_everything_in_it_reads_back_whole(store: Store) {
    let long = |first: &str| email(&format!("{}@example.com", first.repeat(242)));
    let mut talk = Talk::in_room(&store, room(&long("a"), &long("b")), november(23));
    for open in 0..OPEN_PROPOSALS_MAX {
        let proposer = if open % 2 == 0 { Member::A } else { Member::B };
        talk.say(proposer, proposal(november(30), None)).await;
    }
    talk.say(Member::A, longest_words()).await;
    for reader in [Member::A, Member::B] {
        talk.read(reader, 8).await;
    }
    talk.decide(Member::A, ConsentWrite::Block { at: november(24), freezes_reads: true }).await;
    talk.decide(Member::A, ConsentWrite::Accept).await;
    talk.is_stored().await;
    talk.decide(Member::A, ConsentWrite::Unblock { of: november(24) }).await;
    talk.say(Member::B, longest_words()).await;
    talk.is_stored().await;
}

pub(super) async fn timestamps_of_any_year_read_back_in_order(store: Store) {
    let mut talk = Talk::new(&store);
    for text in ["0000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"] {
        talk.now = time(text);
        talk.go_on(1).await;
    }
    // Clocks that stand still, and one that runs far ahead.
    for text in ["2026-11-23T09:00:00.000Z", "2026-11-23T09:00:00.000Z", "9999-12-31T23:59:59.998Z"] {
        talk.now = time(text);
        talk.go_on(1).await;
    }
    talk.is_stored().await;
    talk.has_the_page(PageRange::Newest, 6).await;
}
