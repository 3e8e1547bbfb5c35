//! What every database decides alike: the rules that come before a row is written, and how its words are read.

use jiff::{SignedDuration, Timestamp};

use super::limits::{self, fits, has_no_control_character};
pub(super) use super::model::embedding_text as json;
use super::text_keys::roll_key;
use super::{
    AdminUser, Admission, AttendanceStatus, Consent, CorrectedStatus, Correction, Deferred, DeferredOutcome, Enrolee,
    LegacyVector, Marking, NewAttendance, NewAuditEntry, NewDetectionLog, NewSecondLook, SecondLook,
    SecondLookDecision, SecondLookState, SecondLookVerdict, SessionRecord, StoredEmbedding, StoredTemplate, Student,
    StudentChange, TemplateOrigin,
};

use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::liveness::Status;
use crate::types::{SessionId, StudentId};

pub(super) const NO_STUDENT: Error = Error::NotFound { what: "student" };
pub(super) const NO_SESSION: Error = Error::NotFound { what: "liveness session" };
pub(super) const NO_ATTENDANCE: Error = Error::NotFound { what: "attendance record" };
pub(super) const NO_SECOND_LOOK: Error = Error::NotFound { what: "second look" };
pub(super) const NO_ADMIN: Error = Error::NotFound { what: "admin user" };
pub(super) const TAKEN: Error = Error::Conflict { what: "student with this roll number" };
pub(super) const TAKEN_NAME: Error = Error::Conflict { what: "admin user with this name" };

/// How far the clocks of two servers may be apart. Kerberos (RFC 4120) recommends the same.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(5);

/// The latest beginning of a login that holds at `now`. One that began later was made by a clock that was wrong, and
/// would last as much longer.
pub(super) fn latest_login(now: Timestamp) -> Timestamp {
    now.checked_add(CLOCKS_DIFFER_BY).unwrap_or(now)
}

/// How long a login may be renewed before the password is asked for again: OWASP's ASVS (3.3.2, level 1).
const LONGEST_LOGIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The earliest beginning of a login that is renewed at `now`.
pub(super) fn earliest_login(now: Timestamp) -> Timestamp {
    now.checked_sub(LONGEST_LOGIN).unwrap_or(Timestamp::MIN)
}

/// The model of a student `s`, in both databases' SQL: its templates' (all of a student's are of one model), else
/// that of the single embedding.
pub(super) const STUDENT_MODEL: &str = "COALESCE((SELECT t.model_id FROM student_templates t WHERE t.student_id = s.id
    ORDER BY t.id LIMIT 1), s.model_version)";

/// Whether a student `s` has a face, in both databases' SQL.
pub(super) const STUDENT_HAS_FACE: &str = "(s.face_embedding IS NOT NULL OR s.embedding_vector IS NOT NULL
    OR EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id))";

/// That name and roll number are no longer than the stores keep them, and without control characters.
pub(super) fn student_fits(name: Option<&str>, roll_number: Option<&str>) -> Result<()> {
    let texts = [("name", name, limits::STUDENT_NAME), ("roll number", roll_number, limits::ROLL_NUMBER)];
    for (what, text, most) in texts {
        let Some(text) = text else { continue };
        has_no_control_character(what, text)?;
        fits(what, text, most)?;
    }
    Ok(())
}

/// That the name of a new account can be read, and is told from those that are there: an entry of the audit log must
/// not look like another's.
pub(super) fn account_name_fits(name: &str, taken: &[AdminUser]) -> Result<()> {
    has_no_control_character("name of an account", name)?;
    if limits::is_blank(name) {
        return Err(Error::invalid_input("name of an account", "it is blank"));
    }
    let key = roll_key(name);
    if taken.iter().any(|other| roll_key(&other.username) == key) { Err(TAKEN_NAME) } else { Ok(()) }
}

/// That nothing is there twice which is to be unique: each of `found` is a value, the keys of its rows, and the newest
/// of them.
pub(super) fn doubled(table: &str, (column, what): (&str, &str), found: &[(String, String, i64)]) -> Result<()> {
    const NAMED: usize = 5;
    let Some((value, _, newest)) = found.first() else { return Ok(()) };
    let rows: Vec<_> = found.iter().take(NAMED).map(|(value, ids, _)| format!("{ids} (all {value:?})")).collect();
    let more = if found.len() > NAMED { format!(", and {} more", found.len() - NAMED) } else { String::new() };
    let quoted = value.replace('\'', "''");
    let reason = format!(
        "rows of {table} have the same {what}, which must be unique: {}{more}. Nothing was changed. Keep a copy of the \
         database, give all but one of them another {what}, such as UPDATE {table} SET {column} = '{quoted}-{newest}' \
         WHERE id = {newest};, or delete those that are not needed, and start again",
        rows.join("; ")
    );
    Err(Error::Store { reason, source: None })
}

/// Students whose roll numbers are one, a list for each number; `students` are ordered by that number's key.
pub(super) fn of_one_number(students: Vec<Student>) -> Vec<Vec<Student>> {
    let mut groups: Vec<Vec<Student>> = Vec::new();
    for student in students {
        let key = roll_key(&student.roll_number);
        match groups.last_mut().filter(|group| group.first().is_some_and(|first| roll_key(&first.roll_number) == key)) {
            Some(group) => group.push(student),
            None => groups.push(vec![student]),
        }
    }
    groups
}

/// The students `s` who share the key of their roll number with another one, in both databases' SQL.
pub(super) const OF_ONE_NUMBER: &str = "s.roll_key IN (SELECT roll_key FROM students WHERE roll_key IS NOT NULL
    GROUP BY roll_key HAVING count(*) > 1) ORDER BY s.roll_key, s.id";

/// The same of a student who is created by an enrolment.
pub(super) fn enrolee_fits(who: &Enrolee<'_>) -> Result<()> {
    match who {
        Enrolee::New { name, roll_number } => student_fits(Some(name), Some(roll_number)),
        Enrolee::Student(_) => Ok(()),
    }
}

/// The same of a change.
pub(super) fn change_fits(change: &StudentChange) -> Result<()> {
    student_fits(change.name.as_deref(), change.roll_number.as_deref())
}

/// The same of the texts of a mark.
pub(super) fn mark_fits(new: &NewAttendance) -> Result<()> {
    fits("camera location", new.camera_location.as_deref().unwrap_or_default(), limits::CAMERA_LOCATION)?;
    fits("period", &new.period, limits::PERIOD)
}

/// The same of the texts of a correction.
pub(super) fn correction_fits(correction: &Correction) -> Result<()> {
    fits("name of who corrects", &correction.by, limits::PERSON)?;
    fits("reason of a correction", &correction.reason, limits::REASON)
}

/// The same of the texts of a sighting for the second-look list; its reasons must be codes.
pub(super) fn second_look_fits(new: &NewSecondLook) -> Result<()> {
    mark_fits(&new.sighting)?;
    let is_code = |reason: &str| {
        !reason.is_empty() && reason.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if new.reasons.len() > limits::SECOND_LOOK_REASONS || !new.reasons.iter().all(|reason| is_code(reason)) {
        let reason = format!("at most {} codes such as few_views are possible", limits::SECOND_LOOK_REASONS);
        return Err(Error::invalid_input("reasons of a second look", reason));
    }
    new.reasons.iter().try_for_each(|reason| fits("reason of a second look", reason, limits::SECOND_LOOK_REASON))
}

/// The same of a record that waits.
pub(super) fn deferred_fits(record: &Deferred) -> Result<()> {
    match record {
        Deferred::Sighting { mark, .. } => mark_fits(mark),
        Deferred::SecondLook(new) => second_look_fits(new),
        Deferred::DetectionLogs(_) | Deferred::Audit(_) => Ok(()),
    }
}

/// Writes the records that come behind number `written` of their journal, in their order. Returns what became of each,
/// and how far the journal is written then.
pub(super) fn each_once<E>(
    records: &[(u64, Deferred)],
    mut written: u64,
    mut write: impl FnMut(&Deferred) -> std::result::Result<DeferredOutcome, E>,
) -> std::result::Result<(Vec<DeferredOutcome>, u64), E> {
    let mut outcomes = Vec::with_capacity(records.len());
    for (number, record) in records {
        outcomes.push(if *number <= written {
            DeferredOutcome::WrittenBefore
        } else {
            written = *number;
            write(record)?
        });
    }
    Ok((outcomes, written))
}

/// The row of a student who was marked already, and seen leaving at a time after the mark.
pub(super) fn seen_leaving(marking: &Marking, at: Timestamp, checks_out: bool) -> Option<i64> {
    let Marking::AlreadyMarked(record) = marking else { return None };
    (checks_out && at > record.timestamp).then_some(record.id)
}

/// A number of a journal as the databases count.
pub(super) fn position(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same of a decision, which names somebody.
pub(super) fn decision_fits(decision: &SecondLookDecision) -> Result<()> {
    if decision.by.trim().is_empty() {
        return Err(Error::invalid_input("decision of a second look", "it must say who made it"));
    }
    fits("name of who decides", &decision.by, limits::PERSON)
}

/// That nobody has decided the entry.
pub(super) fn must_be_open(look: &SecondLook) -> Result<()> {
    let reason = match look.state {
        SecondLookState::Open => return Ok(()),
        SecondLookState::Settled => "is settled: the student was marked otherwise".to_owned(),
        state => format!("is {} already, by {}", state.as_str(), look.decided_by.as_deref().unwrap_or("somebody")),
    };
    Err(Error::State { what: "second look", reason })
}

/// The reasons of an entry as the text of its column, and back: codes have no spaces.
pub(super) fn reasons_text(reasons: &[String]) -> String {
    reasons.join(" ")
}

pub(super) fn reasons_of(stored: &str) -> Vec<String> {
    stored.split_whitespace().map(ToOwned::to_owned).collect()
}

/// The verdict, the state and the status of the mark that the row of an entry says.
pub(super) fn second_look_words(
    verdict: &str,
    state: &str,
    status: &str,
) -> (SecondLookVerdict, SecondLookState, AttendanceStatus) {
    // A word that nobody wrote neither asks for a decision nor excuses a photograph.
    let verdict = if verdict == "undecided" { SecondLookVerdict::Undecided } else { SecondLookVerdict::Spoof };
    let state = SecondLookState::from_code(state).unwrap_or(SecondLookState::Settled);
    let status = if status == "Late" { AttendanceStatus::Late } else { AttendanceStatus::Present };
    (verdict, state, status)
}

/// The same of the texts of a consent.
pub(super) fn consent_fits(consent: &Consent) -> Result<()> {
    fits("name of who consents", &consent.given_by, limits::PERSON)?;
    fits("version of the notice", &consent.notice, limits::NOTICE)
}

/// Returns the location and the error of a row of the detection log, cut to what the stores keep.
pub(super) fn logged_texts(log: &NewDetectionLog) -> [Option<&str>; 2] {
    // No database need keep what follows a NUL.
    let cut = |text, most| limits::cut(text, most).split('\0').next().unwrap_or_default();
    let location = log.camera_location.as_deref().map(|text| cut(text, limits::CAMERA_LOCATION));
    let error = log.error_message.as_deref().map(|text| cut(text, limits::LOGGED_ERROR));
    [location, error]
}

/// A text of an audit entry with another sign in place of a NUL, which PostgreSQL keeps nowhere: an entry must not
/// fail.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The first of the templates that a student may get: at least one, all of one model, and a score in range.
pub(super) fn first_template(templates: &[Embedding], liveness_score: Option<f64>) -> Result<&Embedding> {
    let first = templates.first().ok_or_else(|| Error::invalid_input("templates", "at least one is needed"))?;
    for template in templates {
        first.cosine(template)?;
    }
    if liveness_score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
        return Err(Error::invalid_input("liveness score", "it must lie between 0 and 1"));
    }
    Ok(first)
}

/// That the session proves a face.
pub(super) fn must_be_completed(record: &SessionRecord) -> Result<()> {
    if record.status != Status::Completed {
        return Err(refused(format!("is {}, not COMPLETED", record.status.as_str())));
    }
    Ok(())
}

/// That the session may still enrol somebody, and just this student.
pub(super) fn must_be_free_for(record: &SessionRecord, student: StudentId) -> Result<()> {
    if record.consumed_at.is_some() {
        return Err(refused("has enrolled a student already".into()));
    }
    if record.student.is_some_and(|expected| expected != student) {
        return Err(refused("is for another student".into()));
    }
    Ok(())
}

/// The entry of the audit log for a face that `student` was given, by `origin`. It is written with the face, so that
/// nobody has another face without it.
pub(super) fn enrolment_entry(
    (actor, origin): (&str, &str),
    student: StudentId,
    had_face: bool,
    admission: Admission,
    at: Timestamp,
) -> NewAuditEntry {
    let what = match (had_face, admission) {
        (false, _) => "the first face",
        (true, Admission::AdmittedUnlike) => "a face unlike the one before",
        (true, _) => "a new face in place of the one before",
    };
    NewAuditEntry {
        at,
        actor: actor.to_owned(),
        action: "student.enrol".into(),
        subject: Some(NewAuditEntry::subject_of(student)),
        details: Some(format!("{what}, {origin}")),
    }
}

/// How the audit log says that a session gave a face.
pub(super) fn by_session(session: SessionId) -> String {
    format!("by liveness session {session}")
}

/// That a merge names two records.
pub(super) fn must_be_two(kept: StudentId, other: StudentId) -> Result<()> {
    if kept == other {
        return Err(Error::invalid_input("students to merge", "both are the same record"));
    }
    Ok(())
}

/// The face that a student registered: the templates of one model, or the vector of the existing service.
#[derive(Default)]
pub(super) struct RegisteredFace {
    pub(super) templates: Vec<Embedding>,
    pub(super) legacy: Option<LegacyVector>,
}

impl RegisteredFace {
    pub(super) fn is_empty(&self) -> bool {
        self.templates.is_empty() && self.legacy.is_none()
    }
}

/// The face of `student` among `stored`, without the views that cameras added.
pub(super) fn registered_face(stored: Vec<StoredTemplate>, student: StudentId) -> RegisteredFace {
    let mut face = RegisteredFace::default();
    for template in stored {
        if template.student != student || template.origin == TemplateOrigin::Seen {
            continue;
        }
        match template.embedding {
            StoredEmbedding::Tagged(view) => face.templates.push(view),
            StoredEmbedding::Legacy(vector) => face.legacy = Some(vector),
        }
    }
    face
}

/// What the columns of a face of the existing service hold: its bytes and its text.
pub(super) fn legacy_columns(vector: &LegacyVector) -> (Vec<u8>, String) {
    let bytes = vector.values().iter().flat_map(|value| value.to_le_bytes()).collect();
    (bytes, serde_json::json!(vector.values()).to_string())
}

fn refused(reason: String) -> Error {
    Error::State { what: "liveness session", reason }
}

/// The status that a row says. A word that nobody wrote is no proof of anything.
pub(super) fn session_status(stored: Option<&str>) -> Status {
    const KNOWN: [Status; 4] = [Status::Pending, Status::InProgress, Status::Completed, Status::Expired];
    stored.map_or(Status::Pending, |text| {
        KNOWN.into_iter().find(|known| known.as_str() == text).unwrap_or(Status::Failed)
    })
}

/// The status that a correction's row says.
pub(super) fn corrected_status(stored: &str) -> CorrectedStatus {
    use CorrectedStatus::{Absent, Late, LeftEarly, Present};
    const KNOWN: [CorrectedStatus; 4] = [Present, Late, LeftEarly, Absent];
    KNOWN.into_iter().find(|known| known.as_str() == stored).unwrap_or(CorrectedStatus::Absent)
}
