//! `faceattend eval live`: strangers and students before a camera, in clips of people who are known.

pub(super) mod clips;
mod replay;

use std::path::PathBuf;

use clap::Args;
use faceattend_core::Result;
use faceattend_core::embedding::Embedding;
use faceattend_core::evaluation::Rate;
use faceattend_core::evaluation::live::PerMinute;
use faceattend_core::gallery::Gallery;
use faceattend_core::tracking::TrackingOptions;
use faceattend_core::types::{StudentId, Threshold};
use serde_json::{Value, json};

use super::input::people as folders_of_people;
use super::plot::{Axis, Plot, Series, Style};
use super::reading::{Reading, What, read};
use super::report::{Report, Table, range};
use super::{CommonArgs, Finished, bad};
use clips::{Person, people};
use replay::{Clip, Seen};

/// Clips of people, as strangers and as students.
///
/// DIR has a sub-folder for each person, with clips of that person alone: videos, motion-JPEG AVI, or folders of
/// pictures. Or a table with the columns path and person. Pictures beside the clips (in the table: paths of pictures)
/// enrol the person. Every clip is played with the person left out of the gallery, where each name is a false one,
/// and, where pictures enrol the person, once more with the person in it.
#[derive(Debug, Args)]
pub(super) struct LiveArgs {
    /// The folder of people, or the table
    input: PathBuf,
    /// The people of the gallery: a folder with a sub-folder for each, whose first picture is enrolled
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// How many of them are enrolled, as many times as wished; sizes beyond what DIR holds are said to be missing
    #[arg(long = "size", value_name = "N", default_values_t = [100, 1000, 10_000])]
    sizes: Vec<usize>,
    /// The number of pictures of each clip analyzed in a second
    #[arg(long, value_name = "PER SECOND", default_value_t = 6.0)]
    rate: f64,
    /// The share of strangers that may be named, as `serve` takes it
    #[arg(long, value_name = "RATE", default_value_t = TrackingOptions::default().false_names)]
    false_names: f32,
    /// How near strangers come, as `serve` takes it
    #[arg(long, value_name = "MEAN,SPREAD", value_parser = crate::commands::serve::args::strangers)]
    strangers: Option<faceattend_core::tracking::Impostors>,
    /// The lowest similarity that names a person [default: the documented threshold]
    #[arg(long, default_value_t = 0.7)]
    threshold: f32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Whom a person of DIR is enrolled as: beyond every person of the gallery.
const SELF: StudentId = StudentId(i64::MAX);

/// What a gallery of one size came to.
struct Row {
    enrolled: usize,
    strangers: Vec<Seen>,
    /// Of the same clips, with the person enrolled.
    students: Vec<Seen>,
}

pub(super) fn evaluate(args: &LiveArgs) -> Result<Finished> {
    if !(args.rate > 0.0 && args.rate <= 100.0) {
        return Err(bad("rate", format!("{} is not above 0 and at most 100 pictures a second", args.rate)));
    }
    let threshold = Threshold::new(args.threshold)?;
    let tracking = TrackingOptions::default().with_false_names(args.false_names)?;
    let tracking = args.strangers.map_or(tracking, |strangers| tracking.with_impostors(strangers));
    let persons = people(&args.input)?;
    let others = folders_of_people(&args.gallery)?;
    let mut paths: Vec<PathBuf> = others.iter().filter_map(|(_, pictures)| pictures.first().cloned()).collect();
    let of_gallery = paths.len();
    paths.extend(persons.iter().flat_map(|person| person.pictures.iter().cloned()));
    let loaded = args.common.models.load(false)?;
    let (readings, cache) = read(&loaded, What::Embedding, &paths, &args.common)?;
    let embedding = |reading: &Option<Reading>| reading.as_ref().and_then(|reading| reading.embedding.clone());
    let (of_gallery, mut own) = readings.split_at(of_gallery);
    let crowd: Vec<Embedding> = of_gallery.iter().filter_map(embedding).collect();
    let mut clips = Vec::new();
    for (number, person) in persons.iter().enumerate() {
        let (pictures, rest) = own.split_at(person.pictures.len());
        own = rest;
        let templates: Vec<Embedding> = pictures.iter().filter_map(embedding).collect();
        for path in &person.clips {
            clips.push((number, Clip::read(path, &loaded.engine, args.rate)?, templates.clone()));
        }
    }
    let (mut sizes, missing): (Vec<usize>, Vec<usize>) = args.sizes.iter().partition(|size| **size <= crowd.len());
    if !missing.is_empty() && !sizes.contains(&crowd.len()) {
        sizes.push(crowd.len());
    }
    sizes.sort_unstable();
    let mut rows = Vec::new();
    for size in sizes {
        let gallery = std::sync::Arc::new(Gallery::new(loaded.engine.embedder().clone()));
        gallery.load(crowd.iter().take(size).enumerate().map(|(n, face)| (id_of(n), vec![face.clone()])))?;
        let mut row = Row { enrolled: size, strangers: Vec::new(), students: Vec::new() };
        for (person, clip, templates) in &clips {
            row.strangers.push(clip.play(*person, None, &gallery, threshold, tracking)?);
            if !templates.is_empty() {
                gallery.insert(SELF, templates)?;
                row.students.push(clip.play(*person, Some(SELF), &gallery, threshold, tracking)?);
                gallery.remove(SELF);
            }
        }
        rows.push(row);
    }
    let mut report = assess(&rows, &persons, &missing, args);
    let description = loaded.engine.description();
    report.facts.splice(
        0..0,
        [
            ("input", args.input.display().to_string()),
            ("embedder", description.embedder.clone()),
            ("detector", description.detector.clone()),
        ],
    );
    report.failures =
        paths.iter().zip(&readings).filter(|(_, r)| r.is_none()).map(|(p, _)| p.display().to_string()).collect();
    Ok(Finished { report, cache: Some(cache) })
}

fn id_of(person: usize) -> StudentId {
    StudentId(i64::try_from(person).unwrap_or(i64::MAX))
}

/// The names that are false, in the time that faces were seen.
fn false_names(seen: &[Seen]) -> PerMinute {
    seen.iter().map(Seen::false_names).fold(PerMinute::default(), PerMinute::and)
}

/// The value below which the part `share` of `sorted` lies.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the clips"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1))).copied()
}

fn assess(rows: &[Row], persons: &[Person], missing: &[usize], args: &LiveArgs) -> Report {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let of_rate = |rate: Rate| format!("{} of {}", rate.hits(), rate.trials());
    let (mut strangers, mut students, mut figures, mut curves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let falsely = false_names(&row.strangers);
        // A person with several clips is one stranger.
        let named = Rate::of((0..persons.len()).filter_map(|person| {
            let mut own = row.strangers.iter().filter(|seen| seen.person == person).peekable();
            own.peek()?;
            Some(own.any(|seen| !seen.others.is_empty()))
        }));
        strangers.push(vec![
            row.enrolled.to_string(),
            of_rate(named),
            range(Some(named.interval())),
            falsely.events.to_string(),
            format!("{:.2}", falsely.minutes),
            number(falsely.value()),
            falsely.interval().map_or_else(|| "-".into(), |i| format!("{:.3} to {:.3}", i.low, i.high)),
        ]);
        let mut waits: Vec<f64> = row.students.iter().filter_map(|seen| seen.right_after).collect();
        waits.sort_by(f64::total_cmp);
        let right = Rate::of(row.students.iter().map(|seen| seen.right_after.is_some()));
        let wrong = false_names(&row.students);
        students.push(vec![
            row.enrolled.to_string(),
            of_rate(right),
            range(Some(right.interval())),
            number(quantile(&waits, 0.5)),
            number(quantile(&waits, 0.95)),
            wrong.events.to_string(),
        ]);
        let all = row.students.len().max(1);
        #[expect(clippy::cast_precision_loss, reason = "counts of clips")]
        let curve = waits.iter().enumerate().map(|(n, wait)| (*wait, (n + 1) as f64 / all as f64)).collect();
        curves.push(Series { name: format!("{} enrolled", row.enrolled), style: Style::Line, points: curve });
        figures.push(json!({
            "enrolled": row.enrolled,
            "strangers_named": named,
            "false_names": falsely,
            "students_named": right,
            "students_named_as_others": wrong,
            "seconds_to_the_right_name": {
                "median": quantile(&waits, 0.5), "slowest_twentieth": quantile(&waits, 0.95), "all": waits
            },
        }));
    }
    let mut tables = vec![Table {
        title: "Strangers: the person of a clip is not enrolled".into(),
        columns: vec![
            "enrolled",
            "strangers named",
            "95%",
            "false names",
            "minutes in view",
            "a minute",
            "95% a minute",
        ],
        rows: strangers,
    }];
    let has_students = rows.iter().any(|row| !row.students.is_empty());
    if has_students {
        tables.push(Table {
            title: "Students: the person of a clip is enrolled too".into(),
            columns: vec!["enrolled", "clips named rightly", "95%", "median s", "slowest 20th s", "named as others"],
            rows: students,
        });
    }
    let clips: usize = persons.iter().map(|person| person.clips.len()).sum();
    let mut facts = vec![
        ("people", format!("{} with {clips} clips", persons.len())),
        ("looked at", format!("{} pictures a second", args.rate)),
        ("wished false names", format!("{} of strangers", args.false_names)),
        ("lowest similarity", args.threshold.to_string()),
    ];
    if !missing.is_empty() {
        let sizes = missing.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        facts.push(("not measured", format!("galleries of {sizes}: {} holds fewer people", args.gallery.display())));
    }
    let notes = [
        "A false name is a track that is named as somebody whose face it is not; one that changes its name counts \
         again. Minutes are those in which a face was followed.",
        "Intervals of rates are Clopper-Pearson's, those of names a minute Garwood's, at 95%. Both take people as \
         independent; clips of one person are not.",
        "The time to the right name begins with the first picture that shows a face, and is rounded up to the next \
         picture.",
        "Every picture is analyzed in full here. A camera looks only where faces are, as often as `serve --rate` \
         says and twice as often at a new face.",
    ];
    let longest = curves.iter().flat_map(|series: &Series| &series.points).map(|point| point.0).fold(1.0, f64::max);
    let plots = if has_students {
        vec![Plot {
            title: "Students named, by the time in view",
            x: Axis::linear("seconds", 0.0, longest),
            y: Axis::linear("share of clips", 0.0, 1.0),
            series: curves,
            marks: Vec::new(),
        }]
    } else {
        Vec::new()
    };
    Report {
        command: "eval live",
        title: "Live recognition: strangers and students before a camera",
        facts,
        tables,
        plots,
        notes: notes.map(str::to_owned).to_vec(),
        failures: Vec::new(),
        figures: Value::from(figures),
    }
}
