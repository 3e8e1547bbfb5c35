//! Whether a camera is too slow: people leave it unnamed, because it shows them too seldom.

use jiff::SignedDuration;

use super::report::RecognitionReport;
use crate::attendance::Marking;
use crate::gate::LifeVerdict;
use crate::tracking::TrackingOptions;

/// Whether somebody was lost to the slowness of one camera since it last named somebody.
#[derive(Debug, Default)]
pub(super) struct Slowness {
    has_lost: bool,
}

impl Slowness {
    /// Takes in a picture: what is reported of it, how many faces have left with too few views to be named, and the
    /// time between the pictures. Returns that time where the camera is too slow.
    pub(super) fn add(
        &mut self,
        report: &RecognitionReport,
        cut_short: usize,
        apart: Option<SignedDuration>,
        options: &TrackingOptions,
    ) -> Option<SignedDuration> {
        let is_quick = apart.is_some_and(|apart| !options.is_slow(apart));
        let has_marked = report.marks.iter().any(|mark| matches!(mark, Marking::Marked(_)));
        if is_quick || has_marked || !report.admitted.is_empty() {
            self.has_lost = false;
        }
        // Somebody has to look: too few pictures showed that the person is alive.
        let undecided = report.second_looks.iter().any(|look| look.life.verdict == LifeVerdict::Undecided);
        // Before the third picture nobody knows whether it is slow.
        self.has_lost |= !is_quick && (cut_short > 0 || undecided);
        apart.filter(|_| self.has_lost)
    }
}
