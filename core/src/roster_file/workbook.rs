//! The lines of a sheet of an Excel workbook.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader as _, Sheet, SheetType, SheetVisible, Style, Xlsx, XlsxError};

use super::csv_file::{too_many_cells, too_many_columns, too_many_lines};
use super::limits::{MOST_CELLS, MOST_COLUMNS, MOST_LINES, MOST_UNPACKED};
use super::table::{CellText, Line, Origin, Table, tidy};
use crate::store::{ProblemCode, RosterProblem};

/// The most bytes of text in all cells. A text that is written once in a workbook may stand in every cell.
const MOST_TEXT: usize = 64 * 1024 * 1024;
/// From here on a number of a spreadsheet has lost digits: it keeps 15 (IEEE 754 double precision).
const LOSES_DIGITS: f64 = 1e15;
/// The longest run of zeros in a number format that is looked at.
const LONGEST_PADDING: usize = 50;

/// Returns the lines of the sheet with this name, or of the first one that is shown.
pub(super) fn read(bytes: &[u8], wanted: Option<&str>) -> Result<Table, RosterProblem> {
    // None of the readers of foreign formats is free of panics.
    catch_unwind(AssertUnwindSafe(|| read_sheet(bytes, wanted))).unwrap_or_else(|_| Err(damaged("its reader failed")))
}

fn read_sheet(bytes: &[u8], wanted: Option<&str>) -> Result<Table, RosterProblem> {
    refuse_a_bomb(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let sheets = book.sheets_metadata();
    let names: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let is_shown = |sheet: &&Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let name = match wanted {
        Some(wanted) => names.iter().find(|name| tidy(name).eq_ignore_ascii_case(&tidy(wanted))).cloned(),
        None => sheets.iter().find(is_shown).map(|sheet| sheet.name.clone()),
    };
    let Some(name) = name else {
        let message = match wanted {
            Some(wanted) => format!("no sheet is called {wanted:?}: there are {}", names.join(", ")),
            None => "the workbook shows no sheet with cells: show the sheet with the list".to_owned(),
        };
        return Err(RosterProblem::of_file(ProblemCode::UnknownSheet, names.join(", "), message));
    };
    let lines = lines_of(&mut book, &name)?;
    let other_sheets = names.into_iter().filter(|other| *other != name).collect();
    Ok(Table { lines, sheet: Some(name), other_sheets, guessed_encoding: None })
}

/// Unpacks every part and counts: what the directory of a ZIP says of sizes may be untrue.
fn refuse_a_bomb(bytes: &[u8]) -> Result<(), RosterProblem> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged("it is cut off, or no workbook"))?;
    let mut left = MOST_UNPACKED + 1;
    for at in 0..zip.len() {
        let Ok(part) = zip.by_index(at) else { continue };
        // A part that cannot be unpacked is told by who needs it.
        left -= std::io::copy(&mut part.take(left), &mut std::io::sink()).unwrap_or_default().min(left);
        if left == 0 {
            let most = MOST_UNPACKED / 1024 / 1024;
            let message = format!("the workbook has more than {most} MB when it is unpacked: save the list alone");
            return Err(RosterProblem::of_file(ProblemCode::TooLarge, format!("{most} MB"), message));
        }
    }
    Ok(())
}

fn lines_of(book: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<Vec<Line>, RosterProblem> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| unreadable(&error))?;
    let paddings: Vec<usize> = cells.styles().iter().map(padding).collect();
    let mut lines: BTreeMap<u32, Vec<CellText>> = BTreeMap::new();
    let (mut count, mut text) = (0, 0);
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(|error| unreadable(&error))? {
        let (row, column) = cell.get_position();
        let value = text_of(cell.get_value(), paddings.get(style).copied().unwrap_or_default());
        if value.text.is_empty() {
            continue;
        }
        let number = row.saturating_add(1);
        let column = column as usize;
        if column >= MOST_COLUMNS {
            return Err(too_many_columns(number));
        }
        let line = lines.entry(number).or_default();
        if line.len() <= column {
            count += column + 1 - line.len();
            line.resize_with(column + 1, CellText::default);
        }
        text += value.text.len();
        line[column] = value;
        if count > MOST_CELLS || text > MOST_TEXT {
            return Err(too_many_cells());
        }
        if lines.len() > MOST_LINES {
            return Err(too_many_lines());
        }
    }
    Ok(lines.into_iter().map(|(number, cells)| Line { number, cells }).collect())
}

/// How many digits a number format such as `00000` shows at least: a roll number keeps its zeros by it.
fn padding(style: &Style) -> usize {
    let code = style.number_format.as_ref().map_or("", |format| format.format_code.as_str());
    if !code.is_empty() && code.len() <= LONGEST_PADDING && code.bytes().all(|sign| sign == b'0') {
        code.len()
    } else {
        0
    }
}

fn text_of(value: &DataRef<'_>, padding: usize) -> CellText {
    match value {
        DataRef::Int(number) => CellText { text: format!("{number:0padding$}"), origin: Origin::Text },
        DataRef::Float(number) => number_text(*number, padding),
        DataRef::String(text) => CellText::from(text.as_str()),
        DataRef::SharedString(text) => CellText::from(*text),
        DataRef::Bool(value) => CellText::from(if *value { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(moment) => date_text(moment),
        DataRef::DateTimeIso(text) => {
            let day = text.split('T').next().unwrap_or_default();
            CellText { text: tidy(day), origin: Origin::Date }
        }
        DataRef::DurationIso(text) => CellText { text: tidy(text), origin: Origin::Date },
        DataRef::Error(error) => CellText { text: error.to_string(), origin: Origin::Error },
        DataRef::Empty => CellText::default(),
    }
}

fn number_text(number: f64, padding: usize) -> CellText {
    if number.fract() == 0.0 && number.abs() < LOSES_DIGITS {
        return CellText { text: format!("{number:0padding$.0}"), origin: Origin::Text };
    }
    let origin = if number.abs() < LOSES_DIGITS { Origin::Text } else { Origin::Rounded };
    CellText { text: number.to_string(), origin }
}

fn date_text(moment: &ExcelDateTime) -> CellText {
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    let text = match moment.is_duration() {
        true => moment.as_f64().to_string(),
        false => format!("{year:04}-{month:02}-{day:02}"),
    };
    CellText { text, origin: Origin::Date }
}

fn unreadable(error: &XlsxError) -> RosterProblem {
    match error {
        XlsxError::Password => {
            let message = "the workbook has a password: save it without one";
            RosterProblem::of_file(ProblemCode::PasswordProtected, "", message)
        }
        error => damaged(&error.to_string()),
    }
}

fn damaged(why: &str) -> RosterProblem {
    let message = format!("the workbook cannot be read ({why}): open it in a spreadsheet and save it again as .xlsx");
    RosterProblem::of_file(ProblemCode::Damaged, why, message)
}
