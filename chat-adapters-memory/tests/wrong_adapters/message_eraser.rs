use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chat_adapters_memory::MemoryMessageStore;
use chat_domain::conformance::{Handles, message_eraser};
use chat_domain::testing::{
    DecoratedMessageEraser, DecoratedMessageStore, MessageEraserCall as Erasure,
    MessageEraserReply as Erased, MessageStoreCall as Call, MessageStoreReply as Reply, Outcome, Port as _,
    answer,
};
use chat_domain::{
    Advance, Content, Effect, Member, Message, MessageEraser, MessageStore, MessageStoreError, Page,
    PerMember, Reactions, ReadState, Room, RoomId, RoomsPage, Timestamp,
};
use tokio::task::yield_now;

use super::message_store::{Next, force, head, read_to, rows};

/// A store and its eraser, both decorated.
pub(super) type Wrong = Handles<(Arc<dyn MessageStore>, Arc<dyn MessageEraser>)>;
type Answer<'a> = Outcome<'a, dyn MessageStore>;
type NextEraser = Arc<dyn MessageEraser>;
type SharedState<T> = Arc<Mutex<T>>;

crate::caught! {
    message_eraser::checks();

    an_erased_message_loses_its_id => an_erased_message_keeps_its_place_and_nothing_else;
    erasing_forgets_that_a_message_was_read => erasing_leaves_alone_that_a_message_was_read;
    erasing_writes_the_whole_head => marks_and_erasures_that_race_all_happen;
    rewriting_forgets_what_was_read => rewriting_leaves_read_states_alone;
    the_version_is_checked_before_the_rewriting => rewritings_and_commits_that_race_all_happen;

    a_room_is_removed_while_somebody_is_left =>
        a_room_that_somebody_is_left_in_is_not_removed, a_room_that_was_written_to_meanwhile_is_not_removed;
    a_room_is_removed_whatever_its_version_is => a_room_that_was_written_to_meanwhile_is_not_removed;
    rows_are_removed_one_by_one => an_interrupted_removal_is_done_or_not_done;
    the_head_is_removed_before_the_rows => an_interrupted_removal_is_done_or_not_done;
    the_version_is_checked_before_the_removal => of_a_removal_and_a_commit_that_race_one_happens;
    a_mark_brings_its_room_back => a_removal_that_races_reading_leaves_nothing;

    settling_puts_a_message_back_as_it_was_sent => what_was_erased_stays_so_when_it_is_settled_late;
    only_the_first_erasure_succeeds => erasing_twice_changes_nothing_more;
    a_head_is_rewritten_whatever_its_version_is => a_head_that_moved_is_not_rewritten;

    images_are_not_erased => every_kind_of_message_can_be_erased;
    erasing_what_is_absent_forgets_its_attachment => what_is_not_there_stays_absent;
    an_attachment_is_never_forgotten => an_attachment_is_forgotten_with_its_message;
    an_attachment_is_forgotten_after_its_message =>
        an_interrupted_erasure_forgets_message_and_attachment_or_neither;

    erasing_reactions_is_for_both => the_reactions_of_one_member_are_erased_and_nothing_else;
    a_reaction_comes_back_when_it_is_applied_late => a_change_that_comes_late_brings_nothing_back;

    a_rewritten_head_keeps_its_proposals => a_rewritten_head_reads_back_whole;
    a_rewritten_head_has_a_version_of_its_own => a_head_that_was_rewritten_takes_the_next_message;
    a_rewritten_head_is_made => a_room_that_does_not_exist_is_not_made;
    rewriting_overwrites_that_a_was_erased => whoever_is_erased_first_both_are_noted;
    rewriting_overwrites_that_b_was_erased => whoever_is_erased_first_both_are_noted;
    who_was_erased_is_read_before_it_is_noted => two_who_are_erased_at_the_same_time_are_both_noted;
    who_was_erased_stays_so => who_was_erased_is_noted_until_they_write;

    forgetting_is_for_both => what_a_member_decided_is_forgotten_and_nothing_else;
    an_absent_room_cannot_be_forgotten_in => nothing_is_forgotten_where_nothing_is;

    the_newest_goes_first => a_deserted_room_goes_from_its_oldest_message_on;
    a_removed_room_stays_in_the_lists => a_deserted_room_goes_from_its_oldest_message_on;
    marks_outlive_their_room => a_room_that_is_gone_can_be_begun_anew;
    a_mark_of_a_removed_room_moves => a_mark_of_a_room_that_is_gone_is_not_the_next_one_s;
}

/// Two handles of a store, whose calls go these ways.
fn wrong(
    store: impl for<'a> Fn(Call<'a>, &'a Next) -> Answer<'a> + Clone + Send + Sync + 'static,
    eraser: impl for<'a> Fn(Erasure<'a>, &'a NextEraser, &Next) -> Outcome<'a, dyn MessageEraser>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Wrong {
    let memory = Arc::new(MemoryMessageStore::new());
    let handle = || -> (Arc<dyn MessageStore>, Arc<dyn MessageEraser>) {
        let (eraser, rows): (_, Next) = (eraser.clone(), memory.clone());
        (
            Arc::new(DecoratedMessageStore::new(memory.clone(), store.clone())),
            Arc::new(DecoratedMessageEraser::new(memory.clone(), move |call, next| {
                eraser(call, next, &rows)
            })),
        )
    };
    Handles::two(handle(), handle())
}

/// The store is right, and its eraser is not.
fn erasing(
    eraser: impl for<'a> Fn(Erasure<'a>, &'a NextEraser, &Next) -> Outcome<'a, dyn MessageEraser>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Wrong {
    wrong(|call, next| next.call(call), eraser)
}

/// What is read is changed.
fn answering(
    change: impl Fn(Reply) -> Result<Reply, MessageStoreError> + Clone + Send + Sync + 'static,
) -> Wrong {
    answering_after(change, |_| {})
}

/// What is read is changed, by what was erased.
fn answering_after(
    change: impl Fn(Reply) -> Result<Reply, MessageStoreError> + Clone + Send + Sync + 'static,
    erased: impl Fn(&Erasure<'_>) + Clone + Send + Sync + 'static,
) -> Wrong {
    wrong(
        move |call, next| {
            let change = change.clone();
            Box::pin(async move { next.call(call).await.and_then(change) })
        },
        move |call, next, _| {
            erased(&call);
            next.call(call)
        },
    )
}

fn of_page(reply: Reply, change: impl Fn(Message) -> Message) -> Reply {
    match reply {
        Reply::Page(page) => {
            let messages = page.messages.into_iter().map(change).collect();
            Reply::Page(Page { messages, ..page })
        }
        reply => reply,
    }
}

fn an_erased_message_loses_its_id() -> Wrong {
    answering(|reply| {
        Ok(of_page(reply, |message| match message.content {
            Content::Erased => Message { id: chat_domain::ClientMessageId::from_u128(0), ..message },
            _ => message,
        }))
    })
}

fn erasing_forgets_that_a_message_was_read() -> Wrong {
    let erased = SharedState::<bool>::default();
    let noted = erased.clone();
    answering_after(
        move |reply| match reply {
            Reply::Room(Some(room)) if *erased.lock().unwrap() => {
                read_to(&room, PerMember::default()).map(|room| Reply::Room(Some(room)))
            }
            reply => Ok(reply),
        },
        move |call| *noted.lock().unwrap() |= matches!(call, Erasure::EraseMessage { .. }),
    )
}

/// As it read the head before: a mark that moved meanwhile is lost.
fn erasing_writes_the_whole_head() -> Wrong {
    let written = SharedState::<Option<PerMember<ReadState>>>::default();
    let writes = written.clone();
    wrong(
        move |call, next| {
            let written = written.clone();
            Box::pin(async move {
                let reply = next.call(call).await?;
                match (reply, *written.lock().unwrap()) {
                    (Reply::Room(Some(room)), Some(reads)) => {
                        read_to(&room, reads).map(|room| Reply::Room(Some(room)))
                    }
                    (reply, _) => Ok(reply),
                }
            })
        },
        move |call, next, store| {
            let (writes, store) = (writes.clone(), store.clone());
            Box::pin(async move {
                let Erasure::EraseMessage { message } = call else { return next.call(call).await };
                let before = head(&store, &message.room).await;
                yield_now().await;
                yield_now().await;
                next.erase_message(&message).await?;
                let reads =
                    |room: &Room| PerMember { a: room.read_state(Member::A), b: room.read_state(Member::B) };
                if reads(&head(&store, &message.room).await) != reads(&before) {
                    *writes.lock().unwrap() = Some(reads(&before));
                }
                Ok(Erased::EraseMessage(()))
            })
        },
    )
}

fn settling_puts_a_message_back_as_it_was_sent() -> Wrong {
    let put = SharedState::<Vec<Message>>::default();
    wrong(
        move |call, next| {
            let put = put.clone();
            Box::pin(async move {
                if let Call::Settle { message } = &call {
                    put.lock().unwrap().push((**message).clone());
                }
                let reply = next.call(call).await?;
                let put = put.lock().unwrap();
                let as_sent = |row: &Message| put.iter().find(|message| message.at == row.at).cloned();
                Ok(of_page(reply, |row| as_sent(&row).unwrap_or(row)))
            })
        },
        |call, next, _| next.call(call),
    )
}

fn rewriting_forgets_what_was_read() -> Wrong {
    let rewritten = SharedState::<bool>::default();
    let noted = rewritten.clone();
    answering_after(
        move |reply| match reply {
            Reply::Room(Some(room)) if *rewritten.lock().unwrap() => {
                read_to(&room, PerMember::default()).map(|room| Reply::Room(Some(room)))
            }
            reply => Ok(reply),
        },
        move |call| *noted.lock().unwrap() |= matches!(call, Erasure::RewriteHead { .. }),
    )
}

/// A head that an eraser overwrote with an older one; others go on from there.
fn the_version_is_checked_before_the_rewriting() -> Wrong {
    let overwritten = SharedState::<Option<Room>>::default();
    let overwrites = overwritten.clone();
    wrong(
        move |call, next| {
            let overwritten = overwritten.clone();
            Box::pin(async move {
                let kept = overwritten.lock().unwrap().clone();
                match (call, kept) {
                    (Call::Room { .. }, Some(room)) => Ok(Reply::Room(Some(room))),
                    (Call::Commit { append }, Some(mut room)) => {
                        if append.expected_seq != room.seq() {
                            return Err(MessageStoreError::Conflict);
                        }
                        room.apply(&append);
                        *overwritten.lock().unwrap() = Some(room);
                        force(next, &append).await.map(Reply::Commit)
                    }
                    (call, _) => next.call(call).await,
                }
            })
        },
        move |call, next, store| {
            let (overwrites, store) = (overwrites.clone(), store.clone());
            Box::pin(async move {
                let Erasure::RewriteHead { room } = call else { return next.call(call).await };
                if head(&store, room.id()).await.seq() != room.seq() {
                    return Err(MessageStoreError::Conflict);
                }
                yield_now().await;
                if next.rewrite_head(&room).await.is_err() {
                    *overwrites.lock().unwrap() = Some(room.into_owned());
                }
                Ok(Erased::RewriteHead(()))
            })
        },
    )
}

/// Hides what is asked to be removed and must not be.
fn removing(may: impl Fn(&Room, &Room) -> bool + Copy + Send + Sync + 'static) -> Wrong {
    let hidden = SharedState::<HashSet<Timestamp>>::default();
    let hides = hidden.clone();
    wrong(
        move |call, next| {
            let hidden = hidden.clone();
            Box::pin(async move {
                Ok(match next.call(call).await? {
                    Reply::Page(mut page) => {
                        page.messages.retain(|row| !hidden.lock().unwrap().contains(&row.at));
                        Reply::Page(page)
                    }
                    reply => reply,
                })
            })
        },
        move |call, next, store| {
            let (hides, store) = (hides.clone(), store.clone());
            Box::pin(async move {
                if let Erasure::RemoveOldest { room, rows } = &call
                    && may(room, &head(&store, room.id()).await)
                {
                    hides.lock().unwrap().extend(rows.iter().copied());
                    return Ok(Erased::RemoveOldest(()));
                }
                next.call(call).await
            })
        },
    )
}

fn a_room_is_removed_while_somebody_is_left() -> Wrong {
    removing(|_, _| true)
}

fn a_room_is_removed_whatever_its_version_is() -> Wrong {
    removing(|_, stored| stored.is_deserted())
}

fn rows_are_removed_one_by_one() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            let Erasure::RemoveOldest { room, rows } = call else { return next.call(call).await };
            for row in rows.iter() {
                next.remove_oldest(&room, &[*row]).await?;
                yield_now().await;
            }
            Ok(Erased::RemoveOldest(()))
        })
    })
}

fn the_head_is_removed_before_the_rows() -> Wrong {
    let left = SharedState::<Vec<Message>>::default();
    let leaves = left.clone();
    wrong(
        move |call, next| {
            let left = left.clone();
            Box::pin(async move {
                Ok(match next.call(call).await? {
                    Reply::Page(page) if page.messages.is_empty() => {
                        Reply::Page(Page { messages: left.lock().unwrap().clone(), ..page })
                    }
                    reply => reply,
                })
            })
        },
        move |call, next, store| {
            let (leaves, store) = (leaves.clone(), store.clone());
            Box::pin(async move {
                let Erasure::RemoveRoom { room, rows: last } = call else { return next.call(call).await };
                let rows = rows(&store, room.id()).await;
                next.remove_room(&room, &last).await?;
                *leaves.lock().unwrap() = rows;
                yield_now().await;
                leaves.lock().unwrap().clear();
                Ok(Erased::RemoveRoom(()))
            })
        },
    )
}

/// The removal says that it happened, whatever did.
fn the_version_is_checked_before_the_removal() -> Wrong {
    erasing(|call, next, store| {
        let store = store.clone();
        Box::pin(async move {
            let Erasure::RemoveRoom { room, rows } = call else { return next.call(call).await };
            let stored = head(&store, room.id()).await;
            if !stored.is_deserted() || stored.seq() != room.seq() {
                return Err(MessageStoreError::Conflict);
            }
            yield_now().await;
            yield_now().await;
            match next.remove_room(&room, &rows).await {
                Err(MessageStoreError::Conflict) => Ok(Erased::RemoveRoom(())),
                outcome => outcome.map(Erased::RemoveRoom),
            }
        })
    })
}

/// It writes the head as it read it.
fn a_mark_brings_its_room_back() -> Wrong {
    let back = SharedState::<Option<Room>>::default();
    wrong(
        move |call, next| {
            let back = back.clone();
            Box::pin(async move {
                if let Call::AdvanceRead { room, reader, mark } = call {
                    let before = head(next, &room).await;
                    yield_now().await;
                    yield_now().await;
                    let advance = next.advance_read(&room, reader, mark).await?;
                    if advance == Advance::NoRoom && before.seq() > 0 {
                        *back.lock().unwrap() = Some(before);
                    }
                    return Ok(Reply::AdvanceRead(advance));
                }
                Ok(match (next.call(call).await?, back.lock().unwrap().clone()) {
                    (Reply::Room(None), Some(room)) => Reply::Room(Some(room)),
                    (reply, _) => reply,
                })
            })
        },
        |call, next, _| next.call(call),
    )
}

fn only_the_first_erasure_succeeds() -> Wrong {
    erasing(|call, next, store| {
        let store = store.clone();
        Box::pin(async move {
            if let Erasure::EraseMessage { message } = &call {
                let rows = rows(&store, &message.room).await;
                if rows.iter().any(|row| row.at == message.at && row.content == Content::Erased) {
                    return Err(MessageStoreError::Conflict);
                }
            }
            next.call(call).await
        })
    })
}

fn a_head_is_rewritten_whatever_its_version_is() -> Wrong {
    erasing(|call, next, store| {
        let store = store.clone();
        Box::pin(async move {
            let Erasure::RewriteHead { room } = &call else { return next.call(call).await };
            let mut stored = head(&store, room.id()).await;
            for member in [Member::A, Member::B] {
                if room.erased()[member] {
                    stored = stored.without(member).unwrap_or(stored);
                }
            }
            next.rewrite_head(&stored).await.map(Erased::RewriteHead)
        })
    })
}

fn images_are_not_erased() -> Wrong {
    erasing(|call, next, _| match &call {
        Erasure::EraseMessage { message } if matches!(message.content, Content::Image { .. }) => {
            answer(Ok(Erased::EraseMessage(())))
        }
        _ => next.call(call),
    })
}

fn attachment(message: &Message) -> Option<&chat_domain::AttachmentKey> {
    message.content.attachment().map(|attachment| &attachment.key)
}

fn erasing_what_is_absent_forgets_its_attachment() -> Wrong {
    let restored = SharedState::<HashMap<Timestamp, Content>>::default();
    let restores = restored.clone();
    wrong(
        move |call, next| {
            let restored = restored.clone();
            Box::pin(async move {
                let reply = next.call(call).await?;
                let restored = restored.lock().unwrap();
                Ok(of_page(reply, |row| match restored.get(&row.at) {
                    Some(content) => Message { content: content.clone(), ..row },
                    None => row,
                }))
            })
        },
        move |call, next, store| {
            let (restores, store) = (restores.clone(), store.clone());
            Box::pin(async move {
                let Erasure::EraseMessage { message } = &call else { return next.call(call).await };
                let rows = rows(&store, &message.room).await;
                if rows.iter().all(|row| row.at != message.at)
                    && let Some(shows) = rows
                        .iter()
                        .find(|row| attachment(message).is_some_and(|key| attachment(row) == Some(key)))
                {
                    restores.lock().unwrap().insert(shows.at, shows.content.clone());
                    next.erase_message(shows).await?;
                }
                next.call(call).await
            })
        },
    )
}

/// Without the attachment that it shows, which the store then does not know to forget.
fn row_of(message: &Message) -> Message {
    Message { content: Content::Erased, ..message.clone() }
}

fn an_attachment_is_never_forgotten() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            let Erasure::EraseMessage { message } = call else { return next.call(call).await };
            next.erase_message(&row_of(&message)).await.map(Erased::EraseMessage)
        })
    })
}

fn an_attachment_is_forgotten_after_its_message() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            let Erasure::EraseMessage { message } = call else { return next.call(call).await };
            next.erase_message(&row_of(&message)).await?;
            yield_now().await;
            next.erase_message(&message).await.map(Erased::EraseMessage)
        })
    })
}

fn a_rewritten_head_keeps_its_proposals() -> Wrong {
    let before = SharedState::<Option<Room>>::default();
    let noted = before.clone();
    wrong(
        move |call, next| {
            let before = before.clone();
            Box::pin(async move {
                Ok(match (next.call(call).await?, before.lock().unwrap().clone()) {
                    (Reply::Room(Some(room)), Some(before)) if room.seq() == before.seq() => {
                        let mut log = room.log().expect("it is stored").clone();
                        log.open_proposals = before.log().expect("it was stored").open_proposals.clone();
                        let room = Room::restore(room.id().clone(), log, PerMember::default());
                        Reply::Room(room.ok().map(|head| head.with_erased(before.erased())))
                    }
                    (reply, _) => reply,
                })
            })
        },
        move |call, next, store| {
            let (noted, store) = (noted.clone(), store.clone());
            Box::pin(async move {
                if let Erasure::RewriteHead { room } = &call {
                    *noted.lock().unwrap() = Some(head(&store, room.id()).await);
                }
                next.call(call).await
            })
        },
    )
}

/// Who read the head before it was rewritten is refused.
fn a_rewritten_head_has_a_version_of_its_own() -> Wrong {
    let rewritten = SharedState::<bool>::default();
    let rewrites = rewritten.clone();
    wrong(
        move |call, next| {
            match &call {
                Call::Room { .. } => *rewritten.lock().unwrap() = false,
                Call::Commit { .. } if *rewritten.lock().unwrap() => {
                    return answer(Err(MessageStoreError::Conflict));
                }
                _ => {}
            }
            next.call(call)
        },
        move |call, next, _| {
            *rewrites.lock().unwrap() |= matches!(call, Erasure::RewriteHead { .. });
            next.call(call)
        },
    )
}

fn a_rewritten_head_is_made() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            match (call.clone(), next.call(call).await) {
                (Erasure::RewriteHead { .. }, Err(MessageStoreError::Conflict)) => {
                    Ok(Erased::RewriteHead(()))
                }
                (_, outcome) => outcome,
            }
        })
    })
}

/// Keeps itself who was erased: `notes` makes that of what is noted and what is asked, `writes` what a commit
/// leaves of it.
pub(super) fn noting_erased(
    notes: impl Fn(bool, bool) -> bool + Copy + Send + Sync + 'static,
    writes: impl Fn(&mut PerMember<bool>, Member) + Copy + Send + Sync + 'static,
) -> Wrong {
    noting_erased_of([Member::A, Member::B], notes, writes, false)
}

fn noting_erased_of<const MEMBERS: usize>(
    members: [Member; MEMBERS],
    notes: impl Fn(bool, bool) -> bool + Copy + Send + Sync + 'static,
    writes: impl Fn(&mut PerMember<bool>, Member) + Copy + Send + Sync + 'static,
    reads_before: bool,
) -> Wrong {
    let noted = SharedState::<HashMap<RoomId, PerMember<bool>>>::default();
    let noting = noted.clone();
    wrong(
        move |call, next| {
            let noted = noted.clone();
            Box::pin(async move {
                if let Call::Commit { append } = &call {
                    let message = append.message();
                    writes(noted.lock().unwrap().entry(message.room.clone()).or_default(), message.sender);
                }
                let of = |room: &Room| noted.lock().unwrap().get(room.id()).copied().unwrap_or_default();
                Ok(match next.call(call).await? {
                    Reply::Room(Some(room)) => {
                        let erased = of(&room);
                        Reply::Room(Some(room.with_erased(erased)))
                    }
                    reply => reply,
                })
            })
        },
        move |call, next, _| {
            let noting = noting.clone();
            Box::pin(async move {
                let Erasure::RewriteHead { room } = &call else { return next.call(call).await };
                let mut erased = noting.lock().unwrap().get(room.id()).copied().unwrap_or_default();
                if reads_before {
                    yield_now().await;
                }
                next.rewrite_head(room).await?;
                for member in [Member::A, Member::B] {
                    erased[member] = if members.contains(&member) {
                        notes(erased[member], room.erased()[member])
                    } else {
                        erased[member] | room.erased()[member]
                    };
                }
                noting.lock().unwrap().insert(room.id().clone(), erased);
                Ok(Erased::RewriteHead(()))
            })
        },
    )
}

fn who_writes_is_here(erased: &mut PerMember<bool>, sender: Member) {
    erased[sender] = false;
}

fn rewriting_overwrites_that_a_was_erased() -> Wrong {
    noting_erased_of([Member::A], |_, asked| asked, who_writes_is_here, false)
}

fn rewriting_overwrites_that_b_was_erased() -> Wrong {
    noting_erased_of([Member::B], |_, asked| asked, who_writes_is_here, false)
}

fn who_was_erased_is_read_before_it_is_noted() -> Wrong {
    noting_erased_of([], |noted, asked| noted | asked, who_writes_is_here, true)
}

fn who_was_erased_stays_so() -> Wrong {
    noting_erased(|noted, asked| noted | asked, |_, _| {})
}

fn the_newest_goes_first() -> Wrong {
    erasing(|call, next, store| {
        let store = store.clone();
        Box::pin(async move {
            let Erasure::RemoveOldest { room, rows: asked } = call else { return next.call(call).await };
            let rows = rows(&store, room.id()).await;
            let newest: Vec<_> = rows.iter().rev().take(asked.len()).map(|row| row.at).collect();
            next.remove_oldest(&room, &newest).await.map(Erased::RemoveOldest)
        })
    })
}

fn a_removed_room_stays_in_the_lists() -> Wrong {
    let removed = SharedState::<Vec<Room>>::default();
    let removes = removed.clone();
    answering_after(
        move |reply| {
            Ok(match reply {
                Reply::RoomsOf(page) if page.rooms.is_empty() => {
                    Reply::RoomsOf(RoomsPage { rooms: removed.lock().unwrap().clone(), next: None })
                }
                reply => reply,
            })
        },
        move |call| {
            if let Erasure::RemoveRoom { room, .. } = call {
                removes.lock().unwrap().push(room.clone().into_owned());
            }
        },
    )
}

/// Marks are rows of their own, and nobody removes them.
fn marks_outlive_their_room() -> Wrong {
    let kept = SharedState::<PerMember<ReadState>>::default();
    wrong(
        move |call, next| {
            let kept = kept.clone();
            Box::pin(async move {
                Ok(match next.call(call).await? {
                    Reply::AdvanceRead(Advance::Moved(room)) => {
                        for member in [Member::A, Member::B] {
                            kept.lock().unwrap()[member] = room.read_state(member);
                        }
                        Reply::AdvanceRead(Advance::Moved(room))
                    }
                    Reply::Room(Some(room)) => {
                        let reads = *kept.lock().unwrap();
                        Reply::Room(Some(read_to(&room, reads)?))
                    }
                    reply => reply,
                })
            })
        },
        |call, next, _| next.call(call),
    )
}

fn a_mark_of_a_removed_room_moves() -> Wrong {
    wrong(
        |call, next| {
            Box::pin(async move {
                let Call::AdvanceRead { room, reader, mark } = call else { return next.call(call).await };
                Ok(Reply::AdvanceRead(match next.advance_read(&room, reader, mark).await? {
                    Advance::Unchanged(room) => Advance::Moved(room),
                    advance => advance,
                }))
            })
        },
        |call, next, _| next.call(call),
    )
}

fn forgetting_is_for_both() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            if let Erasure::ForgetConsent { room, member } = &call {
                next.forget_consent(room, member.peer()).await?;
            }
            next.call(call).await
        })
    })
}

fn an_absent_room_cannot_be_forgotten_in() -> Wrong {
    erasing(|call, next, store| {
        let store = store.clone();
        Box::pin(async move {
            if let Erasure::ForgetConsent { room, .. } = &call
                && store.room(room, chat_domain::Consistency::Strong).await?.is_none()
            {
                return Err(MessageStoreError::Conflict);
            }
            next.call(call).await
        })
    })
}

fn erasing_reactions_is_for_both() -> Wrong {
    erasing(|call, next, _| {
        Box::pin(async move {
            if let Erasure::EraseReactions { message, member } = &call {
                next.erase_reactions(message, member.peer()).await?;
            }
            next.call(call).await
        })
    })
}

fn a_reaction_comes_back_when_it_is_applied_late() -> Wrong {
    let applied = SharedState::<HashMap<Timestamp, (Member, Reactions)>>::default();
    wrong(
        move |call, next| {
            if let Call::ApplyChange { append } = &call
                && let Some((target, Effect::React(reactions))) = append.change()
            {
                let by = append.message().sender;
                applied.lock().unwrap().insert(target, (by, reactions.clone()));
            }
            let applied = applied.clone();
            Box::pin(async move {
                Ok(match next.call(call).await? {
                    Reply::Page(mut page) => {
                        for message in &mut page.messages {
                            if let Some((by, reactions)) = applied.lock().unwrap().get(&message.at) {
                                message.changed.reactions[*by] = reactions.clone();
                            }
                        }
                        Reply::Page(page)
                    }
                    reply => reply,
                })
            })
        },
        |call, next, _| next.call(call),
    )
}
