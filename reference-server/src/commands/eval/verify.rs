//! `faceattend eval verify`: pairs of pictures, of one person or of two.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::evaluation::comparison::{Comparisons, PairScore, PeoplesPairs, thinned};
use faceattend_core::evaluation::threshold::needed_for;
use faceattend_core::evaluation::{Interval, Rate};
use faceattend_core::types::Similarity;
use faceattend_core::{Error, Result};
use serde_json::json;

use super::by_group::{ByGroupArgs, Labels};
use super::input::{Table, name, people};
use super::plot::{Axis, Plot, Series, Style, histogram};
use super::reading::{What, read};
use super::report::{RATE_COLUMNS, Report, number, range, row};
use super::{CommonArgs, Finished, bad, report};

/// Pairs of pictures.
///
/// INPUT is a folder with a sub-folder for each person, of whose pictures every pair is compared. Or a CSV or TSV of
/// pictures with the columns `path` (beside it) and `person`, of which every pair is compared too. Or one of pairs,
/// with `path_a`, `path_b` and `same` (1 or 0, yes or no, true or false), and where there are such `person_a` and
/// `person_b`; without them a person is the folder that a picture lies in.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The folder of people, or the CSV or TSV of pictures or of pairs
    input: PathBuf,
    /// A folder with one picture each of further people, who are compared with everybody
    #[arg(long, value_name = "DIR")]
    strangers: Option<PathBuf>,
    /// The lowest similarity of two pictures of one person [default: the documented threshold]
    #[arg(long, default_value_t = 0.7)]
    threshold: f32,
    #[command(flatten)]
    by_group: ByGroupArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// The false accept rates that are reported, where the sample supports them.
const RATES: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];

/// Pictures and the pairs of them, by their places.
#[derive(Default)]
struct Pairs {
    pictures: Vec<PathBuf>,
    /// The person in each picture, where that is known.
    people: Option<Vec<usize>>,
    /// The value of the column of `--by` for each picture.
    groups: Option<Vec<String>>,
    pairs: Vec<(usize, usize, bool)>,
}

impl Pairs {
    /// Every pair of pictures, by whose they are.
    fn of_all(pictures: Vec<PathBuf>, whose: Vec<usize>) -> Self {
        let mut pairs = Vec::with_capacity(whose.len() * whose.len().saturating_sub(1) / 2);
        for b in 0..whose.len() {
            pairs.extend((0..b).map(|a| (a, b, whose[a] == whose[b])));
        }
        Self { pictures, people: Some(whose), groups: None, pairs }
    }
}

pub(super) fn evaluate(args: &VerifyArgs) -> Result<Finished> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(bad("threshold", format!("{} is not between 0 and 1", args.threshold)));
    }
    let pairs = if args.input.is_dir() {
        from_folder(&args.input, args.strangers.as_deref())?
    } else if args.strangers.is_some() {
        return Err(bad("strangers", "they go with a folder of people; a table names every picture itself"));
    } else {
        let table = Table::read(&args.input)?;
        let of_pictures = table.column(&["path_a"]).is_none();
        if of_pictures { from_pictures(&table, args.by_group.column().as_deref())? } else { from_pairs(&table)? }
    };
    if args.by_group.column().is_some() && pairs.groups.is_none() {
        let reason = "it goes with a table of pictures: a CSV or TSV with the columns `path`, `person`, and this one";
        return Err(bad("by", reason));
    }
    for (wanted, what) in [(true, "one person (same = 1)"), (false, "two people (same = 0)")] {
        if !pairs.pairs.iter().any(|(_, _, same)| *same == wanted) {
            return Err(bad("input", format!("{}: there is no pair of {what}; both are needed", args.input.display())));
        }
    }
    let loaded = args.common.models.load(false)?;
    let (readings, cache) = read(&loaded, What::Embedding, &pairs.pictures, &args.common)?;
    let calibration = &loaded.engine.embedder().calibration;
    let mut scored = Vec::new();
    let (mut genuine_lost, mut impostor_lost) = (0, 0);
    for (a, b, same) in &pairs.pairs {
        let embedding = |place: usize| readings[place].as_ref().and_then(|r| r.embedding.as_ref());
        match (embedding(*a), embedding(*b)) {
            (Some(x), Some(y)) => scored.push((*a, *b, *same, calibration.similarity(x.cosine(y)?).value())),
            _ if *same => genuine_lost += 1,
            _ => impostor_lost += 1,
        }
    }
    let of = |wanted: bool| scored.iter().filter(move |p| p.2 == wanted).map(|p| p.3);
    let scores = Comparisons::new(of(true), of(false));
    let by_person = pairs.people.as_ref().map(|people| {
        let count = people.iter().max().map_or(0, |most| most + 1);
        let pair = |p: &(usize, usize, bool, f32)| PairScore { a: people[p.0], b: people[p.1], score: p.3 };
        PeoplesPairs::new(count, scored.iter().map(pair))
    });
    let lost = Lost { genuine: genuine_lost, impostor: impostor_lost };
    let cosine = |similarity: f32| calibration.cosine(Similarity::new(similarity)).0;
    let mut report = assess(&scores, by_person.as_ref(), &lost, args.threshold, &cosine)?;
    if let (Some(people), Some(groups)) = (&pairs.people, &pairs.groups) {
        let seen: Vec<bool> = readings.iter().map(Option::is_some).collect();
        let labels = Labels { people, groups, seen: &seen };
        args.by_group.extend(&mut report, &labels, &scored, args.threshold, &cosine);
    }
    let description = loaded.engine.description();
    let found = Rate::of(readings.iter().map(Option::is_some));
    let mut facts = vec![
        ("input", args.input.display().to_string()),
        ("embedder", description.embedder.clone()),
        ("detector", description.detector.clone()),
        ("faces found", format!("{} of {} pictures", found.hits(), found.trials())),
    ];
    if let Some(people) = &pairs.people {
        facts.push(("people", people.iter().max().map_or(0, |most| most + 1).to_string()));
    }
    report.facts.splice(0..0, facts);
    report.failures = pairs
        .pictures
        .iter()
        .zip(&readings)
        .filter(|(_, r)| r.is_none())
        .map(|(p, _)| p.display().to_string())
        .collect();
    Ok(Finished { report, cache: Some(cache) })
}

/// Pairs that could not be compared, a face being missing.
struct Lost {
    genuine: u64,
    impostor: u64,
}

fn from_folder(folder: &Path, strangers: Option<&Path>) -> Result<Pairs> {
    let (mut found, mut whose) = (Vec::new(), Vec::new());
    let mut everybody: Vec<Vec<PathBuf>> = people(folder)?.into_iter().map(|(_, pictures)| pictures).collect();
    if let Some(folder) = strangers {
        everybody.extend(super::identify::strangers(folder)?.into_iter().map(|picture| vec![picture]));
    }
    for (person, pictures) in everybody.into_iter().enumerate() {
        whose.extend(std::iter::repeat_n(person, pictures.len()));
        found.extend(pictures);
    }
    Ok(Pairs::of_all(found, whose))
}

/// Every pair of the pictures in a table, with the values of the column `by`.
fn from_pictures(table: &Table, by: Option<&str>) -> Result<Pairs> {
    let (path, person) = (table.required(&["path", "file"])?, table.required(&["person"])?);
    let by = by.map(|column| table.required(&[column])).transpose()?;
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut known: HashSet<PathBuf> = HashSet::new();
    let (mut pictures, mut whose, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for row in table.rows() {
        let (file, name) = (row.file(path)?, row.get(person));
        if name.is_empty() {
            return Err(row.fault("person is empty; give each person a name or a number, the same in all their lines"));
        }
        if !known.insert(file.clone()) {
            return Err(row.fault(format!("{} is there twice; take one of its lines out", file.display())));
        }
        let next = places.len();
        whose.push(*places.entry(name).or_insert(next));
        pictures.push(file);
        groups.extend(by.map(|column| row.get(column).to_owned()));
    }
    let groups = by.is_some().then_some(groups);
    Ok(Pairs { groups, ..Pairs::of_all(pictures, whose) })
}

/// The pairs that a table names.
fn from_pairs(table: &Table) -> Result<Pairs> {
    let (a, b) = (table.required(&["path_a"])?, table.required(&["path_b"])?);
    let same = table.required(&["same"])?;
    let named = table.column(&["person_a"]).zip(table.column(&["person_b"]));
    let mut found = Pairs::default();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    // Whether every label agrees with the names: otherwise the names do not say who is who.
    let mut consistent = true;
    for row in table.rows() {
        let same = match row.get(same).to_lowercase().as_str() {
            "1" | "yes" | "true" | "same" => true,
            "0" | "no" | "false" | "different" => false,
            other => return Err(row.fault(format!("same is {other:?}; it has to be 1 or 0"))),
        };
        let mut place = |path: PathBuf, person: Option<&str>| {
            *places.entry(path).or_insert_with_key(|path| {
                names.push(person.map_or_else(|| path.parent().map(name).unwrap_or_default(), str::to_owned));
                found.pictures.push(path.clone());
                found.pictures.len() - 1
            })
        };
        let first = place(row.file(a)?, named.map(|(person, _)| row.get(person)));
        let second = place(row.file(b)?, named.map(|(_, person)| row.get(person)));
        if first == second {
            return Err(row.fault("both paths are one file; a picture compared with itself says nothing"));
        }
        consistent &= same == (names[first] == names[second]);
        found.pairs.push((first, second, same));
    }
    if consistent {
        let mut known: Vec<&String> = names.iter().collect();
        known.sort();
        known.dedup();
        found.people = Some(names.iter().map(|name| known.binary_search(&name).unwrap_or(0)).collect());
    }
    Ok(found)
}

fn assess(
    scores: &Comparisons,
    by_person: Option<&PeoplesPairs>,
    lost: &Lost,
    threshold: f32,
    cosine: &dyn Fn(f32) -> f32,
) -> Result<Report> {
    let (Some(auc), Some(eer), Some((best, accuracy))) = (scores.auc(), scores.eer(), scores.best_accuracy()) else {
        let reason = "no pair of one person, or none of two people, has a face in both pictures".into();
        return Err(Error::State { what: "nothing to compare", reason });
    };
    let impostors = scores.impostor().len() as u64;
    let [a, b, c] = RATE_COLUMNS;
    let at = |similarity: f32| format!("{similarity:.4} ({:.4})", cosine(similarity));

    let mut tar_rows = Vec::new();
    let mut tar_figures = Vec::new();
    for fmr in RATES {
        let name = format!("TAR at FAR {fmr:.0e}");
        // Below one impostor pair in all there is nothing left to measure.
        if fmr * (impostors as f64) < 1.0 {
            let needed = format!("needs {} pairs of two people, better {}", (1.0 / fmr).round(), needed_for(fmr));
            tar_rows.push(vec![name, "-".into(), "-".into(), needed, "-".into(), "-".into()]);
            continue;
        }
        let Some(point) = scores.at_fmr(fmr) else { continue };
        let interval = by_person.and_then(|pairs| pairs.tar_at_fmr_interval(fmr));
        tar_rows.push(row(name, point.tar(), [range(interval), at(point.threshold)]));
        tar_figures.push(json!({"far": fmr, "tar": point.tar(), "tar_by_person": interval, "point": point}));
    }
    let point = scores.at(threshold);
    let (fmr_by_person, fnmr_by_person) = by_person.map_or((None, None), |pairs| pairs.intervals_at(threshold));
    let acquired = |errors: Rate, lost: u64, lost_is_error: bool| {
        Rate::new(errors.hits() + if lost_is_error { lost } else { 0 }, errors.trials() + lost)
    };
    let (frr, far) = (acquired(point.fnmr, lost.genuine, true), acquired(point.fmr, lost.impostor, false));
    let line = |name: &str, rate: Rate, interval: Option<Interval>| row(name, rate, [range(interval)]);
    let threshold_rows = vec![
        line("FMR: two people taken for one", point.fmr, fmr_by_person),
        line("FNMR: one person taken for two", point.fnmr, fnmr_by_person),
        line("FRR: the same, a missing face being a refusal", frr, None),
        line("FAR: the same, a missing face being a refusal", far, None),
    ];
    let tables = vec![
        report::Table {
            title: "True accept rate at false accept rates".into(),
            columns: vec!["", a, b, c, "95% by person", "similarity (cosine)"],
            rows: tar_rows,
        },
        report::Table {
            title: format!("At similarity {}", at(threshold)),
            columns: vec!["", a, b, c, "95% by person"],
            rows: threshold_rows,
        },
        report::Table {
            title: "Over all thresholds".into(),
            columns: vec!["", "value", ""],
            rows: vec![
                vec!["EER".into(), number(eer), String::new()],
                vec!["AUC".into(), format!("{auc:.6}"), String::new()],
                vec!["accuracy at the best threshold".into(), number(accuracy), format!("at {}", at(best))],
            ],
        },
    ];
    let det = thinned(&scores.points(), 400);
    let figures = json!({
        "genuine_pairs": scores.genuine().len(),
        "impostor_pairs": scores.impostor().len(),
        "tar_at_far": tar_figures,
        "at_threshold": {
            "point": point, "fmr_by_person": fmr_by_person, "fnmr_by_person": fnmr_by_person, "frr": frr, "far": far
        },
        "eer": eer,
        "auc": auc,
        "best_accuracy": {"similarity": best, "accuracy": accuracy},
        "det": det,
    });
    let notes = [
        "FMR and FNMR count pairs in which both faces were found; FRR and FAR count a missing face as a refusal.",
        "Intervals are Clopper-Pearson at 95% and take pairs as independent. Pairs share people: believe the \
         interval by person, a bootstrap that draws people, where there is one.",
        "Accuracy at the best threshold weighs both kinds of pairs the same, and flatters: the threshold was chosen \
         on the pairs it is measured on.",
        "A rate is reported only where the sample holds at least one pair of two people for it; three times as many \
         are needed before zero errors mean anything.",
    ];
    Ok(Report {
        command: "eval verify",
        title: "Verification: one person or two",
        facts: vec![
            ("pairs of one person", scores.genuine().len().to_string()),
            ("pairs of two people", scores.impostor().len().to_string()),
        ],
        plots: plots(scores, &det, threshold),
        tables,
        notes: notes.map(str::to_owned).to_vec(),
        failures: Vec::new(),
        figures,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn plots(
    scores: &Comparisons,
    det: &[faceattend_core::evaluation::comparison::OperatingPoint],
    threshold: f32,
) -> Vec<Plot> {
    // Of the points without a false match the best only: the others are a line along the axis.
    let first = det.iter().rposition(|p| p.fmr.hits() == 0).unwrap_or(0);
    let drawn = det.get(first..).unwrap_or_default();
    let lowest_tar = drawn.first().and_then(|p| p.tar().value()).unwrap_or(0.0);
    let curve = |y: &dyn Fn(Rate) -> Option<f64>| -> Vec<(f64, f64)> {
        drawn.iter().filter_map(|p| Some((p.fmr.value()?, y(p.fnmr)?))).collect()
    };
    let smallest = |count: usize| 1.0 / count.max(10) as f64;
    let (fewest_impostor, fewest_genuine) = (smallest(scores.impostor().len()), smallest(scores.genuine().len()));
    let here = scores.at(threshold).fmr.value().unwrap_or(0.0);
    let marks = vec![(here, format!("similarity {threshold}"))];
    let line = |name: &str, points| vec![Series { name: name.into(), style: Style::Line, points }];
    let area = |name: &str, values: &[f32]| Series {
        name: name.into(),
        style: Style::Area,
        points: histogram(values, 0.0, 1.0, 50),
    };
    let distributions = vec![area("one person", scores.genuine()), area("two people", scores.impostor())];
    let highest = distributions.iter().flat_map(|s| &s.points).map(|p| p.1).fold(0.05, f64::max);
    vec![
        Plot {
            title: "Similarities",
            x: Axis::linear("similarity", 0.0, 1.0),
            y: Axis::linear("share of pairs", 0.0, highest),
            series: distributions,
            marks: vec![(f64::from(threshold), format!("threshold {threshold}"))],
        },
        Plot {
            title: "ROC: pairs of one person accepted",
            x: Axis::rates("false match rate", fewest_impostor),
            y: Axis::linear("true accept rate", (lowest_tar * 10.0 - 0.5).floor().max(0.0) / 10.0, 1.0),
            series: line("true accept rate", curve(&|fnmr| fnmr.value().map(|v| 1.0 - v))),
            marks: marks.clone(),
        },
        Plot {
            title: "DET: both errors",
            x: Axis::rates("false match rate", fewest_impostor),
            y: Axis::rates("false non-match rate", fewest_genuine),
            series: line("false non-match rate", curve(&|fnmr| fnmr.value())),
            marks,
        },
    ]
}
