//! Two classes of scores and every threshold between them: one person's pairs against two people's, or living faces
//! against attacks.

use serde::Serialize;

use super::rate::Rate;

/// Scores of pairs that should be accepted and of pairs that should not; the higher, the more alike. A score that
/// reaches the threshold is accepted.
///
/// ```
/// use faceattend_core::evaluation::comparison::Comparisons;
///
/// let scores = Comparisons::new([0.9, 0.8, 0.7], [0.2, 0.3, 0.75]);
/// let point = scores.at(0.78);
/// assert_eq!((point.tar().hits(), point.fmr.hits()), (2, 0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Comparisons {
    genuine: Vec<f32>,
    impostor: Vec<f32>,
}

/// One threshold and what it does.
///
/// ```
/// use faceattend_core::evaluation::comparison::Comparisons;
///
/// let point = Comparisons::new([0.9, 0.8], [0.2, 0.3]).at(0.5);
/// assert_eq!((point.fmr.value(), point.fnmr.value()), (Some(0.0), Some(0.0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OperatingPoint {
    /// From this score on a pair is accepted.
    pub threshold: f32,
    /// False match rate: impostor pairs accepted.
    pub fmr: Rate,
    /// False non-match rate: genuine pairs refused.
    pub fnmr: Rate,
}

impl OperatingPoint {
    /// Returns the true accept rate: genuine pairs accepted.
    #[must_use]
    pub fn tar(&self) -> Rate {
        Rate::new(self.fnmr.trials() - self.fnmr.hits(), self.fnmr.trials())
    }
}

impl Comparisons {
    /// Returns the scores of genuine and of impostor pairs, in any order; a score that is no number counts as the
    /// lowest, since it would never be accepted.
    #[must_use]
    pub fn new(genuine: impl IntoIterator<Item = f32>, impostor: impl IntoIterator<Item = f32>) -> Self {
        let sorted = |scores: &mut dyn Iterator<Item = f32>| {
            let mut scores: Vec<f32> = scores.map(|s| if s.is_nan() { f32::NEG_INFINITY } else { s }).collect();
            scores.sort_by(f32::total_cmp);
            scores
        };
        Self { genuine: sorted(&mut genuine.into_iter()), impostor: sorted(&mut impostor.into_iter()) }
    }

    /// Returns the genuine scores, lowest first.
    #[must_use]
    pub fn genuine(&self) -> &[f32] {
        &self.genuine
    }

    /// Returns the impostor scores, lowest first.
    #[must_use]
    pub fn impostor(&self) -> &[f32] {
        &self.impostor
    }

    /// Returns what `threshold` does.
    #[must_use]
    pub fn at(&self, threshold: f32) -> OperatingPoint {
        let below = |scores: &[f32]| scores.partition_point(|s| *s < threshold);
        let fmr = count(self.impostor.len() - below(&self.impostor), self.impostor.len());
        OperatingPoint { threshold, fmr, fnmr: count(below(&self.genuine), self.genuine.len()) }
    }

    /// Returns every threshold at which something changes, highest first: each distinct score, and one above them
    /// all. These are the points of the ROC and DET curves.
    #[must_use]
    pub fn points(&self) -> Vec<OperatingPoint> {
        let mut thresholds: Vec<f32> = self.genuine.iter().chain(&self.impostor).copied().collect();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        std::iter::once(f32::INFINITY).chain(thresholds).map(|threshold| self.at(threshold)).collect()
    }

    /// Returns the lowest threshold whose measured false match rate is at most `fmr`; `None` without impostor pairs.
    ///
    /// ```
    /// use faceattend_core::evaluation::comparison::Comparisons;
    ///
    /// let scores = Comparisons::new([0.9, 0.8, 0.3], [0.1, 0.2, 0.4]);
    /// let point = scores.at_fmr(0.0).expect("a threshold without a false match");
    /// assert_eq!((point.fmr.hits(), point.tar().hits()), (0, 2));
    /// ```
    #[must_use]
    pub fn at_fmr(&self, fmr: f64) -> Option<OperatingPoint> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts"
        )]
        let allowed = (fmr.clamp(0.0, 1.0) * self.impostor.len() as f64 + 1e-9).floor() as usize;
        if self.impostor.is_empty() {
            return None;
        }
        let threshold = match self.impostor.len().checked_sub(allowed + 1).and_then(|i| self.impostor.get(i)) {
            // Just above the highest impostor that has to stay outside.
            Some(refused) => refused.next_up(),
            None => f32::NEG_INFINITY,
        };
        Some(self.at(threshold))
    }

    /// Returns the equal error rate, in [0, 1]: where the straight lines between the ROC's points cross FMR = FNMR;
    /// `None` when a class is empty.
    ///
    /// ```
    /// use faceattend_core::evaluation::comparison::Comparisons;
    ///
    /// assert_eq!(Comparisons::new([0.9, 0.8], [0.1, 0.2]).eer(), Some(0.0));
    /// ```
    #[must_use]
    pub fn eer(&self) -> Option<f64> {
        let mut last: Option<(f64, f64)> = None;
        for point in self.points() {
            let (fmr, fnmr) = (point.fmr.value()?, point.fnmr.value()?);
            if fmr >= fnmr {
                let Some((before_fmr, before_fnmr)) = last else { return Some(fmr) };
                // Along the segment the difference goes from negative to not negative.
                let (from, to) = (before_fmr - before_fnmr, fmr - fnmr);
                let t = if to > from { -from / (to - from) } else { 0.0 };
                return Some(before_fmr + t * (fmr - before_fmr));
            }
            last = Some((fmr, fnmr));
        }
        None
    }

    /// Returns the area under the ROC, in [0, 1]: how often a genuine pair scores higher than an impostor pair, a tie
    /// counting half; `None` when a class is empty.
    ///
    /// ```
    /// use faceattend_core::evaluation::comparison::Comparisons;
    ///
    /// assert_eq!(Comparisons::new([0.9, 0.8], [0.1, 0.2]).auc(), Some(1.0));
    /// assert_eq!(Comparisons::new([0.9], []).auc(), None);
    /// ```
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn auc(&self) -> Option<f64> {
        if self.genuine.is_empty() || self.impostor.is_empty() {
            return None;
        }
        let wins: f64 = self
            .genuine
            .iter()
            .map(|g| {
                let lower = self.impostor.partition_point(|s| s < g);
                let not_higher = self.impostor.partition_point(|s| s <= g);
                f64::midpoint(lower as f64, not_higher as f64)
            })
            .sum();
        Some(wins / (self.genuine.len() as f64 * self.impostor.len() as f64))
    }

    /// Returns the threshold with the fewest errors, both classes weighing the same, and the accuracy there, in [0,
    /// 1]. Chosen on the very scores it is measured on, so it flatters; `None` when a class is empty.
    #[must_use]
    pub fn best_accuracy(&self) -> Option<(f32, f64)> {
        self.points()
            .into_iter()
            .filter_map(|p| Some((p.threshold, 1.0 - f64::midpoint(p.fmr.value()?, p.fnmr.value()?))))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Returns at most `limit` of the `points`, the ends and the corners kept as evenly as can be: a curve to draw or to
/// store.
#[must_use]
pub fn thinned(points: &[OperatingPoint], limit: usize) -> Vec<OperatingPoint> {
    // A point between two that share its FMR, or its FNMR, lies on their line.
    let corners: Vec<OperatingPoint> = points
        .iter()
        .enumerate()
        .filter(|(i, p)| {
            let (before, after) = (i.checked_sub(1).and_then(|i| points.get(i)), points.get(i + 1));
            let (Some(b), Some(a)) = (before, after) else { return true };
            !(b.fmr == p.fmr && a.fmr == p.fmr || b.fnmr == p.fnmr && a.fnmr == p.fnmr)
        })
        .map(|(_, p)| *p)
        .collect();
    if corners.len() <= limit || limit < 2 {
        return corners;
    }
    let mut kept: Vec<usize> = (0..limit).map(|i| i * (corners.len() - 1) / (limit - 1)).collect();
    kept.dedup();
    kept.into_iter().filter_map(|i| corners.get(i).copied()).collect()
}

fn count(hits: usize, trials: usize) -> Rate {
    Rate::new(hits as u64, trials as u64)
}

/// A score of a pair of people, by their places in the list of people.
///
/// ```
/// use faceattend_core::evaluation::comparison::PairScore;
///
/// // Persons 3 and 7 in one comparison: an impostor pair.
/// let pair = PairScore { a: 3, b: 7, score: 0.31 };
/// assert_ne!(pair.a, pair.b);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairScore {
    /// One person.
    pub a: usize,
    /// The other, or the same.
    pub b: usize,
    /// How alike the two pictures are.
    pub score: f32,
}

/// Genuine and impostor pairs whose people are known, for intervals that draw people.
///
/// ```
/// use faceattend_core::evaluation::comparison::{PairScore, PeoplesPairs};
///
/// let pairs = PeoplesPairs::new(2, [PairScore { a: 0, b: 0, score: 0.9 }, PairScore { a: 0, b: 1, score: 0.2 }]);
/// // Two people are too few for an interval.
/// assert_eq!(pairs.intervals_at(0.5), (None, None));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PeoplesPairs {
    people: usize,
    genuine: Vec<PairScore>,
    impostor: Vec<PairScore>,
}

impl PeoplesPairs {
    /// Returns the pairs among `people` people; a pair that names somebody else is left out.
    #[must_use]
    pub fn new(people: usize, pairs: impl IntoIterator<Item = PairScore>) -> Self {
        let known = pairs.into_iter().filter(|p| p.a < people && p.b < people);
        let (mut genuine, mut impostor): (Vec<_>, Vec<_>) = known.partition(|p| p.a == p.b);
        let highest_first = |pairs: &mut Vec<PairScore>| pairs.sort_by(|x, y| y.score.total_cmp(&x.score));
        highest_first(&mut genuine);
        highest_first(&mut impostor);
        Self { people, genuine, impostor }
    }

    /// Returns the bootstrap interval of the true accept rate at the false match rate `fmr`; the threshold moves with
    /// the draw.
    #[must_use]
    pub fn tar_at_fmr_interval(&self, fmr: f64) -> Option<super::Interval> {
        super::bootstrap::interval(self.people, |weights| {
            let allowed = fmr * total(&self.impostor, weights);
            let mut seen = 0.0;
            let refused = self.impostor.iter().find(|p| {
                seen += weight(p, weights);
                seen > allowed + 1e-9
            });
            let above = refused.map_or(f32::NEG_INFINITY, |p| p.score);
            share(&self.genuine, weights, |p| p.score > above)
        })
    }

    /// Returns the bootstrap intervals of the false match and the false non-match rate at `threshold`.
    #[must_use]
    pub fn intervals_at(&self, threshold: f32) -> (Option<super::Interval>, Option<super::Interval>) {
        let of = |pairs: &[PairScore], error: fn(f32, f32) -> bool| {
            super::bootstrap::interval(self.people, |weights| share(pairs, weights, |p| error(p.score, threshold)))
        };
        (of(&self.impostor, |score, t| score >= t), of(&self.genuine, |score, t| score < t))
    }
}

/// Returns how often a pair was drawn: as often as its two people make a pair.
fn weight(pair: &PairScore, weights: &[u32]) -> f64 {
    let of = |person: usize| f64::from(weights.get(person).copied().unwrap_or(0));
    if pair.a == pair.b { of(pair.a) } else { of(pair.a) * of(pair.b) }
}

fn total(pairs: &[PairScore], weights: &[u32]) -> f64 {
    pairs.iter().map(|p| weight(p, weights)).sum()
}

fn share(pairs: &[PairScore], weights: &[u32], hit: impl Fn(&PairScore) -> bool) -> Option<f64> {
    let (mut hits, mut all) = (0.0, 0.0);
    for pair in pairs {
        let weight = weight(pair, weights);
        all += weight;
        if hit(pair) {
            hits += weight;
        }
    }
    (all > 0.0).then(|| hits / all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let scores = Comparisons::new([0.9, 0.8, 0.4], [0.1, 0.2, 0.5, 0.8]);
        let at = scores.at(0.8);
        assert_eq!((at.fmr, at.fnmr), (Rate::new(1, 4), Rate::new(1, 3)));
        assert_eq!(at.tar(), Rate::new(2, 3));
        // No impostor may pass: the tie at 0.8 has to go.
        assert_eq!(scores.at_fmr(0.0).map(|p| (p.threshold, p.tar())), Some((0.8f32.next_up(), Rate::new(1, 3))));
        assert_eq!(scores.at_fmr(0.25).map(|p| (p.threshold, p.tar())), Some((0.5f32.next_up(), Rate::new(2, 3))));
        // Of 12 pairs of scores: 4 + 3.5 + 2 are won.
        assert!((scores.auc().unwrap() - 9.5 / 12.0).abs() < 1e-12);
    }

    #[test]
    fn an_empty_class_has_no_figures() {
        let scores = Comparisons::new([0.5], []);
        assert_eq!((scores.auc(), scores.eer(), scores.at_fmr(0.1)), (None, None, None));
    }

    #[test]
    fn a_score_that_is_no_number_is_refused_at_every_threshold() {
        let scores = Comparisons::new([f32::NAN], [0.5]);
        assert_eq!(scores.at(-1.0).fnmr, Rate::new(1, 1));
    }

    #[test]
    fn people_drawn_again_give_wider_intervals_than_their_pairs_as_though_independent() {
        // 30 people; the first three are hard, in every pair of theirs.
        let pairs = (0..30).flat_map(|person| {
            (0..20).map(move |i| PairScore {
                a: person,
                b: person,
                score: if person < 3 { 0.3 } else { 0.9 } + 0.001 * i as f32,
            })
        });
        let (_, by_person) = PeoplesPairs::new(30, pairs).intervals_at(0.5);
        let by_person = by_person.unwrap();
        let by_pair = Rate::new(60, 600).interval();
        assert!(by_person.low < by_pair.low && by_person.high > by_pair.high, "{by_person:?} {by_pair:?}");
        assert!(by_person.low <= 0.1 && 0.1 <= by_person.high);
    }

    proptest! {
        #[test]
        fn rates_move_one_way_with_the_threshold(
            genuine in prop::collection::vec(-1.0f32..1.0, 1..60),
            impostor in prop::collection::vec(-1.0f32..1.0, 1..60),
            a in -1.1f32..1.1, b in -1.1f32..1.1,
        ) {
            let scores = Comparisons::new(genuine, impostor);
            let (low, high) = (scores.at(a.min(b)), scores.at(a.max(b)));
            prop_assert!(high.fmr.hits() <= low.fmr.hits() && high.fnmr.hits() >= low.fnmr.hits());
            for rate in [scores.auc().unwrap(), scores.eer().unwrap(), scores.best_accuracy().unwrap().1] {
                prop_assert!((0.0..=1.0).contains(&rate), "{rate}");
            }
        }

        #[test]
        fn a_wished_rate_is_kept_and_no_lower_threshold_keeps_it(
            genuine in prop::collection::vec(0u8..30, 1..60),
            impostor in prop::collection::vec(0u8..30, 1..60),
            fmr in 0.0f64..1.0,
        ) {
            let floats = |scores: &[u8]| scores.iter().map(|s| f32::from(*s)).collect::<Vec<_>>();
            let scores = Comparisons::new(floats(&genuine), floats(&impostor));
            let found = scores.at_fmr(fmr).unwrap();
            prop_assert!(found.fmr.value().unwrap() <= fmr + 1e-9);
            let allowed = |p: &&OperatingPoint| p.fmr.value().unwrap() <= fmr + 1e-9;
            let best = scores.points().iter().filter(allowed).map(|p| p.tar().hits()).max();
            prop_assert_eq!(Some(found.tar().hits()), best);
        }

        #[test]
        fn a_thinned_curve_keeps_its_ends(
            genuine in prop::collection::vec(-1.0f32..1.0, 1..200),
            impostor in prop::collection::vec(-1.0f32..1.0, 1..200),
        ) {
            let points = Comparisons::new(genuine, impostor).points();
            let few = thinned(&points, 20);
            prop_assert!(few.len() <= 20);
            prop_assert_eq!((few.first(), few.last()), (points.first(), points.last()));
        }
    }
}
