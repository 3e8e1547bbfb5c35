//! A PostgreSQL database written out and read in whole, and a look at one that changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead, Write};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use postgres::types::ToSql;
use postgres::{Row, Statement, Transaction};

use super::super::NewAuditEntry;
use super::super::portable::{
    self, BackedUp, Content, Counts, Imported, Kind, Odd, Portable, Present, Reading, Survey, TABLES, Table, Value,
    unique_keys,
};
use super::super::schema::newest_version;
use super::{Fault, Outcome, PostgresStore, audit, connection::Pool, count, keys, micros, schema};
use crate::error::{Error, Result};

/// Rows that are fetched at a time: a session with kept frames is large.
const AT_ONCE: i32 = 200;

impl Portable for PostgresStore {
    fn export(&self, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<Counts> {
        self.read("export the database", |db| {
            let mut writer = portable::Writer::begin(to, Content::Export, newest_version(), progress)?;
            for table in TABLES {
                writer.begin_table(table);
                let columns: Vec<_> =
                    table.columns.iter().map(|column| format!("{}::{}", column.name, name_of(column.kind))).collect();
                let key = table.columns[0].name;
                let query = format!("SELECT {} FROM {} ORDER BY {key}", columns.join(", "), table.name);
                let portal = db.bind(&query, &[])?;
                loop {
                    let rows = db.query_portal(&portal, AT_ONCE)?;
                    for row in &rows {
                        writer.row(table, values(table, row)?)?;
                    }
                    if rows.is_empty() {
                        break;
                    }
                }
            }
            Ok(writer.end()?)
        })
    }

    fn import(&self, from: &mut dyn BufRead, present: Present, progress: &mut dyn FnMut(u64)) -> Result<Imported> {
        let reading = Reading { erased: &BTreeSet::new(), progress };
        self.write("import the database", |db| import(db, from, present, reading))
    }

    fn restore(
        &self,
        from: &mut dyn BufRead,
        erased: &BTreeSet<i64>,
        entry: &NewAuditEntry,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Imported> {
        let reading = Reading { erased, progress };
        self.write("restore the database", |db| {
            let imported = import(db, from, Present::Replace, reading)?;
            audit::add_audit(db, entry)?;
            Ok(imported)
        })
    }
}

/// Lets a transaction take as long as a large school needs.
fn take_time(db: &mut Transaction<'_>) -> Outcome<()> {
    Ok(db.batch_execute(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
         SET LOCAL datestyle = 'ISO, YMD'",
    )?)
}

fn import(
    db: &mut Transaction<'_>,
    from: &mut dyn BufRead,
    present: Present,
    reading: Reading<'_>,
) -> Outcome<Imported> {
    // Deleting what a school has takes longer than a statement of a server may.
    take_time(db)?;
    let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    db.batch_execute(&format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", ")))?;
    for table in TABLES.iter().rev() {
        match present {
            Present::Refuse if rows_of(db, table)? > 0 => return Err(portable::not_empty(table.name).into()),
            Present::Refuse => {}
            Present::Replace => {
                db.execute(&format!("DELETE FROM {}", table.name), &[])?;
            }
        }
    }
    let mut inserts = HashMap::new();
    let mut required = Required::default();
    let mut fault = None;
    let imported = portable::read(from, reading, &mut |table, values| {
        let put = required.readable(db, table, values).and_then(|values| match values {
            Some(values) => insert(db, &mut inserts, table, values).map(|()| true),
            None => Ok(false),
        });
        put.map_err(|error| {
            fault = Some(error);
            Error::Store { reason: format!("cannot import a row of {}", table.name), source: None }
        })
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    let imported = imported?;
    // The next row gets a key of its own, which no row that was replaced has had either.
    for table in TABLES.iter().filter(|table| table.counts_its_keys()) {
        let given = imported.ids_given.get(table.name).copied().unwrap_or(0);
        db.execute(
            &format!(
                "SELECT setval(k.name, greatest(k.highest, pg_sequence_last_value(k.name::regclass)))
                 FROM (SELECT pg_get_serial_sequence('{0}', 'id') AS name,
                     greatest((SELECT max(id)::bigint FROM {0}), $1::bigint) AS highest) k WHERE k.highest > 0",
                table.name
            ),
            &[&given],
        )?;
    }
    db.batch_execute(schema::BEYOND_CORRECTIONS)?;
    keys::complete(db)?;
    Ok(imported)
}

/// The columns that may not be empty, by table, as far as they were asked for.
#[derive(Default)]
struct Required(HashMap<&'static str, HashSet<String>>);

impl Required {
    /// Returns the row as PostgreSQL can hold it: a value of SQLite's that is not of its kind is read as one, else left
    /// out; `None` where the row cannot be without it.
    fn readable(
        &mut self,
        db: &mut Transaction<'_>,
        table: &'static Table,
        mut values: Vec<Value>,
    ) -> Outcome<Option<Vec<Value>>> {
        for (column, value) in table.columns.iter().zip(&mut values) {
            let Value::Odd(odd) = value else { continue };
            match odd.read_as(column.kind) {
                Some(read) => *value = read,
                None if self.of(db, table)?.contains(column.name) && !column.has_default => return Ok(None),
                None => *value = Value::Null,
            }
        }
        Ok(Some(values))
    }

    fn of(&mut self, db: &mut Transaction<'_>, table: &'static Table) -> Outcome<&HashSet<String>> {
        let mut found = HashSet::new();
        if !self.0.contains_key(table.name) {
            let query = "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnotnull";
            for row in db.query(query, &[&table.name])? {
                found.insert(row.try_get(0)?);
            }
        }
        Ok(self.0.entry(table.name).or_insert(found))
    }
}

impl PostgresStore {
    /// Writes every row of the database at `url` to `to`, as of one moment, for a back-up. The database keeps its
    /// schema, and servers read and write meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] when `to` cannot be written; those of [`open`](Self::open).
    pub(in crate::store) fn back_up(url: &str, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<BackedUp> {
        Pool::open(url)?.run("back up the database", true, |db| back_up(db, to, progress))
    }
}

fn back_up(db: &mut Transaction<'_>, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Outcome<BackedUp> {
    take_time(db)?;
    let schema = schema::version(db)?;
    portable::knows(schema)?;
    let mut done = BackedUp { schema, ..BackedUp::default() };
    let mut writer = portable::Writer::begin(to, Content::BackUp, schema, progress)?;
    let mut highest = BTreeMap::new();
    let mut tables = 0;
    for table in TABLES {
        writer.begin_table(table);
        let query = "SELECT attname::text FROM pg_attribute
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
        let there = db.query(query, &[&table.name])?;
        let there = there.iter().map(|row| Ok(row.try_get(0)?)).collect::<Outcome<Vec<String>>>()?;
        if there.is_empty() {
            continue;
        }
        tables += 1;
        // An older schema lacks some: they are empty then. A time that jiff cannot hold, such as `infinity`, comes as
        // text.
        let asked: Vec<_> = table
            .columns
            .iter()
            .map(|column| {
                let kind = name_of(column.kind);
                match (there.iter().any(|there| there == column.name), column.kind) {
                    (false, _) => format!("NULL::{kind}"),
                    (true, Kind::Seconds | Kind::Micros | Kind::Date) => format!("{}::{kind}::text", column.name),
                    (true, _) => format!("{}::{kind}", column.name),
                }
            })
            .collect();
        let key = table.columns[0].name;
        let portal = db.bind(&format!("SELECT {} FROM {} ORDER BY {key}", asked.join(", "), table.name), &[])?;
        loop {
            let rows = db.query_portal(&portal, AT_ONCE)?;
            for row in &rows {
                let mut values = Vec::with_capacity(table.columns.len());
                for (at, column) in table.columns.iter().enumerate() {
                    let value = match column.kind {
                        Kind::Seconds | Kind::Micros | Kind::Date if there.iter().any(|t| t == column.name) => {
                            time_or_odd(column.kind, row.try_get(at)?)
                        }
                        _ => value(column.kind, row, at)?,
                    };
                    if matches!(value, Value::Odd(_)) {
                        let name = portable::named(table, values.first().unwrap_or(&Value::Null));
                        done.odd.push(format!("{name}: {}", column.name));
                    }
                    values.push(value);
                }
                writer.row(table, values)?;
            }
            if rows.is_empty() {
                break;
            }
        }
        if table.counts_its_keys() {
            let last: Option<i64> = db
                .query_one("SELECT pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass)", &[&table.name])?
                .try_get(0)?;
            highest.extend(last.map(|last| (table.name.to_owned(), last)));
        }
    }
    if tables == 0 {
        let reason = "it has none of the tables: it is new, or another program's database";
        return Err(Error::State { what: "database", reason: reason.into() }.into());
    }
    writer.ids_given(&highest)?;
    done.rows = writer.end()?;
    Ok(done)
}

/// A time or a day that PostgreSQL has written as text.
fn time_or_odd(kind: Kind, text: Option<String>) -> Value {
    let Some(text) = text else { return Value::Null };
    let read = if kind == Kind::Date {
        text.parse().ok().map(Value::Date)
    } else {
        super::super::naive_time::parse(&text).map(Value::Time)
    };
    read.unwrap_or(Value::Odd(Odd::Text(text)))
}

/// Statements that insert, by table and by which of the columns with defaults are left to them.
type Inserts = HashMap<(&'static str, Vec<&'static str>), Statement>;

fn insert(db: &mut Transaction<'_>, inserts: &mut Inserts, table: &'static Table, values: Vec<Value>) -> Outcome<()> {
    let mut left_out = Vec::new();
    let mut given = Vec::with_capacity(values.len());
    for (column, value) in table.columns.iter().zip(values) {
        if column.has_default && value == Value::Null {
            left_out.push(column.name);
        } else {
            given.push((column, value));
        }
    }
    let key = (table.name, left_out);
    let statement = match inserts.get(&key) {
        Some(statement) => statement.clone(),
        None => {
            let names = given.iter().map(|(column, _)| column.name).collect::<Vec<_>>().join(", ");
            let signs: Vec<_> =
                given.iter().zip(1..).map(|((column, _), at)| format!("${at}::{}", name_of(column.kind))).collect();
            let sql = format!("INSERT INTO {} ({names}) VALUES ({})", table.name, signs.join(", "));
            let statement = db.prepare(&sql)?;
            inserts.insert(key, statement.clone());
            statement
        }
    };
    let params: Vec<_> = given.into_iter().map(|(column, value)| to_sql(column.kind, value)).collect();
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| &**value as _).collect();
    db.execute(&statement, &params)?;
    Ok(())
}

/// PostgreSQL's type for values of this kind, from which a column's own is reached.
fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Real => "float8",
        Kind::Bool => "boolean",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
        Kind::Seconds | Kind::Micros => "timestamp",
        Kind::Date => "date",
    }
}

fn to_sql(kind: Kind, value: Value) -> Box<dyn ToSql + Sync> {
    match value {
        Value::Null => match kind {
            Kind::Int => Box::new(None::<i64>),
            Kind::Real => Box::new(None::<f64>),
            Kind::Bool => Box::new(None::<bool>),
            Kind::Text => Box::new(None::<String>),
            Kind::Bytes => Box::new(None::<Vec<u8>>),
            Kind::Seconds | Kind::Micros => Box::new(None::<DateTime>),
            Kind::Date => Box::new(None::<Date>),
        },
        Value::Int(number) => Box::new(number),
        Value::Real(number) => Box::new(number),
        Value::Bool(flag) => Box::new(flag),
        Value::Text(text) => Box::new(text),
        Value::Bytes(bytes) => Box::new(bytes),
        Value::Time(time) => Box::new(micros(time)),
        Value::Date(date) => Box::new(date),
        // None is left: they have been read as their kind.
        Value::Odd(_) => to_sql(kind, Value::Null),
    }
}

fn values(table: &Table, row: &Row) -> Outcome<Vec<Value>> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value = match column.kind {
            Kind::Seconds | Kind::Micros => match row.try_get::<_, Option<DateTime>>(at)? {
                None => Value::Null,
                Some(naive) => Value::Time(TimeZone::UTC.to_timestamp(naive).map_err(|_| {
                    Fault::Ours(portable::not_of_its_kind(table, column, values.first().unwrap_or(&Value::Null)))
                })?),
            },
            kind => value(kind, row, at)?,
        };
        values.push(value);
    }
    Ok(values)
}

/// The value in a column that holds no time.
pub(super) fn value(kind: Kind, row: &Row, at: usize) -> Outcome<Value> {
    let value = match kind {
        Kind::Int => row.try_get::<_, Option<i64>>(at)?.map(Value::Int),
        Kind::Real => row.try_get::<_, Option<f64>>(at)?.map(Value::Real),
        Kind::Bool => row.try_get::<_, Option<bool>>(at)?.map(Value::Bool),
        Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
        Kind::Date => row.try_get::<_, Option<Date>>(at)?.map(Value::Date),
        Kind::Seconds | Kind::Micros => None,
    };
    Ok(value.unwrap_or(Value::Null))
}

fn rows_of(db: &mut Transaction<'_>, table: &Table) -> Outcome<u64> {
    count(&db.query_one(&format!("SELECT count(*) FROM {}", table.name), &[])?, 0)
}

impl PostgresStore {
    /// What is in the database at `url`, without bringing it to the current schema or changing anything else.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the schema.
    pub fn survey(url: &str) -> Result<Survey> {
        Pool::open(url)?.run("look at the database", true, look_at)
    }
}

fn look_at(db: &mut Transaction<'_>) -> Outcome<Survey> {
    let mut survey = Survey { schema: schema::version(db)?, ..Survey::default() };
    for table in TABLES {
        let there: bool = db.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table.name])?.try_get(0)?;
        if there {
            survey.rows.push((table.name, rows_of(db, table)?));
        }
    }
    if survey.rows.is_empty() {
        survey.problems.push("it has none of the tables: it is new, or another program's database".into());
    }
    if survey.schema > 0 {
        let mut valid = HashSet::new();
        let keys = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indisunique AND i.indisvalid AND pg_table_is_visible(i.indrelid)";
        for row in db.query(keys, &[])? {
            valid.insert(row.try_get::<_, String>(0)?);
        }
        let missing = unique_keys(survey.schema).filter(|name| !valid.contains(*name));
        survey.problems.extend(missing.map(|name| format!("the unique key {name} is missing")));
    }
    Ok(survey)
}
