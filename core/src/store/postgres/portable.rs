//! A PostgreSQL database written out and read in whole, and a look at one that changes nothing.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use postgres::types::ToSql;
use postgres::{Row, Statement, Transaction};

use super::super::portable::{
    self, Counts, Imported, Kind, Portable, Present, Survey, TABLES, Table, Value, unique_keys,
};
use super::{Fault, Outcome, PostgresStore, connection::Pool, count, keys, micros, schema};
use crate::error::{Error, Result};

/// Rows that are fetched at a time: a session with kept frames is large.
const AT_ONCE: i32 = 200;

impl Portable for PostgresStore {
    fn export(&self, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<Counts> {
        self.read("export the database", |db| {
            let mut writer = portable::Writer::begin(to, progress)?;
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
        self.write("import the database", |db| {
            // Deleting what a school has takes longer than a statement of a server may.
            db.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")?;
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
            let mut fault = None;
            let imported = portable::read(from, progress, &mut |table, values| {
                insert(db, &mut inserts, table, values).map_err(|error| {
                    fault = Some(error);
                    Error::Store { reason: format!("cannot import a row of {}", table.name), source: None }
                })
            });
            if let Some(fault) = fault {
                return Err(fault);
            }
            // The next row gets a key of its own, which no row that was replaced has had either.
            for table in TABLES.iter().filter(|table| table.counts_its_keys()) {
                db.execute(
                    &format!(
                        "SELECT setval(k.name, greatest(max(t.id)::bigint, pg_sequence_last_value(k.name::regclass)))
                         FROM {0} t, (SELECT pg_get_serial_sequence('{0}', 'id') AS name) k
                         GROUP BY k.name HAVING max(t.id) > 0",
                        table.name
                    ),
                    &[],
                )?;
            }
            db.batch_execute(schema::BEYOND_CORRECTIONS)?;
            let imported = imported?;
            keys::complete(db)?;
            Ok(imported)
        })
    }
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
    }
}

fn values(table: &Table, row: &Row) -> Outcome<Vec<Value>> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value = match column.kind {
            Kind::Int => row.try_get::<_, Option<i64>>(at)?.map(Value::Int),
            Kind::Real => row.try_get::<_, Option<f64>>(at)?.map(Value::Real),
            Kind::Bool => row.try_get::<_, Option<bool>>(at)?.map(Value::Bool),
            Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
            Kind::Seconds | Kind::Micros => match row.try_get::<_, Option<DateTime>>(at)? {
                None => None,
                Some(naive) => Some(Value::Time(TimeZone::UTC.to_timestamp(naive).map_err(|_| {
                    Fault::Ours(portable::not_of_its_kind(table, column, values.first().unwrap_or(&Value::Null)))
                })?)),
            },
            Kind::Date => row.try_get::<_, Option<Date>>(at)?.map(Value::Date),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(values)
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
