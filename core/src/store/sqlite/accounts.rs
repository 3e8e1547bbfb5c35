//! Admin users as they change, and their logins.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::naive_time::{to_micros, to_seconds};
use super::super::rules::NO_ADMIN;
use super::super::{AdminChange, AdminUser, NewLogin};
use super::{Outcome, admins};
use crate::error::Error;

pub(super) fn update_admin(
    db: &Connection,
    username: &str,
    change: &AdminChange,
    now: Timestamp,
) -> Outcome<AdminUser> {
    let changed = db.execute(
        "UPDATE admin_users SET role = COALESCE(?2, role), is_active = COALESCE(?3, is_active), updated_at = ?4
         WHERE username = ?1",
        params![username, change.role, change.is_active, to_seconds(now)],
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
    if change.is_active == Some(false) {
        end_logins_of(db, username, now)?;
    }
    Ok(admins(db, Some(username))?.pop().ok_or(NO_ADMIN)?)
}

pub(super) fn begin_login(db: &Connection, login: &NewLogin) -> Outcome<()> {
    if admins(db, Some(&login.username))?.is_empty() {
        return Err(NO_ADMIN.into());
    }
    db.execute(
        "INSERT INTO logins (id, username, refresh_hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![login.id, login.username, login.refresh_hash, to_micros(login.created_at), to_micros(login.expires_at)],
    )?;
    Ok(())
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
                 WHERE id = ?1 AND username = ?2 AND ended_at IS NULL AND expires_at > ?3)",
            )?
            .query_row(params![login, username, to_micros(now)], |row| row.get(0))?;
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
            "SELECT username, refresh_hash FROM logins WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?2",
            params![login, to_micros(now)],
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
        "UPDATE logins SET ended_at = ?2 WHERE username = ?1 AND ended_at IS NULL AND expires_at > ?2",
        params![username, to_micros(now)],
    )?;
    Ok(ended as u64)
}
