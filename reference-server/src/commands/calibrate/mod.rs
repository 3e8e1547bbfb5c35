//! `faceattend calibrate`: the threshold for a wished false match rate, from the people who are enrolled.

mod live;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use faceattend_core::embedding::{Calibration, Embedding};
use faceattend_core::evaluation::Rate;
use faceattend_core::evaluation::comparison::{Comparisons, PairScore, PeoplesPairs, thinned};
use faceattend_core::evaluation::threshold::{Proposal, fmr_for, fpir_of, propose};
use faceattend_core::models::manifest::Manifest;
use faceattend_core::store::{Store, StoredEmbedding, StoredTemplate};
use faceattend_core::tracking::TrackingOptions;
use faceattend_core::types::{ModelId, Similarity, StudentId, Threshold};
use faceattend_core::{Error, Result};
use serde_json::json;

use super::data_dir::data_dir;
use super::database::{DatabaseArgs, that_is_there};
use super::eval::bad;
use super::eval::plot::{Axis, Plot, Series, Style, histogram};
use super::eval::report::{self, RATE_COLUMNS, Report, ReportArgs, number, range, row};
use super::keys::KeyArgs;

/// Proposes a threshold for a wished false match rate, from the templates in the database.
///
/// Every template is compared with every other student, as a search does it: with the mean of the student's
/// templates. A rate that so many comparisons cannot support is refused. Nothing is changed: put the threshold into
/// the server's settings yourself.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The folder of the database [default: faceattend in the user's data folder]
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// The target false match rate of one comparison with one student [default: 1e-4]
    #[arg(long, value_name = "RATE", conflicts_with = "false_positive_rate")]
    false_match_rate: Option<f64>,
    /// The target rate at which a search of the whole gallery names a stranger, instead of --false-match-rate
    #[arg(long, value_name = "RATE")]
    false_positive_rate: Option<f64>,
    /// Proposes how near strangers come instead, for the rule that names faces on cameras (`serve --strangers`)
    #[arg(long, conflicts_with_all = ["false_match_rate", "false_positive_rate"])]
    live: bool,
    /// The share of strangers that cameras may name, as `serve` takes it
    #[arg(long, value_name = "RATE", requires = "live", default_value_t = TrackingOptions::default().false_names)]
    false_names: f32,
    /// The number of students the gallery will hold [default: the number enrolled]
    #[arg(long, value_name = "N")]
    gallery_size: Option<u64>,
    /// The model whose templates are compared, where the database holds several [default: that of the most templates]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// The rate that is proposed for when none is given: where the documented threshold was found with ArcFace-class
/// models.
const WISHED: f64 = 1e-4;

/// Runs the subcommand, writing the proposal to standard output.
///
/// # Errors
/// [`Error::InvalidInput`] for a rate or a folder that cannot be; [`Error::State`] when there is nobody to compare,
/// or when the rate is beyond what the sample supports; those of the store.
pub fn run(args: &CalibrateArgs) -> Result<()> {
    let place = args.database.place(|| match &args.data_dir {
        // Not made when it is missing: a database that was made this moment has nobody in it.
        Some(dir) => Ok(dir.clone()),
        None => data_dir(None),
    })?;
    let calibrated = calibrate(&*that_is_there(place)?.open(args.keys.read()?)?, args)?;
    calibrated.report.emit(&args.report, &mut std::io::stdout().lock())?;
    match calibrated.refusal {
        Some(reason) => Err(Error::State { what: "nothing proposed", reason }),
        None => Ok(()),
    }
}

/// The report, and why there is no proposal in it.
struct Calibrated {
    report: Report,
    refusal: Option<String>,
}

/// Everybody's templates of one model.
struct Enrolled {
    model: ModelId,
    people: Vec<Vec<Embedding>>,
    /// Templates of other models or of none.
    left_out: usize,
}

fn enrolled(store: &dyn Store, wanted: Option<&str>) -> Result<Enrolled> {
    let mut by_model: BTreeMap<ModelId, BTreeMap<StudentId, Vec<Embedding>>> = BTreeMap::new();
    let mut all = 0;
    store.for_each_template(&mut |StoredTemplate { student, embedding, .. }| {
        all += 1;
        if let StoredEmbedding::Tagged(embedding) = embedding {
            by_model.entry(embedding.model().clone()).or_default().entry(student).or_default().push(embedding);
        }
        Ok(())
    })?;
    let count = |people: &BTreeMap<StudentId, Vec<Embedding>>| people.values().map(Vec::len).sum::<usize>();
    let known = by_model.keys().map(ModelId::as_str).collect::<Vec<_>>().join(", ");
    let chosen = match wanted {
        Some(wanted) => by_model.into_iter().find(|(model, _)| model.as_str() == wanted),
        None => by_model.into_iter().max_by_key(|(_, people)| count(people)),
    };
    match chosen {
        Some((model, people)) => {
            Ok(Enrolled { left_out: all - count(&people), model, people: people.into_values().collect() })
        }
        None if known.is_empty() => {
            let reason = "nobody in the database has a template that says its model; register students first".into();
            Err(Error::State { what: "nobody to compare", reason })
        }
        None => Err(bad("model", format!("no template is of {}; there are: {known}", wanted.unwrap_or_default()))),
    }
}

/// From the model's cosine to similarity: as the manifest says, or as ArcFace models have it.
fn calibration_of(model: &ModelId) -> Result<Calibration> {
    let files = Manifest::embedded()?.packs().iter().flat_map(|pack| &pack.files);
    let mut known = files.filter(|file| file.model_id.as_ref() == Some(model));
    Ok(known.next().and_then(|file| file.calibration.clone()).unwrap_or_default())
}

/// The scores of a gallery against itself.
struct Scores {
    /// A template against another student, by the mean of the student's templates; genuine: against the mean of the
    /// others of its own student.
    comparisons: Comparisons,
    by_person: PeoplesPairs,
    /// A template against everybody else at once: the best similarity to another student.
    searches: Vec<f32>,
}

fn compare(people: &[Vec<Embedding>], calibration: &Calibration) -> Result<Scores> {
    let mut pairs = Vec::new();
    let mut searches = Vec::new();
    // What a search compares with; views that point away from each other have no mean, and resemble nobody.
    let means: Vec<Option<Embedding>> = people.iter().map(|views| Embedding::mean(views).ok()).collect();
    let score = |probe: &Embedding, other: &Embedding| -> Result<f32> {
        Ok(calibration.similarity(probe.cosine(other)?).value())
    };
    for (a, own) in people.iter().enumerate() {
        for (place, probe) in own.iter().enumerate() {
            let others: Vec<Embedding> =
                own.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, view)| view.clone()).collect();
            if let Ok(mean) = Embedding::mean(&others) {
                pairs.push(PairScore { a, b: a, score: score(probe, &mean)? });
            }
            let mut nearest: Option<f32> = None;
            for (b, mean) in means.iter().enumerate() {
                let Some(mean) = mean.as_ref().filter(|_| a != b) else { continue };
                let score = score(probe, mean)?;
                pairs.push(PairScore { a, b, score });
                nearest = Some(nearest.map_or(score, |nearest| nearest.max(score)));
            }
            searches.extend(nearest);
        }
    }
    let of = |same: bool| pairs.iter().filter(move |p| (p.a == p.b) == same).map(|p| p.score);
    let comparisons = Comparisons::new(of(true), of(false));
    Ok(Scores { comparisons, by_person: PeoplesPairs::new(people.len(), pairs), searches })
}

fn calibrate(store: &dyn Store, args: &CalibrateArgs) -> Result<Calibrated> {
    for rate in [args.false_match_rate, args.false_positive_rate].into_iter().flatten() {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(bad("rate", format!("{rate} is not above 0 and below 1; one in ten thousand is 0.0001")));
        }
    }
    let enrolled = enrolled(store, args.model.as_deref())?;
    let people = enrolled.people.len() as u64;
    if people < 2 {
        let reason = "only one student is enrolled: false matches need two; register more".into();
        return Err(Error::State { what: "nobody to compare", reason });
    }
    if args.live {
        return live::propose(&enrolled, &calibration_of(&enrolled.model)?, args);
    }
    let gallery = args.gallery_size.unwrap_or(people).max(1);
    let wished = match (args.false_match_rate, args.false_positive_rate) {
        (_, Some(fpir)) => fmr_for(fpir, gallery),
        (fmr, None) => fmr.unwrap_or(WISHED),
    };
    let calibration = calibration_of(&enrolled.model)?;
    let scores = compare(&enrolled.people, &calibration)?;
    let comparisons = &scores.comparisons;
    let proposal = propose(comparisons, wished);
    let cosine = |similarity: f32| calibration.cosine(Similarity::new(similarity)).0;
    let (tables, verdict, refusal, marks) = match proposal {
        Proposal::Supported { threshold, fmr, upper_bound } => {
            let verdict = format!("{threshold:.4} (cosine {:.4})", cosine(threshold));
            (
                tables(&scores, threshold, gallery, fmr, upper_bound, people),
                verdict,
                None,
                vec![(f64::from(threshold), "proposed".to_owned())],
            )
        }
        Proposal::Unsupported { comparisons, needed, supported } => {
            // Each student is compared with every other: so many students make so many comparisons of one template
            // each.
            let templates = enrolled.people.iter().map(Vec::len).sum::<usize>() as f64 / people as f64;
            let students = (0.5 + (0.25 + needed as f64 / templates).sqrt()).ceil();
            let reason = format!(
                "{comparisons} comparisons of {people} students cannot support a false match rate of {}: even \
                 without one \
                 false match the true rate may be up to {}. It needs {needed} comparisons, as about {students} \
                 students like these make. Ask for {} or more (--false-match-rate), or measure on a larger set with \
                 `faceattend eval verify`",
                number(wished),
                number(supported),
                number(supported * 1.001)
            );
            (Vec::new(), "none".to_owned(), Some(reason), Vec::new())
        }
    };
    let mut marks = marks;
    marks.push((f64::from(Threshold::DOCUMENTED.value()), "documented".into()));
    let templates: usize = enrolled.people.iter().map(Vec::len).sum();
    let mut facts = vec![
        ("proposed threshold", verdict),
        ("wished false match rate", number(wished)),
        ("model", enrolled.model.to_string()),
        ("enrolled", format!("{people} students, {templates} templates")),
        ("comparisons of two students", comparisons.impostor().len().to_string()),
        ("comparisons of one student's templates", comparisons.genuine().len().to_string()),
        ("gallery of", format!("{gallery} students")),
        (
            "false positives of a search at the wished rate",
            format!("{} (1 - (1 - rate)^N)", number(fpir_of(wished, gallery))),
        ),
    ];
    if enrolled.left_out > 0 {
        facts.push(("left out", format!("{} templates of other models or of none", enrolled.left_out)));
    }
    let area = |name: &str, values: &[f32]| Series {
        name: name.into(),
        style: Style::Area,
        points: histogram(values, 0.0, 1.0, 50),
    };
    let series =
        vec![area("one student's templates", comparisons.genuine()), area("two students", comparisons.impostor())];
    let highest = series.iter().flat_map(|s| &s.points).map(|p| p.1).fold(0.05, f64::max);
    let notes = [
        "The proposal is the lowest threshold whose false match rate is, at 95% confidence, at most the wished one. \
         The confidence takes comparisons as independent; they share students, so leave a margin with few students.",
        "It knows the faces that are enrolled, in their enrolment pictures. Live pictures are darker, smaller and \
         turned: both similarities fall there, and with them the true accept rate.",
        "Templates of one student mostly come from one session: the rate of genuine matches flatters.",
        "Twins and siblings match more often than any such rate says.",
    ];
    let report = Report {
        command: "calibrate",
        title: "Calibration on the enrolled students",
        facts,
        tables,
        plots: vec![Plot {
            title: "Similarities in this gallery",
            x: Axis::linear("similarity", 0.0, 1.0),
            y: Axis::linear("share of comparisons", 0.0, highest),
            series,
            marks,
        }],
        notes: notes.map(str::to_owned).to_vec(),
        failures: Vec::new(),
        figures: json!({
            "wished_false_match_rate": wished,
            "gallery_size": gallery,
            "students": people,
            "templates": templates,
            "proposal": proposal,
            "det": thinned(&comparisons.points(), 400),
        }),
    };
    Ok(Calibrated { report, refusal })
}

fn tables(
    scores: &Scores,
    threshold: f32,
    gallery: u64,
    fmr: Rate,
    upper_bound: f64,
    people: u64,
) -> Vec<report::Table> {
    let [a, b, c] = RATE_COLUMNS;
    let (fmr_by_person, fnmr_by_person) = scores.by_person.intervals_at(threshold);
    let point = scores.comparisons.at(threshold);
    let documented = scores.comparisons.at(Threshold::DOCUMENTED.value());
    let named = Rate::of(scores.searches.iter().map(|s| *s >= threshold));
    let bound =
        |name: &str, value: f64| vec![name.to_owned(), number(value), String::new(), String::new(), String::new()];
    vec![report::Table {
        title: format!("At the proposed threshold {threshold:.4}"),
        columns: vec!["", a, b, c, "95% by student"],
        rows: vec![
            row("false match rate", fmr, [range(fmr_by_person)]),
            bound("the same, at most (95%)", upper_bound),
            row(
                "genuine templates that match",
                point.tar(),
                [range(
                    fnmr_by_person
                        .map(|i| faceattend_core::evaluation::Interval { low: 1.0 - i.high, high: 1.0 - i.low }),
                )],
            ),
            row(format!("searches that name another of the {} others", people - 1), named, [String::new()]),
            bound(&format!("false positives of a search of {gallery}, at most"), fpir_of(upper_bound, gallery)),
            row(
                format!("false match rate at the documented {}", Threshold::DOCUMENTED.value()),
                documented.fmr,
                [String::new()],
            ),
            row("genuine templates that match there", documented.tar(), [String::new()]),
        ],
    }]
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use faceattend_core::evaluation::threshold::{RISK, needed_for};
    use faceattend_core::store::prelude::*;
    use jiff::Timestamp;

    use faceattend_core::store::SqliteStore;

    use super::super::database::DATABASE;
    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: CalibrateArgs,
    }

    fn args(words: &[&str]) -> CalibrateArgs {
        Cli::try_parse_from([&["calibrate"], words].concat()).unwrap().args
    }

    /// A store, and its folder, of `people` students with two templates each, far from each other's.
    fn store(people: usize) -> (SqliteStore, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join(DATABASE)).unwrap();
        let now = Timestamp::now();
        for person in 0..people {
            let student = store.create_student("A Name", &format!("R{person}"), now).unwrap();
            let template = |i: usize| {
                // Directions that a fixed generator scatters, the two of one person close together.
                let mut state = (person as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let values: Vec<f32> = (0..64)
                    .map(|d| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        (state >> 40) as f32 / 16_777_216.0 - 0.5 + if d == i { 0.3 } else { 0.0 }
                    })
                    .collect();
                Embedding::from_raw(ModelId::new("test@1"), &values).unwrap()
            };
            store.replace_templates(student.id, &[template(0), template(1)], now).unwrap();
        }
        (store, dir)
    }

    #[test]
    fn a_rate_that_the_gallery_cannot_support_is_refused_with_what_it_needs() {
        let calibrated = calibrate(&store(10).0, &args(&["--false-match-rate", "0.0001"])).unwrap();
        let reason = calibrated.refusal.unwrap();
        // 10 students of two templates: 20 x 9 comparisons.
        assert!(reason.contains("180 comparisons of 10 students"), "{reason}");
        assert!(reason.contains(&needed_for(0.0001).to_string()), "{reason}");
        assert_eq!(calibrated.report.figures["proposal"]["outcome"], "unsupported");
    }

    #[test]
    fn a_rate_that_it_can_support_gets_a_threshold_above_the_strangers_and_below_oneself() {
        let (store, _dir) = store(40);
        let calibrated = calibrate(&store, &args(&["--false-match-rate", "0.01", "--gallery-size", "500"])).unwrap();
        assert_eq!(calibrated.refusal, None);
        let proposal = &calibrated.report.figures["proposal"];
        assert!(proposal["upper_bound"].as_f64().unwrap() <= 0.01);
        assert_eq!(proposal["fmr"]["trials"], 80 * 39);
        let text = calibrated.report.text();
        assert!(text.contains("false positives of a search of 500"), "{text}");
        let threshold = proposal["threshold"].as_f64().unwrap() as f32;
        let bound = Rate::new(proposal["fmr"]["hits"].as_u64().unwrap(), 3120).upper_bound(RISK);
        assert!(threshold > 0.5 && threshold < 0.95 && bound <= 0.01, "{threshold} {bound}");
    }

    #[test]
    fn a_search_of_many_asks_a_stricter_comparison() {
        let (store, _dir) = store(40);
        let wished = |words: &[&str]| {
            calibrate(&store, &args(words)).unwrap().report.figures["wished_false_match_rate"].as_f64().unwrap()
        };
        let small = wished(&["--false-positive-rate", "0.5"]);
        let large = wished(&["--false-positive-rate", "0.5", "--gallery-size", "4000"]);
        assert!((small / large - 100.0).abs() < 2.0, "{small} {large}");
    }

    #[test]
    fn strangers_as_near_as_the_students_are_proposed_for_cameras() {
        let few = calibrate(&store(10).0, &args(&["--live"])).unwrap();
        assert!(few.refusal.unwrap().contains("45 comparisons of 10 students"));
        let (store, _dir) = store(40);
        let figures = |words: &[&str]| calibrate(&store, &args(&[&["--live"], words].concat())).unwrap().report.figures;
        let found = figures(&[]);
        // Directions of 64 values that are scattered: two people's cosine spreads by 1/8, more than the scale's 0.103.
        let [mean, spread] = [0, 1].map(|n| found["proposed"][n].as_f64().unwrap());
        assert!(mean.abs() < 0.1 && (0.1..0.2).contains(&spread), "{mean} {spread}");
        let bound = |words: &[&str]| figures(words)["bound"].as_f64().unwrap();
        assert!(bound(&["--gallery-size", "4000"]) > bound(&[]));
        assert!(bound(&["--false-names", "0.1"]) < bound(&[]));
    }

    #[test]
    fn nobody_to_compare_is_said_so() {
        for (people, says) in [(0, "register students"), (1, "only one student")] {
            let error = calibrate(&store(people).0, &args(&[])).map(drop).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let error = calibrate(&store(3).0, &args(&["--model", "other@2"])).map(drop).unwrap_err().to_string();
        assert!(error.contains("test@1"), "{error}");
        assert!(calibrate(&store(3).0, &args(&["--false-match-rate", "1.5"])).is_err());
    }
}
