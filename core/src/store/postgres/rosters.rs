//! Groups of students, timetables, the calendar and excuses.

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::notices::text;
use super::super::rosters::database::RosterDatabase;
use super::super::rosters::{calendar, changes, excuses, groups, import, members, rows, timetables};
use super::super::{
    CalendarEntry, Excuse, ExcuseFilter, Group, GroupChange, GroupSize, Membership, MembershipFilter, NewCalendarEntry,
    NewExcuse, NewGroup, NewTimetable, RemovedGroup, RosterChange, RosterImport, RosterMark, RosterOrder,
    RosterOutcome, RosterPlan, RosterQuery, RosterRows, RosterRun, RosterStudent, Rosters, TimetableVersion,
    Withdrawal,
};
use super::outbox::Shared;
use super::roster_marks::{about, marks, params};
use super::{Fault, Outcome, PostgresStore, certain_time, keys, notices, seconds, students};
use crate::error::{Error, Result};
use crate::types::StudentId;

/// Whoever changes the roster holds this lock until the transaction is over: "rost" in ASCII.
const LOCK: i64 = 0x726f_7374;

impl RosterDatabase for Shared<'_, '_> {
    fn hold_roster(&mut self) -> Outcome<()> {
        self.db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
        Ok(())
    }

    fn tell_roster(&mut self) -> Outcome<()> {
        notices::leave(self.db, text::ROSTER)
    }

    fn complete_keys(&mut self) -> Outcome<()> {
        keys::complete(self.db)
    }

    fn insert_student(&mut self, name: &str, roll_number: &str, now: Timestamp) -> Outcome<StudentId> {
        Ok(students::create(self.db, name, roll_number, now)?.id)
    }

    fn insert_students(&mut self, new: &[(&str, &str)], now: Timestamp) -> Outcome<Vec<Option<StudentId>>> {
        students::create_all(self.db, new, now)
    }

    fn rename_student(&mut self, student: StudentId, name: &str, now: Timestamp) -> Outcome<()> {
        let rename = "UPDATE students SET name = $2, updated_at = $3::timestamp WHERE id = $1::bigint";
        self.db.execute(rename, &[&student.0, &name, &seconds(now)])?;
        self.complete_keys()
    }

    fn students(&mut self, query: &RosterQuery) -> Outcome<Vec<RosterStudent>> {
        let (about, values) = about("s.id", query);
        let sql = format!(
            "SELECT s.id::bigint, s.name::text, s.roll_number::text, s.created_at::timestamp FROM students s
             WHERE true {about}"
        );
        let mut found = Vec::new();
        for row in self.db.query(&sql, &params(&values))? {
            found.push(RosterStudent {
                id: StudentId(row.try_get(0)?),
                name: row.try_get(1)?,
                roll_number: row.try_get(2)?,
                created_at: certain_time(&row, 3)?,
            });
        }
        Ok(found)
    }

    fn marks(&mut self, query: &RosterQuery) -> Outcome<Vec<RosterMark>> {
        marks(self.db, query)
    }

    fn refusal(fault: Fault) -> Outcome<Error> {
        match fault {
            Fault::Ours(error) => Ok(error),
            fault @ Fault::Sql(_) => Err(fault),
        }
    }
}

impl Rosters for PostgresStore {
    fn groups(&self, on: Date) -> Result<Vec<GroupSize>> {
        self.read("list the groups", |db| groups::sizes(&mut Shared::of(db), on))
    }

    fn group(&self, id: i64) -> Result<Option<Group>> {
        self.read("read a group", |db| groups::find(&mut Shared::of(db), id))
    }

    fn create_group(&self, new: &NewGroup) -> Result<Group> {
        self.write("make a group", |db| groups::create(&mut Shared::of(db), new))
    }

    fn change_group(&self, id: i64, change: &GroupChange) -> Result<Group> {
        self.write("change a group", |db| groups::change(&mut Shared::of(db), id, change))
    }

    fn remove_group(&self, id: i64, today: Date, now: Timestamp) -> Result<RemovedGroup> {
        self.write("remove a group", |db| groups::remove(&mut Shared::of(db), id, today, now))
    }

    fn restore_group(&self, id: i64) -> Result<Group> {
        self.write("take a group out of the archive", |db| groups::restore(&mut Shared::of(db), id))
    }

    fn change_roster(
        &self,
        changes: &[RosterChange],
        run: RosterRun,
        by: &str,
        now: Timestamp,
    ) -> Result<RosterOutcome> {
        // A transaction that fails is taken back: so is one that is only tried.
        let mut taken_back = None;
        let done = self.write("change the roster", |db| {
            let (outcome, stays) = changes::make(&mut Shared::of(db), changes, run, by, now)?;
            if stays {
                return Ok(outcome);
            }
            taken_back = Some(outcome);
            Err(Error::Internal { reason: "the changes are taken back".into() }.into())
        });
        taken_back.map_or(done, Ok)
    }

    fn plan_import(&self, order: &RosterOrder<'_>) -> Result<RosterPlan> {
        self.read("plan the import", |db| import::planned(&mut Shared::of(db), order))
    }

    fn import_roster(
        &self,
        order: &RosterOrder<'_>,
        fingerprint: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<RosterImport> {
        let mut taken_back = None;
        let done = self.write("import the list", |db| {
            let (outcome, stays) = import::import(&mut Shared::of(db), order, fingerprint, by, now)?;
            if stays {
                return Ok(outcome);
            }
            taken_back = Some(outcome);
            Err(Error::Internal { reason: "the import is taken back".into() }.into())
        });
        taken_back.map_or(done, Ok)
    }

    fn memberships(&self, filter: &MembershipFilter) -> Result<Vec<Membership>> {
        self.read("list memberships", |db| members::list(&mut Shared::of(db), filter))
    }

    fn withdrawals(&self, student: Option<StudentId>) -> Result<Vec<Withdrawal>> {
        self.read("list withdrawals", |db| members::withdrawals_of(&mut Shared::of(db), student))
    }

    fn timetables(&self) -> Result<Vec<TimetableVersion>> {
        self.read("list the timetables", |db| timetables::all(&mut Shared::of(db)))
    }

    fn set_timetable(&self, new: &NewTimetable, today: Date) -> Result<TimetableVersion> {
        self.write("keep a timetable", |db| timetables::set(&mut Shared::of(db), new, today))
    }

    fn remove_timetable(&self, id: i64, today: Date) -> Result<TimetableVersion> {
        self.write("remove a timetable", |db| timetables::remove(&mut Shared::of(db), id, today))
    }

    fn calendar(&self, first_day: Date, last_day: Date) -> Result<Vec<CalendarEntry>> {
        self.read("read the calendar", |db| calendar::between(&mut Shared::of(db), first_day, last_day))
    }

    fn add_calendar_entry(&self, new: &NewCalendarEntry) -> Result<CalendarEntry> {
        self.write("change the calendar", |db| calendar::add(&mut Shared::of(db), new))
    }

    fn remove_calendar_entry(&self, id: i64) -> Result<CalendarEntry> {
        self.write("change the calendar", |db| calendar::remove(&mut Shared::of(db), id))
    }

    fn excuses(&self, filter: &ExcuseFilter) -> Result<Vec<Excuse>> {
        self.read("list excuses", |db| excuses::list(&mut Shared::of(db), filter))
    }

    fn excuse(&self, id: i64) -> Result<Option<Excuse>> {
        self.read("read an excuse", |db| excuses::find(&mut Shared::of(db), id))
    }

    fn add_excuse(&self, new: &NewExcuse) -> Result<Excuse> {
        self.write("note an excuse", |db| excuses::add(&mut Shared::of(db), new))
    }

    fn withdraw_excuse(&self, id: i64, by: &str, now: Timestamp) -> Result<Excuse> {
        self.write("withdraw an excuse", |db| excuses::withdraw(&mut Shared::of(db), id, by, now))
    }

    fn roster_rows(&self, query: &RosterQuery) -> Result<RosterRows> {
        self.read("read the roster", |db| rows::read(&mut Shared::of(db), query))
    }
}
