//! Exports attendance as a file: CSV as the existing service writes it, or a workbook.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster_file::csv_cell;
use faceattend_core::store::{AttendanceFilter, AttendanceRecord, Page};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::attendance::filter_of_days;
use crate::error::{AppError, during};
use crate::request::coerce::DayOrMoment;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{DayOrTime, FlagOr, Optional, Student, TextOr};
use crate::request::texts;
use crate::responses::{CSV, XLSX};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const COLUMNS: [&str; 8] =
    ["Student Name", "Roll Number", "Date", "Time", "Status", "Confidence Score", "Camera Location", "Created At"];
/// How wide they are in a workbook, in characters.
const WIDTHS: [f64; 8] = [28.0, 14.0, 12.0, 10.0, 10.0, 17.0, 20.0, 20.0];
/// The column with numbers, and those with days and times.
const CONFIDENCE: usize = 5;
const DATE: usize = 2;
const TIME: usize = 3;
const CREATED_AT: usize = 7;
/// The most UTF-16 units in a cell and the most rows in a sheet below its head, as Excel has them.
const LONGEST_CELL: usize = 32_767;
const MOST_ROWS: usize = 1_048_575;

input! {
    /// Which rows to export, and as what.
    pub(crate) struct Wanted {
        body Json {
            /// The first day of the site, or the first moment.
            start_date: Option<DayOrMoment> = Optional(DayOrTime),
            /// The last day of the site, or the last moment, included.
            end_date: Option<DayOrMoment> = Optional(DayOrTime),
            student_id: Option<StudentId> = Optional(Student),
            /// Such as `Present` or `Late`, as in the list.
            status_filter: Option<String> = Optional(texts::STATUS),
            /// `excel` or `xlsx` for a workbook; anything else, as recorded, is CSV.
            format: String = TextOr(texts::FORMAT.example("csv"), "csv"),
            /// Whether CSV begins with a byte-order mark, by which Excel knows that the text is UTF-8.
            byte_order_mark: bool = FlagOr(false),
        }
    }
}

/// A file to be saved.
pub(crate) struct File {
    bytes: Vec<u8>,
    kind: &'static str,
    extension: &'static str,
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let Self { bytes, kind, extension } = self;
        let name = format!("attendance_export_{}.{extension}", Timestamp::now().strftime("%Y%m%d_%H%M%S"));
        let headers = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
        ];
        (headers, bytes).into_response()
    }
}

impl Answer for File {
    fn describe(described: &mut Described) {
        described.file(CSV);
        described.file(XLSX);
    }
}

pub(super) const EXPORT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/attendance/export",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Attendance,
    summary: "Exports attendance as a CSV file or a workbook",
    errors: &[(400, "Error exporting attendance: a day out of range")],
};

/// Exports the rows, newest first. Date and time are the site's own; `Created At` is UTC, as in the database.
pub(super) async fn export(State(app): State<AppState>, call: Authed<Wanted>) -> std::result::Result<File, AppError> {
    const PREFIX: &str = "Error exporting attendance";
    let Wanted { start_date, end_date, student_id, status_filter, format, byte_order_mark } = call.input;
    let workbook = format == "excel" || format == "xlsx";
    let policy = app.settings().policy.clone();
    let days = filter_of(&policy, start_date, end_date).map_err(during(PREFIX))?;
    let status = status_filter.filter(|text| !text.is_empty());
    let told = status.as_deref().map(|status| format!(", {status} alone")).unwrap_or_default();
    let filter = AttendanceFilter { student: student_id, status, ..days };
    let (file, count) = app
        .with_store(PREFIX, move |store| {
            let rows = store.attendance(&filter, Page::ALL)?.items;
            let rows: Vec<[String; 8]> = rows.iter().map(|row| cells(row, policy.time_zone())).collect();
            let file = if workbook {
                File { bytes: xlsx_of(&rows, MOST_ROWS)?, kind: XLSX, extension: "xlsx" }
            } else {
                let mark = if byte_order_mark { "\u{feff}" } else { "" };
                File { bytes: (mark.to_owned() + &csv_of(&rows)).into_bytes(), kind: CSV, extension: "csv" }
            };
            Ok((file, rows.len()))
        })
        .await?;
    call.trail.note(format!("{count} rows of {}{told}", days_of(start_date, end_date)));
    Ok(file)
}

/// Returns the filter for the rows from `start` to `end`, both included.
fn filter_of(
    policy: &AttendancePolicy,
    start: Option<DayOrMoment>,
    end: Option<DayOrMoment>,
) -> Result<AttendanceFilter> {
    let day = |when: Option<DayOrMoment>| match when {
        Some(DayOrMoment::Day(day)) => Some(day),
        _ => None,
    };
    let mut filter = filter_of_days(policy, day(start), day(end))?;
    if let Some(DayOrMoment::Moment(start)) = start {
        filter.from = Some(start);
    }
    if let Some(DayOrMoment::Moment(end)) = end {
        // The filter ends before its time; times are stored in microseconds.
        filter.until = Some(end.saturating_add(SignedDuration::from_micros(1)).unwrap_or(end));
    }
    Ok(filter)
}

/// Returns the days of an export in words.
fn days_of(start: Option<DayOrMoment>, end: Option<DayOrMoment>) -> String {
    match (start, end) {
        (None, None) => "all days".into(),
        (Some(start), None) => format!("{start} and later"),
        (None, Some(end)) => format!("{end} and earlier"),
        (Some(start), Some(end)) => format!("{start} to {end}"),
    }
}

fn cells(record: &AttendanceRecord, zone: &TimeZone) -> [String; 8] {
    let local = record.timestamp.to_zoned(zone.clone());
    [
        record.student_name.clone(),
        record.student_roll_number.clone(),
        local.strftime("%Y-%m-%d").to_string(),
        local.strftime("%H:%M:%S").to_string(),
        record.status.clone(),
        // As Python writes it: a whole number keeps its point.
        record.confidence_score.map(|score| format!("{score:?}")).unwrap_or_default(),
        record.camera_location.clone().unwrap_or_default(),
        record.created_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    ]
}

/// Returns the rows as CSV; one empty line without rows, as recorded.
fn csv_of(rows: &[[String; 8]]) -> String {
    if rows.is_empty() {
        return "\n".into();
    }
    let mut text = COLUMNS.join(",") + "\n";
    for row in rows {
        let fields: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

/// Returns the rows as a workbook, `most` to a sheet.
fn xlsx_of(rows: &[[String; 8]], most: usize) -> Result<Vec<u8>> {
    let write = || -> std::result::Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        // One sheet at least.
        for number in 0..rows.len().div_ceil(most).max(1) {
            let sheet = book.add_worksheet();
            match number {
                0 => sheet.set_name("Attendance")?,
                _ => sheet.set_name(format!("Attendance {}", number + 1))?,
            };
            write_sheet(sheet, rows.iter().skip(number * most).take(most))?;
        }
        book.save_to_buffer()
    };
    write().map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
}

/// How a workbook shows a column of days or times, which are numbers there: a spreadsheet sorts and counts by them.
fn time_format(column: usize) -> Option<&'static str> {
    match column {
        DATE => Some("yyyy-mm-dd"),
        TIME => Some("hh:mm:ss"),
        CREATED_AT => Some("yyyy-mm-dd hh:mm:ss"),
        _ => None,
    }
}

fn write_sheet<'a>(
    sheet: &mut Worksheet,
    rows: impl Iterator<Item = &'a [String; 8]>,
) -> std::result::Result<(), XlsxError> {
    let head = Format::new().set_bold();
    let formats: [Option<Format>; COLUMNS.len()] =
        std::array::from_fn(|column| time_format(column).map(|shown| Format::new().set_num_format(shown)));
    for (column, (title, width)) in (0..).zip(COLUMNS.into_iter().zip(WIDTHS)) {
        sheet.write_string_with_format(0, column, title, &head)?;
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (line, row) in (1..).zip(rows) {
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let at = u16::try_from(column).unwrap_or_default();
            // A day that Excel does not know, such as one before 1900, stays a text.
            let moment = formats[column].as_ref().zip(ExcelDateTime::parse_from_str(cell).ok());
            match (moment, cell.parse::<f64>()) {
                (Some((format, moment)), _) => sheet.write_datetime_with_format(line, at, &moment, format)?,
                (None, Ok(number)) if column == CONFIDENCE => sheet.write_number(line, at, number)?,
                _ => sheet.write_string(line, at, xlsx_cell(cell))?,
            };
        }
    }
    Ok(())
}

/// Returns the text as far as a cell holds it, with an ellipsis where it was cut. Earlier versions stored texts of any
/// length.
pub(super) fn xlsx_cell(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_CELL || text.encode_utf16().count() <= LONGEST_CELL {
        return Cow::Borrowed(text);
    }
    let mut units = 0;
    let fitting = text.chars().take_while(|letter| {
        units += letter.len_utf16();
        units < LONGEST_CELL
    });
    Cow::Owned(fitting.chain(['\u{2026}']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(location: &str) -> [String; 8] {
        std::array::from_fn(|at| if at == 6 { location.to_owned() } else { String::new() })
    }

    #[test]
    fn a_cell_holds_the_beginning_of_a_text_that_is_too_long_for_it() {
        let longest = "x".repeat(LONGEST_CELL);
        assert_eq!(xlsx_cell(&longest), longest);
        // Each is four bytes, two units, one character.
        for long in [longest + "x", "x".repeat(40_000), "\u{1f600}".repeat(16_384), "\u{1f600}".repeat(40_000)] {
            let cell = xlsx_cell(&long);
            assert!(cell.ends_with('\u{2026}') && cell.encode_utf16().count() <= LONGEST_CELL);
            assert!(long.starts_with(cell.trim_end_matches('\u{2026}')) && cell.encode_utf16().count() > 32_760);
            assert!(xlsx_of(&[row(&long)], MOST_ROWS).unwrap().starts_with(b"PK"));
        }
    }

    #[test]
    fn rows_beyond_a_sheet_go_to_the_next() {
        let rows: Vec<_> = ["a", "b", "c", "d", "e"].map(row).into();
        let sheets = |rows: &[[String; 8]]| {
            let book = xlsx_of(rows, 2).unwrap();
            // Each file of a ZIP is named in its directory, at the end.
            let names = (1..9).map(|number| format!("xl/worksheets/sheet{number}."));
            names.filter(|name| book.windows(name.len()).any(|part| part == name.as_bytes())).count()
        };
        assert_eq!((sheets(&[]), sheets(&rows[..2]), sheets(&rows)), (1, 1, 3));
    }

    #[test]
    fn fields_are_quoted_where_they_must_be_and_formulas_are_text() {
        for (cell, field) in [
            ("Asha", "Asha"),
            ("Rao, Asha", "\"Rao, Asha\""),
            ("the \"best\"", "\"the \"\"best\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            (" =1+1", "' =1+1"),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            // A spreadsheet in German separates by semicolons: each would begin a cell.
            ("x;=1+1;y", "\"x;=1+1;y\""),
            ("x\t=1+1", "\"x\t=1+1\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(cell), field);
        }
        assert_eq!(csv_of(&[]), "\n");
    }

    #[test]
    fn a_workbook_is_a_zip() {
        let row = std::array::from_fn(|at| if at == CONFIDENCE { "0.91".to_owned() } else { "=x".to_owned() });
        assert!(xlsx_of(&[row], MOST_ROWS).unwrap().starts_with(b"PK"));
    }
}
