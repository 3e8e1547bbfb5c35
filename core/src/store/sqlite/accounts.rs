//! Admin users as they change, and their logins.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::naive_time::{to_micros, to_seconds};
use super::super::rules::{NO_ADMIN, TAKEN_NAME, account_name_fits, earliest_login, latest_login};
use super::super::{Accounts, AdminChange, AdminUser, LoginFailures, Logins, MAX_LOGIN_FAILURES, NewAdmin, NewLogin};
use super::SqliteStore;
use super::connection::{Outcome, Time};
use crate::error::{Error, Result};

impl Accounts for SqliteStore {
    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser> {
        self.write("create the admin user", |db| {
            account_name_fits(&new.username, &admins(db, None)?)?;
            let made = db.execute(
                "INSERT INTO admin_users (username, hashed_password, role, is_active, created_at)
                 VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT DO NOTHING",
                params![new.username, new.hashed_password, new.role, to_seconds(now)],
            )?;
            if made == 0 {
                return Err(TAKEN_NAME.into());
            }
            // Another program may have deleted an account of this name: its tokens are not this one's.
            end_logins_of(db, &new.username, now)?;
            Ok(admins(db, Some(&new.username))?.pop().ok_or(NO_ADMIN)?)
        })
    }

    fn admin(&self, username: &str) -> Result<Option<AdminUser>> {
        self.read("read the admin user", |db| Ok(admins(db, Some(username))?.pop()))
    }

    fn admins(&self) -> Result<Vec<AdminUser>> {
        self.read("list admin users", |db| Ok(admins(db, None)?))
    }

    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()> {
        self.write("change the admin user's password", |db| {
            let changed = db.execute(
                "UPDATE admin_users SET hashed_password = ?2, updated_at = ?3 WHERE username = ?1",
                params![username, hashed_password, to_seconds(now)],
            )?;
            if changed == 0 {
                return Err(NO_ADMIN.into());
            }
            end_logins_of(db, username, now)?;
            Ok(())
        })
    }

    fn renew_password_hash(&self, username: &str, old_hash: &str, new_hash: &str, now: Timestamp) -> Result<()> {
        self.write("renew the hash of a password", |db| {
            db.execute(
                "UPDATE admin_users SET hashed_password = ?3, updated_at = ?4
                 WHERE username = ?1 AND hashed_password = ?2",
                params![username, old_hash, new_hash, to_seconds(now)],
            )?;
            Ok(())
        })
    }

    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser> {
        self.write("change the admin user", |db| update_admin(db, username, change, now))
    }
}

impl Logins for SqliteStore {
    fn begin_login(&self, login: &NewLogin, verified_hash: &str) -> Result<bool> {
        self.write("keep the login", |db| begin_login(db, login, verified_hash))
    }

    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>> {
        self.read("read the login", |db| Ok(login_holder(db, username, login, now)?))
    }

    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>> {
        self.write("renew the login", |db| Ok(renew_login(db, login, [old_hash, fresh_hash], expires_at, now)?))
    }

    fn end_login(&self, login: &str, now: Timestamp) -> Result<()> {
        self.write("end the login", |db| Ok(end_login(db, login, now)?))
    }

    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64> {
        self.write("end the logins", |db| Ok(end_logins_of(db, username, now)?))
    }

    fn login_failures(&self, key: &str, since: Timestamp) -> Result<Option<LoginFailures>> {
        self.read("read the failed logins", |db| Ok(login_failures(db, key, since)?))
    }

    fn note_login_failure(&self, key: &str, since: Timestamp, now: Timestamp) -> Result<LoginFailures> {
        self.write("note the failed login", |db| Ok(note_login_failure(db, key, since, now)?))
    }

    fn forget_login_failures(&self, key: &str) -> Result<()> {
        self.write("forget the failed logins", |db| {
            db.prepare_cached("DELETE FROM login_failures WHERE key = ?1")?.execute([key])?;
            Ok(())
        })
    }
}

pub(super) fn admins(db: &Connection, username: Option<&str>) -> rusqlite::Result<Vec<AdminUser>> {
    db.prepare_cached(
        "SELECT id, username, hashed_password, role, COALESCE(is_active, 1) FROM admin_users
         WHERE ?1 IS NULL OR username = ?1 ORDER BY id",
    )?
    .query_map([username], |row| {
        Ok(AdminUser {
            id: row.get(0)?,
            username: row.get(1)?,
            hashed_password: row.get(2)?,
            role: row.get(3)?,
            is_active: row.get(4)?,
        })
    })?
    .collect()
}

pub(super) fn update_admin(
    db: &Connection,
    username: &str,
    change: &AdminChange,
    now: Timestamp,
) -> Outcome<AdminUser> {
    let changed = db.execute(
        "UPDATE admin_users SET role = COALESCE(?2, role), is_active = COALESCE(?3, is_active), updated_at = ?4,
             hashed_password = COALESCE(?5, hashed_password) WHERE username = ?1",
        params![username, change.role, change.is_active, to_seconds(now), change.hashed_password],
    )?;
    if changed == 0 {
        return Err(NO_ADMIN.into());
    }
    let left: i64 =
        db.query_row("SELECT count(*) FROM admin_users WHERE role = 'admin' AND COALESCE(is_active, 1)", [], |row| {
            row.get(0)
        })?;
    if left == 0 {
        let reason = "nobody could change the accounts any more: make another admin first".into();
        return Err(Error::State { what: "the last active admin", reason }.into());
    }
    if change.is_active == Some(false) || change.hashed_password.is_some() {
        end_logins_of(db, username, now)?;
    }
    Ok(admins(db, Some(username))?.pop().ok_or(NO_ADMIN)?)
}

pub(super) fn begin_login(db: &Connection, login: &NewLogin, verified_hash: &str) -> Outcome<bool> {
    let user = admins(db, Some(&login.username))?.pop().ok_or(NO_ADMIN)?;
    if !user.is_active || user.hashed_password != verified_hash {
        return Ok(false);
    }
    db.execute(
        "INSERT INTO logins (id, username, refresh_hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![login.id, login.username, login.refresh_hash, to_micros(login.created_at), to_micros(login.expires_at)],
    )?;
    Ok(true)
}

pub(super) fn login_holder(
    db: &Connection,
    username: &str,
    login: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<Option<AdminUser>> {
    if let Some(login) = login {
        let good: bool = db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM logins
                 WHERE id = ?1 AND username = ?2 AND ended_at IS NULL AND expires_at > ?3 AND created_at <= ?4)",
            )?
            .query_row(params![login, username, to_micros(now), to_micros(latest_login(now))], |row| row.get(0))?;
        if !good {
            return Ok(None);
        }
    }
    Ok(admins(db, Some(username))?.pop().filter(|user| user.is_active))
}

pub(super) fn renew_login(
    db: &Connection,
    login: &str,
    [old_hash, fresh_hash]: [&str; 2],
    expires_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Option<AdminUser>> {
    let found: Option<(String, String)> = db
        .query_row(
            "SELECT username, refresh_hash FROM logins WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?2
                 AND created_at <= ?3 AND created_at > ?4",
            params![login, to_micros(now), to_micros(latest_login(now)), to_micros(earliest_login(now))],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((username, hash)) = found else { return Ok(None) };
    let user = admins(db, Some(&username))?.pop().filter(|user| user.is_active);
    if hash != old_hash || user.is_none() {
        end_login(db, login, now)?;
        return Ok(None);
    }
    db.execute(
        "UPDATE logins SET refresh_hash = ?2, expires_at = ?3 WHERE id = ?1",
        params![login, fresh_hash, to_micros(expires_at)],
    )?;
    Ok(user)
}

pub(super) fn end_login(db: &Connection, login: &str, now: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE logins SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL", params![login, to_micros(now)])?;
    Ok(())
}

pub(super) fn end_logins_of(db: &Connection, username: &str, now: Timestamp) -> rusqlite::Result<u64> {
    let ended = db.execute(
        "UPDATE logins SET ended_at = ?2 WHERE username = ?1 AND ended_at IS NULL",
        params![username, to_micros(now)],
    )?;
    Ok(ended as u64)
}

fn login_failures(db: &Connection, key: &str, since: Timestamp) -> rusqlite::Result<Option<LoginFailures>> {
    db.prepare_cached("SELECT failures, last_at FROM login_failures WHERE key = ?1 AND last_at >= ?2")?
        .query_row(params![key, to_micros(since)], |row| {
            Ok(LoginFailures { count: row.get(0)?, last_at: row.get::<_, Time>(1)?.0 })
        })
        .optional()
}

fn note_login_failure(db: &Connection, key: &str, since: Timestamp, now: Timestamp) -> rusqlite::Result<LoginFailures> {
    db.prepare_cached("DELETE FROM login_failures WHERE last_at < ?1")?.execute([to_micros(since)])?;
    let count = db
        .prepare_cached(
            "INSERT INTO login_failures (key, failures, last_at) VALUES (?1, 1, ?2)
             ON CONFLICT (key) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at RETURNING failures",
        )?
        .query_row(params![key, to_micros(now)], |row| row.get(0))?;
    db.prepare_cached(
        "DELETE FROM login_failures WHERE key IN
         (SELECT key FROM login_failures ORDER BY last_at DESC LIMIT -1 OFFSET ?1)",
    )?
    .execute([MAX_LOGIN_FAILURES])?;
    Ok(LoginFailures { count, last_at: now })
}
