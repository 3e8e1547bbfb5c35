//! The commands on the project's own pictures, and on inputs that are wrong.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    eval: EvalArgs,
}

fn action(words: &[&str]) -> Action {
    Cli::try_parse_from([&["eval"], words].concat()).unwrap().eval.action
}

fn evaluate(words: &[&str]) -> Result<Finished> {
    match action(words) {
        Action::Pad(args) => pad::evaluate(&args),
        Action::Verify(args) => verify::evaluate(&args),
        Action::Pose(args) => pose::evaluate(&args),
        Action::Identify(args) => identify::evaluate(&args),
        Action::Live(args) => live::evaluate(&args),
        Action::Gate(args) => gate::evaluate(&args),
    }
}

/// The error of a command, which nothing may have followed.
fn refused(words: &[&str]) -> String {
    evaluate(words).map(|_| ()).unwrap_err().to_string()
}

fn media(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media").join(file)
}

/// Two people of two pictures; a third has a picture without a face.
fn people() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for person in ["collins", "hopper"] {
        std::fs::create_dir(folder.path().join(person)).unwrap();
        for picture in ["yaw+00.jpg", "yaw+05.jpg"] {
            std::fs::copy(media(person).join(picture), folder.path().join(person).join(picture)).unwrap();
        }
    }
    std::fs::create_dir(folder.path().join("nobody")).unwrap();
    image::RgbImage::new(160, 160).save(folder.path().join("nobody/blank.png")).unwrap();
    folder
}

#[test]
fn a_run_goes_on_where_it_stopped_and_leaves_no_embedding_behind() {
    let (people, cache) = (people(), tempfile::tempdir().unwrap());
    let (input, cache) = (people.path().to_str().unwrap(), cache.path().to_str().unwrap());
    let words = ["verify", input, "--threads", "1", "--cache-dir", cache];
    let first = evaluate(&words).unwrap();
    assert_eq!(first.report.figures["genuine_pairs"], 2);
    assert_eq!(first.report.figures["impostor_pairs"], 4);
    assert_eq!(first.report.figures["auc"], 1.0);
    // The picture without a face is named, and its pairs count.
    assert_eq!(first.report.failures.len(), 1);
    assert!(first.report.failures[0].ends_with("blank.png"));
    assert_eq!(first.report.figures["at_threshold"]["far"]["trials"], 8);

    // Cut off inside its last line, as a run that is killed leaves it.
    let path = first.cache.as_ref().unwrap().path().to_owned();
    drop(first.cache);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5);
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    let again = evaluate(&words).unwrap();
    assert_eq!(again.report.figures, first.report.figures);
    // One picture was measured again, four were not.
    let lines: Vec<_> = std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    again.cache.unwrap().finish(false).unwrap();
    assert!(!path.exists());
}

#[test]
fn identification_and_pose_report_what_they_measured() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    let people = people();
    let input = people.path().to_str().unwrap();
    let found = evaluate(&[
        "identify",
        input,
        "--strangers",
        media("obama").to_str().unwrap(),
        "--enrol",
        "1",
        "--threads",
        "1",
        "--cache-dir",
        cache,
    ])
    .unwrap();
    assert_eq!(found.report.figures["enrolled"], 2);
    assert_eq!(found.report.figures["rank_one"]["hits"], 2);
    assert_eq!(found.report.figures["rank_one"]["trials"], 2);

    // The angles are known: the pictures were turned by software.
    let labels = people.path().join("pose.csv");
    std::fs::write(&labels, "file,yaw\ncollins/yaw+00.jpg,0\nhopper/yaw+05.jpg,5\nnobody/blank.png,0\n").unwrap();
    let found = evaluate(&["pose", input, "--threads", "1", "--cache-dir", cache]).unwrap();
    assert_eq!(found.report.figures["yaw_error"]["samples"], 2);
    assert_eq!(found.report.figures["no_face"]["hits"], 1);
    let html = found.report.html();
    assert!(html.contains("<svg") && !html.contains("<script") && !html.contains("http"));
    assert!(found.report.text().contains("Pictures in which no face was found: 1"));
}

#[test]
fn what_is_wrong_with_an_input_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| {
        std::fs::write(at(name), text).unwrap();
        at(name)
    };
    std::fs::copy(media("collins/yaw+00.jpg"), at("a.jpg")).unwrap();
    for (command, text, says) in [
        ("pad", "path,label\na.jpg,real\na.jpg,maybe\n", "line 3: label \"maybe\""),
        ("pad", "path,kind\na.jpg,real\n", "no column `label`; its first line names these: path, kind"),
        ("pad", "path,label\nmissing.jpg,real\n", "line 2: \"missing.jpg\" is no file"),
        ("pad", "path,label\na.jpg,real\n", "there are no attacks"),
        ("pad", "path,label\na.jpg,real,too,many\n", "line: 2"),
        ("pose", "file,pitch\na.jpg,3\n", "no column `yaw`"),
        ("pose", "file,yaw\na.jpg,left\n", "line 2: yaw is \"left\""),
        ("verify", "path_a,path_b,same\na.jpg,a.jpg,1\n", "line 2: both paths are one file"),
        ("verify", "path_a,path_b,same\na.jpg,a.jpg,perhaps\n", "line 2: same is \"perhaps\""),
        ("verify", "path_a,path_b,same\n", "no line below"),
    ] {
        let error = refused(&[command, &write("table.csv", text)]);
        assert!(error.contains(says), "{command} {text:?}: {error}");
    }
    std::fs::create_dir_all(at("empty/person")).unwrap();
    assert!(refused(&["identify", &at("empty")]).contains("person: no JPEG"));
    assert!(refused(&["verify", &at("empty/person")]).contains("one for each person"));
    assert!(refused(&["pose", &at("nowhere.csv")]).contains("nowhere.csv"));
    assert!(refused(&["pad", &at("a.jpg"), "--threshold", "2"]).contains("between 0 and 1"));
}

#[test]
fn a_damaged_picture_is_named_and_what_was_measured_stays() {
    let (people, cache) = (people(), tempfile::tempdir().unwrap());
    std::fs::write(people.path().join("nobody/broken.jpg"), b"\xFF\xD8\xFF not a picture").unwrap();
    let error = refused(&[
        "verify",
        people.path().to_str().unwrap(),
        "--threads",
        "1",
        "--cache-dir",
        cache.path().to_str().unwrap(),
    ]);
    assert!(error.contains("broken.jpg") && error.contains("run the same command again"), "{error}");
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 1);
}

#[test]
fn groups_are_reported_each_by_itself_with_the_pairs_across() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("path,person,Glasses\n");
    for (person, glasses) in [("collins", ["no", "yes"]), ("hopper", ["no", "no"]), ("obama", ["no", ""])] {
        for (picture, glasses) in ["yaw+00.jpg", "yaw+05.jpg"].into_iter().zip(glasses) {
            table += &format!("{},{person},{glasses}\n", media(person).join(picture).canonicalize().unwrap().display());
        }
    }
    let input = folder.path().join("people.csv");
    std::fs::write(&input, &table).unwrap();
    let (input, cache) = (input.to_str().unwrap(), folder.path().to_str().unwrap());
    let words = ["verify", input, "--by", "Glasses", "--threads", "1", "--cache-dir", cache];
    let found = evaluate(&words).unwrap();
    let by = &found.report.figures["by"];
    let classes = by["classes"].as_array().unwrap();
    let counts = |name: &str| {
        let class =
            classes.iter().find(|class| class["class"] == name).unwrap_or_else(|| panic!("{name}: {classes:?}"));
        (
            class["people"].as_u64().unwrap(),
            class["genuine_pairs"].as_u64().unwrap(),
            class["impostor_pairs"].as_u64().unwrap(),
        )
    };
    // Four pictures of three people without glasses: one pair of one person, five of two.
    assert_eq!(counts("no"), (3, 1, 5));
    assert_eq!(counts("no with yes"), (3, 1, 3));
    assert_eq!(counts("everybody"), (3, 3, 12));
    // A class of one picture has nothing to compare within it.
    assert!(counts("yes") == (0, 0, 0) && counts("(not said)") == (0, 0, 0));
    assert_eq!(by["impostors"], "within");
    let text = found.report.text();
    assert!(
        text.contains("FNMR: one person taken for two, by glasses") && text.contains("Worst group against best"),
        "{text}"
    );
    assert!(found.report.html().contains("FMR by group along the threshold"));

    let everybody = evaluate(&[&words[..], &["--impostors", "everybody"]].concat()).unwrap();
    let classes = everybody.report.figures["by"]["classes"].clone();
    assert_eq!(classes.as_array().unwrap().iter().find(|c| c["class"] == "yes").unwrap()["impostor_pairs"], 4);

    let says = |words: &[&str]| refused(words);
    assert!(says(&["verify", input, "--by", "mask", "--cache-dir", cache]).contains("no column `mask`"));
    let pictures = people();
    assert!(says(&["verify", pictures.path().to_str().unwrap(), "--by", "glasses"]).contains("table of pictures"));
    std::fs::write(input, table.replace(",obama,", ",,")).unwrap();
    assert!(says(&["verify", input, "--by", "glasses", "--cache-dir", cache]).contains("line 6: person is empty"));
    let twice = table.lines().chain(table.lines().last()).collect::<Vec<_>>().join("\n");
    std::fs::write(input, twice).unwrap();
    assert!(says(&["verify", input, "--by", "glasses", "--cache-dir", cache]).contains("line 8"));
}

#[test]
fn a_gallery_grows_by_people_who_are_not_searched_for() {
    let (people, others) = (people(), tempfile::tempdir().unwrap());
    std::fs::create_dir(others.path().join("obama")).unwrap();
    for picture in ["yaw+00.jpg", "yaw+05.jpg"] {
        std::fs::copy(media("obama").join(picture), others.path().join("obama").join(picture)).unwrap();
    }
    let (input, others) = (people.path().to_str().unwrap(), others.path().to_str().unwrap());
    let cache = tempfile::tempdir().unwrap();
    for templates in ["mean", "weighted", "several", "first"] {
        let words =
            ["identify", input, "--distractors", others, "--enrol", "1", "--templates", templates, "--threads", "1"];
        let found = evaluate(&[&words[..], &["--cache-dir", cache.path().to_str().unwrap()]].concat()).unwrap();
        let figures = &found.report.figures;
        assert_eq!(
            (figures["enrolled"].as_u64(), figures["rank_one"]["trials"].as_u64()),
            (Some(3), Some(2)),
            "{templates}"
        );
        assert_eq!(figures["rank_one"]["hits"], 2, "{templates}");
    }
}

#[test]
fn clips_are_played_as_those_of_strangers_and_of_students() {
    let (clips, gallery, cache) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for person in ["collins", "hopper"] {
        std::fs::create_dir(clips.path().join(person)).unwrap();
        for file in ["turn.avi", "center.jpg"] {
            std::fs::copy(media(person).join(file), clips.path().join(person).join(file)).unwrap();
        }
    }
    std::fs::create_dir(gallery.path().join("obama")).unwrap();
    std::fs::copy(media("obama/center.jpg"), gallery.path().join("obama/center.jpg")).unwrap();
    let [clips, gallery, cache] = [&clips, &gallery, &cache].map(|dir| dir.path().to_str().unwrap());
    let words = ["live", clips, "--gallery", gallery, "--threads", "1", "--cache-dir", cache];
    let finished = evaluate(&words).unwrap();
    let [figures] = &finished.report.figures.as_array().unwrap()[..] else { panic!("{}", finished.report.figures) };
    assert_eq!((&figures["enrolled"], &figures["strangers_named"]["hits"]), (&1.into(), &0.into()));
    assert!(figures["false_names"]["minutes"].as_f64().unwrap() > 0.0);
    assert_eq!((&figures["students_named"]["hits"], &figures["students_named"]["trials"]), (&2.into(), &2.into()));
    assert!(figures["seconds_to_the_right_name"]["median"].as_f64().unwrap() < 2.0, "{figures}");
    // Sizes that nobody can fill are said to be missing.
    let text = finished.report.text();
    assert!(text.contains("galleries of 100, 1000, 10000"), "{text}");
    assert!(refused(&["live", clips, "--gallery", gallery, "--rate", "0"]).contains("pictures a second"));
    assert!(refused(&["live", gallery, "--gallery", gallery]).contains("no clip"));
}

#[test]
fn the_gate_marks_a_head_that_turns_and_no_picture_of_it() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("turn.avi", "bonafide"), ("center.jpg", "print")] {
        let to = folder.path().join(to).join("hopper");
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(media("hopper").join(from), to.join(from)).unwrap();
    }
    let words = ["gate", folder.path().to_str().unwrap(), "--without-passive", "--seconds", "6"];
    let report = evaluate(&words).unwrap().report;
    assert_eq!(report.figures["living"]["outcomes"]["marked"]["hits"], 1, "{:?}", report.figures);
    let print = &report.figures["print"];
    assert_eq!((&print["marked"]["hits"], &print["marked"]["trials"]), (&0.into(), &1.into()), "{print:?}");
    assert_eq!(print["marked_without"]["hits"], 1, "without the gate it is marked: {print:?}");
    assert_eq!(print["suspected"]["hits"], 1, "{print:?}");

    let fitted = evaluate(&[&words[..], &["--fit"]].concat()).unwrap().report;
    assert!(fitted.figures["weights"]["change"].as_f64().unwrap() > 0.0, "{:?}", fitted.figures);
}
