//! The board of a day: each group with who is here, who is missing, late or excused.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Result;
use faceattend_core::attendance::{AttendancePolicy, Period};
use faceattend_core::roster::{DayStatus, Entry, RosterDays, StatusCounts};
use faceattend_core::store::{Group, RosterOf, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{Choice, Counts, NO_GROUP, OffDay, clock, tells_reasons, time_of};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional};
use crate::request::texts;
use crate::responses::{Reply, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

input! {
    /// Which day to show.
    pub(crate) struct Asked {
        query {
            /// A day of the site; today without it.
            date: Option<Date> = Optional(Day),
            /// One group alone; 0 for everybody who is in none.
            group: Option<i64> = Optional(Integer),
            /// A period of the day; without it the one that is now, and the first one of any other day.
            period: Option<String> = Optional(texts::PERIOD),
        }
    }
}

/// The board of a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Board {
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Whether the day is not over.
    is_today: bool,
    /// When the last mark or excuse of the day came.
    #[schema(required)]
    changed_at: Option<String>,
    /// What the day is for the site.
    #[schema(inline)]
    day: OffDay,
    /// How many students there are, expected or not.
    students: u64,
    /// The periods of the day, of all groups.
    periods: Vec<String>,
    /// The period that was asked for, or the one of the site.
    #[schema(required)]
    period: Option<String>,
    /// The groups that can be asked for.
    choices: Vec<Choice>,
    /// Everybody, each once.
    totals: Counts,
    groups: Vec<GroupBoard>,
}

/// A group on a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupBoard {
    #[serde(flatten)]
    group: Choice,
    #[schema(required)]
    kind: Option<&'static str>,
    #[schema(inline)]
    day: OffDay,
    /// The period that is counted, and its times by the site's clocks.
    #[schema(required)]
    period: Option<String>,
    #[schema(required)]
    begins: Option<String>,
    #[schema(required)]
    late_after: Option<String>,
    #[serde(flatten)]
    counts: Counts,
    missing_students: Vec<Named>,
    late_students: Vec<Named>,
    left_early_students: Vec<Named>,
    excused_students: Vec<Named>,
}

/// A student on the board.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Named {
    student_id: i64,
    name: String,
    roll_number: String,
    /// When the student came, or, having left early, went: by the site's clocks.
    #[schema(required)]
    time: Option<String>,
    /// Why the student is excused; null for viewers.
    #[schema(required)]
    reason: Option<String>,
}

pub(super) const TODAY: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/today",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Returns who is here and who is missing on a day, group by group",
    errors: &[(400, "Error retrieving the day: a day out of range")],
};

pub(super) async fn today(
    State(app): State<AppState>,
    call: Authed<Asked>,
) -> std::result::Result<Json<Reply<Board>>, AppError> {
    let (Asked { date, group, period }, tells) = (call.input, tells_reasons(call.role));
    let policy = app.settings().policy.clone();
    let period = period.filter(|name| !name.is_empty());
    let mut board = app
        .with_store("Error retrieving the day", move |store| {
            board_of(store, &policy, date, group, period.as_deref(), Timestamp::now())
        })
        .await?;
    if !tells {
        board.groups.iter_mut().flat_map(|group| &mut group.excused_students).for_each(|named| named.reason = None);
    }
    Ok(Json(reply("Day retrieved successfully", board)))
}

fn board_of(
    store: &dyn Store,
    policy: &AttendancePolicy,
    date: Option<Date>,
    only: Option<i64>,
    period: Option<&str>,
    now: Timestamp,
) -> Result<Board> {
    let today = policy.day(now)?.date;
    let date = date.unwrap_or(today);
    let roster = RosterDays::read(store, policy, RosterOf::Everybody, (date, date), now)?;
    let mut boards: BTreeMap<Option<i64>, Lists> = BTreeMap::new();
    let mut totals = StatusCounts::default();
    for student in roster.students() {
        let now = roster.period_now(&roster.plan_of(student.id, date), date);
        let entry = roster.entry(student, date, period.or(now.map(Period::name)));
        let counts = |boards: &mut BTreeMap<Option<i64>, Lists>, group| {
            let lists = boards.entry(group).or_default();
            if let Some(entry) = &entry {
                lists.add(policy, entry);
            }
        };
        let mut groups = roster.groups_of(student.id, date).peekable();
        if groups.peek().is_none() {
            counts(&mut boards, None);
        }
        groups.for_each(|group| counts(&mut boards, Some(group)));
        let counted = match only {
            None => true,
            Some(NO_GROUP) => roster.groups_of(student.id, date).next().is_none(),
            Some(group) => roster.groups_of(student.id, date).any(|own| own == group),
        };
        if let Some(entry) = entry.filter(|_| counted) {
            totals.add(entry.status);
        }
    }
    // Groups by name, and last who is in none.
    let named = roster.groups().iter().map(Some).chain([None]);
    let known: Vec<Option<&Group>> = named.filter(|group| boards.contains_key(&group.map(|group| group.id))).collect();
    let choices = known.iter().map(|group| Choice::of(*group)).collect();
    let wanted = known.into_iter().filter(|group| only.is_none_or(|id| group.map_or(NO_GROUP, |own| own.id) == id));
    let groups: Vec<GroupBoard> = wanted
        .filter_map(|group| {
            let lists = boards.remove(&group.map(|group| group.id))?;
            Some(lists.board(&roster, group, date, period))
        })
        .collect();
    let site = roster.plan_of_group(None, date);
    let plans = roster.groups().iter().map(|group| roster.plan_of_group(Some(group.id), date)).chain([site]);
    let names = plans.flat_map(|plan| plan.periods).map(|period| period.name().to_owned());
    let mut periods: Vec<String> = Vec::new();
    for name in names {
        if !periods.contains(&name) {
            periods.push(name);
        }
    }
    Ok(Board {
        date,
        is_today: date == today,
        changed_at: roster.changed_at().map(naive_utc),
        day: OffDay::of(&site),
        students: u64::try_from(roster.students().len()).unwrap_or(u64::MAX),
        period: period.or_else(|| roster.period_now(&site, date).map(Period::name)).map(str::to_owned),
        periods,
        choices,
        totals: Counts::of(&totals),
        groups,
    })
}

/// The students of a group, by how they are told.
#[derive(Default)]
struct Lists {
    counts: StatusCounts,
    missing: Vec<Named>,
    late: Vec<Named>,
    left_early: Vec<Named>,
    excused: Vec<Named>,
}

impl Lists {
    fn add(&mut self, policy: &AttendancePolicy, entry: &Entry<'_>) {
        self.counts.add(entry.status);
        let list = match entry.status {
            DayStatus::Present | DayStatus::Pending => return,
            DayStatus::Absent => &mut self.missing,
            DayStatus::Late => &mut self.late,
            DayStatus::LeftEarly => &mut self.left_early,
            DayStatus::Excused => &mut self.excused,
        };
        let time = entry.mark.map(|mark| match entry.status {
            DayStatus::LeftEarly => mark.checked_out_at.unwrap_or(mark.at),
            _ => mark.at,
        });
        list.push(Named {
            student_id: entry.student.id.0,
            name: entry.student.name.clone(),
            roll_number: entry.student.roll_number.clone(),
            time: time.map(|at| clock(policy, at)),
            reason: entry.excuse.map(|excuse| excuse.reason.clone()),
        });
    }

    fn board(self, roster: &RosterDays, group: Option<&Group>, date: Date, period: Option<&str>) -> GroupBoard {
        let plan = roster.plan_of_group(group.map(|group| group.id), date);
        let chosen = match period {
            Some(name) => plan.chosen(Some(name)),
            None => roster.period_now(&plan, date),
        };
        GroupBoard {
            group: Choice::of(group),
            kind: group.map(|group| group.kind.as_str()),
            day: OffDay::of(&plan),
            period: chosen.map(|period| period.name().to_owned()),
            begins: chosen.map(|period| time_of(period.begins())),
            late_after: chosen.and_then(Period::late_after).map(time_of),
            counts: Counts::of(&self.counts),
            missing_students: self.missing,
            late_students: self.late,
            left_early_students: self.left_early,
            excused_students: self.excused,
        }
    }
}
