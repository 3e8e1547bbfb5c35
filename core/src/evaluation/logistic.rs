//! Logistic regression: log-odds as a weighted sum, fitted to labeled samples.

/// Log-odds as a weighted sum of values.
///
/// ```
/// use faceattend_core::evaluation::logistic::{Logistic, Sample};
///
/// let sample = |value: f64, is_live| Sample { values: vec![value], is_live, weight: 1.0 };
/// let samples = [sample(-1.0, false), sample(0.2, false), sample(-0.2, true), sample(1.0, true)];
/// let fitted = Logistic::fit(&samples, 1.0).expect("both kinds");
/// assert!(fitted.weights[0] > 0.0 && fitted.log_odds(&[1.0]) > fitted.log_odds(&[0.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// A weight for each value.
    pub weights: Vec<f64>,
    /// The log-odds where every value is 0.
    pub bias: f64,
}

/// A labeled sample.
///
/// ```
/// use faceattend_core::evaluation::logistic::Sample;
///
/// let sample = Sample { values: vec![0.3, 1.2], is_live: true, weight: 0.5 };
/// assert_eq!(sample.values.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its values, as many in every sample.
    pub values: Vec<f64>,
    /// Whether it is of the kind whose log-odds are wanted.
    pub is_live: bool,
    /// How much it counts. Samples of one clip share the weight of one.
    pub weight: f64,
}

/// Steps of Newton's method; it converges in about ten.
const STEPS: usize = 100;

impl Logistic {
    /// Fits the weights, both kinds weighing the same together, so that the log-odds are those of two kinds that are
    /// equally likely beforehand. `ridge` is the penalty on the squares of the weights of values in standard
    /// deviations, as many samples' worth: it keeps the weights finite where the kinds do not overlap. `None` unless
    /// there are samples of both kinds.
    #[must_use]
    pub fn fit(samples: &[Sample], ridge: f64) -> Option<Self> {
        let total = |live: bool| samples.iter().filter(|s| s.is_live == live).map(|s| s.weight).sum::<f64>();
        let (live, other) = (total(true), total(false));
        let width = samples.first()?.values.len();
        if !(live > 0.0 && other > 0.0) || samples.iter().any(|sample| sample.values.len() != width) {
            return None;
        }
        let all = live + other;
        let balance = |sample: &Sample| sample.weight * all / (2.0 * if sample.is_live { live } else { other });
        let mean_of = |at: usize| samples.iter().map(|s| balance(s) * s.values[at]).sum::<f64>() / all;
        let means: Vec<f64> = (0..width).map(mean_of).collect();
        let spread_of = |at: usize| {
            let squares = samples.iter().map(|s| balance(s) * (s.values[at] - means[at]).powi(2)).sum::<f64>();
            (squares / all).sqrt().max(1e-9)
        };
        let spreads: Vec<f64> = (0..width).map(spread_of).collect();
        let standard = |sample: &Sample| -> Vec<f64> {
            let scaled = (0..width).map(|at| (sample.values[at] - means[at]) / spreads[at]);
            scaled.chain([1.0]).collect()
        };
        let rows: Vec<(Vec<f64>, f64, f64)> =
            samples.iter().map(|s| (standard(s), f64::from(u8::from(s.is_live)), balance(s))).collect();

        let mut theta = vec![0.0; width + 1];
        for _ in 0..STEPS {
            let mut gradient = vec![0.0; width + 1];
            let mut hessian = vec![vec![0.0; width + 1]; width + 1];
            for (row, label, weight) in &rows {
                let z: f64 = row.iter().zip(&theta).map(|(x, t)| x * t).sum();
                let p = 1.0 / (1.0 + (-z.clamp(-30.0, 30.0)).exp());
                for i in 0..=width {
                    gradient[i] += weight * (p - label) * row[i];
                    for j in 0..=width {
                        hessian[i][j] += weight * p * (1.0 - p) * row[i] * row[j];
                    }
                }
            }
            for i in 0..width {
                gradient[i] += ridge * theta[i];
                hessian[i][i] += ridge;
            }
            hessian[width][width] += 1e-9;
            let step = solve(hessian, gradient)?;
            theta.iter_mut().zip(&step).for_each(|(t, s)| *t -= s);
            if step.iter().all(|s| s.abs() < 1e-9) {
                break;
            }
        }
        let weights: Vec<f64> = (0..width).map(|at| theta[at] / spreads[at]).collect();
        let bias = theta[width] - weights.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>();
        Some(Self { weights, bias })
    }

    /// Returns the log-odds of these values.
    #[must_use]
    pub fn log_odds(&self, values: &[f64]) -> f64 {
        self.bias + self.weights.iter().zip(values).map(|(w, x)| w * x).sum::<f64>()
    }
}

/// Solves a symmetric positive definite system by elimination.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for at in 0..size {
        let pivot = matrix[at][at];
        if pivot.abs() <= 1e-300 || !pivot.is_finite() {
            return None;
        }
        let row = matrix[at].clone();
        for below in at + 1..size {
            let part = matrix[below][at] / pivot;
            matrix[below].iter_mut().zip(&row).skip(at).for_each(|(value, above)| *value -= part * above);
            right[below] -= part * right[at];
        }
    }
    for at in (0..size).rev() {
        let known: f64 = (at + 1..size).map(|n| matrix[at][n] * right[n]).sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a grid, each as often of either kind as the log-odds say.
    fn samples(of: impl Fn(f64, f64) -> f64) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (x, y) in (0..400).map(|n| (f64::from(n % 20) / 5.0 - 2.0, f64::from(n / 20) * 3.0 - 28.0)) {
            let live = 1.0 / (1.0 + (-of(x, y)).exp());
            samples.push(Sample { values: vec![x, y], is_live: true, weight: live });
            samples.push(Sample { values: vec![x, y], is_live: false, weight: 1.0 - live });
        }
        samples
    }

    #[test]
    fn the_weights_that_made_the_samples_are_found() {
        // Symmetric about 0, so that both kinds weigh the same.
        let fitted = Logistic::fit(&samples(|x, y| 1.5 * x - 0.1 * y), 1e-9).unwrap();
        assert!((fitted.weights[0] - 1.5).abs() < 0.02, "{fitted:?}");
        assert!((fitted.weights[1] + 0.1).abs() < 0.005, "{fitted:?}");
    }

    #[test]
    fn the_likelier_kind_is_no_likelier_beforehand() {
        let mut many = samples(|x, _| 1.5 * x);
        many.iter_mut().filter(|sample| !sample.is_live).for_each(|sample| sample.weight *= 100.0);
        let (one, other) =
            (Logistic::fit(&many, 1e-9).unwrap(), Logistic::fit(&samples(|x, _| 1.5 * x), 1e-9).unwrap());
        assert!((one.bias - other.bias).abs() < 1e-6 && (one.weights[0] - other.weights[0]).abs() < 1e-6);
    }

    #[test]
    fn kinds_that_do_not_overlap_have_finite_weights() {
        let sample = |value: f64| Sample { values: vec![value], is_live: value > 0.0, weight: 1.0 };
        let fitted = Logistic::fit(&[-2.0, -1.0, 1.0, 2.0].map(sample), 1.0).unwrap();
        assert!(fitted.weights[0] > 0.5 && fitted.weights[0] < 10.0, "{fitted:?}");
        assert_eq!(Logistic::fit(&[1.0, 2.0].map(sample), 1.0), None, "one kind alone");
        assert_eq!(Logistic::fit(&[], 1.0), None);
    }
}
