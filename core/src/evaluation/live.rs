//! Live recognition: how near strangers come in a gallery, and how often they are named in the time that they are
//! seen.

use serde::Serialize;

use super::rate::{Interval, Rate};
use crate::tracking::Impostors;

/// So many events in so many minutes.
///
/// ```
/// use faceattend_core::evaluation::live::PerMinute;
///
/// let false_marks = PerMinute { events: 3, minutes: 60.0 };
/// assert_eq!(false_marks.value(), Some(0.05));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PerMinute {
    /// How many events.
    pub events: u64,
    /// In how many minutes.
    pub minutes: f64,
}

/// In how many parts the time is cut for the interval. Events are rare: with so many parts no part holds two.
const PARTS: u64 = 1_000_000;

impl PerMinute {
    /// Returns the events a minute; `None` of no time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn value(self) -> Option<f64> {
        (self.minutes > 0.0).then(|| self.events as f64 / self.minutes)
    }

    /// Returns the 95% interval of the events a minute, if they are independent: Garwood's exact one for a Poisson
    /// rate, as the limit of Clopper and Pearson's for a time in many parts. `None` of no time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    pub fn interval(self) -> Option<Interval> {
        let Interval { low, high } = Rate::new(self.events, PARTS).interval();
        let scale = PARTS as f64 / self.minutes;
        (self.minutes > 0.0).then_some(Interval { low: low * scale, high: high * scale })
    }

    /// Returns both counts added up.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { events: self.events + other.events, minutes: self.minutes + other.minutes }
    }
}

/// `{events, minutes, rate, low, high}`, the last three being `null` of no time.
impl Serialize for PerMinute {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let interval = self.interval();
        let mut fields = serializer.serialize_struct("PerMinute", 5)?;
        fields.serialize_field("events", &self.events)?;
        fields.serialize_field("minutes", &self.minutes)?;
        fields.serialize_field("rate", &self.value())?;
        fields.serialize_field("low", &interval.map(|i| i.low))?;
        fields.serialize_field("high", &interval.map(|i| i.high))?;
        fields.end()
    }
}

/// The upper tails of the normal distribution at which a gallery's comparisons are looked at: spreads above the mean,
/// and the part beyond.
const TAILS: [(f32, f64); 7] = [
    (1.0, 0.158_655),
    (1.5, 0.066_807),
    (2.0, 0.022_750),
    (2.5, 6.209_7e-3),
    (3.0, 1.349_9e-3),
    (3.5, 2.326_3e-4),
    (4.0, 3.167_1e-5),
];
/// The least number of comparisons in a tail that is trusted.
const IN_TAIL: f64 = 10.0;
/// Fewer comparisons than show 2 spreads say nothing of a tail.
pub const NEEDED: usize = 440;

/// Returns how near strangers come by these cosines between two people: their median, and the widest spread that any
/// of the upper tails has which the sample shows, so that a gallery of several groups is not taken for one. `None` of
/// fewer than [`NEEDED`] or of cosines that are all alike.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the sample")]
pub fn impostors_of(mut cosines: Vec<f32>) -> Option<Impostors> {
    if cosines.len() < NEEDED {
        return None;
    }
    cosines.sort_by(f32::total_cmp);
    let from_above = |part: f64| {
        let place = (part * cosines.len() as f64) as usize;
        cosines[cosines.len() - 1 - place.min(cosines.len() - 1)]
    };
    let median = from_above(0.5);
    let shown = TAILS.iter().filter(|(_, part)| part * cosines.len() as f64 >= IN_TAIL);
    let spread = shown.map(|(spreads, part)| (from_above(*part) - median) / spreads).fold(0.0, f32::max);
    Impostors::new(median, spread).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_in_so_many_minutes_is_the_rule_of_three() {
        let none = PerMinute { events: 0, minutes: 60.0 };
        // -ln(0.025) events at most.
        assert!((none.interval().unwrap().high - 3.689 / 60.0).abs() < 1e-4);
        assert_eq!(none.value(), Some(0.0));
        assert_eq!(PerMinute::default().interval(), None);
        // Garwood's interval of 3 events: 0.619 to 8.767.
        let Interval { low, high } = PerMinute { events: 3, minutes: 1.0 }.interval().unwrap();
        assert!((low - 0.6187).abs() < 1e-3 && (high - 8.7673).abs() < 1e-3, "{low} {high}");
    }

    /// Evenly spaced quantiles of a normal distribution, by halving its distribution function's well-known
    /// approximation (Abramowitz and Stegun 26.2.23, exact to 4.5e-4).
    fn normal(count: usize, mean: f32, spread: f32) -> Vec<f32> {
        let quantile = |p: f32| {
            let tail = p.min(1.0 - p);
            let t = (-2.0 * tail.ln()).sqrt();
            let z = t
                - (2.515_517 + t * (0.802_853 + t * 0.010_328))
                    / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
            if p < 0.5 { -z } else { z }
        };
        (0..count).map(|i| mean + spread * quantile((i as f32 + 0.5) / count as f32)).collect()
    }

    #[test]
    fn a_gallery_of_one_kind_shows_its_mean_and_spread() {
        let impostors = impostors_of(normal(100_000, 0.12, 0.08)).unwrap();
        assert!((impostors.mean() - 0.12).abs() < 0.001 && (impostors.spread() - 0.08).abs() < 0.001, "{impostors:?}");
    }

    #[test]
    fn a_small_group_of_people_who_are_alike_widens_the_spread() {
        let mut cosines = normal(100_000, 0.1, 0.08);
        cosines.extend(normal(2_000, 0.3, 0.08));
        assert!(impostors_of(cosines).unwrap().spread() > 0.1);
    }

    #[test]
    fn too_few_comparisons_say_nothing() {
        assert_eq!(impostors_of(normal(NEEDED - 1, 0.1, 0.08)), None);
        assert_eq!(impostors_of(vec![0.5; 1000]), None);
    }
}
