//! Cameras and who watches them. Leases are in seconds since 1970 by the database's clock.

use std::time::Duration;

use postgres::{Row, Transaction};

use super::super::model::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use super::super::notices::text;
use super::super::rules::camera_fits;
use super::super::{Cluster, FORGET_BOUND_CAMERAS_AFTER};
use super::notices::leave;
use super::{Outcome, PostgresStore, notices};
use crate::error::Result;

impl Cluster for PostgresStore {
    fn announce(&self, announcement: &str) -> Result<()> {
        self.write("announce", |db| {
            for part in text::announced(&self.name, announcement) {
                notices::leave(db, &part)?;
            }
            Ok(())
        })
    }

    fn watch_camera(&self, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Result<bool> {
        camera_fits(camera)?;
        self.write("have the camera watched", |db| watch(db, camera, by, lease))
    }

    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool> {
        self.write("have the camera watched no longer", |db| unwatch(db, camera))
    }

    fn unwatch_all_cameras(&self) -> Result<u64> {
        self.write("have no camera watched", unwatch_all)
    }

    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>> {
        self.write("claim cameras", |db| claim(db, by, reports, lease))
    }

    fn release_cameras(&self, by: &ServerId) -> Result<()> {
        self.write("release the cameras", |db| release(db, by))
    }

    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>> {
        self.read("list the watched cameras", list)
    }
}

/// Whoever changes who watches what holds this lock until the transaction is over: "came" in ASCII. A lease is decided
/// over several rows, which locks of rows alone would not keep together.
const LOCK: i64 = 0x6361_6d65;

/// Seconds since 1970, now.
const NOW: &str = "extract(epoch FROM clock_timestamp())::double precision";

pub(super) fn watch(db: &mut Transaction<'_>, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Outcome<bool> {
    lock(db)?;
    let place = place(&camera.key);
    let held = db.query_opt(
        &format!(
            "SELECT holder, address FROM watched_cameras
             WHERE name = $1 AND place = $2 AND NOT is_over AND held_until >= {NOW}"
        ),
        &[&camera.key.name, &place],
    )?;
    if let Some(held) = held {
        let (holder, address): (String, String) = (held.try_get(0)?, held.try_get(1)?);
        if address != camera.address {
            db.execute(
                "UPDATE watched_cameras SET address = $3, location = $4 WHERE name = $1 AND place = $2",
                &[&camera.key.name, &place, &camera.address, &camera.location],
            )?;
            leave(db, text::CAMERAS)?;
        }
        return Ok(holder == by.key);
    }
    db.execute(
        &format!(
            "INSERT INTO watched_cameras (name, place, address, location, is_over, holder, server, held_until)
             VALUES ($1, $2, $3, $4, FALSE, $5, $6, {NOW} + $7::double precision)
             ON CONFLICT (name, place) DO UPDATE SET address = EXCLUDED.address, location = EXCLUDED.location,
                 is_over = FALSE, holder = EXCLUDED.holder, server = EXCLUDED.server,
                 held_until = EXCLUDED.held_until, report = NULL"
        ),
        &[&camera.key.name, &place, &camera.address, &camera.location, &by.key, &by.name, &lease.as_secs_f64()],
    )?;
    leave(db, text::CAMERAS)?;
    Ok(true)
}

pub(super) fn unwatch(db: &mut Transaction<'_>, key: &CameraKey) -> Outcome<bool> {
    lock(db)?;
    let gone = db.execute("DELETE FROM watched_cameras WHERE name = $1 AND place = $2", &[&key.name, &place(key)])?;
    told(db, gone).map(|gone| gone > 0)
}

pub(super) fn unwatch_all(db: &mut Transaction<'_>) -> Outcome<u64> {
    lock(db)?;
    let gone = db.execute("DELETE FROM watched_cameras", &[])?;
    told(db, gone)
}

pub(super) fn claim(
    db: &mut Transaction<'_>,
    by: &ServerId,
    reports: &[CameraReport],
    lease: Duration,
) -> Outcome<Vec<ClaimedCamera>> {
    lock(db)?;
    let lease = lease.as_secs_f64();
    for report in reports {
        db.execute(
            &format!(
                "UPDATE watched_cameras SET held_until = {NOW} + $4::double precision, is_over = $5, report = $6
                 WHERE name = $1 AND place = $2 AND holder = $3"
            ),
            &[&report.key.name, &place(&report.key), &by.key, &lease, &report.is_over, &report.text],
        )?;
    }
    // Half of what lapsed, so that several servers share what a dead one leaves.
    let lapsed = format!("NOT is_over AND (holder IS NULL OR held_until < {NOW}) AND place IN ('', $1)");
    let taken = db.execute(
        &format!(
            "UPDATE watched_cameras SET holder = $2, server = $1, held_until = {NOW} + $3::double precision,
                 report = NULL
             WHERE (name, place) IN (SELECT name, place FROM watched_cameras WHERE {lapsed} ORDER BY name
                 LIMIT (SELECT (count(*) + 1) / 2 FROM watched_cameras WHERE {lapsed}))"
        ),
        &[&by.name, &by.key, &lease],
    )?;
    let forgotten = db.execute(
        &format!(
            "DELETE FROM watched_cameras WHERE place NOT IN ('', $1) AND held_until < {NOW} - $2::double precision"
        ),
        &[&by.name, &FORGET_BOUND_CAMERAS_AFTER.as_secs_f64()],
    )?;
    told(db, taken + forgotten)?;
    let held = db.query(
        &format!(
            "SELECT name, place, address, location, is_over FROM watched_cameras
             WHERE holder = $1 AND held_until >= {NOW} ORDER BY name, place"
        ),
        &[&by.key],
    )?;
    held.iter()
        .map(|row| {
            let request = CameraRequest { key: key(row)?, address: row.try_get(2)?, location: row.try_get(3)? };
            Ok(ClaimedCamera { request, is_over: row.try_get(4)? })
        })
        .collect()
}

pub(super) fn release(db: &mut Transaction<'_>, by: &ServerId) -> Outcome<()> {
    lock(db)?;
    let gone = db.execute("DELETE FROM watched_cameras WHERE holder = $1 AND place <> ''", &[&by.key])?;
    let released = db.execute(
        "UPDATE watched_cameras SET holder = NULL, server = NULL, held_until = NULL, report = NULL WHERE holder = $1",
        &[&by.key],
    )?;
    told(db, gone + released).map(drop)
}

pub(super) fn list(db: &mut Transaction<'_>) -> Outcome<Vec<WatchedCamera>> {
    let rows = db.query(
        &format!(
            "SELECT name, place, location, CASE WHEN held_until >= {NOW} THEN server END, report
             FROM watched_cameras ORDER BY name, place"
        ),
        &[],
    )?;
    rows.iter()
        .map(|row| {
            let (location, server, report) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            Ok(WatchedCamera { key: key(row)?, location, server, report })
        })
        .collect()
}

fn lock(db: &mut Transaction<'_>) -> Outcome<()> {
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    Ok(())
}

/// Leaves a notice when something has changed.
fn told(db: &mut Transaction<'_>, changed: u64) -> Outcome<u64> {
    if changed > 0 {
        leave(db, text::CAMERAS)?;
    }
    Ok(changed)
}

fn place(key: &CameraKey) -> &str {
    key.only_at.as_deref().unwrap_or_default()
}

fn key(row: &Row) -> Outcome<CameraKey> {
    let place: String = row.try_get(1)?;
    Ok(CameraKey { name: row.try_get(0)?, only_at: Some(place).filter(|place| !place.is_empty()) })
}
