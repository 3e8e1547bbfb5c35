//! A list of people as a table that [`read`](super::read) takes back without a change.

use std::collections::BTreeMap;

use crate::store::RosterRow;

/// The headings of an export.
pub const COLUMNS: [&str; 6] = ["name", "roll_number", "group", "from", "until", "guardian_email"];

/// Returns the list as cells, the headings first. A person whose memberships begin or end on different days has a line
/// for each of those days.
#[must_use]
pub fn cells_of(people: &[RosterRow]) -> Vec<[String; COLUMNS.len()]> {
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    for person in people {
        let mut by_days: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for group in &person.groups {
            by_days.entry((group.from, group.last)).or_default().push(&group.name);
        }
        if by_days.is_empty() {
            by_days.insert((person.from, person.last), Vec::new());
        }
        for ((from, last), groups) in by_days {
            let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
            lines.push([
                person.name.clone(),
                person.roll_number.clone(),
                groups.join("; "),
                day(from),
                day(last),
                person.guardian_emails.join("; "),
            ]);
        }
    }
    lines
}

/// Returns the list as CSV (RFC 4180, with line feeds).
#[must_use]
pub fn csv_of(people: &[RosterRow]) -> String {
    let mut text = String::new();
    for line in cells_of(people) {
        let cells: Vec<String> = line.iter().map(|cell| csv_cell(cell)).collect();
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

/// Returns a cell of CSV: quoted as RFC 4180 says, and also where a spreadsheet separates by semicolons, tabs or bars
/// instead: no part of a cell becomes a cell of its own. An apostrophe marks a cell as text where a spreadsheet would
/// run it as a formula: names come from outside. Spreadsheets that take the full-width signs for the plain ones exist.
///
/// ```
/// use faceattend_core::roster_file::csv_cell;
///
/// assert_eq!(csv_cell("Rao, Asha"), "\"Rao, Asha\"");
/// assert_eq!(csv_cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
/// ```
#[must_use]
pub fn csv_cell(cell: &str) -> String {
    let formula = runs_as_formula(cell) || cell.starts_with(['\t', '\r', '\n']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', ';', '\t', '|', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// Whether a spreadsheet may run a cell as a formula.
pub(super) fn runs_as_formula(cell: &str) -> bool {
    cell.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}' || sign == '"')
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}
