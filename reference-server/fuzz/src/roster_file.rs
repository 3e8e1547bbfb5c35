//! Lists of students: a CSV file or a workbook that somebody hands over.
//!
//! - Reading takes no more memory than the largest list that is allowed.
//! - Of a list with problems or without, no person is listed twice.
//! - A list without problems is read back the same from the CSV file and from the workbook that are written of it.

use std::collections::HashSet;

use faceattend_core::roster_file::{ReadOptions, RosterFile, csv_of, read, xlsx_of};

use crate::memory::within;

/// What reading may take beyond a multiple of the file: a workbook of the largest size, unpacked, and its cells.
const MEMORY: usize = 384 << 20;

/// Reads `data` as a list.
pub fn check(data: &[u8]) {
    within(256 * data.len() + MEMORY, || {
        let list = read(data, &ReadOptions::default());
        let numbers: HashSet<&str> = list.rows.iter().map(|row| row.roll_number.as_str()).collect();
        assert_eq!(numbers.len(), list.rows.len(), "a person is listed twice");
        if list.problems.is_empty() {
            written_and_read(&list);
        }
    });
}

fn written_and_read(list: &RosterFile) {
    let text = csv_of(&list.rows);
    let workbook = xlsx_of(&list.rows).expect("a workbook of a list without problems");
    for file in [text.as_bytes(), &workbook] {
        let again = read(file, &ReadOptions::default());
        assert_eq!(again.problems, [], "{text}");
        assert_eq!(csv_of(&again.rows), text);
    }
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let list = "name,roll_number,group,from,until,guardian_email\n\
                Asha Rao,R1,5A; Choir,2026-03-02,2026-07-31,rao@example.org\n\
                \"O'Brien, Niamh\",R2,5B,,,\n";
    let people = read(list.as_bytes(), &ReadOptions::default()).rows;
    vec![
        ("comma", list.into()),
        ("mark", format!("\u{feff}{list}").into()),
        ("semicolon", list.replace(", ", "|").replace(',', ";").into()),
        ("latin-1", b"name;roll number;class\nJos\xe9;7;5A\n".to_vec()),
        ("formula", "name,roll_number\n\"'=1+1\",R1\n".into()),
        ("twice", "name,roll_number\nAsha,R1\nAsha,r1\n".into()),
        ("no-headings", "Asha,R1\n".into()),
        ("workbook", xlsx_of(&people).expect("a workbook")),
    ]
}
