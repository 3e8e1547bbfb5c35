//! Notices by LISTEN and NOTIFY: PostgreSQL tells them when the transaction that left them has been committed, and
//! keeps none.

use std::time::{Duration, Instant};

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::{Client, Transaction};

use super::super::LockName;
use super::super::notices::{Follower, Hearing, Notice};
use super::connection::Connector;
use super::{Outcome, locks};
use crate::error::{Error, Result};

/// The channel, one for each schema in which the tables are; a name has at most 63 bytes.
const CHANNEL: &str = "left('faceattend_' || current_schema(), 63)";
/// How long nothing may be heard before the connection is tried: a network that is gone says nothing either.
const QUIET: Duration = Duration::from_secs(5);
/// How long to wait before a lost connection is made anew.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) fn leave(db: &mut Transaction<'_>, body: &str) -> Outcome<()> {
    db.execute(&format!("SELECT pg_notify({CHANNEL}, $1)"), &[&body])?;
    Ok(())
}

/// Listens on a connection of its own, and makes it anew when it is lost.
pub(super) struct Following {
    connector: Connector,
    hearing: Hearing,
    listening: Option<Client>,
    heard_at: Instant,
}

impl Following {
    pub(super) fn begin(connector: Connector, own: &str) -> Result<Self> {
        let listening = Some(listen(&connector)?);
        Ok(Self { connector, hearing: Hearing::new(own.to_owned()), listening, heard_at: Instant::now() })
    }

    /// What is heard within that time; an error when the connection is lost.
    fn hear(&mut self, within: Duration) -> std::result::Result<Vec<Notice>, postgres::Error> {
        let Some(client) = &mut self.listening else { return Ok(Vec::new()) };
        if self.heard_at.elapsed() >= QUIET {
            client.simple_query("")?;
            self.heard_at = Instant::now();
        }
        let mut bodies = Vec::new();
        let mut notifications = client.notifications();
        let first = notifications.timeout_iter(within).next()?;
        if let Some(first) = first {
            bodies.push(first);
            let mut rest = notifications.iter();
            while let Some(next) = rest.next()? {
                bodies.push(next);
            }
            self.heard_at = Instant::now();
        }
        let mut heard = Vec::new();
        for body in bodies {
            let notice = self.hearing.hear(body.payload());
            // Several changes of one student tell: hearing it once is enough. What is announced is told as often as it
            // was.
            heard
                .extend(notice.filter(|notice| matches!(notice, Notice::Announced(_)) || heard.last() != Some(notice)));
        }
        Ok(heard)
    }
}

impl Follower for Following {
    fn next(&mut self, within: Duration) -> Vec<Notice> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.listening.is_none() {
                std::thread::sleep(AGAIN.min(left));
                if let Ok(client) = listen(&self.connector) {
                    (self.listening, self.heard_at) = (Some(client), Instant::now());
                    tracing::info!("the database's notices are heard again");
                    return vec![Notice::Missed];
                }
            } else {
                match self.hear(left) {
                    Ok(heard) if !heard.is_empty() => return heard,
                    Ok(_) => {}
                    Err(error) => {
                        let error = super::without_values(error);
                        tracing::warn!("the database's notices cannot be heard: {error}");
                        self.listening = None;
                    }
                }
            }
            if Instant::now() >= until {
                return Vec::new();
            }
        }
    }
}

fn listen(connector: &Connector) -> Result<Client> {
    connector.connect("follow the database", |client| {
        let row = client.query_one(&format!("SELECT quote_ident({CHANNEL})"), &[])?;
        let channel: String = row.try_get(0)?;
        // Whoever follows is at work: a restore waits until nobody is.
        if !locks::try_lock(client, "pg_try_advisory_lock_shared", LockName::Restore)? {
            let reason = "a restore is replacing it: try again when it is over";
            return Err(Error::State { what: "database", reason: reason.into() }.into());
        }
        client.batch_execute(&format!("LISTEN {channel}"))?;
        Ok(())
    })
}
