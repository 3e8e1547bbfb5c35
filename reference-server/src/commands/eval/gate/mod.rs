//! `faceattend eval gate`: living people and pictures of people before a camera, at the level of marks.

mod attempts;
mod fit;
mod play;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use faceattend_core::evaluation::pad::Presentation;
use faceattend_core::evaluation::{Rate, bootstrap};
use faceattend_core::gate::{GateOptions, GatePolicy};
use faceattend_core::{Error, Result};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::plot::{Axis, Plot, Series, Style};
use super::reading::progress;
use super::report::{RATE_COLUMNS, Report, Table, range, row};
use super::{CommonArgs, Finished, bad};
use attempts::{Attempt, attempts};
use play::{Outcome, Showing};

/// Living people and pictures of people before a camera.
///
/// DIR has a folder `bonafide` and one for each kind of attack, in them a folder for each person, and in those the
/// attempts: videos, folders of pictures, and single pictures, which are shown for the length of an attempt. Or DIR
/// holds `labels.csv`, or is a table: with the columns path, label (bonafide or attack), attack (its kind), subject
/// and, where it was rendered, origin (simulated). The person of an attempt is enrolled by the attempt itself, so
/// that the gate alone decides about the mark.
#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// The folder of attempts, or the table
    input: PathBuf,
    /// The number of pictures analyzed in a second, and twice as many of a face that is not decided, as `serve` does
    #[arg(long, value_name = "PER SECOND", default_value_t = 5.0)]
    rate: f64,
    /// The length of an attempt: longer clips are cut, a picture is shown for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// How long a person is watched for signs of life before somebody has to look [default: as `serve`]
    #[arg(long, value_name = "SECONDS")]
    wait: Option<f64>,
    /// Asks whom it does not know to be living for a movement, as `--gate-liveness ask` does. Nobody in a clip hears
    /// it: this measures how often pictures of people make the movement by accident
    #[arg(long, conflicts_with = "fit")]
    ask: bool,
    /// Leaves the passive check out, though its models are installed
    #[arg(long)]
    without_passive: bool,
    /// Fits the weights of the signs of life to the attempts instead
    #[arg(long)]
    fit: bool,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// An attempt as it went with the gate, and as it would go without.
struct Shown<'a> {
    attempt: &'a Attempt,
    gate: Outcome,
    without: Outcome,
}

pub(super) fn evaluate(args: &GateArgs) -> Result<Finished> {
    if !(args.rate > 0.0 && args.rate <= 50.0) {
        return Err(bad("rate", format!("{} is not above 0 and at most 50 pictures a second", args.rate)));
    }
    if !(args.seconds >= 1.0 && args.seconds <= 600.0) {
        return Err(bad("seconds", format!("{} is not between 1 and 600", args.seconds)));
    }
    let mut gate = GateOptions::of(if args.ask { GatePolicy::Ask } else { GatePolicy::Require });
    if let Some(wait) = args.wait {
        let wait = SignedDuration::try_from_secs_f64(wait).ok().filter(SignedDuration::is_positive);
        gate = gate.with_wait(wait.ok_or_else(|| bad("wait", "it must be above 0 seconds"))?);
    }
    let attempts = attempts(&args.input)?;
    // One thread, so that a second of it is a second of one processor.
    let loaded = args.common.models.on_one_thread().load(!args.without_passive)?;
    let showing = Showing { rate: args.rate, seconds: args.seconds };
    let engine = Arc::new(loaded.engine);
    let description = engine.description();
    let mut report = if args.fit {
        fit::fit(&attempts, &engine, showing)?
    } else {
        let folder = tempfile::tempdir().map_err(|error| Error::Internal { reason: error.to_string() })?;
        let (mut shown, mut faceless) = (Vec::new(), Vec::new());
        let bar = progress(attempts.len(), "attempts");
        for attempt in &attempts {
            bar.inc(1);
            let faces = showing.faces(&attempt.path, &engine)?;
            if faces.is_empty() {
                faceless.push(attempt.path.display().to_string());
                continue;
            }
            let show = |gate| showing.show(&attempt.path, &engine, &faces, gate, folder.path());
            shown.push(Shown { attempt, gate: show(gate)?, without: show(GateOptions::of(GatePolicy::Off))? });
        }
        let mut report = assess(&shown, &gate);
        report.failures = faceless;
        report
    };
    report.facts.splice(
        0..0,
        [
            ("input", args.input.display().to_string()),
            ("embedder", description.embedder.clone()),
            ("detector", description.detector.clone()),
            ("passive check", description.antispoof.clone()),
            ("looked at", format!("{} pictures a second, twice as many of an undecided face", args.rate)),
        ],
    );
    Ok(Finished { report, cache: None })
}

fn kind_of(attempt: &Attempt) -> &str {
    match &attempt.presentation {
        Presentation::BonaFide => "living",
        Presentation::Attack(kind) => kind,
    }
}

/// The rate of outcomes that are so, with the interval over people.
fn rate_of(shown: &[&Shown<'_>], is: impl Fn(&Outcome) -> bool) -> (Rate, String) {
    let mut people: Vec<&str> = Vec::new();
    let mut outcomes = Vec::new();
    for shown in shown {
        let person = people.iter().position(|p| *p == shown.attempt.person).unwrap_or_else(|| {
            people.push(&shown.attempt.person);
            people.len() - 1
        });
        outcomes.push((person, is(&shown.gate)));
    }
    let interval = bootstrap::rate_interval(people.len(), &outcomes);
    (Rate::of(outcomes.iter().map(|(_, is)| *is)), range(interval))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    bootstrap::quantile(&values, 0.5)
}

fn assess(shown: &[Shown<'_>], gate: &GateOptions) -> Report {
    let mut by_kind: BTreeMap<&str, Vec<&Shown<'_>>> = BTreeMap::new();
    for shown in shown {
        by_kind.entry(kind_of(shown.attempt)).or_default().push(shown);
    }
    let living = by_kind.remove("living").unwrap_or_default();
    let mut figures = serde_json::Map::new();
    let mut attacks = Vec::new();
    for (kind, shown) in &by_kind {
        let (wrong, people) = rate_of(shown, |outcome| outcome.marked_after.is_some());
        let (seen, _) = rate_of(shown, |outcome| outcome.suspected);
        let (looked, _) = rate_of(shown, |outcome| outcome.second_look);
        let without = Rate::of(shown.iter().map(|shown| shown.without.marked_after.is_some()));
        let count = |rate: Rate| format!("{} of {}", rate.hits(), rate.trials());
        attacks.push(row(*kind, wrong, [people, count(seen), count(looked), count(without)]));
        figures.insert(
            (*kind).to_owned(),
            json!({"marked": wrong, "suspected": seen, "second_look": looked, "marked_without": without}),
        );
    }
    let mut genuine = Vec::new();
    type Is = fn(&Outcome) -> bool;
    let outcomes: [(&str, Is); 4] = [
        ("marked", |outcome| outcome.marked_after.is_some()),
        ("marked without a second look", |outcome| outcome.marked_after.is_some() && !outcome.second_look),
        ("on the second-look list, not marked", |outcome| outcome.marked_after.is_none() && outcome.second_look),
        ("lost", |outcome| outcome.marked_after.is_none() && !outcome.second_look),
    ];
    let mut of_living = serde_json::Map::new();
    for (name, is) in outcomes {
        let (rate, people) = rate_of(&living, is);
        genuine.push(row(name, rate, [people]));
        of_living.insert(name.replace([' ', ','], "_"), json!(rate));
    }
    let waits = |of: &dyn Fn(&Shown<'_>) -> Outcome| {
        let waits: Vec<f64> = living.iter().filter_map(|shown| of(shown).marked_after).collect();
        waits
    };
    let (with, without) = (waits(&|shown| shown.gate), waits(&|shown| shown.without));
    let cost = |of: &dyn Fn(&Shown<'_>) -> Outcome| {
        let (cost, shown) = shown.iter().map(of).fold((0.0, 0.0), |sum, o| (sum.0 + o.cost, sum.1 + o.shown));
        if shown > 0.0 { 60.0 * cost / shown } else { 0.0 }
    };
    let costs = [cost(&|shown| shown.gate), cost(&|shown| shown.without)];
    let second = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2} s"));
    let medians = [median(with.clone()), median(without.clone())];
    let times = vec![
        vec!["median time to the mark".into(), second(medians[0]), second(medians[1])],
        vec!["processor seconds a minute shown".into(), format!("{:.2}", costs[0]), format!("{:.2}", costs[1])],
    ];
    figures.insert(
        "living".into(),
        json!({
            "outcomes": Value::Object(of_living),
            "median_seconds_to_the_mark": medians[0],
            "median_seconds_without_the_gate": medians[1],
            "processor_seconds_a_minute": costs[0],
            "processor_seconds_without_the_gate": costs[1],
        }),
    );
    let curve = |mut waits: Vec<f64>| {
        waits.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "counts of clips")]
        let points = waits.iter().enumerate().map(|(n, at)| (*at, (n + 1) as f64 / living.len() as f64));
        points.collect::<Vec<_>>()
    };
    let [a, b, c] = RATE_COLUMNS;
    Report {
        command: "eval gate",
        title: "Liveness at the gate",
        facts: vec![
            ("attempts", fit::kinds(&shown.iter().map(|shown| shown.attempt.clone()).collect::<Vec<_>>())),
            ("waits for signs of life", format!("{} s", gate.wait.as_secs_f64())),
        ],
        tables: vec![
            Table {
                title: "Pictures of people: wrong marks".into(),
                columns: vec!["", a, b, c, "95% by person", "suspected", "second look", "marked without the gate"],
                rows: attacks,
            },
            Table { title: "Living people".into(), columns: vec!["", a, b, c, "95% by person"], rows: genuine },
            Table {
                title: "Time and cost, with the gate and without".into(),
                columns: vec!["", "with", "without"],
                rows: times,
            },
        ],
        plots: vec![Plot {
            title: "Living people marked, by the time in view",
            x: Axis::linear("seconds", 0.0, gate.wait.as_secs_f64().max(1.0)),
            y: Axis::linear("share", 0.0, 1.0),
            series: vec![
                Series { name: "with the gate".into(), style: Style::Line, points: curve(with) },
                Series { name: "without".into(), style: Style::Line, points: curve(without) },
            ],
            marks: Vec::new(),
        }],
        notes: [
            "A wrong mark is a mark made by a picture of the person (APCER at the level of marks). The person of an \
             attempt is enrolled by the attempt itself: what is measured is the gate, not recognition.",
            "Times begin with the first picture that shows a face.",
            "Intervals are Clopper-Pearson's at 95%, and take attempts as independent; those by person draw people \
             again, from ten of them on.",
            "The figures hold for attacks like these. Another printer, screen, camera or mask is another test.",
        ]
        .map(str::to_owned)
        .to_vec(),
        failures: Vec::new(),
        figures: Value::Object(figures),
    }
}
