//! What a program writes by itself, and what of it waits for the database.
//!
//! Marks, second looks, entries of the detection log and of the audit log that nobody waits for go through a
//! [`Backlog`]. While the database works, each is written at once. While another program holds the database, or it is
//! away, they wait: in memory, and in a file beside the database, so that they survive the death of the process. Once
//! the database is back they are written in their order, each exactly once and with its own time: a mark belongs to
//! the day and the period in which the person was seen.

mod journal;
mod status;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result};
use crate::store::{Deferred, DeferredOutcome, JournalId, NewAttendance, SecondLookVerdict, Store, StoreTrouble};
use crate::types::StudentId;
use journal::JournalFile;
pub use journal::waiting_in;
pub use status::BacklogStatus;

/// How many sightings may wait: a week of a site of ten thousand people.
pub const MOST_SIGHTINGS: usize = 100_000;
/// How many batches of the detection log and entries of the audit log may wait: more than a day of batches.
pub const MOST_OTHERS: usize = 20_000;

/// How long a record waits for another one that is being written, before it goes to those that wait.
const PATIENCE: Duration = Duration::from_millis(250);
/// How many records one transaction writes, few enough that others hardly notice.
const AT_ONCE: usize = 200;
/// How often a student who is leaving is noted anew while the database is away.
const LEAVING_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What became of a record.
///
/// ```
/// use faceattend_core::backlog::Written;
/// use faceattend_core::store::DeferredOutcome;
///
/// let waits = |written: &Written| matches!(written, Written::Waits);
/// assert!(waits(&Written::Waits) && !waits(&Written::Now(DeferredOutcome::Written)));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is returned")]
pub enum Written {
    /// It is in the database.
    Now(DeferredOutcome),
    /// It waits for the database.
    Waits,
}

/// The records of one program that wait for its database. One for all cameras and threads of a process.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use std::sync::Arc;
///
/// use faceattend_core::attendance::{AttendancePolicy, Marker};
/// use faceattend_core::backlog::Backlog;
/// use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (database, waiting) = (folder.path().join("people.db"), folder.path().join("people.db-waiting"));
/// let store = Arc::new(SqliteStore::open(database)?);
/// let backlog = Arc::new(Backlog::open(store.clone(), Some(&waiting), Timestamp::now())?);
/// let marker = Marker::new(store, AttendancePolicy::in_time_zone("UTC")?).with_backlog(backlog.clone());
/// // ... cameras mark by this marker; now and then:
/// let written = backlog.write_waiting(Timestamp::now());
/// assert!(written.is_empty() && backlog.status().is_empty());
/// # drop(marker);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct Backlog {
    store: Arc<dyn Store>,
    journal: JournalId,
    state: Mutex<State>,
    /// Told when nobody writes any more.
    free: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    waiting: BTreeMap<u64, Deferred>,
    /// The sightings that wait, by what makes two of them one, with the latest time.
    sighted: HashMap<(StudentId, Date, String), Timestamp>,
    looks: HashSet<(StudentId, Date, String, SecondLookVerdict)>,
    sightings: usize,
    /// Whether a record, or a batch, is on its way to the database.
    is_writing: bool,
    file: Option<JournalFile>,
    /// Whether the file holds everything that waits.
    is_kept: bool,
    since: Option<Timestamp>,
    trouble: Option<StoreTrouble>,
    lost: u64,
}

impl std::fmt::Debug for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Backlog({} waiting)", self.state().waiting.len())
    }
}

impl Backlog {
    /// Returns the backlog of `store`, with what waits in the file at `path` from an earlier run. Without a path it
    /// is in memory alone. Of two processes with one file, the second has it in memory and says so in the log.
    ///
    /// A file of another database, whose records mean other students, is set aside under another name.
    ///
    /// # Errors
    /// Those of the store; [`Error::Io`]; [`Error::State`] for a file of a newer version.
    pub fn open(store: Arc<dyn Store>, path: Option<&Path>, now: Timestamp) -> Result<Self> {
        let mut state = State { is_kept: true, ..State::default() };
        let mut journal = JournalId::random();
        if let Some(path) = path {
            match JournalFile::open(path) {
                Ok((mut file, found)) => {
                    if found.damaged > 0 {
                        tracing::warn!(lines = found.damaged, "{} has damaged lines, left out", path.display());
                    }
                    let position = found.journal.map(|journal| store.journal_position(journal)).transpose()?.flatten();
                    match (found.journal, position) {
                        (Some(known), Some(position)) => {
                            journal = known;
                            let last = found.records.iter().map(|(number, _)| *number).max().unwrap_or(0);
                            state.next = last.max(position);
                            for (number, record) in found.records.into_iter().filter(|(n, _)| *n > position) {
                                state.note(&record);
                                state.waiting.insert(number, record);
                            }
                            state.since = state.waiting.values().filter_map(time_of).min();
                        }
                        (None, _) if found.damaged > 0 => {
                            let aside = file.set_aside(".damaged").map_err(|source| Error::Io {
                                action: "rename",
                                path: path.to_owned(),
                                source,
                            })?;
                            tracing::error!("{} cannot be read: it is {} now", path.display(), aside.display());
                        }
                        (Some(_), None) if !found.records.is_empty() => {
                            let aside = file.set_aside(".of-another-database").map_err(|source| Error::Io {
                                action: "rename",
                                path: path.to_owned(),
                                source,
                            })?;
                            tracing::error!(
                                records = found.records.len(),
                                "{} waits for another database than this one: it is {} now, and nothing of it is \
                                 written here",
                                path.display(),
                                aside.display()
                            );
                        }
                        _ => {}
                    }
                    if position.is_none() || Some(journal) != found.journal {
                        store.begin_journal(journal, now)?;
                    }
                    let kept = file.rewrite(journal, state.waiting.iter());
                    kept.map_err(|source| Error::Io { action: "write", path: path.to_owned(), source })?;
                    state.file = Some(file);
                }
                Err(Error::Io { action: "lock", .. }) => {
                    tracing::error!(
                        "another process holds {}: what waits for the database is in memory alone",
                        path.display()
                    );
                    store.begin_journal(journal, now)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self { store, journal, state: Mutex::new(state), free: Condvar::new() })
    }

    /// Writes a record, or lets it wait where the database is held or away, or where others wait already.
    ///
    /// # Errors
    /// [`Error::Store`] where too many wait: the record is lost, and counted. Those of the store that are no trouble
    /// of the database, such as [`Error::InvalidInput`].
    pub fn write(&self, record: Deferred, now: Timestamp) -> Result<Written> {
        let state = self.state();
        let waited =
            self.free.wait_timeout_while(state, PATIENCE, |state| state.is_writing && state.waiting.is_empty());
        let mut state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        state.next += 1;
        let number = state.next;
        if state.is_writing || !state.waiting.is_empty() {
            return self.keep_waiting(&mut state, number, record, now);
        }
        state.is_writing = true;
        drop(state);
        let records = [(number, record)];
        let _turn = Turn(self);
        let written = self.store.write_deferred(self.journal, &records, now);
        let [(_, record)] = records;
        match written {
            Ok(mut outcomes) => Ok(Written::Now(outcomes.pop().unwrap_or(DeferredOutcome::Written))),
            Err(error) => {
                let Some(trouble) = StoreTrouble::of(&error) else { return Err(error) };
                // Before the turn is over: nobody may write a later record first.
                let mut state = self.state();
                state.trouble = Some(trouble);
                tracing::warn!("{error}: what cameras see waits for it");
                self.keep_waiting(&mut state, number, record, now)
            }
        }
    }

    /// Writes what waits, as far as the database takes it; returns what became of each record, in their order. Call it
    /// about once a second. Blocks as long as a write of the store does.
    pub fn write_waiting(&self, now: Timestamp) -> Vec<DeferredOutcome> {
        let mut outcomes = Vec::new();
        let mut at_once = AT_ONCE;
        loop {
            let mut state = self.state();
            if state.waiting.is_empty() || state.is_writing {
                return outcomes;
            }
            state.is_writing = true;
            let records: Vec<_> =
                state.waiting.iter().take(at_once).map(|(number, record)| (*number, record.clone())).collect();
            drop(state);
            let _turn = Turn(self);
            let written = self.store.write_deferred(self.journal, &records, now);
            let mut state = self.state();
            match written {
                Ok(done) => {
                    outcomes.extend(done);
                    state.forget(records.iter().map(|(number, _)| *number));
                    at_once = AT_ONCE;
                }
                Err(error) => match StoreTrouble::of(&error) {
                    Some(trouble) => {
                        state.trouble = Some(trouble);
                        self.save(&mut state);
                        return outcomes;
                    }
                    // One of them is at fault: which one shows when each goes alone.
                    None if records.len() > 1 => at_once = 1,
                    None => {
                        tracing::error!("a record that waited cannot be written, and is left out: {error}");
                        state.lost += 1;
                        state.forget(records.iter().map(|(number, _)| *number));
                    }
                },
            }
            if state.waiting.is_empty() {
                tracing::info!(records = outcomes.len(), "what waited for the database is written");
                (state.since, state.trouble) = (None, None);
                self.save(&mut state);
            }
        }
    }

    /// Returns whether a sighting that makes the same mark waits already, so that this one need not. One who is leaving
    /// is noted anew each minute.
    #[must_use]
    pub fn holds(&self, mark: &NewAttendance, checks_out: bool) -> bool {
        let state = self.state();
        let Some(latest) = state.sighted.get(&(mark.student, mark.day.date, mark.period.clone())) else { return false };
        !checks_out || mark.at.duration_since(*latest) < LEAVING_EVERY
    }

    /// Returns whether a sighting for the second-look list waits that would be the same entry.
    #[must_use]
    pub fn holds_second_look(&self, sighting: &NewAttendance, verdict: SecondLookVerdict) -> bool {
        let key = (sighting.student, sighting.day.date, sighting.period.clone(), verdict);
        self.state().looks.contains(&key)
    }

    /// Forgets what waits about a student who is erased, in memory and in the file.
    pub fn forget(&self, student: StudentId) {
        let mut state = self.state();
        let gone: Vec<_> =
            state.waiting.iter().filter(|(_, record)| record.student() == Some(student)).map(|(n, _)| *n).collect();
        if !gone.is_empty() {
            state.forget(gone.into_iter());
            state.is_kept = false;
            self.save(&mut state);
        }
    }

    /// Does `work` while no record is on its way to the database: what cameras see meanwhile waits.
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        let free = self.free.wait_while(self.state(), |state| state.is_writing);
        free.unwrap_or_else(PoisonError::into_inner).is_writing = true;
        let _turn = Turn(self);
        work()
    }

    /// Lets what waits about `gone`, whose record was merged into another one, be about `kept`. Call it within
    /// [`hold`](Self::hold), or a record goes to the database in between and finds its student gone.
    pub(crate) fn reassign(&self, gone: StudentId, kept: StudentId) {
        let mut state = self.state();
        let theirs: Vec<(u64, Deferred)> = state
            .waiting
            .iter()
            .filter(|(_, record)| record.student() == Some(gone))
            .map(|(number, record)| (*number, record.clone().about(kept)))
            .collect();
        if theirs.is_empty() {
            return;
        }
        state.forget(theirs.iter().map(|(number, _)| *number));
        for (number, record) in theirs {
            state.note(&record);
            state.waiting.insert(number, record);
        }
        state.is_kept = false;
        self.save(&mut state);
    }

    /// Returns whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// Returns what waits.
    #[must_use]
    pub fn status(&self) -> BacklogStatus {
        let state = self.state();
        let mut status = BacklogStatus::default();
        (status.since, status.trouble, status.lost) = (state.since, state.trouble, state.lost);
        status.is_kept = state.is_kept && state.file.is_some();
        state.waiting.values().for_each(|record| status.count(record));
        status
    }

    fn keep_waiting(
        &self,
        state: &mut MutexGuard<'_, State>,
        number: u64,
        record: Deferred,
        now: Timestamp,
    ) -> Result<Written> {
        let is_sighting = record.student().is_some();
        let others = state.waiting.len() - state.sightings;
        if (is_sighting && state.sightings >= MOST_SIGHTINGS) || (!is_sighting && others >= MOST_OTHERS) {
            if state.lost == 0 {
                tracing::error!("too much waits for the database: what comes now is lost until it is back");
            }
            state.lost += 1;
            let reason = "too much waits for the database, which does not come back".to_owned();
            return Err(Error::Store { reason, source: None });
        }
        state.since.get_or_insert(now);
        state.note(&record);
        if state.is_kept
            && let Some(Err(error)) = state.file.as_mut().map(|file| file.append(number, &record))
        {
            tracing::error!("what waits for the database cannot be kept in its file, only in memory: {error}");
            state.is_kept = false;
        }
        state.waiting.insert(number, record);
        Ok(Written::Waits)
    }

    /// Brings the file to what waits: empties it, or writes it anew where it lacks something or is mostly of the past.
    fn save(&self, state: &mut State) {
        let State { file: Some(file), waiting, is_kept, .. } = state else { return };
        let saved = if waiting.is_empty() && *is_kept {
            file.clear()
        } else if !*is_kept || file.records > 2 * waiting.len() as u64 {
            file.rewrite(self.journal, waiting.iter())
        } else {
            Ok(())
        };
        match saved {
            Ok(()) => *is_kept = true,
            Err(error) if *is_kept => {
                tracing::error!("what waits for the database cannot be kept in its file, only in memory: {error}");
                *is_kept = false;
            }
            Err(_) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, record: &Deferred) {
        self.sightings += usize::from(record.student().is_some());
        match record {
            Deferred::Sighting { mark, .. } => {
                let latest = self.sighted.entry((mark.student, mark.day.date, mark.period.clone())).or_insert(mark.at);
                *latest = mark.at.max(*latest);
            }
            Deferred::SecondLook(new) => {
                let NewAttendance { student, day, period, .. } = &new.sighting;
                self.looks.insert((*student, day.date, period.clone(), new.verdict));
            }
            Deferred::DetectionLogs(_) | Deferred::Audit(_) => {}
        }
    }

    fn forget(&mut self, numbers: impl Iterator<Item = u64>) {
        for number in numbers {
            let Some(record) = self.waiting.remove(&number) else { continue };
            self.sightings -= usize::from(record.student().is_some());
            match record {
                Deferred::Sighting { mark, .. } => {
                    self.sighted.remove(&(mark.student, mark.day.date, mark.period));
                }
                Deferred::SecondLook(new) => {
                    let NewAttendance { student, day, period, .. } = new.sighting;
                    self.looks.remove(&(student, day.date, period, new.verdict));
                }
                Deferred::DetectionLogs(_) | Deferred::Audit(_) => {}
            }
        }
    }
}

/// The time of a record.
fn time_of(record: &Deferred) -> Option<Timestamp> {
    match record {
        Deferred::Sighting { mark, .. } => Some(mark.at),
        Deferred::SecondLook(new) => Some(new.sighting.at),
        Deferred::DetectionLogs(rows) => rows.first().map(|row| row.timestamp),
        Deferred::Audit(entry) => Some(entry.at),
    }
}

/// Whoever writes to the database. Others go on when it is dropped, also by a panic.
struct Turn<'b>(&'b Backlog);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().is_writing = false;
        self.0.free.notify_all();
    }
}
