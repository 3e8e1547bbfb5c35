//! The cameras that are kept.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::super::codec::TemplateForms;
use super::super::kept_rows::{
    COLUMNS, CameraRow, CameraTable, change, forms, in_order, keep, keep_started, pause, remove, settings_fit,
};
use super::super::naive_time::to_micros;
use super::super::notices::text;
use super::super::{CameraGroup, CameraKey, KeptCamera, KeptCameraChange, KeptCameras, NewKeptCamera};
use super::connection::{Fault, Outcome, Time};
use super::{SqliteStore, notices};
use crate::error::Result;

impl KeptCameras for SqliteStore {
    fn keep_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera> {
        settings_fit(&new.settings)?;
        self.write_cameras("keep a camera", |table| keep(table, &self.keys, new))
    }

    fn keep_started_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera> {
        settings_fit(&new.settings)?;
        self.write_cameras("keep a camera", |table| keep_started(table, &self.keys, new, |_, _| Ok(false)))
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

impl SqliteStore {
    fn write_cameras<T>(&self, doing: &str, work: impl FnOnce(&mut Table<'_>) -> Outcome<T>) -> Result<T> {
        self.write(doing, |db| {
            let mut table = Table { db, changed: false };
            let done = work(&mut table)?;
            if table.changed {
                notices::leave(db, text::CAMERAS)?;
            }
            Ok(done)
        })
    }
}

/// The table in a transaction.
pub(super) struct Table<'a> {
    pub(super) db: &'a Connection,
    pub(super) changed: bool,
}

impl CameraTable for Table<'_> {
    type Fault = Fault;

    fn all(&mut self) -> Outcome<Vec<CameraRow>> {
        Ok(all(self.db)?)
    }

    fn insert(&mut self, row: &CameraRow) -> Outcome<i64> {
        self.changed = true;
        self.db
            .prepare_cached(
                "INSERT INTO cameras (name, name_key, address, secret, only_at, camera_group, location, turned, mirror,
                     gate, any_place, paused, created_at, created_by, changed_at, changed_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                row.name,
                row.name_key(),
                row.address,
                row.secret,
                row.only_at,
                row.camera_group,
                row.location,
                row.turned,
                row.mirror,
                row.gate,
                row.any_place,
                row.paused,
                to_micros(row.created_at),
                row.created_by,
                to_micros(row.changed_at),
                row.changed_by,
            ])?;
        Ok(self.db.last_insert_rowid())
    }

    fn update(&mut self, row: &CameraRow) -> Outcome<()> {
        self.changed = true;
        self.db
            .prepare_cached(
                "UPDATE cameras SET name = ?2, name_key = ?3, address = ?4, secret = ?5, only_at = ?6, location = ?7,
                     turned = ?8, mirror = ?9, gate = ?10, any_place = ?11, paused = ?12, changed_at = ?13,
                     changed_by = ?14 WHERE id = ?1",
            )?
            .execute(params![
                row.id,
                row.name,
                row.name_key(),
                row.address,
                row.secret,
                row.only_at,
                row.location,
                row.turned,
                row.mirror,
                row.gate,
                row.any_place,
                row.paused,
                to_micros(row.changed_at),
                row.changed_by,
            ])?;
        Ok(())
    }

    fn delete(&mut self, id: i64) -> Outcome<()> {
        self.changed = true;
        self.db.prepare_cached("DELETE FROM cameras WHERE id = ?1")?.execute([id])?;
        Ok(())
    }
}

pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<CameraRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM cameras ORDER BY id"))?.query_map([], from_row)?.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<CameraRow> {
    Ok(CameraRow {
        id: row.get(0)?,
        name: row.get(1)?,
        address: row.get(2)?,
        secret: row.get(3)?,
        only_at: row.get(4)?,
        camera_group: row.get(5)?,
        location: row.get(6)?,
        turned: row.get(7)?,
        mirror: row.get(8)?,
        gate: row.get(9)?,
        any_place: row.get(10)?,
        paused: row.get(11)?,
        created_at: row.get::<_, Time>(12)?.0,
        created_by: row.get(13)?,
        changed_at: row.get::<_, Time>(14)?.0,
        changed_by: row.get(15)?,
    })
}
