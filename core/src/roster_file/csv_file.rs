//! The lines of a CSV file, whatever separates its cells.

use super::columns::recognized;
use super::limits::{MOST_CELLS, MOST_COLUMNS, MOST_LINES};
use super::table::{CellText, Line};
use super::write::runs_as_formula;
use crate::store::{ProblemCode, RosterProblem};

/// What separates cells: RFC 4180's comma, what Excel writes where the comma is in numbers, and in "Unicode text".
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// How many lines are looked at for the headings, which titles may precede.
const HEADING_WITHIN: usize = 20;
/// The longest cell, in bytes: four times what a cell of Excel holds.
const LONGEST_CELL: usize = 128 * 1024;

/// Returns the lines of `text` that are not empty.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, RosterProblem> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // Excel's own line for other programs.
    let (named, skipped) = match text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')) {
        Some((sign, _)) if sign.chars().count() == 1 => (sign.chars().next(), sign.len() + "sep=\n".len()),
        _ => (None, 0),
    };
    let first = u32::from(skipped > 0);
    let body = &text[skipped..];
    let separator = named.filter(char::is_ascii).unwrap_or_else(|| separator_of(body));
    let mut lines = Vec::new();
    records(body, separator, MOST_LINES, first, &mut lines)?;
    Ok(lines)
}

/// The separator by which the beginning has most headings that are known, and then most cells.
fn separator_of(text: &str) -> char {
    let score = |separator: &char| {
        let mut lines = Vec::new();
        // What is wrong further down is told later.
        let _ = records(text, *separator, HEADING_WITHIN, 0, &mut lines);
        let known = lines.iter().map(|line| line.cells.iter().filter(|cell| recognized(&cell.text)).count()).max();
        (known, lines.iter().map(|line| line.cells.len()).max())
    };
    // Of equal ones the first.
    SEPARATORS.into_iter().rev().max_by_key(score).unwrap_or(',')
}

/// Adds the lines to `lines`: all of them, or, where `most` is less than a list may have, the beginning.
fn records(text: &str, separator: char, most: usize, skipped: u32, lines: &mut Vec<Line>) -> Result<(), RosterProblem> {
    let separator = u8::try_from(u32::from(separator)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut count = 0;
    let (mut counted_to, mut number) = (0, skipped + 1);
    let mut record = csv::StringRecord::new();
    loop {
        let before = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(text.len());
        if !reader.read_record(&mut record).map_err(|error| unreadable(&error))? {
            return Ok(());
        }
        // The reader passes over empty lines, and counts them to the record behind them.
        let blank = text[before..].len() - text[before..].trim_start_matches('\n').len();
        let start = before + blank;
        number += u32::try_from(text[counted_to..start].matches('\n').count()).unwrap_or(u32::MAX);
        counted_to = start;
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(text.len());
        // The last cell of a file takes everything where a quotation mark is not closed.
        if end == text.len() && text[start..].trim_end().contains('\n') && text[start..].matches('"').count() % 2 == 1 {
            let message = "a quotation mark begins a cell here, and none ends it: add it, or delete this one";
            return Err(RosterProblem::at(number, ProblemCode::OpenQuote, "", message));
        }
        if record.iter().any(|cell| cell.len() > LONGEST_CELL) {
            let message = "a cell of this line has more text than a spreadsheet holds: is a quotation mark missing?";
            return Err(RosterProblem::at(number, ProblemCode::TooLarge, "", message));
        }
        count += record.len();
        if count > MOST_CELLS {
            return Err(too_many_cells());
        }
        let cells: Vec<CellText> =
            record.iter().take(MOST_COLUMNS).map(|cell| CellText::from(unmarked(cell))).collect();
        if cells.iter().any(|cell| !cell.text.is_empty()) {
            if lines.len() >= most {
                return if most < MOST_LINES { Ok(()) } else { Err(too_many_lines()) };
            }
            lines.push(Line { number, cells });
        }
        // The beginning tells the separator all the same.
        if record.len() > MOST_COLUMNS {
            return Err(too_many_columns(number));
        }
    }
}

/// The cell without the apostrophe by which an export keeps a spreadsheet from running it as a formula.
fn unmarked(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'').filter(|rest| runs_as_formula(rest));
    rest.unwrap_or(cell)
}

pub(super) fn too_many_columns(line: u32) -> RosterProblem {
    let message = format!("there are more than {MOST_COLUMNS} columns: delete those that are not needed");
    RosterProblem::at(line, ProblemCode::TooLarge, MOST_COLUMNS.to_string(), message)
}

pub(super) fn too_many_lines() -> RosterProblem {
    let message = format!("there are more than {MOST_LINES} lines: split the list into several files");
    RosterProblem::of_file(ProblemCode::TooLarge, MOST_LINES.to_string(), message)
}

pub(super) fn too_many_cells() -> RosterProblem {
    let message = "there are more cells than a list needs: delete the columns that are not needed";
    RosterProblem::of_file(ProblemCode::TooLarge, MOST_CELLS.to_string(), message)
}

fn unreadable(error: &csv::Error) -> RosterProblem {
    RosterProblem::of_file(ProblemCode::Damaged, "", format!("the file cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(u32, Vec<String>)> {
        let lines = lines(text).unwrap();
        lines.into_iter().map(|line| (line.number, line.cells.into_iter().map(|cell| cell.text).collect())).collect()
    }

    #[test]
    fn the_separator_is_told_by_the_headings() {
        for sign in SEPARATORS {
            let text = format!("Roll no{sign}Name{sign}Group\n7{sign}\"Rao; Asha, | x\"{sign}5A\n");
            let read = cells(&text);
            assert_eq!(read[1], (2, vec!["7".to_owned(), "Rao; Asha, | x".into(), "5A".into()]), "{sign:?}");
        }
        assert_eq!(cells("sep=|\nName|Nr\nA;B|1\n")[1], (3, vec!["A;B".to_owned(), "1".into()]));
    }

    #[test]
    fn a_line_keeps_its_number_behind_empty_lines_and_breaks_in_cells() {
        let text = "\n\nRoll no,Name\r\n\r\n1,\"Asha\nRao\"\r,\r\n2,Ben\r\n";
        let read = cells(text);
        let numbers: Vec<u32> = read.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [3, 5, 8]);
        assert_eq!(read[1].1, ["1", "Asha Rao"]);
    }

    #[test]
    fn a_quotation_mark_that_nothing_closes_is_named_with_its_line() {
        let problem = lines("Roll no,Name\n1,Asha\n2,\"Ben\n3,Carla\n").unwrap_err();
        assert_eq!((problem.line, problem.code), (Some(3), ProblemCode::OpenQuote));
    }

    #[test]
    fn a_mark_against_formulas_is_taken_away_again() {
        assert_eq!(cells("Roll no,Name\n1,'=HYPERLINK(1)\n2,'Ndrangheta\n")[1].1[1], "=HYPERLINK(1)");
        assert_eq!(cells("Roll no,Name\n1,x\n2,'t Hooft\n")[2].1[1], "'t Hooft");
    }
}
