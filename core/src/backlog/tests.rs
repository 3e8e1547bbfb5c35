use std::path::PathBuf;

use super::*;
use crate::attendance::{AttendancePolicy, Marker, Noted};
use crate::store::prelude::*;
use crate::store::{AttendanceFilter, MarksOfErased, NewAuditEntry, NewDetectionLog, Page, SqliteStore};
use crate::types::Similarity;

struct Site {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    student: StudentId,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let student = store.create_student("A", "R1", at("2026-03-01T00:00:00Z")).unwrap().id;
        Self { folder, store, student }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db-waiting")
    }

    fn backlog(&self) -> Arc<Backlog> {
        Arc::new(Backlog::open(self.store.clone(), Some(&self.path()), at("2026-03-02T00:00:00Z")).unwrap())
    }

    fn marker(&self, backlog: &Arc<Backlog>) -> Marker {
        let policy = AttendancePolicy::in_time_zone("Asia/Kolkata").unwrap();
        Marker::new(self.store.clone(), policy).with_backlog(backlog.clone())
    }

    /// Another program that holds the database until this is dropped.
    fn held(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.folder.path().join("a.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    fn marks(&self) -> Vec<(Timestamp, String)> {
        let rows = self.store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        rows.into_iter().map(|row| (row.timestamp, row.local_day.unwrap().to_string())).collect()
    }
}

fn seen(marker: &Marker, student: StudentId, now: Timestamp) -> Noted<crate::store::Marking> {
    marker.note_sighting(student, Similarity::new(0.91), Some("Gate"), now).unwrap()
}

fn row(timestamp: Timestamp) -> NewDetectionLog {
    NewDetectionLog {
        timestamp,
        faces_detected: 1,
        students_recognized: 1,
        processing_time: Some(0.1 + 0.2),
        camera_location: Some("Gate".into()),
        error_message: None,
    }
}

fn entry(at: Timestamp) -> NewAuditEntry {
    NewAuditEntry { at, actor: "retention".into(), action: "delete old rows".into(), subject: None, details: None }
}

#[test]
fn a_sighting_while_the_database_is_held_is_marked_once_with_its_own_time() {
    let site = Site::new();
    let backlog = site.backlog();
    let marker = site.marker(&backlog);
    let held = site.held();
    // 18:29 UTC is the evening of the second in Kolkata; it is written on the third.
    let evening = at("2026-03-02T18:29:00Z");
    for second in 0..5 {
        assert_eq!(seen(&marker, site.student, evening + SignedDuration::from_secs(second)), Noted::Waits);
    }
    let status = backlog.status();
    assert_eq!((status.marks, status.marks_at("Gate"), status.is_kept), (1, 1, true), "{status:?}");
    assert_eq!(waiting_in(&site.path()).unwrap(), 1);
    assert_eq!(status.trouble, Some(StoreTrouble::Busy));
    assert!(backlog.write_waiting(at("2026-03-03T00:00:00Z")).is_empty(), "it is held still");
    assert_eq!(backlog.status().marks, 1);
    drop(held);
    let written = backlog.write_waiting(at("2026-03-03T00:00:00Z"));
    assert!(matches!(&written[..], [DeferredOutcome::Marking(crate::store::Marking::Marked(_))]), "{written:?}");
    assert_eq!(site.marks(), [(evening, "2026-03-02".to_owned())]);
    assert!(backlog.status().is_empty() && backlog.status().since.is_none());
    assert_eq!(waiting_in(&site.path()).unwrap(), 0);
    assert!(matches!(seen(&marker, site.student, evening), Noted::Now(crate::store::Marking::AlreadyMarked(_))));
}

#[test]
fn what_waits_survives_the_death_of_the_process_and_is_written_once() {
    let site = Site::new();
    let backlog = site.backlog();
    let now = at("2026-03-02T08:00:00Z");
    {
        let held = site.held();
        assert_eq!(seen(&site.marker(&backlog), site.student, now), Noted::Waits);
        assert_eq!(backlog.write(Deferred::DetectionLogs(vec![row(now)]), now).unwrap(), Written::Waits);
        assert_eq!(backlog.write(Deferred::Audit(entry(now)), now).unwrap(), Written::Waits);
        drop(held);
    }
    let before = std::fs::read(site.path()).unwrap();
    assert!(!String::from_utf8_lossy(&before).contains("R1"), "no roll number lies there");
    // The process dies after the database has taken the records and before the file is emptied.
    assert_eq!(backlog.write_waiting(now).len(), 3);
    let student = site.student;
    site.store.delete_attendance(1).unwrap();
    drop(backlog);
    std::fs::write(site.path(), &before).unwrap();
    let again = site.backlog();
    assert!(again.status().is_empty(), "all of it had been written: {:?}", again.status());
    assert!(again.write_waiting(now).is_empty());
    assert_eq!(site.marks().len(), 0, "a mark that was deleted does not come back");
    let logs = site.store.detection_logs(10).unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].entry, row(now));
    assert_eq!(site.store.audit(Page::ALL).unwrap().total, 1);
    // And before the database has taken them.
    let held = site.held();
    let later = now + SignedDuration::from_secs(120);
    assert_eq!(seen(&site.marker(&again), student, later), Noted::Waits);
    drop(again);
    let third = site.backlog();
    assert_eq!(third.status().marks, 1);
    assert_eq!(seen(&site.marker(&third), student, later), Noted::Waits, "it waits already");
    drop(held);
    assert_eq!(third.write_waiting(later).len(), 1);
    assert_eq!(site.marks(), [(later, "2026-03-02".to_owned())]);
}

#[test]
fn a_line_that_was_cut_off_or_changed_costs_itself_alone() {
    let site = Site::new();
    let backlog = site.backlog();
    let now = at("2026-03-02T08:00:00Z");
    let held = site.held();
    for hour in 0..3 {
        let now = now + SignedDuration::from_hours(hour);
        backlog.write(Deferred::DetectionLogs(vec![row(now)]), now).unwrap();
    }
    drop((held, backlog));
    let text = std::fs::read_to_string(site.path()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    lines[2] = lines[2].replace("Gate", "Gone");
    let cut = lines.join("\n");
    std::fs::write(site.path(), &cut[..cut.len() - 10]).unwrap();
    let backlog = site.backlog();
    assert_eq!(backlog.status().detection_logs, 1);
    backlog.write_waiting(now);
    assert_eq!(site.store.detection_logs(9).unwrap()[0].entry, row(now));
}

#[test]
fn records_of_another_database_are_set_aside_and_not_written() {
    let (site, other) = (Site::new(), Site::new());
    let now = at("2026-03-02T08:00:00Z");
    {
        let backlog = other.backlog();
        let _held = other.held();
        assert_eq!(seen(&other.marker(&backlog), other.student, now), Noted::Waits);
    }
    std::fs::copy(other.path(), site.path()).unwrap();
    let backlog = site.backlog();
    assert!(backlog.status().is_empty() && backlog.write_waiting(now).is_empty());
    assert!(own_file_beside(&site.path()).exists());
    assert_eq!(site.marks().len(), 0);
    assert_eq!(other.backlog().write_waiting(now).len(), 1, "its own database takes them");
}

fn own_file_beside(path: &Path) -> PathBuf {
    crate::own_file::beside(path, ".of-another-database")
}

#[test]
fn an_erased_student_leaves_nothing_in_the_file() {
    let site = Site::new();
    let backlog = site.backlog();
    let now = at("2026-03-02T08:00:00Z");
    let registry = crate::enrolment::Registry::new(site.store.clone()).with_marker(Arc::new(site.marker(&backlog)));
    let held = site.held();
    assert_eq!(seen(&site.marker(&backlog), site.student, now), Noted::Waits);
    assert_eq!(backlog.write(Deferred::Audit(entry(now)), now).unwrap(), Written::Waits);
    drop(held);
    registry.erase(site.student, MarksOfErased::Delete, now).unwrap();
    assert_eq!((backlog.status().marks, backlog.status().audit_entries), (0, 1));
    assert!(!std::fs::read_to_string(site.path()).unwrap().contains("sighting"));
    assert_eq!(backlog.write_waiting(now), [DeferredOutcome::Written]);
}

#[test]
fn what_waits_about_a_record_that_is_merged_is_of_the_one_that_stays() {
    let site = Site::new();
    let backlog = site.backlog();
    let now = at("2026-03-02T08:00:00Z");
    let other = site.store.create_student("A", "R2", now).unwrap().id;
    let held = site.held();
    assert_eq!(seen(&site.marker(&backlog), other, now), Noted::Waits);
    drop(held);
    backlog.hold(|| {
        assert!(backlog.write_waiting(now).is_empty(), "nothing goes to the database meanwhile");
        backlog.reassign(other, site.student);
    });
    drop(backlog);
    let again = site.backlog();
    let written = again.write_waiting(now);
    let [DeferredOutcome::Marking(marking)] = &written[..] else { panic!("{written:?}") };
    assert_eq!((marking.record().student, marking.record().timestamp), (site.student, now));
}

#[test]
fn a_sighting_of_a_student_who_is_gone_does_not_stop_the_others() {
    let site = Site::new();
    let backlog = site.backlog();
    let marker = site.marker(&backlog);
    let now = at("2026-03-02T08:00:00Z");
    let held = site.held();
    assert_eq!(seen(&marker, StudentId(site.student.0 + 7), now), Noted::Waits);
    assert_eq!(seen(&marker, site.student, now), Noted::Waits);
    drop(held);
    let written = backlog.write_waiting(now);
    assert!(matches!(written[..], [DeferredOutcome::StudentGone, DeferredOutcome::Marking(_)]), "{written:?}");
}

#[test]
fn a_disk_that_takes_no_file_keeps_the_records_in_memory_and_says_so() {
    let site = Site::new();
    let backlog = Arc::new(Backlog::open(site.store.clone(), None, at("2026-03-02T00:00:00Z")).unwrap());
    let now = at("2026-03-02T08:00:00Z");
    let held = site.held();
    assert_eq!(seen(&site.marker(&backlog), site.student, now), Noted::Waits);
    assert!(!backlog.status().is_kept);
    drop(held);
    assert_eq!(backlog.write_waiting(now).len(), 1);
}

#[test]
fn two_processes_do_not_share_a_file() {
    let site = Site::new();
    let first = site.backlog();
    let second = site.backlog();
    assert!(first.status().is_kept && !second.status().is_kept);
}

#[test]
fn what_waits_is_bounded_and_what_does_not_fit_is_counted() {
    let site = Site::new();
    let now = at("2026-03-02T08:00:00Z");
    let backlog = Backlog::open(site.store.clone(), None, now).unwrap();
    let held = site.held();
    for _ in 0..MOST_OTHERS {
        assert_eq!(backlog.write(Deferred::Audit(entry(now)), now).unwrap(), Written::Waits);
    }
    let refused = backlog.write(Deferred::Audit(entry(now)), now).unwrap_err();
    assert!(refused.to_string().contains("too much waits"), "{refused}");
    assert_eq!(seen(&site.marker(&Arc::new(backlog)), site.student, now), Noted::Waits, "marks have room of their own");
    drop(held);
}

#[test]
fn records_of_many_threads_go_in_once_while_the_database_comes_and_goes() {
    let site = Site::new();
    let backlog = site.backlog();
    let now = at("2026-03-02T08:00:00Z");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        let (backlog, is_over, site) = (&backlog, &is_over, &site);
        let writers: Vec<_> = (0..6)
            .map(|thread| {
                threads.spawn(move || {
                    for number in 0..40 {
                        let entry = NewAuditEntry { action: format!("{thread} {number}"), ..entry(now) };
                        backlog.write(Deferred::Audit(entry), now).unwrap();
                        std::thread::sleep(Duration::from_millis(30));
                    }
                })
            })
            .collect();
        threads.spawn(move || {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                backlog.write_waiting(now);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        // Longer than a write waits, and shorter.
        for held_for in [5_500, 200, 300] {
            let other = rusqlite::Connection::open(site.folder.path().join("a.db")).unwrap();
            other.busy_timeout(Duration::from_secs(20)).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(Duration::from_millis(held_for));
            other.execute_batch("ROLLBACK").unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    backlog.write_waiting(now);
    let mut actions: Vec<_> =
        site.store.audit(Page::ALL).unwrap().items.into_iter().map(|item| item.entry.action).collect();
    assert_eq!(actions.len(), 240);
    actions.sort();
    actions.dedup();
    assert_eq!(actions.len(), 240, "each once");
    assert!(backlog.status().is_empty());
}
