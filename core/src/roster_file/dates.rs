//! Dates as people write them in lists.

use jiff::civil::Date;

/// Which of two numbers below 13 is the day, as the dates of one column tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
    /// No date of the column tells.
    Unknown,
}

/// A date as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    Day(Date),
    /// Day and month cannot be told apart.
    Ambiguous,
    NoDate,
}

/// Returns the order of day and month that the dates of a column have: one with a number above 12 tells it of all. A
/// column in which two dates tell different orders has none.
pub(super) fn order_of<'a>(texts: impl Iterator<Item = &'a str>) -> Order {
    let mut order = Order::Unknown;
    for text in texts {
        let Some(([first, second, _], '/' | '-')) = numbers(text) else { continue };
        let told = match (first > 12, second > 12) {
            (true, false) if first <= 31 => Order::DayFirst,
            (false, true) if second <= 31 => Order::MonthFirst,
            _ => continue,
        };
        match order {
            Order::Unknown => order = told,
            known if known != told => return Order::Unknown,
            _ => {}
        }
    }
    order
}

/// Returns the date in `text`: `2026-08-31`, `31.8.2026` and 31/8/2026, and 8/31/2026 where `order` says so.
pub(super) fn read(text: &str, order: Order) -> Read {
    let Some((parts, sign)) = numbers(text) else { return Read::NoDate };
    let [first, second, third] = parts;
    let (year, month, day) = match (sign, order) {
        _ if first > 31 => (first, second, third),
        ('.', _) => (third, second, first),
        // Both are the same day.
        (_, Order::Unknown) if first == second => (third, second, first),
        (_, Order::Unknown) if first <= 12 && second <= 12 => return Read::Ambiguous,
        (_, Order::MonthFirst) => (third, first, second),
        (_, Order::DayFirst) => (third, second, first),
        (_, Order::Unknown) if first > 12 => (third, second, first),
        (_, Order::Unknown) => (third, first, second),
    };
    // A year of two digits is not guessed.
    let (Ok(year), Ok(month), Ok(day)) = (i16::try_from(year), i8::try_from(month), i8::try_from(day)) else {
        return Read::NoDate;
    };
    if !(1900..=2999).contains(&year) {
        return Read::NoDate;
    }
    Date::new(year, month, day).map_or(Read::NoDate, Read::Day)
}

/// The three numbers of a date and the sign between them. A time behind them, as databases export, is passed over.
fn numbers(text: &str) -> Option<([u32; 3], char)> {
    let day = text.split([' ', 'T']).next()?;
    let sign = day.chars().find(|letter| !letter.is_numeric())?;
    if !matches!(sign, '-' | '/' | '.') {
        return None;
    }
    let mut parts = day.split(sign);
    let mut next = || {
        let part = parts.next()?;
        // Digits of Arabic and Devanagari are digits too.
        let digits: String = part.chars().map(ascii_digit).collect::<Option<_>>()?;
        (!digits.is_empty() && digits.len() <= 4).then(|| digits.parse().ok()).flatten()
    };
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some((numbers, sign))
}

/// The digit as ASCII has it: also those of Arabic, Persian and Devanagari.
fn ascii_digit(letter: char) -> Option<char> {
    let zeros = ['0', '\u{660}', '\u{6f0}', '\u{966}'];
    let value = zeros.iter().find_map(|zero| {
        let value = u32::from(letter).checked_sub(u32::from(*zero))?;
        (value < 10).then_some(value)
    });
    value.and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_people_write_it_and_never_guessed() {
        let day = |text, order| read(text, order);
        let august = Read::Day(jiff::civil::date(2026, 8, 31));
        for text in [
            "2026-08-31",
            "2026-8-31",
            "2026/08/31",
            "31.08.2026",
            "31.8.2026",
            "31/8/2026",
            "31-08-2026",
            "8/31/2026",
            "2026-08-31 00:00:00",
            "2026-08-31T00:00:00",
            "٢٠٢٦-٠٨-٣١",
            "३१.०८.२०२६",
        ] {
            assert_eq!(day(text, Order::Unknown), august, "{text}");
        }
        assert_eq!(day("3/4/2026", Order::Unknown), Read::Ambiguous);
        assert_eq!(day("3/4/2026", Order::DayFirst), Read::Day(jiff::civil::date(2026, 4, 3)));
        assert_eq!(day("3/4/2026", Order::MonthFirst), Read::Day(jiff::civil::date(2026, 3, 4)));
        assert_eq!(day("4/4/2026", Order::Unknown), Read::Day(jiff::civil::date(2026, 4, 4)));
        for text in ["", "soon", "31.2.2026", "2026-13-01", "1.2.26", "1.2.3.4", "2026-08", "0/0/0", "12345/1/1"] {
            assert_eq!(day(text, Order::Unknown), Read::NoDate, "{text}");
        }
    }

    #[test]
    fn one_date_tells_the_order_of_a_column_and_two_that_differ_tell_none() {
        let order = |texts: &[&str]| order_of(texts.iter().copied());
        assert_eq!(order(&["3/4/2026", "31/8/2026"]), Order::DayFirst);
        assert_eq!(order(&["3/4/2026", "8/31/2026"]), Order::MonthFirst);
        assert_eq!(order(&["8/31/2026", "31/8/2026"]), Order::Unknown);
        assert_eq!(order(&["3/4/2026", "", "x"]), Order::Unknown);
    }
}
