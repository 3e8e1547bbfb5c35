//! Writes times as the wire has them.

use jiff::Timestamp;

/// Returns a naive UTC time in ISO 8601, with microseconds when there are any.
pub(crate) fn naive_utc(at: Timestamp) -> String {
    // The parts of a second before 1970 are counted backwards: the text is asked, and not the time.
    let text = at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
    text.strip_suffix(".000000").map_or_else(|| text.clone(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_naive_and_show_microseconds_only_when_there_are_any() {
        let at = |nanos| naive_utc(Timestamp::new(1_700_000_000, nanos).unwrap());
        assert_eq!(at(0), "2023-11-14T22:13:20");
        assert_eq!(at(999), "2023-11-14T22:13:20");
        assert_eq!(at(1_000), "2023-11-14T22:13:20.000001");
        assert_eq!(naive_utc(Timestamp::new(0, -100).unwrap()), "1969-12-31T23:59:59.999999");
    }
}
