//! Back-ups of files of SQLite: made, looked through, restored; and what is damaged on the way.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::store::prelude::*;
use crate::store::tests::{mark, of_the_existing_service};
use crate::store::{MarksOfErased, NewAuditEntry, Page, SqliteStore, StoreLocation};
use crate::types::StudentId;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(self.at("a.db")).unwrap()
    }

    fn source(&self) -> Source {
        let mut source = Source::new(StoreLocation::File(self.at("a.db")));
        std::fs::write(self.at("jwt"), "a secret of the tests").unwrap();
        source.files = vec![(Part::JwtSecret, self.at("jwt")), (Part::ReceiptKey, self.at("none"))];
        source
    }

    fn make(&self, name: &str, passphrase: Option<&Passphrase>) -> Made {
        make(&self.at(name), &self.source(), passphrase, now(), &mut |_| {}).unwrap()
    }

    fn look(&self, name: &str, passphrase: Option<&Passphrase>) -> crate::Result<Looked> {
        look(&self.at(name), passphrase, &mut |_| {})
    }

    fn restore(&self, name: &str, to: &SqliteStore, erased: &BTreeSet<i64>) -> crate::store::Imported {
        restore(&self.at(name), None, to, erased, &entry("restore"), &mut |_| {}).unwrap()
    }
}

fn now() -> Timestamp {
    "2026-03-02T08:15:30Z".parse().unwrap()
}

fn entry(action: &str) -> NewAuditEntry {
    NewAuditEntry { at: now(), actor: "test".into(), action: action.into(), subject: None, details: None }
}

fn passphrase() -> Passphrase {
    Passphrase::new("a passphrase of the tests").unwrap()
}

fn student(store: &SqliteStore, roll: &str) -> StudentId {
    let id = store.create_student("Asha", roll, now()).unwrap().id;
    let face = crate::Embedding::from_raw(crate::ModelId::new("m"), &[1.0, 2.0]).unwrap();
    store.replace_templates(id, &[face], now()).unwrap();
    store.mark_attendance(&mark(id, "2026-03-02T08:00:00Z")).unwrap();
    id
}

#[test]
fn a_back_up_is_whole_private_and_overwrites_nothing_unless_told() {
    let folder = Folder::new();
    student(&folder.store(), "R1");
    let made = folder.make("b", None);
    assert_eq!((made.summary.rows_of("students"), made.summary.rows_of("attendance_log")), (1, 1));
    let parts: Vec<_> = made.sums.iter().map(|sum| sum.part).collect();
    assert_eq!(parts, [Part::JwtSecret, Part::Database, Part::Summary], "what is not there is left out");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&folder.at("b").metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let looked = folder.look("b", None).unwrap();
    assert_eq!((looked.summary, looked.sums, looked.bytes), (made.summary, made.sums, made.bytes));
    assert_eq!(folder.look("b", None).unwrap().part(Part::JwtSecret), Some(&b"a secret of the tests"[..]));
    let again = make(&folder.at("b"), &folder.source(), None, now(), &mut |_| {}).unwrap_err().to_string();
    assert!(again.contains("--force"), "{again}");
    // What a killed one has left does not stand in the way.
    std::fs::write(folder.at("b.part"), "half").unwrap();
    let source = Source { overwrites: true, ..folder.source() };
    make(&folder.at("b"), &source, None, now(), &mut |_| {}).unwrap();
    assert!(!folder.at("b.part").exists());
}

#[test]
fn no_byte_can_be_changed_and_no_end_cut_off_unnoticed() {
    let folder = Folder::new();
    student(&folder.store(), "R1");
    folder.make("plain", None);
    folder.make("sealed", Some(&passphrase()));
    for (name, passphrase) in [("plain", None), ("sealed", Some(passphrase()))] {
        let whole = std::fs::read(folder.at(name)).unwrap();
        let tries = |contents: &[u8]| {
            std::fs::write(folder.at("bad"), contents).unwrap();
            folder.look("bad", passphrase.as_ref())
        };
        assert!(tries(&whole).is_ok());
        // Argon2 takes its time: of an encrypted file a few places are tried.
        let steps = if passphrase.is_some() { 8 } else { 97 };
        for at in (0..whole.len()).step_by(whole.len() / steps) {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            assert!(tries(&changed).is_err(), "{name}: byte {at} of {}", whole.len());
            assert!(tries(&whole[..at]).is_err(), "{name}: cut off at {at}");
        }
        assert!(tries(&whole[..whole.len() - 1]).is_err());
        assert!(tries(&[&whole[..], b"x"].concat()).is_err());
    }
}

#[test]
fn an_encrypted_back_up_shows_nothing_and_needs_its_passphrase() {
    let folder = Folder::new();
    folder.store().create_student("Unmistakable", "R1", now()).unwrap();
    folder.make("b", Some(&passphrase()));
    let bytes = std::fs::read(folder.at("b")).unwrap();
    for secret in [&b"a secret of the tests"[..], b"Unmistakable", b"students"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
    assert!(folder.look("b", None).unwrap_err().to_string().contains("passphrase"));
    let other = Passphrase::new("another passphrase").unwrap();
    assert!(folder.look("b", Some(&other)).unwrap_err().to_string().contains("passphrase is wrong"));
    assert!(folder.look("b", Some(&passphrase())).unwrap().is_sealed);
}

#[test]
fn a_back_up_is_of_one_moment_while_marks_are_written() {
    let folder = Folder::new();
    let store = folder.store();
    let id = student(&store, "R0");
    let (stop, made) = (std::sync::atomic::AtomicBool::new(false), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                // Two rows in one transaction: a back-up has both or none.
                let roll = format!("R{}", number + 1);
                let new = store.create_student("B", &roll, now()).unwrap().id;
                store.set_consent(new, None, now()).unwrap();
                store.add_audit(&entry(&format!("made {roll}"))).unwrap();
            }
        });
        for number in 0..5 {
            made.lock().unwrap().push(folder.make(&format!("b{number}"), None).summary);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    for (number, summary) in made.into_inner().unwrap().into_iter().enumerate() {
        let to = SqliteStore::open(folder.at(&format!("to{number}.db"))).unwrap();
        folder.restore(&format!("b{number}"), &to, &BTreeSet::new());
        let students = to.students(None, Page::ALL).unwrap().total;
        assert_eq!(students, summary.rows_of("students"));
        // The entry is written after the student, so a moment has one of them more at most.
        let entries = to.audit(Page::ALL).unwrap().total - 1;
        assert!(students - 1 - entries <= 1, "{students} students and {entries} entries");
        assert_eq!(to.templates_of(id).unwrap().len(), 1);
    }
}

#[test]
fn values_that_are_not_of_their_kind_are_named_and_kept() {
    let folder = Folder::new();
    let id = student(&folder.store(), "R1");
    let raw = Connection::open(folder.at("a.db")).unwrap();
    raw.execute("UPDATE attendance_log SET timestamp = 'yesterday', confidence_score = 'much'", []).unwrap();
    raw.execute("UPDATE students SET created_at = x'00ff'", []).unwrap();
    let made = folder.make("b", None);
    let odd = made.summary.odd;
    assert_eq!(odd.len(), 3, "{odd:?}");
    assert!(odd.contains(&"attendance_log 1: timestamp".to_owned()), "{odd:?}");
    let to = SqliteStore::open(folder.at("to.db")).unwrap();
    let imported = folder.restore("b", &to, &BTreeSet::new());
    assert!(imported.unreadable.is_empty());
    assert_eq!(to.templates_of(id).unwrap().len(), 1);
    let raw = Connection::open(folder.at("to.db")).unwrap();
    let kept: String = raw.query_row("SELECT timestamp FROM attendance_log", [], |row| row.get(0)).unwrap();
    let bytes: Vec<u8> = raw.query_row("SELECT created_at FROM students", [], |row| row.get(0)).unwrap();
    assert_eq!((kept.as_str(), bytes), ("yesterday", vec![0, 255]));
}

#[test]
fn no_photograph_of_the_replaced_service_is_in_a_back_up() {
    let folder = Folder::new();
    drop(folder.store());
    let raw = Connection::open(folder.at("a.db")).unwrap();
    raw.execute_batch(
        "INSERT INTO liveness_detection_sessions (session_id, expires_at, center_frame_data, center_embedding)
         VALUES ('s', '2026-03-02 08:00:00', 'a photograph', '[1.0]')",
    )
    .unwrap();
    folder.make("b", None);
    let to = SqliteStore::open(folder.at("to.db")).unwrap();
    folder.restore("b", &to, &BTreeSet::new());
    let raw = Connection::open(folder.at("to.db")).unwrap();
    let row: (Option<String>, Option<String>) = raw
        .query_row("SELECT center_frame_data, center_embedding FROM liveness_detection_sessions", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(row, (None, Some("[1.0]".into())));
}

#[test]
fn an_older_schema_is_backed_up_as_it_is_and_restored_into_the_newest() {
    let folder = Folder::new();
    drop(of_the_existing_service(&folder.at("a.db")));
    let before = std::fs::read(folder.at("a.db")).unwrap();
    let made = folder.make("b", None);
    assert_eq!(std::fs::read(folder.at("a.db")).unwrap(), before, "it is not migrated");
    assert_eq!(made.summary.schema, 0);
    let to = SqliteStore::open(folder.at("to.db")).unwrap();
    folder.restore("b", &to, &BTreeSet::new());
    let migrated = folder.store();
    assert_eq!(to.students(None, Page::ALL).unwrap(), migrated.students(None, Page::ALL).unwrap());
}

#[test]
fn who_was_erased_since_stays_away_with_all_that_is_theirs() {
    let folder = Folder::new();
    let store = folder.store();
    let [kept, erased, anonymous] = ["R1", "R2", "R3"].map(|roll| student(&store, roll));
    store.add_audit(&entry("x")).unwrap();
    folder.make("b", None);
    let looked = folder.look("b", None).unwrap();
    assert_eq!(lineage(&looked, &store).unwrap(), Lineage::Later { erased: BTreeSet::new() });
    store.erase_student(erased, MarksOfErased::Delete, now()).unwrap();
    store.erase_student(anonymous, MarksOfErased::Anonymise, now()).unwrap();
    student(&store, "R4");
    let gone = BTreeSet::from([erased.0, anonymous.0]);
    assert_eq!(lineage(&looked, &store).unwrap(), Lineage::Later { erased: gone.clone() });
    let to = SqliteStore::open(folder.at("to.db")).unwrap();
    let imported = folder.restore("b", &to, &gone);
    assert_eq!((imported.erased, imported.of_nobody), (2, 0));
    let students = to.students(None, Page::ALL).unwrap().items;
    assert_eq!(students.iter().map(|student| student.id).collect::<Vec<_>>(), [kept]);
    assert_eq!(to.templates_of(erased).unwrap().len(), 0);
    // The ids of those who are gone are given to nobody, also not in the copy.
    let next = to.create_student("New", "R9", now()).unwrap().id;
    assert!(next.0 > anonymous.0 || next.0 > 3, "{next}");

    // A database that is another one, or older, tells nothing.
    let other = SqliteStore::open(folder.at("other.db")).unwrap();
    student(&other, "R7");
    other.add_audit(&entry("y")).unwrap();
    assert_eq!(lineage(&looked, &other).unwrap(), Lineage::Unknown);
    folder.make("later", None);
    assert_eq!(lineage(&folder.look("later", None).unwrap(), &other).unwrap(), Lineage::Unknown);
}

/// After each number of steps the process "dies"; whoever comes next finds all old or all new files.
#[test]
fn a_swap_that_dies_anywhere_is_finished_by_who_comes_next() {
    for dies_after in 0.. {
        let folder = Folder::new();
        let write = |name: &str, text: &str| std::fs::write(folder.at(name), text).unwrap();
        for name in ["db", "key", "waiting"] {
            write(name, "old");
        }
        for name in ["db.new", "key.new", "fresh.new"] {
            write(name, "new");
        }
        let change = |name: &str, comes: bool| Change {
            target: folder.at(name),
            comes: comes.then(|| folder.at(&format!("{name}.new"))),
            kept: folder.at(&format!("{name}.kept")),
        };
        let changes = vec![change("db", true), change("key", true), change("fresh", true), change("waiting", false)];
        let plan = folder.at("plan");
        let mut left = dies_after;
        let died = Swap::begin(&plan, "id", changes).unwrap().finish_in_steps(&mut || {
            left -= 1;
            if left < 0 { Err(io::Error::other("killed")) } else { Ok(()) }
        });
        if let Some(swap) = Swap::unfinished(&plan).unwrap() {
            assert!(died.is_err() && swap.id() == "id");
            swap.finish().unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.at(name)).unwrap();
        for name in ["db", "key", "fresh"] {
            assert_eq!(read(name), "new", "{name} after {dies_after} steps");
        }
        for name in ["db.kept", "key.kept", "waiting.kept"] {
            assert_eq!(read(name), "old", "{name} after {dies_after} steps");
        }
        assert!(!Path::exists(&folder.at("waiting")) && !plan.exists());
        if died.is_ok() {
            assert!(dies_after > 5);
            return;
        }
    }
}

#[test]
fn a_day_has_one_back_up_also_when_clocks_change() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let clock = Clock::new("02:30".parse().unwrap(), zone);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // On this day the clocks go from 02:00 to 03:00: the moment comes at 01:30 UTC, shown as 03:30.
    assert_eq!(clock.latest(at("2026-03-29T12:00:00Z")), at("2026-03-29T01:30:00Z"));
    assert_eq!(clock.next(at("2026-03-28T12:00:00Z")), at("2026-03-29T01:30:00Z"));
    assert_eq!(clock.next(at("2026-03-29T01:30:00Z")), at("2026-03-30T00:30:00Z"));
    let last = at("2026-03-27T01:30:10Z");
    assert!(clock.is_due(Some(last), at("2026-03-30T12:00:00Z")), "it was missed");
    assert!(!clock.is_due(Some(at("2026-03-29T01:30:00Z")), at("2026-03-30T00:29:59Z")));
    assert!(clock.is_due(Some(at("2027-01-01T00:00:00Z")), at("2026-03-30T00:00:00Z")), "a clock that was wrong");
}

#[test]
fn a_back_up_of_a_newer_version_is_refused_before_anything_changes() {
    let folder = Folder::new();
    let newer = crate::store::schema::newest_version() + 1;
    let mut writer = container::Writer::begin(Vec::new(), None).unwrap();
    let line = format!("{{\"faceattend\":\"database\",\"format\":1,\"schema\":{newer}}}\n");
    writer
        .part(Part::Database, |out| {
            out.write_all(line.as_bytes()).unwrap();
            Ok(())
        })
        .unwrap();
    std::fs::write(folder.at("b"), writer.end().unwrap().0).unwrap();
    assert!(folder.look("b", None).unwrap_err().to_string().contains("newer version"));
    std::fs::write(folder.at("b"), "{\"faceattend\":\"backup\",\"format\":2}\n").unwrap();
    assert!(folder.look("b", None).unwrap_err().to_string().contains("newer version"));
    std::fs::write(folder.at("b"), "{\"faceattend\":\"database\",\"format\":1}\n").unwrap();
    assert!(folder.look("b", None).unwrap_err().to_string().contains("no back-up"));
}
