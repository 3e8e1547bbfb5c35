//! Writes times as the wire has them.

use jiff::Timestamp;

/// Returns a naive UTC time in ISO 8601, with microseconds when there are any.
pub(crate) fn naive_utc(at: Timestamp) -> String {
    let format = if at.subsec_nanosecond() / 1000 == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S.%6f" };
    at.strftime(format).to_string()
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
    }
}
