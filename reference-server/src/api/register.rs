//! The register: a group's month as a sheet, in JSON, as CSV or as a workbook.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::attendance::{AttendancePolicy, Period};
use faceattend_core::roster::{DayPlan, DayStatus, RosterDays, StatusCounts};
use faceattend_core::store::{Group, RosterOf, Store};
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::register_file::{self, Row, Sheet};
use super::views::{Choice, Counts, NO_GROUP, OffDay, is_of};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{FlagOr, Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{CSV, Reply, XLSX, reply};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// As what the register is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
    Xlsx,
}

const FORMS: Word<Form> = Word(&[("json", Form::Json), ("csv", Form::Csv), ("xlsx", Form::Xlsx)]);

input! {
    /// Which register to return, and as what.
    pub(crate) struct Asked {
        query {
            /// The group; 0 for everybody who is in none. The first one without it.
            group: Option<i64> = Optional(Integer),
            /// A month such as 2026-11; this month without it.
            month: Option<String> = Optional(texts::MONTH),
            /// A period of the days; the first one of each day without it.
            period: Option<String> = Optional(texts::PERIOD),
            /// `json`, `csv` or `xlsx`.
            format: Option<Form> = Optional(FORMS),
            /// Every group, in a file.
            all: bool = FlagOr(false),
        }
    }
}

/// A group's month.
#[derive(Serialize, ToSchema)]
pub(crate) struct Register {
    month: String,
    group: Choice,
    /// The period that was asked for. Without one each day shows its first: its name, and null where the days of the
    /// month do not all begin with the same one.
    #[schema(required)]
    period: Option<String>,
    /// The periods of the days on which somebody was expected.
    periods: Vec<String>,
    /// The groups that can be asked for.
    choices: Vec<Choice>,
    days: Vec<RegisterDay>,
    rows: Vec<RegisterRow>,
    /// A sum for each day.
    sums: Vec<DaySum>,
}

#[derive(Serialize, ToSchema)]
struct RegisterDay {
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[serde(flatten)]
    off: OffDay,
}

/// A student's month.
#[derive(Serialize, ToSchema)]
struct RegisterRow {
    student_id: i64,
    name: String,
    roll_number: String,
    /// `Present`, `Late`, `LeftEarly`, `Excused`, `Absent` or `Pending` for each day; null where the student is not
    /// expected.
    statuses: Vec<Option<&'static str>>,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize, ToSchema)]
struct DaySum {
    expected: u64,
    /// Those who came.
    here: u64,
}

/// The register, as it was asked for.
pub(crate) enum Answered {
    Json(Box<Reply<Register>>),
    File { bytes: Vec<u8>, kind: &'static str, name: String },
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        match self {
            Self::Json(register) => Json(register).into_response(),
            Self::File { bytes, kind, name } => {
                let headers = [
                    (header::CONTENT_TYPE, kind.to_owned()),
                    (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
                ];
                (headers, bytes).into_response()
            }
        }
    }
}

impl Answer for Answered {
    fn describe(described: &mut Described) {
        described.json::<Reply<Register>>(axum::http::StatusCode::OK);
        described.file(CSV);
        described.file(XLSX);
    }
}

pub(super) const REGISTER: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/register",
    access: Access::Viewer,
    audit: Audit::IfNoted,
    tag: Tag::Attendance,
    summary: "Returns the register of a group and a month, as JSON, CSV or a workbook",
    errors: &[(400, "Error retrieving the register: the month is none such as 2026-11"), (404, "Group not found")],
};

pub(super) async fn register(
    State(app): State<AppState>,
    call: Authed<Asked>,
) -> std::result::Result<Answered, AppError> {
    let Asked { group, month, period, format, all } = call.input;
    let policy = app.settings().policy.clone();
    let form = format.unwrap_or(Form::Json);
    let period = period.filter(|name| !name.is_empty());
    let (answer, note) = app
        .with_store("Error retrieving the register", move |store| {
            let now = Timestamp::now();
            let first = first_of(&policy, month.as_deref(), now)?;
            let period = period.as_deref();
            if form == Form::Json {
                let register = register_of(store, &policy, group, first, period, now)?;
                return Ok((Answered::Json(Box::new(reply("Register retrieved successfully", register))), None));
            }
            let sheets = if all {
                every_sheet(store, &policy, first, period, now)?
            } else {
                vec![sheet_of(&register_of(store, &policy, group, first, period, now)?)]
            };
            let month = first.strftime("%Y-%m").to_string();
            let rows: usize = sheets.iter().map(|sheet| sheet.rows.len()).sum();
            let note = format!("{rows} students in {month}");
            let (bytes, kind, ending) = match form {
                Form::Xlsx => (register_file::xlsx_of(&sheets)?, XLSX, "xlsx"),
                Form::Csv | Form::Json => (register_file::csv_of(&sheets).into_bytes(), CSV, "csv"),
            };
            let name = format!("register_{}.{ending}", month.replace('-', "_"));
            Ok((Answered::File { bytes, kind, name }, Some(note)))
        })
        .await?;
    // A file leaves the server: who took it is kept.
    if let Some(note) = note {
        call.trail.note(note);
    }
    Ok(answer)
}

/// Returns the first day of the month.
fn first_of(policy: &AttendancePolicy, month: Option<&str>, now: Timestamp) -> Result<Date> {
    match month.filter(|text| !text.is_empty()) {
        None => Ok(policy.day(now)?.date.first_of_month()),
        Some(text) => format!("{text}-01")
            .parse::<Date>()
            .ok()
            .filter(|day| text == day.strftime("%Y-%m").to_string())
            .ok_or_else(|| {
                let reason = format!("{text:?} is no month such as 2026-11");
                Error::InvalidInput { what: "month", reason }
            }),
    }
}

fn register_of(
    store: &dyn Store,
    policy: &AttendancePolicy,
    group: Option<i64>,
    first: Date,
    period: Option<&str>,
    now: Timestamp,
) -> Result<Register> {
    // Without a name for the group it is the first one, which only the database knows.
    let group = match group {
        Some(id) => Some(id),
        None => {
            store.groups(first)?.into_iter().find(|size| size.group.archived_at.is_none()).map(|size| size.group.id)
        }
    };
    let of = group.filter(|id| *id != NO_GROUP).map_or(RosterOf::Everybody, RosterOf::Group);
    let roster = RosterDays::read(store, policy, of, (first, first.last_of_month()), now)?;
    let group = group.filter(|id| *id != NO_GROUP);
    let known = match group {
        Some(id) => Some(roster.groups().iter().find(|known| known.id == id).ok_or(Error::NotFound { what: "group" })?),
        None => None,
    };
    Ok(sheet_in(&roster, known, first, period))
}

/// Returns the sheet of a group, or of everybody who is in none.
fn sheet_in(roster: &RosterDays, group: Option<&Group>, first: Date, period: Option<&str>) -> Register {
    let days: Vec<Date> = first.series(1.day()).take_while(|day| *day <= first.last_of_month()).collect();
    let id = group.map(|group| group.id);
    let mut sums: Vec<DaySum> = days.iter().map(|_| DaySum { expected: 0, here: 0 }).collect();
    let plans: Vec<_> = days.iter().map(|day| (*day, roster.plan_of_group(id, *day))).collect();
    let is_school = |plan: &DayPlan<'_>| !OffDay::of(plan).is_off();
    // The days of school on which nobody was expected, as before the first student came.
    let mut unused: Vec<Date> = plans.iter().filter(|(_, plan)| is_school(plan)).map(|(day, _)| *day).collect();
    let mut rows = Vec::new();
    for student in roster.students() {
        let of_group = |day: &Date| is_of(roster, student, *day, Some(id.unwrap_or(NO_GROUP)));
        // A sheet names whom the group had in the month, also where nobody was expected yet.
        if !days.iter().any(of_group) {
            continue;
        }
        unused.retain(|day| !of_group(day) || roster.entries(student, *day).next().is_none());
        let mut counts = StatusCounts::default();
        let statuses = days.iter().zip(&mut sums).map(|(day, sum)| {
            let entry = roster.entry(student, *day, period).filter(|_| of_group(day))?;
            counts.add(entry.status);
            sum.expected += 1;
            sum.here += u64::from(entry.status.came());
            Some(entry.status.as_str())
        });
        let statuses = statuses.collect();
        rows.push(RegisterRow {
            student_id: student.id.0,
            name: student.name.clone(),
            roll_number: student.roll_number.clone(),
            statuses,
            counts: Counts::of(&counts),
        });
    }
    // Where a timetable changed, the days of one month have other periods.
    let mut periods: Vec<String> = Vec::new();
    let mut firsts: Vec<&str> = Vec::new();
    for (_, plan) in plans.iter().filter(|(day, plan)| is_school(plan) && !unused.contains(day)) {
        for (at, name) in plan.periods.iter().map(Period::name).enumerate() {
            if !periods.iter().any(|known| known == name) {
                periods.push(name.to_owned());
            }
            if at == 0 && !firsts.contains(&name) {
                firsts.push(name);
            }
        }
    }
    let first_of_all = <[&str; 1]>::try_from(firsts).ok().map(|[only]| only);
    let choices = roster.groups().iter().filter(|group| group.archived_at.is_none() || Some(group.id) == id);
    Register {
        month: first.strftime("%Y-%m").to_string(),
        group: Choice::of(group),
        period: period.or(first_of_all).map(str::to_owned),
        periods,
        choices: choices.map(|group| Choice::of(Some(group))).chain([Choice::of(None)]).collect(),
        days: plans.iter().map(|(day, plan)| RegisterDay { date: *day, off: OffDay::of(plan) }).collect(),
        rows,
        sums,
    }
}

/// Returns the sheets of every group that had somebody in the month.
fn every_sheet(
    store: &dyn Store,
    policy: &AttendancePolicy,
    first: Date,
    period: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Sheet>> {
    let roster = RosterDays::read(store, policy, RosterOf::Everybody, (first, first.last_of_month()), now)?;
    let groups = roster.groups().iter().map(Some).chain([None]);
    let sheets = groups.map(|group| sheet_of(&sheet_in(&roster, group, first, period)));
    Ok(sheets.filter(|sheet| !sheet.rows.is_empty()).collect())
}

/// The letters of a sheet, with what they mean.
const LETTERS: [(DayStatus, &str, &str); 6] = [
    (DayStatus::Present, "P", "Present"),
    (DayStatus::Late, "L", "Late"),
    (DayStatus::LeftEarly, "E", "Left early"),
    (DayStatus::Excused, "X", "Excused"),
    (DayStatus::Absent, "A", "Absent"),
    (DayStatus::Pending, "", ""),
];

fn sheet_of(register: &Register) -> Sheet {
    let name = register.group.name().unwrap_or("Without a group").to_owned();
    let letter = |word: Option<&str>| {
        LETTERS.iter().find(|(status, ..)| Some(status.as_str()) == word).map_or("", |(_, letter, _)| letter)
    };
    let meaning = LETTERS.iter().filter(|(_, letter, _)| !letter.is_empty());
    let rows = register.rows.iter().map(|row| Row {
        name: row.name.clone(),
        roll_number: row.roll_number.clone(),
        letters: row.statuses.iter().map(|word| letter(*word)).collect(),
        sums: row.counts.sums(),
    });
    Sheet {
        title: format!("{name}, {}", register.month),
        group: name,
        days: register.days.iter().map(|day| (day.date.to_string(), day.off.is_off())).collect(),
        sums: vec!["Present", "Late", "Left early", "Excused", "Absent", "Rate"],
        rows: rows.collect(),
        legend: meaning.map(|(_, letter, word)| format!("{letter} {word}")).collect::<Vec<_>>().join(", "),
    }
}
