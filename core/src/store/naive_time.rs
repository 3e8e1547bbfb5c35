//! Times as the existing service writes them: naive UTC text, so that text order is time order.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// `2026-01-31 09:30:00.250000`: what the existing service writes for a time it took itself. Text of this form and
/// text without a fraction sort together, and both read back.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn to_micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// `2026-01-31 09:30:00`: what the existing service's database writes for `created_at` and `updated_at`.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn to_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A text that sorts before or with every spelling of `at`, and after everything earlier: the fraction is left out
/// when it is zero, because `…:00` sorts before `…:00.000000`.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn to_bound(at: Timestamp) -> String {
    if at.subsec_microsecond() == 0 && at.subsec_millisecond() == 0 { to_seconds(at) } else { to_micros(at) }
}

/// The time that `text` spells: with a space or a `T`, with or without a fraction, and read as UTC when it has no
/// offset.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(with_offset) = text.parse::<Timestamp>() {
        return Some(with_offset);
    }
    let naive: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(naive).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_back() {
        let at: Timestamp = "2026-01-31T09:30:00.25Z".parse().unwrap();
        assert_eq!(to_micros(at), "2026-01-31 09:30:00.250000");
        assert_eq!(parse(&to_micros(at)), Some(at));
        assert_eq!(to_seconds(at), "2026-01-31 09:30:00");
        for text in ["2026-01-31 09:30:00.25", "2026-01-31T09:30:00.250000", "2026-01-31 11:30:00.25+02:00"] {
            assert_eq!(parse(text), Some(at), "{text}");
        }
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn text_order_is_time_order_around_a_bound() {
        let bound: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        let before = to_micros("2026-01-31T09:59:59.999999Z".parse().unwrap());
        for same in [to_micros(bound), to_seconds(bound)] {
            assert!(before < to_bound(bound) && to_bound(bound) <= same, "{same}");
        }
    }
}
