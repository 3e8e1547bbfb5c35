//! A SQLite file written out and read in whole, and a look at one that changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, Write};
use std::path::Path;

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter};

use super::super::NewAuditEntry;
use super::super::given_ids::BEYOND_CORRECTIONS;
use super::super::naive_time::{parse, to_micros, to_seconds};
use super::super::portable::{
    self, BackedUp, Content, Counts, Imported, Kind, Odd, Portable, Present, Reading, Survey, TABLES, Table, Value,
    unique_keys,
};
use super::super::schema::newest_version;
use super::{BUSY_TIMEOUT, Fault, Outcome, SqliteStore, audit, keys};
use crate::error::{Error, Result};

impl Portable for SqliteStore {
    fn export(&self, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<Counts> {
        self.read("export the database", |db| {
            let mut writer = portable::Writer::begin(to, Content::Export, newest_version(), progress)?;
            for table in TABLES {
                writer.begin_table(table);
                let key = table.columns[0].name;
                let mut statement =
                    db.prepare(&format!("SELECT {} FROM {} ORDER BY {key}", table.names(), table.name))?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    writer.row(table, values(table, row)?)?;
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
            audit::add(db, entry)?;
            Ok(imported)
        })
    }
}

fn import(db: &Connection, from: &mut dyn BufRead, present: Present, reading: Reading<'_>) -> Outcome<Imported> {
    for table in TABLES.iter().rev() {
        match present {
            Present::Refuse if count(db, table)? > 0 => return Err(portable::not_empty(table.name).into()),
            Present::Refuse => {}
            Present::Replace => {
                db.execute(&format!("DELETE FROM {}", table.name), [])?;
            }
        }
    }
    let mut fault = None;
    let imported = portable::read(from, reading, &mut |table, values| {
        insert(db, table, values).map(|()| true).map_err(|error| {
            fault = Some(error);
            Error::Store { reason: format!("cannot import a row of {}", table.name), source: None }
        })
    });
    if let Some(error) = fault {
        return Err(error.into());
    }
    db.execute_batch(BEYOND_CORRECTIONS)?;
    let imported = imported?;
    for (table, highest) in &imported.ids_given {
        db.execute("UPDATE ids_given SET highest = max(highest, ?2) WHERE of_table = ?1", params![table, highest])?;
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", params![table, highest])?;
        db.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 FROM sqlite_master
             WHERE type = 'table' AND name = ?1 AND sql LIKE '%AUTOINCREMENT%'
                 AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
            params![table, highest],
        )?;
    }
    keys::complete(db)?;
    Ok(imported)
}

impl SqliteStore {
    /// Writes every row of the file at `path` to `to`, as of one moment, for a back-up. The file keeps its schema, and
    /// other programs read and write meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] when `to` cannot be written; [`Error::Store`] when the file is none of ours or damaged, or of a
    /// newer version.
    pub(in crate::store) fn back_up(
        path: &Path,
        to: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<BackedUp> {
        let mut write = || -> Outcome<BackedUp> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(BUSY_TIMEOUT)?;
            back_up(&*db.transaction()?, to, progress)
        };
        write().map_err(|fault: Fault| fault.while_doing(&format!("back up the database {}", path.display())))
    }
}

fn back_up(db: &Connection, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Outcome<BackedUp> {
    let there = |table: &str| -> rusqlite::Result<Vec<String>> {
        db.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([table], |row| row.get(0))?.collect()
    };
    let schema = if there("schema_migrations")?.is_empty() {
        0
    } else {
        db.query_row("SELECT COALESCE(max(version), 0) FROM schema_migrations", [], |row| row.get(0))?
    };
    portable::knows(schema)?;
    let mut done = BackedUp { schema, ..BackedUp::default() };
    let mut writer = portable::Writer::begin(to, Content::BackUp, schema, progress)?;
    let mut tables = 0;
    for table in TABLES {
        writer.begin_table(table);
        let columns = there(table.name)?;
        if columns.is_empty() {
            continue;
        }
        tables += 1;
        // An older schema lacks some: they are empty then.
        let asked: Vec<_> = table
            .columns
            .iter()
            .map(|column| if columns.iter().any(|there| there == column.name) { column.name } else { "NULL" })
            .collect();
        let key = table.columns[0].name;
        let query = format!("SELECT {} FROM {} ORDER BY {key}", asked.join(", "), table.name);
        let mut statement = db.prepare(&query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(table.columns.len());
            for (at, column) in table.columns.iter().enumerate() {
                let found = row.get_ref(at)?;
                values.push(match from_sql(column.kind, found) {
                    Some(value) => value,
                    None => {
                        let name = portable::named(table, values.first().unwrap_or(&Value::Null));
                        done.odd.push(format!("{name}: {}", column.name));
                        Value::Odd(as_it_is(found))
                    }
                });
            }
            writer.row(table, values)?;
        }
    }
    if tables == 0 {
        let reason = "it has none of the tables: it is another program's database, or a new one";
        return Err(Error::State { what: "database", reason: reason.into() }.into());
    }
    let mut highest = BTreeMap::new();
    for (table, query) in [
        ("ids_given", "SELECT of_table, highest FROM ids_given WHERE highest > 0"),
        ("sqlite_sequence", "SELECT name, seq FROM sqlite_sequence WHERE seq > 0"),
    ] {
        if there(table)?.is_empty() {
            continue;
        }
        let mut statement = db.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            highest.insert(row.get(0)?, row.get(1)?);
        }
    }
    writer.ids_given(&highest)?;
    done.rows = writer.end()?;
    Ok(done)
}

/// A value that is not of its column's kind.
fn as_it_is(value: ValueRef<'_>) -> Odd {
    match value {
        ValueRef::Null => Odd::Bytes(Vec::new()),
        ValueRef::Integer(number) => Odd::Int(number),
        ValueRef::Real(number) => Odd::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Odd::Text(text.to_owned()),
            Err(_) => Odd::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Odd::Bytes(bytes.to_vec()),
    }
}

fn insert(db: &Connection, table: &Table, values: Vec<Value>) -> rusqlite::Result<()> {
    let given: Vec<_> = table
        .columns
        .iter()
        .zip(values)
        .filter(|(column, value)| !(column.has_default && *value == Value::Null))
        .collect();
    let names = given.iter().map(|(column, _)| column.name).collect::<Vec<_>>().join(", ");
    let signs = vec!["?"; given.len()].join(", ");
    db.prepare_cached(&format!("INSERT INTO {} ({names}) VALUES ({signs})", table.name))?
        .execute(params_from_iter(given.into_iter().map(|(column, value)| to_sql(column.kind, value))))?;
    Ok(())
}

pub(super) fn to_sql(kind: Kind, value: Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Int(number) => Sql::Integer(number),
        Value::Real(number) => Sql::Real(number),
        Value::Bool(flag) => Sql::Integer(flag.into()),
        Value::Text(text) => Sql::Text(text),
        Value::Bytes(bytes) => Sql::Blob(bytes),
        Value::Time(time) if kind == Kind::Seconds && time.subsec_nanosecond() == 0 => Sql::Text(to_seconds(time)),
        Value::Time(time) => Sql::Text(to_micros(time)),
        Value::Date(date) => Sql::Text(date.to_string()),
        Value::Odd(Odd::Int(number)) => Sql::Integer(number),
        Value::Odd(Odd::Real(number)) => Sql::Real(number),
        Value::Odd(Odd::Text(text)) => Sql::Text(text),
        Value::Odd(Odd::Bytes(bytes)) => Sql::Blob(bytes),
    }
}

fn values(table: &Table, row: &Row<'_>) -> Outcome<Vec<Value>> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value = from_sql(column.kind, row.get_ref(at)?)
            .ok_or_else(|| portable::not_of_its_kind(table, column, values.first().unwrap_or(&Value::Null)))?;
        values.push(value);
    }
    Ok(values)
}

/// What SQLite holds in a column of this kind: it takes any value anywhere, and gives numbers back as they were given.
pub(super) fn from_sql(kind: Kind, value: ValueRef<'_>) -> Option<Value> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some(match (kind, value) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Int, ValueRef::Integer(number)) => Value::Int(number),
        (Kind::Real, ValueRef::Real(number)) => Value::Real(number),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a score or a time in seconds that was given without a fraction"
        )]
        (Kind::Real, ValueRef::Integer(number)) => Value::Real(number as f64),
        (Kind::Bool, ValueRef::Integer(number)) => Value::Bool(number != 0),
        (Kind::Text, ValueRef::Text(bytes)) => Value::Text(text(bytes)?.to_owned()),
        (Kind::Text, ValueRef::Integer(number)) => Value::Text(number.to_string()),
        (Kind::Text, ValueRef::Real(number)) => Value::Text(number.to_string()),
        (Kind::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Kind::Seconds | Kind::Micros, ValueRef::Text(bytes)) => Value::Time(parse(text(bytes)?)?),
        (Kind::Date, ValueRef::Text(bytes)) => Value::Date(text(bytes)?.parse().ok()?),
        _ => return None,
    })
}

fn count(db: &Connection, table: &Table) -> rusqlite::Result<u64> {
    db.query_row(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get(0))
}

impl SqliteStore {
    /// What is in the file at `path`, without bringing it to the current schema or changing anything else.
    ///
    /// # Errors
    /// [`Error::Store`] when it is not there or no SQLite database.
    pub fn survey(path: impl AsRef<Path>) -> Result<Survey> {
        let path = path.as_ref();
        let look = || -> Outcome<Survey> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(BUSY_TIMEOUT)?;
            Ok(look_at(&db)?)
        };
        look().map_err(|fault: Fault| fault.while_doing(&format!("look at the database {}", path.display())))
    }
}

fn look_at(db: &Connection) -> rusqlite::Result<Survey> {
    let mut there: HashMap<String, String> = HashMap::new();
    let mut statement = db.prepare("SELECT name, type FROM sqlite_master")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        there.insert(row.get(0)?, row.get(1)?);
    }
    let is_table = |name: &str| there.get(name).is_some_and(|kind| kind == "table");
    let mut survey = Survey::default();
    if is_table("schema_migrations") {
        survey.schema =
            db.query_row("SELECT COALESCE(max(version), 0) FROM schema_migrations", [], |row| row.get(0))?;
    }
    for table in TABLES.iter().filter(|table| is_table(table.name)) {
        survey.rows.push((table.name, count(db, table)?));
    }
    if survey.rows.is_empty() {
        survey.problems.push("it has none of the tables: it is another program's database, or a new one".into());
    }
    if survey.schema > 0 {
        let missing = unique_keys(survey.schema).filter(|name| !there.contains_key(*name));
        survey.problems.extend(missing.map(|name| format!("the unique key {name} is missing")));
    }
    let mut statement = db.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            survey.problems.push(format!("damaged: {said}"));
        }
    }
    let mut statement = db.prepare("SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, count): (String, u64) = (row.get(0)?, row.get(1)?);
        survey.problems.push(format!("{count} rows of {table} are of students who are not there"));
    }
    Ok(survey)
}
