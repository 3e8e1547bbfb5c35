//! Arrivals through the day: how many in which minutes.

use jiff::Timestamp;
use jiff::civil::Time;

use crate::attendance::AttendancePolicy;

/// Widths of a bin that can be read from an axis, in minutes.
const WIDTHS: [u16; 6] = [5, 10, 15, 20, 30, 60];
/// The most bins that a plot shows without crowding.
const MOST_BINS: u16 = 36;
const MINUTES_OF_A_DAY: usize = 24 * 60;

/// Counts arrivals by the minute of the site's clocks.
///
/// ```
/// use faceattend_core::AttendancePolicy;
/// use faceattend_core::roster::Arrivals;
///
/// let policy = AttendancePolicy::in_time_zone("UTC")?;
/// let mut arrivals = Arrivals::default();
/// for (at, late) in [("2026-03-02T07:58:00Z", false), ("2026-03-02T08:03:00Z", true)] {
///     arrivals.add(&policy, at.parse().expect("a time"), late);
/// }
/// let (minutes, bins) = arrivals.bins();
/// assert_eq!((minutes, bins.len()), (5, 2));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Arrivals {
    in_time: Vec<u64>,
    late: Vec<u64>,
}

/// Arrivals in some minutes.
///
/// ```
/// use faceattend_core::roster::ArrivalBin;
///
/// fn height(bin: &ArrivalBin) -> u64 {
///     bin.in_time + bin.late
/// }
/// # let _ = height;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalBin {
    /// The first minute.
    pub begins: Time,
    /// Arrivals in time.
    pub in_time: u64,
    /// Late ones.
    pub late: u64,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { in_time: vec![0; MINUTES_OF_A_DAY], late: vec![0; MINUTES_OF_A_DAY] }
    }
}

impl Arrivals {
    /// Counts an arrival.
    pub fn add(&mut self, policy: &AttendancePolicy, at: Timestamp, late: bool) {
        let clock = policy.time_zone().to_datetime(at).time();
        let minute = usize::try_from(i32::from(clock.hour()) * 60 + i32::from(clock.minute())).unwrap_or_default();
        let counts = if late { &mut self.late } else { &mut self.in_time };
        if let Some(count) = counts.get_mut(minute) {
            *count += 1;
        }
    }

    /// Returns the width of a bin in minutes, and the bins from the first arrival to the last one without gaps.
    #[must_use]
    pub fn bins(&self) -> (u16, Vec<ArrivalBin>) {
        let some = |minute: &usize| self.in_time[*minute] + self.late[*minute] > 0;
        let minutes = 0..MINUTES_OF_A_DAY;
        let (Some(first), Some(last)) = (minutes.clone().find(some), minutes.rev().find(some)) else {
            return (WIDTHS[0], Vec::new());
        };
        let count_of = |width: u16| last / usize::from(width) - first / usize::from(width) + 1;
        let fits = |width: &u16| count_of(*width) <= usize::from(MOST_BINS);
        let width = WIDTHS.into_iter().find(fits).unwrap_or(WIDTHS[WIDTHS.len() - 1]);
        let step = usize::from(width);
        let bins = (first / step..=last / step).map(|bin| {
            let span = bin * step..((bin + 1) * step).min(MINUTES_OF_A_DAY);
            let minute = i8::try_from(span.start % 60).unwrap_or_default();
            let hour = i8::try_from(span.start / 60).unwrap_or_default();
            ArrivalBin {
                begins: Time::constant(hour, minute, 0, 0),
                in_time: self.in_time[span.clone()].iter().sum(),
                late: self.late[span].iter().sum(),
            }
        });
        (width, bins.collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn arrivals(times: &[(&str, bool)]) -> Arrivals {
        let policy = AttendancePolicy::in_time_zone("Asia/Kolkata").unwrap();
        let mut arrivals = Arrivals::default();
        for (at, late) in times {
            arrivals.add(&policy, at.parse().unwrap(), *late);
        }
        arrivals
    }

    #[test]
    fn bins_are_of_the_sites_clocks_and_have_no_gaps() {
        // 02:20 UTC is 07:50 there.
        let some = arrivals(&[
            ("2026-11-02T02:20:30Z", false),
            ("2026-11-03T02:24:00Z", false),
            ("2026-11-03T02:41:00Z", true),
        ]);
        let (width, bins) = some.bins();
        assert_eq!(width, 5);
        let told: Vec<_> = bins.iter().map(|bin| (bin.begins, bin.in_time, bin.late)).collect();
        assert_eq!(
            told,
            [
                (time(7, 50, 0, 0), 2, 0),
                (time(7, 55, 0, 0), 0, 0),
                (time(8, 0, 0, 0), 0, 0),
                (time(8, 5, 0, 0), 0, 0),
                (time(8, 10, 0, 0), 0, 1),
            ]
        );
        assert_eq!(arrivals(&[]).bins().1, []);
    }

    #[test]
    fn a_long_day_has_wider_bins_and_loses_nobody() {
        let all_day = arrivals(&[("2026-11-02T00:00:00Z", false), ("2026-11-02T18:29:59Z", true)]);
        let (width, bins) = all_day.bins();
        assert!(bins.len() <= usize::from(MOST_BINS) && width > 5, "{width}: {}", bins.len());
        assert_eq!(bins.iter().map(|bin| bin.in_time + bin.late).sum::<u64>(), 2);
    }
}
