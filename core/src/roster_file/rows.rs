//! The people of a list, from its cells.

use std::collections::HashMap;

use jiff::civil::Date;

use super::columns::{self, Columns};
use super::dates::{self, Order, Read};
use super::table::{CellText, Line, Origin, Table};
use crate::store::limits::{self, cut, is_blank};
use crate::store::text_keys::{camera_key, roll_key};
use crate::store::{GroupKind, ListedGroup, ProblemCode, RosterProblem, RosterRow};

/// The most groups of a person in one line.
const MOST_GROUPS: usize = 20;

/// A list of people as a file has it.
///
/// ```
/// use faceattend_core::roster_file::{ReadOptions, read};
///
/// let list = read("Roll number,Name,Shoe size\n1,Asha,38\n".as_bytes(), &ReadOptions::default());
/// assert_eq!((list.rows.len(), list.unknown_columns), (1, vec!["Shoe size".to_owned()]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RosterFile {
    /// The people, in the order of the file, each once.
    pub rows: Vec<RosterRow>,
    /// What is wrong. A list with problems is not imported.
    pub problems: Vec<RosterProblem>,
    /// The headings of the columns that were not read.
    pub unknown_columns: Vec<String>,
    /// Whether the list has a column of groups.
    pub has_groups: bool,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The other sheets of the workbook.
    pub other_sheets: Vec<String>,
    /// The encoding of a CSV file where the file does not say it: look whether the names are right.
    pub guessed_encoding: Option<&'static str>,
}

impl RosterFile {
    pub(super) fn unreadable(problem: RosterProblem) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }

    pub(super) fn of(table: &Table) -> Self {
        let about = Self {
            sheet: table.sheet.clone(),
            other_sheets: table.other_sheets.clone(),
            guessed_encoding: table.guessed_encoding,
            ..Self::default()
        };
        let (head, columns) = match columns::find(&table.lines) {
            Ok(found) => found,
            Err(problem) => return Self { problems: vec![problem], ..about },
        };
        let lines = &table.lines[head + 1..];
        let mut reading = Reading::new(&columns, lines);
        lines.iter().for_each(|line| reading.take(line));
        let Reading { rows, mut problems, .. } = reading;
        if rows.is_empty() && problems.is_empty() {
            problems.push(RosterProblem::of_file(ProblemCode::Empty, "", "there is nobody below the headings"));
        }
        Self { rows, problems, has_groups: !columns.groups.is_empty(), unknown_columns: columns.unknown, ..about }
    }
}

struct Reading<'a> {
    columns: &'a Columns,
    from_order: Order,
    until_order: Order,
    rows: Vec<RosterRow>,
    /// The place of each roll number in `rows`.
    known: HashMap<String, usize>,
    problems: Vec<RosterProblem>,
}

impl<'a> Reading<'a> {
    fn new(columns: &'a Columns, lines: &[Line]) -> Self {
        let order = |column: Option<usize>| {
            let cells = lines.iter().filter_map(|line| line.cells.get(column?));
            dates::order_of(cells.map(|cell| cell.text.as_str()))
        };
        let (from_order, until_order) = (order(columns.from), order(columns.until));
        // Both columns were written by one program.
        let (from_order, until_order) = match (from_order, until_order) {
            (Order::Unknown, known) => (known, known),
            (known, Order::Unknown) => (known, known),
            both => both,
        };
        Self { columns, from_order, until_order, rows: Vec::new(), known: HashMap::new(), problems: Vec::new() }
    }

    fn take(&mut self, line: &Line) {
        let before = self.problems.len();
        let columns = self.columns;
        let roll_number = self.text(line, Some(columns.roll_number), limits::ROLL_NUMBER);
        let parts: Vec<String> =
            columns.name.iter().filter_map(|at| self.text(line, Some(*at), limits::STUDENT_NAME)).collect();
        let groups = self.groups(line);
        if roll_number.is_none() && parts.is_empty() && groups.is_empty() && self.problems.len() == before {
            // A line below the list, such as a sum or a date.
            return;
        }
        let from = self.date(line, columns.from, self.from_order);
        let until = self.date(line, columns.until, self.until_order);
        if let (Some(first), Some(last)) = (from, until)
            && last < first
        {
            let message = format!("the last day {last} is before the first day {first}: correct one of them");
            self.wrong(line, columns.until, ProblemCode::EndsBeforeItBegins, last.to_string(), message);
        }
        let guardian_emails = self.emails(line);
        self.check_number(line);
        let is_empty = |column: &usize| Self::cell(line, Some(*column)).is_none_or(|cell| is_blank(&cell.text));
        if is_empty(&columns.roll_number) {
            let message = "the roll number is missing: write it, or delete the line";
            self.wrong(line, Some(columns.roll_number), ProblemCode::Missing, "", message.into());
        }
        if columns.name.iter().all(is_empty) {
            let message = "the name is missing: write it, or delete the line";
            self.wrong(line, columns.name.first().copied(), ProblemCode::Missing, "", message.into());
        }
        let name = parts.join(" ");
        if cut(&name, limits::STUDENT_NAME) != name {
            self.too_long(line, columns.name.first().copied(), limits::STUDENT_NAME);
        }
        let Some(roll_number) = roll_number else { return };
        if self.problems.len() > before {
            return;
        }
        let listed = |(name, kind)| ListedGroup { name, kind, from, last: until };
        let groups: Vec<ListedGroup> = groups.into_iter().map(listed).collect();
        let row = RosterRow { line: line.number, roll_number, name, groups, from, last: until, guardian_emails };
        self.add(row);
    }

    /// Adds a person, or the groups of another line of the same person.
    fn add(&mut self, row: RosterRow) {
        let key = roll_key(&row.roll_number);
        let Some(at) = self.known.get(&key) else {
            self.known.insert(key, self.rows.len());
            self.rows.push(row);
            return;
        };
        let Some(first) = self.rows.get_mut(*at) else { return };
        if first.name != row.name {
            let message = format!(
                "roll number {} is that of {} in line {} too: correct one of the lines",
                row.roll_number, first.name, first.line
            );
            let heading = self.columns.headings.get(self.columns.roll_number).cloned().unwrap_or_default();
            let problem = RosterProblem::at(row.line, ProblemCode::RollNumberTwice, first.line.to_string(), message);
            self.problems.push(problem.in_column(&heading));
            return;
        }
        for group in row.groups {
            let key = camera_key(&group.name);
            if !first.groups.iter().any(|other| camera_key(&other.name) == key) {
                first.groups.push(group);
            }
        }
        for email in row.guardian_emails {
            if !first.guardian_emails.iter().any(|other| other.eq_ignore_ascii_case(&email)) {
                first.guardian_emails.push(email);
            }
        }
    }

    fn cell(line: &Line, column: Option<usize>) -> Option<&CellText> {
        line.cells.get(column?).filter(|cell| !cell.text.is_empty())
    }

    /// The text of a cell, where one is seen.
    fn text(&mut self, line: &Line, column: Option<usize>, most: usize) -> Option<String> {
        let cell = Self::cell(line, column)?;
        if cell.origin == Origin::Error {
            let message = format!("the cell holds the error {} of a formula: correct the formula", cell.text);
            self.wrong(line, column, ProblemCode::FormulaError, cell.text.clone(), message);
            return None;
        }
        if let Some(sign) = cell.text.chars().find(|letter| letter.is_control()) {
            let sign = format!("U+{:04X}", u32::from(sign));
            let message = format!("the text holds the control character {sign}: type the text again");
            self.wrong(line, column, ProblemCode::ControlCharacter, sign, message);
            return None;
        }
        if cut(&cell.text, most) != cell.text {
            self.too_long(line, column, most);
            return None;
        }
        (!is_blank(&cell.text)).then(|| cell.text.clone())
    }

    /// That a spreadsheet has not changed the roll number.
    fn check_number(&mut self, line: &Line) {
        let column = Some(self.columns.roll_number);
        let Some(cell) = Self::cell(line, column) else { return };
        let exponent = cell.text.split_once(['E', 'e']).is_some_and(|(digits, power)| {
            let is_number = |text: &str| {
                !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit() || matches!(sign, b'.' | b',' | b'+'))
            };
            is_number(digits) && digits.contains(['.', ',']) && power.starts_with('+') && is_number(power)
        });
        let what = match cell.origin {
            Origin::Date => "the spreadsheet has made a date of the roll number",
            Origin::Rounded => "the spreadsheet has rounded the roll number",
            _ if exponent => "the spreadsheet has rounded the roll number",
            _ => return,
        };
        let message = format!("{what} ({}): format the column as text and type the number again", cell.text);
        self.wrong(line, column, ProblemCode::NumberChanged, cell.text.clone(), message);
    }

    fn groups(&mut self, line: &Line) -> Vec<(String, GroupKind)> {
        let mut found: Vec<(String, GroupKind)> = Vec::new();
        for (column, kind) in &self.columns.groups {
            // Each name is held against its limit below.
            let Some(text) = self.text(line, Some(*column), MOST_GROUPS * limits::GROUP_NAME) else { continue };
            for name in text.split([';', '|']).map(str::trim).filter(|name| !is_blank(name)) {
                if cut(name, limits::GROUP_NAME) != name {
                    self.too_long(line, Some(*column), limits::GROUP_NAME);
                    continue;
                }
                if !found.iter().any(|(other, of)| of == kind && camera_key(other) == camera_key(name)) {
                    found.push((name.to_owned(), *kind));
                }
            }
        }
        let found = with_sections(found);
        if found.len() > MOST_GROUPS {
            let message = format!("there are more than {MOST_GROUPS} groups in this line: delete some");
            let column = self.columns.groups.first().map(|(column, _)| *column);
            self.wrong(line, column, ProblemCode::TooLarge, MOST_GROUPS.to_string(), message);
        }
        found
    }

    fn date(&mut self, line: &Line, column: Option<usize>, order: Order) -> Option<Date> {
        let text = self.text(line, column, limits::GROUP_NAME)?;
        let (code, message) = match dates::read(&text, order) {
            Read::Day(day) => return Some(day),
            Read::Ambiguous => (
                ProblemCode::AmbiguousDate,
                format!("{text} may be one of two days: write the year first, such as 2026-08-31"),
            ),
            Read::NoDate => {
                (ProblemCode::BadDate, format!("{text} is no date: write year, month and day, such as 2026-08-31"))
            }
        };
        self.wrong(line, column, code, text, message);
        None
    }

    fn emails(&mut self, line: &Line) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for column in &self.columns.guardian_emails {
            let Some(text) = self.text(line, Some(*column), limits::GUARDIANS * limits::EMAIL) else { continue };
            for email in text.split([';', ',', ' ']).filter(|email| !email.is_empty()) {
                if !is_address(email) {
                    let message = format!("{email} is no e-mail address: write it as name@example.org");
                    self.wrong(line, Some(*column), ProblemCode::BadEmail, email, message);
                } else if !found.iter().any(|other| other.eq_ignore_ascii_case(email)) {
                    found.push(email.to_owned());
                }
            }
        }
        if found.len() > limits::GUARDIANS {
            let message = format!("a student has at most {} guardians: delete addresses", limits::GUARDIANS);
            let column = self.columns.guardian_emails.first().copied();
            self.wrong(line, column, ProblemCode::TooLarge, limits::GUARDIANS.to_string(), message);
        }
        found
    }

    fn too_long(&mut self, line: &Line, column: Option<usize>, most: usize) {
        let message = format!("the text has more than {most} characters: shorten it");
        self.wrong(line, column, ProblemCode::TooLong, most.to_string(), message);
    }

    fn wrong(
        &mut self,
        line: &Line,
        column: Option<usize>,
        code: ProblemCode,
        value: impl Into<String>,
        message: String,
    ) {
        let problem = RosterProblem::at(line.number, code, value, message);
        let heading = column.and_then(|column| self.columns.headings.get(column));
        self.problems.push(match heading {
            Some(heading) => problem.in_column(heading),
            None => problem,
        });
    }
}

/// The groups of a line where class and section stand in columns of their own: section `A` of class `5` is the class
/// `5 A`, because there is a section A of other classes too.
fn with_sections(found: Vec<(String, GroupKind)>) -> Vec<(String, GroupKind)> {
    let of = |wanted| found.iter().filter(move |(_, kind)| *kind == wanted);
    let (Some((class, _)), 1, Some((section, _)), 1) = (
        of(GroupKind::Class).next(),
        of(GroupKind::Class).count(),
        of(GroupKind::Section).next(),
        of(GroupKind::Section).count(),
    ) else {
        return found;
    };
    let whole = if camera_key(section).starts_with(&camera_key(class)) {
        section.clone()
    } else {
        format!("{class} {section}")
    };
    let others = found.iter().filter(|(_, kind)| !matches!(kind, GroupKind::Class | GroupKind::Section)).cloned();
    std::iter::once((whole, GroupKind::Class)).chain(others).collect()
}

/// Whether a text looks like an e-mail address. The mail server knows better, and says so later.
fn is_address(text: &str) -> bool {
    text.len() <= limits::EMAIL
        && !text.contains(['<', '>', '"', '(', ')'])
        && text.split_once('@').is_some_and(|(local, host)| {
            let host_fits = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
            !local.is_empty() && host_fits && !host.contains('@')
        })
}
