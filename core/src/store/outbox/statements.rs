//! SQL that both databases understand, written once: the outbox has many statements and no speed to lose.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::portable::{Kind, Value};
use crate::error::Error;

/// A transaction that takes statements in which `$1` stands for the first value.
pub(in crate::store) trait Statements {
    type Fault: From<Error>;

    /// The seconds since 1970 by the database's clock, as an expression.
    const NOW: &'static str;
    /// Whether one server has the database to itself: what another one holds is what a dead one has left.
    const ALONE: bool;

    /// Returns how many rows were changed.
    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Self::Fault>;

    /// Returns the rows, whose columns are of these kinds.
    fn rows(&mut self, sql: &str, values: &[Value], kinds: &[Kind]) -> Result<Vec<Cells>, Self::Fault>;

    /// Keeps others who take letters, or write a day, waiting until this transaction is over.
    fn alone(&mut self) -> Result<(), Self::Fault>;
}

/// Refuses times that one of the databases would not give back. `naive_time` reads from the year 1 on.
///
/// # Errors
/// [`Error::InvalidInput`].
pub(in crate::store) fn can_be_kept(values: &[Value]) -> Result<(), Error> {
    let before = |value: &Value| matches!(value, Value::Time(at) if TimeZone::UTC.to_datetime(*at).year() < 1);
    if values.iter().any(before) {
        return Err(Error::invalid_input("time", "it lies before the year 1"));
    }
    Ok(())
}

/// The values of a row.
pub(in crate::store) struct Cells(pub(in crate::store) Vec<Value>);

impl Cells {
    pub(in crate::store) fn int(&self, at: usize) -> i64 {
        self.maybe_int(at).unwrap_or_default()
    }

    pub(in crate::store) fn maybe_int(&self, at: usize) -> Option<i64> {
        match self.0.get(at) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    pub(in crate::store) fn count(&self, at: usize) -> u64 {
        u64::try_from(self.int(at)).unwrap_or_default()
    }

    pub(in crate::store) fn flag(&self, at: usize) -> bool {
        matches!(self.0.get(at), Some(Value::Bool(true)))
    }

    pub(in crate::store) fn text(&self, at: usize) -> String {
        self.maybe_text(at).unwrap_or_default()
    }

    pub(in crate::store) fn maybe_text(&self, at: usize) -> Option<String> {
        match self.0.get(at) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    pub(in crate::store) fn date(&self, at: usize) -> Date {
        self.maybe_date(at).unwrap_or(Date::MIN)
    }

    pub(in crate::store) fn maybe_date(&self, at: usize) -> Option<Date> {
        match self.0.get(at) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    pub(in crate::store) fn time(&self, at: usize) -> Timestamp {
        self.maybe_time(at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(in crate::store) fn maybe_time(&self, at: usize) -> Option<Timestamp> {
        match self.0.get(at) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::portable::Value::from($value)),*]
    };
}
pub(in crate::store) use values;
