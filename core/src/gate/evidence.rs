//! The views of one track, gathered, and the verdict that they allow.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::flat_map::{FlatMap, Linear};
use super::fusion::Fusion;
use super::policy::GateOptions;
use super::question::{Answer, Question};
use super::signs::{BLINK, PASSIVE_MOST, Signs};
use super::verdict::{Life, LifeReason, LifeVerdict};
use super::view::{LifeView, lid_gaps};
use crate::embedding::{Calibration, Embedding};
use crate::geometry::Point;
use crate::pose::Pose;
use crate::types::Similarity;

/// How long a view counts. Long enough for two blinks of most people, short enough that a picture that is held for
/// minutes gathers no noise.
const WINDOW: SignedDuration = SignedDuration::from_secs(4);
/// The most views that count: those of the window at ten a second.
const KEPT: usize = 40;
/// The most embeddings that are compared, and the least time between two of them.
const EMBEDDED: usize = 20;
const EMBED_EVERY: SignedDuration = SignedDuration::from_millis(180);
/// Up to which stretch and which change of size, as natural logarithms, two views show a face that is held alike: 8%
/// and 16%. Of pictures in a hand most pairs are within it, and those beyond change by the way in which they are held.
const ALIKE_STRETCH: f64 = 0.08;
const ALIKE_SCALE: f64 = 0.15;
/// The least number of such pairs that say anything.
const LEAST_ALIKE: usize = 3;
/// From which cosine two views are one and the same picture: see `LivenessOptions::frozen`.
const SAME_PICTURE: f32 = 0.999;
/// How many in a row are no accident.
pub(super) const FROZEN: usize = 5;
/// As if so many views had said nothing before the passive check said anything: a few lucky views of a screen do not
/// decide, and many that lean the same way do.
const SILENT_VIEWS: usize = 3;
/// The least number of views that decide, and of those that the passive check judged.
const LEAST_VIEWS: usize = 4;
const LEAST_PASSIVE: usize = 3;
/// The least time that a face is watched before anything is decided, in seconds: what moves needs time to move.
const LEAST_SECONDS: f32 = 1.0;
/// The same where the passive check sees skin and movement speaks for life by so many log-odds. A cut-out looks like
/// skin to the check, and a second shows that it does not move.
const LEAST_WITH_BOTH: f32 = 0.4;
const MOVES: f32 = 1.0;
/// The least time in which movement alone shows that it is a picture.
const LEAST_STILL: f32 = 2.0;

/// The evidence of life that the views of one track give. Begin anew for another face: evidence of one person says
/// nothing of the next.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::gate::{GateOptions, LifeEvidence, LifeVerdict};
///
/// let evidence = LifeEvidence::default();
/// let life = evidence.life(&GateOptions::default());
/// assert_eq!(life.verdict, LifeVerdict::Undecided, "nothing has been seen");
/// ```
#[derive(Debug, Clone, Default)]
pub struct LifeEvidence {
    /// The points of the skull in the first view, into which every later one is mapped.
    first: Vec<Point>,
    /// The root mean square distance of those points from their center.
    size: f32,
    seen: VecDeque<Seen>,
    embedded: VecDeque<Embedded>,
    /// Views in a row that were one picture: by its bytes, or of those that were embedded by the embedding.
    frozen: usize,
    last_picture: Option<u64>,
    signs: Signs,
    asked: Asked,
    /// What the answers say, in log-odds.
    answers: f32,
    /// Whether the views have shown a living person. It stays: the person does not become a picture.
    live: bool,
}

/// What a person has been asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Asked {
    /// The movement that is waited for.
    pub(crate) question: Option<Question>,
    /// How many movements the person was asked for.
    pub(crate) times: usize,
    /// When the last of them was answered.
    pub(crate) answered_at: Option<Timestamp>,
}

/// A view, as one flat map takes it to the first one.
#[derive(Debug, Clone)]
struct Seen {
    at: Timestamp,
    skull: Vec<Point>,
    /// The gaps between the lids of both eyes, in sizes of the face.
    lids: Option<[f32; 2]>,
    stretch: f32,
    scale: f32,
    pose: Option<Pose>,
    passive: Option<f32>,
}

/// An embedded view, and how the face was held.
#[derive(Debug, Clone)]
struct Embedded {
    at: Timestamp,
    embedding: Embedding,
    held: Linear,
}

impl LifeEvidence {
    /// Takes a good view in. `calibration` is that of its embedding's model.
    pub fn add(&mut self, view: &LifeView, calibration: &Calibration, options: &GateOptions) {
        if self.first.len() != view.skull.len() {
            // The engine was replaced: its points are others.
            *self = Self { first: view.skull.clone(), size: spread(&view.skull), ..Self::default() };
        }
        let Some(map) = FlatMap::between(&view.skull, &self.first) else { return };
        let lids = view.lids.map(|lids| lid_gaps(&lids.map(|point| map.apply(point))).map(|gap| gap / self.size));
        let held = map.linear();
        let (stretch, scale) = held.stretch();
        #[expect(clippy::cast_possible_truncation, reason = "logarithms of ratios")]
        let (stretch, scale) = (stretch as f32, scale as f32);
        let passive = view.passive.map(|real| log_odds(real).clamp(-PASSIVE_MOST, PASSIVE_MOST));
        let skull = view.skull.iter().map(|point| map.apply(*point)).collect();
        self.seen.push_back(Seen { at: view.at, skull, lids, stretch, scale, pose: view.pose, passive });
        if let Some(embedding) = &view.embedding {
            let same_bytes = view.picture.is_some() && view.picture == self.last_picture;
            self.embed(Embedded { at: view.at, embedding: embedding.clone(), held }, same_bytes);
        }
        self.last_picture = view.picture;
        // A clock that was set back makes old what was seen before.
        let counts = |at: Timestamp| at <= view.at && view.at.duration_since(at) <= WINDOW;
        self.seen.retain(|seen| counts(seen.at));
        self.embedded.retain(|embedded| counts(embedded.at));
        while self.seen.len() > KEPT {
            self.seen.pop_front();
        }
        self.signs = self.measure(calibration);
        self.hear(view, options);
        self.live |= self.judge(options).0 == LifeVerdict::Live;
    }

    fn embed(&mut self, new: Embedded, same_bytes: bool) {
        if let Some(last) = self.embedded.back() {
            let same = same_bytes || last.embedding.cosine(&new.embedding).is_ok_and(|cosine| cosine.0 >= SAME_PICTURE);
            self.frozen = if same { self.frozen + 1 } else { 0 };
            if new.at > last.at && new.at.duration_since(last.at) < EMBED_EVERY {
                return;
            }
        }
        self.embedded.push_back(new);
        if self.embedded.len() > EMBEDDED {
            self.embedded.pop_front();
        }
    }

    /// Asks for a movement, drawn by `random`. Nothing is asked before the first view, and of a face without a pose.
    pub(crate) fn ask(&mut self, random: u128, options: &GateOptions, now: Timestamp) {
        let poses: Vec<Pose> = self.seen.iter().filter_map(|seen| seen.pose).collect();
        let follows_pitch = self.seen.back().is_some_and(|seen| seen.lids.is_some());
        self.asked.question = Question::draw(random, follows_pitch, &poses, options.mirrored, now);
        self.asked.times += usize::from(self.asked.question.is_some());
    }

    /// Waits for no answer any more.
    pub(crate) fn drop_question(&mut self) {
        self.asked.question = None;
    }

    /// Returns what the person has been asked for.
    pub(crate) fn asked(&self) -> Asked {
        self.asked
    }

    fn hear(&mut self, view: &LifeView, options: &GateOptions) {
        let (Some(question), Some(pose)) = (&mut self.asked.question, &view.pose) else { return };
        if let Answer::Right(says) | Answer::Wrong(says) = question.see(pose, options.mirrored, view.at) {
            self.answers += says;
            (self.asked.question, self.asked.answered_at) = (None, Some(view.at));
        }
    }

    /// Returns the signs of life so far.
    #[must_use]
    pub fn signs(&self) -> &Signs {
        &self.signs
    }

    /// Returns what the views show.
    #[must_use]
    pub fn life(&self, options: &GateOptions) -> Life {
        let (verdict, log_odds, reason) = self.judge(options);
        if self.live && verdict != LifeVerdict::Live {
            return Life { verdict: LifeVerdict::Live, log_odds: log_odds.max(options.live_from), reason: None };
        }
        Life { verdict, log_odds, reason }
    }

    fn judge(&self, options: &GateOptions) -> (LifeVerdict, f32, Option<LifeReason>) {
        let signs = &self.signs;
        if signs.frozen >= FROZEN {
            return (LifeVerdict::Spoof, options.spoof_below, Some(LifeReason::Frozen));
        }
        let passive_rules = signs.passive_views >= LEAST_PASSIVE;
        let log_odds = Fusion::MEASURED.log_odds(signs) + self.answers;
        if signs.views < if passive_rules { LEAST_PASSIVE } else { LEAST_VIEWS } {
            return (LifeVerdict::Undecided, 0.0, Some(LifeReason::FewViews));
        }
        // One step may be an accident (1 of 280 was), two in a row were none.
        let stands = signs.frozen >= 2;
        let reason = if stands {
            LifeReason::Frozen
        } else if signs.passive.is_some_and(|passive| passive < 0.0) {
            LifeReason::PassiveLow
        } else if self.asked.times > 0 && self.answers <= 0.0 {
            LifeReason::Unanswered
        } else {
            LifeReason::LittleMovement
        };
        // A passive check that has judged too few views yet is waited for, and so is movement.
        let both = passive_rules && Fusion::MEASURED.movement(signs) >= MOVES;
        let least = if both { LEAST_WITH_BOTH } else { LEAST_SECONDS };
        let waits = (signs.passive_views > 0 && !passive_rules) || signs.seconds < least;
        if log_odds >= options.live_from && !waits && !stands {
            (LifeVerdict::Live, log_odds, None)
        } else if log_odds <= options.spoof_below && signs.seconds >= if passive_rules { least } else { LEAST_STILL } {
            (LifeVerdict::Spoof, log_odds, Some(reason))
        } else {
            (LifeVerdict::Undecided, log_odds, Some(reason))
        }
    }

    fn measure(&self, calibration: &Calibration) -> Signs {
        let seen = || self.seen.iter();
        let seconds = match (self.seen.front(), self.seen.back()) {
            (Some(first), Some(last)) => last.at.duration_since(first.at).as_secs_f32(),
            _ => 0.0,
        };
        let scales: Vec<f32> = seen().map(|s| s.scale).collect();
        let passive: Vec<f32> = seen().filter_map(|s| s.passive).collect();
        #[expect(clippy::cast_precision_loss, reason = "tens of views")]
        let mean = passive.iter().sum::<f32>() / (passive.len() + SILENT_VIEWS) as f32;
        Signs {
            seconds,
            views: self.seen.len(),
            residual: quantile(self.residuals(), 0.9),
            stretch: quantile(seen().map(|s| s.stretch).collect(), 0.95),
            scale: quantile(scales.clone(), 0.95) - quantile(scales, 0.05),
            lid_dip: self.lid_dip(),
            change: self.change(calibration),
            passive: (!passive.is_empty()).then_some(mean),
            passive_views: passive.len(),
            frozen: self.frozen,
        }
    }

    /// Returns how far each view's skull lies from the mean of all, in sizes of the face.
    #[expect(clippy::cast_precision_loss, reason = "hundreds of points")]
    fn residuals(&self) -> Vec<f32> {
        let count = self.seen.len().max(1) as f32;
        let mut mean = vec![Point::default(); self.first.len()];
        for seen in &self.seen {
            for (sum, point) in mean.iter_mut().zip(&seen.skull) {
                (sum.x, sum.y) = (sum.x + point.x / count, sum.y + point.y / count);
            }
        }
        let from_mean = |seen: &Seen| {
            let squares = seen.skull.iter().zip(&mean).map(|(p, m)| p.distance(*m).powi(2)).sum::<f32>();
            (squares / mean.len().max(1) as f32).sqrt() / self.size
        };
        self.seen.iter().map(from_mean).collect()
    }

    fn lid_dip(&self) -> Option<f32> {
        let usual: [f32; 2] = [0, 1]
            .map(|eye| quantile(self.seen.iter().filter_map(|seen| seen.lids.map(|lids| lids[eye])).collect(), 0.5));
        if !(usual[0] > 0.0 && usual[1] > 0.0) {
            return None;
        }
        // Both eyes close together: the one that is more open counts.
        let open: Vec<(Timestamp, f32)> = self
            .seen
            .iter()
            .filter_map(|seen| seen.lids.map(|lids| (seen.at, (lids[0] / usual[0]).max(lids[1] / usual[1]))))
            .collect();
        let dip = |at: usize| {
            let near =
                |other: &&(Timestamp, f32)| open[at].0.duration_since(other.0).as_secs_f32().abs() <= BLINK / 2.0;
            let widest = |views: &[(Timestamp, f32)]| views.iter().filter(near).map(|v| v.1).fold(f32::NAN, f32::max);
            widest(&open[..at]).min(widest(&open[at + 1..])) - open[at].1
        };
        // Before and after must have been seen: a minimum with what is no number is the other one.
        let inside = 1..open.len().saturating_sub(1);
        Some(inside.map(dip).filter(|dip| dip.is_finite()).fold(0.0, f32::max))
    }

    fn change(&self, calibration: &Calibration) -> Option<f32> {
        let unit = 1.0 - calibration.cosine(Similarity::new(0.7)).0;
        let mut distances = Vec::new();
        for (n, one) in self.embedded.iter().enumerate() {
            let alike = self.embedded.iter().skip(n + 1).filter(|other| {
                one.held.after_inverse_of(&other.held).is_some_and(|between| {
                    let (stretch, scale) = between.stretch();
                    stretch < ALIKE_STRETCH && scale.abs() < ALIKE_SCALE
                })
            });
            distances.extend(alike.filter_map(|other| one.embedding.cosine(&other.embedding).ok()).map(|c| 1.0 - c.0));
        }
        (distances.len() >= LEAST_ALIKE).then(|| quantile(distances, 0.95) / unit)
    }
}

/// Returns the root mean square distance of points from their center.
#[expect(clippy::cast_precision_loss, reason = "hundreds of points")]
fn spread(points: &[Point]) -> f32 {
    let count = points.len().max(1) as f32;
    let center =
        Point::new(points.iter().map(|p| p.x).sum::<f32>() / count, points.iter().map(|p| p.y).sum::<f32>() / count);
    (points.iter().map(|p| p.distance(center).powi(2)).sum::<f32>() / count).sqrt()
}

/// Returns the value at this part of the sorted values, between two of them in proportion; 0 of none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among tens of values"
)]
fn quantile(mut values: Vec<f32>, part: f32) -> f32 {
    values.sort_by(f32::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let place = part * last as f32;
    let (low, rest) = (place as usize, place.fract());
    values[low] + rest * (values[(low + 1).min(last)] - values[low])
}

fn log_odds(probability: f32) -> f32 {
    let p = probability.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}
