//! Notices in a table: the file says by itself that somebody has written to it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::super::notices::{Follower, Hearing, Notice};
use super::BUSY_TIMEOUT;

/// How often the file is asked whether it has changed: a look costs microseconds, and a change is seen within a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The newest notice; 0 when there is none.
const NEWEST: &str = "SELECT COALESCE(max(id), 0) FROM notices";

pub(super) fn leave(db: &Connection, body: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO notices (body) VALUES (?1)")?.execute(params![body])?;
    Ok(())
}

/// Announcements may name people: those of before an erasure go with it.
pub(super) fn forget_announcements(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM notices WHERE body LIKE 'announced %'", [])?;
    Ok(())
}

/// Reads what is new in the table.
pub(super) struct Following {
    connection: Connection,
    hearing: Hearing,
    /// SQLite's count of other connections' commits at the last look.
    version: i64,
    /// The newest notice that was read.
    last: i64,
    failing: bool,
}

impl Following {
    pub(super) fn begin(path: &Path, own: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "query_only", true)?;
        let version = data_version(&connection)?;
        let last = connection.query_row(NEWEST, [], |row| row.get(0))?;
        Ok(Self { connection, hearing: Hearing::new(own.to_owned()), version, last, failing: false })
    }

    fn look(&mut self) -> rusqlite::Result<Vec<Notice>> {
        // The version first: what is committed after it is read now or at the next look.
        let version = data_version(&self.connection)?;
        if version == self.version {
            return Ok(Vec::new());
        }
        let mut heard = Vec::new();
        let newest: i64 = self.connection.query_row(NEWEST, [], |row| row.get(0))?;
        if newest < self.last {
            // Notices that were read are gone, and with them perhaps some that were not: the file was put back, or
            // somebody emptied the table.
            heard.push(Notice::Missed);
            self.last = newest;
        }
        let before = self.last;
        let mut statement = self.connection.prepare_cached("SELECT id, body FROM notices WHERE id > ?1 ORDER BY id")?;
        let mut rows = statement.query([before])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            // The table keeps the newest: who was away for long finds that some are gone.
            if self.last == before && id > before + 1 {
                heard.push(Notice::Missed);
            }
            self.last = id;
            let notice = row.get_ref(1)?.as_str().ok().and_then(|body| self.hearing.hear(body));
            // Every row of a change tells: hearing it once is enough. What is announced is told as often as it was.
            heard
                .extend(notice.filter(|notice| matches!(notice, Notice::Announced(_)) || heard.last() != Some(notice)));
        }
        self.version = version;
        Ok(heard)
    }
}

impl Follower for Following {
    fn next(&mut self, within: Duration) -> Vec<Notice> {
        let until = Instant::now() + within;
        loop {
            match self.look() {
                Ok(heard) => {
                    self.failing = false;
                    if !heard.is_empty() {
                        return heard;
                    }
                }
                // What was not read now is there at the next look.
                Err(error) if !self.failing => {
                    tracing::warn!("the database's notices cannot be read: {error}");
                    self.failing = true;
                }
                Err(_) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Vec::new();
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }
}

fn data_version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "data_version", |row| row.get(0))
}
