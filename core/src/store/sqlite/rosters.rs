//! Groups of students, timetables, the calendar and excuses.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{params, params_from_iter};

use super::super::naive_time::to_seconds;
use super::super::notices::text;
use super::super::rosters::database::RosterDatabase;
use super::super::rosters::{calendar, changes, excuses, groups, import, members, rows, timetables};
use super::super::{
    CalendarEntry, Excuse, ExcuseFilter, Group, GroupChange, GroupSize, Membership, MembershipFilter, NewCalendarEntry,
    NewExcuse, NewGroup, NewTimetable, RemovedGroup, RosterChange, RosterImport, RosterMark, RosterOrder,
    RosterOutcome, RosterPlan, RosterQuery, RosterRows, RosterRun, RosterStudent, Rosters, TimetableVersion,
    Withdrawal,
};
use super::connection::{Fault, Outcome, maybe_time, text as text_of};
use super::outbox::Shared;
use super::roster_marks::{about, marks};
use super::{SqliteStore, insert_student, keys, notices};
use crate::error::{Error, Result};
use crate::types::StudentId;

impl RosterDatabase for Shared<'_> {
    // One connection writes.
    fn hold_roster(&mut self) -> Outcome<()> {
        Ok(())
    }

    fn tell_roster(&mut self) -> Outcome<()> {
        Ok(notices::leave(self.0, text::ROSTER)?)
    }

    fn complete_keys(&mut self) -> Outcome<()> {
        Ok(keys::complete(self.0)?)
    }

    fn insert_student(&mut self, name: &str, roll_number: &str, now: Timestamp) -> Outcome<StudentId> {
        insert_student(self.0, name, roll_number, now)
    }

    fn insert_students(&mut self, new: &[(&str, &str)], now: Timestamp) -> Outcome<Vec<Option<StudentId>>> {
        new.iter()
            .map(|(name, roll_number)| match insert_student(self.0, name, roll_number, now) {
                Ok(id) => Ok(Some(id)),
                Err(Fault::Ours(Error::Conflict { .. })) => Ok(None),
                Err(fault) => Err(fault),
            })
            .collect()
    }

    fn rename_student(&mut self, student: StudentId, name: &str, now: Timestamp) -> Outcome<()> {
        let rename = "UPDATE students SET name = ?2, updated_at = ?3 WHERE id = ?1";
        self.0.prepare_cached(rename)?.execute(params![student.0, name, to_seconds(now)])?;
        self.complete_keys()
    }

    fn students(&mut self, query: &RosterQuery) -> Outcome<Vec<RosterStudent>> {
        let (about, values) = about("s.id", query);
        let sql = format!("SELECT s.id, s.name, s.roll_number, s.created_at FROM students s WHERE 1 {about}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let found = statement.query_map(params_from_iter(values), |row| {
            Ok(RosterStudent {
                id: StudentId(row.get(0)?),
                name: text_of(row, 1)?,
                roll_number: text_of(row, 2)?,
                created_at: maybe_time(row, 3)?.unwrap_or(Timestamp::UNIX_EPOCH),
            })
        })?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn marks(&mut self, query: &RosterQuery) -> Outcome<Vec<RosterMark>> {
        marks(self.0, query)
    }

    fn refusal(fault: Fault) -> Outcome<Error> {
        match fault {
            Fault::Ours(error) => Ok(error),
            fault @ Fault::Sql(_) => Err(fault),
        }
    }
}

impl Rosters for SqliteStore {
    fn groups(&self, on: Date) -> Result<Vec<GroupSize>> {
        self.read("list the groups", |db| groups::sizes(&mut Shared(db), on))
    }

    fn group(&self, id: i64) -> Result<Option<Group>> {
        self.read("read a group", |db| groups::find(&mut Shared(db), id))
    }

    fn create_group(&self, new: &NewGroup) -> Result<Group> {
        self.write("make a group", |db| groups::create(&mut Shared(db), new))
    }

    fn change_group(&self, id: i64, change: &GroupChange) -> Result<Group> {
        self.write("change a group", |db| groups::change(&mut Shared(db), id, change))
    }

    fn remove_group(&self, id: i64, today: Date, now: Timestamp) -> Result<RemovedGroup> {
        self.write("remove a group", |db| groups::remove(&mut Shared(db), id, today, now))
    }

    fn restore_group(&self, id: i64) -> Result<Group> {
        self.write("take a group out of the archive", |db| groups::restore(&mut Shared(db), id))
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
            let (outcome, stays) = changes::make(&mut Shared(db), changes, run, by, now)?;
            if stays {
                return Ok(outcome);
            }
            taken_back = Some(outcome);
            Err(Error::Internal { reason: "the changes are taken back".into() }.into())
        });
        taken_back.map_or(done, Ok)
    }

    fn plan_import(&self, order: &RosterOrder<'_>) -> Result<RosterPlan> {
        self.read("plan the import", |db| import::planned(&mut Shared(db), order))
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
            let (outcome, stays) = import::import(&mut Shared(db), order, fingerprint, by, now)?;
            if stays {
                return Ok(outcome);
            }
            taken_back = Some(outcome);
            Err(Error::Internal { reason: "the import is taken back".into() }.into())
        });
        taken_back.map_or(done, Ok)
    }

    fn memberships(&self, filter: &MembershipFilter) -> Result<Vec<Membership>> {
        self.read("list memberships", |db| members::list(&mut Shared(db), filter))
    }

    fn withdrawals(&self, student: Option<StudentId>) -> Result<Vec<Withdrawal>> {
        self.read("list withdrawals", |db| members::withdrawals_of(&mut Shared(db), student))
    }

    fn timetables(&self) -> Result<Vec<TimetableVersion>> {
        self.read("list the timetables", |db| timetables::all(&mut Shared(db)))
    }

    fn set_timetable(&self, new: &NewTimetable, today: Date) -> Result<TimetableVersion> {
        self.write("keep a timetable", |db| timetables::set(&mut Shared(db), new, today))
    }

    fn remove_timetable(&self, id: i64, today: Date) -> Result<TimetableVersion> {
        self.write("remove a timetable", |db| timetables::remove(&mut Shared(db), id, today))
    }

    fn calendar(&self, first_day: Date, last_day: Date) -> Result<Vec<CalendarEntry>> {
        self.read("read the calendar", |db| calendar::between(&mut Shared(db), first_day, last_day))
    }

    fn add_calendar_entry(&self, new: &NewCalendarEntry) -> Result<CalendarEntry> {
        self.write("change the calendar", |db| calendar::add(&mut Shared(db), new))
    }

    fn remove_calendar_entry(&self, id: i64) -> Result<CalendarEntry> {
        self.write("change the calendar", |db| calendar::remove(&mut Shared(db), id))
    }

    fn excuses(&self, filter: &ExcuseFilter) -> Result<Vec<Excuse>> {
        self.read("list excuses", |db| excuses::list(&mut Shared(db), filter))
    }

    fn excuse(&self, id: i64) -> Result<Option<Excuse>> {
        self.read("read an excuse", |db| excuses::find(&mut Shared(db), id))
    }

    fn add_excuse(&self, new: &NewExcuse) -> Result<Excuse> {
        self.write("note an excuse", |db| excuses::add(&mut Shared(db), new))
    }

    fn withdraw_excuse(&self, id: i64, by: &str, now: Timestamp) -> Result<Excuse> {
        self.write("withdraw an excuse", |db| excuses::withdraw(&mut Shared(db), id, by, now))
    }

    fn roster_rows(&self, query: &RosterQuery) -> Result<RosterRows> {
        self.mend_times();
        self.read("read the roster", |db| rows::read(&mut Shared(db), query))
    }
}
