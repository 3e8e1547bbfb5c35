//! What an operator reads when a file, a folder or a port is not as it should be: which setting it is, and what to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the binary complains about, with no setting of this machine's.
#[track_caller]
fn complaint(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FACEATTEND_")) {
        command.env_remove(name);
    }
    let output = command.args(words).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{words:?} succeeded");
    said
}

#[test]
fn an_error_names_the_setting_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (a_file, a_folder, missing) = (at("file"), at("folder"), at("none/there"));
    std::fs::write(&a_file, "text").unwrap();
    std::fs::create_dir(&a_folder).unwrap();
    let good = at("good");
    faceattend_core::SqliteStore::open(Path::new(&{
        std::fs::create_dir(&good).unwrap();
        at("good/face_attendance.db")
    }))
    .unwrap();
    let with_bad_secret = at("secret");
    std::fs::create_dir_all(format!("{with_bad_secret}/jwt-secret")).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let below_a_file = format!("{a_file}/below");
    let cases: &[(&[&str], &[&str])] = &[
        (&["serve", "--data-dir", &a_file], &["--data-dir", "a file is where a folder should be", "move it away"]),
        (&["serve", "--data-dir", &below_a_file], &["--data-dir", "a file is where a folder should be"]),
        (&["serve", "--data-dir", "/proc/1/none"], &["--data-dir", "/proc/1/none"]),
        (&["serve", "--data-dir", &good, "--database", &a_folder], &["--database", "it is a folder"]),
        (&["serve", "--data-dir", &good, "--database", &missing], &["is not there", "--database"]),
        (&["serve", "--data-dir", &good, "--template-key-file", &missing], &["--template-key-file", "is not there"]),
        (&["serve", "--data-dir", &good, "--template-key-file", &a_folder], &["--template-key-file", "folder"]),
        (&["serve", "--data-dir", &with_bad_secret], &["jwt-secret", "--data-dir", "it is a folder"]),
        (&["serve", "--data-dir", &good, "--port", &port], &["another program listens there", "--port"]),
        (&["serve", "--config", &missing], &[&missing, "is not there"]),
        (&["serve", "--config", &a_folder], &[&a_folder, "folder"]),
        (
            &["serve", "--data-dir", &good, "--backup-dir", &a_folder, "--backup-passphrase-file", &missing],
            &["--backup-passphrase-file", "is not there"],
        ),
        (&["backup", &missing, "--data-dir", &good], &["none/there", "is not there"]),
        (&["backup", &a_folder, "--data-dir", &good], &["folder is there", "--force"]),
        (&["backup", &a_folder, "--force", "--data-dir", &good], &[&a_folder, "folder"]),
        (&["restore", &missing, "--data-dir", &good], &["none/there", "is not there"]),
        (&["db", "check", "--data-dir", &a_file], &["--data-dir", "a file is where a folder should be"]),
        (&["db", "export", &missing, "--data-dir", &good], &["none/there", "is not there"]),
        (&["keys", "new", &missing], &["none/there", "is not there"]),
    ];
    let mut wrong = Vec::new();
    for (words, expected) in cases {
        let said = complaint(words);
        wrong.extend(
            expected
                .iter()
                .filter(|text| !said.contains(**text))
                .map(|text| format!("{words:?}: no {text:?} in {said}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_is_told_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    drop(faceattend_core::SqliteStore::open(folder.path().join("face_attendance.db")).unwrap());
    // A link is no file of the program's, and what it leads to takes nothing.
    std::os::unix::fs::symlink("/dev/full", folder.path().join("b.part")).unwrap();
    let (file, data) = (folder.path().join("b"), folder.path().to_str().unwrap());
    let said = complaint(&["backup", file.to_str().unwrap(), "--data-dir", data]);
    assert!(said.contains("b.part") && !file.exists(), "{said}");
}

#[test]
fn the_settings_and_the_places_are_shown_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("settings.toml");
    std::fs::write(&config, "port = 9000\njwt-secret = \"swordfish swordfish swordfish\"\n").unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FACEATTEND_")) {
        command.env_remove(name);
    }
    command.args(["config", "--config"]).arg(&config).arg("--data-dir").arg(&data).env("FACEATTEND_RATE", "3");
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line =
        |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    assert!(line("port ").contains("9000") && line("port ").ends_with("file"), "{text}");
    assert!(line("rate ").contains("environment (FACEATTEND_RATE)"), "{text}");
    assert!(line("host ").ends_with("default"), "{text}");
    assert!(line("data folder").contains("data") && line("data folder").contains("not there yet"), "{text}");
    assert!(
        line("database  ").contains("face_attendance.db") || text.matches("face_attendance.db").count() > 0,
        "{text}"
    );
    assert!(text.contains("models") && text.contains("back-ups") && !text.contains("swordfish"), "{text}");
    assert!(!data.exists(), "nothing is made");
    let json: serde_json::Value = serde_json::from_slice(&command.arg("--json").output().unwrap().stdout).unwrap();
    let setting = |name: &str| json["settings"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap().clone();
    assert_eq!((&setting("port")["value"], &setting("port")["source"]), (&"9000".into(), &"file".into()));
    assert_eq!(setting("jwt-secret")["value"], "(set)");
    let place = |what: &str| json["paths"].as_array().unwrap().iter().find(|p| p["what"] == what).unwrap().clone();
    assert_eq!(place("database")["path"], data.join("face_attendance.db").to_str().unwrap());
    assert_eq!(place("data folder")["is_there"], false);
}
