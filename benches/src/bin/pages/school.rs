//! A school that is always the same: students in groups, and two years of marks.

use std::path::Path;

use faceattend_core::store::prelude::*;
use faceattend_core::store::{
    GroupKind, GroupRef, NewGroup, RosterChange, RosterOutcome, RosterRun, SqliteStore, StudentRef,
};
use jiff::civil::{Date, Weekday, date};
use jiff::{Timestamp, ToSpan as _};
use rusqlite::{Connection, params};

use crate::Outcome;

/// The last day that has marks, a Friday.
const LAST_DAY: Date = date(2026, 11, 27);
/// When the day begins and when an arrival is late, in minutes after midnight.
const EARLIEST: u64 = 7 * 60 + 20;
const LATE: u64 = 8 * 60 + 10;
/// How far arrivals are spread, in minutes.
const SPREAD: u64 = 55;
/// How many of a hundred students come on a day.
const ATTENDANCE: u64 = 94;
/// How many changes of the roster are one transaction.
const CHANGES: usize = 1000;
/// The memory for the pages of the database while it is made; negative numbers are KiB.
const CACHE_KIB: i32 = -1_000_000;

pub(crate) struct School {
    pub(crate) students: u32,
    pub(crate) groups: u32,
    days: u32,
}

impl School {
    pub(crate) fn new(students: u32, groups: u32, days: u32) -> Self {
        Self { students, groups: groups.max(1), days: days.max(1) }
    }

    pub(crate) fn last_day(&self) -> Date {
        LAST_DAY
    }

    fn first_day(&self) -> Outcome<Date> {
        Ok(LAST_DAY.checked_sub(i64::from(self.days - 1).days())?)
    }

    /// Makes the database in `folder`, unless it is there; returns how many marks it has.
    pub(crate) fn build(&self, folder: &Path) -> Outcome<u64> {
        let path = folder.join("face_attendance.db");
        let store = SqliteStore::open(&path)?;
        let by_hand = Connection::open(&path)?;
        let count =
            |db: &Connection| db.query_row("SELECT count(*) FROM attendance_log", [], |row| row.get::<_, u64>(0));
        let there = count(&by_hand)?;
        if there > 0 {
            return Ok(there);
        }
        self.enrol(&store)?;
        self.mark(by_hand)?;
        Ok(count(&Connection::open(&path)?)?)
    }

    /// Makes the groups and the students, each a member of one group from the first day on.
    fn enrol(&self, store: &SqliteStore) -> Outcome<()> {
        let (first, now) = (self.first_day()?, Timestamp::now());
        for number in 1..=self.groups {
            let name = format!("Class {number}");
            store.create_group(&NewGroup { name, kind: GroupKind::Class, by: "bench".into(), at: now })?;
        }
        let changes: Vec<RosterChange> = (0..self.students)
            .flat_map(|number| {
                let roll_number = format!("R{number:05}");
                let group = GroupRef::Name(format!("Class {}", number % self.groups + 1));
                let student = StudentRef::RollNumber(roll_number.clone());
                [
                    RosterChange::Student { roll_number, name: format!("Student {number}") },
                    RosterChange::Join { student, group, from_day: first, until_day: None },
                ]
            })
            .collect();
        for part in changes.chunks(CHANGES) {
            if let RosterOutcome::Refused(why) = store.change_roster(part, RosterRun::Apply, "bench", now)? {
                return Err(format!("the roster was refused: {:?}", why.first()).into());
            }
        }
        Ok(())
    }

    /// Writes the marks in one transaction: the store's own way takes a transaction for each.
    fn mark(&self, mut db: Connection) -> Outcome<()> {
        // Each student has a place of its own in an index.
        db.pragma_update(None, "cache_size", CACHE_KIB)?;
        let students: Vec<i64> = db
            .prepare("SELECT id FROM students ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        // splitmix64, as in the gallery's benchmark: the same school everywhere.
        let mut state = 16u64;
        let mut next = |below: u64| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % below
        };
        let writing = db.transaction()?;
        {
            let mut insert = writing.prepare(
                "INSERT INTO attendance_log (student_id, timestamp, status, confidence_score, camera_location,
                     created_at, local_day, period) VALUES (?1, ?2, ?3, 0.91, 'Gate', ?4, ?5, 'day')",
            )?;
            for day in self.first_day()?.series(1.day()).take_while(|day| *day <= LAST_DAY) {
                if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                    continue;
                }
                for student in &students {
                    if next(100) >= ATTENDANCE {
                        continue;
                    }
                    // Two dice: most come in the middle.
                    let minute = EARLIEST + (next(SPREAD) + next(SPREAD)) / 2;
                    let status = if minute >= LATE { "Late" } else { "Present" };
                    let second = format!("{day} {:02}:{:02}:{:02}", minute / 60, minute % 60, next(60));
                    let exact = format!("{second}.{:06}", next(1_000_000));
                    insert.execute(params![student, exact, status, second, day.to_string()])?;
                }
            }
        }
        writing.commit()?;
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize = 0x10002;")?;
        Ok(())
    }
}
