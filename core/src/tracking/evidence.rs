//! The evidence that the views of one face give together.
//!
//! A face is judged by the mean of its views and not by the best one. With every view the mean comes nearer to the
//! templates of the same person, and stays as far from everybody else's as a single view is. So a stranger who waits
//! gets no new chance with every view; the small movement of the mean that remains is counted
//! ([`Impostors::surprise`]).

use crate::embedding::Embedding;
use crate::error::Result;
use crate::gallery::{Gallery, Match};
use crate::types::{StudentId, Threshold};

use super::decision::Ambiguity;
use super::impostors::{Impostors, bound};
use super::options::TrackingOptions;

/// Views in a row that show another face, before the face that a track is known as has gone: one more than decide, so
/// that a turned head does not lose its name.
const DOUBTS: usize = 3;
/// The same before anything is decided: the first view may have been a bad one.
const FALSE_STARTS: usize = 2;
/// From this similarity to the mean of the views before it a view shows the same face.
const SAME_FACE: Threshold = Threshold::ACROSS_TURNS;
/// A name is kept while the evidence for it is at least this part of what gave it, so that it does not flicker.
const KEPT: f32 = 0.5;
/// A face that is nearly somebody's is looked at again with every picture: so much below the threshold, on the
/// similarity scale. Of genuine pairs that miss the threshold most lie within it.
const PROMISING: f32 = 0.08;
/// How many people are looked at: the best, the next, and other records of the same person.
const NEAREST: usize = 8;
/// From this cosine between two people's means their records hold the same pictures, and the older one's name is given:
/// somebody who was imported twice. It is far above what one person's pictures of different days reach with the default
/// pack: of 14 people, two means of three pictures each had cosines of 0.75 to 0.92. So no look-alike reaches it unless
/// somebody gave one person's pictures to both. Twins stay nobody, as do two records of one person with pictures of
/// their own, until they are merged: a wrong name is worse than none.
const SAME_PICTURES: f32 = 0.99;
/// The number of views after which another one adds nothing, promising or not.
const EXHAUSTED: usize = 30;

/// The views of one face, and what they say.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    gathered: Gathered,
    /// The last views, all in a row, that do not resemble those gathered, with their weights.
    apart: Vec<(Embedding, f32)>,
    /// How many views that do not resemble those gathered named somebody else.
    against: usize,
    /// How many good views there were.
    views: usize,
    /// Whether the mean is near to somebody.
    promising: bool,
    known: Option<Match>,
    /// Between whom the views cannot be told apart.
    ambiguity: Option<Ambiguity>,
}

/// What a view said of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It shows the same face.
    Same,
    /// It shows another face, which may have been a bad view.
    Apart,
    /// Another face has taken the place of the one before: the evidence begins anew.
    Anew,
}

/// The weighted mean of the views that resemble each other.
#[derive(Debug, Clone, Default)]
struct Gathered {
    /// The sum of the views, each times its weight.
    sum: Vec<f32>,
    /// The sum's direction; `None` of no view.
    mean: Option<Embedding>,
    views: usize,
    weight: f32,
    /// How far the mean has traveled from the first view, in radians.
    path: f32,
}

impl Gathered {
    fn add(&mut self, view: &Embedding, weight: f32) {
        self.sum.resize(view.values().len(), 0.0);
        for (total, value) in self.sum.iter_mut().zip(view.values()) {
            *total += weight * value;
        }
        // Views that cancel each other out have no mean; the one before holds. Those gathered resemble each other, so
        // it does not happen.
        if let Ok(mean) = Embedding::from_raw(view.model().clone(), &self.sum) {
            if let Some(before) = &self.mean {
                self.path += angle(before, &mean);
            }
            self.mean = Some(mean);
        }
        self.views += 1;
        self.weight += weight;
    }

    fn resembles(&self, view: &Embedding, gallery: &Gallery) -> Result<bool> {
        self.resembles_from(SAME_FACE, view, gallery)
    }

    fn resembles_from(&self, threshold: Threshold, view: &Embedding, gallery: &Gallery) -> Result<bool> {
        let Some(mean) = &self.mean else { return Ok(true) };
        Ok(threshold.admits(gallery.embedder().calibration.similarity(mean.cosine(view)?)))
    }
}

impl Evidence {
    /// Returns whose face it is, if that is decided.
    pub(super) fn known(&self) -> Option<&Match> {
        self.known.as_ref()
    }

    /// Returns between whom the views cannot be told apart.
    pub(super) fn ambiguity(&self) -> Option<Ambiguity> {
        self.ambiguity
    }

    /// Returns the mean of at least `agreeing` views that show one face and are near to nobody; `None` otherwise.
    pub(super) fn stranger(&self, agreeing: usize) -> Option<&Embedding> {
        let is_sure = self.known.is_none() && !self.promising && !self.in_doubt() && self.gathered.views >= agreeing;
        self.gathered.mean.as_ref().filter(|_| is_sure)
    }

    /// Returns how many good views there were.
    pub(super) fn views(&self) -> usize {
        self.views
    }

    /// Returns whether the last view did not show the face of those before it.
    pub(super) fn in_doubt(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Returns whether the views so far are near to somebody, and more of them may decide.
    pub(super) fn is_promising(&self) -> bool {
        self.promising && self.views < EXHAUSTED
    }

    /// Returns whether a view shows the face of those before it so surely that a template like it would be named: what
    /// is asked after the face was away for long enough that another may have come.
    pub(super) fn surely_shows(&self, view: &Embedding, gallery: &Gallery, threshold: Threshold) -> Result<bool> {
        let threshold = if threshold.value() > SAME_FACE.value() { threshold } else { SAME_FACE };
        self.gathered.resembles_from(threshold, view, gallery)
    }

    /// Takes a good view in, which weighs `weight` in [0, 1], and decides anew.
    pub(super) fn add(
        &mut self,
        view: &Embedding,
        weight: f32,
        gallery: &Gallery,
        threshold: Threshold,
        options: &TrackingOptions,
    ) -> Result<Taken> {
        self.views += 1;
        let weight = weight.clamp(0.01, 1.0);
        let taken = if !self.gathered.resembles(view, gallery)? {
            self.apart.push((view.clone(), weight));
            let enough = if self.known.is_some() { DOUBTS } else { FALSE_STARTS };
            if self.apart.len() < enough {
                let named = gallery.search(view, 1)?.into_iter().next();
                self.against += usize::from(named.is_some_and(|best| threshold.admits(best.similarity)));
                return Ok(Taken::Apart);
            }
            self.begin_anew(gallery)?;
            Taken::Anew
        } else {
            self.apart.clear();
            self.gathered.add(view, weight);
            Taken::Same
        };
        self.decide(gallery, threshold, options)?;
        Ok(taken)
    }

    /// Begins with the last views, which show another face: what the face before it was seen as says nothing of this
    /// one. The way goes on, so that a face that looks now so and now so is not given its chances again.
    fn begin_anew(&mut self, gallery: &Gallery) -> Result<()> {
        let apart = std::mem::take(&mut self.apart);
        let path = match (&self.gathered.mean, apart.last()) {
            (Some(before), Some((view, _))) => self.gathered.path + angle(before, view),
            _ => self.gathered.path,
        };
        *self = Self { views: apart.len(), gathered: Gathered { path, ..Gathered::default() }, ..Self::default() };
        for (view, weight) in apart.iter().rev() {
            if self.gathered.resembles(view, gallery)? {
                self.gathered.add(view, *weight);
            }
        }
        Ok(())
    }

    fn decide(&mut self, gallery: &Gallery, threshold: Threshold, options: &TrackingOptions) -> Result<()> {
        self.ambiguity = None;
        let Some(mean) = &self.gathered.mean else { return Ok(()) };
        let matches = gallery.search(mean, NEAREST)?;
        let Some(best) = matches.first().copied() else {
            self.known = None;
            return Ok(());
        };
        self.promising = best.similarity.value() >= threshold.value() - PROMISING;
        let impostors = options.impostors.unwrap_or_else(|| Impostors::of(&gallery.embedder().calibration));
        let surprise = |found: &Match| Impostors::surprise(impostors.deviations(found.cosine), self.gathered.path);
        let bound = bound(gallery.people(), options.false_names);
        let admits = |found: &Match| threshold.admits(found.similarity) && surprise(found) >= bound;
        let Nearest { older, twice, rival } = Nearest::of(&matches, gallery, admits);
        let margin = older.similarity.value() - rival.map_or(0.0, |rival| rival.similarity.value());
        let enough = self.gathered.views >= options.agreeing
            && self.gathered.weight >= options.agreeing_weight
            && self.gathered.views > 2 * self.against;
        if enough && admits(&older) {
            let named = (margin >= options.min_margin).then_some(older.student);
            let second = if named.is_some() { twice } else { rival };
            self.ambiguity = second.map(|second| Ambiguity { best: older, second, named });
            if named.is_some() {
                self.known = Some(older);
                return Ok(());
            }
        }
        let of = |student: StudentId| matches.iter().find(|found| found.student == student);
        self.known = self.known.and_then(|known| {
            let now = of(known.student)?;
            (now.student == older.student && surprise(now) >= KEPT * bound).then_some(*now)
        });
        Ok(())
    }
}

/// The people nearest to a mean, where records of one person count as one.
struct Nearest {
    /// The nearest person: the oldest of the records that hold the same pictures.
    older: Match,
    /// Another record with the same pictures.
    twice: Option<Match>,
    /// The nearest of all others.
    rival: Option<Match>,
}

impl Nearest {
    /// Returns them for `matches`, the nearest first and at least one.
    fn of(matches: &[Match], gallery: &Gallery, admits: impl Fn(&Match) -> bool) -> Self {
        let best = matches[0];
        // Only who may be named is worth the comparison.
        let is_twice = |found: &Match| {
            let alike = || gallery.alike(best.student, found.student).map(|(_, cosine)| cosine.0);
            admits(found) && alike().is_some_and(|cosine| cosine >= SAME_PICTURES)
        };
        let (mut twice, others): (Vec<Match>, Vec<Match>) = matches[1..].iter().partition(|found| is_twice(found));
        twice.push(best);
        twice.sort_by_key(|found| found.student);
        let (older, twice) = (twice[0], twice.get(1).copied());
        // Where all of the list is one person, the next one is unknown: nobody is told apart from the last of it.
        let all = others.is_empty() && matches.len() == NEAREST;
        let rival = if all { matches.last().copied() } else { others.first().copied() };
        Self { older, twice, rival }
    }
}

/// Returns the angle between two embeddings, in radians: by the chord, since the cosine of small angles is 1 in an
/// `f32`.
fn angle(a: &Embedding, b: &Embedding) -> f32 {
    let square: f32 = a.values().iter().zip(b.values()).map(|(a, b)| (a - b) * (a - b)).sum();
    2.0 * (square.sqrt() / 2.0).min(1.0).asin()
}
