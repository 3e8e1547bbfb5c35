mod actors;
mod merges;
mod unproven;

use std::path::Path;
use std::sync::{Arc, Barrier};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::attendance::AttendancePolicy;
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Embedder, Face};
use crate::error::ErrorKind;
use crate::geometry::Rect;
use crate::liveness::{FrameHash, PerceptualHash, Position, Reason, Status};
use crate::pose::Pose;
use crate::store::{AttendanceFilter, NewSession, Page, SqliteStore};
use crate::types::{Degrees, ModelId, Similarity};

fn now() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

const OPERATOR: Actor<'static> = Actor::named("gate-desk");

fn embedder() -> Embedder {
    Embedder { model: ModelId::new("test"), dimension: 48, calibration: Calibration::arcface() }
}

/// The view of `person` at `position`, as recordings show it: cosine 0.8 between the center and each side, 0.52 between
/// the sides. Persons are orthogonal.
fn view(person: usize, position: Position) -> Face {
    let (yaw, parts): (f32, [f32; 3]) = match position {
        Position::Center | Position::Up | Position::Down => (1.0, [1.0, 0.0, 0.0]),
        Position::Left => (-20.0, [0.8, 0.6, 0.0]),
        Position::Right => (20.0, [0.8, -0.2, 0.565_7]),
    };
    let mut raw = vec![0.0; 48];
    raw[person * 3..person * 3 + 3].copy_from_slice(&parts);
    let mut face = Face::detected(Rect::new(0.0, 0.0, 96.0, 96.0), 0.9, None);
    face.embedding = Some(Embedding::from_raw(ModelId::new("test"), &raw).unwrap());
    face.pose = Some(Pose { yaw: Degrees(yaw), nose_offset: yaw.to_radians().tan() / 0.8, ..Pose::default() });
    face
}

/// A hash that no other frame has, and that looks like no other.
fn hash() -> FrameHash {
    let words = [(); 5].map(|()| uuid::Uuid::new_v4().into_bytes()).concat();
    let perceptual = PerceptualHash::from_bytes(&words[..72]).unwrap();
    let exact = u64::from_le_bytes(*words.last_chunk().unwrap());
    FrameHash { exact, perceptual, face: None, size: [640, 480], camera: None, seen_elsewhere: false }
}

fn observe(registry: &Registry, session: StoredSession, person: usize, position: Position) -> Observed {
    observe_as(registry, OPERATOR, session, person, position)
}

/// Sends a view of `person` as a frame of `actor`'s.
fn observe_as(
    registry: &Registry,
    actor: Actor<'_>,
    session: StoredSession,
    person: usize,
    position: Position,
) -> Observed {
    let analysis = Analysis { faces: vec![view(person, position)], input_size: 320 };
    let embedder = embedder();
    let frame =
        ClientFrame { position, analysis: &analysis, embedder: &embedder, hash: hash(), nonce: None, elapsed: None };
    registry.observe(session, &frame, actor, now()).unwrap().unwrap()
}

/// A session of `person` that lacks the last view.
fn two_views(registry: &Registry, person: usize, student: Option<StudentId>) -> StoredSession {
    let session = registry.begin(student, LivenessOptions::default(), now()).unwrap();
    let session = observe(registry, session, person, Position::Center).session;
    observe(registry, session, person, Position::Left).session
}

fn completed(registry: &Registry, person: usize, student: Option<StudentId>) -> Observed {
    let session = two_views(registry, person, student);
    let observed = observe(registry, session, person, Position::Right);
    assert!(observed.session.session().is_completed(), "{:?}", observed.outcome);
    observed
}

fn gallery() -> Arc<Gallery> {
    Arc::new(Gallery::new(embedder()))
}

fn registry(store: Arc<dyn Store>, policy: DuplicatePolicy) -> Registry {
    let registry = Registry::new(store).with_gallery(gallery(), policy);
    registry.load_gallery().unwrap();
    registry
}

fn sqlite(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path).unwrap())
}

fn alone(policy: DuplicatePolicy) -> (Registry, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (registry(sqlite(&folder.path().join("a.db")), policy), folder)
}

/// Runs `call` on eight threads at once, with the thread's number.
fn race<T: Send>(call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        let (start, call) = (&start, &call);
        let threads = (0..8).map(|n| {
            scope.spawn(move || {
                start.wait();
                call(n)
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn enrolled(outcome: &EnrolmentOutcome) -> Option<&Enrolled> {
    if let EnrolmentOutcome::Enrolled(enrolled) = outcome { Some(enrolled) } else { None }
}

/// Has eight sessions of one face register at once, on these registries by turns: one student is made of them.
fn one_face_is_registered_once(registries: &[&Registry]) {
    let of = |n: usize| registries[n % registries.len()];
    let sessions: Vec<_> = (0..8).map(|n| completed(of(n), 0, None).session.id()).collect();
    let outcomes = race(|n| of(n).register(sessions[n], "A", &format!("R{n}"), OPERATOR, now()).unwrap());
    let students: Vec<_> = outcomes.iter().filter_map(enrolled).map(|enrolled| enrolled.student.id).collect();
    let [student] = students[..] else { panic!("{outcomes:?}") };
    let refused = outcomes.iter().filter(|outcome| {
        let EnrolmentOutcome::Refused(found) = outcome else { return false };
        found.student == student && found.similarity.value() > 0.9
    });
    assert_eq!(refused.count(), 7, "{outcomes:?}");
    assert_eq!(registries[0].store.students(None, Page::ALL).unwrap().total, 1);
}

/// Has eight sessions of one face complete at once, each begun for a student of its own.
fn one_face_is_given_to_one_student(registries: &[&Registry]) {
    let of = |n: usize| registries[n % registries.len()];
    let sessions: Vec<_> = (0..8)
        .map(|n| {
            let student = of(n).store.create_student("A", &format!("S{n}"), now()).unwrap().id;
            two_views(of(n), 1, Some(student))
        })
        .collect();
    let observed = race(|n| observe(of(n), sessions[n].clone(), 1, Position::Right));
    let saved = observed.iter().filter(|observed| matches!(observed.face, FaceOfSession::Saved(_)));
    assert_eq!(saved.count(), 1, "{observed:?}");
    for refused in observed.iter().filter(|observed| !matches!(observed.face, FaceOfSession::Saved(_))) {
        assert!(matches!(refused.face, FaceOfSession::Refused(_)), "{refused:?}");
        assert!(matches!(refused.outcome.reasons[..], [Reason::AlreadyEnrolled { .. }]), "{refused:?}");
    }
}

/// What two processes on one database need, each with a gallery that hears of nothing.
fn two_registries_act_as_one(one: &Registry, two: &Registry) {
    one_face_is_registered_once(&[one, two]);
    one_face_is_given_to_one_student(&[one, two]);
    let first = one.register(completed(one, 2, None).session.id(), "B", "B1", OPERATOR, now()).unwrap();
    let first = enrolled(&first).unwrap().student.id;
    let of_the_same = completed(two, 2, None).session.id();
    let refused = two.register(of_the_same, "C", "C1", OPERATOR, now()).unwrap();
    assert!(matches!(refused, EnrolmentOutcome::Refused(found) if found.student == first), "{refused:?}");
    // The gallery of the first has not heard of the erasure either.
    two.erase(first, MarksOfErased::Delete, now()).unwrap();
    let next = one.register(completed(one, 2, None).session.id(), "D", "D1", OPERATOR, now()).unwrap();
    let next = enrolled(&next).unwrap_or_else(|| panic!("{next:?}")).student.id;
    let refused = two.register(of_the_same, "C", "C1", OPERATOR, now()).unwrap();
    assert!(matches!(refused, EnrolmentOutcome::Refused(found) if found.student == next), "{refused:?}");
}

#[test]
fn one_face_is_enrolled_once_by_threads_of_one_registry() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    one_face_is_registered_once(&[&registry]);
    one_face_is_given_to_one_student(&[&registry]);
}

#[test]
fn one_face_is_enrolled_once_by_two_registries_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let [one, two] = [(); 2].map(|()| registry(sqlite(&path), DuplicatePolicy::Refuse));
    two_registries_act_as_one(&one, &two);
}

#[cfg(feature = "postgres")]
#[test]
fn one_face_is_enrolled_once_by_two_registries_on_one_postgresql() {
    let Some(schema) = crate::store::tests::postgres::Schema::new() else { return };
    let [one, two] = [(); 2].map(|()| registry(Arc::new(schema.store()), DuplicatePolicy::Refuse));
    two_registries_act_as_one(&one, &two);
}

#[test]
fn a_registry_whose_gallery_was_never_loaded_compares_with_everybody() {
    let (first, folder) = alone(DuplicatePolicy::Refuse);
    first.register(completed(&first, 0, None).session.id(), "A", "R1", OPERATOR, now()).unwrap();
    let path = folder.path().join("a.db");
    let second = Registry::new(sqlite(&path)).with_gallery(gallery(), DuplicatePolicy::Refuse);
    let again = second.register(completed(&second, 0, None).session.id(), "A", "R2", OPERATOR, now()).unwrap();
    assert!(matches!(again, EnrolmentOutcome::Refused(_)), "{again:?}");
    let other = second.register(completed(&second, 1, None).session.id(), "B", "R2", OPERATOR, now()).unwrap();
    assert!(enrolled(&other).is_some(), "{other:?}");
}

#[test]
fn a_face_from_before_the_gallery_was_loaded_is_known() {
    let (first, folder) = alone(DuplicatePolicy::Refuse);
    let known = first.register(completed(&first, 0, None).session.id(), "A", "R1", OPERATOR, now()).unwrap();
    let known = enrolled(&known).unwrap().student.id;
    let later = registry(sqlite(&folder.path().join("a.db")), DuplicatePolicy::Refuse);
    let mark = later.store.newest_template().unwrap();
    assert_eq!(later.faces.as_ref().unwrap().loaded_to(), mark, "the database adds nobody");
    let again = later.register(completed(&later, 0, None).session.id(), "B", "R2", OPERATOR, now()).unwrap();
    assert!(matches!(again, EnrolmentOutcome::Refused(found) if found.student == known), "{again:?}");
}

#[test]
fn the_policy_says_what_becomes_of_a_face_that_is_enrolled() {
    for policy in [DuplicatePolicy::Warn, DuplicatePolicy::Allow] {
        let (registry, _folder) = alone(policy);
        let first = registry.register(completed(&registry, 0, None).session.id(), "A", "R1", OPERATOR, now()).unwrap();
        let first = enrolled(&first).unwrap().clone();
        assert_eq!((first.is_new, first.resembles), (true, None));
        let session = completed(&registry, 0, None);
        let told = matches!(session.outcome.reasons[..], [Reason::AlreadyEnrolled { .. }]);
        let again = registry.register(session.session.id(), "B", "R2", OPERATOR, now()).unwrap();
        let named = enrolled(&again).unwrap().resembles.map(|found| found.student);
        let expected = (policy == DuplicatePolicy::Warn).then_some(first.student.id);
        assert_eq!((named, told), (expected, expected.is_some()), "{policy:?}");
    }
}

#[test]
fn without_a_gallery_faces_are_compared_with_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(sqlite(&folder.path().join("a.db")));
    for roll_number in ["R1", "R2"] {
        let session = completed(&registry, 0, None).session.id();
        assert!(enrolled(&registry.register(session, "A", roll_number, OPERATOR, now()).unwrap()).is_some());
    }
}

#[test]
fn a_session_enrols_one_student_once() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let store = &registry.store;
    assert_eq!(
        registry.register(SessionId::random(), "A", "R1", OPERATOR, now()).unwrap(),
        EnrolmentOutcome::UnknownSession
    );
    assert_eq!(registry.enrol(SessionId::random(), None, OPERATOR, now()).unwrap(), EnrolmentOutcome::UnknownSession);
    let begun = two_views(&registry, 0, None).id();
    assert_eq!(registry.register(begun, "A", "R1", OPERATOR, now()).unwrap(), EnrolmentOutcome::NotCompleted);
    assert_eq!(registry.enrol(begun, None, OPERATOR, now()).unwrap(), EnrolmentOutcome::NotCompleted);

    let session = completed(&registry, 0, None).session.id();
    let taken = store.create_student("B", "R1", now()).unwrap().id;
    assert_eq!(registry.register(session, "A", "R1", OPERATOR, now()).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        registry.enrol(session, None, OPERATOR, now()).unwrap(),
        EnrolmentOutcome::UnknownStudent,
        "it names nobody"
    );
    assert_eq!(
        registry.enrol(session, Some(StudentId(99)), OPERATOR, now()).unwrap(),
        EnrolmentOutcome::UnknownStudent
    );
    let made = registry.register(session, "A", "R2", OPERATOR, now()).unwrap();
    let made = enrolled(&made).unwrap().student.clone();
    assert!(made.liveness_verified && registry.faces.as_ref().unwrap().gallery.contains(made.id));
    assert_eq!(store.templates_of(made.id).unwrap().len(), 3);
    assert_eq!(registry.register(session, "A", "R3", OPERATOR, now()).unwrap(), EnrolmentOutcome::UsedUp);
    assert_eq!(registry.enrol(session, Some(taken), OPERATOR, now()).unwrap(), EnrolmentOutcome::UsedUp);
    for named in [None, Some(made.id)] {
        let again = registry.enrol(session, named, OPERATOR, now()).unwrap();
        let again = enrolled(&again).unwrap();
        assert_eq!((again.student.id, again.is_new), (made.id, false));
    }
    // Its own face is no other student's.
    let newer = registry.enrol(completed(&registry, 0, None).session.id(), Some(made.id), OPERATOR, now()).unwrap();
    assert_eq!(enrolled(&newer).map(|newer| (newer.is_new, newer.resembles)), Some((true, None)));
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 2);
}

#[test]
fn the_frame_that_completes_a_session_enrols_its_student() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let student = registry.store.create_student("A", "R1", now()).unwrap().id;
    let done = completed(&registry, 0, Some(student));
    assert!(matches!(&done.face, FaceOfSession::Saved(saved) if saved.id == student), "{:?}", done.face);
    assert!(registry.faces.as_ref().unwrap().gallery.contains(student));
    let late = registry.session(done.session.id()).unwrap().unwrap();
    assert_eq!(observe(&registry, late, 0, Position::Center).face, FaceOfSession::SavedBefore);
    // Nobody is there to be enrolled, or nobody is named.
    let unknown = registry.begin(Some(StudentId(99)), LivenessOptions::default(), now()).unwrap();
    assert_eq!((unknown.record().student, unknown.session().student()), (None, Some(StudentId(99))));
    assert_eq!(completed(&registry, 1, Some(StudentId(99))).face, FaceOfSession::NoSuchStudent);
    assert_eq!(completed(&registry, 1, None).face, FaceOfSession::Kept);
}

#[test]
fn an_erasure_leaves_nothing_of_the_face() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("a.db"));
    let marker = Arc::new(Marker::new(Arc::clone(&store), AttendancePolicy::in_time_zone("UTC").unwrap()));
    let gallery = gallery();
    let registry = Registry::new(Arc::clone(&store))
        .with_gallery(Arc::clone(&gallery), DuplicatePolicy::Refuse)
        .with_marker(Arc::clone(&marker));
    let mark = |student| marker.mark(student, Similarity::new(0.9), None, now());
    for marks in [MarksOfErased::Delete, MarksOfErased::Anonymise] {
        let used = completed(&registry, 0, None).session.id();
        let student = enrolled(&registry.register(used, "A", "R1", OPERATOR, now()).unwrap()).unwrap().student.id;
        let open = two_views(&registry, 0, Some(student)).id();
        mark(student).unwrap();
        let erasure = registry.erase(student, marks, now()).unwrap();
        assert_eq!((erasure.templates, erasure.sessions), (3, 2));
        assert_eq!(store.templates_of(student).unwrap(), []);
        assert_eq!(store.embedding_json(student).unwrap(), None);
        assert_eq!((registry.session(used).unwrap(), registry.session(open).unwrap()), (None, None));
        assert!(!gallery.contains(student));
        // The marker asks the store again, which knows the student no more or has the row without a face.
        match marks {
            MarksOfErased::Delete => assert_eq!(mark(student).unwrap_err().kind(), ErrorKind::NotFound),
            MarksOfErased::Anonymise => assert_eq!(mark(student).unwrap().record().confidence_score, None),
        }
        assert_eq!(store.student(student).unwrap().is_some(), marks == MarksOfErased::Anonymise);
        let unknown = registry.erase(StudentId(99), marks, now()).unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
    }
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
}

/// Changes the text of the session behind everybody's back.
fn damage(folder: &Path, session: SessionId) {
    let db = rusqlite::Connection::open(folder.join("a.db")).unwrap();
    let sql = "UPDATE liveness_detection_sessions SET state = 'damaged' WHERE session_id = ?1";
    assert_eq!(db.execute(sql, [session.to_string()]).unwrap(), 1);
}

#[test]
fn a_frame_reads_its_session_once() {
    let (registry, folder) = alone(DuplicatePolicy::Refuse);
    let session = registry.begin(None, LivenessOptions::default(), now()).unwrap();
    // Whoever reads the row again finds it damaged.
    damage(folder.path(), session.id());
    assert_eq!(registry.session(session.id()).unwrap_err().kind(), ErrorKind::Internal);
    let first = observe(&registry, session, 0, Position::Center);
    assert!(first.outcome.is_live, "{:?}", first.outcome);
    let read = registry.session(first.session.id()).unwrap().unwrap();
    assert_eq!((read.record().version, read.session().revision()), (1, 1));
}

#[test]
fn a_frame_that_was_slower_is_applied_to_what_the_faster_one_left() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let before = registry.begin(None, LivenessOptions::default(), now()).unwrap();
    observe(&registry, before.clone(), 0, Position::Center);
    let second = observe(&registry, before.clone(), 0, Position::Left);
    assert_eq!(second.outcome.verified, [Position::Center, Position::Left]);
    let other = observe(&registry, before, 1, Position::Right);
    assert!(matches!(other.outcome.reasons[..], [Reason::DifferentPerson { .. }]), "{:?}", other.outcome);
}

#[test]
fn no_frame_is_lost_when_many_overlap() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let session = registry.begin(None, LivenessOptions::default(), now()).unwrap();
    race(|_| {
        for _ in 0..3 {
            observe(&registry, session.clone(), 0, Position::Center);
        }
    });
    let after = registry.session(session.id()).unwrap().unwrap();
    assert_eq!((after.record().version, after.session().revision()), (24, 24));
}

#[test]
fn a_session_that_is_gone_answers_nothing() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let student = registry.store.create_student("A", "R1", now()).unwrap().id;
    let session = two_views(&registry, 0, Some(student));
    registry.erase(student, MarksOfErased::Delete, now()).unwrap();
    assert_eq!(registry.verify(session, now()).unwrap(), None);
}

#[test]
fn verifying_closes_a_session_for_good() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let (closed, verification) = registry.verify(two_views(&registry, 0, None), now()).unwrap().unwrap();
    assert_eq!((verification.missing.as_slice(), verification.movement_verified), (&[Position::Right][..], false));
    let read = registry.session(closed.id()).unwrap().unwrap();
    assert_eq!((read.status(now()), read.record().status), (Status::Failed, Status::Failed));
    let done = completed(&registry, 0, None).session;
    let (_, verification) = registry.verify(done, now()).unwrap().unwrap();
    assert!(verification.movement_verified && verification.final_template.is_some());
}

#[test]
fn the_databases_end_of_a_session_counts() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let session = two_views(&registry, 0, None);
    let end = session.record().expires_at;
    assert_eq!((session.is_over(end), session.status(end)), (true, Status::Expired));
    let before = end - SignedDuration::from_micros(1);
    assert_eq!((session.is_over(before), session.status(before)), (false, Status::InProgress));
    let done = completed(&registry, 0, None).session;
    assert_eq!(done.status(end), Status::Completed, "what is finished does not expire");
}

#[test]
fn a_session_of_the_existing_service_begins_anew() {
    let options = LivenessOptions::default().with_order(crate::liveness::Order::Any, 0);
    let (registry, folder) = alone(DuplicatePolicy::Refuse);
    let registry = registry.with_liveness(options);
    let new = NewSession {
        id: SessionId::random(),
        student: None,
        state: String::new(),
        created_at: now(),
        expires_at: now() + SignedDuration::from_mins(5),
    };
    registry.store.create_session(&new).unwrap();
    let db = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    db.execute("UPDATE liveness_detection_sessions SET state = NULL", []).unwrap();
    let session = registry.session(new.id).unwrap().unwrap();
    assert_eq!((session.session().options(), session.session().revision()), (&options, 0));
    assert!(observe(&registry, session, 0, Position::Left).outcome.is_live);
    assert_eq!(registry.session(new.id).unwrap().unwrap().record().status, Status::InProgress);
}

#[test]
fn every_column_of_a_session_follows_the_session() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let half = two_views(&registry, 0, None);
    let update = session::update_of(half.session(), None, now()).unwrap();
    let verified = [&update.center, &update.left, &update.right].map(|columns| columns.verified);
    assert_eq!((verified, update.attempts, update.completed_at), ([true, true, false], 2, None));
    assert_eq!((update.final_embedding, update.movement_verified), (None, false));
    assert_eq!(update.center.embedding, view(0, Position::Center).embedding);
    let done = completed(&registry, 0, None).session;
    let later = now() + SignedDuration::from_secs(9);
    let update = session::update_of(done.session(), None, later).unwrap();
    assert_eq!((update.completed_at, update.status, update.movement_verified), (Some(later), Status::Completed, true));
    assert_eq!(update.final_embedding, view(0, Position::Center).embedding);
    assert_eq!(session::update_of(done.session(), Some(now()), later).unwrap().completed_at, Some(now()));
    let again = session::session_of(&session::text_of(done.session()).unwrap()).unwrap();
    assert_eq!(&again, done.session());
    assert!(!format!("{done:?} {registry:?}").contains("0."), "no embedding is shown");
}

#[test]
fn a_program_with_its_own_rows_gets_every_column_and_the_rule_of_use() {
    let (registry, folder) = alone(DuplicatePolicy::Refuse);
    let done = completed(&registry, 0, Some(StudentId(7))).session;
    let update = session::update_of(done.session(), None, now()).unwrap();
    let columns = session::columns_of(&update);
    // Just what the store writes, but for the version and the place of the row.
    let db = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    for (name, value) in columns {
        let sql = format!("SELECT {name} FROM liveness_detection_sessions");
        let stored: rusqlite::types::Value = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        use rusqlite::types::Value;
        let same = match (value, stored) {
            (session::ColumnValue::Text(given), Value::Text(stored)) => given == Some(stored),
            (session::ColumnValue::Text(given), Value::Null) => given.is_none(),
            (session::ColumnValue::Number(given), Value::Real(stored)) => given == stored,
            (session::ColumnValue::Count(given), Value::Integer(stored)) => i64::from(given) == stored,
            (session::ColumnValue::Flag(given), Value::Integer(stored)) => i64::from(given) == stored,
            (session::ColumnValue::Time(given), Value::Text(stored)) => {
                given == Some(now()) && stored == "2026-03-02 08:00:00.000000"
            }
            _ => false,
        };
        assert!(same, "{name}");
    }

    let mut own = done.session().clone();
    let kind = |used: Result<Enrolment>| used.unwrap_err().kind();
    assert_eq!(kind(session::use_up(&mut own, true, StudentId(7))), ErrorKind::Conflict);
    assert_eq!(kind(session::use_up(&mut own, false, StudentId(8))), ErrorKind::State, "begun for another");
    let half = two_views(&registry, 0, None);
    assert_eq!(kind(session::use_up(&mut half.into_session(), false, StudentId(7))), ErrorKind::State);
    let enrolment = session::use_up(&mut own, false, StudentId(7)).unwrap();
    assert_eq!(Some(enrolment), enrolment_of(done.session()));
    assert_eq!(kind(session::use_up(&mut own, false, StudentId(7))), ErrorKind::Conflict);
}

#[test]
fn a_face_that_is_somebody_elses_already_is_named() {
    let gallery = Gallery::new(embedder());
    let center = |person| view(person, Position::Center).embedding.unwrap();
    gallery.load([(StudentId(1), vec![center(0)]), (StudentId(2), vec![center(1)])]).unwrap();
    let threshold = already_enrolled();
    assert_eq!(threshold.value(), 0.75);
    let (registry, _folder) = alone(DuplicatePolicy::Allow);
    let half = two_views(&registry, 0, None);
    let known = |session: &StoredSession, student| {
        duplicates::enrolled_as(&gallery, session.session(), student, threshold).unwrap()
    };
    assert_eq!(known(&half, None), None, "not completed");
    let done = completed(&registry, 0, None).session;
    let found = known(&done, None).unwrap();
    assert_eq!((found.student, found.similarity.value()), (StudentId(1), 1.0));
    assert_eq!(known(&done, Some(StudentId(1))), None, "itself");
    assert!(known_as(&found).advice().contains("student 1"), "{}", known_as(&found).advice());
}
