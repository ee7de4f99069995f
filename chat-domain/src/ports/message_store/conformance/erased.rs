use super::talk::{STORED, Store, Talk, commit, patiently, room_of_scene, stored_room, words};
use crate::conformance::{ErasableStore, Handles, november};
use crate::{Member, PerMember};

/// Whoever was erased before, and whoever writes now.
pub(super) async fn who_writes_is_no_longer_erased_and_the_other_stays_as_stored(
    stores: Handles<dyn ErasableStore>,
) {
    let store: Store = stores.clone().map(ErasableStore::into_store);
    for case in 0..8_usize {
        let [erase_a, erase_b, a_writes] = [1, 2, 4].map(|bit| case & bit != 0);
        let mut talk = Talk::in_room(&store, room_of_scene(case), november(23));
        talk.go_on(2).await;
        // The writer's head is read before the erasures.
        let writer = if a_writes { Member::A } else { Member::B };
        let append = talk.draft(writer, words("다시"));
        for (member, erase) in [(Member::A, erase_a), (Member::B, erase_b)] {
            if erase {
                let head = stored_room(&store, talk.room.id()).await.expect("something was said");
                let without = head.without(member).expect("nobody is erased twice");
                patiently(|| stores.eraser().rewrite_head(&without)).await.expect(STORED);
            }
        }
        commit(&store, &append).await.expect(STORED);
        let stored = stored_room(&store, talk.room.id()).await.expect("something was said");
        let erased = PerMember { a: erase_a && !a_writes, b: erase_b && a_writes };
        assert_eq!(stored.erased(), erased, "erased were {erase_a} and {erase_b}, and {writer:?} wrote");
    }
}
