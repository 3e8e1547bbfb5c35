//! Admin users, their logins, and the audit log.

use jiff::Timestamp;
use postgres::{Row, Transaction};

use super::super::rules::{NO_ADMIN, TAKEN_NAME, account_name_fits, earliest_login, latest_login};
use super::super::{Accounts, AdminChange, AdminUser, LoginFailures, Logins, MAX_LOGIN_FAILURES, NewAdmin, NewLogin};
use super::{Outcome, PostgresStore, certain_time, count, micros, seconds};
use crate::error::{Error, Result};

impl Accounts for PostgresStore {
    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser> {
        self.write("create the admin user", |db| {
            account_name_fits(&new.username, &list(db, None)?)?;
            create(db, new, now)
        })
    }

    fn admin(&self, username: &str) -> Result<Option<AdminUser>> {
        self.read("read the admin user", |db| find(db, username))
    }

    fn admins(&self) -> Result<Vec<AdminUser>> {
        self.read("list admin users", |db| list(db, None))
    }

    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()> {
        self.write("change the admin user's password", |db| set_password(db, username, hashed_password, now))
    }

    fn renew_password_hash(&self, username: &str, old_hash: &str, new_hash: &str, now: Timestamp) -> Result<()> {
        self.write("renew the hash of a password", |db| {
            db.execute(
                "UPDATE admin_users SET hashed_password = $3, updated_at = $4::timestamp
                 WHERE username = $1 AND hashed_password = $2",
                &[&username, &old_hash, &new_hash, &seconds(now)],
            )?;
            Ok(())
        })
    }

    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser> {
        self.write("change the admin user", |db| update(db, username, change, now))
    }
}

impl Logins for PostgresStore {
    fn begin_login(&self, login: &NewLogin, verified_hash: &str) -> Result<bool> {
        self.write("keep the login", |db| begin_login(db, login, verified_hash))
    }

    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>> {
        self.read("read the login", |db| login_holder(db, username, login, now))
    }

    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>> {
        self.write("renew the login", |db| renew_login(db, login, [old_hash, fresh_hash], expires_at, now))
    }

    fn end_login(&self, login: &str, now: Timestamp) -> Result<()> {
        self.write("end the login", |db| end_login(db, login, now))
    }

    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64> {
        self.write("end the logins", |db| end_logins_of(db, username, now))
    }

    fn login_failures(&self, key: &str, since: Timestamp) -> Result<Option<LoginFailures>> {
        self.read("read the failed logins", |db| login_failures(db, key, since))
    }

    fn note_login_failure(&self, key: &str, since: Timestamp, now: Timestamp) -> Result<LoginFailures> {
        self.write("note the failed login", |db| note_login_failure(db, key, since, now))
    }

    fn forget_login_failures(&self, key: &str) -> Result<()> {
        self.write("forget the failed logins", |db| {
            db.execute("DELETE FROM login_failures WHERE key = $1", &[&key])?;
            Ok(())
        })
    }
}

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
    // Nobody has such a name, which the database does not take as a value.
    if username.contains('\0') {
        return Ok(None);
    }
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
    // Another program may have deleted an account of this name: its tokens are not this one's.
    end_logins_of(db, &new.username, now)?;
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
    if changed == 0 {
        return Err(NO_ADMIN.into());
    }
    // After the change: a login that was begun with the old password meanwhile is seen, and ends too.
    end_logins_of(db, username, now)?;
    Ok(())
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
        "UPDATE admin_users SET role = COALESCE($2, role), is_active = COALESCE($3, is_active),
         updated_at = $4::timestamp, hashed_password = COALESCE($5, hashed_password)
         WHERE username = $1",
        &[&username, &change.role, &change.is_active, &seconds(now), &change.hashed_password],
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
    if change.is_active == Some(false) || change.hashed_password.is_some() {
        end_logins_of(db, username, now)?;
    }
    Ok(find(db, username)?.ok_or(NO_ADMIN)?)
}

pub(super) fn begin_login(db: &mut Transaction<'_>, login: &NewLogin, verified_hash: &str) -> Outcome<bool> {
    // The row is held until the login is written: a change of the password waits for it, or is seen.
    let user = db.query_opt(
        "SELECT hashed_password, COALESCE(is_active, true) FROM admin_users WHERE username = $1 FOR SHARE",
        &[&login.username],
    )?;
    let user = user.ok_or(NO_ADMIN)?;
    let (hash, is_active): (String, bool) = (user.try_get(0)?, user.try_get(1)?);
    if !is_active || hash != verified_hash {
        return Ok(false);
    }
    db.execute(
        "INSERT INTO logins (id, username, refresh_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &[&login.id, &login.username, &login.refresh_hash, &micros(login.created_at), &micros(login.expires_at)],
    )?;
    Ok(true)
}

pub(super) fn login_holder(
    db: &mut Transaction<'_>,
    username: &str,
    login: Option<&str>,
    now: Timestamp,
) -> Outcome<Option<AdminUser>> {
    if let Some(login) = login {
        let good = db.query_opt(
            "SELECT 1 FROM logins WHERE id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3
             AND created_at <= $4",
            &[&login, &username, &micros(now), &micros(latest_login(now))],
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
        "SELECT username, refresh_hash FROM logins WHERE id = $1 AND ended_at IS NULL AND expires_at > $2
         AND created_at <= $3 AND created_at > $4 FOR UPDATE",
        &[&login, &micros(now), &micros(latest_login(now)), &micros(earliest_login(now))],
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
        "UPDATE logins SET ended_at = $2 WHERE username = $1 AND ended_at IS NULL",
        &[&username, &micros(now)],
    )?)
}

fn login_failures(db: &mut Transaction<'_>, key: &str, since: Timestamp) -> Outcome<Option<LoginFailures>> {
    let row = db.query_opt(
        "SELECT failures, last_at FROM login_failures WHERE key = $1 AND last_at >= $2",
        &[&key, &micros(since)],
    )?;
    row.map(|row| Ok(LoginFailures { count: failures(&row)?, last_at: certain_time(&row, 1)? })).transpose()
}

fn failures(row: &Row) -> Outcome<u32> {
    Ok(u32::try_from(row.try_get::<_, i64>(0)?).unwrap_or(u32::MAX))
}

fn note_login_failure(db: &mut Transaction<'_>, key: &str, since: Timestamp, now: Timestamp) -> Outcome<LoginFailures> {
    let row = db.query_one(
        "INSERT INTO login_failures (key, failures, last_at) VALUES ($1, 1, $2)
         ON CONFLICT (key) DO UPDATE
         SET failures = CASE WHEN login_failures.last_at < $3 THEN 1 ELSE login_failures.failures + 1 END,
             last_at = excluded.last_at
         RETURNING failures",
        &[&key, &micros(now), &micros(since)],
    )?;
    // Rows that another server is writing at this moment are left to it: nobody waits for anybody here.
    db.execute(
        "DELETE FROM login_failures WHERE key IN (SELECT key FROM login_failures WHERE last_at < $1
         OR last_at < (SELECT last_at FROM login_failures ORDER BY last_at DESC LIMIT 1 OFFSET $2)
         FOR UPDATE SKIP LOCKED)",
        &[&micros(since), &i64::from(MAX_LOGIN_FAILURES)],
    )?;
    Ok(LoginFailures { count: failures(&row)?, last_at: now })
}
