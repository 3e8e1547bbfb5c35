//! Which column of a list means what: told by its heading, in the languages of the pages.

use super::headings::HEADINGS;
use super::headings::Meaning::{self, FamilyName, From, GivenName, Group, GuardianEmail, Name, RollNumber, Until};
use super::table::{CellText, Line};
use crate::store::text_keys::folded;
use crate::store::{GroupKind, ProblemCode, RosterProblem};

/// How many lines are looked at for the headings: titles, dates and a school's address may precede them.
const HEADINGS_WITHIN: usize = 20;

/// The columns of a list, as places in its lines.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) headings: Vec<String>,
    pub(super) roll_number: usize,
    /// The parts of the name, in the order in which they are put together.
    pub(super) name: Vec<usize>,
    pub(super) groups: Vec<(usize, GroupKind)>,
    pub(super) from: Option<usize>,
    pub(super) until: Option<usize>,
    pub(super) guardian_emails: Vec<usize>,
    /// The headings that mean nothing here, or what another column means already.
    pub(super) unknown: Vec<String>,
}

/// Returns whether a text is a usual heading.
pub(super) fn recognized(heading: &str) -> bool {
    meaning_of(heading).is_some()
}

/// The meaning of a heading, and how well it says so: the smaller the better.
fn meaning_of(heading: &str) -> Option<(Meaning, usize)> {
    let key = key_of(heading);
    let find = |key: &str| {
        HEADINGS
            .iter()
            .find_map(|(meaning, names)| Some((*meaning, names.iter().position(|name| key_of(name) == key)?)))
    };
    find(&key).or_else(|| {
        // `Group 2`, `Parent email 1`, and no other column that is numbered.
        let base = key.trim_end_matches(|sign: char| sign.is_ascii_digit());
        find(base).filter(|(meaning, _)| base != key && matches!(meaning, Group(_) | GuardianEmail))
    })
}

/// The letters of a heading: without case, accents, white space, marks, and what stands in brackets.
fn key_of(heading: &str) -> String {
    let bare = heading.split(['(', '[']).next().unwrap_or_default();
    let letter = |letter: &char| {
        let is_mark = matches!(letter, '॰' | '\u{2019}' | '\u{2013}' | '\u{b7}');
        !(letter.is_whitespace() || letter.is_ascii_punctuation() || is_mark)
    };
    folded(bare).chars().filter(letter).collect()
}

/// Returns the columns, and the place of the line with the headings.
pub(super) fn find(lines: &[Line]) -> Result<(usize, Columns), RosterProblem> {
    let mut best: Option<(usize, &Line)> = None;
    for (at, line) in lines.iter().take(HEADINGS_WITHIN).enumerate() {
        let meanings: Vec<Meaning> = line.cells.iter().filter_map(|cell| Some(meaning_of(&cell.text)?.0)).collect();
        if meanings.contains(&RollNumber) && meanings.iter().any(|its| matches!(its, Name | GivenName | FamilyName)) {
            return Ok((at, columns_of(line)?));
        }
        if best.is_none_or(|(most, _)| meanings.len() > most) {
            best = Some((meanings.len(), line));
        }
    }
    Err(best.map_or_else(|| missing(0, &[], "Roll number"), |(_, line)| missing_in(line)))
}

fn missing_in(line: &Line) -> RosterProblem {
    let has = |wanted: &[Meaning]| {
        line.cells.iter().filter_map(|cell| meaning_of(&cell.text)).any(|(meaning, _)| wanted.contains(&meaning))
    };
    let what = match (has(&[RollNumber]), has(&[Name, GivenName, FamilyName])) {
        (true, false) => "Name",
        _ => "Roll number",
    };
    missing(line.number, &line.cells, what)
}

fn missing(line: u32, cells: &[CellText], what: &str) -> RosterProblem {
    /// Of a line without headings a few cells are shown.
    const SHOWN: usize = 8;
    let headings: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).filter(|text| !text.is_empty()).collect();
    let more = if headings.len() > SHOWN { ", ..." } else { "" };
    let shown: Vec<&str> = headings.into_iter().take(SHOWN).collect();
    let message = format!(
        "no column is called {what}: write headings such as Name, Roll number and Group into the first line. Line \
         {line} has {}{more}",
        shown.join(", ")
    );
    RosterProblem::of_file(ProblemCode::NoColumn, what, message)
}

fn columns_of(line: &Line) -> Result<Columns, RosterProblem> {
    let meanings: Vec<Option<(Meaning, usize)>> = line.cells.iter().map(|cell| meaning_of(&cell.text)).collect();
    let column = |wanted: Meaning| -> Result<Option<usize>, RosterProblem> {
        let all = || meanings.iter().enumerate().filter_map(|(at, its)| Some((at, its.as_ref()?)));
        let mut of =
            all().filter(|(_, (meaning, _))| *meaning == wanted).map(|(at, (_, rank))| (*rank, at)).collect::<Vec<_>>();
        of.sort_unstable();
        if let [(first, _), (second, at), ..] = of.as_slice()
            && first == second
        {
            let heading = &line.cells[*at].text;
            let message = format!("two columns are called {heading}: rename or delete one");
            let problem = RosterProblem::at(line.number, ProblemCode::ColumnTwice, heading, message);
            return Err(problem.in_column(heading));
        }
        Ok(of.first().map(|(_, at)| *at))
    };
    let (name, given, family) = (column(Name)?, column(GivenName)?, column(FamilyName)?);
    // `Name` beside `Vorname` is the other part, as `Nombre` is beside `Apellidos`.
    let name = match (name, given, family) {
        (Some(name), Some(given), None) => vec![given, name],
        (Some(name), None, Some(family)) => vec![name, family],
        (Some(name), ..) => vec![name],
        (None, given, family) => given.into_iter().chain(family).collect(),
    };
    let groups: Vec<(usize, GroupKind)> = meanings
        .iter()
        .enumerate()
        .filter_map(|(at, its)| match its {
            Some((Group(kind), _)) => Some((at, *kind)),
            _ => None,
        })
        .collect();
    let roll_number = column(RollNumber)?.unwrap_or_default();
    let [from, until] = [column(From)?, column(Until)?];
    let is_email = |its: &&Option<(Meaning, usize)>| matches!(its, Some((GuardianEmail, _)));
    let guardian_emails: Vec<usize> = (0..).zip(&meanings).filter(|(_, its)| is_email(its)).map(|(at, _)| at).collect();
    let used = |at: &usize| {
        *at == roll_number
            || name.contains(at)
            || groups.iter().any(|(group, _)| group == at)
            || guardian_emails.contains(at)
            || [from, until].contains(&Some(*at))
    };
    let headings: Vec<String> = line.cells.iter().map(|cell| cell.text.clone()).collect();
    let unknown = headings.iter().enumerate().filter(|(at, text)| !used(at) && !text.is_empty());
    let unknown = unknown.map(|(_, text)| text.clone()).collect();
    Ok(Columns { roll_number, name, groups, from, until, guardian_emails, unknown, headings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(headings: &[&str]) -> Line {
        Line { number: 1, cells: headings.iter().map(|text| CellText::from(*text)).collect() }
    }

    #[test]
    fn headings_are_known_in_the_languages_of_the_pages() {
        for headings in [
            ["Roll number", "Name", "Class"],
            ["ROLL_NUMBER", "full name", "groups"],
            ["rollNo.", "Student Name", "Section"],
            ["Schüler-Nr.", "Name", "Klasse"],
            ["Personalnummer", "NAME", "Abteilung"],
            ["Número de lista", "Nombre", "Grupo"],
            ["N°", "Nom complet", "Classe"],
            ["रोल नंबर", "नाम", "कक्षा"],
            ["रोल न॰", "पूरा नाम", "वर्ग"],
            ["رقم الطالب", "الاسم", "الصف"],
            ["الرَّقم", "إسم", "المجموعة"],
            ["Nº (required)", "Name*", "Group 1"],
            // As the pages call them.
            ["N.º de matrícula", "Estudiante", "Grupo"],
            ["Matricule", "Nom", "Groupe"],
            ["रोल नंबर", "विद्यार्थी", "समूह"],
            ["رقم القيد", "الطالب", "الفصل"],
        ] {
            let (_, columns) = find(&[line(&headings)]).unwrap_or_else(|problem| panic!("{headings:?}: {problem}"));
            assert_eq!(
                (columns.roll_number, columns.name.as_slice(), columns.groups.len()),
                (0, &[1][..], 1),
                "{headings:?}"
            );
        }
    }

    #[test]
    fn a_name_in_two_columns_is_put_together_as_people_say_it() {
        for (headings, name) in [
            (["Nr.", "Name", "Vorname"], [2, 1]),
            (["Nr.", "Nachname", "Vorname"], [2, 1]),
            (["No", "First name", "Last name"], [1, 2]),
            (["Número", "Nombre", "Apellidos"], [1, 2]),
            (["Matricule", "Nom", "Prénom"], [2, 1]),
        ] {
            assert_eq!(find(&[line(&headings)]).unwrap().1.name, name, "{headings:?}");
        }
        let all = find(&[line(&["Nr", "Full name", "First name", "Last name"])]).unwrap().1;
        assert_eq!((all.name, all.unknown), (vec![1], vec!["First name".to_owned(), "Last name".into()]));
    }

    #[test]
    fn the_number_of_a_line_is_no_roll_number_beside_one() {
        let columns = find(&[line(&["No.", "Roll no.", "Name", "Blood group"])]).unwrap().1;
        assert_eq!((columns.roll_number, columns.unknown), (1, vec!["No.".to_owned(), "Blood group".into()]));
        assert_eq!(find(&[line(&["No.", "Name"])]).unwrap().1.roll_number, 0);
    }

    #[test]
    fn headings_may_stand_below_a_title_and_what_is_missing_is_named() {
        let lines = [line(&["Class list 2026"]), line(&["Printed", "2026-08-31"]), line(&["Name", "Nr"])];
        assert_eq!(find(&lines).unwrap().0, 2);
        let problem = find(&[line(&["Name", "Group"])]).unwrap_err();
        assert_eq!((problem.code, problem.value.as_str()), (ProblemCode::NoColumn, "Roll number"));
        let problem = find(&[line(&["Roll no", "Group"])]).unwrap_err();
        assert!(problem.value == "Name" && problem.message.contains("Roll no, Group"), "{problem}");
        let problem = find(&[line(&["Name", "Roll no", "Roll no."])]).unwrap_err();
        assert_eq!(problem.code, ProblemCode::ColumnTwice);
    }
}
