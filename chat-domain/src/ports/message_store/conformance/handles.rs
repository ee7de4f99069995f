use super::talk::{STORED, Store, Talk, is_absent};
use crate::conformance::{JUNHO, eventually};
use crate::{Consistency, PageLimit, PageQuery, PageRange};

pub(super) async fn what_one_handle_wrote_the_other_sees_at_once(store: Store) {
    let mut talk = Talk::new(&store);
    is_absent(&store, talk.room.id()).await;
    is_absent(&store.for_racer(1), talk.room.id()).await;
    for turn in 0..6 {
        talk.store = store.for_racer(turn);
        talk.go_on(2).await;
        talk.is_stored().await;
        // Minji's messages have even places. Junho reads the first one of this turn.
        let place = 2 * turn as usize;
        talk.read(JUNHO, place).await;
        talk.is_stored().await;
    }
}

pub(super) async fn eventual_reads_become_right(store: Store) {
    let mut talk = Talk::new(&store);
    talk.go_on(3).await;
    let id = talk.room.id();
    let room = Some(talk.room.clone());
    let read = async || store.other().room(id, Consistency::Eventual).await.expect(STORED);
    eventually(room, read).await;
    let query = PageQuery { range: PageRange::Newest, limit: PageLimit::MAX };
    let page = async || store.other().page(id, query, Consistency::Eventual).await.expect(STORED);
    eventually(talk.page(query), page).await;
}
