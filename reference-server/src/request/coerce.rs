//! Reads numbers, flags and dates as leniently as pydantic 2 does, because existing clients rely on it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

/// The reason why a value is refused: the type and the message of an issue in a 422 answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// The text of `ctx.error`, where the original has one.
    pub(crate) reason: Option<String>,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, message: &str) -> Self {
        Self { kind, message: message.into(), reason: None }
    }
}

/// Reads an integer: `1`, `1.0`, `true`, `"1"`, `" 1 "`, `"+1"`, `"1_000"`, `"1.0"`. A value beyond 64 bits saturates;
/// no row has such an id.
pub(crate) fn integer(value: &Value) -> Result<i64, Refusal> {
    const UNPARSABLE: &str = "Input should be a valid integer, unable to parse string as an integer";
    match value {
        Value::Bool(flag) => Ok(i64::from(*flag)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(integer),
            (None, Some(float)) if float.fract() == 0.0 => Ok(saturated(float)),
            _ => Err(Refusal::new(
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            )),
        },
        Value::String(text) => integer_from(text).ok_or_else(|| Refusal::new("int_parsing", UNPARSABLE)),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Refusal::new("int_type", "Input should be a valid integer"))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond the range saturates, which is what is wanted")]
fn saturated(float: f64) -> i64 {
    float as i64
}

fn integer_from(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let whole = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    let grouped = whole.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !grouped {
        return None;
    }
    let magnitude = whole
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0_i64, |n, b| n.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

/// Reads a finite number, or its text.
pub(crate) fn number(value: &Value) -> Result<f64, Refusal> {
    const UNPARSABLE: &str = "Input should be a valid number, unable to parse string as a number";
    let parsed = match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) => {
            text.trim().replace('_', "").parse().map_err(|_| Refusal::new("float_parsing", UNPARSABLE))?
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(Refusal::new("float_type", "Input should be a valid number"));
        }
    };
    if parsed.is_finite() { Ok(parsed) } else { Err(Refusal::new("finite_number", "Input should be a finite number")) }
}

/// Reads a flag: `true`, `1`, `"yes"`, `"on"` and their opposites.
pub(crate) fn flag(value: &Value) -> Result<bool, Refusal> {
    const UNPARSABLE: &str = "Input should be a valid boolean, unable to interpret input";
    let unparsable = || Refusal::new("bool_parsing", UNPARSABLE);
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            _ => Err(unparsable()),
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
            _ => Err(unparsable()),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Refusal::new("bool_type", "Input should be a valid boolean"))
        }
    }
}

/// Reads a date: `2024-01-31`, the same at midnight, or seconds since 1970 that fall on midnight.
pub(crate) fn date(value: &Value) -> Result<Date, Refusal> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(number) => &number.to_string(),
        _ => return Err(Refusal::new("date_type", "Input should be a valid date")),
    };
    if let Some(date) = plain_date(text) {
        return Ok(date);
    }
    match moment(text) {
        Ok(at) if at.time() == jiff::civil::Time::midnight() => Ok(at.date()),
        Ok(_) => Err(Refusal::new(
            "date_from_datetime_inexact",
            "Datetimes provided to dates should have zero time - e.g. be exact dates",
        )),
        Err(reason) => Err(Refusal {
            kind: "date_from_datetime_parsing",
            message: format!("Input should be a valid date or datetime, {reason}"),
            reason: Some(reason.into()),
        }),
    }
}

/// A day, or a moment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayOrMoment {
    Day(Date),
    Moment(Timestamp),
}

impl std::fmt::Display for DayOrMoment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Moment(moment) => moment.fmt(f),
        }
    }
}

/// Reads a date and time, which may be a date alone. Midnight stands for its day, as a date does; a time without an
/// offset is UTC, as all times on the wire are.
pub(crate) fn day_or_moment(value: &Value) -> Result<DayOrMoment, Refusal> {
    let refused = |kind, expected: &str, reason: &str| Refusal {
        kind,
        message: format!("Input should be a valid {expected}, {reason}"),
        reason: Some(reason.into()),
    };
    let (text, is_text) = match value {
        Value::String(text) => (text.trim().to_owned(), true),
        Value::Number(number) => (number.to_string(), false),
        _ => return Err(Refusal::new("datetime_type", "Input should be a valid datetime")),
    };
    // An hour alone is no time of the original.
    let has_minutes =
        text.len() <= 10 || text.as_bytes().get(13) == Some(&b':') || !text.as_bytes()[..10].contains(&b'-');
    let read = if has_minutes { moment(&text) } else { Err(EXTRA_CHARACTERS) };
    match read {
        Ok(at) if at.time() == jiff::civil::Time::midnight() => Ok(DayOrMoment::Day(at.date())),
        Ok(at) => match jiff::tz::Offset::UTC.to_timestamp(at) {
            Ok(at) => Ok(DayOrMoment::Moment(at)),
            Err(_) => Err(refused("datetime_parsing", "datetime", "year is out of range")),
        },
        Err(reason) if !is_text => Err(refused("datetime_parsing", "datetime", reason)),
        // The original tries a date last, so the reason is what is wrong with it as a date.
        Err(reason) => {
            let is_date = text.get(..10).is_some_and(|start| plain_date(start).is_some());
            let reason = if is_date { EXTRA_CHARACTERS } else { reason };
            Err(refused("datetime_from_date_parsing", "datetime or date", reason))
        }
    }
}

const EXTRA_CHARACTERS: &str = "unexpected extra characters at the end of the input";

fn plain_date(text: &str) -> Option<Date> {
    // jiff's parser takes more shapes than the original's.
    (text.len() == 10 && text.as_bytes()[4] == b'-').then(|| text.parse().ok()).flatten()
}

fn moment(text: &str) -> Result<DateTime, &'static str> {
    if let Ok(seconds) = text.parse::<i64>() {
        // The original's watershed: larger numbers are milliseconds.
        let seconds = if seconds.unsigned_abs() > 20_000_000_000 { seconds / 1000 } else { seconds };
        let at =
            Timestamp::from_second(seconds).map_err(|_| "dates after 9999 are not supported as unix timestamps")?;
        return Ok(jiff::tz::Offset::UTC.to_datetime(at));
    }
    let bytes = text.as_bytes();
    if bytes.len() < 10 {
        return Err("input is too short");
    }
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let two = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
    match () {
        () if !digits(0..4) => return Err("invalid character in year"),
        () if bytes[4] != b'-' || bytes[7] != b'-' => return Err("invalid date separator, expected `-`"),
        () if !digits(5..7) => return Err("invalid character in month"),
        () if !digits(8..10) => return Err("invalid character in day"),
        () if !(1..=12).contains(&two(5)) => return Err("month value is outside expected range of 1-12"),
        () if plain_date(&text[..10]).is_none() => return Err("day value is outside expected range"),
        () => {}
    }
    if bytes.len() == 10 {
        return plain_date(text).map(|d| d.to_datetime(jiff::civil::Time::midnight())).ok_or("input is too short");
    }
    if !matches!(bytes[10], b'T' | b't' | b' ' | b'_') {
        return Err("invalid datetime separator, expected `T`, `t`, `_` or space");
    }
    // With an offset it is a moment, shown in UTC; without one it is already naive UTC.
    match text.parse::<Timestamp>() {
        Ok(at) => Ok(jiff::tz::Offset::UTC.to_datetime(at)),
        Err(_) => text.parse().map_err(|_| EXTRA_CHARACTERS),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind<T>(result: Result<T, Refusal>) -> &'static str {
        result.err().map_or("accepted", |refusal| refusal.kind)
    }

    #[test]
    fn integers_are_lax_in_the_recorded_ways_only() {
        for one in [json!(1), json!(1.0), json!(true), json!("1"), json!(" 1 "), json!("+1"), json!("1.0"), json!("01")]
        {
            assert_eq!(integer(&one).ok(), Some(1), "{one}");
        }
        assert_eq!(integer(&json!("1_000")).ok(), Some(1000));
        assert_eq!(integer(&json!("-7")).ok(), Some(-7));
        for bad in ["1.", "1e3", "", "abc", "NaN", "_1", "1__0", "1_", "1.5", "--1", "é"] {
            assert_eq!(kind(integer(&json!(bad))), "int_parsing", "{bad}");
        }
        assert_eq!(kind(integer(&json!(1.5))), "int_from_float");
        assert_eq!(kind(integer(&json!(null))), "int_type");
        assert_eq!(integer(&json!("99999999999999999999")).ok(), Some(i64::MAX));
    }

    #[test]
    fn dates_are_refused_with_the_recorded_types() {
        assert_eq!(date(&json!("2024-02-29")).ok(), Some(jiff::civil::date(2024, 2, 29)));
        assert_eq!(date(&json!("2024-02-29T00:00:00Z")).ok(), Some(jiff::civil::date(2024, 2, 29)));
        assert_eq!(date(&json!("86400")).ok(), Some(jiff::civil::date(1970, 1, 2)));
        for bad in
            ["x", "", "yesterday", "2024-13-01", "2024-02-30", "2024/01/01", "2024-01-01T99", "-9223372036854775808"]
        {
            assert_eq!(kind(date(&json!(bad))), "date_from_datetime_parsing", "{bad}");
        }
        assert_eq!(kind(date(&json!("2024-01-01T10:00:00"))), "date_from_datetime_inexact");
    }

    #[test]
    fn a_datetime_takes_a_date_too() {
        let day = |text: &str| Some(DayOrMoment::Day(text.parse().unwrap()));
        let moment = |text: &str| Some(DayOrMoment::Moment(text.parse().unwrap()));
        for (given, expected) in [
            (json!("2024-02-29"), day("2024-02-29")),
            (json!("2024-02-29T00:00:00"), day("2024-02-29")),
            (json!("2024-02-29T10:30:00Z"), moment("2024-02-29T10:30:00Z")),
            (json!("2024-02-29 10:30"), moment("2024-02-29T10:30:00Z")),
            (json!("2024-02-29T10:30:00.25+05:30"), moment("2024-02-29T05:00:00.25Z")),
            (json!(86_400), day("1970-01-02")),
            (json!("86401"), moment("1970-01-02T00:00:01Z")),
        ] {
            assert_eq!(day_or_moment(&given).ok(), expected, "{given}");
        }
        for (given, expected, message) in [
            (json!("x"), "datetime_from_date_parsing", "Input should be a valid datetime or date, input is too short"),
            (json!(""), "datetime_from_date_parsing", "Input should be a valid datetime or date, input is too short"),
            (
                json!("not-a-date"),
                "datetime_from_date_parsing",
                "Input should be a valid datetime or date, invalid character in year",
            ),
            (
                json!("2024-13-01"),
                "datetime_from_date_parsing",
                "Input should be a valid datetime or date, month value is outside expected range of 1-12",
            ),
            (
                json!("2024-01-01T25:00:00"),
                "datetime_from_date_parsing",
                "Input should be a valid datetime or date, unexpected extra characters at the end of the input",
            ),
            (
                json!("2024-01-01T10"),
                "datetime_from_date_parsing",
                "Input should be a valid datetime or date, unexpected extra characters at the end of the input",
            ),
            (json!(true), "datetime_type", "Input should be a valid datetime"),
            (json!([]), "datetime_type", "Input should be a valid datetime"),
        ] {
            let refusal = day_or_moment(&given).unwrap_err();
            assert_eq!((refusal.kind, refusal.message.as_str()), (expected, message), "{given}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        assert_eq!(kind(number(&json!("high"))), "float_parsing");
        assert_eq!(kind(number(&json!("nan"))), "finite_number");
        assert_eq!(number(&json!("0.91")).ok(), Some(0.91));
    }

    #[test]
    fn flags_read_the_usual_words() {
        assert_eq!(flag(&json!("Off")).ok(), Some(false));
        assert_eq!(flag(&json!(1)).ok(), Some(true));
        assert_eq!(kind(flag(&json!("maybe"))), "bool_parsing");
    }
}
