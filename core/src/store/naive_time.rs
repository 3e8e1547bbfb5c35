//! Times as the existing service writes them: naive UTC text, so that text order is time order.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Everything that this module does with a text and with a time, for fuzzing: the time that the text spells, and the
/// spellings of a time to the microsecond, in whole seconds, and as a bound.
#[cfg(feature = "sqlite")]
#[must_use]
pub fn read_and_spelled(text: &str) -> Option<(Timestamp, [String; 3])> {
    let at = parse(text)?;
    Some((at, [to_micros(at), to_seconds(at), to_bound(at)]))
}

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
    // The parts of a second before 1970 are counted backwards: the text is asked, and not the time.
    let micros = to_micros(at);
    micros.strip_suffix(".000000").map_or_else(|| micros.clone(), ToOwned::to_owned)
}

/// The time that `text` spells: with a space or a `T`, with or without a fraction, and read as UTC when it has no
/// offset. From the year 1 on, as the existing service has them: text of earlier years would neither sort nor read
/// back.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let at = match text.parse::<Timestamp>() {
        Ok(with_offset) => with_offset,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    (TimeZone::UTC.to_datetime(at).year() >= 1).then_some(at)
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
        assert_eq!(to_seconds(parse("0001-01-01 00:00:00").unwrap()), "0001-01-01 00:00:00");
        for before in ["0000-12-31 23:59:59", "0001-01-01T00:00:00+01:00", "-000001-12-31T22:00:00Z"] {
            assert_eq!(parse(before), None, "{before} could not be written");
        }
    }

    #[test]
    fn a_time_before_1970_keeps_its_fraction_in_a_bound() {
        let at: Timestamp = "1969-12-31T23:59:59.9999999Z".parse().unwrap();
        assert_eq!(to_bound(at), "1969-12-31 23:59:59.999999");
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
