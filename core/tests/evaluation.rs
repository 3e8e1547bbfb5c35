//! The arithmetic of the evaluation kit against scikit-learn and SciPy, on recorded scores (`data/evaluation.py` makes
//! them).
//!
//! Rates are counts and must agree exactly, but for the last bit of a division; the equal error rate is SciPy's root
//! of an interpolation, good to 1e-9. The ends of the intervals come from different algorithms for the same function;
//! of a hundred million trials logarithms of 1e9 cancel, which leaves 1e-7 of an end's size.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use faceattend_core::evaluation::comparison::Comparisons;
use faceattend_core::evaluation::rate::Rate;
use serde_json::Value;

fn recorded() -> Value {
    serde_json::from_str(include_str!("data/evaluation.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn close(ours: f64, theirs: &Value, tolerance: f64) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance, "{ours} {theirs}");
}

#[test]
fn curves_agree_with_scikit_learn() {
    let recorded = recorded();
    for expected in recorded["comparisons"].as_array().unwrap() {
        let scores = Comparisons::new(numbers(&expected["genuine"]), numbers(&expected["impostor"]));
        close(scores.auc().unwrap(), &expected["auc"], 1e-12);
        close(scores.eer().unwrap(), &expected["eer"], 1e-9);
        for pair in expected["tar_at"].as_array().unwrap() {
            let point = scores.at_fmr(pair[0].as_f64().unwrap()).unwrap();
            close(point.tar().value().unwrap(), &pair[1], 1e-12);
        }
        let at = scores.at(expected["threshold"].as_f64().unwrap() as f32);
        let counts = |rate: Rate| serde_json::json!([rate.hits(), rate.trials()]);
        assert_eq!(counts(at.fmr), expected["at_threshold"]["fmr"]);
        assert_eq!(counts(at.fnmr), expected["at_threshold"]["fnmr"]);
        let right = (at.fmr.trials() - at.fmr.hits() + at.tar().hits()) as f64;
        close(right / (at.fmr.trials() + at.fnmr.trials()) as f64, &expected["accuracy"], 1e-12);
        assert_eq!(scores.points().len() as u64, expected["roc_points"].as_u64().unwrap());
    }
}

#[test]
fn intervals_agree_with_scipy() {
    let recorded = recorded();
    for expected in recorded["intervals"].as_array().unwrap() {
        let rate = Rate::new(expected["hits"].as_u64().unwrap(), expected["trials"].as_u64().unwrap());
        let interval = rate.interval();
        for (ours, name) in
            [(interval.low, "low"), (interval.high, "high"), (rate.upper_bound(0.05), "upper_95_one_sided")]
        {
            close(ours, &expected[name], 1e-6 * expected[name].as_f64().unwrap().max(1e-12));
        }
    }
}
