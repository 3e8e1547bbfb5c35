//! Attendance as a file: CSV as the existing service writes it, or a workbook.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use faceattend_core::store::{AttendanceFilter, AttendanceRecord, Page};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::attendance::Days;
use crate::error::{AppError, during};
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::state::AppState;

const COLUMNS: [&str; 8] =
    ["Student Name", "Roll Number", "Date", "Time", "Status", "Confidence Score", "Camera Location", "Created At"];
/// The column whose cells are numbers.
const CONFIDENCE: usize = 5;
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Which rows, and as what.
pub(crate) struct Wanted {
    days: Days,
    student: Option<StudentId>,
    workbook: bool,
}

impl Input for Wanted {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let days = Days::read(&mut body);
        let student = body.optional_integer("student_id").map(StudentId);
        // Any other word is CSV, as recorded.
        let format = body.optional_text("format");
        Some(Self { days, student, workbook: format.is_some_and(|format| format == "excel" || format == "xlsx") })
    }
}

/// `POST /attendance/export`, newest first. Date and time are the site's own; `Created At` is UTC, as in the database.
pub(crate) async fn export(
    State(app): State<AppState>,
    call: Authed<Wanted>,
) -> std::result::Result<Response, AppError> {
    const PREFIX: &str = "Error exporting attendance";
    let Wanted { days, student, workbook } = call.input;
    let policy = app.settings().policy.clone();
    let filter = AttendanceFilter { student, ..days.filter(&policy).map_err(during(PREFIX))? };
    let (bytes, kind, extension) = app
        .with_store(PREFIX, move |store| {
            let rows = store.attendance(&filter, Page::ALL)?.items;
            let rows: Vec<[String; 8]> = rows.iter().map(|row| cells(row, policy.time_zone())).collect();
            Ok(if workbook {
                (xlsx_of(&rows)?, XLSX, "xlsx")
            } else {
                (csv_of(&rows).into_bytes(), "text/csv; charset=utf-8", "csv")
            })
        })
        .await?;
    let name = format!("attendance_export_{}.{extension}", Timestamp::now().strftime("%Y%m%d_%H%M%S"));
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
    ];
    Ok((headers, bytes).into_response())
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

/// The rows as CSV; one empty line when there are none, as recorded.
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

/// RFC 4180. What a spreadsheet would run as a formula is told to be text by an apostrophe: names come from outside.
fn csv_field(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
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
