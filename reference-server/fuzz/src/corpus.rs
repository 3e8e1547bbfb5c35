//! The corpus, as ordinary tests: no instrumentation, any compiler.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{TARGETS, Target};

/// The largest input: the corpus is part of the repository.
const LARGEST: u64 = 16 << 10;

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

fn inputs(target: &Target) -> Vec<PathBuf> {
    let folder = folder(target);
    let listed = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    inputs
}

/// Says which input it was, since a property does not name it.
fn check(target: &Target, path: &Path) {
    let bytes = fs::read(path).unwrap();
    if let Err(panic) = std::panic::catch_unwind(|| (target.check)(&bytes)) {
        eprintln!("the input was {}", path.display());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_input_of_the_corpus_keeps_the_properties_of_its_target() {
    for target in &TARGETS {
        inputs(target).iter().for_each(|path| check(target, path));
    }
}

#[test]
fn every_input_keeps_them_when_it_is_cut_off() {
    for target in &TARGETS {
        for path in inputs(target) {
            let bytes = fs::read(path).unwrap();
            (0..bytes.len()).step_by(1 + bytes.len() / 16).for_each(|cut| (target.check)(&bytes[..cut]));
        }
    }
}

/// `FACEATTEND_WRITE_SEEDS=1 cargo test -p faceattend-fuzz` writes them.
#[test]
fn the_seeds_are_those_of_the_code() {
    let write = env::var_os("FACEATTEND_WRITE_SEEDS").is_some();
    for target in &TARGETS {
        if write {
            fs::create_dir_all(folder(target)).unwrap();
        }
        for (name, bytes) in (target.seeds)() {
            let path = folder(target).join(format!("seed-{name}"));
            if write {
                fs::write(&path, &bytes).unwrap();
            }
            assert!(fs::read(&path).is_ok_and(|found| found == bytes), "{} is another: see above", path.display());
        }
    }
}

#[test]
fn the_corpus_is_small() {
    for target in &TARGETS {
        for path in inputs(target) {
            let size = fs::metadata(&path).unwrap().len();
            assert!(size <= LARGEST, "{}: {size} bytes", path.display());
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for target in &TARGETS {
        let program = format!("name = \"{0}\"\npath = \"fuzz_targets/{0}.rs\"", target.name);
        assert!(manifest.contains(&program), "{}", target.name);
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
