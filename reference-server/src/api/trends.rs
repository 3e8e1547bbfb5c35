//! How attendance goes: arrivals through the day, rates by week and by group.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{Arrivals, DayStatus, RosterDays, StatusCounts};
use faceattend_core::store::Store;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{Choice, Counts, NO_GROUP, is_of, readers_of, span, time_of};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional};
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// Without a first day: eight weeks.
const WEEKS: i64 = 8;
/// How many days are read at once. A year of a large school has a million marks, which need not be in memory together.
const AT_ONCE: i64 = 92;

input! {
    /// Which days to sum up.
    pub(crate) struct Asked {
        query {
            /// The first day of the site; without it eight weeks before the last one.
            from: Option<Date> = Optional(Day),
            /// The last day, included; today without it.
            to: Option<Date> = Optional(Day),
            /// One group alone; 0 for everybody who is in none.
            group: Option<i64> = Optional(Integer),
        }
    }
}

/// How attendance goes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trends {
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// How many days anybody was expected.
    days: u64,
    /// The groups that can be asked for.
    choices: Vec<Choice>,
    counts: Counts,
    /// How many minutes an entry of `arrivals` covers.
    arrival_minutes: u16,
    arrivals: Vec<Arrival>,
    weeks: Vec<Week>,
    groups: Vec<GroupRate>,
}

/// Arrivals in some minutes of the day, for the first period of each day.
#[derive(Serialize, ToSchema)]
struct Arrival {
    /// The first of these minutes, by the site's clocks.
    time: String,
    present: u64,
    late: u64,
}

#[derive(Serialize, ToSchema)]
struct Week {
    /// Its Monday.
    #[schema(value_type = String, format = Date)]
    begins: Date,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize, ToSchema)]
struct GroupRate {
    #[serde(flatten)]
    group: Choice,
    #[serde(flatten)]
    counts: Counts,
}

pub(super) const TRENDS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/trends",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Returns arrivals through the day, and rates by week and by group",
    errors: &[(400, "Error retrieving the trends: `to` comes before `from`"), (404, "Group not found")],
};

pub(super) async fn trends(
    State(app): State<AppState>,
    call: Authed<Asked>,
) -> std::result::Result<Json<Reply<Trends>>, AppError> {
    let Asked { from, to, group } = call.input;
    let policy = app.settings().policy.clone();
    let trends = app
        .with_store("Error retrieving the trends", move |store| {
            trends_of(store, &policy, from, to, group, Timestamp::now())
        })
        .await?;
    Ok(Json(reply("Trends retrieved successfully", trends)))
}

fn trends_of(
    store: &dyn Store,
    policy: &AttendancePolicy,
    from: Option<Date>,
    to: Option<Date>,
    only: Option<i64>,
    now: Timestamp,
) -> Result<Trends> {
    let to = match to {
        Some(day) => day,
        None => policy.day(now)?.date,
    };
    let (from, to) = span(from.unwrap_or_else(|| to.saturating_sub(WEEKS.weeks())), to)?;
    let mut sums = Sums::default();
    let mut begins = from;
    let mut roster;
    loop {
        let ends = begins.saturating_add((AT_ONCE - 1).days()).min(to);
        roster = RosterDays::read(store, policy, readers_of(only), (begins, ends), now)?;
        if let Some(id) = only.filter(|id| *id != NO_GROUP) {
            roster.groups().iter().find(|group| group.id == id).ok_or(Error::NotFound { what: "group" })?;
        }
        sums.add(&roster, policy, (begins, ends), only);
        if ends == to {
            break;
        }
        begins = ends.saturating_add(1.day());
    }
    let Sums { days, all, arrivals, weeks, groups } = sums;
    let known = |id| roster.groups().iter().find(|group| group.id == id);
    let (arrival_minutes, bins) = arrivals.bins();
    let shown = groups.iter().filter(|(id, _)| only.is_none() || **id == only.filter(|id| *id != NO_GROUP));
    let groups =
        shown.map(|(id, counts)| GroupRate { group: Choice::of(id.and_then(known)), counts: Counts::of(counts) });
    let choices = roster.groups().iter().filter(|group| group.archived_at.is_none() || Some(group.id) == only);
    Ok(Trends {
        from,
        to,
        days,
        choices: choices.map(|group| Choice::of(Some(group))).chain([Choice::of(None)]).collect(),
        counts: Counts::of(&all),
        arrival_minutes,
        arrivals: bins
            .into_iter()
            .map(|bin| Arrival { time: time_of(bin.begins), present: bin.in_time, late: bin.late })
            .collect(),
        weeks: weeks.into_iter().map(|(begins, counts)| Week { begins, counts: Counts::of(&counts) }).collect(),
        groups: groups.collect(),
    })
}

/// What is summed up of a span of days.
#[derive(Default)]
struct Sums {
    /// How many days anybody was expected.
    days: u64,
    all: StatusCounts,
    arrivals: Arrivals,
    weeks: BTreeMap<Date, StatusCounts>,
    groups: BTreeMap<Option<i64>, StatusCounts>,
}

impl Sums {
    /// Adds the days from `from` to `to`, student by student: what is known of a student lies together.
    fn add(&mut self, roster: &RosterDays, policy: &AttendancePolicy, (from, to): (Date, Date), only: Option<i64>) {
        let mut days: Vec<(Date, StatusCounts)> =
            from.series(1.day()).take_while(|day| *day <= to).map(|day| (day, StatusCounts::default())).collect();
        for student in roster.students() {
            // The groups of the day before, mostly those of the next one.
            let (mut own, mut of_own) = (Vec::new(), StatusCounts::default());
            for (day, of_day) in &mut days {
                if !is_of(roster, student, *day, only) {
                    continue;
                }
                let mut counts = StatusCounts::default();
                for (at, entry) in roster.entries(student, *day).enumerate() {
                    counts.add(entry.status);
                    if let Some(mark) = entry.mark.filter(|_| at == 0 && entry.status.came()) {
                        self.arrivals.add(policy, mark.at, entry.status == DayStatus::Late);
                    }
                }
                if counts.expected() == 0 {
                    continue;
                }
                of_day.add_all(&counts);
                if !roster.groups_of(student.id, *day).eq(own.iter().copied()) {
                    self.add_to_groups(&own, &of_own);
                    of_own = StatusCounts::default();
                    own = roster.groups_of(student.id, *day).collect();
                }
                of_own.add_all(&counts);
            }
            self.add_to_groups(&own, &of_own);
        }
        for (day, of_day) in days.iter().filter(|(_, of_day)| of_day.expected() > 0) {
            let week = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
            self.days += 1;
            self.weeks.entry(week).or_default().add_all(of_day);
            self.all.add_all(of_day);
        }
    }

    /// Adds the counts to each of the groups, or to those who are in none.
    fn add_to_groups(&mut self, groups: &[i64], counts: &StatusCounts) {
        if counts.expected() == 0 {
            return;
        }
        if groups.is_empty() {
            self.groups.entry(None).or_default().add_all(counts);
        }
        for group in groups {
            self.groups.entry(Some(*group)).or_default().add_all(counts);
        }
    }
}
