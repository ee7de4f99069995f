use super::talk::{
    STORED, Store, Talk, commit, conflicts, is_absent, listed, patiently, room_of_scene, stored_room, words,
};
use crate::conformance::{JUNHO, MINJI, eventually, november, race};
use crate::{
    Advance, Consent, ConsentWrite, Member, MessageStoreError, ReadMark, ReadState, RoomId, Timestamp,
};

const BLOCK: ConsentWrite = block(Timestamp::UNIX_EPOCH);
/// How much a racer writes who is never refused.
const WRITTEN_MAX: usize = 200;
const UNBLOCK: ConsentWrite = ConsentWrite::Unblock { of: Timestamp::UNIX_EPOCH };

/// A block between two who were not in touch.
const fn block(at: Timestamp) -> ConsentWrite {
    ConsentWrite::Block { at, freezes_reads: false }
}

/// A block between two who were in touch.
const fn freezing_block(at: Timestamp) -> ConsentWrite {
    ConsentWrite::Block { at, freezes_reads: true }
}

async fn write(store: &Store, room: &RoomId, member: Member, write: ConsentWrite) -> bool {
    patiently(|| store.write_consent(room, member, write)).await.expect(STORED)
}

pub(super) async fn a_blocked_sender_is_refused_whatever_the_head(store: Store) {
    for (scene, blocker) in [Member::A, Member::B].into_iter().enumerate() {
        let mut talk = Talk::in_room(&store, room_of_scene(scene), november(23));
        talk.go_on(3).await;
        // The sender's head is from before the block.
        let stale = talk.draft(blocker.peer(), words("왜 답이 없어?"));
        talk.decide(blocker, block(november(24))).await;
        conflicts(&store, &stale).await;
        talk.is_stored().await;
        // The one who blocks may still write.
        let own = talk.draft(blocker, words("그만해"));
        commit(&store, &own).await.expect(STORED);
        talk.holds(own);
        let again = talk.room.clone().with_consent(Default::default());
        let again = Talk { room: again, ..Talk::in_room(&store, room_of_scene(scene), november(25)) };
        conflicts(&store, &again.draft(blocker.peer(), words("미안해"))).await;
        talk.is_stored().await;
        talk.decide(blocker, ConsentWrite::Unblock { of: november(24) }).await;
        talk.say(blocker.peer(), words("미안해")).await;
        talk.is_stored().await;
    }
}

pub(super) async fn nothing_of_a_blocked_sender_is_stored_after_a_block_that_races(store: Store) {
    for scene in 0..8 {
        let mut talk = Talk::in_room(&store, room_of_scene(scene), november(23));
        talk.go_on(2).await;
        let id = talk.room.id().clone();
        let seq_at_the_block = race((0..2).map(|n| {
            let (store, id) = (store.for_racer(n), id.clone());
            let mut talk =
                Talk { store: store.clone(), room: talk.room.clone(), messages: Vec::new(), now: talk.now };
            async move {
                if n == 0 {
                    assert!(write(&store, &id, Member::A, BLOCK).await);
                    return stored_room(&store, &id).await.expect("something was said").seq();
                }
                for _ in 0..WRITTEN_MAX {
                    let append = talk.draft(Member::B, words("있잖아"));
                    match commit(&store, &append).await {
                        Ok(()) => talk.holds(append),
                        Err(MessageStoreError::Conflict) => return talk.room.seq(),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                talk.room.seq()
            }
        }))
        .await;
        let stored = stored_room(&store, &id).await.expect("something was said");
        assert_eq!(vec![stored.seq(); 2], seq_at_the_block);
    }
}

pub(super) async fn sending_and_reading_leave_decisions_alone(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    // The message is made from a room in which nobody had decided anything.
    let append = talk.draft(MINJI, words("읽었어?"));
    talk.decide(MINJI, block(november(24))).await;
    talk.decide(JUNHO, ConsentWrite::Accept).await;
    let decided = talk.room.consents();
    commit(&store, &append).await.expect(STORED);
    talk.holds(append);
    talk.is_stored().await;
    talk.read(JUNHO, 2).await;
    let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
    assert_eq!(stored.consents(), decided);
}

pub(super) async fn deciding_changes_nothing_else(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 2).await;
    let append = talk.draft(MINJI, words("읽었어?"));
    for decision in [ConsentWrite::Accept, BLOCK, UNBLOCK] {
        talk.decide(JUNHO, decision).await;
        talk.is_stored().await;
    }
    commit(&store, &append).await.expect(STORED);
    talk.holds(append);
    talk.is_stored().await;
}

pub(super) async fn a_decision_in_an_absent_room_creates_nothing(store: Store) {
    let talk = Talk::new(&store);
    for decision in [ConsentWrite::Accept, BLOCK, UNBLOCK] {
        assert!(!write(&store, talk.room.id(), JUNHO, decision).await, "{decision:?}");
    }
    is_absent(&store, talk.room.id()).await;
}

pub(super) async fn a_repeated_decision_changes_nothing_more(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    for decision in [ConsentWrite::Accept, BLOCK, UNBLOCK] {
        for _ in 0..2 {
            talk.decide(MINJI, decision).await;
            talk.is_stored().await;
        }
    }
}

pub(super) async fn members_decide_independently(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    talk.decide(MINJI, ConsentWrite::Accept).await;
    talk.decide(JUNHO, block(november(24))).await;
    talk.is_stored().await;
    assert_eq!(talk.room.consent(MINJI), Consent { accepted: true, blocked: None });
    talk.decide(MINJI, block(november(25))).await;
    talk.decide(JUNHO, ConsentWrite::Unblock { of: november(24) }).await;
    talk.is_stored().await;
    for member in [JUNHO, MINJI] {
        let expected = vec![talk.room.clone()];
        eventually(expected, async || listed(&store, talk.room.id().email(member)).await).await;
    }
}

pub(super) async fn a_block_that_was_made_anew_is_not_lifted_by_an_old_attempt(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(2).await;
    for day in [24, 25] {
        talk.decide(MINJI, block(november(day))).await;
    }
    let old = ConsentWrite::Unblock { of: november(24) };
    let lifted = patiently(|| store.write_consent(talk.room.id(), MINJI, old)).await;
    assert!(matches!(lifted, Err(MessageStoreError::Conflict)), "{lifted:?}");
    talk.is_stored().await;
}

pub(super) async fn a_block_that_freezes_keeps_how_far_each_has_read(store: Store) {
    for (scene, blocker) in [JUNHO, MINJI].into_iter().enumerate() {
        let mut talk = Talk::in_room(&store, room_of_scene(scene), november(23));
        talk.go_on(6).await;
        talk.decide(blocker, freezing_block(november(24))).await;
        assert_eq!(talk.room.read_state(JUNHO).shown_to, None, "nobody has read anything");
        talk.is_stored().await;
        talk.decide(blocker, ConsentWrite::Unblock { of: november(24) }).await;
        talk.read(JUNHO, 2).await;
        talk.decide(blocker, freezing_block(november(25))).await;
        assert_eq!(talk.room.read_state(JUNHO).shown_to, Some(talk.messages[2].at));
        assert_eq!(talk.room.read_state(MINJI).shown_to, None);
        talk.is_stored().await;
        talk.read(JUNHO, 4).await;
        talk.read(MINJI, 5).await;
        talk.is_stored().await;
        // A block that freezes nothing changes nothing of it.
        talk.decide(blocker, block(november(26))).await;
        talk.is_stored().await;
        talk.decide(blocker, ConsentWrite::Unblock { of: november(26) }).await;
        talk.is_stored().await;
        talk.decide(blocker, freezing_block(november(27))).await;
        assert_eq!(talk.room.read_state(JUNHO).shown_to, Some(talk.messages[4].at));
        assert_eq!(talk.room.read_state(MINJI).shown_to, Some(talk.messages[5].at));
        talk.is_stored().await;
    }
}

/// The two are not in touch then, so nobody may see how far the other has read by now.
pub(super) async fn nothing_is_frozen_while_either_blocks(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(4).await;
    talk.read(JUNHO, 0).await;
    talk.decide(MINJI, freezing_block(november(24))).await;
    talk.read(JUNHO, 2).await;
    for member in [JUNHO, MINJI] {
        let late = freezing_block(november(25));
        let written = patiently(|| store.write_consent(talk.room.id(), member, late)).await;
        assert!(matches!(written, Err(MessageStoreError::Conflict)), "{written:?}");
        talk.is_stored().await;
    }
}

/// Who moved their mark sees in the room whether the block was there. If it was not, the peer is told of the
/// mark, and has to go on seeing it.
pub(super) async fn a_mark_that_races_a_block_that_freezes_is_kept_or_came_later(store: Store) {
    for scene in 0..16 {
        let mut talk = Talk::in_room(&store, room_of_scene(scene), november(23));
        talk.go_on(4).await;
        talk.read(JUNHO, 0).await;
        let id = talk.room.id().clone();
        let mark = ReadMark::at(&talk.messages[2], JUNHO);
        let told = race((0..2).map(|n| {
            let (store, id) = (store.for_racer(n), id.clone());
            async move {
                if n as usize == scene % 2 {
                    assert!(write(&store, &id, MINJI, freezing_block(november(24))).await);
                    return None;
                }
                let advance = patiently(|| store.advance_read(&id, JUNHO, mark)).await.expect(STORED);
                let Advance::Moved(room) = advance else { panic!("it moves on: {advance:?}") };
                Some(room.consent(MINJI).blocked.is_none())
            }
        }))
        .await;
        let told = told.into_iter().flatten().next().expect("one of them moved a mark");
        let stored = stored_room(&store, &id).await.expect("something was said");
        let shown_to = if told { mark.up_to } else { talk.messages[0].at };
        let expected = ReadState { mark: Some(mark), shown_to: Some(shown_to), cleared_to: None };
        assert_eq!(stored.read_state(JUNHO), expected);
    }
}
