//! Erasing while others go on, and erasing that stops half-way.

use futures_util::FutureExt as _;

use super::{
    ErasableStore, STORED, Store, append, deserted, erased, messages, note_erased, photo, room, say, words,
};
use crate::conformance::{JUNHO, MINJI, race, their_room};
use crate::ports::message_store::conformance::nothing_half_is_seen;
use crate::ports::message_store::conformance::talk::patiently;
use crate::{Content, Member, Message, MessageStoreError, PerMember, ReadMark, Room, Timestamp};

/// How often a race is run that has two outcomes.
const ROUNDS: u32 = 20;

pub(super) async fn marks_and_erasures_that_race_all_happen(store: Store) {
    let mut said = Vec::new();
    for _ in 0..ROUNDS {
        said.push(say(&store, MINJI, words("지울 말")).await);
    }
    let marker = {
        let (store, said) = (store.for_racer(0), said.clone());
        async move {
            for message in said {
                let room = &message.room;
                patiently(|| store.store().advance_read(room, JUNHO, ReadMark::at(&message, JUNHO)))
                    .await
                    .expect(STORED);
                tokio::task::yield_now().await;
            }
        }
    };
    let eraser = {
        let (store, said) = (store.for_racer(1), said.clone());
        async move {
            for message in said {
                patiently(|| store.eraser().erase_message(&message)).await.expect(STORED);
                tokio::task::yield_now().await;
            }
        }
    };
    race([marker.boxed(), eraser.boxed()]).await;
    let last = said.last().map(|message| message.at);
    assert_eq!(room(&store).await.read_up_to(JUNHO), last);
    assert_eq!(messages(&store).await, said.into_iter().map(erased).collect::<Vec<_>>());
}

/// Takes a member out of the head, as often as somebody writes meanwhile.
async fn rewrite(store: &Store, member: Member) {
    loop {
        let Some(without) = room(store).await.without(member) else { return };
        match patiently(|| store.eraser().rewrite_head(&without)).await {
            Err(MessageStoreError::Conflict) => tokio::task::yield_now().await,
            outcome => return outcome.expect(STORED),
        }
    }
}

/// While Minji writes, Junho is erased, again and again: he comes back each time.
pub(super) async fn rewritings_and_commits_that_race_all_happen(store: Store) {
    say(&store, JUNHO, words("안녕")).await;
    let writer = |member: Member, store: Store| async move {
        for _ in 0..ROUNDS {
            loop {
                let next = append(&room(&store).await, member, words("말"));
                match patiently(|| store.store().commit(&next)).await {
                    Err(MessageStoreError::Conflict) => tokio::task::yield_now().await,
                    outcome => break outcome.expect(STORED),
                }
            }
        }
    };
    let eraser = {
        let store = store.for_racer(1);
        async move {
            for _ in 0..ROUNDS {
                rewrite(&store, JUNHO).await;
                nothing_half_is_seen(&store.clone().map(ErasableStore::into_store), &their_room()).await;
                tokio::task::yield_now().await;
            }
        }
    };
    let writers = [writer(MINJI, store.for_racer(0)).boxed(), writer(JUNHO, store.for_racer(1)).boxed()];
    race(writers.into_iter().chain([eraser.boxed()])).await;

    let (head, rows) = (room(&store).await, messages(&store).await);
    assert_eq!(rows.len(), 41);
    let log = head.log().expect("there are messages");
    assert_eq!((log.seq(), log.sent), (41, PerMember { a: 21, b: 20 }), "every message is counted");
    let recent = rows.iter().rev().take(log.recent.len()).rev().map(|message| message.id);
    assert!(log.recent.iter().map(|recent| recent.id).eq(recent), "the head knows the newest messages");
}

/// Both are erased at the same time, each through a handle of its own.
pub(super) async fn two_who_are_erased_at_the_same_time_are_both_noted(store: Store) {
    for _ in 0..ROUNDS {
        say(&store, JUNHO, words("안녕")).await;
        say(&store, MINJI, words("안녕")).await;
        race((0..).zip([MINJI, JUNHO]).map(|(n, member)| {
            let store = store.for_racer(n);
            async move { rewrite(&store, member).await }
        }))
        .await;
        assert!(room(&store).await.is_deserted());
    }
}

/// So that the next scene begins anew.
async fn remove_everything(store: &Store) {
    for message in messages(store).await {
        patiently(|| store.eraser().erase_message(&message)).await.expect(STORED);
    }
    rewrite(store, MINJI).await;
    rewrite(store, JUNHO).await;
    let rows = times(&messages(store).await);
    let head = room(store).await;
    patiently(|| store.eraser().remove_room(&head, &rows)).await.expect(STORED);
}

pub(super) async fn an_interrupted_erasure_forgets_message_and_attachment_or_neither(store: Store) {
    store
        .interrupt(async |_, interruption| {
            let said = say(&store, MINJI, photo()).await;
            let answer = interruption.of(async |store| store.eraser().erase_message(&said).await).await;
            let rows = messages(&store).await;
            let is_erased = rows.last().expect("it keeps its place").content == Content::Erased;
            let again = append(&room(&store).await, MINJI, photo());
            match patiently(|| store.store().commit(&again)).await {
                Ok(()) => assert!(is_erased, "the attachment was forgotten, and its message was not"),
                Err(MessageStoreError::AttachmentTaken) => {
                    assert!(!is_erased, "the message was erased, and its attachment was not forgotten");
                }
                Err(error) => panic!("{error:?}"),
            }
            remove_everything(&store).await;
            matches!(answer, Some(Ok(())))
        })
        .await;
}

/// The head and the rows as they were at one moment: a call that was interrupted may still have its effect
/// between two reads.
async fn at_one_moment(store: &Store) -> (Room, Vec<Message>) {
    let mut head = room(store).await;
    loop {
        let rows = messages(store).await;
        let again = room(store).await;
        if again == head {
            return (head, rows);
        }
        head = again;
    }
}

fn times(rows: &[Message]) -> Vec<Timestamp> {
    rows.iter().map(|message| message.at).collect()
}

pub(super) async fn an_interrupted_removal_is_done_or_not_done(store: Store) {
    store
        .interrupt(async |_, interruption| {
            let said = deserted(&store).await;
            let head = room(&store).await;
            let at = times(&said);
            let answer =
                interruption.of(async |store| store.eraser().remove_oldest(&head, &at[..2]).await).await;
            let left = messages(&store).await;
            assert!([&said[..], &said[2..]].contains(&&left[..]), "some rows of a step are gone: {left:?}");
            assert_eq!(room(&store).await, head, "the head stays until the last step");
            patiently(|| store.eraser().remove_oldest(&head, &at[..2])).await.expect(STORED);
            patiently(|| store.eraser().remove_room(&head, &at[2..])).await.expect(STORED);
            matches!(answer, Some(Ok(())))
        })
        .await;
    store
        .interrupt(async |_, interruption| {
            let said = deserted(&store).await;
            let head = room(&store).await;
            let at = times(&said);
            let answer = interruption.of(async |store| store.eraser().remove_room(&head, &at).await).await;
            let (head_now, left) = at_one_moment(&store).await;
            if head_now.seq() == 0 {
                assert_eq!(left, [], "the head is gone, and rows are left");
            } else {
                assert_eq!(
                    (&head_now, &left[..]),
                    (&head, &said[..]),
                    "the head is there, and rows are gone"
                );
                patiently(|| store.eraser().remove_room(&head, &at)).await.expect(STORED);
            }
            matches!(answer, Some(Ok(())))
        })
        .await;
}

pub(super) async fn of_a_removal_and_a_commit_that_race_one_happens(store: Store) {
    for round in 0..ROUNDS {
        let said = deserted(&store).await;
        let head = room(&store).await;
        let next = append(&head, MINJI, words("돌아왔어"));
        let outcomes = race((0..2).map(|n| {
            let (store, head, rows, next) = (store.for_racer(n), head.clone(), times(&said), next.clone());
            async move {
                if n == round % 2 {
                    patiently(|| store.eraser().remove_room(&head, &rows)).await
                } else {
                    patiently(|| store.store().commit(&next)).await
                }
            }
        }))
        .await;
        let [removed, committed] = [round % 2, (round + 1) % 2].map(|n| &outcomes[n as usize]);
        let (head, rows) = (room(&store).await, messages(&store).await);
        match (removed, committed) {
            (Ok(()), Err(MessageStoreError::Conflict)) => {
                assert_eq!((head, rows), (Room::empty(their_room()), vec![]));
            }
            (Err(MessageStoreError::Conflict), Ok(())) => {
                assert_eq!(rows, [&said[..], &[next.log.newest]].concat());
                assert_eq!(head.seq(), 4);
                note_erased(&store, MINJI).await;
                let (head, rows) = (room(&store).await, times(&rows));
                patiently(|| store.eraser().remove_room(&head, &rows)).await.expect(STORED);
            }
            outcomes => panic!("one happens, and the other conflicts: {outcomes:?}"),
        }
    }
}

pub(super) async fn a_removal_that_races_reading_leaves_nothing(store: Store) {
    for round in 0..ROUNDS {
        let said = deserted(&store).await;
        let head = room(&store).await;
        race((0..2).map(|n| {
            let (store, head, said) = (store.for_racer(n), head.clone(), said.clone());
            async move {
                let rows = times(&said);
                if n == round % 2 {
                    return patiently(|| store.eraser().remove_room(&head, &rows)).await.expect(STORED);
                }
                let (room, mark) = (head.id(), ReadMark::at(&said[1], JUNHO));
                patiently(|| store.store().advance_read(room, JUNHO, mark)).await.expect(STORED);
            }
        }))
        .await;
        assert_eq!((room(&store).await, messages(&store).await), (Room::empty(their_room()), vec![]));
    }
}
