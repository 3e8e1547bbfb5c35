//! Students of whom a camera takes no notice for a while: whoever stands before it says that they are somebody else.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::types::StudentId;

/// How long a face must be out of view before its student counts again: time to walk away, and no longer, for the
/// student may be the next to come.
const GONE_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Students who are passed over, and when each was in view last.
#[derive(Debug, Default)]
pub(super) struct PassedOver(BTreeMap<StudentId, Timestamp>);

impl PassedOver {
    pub(super) fn add(&mut self, student: StudentId, now: Timestamp) {
        self.0.insert(student, now);
    }

    /// Returns whether the student, who is in view, is passed over.
    pub(super) fn holds(&mut self, student: StudentId, now: Timestamp) -> bool {
        let Some(last) = self.0.get_mut(&student) else { return false };
        // A clock that was set back passes nobody over for hours.
        if now.duration_since(*last).abs() > GONE_AFTER {
            self.0.remove(&student);
            return false;
        }
        *last = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn who_stays_is_passed_over_and_who_comes_back_counts() {
        let (mut passed, student) = (PassedOver::default(), StudentId(1));
        let start = Timestamp::UNIX_EPOCH;
        assert!(!passed.holds(student, start));
        passed.add(student, start);
        assert!((0..60).all(|second| passed.holds(student, start + second.seconds())));
        assert!(!passed.holds(StudentId(2), start + 59.seconds()), "everybody else counts");
        assert!(!passed.holds(student, start + 65.seconds()));
        assert!(!passed.holds(student, start + 66.seconds()), "and goes on to count");
        passed.add(student, start);
        assert!(!passed.holds(student, start - 2.hours()));
    }
}
