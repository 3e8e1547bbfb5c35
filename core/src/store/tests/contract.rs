//! One suite over every implementation: each test takes an empty store. `contract!` makes a test of each for one.

use jiff::{Timestamp, ToSpan as _};

pub(crate) use super::accounts::*;

use super::super::*;
use super::EnrolUnchecked as _;
use crate::error::{Error, ErrorKind};
use crate::liveness::Status;
use crate::types::ModelId;

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

/// Makes a `#[test]` of every test of the contract, each on a store of its own from `$open`: the store and what keeps it
/// alive, or nothing where there is no such database.
macro_rules! contract {
    ($open:expr) => {
        contract!(@ $open; a_student_comes_back_as_it_was_written, a_list_is_paged_searched_and_counted,
            a_roll_number_belongs_to_one_student, deleting_a_student_takes_everything_of_it_along, no_id_is_given_twice,
            a_completed_session_enrols_once, a_face_that_is_not_admitted_changes_nothing,
            a_check_sees_whom_it_names_and_who_was_enrolled_since, a_check_of_a_used_session_is_not_asked,
            of_enrolments_at_once_each_sees_those_before_it, a_duplicate_roll_number_does_not_cost_the_session,
            of_two_registrations_with_one_session_one_wins, of_two_registrations_with_one_roll_number_one_wins,
            a_session_of_one_student_does_not_enrol_another, an_unfinished_session_enrols_nobody,
            templates_come_back_with_their_model, who_has_another_models_face_must_enrol_again, an_enrolment_without_a_usable_template_is_refused,
            of_two_frames_on_one_version_one_must_read_again,
            a_frame_of_another_session_is_known_by_its_looks, attendance_is_marked_once_for_a_day_and_period,
            threads_that_mark_the_same_student_leave_one_row, attendance_is_filtered_and_newest_first,
            logs_are_newest_first, an_admin_user_is_found_by_name, the_shape_of_debug_is_no_leak,
            a_login_holds_until_it_ends, an_old_refresh_token_ends_the_login, a_deactivated_user_is_logged_out,
            the_last_active_admin_stays, the_audit_log_is_newest_first, consent_comes_back_and_goes,
            a_view_is_kept_beside_the_registration_once_a_month, views_are_taken_back_and_the_registration_stays,
            erasing_leaves_no_trace_of_the_face, erasing_can_leave_nameless_marks, what_is_old_is_retired);
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

pub(super) fn mark(student: StudentId, when: &str) -> NewAttendance {
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

pub(super) fn a_student_comes_back_as_it_was_written(store: &dyn Store) {
    let made = store.create_student("Bö 学生", "R001", now()).unwrap();
    assert_eq!(made.created_at, at("2026-03-02T08:15:30Z"), "whole seconds, as the existing service keeps it");
    assert_eq!((made.updated_at, made.liveness_verified, made.model.clone()), (None, false, None));
    assert_eq!(store.student(made.id).unwrap(), Some(made.clone()));
    assert_eq!(store.embedding_json(made.id).unwrap(), None);

    assert_eq!(store.update_student(made.id, &StudentChange::default(), now()).unwrap(), made);
    let later = now() + 1.hour();
    let change = StudentChange { name: Some("Asha".into()), roll_number: None };
    let changed = store.update_student(made.id, &change, later).unwrap();
    assert_eq!((changed.name.as_str(), changed.roll_number.as_str()), ("Asha", "R001"));
    assert_eq!(changed.updated_at, Some(at("2026-03-02T09:15:30Z")));

    assert_eq!(store.student(StudentId(999)).unwrap(), None);
    assert_eq!(kind(store.update_student(StudentId(999), &change, now())), ErrorKind::NotFound);
    store.check().unwrap();
}

pub(super) fn a_list_is_paged_searched_and_counted(store: &dyn Store) {
    for n in 0..5 {
        store.create_student(&format!("Name {n}"), &format!("R%{n}"), now()).unwrap();
    }
    store.create_student("100% sure", "X_1", now()).unwrap();
    let names = |search, page| {
        let listed = store.students(search, page).unwrap();
        (listed.items.into_iter().map(|s| s.name).collect::<Vec<_>>(), listed.total)
    };
    assert_eq!(names(None, Page { skip: 1, limit: 2 }), (vec!["Name 1".into(), "Name 2".into()], 6));
    assert_eq!(names(None, Page { skip: 10, limit: 2 }), (vec![], 6));
    assert_eq!(names(Some("NAME 3"), Page::ALL), (vec!["Name 3".into()], 1));
    // The signs of a pattern keep their meaning, as in the existing service.
    assert_eq!(names(Some("%"), Page::ALL).1, 6);
    assert_eq!(names(Some("N%3"), Page::ALL).1, 1);
    assert_eq!(names(Some("X_1"), Page::ALL).1, 1);
    assert_eq!(names(Some("m__4"), Page::ALL).1, 1);
}

pub(super) fn a_roll_number_belongs_to_one_student(store: &dyn Store) {
    let first = store.create_student("A", "R1", now()).unwrap();
    let second = store.create_student("B", "R2", now()).unwrap();
    assert_eq!(kind(store.create_student("C", "R1", now())), ErrorKind::Conflict);
    let take = StudentChange { name: Some("Thief".into()), roll_number: Some("R1".into()) };
    assert_eq!(kind(store.update_student(second.id, &take, now())), ErrorKind::Conflict);
    assert_eq!(store.student(second.id).unwrap().unwrap().name, "B", "nothing of a refused change stays");
    assert!(store.update_student(first.id, &take, now()).is_ok(), "one's own number is free");
}

pub(super) fn deleting_a_student_takes_everything_of_it_along(store: &dyn Store) {
    let proof = completed(store, None);
    let gone = store.register_student(proof, "A", "R1", &enrolment(1.0), now()).unwrap();
    let stays = store.register_student(completed(store, None), "B", "R2", &enrolment(2.0), now()).unwrap();
    let session = pending(store, Some(gone.id));
    let [corrected, kept] = [gone.id, stays.id].map(|id| {
        let row = store.mark_attendance(&mark(id, "2026-03-02T08:00:00Z")).unwrap().record().id;
        let correction = Correction::new(CorrectedStatus::Late, "admin", "A was on the bus");
        store.correct_attendance(row, &correction, now()).unwrap().id
    });
    assert_eq!(store.erase_student(gone.id, MarksOfErased::Delete, now()).unwrap().student.name, "A");
    assert_eq!(store.student(gone.id).unwrap(), None);
    assert_eq!(store.templates_of(gone.id).unwrap(), []);
    assert_eq!(store.templates_of(stays.id).unwrap().len(), 2);
    assert_eq!(store.corrections(kept).unwrap().len(), 1);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
    for session in [session, proof] {
        assert_eq!(store.session(session).unwrap(), None, "its state holds embeddings");
    }
    assert_eq!(store.corrections(corrected).unwrap(), [], "the reason of a correction may name the student");
    assert_eq!(kind(store.erase_student(gone.id, MarksOfErased::Delete, now())), ErrorKind::NotFound);
}

pub(super) fn no_id_is_given_twice(store: &dyn Store) {
    let (mut students, mut marks, mut corrections) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..6 {
        let student = match round % 2 {
            0 => store.create_student("A", "R1", now()).unwrap().id,
            _ => store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id,
        };
        assert_eq!(store.student(student).unwrap().unwrap().roll_number, "R1");
        assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
        students.push(student);
        for _ in 0..2 {
            let row = store.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap().record().id;
            assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
            assert_eq!(store.corrections(row).unwrap(), [], "of another row that is gone");
            let late = Correction::new(CorrectedStatus::Late, "admin", "bus");
            store.correct_attendance(row, &late, now()).unwrap();
            corrections.push(store.corrections(row).unwrap()[0].id);
            store.delete_attendance(row).unwrap();
            marks.push(row);
        }
        store.erase_student(student, MarksOfErased::Delete, now()).unwrap();
    }
    assert!(students.is_sorted_by(|a, b| a.0 < b.0), "{students:?}");
    assert!(marks.is_sorted_by(|a, b| a < b), "{marks:?}");
    assert!(corrections.is_sorted_by(|a, b| a < b), "{corrections:?}");
}

pub(super) fn who_has_another_models_face_must_enrol_again(store: &dyn Store) {
    let (ours, theirs) = (ModelId::new("m"), ModelId::new("other"));
    let foreign = Embedding::from_raw(theirs.clone(), &[1.0, 0.5]).unwrap();
    let ids: Vec<StudentId> = ["Asha", "Ben", "Cara", "Dev"]
        .iter()
        .enumerate()
        .map(|(at, name)| store.create_student(name, &format!("R{at}"), now()).unwrap().id)
        .collect();
    store.replace_templates(ids[0], &[embedding(1.0)], now()).unwrap();
    for id in &ids[1..3] {
        store.replace_templates(*id, &[foreign.clone(), foreign.clone()], now()).unwrap();
    }
    let again = |model: &ModelId, search: Option<&str>, page| {
        let found = store.students_to_enrol_again(model, search, page).unwrap();
        (found.items.iter().map(|student| student.id).collect::<Vec<_>>(), found.total)
    };
    assert_eq!(again(&ours, None, Page::ALL), (vec![ids[1], ids[2]], 2), "Dev has no face at all");
    assert_eq!(again(&theirs, None, Page::ALL), (vec![ids[0]], 1));
    assert_eq!(again(&ours, None, Page { skip: 1, limit: 1 }), (vec![ids[2]], 2));
    assert_eq!(again(&ours, Some("ben"), Page::ALL), (vec![ids[1]], 1));
    assert_eq!(again(&ours, Some("asha"), Page::ALL), (vec![], 0));
    // Every list says the same of each.
    let faces: Vec<_> = store.students(None, Page::ALL).unwrap().items;
    assert_eq!(faces.iter().map(|student| student.has_face).collect::<Vec<_>>(), [true, true, true, false]);
    for student in faces {
        let told = student.must_enrol_again(&ours);
        assert_eq!(told, again(&ours, None, Page::ALL).0.contains(&student.id), "{}", student.name);
        assert_eq!(store.student(student.id).unwrap().unwrap().must_enrol_again(&ours), told);
    }
    store.replace_templates(ids[1], &[embedding(2.0)], now()).unwrap();
    assert_eq!(again(&ours, None, Page::ALL), (vec![ids[2]], 1));
}

pub(super) fn a_completed_session_enrols_once(store: &dyn Store) {
    let session = completed(store, None);
    let student = store.register_student(session, "Cara", "R100", &enrolment(1.0), now()).unwrap();
    assert!(student.liveness_verified);
    assert_eq!(student.liveness_verification_date, Some(now()));
    assert_eq!((student.liveness_confidence_score, student.updated_at), (0.875, None));
    assert_eq!(student.model, Some(ModelId::new("m")));
    let json: Vec<f32> = serde_json::from_str(&store.embedding_json(student.id).unwrap().unwrap()).unwrap();
    assert_eq!(json, embedding(1.0).values());

    let used = store.session(session).unwrap().unwrap();
    assert_eq!((used.consumed_at, used.student), (Some(now()), Some(student.id)));
    assert_eq!(kind(store.register_student(session, "Cara2", "R101", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(kind(store.enrol_student(session, student.id, &enrolment(1.0), now())), ErrorKind::State);
    // A frame that was judged meanwhile may not bring the session back.
    assert_eq!(store.update_session(session, 1, &completion()).unwrap(), None);
    assert_eq!(store.update_session(session, used.version, &completion()).unwrap(), Some(used.version + 1));
    assert_eq!(kind(store.register_student(session, "Cara2", "R101", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
}

/// Enrols a new student if `admits` says so of what the check sees.
fn enrol_checked(
    store: &dyn Store,
    roll_number: &str,
    seed: f32,
    (since, of): (TemplateMark, &[StudentId]),
    mut admits: impl FnMut(&[StoredTemplate]) -> bool,
) -> Result<Option<Student>> {
    let session = completed(store, None);
    let who = Enrolee::New { name: "A", roll_number };
    let mut admits = |seen: Vec<StoredTemplate>| Ok(admits(&seen));
    let check = FaceCheck { since, of, admits: &mut admits };
    store.enrol(session, &who, &enrolment(seed), Some(check), now())
}

pub(super) fn a_face_that_is_not_admitted_changes_nothing(store: &dyn Store) {
    let session = completed(store, None);
    let before = store.session(session).unwrap();
    let there = store.create_student("B", "R2", now()).unwrap();
    for who in [Enrolee::New { name: "A", roll_number: "R1" }, Enrolee::Student(there.id)] {
        let mut never = |_: Vec<StoredTemplate>| Ok(false);
        let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut never };
        assert_eq!(store.enrol(session, &who, &enrolment(1.0), Some(check), now()).unwrap(), None);
        let mut broken = |_: Vec<StoredTemplate>| Err(Error::NotFound { what: "model" });
        let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut broken };
        assert_eq!(kind(store.enrol(session, &who, &enrolment(1.0), Some(check), now())), ErrorKind::NotFound);
    }
    assert_eq!(store.session(session).unwrap(), before, "the session may still enrol somebody");
    assert_eq!(store.students(None, Page::ALL).unwrap().items, [there]);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
}

pub(super) fn a_check_sees_whom_it_names_and_who_was_enrolled_since(store: &dyn Store) {
    let enrol = |roll: &str, seed| store.register_student(completed(store, None), "A", roll, &enrolment(seed), now());
    let [first, second, third] = [1, 2, 3].map(|n: u8| enrol(&format!("R{n}"), f32::from(n)).unwrap().id);
    let mark = store.newest_template().unwrap();
    let seen_by = |since, of: &[StudentId]| {
        let mut seen = Vec::new();
        let refused = enrol_checked(store, "never", 9.0, (since, of), |templates| {
            seen = templates.iter().map(|template| template.student).collect();
            false
        });
        assert_eq!(refused.unwrap(), None);
        seen
    };
    assert_eq!(seen_by(mark, &[]), []);
    assert_eq!(seen_by(mark, &[second]), [second, second], "all its templates, whenever written");
    assert_eq!(seen_by(TemplateMark::BEGINNING, &[]), [first, first, second, second, third, third]);
    // The newest are gone, and what comes next is newer all the same.
    store.erase_student(third, MarksOfErased::Delete, now()).unwrap();
    assert_eq!(seen_by(mark, &[third]), []);
    let fourth = enrol("R4", 4.0).unwrap().id;
    assert_eq!(seen_by(mark, &[]), [fourth, fourth]);
    // Another face of a student who was there before.
    store.enrol_student(completed(store, None), first, &enrolment(5.0), now()).unwrap();
    store.replace_templates(second, &[embedding(6.0)], now()).unwrap();
    assert_eq!(seen_by(mark, &[fourth]), [first, first, second, fourth, fourth]);
    assert!(store.newest_template().unwrap() > mark);
}

pub(super) fn a_check_of_a_used_session_is_not_asked(store: &dyn Store) {
    let session = completed(store, None);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
    let mut unasked = |_: Vec<StoredTemplate>| panic!("the session enrols nobody");
    let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut unasked };
    let who = Enrolee::New { name: "B", roll_number: "R2" };
    assert_eq!(kind(store.enrol(session, &who, &enrolment(1.0), Some(check), now())), ErrorKind::State);
}

/// Enrols one face from eight threads at once, on these stores by turns, where only the first face is admitted.
pub(super) fn race_for_one_face(stores: &[&dyn Store]) {
    let mark = stores[0].newest_template().unwrap();
    let enrolled = race(8, |n| {
        let store = stores[n % stores.len()];
        enrol_checked(store, &format!("R{n}"), 1.0, (mark, &[]), <[StoredTemplate]>::is_empty).unwrap()
    });
    assert_eq!(enrolled.iter().flatten().count(), 1, "{enrolled:?}");
    assert_eq!(stores[0].students(None, Page::ALL).unwrap().total, 1);
}

pub(super) fn of_enrolments_at_once_each_sees_those_before_it(store: &dyn Store) {
    race_for_one_face(&[store]);
}

pub(super) fn a_duplicate_roll_number_does_not_cost_the_session(store: &dyn Store) {
    store.create_student("A", "R1", now()).unwrap();
    let session = completed(store, None);
    let refused = store.register_student(session, "B", "R1", &enrolment(1.0), now()).unwrap_err();
    assert_eq!(refused.to_string(), "student with this roll number already exists");
    store.register_student(session, "B", "R2", &enrolment(1.0), now()).unwrap();
    // The roll number is judged before the use, as the existing API answers it.
    assert_eq!(kind(store.register_student(session, "C", "R1", &enrolment(1.0), now())), ErrorKind::Conflict);
}

pub(super) fn of_two_registrations_with_one_session_one_wins(store: &dyn Store) {
    let session = completed(store, None);
    let results =
        race(8, |n| store.register_student(session, "A", &format!("R{n}"), &enrolment(1.0), now()).map(|s| s.id));
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().all(|r| !matches!(r, Err(e) if e.kind() != ErrorKind::State)), "{results:?}");
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
}

pub(super) fn of_two_registrations_with_one_roll_number_one_wins(store: &dyn Store) {
    let sessions: Vec<_> = (0..8).map(|_| completed(store, None)).collect();
    let results = race(8, |n| store.register_student(sessions[n], "A", "R1", &enrolment(1.0), now()).map(|s| s.id));
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().all(|r| !matches!(r, Err(e) if e.kind() != ErrorKind::Conflict)), "{results:?}");
}

pub(super) fn a_session_of_one_student_does_not_enrol_another(store: &dyn Store) {
    let a = store.create_student("A", "R1", now()).unwrap();
    let b = store.create_student("B", "R2", now()).unwrap();
    let session = completed(store, Some(a.id));
    assert_eq!(kind(store.enrol_student(session, b.id, &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(kind(store.register_student(session, "C", "R3", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 2, "nothing of a refused registration stays");
    let enrolled = store.enrol_student(session, a.id, &enrolment(1.0), now()).unwrap();
    assert!(enrolled.liveness_verified && enrolled.updated_at.is_some());
    let missing = NewSession {
        id: SessionId::random(),
        student: Some(StudentId(999)),
        state: String::new(),
        created_at: now(),
        expires_at: now(),
    };
    assert_eq!(kind(store.create_session(&missing)), ErrorKind::NotFound);
}

pub(super) fn an_unfinished_session_enrols_nobody(store: &dyn Store) {
    let unknown = SessionId::random();
    assert_eq!(kind(store.register_student(unknown, "A", "R1", &enrolment(1.0), now())), ErrorKind::NotFound);
    assert_eq!(kind(store.update_session(unknown, 0, &completion())), ErrorKind::NotFound);
    assert_eq!(store.session(unknown).unwrap(), None);
    let session = pending(store, None);
    for (version, status) in [Status::InProgress, Status::Failed, Status::Expired].into_iter().enumerate() {
        let refused = store.register_student(session, "A", "R1", &enrolment(1.0), now());
        assert_eq!(kind(refused), ErrorKind::State);
        let update = SessionUpdate { status, ..completion() };
        assert!(store.update_session(session, version as i64, &update).unwrap().is_some());
        assert_eq!(store.session(session).unwrap().unwrap().status, status);
    }
}

pub(super) fn templates_come_back_with_their_model(store: &dyn Store) {
    let a = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap();
    let b = store.create_student("B", "R2", now()).unwrap();
    let imported = store.replace_templates(b.id, &[embedding(5.0)], now()).unwrap();
    assert!(!imported.liveness_verified && imported.liveness_verification_date.is_none());
    let mut seen = Vec::new();
    store
        .for_each_template(&mut |template| {
            seen.push(template);
            Ok(())
        })
        .unwrap();
    let expected = [(a.id, 1.0), (a.id, 2.0), (b.id, 5.0)];
    assert_eq!(seen.len(), expected.len());
    for (template, (student, seed)) in seen.iter().zip(expected) {
        assert_eq!(template.student, student);
        let StoredEmbedding::Tagged(found) = &template.embedding else { panic!("{template:?} has no model") };
        assert!(found.cosine(&embedding(seed)).unwrap().0 > 0.999_999);
    }
    // The newer face replaces the older one.
    store.enrol_student(completed(store, None), a.id, &enrolment(9.0), now()).unwrap();
    let now_stored = store.templates_of(a.id).unwrap();
    assert_eq!(now_stored.len(), 2);
    let StoredEmbedding::Tagged(found) = &now_stored[0].embedding else { panic!("no model") };
    assert!(found.cosine(&embedding(9.0)).unwrap().0 > 0.999_999);
    // An error of the visitor ends the visit and arrives.
    let stopped = store.for_each_template(&mut |_| Err(Error::NotFound { what: "reason to go on" }));
    assert_eq!(kind(stopped), ErrorKind::NotFound);
}

pub(super) fn an_enrolment_without_a_usable_template_is_refused(store: &dyn Store) {
    let session = completed(store, None);
    let other = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0]).unwrap();
    for (bad, expected) in [
        (Enrolment { templates: vec![], liveness_score: 0.9 }, ErrorKind::InvalidInput),
        (Enrolment { templates: vec![embedding(1.0), other], liveness_score: 0.9 }, ErrorKind::ModelMismatch),
        (Enrolment { liveness_score: f64::NAN, ..enrolment(1.0) }, ErrorKind::InvalidInput),
    ] {
        assert_eq!(kind(store.register_student(session, "A", "R1", &bad, now())), expected);
    }
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 0);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
}

pub(super) fn of_two_frames_on_one_version_one_must_read_again(store: &dyn Store) {
    let session = pending(store, None);
    let update = |n: usize| SessionUpdate {
        status: Status::InProgress,
        state: n.to_string(),
        attempts: n as u32,
        completed_at: None,
        ..completion()
    };
    let results = race(8, |n| store.update_session(session, 0, &update(n)).unwrap());
    let winners: Vec<_> = (0..8).filter(|n| results[*n].is_some()).collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    let record = store.session(session).unwrap().unwrap();
    assert_eq!((record.state, record.version), (Some(winners[0].to_string()), 1));
    assert_eq!((record.expires_at, record.completed_at), (now() + 10.minutes(), None));
    assert_eq!((record.liveness_score, record.movement_verified), (0.875, true));
}

pub(super) fn a_frame_of_another_session_is_known_by_its_looks(store: &dyn Store) {
    use crate::liveness::PerceptualHash;
    use crate::types::Degrees;
    let frame =
        |bytes: [u8; 72], yaw| SeenFrame { perceptual: PerceptualHash::from_bytes(&bytes).unwrap(), yaw: Degrees(yaw) };
    let (first, second) = (pending(store, None), pending(store, None));
    let seen = frame([0b0101_0101; 72], -20.5);
    store.remember_frame(first, &seen, now()).unwrap();
    let like = |session, frame: SeenFrame, since| store.frame_seen_elsewhere(session, &frame, since).unwrap();
    assert!(like(second, seen, now()));
    // Compressed again: a few bits and a part of a degree.
    let mut bits = [0b0101_0101; 72];
    (bits[3], bits[70]) = (0b0101_0110, 0b0101_1101);
    assert!(like(second, frame(bits, -21.4), now() - 1.hour()));
    assert!(!like(first, seen, now()), "its own session");
    assert!(!like(second, seen, now() + 1.second()), "too long ago");
    assert!(!like(second, frame([0b0101_0101; 72], -10.0), now()), "another yaw");
    assert!(!like(second, frame([0b1101_0101; 72], -20.5), now()), "other looks");
}

pub(super) fn attendance_is_marked_once_for_a_day_and_period(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap();
    let first = mark(student.id, "2026-03-02T08:15:30.25Z");
    let Marking::Marked(row) = store.mark_attendance(&first).unwrap() else { panic!("the first mark must count") };
    assert_eq!((row.student_name.as_str(), row.student_roll_number.as_str()), ("A", "R1"));
    assert_eq!((row.timestamp, row.status.as_str()), (first.at, "Present"));
    assert_eq!((row.confidence_score, row.camera_location.as_deref()), (Some(0.91), Some("Gate 1")));
    assert_eq!(row.local_day, Some(first.day.date));
    let again = NewAttendance { confidence_score: None, ..mark(student.id, "2026-03-02T17:00:00Z") };
    assert_eq!(store.mark_attendance(&again).unwrap(), Marking::AlreadyMarked(row.clone()));
    assert_eq!(store.attendance_record(row.id).unwrap(), Some(row.clone()));

    let lesson = NewAttendance { period: "lesson 2".into(), status: AttendanceStatus::Late, ..again.clone() };
    assert!(matches!(store.mark_attendance(&lesson).unwrap(), Marking::Marked(r) if r.status == "Late"));
    let tomorrow = mark(student.id, "2026-03-03T00:00:00Z");
    assert!(matches!(store.mark_attendance(&tomorrow).unwrap(), Marking::Marked(_)));
    assert_eq!(kind(store.mark_attendance(&mark(StudentId(999), "2026-03-02T08:00:00Z"))), ErrorKind::NotFound);

    store.delete_attendance(row.id).unwrap();
    assert_eq!(kind(store.delete_attendance(row.id)), ErrorKind::NotFound);
    assert!(matches!(store.mark_attendance(&again).unwrap(), Marking::Marked(_)), "a deleted mark can be made again");
}

pub(super) fn threads_that_mark_the_same_student_leave_one_row(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let marked: usize = race(2, |_| {
        (0..50)
            .map(|n| store.mark_attendance(&mark(student, &format!("2026-03-02T08:00:{:02}Z", n % 60))).unwrap())
            .filter(|marking| matches!(marking, Marking::Marked(_)))
            .count()
    })
    .iter()
    .sum();
    assert_eq!(marked, 1);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
}

pub(super) fn attendance_is_filtered_and_newest_first(store: &dyn Store) {
    let a = store.create_student("A", "R1", now()).unwrap().id;
    let b = store.create_student("B", "R2", now()).unwrap().id;
    for (student, when) in
        [(a, "2026-03-01T08:00:00Z"), (b, "2026-03-03T00:00:00Z"), (a, "2026-03-02T23:59:59.999999Z")]
    {
        store.mark_attendance(&mark(student, when)).unwrap();
    }
    store
        .mark_attendance(&NewAttendance { status: AttendanceStatus::Late, ..mark(b, "2026-03-04T08:00:00Z") })
        .unwrap();
    let rows = |filter: AttendanceFilter, page| {
        let listed = store.attendance(&filter, page).unwrap();
        (listed.items.iter().map(|r| (r.student, r.timestamp.to_string())).collect::<Vec<_>>(), listed.total)
    };
    let all = AttendanceFilter::default;
    let (newest_first, total) = rows(all(), Page { skip: 1, limit: 2 });
    assert_eq!(total, 4);
    assert_eq!(newest_first, [(b, "2026-03-03T00:00:00Z".into()), (a, "2026-03-02T23:59:59.999999Z".into())]);
    let day = window("2026-03-02");
    let one_day = AttendanceFilter { from: Some(day.starts_at), until: Some(day.ends_at), ..all() };
    assert_eq!(rows(one_day.clone(), Page::ALL), (vec![(a, "2026-03-02T23:59:59.999999Z".into())], 1));
    assert_eq!(rows(AttendanceFilter { from: Some(at("2026-03-03T00:00:00Z")), ..all() }, Page::ALL).1, 2);
    assert_eq!(rows(AttendanceFilter { student: Some(a), ..all() }, Page::ALL).1, 2);
    assert_eq!(rows(AttendanceFilter { status: Some("Late".into()), ..all() }, Page::ALL).1, 1);
    assert_eq!(rows(AttendanceFilter { status: Some("Absent".into()), ..all() }, Page::ALL), (vec![], 0));
    let summary = |filter| store.attendance_summary(&filter).unwrap();
    assert_eq!(summary(all()), AttendanceSummary { total: 4, present: 3, absent: 0, late: 1, unique_students: 2 });
    assert_eq!(summary(one_day).total, 1);
}

pub(super) fn logs_are_newest_first(store: &dyn Store) {
    let entry = |n: u32| NewDetectionLog {
        timestamp: now() + i64::from(n).seconds(),
        faces_detected: n,
        students_recognized: 1,
        processing_time: Some(0.25),
        camera_location: Some("Gate".into()),
        error_message: (n == 2).then(|| "no frame".into()),
    };
    let ids: Vec<_> = (0..3).map(|n| store.add_detection_log(&entry(n)).unwrap()).collect();
    let expected: Vec<_> = [2, 1].map(|n: u32| DetectionLog { id: ids[n as usize], entry: entry(n) }).into();
    assert_eq!(store.detection_logs(2).unwrap(), expected);
}

pub(super) fn an_admin_user_is_found_by_name(store: &dyn Store) {
    let new = NewAdmin { username: "admin".into(), hashed_password: "$argon2$a".into(), role: "admin".into() };
    let made = store.create_admin(&new, now()).unwrap();
    assert!(made.is_active);
    assert_eq!(kind(store.create_admin(&new, now())), ErrorKind::Conflict);
    store.set_admin_password("admin", "$argon2$b", now()).unwrap();
    let changed = AdminUser { hashed_password: "$argon2$b".into(), ..made };
    assert_eq!(store.admin("admin").unwrap(), Some(changed.clone()));
    assert_eq!(store.admin("Admin").unwrap(), None);
    assert_eq!(store.admins().unwrap(), [changed]);
    assert_eq!(kind(store.set_admin_password("nobody", "x", now())), ErrorKind::NotFound);
}

pub(super) fn the_shape_of_debug_is_no_leak(store: &dyn Store) {
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap();
    let admin = NewAdmin { username: "admin".into(), hashed_password: "SECRET".into(), role: "admin".into() };
    let session = store.session(pending(store, None)).unwrap();
    let shown = format!(
        "{student:?} {:?} {:?} {admin:?} {:?} {session:?} {:?}",
        store.templates_of(student.id).unwrap(),
        enrolment(1.0),
        store.create_admin(&admin, now()).unwrap(),
        completion(),
    );
    assert!(!shown.contains("SECRET") && !shown.contains("{}") && !shown.contains("done"), "{shown}");
    assert!(!shown.contains(&embedding(1.0).values()[0].to_string()[..6]), "{shown}");
}

const MONTHLY: SeenLimits = SeenLimits { most: 3, every: jiff::SignedDuration::from_hours(30 * 24) };

fn seen_at(when: Timestamp) -> NewAuditEntry {
    NewAuditEntry {
        at: when,
        actor: "camera".into(),
        action: "template.seen".into(),
        subject: Some("student 1".into()),
        details: None,
    }
}

/// The student's templates, as first value and origin.
fn views(store: &dyn Store, student: StudentId) -> Vec<(Embedding, TemplateOrigin)> {
    let found = store.templates_of(student).unwrap().into_iter();
    found
        .map(|template| match template.embedding {
            StoredEmbedding::Tagged(embedding) => (embedding, template.origin),
            StoredEmbedding::Legacy(_) => panic!("a template of ours names its model"),
        })
        .collect()
}

pub(super) fn a_view_is_kept_beside_the_registration_once_a_month(store: &dyn Store) {
    use TemplateOrigin::{Registered, Seen};
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let month = |n: i64| now() + (n * 30 * 24).hours();
    let keep = |seed: f32, when| store.keep_seen_template(student, &embedding(seed), &MONTHLY, &seen_at(when)).unwrap();
    assert_eq!(keep(5.0, now() + 1.hour()), KeptSeen::TooSoon { not_before: month(1) });
    assert_eq!(keep(5.0, month(1)), KeptSeen::Kept { replaced: false });
    assert_eq!(keep(6.0, month(2) - 1.hour()), KeptSeen::TooSoon { not_before: month(2) });
    assert_eq!(keep(6.0, month(2)), KeptSeen::Kept { replaced: false });
    let registered = [(embedding(1.0), Registered), (embedding(2.0), Registered)];
    let expected = [&registered[..], &[(embedding(5.0), Seen), (embedding(6.0), Seen)]].concat();
    assert_eq!(views(store, student), expected);
    // As many as are registered: the oldest seen one makes room, and the registered ones stay.
    assert_eq!(keep(7.0, month(3)), KeptSeen::Kept { replaced: true });
    let expected = [&registered[..], &[(embedding(6.0), Seen), (embedding(7.0), Seen)]].concat();
    assert_eq!(views(store, student), expected);
    assert_eq!(store.templates_of(student).unwrap()[3].added_at, Some(month(3)));
    // What was refused left no trace in the audit log either.
    let log = store.audit(Page::ALL).unwrap();
    assert_eq!((log.total, log.items[0].entry.clone()), (3, seen_at(month(3))));
    // The columns that the existing service reads are still the registration's.
    assert_eq!(store.embedding_json(student).unwrap(), Some(serde_json::json!(embedding(1.0).values()).to_string()));

    let without_face = store.create_student("B", "R2", now()).unwrap().id;
    let nothing = store.keep_seen_template(without_face, &embedding(5.0), &MONTHLY, &seen_at(month(9))).unwrap();
    assert_eq!((nothing, views(store, without_face).len()), (KeptSeen::NothingRegistered, 0));
    let gone = store.keep_seen_template(StudentId(999), &embedding(5.0), &MONTHLY, &seen_at(month(9)));
    assert_eq!(kind(gone), ErrorKind::NotFound);
}

pub(super) fn views_are_taken_back_and_the_registration_stays(store: &dyn Store) {
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let other = store.register_student(completed(store, None), "B", "R2", &enrolment(3.0), now()).unwrap().id;
    let later = now() + (40 * 24).hours();
    for id in [student, other] {
        store.keep_seen_template(id, &embedding(9.0), &MONTHLY, &seen_at(later)).unwrap();
    }
    assert_eq!(store.forget_seen_templates(student).unwrap(), 1);
    assert_eq!(store.forget_seen_templates(student).unwrap(), 0);
    assert_eq!(views(store, student).iter().map(|view| view.0.clone()).collect::<Vec<_>>(), enrolment(1.0).templates);
    assert_eq!(views(store, other).len(), 3);
    assert_eq!(kind(store.forget_seen_templates(StudentId(999))), ErrorKind::NotFound);
    // A new registration takes the place of all.
    store.enrol_student(completed(store, None), other, &enrolment(4.0), later).unwrap();
    assert_eq!(views(store, other).iter().map(|view| view.1).collect::<Vec<_>>(), [TemplateOrigin::Registered; 2]);
}
