//! Marking attendance in SQLite on a disk: the first time on a day, and every time after.

use criterion::{Criterion, criterion_group, criterion_main};
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::prelude::*;
use faceattend_core::store::{NewAttendance, SqliteStore};
use jiff::{SignedDuration, Timestamp};

fn store(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("bench.db")).expect("a store");
    let policy = AttendancePolicy::in_time_zone("UTC").expect("a policy");
    let student = store.create_student("Bench", "B1", Timestamp::UNIX_EPOCH).expect("a student").id;
    let on_day = |day: i64| {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day + 8);
        NewAttendance {
            student,
            at,
            day: policy.day(at).expect("a day"),
            period: policy.period(at).to_owned(),
            status: policy.status(at),
            confidence_score: Some(0.9),
            camera_location: None,
        }
    };
    let mut group = c.benchmark_group("store");
    let mut day = 0;
    group.bench_function("mark, new", |b| {
        b.iter(|| {
            day += 1;
            store.mark_attendance(&on_day(day)).expect("a mark")
        });
    });
    let again = on_day(0);
    group.bench_function("mark, already there", |b| b.iter(|| store.mark_attendance(&again).expect("a mark")));
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
