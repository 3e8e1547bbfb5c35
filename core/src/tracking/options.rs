//! Options of tracking and of the decision by views.

use jiff::SignedDuration;

use crate::error::{Error, Result};

use super::impostors::Impostors;

/// Options of tracking and of the decision by views. The defaults without another source are choices for cameras of
/// about five analyzed frames a second, not measurements.
///
/// ```
/// use faceattend_core::tracking::TrackingOptions;
///
/// // Name a stranger in one of 10,000 stays at most, by at least four good views.
/// let strict = TrackingOptions::default().with_false_names(1e-4)?.with_agreeing(4);
/// assert_eq!(strict.agreeing, 4);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TrackingOptions {
    /// From which overlap (IoU) a box continues a track. Default 0.3, the customary gate of IoU trackers (SORT).
    pub min_iou: f32,
    /// The largest step, in box widths, by which a track continues without enough overlap. The step is measured
    /// between the centers, from the predicted place, and the sizes have to be within a factor of two. Default 0.75.
    pub max_step: f32,
    /// The same for a face that was seen once, so that nobody knows where it is going. Default 2: somebody who walks
    /// across the picture at 1.4 m/s goes 28 cm in a fifth of a second, 1.75 widths of a face. With 0.75, of 18 people
    /// who did, 5 were lost before their second view.
    pub max_first_step: f32,
    /// After how long unseen a track ends. Default one second: a face turned away or hidden for a moment. A source
    /// whose pictures are more than half as far apart has longer: two and a half of its gaps, so that one picture may
    /// miss the face, up to [`longest_gap`](Self::longest_gap). Whoever is seen after more than `max_gap` has to be
    /// recognized as the face of the views before, or is taken for somebody new.
    pub max_gap: SignedDuration,
    /// The most that a slow source makes of it. Default 10 s: two pictures that are further apart show two visits. The
    /// same as `max_gap` for a gap that follows no source.
    pub longest_gap: SignedDuration,
    /// How many good views have to show the same face before anybody is named. Default 2, so that one lucky frame
    /// marks nobody. Each more costs a view, a fifth of a second at five pictures a second.
    pub agreeing: usize,
    /// How much these views have to weigh together, where a sharp, large view from the front weighs 1 and a small,
    /// blurred or turned one down to 0.2. Default 1: two good views do, poor ones have to be three or four.
    pub agreeing_weight: f32,
    /// By how much the best person must be more similar to the mean of the views than the second, on the similarity
    /// scale. Default 0.02.
    pub min_margin: f32,
    /// The share of strangers that may be named as somebody who is enrolled, however long they stay. With the number
    /// of templates it sets how much evidence names somebody ([`bound`](super::bound)). Default 0.001.
    pub false_names: f32,
    /// How near strangers come to those who are enrolled. Default: as the embedder's calibration says
    /// ([`Impostors::of`]). `faceattend calibrate --live` measures it in a gallery.
    pub impostors: Option<Impostors>,
}

impl Default for TrackingOptions {
    fn default() -> Self {
        Self {
            min_iou: 0.3,
            max_step: 0.75,
            max_first_step: 2.0,
            max_gap: SignedDuration::from_secs(1),
            longest_gap: SignedDuration::from_secs(10),
            agreeing: 2,
            agreeing_weight: 1.0,
            min_margin: 0.02,
            false_names: 0.001,
            impostors: None,
        }
    }
}

impl TrackingOptions {
    /// Returns the same options with other gates for continuing a track: overlap, step in box widths, and time
    /// unseen.
    #[must_use]
    pub fn with_gates(mut self, min_iou: f32, max_step: f32, max_gap: SignedDuration) -> Self {
        (self.min_iou, self.max_step, self.max_gap) = (min_iou, max_step, max_gap);
        self
    }

    /// Returns the same options, where a slow source makes at most so much of the time unseen.
    #[must_use]
    pub fn with_longest_gap(mut self, gap: SignedDuration) -> Self {
        self.longest_gap = gap;
        self
    }

    /// Returns the time unseen after which a track ends, for a source whose pictures are so far apart.
    pub(super) fn gap_at(&self, rhythm: Option<SignedDuration>) -> SignedDuration {
        match rhythm {
            Some(apart) if self.is_slow(apart) => {
                apart.saturating_mul(5).checked_div(2).unwrap_or(apart).min(self.longest_gap).max(self.max_gap)
            }
            _ => self.max_gap,
        }
    }

    /// Returns whether a track would not outlive one picture that misses its face.
    pub(crate) fn is_slow(&self, apart: SignedDuration) -> bool {
        apart.saturating_mul(2) > self.max_gap
    }

    /// Returns the same options with another step, in box widths, for a face that was seen once.
    #[must_use]
    pub fn with_max_first_step(mut self, step: f32) -> Self {
        self.max_first_step = step;
        self
    }

    /// Returns the same options, deciding by at least so many good views of one face.
    #[must_use]
    pub fn with_agreeing(mut self, views: usize) -> Self {
        self.agreeing = views;
        self
    }

    /// Returns the same options, deciding by views that weigh so much together.
    #[must_use]
    pub fn with_agreeing_weight(mut self, weight: f32) -> Self {
        self.agreeing_weight = weight;
        self
    }

    /// Returns the same options with another margin to the second-best person.
    #[must_use]
    pub fn with_min_margin(mut self, margin: f32) -> Self {
        self.min_margin = margin;
        self
    }

    /// Returns the same options with another share of strangers that may be named.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless `rate` is above 0 and below 1.
    pub fn with_false_names(mut self, rate: f32) -> Result<Self> {
        if !(rate > 0.0 && rate < 1.0) {
            let reason = format!("{rate} is not above 0 and below 1; one stranger in a thousand is 0.001");
            return Err(Error::invalid_input("rate of false names", reason));
        }
        self.false_names = rate;
        Ok(self)
    }

    /// Returns the same options with strangers that come so near.
    #[must_use]
    pub fn with_impostors(mut self, impostors: Impostors) -> Self {
        self.impostors = Some(impostors);
        self
    }
}
