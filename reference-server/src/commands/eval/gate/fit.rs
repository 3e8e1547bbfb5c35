//! The weights of the fusion, fitted to attempts: what `faceattend_core::gate::Fusion::MEASURED` holds.

use std::collections::BTreeMap;

use faceattend_core::Result;
use faceattend_core::engine::Engine;
use faceattend_core::evaluation::logistic::{Logistic, Sample};
use faceattend_core::evaluation::pad::Presentation;
use faceattend_core::gate::Signs;
use serde_json::{Value, json};

use super::super::bad;
use super::super::plot::{Axis, Plot, Series, Style};
use super::super::reading::progress;
use super::super::report::{Report, Table};
use super::attempts::Attempt;
use super::play::Showing;

/// Kinds of attack whose name begins so show a film of a living person, which moves like one: they fit the passive
/// check alone.
const FILMS: [&str; 3] = ["replay", "film", "screen"];
/// The penalty on the weights, in attempts: see [`Logistic::fit`].
const RIDGE: f64 = 0.1;
/// The least number of views of which the signs are taken, and the least time in which they were seen: with the passive
/// check the gate decides from there on.
const LEAST_VIEWS: usize = 4;
const LEAST_SECONDS: f32 = 0.5;
/// From which time on movement decides by itself.
const BY_MOVEMENT: f32 = 1.0;
/// In how many parts the people are divided: each part is judged by the weights of the others.
const FOLDS: usize = 6;

const NAMES: [&str; 6] = ["residual", "stretch", "scale", "lids", "change", "seconds"];

/// An attempt and its signs of life, with their seconds.
struct Measured<'a> {
    attempt: &'a Attempt,
    signs: Vec<(f64, Signs)>,
}

impl Measured<'_> {
    fn is_live(&self) -> bool {
        self.attempt.presentation == Presentation::BonaFide
    }

    fn is_film(&self) -> bool {
        match &self.attempt.presentation {
            Presentation::BonaFide => false,
            Presentation::Attack(kind) => FILMS.iter().any(|film| kind.starts_with(film)),
        }
    }

    /// The samples of the attempt, which weigh 1 together.
    fn samples(&self, values: impl Fn(&Signs) -> Option<Vec<f64>>) -> Vec<Sample> {
        let counts = |signs: &Signs| signs.views >= LEAST_VIEWS && signs.seconds >= LEAST_SECONDS;
        let views = self.signs.iter().filter(|(_, signs)| counts(signs));
        let all: Vec<Vec<f64>> = views.filter_map(|(_, signs)| values(signs)).collect();
        #[expect(clippy::cast_precision_loss, reason = "views of a clip")]
        let weight = 1.0 / all.len().max(1) as f64;
        all.into_iter().map(|values| Sample { values, is_live: self.is_live(), weight }).collect()
    }

    fn movement(&self) -> Vec<Sample> {
        self.samples(|signs| Some(signs.movement().map(f64::from).to_vec()))
    }

    fn passive(&self) -> Vec<Sample> {
        self.samples(|signs| Some(vec![f64::from(signs.passive?)]))
    }
}

pub(super) fn fit(attempts: &[Attempt], engine: &Engine, showing: Showing) -> Result<Report> {
    let mut measured = Vec::with_capacity(attempts.len());
    let bar = progress(attempts.len(), "attempts");
    for attempt in attempts {
        bar.inc(1);
        measured.push(Measured { attempt, signs: showing.signs(&attempt.path, engine)? });
    }
    let rendered = |m: &Measured<'_>| m.is_live() && m.attempt.is_simulated;
    let still: Vec<&Measured<'_>> = measured.iter().filter(|m| !m.is_film() && !rendered(m)).collect();
    let of = |attempts: &[&Measured<'_>]| attempts.iter().flat_map(|m| m.movement()).collect::<Vec<_>>();
    let movement = Logistic::fit(&of(&still), RIDGE)
        .ok_or_else(|| bad("attempts", "there are no living people, or no still pictures of people among them"))?;
    // Neither rendered people nor rendered pictures say what skin looks like.
    let passive: Vec<Sample> =
        measured.iter().filter(|m| !m.attempt.is_simulated).flat_map(Measured::passive).collect();
    let passive = Logistic::fit(&passive, RIDGE);

    let mut rows: Vec<Vec<String>> = NAMES
        .iter()
        .zip(&movement.weights)
        .map(|(name, weight)| vec![(*name).to_owned(), format!("{weight:.3}")])
        .collect();
    rows.push(vec!["bias".into(), format!("{:.3}", movement.bias)]);
    if let Some(passive) = &passive {
        rows.push(vec!["passive, slope".into(), format!("{:.3}", passive.weights[0])]);
        rows.push(vec!["passive, level".into(), format!("{:.3}", passive.bias)]);
    }

    let judged = judged(&still);
    let mut curve = Vec::new();
    let mut series: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
    for hurdle in (-4..=16).map(|half| f64::from(half) / 2.0) {
        let share = |live: bool, within: f64| {
            let of_kind = || judged.iter().filter(|(is_live, _)| *is_live == live);
            let passes = |(_, path): &&(bool, Vec<(f64, f64)>)| {
                let first = path.first().map_or(0.0, |(at, _)| *at);
                path.iter().any(|(at, odds)| *odds >= hurdle && at - first <= within)
            };
            #[expect(clippy::cast_precision_loss, reason = "counts")]
            let share = of_kind().filter(passes).count() as f64 / of_kind().count().max(1) as f64;
            share
        };
        let all = showing.seconds;
        let values = [share(false, 3.0), share(false, all), share(true, 1.0), share(true, 3.0), share(true, all)];
        series[0].push((hurdle, values[1]));
        series[1].push((hurdle, values[3]));
        let mut row = vec![format!("{hurdle:.1}")];
        row.extend(values.iter().map(|value| format!("{value:.3}")));
        curve.push(row);
    }
    let [stills, living] = series;
    let kinds = kinds(attempts);
    let weights: BTreeMap<&str, f64> = NAMES.into_iter().zip(movement.weights.iter().copied()).collect();
    Ok(Report {
        command: "eval gate --fit",
        title: "The weights of the signs of life",
        facts: vec![("attempts", kinds)],
        tables: vec![
            Table { title: "Weights, in log-odds".into(), columns: vec!["", "weight"], rows },
            Table {
                title: "Movement alone, each person judged by the weights of the others".into(),
                columns: vec![
                    "hurdle",
                    "stills in 3 s",
                    "stills ever",
                    "living in 1 s",
                    "living in 3 s",
                    "living ever",
                ],
                rows: curve,
            },
        ],
        plots: vec![Plot {
            title: "Stills and living people that pass a hurdle",
            x: Axis::linear("log-odds", -2.0, 8.0),
            y: Axis::linear("share of attempts", 0.0, 1.0),
            series: vec![
                Series { name: "stills, ever".into(), style: Style::Line, points: stills },
                Series { name: "living, in 3 s".into(), style: Style::Line, points: living },
            ],
            marks: Vec::new(),
        }],
        notes: vec![
            "Kinds of attack whose name begins with replay, film or screen move like a living person: they fit the \
             passive check alone."
                .into(),
            "Rendered living people (origin simulated) fit nothing: they move less than people. The passive check is \
             fitted to what a camera has seen alone."
                .into(),
            "Every attempt weighs the same, and so do living people and pictures together.".into(),
        ],
        failures: measured
            .iter()
            .filter(|m| m.signs.is_empty())
            .map(|m| m.attempt.path.display().to_string())
            .collect(),
        figures: json!({
            "weights": weights, "bias": movement.bias,
            "passive": passive.map_or(Value::Null, |p| json!({"slope": p.weights[0], "level": p.bias})),
        }),
    })
}

/// The log-odds of each attempt by movement, by weights that were fitted without its person.
fn judged(still: &[&Measured<'_>]) -> Vec<(bool, Vec<(f64, f64)>)> {
    let mut people: Vec<&str> = still.iter().map(|m| m.attempt.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let fold = |m: &Measured<'_>| people.binary_search(&m.attempt.person.as_str()).unwrap_or(0) % FOLDS;
    let mut judged = Vec::new();
    for part in 0..FOLDS {
        let others: Vec<Sample> = still.iter().filter(|m| fold(m) != part).flat_map(|m| m.movement()).collect();
        let Some(fitted) = Logistic::fit(&others, RIDGE) else { continue };
        for m in still.iter().filter(|m| fold(m) == part) {
            let counts = |signs: &Signs| signs.views >= LEAST_VIEWS && signs.seconds >= BY_MOVEMENT;
            let views = m.signs.iter().filter(|(_, signs)| counts(signs));
            let odds = views.map(|(at, signs)| (*at, fitted.log_odds(&signs.movement().map(f64::from))));
            judged.push((m.is_live(), odds.collect()));
        }
    }
    judged
}

/// How many attempts of each kind there are, in words.
pub(super) fn kinds(attempts: &[Attempt]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for attempt in attempts {
        let kind = match &attempt.presentation {
            Presentation::BonaFide => "living",
            Presentation::Attack(kind) => kind.as_str(),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}
