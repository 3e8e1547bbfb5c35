//! Writes registers of a month as files: a CSV with a line for each person, or a workbook with a sheet for each group.

use std::collections::HashSet;

use faceattend_core::roster_file::csv_cell;
use faceattend_core::{Error, Result};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::export::xlsx_cell;

/// The longest name of a sheet, in UTF-16 units, and the signs that no name may hold, as Excel has them.
const SHEET_NAME: usize = 31;
const FORBIDDEN: &[char] = &['[', ']', ':', '*', '?', '/', '\\', '\''];
/// How wide the columns are in a workbook, in characters: names, roll numbers, days, sums.
const WIDTHS: [f64; 4] = [28.0, 12.0, 3.3, 9.0];
/// Column of the roll number, and of the first day.
const ROLL: u16 = 1;
const FIRST_DAY: u16 = 2;
/// Rows above the head of the table in a sheet: its title, and an empty one.
const TITLE_ROWS: u32 = 2;

/// The register of a group in a month.
pub(super) struct Sheet {
    /// The group, and the name of the sheet.
    pub(super) group: String,
    /// What stands above the table.
    pub(super) title: String,
    /// Each day, as `2026-11-02`, and whether nobody is expected on it.
    pub(super) days: Vec<(String, bool)>,
    /// The heads of the sums behind the days.
    pub(super) sums: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// What the letters mean.
    pub(super) legend: String,
}

/// A person's month.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) roll_number: String,
    /// A letter a day; empty where the person is not expected.
    pub(super) letters: Vec<&'static str>,
    /// The last one is a part of 1.
    pub(super) sums: Vec<Option<f64>>,
}

/// Returns the registers as CSV, group after group in one table.
pub(super) fn csv_of(sheets: &[Sheet]) -> String {
    // What Excel takes for the sign that the text is UTF-8.
    let mut text = String::from("\u{feff}");
    let Some(first) = sheets.first() else { return text };
    let days = first.days.iter().map(|(day, _)| day.as_str());
    let head: Vec<&str> =
        ["Group", "Name", "Roll Number"].into_iter().chain(days).chain(first.sums.iter().copied()).collect();
    text += &(head.join(",") + "\n");
    for sheet in sheets {
        for row in &sheet.rows {
            let who = [&sheet.group, &row.name, &row.roll_number].map(|cell| csv_cell(cell));
            let sums = row.sums.iter().map(|sum| sum.map(|sum| sum.to_string()).unwrap_or_default());
            let cells = who.into_iter().chain(row.letters.iter().map(|letter| (*letter).to_owned())).chain(sums);
            text += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
    }
    text
}

/// Returns the registers as a workbook, ready to be printed: a sheet a group, on A4 across.
pub(super) fn xlsx_of(sheets: &[Sheet]) -> Result<Vec<u8>> {
    let write = || -> std::result::Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let mut taken = HashSet::new();
        for sheet in sheets {
            let page = book.add_worksheet();
            page.set_name(sheet_name(&sheet.group, &mut taken))?;
            write_sheet(page, sheet)?;
        }
        if sheets.is_empty() {
            book.add_worksheet();
        }
        book.save_to_buffer()
    };
    write().map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
}

fn write_sheet(page: &mut Worksheet, sheet: &Sheet) -> std::result::Result<(), XlsxError> {
    let head = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
    let day_head = head.clone().set_align(FormatAlign::Center);
    let letter = Format::new().set_align(FormatAlign::Center);
    let off = letter.clone().set_background_color(Color::RGB(0x00E6_E9EC));
    let part = Format::new().set_num_format("0.0%");
    page.write_string_with_format(0, 0, xlsx_cell(&sheet.title), &Format::new().set_bold().set_font_size(14))?;
    page.write_string_with_format(TITLE_ROWS, 0, "Name", &head)?;
    page.write_string_with_format(TITLE_ROWS, ROLL, "Roll Number", &head)?;
    page.set_column_width(0, WIDTHS[0])?;
    page.set_column_width(ROLL, WIDTHS[1])?;
    for (column, (day, free)) in (FIRST_DAY..).zip(&sheet.days) {
        let number = day.rsplit('-').next().unwrap_or_default().trim_start_matches('0');
        page.write_number_with_format(TITLE_ROWS, column, number.parse::<f64>().unwrap_or_default(), &day_head)?;
        page.set_column_width(column, WIDTHS[2])?;
        if *free {
            page.set_column_format(column, &off)?;
        }
    }
    let first_sum = FIRST_DAY + u16::try_from(sheet.days.len()).unwrap_or_default();
    for (column, title) in (first_sum..).zip(&sheet.sums) {
        page.write_string_with_format(TITLE_ROWS, column, *title, &head)?;
        page.set_column_width(column, WIDTHS[3])?;
    }
    for (line, row) in (TITLE_ROWS + 1..).zip(&sheet.rows) {
        // As texts: nothing that a name holds becomes a formula.
        page.write_string(line, 0, xlsx_cell(&row.name))?;
        page.write_string(line, ROLL, xlsx_cell(&row.roll_number))?;
        for (column, (text, (_, free))) in (FIRST_DAY..).zip(row.letters.iter().zip(&sheet.days)) {
            let format = if *free { &off } else { &letter };
            if text.is_empty() {
                page.write_blank(line, column, format)?;
            } else {
                page.write_string_with_format(line, column, *text, format)?;
            }
        }
        for (at, (column, sum)) in (first_sum..).zip(&row.sums).enumerate() {
            let Some(sum) = sum else { continue };
            if at + 1 == row.sums.len() {
                page.write_number_with_format(line, column, *sum, &part)?;
            } else {
                page.write_number(line, column, *sum)?;
            }
        }
    }
    let last = TITLE_ROWS + 2 + u32::try_from(sheet.rows.len()).unwrap_or_default();
    page.write_string(last, 0, sheet.legend.as_str())?;
    page.set_freeze_panes(TITLE_ROWS + 1, FIRST_DAY)?;
    page.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(TITLE_ROWS, TITLE_ROWS)?;
    Ok(())
}

/// Returns a name for a sheet that Excel takes and that none of the others has.
fn sheet_name(group: &str, taken: &mut HashSet<String>) -> String {
    let cut = |text: &str, most: usize| {
        let mut units = 0;
        let fitting = text.chars().take_while(|letter| {
            units += letter.len_utf16();
            units <= most
        });
        fitting.collect::<String>().trim().to_owned()
    };
    let allowed: String =
        group.chars().map(|c| if FORBIDDEN.contains(&c) || c.is_control() { '-' } else { c }).collect();
    let plain = Some(cut(&allowed, SHEET_NAME)).filter(|name| !name.is_empty()).unwrap_or_else(|| "Group".to_owned());
    let numbered = (2..).map(|number| {
        let ending = format!(" ({number})");
        cut(&plain, SHEET_NAME - ending.len()) + &ending
    });
    let free = std::iter::once(plain.clone()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
    free.unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(group: &str, name: &str) -> Sheet {
        Sheet {
            group: group.to_owned(),
            title: format!("{group}, 2026-11"),
            days: vec![("2026-11-01".to_owned(), true), ("2026-11-02".to_owned(), false)],
            sums: vec!["Present", "Rate"],
            rows: vec![Row {
                name: name.to_owned(),
                roll_number: "R1".to_owned(),
                letters: vec!["", "P"],
                sums: vec![Some(1.0), Some(0.5)],
            }],
            legend: "P Present".to_owned(),
        }
    }

    #[test]
    fn a_line_of_the_csv_has_a_letter_for_each_day_and_no_formula() {
        let text = csv_of(&[sheet("7A", "Rao, Asha"), sheet("=7B", "=1+1")]);
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        assert!(text.starts_with('\u{feff}'));
        assert_eq!(
            lines,
            [
                "Group,Name,Roll Number,2026-11-01,2026-11-02,Present,Rate",
                "7A,\"Rao, Asha\",R1,,P,1,0.5",
                "'=7B,'=1+1,R1,,P,1,0.5",
            ]
        );
    }

    #[test]
    fn a_workbook_takes_groups_of_every_name() {
        let names = ["7A", "7a", "a/b:[c]", "", "   ", &"x".repeat(60), &"\u{1f600}".repeat(30), "'q'"];
        let sheets: Vec<Sheet> = names.iter().map(|name| sheet(name, "=x")).collect();
        assert!(xlsx_of(&sheets).unwrap().starts_with(b"PK"));
        assert!(xlsx_of(&[]).unwrap().starts_with(b"PK"));
        let mut taken = HashSet::new();
        assert_eq!(["7A", "7a", "a/b", ""].map(|name| sheet_name(name, &mut taken)), ["7A", "7a (2)", "a-b", "Group"]);
    }
}
