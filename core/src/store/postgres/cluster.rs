//! Who watches which of the kept cameras. Leases are in seconds since 1970 by the database's clock.

use std::time::Duration;

use postgres::{Row, Transaction};

use super::super::codec::TemplateKeys;
use super::super::model::{
    CameraGroup, CameraKey, CameraReport, ClaimedCamera, KeptCamera, NewKeptCamera, ServerId, WatchedCamera,
};
use super::super::notices::text;
use super::super::{Cluster, FORGET_BOUND_CAMERAS_AFTER};
use super::notices::leave;
use super::{Outcome, PostgresStore, kept_cameras, notices};
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

    fn keep_watched_camera(&self, new: &NewKeptCamera, by: &ServerId, lease: Duration) -> Result<(KeptCamera, bool)> {
        self.keep_and_lease(new, by, lease)
    }

    fn watch_camera(&self, camera: &CameraKey, by: &ServerId, lease: Duration) -> Result<bool> {
        self.write("have the camera watched", |db| watch(db, camera, by, lease))
    }

    fn claim_cameras(
        &self,
        by: &ServerId,
        reports: &[CameraReport],
        lease: Duration,
        most: usize,
    ) -> Result<Vec<ClaimedCamera>> {
        self.write("claim cameras", |db| claim(db, &self.keys, by, reports, (lease, most)))
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

/// The kept cameras that are to be watched, as the condition of a row `c`.
const TO_BE_WATCHED: &str = "c.camera_group = 'usual' AND NOT c.paused";

pub(super) fn watch(db: &mut Transaction<'_>, camera: &CameraKey, by: &ServerId, lease: Duration) -> Outcome<bool> {
    lock(db)?;
    let place = place(camera);
    let held = db.query_opt(
        &format!(
            "SELECT holder FROM watched_cameras
             WHERE name = $1 AND place = $2 AND NOT is_over AND held_until >= {NOW}"
        ),
        &[&camera.name, &place],
    )?;
    if let Some(held) = held {
        return Ok(held.try_get::<_, String>(0)? == by.key);
    }
    let leased = db.execute(
        &format!(
            "INSERT INTO watched_cameras (name, place, address, is_over, holder, server, held_until)
             SELECT c.address, c.only_at, '', FALSE, $3, $4, {NOW} + $5::double precision FROM cameras c
             WHERE c.address = $1 AND c.only_at = $2 AND {TO_BE_WATCHED}
             ON CONFLICT (name, place) DO UPDATE SET is_over = FALSE, holder = EXCLUDED.holder,
                 server = EXCLUDED.server, held_until = EXCLUDED.held_until, report = NULL"
        ),
        &[&camera.name, &place, &by.key, &by.name, &lease.as_secs_f64()],
    )?;
    told(db, leased).map(|leased| leased > 0)
}

/// Whether a server holds the camera and it is not over.
pub(super) fn is_held(db: &mut Transaction<'_>, address: &str, only_at: &str) -> Outcome<bool> {
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM watched_cameras
             WHERE name = $1 AND place = $2 AND NOT is_over AND held_until >= {NOW})"
    );
    Ok(db.query_one(&query, &[&address, &only_at])?.try_get(0)?)
}

/// Ends the leases of cameras that are not to be watched any more. Returns how many there were.
pub(super) fn end_leases(db: &mut Transaction<'_>) -> Outcome<u64> {
    Ok(db.execute(
        &format!(
            "DELETE FROM watched_cameras w WHERE NOT EXISTS (SELECT 1 FROM cameras c
                 WHERE c.address = w.name AND c.only_at = w.place AND {TO_BE_WATCHED})"
        ),
        &[],
    )?)
}

pub(super) fn claim(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    by: &ServerId,
    reports: &[CameraReport],
    (lease, most): (Duration, usize),
) -> Outcome<Vec<ClaimedCamera>> {
    lock(db)?;
    let lease = lease.as_secs_f64();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    for report in reports {
        db.execute(
            &format!(
                "UPDATE watched_cameras SET held_until = {NOW} + $4::double precision, is_over = $5, report = $6
                 WHERE name = $1 AND place = $2 AND holder = $3"
            ),
            &[&report.key.name, &place(&report.key), &by.key, &lease, &report.is_over, &report.text],
        )?;
    }
    // A lease for every camera that is to be watched and that this server reaches.
    let ended = end_leases(db)?;
    db.execute(
        &format!(
            "INSERT INTO watched_cameras (name, place, address, is_over)
             SELECT c.address, c.only_at, '', FALSE FROM cameras c WHERE c.only_at IN ('', $1) AND {TO_BE_WATCHED}
             ON CONFLICT (name, place) DO NOTHING"
        ),
        &[&by.name],
    )?;
    // Half of what lapsed, so that several servers share what a dead one leaves, and no more than it has room for.
    let lapsed = format!("NOT is_over AND (holder IS NULL OR held_until < {NOW}) AND place IN ('', $1)");
    let taken = db.execute(
        &format!(
            "UPDATE watched_cameras SET holder = $2, server = $1, held_until = {NOW} + $3::double precision,
                 report = NULL
             WHERE (name, place) IN (SELECT name, place FROM watched_cameras WHERE {lapsed} ORDER BY name
                 LIMIT (SELECT LEAST((count(*) + 1) / 2, GREATEST(0, $4::bigint - (SELECT count(*)
                     FROM watched_cameras WHERE holder = $2 AND NOT is_over AND held_until >= {NOW})))
                     FROM watched_cameras WHERE {lapsed}))"
        ),
        &[&by.name, &by.key, &lease, &most],
    )?;
    let forgotten = db.execute(
        &format!(
            "DELETE FROM watched_cameras WHERE place NOT IN ('', $1) AND held_until < {NOW} - $2::double precision"
        ),
        &[&by.name, &FORGET_BOUND_CAMERAS_AFTER.as_secs_f64()],
    )?;
    told(db, ended + taken + forgotten)?;
    let held = db.query(
        &format!(
            "SELECT name, place, is_over FROM watched_cameras
             WHERE holder = $1 AND held_until >= {NOW} ORDER BY name, place"
        ),
        &[&by.key],
    )?;
    let kept = kept_cameras::all(db)?;
    let mut claimed = Vec::with_capacity(held.len());
    for row in &held {
        let (key, is_over) = (key(row)?, row.try_get(2)?);
        let camera = kept.iter().find(|row| {
            row.camera_group == CameraGroup::Usual.as_str() && row.address == key.name && row.only_at == place(&key)
        });
        claimed.extend(camera.map(|row| ClaimedCamera { camera: row.clone().opened(keys), is_over }));
    }
    Ok(claimed)
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
            "SELECT w.name, w.place, c.location, CASE WHEN w.held_until >= {NOW} THEN w.server END, w.report
             FROM watched_cameras w JOIN cameras c ON c.address = w.name AND c.only_at = w.place
                 AND {TO_BE_WATCHED} ORDER BY w.name, w.place"
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

pub(super) fn lock(db: &mut Transaction<'_>) -> Outcome<()> {
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
