//! Files as programs write them.

use std::io::Write as _;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::store::{GroupKind, ProblemCode, RosterRow};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/data/rosters/{name}")).unwrap()
}

fn listed(bytes: &[u8]) -> RosterFile {
    read(bytes, &ReadOptions::default())
}

/// Roll number, name and groups of a row.
fn told(row: &RosterRow) -> (u32, &str, &str, Vec<&str>) {
    (row.line, &row.roll_number, &row.name, row.groups.iter().map(|group| group.name.as_str()).collect())
}

fn codes(list: &RosterFile) -> Vec<(Option<u32>, ProblemCode)> {
    list.problems.iter().map(|problem| (problem.line, problem.code)).collect()
}

#[test]
fn a_workbook_of_libreoffice_is_read_with_its_dates_and_leading_zeros() {
    let list = listed(&file("libreoffice.xlsx"));
    assert_eq!(list.problems, []);
    assert_eq!(
        list.rows.iter().map(told).collect::<Vec<_>>(),
        [
            (4, "017", "Jörg Müller", vec!["5A"]),
            (5, "18", "Asha Devi Rao-Iyer", vec!["5A", "Chor"]),
            (6, "019", "Thị Minh Nguyễn", vec!["5B"]),
        ]
    );
    assert_eq!(
        list.rows.iter().map(|row| row.from).collect::<Vec<_>>(),
        [Some(date(2026, 8, 31)), None, Some(date(2026, 9, 1))]
    );
    assert_eq!((list.unknown_columns, list.sheet.as_deref()), (vec!["Bemerkung".to_owned()], Some("Klasse 5A")));
    assert_eq!(list.other_sheets, ["Lehrer"]);
    let other = read(&file("libreoffice.xlsx"), &ReadOptions { sheet: Some("lehrer".into()), encoding: None });
    assert_eq!(told(&other.rows[0]), (2, "1", "Frau Schmidt", vec![]));
    let none = read(&file("libreoffice.xlsx"), &ReadOptions { sheet: Some("Eltern".into()), encoding: None });
    assert_eq!(codes(&none), [(None, ProblemCode::UnknownSheet)]);
    assert!(none.problems[0].message.contains("Klasse 5A, Lehrer"));
}

#[test]
fn a_workbook_of_excel_is_read_with_rich_text_and_the_values_of_formulas() {
    let list = listed(&file("excel.xlsx"));
    assert_eq!(list.problems, []);
    assert_eq!(
        list.rows.iter().map(told).collect::<Vec<_>>(),
        [(2, "00042", "Ben Ito", vec!["R&D", "Night"]), (3, "00043", "山田太郎", vec![]), (9, "X44", "Zoë", vec![]),]
    );
    assert_eq!(list.sheet.as_deref(), Some("Students"), "the hidden sheet comes first");
}

#[test]
fn a_cell_at_the_far_end_of_a_sheet_takes_no_memory() {
    let list = listed(&file("far-cell.xlsx"));
    assert_eq!(codes(&list), [(Some(1_048_576), ProblemCode::TooLarge)]);
}

#[test]
fn what_a_spreadsheet_has_changed_is_told_with_its_line() {
    let list = listed(&file("broken.xlsx"));
    assert_eq!(
        codes(&list),
        [
            (Some(2), ProblemCode::NumberChanged),
            (Some(3), ProblemCode::NumberChanged),
            (Some(4), ProblemCode::FormulaError),
            (Some(5), ProblemCode::EndsBeforeItBegins),
            (Some(6), ProblemCode::Missing),
        ]
    );
    assert!(list.problems[0].to_string().starts_with("line 2, column Roll no: the spreadsheet has made a date"));
}

#[test]
fn text_of_excel_is_a_list_in_every_encoding() {
    let text = "Name;Roll Number;Class;Section;Guardian e-mail;Mobile\r\nMüller, Jörg;007;5;A;eltern@example.org;1\r\n";
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.replace(';', "\t").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), utf16, latin] {
        let list = listed(&bytes);
        assert_eq!(list.problems, []);
        assert_eq!(told(&list.rows[0]), (2, "007", "Müller, Jörg", vec!["5 A"]));
        assert_eq!(list.rows[0].groups[0].kind, GroupKind::Class);
        assert_eq!(list.rows[0].guardian_emails, ["eltern@example.org"]);
        assert_eq!(list.unknown_columns, ["Mobile"]);
    }
}

#[test]
fn every_wrong_line_is_told_and_the_others_are_read() {
    let text = "roll number,name,group,from,until,guardian email,phone\n\
                1,Asha,5A,,,,\n\
                ,Ben,5A,,,,\n\
                3,,5A,,,,\n\
                1 ,Somebody else,5A,,,,\n\
                1,Asha,Choir,,,,\n\
                5,Eva,5A,31.2.2026,,,\n\
                6,Finn,5A,3/4/2026,,,\n\
                7,Gil,5A,,,nobody,call me\n\
                1.23E+15,Hal,5A,,,,\n\
                ,,,,,,\n\
                8,Ida,5A,2026-08-01,2026-12-31,,+49 30 1234\n";
    let list = listed(text.as_bytes());
    assert_eq!(
        codes(&list),
        [
            (Some(3), ProblemCode::Missing),
            (Some(4), ProblemCode::Missing),
            (Some(5), ProblemCode::RollNumberTwice),
            (Some(7), ProblemCode::BadDate),
            (Some(8), ProblemCode::AmbiguousDate),
            (Some(9), ProblemCode::BadEmail),
            (Some(10), ProblemCode::NumberChanged),
        ]
    );
    assert_eq!(
        list.rows.iter().map(told).collect::<Vec<_>>(),
        [(2, "1", "Asha", vec!["5A", "Choir"]), (12, "8", "Ida", vec!["5A"])]
    );
    assert_eq!(list.rows[1].groups[0].last, Some(date(2026, 12, 31)));
}

#[test]
fn files_that_are_no_lists_are_told_what_they_are() {
    for (bytes, code) in [
        (&b""[..], ProblemCode::Empty),
        (b"\xef\xbb\xbf \r\n", ProblemCode::Empty),
        (b"Roll no,Name\n", ProblemCode::Empty),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ProblemCode::UnknownFormat),
        (b"%PDF-1.7", ProblemCode::UnknownFormat),
        (b"<!DOCTYPE html>", ProblemCode::UnknownFormat),
        (b"PK\x03\x04 cut off", ProblemCode::Damaged),
        (b"Asha,5A\nBen,5B\n", ProblemCode::NoColumn),
    ] {
        let list = listed(bytes);
        assert_eq!((list.rows.len(), list.problems.len(), list.problems[0].code), (0, 1, code), "{bytes:?}");
    }
    let cut = file("excel.xlsx");
    assert_eq!(listed(&cut[..cut.len() / 2]).problems[0].code, ProblemCode::Damaged);
    let far = format!("Roll no,Name{}\n1,x", ",a".repeat(300));
    assert_eq!(listed(far.as_bytes()).problems[0].code, ProblemCode::TooLarge);
    let long = "Roll no,Name\n".to_owned() + &"1,x\n".repeat(MOST_LINES + 1);
    assert_eq!(listed(long.as_bytes()).problems[0].code, ProblemCode::TooLarge);
}

#[test]
fn a_workbook_that_unpacks_to_more_than_memory_is_refused_before_it_is_read() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default();
    zip.start_file("xl/sharedStrings.xml", stored).unwrap();
    let zeros = vec![b' '; 1024 * 1024];
    (0..=MOST_UNPACKED / 1024 / 1024).for_each(|_| zip.write_all(&zeros).unwrap());
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    assert_eq!(codes(&listed(&bomb)), [(None, ProblemCode::TooLarge)]);
}

#[test]
fn an_export_is_read_as_it_was_written() {
    let text = "name,roll_number,group,from,until,guardian_email\n\
                \"Rao, Asha\",007,\"5A; Choir\",2026-08-31,,\"a@example.org; b@example.org\"\n\
                Ben,8,5A,2026-08-31,2026-12-31,\n\
                Ben,8,Choir,2026-09-15,,\n\
                '=1+1,9,,,,\n";
    let list = listed(text.as_bytes());
    assert_eq!(list.problems, []);
    assert_eq!(csv_of(&list.rows), text);
    let book = listed(&xlsx_of(&list.rows).unwrap());
    assert_eq!((book.problems, book.sheet.as_deref()), (vec![], Some("Students")));
    assert_eq!(csv_of(&book.rows), text);
}

#[test]
fn a_workbook_takes_what_xml_cannot() {
    let row = RosterRow {
        line: 2,
        roll_number: "1".into(),
        name: "<A & \"B\"> \u{1}]]>\u{ffff}\n_x0041_".into(),
        groups: Vec::new(),
        from: None,
        last: None,
        guardian_emails: Vec::new(),
    };
    let list = listed(&xlsx_of(&[row]).unwrap());
    assert_eq!(list.rows[0].name, "<A & \"B\"> \u{fffd}]]>\u{fffd} _x0041_");
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zäß ]{1,12}", "[=+@;|\",'\n]{1,4}[a-z]{1,4}", "[ -~]{1,20}"].prop_filter("seen", |text| {
        let tidy = table::tidy(text);
        !tidy.is_empty() && tidy == *text && !text.starts_with('\'')
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_names_survive_an_export_and_an_import(names in proptest::collection::vec(cell(), 1..20)) {
        let row = |(number, name): (usize, &String)| RosterRow {
            line: u32::try_from(number).unwrap() + 2,
            roll_number: number.to_string(),
            name: name.clone(),
            groups: Vec::new(),
            from: None,
            last: None,
            guardian_emails: Vec::new(),
        };
        let people: Vec<RosterRow> = names.iter().enumerate().map(row).collect();
        for file in [csv_of(&people).into_bytes(), xlsx_of(&people).unwrap()] {
            let list = listed(&file);
            prop_assert_eq!(&list.problems, &[]);
            prop_assert_eq!(&list.rows, &people);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), in_zip in any::<bool>()) {
        let bytes = if in_zip { [b"PK\x03\x04".as_slice(), &bytes].concat() } else { bytes };
        let list = listed(&bytes);
        prop_assert!(list.rows.is_empty() || list.problems.is_empty() || !list.rows.is_empty());
    }
}
