//! One file for each promise, or method, of a [`MessageStore`]; and the [`Talk`](talk::Talk) that all of them
//! store.

mod atomicity;
mod attachments;
mod commits;
mod contents;
mod erased;
mod halves;
mod handles;
mod lists;
mod marks;
mod pages;
mod rows;
pub(crate) mod talk;

pub(crate) use self::atomicity::nothing_half_is_seen;
use self::{
    atomicity::*, attachments::*, commits::*, contents::*, erased::*, halves::*, handles::*, lists::*,
    marks::*, pages::*, rows::*,
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
        "One message for each attachment" {
            an_attachment_is_shown_once,
            of_eight_racing_messages_one_shows_the_attachment,
            what_was_refused_its_attachment_leaves_no_trace,
        }
        "Separate halves" {
            a_commit_leaves_read_states_alone,
            marks_and_commits_that_race_all_happen,
            marking_rows_does_not_make_a_commit_conflict,
            a_mark_in_an_absent_room_creates_nothing,
            marking_rows_that_do_not_exist_creates_none,
            marking_rows_of_an_absent_room_creates_nothing,
        }
        "Consistency" {
            what_one_handle_wrote_the_other_sees_at_once,
            eventual_reads_become_right,
        }
        "Idempotency" {
            a_repeated_commit_conflicts,
            a_mark_that_is_there_already_changes_nothing,
            marking_rows_twice_changes_nothing_more,
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
            words_read_back_whole,
            the_longest_words_read_back_whole,
            images_read_back_whole,
            proposals_and_answers_read_back_whole,
            timestamps_of_any_year_read_back_in_order,
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
        "mark_rows_read" {
            marking_rows_sets_exactly_those,
            a_full_page_of_rows_is_marked_at_once,
            marking_no_rows_still_notes_how_far_it_came,
            how_far_rows_are_marked_never_moves_back,
            how_far_rows_are_marked_never_passes_the_readers_mark,
            an_interrupted_marking_notes_no_row_that_it_did_not_mark,
        }
    }
    and where it is MessageEraser, on handles of crate::conformance::ErasableStore {
        "commit" {
            who_writes_is_no_longer_erased_and_the_other_stays_as_stored,
        }
    }
}
