//! Open-set identification: TPIR of people who are enrolled, FPIR of people who are not (ISO/IEC 19795-1).

use serde::Serialize;

use super::rate::{Interval, Rate};

/// What the search for an enrolled person's picture found.
///
/// ```
/// use faceattend_core::evaluation::identification::MatedSearch;
///
/// // The most similar person was the right one.
/// let search = MatedSearch { person: 3, best: Some((0.82, true)) };
/// assert!(search.best.is_some_and(|(_, is_right)| is_right));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatedSearch {
    /// Whose picture it is, by its place in the list of people.
    pub person: usize,
    /// The similarity of the best person found, and whether it was this one; `None` when no face was found in the
    /// picture.
    pub best: Option<(f32, bool)>,
}

/// The searches of a test.
///
/// ```
/// use faceattend_core::evaluation::identification::{MatedSearch, Searches};
///
/// let searches = Searches {
///     enrolled: 2,
///     mated: vec![MatedSearch { person: 0, best: Some((0.9, true)) }],
///     strangers: vec![Some(0.4)],
/// };
/// let point = searches.at(0.7);
/// assert_eq!((point.tpir.hits(), point.fpir.hits()), (1, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Searches {
    /// The number of people enrolled in each search.
    pub enrolled: usize,
    /// Searches for people who are enrolled.
    pub mated: Vec<MatedSearch>,
    /// The best similarity of searches for people who are not; `None` where no face was found.
    pub strangers: Vec<Option<f32>>,
}

/// What a threshold does.
///
/// ```
/// use faceattend_core::evaluation::identification::{MatedSearch, Searches};
///
/// let mated = vec![MatedSearch { person: 0, best: Some((0.6, true)) }];
/// let point = Searches { enrolled: 1, mated, strangers: vec![Some(0.4)] }.at(0.7);
/// // Nobody is found at that threshold, the right person included.
/// assert_eq!((point.tpir.hits(), point.fpir.hits()), (0, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct IdentificationPoint {
    /// From this similarity on the best person is named.
    pub threshold: f32,
    /// True positive identification rate: the right person was the best and reached the threshold. A picture without a
    /// face is a miss.
    pub tpir: Rate,
    /// Somebody else was the best and reached the threshold: an enrolled person taken for another.
    pub misidentified: Rate,
    /// False positive identification rate: a stranger was named. Pictures without a face are left out.
    pub fpir: Rate,
}

impl Searches {
    /// Returns what `threshold` does.
    #[must_use]
    pub fn at(&self, threshold: f32) -> IdentificationPoint {
        let named = |right: bool| {
            let hit = move |search: &MatedSearch| search.best.is_some_and(|(s, own)| s >= threshold && own == right);
            Rate::of(self.mated.iter().map(hit))
        };
        IdentificationPoint {
            threshold,
            tpir: named(true),
            misidentified: named(false),
            fpir: Rate::of(self.strangers.iter().flatten().map(|s| *s >= threshold)),
        }
    }

    /// Returns the rank-1 rate: how often the right person is the best, whatever the threshold.
    #[must_use]
    pub fn rank_one(&self) -> Rate {
        Rate::of(self.mated.iter().map(|search| search.best.is_some_and(|(_, own)| own)))
    }

    /// Returns the lowest threshold whose measured FPIR is at most `fpir`; `None` without strangers.
    #[must_use]
    pub fn at_fpir(&self, fpir: f64) -> Option<IdentificationPoint> {
        let strangers = super::comparison::Comparisons::new(
            self.mated.iter().filter_map(|m| m.best.map(|(s, _)| s)),
            self.strangers.iter().flatten().copied(),
        );
        strangers.at_fmr(fpir).map(|point| self.at(point.threshold))
    }

    /// Points at every similarity that a search found, highest threshold first.
    #[must_use]
    pub fn points(&self) -> Vec<IdentificationPoint> {
        let mated = self.mated.iter().filter_map(|search| search.best.map(|(s, _)| s));
        let mut thresholds: Vec<f32> = mated.chain(self.strangers.iter().flatten().copied()).collect();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        thresholds.into_iter().map(|threshold| self.at(threshold)).collect()
    }

    /// Returns the bootstrap interval of the TPIR at `threshold`, drawing people; `None` for too few.
    #[must_use]
    pub fn tpir_interval(&self, threshold: f32) -> Option<Interval> {
        let mut people: Vec<usize> = self.mated.iter().map(|search| search.person).collect();
        people.sort_unstable();
        people.dedup();
        let outcome = |search: &MatedSearch| {
            let hit = search.best.is_some_and(|(s, own)| own && s >= threshold);
            people.binary_search(&search.person).ok().map(|place| (place, hit))
        };
        let outcomes: Vec<(usize, bool)> = self.mated.iter().filter_map(outcome).collect();
        super::bootstrap::rate_interval(people.len(), &outcomes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let mated = |best| MatedSearch { person: 0, best };
        let searches = Searches {
            enrolled: 3,
            mated: vec![mated(Some((0.9, true))), mated(Some((0.8, false))), mated(Some((0.4, true))), mated(None)],
            strangers: vec![Some(0.2), Some(0.6), None],
        };
        let at = searches.at(0.7);
        assert_eq!((at.tpir, at.misidentified, at.fpir), (Rate::new(1, 4), Rate::new(1, 4), Rate::new(0, 2)));
        assert_eq!(searches.rank_one(), Rate::new(2, 4));
        assert_eq!(searches.at_fpir(0.0).map(|p| p.fpir), Some(Rate::new(0, 2)));
        // Naming the stranger at .6 allows every threshold above the one at .2.
        assert_eq!(searches.at_fpir(0.5).map(|p| (p.threshold, p.tpir)), Some((0.2f32.next_up(), Rate::new(2, 4))));
    }

    proptest! {
        #[test]
        fn a_stricter_threshold_names_fewer(
            mated in prop::collection::vec((0.0f32..=1.0, any::<bool>()), 1..60),
            strangers in prop::collection::vec(0.0f32..=1.0, 1..60),
            a in 0.0f32..=1.0, b in 0.0f32..=1.0,
        ) {
            let searches = Searches {
                enrolled: 5,
                mated: mated.iter().enumerate().map(|(i, best)| MatedSearch { person: i, best: Some(*best) }).collect(),
                strangers: strangers.into_iter().map(Some).collect(),
            };
            let (low, high) = (searches.at(a.min(b)), searches.at(a.max(b)));
            prop_assert!(high.tpir.hits() <= low.tpir.hits() && high.fpir.hits() <= low.fpir.hits());
            prop_assert!(low.tpir.hits() + low.misidentified.hits() <= low.tpir.trials());
            prop_assert!(low.tpir.hits() <= searches.rank_one().hits());
        }
    }
}
