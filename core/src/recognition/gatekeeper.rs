//! Decides, for each person whom a camera recognizes, whether to mark, to wait for signs of life, or to hand the
//! sighting over to a person.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::report::Sighting;
use crate::gate::{Asked, GateOptions, GatePolicy, Life, LifeReason, LifeVerdict};
use crate::tracking::{TrackId, Watch};
use crate::types::{Similarity, StudentId};

/// What is done with a person who is recognized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admission {
    /// The person is marked.
    Mark,
    /// The next views may show life.
    Wait,
    /// They may do so sooner when the person is asked for a movement.
    Ask,
    /// The time is over: somebody has to look.
    SecondLook(Sighting),
    /// Somebody has been asked to look.
    HandedOver,
}

/// How many movements a person is asked for at most: the first one may have been misheard.
const QUESTIONS: usize = 2;

/// The people whom one camera recognizes and who have not shown to be alive.
#[derive(Debug)]
pub(super) struct Gatekeeper {
    options: GateOptions,
    waiting: BTreeMap<TrackId, Waiting>,
    /// Whose place in a track somebody else has taken before the wait was over.
    displaced: Vec<Sighting>,
}

#[derive(Debug)]
struct Waiting {
    since: Timestamp,
    /// As it was seen last.
    sighting: Sighting,
    /// Whether the wait is over.
    is_over: bool,
    is_suspected: bool,
}

impl Waiting {
    fn new(sighting: Sighting) -> Self {
        Self { since: sighting.at, sighting, is_over: false, is_suspected: false }
    }
}

impl Gatekeeper {
    pub(super) fn new(options: GateOptions) -> Self {
        Self { options, waiting: BTreeMap::new(), displaced: Vec::new() }
    }

    /// Decides about a person whose views say this of life.
    pub(super) fn admit(
        &mut self,
        track: TrackId,
        (student, similarity): (StudentId, Similarity),
        life: Life,
        asked: Asked,
        now: Timestamp,
    ) -> Admission {
        if self.options.policy == GatePolicy::Off {
            return Admission::Mark;
        }
        if life.verdict == LifeVerdict::Live {
            self.waiting.remove(&track);
            return Admission::Mark;
        }
        let sighting = Sighting { track, student, similarity, life, at: now };
        let waiting = self.waiting.entry(track).or_insert_with(|| Waiting::new(sighting));
        if waiting.sighting.student != student {
            // The views show somebody else now.
            if !waiting.is_over && self.options.policy.marks_the_living_alone() {
                self.displaced.push(waiting.sighting);
            }
            *waiting = Waiting::new(sighting);
        }
        waiting.sighting = sighting;
        // Whoever has answered is watched as long again.
        let from = asked.answered_at.map_or(waiting.since, |answered| answered.max(waiting.since));
        let open = asked.question.filter(|question| now.duration_since(question.asked_at) < self.options.answer_within);
        // A clock that was set back has no one wait for hours.
        let is_over = now < waiting.since || open.is_none() && now.duration_since(from) >= self.options.wait;
        let was_over = waiting.is_over;
        waiting.is_over |= is_over;
        match (self.options.policy, was_over, is_over) {
            (GatePolicy::Off | GatePolicy::Observe, ..) => Admission::Mark,
            (GatePolicy::Require | GatePolicy::Ask, true, _) => Admission::HandedOver,
            (GatePolicy::Require | GatePolicy::Ask, false, true) => Admission::SecondLook(sighting),
            (GatePolicy::Ask, false, false)
                if asked.question.is_none()
                    && asked.times < QUESTIONS
                    && now.duration_since(from) >= self.options.ask_after =>
            {
                Admission::Ask
            }
            (GatePolicy::Require | GatePolicy::Ask, false, false) => Admission::Wait,
        }
    }

    /// Returns whether this is the first time that a track is suspected to show a picture. Whoever only stands still
    /// may move once asked.
    pub(super) fn suspects(&mut self, track: TrackId) -> bool {
        let Some(waiting) = self.waiting.get_mut(&track) else { return false };
        let stillness =
            matches!(waiting.sighting.life.reason, Some(LifeReason::LittleMovement | LifeReason::Unanswered));
        if self.options.policy == GatePolicy::Ask && stillness && !waiting.is_over {
            return false;
        }
        waiting.sighting.life.verdict == LifeVerdict::Spoof && !std::mem::replace(&mut waiting.is_suspected, true)
    }

    /// Returns how closely a track is watched for signs of life: its person has not shown any yet.
    pub(super) fn watch(&self, track: TrackId) -> Watch {
        match (self.waiting.get(&track), self.options.policy) {
            (None, _) | (_, GatePolicy::Off) => Watch::No,
            (Some(waiting), _) if !waiting.is_over => Watch::Closely,
            (Some(_), GatePolicy::Observe) => Watch::No,
            (Some(_), GatePolicy::Require | GatePolicy::Ask) => Watch::NowAndThen,
        }
    }

    /// Returns the people who have left before the wait was over, if they had to wait, and forgets all who have left.
    pub(super) fn left(&mut self, is_followed: impl Fn(TrackId) -> bool) -> Vec<Sighting> {
        let mut left = std::mem::take(&mut self.displaced);
        let had_to_wait = self.options.policy.marks_the_living_alone();
        self.waiting.retain(|track, waiting| {
            let stays = is_followed(*track);
            if !stays && !waiting.is_over && had_to_wait {
                left.push(waiting.sighting);
            }
            stays
        });
        left
    }
}
