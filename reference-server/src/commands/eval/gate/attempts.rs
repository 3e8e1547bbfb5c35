//! The attempts: clips and stills, and what each shows.

use std::path::{Path, PathBuf};

use faceattend_core::Result;
use faceattend_core::evaluation::pad::Presentation;

use super::super::bad;
use super::super::input::{Folder, Table, name};
use super::super::live::clips::{is_picture, is_video};
use super::super::pad::presentation;

/// One attempt to be marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) path: PathBuf,
    pub(super) presentation: Presentation,
    /// Whom it shows: attempts with one person are not independent.
    pub(super) person: String,
    /// Whether it was rendered, as the column `origin` says.
    pub(super) is_simulated: bool,
}

/// Returns the attempts of a table or of a folder.
pub(super) fn attempts(input: &Path) -> Result<Vec<Attempt>> {
    let attempts = if input.is_dir() && input.join("labels.csv").is_file() {
        of_table(&input.join("labels.csv"))?
    } else if input.is_dir() {
        of_folder(input)?
    } else {
        of_table(input)?
    };
    if attempts.is_empty() {
        let reason = "no clip in it; it needs `labels.csv`, or a folder `bonafide` and one for each kind of attack";
        return Err(bad("attempts", format!("{}: {reason}", input.display())));
    }
    Ok(attempts)
}

/// A folder for each kind with a folder for each person, in which every video, picture and folder of pictures is an
/// attempt.
fn of_folder(folder: &Path) -> Result<Vec<Attempt>> {
    let mut attempts = Vec::new();
    for kind in Folder::read(folder)?.folders {
        let presentation = presentation(&name(&kind), None).unwrap_or_else(|| Presentation::Attack(name(&kind)));
        for person in Folder::read(&kind)?.folders {
            let inside = Folder::read(&person)?;
            let unreadable = |error: std::io::Error| bad("folder", format!("{}: {error}", person.display()));
            let mut paths = [inside.folders, inside.pictures].concat();
            for entry in std::fs::read_dir(&person).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                paths.extend(Some(path).filter(|path| path.is_file() && is_video(path)));
            }
            paths.sort();
            let person = name(&person);
            let attempt = |path| Attempt {
                path,
                presentation: presentation.clone(),
                person: person.clone(),
                is_simulated: false,
            };
            attempts.extend(paths.into_iter().map(attempt));
        }
    }
    Ok(attempts)
}

fn of_table(path: &Path) -> Result<Vec<Attempt>> {
    let table = Table::read(path)?;
    let (file, label) = (table.required(&["path", "file"])?, table.required(&["label"])?);
    let (attack, person) = (table.column(&["attack"]), table.required(&["subject", "person"])?);
    let origin = table.column(&["origin"]);
    let beside = path.parent().unwrap_or(Path::new(""));
    let mut attempts = Vec::new();
    for row in table.rows() {
        let kind = attack.map(|column| row.get(column)).filter(|kind| !kind.is_empty());
        let presentation = presentation(row.get(label), kind).ok_or_else(|| {
            row.fault(format!("label {:?} is neither bonafide (real, live) nor attack (spoof, fake)", row.get(label)))
        })?;
        let folder = beside.join(row.get(file));
        let path = if !row.get(file).is_empty() && folder.is_dir() { folder } else { row.file(file)? };
        if path.is_file() && !is_video(&path) && !is_picture(&path) {
            return Err(row.fault("neither a picture nor a video by its ending; convert it or take the line out"));
        }
        let is_simulated = origin.is_some_and(|column| row.get(column) == "simulated");
        attempts.push(Attempt { path, presentation, person: row.get(person).to_owned(), is_simulated });
    }
    Ok(attempts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_table_name_the_same_attempts() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for path in ["bonafide/anna/walk", "print/anna", "phone/ben"] {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        for file in ["bonafide/anna/walk/1.jpg", "bonafide/anna/gate.mp4", "print/anna/photo.jpg", "phone/ben/x.avi"] {
            std::fs::write(at(file), b"x").unwrap();
        }
        let attack = |kind: &str| Presentation::Attack(kind.to_owned());
        let attempt = |path: &str, presentation: Presentation, person: &str| Attempt {
            path: at(path),
            presentation,
            person: person.into(),
            is_simulated: false,
        };
        let mut expected = vec![
            attempt("bonafide/anna/gate.mp4", Presentation::BonaFide, "anna"),
            attempt("bonafide/anna/walk", Presentation::BonaFide, "anna"),
            attempt("phone/ben/x.avi", attack("phone"), "ben"),
            attempt("print/anna/photo.jpg", attack("print"), "anna"),
        ];
        let mut found = attempts(folder.path()).unwrap();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        expected.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(found, expected);
        let lines = "path,label,attack,subject\nbonafide/anna/gate.mp4,bonafide,,anna\n\
                     bonafide/anna/walk,real,,anna\nprint/anna/photo.jpg,attack,print,anna\n\
                     phone/ben/x.avi,spoof,phone,ben\n";
        std::fs::write(at("labels.csv"), lines).unwrap();
        let mut found = attempts(folder.path()).unwrap();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(found, expected);
        std::fs::write(at("labels.csv"), "path,label,subject\nphone/ben/x.avi,maybe,ben\n").unwrap();
        assert!(attempts(folder.path()).unwrap_err().to_string().contains("line 2"));
    }
}
