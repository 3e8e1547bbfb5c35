//! Columns and tables as a portable file has them, and the values that they hold.

use jiff::Timestamp;
use jiff::civil::Date;

/// What a column holds, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Int,
    Real,
    Bool,
    Text,
    Bytes,
    /// A time that the existing service writes in whole seconds.
    Seconds,
    /// A time to the microsecond.
    Micros,
    Date,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Time(Timestamp),
    Date(Date),
    /// What a column of SQLite holds that is not of its kind, as it is: only a back-up keeps it.
    Odd(Odd),
}

/// A value of SQLite that is not of its column's kind.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Odd {
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Odd {
    /// Returns the value as a column of this kind holds it, in a database that takes no other; `None` where nothing of
    /// the kind can be read in it.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn read_as(&self, kind: Kind) -> Option<Value> {
        let text = match self {
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        let text = text.trim();
        Some(match kind {
            Kind::Text => Value::Text(text.replace('\0', "")),
            Kind::Int => Value::Int(text.parse().ok()?),
            Kind::Real => Value::Real(text.parse().ok()?),
            _ => return None,
        })
    }
}

#[derive(Debug)]
pub(in crate::store) struct Column {
    pub(in crate::store) name: &'static str,
    pub(in crate::store) kind: Kind,
    /// Whether it has to be left to its default where the file has no value: it may not be null.
    pub(in crate::store) has_default: bool,
    /// Whether it can hold a photograph, which the replaced service kept: no back-up has one.
    pub(in crate::store) is_photo: bool,
}

pub(super) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, has_default: false, is_photo: false }
}

pub(super) const fn column_or_default(name: &'static str, kind: Kind) -> Column {
    Column { has_default: true, ..column(name, kind) }
}

pub(super) const fn photo(name: &'static str) -> Column {
    Column { is_photo: true, ..column(name, Kind::Text) }
}

#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    pub(in crate::store) columns: &'static [Column],
    /// Whether its rows are gone with their student.
    pub(super) of_a_student: bool,
}

impl Table {
    /// The names of the columns, as a list in SQL.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Whether its keys are numbers that the database gives.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn counts_its_keys(&self) -> bool {
        self.columns.first().is_some_and(|key| key.kind == Kind::Int)
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
