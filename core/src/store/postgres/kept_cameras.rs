//! The cameras that are kept. Whoever changes the list holds the lock of the leases: what is to be watched and who
//! watches it change together.

use std::time::Duration;

use jiff::Timestamp;
use postgres::{Row, Transaction};

use super::super::codec::{TemplateForms, TemplateKeys};
use super::super::kept_rows::{
    COLUMNS, CameraRow, CameraTable, change, forms, in_order, keep, keep_started, pause, remove, settings_fit,
};
use super::super::notices::text;
use super::super::{CameraGroup, CameraKey, KeptCamera, KeptCameraChange, KeptCameras, NewKeptCamera, ServerId};
use super::cluster::{end_leases, is_held, lock, watch};
use super::{Fault, Outcome, PostgresStore, certain_time, micros, notices};
use crate::error::Result;

impl KeptCameras for PostgresStore {
    fn keep_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera> {
        settings_fit(&new.settings)?;
        self.write_cameras("keep a camera", |table| keep(table, &self.keys, new))
    }

    fn keep_started_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera> {
        settings_fit(&new.settings)?;
        self.write_cameras("keep a camera", |table| keep_in_place(table, &self.keys, new))
    }

    fn kept_cameras(&self) -> Result<Vec<KeptCamera>> {
        self.read("list the cameras", |db| Ok(in_order(all(db)?, &self.keys)))
    }

    fn kept_camera(&self, id: i64) -> Result<Option<KeptCamera>> {
        let found = self.read("read a camera", |db| Ok(all(db)?.into_iter().find(|row| row.id == id)))?;
        Ok(found.map(|row| row.opened(&self.keys)))
    }

    fn change_kept_camera(&self, id: i64, to: &KeptCameraChange) -> Result<KeptCamera> {
        if let Some((settings, ..)) = &to.settings {
            settings_fit(settings)?;
        }
        self.write_cameras("change a camera", |table| change(table, &self.keys, id, to))
    }

    fn pause_cameras(&self, group: CameraGroup, key: Option<&CameraKey>, by: &str, at: Timestamp) -> Result<u64> {
        self.write_cameras("pause cameras", |table| pause(table, group, key, by, at))
    }

    fn remove_kept_camera(&self, id: i64) -> Result<KeptCamera> {
        self.write_cameras("remove a camera", |table| remove(table, &self.keys, id))
    }

    fn camera_password_forms(&self) -> Result<TemplateForms> {
        self.read("count the passwords of cameras", |db| Ok(forms(&all(db)?)))
    }
}

/// A camera that is watched goes on in the place that it was started with.
fn keep_in_place(table: &mut Table<'_, '_>, keys: &TemplateKeys, new: &NewKeptCamera) -> Outcome<KeptCamera> {
    keep_started(table, keys, new, |table, row| is_held(table.db, &row.address, &row.only_at))
}

impl PostgresStore {
    pub(super) fn keep_and_lease(
        &self,
        new: &NewKeptCamera,
        by: &ServerId,
        lease: Duration,
    ) -> Result<(KeptCamera, bool)> {
        settings_fit(&new.settings)?;
        self.write_cameras("keep a camera", |table| {
            let kept = keep_in_place(table, &self.keys, new)?;
            let is_leased = watch(table.db, &kept.key, by, lease)?;
            Ok((kept, is_leased))
        })
    }

    fn write_cameras<T>(&self, doing: &str, work: impl FnOnce(&mut Table<'_, '_>) -> Outcome<T>) -> Result<T> {
        self.write(doing, |db| {
            lock(db)?;
            let mut table = Table { db, changed: false };
            let done = work(&mut table)?;
            if table.changed {
                end_leases(db)?;
                notices::leave(db, text::CAMERAS)?;
            }
            Ok(done)
        })
    }
}

/// The table in a transaction.
pub(super) struct Table<'a, 't> {
    pub(super) db: &'a mut Transaction<'t>,
    pub(super) changed: bool,
}

impl CameraTable for Table<'_, '_> {
    type Fault = Fault;

    fn all(&mut self) -> Outcome<Vec<CameraRow>> {
        all(self.db)
    }

    fn insert(&mut self, row: &CameraRow) -> Outcome<i64> {
        self.changed = true;
        let inserted = self.db.query_one(
            "INSERT INTO cameras (name, name_key, address, secret, only_at, camera_group, location, turned, mirror,
                 gate, any_place, paused, created_at, created_by, changed_at, changed_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id",
            &[
                &row.name,
                &row.name_key(),
                &row.address,
                &row.secret,
                &row.only_at,
                &row.camera_group,
                &row.location,
                &row.turned,
                &row.mirror,
                &row.gate,
                &row.any_place,
                &row.paused,
                &micros(row.created_at),
                &row.created_by,
                &micros(row.changed_at),
                &row.changed_by,
            ],
        )?;
        Ok(inserted.try_get(0)?)
    }

    fn update(&mut self, row: &CameraRow) -> Outcome<()> {
        self.changed = true;
        self.db.execute(
            "UPDATE cameras SET name = $2, name_key = $3, address = $4, secret = $5, only_at = $6, location = $7,
                 turned = $8, mirror = $9, gate = $10, any_place = $11, paused = $12, changed_at = $13,
                 changed_by = $14 WHERE id = $1",
            &[
                &row.id,
                &row.name,
                &row.name_key(),
                &row.address,
                &row.secret,
                &row.only_at,
                &row.location,
                &row.turned,
                &row.mirror,
                &row.gate,
                &row.any_place,
                &row.paused,
                &micros(row.changed_at),
                &row.changed_by,
            ],
        )?;
        Ok(())
    }

    fn delete(&mut self, id: i64) -> Outcome<()> {
        self.changed = true;
        self.db.execute("DELETE FROM cameras WHERE id = $1", &[&id])?;
        Ok(())
    }
}

pub(super) fn all(db: &mut Transaction<'_>) -> Outcome<Vec<CameraRow>> {
    db.query(&format!("SELECT {COLUMNS} FROM cameras ORDER BY id"), &[])?.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Outcome<CameraRow> {
    Ok(CameraRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        address: row.try_get(2)?,
        secret: row.try_get(3)?,
        only_at: row.try_get(4)?,
        camera_group: row.try_get(5)?,
        location: row.try_get(6)?,
        turned: row.try_get(7)?,
        mirror: row.try_get(8)?,
        gate: row.try_get(9)?,
        any_place: row.try_get(10)?,
        paused: row.try_get(11)?,
        created_at: certain_time(row, 12)?,
        created_by: row.try_get(13)?,
        changed_at: certain_time(row, 14)?,
        changed_by: row.try_get(15)?,
    })
}
