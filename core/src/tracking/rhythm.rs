//! The rhythm of a source: how far apart its pictures are.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// How many of the latest gaps between pictures count: a camera that becomes slow is known to be after three of them,
/// and two that come late change nothing.
const KEPT: usize = 5;
/// How many gaps make a rhythm: one may be a camera that was only just opened.
const LEAST: usize = 2;

/// The latest gaps between the pictures of a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Rhythm {
    last: Option<Timestamp>,
    gaps: VecDeque<SignedDuration>,
}

impl Rhythm {
    /// Takes in that a picture was taken at `now`. A clock that stands still or was set back tells nothing.
    pub(super) fn picture_at(&mut self, now: Timestamp) {
        let Some(gap) = self.last.replace(now).map(|last| now.duration_since(last)) else { return };
        if gap.is_positive() {
            if self.gaps.len() == KEPT {
                self.gaps.pop_front();
            }
            self.gaps.push_back(gap);
        }
    }

    /// Returns the median gap, the lower of two in the middle; `None` before there are enough of them.
    pub(super) fn median(&self) -> Option<SignedDuration> {
        let mut gaps: Vec<_> = self.gaps.iter().copied().collect();
        gaps.sort_unstable();
        if gaps.len() < LEAST { None } else { gaps.get((gaps.len() - 1) / 2).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(gaps: &[i64]) -> Option<i64> {
        let mut rhythm = Rhythm::default();
        let mut now = 0;
        rhythm.picture_at(Timestamp::UNIX_EPOCH);
        for gap in gaps {
            now += gap;
            rhythm.picture_at(Timestamp::from_millisecond(now).unwrap());
        }
        rhythm.median().map(|median| i64::try_from(median.as_millis()).unwrap())
    }

    #[test]
    fn the_rhythm_is_the_median_of_the_latest_gaps() {
        assert_eq!((median(&[]), median(&[5000])), (None, None), "one gap is no rhythm");
        assert_eq!(median(&[3000, 200]), Some(200));
        assert_eq!(median(&[200, 200, 200, 200, 200, 4000, 4000]), Some(200), "two late pictures");
        assert_eq!(median(&[200, 200, 200, 200, 200, 2000, 2000, 2000]), Some(2000));
        assert_eq!(median(&[1000, 1000, -500, 0, 1000]), Some(1000), "a clock that was set back");
    }
}
