//! The contract on PostgreSQL, and what only a database with several servers on it can show.
//!
//! `FACEATTEND_TEST_POSTGRES` names a database in which schemas can be made: each test has one of its own, gone at its
//! end. Without the variable the tests say so and pass. `cargo xtask test` starts a private PostgreSQL and sets it.

use ::postgres::{Client, NoTls};

use super::super::*;
use super::EnrolUnchecked as _;
use super::cluster::cluster_contract;
use super::contract::{at, completed, contract, embedding, enrolment, mark};
use super::sharing::sharing_contract;
use crate::error::ErrorKind;
use crate::types::ModelId;
use crate::types::StudentId;

/// The schema of one test.
pub(crate) struct Schema {
    database: String,
    name: String,
}

impl Schema {
    pub(crate) fn new() -> Option<Self> {
        let Ok(database) = std::env::var("FACEATTEND_TEST_POSTGRES") else {
            eprintln!("skipped: FACEATTEND_TEST_POSTGRES names no database; `cargo xtask test` starts one");
            return None;
        };
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let schema = Self { database, name };
        schema.outside().batch_execute(&format!("CREATE SCHEMA {}", schema.name)).unwrap();
        Some(schema)
    }

    /// The URL with which everything happens in this schema.
    pub(super) fn url(&self) -> String {
        let sign = if self.database.contains('?') { '&' } else { '?' };
        format!("{}{sign}options=-c%20search_path%3D{}", self.database, self.name)
    }

    pub(crate) fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.url()).unwrap()
    }

    /// A connection of somebody else to this schema.
    pub(super) fn client(&self) -> Client {
        Client::connect(&self.url(), NoTls).unwrap()
    }

    fn outside(&self) -> Client {
        Client::connect(&self.database, NoTls).unwrap()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let _ = self
            .outside()
            .batch_execute(&format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name));
    }
}

pub(super) fn empty() -> Option<(PostgresStore, Schema)> {
    let schema = Schema::new()?;
    Some((schema.store(), schema))
}

contract!(empty());

/// Two servers' stores on one database.
fn shared() -> Option<((PostgresStore, PostgresStore), Schema)> {
    let schema = Schema::new()?;
    Some(((schema.store(), schema.store()), schema))
}

sharing_contract!(shared());
cluster_contract!(shared());

/// The same contract with every face encrypted.
#[cfg(feature = "encryption")]
mod sealed {
    use super::*;

    fn keys() -> TemplateKeys {
        TemplateKeys::new(vec![TemplateKey::generate()])
    }

    fn empty() -> Option<(PostgresStore, Schema)> {
        let schema = Schema::new()?;
        Some((PostgresStore::open_with_keys(&schema.url(), keys()).unwrap(), schema))
    }

    contract!(empty());

    #[test]
    fn faces_are_converted_there_and_back() {
        let Some((plain, schema)) = super::empty() else { return };
        let now = at("2026-03-02T08:00:00Z");
        let id = plain.register_student(completed(&plain, None), "A", "R1", &enrolment(1.0), now).unwrap().id;
        let before = (plain.templates_of(id).unwrap(), plain.embedding_json(id).unwrap());
        let keys = keys();
        let sealing = PostgresStore::open_with_keys(&schema.url(), keys.clone().accepting_plain()).unwrap();
        let done = sealing.reseal_templates(&mut |_| {}).unwrap();
        assert_eq!((done.changed, done.unchanged, done.damaged.len()), (2, 0, 0), "a student and its session");
        assert_eq!((sealing.templates_of(id).unwrap(), sealing.embedding_json(id).unwrap()), before);
        assert_eq!(sealing.template_forms().unwrap().plain, 0);
        assert_eq!(plain.templates_of(id).unwrap_err().kind(), ErrorKind::Store, "it has no key");
        let made: i64 = schema
            .client()
            .query_one("SELECT count(*) FROM student_templates WHERE created_at = '2026-03-02 08:00:00'", &[])
            .unwrap()
            .get(0);
        assert_eq!(made, 2, "the templates stay as old as they are");

        let opening = PostgresStore::open_with_keys(&schema.url(), keys.opening_only()).unwrap();
        assert_eq!(opening.reseal_templates(&mut |_| {}).unwrap().changed, 2);
        assert_eq!((plain.templates_of(id).unwrap(), plain.embedding_json(id).unwrap()), before);
    }
}

#[test]
fn more_templates_than_are_fetched_at_once_are_visited_each_once() {
    const PEOPLE: i64 = 4321;
    let Some((store, schema)) = empty() else { return };
    let model = embedding(1.0).model().to_string();
    schema
        .client()
        .execute(
            "WITH made AS (INSERT INTO students (name, roll_number, created_at, updated_at)
                 SELECT 'A', n::text, now(), now() FROM generate_series(1, $1::bigint) n RETURNING id)
             INSERT INTO student_templates (student_id, model_id, embedding, created_at)
                 SELECT id, $2, $3, now() FROM made",
            &[&PEOPLE, &model, &embedding(1.0).to_bytes()],
        )
        .unwrap();
    let mut seen = Vec::new();
    store
        .for_each_template(&mut |template| {
            seen.push(template.student.0);
            Ok(())
        })
        .unwrap();
    assert!(seen.is_sorted_by(|a, b| a < b), "in order, nobody twice");
    assert_eq!((seen.len() as i64, store.template_forms().unwrap().plain as i64), (PEOPLE, PEOPLE));

    // A visitor who has enough ends it, also while the next rows are fetched.
    for enough in [1, 2500, PEOPLE] {
        let mut left = enough;
        let ended = store.for_each_template(&mut |_| {
            left -= 1;
            if left > 0 { Ok(()) } else { Err(crate::Error::Internal { reason: "enough".into() }) }
        });
        assert_eq!((ended.unwrap_err().to_string().contains("enough"), left), (true, 0));
    }
    assert_eq!(store.students(None, Page::ALL).unwrap().total, PEOPLE as u64, "the store still answers");
}

#[test]
fn servers_that_start_at_once_migrate_once() {
    let Some(schema) = Schema::new() else { return };
    std::thread::scope(|scope| {
        for n in 0..6 {
            let schema = &schema;
            scope.spawn(move || {
                schema.store().create_student("A", &n.to_string(), at("2026-03-02T08:00:00Z")).unwrap();
            });
        }
    });
    assert_eq!(schema.store().students(None, Page::ALL).unwrap().total, 6);
    let steps: i64 = schema.client().query_one("SELECT count(*) FROM schema_migrations", &[]).unwrap().get(0);
    assert_eq!(steps, postgres_steps());
}

/// PostgreSQL began at version 4, with one step.
fn postgres_steps() -> i64 {
    schema::newest_version() - 3
}

#[test]
fn a_newer_schema_is_refused() {
    let Some((store, schema)) = empty() else { return };
    drop(store);
    let newest = schema::newest_version();
    schema
        .client()
        .execute("INSERT INTO schema_migrations (version, name) VALUES ($1, 'from the future')", &[&(newest + 1)])
        .unwrap();
    let error = PostgresStore::open(&schema.url()).unwrap_err().to_string();
    assert!(error.contains("use the newer version that wrote it"), "{error}");
}

#[test]
fn servers_that_mark_the_same_student_leave_one_row() {
    let Some((store, schema)) = empty() else { return };
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap().id;
    let marked: usize = std::thread::scope(|scope| {
        let servers: Vec<_> = (0..4)
            .map(|_| {
                let server = schema.store();
                scope.spawn(move || {
                    let marks =
                        (0..25).map(|n| server.mark_attendance(&mark(student, &format!("2026-03-02T08:00:{n:02}Z"))));
                    marks.filter(|marking| matches!(marking, Ok(Marking::Marked(_)))).count()
                })
            })
            .collect();
        servers.into_iter().map(|server| server.join().unwrap()).sum()
    });
    assert_eq!(marked, 1);
    let insert = "INSERT INTO attendance_log (student_id, status, local_day, period) VALUES ($1, 'Present', \
                  '2026-03-02', 'day')";
    assert!(schema.client().execute(insert, &[&student.0]).is_err(), "the database itself refuses a second mark");
}

#[test]
fn a_mark_of_the_existing_service_settles_the_sightings_of_its_day() {
    let Some((store, schema)) = empty() else { return };
    let student = store.create_student("A", "R1", at("2026-03-01T08:00:00Z")).unwrap().id;
    let looks = ["2026-03-01T23:59:59Z", "2026-03-02T08:00:00Z", "2026-03-03T00:00:00Z"].map(|when| {
        let (sighting, verdict) = (mark(student, when), SecondLookVerdict::Undecided);
        let new = NewSecondLook { sighting, verdict, reasons: vec!["few_views".into()] };
        let SecondLooking::Added(look) = store.add_second_look(&new).unwrap() else { panic!("{when}") };
        look.id
    });
    let insert = "INSERT INTO attendance_log (student_id, timestamp, status) VALUES ($1, '2026-03-02', 'Present')";
    schema.client().execute(insert, &[&student.0]).unwrap();
    let states = looks.map(|look| store.second_look(look).unwrap().unwrap().state);
    assert_eq!(states, [SecondLookState::Open, SecondLookState::Settled, SecondLookState::Open]);
    let copy = "INSERT INTO second_looks (student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status,
        verdict, reasons) SELECT student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status, verdict,
        reasons FROM second_looks WHERE id = $1";
    assert!(schema.client().execute(copy, &[&looks[0]]).is_err(), "the database itself refuses a second open entry");
    assert!(schema.client().execute(copy, &[&looks[1]]).is_ok());
}

#[test]
fn admins_that_disable_each_other_at_once_leave_one() {
    let Some((store, schema)) = empty() else { return };
    let now = at("2026-03-02T08:00:00Z");
    for name in ["a", "b"] {
        let new = NewAdmin { username: name.into(), hashed_password: "$".into(), role: "admin".into() };
        store.create_admin(&new, now).unwrap();
    }
    let off = AdminChange { is_active: Some(false), ..AdminChange::default() };
    let done: Vec<_> = std::thread::scope(|scope| {
        let both: Vec<_> = ["a", "b"]
            .into_iter()
            .map(|name| {
                let (server, off) = (schema.store(), &off);
                scope.spawn(move || server.update_admin(name, off, now).map(drop))
            })
            .collect();
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
}

#[test]
fn a_lost_connection_is_replaced_at_the_next_call() {
    let Some(schema) = Schema::new() else { return };
    let store = PostgresStore::open(&format!("{}&application_name={}", schema.url(), schema.name)).unwrap();
    let made = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap();
    let mut other = schema.outside();
    let mut end_connections = || {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        other.execute(end, &[&schema.name]).unwrap()
    };
    for _ in 0..3 {
        // Between two calls nobody notices.
        assert!(end_connections() > 0);
        assert_eq!(store.student(made.id).unwrap(), Some(made.clone()));
    }
    // In the middle of one it is an error, and nothing of it stays.
    let mut client = schema.client();
    let cut = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
        CREATE TRIGGER cut AFTER UPDATE ON students FOR EACH ROW EXECUTE FUNCTION cut();";
    client.batch_execute(cut).unwrap();
    let change = StudentChange { name: Some("Half".into()), roll_number: None };
    let error = store.update_student(made.id, &change, at("2026-03-02T09:00:00Z")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "store: cannot update the student: the connection to the database was lost; try again"
    );
    client.batch_execute("DROP TRIGGER cut ON students").unwrap();
    assert_eq!(store.student(made.id).unwrap(), Some(made));
}

#[test]
fn a_follower_that_lost_its_connection_says_that_it_missed_something() {
    let Some(schema) = Schema::new() else { return };
    let store = PostgresStore::open(&format!("{}&application_name={}", schema.url(), schema.name)).unwrap();
    let writer = schema.store();
    let mut follower = store.follow().unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    assert!(schema.outside().execute(end, &[&schema.name]).unwrap() > 0);
    let next = std::time::Duration::from_secs(10);
    assert_eq!(follower.next(next), [Notice::Missed]);
    writer.announce("again").unwrap();
    assert_eq!(follower.next(next), [Notice::Announced("again".into())]);
}

#[test]
fn what_others_write_to_a_face_is_heard_of() {
    let Some((store, schema)) = empty() else { return };
    let mut follower = store.follow().unwrap();
    let mut other = schema.client();
    let mut heard_after = |statement: &str| {
        other.batch_execute(statement).unwrap();
        follower.next(std::time::Duration::from_secs(10))
    };
    let told = [Notice::Templates(StudentId(1))];
    let insert = "INSERT INTO students (name, roll_number, embedding_vector) VALUES ('A', 'R1', '[0.6, 0.8]')";
    assert_eq!(heard_after(insert), told);
    assert_eq!(heard_after("UPDATE students SET embedding_vector = '[1.0, 0.0]' WHERE id = 1"), told);
    assert_eq!(heard_after("DELETE FROM students WHERE id = 1"), told);
}

#[test]
fn servers_that_claim_at_once_hold_each_camera_once() {
    let Some((store, schema)) = empty() else { return };
    let (dead, lapsed) = (ServerId::new("dead"), std::time::Duration::from_millis(1));
    for number in 0..20 {
        let asked = NewKeptCamera {
            group: CameraGroup::Usual,
            only_at: None,
            settings: CameraSettings::at(format!("rtsp://host/{number}")),
            reach: CameraReach::Permitted,
            paused: false,
            by: "admin".into(),
            at: at("2026-03-02T08:00:00Z"),
        };
        let kept = store.keep_started_camera(&asked).unwrap();
        store.watch_camera(&kept.key, &dead, lapsed).unwrap();
    }
    std::thread::sleep(lapsed * 20);
    let mut held: Vec<String> = std::thread::scope(|scope| {
        let servers: Vec<_> = (0..4)
            .map(|number| {
                let server = schema.store();
                scope.spawn(move || {
                    let me = ServerId::new(number.to_string());
                    let claim =
                        || server.claim_cameras(&me, &[], std::time::Duration::from_secs(600), usize::MAX).unwrap();
                    (0..7).for_each(|_| drop(claim()));
                    claim()
                })
            })
            .collect();
        let held = servers.into_iter().flat_map(|server| server.join().unwrap());
        held.map(|claimed| claimed.camera.key.name).collect()
    });
    held.sort();
    let claims = held.len();
    held.dedup();
    assert_eq!((claims, held.len()), (20, 20));
}

#[test]
fn a_password_and_a_persons_data_stay_out_of_every_error() {
    let Some((store, schema)) = empty() else { return };
    let (_, there) = schema.database.split_once('@').unwrap();
    // No such user, and nobody who listens.
    for url in [format!("postgres://nobody:geheim@{there}"), "postgres://me:geheim@127.0.0.1:1/db".to_owned()] {
        let error = PostgresStore::open(&url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
    }
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap().id;
    schema.client().batch_execute("ALTER TABLE students ADD CHECK (name <> 'Geheim')").unwrap();
    let change = StudentChange { name: Some("Geheim".into()), roll_number: None };
    let error = store.update_student(student, &change, at("2026-03-02T08:00:00Z")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Geheim, "), "{error:?}");
    assert!(!format!("{error:?}").contains("DETAIL") && !format!("{error:?}").contains("Failing row"), "{error:?}");
    assert_eq!(format!("{store:?}"), "PostgresStore");
}

#[test]
fn what_others_write_to_a_face_is_believed() {
    let Some((store, schema)) = empty() else { return };
    let now = at("2026-03-02T08:00:00Z");
    let student = store.register_student(completed(&store, None), "A", "R1", &enrolment(1.0), now).unwrap().id;
    let mut other = schema.client();
    other.execute("UPDATE students SET embedding_vector = '[0.0, 1.0]' WHERE id = $1", &[&student.0]).unwrap();
    let templates = store.templates_of(student).unwrap();
    assert!(
        matches!(&templates[..], [StoredTemplate { embedding: StoredEmbedding::Legacy(v), .. }] if v.dimension() == 2),
        "{templates:?}"
    );
    store.replace_templates(student, &[embedding(1.0)], now).unwrap();
    other.execute("DELETE FROM students WHERE id = $1", &[&student.0]).unwrap();
    let left: i64 = other.query_one("SELECT count(*) FROM student_templates", &[]).unwrap().get(0);
    assert_eq!(left, 0);
}

#[test]
fn in_asynchronous_code_it_is_an_error_and_no_panic() {
    let Some((store, _schema)) = empty() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { store.check() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.to_string().contains("thread that may block"), "{error}");
    store.check().unwrap();
    runtime.block_on(async { drop(store) });
}

/// The existing service's tables as SQLAlchemy makes them on PostgreSQL, with rows of its own.
#[test]
fn a_database_of_the_existing_service_on_postgresql_keeps_its_rows_and_goes_on() {
    let Some(alive) = Schema::new() else { return };
    let mut client = alive.client();
    client
        .batch_execute(
            "CREATE TABLE admin_users (id SERIAL PRIMARY KEY, username VARCHAR(50) NOT NULL,
                hashed_password VARCHAR(255) NOT NULL,
                is_active BOOLEAN, created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
                updated_at TIMESTAMP WITH TIME ZONE);
             CREATE TABLE students (id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, roll_number VARCHAR(50) NOT NULL,
                roll_no VARCHAR(50), face_embedding BYTEA, embedding_vector TEXT,
                created_at TIMESTAMP WITH TIME ZONE DEFAULT now(), updated_at TIMESTAMP WITH TIME ZONE,
                liveness_verified BOOLEAN, liveness_verification_date TIMESTAMP WITH TIME ZONE,
                liveness_confidence_score FLOAT);
             CREATE TABLE liveness_detection_sessions (id SERIAL PRIMARY KEY, session_id VARCHAR(100) NOT NULL,
                student_id INTEGER REFERENCES students (id), status VARCHAR(20),
                created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
                completed_at TIMESTAMP WITH TIME ZONE, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
                center_frame_data TEXT,
                left_frame_data TEXT, right_frame_data TEXT, center_embedding TEXT,
                left_embedding TEXT, right_embedding TEXT,
                center_verified BOOLEAN, left_verified BOOLEAN, right_verified BOOLEAN, liveness_score FLOAT,
                movement_verified BOOLEAN, final_embedding TEXT, error_message TEXT, attempts_count INTEGER);
             CREATE TABLE attendance_log (id SERIAL PRIMARY KEY, student_id INTEGER NOT NULL REFERENCES students (id),
                timestamp TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
                status VARCHAR(20) NOT NULL, confidence_score FLOAT,
                camera_location VARCHAR(100), created_at TIMESTAMP WITH TIME ZONE DEFAULT now());
             CREATE TABLE detection_logs (id SERIAL PRIMARY KEY,
             timestamp TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
                faces_detected INTEGER, students_recognized INTEGER, processing_time FLOAT,
                camera_location VARCHAR(100),
                error_message TEXT);
             INSERT INTO admin_users (username, hashed_password) VALUES ('admin', '$2b$12$x');
             INSERT INTO students (name, roll_number, embedding_vector, liveness_verified,
             liveness_confidence_score, created_at)
                VALUES ('Asha', 'R1', '[1.0, 0.0, 0.5]', true, 0.9, '2026-03-01 09:00:00+00');
             INSERT INTO attendance_log (student_id, timestamp, status) VALUES
                (1, '2026-03-02 08:00:00+00', 'Present'), (1, '2026-03-02 09:00:00+00', 'Present');
             INSERT INTO detection_logs (faces_detected) VALUES (2);",
        )
        .unwrap();
    let store = alive.store();
    let asha = store.student(StudentId(1)).unwrap().unwrap();
    assert_eq!((asha.name.as_str(), asha.liveness_verified, asha.model.as_ref()), ("Asha", true, None));
    assert_eq!(asha.created_at, at("2026-03-01T09:00:00Z"));
    assert!(matches!(store.templates_of(asha.id).unwrap()[0].embedding, StoredEmbedding::Legacy(_)));
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 2);
    assert_eq!(store.detection_logs(10).unwrap()[0].entry.faces_detected, 2);
    assert_eq!(store.admin("admin").unwrap().unwrap().role, "admin");
    // Its mark of that day counts.
    assert!(matches!(
        store.mark_attendance(&mark(asha.id, "2026-03-02T10:00:00Z")).unwrap(),
        Marking::AlreadyMarked(_)
    ));
    store.replace_templates(asha.id, &[embedding(1.0)], at("2026-03-03T08:00:00Z")).unwrap();
    assert!(matches!(store.templates_of(asha.id).unwrap()[0].embedding, StoredEmbedding::Tagged(_)));
    // It writes another face: ours is gone, and what it wrote counts.
    client.execute("UPDATE students SET embedding_vector = '[0.0, 1.0, 0.5]' WHERE id = 1", &[]).unwrap();
    assert!(matches!(
        store.templates_of(asha.id).unwrap()[..],
        [StoredTemplate { embedding: StoredEmbedding::Legacy(_), .. }]
    ));
    let legacy = store.student(asha.id).unwrap().unwrap();
    assert_eq!(legacy.model, None);
    assert!(legacy.must_enrol_again(&ModelId::new("m")));
    let again = store.students_to_enrol_again(&ModelId::new("m"), None, Page::ALL).unwrap();
    assert_eq!(again.items, [legacy]);
    // Everything of ours that goes into its columns of times.
    assert!(matches!(store.mark_attendance(&mark(asha.id, "2026-03-03T10:00:00Z")).unwrap(), Marking::Marked(_)));
    let session = completed(&store, None);
    let enrolled = store.register_student(session, "B", "R2", &enrolment(2.0), at("2026-03-03T08:00:00Z")).unwrap();
    assert_eq!(store.student(enrolled.id).unwrap().unwrap().created_at, at("2026-03-03T08:00:00Z"));
    store.set_admin_password("admin", "x", at("2026-03-03T08:00:00Z")).unwrap();
    let old = Retention { attendance_before: Some(at("2026-03-03T00:00:00Z")), ..Retention::default() };
    assert_eq!(store.retire(&old).unwrap().attendance, 2);
    store.erase_student(asha.id, MarksOfErased::Delete, at("2026-03-03T08:00:00Z")).unwrap();
}

#[test]
fn an_old_database_with_numbers_that_are_one_or_there_twice_is_told_apart() {
    let Some(alive) = Schema::new() else { return };
    let mut client = alive.client();
    client
        .batch_execute(
            "CREATE TABLE students (id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, roll_number VARCHAR(50) NOT NULL,
                created_at TIMESTAMP WITH TIME ZONE DEFAULT now());
             CREATE TABLE attendance_log (id SERIAL PRIMARY KEY, student_id INTEGER NOT NULL REFERENCES students (id),
                timestamp TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, status VARCHAR(20) NOT NULL,
                created_at TIMESTAMP WITH TIME ZONE DEFAULT now());
             INSERT INTO students (name, roll_number) VALUES ('Müller', 'R1'), ('B', 'R1'), ('C', 'R1 ');
             INSERT INTO attendance_log (student_id, timestamp, status) VALUES (1, 'infinity', 'Present'),
                (1, '2026-03-02 08:00:00+00', 'Present');",
        )
        .unwrap();
    let told = PostgresStore::open(&alive.url()).err().unwrap().to_string();
    assert!(told.contains("1, 2 (all \"R1\")") && told.contains("SET roll_number = 'R1-2' WHERE id = 2"), "{told}");
    client.execute("UPDATE students SET roll_number = 'R2' WHERE id = 2", &[]).unwrap();
    let store = alive.store();
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items.len(), 1);
    let [group] = &store.students_of_one_roll_number().unwrap()[..] else { panic!() };
    assert_eq!(group.iter().map(|student| student.id.0).collect::<Vec<_>>(), [1, 3]);
    let now = at("2026-03-02T08:00:00Z");
    assert!(store.create_student("New", "\u{feff}R1", now).is_err());
    client.batch_execute("INSERT INTO students (name, roll_number) VALUES ('Émile', 'T1 ')").unwrap();
    client.batch_execute("UPDATE students SET name = 'Zoë' WHERE id = 1").unwrap();
    let found = |search| store.students(Some(search), Page::ALL).unwrap().total;
    assert_eq!((found("emile"), found("zoe"), found("muller")), (1, 1, 0));
    assert!(store.create_student("New", "T1", now).is_err());
}

#[test]
fn of_two_servers_that_add_one_roll_number_one_wins() {
    let Some(((one, two), _schema)) = shared() else { return };
    let now = at("2026-03-02T08:00:00Z");
    for round in 0..20 {
        let made = std::thread::scope(|threads| {
            let first = threads.spawn(|| one.create_student("A", &format!("R{round} "), now).is_ok());
            let second = threads.spawn(|| two.create_student("B", &format!("\u{feff}R{round}"), now).is_ok());
            (first.join().unwrap(), second.join().unwrap())
        });
        assert_ne!(made.0, made.1, "round {round}");
    }
}
