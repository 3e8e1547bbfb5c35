//! The kiosks, and what the people before them do.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::kiosk_rows::{COLUMNS, NO_KIOSK, TAKEN, has_room, in_order, settings_fit, vouched_fits};
use super::super::naive_time::to_micros;
use super::super::notices::text;
use super::super::outbox::events;
use super::super::rules::{NO_ATTENDANCE, second_look_fits};
use super::super::text_keys::{camera_key, roll_key};
use super::super::{
    AttendanceRecord, Kiosk, KioskChange, KioskSettings, Kiosks, Marking, NewAttendance, NewKiosk, NewSecondLook,
    OpenCode, SecondLooking, SecretHash, Student,
};
use super::attendance::{attendance_record, mark};
use super::connection::{Outcome, Time, time};
use super::outbox::Shared;
use super::students::student;
use super::{SqliteStore, notices, second_looks};
use crate::error::Result;
use crate::gate::GatePolicy;
use crate::types::StudentId;

impl Kiosks for SqliteStore {
    fn create_kiosk(&self, new: &NewKiosk) -> Result<Kiosk> {
        settings_fit(&new.settings)?;
        self.write("add a kiosk", |db| {
            has_room(db.query_row("SELECT count(*) FROM kiosks", [], |row| row.get(0))?)?;
            must_be_free(db, &new.settings.name, None)?;
            let KioskSettings { name, location, gate, tone, speech } = &new.settings;
            db.execute(
                "INSERT INTO kiosks (name, name_key, location, gate, tone, speech, pin_hash, code_hash, code_until,
                     created_at, created_by, changed_at, changed_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10, ?11)",
                params![
                    name,
                    camera_key(name),
                    location,
                    gate.map(GatePolicy::as_str),
                    tone,
                    speech,
                    new.pin.as_ref().map(SecretHash::as_str),
                    new.code.hash.as_str(),
                    to_micros(new.code.until),
                    to_micros(new.at),
                    new.by,
                ],
            )?;
            Ok(find(db, db.last_insert_rowid())?.ok_or(NO_KIOSK)?)
        })
    }

    fn kiosks(&self) -> Result<Vec<Kiosk>> {
        self.read("list the kiosks", |db| {
            let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM kiosks"))?;
            let all = statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?;
            Ok(in_order(all))
        })
    }

    fn kiosk(&self, id: i64) -> Result<Option<Kiosk>> {
        self.read("read a kiosk", |db| Ok(find(db, id)?))
    }

    fn change_kiosk(&self, id: i64, change: &KioskChange) -> Result<Kiosk> {
        settings_fit(&change.settings)?;
        self.write("change a kiosk", |db| {
            must_be_free(db, &change.settings.name, Some(id))?;
            let KioskSettings { name, location, gate, tone, speech } = &change.settings;
            db.execute(
                "UPDATE kiosks SET name = ?2, name_key = ?3, location = ?4, gate = ?5, tone = ?6, speech = ?7,
                     changed_at = ?8, changed_by = ?9 WHERE id = ?1",
                params![
                    id,
                    name,
                    camera_key(name),
                    location,
                    gate.map(GatePolicy::as_str),
                    tone,
                    speech,
                    to_micros(change.at),
                    change.by,
                ],
            )?;
            if let Some(pin) = &change.pin {
                let pin = pin.as_ref().map(SecretHash::as_str);
                db.execute("UPDATE kiosks SET pin_hash = ?2 WHERE id = ?1", params![id, pin])?;
            }
            Ok(find(db, id)?.ok_or(NO_KIOSK)?)
        })
    }

    fn open_kiosk_code(&self, id: i64, code: &OpenCode) -> Result<Kiosk> {
        self.write("open a code for a kiosk", |db| {
            db.execute(
                "UPDATE kiosks SET code_hash = ?2, code_until = ?3 WHERE id = ?1",
                params![id, code.hash.as_str(), to_micros(code.until)],
            )?;
            Ok(find(db, id)?.ok_or(NO_KIOSK)?)
        })
    }

    fn pair_kiosk(&self, code: &SecretHash, token: &SecretHash, now: Timestamp) -> Result<Option<Kiosk>> {
        self.write("pair a kiosk", |db| {
            let open = db
                .prepare_cached("SELECT id FROM kiosks WHERE code_hash = ?1 AND code_until > ?2")?
                .query_row(params![code.as_str(), to_micros(now)], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(id) = open else { return Ok(None) };
            db.execute(
                "UPDATE kiosks SET code_hash = NULL, code_until = NULL, token_hash = ?2, paired_at = ?3,
                     last_seen_at = ?3 WHERE id = ?1",
                params![id, token.as_str(), to_micros(now)],
            )?;
            Ok(find(db, id)?)
        })
    }

    fn kiosk_of_token(&self, token: &SecretHash) -> Result<Option<Kiosk>> {
        self.read("read a kiosk", |db| {
            Ok(db
                .prepare_cached(&format!("SELECT {COLUMNS} FROM kiosks WHERE token_hash = ?1"))?
                .query_row([token.as_str()], from_row)
                .optional()?)
        })
    }

    fn note_kiosk_seen(&self, id: i64, now: Timestamp) -> Result<()> {
        self.write("note that a kiosk was seen", |db| {
            db.prepare_cached("UPDATE kiosks SET last_seen_at = ?2 WHERE id = ?1")?
                .execute(params![id, to_micros(now)])?;
            Ok(())
        })
    }

    fn revoke_kiosk(&self, id: i64) -> Result<Kiosk> {
        self.write("revoke a kiosk", |db| {
            db.execute(
                "UPDATE kiosks SET code_hash = NULL, code_until = NULL, token_hash = NULL, paired_at = NULL
                 WHERE id = ?1",
                [id],
            )?;
            Ok(find(db, id)?.ok_or(NO_KIOSK)?)
        })
    }

    fn remove_kiosk(&self, id: i64) -> Result<Kiosk> {
        self.write("remove a kiosk", |db| {
            let kiosk = find(db, id)?.ok_or(NO_KIOSK)?;
            db.execute("DELETE FROM kiosks WHERE id = ?1", [id])?;
            Ok(kiosk)
        })
    }

    fn take_back_mark(&self, attendance: i64, look: &NewSecondLook) -> Result<SecondLooking> {
        second_look_fits(look)?;
        self.write("take a mark back", |db| {
            let student = look.sighting.student.0;
            let deleted =
                db.execute("DELETE FROM attendance_log WHERE id = ?1 AND student_id = ?2", [attendance, student])?;
            if deleted == 0 {
                return Err(NO_ATTENDANCE.into());
            }
            events::mark_gone(&mut Shared(db), attendance)?;
            notices::leave(db, text::ATTENDANCE)?;
            second_looks::add(db, look)
        })
    }

    fn take_back_check_out(&self, attendance: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("take a check-out back", |db| {
            db.execute(
                "UPDATE attendance_log SET checked_out_at = NULL WHERE id = ?1 AND checked_out_at = ?2",
                params![attendance, to_micros(at)],
            )?;
            events::check_out_gone(&mut Shared(db), attendance)?;
            notices::leave(db, text::ATTENDANCE)?;
            Ok(attendance_record(db, attendance)?.ok_or(NO_ATTENDANCE)?)
        })
    }

    fn student_by_roll_number(&self, roll_number: &str) -> Result<Option<Student>> {
        self.complete_keys();
        // Nobody has such a number, and PostgreSQL takes no such text.
        if roll_number.contains('\0') {
            return Ok(None);
        }
        self.read("find a roll number", |db| {
            let ids: Vec<i64> = db
                .prepare_cached("SELECT id FROM students WHERE roll_key = ?1 ORDER BY id LIMIT 2")?
                .query_map([roll_key(roll_number)], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let [id] = ids[..] else { return Ok(None) };
            Ok(student(db, StudentId(id))?)
        })
    }

    fn mark_vouched(&self, new: &NewAttendance, by: &str, reason: &str) -> Result<Marking> {
        vouched_fits(new, by, reason)?;
        self.write("mark somebody who is vouched for", |db| {
            let marking = mark(db, new)?;
            if let Marking::Marked(record) = &marking {
                db.execute(
                    "INSERT INTO attendance_corrections (attendance_id, status, status_before, corrected_by, reason,
                         created_at) VALUES (?1, ?2, ?2, ?3, ?4, ?5)",
                    params![record.id, record.status, by, reason, to_micros(new.at)],
                )?;
                notices::leave(db, &text::marked(&self.name, record.id))?;
            }
            Ok(marking)
        })
    }
}

fn must_be_free(db: &Connection, name: &str, but_for: Option<i64>) -> Outcome<()> {
    let other = db
        .prepare_cached("SELECT id FROM kiosks WHERE name_key = ?1")?
        .query_row([camera_key(name)], |row| row.get::<_, i64>(0))
        .optional()?;
    if other.is_some_and(|other| Some(other) != but_for) { Err(TAKEN.into()) } else { Ok(()) }
}

fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<Kiosk>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM kiosks WHERE id = ?1"))?.query_row([id], from_row).optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Kiosk> {
    Ok(Kiosk {
        id: row.get(0)?,
        settings: KioskSettings {
            name: row.get(1)?,
            location: row.get(2)?,
            gate: row.get::<_, Option<String>>(3)?.and_then(|word| word.parse().ok()),
            tone: row.get(4)?,
            speech: row.get(5)?,
        },
        pin: row.get::<_, Option<String>>(6)?.map(SecretHash::new),
        code_until: time(row, 7)?,
        paired_at: time(row, 8)?,
        last_seen_at: time(row, 9)?,
        created_at: row.get::<_, Time>(10)?.0,
        created_by: row.get(11)?,
        changed_at: row.get::<_, Time>(12)?.0,
        changed_by: row.get(13)?,
    })
}
