//! Liveness sessions, and the frames that were seen.

use jiff::Timestamp;
use postgres::{Row, Transaction};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::rules::{NO_SESSION, NO_STUDENT, json, must_be_completed, must_be_free_for, session_status};
use super::super::{MAX_SEEN_FRAMES, NewSession, SessionRecord, SessionSummary, SessionUpdate, Sessions};
use super::{Outcome, PostgresStore, certain_time, micros, privacy, seconds, students, time};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::liveness::{PerceptualHash, SeenFrame, Status};
use crate::types::{Degrees, SessionId, StudentId};

impl Sessions for PostgresStore {
    fn create_session(&self, new: &NewSession) -> Result<SessionRecord> {
        self.write("create the liveness session", |db| create(db, &self.keys, new))
    }

    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>> {
        self.read("read the liveness session", |db| find(db, &self.keys, id))
    }

    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>> {
        self.write("update the liveness session", |db| self::update(db, &self.keys, id, expected_version, update))
    }

    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()> {
        self.write("remember a frame", |db| remember_frame(db, session, frame, now))
    }

    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool> {
        self.read("look for a frame", |db| frame_seen_elsewhere(db, session, frame, since))
    }

    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>> {
        self.read("list the student's sessions", |db| privacy::sessions_of(db, student))
    }
}

pub(super) fn create(db: &mut Transaction<'_>, keys: &TemplateKeys, new: &NewSession) -> Outcome<SessionRecord> {
    if let Some(id) = new.student {
        students::find(db, id)?.ok_or(NO_STUDENT)?;
    }
    db.execute(
        "INSERT INTO liveness_detection_sessions (session_id, student_id, status, created_at, expires_at,
             state, version,
             liveness_score, movement_verified, center_verified, left_verified, right_verified, attempts_count)
         VALUES ($1, $2::bigint, $3, $4::timestamp, $5::timestamp, $6, 0, 0, false, false, false, false, 0)",
        &[
            &new.id.to_string(),
            &new.student.map(|id| id.0),
            &Status::Pending.as_str(),
            &seconds(new.created_at),
            &micros(new.expires_at),
            &&*keys.seal_text(&SealContext::new(FaceColumn::SessionState, new.id), &new.state)?,
        ],
    )?;
    Ok(find(db, keys, new.id)?.ok_or(NO_SESSION)?)
}

pub(super) fn find(db: &mut Transaction<'_>, keys: &TemplateKeys, id: SessionId) -> Outcome<Option<SessionRecord>> {
    let row = db.query_opt(&format!("{SESSION} WHERE session_id = $1"), &[&id.to_string()])?;
    row.map(|row| from_row(&row, keys, id)).transpose()
}

const SESSION: &str = "SELECT student_id::bigint, status, COALESCE(liveness_score, 0)::float8,
    COALESCE(movement_verified, false), state, version::bigint, created_at::timestamp, expires_at::timestamp,
    completed_at::timestamp, consumed_at::timestamp FROM liveness_detection_sessions";

fn from_row(row: &Row, keys: &TemplateKeys, id: SessionId) -> Outcome<SessionRecord> {
    let status: Option<String> = row.try_get(1)?;
    let state: Option<String> = row.try_get(4)?;
    let context = SealContext::new(FaceColumn::SessionState, id);
    let state = state.map(|stored| keys.text_at(&context, &stored));
    Ok(SessionRecord {
        id,
        student: row.try_get::<_, Option<i64>>(0)?.map(StudentId),
        status: session_status(status.as_deref()),
        liveness_score: row.try_get(2)?,
        movement_verified: row.try_get(3)?,
        state: state.transpose()?,
        version: row.try_get(5)?,
        created_at: certain_time(row, 6)?,
        expires_at: certain_time(row, 7)?,
        completed_at: time(row, 8)?,
        consumed_at: time(row, 9)?,
    })
}

/// The session, completed, and held until the transaction is over: of two registrations with it one waits here.
pub(super) fn completed(db: &mut Transaction<'_>, keys: &TemplateKeys, id: SessionId) -> Outcome<SessionRecord> {
    let row = db.query_opt(&format!("{SESSION} WHERE session_id = $1 FOR UPDATE"), &[&id.to_string()])?;
    let record = from_row(&row.ok_or(NO_SESSION)?, keys, id)?;
    must_be_completed(&record)?;
    Ok(record)
}

/// Binds the session to the one student that it enrols.
pub(super) fn use_up(
    db: &mut Transaction<'_>,
    id: SessionId,
    record: &SessionRecord,
    student: StudentId,
    now: Timestamp,
) -> Outcome<()> {
    must_be_free_for(record, student)?;
    // The new version makes a frame that is still being judged read the session again.
    db.execute(
        "UPDATE liveness_detection_sessions SET consumed_at = $2, student_id = $3::bigint, version = version + 1
         WHERE session_id = $1",
        &[&id.to_string(), &micros(now), &student.0],
    )?;
    Ok(())
}

pub(super) fn update(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    id: SessionId,
    expected_version: i64,
    update: &SessionUpdate,
) -> Outcome<Option<i64>> {
    let seal = |column, plain: Option<String>| -> Result<Option<String>> {
        let context = SealContext::new(column, id);
        plain.map(|plain| Ok(keys.seal_text(&context, &plain)?.into_owned())).transpose()
    };
    let embedding = |column, embedding: Option<&Embedding>| seal(column, embedding.map(json));
    // Every attempt is a frame that was judged.
    let attempts = i32::try_from(update.attempts).unwrap_or(i32::MAX);
    let changed = db.execute(
        "UPDATE liveness_detection_sessions SET version = version + 1, status = $3, state = $4, liveness_score = $5,
             movement_verified = $6, center_embedding = $7, center_verified = $8, center_frame_data = $9,
             left_embedding = $10, left_verified = $11, left_frame_data = $12, right_embedding = $13,
             right_verified = $14, right_frame_data = $15, final_embedding = $16, error_message = $17,
             attempts_count = $18::int, completed_at = $19::timestamp
         WHERE session_id = $1 AND version = $2::bigint",
        &[
            &id.to_string(),
            &expected_version,
            &update.status.as_str(),
            &&*keys.seal_text(&SealContext::new(FaceColumn::SessionState, id), &update.state)?,
            &update.liveness_score,
            &update.movement_verified,
            &embedding(FaceColumn::SessionCenterEmbedding, update.center.embedding.as_ref())?,
            &update.center.verified,
            &seal(FaceColumn::SessionCenterFrame, update.center.frame_data.clone())?,
            &embedding(FaceColumn::SessionLeftEmbedding, update.left.embedding.as_ref())?,
            &update.left.verified,
            &seal(FaceColumn::SessionLeftFrame, update.left.frame_data.clone())?,
            &embedding(FaceColumn::SessionRightEmbedding, update.right.embedding.as_ref())?,
            &update.right.verified,
            &seal(FaceColumn::SessionRightFrame, update.right.frame_data.clone())?,
            &embedding(FaceColumn::SessionFinalEmbedding, update.final_embedding.as_ref())?,
            &update.error_message,
            &attempts,
            &update.completed_at.map(micros),
        ],
    )?;
    if changed == 0 {
        find(db, keys, id)?.ok_or(NO_SESSION)?;
        return Ok(None);
    }
    Ok(Some(expected_version + 1))
}

pub(super) fn remember_frame(
    db: &mut Transaction<'_>,
    session: SessionId,
    frame: &SeenFrame,
    now: Timestamp,
) -> Outcome<()> {
    let looks = frame.perceptual.to_bytes();
    let row = db.query_one(
        "INSERT INTO liveness_seen_frames (session_id, yaw, looks, seen_at) VALUES ($1, $2, $3, $4) RETURNING id",
        &[&session.to_string(), &frame.yaw.0, &&looks[..], &micros(now)],
    )?;
    let oldest = row.try_get::<_, i64>(0)? - i64::from(MAX_SEEN_FRAMES);
    db.execute("DELETE FROM liveness_seen_frames WHERE id <= $1", &[&oldest])?;
    Ok(())
}

pub(super) fn frame_seen_elsewhere(
    db: &mut Transaction<'_>,
    session: SessionId,
    frame: &SeenFrame,
    since: Timestamp,
) -> Outcome<bool> {
    // The index narrows it to frames of about one yaw; like-ness is the domain's to say.
    let [from, to] = frame.like_yaws();
    let rows = db.query(
        "SELECT yaw, looks FROM liveness_seen_frames
         WHERE yaw BETWEEN $1 AND $2 AND seen_at >= $3 AND session_id <> $4",
        &[&from.0, &to.0, &micros(since), &session.to_string()],
    )?;
    for row in &rows {
        let yaw = Degrees(row.try_get(0)?);
        let seen = PerceptualHash::from_bytes(row.try_get(1)?);
        if seen.is_some_and(|perceptual| frame.is_like(&SeenFrame { perceptual, yaw })) {
            return Ok(true);
        }
    }
    Ok(false)
}
