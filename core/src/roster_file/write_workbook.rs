//! A list of people as an Excel workbook, as small as Office Open XML (ECMA-376) allows.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::write::cells_of;
use crate::error::{Error, Result};
use crate::store::RosterRow;

/// Widths of the columns, in characters.
const WIDTHS: [u8; super::COLUMNS.len()] = [28, 14, 24, 12, 12, 32];
/// The styles of `STYLES`, by their places in `cellXfs`.
const TEXT: u8 = 1;
const HEADING: u8 = 2;

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
<Override PartName="/xl/styles.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
</Types>"#;
const PACKAGE: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Target="xl/workbook.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>
</Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Students" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const PARTS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Target="worksheets/sheet1.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>
<Relationship Id="rId2" Target="styles.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/>
</Relationships>"#;
/// Number format 49 is text, so that whoever edits a roll number keeps its zeros.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"#;

/// Returns the list as an Excel workbook. Everything is text there, so that roll numbers keep their zeros and dates
/// their form, and nothing runs as a formula.
///
/// ```
/// use faceattend_core::roster_file::{ReadOptions, read, xlsx_of};
///
/// let list = read("Roll number,Name\n017,Asha\n".as_bytes(), &ReadOptions::default());
/// let again = read(&xlsx_of(&list.rows)?, &ReadOptions::default());
/// assert_eq!((&*again.rows[0].roll_number, &*again.rows[0].name), ("017", "Asha"));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Internal`] where the ZIP cannot be written.
pub fn xlsx_of(people: &[RosterRow]) -> Result<Vec<u8>> {
    packed(&sheet_of(people)).map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
}

fn packed(sheet: &str) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", PARTS),
        ("xl/styles.xml", STYLES),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The sheet: the first row stays in view.
fn sheet_of(people: &[RosterRow]) -> String {
    let mut sheet = String::from(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews>
<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>
</sheetViews><cols>"#,
    );
    for (column, width) in (1..).zip(WIDTHS) {
        let _ = write!(sheet, r#"<col min="{column}" max="{column}" width="{width}" customWidth="1"/>"#);
    }
    sheet += "</cols><sheetData>";
    for (row, cells) in (1..).zip(cells_of(people)) {
        let style = if row == 1 { HEADING } else { TEXT };
        let _ = write!(sheet, r#"<row r="{row}">"#);
        for (column, cell) in ('A'..).zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            let place = format_args!(r#"r="{column}{row}" s="{style}" t="inlineStr""#).to_string();
            let _ = write!(sheet, r#"<c {place}><is><t xml:space="preserve">{}</t></is></c>"#, escaped(cell));
        }
        sheet += "</row>";
    }
    sheet + "</sheetData></worksheet>"
}

/// A text inside an element. XML has no place for control characters, and Excel reads `_x0041_` as an A.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '_' if names_a_letter(&text[at..]) => safe += "_x005F_",
            '\t' | '\n' | '\r' => safe.push(' '),
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            letter if letter.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Whether a text begins with what Excel writes for one letter, such as `_x000D_`.
fn names_a_letter(text: &str) -> bool {
    let letters = text.as_bytes();
    letters.starts_with(b"_x")
        && letters.get(6) == Some(&b'_')
        && letters.get(2..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
