//! `faceattend eval identify`: searches for people who are enrolled and for strangers.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use faceattend_core::embedding::Embedding;
use faceattend_core::evaluation::identification::{MatedSearch, Searches};
use faceattend_core::gallery::Gallery;
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use serde_json::json;

use super::input::{Folder, people};
use super::plot::{Axis, Plot, Series, Style, histogram};
use super::reading::{Reading, What, read};
use super::report::{RATE_COLUMNS, Report, range, row};
use super::{CommonArgs, Finished, bad, report};

/// Enrolled people and strangers.
///
/// DIR has a sub-folder for each person. The first pictures of each are enrolled, the others are searched for.
/// STRANGERS holds pictures of people who are not enrolled, in itself or in sub-folders.
#[derive(Debug, Args)]
pub(super) struct IdentifyArgs {
    /// The folder of people
    dir: PathBuf,
    /// A folder of strangers, which FPIR needs
    #[arg(long, value_name = "DIR")]
    strangers: Option<PathBuf>,
    /// A folder of more people, who are enrolled but not searched for, to make the gallery larger
    #[arg(long, value_name = "DIR")]
    distractors: Option<PathBuf>,
    /// The number of pictures enrolled of each person
    #[arg(long, default_value_t = 3)]
    enrol: usize,
    /// How the enrolled pictures of a person become templates
    #[arg(long, value_enum, default_value_t = Templates::Mean)]
    templates: Templates,
    /// The number of rounds. Each one enrols from the next picture on, so that more pictures are searched for
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// The lowest similarity that names a person [default: the documented threshold]
    #[arg(long, default_value_t = 0.7)]
    threshold: f32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Templates {
    /// Their mean, as everywhere in faceattend
    Mean,
    /// Their mean, each weighing what it would in a track's vote: by size, sharpness and turn
    Weighted,
    /// Each is a template of its own, of which the most similar counts
    Several,
    /// The first alone
    First,
}

impl Templates {
    fn in_words(self) -> &'static str {
        match self {
            Self::Mean => "averaged",
            Self::Weighted => "averaged by their quality",
            Self::Several => "each a template",
            Self::First => "the first one alone",
        }
    }

    /// What is enrolled of a person's views; each is a template of its own.
    fn of(self, views: &[View<'_>]) -> Result<Vec<Embedding>> {
        let embeddings = || views.iter().map(|view| view.embedding.clone()).collect::<Vec<_>>();
        match self {
            Self::Mean if views.is_empty() => Ok(Vec::new()),
            Self::Mean => Ok(vec![Embedding::mean(&embeddings())?]),
            Self::Several => Ok(embeddings()),
            Self::First => Ok(embeddings().into_iter().take(1).collect()),
            Self::Weighted => {
                let Some(first) = views.first() else { return Ok(Vec::new()) };
                let mut sum = vec![0.0; first.embedding.values().len()];
                for view in views {
                    for (total, value) in sum.iter_mut().zip(view.embedding.values()) {
                        *total += value * view.weight;
                    }
                }
                Ok(vec![Embedding::from_raw(first.embedding.model().clone(), &sum)?])
            }
        }
    }
}

/// A picture's face.
#[derive(Clone, Copy)]
struct View<'a> {
    embedding: &'a Embedding,
    weight: f32,
}

impl<'a> View<'a> {
    fn of(reading: &'a Reading) -> Option<Self> {
        Some(Self { embedding: reading.embedding.as_ref()?, weight: reading.weight? })
    }
}

/// Somebody who is enrolled.
struct Person<'a> {
    /// The faces in the pictures; `None` where there is none.
    views: Vec<Option<View<'a>>>,
    /// Whether those that are not enrolled are searched for.
    is_searched_for: bool,
}

pub(super) fn evaluate(args: &IdentifyArgs) -> Result<Finished> {
    if args.enrol == 0 || args.rounds == 0 {
        return Err(bad("enrol", "at least one picture has to be enrolled, in at least one round"));
    }
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(bad("threshold", format!("{} is not between 0 and 1", args.threshold)));
    }
    let people = people(&args.dir)?;
    if people.iter().all(|(_, pictures)| pictures.len() <= args.enrol) {
        let reason = format!(
            "{}: nobody has more than {} pictures, so none is left to search for; lower --enrol or add pictures",
            args.dir.display(),
            args.enrol
        );
        return Err(bad("folder", reason));
    }
    let distractors = args.distractors.as_deref().map(super::input::people).transpose()?.unwrap_or_default();
    let strangers = args.strangers.as_deref().map(strangers).transpose()?.unwrap_or_default();
    let everybody: Vec<(&Vec<PathBuf>, bool)> =
        people.iter().map(|(_, own)| (own, true)).chain(distractors.iter().map(|(_, own)| (own, false))).collect();
    let mut paths: Vec<PathBuf> = everybody.iter().flat_map(|(own, _)| own.iter().cloned()).collect();
    let of_people = paths.len();
    paths.extend(strangers);
    let loaded = args.common.models.load(false)?;
    let (readings, cache) = read(&loaded, What::Embedding, &paths, &args.common)?;
    let (mut rest, of_strangers) = readings.split_at(of_people);
    let mut enrolled: Vec<Person<'_>> = Vec::new();
    for (pictures, is_searched_for) in everybody {
        let (own, after) = rest.split_at(pictures.len());
        let views = own.iter().map(|reading| reading.as_ref().and_then(View::of)).collect();
        enrolled.push(Person { views, is_searched_for });
        rest = after;
    }
    let probes: Vec<Option<&Embedding>> =
        of_strangers.iter().map(|reading| reading.as_ref()?.embedding.as_ref()).collect();

    let mut searches = Searches::default();
    for round in 0..args.rounds {
        search_round(&loaded, &enrolled, &probes, args, round, &mut searches)?;
    }
    if searches.mated.is_empty() {
        return Err(Error::State { what: "nothing to search for", reason: "no person has a face to enrol".into() });
    }
    let mut report = assess(&searches, args);
    let description = loaded.engine.description();
    let found = readings.iter().flatten().count();
    report.facts.splice(
        0..0,
        [
            ("input", args.dir.display().to_string()),
            ("embedder", description.embedder.clone()),
            ("detector", description.detector.clone()),
            ("faces found", format!("{found} of {} pictures", readings.len())),
        ],
    );
    report.failures =
        paths.iter().zip(&readings).filter(|(_, r)| r.is_none()).map(|(p, _)| p.display().to_string()).collect();
    Ok(Finished { report, cache: Some(cache) })
}

/// The pictures of strangers, in the folder or in its sub-folders.
pub(super) fn strangers(folder: &Path) -> Result<Vec<PathBuf>> {
    let inside = Folder::read(folder)?;
    let mut pictures = inside.pictures;
    for folder in inside.folders {
        pictures.extend(Folder::read(&folder)?.pictures);
    }
    if pictures.is_empty() {
        let reason = "no JPEG, PNG or WebP in it or in the folders below";
        return Err(bad("strangers", format!("{}: {reason}", folder.display())));
    }
    Ok(pictures)
}

/// Enrols everybody, beginning with picture `round`, and searches for the pictures left and for the strangers.
fn search_round(
    loaded: &super::models::Loaded,
    people: &[Person<'_>],
    strangers: &[Option<&Embedding>],
    args: &IdentifyArgs,
    round: usize,
    searches: &mut Searches,
) -> Result<()> {
    // The gallery averages what it has of one student, so each template is a student of its own here.
    let mut templates: Vec<(StudentId, Vec<Embedding>)> = Vec::new();
    let mut owners: Vec<usize> = Vec::new();
    let mut probes: Vec<(usize, Option<View<'_>>)> = Vec::new();
    searches.enrolled = 0;
    for (place, person) in people.iter().enumerate() {
        let count = person.views.len();
        let turned = (0..count).map(|i| person.views[(i + round) % count]);
        let (mut enrolled, mut left) = (Vec::new(), Vec::new());
        for (i, view) in turned.enumerate() {
            if i < args.enrol { enrolled.extend(view) } else { left.push((place, view)) }
        }
        for template in args.templates.of(&enrolled)? {
            templates.push((StudentId(i64::try_from(owners.len()).unwrap_or(i64::MAX)), vec![template]));
            owners.push(place);
        }
        searches.enrolled += usize::from(!enrolled.is_empty());
        // Who could not be enrolled is missed in every search: that is what happens to such a person.
        if person.is_searched_for {
            probes.extend(left);
        }
    }
    let gallery = Gallery::new(loaded.engine.embedder().clone());
    gallery.load(templates)?;
    let best = |face: &Embedding| gallery.search(face, 1).map(|found| found.into_iter().next());
    for (person, view) in probes {
        let found = view.map(|view| best(view.embedding)).transpose()?.flatten();
        let owner = |id: StudentId| usize::try_from(id.0).ok().and_then(|place| owners.get(place).copied());
        let best = found.map(|m| (m.similarity.value(), owner(m.student) == Some(person)));
        searches.mated.push(MatedSearch { person, best });
    }
    for face in strangers {
        let found = face.map(best).transpose()?.flatten();
        searches.strangers.push(found.map(|m| m.similarity.value()));
    }
    Ok(())
}

fn assess(searches: &Searches, args: &IdentifyArgs) -> Report {
    let [a, b, c] = RATE_COLUMNS;
    let at = searches.at(args.threshold);
    let by_person = searches.tpir_interval(args.threshold);
    let blank = || String::from("-");
    let mut tables = vec![report::Table {
        title: format!("At similarity {}", args.threshold),
        columns: vec!["", a, b, c, "95% by person"],
        rows: vec![
            row("TPIR: enrolled people named rightly", at.tpir, [range(by_person)]),
            row("enrolled people named as somebody else", at.misidentified, [blank()]),
            row("FPIR: strangers named", at.fpir, [blank()]),
            row("rank 1, whatever the threshold", searches.rank_one(), [blank()]),
        ],
    }];
    let searched = at.fpir.trials();
    let mut rows = Vec::new();
    let mut at_fpir = Vec::new();
    for fpir in [0.1, 0.01, 0.003, 0.001, 0.0] {
        // A rate below one stranger in all cannot be measured; none at all can.
        if fpir > 0.0 && fpir * (searched as f64) < 1.0 {
            continue;
        }
        let Some(point) = searches.at_fpir(fpir) else { continue };
        let by_person = searches.tpir_interval(point.threshold);
        let measured = format!("{} of {}", point.fpir.hits(), point.fpir.trials());
        let name = if fpir > 0.0 { format!("TPIR at FPIR {fpir}") } else { "TPIR with no stranger named".into() };
        rows.push(row(name, point.tpir, [range(by_person), measured, format!("{:.4}", point.threshold)]));
        at_fpir.push(json!({"fpir": fpir, "point": point, "tpir_by_person": by_person}));
    }
    if !rows.is_empty() {
        tables.push(report::Table {
            title: "TPIR at false positive identification rates".into(),
            columns: vec!["", a, b, c, "95% by person", "strangers named", "similarity"],
            rows,
        });
    }
    let points = searches.points();
    let notes = [
        "A search compares a picture with everybody enrolled and names the most similar person from the threshold \
         on. An enrolled person's picture without a face is a miss; a stranger's is left out.",
        "FPIR grows with the number of people enrolled: about N times the false match rate of one comparison. \
         Measure with as many as you will have, or see `faceattend calibrate`.",
        "Intervals are Clopper-Pearson at 95% and take searches as independent; with several pictures a person or \
         several rounds they are not: believe the interval by person, a bootstrap that draws people.",
        "With several rounds a stranger is searched for once in each, so the strangers' count is of searches, not of \
         people.",
        "Single pictures. A live camera votes over the frames of a track, which names more and mistakes fewer.",
    ];
    let kept: Vec<_> = points.iter().step_by((points.len() / 400).max(1)).collect();
    Report {
        command: "eval identify",
        title: "Identification: who of many, or nobody",
        facts: vec![
            (
                "enrolled",
                format!(
                    "{} people, up to {} pictures each, {}",
                    searches.enrolled,
                    args.enrol,
                    args.templates.in_words()
                ),
            ),
            (
                "searches",
                format!(
                    "{} for enrolled people, {} for strangers, {} rounds",
                    searches.mated.len(),
                    searches.strangers.len(),
                    args.rounds
                ),
            ),
        ],
        tables,
        plots: plots(searches, args.threshold),
        figures: json!({
            "enrolled": searches.enrolled,
            "at_threshold": {"point": at, "tpir_by_person": by_person},
            "rank_one": searches.rank_one(),
            "tpir_at_fpir": at_fpir,
            "curve": kept,
        }),
        notes: notes.map(str::to_owned).to_vec(),
        failures: Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of searches")]
fn plots(searches: &Searches, threshold: f32) -> Vec<Plot> {
    let best = |own: bool| -> Vec<f32> {
        searches.mated.iter().filter_map(|m| m.best).filter(|(_, right)| *right == own).map(|(s, _)| s).collect()
    };
    let strangers: Vec<f32> = searches.strangers.iter().flatten().copied().collect();
    let area = |name: &str, values: &[f32]| Series {
        name: name.into(),
        style: Style::Area,
        points: histogram(values, 0.0, 1.0, 50),
    };
    let distributions = vec![
        area("enrolled, the right person", &best(true)),
        area("strangers", &strangers),
        area("enrolled, somebody else", &best(false)),
    ];
    let highest = distributions.iter().flat_map(|s| &s.points).map(|p| p.1).fold(0.05, f64::max);
    let mut plots = vec![Plot {
        title: "Similarity of the best person found",
        x: Axis::linear("similarity", 0.0, 1.0),
        y: Axis::linear("share of searches", 0.0, highest),
        series: distributions,
        marks: vec![(f64::from(threshold), format!("threshold {threshold}"))],
    }];
    if !strangers.is_empty() {
        let curve = searches.points().iter().filter_map(|p| Some((p.fpir.value()?, 1.0 - p.tpir.value()?))).collect();
        let smallest = |count: usize| 1.0 / count.max(10) as f64;
        plots.push(Plot {
            title: "DET of identification: both errors",
            x: Axis::rates("FPIR: strangers named", smallest(strangers.len())),
            y: Axis::rates("1 - TPIR: enrolled people missed", smallest(searches.mated.len())),
            series: vec![Series { name: "1 - TPIR".into(), style: Style::Line, points: curve }],
            marks: searches
                .at(threshold)
                .fpir
                .value()
                .map(|v| (v, format!("similarity {threshold}")))
                .into_iter()
                .collect(),
        });
    }
    plots
}
