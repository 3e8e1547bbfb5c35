//! Records of journals, each written once.

use jiff::Timestamp;
use postgres::Transaction;

use super::super::notices::text;
use super::super::rules::{deferred_fits, each_once, position, seen_leaving};
use super::super::{Deferred, DeferredOutcome, DeferredWrites, JournalId, Marking};
use super::attendance::{check_out, mark};
use super::audit::add_audit;
use super::detection_logs::add_detection_log;
use super::{Fault, Outcome, PostgresStore, micros, notices, second_looks};
use crate::error::{Error, Result};

impl DeferredWrites for PostgresStore {
    fn begin_journal(&self, journal: JournalId, now: Timestamp) -> Result<()> {
        self.write("begin a journal", |db| note_position(db, journal, None, now))
    }

    fn journal_position(&self, journal: JournalId) -> Result<Option<u64>> {
        self.read("read a journal's position", |db| position_of(db, journal, ""))
    }

    fn write_deferred(
        &self,
        journal: JournalId,
        records: &[(u64, Deferred)],
        now: Timestamp,
    ) -> Result<Vec<DeferredOutcome>> {
        records.iter().try_for_each(|(_, record)| deferred_fits(record))?;
        self.write("write what has waited", |db| {
            // Held: a transaction whose connection was lost may still be on its way to its end, and counts then.
            let before = position_of(db, journal, "FOR UPDATE")?.unwrap_or(0);
            let (outcomes, written) = each_once(records, before, |record| self.write_record(db, record))?;
            note_position(db, journal, Some(written), now)?;
            Ok(outcomes)
        })
    }
}

impl PostgresStore {
    fn write_record(&self, db: &mut Transaction<'_>, record: &Deferred) -> Outcome<DeferredOutcome> {
        let written = match record {
            Deferred::Sighting { mark: new, checks_out } => mark(db, new).and_then(|mut marking| {
                if let Marking::Marked(made) = &marking {
                    notices::leave(db, &text::marked(&self.name, made.id))?;
                } else if let Some(row) = seen_leaving(&marking, new.at, *checks_out) {
                    marking = Marking::AlreadyMarked(check_out(db, row, new.at)?);
                }
                Ok(DeferredOutcome::Marking(marking))
            }),
            Deferred::SecondLook(new) => second_looks::add(db, new).map(DeferredOutcome::SecondLook),
            Deferred::DetectionLogs(rows) => {
                for row in rows {
                    add_detection_log(db, row)?;
                }
                Ok(DeferredOutcome::Written)
            }
            Deferred::Audit(entry) => {
                add_audit(db, entry)?;
                Ok(DeferredOutcome::Written)
            }
        };
        match written {
            // Before anything of it was written.
            Err(Fault::Ours(Error::NotFound { .. })) => Ok(DeferredOutcome::StudentGone),
            other => other,
        }
    }
}

fn position_of(db: &mut Transaction<'_>, journal: JournalId, lock: &str) -> Outcome<Option<u64>> {
    let query = format!("SELECT position FROM write_journals WHERE journal = $1 {lock}");
    let row = db.query_opt(&query, &[&journal.to_string()])?;
    Ok(row.map(|row| row.try_get::<_, i64>(0)).transpose()?.map(|number| u64::try_from(number).unwrap_or(0)))
}

/// Notes how far a journal is written; without a number, that it is there.
fn note_position(db: &mut Transaction<'_>, journal: JournalId, to: Option<u64>, now: Timestamp) -> Outcome<()> {
    db.execute(
        "INSERT INTO write_journals AS j (journal, position, begun_at) VALUES ($1, COALESCE($2::bigint, 0), $3)
         ON CONFLICT (journal) DO UPDATE SET position = COALESCE($2::bigint, j.position)",
        &[&journal.to_string(), &to.map(position), &micros(now)],
    )?;
    Ok(())
}
