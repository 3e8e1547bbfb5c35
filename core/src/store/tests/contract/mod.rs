//! One suite over every implementation: each test takes an empty store. `contract!` makes a test of each for one.

mod accounts;
mod attendance;
mod deferred;
mod enrolment;
mod kept_cameras;
mod kiosks;
mod limits;
mod merge;
mod newcomers;
mod order;
mod outbox;
mod roster_import;
mod rosters;
mod second_looks;
mod sessions;
mod students;
mod templates;

pub(crate) use accounts::*;
pub(crate) use attendance::*;
pub(crate) use deferred::*;
pub(crate) use enrolment::*;
pub(crate) use kept_cameras::*;
pub(crate) use kiosks::*;
pub(crate) use limits::*;
pub(crate) use merge::*;
pub(crate) use newcomers::*;
pub(crate) use order::*;
pub(crate) use outbox::*;
pub(crate) use roster_import::*;
pub(crate) use rosters::*;
pub(crate) use second_looks::*;
pub(crate) use sessions::*;
pub(crate) use students::*;
pub(crate) use templates::*;

use jiff::{Timestamp, ToSpan as _};

use super::super::*;
use crate::embedding::Embedding;
use crate::error::ErrorKind;
use crate::liveness::Status;
use crate::types::ModelId;
use crate::types::SessionId;
use crate::types::StudentId;

/// What a test is given: a store with what keeps it alive, or nothing where there is no such database, which the giver
/// has said.
pub(super) trait Given {
    type Store;
    type Alive;
    fn given(self) -> Option<(Self::Store, Self::Alive)>;
}

impl<S, A> Given for (S, A) {
    type Store = S;
    type Alive = A;
    fn given(self) -> Option<(S, A)> {
        Some(self)
    }
}

impl<S, A> Given for Option<(S, A)> {
    type Store = S;
    type Alive = A;
    fn given(self) -> Option<(S, A)> {
        self
    }
}

/// Makes a `#[test]` of every test of the contract, each on a store of its own from `$open`: the store and what keeps
/// it alive, or nothing where there is no such database.
macro_rules! contract {
    ($open:expr) => {
        contract!(@ $open; a_student_comes_back_as_it_was_written, a_list_is_paged_searched_and_counted,
            students_come_in_the_order_that_is_asked_for, who_has_no_face_is_listed,
            attendance_comes_in_the_order_that_is_asked_for,
            a_roll_number_belongs_to_one_student, roll_numbers_that_look_alike_are_one,
            no_control_character_is_in_a_name_or_a_roll_number, a_search_knows_no_case_accents_or_wildcards,
            records_of_a_journal_are_written_once, a_journal_is_of_one_database,
            deleting_a_student_takes_everything_of_it_along, no_id_is_given_twice,
            a_completed_session_enrols_once, a_face_that_is_not_admitted_changes_nothing,
            a_check_sees_whom_it_names_and_who_was_enrolled_since, a_check_of_a_used_session_is_not_asked,
            of_enrolments_at_once_each_sees_those_before_it, an_erasure_and_an_enrolment_at_once_both_end,
            a_duplicate_roll_number_does_not_cost_the_session,
            of_two_registrations_with_one_session_one_wins, of_two_registrations_with_one_roll_number_one_wins,
            a_session_of_one_student_does_not_enrol_another, an_unfinished_session_enrols_nobody,
            templates_come_back_with_their_model, who_has_another_models_face_must_enrol_again,
            an_enrolment_without_a_usable_template_is_refused,
            of_two_frames_on_one_version_one_must_read_again,
            a_frame_of_another_session_is_known_by_its_looks, attendance_is_marked_once_for_a_day_and_period,
            threads_that_mark_the_same_student_leave_one_row, attendance_is_filtered_and_newest_first,
            a_text_beyond_its_limit_is_refused_and_changes_nothing,
            a_log_with_a_long_text_is_kept_with_its_beginning,
            logs_are_newest_first, an_admin_user_is_found_by_name, the_shape_of_debug_is_no_leak,
            a_login_whose_password_has_changed_meanwhile_does_not_begin, no_login_outlives_a_change_of_the_password,
            failed_logins_are_counted_until_one_passes_or_they_are_old,
            a_login_is_renewed_for_a_month_at_most, a_login_holds_until_it_ends,
            an_old_refresh_token_ends_the_login, a_deactivated_user_is_logged_out,
            a_login_that_was_ended_stays_ended_when_the_clock_goes_back,
            a_login_that_a_wrong_clock_began_does_not_last_longer,
            a_nul_is_found_nowhere_and_fails_nothing, the_name_of_an_account_is_told_from_every_other,
            the_last_active_admin_stays, the_audit_log_is_newest_first, consent_comes_back_and_goes,
            a_view_is_kept_beside_the_registration_once_a_month, views_are_taken_back_and_the_registration_stays,
            erasing_leaves_no_trace_of_the_face, erasing_can_leave_nameless_marks,
            a_correction_does_not_outlive_its_mark, what_is_old_is_retired,
            a_sighting_is_on_the_second_look_list_once, a_confirmed_sighting_is_a_mark_of_its_own_time,
            after_a_refusal_a_later_sighting_is_listed, a_second_look_is_decided_once,
            a_mark_settles_the_sightings_of_its_day_and_period, of_decisions_at_once_one_counts,
            of_a_mark_and_a_sighting_at_once_none_stays_open, second_looks_are_filtered_and_newest_first,
            second_looks_go_with_their_student_and_with_time,
            a_second_look_with_a_text_that_does_not_fit_is_refused,
            of_two_records_one_stays_with_the_marks_of_both, a_merge_keeps_what_people_decided,
            a_merge_moves_second_looks_and_a_mark_settles_them, the_face_of_a_merge_is_chosen,
            a_merge_that_is_not_admitted_changes_nothing, of_two_merges_at_once_one_wins,
            a_kept_camera_comes_back_as_it_was_written, a_name_or_an_address_belongs_to_one_camera,
            what_is_no_camera_is_not_kept, a_camera_that_is_started_is_kept_with_a_name_of_its_own,
            a_laptop_camera_is_another_than_the_device_with_its_number,
            a_kept_camera_is_changed_paused_and_removed, of_two_cameras_with_one_name_at_once_one_is_kept,
            a_mark_and_what_it_tells_are_one, an_event_is_told_once_however_often_it_is_written,
            a_channel_keeps_its_secret_for_itself_and_for_its_place, what_tells_nobody_is_no_rule,
            a_letter_is_taken_by_one_and_tried_again_under_its_id, what_falls_into_one_window_is_one_letter,
            guardians_are_told_in_their_language_and_go_with_their_student, who_is_absent_is_told_once_a_day,
            who_comes_after_all_is_not_told_to_be_absent, a_camera_that_is_down_is_told_once_until_it_is_up,
            a_suspected_photograph_is_told_and_a_doubt_is_not, a_check_out_is_told_once,
            what_was_given_up_is_sent_again_when_somebody_asks, what_waits_goes_with_its_rule_and_its_channel,
            of_senders_at_once_each_letter_has_one, a_merge_takes_guardians_and_letters_along,
            a_kiosk_comes_back_as_it_was_written, a_code_pairs_one_tablet_within_its_time,
            of_tablets_with_one_code_at_once_one_is_paired, a_revoked_kiosk_has_no_token_and_no_code,
            a_kiosk_is_renamed_and_keeps_its_tablet, what_is_no_kiosk_is_not_kept,
            a_mark_is_taken_back_onto_the_second_look_list, a_vouched_mark_keeps_who_vouched,
            a_groups_name_is_one_without_letter_case, a_group_with_a_history_is_archived_and_another_one_removed,
            memberships_begin_and_end_on_their_days, of_changes_of_a_roster_all_are_made_or_none,
            who_is_withdrawn_is_a_member_of_nothing_until_readmitted, past_days_keep_the_timetable_that_they_had,
            the_calendar_is_read_by_days, an_excuse_is_withdrawn_and_stays,
            an_excuse_goes_with_the_marks_of_its_time, a_roster_is_read_for_a_span_of_days,
            a_roster_goes_with_its_student, a_merge_joins_memberships_and_keeps_excuses,
            a_list_is_imported_and_again_changes_nothing,
            an_import_moves_renames_and_withdraws_and_history_stays, an_import_is_held_to_the_plan_that_was_shown,
            an_import_with_a_wrong_line_changes_nothing, a_list_of_5000_is_imported_in_one_go,
            new_students_of_a_list_come_out_as_one_by_one);
    };
    (@ $open:expr; $($name:ident),+) => {
        $(#[test] fn $name() {
            let Some((store, _alive)) = $crate::store::tests::contract::Given::given($open) else { return };
            $crate::store::tests::contract::$name(&store);
        })+
    };
}
pub(super) use contract;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-02T08:15:30.25Z")
}

pub(super) fn embedding(seed: f32) -> Embedding {
    Embedding::from_raw(ModelId::new("m"), &[seed, 1.0, -0.5, 0.25]).unwrap()
}

pub(super) fn enrolment(seed: f32) -> Enrolment {
    Enrolment { templates: vec![embedding(seed), embedding(seed + 1.0)], liveness_score: 0.875 }
}

pub(super) fn pending(store: &dyn Store, student: Option<StudentId>) -> SessionId {
    let id = SessionId::random();
    let new = NewSession { id, student, state: "{}".into(), created_at: now(), expires_at: now() + 10.minutes() };
    assert_eq!(store.create_session(&new).unwrap().version, 0);
    id
}

pub(super) fn completion() -> SessionUpdate {
    SessionUpdate {
        status: Status::Completed,
        state: "{\"done\":true}".into(),
        liveness_score: 0.875,
        movement_verified: true,
        center: PositionColumns { embedding: Some(embedding(0.0)), verified: true, frame_data: None },
        left: PositionColumns { embedding: Some(embedding(0.1)), verified: true, frame_data: None },
        right: PositionColumns { embedding: Some(embedding(0.2)), verified: true, frame_data: None },
        final_embedding: Some(embedding(0.0)),
        error_message: None,
        attempts: 3,
        completed_at: Some(now()),
    }
}

pub(super) fn completed(store: &dyn Store, student: Option<StudentId>) -> SessionId {
    let id = pending(store, student);
    assert_eq!(store.update_session(id, 0, &completion()).unwrap(), Some(1));
    id
}

pub(super) fn window(date: &str) -> DayWindow {
    let starts_at = at(&format!("{date}T00:00:00Z"));
    DayWindow { date: date.parse().unwrap(), starts_at, ends_at: starts_at + 24.hours() }
}

pub(crate) fn mark(student: StudentId, when: &str) -> NewAttendance {
    NewAttendance {
        student,
        at: at(when),
        day: window(&when[..10]),
        period: "day".into(),
        status: AttendanceStatus::Present,
        confidence_score: Some(0.91),
        camera_location: Some("Gate 1".into()),
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Runs `call` on `threads` threads at once, with the thread's number.
fn race<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let (start, call) = (&start, &call);
        let spawned: Vec<_> = (0..threads)
            .map(|n| {
                scope.spawn(move || {
                    start.wait();
                    call(n)
                })
            })
            .collect();
        spawned.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
