//! Exports the list of a school, as an import takes it back.

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::roster_file::{GuardianColumn, cells_of, csv_of, people};
use faceattend_core::store::RosterRow;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::groups::today;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{FlagOr, Optional, Word};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const CSV: &str = "text/csv; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListFormat {
    Csv,
    Xlsx,
}

const FORMATS: Word<ListFormat> = Word(&[("csv", ListFormat::Csv), ("xlsx", ListFormat::Xlsx)]);

input! {
    /// How the list is written.
    pub(crate) struct Export {
        query {
            /// `csv`, as where it is left out, or `xlsx`.
            format: Option<ListFormat> = Optional(FORMATS),
            /// Whether CSV begins with a byte-order mark, by which Excel knows that the text is UTF-8.
            byte_order_mark: bool = FlagOr(false),
            /// Whether the addresses of guardians are in it.
            guardians: bool = FlagOr(false),
        }
    }
}

/// A list to be saved.
pub(crate) struct ListFile {
    bytes: Vec<u8>,
    format: ListFormat,
    day: Date,
}

impl IntoResponse for ListFile {
    fn into_response(self) -> Response {
        let (kind, extension) = match self.format {
            ListFormat::Csv => (CSV, "csv"),
            ListFormat::Xlsx => (XLSX, "xlsx"),
        };
        let headers = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=students_{}.{extension}", self.day)),
        ];
        (headers, self.bytes).into_response()
    }
}

impl Answer for ListFile {
    fn describe(described: &mut Described) {
        described.file(CSV);
        described.file(XLSX);
    }
}

pub(super) const EXPORT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/export",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Exports the list of students with their groups, as an import takes it back",
    errors: &[],
};

pub(super) async fn export(
    State(app): State<AppState>,
    call: Authed<Export>,
) -> std::result::Result<ListFile, AppError> {
    let Export { format, byte_order_mark, guardians } = call.input;
    let format = format.unwrap_or(ListFormat::Csv);
    let state = app.clone();
    let (file, count) = app
        .with_store("Error exporting the list", move |store| {
            let day = today(&state)?;
            let column = if guardians { GuardianColumn::Written } else { GuardianColumn::Empty };
            let people = people(store, day, column)?;
            let bytes = bytes_of(&people, format, byte_order_mark)?;
            Ok((ListFile { bytes, format, day }, people.len()))
        })
        .await?;
    let with = if guardians { ", with the addresses of guardians" } else { "" };
    call.trail.note(format!("{count} students{with}"));
    Ok(file)
}

/// Returns the list as a file.
pub(crate) fn bytes_of(people: &[RosterRow], format: ListFormat, byte_order_mark: bool) -> Result<Vec<u8>> {
    match format {
        ListFormat::Csv => {
            let mark = if byte_order_mark { "\u{feff}" } else { "" };
            Ok((mark.to_owned() + &csv_of(people)).into_bytes())
        }
        ListFormat::Xlsx => {
            workbook_of(people).map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
        }
    }
}

/// Everything is text there, so that roll numbers keep their zeros and dates their form.
fn workbook_of(people: &[RosterRow]) -> std::result::Result<Vec<u8>, XlsxError> {
    const WIDTHS: [f64; 6] = [28.0, 14.0, 24.0, 12.0, 12.0, 32.0];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Students")?;
    let (head, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    for (column, width) in (0..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (line, cells) in (0..).zip(cells_of(people)) {
        for (column, cell) in (0..).zip(&cells) {
            let format = if line == 0 { &head } else { &text };
            if !cell.is_empty() {
                sheet.write_string_with_format(line, column, cell, format)?;
            }
        }
    }
    book.save_to_buffer()
}
