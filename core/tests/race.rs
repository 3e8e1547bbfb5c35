//! Eight cameras in each of two processes see the same fifty people at once, over midnight: each is marked once a day.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says its figures"
)]

use faceattend_core::store::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use faceattend_core::attendance::{AttendancePolicy, Marker, Marking};
use faceattend_core::store::{AttendanceFilter, Page, SqliteStore, Store};
use faceattend_core::types::{Similarity, StudentId};
use jiff::{SignedDuration, Timestamp};

const PEOPLE: i64 = 50;
const CAMERAS: usize = 8;
/// Tells the second process what to do.
const JOB: &str = "FACEATTEND_RACE_JOB";

/// The zone and the last midnight that its clocks show before the days are different ones: an ordinary night, one far
/// from Greenwich, and the night in which Cuba's clocks show midnight twice.
const NIGHTS: [(&str, &str); 3] = [
    ("Asia/Kolkata", "2026-03-02T18:30:00Z"),
    ("Pacific/Kiritimati", "2026-06-01T10:00:00Z"),
    ("America/Havana", "2026-11-01T04:00:00Z"),
];

/// Waits until both processes are at this moment: each leaves a file and looks for the other's.
fn meet(database: &Path, process: usize, moment: i64) {
    let file = |process: usize| database.with_file_name(format!("{moment}-{process}"));
    std::fs::write(file(process), "").unwrap();
    let begun = Instant::now();
    while !file(1 - process).exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the other process does not come");
        std::thread::yield_now();
    }
}

/// One process's cameras, which all see everybody at the same moments around midnight. Says how many marks it made.
fn watch(database: &Path, process: usize, zone: &str, midnight: Timestamp) -> usize {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(database).unwrap());
    let marker = Arc::new(Marker::new(store, AttendancePolicy::in_time_zone(zone).unwrap()));
    let together = Arc::new(Barrier::new(CAMERAS));
    let cameras: Vec<_> = (0..CAMERAS)
        .map(|camera| {
            let (marker, together, database) = (marker.clone(), together.clone(), database.to_owned());
            std::thread::spawn(move || {
                let place = format!("Gate {camera}");
                let mut made = 0;
                for seconds in [-1, 0, 1, 3599, 3600, 3601] {
                    let now = midnight + SignedDuration::from_secs(seconds);
                    if together.wait().is_leader() {
                        meet(&database, process, seconds);
                    }
                    together.wait();
                    for n in 0..PEOPLE {
                        // Every camera begins with somebody else, and somewhere both processes are at the same one.
                        let student = StudentId((n + camera as i64 * 7 + process as i64 * 3) % PEOPLE + 1);
                        let marking = marker.mark(student, Similarity::new(0.9), Some(&place), now).unwrap();
                        made += usize::from(matches!(marking, Marking::Marked(_)));
                    }
                }
                made
            })
        })
        .collect();
    cameras.into_iter().map(|camera| camera.join().unwrap()).sum()
}

#[test]
fn everybody_is_marked_once_a_day_whoever_sees_them() {
    for (zone, midnight) in NIGHTS {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let midnight: Timestamp = midnight.parse().unwrap();
        let store = SqliteStore::open(&database).unwrap();
        for n in 1..=PEOPLE {
            let student = store.create_student(&format!("S{n}"), &format!("R{n}"), midnight).unwrap();
            assert_eq!(student.id, StudentId(n));
        }
        let other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_other_process", "--ignored", "--nocapture"])
            .env(JOB, format!("{}|{zone}|{midnight}", database.display()))
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let here = watch(&database, 0, zone, midnight);
        let output = other.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}");
        let there: usize =
            told.split("marks made: ").nth(1).and_then(|n| n.split_whitespace().next()).unwrap().parse().unwrap();

        let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        let mut days: BTreeMap<(StudentId, String), usize> = BTreeMap::new();
        for row in &rows {
            *days.entry((row.student, row.local_day.unwrap().to_string())).or_default() += 1;
        }
        println!("{zone}: {here} marks here, {there} in the other process, {} rows", rows.len());
        assert!(days.values().all(|rows| *rows == 1), "{zone}: somebody is marked twice a day");
        assert_eq!(days.len(), PEOPLE as usize * 2, "{zone}: one mark for the day before and one for the day after");
        assert_eq!(here + there, rows.len(), "{zone}: every mark that was told is a row");
    }
}

#[test]
#[ignore = "the other half of the race"]
fn the_other_process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let [database, zone, midnight] = job.split('|').collect::<Vec<_>>()[..] else { panic!("{job}") };
    println!("marks made: {} ", watch(Path::new(database), 1, zone, midnight.parse().unwrap()));
}
