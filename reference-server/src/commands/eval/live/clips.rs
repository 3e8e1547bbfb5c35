//! Which clips show whom.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use faceattend_core::Result;

use super::super::bad;
use super::super::input::{Folder, Table, name};

/// The endings of videos. What of them can be read is the camera module's to say.
const VIDEOS: [&str; 9] = ["mp4", "avi", "mov", "mkv", "webm", "mpg", "mpeg", "m4v", "mjpeg"];
/// The endings of pictures.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// A person, the clips that show the person alone, and the pictures that enrol the person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) clips: Vec<PathBuf>,
    pub(super) pictures: Vec<PathBuf>,
}

/// Returns the people of a folder of folders or of a table.
pub(super) fn people(input: &Path) -> Result<Vec<Person>> {
    let people: Vec<Person> = if input.is_dir() { of_folder(input)? } else { of_table(input)? };
    let people: Vec<Person> = people.into_iter().filter(|person| !person.clips.is_empty()).collect();
    if people.is_empty() {
        let reason = "no clip in it; it needs a folder for each person, with videos or folders of pictures in it";
        return Err(bad("clips", format!("{}: {reason}", input.display())));
    }
    Ok(people)
}

fn of_folder(folder: &Path) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    for path in Folder::read(folder)?.folders {
        let inside = Folder::read(&path)?;
        let mut clips = inside.folders;
        let unreadable = |error: std::io::Error| bad("folder", format!("{}: {error}", path.display()));
        for entry in std::fs::read_dir(&path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.is_file() && is_video(&file) && !name(&file).starts_with('.') {
                clips.push(file);
            }
        }
        clips.sort();
        people.push(Person { clips, pictures: inside.pictures });
    }
    Ok(people)
}

fn of_table(path: &Path) -> Result<Vec<Person>> {
    let table = Table::read(path)?;
    let (file, person) = (table.required(&["path", "file"])?, table.required(&["person", "subject"])?);
    let beside = path.parent().unwrap_or(Path::new(""));
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for row in table.rows() {
        let who = people.entry(row.get(person).to_owned()).or_default();
        let folder = beside.join(row.get(file));
        if !row.get(file).is_empty() && folder.is_dir() {
            who.clips.push(folder);
            continue;
        }
        let file = row.file(file)?;
        if is_picture(&file) {
            who.pictures.push(file);
        } else if is_video(&file) {
            who.clips.push(file);
        } else {
            return Err(row.fault("neither a picture nor a video by its ending; convert it or take the line out"));
        }
    }
    Ok(people.into_values().collect())
}

/// Returns whether the ending of a path is that of a video.
pub(in super::super) fn is_video(path: &Path) -> bool {
    ends(path, &VIDEOS)
}

/// Returns whether the ending of a path is that of a picture.
pub(in super::super) fn is_picture(path: &Path) -> bool {
    ends(path, &PICTURES)
}

fn ends(path: &Path, endings: &[&str]) -> bool {
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|e| endings.contains(&&*e.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_table_name_the_same_people() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for clip in ["anna/walk", "ben"] {
            std::fs::create_dir_all(at(clip)).unwrap();
        }
        for file in ["anna/1.jpg", "anna/gate.mp4", "ben/door.avi", "ben/notes.txt"] {
            std::fs::write(at(file), b"x").unwrap();
        }
        let expected = [
            Person { clips: vec![at("anna/gate.mp4"), at("anna/walk")], pictures: vec![at("anna/1.jpg")] },
            Person { clips: vec![at("ben/door.avi")], pictures: Vec::new() },
        ];
        assert_eq!(people(folder.path()).unwrap(), expected);
        let table = at("clips.csv");
        let lines = "path,person\nanna/gate.mp4,Anna\nanna/walk,Anna\nanna/1.jpg,Anna\nben/door.avi,Ben\n";
        std::fs::write(&table, lines).unwrap();
        assert_eq!(people(&table).unwrap(), expected);
        std::fs::write(&table, "path,person\nben/notes.txt,Ben\n").unwrap();
        assert!(people(&table).unwrap_err().to_string().contains("line 2"));
        let empty = tempfile::tempdir().unwrap();
        assert!(people(empty.path()).unwrap_err().to_string().contains("no clip"));
    }
}
