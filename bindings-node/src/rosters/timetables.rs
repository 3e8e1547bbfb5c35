//! Timetables by version, and the calendar.

use faceattend_core::Result;
use faceattend_core::attendance::Period as CorePeriod;
use faceattend_core::store::{
    CalendarEntry as CoreEntry, CalendarKind as CoreCalendarKind, NewCalendarEntry as CoreNewEntry,
    NewTimetable as CoreNew, RosterScope, TimetableVersion as CoreVersion, Weekdays,
};
use jiff::civil::Weekday as CoreWeekday;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use super::{ChangeOptions, Rosters, Stamp, key};
use crate::error::OrThrow as _;
use crate::job::Job;
use crate::time::{self, Date, clock, clock_text};

/// A day of the week.
#[napi(string_enum = "lowercase")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A part of the day that is marked once, such as a lesson. It lasts until the next one begins. Times are those of the
/// site's clocks, as `HH:MM`.
#[napi(object, use_nullable = true)]
pub struct Period {
    pub name: String,
    /// From then on an arrival is one for it.
    pub begins: String,
    /// Arrivals from then on are late; `null` where nobody is.
    pub late_after: Option<String>,
    /// A marked person who is seen from then on is leaving; `null` where nobody is checked out.
    pub check_out_from: Option<String>,
}

/// A period that is to be kept.
#[napi(object, object_to_js = false)]
pub struct NewPeriod {
    pub name: String,
    /// From then on an arrival is one for it, as `HH:MM`: when the doors open, rather than the bell.
    pub begins: String,
    /// Arrivals from then on are late. Without it nobody is.
    #[napi(ts_type = "string | null")]
    pub late_after: Option<String>,
    /// A marked person who is seen from then on is leaving. Without it nobody is checked out.
    #[napi(ts_type = "string | null")]
    pub check_out_from: Option<String>,
}

/// What holds from a day on, until the next version of the timetable begins.
#[napi(object, use_nullable = true)]
pub struct TimetableVersion {
    /// The key.
    pub id: i64,
    /// The key of the group that it is for; `null` for the site.
    pub group: Option<i64>,
    /// The first day on which it holds, as `YYYY-MM-DD`.
    pub valid_from: String,
    /// The days on which people are expected.
    pub weekdays: Vec<Weekday>,
    /// The periods of each of these days; none for a day that is marked once.
    pub periods: Vec<Period>,
    pub created_at: Date,
    /// Who made it.
    pub created_by: String,
}

/// A version of a timetable that is to be kept.
#[napi(object, object_to_js = false)]
pub struct NewTimetable {
    /// The key of the group that it is for. Default: the site.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// The first day on which it holds, as `YYYY-MM-DD`. Default: the day of `at`.
    pub valid_from: Option<String>,
    /// The days on which people are expected. Default: Monday to Friday.
    pub weekdays: Option<Vec<Weekday>>,
    /// The periods of each of these days. Default: none, for a day that is marked once.
    pub periods: Option<Vec<NewPeriod>>,
    /// Who makes it. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// What an entry of the calendar says of its days: nobody is expected, or people are, whatever day of the week it is.
#[napi(string_enum = "snake_case")]
pub enum CalendarKind {
    Holiday,
    ExtraDay,
}

/// An entry of the calendar.
#[napi(object, use_nullable = true)]
pub struct CalendarEntry {
    /// The key.
    pub id: i64,
    /// The key of the group that it is for; `null` for the site.
    pub group: Option<i64>,
    pub kind: CalendarKind,
    /// The first day, as `YYYY-MM-DD`.
    pub first_day: String,
    /// The last day, itself included.
    pub last_day: String,
    /// The name, such as that of the holiday.
    pub name: String,
    pub created_at: Date,
    /// Who made it.
    pub created_by: String,
}

/// An entry of the calendar that is to be kept.
#[napi(object, object_to_js = false)]
pub struct NewCalendarEntry {
    /// Default `holiday`.
    pub kind: Option<CalendarKind>,
    /// The name, such as that of the holiday.
    pub name: String,
    /// The first day, as `YYYY-MM-DD`.
    pub first_day: String,
    /// The last day, itself included. Default: the first day.
    pub last_day: Option<String>,
    /// The key of the group that it is for. Default: the site.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// Who makes it. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

#[napi]
impl Rosters {
    /// Resolves to every version of every timetable, the site's first, in the order in which they hold.
    #[napi(ts_args_type = "options?: Abortable", ts_return_type = "Promise<Array<TimetableVersion>>")]
    pub fn timetables(&self) -> AsyncTask<Job<Vec<TimetableVersion>>> {
        self.job(|store| Ok(store.timetables()?.iter().map(Into::into).collect()))
    }

    /// Keeps a version of a timetable. One that begins on the same day is replaced. Past days keep the timetable that
    /// they had: a version begins on the day of `at` or later, but for the first one of the site or the group. Rejects
    /// with `state` for one that would change past days, and with `invalid_input` for periods that contradict each
    /// other.
    #[napi(ts_args_type = "timetable: NewTimetable, options?: Abortable", ts_return_type = "Promise<TimetableVersion>")]
    pub fn set_timetable(&self, timetable: NewTimetable) -> napi::Result<AsyncTask<Job<TimetableVersion>>> {
        let NewTimetable { group, valid_from, weekdays, periods, by, at } = timetable;
        let Stamp { by, at } = Stamp::of(by, at).or_throw()?;
        let today = self.day_or(None, at).or_throw()?;
        let scope = scope(group).or_throw()?;
        let valid_from = valid_from.as_deref().map_or(Ok(today), time::day).or_throw()?;
        let weekdays = match weekdays {
            None => Weekdays::MONDAY_TO_FRIDAY,
            Some(days) => Weekdays::new(days.into_iter().map(Into::into)).or_throw()?,
        };
        let periods = periods.unwrap_or_default().iter().map(NewPeriod::read).collect::<Result<Vec<_>>>().or_throw()?;
        let boundary = self.policy.day_boundary();
        let new = CoreNew::new(scope, valid_from, weekdays, periods, boundary, by, at).or_throw()?;
        Ok(self.job(move |store| store.set_timetable(&new, today).map(|version| (&version).into())))
    }

    /// Removes a version that does not hold yet on the day of `at`; resolves to what it was. Rejects with `state` for
    /// one that holds, or held before.
    #[napi(
        ts_args_type = "id: number, options?: ChangeOptions & Abortable",
        ts_return_type = "Promise<TimetableVersion>"
    )]
    pub fn remove_timetable(
        &self,
        id: f64,
        options: Option<ChangeOptions>,
    ) -> napi::Result<AsyncTask<Job<TimetableVersion>>> {
        let id = key(id).or_throw()?;
        let Stamp { at, .. } = Stamp::of_options(options).or_throw()?;
        let today = self.day_or(None, at).or_throw()?;
        Ok(self.job(move |store| store.remove_timetable(id, today).map(|version| (&version).into())))
    }

    /// Resolves to the entries of the calendar that touch these days, ordered by day. Without `lastDay`, one day.
    #[napi(
        ts_args_type = "firstDay: string, lastDay?: string | null, options?: Abortable",
        ts_return_type = "Promise<Array<CalendarEntry>>"
    )]
    pub fn calendar(
        &self,
        first_day: String,
        last_day: Option<String>,
    ) -> napi::Result<AsyncTask<Job<Vec<CalendarEntry>>>> {
        let first = time::day(&first_day).or_throw()?;
        let last = last_day.as_deref().map_or(Ok(first), time::day).or_throw()?;
        Ok(self.job(move |store| Ok(store.calendar(first, last)?.iter().map(Into::into).collect())))
    }

    /// Keeps an entry of the calendar. Of two entries for one day that contradict each other, the later one holds.
    #[napi(ts_args_type = "entry: NewCalendarEntry, options?: Abortable", ts_return_type = "Promise<CalendarEntry>")]
    pub fn add_calendar_entry(&self, entry: NewCalendarEntry) -> napi::Result<AsyncTask<Job<CalendarEntry>>> {
        let Stamp { by, at } = Stamp::of(entry.by, entry.at).or_throw()?;
        let first_day = time::day(&entry.first_day).or_throw()?;
        let new = CoreNewEntry {
            scope: scope(entry.group).or_throw()?,
            kind: match entry.kind {
                None | Some(CalendarKind::Holiday) => CoreCalendarKind::Holiday,
                Some(CalendarKind::ExtraDay) => CoreCalendarKind::ExtraDay,
            },
            first_day,
            last_day: entry.last_day.as_deref().map_or(Ok(first_day), time::day).or_throw()?,
            name: entry.name,
            by,
            at,
        };
        Ok(self.job(move |store| store.add_calendar_entry(&new).map(|entry| (&entry).into())))
    }

    /// Removes an entry of the calendar; resolves to what it was.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<CalendarEntry>")]
    pub fn remove_calendar_entry(&self, id: f64) -> napi::Result<AsyncTask<Job<CalendarEntry>>> {
        let id = key(id).or_throw()?;
        Ok(self.job(move |store| store.remove_calendar_entry(id).map(|entry| (&entry).into())))
    }
}

fn scope(group: Option<f64>) -> Result<RosterScope> {
    Ok(RosterScope::of(group.map(key).transpose()?))
}

impl NewPeriod {
    fn read(&self) -> Result<CorePeriod> {
        let mut period = CorePeriod::new(self.name.clone(), clock("begins", &self.begins)?);
        if let Some(time) = &self.late_after {
            period = period.with_late_after(clock("lateAfter", time)?);
        }
        if let Some(time) = &self.check_out_from {
            period = period.with_check_out_from(clock("checkOutFrom", time)?);
        }
        Ok(period)
    }
}

impl From<&CorePeriod> for Period {
    fn from(period: &CorePeriod) -> Self {
        Self {
            name: period.name().to_owned(),
            begins: clock_text(period.begins()),
            late_after: period.late_after().map(clock_text),
            check_out_from: period.check_out_from().map(clock_text),
        }
    }
}

impl From<&CoreVersion> for TimetableVersion {
    fn from(version: &CoreVersion) -> Self {
        Self {
            id: version.id,
            group: version.scope.group(),
            valid_from: version.valid_from.to_string(),
            weekdays: version.weekdays.iter().map(Into::into).collect(),
            periods: version.periods.iter().map(Into::into).collect(),
            created_at: time::date(version.created_at),
            created_by: version.created_by.clone(),
        }
    }
}

impl From<&CoreEntry> for CalendarEntry {
    fn from(entry: &CoreEntry) -> Self {
        Self {
            id: entry.id,
            group: entry.scope.group(),
            kind: match entry.kind {
                CoreCalendarKind::Holiday => CalendarKind::Holiday,
                CoreCalendarKind::ExtraDay => CalendarKind::ExtraDay,
            },
            first_day: entry.first_day.to_string(),
            last_day: entry.last_day.to_string(),
            name: entry.name.clone(),
            created_at: time::date(entry.created_at),
            created_by: entry.created_by.clone(),
        }
    }
}

impl From<Weekday> for CoreWeekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

impl From<CoreWeekday> for Weekday {
    fn from(day: CoreWeekday) -> Self {
        match day {
            CoreWeekday::Monday => Self::Mon,
            CoreWeekday::Tuesday => Self::Tue,
            CoreWeekday::Wednesday => Self::Wed,
            CoreWeekday::Thursday => Self::Thu,
            CoreWeekday::Friday => Self::Fri,
            CoreWeekday::Saturday => Self::Sat,
            CoreWeekday::Sunday => Self::Sun,
        }
    }
}
