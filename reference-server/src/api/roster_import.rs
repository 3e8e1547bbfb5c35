//! Imports the list of a school, or says what that would change.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Result;
use faceattend_core::roster_file::{self, ReadOptions, RosterFile, read};
use faceattend_core::store::{
    PlannedChange, PlannedMembership, PlannedStudent, RosterImport, RosterOrder, RosterPlan, RosterProblem, Store,
    Unlisted, UnlistedStudent,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::today;
use crate::error::AppError;
use crate::request::file::AuthedFile;
use crate::request::input::input;
use crate::request::kinds::{FlagOr, Optional, TextOr, Word};
use crate::request::texts;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// How many students, problems and others an answer lists of each: a page shows no more, and the numbers say how many
/// there are.
const MOST_LISTED: usize = 5000;

/// Whether the import happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What would change is answered, and nothing has changed.
    Preview,
    /// All of it happens, or nothing.
    Apply,
}

const MODES: Word<Mode> = Word(&[("preview", Mode::Preview), ("apply", Mode::Apply)]);

input! {
    /// How the list in the form is imported.
    pub(crate) struct How {
        query {
            /// `preview`, as where it is left out, or `apply`.
            mode: Option<Mode> = Optional(MODES),
            /// The sheet of a workbook; its first one where it is left out.
            sheet: Option<String> = Optional(texts::SHEET),
            /// The encoding of a CSV file, such as `windows-1251`; told by the file where it is left out.
            encoding: Option<String> = Optional(texts::FORMAT),
            /// Whether students whom the list does not name are withdrawn. Nobody is erased.
            withdraw_missing: bool = FlagOr(false),
            /// That of the preview: nothing is imported when the database has changed so that another plan would
            /// come out.
            fingerprint: Option<String> = Optional(texts::FORMAT),
            /// The language of letters to guardians who are new.
            language: String = TextOr(texts::LANGUAGE, "en"),
        }
    }
}

/// What an import would change, or has changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportPlan {
    /// Whether it has happened.
    applied: bool,
    /// Whether the database has changed since the preview: nothing was imported, and this is the new plan.
    outdated: bool,
    /// Send it with `apply`, so that what happens is what was shown.
    fingerprint: String,
    counts: ImportCounts,
    /// What is wrong. A list with problems is not imported.
    problems: Vec<ListProblem>,
    new_groups: Vec<NewGroupItem>,
    new: Vec<NewItem>,
    changed: Vec<ChangedItem>,
    /// The students whom the list does not name.
    missing: Vec<MissingItem>,
    /// Whether they are withdrawn.
    withdraws_missing: bool,
    /// The headings of columns that were not read.
    unknown_columns: Vec<String>,
    /// The sheet that was read, of a workbook.
    #[schema(required)]
    sheet: Option<String>,
    other_sheets: Vec<String>,
    /// The encoding where the file does not say it: look whether the names are right.
    #[schema(required)]
    guessed_encoding: Option<&'static str>,
}

/// How many there are of each. The lists hold 5,000 at most.
#[derive(Serialize, ToSchema)]
struct ImportCounts {
    listed: usize,
    new: usize,
    changed: usize,
    unchanged: usize,
    missing: usize,
    problems: usize,
}

/// What is wrong with a list, and where.
#[derive(Serialize, ToSchema)]
struct ListProblem {
    /// The line of the file, or the row of the sheet; null where the whole file is meant.
    #[schema(required)]
    line: Option<u32>,
    /// The heading of the column.
    #[schema(required)]
    column: Option<String>,
    /// A stable word, such as `missing`.
    code: &'static str,
    /// The text, number or limit that it is about; may be empty.
    value: String,
    message: String,
}

impl ListProblem {
    fn of(problem: &RosterProblem) -> Self {
        Self {
            line: problem.line,
            column: problem.column.clone(),
            code: problem.code.as_str(),
            value: problem.value.clone(),
            message: problem.message.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct NewGroupItem {
    name: String,
    kind: &'static str,
}

/// A membership that begins or changes.
#[derive(Serialize, ToSchema)]
struct PlannedItem {
    group: String,
    #[schema(format = Date)]
    from_day: String,
    /// The first day on which it is over; null for no end.
    #[schema(required, format = Date)]
    until_day: Option<String>,
}

impl PlannedItem {
    fn all(planned: &[PlannedMembership]) -> Vec<Self> {
        let item = |its: &PlannedMembership| Self {
            group: its.group.clone(),
            from_day: its.from.to_string(),
            until_day: its.until.map(|day| day.to_string()),
        };
        planned.iter().map(item).collect()
    }
}

/// A student who is made.
#[derive(Serialize, ToSchema)]
struct NewItem {
    line: u32,
    roll_number: String,
    name: String,
    joins: Vec<PlannedItem>,
    /// How many addresses of guardians are added.
    new_guardians: usize,
}

impl NewItem {
    fn of(new: &PlannedStudent) -> Self {
        Self {
            line: new.line,
            roll_number: new.roll_number.clone(),
            name: new.name.clone(),
            joins: PlannedItem::all(&new.joins),
            new_guardians: new.guardian_emails.len(),
        }
    }
}

/// A student who changes.
#[derive(Serialize, ToSchema)]
struct ChangedItem {
    line: u32,
    student_id: i64,
    roll_number: String,
    /// The name as it is.
    name: String,
    /// The name that takes its place.
    #[schema(required)]
    new_name: Option<String>,
    joins: Vec<PlannedItem>,
    /// Memberships that get other days.
    redated: Vec<PlannedItem>,
    /// The groups that the student leaves today.
    leaves: Vec<String>,
    /// How many addresses of guardians are added.
    new_guardians: usize,
    /// Whether the student had left and comes back.
    returns: bool,
    /// The day from which on the student is not expected any more.
    #[schema(required, format = Date)]
    withdrawn_on: Option<String>,
}

impl ChangedItem {
    fn of(change: &PlannedChange) -> Self {
        Self {
            line: change.line,
            student_id: change.student.0,
            roll_number: change.roll_number.clone(),
            name: change.name.clone(),
            new_name: change.new_name.clone(),
            joins: PlannedItem::all(&change.joins),
            redated: PlannedItem::all(&change.redated),
            leaves: change.leaves.clone(),
            new_guardians: change.guardian_emails.len(),
            returns: change.returns,
            withdrawn_on: change.withdrawn_on.map(|day| day.to_string()),
        }
    }
}

/// A student whom the list does not name.
#[derive(Serialize, ToSchema)]
struct MissingItem {
    student_id: i64,
    roll_number: String,
    name: String,
}

impl MissingItem {
    fn of(student: &UnlistedStudent) -> Self {
        Self { student_id: student.student.0, roll_number: student.roll_number.clone(), name: student.name.clone() }
    }
}

fn listed<T, A>(all: &[T], item: impl Fn(&T) -> A) -> Vec<A> {
    all.iter().take(MOST_LISTED).map(item).collect()
}

impl ImportPlan {
    fn of(list: &RosterFile, plan: &RosterPlan, (applied, outdated): (bool, bool)) -> Self {
        let problems: Vec<&RosterProblem> = list.problems.iter().chain(&plan.problems).collect();
        Self {
            applied,
            outdated,
            fingerprint: plan.fingerprint.clone(),
            counts: ImportCounts {
                listed: list.rows.len(),
                new: plan.new.len(),
                changed: plan.changed.len(),
                unchanged: plan.unchanged,
                missing: plan.unlisted.len(),
                problems: problems.len(),
            },
            problems: listed(&problems, |problem| ListProblem::of(problem)),
            new_groups: listed(&plan.new_groups, |group| NewGroupItem {
                name: group.name.clone(),
                kind: group.kind.as_str(),
            }),
            new: listed(&plan.new, NewItem::of),
            changed: listed(&plan.changed, ChangedItem::of),
            missing: listed(&plan.unlisted, MissingItem::of),
            withdraws_missing: plan.withdraws,
            unknown_columns: list.unknown_columns.clone(),
            sheet: list.sheet.clone(),
            other_sheets: list.other_sheets.clone(),
            guessed_encoding: list.guessed_encoding,
        }
    }
}

/// Plans the import of a list, or carries it out. Returns the plan, whether it has happened, and whether it is another
/// one than that with the fingerprint.
pub(crate) fn import(
    store: &dyn Store,
    list: &RosterFile,
    order: &RosterOrder<'_>,
    (mode, fingerprint): (Mode, Option<&str>),
    by: &str,
) -> Result<(RosterPlan, bool, bool)> {
    if mode == Mode::Preview {
        return Ok((store.plan_import(order)?, false, false));
    }
    Ok(match roster_file::import(store, list, order, fingerprint, by, Timestamp::now())? {
        RosterImport::Done(plan) => (plan, true, false),
        RosterImport::Outdated(plan) => (plan, false, true),
        RosterImport::Refused(plan) => (plan, false, false),
    })
}

pub(super) const IMPORT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/import",
    access: Access::Operator,
    audit: Audit::IfNoted,
    tag: Tag::Groups,
    summary: "Imports a list of students from CSV or an Excel workbook, or says what that would change",
    errors: &[],
};

pub(super) async fn import_list(
    State(app): State<AppState>,
    call: AuthedFile<How>,
) -> std::result::Result<Json<Reply<ImportPlan>>, AppError> {
    let AuthedFile { user, trail, input, name, bytes, .. } = call;
    let How { mode, sheet, encoding, withdraw_missing, fingerprint, language } = input;
    let state = app.clone();
    let plan = app
        .with_store("Error importing the list", move |store| {
            let given = |text: Option<String>| text.filter(|text| !text.is_empty());
            let list = read(&bytes, &ReadOptions { sheet: given(sheet), encoding: given(encoding) });
            let unlisted = if withdraw_missing { Unlisted::Withdraw } else { Unlisted::Keep };
            let order = RosterOrder { rows: &list.rows, unlisted, day: today(&state)?, language: &language };
            let fingerprint = given(fingerprint);
            let how = (mode.unwrap_or(Mode::Preview), fingerprint.as_deref());
            let (plan, applied, outdated) = import(store, &list, &order, how, &user)?;
            Ok(ImportPlan::of(&list, &plan, (applied, outdated)))
        })
        .await?;
    let ImportCounts { new, changed, missing, .. } = plan.counts;
    let message = if plan.applied {
        let withdrawn = if plan.withdraws_missing { format!(", {missing} withdrawn") } else { String::new() };
        trail.note(format!("list {name}: {new} new, {changed} changed{withdrawn}"));
        "List imported"
    } else if plan.outdated {
        "Nothing was imported: the database has changed since the preview. Look at the new one"
    } else if plan.counts.problems > 0 {
        "Nothing was imported: correct what is wrong with the list"
    } else {
        "Nothing is imported yet"
    };
    Ok(Json(reply(message, plan)))
}
