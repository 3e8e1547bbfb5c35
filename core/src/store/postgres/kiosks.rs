//! The kiosks, and what the people before them do.

use jiff::Timestamp;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::kiosk_rows::{COLUMNS, NO_KIOSK, TAKEN, has_room, in_order, settings_fit, vouched_fits};
use super::super::notices::text;
use super::super::outbox::events;
use super::super::rules::{NO_ATTENDANCE, second_look_fits};
use super::super::text_keys::{camera_key, roll_key};
use super::super::{
    AttendanceRecord, Kiosk, KioskChange, KioskSettings, Kiosks, Marking, NewAttendance, NewKiosk, NewSecondLook,
    OpenCode, SecondLooking, SecretHash, Student,
};
use super::attendance::{find as attendance_record, mark};
use super::outbox::Shared;
use super::{Outcome, PostgresStore, certain_time, count, micros, notices, second_looks, students, time};
use crate::error::Result;
use crate::gate::GatePolicy;
use crate::types::StudentId;

impl Kiosks for PostgresStore {
    fn create_kiosk(&self, new: &NewKiosk) -> Result<Kiosk> {
        settings_fit(&new.settings)?;
        self.write("add a kiosk", |db| {
            alone(db)?;
            has_room(count(&db.query_one("SELECT count(*) FROM kiosks", &[])?, 0)?)?;
            must_be_free(db, &new.settings.name, None)?;
            let KioskSettings { name, location, gate, tone, speech } = &new.settings;
            let made = db.query_one(
                &format!(
                    "INSERT INTO kiosks (name, name_key, location, gate, tone, speech, pin_hash, code_hash, code_until,
                         created_at, created_by, changed_at, changed_by)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $11) RETURNING {COLUMNS}"
                ),
                &[
                    name,
                    &camera_key(name),
                    location,
                    &gate.map(GatePolicy::as_str),
                    tone,
                    speech,
                    &new.pin.as_ref().map(SecretHash::as_str),
                    &new.code.hash.as_str(),
                    &micros(new.code.until),
                    &micros(new.at),
                    &new.by,
                ],
            )?;
            from_row(&made)
        })
    }

    fn kiosks(&self) -> Result<Vec<Kiosk>> {
        self.read("list the kiosks", |db| {
            let rows = db.query(&format!("SELECT {COLUMNS} FROM kiosks"), &[])?;
            Ok(in_order(rows.iter().map(from_row).collect::<Outcome<_>>()?))
        })
    }

    fn kiosk(&self, id: i64) -> Result<Option<Kiosk>> {
        self.read("read a kiosk", |db| find(db, "id = $1", &id))
    }

    fn change_kiosk(&self, id: i64, change: &KioskChange) -> Result<Kiosk> {
        settings_fit(&change.settings)?;
        self.write("change a kiosk", |db| {
            alone(db)?;
            must_be_free(db, &change.settings.name, Some(id))?;
            let KioskSettings { name, location, gate, tone, speech } = &change.settings;
            db.execute(
                "UPDATE kiosks SET name = $2, name_key = $3, location = $4, gate = $5, tone = $6, speech = $7,
                     changed_at = $8, changed_by = $9 WHERE id = $1",
                &[
                    &id,
                    name,
                    &camera_key(name),
                    location,
                    &gate.map(GatePolicy::as_str),
                    tone,
                    speech,
                    &micros(change.at),
                    &change.by,
                ],
            )?;
            if let Some(pin) = &change.pin {
                let pin = pin.as_ref().map(SecretHash::as_str);
                db.execute("UPDATE kiosks SET pin_hash = $2 WHERE id = $1", &[&id, &pin])?;
            }
            certain(db, id)
        })
    }

    fn open_kiosk_code(&self, id: i64, code: &OpenCode) -> Result<Kiosk> {
        self.write("open a code for a kiosk", |db| {
            db.execute(
                "UPDATE kiosks SET code_hash = $2, code_until = $3 WHERE id = $1",
                &[&id, &code.hash.as_str(), &micros(code.until)],
            )?;
            certain(db, id)
        })
    }

    fn pair_kiosk(&self, code: &SecretHash, token: &SecretHash, now: Timestamp) -> Result<Option<Kiosk>> {
        self.write("pair a kiosk", |db| {
            // Of two tablets at once, the second waits for the row and finds the code used up.
            let paired = db.query_opt(
                &format!(
                    "UPDATE kiosks SET code_hash = NULL, code_until = NULL, token_hash = $2, paired_at = $3,
                         last_seen_at = $3 WHERE code_hash = $1 AND code_until > $3 RETURNING {COLUMNS}"
                ),
                &[&code.as_str(), &token.as_str(), &micros(now)],
            )?;
            paired.as_ref().map(from_row).transpose()
        })
    }

    fn kiosk_of_token(&self, token: &SecretHash) -> Result<Option<Kiosk>> {
        self.read("read a kiosk", |db| find(db, "token_hash = $1", &token.as_str()))
    }

    fn note_kiosk_seen(&self, id: i64, now: Timestamp) -> Result<()> {
        self.write("note that a kiosk was seen", |db| {
            db.execute("UPDATE kiosks SET last_seen_at = $2 WHERE id = $1", &[&id, &micros(now)])?;
            Ok(())
        })
    }

    fn revoke_kiosk(&self, id: i64) -> Result<Kiosk> {
        self.write("revoke a kiosk", |db| {
            db.execute(
                "UPDATE kiosks SET code_hash = NULL, code_until = NULL, token_hash = NULL, paired_at = NULL
                 WHERE id = $1",
                &[&id],
            )?;
            certain(db, id)
        })
    }

    fn remove_kiosk(&self, id: i64) -> Result<Kiosk> {
        self.write("remove a kiosk", |db| {
            let gone = db.query_opt(&format!("DELETE FROM kiosks WHERE id = $1 RETURNING {COLUMNS}"), &[&id])?;
            from_row(&gone.ok_or(NO_KIOSK)?)
        })
    }

    fn take_back_mark(&self, attendance: i64, look: &NewSecondLook) -> Result<SecondLooking> {
        second_look_fits(look)?;
        self.write("take a mark back", |db| {
            let deleted = db.execute(
                "DELETE FROM attendance_log WHERE id = $1::bigint AND student_id = $2::bigint",
                &[&attendance, &look.sighting.student.0],
            )?;
            if deleted == 0 {
                return Err(NO_ATTENDANCE.into());
            }
            events::mark_gone(&mut Shared::of(db), attendance)?;
            notices::leave(db, text::ATTENDANCE)?;
            second_looks::add(db, look)
        })
    }

    fn take_back_check_out(&self, attendance: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("take a check-out back", |db| {
            db.execute(
                "UPDATE attendance_log SET checked_out_at = NULL WHERE id = $1::bigint AND checked_out_at = $2",
                &[&attendance, &micros(at)],
            )?;
            events::check_out_gone(&mut Shared::of(db), attendance)?;
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
            let ids = db.query(
                "SELECT id::bigint FROM students WHERE roll_key = $1 ORDER BY id LIMIT 2",
                &[&roll_key(roll_number)],
            )?;
            let [only] = &ids[..] else { return Ok(None) };
            students::find(db, StudentId(only.try_get(0)?))
        })
    }

    fn mark_vouched(&self, new: &NewAttendance, by: &str, reason: &str) -> Result<Marking> {
        vouched_fits(new, by, reason)?;
        self.write("mark somebody who is vouched for", |db| {
            let marking = mark(db, new)?;
            if let Marking::Marked(record) = &marking {
                db.execute(
                    "INSERT INTO attendance_corrections (attendance_id, status, status_before, corrected_by, reason,
                         created_at) VALUES ($1, $2, $2, $3, $4, $5)",
                    &[&record.id, &record.status, &by, &reason, &micros(new.at)],
                )?;
                notices::leave(db, &text::marked(&self.name, record.id))?;
            }
            Ok(marking)
        })
    }
}

/// Waits until nobody else changes kiosks: of two with one name at once, one is told that the name is taken.
fn alone(db: &mut Transaction<'_>) -> Outcome<()> {
    db.execute("LOCK TABLE kiosks IN SHARE ROW EXCLUSIVE MODE", &[])?;
    Ok(())
}

fn must_be_free(db: &mut Transaction<'_>, name: &str, but_for: Option<i64>) -> Outcome<()> {
    let other = find(db, "name_key = $1", &camera_key(name))?.map(|kiosk| kiosk.id);
    if other.is_some_and(|other| Some(other) != but_for) { Err(TAKEN.into()) } else { Ok(()) }
}

fn certain(db: &mut Transaction<'_>, id: i64) -> Outcome<Kiosk> {
    Ok(find(db, "id = $1", &id)?.ok_or(NO_KIOSK)?)
}

fn find(db: &mut Transaction<'_>, which: &str, value: &(dyn ToSql + Sync)) -> Outcome<Option<Kiosk>> {
    let row = db.query_opt(&format!("SELECT {COLUMNS} FROM kiosks WHERE {which}"), &[value])?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &Row) -> Outcome<Kiosk> {
    Ok(Kiosk {
        id: row.try_get(0)?,
        settings: KioskSettings {
            name: row.try_get(1)?,
            location: row.try_get(2)?,
            gate: row.try_get::<_, Option<String>>(3)?.and_then(|word| word.parse().ok()),
            tone: row.try_get(4)?,
            speech: row.try_get(5)?,
        },
        pin: row.try_get::<_, Option<String>>(6)?.map(SecretHash::new),
        code_until: time(row, 7)?,
        paired_at: time(row, 8)?,
        last_seen_at: time(row, 9)?,
        created_at: certain_time(row, 10)?,
        created_by: row.try_get(11)?,
        changed_at: certain_time(row, 12)?,
        changed_by: row.try_get(13)?,
    })
}
