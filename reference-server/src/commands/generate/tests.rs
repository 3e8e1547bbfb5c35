//! What is generated says what the program does.

use clap::Args as _;

use super::*;
use crate::commands::serve::ServeArgs;
use crate::commands::settings;

fn program() -> Command {
    let serve = ServeArgs::augment_args(Command::new("serve"));
    Command::new("faceattend").subcommand(serve)
}

fn keys_of_serve() -> Vec<String> {
    let command = program();
    let serve = command.find_subcommand("serve").unwrap();
    serve.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
}

/// The lines of the file that hold a setting, as they are once the mark of the comment is gone.
fn settings_in(file: &str) -> Vec<&str> {
    let names_a_key =
        |line: &&str| line.split(" = ").next().is_some_and(|key| keys_of_serve().iter().any(|k| k == key));
    file.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).filter(names_a_key).collect()
}

/// Writes `text` where `settings::read` finds it.
fn read(text: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    settings::read(&path).unwrap()
}

#[test]
fn the_settings_file_has_every_setting_once_and_changes_none() {
    let file = settings_file(&program(), &[]).unwrap();
    let mut written: Vec<_> = settings_in(&file).iter().map(|line| line.split(" = ").next().unwrap()).collect();
    assert_eq!(written, keys_of_serve());
    written.dedup();
    assert_eq!(written.len(), keys_of_serve().len());
    assert_eq!(read(&file), [], "a file that nobody changed changes nothing");
    assert!(file.lines().all(|line| line.chars().count() <= WIDTH), "{file}");
}

#[test]
fn every_default_in_the_settings_file_is_the_programs_own() {
    let file = settings_file(&program(), &[]).unwrap();
    let lines = settings_in(&file);
    let command = program();
    let serve = command.find_subcommand("serve").unwrap();
    let with_default = |line: &&str| {
        let key = line.split(" = ").next().unwrap();
        let argument = serve.get_arguments().find(|argument| argument.get_long() == Some(key)).unwrap();
        !argument.get_default_values().is_empty() || !takes_value(argument)
    };
    let defaults: Vec<_> = lines.into_iter().filter(with_default).collect();
    assert!(defaults.len() > 15, "{defaults:?}");
    let from_file = settings::with_defaults(program(), &read(&defaults.join("\n"))).unwrap();
    let matches = |command: Command| command.try_get_matches_from(["faceattend", "serve"]).unwrap();
    let (from_file, own) = (matches(from_file), matches(program()));
    for line in defaults {
        let id = line.split(" = ").next().unwrap().replace('-', "_");
        let raw = |matches: &clap::ArgMatches| {
            let serve = matches.subcommand_matches("serve").unwrap();
            serve.get_raw(&id).map(|values| values.map(ToOwned::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(raw(&from_file), raw(&own), "{line}");
    }
}

#[test]
fn a_setting_that_the_file_changes_is_no_comment() {
    let set = [("data-dir".to_owned(), "/srv/a \"b\"".to_owned()), ("port".to_owned(), "9000".to_owned())];
    let file = settings_file(&program(), &set).unwrap();
    let expected = [("port", "9000"), ("data-dir", "/srv/a \"b\"")];
    let mut changed = read(&file);
    changed.sort();
    let mut expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    expected.sort();
    assert_eq!(changed, expected);
    let refused = settings_file(&program(), &[("prot".to_owned(), "1".to_owned())]).unwrap_err().to_string();
    assert!(refused.contains("prot"), "{refused}");
}

#[test]
fn a_manual_page_is_written_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let manual = GenerateArgs { what: What::Manual { folder: folder.path().join("man1") } };
    run(manual, program().about("Recognizes people")).unwrap();
    let page = std::fs::read_to_string(folder.path().join("man1/faceattend-serve.1")).unwrap();
    assert!(page.contains("FACEATTEND_PORT") && page.contains("8001"), "{page}");
    assert!(folder.path().join("man1/faceattend.1").is_file());
}
