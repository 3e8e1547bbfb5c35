//! `faceattend calibrate --live`: how near strangers come to the students, for the rule that names faces on cameras.

use faceattend_core::Result;
use faceattend_core::embedding::{Calibration, Embedding};
use faceattend_core::evaluation::live::{NEEDED, impostors_of};
use faceattend_core::tracking::{Impostors, TrackingOptions, bound};
use serde_json::json;

use super::super::eval::bad;
use super::super::eval::plot::{Axis, Plot, Series, Style, histogram};
use super::super::eval::report::{Report, Table, number};
use super::{CalibrateArgs, Calibrated, Enrolled};

/// How far the mean of a face's views usually travels, in radians, for the similarities that the report names: the
/// median of 19 tracks of 3 to 15 seconds.
const USUAL_PATH: f32 = 0.85;

/// Returns what to tell `serve` of how near strangers come, from the templates of different students.
pub(super) fn propose(enrolled: &Enrolled, calibration: &Calibration, args: &CalibrateArgs) -> Result<Calibrated> {
    let rate = args.false_names;
    TrackingOptions::default().with_false_names(rate)?;
    let mut cosines = Vec::new();
    // A camera compares the mean of a face's views with the mean of a student's.
    let means: Vec<Embedding> = enrolled.people.iter().filter_map(|views| Embedding::mean(views).ok()).collect();
    for (a, own) in means.iter().enumerate() {
        for other in means.iter().skip(a + 1) {
            cosines.push(own.cosine(other)?.0);
        }
    }
    let comparisons = cosines.len();
    let people = enrolled.people.len();
    let templates: usize = enrolled.people.iter().map(Vec::len).sum();
    let students = match args.gallery_size {
        Some(0) => return Err(bad("gallery size", "at least one student")),
        Some(students) => usize::try_from(students).unwrap_or(usize::MAX),
        None => people,
    };
    let bound = bound(students, rate);
    let of_model = Impostors::of(calibration);
    let similarity =
        |impostors: Impostors, path: f32| calibration.similarity(impostors.cosine_for(bound, path)).value();
    let histogram = histogram(&cosines, -0.5, 1.0, 60);
    let measured = impostors_of(cosines);
    // Enrolment pictures are better than live ones: they can show that strangers come nearer than the model says, and
    // not that they stay farther away.
    let nearer = measured.filter(|found| similarity(*found, 0.0) > similarity(of_model, 0.0));
    let proposed = nearer.unwrap_or(of_model);
    let written = |impostors: Impostors| format!("{:.3},{:.3}", impostors.mean(), impostors.spread());
    let verdict = match (measured, nearer) {
        (None, _) => "none".to_owned(),
        (Some(_), Some(found)) => format!("--strangers {}", written(found)),
        (Some(_), None) => format!("leave --strangers out: {} of the model is the more careful one", written(of_model)),
    };
    let line = |name: &str, impostors: Impostors| {
        let named = |path| format!("{:.3}", similarity(impostors, path));
        vec![
            name.to_owned(),
            format!("{:.3}", impostors.mean()),
            format!("{:.3}", impostors.spread()),
            named(0.0),
            named(USUAL_PATH),
        ]
    };
    let mut rows = vec![line("as the model's calibration says", of_model)];
    rows.extend(measured.map(|found| line("measured in this gallery", found)));
    rows.push(line("proposed", proposed));
    let refusal = measured.is_none().then(|| {
        format!(
            "{comparisons} comparisons of {people} students say nothing of how near strangers come; it needs \
             {NEEDED} that \
             are not all alike, as about 30 students make"
        )
    });
    let report = Report {
        command: "calibrate --live",
        title: "Calibration of live recognition on the enrolled students",
        facts: vec![
            ("proposed setting", verdict),
            ("wished false names", format!("{} of strangers", number(rate.into()))),
            ("gallery of", format!("{students} students")),
            ("evidence that names somebody", format!("{bound:.1} nats: ln(students / rate)")),
            ("model", enrolled.model.to_string()),
            ("enrolled", format!("{people} students, {templates} templates")),
            ("comparisons of two students", comparisons.to_string()),
        ],
        tables: vec![Table {
            title: "How near strangers come, and from which similarity a face is named".into(),
            columns: vec!["", "mean cosine", "spread", "at once", "after moving about"],
            rows,
        }],
        plots: vec![Plot {
            title: "Cosines between two students",
            x: Axis::linear("cosine", -0.5, 1.0),
            y: Axis::linear("share of comparisons", 0.0, histogram.iter().map(|p| p.1).fold(0.05, f64::max)),
            series: vec![Series { name: "two students".into(), style: Style::Area, points: histogram }],
            marks: vec![
                (f64::from(proposed.mean()), "mean".into()),
                (f64::from(proposed.cosine_for(bound, 0.0).0), "named from here".into()),
            ],
        }],
        notes: [
            "The spread is the widest that any of the upper tails has which the comparisons show: where some \
             students are much alike, theirs decides.",
            "A face is named by the mean of its views, never below the threshold. What the views have moved about \
             counts as further chances of a stranger: hence two similarities.",
            "Students stand for strangers here. Strangers of another kind than all students may come nearer; so may \
             relatives.",
            "`faceattend eval live` measures what comes of it.",
        ]
        .map(str::to_owned)
        .to_vec(),
        failures: Vec::new(),
        figures: json!({
            "false_names": rate,
            "gallery_size": students,
            "templates": templates,
            "bound": bound,
            "comparisons": comparisons,
            "of_model": [of_model.mean(), of_model.spread()],
            "measured": measured.map(|found| [found.mean(), found.spread()]),
            "proposed": measured.map(|_| [proposed.mean(), proposed.spread()]),
        }),
    };
    Ok(Calibrated { report, refusal })
}
