//! Notices to people and systems.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, params_from_iter};

use super::super::outbox::statements::{Cells, Statements, can_be_kept};
use super::super::outbox::{channels, events, guardians, letters};
use super::super::portable::{Kind, Value};
use super::super::{
    AlertChannel, AlertFacts, AlertRule, FailedTry, Guardian, Guardians, Letter, Listed, NewAlertChannel, NewAlertRule,
    Outbox, OutboxFilter, OutboxRow, OutboxState, Page, TemplateForms,
};
use super::SqliteStore;
use super::connection::{Fault, Outcome};
use super::portable::{from_sql, to_sql};
use crate::error::{Error, Result};
use crate::types::StudentId;

/// A transaction that takes statements of both databases.
pub(super) struct Shared<'a>(pub(super) &'a Connection);

/// SQLite counts its values with another sign.
fn own(sql: &str) -> String {
    sql.replace('$', "?")
}

impl Statements for Shared<'_> {
    type Fault = Fault;

    const NOW: &'static str = "CAST(unixepoch('subsec') AS REAL)";
    const ALONE: bool = true;

    fn run(&mut self, sql: &str, values: &[Value]) -> Outcome<u64> {
        can_be_kept(values)?;
        let values = values.iter().map(|value| to_sql(Kind::Micros, value.clone()));
        Ok(self.0.prepare_cached(&own(sql))?.execute(params_from_iter(values))? as u64)
    }

    fn rows(&mut self, sql: &str, values: &[Value], kinds: &[Kind]) -> Outcome<Vec<Cells>> {
        can_be_kept(values)?;
        let values = values.iter().map(|value| to_sql(Kind::Micros, value.clone()));
        let mut statement = self.0.prepare_cached(&own(sql))?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut cells = Vec::with_capacity(kinds.len());
            for (at, kind) in kinds.iter().enumerate() {
                let Some(value) = from_sql(*kind, row.get_ref(at)?) else {
                    let reason = "a row of the notices holds a value of another kind than its column's".into();
                    return Err(Error::Store { reason, source: None }.into());
                };
                cells.push(value);
            }
            found.push(Cells(cells));
        }
        Ok(found)
    }

    // One connection writes.
    fn alone(&mut self) -> Outcome<()> {
        Ok(())
    }
}

impl Outbox for SqliteStore {
    fn alert_channels(&self) -> Result<Vec<AlertChannel>> {
        self.read("list the channels of notices", |db| channels::channels(&mut Shared(db), &self.keys))
    }

    fn keep_alert_channel(&self, id: Option<i64>, new: &NewAlertChannel) -> Result<AlertChannel> {
        self.write("keep a channel of notices", |db| channels::keep_channel(&mut Shared(db), &self.keys, id, new))
    }

    fn remove_alert_channel(&self, id: i64) -> Result<AlertChannel> {
        self.write("remove a channel of notices", |db| channels::remove_channel(&mut Shared(db), &self.keys, id))
    }

    fn alert_secret_forms(&self) -> Result<TemplateForms> {
        self.read("count the secrets of channels", |db| channels::forms(&mut Shared(db)))
    }

    fn alert_rules(&self) -> Result<Vec<AlertRule>> {
        self.read("list the rules of notices", |db| channels::rules(&mut Shared(db)))
    }

    fn keep_alert_rule(&self, id: Option<i64>, new: &NewAlertRule) -> Result<AlertRule> {
        self.write("keep a rule of notices", |db| channels::keep_rule(&mut Shared(db), &self.keys, id, new))
    }

    fn remove_alert_rule(&self, id: i64) -> Result<AlertRule> {
        self.write("remove a rule of notices", |db| channels::remove_rule(&mut Shared(db), id))
    }

    fn write_absences(&self, rule: i64, day: Date, absent: &[AlertFacts], now: Timestamp) -> Result<Option<u64>> {
        self.write("write who is absent", |db| events::absences(&mut Shared(db), rule, day, absent, now))
    }

    fn absences_are_written(&self, rule: i64, day: Date) -> Result<bool> {
        self.read("read who is absent", |db| events::is_evaluated(&mut Shared(db), rule, day))
    }

    fn camera_is_down(&self, camera: i64, name: &str, location: Option<&str>, now: Timestamp) -> Result<()> {
        self.write("note a camera that is down", |db| {
            events::camera_is_down(&mut Shared(db), camera, name, location, now)
        })
    }

    fn camera_is_up(&self, camera: i64) -> Result<()> {
        self.write("note a camera that is up", |db| events::camera_is_up(&mut Shared(db), camera))
    }

    fn cameras_down(&self) -> Result<Vec<i64>> {
        self.read("list the cameras that are down", |db| events::cameras_down(&mut Shared(db)))
    }

    fn due_alert_channels(&self, now: Timestamp) -> Result<Vec<i64>> {
        self.read("look for notices to send", |db| letters::due_channels(&mut Shared(db), now))
    }

    fn take_letter(&self, channel: i64, by: &str, lease: Duration, now: Timestamp) -> Result<Option<Letter>> {
        self.write("take a notice to send", |db| letters::take(&mut Shared(db), &self.keys, channel, (by, lease), now))
    }

    fn letter_sent(&self, letter: &str, by: &str, now: Timestamp) -> Result<()> {
        self.write("note a notice as sent", |db| letters::sent(&mut Shared(db), letter, by, now))
    }

    fn letter_failed(&self, letter: &str, by: &str, failed: &FailedTry, now: Timestamp) -> Result<()> {
        self.write("note a notice as not sent", |db| letters::failed(&mut Shared(db), letter, by, failed, now))
    }

    fn outbox(&self, filter: OutboxFilter, page: Page) -> Result<Listed<OutboxRow>> {
        self.read("list the outbox", |db| letters::list(&mut Shared(db), filter, page))
    }

    fn outbox_of(&self, student: StudentId) -> Result<Vec<OutboxRow>> {
        self.read("list the outbox", |db| letters::of_student(&mut Shared(db), student))
    }

    fn resend_letter(&self, letter: &str, now: Timestamp) -> Result<u64> {
        self.write("send a notice again", |db| letters::resend(&mut Shared(db), letter, now))
    }

    fn outbox_state(&self) -> Result<OutboxState> {
        self.read("look at the outbox", |db| letters::state(&mut Shared(db)))
    }

    fn retire_outbox(&self, before: Timestamp) -> Result<u64> {
        self.write("delete old notices", |db| letters::retire(&mut Shared(db), before))
    }
}

impl Guardians for SqliteStore {
    fn guardians(&self, student: StudentId) -> Result<Vec<Guardian>> {
        self.read("read the guardians", |db| guardians::list(&mut Shared(db), student))
    }

    fn set_guardians(&self, student: StudentId, given: &[Guardian], now: Timestamp) -> Result<()> {
        let given = guardians::guardians_fit(given)?;
        self.write("keep the guardians", |db| guardians::set(&mut Shared(db), student, &given, now))
    }
}
