//! Records of journals, each written once.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::naive_time::to_micros;
use super::super::notices::text;
use super::super::rules::{deferred_fits, each_once, position, seen_leaving};
use super::super::{Deferred, DeferredOutcome, DeferredWrites, JournalId, Marking};
use super::attendance::{check_out, mark};
use super::detection_logs::insert_detection_log;
use super::{Fault, Outcome, SqliteStore, audit, notices, second_looks};
use crate::error::{Error, Result};

impl DeferredWrites for SqliteStore {
    fn begin_journal(&self, journal: JournalId, now: Timestamp) -> Result<()> {
        self.write("begin a journal", |db| Ok(note_position(db, journal, None, now)?))
    }

    fn journal_position(&self, journal: JournalId) -> Result<Option<u64>> {
        self.read("read a journal's position", |db| Ok(position_of(db, journal)?))
    }

    fn write_deferred(
        &self,
        journal: JournalId,
        records: &[(u64, Deferred)],
        now: Timestamp,
    ) -> Result<Vec<DeferredOutcome>> {
        records.iter().try_for_each(|(_, record)| deferred_fits(record))?;
        self.write("write what has waited", |db| {
            let before = position_of(db, journal)?.unwrap_or(0);
            let (outcomes, written) = each_once(records, before, |record| self.write_record(db, record))?;
            note_position(db, journal, Some(written), now)?;
            Ok(outcomes)
        })
    }
}

impl SqliteStore {
    fn write_record(&self, db: &Connection, record: &Deferred) -> Outcome<DeferredOutcome> {
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
                    insert_detection_log(db, row)?;
                }
                Ok(DeferredOutcome::Written)
            }
            Deferred::Audit(entry) => {
                audit::add(db, entry)?;
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

fn position_of(db: &Connection, journal: JournalId) -> rusqlite::Result<Option<u64>> {
    let query = "SELECT position FROM write_journals WHERE journal = ?1";
    db.prepare_cached(query)?.query_row([journal.to_string()], |row| row.get(0)).optional()
}

/// Notes how far a journal is written; without a number, that it is there.
fn note_position(db: &Connection, journal: JournalId, to: Option<u64>, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO write_journals (journal, position, begun_at) VALUES (?1, COALESCE(?2, 0), ?3)
         ON CONFLICT (journal) DO UPDATE SET position = COALESCE(?2, position)",
    )?
    .execute(params![journal.to_string(), to.map(position), to_micros(now)])?;
    Ok(())
}
