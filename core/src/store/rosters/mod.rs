//! Groups of students, timetables, the calendar and excuses.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod calendar;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod changes;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod database;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod excuses;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod groups;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod import;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod members;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod newcomers;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod people;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod timetables;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod words;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{
    CalendarEntry, Excuse, ExcuseFilter, Group, GroupChange, GroupSize, Membership, MembershipFilter, NewCalendarEntry,
    NewExcuse, NewGroup, NewTimetable, RemovedGroup, RosterChange, RosterImport, RosterOrder, RosterOutcome,
    RosterPlan, RosterQuery, RosterRows, RosterRun, TimetableVersion, Withdrawal,
};
use crate::error::Result;
use crate::types::StudentId;

/// Who belongs to which group when, when people are expected, and why somebody was absent.
///
/// Nothing here is a status: [`RosterDays`](crate::roster::RosterDays) derives them from
/// [`roster_rows`](Self::roster_rows).
/// Days are the site's own, so `today` comes from the caller.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::Timestamp;
/// use faceattend_core::store::{
///     GroupKind, GroupRef, NewGroup, RosterChange, RosterRun, SqliteStore, StudentRef, prelude::*,
/// };
/// use jiff::civil::date;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let (by, at) = ("Ms Rao".to_owned(), Timestamp::now());
/// let class = store.create_group(&NewGroup { name: "5A".into(), kind: GroupKind::Class, by, at })?;
/// let changes = [
///     RosterChange::Student { roll_number: "R1".into(), name: "Asha".into() },
///     RosterChange::Join {
///         student: StudentRef::RollNumber("R1".into()),
///         group: GroupRef::Id(class.id),
///         from_day: date(2026, 9, 1),
///         until_day: None,
///     },
/// ];
/// store.change_roster(&changes, RosterRun::Apply, "Ms Rao", at)?;
/// assert_eq!(store.groups(date(2026, 9, 1))?[0].members, 1);
/// assert_eq!(store.groups(date(2026, 8, 31))?[0].members, 0);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub trait Rosters: Send + Sync {
    /// Returns every group, ordered by name, with the number of its members on a day. Archived ones are among them.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn groups(&self, on: Date) -> Result<Vec<GroupSize>>;

    /// Returns the group with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn group(&self, id: i64) -> Result<Option<Group>>;

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) for a name that another group has, archived or not;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a blank name, a text beyond its [limit](super::limits),
    /// and one group more than [`limits::GROUPS`](super::limits::GROUPS).
    fn create_group(&self, new: &NewGroup) -> Result<Group>;

    /// Renames a group, or says what it is.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), and as [`create_group`](Self::create_group).
    fn change_group(&self, id: i64, change: &GroupChange) -> Result<Group>;

    /// Removes a group that never had a member, with its timetables. Another one is archived: its memberships end
    /// `today`, and its history stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_group(&self, id: i64, today: Date, now: Timestamp) -> Result<RemovedGroup>;

    /// Takes a group out of the archive. Its members do not come back.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn restore_group(&self, id: i64) -> Result<Group>;

    /// Makes the changes in one transaction, all of them or none.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a name of `by` beyond its [limit](super::limits); what
    /// is wrong with a change is in the outcome.
    fn change_roster(
        &self,
        changes: &[RosterChange],
        run: RosterRun,
        by: &str,
        now: Timestamp,
    ) -> Result<RosterOutcome>;

    /// Returns what the import of a list would change; nothing has changed.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn plan_import(&self, order: &RosterOrder<'_>) -> Result<RosterPlan>;

    /// Imports a list in one transaction: all of it or nothing. With a `fingerprint`, only if its
    /// [plan](Self::plan_import) is still the one that has it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a name of `by` beyond its [limit](super::limits), or
    /// more guardians of a student than that; what is wrong with a line is in the outcome.
    fn import_roster(
        &self,
        order: &RosterOrder<'_>,
        fingerprint: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<RosterImport>;

    /// Returns the memberships that pass the filter, ordered by student, first day and group.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn memberships(&self, filter: &MembershipFilter) -> Result<Vec<Membership>>;

    /// Returns the times in which students are not expected, of one student or of all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn withdrawals(&self, student: Option<StudentId>) -> Result<Vec<Withdrawal>>;

    /// Returns every version of every timetable, the site's first, in the order in which they hold.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn timetables(&self) -> Result<Vec<TimetableVersion>>;

    /// Keeps a version of a timetable. One that begins on the same day is replaced. Past days keep the timetable that
    /// they had: a version begins today or later, but for the first one of the site or the group.
    ///
    /// # Errors
    /// [`Error::State`](crate::Error::State) for a version that would change past days, and for an archived group;
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown one;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits).
    fn set_timetable(&self, new: &NewTimetable, today: Date) -> Result<TimetableVersion>;

    /// Removes a version that does not hold yet, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) for one that holds today, or
    /// held before.
    fn remove_timetable(&self, id: i64, today: Date) -> Result<TimetableVersion>;

    /// Returns the entries of the calendar that touch these days, ordered by day.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn calendar(&self, first_day: Date, last_day: Date) -> Result<Vec<CalendarEntry>>;

    /// Keeps an entry of the calendar. Of two entries for one day that contradict each other, the later one holds.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a last day before the first, a blank name, or a text
    /// beyond its [limit](super::limits); [`Error::NotFound`](crate::Error::NotFound) for an unknown group.
    fn add_calendar_entry(&self, new: &NewCalendarEntry) -> Result<CalendarEntry>;

    /// Removes an entry of the calendar, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_calendar_entry(&self, id: i64) -> Result<CalendarEntry>;

    /// Returns the excuses that pass the filter, ordered by day; withdrawn ones are among them.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn excuses(&self, filter: &ExcuseFilter) -> Result<Vec<Excuse>>;

    /// Returns the excuse with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn excuse(&self, id: i64) -> Result<Option<Excuse>>;

    /// Notes an excuse.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) without a reason or a name, for a last day before the first,
    /// and for a text beyond its [limit](super::limits).
    fn add_excuse(&self, new: &NewExcuse) -> Result<Excuse>;

    /// Withdraws an excuse: it stays, and excuses nothing any more.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) for one that was withdrawn
    /// before.
    fn withdraw_excuse(&self, id: i64, by: &str, now: Timestamp) -> Result<Excuse>;

    /// Returns what is stored of a span of days, as of one moment.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn roster_rows(&self, query: &RosterQuery) -> Result<RosterRows>;
}
