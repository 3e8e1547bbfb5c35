//! `faceattend students import`.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use faceattend_core::roster_file::{ReadOptions, RosterFile, read_file};
use faceattend_core::store::{
    PlannedChange, PlannedMembership, RosterImport, RosterOrder, RosterPlan, RosterProblem, Store, Unlisted,
};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::photographs::{self, PhotographArgs};
use super::{ACTOR, entry, io, table};
use crate::commands::keys::KeyArgs;
use crate::commands::say;

/// How many lines of each kind a preview shows; --json has all of them.
const SHOWN: usize = 50;

/// Imports a list of students.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The list: a CSV file or an Excel workbook (.xlsx)
    file: PathBuf,
    /// Says what would change, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Withdraws the students whom the list does not name. Nobody is erased
    #[arg(long)]
    withdraw_missing: bool,
    /// The sheet of a workbook [default: its first one that is not hidden]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The encoding of a CSV file, such as windows-1251 [default: told by the file]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The language of letters to guardians who are new, such as de
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: String,
    /// Imports without asking, as a script does. Without a terminal nobody is asked either
    #[arg(long, short)]
    yes: bool,
    /// Writes the plan and what came of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    photographs: PhotographArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

impl ImportArgs {
    pub(super) fn keys(&self) -> &KeyArgs {
        &self.keys
    }
}

pub(super) fn run(args: &ImportArgs, store: &Arc<dyn Store>, day: Date) -> Result<()> {
    let options = ReadOptions { sheet: args.sheet.clone(), encoding: args.encoding.clone() };
    let list = read_file(&args.file, &options)?;
    let unlisted = if args.withdraw_missing { Unlisted::Withdraw } else { Unlisted::Keep };
    let order = RosterOrder { rows: &list.rows, unlisted, day, language: &args.language };
    let plan = store.plan_import(&order)?;
    let problems: Vec<&RosterProblem> = list.problems.iter().chain(&plan.problems).collect();
    if !problems.is_empty() {
        if args.json {
            say(&answer(&list, &plan, "refused", None).to_string());
        } else {
            problems.iter().take(SHOWN).for_each(|problem| say(&problem.to_string()));
            more(problems.len());
        }
        let reason = format!(
            "{} of {} things to correct{}. Nothing was changed",
            problems.len().min(SHOWN),
            problems.len(),
            if args.json { "" } else { ", as listed above" }
        );
        return Err(Error::InvalidInput { what: "list of students", reason });
    }
    if !args.json {
        preview(&list, &plan);
    }
    let mut outcome = "nothing_to_change";
    if !plan.is_empty() {
        if args.dry_run {
            outcome = "planned";
        } else {
            confirm(args, &plan)?;
            carry_out(&**store, &order, &plan)?;
            outcome = "imported";
        }
    }
    let photographs = photographs::enrol(&args.photographs, store, args.dry_run, args.json)?;
    if args.json {
        say(&answer(&list, &plan, outcome, photographs.as_ref()).to_string());
    } else if outcome == "imported" {
        say(&format!("The list is imported: {}.", told(&plan)));
    } else if outcome == "planned" {
        say("Nothing was changed (--dry-run).");
    }
    Ok(())
}

fn carry_out(store: &dyn Store, order: &RosterOrder<'_>, plan: &RosterPlan) -> Result<()> {
    match store.import_roster(order, Some(&plan.fingerprint), ACTOR, Timestamp::now())? {
        RosterImport::Done(plan) => {
            store.add_audit(&entry("students import", told(&plan)))?;
            Ok(())
        }
        RosterImport::Outdated(_) => {
            let reason = "the database has changed since the preview. Nothing was changed: start again".into();
            Err(Error::State { what: "import", reason })
        }
        RosterImport::Refused(plan) => {
            plan.problems.iter().for_each(|problem| say(&problem.to_string()));
            let reason = "the database refuses a line. Nothing was changed".into();
            Err(Error::InvalidInput { what: "list of students", reason })
        }
    }
}

/// Asks the person at the terminal.
fn confirm(args: &ImportArgs, plan: &RosterPlan) -> Result<()> {
    let stdin = std::io::stdin();
    if args.yes || args.json || !stdin.is_terminal() {
        return Ok(());
    }
    let mut stdout = std::io::stdout();
    let _ = write!(stdout, "Import the list ({})? [y/N] ", told(plan));
    let _ = stdout.flush();
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(io("read", std::path::Path::new("standard input")))?;
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::State { what: "import", reason: "declined; nothing was changed".into() }),
    }
}

/// What a plan changes, in a few words.
fn told(plan: &RosterPlan) -> String {
    let withdrawn = match plan.withdraws {
        true => format!(", {} withdrawn", plan.unlisted.len()),
        false => String::new(),
    };
    format!("{} new, {} changed, {} unchanged{withdrawn}", plan.new.len(), plan.changed.len(), plan.unchanged)
}

fn preview(list: &RosterFile, plan: &RosterPlan) {
    if let Some(sheet) = &list.sheet {
        let others = list.other_sheets.join(", ");
        let others = if others.is_empty() { String::new() } else { format!(" (--sheet reads another one: {others})") };
        say(&format!("Sheet {sheet}{others}"));
    }
    if let Some(encoding) = list.guessed_encoding {
        say(&format!("Read as {encoding}: look whether the names are right. --encoding names another one"));
    }
    if !list.unknown_columns.is_empty() {
        say(&format!("Columns that are not read: {}", list.unknown_columns.join(", ")));
    }
    for group in &plan.new_groups {
        say(&format!("New group: {} ({})", group.name, group.kind.as_str()));
    }
    let mut rows: Vec<[String; 5]> = Vec::new();
    for new in &plan.new {
        let what = spans(&new.joins, "");
        rows.push([new.line.to_string(), "new".into(), new.roll_number.clone(), new.name.clone(), what]);
    }
    for change in &plan.changed {
        let line = change.line.to_string();
        rows.push([line, "changes".into(), change.roll_number.clone(), change.name.clone(), change_in_words(change)]);
    }
    if !rows.is_empty() {
        let shown = &rows[..rows.len().min(SHOWN)];
        table::lines(["line", "", "roll number", "name", "what"], shown).iter().for_each(|line| say(line));
        more(rows.len());
    }
    let missing = plan.unlisted.len();
    if missing > 0 {
        let what = if plan.withdraws { "withdrawn" } else { "kept (--withdraw-missing withdraws them)" };
        say(&format!("{missing} students are not in the list, and are {what}:"));
        for student in plan.unlisted.iter().take(SHOWN) {
            say(&format!("  {} {}", student.roll_number, student.name));
        }
        more(missing);
    }
    if plan.is_empty() {
        say(&format!("Nothing to change: {} students are as the list says.", plan.unchanged));
    }
}

fn more(all: usize) {
    if all > SHOWN {
        say(&format!("... and {} more", all - SHOWN));
    }
}

fn spans(memberships: &[PlannedMembership], before: &str) -> String {
    let span = |its: &PlannedMembership| {
        let until = its.until.map(|day| format!(" until {day}")).unwrap_or_default();
        format!("{before}{} from {}{until}", its.group, its.from)
    };
    memberships.iter().map(span).collect::<Vec<_>>().join(", ")
}

fn change_in_words(change: &PlannedChange) -> String {
    let mut words = Vec::new();
    words.extend(change.new_name.as_ref().map(|name| format!("is called {name}")));
    words.extend(change.returns.then(|| "comes back".to_owned()));
    words.extend(Some(spans(&change.joins, "joins ")).filter(|text| !text.is_empty()));
    words.extend(Some(spans(&change.redated, "is in ")).filter(|text| !text.is_empty()));
    words.extend(change.leaves.iter().map(|group| format!("leaves {group}")));
    words.extend(change.withdrawn_on.map(|day| format!("is not expected from {day} on")));
    words.extend((!change.guardian_emails.is_empty()).then(|| format!("{} guardians", change.guardian_emails.len())));
    words.join(", ")
}

fn answer(list: &RosterFile, plan: &RosterPlan, outcome: &str, photographs: Option<&Value>) -> Value {
    let span = |its: &PlannedMembership| {
        let until = its.until.map(|day| day.to_string());
        json!({ "group": its.group, "from_day": its.from.to_string(), "until_day": until })
    };
    let spans = |all: &[PlannedMembership]| all.iter().map(span).collect::<Vec<_>>();
    let problem = |its: &RosterProblem| {
        let (code, message) = (its.code.as_str(), &its.message);
        json!({ "line": its.line, "column": its.column, "code": code, "message": message })
    };
    json!({
        "outcome": outcome,
        "fingerprint": plan.fingerprint,
        "problems": list.problems.iter().chain(&plan.problems).map(problem).collect::<Vec<_>>(),
        "unknown_columns": list.unknown_columns,
        "sheet": list.sheet,
        "guessed_encoding": list.guessed_encoding,
        "new_groups": plan.new_groups.iter().map(|its| json!({ "name": its.name, "kind": its.kind.as_str() }))
            .collect::<Vec<_>>(),
        "new": plan.new.iter().map(|its| json!({
            "line": its.line, "roll_number": its.roll_number, "name": its.name, "joins": spans(&its.joins),
        })).collect::<Vec<_>>(),
        "changed": plan.changed.iter().map(|its| json!({
            "line": its.line, "student_id": its.student.0, "roll_number": its.roll_number, "name": its.name,
            "new_name": its.new_name, "joins": spans(&its.joins), "redated": spans(&its.redated),
            "leaves": its.leaves, "returns": its.returns,
            "withdrawn_on": its.withdrawn_on.map(|day| day.to_string()),
        })).collect::<Vec<_>>(),
        "unchanged": plan.unchanged,
        "missing": plan.unlisted.iter().map(|its| json!({
            "student_id": its.student.0, "roll_number": its.roll_number, "name": its.name,
        })).collect::<Vec<_>>(),
        "withdraws_missing": plan.withdraws,
        "photographs": photographs,
    })
}
