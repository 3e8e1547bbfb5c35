//! Exports the list of a school, as an import takes it back.

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::roster_file::{GuardianColumn, ListFormat, people};
use jiff::civil::Date;

use super::groups::today;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{FlagOr, Optional, Word};
use crate::responses::{CSV, XLSX};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

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

pub(super) async fn export(State(app): State<AppState>, call: Authed<Export>) -> Result<ListFile, AppError> {
    let Export { format, byte_order_mark, guardians } = call.input;
    let format = format.unwrap_or(ListFormat::Csv);
    let state = app.clone();
    let (file, count) = app
        .with_store("Error exporting the list", move |store| {
            let day = today(&state)?;
            let column = if guardians { GuardianColumn::Written } else { GuardianColumn::Empty };
            let people = people(store, day, column)?;
            let bytes = format.write(&people, byte_order_mark)?;
            Ok((ListFile { bytes, format, day }, people.len()))
        })
        .await?;
    let with = if guardians { ", with the addresses of guardians" } else { "" };
    call.trail.note(format!("{count} students{with}"));
    Ok(file)
}
