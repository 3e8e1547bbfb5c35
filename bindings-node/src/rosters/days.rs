//! Who was expected on which day, and how each attended.

use std::collections::HashMap;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{
    Arrivals as CoreArrivals, DayStatus as CoreStatus, Entry, MOST_DAYS, RosterDays as CoreDays,
    StatusCounts as CoreCounts,
};
use faceattend_core::store::{RosterOf, Store as CoreStore};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::civil::Date as Day;
use jiff::{Timestamp, ToSpan as _};
use napi::bindgen_prelude::{AsyncTask, ObjectFinalize};
use napi::{Env, Task};
use napi_derive::napi;

use super::entries::{Arrivals, DayPlan, DayStatus, RosterEntry, RosterStudent, StatusCounts};
use super::groups::Group;
use super::{Rosters, key};
use crate::error::{OrThrow as _, invalid};
use crate::gallery::student;
use crate::job::Job;
use crate::time::{self, Date};

/// Whom to read about, until when.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct RosterDaysOptions {
    /// The last day, itself included, as `YYYY-MM-DD`. Default: the first day. At most 800 days are read.
    pub last_day: Option<String>,
    /// The members of this group alone.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// This student alone.
    #[napi(ts_type = "number | null")]
    pub student_id: Option<f64>,
    /// The moment up to which people may still come. Default: now.
    pub now: Option<Date>,
}

/// Which entries to list. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct EntryQuery {
    /// Those of this day, as `YYYY-MM-DD`.
    pub day: Option<String>,
    /// Those with this status.
    pub status: Option<DayStatus>,
    /// Those of the members that this group has on the day.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// Those of this period.
    pub period: Option<String>,
}

/// Which entries to count. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct CountQuery {
    /// Those of this day, as `YYYY-MM-DD`.
    pub day: Option<String>,
    /// Those of the members that this group has on the day.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// Those of this period.
    pub period: Option<String>,
}

/// For whom a day is asked.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct PlanOptions {
    /// For this group. Default: for the site.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
    /// For this student.
    #[napi(ts_type = "number | null")]
    pub student_id: Option<f64>,
}

/// Whose arrivals are counted.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ArrivalOptions {
    /// The members of this group alone.
    #[napi(ts_type = "number | null")]
    pub group: Option<f64>,
}

/// Who was expected on the days of a span, and how each attended. `Rosters.days` reads it; it does not change. It is in
/// memory, and its methods return at once. A long list of entries takes its time on the thread that asks, some
/// microseconds for each: ask for a day or a status, or `counts`.
///
/// A student is expected where the timetable of a group of the student, else that of the site, has this day of the week
/// and the calendar has no holiday, unless the student is withdrawn, or was made on a later day and is in no group.
/// Where no timetable holds, days from Monday to Friday are marked once.
#[napi(custom_finalize)]
pub struct RosterDays {
    inner: CoreDays,
    policy: AttendancePolicy,
    first: Day,
    last: Day,
    /// Whose members alone are meant.
    group: Option<i64>,
    /// Where each student lies in the list.
    places: HashMap<StudentId, usize>,
    /// How many bytes JavaScript's collector was told of.
    told: i64,
}

/// The reading of days. JavaScript sees a small object and not the rows behind it: unless its collector is told of
/// their size, a service that reads often holds hundreds of megabytes that it has dropped.
pub struct DaysJob(Job<RosterDays>);

impl Task for DaysJob {
    type Output = RosterDays;
    type JsValue = RosterDays;

    fn compute(&mut self) -> napi::Result<RosterDays> {
        self.0.compute()
    }

    fn resolve(&mut self, env: Env, mut days: RosterDays) -> napi::Result<RosterDays> {
        days.told = days.bytes();
        env.adjust_external_memory(days.told)?;
        Ok(days)
    }
}

impl ObjectFinalize for RosterDays {
    fn finalize(self, env: Env) -> napi::Result<()> {
        env.adjust_external_memory(-self.told).map(drop)
    }
}

/// Which entries are wanted.
struct Wanted {
    days: (Day, Day),
    group: Option<i64>,
    period: Option<String>,
}

#[napi]
impl Rosters {
    /// Resolves to who was expected from `firstDay` to `lastDay`, and how each attended, as the database is now.
    /// Rejects with `not_found` for an unknown group or student.
    #[napi(
        ts_args_type = "firstDay: string, options?: RosterDaysOptions & Abortable",
        ts_return_type = "Promise<RosterDays>"
    )]
    pub fn days(&self, first_day: String, options: Option<RosterDaysOptions>) -> napi::Result<AsyncTask<DaysJob>> {
        let RosterDaysOptions { last_day, group, student_id, now } = options.unwrap_or_default();
        let first = time::day(&first_day).or_throw()?;
        let last = last_day.as_deref().map_or(Ok(first), time::day).or_throw()?;
        let of = of(group, student_id).or_throw()?;
        let now = time::moment_or_now(now).or_throw()?;
        check_span(first, last).or_throw()?;
        let policy = self.policy.clone();
        let store = self.store.clone();
        let job = Job::of(move || RosterDays::read(&*store, policy, of, (first, last), now));
        Ok(AsyncTask::new(DaysJob(job)))
    }
}

fn of(group: Option<f64>, student_id: Option<f64>) -> Result<RosterOf> {
    match (group, student_id) {
        (None, None) => Ok(RosterOf::Everybody),
        (Some(group), None) => Ok(RosterOf::Group(key(group)?)),
        (None, Some(id)) => Ok(RosterOf::Student(student(id)?)),
        (Some(_), Some(_)) => Err(invalid("days", "give a group or a student, not both")),
    }
}

fn check_span(first: Day, last: Day) -> Result<()> {
    if last < first {
        return Err(invalid("days", format!("{last} comes before {first}: choose a lastDay that is not before it")));
    }
    let days = i64::from((last - first).get_days()) + 1;
    if days > MOST_DAYS {
        return Err(invalid("days", format!("{days} days are too many: choose at most {MOST_DAYS}")));
    }
    Ok(())
}

#[napi]
impl RosterDays {
    /// The first and the last day, both included.
    #[napi(getter, ts_return_type = "[firstDay: string, lastDay: string]")]
    pub fn span(&self) -> Vec<String> {
        vec![self.first.to_string(), self.last.to_string()]
    }

    /// The students, ordered by name.
    #[napi(getter)]
    pub fn students(&self) -> Vec<RosterStudent> {
        self.inner.students().iter().map(Into::into).collect()
    }

    /// Every group, ordered by name.
    #[napi(getter)]
    pub fn groups(&self) -> Vec<Group> {
        self.inner.groups().iter().map(Into::into).collect()
    }

    /// When the last mark, check-out or excuse came; `null` without one.
    #[napi(getter)]
    pub fn changed_at(&self) -> Option<Date> {
        self.inner.changed_at().map(time::date)
    }

    /// Returns how a student attended one period of a day, the first one without a name; `null` where the student was
    /// not expected in it.
    #[napi(ts_args_type = "studentId: number, day: string, period?: string | null")]
    pub fn entry(&self, student_id: f64, day: String, period: Option<String>) -> napi::Result<Option<RosterEntry>> {
        let (id, day) = (student(student_id).or_throw()?, self.day(&day).or_throw()?);
        let student = self.places.get(&id).and_then(|place| self.inner.students().get(*place));
        let entry = student.and_then(|student| self.inner.entry(student, day, period.as_deref()));
        Ok(entry.as_ref().map(Into::into))
    }

    /// Returns how everybody attended who was expected: an entry for each student and period, by day.
    #[napi]
    pub fn entries(&self, query: Option<EntryQuery>) -> napi::Result<Vec<RosterEntry>> {
        let EntryQuery { day, status, group, period } = query.unwrap_or_default();
        let wanted = self.wanted(day.as_deref(), group, period).or_throw()?;
        let mut entries = Vec::new();
        self.each(&wanted, |entry| {
            if status.is_none_or(|status| status == entry.status.into()) {
                entries.push((&entry).into());
            }
        });
        Ok(entries)
    }

    /// Returns how many of those who were expected came, and how.
    #[napi]
    pub fn counts(&self, query: Option<CountQuery>) -> napi::Result<StatusCounts> {
        let CountQuery { day, group, period } = query.unwrap_or_default();
        let wanted = self.wanted(day.as_deref(), group, period).or_throw()?;
        let mut counts = CoreCounts::default();
        self.each(&wanted, |entry| counts.add(entry.status));
        Ok(counts.into())
    }

    /// Returns what a day is: for the site, a group or a student.
    #[napi]
    pub fn plan(&self, day: String, options: Option<PlanOptions>) -> napi::Result<DayPlan> {
        let PlanOptions { group, student_id } = options.unwrap_or_default();
        let day = self.day(&day).or_throw()?;
        let plan = match of(group, student_id).or_throw()? {
            RosterOf::Everybody => self.inner.plan_of_group(None, day),
            RosterOf::Group(id) => self.inner.plan_of_group(Some(id), day),
            RosterOf::Student(id) => self.inner.plan_of(id, day),
        };
        Ok((&plan).into())
    }

    /// Returns the keys of the groups that a student is in on a day.
    #[napi]
    pub fn groups_of(&self, student_id: f64, day: String) -> napi::Result<Vec<i64>> {
        let (id, day) = (student(student_id).or_throw()?, self.day(&day).or_throw()?);
        Ok(self.inner.groups_of(id, day).collect())
    }

    /// Returns whether a student is there at all on a day: made by then or a member of a group, and not withdrawn.
    #[napi]
    pub fn is_there(&self, student_id: f64, day: String) -> napi::Result<bool> {
        let (id, day) = (student(student_id).or_throw()?, self.day(&day).or_throw()?);
        Ok(self.inner.is_there(id, day))
    }

    /// Returns when people came on a day, or on all days, by the site's clocks. The first period of a day is counted.
    #[napi(ts_args_type = "day?: string | null, options?: ArrivalOptions")]
    pub fn arrivals(&self, day: Option<String>, options: Option<ArrivalOptions>) -> napi::Result<Arrivals> {
        let group = options.unwrap_or_default().group;
        let wanted = self.wanted(day.as_deref(), group, None).or_throw()?;
        let mut arrivals = CoreArrivals::default();
        let mut before = None;
        self.each(&wanted, |entry| {
            let own = Some((entry.student.id, entry.day));
            let is_first = std::mem::replace(&mut before, own) != own;
            if let Some(mark) = entry.mark.filter(|_| is_first && entry.status.came()) {
                arrivals.add(&self.policy, mark.at, entry.status == CoreStatus::Late);
            }
        });
        let (minutes, bins) = arrivals.bins();
        Ok(Arrivals { minutes: minutes.into(), bins: bins.into_iter().map(Into::into).collect() })
    }
}

impl RosterDays {
    fn read(
        store: &dyn CoreStore,
        policy: AttendancePolicy,
        of: RosterOf,
        (first, last): (Day, Day),
        now: Timestamp,
    ) -> Result<Self> {
        let inner = CoreDays::read(store, &policy, of, (first, last), now)?;
        let group = match of {
            RosterOf::Group(id) if inner.groups().iter().all(|group| group.id != id) => {
                return Err(Error::NotFound { what: "group" });
            }
            RosterOf::Student(_) if inner.students().is_empty() => return Err(Error::NotFound { what: "student" }),
            RosterOf::Group(id) => Some(id),
            RosterOf::Student(_) | RosterOf::Everybody => None,
        };
        let places = inner.students().iter().enumerate().map(|(place, student)| (student.id, place)).collect();
        Ok(Self { inner, policy, first, last, group, places, told: 0 })
    }

    /// Returns about how large it is: a student with the groups, and a mark for each day.
    fn bytes(&self) -> i64 {
        const STUDENT: i64 = 400;
        const MARK: i64 = 160;
        let days = i64::from((self.last - self.first).get_days()) + 1;
        i64::try_from(self.places.len()).unwrap_or(i64::MAX).saturating_mul(STUDENT + MARK * days)
    }

    /// The day that `text` names. One whose rows were not read is refused: everybody would be absent on it.
    fn day(&self, text: &str) -> Result<Day> {
        let (day, first, last) = (time::day(text)?, self.first, self.last);
        if (first..=last).contains(&day) {
            return Ok(day);
        }
        Err(invalid("day", format!("{day} does not lie in the days from {first} to {last} that were read")))
    }

    fn wanted(&self, day: Option<&str>, group: Option<f64>, period: Option<String>) -> Result<Wanted> {
        let days = match day {
            Some(text) => self.day(text).map(|day| (day, day))?,
            None => (self.first, self.last),
        };
        Ok(Wanted { days, group: group.map(key).transpose()?.or(self.group), period })
    }

    /// Calls `take` with each entry that is wanted, by day, student and period.
    fn each<'a>(&'a self, wanted: &Wanted, mut take: impl FnMut(Entry<'a>)) {
        let (first, last) = wanted.days;
        for day in first.series(1.day()).take_while(|day| *day <= last) {
            for student in self.inner.students() {
                let belongs = |id| self.inner.groups_of(student.id, day).any(|own| own == id);
                if wanted.group.is_none_or(belongs) {
                    let own =
                        |entry: &Entry<'_>| wanted.period.as_deref().is_none_or(|name| entry.period.name() == name);
                    self.inner.entries(student, day).filter(own).for_each(&mut take);
                }
            }
        }
    }
}
