//! Databases copied as a file: from SQLite to SQLite, and to PostgreSQL and back where there is one.

use std::io::Cursor;

use jiff::{Timestamp, ToSpan as _};
use rusqlite::Connection;

use super::super::*;
use super::EnrolUnchecked as _;
use super::contract::{at, completed, completion, embedding, enrolment, mark, pending};
use super::sqlite::of_the_existing_service;
use crate::error::{ErrorKind, Result};
use crate::liveness::{PerceptualHash, SeenFrame};
use crate::types::Degrees;

fn now() -> Timestamp {
    at("2026-03-02T08:15:30.25Z")
}

struct File {
    store: SqliteStore,
    folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: SqliteStore::open(folder.path().join("a.db")).unwrap(), folder }
    }

    fn raw(&self) -> Connection {
        Connection::open(self.folder.path().join("a.db")).unwrap()
    }
}

/// Puts rows into every table, with and without values where a column may be empty.
fn fill(store: &dyn Store) {
    let user = NewAdmin { username: "admin".into(), hashed_password: "$argon2$a".into(), role: "viewer".into() };
    store.create_admin(&user, now()).unwrap();
    store.set_admin_password("admin", "$argon2$b", now()).unwrap();
    let login = NewLogin {
        id: "l".into(),
        username: "admin".into(),
        refresh_hash: "h".into(),
        created_at: now(),
        expires_at: now() + 1.hour(),
    };
    assert!(store.begin_login(&login, "$argon2$b").unwrap());
    let zoe = store.create_student("Zoë \"学生\" \\ ", "R0", now()).unwrap().id;
    fill_notices(store, zoe);
    fill_roster(store, zoe);
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let later = NewAuditEntry {
        at: now() + (40 * 24).hours(),
        actor: "camera".into(),
        action: "template.seen".into(),
        subject: None,
        details: None,
    };
    let limits = SeenLimits { most: 1, every: jiff::SignedDuration::from_hours(24) };
    store.keep_seen_template(student, &embedding(7.0), &limits, &later).unwrap();
    let consent = Consent { given_at: now(), given_by: "a parent".into(), notice: "2026-01".into() };
    store.set_consent(student, Some(&consent), now()).unwrap();
    let kept = PositionColumns { frame_data: Some("/9j/4AAQ".into()), ..PositionColumns::default() };
    store.update_session(pending(store, Some(student)), 0, &SessionUpdate { left: kept, ..completion() }).unwrap();
    let frame = SeenFrame { perceptual: PerceptualHash::from_bytes(&[0b0101_0101; 72]).unwrap(), yaw: Degrees(-20.1) };
    store.remember_frame(pending(store, None), &frame, now()).unwrap();
    // A score that has no short form.
    let marked = NewAttendance { confidence_score: Some(0.1 + 0.2), ..mark(student, "2026-03-02T08:00:00Z") };
    let row = store.mark_attendance(&marked).unwrap().record().id;
    let bare = NewAttendance { confidence_score: None, camera_location: None, ..mark(student, "2026-03-03T08:00:00Z") };
    store.mark_attendance(&bare).unwrap();
    store.check_out(row, now() + 8.hours()).unwrap();
    store.correct_attendance(row, &Correction::new(CorrectedStatus::Late, "admin", "bus"), now()).unwrap();
    // One that the mark of its day has settled, an open one, and one that somebody decided.
    let sightings = ["2026-03-04T08:00:00Z", "2026-03-05T08:00:00.25Z", "2026-03-06T08:00:00Z"];
    let looks = sightings.map(|when| {
        let sighting = NewAttendance { camera_location: None, ..mark(student, when) };
        let new =
            NewSecondLook { sighting, verdict: SecondLookVerdict::Spoof, reasons: vec!["flat".into(), "x_1".into()] };
        let SecondLooking::Added(look) = store.add_second_look(&new).unwrap() else { panic!("{when}") };
        look.id
    });
    let yes = SecondLookDecision::new(SecondLookAnswer::Confirm, "admin", now());
    store.decide_second_look(looks[2], &yes).unwrap();
    store.mark_attendance(&mark(student, "2026-03-04T09:00:00Z")).unwrap();
    let log = NewDetectionLog {
        timestamp: now(),
        faces_detected: 2,
        students_recognized: 1,
        processing_time: Some(1.0),
        camera_location: None,
        error_message: None,
    };
    store.add_detection_log(&log).unwrap();
    let entry = NewAuditEntry {
        at: now(),
        actor: "admin".into(),
        action: "x".into(),
        subject: None,
        details: Some("y\n".into()),
    };
    store.add_audit(&entry).unwrap();
    store.begin_journal(JournalId::random(), now()).unwrap();
    let bare = CameraSettings::at("0");
    let mounted = CameraSettings {
        name: Some("Gate".into()),
        address: "rtsp://user:secret@host/1".into(),
        location: Some("North".into()),
        turned: Some(crate::camera::Orientation::HalfTurn),
        mirror: Some(true),
        gate: Some(crate::gate::GatePolicy::Ask),
    };
    for (settings, only_at, paused) in [(bare, Some("b".to_owned()), true), (mounted, None, false)] {
        let (group, reach) = (CameraGroup::Usual, CameraReach::Anywhere);
        let new = NewKeptCamera { group, only_at, settings, reach, paused, by: "admin".into(), at: now() };
        store.keep_camera(&new).unwrap();
    }
    let settings = KioskSettings {
        name: "Tablet".into(),
        location: Some("North".into()),
        gate: Some(crate::gate::GatePolicy::Ask),
        tone: true,
        speech: false,
    };
    let code = crate::kiosk::PairingCode::random();
    let pin = Some(SecretHash::new("pin"));
    let new = NewKiosk { settings, pin, code: code.open_at(now()), by: "admin".into(), at: now() };
    store.create_kiosk(&new).unwrap();
    store.pair_kiosk(&code.hash(), &SecretHash::new("token"), now()).unwrap().unwrap();
}

/// A group with a member who is excused, and who was withdrawn; a timetable and a holiday.
fn fill_roster(store: &dyn Store, student: crate::types::StudentId) {
    let (by, at, day) = ("admin".to_owned(), now(), jiff::civil::date(2026, 3, 2));
    let new = NewGroup { name: "5A".into(), kind: GroupKind::Class, by: by.clone(), at };
    let group = store.create_group(&new).unwrap().id;
    let who = || StudentRef::Id(student);
    let changes = [
        RosterChange::Join { student: who(), group: GroupRef::Id(group), from_day: day, until_day: None },
        RosterChange::FirstDay { student: who(), day },
    ];
    store.change_roster(&changes, RosterRun::Apply, &by, at).unwrap();
    let (scope, periods) = (RosterScope::Group(group), vec!["morning=08:00/08:15".parse().unwrap()]);
    let midnight = jiff::civil::Time::midnight();
    let timetable = NewTimetable::new(scope, day, Weekdays::MONDAY_TO_FRIDAY, periods, midnight, &by, at).unwrap();
    store.set_timetable(&timetable, day).unwrap();
    let (kind, name) = (CalendarKind::Holiday, "Holi".to_owned());
    let holiday = NewCalendarEntry { scope, kind, first_day: day, last_day: day, name, by: by.clone(), at };
    store.add_calendar_entry(&holiday).unwrap();
    let reason = "ill".to_owned();
    let excuse = NewExcuse { student, first_day: day, last_day: day, period: None, reason, by, at };
    let excuse = store.add_excuse(&excuse).unwrap().id;
    store.withdraw_excuse(excuse, "admin", at).unwrap();
}

/// Notices, before what they tell happens: one for a system, one for a guardian, and who was absent.
fn fill_notices(store: &dyn Store, student: crate::types::StudentId) {
    let (by, at) = ("admin".to_owned(), now());
    let settings = AlertChannelSettings::Webhook { url: "https://school.example/hook".into() };
    let secret = Some("0123456789abcdef".to_owned());
    let new = NewAlertChannel { name: "School".into(), settings, secret, paused: true, by: by.clone(), at };
    let channel = store.keep_alert_channel(None, &new).unwrap().id;
    for (event, time) in [(AlertEvent::Marked, None), (AlertEvent::Absent, Some(jiff::civil::time(9, 0, 0, 0)))] {
        let settings = AlertRuleSettings {
            groups: None,
            channels: vec![channel],
            addresses: vec![],
            guardians: true,
            language: "en".into(),
            at: time,
            after_minutes: None,
        };
        let new = NewAlertRule { name: "R".into(), event, settings, paused: false, by: by.clone(), at };
        let rule = store.keep_alert_rule(None, &new).unwrap();
        if event == AlertEvent::Absent {
            store.write_absences(rule.id, "2026-03-02".parse().unwrap(), &[], now()).unwrap();
        }
    }
    let guardian = Guardian { email: "mother@home.example".into(), language: "hi".into() };
    store.set_guardians(student, &[guardian], now()).unwrap();
}

fn exported(store: &dyn Portable) -> Vec<u8> {
    let mut file = Vec::new();
    store.export(&mut file, &mut |_| {}).unwrap();
    file
}

fn import(store: &dyn Portable, file: &[u8], present: Present) -> Result<Imported> {
    store.import(&mut Cursor::new(file), present, &mut |_| {})
}

/// Copies `from` into the empty `to`, where every row must come out again as it went in, and more can follow.
fn copies_whole(from: &dyn Portable, to: &dyn Portable) {
    fill(from);
    let file = exported(from);
    let imported = import(to, &file, Present::Refuse).unwrap();
    assert!(imported.rows.iter().all(|(_, rows)| *rows > 0), "a table was left empty: {imported:?}");
    assert_eq!(imported.of_nobody, 0);
    assert_eq!(String::from_utf8(exported(to)).unwrap(), String::from_utf8(file.clone()).unwrap());

    let all = |store: &dyn Portable| {
        let students = store.students(None, Page::ALL).unwrap();
        let templates: Vec<_> = students.items.iter().map(|s| store.templates_of(s.id).unwrap()).collect();
        (
            students,
            templates,
            store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap(),
            store.admins().unwrap(),
            store.second_looks(&SecondLookFilter::default(), Page::ALL).unwrap(),
        )
    };
    assert_eq!(all(to), all(from));
    let mark_again = to.mark_attendance(&mark(crate::types::StudentId(2), "2026-03-02T12:00:00Z")).unwrap();
    assert!(matches!(mark_again, Marking::AlreadyMarked(_)), "the unique key came along");
    to.create_student("New", "R9", now()).unwrap();
    to.add_detection_log(&from.detection_logs(1).unwrap().remove(0).entry).unwrap();

    let refused = import(to, &file, Present::Refuse).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::State);
    assert_eq!(to.students(None, Page::ALL).unwrap().total, 3, "nothing has changed");
    import(to, &file, Present::Replace).unwrap();
    assert_eq!(exported(to), file);
}

/// A file that is not whole, not ours or not true leaves `store`, which has one student, as it is.
/// A database that takes the place of another's rows does not give their ids to new ones.
fn replaced_rows_keep_their_ids(from: &dyn Portable, to: &dyn Portable) {
    let gone: Vec<_> = ["R1", "R2", "R3"].map(|roll| to.create_student("A", roll, now()).unwrap().id).into();
    let marked = to.mark_attendance(&mark(gone[2], "2026-03-02T08:00:00Z")).unwrap().record().id;
    let student = from.create_student("B", "R1", now()).unwrap().id;
    let rows: Vec<_> = ["2026-03-02", "2026-03-03", "2026-03-04"]
        .map(|day| from.mark_attendance(&mark(student, &format!("{day}T08:00:00Z"))).unwrap().record().id)
        .into();
    from.delete_attendance(rows[2]).unwrap();
    import(to, &exported(from), Present::Replace).unwrap();
    let next = to.create_student("C", "R9", now()).unwrap().id;
    assert!(gone.iter().chain([&student]).all(|id| id.0 < next.0), "{next} of {gone:?}");
    let row = to.mark_attendance(&mark(next, "2026-03-02T08:00:00Z")).unwrap().record().id;
    assert!(row > marked && row > rows[1], "{row}");
    assert_eq!(to.corrections(row).unwrap(), []);
}

fn what_is_not_whole_changes_nothing(store: &dyn Portable, file: &[u8]) {
    let before = exported(store);
    let text = String::from_utf8(file.to_vec()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut bad: Vec<String> = vec![
        String::new(),
        "{}\n".into(),
        "hello\n".into(),
        text[..text.len() - 5].into(),
        text.replacen("R1", "R7", 1),
        text.replacen("\"format\":1", "\"format\":2", 1),
        format!("{text}{}", lines[1]),
        text.replacen("\"username\"", "\"surname\"", 1),
        text.replacen("{\"students\":", "{\"pupils\":", 1),
    ];
    bad.extend((1..lines.len()).map(|cut| lines[..cut].concat()));
    let without_one = lines.iter().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| *line).collect();
    bad.push(without_one);
    for (number, bad) in bad.iter().enumerate() {
        let refused = import(store, bad.as_bytes(), Present::Replace).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{number}: {refused}");
    }
    assert!(import(store, file, Present::Replace).is_ok(), "or the test means nothing");
    import(store, &before, Present::Replace).unwrap();
    assert_eq!(exported(store), before);
}

#[test]
fn a_file_is_copied_whole() {
    let (from, to) = (File::new(), File::new());
    copies_whole(&from.store, &to.store);
    // The formats of the existing service's own columns came along.
    let text = |file: &File| -> (String, String) {
        let query = "SELECT created_at, liveness_verification_date FROM students WHERE id = 2";
        file.raw().query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_eq!(text(&to), text(&from));
    assert_eq!(text(&to).0, "2026-03-02 08:15:30");
}

#[test]
fn ids_of_replaced_rows_are_not_given_again() {
    let (from, to) = (File::new(), File::new());
    replaced_rows_keep_their_ids(&from.store, &to.store);
}

#[test]
fn a_damaged_copy_changes_nothing() {
    let (from, to) = (File::new(), File::new());
    fill(&from.store);
    to.store.create_student("stays", "R1", now()).unwrap();
    what_is_not_whole_changes_nothing(&to.store, &exported(&from.store));
}

#[test]
fn a_value_of_the_wrong_kind_stops_the_export_without_being_shown() {
    let file = File::new();
    file.store.create_student("A", "R1", now()).unwrap();
    file.raw().execute_batch("UPDATE students SET created_at = 'SECRET'").unwrap();
    let error = file.store.export(&mut Vec::new(), &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "store: students 1: created_at does not hold what it should: mend or delete the row");
}

#[test]
fn a_look_at_a_database_of_the_existing_service_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let original = of_the_existing_service(&path);
    original.pragma_update(None, "foreign_keys", false).unwrap();
    original.execute_batch("INSERT INTO attendance_log (student_id, status) VALUES (99, 'Present')").unwrap();
    drop(original);
    let before = std::fs::read(&path).unwrap();
    let survey = SqliteStore::survey(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(survey.schema == 0 && survey.needs_migration());
    let rows = [("admin_users", 1), ("students", 2), ("liveness_detection_sessions", 0), ("attendance_log", 3)];
    assert!(rows.iter().all(|row| survey.rows.contains(row)), "{survey:?}");
    assert_eq!(survey.problems, ["1 rows of attendance_log are of students who are not there"]);

    drop(SqliteStore::open(&path).unwrap());
    let survey = SqliteStore::survey(&path).unwrap();
    assert!(!survey.needs_migration());
    assert!(rows.iter().all(|row| survey.rows.contains(row)), "every row is there after the move: {survey:?}");

    Connection::open(&path).unwrap().execute_batch("DROP INDEX uq_attendance_log_student_day_period").unwrap();
    let problems = SqliteStore::survey(&path).unwrap().problems;
    assert_eq!(problems[0], "the unique key uq_attendance_log_student_day_period is missing");
    assert!(SqliteStore::survey(folder.path().join("none.db")).is_err());
    assert!(!folder.path().join("none.db").exists());
}

#[cfg(feature = "postgres")]
mod with_postgres {
    use super::super::postgres::Schema;
    use super::*;
    use crate::types::StudentId;

    #[test]
    fn a_file_is_copied_to_postgresql() {
        let Some(schema) = Schema::new() else { return };
        copies_whole(&File::new().store, &schema.store());
    }

    #[test]
    fn postgresql_is_copied_to_a_file() {
        let Some(schema) = Schema::new() else { return };
        copies_whole(&schema.store(), &File::new().store);
    }

    #[test]
    fn ids_of_replaced_rows_are_not_given_again_in_postgresql() {
        let Some(schema) = Schema::new() else { return };
        replaced_rows_keep_their_ids(&File::new().store, &schema.store());
    }

    #[test]
    fn a_damaged_copy_changes_nothing_in_postgresql() {
        let Some(schema) = Schema::new() else { return };
        let (from, to) = (File::new(), schema.store());
        fill(&from.store);
        to.create_student("stays", "R1", now()).unwrap();
        what_is_not_whole_changes_nothing(&to, &exported(&from.store));
    }

    #[test]
    fn a_database_of_the_existing_service_moves_to_postgresql_with_every_row() {
        let Some(schema) = Schema::new() else { return };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let original = of_the_existing_service(&path);
        // What a database that enforces no foreign keys can have: marks and a session of a student who is gone.
        original.pragma_update(None, "foreign_keys", false).unwrap();
        original
            .execute_batch(
                "INSERT INTO attendance_log (student_id, status) VALUES (99, 'Present');
                 INSERT INTO liveness_detection_sessions (session_id, student_id, expires_at)
                     VALUES ('00000000-0000-4000-8000-000000000001', 99, '2026-01-05 10:00:00.5');",
            )
            .unwrap();
        let old = SqliteStore::open(&path).unwrap();
        let new = schema.store();
        let imported = import(&new, &exported(&old), Present::Refuse).unwrap();
        assert_eq!(imported.of_nobody, 1);
        assert_eq!(new.students(None, Page::ALL).unwrap(), old.students(None, Page::ALL).unwrap());
        assert_eq!(new.templates_of(StudentId(1)).unwrap(), old.templates_of(StudentId(1)).unwrap());
        assert_eq!(new.embedding_json(StudentId(1)).unwrap().as_deref(), Some("[0.6, 0.8]"));
        let all = AttendanceFilter::default();
        assert_eq!(new.attendance(&all, Page::ALL).unwrap(), old.attendance(&all, Page::ALL).unwrap());
        assert_eq!(new.admins().unwrap(), old.admins().unwrap());
        assert_eq!(new.detection_logs(9).unwrap(), old.detection_logs(9).unwrap());
        let session = crate::types::SessionId::parse("00000000-0000-4000-8000-000000000001").unwrap();
        let session = new.session(session).unwrap().unwrap();
        assert_eq!((session.student, session.expires_at), (None, at("2026-01-05T10:00:00.5Z")));
        // Its marks count, and both of one day stay.
        let again = new.mark_attendance(&mark(StudentId(1), "2026-03-02T10:00:00Z")).unwrap();
        assert!(matches!(again, Marking::AlreadyMarked(row) if row.id == 1));
    }

    #[test]
    fn a_look_finds_what_is_missing_and_changes_nothing() {
        let Some(schema) = Schema::new() else { return };
        let survey = PostgresStore::survey(&schema.url()).unwrap();
        assert_eq!((survey.schema, survey.rows.len(), survey.problems.len()), (0, 0, 1));
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
        assert_eq!(schema.client().query_one(tables, &[]).unwrap().get::<_, i64>(0), 0);
        fill(&schema.store());
        let survey = PostgresStore::survey(&schema.url()).unwrap();
        assert!(!survey.needs_migration() && survey.problems.is_empty(), "{survey:?}");
        assert!(survey.rows.contains(&("attendance_log", 4)));
        schema.client().batch_execute("DROP INDEX ix_students_roll_number").unwrap();
        let problems = PostgresStore::survey(&schema.url()).unwrap().problems;
        assert_eq!(problems, ["the unique key ix_students_roll_number is missing"]);
    }
}

/// A table or a column that a migration brings has to be in the copies, or on the list of those that are not.
fn nothing_is_missing(there: &[(String, String)]) {
    use super::super::portable::{COMPUTED, NOT_COPIED, TABLES};
    assert!(there.len() > 50, "{there:?}");
    let is_copied = |table: &str, column: &str| {
        TABLES.iter().any(|copied| copied.name == table && copied.columns.iter().any(|copied| copied.name == column))
    };
    let missing: Vec<_> = there
        .iter()
        .filter(|(table, column)| !is_copied(table, column))
        .filter(|(table, _)| NOT_COPIED.iter().all(|(left_out, _)| left_out != table))
        .filter(|(table, column)| COMPUTED.iter().all(|left_out| *left_out != (table.as_str(), column.as_str())))
        .collect();
    assert!(missing.is_empty(), "add them to core/src/store/portable/tables.rs: {missing:?}");
}

#[test]
fn every_table_and_column_of_the_schema_is_copied_from_a_file() {
    let file = File::new();
    let raw = file.raw();
    let mut columns = raw
        .prepare("SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'")
        .unwrap();
    let there = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    nothing_is_missing(&there.map(std::result::Result::unwrap).collect::<Vec<_>>());
}

fn backed_up(location: &StoreLocation) -> Vec<u8> {
    let mut file = Vec::new();
    location.back_up(&mut file, &mut |_| {}).unwrap();
    file
}

fn restore(store: &dyn Portable, file: &[u8]) -> Imported {
    let entry = NewAuditEntry { at: now(), actor: "a".into(), action: "restore".into(), subject: None, details: None };
    store.restore(&mut Cursor::new(file), &std::collections::BTreeSet::new(), &entry, &mut |_| {}).unwrap()
}

/// The rows of a back-up go to PostgreSQL and come back, with values that PostgreSQL cannot hold named and left out.
#[cfg(feature = "postgres")]
#[test]
fn a_back_up_goes_to_postgresql_and_back() {
    let Some(schema) = super::postgres::Schema::new() else { return };
    let file = File::new();
    fill(&file.store);
    let here = StoreLocation::File(file.folder.path().join("a.db"));
    let plain = backed_up(&here);
    let there = StoreLocation::Url(schema.url());
    let postgres = PostgresStore::open(&schema.url()).unwrap();
    assert!(restore(&postgres, &plain).unreadable.is_empty());
    let back = File::new();
    restore(&back.store, &backed_up(&there));
    assert_eq!(back.store.students(None, Page::ALL).unwrap(), file.store.students(None, Page::ALL).unwrap());
    assert_eq!(back.store.admins().unwrap(), file.store.admins().unwrap());
    let marks = |store: &SqliteStore| store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap();
    assert_eq!(marks(&back.store), marks(&file.store));
    // Twice: what is there is replaced, and ids go on.
    restore(&postgres, &plain);
    let highest = file.store.create_student("Last", "R8", now()).unwrap().id;
    assert!(postgres.create_student("Last", "R8", now()).unwrap().id >= highest);

    let raw = file.raw();
    raw.execute("UPDATE attendance_log SET timestamp = 'yesterday' WHERE id = 1", []).unwrap();
    raw.execute("UPDATE attendance_log SET checked_out_at = 'late' WHERE id = 2", []).unwrap();
    let imported = restore(&postgres, &backed_up(&here));
    assert_eq!(imported.unreadable, ["attendance_log 1"]);
}

#[cfg(feature = "postgres")]
#[test]
fn every_table_and_column_of_the_schema_is_copied_from_postgresql() {
    let Some(schema) = super::postgres::Schema::new() else { return };
    drop(PostgresStore::open(&schema.url()).unwrap());
    let rows = schema.client().query(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema()",
        &[],
    );
    nothing_is_missing(&rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<_>>());
}

/// A server holds the database for as long as it follows it, and a restore waits until none does.
#[cfg(feature = "postgres")]
#[test]
fn a_restore_and_a_server_exclude_each_other_on_postgresql() {
    let Some(schema) = super::postgres::Schema::new() else { return };
    let location = StoreLocation::Url(schema.url());
    let store = PostgresStore::open(&schema.url()).unwrap();
    let follower = store.follow().unwrap();
    assert!(location.lock(LockName::Restore).unwrap().is_none());
    let backup = location.lock(LockName::Backup).unwrap();
    assert!(backup.is_some() && location.lock(LockName::Backup).unwrap().is_none());
    drop(backup);
    assert!(location.lock(LockName::Backup).unwrap().is_some());
    drop(follower);
    let held = location.lock(LockName::Restore).unwrap().expect("nobody is at work");
    assert!(store.follow().is_err());
    drop(held);
    assert!(store.follow().is_ok());
}
