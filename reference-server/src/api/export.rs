//! Exports attendance as a file: CSV as the existing service writes it, or a workbook.

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::store::{AttendanceFilter, AttendanceRecord, Page};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::attendance::filter_of_days;
use crate::error::{AppError, during};
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Optional, Student, TEXT};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const COLUMNS: [&str; 8] =
    ["Student Name", "Roll Number", "Date", "Time", "Status", "Confidence Score", "Camera Location", "Created At"];
/// The column with numbers.
const CONFIDENCE: usize = 5;
const CSV: &str = "text/csv; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

input! {
    /// Which rows to export, and as what.
    pub(crate) struct Wanted {
        body Json {
            /// The first day of the site.
            start_date: Option<Date> = Optional(Day),
            /// The last day of the site, included.
            end_date: Option<Date> = Optional(Day),
            student_id: Option<StudentId> = Optional(Student),
            /// `excel` or `xlsx` for a workbook; anything else, as recorded, is CSV.
            format: Option<String> = Optional(TEXT.example("csv")),
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
    let Wanted { start_date, end_date, student_id, format } = call.input;
    let workbook = format.is_some_and(|format| format == "excel" || format == "xlsx");
    let policy = app.settings().policy.clone();
    let days = filter_of_days(&policy, start_date, end_date).map_err(during(PREFIX))?;
    let filter = AttendanceFilter { student: student_id, ..days };
    let (file, count) = app
        .with_store(PREFIX, move |store| {
            let rows = store.attendance(&filter, Page::ALL)?.items;
            let rows: Vec<[String; 8]> = rows.iter().map(|row| cells(row, policy.time_zone())).collect();
            let file = if workbook {
                File { bytes: xlsx_of(&rows)?, kind: XLSX, extension: "xlsx" }
            } else {
                File { bytes: csv_of(&rows).into_bytes(), kind: CSV, extension: "csv" }
            };
            Ok((file, rows.len()))
        })
        .await?;
    call.trail.note(format!("{count} rows of {}", days_of(start_date, end_date)));
    Ok(file)
}

/// Returns the days of an export in words.
fn days_of(start: Option<Date>, end: Option<Date>) -> String {
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
        let fields: Vec<String> = row.iter().map(|cell| csv_field(cell)).collect();
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

/// Quotes a cell as RFC 4180 says, and also where a spreadsheet separates by semicolons, tabs or bars instead: no part
/// of a cell becomes a cell of its own. An apostrophe marks a cell as text where a spreadsheet would run it as a
/// formula: names come from outside. Spreadsheets that take the full-width signs for the plain ones exist.
fn csv_field(cell: &str) -> String {
    let formula = cell
        .trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}' || sign == '"')
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        || cell.starts_with(['\t', '\r', '\n']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', ';', '\t', '|', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

fn xlsx_of(rows: &[[String; 8]]) -> Result<Vec<u8>> {
    let write = || -> std::result::Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("Attendance")?;
        for (column, title) in (0..).zip(COLUMNS) {
            sheet.write_string(0, column, title)?;
        }
        for (line, row) in (1..).zip(rows) {
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let at = u16::try_from(column).unwrap_or_default();
                match cell.parse::<f64>() {
                    Ok(number) if column == CONFIDENCE => sheet.write_number(line, at, number)?,
                    _ => sheet.write_string(line, at, cell)?,
                };
            }
        }
        book.save_to_buffer()
    };
    write().map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(csv_field(cell), field);
        }
        assert_eq!(csv_of(&[]), "\n");
    }

    #[test]
    fn a_workbook_is_a_zip() {
        let row = std::array::from_fn(|at| if at == CONFIDENCE { "0.91".to_owned() } else { "=x".to_owned() });
        assert!(xlsx_of(&[row]).unwrap().starts_with(b"PK"));
    }
}
