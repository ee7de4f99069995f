use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chat_adapters_memory::MemoryMessageStore;
use chat_domain::conformance::{Handles, message_store};
use chat_domain::testing::{
    DecoratedMessageStore, MessageStoreCall as Call, MessageStoreReply as Reply, Outcome, Port as _, answer,
};
use chat_domain::{
    Advance, Append, AttachmentKey, ConsentWrite, Consistency, Content, DailyLimits, Draft, Effect,
    FirstContact, Member, Message, MessageStore, MessageStoreError, Page, PageLimit, PageQuery, PageRange,
    PerMember, ReadMark, ReadState, Room, RoomId, SendPolicy, SendRate, Timestamp,
};
use tokio::task::yield_now;

pub(super) type Next = Arc<dyn MessageStore>;
type Wrong = Handles<DecoratedMessageStore>;
type Answer<'a> = Outcome<'a, dyn MessageStore>;
/// What both handles of a wrong store see.
type SharedState<T> = Arc<Mutex<T>>;

crate::caught! {
    message_store::checks();

    the_row_is_written_before_the_head =>
        no_reader_ever_sees_half_a_commit, an_interrupted_commit_is_stored_whole_or_not_at_all;
    the_head_is_written_before_the_row =>
        no_reader_ever_sees_half_a_commit, an_interrupted_commit_is_stored_whole_or_not_at_all;
    an_attachment_is_claimed_before_the_commit => an_interrupted_commit_is_stored_whole_or_not_at_all;
    a_room_is_listed_after_the_commit => an_interrupted_commit_is_stored_whole_or_not_at_all;
    the_last_writer_wins =>
        of_eight_racing_commits_exactly_one_is_stored, a_stale_version_conflicts_and_stores_nothing,
        a_version_of_an_absent_room_conflicts_and_stores_nothing,
        a_first_commit_conflicts_with_an_existing_room;
    a_conflict_is_not_told => writers_that_race_and_retry_lose_nothing;
    the_version_is_checked_before_the_commit =>
        of_eight_racing_commits_exactly_one_is_stored, of_eight_racing_first_commits_exactly_one_is_stored;

    a_change_has_no_effect => a_change_is_shown_whether_or_not_it_was_applied;
    an_effect_is_that_of_the_last_caller => changes_come_in_the_order_of_the_log_however_late;
    a_deleted_message_is_edited => what_is_deleted_stays_so;
    a_change_makes_its_target => a_target_that_is_not_there_stays_absent, a_message_has_nothing_to_apply;
    only_the_first_place_is_looked_at => messages_are_read_by_their_places;
    who_is_about_to_change_a_message_is_told_of_none => a_message_is_read_as_it_is_in_its_room;

    an_attachment_may_be_shown_again =>
        an_attachment_is_shown_once, of_eight_racing_messages_one_shows_the_attachment;
    a_conflict_keeps_its_claim => what_was_refused_its_attachment_leaves_no_trace;

    a_blocked_sender_gets_through =>
        a_blocked_sender_is_refused_whatever_the_head,
        nothing_of_a_blocked_sender_is_stored_after_a_block_that_races;
    a_block_is_looked_for_before_the_commit => nothing_of_a_blocked_sender_is_stored_after_a_block_that_races;

    a_commit_lifts_blocks => sending_and_reading_leave_decisions_alone;
    a_decision_makes_a_commit_conflict => deciding_changes_nothing_else;
    a_decision_is_made_about_strangers => a_decision_in_an_absent_room_creates_nothing;
    a_commit_forgets_what_was_read => a_commit_leaves_read_states_alone;
    a_mark_makes_a_commit_conflict => marks_and_commits_that_race_all_happen;
    a_mark_writes_the_whole_head => marks_and_commits_that_race_all_happen;
    a_mark_makes_its_room => a_mark_in_an_absent_room_creates_nothing;

    a_clear_marks_as_read => clearing_changes_nothing_else;
    a_clear_is_for_both => clearing_changes_nothing_else;
    a_message_brings_back_what_was_cleared => reading_and_sending_leave_what_is_cleared_alone;
    a_clear_makes_its_room => a_clear_in_an_absent_room_creates_nothing;

    a_message_is_on_no_page_until_it_is_settled => what_was_committed_is_in_every_page_settled_or_not;
    who_is_about_to_commit_is_told_of_no_room => who_is_about_to_commit_reads_the_same_room;
    settling_twice_puts_a_second_row => settling_changes_nothing_that_is_read;

    a_handle_keeps_the_heads_it_read => what_one_handle_wrote_the_other_sees_at_once;
    a_handle_keeps_the_pages_it_read => what_one_handle_wrote_the_other_sees_at_once;
    eventual_reads_never_see_anything => eventual_reads_become_right;

    a_repeated_commit_succeeds => a_repeated_commit_conflicts;
    a_mark_that_is_there_moves_again => a_mark_that_is_there_already_changes_nothing;
    a_decision_is_made_only_once => a_repeated_decision_changes_nothing_more;

    a_conflict_stores_its_message =>
        a_stale_version_conflicts_and_stores_nothing, a_future_version_conflicts_and_stores_nothing;
    a_throttled_commit_was_stored => words_read_back_whole;

    a_room_is_found_by_one_of_its_members => a_room_nobody_wrote_to_is_absent;
    rooms_are_found_by_the_beginning_of_their_ids => rooms_are_isolated;
    open_proposals_are_forgotten => a_room_with_everything_in_it_reads_back_whole;
    only_seven_ids_are_remembered => the_room_reads_back_whole_after_every_message;

    milliseconds_are_lost => words_read_back_whole;
    time_begins_in_1970 => timestamps_of_any_year_read_back_in_order;
    texts_are_cut => the_longest_words_read_back_whole;
    captions_are_lost => images_read_back_whole;
    notes_are_lost => proposals_and_answers_read_back_whole, every_kind_of_message_reads_back_whole;

    an_absent_room_has_more => an_empty_room_has_empty_pages;
    before_the_beginning_is_the_newest => nothing_is_before_the_first_or_after_the_last;
    a_page_never_has_more => one_message_beyond_a_full_page_is_more;
    a_full_page_always_has_more => a_page_of_exactly_all_messages_has_no_more;
    a_page_before_a_message_holds_it =>
        pages_have_the_right_messages_whatever_their_bounds_and_limits;
    a_page_begins_at_messages_only => a_timestamp_between_two_messages_bounds_a_page_too;
    a_page_holds_100_kilobytes => a_page_of_the_longest_words_is_a_full_page;
    a_page_skips_a_message_after_its_bound => paging_either_way_visits_each_of_120_messages_once;

    member_a_alone_lists_a_room => both_members_list_the_room_as_it_is;
    a_list_ends_with_its_first_page => every_room_of_three_pages_is_listed_once_latest_activity_first;
    lists_are_sorted_by_address => every_room_of_three_pages_is_listed_once_latest_activity_first;
    a_room_keeps_its_first_place => a_room_moves_up_when_a_message_comes_on_a_later_day;
    a_room_moves_with_every_message => a_message_on_the_same_day_moves_no_room;
    a_list_begins_at_rooms_only => a_list_goes_on_after_a_place_that_is_gone;
    longer_addresses_are_the_same => a_stranger_has_no_rooms;

    a_moved_mark_tells_the_room_before => a_mark_moves_forward_and_tells_the_room;
    a_mark_moves_back => an_earlier_mark_changes_nothing;
    a_mark_may_count_more_than_was_sent => a_mark_that_counts_more_than_was_sent_changes_nothing;
    a_mark_moves_for_both => the_members_marks_are_independent;
    a_mark_is_compared_before_it_moves => of_racing_marks_the_furthest_stays;

    a_clear_moves_back => an_earlier_clear_changes_nothing;
    a_clear_tells_what_it_was_asked => an_earlier_clear_changes_nothing;
    a_clear_is_compared_before_it_moves => of_racing_clears_the_furthest_stays;

    a_decision_is_that_of_both => members_decide_independently;
    any_block_is_lifted => a_block_that_was_made_anew_is_not_lifted_by_an_old_attempt;
    a_block_freezes_nothing => a_block_that_freezes_keeps_how_far_each_has_read;
    a_block_freezes_whoever_blocks => nothing_is_frozen_while_either_blocks;
    a_block_freezes_what_it_read_before => a_mark_that_races_a_block_that_freezes_is_kept_or_came_later;
}

/// Two handles of a store whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Next) -> Answer<'a> + Clone + Send + Sync + 'static,
) -> Wrong {
    let store = Arc::new(MemoryMessageStore::new());
    Handles::two(
        DecoratedMessageStore::new(store.clone(), decorate.clone()),
        DecoratedMessageStore::new(store, decorate),
    )
}

/// What is asked is changed.
fn asking(change: impl for<'a> Fn(Call<'a>) -> Call<'a> + Clone + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| next.call(change(call)))
}

/// What is answered is changed.
fn answering(change: impl Fn(Reply) -> Reply + Clone + Send + Sync + 'static) -> Wrong {
    wrong(move |call, next| {
        let change = change.clone();
        Box::pin(async move { next.call(call).await.map(change) })
    })
}

/// Messages of a page are changed.
fn paging(change: impl Fn(Message) -> Message + Clone + Send + Sync + 'static) -> Wrong {
    answering(move |reply| match reply {
        Reply::Page(page) => {
            let messages = page.messages.into_iter().map(&change).collect();
            Reply::Page(Page { messages, ..page })
        }
        reply => reply,
    })
}

/// The log of a head is changed.
fn remembering(change: impl Fn(&mut chat_domain::RoomLog) + Clone + Send + Sync + 'static) -> Wrong {
    answering(move |reply| match reply {
        Reply::Room(Some(room)) => {
            let mut log = room.log().expect("it is stored").clone();
            change(&mut log);
            let reads = PerMember { a: room.read_state(Member::A), b: room.read_state(Member::B) };
            Reply::Room(Room::restore(room.id().clone(), log, reads).ok().or(Some(room)))
        }
        reply => reply,
    })
}

const UNLIMITED: SendPolicy = SendPolicy {
    rate: SendRate { burst: std::num::NonZeroU32::MAX, per_second: std::num::NonZeroU32::MAX },
    first_contact: FirstContact::Open,
    daily: DailyLimits::UNLIMITED,
};

pub(super) async fn head(next: &Next, id: &RoomId) -> Room {
    let head = next.room(id, Consistency::Strong).await.expect("it is in memory");
    head.unwrap_or_else(|| Room::empty(id.clone()))
}

pub(super) async fn rows(next: &Next, id: &RoomId) -> Vec<Message> {
    let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
    next.page(id, query, Consistency::Strong).await.expect("it is in memory").messages
}

/// Stores a message, whatever the version is.
pub(super) async fn force(next: &Next, append: &Append) -> Result<(), MessageStoreError> {
    let message = append.message();
    let draft =
        Draft { id: message.id, sender: message.sender, content: message.content.clone(), reply_to: None };
    let head = head(next, &message.room).await;
    let append = head.append(&draft, message.at, UNLIMITED).expect("the suite breaks no rule of the room");
    next.commit(&append).await
}

async fn is_current(next: &Next, append: &Append) -> bool {
    head(next, &append.message().room).await.seq() == append.expected_seq
}

/// A page with rows that are not in the store.
fn with_rows(page: Page, room: &RoomId, query: PageQuery, rows: &[Message]) -> Page {
    let mut messages = page.messages;
    for row in rows.iter().filter(|row| row.room == *room) {
        match query.range {
            PageRange::Newest => messages.insert(0, row.clone()),
            PageRange::Oldest => messages.push(row.clone()),
            PageRange::Before(_) | PageRange::After(_) => {}
        }
    }
    messages.truncate(query.limit.get());
    Page { messages, ..page }
}

fn key(append: &Append) -> Option<AttachmentKey> {
    append.message().content.attachment().map(|attachment| attachment.key.clone())
}

fn the_row_is_written_before_the_head() -> Wrong {
    let early = SharedState::<Vec<Message>>::default();
    wrong(move |call, next| {
        let early = early.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } if is_current(next, &append).await => {
                    early.lock().unwrap().push(append.message().clone());
                    yield_now().await;
                    let committed = next.commit(&append).await;
                    early.lock().unwrap().retain(|row| row != append.message());
                    committed.map(Reply::Commit)
                }
                Call::Page { room, query, consistency } => {
                    let page = next.page(&room, query, consistency).await?;
                    Ok(Reply::Page(with_rows(page, &room, query, &early.lock().unwrap())))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn the_head_is_written_before_the_row() -> Wrong {
    let early = SharedState::<HashMap<RoomId, Room>>::default();
    wrong(move |call, next| {
        let early = early.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } if is_current(next, &append).await => {
                    let id = &append.message().room;
                    let mut room = head(next, id).await;
                    room.apply(&append);
                    early.lock().unwrap().insert(id.clone(), room);
                    yield_now().await;
                    let committed = next.commit(&append).await;
                    early.lock().unwrap().remove(id);
                    committed.map(Reply::Commit)
                }
                Call::Room { id, .. } if early.lock().unwrap().contains_key(&*id) => {
                    Ok(Reply::Room(early.lock().unwrap().get(&*id).cloned()))
                }
                call => next.call(call).await,
            }
        })
    })
}

/// Claims an attachment in one step and commits in another; `gives_back` is what becomes of the claim of a
/// commit that fails.
fn claiming(gives_back: bool) -> Wrong {
    let claims = SharedState::<HashSet<AttachmentKey>>::default();
    wrong(move |call, next| {
        let claims = claims.clone();
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            let Some(key) = key(&append) else { return next.commit(&append).await.map(Reply::Commit) };
            if !claims.lock().unwrap().insert(key.clone()) {
                return Err(MessageStoreError::AttachmentTaken);
            }
            yield_now().await;
            let committed = next.commit(&append).await;
            if committed.is_err() && gives_back {
                claims.lock().unwrap().remove(&key);
            }
            committed.map(Reply::Commit)
        })
    })
}

fn an_attachment_is_claimed_before_the_commit() -> Wrong {
    claiming(true)
}

fn a_conflict_keeps_its_claim() -> Wrong {
    claiming(false)
}

fn a_room_is_listed_after_the_commit() -> Wrong {
    let listed = SharedState::<HashSet<RoomId>>::default();
    wrong(move |call, next| {
        let listed = listed.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } => {
                    next.commit(&append).await?;
                    yield_now().await;
                    listed.lock().unwrap().insert(append.message().room.clone());
                    Ok(Reply::Commit(()))
                }
                Call::RoomsOf { member, after } => {
                    let mut page = next.rooms_of(&member, after).await?;
                    page.rooms.retain(|room| listed.lock().unwrap().contains(room.id()));
                    Ok(Reply::RoomsOf(page))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn the_last_writer_wins() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            let committed = match next.commit(&append).await {
                Err(MessageStoreError::Conflict) => force(next, &append).await,
                committed => committed,
            };
            committed.map(Reply::Commit)
        })
    })
}

fn a_conflict_is_not_told() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let commits = matches!(call, Call::Commit { .. });
            yield_now().await;
            match (commits, next.call(call).await) {
                (true, Err(MessageStoreError::Conflict)) => Ok(Reply::Commit(())),
                (_, outcome) => outcome,
            }
        })
    })
}

fn the_version_is_checked_before_the_commit() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            if !is_current(next, &append).await {
                return Err(MessageStoreError::Conflict);
            }
            yield_now().await;
            force(next, &append).await.map(Reply::Commit)
        })
    })
}

/// Stores the image under a key of its own, since the store in memory refuses the one that is shown, and
/// shows the one that was asked for.
fn an_attachment_may_be_shown_again() -> Wrong {
    let asked_for = SharedState::<HashMap<AttachmentKey, AttachmentKey>>::default();
    wrong(move |call, next| {
        let asked_for = asked_for.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } => {
                    let mut append = append.into_owned();
                    let Message { room, at, sender, .. } = append.message().clone();
                    if let Content::Image { attachment, .. } = &mut append.log.newest.content {
                        let random = at.unix_ms().unsigned_abs().into();
                        let own = AttachmentKey::mint(&room, sender, attachment.facts, random);
                        let asked = std::mem::replace(&mut attachment.key, own.clone());
                        asked_for.lock().unwrap().insert(own, asked);
                    }
                    next.commit(&append).await.map(Reply::Commit)
                }
                Call::Page { room, query, consistency } => {
                    let mut page = next.page(&room, query, consistency).await?;
                    for message in &mut page.messages {
                        if let Content::Image { attachment, .. } = &mut message.content {
                            attachment.key = asked_for.lock().unwrap()[&attachment.key].clone();
                        }
                    }
                    Ok(Reply::Page(page))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn a_commit_forgets_what_was_read() -> Wrong {
    let written = SharedState::<HashSet<RoomId>>::default();
    wrong(move |call, next| {
        let written = written.clone();
        Box::pin(async move {
            match &call {
                Call::Commit { append } => {
                    written.lock().unwrap().insert(append.message().room.clone());
                }
                Call::AdvanceRead { room, .. } => {
                    written.lock().unwrap().remove(&**room);
                }
                _ => {}
            }
            Ok(match next.call(call).await? {
                Reply::Room(Some(room)) if written.lock().unwrap().contains(room.id()) => {
                    Reply::Room(Some(read_to(&room, PerMember::default())?))
                }
                reply => reply,
            })
        })
    })
}

/// The room with other marks.
pub(super) fn read_to(room: &Room, reads: PerMember<ReadState>) -> Result<Room, MessageStoreError> {
    let log = room.log().expect("it is stored").clone();
    let corrupt = |source: chat_domain::CorruptRoom| MessageStoreError::Corrupt {
        key: room.id().tag().to_string(),
        source: source.into(),
    };
    Ok(Room::restore(room.id().clone(), log, reads).map_err(corrupt)?.with_erased(room.erased()))
}

/// The head has one version for both halves: who was not told of a change is refused once.
fn versioned(changes: impl Fn(&Call<'_>) -> bool + Copy + Send + Sync + 'static) -> Wrong {
    let changed = SharedState::<bool>::default();
    wrong(move |call, next| {
        let changed = changed.clone();
        Box::pin(async move {
            if changes(&call) {
                *changed.lock().unwrap() = true;
            }
            match &call {
                Call::Room { .. } => *changed.lock().unwrap() = false,
                Call::Commit { .. } if std::mem::take(&mut *changed.lock().unwrap()) => {
                    return Err(MessageStoreError::Conflict);
                }
                _ => {}
            }
            yield_now().await;
            next.call(call).await
        })
    })
}

fn a_mark_makes_a_commit_conflict() -> Wrong {
    versioned(|call| matches!(call, Call::AdvanceRead { .. }))
}

fn a_mark_writes_the_whole_head() -> Wrong {
    let overwritten = SharedState::<Option<Room>>::default();
    wrong(move |call, next| {
        let overwritten = overwritten.clone();
        Box::pin(async move {
            match call {
                Call::AdvanceRead { room, reader, mark } => {
                    let before = head(next, &room).await;
                    yield_now().await;
                    let advance = next.advance_read(&room, reader, mark).await?;
                    if head(next, &room).await.seq() != before.seq() {
                        *overwritten.lock().unwrap() = Some(before);
                    }
                    Ok(Reply::AdvanceRead(advance))
                }
                Call::Commit { append } => {
                    yield_now().await;
                    next.commit(&append).await.map(Reply::Commit)
                }
                call => match (next.call(call).await?, overwritten.lock().unwrap().clone()) {
                    (Reply::Room(_), Some(room)) => Ok(Reply::Room(Some(room))),
                    (reply, _) => Ok(reply),
                },
            }
        })
    })
}

fn a_mark_makes_its_room() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::AdvanceRead { room, reader, mark } = call else { return next.call(call).await };
            Ok(Reply::AdvanceRead(match next.advance_read(&room, reader, mark).await? {
                Advance::NoRoom => Advance::Moved(Room::empty(room.into_owned())),
                advance => advance,
            }))
        })
    })
}

fn a_handle_keeps_the_heads_it_read() -> Wrong {
    let store = Arc::new(MemoryMessageStore::new());
    let handle = || {
        let kept = SharedState::<HashMap<RoomId, Option<Room>>>::default();
        DecoratedMessageStore::new(store.clone(), move |call, next| {
            let kept = kept.clone();
            Box::pin(async move {
                let Call::Room { id, consistency } = call else {
                    if !matches!(call, Call::Page { .. } | Call::RoomsOf { .. }) {
                        kept.lock().unwrap().clear();
                    }
                    return next.call(call).await;
                };
                if let Some(room) = kept.lock().unwrap().get(&*id) {
                    return Ok(Reply::Room(room.clone()));
                }
                let room = next.room(&id, consistency).await?;
                kept.lock().unwrap().insert(id.into_owned(), room.clone());
                Ok(Reply::Room(room))
            })
        })
    };
    Handles::two(handle(), handle())
}

fn a_handle_keeps_the_pages_it_read() -> Wrong {
    let store = Arc::new(MemoryMessageStore::new());
    let handle = || {
        let kept = SharedState::<HashMap<RoomId, Page>>::default();
        DecoratedMessageStore::new(store.clone(), move |call, next| {
            let kept = kept.clone();
            Box::pin(async move {
                let Call::Page { room, query, consistency } = call else {
                    if !matches!(call, Call::Room { .. } | Call::RoomsOf { .. }) {
                        kept.lock().unwrap().clear();
                    }
                    return next.call(call).await;
                };
                if let Some(page) = kept.lock().unwrap().get(&*room) {
                    return Ok(Reply::Page(page.clone()));
                }
                let page = next.page(&room, query, consistency).await?;
                kept.lock().unwrap().insert(room.into_owned(), page.clone());
                Ok(Reply::Page(page))
            })
        })
    };
    Handles::two(handle(), handle())
}

fn a_message_is_on_no_page_until_it_is_settled() -> Wrong {
    let settled = SharedState::<HashSet<Timestamp>>::default();
    wrong(move |call, next| {
        let settled = settled.clone();
        Box::pin(async move {
            if let Call::Settle { message } = &call {
                settled.lock().unwrap().insert(message.at);
            }
            let Call::Page { room, query, consistency } = call else { return next.call(call).await };
            let newest = head(next, &room).await.seq();
            let mut page = next.page(&room, query, consistency).await?;
            page.messages.retain(|row| row.seq < newest || settled.lock().unwrap().contains(&row.at));
            Ok(Reply::Page(page))
        })
    })
}

fn who_is_about_to_commit_is_told_of_no_room() -> Wrong {
    wrong(|call, next| match call {
        Call::RoomForCommit { .. } => answer(Ok(Reply::RoomForCommit(None))),
        call => next.call(call),
    })
}

fn settling_twice_puts_a_second_row() -> Wrong {
    let settled = SharedState::<Vec<Message>>::default();
    wrong(move |call, next| {
        let settled = settled.clone();
        Box::pin(async move {
            if let Call::Settle { message } = &call {
                settled.lock().unwrap().push((**message).clone());
            }
            let Call::Page { room, query, consistency } = call else { return next.call(call).await };
            let mut page = next.page(&room, query, consistency).await?;
            let settled = settled.lock().unwrap();
            let is_doubled = |row: &&Message| settled.iter().filter(|one| one.at == row.at).count() > 1;
            let second: Vec<_> = page.messages.iter().filter(is_doubled).cloned().collect();
            page.messages.extend(second);
            Ok(Reply::Page(page))
        })
    })
}

fn eventual_reads_never_see_anything() -> Wrong {
    wrong(|call, next| match call {
        Call::Room { consistency: Consistency::Eventual, .. } => answer(Ok(Reply::Room(None))),
        call => next.call(call),
    })
}

fn a_repeated_commit_succeeds() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            let message = append.message();
            let committed = match next.commit(&append).await {
                Err(MessageStoreError::Conflict) if rows(next, &message.room).await.contains(message) => {
                    Ok(())
                }
                committed => committed,
            };
            committed.map(Reply::Commit)
        })
    })
}

fn a_mark_that_is_there_moves_again() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::AdvanceRead { room, reader, mark } = call else { return next.call(call).await };
            Ok(Reply::AdvanceRead(match next.advance_read(&room, reader, mark).await? {
                Advance::Unchanged(room) if room.read_state(reader).mark == Some(mark) => {
                    Advance::Moved(room)
                }
                advance => advance,
            }))
        })
    })
}

fn a_conflict_stores_its_message() -> Wrong {
    let stored = SharedState::<Vec<Message>>::default();
    wrong(move |call, next| {
        let stored = stored.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } => {
                    let committed = next.commit(&append).await;
                    if matches!(committed, Err(MessageStoreError::Conflict)) {
                        stored.lock().unwrap().push(append.message().clone());
                    }
                    committed.map(Reply::Commit)
                }
                Call::Page { room, query, consistency } => {
                    let page = next.page(&room, query, consistency).await?;
                    Ok(Reply::Page(with_rows(page, &room, query, &stored.lock().unwrap())))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn a_throttled_commit_was_stored() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            next.commit(&append).await?;
            match append.message().seq {
                2 => Err(MessageStoreError::Throttled { operation: "commit" }),
                _ => Ok(Reply::Commit(())),
            }
        })
    })
}

fn a_room_is_found_by_one_of_its_members() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Room { id, consistency } = call else { return next.call(call).await };
            if let Some(room) = next.room(&id, consistency).await? {
                return Ok(Reply::Room(Some(room)));
            }
            let rooms = next.rooms_of(id.email(Member::B), None).await?.rooms;
            Ok(Reply::Room(rooms.into_iter().next()))
        })
    })
}

fn rooms_are_found_by_the_beginning_of_their_ids() -> Wrong {
    let known = SharedState::<HashSet<RoomId>>::default();
    wrong(move |call, next| {
        let known = known.clone();
        Box::pin(async move {
            match call {
                Call::Commit { append } => {
                    known.lock().unwrap().insert(append.message().room.clone());
                    next.commit(&append).await.map(Reply::Commit)
                }
                Call::Page { room, query, consistency } => {
                    let mut page = next.page(&room, query, consistency).await?;
                    let known = known.lock().unwrap().clone();
                    for other in known.iter().filter(|other| **other != *room) {
                        if other.to_string().starts_with(&room.to_string()) {
                            page.messages.extend(next.page(other, query, consistency).await?.messages);
                        }
                    }
                    Ok(Reply::Page(page))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn open_proposals_are_forgotten() -> Wrong {
    remembering(|log| log.open_proposals.clear())
}

/// A number too small to be told from eight by the first messages.
fn only_seven_ids_are_remembered() -> Wrong {
    remembering(|log| log.buckets = PerMember::default())
}

fn milliseconds_are_lost() -> Wrong {
    paging(|message| {
        let at = Timestamp::from_unix_ms(message.at.unix_ms() / 1_000 * 1_000).expect("it is earlier");
        Message { at, ..message }
    })
}

fn time_begins_in_1970() -> Wrong {
    paging(|message| Message { at: message.at.max(Timestamp::UNIX_EPOCH), ..message })
}

fn texts_are_cut() -> Wrong {
    paging(|message| {
        let content = match &message.content {
            Content::Text(text) if text.as_str().len() > 4_096 => Content::Text(
                text.as_str().chars().take(1_000).collect::<String>().parse().expect("it is shorter"),
            ),
            content => content.clone(),
        };
        Message { content, ..message }
    })
}

fn captions_are_lost() -> Wrong {
    paging(|mut message| {
        if let Content::Image { caption, .. } = &mut message.content {
            *caption = None;
        }
        message
    })
}

fn notes_are_lost() -> Wrong {
    paging(|mut message| {
        if let Content::MatchProposal(proposal) = &mut message.content {
            proposal.note = None;
        }
        message
    })
}

fn an_absent_room_has_more() -> Wrong {
    answering(|reply| match reply {
        Reply::Page(page) if page.messages.is_empty() => Reply::Page(Page { has_more: true, ..page }),
        reply => reply,
    })
}

fn before_the_beginning_is_the_newest() -> Wrong {
    ranging(|range| match range {
        PageRange::Before(Timestamp::MIN) => PageRange::Newest,
        range => range,
    })
}

fn a_page_never_has_more() -> Wrong {
    answering(|reply| match reply {
        Reply::Page(page) => Reply::Page(Page { has_more: false, ..page }),
        reply => reply,
    })
}

fn a_full_page_always_has_more() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Page { room, query, consistency } = call else { return next.call(call).await };
            let page = next.page(&room, query, consistency).await?;
            let has_more = page.messages.len() == query.limit.get();
            Ok(Reply::Page(Page { has_more, ..page }))
        })
    })
}

fn ranging(change: impl Fn(PageRange) -> PageRange + Clone + Send + Sync + 'static) -> Wrong {
    asking(move |call| match call {
        Call::Page { room, query, consistency } => {
            let query = PageQuery { range: change(query.range), ..query };
            Call::Page { room, query, consistency }
        }
        call => call,
    })
}

fn a_page_before_a_message_holds_it() -> Wrong {
    ranging(|range| match range {
        PageRange::Before(at) => PageRange::Before(at.next()),
        range => range,
    })
}

fn a_page_skips_a_message_after_its_bound() -> Wrong {
    ranging(|range| match range {
        PageRange::After(at) => PageRange::After(at.after(std::time::Duration::from_millis(10))),
        range => range,
    })
}

fn a_page_begins_at_messages_only() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Page { room, query, .. } = &call
                && let PageRange::Before(at) | PageRange::After(at) = query.range
                && rows(next, room).await.iter().all(|row| row.at != at)
            {
                return Ok(Reply::Page(Page { messages: Vec::new(), has_more: false }));
            }
            next.call(call).await
        })
    })
}

fn a_page_holds_100_kilobytes() -> Wrong {
    answering(|reply| match reply {
        Reply::Page(mut page) => {
            let mut bytes = 0;
            let all = page.messages.len();
            page.messages.retain(|message| {
                bytes += message.content.text().len();
                bytes <= 100_000
            });
            page.has_more |= page.messages.len() < all;
            Reply::Page(page)
        }
        reply => reply,
    })
}

fn listing(change: impl Fn(&mut chat_domain::RoomsPage) + Clone + Send + Sync + 'static) -> Wrong {
    answering(move |reply| match reply {
        Reply::RoomsOf(mut page) => {
            change(&mut page);
            Reply::RoomsOf(page)
        }
        reply => reply,
    })
}

fn member_a_alone_lists_a_room() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::RoomsOf { member, after } = call else { return next.call(call).await };
            let mut page = next.rooms_of(&member, after).await?;
            page.rooms.retain(|room| room.id().email(Member::A) == &*member);
            Ok(Reply::RoomsOf(page))
        })
    })
}

fn a_list_ends_with_its_first_page() -> Wrong {
    listing(|page| page.next = None)
}

fn lists_are_sorted_by_address() -> Wrong {
    listing(|page| page.rooms.sort_by_key(|room| room.id().email(Member::A).to_string()))
}

/// Sorts a list by what `place` keeps of a room when something is said in it.
fn placing<Place: Ord + Copy + Send + 'static>(
    place: impl Fn(Option<Place>, &Append, u64) -> Place + Copy + Send + Sync + 'static,
) -> Wrong {
    let places = SharedState::<HashMap<RoomId, Place>>::default();
    let commits = SharedState::<u64>::default();
    wrong(move |call, next| {
        let (places, commits) = (places.clone(), commits.clone());
        Box::pin(async move {
            match call {
                Call::Commit { append } => {
                    next.commit(&append).await?;
                    let mut commits = commits.lock().unwrap();
                    *commits += 1;
                    let mut places = places.lock().unwrap();
                    let id = &append.message().room;
                    let new = place(places.get(id).copied(), &append, *commits);
                    places.insert(id.clone(), new);
                    Ok(Reply::Commit(()))
                }
                Call::RoomsOf { member, after } => {
                    let mut page = next.rooms_of(&member, after).await?;
                    let places = places.lock().unwrap();
                    page.rooms.sort_by_key(|room| std::cmp::Reverse(places.get(room.id()).copied()));
                    Ok(Reply::RoomsOf(page))
                }
                call => next.call(call).await,
            }
        })
    })
}

fn a_room_keeps_its_first_place() -> Wrong {
    placing(|place, append, _| {
        let Message { room, at, .. } = append.message();
        place.unwrap_or(chat_domain::Activity { day: at.day(), room: room.tag() })
    })
}

fn a_room_moves_with_every_message() -> Wrong {
    placing(|_, _, commits| commits)
}

fn a_list_begins_at_rooms_only() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::RoomsOf { member, after } = call else { return next.call(call).await };
            let all = next.rooms_of(&member, None).await?;
            let is_there = all.rooms.iter().any(|room| room.activity() == after);
            let after = after.filter(|_| is_there);
            next.rooms_of(&member, after).await.map(Reply::RoomsOf)
        })
    })
}

fn longer_addresses_are_the_same() -> Wrong {
    asking(|call| match call {
        Call::RoomsOf { member, after } => {
            let shorter = member.as_str().trim_end_matches(".kr").parse().expect("an address");
            Call::RoomsOf { member: std::borrow::Cow::Owned(shorter), after }
        }
        call => call,
    })
}

/// Keeps the marks itself. `moves` says where a mark goes: from the state that is kept, in the room that is
/// stored.
fn marking(
    moves: impl Fn(&Room, ReadState, Member, ReadMark) -> Option<ReadState> + Copy + Send + Sync + 'static,
) -> Wrong {
    let kept = SharedState::<HashMap<RoomId, PerMember<ReadState>>>::default();
    wrong(move |call, next| {
        let kept = kept.clone();
        Box::pin(async move {
            match call {
                Call::AdvanceRead { room, reader, mark } => {
                    let stored = head(next, &room).await;
                    if stored.seq() == 0 {
                        return Ok(Reply::AdvanceRead(Advance::NoRoom));
                    }
                    let mut reads = kept.lock().unwrap().get(&*room).copied().unwrap_or_default();
                    let moved = moves(&stored, reads[reader], reader, mark);
                    yield_now().await;
                    if let Some(moved) = moved {
                        reads[reader] = moved;
                        kept.lock().unwrap().insert(room.into_owned(), reads);
                    }
                    let room = read_to(&stored, reads)?;
                    let advance =
                        if moved.is_some() { Advance::Moved(room) } else { Advance::Unchanged(room) };
                    Ok(Reply::AdvanceRead(advance))
                }
                call => Ok(match next.call(call).await? {
                    Reply::Room(Some(room)) => {
                        let reads = kept.lock().unwrap().get(room.id()).copied().unwrap_or_default();
                        Reply::Room(Some(read_to(&room, reads)?))
                    }
                    reply => reply,
                }),
            }
        })
    })
}

fn a_moved_mark_tells_the_room_before() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::AdvanceRead { room, reader, mark } = call else { return next.call(call).await };
            let before = head(next, &room).await;
            Ok(Reply::AdvanceRead(match next.advance_read(&room, reader, mark).await? {
                Advance::Moved(_) => Advance::Moved(before),
                advance => advance,
            }))
        })
    })
}

fn a_mark_moves_back() -> Wrong {
    marking(|room, state, reader, mark| {
        let allowed = room.log().is_some_and(|log| log.allows(reader, mark)) && state.mark != Some(mark);
        allowed.then_some(ReadState { mark: Some(mark), ..state })
    })
}

fn a_mark_may_count_more_than_was_sent() -> Wrong {
    marking(|_, state, _, mark| state.advanced(mark))
}

fn a_mark_is_compared_before_it_moves() -> Wrong {
    marking(|room, state, reader, mark| {
        state.advanced(mark).filter(|_| room.log().is_some_and(|log| log.allows(reader, mark)))
    })
}

fn a_clear_marks_as_read() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Clear { room, reader, up_to } = call else { return next.call(call).await };
            let count = head(next, &room).await.log().map_or(0, |log| log.sent[reader.peer()]);
            next.advance_read(&room, reader, ReadMark { up_to, count }).await?;
            next.clear(&room, reader, up_to).await.map(Reply::Clear)
        })
    })
}

fn a_clear_is_for_both() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Clear { room, reader, up_to } = call else { return next.call(call).await };
            next.clear(&room, reader.peer(), up_to).await?;
            next.clear(&room, reader, up_to).await.map(Reply::Clear)
        })
    })
}

fn a_clear_makes_its_room() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Clear { room, reader, up_to } = call else { return next.call(call).await };
            Ok(Reply::Clear(next.clear(&room, reader, up_to).await?.or(Some(up_to))))
        })
    })
}

fn a_clear_tells_what_it_was_asked() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Clear { room, reader, up_to } = call else { return next.call(call).await };
            Ok(Reply::Clear(next.clear(&room, reader, up_to).await?.map(|_| up_to)))
        })
    })
}

/// Keeps what is cleared beside the room; `stored` says what becomes of what was there before, and of a clear
/// that is asked for.
fn clearing(
    stored: fn(Option<Timestamp>, Timestamp) -> Option<Timestamp>,
    is_lost_by_commits: bool,
) -> Wrong {
    let cleared = SharedState::<HashMap<(RoomId, Member), Timestamp>>::default();
    wrong(move |call, next| {
        let cleared = cleared.clone();
        Box::pin(async move {
            match call {
                Call::Clear { room, reader, up_to } => {
                    let place = (room.into_owned(), reader);
                    if next.room(&place.0, Consistency::Strong).await?.is_none() {
                        return Ok(Reply::Clear(None));
                    }
                    let before = cleared.lock().unwrap().get(&place).copied();
                    yield_now().await;
                    let after = stored(before, up_to);
                    cleared.lock().unwrap().extend(after.map(|after| (place, after)));
                    Ok(Reply::Clear(after.or(before)))
                }
                call => {
                    if let (Call::Commit { append }, true) = (&call, is_lost_by_commits) {
                        cleared.lock().unwrap().retain(|(room, _), _| *room != append.message().room);
                    }
                    Ok(match next.call(call).await? {
                        Reply::Room(Some(room)) => {
                            let cleared = cleared.lock().unwrap();
                            let reads = [Member::A, Member::B].map(|member| ReadState {
                                cleared_to: cleared.get(&(room.id().clone(), member)).copied(),
                                ..room.read_state(member)
                            });
                            let [a, b] = reads;
                            Reply::Room(Some(read_to(&room, PerMember { a, b })?))
                        }
                        reply => reply,
                    })
                }
            }
        })
    })
}

fn a_message_brings_back_what_was_cleared() -> Wrong {
    clearing(|before, up_to| before.max(Some(up_to)), true)
}

fn a_clear_moves_back() -> Wrong {
    clearing(|_, up_to| Some(up_to), false)
}

fn a_clear_is_compared_before_it_moves() -> Wrong {
    clearing(|before, up_to| (before < Some(up_to)).then_some(up_to), false)
}

fn a_mark_moves_for_both() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::AdvanceRead { room, reader, mark } = call else { return next.call(call).await };
            let log = head(next, &room).await.log().cloned();
            let count = log.map_or(0, |log| log.sent[reader].min(mark.count));
            next.advance_read(&room, reader.peer(), ReadMark { count, ..mark }).await?;
            next.advance_read(&room, reader, mark).await.map(Reply::AdvanceRead)
        })
    })
}

mod with_an_eraser {
    use chat_domain::conformance::message_store;

    use super::super::message_eraser::{Wrong, noting_erased};

    crate::caught! {
        message_store::checks_of_both();

        who_writes_stays_erased => who_writes_is_no_longer_erased_and_the_other_stays_as_stored;
        nobody_stays_erased_after_a_commit => who_writes_is_no_longer_erased_and_the_other_stays_as_stored;
    }

    fn who_writes_stays_erased() -> Wrong {
        noting_erased(|noted, asked| noted | asked, |_, _| {})
    }

    fn nobody_stays_erased_after_a_commit() -> Wrong {
        noting_erased(|noted, asked| noted | asked, |erased, _| *erased = Default::default())
    }
}

/// Commits as if nobody blocked anybody.
async fn commit_past_a_block(next: &Next, append: &Append) -> Result<Reply, MessageStoreError> {
    let (room, receiver) = (&append.message().room, append.message().sender.peer());
    let Some(at) = head(next, room).await.consent(receiver).blocked else {
        return next.commit(append).await.map(Reply::Commit);
    };
    next.write_consent(room, receiver, ConsentWrite::Unblock { of: at }).await?;
    let committed = next.commit(append).await;
    next.write_consent(room, receiver, ConsentWrite::Block { at, freezes_reads: false }).await?;
    committed.map(Reply::Commit)
}

fn a_blocked_sender_gets_through() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            yield_now().await;
            commit_past_a_block(next, &append).await
        })
    })
}

fn a_block_is_looked_for_before_the_commit() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            let receiver = append.message().sender.peer();
            if head(next, &append.message().room).await.consent(receiver).blocked.is_some() {
                return Err(MessageStoreError::Conflict);
            }
            yield_now().await;
            commit_past_a_block(next, &append).await
        })
    })
}

fn a_commit_lifts_blocks() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Commit { append } = call else { return next.call(call).await };
            next.commit(&append).await?;
            let (room, sender) = (&append.message().room, append.message().sender);
            if let Some(of) = head(next, room).await.consent(sender).blocked {
                next.write_consent(room, sender, ConsentWrite::Unblock { of }).await?;
            }
            Ok(Reply::Commit(()))
        })
    })
}

fn a_decision_makes_a_commit_conflict() -> Wrong {
    let decided = SharedState::<HashSet<RoomId>>::default();
    wrong(move |call, next| match &call {
        Call::WriteConsent { room, .. } => {
            decided.lock().unwrap().insert(room.clone().into_owned());
            next.call(call)
        }
        Call::Commit { append } if decided.lock().unwrap().remove(&append.message().room) => {
            answer(Err(MessageStoreError::Conflict))
        }
        _ => next.call(call),
    })
}

fn a_decision_is_made_about_strangers() -> Wrong {
    answering(|reply| match reply {
        Reply::WriteConsent(_) => Reply::WriteConsent(true),
        reply => reply,
    })
}

fn a_decision_is_made_only_once() -> Wrong {
    let decided = SharedState::<Vec<(Member, ConsentWrite)>>::default();
    wrong(move |call, next| {
        if let Call::WriteConsent { member, write, .. } = call {
            let mut decided = decided.lock().unwrap();
            if decided.contains(&(member, write)) {
                return answer(Err(MessageStoreError::Conflict));
            }
            decided.push((member, write));
        }
        next.call(call)
    })
}

fn a_decision_is_that_of_both() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::WriteConsent { room, member, write } = &call {
                next.write_consent(room, member.peer(), *write).await?;
            }
            next.call(call).await
        })
    })
}

fn a_block_freezes_nothing() -> Wrong {
    asking(|call| match call {
        Call::WriteConsent { room, member, write: ConsentWrite::Block { at, .. } } => {
            Call::WriteConsent { room, member, write: ConsentWrite::Block { at, freezes_reads: false } }
        }
        call => call,
    })
}

fn a_block_freezes_whoever_blocks() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::WriteConsent {
                room, write: ConsentWrite::Block { freezes_reads: true, .. }, ..
            } = &call
            {
                for member in [Member::A, Member::B] {
                    if let Some(of) = head(next, room).await.consent(member).blocked {
                        next.write_consent(room, member, ConsentWrite::Unblock { of }).await?;
                    }
                }
            }
            next.call(call).await
        })
    })
}

fn a_block_freezes_what_it_read_before() -> Wrong {
    let frozen = SharedState::<HashMap<RoomId, PerMember<Option<Timestamp>>>>::default();
    wrong(move |call, next| {
        let frozen = frozen.clone();
        Box::pin(async move {
            if let Call::WriteConsent {
                room, write: ConsentWrite::Block { freezes_reads: true, .. }, ..
            } = &call
            {
                let before = head(next, room).await;
                yield_now().await;
                let shown_to = PerMember { a: before.read_up_to(Member::A), b: before.read_up_to(Member::B) };
                frozen.lock().unwrap().insert(room.clone().into_owned(), shown_to);
            }
            Ok(match next.call(call).await? {
                Reply::Room(Some(room)) => {
                    let shown_to = frozen.lock().unwrap().get(room.id()).copied();
                    let reads = |member| ReadState {
                        shown_to: shown_to
                            .map_or(room.read_state(member).shown_to, |shown_to| shown_to[member]),
                        ..room.read_state(member)
                    };
                    let reads = PerMember { a: reads(Member::A), b: reads(Member::B) };
                    Reply::Room(Some(read_to(&room, reads)?.with_consent(room.consents())))
                }
                reply => reply,
            })
        })
    })
}

fn any_block_is_lifted() -> Wrong {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::WriteConsent { room, member, write } = call else { return next.call(call).await };
            let blocked = head(next, &room).await.consent(member).blocked;
            let write = match (write, blocked) {
                (ConsentWrite::Unblock { .. }, Some(of)) => ConsentWrite::Unblock { of },
                (write, _) => write,
            };
            next.write_consent(&room, member, write).await.map(Reply::WriteConsent)
        })
    })
}

fn a_change_has_no_effect() -> Wrong {
    asking(|call| match call {
        Call::Commit { append } => {
            Call::Commit { append: Cow::Owned(Append { effect: None, ..append.into_owned() }) }
        }
        call => call,
    })
}

/// What a change came to is told as `change` makes it of what it is, the append and its target.
fn applying(
    change: impl Fn(&Append, Option<Message>) -> Option<Message> + Copy + Send + Sync + 'static,
) -> Wrong {
    wrong(move |call, next| {
        Box::pin(async move {
            let Call::ApplyChange { append } = call else { return next.call(call).await };
            let target = next.apply_change(&append).await?;
            Ok(Reply::ApplyChange(change(&append, target)))
        })
    })
}

fn an_effect_is_that_of_the_last_caller() -> Wrong {
    applying(|append, target| {
        let (mut target, (_, effect)) = (target?, append.change()?);
        target.changed.by = 0;
        Some(target.changed_by(append.message(), effect))
    })
}

fn a_deleted_message_is_edited() -> Wrong {
    applying(|append, target| match append.change()?.1 {
        Effect::Edit(words) => Some(Message { content: Content::Text(words.clone()), ..target? }),
        _ => target,
    })
}

fn a_change_makes_its_target() -> Wrong {
    applying(|append, target| Some(target.unwrap_or_else(|| append.message().clone())))
}

fn only_the_first_place_is_looked_at() -> Wrong {
    asking(|call| match call {
        Call::MessagesAt { room, places, consistency } => {
            let places = Cow::Owned(places.iter().take(1).copied().collect());
            Call::MessagesAt { room, places, consistency }
        }
        call => call,
    })
}

fn who_is_about_to_change_a_message_is_told_of_none() -> Wrong {
    answering(|reply| match reply {
        Reply::RoomForChange((room, _)) => Reply::RoomForChange((room, None)),
        reply => reply,
    })
}
