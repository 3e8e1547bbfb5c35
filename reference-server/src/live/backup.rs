//! The back-ups that the server makes every day: a thread makes the one that is due, and tries again after a failure.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use faceattend_core::backup::{make, name_of, old, time_of};
use faceattend_core::store::{LockName, NewAuditEntry, Store};
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

use super::background::BackgroundThreads;
use crate::settings::BackupSettings;

/// The subject of every entry of the audit log about a back-up. Servers of one database know by them whether today's is
/// made.
pub(crate) const AUDIT_SUBJECT: &str = "backup";

/// How often the clock is looked at.
const ROUND: Duration = Duration::from_secs(20);
/// How long after a failure it is tried again: a disk that was full, or a folder that was not mounted.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// A back-up that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) at: Timestamp,
    /// Its file, or who made it where another server did.
    pub(crate) file: String,
    /// Its size; `None` where another server has it.
    pub(crate) bytes: Option<u64>,
}

/// How it stands with the back-ups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BackupState {
    pub(crate) last: Option<Done>,
    /// When the latest try failed, and of what; `None` once one has succeeded.
    pub(crate) failed: Option<(Timestamp, String)>,
}

/// The back-ups of this server.
pub(crate) struct Backups {
    settings: BackupSettings,
    store: Arc<dyn Store>,
    state: Mutex<BackupState>,
}

/// What became of a round.
enum Turn {
    Made(Done),
    /// Another server made it, or makes it.
    Others(Option<Done>),
}

impl Backups {
    /// Starts the thread.
    pub(super) fn start(
        settings: BackupSettings,
        store: Arc<dyn Store>,
        threads: &BackgroundThreads,
    ) -> Result<Arc<Self>> {
        let backups = Arc::new(Self { settings, store, state: Mutex::default() });
        let (ends, at_work) = (threads.clone(), Arc::clone(&backups));
        threads.thread("backups", move || {
            loop {
                at_work.round(Timestamp::now());
                if !ends.wait(ROUND) {
                    return;
                }
            }
        })?;
        Ok(backups)
    }

    pub(crate) fn state(&self) -> BackupState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder of the back-ups.
    pub(crate) fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// When the next back-up is made, if all is well.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        self.settings.clock.next(now)
    }

    /// Makes the back-up, if it is due.
    fn round(&self, now: Timestamp) {
        let before = self.state();
        let own = newest_in(&self.settings.folder);
        let last = before.last.clone().max_by_time(own);
        self.set(|state| state.last.clone_from(&last));
        let rests = before.failed.as_ref().is_some_and(|(at, _)| *at <= now && now < *at + AGAIN);
        if rests || !self.settings.clock.is_due(last.as_ref().map(|last| last.at), now) {
            return;
        }
        match self.make(now) {
            Ok(Turn::Made(done)) => {
                tracing::info!(file = done.file, bytes = done.bytes, "back-up made");
                self.set(|state| *state = BackupState { last: Some(done), failed: None });
            }
            Ok(Turn::Others(done)) => self.set(|state| {
                state.last = state.last.take().max_by_time(done);
                state.failed = None;
            }),
            Err(error) => {
                let reason = told(&error);
                tracing::error!("no back-up could be made, the next try is in ten minutes: {reason}");
                self.set(|state| state.failed = Some((now, reason)));
            }
        }
    }

    fn make(&self, now: Timestamp) -> Result<Turn> {
        let settings = &self.settings;
        let database = &settings.source.database;
        let Some(_turn) = database.lock(LockName::Backup)? else { return Ok(Turn::Others(None)) };
        if database.is_shared()
            && let Some(done) = self.made_by_others()?
            && !settings.clock.is_due(Some(done.at), now)
        {
            return Ok(Turn::Others(Some(done)));
        }
        let failed = |source| Error::Io { action: "create", path: settings.folder.clone(), source };
        std::fs::create_dir_all(&settings.folder).map_err(failed)?;
        let file = settings.folder.join(name_of(now));
        let made = make(&file, &settings.source, settings.passphrase.as_ref(), now, &mut |_| {})?;
        rotate(settings, now);
        let done = Done { at: now, file: file.display().to_string(), bytes: Some(made.bytes) };
        let by = settings.server_name.clone().unwrap_or_else(|| "server".into());
        let entry = NewAuditEntry {
            at: now,
            actor: by,
            action: "backup".into(),
            subject: Some(AUDIT_SUBJECT.into()),
            details: Some(format!("{}, {} bytes", done.file, made.bytes)),
        };
        if let Err(error) = self.store.add_audit(&entry) {
            tracing::warn!("the back-up is made, but the audit log does not have it: {error}");
        }
        Ok(Turn::Made(done))
    }

    /// The newest back-up that the audit log of a shared database knows of.
    fn made_by_others(&self) -> Result<Option<Done>> {
        let newest = self.store.audit_about(AUDIT_SUBJECT)?.pop();
        Ok(newest.map(|newest| Done {
            at: newest.entry.at,
            file: format!("{}: {}", newest.entry.actor, newest.entry.details.unwrap_or_default()),
            bytes: None,
        }))
    }

    fn set(&self, change: impl FnOnce(&mut BackupState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The later of two back-ups.
trait MaxByTime {
    fn max_by_time(self, other: Self) -> Self;
}

impl MaxByTime for Option<Done> {
    fn max_by_time(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(other)) if other.at > one.at => Some(other),
            (None, other) => other,
            (one, _) => one,
        }
    }
}

/// The newest scheduled back-up in the folder, by its name.
pub(crate) fn newest_in(folder: &Path) -> Option<Done> {
    let newest = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let at = time_of(entry.file_name().to_str()?)?;
        let bytes = entry.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        Some(Done { at, file: entry.path().display().to_string(), bytes: Some(bytes) })
    });
    newest.max_by_key(|done| done.at)
}

/// Deletes the back-ups that are too old, or too many.
fn rotate(settings: &BackupSettings, now: Timestamp) {
    let Ok(entries) = std::fs::read_dir(&settings.folder) else { return };
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    for name in old(names.iter().map(String::as_str), settings.keep, now) {
        let path = settings.folder.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::info!("deleted the old back-up {}", path.display()),
            Err(error) => tracing::warn!("cannot delete the old back-up {}: {error}", path.display()),
        }
    }
    // What a process that was killed has left. A part that is written is locked.
    for name in names.iter().filter(|name| name.strip_suffix(".part").is_some_and(|name| time_of(name).is_some())) {
        let path = settings.folder.join(name);
        if std::fs::File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

fn told(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use faceattend_core::backup::{Clock, Keep, Source, look};
    use faceattend_core::store::prelude::*;
    use faceattend_core::store::{Page, SqliteStore, StoreLocation};
    use jiff::tz::TimeZone;

    use super::*;

    fn backups(folder: &Path, store: &Arc<SqliteStore>) -> Backups {
        let settings = BackupSettings {
            folder: folder.join("backups"),
            source: Source::new(StoreLocation::File(folder.join("a.db"))),
            clock: Clock::new("02:30".parse().unwrap(), TimeZone::UTC),
            keep: Keep::Newest(2),
            passphrase: None,
            server_name: None,
        };
        Backups { settings, store: Arc::clone(store) as Arc<dyn Store>, state: Mutex::default() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn one_is_made_a_day_missed_ones_at_the_start_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let backups = backups(folder.path(), &store);
        let files = || {
            let mut names: Vec<_> = std::fs::read_dir(folder.path().join("backups"))
                .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
                .unwrap_or_default();
            names.sort();
            names
        };
        backups.round(at("2026-03-02T08:00:00Z"));
        backups.round(at("2026-03-02T23:00:00Z"));
        assert_eq!(files(), ["faceattend-2026-03-02T080000Z.backup"], "none was there; then it was made");
        backups.round(at("2026-03-03T02:30:00Z"));
        // A server that was down at the time, and whose memory begins anew.
        let again = self::backups(folder.path(), &store);
        std::fs::write(folder.path().join("backups/faceattend-2026-03-01T023000Z.backup.part"), "half").unwrap();
        again.round(at("2026-03-04T02:29:59Z"));
        assert_eq!(files().len(), 3);
        again.round(at("2026-03-06T10:00:00Z"));
        let kept = ["faceattend-2026-03-03T023000Z.backup", "faceattend-2026-03-06T100000Z.backup"];
        assert_eq!(files(), kept);
        look(&folder.path().join("backups").join(kept[1]), None, &mut |_| {}).unwrap();
        let log = store.audit(Page::ALL).unwrap().items;
        assert_eq!(log.iter().filter(|entry| entry.entry.action == "backup").count(), 3);
        assert_eq!(again.state().last.unwrap().at, at("2026-03-06T10:00:00Z"));
    }

    #[test]
    fn a_failure_is_told_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        std::fs::write(folder.path().join("backups"), "a file in its place").unwrap();
        let backups = backups(folder.path(), &store);
        backups.round(at("2026-03-02T08:00:00Z"));
        let (when, reason) = backups.state().failed.unwrap();
        assert_eq!(when, at("2026-03-02T08:00:00Z"));
        assert!(reason.contains("backups"), "{reason}");
        std::fs::remove_file(folder.path().join("backups")).unwrap();
        backups.round(at("2026-03-02T08:09:59Z"));
        assert!(backups.state().failed.is_some(), "not at once");
        backups.round(at("2026-03-02T08:10:00Z"));
        assert_eq!(backups.state().failed, None);
        assert!(backups.state().last.is_some());
    }

    /// Where `FACEATTEND_TEST_POSTGRES` names a database; `cargo xtask test` starts one.
    #[test]
    fn of_several_servers_on_one_database_one_makes_it() {
        let Ok(database) = std::env::var("FACEATTEND_TEST_POSTGRES") else { return };
        let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
        let run =
            |sql: &str| postgres::Client::connect(&database, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        run(&format!("CREATE SCHEMA {schema}"));
        let place = StoreLocation::Url(format!("{database}?options=-c%20search_path%3D{schema}"));
        let folder = tempfile::tempdir().unwrap();
        let server = |name: &str| {
            let store = place.open(faceattend_core::store::TemplateKeys::none()).unwrap();
            let settings = BackupSettings {
                folder: folder.path().join(name),
                source: Source::new(place.clone()),
                clock: Clock::new("02:30".parse().unwrap(), TimeZone::UTC),
                keep: Keep::default(),
                passphrase: None,
                server_name: Some(name.to_owned()),
            };
            Backups { settings, store, state: Mutex::default() }
        };
        let servers = ["a", "b", "c"].map(server);
        for day in ["2026-03-02T02:30:00Z", "2026-03-03T02:30:00Z"] {
            std::thread::scope(|threads| {
                for server in &servers {
                    threads.spawn(|| server.round(at(day)));
                }
            });
            // Who found the lock taken looks again in the next round.
            servers.iter().for_each(|server| server.round(at(day)));
            assert!(servers.iter().all(|server| server.state().last.is_some_and(|last| last.at == at(day))), "{day}");
        }
        let made = ["a", "b", "c"].map(|name| std::fs::read_dir(folder.path().join(name)).map_or(0, Iterator::count));
        assert_eq!(made.iter().sum::<usize>(), 2, "{made:?}");
        drop(servers);
        run(&format!("SET client_min_messages = warning; DROP SCHEMA {schema} CASCADE"));
    }
}
