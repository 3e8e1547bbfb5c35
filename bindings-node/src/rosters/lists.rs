//! Lists of students: what their import would change, the import, and the export.

use faceattend_core::Result;
use faceattend_core::roster_file::{
    GuardianColumn, ListFormat as CoreFormat, MOST_BYTES, ReadOptions, RosterFile, import, people, read,
};
use faceattend_core::store::{
    PlannedChange as CoreChange, PlannedMembership as CoreMembership, PlannedStudent as CoreStudent,
    RosterImport as CoreImport, RosterOrder, RosterPlan as CorePlan, RosterProblem as CoreProblem, Store as CoreStore,
    Unlisted, UnlistedStudent as CoreUnlisted,
};
use jiff::Timestamp;
use jiff::civil::Date as Day;
use napi::bindgen_prelude::{AsyncTask, Buffer, Uint8Array};
use napi_derive::napi;

use super::groups::GroupKind;
use super::{Rosters, Stamp};
use crate::error::OrThrow as _;
use crate::job::Job;
use crate::time::Date;

/// How a list of students is imported.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct RosterImportOptions {
    /// The sheet of a workbook. Default: its first one that is not hidden.
    pub sheet: Option<String>,
    /// The encoding of a CSV file, such as `windows-1251`. Default: told by the file.
    pub encoding: Option<String>,
    /// Whether the students whom the list does not name are withdrawn. Nobody is erased. Default false.
    pub withdraw_missing: Option<bool>,
    /// The day on which memberships begin and end, as `YYYY-MM-DD`, unless the list says another. Default: the day of
    /// `at`.
    pub day: Option<String>,
    /// The language of letters to guardians who are new. Default `en`.
    pub language: Option<String>,
    /// That of a plan: nothing is imported when the database has changed so that another plan would come out.
    pub fingerprint: Option<String>,
    /// Who imports. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// What is wrong with a list, and what to do about it.
#[napi(object, use_nullable = true)]
pub struct RosterProblem {
    /// The line of the file or the row of the sheet, from 1; `null` where the whole file is meant.
    pub line: Option<u32>,
    /// The heading of the column, as the file has it.
    pub column: Option<String>,
    /// A stable word, such as `missing`, `roll_number_twice` or `bad_date`.
    pub code: String,
    /// The text, name, number or limit that it is about; may be empty.
    pub value: String,
    pub message: String,
}

/// A group that a list makes.
#[napi(object)]
pub struct PlannedGroup {
    pub name: String,
    pub kind: GroupKind,
}

/// A membership that a list makes or changes.
#[napi(object, use_nullable = true)]
pub struct PlannedMembership {
    /// The key of the membership, where it is there already.
    pub membership: Option<i64>,
    /// The name of the group.
    pub group: String,
    /// The first day, as `YYYY-MM-DD`.
    pub from_day: String,
    /// The first day on which it is over; `null` for no end.
    pub until_day: Option<String>,
}

/// A student whom a list makes.
#[napi(object)]
pub struct PlannedStudent {
    /// The line of the list.
    pub line: u32,
    pub roll_number: String,
    pub name: String,
    /// The groups that the student joins.
    pub joins: Vec<PlannedMembership>,
    pub guardian_emails: Vec<String>,
}

/// A student whom a list changes.
#[napi(object, use_nullable = true)]
pub struct PlannedChange {
    /// The line of the list.
    pub line: u32,
    pub student_id: i64,
    pub roll_number: String,
    /// The name as it is.
    pub name: String,
    /// The name that takes its place; `null` where it stays.
    pub new_name: Option<String>,
    /// The groups that the student joins.
    pub joins: Vec<PlannedMembership>,
    /// The groups that the student is in, from another day or until another day than before.
    pub redated: Vec<PlannedMembership>,
    /// The names of the groups that the student leaves.
    pub leaves: Vec<String>,
    /// The addresses that are added.
    pub guardian_emails: Vec<String>,
    /// Whether the student had been withdrawn and comes back.
    pub returns: bool,
    /// The first day on which the student is no longer expected, where the list gives a last day and no group.
    pub withdrawn_on: Option<String>,
}

/// A student whom a list does not name.
#[napi(object)]
pub struct UnlistedStudent {
    pub student_id: i64,
    pub roll_number: String,
    pub name: String,
}

/// What the import of a list would change.
#[napi(object, use_nullable = true)]
pub struct RosterPlan {
    pub new_groups: Vec<PlannedGroup>,
    #[napi(js_name = "new")]
    pub new_students: Vec<PlannedStudent>,
    pub changed: Vec<PlannedChange>,
    /// How many students the list names who stay as they are.
    pub unchanged: u32,
    /// The students whom the list does not name, without those who are withdrawn.
    pub unlisted: Vec<UnlistedStudent>,
    /// Whether they are withdrawn.
    pub withdraws: bool,
    /// What is wrong, by line. A list with problems is not imported.
    pub problems: Vec<RosterProblem>,
    /// Whether nothing would change.
    pub is_empty: bool,
    /// What tells this plan from every other: see `RosterImportOptions.fingerprint`.
    pub fingerprint: String,
    /// The sheet of a workbook that was read.
    pub sheet: Option<String>,
    /// The other sheets of the workbook.
    pub other_sheets: Vec<String>,
    /// The encoding of a CSV file where the file does not say it: look whether the names are right.
    pub guessed_encoding: Option<String>,
    /// The headings of columns that were not read.
    pub unknown_columns: Vec<String>,
}

/// How an import ended: all of the plan was carried out; or nothing has changed, because the database had changed since
/// the plan with the given fingerprint, or because of the plan's problems.
#[napi(object)]
pub struct RosterImport {
    #[napi(ts_type = "'done' | 'outdated' | 'refused'")]
    pub outcome: String,
    pub plan: RosterPlan,
}

/// What a list of students is written as.
#[napi(string_enum = "lowercase")]
pub enum ListFormat {
    Csv,
    Xlsx,
}

/// How a list of students is written.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ExportOptions {
    /// Default `csv`.
    pub format: Option<ListFormat>,
    /// Whether CSV begins with a byte-order mark, by which Excel knows that the text is UTF-8. Default false.
    pub byte_order_mark: Option<bool>,
    /// Whether the addresses of guardians, which are personal data, are in it. Default false.
    pub guardians: Option<bool>,
}

#[napi]
impl Rosters {
    /// Resolves to what the import of a list would change; nothing has changed. `file` is a CSV file or an Excel
    /// workbook (.xlsx), told apart by its contents. Columns are found by their headings, as the book says.
    #[napi(
        ts_args_type = "file: Uint8Array, options?: RosterImportOptions & Abortable",
        ts_return_type = "Promise<RosterPlan>"
    )]
    pub fn plan_import(
        &self,
        file: Uint8Array,
        options: Option<RosterImportOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterPlan>>> {
        let import = self.reading(&file, options).or_throw()?;
        Ok(self.job(move |store| {
            let list = import.list();
            let plan = store.plan_import(&import.order(&list))?;
            Ok(RosterPlan::of(&list, &plan))
        }))
    }

    /// Imports a list in one transaction: all of it, or nothing when anything is wrong. The roll number tells who is
    /// who, so the same list again changes nothing.
    #[napi(
        ts_args_type = "file: Uint8Array, options?: RosterImportOptions & Abortable",
        ts_return_type = "Promise<RosterImport>"
    )]
    pub fn import_roster(
        &self,
        file: Uint8Array,
        options: Option<RosterImportOptions>,
    ) -> napi::Result<AsyncTask<Job<RosterImport>>> {
        let import = self.reading(&file, options).or_throw()?;
        Ok(self.job(move |store| import.run(store)))
    }

    /// Resolves to the list of everybody who is expected on a day or later, which is today if left out, as a file that
    /// an import on that day takes back without a change.
    #[napi(
        ts_args_type = "day?: string | null, options?: ExportOptions & Abortable",
        ts_return_type = "Promise<Buffer>"
    )]
    pub fn export(&self, day: Option<String>, options: Option<ExportOptions>) -> napi::Result<AsyncTask<Job<Buffer>>> {
        let day = self.day_or(day.as_deref(), Timestamp::now()).or_throw()?;
        let ExportOptions { format, byte_order_mark, guardians } = options.unwrap_or_default();
        let column = if guardians.unwrap_or(false) { GuardianColumn::Written } else { GuardianColumn::Empty };
        let format = match format {
            None | Some(ListFormat::Csv) => CoreFormat::Csv,
            Some(ListFormat::Xlsx) => CoreFormat::Xlsx,
        };
        Ok(self.job(move |store| {
            let people = people(store, day, column)?;
            Ok(format.write(&people, byte_order_mark.unwrap_or(false))?.into())
        }))
    }
}

impl Rosters {
    fn reading(&self, file: &[u8], options: Option<RosterImportOptions>) -> Result<Import> {
        let options = options.unwrap_or_default();
        let stamp = Stamp::of(options.by, options.at)?;
        // What is too large is refused by its name, without a copy of it.
        let bytes = if file.len() > MOST_BYTES { vec![0; MOST_BYTES + 1] } else { file.to_vec() };
        Ok(Import {
            bytes,
            how: ReadOptions { sheet: options.sheet, encoding: options.encoding },
            unlisted: if options.withdraw_missing.unwrap_or(false) { Unlisted::Withdraw } else { Unlisted::Keep },
            day: self.day_or(options.day.as_deref(), stamp.at)?,
            language: options.language.unwrap_or_else(|| "en".into()),
            fingerprint: options.fingerprint,
            stamp,
        })
    }
}

/// A list that is to be imported.
struct Import {
    bytes: Vec<u8>,
    how: ReadOptions,
    unlisted: Unlisted,
    day: Day,
    language: String,
    fingerprint: Option<String>,
    stamp: Stamp,
}

impl Import {
    fn list(&self) -> RosterFile {
        read(&self.bytes, &self.how)
    }

    fn order<'a>(&'a self, list: &'a RosterFile) -> RosterOrder<'a> {
        RosterOrder { rows: &list.rows, unlisted: self.unlisted, day: self.day, language: &self.language }
    }

    fn run(&self, store: &dyn CoreStore) -> Result<RosterImport> {
        let list = self.list();
        let order = self.order(&list);
        let Stamp { by, at } = &self.stamp;
        let (outcome, plan) = match import(store, &list, &order, self.fingerprint.as_deref(), by, *at)? {
            CoreImport::Done(plan) => ("done", plan),
            CoreImport::Outdated(plan) => ("outdated", plan),
            CoreImport::Refused(plan) => ("refused", plan),
        };
        Ok(RosterImport { outcome: outcome.into(), plan: RosterPlan::of(&list, &plan) })
    }
}

impl RosterPlan {
    fn of(list: &RosterFile, plan: &CorePlan) -> Self {
        let group = |group: &faceattend_core::store::ListedGroup| PlannedGroup {
            name: group.name.clone(),
            kind: group.kind.into(),
        };
        Self {
            new_groups: plan.new_groups.iter().map(group).collect(),
            new_students: plan.new.iter().map(Into::into).collect(),
            changed: plan.changed.iter().map(Into::into).collect(),
            unchanged: u32::try_from(plan.unchanged).unwrap_or(u32::MAX),
            unlisted: plan.unlisted.iter().map(Into::into).collect(),
            withdraws: plan.withdraws,
            problems: list.problems.iter().chain(&plan.problems).map(Into::into).collect(),
            is_empty: plan.is_empty(),
            fingerprint: plan.fingerprint.clone(),
            sheet: list.sheet.clone(),
            other_sheets: list.other_sheets.clone(),
            guessed_encoding: list.guessed_encoding.map(str::to_owned),
            unknown_columns: list.unknown_columns.clone(),
        }
    }
}

impl From<&CoreProblem> for RosterProblem {
    fn from(problem: &CoreProblem) -> Self {
        Self {
            line: problem.line,
            column: problem.column.clone(),
            code: problem.code.as_str().to_owned(),
            value: problem.value.clone(),
            message: problem.message.clone(),
        }
    }
}

impl From<&CoreMembership> for PlannedMembership {
    fn from(membership: &CoreMembership) -> Self {
        Self {
            membership: membership.membership,
            group: membership.group.clone(),
            from_day: membership.from.to_string(),
            until_day: membership.until.map(|day| day.to_string()),
        }
    }
}

impl From<&CoreStudent> for PlannedStudent {
    fn from(student: &CoreStudent) -> Self {
        Self {
            line: student.line,
            roll_number: student.roll_number.clone(),
            name: student.name.clone(),
            joins: student.joins.iter().map(Into::into).collect(),
            guardian_emails: student.guardian_emails.clone(),
        }
    }
}

impl From<&CoreChange> for PlannedChange {
    fn from(change: &CoreChange) -> Self {
        Self {
            line: change.line,
            student_id: change.student.0,
            roll_number: change.roll_number.clone(),
            name: change.name.clone(),
            new_name: change.new_name.clone(),
            joins: change.joins.iter().map(Into::into).collect(),
            redated: change.redated.iter().map(Into::into).collect(),
            leaves: change.leaves.clone(),
            guardian_emails: change.guardian_emails.clone(),
            returns: change.returns,
            withdrawn_on: change.withdrawn_on.map(|day| day.to_string()),
        }
    }
}

impl From<&CoreUnlisted> for UnlistedStudent {
    fn from(student: &CoreUnlisted) -> Self {
        Self { student_id: student.student.0, roll_number: student.roll_number.clone(), name: student.name.clone() }
    }
}
