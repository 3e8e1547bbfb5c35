//! Times as the existing service writes them: naive UTC text, so that text order is time order.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

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
    plain_time(text.as_bytes()).or_else(|| parse_any(text))
}

fn parse_any(text: &str) -> Option<Timestamp> {
    let at = match text.parse::<Timestamp>() {
        Ok(with_offset) => with_offset,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    (TimeZone::UTC.to_datetime(at).year() >= 1).then_some(at)
}

/// The day that `text` spells.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn parse_day(text: &str) -> Option<Date> {
    plain_day(text.as_bytes()).or_else(|| text.parse().ok())
}

/// The time of `2026-01-31 09:30:00` with a fraction or without, which is how rows have it: a page reads hundreds of
/// thousands of them. `None` for everything else, which may be a time all the same.
fn plain_time(text: &[u8]) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(DAY)?;
    since(midnight(day)?, rest)
}

/// How many bytes of a time are its day.
const DAY: usize = "2026-01-31".len();

/// The moment at which a day begins.
fn midnight(day: &[u8]) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(plain_day(day)?.to_datetime(Time::midnight())).ok()
}

/// The moment ` 09:30:00` after midnight, with a fraction or without.
fn since(midnight: Timestamp, text: &[u8]) -> Option<Timestamp> {
    const NANOS: u32 = 9;
    let [b' ', h, hh, b':', m, mm, b':', s, ss, ref fraction @ ..] = *text else { return None };
    let two = |tens, ones, below| number(&[tens, ones]).filter(|number| *number < below);
    let nanosecond = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=NANOS as usize).contains(&digits.len()) => {
            number(digits)? * 10i32.pow(NANOS - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let second = two(h, hh, 24)? * 3600 + two(m, mm, 60)? * 60 + two(s, ss, 60)?;
    plus(midnight, second, nanosecond)
}

/// A moment and what is added to it. The parts of a second before 1970 are counted backwards.
fn plus(midnight: Timestamp, second: i32, nanosecond: i32) -> Option<Timestamp> {
    let second = midnight.as_second() + i64::from(second);
    Timestamp::new(second, 0).ok()?.checked_add(SignedDuration::from_nanos(nanosecond.into())).ok()
}

/// Times of one day after the other: the day of each is mostly that of the one before.
#[cfg(feature = "sqlite")]
#[derive(Debug, Default)]
pub(super) struct Times {
    day: Option<([u8; DAY], Timestamp)>,
}

#[cfg(feature = "sqlite")]
impl Times {
    /// As [`parse`], of a text that is spelled as the existing service spells it; `None` for every other.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Timestamp> {
        let (day, rest) = text.split_first_chunk::<DAY>()?;
        let begins = match self.day {
            Some((known, begins)) if known == *day => begins,
            _ => {
                let begins = midnight(day)?;
                self.day = Some((*day, begins));
                begins
            }
        };
        since(begins, rest)
    }
}

/// The day of `2026-01-31`, from the year 1 on.
fn plain_day(text: &[u8]) -> Option<Date> {
    let [y, yy, yyy, yyyy, b'-', m, mm, b'-', d, dd] = *text else { return None };
    let year = i16::try_from(number(&[y, yy, yyy, yyyy])?).ok().filter(|year| *year >= 1)?;
    let two = |tens, ones| i8::try_from(number(&[tens, ones])?).ok();
    Date::new(year, two(m, mm)?, two(d, dd)?).ok()
}

/// The number of at most nine digits.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Times, what is nearly one, and what looks like one.
    const SPELLINGS: &str = "[012]?[0-9]{3}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?";

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

    proptest! {
        #[test]
        fn a_plain_time_is_read_as_any_other(text in SPELLINGS) {
            if let Some(plain) = plain_time(text.as_bytes()) {
                prop_assert_eq!(Some(plain), parse_any(&text));
            }
            let day = &text[..text.len().min(10)];
            if let Some(plain) = plain_day(day.as_bytes()) {
                prop_assert_eq!(Ok(plain), day.parse::<Date>().map_err(drop));
            }
        }

        #[test]
        fn a_written_time_is_plain(seconds in -62_135_596_800i64..253_402_300_800, micros in 0..1_000_000i32) {
            let at = Timestamp::new(seconds, 0).unwrap() + jiff::SignedDuration::from_micros(micros.into());
            for text in [to_micros(at), to_seconds(at), to_bound(at)] {
                let plain = plain_time(text.as_bytes());
                prop_assert!(plain.is_some());
                prop_assert_eq!(plain, parse_any(&text));
                #[cfg(feature = "sqlite")]
                prop_assert_eq!(Times::default().read(text.as_bytes()), plain);
            }
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
