//! `faceattend eval pad`: presentation attacks.

use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::Result;
use faceattend_core::evaluation::bootstrap;
use faceattend_core::evaluation::comparison::thinned;
use faceattend_core::evaluation::pad::{PadRates, PadSample, Presentation, scores};
use serde_json::json;

use super::input::{Folder, Table, name};
use super::plot::{Axis, Plot, Series, Style, histogram};
use super::reading::{What, read};
use super::report::{RATE_COLUMNS, Report, number, range, row};
use super::{CommonArgs, Finished, bad, report};

/// Presentation attacks.
///
/// INPUT is a folder with `bonafide` (or `real`, `live`) and a folder for each kind of attack; a sub-folder in one of
/// them is a clip, whose pictures are its frames. Or a CSV with the columns `path` (or `file`, beside the CSV),
/// `label` (`bonafide`, `real`, `live`; `attack`, `spoof`, `fake`), and where there are such: `attack` (its kind),
/// `subject`, `clip` (or `video`).
#[derive(Debug, Args)]
pub(super) struct PadArgs {
    /// The folder, or the CSV
    input: PathBuf,
    /// The lowest score of a living face [default: the demand of a liveness session on the mean of its frames]
    #[arg(long, default_value_t = 0.5)]
    threshold: f32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// A frame with its labels.
struct Labeled {
    path: PathBuf,
    presentation: Presentation,
    /// Whose, or which clip's: frames of one group are not independent.
    group: String,
    clip: String,
}

pub(super) fn evaluate(args: &PadArgs) -> Result<Finished> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(bad("threshold", format!("{} is not between 0 and 1", args.threshold)));
    }
    let labeled = if args.input.is_dir() { from_folder(&args.input)? } else { from_table(&args.input)? };
    for (there, what) in [
        (
            labeled.iter().any(|l| l.presentation == Presentation::BonaFide),
            "living faces: a folder `bonafide`, or that label",
        ),
        (
            labeled.iter().any(|l| l.presentation != Presentation::BonaFide),
            "attacks: a folder for each kind, or the label `attack`",
        ),
    ] {
        if !there {
            return Err(bad(
                "input",
                format!("{}: there are no {what}; both classes are needed", args.input.display()),
            ));
        }
    }
    let loaded = args.common.models.load(true)?;
    let paths: Vec<PathBuf> = labeled.iter().map(|l| l.path.clone()).collect();
    let (readings, cache) = read(&loaded, What::Antispoof, &paths, &args.common)?;
    let real: Vec<Option<f32>> = readings.iter().map(|r| r.as_ref().and_then(|r| r.real)).collect();
    let description = loaded.engine.description();
    let mut report = assess(&labeled, &real, args.threshold);
    report.facts.splice(
        0..0,
        [
            ("input", args.input.display().to_string()),
            ("antispoof", description.antispoof.clone()),
            ("detector", description.detector.clone()),
        ],
    );
    report.failures = labeled
        .iter()
        .zip(&real)
        .filter(|(_, real)| real.is_none())
        .map(|(l, _)| l.path.display().to_string())
        .collect();
    Ok(Finished { report, cache: Some(cache) })
}

fn from_folder(folder: &Path) -> Result<Vec<Labeled>> {
    let mut labeled = Vec::new();
    for class in Folder::read(folder)?.folders {
        let presentation = presentation(&name(&class), None).unwrap_or_else(|| Presentation::Attack(name(&class)));
        let before = labeled.len();
        let inside = Folder::read(&class)?;
        // A picture outside any clip is a clip of its own.
        let mut add = |path: PathBuf, clip: &Path| {
            let clip = clip.display().to_string();
            labeled.push(Labeled { path, presentation: presentation.clone(), group: clip.clone(), clip });
        };
        for path in inside.pictures {
            let clip = path.clone();
            add(path, &clip);
        }
        for clip in inside.folders {
            for path in Folder::read(&clip)?.pictures {
                add(path, &clip);
            }
        }
        if labeled.len() == before {
            let reason = "no JPEG, PNG or WebP in it or in the clips below; add some or take it out";
            return Err(bad("folder", format!("{}: {reason}", class.display())));
        }
    }
    Ok(labeled)
}

fn from_table(path: &Path) -> Result<Vec<Labeled>> {
    let table = Table::read(path)?;
    let (file, label) = (table.required(&["path", "file"])?, table.required(&["label"])?);
    let (attack, subject) = (table.column(&["attack"]), table.column(&["subject"]));
    let clip = table.column(&["clip", "video"]);
    let mut labeled = Vec::new();
    for row in table.rows() {
        let text = |column: Option<_>| column.map(|c| row.get(c)).filter(|t: &&str| !t.is_empty());
        let presentation = presentation(row.get(label), text(attack)).ok_or_else(|| {
            row.fault(format!("label {:?} is neither bonafide (real, live) nor attack (spoof, fake)", row.get(label)))
        })?;
        let path = row.file(file)?;
        let clip = text(clip).map_or_else(|| path.display().to_string(), str::to_owned);
        let group = text(subject).map_or_else(|| clip.clone(), str::to_owned);
        labeled.push(Labeled { path, presentation, group, clip });
    }
    Ok(labeled)
}

/// What a label says; `None` for a word that is no label.
pub(super) fn presentation(label: &str, kind: Option<&str>) -> Option<Presentation> {
    match label.to_lowercase().as_str() {
        "bonafide" | "bona_fide" | "bona fide" | "real" | "live" | "genuine" => Some(Presentation::BonaFide),
        word @ ("attack" | "spoof" | "fake") => Some(Presentation::Attack(kind.unwrap_or(word).to_owned())),
        _ => None,
    }
}

/// The frames of a clip as one presentation: the mean of those with a face.
fn clips(labeled: &[Labeled], real: &[Option<f32>]) -> Vec<PadSample> {
    let mut found: std::collections::BTreeMap<(&Presentation, &str), Vec<Option<f32>>> =
        std::collections::BTreeMap::new();
    for (l, real) in labeled.iter().zip(real) {
        found.entry((&l.presentation, l.clip.as_str())).or_default().push(*real);
    }
    found
        .into_iter()
        .map(|((presentation, _), frames)| {
            let answered: Vec<f32> = frames.into_iter().flatten().collect();
            #[expect(clippy::cast_precision_loss, reason = "frames of a clip")]
            let mean = (!answered.is_empty()).then(|| answered.iter().sum::<f32>() / answered.len() as f32);
            PadSample { presentation: presentation.clone(), real: mean }
        })
        .collect()
}

fn assess(labeled: &[Labeled], real: &[Option<f32>], threshold: f32) -> Report {
    let frames: Vec<PadSample> = labeled
        .iter()
        .zip(real)
        .map(|(l, real)| PadSample { presentation: l.presentation.clone(), real: *real })
        .collect();
    let clips = clips(labeled, real);
    let mut tables = Vec::new();
    let mut figures = serde_json::Map::new();
    for (unit, samples) in [("frame", &frames), ("clip", &clips)] {
        let rates = PadRates::at(samples, threshold);
        // A clip stands for itself: only frames need a second interval.
        let of_frames = unit == "frame";
        let by_group = |wanted: &Presentation, error: &dyn Fn(f32) -> bool| {
            of_frames.then(|| range(grouped(labeled, real, wanted, error)))
        };
        let mut rows = Vec::new();
        for (kind, value) in &rates.apcer {
            let interval = by_group(&Presentation::Attack(kind.clone()), &|real| real >= threshold);
            rows.push(row(format!("APCER, {kind}"), *value, interval));
        }
        let interval = by_group(&Presentation::BonaFide, &|real| real < threshold);
        rows.push(row("BPCER", rates.bpcer, interval));
        for (kind, value) in &rates.apnrr {
            rows.push(row(format!("no face found, {kind}"), *value, []));
        }
        rows.push(row("no face found, living", rates.bpnrr, []));
        if let Some(acer) = rates.acer {
            let worst = rates.worst().filter(|(_, rate)| rate.hits() > 0);
            let worst = worst.map_or_else(|| "-".into(), |(kind, _)| format!("worst kind: {kind}"));
            rows.push(vec!["ACER".into(), number(acer), "-".into(), worst]);
        }
        let [a, b, c] = RATE_COLUMNS;
        let mut columns = vec!["", a, b, c];
        columns.extend(of_frames.then_some("95% by clip or subject"));
        tables.push(report::Table { title: format!("Each {unit}, at score {threshold}"), columns, rows });

        let all = scores(samples, None);
        let mut rows = Vec::new();
        for apcer in [0.1, 0.05, 0.01] {
            let Some(point) = all.at_fmr(apcer) else { continue };
            let threshold = format!("{:.3}", point.threshold);
            rows.push(row(format!("BPCER at APCER {}%", apcer * 100.0), point.fnmr, [threshold]));
        }
        rows.push(vec![
            "AUC".into(),
            all.auc().map_or("-".into(), number),
            String::new(),
            String::new(),
            String::new(),
        ]);
        rows.push(vec![
            "EER".into(),
            all.eer().map_or("-".into(), number),
            String::new(),
            String::new(),
            String::new(),
        ]);
        let at_apcer = |apcer: f64| json!({"apcer": apcer, "point": all.at_fmr(apcer)});
        let bpcer_at_apcer = [0.1, 0.05, 0.01].map(at_apcer);
        let title = format!("Each {unit}, all kinds of attacks together");
        tables.push(report::Table { title, columns: vec!["", a, b, c, "score"], rows });
        figures.insert(
            unit.into(),
            json!({
                "at_threshold": rates,
                "auc": all.auc(),
                "eer": all.eer(),
                "bpcer_at_apcer": bpcer_at_apcer,
                "det": thinned(&all.points(), 400),
            }),
        );
    }
    let attacks = frames.iter().filter(|s| s.presentation != Presentation::BonaFide).count();
    Report {
        command: "eval pad",
        title: "Presentation attack detection",
        facts: vec![
            ("living", format!("{} frames", frames.len() - attacks)),
            ("attacks", format!("{attacks} frames")),
            ("clips", format!("{} in all", clips.len())),
        ],
        tables,
        plots: plots(&frames, threshold),
        notes: notes(),
        failures: Vec::new(),
        figures: figures.into(),
    }
}

/// The bootstrap over groups of the share of `wanted` frames that are in `error`.
fn grouped(
    labeled: &[Labeled],
    real: &[Option<f32>],
    wanted: &Presentation,
    error: &dyn Fn(f32) -> bool,
) -> Option<faceattend_core::evaluation::Interval> {
    let mut groups: Vec<&str> = Vec::new();
    let mut outcomes = Vec::new();
    for (l, real) in labeled.iter().zip(real).filter(|(l, _)| l.presentation == *wanted) {
        let Some(real) = real else { continue };
        let place = groups.iter().position(|g| *g == l.group).unwrap_or_else(|| {
            groups.push(&l.group);
            groups.len() - 1
        });
        outcomes.push((place, error(*real)));
    }
    bootstrap::rate_interval(groups.len(), &outcomes)
}

fn plots(frames: &[PadSample], threshold: f32) -> Vec<Plot> {
    let mut kinds: Vec<String> = PadRates::at(frames, threshold).apcer.into_keys().collect();
    kinds.sort();
    let bona_fide = scores(frames, None);
    let mut distributions = vec![Series {
        name: "living".into(),
        style: Style::Area,
        points: histogram(bona_fide.genuine(), 0.0, 1.0, 25),
    }];
    for kind in &kinds {
        let points = histogram(scores(frames, Some(kind)).impostor(), 0.0, 1.0, 25);
        distributions.push(Series { name: kind.clone(), style: Style::Area, points });
    }
    let sweep = |value: &dyn Fn(f32) -> Option<f64>| -> Vec<(f64, f64)> {
        (0..=200u16).filter_map(|i| value(f32::from(i) / 200.0).map(|v| (f64::from(i) / 200.0, v))).collect()
    };
    let mut errors =
        vec![Series { name: "BPCER".into(), style: Style::Line, points: sweep(&|t| bona_fide.at(t).fnmr.value()) }];
    for kind in &kinds {
        let of_kind = scores(frames, Some(kind));
        let points = sweep(&|t| of_kind.at(t).fmr.value());
        errors.push(Series { name: format!("APCER, {kind}"), style: Style::Line, points });
    }
    let marks = vec![(f64::from(threshold), format!("threshold {threshold}"))];
    vec![
        Plot {
            title: "Scores of frames",
            x: Axis::linear("score: how much it looks like a living face", 0.0, 1.0),
            y: Axis::linear("share of frames", 0.0, 1.0),
            series: distributions,
            marks: marks.clone(),
        },
        Plot {
            title: "Errors of frames at each threshold",
            x: Axis::linear("threshold", 0.0, 1.0),
            y: Axis::linear("error rate", 0.0, 1.0),
            series: errors,
            marks,
        },
    ]
}

fn notes() -> Vec<String> {
    [
        "APCER: attacks of one kind that passed. BPCER: living faces refused. ACER: the mean of the worst kind's \
         APCER and the BPCER.",
        "A presentation in which no face was found is counted apart: an attack without a face passes nothing, a \
         living face without one is one more refusal.",
        "A clip's score is the mean over its frames with a face, as a liveness session takes it.",
        "Intervals are Clopper-Pearson at 95% and take frames as independent. Frames of one clip are not: believe \
         the interval by clip or subject, which is given from ten of them on, and the table of clips.",
        "The figures hold for attacks like these. Another printer, screen, camera or mask is another test.",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_understood_as_people_write_them() {
        assert_eq!(presentation("Real", None), Some(Presentation::BonaFide));
        assert_eq!(presentation("spoof", Some("print")), Some(Presentation::Attack("print".into())));
        assert_eq!(presentation("maybe", None), None);
    }

    #[test]
    fn a_clip_is_the_mean_of_its_frames_with_a_face() {
        let frame = |clip: &str| Labeled {
            path: PathBuf::new(),
            presentation: Presentation::BonaFide,
            group: clip.into(),
            clip: clip.into(),
        };
        let labeled = [frame("a"), frame("a"), frame("a"), frame("b")];
        let found: Vec<_> =
            clips(&labeled, &[Some(0.25), None, Some(0.75), None]).into_iter().map(|s| s.real).collect();
        assert_eq!(found, [Some(0.5), None]);
    }
}
