//! What somebody else has put where the program looks: links at the names of its files, libraries beside its work.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use faceattend_core::store::SqliteStore;
use faceattend_core::store::prelude::*;
use jiff::Timestamp;

fn faceattend(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    command.env_clear().env("HOME", folder.join("home")).current_dir(folder);
    command.args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn an_export_goes_into_no_file_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(at("school.db")).unwrap();
    store.create_student("Asha", "R1", Timestamp::now()).unwrap();
    std::fs::write(at("theirs"), "theirs").unwrap();
    let export = || faceattend(folder.path(), &["db", "export", "--database", "school.db", "out.jsonl"]);
    let plants: [fn(&Path, &Path) -> std::io::Result<()>; 2] =
        [|theirs, part| symlink(theirs, part), |theirs, part| std::fs::hard_link(theirs, part)];
    for plant in plants {
        plant(&at("theirs"), &at("out.jsonl.part")).unwrap();
        let refused = export();
        assert!(!refused.status.success() && text(&refused).contains("out.jsonl.part is there"), "{}", text(&refused));
        assert_eq!(std::fs::read_to_string(at("theirs")).unwrap(), "theirs");
        std::fs::remove_file(at("out.jsonl.part")).unwrap();
    }
    symlink(at("nowhere"), at("out.jsonl.part")).unwrap();
    assert!(!export().status.success() && !at("nowhere").exists());
    std::fs::remove_file(at("out.jsonl.part")).unwrap();
    let exported = export();
    assert!(exported.status.success(), "{}", text(&exported));
    assert!(std::fs::read_to_string(at("out.jsonl")).unwrap().contains("Asha"));
}

#[test]
fn no_library_below_the_working_directory_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let planted =
        folder.path().join("node_modules/onnxruntime-node/bin/napi-v6").join(std::env::consts::OS).join("x64");
    std::fs::create_dir_all(&planted).unwrap();
    for name in ["libonnxruntime.so.1", "libonnxruntime.dylib"] {
        std::fs::write(planted.join(name), b"no library").unwrap();
    }
    let said = text(&faceattend(folder.path(), &["doctor", "--data-dir", "data"]));
    assert!(said.contains("onnxruntime") || said.contains("ONNX Runtime"), "{said}");
    assert!(!said.contains("node_modules"), "{said}");
}

#[test]
fn the_library_for_cameras_is_not_taken_from_the_working_directory_and_a_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}faceattend_opencv{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::fs::create_dir_all(folder.path().join("lib/faceattend")).unwrap();
    for planted in [name.clone(), format!("lib/faceattend/{name}")] {
        std::fs::write(folder.path().join(planted), b"no library").unwrap();
    }
    let doctor = ["doctor", "--data-dir", "data"];
    let said = text(&faceattend(folder.path(), &doctor));
    assert!(!said.contains(&folder.path().join(&name).display().to_string()), "{said}");

    let mut named = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    named.env_clear().env("HOME", folder.path()).env("FACEATTEND_OPENCV_LIBRARY", folder.path().join(&name));
    let said = text(&named.args(doctor).current_dir(folder.path()).output().unwrap());
    assert!(said.contains("cannot be loaded") && said.contains("apt install libopencv-videoio406"), "{said}");
}
