//! Admin users, their logins, and the audit log.

use jiff::Timestamp;
use postgres::Transaction;

use super::super::rules::{NO_ADMIN, TAKEN_NAME};
use super::super::{AdminChange, AdminUser, AuditEntry, Listed, NewAdmin, NewAuditEntry, NewLogin, Page};
use super::{Outcome, certain_time, count, micros, seconds};
use crate::error::Error;

pub(super) fn list(db: &mut Transaction<'_>, username: Option<&str>) -> Outcome<Vec<AdminUser>> {
    let rows = db.query(
        "SELECT id::bigint, username, hashed_password, role, COALESCE(is_active, true) FROM admin_users
         WHERE $1::text IS NULL OR username = $1 ORDER BY id",
        &[&username],
    )?;
    rows.iter()
        .map(|row| {
            Ok(AdminUser {
                id: row.try_get(0)?,
                username: row.try_get(1)?,
                hashed_password: row.try_get(2)?,
                role: row.try_get(3)?,
                is_active: row.try_get(4)?,
            })
        })
        .collect()
}

pub(super) fn find(db: &mut Transaction<'_>, username: &str) -> Outcome<Option<AdminUser>> {
    Ok(list(db, Some(username))?.pop())
}

pub(super) fn create(db: &mut Transaction<'_>, new: &NewAdmin, now: Timestamp) -> Outcome<AdminUser> {
    let made = db.execute(
        "INSERT INTO admin_users (username, hashed_password, role, is_active, created_at)
         VALUES ($1, $2, $3, true, $4::timestamp) ON CONFLICT DO NOTHING",
        &[&new.username, &new.hashed_password, &new.role, &seconds(now)],
    )?;
    if made == 0 {
        return Err(TAKEN_NAME.into());
    }
    Ok(find(db, &new.username)?.ok_or(NO_ADMIN)?)
}

pub(super) fn set_password(
    db: &mut Transaction<'_>,
    username: &str,
    hashed_password: &str,
    now: Timestamp,
) -> Outcome<()> {
    let changed = db.execute(
        "UPDATE admin_users SET hashed_password = $2, updated_at = $3::timestamp WHERE username = $1",
        &[&username, &hashed_password, &seconds(now)],
    )?;
    if changed == 0 { Err(NO_ADMIN.into()) } else { Ok(()) }
}

pub(super) fn update(
    db: &mut Transaction<'_>,
    username: &str,
    change: &AdminChange,
    now: Timestamp,
) -> Outcome<AdminUser> {
    // Two who disable each other at once would leave nobody: one change at a time.
    db.batch_execute("LOCK TABLE admin_users IN SHARE ROW EXCLUSIVE MODE")?;
    let changed = db.execute(
        "UPDATE admin_users SET role = COALESCE($2, role), is_active = COALESCE($3, is_active), updated_at = $4::timestamp
         WHERE username = $1",
        &[&username, &change.role, &change.is_active, &seconds(now)],
    )?;
    if changed == 0 {
        return Err(NO_ADMIN.into());
    }
    let left = count(
        &db.query_one("SELECT count(*) FROM admin_users WHERE role = 'admin' AND COALESCE(is_active, true)", &[])?,
        0,
    )?;
    if left == 0 {
        let reason = "nobody could change the accounts any more: make another admin first".into();
        return Err(Error::State { what: "the last active admin", reason }.into());
    }
    if change.is_active == Some(false) {
        end_logins_of(db, username, now)?;
    }
    Ok(find(db, username)?.ok_or(NO_ADMIN)?)
}

pub(super) fn begin_login(db: &mut Transaction<'_>, login: &NewLogin) -> Outcome<()> {
    find(db, &login.username)?.ok_or(NO_ADMIN)?;
    db.execute(
        "INSERT INTO logins (id, username, refresh_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &[&login.id, &login.username, &login.refresh_hash, &micros(login.created_at), &micros(login.expires_at)],
    )?;
    Ok(())
}

pub(super) fn login_holder(
    db: &mut Transaction<'_>,
    username: &str,
    login: Option<&str>,
    now: Timestamp,
) -> Outcome<Option<AdminUser>> {
    if let Some(login) = login {
        let good = db.query_opt(
            "SELECT 1 FROM logins WHERE id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3",
            &[&login, &username, &micros(now)],
        )?;
        if good.is_none() {
            return Ok(None);
        }
    }
    Ok(find(db, username)?.filter(|user| user.is_active))
}

pub(super) fn renew_login(
    db: &mut Transaction<'_>,
    login: &str,
    [old_hash, fresh_hash]: [&str; 2],
    expires_at: Timestamp,
    now: Timestamp,
) -> Outcome<Option<AdminUser>> {
    // Of two that use one refresh token one waits here, and then finds that it is the old one.
    let found = db.query_opt(
        "SELECT username, refresh_hash FROM logins WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 FOR UPDATE",
        &[&login, &micros(now)],
    )?;
    let Some(row) = found else { return Ok(None) };
    let (username, hash): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let user = find(db, &username)?.filter(|user| user.is_active);
    if hash != old_hash || user.is_none() {
        end_login(db, login, now)?;
        return Ok(None);
    }
    db.execute(
        "UPDATE logins SET refresh_hash = $2, expires_at = $3 WHERE id = $1",
        &[&login, &fresh_hash, &micros(expires_at)],
    )?;
    Ok(user)
}

pub(super) fn end_login(db: &mut Transaction<'_>, login: &str, now: Timestamp) -> Outcome<()> {
    db.execute("UPDATE logins SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", &[&login, &micros(now)])?;
    Ok(())
}

pub(super) fn end_logins_of(db: &mut Transaction<'_>, username: &str, now: Timestamp) -> Outcome<u64> {
    Ok(db.execute(
        "UPDATE logins SET ended_at = $2 WHERE username = $1 AND ended_at IS NULL AND expires_at > $2",
        &[&username, &micros(now)],
    )?)
}

pub(super) fn add_audit(db: &mut Transaction<'_>, entry: &NewAuditEntry) -> Outcome<i64> {
    let row = db.query_one(
        "INSERT INTO audit_log (timestamp, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &[&micros(entry.at), &entry.actor, &entry.action, &entry.subject, &entry.details],
    )?;
    Ok(row.try_get(0)?)
}

pub(super) fn audit(db: &mut Transaction<'_>, page: Page) -> Outcome<Listed<AuditEntry>> {
    let total = count(&db.query_one("SELECT count(*) FROM audit_log", &[])?, 0)?;
    let rows = db.query(
        "SELECT id, timestamp, actor, action, subject, details FROM audit_log ORDER BY id DESC LIMIT $1 OFFSET $2",
        &[&i64::from(page.limit), &i64::from(page.skip)],
    )?;
    let items = rows
        .iter()
        .map(|row| {
            Ok(AuditEntry {
                id: row.try_get(0)?,
                entry: NewAuditEntry {
                    at: certain_time(row, 1)?,
                    actor: row.try_get(2)?,
                    action: row.try_get(3)?,
                    subject: row.try_get(4)?,
                    details: row.try_get(5)?,
                },
            })
        })
        .collect::<Outcome<_>>()?;
    Ok(Listed { items, total })
}
