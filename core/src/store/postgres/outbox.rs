//! Notices to people and systems.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type};
use postgres::{Statement, Transaction};

use super::super::outbox::statements::{Cells, Statements, can_be_kept};
use super::super::outbox::{channels, events, guardians, letters};
use super::super::portable::{Kind, Value};
use super::super::{
    AlertChannel, AlertFacts, AlertRule, FailedTry, Guardian, Guardians, Letter, Listed, NewAlertChannel, NewAlertRule,
    Outbox, OutboxFilter, OutboxRow, OutboxState, Page, TemplateForms,
};
use super::portable::value;
use super::{Fault, Outcome, PostgresStore, micros, time};
use crate::error::Result;
use crate::types::StudentId;

/// A transaction that takes statements of both databases.
pub(super) struct Shared<'a, 't> {
    pub(super) db: &'a mut Transaction<'t>,
    /// What was prepared in this transaction: of a list of students the same few statements, thousands of times.
    prepared: HashMap<String, Statement>,
}

impl<'a, 't> Shared<'a, 't> {
    pub(super) fn of(db: &'a mut Transaction<'t>) -> Self {
        Self { db, prepared: HashMap::new() }
    }

    fn prepared(&mut self, sql: &str) -> Outcome<Statement> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.db.prepare(sql)?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Whoever takes letters, or writes who is absent, holds this lock until the transaction is over: "outb" in ASCII.
const LOCK: i64 = 0x6f75_7462;

impl Statements for Shared<'_, '_> {
    type Fault = Fault;

    const NOW: &'static str = "extract(epoch FROM clock_timestamp())::double precision";
    const ALONE: bool = false;

    fn run(&mut self, sql: &str, values: &[Value]) -> Outcome<u64> {
        can_be_kept(values)?;
        let values: Vec<Given<'_>> = values.iter().map(Given).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let statement = self.prepared(sql)?;
        Ok(self.db.execute(&statement, &values)?)
    }

    fn rows(&mut self, sql: &str, values: &[Value], kinds: &[Kind]) -> Outcome<Vec<Cells>> {
        can_be_kept(values)?;
        let values: Vec<Given<'_>> = values.iter().map(Given).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let mut found = Vec::new();
        let statement = self.prepared(sql)?;
        for row in self.db.query(&statement, &values)? {
            let mut cells = Vec::with_capacity(kinds.len());
            for (at, kind) in kinds.iter().enumerate() {
                cells.push(match kind {
                    Kind::Micros | Kind::Seconds => time(&row, at)?.map_or(Value::Null, Value::Time),
                    kind => value(*kind, &row, at)?,
                });
            }
            found.push(Cells(cells));
        }
        Ok(found)
    }

    fn alone(&mut self) -> Outcome<()> {
        self.db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
        Ok(())
    }
}

/// A value as the database asks for it: a null is of every type.
#[derive(Debug)]
struct Given<'a>(&'a Value);

impl ToSql for Given<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null | Value::Odd(_) => Ok(IsNull::Yes),
            Value::Int(number) => number.to_sql_checked(ty, out),
            Value::Real(number) => number.to_sql_checked(ty, out),
            Value::Bool(flag) => flag.to_sql_checked(ty, out),
            Value::Text(text) => text.to_sql_checked(ty, out),
            Value::Bytes(bytes) => bytes.to_sql_checked(ty, out),
            Value::Time(at) => micros(*at).to_sql_checked(ty, out),
            Value::Date(date) => date.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

impl Outbox for PostgresStore {
    fn alert_channels(&self) -> Result<Vec<AlertChannel>> {
        self.read("list the channels of notices", |db| channels::channels(&mut Shared::of(db), &self.keys))
    }

    fn keep_alert_channel(&self, id: Option<i64>, new: &NewAlertChannel) -> Result<AlertChannel> {
        self.write("keep a channel of notices", |db| channels::keep_channel(&mut Shared::of(db), &self.keys, id, new))
    }

    fn remove_alert_channel(&self, id: i64) -> Result<AlertChannel> {
        self.write("remove a channel of notices", |db| channels::remove_channel(&mut Shared::of(db), &self.keys, id))
    }

    fn alert_secret_forms(&self) -> Result<TemplateForms> {
        self.read("count the secrets of channels", |db| channels::forms(&mut Shared::of(db)))
    }

    fn alert_rules(&self) -> Result<Vec<AlertRule>> {
        self.read("list the rules of notices", |db| channels::rules(&mut Shared::of(db)))
    }

    fn keep_alert_rule(&self, id: Option<i64>, new: &NewAlertRule) -> Result<AlertRule> {
        self.write("keep a rule of notices", |db| channels::keep_rule(&mut Shared::of(db), &self.keys, id, new))
    }

    fn remove_alert_rule(&self, id: i64) -> Result<AlertRule> {
        self.write("remove a rule of notices", |db| channels::remove_rule(&mut Shared::of(db), id))
    }

    fn write_absences(&self, rule: i64, day: Date, absent: &[AlertFacts], now: Timestamp) -> Result<Option<u64>> {
        self.write("write who is absent", |db| events::absences(&mut Shared::of(db), rule, day, absent, now))
    }

    fn absences_are_written(&self, rule: i64, day: Date) -> Result<bool> {
        self.read("read who is absent", |db| events::is_evaluated(&mut Shared::of(db), rule, day))
    }

    fn camera_is_down(&self, camera: i64, name: &str, location: Option<&str>, now: Timestamp) -> Result<()> {
        self.write("note a camera that is down", |db| {
            events::camera_is_down(&mut Shared::of(db), camera, name, location, now)
        })
    }

    fn camera_is_up(&self, camera: i64) -> Result<()> {
        self.write("note a camera that is up", |db| events::camera_is_up(&mut Shared::of(db), camera))
    }

    fn cameras_down(&self) -> Result<Vec<i64>> {
        self.read("list the cameras that are down", |db| events::cameras_down(&mut Shared::of(db)))
    }

    fn due_alert_channels(&self, now: Timestamp) -> Result<Vec<i64>> {
        self.read("look for notices to send", |db| letters::due_channels(&mut Shared::of(db), now))
    }

    fn take_letter(&self, channel: i64, by: &str, lease: Duration, now: Timestamp) -> Result<Option<Letter>> {
        self.write("take a notice to send", |db| {
            letters::take(&mut Shared::of(db), &self.keys, channel, (by, lease), now)
        })
    }

    fn letter_sent(&self, letter: &str, by: &str, now: Timestamp) -> Result<()> {
        self.write("note a notice as sent", |db| letters::sent(&mut Shared::of(db), letter, by, now))
    }

    fn letter_failed(&self, letter: &str, by: &str, failed: &FailedTry, now: Timestamp) -> Result<()> {
        self.write("note a notice as not sent", |db| letters::failed(&mut Shared::of(db), letter, by, failed, now))
    }

    fn outbox(&self, filter: OutboxFilter, page: Page) -> Result<Listed<OutboxRow>> {
        self.read("list the outbox", |db| letters::list(&mut Shared::of(db), filter, page))
    }

    fn outbox_of(&self, student: StudentId) -> Result<Vec<OutboxRow>> {
        self.read("list the outbox", |db| letters::of_student(&mut Shared::of(db), student))
    }

    fn resend_letter(&self, letter: &str, now: Timestamp) -> Result<u64> {
        self.write("send a notice again", |db| letters::resend(&mut Shared::of(db), letter, now))
    }

    fn outbox_state(&self) -> Result<OutboxState> {
        self.read("look at the outbox", |db| letters::state(&mut Shared::of(db)))
    }

    fn retire_outbox(&self, before: Timestamp) -> Result<u64> {
        self.write("delete old notices", |db| letters::retire(&mut Shared::of(db), before))
    }
}

impl Guardians for PostgresStore {
    fn guardians(&self, student: StudentId) -> Result<Vec<Guardian>> {
        self.read("read the guardians", |db| guardians::list(&mut Shared::of(db), student))
    }

    fn set_guardians(&self, student: StudentId, given: &[Guardian], now: Timestamp) -> Result<()> {
        let given = guardians::guardians_fit(given)?;
        self.write("keep the guardians", |db| guardians::set(&mut Shared::of(db), student, &given, now))
    }
}
