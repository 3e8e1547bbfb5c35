//! Error rates of groups of people, and how far the worst group is from the best: demographic differentials as NIST
//! reports them (FRVT Part 3, NISTIR 8280; the summary figures of FRVT Part 8, NISTIR 8429).
//!
//! One threshold serves everybody, and an average hides whom it fails. A *class* is what is reported in one row: the
//! comparisons within one group, or, where one person has pictures in two groups (with glasses and without, with a
//! mask and without), the comparisons across the two.

use serde::Serialize;

use super::comparison::{Comparisons, PairScore, PeoplesPairs};
use super::rate::{Interval, Rate};
use super::threshold::{Proposal, propose};

/// A comparison of two pictures of known people and groups.
///
/// ```
/// use faceattend_core::evaluation::groups::GroupedPair;
///
/// // Person 0 of group 0 against person 5 of group 1.
/// let pair = GroupedPair { people: [0, 5], groups: [0, 1], score: 0.2 };
/// assert_ne!(pair.groups[0], pair.groups[1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedPair {
    /// The people, by their places in the list of people; the same for a genuine pair.
    pub people: [usize; 2],
    /// The groups of the two pictures, by their places in the list of groups.
    pub groups: [usize; 2],
    /// How alike the two pictures are.
    pub score: f32,
}

/// Which pairs of two people count for a group.
///
/// ```
/// use faceattend_core::evaluation::groups::{Class, GroupedPair, Impostors};
///
/// let pair = |people, groups, score| GroupedPair { people, groups, score };
/// let pairs = [pair([0, 1], [0, 0], 0.4), pair([2, 3], [1, 1], 0.2), pair([0, 2], [0, 1], 0.1)];
/// // A class for each group, with the impostor pairs inside it.
/// assert_eq!(Class::of(&pairs, Impostors::Within).len(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impostors {
    /// Both people are of the group. People of one group resemble each other more than people of two, and a school is
    /// often of one, so this is the rate that its people meet. NIST calls it "same-demographic".
    #[default]
    Within,
    /// One of the two is enough: the group against everybody.
    Everybody,
}

/// The comparisons of one class.
///
/// ```
/// use faceattend_core::evaluation::groups::{Class, GroupedPair, Impostors};
///
/// let pair = |people, score| GroupedPair { people, groups: [0, 0], score };
/// let pairs = [pair([0, 0], 0.9), pair([0, 1], 0.2), pair([1, 1], 0.8)];
/// let everybody = Class::of_everybody(&pairs);
/// assert_eq!(everybody.people(), 2);
/// assert_eq!(everybody.at(0.5).fmr.hits(), 0);
/// # let _ = Impostors::Within;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    groups: [usize; 2],
    people: usize,
    scores: Comparisons,
    by_person: PeoplesPairs,
}

/// What one threshold does to one class.
///
/// ```
/// use faceattend_core::evaluation::groups::{Class, GroupedPair};
///
/// let pair = |people, score| GroupedPair { people, groups: [0, 0], score };
/// let point = Class::of_everybody(&[pair([0, 0], 0.9), pair([0, 1], 0.2)]).at(0.5);
/// assert_eq!((point.fmr.hits(), point.fnmr.hits()), (0, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassPoint {
    /// Pairs of two people taken for one.
    pub fmr: Rate,
    /// The bootstrap interval that draws people; `None` below ten people, and without an error: people drawn again
    /// make none either, and "0 to 0" would say more than is known.
    pub fmr_by_person: Option<Interval>,
    /// Pairs of one person taken for two.
    pub fnmr: Rate,
    /// As `fmr_by_person`.
    pub fnmr_by_person: Option<Interval>,
}

/// The threshold that a class needs for a wished false match rate.
///
/// ```
/// use faceattend_core::evaluation::groups::{Class, GroupedPair};
///
/// let pair = |people, score| GroupedPair { people, groups: [0, 0], score };
/// let need = Class::of_everybody(&[pair([0, 0], 0.9), pair([0, 1], 0.2)]).need(1e-3);
/// assert_eq!(need.fmr.hits(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Need {
    /// The lowest threshold whose measured rate is at most the wished one. `None` without pairs of two people.
    pub threshold: Option<f32>,
    /// What is measured there.
    pub fmr: Rate,
    /// The price: pairs of one person refused there.
    pub fnmr: Rate,
    /// The threshold that keeps the wished rate at 95% confidence, or why the sample cannot tell.
    pub confident: Proposal,
}

impl Class {
    /// Returns the classes of `pairs`: each group with its own pairs, in the order of the groups' numbers, then each
    /// pair of groups in which somebody has pictures of both. With [`Impostors::Everybody`] a pair of two people
    /// counts for the groups of both.
    #[must_use]
    pub fn of(pairs: &[GroupedPair], impostors: Impostors) -> Vec<Self> {
        let mut keys: Vec<[usize; 2]> = Vec::new();
        for pair in pairs {
            let [a, b] = sorted(pair.groups);
            keys.extend([[a, a], [b, b]]);
            if a != b && pair.is_genuine() {
                keys.push([a, b]);
            }
        }
        // Groups first, then what is across two of them.
        keys.sort_unstable_by_key(|[a, b]| (a != b, *a, *b));
        keys.dedup();
        keys.into_iter().map(|groups| Self::new(groups, pairs, impostors)).collect()
    }

    /// Returns all of `pairs` as one class, whatever their groups: what an average over everybody shows.
    #[must_use]
    pub fn of_everybody(pairs: &[GroupedPair]) -> Self {
        Self::from_pairs([0, 0], &pairs.iter().collect::<Vec<_>>())
    }

    fn new(groups: [usize; 2], pairs: &[GroupedPair], impostors: Impostors) -> Self {
        let counts = |pair: &&GroupedPair| {
            let own = sorted(pair.groups) == groups;
            let touches = groups[0] == groups[1] && pair.groups.contains(&groups[0]);
            own || (impostors == Impostors::Everybody && touches && !pair.is_genuine())
        };
        Self::from_pairs(groups, &pairs.iter().filter(counts).collect::<Vec<_>>())
    }

    fn from_pairs(groups: [usize; 2], pairs: &[&GroupedPair]) -> Self {
        let mut people: Vec<usize> = pairs.iter().flat_map(|pair| pair.people).collect();
        people.sort_unstable();
        people.dedup();
        let place = |person: usize| people.binary_search(&person).unwrap_or(usize::MAX);
        let of = |wanted: bool| pairs.iter().filter(move |p| p.is_genuine() == wanted).map(|p| p.score);
        let scores = Comparisons::new(of(true), of(false));
        let scored = pairs.iter().map(|p| PairScore { a: place(p.people[0]), b: place(p.people[1]), score: p.score });
        Self { groups, people: people.len(), scores, by_person: PeoplesPairs::new(people.len(), scored) }
    }

    /// Returns the two groups that it compares, the same for one within a group; lower number first.
    #[must_use]
    pub fn groups(&self) -> [usize; 2] {
        self.groups
    }

    /// Returns how many people it is of.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people
    }

    /// Its scores.
    #[must_use]
    pub fn scores(&self) -> &Comparisons {
        &self.scores
    }

    /// Returns what `threshold` does.
    #[must_use]
    pub fn at(&self, threshold: f32) -> ClassPoint {
        let point = self.scores.at(threshold);
        let (fmr_by_person, fnmr_by_person) = self.by_person.intervals_at(threshold);
        let known = |rate: Rate, interval: Option<Interval>| interval.filter(|_| rate.hits() > 0);
        ClassPoint {
            fmr: point.fmr,
            fmr_by_person: known(point.fmr, fmr_by_person),
            fnmr: point.fnmr,
            fnmr_by_person: known(point.fnmr, fnmr_by_person),
        }
    }

    /// Returns the threshold that it needs for the false match rate `wished`.
    #[must_use]
    pub fn need(&self, wished: f64) -> Need {
        let confident = propose(&self.scores, wished);
        match self.scores.at_fmr(wished) {
            Some(point) => Need { threshold: Some(point.threshold), fmr: point.fmr, fnmr: point.fnmr, confident },
            None => Need { threshold: None, fmr: Rate::default(), fnmr: Rate::default(), confident },
        }
    }
}

impl GroupedPair {
    fn is_genuine(&self) -> bool {
        self.people[0] == self.people[1]
    }
}

fn sorted([a, b]: [usize; 2]) -> [usize; 2] {
    [a.min(b), a.max(b)]
}

/// How far the worst class is from the others.
///
/// ```
/// use faceattend_core::evaluation::Rate;
/// use faceattend_core::evaluation::groups::Disparity;
///
/// let disparity = Disparity::of(&[Rate::new(1, 1000), Rate::new(10, 1000)]).expect("two rates");
/// assert_eq!((disparity.best, disparity.worst), (0, 1));
/// assert_eq!(disparity.ratio, Some(10.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Disparity {
    /// The place of the class with the highest rate.
    pub worst: usize,
    /// The place of the class with the lowest; of several, the one with the most trials.
    pub best: usize,
    /// The worst rate over the best; `None` when the best has no error, so that nobody knows by how much.
    pub ratio: Option<f64>,
    /// The ratio is at least this, with 95% confidence, and never below 1: the low end of the worst rate's interval
    /// over the high end of the best's. Each end is exceeded in at most 2.5 of 100 tests, so both together in at most
    /// 5. At 1 the sample does not show that the two differ.
    pub ratio_at_least: f64,
    /// The worst rate over the geometric mean of all, as in NISTIR 8429: one lucky class does not set it. `None` when
    /// a class has no error.
    pub over_geometric_mean: Option<f64>,
}

impl Disparity {
    /// Returns the disparity of `rates`, one for each class; classes without a trial are passed over. `None` for
    /// fewer than two others, and where there is no error at all.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of classes")]
    pub fn of(rates: &[Rate]) -> Option<Self> {
        let known: Vec<(usize, Rate, f64)> =
            rates.iter().enumerate().filter_map(|(place, rate)| Some((place, *rate, rate.value()?))).collect();
        if known.len() < 2 {
            return None;
        }
        let worst = known.iter().max_by(|x, y| x.2.total_cmp(&y.2).then(x.1.trials().cmp(&y.1.trials())))?;
        let best = known.iter().min_by(|x, y| x.2.total_cmp(&y.2).then(y.1.trials().cmp(&x.1.trials())))?;
        if worst.1.hits() == 0 {
            return None;
        }
        let logarithms: f64 = known.iter().map(|(.., value)| value.ln()).sum();
        let mean = (logarithms / known.len() as f64).exp();
        Some(Self {
            worst: worst.0,
            best: best.0,
            ratio: (best.2 > 0.0).then(|| worst.2 / best.2),
            ratio_at_least: (worst.1.interval().low / best.1.interval().high).max(1.0),
            over_geometric_mean: (mean > 0.0).then(|| worst.2 / mean),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(people: [usize; 2], groups: [usize; 2], score: f32) -> GroupedPair {
        GroupedPair { people, groups, score }
    }

    /// Two groups of two people; the second group's people resemble each other.
    fn sample() -> Vec<GroupedPair> {
        vec![
            pair([0, 0], [0, 0], 0.9),
            pair([0, 1], [0, 0], 0.2),
            pair([2, 2], [1, 1], 0.6),
            pair([3, 3], [1, 1], 0.9),
            pair([2, 3], [1, 1], 0.8),
            pair([0, 2], [0, 1], 0.75),
            pair([1, 3], [1, 0], 0.1),
        ]
    }

    #[test]
    fn impostors_are_of_ones_own_group_unless_everybody_is_asked_for() {
        let within = Class::of(&sample(), Impostors::Within);
        assert_eq!(within.iter().map(Class::groups).collect::<Vec<_>>(), [[0, 0], [1, 1]]);
        let at: Vec<_> = within.iter().map(|class| class.at(0.7)).map(|p| (p.fmr, p.fnmr)).collect();
        assert_eq!(at, [(Rate::new(0, 1), Rate::new(0, 1)), (Rate::new(1, 1), Rate::new(1, 2))]);
        assert_eq!(within.iter().map(Class::people).collect::<Vec<_>>(), [2, 2]);

        let all = Class::of(&sample(), Impostors::Everybody);
        let fmr: Vec<_> = all.iter().map(|class| class.at(0.7).fmr).collect();
        // A pair of two groups counts for both, and one person's pairs for nobody twice.
        assert_eq!(fmr, [Rate::new(1, 3), Rate::new(2, 3)]);
        assert_eq!(all.iter().map(|class| class.at(0.7).fnmr).collect::<Vec<_>>(), [Rate::new(0, 1), Rate::new(1, 2)]);

        let everybody = Class::of_everybody(&sample());
        assert_eq!((everybody.people(), everybody.at(0.7).fmr), (4, Rate::new(2, 4)));
    }

    #[test]
    fn a_person_with_and_without_glasses_makes_a_class_across() {
        let (without, with) = (0, 1);
        let pairs = [
            pair([0, 0], [with, without], 0.5),
            pair([0, 1], [without, with], 0.3),
            pair([0, 1], [without, without], 0.1),
        ];
        let classes = Class::of(&pairs, Impostors::Within);
        assert_eq!(classes.iter().map(Class::groups).collect::<Vec<_>>(), [[0, 0], [1, 1], [0, 1]]);
        let across = classes[2].at(0.7);
        assert_eq!((across.fnmr, across.fmr), (Rate::new(1, 1), Rate::new(0, 1)));
        assert_eq!(classes[1].at(0.7).fmr, Rate::default());
    }

    #[test]
    fn a_group_whose_people_resemble_each_other_needs_a_higher_threshold() {
        let [first, second] = &Class::of(&sample(), Impostors::Within)[..] else { panic!() };
        let (easy, hard) = (first.need(0.002), second.need(0.002));
        assert_eq!((easy.threshold, hard.threshold), (Some(0.2f32.next_up()), Some(0.8f32.next_up())));
        assert_eq!((easy.fnmr, hard.fnmr), (Rate::new(0, 1), Rate::new(1, 2)));
        // One pair proves no rate of 2 in 1,000.
        assert!(matches!(hard.confident, Proposal::Unsupported { comparisons: 1, needed: 1497, .. }));
        let alone = Class::of(&[pair([0, 0], [0, 0], 0.9)], Impostors::Within);
        assert_eq!(alone[0].need(0.1).threshold, None);
    }

    #[test]
    fn no_error_is_not_an_interval_of_nothing() {
        let genuine = |person: usize| pair([person, person], [0, 0], 0.9 - 0.05 * person as f32);
        let pairs: Vec<_> = (0..12).map(genuine).collect();
        let [group] = &Class::of(&pairs, Impostors::Within)[..] else { panic!() };
        assert_eq!((group.at(0.1).fnmr, group.at(0.1).fnmr_by_person), (Rate::new(0, 12), None));
        assert!(group.at(0.5).fnmr_by_person.is_some());
    }

    #[test]
    fn worst_against_best_by_hand() {
        let found =
            Disparity::of(&[Rate::new(1, 100), Rate::default(), Rate::new(16, 100), Rate::new(4, 100)]).unwrap();
        assert_eq!((found.worst, found.best), (2, 0));
        assert!((found.ratio.unwrap() - 16.0).abs() < 1e-9);
        // The geometric mean of 0.01, 0.16 and 0.04 is 0.04.
        assert!((found.over_geometric_mean.unwrap() - 4.0).abs() < 1e-9);
        assert!(found.ratio_at_least > 1.0 && found.ratio_at_least < 16.0);
    }

    #[test]
    fn a_class_without_an_error_leaves_the_ratio_open_but_not_its_lower_bound() {
        // Three pairs without an error say less than a thousand without one.
        let found = Disparity::of(&[Rate::new(0, 3), Rate::new(50, 100), Rate::new(0, 1000)]).unwrap();
        assert_eq!((found.best, found.ratio, found.over_geometric_mean), (2, None, None));
        assert!(found.ratio_at_least > 100.0, "{}", found.ratio_at_least);
        // A little more in one small sample shows nothing.
        assert_eq!(Disparity::of(&[Rate::new(4, 400), Rate::new(0, 300)]).unwrap().ratio_at_least, 1.0);
        assert_eq!(Disparity::of(&[Rate::new(0, 3), Rate::new(0, 5)]), None);
        assert_eq!(Disparity::of(&[Rate::new(1, 3), Rate::default()]), None);
    }

    proptest! {
        #[test]
        fn within_and_across_classes_hold_every_genuine_pair_once(
            raw in prop::collection::vec((0usize..4, 0usize..4, 0usize..3, 0usize..3, -1.0f32..1.0), 1..60),
        ) {
            let pairs: Vec<_> = raw.into_iter().map(|(a, b, g, h, score)| pair([a, b], [g, h], score)).collect();
            let genuine = pairs.iter().filter(|p| p.is_genuine()).count();
            for impostors in [Impostors::Within, Impostors::Everybody] {
                let classes = Class::of(&pairs, impostors);
                prop_assert_eq!(classes.iter().map(|c| c.scores().genuine().len()).sum::<usize>(), genuine);
            }
        }

        #[test]
        fn the_ratio_is_never_below_its_lower_bound(
            counts in prop::collection::vec((1u64..500, 0.0f64..=1.0), 2..6),
        ) {
            let rates: Vec<_> = counts.iter().map(|(n, share)| Rate::new((*n as f64 * share) as u64, *n)).collect();
            if let Some(found) = Disparity::of(&rates) {
                prop_assert!(found.ratio.is_none_or(|ratio| ratio >= found.ratio_at_least && ratio >= 1.0));
                prop_assert!(found.over_geometric_mean.is_none_or(|ratio| ratio >= 1.0 - 1e-9));
            }
        }
    }
}
