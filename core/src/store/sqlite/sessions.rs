//! Liveness sessions.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::naive_time::{to_bound, to_micros, to_seconds};
use super::super::rules::{NO_SESSION, NO_STUDENT, json, must_be_completed, must_be_free_for, session_status};
use super::super::{MAX_SEEN_FRAMES, NewSession, SessionRecord, SessionSummary, SessionUpdate, Sessions};
use super::connection::{Outcome, Time, time};
use super::students::student;
use super::{SqliteStore, privacy};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::liveness::{PerceptualHash, SeenFrame, Status};
use crate::types::{Degrees, SessionId, StudentId};

impl Sessions for SqliteStore {
    fn create_session(&self, new: &NewSession) -> Result<SessionRecord> {
        self.write("create the liveness session", |db| {
            if let Some(id) = new.student {
                student(db, id)?.ok_or(NO_STUDENT)?;
            }
            db.execute(
                "INSERT INTO liveness_detection_sessions (session_id, student_id, status, created_at, expires_at, state,
                     version, liveness_score, movement_verified, center_verified, left_verified,
                     right_verified, attempts_count)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0.0, 0, 0, 0, 0, 0)",
                params![
                    new.id.to_string(),
                    new.student.map(|id| id.0),
                    Status::Pending.as_str(),
                    to_seconds(new.created_at),
                    to_micros(new.expires_at),
                    self.keys.seal_text(&SealContext::new(FaceColumn::SessionState, new.id), &new.state)?,
                ],
            )?;
            Ok(session(db, &self.keys, new.id)?.ok_or(NO_SESSION)?)
        })
    }

    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>> {
        self.read("read the liveness session", |db| session(db, &self.keys, id))
    }

    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>> {
        let seal = |column, plain: Option<String>| -> Result<Option<String>> {
            let context = SealContext::new(column, id);
            plain.map(|plain| Ok(self.keys.seal_text(&context, &plain)?.into_owned())).transpose()
        };
        let embedding = |column, embedding: Option<&Embedding>| seal(column, embedding.map(json));
        let state = self.keys.seal_text(&SealContext::new(FaceColumn::SessionState, id), &update.state)?;
        let center = embedding(FaceColumn::SessionCenterEmbedding, update.center.embedding.as_ref())?;
        let left = embedding(FaceColumn::SessionLeftEmbedding, update.left.embedding.as_ref())?;
        let right = embedding(FaceColumn::SessionRightEmbedding, update.right.embedding.as_ref())?;
        let final_embedding = embedding(FaceColumn::SessionFinalEmbedding, update.final_embedding.as_ref())?;
        let center_frame = seal(FaceColumn::SessionCenterFrame, update.center.frame_data.clone())?;
        let left_frame = seal(FaceColumn::SessionLeftFrame, update.left.frame_data.clone())?;
        let right_frame = seal(FaceColumn::SessionRightFrame, update.right.frame_data.clone())?;
        self.write("update the liveness session", |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE liveness_detection_sessions SET version = version + 1, status = :status, state = :state,
                         liveness_score = :liveness_score, movement_verified = :movement_verified,
                         center_embedding = :center_embedding, center_verified = :center_verified,
                         center_frame_data = :center_frame,
                         left_embedding = :left_embedding, left_verified = :left_verified,
                         left_frame_data = :left_frame,
                         right_embedding = :right_embedding, right_verified = :right_verified,
                         right_frame_data = :right_frame,
                         final_embedding = :final_embedding, error_message = :error_message, attempts_count = :attempts,
                         completed_at = :completed_at
                     WHERE session_id = :id AND version = :expected_version",
                )?
                .execute(named_params! {
                    ":id": id.to_string(),
                    ":expected_version": expected_version,
                    ":status": update.status.as_str(),
                    ":state": state,
                    ":liveness_score": update.liveness_score,
                    ":movement_verified": update.movement_verified,
                    ":center_embedding": center,
                    ":center_verified": update.center.verified,
                    ":center_frame": center_frame,
                    ":left_embedding": left,
                    ":left_verified": update.left.verified,
                    ":left_frame": left_frame,
                    ":right_embedding": right,
                    ":right_verified": update.right.verified,
                    ":right_frame": right_frame,
                    ":final_embedding": final_embedding,
                    ":error_message": update.error_message,
                    ":attempts": update.attempts,
                    ":completed_at": update.completed_at.map(to_micros),
                })?;
            if changed == 0 {
                session(db, &self.keys, id)?.ok_or(NO_SESSION)?;
                return Ok(None);
            }
            Ok(Some(expected_version + 1))
        })
    }

    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()> {
        self.write("remember a frame", |db| {
            db.prepare_cached(
                "INSERT INTO liveness_seen_frames (session_id, yaw, looks, seen_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                session.to_string(),
                frame.yaw.0,
                frame.perceptual.to_bytes(),
                to_micros(now)
            ])?;
            db.prepare_cached("DELETE FROM liveness_seen_frames WHERE id <= ?1")?
                .execute([db.last_insert_rowid() - i64::from(MAX_SEEN_FRAMES)])?;
            Ok(())
        })
    }

    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool> {
        self.read("look for a frame", |db| {
            // The index narrows it to frames of about one yaw; like-ness is the domain's to say.
            let mut statement = db.prepare_cached(
                "SELECT yaw, looks FROM liveness_seen_frames
                 WHERE yaw BETWEEN ?1 AND ?2 AND seen_at >= ?3 AND session_id <> ?4",
            )?;
            let [from, to] = frame.like_yaws();
            let mut rows = statement.query(params![from.0, to.0, to_bound(since), session.to_string()])?;
            while let Some(row) = rows.next()? {
                let looks = row.get_ref(1)?.as_blob_or_null().unwrap_or(None);
                let seen = looks.and_then(PerceptualHash::from_bytes);
                if seen.is_some_and(|perceptual| {
                    row.get(0).is_ok_and(|yaw| frame.is_like(&SeenFrame { perceptual, yaw: Degrees(yaw) }))
                }) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>> {
        self.read("list the student's sessions", |db| Ok(privacy::sessions_of(db, student)?))
    }
}

pub(super) fn session(db: &Connection, keys: &TemplateKeys, id: SessionId) -> Outcome<Option<SessionRecord>> {
    let Some(mut record) = stored_session(db, id)? else { return Ok(None) };
    if let Some(stored) = &record.state {
        record.state = Some(keys.text_at(&SealContext::new(FaceColumn::SessionState, id), stored)?);
    }
    Ok(Some(record))
}

/// The session with its state as it lies in the row.
pub(super) fn stored_session(db: &Connection, id: SessionId) -> rusqlite::Result<Option<SessionRecord>> {
    db.prepare_cached(
        "SELECT student_id, status, COALESCE(liveness_score, 0.0), COALESCE(movement_verified, 0), state, version,
             COALESCE(created_at, '1970-01-01 00:00:00'), expires_at, completed_at, consumed_at
         FROM liveness_detection_sessions WHERE session_id = ?1",
    )?
    .query_row([id.to_string()], |row| {
        let status: Option<String> = row.get(1)?;
        Ok(SessionRecord {
            id,
            student: row.get::<_, Option<i64>>(0)?.map(StudentId),
            status: session_status(status.as_deref()),
            liveness_score: row.get(2)?,
            movement_verified: row.get(3)?,
            state: row.get(4)?,
            version: row.get(5)?,
            created_at: row.get::<_, Time>(6)?.0,
            expires_at: row.get::<_, Time>(7)?.0,
            completed_at: time(row, 8)?,
            consumed_at: time(row, 9)?,
        })
    })
    .optional()
}

pub(super) fn completed_session(db: &Connection, keys: &TemplateKeys, id: SessionId) -> Outcome<SessionRecord> {
    let record = session(db, keys, id)?.ok_or(NO_SESSION)?;
    must_be_completed(&record)?;
    Ok(record)
}

/// Binds the session to the one student that it enrols.
pub(super) fn use_up(
    db: &Connection,
    id: SessionId,
    record: &SessionRecord,
    student: StudentId,
    now: Timestamp,
) -> Outcome<()> {
    must_be_free_for(record, student)?;
    // The new version makes a frame that is still being judged read the session again.
    db.execute(
        "UPDATE liveness_detection_sessions SET consumed_at = ?2, student_id = ?3, version = version + 1
         WHERE session_id = ?1",
        params![id.to_string(), to_micros(now), student.0],
    )?;
    Ok(())
}
