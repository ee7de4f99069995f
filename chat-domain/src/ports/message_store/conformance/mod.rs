//! One file for each promise, or method, of a [`MessageStore`]; and the [`Talk`](talk::Talk) that all of them
//! store.

mod atomicity;
mod attachments;
mod changes;
mod clears;
mod commits;
mod consent;
mod contents;
mod erased;
mod halves;
mod handles;
mod lists;
mod marks;
mod pages;
mod settling;
pub(crate) mod talk;

pub(crate) use self::atomicity::nothing_half_is_seen;
use self::{
    atomicity::*, attachments::*, changes::*, clears::*, commits::*, consent::*, contents::*, erased::*,
    halves::*, handles::*, lists::*, marks::*, pages::*, settling::*,
};
use crate::conformance::suite;

suite! {
    /// Expands to one test for each behaviour of a [`MessageStore`](crate::MessageStore), each on the
    /// [`Handles`](crate::conformance::Handles) of a store that the given `async` function returns, with
    /// nothing in it. See [`conformance`](crate::conformance).
    ///
    /// What a store keeps of erased users can be tested only where they can be erased. A store that is no
    /// [`MessageEraser`](crate::MessageEraser) says so: `message_store_conformance!(fresh, without
    /// MessageEraser)`.
    ///
    /// A writer that meets another one inside the store may be told
    /// [`Throttled`](crate::MessageStoreError::Throttled): the suite then repeats the call, as the contract
    /// allows. It never takes that for a [`Conflict`](crate::MessageStoreError::Conflict).
    message_store_conformance in message_store on handles of crate::MessageStore {
        "Atomicity" {
            an_interrupted_commit_is_stored_whole_or_not_at_all,
            no_reader_ever_sees_half_a_commit,
            of_eight_racing_commits_exactly_one_is_stored,
            of_eight_racing_first_commits_exactly_one_is_stored,
            writers_that_race_and_retry_lose_nothing,
        }
        "Changes" {
            a_change_is_shown_whether_or_not_it_was_applied,
            changes_come_in_the_order_of_the_log_however_late,
            what_is_deleted_stays_so,
            a_target_that_is_not_there_stays_absent,
        }
        "One message for each attachment" {
            an_attachment_is_shown_once,
            of_eight_racing_messages_one_shows_the_attachment,
            what_was_refused_its_attachment_leaves_no_trace,
        }
        "A block holds" {
            a_blocked_sender_is_refused_whatever_the_head,
            nothing_of_a_blocked_sender_is_stored_after_a_block_that_races,
        }
        "Separate halves" {
            sending_and_reading_leave_decisions_alone,
            deciding_changes_nothing_else,
            a_decision_in_an_absent_room_creates_nothing,
            a_commit_leaves_read_states_alone,
            marks_and_commits_that_race_all_happen,
            a_mark_in_an_absent_room_creates_nothing,
            clearing_changes_nothing_else,
            reading_and_sending_leave_what_is_cleared_alone,
            a_clear_in_an_absent_room_creates_nothing,
        }
        "No hole" {
            what_was_committed_is_in_every_page_settled_or_not,
        }
        "Consistency" {
            what_one_handle_wrote_the_other_sees_at_once,
            eventual_reads_become_right,
        }
        "Idempotency" {
            a_repeated_commit_conflicts,
            a_mark_that_is_there_already_changes_nothing,
            a_repeated_decision_changes_nothing_more,
        }
        "Errors" {
            a_stale_version_conflicts_and_stores_nothing,
            a_future_version_conflicts_and_stores_nothing,
            a_version_of_an_absent_room_conflicts_and_stores_nothing,
        }
        // No suite sees how many rows a call touches: the benchmarks count that.
        "Bounds" {}
        "room" {
            a_room_nobody_wrote_to_is_absent,
            the_room_reads_back_whole_after_every_message,
            a_room_with_everything_in_it_reads_back_whole,
            rooms_are_isolated,
        }
        "commit" {
            a_first_commit_conflicts_with_an_existing_room,
            every_kind_of_message_reads_back_whole,
            words_read_back_whole,
            the_longest_words_read_back_whole,
            images_read_back_whole,
            proposals_and_answers_read_back_whole,
            timestamps_of_any_year_read_back_in_order,
        }
        "room_for_commit" {
            who_is_about_to_commit_reads_the_same_room,
        }
        "apply_change" {
            a_message_has_nothing_to_apply,
        }
        "messages_at" {
            messages_are_read_by_their_places,
        }
        "room_for_change" {
            a_message_is_read_as_it_is_in_its_room,
        }
        "settle" {
            settling_changes_nothing_that_is_read,
        }
        "page" {
            an_empty_room_has_empty_pages,
            pages_have_the_right_messages_whatever_their_bounds_and_limits,
            a_timestamp_between_two_messages_bounds_a_page_too,
            nothing_is_before_the_first_or_after_the_last,
            a_page_of_exactly_all_messages_has_no_more,
            one_message_beyond_a_full_page_is_more,
            paging_either_way_visits_each_of_120_messages_once,
            a_page_of_the_longest_words_is_a_full_page,
        }
        "rooms_of" {
            a_stranger_has_no_rooms,
            both_members_list_the_room_as_it_is,
            every_room_of_three_pages_is_listed_once_latest_activity_first,
            a_room_moves_up_when_a_message_comes_on_a_later_day,
            a_message_on_the_same_day_moves_no_room,
            a_list_goes_on_after_a_place_that_is_gone,
        }
        "advance_read" {
            a_mark_moves_forward_and_tells_the_room,
            an_earlier_mark_changes_nothing,
            a_mark_that_counts_more_than_was_sent_changes_nothing,
            the_members_marks_are_independent,
            of_racing_marks_the_furthest_stays,
        }
        "clear" {
            an_earlier_clear_changes_nothing,
            of_racing_clears_the_furthest_stays,
        }
        "write_consent" {
            members_decide_independently,
            a_block_that_was_made_anew_is_not_lifted_by_an_old_attempt,
            a_block_that_freezes_keeps_how_far_each_has_read,
            nothing_is_frozen_while_either_blocks,
            a_mark_that_races_a_block_that_freezes_is_kept_or_came_later,
        }
    }
    and where it is MessageEraser, on handles of crate::conformance::ErasableStore {
        "commit" {
            who_writes_is_no_longer_erased_and_the_other_stays_as_stored,
        }
    }
}
