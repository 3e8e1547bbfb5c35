//! `faceattend eval pose`: the yaw against labels.

use std::path::PathBuf;

use clap::Args;
use faceattend_core::evaluation::Rate;
use faceattend_core::evaluation::pose::{GateRecall, YawError, YawSample};
use faceattend_core::liveness::Gates;
use faceattend_core::{Error, Result};
use serde_json::json;

use super::input::Table;
use super::plot::{Axis, Plot, Series, Style};
use super::reading::{What, read};
use super::report::{RATE_COLUMNS, Report, row};
use super::{CommonArgs, Finished, bad, report};

/// Labeled head poses.
///
/// INPUT is a folder with `pose.csv`, or that CSV itself: the columns `path` (or `file`, beside it) and `yaw` (or one
/// that begins so) in degrees, positive when the nose points to the right edge of the picture.
#[derive(Debug, Args)]
pub(super) struct PoseArgs {
    /// The folder with pose.csv, or the CSV
    input: PathBuf,
    /// Labels beyond so many degrees to either side are left out of the errors: five points say little of a profile
    #[arg(long, default_value_t = 60.0, value_name = "DEGREES")]
    max_yaw: f32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

pub(super) fn evaluate(args: &PoseArgs) -> Result<Finished> {
    if !(args.max_yaw > 0.0 && args.max_yaw <= 180.0) {
        return Err(bad("max-yaw", format!("{} is not above 0 and at most 180", args.max_yaw)));
    }
    let path = if args.input.is_dir() { args.input.join("pose.csv") } else { args.input.clone() };
    let table = Table::read(&path)?;
    let file = table.required(&["path", "file"])?;
    let Some(yaw) = table.beginning_with("yaw") else {
        table.required(&["yaw"])?;
        return Err(Error::Internal { reason: "a table without a yaw".into() });
    };
    let mut labels = Vec::new();
    let mut paths = Vec::new();
    for row in table.rows() {
        let text = row.get(yaw);
        let label = text.parse::<f32>().ok().filter(|yaw| yaw.abs() <= 180.0);
        labels.push(label.ok_or_else(|| row.fault(format!("yaw is {text:?}; it has to be degrees from -180 to 180")))?);
        paths.push(row.file(file)?);
    }
    let loaded = args.common.models.load(false)?;
    let (readings, cache) = read(&loaded, What::Yaw, &paths, &args.common)?;
    let measured: Vec<Option<f32>> = readings.iter().map(|r| r.as_ref().and_then(|r| r.yaw)).collect();
    let mut report = assess(&labels, &measured, args.max_yaw)?;
    report.facts.splice(
        0..0,
        [("input", args.input.display().to_string()), ("detector", loaded.engine.description().detector.clone())],
    );
    report.failures =
        paths.iter().zip(&measured).filter(|(_, m)| m.is_none()).map(|(p, _)| p.display().to_string()).collect();
    Ok(Finished { report, cache: Some(cache) })
}

fn assess(labels: &[f32], measured: &[Option<f32>], max_yaw: f32) -> Result<Report> {
    let usual = || labels.iter().zip(measured).filter(|(label, _)| label.abs() < max_yaw);
    let acquired = Rate::of(usual().map(|(_, measured)| measured.is_none()));
    let samples: Vec<YawSample> =
        usual().filter_map(|(label, m)| m.map(|measured| YawSample { label: *label, measured })).collect();
    let Some(error) = YawError::of(&samples) else {
        let reason = format!("no picture labeled within {max_yaw} degrees has a face");
        return Err(Error::State { what: "nothing to measure", reason });
    };
    let gates = Gates::default();
    let recall = GateRecall::of(&samples, &gates);
    let degrees = |value: f64| format!("{value:.2}");
    let mut error_rows = vec![vec![
        "all".to_owned(),
        degrees(error.mean),
        error.interval.map_or("-".into(), |i| format!("{:.2} to {:.2}", i.low, i.high)),
        degrees(error.median),
        degrees(error.p95),
        degrees(error.bias),
        error.samples.to_string(),
    ]];
    let bands = [(0.0, 5.0), (5.0, 15.0), (15.0, 30.0), (30.0, 45.0), (45.0, max_yaw)];
    for (from, to) in bands.into_iter().filter(|(from, to)| from < to) {
        let inside: Vec<YawSample> = samples.iter().copied().filter(|s| (from..to).contains(&s.label.abs())).collect();
        let Some(error) = YawError::of(&inside) else { continue };
        error_rows.push(vec![
            format!("labeled {from} to {to}"),
            degrees(error.mean),
            error.interval.map_or("-".into(), |i| format!("{:.2} to {:.2}", i.low, i.high)),
            degrees(error.median),
            degrees(error.p95),
            degrees(error.bias),
            error.samples.to_string(),
        ]);
    }
    let named = |position: faceattend_core::liveness::Position| match position.as_str() {
        "left" => "left (their own; the image's right)",
        "right" => "right (their own; the image's left)",
        other => other,
    };
    let mut gate_rows: Vec<Vec<String>> =
        recall.recall.iter().map(|(p, r)| row(format!("recall, {}", named(*p)), *r, [])).collect();
    gate_rows.extend(
        recall.wrongly_admitted.iter().map(|(p, r)| row(format!("let through from outside, {}", named(*p)), *r, [])),
    );
    gate_rows.push(row("wrong side", recall.wrong_side, []));
    gate_rows.push(row("no face found", acquired, []));
    let [a, b, c] = RATE_COLUMNS;
    let tables = vec![
        report::Table {
            title: "Error of the yaw, in degrees".into(),
            columns: vec!["", "mean (MAE)", "95% interval", "median", "95% below", "bias", "pictures"],
            rows: error_rows,
        },
        report::Table {
            title: format!("Gates: center within {}, sides beyond {} degrees", gates.center.0, gates.left.0),
            columns: vec!["", a, b, c],
            rows: gate_rows,
        },
    ];
    let left_out = labels.len() - usual().count();
    let notes = [
        "Yaw is positive when the nose points to the right edge of the picture; its error is measured against the \
         label, which has an error of its own.",
        "Recall: of pictures labeled inside a gate, those whose measured yaw lies inside it. Single pictures; a \
         session may try again.",
        "The interval of the mean is a bootstrap over pictures, those of rates are Clopper-Pearson, both at 95%.",
    ];
    Ok(Report {
        command: "eval pose",
        title: "Head pose: yaw against labels",
        facts: vec![
            ("pictures", labels.len().to_string()),
            ("labeled beyond the limit and left out", format!("{left_out} (limit {max_yaw} degrees)")),
        ],
        plots: plots(&samples, max_yaw, &gates),
        figures: json!({
            "yaw_error": error, "gates": recall, "no_face": acquired, "left_out": left_out, "samples": samples
        }),
        tables,
        notes: notes.map(str::to_owned).to_vec(),
        failures: Vec::new(),
    })
}

fn plots(samples: &[YawSample], max_yaw: f32, gates: &Gates) -> Vec<Plot> {
    let limit = f64::from(max_yaw);
    let dots = samples.iter().map(|s| (f64::from(s.label), f64::from(s.measured))).collect();
    let edges = [-gates.right.0, -gates.center.0, gates.center.0, gates.left.0];
    let mut errors: Vec<f64> = samples.iter().map(|s| f64::from((s.measured - s.label).abs())).collect();
    errors.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
    let cumulative: Vec<(f64, f64)> =
        errors.iter().enumerate().map(|(i, e)| (*e, (i + 1) as f64 / errors.len() as f64)).collect();
    let largest = errors.last().copied().unwrap_or(1.0).ceil();
    vec![
        Plot {
            title: "Measured against labeled yaw",
            x: Axis::linear("labeled yaw, degrees", -limit, limit),
            y: Axis::linear("measured yaw, degrees", -limit, limit),
            series: vec![
                Series { name: "a picture".into(), style: Style::Dots, points: dots },
                Series { name: "no error".into(), style: Style::Line, points: vec![(-limit, -limit), (limit, limit)] },
            ],
            marks: edges.map(|edge| (f64::from(edge), String::new())).to_vec(),
        },
        Plot {
            title: "Share of pictures with at most this error",
            x: Axis::linear("absolute error, degrees", 0.0, largest),
            y: Axis::linear("share of pictures", 0.0, 1.0),
            series: vec![Series { name: "pictures".into(), style: Style::Line, points: cumulative }],
            marks: Vec::new(),
        },
    ]
}
