//! Cameras and who watches them. Leases are in seconds since 1970 by SQLite's clock.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::super::FORGET_BOUND_CAMERAS_AFTER;
use super::super::cameras::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use super::super::notices::text;
use super::notices::leave;

pub(super) fn watch(db: &Connection, camera: &CameraRequest, by: &ServerId, lease: Duration) -> rusqlite::Result<bool> {
    let place = place(&camera.key);
    let held: Option<(String, String)> = db
        .query_row(
            "SELECT holder, address FROM watched_cameras
             WHERE name = ?1 AND place = ?2 AND NOT is_over AND held_until >= unixepoch('subsec')",
            params![camera.key.name, place],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some((holder, address)) = &held {
        if *address != camera.address {
            db.execute(
                "UPDATE watched_cameras SET address = ?3, location = ?4 WHERE name = ?1 AND place = ?2",
                params![camera.key.name, place, camera.address, camera.location],
            )?;
            leave(db, text::CAMERAS)?;
        }
        return Ok(*holder == by.key);
    }
    db.execute(
        "INSERT INTO watched_cameras (name, place, address, location, is_over, holder, server, held_until)
         VALUES (:name, :place, :address, :location, 0, :holder, :server, unixepoch('subsec') + :lease)
         ON CONFLICT (name, place) DO UPDATE SET address = :address, location = :location, is_over = 0,
             holder = :holder, server = :server, held_until = unixepoch('subsec') + :lease, report = NULL",
        named_params! {
            ":name": camera.key.name,
            ":place": place,
            ":address": camera.address,
            ":location": camera.location,
            ":holder": by.key,
            ":server": by.name,
            ":lease": lease.as_secs_f64(),
        },
    )?;
    leave(db, text::CAMERAS)?;
    Ok(true)
}

pub(super) fn unwatch(db: &Connection, key: &CameraKey) -> rusqlite::Result<bool> {
    let gone =
        db.execute("DELETE FROM watched_cameras WHERE name = ?1 AND place = ?2", params![key.name, place(key)])?;
    told(db, gone).map(|gone| gone > 0)
}

pub(super) fn unwatch_all(db: &Connection) -> rusqlite::Result<u64> {
    let gone = db.execute("DELETE FROM watched_cameras", [])?;
    told(db, gone)
}

pub(super) fn claim(
    db: &Connection,
    by: &ServerId,
    reports: &[CameraReport],
    lease: Duration,
) -> rusqlite::Result<Vec<ClaimedCamera>> {
    for report in reports {
        db.prepare_cached(
            "UPDATE watched_cameras SET held_until = unixepoch('subsec') + ?4, is_over = ?5, report = ?6
             WHERE name = ?1 AND place = ?2 AND holder = ?3",
        )?
        .execute(params![
            report.key.name,
            place(&report.key),
            by.key,
            lease.as_secs_f64(),
            report.is_over,
            report.text
        ])?;
    }
    // Half of what lapsed, so that several servers share what a dead one leaves.
    const LAPSED: &str = "NOT is_over AND (holder IS NULL OR held_until < unixepoch('subsec')) AND place IN ('', ?1)";
    let taken = db
        .prepare_cached(&format!(
            "UPDATE watched_cameras SET holder = ?2, server = ?1, held_until = unixepoch('subsec') + ?3, report = NULL
             WHERE (name, place) IN (SELECT name, place FROM watched_cameras WHERE {LAPSED} ORDER BY name
                 LIMIT (SELECT (count(*) + 1) / 2 FROM watched_cameras WHERE {LAPSED}))"
        ))?
        .execute(params![by.name, by.key, lease.as_secs_f64()])?;
    let forgotten = db
        .prepare_cached(
            "DELETE FROM watched_cameras WHERE place NOT IN ('', ?1) AND held_until < unixepoch('subsec') - ?2",
        )?
        .execute(params![by.name, FORGET_BOUND_CAMERAS_AFTER.as_secs_f64()])?;
    told(db, taken + forgotten)?;
    db.prepare_cached(
        "SELECT name, place, address, location, is_over FROM watched_cameras
         WHERE holder = ?1 AND held_until >= unixepoch('subsec') ORDER BY name, place",
    )?
    .query_map([&by.key], |row| {
        Ok(ClaimedCamera {
            request: CameraRequest { key: key(row)?, address: row.get(2)?, location: row.get(3)? },
            is_over: row.get(4)?,
        })
    })?
    .collect()
}

pub(super) fn release(db: &Connection, by: &ServerId) -> rusqlite::Result<()> {
    let gone = db.execute("DELETE FROM watched_cameras WHERE holder = ?1 AND place <> ''", [&by.key])?;
    let released = db.execute(
        "UPDATE watched_cameras SET holder = NULL, server = NULL, held_until = NULL, report = NULL WHERE holder = ?1",
        [&by.key],
    )?;
    told(db, gone + released).map(drop)
}

pub(super) fn list(db: &Connection) -> rusqlite::Result<Vec<WatchedCamera>> {
    db.prepare_cached(
        "SELECT name, place, location, CASE WHEN held_until >= unixepoch('subsec') THEN server END, report
         FROM watched_cameras ORDER BY name, place",
    )?
    .query_map([], |row| {
        Ok(WatchedCamera { key: key(row)?, location: row.get(2)?, server: row.get(3)?, report: row.get(4)? })
    })?
    .collect()
}

/// Leaves a notice when something has changed.
fn told(db: &Connection, changed: usize) -> rusqlite::Result<u64> {
    if changed > 0 {
        leave(db, text::CAMERAS)?;
    }
    Ok(changed as u64)
}

fn place(key: &CameraKey) -> &str {
    key.only_at.as_deref().unwrap_or_default()
}

fn key(row: &Row<'_>) -> rusqlite::Result<CameraKey> {
    Ok(CameraKey { name: row.get(0)?, only_at: row.get::<_, Option<String>>(1)?.filter(|place| !place.is_empty()) })
}
